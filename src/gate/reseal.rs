//! All of one note: looked at for a decision about the whole of it, and sealed anew under another label. No plaintext
//! leaves: what comes out is sealed again.

use super::{Gate, GateError, Metadata, Permit, SealedNote};
use crate::crypto::{Entropy, Recipient, sha256};
use crate::envelope::{BadWrap, BodyFile, ContentKey, Purpose, WrapFile, seal_body};
use crate::id::{Digest, NoteId, PersonId};
use crate::label::Label;
use crate::ledger::StoredNote;
use crate::policy::Action;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Everything that is kept of one note and has a wrap: its revisions, and the heads of its attachments.
pub struct Whole {
    note: NoteId,
    me: PersonId,
    items: Vec<Item>,
}

struct Item {
    stored: StoredNote,
    nature: Purpose,
    label: Label,
    key: ContentKey,
    metadata: Metadata,
}

impl Whole {
    /// The join of all labels; none where nobody may read all of it.
    pub fn label(&self) -> Option<Label> {
        let mut labels = self.items.iter().map(|item| &item.label);
        let first = labels.next()?.clone();
        labels.try_fold(first, |join, label| join.join(label))
    }

    /// Whether all of it bears exactly that label.
    pub fn bears(&self, label: &Label) -> bool {
        self.items.iter().all(|item| item.label == *label)
    }

    /// Whether all of it was written by the person at the gate.
    pub fn own(&self) -> bool {
        self.items.iter().all(|item| item.metadata.author == self.me)
    }

    /// How many things of that nature there are.
    pub fn count(&self, nature: Purpose) -> usize {
        self.items.iter().filter(|item| item.nature == nature).count()
    }

    /// The bodies, those that others follow before those that follow them.
    pub fn bodies(&self) -> Vec<Digest> {
        let order = in_order(&self.items);
        order.into_iter().map(|at| self.items[at].stored.body).collect()
    }
}

/// Places of revisions such that each comes after those it follows.
fn in_order(items: &[Item]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..items.len()).collect();
    let mut order = Vec::with_capacity(items.len());
    while !left.is_empty() {
        let waits = |at: &usize| {
            let follows = |other: &usize| items[*at].metadata.parents.contains(&items[*other].stored.body);
            left.iter().any(follows)
        };
        // Digests cannot follow each other in a circle.
        let next = left.iter().position(|at| !waits(at)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

impl Gate<'_> {
    /// Looks at all of a note. Nothing of its content comes out.
    pub fn whole(&self, note: NoteId, stored: Vec<StoredNote>) -> Result<Whole, GateError> {
        let look = |stored: StoredNote| {
            let (label, key) = self.unwrap_key(note, &stored.wrap)?;
            let body = BodyFile::parse(&stored.sealed)?;
            let metadata = body.open_metadata(self.vault(), note, &key)?;
            Ok(Item {
                nature: body.purpose(),
                stored,
                label,
                key,
                metadata,
            })
        };
        Ok(Whole {
            note,
            me: self.identity.person(),
            items: stored.into_iter().map(look).collect::<Result<_, GateError>>()?,
        })
    }

    /// Seals every revision anew under a fresh key to `label`: who wrote it when and its number stay, what it follows is
    /// named by its new digest. `from` permits relabelling what it was, `to` adding what it becomes.
    pub fn reseal(
        &self,
        whole: &Whole,
        label: &Label,
        recipients: &[Recipient],
        (from, to): (Permit, Permit),
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<SealedNote>, GateError> {
        let old = whole.label().ok_or(GateError::NotAllowed)?;
        let allowed = whole.me == self.identity.person()
            && from.lets(Action::Relabel, whole.me, whole.note, &old)
            && to.lets(Action::Add, whole.me, whole.note, label);
        if !allowed {
            return Err(GateError::NotAllowed);
        }
        let mut renamed: BTreeMap<Digest, Digest> = BTreeMap::new();
        let mut sealed = Vec::with_capacity(whole.items.len());
        for at in in_order(&whole.items) {
            let item = &whole.items[at];
            let text = BodyFile::parse(&item.stored.sealed)?.open_text(self.vault(), whole.note, &item.key)?;
            let metadata = item.metadata.following(&renamed);
            let (body, key) = seal_body(self.vault(), whole.note, item.nature, &metadata, text.expose(), entropy)
                .map_err(BadWrap::NoEntropy)?;
            let digest = sha256(&[&body]);
            let wrap = WrapFile::wrap(
                self.vault(),
                whole.note,
                digest,
                label,
                &key,
                self.keyring,
                recipients,
                entropy,
            )?;
            renamed.insert(item.stored.body, digest);
            sealed.push(SealedNote {
                body,
                wrap: wrap.to_bytes(),
                digest,
            });
        }
        Ok(sealed)
    }

    /// The drafts and briefs among `stored` that were made from `note`. Gives out ids and natures alone.
    pub fn made_from(&self, stored: Vec<StoredNote>, note: NoteId) -> Result<Vec<(NoteId, Purpose)>, GateError> {
        // The part of docs/FORMAT.md §10 that is looked at.
        #[derive(Deserialize)]
        struct Frame {
            sources: Vec<NoteId>,
        }
        let mut made = Vec::new();
        for item in stored {
            let body = BodyFile::parse(&item.sealed)?;
            let nature = body.purpose();
            if !matches!(nature, Purpose::Draft | Purpose::Brief) {
                continue;
            }
            let (_, key) = self.unwrap_key(item.note, &item.wrap)?;
            let text = body.open_text(self.vault(), item.note, &key)?;
            let frame: Option<Frame> = text.text().and_then(|text| serde_json::from_str(text).ok());
            if frame.is_some_and(|frame| frame.sources.contains(&note)) {
                made.push((item.note, nature));
            }
        }
        made.sort_unstable_by_key(|(note, nature)| (*nature, *note));
        made.dedup();
        Ok(made)
    }
}
