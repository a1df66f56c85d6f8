// refused: E0616,E0624
//! Keys do not leave their ring, nor an identity its secret half.

use strongroom::envelope::{Key, Keyring};
use strongroom::id::KeyId;
use strongroom::session::Identity;

pub fn secret(key: &Key) {
    let _ = &key.secret;
}

pub fn by_id(ring: &Keyring, id: KeyId) {
    let _ = ring.key(id);
}

pub fn hybrid(identity: &Identity) {
    let _ = identity.hybrid();
}

pub fn signing(identity: &Identity) {
    let _ = &identity.signing;
}
