//! Reading what is in packs, for threads that read much.
//!
//! libgit2 has one lock for all that reads a pack, looks for each object twice, and keeps the packs in memory. Here a
//! pack is a file that is read at a place. What is kept in a way that this room does not know is left to libgit2.

use super::delta::{apply_delta, apply_delta_to, delta_lengths};
use super::git::ReadError;
use super::object::{Kind, Oid};
use crate::env::{open_plain_file, read_bounded};
use libdeflater::Decompressor;
use sha1::{Digest as _, Sha1};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest index that is read, in bytes: nineteen million objects, in one pack as `git gc` makes it.
const INDEX_MAX: u64 = 512 << 20;
/// How much of an entry is read at first, in bytes: as much as the one before could take, within these bounds.
const FIRST: RangeInclusive<usize> = 256..=4096;
/// How many bits of where an object is say the place in its pack; the rest says which pack that is.
const PLACE_BITS: u32 = 48;
/// The longest number at the head of an entry: its kind and a size of 64 bits.
const NUMBER_MAX: usize = 10;
/// The largest object that others are a difference from, in bytes, and as much differences on the way to one object may have in
/// all. What needs more is refused, and not left to libgit2 either: it goes any way to its end.
const BASE_MAX: u64 = 64 << 20;
/// So many differences rest on one another at most: git makes no more.
const CHAIN_MAX: usize = 4096;
/// So many bytes are made at most on the way to one object: fifty versions of the largest part of an attachment, as many as git
/// lets rest on one another by itself, and more. A pack of a few KiB can ask for any number.
const MADE_MAX: u64 = 256 << 20;
/// Of a larger object as much is read at first as is mostly enough: about half of its size, which is what lines take.
const HALF_OF: usize = 64 << 10;
/// The room for what is stored is kept from one object to the next, unless it was larger than this, in bytes.
const KEPT_MAX: usize = 1 << 20;
/// As much is read at once where objects are read one after the other as they stand in a pack, in bytes.
const STRETCH: usize = 64 << 10;
/// No farther than this behind the one before begins what counts as next, in bytes.
const NEAR: u64 = 4096;
/// So much of what others may be a difference from is kept for the next that is, in bytes.
const RECENT_MAX: usize = 1 << 20;
/// And so many of them.
const RECENT_COUNT: usize = 32;

/// The bytes are not the index of a pack, version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the index of a pack: {0}")]
pub struct BadPackIndex(&'static str);

/// The index of a pack: which objects are in it, in the order of their ids, and where each begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackIndex {
    /// The ids, each once.
    pub ids: Vec<Oid>,
    /// CRC-32 of each entry as it stands in the pack, in the same order.
    pub sums: Vec<u32>,
    /// The places in the pack, in the same order.
    pub places: Vec<u64>,
}

