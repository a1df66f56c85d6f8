//! A passphrase becomes a key: Argon2id (RFC 9106), its cost bounded from both sides.

use crate::secret::{Passphrase, Secret};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The least that is accepted, and what new files are made with: memory in KiB, and passes. A unit test makes some ten
/// identities that hide nothing, and pays next to nothing for them; `tests/format.rs` and the transcripts pay in full.
const LEAST: (u32, u32) = if cfg!(test) { (64, 1) } else { (65_536, 3) };
const MOST: (u32, u32) = (1_048_576, 16);

/// The cost of one guess: memory in KiB, passes, lanes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Argon2Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The parameters ask for too little or too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key derivation asks for {memory_kib} KiB, {passes} passes and {lanes} lanes; \
     accepted are {} to {} KiB, {} to {} passes and 1 to 4 lanes",
    LEAST.0, MOST.0, LEAST.1, MOST.1
)]
pub struct BadArgon2Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// There is no room for the key derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key derivation needs {0} KiB of memory, and the system gives no more: end other programs, then try again")]
pub struct NoMemory(u32);

impl Argon2Params {
    /// What new identity files are made with: 64 MiB, 3 passes, 1 lane (above OWASP's and RFC 9106's
    /// second recommended option in time, equal in memory).
    pub const DEFAULT: Self = Self {
        memory_kib: LEAST.0,
        passes: LEAST.1,
        lanes: 1,
    };

    /// Checks the bounds, before anything is allocated.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, BadArgon2Params> {
        let sound = (LEAST.0..=MOST.0).contains(&memory_kib)
            && (LEAST.1..=MOST.1).contains(&passes)
            && (1..=4).contains(&lanes);
        if sound {
            Ok(Self {
                memory_kib,
                passes,
                lanes,
            })
        } else {
            Err(BadArgon2Params {
                memory_kib,
                passes,
                lanes,
            })
        }
    }

    /// Memory in KiB.
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub fn lanes(self) -> u32 {
        self.lanes
    }

    /// The key of `passphrase` (in Unicode NFC, so that it does not depend on the keyboard) and `salt`.
    pub fn derive(self, passphrase: &Passphrase, salt: &[u8; 16]) -> Result<Secret<32>, NoMemory> {
        let normal = normal_form(passphrase.expose());
        let filled = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).and_then(|params| {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            Secret::fill_with(|out| argon2.hash_password_into(normal.as_bytes(), salt, out))
        });
        match filled {
            Ok(secret) => Ok(secret),
            Err(argon2::Error::OutOfMemory) => Err(NoMemory(self.memory_kib)),
            // INVARIANT (checked parameters): `new` admits only what RFC 9106 admits.
            Err(_) => unreachable!("parameters were checked"),
        }
    }
}

/// A text in Unicode NFC, which is at most three times as long in UTF-8: with less room it would be moved in memory as it grows,
/// and what stays behind is not wiped.
fn normal_form(text: &str) -> Zeroizing<String> {
    let mut normal = Zeroizing::new(String::with_capacity(3 * text.len()));
    normal.extend(text.nfc());
    normal
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_passphrase_is_not_moved_in_memory() {
        // The first grows threefold, the last becomes shorter.
        for text in ["\u{1d160}", "a long one", "cafe\u{301}"] {
            let text = text.repeat(100);
            let normal = normal_form(&text);
            assert_eq!(normal.capacity(), 3 * text.len());
            assert_eq!(*normal, text.nfc().collect::<String>());
        }
    }

    #[test]
    fn where_there_is_no_memory_that_is_said() {
        // Where the system promises memory that it does not have, it cannot be tried.
        let overcommit = std::fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap_or_default();
        if !["0", "2"].contains(&overcommit.trim_end()) {
            return;
        }
        let (memory_kib, passes, lanes) = (u32::MAX, 1, 1);
        let params = Argon2Params {
            memory_kib,
            passes,
            lanes,
        };
        let derived = params.derive(&Passphrase::new("x".into()), &[9; 16]).map(drop);
        assert_eq!(derived, Err(NoMemory(u32::MAX)));
    }

    #[test]
    fn the_spelling_of_a_passphrase_does_not_matter_to_its_key() {
        let composed = Passphrase::new("caf\u{e9}".into());
        let decomposed = Passphrase::new("cafe\u{301}".into());
        let key = |p: &Passphrase| *Argon2Params::DEFAULT.derive(p, &[9; 16]).unwrap().expose();
        assert_eq!(key(&composed), key(&decomposed));
    }
}
