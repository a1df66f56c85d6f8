//! Packing: objects that have a file each are put together into one, when nobody waits for it.
//!
//! In order: what goes into it looked for; everything made durable and the journal cut; the pack and its index written beside the repository and
//! synced; moved to their place, and that synced; only then are the objects' own files, and smaller packs that went into the new
//! one, removed. Whatever step fails, every object is in one place at least.
//!
//! INVARIANT (what was forgotten gets no second life): of what has a file of its own, only what the refs reach goes into a
//! pack; what they do not reach stays as it is. What was forgotten leaves the packs by itself (see `forget`).
//!
//! How long it takes grows with what has gathered, not with the history: nobody looks behind what is in a large pack, unless
//! nothing is found so. The oldest goes first, so that what leads to the rest has a file of its own for as long as the rest
//! has; but what comes from elsewhere goes into packs as it comes (see `arrivals`), and older files may lie behind it.

use super::git::{ReadError, Repo};
use super::lock::Lock;
use super::loose::loose_path;
use super::object::{Kind, Oid};
use super::pack_write::{Chosen, MAX, Series};
use super::packed::{KnownPacks, PackIndex};
use super::reach::Reached;
use super::recover::remove_file;
use super::tree::Mode;
use super::write::{CutError, to_io};
use crate::env::Step;
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How many objects with files of their own go into a pack at once: fewer are not worth one, and while it is made the
/// lock is held.
pub const AT_ONCE: RangeInclusive<usize> = 1024..=4096;
/// A pack of so many objects is large: nobody looks behind what is in it.
const LARGE: usize = 8192;
/// So many packs of one size become one, so that there are few, and each object is copied a few times in all.
const SEVERAL: usize = 4;
/// A pack of so many bytes is copied no more, for the same reason, nor one of so many objects: an index is held in memory.
const MERGED_MAX: u64 = 128 << 20;
const MERGED_OBJECTS: usize = 1 << 19;
/// An object's file larger than this, in bytes, stays: a large one in a pack would be copied with it.
pub(super) const LOOSE_MAX: u64 = 256 << 10;

/// Where a pack is written before it is whole, in the git directory.
pub(super) const DRAFT: &str = "strongroom.packing";

/// What packing did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed {
    /// How many objects the new pack has.
    pub objects: usize,
    /// How many of them had files of their own.
    pub loose: usize,
    /// How many packs went into it.
    pub merged: usize,
}

/// Nothing was lost, but not all was packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Something reachable cannot be read; everything stays as it is.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal was not cut.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The system refused.
    #[error("the vault could not be packed: {0}; nothing was lost")]
    Io(#[from] io::Error),
}

/// A pack: its path without extension, and what is in it.
pub(super) struct Pack {
    pub(super) stem: PathBuf,
    pub(super) index: PackIndex,
    /// The length of the pack itself.
    pub(super) bytes: u64,
}

/// Packs whose index cannot be read here: of each its path without extension, and why.
pub(super) type Unread = Vec<(PathBuf, io::Error)>;

/// The indexes of the packs in a folder of objects.
fn pack_indexes(objects: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(objects.join("pack"))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    // An index without its pack is what a run that was interrupted has left.
    let whole =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "idx") && path.with_extension("pack").exists();
    Ok(paths.into_iter().filter(whole).collect())
}

/// Packs of one size: each four times the one before.
fn size_class(objects: usize) -> u32 {
    (objects / AT_ONCE.end())
        .checked_ilog(SEVERAL)
        .map_or(0, |class| class + 1)
}

/// Everything the refs reach, in the order in which a pack is best read.
struct InOrder<'k> {
    objects: Vec<Chosen>,
    seen: HashSet<Oid>,
    kept: &'k [PackIndex],
}

