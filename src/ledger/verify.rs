//! The verifier: what anyone who holds a clone, and no secret, can say about a vault.
//!
//! It trusts nothing in the repository. Trust comes from outside, as [`Anchors`]: a receipt or this device's
//! high-water mark pins the founder, the roster and the logs; the founder's card begins the chain of cards, the cards
//! name the devices' keys, the keys sign the logs, and the logs say which files there are. Faults are collected, not
//! thrown: one does not hide another.

use super::append::author_line;
use super::charter::{MAIN_MAX, RawCharter};
use super::error::LedgerError;
use super::high_water::HighWater;
use super::histories::with_forks;
use super::main_commits::verify_each;
use super::objects::{AUDIT, FILE_MAX, MAIN, Objects, WITNESS, audit_ref, log_of};
use super::verify_across::{Across, compare_cuts};
use super::verify_anchors::{compare_mark, compare_receipt};
use super::verify_files::{tree_files, verify_files};
use super::verify_forks::Forks;
use super::verify_log::{Found, verify_log};
use super::verify_withdrawn::{compare_rosters, verify_history_of_main};
use super::verify_witness::{Cosigned, Witnessed};
use super::view::{View, is_replacement};
use crate::chain::{
    BadCard, Cuts, DeviceKind, Message, Namespace, NoteKey, Problem, Receipt, Roster, Time, Witness, verify_ssh,
};
use crate::crypto::PublicKey;
use crate::id::{DeviceId, Digest, LogName, PersonId, VaultId};
use crate::repo::{Commit, Mode, Oddity, Oid, ReadError, Repo};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How far ahead of the verifier's clock an entry may be dated before it is a finding, in seconds.
const AHEAD: i64 = 24 * 3600;
/// How many commits of a branch's history are looked at, unless all are asked for.
pub(super) const HISTORY: usize = 64;
/// The most problems of one case that are listed; how many more there are is said.
const LISTED: usize = 50;

/// How often a vault is looked at that is not intact and moves meanwhile.
const LOOKS: usize = 20;

/// What the verifier was given from outside.
pub struct Anchors<'a> {
    /// An auditor's receipt.
    pub receipt: Option<&'a Receipt>,
    /// This device's high-water mark.
    pub high_water: Option<&'a HighWater>,
    /// Keys of witnesses whose cosignatures are believed.
    pub witnesses: &'a [NoteKey],
    /// The verifier's clock.
    pub now: Time,
    /// Also every commit of every log and of the files' history.
    pub deep: bool,
}

/// The verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing is wrong, as far as the anchors reach.
    Intact,
    /// Something was changed that nobody may change.
    Tampered,
    /// Something needed to judge could not be read.
    Unknown,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The verdict: of tampering and the unknown, tampering wins.
    pub verdict: Verdict,
    /// Whether trust came from outside. If not, a vault that was replaced as a whole looks intact.
    pub anchored: bool,
    /// The vault.
    pub vault: Option<VaultId>,
    /// Digest of the founder's card.
    pub founder: Option<Digest>,
    /// Digest of the newest card.
    pub roster: Option<Digest>,
    /// Number of entries in all logs.
    pub entries: u64,
    /// Each log with its size in entries and the root of its tree.
    pub logs: Vec<(LogName, u64, Digest)>,
    /// How far each of the witnesses given has cosigned each log.
    pub cosigned: Vec<Cosigned>,
    /// Tampering.
    pub problems: Vec<Problem>,
    /// What could not be judged.
    pub unknown: Vec<Problem>,
    /// What is worth a look and changes no verdict.
    pub findings: Vec<Problem>,
    /// How many problems of a case there are beside those that are listed.
    pub unlisted: BTreeMap<u8, usize>,
}

impl Report {
    /// All that stands against the vault, by case, and after each case how many more of it are not listed.
    pub fn told(&self) -> Vec<Problem> {
        let more = self.unlisted.iter().map(|(case, count)| more_of(*case, *count));
        let mut told: Vec<Problem> = self.problems.iter().chain(&self.unknown).cloned().chain(more).collect();
        told.sort_by_key(|problem| problem.case);
        told
    }
}

