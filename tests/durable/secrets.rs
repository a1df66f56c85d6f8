//! Secrets where nobody thinks of them: core files of a crash at any moment, arguments and environment of what is started,
//! and what is said when memory runs out.

use crate::canary::{found, spellings};
use crate::editors::words;
use crate::house::{House, PASSPHRASE, Ran, has, long, say, with_why};
use crate::kills::Dice;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A home with a note, its text in words that stand nowhere else; all that can be done with it.
struct Sample {
    house: House,
    /// Files that are handed in, outside of the home.
    outside: tempfile::TempDir,
    word: String,
    note: String,
}

impl Sample {
    fn new() -> Self {
        let (house, outside, word) = (House::new(), tempfile::tempdir().unwrap(), words("Zorilla"));
        let text = outside.path().join("text");
        std::fs::write(&text, format!("Seen at the gate: {word}.\n")).unwrap();
        let add = ["add", "--label", "internal", "--title", "x", "--file"];
        let ran = house.run(&[&add[..], &[text.to_str().unwrap()]].concat());
        let note = ran.expect(0).trim().to_owned();
        Self {
            house,
            outside,
            word,
            note,
        }
    }

    fn path(&self, name: &str) -> String {
        self.outside.path().join(name).display().to_string()
    }

    /// What handles the text of a note, in either direction.
    fn doings(&self) -> Vec<Vec<String>> {
        let (text, note) = (self.path("text"), self.note.as_str());
        let all: [&[&str]; 8] = [
            &["add", "--label", "internal", "--title", "y", "--file", &text],
            &["show", note],
            &["edit", note, "--file", &text],
            &["attach", note, &text],
            &["history", note],
            &["list", "--json"],
            &["brief", "draft", note, "--for", "internal"],
            &["audit", "log"],
        ];
        let owned = |words: &&[&str]| with_why(words).into_iter().map(str::to_owned).collect();
        all.iter().map(owned).collect()
    }

    /// A program of the name, started by a shell that sets a limit first.
    fn limited(&self, limit: &str, doing: &[String]) -> Command {
        let mut command = self.house.program("sh");
        let script = format!("ulimit {limit} && exec \"$0\" --no-input \"$@\"");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_strongroom")])
            .args(doing);
        command
    }

    /// No word of the note and no passphrase lies anywhere in the home.
    #[track_caller]
    fn clean(&self, after: &str) {
        let hits = found(&self.house, &[self.word.as_str(), PASSPHRASE]);
        assert!(hits.is_empty(), "after {after}: {hits:#?}");
    }

    #[track_caller]
    fn says_nothing(&self, doing: &[String], err: &str) {
        assert!(
            !err.contains(&self.word) && !err.contains(PASSPHRASE),
            "{doing:?}: {err}"
        );
    }
}

fn cores(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("core"))
        .collect()
}

/// Whether a program that crashes leaves a core file in its folder on this machine.
fn crashes_leave_cores() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let crash = Command::new("sh")
        .args(["-c", "ulimit -c unlimited && kill -ABRT $$"])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(crash.signal().is_some());
    !cores(folder.path()).is_empty()
}

#[test]
fn a_crash_at_any_moment_leaves_no_secret_in_a_core_file_or_elsewhere() {
    if !crashes_leave_cores() {
        say("skipped: a crash leaves no core file on this machine, so that none of ours would be seen");
        return;
    }
    let (sample, mut dice) = (Sample::new(), Dice::new());
    let rounds = if long() { 60 } else { 4 };
    let (mut crashed, mut ended) = (0, 0);
    for doing in sample.doings() {
        let begun = Instant::now();
        let whole = sample.limited("-c unlimited", &doing).output().unwrap();
        assert!(
            whole.status.success(),
            "{doing:?}: {}",
            String::from_utf8_lossy(&whole.stderr)
        );
        let lasts = begun.elapsed().as_micros() as u64;
        for _ in 0..rounds {
            let mut child = sample.limited("-c unlimited", &doing).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(dice.roll(lasts)));
            let pid = child.id().to_string();
            let _ = Command::new("kill")
                .args(["-ABRT", &pid])
                .stderr(Stdio::null())
                .status();
            match child.wait().unwrap().signal() {
                Some(_) => crashed += 1,
                None => ended += 1,
            }
            for core in cores(&sample.house.root().join("tmp")) {
                // Before it has forbidden them it has read nothing: such a file is searched, and goes.
                sample.clean("a crash");
                std::fs::remove_file(core).unwrap();
            }
        }
        sample.clean(&format!("crashes of {doing:?}"));
    }
    assert!(crashed > ended, "{crashed} crashed, {ended} had ended");
    sample.house.intact();
    say(format_args!("{crashed} crashes forced, nothing found"));
}

