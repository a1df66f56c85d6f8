//! Small private files: written whole, readable by their owner alone, never through a symlink.

use rustix::fs::{Mode, OFlags};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A small file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing is there.
    #[error("`{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// Something is there already.
    #[error("`{}` exists already: move it away or name another place", .0.display())]
    Exists(PathBuf),
    /// A symlink, a folder, a device: not a plain file.
    #[error("`{}` is not a plain file (symbolic links are not followed here)", .0.display())]
    NotPlain(PathBuf),
    /// More bytes than were asked for.
    #[error("`{}` is larger than the {max} bytes such a file may have", path.display())]
    TooBig {
        /// Where it is.
        path: PathBuf,
        /// The most it may have, in bytes.
        max: u64,
    },
    /// Another program kept its lock for too long.
    #[error("another program holds `{}` and does not give it back (waited {} s): end it, then try again", path.display(), waited.as_secs())]
    Held {
        /// Where it is.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The system refused.
    #[error("cannot {what} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

pub(super) fn io_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing(path),
        io::ErrorKind::AlreadyExists => FileError::Exists(path),
        _ if source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => FileError::NotPlain(path),
        _ => FileError::Io { what, path, source },
    }
}

/// Opens with `flags`, never following a symlink in the last part, and only a plain file.
pub(super) fn open_plain(path: &Path, flags: OFlags, what: &'static str) -> Result<File, FileError> {
    // Non-blocking, so that a pipe put in the file's place cannot make the program wait.
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = File::from(rustix::fs::open(path, flags, mode).map_err(|e| io_error(what, path)(e.into()))?);
    match file.metadata().map_err(io_error(what, path))?.is_file() {
        true => Ok(file),
        false => Err(FileError::NotPlain(path.to_owned())),
    }
}

/// Opens a plain file to read, or also to write (made with mode 0600 if `make` says so): symbolic links, pipes and devices
/// in its place are refused, and none of them makes the program wait.
pub fn open_plain_file(path: &Path, write: bool, make: bool) -> io::Result<File> {
    let mut flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    flags |= if write { OFlags::RDWR } else { OFlags::RDONLY };
    if make {
        flags |= OFlags::CREATE;
    }
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other(format!("`{}` is not a plain file", path.display()))),
    }
}

/// Adds a line to a plain file (made with mode 0600; folders that are missing, 0700), durable when this returns. A file of
/// `max` bytes or more stays as it is.
pub fn append_line(path: &Path, line: &str, max: u64) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(io_error("make", folder))?;
    }
    let mut file = open_plain(path, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE, "open")?;
    if file.metadata().map_err(io_error("read", path))?.len() >= max {
        return Ok(());
    }
    file.write_all(format!("{line}\n").as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(io_error("write", path))
}

/// Reads a plain file of at most `max` bytes.
pub fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let file = open_plain(path, OFlags::RDONLY, "read")?;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(io_error("read", path))?;
    if bytes.len() as u64 > max {
        return Err(FileError::TooBig {
            path: path.to_owned(),
            max,
        });
    }
    Ok(bytes)
}

/// Writes a new file (mode 0600; folders that are missing, 0700), durable when this returns.
/// Refuses when anything is there already.
pub fn write_new_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = parent_of(path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let mut file = open_plain(path, flags, "write")?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // A half-written file would be in the way of the next try.
        let _ = std::fs::remove_file(path);
        return Err(io_error("write", path)(error));
    }
    sync_folder(&folder)
}

/// Whether a new file can be put at `path`: nothing is there, and its folder is.
pub fn check_new_file(path: &Path) -> Result<(), FileError> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Exists(path.to_owned()));
    }
    match path.parent().filter(|folder| *folder != Path::new("")) {
        Some(folder) if !folder.is_dir() => Err(FileError::Missing(folder.to_owned())),
        _ => Ok(()),
    }
}

/// A file (mode 0600) that stands under another name beside its own until it is whole, and is removed if it never is.
pub struct NewPlainFile {
    path: PathBuf,
    draft: tempfile::NamedTempFile,
}

