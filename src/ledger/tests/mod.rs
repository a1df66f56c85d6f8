//! The ledger as a whole: real vaults, damaged in every way that the verifier must catch.

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(not(test), allow(dead_code, unused_imports))]

#[cfg(test)]
mod beside;
mod clones;
#[cfg(test)]
mod crowds;
#[cfg(test)]
mod exchange;
pub(super) mod exchanged;
#[cfg(test)]
mod files;
#[cfg(test)]
mod good;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod hidden;
#[cfg(test)]
mod honest;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod known;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod removed;
#[cfg(test)]
mod strays;
#[cfg(test)]
mod taken;
pub(super) mod vault;
#[cfg(test)]
mod witnesses;

use super::{Anchors, HighWater, Report, Verdict, verify};
use crate::chain::{NoteKey, Receipt, Time};
use vault::Vault;

/// What a verifier is given in these tests.
#[derive(Default)]
pub(super) struct Given<'a> {
    pub(super) receipt: Option<&'a Receipt>,
    pub(super) mark: Option<&'a HighWater>,
    pub(super) witnesses: &'a [NoteKey],
    pub(super) deep: bool,
}

pub(in crate::ledger::tests) fn judge(vault: &Vault, given: &Given<'_>) -> Report {
    let now = Time::from_unix(vault::NOW + 1_000_000);
    let anchors = Anchors {
        receipt: given.receipt,
        high_water: given.mark,
        witnesses: given.witnesses,
        now: now.min(late(vault)),
        deep: given.deep,
    };
    verify(&vault.repo(), &anchors).unwrap()
}

fn late(vault: &Vault) -> Time {
    Time::from_unix(vault::NOW + vault.clock as i64 + 60)
}

/// Nothing to report at all.
pub(in crate::ledger::tests) fn assert_intact(what: &str, vault: &Vault, given: &Given<'_>) -> Report {
    let report = judge(vault, given);
    assert_eq!(report.problems, [], "{what}");
    assert_eq!(report.unknown, [], "{what}");
    assert_eq!(report.findings, [], "{what}");
    assert_eq!(report.verdict, Verdict::Intact);
    report
}

/// Every expected case is among those reported, at its place.
pub(super) fn assert_caught(what: &str, report: &Report, cases: &[(u8, Option<u64>)]) {
    assert_eq!(report.verdict, Verdict::Tampered, "{what}");
    for (case, seq) in cases {
        let found = report
            .problems
            .iter()
            .any(|problem| problem.case == *case && (seq.is_none() || (problem.seq == *seq && problem.log.is_some())));
        assert!(found, "{what}: no case {case} at {seq:?} in {:#?}", report.problems);
    }
}
