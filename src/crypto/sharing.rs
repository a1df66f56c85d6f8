//! Sharing a secret: Shamir's scheme over the scalars of ristretto255 (RFC 9496), with Pedersen's commitments, by which
//! each share can be told from a wrong one before any are combined. Commitments hide what they commit to from everybody,
//! whatever they can compute.

use super::{Entropy, NoEntropy, sha256};
use crate::secret::Secret;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use hpke::rand_core::{Infallible, TryCryptoRng, TryRng};
use std::sync::LazyLock;
use vsss_rs::{
    IdentifierPrimeField, PedersenResult, PedersenVerifierSet, ReadableShareSet, Share, StdPedersenResult, ValueGroup,
    pedersen,
};
use zeroize::{Zeroize, Zeroizing};

/// The most shares of one secret.
pub const SHARES_MAX: u8 = 16;
/// The length of a commitment, a share's value and its blinding.
pub const SHARED_LEN: usize = 32;

type Element = IdentifierPrimeField<Scalar>;
type Point = ValueGroup<RistrettoPoint>;

/// A point on the polynomial, wiped when dropped. The scheme asks that it can be shown and copied; it shows nothing.
#[derive(Clone, PartialEq, Eq, Default)]
struct Wiped(Element, Element);

impl std::fmt::Debug for Wiped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wiped")
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.0.zeroize();
        self.1.0.zeroize();
    }
}

impl Share for Wiped {
    type Identifier = Element;
    type Value = Element;

    fn with_identifier_and_value(identifier: Element, value: Element) -> Self {
        Self(identifier, value)
    }

    fn identifier(&self) -> &Element {
        &self.0
    }

    fn identifier_mut(&mut self) -> &mut Element {
        &mut self.0
    }

    fn value(&self) -> &Element {
        &self.1
    }

    fn value_mut(&mut self) -> &mut Element {
        &mut self.1
    }
}

/// One share: the secret's polynomial and the blinding one at the share's number.
pub struct SecretShare {
    /// The secret part.
    pub value: Secret<SHARED_LEN>,
    /// What blinds its commitment; as secret as the value.
    pub blinding: Secret<SHARED_LEN>,
}

/// A secret in shares, numbered from 1 in their order, and the commitments that each can be checked with.
pub struct SplitSecret {
    /// As many as shares are needed; public.
    pub commitments: Vec<[u8; SHARED_LEN]>,
    /// The shares.
    pub shares: Vec<SecretShare>,
}

/// A random secret that can be shared: a scalar in its canonical form.
pub fn make_shareable(entropy: &mut dyn Entropy) -> Result<Secret<SHARED_LEN>, NoEntropy> {
    let mut wide = Zeroizing::new([0; 64]);
    entropy.fill(&mut *wide)?;
    let scalar = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
    Ok(boxed(&scalar))
}

/// Splits a secret of [`make_shareable`] into `of` shares of which `need` give it back; `None` where it is none, or the
/// numbers are not 2 ≤ need ≤ of ≤ [`SHARES_MAX`].
pub fn split_secret(
    secret: &Secret<SHARED_LEN>,
    need: u8,
    of: u8,
    entropy: &mut dyn Entropy,
) -> Result<Option<SplitSecret>, NoEntropy> {
    let Some(secret) = scalar(secret.expose()).map(|scalar| Zeroizing::new(*scalar)) else {
        return Ok(None);
    };
    if need < 2 || need > of || of > SHARES_MAX {
        return Ok(None);
    }
    let mut drawn = Drawing { entropy, failed: false };
    let split: Result<StdPedersenResult<Wiped, Point>, _> = pedersen::split_secret(
        need.into(),
        of.into(),
        &IdentifierPrimeField(*secret),
        None,
        Some(ValueGroup(RISTRETTO_BASEPOINT_POINT)),
        Some(ValueGroup(*BLINDING_GENERATOR)),
        &mut drawn,
    );
    if drawn.failed {
        return Err(NoEntropy);
    }
    let Ok(split) = split else { return Ok(None) };
    let parts = split.secret_shares().iter().zip(split.blinder_shares());
    let shares = parts.map(|(value, blinding)| SecretShare {
        value: boxed(&value.1.0),
        blinding: boxed(&blinding.1.0),
    });
    let verifiers = split.pedersen_verifier_set();
    let commitments = PedersenVerifierSet::<Wiped, Point>::blind_verifiers(verifiers).iter();
    Ok(Some(SplitSecret {
        commitments: commitments.map(|point| point.0.compress().to_bytes()).collect(),
        shares: shares.collect(),
    }))
}

