//! Attachments at the gate: sealing what comes in piece by piece, and giving it out piece by piece.

use super::{Gate, GateError, Permit, SealedNote};
use crate::crypto::{Entropy, Recipient};
use crate::envelope::{
    BadWrap, BodyFile, CHUNK, ContentInfo, ContentKey, ContentOpener, ContentSealer, Metadata, NotSealed,
};
use crate::id::{Digest, NoteId, PersonId};
use crate::label::Label;
use crate::ledger::{LedgerError, Recorded, StoredNote, StoredParts};
use crate::transfer::{LOOKED_AT, Picture};
use std::collections::BTreeSet;
use zeroize::{Zeroize, Zeroizing};

/// An attachment as it is told of beside its note.
pub struct Attachment {
    /// Its file name.
    pub name: String,
    /// Digest of its sealed head, by which it is told from others of that name.
    pub body: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: Digest,
    /// When it was attached, Unix seconds.
    pub created: i64,
    /// What it tells beside the picture, if it is one and was looked at.
    pub picture: Option<Picture>,
    /// To look at it.
    opener: Option<ContentOpener>,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.name.zeroize();
    }
}

impl Attachment {
    pub(super) fn new(body: Digest, metadata: &Metadata, info: &ContentInfo) -> Self {
        Self {
            name: metadata.title.clone(),
            body,
            size: info.size,
            sha256: info.sha256,
            created: metadata.created,
            picture: None,
            opener: None,
        }
    }

    /// Reads it through; see [`comes_out`]. It cannot be looked at afterwards.
    pub(super) fn comes_out(&mut self, next: impl NextPart) -> Result<bool, LedgerError> {
        self.opener.take().map_or(Ok(false), |opener| comes_out(opener, next))
    }

    /// The parts that have to be found for it.
    pub(super) fn parts(&self) -> &[Digest] {
        self.opener.as_ref().map_or(&[], |opener| &opener.info().parts)
    }

    /// Drops what it could still be looked at with.
    pub fn close(&mut self) {
        self.opener = None;
    }

    /// The first of its parts, if it may be a picture that can be looked at.
    pub fn first_part(&self) -> Option<Digest> {
        let opener = self.opener.as_ref().filter(|_| Picture::may_be(&self.name))?;
        opener.info().parts.first().copied()
    }

    /// Looks at the beginning of the picture that it may be, in its first part. Of what is in it nothing is kept.
    pub fn look(&mut self, part: &mut [u8]) -> Result<(), GateError> {
        let Some(mut opener) = self.opener.take() else {
            return Ok(());
        };
        let mut at = opener.enter(part)?;
        let mut beginning = Zeroizing::new(Vec::with_capacity(LOOKED_AT.min(part.len())));
        while at < part.len() && beginning.len() < LOOKED_AT {
            let (took, content) = opener.open_chunk(&mut part[at..])?;
            beginning.extend_from_slice(content);
            at += took;
        }
        self.picture = Picture::look(&beginning, beginning.len() as u64 == self.size);
        Ok(())
    }
}

/// An attachment that is being sealed, to no label yet: that is settled when its head is sealed, at the end.
pub struct Sealing {
    note: NoteId,
    pub(super) sealer: ContentSealer,
}

