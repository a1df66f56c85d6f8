//! What the vault knows of the people and clients that a text may concern.

use super::briefs::refused;
use super::context::Desk;
use super::error::{Error, Kind};
use super::finding::Looking;
use super::notes::NAME_MAX;
use crate::brief::{Kind as What, Known, Profile, hides, identifiers, shipped};
use crate::chain::Details;
use crate::envelope::{Metadata, WrapFile};
use crate::gate::{Filter, Nature, OpenNote, Permit};
use crate::id::{Digest, NoteId};
use crate::ledger::Draft;
use crate::policy::{Action, Decision};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Notes opened together under one entry: the sources first, in the order asked for, then the others.
pub(super) struct Gathered {
    pub(super) sources: Vec<OpenNote>,
    pub(super) others: Vec<OpenNote>,
    /// The newest head of each note, as the digest of its body.
    pub(super) bodies: BTreeMap<NoteId, Digest>,
    /// Whether there are other notes, of which the headings may tell something.
    pub(super) are_more: bool,
}

/// Which notes beside the sources are needed to know what must not leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// None.
    Nothing,
    /// Those of the same clients, and what these and the sources were before.
    Clients,
    /// All notes that may be read and what they were before, and all briefs that were released.
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
            Around::Everything => {
                let mut all = survey.of_nature(Nature::Note);
                all.extend(survey.of_nature(Nature::Brief));
                all
            }
        };
        // Who asks about everything asks about what they may look at.
        let barred = match around {
            Around::Everything => survey.in_conflict(),
            _ => HashSet::new(),
        };
        if !barred.is_empty() {
            let words =
                "what you have declared a conflict of interest with was not looked at: somebody else has to check that";
            self.context.person.warn(words);
        }
        let others = others.into_iter().filter(|note| !barred.contains(note));
        let wanted: HashSet<NoteId> = others.chain(sources.iter().copied()).collect();
        let are_more = survey.of_nature(Nature::Note).iter().any(|note| !wanted.contains(note));
        survey.keep(&wanted);
        let mut permits = Vec::new();
        let mut rules: BTreeSet<String> = details.rules.drain(..).collect();
        let mut labels = BTreeMap::new();
        for class in survey.classes() {
            let mut facts = class.facts();
            let notes = class.notes;
            labels.extend(notes.iter().map(|note| (*note, facts.label.clone())));
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
        let mut wraps = self.ledger.wraps("")?;
        wraps.retain(|(note, _)| bodies.contains_key(note));
        let is_head = |note: &NoteId, wrap: &WrapFile| {
            let head = bodies.get(note);
            head.is_some() && wrap.body().ok().as_ref() == head
        };
        // An identifier that a note had and no longer has identifies all the same.
        let (mut heads, mut before): (Vec<_>, Vec<_>) = wraps.into_iter().partition(|(note, wrap)| is_head(note, wrap));
        let many = heads.len();
        if around != Around::Nothing {
            let readable = self.gate().readable(std::mem::take(&mut before), &self.clearance());
            let same = readable
                .into_iter()
                .filter(|(note, label, _)| labels.get(note) == Some(label));
            heads.extend(same.map(|(note, _, wrap)| (note, wrap)));
        }
        let before = heads.split_off(many);
        let (mut stored, mut unopened) = self.gate().sound(self.ledger.stored_many(heads)?);
        let many = stored.len();
        let (before, more) = self.gate().sound(self.ledger.stored_many(before)?);
        stored.extend(before);
        unopened.extend(more);
        self.tell_unopened(&unopened);
        let recorded = self.record(Draft::read(details, survey.notes()))?;
        let mut opened = self.gate().open(stored, permits, recorded)?;
        let before = opened.split_off(many.min(opened.len()));
        let (mut mine, mut others): (Vec<_>, Vec<_>) =
            opened.into_iter().partition(|open| sources.contains(&open.note));
        others.extend(before);
        mine.sort_by_key(|open| sources.iter().position(|note| *note == open.note));
        Ok(Gathered {
            sources: mine,
            others,
            bodies,
            are_more,
        })
    }

    /// What the headings of all notes that may be listed give, whosesoever they are: a brief about one client names no other.
    /// Where there are more than were gathered, that is an entry, as a list is.
    pub(super) fn headings(&mut self, verb: &str, gathered: &Gathered) -> Result<Vec<Identifiers>, Error> {
        if !gathered.are_more {
            return Ok(Vec::new());
        }
        let filter = Filter {
            natures: vec![Nature::Note],
            ..Filter::default()
        };
        if let Some(level) = self.left_out_from(Action::List) {
            self.context.person.warn(&format!(
                "clients of notes from `{level}` upwards were not looked for: that asks for a purpose and a reason \
                 (--purpose, --why)"
            ));
        }
        let listed = self.find_all(self.details(verb), &Looking::for_all(Action::List, filter))?;
        Ok(listed
            .iter()
            .map(|line| Identifiers::of_heading(&line.listed.metadata))
            .collect())
    }

    /// The identifiers in opened notes and those of headings, with what is to be masked and who belongs to the vault. What
    /// the finder found or another's heading gives is left out if it is one of the words that a person allowed: that is a
    /// guess, and a person has looked.
    pub(super) fn known<'n>(
        &self,
        notes: impl Iterator<Item = &'n OpenNote>,
        headings: Vec<Identifiers>,
        mask: &[String],
        allow: &[String],
    ) -> Result<Known, Error> {
        let finder = finder()?;
        let all: Result<Vec<Identifiers>, Error> = notes.map(|note| Identifiers::of(note, &finder)).collect();
        let mut all = all?;
        all.extend(headings);
        self.known_of(all.iter(), mask, allow)
    }

    /// The same of identifiers that were looked for already.
    pub(super) fn known_of<'n>(
        &self,
        all: impl Iterator<Item = &'n Identifiers>,
        mask: &[String],
        allow: &[String],
    ) -> Result<Known, Error> {
        let mut values: Vec<(What, String)> = mask.iter().map(|value| (What::Other, value.clone())).collect();
        for card in self.ledger.charter().roster.members() {
            values.push((What::Person, card.handle.clone()));
        }
        for Identifiers { given, found } in all {
            let allowed = |value: &String| allow.iter().any(|word| word.eq_ignore_ascii_case(value));
            values.extend(given.iter().cloned());
            values.extend(found.iter().filter(|(_, value)| !allowed(value)).cloned());
        }
        // What was pasted into a heading may bring marks of direction along, which no text may have.
        for (_, value) in &mut values {
            value.retain(|c| !hides(c));
        }
        values.retain(|(_, value)| !value.trim().is_empty());
        values.sort();
        values.dedup();
        Known::new(values).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
    }

    /// The full names in opened notes.
    pub(super) fn names_in<'n>(&self, notes: impl Iterator<Item = &'n OpenNote>) -> Result<Vec<String>, Error> {
        let finder = finder()?;
        let all: Result<Vec<Identifiers>, Error> = notes.map(|note| Identifiers::of(note, &finder)).collect();
        let values = all?
            .into_iter()
            .flat_map(|Identifiers { given, found }| given.into_iter().chain(found));
        let names = values.filter(|(kind, name)| *kind == What::Person && name.trim().contains(' '));
        let names: BTreeSet<String> = names.map(|(_, name)| name).collect();
        Ok(names.into_iter().collect())
    }
}

