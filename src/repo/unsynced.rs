//! What may not have reached the disk, though nobody says so a second time.
//!
//! Linux tells of an error in writing back once, whoever syncs first, and takes the pages for clean then: the next `syncfs` says
//! that all is well. So there is a mark from before a sync that the journal is cut after until the journal has begun anew. Whoever
//! finds it takes nothing that git shows for durable: every object and every ref of the journal gets a new file, and only once these
//! are synced is the journal cut.
//!
//! The mark itself need not reach the disk. It is needed for as long as what is read may be in memory alone; after a start of the
//! machine all is compared with the journal anyway, and what is read then is what the disk has.

use super::git::Repo;
use super::object::Oid;
use super::record::Batch;
use super::recover::{RecoverError, remove_file};
use crate::env::{Step, make_private_folders, open_plain_file};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

/// The mark's name in the git directory.
pub(super) const NAME: &str = "strongroom.unsynced";

impl Repo {
    /// Whether a sync was begun and not seen to end well.
    pub(super) fn is_unsynced(&self) -> bool {
        let mark = fs::symlink_metadata(self.dir.join(NAME));
        mark.err().is_none_or(|error| error.kind() != io::ErrorKind::NotFound)
    }

    /// Makes the mark. Without it nothing is synced: an error could not be remembered.
    pub(super) fn mark_unsynced(&self) -> io::Result<()> {
        open_plain_file(&self.dir.join(NAME), true, true).map(drop)
    }

    /// Takes it away.
    pub(super) fn clear_unsynced(&self) -> io::Result<()> {
        remove_file(&self.dir.join(NAME))
    }

    /// Gives every object of these batches a new file, whatever git shows of it.
    pub(super) fn write_objects_anew(&self, batches: &[Batch]) -> Result<(), RecoverError> {
        let mut seen = BTreeSet::new();
        for object in batches.iter().flat_map(|batch| &batch.objects) {
            if seen.insert(object.oid()) {
                self.write_anew(object)?;
            }
        }
        Ok(())
    }

    /// Gives a ref that stands where it belongs a new file, under git's own lock, so that nobody moves it meanwhile.
    pub(super) fn write_ref_anew(&self, name: &str, oid: Oid) -> io::Result<()> {
        let (place, lock) = (self.dir.join(name), self.dir.join(format!("{name}.lock")));
        let write = || {
            if let Some(folder) = place.parent() {
                make_private_folders(folder).map_err(io::Error::other)?;
            }
            let mut new = OpenOptions::new();
            let mut file = new.write(true).create_new(true).mode(0o600).open(&lock)?;
            let written = file.write_all(format!("{oid}\n").as_bytes());
            let placed = written.and_then(|()| match self.ref_target(name) {
                Ok(Some(now)) if now == oid => fs::rename(&lock, &place),
                _ => Err(io::Error::other(format!("ref `{name}` was changed meanwhile"))),
            });
            if placed.is_err() {
                remove_file(&lock)?;
            }
            placed
        };
        let tear = || File::create(&lock).map(drop);
        self.faults().step(Step::RefWrite, write, tear)
    }
}
