//! The one write path.

use super::git::{ReadError, Repo, read_header};
use super::journal::Journal;
use super::lock::Lock;
use super::loose::loose_path;
use super::object::{Kind, Object, Oid};
use super::record::{Batch, MAX_PAYLOAD, encode_payload, is_branch};
use super::recover::RecoverError;
use super::stored::StoredBlob;
use crate::env::{Faults, Step};
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;

/// After so many records the journal is cut, if nothing else is said.
pub const RECORDS_PER_CUT: u64 = 64;

/// The proof that a batch is durable and stands in git. Nothing but [`Repo::commit`] makes one.
#[must_use]
#[derive(Debug)]
pub struct Durable {
    generation: u64,
    sequence: u64,
}

impl Durable {
    /// Which record of which generation of the journal it was.
    pub fn record(&self) -> (u64, u64) {
        (self.generation, self.sequence)
    }
}

/// A batch was not committed, or it is not known whether it was.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Recovery has not been done under this lock, or is due again after an error.
    #[error("the vault has not been recovered under this lock")]
    NotRecovered,
    /// A ref is not what the batch says it was. Nothing was written.
    #[error("ref `{name}` was changed by somebody else meanwhile: try again")]
    Stale {
        /// Its full name.
        name: String,
    },
    /// The batch contradicts itself. Nothing was written.
    #[error("ref `{name}` cannot be changed so: {why}")]
    BadChange {
        /// The ref's full name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The batch does not fit the journal. Nothing was written.
    #[error("a change of {size} bytes is too large to be made at once (at most {MAX_PAYLOAD})")]
    TooBig {
        /// Its size, in bytes.
        size: usize,
    },
    /// What does not fit the journal could not be made durable beside it. Nothing names it.
    #[error("the change could not be made durable: {0}; free some space or check the disk, then try again")]
    NotKept(io::Error),
    /// The vault could not be read. Nothing was written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal was full and could not be cut. Nothing of the batch was written.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The journal could not be written or synced: whether the batch will be there is unknown
    /// until the next recovery.
    #[error("the change could not be made durable: {0}; free some space or check the disk, then try again")]
    NotDurable(io::Error),
    /// The batch is committed, and the next recovery will finish it.
    #[error("the change is recorded but not finished ({0}); it will be finished at the next start")]
    Unfinished(io::Error),
}

/// The journal was not cut; it holds what it held.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// Recovery has not been done under this lock, or is due again after an error.
    #[error("the vault has not been recovered under this lock")]
    NotRecovered,
    /// The system refused.
    #[error("what was written could not be made durable: {0}; free some space or check the disk, then try again")]
    Io(#[from] io::Error),
}

/// Whether an object is made durable beside the journal where a batch is too large for it: what is smaller stays, so that
/// little is done by itself.
fn is_kept_beside(object: &Object) -> bool {
    const LEAST: usize = 256 << 10;
    object.kind == Kind::Blob && object.bytes.len() >= LEAST
}

impl Repo {
    /// Commits a batch: when this returns, it is durable and stands in git. The order of effects
    /// is the room's: see [the module](super). After an error other than [`CommitError::Stale`],
    /// [`CommitError::BadChange`], [`CommitError::TooBig`], [`CommitError::NotKept`] and
    /// [`CommitError::Read`] recovery is due before the next write.
    pub fn commit(&self, lock: &Lock, batch: &Batch) -> Result<Durable, CommitError> {
        let mut slot = lock.journal.borrow_mut();
        if slot.is_none() || lock.dir != self.dir {
            return Err(CommitError::NotRecovered);
        }
        self.check(batch)?;
        let (mut payload, mut kept) = (encode_payload(batch), Vec::new());
        if payload.len() > MAX_PAYLOAD {
            let (beside, within): (Vec<_>, Vec<_>) = batch.objects.iter().cloned().partition(is_kept_beside);
            let within = Batch {
                objects: within,
                ..batch.clone()
            };
            payload = encode_payload(&within);
            if beside.is_empty() || payload.len() > MAX_PAYLOAD {
                return Err(CommitError::TooBig { size: payload.len() });
            }
            kept = self.keep_beside(&beside).map_err(CommitError::NotKept)?;
        }
        // Out of the lock while anything can fail: an error leaves recovery due.
        let mut journal = slot.take().ok_or(CommitError::NotRecovered)?;
        if journal.sequence >= self.settings.records_per_cut || !journal.has_room(payload.len()) {
            self.cut_recovered(&mut journal)?;
        }
        let durable = Durable {
            generation: journal.header.generation,
            sequence: journal.sequence,
        };
        let faults = &self.settings.faults;
        // From here on the record may be there, whatever is said of it.
        kept.into_iter().map(StoredBlob::keep).for_each(drop);
        journal.append(&payload, faults).map_err(CommitError::NotDurable)?;
        self.write_batch(batch).map_err(CommitError::Unfinished)?;
        *slot = Some(journal);
        Ok(durable)
    }

