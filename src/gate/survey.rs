//! Looking inside without giving anything out: what lists and searches are made of.

use super::{Gate, GateError, Metadata, Permit};
use crate::envelope::{BodyFile, Purpose};
use crate::id::{Digest, NoteId, PersonId};
use crate::label::Label;
use crate::ledger::{Recorded, StoredNote};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// What to let through.
#[derive(Default, Clone)]
pub struct Filter {
    /// Only things of these natures; if empty, all but heads of attachments, which are no things of their own.
    pub natures: Vec<Purpose>,
    /// Only this client; case and accents do not matter.
    pub client: Option<String>,
    /// Only this case.
    pub case: Option<String>,
    /// Only what was last changed at or after this time, Unix seconds.
    pub since: Option<i64>,
    /// Only what was last changed before this time.
    pub until: Option<i64>,
}

/// Whether a thing of this nature is among `natures`: all but attachments if there are none.
fn admits_nature(natures: &[Purpose], nature: Purpose) -> bool {
    match natures.is_empty() {
        true => nature != Purpose::Attachment,
        false => natures.contains(&nature),
    }
}

impl Filter {
    fn admits(&self, metadata: &Metadata) -> bool {
        let same = |want: &Option<String>, found: &str| want.as_ref().is_none_or(|want| fold(want) == fold(found));
        same(&self.client, &metadata.client)
            && same(&self.case, &metadata.case)
            && self.since.is_none_or(|since| metadata.modified >= since)
            && self.until.is_none_or(|until| metadata.modified < until)
    }
}

