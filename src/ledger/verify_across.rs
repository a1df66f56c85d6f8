//! What the entries of all logs say together: who may change what, what each log saw of the others, which files
//! there are.

use super::objects::MAIN;
use super::start::DEVICES;
use super::verify::{Facts, Tally};
use super::verify_forks::Forks;
use super::verify_log::{Found, roots_at};
use super::verify_withdrawn::Pending;
use super::view::View;
use crate::chain::{Cut, Entry, FileRef, Histories, Kind, LiveSet, Outcome, Problem, Role, Time};
use crate::id::{DeviceId, Digest, EntryRef, KeyId, LogName, PersonId};
use std::collections::{BTreeMap, BTreeSet};

/// One log's word about another.
struct Claim {
    size: u64,
    root: Digest,
    by: EntryRef,
}

/// What is collected over all logs. Grows with files and with what logs saw of each other, not with reads.
pub(super) struct Across<'a> {
    facts: &'a Facts,
    live: LiveSet,
    claims: BTreeMap<LogName, Vec<Claim>>,
    /// The newest card any entry knew, by its place in the chain.
    newest_card: Option<usize>,
    /// The policies in force at the end of each log, and the entry that says so.
    policies: Vec<(Digest, EntryRef)>,
    /// The detail keys that entries wrote, and those that each log used, with the entry that did first.
    detail_keys: BTreeSet<KeyId>,
    used: BTreeMap<(LogName, KeyId), u64>,
    pending: Pending,
    log: Walk,
}

/// The log being walked.
#[derive(Default)]
struct Walk {
    history: usize,
    person: Option<PersonId>,
    time: Option<Time>,
    ahead: bool,
    /// The newest card it knew.
    card: Option<usize>,
    detail: Option<KeyId>,
    seen: BTreeMap<LogName, (u64, Digest)>,
    last: Option<(Digest, EntryRef)>,
}

impl<'a> Across<'a> {
    /// Of logs of which some have several histories.
    pub(super) fn new(facts: &'a Facts, several: Histories) -> Self {
        let mut live = LiveSet::within(facts.cuts());
        live.expect(several);
        Self {
            facts,
            live,
            claims: BTreeMap::new(),
            newest_card: None,
            policies: Vec::new(),
            detail_keys: BTreeSet::new(),
            used: BTreeMap::new(),
            pending: Pending::default(),
            log: Walk::default(),
        }
    }

    /// The next log, or the history of it that has this number.
    pub(super) fn begin(&mut self, log: LogName, history: usize) {
        self.log = Walk {
            history,
            person: self.facts.person(log.device),
            ..Walk::default()
        };
    }

    pub(super) fn end(&mut self) {
        self.policies.extend(self.log.last.take());
    }

    pub(super) fn entry(&mut self, entry: &Entry, tally: &mut Tally) {
        self.pending.admits(entry, self.log.history);
        self.live.apply_in(entry, self.log.history);
        if let Some((size, _)) = self
            .live
            .cuts()
            .of(entry.log)
            .filter(|_| !self.live.cuts().admit(entry))
        {
            // What it says of files, members and other logs counts for nothing.
            let message = format!(
                "entry {} stands beyond entry {size}, up to which this log of a removed device is accepted",
                entry.seq
            );
            tally.problem(Problem::at(entry.log, entry.seq, 14, message));
            return;
        }
        self.clock(entry, tally);
        self.sight(entry, tally);
        let position = self.facts.position(entry.roster);
        self.newest_card = self.newest_card.max(position);
        if position.is_some_and(|position| self.log.card.is_some_and(|before| position < before)) {
            let message = format!("entry {} goes back to members who were no longer in force", entry.seq);
            tally.problem(Problem::at(entry.log, entry.seq, 36, message));
        }
        // Whether a roster that is not of the chain was withdrawn is known once all logs are read.
        self.pending
            .entry(entry, self.log.history, position, self.log.card, changes_members(entry));
        self.log.card = self.log.card.max(position);
        self.detail_key(entry);
        if self.log.person.is_some_and(|person| person != entry.actor) {
            let message = format!(
                "entry {} is in the name of somebody whose device this is not",
                entry.seq
            );
            tally.problem(Problem::at(entry.log, entry.seq, 15, message));
        }
        if let Some(position) = position {
            self.rights(entry, position, tally);
        }
        self.log.last = Some((entry.policies, entry.place()));
    }

