//! A place for what another repository sends, before anything of it is looked at: a bare repository in the vault's own
//! folder that reads the vault's objects beside its own, so that only what is new has to travel. It has the branches of
//! the other (those that stand where the vault's do are given to it before anything is fetched), no hooks and no
//! configuration of anybody's, and goes away when it is dropped.

use super::git::{OpenError, ReadError, Repo, Settings};
use super::object::{Commit, Oid};
use super::recover::remove_file;
use super::write::sync_file_system;
use crate::env::open_plain_file;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that says where else objects are.
pub(super) const ALTERNATES: &str = "objects/info/alternates";
/// Where it is, in the git directory.
const NAME: &str = "strongroom.syncing";
/// The file that is kept locked for as long as there is one.
const ALIVE: &str = "strongroom.sync.lock";
pub(super) const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tsharedRepository = 0600\n";

/// The file of refs that have none of their own.
pub(super) const PACKED_REFS: &str = "packed-refs";
/// The largest commit that is looked at, in bytes.
const COMMIT_MAX: u64 = 1 << 20;
/// So many commits of a branch are followed at most.
const HISTORY_MAX: usize = 1 << 17;
/// How often, and how long apart, the right to it is asked for again.
const TRIES: usize = 20;
const BETWEEN: Duration = Duration::from_millis(20);

/// Such a place.
pub struct Staging {
    dir: PathBuf,
    lender: PathBuf,
    _alive: File,
}

/// There is no such place.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// Another program has one.
    #[error("another program is syncing this vault: try again when it is done")]
    Busy,
    /// The system refused.
    #[error("there is no place for what comes from elsewhere: {0}; free some space or check the disk")]
    Io(#[from] io::Error),
}

impl Repo {
    /// Makes an empty one. Removes first what a program that died left of its own.
    pub fn staging(&self) -> Result<Staging, StagingError> {
        let alive = soon_locked(&self.dir.join(ALIVE))?.ok_or(StagingError::Busy)?;
        let dir = self.dir.join(NAME);
        remove(&dir)?;
        let staging = Staging {
            dir,
            lender: self.dir.clone(),
            _alive: alive,
        };
        staging.lay_out()?;
        Ok(staging)
    }

    /// Makes durable what another program wrote to it: git, into a vault that is not in its place yet.
    pub fn make_durable(&self) -> io::Result<()> {
        sync_file_system(&self.dir)
    }

    /// Removes what a transfer of these branches into it left that did not come to its end: of a vault that is not in its place yet.
    pub fn drop_what_is_half(&self, branches: &[String]) -> io::Result<()> {
        drop_what_is_half(&self.dir, branches)
    }

    /// Whether it reads the objects of its lenders beside its own, and nobody else's.
    pub(super) fn borrows_as_meant(&self) -> bool {
        let lent = lent_by(&self.lenders).ok().filter(|lent| !lent.is_empty());
        lent.is_some_and(|lent| fs::read(self.dir.join(ALTERNATES)).is_ok_and(|found| found == lent))
    }

    /// Removes what a program that died left of its own: it may hold what was forgotten since.
    pub(super) fn remove_left_staging(&self) -> io::Result<()> {
        match left(&self.dir)? {
            Some((dir, _alive)) => remove(&dir),
            None => Ok(()),
        }
    }
}

/// Removes of packs what git began, which takes room, and what it had made of these branches already.
fn drop_what_is_half(dir: &Path, branches: &[String]) -> io::Result<()> {
    for entry in fs::read_dir(dir.join("objects/pack"))? {
        let entry = entry?;
        if entry.file_name().as_bytes().starts_with(b"tmp_") {
            remove_file(&entry.path())?;
        }
    }
    branches.iter().try_for_each(|branch| remove_file(&dir.join(branch)))
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next one.
        let _ = remove(&self.dir);
    }
}

impl Staging {
    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn lay_out(&self) -> io::Result<()> {
        for name in ["", "refs/heads", "objects/info", "objects/pack"] {
            let mut private = fs::DirBuilder::new();
            private.recursive(true).mode(0o700).create(self.dir.join(name))?;
        }
        let lent = lent_by(&[self.lender.join("objects")])?;
        for (name, bytes) in [
            ("HEAD", b"ref: refs/heads/main\n".as_slice()),
            ("config", CONFIG.as_bytes()),
            (ALTERNATES, &lent),
        ] {
            let mut new = fs::OpenOptions::new();
            let place = self.dir.join(name);
            let mut file = new.write(true).create_new(true).mode(0o600).open(place)?;
            file.write_all(bytes)?;
        }
        Ok(())
    }

