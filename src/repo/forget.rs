//! To forget for good: what a branch held and holds no more leaves the object store, loose or packed, without
//! waiting for git to prune.
//!
//! 1. [`Repo::begin_forgetting`] notes, durably and before the batch, where the branches stand.
//! 2. The batch is committed: its branches are re-rooted.
//! 3. [`Repo::finish_forgetting`] wipes the journal, removes what those branches led to and no ref leads to any more,
//!    and takes the note away. Interrupted at any step, it is done again from the beginning: nothing was removed that
//!    is needed to find the rest.

use super::git::{ReadError, Repo};
use super::lock::Lock;
use super::loose::loose_path;
use super::names::is_found;
use super::object::{Kind, Oid};
use super::pack::{Pack, Unread};
use super::packed::PackIndex;
use super::reach::{Missing, OBJECT_MAX, Reached};
use super::record::{HEADS, RefChange, is_branch};
use super::recover::remove_file;
use super::write::{CutError, sync_file_system, to_io};
use crate::env::{FileError, Step, read_bounded, replace_private, sync_folder};
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the note of what is being forgotten, in the git directory.
const NAME: &str = "strongroom.forgetting";
/// The largest such note, in bytes.
const NAME_MAX: u64 = 1 << 20;
/// How often packs are written anew before it is given up for now.
const REPACKED_MAX: usize = 3;
/// A file of packs without an index goes when it is as old, in seconds: an index is the last that git writes.
const SETTLED: u64 = 60;
/// Something could not be forgotten for good; it is tried again at the next start.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// The journal could not be wiped.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// An object or ref could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The system refused.
    #[error("{0}; free some space or check the disk")]
    Io(#[from] io::Error),
    /// The note of what is being forgotten is not one that this program writes.
    #[error("`{}` is damaged: move it away, then run `git gc --prune=now` in the vault while nobody writes to it", .0.display())]
    Damaged(PathBuf),
}

/// Reads a note of what is being forgotten: lines of a branch and the commit it stood at. Strict.
pub fn parse_forgetting(text: &str) -> Option<Vec<(String, Oid)>> {
    let line = |line: &str| {
        let (name, oid) = line.strip_suffix('\n')?.split_once(' ')?;
        let oid: Oid = oid.parse().ok()?;
        is_branch(name).then(|| (name.to_owned(), oid))
    };
    text.split_inclusive('\n').map(line).collect()
}

fn forgetting_text(places: &[(String, Oid)]) -> String {
    places.iter().map(|(name, oid)| format!("{name} {oid}\n")).collect()
}

impl Repo {
    /// Whether something was begun to be forgotten and is not yet gone.
    pub fn is_forgetting(&self) -> bool {
        fs::symlink_metadata(self.dir.join(NAME)).is_ok()
    }

    /// Notes where branches stand that are about to be re-rooted. Durable when this returns; harmless if the batch is
    /// never committed.
    pub fn begin_forgetting(&self, _lock: &Lock, refs: &[RefChange]) -> Result<(), ForgetError> {
        let mut places = self.forgetting()?;
        places.extend(
            refs.iter()
                .filter_map(|change| Some((change.name.clone(), change.old?))),
        );
        places.sort();
        places.dedup();
        let write = || replace_private(&self.dir.join(NAME), forgetting_text(&places).as_bytes()).map_err(plain);
        Ok(self.faults().step(Step::NoteWrite, write, || Ok(()))?)
    }

    /// Removes for good what was begun to be forgotten. Gives the names of other refs that hold files of it: what they hold
    /// stays.
    pub fn finish_forgetting(&self, lock: &Lock) -> Result<Vec<String>, ForgetError> {
        if !self.is_forgetting() {
            return Ok(Vec::new());
        }
        let done = self.forget(lock);
        // What comes again must be written again. Where that is not sure, recovery is due, which looks or says why not.
        if self.look_anew().is_err() {
            *lock.journal.borrow_mut() = None;
        }
        done
    }

