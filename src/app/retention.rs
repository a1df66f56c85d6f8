//! Retention: how long notes are kept. What is due is told; a decision to keep a note is a revision that says until when,
//! and an entry that says why.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::{Looking, NoteLine};
use super::policies::PolicyFault;
use crate::casework::{Due, DueKind, Kept, Retention, day_text, reserved};
use crate::chain::{Kind as EntryKind, Role, Time};
use crate::env::SystemEntropy;
use crate::gate::{Conflicts, Filter, Following, Nature};
use crate::id::{EntryRef, NoteId};
use crate::ledger::{Changes, Draft, note_ref, wrap_ref};
use crate::policy::{Action, PolicyFiles};
use std::collections::HashSet;

/// A note that somebody decided to keep.
pub struct KeptNote {
    /// The note.
    pub id: NoteId,
    /// Until when, as a day: it is due for review then.
    pub until: Time,
    /// The number of the revision that says so.
    pub revision: u64,
    /// The class that it is of, if the policies have one for it.
    pub class: Option<String>,
    /// When it is to go, if ever, by this decision.
    pub purge: Option<Time>,
    /// The entry.
    pub entry: EntryRef,
}

/// Enters that a note is kept, why, and until when: without `until` for as long as the class, or the level, has between
/// reviews. Nothing of the note is shown, and its text stays.
pub fn keep(context: &Context<'_>, asked: &str, because: &str, until: Option<Time>) -> Result<KeptNote, Error> {
    context.access.set_reason(because)?;
    if because.trim().is_empty() {
        return Err(Error::new(
            Kind::Usage,
            "say why it is kept, in a few words: --because TEXT",
        ));
    }
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("keep");
    let standing = desk.standing(asked, &[Nature::Note], &details)?;
    let kind = Some(EntryKind::Revise);
    let permits = desk.permitted_as(Action::Keep, kind, &standing, &mut details, asked)?;
    let note = standing.note;
    let newest = standing.newest(asked)?;
    // What is known of it beside the text decides how long: that is looked at as a list looks at it.
    let filter = Filter {
        natures: vec![Nature::Note],
        ..Filter::default()
    };
    let read = desk.details("keep-read");
    let heading = desk.find_all(read, &Looking::among(Action::List, filter, &HashSet::from([note])))?;
    let Some(heading) = heading.into_iter().next() else {
        return Err(desk.not_there(details, asked)?);
    };
    let retention = desk.retention();
    let kept = kept_of(&heading);
    let now = context.now();
    let period = || retention.review_after(&kept, desk.policies.levels());
    let until = until.or_else(|| period()?.after(now.unix()).map(Time::from_unix));
    let refusal = match until.map(Time::day) {
        None => Some(
            Error::new(
                Kind::Usage,
                "neither its class nor its level says how long: say until when it is kept",
            )
            .hint("--until 2027-06-30, or --until 1y for a year from now"),
        ),
        Some(until) if until <= now => Some(Error::new(Kind::Usage, "it is kept until a day that is still to come")),
        Some(_) => None,
    };
    let (Some(until), None) = (until.map(Time::day), &refusal) else {
        return Err(refusal.unwrap_or_else(|| Error::no_such_note(asked)));
    };
    let highest = standing.survey.revisions().map(|(number, _, _)| number).max();
    let following = Following {
        body: newest,
        number: highest.unwrap_or(0) + 1,
        field: (reserved::KEPT_UNTIL, &day_text(until)),
    };
    let stored = desk.stored_revision(&standing, newest)?;
    // What is kept is for everybody who reads the note, of whom each sees no other in its label.
    let label = desk.with_readers(Desk::label_of(&standing), standing.survey.readers())?;
    let recipients = desk.recipients(&label);
    let gate = desk.gate();
    let sealed = match gate.follow(stored, &following, &recipients, permits, &mut SystemEntropy) {
        Ok(sealed) => sealed,
        Err(error) => return Err(desk.failed(details, vec![note], error)),
    };
    let mut changes = Changes::default();
    changes.write_digested(note_ref(note), note, sealed.body);
    changes.write_digested(wrap_ref(note), note, sealed.wrap);
    details.asked = Some(short(format!("until {}", day_text(until))));
    let recorded = desk.record(Draft::change(EntryKind::Revise, details, vec![note], changes))?;
    desk.name_other_heads(&standing, "kept", "An edit follows them all");
    let after = Kept {
        until: Some(until),
        ..kept
    };
    Ok(KeptNote {
        id: note,
        until,
        revision: following.number,
        class: retention.class_of(kept.template).map(|class| class.name.clone()),
        purge: retention.dates(&after, desk.policies.levels()).purge,
        entry: recorded.entry(),
    })
}

