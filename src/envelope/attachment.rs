//! An attached file: its head's text, and its content in parts (docs/FORMAT.md §5.1).
//!
//! Nothing here holds more than one part, whatever the size of the whole.

use super::body::{BodyFile, CHUNK, ContentKey, Fresh, Metadata, Purpose, Unsealable};
use super::cbor::{self, Bytes};
use super::{BadEnvelope, SUITE, check_suite, padding};
use crate::crypto::{CHUNK_TAG_LEN, Entropy, Hasher, NoEntropy, StreamKey, same_bytes};
use crate::id::{Digest, NoteId, VaultId};
use crate::secret::Plaintext;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const WHAT: &str = "attachment";
const WHAT_PART: &str = "part of an attachment";
/// What stands in a part's header as its purpose.
const PART: u8 = 4;
/// Chunks in a full part.
const PART_CHUNKS: usize = 64;
/// Plaintext bytes in a full part.
const PART_PLAIN: u64 = (PART_CHUNKS * CHUNK) as u64;
/// A full chunk with its tag.
const SEALED: usize = CHUNK + CHUNK_TAG_LEN;
const PART_HEADER_MAX: usize = 128;
/// The largest part, in bytes.
pub const PART_MAX: usize = PART_HEADER_MAX + PART_CHUNKS * SEALED;
/// The most parts of one attachment.
const PARTS_MAX: u64 = 16_384;
/// The largest attachment, in bytes: 64 GiB.
pub const ATTACHMENT_MAX: u64 = PARTS_MAX * PART_PLAIN;
/// The longest text of a head.
const HEAD_MAX: usize = 600 * 1024;

/// What a head says of the content. Wiping it is not worth while: it is shown beside the note. No `Debug`.
#[derive(PartialEq, Eq)]
pub struct ContentInfo {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Digest,
    /// SHA-256 of each part's file, in order.
    pub parts: Vec<Digest>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct ContentCbor {
    #[n(0)]
    size: u64,
    #[n(1)]
    sha256: Bytes,
    #[n(2)]
    parts: Vec<Bytes>,
}

/// How many parts a content of `size` bytes has; `None` beyond what there can be.
fn count_parts(size: u64) -> Option<u64> {
    (size <= ATTACHMENT_MAX).then(|| padding::padme(size).div_ceil(PART_PLAIN))
}

impl ContentInfo {
    pub(super) fn encode(&self) -> Vec<u8> {
        let bytes = |digest: &Digest| Bytes::from(digest.as_bytes().to_vec());
        cbor::encode(&ContentCbor {
            size: self.size,
            sha256: bytes(&self.sha256),
            parts: self.parts.iter().map(bytes).collect(),
        })
    }

