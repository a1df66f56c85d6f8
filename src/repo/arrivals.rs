//! Objects that come from another clone: written before anything names them, durable before a batch does.

use super::git::{ReadError, Repo};
use super::lock::Lock;
use super::loose::loose_path;
use super::object::{Kind, Object, Oid};
use super::pack::{LOOSE_MAX, PackError};
use super::pack_write::PackWriter;
use super::record::Batch;
use super::recover::RecoverError;
use super::write::{sync_file_system, to_io};
use crate::env::Step;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// How many bytes are held in memory before they are written.
const CHUNK: usize = 8 << 20;
/// So many at once are written into a pack: to make a file takes longer than to write what it holds.
pub(super) const PACKED_FROM: usize = 256;
/// The most objects, and the most bytes, that come at once.
const OBJECTS_MAX: u64 = 1 << 24;
const BYTES_MAX: u64 = 1 << 40;

/// Objects from elsewhere could not be kept. What was written of them is nobody's: packs are removed by the next start, or, if
/// they had their place already, by `git gc --prune=now`, and files of their own by git's pruning.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// There is no end to them.
    #[error("the other clone holds more than a vault can: nothing was merged")]
    TooMuch,
    /// The system refused.
    #[error("what came from the other clone could not be kept: {0}; free some space or check the disk")]
    Io(#[from] io::Error),
    /// An object of the vault could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<PackError> for ArrivalError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Io(error) => Self::Io(error),
            PackError::Read(error) => Self::Read(error),
            error => Self::Io(io::Error::other(error.to_string())),
        }
    }
}

impl From<RecoverError> for ArrivalError {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Io(error) => Self::Io(error),
            RecoverError::Read(error) => Self::Read(error),
            error => Self::Io(io::Error::other(error.to_string())),
        }
    }
}

/// Takes objects in. Each must be given with all its bytes, so that its id is computed here.
pub struct Arrivals<'a> {
    repo: &'a Repo,
    waiting: Batch,
    size: usize,
    objects: u64,
    bytes: u64,
    /// Packs that are written, beside the repository until all is, and what is in them.
    draft: Option<PathBuf>,
    packs: Vec<PathBuf>,
    packed: HashSet<Oid>,
}

impl Repo {
    /// The bytes of an object of at most `max` bytes, its id checked.
    pub fn read_object(&self, oid: Oid, kind: Kind, max: u64) -> Result<Object, ReadError> {
        let bytes = self.read_checked(oid, kind, max)?;
        Ok(Object { kind, bytes })
    }

    /// Takes in objects that do not go through the journal. Recovery must have been done under the lock.
    pub fn arrivals(&self, _lock: &Lock) -> Arrivals<'_> {
        Arrivals {
            repo: self,
            waiting: Batch::default(),
            size: 0,
            objects: 0,
            bytes: 0,
            draft: None,
            packs: Vec::new(),
            packed: HashSet::new(),
        }
    }
}

impl Arrivals<'_> {
    /// Takes one in.
    pub fn add(&mut self, object: Object) -> Result<(), ArrivalError> {
        self.objects += 1;
        self.bytes += object.bytes.len() as u64;
        self.size += object.bytes.len();
        if self.objects > OBJECTS_MAX || self.bytes > BYTES_MAX {
            return Err(ArrivalError::TooMuch);
        }
        self.waiting.objects.push(object);
        match self.size > CHUNK {
            true => self.write(),
            false => Ok(()),
        }
    }

    /// Writes them; one that has a file gets a new one: whoever wrote that may have been told by no sync that it is durable, as a merge
    /// that failed. What is in a pack was synced with it.
    fn write(&mut self) -> Result<(), ArrivalError> {
        let mut batch = std::mem::take(&mut self.waiting);
        self.size = 0;
        if batch.objects.len() >= PACKED_FROM {
            batch.objects = self.write_packed(batch.objects)?;
        }
        let mut seen = HashSet::new();
        batch.objects.retain(|object| seen.insert(object.oid()));
        for object in &batch.objects {
            match loose_path(&self.repo.dir, object.oid()).exists() {
                true => self.repo.write_anew(object)?,
                false => self.repo.write_object(object)?,
            }
        }
        self.write_what_only_seems_packed(batch)
    }

    /// What has no file of its own by now is in a pack: that must be one which is still there.
    fn write_what_only_seems_packed(&self, mut batch: Batch) -> Result<(), ArrivalError> {
        let repo = self.repo;
        batch
            .objects
            .retain(|object| !loose_path(&repo.dir, object.oid()).exists());
        if batch.objects.is_empty() {
            return Ok(());
        }
        repo.look_anew()?;
        batch.objects.retain(|object| !repo.contains(object.oid()));
        Ok(repo.rewrite_objects(&[batch])?)
    }

    /// Writes those that are not there at all into a pack, which has its place when all are written; gives the others back.
    fn write_packed(&mut self, objects: Vec<Object>) -> Result<Vec<Object>, ArrivalError> {
        let repo = self.repo;
        let (mut ids, mut new, mut others) = (HashSet::new(), Vec::new(), Vec::new());
        for object in objects {
            let oid = object.oid();
            let is_new = !loose_path(&repo.dir, oid).exists() && !repo.contains(oid);
            match is_new && object.bytes.len() as u64 <= LOOSE_MAX {
                true if self.packed.contains(&oid) => {}
                true if ids.insert(oid) => new.push(object),
                true => {}
                false => others.push(object),
            }
        }
        if !new.is_empty() {
            let write = |draft: &Path| {
                let mut writer = PackWriter::begin(draft, new.len())?;
                for object in &new {
                    writer.put_whole(object.kind, &object.bytes)?;
                }
                Ok(writer.end()?)
            };
            let draft = match &self.draft {
                Some(draft) => draft,
                None => self.draft.insert(repo.make_draft()?),
            };
            self.packs.push(repo.write_pack_in(draft, &ids, write)?);
            self.packed.extend(ids);
        }
        Ok(others)
    }

    /// Makes them durable, as they must be before a batch names one of them: the journal does not hold them.
    pub fn settle(mut self) -> Result<(), ArrivalError> {
        if self.objects == 0 {
            return Ok(());
        }
        self.write()?;
        if !self.packs.is_empty() {
            self.repo.place_packs(&self.packs)?;
        }
        // An error would be told here and not to whoever cuts the journal next.
        let marked = self.repo.is_unsynced();
        self.repo.mark_unsynced()?;
        let sync = || sync_file_system(&self.repo.dir);
        self.repo.faults().step(Step::WholeSync, sync, || Ok(()))?;
        if !marked {
            self.repo.clear_unsynced()?;
        }
        let refresh = || self.repo.git.odb()?.refresh();
        Ok(refresh().map_err(to_io)?)
    }
}
