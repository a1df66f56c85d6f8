//! How far the logs of removed devices count (docs/FORMAT.md §2.2). The one place that says so: to the verifier, to
//! the ledger, and to what exists.

use super::entry::Entry;
use super::tree::Frontier;
use crate::id::{DeviceId, Digest, LogName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Integers stay below this (RFC 8785 §3.2.2.3).
const INTEGER_END: u64 = 1 << 53;

/// How far a card accepts a log: its first entries, and the root over them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Cut(pub LogName, pub u64, pub Digest);

/// Whether a card's cuts have their one form.
pub(super) fn are_cuts(cuts: &[Cut]) -> bool {
    let sized = cuts.iter().all(|cut| (1..INTEGER_END).contains(&cut.1));
    sized && cuts.windows(2).all(|pair| pair[0].0 < pair[1].0)
}

/// How far each log counts, by all cards.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cuts {
    named: BTreeMap<LogName, (u64, Digest)>,
    removed: BTreeSet<DeviceId>,
}

impl Cuts {
    pub(super) fn new<'c>(cuts: impl IntoIterator<Item = &'c Cut>, removed: BTreeSet<DeviceId>) -> Self {
        let mut named = BTreeMap::new();
        for Cut(log, size, root) in cuts {
            // The chain lets them only grow.
            named.insert(*log, (*size, *root));
        }
        Self { named, removed }
    }

    /// The size up to which a log counts and its root there; none for a log that counts as a whole. Of a removed
    /// device's log that no card names nothing counts.
    pub fn of(&self, log: LogName) -> Option<(u64, Digest)> {
        let nothing = || (0, Frontier::default().root());
        let named = self.named.get(&log).copied();
        named.or_else(|| self.removed.contains(&log.device).then(nothing))
    }

    /// Whether an entry counts.
    pub fn admit(&self, entry: &Entry) -> bool {
        self.of(entry.log).is_none_or(|(size, _)| entry.seq < size)
    }

    /// The logs that cards name, with the sizes they accept and the roots there.
    pub fn named(&self) -> impl Iterator<Item = (LogName, u64, Digest)> {
        self.named.iter().map(|(log, (size, root))| (*log, *size, *root))
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::example;
    use super::*;

    #[test]
    fn entries_count_up_to_the_cut() {
        let mut entry = example(6, Digest([0; 32]));
        let (log, removed) = (entry.log, BTreeSet::from([entry.log.device]));
        let admits = |cuts: &Cuts, seq: u64, entry: &mut Entry| {
            entry.seq = seq;
            cuts.admit(entry)
        };
        assert!(Cuts::default().admit(&entry));
        let cut = Cuts::new(
            &[Cut(log, 4, Digest([1; 32])), Cut(log, 6, Digest([2; 32]))],
            removed.clone(),
        );
        assert_eq!(cut.of(log), Some((6, Digest([2; 32]))));
        assert!(admits(&cut, 5, &mut entry) && !admits(&cut, 6, &mut entry));
        // Also when the device is admitted again: it begins another log, which counts as a whole.
        let again = Cuts::new(&[Cut(log, 4, Digest([1; 32]))], BTreeSet::new());
        assert!(!admits(&again, 6, &mut entry));
        entry.log.incarnation = crate::id::Incarnation([9; 4]);
        assert!(admits(&again, 0, &mut entry) && !admits(&cut, 0, &mut entry));
    }

    #[test]
    fn cuts_have_one_form() {
        let log: LogName = "0102030405060708-090a0b0c".parse().unwrap_or_else(|_| unreachable!());
        let other = LogName {
            incarnation: crate::id::Incarnation([9; 4]),
            ..log
        };
        let cut = |log, size| Cut(log, size, Digest([1; 32]));
        assert!(are_cuts(&[]) && are_cuts(&[cut(other, 1), cut(log, 9)]) == (other < log));
        for bad in [
            vec![cut(log, 0)],
            vec![cut(log, 1 << 53)],
            vec![cut(log, 1), cut(log, 2)],
            vec![cut(log.max(other), 1), cut(log.min(other), 2)],
        ] {
            assert!(!are_cuts(&bad), "{bad:?}");
        }
    }
}