fn more_of(case: u8, count: usize) -> Problem {
    Problem::vault(case, format!("and {count} more of case {case}"))
}

/// No receipt is given.
#[derive(Debug, thiserror::Error)]
pub enum NoReceipt {
    /// The vault could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It does not verify.
    #[error("no receipt is given for a vault that is not intact; run `strongroom audit verify`")]
    NotIntact(Box<Report>),
}

/// Verifies a vault that was opened with [`Repo::open_to_verify`]. Writes nothing and takes no lock. Fails only
/// where there is no vault.
pub fn verify(repo: &Repo, anchors: &Anchors<'_>) -> Result<Report, LedgerError> {
    Ok(examine(repo, anchors)?.report)
}

/// What an auditor takes home: the newest checkpoint of each log. Refuses for a vault that is not intact.
pub fn make_receipt(repo: &Repo, high_water: Option<&HighWater>, now: Time) -> Result<Receipt, NoReceipt> {
    let anchors = Anchors {
        receipt: None,
        high_water,
        witnesses: &[],
        now,
        deep: false,
    };
    let examined = examine(repo, &anchors)?;
    match examined.receipt(now) {
        Some(receipt) => Ok(receipt),
        None => Err(NoReceipt::NotIntact(Box::new(examined.report))),
    }
}

/// What a verifier knows at the end.
pub(super) struct Examined<'a> {
    pub(super) report: Report,
    pub(super) facts: Facts,
    pub(super) found: BTreeMap<LogName, Found>,
    pub(super) view: View<'a>,
}

impl Examined<'_> {
    /// The newest checkpoint of each log; none for a vault that is not intact.
    pub(super) fn receipt(&self, now: Time) -> Option<Receipt> {
        let checkpoints = self.found.values().filter_map(|log| log.checkpoint.clone()).collect();
        match (self.report.verdict, self.report.founder, self.report.roster) {
            (Verdict::Intact, Some(founder), Some(roster)) => Some(Receipt {
                vault: self.facts.vault,
                time: now,
                founder,
                roster,
                checkpoints,
            }),
            _ => None,
        }
    }
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Everything.
    All,
    /// The logs, and not what they wrote.
    Logs,
    /// Everything as it is, but bodies of notes, and commits, only where they came since.
    Since(&'a Since),
}

/// How a vault stood when it was looked at before.
#[derive(Default)]
pub(super) struct Since {
    /// Its branches, without their prefix.
    pub(super) branches: BTreeMap<String, Oid>,
    /// How many entries each log had.
    pub(super) sizes: BTreeMap<LogName, u64>,
}

impl Scope<'_> {
    /// Whether a branch stands where it stood; if it was never looked at, it does not.
    pub(super) fn stands(&self, branch: &str, oid: Oid) -> bool {
        matches!(self, Self::Since(since) if since.branches.get(branch) == Some(&oid))
    }

    /// Where a branch stood.
    pub(super) fn before(&self, branch: &str) -> Option<Oid> {
        match self {
            Self::Since(since) => since.branches.get(branch).copied(),
            _ => None,
        }
    }

    /// From which entry on each commit of a log is looked at, if any is.
    fn commits_from(&self, log: LogName, oid: Oid, deep: bool) -> Option<u64> {
        match self {
            Self::Since(_) if self.stands(&audit_ref(log), oid) => None,
            Self::Since(since) => Some(since.sizes.get(&log).copied().unwrap_or(0)),
            _ => deep.then_some(0),
        }
    }
}

/// What is collected.
#[derive(Default)]
pub(super) struct Tally {
    problems: Listed,
    unknown: Listed,
    findings: Listed,
    /// The logs whose entries cannot be trusted, and why: of these no more is left out than of the lists.
    broken: BTreeMap<LogName, String>,
}

#[derive(Default)]
struct Listed {
    list: Vec<Problem>,
    known: HashSet<(Option<LogName>, Option<u64>, u8, String)>,
    counts: BTreeMap<u8, usize>,
}

