//! The public key of a vault's concerns: to whom somebody may seal one who has no vault and no name (docs/FORMAT.md §2.4).

use super::card::{Card, Device, DeviceKind};
use super::json;
use super::sshsig::{self, Namespace};
use super::time::Time;
use crate::crypto::{PublicKey, Recipient, sha256};
use crate::id::{DeviceId, Digest, Fingerprint, PersonId, VaultId};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const FIRST_LINE: &str = "strongroom-concern-key-v1\n";

/// Somebody who handles concerns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// What they are called.
    pub handle: String,
    /// Who they are.
    pub person: PersonId,
    /// Base64 of the X-Wing public keys of their devices, sorted.
    recipients: Vec<String>,
}

impl Handler {
    /// Whoever a card describes, with the devices that can open files; paper cannot.
    pub fn of(card: &Card) -> Self {
        let devices = card.devices.iter().filter(|device| device.kind == DeviceKind::Device);
        let mut recipients: Vec<String> = devices
            .filter_map(Device::recipient)
            .map(|recipient| Base64::encode_string(recipient.as_bytes()))
            .collect();
        recipients.sort();
        Self {
            handle: card.handle.clone(),
            person: card.person,
            recipients,
        }
    }

    /// The keys one seals to; none if one of them is no key.
    pub fn recipients(&self) -> Option<Vec<Recipient>> {
        let read = |text: &String| Recipient::from_bytes(&Base64::decode_vec(text).ok()?).ok();
        self.recipients.iter().map(read).collect()
    }
}

/// Who handles a vault's concerns, and what one seals to them with. Anybody may have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcernKey {
    /// The device that signs it.
    pub by: DeviceId,
    /// The vault's founder.
    pub founder: Digest,
    /// Who handles concerns, sorted by handle.
    pub handlers: Vec<Handler>,
    /// Base64 of the Ed25519 public key of that device.
    sign: String,
    /// When.
    pub time: Time,
    /// Version, 1.
    v: u8,
    /// The vault.
    pub vault: VaultId,
}

/// A file is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadConcernKey {
    /// Another kind of file.
    #[error("this is not a key for concerns: its first line is not `strongroom-concern-key-v1`")]
    OtherFile,
    /// Not in its one form.
    #[error("the key for concerns is damaged: get it again, as a file")]
    Malformed,
    /// Not signed by the device that it names.
    #[error("the key for concerns was altered: it is not signed by the device that made it")]
    Signature,
}

impl ConcernKey {
    /// The largest file, in bytes.
    pub const MAX: usize = 256 * 1024;

    /// The key for these handlers, to be signed with that device's key.
    pub fn new(vault: VaultId, founder: Digest, time: Time, handlers: Vec<Handler>, by: (DeviceId, PublicKey)) -> Self {
        let mut handlers = handlers;
        handlers.sort_by(|a, b| a.handle.cmp(&b.handle));
        Self {
            by: by.0,
            founder,
            handlers,
            sign: Base64::encode_string(&by.1.0),
            time,
            v: 1,
            vault,
        }
    }

    fn signed(&self) -> Vec<u8> {
        let mut line = json::to_line(self);
        line.push(b'\n');
        line
    }

    /// The file, with `sign` for an armored signature by the device's key.
    pub fn to_file(&self, sign: impl FnOnce(Namespace, &[u8]) -> String) -> Vec<u8> {
        let signed = self.signed();
        let signature = sign(Namespace::Concern, &signed);
        [FIRST_LINE.as_bytes(), &signed, signature.as_bytes()].concat()
    }

    /// Reads a file. That it is signed proves that it is whole, and nothing of who made it: people compare the fingerprint.
    pub fn parse(file: &[u8]) -> Result<Self, BadConcernKey> {
        let rest = file
            .strip_prefix(FIRST_LINE.as_bytes())
            .ok_or(BadConcernKey::OtherFile)?;
        let parsed = (|| {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let key: Self = json::from_line(&rest[..end])?;
            let signature = std::str::from_utf8(&rest[end + 1..]).ok()?;
            let sign = PublicKey(Base64::decode_vec(&key.sign).ok()?.try_into().ok()?);
            let known = |handler: &Handler| {
                let keys = &handler.recipients;
                Card::check_handle(&handler.handle).is_ok()
                    && !keys.is_empty()
                    && keys.windows(2).all(|pair| pair[0] < pair[1])
                    && handler.recipients().is_some()
            };
            let people: BTreeSet<PersonId> = key.handlers.iter().map(|handler| handler.person).collect();
            let sound = key.v == 1
                && !key.handlers.is_empty()
                && key.handlers.iter().all(known)
                && key.handlers.windows(2).all(|pair| pair[0].handle < pair[1].handle)
                && people.len() == key.handlers.len();
            sound.then_some((key, sign, signature))
        })();
        let (key, sign, signature) = parsed
            .filter(|_| file.len() <= Self::MAX)
            .ok_or(BadConcernKey::Malformed)?;
        sshsig::verify(&sign, Namespace::Concern, &key.signed(), signature).map_err(|_| BadConcernKey::Signature)?;
        Ok(key)
    }

