//! Another label for a note: all of it is sealed anew, and what it was sealed to before is forgotten.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::whole::WholeNote;
use crate::chain::{BadEntry, Kind as EntryKind};
use crate::env::SystemEntropy;
use crate::gate::{Nature, Permit, SealedNote};
use crate::id::{EntryRef, NoteId};
use crate::label::{Label, LabelText};
use crate::ledger::{Changes, Draft, LedgerError, Recorded, note_ref, wrap_ref};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use crate::repo::CommitError;

/// A note under its new label.
pub struct Relabelled {
    /// Its id.
    pub id: NoteId,
    /// Its label now.
    pub label: String,
    /// How many revisions were sealed anew.
    pub revisions: usize,
    /// The entry.
    pub entry: EntryRef,
    /// Drafts and briefs that were made from it and stay at the label it had; none where it was only lowered.
    pub made: Vec<(NoteId, Nature)>,
}

/// Seals all of a note anew to another label. Nothing of it is shown, so that raising asks for no purpose; lowering does.
pub fn relabel(context: &Context<'_>, asked: &str, text: &str) -> Result<Relabelled, Error> {
    let _: LabelText = text
        .parse()
        .map_err(|bad: crate::label::BadLabelText| Error::new(Kind::Usage, bad.to_string()))?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("relabel");
    let label = match desk.label(Some(text)) {
        Ok(label) => label,
        Err(error) => return Err(desk.refused("relabel", Some(EntryKind::Relabel), Some(text), error)?),
    };
    let found = desk.whole(&details, asked)?;
    details.asked = Some(short(text.to_owned()));
    details.level = Some(label.level());
    let mut facts = found.facts();
    facts.lowers = !label.is_no_wider_than(&found.label);
    let lowers = facts.lowers;
    let mut permits = Vec::new();
    let mut becomes = ResourceFacts::new(ThingKind::Note, label.clone());
    becomes.own = true;
    for (action, facts) in [(Action::Relabel, facts), (Action::Add, becomes)] {
        match desk.decide(action, facts) {
            Decision::Denied(denial) => {
                return Err(desk.denied(&denial, Some(EntryKind::Relabel), details, vec![found.note], asked)?);
            }
            Decision::Permitted(permission) => {
                details.rules.extend(permission.rules().iter().cloned());
                permits.push(Permit::new(permission, [found.note]));
            }
        }
    }
    details.rules.sort();
    details.rules.dedup();
    let written = desk.label_text(&label).to_string();
    let sealed = match desk.reseal(&found, &label, permits, &written) {
        Ok(sealed) => sealed,
        Err(error) => return Err(desk.failed(details, vec![found.note], error)),
    };
    let mut changes = Changes::default();
    for item in sealed {
        changes.write_digested(note_ref(found.note), found.note, item.body);
        changes.write_digested(wrap_ref(found.note), found.note, item.wrap);
    }
    for file in found.files_in_order().concat() {
        changes.forget(file);
    }
    let made = match lowers && found.label.is_no_wider_than(&label) {
        true => Vec::new(),
        false => desk.made_from(found.note),
    };
    let draft = Draft::change(EntryKind::Relabel, details, vec![found.note], changes);
    let recorded = desk.record_whole(draft, found.revisions())?;
    desk.finish_forgetting()?;
    Ok(Relabelled {
        id: found.note,
        label: written,
        revisions: found.revisions(),
        entry: recorded.entry(),
        made,
    })
}

impl Desk<'_> {
    fn reseal(
        &self,
        found: &WholeNote,
        label: &Label,
        permits: Vec<Permit>,
        written: &str,
    ) -> Result<Vec<SealedNote>, Error> {
        if found.whole.bears(label) {
            return Err(Error::new(Kind::Usage, format!("this note is `{written}` already")));
        }
        refuse_attachments(found)?;
        let mut permits = permits.into_iter();
        let (Some(from), Some(to)) = (permits.next(), permits.next()) else {
            return Err(Error::new(Kind::Denied, "this was not permitted"));
        };
        let recipients = self.recipients(label);
        let gate = self.gate();
        Ok(gate.reseal(&found.whole, label, &recipients, (from, to), &mut SystemEntropy)?)
    }

    /// Enters a relabelling. It is one entry, so that no half of a note is ever found under either label; what does not
    /// fit is refused, and nothing was changed.
    fn record_whole(&mut self, draft: Draft, revisions: usize) -> Result<Recorded, Error> {
        self.enter(draft).map_err(|error| match error {
            LedgerError::Entry(BadEntry::TooLong(_)) | LedgerError::NotRecorded(CommitError::TooBig { .. }) => {
                Error::new(
                    Kind::Failed,
                    format!(
                        "this note is too large to be sealed anew at once ({revisions} revisions); nothing was changed"
                    ),
                )
                .hint("record its text as a new note with that label, then destroy this one")
            }
            error => error.into(),
        })
    }
}

/// What is attached would have to be sealed anew as well.
fn refuse_attachments(found: &WholeNote) -> Result<(), Error> {
    match found.has_attachments() {
        false => Ok(()),
        true => Err(Error::new(
            Kind::Failed,
            "this note has attachments, and they cannot be sealed anew yet; nothing was changed",
        )
        .hint("record its text as a new note with that label, attach the files to it, then destroy this one")),
    }
}