impl Repo {
    /// Puts what has files of its own, the oldest first, into a pack, and packs of one size into one once there are several.
    /// `None` if fewer than `at_once` allows have files of their own, none of them can be packed, or something is being
    /// forgotten. Recovery must have been done under the lock.
    pub fn pack(&self, lock: &Lock, at_once: RangeInclusive<usize>) -> Result<Option<Packed>, PackError> {
        let (least, most) = at_once.into_inner();
        let loose = self.loose_objects()?;
        // What is being forgotten is found by what leads to it, and that must stay until it is gone.
        if loose.len() < least.max(1) || self.is_forgetting() {
            return Ok(None);
        }
        // What leads to them is read before the journal lets go of what it holds.
        self.make_whole(lock)?;
        self.remove_draft()?;
        let mut chosen = self.choose(&loose, most, true)?;
        if chosen.is_empty() {
            chosen = self.choose(&loose, most, false)?;
        }
        if chosen.is_empty() {
            return Ok(None);
        }
        self.cut(lock)?;
        // A series is written from its newest on.
        chosen.reverse();
        let ids: HashSet<Oid> = chosen.iter().map(|object| object.oid).collect();
        let write = |draft: &Path| self.write_objects(&chosen, draft);
        let stem = self.write_pack(&ids, write)?;
        self.place_pack(&stem)?;
        for oid in &ids {
            let path = loose_path(&self.dir, *oid);
            self.faults()
                .step(Step::LooseRemove, || remove_file(&path), || Ok(()))?;
        }
        let mut packed = Packed {
            objects: ids.len(),
            loose: ids.len(),
            merged: 0,
        };
        if let Some((objects, merged)) = self.merge_packs()? {
            packed = Packed {
                objects,
                merged,
                ..packed
            };
        }
        Ok(Some(packed))
    }

    /// Which of the objects with files of their own go into a pack: reached by the refs, the oldest of each branch first.
    /// `in_short`: nobody looks behind what is in a large pack.
    fn choose(&self, loose: &HashSet<Oid>, most: usize, in_short: bool) -> Result<Vec<Chosen>, PackError> {
        let packs = self.packs()?;
        let large = packs
            .into_iter()
            .map(|pack| pack.index)
            .filter(|index| in_short && index.ids.len() >= LARGE);
        let large: Vec<PackIndex> = large.collect();
        let names: Vec<(String, Oid)> = self.refs("refs/")?;
        // Most of what is reached is in packs already.
        let reader = self.readers(1).ok().and_then(|mut readers| readers.pop());
        let reached = reader.as_ref().unwrap_or(self).reach_in_order(&names, &large)?;
        let mut chosen = Vec::new();
        for object in reached.objects.into_iter().rev() {
            if chosen.len() < most && loose.contains(&object.oid) && self.may_be_packed(object.oid)? {
                chosen.push(object);
            }
        }
        Ok(chosen)
    }

    /// Puts the packs of one size, and the smaller ones, into one, once there are several; says how many objects it has and
    /// of how many packs it is made.
    fn merge_packs(&self) -> Result<Option<(usize, usize)>, PackError> {
        let mut packs = self.packs_to_merge()?;
        packs.sort_by_key(|pack| pack.index.ids.len());
        let sizes: Vec<u32> = packs.iter().map(|pack| size_class(pack.index.ids.len())).collect();
        let several = |class: &u32| sizes.iter().filter(|size| *size == class).count() >= SEVERAL;
        let Some(class) = sizes.iter().find(|class| several(class)) else {
            return Ok(None);
        };
        packs.truncate(sizes.partition_point(|size| size <= class));
        let (stems, ids): (Vec<PathBuf>, HashSet<Oid>) = (
            packs.iter().map(|pack| pack.stem.clone()).collect(),
            packs.iter().flat_map(|pack| pack.index.ids.iter().copied()).collect(),
        );
        let stem = match self.merge(&packs)? {
            Some(stem) => stem,
            // They have something in common: what an earlier go was interrupted in removing.
            None => self.write_pack(&ids, |draft| {
                Ok(self.write_again(packs, &|_| false, draft).map(drop)?)
            })?,
        };
        self.place_pack(&stem)?;
        for stem in &stems {
            self.remove_pack(stem)?;
        }
        Ok(Some((ids.len(), stems.len())))
    }

