//! Sealing to a device: HPKE (RFC 9180) with X-Wing (X25519 + ML-KEM-768,
//! draft-connolly-cfrg-xwing-kem-10), HKDF-SHA256 and ChaCha20-Poly1305.

use super::{Entropy, NoEntropy, Unopenable};
use crate::secret::{Plaintext, Secret};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::rand_core::{Infallible, TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroize;

/// Length of a recipient's public key.
pub const RECIPIENT_LEN: usize = 1216;
/// Length of an encapsulated key.
pub const ENC_LEN: usize = 1120;
/// What an X-Wing encapsulation draws.
const ENCAPSULATION_RANDOMNESS: usize = 64;

/// The public half of a device's X-Wing key.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(Box<[u8; RECIPIENT_LEN]>);

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipient({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Randomness drawn beforehand, since encapsulation cannot report that there is none.
struct Drawn {
    bytes: [u8; ENCAPSULATION_RANDOMNESS],
    used: usize,
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl TryRng for Drawn {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut four = [0; 4];
        self.try_fill_bytes(&mut four).map(|()| u32::from_le_bytes(four))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut eight = [0; 8];
        self.try_fill_bytes(&mut eight).map(|()| u64::from_le_bytes(eight))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        // INVARIANT (never twice): more than was drawn would repeat randomness; stop instead.
        let end = self.used + out.len();
        assert!(end <= self.bytes.len(), "an encapsulation draws 64 bytes");
        out.copy_from_slice(&self.bytes[self.used..end]);
        self.used = end;
        Ok(())
    }
}
impl TryCryptoRng for Drawn {}

impl Recipient {
    /// Checks that `bytes` are a public key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unopenable> {
        let array: [u8; RECIPIENT_LEN] = bytes.try_into().map_err(|_| Unopenable)?;
        <XWing as Kem>::PublicKey::from_bytes(bytes).map_err(|_| Unopenable)?;
        Ok(Self(Box::new(array)))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; RECIPIENT_LEN] {
        &self.0
    }

    /// Seals `message`: the encapsulated key and the ciphertext.
    pub fn seal(
        &self,
        info: &[u8],
        message: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<([u8; ENC_LEN], Vec<u8>), NoEntropy> {
        let mut drawn = Drawn {
            bytes: super::make_random(entropy)?,
            used: 0,
        };
        let sealed = <XWing as Kem>::PublicKey::from_bytes(&*self.0).and_then(|key| {
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
                &OpModeS::Base,
                &key,
                info,
                message,
                &[],
                &mut drawn,
            )
        });
        match sealed {
            Ok((enc, sealed)) => {
                let mut out = [0; ENC_LEN];
                out.copy_from_slice(&enc.to_bytes());
                Ok((out, sealed))
            }
            // INVARIANT (checked key): `from_bytes` admitted the key, and messages are bounded.
            Err(_) => unreachable!("sealing to a checked key does not fail"),
        }
    }
}

/// The secret half of a device's X-Wing key.
pub struct HybridSecret(<XWing as Kem>::PrivateKey);

impl HybridSecret {
    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &Secret<32>) -> Self {
        match <XWing as Kem>::PrivateKey::from_bytes(seed.expose()) {
            Ok(key) => Self(key),
            // INVARIANT (seed length): every 32-byte string is an X-Wing seed.
            Err(_) => unreachable!("an X-Wing seed has 32 bytes"),
        }
    }

    /// Its public half.
    pub fn recipient(&self) -> Recipient {
        let mut bytes = Box::new([0; RECIPIENT_LEN]);
        bytes.copy_from_slice(&XWing::sk_to_pk(&self.0).to_bytes());
        Recipient(bytes)
    }

    /// Opens what was sealed to it.
    pub fn open(&self, info: &[u8], enc: &[u8], sealed: &[u8]) -> Result<Plaintext, Unopenable> {
        let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(|_| Unopenable)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(&OpModeR::Base, &self.0, &enc, info, sealed, &[])
            .map(Plaintext::new)
            .map_err(|_| Unopenable)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ExampleEntropy;
    use super::*;

    #[test]
    fn only_the_recipient_opens_and_only_in_context() {
        let secret = HybridSecret::from_seed(&Secret::copy_from(&[5; 32]).unwrap());
        let other = HybridSecret::from_seed(&Secret::copy_from(&[6; 32]).unwrap());
        let (enc, sealed) = secret
            .recipient()
            .seal(b"info", b"keys", &mut ExampleEntropy::new("hpke"))
            .unwrap();
        assert_eq!(secret.open(b"info", &enc, &sealed).unwrap().expose(), b"keys");
        assert!(other.open(b"info", &enc, &sealed).is_err());
        assert!(secret.open(b"infO", &enc, &sealed).is_err());
        assert!(secret.open(b"info", &enc[1..], &sealed).is_err());
        assert!(secret.open(b"info", &enc, &[]).is_err());
    }

    #[test]
    fn a_recipient_is_checked() {
        assert!(Recipient::from_bytes(&[0; 3]).is_err());
        assert!(Recipient::from_bytes(&[0xff; RECIPIENT_LEN]).is_err());
        let good = HybridSecret::from_seed(&Secret::copy_from(&[5; 32]).unwrap()).recipient();
        assert_eq!(Recipient::from_bytes(good.as_bytes()).unwrap(), good);
    }
}
