//! Who may have made a commit of `main` (docs/FORMAT.md §7.2): entries name the members under which they were made, and whoever
//! was a lead once could name those of then for ever. A commit cannot choose what it follows.

use super::merge::commits;
use super::objects::{MAIN, Objects};
use super::verify::{Facts, Tally, is_signed};
use super::view::View;
use crate::chain::{Card, DeviceKind, Problem, Role, Roster};
use crate::id::PersonId;
use crate::repo::{Commit, Mode, Oid, ReadError};
use std::collections::BTreeSet;

/// Whether a commit of `main` is signed by a device of somebody who is a lead by the cards that it follows, and not paused; of
/// the founder, if it follows none. An error where that cannot be read.
pub(super) fn is_by_a_lead(objects: &dyn Objects, commit: &Commit, roster: &Roster) -> Result<bool, ReadError> {
    let before = match commit.parents.first() {
        None => 0,
        Some(parent) => count_cards(objects, objects.commit_at(*parent)?.tree)?,
    };
    Ok(is_signed_by_a_lead(commit, before, roster))
}

/// Whether each commit of `main` is.
pub(super) fn verify_each(view: &View<'_>, facts: &Facts, tally: &mut Tally) {
    let (Some(roster), Some(newest)) = (&facts.roster, view.branches.get(MAIN)) else {
        return;
    };
    for oid in commits(view, *newest) {
        let commit = view.commit_at(oid);
        match commit.and_then(|commit| is_by_a_lead(view, &commit, roster)) {
            Ok(true) => {}
            Ok(false) => {
                let message = "a commit on the branch `main` is not signed by a device of somebody who was a lead then";
                return tally.problem(Problem::vault(36, message));
            }
            // Who was a lead then cannot be told where what it follows cannot be read.
            Err(error) => {
                let what = "a commit on the branch `main`, or what it follows, cannot be read";
                return tally.unreadable(&error, (None, None), (36, 36), what);
            }
        }
    }
}

/// `before`: how many cards the commit follows.
fn is_signed_by_a_lead(commit: &Commit, before: usize, roster: &Roster) -> bool {
    let cards = roster.cards();
    let known = cards.get(..before.min(cards.len())).unwrap_or_default();
    let leads = |card: &&Card| card.roles.contains(&Role::Lead) && !card.paused;
    let is_lead = |person: &PersonId| {
        let last = known.iter().rev().find(|card| card.person == *person);
        last.as_ref().is_some_and(leads)
    };
    let mut may: BTreeSet<PersonId> = known.iter().map(|card| card.person).filter(is_lead).collect();
    may.extend(cards.first().filter(|_| known.is_empty()).map(|first| first.person));
    let theirs = cards.iter().filter(|card| may.contains(&card.person));
    let devices = theirs.flat_map(|card| &card.devices);
    let devices = devices.filter(|device| device.kind == DeviceKind::Device);
    is_signed(commit, devices.filter_map(|device| device.sign_key()))
}

/// How many cards a tree of `main` holds.
fn count_cards(objects: &dyn Objects, tree: Oid) -> Result<usize, ReadError> {
    let entries = objects.tree_at(tree)?;
    let folder = entries
        .iter()
        .find(|entry| entry.name == "members" && entry.mode == Mode::Tree);
    folder.map_or(Ok(0), |folder| Ok(objects.tree_at(folder.oid)?.len()))
}