    fn forget(&self, lock: &Lock) -> Result<Vec<String>, ForgetError> {
        let places = self.forgetting()?;
        // INVARIANT (wipe, then remove): while the journal holds an object, a recovery would write it again.
        self.cut_wiping(lock)?;
        self.remove_half_objects()?;
        self.remove_left_staging()?;
        let (doomed, held) = self.unreachable(&places)?;
        if !doomed.blobs.iter().all(|oid| self.contains(*oid)) {
            self.refuse_unread_packs()?;
        }
        for oid in &doomed.blobs {
            self.remove_object(*oid)?;
        }
        self.leave_packs(&doomed.of_blobs())?;
        // What leads to the blobs goes once they are gone for good, and the oldest commit first: until then it is
        // needed to find the rest. So nothing of it may go with a pack: what packs hold gets files of its own before.
        self.unpack_what_leads(&doomed)?;
        self.faults()
            .step(Step::WholeSync, || sync_file_system(&self.dir), || Ok(()))?;
        self.leave_packs(&doomed)?;
        for oid in doomed.trees.iter().chain(doomed.order.iter().rev()) {
            self.remove_object(*oid)?;
        }
        let remove = || {
            remove_file(&self.dir.join(NAME))?;
            sync_folder(&self.dir).map_err(plain)
        };
        self.faults().step(Step::NoteRemove, remove, || Ok(()))?;
        Ok(held)
    }

    fn forgetting(&self) -> Result<Vec<(String, Oid)>, ForgetError> {
        let path = self.dir.join(NAME);
        let bytes = match read_bounded(&path, NAME_MAX) {
            Err(FileError::Missing(_)) => return Ok(Vec::new()),
            Err(FileError::Io { source, .. }) => return Err(source.into()),
            Err(_) => return Err(ForgetError::Damaged(path)),
            Ok(bytes) => bytes,
        };
        let places = std::str::from_utf8(&bytes).ok().and_then(parse_forgetting);
        places.ok_or(ForgetError::Damaged(path))
    }

    /// What these branches led to then and no ref leads to now, and the names of others that hold files of it.
    ///
    /// INVARIANT (only what was forgotten goes): an entry may write under a name of its own what another branch holds
    /// already, and forget that. What any branch holds stays, whoever put it there.
    pub(super) fn unreachable(&self, places: &[(String, Oid)]) -> Result<(Reached, Vec<String>), ReadError> {
        let (mut kept, mut doomed) = (Reached::default(), Reached::default());
        let names: BTreeSet<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
        for name in &names {
            if let Some(oid) = self.ref_target(name)? {
                self.reach(oid, &Reached::default(), Missing::Skipped, &mut kept)?;
            }
        }
        for (_, oid) in places {
            self.reach(*oid, &kept, Missing::Skipped, &mut doomed)?;
        }
        let (mut shared, mut held) = (Reached::default(), Vec::new());
        // Others are many: they are looked at where there is something to remove.
        let others = match doomed.commits.is_empty() {
            true => Vec::new(),
            false => self.refs_as_found("refs/")?,
        };
        for (name, oid) in others.into_iter().filter(|(name, _)| !names.contains(name.as_str())) {
            let mut reached = self.reached_by(&name, oid)?;
            // What stays here may be what another branch began with: by it its history is known.
            reached.intersect(&doomed, &kept);
            if reached.blobs.iter().any(|oid| !kept.blobs.contains(oid)) {
                held.push(name);
            }
            shared.add(reached);
        }
        doomed.subtract(&kept);
        doomed.leave_nothing();
        self.leave_shared(&mut doomed, &shared)?;
        Ok((doomed, held))
    }

    /// What a ref leads to. Of a log and of a branch of files the newest tree holds every file that its history does. What
    /// is damaged there keeps nothing here from being forgotten.
    fn reached_by(&self, name: &str, oid: Option<Oid>) -> Result<Reached, ReadError> {
        let mut reached = Reached::default();
        let branch = name.strip_prefix(HEADS).unwrap_or_default();
        if ["audit/", "notes/", "keys/"]
            .iter()
            .any(|room| branch.starts_with(room))
        {
            if let Some(oid) = oid {
                self.reach_newest(oid, Missing::Passed, &mut reached)?;
            }
            return Ok(reached);
        }
        // Not every one is found by its name, and one that points to a name is by nothing else.
        let commit = match oid {
            Some(oid) => oid
                .to_git()
                .and_then(|oid| self.git.find_object(oid, None)?.peel_to_commit()),
            None => self.git.find_reference(name).and_then(|found| found.peel_to_commit()),
        };
        if let Ok(commit) = commit {
            let from = Oid::from_git(commit.id());
            self.reach(from, &Reached::default(), Missing::Passed, &mut reached)?;
        }
        Ok(reached)
    }

    /// Writes packs anew until none holds any of it.
    fn leave_packs(&self, doomed: &Reached) -> Result<(), ForgetError> {
        // A `git gc` beside this may write another pack out of what it read before.
        let mut times = 0;
        while self.is_packed(doomed)? {
            if times == REPACKED_MAX {
                return Err(ForgetError::Io(io::Error::other(
                    "another program keeps packing what is to be forgotten: end it, then run any command",
                )));
            }
            self.repack_without(doomed, self.found_packs()?)?;
            times += 1;
        }
        Ok(())
    }

