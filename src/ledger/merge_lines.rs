//! The logs of two clones side by side: which histories there are of each, and which goes on from which.

use super::charter::Charter;
use super::error::LedgerError;
use super::histories::tell_apart;
use super::merge::each_object;
use super::objects::{Objects, audit_ref, fork_ref, log_of};
use super::scan::{Head, scan};
use super::start::{Telling, read_head, scan_fault};
use super::view::View;
use crate::chain::{Cuts, Entry, Histories, LiveSet, Problem, Time};
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
    fork: bool,
    new: bool,
}

/// Histories by log; the one on the log's own branch comes first.
#[derive(Default)]
pub(super) struct Lines {
    logs: BTreeMap<LogName, Vec<Held>>,
    /// Branches of histories that were kept and cannot be read, or are not those that their names say.
    unread: BTreeMap<String, Oid>,
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
    for (branch, oid) in heads {
        let Some((log, fork)) = log_of(branch) else { continue };
        match (read_line(objects, charter, log, oid), fork) {
            (Ok(line), fork) if fork.is_none_or(|root| root == line.root) => {
                let held = Held {
                    line: Rc::new(line),
                    fork: fork.is_some(),
                    new: false,
                };
                let all = lines.logs.entry(log).or_default();
                all.push(held);
                all.sort_by_key(|held| (held.fork, held.line.root));
            }
            (Err(why), None) => unread.push((log, why)),
            _ => drop(lines.unread.insert(branch.to_owned(), oid)),
        }
    }
    (lines, unread)
}

fn read_line(objects: &dyn Objects, charter: &Charter, log: LogName, oid: Oid) -> Result<Line, String> {
    let head = read_head(objects, &charter.roster, charter.vault, log, oid)?;
    let (telling, in_force) = (Telling::new(), Finder::new("\"roster\":\""));
    let (mut entries, mut rosters) = (Vec::new(), BTreeSet::new());
    let scanned = scan(objects, &head, &BTreeSet::new(), &mut |line| {
        if telling.tells(line) {
            entries.extend(Entry::parse(line).ok().map(|parsed| parsed.entry));
        }
        let roster = in_force.find(line).and_then(|at| line.get(at + 10..at + 74));
        rosters.extend(roster.and_then(|hex| std::str::from_utf8(hex).ok()?.parse::<Digest>().ok()));
    })
    .map_err(|error| error.to_string())?;
    let of_main = |entry: &Entry| entry.wrote.iter().chain(&entry.forgot).any(|file| file.0 == "main");
    Ok(Line {
        oid,
        size: scanned.frontier.size(),
        root: scanned.frontier.root(),
        touches_main: entries.iter().any(of_main),
        entries,
        rosters,
    })
}