/// What a note gives to be recognised elsewhere.
#[derive(Clone)]
pub(super) struct Identifiers {
    /// Its client, case and fields.
    given: Vec<(What, String)>,
    /// What the finder finds in its text, or what the heading of a note of somebody else gives.
    found: Vec<(What, String)>,
}

/// The profile whose finders look for identifiers.
pub(super) fn finder() -> Result<Profile, Error> {
    let finder = shipped("no-names").ok_or_else(|| Error::new(Kind::Failed, "the shipped profile is missing"))?;
    Profile::parse(finder).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
}

impl Identifiers {
    /// These and nothing else.
    pub(super) fn given(mut given: Vec<(What, String)>) -> Self {
        for (_, value) in &mut given {
            // What was pasted into a heading may bring marks of direction along, which no text may have.
            value.retain(|c| !hides(c));
            fit(value);
        }
        given.retain(|(_, value)| !value.trim().is_empty());
        let found = Vec::new();
        Self { given, found }
    }

    /// What was given, to be looked for by itself.
    pub(super) fn known(&self) -> Result<Known, Error> {
        Known::new(self.given.clone()).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
    }

    pub(super) fn of(note: &OpenNote, finder: &Profile) -> Result<Self, Error> {
        let metadata = &note.metadata;
        let mut given = vec![
            (What::Client, metadata.client.clone()),
            (What::Number, metadata.case.clone()),
        ];
        // Those of a brief say where it went, and are no more a person's than its frame.
        let fields = metadata.fields.iter().filter(|_| note.nature == Nature::Note);
        // `gate: 4` names nobody: the 4 of every other text would be its.
        let tells =
            |kind: What, value: &str| kind != What::Other || value.chars().filter(|c| c.is_alphanumeric()).count() > 2;
        let fields = fields.map(|(name, value)| (kind_of_field(name), value.clone()));
        given.extend(fields.filter(|(kind, value)| tells(*kind, value)));
        given.iter_mut().for_each(|(_, value)| fit(value));
        let mut found = identifiers(note.text(), finder).map_err(refused)?;
        found.extend(identifiers(&metadata.title, finder).map_err(refused)?);
        found.retain(|(kind, _)| identifies(*kind));
        found.iter_mut().for_each(|(_, value)| fit(value));
        Ok(Self { given, found })
    }

