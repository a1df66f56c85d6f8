//! Texts in editors: whatever ends, what was written is recorded, sealed, or in memory, and never in clear on a disk.
//! The editors here are scripts; real ones are in `editors.rs`.

use crate::canary::found;
use crate::house::{House, PASSPHRASE, Ran, has, with_why};
use crate::kills::killed_by;
use crate::mount::Mount;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use strongroom::chain::{Details, Kind, Time};
use strongroom::env::SystemEntropy;
use strongroom::envelope::IdentityFile;
use strongroom::gate::{Gate, Metadata, Nature, NewNote};
use strongroom::id::NoteId;
use strongroom::label::{Label, Level};
use strongroom::ledger::{Changes, Draft, Ledger, note_ref, wrap_ref};
use strongroom::repo::{PATIENCE, Repo, Settings};
use strongroom::secret::Passphrase;
use strongroom::session::Identity;

/// What is written, and what stood there before.
const WRITTEN: &str = "Gibbonturnstile";
const BEFORE: &str = "Tamarinhacksaw";

/// A home with a note, and a script for an editor. What the script writes comes from outside the home, so that it
/// is found there only where it must not be.
struct Study {
    house: House,
    outside: tempfile::TempDir,
    note: String,
}

impl Study {
    /// `script` has the file in `$file`, words to write in `$words`, and the folder `$outside` to leave messages in.
    fn new(script: &str) -> Self {
        Self::of(House::new(), script)
    }

    fn of(mut house: House, script: &str) -> Self {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("words"), format!("{WRITTEN}\n")).unwrap();
        std::fs::write(outside.path().join("before"), format!("{BEFORE}\n")).unwrap();
        let before = outside.path().join("before");
        let add = [
            "add",
            "--label",
            "internal",
            "--title",
            "Gate",
            "--file",
            before.to_str().unwrap(),
        ];
        let note = house.run(&add).expect(0).trim().to_owned();
        let nano = outside.path().join("nano");
        let head = "#!/bin/sh\nfor file; do :; done\nwords=$outside/words\necho \"$file\" > \"$outside/place\"\n";
        std::fs::write(&nano, format!("{head}{script}\n")).unwrap();
        std::fs::set_permissions(&nano, std::fs::Permissions::from_mode(0o755)).unwrap();
        house.set("EDITOR", nano.to_str().unwrap());
        house.set("outside", outside.path().to_str().unwrap());
        Self { house, outside, note }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.house.program(env!("CARGO_BIN_EXE_strongroom"));
        // A signal to everybody in the group is for nobody else.
        command.args(with_why(args)).process_group(0);
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    fn edit(&self) -> Ran {
        self.run(&["edit", &self.note, "--editor"])
    }

    /// The folder that the last editor's file lay in.
    fn folder(&self) -> PathBuf {
        let place = std::fs::read_to_string(self.outside.path().join("place")).unwrap();
        Path::new(place.trim()).parent().unwrap().to_owned()
    }

    /// Nothing written lies in the home, nor in memory.
    #[track_caller]
    fn clean(&self) {
        assert_eq!(found(&self.house, &[WRITTEN, BEFORE]), []);
        assert!(!self.folder().exists());
    }

    /// Goes on with what was kept, in an editor that ends at once.
    fn go_on(&self, words: &[&str]) -> String {
        let mut command = self.command(&[words, &["--continue"]].concat());
        Ran::from(command.env("EDITOR", "true").output().unwrap()).expect(0)
    }

