//! The files of notes as they are stored: read, matched with the log, not opened.

use super::error::LedgerError;
use super::many::body_of;
use super::objects::{FILE_MAX, HEADS, TREE_MAX};
use super::start::{CommitTree, Ledger};
use crate::chain::{FileRef, LiveFile, Problem};
use crate::crypto::sha256;
use crate::envelope::{BODY_MAX, BodyFile, PART_MAX, Purpose, WrapFile};
use crate::id::{Digest, EntryRef, NoteId};
use crate::repo::{Oid, RawTree, Repo};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

/// The most bytes of a sealed file of a note. A wrap can name a part, by a writer who wants to be in the way: it is read as any
/// other, and does not open.
pub(super) const SEALED_MAX: u64 = if BODY_MAX > PART_MAX {
    BODY_MAX as u64
} else {
    PART_MAX as u64
};

/// One live revision as it is stored: read, matched with the log, not opened.
pub struct StoredNote {
    /// The note.
    pub note: NoteId,
    /// Digest of the body.
    pub body: Digest,
    /// The sealed body.
    pub sealed: Vec<u8>,
    /// Its wrap.
    pub wrap: WrapFile,
}

impl StoredNote {
    /// Whether it is the head of an attachment, by its header.
    pub fn is_attachment(&self) -> bool {
        self.is(Purpose::Attachment)
    }

    /// Whether it is a statement, by its header.
    pub fn is_statement(&self) -> bool {
        self.is(Purpose::Statement)
    }

    fn is(&self, purpose: Purpose) -> bool {
        BodyFile::parse(&self.sealed).is_ok_and(|body| body.purpose() == purpose)
    }

    /// The file of the body, as entries name it.
    pub fn body_file(&self) -> FileRef {
        LiveFile::body(self.note, self.body).file()
    }

    /// The same of the wrap.
    pub fn wrap_file(&self) -> FileRef {
        wrap_file(self.note, &self.wrap)
    }
}

/// The file of a wrap, as entries name it.
pub fn wrap_file(note: NoteId, wrap: &WrapFile) -> FileRef {
    LiveFile::wrap(note, sha256(&[&wrap.to_bytes()])).file()
}

/// The ids that begin with so many hexadecimal digits; `None` if these are none.
fn notes_from(prefix: &str) -> Option<RangeInclusive<NoteId>> {
    let first = format!("{prefix:0<32}").parse().ok()?;
    Some(first..=format!("{prefix:f<32}").parse().ok()?)
}

