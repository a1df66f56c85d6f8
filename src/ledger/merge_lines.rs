//! The logs of two clones side by side: which histories there are of each, and which goes on from which.

use super::charter::Charter;
use super::error::LedgerError;
use super::histories::tell_apart;
use super::kept::{Branches, Kept};
use super::merge::{LOG_DEPTH, each_object, follows};
use super::objects::{Objects, audit_ref, fork_ref};
use super::scan::{Head, scan};
use super::start::{Telling, read_head, scan_fault};
use super::verify::{Facts, Tally};
use super::verify_log::verify_log;
use super::view::View;
use crate::chain::{Cuts, Entry, Histories, LiveSet, Problem, Time, Withdrawals};
use crate::id::{Digest, EntryRef, LogName};
use crate::repo::{Oid, Repo};
use memchr::memmem::Finder;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What became of a log of the other clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is the same here.
    Same,
    /// What is here goes on from it.
    Behind,
    /// It goes on from what was here, and was taken.
    Ahead {
        /// How many entries were here.
        from: u64,
        /// How many there are now.
        to: u64,
    },
    /// It was not here, and was taken, with so many entries.
    New(u64),
    /// It is another history than the one here: both are kept.
    Diverged,
    /// It was not taken, and why.
    Broken(String),
}

/// One history of a log: read, and matched with what its device signed.
pub(super) struct Line {
    pub(super) oid: Oid,
    pub(super) size: u64,
    pub(super) root: Digest,
    /// The entries that say more than that there was a read.
    entries: Vec<Entry>,
    /// Every roster that was in force.
    pub(super) rosters: BTreeSet<Digest>,
    pub(super) touches_main: bool,
}

#[derive(Clone)]
struct Held {
    line: Rc<Line>,
    /// Its branch, without its prefix.
    branch: String,
    fork: bool,
    new: bool,
}

impl Held {
    fn end(&self) -> (u64, Digest) {
        (self.line.size, self.line.root)
    }
}

/// Histories by log; the one on the log's own branch comes first.
#[derive(Default)]
pub(super) struct Lines {
    logs: BTreeMap<LogName, Vec<Held>>,
    /// Logs with a history that their device signed and that cannot be read.
    unread: BTreeSet<LogName>,
    fates: BTreeMap<LogName, Fate>,
}

/// The logs that could not be read, and why.
pub(super) type Unread = Vec<(LogName, String)>;

/// Reads the histories of a clone's branches. What was kept beside a log and is none of its histories stops nobody from
/// reading the log.
pub(super) fn read_lines<'a>(
    objects: &dyn Objects,
    heads: impl Iterator<Item = (&'a str, Oid)>,
    charter: &Charter,
) -> (Lines, Unread) {
    let (mut lines, mut unread) = (Lines::default(), Vec::new());
    let mut branches = Branches::sort(objects, &charter.roster, charter.vault, heads);
    for (log, oid) in std::mem::take(&mut branches.own) {
        match read_line(objects, charter, log, oid, &branches.sizes(log)) {
            Ok((line, roots)) => {
                branches.drop_beginnings(log, &roots);
                lines.logs.entry(log).or_default().push(Held {
                    line: Rc::new(line),
                    branch: audit_ref(log),
                    fork: false,
                    new: false,
                });
            }
            Err(why) => unread.push((log, why)),
        }
    }
    let cuts = charter.roster.cuts();
    for (log, kept) in branches.beside {
        let cut = cuts.of(log).filter(|(size, _)| *size > 0);
        let asked: BTreeSet<u64> = cut.iter().map(|(size, _)| *size).collect();
        for Kept { branch, oid, end } in kept {
            if lines.logs.get(&log).into_iter().flatten().any(|held| held.end() == end) {
                continue;
            }
            match read_line(objects, charter, log, oid, &asked) {
                // What a removed device signs now, beside what was accepted of its log, counts for nothing.
                Ok((_, roots))
                    if cut.is_some_and(|(size, root)| roots.get(&size) != Some(&root))
                        && !charter.roster.joins(&(log, end.0, end.1)) => {}
                Ok((line, _)) => lines.logs.entry(log).or_default().push(Held {
                    line: Rc::new(line),
                    branch,
                    fork: true,
                    new: false,
                }),
                Err(_) => drop(lines.unread.insert(log)),
            }
        }
    }
    (lines, unread)
}

