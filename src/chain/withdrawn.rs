//! What a device takes back of `main`, since another lead's change reached the others first (docs/FORMAT.md §7.6): which
//! rosters were in force for somebody and are not of the chain, and upon which of the chain they stood.

use super::entry::{Entry, FileRef, Kind, Outcome};
use crate::id::{Digest, EntryRef, LogName};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The branch of members and rules.
const MAIN: &str = "main";
/// Where its cards are.
const MEMBERS: &str = "members/";

/// What one history of a log did to `main`.
#[derive(Default)]
struct Walk {
    /// The files that it wrote, each with the roster that was in force then.
    wrote: HashMap<FileRef, Digest>,
    forgot: HashSet<FileRef>,
}

/// What the logs took back. Entries of one history come in order.
#[derive(Default)]
pub struct Withdrawals {
    walks: HashMap<(LogName, usize), Walk>,
    /// Each withdrawn roster, and the one of the chain that it stood upon by the word of whoever withdrew it.
    bases: BTreeMap<Digest, Digest>,
    /// The cards' files that were taken back, and the entries that did.
    cards: BTreeMap<FileRef, EntryRef>,
    faults: Vec<(EntryRef, &'static str)>,
}

impl Withdrawals {
    /// Takes an entry into account that was read in the history of that number.
    pub fn apply(&mut self, entry: &Entry, history: usize) {
        let of_main = |files: &[FileRef]| files.iter().any(|file| file.0 == MAIN);
        let withdraws = entry.kind == Some(Kind::Withdraw) && entry.result == Outcome::Done;
        if !withdraws && !of_main(&entry.wrote) && !of_main(&entry.forgot) {
            return;
        }
        let walk = self.walks.entry((entry.log, history)).or_default();
        let files = |files: &'_ [FileRef]| {
            let files = files.iter().filter(|file| file.0 == MAIN).cloned();
            files.collect::<Vec<_>>()
        };
        let (wrote, forgot) = (files(&entry.wrote), files(&entry.forgot));
        if !withdraws {
            // A log's first entry brings its device, or the vault: that is taken back by nobody.
            let first = entry.seq == 0;
            walk.wrote
                .extend(wrote.into_iter().filter(|_| !first).map(|file| (file, entry.roster)));
            walk.forgot.extend(forgot);
            return;
        }
        let mut fault = |why| self.faults.push((entry.place(), why));
        if forgot.is_empty() {
            fault("takes nothing back");
        }
        for file in forgot {
            match walk.wrote.remove(&file) {
                Some(roster) if file.1.starts_with(MEMBERS) => {
                    if roster == entry.roster {
                        fault("takes a card back and names it as in force");
                    }
                    self.bases.entry(roster).or_insert(entry.roster);
                    self.cards.entry(file).or_insert(entry.place());
                }
                Some(_) => {}
                None => fault("takes back what its log did not write"),
            }
        }
        for file in wrote {
            if file.1.starts_with(MEMBERS) {
                fault("puts a card back");
            } else if !walk.forgot.remove(&file) {
                fault("puts back what its log did not forget");
            }
        }
    }

    /// The roster of the chain that a withdrawn one stood upon; none where that roster was not withdrawn.
    pub fn base_of(&self, roster: Digest) -> Option<Digest> {
        self.bases.get(&roster).copied()
    }

    /// The files of the cards that were taken back, each with the entry that did: others never had them.
    pub fn cards(&self) -> impl Iterator<Item = (&FileRef, EntryRef)> {
        self.cards.iter().map(|(file, by)| (file, *by))
    }

