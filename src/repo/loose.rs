//! Reading an object's own file.
//!
//! Not left to libgit2 (1.9): on a file that was cut short, as a power cut leaves it, its reader
//! never returns, and a body that is shorter than its header says is filled up with zeros.

use super::git::ReadError;
use super::object::{Kind, Object, Oid};
use super::stored::read_stored;
use crate::env::open_plain_file;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The longest header: the longest kind, 20 digits, a space and a zero byte.
pub(super) const MAX_HEADER: usize = 32;

/// Where an object's own file is, or would be.
pub(super) fn loose_path(dir: &Path, oid: Oid) -> PathBuf {
    path_among(&dir.join("objects"), oid)
}

fn path_among(objects: &Path, oid: Oid) -> PathBuf {
    let hex = oid.to_string();
    objects.join(&hex[..2]).join(&hex[2..])
}

/// Reads the content of an object of at most `max` bytes from its own file in a folder of objects into `buffer`, its id not
/// checked; `false` if it has no such file.
pub(super) fn read_loose(
    objects: &Path,
    oid: Oid,
    want: Kind,
    max: u64,
    buffer: &mut Vec<u8>,
) -> Result<bool, ReadError> {
    let failed = |error: io::Error| ReadError::Git(error.to_string());
    let file = match open_plain_file(&path_among(objects, oid), false, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file.map_err(failed)?,
    };
    buffer.clear();
    file.take(packed_bound(max)).read_to_end(buffer).map_err(failed)?;
    match take_apart(buffer, max) {
        Ok(kind) if kind != want => Err(ReadError::Kind { oid, want }),
        Ok(_) => Ok(true),
        Err(Fault::TooBig(size)) => Err(ReadError::TooBig { oid, size, max }),
        Err(Fault::Damaged) => Err(ReadError::Damaged { oid }),
    }
}

/// What the file of an object of at most `max` bytes holds; `None` if it is damaged, or too large.
pub fn parse_loose(packed: &[u8], max: u64) -> Option<Object> {
    let mut bytes = packed.to_vec();
    let kind = take_apart(&mut bytes, max).ok()?;
    Some(Object { kind, bytes })
}

/// Takes the file of a loose object apart in place: what is left is its content.
fn take_apart(buffer: &mut Vec<u8>, max: u64) -> Result<Kind, Fault> {
    if let Some(header) = read_stored(buffer) {
        return check_stored(&header, buffer, max);
    }
    let (kind, bytes) = inflate_object(buffer, max)?;
    // Where it was read to is where it stays: whoever reuses the buffer knows how large it is.
    buffer.clear();
    buffer.extend_from_slice(&bytes);
    Ok(kind)
}

/// The largest file of an object of `max` bytes: deflate lets nothing grow by more than a few bytes in each 16 KiB.
pub(super) fn packed_bound(max: u64) -> u64 {
    max.saturating_add(max / 64).saturating_add(1024)
}

