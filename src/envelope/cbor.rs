//! Deterministic CBOR (RFC 8949 §4.2): canonical or refused.

use super::BadEnvelope;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode};

/// Bytes as a CBOR byte string; a list of them decodes without ambiguity.
pub type Bytes = minicbor::bytes::ByteVec;

/// The encoding of `value`.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    match minicbor::to_vec(value) {
        Ok(bytes) => bytes,
        // INVARIANT (infallible writer): a Vec takes every byte and our encoders report nothing else.
        Err(_) => unreachable!("encoding to memory does not fail"),
    }
}

/// Decodes all of `bytes`; anything but the one encoding of the value is refused.
pub fn decode<T>(what: &'static str, max: usize, bytes: &[u8]) -> Result<T, BadEnvelope>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let (value, used) = decode_prefix(what, max, bytes)?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(BadEnvelope::Malformed { what })
    }
}

/// Decodes a value that `bytes` begin with, and how many bytes it took.
pub fn decode_prefix<T>(what: &'static str, max: usize, bytes: &[u8]) -> Result<(T, usize), BadEnvelope>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    if bytes.len() > max {
        return Err(BadEnvelope::TooLong { what, max });
    }
    let mut decoder = Decoder::new(bytes);
    let value: T = decoder.decode().map_err(|_| BadEnvelope::Malformed { what })?;
    let used = decoder.position();
    // Unknown fields, other orders, longer lengths and indefinite items all fail to come back.
    let mut left = Same(&bytes[..used]);
    if minicbor::encode(&value, &mut left).is_ok() && left.0.is_empty() {
        Ok((value, used))
    } else {
        Err(BadEnvelope::Malformed { what })
    }
}

/// What is left of bytes that are to be written once more: nothing else may be.
struct Same<'b>(&'b [u8]);

/// Something else was written.
struct Other;

impl Write for Same<'_> {
    type Error = Other;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Other> {
        self.0 = self.0.strip_prefix(bytes).ok_or(Other)?;
        Ok(())
    }
}

/// A byte string of exactly the size of an id.
pub fn fixed<T: for<'a> TryFrom<&'a [u8]>>(what: &'static str, bytes: &[u8]) -> Result<T, BadEnvelope> {
    T::try_from(bytes).map_err(|_| BadEnvelope::Malformed { what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Encode, Decode, PartialEq, Debug)]
    #[cbor(map)]
    struct Example {
        #[n(0)]
        number: u8,
        #[n(1)]
        bytes: Option<Bytes>,
    }

    #[test]
    fn only_the_canonical_form_is_accepted() {
        let good = encode(&Example { number: 1, bytes: None });
        assert_eq!(good, [0xa1, 0x00, 0x01]);
        assert!(decode::<Example>("example", 100, &good).is_ok());
        for (fault, bytes) in [
            ("trailing byte", vec![0xa1, 0x00, 0x01, 0x00]),
            ("unknown field", vec![0xa2, 0x00, 0x01, 0x05, 0x01]),
            ("long integer", vec![0xa1, 0x00, 0x18, 0x01]),
            ("indefinite map", vec![0xbf, 0x00, 0x01, 0xff]),
            ("duplicate key", vec![0xa2, 0x00, 0x01, 0x00, 0x01]),
            ("wrong order", vec![0xa2, 0x01, 0x41, 0x00, 0x00, 0x01]),
            ("explicit null", vec![0xa2, 0x00, 0x01, 0x01, 0xf6]),
            ("short", vec![0xa1, 0x00]),
        ] {
            assert!(decode::<Example>("example", 100, &bytes).is_err(), "{fault}");
        }
        assert!(decode::<Example>("example", 2, &good).is_err());
    }

    proptest! {
        #[test]
        fn what_is_accepted_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(value) = decode::<Example>("example", 100, &bytes) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }
}
