//! The logs against what is known of them from outside: an auditor's receipt, this device's high-water mark.

use super::high_water::HighWater;
use super::verify::{Facts, Tally};
use super::verify_forks::Forks;
use super::verify_log::Found;
use crate::chain::{Problem, Receipt};
use crate::id::LogName;
use std::collections::BTreeMap;

pub(super) fn compare_receipt(
    receipt: &Receipt,
    facts: &Facts,
    found: &BTreeMap<LogName, Found>,
    forks: &Forks,
    tally: &mut Tally,
) {
    for signed in &receipt.checkpoints {
        let known = signed.checkpoint;
        let log = known.log;
        // With other members in the vault, whose key signed the receipt cannot be told.
        let authentic = facts.key(log.device).is_some_and(|key| signed.verify(&key).is_ok());
        if !authentic && !tally.has(13) {
            let message =
                "the receipt's checkpoint of this log is not signed by a device of the vault: do not trust it";
            tally.problem(Problem::of(log, 31, message));
        }
        if forks.hold(log, known.size, known.root) {
            continue;
        }
        let Some(now) = found.get(&log) else {
            let message = format!(
                "this log had {} entries when the receipt was taken, and is missing now",
                known.size
            );
            tally.problem(Problem::of(log, 10, message));
            continue;
        };
        if now.size < known.size {
            let message = format!(
                "this log has {} entries, and had {} when the receipt was taken at {}: its end was cut off, or this is \
                 an older copy of the vault",
                now.size, known.size, receipt.time
            );
            tally.problem(Problem::at(log, now.size, 7, message));
        } else if now.watched.get(&known.size) != Some(&known.root) {
            other_history(log, known.size, now.size, "the receipt", tally);
        }
    }
}

pub(super) fn other_history(log: LogName, size: u64, now: u64, what: &str, tally: &mut Tally) {
    let seq = size.saturating_sub(1);
    let message = format!("the first {size} entries of this log are not those that {what} knows: it was rewritten");
    tally.problem(Problem::at(log, seq, 11, message));
    let (case, words) = match now == size {
        true => (16, "of the same size with another root"),
        false => (17, "that does not go on from it"),
    };
    tally.problem(Problem::at(
        log,
        seq,
        case,
        format!("a fork: {what} knows a history of this log {words}"),
    ));
}

pub(super) fn compare_mark(mark: &HighWater, found: &BTreeMap<LogName, Found>, tally: &mut Tally) {
    let log = mark.log;
    let Some(now) = found.get(&log) else {
        let message = format!("this device wrote {} entries to this log, and it is missing", mark.size);
        tally.problem(Problem::of(log, 10, message.clone()));
        tally.problem(Problem::of(log, 9, message));
        return;
    };
    if now.size < mark.size {
        let message = format!(
            "this log has {} entries, and this device wrote {}: its end was cut off, or this is an older copy of the \
             vault",
            now.size, mark.size
        );
        tally.problem(Problem::at(log, now.size, 9, message));
    } else if now.watched.get(&mark.size) != Some(&mark.root) {
        other_history(log, mark.size, now.size, "this device", tally);
        let message = format!("the first {} entries are not those that this device wrote", mark.size);
        tally.problem(Problem::at(log, mark.size.saturating_sub(1), 9, message));
    }
}
