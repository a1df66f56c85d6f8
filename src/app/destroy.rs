//! The end of a note: everything of it is forgotten; the record that it was there, and who destroyed it and why, stays.

use super::approvals::{Needed, Seconds};
use super::context::{Context, Desk};
use super::error::{Error, Kind};
use super::schedule::in_details;
use super::sync::refresh;
use super::whole::WholeNote;
use crate::chain::{Deed, Details, FileRef, Kind as EntryKind, Time};
use crate::gate::{Filter, Nature, Permit, Whole};
use crate::id::{EntryRef, NoteId};
use crate::ledger::{Changes, Draft};
use crate::policy::{Action, Decision, Permission, ResourceFacts};
use std::collections::HashSet;

/// The most files that one entry forgets, so that it always fits.
const FILES_MAX: usize = 256;

/// What a person is asked about before it is destroyed.
pub struct Doomed {
    /// The note.
    pub id: NoteId,
    /// Its title, where the person may see it.
    pub title: Option<String>,
    /// Its label.
    pub label: String,
    /// How many revisions it has.
    pub revisions: usize,
    /// How many files are attached to it.
    pub attachments: usize,
}

/// A note that was destroyed.
pub struct Destroyed {
    /// Its id.
    pub id: NoteId,
    /// How many sealed files were forgotten.
    pub files: usize,
    /// The entry, the last if there are several.
    pub entry: EntryRef,
    /// Drafts and briefs that were made from it; they stay.
    pub made: Vec<(NoteId, Nature)>,
    /// The devices that had not seen that it was to be destroyed, each with its person's handle.
    pub laggards: Vec<String>,
}

/// Asks a person whether it shall be so; an error if not.
pub type Ask<'a> = &'a dyn Fn(&Doomed) -> Result<(), Error>;

/// Destroys a note: the entry durable, the branches re-rooted, the journal wiped, the objects removed, and only then
/// does this return. `ask` is asked first, if anybody is.
pub fn destroy(context: &Context<'_>, asked: &str, ask: Option<Ask<'_>>) -> Result<Destroyed, Error> {
    let unlocked = context.unlock()?;
    let mut agreed_to = None;
    if let Some(ask) = ask {
        // The vault is looked at and left again: nobody else waits while a person makes up their mind.
        let doomed = unlocked.desk(context)?.doomed(asked)?;
        ask(&doomed)?;
        agreed_to = Some(doomed);
    }
    // From here on by its id: what it was called by may fit another note by now.
    let called = agreed_to.as_ref().map(|doomed| doomed.id.to_string());
    let asked = called.as_deref().unwrap_or(asked);
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("destroy");
    let mut found = desk.whole(&details, asked)?;
    if desk.rests_on_approval(Deed::Destroy, found.note) {
        let called = found.note.to_string();
        drop(desk);
        refresh(context, &unlocked)?;
        desk = unlocked.desk(context)?;
        found = desk.whole(&details, &called)?;
    }
    if agreed_to.is_some_and(|doomed| !desk.is_as_asked(&doomed, &found)) {
        return Err(Error::new(
            Kind::Failed,
            "the note was changed while you were asked about it; nothing was destroyed",
        )
        .hint("look at it, and give the command again"));
    }
    details.level = Some(found.label.level());
    let (permission, seconds) = desk.may_destroy(&found, &details, asked)?;
    details.rules = permission.rules().to_vec();
    let agreed = desk.agreed(found.note, &seconds, &details)?;
    details.laggards = in_details(&agreed.laggards);
    let made = desk.made_from(found.note);
    let mut files = found.files_in_order();
    let count = files.iter().map(Vec::len).sum();
    files.extend(desk.request_files(found.note)?);
    let entry = desk.forget_files(found.note, files, agreed.approval, &details)?;
    desk.finish_forgetting()?;
    drop(desk);
    // What the person wrote of it in an editor and could not record.
    unlocked.discard_kept(Some(found.note))?;
    Ok(Destroyed {
        id: found.note,
        files: count,
        entry,
        made,
        laggards: agreed.laggards,
    })
}

