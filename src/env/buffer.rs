//! A text for an editor, in a folder that lies in memory: what an editor writes must not come to a disk.

use super::files::{FileError, io_error, open_plain};
use crate::crypto::{Entropy, make_random};
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Folders of buffers begin with this; the rest is random.
const PREFIX: &str = "strongroom-edit-";
/// The text's file. Its name says nothing of what is in it.
const TEXT: &str = "note.txt";
/// Locked for as long as this program, or the editor that it started, is at work here.
const LOCK: &str = "lock";
/// What the text is for, sealed.
const TICKET: &str = "ticket";
/// The longest text that is taken from an editor, in bytes: longer than a note, so that it can be shortened.
const TEXT_MAX: u64 = 2 << 20;
/// The longest ticket, in bytes.
const TICKET_MAX: u64 = 4 << 20;
/// How deep an editor may have nested folders here.
const DEPTH_MAX: usize = 16;

/// Why there is no buffer.
#[derive(Debug, thiserror::Error)]
pub enum BufferError {
    /// Nothing here is known to lie in memory.
    #[error("no folder in memory was found for the editor's text: neither XDG_RUNTIME_DIR nor /dev/shm is a tmpfs")]
    NoMemory,
    /// The system refused.
    #[error("the editor's text cannot be put into `{}`: {source}", folder.display())]
    Io {
        /// Where.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A private folder with a text for an editor. It stays until [`Buffer::wipe`]; whoever dies before leaves it to be
/// found by [`Buffer::left`].
pub struct Buffer {
    folder: PathBuf,
    lock: File,
}

impl Buffer {
    /// Folders in memory, best first.
    fn roots() -> Vec<PathBuf> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let roots = runtime.into_iter().chain([PathBuf::from("/dev/shm")]);
        roots
            .filter(|root| root.is_absolute() && lies_in_memory(root))
            .collect()
    }

    /// A buffer with `text`, and with the sealed `ticket` that says what it is for. On a disk only if the person
    /// insists.
    pub fn make(text: &[u8], ticket: &[u8], insist: bool, entropy: &mut dyn Entropy) -> Result<Self, BufferError> {
        let root = match Self::roots().into_iter().next() {
            Some(root) => root,
            None if insist => std::env::temp_dir(),
            None => return Err(BufferError::NoMemory),
        };
        Self::make_in(&root, text, ticket, entropy).map_err(|source| BufferError::Io { folder: root, source })
    }

    fn make_in(root: &Path, text: &[u8], ticket: &[u8], entropy: &mut dyn Entropy) -> io::Result<Self> {
        let random: [u8; 8] = make_random(entropy).map_err(io::Error::other)?;
        let folder = root.join(format!("{PREFIX}{:016x}", u64::from_be_bytes(random)));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let new = |name: &str| {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
            open_plain(&folder.join(name), flags, "write").map_err(io::Error::other)
        };
        let fill = || {
            let lock = new(LOCK)?;
            lock.lock()?;
            new(TICKET)?.write_all(ticket)?;
            // Last: a folder without a text has nothing to hide, and nobody looks into it.
            new(TEXT)?.write_all(text)?;
            Ok(lock)
        };
        match fill() {
            Ok(lock) => Ok(Self { folder, lock }),
            Err(error) => {
                let _ = wipe_folder(&folder);
                Err(error)
            }
        }
    }

    /// Buffers whose program and editor are gone.
    pub fn left() -> Vec<Self> {
        let mut roots = Self::roots();
        if roots.is_empty() {
            // Here somebody may have insisted.
            roots.push(std::env::temp_dir());
        }
        roots.iter().flat_map(|root| Self::left_in(root)).collect()
    }

    fn left_in(root: &Path) -> Vec<Self> {
        let me = rustix::process::geteuid().as_raw();
        let Ok(entries) = std::fs::read_dir(root) else {
            return Vec::new();
        };
        let left = |entry: io::Result<std::fs::DirEntry>| {
            let entry = entry.ok()?;
            entry.file_name().to_str()?.starts_with(PREFIX).then_some(())?;
            let folder = entry.path();
            let metadata = std::fs::symlink_metadata(&folder).ok()?;
            (metadata.is_dir() && metadata.uid() == me && metadata.mode() & 0o077 == 0).then_some(())?;
            folder.join(TEXT).symlink_metadata().ok()?;
            let lock = open_plain(&folder.join(LOCK), OFlags::RDONLY, "open").ok()?;
            lock.try_lock().ok()?;
            // Somebody else may have wiped it before the lock was ours.
            folder.join(TEXT).symlink_metadata().ok()?;
            Some(Self { folder, lock })
        };
        entries.filter_map(left).collect()
    }

    /// The folder, which also serves for what the editor and its helpers write for a moment.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file to edit.
    pub fn file(&self) -> PathBuf {
        self.folder.join(TEXT)
    }

    /// Lets programs started from now on keep the lock for as long as they run, or no longer does.
    pub fn share_lock(&self, share: bool) -> io::Result<()> {
        let flags = if share {
            rustix::io::FdFlags::empty()
        } else {
            rustix::io::FdFlags::CLOEXEC
        };
        Ok(rustix::io::fcntl_setfd(self.lock.as_fd(), flags)?)
    }

    /// The text as it stands.
    pub fn text(&self) -> Result<Zeroizing<Vec<u8>>, FileError> {
        read(&self.file(), TEXT_MAX)
    }

    /// The newest text here after an editor died: its own emergency copy (`note.txt.save` of nano) if that is newer.
    pub fn last_text(&self) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let modified = |path: &Path| {
            std::fs::symlink_metadata(path)
                .and_then(|metadata| metadata.modified())
                .ok()
        };
        let (text, saved) = (self.file(), self.folder.join(format!("{TEXT}.save")));
        match modified(&saved) > modified(&text) {
            true => read(&saved, TEXT_MAX),
            false => read(&text, TEXT_MAX),
        }
    }

