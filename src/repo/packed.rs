//! Reading what is in packs, for threads that read much.
//!
//! libgit2 has one lock for all that reads a pack, and looks for each object twice. What is whole in a pack is read
//! here; what is kept as a difference from something else is left to libgit2.

use super::git::ReadError;
use super::object::{Kind, Oid};
use crate::env::{open_plain_file, read_bounded};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The largest index that is read, in bytes: two million objects.
const INDEX_MAX: u64 = 64 << 20;
/// How much of an entry is read at first, in bytes: all of a short note.
const FIRST: usize = 4096;
/// The longest head of an entry: its kind and a size of 64 bits.
const HEAD_MAX: usize = 10;

/// The bytes are not the index of a pack, version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the index of a pack: {0}")]
pub struct BadPackIndex(&'static str);

/// The index of a pack: which objects are in it, in the order of their ids, and where each begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackIndex {
    /// The ids, each once.
    pub ids: Vec<Oid>,
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
        Ok(Self { ids, places })
    }

    /// Reads the index file of a pack.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let bytes = read_bounded(path, INDEX_MAX).map_err(|error| io::Error::other(error.to_string()))?;
        Self::parse(&bytes).map_err(io::Error::other)
    }
}

/// What stands at the beginning of an entry of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackEntry {
    /// An object that is there whole: its kind, its size in bytes, and the length of this head.
    Whole(Kind, u64, usize),
    /// Something else: a difference from another object, or a tag.
    Other,
}

impl PackEntry {
    /// Reads the head of an entry; `None` if it does not end.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let (mut size, mut length, mut more) = (u64::from(first & 15), 1, first & 0x80 != 0);
        while more {
            let byte = *bytes.get(length).filter(|_| length < HEAD_MAX)?;
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
            _ => Self::Other,
        })
    }
}

/// A pack that is open, with its index.
pub(super) struct KnownPack {
    index: PackIndex,
    /// Where the ids begin whose first byte is at least this.
    begin: Vec<usize>,
    file: File,
}

impl KnownPack {
    /// Opens the pack of an index; `None` if this room cannot read it, and then libgit2 may.
    pub(super) fn open(index: PackIndex, stem: &Path) -> Option<Self> {
        let file = open_plain_file(&stem.with_extension("pack"), false, false).ok()?;
        let begin = |first: usize| index.ids.partition_point(|oid| usize::from(oid.0[0]) < first);
        let begin = (0..=256).map(begin).collect();
        Some(Self { index, begin, file })
    }

    /// The content of an object of at most `max` bytes, its id not checked; `None` if it is not here, or not whole.
    pub(super) fn read(&self, oid: Oid, want: Kind, max: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let first = usize::from(oid.0[0]);
        let (from, to) = (self.begin[first], self.begin[first + 1]);
        let Ok(at) = self.index.ids[from..to].binary_search(&oid) else {
            return Ok(None);
        };
        let place = self.index.places[from + at];
        let failed = |error: io::Error| ReadError::Git(error.to_string());
        let mut start = [0; FIRST];
        let read = read_up_to(&self.file, &mut start, place).map_err(failed)?;
        let damaged = ReadError::Damaged { oid };
        let (kind, size, head) = match PackEntry::parse(&start[..read]).ok_or(damaged.clone())? {
            PackEntry::Whole(kind, size, head) => (kind, size, head),
            PackEntry::Other => return Ok(None),
        };
        if kind != want {
            return Err(ReadError::Kind { oid, want });
        }
        if size > max {
            return Err(ReadError::TooBig { oid, size, max });
        }
        let size = usize::try_from(size).map_err(|_| damaged.clone())?;
        // Deflate lets nothing grow by more than a few bytes in each 16 KiB.
        let bound = size.saturating_add(size / 1024).saturating_add(64);
        let mut content = vec![0; size];
        let inflated = match bound <= FIRST - head || read < FIRST {
            true => inflate(&start[head..read], &mut content),
            false => {
                let mut packed = vec![0; bound];
                let read = read_up_to(&self.file, &mut packed, place + head as u64).map_err(failed)?;
                inflate(&packed[..read], &mut content)
            }
        };
        inflated.then_some(Some(content)).ok_or(damaged)
    }
}

/// Fills `out` from a zlib stream (RFC 1950) that gives exactly that much; what follows the stream does not matter. Its
/// checksum is left to whoever checks the content.
fn inflate(packed: &[u8], out: &mut [u8]) -> bool {
    let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
        | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
        | inflate_flags::TINFL_FLAG_IGNORE_ADLER32;
    let (status, _, written) = decompress(&mut DecompressorOxide::new(), packed, out, 0, flags);
    status == TINFLStatus::Done && written == out.len()
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
        for other in [0x00, 0x40, 0x50, 0x60, 0x70] {
            assert_eq!(PackEntry::parse(&[other]), Some(PackEntry::Other));
        }
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
        fn a_stream_gives_all_of_it_or_nothing(body in proptest::collection::vec(any::<u8>(), 0..3000), cut in any::<proptest::sample::Index>()) {
            let packed = compress_to_vec_zlib(&body, 6);
            let mut out = vec![0; body.len()];
            prop_assert!(inflate(&[packed.as_slice(), b"more"].concat(), &mut out));
            prop_assert_eq!(&out, &body);
            // Without the checksum's four bytes it cannot end.
            prop_assert!(!inflate(&packed[..cut.index(packed.len() - 4)], &mut out));
            prop_assert!(!inflate(&packed, &mut vec![0; body.len() + 1]));
            if !body.is_empty() {
                prop_assert!(!inflate(&packed, &mut vec![0; body.len() - 1]));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = PackEntry::parse(&bytes);
            let _ = inflate(&bytes, &mut [0; 64]);
        }
    }
}
