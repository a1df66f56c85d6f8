// refused: E0624
//! The envelope opens for this crate's gate, not for others.

use strongroom::crypto::HybridSecret;
use strongroom::envelope::{BodyFile, ContentKey, KeptFile, Keyring, WrapFile};
use strongroom::id::{DeviceId, NoteId, PersonId, VaultId};
use strongroom::secret::Secret;
use strongroom::session::Identity;

pub fn unwrap(wrap: &WrapFile, vault: VaultId, note: NoteId, keys: &Keyring, me: PersonId, secret: &HybridSecret) {
    let _ = wrap.unwrap_key(vault, note, keys, me, secret);
}

pub fn text(body: &BodyFile, vault: VaultId, note: NoteId, key: &ContentKey) {
    let _ = body.open_text(vault, note, key);
}

pub fn metadata(body: &BodyFile, vault: VaultId, note: NoteId, key: &ContentKey) {
    let _ = body.open_metadata(vault, note, key);
}

pub fn kept(identity: &Identity, file: &[u8]) {
    let _ = identity.open_kept(file);
}

pub fn kept_file(file: &KeptFile, vault: VaultId, device: DeviceId, local_state: &Secret<32>) {
    let _ = file.open_sealed(vault, device, local_state);
}
