//! Room outside of memory, for what is only needed while the program runs.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A file without a name, which is gone when it is closed. What may not stand on a disk does not belong into it.
pub struct Scratch(File);

/// Makes one in the folder for temporary files.
pub fn make_scratch() -> io::Result<Scratch> {
    tempfile::tempfile().map(Scratch)
}

impl Scratch {
    /// Writes `bytes` at a place, counted in bytes.
    pub fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, place)
    }

    /// Fills `bytes` from a place.
    pub fn read_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
        self.0.read_exact_at(bytes, place)
    }
}
