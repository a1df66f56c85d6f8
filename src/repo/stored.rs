//! Large blobs that are durable before a record names them: loose objects written here, not by libgit2, which takes
//! them through its deflate. What they hold is sealed and does not shrink, so the zlib stream (RFC 1950) is made of
//! stored blocks (RFC 1951 §3.2.4) alone.

use super::git::Repo;
use super::loose::{MAX_HEADER, loose_path};
use super::object::{Object, Oid};
use crate::env::{Faults, Step, make_private_folders, start_writing_back, sync_folder};
use miniz_oxide::{MZ_ADLER32_INIT, mz_adler32_oxide};
use sha1::{Digest as _, Sha1};
use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::NamedTempFile;

/// How the names begin of files in which such a blob is before it has its place; `git prune` knows them as well.
pub(super) const HALF: &str = "tmp_obj_strongroom_";
/// The longest stored block, in bytes.
const BLOCK_MAX: usize = 0xffff;
/// zlib's two bytes: deflate with the largest window, no dictionary, the fastest level.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// Writes blobs, without the lock: until an entry names them, they are nobody's. May go to another thread, and what it
/// drafts to a third, so that some are written while others are placed.
#[derive(Clone)]
pub struct BlobWriter {
    dir: PathBuf,
    faults: Faults,
}

/// A blob whose content is written, beside its place and not yet durable.
pub struct DraftBlob {
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
    /// Gives an object a new file in the place of the one it may have, also where a pack holds it. Not yet durable.
    pub(super) fn write_anew(&self, object: &Object) -> io::Result<()> {
        let write = || {
            let path = loose_path(&self.dir, object.oid());
            let file = half_file(&self.dir)?;
            let header = format!("{} {}\0", object.kind.word(), object.bytes.len());
            write_stored(file.as_file(), &header, &object.bytes)?;
            if let Some(folder) = path.parent() {
                make_private_folders(folder).map_err(io::Error::other)?;
            }
            file.persist(path).map(drop).map_err(|refused| refused.error)
        };
        self.faults().step(Step::ObjectWrite, write, || Ok(()))
    }

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
        let file = half_file(&self.dir)?;
        let write = |bytes: &[u8]| write_stored(file.as_file(), &format!("blob {}\0", bytes.len()), bytes);
        let torn = || write(&bytes[..bytes.len() / 2]).map(drop);
        let oid = self.faults.step(Step::BlobWrite, || write(bytes), torn)?;
        start_writing_back(file.as_file(), 0);
        Ok(DraftBlob { oid, file })
    }

    /// Puts blobs into their places: when this returns, their contents, names and folders are durable.
    ///
    /// INVARIANT (nothing acknowledged is lost): such a blob is not in the journal, so that recovery cannot write it
    /// again; it must be durable before the record of the entry that names it.
    pub fn place(&self, drafts: Vec<DraftBlob>) -> io::Result<Vec<StoredBlob>> {
        let sync = |draft: &DraftBlob| {
            let file = draft.file.as_file();
            self.faults.step(Step::BlobSync, || file.sync_data(), || Ok(()))
        };
        side_by_side(&drafts, &sync)?;
        let (mut stored, mut folders) = (Vec::new(), BTreeSet::from([self.dir.join("objects")]));
        for DraftBlob { oid, file } in drafts {
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
        let folders: Vec<PathBuf> = folders.into_iter().collect();
        let sync = |folder: &PathBuf| sync_folder(folder).map_err(io::Error::other);
        let sync_all = || side_by_side(&folders, &sync);
        self.faults.step(Step::BlobFolderSync, sync_all, || Ok(()))?;
        Ok(stored)
    }

    /// Writes one blob, durable when this returns.
    pub fn write(&self, bytes: &[u8]) -> io::Result<StoredBlob> {
        let mut placed = self.place(vec![self.draft(bytes)?])?;
        placed.pop().ok_or_else(|| io::Error::other("nothing was placed"))
    }
}

/// A new file beside the objects. The lock says that its writer lives: see [`remove_half_blobs`].
fn half_file(dir: &Path) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix(HALF)
        .permissions(Permissions::from_mode(0o400))
        .tempfile_in(dir.join("objects"))?;
    file.as_file().lock()?;
    Ok(file)
}

/// How many syncs wait for the disk at once: what comes together is flushed together.
const SYNCS: usize = 8;

