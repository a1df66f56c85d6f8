//! Revisions: what a note was before, and what changed.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::notes::Shown;
use crate::chain::{Details, Kind as EntryKind};
use crate::envelope::WrapFile;
use crate::gate::{Nature, OpenNote, Permit, Survey, TEXTS};
use crate::id::{Digest, EntryRef, NoteId};
use crate::label::Label;
use crate::ledger::{Draft, LedgerError, StoredNote};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::collections::BTreeSet;

/// How much of a digest names a revision to a person.
const SHORT_DIGEST: usize = 8;

/// A line of a note's history.
pub struct RevisionLine {
    /// Its number, from 1. Two that were written side by side on two devices may share one.
    pub number: u64,
    /// Digest of its body.
    pub digest: Digest,
    /// When it was written, Unix seconds.
    pub modified: i64,
    /// Who wrote it.
    pub author: String,
    /// Its label.
    pub label: String,
    /// Whether no other revision follows it.
    pub head: bool,
    /// Digests of the revisions it follows.
    pub follows: Vec<Digest>,
}

/// A note that was found: its revisions were looked at, and nothing was given out.
pub(super) struct Standing {
    pub(super) note: NoteId,
    /// The join of what its revisions are wrapped under.
    pub(super) label: Label,
    /// All revisions.
    pub(super) survey: Survey,
    /// Those that nobody follows, newest first.
    pub(super) heads: Vec<Digest>,
    pub(super) wraps: Vec<WrapFile>,
}

impl Standing {
    pub(super) fn newest(&self, asked: &str) -> Result<Digest, Error> {
        let newest = self.heads.first().copied();
        newest.ok_or_else(|| Error::no_such_note(asked))
    }
}

/// The revisions of a note, newest first. One entry; nothing but numbers, times, authors and labels is shown.
pub fn history(context: &Context<'_>, asked: &str) -> Result<Vec<RevisionLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("history");
    let standing = desk.standing(asked, &TEXTS, &details)?;
    let permitted = desk.permitted(Action::History, &standing, &mut details, asked)?;
    details.client = standing.survey.clients_for_the_record().map(short);
    let Standing {
        note, survey, heads, ..
    } = standing;
    let recorded = desk.record(Draft::read(details, vec![note]))?;
    let line = |listed: crate::gate::Listed| RevisionLine {
        number: listed.metadata.number,
        digest: listed.body,
        modified: listed.metadata.modified,
        author: desk.handle(listed.metadata.author),
        label: desk.label_text(&listed.label).to_string(),
        head: heads.contains(&listed.body),
        follows: listed.metadata.parents.clone(),
    };
    Ok(survey.reveal(permitted, recorded)?.into_iter().map(line).collect())
}

/// Two revisions of a note, opened under one entry: `A..B`; or `B` with what it follows; or, for nothing, the newest head with
/// what it follows. The older side is none for a first revision.
pub fn compare(context: &Context<'_>, asked: &str, which: &str) -> Result<(Option<Shown>, Shown), Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("history");
    details.asked = Some(short(format!("differences {which}").trim_end().to_owned()));
    let standing = desk.standing(asked, &[Nature::Note], &details)?;
    let permitted = desk.permitted(Action::History, &standing, &mut details, asked)?;
    let (from, to) = match which.split_once("..") {
        Some((from, to)) => {
            let from = desk.revision(&standing, from, &details)?;
            (Some(from), desk.revision(&standing, to, &details)?)
        }
        None => {
            let to = match which {
                "" => standing.newest(asked)?,
                which => desk.revision(&standing, which, &details)?,
            };
            (standing.survey.before(to), to)
        }
    };
    if from == Some(to) {
        let error = Error::new(Kind::Usage, "this is one and the same revision; nothing lies between");
        return Err(desk.failed(details, vec![standing.note], error));
    }
    let bodies: Vec<Digest> = from.into_iter().chain([to]).collect();
    let (mut opened, _) = desk.open_revisions(&standing, &bodies, false, permitted, details)?;
    let newer = opened.pop().ok_or_else(|| Error::no_such_note(asked))?;
    let older = opened.pop().map(|older| desk.shown(older));
    Ok((older, desk.shown(newer)))
}

