//! Unlocks that failed.

use super::error::Error;
use crate::chain::Time;
use crate::env::{append_line, lock_private, read_bounded};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many are kept aside.
const FAILED_MAX: usize = 1000;
/// So many wrong passphrases cost nothing but themselves.
const FREE: usize = 2;

/// Failed unlocks, kept aside until there is a key to enter them with. Not authenticated: who can write here can
/// add some or take some away, and the threat model says so.
pub(super) struct FailedUnlocks {
    path: PathBuf,
    pub(super) times: Vec<i64>,
    pub(super) unreadable: bool,
}

impl FailedUnlocks {
    const NAME: &'static str = "failed-unlocks";
    const LOCK: &'static str = "failed-unlocks.lock";
    const MAX_BYTES: u64 = 64 * 1024;

    /// Keeps one aside: a line more, which several programs can write at once.
    pub(super) fn keep(state: &Path, now: Time) -> Result<(), Error> {
        let _alone = lock_private(&state.join(Self::LOCK))?;
        Ok(append_line(
            &state.join(Self::NAME),
            &now.unix().to_string(),
            Self::MAX_BYTES,
        )?)
    }

    /// How long to wait before the next passphrase is tried: nothing after one or two wrong ones, then a second, twice
    /// as long each time, half a minute at most. It slows down who guesses at this keyboard; who has copied the
    /// identity file guesses elsewhere, at the cost of the key derivation.
    pub(super) fn pause(state: &Path) -> Duration {
        let failed = read_bounded(&state.join(Self::NAME), Self::MAX_BYTES);
        pause_after(failed.map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count()))
    }

    /// Takes them to be entered. One that fails meanwhile begins a new file; after a crash they are taken again. What
    /// cannot be read is entered as such: it must not keep anybody out.
    pub(super) fn take(state: &Path) -> Result<Option<Self>, Error> {
        let (path, taken) = (state.join(Self::NAME), state.join("failed-unlocks.taken"));
        let there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
        if !there(&taken) {
            if !there(&path) {
                return Ok(None);
            }
            // Nobody is in the middle of writing a line when the file is moved.
            let _alone = lock_private(&state.join(Self::LOCK))?;
            if std::fs::rename(&path, &taken).is_err() {
                return Ok(None);
            }
        }
        let bytes = read_bounded(&taken, Self::MAX_BYTES).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let times: Vec<i64> = text
            .lines()
            .filter_map(|line| line.parse().ok())
            .take(FAILED_MAX)
            .collect();
        let unreadable = times.is_empty();
        Ok(Some(Self {
            path: taken,
            times,
            unreadable,
        }))
    }

    /// They are durable in the log; a crash before this enters them twice rather than never.
    pub(super) fn entered(self) -> Result<(), Error> {
        if std::fs::remove_file(&self.path).is_err() {
            // Something else was put in its place. It goes out of the way with a name of its own.
            let aside = self.path.with_extension("unreadable");
            let _ = std::fs::rename(&self.path, aside);
        }
        Ok(())
    }
}

fn pause_after(failures: usize) -> Duration {
    match failures.checked_sub(FREE) {
        None | Some(0) => Duration::ZERO,
        Some(n) => Duration::from_secs(1 << (n - 1).min(5)).min(Duration::from_secs(30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_passphrase_after_the_second_doubles_the_wait() {
        let seconds: Vec<u64> = (0..10).map(|n| pause_after(n).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause_after(usize::MAX), Duration::from_secs(30));
    }
}
