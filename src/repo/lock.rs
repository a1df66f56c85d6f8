//! One writer at a time.

use super::journal::{Journal, JournalMark};
use crate::env::open_plain_file;
use std::cell::{Cell, RefCell};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The lock file's name in the git directory. It stays when the lock is given back.
pub(super) const NAME: &str = "strongroom.lock";

/// How long to wait for another writer, if nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The right to write to one vault, held until this is dropped (advisory, `flock`). The kernel
/// gives it back when the program dies.
pub struct Lock {
    pub(super) file: File,
    pub(super) dir: PathBuf,
    /// The journal as the last recovery under this lock left it; `None` when one is due.
    pub(super) journal: RefCell<Option<Journal>>,
    /// Where this process left the journal the last time, if it knows.
    pub(super) mark: Cell<Option<JournalMark>>,
}

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another program kept it for all that time.
    #[error("another program is writing to this vault (waited {} s): try again when it is done", .0.as_secs())]
    Busy(Duration),
    /// The system refused.
    #[error("the vault cannot be locked for writing: {0}")]
    Io(#[from] io::Error),
}

impl Lock {
    pub(super) fn take(dir: &Path, patience: Duration) -> Result<Self, LockError> {
        let file = open_plain_file(&dir.join(NAME), true, true)?;
        wait(&file, patience)?;
        Ok(Self {
            file,
            dir: dir.to_owned(),
            journal: RefCell::new(None),
            mark: Cell::new(None),
        })
    }

    /// Says where this process left the journal when it last had the lock: the next recovery need not read what stands
    /// before, unless there is something to recover.
    pub fn expect_journal_at(&self, mark: Option<JournalMark>) {
        self.mark.set(mark);
    }

    /// Where the journal stands, once recovery was done.
    pub fn journal_mark(&self) -> Option<JournalMark> {
        self.journal.borrow().as_ref().and_then(Journal::mark)
    }

    /// Gives the lock back while `meanwhile` runs, and takes it again. Others may write meanwhile: recovery is due then,
    /// and where the lock is not to be had again nothing can be committed under this one any more.
    pub fn aside<T>(&self, patience: Duration, meanwhile: impl FnOnce() -> T) -> (T, Result<(), LockError>) {
        self.mark.set(self.journal_mark());
        *self.journal.borrow_mut() = None;
        let given_back = self.file.unlock();
        let made = meanwhile();
        (
            made,
            given_back
                .map_err(LockError::Io)
                .and_then(|()| wait(&self.file, patience)),
        )
    }
}

impl Drop for Lock {
    /// Said to the kernel, not left to closing the file: a program started at this moment holds a copy of the open file
    /// until its own `exec`, and the lock with it.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

fn wait(file: &File, patience: Duration) -> Result<(), LockError> {
    let (start, mut pause) = (Instant::now(), Duration::from_millis(1));
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let left = patience.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(LockError::Busy(patience));
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