impl NewPlainFile {
    /// Begins it. Refuses when anything is there under its name already, or its folder is not there.
    pub fn begin(path: &Path) -> Result<Self, FileError> {
        check_new_file(path)?;
        let draft = tempfile::Builder::new()
            .prefix(".strongroom-")
            .tempfile_in(folder_of(path));
        Ok(Self {
            draft: draft.map_err(io_error("write", path))?,
            path: path.to_owned(),
        })
    }

    /// Where it is written.
    pub fn file(&mut self) -> &mut File {
        self.draft.as_file_mut()
    }

    /// Puts it under its name, durable, if nothing has come to be there meanwhile.
    pub fn keep(self) -> Result<(), FileError> {
        self.draft.as_file().sync_all().map_err(io_error("write", &self.path))?;
        let kept = self.draft.persist_noclobber(&self.path);
        kept.map_err(|refused| io_error("write", &self.path)(refused.error))?;
        sync_folder(folder_of(&self.path))
    }
}

/// Puts `bytes` in the place of a file or makes it (mode 0600; folders that are missing, 0700):
/// whoever reads sees the old or the new whole, also after a power cut. Durable when this returns.
/// A symlink at `path` is refused.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = parent_of(path)?;
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(FileError::NotPlain(path.to_owned())),
        _ => {}
    }
    // A temporary file is made with mode 0600, and removed if anything below fails.
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(io_error("write", &folder))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(io_error("write", path))?;
    file.persist(path).map_err(|e| io_error("replace", path)(e.error))?;
    sync_folder(&folder)
}

/// Puts a file that others may read, and run if `mode` says so, in its place: whole, durable, and in the place of another
/// only if `replace` says so.
pub fn put_file(path: &Path, bytes: &[u8], mode: u32, replace: bool) -> Result<(), FileError> {
    let folder = folder_of(path);
    let draft = tempfile::Builder::new()
        .prefix(".strongroom-")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder);
    let mut draft = draft.map_err(io_error("write", path))?;
    let written = draft.write_all(bytes).and_then(|()| {
        draft.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
        draft.as_file().sync_all()
    });
    written.map_err(io_error("write", path))?;
    let put = match replace {
        true => draft.persist(path),
        false => draft.persist_noclobber(path),
    };
    put.map_err(|refused| io_error("write", path)(refused.error))?;
    sync_folder(folder)
}

/// Lets the disk begin with what was written to `file` from `offset` on, and does not wait for it: a later sync finds less
/// to do. A hint, and nothing where there is no such thing.
pub fn start_writing_back(file: &File, offset: u64) {
    // Linux begins to write back what it is told will not be needed.
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, offset, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset);
}

/// Makes a folder's entries durable.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(io_error("sync", folder))
}

/// The folder of `path`, made if it is not there.
fn parent_of(path: &Path) -> Result<PathBuf, FileError> {
    let folder = folder_of(path).to_owned();
    make_private_folders(&folder)?;
    Ok(folder)
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder and those above it that are missing (0700), each durable in the one that holds it: a file that is
/// synced is found after a power cut only if the way to it is.
pub fn make_private_folders(folder: &Path) -> Result<(), FileError> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.exists()).collect();
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(io_error("make the folder", folder))?;
    let mut made = missing.into_iter().filter(|above| *above != Path::new(""));
    made.try_for_each(|above| sync_folder(folder_of(above)))
}

/// How long such a lock is waited for: whoever has it needs it for a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// The right to touch a small file that several programs read, change and put back: waits for whoever has it, though not
/// for ever, and is given back on drop. `path` is the lock's own file (0600), which stays.
pub fn lock_private(path: &Path) -> Result<FileLock, FileError> {
    lock_within(path, PATIENCE)
}

fn lock_within(path: &Path, patience: Duration) -> Result<FileLock, FileError> {
    parent_of(path)?;
    let file = open_plain(path, OFlags::RDWR | OFlags::CREATE, "lock")?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(FileLock(file)),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", path)(error)),
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(FileError::Held {
                    path: path.to_owned(),
                    waited: patience,
                });
            }
        }
    }
}

/// Whether anybody but its owner may read, write or enter what is at `path`.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(std::fs::metadata(path)?.mode() & 0o077 != 0)
}

/// Whether what is at `path` belongs to this user.
pub fn is_mine(path: &Path) -> io::Result<bool> {
    Ok(std::fs::metadata(path)?.uid() == rustix::process::geteuid().as_raw())
}