/// Whether these are commitments: points in their canonical form.
pub fn are_commitments(commitments: &[[u8; SHARED_LEN]]) -> bool {
    commitments.iter().all(|bytes| point(bytes).is_some())
}

/// Whether a share is the one of that number which was committed to.
pub fn check_share(commitments: &[[u8; SHARED_LEN]], number: u8, share: &SecretShare) -> bool {
    let parts = scalar(share.value.expose()).zip(scalar(share.blinding.expose()));
    let points: Option<Vec<Point>> = commitments.iter().map(|bytes| point(bytes).map(ValueGroup)).collect();
    let (Some((value, blinding)), Some(points)) = (parts, points) else {
        return false;
    };
    let set: Vec<Point> = PedersenVerifierSet::<Wiped, Point>::pedersen_set_with_generators_and_verifiers(
        ValueGroup(RISTRETTO_BASEPOINT_POINT),
        ValueGroup(*BLINDING_GENERATOR),
        &points,
    );
    let at = |part: &Scalar| Wiped(IdentifierPrimeField(Scalar::from(number)), IdentifierPrimeField(*part));
    PedersenVerifierSet::verify_share_and_blinder(&set, &at(&value), &at(&blinding)).is_ok()
}

/// The secret of shares by their numbers, which are all that are needed, distinct and checked. From too few or wrong ones
/// another secret comes, and nothing tells.
pub fn combine_shares(shares: &[(u8, &SecretShare)]) -> Option<Secret<SHARED_LEN>> {
    let points: Option<Vec<Wiped>> = shares
        .iter()
        .map(|(number, share)| {
            let value = scalar(share.value.expose())?;
            Some(Wiped(
                IdentifierPrimeField(Scalar::from(*number)),
                IdentifierPrimeField(*value),
            ))
        })
        .collect();
    let mut combined = points?.combine().ok()?;
    let secret = boxed(&combined.0);
    combined.0.zeroize();
    Some(secret)
}

fn scalar(bytes: &[u8; SHARED_LEN]) -> Option<Zeroizing<Scalar>> {
    Option::<Scalar>::from(Scalar::from_canonical_bytes(*bytes)).map(Zeroizing::new)
}

fn point(bytes: &[u8; SHARED_LEN]) -> Option<RistrettoPoint> {
    CompressedRistretto(*bytes).decompress()
}

fn boxed(scalar: &Scalar) -> Secret<SHARED_LEN> {
    let filled = Secret::fill_with(|bytes| {
        bytes.copy_from_slice(scalar.as_bytes());
        Ok::<(), NoEntropy>(())
    });
    match filled {
        Ok(secret) => secret,
        // INVARIANT (nothing drawn): copying does not fail.
        Err(NoEntropy) => unreachable!("a scalar is copied"),
    }
}

/// The second generator: nobody knows how it stands to the first, since both follow from names.
static BLINDING_GENERATOR: LazyLock<RistrettoPoint> = LazyLock::new(|| {
    let half = |n: u8| sha256(&[b"strongroom/1/share blinding", &[n]]).0;
    let mut uniform = [0; 64];
    uniform[..32].copy_from_slice(&half(0));
    uniform[32..].copy_from_slice(&half(1));
    RistrettoPoint::from_uniform_bytes(&uniform)
});

/// Randomness for what cannot report that there is none: it is asked afterwards, and nothing is used if there was not.
struct Drawing<'e> {
    entropy: &'e mut dyn Entropy,
    failed: bool,
}

