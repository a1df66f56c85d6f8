//! The one door to plaintext.
//!
//! INVARIANT (no plaintext without a durable entry): what is sealed becomes readable outside this room only
//! against a [`Permit`] (decided) and a [`Recorded`] (durable), both taken by value and both naming the note. The
//! gate may look inside before that, to filter and to count, and gives out ids and labels alone.
//! `tests/compile_fail/` holds that there is no other way.

mod conflict;
mod content;
mod handed;
mod permit;
mod query;
mod reseal;
mod scan;
mod survey;

pub use crate::envelope::{ATTACHMENT_MAX, Metadata, NotSealed};
pub use conflict::{Conflicts, FURTHER_MAX, is_further, named_further};
pub use content::{Attachment, Attachments, BadContent, Content, NextPart, OpenContent, Resealed, Resealing, Sealing};
pub use handed::Handed;
pub use permit::Permit;
pub use query::{BadQuery, Query, fold};
pub use reseal::{Following, Whole};
pub use scan::ScanError;
pub use survey::{Class, Filter, Listed, Order, Survey, TEXTS};
pub(crate) use survey::{clients_in_words, leaves_clients_out};

use crate::chain::FileRef;
use crate::crypto::{Entropy, Recipient};
use crate::envelope::{
    BadEnvelope, BadWrap, BodyFile, Concern, ContentKey, KeptText, Keyring, Purpose, SealedConcern, Unsealable,
    WrapFile, seal_body,
};
use crate::id::{Digest, NoteId, VaultId};
use crate::label::{Clearance, Label, LabelText, Level};
use crate::ledger::{Recorded, StoredNote};
use crate::secret::Plaintext;
use crate::session::Identity;
use std::collections::HashSet;

/// What a thing in the vault is, as far as its header says.
pub use crate::envelope::Purpose as Nature;

/// Why the gate stays shut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Damaged, swapped or sealed to somebody else.
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    /// A note cannot be sealed to that label.
    #[error(transparent)]
    Wrap(#[from] BadWrap),
    /// No permit for it, or no entry that covers it.
    #[error("this was not permitted and recorded for that note; nothing was opened")]
    NotAllowed,
    /// The text is not UTF-8: something else was sealed as a note.
    #[error("this note's text is damaged; `strongroom audit verify` says what else is wrong")]
    NotText,
    /// Too long to be sealed, or not at hand whole.
    #[error(transparent)]
    Unsealable(#[from] Unsealable),
}

/// A note to be sealed.
pub struct NewNote<'a> {
    /// Its id.
    pub note: NoteId,
    /// What it is.
    pub nature: Purpose,
    /// What is known of it beside the text.
    pub metadata: &'a Metadata,
    /// The text: UTF-8; a note's has at most 1 MiB.
    pub text: &'a str,
    /// Who may read it.
    pub label: &'a Label,
    /// For `named`: the devices of the people it names.
    pub recipients: &'a [Recipient],
}

/// A sealed note, ready to be written.
pub struct SealedNote {
    /// The body's file.
    pub body: Vec<u8>,
    /// The wrap's file.
    pub wrap: Vec<u8>,
    /// Digest of the body.
    pub digest: Digest,
}

/// An opened note. Wiped on drop.
pub struct OpenNote {
    /// Its id.
    pub note: NoteId,
    /// What it is.
    pub nature: Purpose,
    /// The label it was wrapped under.
    pub label: Label,
    /// What is known of it beside the text.
    pub metadata: Metadata,
    /// What is attached to it, of what was stored with it, by name.
    pub attachments: Vec<Attachment>,
    text: Plaintext,
}

impl OpenNote {
    /// The text.
    pub fn text(&self) -> &str {
        // Checked when it was opened.
        self.text.text().unwrap_or_default()
    }
}

/// The gate of one session: who stands at it, with which keys.
#[derive(Clone, Copy)]
pub struct Gate<'a> {
    identity: &'a Identity,
    keyring: &'a Keyring,
    conflicts: Option<&'a Conflicts>,
}

impl<'a> Gate<'a> {
    /// The gate for this identity and its keys.
    pub fn new(identity: &'a Identity, keyring: &'a Keyring) -> Self {
        Self {
            identity,
            keyring,
            conflicts: None,
        }
    }

    fn vault(&self) -> VaultId {
        self.identity.vault()
    }

    /// The labels of those wraps that this session's keys and `clearance` open; the others are left out without a trace.
    pub fn readable(&self, wraps: Vec<(NoteId, WrapFile)>, clearance: &Clearance) -> Vec<(NoteId, Label, WrapFile)> {
        let label = |(note, wrap): (NoteId, WrapFile)| {
            let label = self.label(note, &wrap, clearance)?;
            // The ids of keys stand in clear: anybody can write a wrap that names some.
            let opens = label.level() == Level::Named || !self.is_void(note, &wrap);
            opens.then_some((note, label, wrap))
        };
        wraps.into_iter().filter_map(label).collect()
    }

