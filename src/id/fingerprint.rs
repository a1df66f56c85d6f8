//! Fingerprints: what two people read to each other, to know that both see the same.

use super::Digest;
use std::fmt;
use std::str::FromStr;

/// How many words; of 2,048 each, so that somebody who wants another key with the same ones has 2^88 to try.
const WORDS: usize = 8;
/// The bits of a word.
const BITS: usize = 11;

/// The first 88 bits of a digest, as words of the English list of BIP-39. The first four letters tell a word from all
/// others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint([u16; WORDS]);

impl From<Digest> for Fingerprint {
    fn from(digest: Digest) -> Self {
        let bit = |at: usize| u16::from(digest.0[at / 8] >> (7 - at % 8) & 1);
        let word = |n: usize| (n * BITS..(n + 1) * BITS).fold(0, |word, at| word << 1 | bit(at));
        Self(std::array::from_fn(word))
    }
}

/// The text is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is eight words, as they are shown")]
pub struct BadFingerprint;

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    /// Reads what a person typed: words with any white space between them, in either case.
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let list = bip39::Language::English.word_list();
        let number = |word: &str| list.iter().position(|known| known.eq_ignore_ascii_case(word));
        let numbers: Option<Vec<u16>> = text
            .split_whitespace()
            .map(|word| u16::try_from(number(word)?).ok())
            .collect();
        let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
        numbers.map(Self).ok_or(BadFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = bip39::Language::English.word_list();
        for (n, word) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            write!(f, "{space}{}", list[usize::from(*word)])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_mnemonic() {
        // BIP-39's own test vectors: 16 bytes of entropy give these words, the last of which has a checksum.
        for (byte, words) in [
            (0x00, "abandon abandon abandon abandon abandon abandon abandon abandon"),
            (0x7f, "legal winner thank year wave sausage worth useful"),
            (0x80, "letter advice cage absurd amount doctor acoustic avoid"),
            (0xff, "zoo zoo zoo zoo zoo zoo zoo zoo"),
        ] {
            assert_eq!(Fingerprint::from(Digest([byte; 32])).to_string(), words);
        }
    }

    #[test]
    fn what_is_read_out_is_read_in() {
        let fingerprint = Fingerprint::from(Digest(std::array::from_fn(|n| (n as u8).wrapping_mul(37))));
        let words = fingerprint.to_string();
        for typed in [
            words.clone(),
            words.to_uppercase(),
            format!("  {}\n", words.replace(' ', "\t ")),
        ] {
            assert_eq!(typed.parse(), Ok(fingerprint));
        }
        for bad in [
            "",
            "zoo",
            &words.replacen(' ', "", 1),
            &format!("{words} zoo"),
            &words.replace(' ', "-"),
        ] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(BadFingerprint), "{bad}");
        }
    }

    #[test]
    fn every_bit_of_the_first_88_counts_and_no_other() {
        let of = |at: usize| {
            let mut digest = Digest([0; 32]);
            digest.0[at / 8] |= 0x80 >> (at % 8);
            Fingerprint::from(digest)
        };
        let zero = Fingerprint::from(Digest([0; 32]));
        let all: Vec<_> = (0..256).map(of).collect();
        assert!((0..88).all(|at| all[at] != zero && all[..at].iter().all(|other| *other != all[at])));
        assert!(all[88..].iter().all(|other| *other == zero));
    }
}
