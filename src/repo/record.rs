//! What the journal holds, as bytes. No file is touched here.
//!
//! Layout, checksums and the rule for what is in force: docs/FORMAT.md §11.

use super::object::{Kind, Object, Oid};
use crate::crypto::sha256;
use minicbor::{Decoder, Encoder};

/// The size of the journal file, in bytes.
pub const JOURNAL_BYTES: u64 = 4 << 20;
/// Records begin at multiples of this, in bytes.
pub(super) const BLOCK: u64 = 4096;
/// The size of a header slot, in bytes.
pub(super) const SLOT: usize = 512;
/// The size of what stands before a record's payload, in bytes.
pub(super) const HEAD: usize = 56;
/// The largest payload, in bytes: what fits an empty journal.
pub const MAX_PAYLOAD: usize = (JOURNAL_BYTES - BLOCK) as usize - HEAD;

const HEADER_MAGIC: &[u8; 8] = b"SRJHEAD\0";
const RECORD_MAGIC: &[u8; 4] = b"SRJR";
const VERSION: u32 = 1;

/// Objects and refs that change together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Objects to write, in an order in which none refers to a later one.
    pub objects: Vec<Object>,
    /// Refs to move, in this order; each name once.
    pub refs: Vec<RefChange>,
    /// What the caller wants to find in the journal; opaque here.
    pub note: Vec<u8>,
}

/// One ref's old and new value; `None` is no ref.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefChange {
    /// The full name, `refs/heads/…`.
    pub name: String,
    /// What it must be before.
    pub old: Option<Oid>,
    /// What it is afterwards.
    pub new: Option<Oid>,
}

/// One record of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The journal's generation.
    pub generation: u64,
    /// Its place within that generation, from 0.
    pub sequence: u64,
    /// What was committed.
    pub batch: Batch,
}

/// The journal is not one, or is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadJournal {
    /// The file has another size.
    #[error("the journal has {0} bytes instead of {JOURNAL_BYTES}")]
    Size(u64),
    /// Neither header is valid.
    #[error("the journal has no valid header")]
    Header,
    /// A record is missing before a later one.
    #[error("record {sequence} of the journal is damaged, and a later one is not")]
    Gap {
        /// The sequence of the record that is missing.
        sequence: u64,
    },
    /// A record's digest is right and its payload is not what this program writes.
    #[error("record {sequence} of the journal cannot be read: {why}")]
    Payload {
        /// The sequence of that record.
        sequence: u64,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What stands at the journal's beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) generation: u64,
    pub(super) boot: Option<[u8; 16]>,
}

impl Header {
    /// Where the header of its generation stands.
    pub(super) fn offset(&self) -> u64 {
        (self.generation % 2) * SLOT as u64
    }

    pub(super) fn encode(&self) -> [u8; SLOT] {
        let mut slot = [0; SLOT];
        slot[..8].copy_from_slice(HEADER_MAGIC);
        slot[8..12].copy_from_slice(&VERSION.to_be_bytes());
        slot[12..20].copy_from_slice(&self.generation.to_be_bytes());
        slot[20..36].copy_from_slice(&self.boot.unwrap_or_default());
        let digest = sha256(&[&slot[..36]]);
        slot[36..68].copy_from_slice(digest.as_bytes());
        slot
    }

    fn decode(slot: &[u8]) -> Option<Self> {
        let generation = u64::from_be_bytes(slot.get(12..20)?.try_into().ok()?);
        let boot: [u8; 16] = slot.get(20..36)?.try_into().ok()?;
        let header = Self {
            generation,
            boot: (boot != [0; 16]).then_some(boot),
        };
        (header.encode() == slot).then_some(header)
    }

    /// The header in force, from the two slots.
    pub(super) fn in_force(slots: &[u8]) -> Option<Self> {
        let valid = slots.chunks_exact(SLOT).take(2).filter_map(Self::decode);
        valid.max_by_key(|header| header.generation)
    }
}

