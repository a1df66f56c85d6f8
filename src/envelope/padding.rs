//! Padmé: a length tells at most a few leading bits of itself (Nikitin et al., PETS 2019, §4).

use super::BadEnvelope;
use crate::secret::Plaintext;
use zeroize::Zeroizing;

/// Messages shorter than this are padded as if they had this length, so that short ones look alike.
pub const MIN_LEN: u64 = 256;
/// The length that stands before the message.
const PREFIX: u64 = 8;

/// The padded length of `len` bytes: at most 12 % more, fewer and fewer distinct ones as it grows.
pub fn padme(len: u64) -> u64 {
    let len = len.max(MIN_LEN);
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let step = 1u64 << (exponent - kept);
    len.div_ceil(step).saturating_mul(step)
}

/// How many bytes [`pad`] gives for a message of `len` bytes.
pub fn padded_len(len: u64) -> u64 {
    padme(len.saturating_add(PREFIX))
}

/// Whether some message has a padded form of `total` bytes: then it is its own padded length.
pub fn is_padded_len(total: u64) -> bool {
    total >= MIN_LEN && padme(total) == total
}

/// `PAD(message)`: its length, itself, zeros.
pub fn pad(message: &[u8]) -> Zeroizing<Vec<u8>> {
    let total = padded_len(message.len() as u64) as usize;
    let mut out = Zeroizing::new(Vec::with_capacity(total));
    out.extend_from_slice(&(message.len() as u64).to_be_bytes());
    out.extend_from_slice(message);
    out.resize(total, 0);
    out
}

/// The message of a padded form; refuses another length than the rule's, and a tail that is not zeros.
pub fn unpad(what: &'static str, padded: &[u8]) -> Result<Plaintext, BadEnvelope> {
    message_of(what, padded).map(|message| Plaintext::new(message.to_vec()))
}

/// The same where the padded form is: no second buffer to wipe.
pub(super) fn unpad_in_place(what: &'static str, mut padded: Zeroizing<Vec<u8>>) -> Result<Plaintext, BadEnvelope> {
    let len = message_of(what, &padded)?.len();
    padded.copy_within(PREFIX as usize..PREFIX as usize + len, 0);
    padded.truncate(len);
    Ok(Plaintext::new(std::mem::take(&mut *padded)))
}

fn message_of<'p>(what: &'static str, padded: &'p [u8]) -> Result<&'p [u8], BadEnvelope> {
    let malformed = || BadEnvelope::Malformed { what };
    let (prefix, rest) = padded
        .split_first_chunk::<{ PREFIX as usize }>()
        .ok_or_else(malformed)?;
    let len = u64::from_be_bytes(*prefix);
    if len > rest.len() as u64 || padded_len(len) != padded.len() as u64 {
        return Err(malformed());
    }
    let (message, tail) = rest.split_at(len as usize);
    if tail.iter().any(|byte| *byte != 0) {
        return Err(malformed());
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_as_the_paper_gives_them() {
        // L = 1000: E = 9, S = 4, step 32; L = 65,537: E = 16, S = 5, step 2048.
        for (len, want) in [
            (1, 256),
            (256, 256),
            (257, 272),
            (1000, 1024),
            (65_536, 65_536),
            (65_537, 67_584),
        ] {
            assert_eq!(padme(len), want, "{len}");
        }
    }

    #[test]
    fn a_padded_form_has_one_spelling() {
        let good = pad(b"note");
        assert_eq!(unpad("x", &good).unwrap().expose(), b"note");
        let mut dirty = good.to_vec();
        *dirty.last_mut().unwrap() = 1;
        assert!(unpad("x", &dirty).is_err());
        assert!(unpad("x", &good[..good.len() - 1]).is_err());
        assert!(unpad("x", &[good.as_slice(), &[0]].concat()).is_err());
        assert!(unpad("x", &[0xff; 256]).is_err());
        assert!(unpad("x", &[]).is_err());
    }

    proptest! {
        #[test]
        fn padding_round_trips_and_costs_little(message in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let padded = pad(&message);
            let whole = unpad("x", &padded).unwrap();
            prop_assert_eq!(whole.expose(), message.as_slice());
            let whole = unpad_in_place("x", padded.clone()).unwrap();
            prop_assert_eq!(whole.expose(), message.as_slice());
            prop_assert!(is_padded_len(padded.len() as u64) && !is_padded_len(padded.len() as u64 + 1));
            prop_assert!(padded.len() <= 256.max((message.len() + 8) * 112 / 100 + 1));
        }
    }
}
