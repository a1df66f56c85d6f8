//! Entries whose roster is none of the chain: of one that was withdrawn they are taken, as far as what it stood upon
//! allows; of any other they are not (docs/FORMAT.md §7.6).

use super::high_water::HighWater;
use super::merge::commits;
use super::objects::{FILE_MAX, MAIN, Objects};
use super::verify::{Facts, Tally};
use super::view::View;
use crate::chain::{Entry, Problem, Receipt, Withdrawals};
use crate::crypto::sha256;
use crate::id::{Digest, EntryRef};
use crate::repo::{Mode, Oid, ReadError};
use std::collections::BTreeSet;

/// An entry, or several of one history in a row that change nothing, with a roster that is not of the chain.
struct Waiting {
    at: EntryRef,
    history: usize,
    roster: Digest,
    /// By the cards before it and after it in its log, as far as they are of the chain: their places there.
    before: Option<usize>,
    after: Option<usize>,
    /// What has to be judged by who was a lead.
    entry: Option<Box<Entry>>,
}

/// What waits until all logs are read.
#[derive(Default)]
pub(super) struct Pending {
    waiting: Vec<Waiting>,
    /// First entries that name such a card as the one that admits their device.
    admitted: Vec<(EntryRef, usize, Digest)>,
}

/// What is to be said of them.
#[derive(Default)]
pub(super) struct Withdrawn {
    /// Faults, each with whether it is of another history than the one under the log's own name.
    pub(super) faults: Vec<(Problem, bool)>,
    /// Entries to be judged by the cards up to that one.
    pub(super) entries: Vec<(Box<Entry>, usize)>,
}

impl Pending {
    /// Takes what a log's first entry says of its device.
    pub(super) fn admits(&mut self, entry: &Entry, history: usize) {
        self.admitted
            .extend(entry.admitted.map(|card| (entry.place(), history, card)));
    }

    /// Takes an entry: `position` is the place of its roster in the chain, `before` the furthest that its log had known.
    pub(super) fn entry(
        &mut self,
        entry: &Entry,
        history: usize,
        position: Option<usize>,
        before: Option<usize>,
        judged: bool,
    ) {
        let (at, roster) = (entry.place(), entry.roster);
        let same = |one: &&mut Waiting| one.at.log == at.log && one.history == history;
        if position.is_some() {
            let open = self
                .waiting
                .iter_mut()
                .rev()
                .take_while(|one| same(one) && one.after.is_none());
            open.for_each(|one| one.after = position);
            return;
        }
        let last = self.waiting.iter_mut().next_back().filter(same);
        let goes_on = last.is_some_and(|one| one.roster == roster && one.after.is_none());
        if judged || !goes_on {
            self.waiting.push(Waiting {
                at,
                history,
                roster,
                before,
                after: None,
                entry: judged.then(|| Box::new(entry.clone())),
            });
        }
    }

    /// Judges them, all logs being read.
    pub(super) fn judge(self, facts: &Facts, withdrawals: &Withdrawals) -> Withdrawn {
        let mut told = Withdrawn::default();
        let mut unknown = BTreeSet::new();
        let at = |at: EntryRef, case, message: String| Problem::at(at.log, at.seq, case, message);
        for one in self.waiting {
            let base = withdrawals.base_of(one.roster).and_then(|base| facts.position(base));
            let Some(base) = base else {
                if unknown.insert((one.at.log, one.history)) {
                    let message = "from this entry on, the members in force are not those of the vault's cards";
                    told.faults.push((at(one.at, 36, message.to_owned()), one.history > 0));
                }
                continue;
            };
            let back = one.before.is_some_and(|before| base < before) || one.after.is_some_and(|after| after < base);
            if back {
                let message = format!("entry {} goes back to members who were no longer in force", one.at.seq);
                told.faults.push((at(one.at, 36, message), one.history > 0));
            }
            told.entries.extend(one.entry.map(|entry| (entry, base)));
        }
        for (first, history, card) in self.admitted {
            let Some(roster) = &facts.roster else { continue };
            let device = first.log.device;
            let again = withdrawals.base_of(card).is_some() && roster.device_ever(device).is_some();
            if !roster.admits(card, device) && !again {
                let message = "the first entry does not name a card that admits this log's device";
                told.faults.push((at(first, 15, message.to_owned()), history > 0));
            }
        }
        for (place, why) in withdrawals.faults() {
            let message = format!("entry {} {why}: nobody withdraws but what is theirs", place.seq);
            told.faults.push((at(*place, 36, message), false));
        }
        told
    }
}

