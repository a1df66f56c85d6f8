//! Identities: whose device this is, and the keys it opens.
//!
//! A session is one unlocked identity in this process. It signs as the device, opens what was sealed
//! to it, and is wiped when dropped.

use crate::chain::{Device, DeviceKind, JoinRequest, Namespace, SignedCheckpoint, Time, sign_ssh};
use crate::crypto::{Entropy, HybridSecret, NoEntropy, PublicKey, Recipient, SigningKey};
use crate::envelope::{
    BadEnvelope, BadIdentity, BadWrap, BoxFile, DetailFile, DetailKey, IdentityFile, IdentitySecrets, KeptFile,
    KeptText, Keyring, NewcomerSecrets, RecoveryKey, WrapFile,
};
use crate::id::{DeviceId, Digest, NoteId, PersonId, VaultId};
use crate::secret::{Passphrase, Secret};
use zeroize::Zeroize;

/// An unlocked identity.
pub struct Identity {
    vault: VaultId,
    device: DeviceId,
    person: PersonId,
    handle: String,
    founder_pin: Digest,
    signing: SigningKey,
    hybrid: HybridSecret,
    local_state: Secret<32>,
}

impl Identity {
    /// Opens an identity file. Costs what its key derivation asks for.
    pub fn unlock(file: &IdentityFile, passphrase: &Passphrase) -> Result<Self, BadIdentity> {
        Ok(Self::from_secrets(file.vault, file.device, &file.open(passphrase)?))
    }

    /// The identity of a device just made.
    pub fn from_secrets(vault: VaultId, device: DeviceId, secrets: &IdentitySecrets) -> Self {
        Self {
            vault,
            device,
            person: secrets.person,
            handle: secrets.handle.clone(),
            founder_pin: secrets.founder_pin,
            signing: SigningKey::from_seed(&secrets.signing_seed),
            hybrid: HybridSecret::from_seed(&secrets.recipient_seed),
            local_state: secrets.local_state.duplicate(),
        }
    }

    /// The vault it belongs to.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The device it is.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The person whose device it is.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// What that person is called.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// Where this device's trust in the roster begins.
    pub fn founder_pin(&self) -> Digest {
        self.founder_pin
    }

    /// The key others check its signatures with.
    pub fn public_key(&self) -> PublicKey {
        self.signing.public()
    }

    /// The key others seal to it with.
    pub fn recipient(&self) -> Recipient {
        self.hybrid.recipient()
    }

    /// An SSH signature for a purpose.
    pub fn sign(&self, namespace: Namespace, message: &[u8]) -> String {
        sign_ssh(&self.signing, namespace, message)
    }

    /// A signed checkpoint.
    pub fn sign_checkpoint(&self, checkpoint: crate::chain::Checkpoint) -> SignedCheckpoint {
        checkpoint.sign(&self.signing)
    }

    /// A signed card.
    pub fn sign_card(&self, card: &crate::chain::Card) -> Vec<u8> {
        card.sign(&self.signing)
    }

    /// Authenticates what this device keeps outside the vault.
    pub fn local_mac(&self, message: &[u8]) -> [u8; 32] {
        crate::crypto::mac(&self.local_state, message)
    }

    /// Whether `tag` is [`Identity::local_mac`] of `message`, in constant time.
    pub fn local_mac_verify(&self, message: &[u8], tag: &[u8]) -> bool {
        crate::crypto::mac_verify(&self.local_state, message, tag)
    }

    /// By what this device knows again what it imported: a key of its own for that.
    pub fn import_key(&self) -> Secret<32> {
        let mut key = self.local_mac(b"strongroom import");
        let filled = Secret::fill_with(|bytes| {
            bytes.copy_from_slice(&key);
            key.zeroize();
            Ok::<(), std::convert::Infallible>(())
        });
        match filled {
            Ok(secret) => secret,
            Err(never) => match never {},
        }
    }

    /// Seals a text that could not be recorded, for this device alone.
    pub fn seal_kept(&self, text: &KeptText, entropy: &mut dyn Entropy) -> Result<Vec<u8>, NoEntropy> {
        let file = KeptFile::seal(self.vault, self.device, &self.local_state, text, entropy)?;
        Ok(file.to_bytes())
    }

    /// What a kept text is about, whether `field` was given with it and what `value` is, and nothing of what it says.
    pub fn kept_about(&self, file: &[u8], field: &str, value: &str) -> Result<KeptAbout, BadEnvelope> {
        let text = self.open_kept(file)?;
        Ok(KeptAbout {
            note: text.note,
            kept: text.kept,
            has_field: text.given.has(field),
            value: text.given.value(value).map(str::to_owned),
        })
    }

