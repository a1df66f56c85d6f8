//! The journal as a file: append, and the one sync that makes an operation durable.

use super::record::{BLOCK, FIRST, Found, HEAD, SLOT, check_gap, decode_payloads, encode_record, next_offset, scan};
use super::record::{BadJournal, Batch, Header, JOURNAL_BYTES};
use crate::env::{Faults, Step, open_plain_file};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The journal's name in the git directory.
pub(super) const NAME: &str = "strongroom.journal";

/// How often a reader without the lock looks before it gives up.
const MAX_TRIES: usize = 1000;

/// The journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It is not there: a clone has none until one is made.
    #[error("this vault has no journal yet: it was cloned or copied without one")]
    Missing,
    /// Its content is not what was written.
    #[error("{0}; restore the vault from a copy that is whole")]
    Bad(#[from] BadJournal),
    /// The system refused.
    #[error("the journal cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

/// Which record was the last one when a process gave the lock back. Who gets the lock next in the same process need look
/// at that record and what follows it alone: the ones before were read or written by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalMark {
    generation: u64,
    sequence: u64,
    offset: u64,
}

/// An open journal and where its next record goes.
pub(super) struct Journal {
    file: File,
    pub(super) header: Header,
    /// Where the last record begins, if there is one.
    last: Option<u64>,
    /// Where the next record begins.
    end: u64,
    /// The next record's sequence: how many records are in force.
    pub(super) sequence: u64,
}

impl Journal {
    /// Makes an empty journal, filled with zeros that are really written, so that a later append
    /// changes no metadata and one `fdatasync` is one flush.
    pub(super) fn create(folder: &Path, boot: Option<[u8; 16]>) -> io::Result<()> {
        let path = folder.join(NAME);
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).clone();
        let mut file = options.open(&path)?;
        let header = Header { generation: 1, boot };
        let filled = (0..JOURNAL_BYTES / BLOCK)
            .try_for_each(|_| file.write_all(&[0; BLOCK as usize]))
            .and_then(|()| file.write_all_at(&header.encode(), header.offset()))
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(folder)?.sync_all());
        if filled.is_err() {
            // Half a journal would be in the way of the next try.
            let _ = std::fs::remove_file(&path);
        }
        filled
    }

    /// Opens the journal and reads the payloads of the records in force.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<Vec<u8>>), JournalError> {
        let file = match open_plain_file(&folder.join(NAME), true, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(JournalError::Missing),
            file => file?,
        };
        let header = read_header(&file)?;
        let Found { payloads, last, end } = scan(header.generation, FIRST, &mut reader(&file))?;
        let journal = Self {
            file,
            header,
            last,
            end,
            sequence: payloads.len() as u64,
        };
        Ok((journal, payloads))
    }

    /// The same from a record on that this process knows, and the payload of the last one alone. `None` if another
    /// generation has begun, or that record is not there: then all of it must be read.
    pub(super) fn open_at(folder: &Path, mark: JournalMark) -> Result<Option<(Self, Vec<u8>)>, JournalError> {
        let file = open_plain_file(&folder.join(NAME), true, false)?;
        let header = read_header(&file)?;
        if header.generation != mark.generation {
            return Ok(None);
        }
        let begin = (mark.sequence, mark.offset);
        let mut found = scan(header.generation, begin, &mut reader(&file))?;
        let journal = Self {
            file,
            header,
            last: found.last,
            end: found.end,
            sequence: mark.sequence + found.payloads.len() as u64,
        };
        Ok(found.payloads.pop().map(|last| (journal, last)))
    }

    /// Which record is the last one.
    pub(super) fn mark(&self) -> Option<JournalMark> {
        Some(JournalMark {
            generation: self.header.generation,
            sequence: self.sequence.checked_sub(1)?,
            offset: self.last?,
        })
    }

    /// The batches of the records in force.
    pub(super) fn batches(&self) -> io::Result<Vec<Batch>> {
        let found = scan(self.header.generation, FIRST, &mut reader(&self.file)).map_err(io::Error::other)?;
        decode_payloads(&found.payloads).map_err(io::Error::other)
    }

    /// Refuses when a record in force is damaged before one that is not.
    pub(super) fn check_gap(&self) -> Result<(), JournalError> {
        check_gap(self.header.generation, self.sequence, self.end, &mut reader(&self.file))
    }

    /// Whether a record with that payload still fits.
    pub(super) fn has_room(&self, payload: usize) -> bool {
        self.end + (HEAD + payload) as u64 <= JOURNAL_BYTES
    }

    /// Appends a record and syncs it: when this returns, the operation will happen.
    pub(super) fn append(&mut self, payload: &[u8], faults: &Faults) -> io::Result<()> {
        let record = encode_record(self.header.generation, self.sequence, payload);
        let write = |bytes: &[u8]| self.file.write_all_at(bytes, self.end);
        faults.step(
            Step::JournalWrite,
            || write(&record),
            || write(&record[..record.len() / 2]),
        )?;
        faults.step(Step::JournalSync, || self.file.sync_data(), || Ok(()))?;
        self.last = Some(self.end);
        self.end = next_offset(self.end, payload.len());
        self.sequence += 1;
        Ok(())
    }

    /// Begins an empty generation.
    ///
    /// INVARIANT (nothing acknowledged is lost): only after `syncfs` has made everything durable
    /// that the records say. The header is synced before any record of the new generation is
    /// written over the old ones.
    pub(super) fn restart(&mut self, boot: Option<[u8; 16]>, faults: &Faults) -> io::Result<()> {
        let header = Header {
            generation: self.header.generation + 1,
            boot,
        };
        let (bytes, offset) = (header.encode(), header.offset());
        let write = |bytes: &[u8]| self.file.write_all_at(bytes, offset);
        faults.step(Step::HeaderWrite, || write(&bytes), || write(&bytes[..SLOT / 16]))?;
        faults.step(Step::HeaderSync, || self.file.sync_data(), || Ok(()))?;
        (self.header, self.last, self.end, self.sequence) = (header, None, BLOCK, 0);
        Ok(())
    }

    /// Overwrites everything after the headers with zeros, also what earlier generations left.
    /// Only after [`Journal::restart`].
    pub(super) fn wipe(&self, faults: &Faults) -> io::Result<()> {
        let zeros = vec![0; (JOURNAL_BYTES - BLOCK) as usize];
        let write = |bytes: &[u8]| self.file.write_all_at(bytes, BLOCK);
        faults.step(Step::WipeWrite, || write(&zeros), || write(&zeros[..zeros.len() / 2]))?;
        faults.step(Step::WipeSync, || self.file.sync_data(), || Ok(()))
    }
}