    /// What an entry changes, its person may: by the cards up to that one.
    fn rights(&self, entry: &Entry, position: usize, tally: &mut Tally) {
        if changes_charter(entry) && !self.may_change_charter(entry, position) {
            let message = format!(
                "entry {} changes members or policies, and is not by a lead (card {position})",
                entry.seq
            );
            tally.problem(Problem::at(entry.log, entry.seq, 36, message));
        }
        if !self.may_hold(entry, position) {
            let message = format!("entry {} holds notes or lifts a hold, and is not by a lead", entry.seq);
            tally.problem(Problem::at(entry.log, entry.seq, 36, message));
        }
        if !self.may_change_keys(entry, position) {
            let message = format!(
                "entry {} changes what keys a device gets, and is neither by its person nor by a lead (card {position})",
                entry.seq
            );
            tally.problem(Problem::at(entry.log, entry.seq, 36, message));
        }
    }

    fn detail_key(&mut self, entry: &Entry) {
        let files = entry.wrote.iter().filter(|file| file.0 == DEVICES);
        let ids = files.filter_map(|file| file.1.strip_prefix("detail-")?.split_once('.')?.0.parse::<KeyId>().ok());
        self.detail_keys.extend(ids);
        if self.log.detail != Some(entry.detail) {
            self.log.detail = Some(entry.detail);
            self.used.entry((entry.log, entry.detail)).or_insert(entry.seq);
        }
    }

    fn clock(&mut self, entry: &Entry, tally: &mut Tally) {
        if let Some(before) = self.log.time.filter(|before| entry.time < *before) {
            let message = format!(
                "entry {} is dated {}, before the one before it ({before})",
                entry.seq, entry.time
            );
            tally.finding(Problem::at(entry.log, entry.seq, 21, message));
        }
        if self.facts.is_late(entry.time) && !self.log.ahead {
            self.log.ahead = true;
            let message = format!("entry {} is dated {}, which is still to come", entry.seq, entry.time);
            tally.finding(Problem::at(entry.log, entry.seq, 21, message));
        }
        self.log.time = Some(entry.time);
    }

    fn sight(&mut self, entry: &Entry, tally: &mut Tally) {
        for (other, (size, root)) in &entry.seen {
            let before = self.log.seen.insert(*other, (*size, *root));
            let back = before.is_some_and(|(old, known)| *size < old || (*size == old && *root != known));
            if back || *size == 0 {
                let message = format!("entry {} takes back what its log saw of {other}", entry.seq);
                tally.problem(Problem::at(entry.log, entry.seq, 20, message));
            }
            let claim = Claim {
                size: *size,
                root: *root,
                by: entry.place(),
            };
            self.claims.entry(*other).or_default().push(claim);
        }
        for (log, size, root) in &entry.joined {
            let claim = Claim {
                size: *size,
                root: *root,
                by: entry.place(),
            };
            self.claims.entry(*log).or_default().push(claim);
        }
    }

    /// Whether whoever wrote an entry may write and forget what it does of the keys that devices get. A box sealed by
    /// somebody else could hold keys of theirs, and what is sealed under these would be open to them.
    fn may_change_keys(&self, entry: &Entry, position: usize) -> bool {
        let at = |files: &[FileRef]| {
            let files = files.iter().filter(|file| file.0 == DEVICES);
            files.map(|file| file.1.clone()).collect::<Vec<_>>()
        };
        let (wrote, forgot) = (at(&entry.wrote), at(&entry.forgot));
        let Some(roster) = self.facts.roster.as_ref().filter(|_| entry.result == Outcome::Done) else {
            return true;
        };
        // Under cards that were withdrawn somebody may have been admitted who was so again later.
        let known = match self.facts.position(entry.roster) {
            Some(_) => ..=position,
            None => ..=roster.cards().len().saturating_sub(1),
        };
        let cards = roster.cards().get(known).unwrap_or_default();
        let own = |path: &str| {
            let mut cards = cards.iter().filter(|card| card.person == entry.actor);
            let device = path
                .split_once('.')
                .and_then(|(device, _)| device.parse::<DeviceId>().ok());
            cards.any(|card| card.devices.iter().any(|known| Some(known.device) == device))
        };
        let written = |path: &String| path.starts_with("detail-") || own(path);
        let forgotten = |path: &String| own(path);
        (wrote.iter().all(written) && forgot.iter().all(forgotten)) || self.may_change_charter(entry, position)
    }

    /// Whether the entry's person was a lead before the cards that the entry itself brings.
    fn may_change_charter(&self, entry: &Entry, position: usize) -> bool {
        let brings = entry
            .wrote
            .iter()
            .filter(|file| file.0 == MAIN && file.1.starts_with("members/"))
            .count();
        let Some(roster) = &self.facts.roster else { return true };
        // Before the first card nobody was a lead: that is its own device's to bring, and nobody else's.
        let first = roster.cards().first();
        let is_founders = first.is_some_and(|card| card.devices.iter().any(|known| known.device == entry.log.device));
        // Cards that were withdrawn do not stand in the chain before that one.
        let brings = if self.facts.position(entry.roster).is_some() {
            brings
        } else {
            0
        };
        let Some(before) = position.checked_sub(brings) else {
            return entry.seq == 0 && is_founders;
        };
        let cards = roster.cards().get(..=before).unwrap_or_default();
        let card = cards.iter().rev().find(|card| card.person == entry.actor);
        card.is_some_and(|card| card.roles.contains(&Role::Lead))
    }

