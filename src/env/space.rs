//! How much room a file system has left.

use std::io;
use std::path::Path;

/// Below so many bytes free a file system is as good as full.
const LEAST: u64 = 64 << 20;
/// And below this share of it, one in so many, but not where that is more than is ever needed at once.
const SHARE: u64 = 50;
const SHARE_MAX: u64 = 1 << 30;
/// Below so many files that can still be made, where that is counted at all.
const FILES_LEAST: u64 = 1024;

/// What a file system has, and what of it is free to this user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// Bytes in all.
    pub whole: u64,
    /// Bytes free.
    pub free: u64,
    /// Files that can still be made; `None` where they are not counted.
    pub files: Option<u64>,
}

impl Space {
    /// Of the file system that holds `path`.
    pub fn at(path: &Path) -> io::Result<Self> {
        let found = rustix::fs::statvfs(path)?;
        Ok(Self {
            whole: found.f_blocks.saturating_mul(found.f_frsize),
            free: found.f_bavail.saturating_mul(found.f_frsize),
            files: (found.f_files > 0).then_some(found.f_favail),
        })
    }

    /// Whether it is time to make room: less than 64 MiB free, or less than 2 % where that is at most 1 GiB.
    pub fn is_scarce(&self) -> bool {
        self.free < LEAST.max((self.whole / SHARE).min(SHARE_MAX))
            || self.files.is_some_and(|files| files < FILES_LEAST)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn little_is_little_on_a_small_disk_and_on_a_large_one() {
        const MIB: u64 = 1 << 20;
        let scarce = |whole: u64, free: u64, files| Space { whole, free, files }.is_scarce();
        for (whole, free, want) in [
            (1000 * MIB, 64 * MIB, false),
            (1000 * MIB, 64 * MIB - 1, true),
            (10_000 * MIB, 200 * MIB, false),
            (10_000 * MIB, 199 * MIB, true),
            (u64::MAX, 1024 * MIB, false),
            (u64::MAX, 1023 * MIB, true),
        ] {
            assert_eq!(scarce(whole, free, None), want, "{whole} {free}");
        }
        assert!(scarce(1 << 40, 1 << 39, Some(FILES_LEAST - 1)));
        assert!(!scarce(1 << 40, 1 << 39, Some(FILES_LEAST)));
    }

    #[test]
    fn every_place_has_some_space() {
        let found = Space::at(Path::new("/")).unwrap();
        assert!(found.whole >= found.free && found.whole > 0);
        assert!(Space::at(Path::new("/does/not/exist")).is_err());
    }
}