    /// Makes large blobs durable before the record that names them, as parts of attachments are: a bundle of long entries is
    /// larger than the journal. Dropped, they are removed again.
    fn keep_beside(&self, blobs: &[Object]) -> io::Result<Vec<StoredBlob>> {
        let writer = self.blob_writer()?;
        let drafts = blobs.iter().map(|blob| writer.draft(&blob.bytes));
        writer.place(drafts.collect::<io::Result<_>>()?)
    }

    /// Makes durable what git holds (one `syncfs`) and empties the journal: before packing, sync
    /// and backup.
    pub fn cut(&self, lock: &Lock) -> Result<(), CutError> {
        self.cut_then(lock, |_| Ok(()))
    }

    /// Like [`Repo::cut`], and overwrites with zeros whatever the journal held in this and earlier
    /// generations: before something is destroyed is said to be gone.
    pub fn cut_wiping(&self, lock: &Lock) -> Result<(), CutError> {
        self.cut_then(lock, |journal| journal.wipe(&self.settings.faults))
    }

    fn cut_then(&self, lock: &Lock, then: impl FnOnce(&Journal) -> io::Result<()>) -> Result<(), CutError> {
        let mut slot = lock.journal.borrow_mut();
        if lock.dir != self.dir {
            return Err(CutError::NotRecovered);
        }
        let mut journal = slot.take().ok_or(CutError::NotRecovered)?;
        self.cut_recovered(&mut journal)?;
        then(&journal)?;
        *slot = Some(journal);
        Ok(())
    }

    /// Cuts the journal unless a sync has failed since the recovery: what it holds must be written anew before.
    fn cut_recovered(&self, journal: &mut Journal) -> Result<(), CutError> {
        match self.is_unsynced() {
            true => Err(CutError::NotRecovered),
            false => self.cut_journal(journal),
        }
    }

    /// INVARIANT (nothing acknowledged is lost): the mark of what is not synced stays unless all of this is seen to end well; see
    /// `unsynced`.
    pub(super) fn cut_journal(&self, journal: &mut Journal) -> Result<(), CutError> {
        self.look_anew()?;
        self.restore(&journal.batches()?).map_err(to_cut)?;
        let faults = &self.settings.faults;
        self.mark_unsynced()?;
        faults.step(Step::WholeSync, || sync_file_system(&self.dir), || Ok(()))?;
        journal.restart(self.settings.boot, faults)?;
        self.clear_unsynced()?;
        self.looked.set(Some(journal.header.generation));
        Ok(())
    }

    /// Writes again what the journal holds and git has lost, of whatever record, and leaves the journal as it is. Recovery must have
    /// been done under the lock.
    pub fn make_whole(&self, lock: &Lock) -> Result<(), CutError> {
        let slot = lock.journal.borrow();
        let journal = slot.as_ref().filter(|_| lock.dir == self.dir);
        let batches = journal.ok_or(CutError::NotRecovered)?.batches()?;
        self.look_anew()?;
        self.restore(&batches).map_err(to_cut)
    }

