//! The own log's ref lost or moved, the vault put back from a copy, the vault in another program's hands.

use crate::disks::nothing_is_read;
use crate::house::{House, copy_folder};
use std::time::{Duration, Instant};

#[test]
fn a_log_ref_as_a_dead_program_leaves_it_is_healed_from_the_journal_and_one_moved_back_is_not() {
    let house = House::new();
    let mut ids = house.fill(5, 1);
    let id = ids[0].clone();
    let name = house.log_ref();
    let path = house.vault().join(&name);
    let entries = |house: &House| house.intact()["entries"].as_u64().unwrap();
    let back = |count: usize| {
        let old = house.git(&["rev-parse", &format!("{name}~{count}")]);
        std::fs::write(&path, format!("{old}\n")).unwrap();
    };
    let mut healed = |house: &House, count: u64, more: Vec<String>| {
        ids.extend(more);
        ids.sort();
        let mut listed = house.listed();
        listed.sort();
        assert_eq!(listed, ids);
        assert_eq!(entries(house), count + 1, "the list is an entry");
    };
    let refused = || {
        let told = nothing_is_read(&house, &id, 4);
        assert!(told.contains("moved back or removed"), "{told}");
        let verdict = house.run(&["audit", "verify"]);
        assert_eq!(verdict.code, Some(4), "{}", verdict.out);
        let mended = house.run(&["doctor", "--mend"]);
        assert!(
            mended.out.contains(&name) || mended.err.contains(&name),
            "{}{}",
            mended.out,
            mended.err
        );
    };
    // As it was before the last operation.
    let count = entries(&house);
    back(1);
    healed(&house, count, Vec::new());
    // Empty, as after a power cut.
    let count = entries(&house);
    std::fs::write(&path, "").unwrap();
    healed(&house, count, Vec::new());
    // Gone, and further back than the journal reaches: it was cut meanwhile.
    let count = entries(&house);
    std::fs::remove_file(&path).unwrap();
    refused();
    healed(&house, count, Vec::new());
    let more = house.fill(70, 10);
    let count = entries(&house);
    back(70);
    refused();
    healed(&house, count, more);
}

#[test]
fn what_the_journal_cannot_heal_is_tampering() {
    let house = House::new();
    let id = house.add("The courier enters by the cellar door.");
    let (old, name) = (house.root().join("old"), house.log_ref());
    let stranger = house.git(&["rev-parse", "refs/heads/main"]);
    let whole = std::fs::read(house.vault().join(&name)).unwrap();
    // To a commit that never was this log's.
    std::fs::write(house.vault().join(&name), format!("{stranger}\n")).unwrap();
    nothing_is_read(&house, &id, 4);
    std::fs::write(house.vault().join(&name), whole).unwrap();
    house.intact();
    // The whole vault from a copy, its journal included.
    copy_folder(&house.vault(), &old);
    house.fill(1, 1);
    std::fs::rename(house.vault(), house.root().join("new")).unwrap();
    copy_folder(&old, &house.vault());
    let told = nothing_is_read(&house, &id, 4);
    assert!(told.contains("backup"), "{told}");
    let report = house.run(&["audit", "verify"]);
    assert_eq!(report.code, Some(4), "{}", report.out);
    // The same after a reboot.
    let mut house = house;
    house.set("STRONGROOM_TEST_BOOT_ID", "00000000-0000-4000-8000-000000000001");
    nothing_is_read(&house, &id, 4);
    // The newer vault again: all is well.
    std::fs::remove_dir_all(house.vault()).unwrap();
    std::fs::rename(house.root().join("new"), house.vault()).unwrap();
    assert_eq!(house.listed().len(), 2);
    house.intact();
}

#[test]
fn a_vault_without_its_journal_is_not_read() {
    let house = House::new();
    let id = house.add("The courier enters by the cellar door.");
    let journal = house.vault().join("strongroom.journal");
    let whole = std::fs::read(&journal).unwrap();
    std::fs::remove_file(&journal).unwrap();
    let told = nothing_is_read(&house, &id, 1);
    assert!(told.contains("no journal"), "{told}");
    std::fs::write(&journal, &whole[..whole.len() - 1]).unwrap();
    nothing_is_read(&house, &id, 1);
    std::fs::write(&journal, &whole).unwrap();
    assert_eq!(house.listed(), [id.as_str()]);
    house.intact();
}

#[test]
fn a_vault_in_use_is_waited_for_and_not_for_ever() {
    let house = House::new();
    let id = house.add("The courier enters by the cellar door.");
    let lock = std::fs::File::open(house.vault().join("strongroom.lock")).unwrap();
    lock.lock().unwrap();
    let start = Instant::now();
    let commands: [&[&str]; 4] = [
        &["show", &id],
        &["list"],
        &["brief", "draft", &id, "--for", "internal"],
        &["add", "one more"],
    ];
    let children = commands.map(|args| house.command(&crate::house::with_why(args)).spawn().unwrap());
    // The verifier needs no lock.
    house.intact();
    for child in children {
        let ran = crate::house::Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
        assert!(ran.err.contains("another program is writing"), "{}", ran.err);
        assert!(!ran.err.contains("courier"));
    }
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
    let waiting = house.command(&["list"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    lock.unlock().unwrap();
    let ran = crate::house::Ran::from(waiting.wait_with_output().unwrap());
    assert!(ran.expect(0).contains("courier"));
    house.intact();
}
