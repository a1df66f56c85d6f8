//! Matters between several people, as the log tells them in clear (docs/FORMAT.md §7.4): what one asks for and another
//! approves, glass that was broken and is reviewed, conflicts of interest that were declared.
//!
//! What is told here follows from entries alone, never from what a request says of itself. Who wrote an entry is whose
//! device's log it stands in.

use super::cuts::Cuts;
use super::entry::{Entry, FileRef, Kind, Outcome};
use super::live::note_of;
use super::problem::Problem;
use super::time::Time;
use crate::id::{DeviceId, Digest, EntryRef, NoteId, PersonId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked for that needs somebody else's approval.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// To destroy a note.
    Destroy,
    /// To release a draft.
    Release,
}

impl Deed {
    /// As it stands in an entry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Release => "release",
        }
    }

    /// The kind of the entry that carries it out.
    pub fn kind(self) -> Kind {
        match self {
            Self::Destroy => Kind::Destroy,
            Self::Release => Kind::Release,
        }
    }
}

/// What a request and its approvals are about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matter {
    /// What is to be done.
    pub deed: Deed,
    /// With which note or draft.
    pub note: NoteId,
    /// What it is made of and on what terms, bound by its content key: whoever reads it can say whether it is still that.
    pub objects: Digest,
    /// Until when it may be approved, or carried out.
    pub until: Time,
}

impl Matter {
    /// Whether it is about the same deed, on the same terms.
    fn is_of(&self, other: &Self) -> bool {
        (self.deed, self.note, self.objects) == (other.deed, other.note, other.objects)
    }
}

/// A sealed statement: the body that an entry wrote, and no other under that id, since whoever writes entries can name any.
/// Whether its author is who wrote the entry, stands in what is sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Statement {
    /// Its id among the notes.
    pub note: NoteId,
    /// Digest of the body.
    pub body: Digest,
}

impl Statement {
    /// The one that an entry writes.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let body = entry.wrote.iter().find(|file| file.0.starts_with("notes/"))?;
        Some(Self {
            note: note_of(&body.1)?,
            body: body.2,
        })
    }
}

/// A request, or its approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// When, by its device.
    pub time: Time,
    /// The members under whom.
    pub roster: Digest,
    /// About what.
    pub matter: Matter,
    /// Of a request: the sealed statement that tells approvers more. Of an approval: none.
    pub statement: Option<Statement>,
    /// Of an approval: the request. Of a request: the one that it takes back.
    pub because: Option<EntryRef>,
}

impl Said {
    /// Whether, as an approval, it is of that request.
    fn approves(&self, asked: &Self) -> bool {
        self.matter.is_of(&asked.matter) && self.matter.until <= asked.matter.until
    }
}

/// An entry of somebody who broke the glass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// When, by its device.
    pub time: Time,
    /// The sealed statement of why.
    pub statement: Option<Statement>,
}

/// A review of somebody's breaking the glass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reviewed {
    /// The entry.
    pub entry: EntryRef,
    /// By whom.
    pub by: PersonId,
    /// The members under whom.
    pub roster: Digest,
}

/// What was done on the strength of an approval.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Use {
    place: EntryRef,
    history: usize,
    kind: Kind,
    time: Time,
    /// Whose files it forgot; of a body, which.
    forgot: BTreeSet<(NoteId, Option<Digest>)>,
}

/// All matters that the logs tell of. What counts for nothing is to be kept from it.
#[derive(Default)]
pub struct Matters {
    /// By their place; in the histories of one log there may be several at one place, and one that fits is enough.
    requests: BTreeMap<EntryRef, Vec<Said>>,
    approvals: BTreeMap<EntryRef, Vec<Said>>,
    uses: BTreeMap<EntryRef, Vec<Use>>,
    broken: BTreeMap<EntryRef, Broken>,
    /// The entry that was reviewed, and by which.
    reviews: BTreeMap<EntryRef, Vec<(EntryRef, Digest)>>,
    conflicts: BTreeMap<EntryRef, Statement>,
    /// When somebody said that they know policies, and which.
    acknowledged: BTreeMap<EntryRef, (Time, Digest)>,
    /// Since when policies are in force, by their digest.
    in_force: BTreeMap<Digest, Time>,
}

