//! Writing a pack beside the repository: libgit2 reads along, hashes each object, and makes the index.
//!
//! What of the next newer one of its kind on its branch makes an object (a folder with one file less, an entry's commit with
//! mostly the same fields) is all that is kept of it: the newest is there whole, and no more than [`CHAIN_MAX`] rest on one
//! another. Nothing else is compared: sealed files resemble nothing.

use super::delta::make_delta;
use super::git::{ReadError, Repo};
use super::object::{Kind, Oid};
use super::pack::{Pack, PackError};
use super::packed::{KnownPacks, PackEntry, Recent};
use super::write::to_io;
use libdeflater::{CompressionLvl, Compressor};
use sha1::{Digest as _, Sha1};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// As many objects rest on one another at most.
const CHAIN_MAX: usize = 40;
/// What is worth keeping for others to rest on, in bytes.
const BASE: std::ops::RangeInclusive<usize> = 64..=4 << 20;
/// The largest object that goes into a pack, in bytes.
pub(super) const MAX: u64 = 64 << 20;
/// How deflate tries: more than this shortens hardly anything that a vault holds.
const LEVEL: i32 = 6;
/// The chunks in which a pack is written.
const CHUNK: usize = 1 << 18;

/// Objects that resemble one another: of one branch and kind, as deep in its folders.
pub(super) type Series = (usize, Kind, usize);

/// An object to be packed.
pub(super) struct Chosen {
    pub(super) oid: Oid,
    pub(super) kind: Kind,
    pub(super) series: Option<Series>,
}

/// A pack being written.
pub(super) struct PackWriter<'a> {
    indexer: git2::Indexer<'a>,
    sum: Sha1,
    place: u64,
    chunk: Vec<u8>,
    compressor: Compressor,
}