    /// What stands for all of it.
    pub fn digest(&self) -> Digest {
        sha256(&[&json::to_line(self)])
    }

    /// What a writer compares with the words that they know from elsewhere.
    pub fn fingerprint(&self) -> Fingerprint {
        self.digest().into()
    }

    /// Whether it says of who handles concerns what another says.
    pub fn names_the_same(&self, other: &Self) -> bool {
        self.handlers == other.handlers
    }

    /// Whether that key of a device signed it.
    pub fn is_signed_with(&self, key: &PublicKey) -> bool {
        self.sign == Base64::encode_string(&key.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{HybridSecret, SigningKey};
    use crate::secret::Secret;

    fn signing(n: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
    }

    fn handler(n: u8, handle: &str) -> Handler {
        let recipient = HybridSecret::from_seed(&Secret::copy_from(&[n; 32]).unwrap()).recipient();
        Handler {
            handle: handle.into(),
            person: PersonId([n; 8]),
            recipients: vec![Base64::encode_string(recipient.as_bytes())],
        }
    }

    fn key() -> ConcernKey {
        let by = (DeviceId([1; 8]), signing(1).public());
        let handlers = vec![handler(3, "mara"), handler(2, "jon")];
        ConcernKey::new(VaultId([9; 16]), Digest([8; 32]), Time::from_unix(0), handlers, by)
    }

    fn signed(key: &ConcernKey, by: u8) -> Vec<u8> {
        key.to_file(|namespace, message| sshsig::sign(&signing(by), namespace, message))
    }

    #[test]
    fn a_key_comes_back_as_it_was_signed() {
        let file = signed(&key(), 1);
        assert_eq!(ConcernKey::parse(&file), Ok(key()));
        assert_eq!(key().handlers[0].handle, "jon");
        assert!(key().is_signed_with(&signing(1).public()) && !key().is_signed_with(&signing(2).public()));
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let file = signed(&key(), 1);
        for at in (0..file.len()).step_by(7) {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(ConcernKey::parse(&bad).is_err(), "byte {at}");
        }
        assert_eq!(
            ConcernKey::parse(&file[..file.len() - 1]),
            Err(BadConcernKey::Signature)
        );
    }

    #[test]
    fn each_fault_has_its_words() {
        let with = |change: &dyn Fn(&mut ConcernKey), by: u8| {
            let mut key = key();
            change(&mut key);
            ConcernKey::parse(&signed(&key, by)).err()
        };
        assert_eq!(with(&|_| (), 1), None);
        assert_eq!(with(&|_| (), 2), Some(BadConcernKey::Signature));
        let malformed: [&dyn Fn(&mut ConcernKey); 8] = [
            &|key| key.v = 2,
            &|key| key.handlers.clear(),
            &|key| key.handlers.reverse(),
            &|key| key.handlers[1].person = key.handlers[0].person,
            &|key| key.handlers[1].handle = "jon".into(),
            &|key| key.handlers[0].handle = "Jon".into(),
            &|key| key.handlers[0].recipients.clear(),
            &|key| {
                let twice = key.handlers[0].recipients[0].clone();
                key.handlers[0].recipients.push(twice);
            },
        ];
        for change in malformed {
            assert_eq!(with(change, 1), Some(BadConcernKey::Malformed));
        }
        assert_eq!(
            ConcernKey::parse(b"strongroom-request-v1\n"),
            Err(BadConcernKey::OtherFile)
        );
    }

    #[test]
    fn the_fingerprint_stands_for_all_of_it() {
        let changes: [&dyn Fn(&mut ConcernKey); 4] = [
            &|key| key.handlers[0] = handler(4, "jon"),
            &|key| key.founder = Digest([7; 32]),
            &|key| key.time = Time::from_unix(1),
            &|key| drop(key.handlers.pop()),
        ];
        for change in changes {
            let mut other = key();
            change(&mut other);
            assert_ne!(other.fingerprint(), key().fingerprint());
        }
    }
}
