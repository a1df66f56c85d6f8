//! Packing: objects that have a file each are put together into one, when nobody waits for it.
//!
//! In order: everything made durable and the journal cut; the pack and its index written beside the repository and
//! synced; moved to their place, and that synced; only then are the objects' own files, and smaller packs that went into the new
//! one, removed. Whatever step fails, every object is in one place at least.
//!
//! INVARIANT (what was forgotten gets no second life): of what has a file of its own, only what the refs reach goes into a
//! pack; what they do not reach stays as it is. What was forgotten leaves the packs by itself (see `forget`).
//!
//! How long it takes grows with what has gathered, not with the history: nobody looks behind what is in a large pack.
//! The oldest goes first, so that what leads to the rest has a file of its own for as long as the rest has.

use super::git::{ReadError, Repo};
use super::lock::Lock;
use super::loose::loose_path;
use super::object::{Kind, Oid};
use super::packed::{KnownPack, PackIndex};
use super::recover::remove_file;
use super::tree::Mode;
use super::write::{CutError, to_io};
use crate::env::Step;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How many objects with files of their own go into a pack at once: fewer are not worth one, and while it is made the
/// lock is held.
pub const AT_ONCE: RangeInclusive<usize> = 1024..=4096;
/// A pack of so many objects is not merged any more, for the same reason.
const SMALL: usize = 8192;
/// So many smaller ones are merged: differences are sought anew, and that is most of the time it takes.
const SMALL_MAX: usize = 4;
/// A file larger than this, in bytes, stays one: comparing it with others would fill the memory.
const BLOB_MAX: u64 = 256 << 10;
/// The largest folder and commit, in bytes.
const MAX: u64 = 64 << 20;

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
    stem: PathBuf,
    index: PackIndex,
}

/// Everything the refs reach, in the order in which a pack is best read.
struct InOrder<'k> {
    objects: Vec<(Oid, Kind, usize)>,
    seen: HashSet<Oid>,
    kept: &'k [PackIndex],
}

impl Repo {
    /// Puts what has files of its own, the oldest first, and small packs once there are several, into one pack.
    /// `None` if fewer than `at_once` allows have files of their own, none of them can be packed, or something is being
    /// forgotten. Recovery must have been done under the lock.
    pub fn pack(&self, lock: &Lock, at_once: RangeInclusive<usize>) -> Result<Option<Packed>, PackError> {
        let (least, most) = at_once.into_inner();
        let loose = self.loose_objects()?;
        // What is being forgotten is found by what leads to it, and that must stay until it is gone.
        if loose.len() < least.max(1) || self.is_forgetting() {
            return Ok(None);
        }
        self.cut(lock)?;
        self.remove_draft()?;
        let (merged, kept) = self.choose_packs()?;
        let names: Vec<(String, Oid)> = self.refs("refs/")?;
        // Most of what is reached is in packs already.
        let reader = self.readers(1).ok().and_then(|mut readers| readers.pop());
        let reached = reader.as_ref().unwrap_or(self).reach_in_order(&names, &kept)?;

        let mut of_merged: HashSet<Oid> = merged.iter().flat_map(|pack| pack.index.ids.iter().copied()).collect();
        let mut chosen = Vec::new();
        let mut own_files = Vec::new();
        for (oid, kind, name) in reached.objects.into_iter().rev() {
            let goes = of_merged.remove(&oid);
            let wanted = loose.contains(&oid) && own_files.len() < most;
            if wanted && self.may_be_packed(oid, kind)? {
                own_files.push(oid);
            } else if !goes {
                continue;
            }
            // Folders are compared with others of their branch; the rest resembles nothing.
            chosen.push((oid, (kind == Kind::Tree).then_some(name)));
        }
        // Whatever else is in a pack that goes: it may be reached by ways that were not looked at.
        chosen.extend(of_merged.into_iter().map(|oid| (oid, None)));
        if own_files.is_empty() {
            return Ok(None);
        }
        let stem = self.write_pack(&chosen, &names)?;
        self.place_pack(&stem)?;
        for oid in &own_files {
            let path = loose_path(&self.dir, *oid);
            self.faults()
                .step(Step::LooseRemove, || remove_file(&path), || Ok(()))?;
        }
        for pack in &merged {
            self.remove_pack(&pack.stem)?;
        }
        Ok(Some(Packed {
            objects: chosen.len(),
            loose: own_files.len(),
            merged: merged.len(),
        }))
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
    pub(super) fn known_packs(&self) -> Vec<KnownPack> {
        let packs = self.packs().unwrap_or_default();
        let open = |pack: Pack| KnownPack::open(pack.index, &pack.stem);
        packs.into_iter().filter_map(open).collect()
    }

    /// The packs whose index can be read here; another is left alone, and that what is in it is packed twice does no harm.
    pub(super) fn packs(&self) -> io::Result<Vec<Pack>> {
        let folder = self.dir.join("objects/pack");
        let mut packs = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            // An index without its pack is what a run that was interrupted has left.
            if path.extension().is_none_or(|end| end != "idx") || !path.with_extension("pack").exists() {
                continue;
            }
            if let Ok(index) = PackIndex::read(&path) {
                let stem = path.with_extension("");
                packs.push(Pack { stem, index });
            }
        }
        Ok(packs)
    }

