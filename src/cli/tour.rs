//! The tour: the whole story on a throw-away vault, told with real commands, each checked.

mod teller;

use crate::app::tour::{Damage, NoteId, SampleNote, copy_vault, damage, sample_notes};
use crate::app::{Error, Kind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use teller::{DONE, Lines, Teller, astray, denied, progress, quoted};

const PASSPHRASE: &str = "three wet foxes guard the orchard wall\n";
const WRONG: &str = "Fernhollow2026\n";
const MAIL: &str = "\
Good morning, the flowers for Ms Okonjo-Vale may come to the gate at ten.
Please ring Piotr before, on +44 7700 900142, and take nothing from Corin Hask.
";
const SAFE_MAIL: &str = "Good morning, the flowers may come to the gate at ten. Please ring before.\n";
/// What no brief of the handover may hold, and what it must.
const SECRET: [&str; 9] = [
    "Hask",
    "Okonjo",
    "MAGPIE",
    "Daisy",
    "LX68",
    "960 418",
    "clipboard",
    "Femi",
    "Piotr",
];
const USEFUL: [&str; 3] = [
    "keep the north gate shut and manned",
    "18:00 Monday 16 November",
    "TLP:GREEN",
];

/// Tells the story. Whatever does not happen as told ends it with an error.
pub(super) fn run() -> Result<u8, Error> {
    let begun = Instant::now();
    let mut teller = Teller::new()?;
    let folder = teller.stage.folder().to_owned();
    teller.title("A tour of strongroom");
    teller.say(&format!(
        "A vault, its log and some forty notes, all invented, in {}. That folder goes away at the end; nothing else \
         of yours is read or touched. Every command below is really run, and checked.",
        folder.display()
    ));
    found(&mut teller)?;
    let (handover, count) = record(&mut teller)?;
    let drone = find(&mut teller, count)?;
    read(&mut teller, &handover)?;
    brief(&mut teller, &handover, &drone)?;
    check(&mut teller)?;
    audit(&mut teller)?;
    break_in(&mut teller, &handover)?;
    let commands = teller.commands;
    teller.heading("The end");
    let (stage, line) = teller.end();
    stage.strike()?;
    if folder.exists() {
        return Err(Error::new(
            Kind::Failed,
            format!("`{}` is still there", folder.display()),
        ));
    }
    line(&format!(
        "{commands} commands did as told in {:.1} s, and {} is gone.",
        begun.elapsed().as_secs_f32(),
        folder.display()
    ));
    line("A vault of your own: strongroom init --name YOU --recovery-key recovery.txt");
    Ok(0)
}

fn found(teller: &mut Teller) -> Result<(), Error> {
    teller.heading("A vault");
    teller.stage.write("passphrase.txt", PASSPHRASE)?;
    teller.say(
        "Mara founds a vault: a bare git repository. Her identity stays on her device, under a passphrase; the \
         recovery key is for paper. (Here the passphrase comes from a file; otherwise she is asked.)",
    );
    let init = "init --name mara --recovery-key recovery.txt";
    teller.step(init, &DONE.saying(&["you are mara"]))?;
    teller.say("Three clients, three compartments. Their names are sealed; without its key, no note in it opens.");
    for name in ["Halcyon", "Orchard", "Lighthouse"] {
        teller.step(&format!("compartment new {name}"), &DONE.saying(&[name]))?;
    }
    Ok(())
}

/// Records the notes; gives the id of the handover note and how many there are.
fn record(teller: &mut Teller) -> Result<(String, usize), Error> {
    let mut notes = sample_notes()?;
    let count = notes.len();
    let handover = take(&mut notes, "Handover")?;
    let quick = take(&mut notes, "Unsure")?;
    teller.heading("Notes");
    teller.say("The night shift leaves a handover. Portions marked (R) or (C) are for fewer eyes than (I).");
    teller.stage.write("handover.txt", &handover.text)?;
    let arguments: Vec<String> = arguments_of(&handover).iter().map(|word| quoted(word)).collect();
    let command = format!("{} --file handover.txt", arguments.join(" "));
    let recorded = teller.step(&command, &DONE.saying(&["restricted/Halcyon"]))?;
    teller.say("Something half seen, through a pipe. Without a title the first line will do.");
    let command = format!("add --client {} --label {} --file -", quick.client, quick.label);
    teller.step_fed(
        "quick.txt",
        &quick.text,
        &command,
        &DONE.saying(&["restricted/Orchard"]),
    )?;
    rest(teller, &notes)?;
    Ok((recorded.out.trim().to_owned(), count))
}

/// Records many notes by several processes at once: the vault admits one writer at a time, the others wait.
fn rest(teller: &mut Teller, notes: &[SampleNote]) -> Result<(), Error> {
    let begun = Instant::now();
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(4);
    let (next, recorded) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stage = &teller.stage;
    let work = || -> Result<(), Error> {
        while let Some(note) = notes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut arguments = arguments_of(note);
            arguments.extend(["--file", "-"]);
            let ran = stage.run(&[], &arguments, &note.text)?;
            if ran.code != 0 {
                let why = ran.err.trim();
                return Err(astray(&format!("`{}` could not be recorded: {why}", note.title)));
            }
            progress(recorded.fetch_add(1, Ordering::Relaxed) + 1, notes.len());
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut ends = threads.into_iter().map(|thread| thread.join());
        ends.try_for_each(|end| end.unwrap_or_else(|_| Err(astray("a thread broke off"))))
    })?;
    teller.commands += notes.len();
    let at_once = match workers {
        1 => String::new(),
        _ => format!(", by {workers} processes at once"),
    };
    teller.say(&format!(
        "{} more notes, recorded in the same way{at_once}: {:.1} s.",
        notes.len(),
        begun.elapsed().as_secs_f32()
    ));
    Ok(())
}

