//! A new private folder: it stands under a hidden name beside its own until all of it is written.

use super::files::{FileError, check_new_file, folder_of, io_error, open_plain, sync_folder};
use rustix::fs::{CWD, OFlags, RenameFlags};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How deep such a folder goes.
const DEPTH_MAX: usize = 8;

/// A folder (mode 0700, files in it 0600) that appears whole under its name or not at all, and is removed if it never does.
pub struct NewPrivateFolder {
    path: PathBuf,
    draft: tempfile::TempDir,
}

impl NewPrivateFolder {
    /// Begins it. Refuses when anything is there under its name already, an empty folder too, or the folder that it is to
    /// stand in is not there.
    pub fn begin(path: &Path) -> Result<Self, FileError> {
        check_new_file(path)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".strongroom-");
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let draft = builder.tempdir_in(folder_of(path)).map_err(io_error("write", path))?;
        Ok(Self {
            path: path.to_owned(),
            draft,
        })
    }

    /// Begins a file in it; folders on the way to it are made. `below` is a path below it, of plain parts alone.
    pub fn file(&self, below: &str) -> Result<File, FileError> {
        let parts: Vec<&str> = below.split('/').collect();
        let plain = |part: &&str| !part.is_empty() && !part.starts_with('.') && !part.contains('\0');
        if !parts.iter().all(plain) || parts.len() > DEPTH_MAX {
            return Err(FileError::NotPlain(self.path.join(below)));
        }
        let path = self.draft.path().join(below);
        let folder = folder_of(&path);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(io_error("make the folder", folder))?;
        open_plain(&path, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, "write")
    }

    /// Puts it under its name, durable, if nothing has come to be there meanwhile.
    pub fn keep(self) -> Result<(), FileError> {
        sync_all(self.draft.path(), 0).map_err(io_error("write", &self.path))?;
        rename_new(self.draft.path(), &self.path).map_err(io_error("write", &self.path))?;
        // There is nothing under the hidden name any more.
        let _ = self.draft.keep();
        sync_folder(folder_of(&self.path))
    }
}

/// Renames a folder where nothing is. An empty folder in its place would give way to a plain rename.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A file system that cannot do that at once: looked at just before.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            match std::fs::symlink_metadata(to) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => std::fs::rename(from, to),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder's files and folders durable.
fn sync_all(folder: &Path, depth: usize) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true if depth < DEPTH_MAX => sync_all(&entry.path(), depth + 1)?,
            true => return Err(io::Error::other("it is nested too deeply")),
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_private_and_there_whole_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("pack");
        let new = NewPrivateFolder::begin(&path).unwrap();
        new.file("notes/one/text.md").unwrap().write_all(b"text").unwrap();
        assert!(!path.exists());
        new.keep().unwrap();
        let mode = |below: &str| std::fs::metadata(path.join(below)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(""), mode("notes"), mode("notes/one")], [0o700; 3]);
        assert_eq!(mode("notes/one/text.md"), 0o600);
        assert_eq!(std::fs::read(path.join("notes/one/text.md")).unwrap(), b"text");
        assert_eq!(names(home.path()), ["pack"]);

        let other = home.path().join("other");
        let new = NewPrivateFolder::begin(&other).unwrap();
        new.file("text.md").unwrap().write_all(b"text").unwrap();
        drop(new);
        assert_eq!(names(home.path()), ["pack"]);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_leads_out_of_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("pack");
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(NewPrivateFolder::begin(&path), Err(FileError::Exists(_))));
        std::fs::remove_dir(&path).unwrap();
        let new = NewPrivateFolder::begin(&path).unwrap();
        for bad in [
            "",
            "/a",
            "a//b",
            "../a",
            "a/../b",
            ".a",
            "a/.",
            "a\0b",
            "a/b/c/d/e/f/g/h/i",
        ] {
            assert!(new.file(bad).is_err(), "{bad:?}");
        }
        new.file("a").unwrap();
        assert!(matches!(new.file("a"), Err(FileError::Exists(_))));
        // Somebody was faster, if only with an empty folder.
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(new.keep(), Err(FileError::Exists(_))));
        assert_eq!(names(home.path()), ["pack"]);
        assert!(names(&path).is_empty());
        let lost = home.path().join("missing/pack");
        assert!(matches!(NewPrivateFolder::begin(&lost), Err(FileError::Missing(_))));
    }
}