impl Listed {
    fn add(&mut self, problem: Problem) {
        let count = self.counts.entry(problem.case).or_default();
        // What has a place in a log is told once; files of one entry are told apart by the words.
        let key = (problem.log, problem.seq, problem.case, problem.message.clone());
        if *count >= LISTED {
            *count += 1;
        } else if self.known.insert(key) {
            *count += 1;
            self.list.push(problem);
        }
    }

    /// Takes in what was listed elsewhere.
    fn absorb(&mut self, other: Self) {
        for (case, count) in &other.counts {
            *self.counts.entry(*case).or_default() += count.saturating_sub(LISTED);
        }
        other.list.into_iter().for_each(|problem| self.add(problem));
    }

    /// What is listed, and how many more there are of which case.
    fn end(self) -> (Vec<Problem>, BTreeMap<u8, usize>) {
        let more = self.counts.into_iter().filter(|(_, count)| *count > LISTED);
        (self.list, more.map(|(case, count)| (case, count - LISTED)).collect())
    }
}

impl Tally {
    pub(super) fn problem(&mut self, problem: Problem) {
        self.note(&problem);
        self.problems.add(problem);
    }

    fn note(&mut self, problem: &Problem) {
        // What is wrong with files is judged file by file; two kept histories are both taken; and that a log ends
        // earlier than others have seen it, or is not there, is no fault of what is there.
        let passed = matches!(problem.case, 8 | 10 | 32 | 33 | 34 | 37 | 43);
        if let Some(log) = problem.log.filter(|_| !passed) {
            self.broken.entry(log).or_insert_with(|| problem.message.clone());
        }
    }

    /// Takes in what another collected.
    pub(super) fn absorb(&mut self, other: Self) {
        self.problems.absorb(other.problems);
        self.unknown.absorb(other.unknown);
        self.findings.absorb(other.findings);
        for (log, why) in other.broken {
            self.broken.entry(log).or_insert(why);
        }
    }

    /// The same of a history beside a log, with what it speaks of at the beginning: none of it is a fault of the log.
    pub(super) fn said_of(self, what: &str) -> Self {
        let said = |list: Listed| {
            let mut said = Listed::default();
            let counts = list.counts.clone();
            for problem in list.list {
                let message = format!("{what}: {}", problem.message);
                said.add(Problem { message, ..problem });
            }
            Listed { counts, ..said }
        };
        Self {
            problems: said(self.problems),
            unknown: said(self.unknown),
            findings: said(self.findings),
            broken: BTreeMap::new(),
        }
    }

    /// The same where none of it is a fault of a log.
    pub(super) fn of_no_log(self) -> Self {
        let broken = BTreeMap::new();
        Self { broken, ..self }
    }

    /// Whether nothing is wrong or unknown.
    pub(super) fn is_sound(&self) -> bool {
        self.problems.list.is_empty() && self.unknown.list.is_empty()
    }

    /// The tampering and the unknown that are listed.
    pub(super) fn listed(self) -> (Vec<Problem>, Vec<Problem>) {
        (self.problems.list, self.unknown.list)
    }

    pub(super) fn doubt(&mut self, problem: Problem) {
        self.unknown.add(problem);
    }

    pub(super) fn finding(&mut self, problem: Problem) {
        self.findings.add(problem);
    }

    /// An object that could not be read: tampering of the case that the caller gives for a missing and for a damaged
    /// one, but *unknown* where the system refused.
    pub(super) fn unreadable(
        &mut self,
        error: &ReadError,
        at: (Option<LogName>, Option<u64>),
        (missing, damaged): (u8, u8),
        what: &str,
    ) {
        let case = if matches!(error, ReadError::Missing { .. }) {
            missing
        } else {
            damaged
        };
        let problem = Problem {
            log: at.0,
            seq: at.1,
            case,
            message: format!("{what}: {error}"),
        };
        match error {
            ReadError::Git(_) => {
                self.note(&problem);
                self.unknown.add(problem);
            }
            _ => self.problem(problem),
        }
    }

