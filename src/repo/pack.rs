//! Packing: objects that have a file each are put together into one, when nobody waits for it.
//!
//! In order: everything made durable and the journal cut; the pack and its index written beside the repository and
//! synced; moved to their place, and that synced; only then are the objects' own files, and smaller packs that went into the new
//! one, removed. Whatever step fails, every object is in one place at least.
//!
//! INVARIANT (what was forgotten gets no second life): only what the refs reach goes into a pack. What they do not
//! reach stays as it is, and goes with a pack that is merged.

use super::git::{ReadError, Repo};
use super::lock::Lock;
use super::loose::loose_path;
use super::object::{Kind, Oid};
use super::recover::remove_file;
use super::tree::Mode;
use super::write::{CutError, to_io};
use crate::env::{Step, read_bounded};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Fewer objects with files of their own than these are not worth a pack.
pub const LOOSE_MIN: usize = 1024;
/// A pack of so many objects is not merged any more: the lock is held while one is made.
const MERGED_MAX: usize = 32_768;
/// A file larger than this, in bytes, stays one: comparing it with others would fill the memory.
const BLOB_MAX: u64 = 256 << 10;
/// The largest folder and commit, in bytes.
const MAX: u64 = 64 << 20;
/// The largest index that is read, in bytes: two million objects.
const INDEX_MAX: u64 = 64 << 20;

/// Where a pack is written before it is whole, in the git directory.
const DRAFT: &str = "strongroom.packing";

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

