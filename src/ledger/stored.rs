//! The files of notes as they are stored: read, matched with the log, not opened.

use super::error::LedgerError;
use super::many::outlives_its_body;
use super::objects::{FILE_MAX, HEADS, TREE_MAX, note_ref};
use super::start::{CommitTree, Ledger};
use crate::chain::{FileRef, LiveFile, LiveSet, Problem};
use crate::crypto::sha256;
use crate::envelope::{BODY_MAX, BodyFile, Purpose, WrapFile};
use crate::id::{Digest, NoteId};
use crate::repo::{Mode, Oid, Repo, TreeEntry};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

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
        BodyFile::parse(&self.sealed).is_ok_and(|body| body.purpose() == Purpose::Attachment)
    }
}

/// The ids that begin with so many hexadecimal digits; `None` if these are none.
fn notes_from(prefix: &str) -> Option<RangeInclusive<NoteId>> {
    let first = format!("{prefix:0<32}").parse().ok()?;
    Some(first..=format!("{prefix:f<32}").parse().ok()?)
}

impl Ledger<'_> {
    /// The wraps of live notes, read and matched with the log, of all notes or of those whose id begins with `prefix`.
    /// Nothing is opened. Damage is an error: what the log says exists must be there as it was written.
    pub fn wraps(&self, prefix: &str) -> Result<Vec<(NoteId, WrapFile)>, LedgerError> {
        let Some(asked) = notes_from(prefix) else {
            return Ok(Vec::new());
        };
        let files = self.standing.live.iter();
        let wanted =
            files.filter_map(|(file, _)| Some((file.wrap_of().filter(|note| asked.contains(note))?, file.file())));
        self.read_wraps(wanted)
    }

    /// Of the notes whose ids do not begin with `prefix`, the wraps of the one that comes next, and behind the last of the
    /// first. Who looks for what is not there reads as much as who finds what is not for them.
    pub fn wraps_beside(&self, prefix: &str) -> Result<Vec<(NoteId, WrapFile)>, LedgerError> {
        let Some(asked) = notes_from(prefix) else {
            return Ok(Vec::new());
        };
        let files = || {
            self.standing
                .live
                .iter()
                .filter_map(|(file, _)| Some((file.wrap_of()?, file)))
        };
        let others = files().map(|(note, _)| note).filter(|note| !asked.contains(note));
        let Some(next) = others.min_by_key(|note| (note < asked.start(), *note)) else {
            return Ok(Vec::new());
        };
        self.read_wraps(
            files()
                .filter(|(note, _)| *note == next)
                .map(|(note, file)| (note, file.file())),
        )
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
                if !outlives_its_body(&self.standing.live, note, &wrap)? {
                    wraps.push((note, wrap));
                }
            }
        }
        wraps.sort_by_key(|(note, _)| *note);
        Ok(wraps)
    }

    /// The stored body that a wrap belongs to.
    pub fn stored(&self, note: NoteId, wrap: WrapFile) -> Result<StoredNote, LedgerError> {
        let file = live_body(&self.standing.live, note, &wrap)?;
        let sealed = Shard::read(self.repo, &file.0)?.file(self.repo, &file, BODY_MAX as u64)?;
        Ok(StoredNote {
            note,
            body: file.2,
            sealed,
            wrap,
        })
    }

    /// The stored bodies of many wraps, each shard read once.
    pub fn stored_many(&self, wraps: Vec<(NoteId, WrapFile)>) -> Result<Vec<StoredNote>, LedgerError> {
        let mut shards: HashMap<String, Shard> = HashMap::new();
        let mut stored = Vec::with_capacity(wraps.len());
        for (note, wrap) in wraps {
            let file = live_body(&self.standing.live, note, &wrap)?;
            let shard = match shards.entry(file.0.clone()) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => new.insert(Shard::read(self.repo, &file.0)?),
            };
            let sealed = shard.file(self.repo, &file, BODY_MAX as u64)?;
            stored.push(StoredNote {
                note,
                body: file.2,
                sealed,
                wrap,
            });
        }
        Ok(stored)
    }

    /// The live files of a note, as a destroying entry must name them.
    pub fn files_of(&self, note: NoteId) -> Vec<FileRef> {
        let live = self.standing.live.iter().map(|(file, _)| file);
        let mut files: Vec<FileRef> = live
            .filter(|file| file.note() == Some(note))
            .map(LiveFile::file)
            .collect();
        files.sort();
        files
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
    /// In the order of their names, as a tree without folders has them.
    files: Vec<TreeEntry>,
    /// Behind the file that was looked for last: most are looked for in their order.
    next: Cell<usize>,
}

impl Shard {
    pub(super) fn read(repo: &Repo, name: &str) -> Result<Self, LedgerError> {
        let files = match repo.ref_target(&format!("{HEADS}{name}"))? {
            // What is found by it is compared with the log.
            Some(commit) => repo.read_tree_unchecked(repo.commit_tree(commit)?, TREE_MAX)?,
            None => Vec::new(),
        };
        let files = files.into_iter().filter(|entry| entry.mode == Mode::File).collect();
        Ok(Self {
            name: name.to_owned(),
            files,
            next: Cell::new(0),
        })
    }

    /// A file whose SHA-256 must be the one that the log knows.
    pub(super) fn file(&self, repo: &Repo, file: &FileRef, max: u64) -> Result<Vec<u8>, LedgerError> {
        let bytes = repo.read_blob_unchecked(self.oid(file)?, max)?;
        check_file(&bytes, file).map(|()| bytes)
    }

    pub(super) fn oid(&self, file: &FileRef) -> Result<Oid, LedgerError> {
        debug_assert_eq!(self.name, file.0);
        let at = match self.files.get(self.next.get()) {
            Some(entry) if entry.name == file.1 => Ok(self.next.get()),
            _ => self.files.binary_search_by(|entry| entry.name.as_str().cmp(&file.1)),
        };
        let at = at.map_err(|_| missing(file))?;
        self.next.set(at + 1);
        Ok(self.files[at].oid)
    }
}

/// Whether these are the bytes that an entry wrote.
pub(super) fn check_file(bytes: &[u8], file: &FileRef) -> Result<(), LedgerError> {
    if sha256(&[bytes]) == file.2 {
        return Ok(());
    }
    let message = format!("a sealed file of {} is not what the log says was written", file.0);
    Err(LedgerError::tampered(Problem::vault(33, message)))
}

/// The body that a wrap names, which must be live.
pub(super) fn live_body(live: &LiveSet, note: NoteId, wrap: &WrapFile) -> Result<FileRef, LedgerError> {
    let body = wrap.body()?;
    let file = FileRef(note_ref(note), format!("{note}.{body}"), body);
    match live.is_live(&file) {
        true => Ok(file),
        false => {
            let message = "a wrap names a body that the log does not know";
            Err(LedgerError::tampered(Problem::vault(34, message)))
        }
    }
}

pub(super) fn missing(file: &FileRef) -> LedgerError {
    LedgerError::tampered(Problem::vault(
        32,
        format!("a file of {} that the log knows is missing", file.0),
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
