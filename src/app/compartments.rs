//! Compartments.

use super::context::{Context, Desk};
use super::error::{Error, Kind};
use super::sync::keep_together;
use super::table::typed;
use crate::chain::Kind as EntryKind;
use crate::crypto::make_random;
use crate::env::SystemEntropy;
use crate::envelope::{Key, KeyUse, Keyring};
use crate::id::{CompartmentId, EntryRef};
use crate::label::{Label, LabelText, Level, is_unseen};
use crate::ledger::{Changes, Draft};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};

/// A compartment as its holder sees it.
pub struct CompartmentInfo {
    /// Its id, which stands in clear in cards.
    pub id: CompartmentId,
    /// Its name, which is sealed.
    pub name: String,
    /// The entry that made it, if this call did.
    pub entry: Option<EntryRef>,
}

/// Makes a compartment: a key of its own, and a card that gives it to its maker.
pub fn new_compartment(context: &Context<'_>, name: &str) -> Result<CompartmentInfo, Error> {
    let name = check_compartment(name)?;
    let unlocked = context.unlock()?;
    keep_together(context, &unlocked)?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("compartment new");
    match desk.decide(Action::CompartmentNew, roster_facts()?) {
        Decision::Denied(denial) => {
            return Err(desk.denied(&denial, Some(EntryKind::Card), details, Vec::new(), "compartment new")?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    details.asked = Some(name.clone());
    let mut held = desk.ledger.keyring().compartments();
    let there = held.find(|(known, _)| known.eq_ignore_ascii_case(&name));
    if let Some((name, id)) = there.map(|(name, id)| (name.to_owned(), id)) {
        drop(held);
        let _ = desk.record(Draft::read(details, Vec::new()))?;
        return Ok(CompartmentInfo { id, name, entry: None });
    }
    drop(held);
    let entropy = &mut SystemEntropy;
    let id = CompartmentId(make_random(entropy)?);
    let key = Key::make(
        KeyUse::Compartment(id),
        Some(name.clone()),
        make_random(entropy)?,
        entropy,
    )?;
    let changes = desk.give_compartment(id, key)?;
    let recorded = desk.record(Draft::change(EntryKind::Card, details, Vec::new(), changes))?;
    drop(desk);
    keep_together(context, &unlocked)?;
    Ok(CompartmentInfo {
        id,
        name,
        entry: Some(recorded.entry()),
    })
}

/// The compartments this session holds, by name.
pub fn list_compartments(context: &Context<'_>) -> Result<Vec<CompartmentInfo>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("compartment list");
    match desk.decide(Action::CompartmentList, roster_facts()?) {
        Decision::Denied(denial) => return Err(desk.denied(&denial, None, details, Vec::new(), "compartment list")?),
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let _ = desk.record(Draft::read(details, Vec::new()))?;
    let held = desk.ledger.keyring().compartments();
    let mut list: Vec<CompartmentInfo> = held
        .map(|(name, id)| CompartmentInfo {
            id,
            name: name.to_owned(),
            entry: None,
        })
        .collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(list)
}

pub(super) fn roster_facts() -> Result<ResourceFacts, Error> {
    public_facts(ThingKind::Roster)
}

/// What is decided about that bears no label.
pub(super) fn public_facts(kind: ThingKind) -> Result<ResourceFacts, Error> {
    let public = Label::new(Level::Public, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
    Ok(ResourceFacts::new(kind, public))
}

/// A compartment's name: what can stand between the slashes of a label.
fn check_compartment(name: &str) -> Result<String, Error> {
    let written: Result<LabelText, _> = format!("x/{name}").parse();
    match written {
        Ok(label) if label.compartments == [name] && name.chars().count() <= 64 && !name.chars().any(is_unseen) => {
            Ok(name.to_owned())
        }
        _ => Err(
            Error::new(Kind::Usage, format!("`{}` cannot be a compartment's name", typed(name))).hint(
                "it takes 1 to 64 characters that are seen, no `/`, no `@` at the beginning, no spaces around it",
            ),
        ),
    }
}

impl Desk<'_> {
    /// The files that give a new compartment's key to the person at the desk: their next card, and new boxes for each
    /// of their devices in the place of the old ones.
    pub(super) fn give_compartment(&mut self, id: CompartmentId, key: Key) -> Result<Changes, Error> {
        let mut card = self.next_card(self.identity.person())?;
        card.compartments.push(id);
        card.compartments.sort_unstable();
        let mut changes = self.ledger.card_changes(&card)?;
        self.ledger.forget_boxes(&card, &mut changes);
        self.ledger.keyring_with(Keyring::new([key]));
        let keys = self.ledger.keyring();
        self.ledger.give_keys(&card, keys, &mut changes, &mut SystemEntropy)?;
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compartment_s_name_fits_a_label() {
        assert_eq!(check_compartment("Halcyon").as_deref(), Ok("Halcyon"));
        assert_eq!(check_compartment("Grey Orchard").as_deref(), Ok("Grey Orchard"));
        for bad in [
            "",
            "a/b",
            "@mara",
            " x",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            &"x".repeat(65),
        ] {
            assert!(check_compartment(bad).is_err(), "{bad:?}");
        }
    }
}
