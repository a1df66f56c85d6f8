//! Merging: another clone's logs, and what they say exists, become part of this vault.
//!
//! 1. Every log of the other clone is verified with its own members' cards, whose founder is the one this device pinned.
//!    One that is broken is left out and named; the others are compared with those here by hashing their lines again.
//! 2. What exists is what the logs of both say together: a file that stands in no entry is not taken, and one that was
//!    forgotten is not taken back.
//! 3. Objects are written and made durable; then all branches move in one batch, so that the vault is valid before it
//!    and after it. What was forgotten leaves this disk.

use super::accepted::Accepted;
use super::append::NOBODY;
use super::charter::Charter;
use super::error::LedgerError;
use super::exchange::is_shard;
use super::high_water::MarkFile;
use super::kept::{log_branches, without_prefix};
use super::merge_lines::{Fate, Lines, main_moved_back, moved_back, read_lines};
use super::objects::{BUNDLE_MAX, COMMIT_MAX, FILE_MAX, HEADS, MAIN, Objects, TREE_MAX, WITNESS, audit_ref};
use super::scan::Head;
use super::start::read_head;
use super::stored::SEALED_MAX;
use super::verify::{Anchors, Facts, Scope, Tally, examine_view, is_branch};
use super::verify_files::misfit;
use super::verify_witness::{each_cosigned, verify_form};
use super::view::View;
use crate::chain::{Cuts, FileRef, LiveSet, Problem, Receipt, Time};
use crate::crypto::sha256;
use crate::env::{FileError, read_bounded, replace_private, write_new_private};
use crate::id::{DeviceId, Digest, EntryRef, LogName};
use crate::repo::{
    Arrivals, Batch, Commit, Kind, Lock, Mode, Object, Oid, RefChange, Repo, TreeEntry, commit_bytes, tree_bytes,
};
use crate::session::Identity;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The most commits of one branch's history that are looked at.
const HISTORY_MAX: usize = 1 << 17;
/// How many folders deep a log's tree is, its own among them: `bundles/<hhhh>/<hh>`.
pub(super) const LOG_DEPTH: usize = 3;
/// The same of `main`: `policies/<folder>/<folder>`.
pub(super) const MAIN_DEPTH: usize = 4;
/// From so many bytes on a branch of files takes nothing more of a device that holds more than a share of it, and from so many
/// nothing at all: a merge must leave room below [`TREE_MAX`], and below what can be written at once, for what devices write
/// themselves.
const SHARD_FULL: usize = 2048 << 10;
const SHARE: usize = 1024 << 10;
const SHARD_OVERFULL: usize = 3584 << 10;
/// The folder of this device's state for files of notes that were destroyed elsewhere.
const SET_ASIDE: &str = "quarantine";

/// What became of roster and policies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MainFate {
    /// Both clones have the same.
    Same,
    /// This vault's go on from the other's.
    Kept,
    /// The other's go on from this vault's, and are in force here now.
    Taken,
    /// Neither goes on from the other: nothing was merged, and a person decides.
    Diverged,
    /// The other's are not those that its logs say are in force.
    Broken(String),
}

/// What a merge did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// Each log of the other clone.
    pub logs: Vec<(LogName, Fate)>,
    /// Roster and policies.
    pub main: MainFate,
    /// Files of notes that were written to here and destroyed elsewhere: they are no part of the vault any more and lie
    /// in this device's state.
    pub set_aside: Vec<FileRef>,
    /// Branches of the other clone that went back since they were last merged, or to another history (case 18).
    pub moved_back: Vec<Problem>,
    /// The first entry of the log that this device writes to from now on, since the one before has two histories.
    pub began: Option<EntryRef>,
    /// Refs that are no part of a vault and still hold what was forgotten.
    pub held: Vec<String>,
    /// Logs of which an entry of another has seen more than is here or there: with that entry, and how much it saw.
    pub withheld: Vec<(LogName, EntryRef, u64)>,
    /// Branches of witnesses that were not taken.
    pub witnesses: Vec<String>,
    /// What the verifier says of the other clone, but for what it says of files.
    pub told: Vec<Problem>,
}

impl Merged {
    /// The logs that were not merged, or not as one history, and why.
    pub fn problems(&self) -> impl Iterator<Item = (LogName, &Fate)> {
        let bad = |fate: &Fate| matches!(fate, Fate::Diverged | Fate::Broken(_));
        self.logs
            .iter()
            .filter(move |(_, fate)| bad(fate))
            .map(|(log, fate)| (*log, fate))
    }
}

