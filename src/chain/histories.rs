//! Logs with more than one history (docs/FORMAT.md §7.1): which entries stand in which of them.

use super::bundle::BUNDLE_LEN;
use crate::id::{Digest, EntryRef, LogName};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// An entry, and the number of the history that it was read in: 0 is the one under the log's own name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) entry: EntryRef,
    pub(super) history: usize,
}

/// What is known of the logs that have more than one history.
#[derive(Default)]
pub struct Histories(BTreeMap<LogName, Beside>);

/// The histories of one log, each read but twice, however many there are: whoever has a device can sign as many as they like.
#[derive(Default)]
struct Beside {
    /// At which sizes all of them are compared, the smallest first; where one of them ends is among them.
    sizes: Vec<u64>,
    /// The roots of each at these sizes, as far as it comes.
    coarse: Vec<Vec<Digest>>,
    /// The roots up to one of these sizes from the one before, by the root there: where histories part that begin alike.
    fine: BTreeMap<Digest, Vec<Digest>>,
    /// One of those that have a root at a size: they begin alike up to there.
    having: BTreeMap<(u64, Digest), usize>,
}

impl Beside {
    /// Where they part, by the histories that are to be read for it and the sizes there: of those that come to the same root,
    /// one.
    fn partings(&self) -> BTreeMap<usize, Vec<usize>> {
        let (mut ways, mut wanted) = (BTreeMap::<Option<Digest>, Vec<usize>>::new(), BTreeMap::new());
        for n in 0..self.sizes.len() {
            ways.clear();
            for (history, roots) in self.coarse.iter().enumerate() {
                let Some(root) = roots.get(n) else { continue };
                if self.having.get(&(self.sizes[n], *root)) == Some(&history) {
                    let before = n.checked_sub(1).and_then(|before| roots.get(before)).copied();
                    ways.entry(before).or_default().push(history);
                }
            }
            for history in ways.values().filter(|ways| ways.len() > 1).flatten() {
                wanted.entry(*history).or_insert_with(Vec::new).push(n);
            }
        }
        wanted
    }

    /// The sizes after the one before, up to this one.
    fn up_to(&self, n: usize) -> RangeInclusive<u64> {
        let before = n.checked_sub(1).map_or(0, |before| self.sizes[before]);
        before + 1..=self.sizes[n]
    }

    /// With how many entries two of them begin alike.
    fn alike(&self, first: usize, second: usize) -> u64 {
        let (Some(one), Some(other)) = (self.coarse.get(first), self.coarse.get(second)) else {
            return 0;
        };
        // What is alike up to a size is so up to every smaller one.
        let (mut same, mut end) = (0, one.len().min(other.len()));
        let within = end;
        while same < end {
            let middle = same + (end - same) / 2;
            match one[middle] == other[middle] {
                true => same = middle + 1,
                false => end = middle,
            }
        }
        let low = same.checked_sub(1).map_or(0, |last| self.sizes[last]);
        if same == within {
            return low;
        }
        let fine = |roots: &[Digest]| self.fine.get(&roots[same]).into_iter().flatten();
        let parted = fine(one).zip(fine(other)).take_while(|(one, other)| one == other);
        low + parted.count() as u64
    }
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
        let mut beside = Beside {
            sizes: coarse.iter().copied().collect(),
            ..Beside::default()
        };
        for history in 0..sizes.len() {
            let known = roots(history, &coarse)?;
            let known = beside.sizes.iter().map_while(|size| known.get(size).copied());
            let known: Vec<Digest> = known.collect();
            for (size, root) in beside.sizes.iter().zip(&known) {
                beside.having.entry((*size, *root)).or_insert(history);
            }
            beside.coarse.push(known);
        }
        for (history, wanted) in beside.partings() {
            let fine: BTreeSet<u64> = wanted.iter().flat_map(|n| beside.up_to(*n)).collect();
            let known = roots(history, &fine)?;
            for n in wanted {
                let way = beside.up_to(n).map_while(|size| known.get(&size).copied());
                beside.fine.insert(beside.coarse[history][n], way.collect());
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
        place.history == history || place.entry.seq < beside.alike(place.history, history)
    }

    /// Whether an entry is among the first of its log that have that root.
    pub(super) fn stands_below(&self, place: Place, (size, root): (u64, Digest)) -> bool {
        let within = place.entry.seq < size;
        let Some(beside) = self.0.get(&place.entry.log) else {
            return within;
        };
        let having = beside.having.get(&(size, root));
        within && having.is_some_and(|history| self.stands_in(place, *history))
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

    /// However many there are, none is read more than twice, and what is said of each two is what their lines say.
    #[test]
    fn many_histories_are_read_twice_each() {
        let log: LogName = "0102030405060708-090a0b0c".parse().unwrap();
        // Each leaves one that was there before: after how many entries, and with how many it ends.
        let made: Vec<(usize, u64, u64)> = (0..60_u64)
            .map(|n| match n {
                0 => (0, 0, 700),
                n => (
                    (n * 7 % n.min(9)) as usize,
                    n * 97 % 620,
                    n * 97 % 620 + 1 + n * 31 % 300,
                ),
            })
            .collect();
        let mut lines: Vec<Vec<u64>> = Vec::new();
        for (n, (from, at, end)) in made.iter().enumerate() {
            let kept = lines
                .get(*from)
                .map(|from| from[..from.len().min(*at as usize)].to_vec());
            let mut all = kept.unwrap_or_default();
            all.extend((all.len() as u64..*end).map(|seq| n as u64 * 1000 + seq));
            lines.push(all);
        }
        let sizes: Vec<u64> = lines.iter().map(|lines| lines.len() as u64).collect();
        let (mut histories, mut read) = (Histories::default(), vec![0; lines.len()]);
        let learned = histories.learn(log, &sizes, &[3, 40, 500].into(), |history, at| {
            read[history] += 1;
            let (mut tree, mut found) = (Frontier::default(), BTreeMap::new());
            for line in &lines[history] {
                tree.push(crate::crypto::sha256(&[&line.to_be_bytes()]));
                if at.contains(&tree.size()) {
                    found.insert(tree.size(), tree.root());
                }
            }
            Ok::<_, Infallible>(found)
        });
        learned.unwrap();
        assert!(read.iter().all(|times| *times <= 2), "{read:?}");
        for (first, one) in lines.iter().enumerate() {
            for (second, other) in lines.iter().enumerate() {
                let alike = one.iter().zip(other).take_while(|(one, other)| one == other).count() as u64;
                for seq in [0, alike.saturating_sub(1), alike, alike + 1] {
                    let entry = EntryRef { log, seq };
                    let stands = histories.stands_in(Place { entry, history: first }, second);
                    assert_eq!(stands, first == second || seq < alike, "{first} {second} {seq}");
                }
            }
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
