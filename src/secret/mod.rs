//! Secrets: born inside a box, wiped when dropped.
//!
//! INVARIANT (secrets do not travel): nothing here implements `Debug`, `Display`, `Clone`,
//! `Copy`, `Default`, `PartialEq` or `Serialize`; `tests/compile_fail/` holds that.

use minicbor::Encode;
use minicbor::encode::Write;
use std::convert::Infallible;
use zeroize::{Zeroize, Zeroizing};

/// `N` secret bytes on the heap, wiped on drop. Moving it moves the pointer, never the bytes.
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Makes a secret by filling it in place, so that no copy is left on a stack.
    pub fn fill_with<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Copies a secret out of `bytes` (which stay the caller's to wipe); `None` if their number is not `N`.
    pub fn copy_from(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != N {
            return None;
        }
        let mut secret = Self(Box::new([0; N]));
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }

    /// The bytes, for the one computation that needs them.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// A second box with the same secret. Named so that each use is seen in review.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The CBOR of something that is nobody else's to see, in memory that never grows: a vector that grows leaves behind what it held.
pub fn encode<T: Encode<()>>(value: &T) -> Zeroizing<Vec<u8>> {
    let mut count = Count(0);
    let counted = minicbor::encode(value, &mut count);
    let mut bytes = Zeroizing::new(Vec::with_capacity(count.0));
    match counted.and_then(|()| minicbor::encode(value, &mut *bytes)) {
        Ok(()) => bytes,
        // INVARIANT (infallible writer): a Vec takes every byte and our encoders report nothing else.
        Err(_) => unreachable!("encoding to memory does not fail"),
    }
}

/// How many bytes were written.
struct Count(usize);

impl Write for Count {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// What was opened: the content of a note or of a sealed detail. Wiped on drop.
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// Takes over `bytes`; they are wiped when this is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The text, if it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// A passphrase as it was typed.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes over `text`; it is wiped when this is dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_exactly_its_size() {
        assert!(Secret::<4>::copy_from(b"abc").is_none());
        let secret = Secret::<3>::copy_from(b"abc").expect("three bytes");
        assert_eq!(secret.expose(), b"abc");
        assert_eq!(secret.duplicate().expose(), b"abc");
    }

    #[test]
    fn what_is_encoded_takes_the_room_that_was_asked_for() {
        let value = vec!["Lena Hauk moves out on Friday.".to_owned(); 40];
        let bytes = encode(&value);
        assert_eq!(
            (bytes.len(), &*bytes),
            (bytes.capacity(), &minicbor::to_vec(&value).expect("a vector"))
        );
    }
}