    pub(super) fn decode(plain: &Plaintext) -> Result<Self, BadEnvelope> {
        let raw: ContentCbor = cbor::decode(WHAT, HEAD_MAX, plain.expose())?;
        if count_parts(raw.size) != Some(raw.parts.len() as u64) {
            return Err(BadEnvelope::Malformed { what: WHAT });
        }
        Ok(Self {
            size: raw.size,
            sha256: cbor::fixed(WHAT, &raw.sha256)?,
            parts: raw
                .parts
                .iter()
                .map(|bytes| cbor::fixed(WHAT, bytes))
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct PartHeader {
    #[n(0)]
    suite: u8,
    #[n(1)]
    vault: Bytes,
    #[n(2)]
    note: Bytes,
    #[n(3)]
    revision: Bytes,
    #[n(4)]
    purpose: u8,
    #[n(5)]
    number: u64,
}

fn part_header(vault: VaultId, note: NoteId, revision: &[u8], number: u64) -> Vec<u8> {
    cbor::encode(&PartHeader {
        suite: SUITE,
        vault: vault.as_bytes().to_vec().into(),
        note: note.as_bytes().to_vec().into(),
        revision: revision.to_vec().into(),
        purpose: PART,
        number,
    })
}

/// A part's file, read but not opened: what it says to whoever has no key.
pub struct PartFile {
    header: PartHeader,
}

impl PartFile {
    /// Reads a file: header and length.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        if bytes.len() > PART_MAX {
            return Err(BadEnvelope::TooLong {
                what: WHAT_PART,
                max: PART_MAX,
            });
        }
        let head = &bytes[..bytes.len().min(PART_HEADER_MAX)];
        let (header, used): (PartHeader, usize) = cbor::decode_prefix(WHAT_PART, PART_HEADER_MAX, head)?;
        check_suite(WHAT_PART, header.suite)?;
        let sealed = bytes.len() - used;
        let last = sealed % SEALED;
        // What a part that is not full holds ends the content, whose length is padded.
        let before = header.number.saturating_mul(PART_PLAIN);
        let plain = sealed.saturating_sub(sealed.div_ceil(SEALED) * CHUNK_TAG_LEN) as u64;
        let ends = sealed == PART_CHUNKS * SEALED || padding::is_padded_len(before.saturating_add(plain));
        let fits = header.vault.len() == 16
            && header.note.len() == 16
            && header.revision.len() == 16
            && header.purpose == PART
            && header.number < PARTS_MAX
            && (1..=PART_CHUNKS * SEALED).contains(&sealed)
            && (last == 0 || last > CHUNK_TAG_LEN)
            && ends;
        match fits {
            true => Ok(Self { header }),
            false => Err(BadEnvelope::Malformed { what: WHAT_PART }),
        }
    }

    /// The vault and the note it says it belongs to.
    pub fn place(&self) -> Result<(VaultId, NoteId), BadEnvelope> {
        Ok((
            cbor::fixed(WHAT_PART, &self.header.vault)?,
            cbor::fixed(WHAT_PART, &self.header.note)?,
        ))
    }

    /// Its number among the parts.
    pub fn number(&self) -> u64 {
        self.header.number
    }
}

/// Why a content was not sealed to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum NotSealed<E> {
    /// It could not be read.
    Read(E),
    /// It has more than [`ATTACHMENT_MAX`] bytes.
    TooLong,
}

/// Seals a content whose size shows only at its end, part by part, under the key of a head that is sealed last.
pub struct ContentSealer {
    vault: VaultId,
    note: NoteId,
    head: Fresh,
    stream: StreamKey,
    hasher: Hasher,
    /// Bytes of content so far.
    size: u64,
    /// The padded length, once the content has ended.
    total: Option<u64>,
    /// Plaintext bytes sealed so far, zeros at the end included.
    sealed: u64,
    /// The byte read beyond the last chunk, by which that chunk was known not to be the last.
    ahead: Zeroizing<Option<u8>>,
    parts: Vec<Digest>,
}

impl ContentSealer {
    /// A head's content key and revision, fresh.
    pub fn begin(vault: VaultId, note: NoteId, entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let head = Fresh::make(vault, note, Purpose::Attachment, entropy)?;
        Ok(Self {
            vault,
            note,
            stream: head.content_key(),
            head,
            hasher: Hasher::new(),
            size: 0,
            total: None,
            sealed: 0,
            ahead: Zeroizing::new(None),
            parts: Vec::new(),
        })
    }

    /// Whether the last part has been sealed.
    fn is_done(&self) -> bool {
        self.total == Some(self.sealed)
    }

