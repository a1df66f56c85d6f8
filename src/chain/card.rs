//! Cards and the roster: who is a member, with which devices and clearance (docs/FORMAT.md §2.2).

use super::entry::{HeadRef, are_heads};
use super::json;
use super::sshsig::{self, Namespace};
use super::time::Time;
use crate::crypto::{PublicKey, Recipient, SigningKey, sha256};
use crate::id::{CompartmentId, DeviceId, Digest, PersonId, VaultId};
use crate::label::{Clearance, Level};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

/// The longest card file, in bytes.
const MAX: usize = 256 * 1024;

/// What a member does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Checks the log; reads no note.
    Auditor,
    /// Admits, removes, decides.
    Lead,
    /// Records and reads.
    Officer,
}

/// How a device exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A machine with an identity file.
    Device,
    /// A recovery key on paper.
    Paper,
}

/// A device of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its id.
    pub device: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// Base64 of its X-Wing public key.
    recipient: String,
    /// Base64 of its Ed25519 public key.
    sign: String,
}

impl Device {
    /// A device with its public keys.
    pub fn new(device: DeviceId, kind: DeviceKind, recipient: &Recipient, sign: PublicKey) -> Self {
        Self {
            device,
            kind,
            recipient: Base64::encode_string(recipient.as_bytes()),
            sign: Base64::encode_string(&sign.0),
        }
    }

    /// The key it signs with.
    pub fn sign_key(&self) -> Option<PublicKey> {
        Some(PublicKey(Base64::decode_vec(&self.sign).ok()?.try_into().ok()?))
    }

    /// The key one seals to.
    pub fn recipient(&self) -> Option<Recipient> {
        Recipient::from_bytes(&Base64::decode_vec(&self.recipient).ok()?).ok()
    }
}

/// One card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The device that signs.
    pub by: DeviceId,
    /// Compartments held, sorted.
    pub compartments: Vec<CompartmentId>,
    /// The person's devices, sorted.
    pub devices: Vec<Device>,
    /// What the person is called.
    pub handle: String,
    /// Ends of histories of one log that a lead knows to be by its device, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<HeadRef>,
    /// The clearance's level, 0 to 4.
    pub level: u8,
    /// Place in the chain.
    pub n: u64,
    /// The person.
    pub person: PersonId,
    /// Digest of the card before.
    pub prev: Digest,
    /// Roles, sorted.
    pub roles: Vec<Role>,
    /// When.
    pub time: Time,
    /// Version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
}

/// Why cards make no roster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCard {
    /// A file is no card.
    #[error("card {0} is damaged: it is not in its canonical form")]
    Malformed(usize),
    /// The chain is broken.
    #[error("card {0} does not follow the card before it")]
    Chain(usize),
    /// Of another vault.
    #[error("card {0} belongs to another vault")]
    Foreign(usize),
    /// Signed by nobody who may.
    #[error("card {0} is not signed by somebody who may admit members")]
    Signature(usize),
    /// A device known before has other keys, or another owner.
    #[error("card {0} gives a known device another key, kind or owner")]
    Device(usize),
    /// Not the founder who was pinned.
    #[error("the founder's card is not the one that this device pinned")]
    OtherFounder,
    /// No card at all.
    #[error("the vault has no member")]
    Empty,
    /// The handle is not one.
    #[error("`{0}` is no handle: it takes 1 to 32 characters out of a–z, 0–9, `.`, `_`, `-`, beginning with a letter")]
    Handle(String),
}

impl Card {
    /// Checks a handle.
    pub fn check_handle(handle: &str) -> Result<(), BadCard> {
        let sound = (1..=32).contains(&handle.len())
            && handle.starts_with(|c: char| c.is_ascii_lowercase())
            && handle
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if sound {
            Ok(())
        } else {
            Err(BadCard::Handle(handle.chars().take(64).collect()))
        }
    }

    /// The signed file: line, newline, armored signature.
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        let mut file = json::to_line(self);
        file.push(b'\n');
        let signature = sshsig::sign(key, Namespace::Card, &file);
        file.extend_from_slice(signature.as_bytes());
        file
    }

    /// Its digest: that of its line.
    pub fn digest(&self) -> Digest {
        sha256(&[&json::to_line(self)])
    }

    /// Reads a file: the card and its signature, which is not yet verified.
    fn parse(file: &[u8]) -> Option<(Self, Vec<u8>, String)> {
        if file.len() > MAX {
            return None;
        }
        let end = file.iter().position(|byte| *byte == b'\n')?;
        let card: Self = json::from_line(&file[..end])?;
        let signature = std::str::from_utf8(&file[end + 1..]).ok()?.to_owned();
        let joined = are_heads(&card.joined);
        let sorted = card.compartments.windows(2).all(|pair| pair[0] < pair[1])
            && card.roles.windows(2).all(|pair| pair[0] < pair[1])
            && card.devices.windows(2).all(|pair| pair[0].device < pair[1].device);
        let keys = card
            .devices
            .iter()
            .all(|device| device.sign_key().is_some() && device.recipient().is_some());
        let sound = card.v == 1 && card.level <= 4 && Self::check_handle(&card.handle).is_ok();
        (sorted && joined && keys && sound).then(|| (card, file[..=end].to_vec(), signature))
    }

    /// The path of the card in `main`.
    pub fn path(&self) -> String {
        format!("members/{:04}-{}.card", self.n, self.person)
    }

    /// What this person may read.
    pub fn clearance(&self) -> Clearance {
        Clearance {
            person: self.person,
            level: Level::from_number(self.level).unwrap_or(Level::Public),
            compartments: self.compartments.iter().copied().collect(),
        }
    }
}