    /// Leaves in the packs just what `kept` has: where there is more, that is written again, durable, and then they are removed.
    /// Only in a vault that nobody else has opened yet.
    pub(super) fn pack_only(&self, kept: &Reached) -> Result<(), PackError> {
        let (packs, mut unread) = self.packs_as_found()?;
        if let Some((_, error)) = unread.pop() {
            return Err(error.into());
        }
        let all = || packs.iter().flat_map(|pack| &pack.index.ids);
        if all().all(|oid| kept.contains(oid)) {
            return Ok(());
        }
        let ids: HashSet<Oid> = all().copied().filter(|oid| kept.contains(oid)).collect();
        let stems: Vec<PathBuf> = packs.iter().map(|pack| pack.stem.clone()).collect();
        if !ids.is_empty() {
            let write = |draft: &Path| Ok(self.write_again(packs, &|oid| !ids.contains(oid), draft).map(drop)?);
            let stem = self.write_pack(&ids, write)?;
            self.place_pack(&stem)?;
        }
        for stem in &stems {
            self.remove_pack(stem)?;
        }
        // What comes again must be written again, and what is read from here on is what is there.
        Ok(self.look_anew()?)
    }

    /// Removes what a pack that never became whole has left: it may hold what was forgotten since.
    pub(super) fn remove_draft(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.dir.join(DRAFT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The objects that have files of their own.
    pub(super) fn loose_objects(&self) -> io::Result<HashSet<Oid>> {
        let mut found = HashSet::new();
        for first in 0..=255u8 {
            let folder = format!("{first:02x}");
            let entries = match fs::read_dir(self.dir.join("objects").join(&folder)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let name = entry?.file_name();
                found.extend(
                    name.to_str()
                        .and_then(|rest| format!("{folder}{rest}").parse::<Oid>().ok()),
                );
            }
        }
        Ok(found)
    }

    /// What is in the packs that can be read here.
    pub(super) fn known_packs(&self) -> KnownPacks {
        let length = |path: &PathBuf| fs::metadata(path).map_or(0, |file| file.len());
        let own = self.dir.join("objects");
        let folders = std::iter::once(&own).chain(&self.lenders);
        let mut paths: Vec<PathBuf> = folders
            .flat_map(|objects| pack_indexes(objects).unwrap_or_default())
            .collect();
        // The largest first: what is in several is read in that.
        paths.sort_by_cached_key(|path| std::cmp::Reverse(length(path)));
        // One after the other: an index is twice as large as what is kept of it.
        let read = |path: PathBuf| Some((PackIndex::read(&path).ok()?, path.with_extension("")));
        KnownPacks::open(paths.into_iter().filter_map(read))
    }

    /// The packs whose index can be read here; another is left alone, and that what is in it is packed twice does no harm.
    pub(super) fn packs(&self) -> io::Result<Vec<Pack>> {
        Ok(self.packs_as_found()?.0)
    }

    /// The same, and the others.
    pub(super) fn packs_as_found(&self) -> io::Result<(Vec<Pack>, Unread)> {
        let (mut packs, mut unread) = (Vec::new(), Vec::new());
        for path in pack_indexes(&self.dir.join("objects"))? {
            let stem = path.with_extension("");
            match PackIndex::read(&path) {
                Err(error) => unread.push((stem, error)),
                Ok(index) => {
                    let bytes = fs::metadata(path.with_extension("pack"))?.len();
                    packs.push(Pack { stem, index, bytes });
                }
            }
        }
        Ok((packs, unread))
    }

    /// The packs that may go into another.
    pub(super) fn packs_to_merge(&self) -> io::Result<Vec<Pack>> {
        // An index over several packs would point to what is no longer there.
        let over_all = ["multi-pack-index", "multi-pack-index.d"];
        let over_all = over_all
            .iter()
            .any(|name| self.dir.join("objects/pack").join(name).exists());
        let free = |pack: &Pack| {
            let held = |end: &str| pack.stem.with_extension(end).exists();
            let small = pack.bytes < MERGED_MAX && pack.index.ids.len() < MERGED_OBJECTS;
            small && !over_all && !["keep", "promisor"].iter().any(|end| held(end))
        };
        Ok(self.packs()?.into_iter().filter(free).collect())
    }

    /// What the refs reach, newest first, down to what is in one of the packs `kept`.
    fn reach_in_order<'k>(&self, names: &[(String, Oid)], kept: &'k [PackIndex]) -> Result<InOrder<'k>, ReadError> {
        let mut reached = InOrder::over(kept);
        for (name, (_, head)) in names.iter().enumerate() {
            let mut commits = vec![*head];
            while let Some(oid) = commits.pop() {
                if !reached.add(oid, Some((name, Kind::Commit, 0)), Kind::Commit) {
                    continue;
                }
                let commit = self.read_commit(oid, MAX)?;
                self.reach_folder(&mut reached, commit.tree, name)?;
                commits.extend(commit.parents);
            }
        }
        Ok(reached)
    }