/// Whose device it is.
pub type PersonOf<'p> = &'p dyn Fn(DeviceId) -> Option<PersonId>;

impl Matters {
    /// Takes in an entry that counts, of the history of its log that has this number.
    pub(super) fn apply(&mut self, entry: &Entry, history: usize) {
        let Some(kind) = entry.kind.filter(|_| entry.result == Outcome::Done) else {
            return;
        };
        let place = entry.place();
        let statement = || Statement::of(entry);
        let said = |matter: &Matter| Said {
            time: entry.time,
            roster: entry.roster,
            matter: matter.clone(),
            statement: statement(),
            because: entry.because,
        };
        match (kind, &entry.matter, entry.because) {
            (Kind::Request, Some(matter), _) => self.requests.entry(place).or_default().push(said(matter)),
            (Kind::Approve, Some(matter), _) => self.approvals.entry(place).or_default().push(said(matter)),
            (Kind::Destroy | Kind::Release, _, Some(because)) => {
                let body = |file: &FileRef| file.0.starts_with("notes/").then_some(file.2);
                let forgot = entry.forgot.iter();
                let forgot = forgot
                    .filter_map(|file| Some((note_of(&file.1)?, body(file))))
                    .collect();
                let uses = self.uses.entry(because).or_default();
                uses.push(Use {
                    place,
                    history,
                    kind,
                    time: entry.time,
                    forgot,
                });
            }
            (Kind::BreakGlass, ..) => {
                let broken = Broken {
                    time: entry.time,
                    statement: statement(),
                };
                self.broken.insert(place, broken);
            }
            (Kind::Review, _, Some(because)) => self.reviews.entry(because).or_default().push((place, entry.roster)),
            (Kind::Acknowledge, ..) => {
                self.acknowledged.insert(place, (entry.time, entry.policies));
            }
            (Kind::Begin | Kind::Policy, ..) if entry.wrote.iter().any(|file| file.1.starts_with("policies/")) => {
                let since = self.in_force.entry(entry.policies).or_insert(entry.time);
                *since = (*since).max(entry.time);
            }
            (Kind::Conflict, ..) => self.conflicts.extend(statement().map(|statement| (place, statement))),
            _ => {}
        }
    }

    /// All requests, in the order of their logs. What takes one back asks for nothing, whatever a clock says.
    pub fn requests(&self) -> impl Iterator<Item = (EntryRef, &Said)> {
        self.all_requests().filter(|(_, said)| said.because.is_none())
    }

    /// The same, and what takes one back.
    pub fn all_requests(&self) -> impl Iterator<Item = (EntryRef, &Said)> {
        let all = self.requests.iter();
        all.flat_map(|(place, said)| said.iter().map(move |said| (*place, said)))
    }

    /// What somebody asked for there.
    pub fn request(&self, place: EntryRef) -> Option<&Said> {
        self.requests.get(&place)?.iter().find(|said| said.because.is_none())
    }

    /// The entry by which whoever asked for something took that back: a request of the same, which names it and was over
    /// as soon as it was made.
    pub fn taken_back(&self, request: EntryRef, person: PersonOf<'_>) -> Option<EntryRef> {
        let asked = self.requests.get(&request)?;
        let by = person(request.log.device)?;
        let takes_back = |(place, said): &(EntryRef, &Said)| {
            said.because == Some(request)
                && said.matter.until <= said.time
                && person(place.log.device) == Some(by)
                && asked.iter().any(|asked| said.matter.is_of(&asked.matter))
        };
        self.all_requests().find(takes_back).map(|(place, _)| place)
    }