/// A verified chain of cards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roster {
    cards: Vec<Card>,
    digests: Vec<Digest>,
}

impl Roster {
    /// Verifies card files in the order of their numbers. With `founder` the first one must be that card.
    pub fn verify(vault: VaultId, founder: Option<Digest>, files: &[&[u8]]) -> Result<Self, BadCard> {
        let mut roster = Self {
            cards: Vec::new(),
            digests: Vec::new(),
        };
        for (n, file) in files.iter().enumerate() {
            let (card, signed, signature) = Card::parse(file).ok_or(BadCard::Malformed(n))?;
            let prev = roster.digests.last().copied().unwrap_or(Digest([0; 32]));
            if card.vault != vault {
                return Err(BadCard::Foreign(n));
            }
            if card.n != n as u64 || card.prev != prev {
                return Err(BadCard::Chain(n));
            }
            let digest = card.digest();
            if n == 0 && founder.is_some_and(|pin| pin != digest) {
                return Err(BadCard::OtherFounder);
            }
            if !card.devices.iter().all(|device| roster.keeps(card.person, device)) {
                return Err(BadCard::Device(n));
            }
            let signer = roster.signer(&card).ok_or(BadCard::Signature(n))?;
            sshsig::verify(&signer, Namespace::Card, &signed, &signature).map_err(|_| BadCard::Signature(n))?;
            roster.cards.push(card);
            roster.digests.push(digest);
        }
        if roster.cards.is_empty() {
            Err(BadCard::Empty)
        } else {
            Ok(roster)
        }
    }

    /// Whether a device is new, or is as every earlier card has it: a device id never changes its keys or its owner.
    fn keeps(&self, person: PersonId, device: &Device) -> bool {
        let known = self
            .cards
            .iter()
            .flat_map(|card| card.devices.iter().map(move |known| (card.person, known)));
        known
            .filter(|(_, known)| known.device == device.device)
            .all(|known| known == (person, device))
    }

    /// The key that must have signed `card`, if its `by` may.
    fn signer(&self, card: &Card) -> Option<PublicKey> {
        if self.cards.is_empty() {
            let own = card.devices.iter().find(|device| device.device == card.by)?;
            return (own.kind == DeviceKind::Device).then(|| own.sign_key()).flatten();
        }
        let (person, device) = self.device(card.by)?;
        let lead = person.roles.contains(&Role::Lead);
        let own_recovery = device.kind == DeviceKind::Paper && person.person == card.person;
        (lead && (device.kind == DeviceKind::Device || own_recovery))
            .then(|| device.sign_key())
            .flatten()
    }

    /// The cards in force, one a person.
    pub fn members(&self) -> impl Iterator<Item = &Card> {
        self.cards.iter().enumerate().filter_map(|(n, card)| {
            let replaced = self.cards[n + 1..].iter().any(|later| later.person == card.person);
            (!replaced).then_some(card)
        })
    }

    /// The card in force for a person.
    pub fn member(&self, person: PersonId) -> Option<&Card> {
        self.cards.iter().rev().find(|card| card.person == person)
    }

    /// Whose device it is, by the cards in force.
    pub fn device(&self, device: DeviceId) -> Option<(&Card, &Device)> {
        self.members()
            .find_map(|card| Some((card, card.devices.iter().find(|known| known.device == device)?)))
    }

    /// A device by any card that ever admitted it, for checking what it signed then.
    pub fn device_ever(&self, device: DeviceId) -> Option<&Device> {
        self.cards
            .iter()
            .rev()
            .find_map(|card| card.devices.iter().find(|known| known.device == device))
    }

    /// Whether the card of that digest admits `device`.
    pub fn admits(&self, card: Digest, device: DeviceId) -> bool {
        let at = self.digests.iter().position(|digest| *digest == card);
        at.is_some_and(|n| self.cards[n].devices.iter().any(|known| known.device == device))
    }

    /// The roster digest: that of the last card.
    pub fn digest(&self) -> Digest {
        self.digests.last().copied().unwrap_or(Digest([0; 32]))
    }

    /// The founder pin: the digest of the first card.
    pub fn founder(&self) -> Digest {
        self.digests.first().copied().unwrap_or(Digest([0; 32]))
    }

