//! A kept text: what somebody was writing when the editor or the program failed, sealed for this device alone
//! (docs/FORMAT.md §12).

use super::body::wipe;
use super::cbor::{self, Bytes};
use super::{BadEnvelope, SUITE, check_suite, check_vault, padding};
use crate::crypto::{Entropy, NoEntropy, derive_key, length_prefixed, xopen, xseal};
use crate::id::{DeviceId, Digest, NoteId, VaultId};
use crate::secret::{self, Plaintext, Secret};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, Zeroizing};

const WHAT: &str = "kept text";
/// The longest encoding inside, in bytes: a text may be longer here than a note, so that it can be shortened.
const INSIDE_MAX: usize = 3 << 20;
/// The largest file, in bytes: padding and frame included.
const FILE_MAX: usize = INSIDE_MAX + INSIDE_MAX / 8 + 512;

/// What was given beside a text, as it was written; an empty one takes away what a note had.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Given {
    /// Title.
    pub title: Option<String>,
    /// Client.
    pub client: Option<String>,
    /// Case.
    pub case: Option<String>,
    /// Label.
    pub label: Option<String>,
    /// When it happened.
    pub at: Option<String>,
    /// Free fields.
    pub fields: Vec<(String, String)>,
}

impl Given {
    /// Whether this field was given, if only to take it away.
    pub fn has(&self, field: &str) -> bool {
        self.value(field).is_some()
    }

    /// What was given for a field.
    pub fn value(&self, field: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map(|(_, value)| value.as_str())
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.title.zeroize();
        self.client.zeroize();
        self.case.zeroize();
        self.label.zeroize();
        for (name, value) in &mut self.fields {
            name.zeroize();
            value.zeroize();
        }
    }
}

/// A text that was not recorded yet. Wiped on drop; no `Debug`.
#[derive(PartialEq, Eq)]
pub struct KeptText {
    /// The note it revises; none for one that is not there yet.
    pub note: Option<NoteId>,
    /// Digests of the revisions it was written upon, sorted.
    pub follows: Vec<Digest>,
    /// When it was kept, Unix seconds.
    pub kept: i64,
    /// The bytes that the editor left; not always UTF-8.
    pub text: Zeroizing<Vec<u8>>,
    /// What was given beside it.
    pub given: Given,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct KeptCbor {
    #[n(0)]
    note: Option<Bytes>,
    #[n(1)]
    follows: Vec<Bytes>,
    #[n(2)]
    kept: i64,
    #[n(3)]
    text: Bytes,
    #[n(4)]
    title: Option<String>,
    #[n(5)]
    client: Option<String>,
    #[n(6)]
    case: Option<String>,
    #[n(7)]
    label: Option<String>,
    #[n(8)]
    at: Option<String>,
    #[n(9)]
    fields: Vec<(String, String)>,
}

impl Drop for KeptCbor {
    fn drop(&mut self) {
        self.text.zeroize();
        let texts = [
            &mut self.title,
            &mut self.client,
            &mut self.case,
            &mut self.label,
            &mut self.at,
        ];
        wipe(texts.into_iter().flatten(), &mut self.fields);
    }
}

impl KeptText {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let bytes = |digest: &Digest| digest.as_bytes().to_vec().into();
        let given = self.given.clone();
        secret::encode(&KeptCbor {
            note: self.note.map(|note| note.as_bytes().to_vec().into()),
            follows: self.follows.iter().map(bytes).collect(),
            kept: self.kept,
            text: self.text.to_vec().into(),
            title: given.title.clone(),
            client: given.client.clone(),
            case: given.case.clone(),
            label: given.label.clone(),
            at: given.at.clone(),
            fields: given.fields.clone(),
        })
    }

    pub(super) fn decode(plain: &Plaintext) -> Result<Self, BadEnvelope> {
        let mut raw: KeptCbor = cbor::decode(WHAT, INSIDE_MAX, plain.expose())?;
        let sorted = raw
            .follows
            .windows(2)
            .all(|pair| pair[0].as_slice() < pair[1].as_slice());
        if !sorted {
            return Err(BadEnvelope::Malformed { what: WHAT });
        }
        let fixed = |bytes: &Bytes| cbor::fixed(WHAT, bytes);
        Ok(Self {
            note: raw.note.as_ref().map(|note| cbor::fixed(WHAT, note)).transpose()?,
            follows: raw.follows.iter().map(fixed).collect::<Result<_, _>>()?,
            kept: raw.kept,
            text: Zeroizing::new(std::mem::take(&mut raw.text)),
            given: Given {
                title: raw.title.take(),
                client: raw.client.take(),
                case: raw.case.take(),
                label: raw.label.take(),
                at: raw.at.take(),
                fields: std::mem::take(&mut raw.fields),
            },
        })
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct FileCbor {
    #[n(0)]
    suite: u8,
    #[n(1)]
    vault: Bytes,
    #[n(2)]
    device: Bytes,
    #[n(3)]
    sealed: Bytes,
}

/// A kept text as it lies in the local state: read, not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// The vault it belongs to.
    pub vault: VaultId,
    /// The device that kept it.
    pub device: DeviceId,
    sealed: Vec<u8>,
}

impl KeptFile {
    /// The largest file, in bytes.
    pub const MAX: u64 = FILE_MAX as u64;