    /// Reads and seals the next part into `part`, whatever that held, and gives its digest; `None` if there is none any
    /// more. `read` fills what it is given from its beginning and says how far; 0 is the end.
    pub fn next_part<E>(
        &mut self,
        part: &mut Vec<u8>,
        read: &mut dyn FnMut(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Option<Digest>, NotSealed<E>> {
        if self.is_done() {
            return Ok(None);
        }
        let number = self.parts.len() as u64;
        if number == PARTS_MAX {
            return Err(NotSealed::TooLong);
        }
        let header = part_header(self.vault, self.note, self.head.revision(), number);
        part.resize(header.len() + PART_CHUNKS * SEALED, 0);
        part[..header.len()].copy_from_slice(&header);
        let mut hasher = Hasher::new();
        hasher.update(&header);
        let mut end = header.len();
        for slot in part[header.len()..].chunks_exact_mut(SEALED) {
            let plain = self.next_chunk(slot, read).inspect_err(|_| slot.fill(0));
            let sealed = plain.map_err(NotSealed::Read)? + CHUNK_TAG_LEN;
            hasher.update(&slot[..sealed]);
            end += sealed;
            if self.is_done() {
                break;
            }
        }
        part.truncate(end);
        let digest = hasher.finish();
        self.parts.push(digest);
        Ok(Some(digest))
    }

    /// Fills and seals one chunk; how many plaintext bytes it has.
    fn next_chunk<E>(
        &mut self,
        slot: &mut [u8],
        read: &mut dyn FnMut(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let mut filled = 0;
        if let Some(byte) = self.ahead.take() {
            slot[0] = byte;
            filled = 1;
        }
        // A byte more than the chunk has tells whether another follows; it stands where the tag will.
        while self.total.is_none() && filled <= CHUNK {
            match read(&mut slot[filled..=CHUNK])? {
                0 => self.total = Some(padding::padme(self.size + filled as u64)),
                more => filled += more,
            }
        }
        if filled > CHUNK {
            *self.ahead = Some(slot[CHUNK]);
            filled = CHUNK;
        }
        self.hasher.update(&slot[..filled]);
        self.size += filled as u64;
        let left = self.total.map_or(CHUNK as u64, |total| total - self.sealed);
        let plain = left.min(CHUNK as u64) as usize;
        slot[filled..plain].fill(0);
        let number = self.sealed / CHUNK as u64;
        self.sealed += plain as u64;
        let tag = self
            .stream
            .seal_chunk(number, self.is_done(), &self.head.context, &mut slot[..plain]);
        slot[plain..plain + CHUNK_TAG_LEN].copy_from_slice(&tag);
        Ok(plain)
    }

    /// Seals the head, once all parts are sealed; with it what it says, and its key.
    pub fn finish(self, metadata: &Metadata) -> Result<(Vec<u8>, ContentKey, ContentInfo), Unsealable> {
        if !self.is_done() {
            return Err(Unsealable::Unfinished);
        }
        let info = ContentInfo {
            size: self.size,
            sha256: self.hasher.finish(),
            parts: self.parts,
        };
        let (file, key) = self.head.seal(metadata, &info.encode())?;
        Ok((file, key, info))
    }
}

/// Opens a content part by part.
pub struct ContentOpener {
    vault: VaultId,
    note: NoteId,
    revision: Vec<u8>,
    stream: StreamKey,
    context: Vec<u8>,
    info: ContentInfo,
    hasher: Hasher,
    total: u64,
    /// Plaintext bytes opened so far, zeros at the end included.
    opened: u64,
}

impl ContentOpener {
    /// Opens the head's text.
    pub(crate) fn begin(
        head: &BodyFile<'_>,
        vault: VaultId,
        note: NoteId,
        key: &ContentKey,
    ) -> Result<Self, BadEnvelope> {
        if head.purpose() != Purpose::Attachment {
            return Err(BadEnvelope::Foreign { what: WHAT });
        }
        let (stream, context) = head.content_key(vault, note, key)?;
        let info = ContentInfo::decode(&head.open_text(vault, note, key)?)?;
        Ok(Self {
            vault,
            note,
            revision: head.revision().to_vec(),
            stream,
            context,
            total: padding::padme(info.size),
            info,
            hasher: Hasher::new(),
            opened: 0,
        })
    }

    /// What the head says.
    pub(crate) fn info(&self) -> &ContentInfo {
        &self.info
    }

    /// The same, kept.
    pub(crate) fn into_info(self) -> ContentInfo {
        self.info
    }

    /// Where the chunks of a part begin, which must be the next one and of the right length.
    pub(crate) fn enter(&self, part: &[u8]) -> Result<usize, BadEnvelope> {
        let number = self.opened / PART_PLAIN;
        let header = part_header(self.vault, self.note, &self.revision, number);
        if !part.starts_with(&header) {
            return Err(BadEnvelope::Foreign { what: WHAT_PART });
        }
        let plain = (self.total - self.opened).min(PART_PLAIN);
        let sealed = plain + plain.div_ceil(CHUNK as u64) * CHUNK_TAG_LEN as u64;
        match self.opened.is_multiple_of(PART_PLAIN) && part.len() as u64 == header.len() as u64 + sealed {
            true => Ok(header.len()),
            false => Err(BadEnvelope::Malformed { what: WHAT_PART }),
        }
    }

    /// Opens the next chunk, which `sealed` begins with, in place: how many bytes it took, and what of it is content.
    pub(crate) fn open_chunk<'a>(&mut self, sealed: &'a mut [u8]) -> Result<(usize, &'a [u8]), BadEnvelope> {
        let unopenable = BadEnvelope::Unopenable { what: WHAT_PART };
        let took = sealed.len().min(SEALED);
        let (number, last) = (self.opened / CHUNK as u64, self.opened + CHUNK as u64 >= self.total);
        let plain = self
            .stream
            .open_chunk(number, last, &self.context, &mut sealed[..took])
            .map_err(|_| unopenable)?;
        let content = self.info.size.saturating_sub(self.opened).min(plain.len() as u64) as usize;
        let (content, zeros) = plain.split_at(content);
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(BadEnvelope::Malformed { what: WHAT_PART });
        }
        self.opened += (content.len() + zeros.len()) as u64;
        self.hasher.update(content);
        Ok((took, content))
    }

    /// Whether all of it was opened and is what the head says.
    pub(crate) fn finish(&self) -> Result<(), BadEnvelope> {
        let whole = self.opened == self.total;
        match whole && same_bytes(self.hasher.clone().finish().as_bytes(), self.info.sha256.as_bytes()) {
            true => Ok(()),
            false => Err(BadEnvelope::Malformed { what: WHAT }),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::crypto::{ExampleEntropy, sha256};
    use crate::id::PersonId;
    use proptest::prelude::*;

    const VAULT: VaultId = VaultId([1; 16]);
    const NOTE: NoteId = NoteId([2; 16]);
    const PLAIN: usize = PART_PLAIN as usize;

    fn metadata() -> Metadata {
        Metadata {
            title: "gate.pdf".into(),
            client: String::new(),
            case: String::new(),
            created: 10,
            modified: 10,
            happened: None,
            author: PersonId([1; 8]),
            parents: vec![],
            number: 1,
            fields: vec![],
        }
    }

    struct Sealed {
        head: Vec<u8>,
        key: ContentKey,
        parts: Vec<Vec<u8>>,
    }

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at % 251) as u8).collect()
    }