/// The bytes of a record.
pub(super) fn encode_record(generation: u64, sequence: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend_from_slice(RECORD_MAGIC);
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(&sequence.to_be_bytes());
    let digest = sha256(&[&bytes, payload]);
    bytes.extend_from_slice(digest.as_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// What stands before a payload.
pub(super) struct RecordHead {
    pub(super) length: usize,
    pub(super) generation: u64,
    pub(super) sequence: u64,
    signed: [u8; 24],
    digest: [u8; 32],
}

impl RecordHead {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let signed: [u8; 24] = bytes.get(..24)?.try_into().ok()?;
        let digest = bytes.get(24..HEAD)?.try_into().ok()?;
        let length = usize::try_from(u32::from_be_bytes(signed[4..8].try_into().ok()?)).ok()?;
        let head = Self {
            length,
            generation: u64::from_be_bytes(signed[8..16].try_into().ok()?),
            sequence: u64::from_be_bytes(signed[16..24].try_into().ok()?),
            signed,
            digest,
        };
        (signed.starts_with(RECORD_MAGIC) && length <= MAX_PAYLOAD).then_some(head)
    }

    pub(super) fn matches(&self, payload: &[u8]) -> bool {
        payload.len() == self.length && sha256(&[&self.signed, payload]).as_bytes() == self.digest
    }
}

/// Where the next record after one with `length` bytes of payload at `offset` begins.
pub(super) fn next_offset(offset: u64, length: usize) -> u64 {
    (offset + HEAD as u64 + length as u64).next_multiple_of(BLOCK)
}

/// The records in force of a whole journal, given as its bytes; any bytes at all may be given.
pub fn decode_records(image: &[u8]) -> Result<Vec<Record>, BadJournal> {
    if image.len() as u64 != JOURNAL_BYTES {
        return Err(BadJournal::Size(image.len() as u64));
    }
    let header = Header::in_force(image).ok_or(BadJournal::Header)?;
    let mut read = |offset: u64, length: usize| -> Result<Vec<u8>, BadJournal> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(image.len());
        Ok(image[start..start.saturating_add(length).min(image.len())].to_vec())
    };
    let Found { payloads, end, .. } = scan(header.generation, FIRST, &mut read)?;
    check_gap(header.generation, payloads.len() as u64, end, &mut read)?;
    let batches = decode_payloads(&payloads)?;
    let records = (0..).zip(batches).map(|(sequence, batch)| Record {
        generation: header.generation,
        sequence,
        batch,
    });
    Ok(records.collect())
}

/// The batches of a generation's payloads, given from the first on.
pub(super) fn decode_payloads(payloads: &[Vec<u8>]) -> Result<Vec<Batch>, BadJournal> {
    let decode = |(sequence, payload): (u64, &Vec<u8>)| {
        decode_payload(payload).map_err(|why| BadJournal::Payload { sequence, why })
    };
    (0..).zip(payloads).map(decode).collect()
}

/// Records in force, checked but not decoded.
pub(super) struct Found {
    pub(super) payloads: Vec<Vec<u8>>,
    /// Where the last one begins.
    pub(super) last: Option<u64>,
    /// Where they end.
    pub(super) end: u64,
}

/// Where the first record of a generation begins: its sequence and offset.
pub(super) const FIRST: (u64, u64) = (0, BLOCK);

/// The records in force from the one of that sequence on, which begins at that offset.
/// `read(offset, length)` gives fewer bytes at the end of the file.
pub(super) fn scan<E: From<BadJournal>>(
    generation: u64,
    (first, mut end): (u64, u64),
    read: &mut impl FnMut(u64, usize) -> Result<Vec<u8>, E>,
) -> Result<Found, E> {
    let (mut payloads, mut last) = (Vec::new(), None);
    while let Some(head) = RecordHead::decode(&read(end, HEAD)?) {
        if head.generation != generation || head.sequence != first + payloads.len() as u64 {
            break;
        }
        let payload = read(end + HEAD as u64, head.length)?;
        if !head.matches(&payload) {
            break;
        }
        payloads.push(payload);
        last = Some(end);
        end = next_offset(end, head.length);
    }
    Ok(Found { payloads, last, end })
}

/// Refuses when a valid record of this generation stands beyond `end` with a sequence past
/// `sequence`, the first that is not there.
pub(super) fn check_gap<E: From<BadJournal>>(
    generation: u64,
    sequence: u64,
    end: u64,
    read: &mut impl FnMut(u64, usize) -> Result<Vec<u8>, E>,
) -> Result<(), E> {
    let mut offset = end;
    while offset < JOURNAL_BYTES {
        if let Some(head) = RecordHead::decode(&read(offset, HEAD)?)
            && head.generation == generation
            && head.sequence > sequence
            && head.matches(&read(offset + HEAD as u64, head.length)?)
        {
            return Err(BadJournal::Gap { sequence }.into());
        }
        offset += BLOCK;
    }
    Ok(())
}