/// A history, and its roots at the sizes asked for.
fn read_line(
    objects: &dyn Objects,
    charter: &Charter,
    log: LogName,
    oid: Oid,
    asked: &BTreeSet<u64>,
) -> Result<(Line, BTreeMap<u64, Digest>), String> {
    let head = read_head(objects, &charter.roster, charter.vault, log, oid)?;
    let (telling, in_force) = (Telling::new(), Finder::new("\"roster\":\""));
    let (mut entries, mut rosters) = (Vec::new(), BTreeSet::new());
    let scanned = scan(objects, &head, asked, &mut |line| {
        if telling.tells(line) {
            entries.extend(Entry::parse(line).ok().map(|parsed| parsed.entry));
        }
        let roster = in_force.find(line).and_then(|at| line.get(at + 10..at + 74));
        rosters.extend(roster.and_then(|hex| std::str::from_utf8(hex).ok()?.parse::<Digest>().ok()));
    })
    .map_err(|error| error.to_string())?;
    let of_main = |entry: &Entry| entry.wrote.iter().chain(&entry.forgot).any(|file| file.0 == "main");
    let line = Line {
        oid,
        size: scanned.frontier.size(),
        root: scanned.frontier.root(),
        touches_main: entries.iter().any(of_main),
        entries,
        rosters,
    };
    Ok((line, scanned.roots))
}

/// The root of a history at a size.
fn root_at(objects: &dyn Objects, line: &Line, size: u64) -> Result<Option<Digest>, String> {
    Ok(roots_at(objects, line, &[size].into())?.remove(&size))
}

/// The roots of a history at sizes, as far as it comes.
fn roots_at(objects: &dyn Objects, line: &Line, sizes: &BTreeSet<u64>) -> Result<BTreeMap<u64, Digest>, String> {
    let head = Head::read(objects, line.oid).map_err(|error| error.to_string())?;
    let scanned = scan(objects, &head, sizes, &mut |_| {});
    Ok(scanned.map_err(|error| error.to_string())?.roots)
}

/// A log that ends earlier in the other clone.
pub(super) struct Behind {
    pub(super) log: LogName,
    pub(super) there: u64,
    pub(super) here: u64,
    /// When the first entry was made that is not there, by its device's word.
    pub(super) since: Time,
    /// An entry of another log that has seen some of what is not there.
    pub(super) seen_by: Option<EntryRef>,
}

fn fork(log: LogName, mine: &Line, theirs: &Line) -> Problem {
    let seq = mine.size.min(theirs.size).saturating_sub(1);
    let (case, message) = match mine.size == theirs.size {
        true => (
            16,
            format!(
                "a fork: both clones have {} entries of this log, with two roots",
                mine.size
            ),
        ),
        false => (
            17,
            format!(
                "a fork: of this log {} entries are here and {} in the other clone, and neither goes on from the other",
                mine.size, theirs.size
            ),
        ),
    };
    Problem::at(log, seq, case, message)
}

/// The entry at a place, if a history has it.
fn entry_at(objects: &dyn Objects, line: &Line, seq: u64) -> Option<Entry> {
    let (mut found, mut at) = (None, 0);
    let head = Head::read(objects, line.oid).ok().filter(|_| seq < line.size)?;
    let look = &mut |line: &[u8]| {
        if at == seq {
            found = Entry::parse(line).ok().map(|parsed| parsed.entry);
        }
        at += 1;
    };
    scan(objects, &head, &BTreeSet::new(), look).ok()?;
    found
}

/// Histories with the roots that each has where a shorter one of the others ends: each is read once for it, as whoever has a
/// device can sign many.
fn roots_where<'a>(
    lines: impl Iterator<Item = (&'a dyn Objects, &'a Line)>,
    ends: &BTreeSet<u64>,
) -> Vec<Result<BTreeMap<u64, Digest>, String>> {
    let roots = |(objects, line): (&dyn Objects, &Line)| {
        let shorter: BTreeSet<u64> = ends.range(..line.size).copied().collect();
        match shorter.is_empty() {
            true => Ok(BTreeMap::new()),
            false => roots_at(objects, line, &shorter),
        }
    };
    lines.map(roots).collect()
}

