//! Another label for a note: all of it is sealed anew, and what it was sealed to before is forgotten.

use super::attachments::{Parts, damaged, not_stored, too_long, write_sealed};
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::whole::WholeNote;
use crate::chain::{BadEntry, Kind as EntryKind};
use crate::env::SystemEntropy;
use crate::gate::{Nature, NotSealed, Permit, SealedNote};
use crate::id::{EntryRef, NoteId};
use crate::label::{Label, LabelText, Level};
use crate::ledger::{Changes, Draft, FILES_PER_ENTRY, LedgerError, Recorded, note_ref, wrap_ref};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use crate::repo::CommitError;

/// A note under its new label.
pub struct Relabelled {
    /// Its id.
    pub id: NoteId,
    /// Its label now.
    pub label: String,
    /// How many revisions were sealed anew; none where it bore that label already.
    pub revisions: usize,
    /// How many attachments went that were not what their heads say.
    pub void: usize,
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
    let mut found = desk.whole(&details, asked)?;
    details.asked = Some(short(text.to_owned()));
    details.level = Some(label.level());
    let named = (label.level() == Level::Named).then(|| desk.handles_of(label.people()));
    if found.whole.would_let_in(named.as_ref()) {
        let words = "denied: whoever raised this concern left somebody out, who might then read it";
        let error = Error::new(Kind::Denied, words).hint("it stays with people by name, and not with them");
        return Err(desk.refused("relabel", Some(EntryKind::Relabel), Some(asked), error)?);
    }
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
    if found.whole.bears(&label) {
        // Whoever says it again may mean what was interrupted.
        let named = desk
            .gate()
            .attached(&found.whole)?
            .into_iter()
            .flat_map(|(_, parts)| parts);
        desk.forget_orphans(found.note, &named.collect(), EntryKind::Relabel, &details)?;
        let recorded = desk.record(Draft::read(details, vec![found.note]))?;
        return Ok(Relabelled {
            id: found.note,
            label: written,
            revisions: 0,
            void: 0,
            entry: recorded.entry(),
            made: Vec::new(),
        });
    }
    let void = desk.leave_out_void(&mut found);
    let sealed = void.and_then(|void| Ok((void, desk.reseal(&found, &label, permits)?)));
    let (void, (sealed, parts)) = match sealed {
        Ok(sealed) => sealed,
        Err(error) => return Err(desk.failed(details, vec![found.note], error)),
    };
    if void > 0 {
        details.asked = Some(short(format!("{text}, without {void} attached that came to nothing")));
    }
    // Parts that do not fit beside the rest are written before it, which then still bears the old label, and forgotten
    // after it. A part by itself is nothing that anybody has a key to.
    let old = found.parts();
    let count = parts.len() + old.len();
    let fit = count == 0 || count + 4 * sealed.len() <= FILES_PER_ENTRY;
    let mut changes = match fit {
        true => desk.write_parts(found.note, parts, EntryKind::Relabel, &details)?,
        false => {
            let rest = desk.write_parts(found.note, parts, EntryKind::Relabel, &details)?;
            let _ = desk.record(Draft::change(
                EntryKind::Relabel,
                details.clone(),
                vec![found.note],
                rest,
            ))?;
            Changes::default()
        }
    };
    for item in sealed {
        changes.write_digested(note_ref(found.note), found.note, item.body);
        changes.write_digested(wrap_ref(found.note), found.note, item.wrap);
    }
    let forgotten = if fit { found.files_in_order() } else { found.pairs() };
    forgotten.concat().into_iter().for_each(|file| changes.forget(file));
    let made = match lowers && found.label.is_no_wider_than(&label) {
        true => Vec::new(),
        false => desk.made_from(found.note),
    };
    let draft = Draft::change(EntryKind::Relabel, details.clone(), vec![found.note], changes);
    let recorded = desk.record_whole(draft, found.revisions())?;
    if !fit {
        desk.forget_parts(found.note, &old, EntryKind::Relabel, &details)?;
    }
    desk.finish_forgetting()?;
    Ok(Relabelled {
        id: found.note,
        label: written,
        revisions: found.revisions(),
        void,
        entry: recorded.entry(),
        made,
    })
}

impl Desk<'_> {
    /// Leaves out the attachments that are not what their heads say, by whoever sealed them so, and gives how many these are. Of a
    /// note that is held nothing goes, whatever it is worth.
    fn leave_out_void(&self, found: &mut WholeNote) -> Result<usize, Error> {
        let mut void = Vec::new();
        for (head, digests) in self.gate().attached(&found.whole)? {
            let parts = self.ledger.parts_if_written(found.note, &digests)?;
            if !self.gate().comes_out(&found.whole, head, parts)? {
                void.push(head);
            }
        }
        let held = !void.is_empty() && self.is_held(found.note)?;
        let becomes = match held {
            true => "it cannot be sealed anew",
            false => "it is not sealed anew, and goes once the rest is",
        };
        for head in &void {
            self.tell_void(found.note, found.whole.wrap_file(*head), becomes);
            found.whole.leave_out(*head);
        }
        if held {
            let words =
                "a legal hold is on this note, and a file attached to it cannot be sealed anew; the note is as it was";
            return Err(Error::new(Kind::Failed, words)
                .hint("it can have another label once the hold is lifted; `strongroom hold list` shows whose it is"));
        }
        Ok(void.len())
    }

    /// All of a note sealed anew: its bodies and heads with their wraps, and the parts of its attachments, which are
    /// durable and not yet named.
    fn reseal(
        &self,
        found: &WholeNote,
        label: &Label,
        permits: Vec<Permit>,
    ) -> Result<(Vec<SealedNote>, Parts), Error> {
        let mut permits = permits.into_iter();
        let (Some(from), Some(to)) = (permits.next(), permits.next()) else {
            return Err(Error::new(Kind::Denied, "this was not permitted"));
        };
        let (permits, entropy) = ((from, to), &mut SystemEntropy);
        let (recipients, gate) = (self.recipients(label), self.gate());
        let (mut resealed, mut parts) = (Vec::new(), Vec::new());
        for (head, digests) in gate.attached(&found.whole)? {
            let old = self.ledger.parts(found.note, &digests)?;
            let mut resealing = gate.reseal_attachment(&found.whole, head, label, &permits, old, entropy)?;
            let writer = self.ledger.blob_writer().map_err(|error| not_stored(&error))?;
            parts.extend(write_sealed(writer, &mut |part| {
                resealing.next_part(part).map_err(|error| match error {
                    NotSealed::Read(bad) => damaged(bad),
                    NotSealed::TooLong => too_long(),
                })
            })?);
            resealed.push(resealing.end());
        }
        let readers = self.readers_of(label);
        let to = (recipients.as_slice(), readers.as_str());
        let sealed = gate.reseal(&found.whole, resealed, label, to, permits, entropy)?;
        Ok((sealed, parts))
    }

    /// Enters a relabelling. It is one entry, so that no half of a note is ever found under either label; what does not
    /// fit is refused, and the note is as it was.
    fn record_whole(&mut self, draft: Draft, revisions: usize) -> Result<Recorded, Error> {
        self.enter(draft).map_err(|error| match error {
            LedgerError::Entry(BadEntry::TooLong(_)) | LedgerError::NotRecorded(CommitError::TooBig { .. }) => {
                Error::new(
                    Kind::Failed,
                    format!(
                        "this note is too large to be sealed anew at once ({revisions} revisions); the note is as it was"
                    ),
                )
                .hint("record its text as a new note with that label, then destroy this one")
            }
            error => error.into(),
        })
    }
}