impl Desk<'_> {
    /// Finds a note and looks at its revisions of these natures. What is not there, or not for this person, is entered.
    pub(super) fn standing(&mut self, asked: &str, natures: &[Nature], details: &Details) -> Result<Standing, Error> {
        let Some((note, label, wraps)) = self.find(asked)? else {
            return Err(self.not_there(details.clone(), asked)?);
        };
        let of_note = wraps.into_iter().map(|wrap| (note, wrap)).collect();
        let stored = match self.ledger.stored_many(of_note) {
            Ok(stored) => stored,
            Err(error) => return Err(self.failed(details.clone(), vec![note], Error::from(error))),
        };
        let (sound, unopened) = self.gate().sound(stored);
        self.tell_unopened(&unopened);
        let survey = self.gate().survey_revisions(&sound, natures);
        let wraps: Vec<WrapFile> = sound.into_iter().map(|stored| stored.wrap).collect();
        let heads: Vec<Digest> = survey.heads().into_iter().map(|(body, _)| body).collect();
        if heads.is_empty() {
            let error = Error::new(
                Kind::Usage,
                "this is a draft or a brief, not a note: it is drafted anew rather than edited",
            );
            return Err(self.failed(details.clone(), vec![note], error));
        }
        Ok(Standing {
            note,
            label,
            survey,
            heads,
            wraps,
        })
    }

    /// Asks the policies about a note: once for its label, and once more for each other label that a revision or an
    /// attachment of it bears. A
    /// denial is entered.
    pub(super) fn permitted(
        &mut self,
        action: Action,
        standing: &Standing,
        details: &mut Details,
        asked: &str,
    ) -> Result<Vec<Permit>, Error> {
        self.permitted_as(action, None, standing, details, asked)
    }

    /// The same for what is entered as a change.
    pub(super) fn permitted_as(
        &mut self,
        action: Action,
        kind: Option<EntryKind>,
        standing: &Standing,
        details: &mut Details,
        asked: &str,
    ) -> Result<Vec<Permit>, Error> {
        details.level = Some(standing.label.level());
        details.client = standing.survey.clients_of(&standing.heads).map(short);
        let me = self.identity.person();
        // What was attached while the note was relabelled elsewhere bears a label of its own, as a revision may.
        let wraps = standing.wraps.iter();
        let each: Vec<Label> = wraps.filter_map(|wrap| wrap.label(self.ledger.keyring(), me)).collect();
        let mut labels = vec![&standing.label];
        for label in &each {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        let mut permits = Vec::new();
        for label in labels {
            let mut facts = ResourceFacts::new(ThingKind::Note, label.clone());
            facts.own = standing.survey.own(&standing.heads);
            facts.conflict = standing.survey.conflict();
            match self.decide(action, facts) {
                Decision::Denied(denial) => {
                    return Err(self.denied(&denial, kind, details.clone(), vec![standing.note], asked)?);
                }
                Decision::Permitted(permission) => {
                    details.rules.extend(permission.rules().iter().cloned());
                    permits.push(Permit::new(permission, [standing.note]));
                }
            }
        }
        details.rules.sort();
        details.rules.dedup();
        Ok(permits)
    }

    /// A revision of the note as it is stored.
    pub(super) fn stored_revision(&self, standing: &Standing, body: Digest) -> Result<StoredNote, Error> {
        let wrap = standing.wraps.iter().find(|wrap| wrap.body().ok() == Some(body));
        let wrap = wrap.ok_or_else(|| Error::no_such_note(&standing.note.to_string()))?;
        Ok(self.ledger.stored(standing.note, wrap.clone())?)
    }

    /// The revision of that number, or whose digest begins so. What is not there is entered.
    pub(super) fn revision(&mut self, standing: &Standing, asked: &str, details: &Details) -> Result<Digest, Error> {
        match find_revision(
            standing.survey.revisions().map(|(number, body, _)| (number, body)),
            asked,
        ) {
            Ok(body) => Ok(body),
            Err(error) => Err(self.failed(details.clone(), vec![standing.note], error)),
        }
    }

    /// Opens revisions of one note under one entry, in the order of `bodies`. With `beside` what is attached to the note is
    /// told of too.
    pub(super) fn open_revisions(
        &mut self,
        standing: &Standing,
        bodies: &[Digest],
        beside: bool,
        permits: Vec<Permit>,
        details: Details,
    ) -> Result<(Vec<OpenNote>, EntryRef), Error> {
        let draft = Draft::read(details, vec![standing.note]);
        self.open_under(standing, bodies, beside, permits, draft)
    }

    /// The same under an entry that says more than that it was a read.
    pub(super) fn open_under(
        &mut self,
        standing: &Standing,
        bodies: &[Digest],
        beside: bool,
        permits: Vec<Permit>,
        mut draft: Draft,
    ) -> Result<(Vec<OpenNote>, EntryRef), Error> {
        let mut stored = Vec::new();
        for body in bodies {
            stored.push(self.stored_revision(standing, *body)?);
        }
        if beside {
            let revisions: BTreeSet<Digest> = standing.survey.revisions().map(|(_, body, _)| body).collect();
            for wrap in &standing.wraps {
                if !revisions.contains(&wrap.body().map_err(LedgerError::from)?) {
                    let other = self.ledger.stored(standing.note, wrap.clone())?;
                    stored.extend(Some(other).filter(StoredNote::is_attachment));
                }
            }
        }
        draft.details.client = standing.survey.clients_of(bodies).map(short);
        let recorded = self.record(draft)?;
        let entry = recorded.entry();
        Ok((self.gate().open(stored, permits, recorded)?, entry))
    }

    /// Says that a note has several heads, if it has, and what was `done` to the newest.
    pub(super) fn name_other_heads(&self, standing: &Standing, done: &str, then: &str) {
        let others: Vec<String> = standing.heads.iter().skip(1).map(named).collect();
        if !others.is_empty() {
            let id = &standing.note.to_string()[..SHORT_DIGEST];
            self.context.person.warn(&format!(
                "this note has more than one head: it was revised side by side. The newest is {done}; see also `strongroom \
                 show {id} --revision {}`. {then}",
                others.join("`, `")
            ));
        }
    }
}

