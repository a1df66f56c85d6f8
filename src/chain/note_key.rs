//! Keys of C2SP signed notes as text (c2sp.org/signed-note, "Verifier keys"): the name, the key's id, and the key with
//! what it signs.

use super::checkpoint::{ED25519, key_id};
use crate::crypto::PublicKey;
use base64ct::{Base64, Encoding};
use std::fmt;
use std::str::FromStr;

/// The longest name of a key that is read, in bytes.
pub(super) const NAME_MAX: usize = 255;

/// What a key of a note signs; the same key has another id for each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Signs {
    /// A log's checkpoints.
    Checkpoints,
    /// Cosignatures of checkpoints (c2sp.org/tlog-cosignature, Ed25519).
    Cosignatures,
}

impl Signs {
    pub(super) fn algorithm(self) -> u8 {
        match self {
            Self::Checkpoints => ED25519,
            Self::Cosignatures => 0x04,
        }
    }
}

/// A public key of a note.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NoteKey {
    name: String,
    signs: Signs,
    key: PublicKey,
}

/// The text is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNoteKey {
    /// Not the one form that a key has.
    #[error("this is not a key line: it takes NAME+ID+KEY, as `audit witness init` and `audit prove` print it")]
    Malformed,
    /// The id is another key's or name's.
    #[error("this key line was altered or mistyped: its id does not belong to its name and key")]
    OtherId,
    /// Not Ed25519, or for something else.
    #[error("this key line is of a kind that is not used here")]
    OtherKind,
}

/// Whether a text can be the name of a note's key: not empty, no spaces, no plus, no control characters.
pub(super) fn is_name(name: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && name.len() <= NAME_MAX && !name.contains(odd)
}

impl NoteKey {
    /// A key by its parts; none if the name cannot be one.
    pub fn new(name: String, signs: Signs, key: PublicKey) -> Option<Self> {
        is_name(&name).then_some(Self { name, signs, key })
    }

    /// The key of a witness whose name was checked.
    pub(super) fn of_witness(name: &str, key: PublicKey) -> Self {
        let (name, signs) = (name.to_owned(), Signs::Cosignatures);
        Self { name, signs, key }
    }

    /// Whose it is, in their own words.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn signs(&self) -> Signs {
        self.signs
    }

    /// The key.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Its id, which stands before every signature.
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.signs.algorithm(), &self.key)
    }

    fn parse_parts(text: &str) -> Result<Self, BadNoteKey> {
        let (name, rest) = text.split_once('+').ok_or(BadNoteKey::Malformed)?;
        let (id, key) = rest.split_once('+').ok_or(BadNoteKey::Malformed)?;
        let bytes = Base64::decode_vec(key).map_err(|_| BadNoteKey::Malformed)?;
        let (algorithm, key) = bytes.split_first().ok_or(BadNoteKey::Malformed)?;
        let mut kinds = [Signs::Checkpoints, Signs::Cosignatures].into_iter();
        let signs = kinds
            .find(|signs| signs.algorithm() == *algorithm)
            .ok_or(BadNoteKey::OtherKind)?;
        let key = PublicKey(key.try_into().map_err(|_| BadNoteKey::Malformed)?);
        let parsed = Self::new(name.to_owned(), signs, key).ok_or(BadNoteKey::Malformed)?;
        match id == hex(parsed.id()) {
            true => Ok(parsed),
            false => Err(BadNoteKey::OtherId),
        }
    }
}

pub(super) fn hex(id: [u8; 4]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.signs.algorithm()], self.key.0.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.id()), Base64::encode_string(&key))
    }
}

impl FromStr for NoteKey {
    type Err = BadNoteKey;
    fn from_str(text: &str) -> Result<Self, BadNoteKey> {
        if text.len() > NAME_MAX + 64 {
            return Err(BadNoteKey::Malformed);
        }
        let parsed = Self::parse_parts(text)?;
        match parsed.to_string() == text {
            true => Ok(parsed),
            false => Err(BadNoteKey::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signed_note::Verifier;

    const SPEC: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn the_example_of_the_specification_is_read_and_verifies_its_note() {
        let key: NoteKey = SPEC.parse().unwrap();
        assert_eq!(
            (key.name(), key.signs(), key.id()),
            ("example.com/foo", Signs::Checkpoints, [0x53, 0x0d, 0x90, 0x3a])
        );
        assert_eq!(key.to_string(), SPEC);
        let signature = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
        let bytes = Base64::decode_vec(signature).unwrap();
        assert_eq!(bytes[..4], key.id());
        assert!(key.key().verify(b"This is an example message.\n", &bytes[4..]).is_ok());
        let theirs = signed_note::StandardVerifier::new(SPEC).unwrap();
        assert_eq!(
            (theirs.name(), theirs.key_id()),
            (key.name(), u32::from_be_bytes(key.id()))
        );
    }

    #[test]
    fn one_fault_each_is_refused() {
        let parse = |text: &str| text.parse::<NoteKey>().unwrap_err();
        for bad in [
            "",
            "example.com/foo",
            "example.com/foo+530d903a",
            "example.com/foo+530d903a+",
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
            "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        ] {
            assert_eq!(parse(bad), BadNoteKey::Malformed, "{bad}");
        }
        for bad in [
            SPEC.replace("530d903a", "530D903A"),
            SPEC.replace("530d", "530c"),
            SPEC.replace("foo", "fop"),
        ] {
            assert_eq!(parse(&bad), BadNoteKey::OtherId, "{bad}");
        }
        assert_eq!(parse(&SPEC.replace("+Aek", "+Bek")), BadNoteKey::OtherKind);
        assert_eq!(parse(&format!("{SPEC}\n")), BadNoteKey::Malformed);
    }

    #[test]
    fn the_same_key_has_another_id_for_each_use() {
        let key = PublicKey([1; 32]);
        let [log, witness] =
            [Signs::Checkpoints, Signs::Cosignatures].map(|signs| NoteKey::new("w".into(), signs, key));
        assert_ne!(log.unwrap().id(), witness.unwrap().id());
        assert!(NoteKey::new("a+b".into(), Signs::Checkpoints, key).is_none());
        assert!(NoteKey::new("a\u{a0}b".into(), Signs::Checkpoints, key).is_none());
    }
}
