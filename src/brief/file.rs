//! A draft or a released brief as it stands inside its sealed note (docs/FORMAT.md §10).

use super::render::Format;
use crate::chain::Time;
use crate::id::{Digest, NoteId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A draft, or a brief once it has left. No `Debug`: it is sealed for a reason.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BriefFile {
    /// The version of the format, 2.
    pub v: u8,
    /// The profile it was made with.
    pub profile: String,
    /// The level it was made for.
    pub label: String,
    /// The notes it was made from.
    pub sources: Vec<NoteId>,
    /// The revision of each of them, as the digest of its body.
    pub revisions: Vec<Digest>,
    /// Its text, without header.
    pub text: String,
    /// How much was replaced, by type.
    pub removed: BTreeMap<String, usize>,
    /// What took the place of something in the text.
    pub placed: Vec<String>,
    /// What a person has to decide before it may leave.
    pub doubtful: Vec<String>,
    /// Doubtful words that a person let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// The day from which it was measured which days are near.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Time>,
    /// How it is to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Of a brief: what left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
}

/// What left the vault, and to whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// To whom.
    pub recipients: Vec<String>,
    /// What for: a purpose code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// The exact text, header and all.
    pub exact: String,
    /// SHA-256 of it.
    pub sha256: Digest,
}

/// Counts what is written, and keeps nothing of it.
struct Room(usize);

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a release adds beside the text, at most: who gets it, why, the header.
const AROUND: usize = 128 << 10;

impl BriefFile {
    /// The longest that is read, in bytes: sealed and padded, with its metadata, it is a body that is read too.
    pub const MAX_BYTES: usize = 15 << 18;

    /// Reads one; nothing for what is none, or is not written as [`BriefFile::to_text`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_BYTES {
            return None;
        }
        let file: Self = serde_json::from_str(text).ok()?;
        let sound = file.v == 2 && file.sources.len() == file.revisions.len();
        (sound && file.to_text()? == text).then_some(file)
    }

    /// It written down; nothing if it is too long to be read again.
    pub fn to_text(&self) -> Option<String> {
        let text = serde_json::to_string(self).ok()?;
        (text.len() <= Self::MAX_BYTES).then_some(text)
    }

    /// Whether it can still be written down once it is released as `exact`, header included.
    pub fn fits_with(&self, exact: &str) -> bool {
        let mut room = Room(Self::MAX_BYTES.saturating_sub(AROUND));
        serde_json::to_writer(&mut room, self).is_ok() && serde_json::to_writer(&mut room, exact).is_ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::crypto::sha256;

    fn file() -> BriefFile {
        BriefFile {
            v: 2,
            profile: "no-names".into(),
            label: "internal".into(),
            sources: vec![NoteId([7; 16])],
            revisions: vec![Digest([8; 32])],
            text: "Lock the door.".into(),
            removed: BTreeMap::from([("PERSON".to_owned(), 1)]),
            placed: vec!["Person A".into()],
            doubtful: Vec::new(),
            allowed: Vec::new(),
            written: Some(Time::from_unix(1_796_000_000).day()),
            format: Some(Format::Text),
            left: Some(Left {
                recipients: vec!["day shift".into()],
                purpose: None,
                reason: None,
                expires: Some(Time::from_unix(1_800_000_000)),
                exact: "TLP:GREEN".into(),
                sha256: sha256(&[b"TLP:GREEN"]),
            }),
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let text = file().to_text().unwrap();
        assert!(BriefFile::parse(&text).is_some_and(|read| read == file()));
        for (from, to) in [
            ("\"v\":2", "\"v\":1"),
            ("\"v\":2,", "\"v\":2, "),
            ("\"v\":2", "\"w\":1,\"v\":2"),
            ("\"sources\":[", "\"sources\":[\"07070707070707070707070707070707\","),
            ("\"txt\"", "\"doc\""),
            ("}", "} "),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(BriefFile::parse(&text.replacen(from, to, 1)).is_none(), "{to}");
        }
        assert!(BriefFile::parse("a note").is_none());
    }
}
