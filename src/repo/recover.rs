//! The normal start: one look when all is well, and otherwise everything since the cut again.

use super::git::{ReadError, Repo};
use super::journal::{Journal, JournalError};
use super::lock::Lock;
use super::loose::{loose_path, read_loose};
use super::object::{Object, Oid};
use super::record::{Batch, RefChange, decode_payload, decode_payloads};
use super::stored::remove_half_blobs;
use super::write::CutError;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

/// How far back the look for an older value of a ref goes, in commits.
const MAX_ANCESTORS: usize = 100_000;
/// The largest commit looked at there, in bytes.
const MAX_COMMIT: u64 = 1 << 20;

/// How the names begin of files that libgit2 writes an object to before it has its place.
pub(super) const HALF_OBJECT: &str = "tmp_object_git2_";

/// What recovery did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// How many records were written to git again; 0 when all was well.
    pub replayed: usize,
    /// The refs that were not what the journal says, by name.
    pub healed: Vec<String>,
}

/// Recovery stopped; the journal is as it was, and the next start tries again.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The lock is another vault's.
    #[error("the lock is for another vault")]
    WrongLock,
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A ref has a value that this program never gave it.
    #[error("ref `{name}` was moved by another program to a place that the journal does not know")]
    Diverged {
        /// Its full name.
        name: String,
    },
    /// A ref was put back to an earlier value, or removed, after it had been written: a program that dies leaves none so.
    #[error(
        "ref `{name}` was moved back or removed since the last command: by another program, or by a disk that lost what it \
         had not written"
    )]
    MovedBack {
        /// Its full name.
        name: String,
    },
    /// The vault could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The vault could not be written.
    #[error("what the journal holds could not be written to git: {0}; free some space or check the disk")]
    Io(#[from] io::Error),
    /// What was rewritten could not be made durable.
    #[error(transparent)]
    Cut(#[from] CutError),
}

/// How a ref stands elsewhere than the journal left it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stray {
    /// As a program that died leaves it: recovery puts it where it belongs.
    Unfinished,
    /// Where it once was: somebody moved it back ([`RecoverError::MovedBack`]).
    MovedBack,
    /// Where it never was ([`RecoverError::Diverged`]).
    Unknown,
}

/// What the journal says of a ref.
struct Values {
    /// All that it gives it, the last one last.
    all: Vec<Option<Oid>>,
    /// What it was before the last record.
    before: Option<Oid>,
}

/// What a ref is now.
enum Current {
    Known(Option<Oid>),
    /// Its own file is there and holds no value.
    Torn,
}

impl Repo {
    /// Brings git to where the journal is, and opens the journal for writing under this lock.
    ///
    /// All is well when the boot has not changed since the cut, git has the objects of the last record as they are there, and its
    /// refs have its values: objects are written before refs, and nothing is appended after an
    /// operation that did not finish. Otherwise every object and every ref since the cut is
    /// written again, made durable, and the journal is cut. A ref is set to its last value in the
    /// journal if it is torn or as the last record found it; after a power cut also if it is missing,
    /// at any value the journal gives it or at an ancestor of one. Anything else is
    /// [`RecoverError::MovedBack`] or [`RecoverError::Diverged`], found before any ref is touched. After a sync that was not seen to end
    /// well, everything gets new files, also what looks whole.
    pub fn recover(&self, lock: &Lock) -> Result<Recovery, RecoverError> {
        self.recover_after(lock, false)
    }

    /// The same where a person has seen that refs were moved back: puts these where they belong too.
    pub fn put_back(&self, lock: &Lock) -> Result<Recovery, RecoverError> {
        self.recover_after(lock, true)
    }