impl Lines {
    /// What is here together with what the other clone holds, but for the logs in `left_out`.
    pub(super) fn joined_with(
        &self,
        repo: &Repo,
        (view, facts): (&View<'_>, &Facts),
        theirs: &Self,
        left_out: &BTreeMap<LogName, String>,
    ) -> Self {
        let (mut logs, mut fates) = (self.logs.clone(), BTreeMap::new());
        let broken = |(log, why): (&LogName, &String)| (*log, Fate::Broken(why.clone()));
        fates.extend(left_out.iter().map(broken));
        for (log, held) in theirs.logs.iter().filter(|(log, _)| !left_out.contains_key(log)) {
            let here = logs.get(log).map(Vec::as_slice).unwrap_or_default();
            let fate = match join(repo, *log, here, (view, facts), held) {
                Ok((joined, fate)) => {
                    logs.insert(*log, joined);
                    fate
                }
                Err(why) => Fate::Broken(why),
            };
            fates.insert(*log, fate);
        }
        let unread = self.unread.clone();
        Self { logs, unread, fates }
    }

    /// Whether all is here that may have written files: each log under its own name, as long as others have seen it, as
    /// it was when it was merged and as cards accept it, and all that its device signed beside it.
    pub(super) fn are_whole(&self, cuts: &Cuts, mut merged: impl Iterator<Item = (LogName, u64, Digest)>) -> bool {
        // What was kept beside it does not make up for what the log itself lacks.
        let longest = |log: &LogName| {
            let mut held = self.logs.get(log).into_iter().flatten();
            held.find(|held| !held.fork).map_or(0, |held| held.line.size)
        };
        let due = |log: &LogName, size: u64| cuts.of(*log).map_or(size, |(end, _)| size.min(end));
        let entries = self.logs.values().flatten().flat_map(|held| &held.line.entries);
        let counted = entries.filter(|entry| cuts.admit(entry));
        let mut seen = counted.flat_map(|entry| &entry.seen);
        self.unread.is_empty()
            && self.logs.values().all(|held| held.iter().any(|held| !held.fork))
            && seen.all(|(log, (size, _))| longest(log) >= due(log, *size))
            && merged.all(|(log, size, _)| longest(&log) >= due(&log, size))
            && cuts.named().all(|(log, size, _)| longest(&log) >= size)
    }

    /// The logs that others have seen more of than is here, each with the first entry that has, and how much it saw:
    /// whoever showed that entry did not show what it had seen.
    pub(super) fn withheld(&self, cuts: &Cuts) -> Vec<(LogName, EntryRef, u64)> {
        let mut withheld: BTreeMap<LogName, (EntryRef, u64)> = BTreeMap::new();
        let entries = self.logs.values().flatten().flat_map(|held| &held.line.entries);
        for entry in entries.filter(|entry| cuts.admit(entry)) {
            for (log, (size, _)) in &entry.seen {
                let due = cuts.of(*log).map_or(*size, |(end, _)| (*size).min(end));
                let held = self.logs.get(log).into_iter().flatten();
                if held.map(|held| held.line.size).max().unwrap_or(0) < due {
                    withheld.entry(*log).or_insert((entry.place(), due));
                }
            }
        }
        withheld.into_iter().map(|(log, (by, due))| (log, by, due)).collect()
    }

    /// The first log of a removed device that is not here as far as cards accept it, with how far that is.
    pub(super) fn short_of(&self, cuts: &Cuts, here: &dyn Objects, there: &dyn Objects) -> Option<(LogName, u64)> {
        let reaches = |held: &Held, size, root| {
            let objects = if held.new { there } else { here };
            root_at(objects, &held.line, size).is_ok_and(|found| found == Some(root))
        };
        let mut named = cuts.named().filter(|(_, size, _)| *size > 0);
        let short = named.find(|(log, size, root)| {
            let mut held = self.logs.get(log).into_iter().flatten();
            !held.any(|held| reaches(held, *size, *root))
        });
        short.map(|(log, size, _)| (log, size))
    }

    /// What exists by all of them, each as far as it counts. Of a log of which only another history is left nothing
    /// exists: only what it destroyed is destroyed. What is here is read from `here`, what is new from `there`.
    pub(super) fn live(&self, cuts: Cuts, here: &dyn Objects, there: &dyn Objects) -> Result<LiveSet, LedgerError> {
        let mut live = LiveSet::within(cuts);
        let several = || {
            let forked = |held: &[Held]| held.len() > 1 || held.iter().all(|held| held.fork);
            self.logs.iter().filter(move |(_, held)| forked(held))
        };
        live.expect(Histories::of(several().map(|(log, _)| *log)));
        for held in self.logs.values() {
            let alone = held.iter().all(|held| held.fork);
            for (history, held) in held.iter().enumerate() {
                for entry in &held.line.entries {
                    match alone {
                        false => live.apply_in(entry, history),
                        true => live.apply_in(&forgetting(entry), history),
                    }
                }
            }
        }
        for (log, held) in several() {
            let at = |held: &Held| (if held.new { there } else { here }, held.line.oid);
            let told = tell_apart(&mut live, *log, &held.iter().map(at).collect::<Vec<_>>());
            told.map_err(|error| scan_fault(*log, error))?;
        }
        Ok(live)
    }

    /// What was taken back of `main` by all of them, each as far as it counts.
    pub(super) fn withdrawals(&self, cuts: &Cuts) -> Withdrawals {
        let mut withdrawals = Withdrawals::default();
        for (history, held) in self.logs.values().flat_map(|held| held.iter().enumerate()) {
            let counted = held.line.entries.iter().filter(|entry| cuts.admit(entry));
            counted.for_each(|entry| withdrawals.apply(entry, history));
        }
        withdrawals
    }

    /// The histories that come from the other clone.
    pub(super) fn news(&self) -> impl Iterator<Item = (LogName, &Line)> {
        let all = self
            .logs
            .iter()
            .flat_map(|(log, held)| held.iter().map(move |held| (*log, held)));
        all.filter(|(_, held)| held.new)
            .map(|(log, held)| (log, held.line.as_ref()))
    }

    /// The newest commits of a log's histories.
    pub(super) fn heads_of(&self, log: LogName) -> BTreeSet<Oid> {
        let held = self.logs.get(&log).into_iter().flatten();
        held.map(|held| held.line.oid).collect()
    }

    /// Compares every history here with those of another clone: those of which none goes on from the other (cases 16
    /// and 17), and the logs that end earlier there.
    pub(super) fn beside(&self, here: &dyn Objects, theirs: &Self, there: &dyn Objects) -> (Vec<Problem>, Vec<Behind>) {
        let (mut forks, mut behind) = (Vec::new(), Vec::new());
        for (log, held) in &self.logs {
            let Some(mine) = held.first() else { continue };
            let others = theirs.logs.get(log).map(Vec::as_slice).unwrap_or_default();
            let sizes = |held: &[Held]| held.iter().map(|held| held.line.size).collect::<BTreeSet<u64>>();
            let of_mine = roots_where(held.iter().map(|held| (here, held.line.as_ref())), &sizes(others));
            let of_theirs = roots_where(others.iter().map(|held| (there, held.line.as_ref())), &sizes(held));
            for (other, theirs) in others.iter().zip(&of_theirs) {
                // Of what cannot be read any more nothing is said.
                let goes_on = |roots: &Result<BTreeMap<u64, Digest>, String>, (size, root): (u64, Digest)| {
                    roots.as_ref().map_or(true, |roots| roots.get(&size) == Some(&root))
                };
                let mut pairs = held.iter().zip(&of_mine);
                let related = pairs.any(|(held, mine)| match other.line.size.cmp(&held.line.size) {
                    Ordering::Equal => other.line.root == held.line.root,
                    Ordering::Greater => goes_on(theirs, held.end()),
                    Ordering::Less => goes_on(mine, other.end()),
                });
                if !related {
                    forks.push(fork(*log, &mine.line, &other.line));
                }
            }
            let reached = others.iter().map(|other| other.line.size).max().unwrap_or(0);
            if let Some(since) = entry_at(here, &mine.line, reached).map(|entry| entry.time) {
                behind.push(Behind {
                    log: *log,
                    there: reached,
                    here: mine.line.size,
                    since,
                    seen_by: self.seen_beyond(*log, reached),
                });
            }
        }
        (forks, behind)
    }

    /// The first entry of another log that has seen more of a log than so many entries.
    fn seen_beyond(&self, log: LogName, size: u64) -> Option<EntryRef> {
        let lines = self.logs.iter().filter(|(other, _)| **other != log);
        let entries = lines.flat_map(|(_, held)| held).flat_map(|held| &held.line.entries);
        let sees = |entry: &&Entry| entry.seen.get(&log).is_some_and(|(seen, _)| *seen > size);
        entries.into_iter().find(sees).map(Entry::place)
    }

    /// Size and root of each log, by its own branch.
    pub(super) fn heads(&self) -> impl Iterator<Item = (LogName, u64, Digest)> {
        let main = |(log, held): (&LogName, &Vec<Held>)| {
            let main = held.iter().find(|held| !held.fork)?;
            Some((*log, main.line.size, main.line.root))
        };
        self.logs.iter().filter_map(main)
    }

    pub(super) fn fates(&self) -> Vec<(LogName, Fate)> {
        self.fates.iter().map(|(log, fate)| (*log, fate.clone())).collect()
    }

    fn branches(&self) -> BTreeMap<String, Oid> {
        let all = self.logs.values().flatten();
        let branch = |held: &Held| (held.branch.clone(), held.line.oid);
        all.map(branch).collect()
    }

    /// The branches that move on the way here from `before`, with what each was and is.
    pub(super) fn moves(&self, before: &Self) -> Vec<(String, Option<Oid>, Option<Oid>)> {
        let (old, new) = (before.branches(), self.branches());
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let moved = |name: &String| (name.clone(), old.get(name).copied(), new.get(name).copied());
        names
            .into_iter()
            .map(moved)
            .filter(|(_, old, new)| old != new)
            .collect()
    }
}

/// The logs whose histories no longer go through a head that was accepted: case 18. What stood there beyond the `end` that cards
/// give a removed device's log may be gone.
pub(super) fn moved_back(
    objects: &dyn Objects,
    lines: &Lines,
    end: &dyn Fn(LogName) -> Option<(u64, Digest)>,
    heads: impl Iterator<Item = (LogName, u64, Digest)>,
    whose: &str,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (log, size, root) in heads {
        let cut = end(log).filter(|(end, _)| *end < size);
        let (size, root) = cut.unwrap_or((size, root));
        if size == 0 {
            continue;
        }
        let held = lines.logs.get(&log).map(Vec::as_slice).unwrap_or_default();
        let holds = |held: &Held| root_at(objects, &held.line, size).is_ok_and(|found| found == Some(root));
        if held.iter().any(holds) {
            continue;
        }
        let message = match held.iter().map(|held| held.line.size).max() {
            None => {
                format!("the branch of this log is gone from {whose}, and had {size} entries when it was last accepted")
            }
            Some(now) if now < size => format!(
                "the branch of this log went back in {whose}: it has {now} entries, and had {size} when it was last accepted"
            ),
            Some(_) => format!(
                "the branch of this log went to another history in {whose}: its first {size} entries are not those \
                 that were accepted"
            ),
        };
        problems.push(Problem::at(log, size.saturating_sub(1), 18, message));
    }
    problems
}

/// Whether members and rules of another clone stand at a commit that those it had before go on from. They never go back by
/// themselves: what a lead withdrew was nowhere else.
pub(super) fn main_moved_back(repo: &Repo, known: Option<Oid>, now: Option<Oid>, whose: &str) -> Option<Problem> {
    let (known, now) = known.zip(now).filter(|(known, now)| known != now)?;
    follows(repo, known, now).then(|| {
        let message = format!(
            "the branch `main` went back in {whose}: members or rules that it had when it was last accepted are gone"
        );
        Problem::vault(18, message)
    })
}

/// Whether the other clone holds one commit for each entry of a history beyond `from`, each as its device makes them: whoever
/// clones, or puts back from a backup, looks at every one, and nobody could take away what was taken once.
fn check_commits(
    (view, facts): (&View<'_>, &Facts),
    log: LogName,
    line: &Line,
    from: Option<&Line>,
) -> Result<(), String> {
    let (known, size) = from.map_or((None, 0), |from| (Some(from.oid), from.size));
    let mut seen = 0;
    each_object(view, line.oid, &known.into_iter().collect(), LOG_DEPTH, &mut |object| {
        seen += u64::from(object.kind == crate::repo::Kind::Commit);
        Ok(())
    })
    .map_err(|error| error.to_string())?;
    if seen != line.size - size {
        return Err("its commits are not one for each entry".to_owned());
    }
    let (mut tally, watch) = (Tally::default(), BTreeSet::new());
    verify_log(
        view,
        log,
        line.oid,
        facts,
        watch,
        Some(size),
        &mut tally,
        &mut |_, _| (),
    );
    let (problems, unknown) = tally.listed();
    match problems.into_iter().chain(unknown).next() {
        Some(problem) => Err(problem.message),
        None => Ok(()),
    }
}

/// Histories of one log that are joined, and the roots that each has where a shorter one ends.
struct Joining {
    all: Vec<Held>,
    roots: Vec<BTreeMap<u64, Digest>>,
}

impl Joining {
    fn of(repo: &Repo, here: &[Held], view: &View<'_>, theirs: &[Held]) -> Result<Self, String> {
        let mut ends: BTreeSet<(u64, Digest)> = here.iter().map(Held::end).collect();
        let new = |held: &Held| Held {
            new: true,
            ..held.clone()
        };
        let came = theirs.iter().filter(|held| ends.insert(held.end())).map(new);
        let all: Vec<Held> = here.iter().cloned().chain(came.collect::<Vec<_>>()).collect();
        let sizes: BTreeSet<u64> = all.iter().map(|held| held.line.size).collect();
        let objects = |held: &Held| -> &dyn Objects { if held.new { view } else { repo } };
        let lines = all.iter().map(|held| (objects(held), held.line.as_ref()));
        let roots = roots_where(lines, &sizes).into_iter().collect::<Result<_, String>>()?;
        Ok(Self { roots, all })
    }

    fn goes_on(&self, from: usize, to: usize) -> bool {
        let (size, root) = self.all[from].end();
        self.roots[to].get(&size) == Some(&root)
    }
}

/// The histories of one log, here and there, none of them the beginning of another: first the one under the log's own
/// name, which is the longest of those that go on from what was under it here, or else there.
fn join(
    repo: &Repo,
    log: LogName,
    here: &[Held],
    (view, facts): (&View<'_>, &Facts),
    theirs: &[Held],
) -> Result<(Vec<Held>, Fate), String> {
    let branch = |held: &[Held]| held.iter().find(|held| !held.fork).map(Held::end);
    let (before, there) = (branch(here), branch(theirs));
    let joining = Joining::of(repo, here, view, theirs)?;
    let all = &joining.all;
    let own = before.or(there).ok_or("only another history of it is left")?;
    let own = all.iter().position(|held| held.end() == own);
    let first = own.ok_or("its own branch is not among its histories")?;
    let mut main = first;
    loop {
        let mut next: Option<usize> = None;
        for n in (0..all.len()).filter(|n| joining.goes_on(main, *n)) {
            let prefers = |held: &Held| (Some(held.end()) == there, held.line.size);
            next = next.filter(|next| prefers(&all[*next]) >= prefers(&all[n])).or(Some(n));
        }
        let Some(next) = next else { break };
        main = next;
    }
    let passed = joining.roots.iter().flatten().map(|(size, root)| (*size, *root));
    let passed: BTreeSet<(u64, Digest)> = passed.collect();
    let mut joined = Vec::new();
    for (n, held) in all.iter().enumerate().filter(|(_, held)| !passed.contains(&held.end())) {
        if held.new {
            let from = before
                .and_then(|_| all.get(first))
                .filter(|_| n == main && first != main);
            check_commits((view, facts), log, &held.line, from.map(|from| from.line.as_ref()))?;
        }
        let fork = n != main;
        let branch = match fork {
            false => audit_ref(log),
            true => fork_ref(log, held.line.root),
        };
        joined.push(Held {
            branch,
            fork,
            ..held.clone()
        });
    }
    joined.sort_by_key(|held| (held.fork, held.line.root));
    let to = all[main].line.size;
    let fate = match before {
        None => Fate::New(to),
        Some(_) if joined.iter().any(|held| held.fork && held.new) => Fate::Diverged,
        Some((from, _)) if main != first => Fate::Ahead { from, to },
        Some((size, _)) if there.is_some_and(|(there, _)| there < size) => Fate::Behind,
        Some(_) => Fate::Same,
    };
    Ok((joined, fate))
}

/// What an entry forgot, and nothing that it wrote.
fn forgetting(entry: &Entry) -> Entry {
    Entry {
        wrote: Vec::new(),
        ..entry.clone()
    }
}
