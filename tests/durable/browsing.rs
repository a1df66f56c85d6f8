//! `browse` and the pager of `show` at a real terminal: what is typed, what is seen, and that nothing of it is found
//! anywhere afterwards, also after a lock, a signal and a kill.

use crate::canary::found;
use crate::editors::{Terminal, elsewhere, words};
use crate::house::{House, has};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::SystemTime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom");
/// Lets a test look at the screen, and above it, after a command has ended.
const AFTER: &str = "echo code $?; stty -a | grep -qw -- -echo || echo cooked; read wait";

/// Words that a note, its title, an edit and a reason are made of.
struct Canaries {
    body: String,
    title: String,
    edit: String,
    reason: String,
}

impl Canaries {
    fn new(stem: &str) -> Self {
        let word = |what: &str| words(&format!("{stem}{what}"));
        Self {
            body: word("Axolotl"),
            title: word("Quagga"),
            edit: word("Numbat"),
            reason: word("Pangolin"),
        }
    }

    fn all(&self) -> [&str; 4] {
        [&self.body, &self.title, &self.edit, &self.reason]
    }
}

/// A home with three notes, one of which is restricted and of a client.
fn home(canaries: &Canaries) -> House {
    let mut house = House::new();
    // Written past the home, so that they are found nowhere in it.
    let outside = tempfile::tempdir_in("/dev/shm").unwrap();
    let text = outside.path().join("text");
    let lines: String = (1..=60).map(|n| format!("{n} on the lane\n")).collect();
    std::fs::write(
        &text,
        format!("The **{}** stands at the gate.\n\n{lines}", canaries.body),
    )
    .unwrap();
    let (file, title) = (text.to_str().unwrap(), canaries.title.as_str());
    let label = ["--label", "restricted", "--client", "Halcyon"];
    let add = ["add", "--title", title, "--file", file];
    house.run(&[&add[..], &label].concat()).expect(0);
    house.add("Torch of car 2: no spare batteries.");
    house.add("Lamp at the north gate.");
    // What is warned of names the editor, so that the word stands there backwards.
    let backwards: String = canaries.edit.chars().rev().collect();
    house.set("VISUAL", &format!("sh -c 'echo {backwards} | rev >> \"$1\"' sh"));
    house
}

/// How often the log has each verb.
fn verbs(house: &House, verb: &str, result: &str) -> usize {
    let log = house.run(&["audit", "log", "--json"]).expect(0);
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["details"]["verb"] == verb && line["result"] == result)
        .count()
}

/// What the screen shows and what has scrolled off it.
fn all_of(terminal: &Terminal<'_>) -> String {
    terminal.tmux(&["capture-pane", "-p", "-S", "-"]).out
}

/// Whether the terminal is still at the screen that `browse` shows itself on.
fn is_alternate(terminal: &Terminal<'_>) -> bool {
    terminal.tmux(&["display-message", "-p", "#{alternate_on}"]).out.trim() == "1"
}

#[test]
fn a_defect_gives_the_terminal_back() {
    if !has("tmux") {
        return;
    }
    let canaries = Canaries::new("p");
    let house = home(&canaries);
    let browse = format!("STRONGROOM_TEST_PANIC=browse {PROGRAM} browse; {AFTER}");
    let terminal = Terminal::run(&house, &browse);
    terminal.wait_for("code 101");
    terminal.wait_for("cooked");
    assert!(!is_alternate(&terminal));
    assert!(
        terminal.screen().contains("internal error at "),
        "{}",
        terminal.screen()
    );
    assert!(!terminal.screen().contains("as asked for"));
    nothing_of(&canaries, &house, &terminal);
}

fn signal(house: &House, signal: &str) {
    let home = format!("HOME={}", house.root().display());
    let mut sent = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let has = |bytes: Vec<u8>, what: &str| memchr::memmem::find(&bytes, what.as_bytes()).is_some();
        if has(read("comm"), "strongroom") && has(read("environ"), &home) && has(read("cmdline"), "browse") {
            let pid = entry.file_name().to_string_lossy().into_owned();
            let kill = std::process::Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap();
            assert!(kill.success());
            sent += 1;
        }
    }
    assert_eq!(sent, 1);
}

#[track_caller]
fn nothing_of(canaries: &Canaries, house: &House, terminal: &Terminal<'_>) {
    let left = all_of(terminal);
    assert!(canaries.all().iter().all(|word| !left.contains(word)), "{left}");
    assert_eq!(found(house, &canaries.all()), []);
}

