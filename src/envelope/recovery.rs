//! The recovery key: a device on paper (docs/FORMAT.md §3).

use crate::crypto::{Entropy, NoEntropy, derive_key, make_secret};
use crate::id::Digest;
use crate::secret::Secret;
use bech32::{Bech32m, Hrp};
use zeroize::Zeroizing;

const PREFIX: &str = "strongroom-recovery-";
/// Pages are small; more is not read.
const PAGE_MAX: usize = 64 * 1024;

/// In how many pieces a word is put together again.
const PIECES_MAX: usize = 64;
/// How many bytes of the founder pin stand in the word.
const PIN_LEN: usize = 16;

/// What a printed recovery key stands for: 32 secret bytes, and the beginning of the founder pin, by which whoever
/// uses it knows the vault from a false one.
pub struct RecoveryKey {
    secret: Secret<32>,
    founder: [u8; PIN_LEN],
}

/// There is no readable recovery key on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRecoveryKey {
    /// None found.
    #[error("there is no recovery key in this file: it is one long word that begins with `strongroom-recovery-1`")]
    None,
    /// More than one found.
    #[error("there is more than one recovery key in this file; keep the one that you mean")]
    Several,
    /// The checksum does not hold.
    #[error("the recovery key has a typing error: its checksum does not hold")]
    Mistyped,
    /// Too large for a page.
    #[error("this file is too large to be a recovery page (64 KiB)")]
    TooLong,
}

