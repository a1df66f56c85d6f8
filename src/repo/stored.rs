//! Large blobs that are durable before a record names them: loose objects written here, not by libgit2, which takes
//! them through its deflate. What they hold is sealed and does not shrink, so the zlib stream (RFC 1950) is made of
//! stored blocks (RFC 1951 §3.2.4) alone.

use super::git::Repo;
use super::loose::loose_path;
use super::object::Oid;
use crate::env::{Faults, Step, make_private_folders, sync_folder};
use miniz_oxide::{MZ_ADLER32_INIT, mz_adler32_oxide};
use sha1::{Digest as _, Sha1};
use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How the names begin of files in which such a blob is before it has its place; `git prune` knows them as well.
const HALF: &str = "tmp_obj_strongroom_";
/// The longest stored block, in bytes.
const BLOCK_MAX: usize = 0xffff;
/// zlib's two bytes: deflate with the largest window, no dictionary, the fastest level.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// Writes blobs, without the lock: until an entry names them, they are nobody's. May go to another thread, and what it
/// drafts to a third: writing, syncing and placing can go on side by side.
#[derive(Clone)]
pub struct BlobWriter {
    dir: PathBuf,
    faults: Faults,
}

/// A blob whose content is written, beside its place and not yet durable.
pub struct DraftBlob {
    oid: Oid,
    file: NamedTempFile,
    faults: Faults,
}

/// A blob whose content is durable, beside its place.
pub struct SyncedBlob {
    oid: Oid,
    file: NamedTempFile,
}

/// A blob that is durable in git's store, and the proof of it. Unless it is kept, it is removed again.
#[derive(Debug)]
pub struct StoredBlob {
    oid: Oid,
    path: PathBuf,
    kept: bool,
}

impl StoredBlob {
    /// Its id.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// Leaves it where it is: an entry is about to name it. If none does, git's own pruning takes it.
    pub fn keep(mut self) -> Oid {
        self.kept = true;
        self.oid
    }
}

impl Drop for StoredBlob {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Repo {
    /// Writes blobs that do not go through the journal. Removes first what writers that died were writing to.
    pub fn blob_writer(&self) -> io::Result<BlobWriter> {
        remove_half_blobs(&self.dir)?;
        Ok(BlobWriter {
            dir: self.dir.clone(),
            faults: self.settings.faults.clone(),
        })
    }
}

impl BlobWriter {
    /// Writes a blob to a file beside its place.
    pub fn draft(&self, bytes: &[u8]) -> io::Result<DraftBlob> {
        let header = format!("blob {}\0", bytes.len());
        let oid = Oid(Sha1::new().chain_update(&header).chain_update(bytes).finalize().into());
        // The lock says that its writer lives: see `remove_half_blobs`.
        let file = tempfile::Builder::new()
            .prefix(HALF)
            .permissions(Permissions::from_mode(0o400))
            .tempfile_in(self.dir.join("objects"))?;
        file.as_file().lock()?;
        let write = |bytes: &[u8]| write_stored(file.as_file(), header.as_bytes(), bytes);
        let torn = &bytes[..bytes.len() / 2];
        self.faults.step(Step::BlobWrite, || write(bytes), || write(torn))?;
        let faults = self.faults.clone();
        Ok(DraftBlob { oid, file, faults })
    }

    /// Puts blobs into their places: when this returns, their names and folders are durable as well.
    ///
    /// INVARIANT (nothing acknowledged is lost): such a blob is not in the journal, so that recovery cannot write it
    /// again; it must be durable before the record of the entry that names it.
    pub fn place(&self, synced: Vec<SyncedBlob>) -> io::Result<Vec<StoredBlob>> {
        let (mut stored, mut folders) = (Vec::new(), BTreeSet::from([self.dir.join("objects")]));
        for SyncedBlob { oid, file } in synced {
            let path = loose_path(&self.dir, oid);
            if let Some(folder) = path.parent() {
                make_private_folders(folder).map_err(io::Error::other)?;
                folders.insert(folder.to_owned());
            }
            // From here on what fails removes it again.
            let blob = StoredBlob { oid, path, kept: false };
            let rename = || file.persist(&blob.path).map_err(|refused| refused.error);
            self.faults.step(Step::BlobRename, rename, || Ok(()))?;
            stored.push(blob);
        }
        // Of a folder that another program has just made, only this makes sure.
        let sync = || {
            folders
                .iter()
                .try_for_each(|folder| sync_folder(folder).map_err(io::Error::other))
        };
        self.faults.step(Step::BlobFolderSync, sync, || Ok(()))?;
        Ok(stored)
    }

