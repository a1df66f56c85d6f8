//! How the vault's folder stands, looked at without the lock and without a change: for whoever asks what is wrong.

use super::forget::ForgetError;
use super::git::Repo;
use super::journal::{self, JournalError};
use super::lock::{self, Lock};
use super::pack::{DRAFT, PackError};
use super::record::Batch;
use super::recover::{HALF_OBJECT, RecoverError, Stray};
use super::staging;
use super::stored::HALF;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// How often, and after what pause, it is looked again where another program may be in the middle of a write.
const LOOKS: usize = 5;
const PAUSE: Duration = Duration::from_millis(100);
/// How deep folders of refs are looked into.
const DEPTH_MAX: usize = 8;

/// What the journal says and where the refs are.
#[derive(Debug)]
pub struct Health {
    /// How many records the journal has in force.
    pub records: usize,
    /// Whether the machine was started anew since the journal was cut, or may have been.
    pub restarted: bool,
    /// Whether the last operation is not yet in git as a whole, or a sync was not seen to end well.
    pub unfinished: bool,
    /// Whether git does not have, or not whole, what an earlier record holds.
    pub lost: bool,
    /// Refs that stand elsewhere than the journal left them.
    pub strayed: Vec<(String, Stray)>,
}

impl Health {
    /// Whether the next start has something to recover.
    pub fn is_due(&self) -> bool {
        self.unfinished || self.lost || !self.strayed.is_empty() || (self.restarted && self.records > 0)
    }
}

/// What programs that died left in the vault's folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// What this program wrote and never finished.
    pub half_written: Vec<PathBuf>,
    /// Locks of refs. Stock git makes such too, and nothing says whether it is still at work.
    pub ref_locks: Vec<PathBuf>,
}

impl Repo {
    /// How journal and refs stand. What is only so because another program is writing at this moment is looked at again.
    pub fn health(&self) -> Result<Health, RecoverError> {
        let mut found = self.look()?;
        for _ in 1..LOOKS {
            if !found.unfinished && !found.lost && found.strayed.is_empty() {
                break;
            }
            std::thread::sleep(PAUSE);
            found = self.look()?;
        }
        Ok(found)
    }

    fn look(&self) -> Result<Health, RecoverError> {
        if !self.has_journal() {
            return Err(JournalError::Missing.into());
        }
        let (batches, of_this_boot) = self.pending_and_boot()?;
        let (last, earlier) = batches.split_last().unzip();
        let mut earlier = earlier.into_iter().flatten().flat_map(|batch| &batch.objects);
        Ok(Health {
            records: batches.len(),
            restarted: !of_this_boot,
            lost: earlier.any(|object| !self.holds(object)),
            unfinished: self.is_unsynced() || last.is_some_and(|batch: &Batch| !self.has_finished(batch)),
            strayed: self.strayed(&batches, !of_this_boot)?,
        })
    }

    /// The files and folders of the vault that a write needs, as far as they are there.
    pub fn written_places(&self) -> Vec<PathBuf> {
        let mut places = vec![self.dir.join(lock::NAME), self.dir.join(journal::NAME)];
        let mut folders = vec![(self.dir.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            let below = entries.filter(|entry| depth < DEPTH_MAX && entry.file_type().is_ok_and(|kind| kind.is_dir()));
            folders.extend(below.map(|entry| (entry.path(), depth + 1)));
            places.push(folder);
        }
        places.retain(|path| path.exists());
        places.sort();
        places
    }

    /// How many objects have files of their own, and how many packs there are.
    pub fn count_objects(&self) -> Result<(usize, usize), PackError> {
        Ok((self.loose_objects()?.len(), self.packs()?.len()))
    }

    /// What programs that died left; what another is writing at this moment is not among it.
    pub fn remains(&self) -> io::Result<Remains> {
        let mut remains = Remains::default();
        for entry in fs::read_dir(self.dir.join("objects"))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // A large blob's writer keeps it locked.
            let dead = || File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            if name.starts_with(HALF_OBJECT) || (name.starts_with(HALF) && dead()) {
                remains.half_written.push(entry.path());
            }
        }
        remains
            .half_written
            .extend(Some(self.dir.join(DRAFT)).filter(|path| path.exists()));
        remains
            .half_written
            .extend(staging::left(&self.dir)?.map(|(place, _)| place));
        let mut folders = vec![(self.dir.join("refs"), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() && depth < DEPTH_MAX {
                    folders.push((entry.path(), depth + 1));
                } else if entry.path().extension().is_some_and(|end| end == "lock") {
                    remains.ref_locks.push(entry.path());
                }
            }
        }
        let of_all = self.dir.join("packed-refs.lock");
        remains.ref_locks.extend(Some(of_all).filter(|path| path.exists()));
        remains.half_written.sort();
        remains.ref_locks.sort();
        Ok(remains)
    }

    /// Removes objects that were never finished, under the lock: a merge that was killed leaves nothing else, and so nothing that
    /// a recovery is due for.
    pub fn clear_half_objects(&self, _lock: &Lock) -> Result<(), ForgetError> {
        Ok(self.remove_half_objects()?)
    }

    /// Removes what this program wrote and never finished, under the lock and after recovery.
    pub fn clear_remains(&self, _lock: &Lock) -> Result<(), ForgetError> {
        self.remove_draft()?;
        self.remove_left_staging()?;
        Ok(self.remove_half_objects()?)
    }
}