    /// Seals a text under a key that is made of this device's local-state key.
    pub fn seal(
        vault: VaultId,
        device: DeviceId,
        local_state: &Secret<32>,
        text: &KeptText,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let padded = padding::pad(&text.encode());
        let sealed = xseal(&seal_key(local_state), &context(vault, device), &padded, entropy)?;
        Ok(Self { vault, device, sealed })
    }

    /// Opens it.
    pub(crate) fn open_sealed(
        &self,
        vault: VaultId,
        device: DeviceId,
        local_state: &Secret<32>,
    ) -> Result<KeptText, BadEnvelope> {
        check_vault(WHAT, self.vault, vault)?;
        if self.device != device {
            return Err(BadEnvelope::Foreign { what: WHAT });
        }
        let padded = xopen(&seal_key(local_state), &context(vault, device), &self.sealed);
        let padded = padded.map_err(|_| BadEnvelope::Unopenable { what: WHAT })?;
        KeptText::decode(&padding::unpad(WHAT, padded.expose())?)
    }

    /// Reads a file; strict.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let mut raw: FileCbor = cbor::decode(WHAT, FILE_MAX, bytes)?;
        check_suite(WHAT, raw.suite)?;
        Ok(Self {
            vault: cbor::fixed(WHAT, &raw.vault)?,
            device: cbor::fixed(WHAT, &raw.device)?,
            sealed: std::mem::take(&mut raw.sealed),
        })
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(&FileCbor {
            suite: SUITE,
            vault: self.vault.as_bytes().to_vec().into(),
            device: self.device.as_bytes().to_vec().into(),
            sealed: self.sealed.clone().into(),
        })
    }
}

fn seal_key(local_state: &Secret<32>) -> Secret<32> {
    derive_key(local_state.expose(), "strongroom/1/kept text", &[])
}

fn context(vault: VaultId, device: DeviceId) -> Vec<u8> {
    let parts: [&[u8]; 4] = [b"strongroom/1/kept text", &[SUITE], vault.as_bytes(), device.as_bytes()];
    length_prefixed(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;

    const VAULT: VaultId = VaultId([1; 16]);
    const DEVICE: DeviceId = DeviceId([2; 8]);

    fn text() -> KeptText {
        let mut given = Given::default();
        given.client = Some("Halcyon".into());
        given.at = Some(String::new());
        given.fields = vec![("plate".into(), String::new())];
        KeptText {
            note: Some(NoteId([3; 16])),
            follows: vec![Digest([4; 32]), Digest([5; 32])],
            kept: 1_795_253_400,
            text: Zeroizing::new(b"half a sentence \xff".to_vec()),
            given,
        }
    }

    fn secret(byte: u8) -> Secret<32> {
        Secret::copy_from(&[byte; 32]).unwrap()
    }

    fn sealed(text: &KeptText) -> KeptFile {
        KeptFile::seal(VAULT, DEVICE, &secret(9), text, &mut ExampleEntropy::new("kept")).unwrap()
    }

    #[test]
    fn a_kept_text_comes_back_to_its_device_alone() {
        let file = KeptFile::parse(&sealed(&text()).to_bytes()).unwrap();
        assert!(file.open_sealed(VAULT, DEVICE, &secret(9)).ok() == Some(text()));
        assert!(file.open_sealed(VAULT, DEVICE, &secret(8)).is_err());
        assert!(file.open_sealed(VaultId([9; 16]), DEVICE, &secret(9)).is_err());
        assert!(file.open_sealed(VAULT, DeviceId([9; 8]), &secret(9)).is_err());
        // Also not after somebody wrote another device's name on it.
        let moved = KeptFile {
            device: DeviceId([9; 8]),
            ..file
        };
        assert!(moved.open_sealed(VAULT, DeviceId([9; 8]), &secret(9)).is_err());
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let bytes = sealed(&text()).to_bytes();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let opened = KeptFile::parse(&bad).and_then(|file| file.open_sealed(VAULT, DEVICE, &secret(9)));
            assert!(opened.is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_it_follows_has_one_order() {
        let mut wrong = text();
        wrong.follows.reverse();
        let file = sealed(&wrong);
        assert!(file.open_sealed(VAULT, DEVICE, &secret(9)).is_err());
    }

    #[test]
    fn the_longest_text_fits() {
        let mut long = text();
        long.text = Zeroizing::new(vec![b'a'; 2 << 20]);
        let bytes = sealed(&long).to_bytes();
        assert!(bytes.len() as u64 <= KeptFile::MAX);
        let opened = KeptFile::parse(&bytes).and_then(|file| file.open_sealed(VAULT, DEVICE, &secret(9)));
        assert!(opened.ok() == Some(long));
    }
}
