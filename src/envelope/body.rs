//! A sealed body: metadata and text as two streams under a content key of its own (docs/FORMAT.md §5).

use super::cbor::{self, Bytes};
use super::{BadEnvelope, SUITE, check_note, check_suite, check_vault, padding};
use crate::crypto::{
    CHUNK_TAG_LEN, Entropy, KeySource, NoEntropy, StreamKey, length_prefixed, make_random, make_secret, same_bytes,
};
use crate::id::{Digest, NoteId, PersonId, VaultId};
use crate::secret::{self, Plaintext, Secret};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use zeroize::Zeroize;

const WHAT: &str = "sealed body";
/// The longest text of a note, in bytes.
pub const TEXT_MAX: usize = 1 << 20;
/// The largest sealed body, in bytes: padding and tags included. A brief that was released holds its text twice.
pub const BODY_MAX: usize = 4 * TEXT_MAX;
/// Plaintext bytes in a full chunk.
pub const CHUNK: usize = 64 * 1024;
const HEADER_MAX: usize = 512;

/// What a body is, so that one kind is never taken for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// A revision of a note.
    Note = 0,
    /// The head of a file attached to one.
    Attachment = 1,
    /// A brief not yet released.
    Draft = 2,
    /// A brief as it was released.
    Brief = 3,
    /// What somebody says of a matter: why they ask, broke the glass, or are in conflict.
    Statement = 5,
}

/// Why nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A body of more than [`BODY_MAX`] bytes, which nobody would read again.
    #[error("this is too long to be kept: with what belongs to it, it may have 4 MiB")]
    TooLong,
    /// The head of an attachment before all parts.
    #[error("this attachment was not read to its end; nothing was attached")]
    Unfinished,
}

impl Purpose {
    fn from_number(number: u8) -> Option<Self> {
        use Purpose::{Attachment, Brief, Draft, Note, Statement};
        // 4 is a part of an attachment.
        let all = [Note, Attachment, Draft, Brief, Statement];
        all.into_iter().find(|purpose| *purpose as u8 == number)
    }
}

/// Seals one body and never another.
pub struct ContentKey(Secret<32>);

impl ContentKey {
    pub(super) fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The key itself, for whoever is given what it seals and shall be able to see that it is just that. It opens this one
    /// body, and what the head of an attachment stands for, and nothing else.
    pub fn hand_over(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(*self.expose())
    }

    /// A digest of `parts` that only who reads what this key seals can make, and that says nothing of them to others.
    pub fn bind(&self, parts: &[&[u8]]) -> Digest {
        let bound = KeySource::new(self.expose()).derive_key("strongroom/1/matter", parts);
        Digest(*bound.expose())
    }
}

#[derive(Encode, Decode, Debug, PartialEq, Clone)]
#[cbor(map)]
struct Header {
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
    commitment: Bytes,
    #[n(6)]
    metadata_len: u64,
}

impl Header {
    fn new(vault: VaultId, note: NoteId, revision: [u8; 16], purpose: Purpose) -> Self {
        Self {
            suite: SUITE,
            vault: vault.as_bytes().to_vec().into(),
            note: note.as_bytes().to_vec().into(),
            revision: revision.to_vec().into(),
            purpose: purpose as u8,
            commitment: Vec::new().into(),
            metadata_len: 0,
        }
    }

    fn context(&self) -> Vec<u8> {
        length_prefixed(&[&[self.suite], &self.vault, &self.note, &self.revision, &[self.purpose]])
    }
}

fn commitment(source: &KeySource, context: &[u8]) -> Secret<32> {
    source.derive_key("strongroom/1/body commitment", &[context])
}

fn stream_key(source: &KeySource, stream: Stream, context: &[u8]) -> StreamKey {
    let domain = match stream {
        Stream::Metadata => "strongroom/1/body metadata",
        Stream::Text => "strongroom/1/body text",
        Stream::Content => "strongroom/1/attachment content",
    };
    StreamKey::new(&source.derive_key(domain, &[context]))
}

#[derive(Clone, Copy)]
enum Stream {
    Metadata,
    Text,
    Content,
}