    /// What the text is for, sealed.
    pub fn ticket(&self) -> Result<Vec<u8>, FileError> {
        read(&self.folder.join(TICKET), TICKET_MAX).map(|mut bytes| std::mem::take(&mut *bytes))
    }

    /// Overwrites and removes everything here.
    pub fn wipe(self) -> Result<(), FileError> {
        wipe_folder(&self.folder).map_err(io_error("wipe", &self.folder))
    }
}

/// Whether a folder's files are kept in memory alone.
#[cfg(target_os = "linux")]
fn lies_in_memory(folder: &Path) -> bool {
    /// `statfs(2)`: `TMPFS_MAGIC` and `RAMFS_MAGIC`.
    const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];
    rustix::fs::statfs(folder).is_ok_and(|found| IN_MEMORY.contains(&(found.f_type as u32)))
}

/// Whether a folder's files are kept in memory alone: nothing here says so.
#[cfg(not(target_os = "linux"))]
fn lies_in_memory(_: &Path) -> bool {
    false
}

fn read(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = open_plain(path, OFlags::RDONLY, "read")?;
    let length = file.metadata().map_err(io_error("read", path))?.len();
    // Room enough that the vector never moves and leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length.min(max)).unwrap_or(0) + 1));
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error("read", path))?;
    match bytes.len() as u64 > max {
        true => Err(FileError::TooBig {
            path: path.to_owned(),
            max,
        }),
        false => Ok(bytes),
    }
}

fn wipe_folder(folder: &Path) -> io::Result<()> {
    // The text goes after everything else that may hold it, so that a folder without one is clean.
    let last = [TEXT, TICKET, LOCK];
    wipe_inside(folder, &last, DEPTH_MAX)?;
    for name in last {
        match wipe_one(&folder.join(name), DEPTH_MAX) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::remove_dir(folder)
}

fn wipe_inside(folder: &Path, but: &[&str], depth: usize) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !but.iter().any(|name| entry.file_name() == *name) {
            wipe_one(&entry.path(), depth)?;
        }
    }
    Ok(())
}

