//! What is asked at a terminal: the program run on one, with somebody who reads and types.

use crate::stage::Stage;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// One run of the program at a terminal of its own.
struct Session {
    child: Child,
    terminal: File,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Session {
    fn begin(stage: &mut Stage, args: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let other = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let mut command = stage.command("strongroom");
        command
            .args(args)
            .stdin(Stdio::from(other.try_clone().unwrap()))
            .stdout(Stdio::from(other.try_clone().unwrap()))
            .stderr(Stdio::from(other));
        let child = command.spawn().unwrap();
        // The command holds the program's side of the terminal, which is to close when the program ends.
        drop(command);
        let terminal = File::from(terminal);
        let (send, shown) = channel();
        let mut reading = terminal.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reading.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            terminal,
            shown,
            seen: String::new(),
        }
    }

    /// Waits until something was said.
    fn wait_for(&mut self, words: &str) {
        while !self.seen.contains(words) {
            let more = self.shown.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("`{words}` was not said:\n{}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }

    /// Waits for a question, then types an answer.
    fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        self.seen.clear();
        writeln!(self.terminal, "{answer}").unwrap();
    }

    /// Waits for the end; gives the exit code and what was shown since the last answer.
    fn end(mut self) -> (i32, String) {
        while let Ok(more) = self.shown.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        (self.child.wait().unwrap().code().unwrap(), self.seen.replace('\r', ""))
    }
}

/// What a terminal is told to put into the clipboard, and what clears it.
const COPIED: &str = "\u{1b}]52;c;QmFycmllciBhdCBnYXRlIDQgZm91bmQgb3Blbi4=\u{7}";
const CLEARED: &str = "\u{1b}]52;c;\u{7}";

#[test]
fn a_clipboard_over_the_terminal_is_cleared_in_time_by_enter_and_by_a_signal() {
    let (mut stage, note) = vault();
    let copy = |seconds| {
        let why = ["--purpose", "duty", "--why", "gate call-out"];
        [&["show", &note, "--copy", "--for", seconds], &why[..]].concat()
    };
    let (code, seen) = Session::begin(&mut stage, &copy("1s")).end();
    assert_eq!(code, 0, "{seen}");
    assert!(
        seen.contains(COPIED) && seen.ends_with("if the terminal takes that\n"),
        "{seen:?}"
    );
    assert!(seen.find(COPIED) < seen.find(CLEARED), "{seen:?}");
    let mut session = Session::begin(&mut stage, &copy("10m"));
    session.answer("or with Enter", "");
    let (code, seen) = session.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains(CLEARED), "{seen:?}");
    for (signal, ends) in [
        (Signal::INT, 130),
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::QUIT, 131),
    ] {
        let mut session = Session::begin(&mut stage, &copy("10m"));
        session.wait_for("or with Enter");
        let child = Pid::from_child(&session.child);
        kill_process(child, signal).unwrap();
        let (code, seen) = session.end();
        assert_eq!(code, ends, "{seen}");
        assert!(seen.contains(CLEARED), "{seen:?}");
    }
}

#[test]
fn an_import_is_asked_about_once_its_plan_was_told() {
    let (mut stage, _) = vault();
    let folder = stage.home().join("old");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("gate.md"), "# Gate 4\n\nKeep it shut.\n").unwrap();
    let import = ["import", "old", "--label", "internal"];
    let count = |stage: &mut Stage| {
        let output = stage.command("strongroom").args(["list", "--json"]).output().unwrap();
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        list.as_array().unwrap().len()
    };
    for no in ["n", "", "yess"] {
        let mut session = Session::begin(&mut stage, &import);
        session.wait_for("  new: 1 note, ");
        session.answer("import this? [y/N] ", no);
        let (code, seen) = session.end();
        assert_eq!(code, 0, "{seen}");
        assert!(seen.contains("nothing was imported"), "{seen}");
        assert_eq!(count(&mut stage), 1);
    }
    let mut session = Session::begin(&mut stage, &import);
    session.answer("import this? [y/N] ", "Y");
    let (code, seen) = session.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("imported: 1 note"), "{seen}");
    assert_eq!(count(&mut stage), 2);
    // What is here already is not asked about.
    let (code, seen) = Session::begin(&mut stage, &import).end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains("import this?"), "{seen}");
}

