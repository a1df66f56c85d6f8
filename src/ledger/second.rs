//! Two leads who changed members or policies side by side (docs/FORMAT.md §7.6): what reached the others first stands, and
//! whoever comes second takes theirs back, to make it again upon that.
//!
//! Nothing is taken back but what this device's log wrote, what nobody else can have by what this device knows, and only
//! once the other repository has been verified with its logs saying just what its `main` holds.

use super::accepted::Accepted;
use super::append::{Changes, Draft, FILES_PER_ENTRY, Recorded};
use super::charter::{Charter, RawCharter};
use super::error::LedgerError;
use super::main_commits::is_by_a_lead;
use super::merge::{MAIN_DEPTH, MainFate, Merge, Theirs, commits, each_object, follows, says};
use super::merge_lines::Lines;
use super::objects::{MAIN, Objects};
use super::start::{Ledger, given_boxes};
use super::withdrawn::{Rewritten, Withdrawn};
use crate::chain::{Card, Details, Device, DeviceKind, FileRef, Kind, Role, Roster, Time};
use crate::crypto::Entropy;
use crate::id::LogName;
use crate::repo::{Oid, Repo};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How what was changed here stands to what was changed there.
pub enum Second {
    /// A person has to decide, and why.
    Undecided(&'static str),
    /// What stands there no honest clone puts there, and what is wrong with it.
    Tampered(&'static str),
    /// What was changed here can be taken back and made again.
    MayWithdraw(Box<Withdrawal>),
    /// What was changed there was signed by somebody whose membership was taken here.
    Void {
        /// Who signed it.
        gone: String,
        /// Who had taken their membership, if they took that one's.
        mutual: Option<String>,
    },
    /// By the members there the person here is none any more.
    Removed {
        /// Who signed that.
        by: String,
        /// Whether the person here took the membership from them meanwhile.
        mutual: bool,
        /// Whether the person here founded the vault.
        founder: bool,
    },
}

/// What is to be taken back.
pub struct Withdrawal {
    withdrawn: Withdrawn,
    changes: Changes,
    files: usize,
    /// Whose devices lost all their boxes with it.
    unboxed: Vec<Card>,
}

impl Merge<'_> {
    /// Which side's members and policies go on from the other's.
    pub(super) fn relate(&self, mine: &Charter, theirs: &Theirs<'_>) -> MainFate {
        let other = &theirs.charter;
        let (here, there) = (mine.commit, other.commit);
        if here == there {
            return MainFate::Same;
        }
        let newer = other.roster.contains(mine.roster.digest());
        if newer && follows(&theirs.view, there, here) {
            return self.whole(theirs, here);
        }
        let older = mine.roster.contains(other.roster.digest());
        if older && (follows(self.repo, here, there) || mine.files == other.files) {
            return MainFate::Kept;
        }
        MainFate::Diverged
    }

    /// Whether the other's `main` is all there from that commit on, each commit by somebody who was a lead then.
    fn whole(&self, theirs: &Theirs<'_>, from: Oid) -> MainFate {
        let there = theirs.charter.commit;
        let known = BTreeSet::from([from]);
        let whole = each_object(&theirs.view, there, &known, MAIN_DEPTH, &mut |_| Ok(()));
        if let Err(error) = whole {
            return MainFate::Broken(error.to_string());
        }
        match by_leads(theirs, from) {
            true => MainFate::Taken,
            false => MainFate::Broken("a commit of it is by nobody who was a lead then".to_owned()),
        }
    }

    /// The same where neither goes on from the other, but both from one commit: where what one side has beyond that was taken
    /// back, the other's is in force. The logs of both together have to say so, to the last file.
    /// What was merged or pushed there before is `known`, and is not taken back.
    pub(super) fn relate_beside(
        &self,
        (mine, lines): (&Charter, &Lines),
        theirs: &Theirs<'_>,
        left_out: &BTreeMap<LogName, String>,
        known: Option<Oid>,
    ) -> Result<MainFate, LedgerError> {
        let Some(common) = common_commit(self.repo, mine.commit, &theirs.view, theirs.charter.commit) else {
            return Ok(MainFate::Diverged);
        };
        let there = theirs.charter.commit;
        let rewritten = known.is_some_and(|known| !follows(&theirs.view, there, known));
        if common == mine.commit || common == there || rewritten {
            return Ok(MainFate::Diverged);
        }
        let all = lines.joined_with(self.repo, (&theirs.view, &theirs.facts), &theirs.lines, left_out);
        let sides = [
            (MainFate::Taken, &theirs.charter, mine),
            (MainFate::Kept, mine, &theirs.charter),
        ];
        for (fate, stands, other) in sides {
            let cuts = stands.roster.cuts();
            let last = other.roster.digest();
            let known = stands.roster.contains(last)
                || all
                    .withdrawals(&cuts)
                    .base_of(last)
                    .is_some_and(|base| stands.roster.contains(base));
            if known && says(&all.live(cuts, self.repo, &theirs.view)?, &stands.files) {
                return Ok(match fate {
                    MainFate::Taken => self.whole(theirs, common),
                    fate => fate,
                });
            }
        }
        Ok(MainFate::Diverged)
    }
}

/// Whether each commit of the other's `main` behind that one is by somebody who was a lead then.
fn by_leads(theirs: &Theirs<'_>, from: Oid) -> bool {
    let mut new = commits(&theirs.view, theirs.charter.commit).take_while(|oid| *oid != from);
    new.all(|oid| {
        let commit = theirs.view.commit_at(oid);
        let by = commit.and_then(|commit| is_by_a_lead(&theirs.view, &commit, &theirs.charter.roster));
        by.unwrap_or(false)
    })
}

impl Ledger<'_> {
    /// What is to become of what was changed here, where neither side's members and policies go on from the other's. Nothing is
    /// changed by asking.
    pub fn second(&self, other: &Repo, name: &str, now: Time) -> Result<Second, LedgerError> {
        let merge = Merge {
            repo: self.repo,
            lock: &self.lock,
            identity: self.identity,
            state: &self.state,
            now,
            in_part: false,
        };
        if self.withdrawn()?.is_some() {
            return Ok(Second::Undecided("what was taken back before is not made again yet"));
        }
        let theirs = merge.theirs(other)?;
        let mine = &self.standing.charter;
        let Some(common) = common_commit(self.repo, mine.commit, &theirs.view, theirs.charter.commit) else {
            return Ok(Second::Undecided("the two have nothing in common"));
        };
        if common == mine.commit || common == theirs.charter.commit {
            return Ok(Second::Undecided(
                "one goes on from the other, and does not follow from the logs",
            ));
        }
        // Nobody takes back what they changed for what no lead made.
        if !by_leads(&theirs, common) {
            let why = "a change of the members or policies there is by nobody who was a lead then";
            return Ok(Second::Tampered(why));
        }
        let accepted = Accepted::read(&self.state, self.identity)?;
        let known = accepted.main_of(name);
        if known.is_some_and(|known| !follows(&theirs.view, theirs.charter.commit, known)) {
            return Ok(Second::Tampered("what stood there was rewritten or put back"));
        }
        let base = RawCharter::read(self.repo, common)?;
        let before = Charter::read(self.repo, common, self.identity.founder_pin())?;
        if let Some(decided) = self.removed(&before, &theirs).or_else(|| self.void(&before, &theirs)) {
            return Ok(decided);
        }
        let own: BTreeSet<Oid> = commits(self.repo, mine.commit)
            .take_while(|oid| *oid != common)
            .collect();
        if accepted.mains().any(|main| own.contains(&main)) {
            return Ok(Second::Undecided(
                "what was changed here is with others already, by another remote",
            ));
        }
        let device = self.identity.device();
        let leads = |card: &Card| card.roles.contains(&Role::Lead) && !card.paused && !card.has_ended(now);
        let is_lead = |roster: &Roster| roster.device(device).is_some_and(|(card, _)| leads(card));
        if !is_lead(&before.roster) {
            return Ok(Second::Undecided(match self.came_back_by_paper() {
                true => {
                    "you came back in by a recovery key on a clone that lacked what others had changed. Come back in once \
                     more: move the vault and your identity away, `strongroom clone URL`, and there the same page or shares \
                     again"
                }
                false => "what was changed here admitted this device, or made it a lead's",
            }));
        }
        let cards = &mine.roster.cards()[before.roster.cards().len()..];
        // Who gave keys to somebody must be able to make new ones in their place.
        if !is_lead(&theirs.charter.roster) && cards.iter().any(|card| gave_keys(&before.roster, card)) {
            return Ok(Second::Undecided(
                "you are a lead no more by what another lead changed meanwhile, and what you changed gave keys that only a \
                 lead can make anew. It is made again once a lead gives you the role again (`strongroom member grant`, \
                 `strongroom member resume`) for as long as a sync takes. Nothing that you recorded is lost meanwhile: it opens \
                 here. Where no lead gives it, take that along (`strongroom export notes`), come in anew from a fresh clone, and \
                 `strongroom import` it there",
            ));
        }
        let digest = before.roster.digest();
        let go_on = theirs.charter.roster.contains(digest) && mine.roster.contains(digest);
        let live = theirs
            .lines
            .live(theirs.charter.roster.cuts(), &theirs.view, &theirs.view)?;
        if !go_on || !theirs.broken.is_empty() || !says(&live, &theirs.charter.files) {
            return Ok(Second::Undecided("the logs there do not say what stands there"));
        }
        let (took, put): (Vec<&FileRef>, Vec<&FileRef>) = (
            mine.files.iter().filter(|file| !before.files.contains(file)).collect(),
            before.files.iter().filter(|file| !mine.files.contains(file)).collect(),
        );
        let own_log = self.standing.log;
        let wrote = |file: &&FileRef| {
            let file = (*file).into();
            let mut writers = self.standing.live.writers(&file);
            writers.any(|entry| entry.log == own_log && entry.seq > 0)
        };
        if took.is_empty() || !took.iter().all(wrote) || !cards.iter().all(|card| card.by == device) {
            return Ok(Second::Undecided(
                "some of what was changed here was not changed by this device",
            ));
        }
        // The boxes that the entry gives back are files of it too.
        let devices = before.roster.members().map(|card| card.devices.len()).sum::<usize>();
        if took.len() + put.len() + devices > FILES_PER_ENTRY {
            return Ok(Second::Undecided("too much was changed here to take it back at once"));
        }
        let raw = RawCharter::read(self.repo, mine.commit)?;
        let mut changes = Changes::default();
        changes.go_back(common);
        took.iter().for_each(|file| changes.forget((*file).clone()));
        for file in &put {
            let bytes = base.files.get(&file.1).cloned();
            changes.write(
                MAIN,
                file.1.clone(),
                bytes.ok_or(LedgerError::Internal("a file of `main` is gone"))?,
            );
        }
        let withdrawn = Withdrawn::between(self.identity.vault(), digest, &base.files, &raw.files);
        let mut unboxed: Vec<Card> = before.roster.members().cloned().collect();
        for card in &mut unboxed {
            let lost = |device| given_boxes(&self.standing.live, &before.roster, device).is_empty();
            card.devices.retain(|device| lost(device.device));
        }
        unboxed.retain(|card| !card.devices.is_empty());
        Ok(Second::MayWithdraw(Box::new(Withdrawal {
            files: took.len(),
            withdrawn,
            changes,
            unboxed,
        })))
    }

