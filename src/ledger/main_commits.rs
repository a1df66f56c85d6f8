//! Who may have made a commit of `main` (docs/FORMAT.md §7): entries name the members under which they were made, and whoever was
//! a lead once could name those of then for ever. A commit cannot choose what it follows.

use super::objects::Objects;
use super::verify::is_signed;
use super::verify_files::tree_files;
use crate::chain::{Card, DeviceKind, Role, Roster};
use crate::id::PersonId;
use crate::repo::{Commit, Oid};
use std::collections::BTreeSet;

/// Depth of the tree of `main`.
const DEPTH: usize = 3;

/// Whether a commit of `main` is signed by a device of somebody who is a lead by the cards that it follows, and not paused; of
/// the founder, if it follows none; or of somebody who comes back by paper, if it leaves the policies as they were.
pub(super) fn is_by_a_lead(objects: &dyn Objects, commit: &Commit, roster: &Roster) -> bool {
    let Ok(after) = Charted::read(objects, commit.tree) else {
        return false;
    };
    let before = match commit.parents.first().map(|parent| objects.commit_at(*parent)) {
        None => Ok(Charted::default()),
        Some(parent) => parent
            .map_err(drop)
            .and_then(|parent| Charted::read(objects, parent.tree)),
    };
    let Ok(before) = before else { return false };
    let cards = roster.cards();
    let known = cards.get(..before.cards.min(cards.len())).unwrap_or_default();
    let last = |person: PersonId| known.iter().rev().find(|card| card.person == person);
    let leads = |card: &&Card| card.roles.contains(&Role::Lead) && !card.paused;
    let mut may: BTreeSet<PersonId> = known.iter().map(|card| card.person).collect();
    may.retain(|person| last(*person).as_ref().is_some_and(leads));
    if known.is_empty() {
        may.extend(cards.first().map(|first| first.person));
    }
    let signed = |people: &BTreeSet<PersonId>| {
        let theirs = cards.iter().filter(|card| people.contains(&card.person));
        let devices = theirs.flat_map(|card| &card.devices);
        let devices = devices.filter(|device| device.kind == DeviceKind::Device);
        is_signed(commit, devices.filter_map(|device| device.sign_key()))
    };
    let new = cards.get(known.len()..after.cards.min(cards.len())).unwrap_or_default();
    let by_paper = |card: &&Card| {
        let by = roster.device_ever(card.by);
        by.is_some_and(|by| by.kind == DeviceKind::Paper) && roster.person_of(card.by) == Some(card.person)
    };
    let back: BTreeSet<PersonId> = new.iter().filter(by_paper).map(|card| card.person).collect();
    signed(&may) || before.policies == after.policies && !back.is_empty() && signed(&back)
}

/// What a tree of `main` holds, as far as it says who may change it.
#[derive(Default)]
struct Charted {
    /// How many cards.
    cards: usize,
    /// Path and content of each file of the policies.
    policies: BTreeSet<(String, Oid)>,
}

impl Charted {
    fn read(objects: &dyn Objects, tree: Oid) -> Result<Self, ()> {
        let mut whole = Ok(());
        let files = tree_files(objects, tree, DEPTH, &mut |_, _| whole = Err(()));
        whole?;
        let (mut cards, mut policies) = (0, BTreeSet::new());
        for file in files {
            if file.path.starts_with("members/") {
                cards += 1;
            } else if file.path.starts_with("policies/") {
                policies.insert((file.path, file.oid));
            }
        }
        Ok(Self { cards, policies })
    }
}