    fn kept(&self) -> usize {
        std::fs::read_dir(self.house.state().join("kept")).map_or(0, Iterator::count)
    }
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn however_an_editor_fails_its_text_is_kept_sealed() {
    for end in [
        "exit 1",
        "kill -9 $$",
        "kill -TERM $$",
        "kill -INT 0; sleep 9",
        "kill -HUP 0; sleep 9",
    ] {
        let study = Study::new(&format!(
            "cat \"$words\" >> \"$file\"\ncp \"$file\" \"$file~\"\ncp \"$words\" \"$TMPDIR/helper\"\n{end}"
        ));
        let ran = study.edit();
        assert_eq!(ran.code, Some(1), "{end}: {}", ran.err);
        assert!(ran.err.contains("is kept, sealed"), "{end}: {}", ran.err);
        study.clean();
        assert_eq!(study.kept(), 1, "{end}");
        study.go_on(&["edit", &study.note]);
        let shown = study.house.show(&study.note).expect(0);
        assert!(shown.contains(WRITTEN) && shown.contains(BEFORE), "{end}: {shown}");
        assert_eq!(study.kept(), 0, "{end}");
        study.clean();
        study.house.intact();
    }
}

#[test]
fn a_new_note_is_kept_and_taken_up_too() {
    let study = Study::new("cat \"$words\" > \"$file\"; exit 3");
    let ran = study.run(&["add", "--editor", "--label", "internal"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    study.clean();
    let id = study.go_on(&["add"]);
    assert!(study.house.show(id.trim()).expect(0).contains(WRITTEN));
    // What is not worth keeping is not kept: nothing was written.
    let study = Study::new("exit 3");
    assert_eq!(study.run(&["add", "--editor"]).code, Some(1));
    assert_eq!(study.edit().code, Some(1));
    assert_eq!(study.kept(), 0);
    study.clean();
}

#[test]
fn a_program_that_is_killed_leaves_its_text_for_the_next_start() {
    let study = Study::new(
        "cat \"$words\" >> \"$file\"\n: > \"$outside/written\"\nwhile ! [ -e \"$outside/go\" ]; do sleep 0.05; done",
    );
    let mut running = study
        .command(&["edit", &study.note, "--editor"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the editor", || study.outside.path().join("written").exists());
    running.kill().unwrap();
    running.wait().unwrap();
    // The editor is still at work: its text is left alone.
    study.house.run(&["list"]).expect(0);
    assert!(study.folder().join("note.txt").exists());
    assert_eq!(study.kept(), 0);
    std::fs::write(study.outside.path().join("go"), "").unwrap();
    let lock = std::fs::File::open(study.folder().join("lock")).unwrap();
    wait_for("the editor's end", || lock.try_lock().is_ok());
    drop(lock);
    // Another vault's identity has no key for it and lets it lie.
    House::new().run(&["list"]).expect(0);
    assert!(study.folder().exists());
    let next = study.house.run(&["list"]);
    assert!(next.err.contains("it is kept, sealed"), "{}", next.err);
    assert_eq!(study.kept(), 1);
    study.clean();
    study.go_on(&["edit", &study.note]);
    assert!(study.house.show(&study.note).expect(0).contains(WRITTEN));
}

#[test]
fn a_text_that_was_left_unchanged_is_wiped() {
    let study = Study::new(": > \"$outside/written\"\nexec sleep 0.5");
    let mut running = study
        .command(&["edit", &study.note, "--editor"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the editor", || study.outside.path().join("written").exists());
    running.kill().unwrap();
    running.wait().unwrap();
    wait_for("the wiping", || {
        study.house.run(&["list"]).expect(0);
        !study.folder().exists()
    });
    assert_eq!(study.kept(), 0);
    study.clean();
}

#[test]
fn what_a_full_disk_leaves_recorded_is_told_and_not_kept() {
    let house = House::empty();
    let data = house.root().join("data");
    let Some(_disk) = Mount::memory(12, &data) else { return };
    house.init();
    let study = Study::of(
        house,
        "cat \"$words\" >> \"$file\"\ncat /dev/zero > \"$XDG_DATA_HOME/ballast\" 2> /dev/null; true",
    );
    let room = || std::fs::remove_file(data.join("ballast")).unwrap();
    let edited = study.edit();
    assert_eq!(edited.code, Some(1), "{}", edited.err);
    let recorded = format!(
        "recorded, as revision 2 of note {}: do not record it again",
        &study.note[..8]
    );
    assert!(edited.err.contains(&recorded), "{}", edited.err);
    assert!(!edited.err.contains("is kept"), "{}", edited.err);
    // Where nothing can be begun nothing is recorded, and that is certain.
    let added = study.house.run(&["add", "--label", "internal", "Full."]);
    assert_eq!(added.code, Some(1), "{}", added.err);
    assert!(added.err.contains("nothing was recorded"), "{}", added.err);
    room();
    study.clean();
    assert_eq!(study.kept(), 0);
    assert!(study.house.show(&study.note).expect(0).contains(WRITTEN));
    let before = study.house.listed().len();
    let added = study.run(&["add", "--editor", "--label", "internal"]);
    assert_eq!(added.code, Some(1), "{}", added.err);
    assert!(added.err.contains("recorded, as revision 1 of note"), "{}", added.err);
    room();
    assert_eq!((study.house.listed().len(), study.kept()), (before + 1, 0));
    study.house.intact();
}

#[test]
fn whenever_it_is_killed_a_text_is_recorded_once() {
    let study = Study::new("cat \"$words\" > \"$file\"");
    let (mut survived, mut settled) = (false, 0);
    for step in 1.. {
        let before = study.house.listed().len();
        let mut add = study.command(&["add", "--editor", "--label", "internal"]);
        survived |= !killed_by(&mut add, step);
        if survived {
            break;
        }
        let mut again = study.command(&["add", "--continue"]);
        let again = Ran::from(again.env("EDITOR", "true").output().unwrap());
        settled += usize::from(again.err.contains("that was kept is recorded, in note"));
        assert_eq!(study.house.listed().len(), before + 1, "{step}: {}", again.err);
        assert_eq!(study.kept(), 0, "{step}: {}", again.err);
        study.clean();
    }
    assert!(settled > 0, "no run was killed once the note was in the journal");
    study.house.intact();
}

#[test]
fn an_editor_sees_nothing_before_the_entry_and_nothing_beside_its_file() {
    let study = Study::new(
        "git -C \"$XDG_DATA_HOME/strongroom/vault\" rev-list --count --branches='audit/*' > \"$outside/entries\"\n\
         { env; echo \"$@\"; tr '\\0' '\\n' < /proc/$PPID/cmdline; } > \"$outside/told\"\n\
         stat -f -c %T \"$file\" > \"$outside/kind\"; stat -c %a \"$file\" \"${file%/*}\" >> \"$outside/kind\"",
    );
    let entries = || study.house.git(&["rev-list", "--count", "--branches=audit/*"]);
    let before: usize = entries().parse().unwrap();
    study.edit().expect(0);
    let read = |name: &str| std::fs::read_to_string(study.outside.path().join(name)).unwrap();
    assert_eq!(read("entries").trim().parse(), Ok(before + 1));
    let told = read("told");
    assert!(!told.contains(BEFORE), "{told}");
    assert!(told.contains(&format!("TMPDIR={}", study.folder().display())), "{told}");
    assert_eq!(read("kind"), "tmpfs\n600\n700\n");
    study.clean();
}

#[test]
fn on_a_terminal_the_kept_text_is_offered() {
    if !has("script") {
        return;
    }
    let study = Study::new("cat \"$words\" >> \"$file\"; exit 1");
    study.edit();
    let terminal = |answer: &str| -> Ran {
        let program = env!("CARGO_BIN_EXE_strongroom");
        let command = format!("{program} edit {} --purpose duty --why 'shift briefing'", study.note);
        let mut script = study.house.program("script");
        script
            .args(["-qec", &command, "/dev/null"])
            .env("EDITOR", "true")
            .stdin(Stdio::piped());
        let mut running = script.spawn().unwrap();
        use std::io::Write;
        running.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        running.wait_with_output().unwrap().into()
    };
    let no = terminal("n\n").expect(0);
    assert!(
        no.contains("go on with it? [Y/n]") && no.contains("nothing changed"),
        "{no}"
    );
    assert_eq!(study.kept(), 1);
    let yes = terminal("\n").expect(0);
    assert!(yes.contains("recorded as revision 2"), "{yes}");
    assert_eq!(study.kept(), 0);
    assert!(study.house.show(&study.note).expect(0).contains(WRITTEN));
}

/// Writes a revision of the note through the library, following nothing; with `anew` in the place of all that was.
fn write_beside(study: &Study, kind: Kind, level: Level, anew: bool) {
    let file = IdentityFile::parse(&std::fs::read(study.house.identity()).unwrap()).unwrap();
    let identity = Identity::unlock(&file, &Passphrase::new(PASSPHRASE.into())).unwrap();
    let repo = Repo::open(&study.house.vault(), Settings::of_this_run()).unwrap();
    let mut ledger = Ledger::start(&repo, &identity, &study.house.state(), PATIENCE, None).unwrap();
    let now = Time::from_unix(jiff::Timestamp::now().as_second());
    let note: NoteId = study.note.parse().unwrap();
    let metadata = Metadata {
        title: "Beside".into(),
        client: String::new(),
        case: String::new(),
        created: now.unix(),
        modified: now.unix() - 60,
        happened: None,
        author: identity.person(),
        parents: Vec::new(),
        number: 2,
        fields: Vec::new(),
    };
    let new = NewNote {
        note,
        nature: Nature::Note,
        metadata: &metadata,
        text: "written beside",
        label: &Label::new(level, []).unwrap(),
        recipients: &[],
    };
    let sealed = Gate::new(&identity, ledger.keyring())
        .seal(&new, &mut SystemEntropy)
        .unwrap();
    let mut changes = Changes::default();
    if anew {
        ledger.files_of(note).into_iter().for_each(|file| changes.forget(file));
    }
    changes.write_digested(note_ref(note), note, sealed.body);
    changes.write_digested(wrap_ref(note), note, sealed.wrap);
    let draft = Draft::change(kind, Details::new("edit"), vec![note], changes);
    let _ = ledger.record(draft, now, &mut SystemEntropy).unwrap();
}

#[test]
fn an_edit_follows_all_heads_under_the_join_of_their_labels() {
    let study = Study::new("cat \"$words\" >> \"$file\"");
    write_beside(&study, Kind::Revise, Level::Confidential, false);
    let shown = study.house.show(&study.note);
    assert!(shown.err.contains("more than one head"), "{}", shown.err);
    assert!(shown.expect(0).contains("internal"));
    let beside = study.run(&["show", &study.note, "--revision", "2"]).expect(0);
    assert!(
        beside.contains("confidential") && beside.contains("written beside"),
        "{beside}"
    );
    // Nothing of the text changed; that one revision follows both is a change all the same.
    let joined = study.run(&["edit", &study.note, "--title", "Gate"]);
    assert!(joined.err.contains("revision 3, confidential"), "{}", joined.err);
    let history = study.run(&["history", &study.note, "--json"]).expect(0);
    let history: serde_json::Value = serde_json::from_str(&history).unwrap();
    assert_eq!(history[0]["follows"].as_array().unwrap().len(), 2);
    assert_eq!(history[0]["label"], "confidential");
    assert!(!study.house.show(&study.note).err.contains("more than one head"));
    study.house.intact();
}

#[test]
fn what_was_sealed_anew_meanwhile_is_not_followed_and_the_text_is_kept() {
    let study = Study::new(
        "cat \"$words\" >> \"$file\"\n: > \"$outside/written\"\nwhile ! [ -e \"$outside/go\" ]; do sleep 0.05; done",
    );
    let running = study.command(&["edit", &study.note, "--editor"]).spawn().unwrap();
    wait_for("the editor", || study.outside.path().join("written").exists());
    // The vault is free while somebody writes.
    write_beside(&study, Kind::Relabel, Level::Confidential, true);
    std::fs::write(study.outside.path().join("go"), "").unwrap();
    let ended = Ran::from(running.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(
        ended.err.contains("sealed anew while you wrote") && ended.err.contains("is kept, sealed"),
        "{}",
        ended.err
    );
    study.clean();
    // Taken up, it follows what there is now, at the label of now.
    study.go_on(&["edit", &study.note]);
    let shown = study.house.show(&study.note).expect(0);
    assert!(shown.contains("confidential") && shown.contains(WRITTEN), "{shown}");
    study.house.intact();
}

#[test]
fn where_no_memory_is_found_the_person_has_to_insist() {
    if !has("unshare") {
        return;
    }
    let study = Study::new("cat \"$words\" > \"$file\"");
    // A world of its own, in which /dev/shm lies on the disk of the home.
    let run = |line: &str| -> Ran {
        let disk = study.house.root().join("tmp");
        let program = env!("CARGO_BIN_EXE_strongroom");
        let script = format!(
            "mount --bind {} /dev/shm || exit 99; exec {program} {line}",
            disk.display()
        );
        let mut unshare = study.house.program("unshare");
        unshare.args(["--mount", "--map-root-user", "sh", "-c", &script]);
        unshare.output().unwrap().into()
    };
    let refused = run("add --editor --label internal");
    if refused.code == Some(99) || refused.err.contains("unshare") {
        crate::house::say(format_args!("skipped: no mount namespace here: {}", refused.err.trim()));
        return;
    }
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("--insist"), "{}", refused.err);
    assert!(!study.outside.path().join("place").exists(), "the editor was started");
    run("add --editor --label internal --insist").expect(0);
    study.clean();
}

#[test]
fn through_the_agent_the_editor_runs_at_the_client_and_nothing_else_differs() {
    let study = Study::new(
        "cat \"$words\" >> \"$file\"\n: > \"$outside/written\"\n[ -e \"$outside/fail\" ] && exit 1\n\
         while ! [ -e \"$outside/go\" ]; do sleep 0.05; done",
    );
    let message = |name: &str| std::fs::write(study.outside.path().join(name), "").unwrap();
    study.run(&["unlock"]).expect(0);
    message("fail");
    let failed = study.edit();
    assert_eq!(failed.code, Some(1), "{}", failed.err);
    assert!(failed.err.contains("is kept, sealed"), "{}", failed.err);
    study.clean();
    study.go_on(&["edit", &study.note]);
    assert!(study.house.show(&study.note).expect(0).contains(WRITTEN));
    study.clean();
    // Locked while somebody writes: the text stays in memory until the next start has a key to seal it with.
    for name in ["fail", "written"] {
        std::fs::remove_file(study.outside.path().join(name)).unwrap();
    }
    let running = study.command(&["edit", &study.note, "--editor"]).spawn().unwrap();
    wait_for("the editor", || study.outside.path().join("written").exists());
    study.run(&["lock"]).expect(0);
    message("go");
    let ended = Ran::from(running.wait_with_output().unwrap());
    assert_ne!(ended.code, Some(0), "{}", ended.err);
    assert!(study.folder().exists());
    let next = study.run(&["unlock"]);
    study.run(&["lock"]).expect(0);
    assert!(next.err.contains("it is kept, sealed"), "{}", next.err);
    study.clean();
    assert_eq!(study.kept(), 1);
    study.house.intact();
}