    /// Whether a wrap names keys that this session holds and does not open with them: it is nobody's. Of what is for people by
    /// name that cannot be told.
    pub fn is_void(&self, note: NoteId, wrap: &WrapFile) -> bool {
        let label = wrap.label(self.keyring, self.identity.person());
        label.is_some_and(|label| label.level() != Level::Named) && self.unwrap_key(note, wrap).is_err()
    }

    /// The label of a wrap that this session's keys and `clearance` open.
    fn label(&self, note: NoteId, wrap: &WrapFile, clearance: &Clearance) -> Option<Label> {
        let label = wrap.label(self.keyring, self.identity.person())?;
        // A `named` wrap tells whose it is only by being tried.
        let mine = label.level() != Level::Named || self.unwrap_key(note, wrap).is_ok();
        (mine && clearance.dominates(&label)).then_some(label)
    }

    /// What a request binds: the bodies of a note, in order, and the terms, under the content key of the first of those that
    /// are `sound`.
    pub fn bind(
        &self,
        note: NoteId,
        sound: &[StoredNote],
        bodies: &[Digest],
        terms: &str,
    ) -> Result<Digest, GateError> {
        let first = sound.iter().min_by_key(|item| item.body);
        let (_, key) = self.unwrap_key(note, &first.ok_or(GateError::NotAllowed)?.wrap)?;
        let bodies: Vec<u8> = bodies.iter().flat_map(|body| body.0).collect();
        Ok(key.bind(&[note.as_bytes(), &bodies, terms.as_bytes()]))
    }

    fn unwrap_key(&self, note: NoteId, wrap: &WrapFile) -> Result<(Label, ContentKey), BadEnvelope> {
        wrap.unwrap_key(
            self.vault(),
            note,
            self.keyring,
            self.identity.person(),
            self.identity.hybrid(),
        )
    }

    /// What opens for this session, text and all, each body once; and the wraps of what does not. Anybody who can write can
    /// write what does not open, or wrap a body once more.
    pub fn sound(&self, mut stored: Vec<StoredNote>) -> (Vec<StoredNote>, Vec<FileRef>) {
        let (mut once, mut unopened) = (HashSet::new(), Vec::new());
        stored.retain(|item| match self.opens(item) {
            Ok(()) => once.insert((item.note, item.body)),
            Err(_) => {
                unopened.push(item.wrap_file());
                false
            }
        });
        (stored, unopened)
    }

    fn opens(&self, item: &StoredNote) -> Result<(), GateError> {
        let body = BodyFile::parse(&item.sealed)?;
        let (_, key) = self.unwrap_key(item.note, &item.wrap)?;
        if item.is_attachment() {
            return self.head(item, &key).map(drop);
        }
        let body = body.check(self.vault(), item.note, &key)?;
        body.open_metadata()?;
        body.open_text()?.text().map(drop).ok_or(GateError::NotText)
    }

    /// Seals a new note under a fresh content key.
    pub fn seal(&self, new: &NewNote<'_>, entropy: &mut dyn Entropy) -> Result<SealedNote, GateError> {
        let vault = self.vault();
        let (body, key) = seal_body(vault, new.note, new.nature, new.metadata, new.text.as_bytes(), entropy)?;
        self.wrap(new.note, body, &key, new.label, new.recipients, entropy)
    }