    /// The approvals of a request that are what they say: about the same, in time, by others than whoever asked.
    pub fn approvals(&self, request: EntryRef, person: PersonOf<'_>) -> Vec<(EntryRef, PersonId, &Said)> {
        let asked = self.requests.get(&request).map(Vec::as_slice).unwrap_or_default();
        let by = person(request.log.device);
        let mut approvals = Vec::new();
        for (place, all) in &self.approvals {
            let Some(approver) = person(place.log.device).filter(|approver| Some(*approver) != by) else {
                continue;
            };
            let of = all.iter().filter(|said| said.because == Some(request));
            let counts = of.filter(|said| asked.iter().any(|asked| said.approves(asked)));
            approvals.extend(counts.map(|said| (*place, approver, said)));
        }
        approvals
    }

    /// Until when an approval may be used; none where there is none.
    pub fn approved_until(&self, approval: EntryRef) -> Option<Time> {
        let all = self.approvals.get(&approval)?.iter();
        all.map(|said| said.matter.until).max()
    }

    /// What was done first on the strength of that approval, and is what it is of: whoever writes entries can name any.
    pub fn used(&self, approval: EntryRef, person: PersonOf<'_>) -> Option<EntryRef> {
        let said = self.approvals.get(&approval)?;
        let is_of = |used: &&Use| said.iter().any(|said| self.covers(said, used, person));
        self.uses.get(&approval)?.iter().find(is_of).map(|used| used.place)
    }

    /// Whether that body is the statement of the request at that place.
    pub(super) fn is_statement_of(&self, place: EntryRef, statement: Statement) -> bool {
        let said = self.requests.get(&place).into_iter().flatten();
        said.into_iter().any(|said| said.statement == Some(statement))
    }

    /// Who broke the glass, in the order of their logs.
    pub fn broken(&self) -> impl Iterator<Item = (EntryRef, &Broken)> {
        self.broken.iter().map(|(place, broken)| (*place, broken))
    }

    /// The reviews of somebody's breaking the glass by others.
    pub fn reviews(&self, broken: EntryRef, person: PersonOf<'_>) -> Vec<Reviewed> {
        let by = person(broken.log.device);
        let all = self.reviews.get(&broken).into_iter().flatten();
        let reviewed = |(entry, roster): &(EntryRef, Digest)| {
            let by = person(entry.log.device)?;
            let (entry, roster) = (*entry, *roster);
            Some(Reviewed { entry, by, roster })
        };
        let others = all.filter_map(reviewed);
        others.filter(|review| Some(review.by) != by).collect()
    }

    /// The sealed statements of conflicts that were declared, each with its entry.
    pub fn conflicts(&self) -> impl Iterator<Item = (EntryRef, Statement)> {
        self.conflicts.iter().map(|(place, statement)| (*place, *statement))
    }

    /// Who said when that they know which policies: each by the entry.
    pub fn acknowledged(&self) -> impl Iterator<Item = (EntryRef, Time, Digest)> {
        self.acknowledged
            .iter()
            .map(|(place, (time, policies))| (*place, *time, *policies))
    }

    /// Since when these policies are in force, the last time if they were so before.
    pub fn in_force_since(&self, policies: Digest) -> Option<Time> {
        self.in_force.get(&policies).copied()
    }

    /// Whether what was done is what an approval is of: that deed, by whoever asked, with that note and no other. Of a request
    /// that is out of sight nothing is known of what was said of it.
    fn covers(&self, said: &Said, used: &Use, person: PersonOf<'_>) -> bool {
        let asked = said
            .because
            .and_then(|because| Some((because, self.requests.get(&because)?)));
        let Some((by, _)) = asked else {
            return used.kind == said.matter.deed.kind();
        };
        let about = self
            .all_requests()
            .filter(|(_, asked)| asked.matter.note == said.matter.note);
        let statements: Vec<Statement> = about.filter_map(|(_, asked)| asked.statement).collect();
        let is_of = |said: &Statement, note: NoteId, body: Option<Digest>| {
            said.note == note && body.is_none_or(|body| said.body == body)
        };
        let mut forgot = used.forgot.iter();
        used.kind == said.matter.deed.kind()
            && person(by.log.device) == person(used.place.log.device)
            && forgot.all(|(note, body)| {
                *note == said.matter.note || statements.iter().any(|said| is_of(said, *note, *body))
            })
    }

