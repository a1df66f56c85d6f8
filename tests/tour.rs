//! The tour as a person runs it. It checks every step itself; here stands what only the outside can see.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The tour in its own temporary folder, with places of the user's that have to stay as they are.
fn tour(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command
        .arg("tour")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", root.join("home"))
        .env("STRONGROOM_VAULT", root.join("home/vault"))
        .env("STRONGROOM_PASSPHRASE_COMMAND", "exit 1")
        .env("TMPDIR", root.join("tmp"))
        .stdin(Stdio::null());
    std::fs::create_dir(root.join("home")).unwrap();
    std::fs::create_dir(root.join("tmp")).unwrap();
    command
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_tour_tells_its_story_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let output = tour(root.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    // Far above what it takes: a guard against hanging, not a measure.
    assert!(begun.elapsed() < Duration::from_secs(300), "{:?}", begun.elapsed());
    assert!(errors.is_empty(), "{errors}");
    for line in [
        "$ strongroom init --name mara",
        "35 more notes",
        "no note `00000000` that you may read",
        "exit code 3",
        "exit code 6",
        "(TLP:GREEN)",
        "**TLP:GREEN**",
        "not safe to share",
        "intact: ",
        "intact, unanchored: ",
        "[33]",
        "[9]",
        "[7]",
        "[1]",
        "exit code 4",
        "commands did as told",
    ] {
        assert!(text.contains(line), "`{line}` is missing from\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours but on a terminal");
    let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 100, "{widest}");
    assert!(is_empty(&root.path().join("tmp")) && is_empty(&root.path().join("home")));
}

#[test]
fn a_tour_that_is_killed_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut child = tour(root.path()).stdout(Stdio::null()).spawn().unwrap();
    let wait_until = |what: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !what() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let tmp = root.path().join("tmp");
    let vault = || {
        let stage = std::fs::read_dir(&tmp).unwrap().flatten().next();
        stage.is_some_and(|stage| stage.path().join("data/strongroom/vault").exists())
    };
    wait_until(&vault);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until(&|| is_empty(&tmp));
}