/// The cards that are known from outside must be of the chain. This device may have been at one that was withdrawn since; for
/// an auditor nobody can say whether others had it too before that.
pub(super) fn compare_rosters(
    receipt: Option<&Receipt>,
    mark: Option<&HighWater>,
    facts: &Facts,
    withdrawals: &Withdrawals,
    tally: &mut Tally,
) {
    let known = [
        ("the receipt", receipt.map(|receipt| receipt.roster)),
        ("this device", mark.map(|mark| mark.roster)),
    ];
    for (what, pinned) in known {
        let Some(pinned) = pinned.filter(|pinned| facts.position(*pinned).is_none()) else {
            continue;
        };
        match (
            withdrawals.base_of(pinned),
            receipt.is_some_and(|receipt| receipt.roster == pinned),
        ) {
            (Some(_), false) => {}
            (Some(_), true) => {
                let message = format!(
                    "the card {pinned} that {what} knows was withdrawn since by whoever had signed it: the receipt is of a \
                     copy that no other lead had seen, or the others have lost it"
                );
                tally.doubt(Problem::vault(13, message));
            }
            (None, _) => {
                let message = format!(
                    "the card {pinned} that {what} knows is not in the vault: members were replaced, or this is an older copy \
                     of the vault"
                );
                tally.problem(Problem::vault(13, message));
            }
        }
    }
}

/// No card that was withdrawn ever stood in a commit of `main`: what others can have is not taken back.
pub(super) fn verify_history_of_main(view: &View<'_>, withdrawals: &Withdrawals, tally: &mut Tally) {
    let cards: Vec<_> = withdrawals.cards().collect();
    let Some(main) = view.branches.get(MAIN).filter(|_| !cards.is_empty()) else {
        return;
    };
    let mut looked_at = BTreeSet::new();
    for oid in commits(view, *main) {
        let folder = match members_at(view, oid) {
            Ok(folder) => folder.filter(|folder| looked_at.insert(*folder)),
            Err(error) => {
                let what = "the history of the branch `main` cannot be read";
                return tally.unreadable(&error, (None, None), (36, 36), what);
            }
        };
        let Some(Ok(entries)) = folder.map(|folder| view.tree_at(folder)) else {
            continue;
        };
        for (file, by) in &cards {
            let named = |name: &str| file.1.strip_prefix("members/") == Some(name);
            let found = entries
                .iter()
                .find(|entry| named(&entry.name) && entry.mode == Mode::File);
            let bytes = found.and_then(|entry| view.blob_at(entry.oid, FILE_MAX).ok());
            if bytes.is_some_and(|bytes| sha256(&[&bytes]) == file.2) {
                let message = format!(
                    "entry {} takes back `{}`, which stood on the branch `main`",
                    by.seq, file.1
                );
                tally.problem(Problem::at(by.log, by.seq, 36, message));
            }
        }
    }
}

/// The folder of cards at a commit.
fn members_at(objects: &dyn Objects, commit: Oid) -> Result<Option<Oid>, ReadError> {
    let entries = objects.tree_at(objects.commit_at(commit)?.tree)?;
    let folder = entries.into_iter().find(|entry| entry.name == "members");
    Ok(folder
        .filter(|folder| folder.mode == Mode::Tree)
        .map(|folder| folder.oid))
}
