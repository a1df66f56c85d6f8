//! Names of refs, as they stand in files: git takes any bytes for one, and whoever may push chooses them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What was asked for, none where there is no such file or folder, or why that is not known.
pub(super) fn is_found<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => Ok(None),
        found => found.map(Some),
    }
}

/// The name of a ref as it is told and compared. What of it is no text stands as `\xff`: a backslash stands in no name that git
/// takes, so that this is nothing else's.
pub(super) fn escaped(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// The name behind one that is [`escaped`].
pub(super) fn unescaped(name: &str) -> Vec<u8> {
    let mut parts = name.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        // What is text is never escaped.
        match byte.filter(|byte| !byte.is_ascii()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => bytes.extend_from_slice(&[b"\\x", part.as_bytes()].concat()),
        }
    }
    bytes
}

/// Whether what is told so is a ref's name to git.
pub fn is_name(told: &str) -> bool {
    let name = unescaped(told);
    !name.contains(&0x7f) && git2::Reference::is_valid_name(&String::from_utf8_lossy(&name))
}

/// The names of the files below a folder of refs, as ref names.
pub(super) fn loose_names(dir: &Path, under: &[u8], names: &mut Vec<Vec<u8>>) -> io::Result<()> {
    // All of them may be packed.
    let Some(entries) = is_found(std::fs::read_dir(dir.join(OsStr::from_bytes(under))))? else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = [under, b"/", entry.file_name().as_bytes()].concat();
        if entry.file_type()?.is_dir() {
            loose_names(dir, &name, names)?;
        } else if !name.ends_with(b".lock") {
            names.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_that_is_text_stays_and_another_is_told_by_its_bytes() {
        for (name, told) in [
            (&b"refs/heads/main"[..], "refs/heads/main"),
            ("refs/heads/\u{e4}".as_bytes(), "refs/heads/\u{e4}"),
            (b"refs/heads/x\xff", r"refs/heads/x\xff"),
            (b"\xc3(\xe2\x82", r"\xc3(\xe2\x82"),
        ] {
            assert_eq!(escaped(name), told);
            assert_eq!(unescaped(told), name);
        }
        // Whoever lists such names themselves means no text by them.
        for none in [r"a\x61", r"a\x", r"a\xg0", r"a\x\x", "a\\x\u{e4}"] {
            assert_eq!(unescaped(none), none.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in proptest::collection::vec(any::<u8>().prop_filter("none has one", |byte| *byte != b'\\'), 0..40)) {
            prop_assert_eq!(unescaped(&escaped(&name)), name);
        }
    }
}