    fn recover_after(&self, lock: &Lock, moved_back: bool) -> Result<Recovery, RecoverError> {
        if lock.dir != self.dir {
            return Err(RecoverError::WrongLock);
        }
        let mut slot = lock.journal.borrow_mut();
        *slot = None;
        self.remove_draft()?;
        let unsynced = self.is_unsynced();
        let known = lock.mark.get().filter(|_| !unsynced);
        let known = known.map(|mark| Journal::open_at(&self.dir, mark));
        if let Some(Ok(Some((journal, last)))) = known
            && self.is_of_this_boot(&journal)
            && self.is_finished(Some(&last))
        {
            if self.looked.get() != Some(journal.header.generation) {
                self.look_anew()?;
                self.looked.set(Some(journal.header.generation));
            }
            *slot = Some(journal);
            return Ok(Recovery::default());
        }
        // Something may have been forgotten since.
        self.look_anew()?;
        let (mut journal, payloads) = Journal::open(&self.dir)?;
        self.looked.set(Some(journal.header.generation));
        if payloads.is_empty() {
            // Were the first record damaged and later ones not, what is appended now would come before those.
            journal.check_gap()?;
        }
        let mut recovery = Recovery::default();
        let unfinished =
            unsynced || !self.is_of_this_boot(&journal) || !self.is_finished(payloads.last().map(Vec::as_slice));
        // Who asks for it has every ref looked at, not those of the last record alone.
        if unfinished || moved_back {
            journal.check_gap()?;
            let batches = decode_payloads(&payloads).map_err(JournalError::from)?;
            let gentle = moved_back || !self.is_of_this_boot(&journal);
            recovery = self.rewrite(&batches, gentle, unsynced)?;
            self.cut_journal(&mut journal)?;
        }
        *slot = Some(journal);
        Ok(recovery)
    }

    fn is_of_this_boot(&self, journal: &Journal) -> bool {
        journal.header.boot.is_some() && journal.header.boot == self.settings.boot
    }

    /// Whether the refs are where the last record leaves them.
    fn is_finished(&self, last: Option<&[u8]>) -> bool {
        let Some(payload) = last else { return true };
        decode_payload(payload).is_ok_and(|batch| self.has_finished(&batch))
    }

    /// The same of a batch.
    pub(super) fn has_finished(&self, batch: &Batch) -> bool {
        // Another program may have pruned what it thought nobody needs, and a disk that was taken off and came back within one
        // boot may have lost what was not yet written to it.
        if !batch.objects.iter().all(|object| self.holds(object)) {
            return false;
        }
        // A record that moves no ref says nothing about its objects.
        batch.refs.iter().any(|change| change.old != change.new)
            && batch.refs.iter().all(|change| {
                // A ref's lock outlives a program that died after the move; it would be in the next one's way.
                let locked = self.dir.join(format!("{}.lock", change.name)).exists();
                !locked && self.ref_target(&change.name).is_ok_and(|now| now == change.new)
            })
    }

    /// Whether git has an object as the journal has it, to the byte: libgit2 takes an empty file for the object. At each start that
    /// is asked of the newest record alone, a few small files that are in memory mostly; of all records before the journal is cut.
    /// What has no file of its own is in a pack, which whoever made it has synced.
    pub(super) fn holds(&self, object: &Object) -> bool {
        let (oid, mut bytes) = (object.oid(), Vec::new());
        let size = object.bytes.len() as u64;
        match read_loose(&self.dir.join("objects"), oid, object.kind, size, &mut bytes) {
            Ok(true) => bytes == object.bytes,
            Ok(false) => self.contains(oid),
            Err(_) => false,
        }
    }

    /// Writes again what the journal holds and git does not, or not whole: a `git gc --prune=now` that began before an object was
    /// written takes it for unreachable, and a disk may have lost it. The journal is the last copy. A ref that is torn gets its
    /// last value.
    pub(super) fn restore(&self, batches: &[Batch]) -> Result<(), RecoverError> {
        let mut seen = BTreeSet::new();
        for object in batches.iter().flat_map(|batch| &batch.objects) {
            if seen.insert(object.oid()) && !self.holds(object) {
                remove_file(&loose_path(&self.dir, object.oid()))?;
                self.write_object(object)?;
            }
        }
        for (name, values) in values_of(batches) {
            if matches!(self.current(name)?, Current::Torn) {
                self.refuse_links(name)?;
                remove_file(&self.dir.join(name))?;
                let last = values.all.last().copied().flatten();
                self.write_ref(name, self.ref_target(name)?, last)?;
            }
        }
        Ok(())
    }