    /// The content key of one body under the keys in force, its label as it was; none where it is under them already,
    /// where this session lacks a key, and for what goes to people by name, whose slots name nobody.
    pub fn rewrap(
        &self,
        note: NoteId,
        wrap: &WrapFile,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<WrapFile>, GateError> {
        if wrap.is_for_names() || !wrap.is_retired(self.keyring) {
            return Ok(None);
        }
        let Ok((label, key)) = self.unwrap_key(note, wrap) else {
            return Ok(None);
        };
        match WrapFile::wrap(
            self.vault(),
            note,
            wrap.body()?,
            &label,
            &key,
            self.keyring,
            &[],
            entropy,
        ) {
            Ok(new) => Ok(Some(new)),
            Err(BadWrap::KeyMissing) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn wrap(
        &self,
        note: NoteId,
        body: Vec<u8>,
        key: &ContentKey,
        label: &Label,
        recipients: &[Recipient],
        entropy: &mut dyn Entropy,
    ) -> Result<SealedNote, GateError> {
        let (vault, digest) = (self.vault(), crate::crypto::sha256(&[&body]));
        let wrap = WrapFile::wrap(vault, note, digest, label, key, self.keyring, recipients, entropy)?;
        Ok(SealedNote {
            body,
            wrap: wrap.to_bytes(),
            digest,
        })
    }

    /// Opens stored notes for good; heads of attachments among them are told of beside their notes. Each must be covered by
    /// one of the permits and by the entry.
    pub fn open(
        &self,
        stored: Vec<StoredNote>,
        permits: Vec<Permit>,
        recorded: Recorded,
    ) -> Result<Vec<OpenNote>, GateError> {
        let (mut notes, mut lines) = (Vec::new(), Vec::new());
        for item in &stored {
            let (label, key) = self.unwrap_key(item.note, &item.wrap)?;
            self.check(item.note, &label, &permits, &recorded)?;
            if item.is_attachment() {
                lines.push((item.note, self.line(item, &key)?));
                continue;
            }
            let body = BodyFile::parse(&item.sealed)?;
            let metadata = body.open_metadata(self.vault(), item.note, &key)?;
            let text = body.open_text(self.vault(), item.note, &key)?;
            text.text().ok_or(GateError::NotText)?;
            notes.push(OpenNote {
                note: item.note,
                nature: body.purpose(),
                label,
                metadata,
                attachments: Vec::new(),
                text,
            });
        }
        lines.sort_by(|(_, a), (_, b)| (&a.name, a.created).cmp(&(&b.name, b.created)));
        for (note, line) in lines {
            if let Some(open) = notes.iter_mut().find(|open| open.note == note) {
                open.attachments.push(line);
            }
        }
        Ok(notes)
    }

    fn check(&self, note: NoteId, label: &Label, permits: &[Permit], recorded: &Recorded) -> Result<(), GateError> {
        let me = self.identity.person();
        let permitted = permits.iter().any(|permit| permit.covers(me, note, label));
        if permitted && recorded.person() == me && recorded.covers(note) {
            Ok(())
        } else {
            Err(GateError::NotAllowed)
        }
    }

    /// What a stored thing is and says of itself, without an entry: for tests that hold the vault against what was done.
    #[cfg(test)]
    pub(crate) fn see_through(&self, stored: &StoredNote) -> Result<(Purpose, Label, Metadata), GateError> {
        let body = BodyFile::parse(&stored.sealed)?;
        let (label, key) = self.unwrap_key(stored.note, &stored.wrap)?;
        let nature = body.purpose();
        let body = body.check(self.vault(), stored.note, &key)?;
        Ok((nature, label, body.open_metadata()?))
    }

    /// Looks inside stored notes, for what `filter` lets through, without giving anything out.
    pub fn survey(&self, stored: &[StoredNote], filter: &Filter) -> Survey {
        let ids = stored.iter().map(|item| item.note).collect();
        let (mut heads, mut unopened) = (Vec::new(), Vec::new());
        let mut take = |found| heads.push(found);
        survey::look(*self, stored, filter, None, &mut unopened, &mut take);
        Survey::new(*self, heads, ids, unopened)
    }

    /// The same for all revisions of `natures`, also those that others follow.
    pub fn survey_revisions(&self, stored: &[StoredNote], natures: &[Purpose]) -> Survey {
        Survey::of_revisions(*self, stored, natures)
    }

    /// Opens a kept text. The entry must be of its writer, and cover the note that it is about if there is one.
    pub fn take_up(&self, file: &[u8], recorded: Recorded) -> Result<KeptText, GateError> {
        let text = self.identity.open_kept(file)?;
        let covered = match text.note {
            Some(note) => recorded.covers(note),
            None => recorded.is_done(),
        };
        match covered && recorded.person() == self.identity.person() {
            true => Ok(text),
            false => Err(GateError::NotAllowed),
        }
    }

    /// Opens a concern that came without a name. It is no note yet; the entry must be of whoever opens it.
    pub fn open_concern(&self, sealed: &SealedConcern, recorded: Recorded) -> Result<Concern, GateError> {
        match recorded.is_done() && recorded.person() == self.identity.person() {
            true => Ok(sealed.open_sealed(self.vault(), self.identity.hybrid())?),
            false => Err(GateError::NotAllowed),
        }
    }

    /// The name of a label as people write it: the level's name and the compartments' names.
    pub fn label_text(&self, label: &Label, level: &str, handle: impl Fn(crate::id::PersonId) -> String) -> LabelText {
        let name = |id: &crate::id::CompartmentId| {
            let known = self.keyring.compartments().find(|(_, found)| found == id);
            known.map_or_else(|| id.to_string(), |(name, _)| name.to_owned())
        };
        let mut compartments: Vec<String> = label.compartments().iter().map(name).collect();
        compartments.sort();
        let mut people: Vec<String> = label.people().iter().map(|person| handle(*person)).collect();
        people.sort();
        LabelText {
            level: level.to_owned(),
            compartments,
            people,
        }
    }
}