/// The root of a history at a size.
fn root_at(objects: &dyn Objects, line: &Line, size: u64) -> Result<Option<Digest>, String> {
    let head = Head::read(objects, line.oid).map_err(|error| error.to_string())?;
    let scanned = scan(objects, &head, &[size].into(), &mut |_| {});
    Ok(scanned.map_err(|error| error.to_string())?.roots.remove(&size))
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

/// How a history of the other clone stands to one here; `None` if neither goes on from the other.
fn compare(repo: &dyn Objects, mine: &Line, view: &dyn Objects, theirs: &Line) -> Result<Option<Ordering>, String> {
    let order = theirs.size.cmp(&mine.size);
    let goes_on = match order {
        Ordering::Equal => mine.root == theirs.root,
        Ordering::Greater => root_at(view, theirs, mine.size)? == Some(mine.root),
        Ordering::Less => root_at(repo, mine, theirs.size)? == Some(theirs.root),
    };
    Ok(goes_on.then_some(order))
}

impl Lines {
    /// What is here together with what the other clone holds, but for the logs in `left_out`.
    pub(super) fn joined_with(
        &self,
        repo: &Repo,
        view: &View<'_>,
        theirs: &Self,
        left_out: &BTreeMap<LogName, String>,
    ) -> Self {
        let (mut logs, mut fates) = (self.logs.clone(), BTreeMap::new());
        let broken = |(log, why): (&LogName, &String)| (*log, Fate::Broken(why.clone()));
        fates.extend(left_out.iter().map(broken));
        for (log, held) in theirs.logs.iter().filter(|(log, _)| !left_out.contains_key(log)) {
            let here = logs.get(log).cloned().unwrap_or_default();
            let fate = match join(repo, here, view, held) {
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

    /// Whether there is a history that was kept and cannot be read.
    pub(super) fn lack_some(&self) -> bool {
        !self.unread.is_empty()
    }

    /// What exists by all of them, each as far as it counts; of a log of which only another history is left, nothing. What is here is read from `here`, what is new from `there`.
    pub(super) fn live(&self, cuts: Cuts, here: &dyn Objects, there: &dyn Objects) -> Result<LiveSet, LedgerError> {
        let mut live = LiveSet::within(cuts);
        let known = || self.logs.iter().filter(|(_, held)| held.iter().any(|held| !held.fork));
        let several = || known().filter(|(_, held)| held.len() > 1);
        live.expect(Histories::of(several().map(|(log, _)| *log)));
        for (_, held) in known() {
            for (history, held) in held.iter().enumerate() {
                let entries = held.line.entries.iter();
                entries.for_each(|entry| live.apply_in(entry, history));
            }
        }
        for (log, held) in several() {
            let at = |held: &Held| (if held.new { there } else { here }, held.line.oid);
            let told = tell_apart(&mut live, *log, &held.iter().map(at).collect::<Vec<_>>());
            told.map_err(|error| scan_fault(*log, error))?;
        }
        Ok(live)
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
            for other in others {
                let relations = held.iter().map(|held| compare(here, &held.line, there, &other.line));
                if !relations.into_iter().any(|relation| !matches!(relation, Ok(None))) {
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
        let all = self
            .logs
            .iter()
            .flat_map(|(log, held)| held.iter().map(move |held| (*log, held)));
        let branch = |(log, held): (LogName, &Held)| {
            let name = match held.fork {
                true => fork_ref(log, held.line.root),
                false => audit_ref(log),
            };
            (name, held.line.oid)
        };
        let unread = self.unread.iter().map(|(name, oid)| (name.clone(), *oid));
        unread.chain(all.map(branch)).collect()
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

/// The logs whose histories no longer go through a head that was accepted: case 18.
pub(super) fn moved_back(
    objects: &dyn Objects,
    lines: &Lines,
    heads: impl Iterator<Item = (LogName, u64, Digest)>,
    whose: &str,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (log, size, root) in heads {
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

/// Whether the other clone holds one commit for each entry of a history beyond `from`.
fn check_commits(view: &View<'_>, line: &Line, from: Option<&Line>) -> Result<(), String> {
    let (known, size) = from.map_or((None, 0), |from| (Some(from.oid), from.size));
    let mut seen = 0;
    each_object(view, line.oid, &known.into_iter().collect(), 2, &mut |object| {
        seen += u64::from(object.kind == crate::repo::Kind::Commit);
        Ok(())
    })
    .map_err(|error| error.to_string())?;
    match seen == line.size - size {
        true => Ok(()),
        false => Err("its commits are not one for each entry".to_owned()),
    }
}

/// The histories of one log, here and there, none of them the beginning of another.
fn join(repo: &Repo, mut here: Vec<Held>, view: &View<'_>, theirs: &[Held]) -> Result<(Vec<Held>, Fate), String> {
    let mut fate = Fate::Same;
    if here.iter().all(|held| held.fork) {
        // The log's own branch comes first, and what was kept beside it here is measured by that.
        let branch = theirs.first().filter(|held| !held.fork);
        let branch = branch.ok_or("only another history of it is left")?;
        check_commits(view, &branch.line, None)?;
        let mut beside = vec![Held {
            new: true,
            ..branch.clone()
        }];
        for mine in here {
            let order = compare(repo, &mine.line, view, &branch.line)?;
            beside.extend(Some(mine).filter(|_| order.is_none_or(Ordering::is_lt)));
        }
        (here, fate) = (beside, Fate::New(branch.line.size));
    }
    let had = here.len();
    for their in theirs {
        let line = &their.line;
        let mut on = None;
        let mut known = false;
        for (n, mine) in here.iter().enumerate() {
            // What was just taken is not here yet.
            let whose: &dyn Objects = if mine.new { view } else { repo };
            match compare(whose, &mine.line, view, line)? {
                Some(Ordering::Greater) => on = on.or(Some(n)),
                Some(order) => {
                    known = true;
                    if order == Ordering::Less && !their.fork {
                        fate = Fate::Behind;
                    }
                }
                None => {}
            }
        }
        if known {
            continue;
        }
        match on.and_then(|n| here.get_mut(n)) {
            Some(mine) => {
                let from = mine.line.size;
                check_commits(view, line, Some(&mine.line))?;
                if !mine.fork {
                    fate = Fate::Ahead { from, to: line.size };
                }
                (mine.line, mine.new) = (line.clone(), true);
            }
            None => {
                check_commits(view, line, None)?;
                here.push(Held {
                    line: line.clone(),
                    fork: true,
                    new: true,
                });
            }
        }
    }
    if here.len() > had {
        fate = Fate::Diverged;
    }
    Ok((here, fate))
}
