//! The key box of a device and the detail keys of its log (docs/FORMAT.md §4).

use super::cbor::{self, Bytes};
use super::keyring::{Key, KeyUse, Keyring};
use super::{BadEnvelope, SUITE, check_suite, check_vault, padding};
use crate::crypto::{
    CHUNK_TAG_LEN, ENC_LEN, Entropy, HybridSecret, NoEntropy, Recipient, length_prefixed, make_random, make_secret,
    xopen, xseal,
};
use crate::id::{CompartmentId, DeviceId, KeyId, VaultId};
use crate::label::Level;
use crate::secret::{Plaintext, Secret};
use minicbor::{Decode, Decoder, Encode, Encoder};
use zeroize::Zeroizing;

/// The largest key box or detail key file, in bytes: some 5,000 keys.
const MAX: usize = 1 << 20;
/// Bytes of a key, and of a key's or device's id.
const KEY_LEN: usize = 32;
const ID_LEN: usize = 8;
const BOX: &str = "key box";
const DETAIL: &str = "detail key";

/// All keys due to a device, sealed to it.
#[derive(Encode, Decode, Debug, PartialEq)]
#[cbor(map)]
pub struct BoxFile {
    #[n(0)]
    suite: u8,
    #[n(1)]
    vault: Bytes,
    #[n(2)]
    device: Bytes,
    #[n(3)]
    enc: Bytes,
    #[n(4)]
    sealed: Bytes,
}

fn box_info(vault: VaultId, device: DeviceId) -> Vec<u8> {
    length_prefixed(&[b"strongroom/1/key box", &[SUITE], vault.as_bytes(), device.as_bytes()])
}

impl BoxFile {
    /// Seals `keys` to the device's `recipient`.
    pub fn seal(
        vault: VaultId,
        device: DeviceId,
        recipient: &Recipient,
        keys: &Keyring,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let (enc, sealed) = recipient.seal(&box_info(vault, device), &padding::pad(&encode_keys(keys)), entropy)?;
        Ok(Self {
            suite: SUITE,
            vault: vault.as_bytes().to_vec().into(),
            device: device.as_bytes().to_vec().into(),
            enc: enc.to_vec().into(),
            sealed: sealed.into(),
        })
    }

    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let file: Self = cbor::decode(BOX, MAX, bytes)?;
        check_suite(BOX, file.suite)?;
        let padded = file.sealed.len().checked_sub(CHUNK_TAG_LEN);
        let padded = padded.is_some_and(|len| padding::is_padded_len(len as u64));
        match padded && file.enc.len() == ENC_LEN && file.place().is_ok() {
            true => Ok(file),
            false => Err(BadEnvelope::Malformed { what: BOX }),
        }
    }

    /// The vault and the device it says it was made for.
    pub fn place(&self) -> Result<(VaultId, DeviceId), BadEnvelope> {
        Ok((cbor::fixed(BOX, &self.vault)?, cbor::fixed(BOX, &self.device)?))
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Opens it with the device's key.
    pub(crate) fn open(&self, vault: VaultId, device: DeviceId, secret: &HybridSecret) -> Result<Keyring, BadEnvelope> {
        check_vault(BOX, cbor::fixed(BOX, &self.vault)?, vault)?;
        if self.device.as_slice() != device.as_bytes() {
            return Err(BadEnvelope::Foreign { what: BOX });
        }
        let padded = secret
            .open(&box_info(vault, device), &self.enc, &self.sealed)
            .map_err(|_| BadEnvelope::Unopenable { what: BOX })?;
        decode_keys(&padding::unpad(BOX, padded.expose())?).ok_or(BadEnvelope::Malformed { what: BOX })
    }
}