    /// What nobody may approve, review or carry out so. Of what names an entry beyond a cut nothing is said, and nothing
    /// where entries were lost (`lacks`) of what names one that is not there.
    pub fn faults(&self, cuts: &Cuts, person: PersonOf<'_>, lacks: bool) -> Vec<Problem> {
        let mut faults = Vec::new();
        let mut fault = |place: EntryRef, case, message: String| {
            faults.push(Problem::at(place.log, place.seq, case, message));
        };
        let out_of_sight = |place: EntryRef| lacks || cuts.of(place.log).is_some_and(|(size, _)| place.seq >= size);
        for (place, said) in self
            .approvals
            .iter()
            .flat_map(|(place, all)| all.iter().map(move |said| (place, said)))
        {
            let Some(because) = said.because else { continue };
            let seq = place.seq;
            match self.requests.get(&because) {
                None if out_of_sight(because) => {}
                None => fault(
                    *place,
                    36,
                    format!("entry {seq} approves {because}, which asks for nothing"),
                ),
                Some(asked) if !asked.iter().any(|asked| said.approves(asked)) => {
                    fault(
                        *place,
                        36,
                        format!("entry {seq} approves another thing than {because} asks for"),
                    );
                }
                Some(_) if person(place.log.device) == person(because.log.device) => {
                    fault(
                        *place,
                        36,
                        format!("entry {seq} approves what its own person asked for"),
                    );
                }
                Some(_) => {}
            }
        }
        for (approval, uses) in &self.uses {
            let Some(all) = self.approvals.get(approval) else {
                continue;
            };
            for (n, used) in uses.iter().enumerate() {
                let (place, seq) = (used.place, used.place.seq);
                let case = if used.kind == Kind::Destroy { 37 } else { 36 };
                let before = |before: &Use| (before.place.log, before.history) == (place.log, used.history);
                if !all.iter().any(|said| self.covers(said, used, person)) {
                    fault(
                        place,
                        case,
                        format!("entry {seq} does what {approval} does not approve"),
                    );
                } else if all.iter().all(|said| used.time >= said.matter.until) {
                    fault(
                        place,
                        case,
                        format!("entry {seq} rests on {approval}, which was over by then"),
                    );
                } else if case == 36 && uses[..n].iter().any(before) {
                    fault(
                        place,
                        case,
                        format!("entry {seq} rests on {approval}, which was used before"),
                    );
                }
            }
        }
        for (broken, reviews) in &self.reviews {
            for (place, _) in reviews {
                let seq = place.seq;
                if person(place.log.device) == person(broken.log.device) {
                    fault(*place, 36, format!("entry {seq} reviews what its own person did"));
                } else if !self.broken.contains_key(broken) && !out_of_sight(*broken) {
                    fault(
                        *place,
                        36,
                        format!("entry {seq} reviews {broken}, where nobody broke the glass"),
                    );
                }
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::entry::tests::example;
    use super::*;
    use crate::chain::FileRef;

    const NOTE: NoteId = NoteId([7; 16]);

    fn matter(deed: Deed) -> Matter {
        Matter {
            deed,
            note: NOTE,
            objects: Digest([8; 32]),
            until: Time::from_unix(2_000_000_000),
        }
    }

    /// An entry of the device of that number, whose person has the same.
    fn entry(device: u8, seq: u64, kind: Kind) -> Entry {
        let mut entry = example(seq, Digest([9; 32]));
        entry.log.device = DeviceId([device; 8]);
        entry.kind = Some(kind);
        entry
    }

    fn person(device: DeviceId) -> Option<PersonId> {
        Some(PersonId(device.0))
    }

    fn told(entries: &[Entry]) -> Matters {
        let mut matters = Matters::default();
        for entry in entries {
            matters.apply(entry, 0);
        }
        matters
    }

    fn statement() -> Vec<FileRef> {
        let (note, digest) = (NoteId([3; 16]), Digest([4; 32]));
        let file = |branch: &str| FileRef(branch.into(), format!("{note}.{digest}"), digest);
        vec![file("keys/03"), file("notes/03")]
    }

    fn asked(deed: Deed) -> Entry {
        Entry {
            matter: Some(matter(deed)),
            wrote: statement(),
            ..entry(1, 1, Kind::Request)
        }
    }

    #[test]
    fn what_needs_a_statement_writes_just_that() {
        for kind in [Kind::Request, Kind::BreakGlass, Kind::Conflict] {
            let mut said = Entry {
                kind: Some(kind),
                matter: (kind == Kind::Request).then(|| matter(Deed::Destroy)),
                ..asked(Deed::Destroy)
            };
            assert!(said.to_line().is_ok(), "{kind:?}");
            said.wrote.pop();
            assert!(said.to_line().is_err(), "{kind:?}");
            said.wrote.clear();
            assert!(said.to_line().is_err(), "{kind:?}");
        }
    }

    #[test]
    fn what_one_asked_for_one_takes_back_oneself() {
        let request = asked(Deed::Release);
        let back = |by: u8, seq: u64, deed: Deed, until: i64| {
            let mut back = asked(deed);
            (back.log, back.seq, back.because) = (entry(by, seq, Kind::Request).log, seq, Some(request.place()));
            back.matter.as_mut().unwrap().until = Time::from_unix(until);
            back
        };
        let now = request.time.unix();
        let taken = |entries: &[Entry]| told(entries).taken_back(request.place(), &person);
        let own = back(1, 7, Deed::Release, now);
        assert!(own.to_line().is_ok());
        assert_eq!(taken(&[request.clone(), own.clone()]), Some(own.place()));
        assert!(faults(&[request.clone(), own.clone()]).is_empty());
        // Nobody else does, nor for something else, nor by asking for longer; what one never asked for is not taken back.
        for other in [
            back(2, 7, Deed::Release, now),
            back(1, 7, Deed::Destroy, now),
            back(1, 7, Deed::Release, now + 1),
        ] {
            assert_eq!(taken(&[request.clone(), other]), None);
        }
        assert_eq!(taken(&[own]), None);
    }

    fn approved(by: u8, of: &Entry) -> Entry {
        Entry {
            matter: of.matter.clone(),
            because: Some(of.place()),
            ..entry(by, 5, Kind::Approve)
        }
    }

    fn done(of: &Entry, seq: u64) -> Entry {
        let deed = of.matter.as_ref().unwrap().deed;
        let digest = Digest([1; 32]);
        let file = FileRef("notes/07".into(), format!("{NOTE}.{digest}"), digest);
        Entry {
            because: Some(of.place()),
            forgot: (deed == Deed::Destroy).then_some(file).into_iter().collect(),
            ..entry(1, seq, deed.kind())
        }
    }

    fn faults(entries: &[Entry]) -> Vec<(u64, u8)> {
        let faults = told(entries).faults(&Cuts::default(), &person, false);
        faults.iter().map(|fault| (fault.seq.unwrap(), fault.case)).collect()
    }

    #[test]
    fn another_person_approves_what_was_asked_for() {
        for deed in [Deed::Destroy, Deed::Release] {
            let request = asked(deed);
            let approval = approved(2, &request);
            let act = done(&approval, 9);
            assert_eq!(request.to_line().map(drop), Ok(()));
            assert_eq!(approval.to_line().map(drop), Ok(()));
            let matters = told(&[request.clone(), approval.clone()]);
            let counted = matters.approvals(request.place(), &person);
            assert_eq!(counted.len(), 1);
            assert_eq!((counted[0].0, counted[0].1), (approval.place(), PersonId([2; 8])));
            assert_eq!(matters.used(approval.place(), &person), None);
            assert_eq!(faults(&[request.clone(), approval.clone(), act.clone()]), []);
            assert_eq!(
                told(&[request, approval.clone(), act.clone()]).used(approval.place(), &person),
                Some(act.place())
            );
        }
    }

    #[test]
    fn what_is_not_asked_for_or_not_by_another_does_not_count() {
        let request = asked(Deed::Release);
        let own = approved(1, &request);
        let mut otherwise = approved(2, &request);
        otherwise.matter.as_mut().unwrap().objects = Digest([3; 32]);
        let mut longer = approved(2, &request);
        longer.matter.as_mut().unwrap().until = Time::from_unix(2_000_000_001);
        for bad in [own, otherwise, longer] {
            let matters = told(&[request.clone(), bad.clone()]);
            assert!(matters.approvals(request.place(), &person).is_empty());
            assert_eq!(faults(&[request.clone(), bad.clone()]), [(5, 36)]);
        }
        let approval = approved(2, &request);
        assert_eq!(faults(std::slice::from_ref(&approval)), [(5, 36)]);
        // Where the request is out of sight, nothing can be said.
        let cut = crate::chain::Cut(request.log, 1, Digest([0; 32]));
        let cuts = Cuts::new([&cut], BTreeSet::new());
        let matters = told(std::slice::from_ref(&approval));
        assert!(matters.faults(&cuts, &person, false).is_empty());
        assert!(matters.faults(&Cuts::default(), &person, true).is_empty());
    }

    #[test]
    fn an_approval_is_for_one_deed_by_one_person_in_time() {
        let release = asked(Deed::Release);
        let approval = approved(2, &release);
        let base = [release.clone(), approval.clone()];
        let with = |more: &[Entry]| faults(&[&base[..], more].concat());
        assert_eq!(with(&[done(&approval, 9), done(&approval, 10)]), [(10, 36)]);
        let late = Entry {
            time: Time::from_unix(2_000_000_000),
            ..done(&approval, 9)
        };
        assert_eq!(with(&[late]), [(9, 36)]);
        let mut by_another = done(&approval, 9);
        by_another.log.device = DeviceId([3; 8]);
        assert_eq!(with(&[by_another]), [(9, 36)]);
        let mut destroys = done(&approval, 9);
        destroys.kind = Some(Kind::Destroy);
        assert_eq!(with(&[destroys]), [(9, 37)]);
        let destroy = asked(Deed::Destroy);
        let approval = approved(2, &destroy);
        let mut more = done(&approval, 9);
        let digest = Digest([1; 32]);
        let other = NoteId([6; 16]);
        more.forgot = vec![FileRef("notes/06".into(), format!("{other}.{digest}"), digest)];
        assert_eq!(faults(&[destroy, approval, more]), [(9, 37)]);
    }

    #[test]
    fn of_several_histories_one_that_fits_is_enough() {
        let request = asked(Deed::Release);
        let approval = approved(2, &request);
        let mut other = approval.clone();
        other.matter.as_mut().unwrap().note = NoteId([5; 16]);
        let act = done(&approval, 9);
        let mut matters = Matters::default();
        matters.apply(&request, 0);
        matters.apply(&other, 0);
        matters.apply(&approval, 1);
        matters.apply(&act, 0);
        // Released again in another history: neither knew of the other.
        matters.apply(&act, 1);
        let faults = matters.faults(&Cuts::default(), &person, false);
        // The other approval is of nothing that was asked for.
        let told: Vec<_> = faults.iter().map(|fault| (fault.log, fault.seq)).collect();
        assert_eq!(told, [(Some(other.log), Some(5))]);
        assert_eq!(matters.approvals(request.place(), &person).len(), 1);
        matters.apply(&act, 1);
        assert_eq!(matters.faults(&Cuts::default(), &person, false).len(), 2);
    }

    #[test]
    fn nobody_reviews_themselves() {
        let broken = entry(1, 3, Kind::BreakGlass);
        let review = |by: u8| Entry {
            because: Some(broken.place()),
            ..entry(by, 5, Kind::Review)
        };
        let matters = told(&[broken.clone(), review(1), review(2)]);
        let reviews = matters.reviews(broken.place(), &person);
        let by_others: Vec<_> = reviews.iter().map(|review| (review.entry, review.by)).collect();
        assert_eq!(by_others, [(review(2).place(), PersonId([2; 8]))]);
        assert_eq!(faults(&[broken.clone(), review(1)]), [(5, 36)]);
        assert_eq!(faults(&[broken.clone(), review(2)]), []);
        assert_eq!(faults(&[review(2)]), [(5, 36)]);
    }
}
