//! One walk over the lines of one log: order, hashes, and what is wrong where.

use super::entry::{BadEntry, Entry, ParsedEntry};
use super::problem::Problem;
use super::tree::{Frontier, leaf_hash};
use crate::id::{Digest, LogName};
use std::collections::{BTreeMap, HashMap};

/// How many problems of one log are reported; one fault can make every later line wrong.
const PROBLEMS_MAX: usize = 100;
/// How many lines, the first of the log, are remembered to tell a replay from another line too many.
const REPLAY_WINDOW: usize = 1 << 16;

/// The state of a walk. Memory does not grow with the log beyond a fixed window.
pub struct LogWalk {
    log: LogName,
    frontier: Frontier,
    expected: u64,
    previous: Option<Digest>,
    gap: Option<(u64, u64)>,
    /// The line before is not at its place, which was said: that nothing is chained to it is the same fault.
    misplaced: bool,
    /// The first lines' hashes, while each line is at its place, and so no two are the same.
    first: Vec<Digest>,
    /// And where each of them stood first, once one was not.
    stood: Option<HashMap<Digest, u64>>,
    watch: BTreeMap<u64, Digest>,
    group: Option<Digest>,
    problems: Vec<Problem>,
}

/// A line by itself: its hash, and its entry if it can be read, without its sealed details, which no walk looks at.
pub struct ReadLine {
    /// Its hash.
    pub leaf: Digest,
    parsed: Result<ParsedEntry, BadEntry>,
}

impl ReadLine {
    /// Reads a line.
    #[inline]
    pub fn of(line: &[u8]) -> Self {
        let parsed = Entry::parse_without_details(line);
        let leaf = match &parsed {
            Ok(parsed) => parsed.leaf,
            Err(_) => leaf_hash(line),
        };
        Self { leaf, parsed }
    }
}

