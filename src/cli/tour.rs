//! The tour: the whole story on a throw-away vault, told with real commands, each checked.

use super::out;
use crate::app::tour::{Damage, NoteId, Ran, SampleNote, Stage, copy_vault, damage, sample_notes};
use crate::app::{Error, Kind};
use anstyle::Style;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The most columns that a line takes.
const WIDTH: usize = 98;
/// How far output is set in.
const INDENT: &str = "    ";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

const PASSPHRASE: &str = "three wet foxes guard the orchard wall\n";
const MAIL: &str = "\
Good morning, the flowers for Ms Okonjo-Vale may come to the gate at ten.
Ring Piotr before, on +44 7700 900142, and please nothing from Corin Hask.
";
const SAFE_MAIL: &str = "Good morning, the flowers may come to the gate at ten. Please ring before.\n";

/// Tells the story. Whatever does not happen as told ends it with an error.
pub(super) fn run() -> Result<u8, Error> {
    let begun = Instant::now();
    let stage = Stage::set_up()?;
    let mut teller = Teller { stage, commands: 0 };
    teller.line(&format!("{BOLD}A tour of strongroom{BOLD:#}"));
    let place = teller.stage.folder().display().to_string();
    teller.say(&format!(
        "A vault, a log and thirty-odd notes, all invented, in {place}. That folder goes away at the end, and \
         nothing else of yours is read or touched. Every command below is really run."
    ));
    teller.story()?;
    let Teller { stage, commands } = teller;
    let folder = stage.folder().to_owned();
    stage.strike()?;
    if folder.exists() {
        return Err(Error::new(Kind::Failed, format!("`{place}` is still there")));
    }
    let seconds = begun.elapsed().as_secs_f32();
    line(&format!(
        "\n{BOLD}That was all.{BOLD:#} {commands} commands did as told in {seconds:.1} s, and {place} is gone.\n\
         A vault of your own: strongroom init --name YOU --recovery-key recovery.txt\n"
    ));
    Ok(0)
}

/// What a step must lead to.
struct Expect<'a> {
    code: i32,
    words: &'a [&'a str],
    never: &'a [&'a str],
    lines: Lines,
}

/// How much of an output is shown.
#[derive(Clone, Copy)]
enum Lines {
    All,
    First(usize),
    Last(usize),
}

const DONE: Expect<'static> = Expect {
    code: 0,
    words: &[],
    never: &[],
    lines: Lines::All,
};

struct Teller {
    stage: Stage,
    commands: usize,
}

impl Teller {
    fn story(&mut self) -> Result<(), Error> {
        let mut notes = sample_notes()?;
        self.found()?;
        let handover = self.record(&mut notes)?;
        self.find(notes.len())?;
        self.read(&handover)?;
        self.brief(&handover)?;
        self.check()?;
        self.audit()?;
        self.break_in(&handover)
    }

    fn found(&mut self) -> Result<(), Error> {
        self.heading("A vault");
        self.stage.write("passphrase.txt", PASSPHRASE)?;
        self.say(
            "Mara founds a vault: a bare git repository. Her identity stays on her device under a passphrase; the \
             recovery key is for paper. (Here the passphrase comes from a file; otherwise she is asked for it.)",
        );
        let init = ["init", "--name", "mara", "--recovery-key", "recovery.txt"];
        self.step(
            &init,
            &Expect {
                words: &["you are mara"],
                ..DONE
            },
        )?;
        self.say("Three clients, three compartments. Their names are sealed; without its key a compartment's notes do not open.");
        for name in ["Halcyon", "Orchard", "Lighthouse"] {
            self.step(&["compartment", "new", name], &Expect { words: &[name], ..DONE })?;
        }
        Ok(())
    }