/// The payload of a batch.
pub(super) fn encode_payload(batch: &Batch) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    // Writing to a vector cannot fail.
    let _ = write_payload(batch, &mut out);
    out.into_writer()
}

fn write_payload(
    batch: &Batch,
    out: &mut Encoder<Vec<u8>>,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    out.array(3)?.array(batch.objects.len() as u64)?;
    for object in &batch.objects {
        out.array(2)?.u8(object.kind as u8)?.bytes(&object.bytes)?;
    }
    out.array(batch.refs.len() as u64)?;
    for change in &batch.refs {
        out.array(3)?.str(&change.name)?;
        for value in [change.old, change.new] {
            match value {
                Some(oid) => out.bytes(&oid.0)?,
                None => out.null()?,
            };
        }
    }
    out.bytes(&batch.note)?;
    Ok(())
}

/// Reads a payload, strictly: what is read must be written back the same.
pub(super) fn decode_payload(payload: &[u8]) -> Result<Batch, &'static str> {
    let batch = read_payload(payload).map_err(|_| "it is not as specified")?;
    // INVARIANT (only branches): recovery removes and writes files by these names, and whoever can write the vault's
    // folder can plant a journal.
    if !batch.refs.iter().all(|change| is_branch(&change.name)) {
        return Err("it names a ref that is not a branch of a vault");
    }
    match encode_payload(&batch) == payload {
        true => Ok(batch),
        false => Err("it is not in its deterministic encoding"),
    }
}

/// Where branches stand.
pub(super) const HEADS: &str = "refs/heads/";

/// Whether it is the full name of a branch, in plain characters: relative, without dots at a part's beginning.
pub(super) fn is_branch(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with(".lock")
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    name.strip_prefix(HEADS)
        .is_some_and(|branch| branch.split('/').all(plain) && !branch.contains(".."))
}

fn read_payload(payload: &[u8]) -> Result<Batch, minicbor::decode::Error> {
    let bad = || minicbor::decode::Error::message("unexpected");
    let mut input = Decoder::new(payload);
    let mut batch = Batch::default();
    expect_array(&mut input, 3)?;
    for _ in 0..input.array()?.ok_or_else(bad)? {
        expect_array(&mut input, 2)?;
        let kind = Kind::from_number(input.u8()?).ok_or_else(bad)?;
        let bytes = input.bytes()?.to_vec();
        batch.objects.push(Object { kind, bytes });
    }
    for _ in 0..input.array()?.ok_or_else(bad)? {
        expect_array(&mut input, 3)?;
        let name = input.str()?.to_owned();
        let (old, new) = (read_oid(&mut input)?, read_oid(&mut input)?);
        batch.refs.push(RefChange { name, old, new });
    }
    batch.note = input.bytes()?.to_vec();
    Ok(batch)
}

fn expect_array(input: &mut Decoder<'_>, length: u64) -> Result<(), minicbor::decode::Error> {
    match input.array()? {
        Some(found) if found == length => Ok(()),
        _ => Err(minicbor::decode::Error::message("unexpected")),
    }
}