/// The boot since the cut and the batches in force, without a lock: while another program appends or cuts, what this gives
/// was so at some moment in between.
pub(super) fn read_unlocked(folder: &Path) -> Result<(Option<[u8; 16]>, Vec<Batch>), JournalError> {
    let file = match open_plain_file(&folder.join(NAME), false, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(JournalError::Missing),
        file => file?,
    };
    let mut before = None;
    for _ in 0..MAX_TRIES {
        let header = read_header(&file)?;
        let Found { payloads, end, .. } = scan(header.generation, FIRST, &mut reader(&file))?;
        let sequence = payloads.len() as u64;
        let checked = check_gap(header.generation, sequence, end, &mut reader(&file));
        // What looks damaged may be another generation, begun while this one was being read, or a
        // record that was written after its place was looked at; then the next look finds more.
        let unchanged = Header::in_force(&read_up_to(&file, 0, 2 * SLOT)?) == Some(header);
        if unchanged && (checked.is_ok() || before == Some((header, sequence))) {
            checked?;
            return Ok((header.boot, decode_payloads(&payloads)?));
        }
        before = Some((header, sequence));
    }
    Err(io::Error::other("other programs keep changing it").into())
}

fn read_header(file: &File) -> Result<Header, JournalError> {
    let size = file.metadata()?.len();
    if size != JOURNAL_BYTES {
        return Err(BadJournal::Size(size).into());
    }
    Ok(Header::in_force(&read_up_to(file, 0, 2 * SLOT)?).ok_or(BadJournal::Header)?)
}

fn reader(file: &File) -> impl FnMut(u64, usize) -> Result<Vec<u8>, JournalError> {
    |offset, length| Ok(read_up_to(file, offset, length)?)
}

fn read_up_to(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let (mut bytes, mut filled) = (vec![0; length], 0);
    while filled < length {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