    /// Checks a batch against itself and the refs as they are.
    fn check(&self, batch: &Batch) -> Result<(), CommitError> {
        let commits: HashSet<Oid> = batch
            .objects
            .iter()
            .filter(|object| object.kind == Kind::Commit)
            .map(Object::oid)
            .collect();
        let mut names = HashSet::new();
        for change in &batch.refs {
            let name = change.name.clone();
            let bad = |why| CommitError::BadChange {
                name: change.name.clone(),
                why,
            };
            if !is_branch(&name) || !git2::Reference::is_valid_name(&name) {
                return Err(bad("it is not a name below `refs/heads`"));
            }
            if !names.insert(name.clone()) {
                return Err(bad("it stands twice in one change"));
            }
            if let Some(new) = change.new
                && !commits.contains(&new)
                && !self.is_commit(new)
            {
                return Err(bad("its new value is not a commit in the vault"));
            }
            if self.ref_target(&name)? != change.old {
                return Err(CommitError::Stale { name });
            }
        }
        Ok(())
    }

    fn is_commit(&self, oid: Oid) -> bool {
        let header = || Some(read_header(&self.git.odb().ok()?, oid.to_git().ok()?)?.ok()?.1);
        header() == Some(git2::ObjectType::Commit)
    }

    /// Writes a batch to git: objects, then refs by compare-and-swap. Nothing is synced.
    fn write_batch(&self, batch: &Batch) -> io::Result<()> {
        for object in &batch.objects {
            self.write_object(object)?;
        }
        for change in &batch.refs {
            self.write_ref(&change.name, change.old, change.new)?;
        }
        Ok(())
    }

    pub(super) fn write_object(&self, object: &Object) -> io::Result<()> {
        let write = || {
            let written = self.git.odb()?.write(object.kind.to_git(), &object.bytes);
            written.map(drop)
        };
        let tear = || {
            let path = loose_path(&self.dir, object.oid());
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // An object that was there before is not torn by writing it again.
            File::create_new(path).map(drop).or(Ok(()))
        };
        self.faults().step(Step::ObjectWrite, || write().map_err(to_io), tear)
    }

    /// Sets a ref from `old` to `new` if it still is `old`.
    pub(super) fn write_ref(&self, name: &str, old: Option<Oid>, new: Option<Oid>) -> io::Result<()> {
        let write = || -> Result<(), git2::Error> {
            match (old, new) {
                (None, None) => Ok(()),
                (None, Some(new)) => self.git.reference(name, new.to_git()?, false, "").map(drop),
                (Some(old), Some(new)) => {
                    let (old, new) = (old.to_git()?, new.to_git()?);
                    self.git.reference_matching(name, new, true, old, "").map(drop)
                }
                (Some(old), None) => {
                    let mut reference = self.git.find_reference(name)?;
                    match reference.target().map(Oid::from_git) == Some(old) {
                        // libgit2 compares the value once more, under git's own lock.
                        true => reference.delete(),
                        false => Err(git2::Error::from_str("the ref was changed meanwhile")),
                    }
                }
            }
        };
        let tear = || {
            let path = self.dir.join(name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            File::create(path).map(drop)
        };
        self.faults().step(Step::RefWrite, || write().map_err(to_io), tear)
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.settings.faults
    }
}

fn to_cut(error: RecoverError) -> CutError {
    CutError::Io(match error {
        RecoverError::Io(error) => error,
        error => io::Error::other(error.to_string()),
    })
}

pub(super) fn to_io(error: git2::Error) -> io::Error {
    io::Error::other(error.message().to_owned())
}

/// Makes durable whatever was written to the file system that `dir` is on.
pub(super) fn sync_file_system(dir: &Path) -> io::Result<()> {
    let folder = File::open(dir)?;
    // Before Linux 5.8 an error in writing back is not reported here.
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(&folder)?;
    #[cfg(not(target_os = "linux"))]
    {
        rustix::fs::sync();
        folder.sync_all()?;
    }
    Ok(())
}