fn read_oid(input: &mut Decoder<'_>) -> Result<Option<Oid>, minicbor::decode::Error> {
    if input.datatype()? == minicbor::data::Type::Null {
        input.null()?;
        return Ok(None);
    }
    let oid = input.bytes()?.try_into();
    oid.map(|oid| Some(Oid(oid)))
        .map_err(|_| minicbor::decode::Error::message("unexpected"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    pub(super) fn batches() -> impl Strategy<Value = Batch> {
        let oid = || proptest::option::of(any::<[u8; 20]>().prop_map(Oid));
        let object = (1u8..4, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(kind, bytes)| Object {
            kind: Kind::from_number(kind).unwrap(),
            bytes,
        });
        let change = ("refs/heads/[a-z]{1,5}(/[a-z]{1,4})?", oid(), oid()).prop_map(|(name, old, new)| RefChange {
            name,
            old,
            new,
        });
        (
            proptest::collection::vec(object, 0..4),
            proptest::collection::vec(change, 0..4),
            proptest::collection::vec(any::<u8>(), 0..300),
        )
            .prop_map(|(objects, refs, note)| Batch { objects, refs, note })
    }

    fn image(header: Header, batches: &[Batch]) -> Vec<u8> {
        let mut image = vec![0; JOURNAL_BYTES as usize];
        let at = header.offset() as usize;
        image[at..at + SLOT].copy_from_slice(&header.encode());
        let mut offset = BLOCK;
        for (sequence, batch) in batches.iter().enumerate() {
            let payload = encode_payload(batch);
            let record = encode_record(header.generation, sequence as u64, &payload);
            image[offset as usize..offset as usize + record.len()].copy_from_slice(&record);
            offset = next_offset(offset, payload.len());
        }
        image
    }

    fn note(text: &[u8]) -> Batch {
        Batch {
            note: text.to_vec(),
            ..Batch::default()
        }
    }

    #[test]
    fn only_branches_are_named() {
        for good in ["refs/heads/main", "refs/heads/audit/0a-1b", "refs/heads/notes/3f"] {
            assert!(is_branch(good), "{good}");
        }
        for bad in [
            "/tmp/precious",
            "hooks/high-water",
            "refs/heads/",
            "refs/heads/../../x",
            "refs/heads/a//b",
            "refs/heads/.x",
            "refs/heads/x.lock",
            "refs/tags/x",
        ] {
            assert!(!is_branch(bad), "{bad}");
            let change = RefChange {
                name: bad.into(),
                old: None,
                new: None,
            };
            let batch = Batch {
                refs: vec![change],
                ..Batch::default()
            };
            assert!(decode_payload(&encode_payload(&batch)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_torn_last_record_is_no_record_and_an_earlier_one_is_a_gap() {
        let header = Header {
            generation: 7,
            boot: Some([1; 16]),
        };
        let whole = image(header, &[note(b"a"), note(b"b"), note(b"c")]);
        assert_eq!(decode_records(&whole).unwrap().len(), 3);
        for (broken, want) in [
            (2, Ok(2)),
            (1, Err(BadJournal::Gap { sequence: 1 })),
            (0, Err(BadJournal::Gap { sequence: 0 })),
        ] {
            for at in 0..HEAD + 5 {
                let mut torn = whole.clone();
                torn[(broken + 1) * BLOCK as usize + at] ^= 0x40;
                let found = decode_records(&torn).map(|records| records.len());
                assert_eq!(found, want, "record {broken} byte {at}");
            }
        }
    }

    #[test]
    fn the_newer_header_is_in_force_and_old_records_are_not_its() {
        let old = Header {
            generation: 4,
            boot: None,
        };
        let mut both = image(old, &[note(b"a"), note(b"b")]);
        let new = Header {
            generation: 5,
            boot: None,
        };
        both[new.offset() as usize..][..SLOT].copy_from_slice(&new.encode());
        assert_eq!(decode_records(&both).unwrap(), []);
        // A torn new header leaves the old generation.
        both[new.offset() as usize + 20] ^= 1;
        assert_eq!(decode_records(&both).unwrap().len(), 2);
        both[old.offset() as usize + 12] ^= 1;
        assert_eq!(decode_records(&both), Err(BadJournal::Header));
        assert_eq!(decode_records(&both[1..]), Err(BadJournal::Size(JOURNAL_BYTES - 1)));
    }

    #[test]
    fn other_spellings_of_a_payload_are_refused() {
        let payload = encode_payload(&note(b"n"));
        assert_eq!(payload, [0x83, 0x80, 0x80, 0x41, b'n']);
        for bad in [
            &[0x83, 0x80, 0x80, 0x58, 0x01, b'n'][..],
            &[0x83, 0x80, 0x80, 0x41, b'n', 0],
            &[0x83, 0x9f, 0xff, 0x80, 0x41, b'n'],
            &[0x84, 0x80, 0x80, 0x41, b'n', 0x80],
            &[0x83, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[],
        ] {
            assert!(decode_payload(bad).is_err(), "{bad:02x?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn payloads_round_trip(batch in batches()) {
            prop_assert_eq!(decode_payload(&encode_payload(&batch)).unwrap(), batch);
        }

        #[test]
        fn no_payload_makes_the_parser_panic(mut payload in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(first) = payload.first_mut() {
                *first = 0x83;
            }
            if let Ok(batch) = decode_payload(&payload) {
                prop_assert_eq!(encode_payload(&batch), payload);
            }
        }

        #[test]
        fn journals_round_trip(generation in any::<u64>(), boot in any::<[u8; 16]>(),
                               batches in proptest::collection::vec(batches(), 0..4)) {
            let header = Header { generation, boot: Some(boot) };
            let found = decode_records(&image(header, &batches)).unwrap();
            prop_assert_eq!(found.into_iter().map(|record| record.batch).collect::<Vec<_>>(), batches);
        }
    }
}