    /// Whether the chain once ended with that digest.
    pub fn contains(&self, digest: Digest) -> bool {
        self.digests.contains(&digest)
    }

    /// All cards, in order.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// The `allowed_signers` file for stock git.
    pub fn allowed_signers(&self) -> String {
        let mut lines = String::new();
        for card in &self.cards {
            for device in &card.devices {
                let Some(key) = device.sign_key() else { continue };
                let line = format!("{} namespaces=\"git\" {}\n", card.handle, sshsig::public_line(&key));
                if !lines.contains(&line) {
                    lines.push_str(&line);
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::HybridSecret;
    use crate::secret::Secret;

    const VAULT: VaultId = VaultId([1; 16]);

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
    }

    fn device(n: u8, kind: DeviceKind) -> Device {
        let recipient = HybridSecret::from_seed(&Secret::copy_from(&[n; 32]).unwrap()).recipient();
        Device::new(DeviceId([n; 8]), kind, &recipient, key(n).public())
    }

    fn founder() -> Card {
        Card {
            by: DeviceId([1; 8]),
            compartments: vec![],
            devices: vec![device(1, DeviceKind::Device), device(2, DeviceKind::Paper)],
            handle: "mara".into(),
            joined: vec![],
            level: 3,
            n: 0,
            person: PersonId([1; 8]),
            prev: Digest([0; 32]),
            roles: vec![Role::Lead, Role::Officer],
            time: Time::from_unix(0),
            v: 1,
            vault: VAULT,
        }
    }

    fn next(by: u8, person: u8, devices: Vec<Device>) -> Card {
        let first = founder();
        let prev = first.digest();
        Card {
            by: DeviceId([by; 8]),
            n: 1,
            person: PersonId([person; 8]),
            prev,
            devices,
            roles: vec![Role::Officer],
            ..first
        }
    }

    #[test]
    fn a_chain_signed_by_leads_is_a_roster() {
        let (first, second) = (founder(), next(1, 9, vec![device(9, DeviceKind::Device)]));
        let files = [first.sign(&key(1)), second.sign(&key(1))];
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let roster = Roster::verify(VAULT, Some(first.digest()), &files).unwrap();
        assert_eq!(roster.members().count(), 2);
        assert_eq!(roster.digest(), second.digest());
        assert!(roster.admits(first.digest(), DeviceId([1; 8])) && !roster.admits(first.digest(), DeviceId([9; 8])));
        assert_eq!(roster.allowed_signers().lines().count(), 3);
        assert_eq!(
            Roster::verify(VAULT, Some(second.digest()), &files),
            Err(BadCard::OtherFounder)
        );
        assert_eq!(Roster::verify(VaultId([2; 16]), None, &files), Err(BadCard::Foreign(0)));
        assert_eq!(Roster::verify(VAULT, None, &files[1..]), Err(BadCard::Chain(0)));
        assert_eq!(Roster::verify(VAULT, None, &[]), Err(BadCard::Empty));
    }

    #[test]
    fn nobody_else_signs_cards() {
        let first = founder().sign(&key(1));
        let by_stranger = next(1, 9, vec![device(9, DeviceKind::Device)]).sign(&key(7));
        let by_paper_for_another = next(2, 9, vec![device(9, DeviceKind::Device)]).sign(&key(2));
        let by_unknown = next(8, 9, vec![device(9, DeviceKind::Device)]).sign(&key(8));
        for bad in [by_stranger, by_paper_for_another, by_unknown] {
            assert_eq!(Roster::verify(VAULT, None, &[&first, &bad]), Err(BadCard::Signature(1)));
        }
        let own = next(
            2,
            1,
            vec![
                device(1, DeviceKind::Device),
                device(2, DeviceKind::Paper),
                device(3, DeviceKind::Device),
            ],
        );
        assert!(Roster::verify(VAULT, None, &[&first, &own.sign(&key(2))]).is_ok());
    }

    #[test]
    fn a_device_keeps_its_keys_and_its_owner() {
        let first = founder().sign(&key(1));
        let mut renewed = next(1, 1, vec![device(1, DeviceKind::Device), device(2, DeviceKind::Paper)]);
        let stranger = device(7, DeviceKind::Device);
        renewed.devices[0] = Device {
            device: DeviceId([1; 8]),
            ..stranger
        };
        let taken = next(1, 9, vec![device(2, DeviceKind::Paper)]);
        for bad in [renewed, taken] {
            assert_eq!(
                Roster::verify(VAULT, None, &[&first, &bad.sign(&key(1))]),
                Err(BadCard::Device(1))
            );
        }
    }

    #[test]
    fn handles_are_plain() {
        for bad in ["", "Mara", "9lives", "a b", "a/b", "é", &"a".repeat(33)] {
            assert!(Card::check_handle(bad).is_err(), "{bad}");
        }
        assert!(Card::check_handle("mara.okafor-2").is_ok());
    }
}