    /// Seals `content` as it comes through a pipe that gives at most `step` bytes at once.
    fn seal(content: &[u8], step: usize, source: &'static str) -> Sealed {
        let mut sealer = ContentSealer::begin(VAULT, NOTE, &mut ExampleEntropy::new(source)).unwrap();
        let (mut rest, mut part, mut parts) = (content, Vec::new(), Vec::new());
        let mut read = |out: &mut [u8]| {
            let more = out.len().min(rest.len()).min(step);
            let (now, later) = rest.split_at(more);
            out[..more].copy_from_slice(now);
            rest = later;
            Ok::<_, ()>(more)
        };
        while let Some(digest) = sealer.next_part(&mut part, &mut read).unwrap() {
            assert_eq!(digest, sha256(&[&part]));
            parts.push(part.clone());
        }
        let (head, key, info) = sealer.finish(&metadata()).unwrap();
        assert_eq!((info.size, info.sha256), (content.len() as u64, sha256(&[content])));
        Sealed { head, key, parts }
    }

    fn begin(head: &[u8], key: &ContentKey) -> Result<ContentOpener, BadEnvelope> {
        let head = BodyFile::parse(head)?;
        head.open_metadata(VAULT, NOTE, key)?;
        ContentOpener::begin(&head, VAULT, NOTE, key)
    }