#[test]
fn somebody_finds_reads_and_edits_and_leaves_no_trace() {
    if !has("tmux") {
        return;
    }
    let begun = SystemTime::now();
    let canaries = Canaries::new("a");
    let house = home(&canaries);
    let terminal = Terminal::run(&house, &format!("{PROGRAM} browse; {AFTER}"));
    terminal.wait_for("3 notes");
    terminal.wait_for("restricted");
    // Find as they type, and read what needs no reason.
    terminal.keys(&["torch"], "");
    terminal.wait_for("1 of 3");
    terminal.keys(&["Enter"], "");
    terminal.wait_for("no spare batteries");
    terminal.wait_for("internal · TLP:GREEN");
    terminal.keys(&["q", "C-u", "C-f", "client hal", "Enter"], "");
    terminal.wait_for("client Halcyon");
    terminal.wait_for("1 of 3");
    // What needs a reason asks for it; who says nothing is told why not.
    terminal.keys(&["Enter"], "");
    terminal.wait_for("what for?");
    terminal.keys(&["Escape"], "");
    terminal.wait_for("denied: say what it is for");
    assert!(!terminal.screen().contains(&canaries.body));
    terminal.keys(&["Escape", "C-p", "Escape", "Enter"], "");
    terminal.wait_for("what for?");
    terminal.keys(&["duty", "Enter"], "");
    terminal.wait_for("why, in a few words");
    terminal.keys(&[&canaries.reason, "Enter"], "");
    terminal.wait_for(&canaries.body);
    // The label stays while it is read on.
    terminal.keys(&["Space"], "");
    terminal.wait_for("40 on the lane");
    assert!(
        terminal.screen().starts_with(" restricted · TLP:AMBER+STRICT"),
        "{}",
        terminal.screen()
    );
    terminal.keys(&["e"], "");
    terminal.wait_for("recorded as revision 2");
    terminal.keys(&["Escape", "G"], "");
    terminal.wait_for(&canaries.edit);
    terminal.keys(&["h"], "");
    terminal.wait_for("REVISION");
    terminal.keys(&["q", "q", "Escape"], "");
    terminal.wait_for("3 notes");
    terminal.keys(&["C-d"], "");
    terminal.wait_for("due");
    terminal.keys(&["C-q"], "");
    terminal.wait_for("code 0");
    terminal.wait_for("cooked");
    nothing_of(&canaries, &house, &terminal);
    drop(terminal);
    assert_eq!(elsewhere(&canaries.all(), begun), BTreeSet::new());
    // The torch, the note, and the note after its edit; one was denied. The list, and again after the edit.
    assert_eq!((verbs(&house, "show", "done"), verbs(&house, "show", "denied")), (3, 1));
    assert_eq!(verbs(&house, "list", "done"), 2);
    house.intact();
}

#[test]
fn it_locks_itself_and_gives_the_terminal_back_at_a_signal() {
    if !has("tmux") {
        return;
    }
    let begun = SystemTime::now();
    let canaries = Canaries::new("b");
    let mut house = home(&canaries);
    let browse =
        |after: &str| format!("{PROGRAM} browse --lock-after {after} --purpose duty --why 'night shift'; {AFTER}");
    let open = |terminal: &Terminal<'_>| {
        terminal.wait_for("3 notes");
        terminal.keys(&["quagga", "Enter"], "");
        terminal.wait_for(&canaries.body);
    };
    let terminal = Terminal::run(&house, &browse("15s"));
    open(&terminal);
    terminal.wait_for("locked");
    assert!(
        canaries.all().iter().all(|word| !terminal.screen().contains(word)),
        "{}",
        terminal.screen()
    );
    terminal.keys(&["x", "Enter"], "");
    terminal.wait_for("3 notes");
    // The reason was for the sitting before.
    terminal.keys(&["quagga", "Enter"], "");
    terminal.wait_for("what for?");
    terminal.wait_for("locked");
    terminal.keys(&["q"], "");
    terminal.wait_for("code 0");
    nothing_of(&canaries, &house, &terminal);
    drop(terminal);
    for (name, code) in [("-TERM", 143), ("-HUP", 129), ("-INT", 130), ("-QUIT", 131)] {
        let terminal = Terminal::run(&house, &browse("5m"));
        open(&terminal);
        signal(&house, name);
        terminal.wait_for(&format!("code {code}"));
        terminal.wait_for("cooked");
        assert!(!is_alternate(&terminal), "{name}");
        nothing_of(&canaries, &house, &terminal);
    }

    let terminal = Terminal::run(&house, &browse("5m"));
    open(&terminal);
    signal(&house, "-KILL");
    terminal.wait_for("137");
    assert_eq!(found(&house, &canaries.all()), []);
    drop(terminal);
    assert_eq!(elsewhere(&canaries.all(), begun), BTreeSet::new());

    // With an agent no passphrase is asked for; when that is locked, so is the screen.
    house.run(&["unlock"]).expect(0);
    house.set("STRONGROOM_PASSPHRASE_FILE", "");
    let terminal = Terminal::run(&house, &browse("5m"));
    open(&terminal);
    house.run(&["lock"]).expect(0);
    terminal.wait_for("code 6");
    terminal.wait_for("cooked");
    assert!(terminal.screen().contains("the vault was locked before this was done"));
    nothing_of(&canaries, &house, &terminal);
}

#[test]
fn a_long_text_is_read_page_by_page_and_nothing_of_it_stays() {
    if !has("tmux") {
        return;
    }
    let canaries = Canaries::new("c");
    let house = home(&canaries);
    let listed = house.run(&["list", "--client", "Halcyon", "--json"]).expect(0);
    let id = crate::house::ids(&listed)[0].clone();
    let show = format!("{PROGRAM} show {id} --purpose duty --why shift");
    let terminal = Terminal::run(&house, &format!("{show}; {AFTER}"));
    terminal.wait_for(&canaries.body);
    assert!(!terminal.screen().contains("60 on the lane"));
    terminal.keys(&["G"], "");
    terminal.wait_for("60 on the lane");
    terminal.keys(&["q"], "");
    terminal.wait_for("code 0");
    nothing_of(&canaries, &house, &terminal);
    drop(terminal);

    let terminal = Terminal::run(&house, &format!("{show} --no-pager --wipe; {AFTER}"));
    terminal.wait_for("Enter wipes the screen");
    assert!(all_of(&terminal).contains(&canaries.body));
    terminal.keys(&["Enter"], "");
    terminal.wait_for("code 0");
    nothing_of(&canaries, &house, &terminal);
    drop(terminal);

    // As it was written, and all of it.
    let terminal = Terminal::run(&house, &format!("{show} --plain; {AFTER}"));
    terminal.wait_for("code 0");
    assert!(all_of(&terminal).contains(&format!("**{}**", canaries.body)));
}
