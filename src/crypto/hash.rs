//! SHA-256 (FIPS 180-4), HKDF (RFC 5869) and HMAC (RFC 2104), from ring.

use crate::id::Digest;
use crate::secret::Secret;
use ring::{digest, hkdf, hmac};
use std::sync::LazyLock;

/// SHA-256 of the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

/// SHA-256 over input that comes in pieces.
#[derive(Clone)]
pub struct Hasher(digest::Context);

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    /// A hash of nothing yet.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was added.
    pub fn finish(self) -> Digest {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finish().as_ref());
        Digest(out)
    }
}

/// `u64(len a) ‖ a ‖ u64(len b) ‖ b ‖ …`, big-endian lengths: no two lists share an encoding.
pub fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// `KDF(key, domain, parts…)` of FORMAT.md: HKDF-SHA256 with an empty salt and a length-prefixed info.
///
/// `key` is any secret with at least 256 bits of entropy, or 128 where people have to write it down; several keys are
/// concatenated in a fixed order.
pub fn derive_key(key: &[u8], domain: &str, parts: &[&[u8]]) -> Secret<32> {
    KeySource::new(key).derive_key(domain, parts)
}

/// A key from which several are derived: what their derivations have in common is computed once. (ring's object is not
/// wiped on drop: the threat model says so.)
pub struct KeySource(hkdf::Prk);

impl KeySource {
    /// For a key as in [`derive_key`].
    pub fn new(key: &[u8]) -> Self {
        static SALT: LazyLock<hkdf::Salt> = LazyLock::new(|| hkdf::Salt::new(hkdf::HKDF_SHA256, &[]));
        Self(SALT.extract(key))
    }

    /// [`derive_key`] of this key.
    pub fn derive_key(&self, domain: &str, parts: &[&[u8]]) -> Secret<32> {
        let mut all = vec![domain.as_bytes()];
        all.extend_from_slice(parts);
        let info = length_prefixed(&all);
        let filled = Secret::fill_with(|out| {
            let info = [info.as_slice()];
            let okm = self.0.expand(&info, hkdf::HKDF_SHA256);
            okm.and_then(|okm| okm.fill(out))
        });
        match filled {
            Ok(secret) => secret,
            // INVARIANT (fixed output): HKDF only fails for outputs beyond 255 blocks; this asks for one.
            Err(_) => unreachable!("HKDF-SHA256 always gives 32 bytes"),
        }
    }
}

/// HMAC-SHA256 of `message`.
pub fn mac(key: &Secret<32>, message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), message);
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Whether `tag` is the HMAC-SHA256 of `message`, in constant time.
pub fn mac_verify(key: &Secret<32>, message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), message, tag).is_ok()
}

/// Whether two secret-dependent byte strings are equal, in constant time for equal lengths.
///
/// Both are hashed under a fixed key first and ring compares the tags.
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    static KEY: LazyLock<hmac::Key> = LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, b"strongroom/1/compare"));
    hmac::verify(&KEY, a, hmac::sign(&KEY, b).as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_abc() {
        let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&[b"a", b"bc"]).to_string(), want);
    }

    #[test]
    fn length_prefixes_keep_lists_apart() {
        assert_ne!(length_prefixed(&[b"ab", b"c"]), length_prefixed(&[b"a", b"bc"]));
        assert_ne!(length_prefixed(&[b"a"]), length_prefixed(&[b"a", b""]));
    }

    #[test]
    fn keys_differ_by_domain_and_part() {
        let one = derive_key(b"k", "a", &[b"x"]);
        assert_ne!(one.expose(), derive_key(b"k", "b", &[b"x"]).expose());
        assert_ne!(one.expose(), derive_key(b"k", "a", &[b"y"]).expose());
        assert_eq!(one.expose(), derive_key(b"k", "a", &[b"x"]).expose());
    }

    #[test]
    fn macs_verify_only_what_was_signed() {
        let key = Secret::copy_from(&[7; 32]).unwrap();
        let tag = mac(&key, b"message");
        assert!(mac_verify(&key, b"message", &tag));
        assert!(!mac_verify(&key, b"Message", &tag));
        assert!(same_bytes(b"x", b"x") && !same_bytes(b"x", b"y"));
    }
}