    /// Whether entries were lost or cannot be read, so that what they wrote must look unknown.
    pub(super) fn lacks_entries(&self) -> bool {
        self.problems
            .list
            .iter()
            .any(|problem| matches!(problem.case, 1 | 2 | 6..=10 | 15 | 24 | 26 | 27) && problem.log.is_some())
    }

    pub(super) fn has(&self, case: u8) -> bool {
        self.problems.counts.contains_key(&case)
    }
}

/// Whom the vault belongs to, as far as its cards hold.
pub(super) struct Facts {
    pub(super) vault: VaultId,
    pub(super) roster: Option<Roster>,
    /// Digest of each card, in order.
    pub(super) digests: Vec<Digest>,
    /// Digest of the policies' files.
    pub(super) policies: Option<Digest>,
    pub(super) now: Time,
}

impl Facts {
    /// The key a device signs with, by any card that ever admitted it.
    pub(super) fn key(&self, device: DeviceId) -> Option<PublicKey> {
        self.roster.as_ref()?.device_ever(device)?.sign_key()
    }

    /// Whether a witness's key is one that a device signs with.
    pub(super) fn is_device_key(&self, witness: &NoteKey) -> bool {
        let cards = self.roster.iter().flat_map(Roster::cards);
        let mut devices = cards.flat_map(|card| &card.devices);
        devices.any(|device| device.sign_key() == Some(witness.key()))
    }

    /// The person whose device it ever was.
    pub(super) fn person(&self, device: DeviceId) -> Option<PersonId> {
        self.roster.as_ref()?.person_of(device)
    }

    /// Whether a commit's author or committer is the person whose device it is, under a handle of theirs, at that time.
    pub(super) fn is_by(&self, person: &str, device: DeviceId, time: Time) -> bool {
        let cards = self.roster.iter().flat_map(Roster::cards);
        let mut owners = cards.filter(|card| Some(card.person) == self.person(device));
        owners.any(|card| person == author_line(&card.handle, card.person, self.vault, time))
    }

    /// How far each log counts.
    pub(super) fn cuts(&self) -> Cuts {
        self.roster.as_ref().map(Roster::cuts).unwrap_or_default()
    }

    /// The place in the chain of the card with that digest.
    pub(super) fn position(&self, digest: Digest) -> Option<usize> {
        self.digests.iter().position(|known| *known == digest)
    }

    pub(super) fn is_late(&self, time: Time) -> bool {
        time.unix() > self.now.unix().saturating_add(AHEAD)
    }
}

/// Looks until nobody re-roots a branch meanwhile: what was forgotten leaves the disk at once, and a look that began
/// before would miss it.
pub(super) fn examine<'a>(repo: &'a Repo, anchors: &Anchors<'_>) -> Result<Examined<'a>, LedgerError> {
    for _ in 1..LOOKS {
        let before = repo.refs_as_found("refs/")?;
        let found = examine_once(repo, anchors);
        let whole = found
            .as_ref()
            .is_ok_and(|found| found.report.verdict == Verdict::Intact);
        if whole || repo.refs_as_found("refs/")? == before {
            return found;
        }
    }
    examine_once(repo, anchors)
}

fn examine_once<'a>(repo: &'a Repo, anchors: &Anchors<'_>) -> Result<Examined<'a>, LedgerError> {
    let view = View::now(repo)?;
    let (report, facts, found, _) = examine_view(repo, &view, anchors, Scope::All)?;
    Ok(Examined {
        report,
        facts,
        found,
        view,
    })
}

/// What is found: the report, what it rests on, the logs, and those whose entries cannot be trusted, and why.
type Examining = Result<(Report, Facts, BTreeMap<LogName, Found>, BTreeMap<LogName, String>), LedgerError>;