/// What is known of a text beside the text. Wiped on drop; no `Debug`.
#[derive(PartialEq, Eq)]
pub struct Metadata {
    /// Title, at most 200 characters.
    pub title: String,
    /// Client, empty if none.
    pub client: String,
    /// Case, empty if none.
    pub case: String,
    /// When the first revision was written, Unix seconds.
    pub created: i64,
    /// When this revision was written.
    pub modified: i64,
    /// When what it tells happened, if that is another time.
    pub happened: Option<i64>,
    /// Who wrote this revision.
    pub author: PersonId,
    /// Digests of the bodies this revision follows.
    pub parents: Vec<Digest>,
    /// From 1.
    pub number: u64,
    /// Free fields, sorted by name.
    pub fields: Vec<(String, String)>,
}

impl Drop for Metadata {
    fn drop(&mut self) {
        wipe([&mut self.title, &mut self.client, &mut self.case], &mut self.fields);
    }
}

/// Wipes texts and fields.
pub(super) fn wipe<'t>(texts: impl IntoIterator<Item = &'t mut String>, fields: &mut [(String, String)]) {
    texts.into_iter().for_each(Zeroize::zeroize);
    for (name, value) in fields {
        name.zeroize();
        value.zeroize();
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct MetadataCbor {
    #[n(0)]
    title: String,
    #[n(1)]
    client: String,
    #[n(2)]
    case: String,
    #[n(3)]
    created: i64,
    #[n(4)]
    modified: i64,
    #[n(5)]
    happened: Option<i64>,
    #[n(6)]
    author: Bytes,
    #[n(7)]
    parents: Vec<Bytes>,
    #[n(8)]
    number: u64,
    #[n(9)]
    fields: Vec<(String, String)>,
}

impl Drop for MetadataCbor {
    fn drop(&mut self) {
        wipe([&mut self.title, &mut self.client, &mut self.case], &mut self.fields);
    }
}

impl Metadata {
    /// The same of a revision that follows others under their new digests.
    pub(crate) fn following(&self, renamed: &BTreeMap<Digest, Digest>) -> Self {
        let mut parents: Vec<Digest> = self
            .parents
            .iter()
            .map(|digest| renamed.get(digest).copied().unwrap_or(*digest))
            .collect();
        parents.sort_unstable();
        Self {
            title: self.title.clone(),
            client: self.client.clone(),
            case: self.case.clone(),
            created: self.created,
            modified: self.modified,
            happened: self.happened,
            author: self.author,
            parents,
            number: self.number,
            fields: self.fields.clone(),
        }
    }

    pub(super) fn encode(&self) -> zeroize::Zeroizing<Vec<u8>> {
        secret::encode(&MetadataCbor {
            title: self.title.clone(),
            client: self.client.clone(),
            case: self.case.clone(),
            created: self.created,
            modified: self.modified,
            happened: self.happened,
            author: self.author.as_bytes().to_vec().into(),
            parents: self
                .parents
                .iter()
                .map(|digest| digest.as_bytes().to_vec().into())
                .collect(),
            number: self.number,
            fields: self.fields.clone(),
        })
    }

    pub(super) fn decode(plain: &Plaintext) -> Result<Self, BadEnvelope> {
        let mut raw: MetadataCbor = cbor::decode(WHAT, TEXT_MAX, plain.expose())?;
        let sorted = raw
            .parents
            .windows(2)
            .all(|pair| pair[0].as_slice() < pair[1].as_slice())
            && raw.fields.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if !sorted || raw.number == 0 {
            return Err(BadEnvelope::Malformed { what: WHAT });
        }
        Ok(Self {
            title: std::mem::take(&mut raw.title),
            client: std::mem::take(&mut raw.client),
            case: std::mem::take(&mut raw.case),
            created: raw.created,
            modified: raw.modified,
            happened: raw.happened,
            author: cbor::fixed(WHAT, &raw.author)?,
            parents: raw
                .parents
                .iter()
                .map(|bytes| cbor::fixed(WHAT, bytes))
                .collect::<Result<_, _>>()?,
            number: raw.number,
            fields: std::mem::take(&mut raw.fields),
        })
    }
}

/// Seals `metadata` and `text` under a fresh content key; returns the file and that key.
///
/// The text of a note has at most [`TEXT_MAX`] bytes: callers check that where they can say it to a person.
pub fn seal_body(
    vault: VaultId,
    note: NoteId,
    purpose: Purpose,
    metadata: &Metadata,
    text: &[u8],
    entropy: &mut dyn Entropy,
) -> Result<(Vec<u8>, ContentKey), Unsealable> {
    Fresh::make(vault, note, purpose, entropy)?.seal(metadata, text)
}

/// A body that is still to be sealed: its place, its revision and its content key are settled.
pub(super) struct Fresh {
    header: Header,
    pub(super) context: Vec<u8>,
    key: ContentKey,
}

impl Fresh {
    pub(super) fn make(
        vault: VaultId,
        note: NoteId,
        purpose: Purpose,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let key = ContentKey(make_secret(entropy)?);
        let header = Header::new(vault, note, make_random(entropy)?, purpose);
        let context = header.context();
        Ok(Self { header, context, key })
    }

    /// The key of the stream beside the body's own two.
    pub(super) fn content_key(&self) -> StreamKey {
        stream_key(&KeySource::new(self.key.expose()), Stream::Content, &self.context)
    }

    pub(super) fn revision(&self) -> &[u8] {
        &self.header.revision
    }

    pub(super) fn seal(mut self, metadata: &Metadata, text: &[u8]) -> Result<(Vec<u8>, ContentKey), Unsealable> {
        let source = KeySource::new(self.key.expose());
        let seal =
            |stream, message: &[u8]| seal_stream(&stream_key(&source, stream, &self.context), &self.context, message);
        let (sealed_metadata, sealed_text) = (seal(Stream::Metadata, &metadata.encode()), seal(Stream::Text, text));
        self.header.commitment = commitment(&source, &self.context).expose().to_vec().into();
        self.header.metadata_len = sealed_metadata.len() as u64;
        let file = [cbor::encode(&self.header), sealed_metadata, sealed_text].concat();
        match file.len() <= BODY_MAX {
            true => Ok((file, self.key)),
            false => Err(Unsealable::TooLong),
        }
    }
}

fn seal_stream(key: &StreamKey, context: &[u8], message: &[u8]) -> Vec<u8> {
    let mut padded = padding::pad(message);
    let count = padded.len().div_ceil(CHUNK);
    let mut out = Vec::with_capacity(padded.len() + count * CHUNK_TAG_LEN);
    for (number, chunk) in padded.chunks_mut(CHUNK).enumerate() {
        let tag = key.seal_chunk(number as u64, number + 1 == count, context, chunk);
        out.extend_from_slice(chunk);
        out.extend_from_slice(&tag);
    }
    out
}

fn open_stream(key: &StreamKey, context: &[u8], sealed: &[u8]) -> Result<Plaintext, BadEnvelope> {
    let mut padded = zeroize::Zeroizing::new(Vec::with_capacity(sealed.len()));
    let count = sealed.len().div_ceil(CHUNK + CHUNK_TAG_LEN);
    for (number, chunk) in sealed.chunks(CHUNK + CHUNK_TAG_LEN).enumerate() {
        // Opened where it will stay: no second buffer to wipe.
        let start = padded.len();
        padded.extend_from_slice(chunk);
        let opened = key
            .open_chunk(number as u64, number + 1 == count, context, &mut padded[start..])
            .map_err(|_| BadEnvelope::Unopenable { what: WHAT })?
            .len();
        padded.truncate(start + opened);
    }
    padding::unpad_in_place(WHAT, padded)
}

/// A body file, read but not opened.
pub struct BodyFile<'a> {
    header: Header,
    pub(super) metadata: &'a [u8],
    pub(super) text: &'a [u8],
}

/// Whether a sealed stream may have this length: a padded form, cut into chunks.
fn is_stream_len(sealed: usize) -> bool {
    let chunks = sealed.div_ceil(CHUNK + CHUNK_TAG_LEN);
    let plain = sealed.saturating_sub(chunks * CHUNK_TAG_LEN);
    plain.div_ceil(CHUNK) == chunks && padding::is_padded_len(plain as u64)
}

impl<'a> BodyFile<'a> {
    /// Reads a file: header, lengths, suite.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadEnvelope> {
        if bytes.len() > BODY_MAX {
            return Err(BadEnvelope::TooLong {
                what: WHAT,
                max: BODY_MAX,
            });
        }
        let head = &bytes[..bytes.len().min(HEADER_MAX)];
        let (header, used): (Header, usize) = cbor::decode_prefix(WHAT, HEADER_MAX, head)?;
        check_suite(WHAT, header.suite)?;
        let malformed = BadEnvelope::Malformed { what: WHAT };
        let sizes = header.vault.len() == 16 && header.note.len() == 16 && header.revision.len() == 16;
        if !sizes || header.commitment.len() != 32 || Purpose::from_number(header.purpose).is_none() {
            return Err(malformed);
        }
        let rest = &bytes[used..];
        let at = usize::try_from(header.metadata_len)
            .ok()
            .filter(|at| *at <= rest.len())
            .ok_or(malformed.clone())?;
        let (metadata, text) = rest.split_at(at);
        match is_stream_len(metadata.len()) && is_stream_len(text.len()) {
            true => Ok(Self { header, metadata, text }),
            false => Err(malformed),
        }
    }

    /// What it is.
    pub fn purpose(&self) -> Purpose {
        Purpose::from_number(self.header.purpose).unwrap_or(Purpose::Note)
    }

    /// The vault and the note it says it belongs to.
    pub fn place(&self) -> Result<(VaultId, NoteId), BadEnvelope> {
        Ok((
            cbor::fixed(WHAT, &self.header.vault)?,
            cbor::fixed(WHAT, &self.header.note)?,
        ))
    }

    /// Checks that it stands in its place and that this is its key.
    pub(crate) fn check(&self, vault: VaultId, note: NoteId, key: &ContentKey) -> Result<CheckedBody<'a>, BadEnvelope> {
        check_vault(WHAT, cbor::fixed(WHAT, &self.header.vault)?, vault)?;
        check_note(WHAT, cbor::fixed(WHAT, &self.header.note)?, note)?;
        let context = self.header.context();
        let source = KeySource::new(key.expose());
        // The commitment goes first: without it one ciphertext could open under two keys.
        if same_bytes(commitment(&source, &context).expose(), &self.header.commitment) {
            Ok(CheckedBody {
                metadata: self.metadata,
                text: self.text,
                context,
                source,
            })
        } else {
            Err(BadEnvelope::Unopenable { what: WHAT })
        }
    }

    /// Opens the metadata alone.
    pub(crate) fn open_metadata(
        &self,
        vault: VaultId,
        note: NoteId,
        key: &ContentKey,
    ) -> Result<Metadata, BadEnvelope> {
        self.check(vault, note, key)?.open_metadata()
    }

    /// The key of the stream beside the body's own two, and its context.
    pub(super) fn content_key(
        &self,
        vault: VaultId,
        note: NoteId,
        key: &ContentKey,
    ) -> Result<(StreamKey, Vec<u8>), BadEnvelope> {
        let CheckedBody { context, source, .. } = self.check(vault, note, key)?;
        Ok((stream_key(&source, Stream::Content, &context), context))
    }

    pub(super) fn revision(&self) -> &[u8] {
        &self.header.revision
    }

    /// Opens the text.
    pub(crate) fn open_text(&self, vault: VaultId, note: NoteId, key: &ContentKey) -> Result<Plaintext, BadEnvelope> {
        self.check(vault, note, key)?.open_text()
    }
}

