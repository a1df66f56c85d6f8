//! Logs with more than one history (docs/FORMAT.md §7.1): which entries stand in which of them.

use super::bundle::BUNDLE_LEN;
use crate::id::{Digest, EntryRef, LogName};
use std::collections::{BTreeMap, BTreeSet};

/// An entry, and the number of the history that it was read in: 0 is the one under the log's own name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) entry: EntryRef,
    pub(super) history: usize,
}

/// What is known of the logs that have more than one history.
#[derive(Default)]
pub struct Histories(BTreeMap<LogName, Beside>);

/// The histories of one log.
#[derive(Default)]
struct Beside {
    /// With how many entries each pair begins alike, the lower number first.
    alike: BTreeMap<(usize, usize), u64>,
    /// Which of them have a root at a size.
    having: BTreeMap<(u64, Digest), Vec<usize>>,
}

impl Histories {
    /// Of logs of which it is yet to be learned.
    pub fn of(logs: impl IntoIterator<Item = LogName>) -> Self {
        Self(logs.into_iter().map(|log| (log, Beside::default())).collect())
    }

    /// Takes in a log of whose histories these are the sizes; `roots` gives the roots of one at sizes, as far as it has
    /// them. `asked` is at which sizes others have seen it.
    pub fn learn<E>(
        &mut self,
        log: LogName,
        sizes: &[u64],
        asked: &BTreeSet<u64>,
        mut roots: impl FnMut(usize, &BTreeSet<u64>) -> Result<BTreeMap<u64, Digest>, E>,
    ) -> Result<(), E> {
        let longest = sizes.iter().copied().max().unwrap_or(0);
        let mut coarse: BTreeSet<u64> = (1..=longest / BUNDLE_LEN).map(|bundle| bundle * BUNDLE_LEN).collect();
        coarse.extend(asked);
        coarse.extend(sizes);
        // Nothing has no root to be compared by.
        coarse.remove(&0);
        let known = (0..sizes.len()).map(|history| roots(history, &coarse));
        let known: Vec<BTreeMap<u64, Digest>> = known.collect::<Result<_, E>>()?;
        let mut beside = Beside::default();
        for (history, known) in known.iter().enumerate() {
            for (size, root) in known {
                beside.having.entry((*size, *root)).or_default().push(history);
            }
        }
        for second in 1..sizes.len() {
            for first in 0..second {
                let (one, other) = (&known[first], &known[second]);
                let same = |size: &&u64| one.get(size).is_some_and(|root| other.get(size) == Some(root));
                let low = coarse.iter().take_while(same).last().copied().unwrap_or(0);
                let end = sizes[first].min(sizes[second]).min(low + BUNDLE_LEN);
                let fine: BTreeSet<u64> = (low + 1..=end).collect();
                let (one, other) = (roots(first, &fine)?, roots(second, &fine)?);
                let same = |size: &&u64| one.get(size).is_some_and(|root| other.get(size) == Some(root));
                let alike = fine.iter().take_while(same).last().copied().unwrap_or(low);
                beside.alike.insert((first, second), alike);
            }
        }
        self.0.insert(log, beside);
        Ok(())
    }

    /// The logs that have more than one.
    pub fn logs(&self) -> Vec<LogName> {
        self.0.keys().copied().collect()
    }

    /// Whether a log has more than one.
    pub(super) fn are_several(&self, log: LogName) -> bool {
        self.0.contains_key(&log)
    }

    /// Whether it is known which of a log's histories have that root; of a log with one nobody asks.
    pub(super) fn know(&self, log: LogName, end: (u64, Digest)) -> bool {
        self.0.get(&log).is_none_or(|beside| beside.having.contains_key(&end))
    }

    /// Whether an entry stands in that history of its log.
    pub(super) fn stands_in(&self, place: Place, history: usize) -> bool {
        let Some(beside) = self.0.get(&place.entry.log) else {
            return true;
        };
        let pair = (place.history.min(history), place.history.max(history));
        pair.0 == pair.1 || beside.alike.get(&pair).is_some_and(|alike| place.entry.seq < *alike)
    }

    /// Whether an entry is among the first of its log that have that root.
    pub(super) fn stands_below(&self, place: Place, (size, root): (u64, Digest)) -> bool {
        let within = place.entry.seq < size;
        let Some(beside) = self.0.get(&place.entry.log) else {
            return within;
        };
        let having = beside.having.get(&(size, root)).into_iter().flatten();
        within && having.copied().any(|history| self.stands_in(place, history))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tree::Frontier;
    use super::*;
    use std::convert::Infallible;

    /// A history that leaves the first one after so many entries.
    fn roots(alike: u64, size: u64, sizes: &BTreeSet<u64>) -> BTreeMap<u64, Digest> {
        let (mut tree, mut found) = (Frontier::default(), BTreeMap::new());
        for n in 0..size {
            let own = if n < alike { 0 } else { alike + 1 };
            tree.push(crate::crypto::sha256(&[&n.to_be_bytes(), &own.to_be_bytes()]));
            if sizes.contains(&tree.size()) {
                found.insert(tree.size(), tree.root());
            }
        }
        found
    }

    #[test]
    fn entries_stand_in_their_history_and_in_those_that_begin_alike() {
        let log: LogName = "0102030405060708-090a0b0c".parse().unwrap();
        for (alike, second) in [
            (0, 5),
            (3, 9),
            (255, 300),
            (256, 257),
            (256, 600),
            (300, 301),
            (511, 900),
            (600, 601),
        ] {
            let sizes = [700, second];
            let mut histories = Histories::default();
            let of = |history: usize, at: &BTreeSet<u64>| {
                let alike = if history == 0 { u64::MAX } else { alike };
                roots(alike, sizes[history], at)
            };
            histories
                .learn(log, &sizes, &[0, 4, second].into(), |history, at| {
                    Ok::<_, Infallible>(of(history, at))
                })
                .unwrap();
            let place = |seq, history| Place {
                entry: EntryRef { log, seq },
                history,
            };
            for seq in 0..second {
                assert_eq!(histories.stands_in(place(seq, 0), 1), seq < alike, "{alike} {seq}");
                assert_eq!(histories.stands_in(place(seq, 1), 0), seq < alike, "{alike} {seq}");
                assert!(histories.stands_in(place(seq, 1), 1));
            }
            let end = (second, of(1, &[second].into())[&second]);
            assert!(histories.know(log, end) && !histories.know(log, (second, Digest([0; 32]))));
            assert!(histories.stands_below(place(second - 1, 1), end));
            assert!(!histories.stands_below(place(second, 0), end));
            assert_eq!(histories.stands_below(place(second - 1, 0), end), second <= alike);
            let first = (4, of(0, &[4].into())[&4]);
            assert_eq!(histories.stands_below(place(3, 1), first), alike > 3);
            assert!(!histories.stands_below(place(3, 0), (4, Digest([0; 32]))));
        }
    }

    #[test]
    fn of_a_log_with_one_history_numbers_say_all() {
        let histories = Histories::default();
        let log: LogName = "0102030405060708-090a0b0c".parse().unwrap();
        let place = Place {
            entry: EntryRef { log, seq: 4 },
            history: 0,
        };
        assert!(histories.stands_in(place, 0) && histories.know(log, (1, Digest([0; 32]))));
        assert!(histories.stands_below(place, (5, Digest([0; 32]))));
        assert!(!histories.stands_below(place, (4, Digest([0; 32]))));
    }
}