pub(super) fn examine_view(repo: &Repo, view: &View<'_>, anchors: &Anchors<'_>, scope: Scope<'_>) -> Examining {
    let mut tally = Tally::default();
    let mut oddities = repo.oddities();
    if view.others.iter().any(|name| is_replacement(name)) && !oddities.contains(&Oddity::Replaced) {
        oddities.push(Oddity::Replaced);
    }
    for oddity in oddities {
        let problem = Problem::vault(30, format!("the history cannot be trusted as it stands: {oddity}"));
        match oddity {
            Oddity::Unread(..) => tally.unknown.add(problem),
            _ => tally.problem(problem),
        }
    }
    if let Some(error) = &view.unread {
        let message = format!("what the journal holds is not known: {error}");
        tally.unknown.add(Problem::vault(32, message));
    }
    verify_refs(view, &mut tally);
    let logs = logs(view, &mut tally);
    let (raw, main) = read_main(view, &mut tally);
    if raw.is_none() && logs.is_empty() && view.lost.is_empty() {
        return Err(match repo.has_journal() {
            true => LedgerError::Emptied,
            false => LedgerError::NotAVault("it has neither a branch `main` nor a log"),
        });
    }
    let raw = raw.unwrap_or(RawCharter {
        commit: Oid([0; 20]),
        files: BTreeMap::new(),
        strays: Vec::new(),
    });
    let facts = verify_charter(view, &raw, &logs, anchors, &mut tally)?;
    // An anchor of another vault says nothing about this one.
    let receipt = anchors.receipt.filter(|receipt| receipt.vault == facts.vault);
    let mark = anchors.high_water.filter(|mark| mark.vault == facts.vault);
    verify_main(main.as_ref(), &facts, &mut tally);
    if anchors.deep {
        verify_each(view, &facts, &mut tally);
    }
    let mut witnessed = Witnessed::collect(view, anchors.witnesses, &facts, anchors.deep, &mut tally);

    let mut across = Across::new(&facts, with_forks(view.branches.keys().map(String::as_str)));
    let mut found: BTreeMap<LogName, Found> = BTreeMap::new();
    for (log, oid) in &logs {
        let mut watch = watched(*log, receipt, mark);
        watch.extend(witnessed.begin(*log));
        across.begin(*log, 0);
        let seen = verify_log(
            view,
            *log,
            *oid,
            &facts,
            watch,
            scope.commits_from(*log, *oid, anchors.deep),
            &mut tally,
            &mut |entry, tally| {
                across.entry(entry, tally);
                witnessed.entry(entry, tally);
            },
        );
        across.end();
        found.extend(seen.map(|seen| (*log, seen)));
    }
    let watch = |log| watched(log, receipt, mark);
    let deep = |fork: &str, oid| match scope {
        Scope::Since(_) => !scope.stands(fork, oid),
        _ => anchors.deep,
    };
    let forks = Forks::verify(view, &facts, &found, &watch, &deep, &mut across, &mut tally);
    let live = across.settle(view, &found, &forks, &mut tally);
    forks.judge(view, &found, &facts, &mut tally);
    compare_cuts(view, &facts, &found, &forks, &mut tally);
    verify_history_of_main(view, live.withdrawals(), &mut tally);
    compare_rosters(receipt, mark, &facts, live.withdrawals(), &mut tally);
    if let Some(receipt) = receipt {
        compare_receipt(receipt, &facts, &found, &forks, &mut tally);
    }
    if let Some(mark) = mark.filter(|mark| !forks.hold(mark.log, mark.size, mark.root)) {
        compare_mark(mark, &found, &mut tally);
    }
    let cosigned = witnessed.settle(view, &found, &forks, &mut tally);
    verify_files(view, &raw, &live, (facts.vault, anchors.deep, scope), &mut tally);
    let anchored = receipt.is_some() || mark.is_some() || cosigned.is_some();
    let broken = std::mem::take(&mut tally.broken);
    let report = conclude(tally, &facts, &found, cosigned.unwrap_or_default(), anchored);
    Ok((report, facts, found, broken))
}