    /// Gives it these refs, which the vault has too: a fetch writes those alone that stand elsewhere by then. One that is gone
    /// there by then stays, as the vault has it.
    pub fn begin_with(&self, refs: &BTreeMap<String, Oid>) -> Result<(), StagingError> {
        let lines = refs.iter().map(|(name, oid)| format!("{oid} {name}\n"));
        let text = std::iter::once("# pack-refs with: sorted \n".to_owned()).chain(lines);
        let mut new = fs::OpenOptions::new();
        let mut file = new
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.dir.join(PACKED_REFS))?;
        Ok(file.write_all(text.collect::<String>().as_bytes())?)
    }

    /// Takes back what [`Staging::begin_with`] gave it: git fetches nothing into a repository with a ref that leads nowhere, and
    /// what the vault had a moment ago another program may have removed.
    pub fn begin_with_none(&self) -> Result<(), StagingError> {
        Ok(remove_file(&self.dir.join(PACKED_REFS))?)
    }

    /// Makes it anew, and gives it these refs, where a transfer was stopped: nothing of what that brought is left.
    pub fn begin_anew(&self, refs: &BTreeMap<String, Oid>) -> Result<(), StagingError> {
        remove(&self.dir)?;
        self.lay_out()?;
        self.begin_with(refs)
    }

    /// Removes what a transfer of these branches left that did not come to its end.
    pub fn drop_what_is_half(&self, branches: &[String]) -> Result<(), StagingError> {
        Ok(drop_what_is_half(&self.dir, branches)?)
    }

    /// Removes what the other repository sent where one of these commits of it, which branches stand at that are replaced, goes on
    /// from what the vault has forgotten since: a repository in which a history breaks off pushes nothing, and what a
    /// branch that is replaced leads to need not be there.
    pub fn drop_what_is_torn(&self, replaced: &[Oid], settings: Settings) -> Result<(), StagingError> {
        if replaced.is_empty() {
            return Ok(());
        }
        // Not as it was when it was opened first: packs that are gone since can still be read there.
        let now = self
            .open(settings)
            .map_err(|error| StagingError::Io(io::Error::other(error.to_string())))?
            .with_packs();
        // One that is longer than any of a vault counts as torn, and so does one that nobody's program has written.
        let is_torn = |oid: Oid| {
            let mut commits = now.first_parents(oid, COMMIT_MAX);
            let plain =
                |commit: Result<(Oid, Commit), ReadError>| commit.is_ok_and(|(_, commit)| commit.parents.len() < 2);
            let whole = commits.by_ref().take(HISTORY_MAX).all(plain);
            !whole || commits.next().is_some()
        };
        if replaced
            .iter()
            .filter(|oid| now.contains(**oid))
            .any(|oid| is_torn(*oid))
        {
            remove(&self.dir)?;
            self.lay_out()?;
        }
        Ok(())
    }

    /// Opens it to be read.
    pub fn open(&self, settings: Settings) -> Result<Repo, OpenError> {
        let repo = Repo::open_to_verify(self.dir(), settings)?;
        Ok(repo.lent(vec![self.lender.join("objects")]))
    }
}

/// The lines that name folders of objects, whose paths begin at the root.
pub(super) fn lent_by(folders: &[PathBuf]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for folder in folders {
        let path = folder.as_os_str().as_bytes();
        // Git reads a path in quotation marks, and a remark behind `#`, but no path that begins at the root is either.
        if !path.starts_with(b"/") || path.contains(&b'\n') {
            return Err(io::Error::other("git cannot be told the path of its objects"));
        }
        lines.extend([path, b"\n"].concat());
    }
    Ok(lines)
}

/// The one that a program which died left in a vault, and the right to remove it, where there is anything to hold it by.
pub(super) fn left(dir: &Path) -> io::Result<Option<(PathBuf, Option<File>)>> {
    let place = dir.join(NAME);
    if fs::symlink_metadata(&place).is_err() {
        return Ok(None);
    }
    match open_plain_file(&dir.join(ALIVE), false, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some((place, None))),
        file => Ok(locked(file?)?.map(|alive| (place, Some(alive)))),
    }
}

/// The file locked, after a moment if need be: a program that this one is about to start holds what this one has open until it
/// runs.
fn soon_locked(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..TRIES {
        if let Some(file) = locked(open_plain_file(path, true, true)?)? {
            return Ok(Some(file));
        }
        std::thread::sleep(BETWEEN);
    }
    locked(open_plain_file(path, true, true)?)
}

/// The file locked; none while another program has it.
fn locked(file: File) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