impl Ledger<'_> {
    /// The wraps of live notes, read and matched with the log, of all notes or of those whose id begins with `prefix`.
    /// Nothing is opened. Damage is an error: what the log says exists must be there as it was written. What wraps a body that
    /// does not exist is passed over.
    pub fn wraps(&self, prefix: &str) -> Result<Vec<(NoteId, WrapFile)>, LedgerError> {
        let Some(asked) = notes_from(prefix) else {
            return Ok(Vec::new());
        };
        let shards = asked.start().0[0]..=asked.end().0[0];
        let wraps = shards.flat_map(|first| self.standing.live.wraps_in(first));
        self.read_wraps(
            wraps
                .filter(|(note, _)| asked.contains(note))
                .map(|(note, file)| (note, file.file())),
        )
    }

    /// Of the notes whose ids do not begin with `prefix`, the wraps of the one that comes next, and behind the last of the
    /// first. Who looks for what is not there reads as much as who finds what is not for them.
    pub fn wraps_beside(&self, prefix: &str) -> Result<Vec<(NoteId, WrapFile)>, LedgerError> {
        let Some(asked) = notes_from(prefix) else {
            return Ok(Vec::new());
        };
        let (start, end) = asked.into_inner();
        let wraps = |first| self.standing.live.wraps_in(first);
        let notes = |first| wraps(first).map(|(note, _)| note);
        let after = |first| notes(first).filter(|note| *note > end).min();
        let before = |first| notes(first).filter(|note| *note < start).min();
        let next = (end.0[0]..=255).find_map(after);
        let Some(next) = next.or_else(|| (0..=start.0[0]).find_map(before)) else {
            return Ok(Vec::new());
        };
        let of_next = wraps(next.0[0]).filter(|(note, _)| *note == next);
        self.read_wraps(of_next.map(|(note, file)| (note, file.file())))
    }

    fn read_wraps(
        &self,
        wanted: impl Iterator<Item = (NoteId, FileRef)>,
    ) -> Result<Vec<(NoteId, WrapFile)>, LedgerError> {
        let mut by_ref: BTreeMap<String, Vec<(NoteId, FileRef)>> = BTreeMap::new();
        for (note, file) in wanted {
            by_ref.entry(file.0.clone()).or_default().push((note, file));
        }
        let mut wraps = Vec::new();
        for (name, files) in by_ref {
            let shard = Shard::read(self.repo, &name)?;
            for (note, file) in files {
                let wrap = WrapFile::parse(&shard.file(self.repo, &file, FILE_MAX)?)?;
                if body_of(&self.standing.live, note, &wrap)?.is_some() {
                    wraps.push((note, wrap));
                }
            }
        }
        wraps.sort_by_key(|(note, _)| *note);
        Ok(wraps)
    }

    /// The stored body that a wrap belongs to.
    pub fn stored(&self, note: NoteId, wrap: WrapFile) -> Result<StoredNote, LedgerError> {
        let file = self.live_body(note, &wrap)?;
        let sealed = Shard::read(self.repo, &file.branch())?.sealed(self.repo, &file, SEALED_MAX)?;
        Ok(StoredNote {
            note,
            body: file.digest(),
            sealed,
            wrap,
        })
    }

    /// The stored bodies of many wraps, each shard read once.
    pub fn stored_many(&self, wraps: Vec<(NoteId, WrapFile)>) -> Result<Vec<StoredNote>, LedgerError> {
        let mut shards: HashMap<String, Shard> = HashMap::new();
        let mut stored = Vec::with_capacity(wraps.len());
        for (note, wrap) in wraps {
            let file = self.live_body(note, &wrap)?;
            let shard = match shards.entry(file.branch().into_owned()) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => new.insert(Shard::read(self.repo, &file.branch())?),
            };
            let sealed = shard.sealed(self.repo, &file, SEALED_MAX)?;
            stored.push(StoredNote {
                note,
                body: file.digest(),
                sealed,
                wrap,
            });
        }
        Ok(stored)
    }

    /// The body that a wrap names, which exists: others are none of those that [`Ledger::wraps`] gives.
    fn live_body(&self, note: NoteId, wrap: &WrapFile) -> Result<LiveFile, LedgerError> {
        let body = body_of(&self.standing.live, note, wrap)?;
        body.ok_or(LedgerError::Internal("a wrap was asked for whose body does not exist"))
    }

    /// The live files of a note, as a destroying entry must name them.
    pub fn files_of(&self, note: NoteId) -> Vec<FileRef> {
        let mut files: Vec<FileRef> = self.standing.live.of_note(note).map(LiveFile::file).collect();
        files.sort();
        files
    }

    /// The entry that wrote a file first.
    pub fn written_by(&self, file: &FileRef) -> Option<EntryRef> {
        self.standing.live.written_by(file)
    }

    /// Whether that entry wrote the body, and no other did.
    pub fn is_of_entry(&self, note: NoteId, body: Digest, entry: EntryRef) -> bool {
        let body = LiveFile::body(note, body);
        let mut writers = self.standing.live.writers(&body).peekable();
        writers.peek().is_some() && writers.all(|writer| writer == entry)
    }

    /// The live bodies of a note and its attachments, in order.
    pub fn bodies_of(&self, note: NoteId) -> Vec<Digest> {
        let files = self.files_of(note).into_iter();
        let bodies = files.filter(|file| file.0.starts_with("notes/"));
        bodies.map(|file| file.2).collect()
    }
}

/// One flat branch, its tree read once.
pub(super) struct Shard {
    name: String,
    /// None where there is no such branch.
    files: Option<RawTree>,
    /// Behind the file that was looked for last: most are looked for in their order.
    next: Cell<usize>,
}