/// Lists; gives the id of the note that is briefed on beside the handover.
fn find(teller: &mut Teller, count: usize) -> Result<String, Error> {
    teller.heading("Finding them again");
    teller.step("list", &DONE.saying(&["Car park level 2"]).cut(Lines::First(8)))?;
    let found = DONE.saying(&["Lost child"]).never(&["Halcyon"]);
    teller.step("list --client 'Brightwater Arena'", &found)?;
    let ran = teller.stage.run(&[], &["list", "--json"], "")?;
    let list: Vec<serde_json::Value> = serde_json::from_str(&ran.out).map_err(|bad| astray(&bad.to_string()))?;
    if list.len() != count {
        return Err(astray(&format!(
            "{count} notes were recorded, and {} are listed",
            list.len()
        )));
    }
    let title = |note: &&serde_json::Value| note["title"].as_str().is_some_and(|title| title.starts_with("Drone"));
    let id = list.iter().find(title).and_then(|note| note["id"].as_str());
    id.map(str::to_owned)
        .ok_or_else(|| astray("the note on the drone is not listed"))
}

fn read(teller: &mut Teller, handover: &str) -> Result<(), Error> {
    let id = short(handover);
    teller.heading("Reading, for a purpose");
    teller.say("A restricted note opens for a purpose and a reason that go on record. Without them:");
    let refused = denied(&["--purpose", "--why"]).never(&["Corin Hask"]);
    teller.step(&format!("show {id}"), &refused)?;
    teller.say("With them. The entry in the log was on disk before the first letter appeared.");
    let shown = DONE.saying(&["Corin Hask", "TLP:AMBER+STRICT"]).cut(Lines::First(11));
    let show = format!("show {id} --purpose handover --why 'night shift takes over'");
    teller.step(&show, &shown)?;
    teller.say("A note that does not exist. One that exists and is not for Mara is answered in the same words.");
    teller.step("show 00000000", &denied(&["no note `00000000` that you may read"]))?;
    teller.say("A wrong passphrase opens nothing, not even the log; the next unlock enters that it was tried.");
    teller.stage.write("guess.txt", WRONG)?;
    let guess = [("STRONGROOM_PASSPHRASE_FILE", "guess.txt")];
    teller.step_with(&guess, "list", &DONE.ending(6).saying(&["wrong passphrase"]))?;
    Ok(())
}

