//! Legal holds, and who knew of what when a note was destroyed (docs/FORMAT.md §7.5), as the log tells them in clear.
//!
//! Which notes a hold is placed on is for every member and every verifier to see, so that each can honour it; why is
//! sealed. What is no lead's counts for nothing.

use super::card::Role;
use super::entry::{Entry, Kind, Outcome};
use super::histories::Place;
use super::matter::{Deed, Statement};
use super::problem::Problem;
use super::roster::Roster;
use super::time::Time;
use crate::id::{DeviceId, Digest, EntryRef, NoteId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whether the person of a device was a lead by the cards up to the one of that digest; none where there is no such card.
pub type LeadAt<'l> = &'l dyn Fn(DeviceId, Digest) -> Option<bool>;

/// Whether whoever wrote the entry at the first place knew of the entry at the other.
pub(super) type Knows<'k> = &'k dyn Fn(Place, Place) -> bool;

/// Whether the person of a device was a lead, and not paused, by the cards of a roster up to the one of that digest.
/// `withdrawn`: that is the base of cards which are there no more, and may have ended a pause.
pub fn was_lead(roster: &Roster, device: DeviceId, at: Digest, withdrawn: bool) -> Option<bool> {
    let cards = roster.cards();
    let last = cards.iter().position(|card| card.digest() == at)?;
    let person = roster.person_of(device);
    let mut before = cards[..=last].iter().rev();
    let card = before.find(|card| Some(card.person) == person);
    Some(card.is_some_and(|card| card.roles.contains(&Role::Lead) && (withdrawn || !card.paused)))
}

/// What is to be told of entries, under which number, each once.
pub(super) type Told = BTreeSet<(EntryRef, u8, String)>;

/// A hold as it stands, or as one entry places it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// The entry.
    pub entry: EntryRef,
    /// The entry that it goes on from, or itself.
    pub beginning: EntryRef,
    /// When it was placed, by its device.
    pub time: Time,
    /// The notes that it names.
    pub notes: Vec<NoteId>,
    /// The sealed statement of what it is about.
    pub statement: Option<Statement>,
    /// By which entry it was lifted, and when.
    pub lifted: Option<(EntryRef, Time)>,
}

/// An entry, as far as it is judged.
struct Act {
    place: Place,
    roster: Digest,
    time: Time,
    because: Option<EntryRef>,
}

struct Placed {
    act: Act,
    notes: Vec<NoteId>,
    statement: Option<Statement>,
}

/// All holds that the logs tell of. What counts for nothing is to be kept from it.
#[derive(Default)]
pub(super) struct Holds {
    placed: Vec<Placed>,
    /// The places in `placed` of those that hold a note.
    on: HashMap<NoteId, Vec<usize>>,
    /// By the entry that they lift.
    lifts: BTreeMap<EntryRef, Vec<Act>>,
    /// Where somebody asked for a second person to destroy a note.
    schedules: HashMap<EntryRef, Vec<Place>>,
}

impl Holds {
    /// Takes in an entry that counts.
    pub(super) fn apply(&mut self, entry: &Entry, place: Place) {
        if entry.result != Outcome::Done {
            return;
        }
        let act = || Act {
            place,
            roster: entry.roster,
            time: entry.time,
            because: entry.because,
        };
        match (entry.kind, entry.because, &entry.matter) {
            (Some(Kind::Hold), ..) => {
                let at = self.placed.len();
                for note in &entry.held {
                    self.on.entry(*note).or_default().push(at);
                }
                self.placed.push(Placed {
                    act: act(),
                    notes: entry.held.clone(),
                    statement: Statement::of(entry),
                });
            }
            (Some(Kind::Lift), Some(hold), _) => self.lifts.entry(hold).or_default().push(act()),
            (Some(Kind::Request), _, Some(matter)) if matter.deed == Deed::Destroy => {
                self.schedules.entry(place.entry).or_default().push(place);
            }
            _ => {}
        }
    }

