//! Whether what says where objects are in packs stays within these packs.
//!
//! libgit2 (1.9) takes a place from an index, or from `multi-pack-index`, and looks there, also behind the end of the pack:
//! that is memory of something else, or of nothing. So it is given no pack to read where any place lies outside.

use crate::env::open_plain_file;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How an index of version 2 begins.
const VERSION_2: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
/// Of an index, version 2: where the count is, where the ids begin, and what each object takes before the places.
const COUNT: u64 = 8 + 255 * 4;
const IDS: u64 = COUNT + 4;
const BEFORE_PLACES: u64 = 20 + 4;
/// The checksum that ends a pack, and the two that end an index.
const SUM: u64 = 20;
/// As much is read at once, in bytes.
const AT_ONCE: usize = 1 << 16;
/// A place with this bit stands in the list of those that need eight bytes.
const FAR: u32 = 1 << 31;
/// The most parts that a `multi-pack-index` has, and the most bytes of names in it.
const PARTS_MAX: usize = 32;
const NAMES_MAX: usize = 16 << 20;

/// The files below a folder of objects by which something outside of a pack would be read, or by which libgit2 would read and
/// nobody looked where. What it refuses itself leads it nowhere.
pub(super) fn misleading(objects: &Path) -> Vec<String> {
    let folder = objects.join("pack");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let leads_astray = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        match name.strip_suffix(b".idx") {
            Some(stem) => {
                let pack = folder.join(OsStr::from_bytes(&[stem, b".pack"].concat()));
                pack.is_file() && !stays_within(path, &pack).unwrap_or(false)
            }
            None => name == b"multi-pack-index" && !all_stay_within(path).unwrap_or(false),
        }
    };
    paths.retain(leads_astray);
    let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    paths.into_iter().filter_map(name).collect()
}