pub(super) fn encode_keys(keys: &Keyring) -> Zeroizing<Vec<u8>> {
    // Room enough that the vector never moves and leaves no copy of a key behind.
    let names: usize = keys.iter().map(|key| key.name.as_ref().map_or(0, String::len)).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(keys.iter().count() * 96 + names + 64));
    let mut cbor = Encoder::new(&mut *out);
    let written = (|| {
        cbor.map(1)?.u8(0)?.array(keys.iter().count() as u64)?;
        for key in keys.iter() {
            let (kind, which): (u8, Vec<u8>) = match key.usage {
                KeyUse::Level(level) => (0, vec![level.number()]),
                KeyUse::Compartment(id) => (1, id.as_bytes().to_vec()),
                KeyUse::Auditors => (2, b"auditor".to_vec()),
            };
            cbor.map(if key.name.is_some() { 6 } else { 5 })?;
            cbor.u8(0)?
                .bytes(key.id.as_bytes())?
                .u8(1)?
                .u8(kind)?
                .u8(2)?
                .bytes(&which)?;
            cbor.u8(3)?.bytes(&key.epoch)?.u8(4)?.bytes(key.secret.expose())?;
            if let Some(name) = &key.name {
                cbor.u8(5)?.str(name)?;
            }
        }
        Ok::<_, minicbor::encode::Error<_>>(())
    })();
    // INVARIANT (infallible writer): a Vec takes every byte; a cut encoding must never be sealed.
    assert!(written.is_ok(), "encoding to memory does not fail");
    out
}

pub(super) fn decode_keys(plain: &Plaintext) -> Option<Keyring> {
    let mut cbor = Decoder::new(plain.expose());
    let expect = |cbor: &mut Decoder<'_>, key: u8| (cbor.u8().ok()? == key).then_some(());
    if cbor.map().ok()? != Some(1) {
        return None;
    }
    expect(&mut cbor, 0)?;
    let mut ring = Keyring::default();
    for _ in 0..cbor.array().ok()?? {
        let fields = cbor.map().ok()??;
        expect(&mut cbor, 0)?;
        let id = KeyId::try_from(cbor.bytes().ok()?).ok()?;
        expect(&mut cbor, 1)?;
        let kind = cbor.u8().ok()?;
        expect(&mut cbor, 2)?;
        let usage = match (kind, cbor.bytes().ok()?) {
            (0, &[number]) if number < Level::Named.number() => KeyUse::Level(Level::from_number(number)?),
            (1, which) => KeyUse::Compartment(CompartmentId::try_from(which).ok()?),
            (2, b"auditor") => KeyUse::Auditors,
            _ => return None,
        };
        expect(&mut cbor, 3)?;
        let epoch = cbor.bytes().ok()?.try_into().ok()?;
        expect(&mut cbor, 4)?;
        let secret = Secret::copy_from(cbor.bytes().ok()?)?;
        let name = match (fields, usage) {
            (6, KeyUse::Compartment(_)) => {
                expect(&mut cbor, 5)?;
                Some(cbor.str().ok()?.to_owned())
            }
            (5, KeyUse::Level(_) | KeyUse::Auditors) => None,
            _ => return None,
        };
        ring.add(Key {
            id,
            usage,
            epoch,
            name,
            secret,
        });
    }
    // Sorted, distinct, canonical: what the ring writes is what was read.
    (encode_keys(&ring).as_slice() == plain.expose()).then_some(ring)
}

/// One device's way into a detail key.
#[derive(Encode, Decode, Debug, PartialEq)]
#[cbor(map)]
pub struct DeviceSlot {
    #[n(0)]
    device: Bytes,
    #[n(1)]
    enc: Bytes,
    #[n(2)]
    sealed: Bytes,
}

#[derive(Encode, Decode, Debug, PartialEq)]
#[cbor(map)]
struct AuditorsSlot {
    #[n(0)]
    key: Bytes,
    #[n(1)]
    enc: Bytes,
    #[n(2)]
    sealed: Bytes,
}

