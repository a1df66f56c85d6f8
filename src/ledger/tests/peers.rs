//! Two logs that have seen each other: cases 3, 8, 10, 11, 15, 20 and 36.

use super::vault::{Forge, Vault, blank, card, chain, identity, log_of, sealed, sign_lines};
use super::{Given, assert_caught, assert_intact, judge};
use crate::chain::{Card, Entry, FileRef, Frontier, Kind, Role, leaf_hash};
use crate::crypto::sha256;
use crate::env::SystemEntropy;
use crate::envelope::{BoxFile, Keyring};
use crate::id::{Digest, LogName};
use std::collections::BTreeMap;

/// A vault with a second member, whose log has seen the first one's.
pub(super) struct Pair {
    pub(super) vault: Vault,
    pub(super) first: Vec<Entry>,
    pub(super) second: Vec<Entry>,
}

pub(super) fn root(entries: &[Entry], size: usize) -> (u64, Digest) {
    let mut frontier = Frontier::default();
    chain(entries)[..size]
        .iter()
        .for_each(|line| frontier.push(leaf_hash(line.as_bytes())));
    (frontier.size(), frontier.root())
}

impl Pair {
    /// `by` signs the second card; the roles are the second member's.
    pub(super) fn new(roles: Vec<Role>) -> Self {
        let vault = Vault::with(2, 6);
        let mut first = vault.entries(vault.log);
        let founder = first[0].roster;
        let second: Card = card(2, 1, 1, founder, roles);
        let file = vault.identity.sign_card(&second);
        let written = FileRef("main".into(), second.path(), sha256(&[&file]));
        let mut files = vault.files("main");
        files.insert(second.path(), file);
        vault.put_files("main", &files);
        let mut admitting = blank(vault.log, 1, second.digest(), &first[0]);
        (admitting.kind, admitting.wrote, admitting.time) = (Some(Kind::Card), vec![written], first[5].time);
        first.push(admitting);
        let log = log_of(2);
        let mut begin = blank(log, 2, second.digest(), &first[0]);
        (begin.kind, begin.admitted) = (Some(Kind::Begin), Some(second.digest()));
        let mut read = blank(log, 2, second.digest(), &first[0]);
        read.seen.insert(vault.log, root(&first, 4));
        let mut last = blank(log, 2, second.digest(), &first[0]);
        last.seen.insert(vault.log, root(&first, 7));
        let pair = Self {
            vault,
            first,
            second: vec![begin, read, last],
        };
        pair.write(&pair.first, &pair.second);
        pair
    }

    pub(super) fn write(&self, first: &[Entry], second: &[Entry]) {
        for (log, n, entries) in [(self.vault.log, 1, first), (log_of(2), 2, second)] {
            let signer = identity(n, Digest([0; 32]));
            let messages = sign_lines(&chain(entries), log, &signer);
            self.vault.put_log(
                log,
                &messages,
                &Forge {
                    signer: Some(&signer),
                    ..Forge::default()
                },
            );
        }
    }

    fn caught(&self, what: &str, cases: &[(u8, LogName, Option<u64>)]) {
        let report = judge(&self.vault, &Given::default());
        let plain: Vec<_> = cases.iter().map(|(case, _, seq)| (*case, *seq)).collect();
        assert_caught(what, &report, &plain);
        for (case, log, seq) in cases {
            let found = report
                .problems
                .iter()
                .any(|p| p.case == *case && p.log == Some(*log) && p.seq == *seq);
            assert!(found, "{what}: {case} of {log} in {:#?}", report.problems);
        }
    }
}

#[test]
fn case_08_the_end_cut_off_below_what_a_peer_has_seen() {
    let pair = Pair::new(vec![Role::Officer]);
    let report = assert_intact(
        "before",
        &pair.vault,
        &Given {
            deep: true,
            ..Given::default()
        },
    );
    assert_eq!((report.entries, report.logs.len()), (10, 2));
    pair.write(&pair.first[..6], &pair.second);
    pair.caught("cut", &[(8, pair.vault.log, Some(6))]);
}

