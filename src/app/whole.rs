//! All of one note, for what concerns the whole of it: another label, or its end.

use super::context::Desk;
use super::error::Error;
use crate::chain::{Details, FileRef};
use crate::envelope::WrapFile;
use crate::gate::{Nature, Whole};
use crate::id::{Digest, NoteId};
use crate::label::Label;
use crate::ledger::{HEADS, is_of_a_vault, note_ref, wrap_file};
use crate::policy::{Kind as ThingKind, ResourceFacts};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of a ref that keeps what was to be forgotten: one that is no vault's, or a branch with a file that is the same.
pub(super) fn still_holds(name: &str) -> String {
    if name.strip_prefix(HEADS).is_some_and(is_of_a_vault) {
        return format!(
            "the branch `{name}` has a file of the same content as one that was forgotten: that stays with it"
        );
    }
    format!(
        "the ref `{name}` is no part of the vault and still holds what was forgotten: delete it, then run `git gc \
         --prune=now` in the vault while nobody writes to it"
    )
}

/// A note and everything that is kept under its id.
pub(super) struct WholeNote {
    pub(super) note: NoteId,
    /// The join of all its labels.
    pub(super) label: Label,
    pub(super) whole: Whole,
    /// Each body with the files of its wraps.
    wraps: BTreeMap<Digest, Vec<FileRef>>,
    /// The wraps themselves.
    keys: Vec<WrapFile>,
    /// All live files.
    files: Vec<FileRef>,
}

/// What the end of a note ends, as far as whoever is asked about it sees.
pub struct Going {
    /// How many revisions.
    pub revisions: usize,
    /// How many files that are attached.
    pub attachments: usize,
    /// How much else stands under its id, or does not open for them.
    pub others: usize,
}

impl WholeNote {
    /// What the policies look at.
    pub(super) fn facts(&self) -> ResourceFacts {
        let kind = match self.whole.count(Nature::Draft) + self.whole.count(Nature::Brief) {
            0 => ThingKind::Note,
            _ => ThingKind::Brief,
        };
        let mut facts = ResourceFacts::new(kind, self.label.clone());
        (facts.own, facts.conflict) = (self.whole.own(), self.whole.conflict());
        facts
    }

    /// The wraps of all its bodies.
    pub(super) fn wraps(&self) -> &[WrapFile] {
        &self.keys
    }

    /// How many revisions it has.
    pub(super) fn revisions(&self) -> usize {
        self.whole.count(Nature::Note) + self.whole.count(Nature::Draft) + self.whole.count(Nature::Brief)
    }

    /// The parts of attachments, also those that no head names.
    pub(super) fn parts(&self) -> Vec<FileRef> {
        let paired: BTreeSet<FileRef> = self.pairs().concat().into_iter().collect();
        let parts = self.files.iter().filter(|file| !paired.contains(file));
        parts.cloned().collect()
    }

    /// Each body with its wrap, those that others follow before those that follow them.
    pub(super) fn pairs(&self) -> Vec<Vec<FileRef>> {
        let body = |digest: &Digest| FileRef(note_ref(self.note), format!("{}.{digest}", self.note), *digest);
        let pair = |digest: &Digest| {
            [body(digest)]
                .into_iter()
                .chain(self.wraps.get(digest).into_iter().flatten().cloned())
                .collect()
        };
        self.whole.bodies().iter().map(pair).collect()
    }

    /// All its files, in groups that go together: each part of an attachment, then the bodies with their wraps. Whoever is
    /// interrupted in between finds the note still there.
    pub(super) fn files_in_order(&self) -> Vec<Vec<FileRef>> {
        let parts = self.parts().into_iter().map(|file| vec![file]).collect();
        [parts, self.pairs()].concat()
    }
}