/// Case and accents folded, spaces at the ends dropped.
fn fold(text: &str) -> String {
    text.trim()
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

struct Found {
    note: NoteId,
    nature: Purpose,
    body: Digest,
    label: Label,
    metadata: Metadata,
}

/// The result of a look inside. It tells ids, labels and whose notes they are; the rest stays in until
/// [`Survey::reveal`].
pub struct Survey {
    me: PersonId,
    found: Vec<Found>,
}

/// One line of a list.
pub struct Listed {
    /// The note.
    pub note: NoteId,
    /// Digest of the revision.
    pub body: Digest,
    /// Its label.
    pub label: Label,
    /// What is known of it beside the text.
    pub metadata: Metadata,
}

impl Survey {
    pub(super) fn make(gate: Gate<'_>, stored: Vec<StoredNote>, filter: &Filter) -> Result<Self, GateError> {
        let mut survey = Self::of_revisions(gate, stored, &filter.natures)?;
        // A revision that another one follows is history, not a head.
        let followed = survey.followed();
        let found = &mut survey.found;
        found.retain(|item| !followed.contains(&(item.note, item.body)) && filter.admits(&item.metadata));
        Ok(survey)
    }

    /// Everything of these natures, also what other revisions follow; newest first.
    pub(super) fn of_revisions(
        gate: Gate<'_>,
        stored: Vec<StoredNote>,
        natures: &[Purpose],
    ) -> Result<Self, GateError> {
        let mut found = Vec::new();
        for item in stored {
            let body = BodyFile::parse(&item.sealed)?;
            if !admits_nature(natures, body.purpose()) {
                continue;
            }
            let (label, key) = gate.unwrap_key(item.note, &item.wrap)?;
            let metadata = body.open_metadata(gate.vault(), item.note, &key)?;
            found.push(Found {
                note: item.note,
                nature: body.purpose(),
                body: item.body,
                label,
                metadata,
            });
        }
        // Within a second the higher number is the newer one.
        let age = |item: &Found| (item.metadata.modified, item.metadata.number);
        found.sort_by(|a, b| {
            age(b)
                .cmp(&age(a))
                .then_with(|| (a.note, a.body).cmp(&(b.note, b.body)))
        });
        Ok(Self {
            me: gate.identity.person(),
            found,
        })
    }

    /// What is followed, within one note alone: nobody's note makes another one history.
    fn followed(&self) -> BTreeSet<(NoteId, Digest)> {
        let parents = |item: &'_ Found| {
            let note = item.note;
            item.metadata.parents.clone().into_iter().map(move |body| (note, body))
        };
        self.found.iter().flat_map(parents).collect()
    }

    /// The revisions that no other one follows, and their labels; newest first.
    pub fn heads(&self) -> Vec<(Digest, Label)> {
        let followed = self.followed();
        let heads = self.found.iter();
        let heads = heads.filter(|item| !followed.contains(&(item.note, item.body)));
        heads.map(|item| (item.body, item.label.clone())).collect()
    }

    /// Number, digest and label of each revision, newest first.
    pub fn revisions(&self) -> impl Iterator<Item = (u64, Digest, &Label)> {
        self.found
            .iter()
            .map(|item| (item.metadata.number, item.body, &item.label))
    }

    /// Notes by the facts that policies look at: label, and whether the person wrote them.
    pub fn classes(&self) -> Vec<(Label, bool, Vec<NoteId>)> {
        let mut classes: Vec<(Label, bool, Vec<NoteId>)> = Vec::new();
        for item in &self.found {
            let own = item.metadata.author == self.me;
            match classes
                .iter_mut()
                .find(|(label, theirs, _)| *label == item.label && *theirs == own)
            {
                Some((_, _, notes)) => notes.push(item.note),
                None => classes.push((item.label.clone(), own, vec![item.note])),
            }
        }
        classes
    }

    /// Keeps the first `limit`, newest first, of those that `permitted` names; of each note its newest head.
    pub fn keep(&mut self, permitted: &BTreeSet<NoteId>, limit: Option<usize>) {
        let mut kept = BTreeSet::new();
        self.found
            .retain(|item| permitted.contains(&item.note) && kept.insert((item.note, item.nature)));
        self.found.truncate(limit.unwrap_or(usize::MAX));
    }

    /// The newest revision that this one follows, if it follows one.
    pub fn before(&self, body: Digest) -> Option<Digest> {
        let item = self.found.iter().find(|item| item.body == body)?;
        let parents = &item.metadata.parents;
        let before = self.found.iter().find(|found| parents.contains(&found.body));
        before.map(|found| found.body)
    }

    /// The notes that are left.
    pub fn notes(&self) -> Vec<NoteId> {
        self.found.iter().map(|item| item.note).collect()
    }

    /// Whether this session's person wrote one of these revisions.
    pub fn own(&self, bodies: &[Digest]) -> bool {
        let these = self.found.iter().filter(|item| bodies.contains(&item.body));
        these.into_iter().any(|item| item.metadata.author == self.me)
    }

    /// The notes (no drafts, no briefs) of the clients that `notes` are about.
    pub fn of_the_same_clients(&self, notes: &[NoteId]) -> Vec<NoteId> {
        let about = self
            .found
            .iter()
            .filter(|item| notes.contains(&item.note))
            .map(|item| fold(&item.metadata.client));
        let clients: BTreeSet<String> = about.filter(|client| !client.is_empty()).collect();
        let same = self
            .found
            .iter()
            .filter(|item| item.nature == Purpose::Note && clients.contains(&fold(&item.metadata.client)));
        same.map(|item| item.note).collect()
    }

    /// The notes of that nature.
    pub fn of_nature(&self, nature: Purpose) -> Vec<NoteId> {
        self.found
            .iter()
            .filter(|item| item.nature == nature)
            .map(|item| item.note)
            .collect()
    }

    /// The bodies that are left, by note; the newest where a note has several heads.
    pub fn bodies(&self) -> BTreeMap<NoteId, Digest> {
        // Newest first: collected from the end, the newest stays.
        self.found.iter().rev().map(|item| (item.note, item.body)).collect()
    }

    /// The clients concerned, for the sealed details of the entry and nothing else.
    pub(crate) fn clients_for_the_record(&self) -> Option<String> {
        let clients = self.found.iter().map(|item| item.metadata.client.as_str());
        clients_in_words(clients)
    }

    /// The same for these revisions alone.
    pub(crate) fn clients_of(&self, bodies: &[Digest]) -> Option<String> {
        let these = self.found.iter().filter(|item| bodies.contains(&item.body));
        clients_in_words(these.map(|item| item.metadata.client.as_str()))
    }

    /// Gives out what was found, for what is permitted and recorded.
    pub fn reveal(self, permits: Vec<Permit>, recorded: Recorded) -> Result<Vec<Listed>, GateError> {
        let covered = |item: &Found| {
            recorded.person() == self.me
                && recorded.covers(item.note)
                && permits
                    .iter()
                    .any(|permit| permit.covers_heading(self.me, item.note, &item.label))
        };
        if !self.found.iter().all(covered) {
            return Err(GateError::NotAllowed);
        }
        let list = self.found.into_iter();
        Ok(list
            .map(|item| Listed {
                note: item.note,
                body: item.body,
                label: item.label,
                metadata: item.metadata,
            })
            .collect())
    }
}

fn clients_in_words<'c>(clients: impl Iterator<Item = &'c str>) -> Option<String> {
    let clients: BTreeSet<&str> = clients.filter(|client| !client.is_empty()).collect();
    let clients: Vec<&str> = clients.into_iter().take(16).collect();
    (!clients.is_empty()).then(|| clients.join(", "))
}
