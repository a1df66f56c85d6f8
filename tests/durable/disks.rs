//! Disks that are full or may not be written: a clear error, and not one byte of plaintext.

use crate::house::{House, Ran, with_why};
use crate::mount::Mount;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

const SECRET: &str = "The courier enters by the cellar door.";

/// Fills the file system that `folder` is on to the last byte.
fn stuff(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let mut file = File::create(&path).unwrap();
    for size in [65536, 4096, 512, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    path
}

#[track_caller]
fn silent(ran: &Ran, what: &str) {
    assert_eq!(ran.out, "", "{what}");
    assert!(
        !ran.err.contains("courier") && !ran.err.contains("cellar"),
        "{what}: {}",
        ran.err
    );
    assert!(ran.err.starts_with("strongroom: "), "{what}: {}", ran.err);
    assert!(!ran.err.contains("internal error"), "{what}: {}", ran.err);
}

/// Every command that reads ends with `code`, and says why without a byte of what it was to read.
#[track_caller]
pub(crate) fn nothing_is_read(house: &House, id: &str, code: i32) -> String {
    let mut told = String::new();
    let draft = ["brief", "draft", id, "--for", "internal"];
    let release = ["brief", "release", id, "--to", "day shift"];
    let commands: [&[&str]; 7] = [
        &["show", id],
        &["show", id, "--json"],
        &["list"],
        &draft,
        &release,
        &["brief", "list"],
        &["audit", "log"],
    ];
    for args in commands {
        let ran = house.run(&with_why(args));
        silent(&ran, args[0]);
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.err);
        told.clone_from(&ran.err);
    }
    told
}

#[test]
fn a_full_disk_shows_nothing_and_loses_nothing() {
    let house = House::empty();
    let data = house.root().join("data");
    let Some(_disk) = Mount::memory(12, &data) else { return };
    house.init();
    let id = house.add(SECRET);
    let ballast = stuff(&data);
    let told = nothing_is_read(&house, &id, 1);
    assert!(told.contains("free some space"), "{told}");
    let added = house.run(&["add", "--label", "internal", SECRET]);
    silent(&added, "add");
    assert_eq!(added.code, Some(1));
    house.intact();
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(house.listed(), [id.as_str()]);
    let other = house.add("Room again.");
    assert!(house.show(&id).expect(0).contains(SECRET));
    assert!(house.listed().contains(&other));
    house.intact();
    assert_eq!(house.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_full_state_folder_shows_nothing_or_has_kept_its_mark() {
    let house = House::empty();
    let state = house.root().join("state");
    let Some(_disk) = Mount::memory(1, &state) else { return };
    house.init();
    let id = house.add(SECRET);
    let ballast = stuff(&state);
    // The mark has its room since init.
    assert!(house.show(&id).expect(0).contains(SECRET));
    std::fs::remove_file(house.state().join("high-water")).unwrap();
    stuff(&state);
    let told = nothing_is_read(&house, &id, 1);
    assert!(told.contains("high-water"), "{told}");
    std::fs::write(house.root().join("passphrase"), "another one").unwrap();
    let ran = house.run(&["list"]);
    silent(&ran, "a wrong passphrase");
    assert!([Some(1), Some(6)].contains(&ran.code));
    std::fs::write(house.root().join("passphrase"), crate::house::PASSPHRASE).unwrap();
    std::fs::remove_file(&ballast).unwrap();
    assert!(house.show(&id).expect(0).contains(SECRET));
    house.intact();
}

#[test]
fn a_read_only_vault_or_state_shows_nothing() {
    let house = House::new();
    let id = house.add(SECRET);
    {
        let Some(_mount) = Mount::read_only(&house.vault()) else {
            return;
        };
        let told = nothing_is_read(&house, &id, 1);
        assert!(told.contains("cannot be locked for writing"), "{told}");
        house.intact();
    }
    {
        let Some(_mount) = Mount::read_only(&house.state()) else {
            return;
        };
        nothing_is_read(&house, &id, 1);
        house.intact();
    }
    assert!(house.show(&id).expect(0).contains(SECRET));
    house.intact();
}

#[test]
fn a_result_that_cannot_be_written_is_an_error_and_stays_recorded() {
    let house = House::new();
    let id = house.add(SECRET);
    for args in [vec!["show", &id], vec!["show", &id, "--json"], vec!["list"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = house.command(&with_why(&args));
        let ran = Ran::from(command.stdout(full).output().unwrap());
        silent(&ran, args[0]);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
    }
    assert_eq!(house.shown(), [id.clone(), id]);
    house.intact();
}
