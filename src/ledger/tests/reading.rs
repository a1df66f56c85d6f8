//! Reading all logs: in order, however long, and no more of an entry than one's keys open.

use super::peers::Pair;
use super::vault::{NOW, Vault, log_of};
use crate::chain::{Details, Outcome, Role, Time};
use crate::crypto::{ExampleEntropy, sha256};
use crate::id::{Digest, EntryRef, LogName};
use crate::ledger::stored::check_found;
use crate::ledger::{Anchors, Draft, Ledger, LedgerError, Reading, Recorded, Verdict, verify};
use crate::repo::{Kind, Oid, PATIENCE, PackEntry, PackIndex, Repo};
use std::collections::BTreeSet;

fn record(ledger: &mut Ledger<'_>, result: Outcome) -> Recorded {
    let draft = Draft::without_effect(None, result, Details::new("audit log"), vec![]);
    ledger
        .record(draft, Time::from_unix(NOW + 5000), &mut ExampleEntropy::new("reading"))
        .unwrap()
}

fn reading<'a>(vault: &'a Vault, repo: &'a Repo) -> Reading<'a> {
    let mut ledger = Ledger::start(repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    let recorded = record(&mut ledger, Outcome::Done);
    ledger.reading(&recorded).unwrap()
}

/// Place, time, and whether the details opened.
fn entries(reading: &Reading<'_>) -> Vec<(EntryRef, Time, bool)> {
    let mut entries = Vec::new();
    let visit = &mut |line: crate::ledger::Opened| {
        entries.push((line.entry.place(), line.entry.time, line.details.is_some()));
        Ok::<_, LedgerError>(())
    };
    reading.each(visit).unwrap();
    entries
}

#[test]
fn a_long_log_is_read_to_its_end_in_order() {
    let vault = Vault::with(2, 515);
    let repo = vault.repo();
    let found = entries(&reading(&vault, &repo));
    let seqs: Vec<u64> = found.iter().map(|(place, _, _)| place.seq).collect();
    assert_eq!(seqs, (0..516).collect::<Vec<_>>());
    assert!(found.iter().all(|(_, _, open)| *open));
}

#[test]
fn logs_are_read_by_time_and_closed_details_stay_closed() {
    let mut pair = Pair::new(vec![Role::Officer]);
    let (one, two) = (pair.vault.log, log_of(2));
    // The other device's clock: right, then far back.
    let times = [NOW + 1, NOW + 3000, NOW - 9000];
    for (entry, time) in pair.second.iter_mut().zip(times) {
        entry.time = Time::from_unix(time);
    }
    pair.write(&pair.first, &pair.second);
    let repo = pair.vault.repo();
    let reading = reading(&pair.vault, &repo);
    assert_eq!(reading.logs().iter().map(|read| read.size).sum::<u64>(), 11);
    let found = entries(&reading);
    assert_eq!(found.len(), 11);
    for log in [one, two] {
        let of: Vec<u64> = found
            .iter()
            .filter(|found| found.0.log == log)
            .map(|found| found.0.seq)
            .collect();
        assert_eq!(of, (0..of.len() as u64).collect::<Vec<_>>(), "a log keeps its order");
    }
    // What follows the clock that went back stands where it was written, before what the first log wrote later.
    let place = |log: LogName, seq: u64| found.iter().position(|found| found.0 == EntryRef { log, seq }).unwrap();
    assert_eq!(place(two, 2), place(two, 1) + 1);
    assert!(place(two, 2) < place(one, 7) && place(one, 6) < place(two, 1));
    // The second log's details are under a key of nobody here; of the first, those that its device sealed open.
    assert!(found.iter().all(|(place, _, open)| !(*open && place.log == two)));
    assert!(found.iter().filter(|(_, _, open)| *open).count() >= 7);
    // One person's devices alone.
    let mine = reading.of_devices(&BTreeSet::from([one.device]));
    assert!(entries(&mine).iter().all(|(place, _, _)| place.log == one));
    assert_eq!(entries(&mine).len(), 8);
}

#[test]
fn nobody_reads_the_log_upon_a_denial() {
    let vault = Vault::with(1, 5);
    let repo = vault.repo();
    let mut ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    let denied = record(&mut ledger, Outcome::Denied);
    assert!(matches!(ledger.reading(&denied), Err(LedgerError::Internal(_))));
}

/// A pack of one object, under an id that begins as this one does.
fn put_alike(vault: &Vault, oid: Oid) {
    use sha1::{Digest as _, Sha1};
    let content = b"another object";
    let mut pack = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    PackEntry::put_whole(Kind::Blob, content.len(), &mut pack);
    pack.extend(miniz_oxide::deflate::compress_to_vec_zlib(content, 6));
    let sum: [u8; 20] = Sha1::digest(&pack).into();
    pack.extend(sum);
    let mut alike = oid;
    alike.0[19] ^= 1;
    let (ids, sums, places) = (vec![alike], vec![0], vec![12]);
    let index = PackIndex { ids, sums, places };
    let stem = vault.dir().join("objects/pack").join(format!("pack-{alike}"));
    std::fs::write(stem.with_extension("pack"), &pack).unwrap();
    std::fs::write(stem.with_extension("idx"), index.to_bytes(&sum)).unwrap();
}

/// In a list of what packs hold only the beginning of each id is kept.
#[test]
fn what_only_begins_like_a_file_is_not_taken_for_it() {
    let vault = Vault::with(3, 8);
    let listed = vault.git(&[
        "for-each-ref",
        "--format=%(refname:short)",
        "refs/heads/notes",
        "refs/heads/keys",
    ]);
    let mut files = Vec::new();
    for branch in listed.lines() {
        let tree = vault.git(&["ls-tree", "-r", branch]);
        let line = |line: &str| Some((branch.to_owned(), line.split_whitespace().nth(2)?.parse::<Oid>().ok()?));
        files.extend(tree.lines().filter_map(line));
    }
    assert!(files.len() >= 6);
    files.iter().for_each(|(_, oid)| put_alike(&vault, *oid));
    let repo = vault.repo().with_packs();
    for (branch, oid) in &files {
        let found = repo.read_blob_unchecked(*oid, 1 << 20).unwrap();
        let whole = repo.read_blob(*oid, 1 << 20).unwrap();
        assert_ne!(found, whole);
        let digest = sha256(&[&whole]);
        assert_eq!(check_found(&repo, *oid, found.clone(), digest, branch).unwrap(), whole);
        assert!(check_found(&repo, *oid, found, Digest([0; 32]), branch).is_err());
    }
    let anchors = Anchors {
        receipt: None,
        high_water: None,
        witnesses: &[],
        now: Time::from_unix(NOW + 1_000_000),
        deep: true,
    };
    let report = verify(&repo, &anchors).unwrap();
    assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.told());
}