impl PackIndex {
    /// Reads an index of version 2. Its checksums are not looked at: what is read by it is checked itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadPackIndex> {
        const FANOUT: usize = 8;
        const IDS: usize = FANOUT + 256 * 4;
        let number = |four: &[u8]| four.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        if bytes.get(..FANOUT) != Some(&[0xff, b't', b'O', b'c', 0, 0, 0, 2]) {
            return Err(BadPackIndex("it begins otherwise"));
        }
        let short = BadPackIndex("it is cut short");
        let fanout = bytes.get(FANOUT..IDS).ok_or(short)?.chunks_exact(4).map(number);
        let fanout: Vec<usize> = fanout.map(|count| count as usize).collect();
        let count = fanout.last().copied().unwrap_or(0);
        // For each object its id, a checksum and a place; places beyond 2 GiB; two SHA-1 at the end.
        let least = count.saturating_mul(28).saturating_add(IDS + 40);
        if bytes.len() < least || !(bytes.len() - least).is_multiple_of(8) {
            return Err(BadPackIndex("it has another size than its objects need"));
        }
        let ids = bytes[IDS..IDS + count * 20].chunks_exact(20).map(|bytes| {
            let mut oid = Oid([0; 20]);
            oid.0.copy_from_slice(bytes);
            oid
        });
        let ids: Vec<Oid> = ids.collect();
        if !ids.is_sorted_by(|a, b| a < b) {
            return Err(BadPackIndex("its ids are out of order"));
        }
        let up_to = |first: usize| ids.partition_point(|oid| usize::from(oid.0[0]) <= first);
        if (0..256).any(|first| fanout[first] != up_to(first)) {
            return Err(BadPackIndex("it counts otherwise than it lists"));
        }
        let sums = bytes[IDS + count * 20..IDS + count * 24].chunks_exact(4).map(number);
        let far = &bytes[IDS + count * 28..bytes.len() - 40];
        let places = bytes[IDS + count * 24..IDS + count * 28].chunks_exact(4).map(number);
        let places = places.map(|place| match place & 0x8000_0000 {
            0 => Some(u64::from(place)),
            _ => {
                let at = (place & 0x7fff_ffff) as usize;
                let eight = far.chunks_exact(8).nth(at)?;
                Some(eight.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
        });
        let places: Option<Vec<u64>> = places.collect();
        let places = places.ok_or(BadPackIndex("it points to a place that it does not have"))?;
        let sums = sums.collect();
        Ok(Self { ids, sums, places })
    }

    /// The bytes of an index, version 2, of the pack that ends with `pack_sum`.
    pub fn to_bytes(&self, pack_sum: &[u8; 20]) -> Vec<u8> {
        let mut bytes = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
        for first in 0..=255 {
            let below = self.ids.partition_point(|oid| oid.0[0] <= first);
            bytes.extend_from_slice(&(below as u32).to_be_bytes());
        }
        self.ids.iter().for_each(|oid| bytes.extend_from_slice(&oid.0));
        let sums = self.sums.iter();
        sums.for_each(|sum| bytes.extend_from_slice(&sum.to_be_bytes()));
        let mut far = Vec::new();
        for place in &self.places {
            let near = u32::try_from(*place).ok().filter(|place| place >> 31 == 0);
            let word = near.unwrap_or_else(|| {
                far.extend_from_slice(&place.to_be_bytes());
                0x8000_0000 | (far.len() / 8 - 1) as u32
            });
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(&far);
        bytes.extend_from_slice(pack_sum);
        let sum = Sha1::digest(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// Reads the index file of a pack.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let bytes = read_bounded(path, INDEX_MAX).map_err(|error| io::Error::other(error.to_string()))?;
        Self::parse(&bytes).map_err(io::Error::other)
    }
}

/// What stands at the beginning of an entry of a pack; each with its size in bytes and the length of this head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackEntry {
    /// An object that is there whole.
    Whole(Kind, u64, usize),
    /// A difference from the entry that begins so many bytes before.
    Before(u64, u64, usize),
    /// A difference from the object of that id.
    From(Oid, u64, usize),
    /// Something else: a tag.
    Other,
}

impl PackEntry {
    /// Reads the head of an entry; `None` if it does not end.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let (mut size, mut length, mut more) = (u64::from(first & 15), 1, first & 0x80 != 0);
        while more {
            let byte = *bytes.get(length).filter(|_| length < NUMBER_MAX)?;
            let part = u64::from(byte & 0x7f);
            let shift = 4 + 7 * (length as u32 - 1);
            // Bits that have no place would be lost.
            size |= part.checked_shl(shift).filter(|shifted| shifted >> shift == part)?;
            more = byte & 0x80 != 0;
            length += 1;
        }
        Some(match first >> 4 & 7 {
            1 => Self::Whole(Kind::Commit, size, length),
            2 => Self::Whole(Kind::Tree, size, length),
            3 => Self::Whole(Kind::Blob, size, length),
            6 => {
                let (back, length) = take_back(bytes, length)?;
                Self::Before(back, size, length)
            }
            7 => {
                let mut base = Oid([0; 20]);
                base.0.copy_from_slice(bytes.get(length..length + 20)?);
                Self::From(base, size, length + 20)
            }
            _ => Self::Other,
        })
    }

    /// The head of an object that is there whole.
    pub fn put_whole(kind: Kind, size: usize, out: &mut Vec<u8>) {
        let number = match kind {
            Kind::Commit => 1,
            Kind::Tree => 2,
            Kind::Blob => 3,
        };
        put_number(number, size, out);
    }

    /// The head of a difference of `size` bytes from the entry that begins `back` bytes before.
    pub fn put_before(size: usize, mut back: u64, out: &mut Vec<u8>) {
        put_number(6, size, out);
        let begin = out.len();
        out.push(back as u8 & 0x7f);
        while back > 0x7f {
            back = (back >> 7) - 1;
            out.insert(begin, back as u8 & 0x7f | 0x80);
        }
    }
}

fn put_number(kind: u8, size: usize, out: &mut Vec<u8>) {
    let (mut byte, mut rest) = (kind << 4 | size as u8 & 15, size >> 4);
    while rest > 0 {
        out.push(byte | 0x80);
        (byte, rest) = (rest as u8 & 0x7f, rest >> 7);
    }
    out.push(byte);
}

/// How far back a base is: each byte but the last counts one more.
fn take_back(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let end = at + NUMBER_MAX;
    let mut back = u64::from(bytes.get(at)? & 0x7f);
    while bytes[at] & 0x80 != 0 {
        at += 1;
        let byte = *bytes.get(at).filter(|_| at < end)?;
        back = back.checked_add(1)?.checked_mul(0x80)? | u64::from(byte & 0x7f);
    }
    Some((back, at + 1))
}

/// What one reader keeps from one object to the next: room, and what others may be a difference from, the newest last.
pub(super) struct Recent {
    packed: Stretch,
    decompressor: Decompressor,
    known: VecDeque<(PlaceOf, Kind, Arc<Vec<u8>>)>,
    size: usize,
}

/// A pack, by its number, and a place in it.
pub(super) type PlaceOf = (usize, u64);

impl Default for Recent {
    fn default() -> Self {
        Self {
            packed: Stretch::default(),
            decompressor: Decompressor::new(),
            known: VecDeque::new(),
            size: 0,
        }
    }
}

/// A part of a pack, as it is stored.
#[derive(Default)]
struct Stretch {
    bytes: Vec<u8>,
    /// How many of them were read, and where they stand.
    read: usize,
    at: PlaceOf,
    /// Where the object begins that was looked for last, and how long it could be.
    last: PlaceOf,
    bound: usize,
}

impl Stretch {
    /// So many bytes of a pack from a place on, and more if they are there; fewer only where it ends.
    fn from(&mut self, file: &File, (number, place): PlaceOf, wanted: usize) -> io::Result<&[u8]> {
        let (pack, begin) = self.at;
        let offset = place.checked_sub(begin).filter(|_| pack == number);
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        let offset = match offset.filter(|offset| *offset <= self.read) {
            Some(offset) if self.read - offset >= wanted => return Ok(&self.bytes[offset..self.read]),
            // What was read of this object stays.
            Some(0) => 0,
            _ => {
                (self.at, self.read) = ((number, place), 0);
                0
            }
        };
        let most = match self.is_next((number, place)) {
            true => wanted.max(STRETCH),
            false => wanted,
        };
        if self.bytes.len() > KEPT_MAX && most < KEPT_MAX {
            self.bytes = Vec::new();
            self.read = 0;
        }
        self.bytes.resize(self.bytes.len().max(most), 0);
        self.read += read_up_to(file, &mut self.bytes[self.read..most], place + self.read as u64)?;
        Ok(&self.bytes[offset..self.read])
    }