    /// Whether an entry is no hold and no lift, or by a lead.
    fn may_hold(&self, entry: &Entry, position: usize) -> bool {
        let withdrawn = self.facts.position(entry.roster).is_none();
        !is_of_holds(entry) || is_lead(self.facts, entry.actor, position, withdrawn)
    }

    /// Compares what all logs say with each other and with what the vault holds; gives the files that exist.
    pub(super) fn settle(
        mut self,
        view: &View<'_>,
        found: &BTreeMap<LogName, Found>,
        forks: &Forks,
        tally: &mut Tally,
    ) -> LiveSet {
        forks.tell_apart(view, found, &mut self.live);
        let cuts = self.live.cuts();
        for (log, mut claims) in std::mem::take(&mut self.claims) {
            let sizes = claims.iter().map(|claim| claim.size).collect();
            let other = forks.roots(view, log, &sizes);
            claims.retain(|claim| !other.contains(&(claim.size, claim.root)));
            let end = cuts.of(log).map(|(size, _)| size);
            match found.get(&log) {
                Some(now) => settle_claims(view, log, now, claims, end, tally),
                None if end == Some(0) => claims.iter().for_each(|claim| claim_beyond(log, 0, claim, tally)),
                None => {
                    // What stands in a fork of it is there.
                    if let Some(by) = claims.first().map(|claim| claim.by) {
                        let message = format!("this log is missing, and {by} has seen it");
                        tally.problem(Problem::of(log, 10, message));
                    }
                }
            }
        }
        // Where entries were lost, one of them may have written the key.
        let lacks = tally.lacks_entries();
        let unknown = self
            .used
            .iter()
            .filter(|((_, key), _)| !lacks && !self.detail_keys.contains(key));
        for ((log, _), seq) in unknown {
            let message = format!("entry {seq} is sealed under a detail key that no entry wrote");
            tally.problem(Problem::at(*log, *seq, 36, message));
        }
        let withdrawn = std::mem::take(&mut self.pending).judge(self.facts, self.live.withdrawals());
        for (fault, aside) in withdrawn.faults {
            match aside {
                true => beside(tally, fault),
                false => tally.problem(fault),
            }
        }
        for (entry, position) in &withdrawn.entries {
            self.rights(entry, *position, tally);
        }
        let person = |device| self.facts.person(device);
        let faults = self.live.matters().faults(self.live.cuts(), &person, lacks);
        faults.into_iter().for_each(|fault| tally.problem(fault));
        // Under cards that were withdrawn it is as under those they stood upon.
        let lead = |device, at| {
            let base = self.live.withdrawals().base_of(at);
            let position = self.facts.position(base.unwrap_or(at))?;
            let person = self.facts.person(device);
            Some(person.is_some_and(|person| is_lead(self.facts, person, position, base.is_some())))
        };
        let (faults, findings) = self.live.judge_holds(&lead, lacks);
        faults.into_iter().for_each(|fault| tally.problem(fault));
        findings.into_iter().for_each(|finding| tally.finding(finding));
        let last = self.facts.digests.len().checked_sub(1);
        if self.newest_card != last && self.newest_card.is_some() {
            let message = "the newest card stands in no entry: members were changed without one";
            tally.problem(Problem::vault(36, message));
        }
        let in_force = |current| self.policies.is_empty() || self.policies.iter().any(|(known, _)| *known == current);
        if let Some(current) = self.facts.policies.filter(|current| !in_force(*current)) {
            let place = self.policies.last().map(|(_, place)| *place);
            let (log, seq) = (place.map(|place| place.log), place.map(|place| place.seq));
            let message = format!("the policies in the vault ({current}) are not those that the log says are in force");
            tally.problem(Problem {
                log,
                seq,
                case: 36,
                message,
            });
        }
        self.live
    }
}

/// Whether a person is a lead, and not paused, by the cards up to that one. `withdrawn`: it is what cards stood upon that are
/// there no more, and may have ended a pause.
fn is_lead(facts: &Facts, person: PersonId, position: usize, withdrawn: bool) -> bool {
    let Some(roster) = &facts.roster else { return true };
    let mut cards = roster.cards().get(..=position).unwrap_or_default().iter().rev();
    let card = cards.find(|card| card.person == person);
    card.is_some_and(|card| card.roles.contains(&Role::Lead) && (withdrawn || !card.paused))
}

/// Whether its person has to be somebody for what it does to members, policies, keys or holds.
fn changes_members(entry: &Entry) -> bool {
    let boxes = entry.wrote.iter().chain(&entry.forgot).any(|file| file.0 == DEVICES);
    entry.result == Outcome::Done && (boxes || changes_charter(entry) || is_of_holds(entry))
}

