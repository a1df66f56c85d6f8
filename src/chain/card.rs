//! Cards: what one says of a member, their devices and clearance (docs/FORMAT.md §2.2).

use super::cuts::{Cut, are_cuts};
use super::entry::{HeadRef, are_heads};
use super::json;
use super::sshsig::{self, Namespace};
use super::time::Time;
use crate::crypto::{PublicKey, Recipient, SigningKey, sha256};
use crate::envelope::KeyUse;
use crate::id::{CompartmentId, DeviceId, Digest, KeyId, PersonId, VaultId};
use crate::label::{Clearance, Level};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest card file, in bytes.
const MAX: usize = 256 * 1024;

/// What a member does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Checks the log; reads no note.
    Auditor,
    /// Opens in an emergency what their clearance does not cover, of their compartments.
    BreakGlass,
    /// Admits, removes, decides.
    Lead,
    /// Records and reads.
    Officer,
}

impl Role {
    /// As it stands in cards and is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::BreakGlass => "breakglass",
            Self::Lead => "lead",
            Self::Officer => "officer",
        }
    }
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
    pub(super) recipient: String,
    /// Base64 of its Ed25519 public key.
    pub(super) sign: String,
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

/// The public half of the auditors' key: with it a device wraps the keys to its details, whoever holds the other half.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditorsKey {
    /// The id of the key in the rings of those who hold it.
    pub key: KeyId,
    /// Base64 of its X-Wing public key.
    pub(super) recipient: String,
}