/// The kind of an object that was stored as it is.
fn check_stored(header: &[u8], content: &[u8], max: u64) -> Result<Kind, Fault> {
    match parse_header(header) {
        Some((_, size, _)) if size > max => Err(Fault::TooBig(size)),
        Some((kind, size, _)) if size == content.len() as u64 => Ok(kind),
        _ => Err(Fault::Damaged),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Fault {
    TooBig(u64),
    Damaged,
}

/// Takes a loose object's file apart: zlib (RFC 1950) over `<kind> <size>` 00 and the content.
/// Nothing may be missing, and nothing may follow.
fn inflate_object(packed: &[u8], max: u64) -> Result<(Kind, Vec<u8>), Fault> {
    let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = DecompressorOxide::new();
    let mut out = vec![0; 4096];
    let (mut status, mut read, mut written) = decompress(&mut state, packed, &mut out, 0, flags);

    let (kind, size, header) = parse_header(&out[..written.min(MAX_HEADER)]).ok_or(Fault::Damaged)?;
    if size > max {
        return Err(Fault::TooBig(size));
    }
    let whole = usize::try_from(size)
        .map_err(|_| Fault::Damaged)?
        .saturating_add(header);
    if status == TINFLStatus::HasMoreOutput && whole > written {
        out.resize(whole, 0);
        let more;
        (status, more, written) = {
            let (status, more, further) = decompress(&mut state, &packed[read..], &mut out, written, flags);
            (status, more, written + further)
        };
        read += more;
    }
    if status != TINFLStatus::Done || written != whole || read != packed.len() {
        return Err(Fault::Damaged);
    }
    out.truncate(whole);
    out.drain(..header);
    Ok((kind, out))
}

/// The kind, the size and the header's own length.
fn parse_header(start: &[u8]) -> Option<(Kind, u64, usize)> {
    let end = start.iter().position(|byte| *byte == 0)?;
    let (kind, size) = std::str::from_utf8(&start[..end]).ok()?.split_once(' ')?;
    let kind = match kind {
        "blob" => Kind::Blob,
        "tree" => Kind::Tree,
        "commit" => Kind::Commit,
        _ => return None,
    };
    let plain = !size.is_empty() && size.bytes().all(|digit| digit.is_ascii_digit());
    let size = size.parse().ok().filter(|_| plain)?;
    Some((kind, size, end + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use miniz_oxide::{MZ_ADLER32_INIT, mz_adler32_oxide};
    use proptest::prelude::*;

    fn pack(header: &str, body: &[u8]) -> Vec<u8> {
        compress_to_vec_zlib(&[header.as_bytes(), body].concat(), 6)
    }

    #[test]
    fn the_header_must_tell_the_truth() {
        let good = inflate_object(&pack("tree 3\0", b"abc"), 3);
        assert_eq!(good, Ok((Kind::Tree, b"abc".to_vec())));
        for bad in [
            "tree 2\0",
            "tree 4\0",
            "tag 3\0",
            "tree +3\0",
            "tree\0",
            "tree \0",
            "tree 3",
            "",
        ] {
            assert_eq!(inflate_object(&pack(bad, b"abc"), 9), Err(Fault::Damaged), "{bad:?}");
        }
        assert_eq!(inflate_object(&pack("blob 4\0", b"abcd"), 3), Err(Fault::TooBig(4)));
        // A claim is not a reason to ask for memory.
        let claim = pack("blob 99999999999999\0", b"x");
        assert_eq!(inflate_object(&claim, 1 << 20), Err(Fault::TooBig(99_999_999_999_999)));
        assert_eq!(
            inflate_object(&pack("blob 1000000\0", b"x"), 1 << 20),
            Err(Fault::Damaged)
        );
        let mut trailing = pack("blob 1\0", b"x");
        trailing.push(0);
        assert_eq!(inflate_object(&trailing, 9), Err(Fault::Damaged));
    }

    /// Whoever wrote it may have ended a block anywhere: also within the header, and before a byte that is taken for its end.
    #[test]
    fn stored_blocks_may_end_anywhere() {
        for content in [&b""[..], b"abc", &[0; 40]] {
            let object = Object::blob(content.to_vec());
            let whole = [format!("blob {}\0", content.len()).as_bytes(), content].concat();
            for at in 1..whole.len() {
                let block = |last: bool, bytes: &[u8]| {
                    let length = bytes.len() as u16;
                    [
                        &[u8::from(last)][..],
                        &length.to_le_bytes(),
                        &(!length).to_le_bytes(),
                        bytes,
                    ]
                    .concat()
                };
                let sum = mz_adler32_oxide(MZ_ADLER32_INIT, &whole).to_be_bytes();
                let blocks = [block(false, &whole[..at]), block(true, &whole[at..])].concat();
                let packed = [&[0x78, 0x01][..], &blocks, &sum].concat();
                assert_eq!(
                    parse_loose(&packed, 40).as_ref(),
                    Some(&object),
                    "{at} of {}",
                    whole.len()
                );
            }
        }
    }

    proptest! {
        #[test]
        fn every_size_comes_back_and_every_cut_is_seen(
            body in proptest::collection::vec(any::<u8>(), 0..9000),
            repeat in 1usize..4,
            cut in any::<proptest::sample::Index>(),
        ) {
            let body = body.repeat(repeat);
            let packed = pack(&format!("blob {}\0", body.len()), &body);
            prop_assert_eq!(inflate_object(&packed, 1 << 20), Ok((Kind::Blob, body)));
            prop_assert_eq!(inflate_object(&packed[..cut.index(packed.len())], 1 << 20), Err(Fault::Damaged));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = inflate_object(&bytes, 100);
            let _ = inflate_object(&[&[0x78, 0x9c][..], &bytes].concat(), 100);
        }
    }
}