#[test]
fn case_10_a_log_deleted_that_a_peer_has_seen() {
    let pair = Pair::new(vec![Role::Officer]);
    let one = pair.vault.log;
    pair.vault
        .git(&["update-ref", "-d", &format!("refs/heads/audit/{one}")]);
    pair.caught("deleted", &[(10, one, None)]);
}

#[test]
fn case_11_a_log_rewritten_that_a_peer_has_seen() {
    let pair = Pair::new(vec![Role::Officer]);
    let (one, two) = (pair.vault.log, log_of(2));
    let mut other = pair.first.clone();
    other[2].sealed = sealed(2);
    pair.write(&other, &pair.second);
    pair.caught(
        "rewritten",
        &[(11, one, Some(3)), (20, two, Some(1)), (11, one, Some(6))],
    );
}

#[test]
fn case_20_a_peer_cannot_take_back_what_it_has_seen() {
    let pair = Pair::new(vec![Role::Officer]);
    let (one, two) = (pair.vault.log, log_of(2));
    for (what, at, cases) in [
        ("backwards", root(&pair.first, 3), vec![(20, two, Some(2))]),
        (
            "the same size, another root",
            (4, Digest([9; 32])),
            vec![(20, two, Some(2))],
        ),
        ("a root that never was", (6, Digest([9; 32])), vec![(20, two, Some(2))]),
        ("a size that never was", (70, Digest([9; 32])), vec![(8, one, Some(7))]),
        ("nothing", (0, Digest([9; 32])), vec![(20, two, Some(2))]),
    ] {
        let mut second = pair.second.clone();
        second[2].seen.insert(one, at);
        pair.write(&pair.first, &second);
        pair.caught(what, &cases);
    }
}

#[test]
fn case_36_only_a_lead_changes_members_and_policies() {
    for lead in [true, false] {
        let pair = Pair::new(if lead {
            vec![Role::Lead, Role::Officer]
        } else {
            vec![Role::Officer]
        });
        let mut files = pair.vault.files("main");
        let text = b"Another page.\n".to_vec();
        let old = FileRef("main".into(), "README.md".into(), sha256(&[&files["README.md"]]));
        let new = FileRef("main".into(), "README.md".into(), sha256(&[&text]));
        files.insert("README.md".into(), text);
        pair.vault.put_files("main", &files);
        let mut second = pair.second.clone();
        let mut change = second[2].clone();
        (change.seen, change.kind) = (Default::default(), Some(Kind::Card));
        (change.wrote, change.forgot) = (vec![new], vec![old]);
        second.push(change);
        pair.write(&pair.first, &second);
        match lead {
            true => drop(assert_intact("a lead", &pair.vault, &Given::default())),
            false => pair.caught("no lead", &[(36, log_of(2), Some(3))]),
        }
    }
    // Entered by a lead, and signed by an officer.
    let pair = Pair::new(vec![Role::Officer]);
    let mut files = pair.vault.files("main");
    let third = card(3, 2, 2, pair.second[0].roster, vec![Role::Lead]);
    let file = identity(2, Digest([0; 32])).sign_card(&third);
    let mut entry = blank(pair.vault.log, 1, pair.second[0].roster, &pair.first[0]);
    (entry.kind, entry.time) = (Some(Kind::Card), pair.first[6].time);
    entry.wrote = vec![FileRef("main".into(), third.path(), sha256(&[&file]))];
    files.insert(third.path(), file);
    pair.vault.put_files("main", &files);
    pair.write(&[pair.first.clone(), vec![entry]].concat(), &pair.second);
    let report = judge(&pair.vault, &Given::default());
    assert_caught("by an officer, entered", &report, &[(36, None)]);
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    // A card without an entry, though signed by a lead; and one signed by nobody who may.
    let pair = Pair::new(vec![Role::Officer]);
    for (what, by) in [("unrecorded", 1), ("by an officer", 2)] {
        let mut files = pair.vault.files("main");
        let third = card(3, by, 2, pair.second[0].roster, vec![Role::Lead]);
        files.insert(third.path(), identity(by, Digest([0; 32])).sign_card(&third));
        pair.vault.put_files("main", &files);
        assert_caught(what, &judge(&pair.vault, &Given::default()), &[(36, None)]);
    }
}

