//! Logs with two histories (docs/FORMAT.md §7.1): each is verified like any log, and a card must name the ends of all.

use super::objects::log_of;
use super::verify::{Facts, Tally};
use super::verify_across::Across;
use super::verify_log::{Found, each_line, roots_at, verify_log};
use super::view::View;
use crate::chain::{Entry, HeadRef, LiveSet, Problem};
use crate::id::{Digest, LogName};
use crate::repo::Oid;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::convert::Infallible;

/// What is said of histories that nobody has named.
const UNNAMED: &str = "histories of this log were kept, and no card of a lead names the end of each";

/// Whether nothing is wrong but that a log has several histories: they are kept until a lead has looked at them.
pub fn waits_for_a_lead(problem: &Problem) -> bool {
    problem.case == 43 && problem.message.contains(UNNAMED)
}

/// The histories that were kept beside their logs.
#[derive(Default)]
pub(super) struct Forks {
    /// Those that count.
    found: BTreeMap<LogName, Vec<Found>>,
    /// And those that are another one again, or its beginning.
    beginnings: BTreeMap<LogName, Vec<Found>>,
}

impl Forks {
    /// Verifies all of them; `watched` says the roots at which sizes the anchors speak of. What is not sound by itself
    /// says nothing of anything else: anybody may have put it there.
    pub(super) fn verify(
        view: &View<'_>,
        facts: &Facts,
        logs: &BTreeMap<LogName, Found>,
        watched: &dyn Fn(LogName) -> BTreeSet<u64>,
        deep: &dyn Fn(&str, Oid) -> bool,
        across: &mut Across<'_>,
        tally: &mut Tally,
    ) -> Self {
        let mut forks = Self::default();
        let mut looked_at = HashSet::new();
        for (branch, oid) in &view.branches {
            let Some((log, Some(root))) = log_of(branch) else {
                continue;
            };
            // Under how many names a commit stands, it is looked at once.
            if !looked_at.insert((log, *oid)) {
                let message = format!("the branch `{branch}` holds what another one holds too");
                tally.problem(Problem::of(log, 43, message));
                continue;
            }
            let what = format!("the history kept as `{branch}`");
            let mut own = Tally::default();
            let from = deep(branch, *oid).then_some(0);
            let found = verify_log(view, log, *oid, facts, watched(log), from, &mut own, &mut |_, _| {});
            let sound = own.is_sound();
            tally.absorb(own.said_of(&what));
            let Some(found) = found.filter(|_| sound) else {
                let message = format!("what stands at `{branch}` is no history of this log");
                tally.problem(Problem::of(log, 43, message));
                continue;
            };
            if found.root != root {
                let message = format!("the branch `{branch}` holds another history than its name says");
                tally.problem(Problem::of(log, 43, message));
            }
            let counted = forks.found.entry(log).or_default();
            let end = (found.size, found.root);
            let main = logs.get(&log);
            let has = |other: &Found, (size, root): (u64, Digest)| {
                roots_at(view, &other.layout, &[size].into()).get(&size) == Some(&root)
            };
            let again = counted.iter().any(|other| (other.size, other.root) == end);
            if again || main.is_some_and(|main| has(main, end)) {
                forks.beginnings.entry(log).or_default().push(found);
                continue;
            }
            // What a removed device signs now, beside what was accepted of its log, counts for nothing.
            let cut = facts.cuts().of(log).filter(|(size, _)| *size > 0);
            let joined = || {
                facts
                    .roster
                    .as_ref()
                    .is_some_and(|roster| roster.joins(&(log, end.0, end.1)))
            };
            if cut.is_some_and(|cut| !has(&found, cut)) && !joined() {
                let message = format!("{what} is not what a member's card accepts of this log");
                tally.problem(Problem::of(log, 43, message));
                continue;
            }
            let mut own = Tally::default();
            across.begin(log, counted.len() + usize::from(main.is_some()));
            each_line(view, &found.layout, &mut |line| {
                if let Ok(parsed) = Entry::parse(line) {
                    across.entry(&parsed.entry, &mut own);
                }
            });
            across.end();
            tally.absorb(own.said_of(&what));
            counted.push(found);
        }
        forks
    }