fn brief(teller: &mut Teller, handover: &str, drone: &str) -> Result<(), Error> {
    teller.heading("A brief for the day shift");
    teller.say("The handover, for the internal circle: what is marked (R) or (C) is left out whole.");
    let why = "--purpose handover --why 'day shift'";
    let mut draft = format!("brief draft {} --for internal {why}", short(handover));
    let drafted = DONE.saying(&USEFUL).never(&SECRET);
    let ran = teller.step(&draft, &drafted)?;
    let doubts: Vec<&str> = ran.err.lines().filter_map(doubtful_word).collect();
    let mut id = draft_id(&ran.err)?;
    let release = |id: &str| format!("brief release {} --to 'day shift' {why}", short(id));
    if !doubts.is_empty() {
        teller.say("A word in it might be a name. While there is a doubt, nothing leaves:");
        teller.step(&release(&id), &denied(&["doubtful"]).never(&["north gate"]))?;
        teller.say("Mara looks, and decides. Her word is on record too.");
        // What the tour knows to be harmless is allowed; any other doubt is masked.
        for word in &doubts {
            let decision = if *word == "Foot" { "--allow" } else { "--mask" };
            draft.push_str(&format!(" {decision} {}", quoted(word)));
        }
        let ran = teller.step(&draft, &drafted.cut(Lines::Last(2)))?;
        id = draft_id(&ran.err)?;
    }
    teller.say("Released: to whom, why, and the digest of the text are in the log before the text is out.");
    teller.step(
        &release(&id),
        &drafted.saying(&["TLP:GREEN", "north gate", "released as"]),
    )?;
    teller.say("A review from October, for the confidential circle. People become placeholders:");
    let drafted = DONE
        .saying(&["Person A", "TLP:AMBER"])
        .never(&["Blessing", "Aurelio", "Daisy"]);
    let draft = format!(
        "brief draft {} --for confidential --purpose review --why training",
        short(drone)
    );
    teller.step(&draft, &drafted.cut(Lines::FirstAndLast(9, 3)))?;
    Ok(())
}

fn check(teller: &mut Teller) -> Result<(), Error> {
    teller.heading("A mail about to be sent");
    teller.stage.write("mail.txt", MAIL)?;
    teller.stage.write("mail-2.txt", SAFE_MAIL)?;
    teller.print("mail.txt", MAIL);
    teller.say("Held against all that the vault knows of its clients:");
    let why = "--purpose duty --why 'mail to the florist'";
    let leaks = denied(&["Okonjo-Vale", "(phone)", "not safe to share"]);
    teller.step(&format!("brief check mail.txt {why}"), &leaks)?;
    teller.say("Masked by the finder alone, which needs no vault:");
    let masked = DONE.saying(&["Person A", "Phone 1"]);
    teller.step("redact mail.txt", &masked.never(&["Okonjo", "Hask", "Piotr", "900142"]))?;
    teller.say("Written anew, with nobody in it:");
    teller.print("mail-2.txt", SAFE_MAIL);
    teller.step(
        &format!("brief check mail-2.txt {why}"),
        &DONE.saying(&["nothing found"]),
    )?;
    Ok(())
}

fn audit(teller: &mut Teller) -> Result<(), Error> {
    teller.heading("Who read what, when and why");
    teller.say(
        "Mara's own entries. What she read and why opens for her and for the auditors; in the repository it is sealed.",
    );
    let words = ["unlock", "denied", "brief release", "day shift", "audit log"];
    teller.step("audit log", &DONE.saying(&words).cut(Lines::FirstAndLast(1, 25)))?;
    teller.heading("The auditor's side");
    teller.say("Whoever has a copy of the vault can check that nothing was changed or cut out. It takes no key.");
    let intact = DONE.saying(&["intact: "]).never(&["unanchored"]);
    teller.step("audit verify", &intact)?;
    teller.say("The auditor takes a receipt home. It tells how far the log had come, and opens nothing.");
    teller.step("audit receipt --out january.txt", &DONE)?;
    teller.step("audit verify --since-receipt january.txt", &intact)?;
    Ok(())
}