    /// The packs to put into the new one: all small ones, once there are several; and the objects of those to leave.
    fn choose_packs(&self) -> io::Result<(Vec<Pack>, Vec<PackIndex>)> {
        // An index over several packs would point to what is no longer there.
        let over_all = ["multi-pack-index", "multi-pack-index.d"];
        let over_all = over_all
            .iter()
            .any(|name| self.dir.join("objects/pack").join(name).exists());
        let is_small = |pack: &Pack| {
            let held = |end: &str| pack.stem.with_extension(end).exists();
            pack.index.ids.len() < SMALL && !over_all && !["keep", "promisor"].iter().any(|end| held(end))
        };
        let (mut merged, mut kept): (Vec<Pack>, Vec<Pack>) = self.packs()?.into_iter().partition(is_small);
        if merged.len() < SMALL_MAX {
            kept.append(&mut merged);
        }
        Ok((merged, kept.into_iter().map(|pack| pack.index).collect()))
    }

    /// What the refs reach, newest first, down to what is in one of the packs `kept`.
    fn reach_in_order<'k>(&self, names: &[(String, Oid)], kept: &'k [PackIndex]) -> Result<InOrder<'k>, ReadError> {
        let mut reached = InOrder::over(kept);
        for (name, (_, head)) in names.iter().enumerate() {
            let mut commits = vec![*head];
            while let Some(oid) = commits.pop() {
                if !reached.add(oid, Kind::Commit, name) {
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
        let mut folders = vec![tree];
        while let Some(oid) = folders.pop() {
            if !reached.add(oid, Kind::Tree, name) {
                continue;
            }
            for entry in self.read_tree(oid, MAX)? {
                match entry.mode {
                    Mode::Tree => folders.push(entry.oid),
                    Mode::Commit => {}
                    _ => drop(reached.add(entry.oid, Kind::Blob, name)),
                }
            }
        }
        Ok(())
    }

    /// Whether a loose object is whole and small enough. (libgit2 would wait for ever for the rest of a torn one.)
    fn may_be_packed(&self, oid: Oid, kind: Kind) -> Result<bool, ReadError> {
        match kind {
            Kind::Blob => match self.read_blob(oid, BLOB_MAX) {
                Err(ReadError::TooBig { .. }) => Ok(false),
                read => read.map(|_| true),
            },
            // Read and hashed when it was reached.
            Kind::Tree | Kind::Commit => Ok(true),
        }
    }

    /// Writes a pack of these objects beside the repository, synced; gives its path without extension.
    fn write_pack(&self, chosen: &[(Oid, Option<usize>)], names: &[(String, Oid)]) -> Result<PathBuf, PackError> {
        let draft = self.dir.join(DRAFT);
        fs::DirBuilder::new().mode(0o700).create(&draft)?;
        let build = || -> Result<(), git2::Error> {
            let mut builder = self.git.packbuilder()?;
            builder.set_threads(1);
            for (oid, name) in chosen {
                let name = name.and_then(|name| names.get(name));
                builder.insert_object(oid.to_git()?, name.map(|(name, _)| name.as_str()))?;
            }
            builder.write(&draft, 0o400)
        };
        let tear = || fs::write(draft.join("pack-torn.pack"), b"PACK");
        self.faults().step(Step::PackWrite, || build().map_err(to_io), tear)?;
        let names = fs::read_dir(&draft)?.map(|entry| Ok(entry?.path()));
        let names: Vec<PathBuf> = names.collect::<io::Result<_>>()?;
        let index = names
            .iter()
            .find(|path| path.extension().is_some_and(|end| end == "idx"));
        let index = index.ok_or_else(|| io::Error::other("git wrote no index"))?;
        let written: HashSet<Oid> = PackIndex::read(index)?.ids.into_iter().collect();
        // Git hashed what it wrote: an object that was damaged is there under another id.
        if let Some((oid, ..)) = chosen.iter().find(|(oid, _)| !written.contains(oid)) {
            return Err(ReadError::Damaged { oid: *oid }.into());
        }
        let sync = |path: &Path| {
            self.faults()
                .step(Step::PackSync, || File::open(path)?.sync_all(), || Ok(()))
        };
        names.iter().try_for_each(|path| sync(path))?;
        Ok(index.with_extension(""))
    }

    /// Moves a pack to its place. The index goes first: without its pack it counts for nothing, and tells nothing.
    fn place_pack(&self, stem: &Path) -> Result<(), PackError> {
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
        let sync = || File::open(&folder)?.sync_all();
        self.faults().step(Step::PackSync, sync, || Ok(()))?;
        self.remove_draft()?;
        // So that what is about to be removed is found there from now on.
        let refresh = || self.git.odb()?.refresh();
        Ok(refresh().map_err(to_io)?)
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
    fn add(&mut self, oid: Oid, kind: Kind, name: usize) -> bool {
        let is_kept = |pack: &PackIndex| pack.ids.binary_search(&oid).is_ok();
        let new = !self.kept.iter().any(is_kept) && self.seen.insert(oid);
        if new {
            self.objects.push((oid, kind, name));
        }
        new
    }
}