/// What a walk found.
pub struct WalkEnd {
    /// The tree over all lines.
    pub frontier: Frontier,
    /// Roots at the sizes that were asked for.
    pub watched: BTreeMap<u64, Digest>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl LogWalk {
    /// A walk over the log from its first line, noting the tree's root at each size of `watch`.
    pub fn new(log: LogName, watch: impl IntoIterator<Item = u64>) -> Self {
        Self {
            log,
            frontier: Frontier::default(),
            expected: 0,
            previous: None,
            gap: None,
            misplaced: false,
            first: Vec::new(),
            stood: None,
            watch: watch.into_iter().map(|size| (size, Digest([0; 32]))).collect(),
            group: None,
            problems: Vec::new(),
        }
    }

    fn report(&mut self, seq: u64, case: u8, message: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem::at(self.log, seq, case, message));
        }
    }

    /// The next line. Gives its entry if it can be read.
    pub fn line<'l>(&mut self, ReadLine { leaf, parsed }: &'l ReadLine) -> Option<&'l ParsedEntry> {
        let leaf = *leaf;
        self.group = self.frontier.push_telling(leaf);
        if let Some(root) = self.watch.get_mut(&self.frontier.size()) {
            *root = self.frontier.root();
        }
        let result = match parsed {
            Err(bad) => {
                let case = match bad {
                    // A line that reads but contradicts itself was made, not damaged.
                    BadEntry::Contradiction(
                        "`admitted` belongs to the first entry and to no other"
                        | "`begin` is the kind of the first entry and of no other",
                    ) => 15,
                    _ => 27,
                };
                self.stood();
                let seq = self.expected;
                self.report(seq, case, format!("entry {seq} cannot be read: {bad}"));
                self.expected += 1;
                None
            }
            Ok(parsed) => {
                self.place(parsed);
                Some(parsed)
            }
        };
        self.previous = Some(leaf);
        match &mut self.stood {
            None if self.first.len() < REPLAY_WINDOW => self.first.push(leaf),
            Some(stood) if stood.len() < REPLAY_WINDOW => {
                stood.entry(leaf).or_insert(self.frontier.size() - 1);
            }
            _ => {}
        }
        result
    }

    fn stood(&mut self) -> &HashMap<Digest, u64> {
        let first = &mut self.first;
        self.stood
            .get_or_insert_with(|| std::mem::take(first).into_iter().zip(0..).collect())
    }

    fn place(&mut self, parsed: &ParsedEntry) {
        let entry = &parsed.entry;
        if entry.log != self.log {
            self.report(
                entry.seq,
                3,
                format!("entry {} belongs to another log and was inserted here", entry.seq),
            );
        }
        let expected = self.expected;
        let misplaced = std::mem::replace(&mut self.misplaced, entry.seq != expected);
        if entry.seq != expected {
            self.misplaced(entry.seq, parsed.leaf);
        } else {
            self.close_gap();
            let prev = self.previous.unwrap_or(Digest([0; 32]));
            if entry.prev != prev && !misplaced {
                self.broken_chain(entry.seq);
            }
        }
        self.expected = self.expected.max(entry.seq + 1);
    }

    fn broken_chain(&mut self, seq: u64) {
        match seq {
            0 => self.report(
                0,
                6,
                "the first entry names an entry before it: the beginning was cut off",
            ),
            1 => self.report(
                1,
                6,
                "entry 1 does not follow the first entry: the beginning was replaced",
            ),
            _ => {}
        }
        if seq > 0 {
            let before = seq - 1;
            self.report(
                before,
                1,
                format!("entry {before} is not the one that entry {seq} was chained to: it was altered"),
            );
        }
    }

    fn misplaced(&mut self, seq: u64, leaf: Digest) {
        let expected = self.expected;
        if let Some(first) = self.stood().get(&leaf).copied() {
            let message = format!("entry {seq} stands here again; it stood at place {first}: a duplicate or a replay");
            self.report(seq, 5, message);
        } else if let Some((_, _)) = self.gap.filter(|(from, to)| (*from..*to).contains(&seq)) {
            self.gap = None;
            self.report(
                seq,
                4,
                format!("entry {seq} comes after a later one: entries were swapped"),
            );
        } else if seq > expected {
            self.close_gap();
            if expected == 0 {
                self.report(
                    0,
                    6,
                    format!("the log begins at entry {seq}: the entries before it were cut off"),
                );
            } else {
                self.gap = Some((expected, seq));
            }
        } else {
            self.report(seq, 3, format!("there is more than one entry {seq}: one was inserted"));
        }
    }

    fn close_gap(&mut self) {
        if let Some((from, to)) = self.gap.take() {
            let what = if to - from == 1 {
                format!("entry {from} is")
            } else {
                format!("entries {from} to {} are", to - 1)
            };
            self.report(from, 2, format!("{what} missing: deleted from the middle of the log"));
        }
    }

    /// How many lines there were so far.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The tree over the lines so far.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The root over the last [`GROUP_LEN`](super::tree::GROUP_LEN) lines, if the last line ended a group of so many.
    pub fn group(&self) -> Option<Digest> {
        self.group
    }

    /// Ends the walk.
    pub fn end(mut self) -> WalkEnd {
        self.close_gap();
        let size = self.frontier.size();
        self.watch.retain(|watched, _| *watched <= size && *watched > 0);
        WalkEnd {
            frontier: self.frontier,
            watched: self.watch,
            problems: self.problems,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::example;
    use super::*;

    fn lines(count: u64) -> Vec<Vec<u8>> {
        let mut prev = Digest([0; 32]);
        (0..count)
            .map(|seq| {
                let line = example(seq, prev).to_line().unwrap();
                prev = leaf_hash(&line);
                line
            })
            .collect()
    }

    fn cases(lines: &[Vec<u8>]) -> Vec<(u8, Option<u64>)> {
        let mut walk = LogWalk::new("0102030405060708-090a0b0c".parse().unwrap(), []);
        for line in lines {
            let _ = walk.line(&ReadLine::of(line));
        }
        walk.end()
            .problems
            .into_iter()
            .map(|problem| (problem.case, problem.seq))
            .collect()
    }

    #[test]
    fn an_honest_log_has_no_problem() {
        assert_eq!(cases(&lines(20)), []);
    }

    #[test]
    fn each_damage_has_its_number_and_place() {
        let good = lines(8);
        let mut flipped = good.clone();
        flipped[3] = String::from_utf8(good[3].clone())
            .unwrap()
            .replace("AAAA", "AAAB")
            .into_bytes();
        assert_eq!(cases(&flipped), [(1, Some(3))]);

        let mut deleted = good.clone();
        deleted.remove(3);
        assert_eq!(cases(&deleted), [(2, Some(3))]);

        let mut inserted = good.clone();
        let mut extra = example(4, leaf_hash(&good[3]));
        extra.sealed.replace_range(..1, "B");
        inserted.insert(4, extra.to_line().unwrap());
        assert!(cases(&inserted).contains(&(3, Some(4))), "{:?}", cases(&inserted));

        let mut swapped = good.clone();
        swapped.swap(3, 4);
        assert!(cases(&swapped).contains(&(4, Some(3))), "{:?}", cases(&swapped));

        let mut again = good.clone();
        again.insert(6, good[2].clone());
        assert!(cases(&again).contains(&(5, Some(2))), "{:?}", cases(&again));

        assert!(cases(&good[2..]).contains(&(6, Some(0))));
        let mut genesis = good.clone();
        let mut first = example(0, Digest([0; 32]));
        first.sealed.replace_range(..1, "B");
        genesis[0] = first.to_line().unwrap();
        assert!(cases(&genesis).contains(&(6, Some(1))));

        let mut torn = good.clone();
        torn[5].pop();
        assert!(cases(&torn).contains(&(27, Some(5))));
    }

    #[test]
    fn roots_are_noted_at_the_sizes_asked_for() {
        let mut walk = LogWalk::new("0102030405060708-090a0b0c".parse().unwrap(), [2, 9]);
        let mut check = Frontier::default();
        for (n, line) in lines(4).iter().enumerate() {
            walk.line(&ReadLine::of(line));
            if n < 2 {
                check.push(leaf_hash(line));
            }
        }
        assert_eq!(walk.end().watched, BTreeMap::from([(2, check.root())]));
    }
}
