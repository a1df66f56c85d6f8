//! What goes to another repository, and whether anything is to be had from it, told by its branches alone
//! (docs/FORMAT.md §7.2).
//!
//! Logs, members and rules only go on: nothing of them is pushed that does not go on from what is there. Branches of files
//! go where the logs say, and with them what was forgotten leaves the other repository.

use super::accepted::Accepted;
use super::error::LedgerError;
use super::merge::{MainFate, Merged, files_of, follows};
use super::merge_lines::{Fate, main_moved_back, moved_back, read_lines};
use super::objects::{AUDIT, COMMIT_MAX, HEADS, MAIN, WITNESS, audit_ref, fork_ref, log_of};
use super::start::{Ledger, read_head};
use super::verify::is_branch;
use crate::chain::{Checkpoint, FileRef, Problem};
use crate::id::{Digest, LogName};
use crate::repo::{Listed, Oid, PushedRef, Repo, is_name};
use crate::session::Identity;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The branches of another repository, as it lists them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Elsewhere {
    /// Those that a vault has, without their prefix.
    pub(super) branches: BTreeMap<String, Oid>,
    /// The full names of all other refs, as they are told.
    pub strays: Vec<String>,
}

impl Elsewhere {
    /// Sorts what is listed.
    pub fn sort(listed: Listed) -> Self {
        let mut sorted = Self {
            branches: BTreeMap::new(),
            strays: listed.others,
        };
        for (name, oid) in listed.branches {
            let branch = name.strip_prefix(HEADS).filter(|branch| is_of_a_vault(branch));
            match branch.map(str::to_owned) {
                Some(branch) => drop(sorted.branches.insert(branch, oid)),
                None => sorted.strays.push(name),
            }
        }
        // The branch that a clone begins with is named so everywhere.
        sorted.strays.retain(|name| name != "HEAD");
        sorted.strays.sort();
        sorted
    }

    /// All of it as `git ls-remote` writes it, the refs of no vault without what they point to.
    pub fn to_text(&self) -> String {
        let branches = self
            .branches
            .iter()
            .map(|(name, oid)| format!("{oid}\t{HEADS}{name}\n"));
        let strays = self
            .strays
            .iter()
            .map(|name| format!("stray\t{}\n", name.escape_debug()));
        branches.chain(strays).collect()
    }