    /// Writes one blob, durable when this returns.
    pub fn write(&self, bytes: &[u8]) -> io::Result<StoredBlob> {
        let mut placed = self.place(vec![self.draft(bytes)?.sync()?])?;
        placed.pop().ok_or_else(|| io::Error::other("nothing was placed"))
    }
}

impl DraftBlob {
    /// Makes its content durable.
    pub fn sync(self) -> io::Result<SyncedBlob> {
        let sync = || self.file.as_file().sync_data();
        self.faults.step(Step::BlobSync, sync, || Ok(()))?;
        Ok(SyncedBlob {
            oid: self.oid,
            file: self.file,
        })
    }
}

/// The loose object of a header and a content.
fn write_stored(file: &File, header: &[u8], content: &[u8]) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    out.write_all(&ZLIB_HEADER)?;
    let (mut left, mut first) = (header.len() + content.len(), header);
    let mut rest = content;
    while left > 0 {
        let block = left.min(BLOCK_MAX);
        left -= block;
        let length = (block as u16).to_le_bytes();
        out.write_all(&[u8::from(left == 0), length[0], length[1], !length[0], !length[1]])?;
        out.write_all(first)?;
        let (now, later) = rest.split_at(block - first.len());
        out.write_all(now)?;
        (first, rest) = (&[], later);
    }
    let sum = mz_adler32_oxide(mz_adler32_oxide(MZ_ADLER32_INIT, header), content);
    out.write_all(&sum.to_be_bytes())?;
    out.flush()
}

/// The content of a zlib stream that is made of stored blocks alone, moved together in place; the bytes back if it is not.
pub(super) fn read_stored(mut packed: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
    let Some(size) = stored_size(&packed) else {
        return Err(packed);
    };
    let (mut from, mut to) = (ZLIB_HEADER.len(), 0);
    while to < size {
        let block = usize::from(u16::from_le_bytes([packed[from + 1], packed[from + 2]]));
        packed.copy_within(from + 5..from + 5 + block, to);
        (from, to) = (from + 5 + block, to + block);
    }
    let sum = packed[packed.len() - 4..].to_vec();
    packed.truncate(size);
    match mz_adler32_oxide(MZ_ADLER32_INIT, &packed).to_be_bytes().as_slice() == sum {
        true => Ok(packed),
        // Nobody looks at it any more: it is damaged, and inflating it says so as well.
        false => Err(Vec::new()),
    }
}

/// How many bytes such a stream holds; `None` for any other.
fn stored_size(packed: &[u8]) -> Option<usize> {
    let mut rest = packed.strip_prefix(&ZLIB_HEADER)?;
    let mut size = 0;
    loop {
        let [last, low, high, not_low, not_high, tail @ ..] = rest else {
            return None;
        };
        let block = usize::from(u16::from_le_bytes([*low, *high]));
        // An empty block would let a stream go on for ever.
        if *last > 1 || (!*low, !*high) != (*not_low, *not_high) || block == 0 {
            return None;
        }
        rest = tail.get(block..)?;
        size += block;
        if *last == 1 {
            return (rest.len() == 4).then_some(size);
        }
    }
}

/// Removes what programs that died were writing blobs to; what another is writing to is locked and stays.
pub(super) fn remove_half_blobs(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir.join("objects"))? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(HALF) {
            continue;
        }
        match File::open(entry.path()) {
            Ok(file) if file.try_lock().is_ok() => std::fs::remove_file(entry.path()).or_else(not_there)?,
            Ok(_) => {}
            Err(error) => not_there(error)?,
        }
    }
    Ok(())
}

fn not_there(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use miniz_oxide::inflate::decompress_to_vec_zlib;
    use proptest::prelude::*;
    use std::io::Read;

    fn pack(header: &[u8], content: &[u8]) -> Vec<u8> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write_stored(file.as_file(), header, content).unwrap();
        let mut packed = Vec::new();
        file.reopen().unwrap().read_to_end(&mut packed).unwrap();
        file.flush().unwrap();
        packed
    }

    proptest! {
        #[test]
        fn what_is_stored_is_zlib_and_comes_back(
            header in proptest::collection::vec(any::<u8>(), 1..20),
            len in prop_oneof![0usize..200, 65_400usize..65_700, 130_900usize..131_200],
            at in any::<proptest::sample::Index>(),
        ) {
            let content: Vec<u8> = (0..len).map(|at| (at % 253) as u8).collect();
            let whole = [header.as_slice(), &content].concat();
            let packed = pack(&header, &content);
            prop_assert!(decompress_to_vec_zlib(&packed).unwrap() == whole);
            prop_assert!(read_stored(packed.clone()).unwrap() == whole);
            prop_assert!(read_stored(packed[..at.index(packed.len())].to_vec()).is_err());
            let mut flipped = packed.clone();
            flipped[at.index(packed.len())] ^= 1;
            prop_assert!(read_stored(flipped).is_err());
            prop_assert!(read_stored([packed, vec![0]].concat()).is_err());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = read_stored([&ZLIB_HEADER[..], &bytes].concat());
        }
    }
}