fn break_in(teller: &mut Teller, handover: &str) -> Result<(), Error> {
    teller.heading("Three break-ins, on copies of the vault");
    teller.say("By somebody who has the files and git, and no key. The number in brackets names what is found.");
    teller.say("One: a bit of the handover is flipped, and the file stored anew. Git is content.");
    let note = handover.parse::<NoteId>().map_err(|bad| astray(&bad.to_string()))?;
    damaged(teller, "copy-1", &Damage::FlipBit(note))?;
    caught(teller, &[], "--vault copy-1 audit verify", "[33]")?;

    teller.say("Two: the last two entries are cut off, as if nobody had looked. This device remembers more:");
    damaged(teller, "copy-2", &Damage::CutTail(2))?;
    caught(teller, &[], "--vault copy-2 audit verify", "[9]")?;
    teller.say("Another machine knows nothing. What is left is in order, and no more than that can be said there:");
    let elsewhere = [("XDG_STATE_HOME", "auditor")];
    let verify = "--vault copy-2 audit verify";
    teller.step_with(&elsewhere, verify, &DONE.saying(&["intact, unanchored"]))?;
    teller.say("With the receipt that the auditor took home, it is seen there too:");
    let verify = "--vault copy-2 audit verify --since-receipt january.txt";
    caught(teller, &elsewhere, verify, "[7]")?;

    teller.say("Three: a denial in the middle of the log becomes a success; all later commits are made again.");
    damaged(teller, "copy-3", &Damage::HideDenial)?;
    caught(teller, &[], "--vault copy-3 audit verify", "[1]")?;
    teller.say("The vault itself is as it was.");
    teller.step("audit verify", &DONE.saying(&["intact: "]))?;
    Ok(())
}

fn damaged(teller: &Teller, copy: &str, what: &Damage) -> Result<(), Error> {
    let vault = teller.stage.vault();
    teller.typed(&format!("cp -r {vault} {copy}"));
    let folder = teller.stage.folder();
    copy_vault(&folder.join(vault), &folder.join(copy))?;
    damage(&folder.join(copy), what)
}

fn caught(teller: &mut Teller, more: &[(&str, &str)], verify: &str, case: &str) -> Result<(), Error> {
    let words = ["tampered", case];
    teller.step_with(more, verify, &DONE.ending(4).saying(&words).cut(Lines::First(8)))?;
    Ok(())
}

fn take(notes: &mut Vec<SampleNote>, title: &str) -> Result<SampleNote, Error> {
    let found = notes.iter().position(|note| note.title.starts_with(title));
    found
        .map(|at| notes.remove(at))
        .ok_or_else(|| astray(&format!("there is no sample note `{title}`")))
}

/// The arguments that record a note, without its text.
fn arguments_of(note: &SampleNote) -> Vec<&str> {
    let mut arguments = vec!["add", "--title", &note.title, "--client", &note.client];
    if let Some(case) = &note.case {
        arguments.extend(["--case", case]);
    }
    // A clock that is behind has them still to come.
    arguments.extend(["--label", &note.label, "--at", &note.at, "--yes"]);
    if let Some(why) = &note.why {
        arguments.extend(["--why", why]);
    }
    arguments
}

/// The beginning of an id, as a person would type it.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// The id in `draft ID for LABEL (MARK)`.
fn draft_id(text: &str) -> Result<String, Error> {
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("draft ")?.split(' ').next());
    id.map(str::to_owned).ok_or_else(|| astray("the draft has no id"))
}

/// The word in ``doubtful: `WORD` (WHY)``.
fn doubtful_word(text: &str) -> Option<&str> {
    text.strip_prefix("doubtful: `")?.split('`').next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn what_a_draft_says_is_read() {
        assert_eq!(draft_id("\ndraft 77d0 for internal (TLP:GREEN)\n").unwrap(), "77d0");
        assert!(draft_id("nothing").is_err());
        assert_eq!(
            doubtful_word("doubtful: `Foot` (a word that is also a name)"),
            Some("Foot")
        );
        assert_eq!(doubtful_word("removed: nothing"), None);
    }

    #[test]
    fn every_sample_note_makes_arguments() {
        for note in sample_notes().unwrap() {
            let arguments = arguments_of(&note);
            assert!(arguments.len() >= 9 && arguments.iter().all(|argument| !argument.is_empty()));
        }
    }
}