/// The classes of retention of a set of policies, if it has a file of them.
pub(super) fn retention_of(files: &PolicyFiles) -> Result<Option<Retention>, PolicyFault> {
    let fault = |line, reason: String| PolicyFault {
        file: Some(Retention::FILE.to_owned()),
        line,
        reason,
    };
    let Some(bytes) = files.content(Retention::FILE) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes).map_err(|_| fault(None, "not UTF-8 text: save it as UTF-8".into()))?;
    let parsed = Retention::parse(text).map_err(|bad| fault(bad.line, bad.reason));
    parsed.map(Some)
}

fn kept_of(line: &NoteLine) -> Kept<'_> {
    let metadata = &line.listed.metadata;
    let modified = Time::from_unix(metadata.modified);
    Kept::of(&metadata.fields, line.listed.label.level(), modified)
}

impl Desk<'_> {
    /// The vault's classes. What was taken into a vault was found sound; where there is none, no note has a class.
    pub(super) fn retention(&self) -> Retention {
        let found = retention_of(self.policies.files()).ok().flatten();
        found.unwrap_or_default()
    }

    /// What is due of these notes, and will be: reviews, what is to go, and for leads the notes that fall under a hold which
    /// does not name them yet. A note that is to go by the time of its review is not due for that too.
    pub(super) fn retention_due(&mut self, lines: &[NoteLine]) -> Result<Vec<Due>, Error> {
        let retention = self.retention();
        let me = self.ledger.charter().roster.member(self.identity.person());
        let lead = me.is_some_and(|me| me.roles.contains(&Role::Lead));
        let mut holds = match self.ledger.holds().iter().any(|hold| hold.lifted.is_none()) {
            true => self.known_holds("hold-read")?,
            false => Vec::new(),
        };
        holds.retain(|known| known.hold.lifted.is_none());
        let scopes: Vec<Conflicts> = holds
            .iter()
            .map(|known| Conflicts::of([(known.metadata.client.as_str(), known.metadata.case.as_str())]))
            .collect();
        let all = self.ledger.holds();
        let mut dues = Vec::new();
        for line in lines {
            let (note, metadata) = (line.listed.note, &line.listed.metadata);
            let kept = kept_of(line);
            let dates = retention.dates(&kept, self.policies.levels());
            let class = retention.class_of(kept.template);
            let class = class.map_or_else(String::new, |class| format!(" ({})", class.name));
            let concerns = |scope: &Conflicts| scope.concern(metadata);
            let held = match self.ledger.is_held(note) || scopes.iter().any(concerns) {
                true => ", under a legal hold",
                false => "",
            };
            let mut due = |time, kind, what: String| {
                dues.push(Due {
                    time,
                    kind,
                    note: Some(note),
                    what,
                });
            };
            if let Some(purge) = dates.purge {
                due(purge, DueKind::Purge, format!("kept no longer{class}{held}"));
            }
            if let Some(review) = dates
                .review
                .filter(|review| dates.purge.is_none_or(|purge| *review < purge))
            {
                due(review, DueKind::Review, format!("review{class}{held}"));
            }
            let mut told = HashSet::new();
            for (known, scope) in holds.iter().zip(&scopes).filter(|_| lead) {
                let parts = all.iter().filter(|part| part.beginning == known.hold.beginning);
                let named = parts.into_iter().any(|part| part.notes.contains(&note));
                if !named && scope.concern(metadata) && told.insert(known.hold.beginning) {
                    let since = Time::from_unix(metadata.modified).max(known.hold.time);
                    let what = format!("falls under the hold `{}`, which does not name it yet", known.matter());
                    due(since, DueKind::Hold, what);
                }
            }
        }
        Ok(dues)
    }
}