impl PackWriter<'_> {
    /// Begins a pack of `count` objects in a folder.
    pub(super) fn begin(folder: &Path, count: usize) -> io::Result<Self> {
        let count = u32::try_from(count).map_err(io::Error::other)?;
        let level = CompressionLvl::new(LEVEL).map_err(|_| io::Error::other("no such level of deflate"))?;
        let mut writer = Self {
            indexer: git2::Indexer::new(None, folder, 0o400, false).map_err(to_io)?,
            sum: Sha1::new(),
            place: 0,
            chunk: Vec::with_capacity(2 * CHUNK),
            compressor: Compressor::new(level),
        };
        writer.put(b"PACK\0\0\0\x02")?;
        writer.put(&count.to_be_bytes())?;
        Ok(writer)
    }

    /// Where the next entry begins.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.place += bytes.len() as u64;
        self.chunk.extend_from_slice(bytes);
        match self.chunk.len() >= CHUNK {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// A whole object.
    pub(super) fn put_whole(&mut self, kind: Kind, content: &[u8]) -> io::Result<()> {
        let mut head = Vec::new();
        PackEntry::put_whole(kind, content.len(), &mut head);
        let packed = self.deflated(content)?;
        self.put(&head)?;
        self.put(&packed)
    }

    /// As a zlib stream (RFC 1950).
    fn deflated(&mut self, content: &[u8]) -> io::Result<Vec<u8>> {
        let mut packed = vec![0; self.compressor.zlib_compress_bound(content.len())];
        let length = self.compressor.zlib_compress(content, &mut packed);
        packed.truncate(length.map_err(|_| io::Error::other("deflate found no room"))?);
        Ok(packed)
    }

    /// A difference from the entry at `base`.
    fn put_delta(&mut self, base: u64, delta: &[u8]) -> io::Result<()> {
        let packed = self.deflated(delta)?;
        self.put_packed_delta(base, delta.len(), &packed)
    }

    /// The same, compressed already: of `size` bytes.
    fn put_packed_delta(&mut self, base: u64, size: usize, packed: &[u8]) -> io::Result<()> {
        let mut head = Vec::new();
        PackEntry::put_before(size, self.place - base, &mut head);
        self.put(&head)?;
        self.put(packed)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.indexer.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    /// Ends the pack; it and its index lie in the folder then, not yet synced.
    pub(super) fn end(mut self) -> io::Result<()> {
        let sum = self.sum.clone().finalize();
        self.put(&sum)?;
        self.flush()?;
        self.indexer.commit().map(drop).map_err(to_io)
    }
}

/// What the next object of a series may rest on.
struct Base {
    place: u64,
    content: Vec<u8>,
    depth: usize,
}

impl Repo {
    /// Writes a pack of these objects, those of a series one after another and the newest first, into a folder.
    pub(super) fn write_objects(&self, chosen: &[Chosen], folder: &Path) -> Result<(), PackError> {
        let mut writer = PackWriter::begin(folder, chosen.len())?;
        let mut bases: HashMap<Series, Base> = HashMap::new();
        let mut branch = None;
        for Chosen { oid, kind, series } in chosen {
            let content = self.read_checked(*oid, *kind, MAX)?;
            let place = writer.place();
            let Some(series) = *series else {
                writer.put_whole(*kind, &content)?;
                continue;
            };
            // One branch at a time is held in memory.
            if branch.replace(series.0) != Some(series.0) {
                bases.clear();
            }
            let base = bases.get(&series).filter(|base| base.depth < CHAIN_MAX);
            let delta = base.map(|base| (base, make_delta(&base.content, &content)));
            let depth = match delta.filter(|(_, delta)| delta.len() < content.len() / 2) {
                Some((base, delta)) => {
                    writer.put_delta(base.place, &delta)?;
                    base.depth + 1
                }
                None => {
                    writer.put_whole(*kind, &content)?;
                    0
                }
            };
            if BASE.contains(&content.len()) {
                bases.insert(series, Base { place, content, depth });
            }
        }
        Ok(writer.end()?)
    }
}

/// Where what was copied stands now, by where it stood and by its id.
#[derive(Default)]
struct Moved {
    places: HashMap<u64, u64>,
    ids: HashMap<Oid, u64>,
}

impl Repo {
    /// Writes what these packs hold, each object once and as it is kept there, into one in a folder; but nothing that `leaves`
    /// says. Gives the ids.
    pub(super) fn write_again(
        &self,
        packs: Vec<Pack>,
        leaves: &dyn Fn(&Oid) -> bool,
        folder: &Path,
    ) -> io::Result<HashSet<Oid>> {
        let ids = packs.iter().flat_map(|pack| &pack.index.ids);
        let kept: HashSet<Oid> = ids.copied().filter(|oid| !leaves(oid)).collect();
        if kept.is_empty() {
            return Ok(kept);
        }
        let mut writer = PackWriter::begin(folder, kept.len())?;
        let mut due = kept.clone();
        let mut moved = Moved::default();
        for pack in packs {
            moved.places.clear();
            self.copy_pack(pack, &mut due, &mut moved, &mut writer)?;
        }
        writer.end()?;
        Ok(kept)
    }

    fn copy_pack(
        &self,
        pack: Pack,
        due: &mut HashSet<Oid>,
        moved: &mut Moved,
        writer: &mut PackWriter<'_>,
    ) -> io::Result<()> {
        let Pack { stem, index, bytes } = pack;
        let mut entries: Vec<(u64, Oid)> = index.places.iter().copied().zip(index.ids.iter().copied()).collect();
        entries.sort_unstable();
        let file = File::open(stem.with_extension("pack"))?;
        let known = KnownPacks::open([(index, stem)]);
        let ends = entries.iter().skip(1).map(|(place, _)| *place);
        let ends: Vec<u64> = ends.chain([bytes.saturating_sub(20)]).collect();
        for ((place, oid), end) in entries.into_iter().zip(ends) {
            if !due.remove(&oid) {
                continue;
            }
            let length = end.checked_sub(place).filter(|length| *length <= MAX);
            let length = length.ok_or_else(|| io::Error::other(format!("object `{oid}` is too large for a pack")))?;
            let mut raw = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            file.read_exact_at(&mut raw, place)?;
            let now = writer.place();
            let based = |base: Option<u64>, size: u64, head: usize| Some((base?, usize::try_from(size).ok()?, head));
            let base = match PackEntry::parse(&raw) {
                Some(PackEntry::Whole(..) | PackEntry::Other) => {
                    writer.put(&raw)?;
                    moved.add(oid, place, now);
                    continue;
                }
                Some(PackEntry::Before(back, size, head)) => {
                    let base = place.checked_sub(back).and_then(|base| moved.places.get(&base));
                    based(base.copied(), size, head)
                }
                Some(PackEntry::From(base, size, head)) => based(moved.ids.get(&base).copied(), size, head),
                None => return Err(io::Error::other(ReadError::Damaged { oid }.to_string())),
            };
            match base {
                Some((base, size, head)) => writer.put_packed_delta(base, size, &raw[head..])?,
                None => self.put_anew(oid, place, &known, writer)?,
            }
            moved.add(oid, place, now);
        }
        Ok(())
    }

    /// What it is a difference from stays behind.
    fn put_anew(&self, oid: Oid, place: u64, known: &KnownPacks, writer: &mut PackWriter<'_>) -> io::Result<()> {
        let (mut recent, mut content) = (Recent::default(), Vec::new());
        let read = known.read_at(oid, (0, place), None, MAX, &mut recent, &mut content);
        if let Some(kind) = read.map_err(io::Error::other)? {
            return writer.put_whole(kind, &content);
        }
        let object = self.git.odb().and_then(|odb| {
            odb.read(oid.to_git()?)
                .map(|object| (object.kind(), object.data().to_vec()))
        });
        let (kind, content) = object.map_err(to_io)?;
        let kinds = [Kind::Blob, Kind::Tree, Kind::Commit];
        let kind = kinds.into_iter().find(|known| known.to_git() == kind);
        let kind = kind.ok_or_else(|| io::Error::other(format!("object `{oid}` is of a kind that no vault holds")))?;
        writer.put_whole(kind, &content)
    }
}

impl Moved {
    fn add(&mut self, oid: Oid, from: u64, to: u64) {
        self.places.insert(from, to);
        self.ids.insert(oid, to);
    }
}
