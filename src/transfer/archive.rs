//! An archive in the format that every `tar` reads (POSIX ustar): plain files with plain names.

/// A block, in bytes: what a file is padded to.
const BLOCK: usize = 512;
/// The longest name of a file and of the folders it is in, in bytes.
const NAME_MAX: usize = 100;
const PREFIX_MAX: usize = 155;

/// A name that no archive of this kind holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a file's name is too long for an archive")]
pub struct BadName;

/// Headers and paddings; what is in the files is written between them.
pub struct Archive {
    /// When all files were last changed, Unix seconds.
    pub time: u64,
}

impl Archive {
    /// What stands before a file of so many bytes.
    pub fn header(&self, path: &str, size: u64) -> Result<[u8; BLOCK], BadName> {
        let (prefix, name) = match path.len() <= NAME_MAX {
            true => ("", path),
            false => path.rsplit_once('/').ok_or(BadName)?,
        };
        let octal = |value: u64, width: usize| format!("{value:0width$o}");
        let size = octal(size, 11);
        if name.is_empty() || name.len() > NAME_MAX || prefix.len() > PREFIX_MAX || size.len() > 11 {
            return Err(BadName);
        }
        let mut block = [0; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, name.as_bytes());
        put(100, b"0000600");
        put(108, b"0000000");
        put(116, b"0000000");
        put(124, size.as_bytes());
        put(136, octal(self.time & 0o77_777_777_777, 11).as_bytes());
        // The sum is taken with spaces in its own place.
        put(148, b"        ");
        put(156, b"0");
        put(257, b"ustar\x0000");
        put(345, prefix.as_bytes());
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..154].copy_from_slice(octal(sum, 6).as_bytes());
        block[154] = 0;
        Ok(block)
    }

    /// What stands after a file of so many bytes.
    pub fn padding(&self, size: u64) -> Vec<u8> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        vec![0; (BLOCK - over) % BLOCK]
    }

    /// What stands at the end.
    pub fn end(&self) -> Vec<u8> {
        vec![0; 2 * BLOCK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_as_posix_says() {
        let archive = Archive { time: 1_795_253_400 };
        let block = archive.header("notes/gate.md", 1300).unwrap();
        assert!(block.starts_with(b"notes/gate.md\0"));
        assert_eq!(&block[124..136], b"00000002424\0");
        assert_eq!(&block[257..265], b"ustar\x0000");
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
            .sum();
        assert_eq!(&block[148..156], format!("{sum:06o}\0 ").as_bytes());
        assert_eq!((archive.padding(1300).len(), archive.padding(1024).len()), (236, 0));
        let long = format!("{}/{}", "f".repeat(120), "n".repeat(90));
        assert!(archive.header(&long, 1).unwrap()[345..].starts_with(b"fff"));
        assert_eq!(archive.header(&"n".repeat(101), 1), Err(BadName));
        assert_eq!(archive.header("", 1), Err(BadName));
        assert_eq!(archive.header("a", 1 << 34), Err(BadName));
    }
}