    /// What comes out, if all of it is as it was sealed.
    fn open(head: &[u8], key: &ContentKey, parts: &[Vec<u8>]) -> Result<Vec<u8>, BadEnvelope> {
        let mut opener = begin(head, key)?;
        let mut out = Vec::new();
        for part in parts {
            let mut part = part.clone();
            let mut at = opener.enter(&part)?;
            while at < part.len() {
                let (took, content) = opener.open_chunk(&mut part[at..])?;
                out.extend_from_slice(content);
                at += took;
            }
        }
        opener.finish().map(|()| out)
    }

    #[test]
    fn any_size_comes_back() {
        let borders = [0, 256, CHUNK, 3 * CHUNK, PLAIN, 2 * PLAIN];
        let around = borders
            .iter()
            .flat_map(|at| [at.saturating_sub(1), *at, at + 1])
            .chain([PLAIN + CHUNK, 2 * PLAIN + 5 * CHUNK + 7]);
        for len in around {
            let content = content(len);
            let sealed = seal(&content, usize::MAX, "attachment");
            assert!(
                open(&sealed.head, &sealed.key, &sealed.parts).unwrap() == content,
                "{len}"
            );
            let last = sealed.parts.len() - 1;
            for (number, part) in sealed.parts.iter().enumerate() {
                let file = PartFile::parse(part).unwrap_or_else(|bad| panic!("{bad}"));
                assert_eq!((file.place(), file.number()), (Ok((VAULT, NOTE)), number as u64));
                assert!(part.len() <= PART_MAX);
                assert!(
                    number == last || part.len() > PLAIN,
                    "{len}: a short part before the last"
                );
            }
            let told: u64 = sealed.parts.iter().map(|part| part.len() as u64).sum();
            assert!(told < padding::padme(len as u64) + 200 + told / 1000, "{len}: {told}");
        }
    }

    #[test]
    fn every_single_fault_is_refused() {
        let sealed = seal(&content(PLAIN + 2 * CHUNK + 9), usize::MAX, "attachment");
        let other = seal(&content(PLAIN + 2 * CHUNK + 9), usize::MAX, "another");
        let (head, key) = (&sealed.head, &sealed.key);
        let good = || sealed.parts.clone();
        assert!(open(head, key, &good()).is_ok());
        let refused = |what: &str, parts: Vec<Vec<u8>>| assert!(open(head, key, &parts).is_err(), "{what}");
        refused("no parts", vec![]);
        refused("the last is missing", good()[..1].to_vec());
        refused("the first is missing", good()[1..].to_vec());
        refused("another order", good().into_iter().rev().collect());
        refused("one twice", vec![good()[0].clone(), good()[0].clone()]);
        refused("one too many", [good(), vec![good()[1].clone()]].concat());
        refused("another's part", vec![good()[0].clone(), other.parts[1].clone()]);
        refused("an empty part", vec![good()[0].clone(), vec![]]);
        for (number, part) in sealed.parts.iter().enumerate() {
            let places = [
                0,
                10,
                60,
                66,
                100,
                CHUNK,
                CHUNK + 80,
                SEALED + 80,
                part.len() / 2,
                part.len() - 1,
            ];
            for at in places {
                let mut parts = good();
                parts[number][at] ^= 1;
                refused("a flipped bit", parts);
            }
            for end in [0, 1, 60, 80, SEALED, part.len() - SEALED, part.len() - 1] {
                let mut parts = good();
                parts[number].truncate(end);
                refused("a part cut short", parts);
            }
            let mut parts = good();
            parts[number].push(0);
            refused("a byte too many", parts);
            let mut parts = good();
            let (a, b) = (100 + SEALED, 100 + 2 * SEALED);
            if part.len() > b + 10 {
                let one = part[a - 35..b - 35].to_vec();
                parts[number].splice(a - 35 - SEALED..a - 35, one);
                refused("a chunk over another", parts);
            }
        }
        assert!(open(&other.head, key, &good()).is_err());
        assert!(open(&other.head, &other.key, &good()).is_err());
        for at in 0..head.len() {
            let mut bad = head.clone();
            bad[at] ^= 1;
            assert!(begin(&bad, key).is_err(), "byte {at} of the head");
        }
    }