/// The bytes are not the index of a pack, version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the index of a pack: {0}")]
pub struct BadPackIndex(&'static str);

/// The ids in the index of a pack (version 2), which are in order.
pub fn parse_pack_index(bytes: &[u8]) -> Result<Vec<Oid>, BadPackIndex> {
    const FANOUT: usize = 8;
    const IDS: usize = FANOUT + 256 * 4;
    if bytes.get(..FANOUT) != Some(&[0xff, b't', b'O', b'c', 0, 0, 0, 2]) {
        return Err(BadPackIndex("it begins otherwise"));
    }
    let short = BadPackIndex("it is cut short");
    let fanout: Vec<u32> = bytes
        .get(FANOUT..IDS)
        .ok_or(short)?
        .chunks_exact(4)
        .map(|four| four.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
        .collect();
    let count = fanout.last().map_or(0, |count| *count as usize);
    // For each object its id, a checksum and a place; places beyond 2 GiB; two SHA-1 at the end.
    let least = count.saturating_mul(28).saturating_add(IDS + 40);
    if bytes.len() < least || !(bytes.len() - least).is_multiple_of(8) {
        return Err(BadPackIndex("it has another size than its objects need"));
    }
    let mut ids = Vec::with_capacity(count);
    for id in bytes[IDS..IDS + count * 20].chunks_exact(20) {
        let mut oid = Oid([0; 20]);
        oid.0.copy_from_slice(id);
        if ids.last().is_some_and(|last| *last >= oid) {
            return Err(BadPackIndex("its ids are out of order"));
        }
        ids.push(oid);
    }
    let below = |first: usize| ids.partition_point(|oid| usize::from(oid.0[0]) <= first);
    match (0..256).all(|first| fanout[first] as usize == below(first)) {
        true => Ok(ids),
        false => Err(BadPackIndex("it counts otherwise than it lists")),
    }
}

/// A pack: its path without extension, and what is in it.
struct Pack {
    stem: PathBuf,
    oids: Vec<Oid>,
}

/// Everything the refs reach, in the order in which a pack is best read.
#[derive(Default)]
struct Reached {
    objects: Vec<(Oid, Kind, usize)>,
    seen: HashSet<Oid>,
}

impl Repo {
    /// Puts what has files of its own, and packs that have become small beside it, into one pack; `None` if fewer than
    /// `least` objects have files of their own. The lock must have been recovered under.
    pub fn pack(&self, lock: &Lock, least: usize) -> Result<Option<Packed>, PackError> {
        let loose = self.loose_objects()?;
        if loose.len() < least.max(1) {
            return Ok(None);
        }
        self.cut(lock)?;
        self.remove_draft()?;
        let (merged, kept) = self.choose_packs(loose.len())?;
        let names: Vec<(String, Oid)> = self.refs("refs/")?;
        let reached = self.reach(&names)?;

        let kept: HashSet<Oid> = kept.into_iter().flatten().collect();
        let of_merged: HashSet<Oid> = merged.iter().flat_map(|pack| pack.oids.iter().copied()).collect();
        let mut chosen = Vec::new();
        let mut own_files = Vec::new();
        for (oid, kind, name) in reached.objects {
            // What is in a pack that goes is chosen whatever another pack is said to hold.
            let goes = of_merged.contains(&oid);
            if loose.contains(&oid) && (goes || !kept.contains(&oid)) && self.may_be_packed(oid, kind)? {
                own_files.push(oid);
            } else if !goes {
                continue;
            }
            chosen.push((oid, kind, name));
        }
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
    fn loose_objects(&self) -> io::Result<HashSet<Oid>> {
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

    /// The packs to put into the new one, and the objects of those to leave: of these each has at least twice as many
    /// as all that is smaller.
    fn choose_packs(&self, loose: usize) -> io::Result<(Vec<Pack>, Vec<Vec<Oid>>)> {
        let folder = self.dir.join("objects/pack");
        let names: Vec<String> = fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()?;
        let has = |name: &str| names.iter().any(|known| known == name);
        let mut packs = Vec::new();
        let stems = names.iter().filter_map(|name| name.strip_suffix(".idx"));
        for stem in stems.filter(|stem| has(&format!("{stem}.pack"))) {
            let bytes = read_bounded(&folder.join(format!("{stem}.idx")), INDEX_MAX);
            // One that cannot be read here is left alone; that what is in it is packed twice does no harm.
            let Some(oids) = bytes.ok().and_then(|bytes| parse_pack_index(&bytes).ok()) else {
                continue;
            };
            let held = [".keep", ".promisor"].iter().any(|end| has(&format!("{stem}{end}")));
            let stem = folder.join(stem);
            packs.push((held, Pack { stem, oids }));
        }
        // An index over several packs would point to what is no longer there.
        let over_all = names.iter().any(|name| name.starts_with("multi-pack-index"));
        packs.sort_by_key(|(_, pack)| pack.oids.len());
        let (mut merged, mut kept, mut smaller, mut grows) = (Vec::new(), Vec::new(), loose, !over_all);
        for (held, pack) in packs {
            let count = pack.oids.len();
            grows &= count < smaller.saturating_mul(2) && count < MERGED_MAX;
            match grows && !held {
                true => {
                    smaller += count;
                    merged.push(pack);
                }
                false => kept.push(pack.oids),
            }
        }
        Ok((merged, kept))
    }

    fn reach(&self, names: &[(String, Oid)]) -> Result<Reached, ReadError> {
        let mut reached = Reached::default();
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

    fn reach_folder(&self, reached: &mut Reached, tree: Oid, name: usize) -> Result<(), ReadError> {
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
    fn write_pack(&self, chosen: &[(Oid, Kind, usize)], names: &[(String, Oid)]) -> Result<PathBuf, PackError> {
        let draft = self.dir.join(DRAFT);
        fs::DirBuilder::new().mode(0o700).create(&draft)?;
        let build = || -> Result<(), git2::Error> {
            let mut builder = self.git.packbuilder()?;
            builder.set_threads(1);
            for (oid, kind, name) in chosen {
                // Folders are compared with others of their branch; the rest resembles nothing.
                let name = names.get(*name).filter(|_| *kind == Kind::Tree);
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
        let bytes = read_bounded(index, INDEX_MAX).map_err(|error| io::Error::other(error.to_string()))?;
        let written: HashSet<Oid> = parse_pack_index(&bytes)
            .map_err(io::Error::other)?
            .into_iter()
            .collect();
        // Git hashed what it wrote: an object that was damaged is there under another id.
        if let Some((oid, ..)) = chosen.iter().find(|(oid, ..)| !written.contains(oid)) {
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

impl Reached {
    /// Whether it was not known yet.
    fn add(&mut self, oid: Oid, kind: Kind, name: usize) -> bool {
        let new = self.seen.insert(oid);
        if new {
            self.objects.push((oid, kind, name));
        }
        new
    }
}