fn conclude(
    tally: Tally,
    facts: &Facts,
    found: &BTreeMap<LogName, Found>,
    cosigned: Vec<Cosigned>,
    anchored: bool,
) -> Report {
    let (problems, mut unlisted) = tally.problems.end();
    let (unknown, more_unknown) = tally.unknown.end();
    for (case, count) in more_unknown {
        *unlisted.entry(case).or_default() += count;
    }
    let (mut findings, more_findings) = tally.findings.end();
    findings.extend(more_findings.into_iter().map(|(case, count)| more_of(case, count)));
    let verdict = match (problems.is_empty(), unknown.is_empty()) {
        (false, _) => Verdict::Tampered,
        (true, false) => Verdict::Unknown,
        (true, true) => Verdict::Intact,
    };
    Report {
        verdict,
        anchored,
        vault: Some(facts.vault),
        founder: facts.digests.first().copied(),
        roster: facts.digests.last().copied(),
        entries: found.values().map(|log| log.size).sum(),
        logs: found.iter().map(|(name, log)| (*name, log.size, log.root)).collect(),
        cosigned,
        problems,
        unknown,
        findings,
        unlisted,
    }
}

/// Sizes whose root the anchors speak of.
fn watched(log: LogName, receipt: Option<&Receipt>, mark: Option<&HighWater>) -> BTreeSet<u64> {
    let signed = receipt
        .into_iter()
        .flat_map(|receipt| &receipt.checkpoints)
        .map(|signed| signed.checkpoint);
    let sizes = signed.filter(|known| known.log == log).map(|known| known.size);
    sizes
        .chain(mark.filter(|mark| mark.log == log).map(|mark| mark.size))
        .collect()
}

/// The full names of the refs that no vault has. They change nothing by being there, and say that somebody was at it.
pub fn stray_refs(repo: &Repo) -> Result<Vec<String>, LedgerError> {
    Ok(View::now(repo)?.strays(|name| match name.starts_with(AUDIT) {
        true => log_of(name).is_none(),
        false => !is_branch(name),
    }))
}

/// Every ref must be one that a vault has.
fn verify_refs(view: &View<'_>, tally: &mut Tally) {
    for name in view.others.iter().filter(|name| !is_replacement(name)) {
        tally.problem(Problem::vault(32, format!("the ref `{name}` is no part of a vault")));
    }
    for name in view
        .branches
        .keys()
        .filter(|name| !name.starts_with(AUDIT) && !is_branch(name))
    {
        tally.problem(Problem::vault(32, format!("the branch `{name}` is no part of a vault")));
    }
    for name in &view.damaged {
        let log = log_of(name).map(|(log, _)| log);
        let case = if log.is_some() { 10 } else { 32 };
        let message = format!("the branch `{name}` is damaged: it names no commit");
        tally.problem(Problem {
            log,
            seq: None,
            case,
            message,
        });
    }
    let lost = view
        .lost
        .iter()
        .filter_map(|name| name.strip_prefix(AUDIT)?.parse().ok());
    for log in lost {
        let message = "the journal holds entries of this log, and its branch is gone: put the branches back from a \
                       backup or a clone";
        tally.problem(Problem::of(log, 10, message));
    }
}

/// Whether a branch, other than a log, belongs to a vault.
pub(super) fn is_branch(name: &str) -> bool {
    let shard = name.strip_prefix("notes/").or_else(|| name.strip_prefix("keys/"));
    let hex = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let witness = name
        .strip_prefix(WITNESS)
        .is_some_and(|name| Witness::check_name(name).is_ok());
    name == MAIN || name == "keys/devices" || shard.is_some_and(hex) || witness
}

/// The logs by name.
fn logs(view: &View<'_>, tally: &mut Tally) -> Vec<(LogName, Oid)> {
    let mut logs = Vec::new();
    for (name, oid) in &view.branches {
        let Some(rest) = name.strip_prefix(AUDIT) else { continue };
        match (rest.parse(), log_of(name)) {
            (Ok(log), _) => logs.push((log, *oid)),
            // Verified after them: see `Forks`.
            (Err(_), Some(_)) => {}
            (Err(_), None) => {
                tally.problem(Problem::vault(32, format!("the branch `{name}` is no log of a vault")));
            }
        }
    }
    logs
}

