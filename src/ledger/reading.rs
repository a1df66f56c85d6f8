//! Reading the logs: all of them, in one order, by somebody whose reading is itself recorded. Memory does not grow
//! with the logs: a bundle of each is held at a time.

use super::append::Recorded;
use super::error::LedgerError;
use super::objects::{AUDIT, HEADS};
use super::scan::{Head, read_bundle, scan, tail};
use super::start::{Ledger, scan_fault};
use crate::chain::{BUNDLE_LEN, Details, Entry, NoteSet, Time, note_of, parse_bundle};
use crate::envelope::DetailKey;
use crate::id::{DeviceId, Digest, KeyId, LogName, NoteId, VaultId};
use crate::repo::{Oid, Repo};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A log as far as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadLog {
    /// Its name.
    pub log: LogName,
    /// How many entries it has.
    pub size: u64,
    /// The root of its tree.
    pub root: Digest,
    head: Oid,
}

/// An entry as whoever reads it may have it.
pub struct Opened {
    /// The entry.
    pub entry: Entry,
    /// Its details, if a key of the reader's opens them.
    pub details: Option<Details>,
    /// The notes concerned: all of them by the details; without these, those whose files it wrote or forgot.
    pub notes: Vec<NoteId>,
}

/// The logs as they stood when the reading of them was recorded. It needs no lock: what it reads never changes.
///
/// INVARIANT (log, then act): only a reading that is on record makes one.
pub struct Reading<'a> {
    repo: &'a Repo,
    vault: VaultId,
    logs: Vec<ReadLog>,
    keys: BTreeMap<(DeviceId, KeyId), DetailKey>,
    notes: BTreeMap<LogName, Vec<NoteId>>,
}

impl<'a> Ledger<'a> {
    /// Reads the logs that are not set aside, as they stand now, once `recorded`. All lines are hashed again before
    /// any is given out.
    pub fn reading(&self, recorded: &Recorded) -> Result<Reading<'a>, LedgerError> {
        if !recorded.is_done() {
            return Err(LedgerError::Internal("a reading of the log that was not permitted"));
        }
        let standing = &self.standing;
        let mut logs = vec![ReadLog {
            log: standing.log,
            size: standing.frontier.size(),
            root: standing.frontier.root(),
            head: standing.head,
        }];
        for (name, head) in &standing.other_heads {
            let log = name.strip_prefix(HEADS).and_then(|name| name.strip_prefix(AUDIT));
            let log: Option<LogName> = log.and_then(|log| log.parse().ok());
            let at = log.and_then(|log| Some((log, standing.others.get(&log)?)));
            logs.extend(at.map(|(log, (size, root))| ReadLog {
                log,
                size: *size,
                root: *root,
                head: *head,
            }));
        }
        logs.sort_by_key(|read| read.log);
        for read in &logs {
            let head = Head::read(self.repo, read.head);
            let scanned = head.and_then(|head| scan(self.repo, &head, &BTreeSet::new(), &mut |_| ()));
            scanned.map_err(|error| scan_fault(read.log, error))?;
        }
        Ok(Reading {
            repo: self.repo,
            vault: standing.charter.vault,
            logs,
            keys: self.detail_keys(),
            notes: standing.creations.by_log().clone(),
        })
    }
}

impl Reading<'_> {
    /// The logs, by name.
    pub fn logs(&self) -> &[ReadLog] {
        &self.logs
    }

    /// The same reading of the logs of these devices alone.
    pub fn of_devices(mut self, devices: &BTreeSet<DeviceId>) -> Self {
        self.logs.retain(|read| devices.contains(&read.log.device));
        self
    }

    /// Calls `visit` with every entry, by time, then by log. A log's own order is never broken: what a device wrote
    /// after its clock was put back stands behind what it wrote before.
    pub fn each<E: From<LedgerError>>(&self, visit: &mut dyn FnMut(Opened) -> Result<(), E>) -> Result<(), E> {
        let cursors: Result<Vec<Cursor<'_>>, LedgerError> =
            self.logs.iter().map(|read| Cursor::begin(self.repo, read)).collect();
        let mut cursors = cursors?;
        loop {
            let next = cursors.iter_mut().filter(|cursor| cursor.next.is_some());
            let Some(first) = next.min_by_key(|cursor| (cursor.clock, cursor.log)) else {
                return Ok(());
            };
            if let Some(entry) = first.step()? {
                visit(self.open(entry))?;
            }
        }
    }

    fn open(&self, entry: Entry) -> Opened {
        let key = self.keys.get(&(entry.log.device, entry.detail));
        let details = key.and_then(|key| Details::open_sealed(self.vault, entry.place(), key, &entry.sealed).ok());
        let notes = match details.as_ref().map(|details| &details.notes) {
            Some(NoteSet::Ids(ids)) => ids.clone(),
            Some(NoteSet::Bitmaps(maps)) => {
                let created = |log: LogName, index: u64| {
                    let notes = self.notes.get(&log)?;
                    notes.get(usize::try_from(index).ok()?).copied()
                };
                let of = |(log, map): (&LogName, &crate::chain::Bitmap)| {
                    let log = *log;
                    map.iter()
                        .filter_map(move |index| created(log, index))
                        .collect::<Vec<_>>()
                };
                maps.iter().flat_map(of).collect()
            }
            None => {
                let files = entry.wrote.iter().chain(&entry.forgot);
                let notes: BTreeSet<NoteId> = files
                    .filter(|file| file.0.starts_with("notes/"))
                    .filter_map(|file| note_of(&file.1))
                    .collect();
                notes.into_iter().collect()
            }
        };
        Opened { entry, details, notes }
    }
}

/// A place in a log.
struct Cursor<'a> {
    repo: &'a Repo,
    log: LogName,
    head: Head,
    bundle: u64,
    ended: bool,
    lines: VecDeque<Vec<u8>>,
    next: Option<Entry>,
    /// The latest time of the log up to its next entry.
    clock: Time,
}

impl<'a> Cursor<'a> {
    fn begin(repo: &'a Repo, read: &ReadLog) -> Result<Self, LedgerError> {
        let head = Head::read(repo, read.head).map_err(|error| scan_fault(read.log, error))?;
        let mut cursor = Self {
            repo,
            log: read.log,
            head,
            bundle: 0,
            ended: false,
            lines: VecDeque::new(),
            next: None,
            clock: Time::from_unix(i64::MIN),
        };
        cursor.step().map(|_| cursor)
    }

    /// Moves on by an entry, and gives the one it stood at.
    fn step(&mut self) -> Result<Option<Entry>, LedgerError> {
        let fault = |error| scan_fault(self.log, error);
        while self.lines.is_empty() && !self.ended {
            if self.bundle < self.head.size() / BUNDLE_LEN {
                let bytes = read_bundle(self.repo, self.head.commit.tree, self.bundle).map_err(fault)?;
                let lines = parse_bundle(&bytes).map_err(|bad| fault(super::scan::broken(bad.to_string())))?;
                self.lines = lines.into_iter().map(<[u8]>::to_vec).collect();
                self.bundle += 1;
            } else {
                self.lines = tail(self.repo, &self.head, 0).map_err(fault)?.into();
                self.ended = true;
            }
        }
        let next = match self.lines.pop_front() {
            None => None,
            Some(line) => {
                let parsed = Entry::parse(&line).map_err(|bad| fault(super::scan::broken(bad.to_string())))?;
                Some(parsed.entry)
            }
        };
        self.clock = next.as_ref().map_or(self.clock, |entry| entry.time.max(self.clock));
        Ok(std::mem::replace(&mut self.next, next))
    }
}