impl AuditorsKey {
    /// The public half of the key of that id.
    pub fn new(key: KeyId, recipient: &Recipient) -> Self {
        Self {
            key,
            recipient: Base64::encode_string(recipient.as_bytes()),
        }
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
    /// The auditors' key from this card on, if it is another than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auditors: Option<AuditorsKey>,
    /// The device that signs.
    pub by: DeviceId,
    /// Compartments held, sorted.
    pub compartments: Vec<CompartmentId>,
    /// How far logs of devices count that the person no longer has, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
    /// The person's devices, sorted.
    pub devices: Vec<Device>,
    /// What the person is called.
    pub handle: String,
    /// Ends of histories of one log that a lead knows to be by its device, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<HeadRef>,
    /// Keys that are in force from this card on, by what they are for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, KeyId>,
    /// Keys that the person is lent, by what they are for, and until when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lent: BTreeMap<String, Time>,
    /// The clearance's level, 0 to 4.
    pub level: u8,
    /// Place in the chain.
    pub n: u64,
    /// Whether a lead has paused the membership.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
    /// The person.
    pub person: PersonId,
    /// Digest of the card before.
    pub prev: Digest,
    /// Roles, sorted.
    pub roles: Vec<Role>,
    /// When.
    pub time: Time,
    /// When the membership ends, if it does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
}

fn is_false(is: &bool) -> bool {
    !is
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
    /// Cuts a log that it may not cut, or not so far.
    #[error("card {0} says of logs how far they count, and may not say so of these, or not that")]
    Cuts(usize),
    /// Not the founder who was pinned.
    #[error("the founder's card is not the one that this device pinned")]
    OtherFounder,
    /// Under another name than its own.
    #[error("card {0} stands under another name than its own")]
    Name(usize),
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
    pub(super) fn parse(file: &[u8]) -> Option<(Self, Vec<u8>, String)> {
        if file.len() > MAX {
            return None;
        }
        let end = file.iter().position(|byte| *byte == b'\n')?;
        let card: Self = json::from_line(&file[..end])?;
        let signature = std::str::from_utf8(&file[end + 1..]).ok()?.to_owned();
        let sorted = are_cuts(&card.cuts)
            && are_heads(&card.joined)
            && card.compartments.windows(2).all(|pair| pair[0] < pair[1])
            && card.roles.windows(2).all(|pair| pair[0] < pair[1])
            && card.devices.windows(2).all(|pair| pair[0].device < pair[1].device);
        let keys = card
            .devices
            .iter()
            .all(|device| device.sign_key().is_some() && device.recipient().is_some());
        let keys = keys && card.auditors.as_ref().is_none_or(|key| key.recipient().is_some());
        let named = |text: &String| matches!(text.parse(), Ok(KeyUse::Level(_) | KeyUse::Compartment(_)));
        let keys = keys && card.keys.keys().chain(card.lent.keys()).all(named);
        let sound = card.v == 1 && card.level <= 4 && Self::check_handle(&card.handle).is_ok();
        (sorted && keys && sound).then(|| (card, file[..=end].to_vec(), signature))
    }

    /// The path of the card in `main`.
    pub fn path(&self) -> String {
        format!("members/{:04}-{}.card", self.n, self.person)
    }

    /// Whether it belongs to nobody's member any more: a card without a device.
    pub fn is_removed(&self) -> bool {
        self.devices.is_empty()
    }

    /// Whether somebody with such a card is due a key for that: by their clearance, lent, or with the role that opens every
    /// level in an emergency. Being an auditor opens no note: who is nothing else gets no key to one.
    pub fn is_due(&self, usage: KeyUse) -> bool {
        let glass = matches!(usage, KeyUse::Level(_)) && self.roles.contains(&Role::BreakGlass);
        let lent = self.loans().any(|(lent, _)| lent.covers(usage));
        self.is_due_for_good(usage) || (self.reads() && !self.is_removed() && (glass || lent))
    }

    /// The same by their clearance and roles alone: only such keys may somebody give to others.
    pub fn is_due_for_good(&self, usage: KeyUse) -> bool {
        let due = match usage {
            KeyUse::Level(level) => self.reads() && level.number() <= self.level,
            KeyUse::Compartment(id) => self.reads() && self.compartments.contains(&id),
            KeyUse::Auditors => self.roles.contains(&Role::Auditor),
        };
        due && !self.is_removed()
    }

    fn reads(&self) -> bool {
        self.roles.iter().any(|role| !matches!(role, Role::Auditor))
    }

    /// What is lent, and until when.
    pub fn loans(&self) -> impl Iterator<Item = (KeyUse, Time)> {
        let lent = self.lent.iter();
        lent.filter_map(|(usage, until)| Some((usage.parse().ok()?, *until)))
    }

    /// What somebody with such a card may be due a key for.
    pub fn uses(&self) -> impl Iterator<Item = KeyUse> {
        let levels = Level::ALL.into_iter().filter(|level| *level != Level::Named);
        let lent = self.loans().map(|(usage, _)| usage);
        let compartments = self.compartments.iter().copied().map(KeyUse::Compartment);
        let compartments = compartments.chain(lent.filter(|usage| matches!(usage, KeyUse::Compartment(_))));
        let all = levels.map(KeyUse::Level).chain(compartments).chain([KeyUse::Auditors]);
        all.filter(|usage| self.is_due(*usage))
    }

    /// Whether the membership is over at that time.
    pub fn has_ended(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Whether they may do nothing at that time: paused, or over.
    pub fn waits(&self, now: Time) -> bool {
        self.paused || self.has_ended(now)
    }

    /// Whether with this card in the place of `before` its person is given again all keys that they are due: where a pause, an
    /// end or a loan is another, keys may have been made that they were not given, by whichever clock.
    pub fn goes_on_from(&self, before: &Self, now: Time) -> bool {
        let same = before.paused == self.paused && before.until == self.until && before.lent == self.lent;
        !same && !self.waits(now)
    }

    /// The card without what was lent and is over.
    pub fn without_past_loans(&self, now: Time) -> Self {
        let mut card = self.clone();
        card.lent.retain(|_, until| *until > now);
        card
    }

    /// All that the keys of such a card are for: what is lent or was, and for who may break the glass every level.
    pub fn reach(&self) -> Clearance {
        let mut reach = self.clearance(Time::from_unix(i64::MIN));
        if self.roles.contains(&Role::BreakGlass) {
            reach.level = reach.level.max(Level::Restricted);
        }
        reach
    }

    /// What this person may open at that time in an emergency: with the role for that every level.
    pub fn emergency_clearance(&self, now: Time) -> Clearance {
        let mut clearance = self.clearance(now);
        if self.roles.contains(&Role::BreakGlass) {
            clearance.level = clearance.level.max(Level::Restricted);
        }
        clearance
    }

    /// What this person may read at that time: what is lent included, as long as it is.
    pub fn clearance(&self, now: Time) -> Clearance {
        let mut clearance = Clearance {
            person: self.person,
            level: Level::from_number(self.level).unwrap_or(Level::Public),
            compartments: self.compartments.iter().copied().collect(),
        };
        for (usage, _) in self.loans().filter(|(_, until)| *until > now) {
            match usage {
                KeyUse::Level(level) => clearance.level = clearance.level.max(level),
                KeyUse::Compartment(id) => drop(clearance.compartments.insert(id)),
                KeyUse::Auditors => {}
            }
        }
        clearance
    }
}
