//! The start of every access: lock, recover, read the own log, compare it with the high-water mark.

use super::charter::Charter;
use super::error::LedgerError;
use super::high_water::{HighWater, MarkFile};
use super::histories::{HistoryAt, tell_apart};
use super::kept::{Branches, log_branches, without_prefix};
use super::objects::{AUDIT, FILE_MAX, HEADS, MAIN, Objects, audit_ref, log_of};
use super::scan::{Head, ScanError, Scanned, scan};
use super::standing::{Memory, Standing, Stood, other_heads};
use super::stored::Shard;
use crate::chain::{
    Creations, Cuts, Entry, FileRef, Frontier, Histories, LiveFile, LiveSet, Matters, Problem, Roster, Time,
};
use crate::envelope::{DetailFile, DetailKey, Keyring};
use crate::id::{DeviceId, Digest, KeyId, LogName, NoteId, VaultId};
use crate::repo::{Lock, Oid, Repo};
use crate::session::Identity;
use memchr::memmem::Finder;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The vault, open for accesses by one device. Holds the lock for as long as it lives.
pub struct Ledger<'a> {
    // Before the lock, so that who gets the lock next finds what is remembered.
    pub(super) standing: Stood<'a>,
    pub(super) repo: &'a Repo,
    pub(super) lock: Lock,
    pub(super) identity: &'a Identity,
    pub(super) settled: bool,
    pub(super) mark: MarkFile,
    pub(super) state: PathBuf,
    /// Whether others wrote while the lock was left to them: what was read is stale then.
    pub(super) lapsed: bool,
    mark_was_missing: bool,
}

/// A log that is not trusted now, or another history of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantined {
    /// The log.
    pub log: LogName,
    /// Whether it is another history that was kept of it, and not the log itself.
    pub fork: bool,
    /// Why, in the person's words.
    pub why: String,
}

/// What a first pass over the logs collects.
#[derive(Default)]
struct Pass {
    live: LiveSet,
    creations: Creations,
    seen: BTreeMap<LogName, (u64, Digest)>,
    detail: Option<(FileRef, Time)>,
    last: Option<Entry>,
    /// The newest time among the own log's entries that were parsed.
    newest: Option<Time>,
}