/// One merge, under the lock.
pub(super) struct Merge<'a> {
    pub(super) repo: &'a Repo,
    pub(super) lock: &'a Lock,
    pub(super) identity: &'a Identity,
    pub(super) state: &'a Path,
    pub(super) now: Time,
    /// Whether branches of files may lack that are there: what they hold is not lost then, and waited for.
    pub(super) in_part: bool,
}

/// What is to become of the logs, as far as it is known.
struct Plan {
    lines: Lines,
    main: MainFate,
    live: LiveSet,
}

/// The other clone at one moment.
pub(super) struct Theirs<'a> {
    pub(super) view: View<'a>,
    pub(super) charter: Charter,
    pub(super) facts: Facts,
    told: Vec<Problem>,
    /// Up to where logs were looked at that go on beyond what the cards there accept of them.
    ends: BTreeMap<LogName, (u64, Digest)>,
    pub(super) lines: Lines,
    pub(super) broken: BTreeMap<LogName, String>,
}

/// Objects that are there already, each as what it was read for: one named as a file and as a folder is one of them alone.
type Given = BTreeSet<(Kind, Oid)>;

/// Files that nobody holds, and the entries that wrote them.
type Lost = Vec<(FileRef, EntryRef, Option<&'static str>)>;

/// What a branch of files is to hold, and what changes for it.
struct Shard {
    name: String,
    old: Option<Oid>,
    files: BTreeMap<String, Oid>,
    /// Files of it whose blobs come from the other clone.
    new: Vec<FileRef>,
    /// Files that were here and exist no longer.
    gone: Vec<(String, Oid)>,
}

impl<'a> Merge<'a> {
    /// Merges another clone. Recovery must have been done under the lock.
    pub(super) fn run(&self, other: &Repo, name: &str) -> Result<Merged, LedgerError> {
        self.repo.finish_forgetting(self.lock).map_err(LedgerError::NotGone)?;
        self.repo.clear_half_objects(self.lock).map_err(LedgerError::NotGone)?;
        let main = self.repo.ref_target(&format!("{HEADS}{MAIN}"))?;
        let main = main.ok_or(LedgerError::NotAVault("it has no branch `main`"))?;
        let charter = Charter::read(self.repo, main, self.identity.founder_pin())?;
        if charter.vault != self.identity.vault() {
            return Err(LedgerError::OtherVault);
        }
        let (heads, damaged) = log_branches(self.repo)?;
        let (mine, unread) = read_lines(self.repo, without_prefix(&heads), &charter);
        let theirs = self.theirs(other)?;
        let mut accepted = Accepted::read(self.state, self.identity)?;
        let mut left_out = theirs.broken.clone();
        for (log, why) in &unread {
            left_out
                .entry(*log)
                .or_insert_with(|| format!("what is here of it: {why}"));
        }
        let related = match self.relate(&charter, &theirs) {
            MainFate::Diverged => {
                let known = accepted.main_of(name);
                self.relate_beside((&charter, &mine), &theirs, &left_out, known)?
            }
            related => related,
        };
        let (cuts, before) = (charter.roster.cuts(), accepted.of(name));
        // What was not looked at there is not gone from there.
        let end = |log| theirs.ends.get(&log).copied().or_else(|| cuts.of(log));
        let whose = "the other clone";
        let mut moved_back = moved_back(&theirs.view, &theirs.lines, &end, before, whose);
        let main = Some(theirs.charter.commit);
        moved_back.extend(main_moved_back(self.repo, accepted.main_of(name), main, whose));
        if matches!(related, MainFate::Diverged) {
            return Ok(Merged {
                logs: Vec::new(),
                main: related,
                set_aside: Vec::new(),
                moved_back,
                began: None,
                held: Vec::new(),
                withheld: Vec::new(),
                witnesses: Vec::new(),
                told: theirs.told,
            });
        }
        let whole = unread.is_empty() && damaged.is_empty() && {
            let mark = MarkFile::open(self.state)?.read(self.identity)?;
            let mark = mark.map(|mark| (mark.log, mark.size, mark.root));
            mine.are_whole(&charter.roster.cuts(), accepted.all().chain(mark))
        };
        let (plan, shards) = self.plan(&charter, &mine, &theirs, related, left_out, whole)?;
        let mut merged = self.carry_out(&charter, &mine, &theirs, plan, shards)?;
        merged.moved_back = moved_back;
        merged.told.clone_from(&theirs.told);
        self.accept(&mut accepted, name, &theirs, &merged)?;
        Ok(merged)
    }

    /// Notes how far the other clone's logs had come, but for those that were left out or went back.
    fn accept(
        &self,
        accepted: &mut Accepted,
        name: &str,
        theirs: &Theirs<'_>,
        merged: &Merged,
    ) -> Result<(), LedgerError> {
        let before = accepted.clone();
        for (log, size, root) in theirs.lines.heads() {
            let broken = merged
                .logs
                .iter()
                .any(|(known, fate)| *known == log && matches!(fate, Fate::Broken(_)));
            let back = merged.moved_back.iter().any(|problem| problem.log == Some(log));
            if !broken && !back {
                accepted.accept(name, log, size, root);
            }
        }
        match *accepted == before {
            true => Ok(()),
            false => accepted.write(self.state, self.identity),
        }
    }

    /// Reads and verifies the other clone.
    pub(super) fn theirs<'b>(&self, other: &'b Repo) -> Result<Theirs<'b>, LedgerError> {
        let founder = self.identity.founder_pin();
        let pins = Receipt {
            vault: self.identity.vault(),
            time: self.now,
            founder,
            roster: founder,
            checkpoints: Vec::new(),
        };
        let anchors = Anchors {
            receipt: Some(&pins),
            high_water: None,
            witnesses: &[],
            now: self.now,
            deep: false,
        };
        let mut view = View::now(other)?;
        let (beyond, ends) = match view.branches.get(MAIN).copied() {
            Some(main) => {
                let charter = Charter::read(&view, main, founder);
                charter.map_or_else(|_| Default::default(), |charter| cut_off(&mut view, &charter))
            }
            None => Default::default(),
        };
        // Files are looked at where they are taken: most of them are here already. And whether the logs say what is on
        // `main`, is judged of all logs together.
        let (report, facts, _, mut broken) = examine_view(other, &view, &anchors, Scope::Logs)?;
        if facts.vault != self.identity.vault() {
            return Err(LedgerError::OtherVault);
        }
        let main = view.branches.get(MAIN).copied();
        let main = main.ok_or(LedgerError::NotAVault("the other clone has no branch `main`"))?;
        let charter = Charter::read(&view, main, founder)?;
        let heads = view.branches.iter().map(|(name, oid)| (name.as_str(), *oid));
        let (lines, unread) = read_lines(&view, heads, &charter);
        unread.into_iter().for_each(|(log, why)| {
            broken.entry(log).or_insert(why);
        });
        Ok(Theirs {
            view,
            charter,
            facts,
            told: [report.told(), beyond].concat(),
            ends,
            lines,
            broken,
        })
    }

    /// Decides what to take. What would leave the vault without a file that an entry wrote, or with other members or
    /// policies than its logs say, is left out.
    fn plan(
        &self,
        charter: &Charter,
        mine: &Lines,
        theirs: &Theirs<'_>,
        mut main: MainFate,
        mut left_out: BTreeMap<LogName, String>,
        whole: bool,
    ) -> Result<(Plan, Vec<Shard>), LedgerError> {
        loop {
            let lines = mine.joined_with(self.repo, (&theirs.view, &theirs.facts), &theirs.lines, &left_out);
            // Under cards that accept more of a log than is here no start would find what that wrote.
            if main == MainFate::Taken {
                let short = lines.short_of(&theirs.charter.roster.cuts(), self.repo, &theirs.view);
                if let Some((log, size)) = short {
                    let message = format!("its cards accept {size} entries of the log {log}, which are not all there");
                    main = MainFate::Broken(message);
                }
            }
            let in_force = match main {
                MainFate::Taken => &theirs.charter,
                _ => charter,
            };
            let live = lines.live(in_force.roster.cuts(), self.repo, &theirs.view)?;
            if !says(&live, &in_force.files) {
                let rests = "it rests on members or policies that are not in force here";
                let before = left_out.len();
                for (log, line) in lines.news() {
                    let known = line.rosters.iter().all(|roster| charter.roster.contains(*roster));
                    if line.touches_main || !known {
                        left_out.insert(log, rests.to_owned());
                    }
                }
                if main == MainFate::Taken {
                    let message = "its logs do not say that they are in force";
                    main = MainFate::Broken(message.to_owned());
                } else if left_out.len() == before {
                    let message = "roster and policies are not those that the logs say are in force";
                    return Err(LedgerError::tampered(Problem::vault(36, message)));
                }
                continue;
            }
            let (shards, lost) = self.shards(&live, theirs, whole)?;
            let news: BTreeSet<LogName> = lines.news().map(|(log, _)| log).collect();
            let lost: Vec<_> = lost.into_iter().filter(|(_, by, _)| news.contains(&by.log)).collect();
            if lost.is_empty() {
                let over = overfull(&shards, &live, &news, &in_force.roster.cuts());
                if over.is_empty() {
                    return Ok((Plan { lines, main, live }, shards));
                }
                left_out.extend(over);
                continue;
            }
            if self.in_part && lost.iter().any(|(.., misfit)| misfit.is_none()) {
                return Err(LedgerError::InPart);
            }
            for (file, by, misfit) in lost {
                let (at, name) = (by.seq, &file.0);
                let why = match misfit {
                    None => format!("the clone does not hold what its entry {at} wrote to {name}"),
                    Some(what) => format!("what its entry {at} wrote to {name} {what}"),
                };
                left_out.entry(by.log).or_insert(why);
            }
        }
    }

    /// What every branch of files is to hold, for those where something changes; and the files that nobody holds, or that are
    /// none.
    fn shards(&self, live: &LiveSet, theirs: &Theirs<'_>, whole: bool) -> Result<(Vec<Shard>, Lost), LedgerError> {
        let mut expected: BTreeMap<String, Vec<(FileRef, EntryRef)>> = BTreeMap::new();
        for (name, _) in self.repo.refs_as_found(HEADS)? {
            if let Some(name) = name
                .strip_prefix(HEADS)
                .filter(|name| is_shard(name) && is_branch(name))
            {
                expected.entry(name.to_owned()).or_default();
            }
        }
        for (file, by) in live.iter().map(|(file, by)| (file.file(), by)) {
            if is_shard(&file.0) {
                expected.entry(file.0.clone()).or_default().push((file, by));
            }
        }
        let (mut shards, mut lost) = (Vec::new(), Vec::new());
        for (name, files) in expected {
            let old = self.repo.ref_target(&format!("{HEADS}{name}"))?;
            let mut here = match old {
                Some(commit) => files_of(self.repo, commit)?,
                None => BTreeMap::new(),
            };
            // What the other clone does not hold is not there, whatever keeps it from being read.
            let commit = theirs.view.branches.get(&name).copied();
            let there = commit
                .and_then(|commit| files_of(&theirs.view, commit).ok())
                .unwrap_or_default();
            let mut shard = Shard {
                name,
                old,
                files: BTreeMap::new(),
                new: Vec::new(),
                gone: Vec::new(),
            };
            for (file, by) in files {
                if let Some(oid) = here.remove(&file.1) {
                    shard.files.insert(file.1.clone(), oid);
                } else if let Some((oid, bytes)) =
                    there.get(&file.1).and_then(|oid| read_file(&theirs.view, *oid, &file))
                {
                    if let Some(what) = misfit(&file.0, &file.1, &bytes, self.identity.vault()) {
                        lost.push((file, by, Some(what)));
                        continue;
                    }
                    shard.files.insert(file.1.clone(), oid);
                    shard.new.push(file);
                } else {
                    lost.push((file, by, None));
                }
            }
            // Where a log cannot be read here, what looks unknown may be its own.
            for (path, oid) in here {
                let digest = path.rsplit_once('.').and_then(|(_, digest)| digest.parse().ok());
                let file = FileRef(shard.name.clone(), path.clone(), digest.unwrap_or(Digest([0; 32])));
                match whole || live.is_forgotten(&file) {
                    true => shard.gone.push((path, oid)),
                    false => drop(shard.files.insert(path, oid)),
                }
            }
            // Both may have come to the same by themselves, as where a note was destroyed here and there. One of the two
            // commits has to give way, or each would be pushed over the other for ever: it is the one that is here.
            let gives_way = |commit: Oid| {
                let beside = old.is_some_and(|old| old != commit) && there == shard.files;
                beside && is_clean(&theirs.view, commit, &shard.files)
            };
            if !shard.new.is_empty() || !shard.gone.is_empty() || commit.is_some_and(gives_way) {
                shards.push(shard);
            }
        }
        Ok((shards, lost))
    }

    /// Objects, then what is set aside, then all branches at once, then the forgetting.
    fn carry_out(
        &self,
        charter: &Charter,
        mine: &Lines,
        theirs: &Theirs<'_>,
        plan: Plan,
        shards: Vec<Shard>,
    ) -> Result<Merged, LedgerError> {
        let mut arrivals = self.repo.arrivals(self.lock);
        let mut refs = Vec::new();
        let view = &theirs.view;
        for (log, line) in plan.lines.news() {
            let known = mine.heads_of(log);
            self.each_new(view, line.oid, &known, LOG_DEPTH, &mut arrivals)?;
        }
        for (name, old, new) in plan.lines.moves(mine) {
            let name = format!("{HEADS}{name}");
            // Where nothing was that counts, something else may stand under that name.
            if old.is_none() {
                self.repo.clear_torn(self.lock, &name)?;
            }
            let old = old.or(self.repo.ref_target(&name)?);
            refs.push(RefChange { name, old, new });
        }
        if plan.main == MainFate::Taken {
            let name = format!("{HEADS}{MAIN}");
            let (old, new) = (self.repo.ref_target(&name)?, theirs.charter.commit);
            let known = old.into_iter().collect();
            self.each_new(view, new, &known, MAIN_DEPTH, &mut arrivals)?;
            refs.push(RefChange {
                name,
                old,
                new: Some(new),
            });
        }
        let witnesses = self.take_witnesses(theirs, &mut arrivals, &mut refs)?;
        let (mut re_rooted, mut set_aside) = (Vec::new(), Vec::new());
        for shard in &shards {
            for (path, oid) in &shard.gone {
                set_aside.extend(self.set_aside(&plan.live, &shard.name, path, *oid)?);
            }
            let change = self.shard(shard, view, &mut arrivals)?;
            if !shard.gone.is_empty() {
                re_rooted.push(change.clone());
            }
            refs.push(change);
        }
        arrivals.settle()?;
        if !re_rooted.is_empty() {
            let begun = self.repo.begin_forgetting(self.lock, &re_rooted);
            begun.map_err(LedgerError::NotNoted)?;
        }
        if !refs.is_empty() {
            let batch = Batch {
                objects: Vec::new(),
                refs,
                note: b"merge".to_vec(),
            };
            // The record's number is the repository's business; that it exists is ours.
            let _ = self.repo.commit(self.lock, &batch)?.record();
        }
        let held = self.repo.finish_forgetting(self.lock).map_err(LedgerError::NotGone)?;
        let cuts = match plan.main {
            MainFate::Taken => theirs.charter.roster.cuts(),
            _ => charter.roster.cuts(),
        };
        Ok(Merged {
            logs: plan.lines.fates(),
            main: plan.main,
            set_aside,
            moved_back: Vec::new(),
            began: None,
            held,
            withheld: plan.lines.withheld(&cuts),
            witnesses,
            told: Vec::new(),
        })
    }

    /// Takes in what a commit of the other clone leads to, but for what the branches here lead to already.
    fn each_new(
        &self,
        view: &View<'_>,
        from: Oid,
        known: &BTreeSet<Oid>,
        depth: usize,
        arrivals: &mut Arrivals<'_>,
    ) -> Result<(), LedgerError> {
        let mut here = Given::new();
        for commit in known {
            self.below(self.repo.commit_at(*commit)?.tree, depth, &mut here)?;
        }
        each_object_but(view, from, known, depth, here, &mut |object| Ok(arrivals.add(object)?))
    }

    fn below(&self, tree: Oid, depth: usize, found: &mut Given) -> Result<(), LedgerError> {
        if !found.insert((Kind::Tree, tree)) {
            return Ok(());
        }
        for entry in self.repo.tree_at(tree)? {
            match entry.mode {
                Mode::Tree if depth > 1 => self.below(entry.oid, depth - 1, found)?,
                Mode::File if depth > 0 => drop(found.insert((Kind::Blob, entry.oid))),
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes the branches of witnesses that go on from what is here. Who may push to them can put anything there: only
    /// what has the form of cosigned checkpoints in all its history is taken, and what it is worth is for the verifier to
    /// say. Gives the names of those that are not.
    fn take_witnesses(
        &self,
        theirs: &Theirs<'_>,
        arrivals: &mut Arrivals<'_>,
        refs: &mut Vec<RefChange>,
    ) -> Result<Vec<String>, LedgerError> {
        let (view, mut left) = (&theirs.view, Vec::new());
        let all = view.branches.iter().filter(|(name, _)| name.starts_with(WITNESS));
        for (branch, there) in all.filter(|(branch, _)| is_branch(branch)) {
            let name = format!("{HEADS}{branch}");
            // A torn one is no reason to take nothing else.
            let Ok(old) = self.repo.ref_target(&name) else { continue };
            if old == Some(*there) || old.is_some_and(|old| follows(self.repo, old, *there)) {
                continue;
            }
            let mut form = Tally::default();
            verify_form(view, branch, *there, &theirs.facts, &mut form);
            let goes_on = old.is_none_or(|old| follows(view, *there, old));
            if !goes_on || !form.is_sound() {
                left.push(branch.clone());
                continue;
            }
            let known = old.into_iter().collect();
            let mut found = Vec::new();
            let read = each_cosigned(view, *there, &known, &mut |object| {
                let fits = found.len() < HISTORY_MAX;
                fits.then(|| found.push(object))
                    .ok_or(LedgerError::NotAVault("a witness's branch is too large"))
            });
            if read.is_err() {
                left.push(branch.clone());
                continue;
            }
            found.into_iter().try_for_each(|object| arrivals.add(object))?;
            refs.push(RefChange {
                name,
                old,
                new: Some(*there),
            });
        }
        Ok(left)
    }

    /// A file of a note that somebody destroyed without knowing of it goes to this device's state.
    fn set_aside(&self, live: &LiveSet, branch: &str, path: &str, oid: Oid) -> Result<Option<FileRef>, LedgerError> {
        let digest = path.rsplit_once('.').and_then(|(_, digest)| digest.parse().ok());
        let Some(file) = digest.map(|digest| FileRef(branch.to_owned(), path.to_owned(), digest)) else {
            return Ok(None);
        };
        if !live.came_too_late(&file) {
            return Ok(None);
        }
        let bytes = self.repo.read_blob(oid, SEALED_MAX)?;
        let place = self.state.join(SET_ASIDE);
        let place = place.join(format!("{}-{path}", branch.replace('/', "-")));
        let unwritten = |error: FileError| LedgerError::State(error.to_string());
        match write_new_private(&place, &bytes) {
            // An earlier merge that was interrupted has put it there.
            Err(FileError::Exists(_)) if read_bounded(&place, SEALED_MAX).is_ok_and(|known| known == bytes) => {}
            // Or was killed while it did.
            Err(FileError::Exists(_)) => replace_private(&place, &bytes).map_err(unwritten)?,
            written => written.map_err(unwritten)?,
        }
        Ok(Some(file))
    }

    /// Writes the objects of a branch of files, and says how it moves: to the other clone's commit where that holds
    /// just these files, else to a new one on top of what is here, or, where something was forgotten, to one without
    /// a parent.
    fn shard(&self, shard: &Shard, view: &View<'_>, arrivals: &mut Arrivals<'_>) -> Result<RefChange, LedgerError> {
        for file in &shard.new {
            if let Some(oid) = shard.files.get(&file.1) {
                arrivals.add(view.object(*oid, Kind::Blob, SEALED_MAX)?)?;
            }
        }
        let name = format!("{HEADS}{}", shard.name);
        let (old, there) = (shard.old, view.branches.get(&shard.name).copied());
        let adopted = there.filter(|there| {
            files_of(view, *there).is_ok_and(|files| files == shard.files) && is_clean(view, *there, &shard.files)
        });
        if let Some(there) = adopted {
            let known = old.into_iter().collect();
            self.each_new(view, there, &known, 0, arrivals)?;
            return Ok(RefChange {
                name,
                old,
                new: Some(there),
            });
        }
        let entries = shard.files.iter().map(|(name, oid)| TreeEntry {
            mode: Mode::File,
            name: name.clone(),
            oid: *oid,
        });
        let tree = tree_bytes(entries.collect()).map_err(|_| LedgerError::Internal("a branch cannot be written"))?;
        let tree = Object {
            kind: Kind::Tree,
            bytes: tree,
        };
        let clean = old.is_none_or(|old| is_clean(self.repo, old, &shard.files));
        let parents: Vec<Oid> = old.into_iter().filter(|_| clean).collect();
        let message = if clean { "keep\n" } else { "forget\n" };
        let author = format!("{NOBODY} {} +0000", self.now.day().unix().max(0));
        let commit = commit_bytes(tree.oid(), &parents, &author, message, None);
        let commit = Object::commit(commit.map_err(|_| LedgerError::Internal("a commit cannot be written"))?);
        let new = Some(commit.oid());
        arrivals.add(tree)?;
        arrivals.add(commit)?;
        Ok(RefChange { name, old, new })
    }
}

/// Whether the files of `main` are those that the logs say.
pub(super) fn says(live: &LiveSet, files: &[FileRef]) -> bool {
    let present: BTreeSet<FileRef> = files.iter().cloned().collect();
    present == live.of_main().collect()
}

/// The logs that are left out since they bring something to a branch of files which comes too near to what can be written or read,
/// and why: those of devices that hold more than a share of it, whoever has a device can write as many files as they like; and
/// where there is no room at all, of the one that holds the most. What cards accept of a log is always taken.
fn overfull(shards: &[Shard], live: &LiveSet, news: &BTreeSet<LogName>, cuts: &Cuts) -> BTreeMap<LogName, String> {
    // What one file takes in a folder: mode, name and id.
    let room = |path: &str| path.len() + 28;
    let due: BTreeSet<LogName> = cuts.named().map(|(log, ..)| log).collect();
    let mut left_out = BTreeMap::new();
    for shard in shards {
        let size: usize = shard.files.keys().map(|path| room(path)).sum();
        if size <= SHARD_FULL {
            continue;
        }
        let new: BTreeSet<&str> = shard.new.iter().map(|file| file.1.as_str()).collect();
        let (mut holds, mut bring) = (BTreeMap::<DeviceId, usize>::new(), BTreeSet::new());
        for (file, by) in live.iter().filter(|(file, _)| file.branch() == shard.name) {
            let file = file.file();
            *holds.entry(by.log.device).or_default() += room(&file.1);
            let is_new = news.contains(&by.log) && new.contains(file.1.as_str());
            bring.extend(Some(by.log).filter(|log| is_new && !due.contains(log)));
        }
        let held = |device: &DeviceId| holds.get(device).copied().unwrap_or_default();
        let devices: BTreeSet<DeviceId> = bring.iter().map(|log| log.device).collect();
        let most = devices
            .iter()
            .copied()
            .max_by_key(held)
            .filter(|_| size > SHARD_OVERFULL);
        let out = |device: &DeviceId| held(device) > SHARE || Some(*device) == most;
        let why = format!(
            "what its device wrote to `{}` is more than that branch has room for",
            shard.name
        );
        left_out.extend(
            bring
                .into_iter()
                .filter(|log| out(&log.device))
                .map(|log| (log, why.clone())),
        );
    }
    left_out
}

/// The object, if it is the file that an entry wrote.
fn read_file(view: &View<'_>, oid: Oid, file: &FileRef) -> Option<(Oid, Vec<u8>)> {
    let max = if file.0.starts_with("keys/") {
        FILE_MAX
    } else {
        SEALED_MAX
    };
    let bytes = view.object(oid, Kind::Blob, max).ok()?.bytes;
    (sha256(&[&bytes]) == file.2).then_some((oid, bytes))
}

/// The files of a flat branch.
pub(super) fn files_of(objects: &dyn Objects, commit: Oid) -> Result<BTreeMap<String, Oid>, LedgerError> {
    let entries = objects.tree_at(objects.commit_at(commit)?.tree)?;
    let files = entries.into_iter().filter(|entry| entry.mode == Mode::File);
    Ok(files.map(|entry| (entry.name, entry.oid)).collect())
}

/// Leaves out of a look at another clone what logs of removed devices hold beyond what its cards accept of them: whoever still
/// has such a device's key can put that there, and the log up to it is needed. Tells what was left out, and where
/// each log ends without it.
fn cut_off(view: &mut View<'_>, charter: &Charter) -> (Vec<Problem>, BTreeMap<LogName, (u64, Digest)>) {
    let (mut beyond, mut ends) = (Vec::new(), BTreeMap::new());
    for (log, size, root) in charter.roster.cuts().named().filter(|(_, size, _)| *size > 0) {
        let Some(head) = view.branches.get(&audit_ref(log)).copied() else {
            continue;
        };
        // By what each commit says of itself: how far above it the newest one is, is the word of whoever made that.
        let ends_there = |oid: &Oid| {
            Head::read(view, *oid).is_ok_and(|head| {
                let end = &head.message.checkpoint.checkpoint;
                (end.size, end.root) == (size, root)
            })
        };
        let is_signed = |oid: &Oid| read_head(view, &charter.roster, charter.vault, log, *oid).is_ok();
        let at = commits(view, head).find(ends_there).filter(is_signed);
        let Some(at) = at.filter(|at| *at != head) else {
            continue;
        };
        view.branches.insert(audit_ref(log), at);
        ends.insert(log, (size, root));
        let message = format!(
            "this log of a removed device is accepted up to entry {size}, and goes on beyond it: that was not taken"
        );
        beyond.push(Problem::at(log, size, 14, message));
    }
    (beyond, ends)
}

/// Whether `older` is one of the commits that `from` goes on from by first parents. As far as a log has grown between the two
/// it is looked at, however far that is.
pub(super) fn follows(objects: &dyn Objects, from: Oid, older: Oid) -> bool {
    if from == older {
        return true;
    }
    let size = |oid| Head::read(objects, oid).map_or(0, |head| head.size());
    let grown = size(from).saturating_sub(size(older)) as usize;
    let before = |oid: &Oid| single_parent(&objects.commit_at(*oid).ok()?);
    let way = std::iter::successors(before(&from), before);
    way.take(grown.max(HISTORY_MAX)).any(|oid| oid == older)
}

/// A commit and those that it goes on from by first parents, the newest first.
pub(super) fn commits(objects: &dyn Objects, from: Oid) -> impl Iterator<Item = Oid> {
    let mut next = Some(from);
    std::iter::from_fn(move || {
        let oid = next?;
        next = objects
            .commit_at(oid)
            .ok()
            .and_then(|commit| commit.parents.first().copied());
        Some(oid)
    })
    .take(HISTORY_MAX)
}

fn single_parent(commit: &Commit) -> Option<Oid> {
    commit.parents.first().copied().filter(|_| commit.parents.len() == 1)
}

/// Whether no commit of a branch's history holds a file that is not among `files`, and none has two parents.
fn is_clean(objects: &dyn Objects, from: Oid, files: &BTreeMap<String, Oid>) -> bool {
    let mut next = Some(from);
    for _ in 0..HISTORY_MAX {
        let Some(oid) = next else { return true };
        let Ok(commit) = objects.commit_at(oid) else {
            return false;
        };
        let Ok(entries) = objects.tree_at(commit.tree) else {
            return false;
        };
        let known = |entry: &TreeEntry| entry.mode == Mode::File && files.get(&entry.name) == Some(&entry.oid);
        if commit.parents.len() > 1 || !entries.iter().all(known) {
            return false;
        }
        next = commit.parents.first().copied();
    }
    false
}

/// Gives `take` every object that a commit leads to, up to the commits in `known`: folders `depth` deep, and files that
/// are not in flat branches. The oldest commit comes first. What leads elsewhere is an error: it would be named here and not
/// be there, for ever.
pub(super) fn each_object(
    view: &View<'_>,
    from: Oid,
    known: &BTreeSet<Oid>,
    depth: usize,
    take: &mut dyn FnMut(Object) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    each_object_but(view, from, known, depth, Given::new(), take)
}

/// The same without the folders and files in `given`.
fn each_object_but(
    view: &View<'_>,
    from: Oid,
    known: &BTreeSet<Oid>,
    depth: usize,
    mut given: Given,
    take: &mut dyn FnMut(Object) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let (mut commits, mut next) = (Vec::new(), Some(from));
    while let Some(oid) = next.filter(|oid| !known.contains(oid)) {
        let parents = view.commit_at(oid)?.parents;
        if parents.len() > 1 {
            return Err(LedgerError::Stray(oid));
        }
        commits.push(oid);
        next = parents.first().copied();
    }
    for oid in commits.into_iter().rev() {
        each_below(view, view.commit_at(oid)?.tree, depth, &mut given, take)?;
        take(view.object(oid, Kind::Commit, COMMIT_MAX)?)?;
    }
    Ok(())
}

fn each_below(
    view: &View<'_>,
    tree: Oid,
    depth: usize,
    given: &mut Given,
    take: &mut dyn FnMut(Object) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    if !given.insert((Kind::Tree, tree)) {
        return Ok(());
    }
    for entry in view.tree_at(tree)? {
        match entry.mode {
            // Files of flat branches are judged one by one.
            _ if depth == 0 => {}
            Mode::Tree if depth > 1 => each_below(view, entry.oid, depth - 1, given, take)?,
            Mode::File if given.insert((Kind::Blob, entry.oid)) => {
                take(view.object(entry.oid, Kind::Blob, BUNDLE_MAX)?)?;
            }
            Mode::File => {}
            _ => return Err(LedgerError::Stray(entry.oid)),
        }
    }
    take(view.object(tree, Kind::Tree, TREE_MAX)?)
}