    /// Gives the trees and commits among it that only packs hold files of their own.
    fn unpack_what_leads(&self, doomed: &Reached) -> Result<(), ForgetError> {
        // Packs have just gone.
        self.look_anew()?;
        let (packs, mut unread) = self.packs_as_found()?;
        let trees = doomed.trees.iter().map(|oid| (*oid, Kind::Tree));
        let commits = doomed.commits.iter().map(|oid| (*oid, Kind::Commit));
        for (oid, kind) in trees.chain(commits) {
            if loose_path(&self.dir, oid).exists() {
                continue;
            }
            let object = match self.read_object(oid, kind, OBJECT_MAX) {
                // A tree that is not there is told by its commit all the same.
                Err(ReadError::Missing { .. }) => continue,
                object => object?,
            };
            // It would stay where it is, in a pack that cannot be written again.
            if !is_in(&packs, &oid)
                && let Some((_, error)) = unread.pop()
            {
                return Err(error.into());
            }
            self.write_anew(&object)?;
        }
        Ok(())
    }

    /// What is nowhere may be in a pack that cannot be looked into: then nobody can say that it is gone.
    fn refuse_unread_packs(&self) -> io::Result<()> {
        match self.packs_as_found()?.1.pop() {
            None => Ok(()),
            Some((stem, error)) => {
                let pack = stem.file_name().unwrap_or_default().to_string_lossy();
                Err(io::Error::other(format!(
                    "the pack `{pack}` cannot be looked into: {error}"
                )))
            }
        }
    }

    /// Whether none of these objects lies here, in a file of its own or in a pack. An error where that cannot be told.
    pub fn lacks(&self, oids: &[Oid]) -> io::Result<bool> {
        if oids.iter().any(|oid| self.contains(*oid)) {
            return Ok(false);
        }
        for oid in oids {
            if is_found(fs::symlink_metadata(loose_path(&self.dir, *oid)))?.is_some() {
                return Ok(false);
            }
        }
        self.refuse_unread_packs()?;
        let known: HashSet<Oid> = oids.iter().copied().collect();
        let packs = self.packs()?;
        Ok(!packs
            .iter()
            .flat_map(|pack| &pack.index.ids)
            .any(|oid| known.contains(oid)))
    }

    fn remove_object(&self, oid: Oid) -> Result<(), ForgetError> {
        let path = loose_path(&self.dir, oid);
        // Most of what is not there is in a pack.
        if is_found(fs::symlink_metadata(&path))?.is_none() {
            return Ok(());
        }
        Ok(self
            .faults()
            .step(Step::ObjectRemove, || remove_file(&path), || Ok(()))?)
    }

    /// Whether a pack holds any of it. Looked at afresh: an open repository goes on seeing packs that are gone.
    fn is_packed(&self, doomed: &Reached) -> Result<bool, ForgetError> {
        let (packs, unread) = self.packs_as_found()?;
        let known = doomed.all().any(|oid| is_in(&packs, &oid));
        if known || unread.is_empty() {
            return Ok(known);
        }
        let git = git2::Repository::open_bare(&self.dir).map_err(to_io)?;
        let odb = git.odb().map_err(to_io)?;
        let packed = |oid: Oid| !loose_path(&self.dir, oid).exists() && oid.to_git().is_ok_and(|oid| odb.exists(oid));
        Ok(doomed.all().any(packed))
    }

    /// The packs, and all files beside them.
    pub(super) fn found_packs(&self) -> Result<FoundPacks, ForgetError> {
        let (at, files) = (SystemTime::now(), pack_files(&self.dir.join("objects/pack"))?);
        let (packs, unread) = self.packs_as_found()?;
        Ok(FoundPacks {
            at,
            files,
            packs,
            unread,
        })
    }