    #[test]
    fn a_head_says_what_there_can_be_and_nothing_else() {
        let info = |size, parts: usize| ContentInfo {
            size,
            sha256: Digest([1; 32]),
            parts: vec![Digest([2; 32]); parts],
        };
        for (size, parts, good) in [
            (0, 1, true),
            (0, 0, false),
            (PART_PLAIN, 1, true),
            (PART_PLAIN, 2, false),
            (PART_PLAIN + 1, 2, true),
            (ATTACHMENT_MAX, 16_384, true),
            (ATTACHMENT_MAX + 1, 16_385, false),
            (u64::MAX, 16_384, false),
        ] {
            let bytes = info(size, parts).encode();
            assert!(bytes.len() <= HEAD_MAX);
            assert_eq!(
                ContentInfo::decode(&Plaintext::new(bytes)).is_ok(),
                good,
                "{size} in {parts}"
            );
        }
    }

    #[test]
    fn what_is_too_long_or_fails_to_be_read_is_not_sealed() {
        let mut sealer = ContentSealer::begin(VAULT, NOTE, &mut ExampleEntropy::new("x")).unwrap();
        let mut part = Vec::new();
        let failing = sealer.next_part(&mut part, &mut |_: &mut [u8]| Err("gone"));
        assert_eq!(failing, Err(NotSealed::Read("gone")));
        sealer.parts = vec![Digest([0; 32]); PARTS_MAX as usize];
        let more = sealer.next_part(&mut part, &mut |out: &mut [u8]| Ok::<_, ()>(out.len()));
        assert_eq!(more, Err(NotSealed::TooLong));
        assert_eq!(sealer.finish(&metadata()).err(), Some(Unsealable::Unfinished));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn however_it_is_read_it_is_sealed_the_same(len in 0usize..200_000, step in 1usize..70_000) {
            let content = content(len);
            let step = step.max(len / 500);
            let (one, two) = (seal(&content, usize::MAX, "a"), seal(&content, step, "a"));
            prop_assert!(one.head == two.head && one.parts == two.parts);
            prop_assert!(open(&two.head, &two.key, &two.parts).unwrap() == content);
        }

        #[test]
        fn parsing_a_part_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = PartFile::parse(&bytes);
        }
    }

    #[test]
    fn a_part_of_no_right_form_is_refused() {
        let short = padding::padme(100) as usize + CHUNK_TAG_LEN;
        let parses = |sealed: usize, change: &dyn Fn(&mut PartHeader)| {
            let mut header: PartHeader = minicbor::decode(&part_header(VAULT, NOTE, &[3; 16], 0)).unwrap();
            change(&mut header);
            PartFile::parse(&[cbor::encode(&header), vec![0; sealed]].concat()).map(|part| part.number())
        };
        let malformed = Err(BadEnvelope::Malformed { what: WHAT_PART });
        assert_eq!(parses(short, &|_| ()), Ok(0));
        let last = PARTS_MAX - 1;
        assert_eq!(parses(PART_CHUNKS * SEALED, &|header| header.number = last), Ok(last));
        let changes: [&dyn Fn(&mut PartHeader); 5] = [
            &|header| header.vault = vec![1; 15].into(),
            &|header| header.note = vec![2; 17].into(),
            &|header| header.revision = vec![3; 15].into(),
            &|header| header.purpose = Purpose::Note as u8,
            &|header| header.number = PARTS_MAX,
        ];
        for change in changes {
            assert_eq!(parses(PART_CHUNKS * SEALED, change), malformed);
        }
        // Nothing, less than a tag, a length that no padded content has, and a chunk that is a tag alone.
        for sealed in [0, 1, CHUNK_TAG_LEN, short + 1, SEALED + CHUNK_TAG_LEN] {
            assert_eq!(parses(sealed, &|_| ()), malformed, "{sealed}");
        }
        let too_long = parses(PART_MAX, &|_| ());
        assert!(matches!(too_long, Err(BadEnvelope::TooLong { .. })), "{too_long:?}");
    }
}
