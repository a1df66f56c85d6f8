//! What the vault knows of the people and clients that a text may concern.

use super::context::Desk;
use super::error::{Error, Kind};
use crate::brief::{Kind as What, Known, Profile, redact, shipped};
use crate::chain::Details;
use crate::gate::{Filter, Nature, OpenNote, Permit};
use crate::id::NoteId;
use crate::ledger::Draft;
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::collections::{BTreeSet, HashSet};

/// Notes opened together under one entry: the sources first, in the order asked for, then the others.
pub(super) struct Gathered {
    pub(super) sources: Vec<OpenNote>,
    pub(super) others: Vec<OpenNote>,
}

/// Which notes beside the sources are needed to know what must not leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// None.
    Nothing,
    /// Those of the same clients.
    Clients,
    /// All that may be read.
    Everything,
}

impl Desk<'_> {
    /// Opens `sources` and, of `around` them, every readable note of the same clients or every readable note at all, under
    /// one entry. What may not be opened refuses the whole: a brief made in ignorance is not safe.
    pub(super) fn gather(
        &mut self,
        action: Action,
        outgoing: Option<crate::label::Level>,
        mut details: Details,
        sources: &[NoteId],
        around: Around,
        asked: &str,
    ) -> Result<Gathered, Error> {
        let mut survey = match self.survey(&Filter::default()) {
            Ok(survey) => survey,
            Err(error) => return Err(self.failed(details, sources.to_vec(), error)),
        };
        let others = match around {
            Around::Nothing => Vec::new(),
            Around::Clients => survey.of_the_same_clients(sources),
            Around::Everything => survey.of_nature(Nature::Note),
        };
        let wanted: HashSet<NoteId> = others.into_iter().chain(sources.iter().copied()).collect();
        survey.keep(&wanted);
        let mut permits = Vec::new();
        let mut rules = BTreeSet::new();
        for (label, own, notes) in survey.classes() {
            let mut facts = ResourceFacts::new(ThingKind::Note, label);
            facts.own = own;
            facts.outgoing = outgoing;
            match self.decide(action, facts) {
                Decision::Denied(denial) => {
                    return Err(self.denied(&denial, None, details, sources.to_vec(), asked)?);
                }
                Decision::Permitted(permission) => {
                    rules.extend(permission.rules().iter().cloned());
                    permits.push(Permit::new(permission, notes));
                }
            }
        }
        details.rules = rules.into_iter().collect();
        details.client = survey.clients_for_the_record();
        let bodies = survey.bodies();
        if !sources.iter().all(|note| bodies.contains_key(note)) {
            let gone = Error::new(
                Kind::Failed,
                "a note that this was made from is gone, or no longer yours to read",
            )
            .hint("draft it again from what there is");
            return Err(self.failed(details, Vec::new(), gone));
        }
        let wraps = self.ledger.wraps("")?.into_iter().filter(|(note, wrap)| {
            let head = bodies.get(note);
            head.is_some() && wrap.body().ok().as_ref() == head
        });
        let stored = self.ledger.stored_many(wraps.collect())?;
        let recorded = self.record(Draft::read(details, survey.notes()))?;
        let opened = self.gate().open(stored, permits, recorded)?;
        let (mut mine, others): (Vec<_>, Vec<_>) = opened.into_iter().partition(|open| sources.contains(&open.note));
        mine.sort_by_key(|open| sources.iter().position(|note| *note == open.note));
        Ok(Gathered { sources: mine, others })
    }

    /// The identifiers in opened notes: clients, cases, fields, what is to be masked, and whatever the finder finds in their
    /// texts, unless that is one of the words that a person allowed: the finder guesses, and a person has looked.
    pub(super) fn known<'n>(
        &self,
        notes: impl Iterator<Item = &'n OpenNote>,
        mask: &[String],
        allow: &[String],
    ) -> Result<Known, Error> {
        let finder = shipped("no-names").ok_or_else(|| Error::new(Kind::Failed, "the shipped profile is missing"))?;
        let finder = Profile::parse(finder).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
        let nothing = Known::nothing();
        let mut values: Vec<(What, String)> = mask.iter().map(|value| (What::Other, value.clone())).collect();
        for card in self.ledger.charter().roster.members() {
            values.push((What::Person, card.handle.clone()));
        }
        for note in notes {
            let metadata = &note.metadata;
            values.push((What::Client, metadata.client.clone()));
            values.push((What::Number, metadata.case.clone()));
            values.extend(
                metadata
                    .fields
                    .iter()
                    .map(|(name, value)| (kind_of_field(name), value.clone())),
            );
            // A text that the finder refuses gives nothing here, and is refused again where it matters.
            let Ok(found) = redact(note.text(), &finder, &nothing) else {
                continue;
            };
            let chars: Vec<char> = note.text().chars().collect();
            for span in found.spans {
                let value: String = chars.get(span.start..span.end).unwrap_or_default().iter().collect();
                let allowed = allow.iter().any(|word| word.eq_ignore_ascii_case(&value));
                if identifies(span.kind) && !allowed && value.len() <= Known::MAX_VALUE {
                    values.push((span.kind, value));
                }
            }
        }
        values.retain(|(_, value)| !value.trim().is_empty());
        values.sort();
        values.dedup();
        Known::new(values).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
    }
}

/// Whether a finding of this kind is worth remembering: dates, sums and places by themselves name nobody.
fn identifies(kind: What) -> bool {
    !matches!(
        kind,
        What::Date | What::Time | What::Money | What::Place | What::Position | What::Other
    )
}

fn kind_of_field(name: &str) -> What {
    match name.to_lowercase().as_str() {
        "alias" | "callsign" | "nickname" => What::Alias,
        "plate" | "vehicle" => What::Vehicle,
        "phone" | "mobile" | "tel" => What::Phone,
        "email" | "mail" => What::Email,
        "address" => What::Address,
        "name" | "person" => What::Person,
        "code" | "pin" | "password" => What::Code,
        _ => What::Other,
    }
}
