//! Conflicts of interest: whoever declares one stays out of the matter. The statement goes to them and to the leads by name.

use super::compartments::public_facts;
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::notes::check_name;
use crate::chain::{Kind as EntryKind, Role, Statement, Time};
use crate::crypto::{Recipient, make_random};
use crate::env::SystemEntropy;
use crate::gate::{Conflicts, Gate, Nature};
use crate::id::{EntryRef, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::Draft;
use crate::policy::{Action, Decision, Kind as ThingKind};
use std::collections::{BTreeSet, HashSet};

/// A conflict that was declared.
pub struct ConflictLine {
    /// The entry.
    pub entry: EntryRef,
    /// Who declared it.
    pub by: String,
    /// When.
    pub time: Time,
    /// The client concerned; empty for a case of whatever client.
    pub client: String,
    /// The case concerned; empty for all of the client's.
    pub case: String,
    /// Why, if it was said.
    pub why: Option<String>,
}

/// What came of declaring one.
pub struct DeclaredConflict {
    /// The entry; none where it was declared before, or what is wider.
    pub entry: Option<EntryRef>,
}

/// The field with the reason.
const WHY: &str = "why";

/// Declares that the person is to stay out of what concerns a client, a case, or a case of a client.
pub fn declare_conflict(
    context: &Context<'_>,
    client: Option<&str>,
    case: Option<&str>,
) -> Result<DeclaredConflict, Error> {
    let client = client
        .map(|name| check_name("client", name))
        .transpose()?
        .unwrap_or_default();
    let case = case
        .map(|name| check_name("case", name))
        .transpose()?
        .unwrap_or_default();
    if client.is_empty() && case.is_empty() {
        return Err(Error::new(
            Kind::Usage,
            "say what it is about: --client NAME, --case NAME or both",
        ));
    }
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("conflict declare");
    match desk.decide(Action::ConflictDeclare, public_facts(ThingKind::Vault)?) {
        Decision::Denied(denial) => {
            return Err(desk.denied(
                &denial,
                Some(EntryKind::Conflict),
                details,
                Vec::new(),
                "conflict declare",
            )?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    details.level = Some(Level::Named);
    details.client = Some(client.clone()).filter(|client| !client.is_empty());
    let note = NoteId(make_random(&mut SystemEntropy)?);
    let mut metadata = desk.statement_metadata("conflict of interest".to_owned(), client, case);
    if desk.conflicts.concern(&metadata) {
        let _ = desk.record(Draft::read(details, Vec::new()))?;
        return Ok(DeclaredConflict { entry: None });
    }
    let why = context.access.reason().map(short).filter(|why| !why.is_empty());
    metadata.fields.extend(why.map(|why| (WHY.to_owned(), why)));
    let text = context.access.reason().map(short).unwrap_or_default();
    let label = desk.to_leads()?;
    let (changes, _) = desk.seal(note, Nature::Statement, &metadata, &text, &label)?;
    let recorded = desk.record(Draft::change(EntryKind::Conflict, details, vec![note], changes))?;
    Ok(DeclaredConflict {
        entry: Some(recorded.entry()),
    })
}

/// The conflicts that the person declared, and those that were declared to them.
pub fn list_conflicts(context: &Context<'_>) -> Result<Vec<ConflictLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    desk.refuse_what_is_said("conflict list", Action::List)?;
    let details = desk.details("conflict list");
    let declared: Vec<(EntryRef, Statement)> = desk.ledger.matters().conflicts().collect();
    // What one has declared oneself bars one from the matter, not from the list of what one has declared.
    desk.conflicts = Conflicts::default();
    let found = desk.find_statements(details, Action::ConflictList, &declared)?;
    let mut lines = Vec::new();
    for (entry, listed) in found {
        let metadata = &listed.metadata;
        lines.push(ConflictLine {
            entry,
            by: desk.handle_of(entry),
            time: Time::from_unix(metadata.created),
            client: metadata.client.clone(),
            case: metadata.case.clone(),
            why: metadata
                .fields
                .iter()
                .find(|(name, _)| name == WHY)
                .map(|(_, why)| why.clone()),
        });
    }
    lines.sort_by_key(|line| (line.time, line.entry));
    Ok(lines)
}

impl Desk<'_> {
    /// What the person has declared to stay out of. It is looked at inside the gate and does not come out.
    pub(super) fn own_conflicts(&self) -> Result<Conflicts, Error> {
        let (conflicts, unread) = self.look_at_conflicts()?;
        if unread > 0 {
            self.context.person.warn(
                "you declared a conflict of interest that this device cannot read, so it bars you from nothing here: declare it \
                 again (`strongroom conflict declare`)",
            );
        }
        Ok(conflicts)
    }

    /// The same, and how many of them this device does not read.
    fn look_at_conflicts(&self) -> Result<(Conflicts, usize), Error> {
        let me = Some(self.identity.person());
        let declared = self.ledger.matters().conflicts();
        let own: Vec<Statement> = declared
            .filter(|(entry, _)| self.person(*entry) == me)
            .map(|(_, statement)| statement)
            .collect();
        let stored = self.stored_statements(&own)?;
        let there: HashSet<NoteId> = stored.iter().map(|stored| stored.note).collect();
        let gone = own.iter().filter(|statement| !there.contains(&statement.note)).count();
        let (conflicts, closed) = Gate::new(self.identity, self.ledger.keyring()).conflicts(&stored)?;
        Ok((conflicts, closed + gone))
    }

    /// Seals what somebody declared to a further device of theirs too, as far as it opens here: it bars them there as well;
    /// and what holds are for that they must honour.
    pub(super) fn tell_device(&mut self, person: PersonId, device: &Recipient) -> Result<(), Error> {
        let declared = self.ledger.matters().conflicts();
        let mut said: Vec<_> = declared
            .filter(|(entry, _)| self.person(*entry) == Some(person))
            .collect();
        said.extend(self.holds_to_honour(person)?);
        self.hand_on_statements(&said, device)
    }

    /// The label of what a person and all leads read, by name.
    fn to_leads(&self) -> Result<Label, Error> {
        let now = self.context.now();
        let members = self.ledger.charter().roster.members();
        let leads =
            members.filter(|card| card.roles.contains(&Role::Lead) && !card.is_removed() && !card.has_ended(now));
        let mut people: BTreeSet<PersonId> = leads.map(|card| card.person).collect();
        people.insert(self.identity.person());
        Label::named(people, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
    }
}