fn is_of_holds(entry: &Entry) -> bool {
    matches!(entry.kind, Some(Kind::Hold | Kind::Lift)) && entry.result == Outcome::Done
}

fn changes_charter(entry: &Entry) -> bool {
    let kind = matches!(entry.kind, Some(Kind::Card | Kind::Policy | Kind::Withdraw));
    let files = entry.wrote.iter().chain(&entry.forgot).any(|file| file.0 == MAIN);
    entry.result == Outcome::Done && (kind || files)
}

/// Compares what other logs saw of this one with its roots at those sizes.
fn settle_claims(
    view: &View<'_>,
    log: LogName,
    now: &Found,
    mut claims: Vec<Claim>,
    end: Option<u64>,
    tally: &mut Tally,
) {
    let beyond = |claim: &Claim| end.filter(|end| claim.size > *end);
    claims.sort_by_key(|claim| (claim.size, claim.by));
    let sizes: BTreeSet<u64> = claims.iter().map(|claim| claim.size).collect();
    let roots = roots_at(view, &now.layout, &sizes);
    let mut short: Option<Claim> = None;
    for claim in claims {
        let root = roots.get(&claim.size);
        // Nothing was seen of a log that had no entry: that is told where it was said.
        if root == Some(&claim.root) || claim.size == 0 {
            continue;
        }
        if let Some(end) = beyond(&claim) {
            claim_beyond(log, end, &claim, tally);
        } else if root.is_none() {
            short = short.filter(|known| known.size >= claim.size).or(Some(claim));
        } else {
            let (by, size) = (claim.by, claim.size);
            let message = format!("what this entry saw of {log} at {size} entries never was, or {log} was rewritten");
            tally.problem(Problem::at(by.log, by.seq, 20, message));
            let message = format!("{by} has seen another history of this log: it was rewritten, or {by} is false");
            beside(tally, Problem::at(log, size.saturating_sub(1), 11, message));
        }
    }
    if let Some(claim) = short {
        let message = format!(
            "this log has {} entries, and {} has seen {}: its end was cut off, or not everything was fetched",
            now.size, claim.by, claim.size
        );
        tally.problem(Problem::at(log, now.size, 8, message));
    }
}

/// Somebody has seen entries of a removed device's log that do not count, and that are not there, or others.
fn claim_beyond(log: LogName, end: u64, claim: &Claim, tally: &mut Tally) {
    let message = format!(
        "{} has seen {} entries of this log of a removed device, of which {end} are accepted",
        claim.by, claim.size
    );
    beside(tally, Problem::at(log, end, 14, message));
}

/// Tells what is said of a log by another: by that nobody has a log left out which its own device signed.
fn beside(tally: &mut Tally, problem: Problem) {
    let mut own = Tally::default();
    own.problem(problem);
    tally.absorb(own.of_no_log());
}

/// What cards accept of the logs of removed devices must be there: what each card gives, in one of a log's histories.
pub(super) fn compare_cuts(
    view: &View<'_>,
    facts: &Facts,
    found: &BTreeMap<LogName, Found>,
    forks: &Forks,
    tally: &mut Tally,
) {
    let mut given: BTreeMap<LogName, BTreeSet<(u64, Digest)>> = BTreeMap::new();
    let cards = facts.roster.iter().flat_map(|roster| roster.cards());
    for Cut(log, size, root) in cards.flat_map(|card| &card.cuts) {
        given.entry(*log).or_default().insert((*size, *root));
    }
    for (log, mut given) in given {
        let sizes: BTreeSet<u64> = given.iter().map(|(size, _)| *size).collect();
        let other = forks.roots(view, log, &sizes);
        given.retain(|cut| !other.contains(cut));
        let Some((size, _)) = given.last().copied() else {
            continue;
        };
        let Some(now) = found.get(&log) else {
            let message = format!("a member's card accepts {size} entries of this log, and it is missing");
            tally.problem(Problem::of(log, 10, message));
            continue;
        };
        if now.size < size {
            let message = format!(
                "this log has {} entries, and a member's card accepts {size}: its end was cut off, or not everything \
                 was fetched",
                now.size
            );
            tally.problem(Problem::at(log, now.size, 8, message));
        }
        let roots = roots_at(view, &now.layout, &sizes);
        let differs = |(size, root): &&(u64, Digest)| roots.get(size).is_some_and(|now| now != root);
        if let Some((size, _)) = given.iter().find(differs) {
            let message = format!(
                "the first {size} entries of this log are not those that a member's card accepts: it was rewritten"
            );
            tally.problem(Problem::at(log, size.saturating_sub(1), 11, message));
        }
    }
}
