//! A small state that is overwritten often: two slots, so that a torn write leaves the other.

use super::files::{FileError, open_plain, write_new_private};
use crate::crypto::sha256;
use rustix::fs::OFlags;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"SRSLOT\0\x01";
const HEAD: usize = 8 + 8 + 4;
const DIGEST: usize = 32;

/// A file of two slots of [`TwoSlot::SLOT`] bytes, written in turn and in place.
///
/// Each slot: magic `SRSLOT` 00 01 (8 bytes), counter (u64, big-endian, from 1), length of the
/// payload (u32, big-endian), payload, SHA-256 of all of that; the rest is zero or old. Slot
/// `counter % 2` is written, so that the newest always stands beside the one before it. The newest
/// valid slot counts.
///
/// A write is **not** synced: after a power cut the state may be an older one, or gone. Nothing
/// here is authenticated; who needs that puts a MAC in the payload.
pub struct TwoSlot {
    file: File,
    path: PathBuf,
}

/// The state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// The file under it failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The payload does not fit.
    #[error("a state of {0} bytes does not fit: at most {max} bytes", max = TwoSlot::MAX)]
    TooBig(usize),
    /// Neither slot is valid, though something was written.
    #[error("the state in `{}` is damaged: remove the file and it will be rebuilt", .0.display())]
    Damaged(PathBuf),
}

impl TwoSlot {
    /// Bytes of one slot: a whole number of pages, so that slots never share one.
    pub const SLOT: usize = 8192;
    /// The largest payload, in bytes.
    pub const MAX: usize = 4096;

    /// Opens the state at `path`, or makes an empty one (mode 0600).
    pub fn open(path: &Path) -> Result<Self, SlotError> {
        let file = match open_plain(path, OFlags::RDWR, "open") {
            Err(FileError::Missing(_)) => {
                match write_new_private(path, &[0; 2 * Self::SLOT]) {
                    // Somebody else made it meanwhile.
                    Ok(()) | Err(FileError::Exists(_)) => {}
                    Err(error) => return Err(error.into()),
                }
                open_plain(path, OFlags::RDWR, "open")?
            }
            file => file?,
        };
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Opens the state at `path` to read it alone; it must be there.
    pub fn open_to_read(path: &Path) -> Result<Self, SlotError> {
        let file = open_plain(path, OFlags::RDONLY, "open")?;
        let path = path.to_owned();
        Ok(Self { file, path })
    }

    /// The newest valid payload; `None` if nothing was ever written.
    pub fn read(&self) -> Result<Option<Vec<u8>>, SlotError> {
        Ok(self.newest()?.map(|(_, payload)| payload))
    }

    /// Writes `payload` beside the newest one. Whoever writes must hold a lock that keeps others out.
    pub fn write(&self, payload: &[u8]) -> Result<(), SlotError> {
        if payload.len() > Self::MAX {
            return Err(SlotError::TooBig(payload.len()));
        }
        let counter = match self.newest() {
            Ok(newest) => newest.map_or(0, |(counter, _)| counter),
            Err(SlotError::Damaged(_)) => 0,
            Err(error) => return Err(error),
        } + 1;
        let place = (counter % 2) * Self::SLOT as u64;
        let written = self.file.write_all_at(&encode(counter, payload), place);
        written.map_err(|source| self.io("write", source))
    }

    fn newest(&self) -> Result<Option<(u64, Vec<u8>)>, SlotError> {
        let mut image = vec![0; 2 * Self::SLOT];
        let mut filled = 0;
        while filled < image.len() {
            let more = self.file.read_at(&mut image[filled..], filled as u64);
            match more.map_err(|source| self.io("read", source))? {
                0 => break,
                more => filled += more,
            }
        }
        let slots = image.chunks_exact(Self::SLOT).filter_map(decode);
        match slots.max_by_key(|(counter, _)| *counter) {
            Some(newest) => Ok(Some(newest)),
            None if image.iter().all(|byte| *byte == 0) => Ok(None),
            None => Err(SlotError::Damaged(self.path.clone())),
        }
    }

    fn io(&self, what: &'static str, source: std::io::Error) -> SlotError {
        SlotError::File(FileError::Io {
            what,
            path: self.path.clone(),
            source,
        })
    }
}

fn encode(counter: u64, payload: &[u8]) -> Vec<u8> {
    let mut slot = Vec::with_capacity(HEAD + payload.len() + DIGEST);
    slot.extend_from_slice(MAGIC);
    slot.extend_from_slice(&counter.to_be_bytes());
    slot.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    slot.extend_from_slice(payload);
    let digest = sha256(&[&slot]);
    slot.extend_from_slice(digest.as_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<(u64, Vec<u8>)> {
    let rest = slot.strip_prefix(MAGIC)?;
    let (counter, rest) = rest.split_first_chunk()?;
    let (length, _) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let end = HEAD.checked_add(length).filter(|_| length <= TwoSlot::MAX)?;
    let digest = slot.get(end..end + DIGEST)?;
    let valid = sha256(&[slot.get(..end)?]).as_bytes() == digest;
    valid.then(|| (u64::from_be_bytes(*counter), slot[HEAD..end].to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_state_is_read_also_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let state = TwoSlot::open(&path).unwrap();
        assert_eq!(state.read().unwrap(), None);
        for n in 0..5u8 {
            // Shorter and longer in turn, so that leftovers of a slot would show.
            state.write(&vec![n; if n % 2 == 0 { 4096 } else { 3 }]).unwrap();
            let seen = TwoSlot::open(&path).unwrap().read().unwrap().unwrap();
            assert_eq!(seen[0], n);
        }
        assert!(matches!(state.write(&[0; 4097]), Err(SlotError::TooBig(4097))));
    }

    #[test]
    fn a_torn_write_leaves_the_state_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let state = TwoSlot::open(&path).unwrap();
        state.write(b"first").unwrap();
        state.write(b"second").unwrap();
        let whole = std::fs::read(&path).unwrap();
        // "second" stands in slot 0: break each of its bytes in turn.
        for at in 0..HEAD + 6 + DIGEST {
            let mut torn = whole.clone();
            torn[at] ^= 1;
            std::fs::write(&path, torn).unwrap();
            assert_eq!(TwoSlot::open(&path).unwrap().read().unwrap().unwrap(), b"first", "{at}");
        }
        std::fs::write(&path, [7; 100]).unwrap();
        let state = TwoSlot::open(&path).unwrap();
        assert!(matches!(state.read(), Err(SlotError::Damaged(_))));
        state.write(b"anew").unwrap();
        assert_eq!(state.read().unwrap().unwrap(), b"anew");
    }
}
