//! Authenticated encryption: XChaCha20-Poly1305 for small things with random nonces (wraps,
//! details, identity files), ring's ChaCha20-Poly1305 in counted chunks for bodies.

use super::{Entropy, NoEntropy, Unopenable};
use crate::secret::{Plaintext, Secret};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

/// Length of the random nonce that stands before an XChaCha20-Poly1305 ciphertext.
pub const XNONCE_LEN: usize = 24;
/// Length of its tag.
pub const XTAG_LEN: usize = 16;
/// Length of the tag of one chunk.
pub const CHUNK_TAG_LEN: usize = 16;

/// `nonce ‖ ciphertext ‖ tag` of `message` under `key`, bound to `aad`; the nonce is random
/// (192 bits, so that chance never repeats one; draft-irtf-cfrg-xchacha-03).
pub fn xseal(key: &Secret<32>, aad: &[u8], message: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>, NoEntropy> {
    let nonce: [u8; XNONCE_LEN] = super::make_random(entropy)?;
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let sealed = match cipher.encrypt(&XNonce::from(nonce), Payload { msg: message, aad }) {
        Ok(sealed) => sealed,
        // INVARIANT (bounded messages): the cipher only refuses messages beyond 256 GiB.
        Err(_) => unreachable!("messages are far below the cipher's limit"),
    };
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`xseal`] made.
pub fn xopen(key: &Secret<32>, aad: &[u8], sealed: &[u8]) -> Result<Plaintext, Unopenable> {
    let (nonce, sealed) = sealed.split_first_chunk::<XNONCE_LEN>().ok_or(Unopenable)?;
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    cipher
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad })
        .map(Plaintext::new)
        .map_err(|_| Unopenable)
}

/// The key of one stream, which seals each chunk number once. (ring's key is not wiped on drop:
/// the threat model says so.)
pub struct StreamKey(LessSafeKey);

impl StreamKey {
    /// A key for one stream and no other.
    pub fn new(key: &Secret<32>) -> Self {
        match UnboundKey::new(&CHACHA20_POLY1305, key.expose()) {
            Ok(key) => Self(LessSafeKey::new(key)),
            // INVARIANT (key length): the type of `key` has the 32 bytes that the cipher wants.
            Err(_) => unreachable!("a ChaCha20 key has 32 bytes"),
        }
    }

    /// `11-byte big-endian number ‖ 1 for the last chunk`.
    fn nonce(number: u64, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seals `chunk` in place and returns its tag.
    pub fn seal_chunk(&self, number: u64, last: bool, aad: &[u8], chunk: &mut [u8]) -> [u8; CHUNK_TAG_LEN] {
        let tag = match self
            .0
            .seal_in_place_separate_tag(Self::nonce(number, last), Aad::from(aad), chunk)
        {
            Ok(tag) => tag,
            // INVARIANT (bounded chunks): ring only refuses messages beyond 256 GiB.
            Err(_) => unreachable!("a chunk is far below the cipher's limit"),
        };
        let mut out = [0; CHUNK_TAG_LEN];
        out.copy_from_slice(tag.as_ref());
        out
    }

    /// Opens `chunk` (ciphertext and tag) in place and returns the plaintext's part of it.
    pub fn open_chunk<'a>(
        &self,
        number: u64,
        last: bool,
        aad: &[u8],
        chunk: &'a mut [u8],
    ) -> Result<&'a mut [u8], Unopenable> {
        self.0
            .open_in_place(Self::nonce(number, last), Aad::from(aad), chunk)
            .map_err(|_| Unopenable)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ExampleEntropy;
    use super::*;

    #[test]
    fn a_sealed_message_opens_only_under_its_key_and_context() {
        let key = Secret::copy_from(&[1; 32]).unwrap();
        let sealed = xseal(&key, b"aad", b"hello", &mut ExampleEntropy::new("aead")).unwrap();
        assert_eq!(xopen(&key, b"aad", &sealed).unwrap().expose(), b"hello");
        assert!(xopen(&key, b"aaD", &sealed).is_err());
        assert!(xopen(&Secret::copy_from(&[2; 32]).unwrap(), b"aad", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(xopen(&key, b"aad", &bad).is_err(), "byte {at}");
        }
        assert!(xopen(&key, b"aad", &[]).is_err());
    }

    #[test]
    fn a_chunk_opens_only_in_its_place() {
        let key = StreamKey::new(&Secret::copy_from(&[1; 32]).unwrap());
        let mut chunk = b"chunk".to_vec();
        let tag = key.seal_chunk(3, false, b"ctx", &mut chunk);
        chunk.extend_from_slice(&tag);
        assert!(key.open_chunk(2, false, b"ctx", &mut chunk.clone()).is_err());
        assert!(key.open_chunk(3, true, b"ctx", &mut chunk.clone()).is_err());
        assert!(key.open_chunk(3, false, b"ctz", &mut chunk.clone()).is_err());
        assert_eq!(key.open_chunk(3, false, b"ctx", &mut chunk).unwrap(), b"chunk");
    }
}