/// An error if this user may not write to what is at `path`, or nobody may.
pub fn check_writable(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

/// Takes from all but the owner what they may do with a file or folder of this user's.
pub fn close_to_others(path: &Path) -> Result<(), FileError> {
    let narrow = || {
        let mode = std::fs::metadata(path)?.mode();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700))
    };
    narrow().map_err(io_error("close to others", path))
}

/// A lock that [`lock_private`] took.
pub struct FileLock(File);

impl Drop for FileLock {
    /// Said to the kernel, not left to closing the file: a program started at this moment holds a copy of the open file
    /// until its own `exec`, and the lock with it.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_new_file_is_private_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("b");
        write_new_private(&path, b"one").unwrap();
        assert!(!is_open_to_others(&path).unwrap());
        assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
        assert!(matches!(write_new_private(&path, b"two"), Err(FileError::Exists(_))));
        assert_eq!(read_bounded(&path, 3).unwrap(), b"one");
    }

    #[test]
    fn folders_are_made_private_from_any_depth_and_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        make_private_folders(&deep).unwrap();
        make_private_folders(&deep).unwrap();
        make_private_folders(Path::new(".")).unwrap();
        for made in [deep.as_path(), folder.path().join("a").as_path()] {
            assert_eq!(made.metadata().unwrap().mode() & 0o777, 0o700);
        }
        write_new_private(&deep.join("file"), b"").unwrap();
        assert!(make_private_folders(&deep.join("file/d")).is_err());
    }

    #[test]
    fn one_at_a_time_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/lock");
        let held = lock_private(&path).unwrap();
        let other = File::open(&path).unwrap();
        assert!(other.try_lock().is_err());
        let short = Duration::from_millis(20);
        assert!(matches!(lock_within(&path, short), Err(FileError::Held { waited, .. }) if waited == short));
        drop(held);
        other.try_lock().unwrap();
    }

    #[test]
    fn what_is_closed_to_others_stays_as_open_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "").unwrap();
        for (before, after) in [(0o644, 0o600), (0o755, 0o700), (0o440, 0o400)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(before)).unwrap();
            assert!(is_open_to_others(&path).unwrap());
            close_to_others(&path).unwrap();
            assert!(!is_open_to_others(&path).unwrap());
            assert_eq!(path.metadata().unwrap().mode() & 0o777, after);
        }
        assert!(close_to_others(&folder.path().join("no")).is_err());
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut begun = NewPlainFile::begin(&path).unwrap();
        begun.file().write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(begun);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut begun = NewPlainFile::begin(&path).unwrap();
        begun.file().write_all(b"whole").unwrap();
        begun.keep().unwrap();
        assert_eq!(read_bounded(&path, 9).unwrap(), b"whole");
        assert!(matches!(NewPlainFile::begin(&path), Err(FileError::Exists(_))));
        assert!(matches!(
            NewPlainFile::begin(&folder.path().join("no/x")),
            Err(FileError::Missing(_))
        ));
        let raced = folder.path().join("y");
        let begun = NewPlainFile::begin(&raced).unwrap();
        std::fs::write(&raced, b"first").unwrap();
        assert!(matches!(begun.keep(), Err(FileError::Exists(_))));
        assert_eq!(read_bounded(&raced, 9).unwrap(), b"first");
    }

    #[test]
    fn replacing_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        replace_private(&path, b"one").unwrap();
        replace_private(&path, b"two").unwrap();
        assert_eq!(read_bounded(&path, 100).unwrap(), b"two");
        assert!(!is_open_to_others(&path).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_a_plain_small_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        write_new_private(&real, b"four").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(matches!(read_bounded(&link, 9), Err(FileError::NotPlain(_))));
        assert!(matches!(replace_private(&link, b""), Err(FileError::NotPlain(_))));
        assert!(matches!(write_new_private(&link, b""), Err(FileError::Exists(_))));
        assert!(matches!(read_bounded(folder.path(), 9), Err(FileError::NotPlain(_))));
        assert!(matches!(read_bounded(&real, 3), Err(FileError::TooBig { .. })));
        assert!(matches!(
            read_bounded(&folder.path().join("no"), 3),
            Err(FileError::Missing(_))
        ));
    }
}