    /// Removes a ref's own file if it is empty or torn, so that the ref can be written.
    pub fn clear_torn(&self, lock: &Lock, name: &str) -> Result<(), RecoverError> {
        if lock.dir != self.dir {
            return Err(RecoverError::WrongLock);
        }
        match self.current(name) {
            Ok(Current::Torn) => Ok(remove_file(&self.dir.join(name))?),
            _ => Ok(()),
        }
    }

    /// `anew`: what git shows as it should be is not taken for written.
    fn rewrite(&self, batches: &[Batch], gentle: bool, anew: bool) -> Result<Recovery, RecoverError> {
        let known = values_of(batches);
        self.remove_half_objects()?;
        match anew {
            true => self.write_objects_anew(batches)?,
            false => self.rewrite_objects(batches)?,
        }
        let mut moves = Vec::new();
        for name in known.keys() {
            self.refuse_links(name)?;
        }
        for (name, values) in known {
            let last = values.all.last().copied().flatten();
            let current = self.current(name)?;
            let owned = || name.to_owned();
            match self.stray(&current, &values, gentle) {
                Some(Stray::Unknown) => return Err(RecoverError::Diverged { name: owned() }),
                Some(Stray::MovedBack) => return Err(RecoverError::MovedBack { name: owned() }),
                Some(Stray::Unfinished) | None => {}
            }
            moves.push((name, current, last));
        }
        let mut healed = Vec::new();
        for (name, current, last) in moves {
            // What a program that died while it moved this ref has left.
            remove_file(&self.dir.join(format!("{name}.lock")))?;
            let current = match current {
                Current::Known(current) => current,
                Current::Torn => {
                    remove_file(&self.dir.join(name))?;
                    // An older value may come to light in `packed-refs`; the last one replaces it.
                    self.ref_target(name)?
                }
            };
            if current == last {
                // Its file may not have reached the disk as it is seen here; `syncfs` comes next.
                if let Some(oid) = last.filter(|_| anew) {
                    self.write_ref_anew(name, oid)?;
                }
                continue;
            }
            if last.is_none() {
                remove_file(&self.dir.join("packed-refs.lock"))?;
            }
            self.write_ref(name, current, last)?;
            healed.push(name.to_owned());
        }
        Ok(Recovery {
            replayed: batches.len(),
            healed,
        })
    }

    /// How a ref stands elsewhere than the journal left it; `gentle` where earlier records need not be in git.
    fn stray(&self, current: &Current, values: &Values, gentle: bool) -> Option<Stray> {
        let last = values.all.last().copied().flatten();
        let Current::Known(now) = current else {
            return Some(Stray::Unfinished);
        };
        if *now == last {
            return None;
        }
        let leads_back = |oid: &Oid| values.all.iter().flatten().any(|value| self.is_ancestor(*oid, *value));
        let known = now
            .as_ref()
            .is_none_or(|oid| values.all.contains(now) || leads_back(oid));
        Some(match known {
            false => Stray::Unknown,
            true if gentle || *now == values.before => Stray::Unfinished,
            true => Stray::MovedBack,
        })
    }

    /// The refs that stand where the journal did not leave them, by name; `restarted` where this machine may have been
    /// started anew since the journal was cut.
    pub(super) fn strayed(&self, batches: &[Batch], restarted: bool) -> Result<Vec<(String, Stray)>, RecoverError> {
        let mut strayed = Vec::new();
        for (name, values) in values_of(batches) {
            let stray = self.stray(&self.current(name)?, &values, restarted);
            strayed.extend(stray.map(|stray| (name.to_owned(), stray)));
        }
        Ok(strayed)
    }