    /// Records the notes; gives the id of the handover note.
    fn record(&mut self, notes: &mut Vec<SampleNote>) -> Result<String, Error> {
        self.heading("Notes");
        self.say(
            "The night shift leaves a handover. What it says in portions marked (R) is for fewer eyes than (C) or (I).",
        );
        let handover = position(notes, "Handover")?;
        let handover = notes.remove(handover);
        let quick = notes.remove(position(notes, "Unsure")?);
        self.stage.write("handover.txt", &handover.text)?;
        self.stage.write("quick.txt", &quick.text)?;
        let mut arguments = arguments_of(&handover);
        arguments.extend(["--file", "handover.txt"]);
        let recorded = self.step(
            &arguments,
            &Expect {
                words: &["restricted/Halcyon"],
                ..DONE
            },
        )?;
        self.say("Something half seen, from a pipe. No title: the first line will do.");
        let label = quick.label.as_str();
        let arguments = [
            "add",
            "--client",
            quick.client.as_str(),
            "--label",
            label,
            "--file",
            "-",
        ];
        self.typed(&format!("cat quick.txt | {}", command(&[], &arguments)));
        let ran = self.stage.run(&[], &arguments, &quick.text)?;
        self.shown(
            &ran,
            &Expect {
                words: &[label],
                ..DONE
            },
        )?;
        self.rest(notes)?;
        notes.extend([handover, quick]);
        Ok(recorded.out.trim().to_owned())
    }

