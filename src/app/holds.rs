//! Legal holds, by matter (docs/FORMAT.md §7.5): what is held is not destroyed. Which notes are held stands in clear, for all
//! to honour; what for is sealed to those who must.

use super::compartments::public_facts;
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::Looking;
use super::notes::check_name;
use crate::chain::{Details, HELD_MAX, Hold, Kind as EntryKind, Role, Statement, Time};
use crate::crypto::make_random;
use crate::env::SystemEntropy;
use crate::gate::{Conflicts, Filter, Gate, Listed, Metadata, Nature, TEXTS, fold};
use crate::id::{EntryRef, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::{Changes, Draft};
use crate::policy::{Action, Decision, Kind as ThingKind};
use crate::repo::PATIENCE;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The field with the reason.
const WHY: &str = "why";
/// To so many devices a statement is sealed by name at most; where there are more, leads get it.
const READERS_MAX: usize = 128;

/// What to hold.
pub struct HoldQuery {
    /// The name of the matter.
    pub matter: String,
    /// What bears this client, now and later.
    pub client: Option<String>,
    /// What bears this case, now and later.
    pub case: Option<String>,
    /// These notes, by their ids or the beginnings of them.
    pub ids: Vec<String>,
}

/// A hold that was placed, or extended.
pub struct PlacedHold {
    /// The name of the matter.
    pub matter: String,
    /// The entry, the first if there are several.
    pub entry: EntryRef,
    /// The notes that it names now and that no hold of the matter named before.
    pub held: Vec<NoteId>,
    /// How many it named before.
    pub before: usize,
}

/// A hold that was lifted.
pub struct LiftedHold {
    /// The name of the matter.
    pub matter: String,
    /// The entries, one for each hold of that name; none where it was lifted before.
    pub entries: Vec<EntryRef>,
    /// The notes that no hold is on any more.
    pub free: Vec<NoteId>,
}

/// A hold as its list shows it.
pub struct HoldLine {
    /// The name of the matter.
    pub matter: String,
    /// The entry that it begins with.
    pub entry: EntryRef,
    /// Who placed it, the last time.
    pub by: String,
    /// When that was.
    pub time: Time,
    /// What bears this client falls under it; several are divided by commas.
    pub client: String,
    /// What bears this case.
    pub case: String,
    /// Why, as it was said the last time.
    pub why: Option<String>,
    /// The notes that its entries name.
    pub notes: Vec<NoteId>,
    /// Who lifted it, and when; none while some of it holds.
    pub lifted: Option<(String, Time)>,
}

/// The holds of a vault, as far as they are told to somebody.
pub struct HoldList {
    /// Those whose statement opens for them.
    pub lines: Vec<HoldLine>,
    /// For leads: how many holds there are besides that nobody lifted.
    pub closed: usize,
}

/// A note on which the person may place a hold.
struct Holdable {
    /// The join of all that stands under its id, as far as it opens.
    label: Label,
    /// Whether that is for people by name in part.
    mixed: bool,
}

/// A hold, and what its statement says.
pub(super) struct KnownHold {
    pub(super) hold: Hold,
    pub(super) metadata: Metadata,
}

impl KnownHold {
    /// The name of its matter.
    pub(super) fn matter(&self) -> &str {
        &self.metadata.title
    }

    fn is_of(&self, matter: &str) -> bool {
        fold(self.matter().trim()) == fold(matter)
    }
}

/// Why it was placed, as it was said.
fn why_of(metadata: &Metadata) -> Option<String> {
    let mut fields = metadata.fields.iter();
    fields.find(|(name, _)| name == WHY).map(|(_, why)| why.clone())
}

/// Places a hold on the notes that a lead names and that bear the client and case, as far as they may read them. A matter that
/// is held already is extended to what falls under it now.
pub fn place_hold(context: &Context<'_>, query: &HoldQuery) -> Result<PlacedHold, Error> {
    let matter = named_matter(&query.matter)?;
    let name = |what: &str, name: &Option<String>| match name {
        Some(name) => check_name(what, name),
        None => Ok(String::new()),
    };
    let (client, case) = (name("client", &query.client)?, name("case", &query.case)?);
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.hold_details("hold place", &matter);
    let mut metadata = desk.statement_metadata(matter.clone(), client, case);
    desk.may_hold(Action::HoldPlace, EntryKind::Hold, &metadata, &mut details)?;
    desk.has_said_why("held", &mut details)?;
    let same = desk.holds_of(&matter)?;
    let nothing = metadata.client.is_empty() && metadata.case.is_empty();
    if nothing && query.ids.is_empty() && same.is_empty() {
        return Err(Error::new(
            Kind::Usage,
            "say what it is on: ids of notes, --client NAME, --case NAME",
        ));
    }
    // What falls under it: what it was said to be about before counts on.
    let scopes = same.iter().map(|known| &known.metadata).chain([&metadata]);
    let scopes = Conflicts::of(scopes.map(|said| (said.client.as_str(), said.case.as_str())));
    let labels = desk.holdable()?;
    let mut held: BTreeSet<NoteId> = desk.falling_under(&scopes)?.into_iter().collect();
    for asked in &query.ids {
        match desk.find(asked)?.filter(|(note, ..)| labels.contains_key(note)) {
            Some((note, ..)) => held.insert(note),
            None => return Err(desk.not_there(details, asked)?),
        };
    }
    held.retain(|note| labels.contains_key(note));
    let before: BTreeSet<NoteId> = same.iter().flat_map(|known| known.hold.notes.iter().copied()).collect();
    let all = held.iter().chain(&before).filter_map(|note| labels.get(note));
    let readers = desk.who_must_honour(&all.collect::<Vec<_>>());
    if let Some(first) = same.first().filter(|_| nothing) {
        metadata.client.clone_from(&first.metadata.client);
        metadata.case.clone_from(&first.metadata.case);
    }
    let new: Vec<NoteId> = held.difference(&before).copied().collect();
    details.level = Some(Level::Named);
    details.client = Some(metadata.client.clone()).filter(|client| !client.is_empty());
    let beginning = same.first().map(|known| known.hold.beginning);
    let entry = desk.enter_hold(metadata, &readers, &new, beginning, &details)?;
    Ok(PlacedHold {
        matter,
        entry,
        held: new,
        before: before.len(),
    })
}

/// Lifts all holds of a matter, as far as they are known here.
pub fn lift_hold(context: &Context<'_>, matter: &str) -> Result<LiftedHold, Error> {
    let matter = named_matter(matter)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.hold_details("hold lift", &matter);
    let nothing = desk.statement_metadata(matter.clone(), String::new(), String::new());
    desk.may_hold(Action::HoldLift, EntryKind::Lift, &nothing, &mut details)?;
    desk.has_said_why("lifted", &mut details)?;
    let known = desk.known_holds_of(&matter)?.into_iter();
    let (same, lifted): (Vec<_>, Vec<_>) = known.partition(|known| known.hold.lifted.is_none());
    if same.is_empty() && !lifted.is_empty() {
        let _ = desk.record(Draft::read(details, Vec::new()))?;
        return Ok(LiftedHold {
            matter,
            entries: Vec::new(),
            free: Vec::new(),
        });
    }
    let Some(first) = same.first() else {
        let error = Error::new(Kind::Denied, format!("no hold `{matter}` that you may know of"))
            .hint("`strongroom hold list` shows those that you do");
        return Err(desk.refused("hold lift", Some(EntryKind::Lift), Some(&matter), error)?);
    };
    details.client = Some(first.metadata.client.clone()).filter(|client| !client.is_empty());
    // What goes on from a hold is lifted with it.
    let beginnings: BTreeSet<EntryRef> = same.iter().map(|known| known.hold.beginning).collect();
    let notes: BTreeSet<NoteId> = same.iter().flat_map(|known| known.hold.notes.iter().copied()).collect();
    if desk.hides(&beginnings, &same, &notes)? {
        let words = "denied: something that this hold is on is not yours to decide about";
        let error = Error::new(Kind::Denied, words).hint("another lead lifts it");
        return Err(desk.refused("hold lift", Some(EntryKind::Lift), Some(&matter), error)?);
    }
    let mut entries = Vec::new();
    for beginning in beginnings {
        let mut draft = Draft::change(EntryKind::Lift, details.clone(), Vec::new(), Changes::default());
        draft.because = Some(beginning);
        entries.push(desk.record(draft)?.entry());
    }
    let free = notes.into_iter().filter(|note| !desk.ledger.is_held(*note)).collect();
    Ok(LiftedHold { matter, entries, free })
}

/// The holds whose statements open for the person, the newest last; what they are for, and which notes they name.
pub fn list_holds(context: &Context<'_>) -> Result<HoldList, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    desk.refuse_what_is_said("hold list", Action::List)?;
    let all = desk.ledger.holds();
    let mut known = desk.known_holds("hold list")?;
    // Where it was placed again, what was said last is what holds; whatever clocks say, that is not what it began with.
    known.sort_by_key(|known| {
        let again = known.hold.entry != known.hold.beginning;
        (again, known.hold.time, known.hold.entry)
    });
    let mut lines: BTreeMap<EntryRef, HoldLine> = BTreeMap::new();
    for KnownHold { hold, metadata } in &known {
        let parts: Vec<&Hold> = all.iter().filter(|part| part.beginning == hold.beginning).collect();
        let notes: BTreeSet<NoteId> = parts.iter().flat_map(|part| part.notes.iter().copied()).collect();
        let lifted: Option<Vec<(Time, EntryRef)>> = parts
            .iter()
            .map(|part| part.lifted.map(|(entry, time)| (time, entry)))
            .collect();
        let lifted = lifted.and_then(|lifts| lifts.into_iter().max());
        let line = HoldLine {
            matter: metadata.title.clone(),
            entry: hold.beginning,
            by: desk.handle_of(hold.entry),
            time: hold.time,
            client: metadata.client.clone(),
            case: metadata.case.clone(),
            why: why_of(metadata),
            notes: notes.into_iter().collect(),
            lifted: lifted.map(|(time, entry)| (desk.handle_of(entry), time)),
        };
        let before = lines.remove(&hold.beginning);
        let about = |now: &str, before: Option<&str>| match before {
            Some(before) if before.split(", ").any(|one| one == now) || now.is_empty() => before.to_owned(),
            Some(before) if !before.is_empty() => format!("{before}, {now}"),
            _ => now.to_owned(),
        };
        let line = HoldLine {
            client: about(&line.client, before.as_ref().map(|before| before.client.as_str())),
            case: about(&line.case, before.as_ref().map(|before| before.case.as_str())),
            ..line
        };
        lines.insert(hold.beginning, line);
    }
    // To whom is not to know of a matter it does not show here that there is one.
    let me = desk.ledger.charter().roster.member(desk.identity.person());
    let lead = me.is_some_and(|me| me.roles.contains(&Role::Lead));
    let open = all.iter().filter(|hold| lead && hold.lifted.is_none());
    let open: BTreeSet<EntryRef> = open.map(|hold| hold.beginning).collect();
    let closed = open.iter().filter(|beginning| !lines.contains_key(beginning)).count();
    let mut lines: Vec<HoldLine> = lines.into_values().collect();
    lines.sort_by_key(|line| (line.time, line.entry));
    Ok(HoldList { lines, closed })
}

fn named_matter(matter: &str) -> Result<String, Error> {
    match check_name("matter", matter)? {
        matter if matter.is_empty() => Err(Error::new(Kind::Usage, "a hold is for a matter that has a name")),
        matter => Ok(matter),
    }
}

impl Desk<'_> {
    fn hold_details(&self, verb: &'static str, matter: &str) -> Details {
        let mut details = self.details(verb);
        details.asked = Some(short(matter.to_owned()));
        details
    }

    /// Whether the person may place or lift holds, in a matter of which they are free.
    fn may_hold(
        &mut self,
        action: Action,
        kind: EntryKind,
        about: &Metadata,
        details: &mut Details,
    ) -> Result<(), Error> {
        let mut facts = public_facts(ThingKind::Vault)?;
        facts.conflict = self.conflicts.concern(about);
        match self.decide(action, facts) {
            Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
            Decision::Denied(denial) => {
                let asked = details.asked.clone().unwrap_or_default();
                return Err(self.denied(&denial, Some(kind), details.clone(), Vec::new(), &asked)?);
            }
        }
        Ok(())
    }

    /// A hold is placed and lifted for a reason that is on record.
    fn has_said_why(&mut self, what: &str, details: &mut Details) -> Result<(), Error> {
        let context = self.context;
        if !self.ledger.aside(PATIENCE, || context.has_reason()) {
            let words = format!("say why it is {what}, in a few words: --why TEXT");
            return Err(Error::new(Kind::Usage, words));
        }
        details.reason = context.access.reason().map(short);
        Ok(())
    }

    /// The notes on which the person may place a hold, with their labels.
    fn holdable(&self) -> Result<BTreeMap<NoteId, Holdable>, Error> {
        let survey = self.survey(&Filter::default())?;
        // Whoever can write under a note's id can give it a newer revision with a lower label, or one for people by name.
        let mut joined: BTreeMap<NoteId, Label> = BTreeMap::new();
        let mut mixed = BTreeSet::new();
        for (note, label, _) in self.gate().readable(self.ledger.wraps("")?, &self.clearance()) {
            let Some(known) = joined.get(&note) else {
                joined.insert(note, label);
                continue;
            };
            if (known.level() == Level::Named) != (label.level() == Level::Named) {
                mixed.insert(note);
            }
            let join = known.join(&label);
            joined.extend(join.map(|join| (note, join)));
        }
        let mut labels = BTreeMap::new();
        for class in survey.classes() {
            let reason = self.context.access.reason();
            let request = self.request(Action::HoldPlace, class.facts(), reason.as_deref());
            if let Decision::Permitted(_) = self.policies.decide(&request) {
                let holdable = |note| Holdable {
                    label: joined.get(&note).unwrap_or(&class.label).clone(),
                    mixed: mixed.contains(&note),
                };
                labels.extend(class.notes.iter().map(|note| (*note, holdable(*note))));
            }
        }
        Ok(labels)
    }

    /// The readable notes that bear one of these clients and cases. Ids alone come out of the gate.
    fn falling_under(&self, scopes: &Conflicts) -> Result<HashSet<NoteId>, Error> {
        if scopes.is_empty() {
            return Ok(HashSet::new());
        }
        let gate = Gate::new(self.identity, self.ledger.keyring()).minding(scopes);
        let survey = gate.scan(&self.ledger, &self.clearance(), &Filter::default(), None)?;
        Ok(survey.in_conflict())
    }

    /// Who is told what a hold is for: whoever places it, who may decide about one of the notes, and leads; but of what is for
    /// people by name alone, those people alone.
    fn who_must_honour(&self, notes: &[&Holdable]) -> BTreeSet<PersonId> {
        let now = self.context.now();
        let members = self.ledger.charter().roster.members();
        let members = members.filter(|card| !card.is_removed() && !card.has_ended(now));
        let by_name = |note: &&Holdable| note.label.level() == Level::Named && !note.mixed;
        let for_leads = notes.is_empty() || !notes.iter().all(by_name);
        let told = members.filter(|card| {
            let lead = card.roles.contains(&Role::Lead);
            let decides = lead || card.roles.contains(&Role::Officer);
            let clearance = card.clearance(now);
            lead && for_leads || decides && notes.iter().any(|note| clearance.dominates(&note.label))
        });
        told.map(|card| card.person).chain([self.identity.person()]).collect()
    }

    /// Enters a hold with its statement, in several entries where it names very many notes.
    fn enter_hold(
        &mut self,
        mut metadata: Metadata,
        readers: &BTreeSet<PersonId>,
        notes: &[NoteId],
        beginning: Option<EntryRef>,
        details: &Details,
    ) -> Result<EntryRef, Error> {
        let why = self.context.access.reason().map(short).unwrap_or_default();
        metadata.fields.push((WHY.to_owned(), why.clone()));
        let label = self.by_name(readers)?;
        let statement = NoteId(make_random(&mut SystemEntropy)?);
        let (changes, _) = self.seal(statement, Nature::Statement, &metadata, &why, &label)?;
        let mut changes = Some(changes);
        let mut first = None;
        let mut chunks: Vec<&[NoteId]> = notes.chunks(HELD_MAX).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        for some in chunks {
            let (details, changes) = (details.clone(), changes.take().unwrap_or_default());
            let mut draft = Draft::change(EntryKind::Hold, details, some.to_vec(), changes);
            draft.because = beginning.or(first);
            draft.held = some.to_vec();
            let entry = self.record(draft)?.entry();
            first = first.or(Some(entry));
        }
        first.ok_or_else(|| Error::new(Kind::Failed, "nothing was entered"))
    }

    /// The label of what goes to these people by name; where they have more devices than it has room for, to the leads.
    fn by_name(&self, readers: &BTreeSet<PersonId>) -> Result<Label, Error> {
        let named = |people: BTreeSet<PersonId>| {
            Label::named(people, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
        };
        let label = named(readers.clone())?;
        if self.recipients(&label).len() <= READERS_MAX {
            return Ok(label);
        }
        self.context.person.warn(
            "there are too many who must honour this hold to tell all of them what it is for: the leads are told; which notes \
             are held everybody sees",
        );
        named(self.who_must_honour(&[]))
    }

    /// The holds of that matter which nobody lifted, the oldest first.
    fn holds_of(&mut self, matter: &str) -> Result<Vec<KnownHold>, Error> {
        let mut known = self.known_holds_of(matter)?;
        known.retain(|known| known.hold.lifted.is_none());
        Ok(known)
    }

    /// The holds of that matter, lifted or not, the oldest first.
    fn known_holds_of(&mut self, matter: &str) -> Result<Vec<KnownHold>, Error> {
        if self.ledger.holds().is_empty() {
            return Ok(Vec::new());
        }
        let mut known = self.known_holds("hold-read")?;
        known.retain(|known| known.is_of(matter));
        known.sort_by_key(|known| (known.hold.time, known.hold.entry));
        Ok(known)
    }

    /// Whether of these holds some part is not told to whoever is at the desk, or a note is that they could open and have
    /// declared to stay out of.
    fn hides(
        &mut self,
        beginnings: &BTreeSet<EntryRef>,
        told: &[KnownHold],
        notes: &BTreeSet<NoteId>,
    ) -> Result<bool, Error> {
        let parts = self.ledger.holds().into_iter().filter(|hold| hold.lifted.is_none());
        let parts: Vec<Hold> = parts.filter(|hold| beginnings.contains(&hold.beginning)).collect();
        let is_told = |part: &Hold| told.iter().any(|known| known.hold.entry == part.entry);
        if parts.iter().any(|part| part.statement.is_some() && !is_told(part)) {
            return Ok(true);
        }
        if self.conflicts.is_empty() {
            return Ok(false);
        }
        let parts = parts.iter().flat_map(|part| part.notes.iter().copied());
        let notes: HashSet<NoteId> = parts.chain(notes.iter().copied()).collect();
        let filter = Filter {
            natures: TEXTS.to_vec(),
            ..Filter::default()
        };
        let details = self.hold_details("hold-read", "");
        let seen = self.find_all(details, &Looking::among(Action::List, filter, &notes))?;
        let seen: HashSet<NoteId> = seen.into_iter().map(|line| line.listed.note).collect();
        for note in notes.difference(&seen) {
            if self.find(&note.to_string())?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The holds whose statements open for the person, under an entry of their own.
    pub(super) fn known_holds(&mut self, verb: &'static str) -> Result<Vec<KnownHold>, Error> {
        let holds = self.ledger.holds();
        let said: Vec<_> = holds
            .iter()
            .filter_map(|hold| Some((hold.entry, hold.statement?)))
            .collect();
        let details = Details {
            purpose: self.context.access.purpose().map(short),
            reason: self.context.access.reason().map(short),
            ..Details::new(verb)
        };
        let found = self.find_statements(details, Action::List, &said)?;
        let known = |(entry, listed): (EntryRef, Listed)| {
            let hold = holds.iter().find(|hold| hold.entry == entry)?.clone();
            let metadata = *listed.metadata;
            Some(KnownHold { hold, metadata })
        };
        Ok(found.into_iter().filter_map(known).collect())
    }

    /// Whether a note is held: an entry names it, or it falls under a hold whose statement opens here. The latter is
    /// looked at inside the gate, and only whether comes out.
    pub(super) fn is_held(&self, note: NoteId) -> Result<bool, Error> {
        if self.ledger.is_held(note) {
            return Ok(true);
        }
        let holds = self.ledger.holds().into_iter();
        let said = holds
            .filter(|hold| hold.lifted.is_none())
            .filter_map(|hold| hold.statement);
        let said = self.stored_statements(&said.collect::<Vec<_>>())?;
        let gate = Gate::new(self.identity, self.ledger.keyring());
        let (scopes, _) = gate.conflicts(&said)?;
        if scopes.is_empty() {
            return Ok(false);
        }
        let readable = gate.readable(self.ledger.wraps(&note.to_string())?, &self.clearance());
        let wraps = readable.into_iter().map(|(note, _, wrap)| (note, wrap)).collect();
        let stored = self.ledger.stored_many(wraps)?;
        Ok(gate.minding(&scopes).survey_revisions(&stored, &TEXTS).conflict())
    }

    /// The statements of holds that somebody must honour who gets a further device, or comes in, and whose they are.
    pub(super) fn holds_to_honour(&self, person: PersonId) -> Result<Vec<(EntryRef, Statement)>, Error> {
        let holds = self.ledger.holds();
        let holds: Vec<Hold> = holds.into_iter().filter(|hold| hold.lifted.is_none()).collect();
        if holds.is_empty() {
            return Ok(Vec::new());
        }
        let labels = self.holdable()?;
        let theirs = holds.iter().filter(|hold| {
            // What its own person placed with it: others may name its beginning for what they like.
            let by = self.person(hold.entry);
            let with_it = |part: &&Hold| part.beginning == hold.beginning && self.person(part.entry) == by;
            let labels: Vec<&Holdable> = holds
                .iter()
                .filter(with_it)
                .flat_map(|part| &part.notes)
                .filter_map(|note| labels.get(note))
                .collect();
            self.who_must_honour(&labels).contains(&person)
        });
        Ok(theirs.filter_map(|hold| Some((hold.entry, hold.statement?))).collect())
    }
}