fn wipe_one(path: &Path, depth: usize) -> io::Result<()> {
    let metadata = std::fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        if depth == 0 {
            return Err(io::Error::other("folders are nested too deep"));
        }
        wipe_inside(path, &[], depth - 1)?;
        return std::fs::remove_dir(path);
    }
    if metadata.is_file() {
        // Where it cannot be overwritten it can still be removed.
        if let Ok(mut file) = open_plain(path, OFlags::WRONLY, "wipe") {
            let _ = io::copy(&mut io::repeat(0).take(metadata.len()), &mut file);
        }
    }
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crypto::ExampleEntropy;

    fn make(root: &Path) -> Buffer {
        Buffer::make_in(root, b"text", b"ticket", &mut ExampleEntropy::new("buffer")).unwrap()
    }

    /// A program that another test starts has every open file, and its lock, until its own `exec`.
    fn soon(mut holds: impl FnMut() -> bool) -> bool {
        (0..100).any(|_| {
            holds() || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                false
            }
        })
    }

    #[test]
    fn a_buffer_is_private_and_says_nothing_by_its_name() {
        let root = tempfile::tempdir().unwrap();
        let buffer = make(root.path());
        assert_eq!(buffer.folder().metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(buffer.file().metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(buffer.file().file_name().unwrap(), "note.txt");
        assert_eq!(buffer.text().unwrap().as_slice(), b"text");
        assert_eq!(buffer.ticket().unwrap(), b"ticket");
        // The same name again, as if somebody had put a folder there first.
        let again = Buffer::make_in(root.path(), b"x", b"", &mut ExampleEntropy::new("buffer"));
        assert!(again.is_err());
        assert_eq!(buffer.text().unwrap().as_slice(), b"text");
    }

    #[test]
    fn wiping_overwrites_whatever_an_editor_left_and_removes_it() {
        let root = tempfile::tempdir().unwrap();
        let buffer = make(root.path());
        let outside = root.path().join("outside");
        std::fs::write(&outside, "not ours").unwrap();
        std::fs::create_dir_all(buffer.folder().join("a/b")).unwrap();
        for name in [".note.txt.swp", "a/b/backup", "#note.txt#"] {
            std::fs::write(buffer.folder().join(name), "text").unwrap();
        }
        std::os::unix::fs::symlink(&outside, buffer.folder().join("link")).unwrap();
        // A second name shows what was in the file when it was removed.
        let kept = root.path().join("kept");
        std::fs::hard_link(buffer.file(), &kept).unwrap();
        let folder = buffer.folder().to_owned();
        buffer.wipe().unwrap();
        assert!(!folder.exists());
        assert_eq!(std::fs::read(&kept).unwrap(), [0; 4]);
        assert_eq!(std::fs::read(&outside).unwrap(), b"not ours");
    }

    #[test]
    fn only_what_nobody_is_at_work_in_is_left() {
        let root = tempfile::tempdir().unwrap();
        let buffer = make(root.path());
        assert_eq!(Buffer::left_in(root.path()).len(), 0);
        let folder = buffer.folder().to_owned();
        drop(buffer);
        assert!(soon(|| Buffer::left_in(root.path()).len() == 1));
        let left = Buffer::left_in(root.path());
        assert_eq!(left[0].folder(), folder);
        drop(left);
        // Others' folders, links and folders open to others are none of ours.
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&folder, root.path().join("strongroom-edit-link")).unwrap();
        assert_eq!(Buffer::left_in(root.path()).len(), 0);
    }

    #[test]
    fn the_lock_outlives_the_program_while_its_editor_runs() {
        let root = tempfile::tempdir().unwrap();
        let buffer = make(root.path());
        buffer.share_lock(true).unwrap();
        let mut editor = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        buffer.share_lock(false).unwrap();
        drop(buffer);
        assert_eq!(Buffer::left_in(root.path()).len(), 0);
        drop(editor.stdin.take());
        editor.wait().unwrap();
        assert!(soon(|| Buffer::left_in(root.path()).len() == 1));
    }

    #[test]
    fn an_emergency_copy_counts_if_it_is_newer() {
        let root = tempfile::tempdir().unwrap();
        let buffer = make(root.path());
        assert_eq!(buffer.last_text().unwrap().as_slice(), b"text");
        let saved = buffer.folder().join("note.txt.save");
        std::fs::write(&saved, "more").unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(9);
        File::open(&saved).unwrap().set_modified(later).unwrap();
        assert_eq!(buffer.last_text().unwrap().as_slice(), b"more");
        std::fs::write(buffer.file(), vec![0; (TEXT_MAX + 1) as usize]).unwrap();
        assert!(matches!(buffer.text(), Err(FileError::TooBig { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_is_no_memory() {
        assert!(!lies_in_memory(Path::new("/proc")));
        assert!(!lies_in_memory(Path::new("/does/not/exist")));
        let shm = Path::new("/dev/shm");
        assert!(!shm.is_dir() || lies_in_memory(shm));
    }
}
