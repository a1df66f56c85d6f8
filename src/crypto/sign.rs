//! Ed25519 (RFC 8032), from ring.

use super::Unopenable;
use crate::secret::Secret;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// Length of a signature.
pub const SIGNATURE_LEN: usize = 64;

/// Who may have signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Holds if `signature` is this key's over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Unopenable> {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, signature)
            .map_err(|_| Unopenable)
    }
}

/// A device's signing key. What it signs is framed (SSHSIG namespace or C2SP note) by the callers in `chain`.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &Secret<32>) -> Self {
        match Ed25519KeyPair::from_seed_unchecked(seed.expose()) {
            Ok(pair) => Self(pair),
            // INVARIANT (seed length): every 32-byte string is an Ed25519 seed.
            Err(_) => unreachable!("an Ed25519 seed has 32 bytes"),
        }
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(out)
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        let mut out = [0; SIGNATURE_LEN];
        out.copy_from_slice(self.0.sign(message).as_ref());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let key = SigningKey::from_seed(&Secret::copy_from(&[3; 32]).unwrap());
        let other = SigningKey::from_seed(&Secret::copy_from(&[4; 32]).unwrap());
        let signature = key.sign(b"message");
        assert!(key.public().verify(b"message", &signature).is_ok());
        assert!(key.public().verify(b"messagf", &signature).is_err());
        assert!(other.public().verify(b"message", &signature).is_err());
        assert!(key.public().verify(b"message", &signature[..63]).is_err());
    }
}