#[test]
fn case_36_nobody_begins_as_the_founder_did() {
    // What only the founder's first log does, by the first entry of a member's: alone, and with the founder's card named again.
    for again in [false, true] {
        let pair = Pair::new(vec![Role::Officer]);
        let mut files = pair.vault.files("main");
        let at = |files: &BTreeMap<String, Vec<u8>>, name: &str| {
            FileRef("main".into(), name.into(), sha256(&[&files[name]]))
        };
        let old = at(&files, "README.md");
        files.insert("README.md".into(), b"Another page.\n".to_vec());
        let card = files.keys().find(|name| name.starts_with("members/")).unwrap().clone();
        pair.vault.put_files("main", &files);
        let mut second = pair.second.clone();
        second[0].roster = pair.first[0].roster;
        second[0].forgot = vec![old];
        second[0].wrote = vec![at(&files, "README.md")];
        second[0].wrote.extend(again.then(|| at(&files, &card)));
        pair.write(&pair.first, &second);
        pair.caught("as the founder", &[(36, log_of(2), Some(0))]);
    }
    // Nor is the key box of somebody else forgotten so.
    let pair = Pair::new(vec![Role::Officer]);
    let mut files = pair.vault.files("keys/devices");
    let name = files.keys().find(|name| !name.starts_with("detail-")).unwrap().clone();
    let file = FileRef("keys/devices".into(), name.clone(), sha256(&[&files[&name]]));
    files.remove(&name);
    pair.vault.put_files("keys/devices", &files);
    let mut second = pair.second.clone();
    second[0].roster = pair.first[0].roster;
    second[0].forgot = vec![file];
    pair.write(&pair.first, &second);
    pair.caught("a box", &[(36, log_of(2), Some(0))]);
}

#[test]
fn case_36_a_device_gets_keys_from_its_person_or_a_lead() {
    // Whose box the second member writes; whether they are a lead.
    for (whose, lead) in [(1, true), (1, false), (2, false)] {
        let roles = match lead {
            true => vec![Role::Lead, Role::Officer],
            false => vec![Role::Officer],
        };
        let pair = Pair::new(roles);
        let device = identity(whose, Digest([0; 32]));
        let boxed = BoxFile::seal(
            device.vault(),
            device.device(),
            &device.recipient(),
            &Keyring::default(),
            &mut SystemEntropy,
        );
        let boxed = boxed.unwrap().to_bytes();
        let digest = sha256(&[&boxed]);
        let file = FileRef("keys/devices".into(), format!("{}.{digest}", device.device()), digest);
        let mut files = pair.vault.files("keys/devices");
        files.insert(file.1.clone(), boxed);
        pair.vault.put_files("keys/devices", &files);
        let mut second = pair.second.clone();
        let mut change = second[2].clone();
        (change.seen, change.kind, change.wrote) = (Default::default(), Some(Kind::Key), vec![file]);
        second.push(change);
        pair.write(&pair.first, &second);
        match lead || whose == 2 {
            true => drop(assert_intact("may", &pair.vault, &Given::default())),
            false => pair.caught("may not", &[(36, log_of(2), Some(3))]),
        }
    }
    // What others need to read the log is forgotten by leads alone, and by those whose it is.
    let pair = Pair::new(vec![Role::Officer]);
    let mut files = pair.vault.files("keys/devices");
    let name = files.keys().find(|name| name.starts_with("detail-")).unwrap().clone();
    let file = FileRef("keys/devices".into(), name.clone(), sha256(&[&files[&name]]));
    files.remove(&name);
    pair.vault.put_files("keys/devices", &files);
    let mut second = pair.second.clone();
    let mut change = second[2].clone();
    (change.seen, change.kind, change.forgot) = (Default::default(), Some(Kind::Key), vec![file]);
    second.push(change);
    pair.write(&pair.first, &second);
    pair.caught("forgot", &[(36, log_of(2), Some(3))]);
}

