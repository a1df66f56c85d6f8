//! Identifiers: opaque, fixed in size, written as lower-case hex.
//!
//! Every identifier is random (never derived from what it names) and never reused.
//! [`Digest`] is the one exception: it is the SHA-256 of some bytes.

mod fingerprint;

pub use fingerprint::{BadFingerprint, Fingerprint};

use std::fmt;
use std::str::FromStr;

/// The text is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}: it takes {want} lower-case hex digits")]
pub struct BadId {
    what: &'static str,
    found: String,
    want: usize,
}

/// Decodes exactly `N` bytes of lower-case hex; upper case is refused so that there is one spelling.
fn decode<const N: usize>(what: &'static str, text: &str) -> Result<[u8; N], BadId> {
    let bad = || BadId {
        what,
        found: text.chars().take(80).collect(),
        want: N * 2,
    };
    decode_digits(text.as_bytes()).ok_or_else(bad)
}

/// The same of bytes that may be no text.
pub(crate) fn decode_digits<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    if bytes.len() != N * 2 {
        return None;
    }
    let (mut out, mut wrong) = ([0u8; N], 0);
    const { assert!(N.is_multiple_of(4)) };
    // Eight digits at once: a log of a million lines has some three hundred million of these.
    for (slot, digits) in out.chunks_exact_mut(4).zip(bytes.chunks_exact(8)) {
        let mut eight = [0; 8];
        eight.copy_from_slice(digits);
        let (four, other) = decode_eight(u64::from_le_bytes(eight));
        slot.copy_from_slice(&four.to_le_bytes());
        wrong |= other;
    }
    (wrong == 0).then_some(out)
}

/// Four bytes of eight digits, all as they stand in memory from the lowest byte on; and not 0 if one is no digit.
fn decode_eight(digits: u64) -> (u32, u64) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Letters have a bit that figures have not. What is no digit may give anything that fits into five bits.
    let letters = digits >> 6 & EACH;
    let values = (digits & (EACH * 0x0f)) + letters * 9;
    // Written again they must be what they were.
    let above_nine = (values + EACH * (0x80 - 10)) >> 7 & EACH;
    let again = values + EACH * u64::from(b'0') + above_nine * u64::from(b'a' - b'0' - 10);
    let wrong = (again ^ digits) | values & (EACH * 0xf0);
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    ((quads | quads >> 16) as u32, wrong)
}

/// Two lower-case digits for each byte, as far as there is room.
pub(crate) fn encode_digits(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    // All at once: every name of a stored file is made so.
    for chunk in bytes.chunks(32) {
        let mut text = [0; 64];
        encode_digits(chunk, &mut text);
        f.write_str(std::str::from_utf8(&text[..chunk.len() * 2]).map_err(|_| fmt::Error)?)?;
    }
    Ok(())
}

/// Identifiers stand in JSON as their text.
macro_rules! as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Its size in bytes; its text is twice as long.
            pub const LEN: usize = $len;

            /// Its bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                decode($what, text).map(Self)
            }
        }
        as_text!($name);
        impl TryFrom<&[u8]> for $name {
            type Error = BadId;
            fn try_from(bytes: &[u8]) -> Result<Self, BadId> {
                bytes.try_into().map(Self).map_err(|_| BadId {
                    what: $what,
                    found: format!("{} bytes", bytes.len()),
                    want: $len * 2,
                })
            }
        }
    };
}

id!(/// A vault, for good: it stands in every log's origin and in all authenticated data.
    VaultId, 16, "vault id");
id!(/// A person; a handle is only a name for one.
    PersonId, 8, "person id");
id!(/// A device of a person, with keys and logs of its own.
    DeviceId, 8, "device id");
id!(/// One life of a device's log; a restored backup that diverged begins another.
    Incarnation, 4, "incarnation");
id!(/// A note through all its revisions; its first byte names its shard.
    NoteId, 16, "note id");
id!(/// A compartment: a client, a case, or anything else one may need to know.
    CompartmentId, 8, "compartment id");
id!(/// A symmetric key that other keys are derived from or wrapped under.
    KeyId, 8, "key id");
id!(/// A SHA-256 digest.
    Digest, 32, "SHA-256 digest");