    /// The entries that take back, or put back, what they may not, and why.
    pub fn faults(&self) -> &[(EntryRef, &'static str)] {
        &self.faults
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::example;
    use super::*;

    fn file(path: &str, n: u8) -> FileRef {
        FileRef(MAIN.into(), path.into(), Digest([n; 32]))
    }

    fn entry(seq: u64, kind: Kind, roster: u8, wrote: &[FileRef], forgot: &[FileRef]) -> Entry {
        let mut entry = example(seq, Digest([0; 32]));
        (entry.kind, entry.roster) = (Some(kind), Digest([roster; 32]));
        (entry.wrote, entry.forgot) = (wrote.to_vec(), forgot.to_vec());
        entry
    }

    fn read(entries: &[Entry]) -> Withdrawals {
        let mut read = Withdrawals::default();
        entries.iter().for_each(|entry| read.apply(entry, 0));
        read
    }

    #[test]
    fn a_device_takes_back_what_it_wrote_and_puts_back_what_it_forgot() {
        let card = file("members/0001-0000000000000009.card", 1);
        let (old, new) = (file("allowed_signers", 2), file("allowed_signers", 3));
        let both = [new.clone(), card.clone()];
        let wrote = entry(4, Kind::Card, 8, &both, std::slice::from_ref(&old));
        let good = entry(5, Kind::Withdraw, 5, std::slice::from_ref(&old), &both);
        let taken = read(&[wrote.clone(), good.clone()]);
        assert!(taken.faults().is_empty());
        assert_eq!(taken.base_of(Digest([8; 32])), Some(Digest([5; 32])));
        assert_eq!(taken.base_of(Digest([5; 32])), None);
        assert_eq!(taken.cards().collect::<Vec<_>>(), [(&card, good.place())]);
        let other = file("policies/levels.toml", 7);
        let faulty = |entries: &[Entry], why: &str| {
            let told: Vec<_> = read(entries).faults().iter().map(|(_, why)| *why).collect();
            assert_eq!(told, [why]);
        };
        // Each with one fault.
        let stranger = "takes back what its log did not write";
        faulty(
            &[entry(5, Kind::Withdraw, 5, &[], std::slice::from_ref(&other))],
            stranger,
        );
        let mut elsewhere = wrote.clone();
        elsewhere.log = "1102030405060708-090a0b0c".parse().unwrap();
        faulty(
            &[elsewhere, entry(5, Kind::Withdraw, 5, &[], std::slice::from_ref(&card))],
            stranger,
        );
        faulty(
            &[
                wrote.clone(),
                good.clone(),
                entry(6, Kind::Withdraw, 5, &[], std::slice::from_ref(&card)),
            ],
            stranger,
        );
        let mut first = wrote.clone();
        (first.seq, first.kind, first.admitted) = (0, Some(Kind::Begin), Some(Digest([1; 32])));
        faulty(
            &[first, entry(5, Kind::Withdraw, 5, &[], std::slice::from_ref(&card))],
            stranger,
        );
        faulty(
            &[wrote.clone(), entry(5, Kind::Withdraw, 5, &[], &[])],
            "takes nothing back",
        );
        faulty(
            &[wrote.clone(), entry(5, Kind::Withdraw, 5, &[other], &both)],
            "puts back what its log did not forget",
        );
        faulty(
            &[
                wrote.clone(),
                entry(
                    5,
                    Kind::Withdraw,
                    5,
                    &[file("members/0001-0000000000000008.card", 4)],
                    &both,
                ),
            ],
            "puts a card back",
        );
        faulty(
            &[wrote, entry(5, Kind::Withdraw, 8, &[old], &both)],
            "takes a card back and names it as in force",
        );
    }

    #[test]
    fn what_was_refused_takes_nothing_back() {
        let card = file("members/0001-0000000000000009.card", 1);
        let wrote = entry(4, Kind::Card, 8, std::slice::from_ref(&card), &[]);
        let mut denied = entry(5, Kind::Withdraw, 5, &[], &[]);
        denied.result = Outcome::Denied;
        let read = read(&[wrote, denied]);
        assert!(read.faults().is_empty() && read.base_of(Digest([8; 32])).is_none());
    }
}