    /// Whether it has nothing of a vault.
    pub fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }

    /// Whether it has members and rules.
    pub fn has_main(&self) -> bool {
        self.branches.contains_key(MAIN)
    }

    /// The full names of its branches.
    pub fn names(&self) -> Vec<String> {
        self.branches.keys().map(|name| format!("{HEADS}{name}")).collect()
    }

    /// The same in parts that are fetched apart, the last first: the branches of witnesses whoever can push makes as they like.
    pub fn names_apart(&self) -> Vec<Vec<String>> {
        let (witnesses, others) = self.names().into_iter().partition(|name| is_witness(name));
        vec![witnesses, others]
            .into_iter()
            .filter(|names: &Vec<String>| !names.is_empty())
            .collect()
    }

    /// What was fetched of it now, together with what was not: its strays, and those of its branches that are `broken`.
    pub fn renewed(mut self, fetched: Self, broken: &[String]) -> Self {
        self.branches
            .retain(|name, _| broken.iter().any(|broken| broken.strip_prefix(HEADS) == Some(name)));
        self.branches.extend(fetched.branches);
        self
    }

    /// Whether a log, or members and rules, are among the branches that did not come.
    pub fn lacks_a_log(missing: &[String]) -> bool {
        let mut branches = missing.iter().filter_map(|name| name.strip_prefix(HEADS));
        branches.any(|branch| branch == MAIN || branch.starts_with(AUDIT))
    }

    /// The patterns by which a fetch gets everything of a vault.
    pub fn patterns(&self) -> Vec<&'static str> {
        let main = self.has_main().then_some("refs/heads/main");
        let rooms = [
            "refs/heads/audit/*",
            "refs/heads/notes/*",
            "refs/heads/keys/*",
            "refs/heads/witness/*",
        ];
        main.into_iter().chain(rooms).collect()
    }

    /// The strays that these patterns would bring along.
    pub fn left_out(&self) -> Vec<&str> {
        let rooms = [AUDIT, "notes/", "keys/", WITNESS];
        let among = |name: &&str| {
            let branch = name.strip_prefix(HEADS);
            branch.is_some_and(|branch| rooms.iter().any(|room| branch.starts_with(room)))
        };
        // By what git takes for no name it would leave nothing out, and fetch nothing.
        self.strays
            .iter()
            .map(String::as_str)
            .filter(among)
            .filter(|name| is_name(name))
            .collect()
    }

    /// What the branches of a repository are now.
    pub fn of(repo: &Repo) -> Result<Self, LedgerError> {
        let mut listed = Listed::default();
        for (name, oid) in repo.refs_as_found("refs/")? {
            match oid.filter(|_| name.starts_with(HEADS)) {
                Some(oid) => drop(listed.branches.insert(name, oid)),
                None => listed.others.push(name),
            }
        }
        Ok(Self::sort(listed))
    }

    /// The full names of its branches that stand in the vault where they stand there, and whose newest commit is there.
    pub fn alike(&self, repo: &Repo) -> Result<BTreeMap<String, Oid>, LedgerError> {
        let own = Self::of(repo)?.branches;
        let alike = self
            .branches
            .iter()
            .filter(|(name, oid)| own.get(*name) == Some(oid) && repo.contains(**oid));
        Ok(alike.map(|(name, oid)| (format!("{HEADS}{name}"), *oid)).collect())
    }

    /// Whether its logs, members, rules or witnesses hold anything that the vault does not. If they do not, nothing of its
    /// files can count that is not here.
    pub fn has_news(&self, repo: &Repo) -> Result<bool, LedgerError> {
        let own = Self::of(repo)?.branches;
        for (name, there) in self.branches.iter().filter(|(name, _)| !is_shard(name)) {
            let log = log_of(name).map(|(log, _)| log);
            let alike = |known: &str| known == name || (log.is_some() && log_of(known).map(|(log, _)| log) == log);
            let mut here = own.iter().filter(|(known, _)| alike(known)).map(|(_, oid)| *oid);
            let known = repo.contains(*there) && here.any(|here| follows(repo, here, *there));
            if !known {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn is_shard(branch: &str) -> bool {
    branch.starts_with("notes/") || branch.starts_with("keys/")
}

/// Whether a ref is a branch of a witness.
pub fn is_witness(name: &str) -> bool {
    name.strip_prefix(HEADS)
        .is_some_and(|branch| branch.starts_with(WITNESS))
}

/// Whether a branch is one that a vault has.
pub fn is_of_a_vault(branch: &str) -> bool {
    match branch.starts_with(AUDIT) {
        true => log_of(branch).is_some(),
        false => is_branch(branch),
    }
}

/// What is to be pushed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Push {
    /// The branches that move.
    pub moves: Vec<PushedRef>,
    /// Branches of the other repository that cannot be moved to where they are here, and why not.
    pub held_back: Vec<(String, &'static str)>,
    /// Where branches stand there that hold what is forgotten with this push: it lies on that disk until it prunes.
    pub forgotten: Vec<Oid>,
    /// Where each log stands there afterwards.
    heads: Vec<(LogName, u64, Digest)>,
    /// Where members and rules do, if that is where they stand here.
    main: Option<Oid>,
}

impl Push {
    /// The same for a vault that is worked in, where nothing is pushed: what its device knows is not yet with others.
    pub fn into_a_clone(self) -> Self {
        Self { main: None, ..self }
    }
}

impl Ledger<'_> {
    /// Makes durable what git holds, and empties the journal: before anything is exchanged.
    pub fn cut(&self) -> Result<(), LedgerError> {
        Ok(self.repo.cut(&self.lock)?)
    }

    /// The logs that went back in another repository since it was last merged, or to another history, judged by what of its
    /// branches is here: of a log whose own branch there leads to what is not, it cannot be told.
    pub fn went_back(&self, name: &str, theirs: &Elsewhere) -> Result<Vec<Problem>, LedgerError> {
        let charter = &self.standing.charter;
        let accepted = Accepted::read(&self.state, self.identity)?;
        let heads = theirs.branches.iter().map(|(name, oid)| (name.as_str(), *oid));
        let (lines, _) = read_lines(self.repo, heads, charter);
        let known = |log: LogName| {
            let own = theirs.branches.get(&audit_ref(log));
            own.is_none_or(|own| self.repo.contains(*own))
        };
        let heads = accepted.of(name).filter(|(log, ..)| known(*log));
        let cuts = charter.roster.cuts();
        let mut problems = moved_back(self.repo, &lines, &|log| cuts.of(log), heads, "the remote");
        let main = theirs.branches.get(MAIN).copied();
        problems.extend(main_moved_back(self.repo, accepted.main_of(name), main, "the remote"));
        Ok(problems)
    }

    /// What is to be pushed to another repository that has these branches. `merged` says what became of its logs, if they
    /// held anything new, and `fetched` holds its branches.
    pub fn plan_push(
        &self,
        theirs: &Elsewhere,
        merged: Option<&Merged>,
        fetched: Option<&Repo>,
    ) -> Result<Push, LedgerError> {
        let mut push = Push::default();
        if merged.is_some_and(|merged| matches!(merged.main, MainFate::Diverged | MainFate::Broken(_))) {
            return Ok(push);
        }
        let broken = |merged: &Merged| merged.logs.iter().any(|(_, fate)| matches!(fate, Fate::Broken(_)));
        // Of what was listed and did not come nobody knows what it has written. A witness writes no files.
        let came = |oid: &Oid| self.repo.contains(*oid) || fetched.is_some_and(|fetched| fetched.contains(*oid));
        let mut unread = theirs
            .branches
            .iter()
            .filter(|(name, oid)| !is_shard(name) && !name.starts_with(WITNESS) && !came(oid));
        let left_out = merged.is_some_and(broken) || unread.next().is_some();
        let there = |branch: &str| theirs.branches.get(branch).copied();
        for (branch, here) in Elsewhere::of(self.repo)?.branches {
            let seen = there(&branch);
            let moved = |name: String, seen, forced| PushedRef {
                name: format!("{HEADS}{name}"),
                seen,
                new: here,
                forced,
            };
            if let Some((log, fork)) = log_of(&branch) {
                // One of which only the beginning counts was read.
                let read = fork.is_none() && self.standing.others.contains_key(&log);
                if self.is_set_aside(log, fork.is_some()) && !read {
                    continue;
                }
                self.plan_log((log, fork), here, theirs, &mut push);
            } else if is_shard(&branch) {
                if seen == Some(here) || (seen.is_none() && files_of(self.repo, here)?.is_empty()) {
                    continue;
                }
                let keeps = || self.holds_what_counts(&branch, here, seen, fetched);
                match !left_out || keeps()? {
                    true => {
                        push.forgotten.extend(seen.filter(|seen| !self.goes_on(here, *seen)));
                        push.moves.push(moved(branch, seen, true));
                    }
                    false => {
                        let why = "it holds files there of a log that could not be taken";
                        push.held_back.push((branch, why));
                    }
                }
            } else if seen.is_none_or(|seen| seen != here && self.goes_on(here, seen)) {
                push.main = push.main.or((branch == MAIN).then_some(here));
                push.moves.push(moved(branch, seen, false));
            } else if branch == MAIN && seen == Some(here) {
                push.main = Some(here);
            }
        }
        Ok(push)
    }

    /// A log goes where it goes on from what is there, and under another name, as another history, where it does not.
    fn plan_log(&self, (log, fork): (LogName, Option<Digest>), here: Oid, theirs: &Elsewhere, push: &mut Push) {
        let own = match fork {
            None => audit_ref(log),
            Some(root) => fork_ref(log, root),
        };
        let main = theirs.branches.get(&audit_ref(log)).copied();
        let seen = theirs.branches.get(&own).copied();
        let charter = &self.standing.charter;
        let head = read_head(self.repo, &charter.roster, charter.vault, log, here);
        let Ok(end) = head.map(|head| head.message.checkpoint.checkpoint) else {
            return;
        };
        // What a removed device wrote beyond what a card accepts counts for nothing, and goes nowhere from here.
        let counted = match fork {
            None => self.as_far_as_it_counts(log, here, end),
            Some(_) => Some((here, end)),
        };
        let Some((counted, end)) = counted.filter(|(counted, _)| {
            let has_more = |seen| seen == here || self.goes_on(seen, *counted);
            *counted == here || !seen.is_some_and(has_more)
        }) else {
            return;
        };
        let here = counted;
        let moved = |name: String, seen| PushedRef {
            name: format!("{HEADS}{name}"),
            seen,
            new: here,
            forced: false,
        };
        if fork.is_none() {
            push.heads.push((log, end.size, end.root));
        }
        match seen {
            Some(seen) if seen == here => {}
            Some(seen) if self.goes_on(here, seen) => push.moves.push(moved(own, Some(seen))),
            // The other repository has that history under the log's own name.
            None if fork.is_some() && main.is_some_and(|main| main == here || self.goes_on(main, here)) => {}
            None => push.moves.push(moved(own, None)),
            Some(seen) => {
                push.heads.retain(|(known, ..)| *known != log);
                // Once a lead has looked at both, each stays where it is.
                let joined = read_head(self.repo, &charter.roster, charter.vault, log, seen).is_ok_and(|head| {
                    let other = head.message.checkpoint.checkpoint;
                    let ends = [end, other].map(|end| (log, end.size, end.root));
                    let mut cards = charter.roster.cards().iter();
                    cards.any(|card| ends.iter().all(|end| card.joined.contains(end)))
                });
                if !joined {
                    let why = "another history stands there, and a log is never overwritten";
                    push.held_back.push((own, why));
                }
                let beside = fork_ref(log, end.root);
                if fork.is_none() && !theirs.branches.contains_key(&beside) {
                    push.moves.push(moved(beside, None));
                }
            }
        }
    }

    /// Where a log ends, or the beginning of it that counts.
    fn as_far_as_it_counts(&self, log: LogName, here: Oid, end: Checkpoint) -> Option<(Oid, Checkpoint)> {
        let charter = &self.standing.charter;
        let cut = charter.roster.cuts().of(log).filter(|(size, _)| *size < end.size);
        let Some((size, root)) = cut else {
            return Some((here, end));
        };
        let back = usize::try_from(end.size - size).ok().filter(|_| size > 0)?;
        let (at, _) = self.repo.first_parents(here, COMMIT_MAX).nth(back)?.ok()?;
        let head = read_head(self.repo, &charter.roster, charter.vault, log, at).ok()?;
        let counted = head.message.checkpoint.checkpoint;
        ((counted.size, counted.root) == (size, root)).then_some((at, counted))
    }

    fn goes_on(&self, here: Oid, from: Oid) -> bool {
        self.repo.contains(from) && follows(self.repo, here, from)
    }

    fn is_set_aside(&self, log: LogName, fork: bool) -> bool {
        let mut set_aside = self.quarantined().iter().filter(|known| known.log == log);
        set_aside.any(|known| !known.fork || fork)
    }

    /// Whether a branch of files holds here all that it holds there, but for what was forgotten.
    fn holds_what_counts(
        &self,
        branch: &str,
        here: Oid,
        there: Option<Oid>,
        fetched: Option<&Repo>,
    ) -> Result<bool, LedgerError> {
        let (Some(there), Some(fetched)) = (there, fetched) else {
            return Ok(there.is_none_or(|there| self.goes_on(here, there)));
        };
        let own = files_of(self.repo, here)?;
        let Ok(files) = files_of(fetched, there) else {
            return Ok(false);
        };
        let forgotten = |path: &String| {
            let digest = path.rsplit_once('.').and_then(|(_, digest)| digest.parse().ok());
            let file = digest.map(|digest| FileRef(branch.to_owned(), path.clone(), digest));
            file.is_none_or(|file| self.standing.live.is_forgotten(&file))
        };
        Ok(files.keys().all(|path| own.contains_key(path) || forgotten(path)))
    }
}

/// Notes that the logs stand in another repository where a push left them: were they put back later, that shows.
pub fn note_pushed(
    repo: &Repo,
    identity: &Identity,
    state: &Path,
    patience: Duration,
    (name, push): (&str, &Push),
) -> Result<(), LedgerError> {
    let _lock = repo.lock(patience)?;
    let mut accepted = Accepted::read(state, identity)?;
    let before = accepted.clone();
    for (log, size, root) in &push.heads {
        accepted.accept(name, *log, *size, *root);
    }
    push.main.into_iter().for_each(|main| accepted.accept_main(name, main));
    match accepted == before {
        true => Ok(()),
        false => accepted.write(state, identity),
    }
}