/// A revision's digest as it is said.
fn named(digest: &Digest) -> String {
    digest.to_string()[..SHORT_DIGEST].to_owned()
}

fn find_revision(revisions: impl Iterator<Item = (u64, Digest)>, asked: &str) -> Result<Digest, Error> {
    let revisions: Vec<(u64, Digest)> = revisions.collect();
    let is_digest = (SHORT_DIGEST..=64).contains(&asked.len());
    let number: Option<u64> = asked.parse().ok();
    let mut found: Vec<Digest> = revisions
        .iter()
        .filter(|(found, _)| Some(*found) == number)
        .map(|(_, body)| *body)
        .collect();
    if found.is_empty() && is_digest {
        let begins = revisions.iter().map(|(_, body)| *body);
        found = begins.filter(|body| body.to_string().starts_with(asked)).collect();
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let asked: String = asked.chars().filter(|c| !c.is_control()).take(64).collect();
            Err(Error::new(
                Kind::Denied,
                format!("no revision `{asked}` of this note that you may read"),
            )
            .hint("name it by its number or its digest; `strongroom history ID` shows both"))
        }
        several => {
            let names: Vec<String> = several.iter().map(named).collect();
            Err(
                Error::new(Kind::Usage, format!("{} revisions are called `{asked}`", several.len()))
                    .hint(format!("name one by its digest: {}", names.join(", "))),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_called_by_its_number_or_its_digest() {
        let all = [
            (1, Digest([0x11; 32])),
            (2, Digest([0x22; 32])),
            (2, Digest([0x23; 32])),
        ];
        let find = |asked| find_revision(all.into_iter(), asked);
        assert_eq!(find("1"), Ok(all[0].1));
        assert_eq!(find("22222222"), Ok(all[1].1));
        assert_eq!(find("2323232323"), Ok(all[2].1));
        let both = find("2").unwrap_err();
        assert_eq!(
            (both.kind, both.hints[0].contains("22222222, 23232323")),
            (Kind::Usage, true)
        );
        for asked in ["3", "2222", "", "-1", "../1", "444444444"] {
            assert_eq!(find(asked).unwrap_err().kind, Kind::Denied, "{asked}");
        }
    }
}
