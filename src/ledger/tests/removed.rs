//! Devices that were removed: case 14, and what the verifier and the ledger make of their logs alike.

use super::peers::{Pair, root};
use super::vault::{blank, card, identity, log_of, note, settings};
use super::{Given, assert_intact, judge};
use crate::chain::{Card, Cut, Details, Entry, FileRef, Kind, Role, Time};
use crate::crypto::ExampleEntropy;
use crate::id::{Digest, LogName};
use crate::ledger::{Changes, Draft, Ledger, Quarantined, note_ref, wrap_ref};
use crate::repo::{PATIENCE, Repo};

/// What is reported: each case with its log and number, in order, each once.
fn cases(pair: &Pair, deep: bool) -> Vec<(u8, Option<LogName>, Option<u64>)> {
    let report = judge(
        &pair.vault,
        &Given {
            deep,
            ..Given::default()
        },
    );
    let mut cases: Vec<_> = report.problems.iter().map(|p| (p.case, p.log, p.seq)).collect();
    cases.sort();
    cases.dedup();
    cases
}

/// The next card of the second member: with the device, or without it and with these cuts.
fn next_card(pair: &Pair, has_device: bool, cuts: Vec<Cut>) -> Card {
    let entries = pair.vault.entries(pair.vault.log);
    let last = entries.last().unwrap().roster;
    let place = pair
        .vault
        .files("main")
        .keys()
        .filter(|path| path.starts_with("members/"))
        .count();
    let mut card = card(2, 1, place as u64, last, vec![Role::Officer]);
    card.cuts = cuts;
    card.devices.retain(|_| has_device);
    card
}

/// Signs that card and enters it, through the ledger.
fn enter(pair: &Pair, card: &Card) {
    let mut changes = Changes::default();
    changes.write("main", card.path(), pair.vault.identity.sign_card(card));
    pair.vault.enter(Kind::Card, changes);
    pair.vault.cut();
}

fn remove(pair: &Pair, cuts: Vec<Cut>) {
    enter(pair, &next_card(pair, false, cuts));
}

fn cut(entries: &[Entry], size: usize) -> Vec<Cut> {
    let (size, root) = root(entries, size);
    vec![Cut(log_of(2), size, root)]
}

/// A second log that also recorded a note and destroyed one of the first member's, in its entries 3 and 4.
fn active() -> (Pair, Vec<FileRef>, Vec<FileRef>) {
    let mut pair = Pair::new(vec![Role::Officer]);
    let of = |branch: String| {
        let files = pair.vault.files(&branch);
        let (path, bytes) = files.into_iter().next().unwrap();
        FileRef(branch, path, crate::crypto::sha256(&[&bytes]))
    };
    let known = vec![of(wrap_ref(note(1))), of(note_ref(note(1)))];
    let digest = Digest([8; 32]);
    let new = |branch: String| FileRef(branch, format!("{}.{digest}", note(9)), digest);
    let wrote = vec![new(wrap_ref(note(9))), new(note_ref(note(9)))];
    let entry = |kind: Kind, wrote: &[FileRef], forgot: &[FileRef]| {
        let mut entry = blank(log_of(2), 2, pair.second[0].roster, &pair.first[0]);
        (entry.kind, entry.wrote, entry.forgot) = (Some(kind), wrote.to_vec(), forgot.to_vec());
        entry
    };
    let (add, destroy) = (entry(Kind::Add, &wrote, &[]), entry(Kind::Destroy, &[], &known));
    pair.second.extend([add, destroy]);
    pair.write(&pair.first, &pair.second);
    (pair, known, wrote)
}

#[test]
fn case_14_entries_beyond_the_cut_are_named_and_count_for_nothing() {
    let two = Some(log_of(2));
    let (pair, known, _) = active();
    remove(&pair, cut(&pair.second, 3));
    let beyond = [(14, two, Some(3)), (14, two, Some(4))];
    assert_eq!(cases(&pair, false), beyond);
    assert_eq!(cases(&pair, true), beyond);
    // To the ledger too: what was destroyed there exists, what was written there does not.
    let repo = Repo::open(&pair.vault.dir(), settings()).unwrap();
    let ledger = Ledger::start(&repo, &pair.vault.identity, &pair.vault.state(), PATIENCE, None).unwrap();
    assert_eq!(ledger.files_of(note(1)), known);
    assert_eq!(ledger.files_of(note(9)), []);
    assert_eq!(
        ledger.quarantined(),
        [Quarantined {
            log: log_of(2),
            fork: false,
            why: "its device was removed: entries from 3 on do not count".to_owned()
        }]
    );
    drop(ledger);
    // Accepted late, one more: then its files are missed, and told as such.
    let late = next_card(&pair, false, cut(&pair.second, 4));
    enter(&pair, &late);
    let told = cases(&pair, false);
    assert!(
        told.contains(&(14, two, Some(4))) && !told.contains(&(14, two, Some(3))),
        "{told:?}"
    );
    assert!(told.contains(&(32, two, Some(3))), "{told:?}");
}

