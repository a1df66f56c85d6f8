//! Canonical JSON (RFC 8785): one line, canonical or refused.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::io;

/// Integers stay below this, so that every JSON reader has them exactly (RFC 8785 §3.2.2.3).
pub(crate) const INTEGER_END: u64 = 1 << 53;

/// Writes the shortest JSON, and refuses integers that not every reader has exactly.
struct Exact;

impl Formatter for Exact {
    fn write_i64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        match value.unsigned_abs() < INTEGER_END {
            true => serde_json::ser::CompactFormatter.write_i64(writer, value),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        match value < INTEGER_END {
            true => serde_json::ser::CompactFormatter.write_u64(writer, value),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

/// The canonical line of a value, without a newline; none if it holds too large an integer.
///
/// INVARIANT (plain data in order): our types are texts, integers, lists, maps with text keys in their order, and
/// structs that declare their fields in the order of their names. For these the shortest JSON is the canonical one, and
/// every test that writes a line holds it against another program's opinion.
fn write<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    let mut line = Vec::with_capacity(1024);
    value
        .serialize(&mut Serializer::with_formatter(&mut line, Exact))
        .ok()?;
    #[cfg(test)]
    assert_eq!(
        serde_json_canonicalizer::to_string(value).ok(),
        String::from_utf8(line.clone()).ok()
    );
    Some(line)
}

/// The canonical line of `value`, without a newline.
pub(crate) fn to_line<T: Serialize>(value: &T) -> Vec<u8> {
    match write(value) {
        Some(line) => line,
        // INVARIANT (bounded): nothing is counted so far.
        None => unreachable!("plain data with bounded integers always has a canonical form"),
    }
}

/// Reads a line that must be the canonical form of a value with known fields only.
///
/// What RFC 8785 leaves to the reader is caught by writing the value again: duplicate keys, other orders,
/// spaces, escapes and number forms do not come back as they were.
pub(super) fn from_line<T: Serialize + DeserializeOwned>(line: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(line).ok()?;
    (write(&value)? == line).then_some(value)
}