impl Desk<'_> {
    /// All of the note that was asked for. Where some of it is not for this person, it is not there for them. What is not
    /// there or damaged is entered under `details`.
    pub(super) fn whole(&mut self, details: &Details, asked: &str) -> Result<WholeNote, Error> {
        let Some((note, label, wraps)) = self.find(asked)? else {
            return Err(self.not_there(details.clone(), asked)?);
        };
        if !self.is_whole(note, wraps.len())? {
            return Err(self.not_there(details.clone(), asked)?);
        }
        let mut files_of_wraps: BTreeMap<Digest, Vec<FileRef>> = BTreeMap::new();
        for wrap in &wraps {
            let body = wrap.body().map_err(crate::ledger::LedgerError::from)?;
            files_of_wraps.entry(body).or_default().push(wrap_file(note, wrap));
        }
        let keys = wraps.clone();
        let wraps = wraps.into_iter().map(|wrap| (note, wrap)).collect();
        let stored = self.ledger.stored_many(wraps).map_err(Error::from);
        let whole = stored.and_then(|stored| self.gate().whole(note, stored).map_err(Error::from));
        match whole {
            // What was said of a matter goes with the matter, and is nobody's to change.
            Ok(whole) if whole.is_empty() || whole.count(Nature::Statement) > 0 => {
                Err(self.not_there(details.clone(), asked)?)
            }
            Ok(whole) => Ok(WholeNote {
                note,
                label,
                whole,
                wraps: files_of_wraps,
                keys,
                files: self.ledger.files_of(note),
            }),
            Err(error) => Err(self.failed(details.clone(), vec![note], error)),
        }
    }

    /// How much there is of a note whose wraps are these, and how much else under its id.
    pub(super) fn going(&self, note: NoteId, wraps: &[WrapFile]) -> Result<Going, Error> {
        let wraps = wraps.iter().map(|wrap| (note, wrap.clone())).collect();
        let (sound, _) = self.gate().sound(self.ledger.stored_many(wraps)?);
        let attachments = sound.iter().filter(|item| item.is_attachment()).count();
        let statements = sound.iter().filter(|item| item.is_statement()).count();
        let revisions = sound.len() - attachments - statements;
        let all = self.ledger.wraps(&note.to_string())?;
        let all: BTreeSet<Digest> = all.iter().filter_map(|(_, wrap)| wrap.body().ok()).collect();
        Ok(Going {
            revisions,
            attachments,
            others: all.len().saturating_sub(revisions + attachments),
        })
    }

    /// Whether so many wraps are all that a note has, but for those that are nobody's.
    pub(super) fn is_whole(&self, note: NoteId, readable: usize) -> Result<bool, Error> {
        let all = self.ledger.wraps(&note.to_string())?;
        let void = all.iter().filter(|(note, wrap)| self.gate().is_void(*note, wrap));
        Ok(all.len() == readable + void.count())
    }

    /// The drafts and briefs that were made from a note, as far as this person may read them. Where that cannot be found
    /// out, it is said, and stops nothing.
    pub(super) fn made_from(&self, note: NoteId) -> Vec<(NoteId, Nature)> {
        let look = || -> Result<_, Error> {
            let readable = self.gate().readable(self.ledger.wraps("")?, &self.clearance());
            let wraps = readable.into_iter().map(|(note, _, wrap)| (note, wrap));
            let stored = self.ledger.stored_many(wraps.collect())?;
            Ok(self.gate().made_from(stored, note)?)
        };
        look().unwrap_or_else(|error| {
            let warning = format!("what was made from this note cannot be found out: {error}");
            self.context.person.warn(&warning);
            Vec::new()
        })
    }

    /// Removes from this disk what was forgotten, and says what stock git or a stranger still holds of it.
    pub(super) fn finish_forgetting(&self) -> Result<(), Error> {
        for name in self.ledger.finish_forgetting()? {
            self.context.person.warn(&still_holds(&name));
        }
        Ok(())
    }

    /// The same for what an earlier run was interrupted in. It stops nobody's work.
    pub(super) fn finish_interrupted(&self) {
        if self.ledger.is_forgetting()
            && let Err(error) = self.finish_forgetting()
        {
            self.context.person.warn(&error.message);
        }
    }
}