fn four(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn eight(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn read_at<const N: usize>(file: &File, at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// Gives `look` the numbers of `size` bytes each that stand from a place on; whether it took them all.
fn each(
    file: &File,
    at: u64,
    count: u64,
    size: usize,
    look: &mut dyn FnMut(&[u8]) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut buffer = vec![0; AT_ONCE];
    let mut left = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size);
    let mut place = at;
    while left > 0 {
        let now = left.min(AT_ONCE);
        file.read_exact_at(&mut buffer[..now], place)?;
        for number in buffer[..now].chunks_exact(size) {
            if !look(number)? {
                return Ok(false);
            }
        }
        left -= now;
        place += now as u64;
    }
    Ok(true)
}

/// Behind which place of a pack there is no object.
fn end_of(pack: &Path) -> io::Result<u64> {
    Ok(std::fs::metadata(pack)?.len().saturating_sub(SUM))
}

fn stays_within(index: &Path, pack: &Path) -> io::Result<bool> {
    // What is gone by now, or cannot be opened, libgit2 does not read by either. A link it follows.
    let (Ok(end), Ok(found)) = (end_of(pack), std::fs::symlink_metadata(index)) else {
        return Ok(true);
    };
    if !found.is_file() {
        return Ok(false);
    }
    let Ok(file) = open_plain_file(index, false, false) else {
        return Ok(true);
    };
    let length = file.metadata()?.len();
    if length < IDS + 2 * SUM {
        return Ok(true);
    }
    if read_at::<8>(&file, 0)? != VERSION_2 {
        // Whatever begins otherwise it takes for version 1, which nobody has written for long, if the size is right.
        let count = u64::from(four(&read_at::<4>(&file, 255 * 4)?));
        return Ok(length != 256 * 4 + count * (20 + 4) + 2 * SUM);
    }
    let count = u64::from(four(&read_at::<4>(&file, COUNT)?));
    let places = IDS + count * BEFORE_PLACES;
    let far = places + count * 4;
    let longest = far + count.saturating_sub(1) * 8 + 2 * SUM;
    if !(far + 2 * SUM..=longest).contains(&length) {
        return Ok(true);
    }
    each(&file, places, count, 4, &mut |number| {
        Ok(match four(number) {
            near if near & FAR == 0 => u64::from(near) < end,
            number => eight(&read_at::<8>(&file, far + u64::from(number & !FAR) * 8)?) < end,
        })
    })
}

/// The same of the index of several packs (gitformat-pack(5)). One that is damaged is not within anything.
fn all_stay_within(index: &Path) -> io::Result<bool> {
    let file = open_plain_file(index, false, false)?;
    let head = read_at::<12>(&file, 0)?;
    let parts = usize::from(head[6]).min(PARTS_MAX);
    let mut begin: HashMap<[u8; 4], (u64, u64)> = HashMap::new();
    for part in 0..parts as u64 {
        let [a, b, c, d] = read_at::<4>(&file, 12 + part * 12)?;
        let from = eight(&read_at::<8>(&file, 16 + part * 12)?);
        let to = eight(&read_at::<8>(&file, 28 + part * 12)?);
        begin.insert([a, b, c, d], (from, to));
    }
    let part = |name: &[u8; 4]| begin.get(name).copied();
    let (Some((names, names_end)), Some((places, places_end))) = (part(b"PNAM"), part(b"OOFF")) else {
        return Ok(false);
    };
    let length = names_end
        .checked_sub(names)
        .and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| *length <= NAMES_MAX) else {
        return Ok(false);
    };
    let mut text = vec![0; length];
    file.read_exact_at(&mut text, names)?;
    let folder = index.parent().unwrap_or(Path::new("."));
    let packs = text.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let ends: Vec<u64> = packs
        .map(|name| end_of(&folder.join(&*String::from_utf8_lossy(name)).with_extension("pack")).unwrap_or(0))
        .collect();
    let far = part(b"LOFF").map(|(far, _)| far);
    let Some(length) = places_end.checked_sub(places) else {
        return Ok(false);
    };
    each(&file, places, length / 8, 8, &mut |entry| {
        let Some(end) = ends.get(four(&entry[..4]) as usize) else {
            return Ok(false);
        };
        Ok(match (four(&entry[4..]), far) {
            (number, Some(far)) if number & FAR != 0 => {
                eight(&read_at::<8>(&file, far + u64::from(number & !FAR) * 8)?) < *end
            }
            (number, _) => u64::from(number) < *end,
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::object::Oid;
    use super::super::packed::PackIndex;
    use super::*;

    /// A folder of objects with a pack of so many bytes and an index of these places.
    fn folder(bytes: usize, places: &[u64]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pack")).unwrap();
        let ids = (0..places.len()).map(|n| Oid([n as u8; 20])).collect();
        let index = PackIndex {
            ids,
            sums: vec![0; places.len()],
            places: places.to_vec(),
        };
        std::fs::write(folder.path().join("pack/pack-1.pack"), vec![0; bytes]).unwrap();
        std::fs::write(folder.path().join("pack/pack-1.idx"), index.to_bytes(&[0; 20])).unwrap();
        folder
    }

    #[test]
    fn a_place_behind_the_end_of_a_pack_misleads() {
        for (places, misled) in [
            (&[12, 50, 79][..], false),
            (&[][..], false),
            (&[12, 80, 50][..], true),
            (&[12, 1 << 24][..], true),
            (&[12, 1 << 40][..], true),
        ] {
            let folder = folder(100, places);
            let found = misleading(folder.path());
            assert_eq!(found, if misled { vec!["pack-1.idx"] } else { vec![] }, "{places:?}");
        }
        // Nothing can be read of a pack that is gone, nor by an index that is none.
        let folder = folder(100, &[80]);
        std::fs::remove_file(folder.path().join("pack/pack-1.pack")).unwrap();
        assert_eq!(misleading(folder.path()), Vec::<String>::new());
        std::fs::write(folder.path().join("pack/pack-1.pack"), "PACK").unwrap();
        std::fs::write(folder.path().join("pack/pack-1.idx"), "no index").unwrap();
        assert_eq!(misleading(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn what_libgit2_reads_by_and_nobody_looks_into_misleads() {
        let changes: [fn(&Path); 3] = [
            // Version 1, of one object.
            |index| {
                let counts = 1_u32.to_be_bytes().repeat(256);
                std::fs::write(index, [counts, vec![0; 24 + 40]].concat()).unwrap();
            },
            |index| {
                std::fs::rename(index, index.with_extension("other")).unwrap();
                std::os::unix::fs::symlink("pack-1.other", index).unwrap();
            },
            // The first of two places is nowhere, the second outside.
            |index| {
                let mut bytes = std::fs::read(index).unwrap();
                let places = bytes.len() - 40 - 8;
                bytes[places..places + 8].copy_from_slice(&[0xff, 0, 0, 9, 0, 0, 0, 200]);
                std::fs::write(index, bytes).unwrap();
            },
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let folder = folder(100, &[12, 50]);
            change(&folder.path().join("pack/pack-1.idx"));
            assert_eq!(misleading(folder.path()), ["pack-1.idx"], "{at}");
        }
        // A name may be nothing but its ending.
        let folder = folder(100, &[80]);
        for end in ["idx", "pack"] {
            let name = |stem: &str| folder.path().join("pack").join(format!("{stem}.{end}"));
            std::fs::rename(name("pack-1"), name("")).unwrap();
        }
        assert_eq!(misleading(folder.path()), [".idx"]);
    }

    #[test]
    fn an_index_of_several_packs_misleads_too() {
        let folder = folder(100, &[12]);
        let path = folder.path().join("pack/multi-pack-index");
        let several = |place: u32, pack: u32| {
            let mut bytes = b"MIDX\x01\x01\x02\x00\x00\x00\x00\x01".to_vec();
            let (names, places) = (48_u64, 60_u64);
            for (part, at) in [(&b"PNAM"[..], names), (b"OOFF", places), (&[0; 4], places + 8)] {
                bytes.extend_from_slice(part);
                bytes.extend_from_slice(&at.to_be_bytes());
            }
            bytes.extend_from_slice(b"pack-1.idx\0\0");
            bytes.extend_from_slice(&[pack.to_be_bytes(), place.to_be_bytes()].concat());
            bytes
        };
        for (place, pack, misled) in [(79, 0, false), (80, 0, true), (1 << 30, 0, true), (79, 1, true)] {
            std::fs::write(&path, several(place, pack)).unwrap();
            assert_eq!(!misleading(folder.path()).is_empty(), misled, "{place} in {pack}");
        }
        std::fs::write(&path, "MIDX").unwrap();
        assert_eq!(misleading(folder.path()), ["multi-pack-index"]);
    }
}
