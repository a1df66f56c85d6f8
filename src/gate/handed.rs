//! What is given out for good: a sealed body as it is stored, its content key, and what it says when it is opened.

use super::{Attachment, Gate, GateError, NextPart, Permit};
use crate::chain::FileRef;
use crate::envelope::{BodyFile, Metadata, Purpose};
use crate::id::{Digest, NoteId};
use crate::label::Label;
use crate::ledger::{LedgerError, Recorded, StoredNote};
use crate::policy::Action;
use crate::secret::Plaintext;
use zeroize::Zeroizing;

/// A body whose reader shall be able to check, without this program, that it is the one an entry wrote and says just
/// this. Wiped on drop.
pub struct Handed {
    /// The note it is of.
    pub note: NoteId,
    /// What it is.
    pub nature: Purpose,
    /// The label it was wrapped under.
    pub label: Label,
    /// What is known of it beside the text.
    pub metadata: Metadata,
    /// Digest of the sealed body.
    pub body: Digest,
    /// The sealed body.
    pub sealed: Vec<u8>,
    /// Its content key, which seals nothing else.
    pub key: Zeroizing<[u8; 32]>,
    /// The file of its wrap.
    pub wrap: FileRef,
    /// If it is the head of an attachment: what that is.
    pub attachment: Option<Attachment>,
    text: Plaintext,
}

impl Handed {
    /// The text; nothing of the head of an attachment, whose text is for programs.
    pub fn text(&self) -> &str {
        self.text
            .text()
            .filter(|_| self.attachment.is_none())
            .unwrap_or_default()
    }
}

impl Handed {
    /// The parts of what is attached; none of anything else.
    pub fn parts(&self) -> &[Digest] {
        self.attachment.as_ref().map_or(&[], Attachment::parts)
    }

    /// Whether something is attached, and comes out of these parts as its head says, to its end: its writer may have sealed it
    /// otherwise. Nothing of it is given out.
    pub fn comes_out(&mut self, next: impl NextPart) -> Result<bool, LedgerError> {
        self.attachment
            .as_mut()
            .map_or(Ok(false), |attachment| attachment.comes_out(next))
    }
}

impl Gate<'_> {
    /// Hands out stored bodies with their content keys. Each must be covered by one of the permits, which must be for an
    /// export and nothing less, and by the entry.
    pub fn hand_out(
        &self,
        stored: Vec<StoredNote>,
        permits: &[Permit],
        recorded: Recorded,
    ) -> Result<Vec<Handed>, GateError> {
        let me = self.identity.person();
        let mut handed = Vec::with_capacity(stored.len());
        // What does not open its writer sealed so: that is in nobody's way.
        for item in self.sound(stored).0 {
            let (label, key) = self.unwrap_key(item.note, &item.wrap)?;
            let permitted = permits
                .iter()
                .any(|permit| permit.lets(Action::Export, me, item.note, &label));
            if !permitted || recorded.person() != me || !recorded.covers(item.note) {
                return Err(GateError::NotAllowed);
            }
            let body = BodyFile::parse(&item.sealed)?;
            let nature = body.purpose();
            let metadata = body.open_metadata(self.vault(), item.note, &key)?;
            let text = body.open_text(self.vault(), item.note, &key)?;
            let attachment = match nature {
                Purpose::Attachment => Some(self.line(&item, &key)?),
                _ => text.text().ok_or(GateError::NotText).map(|_| None)?,
            };
            handed.push(Handed {
                note: item.note,
                nature,
                label,
                metadata,
                body: item.body,
                key: key.hand_over(),
                wrap: item.wrap_file(),
                sealed: item.sealed,
                attachment,
                text,
            });
        }
        Ok(handed)
    }
}