    /// Where a destruction was asked for, in which histories.
    pub(super) fn schedule(&self, request: EntryRef) -> &[Place] {
        self.schedules.get(&request).map_or(&[], Vec::as_slice)
    }

    /// The lifts by leads of what a hold placed, who knew of it.
    fn lifts<'h>(&'h self, hold: &'h Act, knows: Knows<'h>, lead: LeadAt<'h>) -> impl Iterator<Item = &'h Act> + 'h {
        let named = [Some(hold.place.entry), hold.because].into_iter().flatten();
        let lifts = named.filter_map(|entry| self.lifts.get(&entry)).flatten();
        lifts.filter(move |lift| is_leads(lift, lead) && knows(lift.place, hold.place))
    }

    /// All holds by leads, each entry once.
    pub(super) fn all(&self, knows: Knows<'_>, lead: LeadAt<'_>) -> Vec<Hold> {
        let mut all: Vec<Hold> = Vec::new();
        for placed in self.placed.iter().filter(|placed| is_leads(&placed.act, lead)) {
            let act = &placed.act;
            let hold = Hold {
                entry: act.place.entry,
                beginning: act.because.unwrap_or(act.place.entry),
                time: act.time,
                notes: placed.notes.clone(),
                statement: placed.statement,
                lifted: self
                    .lifts(act, knows, lead)
                    .map(|lift| (lift.place.entry, lift.time))
                    .min(),
            };
            // Of two histories that begin alike each has it.
            if !all.contains(&hold) {
                all.push(hold);
            }
        }
        all
    }

    /// Whether a note is under a hold that nobody lifted.
    pub(super) fn is_held(&self, note: NoteId, knows: Knows<'_>, lead: LeadAt<'_>) -> bool {
        let on = self.on.get(&note).into_iter().flatten();
        let mut on = on.filter_map(|at| self.placed.get(*at));
        on.any(|placed| is_leads(&placed.act, lead) && self.lifts(&placed.act, knows, lead).next().is_none())
    }

    /// What is wrong with holds and lifts, and with the destruction of what was held; and of what it could not be known that
    /// it was held. Of what names an entry that is out of sight nothing is said, nor, where entries were lost, of what one of
    /// them may have lifted.
    pub(super) fn judge(
        &self,
        destructions: impl Fn(&NoteId) -> Vec<Place>,
        (knows, lead): (Knows<'_>, LeadAt<'_>),
        (lacks, out_of_sight): (bool, &dyn Fn(EntryRef) -> bool),
    ) -> (Told, Told) {
        let (mut faults, mut findings) = (Told::new(), Told::new());
        let mut rests = |place: EntryRef, on: EntryRef, what: &str| {
            let is_hold = self.placed.iter().any(|placed| placed.act.place.entry == on);
            if !is_hold && !out_of_sight(on) {
                faults.insert((place, 36, format!("entry {} {what} {on}, which is no hold", place.seq)));
            }
        };
        for (on, lifts) in &self.lifts {
            lifts.iter().for_each(|lift| rests(lift.place.entry, *on, "lifts"));
        }
        for placed in &self.placed {
            if let Some(on) = placed.act.because {
                rests(placed.act.place.entry, on, "goes on from");
            }
        }
        for (note, holds) in &self.on {
            for by in destructions(note) {
                let holds = holds.iter().filter_map(|at| self.placed.get(*at));
                for hold in holds.map(|placed| &placed.act).filter(|hold| is_leads(hold, lead)) {
                    let (place, held) = (by.entry, hold.place.entry);
                    let seq = place.seq;
                    if !knows(by, hold.place) {
                        // Who holds what they know to be gone holds nothing.
                        if !knows(hold.place, by) {
                            let message =
                                format!("entry {seq} destroyed what {held} holds, and neither knew of the other");
                            findings.insert((place, 37, message));
                        }
                    } else if !lacks && !self.lifts(hold, knows, lead).any(|lift| knows(by, lift.place)) {
                        let message = format!("entry {seq} destroys what {held} holds, and knew of it");
                        faults.insert((place, 37, message));
                    }
                }
            }
        }
        (faults, findings)
    }
}