impl NoteId {
    /// The shard this note lives in: its first byte as two hex digits, the `<xx>` of `notes/<xx>`.
    pub fn shard(&self) -> String {
        format!("{:02x}", self.0[0])
    }

    /// Whether that is the name of its shard.
    pub fn is_in(&self, shard: &str) -> bool {
        let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
        shard.as_bytes() == [digit(self.0[0] >> 4), digit(self.0[0] & 15)]
    }
}

/// The name of a log: `<device>-<incarnation>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName {
    /// The device that alone may write to it.
    pub device: DeviceId,
    /// Which of that device's lives it is.
    pub incarnation: Incarnation,
}

as_text!(LogName);
as_text!(EntryRef);

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.device, self.incarnation)
    }
}
impl fmt::Debug for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for LogName {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId {
            what: "log name (`<device>-<incarnation>`)",
            found: text.chars().take(80).collect(),
            want: (DeviceId::LEN + Incarnation::LEN) * 2,
        };
        let (device, incarnation) = text.split_once('-').ok_or_else(bad)?;
        Ok(Self {
            device: device.parse().map_err(|_| bad())?,
            incarnation: incarnation.parse().map_err(|_| bad())?,
        })
    }
}

impl From<BadId> for String {
    fn from(bad: BadId) -> String {
        bad.to_string()
    }
}

/// One entry of one log, written `<log>:<seq>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryRef {
    /// The log it stands in.
    pub log: LogName,
    /// Its place there, from 0.
    pub seq: u64,
}

impl fmt::Display for EntryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.log, self.seq)
    }
}
impl FromStr for EntryRef {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId {
            what: "entry (`<log>:<seq>`)",
            found: text.chars().take(80).collect(),
            want: (DeviceId::LEN + Incarnation::LEN) * 2,
        };
        let (log, seq) = text.split_once(':').ok_or_else(bad)?;
        // One spelling only: no sign, no leading zero.
        let canonical = seq == "0" || (!seq.starts_with('0') && seq.bytes().all(|b| b.is_ascii_digit()));
        if !canonical {
            return Err(bad());
        }
        Ok(Self {
            log: log.parse().map_err(|_| bad())?,
            seq: seq.parse().map_err(|_| bad())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_agree_and_have_one_spelling() {
        let id: NoteId = "000102030405060708090a0b0c0d0eff".parse().unwrap();
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(id.shard(), "00");
        assert!("000102030405060708090A0b0c0d0eff".parse::<NoteId>().is_err());
        assert!("0001".parse::<NoteId>().is_err());
        assert!("éé0102030405060708090a0b0c0d0eff".parse::<NoteId>().is_err());
    }

    #[test]
    fn a_digit_is_read_wherever_it_stands_and_nothing_else() {
        let good = "0123456789abcdef";
        for (at, byte) in (0..16).flat_map(|at| (0..=255u8).map(move |byte| (at, byte))) {
            let mut text = good.as_bytes().to_vec();
            text[at] = byte;
            let Ok(text) = String::from_utf8(text) else { continue };
            let read = text.parse::<KeyId>().ok();
            let digit = good.contains(char::from(byte));
            assert_eq!(read.map(|id| id.to_string()), digit.then_some(text));
        }
        let plain = |byte: u64| b"0123456789abcdef".contains(&(byte as u8));
        for byte in 0..=255u64 {
            for at in 0..8 {
                let word = 0x3030_3030_3030_3030 & !(0xff << (8 * at)) | byte << (8 * at);
                assert_eq!(decode_eight(word).1 == 0, plain(byte), "{byte} {at}");
            }
        }
    }

    #[test]
    fn entry_references_have_one_spelling() {
        let text = "0011223344556677-8899aabb:12";
        let entry: EntryRef = text.parse().unwrap();
        assert_eq!(entry.to_string(), text);
        for bad in [
            "0011223344556677-8899aabb:012",
            "0011223344556677-8899aabb:+1",
            "0011223344556677-8899aabb",
            ":",
            "0011223344556677-8899aabb:",
        ] {
            assert!(bad.parse::<EntryRef>().is_err(), "{bad}");
        }
    }
}