#[test]
fn nothing_that_is_started_gets_a_word_of_a_note_as_argument_or_in_its_environment() {
    if !has("strace") || !has("git") {
        return;
    }
    let mut sample = Sample::new();
    let tools = tempfile::tempdir().unwrap();
    let held = tools.path().join("held").display().to_string();
    for (name, script) in [
        ("wl-copy", format!("cat > {held}")),
        ("wl-paste", format!("cat {held}")),
        ("scribe", "echo more >> \"$1\"".to_owned()),
    ] {
        let path = tools.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap());
    sample.house.set("PATH", &path);
    sample.house.set("WAYLAND_DISPLAY", "wayland-9");
    sample.house.set("VISUAL", "scribe");
    let hub = sample.path("hub.git");
    let _ = sample
        .house
        .program("git")
        .args(["init", "-q", "--bare", &hub])
        .output()
        .unwrap();
    sample.house.run(&["remote", "add", &hub]).expect(0);
    let note = sample.note.clone();
    let more: [&[&str]; 3] = [&["sync"], &["show", &note, "--copy"], &["edit", &note, "--editor"]];
    let owned = |words: &&[&str]| with_why(words).into_iter().map(str::to_owned).collect();
    let mut doings = sample.doings();
    doings.extend(more.iter().map(owned));
    doings[8].truncate(1);
    let needles: Vec<Vec<u8>> = [sample.word.as_str(), PASSPHRASE]
        .iter()
        .flat_map(|word| spellings(word))
        .collect();
    let (mut started, mut traced) = (0, Vec::new());
    for doing in doings {
        let trace = sample.path("trace");
        let mut strace = sample.house.program("strace");
        strace.args(["-f", "-v", "-s", "1000000", "-e", "trace=execve,execveat", "-o", &trace]);
        strace.arg(env!("CARGO_BIN_EXE_strongroom")).args(&doing);
        let ran = Ran::from(strace.output().unwrap());
        assert_eq!(ran.code, Some(0), "{doing:?}: {}", ran.err);
        sample.says_nothing(&doing, &ran.err);
        let trace = std::fs::read(&trace).unwrap();
        let calls = trace.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        started += calls.count() - 1;
        traced.extend_from_slice(&trace);
        for needle in &needles {
            let at = memchr::memmem::find(&trace, needle);
            assert_eq!(at, None, "{doing:?}: {}", String::from_utf8_lossy(&trace));
        }
    }
    sample.clean("all of it");
    for program in ["git", "scribe", "wl-copy"] {
        let name = format!("/{program}\"");
        assert!(
            memchr::memmem::find(&traced, name.as_bytes()).is_some(),
            "{program} was not started"
        );
    }
    assert!(started > 6, "{started} programs were started");
}

#[test]
fn where_memory_runs_out_nothing_is_said_of_a_note_and_nothing_lost() {
    let sample = Sample::new();
    let steps: &[u64] = match long() {
        true => &[20, 40, 60, 80, 100, 150, 200, 250, 280, 300, 350, 400, 600],
        false => &[40, 100, 200, 280],
    };
    let (mut failed, mut done) = (0, 0);
    for doing in sample.doings() {
        for megabytes in steps {
            let output = sample
                .limited(&format!("-v {}", megabytes * 1024), &doing)
                .output()
                .unwrap();
            let ran = Ran {
                code: output.status.code(),
                out: String::from_utf8_lossy(&output.stdout).into_owned(),
                err: String::from_utf8_lossy(&output.stderr).into_owned(),
            };
            sample.says_nothing(&doing, &ran.err);
            match ran.code {
                Some(0) => done += 1,
                _ => {
                    failed += 1;
                    assert!(
                        !ran.out.contains(&sample.word),
                        "{doing:?} with {megabytes} MiB: {}",
                        ran.out
                    );
                }
            }
        }
    }
    sample.clean("memory ran out");
    sample.house.intact();
    assert_eq!(sample.house.show(&sample.note).code, Some(0));
    say(format_args!(
        "memory ran out {failed} times, and {done} times it was enough"
    ));
    assert!(failed > 0);
}