/// A vault with one restricted note, and its id.
fn vault() -> (Stage, String) {
    let mut stage = Stage::new();
    let mut run = |args: &[&str]| {
        let output = stage.command("strongroom").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run(&["init", "--name", "mara", "--quiet"]);
    let note = run(&["add", "--client", "Halcyon", "Barrier at gate 4 found open."]);
    (stage, note)
}

fn log(stage: &mut Stage) -> String {
    let output = stage.command("strongroom").args(["audit", "log"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_purpose_and_a_reason_are_asked_for() {
    let (mut stage, note) = vault();
    let mut session = Session::begin(&mut stage, &["show", &note]);
    session.answer("what for? duty, handover, ", "?");
    session.answer("a court, a regulator or a lawyer asks for it", "leg");
    session.answer("why, in a few words: ", "the court's letter of Monday");
    let (code, seen) = session.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("Barrier at gate 4 found open.\n"), "{seen}");
    assert!(log(&mut stage).contains("legal: the court's letter of Monday"));
}

#[test]
fn who_says_nothing_or_must_not_be_asked_is_denied() {
    let (mut stage, note) = vault();
    let mut session = Session::begin(&mut stage, &["show", &note]);
    session.answer("what for? ", "");
    let (code, seen) = session.end();
    assert_eq!(code, 3, "{seen}");
    assert!(
        seen.contains("denied: say what it is for") && !seen.contains("Barrier"),
        "{seen}"
    );
    let (code, seen) = Session::begin(&mut stage, &["show", &note, "--no-input"]).end();
    assert_eq!(code, 3, "{seen}");
    assert!(!seen.contains("what for?") && !seen.contains("Barrier"), "{seen}");
}

#[test]
fn a_dash_asks_for_a_value() {
    let (mut stage, note) = vault();
    let mut session = Session::begin(&mut stage, &["show", &note, "--purpose", "-", "--why", "-"]);
    session.answer("purpose: ", "duty");
    session.answer("why: ", "gate call-out");
    let (code, seen) = session.end();
    assert_eq!(code, 0, "{seen}");
    let mut session = Session::begin(
        &mut stage,
        &["add", "--title", "-", "--client", "-", "--case", "-", "Text."],
    );
    session.answer("title: ", "Gate 4");
    session.answer("client: ", "Halcyon");
    session.answer("case: ", "");
    assert_eq!(session.end().0, 0);
    let output = stage
        .command("strongroom")
        .args(["list", "--client", "-"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = stage
        .command("strongroom")
        .args(["list", "--client", "Halcyon"])
        .output()
        .unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("Gate 4"));
}

#[test]
fn somebody_at_a_prompt_keeps_nobody_waiting() {
    let (mut stage, note) = vault();
    let mut session = Session::begin(&mut stage, &["show", &note, "--purpose", "duty"]);
    session.answer("why, in a few words: ", "");
    assert_eq!(session.end().0, 3);
    let mut session = Session::begin(&mut stage, &["show", &note, "--why", "gate call-out"]);
    while !session.seen.contains("what for? ") {
        let more = session.shown.recv_timeout(PATIENCE).unwrap();
        session.seen.push_str(&String::from_utf8_lossy(&more));
    }
    let other = stage.command("strongroom").args(["list"]).output().unwrap();
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stderr));
    session.answer("what for? ", "duty");
    let (code, seen) = session.end();
    assert_eq!(code, 1, "{seen}");
    assert!(seen.contains("do it again") && !seen.contains("Barrier"), "{seen}");
}

#[test]
fn what_a_template_asks_is_asked_one_at_a_time_and_kept() {
    let (mut stage, _) = vault();
    let mut session = Session::begin(&mut stage, &["add", "--template", "incident", "--label", "internal"]);
    // What it is not recorded without is asked again at once, and not for ever.
    session.answer("Where did it happen? ", "");
    session.answer("an incident record is not recorded without `place`", "North gate");
    session.answer("What kind of incident is it? ", "burglary");
    session.answer("`burglary` is no value for `kind`", "tresp");
    session.answer("a single dot ends it", "Chain cut.\n.");
    let (code, seen) = session.end();
    assert_eq!(code, 0, "{seen}");
    let id = seen.lines().find(|line| line.len() == 32).unwrap().to_owned();
    let mut session = Session::begin(&mut stage, &["add", "--template", "incident", "--label", "internal"]);
    for _ in 0..3 {
        session.answer("Where did it happen? ", "");
    }
    let (code, seen) = session.end();
    assert!(code == 2 && seen.contains("asks for `place`, `kind` too"), "{seen}");
    // A name that nobody has is not taken, and what was typed besides stays.
    let mut session = Session::begin(&mut stage, &["close", &id]);
    session.answer("Who reported it? ", "@mrra");
    session.answer("names `@mrra`, and nobody here is called so", "@mara");
    for _ in 0..7 {
        session.answer("?", "");
    }
    let (code, seen) = session.end();
    assert!(
        code == 1 && seen.contains("cannot be closed yet; what you answered is recorded"),
        "{seen}"
    );
    let output = stage.command("strongroom").args(["show", &id]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    for said in ["place North gate", "kind trespass", "reported-by @mara", "Chain cut."] {
        assert!(shown.contains(said), "{shown}");
    }
}

#[test]
fn policies_are_put_in_force_by_who_agrees() {
    let (mut stage, _) = vault();
    let levels = include_str!("../../policies/levels.toml").replace("name = \"internal\"", "name = \"house\"");
    std::fs::write(stage.home().join("levels.toml"), levels).unwrap();
    let edit = ["policy", "edit", "levels.toml", "--from", "levels.toml"];
    for (answer, code) in [("n", 1), ("", 1), ("y", 0)] {
        let mut session = Session::begin(&mut stage, &edit);
        session.answer("changed  levels.toml\r\nput these policies in force? y/N ", answer);
        let (ended, seen) = session.end();
        assert_eq!(ended, code, "{answer}: {seen}");
        assert_eq!(seen.contains("in force from now on"), code == 0, "{answer}: {seen}");
    }
}

#[test]
fn a_draft_is_seen_beside_its_notes() {
    let (mut stage, _) = vault();
    let text = "Azra Okonkwo waits in the van.\nKeep the rear door of gate 4 locked until Friday.";
    let output = stage
        .command("strongroom")
        .args(["add", "--label", "internal", text])
        .output()
        .unwrap();
    let note = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let (code, seen) = Session::begin(&mut stage, &["brief", "draft", &note]).end();
    assert_eq!(code, 0, "{seen}");
    let expected = "[Azra Okonkwo] waits in the van.       | Person A waits in the van.\n\
                    Keep the rear door of gate 4 locked    | Keep the rear door of gate 4 locked\n\
                    until Friday.                          | until Friday.\n";
    assert!(seen.contains(expected), "{seen}");
    assert!(
        seen.contains("kept, though with a capital or a figure: 4, Friday\n"),
        "{seen}"
    );
}

#[test]
fn a_concern_without_a_name_is_confirmed_typed_and_answered() {
    let (mut stage, _) = vault();
    let template =
        include_str!("../../policies/templates/concern.toml").replace("handlers = []", "handlers = [\"mara\"]");
    std::fs::write(stage.home().join("concern.toml"), template).unwrap();
    let run = |stage: &mut Stage, args: &[&str]| {
        let output = stage.command("strongroom").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let edit = [
        "policy",
        "edit",
        "templates/concern.toml",
        "--from",
        "concern.toml",
        "--yes",
    ];
    run(&mut stage, &edit);
    let words = run(&mut stage, &["concern", "key", "--out", "concerns.key"]);
    let write = ["concern", "write", "--key", "concerns.key", "--out", "concern.sealed"];
    let mut session = Session::begin(&mut stage, &write);
    session.answer("are these the words that you know from elsewhere? type yes: ", "no");
    let (code, seen) = session.end();
    assert_eq!(
        (code, stage.home().join("concern.sealed").exists()),
        (1, false),
        "{seen}"
    );
    let mut session = Session::begin(&mut stage, &write);
    // What leaving out one's name covers is said before anything is typed.
    session.answer("what it does not hide:", "yes");
    session.answer("a line with a single dot ends it:", "The barrier stands open.\n.");
    let (code, seen) = session.end();
    assert_eq!(code, 0, "{seen}");
    let code = seen.trim().lines().last().unwrap().to_owned();
    assert_eq!(code.split(' ').count(), 12, "{seen}");
    assert!(!words.is_empty() && !code.starts_with(&words));
    let note = run(&mut stage, &["concern", "receive", "concern.sealed"]);
    std::fs::write(stage.home().join("answer"), "It is shut now.\n").unwrap();
    let mut reply = vec!["concern", "reply", &note, "--out", "answer.sealed", "--file", "answer"];
    reply.extend(["--purpose", "duty", "--why", "it is shut"]);
    run(&mut stage, &reply);
    let mut session = Session::begin(&mut stage, &["concern", "read", "answer.sealed"]);
    session.answer("your reply code, twelve words: ", &code.to_uppercase());
    let (code, seen) = session.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.ends_with("It is shut now.\n"), "{seen}");
}

fn with_why<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--purpose", "duty", "--why", "gate call-out"]].concat()
}

#[test]
fn at_a_terminal_words_name_the_note_that_is_changed() {
    let (mut stage, note) = vault();
    let mut session = Session::begin(&mut stage, &with_why(&["edit", "barrier", "--title", "Gate 4"]));
    session.wait_for("recorded as revision 2");
    let (code, seen) = session.end();
    assert!(code == 0 && seen.contains(&note[..8]), "{seen}");
    // Without one a guess changes nothing.
    let output = stage
        .command("strongroom")
        .args(["edit", "barrier", "--title", "x"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("a note is changed by its id alone"), "{said}");
}

#[test]
fn who_edits_what_was_closed_is_told_before_an_editor_opens() {
    let (mut stage, note) = vault();
    let closed = stage
        .command("strongroom")
        .args(with_why(&["close", &note]))
        .output()
        .unwrap();
    assert!(closed.status.success());
    let mut session = Session::begin(&mut stage, &with_why(&["edit", &note, "--editor"]));
    session.answer("becomes an addendum to it. Go on? [Y/n] ", "n");
    let (code, seen) = session.end();
    assert!(code == 0 && seen.contains("nothing changed"), "{seen}");
}