    /// Whether a recovery key admitted this device.
    fn came_back_by_paper(&self) -> bool {
        let (roster, device) = (&self.standing.charter.roster, self.identity.device());
        let has = |card: &&Card| card.devices.iter().any(|known| known.device == device);
        let by = roster.cards().iter().find(has).map(|card| card.by);
        by.and_then(|by| roster.device_ever(by))
            .is_some_and(|by| by.kind == DeviceKind::Paper)
    }

    /// Whether by the members there the person here is none any more, or this device none of theirs.
    fn removed(&self, before: &Charter, theirs: &Theirs<'_>) -> Option<Second> {
        let (device, me) = (self.identity.device(), self.identity.person());
        let there = &theirs.charter.roster;
        before.roster.device(device)?;
        if there.device(device).is_some() {
            return None;
        }
        let has = |card: &Card| card.devices.iter().any(|known| known.device == device);
        let mut since = there.cards().iter().skip(before.roster.cards().len());
        let card = since.find(|card| card.person == me && !has(card))?;
        let by = there.person_of(card.by)?;
        let handle = there.member(by).map(|card| card.handle.clone());
        let now = self.standing.charter.roster.member(by);
        Some(Second::Removed {
            by: handle.unwrap_or_else(|| by.to_string()),
            mutual: now.is_some_and(Card::is_removed)
                && before.roster.member(by).is_some_and(|card| !card.is_removed()),
            founder: there.cards().first().is_some_and(|first| first.person == me),
        })
    }