    fn reach_folder(&self, reached: &mut InOrder<'_>, tree: Oid, name: usize) -> Result<(), ReadError> {
        let mut folders = vec![(tree, 0)];
        while let Some((oid, depth)) = folders.pop() {
            if !reached.add(oid, Some((name, Kind::Tree, depth)), Kind::Tree) {
                continue;
            }
            for entry in self.read_tree(oid, MAX)? {
                match entry.mode {
                    Mode::Tree => folders.push((entry.oid, depth + 1)),
                    Mode::Commit => {}
                    _ => drop(reached.add(entry.oid, None, Kind::Blob)),
                }
            }
        }
        Ok(())
    }

    /// Whether the file of a loose object is small enough.
    fn may_be_packed(&self, oid: Oid) -> Result<bool, ReadError> {
        match fs::symlink_metadata(loose_path(&self.dir, oid)) {
            Err(error) => Err(ReadError::Git(error.to_string())),
            Ok(file) => Ok(file.len() <= LOOSE_MAX),
        }
    }

    /// Has a pack of these objects written beside the repository, synced; gives its path without extension.
    fn write_pack(
        &self,
        ids: &HashSet<Oid>,
        write: impl FnOnce(&Path) -> Result<(), PackError>,
    ) -> Result<PathBuf, PackError> {
        let draft = self.make_draft()?;
        self.write_pack_in(&draft, ids, write)
    }

    /// The same in a folder in which there may be others.
    pub(super) fn write_pack_in(
        &self,
        draft: &Path,
        ids: &HashSet<Oid>,
        write: impl FnOnce(&Path) -> Result<(), PackError>,
    ) -> Result<PathBuf, PackError> {
        let names = || -> io::Result<BTreeSet<PathBuf>> {
            let names = fs::read_dir(draft)?;
            names.map(|entry| Ok(entry?.path())).collect()
        };
        let before = names()?;
        let mut result = Ok(());
        let mut write = Some(write);
        let act = || {
            if let Some(write) = write.take() {
                result = write(draft);
            }
            result
                .is_ok()
                .then_some(())
                .ok_or_else(|| io::Error::other("not written"))
        };
        let tear = || fs::write(draft.join("pack-torn.pack"), b"PACK");
        let stepped = self.faults().step(Step::PackWrite, act, tear);
        result?;
        stepped?;
        let new: Vec<PathBuf> = names()?.difference(&before).cloned().collect();
        let index = new.iter().find(|path| path.extension().is_some_and(|end| end == "idx"));
        let index = index.ok_or_else(|| io::Error::other("git wrote no index"))?;
        let written: HashSet<Oid> = PackIndex::read(index)?.ids.into_iter().collect();
        // Git hashed what it read along: an object that was damaged is there under another id.
        if let Some(oid) = ids.difference(&written).next() {
            return Err(ReadError::Damaged { oid: *oid }.into());
        }
        self.sync_files(&new)?;
        Ok(index.with_extension(""))
    }

