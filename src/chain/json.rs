//! Canonical JSON (RFC 8785): one line, canonical or refused.

use serde::{Serialize, de::DeserializeOwned};

/// The canonical line of `value`, without a newline.
pub(crate) fn to_line<T: Serialize>(value: &T) -> Vec<u8> {
    match serde_json_canonicalizer::to_vec(value) {
        Ok(line) => line,
        // INVARIANT (plain data): our types are strings, bounded integers, lists and maps with text keys.
        Err(_) => unreachable!("plain data always has a JSON form"),
    }
}

/// Reads a line that must be the canonical form of a value with known fields only.
///
/// What RFC 8785 leaves to the reader is caught by writing the value again: duplicate keys, other orders,
/// spaces, escapes and number forms do not come back as they were.
pub(super) fn from_line<T: Serialize + DeserializeOwned>(line: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(line).ok()?;
    (to_line(&value) == line).then_some(value)
}
