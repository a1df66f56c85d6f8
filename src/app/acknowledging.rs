//! Policies that members acknowledge: by each, yearly and after every change.

use super::compartments::public_facts;
use super::context::{Context, Desk};
use super::error::Error;
use crate::chain::{Card, Kind as EntryKind, Role, Time};
use crate::id::{Digest, EntryRef, PersonId};
use crate::ledger::{Changes, Draft};
use crate::policy::{Action, Decision, Kind as ThingKind};

/// How long one has after a change, or after one has come to the vault.
const WITHIN: i64 = 14 * 86_400;
/// How long an acknowledgement holds.
const YEAR: i64 = 365 * 86_400;
/// How long before it ends that is told.
const SOON: i64 = 30 * 86_400;

/// Policies that somebody acknowledged.
pub struct Acknowledged {
    /// Which.
    pub policies: Digest,
    /// When.
    pub time: Time,
    /// The entry.
    pub entry: EntryRef,
    /// Whether it was done now.
    pub changed: bool,
    /// When it is due again.
    pub due: Time,
}

/// How a member stands to the policies in force.
pub struct Acknowledgement {
    /// Who.
    pub handle: String,
    /// When they last acknowledged any.
    pub time: Option<Time>,
    /// Whether those are in force.
    pub current: bool,
    /// When it is due.
    pub due: Time,
    /// Whether that is past.
    pub overdue: bool,
}

/// Enters that the person knows the policies in force. One that still holds for months is not entered again.
pub fn acknowledge_policies(context: &Context<'_>) -> Result<Acknowledged, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("policy ack");
    match desk.decide(Action::PolicyAck, public_facts(ThingKind::Policy)?) {
        Decision::Denied(denial) => {
            let kind = Some(EntryKind::Acknowledge);
            return Err(desk.denied(&denial, kind, details, Vec::new(), "policy ack")?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let (policies, now) = (desk.policies.digest(), context.now());
    let last = desk.last_acknowledged(desk.identity.person());
    if let Some((entry, time, known)) = last
        && known == policies
        && now.unix() - time.unix() < YEAR / 2
    {
        return Ok(Acknowledged {
            policies,
            time,
            entry,
            changed: false,
            due: Time::from_unix(time.unix().saturating_add(YEAR)),
        });
    }
    let draft = Draft::change(EntryKind::Acknowledge, details, Vec::new(), Changes::default());
    let entry = desk.record(draft)?.entry();
    Ok(Acknowledged {
        policies,
        time: now,
        entry,
        changed: true,
        due: Time::from_unix(now.unix().saturating_add(YEAR)),
    })
}

/// How members stand to the policies in force: leads see everybody, others themselves.
pub fn list_acknowledgements(context: &Context<'_>) -> Result<Vec<Acknowledgement>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("policy acks");
    match desk.decide(Action::MemberList, public_facts(ThingKind::Roster)?) {
        Decision::Denied(denial) => return Err(desk.denied(&denial, None, details, Vec::new(), "policy ack")?),
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let me = desk.identity.person();
    let own = desk.ledger.charter().roster.member(me).cloned();
    let lines = match own {
        Some(card) if !card.roles.contains(&Role::Lead) => desk.acknowledgement(&card).into_iter().collect(),
        _ => desk.acknowledgements(),
    };
    let _ = desk.record(Draft::read(details, Vec::new()))?;
    Ok(lines)
}

impl Desk<'_> {
    fn last_acknowledged(&self, person: PersonId) -> Option<(EntryRef, Time, Digest)> {
        let all = self.ledger.matters().acknowledged();
        let own = all.filter(|(entry, ..)| self.person(*entry) == Some(person));
        own.max_by_key(|(entry, time, _)| (*time, *entry))
    }

    /// How all members stand to the policies in force.
    pub(super) fn acknowledgements(&self) -> Vec<Acknowledgement> {
        let now = self.context.now();
        let members = self.ledger.charter().roster.members();
        let present = members.filter(|card| !card.is_removed() && !card.has_ended(now));
        present.filter_map(|card| self.acknowledgement(card)).collect()
    }

    fn acknowledgement(&self, card: &Card) -> Option<Acknowledgement> {
        let roster = &self.ledger.charter().roster;
        let policies = self.policies.digest();
        let last = self.last_acknowledged(card.person);
        let current = last.is_some_and(|(_, _, known)| known == policies);
        let due = match last.filter(|_| current) {
            Some((_, time, _)) => time.unix().saturating_add(YEAR),
            None => {
                let came = roster.cards().iter().find(|known| known.person == card.person)?.time;
                let since = self.ledger.matters().in_force_since(policies).unwrap_or(came).max(came);
                since.unix().saturating_add(WITHIN)
            }
        };
        let due = Time::from_unix(due);
        Some(Acknowledgement {
            handle: card.handle.clone(),
            time: last.map(|(_, time, _)| time),
            current,
            due,
            overdue: due <= self.context.now(),
        })
    }

    /// When whoever is at the desk has to acknowledge the policies, if that is soon.
    pub(super) fn policies_due(&self) -> Option<Time> {
        let card = self.ledger.charter().roster.member(self.identity.person())?;
        let stands = self.acknowledgement(card)?;
        let soon = stands.due.unix() - self.context.now().unix() < SOON;
        (soon || !stands.current).then_some(stands.due)
    }
}