#[test]
fn case_36_a_log_does_not_go_back_to_earlier_members_or_use_a_key_of_nobody() {
    let pair = Pair::new(vec![Role::Officer]);
    let mut first = pair.first.clone();
    let mut back = blank(pair.vault.log, 1, first[0].roster, &first[0]);
    back.time = first[6].time;
    first.push(back);
    pair.write(&first, &pair.second);
    pair.caught("back", &[(36, pair.vault.log, Some(7))]);
    let mut second = pair.second.clone();
    second[1].detail = crate::id::KeyId([9; 8]);
    pair.write(&pair.first, &second);
    pair.caught("a key of nobody", &[(36, log_of(2), Some(1))]);
}

#[test]
fn case_36_a_card_stands_under_its_own_name() {
    let pair = Pair::new(vec![Role::Officer]);
    let mut files = pair.vault.files("main");
    let third = card(3, 1, 2, pair.second[0].roster, vec![Role::Officer]);
    let file = pair.vault.identity.sign_card(&third);
    let entry = |path: &str| {
        let mut entry = blank(pair.vault.log, 1, third.digest(), &pair.first[0]);
        (entry.kind, entry.time) = (Some(Kind::Card), pair.first[6].time);
        entry.wrote = vec![FileRef("main".into(), path.into(), sha256(&[&file]))];
        entry
    };
    for (path, sound) in [
        (third.path(), true),
        ("members/0002-0202020202020202.card".into(), false),
    ] {
        let mut first = pair.first.clone();
        first.push(entry(&path));
        files.retain(|path, _| !path.starts_with("members/0002"));
        files.insert(path, file.clone());
        pair.vault.put_files("main", &files);
        pair.write(&first, &pair.second);
        match sound {
            true => drop(assert_intact("its own", &pair.vault, &Given::default())),
            false => assert_caught("another's", &judge(&pair.vault, &Given::default()), &[(36, None)]),
        }
    }
    // Its entry names the members before it.
    let mut first = pair.first.clone();
    first.push(entry(&third.path()));
    first[7].roster = pair.second[0].roster;
    files.retain(|path, _| !path.starts_with("members/0002"));
    files.insert(third.path(), file.clone());
    pair.vault.put_files("main", &files);
    pair.write(&first, &pair.second);
    let report = judge(&pair.vault, &Given::default());
    assert_caught("unnamed", &report, &[(36, None)]);
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
}

#[test]
fn case_15_an_entry_is_by_the_person_whose_device_it_is() {
    let pair = Pair::new(vec![Role::Officer]);
    let mut second = pair.second.clone();
    second[1].actor = pair.first[0].actor;
    pair.write(&pair.first, &second);
    pair.caught("in another's name", &[(15, log_of(2), Some(1))]);
    let mut second = pair.second.clone();
    second[0].admitted = pair.first[0].admitted;
    pair.write(&pair.first, &second);
    pair.caught("another's admission", &[(15, log_of(2), Some(0))]);
}

#[test]
fn case_03_an_entry_of_another_log_inserted() {
    let pair = Pair::new(vec![Role::Officer]);
    let mut second = pair.second.clone();
    second[1].log = pair.vault.log;
    second[1].seen.clear();
    pair.write(&pair.first, &second);
    assert_caught(
        "another's entry",
        &judge(&pair.vault, &Given::default()),
        &[(3, Some(1))],
    );
}