    /// Writes one pack of everything that packs with some of `doomed` hold besides it, durable, and then removes them, and
    /// files beside packs that nobody can tell the content of.
    ///
    /// INVARIANT (nothing acknowledged is lost): a `git gc` beside this removes what it has seen in a pack of its own. No
    /// pack goes that was not written again, and no file that may be half of one.
    pub(super) fn repack_without(&self, doomed: &Reached, found: FoundPacks) -> Result<(), ForgetError> {
        let FoundPacks {
            at,
            files,
            packs,
            mut unread,
        } = found;
        let is_of = |packs: &[Pack], path: &Path| packs.iter().any(|pack| path.with_extension("") == pack.stem);
        let is_unread = |path: &Path| unread.iter().any(|(stem, _)| path.with_extension("") == *stem);
        let mut old = pack_files(&self.dir.join("objects/pack"))?;
        let came = |path: &PathBuf| {
            let whole = path.extension().is_some_and(|end| end == "idx") && path.with_extension("pack").exists();
            whole && !is_of(&packs, path) && !is_unread(path)
        };
        if old.iter().any(came) {
            // It came just now: all is looked at anew.
            return Ok(());
        }
        let touches = |pack: &Pack| pack.index.ids.iter().any(|oid| doomed.contains(oid));
        let (touched, clean): (Vec<Pack>, Vec<Pack>) = packs.into_iter().partition(touches);
        old.retain(|path| {
            let known = is_of(&clean, path) || is_unread(path);
            let left = || !known && files.contains(path) && is_settled(path, at);
            is_of(&touched, path) || is_over_all(path) || left()
        });
        // Where nothing else holds any of it, one of these does, and what it holds besides could not be written again.
        unread.retain(|(stem, _)| touched.is_empty() && stem.with_extension("idx").exists());
        if let Some((_, error)) = unread.pop() {
            return Err(error.into());
        }
        let mut new = Vec::new();
        let write = || {
            new = self.write_without(doomed, touched)?;
            Ok(())
        };
        self.faults().step(Step::PackWrite, write, || Ok(()))?;
        // A pack is named after its content: one that held nothing of it may have been written again.
        old.retain(|path| !new.contains(path));
        let caches = ["objects/info/commit-graph", "objects/info/commit-graphs"].map(|name| self.dir.join(name));
        for path in caches.iter().chain(&old) {
            let remove = || match path.is_dir() {
                true => fs::remove_dir_all(path),
                false => remove_file(path),
            };
            self.faults().step(Step::PackRemove, remove, || Ok(()))?;
        }
        Ok(())
    }

    /// The files of the new pack; none if nothing is left to be packed.
    ///
    /// INVARIANT (nothing acknowledged is lost): all that stands in the packs about to go is written again, also what has
    /// a file of its own at this moment: `git gc` removes such files when it sees them in a pack.
    fn write_without(&self, doomed: &Reached, touched: Vec<Pack>) -> io::Result<Vec<PathBuf>> {
        let draft = self.make_draft()?;
        let kept = self.write_again(touched, &|oid| doomed.contains(oid), &draft)?;
        let place = self.dir.join("objects/pack");
        let (mut new, mut written) = (Vec::new(), HashSet::new());
        for path in pack_files(&draft)? {
            if path.extension().is_some_and(|end| end == "idx") {
                written.extend(PackIndex::read(&path)?.ids);
            }
            File::open(&path)?.sync_all()?;
            new.push(path);
        }
        // Git hashed what it read along: an object that was damaged is there under another id.
        if let Some(oid) = kept.difference(&written).next() {
            return Err(io::Error::other(ReadError::Damaged { oid: *oid }.to_string()));
        }
        for path in &mut new {
            let target = place.join(path.file_name().unwrap_or_default());
            fs::rename(&path, &target)?;
            *path = target;
        }
        fs::remove_dir(&draft)?;
        sync_folder(&place).map_err(plain)?;
        Ok(new)
    }
}

/// Whether one of these packs holds it.
fn is_in(packs: &[Pack], oid: &Oid) -> bool {
    packs.iter().any(|pack| pack.index.ids.binary_search(oid).is_ok())
}

/// What was found beside one another in the folder of packs.
pub(super) struct FoundPacks {
    pub(super) at: SystemTime,
    files: Vec<PathBuf>,
    packs: Vec<Pack>,
    unread: Unread,
}

/// Whether neither a file nor its name has changed for so long that nobody is about to write an index for it.
fn is_settled(path: &Path, now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let changed = fs::symlink_metadata(path).map(|file| u64::try_from(file.ctime()).unwrap_or(0));
    changed.is_ok_and(|changed| changed + SETTLED <= now)
}

/// Whether a file is of the index over several packs.
fn is_over_all(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("multi-pack-index")
}

/// The files of packs in a folder; of each pack the index last, so that a pack which is half moved or half removed is
/// still told by it.
fn pack_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let turn = match path.extension().and_then(|kind| kind.to_str()) {
            _ if is_over_all(&path) => 0,
            // Whoever wrote it: `git maintenance` has names of its own.
            Some("pack") => 1,
            Some("idx") => 3,
            _ if name.starts_with("pack-") => 2,
            _ => continue,
        };
        files.push((turn, path));
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

pub(super) fn plain(error: FileError) -> io::Error {
    io::Error::other(error.to_string())
}
