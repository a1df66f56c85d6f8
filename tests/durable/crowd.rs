//! Many entries, and several programs at once.

use crate::house::{House, intact, long, say};
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom::repo::{Repo, Settings};

/// One person's shift: notes and lists in turn, `operations` of them. Gives the ids.
fn shift(house: &House, operations: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..operations {
        match n % 3 {
            0 => ids.push(house.add("Round done.")),
            1 => assert!(house.show(&ids[0]).expect(0).contains("Round done.")),
            _ => assert!(house.listed().contains(&ids[0])),
        }
    }
    ids
}

#[test]
fn two_programs_at_once_make_one_chain() {
    let house = House::new();
    let operations = if long() { 200 } else { 15 };
    let over = AtomicBool::new(false);
    let (mut ids, verified) = std::thread::scope(|scope| {
        let shifts = [(); 2].map(|()| scope.spawn(|| shift(&house, operations)));
        let verifier = scope.spawn(|| {
            let mut verified = 0;
            while !over.load(Ordering::Relaxed) {
                intact(house.run(&["audit", "verify", "--json", "--deep"]));
                verified += 1;
            }
            verified
        });
        let ids: Vec<_> = shifts.map(|shift| shift.join()).into();
        over.store(true, Ordering::Relaxed);
        let verified = verifier.join().unwrap();
        let ids: Vec<String> = ids.into_iter().flat_map(Result::unwrap).collect();
        (ids, verified)
    });
    let report = house.intact();
    assert_eq!(report["entries"].as_u64(), Some(2 * operations as u64 + 1));
    assert_eq!(report["logs"].as_array().unwrap().len(), 1);
    let mut listed = house.listed();
    listed.sort();
    ids.sort();
    assert_eq!(listed, ids);
    say(format_args!(
        "{} operations by two programs, verified {verified} times meanwhile",
        2 * operations
    ));
    assert!(verified > 2);
}

#[test]
fn more_entries_than_a_bundle_and_a_journal_hold() {
    let house = House::new();
    let ids = house.fill(330, 5);
    assert_eq!(house.intact()["entries"].as_u64(), Some(331));
    intact(house.run(&["audit", "verify", "--json", "--deep"]));
    let repo = Repo::open(&house.vault(), Settings::of_this_run()).unwrap();
    let pending = repo.pending().unwrap().len();
    assert!((1..=64).contains(&pending), "{pending}");
    let bundles = house.git(&["ls-tree", "-r", "--name-only", &house.log_ref()]);
    assert_eq!(bundles.lines().count(), 1, "{bundles}");
    assert_eq!(house.listed().len(), ids.len());
    for (place, id) in [(0, &ids[0]), (ids.len() - 1, &ids[ids.len() - 1])] {
        let shown = house.show(id).expect(0);
        assert!(shown.contains(&format!("body number {}", place * 5)), "{shown}");
    }
    // Stock git, packed and with its refs in one file, makes no difference.
    house.git(&["repack", "-adq"]);
    house.git(&["pack-refs", "--all"]);
    house.intact();
    assert_eq!(house.listed().len(), ids.len());
    assert_eq!(house.shown().len(), 2);
    house.intact();
}
