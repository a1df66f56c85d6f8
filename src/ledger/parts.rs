//! The parts of attachments, as they are stored: named by a head, known to the log, read one at a time.

use super::error::LedgerError;
use super::objects::note_ref;
use super::start::Ledger;
use super::stored::{Shard, check_found, missing};
use crate::chain::{FileRef, LiveFile};
use crate::envelope::PART_MAX;
use crate::id::{Digest, NoteId};
use crate::repo::{BlobWriter, Oid, Repo};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// The parts of one attachment, in the order that its head gives: read when they are asked for, each with the SHA-256
/// that the log knows. Needs no lock, so that nobody waits for a slow reader; may go to another thread.
pub struct StoredParts {
    repo: Repo,
    left: std::vec::IntoIter<(FileRef, Oid)>,
}

impl StoredParts {
    /// Reads the next part into `buffer`, whatever that held; `None` after the last.
    pub fn read_next(&mut self, mut buffer: Zeroizing<Vec<u8>>) -> Option<Result<Zeroizing<Vec<u8>>, LedgerError>> {
        let (file, oid) = self.left.next()?;
        let read = self
            .repo
            .read_blob_into(oid, PART_MAX as u64, std::mem::take(&mut *buffer));
        Some(match read {
            Ok(bytes) => check_found(&self.repo, oid, bytes, file.2, &file.0).map(Zeroizing::new),
            Err(error) => Err(error.into()),
        })
    }
}

impl Ledger<'_> {
    /// Writes the parts of an attachment before they are named.
    pub fn blob_writer(&self) -> std::io::Result<BlobWriter> {
        self.repo.blob_writer()
    }

    /// The same, if entries wrote them all and none forgot one.
    pub fn parts_if_written(&self, note: NoteId, digests: &[Digest]) -> Result<Option<StoredParts>, LedgerError> {
        let written = |digest: &Digest| self.standing.live.lives(&LiveFile::body(note, *digest));
        digests
            .iter()
            .all(written)
            .then(|| self.parts(note, digests))
            .transpose()
    }

    /// Finds the parts that a head of `note` names. Each must be there, written by an entry.
    pub fn parts(&self, note: NoteId, digests: &[Digest]) -> Result<StoredParts, LedgerError> {
        let name = note_ref(note);
        let shard = Shard::read(self.repo, &name)?;
        let find = |digest: &Digest| {
            let file = FileRef(name.clone(), format!("{note}.{digest}"), *digest);
            match self.standing.live.is_live(&file) {
                true => shard.oid(&file).map(|oid| (file, oid)),
                false => Err(missing(&name)),
            }
        };
        let found: Vec<_> = digests.iter().map(find).collect::<Result<_, _>>()?;
        let repo = Repo::open(self.repo.dir(), self.repo.settings().clone())?;
        Ok(StoredParts {
            repo,
            left: found.into_iter(),
        })
    }

    /// What an attaching or relabelling by this device left of `note` that was interrupted: files of its log that no wrap gives a key to
    /// and that are not among `named`, the parts of all its heads.
    pub fn orphans(&self, note: NoteId, named: &BTreeSet<Digest>) -> Result<Vec<FileRef>, LedgerError> {
        let mut bodies = BTreeSet::new();
        for (_, wrap) in self.wraps(&note.to_string())? {
            bodies.insert(wrap.body()?);
        }
        let left = self.standing.live.iter().filter(|(file, by)| {
            let body = file.note() == Some(note) && file.wrap_of().is_none();
            let mine = body && by.log == self.standing.log;
            mine && !bodies.contains(&file.digest()) && !named.contains(&file.digest())
        });
        let mut left: Vec<FileRef> = left.map(|(file, _)| file.file()).collect();
        left.sort();
        Ok(left)
    }
}