/// A detail key, wrapped to the auditors and to the devices of the person whose log it serves.
#[derive(Encode, Decode, Debug, PartialEq)]
#[cbor(map)]
pub struct DetailFile {
    #[n(0)]
    suite: u8,
    #[n(1)]
    vault: Bytes,
    #[n(2)]
    device: Bytes,
    #[n(3)]
    key: Bytes,
    #[n(4)]
    auditors: AuditorsSlot,
    #[n(5)]
    devices: Vec<DeviceSlot>,
}

/// The key that seals the details of one device's entries.
pub struct DetailKey {
    /// Its id, which stands in each entry.
    pub id: KeyId,
    secret: Secret<32>,
}

impl DetailKey {
    /// A fresh random key.
    pub fn make(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self {
            id: KeyId(make_random(entropy)?),
            secret: make_secret(entropy)?,
        })
    }

    /// `XSEAL` of padded details.
    pub fn seal(&self, aad: &[u8], details: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>, NoEntropy> {
        xseal(&self.secret, aad, &padding::pad(details), entropy)
    }

    /// Opens details.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Plaintext, BadEnvelope> {
        let what = "sealed detail";
        let padded = xopen(&self.secret, aad, sealed).map_err(|_| BadEnvelope::Unopenable { what })?;
        padding::unpad(what, padded.expose())
    }
}

fn detail_context(vault: VaultId, device: DeviceId, key: KeyId) -> Vec<u8> {
    length_prefixed(&[
        b"strongroom/1/detail key",
        &[SUITE],
        vault.as_bytes(),
        device.as_bytes(),
        key.as_bytes(),
    ])
}