    /// Tells `live`, to which the entries of all histories were applied, which of them stand in which.
    pub(super) fn tell_apart(&self, view: &View<'_>, logs: &BTreeMap<LogName, Found>, live: &mut LiveSet) {
        for log in live.histories().logs() {
            let forks = self.found.get(&log).into_iter().flatten();
            let histories: Vec<&Found> = logs.get(&log).into_iter().chain(forks).collect();
            let sizes: Vec<u64> = histories.iter().map(|found| found.size).collect();
            let asked = live.asks(log);
            let roots = |history: usize, at: &BTreeSet<u64>| {
                Ok::<_, Infallible>(roots_at(view, &histories[history].layout, at))
            };
            let Ok(()) = live.histories().learn(log, &sizes, &asked, roots);
        }
    }

    /// Whether one of them has that root at a size that was watched.
    pub(super) fn hold(&self, log: LogName, size: u64, root: Digest) -> bool {
        let mut histories = self.found.get(&log).into_iter().flatten();
        histories.any(|found| found.watched.get(&size) == Some(&root))
    }

    /// Their roots at these sizes.
    pub(super) fn roots(&self, view: &View<'_>, log: LogName, sizes: &BTreeSet<u64>) -> BTreeSet<(u64, Digest)> {
        let histories = self.found.get(&log).into_iter().flatten();
        let roots = histories.map(|found| roots_at(view, &found.layout, sizes));
        roots.flatten().collect()
    }

    /// Two histories are tampering until a card names the ends of all that there are.
    pub(super) fn judge(&self, view: &View<'_>, logs: &BTreeMap<LogName, Found>, facts: &Facts, tally: &mut Tally) {
        for (log, forks) in &self.found {
            let beginnings = self.beginnings.get(log).into_iter().flatten();
            let histories: Vec<&Found> = logs.get(log).into_iter().chain(forks).chain(beginnings).collect();
            if forks.is_empty() && histories.len() < 2 {
                continue;
            }
            let ends: Vec<HeadRef> = histories.iter().map(|found| (*log, found.size, found.root)).collect();
            let cards = facts.roster.iter().flat_map(|roster| roster.cards());
            let named = cards
                .filter(|card| ends.iter().all(|end| card.joined.contains(end)))
                .map(|card| card.n)
                .next();
            let mut different = ends.clone();
            different.sort_unstable();
            different.dedup();
            if different.len() < ends.len() {
                let message = "what was kept as another history of this log is the same again";
                tally.problem(Problem::of(*log, 43, message));
            }
            let told: Vec<String> = ends
                .iter()
                .map(|(_, size, root)| format!("{size} entries, root {root}"))
                .collect();
            let told = told.join("; ");
            match named {
                Some(card) => {
                    let message = format!(
                        "this log has {} histories, and card {card} names the end of each ({told})",
                        ends.len()
                    );
                    tally.finding(Problem::of(*log, 43, message));
                }
                None => {
                    let message = format!(
                        "{} {UNNAMED} ({told}): a backup was put back and written to, or somebody has the device's \
                         key",
                        ends.len()
                    );
                    tally.problem(Problem::of(*log, 43, message));
                }
            }
            if !logs.contains_key(log) {
                tally.problem(Problem::of(*log, 10, "of this log only another history is left"));
            }
            let sizes: BTreeSet<u64> = ends.iter().map(|(_, size, _)| *size).collect();
            for found in histories {
                let roots = roots_at(view, &found.layout, &sizes);
                let within = ends
                    .iter()
                    .any(|(_, size, root)| *size < found.size && roots.get(size) == Some(root));
                if within {
                    let message = "what was kept as another history of this log is only the beginning of one";
                    tally.problem(Problem::of(*log, 43, message));
                }
            }
        }
    }
}