fn is_leads(act: &Act, lead: LeadAt<'_>) -> bool {
    lead(act.place.entry.log.device, act.roster) == Some(true)
}

/// As problems of their logs.
pub(super) fn told(found: Told) -> Vec<Problem> {
    let problem = |(place, case, message): (EntryRef, u8, String)| Problem::at(place.log, place.seq, case, message);
    found.into_iter().map(problem).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::entry::tests::example;
    use super::super::live::LiveSet;
    use super::super::{FileRef, Matter};
    use super::*;
    use crate::id::LogName;

    const NOTE: NoteId = NoteId([7; 16]);

    fn log(device: u8) -> LogName {
        format!("{device:016x}-00000001").parse().unwrap()
    }

    /// An entry of the device of that number, which has by then seen so many entries of others.
    fn entry(device: u8, seq: u64, kind: Kind, seen: &[(u8, u64)]) -> Entry {
        let at = |(other, size): &(u8, u64)| (log(*other), (*size, Digest([0; 32])));
        Entry {
            log: log(device),
            kind: Some(kind),
            seen: seen.iter().map(at).collect(),
            ..example(seq, Digest([0; 32]))
        }
    }

    fn hold(device: u8, seq: u64, seen: &[(u8, u64)]) -> Entry {
        Entry {
            held: vec![NOTE],
            ..entry(device, seq, Kind::Hold, seen)
        }
    }

    fn lift(device: u8, seq: u64, of: &Entry, seen: &[(u8, u64)]) -> Entry {
        Entry {
            because: Some(of.place()),
            ..entry(device, seq, Kind::Lift, seen)
        }
    }

    fn destroy(device: u8, seq: u64, seen: &[(u8, u64)]) -> Entry {
        let digest = Digest([1; 32]);
        Entry {
            forgot: vec![FileRef("notes/07".into(), format!("{NOTE}.{digest}"), digest)],
            ..entry(device, seq, Kind::Destroy, seen)
        }
    }

    /// Who has a device of a number below nine is a lead.
    fn lead(device: DeviceId, _: Digest) -> Option<bool> {
        Some(device.0[7] < 9)
    }

    fn told(entries: &[&Entry]) -> LiveSet {
        let mut live = LiveSet::default();
        entries.iter().for_each(|entry| live.apply(entry));
        let mut back = LiveSet::default();
        entries.iter().rev().for_each(|entry| back.apply(entry));
        // Of one log entries come in their order; which log comes first does not matter.
        if entries
            .iter()
            .all(|entry| entries.iter().filter(|other| other.log == entry.log).count() == 1)
        {
            assert_eq!(judged(&live), judged(&back));
        }
        live
    }

    /// Cases of faults and of findings, each with its place.
    fn judged(live: &LiveSet) -> (Vec<(u8, u64)>, usize) {
        let (faults, findings) = live.judge_holds(&lead, false);
        (
            faults.iter().map(|fault| (fault.case, fault.seq.unwrap())).collect(),
            findings.len(),
        )
    }

    #[test]
    fn a_hold_holds_until_a_lead_lifts_it_who_knew_of_it() {
        let held = |entries: &[&Entry]| told(entries).is_held(NOTE, &lead);
        let one = hold(1, 1, &[]);
        assert!(held(&[&one]) && !told(&[&one]).is_held(NoteId([8; 16]), &lead));
        assert!(!held(&[&hold(9, 1, &[])]));
        assert!(!held(&[&one, &lift(1, 2, &one, &[])]));
        assert!(!held(&[&one, &lift(2, 2, &one, &[(1, 2)])]));
        for bad in [
            lift(2, 2, &one, &[]),
            lift(2, 2, &one, &[(1, 1)]),
            lift(9, 2, &one, &[(1, 2)]),
        ] {
            assert!(held(&[&one, &bad]), "{bad:?}");
        }
        // What goes on from a hold ends with it, if whoever lifted it knew of that too.
        let more = Entry {
            because: Some(one.place()),
            ..hold(2, 1, &[(1, 2)])
        };
        assert!(held(&[&one, &more, &lift(1, 2, &one, &[])]));
        assert!(!held(&[&one, &more, &lift(1, 2, &one, &[(2, 2)])]));
        assert!(held(&[&one, &more, &lift(1, 2, &more, &[(2, 2)])]));
        let all = told(&[&one, &more, &lift(1, 2, &one, &[])]).holds(&lead);
        assert_eq!(
            all.iter()
                .map(|hold| (hold.beginning, hold.lifted.is_some()))
                .collect::<Vec<_>>(),
            [(one.place(), true), (one.place(), false)]
        );
    }

    #[test]
    fn who_knows_of_a_hold_destroys_nothing_under_it() {
        let one = hold(1, 1, &[]);
        let known = destroy(2, 5, &[(1, 2)]);
        let lifted = lift(3, 3, &one, &[(1, 2)]);
        assert_eq!(judged(&told(&[&one, &known])), (vec![(37, 5)], 0));
        assert_eq!(judged(&told(&[&one, &lifted, &known])), (vec![(37, 5)], 0));
        assert_eq!(
            judged(&told(&[&one, &lifted, &destroy(2, 5, &[(1, 2), (3, 4)])])),
            (vec![], 0)
        );
        assert_eq!(
            judged(&told(&[&hold(9, 1, &[]), &destroy(2, 5, &[(9, 2)])])),
            (vec![], 0)
        );
        let unknown = destroy(2, 5, &[(1, 1)]);
        assert_eq!(judged(&told(&[&one, &unknown])), (vec![], 1));
        assert_eq!(judged(&told(&[&one, &lifted, &unknown])), (vec![], 1));
        assert_eq!(judged(&told(&[&hold(1, 1, &[(2, 6)]), &unknown])), (vec![], 0));
        let live = told(&[&one, &known]);
        assert_eq!(live.judge_holds(&lead, true).0, []);
        assert_eq!(live.judge_holds(&|_, _| None, false).0, []);
    }

    #[test]
    fn what_is_lifted_or_gone_on_from_is_a_hold() {
        let one = hold(1, 1, &[]);
        let release = entry(1, 1, Kind::Release, &[]);
        for (because, faults) in [(&one, vec![]), (&release, vec![(36, 3)])] {
            let more = Entry {
                because: Some(because.place()),
                ..hold(2, 3, &[(1, 2)])
            };
            assert_eq!(judged(&told(&[because, &more])).0, faults);
            assert_eq!(judged(&told(&[because, &lift(2, 3, because, &[(1, 2)])])).0, faults);
        }
        let live = told(&[&lift(2, 3, &one, &[])]);
        assert_eq!((judged(&live).0.len(), live.judge_holds(&lead, true).0.len()), (1, 0));
    }

    #[test]
    fn a_device_has_seen_a_request_that_one_of_its_logs_has_seen_or_holds() {
        let matter = Matter {
            deed: Deed::Destroy,
            note: NOTE,
            objects: Digest([2; 32]),
            until: Time::from_unix(2_000_000_000),
        };
        let asked = Entry {
            matter: Some(matter),
            ..entry(1, 4, Kind::Request, &[])
        };
        let read = |size| Entry {
            kind: None,
            ..entry(2, 1, Kind::Add, &[(1, size)])
        };
        let seen = |entries: &[&Entry], device: u8| told(entries).has_seen(log(device).device, asked.place());
        assert!(seen(&[&asked], 1) && !seen(&[&asked], 2));
        assert!(!seen(&[&asked, &read(4)], 2) && seen(&[&asked, &read(5)], 2));
        assert!(!seen(&[&read(5)], 2));
    }
}