impl Sealing {
    /// Seals the next part of what `read` gives into `part`; `None` once there is none. See [`ContentSealer::next_part`].
    pub fn next_part<E>(
        &mut self,
        part: &mut Vec<u8>,
        read: &mut dyn FnMut(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Option<Digest>, NotSealed<E>> {
        self.sealer.next_part(part, read)
    }
}

/// So many digits of a digest are needed to mean an attachment by them.
const SHORT_DIGEST: usize = 8;

struct Head {
    body: Digest,
    metadata: Metadata,
    info: ContentInfo,
}

/// A look at the heads of a note's attachments. It tells digests, and which are of a name; the rest stays in.
pub struct Attachments(Vec<Head>);

impl Attachments {
    /// Whether there is an attachment of that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|head| head.metadata.title == name)
    }

    /// The bodies of the attachments that somebody means by a name, or by how a digest begins: all of that name and all whose
    /// digest begins so, since whoever attaches chooses the name.
    pub fn meant(&self, asked: &str) -> BTreeSet<Digest> {
        let is_digest = (SHORT_DIGEST..=64).contains(&asked.len());
        let is_meant =
            |head: &&Head| head.metadata.title == asked || is_digest && head.body.to_string().starts_with(asked);
        self.0.iter().filter(is_meant).map(|head| head.body).collect()
    }

    /// The parts of all of them.
    pub fn parts(&self) -> BTreeSet<Digest> {
        self.0.iter().flat_map(|head| head.info.parts.iter().copied()).collect()
    }

    /// Digest of a content, for the sealed details of the entry and nothing else.
    pub(crate) fn digest_for_the_record(&self, body: Digest) -> Option<Digest> {
        let head = self.0.iter().find(|head| head.body == body);
        head.map(|head| head.info.sha256)
    }
}

/// An attachment whose content may be read: decided and recorded. Its parts are still to be found.
pub struct OpenContent {
    /// The note it stands beside.
    pub note: NoteId,
    /// Digest of its sealed head.
    pub body: Digest,
    /// The label it was wrapped under.
    pub label: Label,
    /// What is known of it beside the content.
    pub metadata: Metadata,
    opener: ContentOpener,
}

impl OpenContent {
    /// Name, size and digest.
    pub fn attachment(&self) -> Attachment {
        Attachment::new(self.body, &self.metadata, self.opener.info())
    }

    /// Who attached it.
    pub fn author(&self) -> PersonId {
        self.metadata.author
    }

    /// The parts that have to be found for it.
    pub fn parts(&self) -> &[Digest] {
        &self.opener.info().parts
    }

    /// The content, out of the parts that `next` gives in their order. It is handed the buffer of the part before, to be
    /// written over: plaintext is wiped once, at the end.
    pub fn read<N: NextPart>(self, next: N) -> Content<N> {
        Content::new(self.opener, next)
    }
}

/// Where the parts of a content come from.
pub trait NextPart {
    /// The next part, in `buffer` or another; `None` after the last.
    fn next_part(&mut self, buffer: Zeroizing<Vec<u8>>) -> Option<Result<Zeroizing<Vec<u8>>, LedgerError>>;
}

impl NextPart for StoredParts {
    fn next_part(&mut self, buffer: Zeroizing<Vec<u8>>) -> Option<Result<Zeroizing<Vec<u8>>, LedgerError>> {
        self.read_next(buffer)
    }
}

impl<F> NextPart for F
where
    F: FnMut(Zeroizing<Vec<u8>>) -> Option<Result<Zeroizing<Vec<u8>>, LedgerError>>,
{
    fn next_part(&mut self, buffer: Zeroizing<Vec<u8>>) -> Option<Result<Zeroizing<Vec<u8>>, LedgerError>> {
        self(buffer)
    }
}

/// A content could not be given out to its end.
#[derive(Debug, thiserror::Error)]
pub enum BadContent {
    /// A part is missing or not what was written.
    #[error(transparent)]
    Stored(#[from] LedgerError),
    /// A part does not open, or the whole is not what its head says.
    #[error(transparent)]
    Gate(#[from] GateError),
}

/// A content that is given out chunk by chunk, each verified before it is.
pub struct Content<N> {
    opener: ContentOpener,
    next: N,
    part: Zeroizing<Vec<u8>>,
    at: usize,
}

impl<N: NextPart> Content<N> {
    fn new(opener: ContentOpener, next: N) -> Self {
        Self {
            opener,
            next,
            part: Zeroizing::new(Vec::new()),
            at: 0,
        }
    }

    /// The next piece. `None` says that the content has ended, whole and with the digest that its head says; until then
    /// what was given out is authentic and may be less than there is.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, BadContent> {
        if self.at == self.part.len() {
            self.part = match self.next.next_part(std::mem::take(&mut self.part)) {
                Some(part) => part?,
                None => return Ok(self.opener.finish().map(|()| None).map_err(GateError::from)?),
            };
            self.at = self.opener.enter(&self.part).map_err(GateError::from)?;
        }
        let (took, content) = self
            .opener
            .open_chunk(&mut self.part[self.at..])
            .map_err(GateError::from)?;
        self.at += took;
        Ok(Some(content))
    }
}

/// Whether a content comes out of these parts whole: whoever seals a head can name other parts in it, or say another digest, and
/// nobody sees it before all of it is opened. What comes out is wiped. An error where a part is not what an entry wrote.
pub(super) fn comes_out(opener: ContentOpener, next: impl NextPart) -> Result<bool, LedgerError> {
    let mut content = Content::new(opener, next);
    loop {
        match content.next_chunk() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(true),
            Err(BadContent::Gate(_)) => return Ok(false),
            Err(BadContent::Stored(error)) => return Err(error),
        }
    }
}

/// An attachment on its way from one key to another: opened and sealed again piece by piece, and never shown.
pub struct Resealing<N> {
    body: Digest,
    content: Content<N>,
    sealing: Sealing,
    /// A chunk that was opened, and how much of it is sealed again.
    chunk: Zeroizing<Vec<u8>>,
    taken: usize,
}

/// An attachment whose parts are all sealed anew; its head is sealed with the rest of the note.
pub struct Resealed {
    /// The head it had.
    pub(super) body: Digest,
    pub(super) sealing: Sealing,
}

impl<N: NextPart> Resealing<N> {
    pub(super) fn new(body: Digest, opener: ContentOpener, sealing: Sealing, next: N) -> Self {
        Self {
            body,
            content: Content::new(opener, next),
            sealing,
            chunk: Zeroizing::new(Vec::new()),
            taken: 0,
        }
    }

