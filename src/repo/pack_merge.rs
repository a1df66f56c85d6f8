//! Several packs put behind one another make one: an entry rests on what stands a distance before it, and the distance
//! stays. Nothing is inflated, and nothing compared.

use super::git::Repo;
use super::object::Oid;
use super::pack::Pack;
use super::packed::PackIndex;
use crate::env::Step;
use sha1::{Digest as _, Sha1};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A pack's beginning, in bytes: a word, a version, how many objects.
const HEAD: u64 = 12;
/// A pack's end, in bytes: the SHA-1 of what is before.
const SUM: u64 = 20;

impl Repo {
    /// Writes one pack of these beside the repository, synced; gives its path without extension. None if they cannot be
    /// put together: they have an object in common, or one is not what its sum says.
    pub(super) fn merge(&self, packs: &[Pack]) -> io::Result<Option<PathBuf>> {
        let mut entries = Vec::new();
        let mut place = HEAD;
        for pack in packs {
            if !has_true_index(pack)? {
                return Ok(None);
            }
            let PackIndex { ids, sums, places } = &pack.index;
            for ((oid, sum), at) in ids.iter().zip(sums).zip(places) {
                let Some(at) = at.checked_sub(HEAD) else {
                    return Ok(None);
                };
                entries.push((*oid, *sum, place + at));
            }
            place += pack.bytes.saturating_sub(HEAD + SUM);
        }
        entries.sort_unstable();
        if entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Ok(None);
        }
        let draft = self.make_draft()?;
        let path = draft.join("pack-merged.pack");
        let write = || write_behind_one_another(packs, entries.len(), &path);
        let tear = || fs::write(&path, b"PACK");
        let Some(sum) = self.faults().step(Step::PackWrite, write, tear)? else {
            fs::remove_dir_all(&draft)?;
            return Ok(None);
        };
        let stem = draft.join(format!("pack-{}", Oid(sum)));
        fs::rename(&path, stem.with_extension("pack"))?;
        let index = PackIndex {
            ids: entries.iter().map(|(oid, ..)| *oid).collect(),
            sums: entries.iter().map(|(_, sum, _)| *sum).collect(),
            places: entries.iter().map(|(.., place)| *place).collect(),
        };
        let mut file = new_file(&stem.with_extension("idx"))?;
        file.write_all(&index.to_bytes(&sum))?;
        self.sync_draft(&draft)?;
        Ok(Some(stem))
    }
}

/// Whether the index of a pack is what its own sum says, and is of that pack.
fn has_true_index(pack: &Pack) -> io::Result<bool> {
    let mut of_pack = [0; SUM as usize];
    let file = File::open(pack.stem.with_extension("pack"))?;
    file.read_exact_at(&mut of_pack, pack.bytes.saturating_sub(SUM))?;
    let index = pack.index.to_bytes(&of_pack);
    Ok(fs::read(pack.stem.with_extension("idx"))? == index)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o400).open(path)
}

/// Gives the sum; none if one of the packs is not what its own says.
fn write_behind_one_another(packs: &[Pack], count: usize, path: &Path) -> io::Result<Option<[u8; 20]>> {
    let count = u32::try_from(count).map_err(io::Error::other)?;
    let mut all = Sha1::new();
    let mut out = BufWriter::with_capacity(1 << 18, new_file(path)?);
    let mut put = |bytes: &[u8]| {
        all.update(bytes);
        out.write_all(bytes)
    };
    put(b"PACK\0\0\0\x02")?;
    put(&count.to_be_bytes())?;
    for pack in packs {
        let file = File::open(pack.stem.with_extension("pack"))?;
        let mut file = BufReader::with_capacity(1 << 18, file);
        let mut own = Sha1::new();
        let mut head = [0; HEAD as usize];
        file.read_exact(&mut head)?;
        own.update(head);
        let begins = head[..8] == *b"PACK\0\0\0\x02" && head[8..] == (pack.index.ids.len() as u32).to_be_bytes();
        let mut left = pack.bytes.saturating_sub(HEAD + SUM);
        let mut chunk = vec![0; 1 << 18];
        while left > 0 {
            let part = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            file.read_exact(&mut chunk[..part])?;
            own.update(&chunk[..part]);
            put(&chunk[..part])?;
            left -= part as u64;
        }
        let mut sum = [0; SUM as usize];
        file.read_exact(&mut sum)?;
        if !begins || own.finalize()[..] != sum {
            return Ok(None);
        }
    }
    let mut sum = [0; SUM as usize];
    sum.copy_from_slice(&all.finalize());
    out.write_all(&sum)?;
    out.flush()?;
    Ok(Some(sum))
}