/// Does `act` for each of `items`, several at once.
fn side_by_side<T: Sync>(items: &[T], act: &(impl Fn(&T) -> io::Result<()> + Sync)) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<()> {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            act(item)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..items.len().min(SYNCS)).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let join = |other: std::thread::ScopedJoinHandle<'_, io::Result<()>>| {
            other
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("syncing ended by a defect")))
        };
        others.into_iter().map(join).fold(mine, io::Result::and)
    })
}

/// Writes the loose object of a header and a content, and gives its id. Each block is hashed, summed and written
/// while the processor has it at hand.
fn write_stored(file: &File, header: &str, content: &[u8]) -> io::Result<Oid> {
    let mut out = BufWriter::new(file);
    out.write_all(&ZLIB_HEADER)?;
    let (mut id, mut sum) = (Sha1::new(), MZ_ADLER32_INIT);
    let (mut left, mut first, mut rest) = (header.len() + content.len(), header.as_bytes(), content);
    while left > 0 {
        let block = left.min(BLOCK_MAX);
        left -= block;
        let length = (block as u16).to_le_bytes();
        out.write_all(&[u8::from(left == 0), length[0], length[1], !length[0], !length[1]])?;
        let (now, later) = rest.split_at(block - first.len());
        for piece in [first, now] {
            id.update(piece);
            sum = mz_adler32_oxide(sum, piece);
            out.write_all(piece)?;
        }
        (first, rest) = (&[], later);
    }
    out.write_all(&sum.to_be_bytes())?;
    out.flush()?;
    Ok(Oid(id.finalize().into()))
}

/// Takes a zlib stream of stored blocks alone apart in place: what is left is what follows the object's header, which is
/// given back. `None` for anything else, also where the header goes on in a second block; what is damaged is then left empty.
pub(super) fn read_stored(packed: &mut Vec<u8>) -> Option<Vec<u8>> {
    let size = stored_size(packed)?;
    let (mut from, mut to) = (ZLIB_HEADER.len(), 0);
    let first = usize::from(u16::from_le_bytes([packed[from + 1], packed[from + 2]]));
    let head = packed
        .get(from + 5..)?
        .iter()
        .take(MAX_HEADER.min(first))
        .position(|byte| *byte == 0)?
        + 1;
    let header = packed[from + 5..from + 5 + head].to_vec();
    let (mut skip, mut sum) = (head, mz_adler32_oxide(MZ_ADLER32_INIT, &header));
    while to < size - head {
        let block = usize::from(u16::from_le_bytes([packed[from + 1], packed[from + 2]]));
        let moved = block - skip;
        packed.copy_within(from + 5 + skip..from + 5 + block, to);
        sum = mz_adler32_oxide(sum, &packed[to..to + moved]);
        (from, to, skip) = (from + 5 + block, to + moved, 0);
    }
    let right = packed.ends_with(&sum.to_be_bytes());
    packed.truncate(if right { to } else { 0 });
    right.then_some(header)
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

    fn pack(header: &str, content: &[u8]) -> (Oid, Vec<u8>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let oid = write_stored(file.as_file(), header, content).unwrap();
        let mut packed = Vec::new();
        file.reopen().unwrap().read_to_end(&mut packed).unwrap();
        (oid, packed)
    }

    proptest! {
        #[test]
        fn what_is_stored_is_zlib_and_comes_back(
            len in prop_oneof![0usize..200, 65_400usize..65_700, 130_900usize..131_200],
            at in any::<proptest::sample::Index>(),
        ) {
            let content: Vec<u8> = (0..len).map(|at| (at % 253) as u8).collect();
            let header = format!("blob {len}\0");
            let whole = [header.as_bytes(), &content].concat();
            let (oid, packed) = pack(&header, &content);
            prop_assert_eq!(oid, Oid::hash_object(crate::repo::Kind::Blob, &content));
            prop_assert!(decompress_to_vec_zlib(&packed).unwrap() == whole);
            let mut back = packed.clone();
            prop_assert_eq!(read_stored(&mut back).unwrap(), header.as_bytes());
            prop_assert!(back == content);
            prop_assert!(read_stored(&mut packed[..at.index(packed.len())].to_vec()).is_none());
            let mut flipped = packed.clone();
            flipped[at.index(packed.len())] ^= 1;
            prop_assert!(read_stored(&mut flipped).is_none());
            prop_assert!(read_stored(&mut [packed, vec![0]].concat()).is_none());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = read_stored(&mut [&ZLIB_HEADER[..], &bytes].concat());
        }
    }
}
