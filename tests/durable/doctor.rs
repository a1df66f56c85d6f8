//! The doctor: looking changes nothing, mending loses nothing, and a full disk is told before it is full.

use crate::house::{House, Ran, copy_folder, with_why};
use crate::mount::Mount;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use strongroom::app::{Places, agent_socket};

/// Everything below a folder: mode, size, time of the last change of content and of anything.
fn picture(folder: &Path) -> BTreeMap<PathBuf, (u32, u64, SystemTime, (i64, i64))> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = path.symlink_metadata().unwrap();
        let changed = (data.ctime(), data.ctime_nsec());
        if data.is_dir() {
            found.extend(picture(&path));
        }
        found.insert(path, (data.mode(), data.len(), data.modified().unwrap(), changed));
    }
    found
}

#[track_caller]
fn findings(ran: &Ran, code: i32) -> BTreeMap<String, String> {
    assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let mut found = BTreeMap::new();
    for finding in told["findings"].as_array().unwrap() {
        let word = |key: &str| finding[key].as_str().unwrap().to_owned();
        // Texts of editors are the machine's, also those of tests that run beside this one.
        if word("level") != "fine" && word("about") != "texts" {
            found.insert(word("about"), word("level"));
        }
    }
    found
}

fn words<const N: usize>(words: [(&str, &str); N]) -> BTreeMap<String, String> {
    words.map(|(about, level)| (about.to_owned(), level.to_owned())).into()
}

#[test]
fn looking_writes_nothing_and_mending_leaves_a_whole_vault() {
    let house = House::new();
    let ids = house.fill(3, 1);
    let vault = house.vault();
    // As if the computer went down while a note was destroyed, and an agent died.
    let log = vault.join(house.log_ref());
    let before = house.git(&["rev-parse", &format!("{}~1", house.log_ref())]);
    std::fs::write(&log, format!("{before}\n")).unwrap();
    let shard = house.git(&[
        "for-each-ref",
        "--count=1",
        "--format=%(refname) %(objectname)",
        "refs/heads/notes",
    ]);
    std::fs::write(vault.join("strongroom.forgetting"), format!("{shard}\n")).unwrap();
    let halves = ["objects/tmp_object_git2_x1", "objects/tmp_obj_strongroom_x2"].map(|name| vault.join(name));
    halves.iter().for_each(|half| std::fs::write(half, "half").unwrap());
    std::fs::create_dir(vault.join("strongroom.packing")).unwrap();
    let socket = agent_socket(&Places::under(house.root()));
    std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
    std::fs::set_permissions(socket.parent().unwrap(), PermissionsExt::from_mode(0o700)).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.symlink_metadata().unwrap().file_type().is_socket());
    let open = [vault.clone(), house.identity(), house.state()];
    open.iter()
        .for_each(|place| std::fs::set_permissions(place, PermissionsExt::from_mode(0o755)).unwrap());

    let mut house = house;
    house.set("STRONGROOM_PASSPHRASE_FILE", "/nowhere");
    let seen = picture(house.root());
    let found = findings(&house.run(&["doctor", "--json"]), 0);
    let all = [
        ("agent", "look"),
        ("forgetting", "look"),
        ("journal", "look"),
        ("permissions", "look"),
        ("remains", "look"),
    ];
    assert_eq!(found, words(all));
    assert_eq!(picture(house.root()), seen, "looking changed something");

    assert_eq!(findings(&house.run(&["doctor", "--mend", "--json"]), 0), words([]));
    assert!(halves.iter().all(|half| !half.exists()) && !socket.exists());
    for gone in ["strongroom.packing", "strongroom.forgetting"] {
        assert!(!vault.join(gone).exists(), "{gone}");
    }
    for place in open {
        assert_eq!(place.metadata().unwrap().mode() & 0o077, 0, "{}", place.display());
    }
    house.intact();
    let passphrase = house.root().join("passphrase");
    house.set("STRONGROOM_PASSPHRASE_FILE", passphrase.to_str().unwrap());
    let (mut listed, mut ids) = (house.listed(), ids);
    listed.sort();
    ids.sort();
    assert_eq!(listed, ids);
    assert_eq!(house.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn where_there_was_tampering_nothing_in_the_vault_is_touched() {
    let house = House::new();
    house.add("One.");
    let old = house.root().join("old");
    copy_folder(&house.vault(), &old);
    house.add("Two.");
    std::fs::remove_dir_all(house.vault()).unwrap();
    copy_folder(&old, &house.vault());
    std::fs::write(house.vault().join("objects/tmp_object_git2_x1"), "half").unwrap();
    std::fs::remove_file(house.vault().join("strongroom.journal")).unwrap();
    let seen = picture(&house.vault());
    let found = findings(&house.run(&["doctor", "--mend", "--json"]), 4);
    assert_eq!(found.get("copy").map(String::as_str), Some("wrong"), "{found:?}");
    assert_eq!(picture(&house.vault()), seen);
}

#[test]
fn a_journal_that_was_lost_is_made_and_a_damaged_one_left() {
    let house = House::new();
    let id = house.add("One.");
    let journal = house.vault().join("strongroom.journal");
    let whole = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &whole[1..]).unwrap();
    let found = findings(&house.run(&["doctor", "--mend", "--json"]), 5);
    assert_eq!(found.get("journal").map(String::as_str), Some("wrong"));
    assert_eq!(std::fs::read(&journal).unwrap(), &whole[1..]);
    std::fs::remove_file(&journal).unwrap();
    assert_eq!(
        findings(&house.run(&["doctor", "--json"]), 1),
        words([("journal", "wrong")])
    );
    assert_eq!(findings(&house.run(&["doctor", "--mend", "--json"]), 0), words([]));
    assert_eq!(house.listed(), [id]);
    house.intact();
}

#[test]
fn a_disk_that_fills_up_is_told_once_before_it_is_full() {
    let house = House::new();
    let roomy = house.run(&["list"]);
    assert!(!roomy.err.contains("nearly full"), "{}", roomy.err);
    let house = House::empty();
    let Some(_disk) = Mount::memory(40, &house.root().join("data")) else {
        return;
    };
    house.init();
    let id = house.add("One.");
    for args in [
        &["show", &id][..],
        &["list"],
        &["edit", &id, "--field", "a=b"],
        &["add", "Two."],
    ] {
        let ran = house.run(&with_why(args));
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        assert_eq!(ran.err.matches("nearly full").count(), 1, "{args:?}: {}", ran.err);
    }
    assert_eq!(
        findings(&house.run(&["doctor", "--json"]), 0),
        words([("space", "look")])
    );
}

#[test]
fn a_place_that_may_only_be_read_is_told() {
    let house = House::new();
    house.add("One.");
    for (place, about) in [(house.vault(), "vault"), (house.state(), "memory")] {
        let Some(_mount) = Mount::read_only(&place) else { return };
        assert_eq!(
            findings(&house.run(&["doctor", "--json"]), 1),
            words([(about, "wrong")])
        );
    }
}