impl RecoveryKey {
    /// A fresh random key.
    ///
    /// Its founder is named once the founder's card exists, which names the key's public halves.
    pub fn make(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self {
            secret: make_secret(entropy)?,
            founder: [0; PIN_LEN],
        })
    }

    /// The key that is shared out, or comes back from shares, for the vault of that founder pin.
    pub(super) fn of_shares(secret: Secret<32>, pin: Digest) -> Self {
        let founder = [0; PIN_LEN];
        Self { secret, founder }.for_founder(pin)
    }

    /// The same key for the vault of that founder pin.
    pub fn for_founder(self, pin: Digest) -> Self {
        let mut founder = [0; PIN_LEN];
        founder.copy_from_slice(&pin.0[..PIN_LEN]);
        Self { founder, ..self }
    }

    /// Whether it was made for the vault of that founder pin.
    pub fn trusts(&self, pin: Digest) -> bool {
        pin.0.starts_with(&self.founder)
    }

    /// The word to print: Bech32m (BIP 350).
    pub fn to_word(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + PIN_LEN));
        bytes.extend_from_slice(self.secret.expose());
        bytes.extend_from_slice(&self.founder);
        let word = Hrp::parse(PREFIX)
            .ok()
            .and_then(|hrp| bech32::encode::<Bech32m>(hrp, &bytes).ok());
        match word {
            Some(word) => Zeroizing::new(word),
            // INVARIANT (fixed input): the prefix is valid and 48 bytes fit.
            None => unreachable!("48 bytes always have a word"),
        }
    }

    /// Finds the one recovery key on a page, in upper or lower case.
    pub fn find(page: &str) -> Result<Self, BadRecoveryKey> {
        if page.len() > PAGE_MAX {
            return Err(BadRecoveryKey::TooLong);
        }
        let begin = format!("{PREFIX}1");
        let pieces: Vec<&str> = page.split_whitespace().collect();
        let begins = |word: &&str| word.get(..begin.len()).is_some_and(|w| w.eq_ignore_ascii_case(&begin));
        let mut starts = (0..pieces.len()).filter(|at| begins(&pieces[*at]));
        let start = starts.next().ok_or(BadRecoveryKey::None)?;
        if starts.next().is_some() {
            return Err(BadRecoveryKey::Several);
        }
        // Typed from paper it may be in several pieces: as many are joined as make its checksum hold.
        let mut word = Zeroizing::new(String::with_capacity(256));
        let mut checked = None;
        for piece in pieces[start..].iter().take(PIECES_MAX) {
            if checked.is_some() || word.len() + piece.len() > 200 {
                break;
            }
            word.push_str(piece);
            checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(&word)
                .ok()
                // A word with other bits behind its last byte is another word for the same key.
                .filter(|checked| checked.validate_segwit_padding().is_ok())
                .map(|checked| Zeroizing::new(checked.byte_iter().collect::<Vec<u8>>()));
        }
        let bytes = checked.ok_or(BadRecoveryKey::Mistyped)?;
        let (secret, founder) = bytes.split_first_chunk::<32>().ok_or(BadRecoveryKey::Mistyped)?;
        let founder = founder.try_into().map_err(|_| BadRecoveryKey::Mistyped)?;
        let secret = Secret::copy_from(secret).ok_or(BadRecoveryKey::Mistyped)?;
        Ok(Self { secret, founder })
    }

    /// The seed of its Ed25519 key.
    pub fn signing_seed(&self) -> Secret<32> {
        derive_key(self.secret.expose(), "strongroom/1/recovery sign", &[])
    }

    /// The seed of its X-Wing key.
    pub fn recipient_seed(&self) -> Secret<32> {
        derive_key(self.secret.expose(), "strongroom/1/recovery recipient", &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;

    #[test]
    fn a_printed_key_is_found_again() {
        let key = RecoveryKey::make(&mut ExampleEntropy::new("recovery"))
            .unwrap()
            .for_founder(Digest([7; 32]));
        assert!(key.trusts(Digest([7; 32])) && !key.trusts(Digest([8; 32])));
        let word = key.to_word();
        for page in [
            word.to_string(),
            format!("Keep this safe.\n\n  {}\n\nend", *word),
            word.to_uppercase(),
        ] {
            assert_eq!(
                RecoveryKey::find(&page).map(|k| (*k.secret.expose(), k.founder)),
                Ok((*key.secret.expose(), key.founder))
            );
        }
        assert_ne!(key.signing_seed().expose(), key.recipient_seed().expose());
    }

    #[test]
    fn a_key_in_pieces_is_found_and_has_one_spelling() {
        use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
        let key = RecoveryKey::make(&mut ExampleEntropy::new("recovery")).unwrap();
        let word = key.to_word();
        let pieces = format!("{} {}\n\t{}", &word[..40], &word[40..70], &word[70..]);
        assert_eq!(
            RecoveryKey::find(&pieces).map(|key| key.to_word().to_string()).ok(),
            Some(word.to_string())
        );
        let bytes = [key.secret.expose().as_slice(), &key.founder].concat();
        let mut letters: Vec<bech32::Fe32> = bytes.iter().copied().bytes_to_fes().collect();
        let last = letters.pop().unwrap().to_u8();
        letters.push(bech32::Fe32::try_from(last ^ 1).unwrap());
        let hrp = Hrp::parse(PREFIX).unwrap();
        let other: String = letters.into_iter().with_checksum::<Bech32m>(&hrp).chars().collect();
        assert_eq!(RecoveryKey::find(&other).err(), Some(BadRecoveryKey::Mistyped));
    }

    #[test]
    fn each_fault_has_its_words() {
        let word = RecoveryKey::make(&mut ExampleEntropy::new("recovery"))
            .unwrap()
            .to_word();
        let found = |page: &str| RecoveryKey::find(page).err();
        assert_eq!(found("nothing here"), Some(BadRecoveryKey::None));
        assert_eq!(found(&format!("{0} {0}", *word)), Some(BadRecoveryKey::Several));
        let mistyped: String = word
            .chars()
            .rev()
            .enumerate()
            .map(|(i, c)| if i == 3 { if c == 'q' { 'p' } else { 'q' } } else { c })
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        assert_eq!(found(&mistyped), Some(BadRecoveryKey::Mistyped));
        assert_eq!(found(&word[..word.len() - 1]), Some(BadRecoveryKey::Mistyped));
        assert_eq!(found(&" ".repeat(PAGE_MAX + 1)), Some(BadRecoveryKey::TooLong));
    }
}
