//! Reading all logs: in order, however long, and no more of an entry than one's keys open.

use super::peers::Pair;
use super::vault::{NOW, Vault, log_of};
use crate::chain::{Details, Outcome, Role, Time};
use crate::crypto::ExampleEntropy;
use crate::id::{EntryRef, LogName};
use crate::ledger::{Draft, Ledger, LedgerError, Reading, Recorded};
use crate::repo::{PATIENCE, Repo};
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
