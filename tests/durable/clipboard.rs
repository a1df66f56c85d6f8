//! `show --copy` with programs that stand in for a clipboard: what they are given, and that it is cleared if it is still
//! there.

use crate::canary::found;
use crate::editors::words;
use crate::house::{House, with_why};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A `wl-copy` and a `wl-paste` in a folder of their own; what they hold is a file outside the home.
fn clipboard(folder: &Path) -> String {
    let held = folder.join("held").display().to_string();
    let programs = [
        (
            "wl-copy",
            format!("echo \"$@\" >> {held}.arguments\ncase \"$1\" in --clear) : > {held};; *) cat > {held};; esac\n"),
        ),
        ("wl-paste", format!("cat {held}\n")),
    ];
    for (name, script) in programs {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    format!("{}:{path}", folder.display())
}

fn held(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("held")).unwrap()
}

/// Waits until the clipboard holds `what`; the longest that anything may take.
#[track_caller]
fn wait_for(folder: &Path, what: &str) {
    let begun = Instant::now();
    while held(folder) != what {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", held(folder));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_is_copied_is_cleared_unless_something_else_was_copied_since() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new();
    house.set("PATH", &clipboard(folder.path()));
    house.set("WAYLAND_DISPLAY", "wayland-9");
    let (body, plate) = (words("Tarsier"), words("Potoroo"));
    let text = folder.path().join("text");
    std::fs::write(&text, format!("{body}\n")).unwrap();
    let field = format!("plate={plate}");
    let add = [
        "add", "--label", "internal", "--title", "x", "--field", &field, "--file",
    ];
    let id = house
        .run(&[&add[..], &[text.to_str().unwrap()]].concat())
        .expect(0)
        .trim()
        .to_owned();

    let ran = house.run(&with_why(&["show", &id, "--copy", "--for", "3s"]));
    assert!(
        ran.err.contains("in the clipboard (by wl-copy), cleared in 3 s"),
        "{}",
        ran.err
    );
    assert_eq!(ran.expect(0), "");
    assert_eq!(held(folder.path()), body);
    wait_for(folder.path(), "");

    house
        .run(&["show", &id, "--copy", "--field", "plate", "--for", "2s"])
        .expect(0);
    assert_eq!(held(folder.path()), plate);
    std::fs::write(folder.path().join("held"), "somebody's own").unwrap();
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(held(folder.path()), "somebody's own");

    house.run(&["show", &id, "--copy", "--field", "colour"]).expect(2);
    assert_eq!(held(folder.path()), "somebody's own");
    let arguments = std::fs::read_to_string(folder.path().join("held.arguments")).unwrap();
    assert_eq!(arguments, "\n--clear\n\n");
    assert_eq!(found(&house, &[&body, &plate]), []);
    // Where there is no clipboard and no terminal, nothing is copied.
    house.set("WAYLAND_DISPLAY", "");
    house.run(&["show", &id, "--copy"]).expect(1);
    house.intact();
}
