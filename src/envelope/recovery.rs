//! The recovery key: a device on paper (docs/FORMAT.md §3).

use crate::crypto::{Entropy, NoEntropy, derive_key, make_secret};
use crate::secret::Secret;
use bech32::{Bech32m, Hrp};
use zeroize::Zeroizing;

const PREFIX: &str = "strongroom-recovery-";
/// Pages are small; more is not read.
const PAGE_MAX: usize = 64 * 1024;

/// The 32 bytes that a printed recovery key stands for.
pub struct RecoveryKey(Secret<32>);

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
    pub fn make(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        make_secret(entropy).map(Self)
    }

    /// The word to print: Bech32m (BIP 350).
    pub fn to_word(&self) -> Zeroizing<String> {
        let word = Hrp::parse(PREFIX)
            .ok()
            .and_then(|hrp| bech32::encode::<Bech32m>(hrp, self.0.expose()).ok());
        match word {
            Some(word) => Zeroizing::new(word),
            // INVARIANT (fixed input): the prefix is valid and 32 bytes fit.
            None => unreachable!("32 bytes always have a word"),
        }
    }

    /// Finds the one recovery key on a page, in upper or lower case.
    pub fn find(page: &str) -> Result<Self, BadRecoveryKey> {
        if page.len() > PAGE_MAX {
            return Err(BadRecoveryKey::TooLong);
        }
        let begin = format!("{PREFIX}1");
        let mut words = page
            .split_whitespace()
            .filter(|word| word.get(..begin.len()).is_some_and(|w| w.eq_ignore_ascii_case(&begin)));
        let word = words.next().ok_or(BadRecoveryKey::None)?;
        if words.next().is_some() {
            return Err(BadRecoveryKey::Several);
        }
        let checked =
            bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(word).map_err(|_| BadRecoveryKey::Mistyped)?;
        let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(checked.byte_iter().collect());
        Secret::copy_from(&bytes).map(Self).ok_or(BadRecoveryKey::Mistyped)
    }

    /// The seed of its Ed25519 key.
    pub fn signing_seed(&self) -> Secret<32> {
        derive_key(self.0.expose(), "strongroom/1/recovery sign", &[])
    }

    /// The seed of its X-Wing key.
    pub fn recipient_seed(&self) -> Secret<32> {
        derive_key(self.0.expose(), "strongroom/1/recovery recipient", &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;

    #[test]
    fn a_printed_key_is_found_again() {
        let key = RecoveryKey::make(&mut ExampleEntropy::new("recovery")).unwrap();
        let word = key.to_word();
        for page in [
            word.to_string(),
            format!("Keep this safe.\n\n  {}\n\nend", *word),
            word.to_uppercase(),
        ] {
            assert_eq!(RecoveryKey::find(&page).map(|k| *k.0.expose()), Ok(*key.0.expose()));
        }
        assert_ne!(key.signing_seed().expose(), key.recipient_seed().expose());
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