    /// Whether what was changed there was signed by somebody whose membership was taken here.
    fn void(&self, before: &Charter, theirs: &Theirs<'_>) -> Option<Second> {
        let (here, there) = (&self.standing.charter.roster, &theirs.charter.roster);
        let cards = there.cards().get(before.roster.cards().len()..)?;
        let gone = here.member(before.roster.person_of(cards.first()?.by)?)?;
        if !gone.is_removed() || cards.iter().any(|card| here.device(card.by).is_some()) {
            return None;
        }
        let by = here.member(here.person_of(gone.by)?)?;
        let mutual = there.member(by.person).is_some_and(Card::is_removed) && !by.is_removed();
        Some(Second::Void {
            gone: gone.handle.clone(),
            mutual: mutual.then(|| by.handle.clone()),
        })
    }

    /// Takes back what was changed here: it is kept to be made again, and then entered. Members and policies are as they were
    /// before it, and whoever lost their keys with it is given them.
    pub fn withdraw(
        &mut self,
        withdrawal: Withdrawal,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Recorded, LedgerError> {
        let Withdrawal {
            withdrawn,
            mut changes,
            files,
            unboxed,
        } = withdrawal;
        for card in unboxed {
            let keys = self.standing.keyring.part(|usage| card.is_due(usage));
            // What is lent and over is given to nobody again.
            let current = card.loans().all(|(_, until)| until > now);
            if current && keys.iter().next().is_some() {
                self.give_keys(&card, &keys, &mut changes, entropy)?;
            }
        }
        withdrawn.write(&self.state, self.identity)?;
        // The journal has to know of one way of `main` alone.
        self.cut()?;
        let mut details = Details::new("withdraw");
        details.asked = Some(format!(
            "{files} files of members and rules: another lead's change came first"
        ));
        self.record(
            Draft::change(Kind::Withdraw, details, Vec::new(), changes),
            now,
            entropy,
        )
    }

    /// What was taken back and is still to be made again: the members as they were before and as this device had made them, and
    /// the other files. None where nothing waits, or where it was never taken back.
    pub fn withdrawn(&self) -> Result<Option<(Roster, Roster, Withdrawn)>, LedgerError> {
        let Some(withdrawn) = Withdrawn::read(&self.state, self.identity)? else {
            return Ok(None);
        };
        let charter = &self.standing.charter;
        let raw = RawCharter::read(self.repo, charter.commit)?;
        let Some(before) = charter
            .roster
            .cards()
            .iter()
            .position(|card| card.digest() == withdrawn.base)
        else {
            return Ok(None);
        };
        let files: Vec<&[u8]> = raw.cards().into_iter().map(|(_, file)| file).take(before + 1).collect();
        let bad = |_| LedgerError::Internal("cards that were kept do not hold");
        let founder = Some(charter.roster.founder());
        let base = Roster::verify(charter.vault, founder, &files).map_err(bad)?;
        let all: Vec<&[u8]> = files.into_iter().chain(withdrawn.cards()).collect();
        let mine = Roster::verify(charter.vault, founder, &all).map_err(bad)?;
        // It was kept, and then not taken back.
        let is = |file: &Rewritten| raw.files.get(&file.path) == file.after.as_ref();
        let stands = match mine.digest() == base.digest() {
            true => withdrawn.files.iter().all(is),
            false => charter.roster.contains(mine.digest()),
        };
        Ok((!stands).then_some((base, mine, withdrawn)))
    }

    /// Nothing waits any more.
    pub fn forget_withdrawn(&self) -> Result<(), LedgerError> {
        Withdrawn::remove(&self.state)
    }
}

/// Whether anything may wait to be made again, by what lies in a device's state.
pub fn is_anything_withdrawn(state: &Path) -> bool {
    Withdrawn::is_there(state)
}

/// Whether a card made new keys, or somebody was given some with it that they were not due by these members.
fn gave_keys(before: &Roster, card: &Card) -> bool {
    let old = before.member(card.person);
    let is_new = |device: &Device| !old.is_some_and(|old| old.devices.contains(device));
    let gains = card.uses().any(|usage| !old.is_some_and(|old| old.is_due(usage)));
    let resumed = old.is_some_and(|old| old.paused) && !card.paused;
    card.auditors.is_some() || !card.keys.is_empty() || gains || resumed || card.devices.iter().any(is_new)
}

/// The newest commit from which both go on by first parents.
fn common_commit(repo: &Repo, here: Oid, view: &dyn Objects, there: Oid) -> Option<Oid> {
    let own: BTreeSet<Oid> = commits(repo, here).collect();
    commits(view, there).find(|oid| own.contains(oid))
}