impl TryRng for Drawing<'_> {
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
        self.failed |= self.entropy.fill(out).is_err();
        Ok(())
    }
}
impl TryCryptoRng for Drawing<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;

    fn split(need: u8, of: u8) -> (Secret<32>, SplitSecret) {
        let mut entropy = ExampleEntropy::new("sharing");
        let secret = make_shareable(&mut entropy).unwrap();
        let split = split_secret(&secret, need, of, &mut entropy).unwrap().unwrap();
        (secret, split)
    }

    #[test]
    fn any_that_are_enough_give_the_secret_back_and_fewer_another() {
        let (secret, split) = split(3, 5);
        assert_eq!((split.commitments.len(), split.shares.len()), (3, 5));
        let numbered: Vec<(u8, &SecretShare)> = (1..).zip(&split.shares).collect();
        assert!(
            numbered
                .iter()
                .all(|(n, share)| check_share(&split.commitments, *n, share))
        );
        for chosen in 0u8..32 {
            let some: Vec<(u8, &SecretShare)> = numbered
                .iter()
                .filter(|(n, _)| chosen >> (n - 1) & 1 == 1)
                .copied()
                .collect();
            let combined = combine_shares(&some);
            match some.len() {
                0 | 1 => assert!(combined.is_none()),
                2 => assert_ne!(combined.unwrap().expose(), secret.expose()),
                _ => assert_eq!(combined.unwrap().expose(), secret.expose()),
            }
        }
    }

    #[test]
    fn a_share_is_checked_before_it_is_used() {
        let (_, split) = split(2, 3);
        let first = &split.shares[0];
        assert!(!check_share(&split.commitments, 2, first), "another number");
        assert!(!check_share(&split.commitments, 0, first), "no number");
        assert!(!check_share(&split.commitments[..1], 1, first), "other commitments");
        assert!(!check_share(&[[0xff; 32]], 1, first), "no commitments");
        for part in 0..2 {
            for at in [0, 13, 31] {
                let mut bytes = [*first.value.expose(), *first.blinding.expose()];
                bytes[part][at] ^= 1;
                let forged = SecretShare {
                    value: Secret::copy_from(&bytes[0]).unwrap(),
                    blinding: Secret::copy_from(&bytes[1]).unwrap(),
                };
                assert!(!check_share(&split.commitments, 1, &forged), "byte {at} of part {part}");
            }
        }
    }

    #[test]
    fn what_cannot_be_shared_is_not() {
        let mut entropy = ExampleEntropy::new("sharing");
        let secret = make_shareable(&mut entropy).unwrap();
        for (need, of) in [(0, 3), (1, 3), (4, 3), (2, SHARES_MAX + 1)] {
            assert!(
                split_secret(&secret, need, of, &mut entropy).unwrap().is_none(),
                "{need} of {of}"
            );
        }
        let none = Secret::copy_from(&[0xff; 32]).unwrap();
        assert!(split_secret(&none, 2, 3, &mut entropy).unwrap().is_none());
    }

    /// Gives out so many bytes and then nothing.
    struct Ending(usize);

    impl Entropy for Ending {
        fn fill(&mut self, buf: &mut [u8]) -> Result<(), NoEntropy> {
            self.0 = self.0.checked_sub(buf.len()).ok_or(NoEntropy)?;
            buf.fill(7);
            Ok(())
        }
    }

    #[test]
    fn without_randomness_there_are_no_shares() {
        let (secret, _) = split(2, 3);
        let drawn = (0..)
            .step_by(64)
            .find(|n| split_secret(&secret, 3, 5, &mut Ending(*n)).is_ok());
        // Two coefficients for the secret, three for the blinding.
        assert_eq!(drawn, Some(5 * 64));
    }

    #[test]
    fn the_generators_are_those_of_the_format() {
        let hex = |point: &RistrettoPoint| point.compress().to_bytes().map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(
            hex(&RISTRETTO_BASEPOINT_POINT),
            "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
        );
        assert_ne!(*BLINDING_GENERATOR, RISTRETTO_BASEPOINT_POINT);
        assert_eq!(
            hex(&BLINDING_GENERATOR),
            "40756e94d1033ae051f54a3904c1e669fa0f2d81f23cf813896e326e704f436b"
        );
    }
}
