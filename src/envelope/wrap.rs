//! A wrap: the content key of one body, for whoever holds all keys of a label (docs/FORMAT.md §6).

use super::body::ContentKey;
use super::cbor::{self, Bytes};
use super::keyring::{KeyUse, Keyring};
use super::{BadEnvelope, SUITE, check_note, check_suite, check_vault};
use crate::crypto::{
    CHUNK_TAG_LEN, ENC_LEN, Entropy, HybridSecret, NoEntropy, Recipient, XNONCE_LEN, XTAG_LEN, derive_key,
    length_prefixed, make_random, make_secret, xopen, xseal,
};
use crate::id::{CompartmentId, Digest, KeyId, NoteId, PersonId, VaultId};
use crate::label::{Label, Level};
use crate::secret::Secret;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const WHAT: &str = "wrap";
/// The largest wrap, in bytes: 128 slots and as many compartments as a label can carry.
const MAX: usize = 256 * 1024;
/// Slots are filled up to this many at least.
const SLOTS_MIN: usize = 4;
/// There are no more than this many.
const SLOTS_MAX: usize = 128;
/// Length of a key's id.
const KEY_ID_LEN: usize = 8;
/// Length of a sealed content key: nonce, key, tag.
const SEALED_KEY_LEN: usize = XNONCE_LEN + 32 + XTAG_LEN;
/// Length of a sealed slot key: key, tag.
const SLOT_KEY_LEN: usize = 32 + CHUNK_TAG_LEN;

/// A wrap that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWrap {
    /// A key of the label is not held.
    #[error(
        "you do not hold all keys of this label, so you cannot write under it; a lead gives them with `strongroom member grant`"
    )]
    KeyMissing,
    /// `named`, and nobody to seal to.
    #[error("a `named` note needs at least one device to seal to")]
    NoRecipient,
    /// More devices than slots.
    #[error("a `named` note can be sealed to at most 128 devices")]
    TooManyRecipients,
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

#[derive(Encode, Decode, Debug, PartialEq, Clone)]
#[cbor(map)]
pub(super) struct Slot {
    #[n(0)]
    pub(super) enc: Bytes,
    #[n(1)]
    pub(super) sealed: Bytes,
}

/// Whether so many slots hide how many of them are somebody's, and each has the shape of one.
pub(super) fn slots_fit(slots: &[Slot]) -> bool {
    let shaped = |slot: &Slot| slot.enc.len() == ENC_LEN && slot.sealed.len() == SLOT_KEY_LEN;
    let count = slots.len();
    count >= SLOTS_MIN && count.is_power_of_two() && count <= SLOTS_MAX && slots.iter().all(shaped)
}

/// A wrap file.
#[derive(Encode, Decode, Debug, PartialEq, Clone)]
#[cbor(map)]
pub struct WrapFile {
    #[n(0)]
    suite: u8,
    #[n(1)]
    vault: Bytes,
    #[n(2)]
    note: Bytes,
    #[n(3)]
    body: Bytes,
    #[n(4)]
    keys: Vec<Bytes>,
    #[n(5)]
    sealed: Bytes,
    #[n(6)]
    slots: Option<Vec<Slot>>,
}

/// `u8(level) ‖ compartment ids in order`.
fn label_bytes(level: Level, compartments: impl IntoIterator<Item = CompartmentId>) -> Vec<u8> {
    let mut out = vec![level.number()];
    compartments
        .into_iter()
        .for_each(|id| out.extend_from_slice(id.as_bytes()));
    out
}

struct Binding<'a> {
    vault: VaultId,
    note: NoteId,
    body: Digest,
    label: &'a [u8],
    keys: &'a [KeyId],
}