/// A body whose key was found to be its own; nothing of it was opened yet.
pub(crate) struct CheckedBody<'a> {
    metadata: &'a [u8],
    text: &'a [u8],
    context: Vec<u8>,
    source: KeySource,
}

impl CheckedBody<'_> {
    /// Opens the metadata alone.
    pub(crate) fn open_metadata(&self) -> Result<Metadata, BadEnvelope> {
        Metadata::decode(&self.open(Stream::Metadata, self.metadata)?)
    }

    /// Opens the text.
    pub(crate) fn open_text(&self) -> Result<Plaintext, BadEnvelope> {
        self.open(Stream::Text, self.text)
    }

    fn open(&self, stream: Stream, sealed: &[u8]) -> Result<Plaintext, BadEnvelope> {
        let key = stream_key(&self.source, stream, &self.context);
        open_stream(&key, &self.context, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;
    use proptest::prelude::*;

    fn metadata() -> Metadata {
        Metadata {
            title: "Gate 4".into(),
            client: "Halcyon".into(),
            case: String::new(),
            created: 10,
            modified: 11,
            happened: Some(9),
            author: PersonId([1; 8]),
            parents: vec![Digest([2; 32])],
            number: 2,
            fields: vec![("zone".into(), "north".into())],
        }
    }

    const VAULT: VaultId = VaultId([1; 16]);
    const NOTE: NoteId = NoteId([2; 16]);

    fn sealed(text: &[u8]) -> (Vec<u8>, ContentKey) {
        seal_body(
            VAULT,
            NOTE,
            Purpose::Note,
            &metadata(),
            text,
            &mut ExampleEntropy::new("body"),
        )
        .unwrap()
    }

    #[test]
    fn what_nobody_would_read_again_is_not_sealed() {
        let mut entropy = ExampleEntropy::new("long");
        let mut seal = |len| {
            let text = vec![b'x'; len];
            seal_body(VAULT, NOTE, Purpose::Brief, &metadata(), &text, &mut entropy)
        };
        let (mut kept, mut refused) = (0, 0);
        for len in (BODY_MAX - (300 << 10)..BODY_MAX + 1).step_by(20 << 10) {
            match seal(len) {
                Ok((file, _)) => {
                    assert!(BodyFile::parse(&file).is_ok(), "{len}");
                    kept += 1;
                }
                Err(error) => {
                    assert_eq!(error, Unsealable::TooLong, "{len}");
                    refused += 1;
                }
            }
        }
        assert!(kept > 0 && refused > 0);
    }

    #[test]
    fn a_body_comes_back_in_two_parts() {
        for len in [0, 1, 65_528, 65_529, 200_000] {
            let text = vec![b'x'; len];
            let (file, key) = sealed(&text);
            let body = BodyFile::parse(&file).unwrap_or_else(|e| panic!("{e}"));
            assert!(body.open_metadata(VAULT, NOTE, &key).unwrap_or_else(|e| panic!("{e}")) == metadata());
            assert_eq!(body.open_text(VAULT, NOTE, &key).unwrap().expose(), text);
            assert_eq!(body.purpose(), Purpose::Note);
        }
    }

    #[test]
    fn it_opens_in_its_place_alone() {
        let (file, key) = sealed(b"text");
        let body = BodyFile::parse(&file).unwrap_or_else(|e| panic!("{e}"));
        let foreign = BadEnvelope::Foreign { what: WHAT };
        assert_eq!(
            body.open_text(VaultId([9; 16]), NOTE, &key).err(),
            Some(foreign.clone())
        );
        assert_eq!(body.open_text(VAULT, NoteId([9; 16]), &key).err(), Some(foreign));
        let other = ContentKey(Secret::copy_from(&[9; 32]).unwrap());
        assert_eq!(
            body.open_text(VAULT, NOTE, &other).err(),
            Some(BadEnvelope::Unopenable { what: WHAT })
        );
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let (file, key) = sealed(b"text");
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            let opened = BodyFile::parse(&bad).and_then(|body| {
                body.open_metadata(VAULT, NOTE, &key)?;
                body.open_text(VAULT, NOTE, &key)
            });
            assert!(opened.is_err(), "byte {at}");
        }
        for end in 0..file.len() {
            let opened = BodyFile::parse(&file[..end]).and_then(|body| body.open_text(VAULT, NOTE, &key));
            assert!(opened.is_err(), "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = BodyFile::parse(&bytes);
        }
    }

    #[test]
    fn a_header_of_no_right_form_is_refused() {
        let (file, _) = sealed(b"Gate.");
        let (header, used): (Header, usize) = cbor::decode_prefix(WHAT, HEADER_MAX, &file[..HEADER_MAX]).unwrap();
        let parses = |change: &dyn Fn(&mut Header)| {
            let mut header = header.clone();
            change(&mut header);
            BodyFile::parse(&[cbor::encode(&header), file[used..].to_vec()].concat()).is_ok()
        };
        assert!(parses(&|_| ()));
        let changes: [&dyn Fn(&mut Header); 7] = [
            &|header| header.vault.push(0),
            &|header| header.note.push(0),
            &|header| header.revision.push(0),
            &|header| header.commitment.push(0),
            &|header| header.purpose = 4,
            &|header| header.metadata_len += 1,
            &|header| header.metadata_len = u64::MAX,
        ];
        for (n, change) in changes.iter().enumerate() {
            assert!(!parses(change), "{n}");
        }
    }
}
