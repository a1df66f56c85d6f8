//! What logs have seen of one another (docs/FORMAT.md §7), and which entry told of it.

use crate::id::{Digest, LogName};
use std::collections::BTreeMap;

/// What one history of a log has seen of others. It is held once, however many entries are to be judged by it: whoever has a
/// device may tell of as many logs as they like, also of such as do not exist.
#[derive(Default)]
pub(super) struct Sights {
    /// Size and root of a log, by the entry that told of them.
    ends: BTreeMap<(LogName, u64), (u64, Digest)>,
    /// The first entry that is not to be judged by what was told before it, nor one after it as yet.
    unjudged: u64,
}

impl Sights {
    /// Takes in what an entry tells of a log. Where only the last word on a log counts, the one before goes, unless an entry is to
    /// be judged by that.
    pub(super) fn tell(&mut self, log: LogName, seq: u64, end: (u64, Digest), all_count: bool) {
        let mut before = self.ends.range((log, self.unjudged)..=(log, u64::MAX));
        if let Some((before, _)) = before.next_back().filter(|_| !all_count) {
            let before = *before;
            self.ends.remove(&before);
        }
        self.ends.insert((log, seq), end);
    }

    /// An entry is to be judged by what was told up to it.
    pub(super) fn judge(&mut self, seq: u64) {
        self.unjudged = seq + 1;
    }

    /// What was told of a log up to an entry, the last word first.
    pub(super) fn of(&self, log: LogName, seq: u64) -> impl Iterator<Item = &(u64, Digest)> {
        let told = self.ends.range((log, 0)..=(log, seq)).rev();
        told.map(|(_, end)| end)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::LiveSet;
    use super::super::entry::tests::example;
    use super::super::{Entry, FileRef, Kind};
    use super::*;
    use crate::id::NoteId;

    fn log(number: u64) -> LogName {
        format!("{number:016x}-00000001").parse().unwrap()
    }

    fn sizes(sights: &Sights, log: LogName, seq: u64) -> Vec<u64> {
        sights.of(log, seq).map(|(size, _)| *size).collect()
    }

    #[test]
    fn the_last_word_on_a_log_stays_and_what_an_entry_is_judged_by() {
        for (all_count, expected) in [(false, vec![90, 50, 30]), (true, vec![90, 70, 50, 40, 30, 10])] {
            let mut sights = Sights::default();
            let mut tell = |seq: u64, judged: bool| {
                sights.tell(log(1), seq, (seq * 10, Digest([0; 32])), all_count);
                if judged {
                    sights.judge(seq);
                }
            };
            for (seq, judged) in [(1, false), (3, true), (4, false), (5, true), (7, false), (9, false)] {
                tell(seq, judged);
            }
            sights.tell(log(2), 9, (1, Digest([0; 32])), all_count);
            assert_eq!(sizes(&sights, log(1), u64::MAX), expected);
            let last = |seq| sizes(&sights, log(1), seq).first().copied();
            assert_eq!(
                (last(2), last(3), last(6), last(9)),
                (expected.get(5).copied(), Some(30), Some(50), Some(90))
            );
        }
    }

    /// Each entry tells of a hundred logs that nobody has, and destroys three hundred notes that do not exist either. Held for
    /// each note, what was seen would take ten gigabytes.
    #[test]
    fn what_was_seen_is_held_once_however_many_notes_are_destroyed() {
        let mut live = LiveSet::default();
        let note = |number: u64| NoteId((u128::from(number) << 64).to_be_bytes());
        for seq in 1..=100 {
            let file = |number: u64| {
                let (note, digest) = (note(number), Digest([1; 32]));
                FileRef(format!("keys/{}", note.shard()), format!("{note}.{digest}"), digest)
            };
            let seen = (0..100).map(|number| (log(seq * 100 + number), (seq, Digest([0; 32]))));
            live.apply(&Entry {
                kind: Some(Kind::Destroy),
                seen: seen.collect(),
                forgot: (0..300).map(|number| file(seq * 300 + number)).collect(),
                ..example(seq, Digest([0; 32]))
            });
        }
        assert!((300..30_300).all(|number| live.is_destroyed(note(number))));
        let held = (100..10_100).map(|number| live.seen_of(log(number)).count());
        assert_eq!(held.sum::<usize>(), 10_000);
    }
}