impl Shard {
    pub(super) fn read(repo: &Repo, name: &str) -> Result<Self, LedgerError> {
        let files = match repo.ref_target(&format!("{HEADS}{name}"))? {
            // What is found by it is compared with the log.
            Some(commit) => Some(repo.read_tree_unchecked(repo.commit_tree(commit)?, TREE_MAX)?),
            None => None,
        };
        Ok(Self {
            name: name.to_owned(),
            files,
            next: Cell::new(0),
        })
    }

    /// A file whose SHA-256 must be the one that the log knows.
    pub(super) fn file(&self, repo: &Repo, file: &FileRef, max: u64) -> Result<Vec<u8>, LedgerError> {
        self.checked(repo, self.oid(file)?, file.2, max)
    }

    /// The same of a file of a note: there are many.
    pub(super) fn sealed(&self, repo: &Repo, file: &LiveFile, max: u64) -> Result<Vec<u8>, LedgerError> {
        let Some(name) = file.name_of_note() else {
            return self.file(repo, &file.file(), max);
        };
        debug_assert_eq!(self.name, file.branch());
        let oid = self.find(&name).ok_or_else(|| missing(&self.name))?;
        self.checked(repo, oid, file.digest(), max)
    }

    pub(super) fn oid(&self, file: &FileRef) -> Result<Oid, LedgerError> {
        debug_assert_eq!(self.name, file.0);
        self.find(file.1.as_bytes()).ok_or_else(|| missing(&self.name))
    }

    fn find(&self, name: &[u8]) -> Option<Oid> {
        let (at, oid) = self.files.as_ref()?.file(name, self.next.get())?;
        self.next.set(at + 1);
        Some(oid)
    }

    fn checked(&self, repo: &Repo, oid: Oid, digest: Digest, max: u64) -> Result<Vec<u8>, LedgerError> {
        let bytes = repo.read_blob_unchecked(oid, max)?;
        check_found(repo, oid, bytes, digest, &self.name)
    }
}

/// Whether these are the bytes that an entry wrote to a branch.
pub(super) fn check_file(bytes: &[u8], digest: Digest, branch: &str) -> Result<(), LedgerError> {
    if sha256(&[bytes]) == digest {
        return Ok(());
    }
    let message = format!("a sealed file of {branch} is not what the log says was written");
    Err(LedgerError::tampered(Problem::vault(33, message)))
}

/// The same of what was found for an object whose id was not checked. Another object's id may begin alike and be found first: what
/// is not right is read once more, by its whole id, before it is judged.
pub(super) fn check_found(
    repo: &Repo,
    oid: Oid,
    bytes: Vec<u8>,
    digest: Digest,
    branch: &str,
) -> Result<Vec<u8>, LedgerError> {
    let Err(error) = check_file(&bytes, digest, branch) else {
        return Ok(bytes);
    };
    let again = repo.read_blob(oid, PART_MAX as u64).ok();
    again
        .filter(|bytes| check_file(bytes, digest, branch).is_ok())
        .ok_or(error)
}

pub(super) fn missing(branch: &str) -> LedgerError {
    LedgerError::tampered(Problem::vault(
        32,
        format!("a file of {branch} that the log knows is missing"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range_of_ids() {
        let id = |text: &str| text.parse::<NoteId>().unwrap();
        let some = notes_from("3f2a").unwrap();
        assert!(some.contains(&id("3f2a0000000000000000000000000000")));
        assert!(some.contains(&id("3f2affffffffffffffffffffffffffff")));
        assert!(!some.contains(&id("3f29ffffffffffffffffffffffffffff")));
        assert!(!some.contains(&id("3f2b0000000000000000000000000000")));
        assert!(notes_from("").unwrap().contains(&NoteId([255; 16])));
        let whole = "3f2a0000000000000000000000000001";
        assert_eq!(notes_from(whole), Some(id(whole)..=id(whole)));
        for none in ["3F2A", "gate", "3f2a00000000000000000000000000011"] {
            assert_eq!(notes_from(none), None, "{none}");
        }
    }
}
