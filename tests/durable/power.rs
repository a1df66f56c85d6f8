//! Power cuts: a journalled file system on a loop device, its image copied while the program lies dead at a durable
//! step. What was not flushed is not in the image. The copy is mounted as after a reboot.
//!
//! What the device was given but not told to flush is in the image too, as on a disk that happened to be quick;
//! the tests of `repo` lose such writes one by one.

use crate::house::{House, has, long, say, with_why};
use crate::kills::{Dice, killed_at};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A disk that can be copied at any moment.
struct Disk {
    folder: tempfile::TempDir,
    cuts: usize,
}

impl Disk {
    fn new() -> Option<Self> {
        if !has("mkfs.ext4") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let disk = Self { folder, cuts: 0 };
        std::fs::File::create(disk.image()).unwrap().set_len(48 << 20).unwrap();
        let mut make = Command::new("mkfs.ext4");
        let made = make.args(["-q", "-J", "size=4"]).arg(disk.image()).status().unwrap();
        assert!(made.success());
        Some(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// Cuts the power: what is on the disk now comes up on another machine start.
    fn cut(&mut self, acknowledged: &BTreeSet<String>) {
        let copy = self.folder.path().join("copy");
        std::fs::copy(self.image(), &copy).unwrap();
        after_the_cut(&copy, acknowledged);
        self.cuts += 1;
    }
}

fn after_the_cut(image: &Path, acknowledged: &BTreeSet<String>) {
    let mut house = House::on_disk(image).unwrap();
    house.set("STRONGROOM_TEST_BOOT_ID", "00000000-0000-4000-8000-000000000003");
    house.intact();
    let listed: BTreeSet<String> = house.listed().into_iter().collect();
    assert!(acknowledged.is_subset(&listed), "{acknowledged:?} {listed:?}");
    house.intact();
    assert_eq!(house.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_power_cut_at_any_durable_step_loses_nothing() {
    let Some(mut disk) = Disk::new() else { return };
    let Some(house) = House::on_disk(&disk.image()) else {
        return;
    };
    house.init();
    disk.cut(&BTreeSet::new());
    let id = house.add("Acknowledged.");
    let mut acknowledged = BTreeSet::from([id.clone()]);
    disk.cut(&acknowledged);
    for args in [vec!["add", "--label", "internal", "cut"], vec!["show", &id]] {
        for step in 1.. {
            match killed_at(&house, &with_why(&args), step) {
                // Half of them, where time is short.
                Ok(()) if long() || step % 2 == 0 => disk.cut(&acknowledged),
                Ok(()) => {}
                Err(ran) => {
                    let out = ran.expect(0);
                    if args[0] == "add" {
                        acknowledged.insert(out.trim().to_owned());
                    }
                    break;
                }
            }
        }
    }
    disk.cut(&acknowledged);
    say(format_args!("{} power cuts survived", disk.cuts));
}

#[test]
fn a_power_cut_while_the_journal_is_cut_loses_nothing() {
    let Some(mut disk) = Disk::new() else { return };
    let Some(house) = House::on_disk(&disk.image()) else {
        return;
    };
    house.init();
    let acknowledged: BTreeSet<String> = house.fill(63, 9).into_iter().collect();
    disk.cut(&acknowledged);
    for step in 1..=4 {
        if killed_at(&house, &["list"], step).is_ok() {
            disk.cut(&acknowledged);
        }
    }
    say(format_args!(
        "{} power cuts around a cut of the journal survived",
        disk.cuts
    ));
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing() {
    let Some(mut disk) = Disk::new() else { return };
    let Some(house) = House::on_disk(&disk.image()) else {
        return;
    };
    house.init();
    let mut acknowledged: BTreeSet<String> = house.fill(20, 4).into_iter().collect();
    let mut dice = Dice::new();
    for _ in 0..if long() { 60 } else { 5 } {
        let child = house
            .command(&["add", "--label", "internal", "at any moment"])
            .spawn()
            .unwrap();
        // Somebody else's sync puts part of it on the disk.
        std::thread::sleep(Duration::from_millis(dice.roll(400)));
        let synced = Command::new("sync").arg("-f").arg(house.vault()).status().unwrap();
        assert!(synced.success());
        if dice.roll(2) == 0 {
            std::thread::sleep(Duration::from_millis(dice.roll(100)));
            disk.cut(&acknowledged);
        }
        let output = child.wait_with_output().unwrap();
        acknowledged.insert(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        disk.cut(&acknowledged);
    }
    say(format_args!("{} power cuts at any moment survived", disk.cuts));
}