impl Binding<'_> {
    fn aad(&self) -> Vec<u8> {
        let mut parts: Vec<&[u8]> = vec![
            b"strongroom/1/wrap",
            &[SUITE],
            &self.vault.0,
            &self.note.0,
            &self.body.0,
        ];
        parts.push(self.label);
        parts.extend(self.keys.iter().map(KeyId::as_bytes));
        length_prefixed(&parts)
    }

    fn slot_info(&self) -> Vec<u8> {
        length_prefixed(&[
            b"strongroom/1/slot",
            &[SUITE],
            &self.vault.0,
            &self.note.0,
            &self.body.0,
        ])
    }

    /// All of `secrets` are needed: they are concatenated, in the order of the label.
    fn kek(&self, secrets: &[&[u8; 32]]) -> Secret<32> {
        let mut all = Zeroizing::new(Vec::with_capacity(secrets.len() * 32));
        secrets
            .iter()
            .for_each(|secret| all.extend_from_slice(secret.as_slice()));
        let mut parts = vec![self.label];
        parts.extend(self.keys.iter().map(KeyId::as_bytes));
        derive_key(&all, "strongroom/1/kek", &parts)
    }

    /// The same of the keys in a ring; `None` if it lacks one.
    fn kek_of_held(&self, slot_key: Option<&Secret<32>>, keyring: &Keyring) -> Option<Secret<32>> {
        let mut secrets: Vec<&[u8; 32]> = slot_key.into_iter().map(Secret::expose).collect();
        for id in self.keys {
            secrets.push(keyring.key(*id)?.secret.expose());
        }
        Some(self.kek(&secrets))
    }
}