    /// Records many notes with several processes at once; the vault admits one writer at a time, the others wait.
    fn rest(&mut self, notes: &[SampleNote]) -> Result<(), Error> {
        let begun = Instant::now();
        let workers = std::thread::available_parallelism().map_or(2, usize::from).min(4);
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || -> Result<(), Error> {
            while let Some(note) = notes.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut arguments = arguments_of(note);
                arguments.extend(["--file", "-"]);
                let ran = self.stage.run(&[], &arguments, &note.text)?;
                if ran.code != 0 {
                    return Err(astray(&format!(
                        "`{}` could not be recorded: {}",
                        note.title,
                        ran.err.trim()
                    )));
                }
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, notes.len());
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let ends = threads.into_iter().map(|thread| thread.join());
            ends.map(|end| end.unwrap_or_else(|_| Err(astray("a thread broke off"))))
                .collect::<Result<(), _>>()
        })?;
        self.commands += notes.len();
        let seconds = begun.elapsed().as_secs_f32();
        let at_once = if workers > 1 {
            format!(" by {workers} processes at once")
        } else {
            String::new()
        };
        self.say(&format!(
            "{} more notes, recorded in the same way{at_once} in {seconds:.1} s.",
            notes.len()
        ));
        Ok(())
    }

    fn find(&mut self, count: usize) -> Result<(), Error> {
        self.heading("Finding them again");
        let ran = self.step(
            &["list"],
            &Expect {
                lines: Lines::First(7),
                words: &["Handover nights to days"],
                ..DONE
            },
        )?;
        if ran.out.lines().count() != count + 1 {
            return Err(astray(&format!(
                "{count} notes were recorded, and the list has {} lines",
                ran.out.lines().count()
            )));
        }
        let arguments = ["list", "--client", "Brightwater Arena"];
        self.step(
            &arguments,
            &Expect {
                words: &["Lost child"],
                never: &["Halcyon"],
                ..DONE
            },
        )
        .map(drop)
    }

    fn read(&mut self, handover: &str) -> Result<(), Error> {
        let id = short(handover);
        self.heading("Reading, for a purpose");
        self.say("A restricted note is opened for a purpose and a reason that go on record. Without them:");
        let denied = Expect {
            code: 3,
            words: &["--purpose", "--why"],
            never: &["Corin Hask"],
            ..DONE
        };
        self.step(&["show", id], &denied)?;
        self.say("With them. The entry in the log was durable before the first letter appeared.");
        let arguments = ["show", id, "--purpose", "handover", "--why", "night shift takes over"];
        self.step(
            &arguments,
            &Expect {
                words: &["Corin Hask", "TLP:AMBER+STRICT"],
                lines: Lines::First(14),
                ..DONE
            },
        )?;
        self.say(
            "A note that does not exist. One that exists and is not for Mara would be answered in the same words.",
        );
        let nothing = Expect {
            code: 3,
            words: &["no note `00000000` that you may read"],
            ..DONE
        };
        self.step(&["show", "00000000"], &nothing)?;
        self.say(
            "A wrong passphrase opens nothing, not even the log; it is kept aside and entered at the next unlock.",
        );
        self.stage.write("guess.txt", "Fernhollow2026\n")?;
        let wrong = Expect {
            code: 6,
            words: &["wrong passphrase"],
            ..DONE
        };
        self.step_with(&[("STRONGROOM_PASSPHRASE_FILE", "guess.txt")], &["list"], &wrong)
            .map(drop)
    }

    fn brief(&mut self, handover: &str) -> Result<(), Error> {
        let id = short(handover);
        self.heading("A brief for the day shift");
        self.say(
            "The same note for the internal circle: portions marked (R) and (C) are left out whole, names are masked.",
        );
        let why = ["--purpose", "handover", "--why", "day shift"];
        let mut arguments = vec!["brief", "draft", id, "--for", "internal"];
        arguments.extend(why);
        let secret = ["Hask", "Okonjo", "MAGPIE", "Daisy", "LX68", "418", "clipboard", "Femi"];
        let useful = [
            "keep the north gate shut and manned",
            "18:00 Monday 16 November",
            "(TLP:GREEN)",
        ];
        let ran = self.step(
            &arguments,
            &Expect {
                words: &useful,
                never: &secret,
                ..DONE
            },
        )?;
        let doubts: Vec<String> = ran.err.lines().filter_map(doubtful_word).map(str::to_owned).collect();
        let mut draft = draft_id(&ran)?;
        if !doubts.is_empty() {
            self.say("One word might be a name. As long as there is a doubt, nothing leaves:");
            let release = [
                "brief",
                "release",
                short(&draft),
                "--to",
                "day shift",
                "--purpose",
                "handover",
                "--why",
                "day shift",
            ];
            self.step(
                &release,
                &Expect {
                    code: 3,
                    words: &["doubtful"],
                    never: &["north gate"],
                    ..DONE
                },
            )?;
            self.say("Mara reads it, and decides. That is on record too.");
            // What the tour knows to be harmless is allowed; any other doubt is masked.
            for word in &doubts {
                let harmless = word.eq_ignore_ascii_case("foot");
                arguments.extend([if harmless { "--allow" } else { "--mask" }, word]);
            }
            let ran = self.step(
                &arguments,
                &Expect {
                    words: &useful,
                    never: &secret,
                    lines: Lines::Last(2),
                    ..DONE
                },
            )?;
            draft = draft_id(&ran)?;
        }
        self.say("Released: to whom, why and the digest of the text are in the log before the text is out.");
        let mut release = vec!["brief", "release", short(&draft), "--to", "day shift"];
        release.extend(why);
        let marked = ["TLP:GREEN", "north gate", "released as"];
        self.step(
            &release,
            &Expect {
                words: &marked,
                never: &secret,
                ..DONE
            },
        )
        .map(drop)
    }

    fn check(&mut self) -> Result<(), Error> {
        self.heading("A mail about to be sent");
        self.stage.write("mail.txt", MAIL)?;
        self.typed("cat mail.txt");
        self.output(MAIL, Lines::All);
        self.say("Held against all that the vault knows of its clients. Where, and what sort; never the word itself:");
        let arguments = [
            "brief",
            "check",
            "mail.txt",
            "--purpose",
            "duty",
            "--why",
            "mail to the florist",
        ];
        let leaks = Expect {
            code: 3,
            words: &["PERSON", "PHONE", "not safe to share"],
            never: &["Okonjo"],
            ..DONE
        };
        self.step(&arguments, &leaks)?;
        self.say("The finder alone, on any text and without a vault:");
        let masked = Expect {
            words: &["Person A", "Phone 1"],
            never: &["Okonjo", "Hask", "Piotr", "900142"],
            ..DONE
        };
        self.step(&["redact", "mail.txt"], &masked)?;
        self.stage.write("mail-2.txt", SAFE_MAIL)?;
        self.say("Written anew, without anybody in it:");
        let arguments = [
            "brief",
            "check",
            "mail-2.txt",
            "--purpose",
            "duty",
            "--why",
            "mail to the florist",
        ];
        self.step(
            &arguments,
            &Expect {
                words: &["safe"],
                ..DONE
            },
        )
        .map(drop)
    }

    fn audit(&mut self) -> Result<(), Error> {
        self.heading("Who read what, when and why");
        self.say("Mara's own entries, the last ten. The details open for her and for the auditors; in the repository they are sealed.");
        let words = [
            "unlock",
            "denied",
            "brief release",
            "night shift takes over",
            "audit log",
        ];
        self.step(
            &["audit", "log"],
            &Expect {
                words: &words,
                lines: Lines::Last(14),
                ..DONE
            },
        )?;
        self.heading("The auditor's side");
        self.say("Anybody with a copy of the repository can check that nothing was cut out, with no key and no power to read a note.");
        self.step(
            &["audit", "verify"],
            &Expect {
                words: &["intact: "],
                never: &["unanchored"],
                ..DONE
            },
        )?;
        self.say("The auditor takes a receipt home. It says where the log stood, and opens nothing.");
        self.step(&["audit", "receipt", "--out", "january.txt"], &DONE)?;
        self.step(
            &["audit", "verify", "--since-receipt", "january.txt"],
            &Expect {
                words: &["intact: "],
                ..DONE
            },
        )
        .map(drop)
    }

    fn break_in(&mut self, handover: &str) -> Result<(), Error> {
        self.heading("Three break-ins, on copies of the vault");
        let note = handover.parse::<NoteId>().map_err(|bad| astray(&bad.to_string()))?;
        self.say(
            "Somebody with the files and git, but no key. One: a single bit of the handover note is flipped, and the \
             file stored in git as if it had always been so. Git finds nothing wrong with it.",
        );
        self.damaged("copy-1", &Damage::FlipBit(note))?;
        self.caught("copy-1", &[], &[], "[33]")?;
        self.say("Two: the last two entries are cut off the log, as if nobody had looked. This device remembers that there were more.");
        self.damaged("copy-2", &Damage::CutTail(2))?;
        self.caught("copy-2", &[], &[], "[9]")?;
        self.say(
            "On another machine nothing is remembered. What is left of the log is in order, so the verdict is intact, \
             but unanchored; that is as much as can be said there:",
        );
        let elsewhere = [("XDG_STATE_HOME", "auditor")];
        let arguments = ["--vault", "copy-2", "audit", "verify"];
        self.step_with(
            &elsewhere,
            &arguments,
            &Expect {
                words: &["intact, unanchored"],
                ..DONE
            },
        )?;
        self.say("With the receipt that the auditor took home, it is seen there as well:");
        self.caught("copy-2", &elsewhere, &["--since-receipt", "january.txt"], "[7]")?;
        self.say(
            "Three: a denial in the middle of the log is rewritten to say that all was well, and every later commit made \
             again on top of it.",
        );
        self.damaged("copy-3", &Damage::HideDenial)?;
        self.caught("copy-3", &[], &[], "[1]")?;
        self.say("The vault itself is as it was.");
        self.step(
            &["audit", "verify"],
            &Expect {
                words: &["intact: "],
                ..DONE
            },
        )
        .map(drop)
    }

    fn damaged(&self, copy: &str, what: &Damage) -> Result<(), Error> {
        let folder = self.stage.folder();
        self.typed(&format!("cp -r {} {copy}", self.stage.vault()));
        copy_vault(&folder.join(self.stage.vault()), &folder.join(copy))?;
        damage(&folder.join(copy), what)
    }

    fn caught(&mut self, copy: &str, more: &[(&str, &str)], how: &[&str], case: &str) -> Result<(), Error> {
        let mut arguments = vec!["--vault", copy, "audit", "verify"];
        arguments.extend(how);
        let expect = Expect {
            code: 4,
            words: &["tampered", case],
            lines: Lines::First(6),
            ..DONE
        };
        self.step_with(more, &arguments, &expect).map(drop)
    }

    /// Shows a command, runs it, shows what it says, and checks that.
    fn step(&mut self, arguments: &[&str], expect: &Expect<'_>) -> Result<Ran, Error> {
        self.step_with(&[], arguments, expect)
    }

    fn step_with(&mut self, more: &[(&str, &str)], arguments: &[&str], expect: &Expect<'_>) -> Result<Ran, Error> {
        self.typed(&command(more, arguments));
        let ran = self.stage.run(more, arguments, "")?;
        self.shown(&ran, expect)?;
        Ok(ran)
    }

    fn shown(&mut self, ran: &Ran, expect: &Expect<'_>) -> Result<(), Error> {
        self.commands += 1;
        let all = format!("{}{}", ran.out, ran.err);
        self.output(&all, expect.lines);
        if ran.code != 0 {
            self.line(&format!("{INDENT}{DIM}exit code {}{DIM:#}", ran.code));
        }
        if ran.code != expect.code {
            return Err(astray(&format!(
                "this should have ended with exit code {}, not {}",
                expect.code, ran.code
            )));
        }
        if let Some(word) = expect.words.iter().find(|word| !all.contains(**word)) {
            return Err(astray(&format!("this should have said `{word}`")));
        }
        match expect.never.iter().find(|word| all.contains(**word)) {
            Some(word) => Err(astray(&format!("this should not have said `{word}`"))),
            None => Ok(()),
        }
    }

    fn heading(&self, text: &str) {
        self.line(&format!("\n{BOLD}{text}{BOLD:#}"));
    }

    fn say(&self, text: &str) {
        wrapped(text, WIDTH, "").iter().for_each(|text| self.line(text));
    }

    fn typed(&self, text: &str) {
        for (n, text) in wrapped(text, WIDTH - 8, "").iter().enumerate() {
            let prompt = if n == 0 { "$" } else { ">" };
            self.line(&format!("  {BOLD}{prompt} {text}{BOLD:#}"));
        }
    }

    /// Output, set in, wrapped or cut to the width, and no more lines of it than wanted.
    fn output(&self, text: &str, wanted: Lines) {
        let plain = out::plain(text);
        let lines: Vec<String> = plain
            .trim_end()
            .lines()
            .flat_map(|text| fitted(text, WIDTH - INDENT.len()))
            .collect();
        let (from, to) = match wanted {
            Lines::First(n) if lines.len() > n + 1 => (0, n),
            Lines::Last(n) if lines.len() > n + 1 => (lines.len() - n, lines.len()),
            _ => (0, lines.len()),
        };
        let more = |count: usize| {
            if count > 0 {
                self.line(&format!("{INDENT}{DIM}[{count} lines not shown here]{DIM:#}"));
            }
        };
        more(from);
        for text in lines.get(from..to).unwrap_or_default() {
            self.line(format!("{INDENT}{text}").trim_end());
        }
        more(lines.len() - to);
    }

    fn line(&self, text: &str) {
        line(text);
    }
}

