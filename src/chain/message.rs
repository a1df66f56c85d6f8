//! The message of an audit commit: line, checkpoint, frontier (docs/FORMAT.md §8).

use super::checkpoint::SignedCheckpoint;
use super::entry::ENTRY_MAX;
use super::tree::Frontier;
use crate::id::Digest;
use base64ct::{Base64, Encoding};

/// The longest message, in bytes.
const MAX: usize = ENTRY_MAX + 8 * 1024;

/// A commit message of an audit ref. The line is kept as bytes: it is hashed as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The entry's line.
    pub line: Vec<u8>,
    /// The checkpoint after it.
    pub checkpoint: SignedCheckpoint,
    /// The tree's frontier after it.
    pub frontier: Frontier,
}

/// Why a message is none of an audit commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// Not in three parts, or a part is malformed.
    #[error("this commit message is not an entry with its checkpoint and frontier")]
    Malformed,
    /// The frontier does not combine to the checkpoint's root.
    #[error("the frontier in this commit does not hash to the root that its checkpoint signs")]
    FrontierMismatch,
}

impl Message {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.line.clone();
        out.extend_from_slice(b"\n\n");
        out.extend_from_slice(self.checkpoint.to_text().as_bytes());
        out.extend_from_slice(b"\nfrontier\n");
        for root in self.frontier.roots() {
            out.extend_from_slice(Base64::encode_string(&root.0).as_bytes());
            out.push(b'\n');
        }
        out
    }

    /// Reads a message; strict, and the frontier must hash to the root.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadMessage> {
        let parsed = Self::parse_unjoined(bytes)?;
        if parsed.frontier.root() == parsed.checkpoint.checkpoint.root {
            Ok(parsed)
        } else {
            Err(BadMessage::FrontierMismatch)
        }
    }

    /// Reads a message whose frontier need not hash to the root: for a verifier that looks for the reason.
    pub fn parse_unjoined(bytes: &[u8]) -> Result<Self, BadMessage> {
        if bytes.len() > MAX {
            return Err(BadMessage::Malformed);
        }
        let parsed = Self::parse_parts(bytes).ok_or(BadMessage::Malformed)?;
        if parsed.to_bytes() == bytes {
            Ok(parsed)
        } else {
            Err(BadMessage::Malformed)
        }
    }

    fn parse_parts(bytes: &[u8]) -> Option<Self> {
        // An entry has no raw newline, so the first one ends it.
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = bytes.split_at(end);
        let rest = std::str::from_utf8(rest.strip_prefix(b"\n\n")?).ok()?;
        let (note, roots) = rest.split_once("\nfrontier\n")?;
        let checkpoint = SignedCheckpoint::parse(note).ok()?;
        let roots = roots
            .lines()
            .map(|line| Some(Digest(Base64::decode_vec(line).ok()?.try_into().ok()?)));
        let roots: Vec<Digest> = roots.collect::<Option<_>>()?;
        let frontier = Frontier::from_parts(checkpoint.checkpoint.size, roots).ok()?;
        Some(Self {
            line: line.to_vec(),
            checkpoint,
            frontier,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Checkpoint;
    use super::super::tree::leaf_hash;
    use super::*;
    use crate::crypto::SigningKey;
    use crate::id::VaultId;
    use crate::secret::Secret;

    fn example() -> Message {
        let mut frontier = Frontier::default();
        (0..7u8).for_each(|n| frontier.push(leaf_hash(&[n])));
        let checkpoint = Checkpoint {
            vault: VaultId([1; 16]),
            log: "0102030405060708-090a0b0c".parse().unwrap(),
            size: 7,
            root: frontier.root(),
        };
        let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
        Message {
            line: b"{}".to_vec(),
            checkpoint: checkpoint.sign(&key),
            frontier,
        }
    }

    #[test]
    fn a_message_comes_back() {
        let message = example();
        assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn one_fault_each_is_refused() {
        let text = String::from_utf8(example().to_bytes()).unwrap();
        let last = text.trim_end().lines().last().unwrap().to_owned();
        let other = Base64::encode_string(&[0; 32]);
        assert_eq!(
            Message::parse(text.replace(&last, &other).as_bytes()),
            Err(BadMessage::FrontierMismatch)
        );
        for (fault, bad) in [
            ("a hash too few", text.replace(&format!("{last}\n"), "")),
            ("a hash too many", format!("{text}{other}\n")),
            ("no last newline", text.trim_end().to_owned()),
            ("an empty line more", format!("{text}\n")),
            ("no frontier", text.split("\nfrontier").next().unwrap().to_owned()),
            ("no line", "\n\n".to_owned()),
        ] {
            assert_eq!(Message::parse(bad.as_bytes()), Err(BadMessage::Malformed), "{fault}");
        }
    }
}