/// The files of `main`, those that can be read.
fn read_main(view: &View<'_>, tally: &mut Tally) -> (Option<RawCharter>, Option<Commit>) {
    let Some(oid) = view.branches.get(MAIN) else {
        tally.problem(Problem::vault(
            36,
            "the branch `main` is missing: nothing says who belongs to the vault",
        ));
        return (None, None);
    };
    let mut raw = RawCharter {
        commit: *oid,
        files: BTreeMap::new(),
        strays: Vec::new(),
    };
    let commit = match view.commit_at(*oid) {
        Ok(commit) => commit,
        Err(error) => {
            tally.unreadable(&error, (None, None), (36, 36), "the branch `main` cannot be read");
            return (Some(raw), None);
        }
    };
    let files = tree_files(view, commit.tree, 3, &mut |path, error| {
        tally.unreadable(
            error,
            (None, None),
            (36, 36),
            &format!("`{path}` on the branch `main` cannot be read"),
        );
    });
    let mut total = 0;
    for file in files {
        if total > MAIN_MAX {
            let message = "the branch `main` is larger than any that exists";
            tally.problem(Problem::vault(36, message));
            break;
        }
        let read = view.blob_at(file.oid, FILE_MAX);
        total += read.as_ref().map_or(0, Vec::len);
        match (file.mode, read) {
            (Mode::File, Ok(bytes)) => drop(raw.files.insert(file.path, bytes)),
            (Mode::File, Err(error)) => {
                let what = format!("`{}` on the branch `main` cannot be read", file.path);
                tally.unreadable(&error, (None, None), (32, 33), &what);
                tally.unreadable(&error, (None, None), (36, 36), &what);
            }
            _ => raw.strays.push(file.path),
        }
    }
    (Some(raw), Some(commit))
}

/// The vault's id, roster and policies, the roster as far as it holds.
fn verify_charter(
    view: &View<'_>,
    raw: &RawCharter,
    logs: &[(LogName, Oid)],
    anchors: &Anchors<'_>,
    tally: &mut Tally,
) -> Result<Facts, LedgerError> {
    let said = raw.vault_file();
    if let Err(error) = &said {
        tally.problem(Problem::vault(
            36,
            format!("the branch `main` does not say which vault this is: {error}"),
        ));
    }
    let said = said.ok();
    let given = [
        anchors.receipt.map(|receipt| receipt.vault),
        anchors.high_water.map(|mark| mark.vault),
    ];
    let given: Vec<VaultId> = given.into_iter().flatten().collect();
    // Without a word of its own, the vault is the one whose logs these are.
    let signed = || {
        let vault = |(_, oid): &(LogName, Oid)| {
            let message = view.commit_at(*oid).ok()?.message;
            Some(
                Message::parse_unjoined(message.as_bytes())
                    .ok()?
                    .checkpoint
                    .checkpoint
                    .vault,
            )
        };
        logs.iter().find_map(vault)
    };
    let pending = || {
        let mut messages = view.pending_messages();
        messages.find_map(|text| {
            Some(
                Message::parse_unjoined(text.as_bytes())
                    .ok()?
                    .checkpoint
                    .checkpoint
                    .vault,
            )
        })
    };
    let vault = said
        .as_ref()
        .map(|file| file.vault)
        .or_else(|| given.first().copied())
        .or_else(signed)
        .or_else(pending);
    let vault = vault.ok_or(LedgerError::NotAVault("nothing in it says which vault it is"))?;
    for other in given.iter().filter(|other| **other != vault) {
        let message = format!("what you gave to check against belongs to vault {other}, and this is vault {vault}");
        tally.problem(Problem::vault(23, message));
    }
    let pins = Pins::new(anchors, vault, said.map(|file| file.founder));
    let (paths, cards): (Vec<&str>, Vec<&[u8]>) = raw.cards().into_iter().unzip();
    let roster = verify_roster(vault, &cards, &pins, tally);
    if let Some(Err(error)) = roster.as_ref().map(|roster| roster.check_paths(paths)) {
        tally.problem(Problem::vault(36, format!("the members' cards do not hold: {error}")));
    }
    let digests: Vec<Digest> = roster
        .iter()
        .flat_map(Roster::cards)
        .map(|card| card.digest())
        .collect();
    let policies = match raw.policies() {
        Ok(files) => Some(files.digest()),
        Err(error) => {
            tally.problem(Problem::vault(36, format!("the policies cannot be read: {error}")));
            None
        }
    };
    Ok(Facts {
        vault,
        roster,
        digests,
        policies,
        now: anchors.now,
    })
}

