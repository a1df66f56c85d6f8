//! Checkpoints: C2SP signed notes over the tree (c2sp.org/tlog-checkpoint, c2sp.org/signed-note).

use crate::crypto::{PublicKey, SIGNATURE_LEN, SigningKey, sha256};
use crate::id::{Digest, LogName, VaultId};
use base64ct::{Base64, Encoding};

/// The longest checkpoint text that is read, in bytes.
const MAX: usize = 1024;
/// The algorithm byte of a log's Ed25519 key in a C2SP key id.
pub(super) const ED25519: u8 = 0x01;

/// The origin line of a log's checkpoints, which is also the name of its key.
pub fn origin(vault: VaultId, log: LogName) -> String {
    format!("{vault}/audit/{log}")
}

/// What a checkpoint says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The vault.
    pub vault: VaultId,
    /// The log.
    pub log: LogName,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

/// A checkpoint with its one signature, not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    key_id: [u8; 4],
    signature: [u8; SIGNATURE_LEN],
}

/// Why a text is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// Not the one form a checkpoint has here.
    #[error("not a checkpoint: it takes an origin, a size, a root, an empty line and one signature")]
    Malformed,
    /// It is about another vault or log.
    #[error("this checkpoint belongs to another vault or device")]
    Foreign,
    /// The signature is not by the device's key.
    #[error("this checkpoint is not signed with the device's key")]
    BadSignature,
}

/// The C2SP key id: what a key is for is part of it.
pub(super) fn key_id(name: &str, algorithm: u8, key: &PublicKey) -> [u8; 4] {
    let digest = sha256(&[name.as_bytes(), b"\n", &[algorithm], &key.0]);
    [digest.0[0], digest.0[1], digest.0[2], digest.0[3]]
}

impl Checkpoint {
    /// The three signed lines.
    pub(super) fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            origin(self.vault, self.log),
            self.size,
            Base64::encode_string(&self.root.0)
        )
    }

    /// Signs it with the device's key.
    pub fn sign(self, key: &SigningKey) -> SignedCheckpoint {
        let name = origin(self.vault, self.log);
        SignedCheckpoint {
            key_id: key_id(&name, ED25519, &key.public()),
            signature: key.sign(self.body().as_bytes()),
            checkpoint: self,
        }
    }
}

impl SignedCheckpoint {
    /// The signed note, ended by a newline.
    pub fn to_text(&self) -> String {
        let signature = Base64::encode_string(&[self.key_id.as_slice(), &self.signature].concat());
        let name = origin(self.checkpoint.vault, self.checkpoint.log);
        format!("{}\n\u{2014} {name} {signature}\n", self.checkpoint.body())
    }

    /// Reads a signed note with exactly one signature and no extension lines.
    pub fn parse(text: &str) -> Result<Self, BadCheckpoint> {
        if text.len() > MAX {
            return Err(BadCheckpoint::Malformed);
        }
        let parsed = Self::parse_lines(text).ok_or(BadCheckpoint::Malformed)?;
        // Leading zeros, other line ends and the like do not come back.
        if parsed.to_text() == text {
            Ok(parsed)
        } else {
            Err(BadCheckpoint::Malformed)
        }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (vault, log) = lines.next()?.split_once("/audit/")?;
        let size = lines.next()?.parse().ok().filter(|size| *size < 1 << 53)?;
        let root = Digest(Base64::decode_vec(lines.next()?).ok()?.try_into().ok()?);
        lines.next().filter(|line| line.is_empty())?;
        let (_, signature) = lines.next()?.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = Base64::decode_vec(signature).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        Some(Self {
            checkpoint: Checkpoint {
                vault: vault.parse().ok()?,
                log: log.parse().ok()?,
                size,
                root,
            },
            key_id: *key_id,
            signature: signature.try_into().ok()?,
        })
    }

    /// Whether it is about this log of this vault.
    pub fn check_origin(&self, vault: VaultId, log: LogName) -> Result<(), BadCheckpoint> {
        let same = self.checkpoint.vault == vault && self.checkpoint.log == log;
        if same { Ok(()) } else { Err(BadCheckpoint::Foreign) }
    }

    /// Whether `key` signed it.
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadCheckpoint> {
        let name = origin(self.checkpoint.vault, self.checkpoint.log);
        let named = key_id(&name, ED25519, key) == self.key_id;
        let signed = key.verify(self.checkpoint.body().as_bytes(), &self.signature).is_ok();
        if named && signed {
            Ok(())
        } else {
            Err(BadCheckpoint::BadSignature)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
    }

    fn example() -> SignedCheckpoint {
        let log = "0102030405060708-090a0b0c".parse().unwrap();
        Checkpoint {
            vault: VaultId([1; 16]),
            log,
            size: 7,
            root: Digest([2; 32]),
        }
        .sign(&key(1))
    }

    #[test]
    fn a_checkpoint_comes_back_and_verifies() {
        let signed = example();
        let again = SignedCheckpoint::parse(&signed.to_text()).unwrap();
        assert_eq!(again, signed);
        assert_eq!(again.verify(&key(1).public()), Ok(()));
        assert_eq!(again.verify(&key(2).public()), Err(BadCheckpoint::BadSignature));
        assert_eq!(
            again.check_origin(VaultId([9; 16]), signed.checkpoint.log),
            Err(BadCheckpoint::Foreign)
        );
    }

    #[test]
    fn one_fault_each_is_refused() {
        let text = example().to_text();
        let lines: Vec<&str> = text.lines().collect();
        let join = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let faults = [
            ("no signature", join(&lines[..4])),
            ("two signatures", join(&[&lines[..], &lines[4..]].concat())),
            (
                "an extension line",
                join(&[&lines[..3], &["extra"], &lines[3..]].concat()),
            ),
            ("a leading zero", text.replace("\n7\n", "\n07\n")),
            ("carriage returns", text.replace('\n', "\r\n")),
            ("no last newline", text.trim_end().to_owned()),
            ("a hyphen for the dash", text.replace('\u{2014}', "-")),
            ("another key name", text.replacen("\u{2014} 0", "\u{2014} 1", 1)),
            ("a short root", text.replace("AgI=", "")),
            ("empty", String::new()),
        ];
        for (fault, bad) in faults {
            assert_eq!(SignedCheckpoint::parse(&bad), Err(BadCheckpoint::Malformed), "{fault}");
        }
        let moved = text.replace("\n7\n", "\n8\n");
        assert_eq!(
            SignedCheckpoint::parse(&moved).unwrap().verify(&key(1).public()),
            Err(BadCheckpoint::BadSignature)
        );
    }
}