/// Finds the lines that say more than that there was a read, so that only those are parsed.
pub(super) struct Telling([Finder<'static>; 2]);

impl Telling {
    pub(super) fn new() -> Self {
        // A read has no kind.
        Self(["\"kind\":", "\"seen\":"].map(Finder::new))
    }

    pub(super) fn tells(&self, line: &[u8]) -> bool {
        self.0.iter().any(|finder| finder.find(line).is_some())
    }
}

impl Pass {
    fn line(&mut self, telling: &Telling, own: bool, line: &[u8]) {
        // INVARIANT (authentic before parsed): whatever is kept here counts only after the scan has matched
        // the lines with the signed root; `Ledger::start` drops it otherwise.
        if !telling.tells(line) {
            return;
        }
        let Ok(parsed) = Entry::parse(line) else { return };
        let entry = parsed.entry;
        self.live.apply(&entry);
        self.creations.apply(&entry);
        if own {
            self.newest = self.newest.max(Some(entry.time));
            self.seen.extend(entry.seen.iter().map(|(log, at)| (*log, *at)));
            if let Some(file) = entry.wrote.iter().find(|file| file.1.starts_with("detail-")) {
                self.detail = Some((file.clone(), entry.time));
            }
        }
    }
}

impl<'a> Ledger<'a> {
    /// Takes the lock (waiting at most `patience`), recovers, and reads what every access rests on. `state` is this
    /// device's folder for this vault. Refuses on any fault of the own log, the roster or the policies. With a
    /// `memory` the logs are read only where somebody else has written since.
    pub fn start(
        repo: &'a Repo,
        identity: &'a Identity,
        state: &Path,
        patience: Duration,
        memory: Option<&'a Memory>,
    ) -> Result<Self, LedgerError> {
        let lock = repo.lock(patience)?;
        let mut remembered = memory.and_then(Memory::take);
        let journal = remembered.as_deref().and_then(|standing| standing.as_ref()?.journal);
        lock.expect_journal_at(journal);
        repo.recover(&lock)?;
        let mark = MarkFile::open(state)?;
        let known = mark.read(identity)?;
        let holds = match (remembered.as_deref_mut(), &known) {
            (Some(Some(standing)), Some(known)) => standing.still_holds(repo, known.size, known.root)?,
            _ => false,
        };
        if let Some(guard) = remembered.as_mut().filter(|_| !holds) {
            **guard = None;
        }
        let standing = match remembered.take() {
            Some(guard) if holds => Stood::Remembered(guard),
            guard => Stood::new(learn(repo, identity, known.as_ref())?, guard),
        };
        Ok(Self {
            repo,
            lock,
            identity,
            standing,
            settled: true,
            mark,
            state: state.to_owned(),
            lapsed: false,
            mark_was_missing: known.is_none(),
        })
    }

    /// The keys this device holds.
    pub fn keyring(&self) -> &Keyring {
        &self.standing.keyring
    }

    /// The same with further keys, which are about to be recorded.
    pub fn keyring_with(&mut self, keys: Keyring) -> &Keyring {
        self.settled = false;
        self.standing.keyring.join(keys);
        &self.standing.keyring
    }

    /// The live key boxes of a device.
    pub fn boxes_of(&self, device: DeviceId) -> Vec<FileRef> {
        boxes_of(&self.standing.live, device)
    }

    /// Who belongs to the vault, and its policies.
    pub fn charter(&self) -> &Charter {
        &self.standing.charter
    }

    /// The own log and its size.
    pub fn head(&self) -> (LogName, u64) {
        (self.standing.log, self.standing.frontier.size())
    }

    /// Whether this device had no high-water mark: it was lost, or taken away.
    pub fn mark_was_missing(&self) -> bool {
        self.mark_was_missing
    }

    /// What cannot be trusted now of other logs, and of other histories of the own one; work goes on without it.
    pub fn quarantined(&self) -> &[Quarantined] {
        &self.standing.quarantined
    }

    /// Whether some of a note was destroyed: what is left is destroyed too, and nothing else done with it.
    pub fn is_destroyed(&self, note: NoteId) -> bool {
        self.standing.live.is_destroyed(note)
    }

    /// The members by which something is judged that names these: those, or the ones that they stood upon where they were
    /// withdrawn.
    pub fn stands_upon(&self, roster: Digest) -> Digest {
        self.standing.live.withdrawals().base_of(roster).unwrap_or(roster)
    }

    /// What is between several people.
    pub fn matters(&self) -> &Matters {
        self.standing.live.matters()
    }

    /// The detail keys that this device or a role it holds can open, by the device whose log they serve. One that a log
    /// of another device brought is nobody's: it would stand in the way of the right one.
    pub(super) fn detail_keys(&self) -> BTreeMap<(DeviceId, KeyId), DetailKey> {
        let Ok(shard) = Shard::read(self.repo, DEVICES) else {
            return BTreeMap::new();
        };
        let live = self.standing.live.iter().map(|(file, _)| file);
        let files = live.filter(|file| file.is_at(DEVICES, "detail-"));
        let open = |file: &LiveFile| {
            let bytes = shard.file(self.repo, &file.file(), FILE_MAX).ok()?;
            let serves = DetailFile::parse(&bytes).ok()?.serves().ok()?;
            let key = self.identity.open_detail_key(&bytes, &self.standing.keyring).ok()?;
            let mut writers = self.standing.live.writers(file);
            let is_its_own = writers.any(|entry| entry.log.device == serves);
            is_its_own.then_some(((serves, key.id), key))
        };
        files.filter_map(open).collect()
    }
}

impl Drop for Ledger<'_> {
    fn drop(&mut self) {
        match self.settled && !self.lapsed {
            true => self.standing.journal = self.lock.journal_mark(),
            false => self.standing.forget(),
        }
    }
}

/// Reads and verifies what every access rests on.
pub(super) fn learn(repo: &Repo, identity: &Identity, known: Option<&HighWater>) -> Result<Standing, LedgerError> {
    let main = repo.ref_target(&format!("{HEADS}{MAIN}"))?;
    let main = main.ok_or(LedgerError::NotAVault("it has no branch `main`"))?;
    let charter = Charter::read(repo, main, identity.founder_pin())?;
    if charter.vault != identity.vault() {
        return Err(LedgerError::OtherVault);
    }
    let log = own_log(repo, identity, known)?;
    let telling = Telling::new();
    let mut pass = Pass {
        live: LiveSet::within(charter.roster.cuts()),
        ..Pass::default()
    };
    let (other_heads, damaged) = other_heads(repo, log)?;
    let mut branches = Branches::sort(repo, &charter.roster, charter.vault, without_prefix(&other_heads));
    pass.live.expect(Histories::of(branches.beside.keys().copied()));
    let asked = branches.sizes(log);
    let (head, scanned) = scan_own(repo, identity, &charter, log, known, asked, &mut |line| {
        pass.line(&telling, true, line);
    })?;
    branches.drop_beginnings(log, &scanned.roots);
    pass.last = Entry::parse(&head.message.line).ok().map(|parsed| parsed.entry);
    let own_forks = branches.beside(log).collect();
    let mut others = scan_others(repo, &charter, (log, head.oid), branches, &telling, &mut pass);
    for (log, fork) in damaged.iter().filter_map(|name| log_of(name.strip_prefix(HEADS)?)) {
        others.set_aside(log, fork.is_some(), "its branch is damaged".to_owned());
    }
    let last = pass
        .last
        .take()
        .ok_or_else(|| own_fault(log, 27, "its newest entry cannot be read"))?;
    check_charter(&charter, &pass.live, &last)?;
    let (mut keyring, detail, detail_role) = open_keys(repo, identity, &charter.roster, &pass)?;
    keyring.put_in_force(charter.roster.keys_in_force());
    Ok(Standing {
        charter,
        log,
        head: head.oid,
        tree: head.commit.tree,
        frontier: scanned.frontier,
        last_leaf: scanned.last_leaf,
        live: pass.live,
        creations: pass.creations,
        seen: pass.seen,
        others: others.heads,
        own_forks,
        keyring,
        detail,
        detail_role,
        detail_since: pass.detail.map_or(last.time, |(_, since)| since),
        newest: pass.newest.map_or(last.time, |newest| newest.max(last.time)),
        quarantined: others.quarantined,
        other_heads,
        read: others.trees,
        journal: None,
    })
}

/// The live key boxes of a device.
pub(super) fn boxes_of(live: &LiveSet, device: DeviceId) -> Vec<FileRef> {
    let prefix = format!("{device}.");
    let files = live.iter().map(|(file, _)| file);
    files
        .filter(|file| file.is_at(DEVICES, &prefix))
        .map(LiveFile::file)
        .collect()
}

/// Those of them that the person of the device or a lead wrote: from anybody else they could hold keys of theirs. There may
/// be several, since leads add what is new, and two of them need not know of each other.
pub(super) fn given_boxes(live: &LiveSet, roster: &Roster, device: DeviceId) -> Vec<FileRef> {
    let mut boxes = boxes_of(live, device);
    boxes.retain(|file| {
        live.writers(&file.into())
            .any(|entry| roster.may_give(entry.log.device, device))
    });
    boxes.sort();
    boxes
}

/// The branch of key boxes and detail keys, without [`HEADS`].
pub const DEVICES: &str = "keys/devices";

pub(super) trait CommitTree {
    fn commit_tree(&self, commit: Oid) -> Result<Oid, LedgerError>;
}

impl CommitTree for Repo {
    fn commit_tree(&self, commit: Oid) -> Result<Oid, LedgerError> {
        Ok(self.commit_at(commit)?.tree)
    }
}

fn own_fault(log: LogName, case: u8, why: impl std::fmt::Display) -> LedgerError {
    LedgerError::tampered(Problem::of(log, case, format!("this device's log is broken: {why}")))
}

pub(super) fn scan_fault(log: LogName, error: ScanError) -> LedgerError {
    match error {
        ScanError::Read(crate::repo::ReadError::Git(message)) => {
            LedgerError::Read(crate::repo::ReadError::Git(message))
        }
        error => own_fault(log, 1, error),
    }
}

/// The log of this device: by the high-water mark, else the only one there is.
fn own_log(repo: &Repo, identity: &Identity, known: Option<&HighWater>) -> Result<LogName, LedgerError> {
    if let Some(mark) = known {
        return Ok(mark.log);
    }
    let prefix = format!("{HEADS}{AUDIT}{}-", identity.device());
    let (mut found, _) = log_branches(repo)?;
    found.retain(|(name, _)| name.starts_with(&prefix));
    let mut logs: Vec<LogName> = found
        .iter()
        .filter_map(|(name, _)| name.strip_prefix(HEADS)?.strip_prefix(AUDIT)?.parse().ok())
        .collect();
    if logs.len() > 1 {
        // Where one goes on from another, it is the last of them.
        let ended: Vec<LogName> = found.iter().flat_map(|(_, oid)| joined_by(repo, *oid)).collect();
        logs.retain(|log| !ended.contains(log));
    }
    let mut logs = logs.into_iter();
    match (logs.next(), logs.next()) {
        (Some(log), None) => Ok(log),
        (None, _) => {
            let message = format!(
                "the log of this device ({}) is missing from the vault",
                identity.device()
            );
            Err(LedgerError::tampered(Problem::vault(10, message)))
        }
        (Some(log), Some(_)) => Err(own_fault(
            log,
            43,
            "there is more than one, and nothing says which is in use",
        )),
    }
}

/// The logs that a log's first entry goes on from.
fn joined_by(repo: &Repo, oid: Oid) -> Vec<LogName> {
    let mut joined = Vec::new();
    let first = &mut |line: &[u8]| {
        let entry = Entry::parse(line).ok().map(|parsed| parsed.entry);
        joined.extend(
            entry
                .into_iter()
                .filter(|entry| entry.seq == 0)
                .flat_map(|entry| entry.joined),
        );
    };
    if let Ok(head) = Head::read(repo, oid) {
        let _ = scan(repo, &head, &BTreeSet::new(), first);
    }
    joined.into_iter().map(|(log, _, _)| log).collect()
}

fn scan_own(
    repo: &Repo,
    identity: &Identity,
    charter: &Charter,
    log: LogName,
    known: Option<&HighWater>,
    mut asked: BTreeSet<u64>,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<(Head, Scanned), LedgerError> {
    let target = repo.ref_target(&format!("{HEADS}{}", audit_ref(log)))?;
    let Some(oid) = target else {
        return Err(own_fault(log, 10, "its branch is missing"));
    };
    let head = Head::read(repo, oid).map_err(|error| scan_fault(log, error))?;
    let checkpoint = &head.message.checkpoint;
    checkpoint
        .check_origin(charter.vault, log)
        .map_err(|bad| own_fault(log, 23, bad))?;
    checkpoint
        .verify(&identity.public_key())
        .map_err(|bad| own_fault(log, 12, bad))?;
    if let Some(mark) = known
        && mark.size > head.size()
    {
        let why = format!(
            "it has {} entries, and this device wrote {}: its end was cut off, or the vault was put back from a backup",
            head.size(),
            mark.size
        );
        return Err(own_fault(log, 9, why));
    }
    asked.extend(known.map(|mark| mark.size));
    let scanned = scan(repo, &head, &asked, visit).map_err(|error| scan_fault(log, error))?;
    if let Some(mark) = known
        && scanned.roots.get(&mark.size) != Some(&mark.root)
    {
        let why = format!("its first {} entries are not those that this device wrote", mark.size);
        return Err(own_fault(log, 9, why));
    }
    let (_, device) = charter
        .roster
        .device(identity.device())
        .ok_or(LedgerError::NotAMember)?;
    if device.sign_key() != Some(identity.public_key()) {
        return Err(LedgerError::NotAMember);
    }
    if let Some((size, _)) = charter.roster.cuts().of(log) {
        let why = format!("it was cut at {size} entries when this device was removed; come in anew by a recovery key");
        return Err(own_fault(log, 14, why));
    }
    Ok((head, scanned))
}

/// What was found beside the own log.
#[derive(Default)]
struct Others {
    heads: BTreeMap<LogName, (u64, Digest)>,
    /// The trees over the lines of the logs that count as a whole.
    trees: BTreeMap<LogName, Frontier>,
    quarantined: Vec<Quarantined>,
}

impl Others {
    fn set_aside(&mut self, log: LogName, fork: bool, why: String) {
        let known = |one: &Quarantined| (one.log, one.fork) == (log, fork);
        if !self.quarantined.iter().any(known) {
            self.quarantined.push(Quarantined { log, fork, why });
        }
    }
}

/// Takes the other logs into account. One that is broken is left out and named: it stops nobody else's work.
fn scan_others(
    repo: &Repo,
    charter: &Charter,
    own: (LogName, Oid),
    mut branches: Branches,
    telling: &Telling,
    pass: &mut Pass,
) -> Others {
    let mut others = Others::default();
    let mut read: BTreeMap<LogName, Vec<HistoryAt<'_>>> = BTreeMap::from([(own.0, vec![(repo as _, own.1)])]);
    for (log, oid) in std::mem::take(&mut branches.own) {
        let seen = pass.seen.get(&log).copied();
        let asked = branches.sizes(log);
        match scan_other(repo, charter, log, (oid, false), seen, asked, pass.live.cuts(), telling) {
            Ok(other) => {
                branches.drop_beginnings(log, &other.roots);
                for entry in &other.entries {
                    pass.live.apply(entry);
                    pass.creations.apply(entry);
                }
                read.insert(log, vec![(repo, oid)]);
                others.heads.extend(other.counts.map(|at| (log, at)));
                others.trees.extend(other.whole.map(|tree| (log, tree)));
                if let Some(cut) = other.cut {
                    let why = format!("its device was removed: entries from {cut} on do not count");
                    others.set_aside(log, false, why);
                }
            }
            Err(why) => others.set_aside(log, false, why),
        }
    }
    for (log, beside) in &branches.beside {
        // What was seen of a log can be held against its own branch alone: without that, others could be its past, and
        // what it destroyed be back.
        let alone = !read.contains_key(log);
        if alone {
            others.set_aside(*log, false, "only another history of it is left".to_owned());
        }
        let mut whole = BTreeSet::new();
        for kept in beside {
            if whole.contains(&kept.end) {
                continue;
            }
            let asked = BTreeSet::new();
            match scan_other(
                repo,
                charter,
                *log,
                (kept.oid, true),
                None,
                asked,
                pass.live.cuts(),
                telling,
            ) {
                Ok(other) => {
                    whole.insert(kept.end);
                    let histories = read.entry(*log).or_default();
                    for mut entry in other.entries {
                        if alone {
                            entry.wrote.clear();
                        }
                        pass.live.apply_in(&entry, histories.len());
                        pass.creations.apply(&entry);
                    }
                    histories.push((repo, kept.oid));
                }
                Err(why) => others.set_aside(*log, true, why),
            }
        }
    }
    for (log, why) in branches.bogus {
        others.set_aside(log, true, why);
    }
    for log in pass.live.histories().logs() {
        let histories = read.get(&log).map(Vec::as_slice).unwrap_or_default();
        if let Err(error) = tell_apart(&mut pass.live, log, histories) {
            others.set_aside(log, true, error.to_string());
        }
    }
    for log in pass.seen.keys().filter(|log| **log != own.0) {
        let known = others.quarantined.iter().any(|one| one.log == *log && !one.fork);
        if !known && !others.heads.contains_key(log) {
            others.set_aside(*log, false, "it is missing from the vault".to_owned());
        }
    }
    others
}

/// What another log says.
struct Other {
    /// Its roots at the sizes that were asked for.
    roots: BTreeMap<u64, Digest>,
    /// The entries that count and say more than that there was a read.
    entries: Vec<Entry>,
    /// What to say of it that was seen: how far it counts, unless more was seen before.
    counts: Option<(u64, Digest)>,
    /// The first entry that does not count.
    cut: Option<u64>,
    /// The tree over its lines, if all of them count.
    whole: Option<Frontier>,
}

/// The newest commit of a log, signed by its device.
pub(super) fn read_head(
    objects: &dyn Objects,
    roster: &Roster,
    vault: VaultId,
    log: LogName,
    oid: Oid,
) -> Result<Head, String> {
    let head = Head::read(objects, oid).map_err(|error| error.to_string())?;
    let key = roster.device_ever(log.device).and_then(|device| device.sign_key());
    let key = key.ok_or("its device is not a member's")?;
    let checkpoint = &head.message.checkpoint;
    checkpoint.check_origin(vault, log).map_err(|bad| bad.to_string())?;
    checkpoint.verify(&key).map_err(|bad| bad.to_string())?;
    Ok(head)
}

#[allow(clippy::too_many_arguments)]
fn scan_other(
    repo: &Repo,
    charter: &Charter,
    log: LogName,
    (oid, beside): (Oid, bool),
    seen: Option<(u64, Digest)>,
    mut asked: BTreeSet<u64>,
    cuts: &Cuts,
    telling: &Telling,
) -> Result<Other, String> {
    let head = read_head(repo, &charter.roster, charter.vault, log, oid)?;
    let checkpoint = &head.message.checkpoint.checkpoint;
    // A history that a card knows counts up to the cut without having its root: the log's other one has that.
    let known = beside && charter.roster.joins(&(log, checkpoint.size, checkpoint.root));
    let cut = cuts.of(log).filter(|_| !known);
    if let Some((size, _)) = cut.filter(|(size, _)| *size > head.size()) {
        return Err(format!(
            "it has {} entries, and a member's card accepts {size}: its end was cut off",
            head.size()
        ));
    }
    // What was seen beyond a cut does not count, and may be gone.
    let beyond = |size: u64| cut.is_some_and(|(end, _)| size > end);
    let (seen, told) = (seen.filter(|(size, _)| !beyond(*size)), seen);
    if let Some((size, _)) = seen.filter(|(size, _)| *size > head.size()) {
        return Err(format!(
            "it has {} entries, and this device has seen {size}: its end was cut off",
            head.size()
        ));
    }
    let mut entries = Vec::new();
    asked.extend(seen.iter().chain(&cut).map(|(size, _)| *size));
    let scanned = scan(repo, &head, &asked, &mut |line| {
        if telling.tells(line) {
            let entry = Entry::parse(line).ok().map(|parsed| parsed.entry);
            entries.extend(entry.filter(|entry| cuts.admit(entry)));
        }
    })
    .map_err(|error| error.to_string())?;
    let other = |(size, root): &(u64, Digest)| *size > 0 && scanned.roots.get(size) != Some(root);
    if seen.as_ref().is_some_and(other) {
        return Err("its first entries are not those that this device has seen".into());
    }
    if cut.as_ref().is_some_and(other) {
        return Err("its first entries are not those that a member's card accepts".into());
    }
    let end = (scanned.frontier.size(), scanned.frontier.root());
    let counts = cut.unwrap_or(end);
    let counts = told.filter(|(size, _)| *size > counts.0).unwrap_or(counts);
    Ok(Other {
        entries,
        counts: (counts.0 > 0).then_some(counts),
        roots: scanned.roots,
        whole: cut.is_none().then_some(scanned.frontier),
        cut: cut.map(|(size, _)| size).filter(|size| *size < head.size()),
    })
}

/// The live set of all logs, for a device that has none of its own yet, or for whom others count now. Every log must hold
/// but those that were set `aside` before.
pub(super) fn live_of_all(repo: &Repo, charter: &Charter, aside: &[Quarantined]) -> Result<LiveSet, LedgerError> {
    let is_aside = |log| aside.iter().any(|known| known.log == log && !known.fork);
    let mut live = LiveSet::within(charter.roster.cuts());
    let fault = |log, case, why: String| LedgerError::tampered(Problem::of(log, case, why));
    let (branches, damaged) = log_branches(repo)?;
    let mut damaged = damaged.iter().filter_map(|name| log_of(name.strip_prefix(HEADS)?));
    if let Some((log, _)) = damaged.find(|(log, fork)| fork.is_none() && !is_aside(*log)) {
        return Err(fault(log, 10, "its branch is damaged".into()));
    }
    let mut branches = Branches::sort(repo, &charter.roster, charter.vault, without_prefix(&branches));
    live.expect(Histories::of(branches.beside.keys().copied()));
    let mut read: BTreeMap<LogName, Vec<HistoryAt<'_>>> = BTreeMap::new();
    let telling = Telling::new();
    for (log, oid) in std::mem::take(&mut branches.own) {
        let asked = branches.sizes(log);
        let other = scan_other(repo, charter, log, (oid, false), None, asked, live.cuts(), &telling);
        let other = match other {
            Err(_) if is_aside(log) => continue,
            other => other.map_err(|why| fault(log, 1, why))?,
        };
        branches.drop_beginnings(log, &other.roots);
        other.entries.iter().for_each(|entry| live.apply(entry));
        read.insert(log, vec![(repo, oid)]);
    }
    let mut whole = BTreeSet::new();
    for (log, kept) in branches
        .beside
        .iter()
        .flat_map(|(log, all)| all.iter().map(move |kept| (*log, kept)))
    {
        let Some(histories) = read.get_mut(&log) else {
            if is_aside(log) {
                continue;
            }
            return Err(fault(log, 10, "of this log only another history is left".into()));
        };
        if whole.contains(&(log, kept.end)) {
            continue;
        }
        let asked = BTreeSet::new();
        let other = scan_other(repo, charter, log, (kept.oid, true), None, asked, live.cuts(), &telling);
        // One that cannot be read counts nowhere.
        let Ok(other) = other else { continue };
        whole.insert((log, kept.end));
        let number = histories.len();
        other.entries.iter().for_each(|entry| live.apply_in(entry, number));
        histories.push((repo, kept.oid));
    }
    for log in live.histories().logs() {
        let histories = read.get(&log).map(Vec::as_slice).unwrap_or_default();
        tell_apart(&mut live, log, histories).map_err(|error| scan_fault(log, error))?;
    }
    Ok(live)
}

/// Reads and verifies `main` as it stands, with a founder that was pinned or, without one, on the vault's own word.
pub fn read_charter(repo: &Repo, founder: Option<Digest>) -> Result<Charter, LedgerError> {
    let main = repo.ref_target(&format!("{HEADS}{MAIN}"))?;
    let main = main.ok_or(LedgerError::NotAVault("it has no branch `main`"))?;
    let founder = match founder {
        Some(founder) => founder,
        None => super::charter::RawCharter::read(repo, main)?.vault_file()?.founder,
    };
    Charter::read(repo, main, founder)
}

/// Roster and policies must be those that the logs say were put in force.
fn check_charter(charter: &Charter, live: &LiveSet, last: &Entry) -> Result<(), LedgerError> {
    check_main(charter, live)?;
    // It may be one that was withdrawn since, and another is in force in its place.
    let known = charter.roster.contains(last.roster) || live.withdrawals().base_of(last.roster).is_some();
    known.then_some(()).ok_or_else(|| unrecorded("members"))
}

/// `main` must hold the files that the logs say, and no other.
pub(super) fn check_main(charter: &Charter, live: &LiveSet) -> Result<(), LedgerError> {
    let stray = charter.files.iter().find(|file| !live.is_live(file)).cloned();
    let gone = || live.of_main().find(|file| !charter.files.contains(file));
    match stray.or_else(gone) {
        Some(file) => Err(unrecorded(&file.1)),
        None => Ok(()),
    }
}

fn unrecorded(path: &str) -> LedgerError {
    let message = format!("`{path}` on the branch `main` was changed without an entry in the log");
    LedgerError::tampered(Problem::vault(36, message))
}

fn open_keys(
    repo: &Repo,
    identity: &Identity,
    roster: &Roster,
    pass: &Pass,
) -> Result<(Keyring, DetailKey, KeyId), LedgerError> {
    let shard = Shard::read(repo, DEVICES)?;
    let mut keyring = Keyring::default();
    let mut refused = LedgerError::NotAMember;
    for file in given_boxes(&pass.live, roster, identity.device()) {
        // One that does not open keeps nobody from the others.
        match identity.open_box(&shard.file(repo, &file, FILE_MAX)?) {
            Ok(keys) => keyring.join(keys),
            Err(error) => refused = error.into(),
        }
    }
    if keyring.iter().next().is_none() {
        return Err(refused);
    }
    let (file, _) = pass.detail.as_ref().ok_or(LedgerError::NotAMember)?;
    let bytes = shard.file(repo, file, FILE_MAX)?;
    let detail = identity.open_detail_key(&bytes, &keyring)?;
    Ok((keyring, detail, DetailFile::parse(&bytes)?.role()?))
}