impl WrapFile {
    /// Wraps `key`, the content key of `body`, to `label`. For `named`, `recipients` are the devices of the
    /// people it names; below it they are not used.
    #[allow(clippy::too_many_arguments)]
    pub fn wrap(
        vault: VaultId,
        note: NoteId,
        body: Digest,
        label: &Label,
        key: &ContentKey,
        keyring: &Keyring,
        recipients: &[Recipient],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, BadWrap> {
        let level_key = match label.level() {
            Level::Named => None,
            level => Some(keyring.key_for(KeyUse::Level(level)).ok_or(BadWrap::KeyMissing)?),
        };
        let mut held: Vec<_> = level_key.into_iter().collect();
        for id in label.compartments() {
            held.push(keyring.key_for(KeyUse::Compartment(*id)).ok_or(BadWrap::KeyMissing)?);
        }
        let key_ids: Vec<KeyId> = held.iter().map(|key| key.id).collect();
        let label_text = label_bytes(label.level(), label.compartments().iter().copied());
        let binding = Binding {
            vault,
            note,
            body,
            label: &label_text,
            keys: &key_ids,
        };
        let slot_key = make_secret::<32>(entropy)?;
        let mut secrets: Vec<&[u8; 32]> = Vec::new();
        let slots = match label.level() {
            Level::Named => {
                secrets.push(slot_key.expose());
                Some(make_slots(&binding.slot_info(), &slot_key, recipients, entropy)?)
            }
            _ => None,
        };
        secrets.extend(held.iter().map(|key| key.secret.expose()));
        let sealed = xseal(&binding.kek(&secrets), &binding.aad(), key.expose(), entropy)?;
        Ok(Self {
            suite: SUITE,
            vault: vault.as_bytes().to_vec().into(),
            note: note.as_bytes().to_vec().into(),
            body: body.as_bytes().to_vec().into(),
            keys: key_ids.iter().map(|id| id.as_bytes().to_vec().into()).collect(),
            sealed: sealed.into(),
            slots,
        })
    }

    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let file: Self = cbor::decode(WHAT, MAX, bytes)?;
        check_suite(WHAT, file.suite)?;
        let malformed = BadEnvelope::Malformed { what: WHAT };
        let fit = match &file.slots {
            Some(slots) => slots_fit(slots),
            None => !file.keys.is_empty(),
        };
        let ids = file.keys.iter().all(|id| id.len() == KEY_ID_LEN);
        let fixed = file.vault.len() == 16 && file.note.len() == 16 && file.body.len() == 32;
        match fit && ids && fixed && file.sealed.len() == SEALED_KEY_LEN {
            true => Ok(file),
            false => Err(malformed),
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// The body it belongs to.
    pub fn body(&self) -> Result<Digest, BadEnvelope> {
        cbor::fixed(WHAT, &self.body)
    }

    /// The vault and the note it says it belongs to.
    pub fn place(&self) -> Result<(VaultId, NoteId), BadEnvelope> {
        Ok((cbor::fixed(WHAT, &self.vault)?, cbor::fixed(WHAT, &self.note)?))
    }

    fn key_ids(&self) -> Result<Vec<KeyId>, BadEnvelope> {
        self.keys.iter().map(|bytes| cbor::fixed(WHAT, bytes)).collect()
    }

    /// Whether a key that it needs is in force no more, as far as this ring tells.
    pub fn is_retired(&self, keyring: &Keyring) -> bool {
        self.key_ids()
            .is_ok_and(|ids| ids.iter().any(|id| keyring.is_retired(*id)))
    }

    /// Whether it is for people by name.
    pub fn is_for_names(&self) -> bool {
        self.slots.is_some()
    }

    /// The label, for a holder of all its keys; `None` for everybody else, to whom the ids say nothing.
    /// For `named` the people are `me` alone: a slot does not say whose the others are, nor, before it is
    /// tried, whether one is `me`'s.
    pub fn label(&self, keyring: &Keyring, me: PersonId) -> Option<Label> {
        let mut level = None;
        let mut compartments = Vec::new();
        for id in self.key_ids().ok()? {
            match keyring.key(id)?.usage {
                KeyUse::Level(found) if level.is_none() && compartments.is_empty() => level = Some(found),
                KeyUse::Compartment(found) if compartments.last() < Some(&found) => compartments.push(found),
                _ => return None,
            }
        }
        match (level, &self.slots) {
            (Some(level), None) => Label::new(level, compartments).ok(),
            (None, Some(_)) => Label::named([me], compartments).ok(),
            _ => None,
        }
    }

    /// The same wrap with a slot more, for another device of somebody whose device opens one; `None` where it opens none.
    /// Whose the other slots are is nobody's to tell, so they stay, and throw-away ones hide the new one as ever.
    pub(crate) fn with_slot_for(
        &self,
        vault: VaultId,
        note: NoteId,
        device: &HybridSecret,
        other: &Recipient,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<Self>, BadWrap> {
        let (Some(slots), Ok(body)) = (&self.slots, self.body()) else {
            return Ok(None);
        };
        let info = Binding {
            vault,
            note,
            body,
            label: &[],
            keys: &[],
        }
        .slot_info();
        let Some(slot_key) = open_slot(&info, slots, device) else {
            return Ok(None);
        };
        if slots.len() * 2 > SLOTS_MAX {
            return Err(BadWrap::TooManyRecipients);
        }
        let mut all = slots.clone();
        add_slots(
            &mut all,
            slots.len() * 2,
            &info,
            &slot_key,
            std::slice::from_ref(other),
            entropy,
        )?;
        let slots = Some(all);
        Ok(Some(Self { slots, ..self.clone() }))
    }

    /// Unwraps the content key and says under which label. Fails for whoever lacks a key.
    pub(crate) fn unwrap_key(
        &self,
        vault: VaultId,
        note: NoteId,
        keyring: &Keyring,
        me: PersonId,
        device: &HybridSecret,
    ) -> Result<(Label, ContentKey), BadEnvelope> {
        check_vault(WHAT, cbor::fixed(WHAT, &self.vault)?, vault)?;
        check_note(WHAT, cbor::fixed(WHAT, &self.note)?, note)?;
        let unopenable = || BadEnvelope::Unopenable { what: WHAT };
        let label = self.label(keyring, me).ok_or_else(unopenable)?;
        let key_ids = self.key_ids()?;
        let label_text = label_bytes(label.level(), label.compartments().iter().copied());
        let binding = Binding {
            vault,
            note,
            body: self.body()?,
            label: &label_text,
            keys: &key_ids,
        };
        let kek = match &self.slots {
            // Of a slot key of its own: for this wrap and no other.
            Some(slots) => {
                let slot_key = open_slot(&binding.slot_info(), slots, device).ok_or_else(unopenable)?;
                binding.kek_of_held(Some(&slot_key), keyring)
            }
            None => keyring.kek(&key_ids, || binding.kek_of_held(None, keyring)),
        };
        let kek = kek.ok_or_else(unopenable)?;
        let opened = xopen(&kek, &binding.aad(), &self.sealed).map_err(|_| unopenable())?;
        let key = Secret::copy_from(opened.expose()).ok_or_else(unopenable)?;
        Ok((label, ContentKey::from_secret(key)))
    }
}

/// Seals the slot key to each recipient and to throw-away ones, up to 4, 8, 16, … in random order.
pub(super) fn make_slots(
    info: &[u8],
    slot_key: &Secret<32>,
    recipients: &[Recipient],
    entropy: &mut dyn Entropy,
) -> Result<Vec<Slot>, BadWrap> {
    match recipients.len() {
        0 => return Err(BadWrap::NoRecipient),
        1..=SLOTS_MAX => {}
        _ => return Err(BadWrap::TooManyRecipients),
    }
    let total = recipients.len().next_power_of_two().max(SLOTS_MIN);
    let mut slots = Vec::with_capacity(total);
    add_slots(&mut slots, total, info, slot_key, recipients, entropy)?;
    Ok(slots)
}

/// Adds a slot for each recipient and throw-away ones until there are `total`, and puts all in random order.
fn add_slots(
    slots: &mut Vec<Slot>,
    total: usize,
    info: &[u8],
    slot_key: &Secret<32>,
    recipients: &[Recipient],
    entropy: &mut dyn Entropy,
) -> Result<(), BadWrap> {
    let mut recipients = recipients.iter();
    while slots.len() < total {
        let stranger;
        let recipient = match recipients.next() {
            Some(recipient) => recipient,
            None => {
                stranger = HybridSecret::from_seed(&make_secret(entropy)?).recipient();
                &stranger
            }
        };
        let (enc, sealed) = recipient.seal(info, slot_key.expose(), entropy)?;
        slots.push(Slot {
            enc: enc.to_vec().into(),
            sealed: sealed.into(),
        });
    }
    let mut ordered: Vec<([u8; 16], Slot)> = Vec::with_capacity(total);
    for slot in slots.drain(..) {
        ordered.push((make_random(entropy)?, slot));
    }
    ordered.sort_by_key(|(order, _)| *order);
    slots.extend(ordered.into_iter().map(|(_, slot)| slot));
    Ok(())
}

pub(super) fn open_slot(info: &[u8], slots: &[Slot], device: &HybridSecret) -> Option<Secret<32>> {
    let opened = slots
        .iter()
        .find_map(|slot| device.open(info, &slot.enc, &slot.sealed).ok())?;
    Secret::copy_from(opened.expose())
}

#[cfg(test)]
mod tests {
    use super::super::keyring::Key;
    use super::*;
    use crate::crypto::ExampleEntropy;

    const VAULT: VaultId = VaultId([1; 16]);
    const NOTE: NoteId = NoteId([2; 16]);
    const BODY: Digest = Digest([3; 32]);
    const ME: PersonId = PersonId([4; 8]);
    const A: CompartmentId = CompartmentId([5; 8]);
    const B: CompartmentId = CompartmentId([6; 8]);

    fn ring(entropy: &mut ExampleEntropy) -> Keyring {
        Keyring::new([
            Key::make(KeyUse::Level(Level::Restricted), None, [0; 8], entropy).unwrap(),
            Key::make(KeyUse::Level(Level::Internal), None, [0; 8], entropy).unwrap(),
            Key::make(KeyUse::Compartment(A), Some("A".into()), [0; 8], entropy).unwrap(),
            Key::make(KeyUse::Compartment(B), Some("B".into()), [0; 8], entropy).unwrap(),
        ])
    }

    fn without(ring: &Keyring, usage: KeyUse) -> Keyring {
        Keyring::new(ring.iter().filter(|key| key.usage != usage).map(|key| Key {
            id: key.id,
            usage: key.usage,
            epoch: key.epoch,
            name: key.name.clone(),
            secret: key.secret.duplicate(),
        }))
    }

    fn device(n: u8) -> HybridSecret {
        HybridSecret::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
    }

    #[test]
    fn all_keys_of_the_label_are_needed() {
        let mut entropy = ExampleEntropy::new("wrap");
        let ring = ring(&mut entropy);
        let label = Label::new(Level::Restricted, [A, B]).unwrap();
        let key = ContentKey::from_secret(Secret::copy_from(&[9; 32]).unwrap());
        let file = WrapFile::wrap(VAULT, NOTE, BODY, &label, &key, &ring, &[], &mut entropy).unwrap();
        let file = WrapFile::parse(&file.to_bytes()).unwrap();
        let (found, opened) = file
            .unwrap_key(VAULT, NOTE, &ring, ME, &device(1))
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((found, opened.expose()), (label, key.expose()));
        for usage in [
            KeyUse::Level(Level::Restricted),
            KeyUse::Compartment(A),
            KeyUse::Compartment(B),
        ] {
            let less = without(&ring, usage);
            assert!(file.unwrap_key(VAULT, NOTE, &less, ME, &device(1)).is_err());
            assert!(file.label(&less, ME).is_none());
        }
        assert!(file.unwrap_key(VaultId([9; 16]), NOTE, &ring, ME, &device(1)).is_err());
        assert!(file.unwrap_key(VAULT, NoteId([9; 16]), &ring, ME, &device(1)).is_err());
    }

    #[test]
    fn a_wrap_is_bound_to_its_body_and_keys() {
        let mut entropy = ExampleEntropy::new("wrap");
        let ring = ring(&mut entropy);
        let label = Label::new(Level::Restricted, [A]).unwrap();
        let key = ContentKey::from_secret(Secret::copy_from(&[9; 32]).unwrap());
        let file = WrapFile::wrap(VAULT, NOTE, BODY, &label, &key, &ring, &[], &mut entropy).unwrap();
        let moved = WrapFile {
            body: vec![8; 32].into(),
            ..file.clone()
        };
        assert!(moved.unwrap_key(VAULT, NOTE, &ring, ME, &device(1)).is_err());
        let fewer = WrapFile {
            keys: file.keys[..1].to_vec(),
            ..file
        };
        assert!(fewer.unwrap_key(VAULT, NOTE, &ring, ME, &device(1)).is_err());
    }

    #[test]
    fn named_opens_for_the_named_alone_and_hides_how_many() {
        let mut entropy = ExampleEntropy::new("named");
        let ring = ring(&mut entropy);
        let label = Label::named([ME], [A]).unwrap();
        let key = ContentKey::from_secret(Secret::copy_from(&[9; 32]).unwrap());
        let to = [device(1).recipient(), device(2).recipient()];
        let file = WrapFile::wrap(VAULT, NOTE, BODY, &label, &key, &ring, &to, &mut entropy).unwrap();
        let file = WrapFile::parse(&file.to_bytes()).unwrap();
        assert_eq!(file.slots.as_ref().map(Vec::len), Some(4));
        for n in [1, 2] {
            let (found, opened) = file
                .unwrap_key(VAULT, NOTE, &ring, ME, &device(n))
                .unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((found, opened.expose()), (label.clone(), key.expose()));
        }
        assert!(file.unwrap_key(VAULT, NOTE, &ring, ME, &device(3)).is_err());
        let less = without(&ring, KeyUse::Compartment(A));
        assert!(file.unwrap_key(VAULT, NOTE, &less, ME, &device(1)).is_err());
        assert_eq!(
            WrapFile::wrap(VAULT, NOTE, BODY, &label, &key, &ring, &[], &mut entropy),
            Err(BadWrap::NoRecipient)
        );
    }

    #[test]
    fn what_is_named_is_handed_on_by_who_opens_it_alone() {
        let mut entropy = ExampleEntropy::new("handed on");
        let ring = ring(&mut entropy);
        let label = Label::named([ME], [A]).unwrap();
        let key = ContentKey::from_secret(Secret::copy_from(&[9; 32]).unwrap());
        let to = [device(1).recipient(), device(2).recipient()];
        let file = WrapFile::wrap(VAULT, NOTE, BODY, &label, &key, &ring, &to, &mut entropy).unwrap();
        let mut hand = |file: &WrapFile, by: u8, to: u8| {
            file.with_slot_for(VAULT, NOTE, &device(by), &device(to).recipient(), &mut entropy)
        };
        assert_eq!(hand(&file, 3, 3), Ok(None));
        let mut handed = hand(&file, 1, 3).unwrap().unwrap();
        assert_eq!(WrapFile::parse(&handed.to_bytes()), Ok(handed.clone()));
        assert_eq!(handed.slots.as_ref().map(Vec::len), Some(8));
        for (n, opens) in [(1, true), (2, true), (3, true), (4, false)] {
            let opened = handed.unwrap_key(VAULT, NOTE, &ring, ME, &device(n));
            assert_eq!(
                opened.map(|(_, opened)| opened.expose() == key.expose()).ok(),
                opens.then_some(true)
            );
        }
        let elsewhere = handed.with_slot_for(
            VAULT,
            NoteId([99; 16]),
            &device(1),
            &to[0],
            &mut ExampleEntropy::new("x"),
        );
        assert_eq!(elsewhere, Ok(None));
        for slots in [16, 32, 64, 128] {
            handed = hand(&handed, 3, 4).unwrap().unwrap();
            assert_eq!(handed.slots.as_ref().map(Vec::len), Some(slots));
        }
        assert_eq!(hand(&handed, 4, 4), Err(BadWrap::TooManyRecipients));
    }

    #[test]
    fn a_custodians_share_is_refused_in_version_1() {
        let mut entropy = ExampleEntropy::new("wrap");
        let ring = ring(&mut entropy);
        let label = Label::new(Level::Internal, []).unwrap();
        let key = ContentKey::from_secret(Secret::copy_from(&[9; 32]).unwrap());
        let mut bytes = WrapFile::wrap(VAULT, NOTE, BODY, &label, &key, &ring, &[], &mut entropy)
            .unwrap()
            .to_bytes();
        assert_eq!(bytes[0], 0xa6);
        bytes[0] = 0xa7;
        bytes.extend_from_slice(&[0x07, 0x41, 0x00]);
        assert_eq!(WrapFile::parse(&bytes), Err(BadEnvelope::Malformed { what: WHAT }));
    }

    #[test]
    fn a_wrap_of_no_right_form_is_refused() {
        let mut entropy = ExampleEntropy::new("form");
        let ring = ring(&mut entropy);
        let label = Label::new(Level::Restricted, [A]).unwrap();
        let key = ContentKey::from_secret(Secret::copy_from(&[9; 32]).unwrap());
        let file = WrapFile::wrap(VAULT, NOTE, BODY, &label, &key, &ring, &[], &mut entropy).unwrap();
        let parses = |change: &dyn Fn(&mut WrapFile)| {
            let mut file = WrapFile::parse(&file.to_bytes()).unwrap();
            change(&mut file);
            WrapFile::parse(&file.to_bytes()).is_ok()
        };
        assert!(parses(&|_| ()));
        let changes: [&dyn Fn(&mut WrapFile); 6] = [
            &|file| file.vault.push(0),
            &|file| file.note.push(0),
            &|file| file.body.push(0),
            &|file| file.sealed.push(0),
            &|file| file.keys[0].push(0),
            &|file| file.keys.clear(),
        ];
        for (n, change) in changes.iter().enumerate() {
            assert!(!parses(change), "{n}");
        }
    }
}
