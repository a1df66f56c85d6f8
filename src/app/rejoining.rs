//! A log of which two histories were kept, since a backup was put back and written to: a lead who has looked at both says
//! so in a card (docs/FORMAT.md §7.1).

use super::compartments::roster_facts;
use super::context::{Context, short};
use super::error::Error;
use super::members::no_member;
use super::sync::keep_together;
use crate::chain::Kind as EntryKind;
use crate::env::SystemEntropy;
use crate::id::{EntryRef, LogName};
use crate::ledger::Draft;
use crate::policy::{Action, Decision};

const VERB: &str = "join histories";

/// What came of it.
pub struct Rejoined {
    /// Whose logs they are.
    pub handle: String,
    /// The logs of which a card names the end of each history now, with the entry of that card.
    pub logs: Vec<(LogName, EntryRef)>,
}

/// Makes a card for each log of a member's devices that has several histories which no card names yet.
pub fn rejoin(context: &Context<'_>, handle: &str) -> Result<Rejoined, Error> {
    let unlocked = context.unlock()?;
    keep_together(context, &unlocked)?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details(VERB);
    details.asked = Some(short(handle.to_owned()));
    match desk.decide(Action::MemberResume, roster_facts()?) {
        Decision::Denied(denial) => {
            return Err(desk.denied(&denial, Some(EntryKind::Card), details, Vec::new(), VERB)?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let roster = &desk.ledger.charter().roster;
    // Also of somebody who was removed: their histories are there all the same.
    let card = roster.cards().iter().rev().find(|card| card.handle == handle);
    let Some((person, name)) = card.map(|card| (card.person, card.handle.clone())) else {
        return Err(desk.refused(VERB, Some(EntryKind::Card), Some(handle), no_member(handle))?);
    };
    let theirs = desk.ledger.unjoined(person)?;
    if theirs.is_empty() {
        let _ = desk.record(Draft::read(details.clone(), Vec::new()))?;
    }
    let mut logs = Vec::new();
    for log in theirs {
        let done = desk
            .ledger
            .join_histories(log, context.now(), details.clone(), &mut SystemEntropy)?;
        logs.push((log, done.entry()));
    }
    drop(desk);
    keep_together(context, &unlocked)?;
    Ok(Rejoined { handle: name, logs })
}