    /// Opens as much of the old parts as the next new one takes, and seals it into `part`; `None` once there is none.
    pub fn next_part(&mut self, part: &mut Vec<u8>) -> Result<Option<Digest>, NotSealed<BadContent>> {
        let (content, chunk, taken) = (&mut self.content, &mut self.chunk, &mut self.taken);
        self.sealing.next_part(part, &mut |out| {
            while *taken == chunk.len() {
                let Some(next) = content.next_chunk()? else {
                    return Ok(0);
                };
                // A chunk's room is asked for once, so that no copy of one is left behind.
                chunk.clear();
                chunk.reserve_exact(CHUNK);
                chunk.extend_from_slice(next);
                *taken = 0;
            }
            let more = out.len().min(chunk.len() - *taken);
            out[..more].copy_from_slice(&chunk[*taken..*taken + more]);
            *taken += more;
            Ok(more)
        })
    }

    /// Ends it, once there is no next part.
    pub fn end(self) -> Resealed {
        Resealed {
            body: self.body,
            sealing: self.sealing,
        }
    }
}

impl Gate<'_> {
    /// Begins to seal an attachment to `note` under a fresh content key.
    pub fn begin_attachment(&self, note: NoteId, entropy: &mut dyn Entropy) -> Result<Sealing, GateError> {
        let sealer = ContentSealer::begin(self.vault(), note, entropy).map_err(BadWrap::NoEntropy)?;
        Ok(Sealing { note, sealer })
    }

    /// Seals the head of an attachment to `label`, once all its parts are sealed.
    pub fn seal_attachment(
        &self,
        sealing: Sealing,
        metadata: &Metadata,
        label: &Label,
        recipients: &[Recipient],
        entropy: &mut dyn Entropy,
    ) -> Result<(SealedNote, Attachment), GateError> {
        let Sealing { note, sealer } = sealing;
        let (body, key, info) = sealer.finish(metadata)?;
        let sealed = self.wrap(note, body, &key, label, recipients, entropy)?;
        let attachment = Attachment::new(sealed.digest, metadata, &info);
        Ok((sealed, attachment))
    }

    /// Looks at the heads among stored bodies; other bodies are passed over.
    pub fn attachments(&self, stored: &[StoredNote]) -> Result<Attachments, GateError> {
        let open = |item: &StoredNote| -> Result<Head, GateError> {
            let (_, key) = self.unwrap_key(item.note, &item.wrap)?;
            let (metadata, opener) = self.head(item, &key)?;
            Ok(Head {
                body: item.body,
                metadata,
                info: opener.into_info(),
            })
        };
        let attached = stored.iter().filter(|item| item.is_attachment());
        Ok(Attachments(attached.map(open).collect::<Result<_, _>>()?))
    }