    /// Whether an object stands in its pack behind the one that was read last.
    fn is_next(&self, (number, place): PlaceOf) -> bool {
        let (pack, last) = self.last;
        let end = last.saturating_add(self.bound as u64).saturating_add(NEAR);
        number == pack && last < place && place <= end
    }
}

impl Recent {
    fn get(&self, place: PlaceOf) -> Option<(Kind, Arc<Vec<u8>>)> {
        let mut known = self.known.iter().rev();
        let found = known.find(|(at, ..)| *at == place);
        found.map(|(_, kind, bytes)| (*kind, bytes.clone()))
    }

    /// Of the history of a branch the next older one is mostly a difference from this one. No file is.
    fn keep_copy(&mut self, place: PlaceOf, kind: Kind, bytes: &[u8]) {
        if kind != Kind::Blob && bytes.len() <= RECENT_MAX {
            self.keep(place, kind, Arc::new(bytes.to_vec()));
        }
    }

    fn keep(&mut self, place: PlaceOf, kind: Kind, bytes: Arc<Vec<u8>>) {
        if self.get(place).is_some() {
            return;
        }
        self.size += bytes.len();
        self.known.push_back((place, kind, bytes));
        while self.size > RECENT_MAX || self.known.len() > RECENT_COUNT {
            let Some((_, _, bytes)) = self.known.pop_front() else {
                break;
            };
            self.size -= bytes.len();
        }
    }
}

/// Packs that are open, and where each object is in them: in one list, so that it is looked for once.
///
/// Of each id the beginning is held: there may be millions. Who could find two objects that begin alike could make a
/// reader find the wrong one, which is not what was asked for, and is told so by whoever hashes it.
#[derive(Default)]
pub(super) struct KnownPacks {
    files: Vec<File>,
    /// The beginning of each id, in order, and where the object is: the number of its pack, and the place in that.
    objects: Vec<(u64, u64)>,
    /// Where in this list the ids begin whose first bits are at least this, and how many bits that are.
    begin: Vec<u32>,
    bits: u32,
}

fn beginning(oid: &Oid) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&oid.0[..8]);
    u64::from_be_bytes(eight)
}

