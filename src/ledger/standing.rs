//! What a start learns of a vault, and what a process that stays remembers of it.

use super::charter::Charter;
use super::error::LedgerError;
use super::kept::{Heads, log_branches};
use super::objects::{HEADS, MAIN, audit_ref, log_of};
use super::scan::scan_on;
use super::start::{Quarantined, Telling, read_head};
use crate::chain::{Creations, Entry, FileRef, Frontier, LiveFile, LiveSet, Time};
use crate::envelope::{DetailKey, Keyring};
use crate::id::{Digest, KeyId, LogName};
use crate::repo::{JournalMark, Oid, Repo};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, TryLockError};

/// What every access rests on: learned by a start, kept up to date by every append.
pub(super) struct Standing {
    pub(super) charter: Charter,
    pub(super) log: LogName,
    pub(super) head: Oid,
    pub(super) tree: Oid,
    pub(super) frontier: Frontier,
    pub(super) last_leaf: Digest,
    pub(super) live: LiveSet,
    pub(super) creations: Creations,
    pub(super) seen: BTreeMap<LogName, (u64, Digest)>,
    pub(super) others: BTreeMap<LogName, (u64, Digest)>,
    pub(super) keyring: Keyring,
    pub(super) detail: DetailKey,
    /// The auditors' key that it is wrapped to.
    pub(super) detail_role: KeyId,
    pub(super) detail_since: Time,
    /// The newest time among the own log's entries, so far as they were parsed: the last one always is.
    pub(super) newest: Time,
    pub(super) quarantined: Vec<Quarantined>,
    /// Where other histories of the own log end.
    pub(super) own_forks: BTreeSet<(u64, Digest)>,
    /// The other logs' branches that this was learned from.
    pub(super) other_heads: Vec<(String, Oid)>,
    /// The trees over the lines that were read of them, of those that count as a whole.
    pub(super) read: BTreeMap<LogName, Frontier>,
    /// Where the journal stood when this was put away.
    pub(super) journal: Option<JournalMark>,
}

impl Standing {
    /// Whether the vault still stands where this was learned, or has gone on from there by entries of others that were
    /// read and taken in now. What is signed and chained below the heads that were known cannot have changed; what an
    /// access reads of it is hashed again all the same. After an error this is worth nothing.
    pub(super) fn still_holds(&mut self, repo: &Repo, size: u64, root: Digest) -> Result<bool, LedgerError> {
        let main = repo.ref_target(&format!("{HEADS}{MAIN}"))?;
        let own = repo.ref_target(&format!("{HEADS}{}", audit_ref(self.log)))?;
        let marked = size == self.frontier.size() && root == self.frontier.root();
        if !marked || main != Some(self.charter.commit) || own != Some(self.head) {
            return Ok(false);
        }
        let (heads, _) = other_heads(repo, self.log)?;
        Ok(heads == self.other_heads || self.catch_up(repo, heads))
    }

    /// Takes in what other logs say beyond what was read of them. Not where a log came or went, nor where members, rules
    /// or keys changed, nor where anything is wrong: then everything is to be learned anew.
    fn catch_up(&mut self, repo: &Repo, heads: Vec<(String, Oid)>) -> bool {
        let names = |heads: &[(String, Oid)]| heads.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if names(&heads) != names(&self.other_heads) {
            return false;
        }
        let telling = Telling::new();
        let moved = heads
            .iter()
            .zip(&self.other_heads)
            .filter(|(now, before)| now != before);
        for ((name, oid), _) in moved {
            let log = name.strip_prefix(HEADS).and_then(log_of);
            let Some((log, None)) = log else { return false };
            let Some(begun) = self.read.get(&log).cloned() else {
                return false;
            };
            let Ok(head) = read_head(repo, &self.charter.roster, self.charter.vault, log, *oid) else {
                return false;
            };
            let mut entries = Vec::new();
            let scanned = scan_on(repo, &head, begun, &mut |line| {
                if telling.tells(line) {
                    entries.push(Entry::parse(line).ok().map(|parsed| parsed.entry));
                }
            });
            let (Ok(frontier), Some(entries)) = (scanned, entries.into_iter().collect::<Option<Vec<Entry>>>()) else {
                return false;
            };
            let of_notes = |file: &FileRef| LiveFile::from(file).note().is_some();
            let mut files = entries.iter().flat_map(|entry| entry.wrote.iter().chain(&entry.forgot));
            if !files.all(of_notes) {
                return false;
            }
            for entry in &entries {
                self.live.apply(entry);
                self.creations.apply(entry);
            }
            self.others.insert(log, (frontier.size(), frontier.root()));
            self.read.insert(log, frontier);
        }
        self.other_heads = heads;
        self.live.knows_apart()
    }
}

/// The branches of the logs of others, and where they stand; and those that are damaged.
pub(super) fn other_heads(repo: &Repo, own: LogName) -> Result<(Heads, Vec<String>), LedgerError> {
    let own = format!("{HEADS}{}", audit_ref(own));
    let (mut heads, mut damaged) = log_branches(repo)?;
    heads.retain(|(name, _)| *name != own);
    damaged.retain(|name| *name != own);
    Ok((heads, damaged))
}

/// What a process that stays unlocked remembers between accesses, so that a start need not read the logs again when
/// nothing but itself has written. It is memory of this process alone: nothing on a disk is believed.
#[derive(Default)]
pub struct Memory(Mutex<Option<Standing>>);

impl Memory {
    /// What is remembered; `None` while another access has it, such as one whose person is being asked something. Who
    /// gets none reads the logs.
    pub(super) fn take(&self) -> Option<MutexGuard<'_, Option<Standing>>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            // Whoever panicked left it to the next start, which compares it with the vault.
            Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Forgets all of it: for tests that put another vault in the place of the one that was learned.
    #[cfg(test)]
    pub(crate) fn forget(&self) {
        if let Some(mut standing) = self.take() {
            *standing = None;
        }
    }
}

/// A standing of a ledger's own, or the one that is remembered.
pub(super) enum Stood<'a> {
    Own(Box<Standing>),
    Remembered(MutexGuard<'a, Option<Standing>>),
}

impl<'a> Stood<'a> {
    pub(super) fn new(standing: Standing, memory: Option<MutexGuard<'a, Option<Standing>>>) -> Self {
        match memory {
            None => Self::Own(Box::new(standing)),
            Some(mut guard) => {
                *guard = Some(standing);
                Self::Remembered(guard)
            }
        }
    }

    /// Forgets what is remembered: something was begun that may not have come to be.
    pub(super) fn forget(&mut self) {
        if let Self::Remembered(guard) = self {
            **guard = None;
        }
    }
}

impl std::ops::Deref for Stood<'_> {
    type Target = Standing;

    fn deref(&self) -> &Standing {
        match self {
            Self::Own(standing) => standing,
            Self::Remembered(guard) => match guard.as_ref() {
                Some(standing) => standing,
                // INVARIANT (filled when made): it is emptied when its ledger is dropped, and never before.
                None => unreachable!("a standing is there for as long as its ledger"),
            },
        }
    }
}

impl std::ops::DerefMut for Stood<'_> {
    fn deref_mut(&mut self) -> &mut Standing {
        match self {
            Self::Own(standing) => standing,
            Self::Remembered(guard) => match guard.as_mut() {
                Some(standing) => standing,
                None => unreachable!("a standing is there for as long as its ledger"),
            },
        }
    }
}