    /// A folder on the way to a ref that is a symbolic link would lead out of the vault.
    fn refuse_links(&self, name: &str) -> Result<(), RecoverError> {
        let mut path = self.dir.clone();
        for part in name.split('/') {
            path.push(part);
            let link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
            if link {
                return Err(io::Error::other(format!("`{}` is a symbolic link", path.display())).into());
            }
        }
        Ok(())
    }

    /// Removes what libgit2 was writing when a program died: `git prune` does not know its name for such a file, and
    /// what is in it would outlast the destruction of the object. Under our lock nobody else writes so.
    pub(super) fn remove_half_objects(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.dir.join("objects"))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(HALF_OBJECT) {
                remove_file(&entry.path())?;
            }
        }
        remove_half_blobs(&self.dir)?;
        Ok(())
    }

    /// Writes every object again whose file is missing or not whole.
    pub(super) fn rewrite_objects(&self, batches: &[Batch]) -> Result<(), RecoverError> {
        let mut seen = BTreeSet::new();
        let objects = self.dir.join("objects");
        for object in batches.iter().flat_map(|batch| &batch.objects) {
            let oid = object.oid();
            if !seen.insert(oid) {
                continue;
            }
            // libgit2 takes an empty or torn file for the object and would leave it so.
            let mut bytes = Vec::new();
            let found = read_loose(&objects, oid, object.kind, object.bytes.len() as u64, &mut bytes);
            match found {
                Ok(true) if bytes == object.bytes => continue,
                Ok(false) => {}
                Ok(true) | Err(ReadError::Damaged { .. } | ReadError::Kind { .. } | ReadError::TooBig { .. }) => {
                    remove_file(&loose_path(&self.dir, oid))?;
                }
                Err(error) => return Err(error.into()),
            }
            self.write_object(object)?;
        }
        Ok(())
    }

    fn current(&self, name: &str) -> Result<Current, RecoverError> {
        let value = match fs::read(self.dir.join(name)) {
            Ok(text) => text,
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => b"ref: ".to_vec(),
            Err(error) => return Err(error.into()),
        };
        let is_value = std::str::from_utf8(&value).is_ok_and(|text| text.trim_end().parse::<Oid>().is_ok());
        let exists = fs::symlink_metadata(self.dir.join(name)).is_ok_and(|metadata| metadata.is_file());
        if exists && !is_value && !value.starts_with(b"ref: ") {
            return Ok(Current::Torn);
        }
        Ok(Current::Known(self.ref_target(name)?))
    }

    /// Whether `oid` is one of the commits that lead to `of`, as far as they can be read.
    fn is_ancestor(&self, oid: Oid, of: Oid) -> bool {
        let (mut seen, mut due) = (BTreeSet::from([of]), vec![of]);
        while let Some(next) = due.pop() {
            if next == oid {
                return true;
            }
            if seen.len() > MAX_ANCESTORS {
                return false;
            }
            let parents = self.read_commit(next, MAX_COMMIT).map(|commit| commit.parents);
            due.extend(
                parents
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|parent| seen.insert(*parent)),
            );
        }
        false
    }
}

/// What the journal says of each ref.
fn values_of(batches: &[Batch]) -> BTreeMap<&str, Values> {
    let mut known: BTreeMap<&str, Values> = BTreeMap::new();
    for (n, batch) in batches.iter().enumerate() {
        for RefChange { name, old, new } in &batch.refs {
            let (all, before) = (Vec::new(), None);
            let values = known.entry(name).or_insert(Values { all, before });
            values.all.extend([*old, *new]);
            values.before = if n + 1 == batches.len() { *old } else { *new };
        }
    }
    known
}

pub(super) fn remove_file(path: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
