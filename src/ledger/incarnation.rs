//! To go on after a backup was put back (docs/FORMAT.md §7.1): the own log is taken from a clone that holds more of it,
//! or, where it has two histories, a new log begins that names both.

use super::append::{Changes, Draft, Recorded, some_of_each};
use super::error::LedgerError;
use super::found::{Begin, begin_log, make_detail_key, recipients};
use super::high_water::MarkFile;
use super::kept::{Branches, log_branches, without_prefix};
use super::merge::{Merge, Merged};
use super::objects::{MAIN, log_of};
use super::scan::scan;
use super::standing::Stood;
use super::start::{Ledger, learn, read_head};
use crate::chain::{Card, Details, HeadRef, Kind, Time};
use crate::crypto::{Entropy, Recipient, make_random};
use crate::id::{DeviceId, EntryRef, Incarnation, LogName, PersonId};
use crate::repo::{JournalError, RecoverError, Repo};
use crate::session::Identity;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

impl Ledger<'_> {
    /// Merges another clone, which is called `name` from one time to the next. If the own log turns out to have two
    /// histories, a new one begins.
    pub fn merge(
        &mut self,
        other: &Repo,
        name: &str,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Merged, LedgerError> {
        self.merge_in_part(other, name, false, now, entropy)
    }

    /// The same; `in_part`: some branches of files did not come. It is not done where anything of them is needed.
    pub fn merge_in_part(
        &mut self,
        other: &Repo,
        name: &str,
        in_part: bool,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Merged, LedgerError> {
        if self.lapsed {
            return Err(LedgerError::Lapsed);
        }
        self.settled = false;
        let merge = Merge {
            repo: self.repo,
            lock: &self.lock,
            identity: self.identity,
            state: &self.state,
            now,
            in_part,
        };
        let mut merged = merge.run(other, name)?;
        self.learn_again()?;
        self.keep_mark()?;
        if self.is_forked() {
            merged.began = Some(self.begin_anew(now, entropy)?);
        }
        self.settled = true;
        Ok(merged)
    }

    fn learn_again(&mut self) -> Result<(), LedgerError> {
        let known = self.mark.read(self.identity)?;
        let standing = learn(self.repo, self.identity, known.as_ref())?;
        match &mut self.standing {
            Stood::Own(own) => **own = standing,
            Stood::Remembered(guard) => **guard = Some(standing),
        }
        Ok(())
    }

    /// Whether the own log has two histories and none of its device's logs goes on from both yet: nothing can be
    /// entered then but [`Ledger::begin_anew`].
    pub fn is_forked(&self) -> bool {
        !self.standing.own_forks.is_empty()
    }

    /// Where every history of a log ends.
    fn ends_of(&self, log: LogName) -> Result<Vec<HeadRef>, LedgerError> {
        let unread = |why: String| LedgerError::Unjoined(log, why);
        let charter = &self.standing.charter;
        let (all, _) = log_branches(self.repo)?;
        let of_it = without_prefix(&all).filter(|(branch, _)| log_of(branch).is_some_and(|(known, _)| known == log));
        let mut branches = Branches::sort(self.repo, &charter.roster, charter.vault, of_it);
        let mut ends = Vec::new();
        if let Some(oid) = branches.own.get(&log) {
            let head = read_head(self.repo, &charter.roster, charter.vault, log, *oid).map_err(unread)?;
            let scanned = scan(self.repo, &head, &branches.sizes(log), &mut |_| {});
            let scanned = scanned.map_err(|error| unread(error.to_string()))?;
            branches.drop_beginnings(log, &scanned.roots);
            ends.push((log, scanned.frontier.size(), scanned.frontier.root()));
        }
        ends.extend(branches.beside(log).map(|(size, root)| (log, size, root)));
        ends.sort();
        Ok(ends)
    }

    /// Begins this device's next log, whose first entry names the ends of both histories of the one before.
    pub fn begin_anew(&mut self, now: Time, entropy: &mut dyn Entropy) -> Result<EntryRef, LedgerError> {
        self.settled = false;
        let old = self.standing.log;
        let own = (self.standing.frontier.size(), self.standing.frontier.root());
        let ends = self.standing.own_forks.iter().copied().chain([own]);
        let mut joined: Vec<HeadRef> = ends.map(|(size, root)| (old, size, root)).collect();
        joined.sort();
        let log = LogName {
            device: self.identity.device(),
            incarnation: Incarnation(make_random(entropy)?),
        };
        let roster = &self.standing.charter.roster;
        let card = roster.member(self.identity.person()).ok_or(LedgerError::NotAMember)?;
        let devices: Vec<(DeviceId, Recipient)> = recipients(card).collect();
        let mut changes = Changes::default();
        let detail = make_detail_key(self.identity, roster, &devices, &mut changes, entropy)?;
        let mut seen = some_of_each(self.standing.others.clone());
        seen.insert(old, own);
        let begin = Begin {
            log,
            roster,
            policies: self.standing.charter.policies.digest(),
            detail: &detail,
            verb: "begin anew",
            admitted: card.digest(),
            joined,
            seen,
        };
        let begun = begin_log(
            self.repo,
            &self.lock,
            self.identity,
            &begin,
            &changes,
            &self.state,
            now,
            entropy,
        )?;
        self.learn_again()?;
        self.settled = true;
        Ok(begun)
    }

    /// The logs of somebody's devices of which there are several histories and no card that names the end of each. What stands
    /// beside the logs of others is not looked at: whoever may push puts there what they like.
    pub fn unjoined(&self, person: PersonId) -> Result<Vec<LogName>, LedgerError> {
        let roster = &self.standing.charter.roster;
        let (all, _) = log_branches(self.repo)?;
        let logs = without_prefix(&all).filter_map(|(branch, _)| log_of(branch));
        let forked: BTreeSet<LogName> = logs.filter_map(|(log, fork)| fork.map(|_| log)).collect();
        let theirs = forked
            .into_iter()
            .filter(|log| roster.person_of(log.device) == Some(person));
        let mut unjoined = Vec::new();
        for log in theirs {
            let ends = self.ends_of(log)?;
            let named = |card: &Card| ends.iter().all(|end| card.joined.contains(end));
            if ends.len() > 1 && !roster.cards().iter().any(named) {
                unjoined.push(log);
            }
        }
        Ok(unjoined)
    }

    /// Makes a card, as a lead, that names the ends of all histories of a log, and enters it: from then on they are
    /// worth a look and no more. The person stays as they were.
    pub fn join_histories(
        &mut self,
        log: LogName,
        now: Time,
        details: Details,
        entropy: &mut dyn Entropy,
    ) -> Result<Recorded, LedgerError> {
        let joined = self.ends_of(log)?;
        if joined.len() < 2 {
            return Err(LedgerError::Unjoined(log, "it has one history alone".into()));
        }
        let roster = &self.standing.charter.roster;
        let owner = |card: &&Card| card.devices.iter().any(|device| device.device == log.device);
        let old = roster.cards().iter().rev().find(owner).ok_or(LedgerError::NotAMember)?;
        let old = roster.member(old.person).unwrap_or(old);
        let card = Card {
            by: self.identity.device(),
            auditors: None,
            cuts: Vec::new(),
            joined,
            keys: Default::default(),
            n: roster.cards().len() as u64,
            prev: roster.digest(),
            time: now,
            ..old.clone()
        };
        let mut changes = Changes::default();
        changes.write(MAIN, card.path(), self.identity.sign_card(&card));
        let draft = Draft::change(Kind::Card, details, Vec::new(), changes);
        self.record(draft, now, entropy)
    }
}

/// Merges another clone into a vault that cannot be opened for accesses, since it was put back from a backup and this
/// device's own log is behind what the device wrote; or into a fresh clone. Whatever the other holds of the own log is
/// taken as far as it goes on from what is here.
pub fn catch_up(
    repo: &Repo,
    identity: &Identity,
    state: &Path,
    patience: Duration,
    (other, name): (&Repo, &str),
    now: Time,
) -> Result<Merged, LedgerError> {
    let lock = repo.lock(patience)?;
    match repo.recover(&lock) {
        Err(RecoverError::Journal(JournalError::Missing)) => {
            repo.make_journal(&lock).map_err(RecoverError::from)?;
            repo.recover(&lock)?;
        }
        recovered => drop(recovered?),
    }
    // One that is altered must not be passed over.
    MarkFile::open(state)?.read(identity)?;
    let merge = Merge {
        repo,
        lock: &lock,
        identity,
        state,
        now,
        in_part: false,
    };
    merge.run(other, name)
}