impl Desk<'_> {
    /// What a person is asked about. The title is a reading of its own: it is in the log before it is shown.
    fn doomed(&mut self, asked: &str) -> Result<Doomed, Error> {
        let mut details = self.details("destroy");
        let found = self.whole(&details, asked)?;
        details.level = Some(found.label.level());
        let _ = self.may_destroy(&found, &details, asked)?;
        details.verb = "destroy-ask".into();
        Ok(Doomed {
            id: found.note,
            title: self.title_of(&found, details)?,
            label: self.label_text(&found.label).to_string(),
            revisions: found.revisions(),
            attachments: found.whole.count(Nature::Attachment),
        })
    }

    /// Whether what is destroyed is what the person was asked about.
    fn is_as_asked(&self, doomed: &Doomed, found: &WholeNote) -> bool {
        doomed.label == self.label_text(&found.label).to_string()
            && doomed.revisions == found.revisions()
            && doomed.attachments == found.whole.count(Nature::Attachment)
    }

    /// By which rules it may be destroyed, and who approved it. Where a second person is missing, they are asked for.
    fn may_destroy(
        &mut self,
        found: &WholeNote,
        details: &Details,
        asked: &str,
    ) -> Result<(Permission, Seconds), Error> {
        let needed = Needed {
            deed: Deed::Destroy,
            note: found.note,
            label: &found.label,
            wraps: found.wraps(),
            terms: "",
            about: &[found.note],
        };
        let seconds = self.seconds(&needed)?;
        let mut facts = found.facts();
        facts.held = self.is_held(found.note)?;
        self.as_a_record(&found.whole, &mut facts);
        match self.decide_seconded(Action::Destroy, facts, seconds.people()) {
            Decision::Permitted(permission) => Ok((permission, seconds)),
            Decision::Denied(denial) => {
                Err(self.denied_or_asked(&denial, &needed, &seconds, details.clone(), asked)?)
            }
        }
    }

    /// What its closing, its class and the levels that it bore say about its destruction.
    pub(super) fn as_a_record(&self, whole: &Whole, facts: &mut ResourceFacts) {
        let now = self.context.now();
        facts.highest = whole.highest();
        facts.closed = whole.closed();
        facts.kept_until = whole
            .least(&self.retention())
            .filter(|least| *least > now)
            .map(Time::unix);
    }

    /// The files of all requests about a note: with it goes what was said of it.
    fn request_files(&self, note: NoteId) -> Result<Vec<Vec<FileRef>>, Error> {
        let about = self
            .ledger
            .matters()
            .all_requests()
            .filter(|(_, said)| said.matter.note == note);
        let mut all = Vec::new();
        for (request, said) in about {
            if let Some(statement) = said.statement {
                all.push(self.files_of_statement(request, statement)?);
            }
        }
        all.retain(|files| !files.is_empty());
        Ok(all)
    }

    /// The newest title, recorded first, if the person may list the note.
    fn title_of(&mut self, found: &WholeNote, mut details: Details) -> Result<Option<String>, Error> {
        let mut survey = self.survey(&Filter::default())?;
        survey.keep(&HashSet::from([found.note]));
        let mut permits = Vec::new();
        for class in survey.classes() {
            let mut facts = found.facts();
            (facts.label, facts.own, facts.conflict) = (class.label, class.own, class.conflict);
            let notes = class.notes;
            match self.decide(Action::List, facts) {
                Decision::Denied(_) => return Ok(None),
                Decision::Permitted(permission) => {
                    details.rules.extend(permission.rules().iter().cloned());
                    permits.push(Permit::new(permission, notes));
                }
            }
        }
        let recorded = self.record(Draft::read(details, vec![found.note]))?;
        let listed = survey.reveal(permits, recorded)?;
        Ok(listed.first().map(|listed| listed.metadata.title.clone()))
    }

    /// Enters that these files are forgotten: in one entry, or in several where there are very many. Of several each
    /// names the first, and the first the approval that it rests on.
    fn forget_files(
        &mut self,
        note: NoteId,
        files: Vec<Vec<FileRef>>,
        approval: Option<EntryRef>,
        details: &Details,
    ) -> Result<EntryRef, Error> {
        let mut first = None;
        let mut last = None;
        for some in in_entries(files, FILES_MAX) {
            let mut changes = Changes::default();
            some.into_iter().for_each(|file| changes.forget(file));
            let mut draft = Draft::change(EntryKind::Destroy, details.clone(), vec![note], changes);
            draft.because = first.or(approval);
            let entry = self.record(draft)?.entry();
            first = first.or(Some(entry));
            last = Some(entry);
        }
        last.ok_or_else(|| Error::no_such_note(&note.to_string()))
    }
}

/// Groups put together in their order, as many as have at most `max` files; no group is broken up.
fn in_entries(groups: Vec<Vec<FileRef>>, max: usize) -> Vec<Vec<FileRef>> {
    let mut entries: Vec<Vec<FileRef>> = Vec::new();
    for group in groups {
        match entries.last_mut() {
            Some(last) if last.len() + group.len() <= max => last.extend(group),
            _ => entries.push(group),
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Digest;

    #[test]
    fn a_body_and_its_wrap_are_forgotten_by_one_entry() {
        let group = |n: usize| vec![FileRef("notes/00".into(), n.to_string(), Digest([0; 32])); n];
        let sizes = |groups: &[usize], max| {
            let entries = in_entries(groups.iter().map(|n| group(*n)).collect(), max);
            entries.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1, 2, 2, 2, 2], 4), [3, 4, 2]);
        assert_eq!(sizes(&[2], 4), [2]);
        assert_eq!(sizes(&[2; 200], FILES_MAX), [256, 144]);
        assert!(sizes(&[], 4).is_empty());
    }

    #[test]
    fn as_many_files_as_one_entry_forgets_fit_into_it() {
        let file = FileRef(
            "notes/00".into(),
            format!("{}.{}", NoteId([0; 16]), Digest([0; 32])),
            Digest([0; 32]),
        );
        let line = serde_json::to_string(&vec![file; FILES_MAX]).unwrap_or_default();
        // Beside them there is room for the longest reason, padded and in base64, and for what other logs had come to.
        assert!(line.len() + 12 * 1024 < crate::chain::ENTRY_MAX, "{}", line.len());
    }
}
