//! Primitives, thinly wrapped: the only room that names ring, chacha20poly1305, argon2, hpke, curve25519-dalek and vsss-rs.
//!
//! Nothing here knows what it seals. Keys come and go as [`Secret`]s, randomness is handed in as
//! [`Entropy`], and every failure to open is the same [`Unopenable`]: why is nobody's business.

mod aead;
mod hash;
mod hybrid;
mod passphrase;
mod sharing;
mod sign;
#[cfg(test)]
pub(crate) mod vectors;

pub use aead::{CHUNK_TAG_LEN, StreamKey, XNONCE_LEN, XTAG_LEN, xopen, xseal};
pub use hash::{Hasher, KeySource, derive_key, length_prefixed, mac, mac_verify, same_bytes, sha256};
pub use hybrid::{ENC_LEN, HybridSecret, RECIPIENT_LEN, Recipient};
pub use passphrase::{Argon2Params, BadArgon2Params, NoMemory};
pub use sharing::{
    SHARED_LEN, SHARES_MAX, SecretShare, SplitSecret, are_commitments, check_share, combine_shares, make_shareable,
    split_secret,
};
pub use sign::{PublicKey, SIGNATURE_LEN, SigningKey};

use crate::secret::Secret;

/// A source of random bytes fit for keys.
pub trait Entropy {
    /// Fills all of `buf`.
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers; nothing was written")]
pub struct NoEntropy;

/// A ciphertext does not open under this key and context, or a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not open with this key")]
pub struct Unopenable;

/// Random bytes, `N` of them: ids, salts, nonces.
pub fn make_random<const N: usize>(entropy: &mut dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// A random secret of `N` bytes.
pub fn make_secret<const N: usize>(entropy: &mut dyn Entropy) -> Result<Secret<N>, NoEntropy> {
    Secret::fill_with(|bytes| entropy.fill(bytes))
}

/// Bytes for tests and worked examples: SHA-256 of a label and a counter. Never for keys in use.
#[derive(Debug)]
pub struct ExampleEntropy {
    label: &'static str,
    counter: u64,
}

impl ExampleEntropy {
    /// A source whose whole output follows from `label`.
    pub fn new(label: &'static str) -> Self {
        Self { label, counter: 0 }
    }
}

impl Entropy for ExampleEntropy {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in buf.chunks_mut(32) {
            let block = sha256(&[
                b"strongroom example",
                self.label.as_bytes(),
                &self.counter.to_be_bytes(),
            ]);
            chunk.copy_from_slice(&block.0[..chunk.len()]);
            self.counter += 1;
        }
        Ok(())
    }
}