    /// What a note gives to texts that are not about its client: names, numbers and codes, and nothing of fields that may
    /// hold anything.
    pub(super) fn of_heading(metadata: &Metadata) -> Self {
        let fields = metadata.fields.iter();
        let fields = fields.map(|(name, value)| (kind_of_field(name), value.clone()));
        let own = [
            (What::Client, metadata.client.clone()),
            (What::Number, metadata.case.clone()),
        ];
        let tells = |value: &str| value.chars().filter(|c| c.is_alphanumeric()).count() > 2;
        let found = own.into_iter().chain(fields);
        let found = found.filter(|(kind, value)| *kind != What::Other && tells(value));
        let mut found: Vec<(What, String)> = found.collect();
        found.iter_mut().for_each(|(_, value)| fit(value));
        Self {
            given: Vec::new(),
            found,
        }
    }

    /// The same of what was looked for already, as far as its note's own client does not concern a text.
    pub(super) fn seen_from_afar(&self) -> Self {
        let tells = |(kind, value): &&(What, String)| {
            let told = value.chars().filter(|c| c.is_alphanumeric()).count() > 2;
            *kind != What::Other && told
        };
        Self {
            given: Vec::new(),
            found: self.given.iter().filter(tells).cloned().collect(),
        }
    }
}

const _: () = assert!(Known::MAX_VALUE >= 4 * NAME_MAX, "what a note may have is not matched");

/// Cuts what is longer than anything that this program writes: it is known by its beginning, and stops no brief.
fn fit(value: &mut String) {
    let mut end = value.len().min(Known::MAX_VALUE);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value.truncate(end);
}

/// Whether a finding of this kind is worth remembering: dates, sums and places by themselves name nobody.
fn identifies(kind: What) -> bool {
    !matches!(
        kind,
        What::Date | What::Time | What::Money | What::Age | What::Place | What::Position | What::Other
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