#[test]
fn case_14_a_log_that_no_card_names_counts_for_nothing() {
    let two = Some(log_of(2));
    let (pair, _, _) = active();
    remove(&pair, vec![]);
    assert_eq!(
        cases(&pair, false),
        (0..5).map(|seq| (14, two, Some(seq))).collect::<Vec<_>>()
    );
    // Admitted again, it counts again; had it been cut, it would stay cut.
    enter(&pair, &next_card(&pair, true, vec![]));
    assert!(cases(&pair, false).iter().all(|(case, ..)| *case != 14));
    let (pair, _, _) = active();
    remove(&pair, cut(&pair.second, 3));
    enter(&pair, &next_card(&pair, true, vec![]));
    assert_eq!(cases(&pair, false), [(14, two, Some(3)), (14, two, Some(4))]);
}

#[test]
fn case_08_10_and_11_what_a_card_accepts_of_a_log_must_be_there() {
    let (one, two) = (log_of(1), log_of(2));
    for (what, size, other, left, due) in [
        ("whole", 3, false, 3, vec![]),
        ("another root", 3, true, 3, vec![(11, Some(two), Some(2))]),
        ("shorter", 3, false, 2, vec![(8, Some(two), Some(2))]),
    ] {
        let pair = Pair::new(vec![Role::Officer]);
        let mut cuts = cut(&pair.second, size);
        if other {
            cuts[0].2 = Digest([9; 32]);
        }
        remove(&pair, cuts);
        let first = pair.vault.entries(one);
        pair.write(&first, &pair.second[..left]);
        assert_eq!(cases(&pair, false), due, "{what}");
        let repo = Repo::open(&pair.vault.dir(), settings()).unwrap();
        let ledger = Ledger::start(&repo, &pair.vault.identity, &pair.vault.state(), PATIENCE, None).unwrap();
        assert_eq!(
            ledger.quarantined().len(),
            due.len(),
            "{what}: {:?}",
            ledger.quarantined()
        );
        drop(ledger);
        pair.vault
            .git(&["update-ref", "-d", &format!("refs/heads/audit/{two}")]);
        assert_eq!(cases(&pair, false), [(10, Some(two), None)], "{what}");
    }
}

#[test]
fn case_14_and_not_20_where_somebody_has_seen_beyond_a_cut() {
    let two = log_of(2);
    for (what, size, other, left, due) in [
        ("as it was", 3, false, 3, vec![2]),
        ("never so", 3, true, 3, vec![2]),
        ("gone since", 3, false, 2, vec![2]),
        ("up to the cut", 2, false, 0, vec![]),
    ] {
        let pair = Pair::new(vec![Role::Officer]);
        let mut saw = blank(pair.vault.log, 1, pair.second[0].roster, &pair.first[0]);
        let (size, found) = root(&pair.second, size);
        saw.seen
            .insert(two, (size, if other { Digest([9; 32]) } else { found }));
        saw.time = pair.first[6].time;
        let first = [pair.first.clone(), vec![saw]].concat();
        // Nobody ever saw more than was accepted.
        let (before, left) = if left == 0 { (2, 2) } else { (3, left) };
        pair.write(&first, &pair.second[..before]);
        remove(&pair, cut(&pair.second, 2));
        let first = pair.vault.entries(pair.vault.log);
        pair.write(&first, &pair.second[..left]);
        let due: Vec<_> = due.into_iter().map(|seq| (14, Some(two), Some(seq))).collect();
        assert_eq!(cases(&pair, false), due, "{what}");
    }
}

#[test]
fn a_card_that_removes_a_device_changes_what_exists_at_once() {
    let (pair, known, _) = active();
    let repo = Repo::open(&pair.vault.dir(), settings()).unwrap();
    let mut ledger = Ledger::start(&repo, &pair.vault.identity, &pair.vault.state(), PATIENCE, None).unwrap();
    assert_eq!(ledger.files_of(note(1)), []);
    let card = next_card(&pair, false, cut(&pair.second, 3));
    let mut changes = Changes::default();
    changes.write("main", card.path(), pair.vault.identity.sign_card(&card));
    let draft = Draft::change(Kind::Card, Details::new("x"), vec![], changes);
    let now = Time::from_unix(super::vault::NOW + 100);
    let _recorded = ledger.record(draft, now, &mut ExampleEntropy::new("remove")).unwrap();
    assert_eq!(ledger.files_of(note(1)), known);
    assert_eq!(ledger.files_of(note(9)), []);
    let read = Draft::read(Details::new("show"), vec![]);
    let _recorded = ledger.record(read, now, &mut ExampleEntropy::new("read")).unwrap();
}

#[test]
fn a_device_that_was_removed_goes_on_in_another_log() {
    let pair = Pair::new(vec![Role::Officer]);
    assert_intact("before", &pair.vault, &Given::default());
    remove(&pair, cut(&pair.second, 3));
    enter(&pair, &next_card(&pair, true, vec![]));
    let repo = Repo::open(&pair.vault.dir(), settings()).unwrap();
    let theirs = identity(2, pair.vault.identity.founder_pin());
    let state = pair.vault.dir().join("state-of-two");
    std::fs::create_dir_all(&state).unwrap();
    let refused = Ledger::start(&repo, &theirs, &state, PATIENCE, None)
        .map(drop)
        .unwrap_err();
    assert!(refused.to_string().contains("it was cut at 3 entries"), "{refused}");
}
