// refused: E0624
//! The envelope opens for this crate's gate, not for others.

use strongroom::crypto::HybridSecret;
use strongroom::envelope::{BodyFile, ContentKey, Keyring, WrapFile};
use strongroom::id::{NoteId, PersonId, VaultId};

pub fn unwrap(wrap: &WrapFile, vault: VaultId, note: NoteId, keys: &Keyring, me: PersonId, secret: &HybridSecret) {
    let _ = wrap.unwrap_key(vault, note, keys, me, secret);
}

pub fn text(body: &BodyFile, vault: VaultId, note: NoteId, key: &ContentKey) {
    let _ = body.open_text(vault, note, key);
}

pub fn metadata(body: &BodyFile, vault: VaultId, note: NoteId, key: &ContentKey) {
    let _ = body.open_metadata(vault, note, key);
}
