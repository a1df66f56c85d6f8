//! Objects from elsewhere, in files of their own or in packs.

use super::*;
use crate::repo::arrivals::PACKED_FROM;

fn blob(n: usize) -> Object {
    Object::blob(format!("sealed {n}").into_bytes())
}

fn take(repo: &Repo, objects: impl Iterator<Item = Object>) -> bool {
    let Ok(lock) = repo.lock(PATIENCE) else { return false };
    let all = || {
        repo.recover(&lock).ok()?;
        let mut arrivals = repo.arrivals(&lock);
        for object in objects {
            arrivals.add(object).ok()?;
        }
        arrivals.settle().ok()
    };
    all().is_some()
}

fn packs(vault: &Vault) -> usize {
    let names = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
    let paths = names.map(|name| name.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "pack"))
        .count()
}

#[test]
fn many_come_in_a_pack_and_few_in_files() {
    let vault = Vault::new();
    assert!(take(&vault.open(Faults::none()), (0..10).map(blob)));
    assert_eq!(packs(&vault), 0);
    // Some twice, some that are there already, one of these torn, and one that is too large to be packed.
    let oid = blob(3).oid().to_string();
    let torn = vault.dir().join("objects").join(&oid[..2]).join(&oid[2..]);
    fs::remove_file(&torn).unwrap();
    write(&torn, b"");
    let large = Object::blob(vec![7; 300 << 10]);
    let many = (0..PACKED_FROM + 20).chain(5..30).map(blob).chain([large.clone()]);
    assert!(take(&vault.open(Faults::none()), many));
    assert_eq!(packs(&vault), 1);
    let repo = vault.open(Faults::none());
    for object in (0..PACKED_FROM + 20).map(blob).chain([large]) {
        assert_eq!(repo.read_blob(object.oid(), MAX), Ok(object.bytes));
    }
    // Once more there is nothing to write.
    assert!(take(&repo, (0..PACKED_FROM + 20).map(blob)));
    assert_eq!(packs(&vault), 1);
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn what_does_not_come_to_its_end_is_in_no_pack_of_the_vault() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let large = |n: usize| Object::blob(vec![n as u8; 20_000 + n]);
    let count = 4 * PACKED_FROM;
    {
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        let mut arrivals = repo.arrivals(&lock);
        (0..count).for_each(|n| arrivals.add(large(n)).unwrap());
    }
    let draft = vault.dir().join("strongroom.packing");
    assert!(fs::read_dir(&draft).unwrap().count() >= 4, "two packs and more");
    assert_eq!(packs(&vault), 0);
    assert!(take(&repo, std::iter::empty()));
    assert!(!draft.exists());
    // And again, each twice.
    assert!(take(&repo, (0..count).chain(0..count).map(large)));
    assert!(packs(&vault) >= 2 && !draft.exists());
    let known = vault.open(Faults::none());
    assert!((0..count).all(|n| known.read_blob(large(n).oid(), MAX).is_ok()));
}

#[test]
fn whichever_step_fails_the_next_time_all_is_there() {
    for at in 1.. {
        for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
            let vault = Vault::new();
            run(&vault.open(Faults::none()), 0, 3);
            let faults = Faults::planned(at, fault);
            let many = || (0..PACKED_FROM + 5).map(blob);
            let done = take(&vault.open(faults.clone()), many());
            if done {
                assert!(faults.seen().contains(&Step::PackPlace) && at > 3);
                return;
            }
            let repo = vault.open(Faults::none());
            assert!(take(&repo, many()), "{at} {fault:?}");
            for object in many() {
                assert_eq!(repo.read_blob(object.oid(), MAX), Ok(object.bytes), "{at} {fault:?}");
            }
            assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
        }
    }
}