    /// An empty folder for a pack that is not yet whole.
    pub(super) fn make_draft(&self) -> io::Result<PathBuf> {
        self.remove_draft()?;
        let draft = self.dir.join(DRAFT);
        fs::DirBuilder::new().mode(0o700).create(&draft)?;
        Ok(draft)
    }

    pub(super) fn sync_draft(&self, draft: &Path) -> io::Result<()> {
        let names = fs::read_dir(draft)?.map(|entry| Ok(entry?.path()));
        self.sync_files(&names.collect::<io::Result<Vec<_>>>()?)
    }

    fn sync_files(&self, paths: &[PathBuf]) -> io::Result<()> {
        for path in paths {
            let sync = || File::open(path)?.sync_all();
            self.faults().step(Step::PackSync, sync, || Ok(()))?;
        }
        Ok(())
    }

    /// Moves a pack to its place, the only one that there is.
    fn place_pack(&self, stem: &Path) -> Result<(), PackError> {
        self.place_packs(&[stem.to_owned()])
    }

    /// Moves packs to their places. The index goes first: without its pack it counts for nothing, and tells nothing.
    pub(super) fn place_packs(&self, stems: &[PathBuf]) -> Result<(), PackError> {
        stems.iter().try_for_each(|stem| self.place(stem))?;
        let sync = || File::open(self.dir.join("objects/pack"))?.sync_all();
        self.faults().step(Step::PackSync, sync, || Ok(()))?;
        self.remove_draft()?;
        // So that what is about to be removed is found there from now on.
        let refresh = || self.git.odb()?.refresh();
        Ok(refresh().map_err(to_io)?)
    }

    fn place(&self, stem: &Path) -> Result<(), PackError> {
        let folder = self.dir.join("objects/pack");
        let mut name = stem.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let taken = |name: &str| {
            ["idx", "pack"]
                .iter()
                .any(|end| folder.join(format!("{name}.{end}")).exists())
        };
        // A pack of the same objects, from a run that was interrupted, is about to be removed under its name.
        while taken(&name) {
            name = format!("pack-{}", Oid::hash_object(Kind::Blob, name.as_bytes()));
        }
        for end in ["idx", "pack"] {
            let (from, to) = (stem.with_extension(end), folder.join(format!("{name}.{end}")));
            self.faults()
                .step(Step::PackPlace, || fs::rename(&from, &to), || Ok(()))?;
        }
        Ok(())
    }

    /// Removes a pack that went into another; the index first, so that nobody looks for it any more.
    fn remove_pack(&self, stem: &Path) -> io::Result<()> {
        for end in ["idx", "rev", "bitmap", "mtimes", "pack"] {
            let path = stem.with_extension(end);
            self.faults().step(Step::PackRemove, || remove_file(&path), || Ok(()))?;
        }
        Ok(())
    }
}

impl<'k> InOrder<'k> {
    fn over(kept: &'k [PackIndex]) -> Self {
        Self {
            objects: Vec::new(),
            seen: HashSet::new(),
            kept,
        }
    }

    /// Whether it was not known yet, and is in none of the packs.
    fn add(&mut self, oid: Oid, series: Option<Series>, kind: Kind) -> bool {
        let is_kept = |pack: &PackIndex| pack.ids.binary_search(&oid).is_ok();
        let new = !self.kept.iter().any(is_kept) && self.seen.insert(oid);
        if new {
            self.objects.push(Chosen { oid, kind, series });
        }
        new
    }
}