impl KnownPacks {
    /// Opens the packs of these indexes, as far as this room can read them. What is in several is read in the first.
    pub(super) fn open(indexes: impl IntoIterator<Item = (PackIndex, PathBuf)>) -> Self {
        let mut known = Self::default();
        for (index, stem) in indexes {
            known.add(&index, &stem);
        }
        // They are in order already, one pack after the other, which this sort is made for.
        known.objects.sort();
        // A few ids begin with the same bits.
        known.bits = known.objects.len().max(1).ilog2().saturating_sub(1).clamp(8, 24);
        known.begin = vec![0; (1 << known.bits) + 1];
        for (id, _) in &known.objects {
            known.begin[(id >> (u64::BITS - known.bits)) as usize + 1] += 1;
        }
        for at in 1..known.begin.len() {
            known.begin[at] += known.begin[at - 1];
        }
        known
    }

    /// Takes in a pack. If this room cannot read it, libgit2 may.
    fn add(&mut self, index: &PackIndex, stem: &Path) {
        let alike = |pair: &[Oid]| beginning(&pair[0]) == beginning(&pair[1]);
        let far = index.places.iter().any(|place| place >> PLACE_BITS != 0);
        if far || self.files.len() >> (u64::BITS - PLACE_BITS) != 0 || index.ids.windows(2).any(alike) {
            return;
        }
        if let Ok(file) = open_plain_file(&stem.with_extension("pack"), false, false) {
            let pack = (self.files.len() as u64) << PLACE_BITS;
            self.files.push(file);
            let ids = index.ids.iter().map(beginning);
            self.objects
                .extend(ids.zip(index.places.iter().map(|place| pack | place)));
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Where an object is, in each pack that has it.
    pub(super) fn places(&self, oid: Oid) -> impl Iterator<Item = PlaceOf> + '_ {
        let id = beginning(&oid);
        let first = (id >> (u64::BITS - self.bits.max(1))) as usize;
        let from = self.begin.get(first).map_or(0, |from| *from as usize);
        let to = self.begin.get(first + 1).map_or(0, |to| *to as usize);
        let alike = self.objects.get(from..to).unwrap_or_default();
        let begin = alike.partition_point(|(known, _)| *known < id);
        let same = alike[begin..].iter().take_while(move |(known, _)| *known == id);
        same.map(|(_, place)| ((place >> PLACE_BITS) as usize, place & ((1 << PLACE_BITS) - 1)))
    }

    /// Where each of these is first, if it is here. One after the other they are found several times as fast as with
    /// reading between them: memory is waited for once for some of them.
    pub(super) fn find(&self, oids: impl Iterator<Item = Oid>) -> Vec<Option<PlaceOf>> {
        oids.map(|oid| self.places(oid).next()).collect()
    }

    /// Reads the content of an object of at most `max` bytes into `out`, its id not checked; `false` if it is not here, or
    /// of a kind that this room does not know.
    pub(super) fn read(
        &self,
        oid: Oid,
        want: Kind,
        max: u64,
        recent: &mut Recent,
        out: &mut Vec<u8>,
    ) -> Result<bool, ReadError> {
        for at in self.places(oid) {
            match self.read_at(oid, at, Some(want), max, recent, out)? {
                None => {}
                Some(kind) if kind == want => return Ok(true),
                Some(_) => return Err(ReadError::Kind { oid, want }),
            }
        }
        Ok(false)
    }

    /// Reads the content of the entry at a place into `out`, which is the object `oid`, its id not checked; gives its kind.
    /// An object that is there whole and of another kind than `want` is refused.
    pub(super) fn read_at(
        &self,
        oid: Oid,
        (number, begin): PlaceOf,
        want: Option<Kind>,
        max: u64,
        recent: &mut Recent,
        out: &mut Vec<u8>,
    ) -> Result<Option<Kind>, ReadError> {
        let (damaged, tangled) = (|| ReadError::Damaged { oid }, || ReadError::Tangled { oid });
        if let Some((kind, known)) = recent.get((number, begin)) {
            let size = known.len() as u64;
            if size > max {
                return Err(ReadError::TooBig { oid, size, max });
            }
            out.clear();
            out.extend_from_slice(&known);
            return Ok(Some(kind));
        }
        // The differences on the way to what is there whole.
        let mut deltas: Vec<(u64, Vec<u8>)> = Vec::new();
        let (mut place, mut held, mut made, mut most) = (begin, 0u64, 0u64, max);
        let (kind, mut base) = loop {
            let known = recent.get((number, place)).filter(|_| !deltas.is_empty());
            if let Some(known) = known {
                break known;
            }
            let want = want.filter(|_| deltas.is_empty());
            let entry = match self.unpack(oid, (number, place), want, most, recent, out) {
                Err(ReadError::TooBig { .. }) if !deltas.is_empty() => return Err(tangled()),
                Ok(None) if !deltas.is_empty() => return Err(damaged()),
                Ok(None) => return Ok(None),
                Ok(Some(entry)) => entry,
                Err(error) => return Err(error),
            };
            let base = match entry {
                PackEntry::Whole(kind, ..) if deltas.is_empty() => {
                    recent.keep_copy((number, place), kind, out);
                    return Ok(Some(kind));
                }
                PackEntry::Whole(kind, ..) => break (kind, Arc::new(std::mem::take(out))),
                PackEntry::Before(back, ..) => place.checked_sub(back).filter(|base| *base < place && *base > 0),
                PackEntry::From(base, ..) => self.place_in(number, base).filter(|base| *base != place),
                PackEntry::Other => None,
            };
            let base = base.ok_or_else(damaged)?;
            let (_, size, _) = delta_lengths(out).ok_or_else(damaged)?;
            if size > most && deltas.is_empty() {
                return Err(ReadError::TooBig { oid, size, max });
            }
            (held, made) = (held + out.len() as u64, made.saturating_add(size));
            // Before any of it is made.
            if size > most || deltas.len() >= CHAIN_MAX || held > BASE_MAX || made > MADE_MAX {
                return Err(tangled());
            }
            deltas.push((place, out.clone()));
            (place, most) = (base, max.max(BASE_MAX));
        };
        while let Some((next, delta)) = deltas.pop() {
            let made = match deltas.is_empty() {
                true => apply_delta_to(&base, &delta, max, out).map(|()| Vec::new()),
                false => apply_delta(&base, &delta, max.max(BASE_MAX)),
            };
            let made = made.map_err(|_| damaged())?;
            recent.keep((number, place), kind, base);
            (place, base) = (next, Arc::new(made));
        }
        recent.keep_copy((number, place), kind, out);
        Ok(Some(kind))
    }

    /// Where an object is in that pack.
    fn place_in(&self, number: usize, oid: Oid) -> Option<u64> {
        let mut places = self.places(oid);
        places.find(|(pack, _)| *pack == number).map(|(_, place)| place)
    }

    /// One entry, inflated into `out`. An object that is there whole and of another kind than `want` is refused.
    fn unpack(
        &self,
        oid: Oid,
        (number, place): PlaceOf,
        want: Option<Kind>,
        max: u64,
        Recent {
            packed, decompressor, ..
        }: &mut Recent,
        out: &mut Vec<u8>,
    ) -> Result<Option<PackEntry>, ReadError> {
        let failed = |error: io::Error| ReadError::Git(error.to_string());
        let Some(file) = self.files.get(number) else {
            return Ok(None);
        };
        let at = (number, place);
        let first = packed.bound.clamp(*FIRST.start(), *FIRST.end());
        let stored = packed.from(file, at, first).map_err(failed)?;
        let damaged = || ReadError::Damaged { oid };
        let entry = PackEntry::parse(stored).ok_or_else(damaged)?;
        let (size, head) = match entry {
            PackEntry::Whole(kind, size, head) => match want {
                Some(want) if kind != want => return Err(ReadError::Kind { oid, want }),
                _ => (size, head),
            },
            PackEntry::Before(_, size, head) | PackEntry::From(_, size, head) => (size, head),
            PackEntry::Other => return Ok(None),
        };
        // A difference that is longer than what it makes is none that git writes.
        if size > max {
            return Err(ReadError::TooBig { oid, size, max });
        }
        let size = usize::try_from(size).map_err(|_| damaged())?;
        // Deflate lets nothing grow by more than a few bytes in each 16 KiB.
        let bound = size.saturating_add(size / 1024).saturating_add(64 + head);
        out.resize(size, 0);
        let is_all = bound <= stored.len() || stored.len() < first;
        let inflated = is_all.then(|| inflate(decompressor, &stored[head..], out));
        (packed.last, packed.bound) = (at, bound);
        if let Some(inflated) = inflated {
            return inflated.then_some(Some(entry)).ok_or_else(damaged);
        }
        let first = if size > HALF_OF { bound / 16 * 9 } else { bound };
        for most in [first, bound] {
            let stored = packed.from(file, at, most).map_err(failed)?;
            // Read anew, it may be shorter than it was: another program cut the file off.
            if stored
                .get(head..)
                .is_some_and(|packed| inflate(decompressor, packed, out))
            {
                return Ok(Some(entry));
            }
            if stored.len() < most {
                break;
            }
        }
        Err(damaged())
    }
}

/// Fills `out` from a zlib stream (RFC 1950) that gives exactly that much; what follows the stream does not matter.
fn inflate(decompressor: &mut Decompressor, packed: &[u8], out: &mut [u8]) -> bool {
    decompressor.zlib_decompress(packed, out) == Ok(out.len())
}

fn read_up_to(file: &File, buffer: &mut [u8], place: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], place.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    #[test]
    fn heads_are_read_as_git_writes_them() {
        assert_eq!(PackEntry::parse(&[0x35]), Some(PackEntry::Whole(Kind::Blob, 5, 1)));
        assert_eq!(
            PackEntry::parse(&[0x9c, 0x12]),
            Some(PackEntry::Whole(Kind::Commit, 300, 2))
        );
        assert_eq!(PackEntry::parse(&[0x20]), Some(PackEntry::Whole(Kind::Tree, 0, 1)));
        for other in [0x00, 0x40, 0x50] {
            assert_eq!(PackEntry::parse(&[other]), Some(PackEntry::Other));
        }
        assert_eq!(PackEntry::parse(&[0x65, 0x7f]), Some(PackEntry::Before(127, 5, 2)));
        assert_eq!(
            PackEntry::parse(&[0x65, 0x80, 0x00]),
            Some(PackEntry::Before(128, 5, 3))
        );
        let from = [&[0xf5, 0x01][..], &[7; 20]].concat();
        assert_eq!(PackEntry::parse(&from[..21]), None);
        assert_eq!(PackEntry::parse(&from), Some(PackEntry::From(Oid([7; 20]), 21, 22)));
        for bad in [
            &[][..],
            &[0xb0],
            &[0xb0, 0x80],
            &[0xff; 12],
            &[0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert_eq!(PackEntry::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_head_is_read_as_it_was_written(size in 0usize..1 << 40, back in 1u64..1 << 50, rest in proptest::collection::vec(any::<u8>(), 0..3)) {
            for kind in [Kind::Commit, Kind::Tree, Kind::Blob] {
                let mut head = Vec::new();
                PackEntry::put_whole(kind, size, &mut head);
                let length = head.len();
                head.extend_from_slice(&rest);
                prop_assert_eq!(PackEntry::parse(&head), Some(PackEntry::Whole(kind, size as u64, length)));
            }
            let mut head = Vec::new();
            PackEntry::put_before(size, back, &mut head);
            let length = head.len();
            head.extend_from_slice(&rest);
            prop_assert_eq!(PackEntry::parse(&head), Some(PackEntry::Before(back, size as u64, length)));
        }

        #[test]
        fn a_stretch_is_what_stands_in_the_file(
            size in 0usize..300_000,
            looks in proptest::collection::vec((0u64..2, 0u64..300_000, 0u64..6000, 1usize..100_000, any::<bool>()), 1..20),
        ) {
            let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let files = [0, 1].map(|n| {
                let mut file = tempfile::tempfile().unwrap();
                std::io::Write::write_all(&mut file, &content[n.min(size)..]).unwrap();
                file
            });
            let mut stretch = Stretch::default();
            for (number, anywhere, behind, wanted, next) in looks {
                // Behind the one before, or anywhere.
                let number = if next { stretch.last.0 } else { number as usize };
                let place = if next { stretch.last.1 + behind } else { anywhere };
                let there = content.get(number.min(size) + place as usize..).unwrap_or_default();
                for wanted in [wanted, 2 * wanted] {
                    let found = stretch.from(&files[number], (number, place), wanted).unwrap();
                    prop_assert!(found.len() >= wanted.min(there.len()));
                    prop_assert!(there.starts_with(found));
                }
                (stretch.last, stretch.bound) = ((number, place), wanted);
            }
        }

        #[test]
        fn a_stream_gives_all_of_it_or_nothing(body in proptest::collection::vec(any::<u8>(), 0..3000), cut in any::<proptest::sample::Index>()) {
            let decompressor = &mut Decompressor::new();
            let packed = compress_to_vec_zlib(&body, 6);
            let mut out = vec![0; body.len()];
            prop_assert!(inflate(decompressor, &[packed.as_slice(), b"more"].concat(), &mut out));
            prop_assert_eq!(&out, &body);
            // Without the checksum's four bytes it cannot end.
            prop_assert!(!inflate(decompressor, &packed[..cut.index(packed.len() - 4)], &mut out));
            prop_assert!(!inflate(decompressor, &packed, &mut vec![0; body.len() + 1]));
            if !body.is_empty() {
                prop_assert!(!inflate(decompressor, &packed, &mut vec![0; body.len() - 1]));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = PackEntry::parse(&bytes);
            let _ = inflate(&mut Decompressor::new(), &bytes, &mut [0; 64]);
        }
    }
}