/// One line of the tour. A reader that has gone away is no error.
fn line(text: &str) {
    let _ = writeln!(anstream::stdout().lock(), "{text}");
}

/// How far it has come, on a terminal alone.
fn progress(done: usize, all: usize) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let mut err = std::io::stderr().lock();
    let full = 30 * done / all.max(1);
    let bar = format!("{}{}", "█".repeat(full), "·".repeat(30 - full));
    let text = if done < all {
        format!("\r{INDENT}{bar} {done} of {all}")
    } else {
        format!("\r{}\r", " ".repeat(60))
    };
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// The tour went another way than it is told.
fn astray(what: &str) -> Error {
    Error::new(Kind::Failed, format!("the tour stops here: {what}")).hint("this is a defect, please report it")
}

fn position(notes: &[SampleNote], title: &str) -> Result<usize, Error> {
    let found = notes.iter().position(|note| note.title.starts_with(title));
    found.ok_or_else(|| astray(&format!("there is no sample note `{title}`")))
}

/// The arguments that record a note, without its text.
fn arguments_of(note: &SampleNote) -> Vec<&str> {
    let mut arguments = vec!["add", "--title", &note.title, "--client", &note.client];
    if let Some(case) = &note.case {
        arguments.extend(["--case", case]);
    }
    arguments.extend(["--label", &note.label, "--at", &note.at]);
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
fn draft_id(ran: &Ran) -> Result<String, Error> {
    let id = ran
        .err
        .lines()
        .find_map(|text| text.strip_prefix("draft ")?.split(' ').next());
    id.map(str::to_owned).ok_or_else(|| astray("the draft has no id"))
}

/// The word in ``doubtful: `WORD` (WHY)``.
fn doubtful_word(text: &str) -> Option<&str> {
    text.strip_prefix("doubtful: `")?.split('`').next()
}

/// A command as one would type it.
fn command(more: &[(&str, &str)], arguments: &[&str]) -> String {
    let more = more.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
    let arguments = arguments.iter().map(|argument| quoted(argument));
    let words: Vec<String> = more
        .chain(std::iter::once("strongroom".to_owned()))
        .chain(arguments)
        .collect();
    words.join(" ")
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A line of output on lines of at most `width` characters: a row of a table is cut, anything else wrapped.
fn fitted(text: &str, width: usize) -> Vec<String> {
    let length = text.chars().count();
    if length <= width {
        vec![text.to_owned()]
    } else if text.trim_start().contains("  ") {
        vec![text.chars().take(width - 1).chain(['…']).collect()]
    } else {
        let indent: String = text.chars().take_while(|c| *c == ' ').collect();
        wrapped(text, width, &indent)
    }
}

/// Breaks a text at spaces into lines of at most `width` characters; a longer word is broken anywhere.
fn wrapped(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = indent.to_owned();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let empty = current.len() == indent.len();
            let room = width.saturating_sub(current.chars().count() + usize::from(!empty));
            if word.len() <= room {
                if !empty {
                    current.push(' ');
                }
                current.extend(word);
                break;
            }
            if empty {
                let rest = word.split_off(room.clamp(1, word.len()));
                current.extend(std::mem::replace(&mut word, rest));
            }
            lines.push(std::mem::replace(&mut current, indent.to_owned()));
        }
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_stand_as_a_shell_takes_them() {
        assert_eq!(
            command(&[], &["show", "3f2a", "--why", "it's due"]),
            r"strongroom show 3f2a --why 'it'\''s due'"
        );
        assert_eq!(command(&[("A", "b")], &["list"]), "A=b strongroom list");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn rows_are_cut_and_prose_is_wrapped() {
        assert_eq!(fitted("a row   of a table", 10), ["a row   o…"]);
        assert_eq!(fitted("  one two three", 9), ["  one two", "  three"]);
        assert_eq!(wrapped("abcdefgh ij", 3, ""), ["abc", "def", "gh", "ij"]);
        assert_eq!(fitted("", 10), [""]);
    }

    #[test]
    fn what_a_draft_says_is_read() {
        let ran = Ran {
            code: 0,
            out: String::new(),
            err: "\ndraft 77d0 for internal (TLP:GREEN)\n".into(),
        };
        assert_eq!(draft_id(&ran).unwrap(), "77d0");
        assert_eq!(
            doubtful_word("doubtful: `Foot` (a word that is also a name)"),
            Some("Foot")
        );
        assert_eq!(doubtful_word("removed: nothing"), None);
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_letter_and_keeps_the_width(text in "[a-zé ]{0,80}", width in 4usize..30) {
            let lines = wrapped(&text, width, " ");
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