    pub(super) fn head(&self, item: &StoredNote, key: &ContentKey) -> Result<(Metadata, ContentOpener), GateError> {
        let body = BodyFile::parse(&item.sealed)?;
        let metadata = body.open_metadata(self.vault(), item.note, key)?;
        Ok((metadata, ContentOpener::begin(&body, self.vault(), item.note, key)?))
    }

    /// An attachment's line beside its note, for what is permitted and recorded.
    pub(super) fn line(&self, item: &StoredNote, key: &ContentKey) -> Result<Attachment, GateError> {
        let (metadata, opener) = self.head(item, key)?;
        let mut attachment = Attachment::new(item.body, &metadata, opener.info());
        attachment.opener = Some(opener);
        Ok(attachment)
    }

    /// Opens attachments to be read. Each must be covered by one of the permits and by the entry.
    pub fn open_contents(
        &self,
        stored: Vec<StoredNote>,
        permits: Vec<Permit>,
        recorded: Recorded,
    ) -> Result<Vec<OpenContent>, GateError> {
        let open = |item: &StoredNote| {
            let (label, key) = self.unwrap_key(item.note, &item.wrap)?;
            self.check(item.note, &label, &permits, &recorded)?;
            let (metadata, opener) = self.head(item, &key)?;
            Ok(OpenContent {
                note: item.note,
                body: item.body,
                label,
                metadata,
                opener,
            })
        };
        stored.iter().map(open).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crypto::ExampleEntropy;
    use crate::id::VaultId;

    const VAULT: VaultId = VaultId([1; 16]);
    const NOTE: NoteId = NoteId([2; 16]);

    /// An attachment of so many bytes: its opener and its parts.
    fn attached(len: usize, name: &'static str) -> (ContentOpener, Vec<Vec<u8>>) {
        let mut entropy = ExampleEntropy::new(name);
        let mut sealer = ContentSealer::begin(VAULT, NOTE, &mut entropy).unwrap();
        let (mut left, mut parts, mut part) = (len, Vec::new(), Vec::new());
        let mut read = |out: &mut [u8]| {
            let some = out.len().min(left);
            out[..some].fill(7);
            left -= some;
            Ok::<_, std::io::Error>(some)
        };
        while let Some(_digest) = sealer.next_part(&mut part, &mut read).unwrap_or_else(|_| panic!()) {
            parts.push(part.clone());
        }
        let metadata = Metadata {
            title: name.into(),
            client: String::new(),
            case: String::new(),
            created: 1,
            modified: 1,
            happened: None,
            author: PersonId([1; 8]),
            parents: Vec::new(),
            number: 1,
            fields: Vec::new(),
        };
        let (body, key, _) = sealer.finish(&metadata).unwrap();
        let head = BodyFile::parse(&body).unwrap();
        let opener = ContentOpener::begin(&head, VAULT, NOTE, &key).unwrap();
        (opener, parts)
    }

    fn outcome(opener: ContentOpener, parts: Vec<Vec<u8>>) -> Result<bool, LedgerError> {
        let mut parts = parts.into_iter();
        comes_out(opener, move |_| Some(Ok(Zeroizing::new(parts.next()?))))
    }

    #[test]
    fn a_content_comes_out_of_its_own_parts_alone() {
        let len = 5 << 20;
        let good = || attached(len, "plan.pdf");
        let (opener, parts) = good();
        assert!(outcome(opener, parts.clone()).unwrap());
        assert!(parts.len() > 1);
        let others = attached(len, "photo.jpg").1;
        for wrong in [
            Vec::new(),
            parts[..1].to_vec(),
            others,
            [&parts[..], &parts[..1]].concat(),
        ] {
            assert!(!outcome(good().0, wrong).unwrap());
        }
        // What is damaged is told, and is nobody's fault who sealed it.
        let damage = || LedgerError::NotAVault("it is damaged");
        assert!(comes_out(good().0, |_| Some(Err(damage()))).is_err());
    }
}