/// What is known from outside of the roster.
struct Pins {
    founders: Vec<(&'static str, Digest)>,
}

impl Pins {
    fn new(anchors: &Anchors<'_>, vault: VaultId, said: Option<Digest>) -> Self {
        let receipt = anchors.receipt.filter(|receipt| receipt.vault == vault);
        let mark = anchors.high_water.filter(|mark| mark.vault == vault);
        let given = [
            ("the receipt", receipt.map(|receipt| receipt.founder)),
            ("this device", mark.map(|mark| mark.founder)),
        ];
        let given = given.into_iter().filter_map(|(what, founder)| Some((what, founder?)));
        let mut founders: Vec<_> = given.collect();
        // The vault's own word comes last: it must at least not contradict itself.
        founders.extend(said.map(|founder| ("`vault.toml`", founder)));
        Self { founders }
    }
}

/// The longest beginning of the cards that is a roster.
fn verify_roster(vault: VaultId, cards: &[&[u8]], pins: &Pins, tally: &mut Tally) -> Option<Roster> {
    let mut cards = cards;
    let roster = loop {
        match Roster::verify(vault, None, cards) {
            Ok(roster) => break roster,
            Err(error) => {
                tally.problem(Problem::vault(36, format!("the members' cards do not hold: {error}")));
                let (BadCard::Malformed(n)
                | BadCard::Chain(n)
                | BadCard::Foreign(n)
                | BadCard::Device(n)
                | BadCard::Cuts(n)
                | BadCard::Signature(n)) = error
                else {
                    return None;
                };
                cards = cards.get(..n.min(cards.len().saturating_sub(1)))?;
                if cards.is_empty() {
                    for (what, _) in pins.founders.iter().filter(|(what, _)| *what != "`vault.toml`") {
                        let message = format!("the founder's card that {what} knows is not in the vault");
                        tally.problem(Problem::vault(13, message));
                    }
                    return None;
                }
            }
        }
    };
    for (what, _) in pins.founders.iter().filter(|(_, pinned)| *pinned != roster.founder()) {
        let message = format!("the founder's card is not the one that {what} names: the members were replaced");
        tally.problem(Problem::vault(13, message));
    }
    Some(roster)
}

/// Whether a commit is signed with one of the keys.
pub(super) fn is_signed(commit: &Commit, mut keys: impl Iterator<Item = PublicKey>) -> bool {
    let signature = commit.gpgsig.as_deref().unwrap_or_default();
    keys.any(|key| verify_ssh(&key, Namespace::Git, &commit.signed, signature).is_ok())
}

/// The newest commit of `main` is signed by a member's device.
fn verify_main(commit: Option<&Commit>, facts: &Facts, tally: &mut Tally) {
    let (Some(commit), Some(roster)) = (commit, &facts.roster) else {
        return;
    };
    let devices = roster
        .cards()
        .iter()
        .flat_map(|card| &card.devices)
        .filter(|d| d.kind == DeviceKind::Device);
    if !is_signed(commit, devices.filter_map(|device| device.sign_key())) {
        let message = "the newest commit on the branch `main` is not signed by a member's device";
        tally.problem(Problem::vault(36, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_counted() {
        let mut here = Listed::default();
        let mut there = Listed::default();
        for n in 0..60 {
            here.add(Problem::vault(3, format!("line {n}")));
            there.add(Problem::vault(3, format!("line {n} of another log")));
        }
        here.add(Problem::vault(12, "a device"));
        here.add(Problem::vault(12, "a device"));
        here.absorb(there);
        let (list, more) = here.end();
        assert_eq!((list.len(), more), (LISTED + 1, BTreeMap::from([(3, 70)])));
    }
}