impl DetailFile {
    /// Wraps `key`, which serves `device`, to the auditors, whose key has that id and public half, and to `devices`.
    pub fn wrap(
        vault: VaultId,
        device: DeviceId,
        key: &DetailKey,
        (role, auditors): (KeyId, &Recipient),
        devices: &[(DeviceId, Recipient)],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let context = detail_context(vault, device, key.id);
        let mut slots = Vec::with_capacity(devices.len());
        for (id, recipient) in devices {
            let (enc, sealed) = recipient.seal(&context, key.secret.expose(), entropy)?;
            slots.push(DeviceSlot {
                device: id.as_bytes().to_vec().into(),
                enc: enc.to_vec().into(),
                sealed: sealed.into(),
            });
        }
        slots.sort_by(|a, b| a.device.as_slice().cmp(b.device.as_slice()));
        let (enc, sealed) = auditors.seal(&context, key.secret.expose(), entropy)?;
        Ok(Self {
            suite: SUITE,
            vault: vault.as_bytes().to_vec().into(),
            device: device.as_bytes().to_vec().into(),
            key: key.id.as_bytes().to_vec().into(),
            auditors: AuditorsSlot {
                key: role.as_bytes().to_vec().into(),
                enc: enc.to_vec().into(),
                sealed: sealed.into(),
            },
            devices: slots,
        })
    }

    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let file: Self = cbor::decode(DETAIL, MAX, bytes)?;
        check_suite(DETAIL, file.suite)?;
        let sorted = file
            .devices
            .windows(2)
            .all(|pair| pair[0].device.as_slice() < pair[1].device.as_slice());
        let slots = file.devices.iter().all(|slot| {
            let sizes = (slot.device.len(), slot.enc.len(), slot.sealed.len());
            sizes == (ID_LEN, ENC_LEN, KEY_LEN + CHUNK_TAG_LEN)
        });
        let AuditorsSlot { key, enc, sealed } = &file.auditors;
        let auditors = (key.len(), enc.len(), sealed.len()) == (ID_LEN, ENC_LEN, KEY_LEN + CHUNK_TAG_LEN);
        match sorted && slots && auditors && file.serves().is_ok() && file.place().is_ok() {
            true => Ok(file),
            false => Err(BadEnvelope::Malformed { what: DETAIL }),
        }
    }

    /// The vault and the key id it says it is of.
    pub fn place(&self) -> Result<(VaultId, KeyId), BadEnvelope> {
        Ok((cbor::fixed(DETAIL, &self.vault)?, self.key_id()?))
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// The id of the key inside.
    pub fn key_id(&self) -> Result<KeyId, BadEnvelope> {
        cbor::fixed(DETAIL, &self.key)
    }

    /// The id of the auditors' key that it is wrapped to.
    pub fn role(&self) -> Result<KeyId, BadEnvelope> {
        cbor::fixed(DETAIL, &self.auditors.key)
    }

    /// The device whose log it serves.
    pub fn serves(&self) -> Result<DeviceId, BadEnvelope> {
        cbor::fixed(DETAIL, &self.device)
    }

    /// Unwraps it with a device's key, or with the auditors' key.
    pub(crate) fn unwrap_key(
        &self,
        vault: VaultId,
        me: DeviceId,
        secret: &HybridSecret,
        keys: &Keyring,
    ) -> Result<DetailKey, BadEnvelope> {
        check_vault(DETAIL, cbor::fixed(DETAIL, &self.vault)?, vault)?;
        let id = self.key_id()?;
        let context = detail_context(vault, self.serves()?, id);
        let unopenable = BadEnvelope::Unopenable { what: DETAIL };
        let opened = match self.devices.iter().find(|slot| slot.device.as_slice() == me.as_bytes()) {
            Some(slot) => secret.open(&context, &slot.enc, &slot.sealed),
            None => {
                let role = keys
                    .key(cbor::fixed(DETAIL, &self.auditors.key)?)
                    .ok_or(unopenable.clone())?;
                role.hybrid().open(&context, &self.auditors.enc, &self.auditors.sealed)
            }
        };
        let secret = opened
            .ok()
            .and_then(|plain| Secret::copy_from(plain.expose()))
            .ok_or(unopenable)?;
        Ok(DetailKey { id, secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;

    fn ring(entropy: &mut ExampleEntropy) -> Keyring {
        Keyring::new([
            Key::make(KeyUse::Level(Level::Restricted), None, [1; 8], entropy).unwrap(),
            Key::make(
                KeyUse::Compartment(CompartmentId([7; 8])),
                Some("Halcyon".into()),
                [1; 8],
                entropy,
            )
            .unwrap(),
            Key::make(KeyUse::Auditors, None, [1; 8], entropy).unwrap(),
        ])
    }

    #[test]
    fn a_key_box_opens_for_its_device_alone() {
        let mut entropy = ExampleEntropy::new("box");
        let keys = ring(&mut entropy);
        let secret = HybridSecret::from_seed(&Secret::copy_from(&[5; 32]).unwrap());
        let (vault, device) = (VaultId([1; 16]), DeviceId([2; 8]));
        let file = BoxFile::seal(vault, device, &secret.recipient(), &keys, &mut entropy).unwrap();
        let again = BoxFile::parse(&file.to_bytes()).unwrap();
        let opened = again.open(vault, device, &secret).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(encode_keys(&opened), encode_keys(&keys));
        assert!(again.open(VaultId([9; 16]), device, &secret).is_err());
        assert!(again.open(vault, DeviceId([9; 8]), &secret).is_err());
        let other = HybridSecret::from_seed(&Secret::copy_from(&[6; 32]).unwrap());
        assert!(again.open(vault, device, &other).is_err());
    }

    #[test]
    fn a_detail_key_opens_for_the_person_and_the_auditors() {
        let mut entropy = ExampleEntropy::new("detail");
        let keys = ring(&mut entropy);
        let mine = HybridSecret::from_seed(&Secret::copy_from(&[5; 32]).unwrap());
        let other = HybridSecret::from_seed(&Secret::copy_from(&[6; 32]).unwrap());
        let (vault, device) = (VaultId([1; 16]), DeviceId([2; 8]));
        let key = DetailKey::make(&mut entropy).unwrap();
        let role = keys.key_for(KeyUse::Auditors).unwrap();
        let role = (role.id, &role.recipient());
        let file = DetailFile::wrap(vault, device, &key, role, &[(device, mine.recipient())], &mut entropy).unwrap();
        let file = DetailFile::parse(&file.to_bytes()).unwrap();
        let sealed = key.seal(b"aad", b"who and why", &mut entropy).unwrap();
        let by_device = file
            .unwrap_key(vault, device, &mine, &Keyring::default())
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(by_device.open(b"aad", &sealed).unwrap().expose(), b"who and why");
        let by_role = file
            .unwrap_key(vault, DeviceId([3; 8]), &other, &keys)
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(by_role.open(b"aad", &sealed).unwrap().expose(), b"who and why");
        assert!(
            file.unwrap_key(vault, DeviceId([3; 8]), &other, &Keyring::default())
                .is_err()
        );
        assert!(by_role.open(b"other", &sealed).is_err());
    }

    #[test]
    fn a_key_box_of_no_right_form_is_refused() {
        let mut entropy = ExampleEntropy::new("form");
        let device = HybridSecret::from_seed(&Secret::copy_from(&[5; 32]).unwrap()).recipient();
        let keys = ring(&mut entropy);
        let parses = |change: &dyn Fn(&mut BoxFile)| {
            let mut entropy = ExampleEntropy::new("form of a box");
            let mut file = BoxFile::seal(VaultId([1; 16]), DeviceId([2; 8]), &device, &keys, &mut entropy).unwrap();
            change(&mut file);
            BoxFile::parse(&file.to_bytes()).is_ok()
        };
        assert!(parses(&|_| ()));
        let changes: [&dyn Fn(&mut BoxFile); 5] = [
            &|file| file.enc = vec![0; ENC_LEN - 1].into(),
            &|file| file.sealed.push(0),
            &|file| file.sealed.truncate(CHUNK_TAG_LEN - 1),
            &|file| file.vault = vec![1; 15].into(),
            &|file| file.device = vec![2; 9].into(),
        ];
        assert!(changes.iter().all(|change| !parses(change)));
    }

    #[test]
    fn a_detail_key_of_no_right_form_is_refused() {
        let mut entropy = ExampleEntropy::new("form");
        let device = HybridSecret::from_seed(&Secret::copy_from(&[5; 32]).unwrap()).recipient();
        let (key, role) = (DetailKey::make(&mut entropy).unwrap(), KeyId([4; 8]));
        let slots = [2, 3].map(|n| (DeviceId([n; 8]), device.clone()));
        let parses = |change: &dyn Fn(&mut DetailFile)| {
            let mut entropy = ExampleEntropy::new("form of a detail key");
            let (vault, first) = (VaultId([1; 16]), DeviceId([2; 8]));
            let mut file = DetailFile::wrap(vault, first, &key, (role, &device), &slots, &mut entropy).unwrap();
            change(&mut file);
            DetailFile::parse(&file.to_bytes()).is_ok()
        };
        assert!(parses(&|_| ()));
        let changes: [&dyn Fn(&mut DetailFile); 10] = [
            &|file| file.devices.reverse(),
            &|file| {
                file.devices[1] = DeviceSlot {
                    device: file.devices[0].device.clone(),
                    enc: file.devices[1].enc.clone(),
                    sealed: file.devices[1].sealed.clone(),
                }
            },
            &|file| file.devices[1].enc.push(0),
            &|file| file.devices[1].sealed.push(0),
            &|file| file.auditors.key.push(0),
            &|file| file.auditors.enc.push(0),
            &|file| file.auditors.sealed.push(0),
            &|file| file.device.push(0),
            &|file| file.vault.push(0),
            &|file| file.key.push(0),
        ];
        for (n, change) in changes.iter().enumerate() {
            assert!(!parses(change), "{n}");
        }
    }
}