    /// What a kept text is for, with `text` in the place of what it says; `None` if it says just that.
    pub fn kept_with(&self, file: &[u8], text: &[u8], kept: i64) -> Result<Option<KeptText>, BadEnvelope> {
        let mut known = self.open_kept(file)?;
        if crate::crypto::same_bytes(&known.text, text) {
            return Ok(None);
        }
        known.text = text.to_vec().into();
        known.kept = kept;
        Ok(Some(known))
    }

    /// For the gate: opens a kept text.
    pub(crate) fn open_kept(&self, file: &[u8]) -> Result<KeptText, BadEnvelope> {
        KeptFile::parse(file)?.open_sealed(self.vault, self.device, &self.local_state)
    }

    /// What goes to this device by name, for another one of the same person too; none where it does not go to this one.
    pub fn hand_on(
        &self,
        note: NoteId,
        wrap: &WrapFile,
        other: &Recipient,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<WrapFile>, BadWrap> {
        wrap.with_slot_for(self.vault, note, &self.hybrid, other, entropy)
    }

    /// Opens this device's key box.
    pub fn open_box(&self, file: &[u8]) -> Result<Keyring, BadEnvelope> {
        BoxFile::parse(file)?.open(self.vault, self.device, &self.hybrid)
    }

    /// Opens a detail key that was wrapped to this device, or to a role whose key is in `keys`.
    pub fn open_detail_key(&self, file: &[u8], keys: &Keyring) -> Result<DetailKey, BadEnvelope> {
        DetailFile::parse(file)?.unwrap_key(self.vault, self.device, &self.hybrid, keys)
    }

    /// Shows `visit` where each secret lies, so that its pages can be kept in memory; whether all of them could be.
    pub(crate) fn each_secret(&self, visit: &mut dyn FnMut(*const u8, usize) -> bool) -> bool {
        let local = self.local_state.expose();
        let whole = visit(std::ptr::from_ref(self).cast(), size_of::<Self>());
        visit(local.as_ptr(), local.len()) && whole
    }

    /// For the gate: the secret half that `named` wraps were sealed to.
    pub(crate) fn hybrid(&self) -> &HybridSecret {
        &self.hybrid
    }
}

/// What is known of a kept text before an entry lets it be opened.
pub struct KeptAbout {
    /// The note it revises; none for one that is not there yet.
    pub note: Option<NoteId>,
    /// When it was kept, Unix seconds.
    pub kept: i64,
    /// Whether the field that was asked about was given with it.
    pub has_field: bool,
    /// The value that was asked for, if there is one.
    pub value: Option<String>,
}

/// The device that a recovery key is.
pub struct PaperDevice {
    signing: SigningKey,
    hybrid: HybridSecret,
}

impl PaperDevice {
    /// From a printed key.
    pub fn new(key: &RecoveryKey) -> Self {
        Self {
            signing: SigningKey::from_seed(&key.signing_seed()),
            hybrid: HybridSecret::from_seed(&key.recipient_seed()),
        }
    }

    /// The key others check its signatures with; by it the roster knows which device this is.
    pub fn public_key(&self) -> PublicKey {
        self.signing.public()
    }

    /// The key others seal to it with.
    pub fn recipient(&self) -> Recipient {
        self.hybrid.recipient()
    }

    /// Signs the card that admits a new device.
    pub fn sign_card(&self, card: &crate::chain::Card) -> Vec<u8> {
        card.sign(&self.signing)
    }

    /// What goes to the paper by name, for the device that comes back in too; none where it does not go to the paper.
    pub fn hand_on(
        &self,
        vault: VaultId,
        note: NoteId,
        wrap: &WrapFile,
        other: &Recipient,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<WrapFile>, BadWrap> {
        wrap.with_slot_for(vault, note, &self.hybrid, other, entropy)
    }

    /// Opens its key box.
    pub fn open_box(&self, vault: VaultId, device: DeviceId, file: &[u8]) -> Result<Keyring, BadEnvelope> {
        BoxFile::parse(file)?.open(vault, device, &self.hybrid)
    }
}

/// The request of a device to be admitted, and its file, which the device signs.
pub fn ask_to_join(device: DeviceId, secrets: &NewcomerSecrets, now: Time) -> (JoinRequest, Vec<u8>) {
    let signing = SigningKey::from_seed(&secrets.signing_seed);
    let recipient = HybridSecret::from_seed(&secrets.recipient_seed).recipient();
    let request = JoinRequest {
        device: Device::new(device, DeviceKind::Device, &recipient, signing.public()),
        handle: secrets.handle.clone(),
        time: now,
        v: 1,
    };
    let file = request.sign(&signing);
    (request, file)
}
