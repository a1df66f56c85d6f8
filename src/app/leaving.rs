//! What changes for a member: more, less, a pause, the end. Who gets less is given no key that comes after: of everything
//! they lose there is a new key, and what was wrapped under the old one is wrapped again.

use super::compartments::roster_facts;
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::{Looking, NoteLine};
use super::members::sorted;
use super::sync::keep_together;
use super::table::{shown_name, typed};
use crate::chain::{AuditorsKey, Card, DeviceKind, Entry, FileRef, Kind as EntryKind, Outcome, Role, Time};
use crate::crypto::{make_random, sha256};
use crate::env::SystemEntropy;
use crate::envelope::{Key, KeyUse, Keyring};
use crate::gate::{Filter, Nature};
use crate::id::{CompartmentId, DeviceId, EntryRef, NoteId, PersonId};
use crate::label::{Clearance, Label, Level};
use crate::ledger::{Changes, Draft, FILES_PER_ENTRY, Opened, wrap_ref};
use crate::policy::{Action, Decision};
use crate::report;
use std::collections::BTreeSet;

/// What is to change for a member.
pub enum MemberChange {
    /// They get more, or a later end.
    Grant(Rights),
    /// They get less: down to that level, without these compartments and roles.
    Revoke(Rights),
    /// They may do nothing until they are resumed; their keys stay.
    Pause,
    /// They go on.
    Resume,
    /// They are a member no more.
    Remove,
    /// A device of theirs is lost, named by its id or the beginning of it: new keys for all that it held.
    RemoveDevice(String),
}

/// Rights that are given or taken.
#[derive(Default)]
pub struct Rights {
    /// A level, with compartments if it is given.
    pub clearance: Option<String>,
    /// Compartments.
    pub compartments: Vec<String>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Until when level and compartments are lent; where neither is named, when the membership ends.
    pub until: Option<Time>,
    /// The membership has no end any more.
    pub endless: bool,
}

/// What came of it.
pub struct Changed {
    /// Whom it concerns.
    pub handle: String,
    /// Their clearance from now on.
    pub clearance: String,
    /// Their roles.
    pub roles: Vec<Role>,
    /// When the membership ends, if it does.
    pub until: Option<Time>,
    /// Whether they may do nothing for the time being.
    pub paused: bool,
    /// Whether a recovery key of theirs, which brought them back until now, brings nobody back any more.
    pub key_rests: bool,
    /// What they are lent, and until when.
    pub lent: Vec<(String, Time)>,
    /// The entry of the card, if there is a new one.
    pub entry: Option<EntryRef>,
    /// Whether anything changed; if not, it was so already.
    pub changed: bool,
    /// What there are new keys for.
    pub rotated: Vec<String>,
    /// What waits for a lead who holds the keys.
    pub pending: Vec<String>,
    /// How many wraps were made anew.
    pub rewrapped: usize,
    /// What they could read and cannot any more, as far as whoever asks may see it.
    pub lost: Vec<LostNote>,
    /// Clients and cases in which they wrote, for somebody to take over; of who is no member any more.
    pub left: Vec<LeftCase>,
}

/// A client's case in which somebody wrote.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LeftCase {
    /// The client; may be empty.
    pub client: String,
    /// The case; may be empty.
    pub case: String,
    /// When they wrote last.
    pub last: Time,
    /// How many of their notes there are.
    pub notes: usize,
}

/// A note that somebody could read.
pub struct LostNote {
    /// The note.
    pub id: NoteId,
    /// Its label.
    pub label: String,
    /// Its title.
    pub title: String,
    /// Whether they opened it, by the log, as far as that opens for whoever asks.
    pub opened: bool,
}

impl Rights {
    /// As they were given with the command.
    fn in_words(&self) -> String {
        let roles = self.roles.iter().map(|role| role.name().to_owned());
        let until = match self.endless {
            true => Some("until never".to_owned()),
            false => self.until.map(|until| format!("until {until}")),
        };
        let all = self.clearance.iter().chain(&self.compartments).cloned();
        all.chain(roles).chain(until).collect::<Vec<_>>().join(", ")
    }
}

impl MemberChange {
    fn verb(&self) -> &'static str {
        match self {
            Self::Grant(_) => "member grant",
            Self::Revoke(_) => "member revoke",
            Self::Pause => "member pause",
            Self::Resume => "member resume",
            Self::Remove | Self::RemoveDevice(_) => "member remove",
        }
    }

    fn action(&self) -> Action {
        match self {
            Self::Grant(_) => Action::MemberGrant,
            Self::Revoke(_) => Action::MemberRevoke,
            Self::Pause => Action::MemberPause,
            Self::Resume => Action::MemberResume,
            Self::Remove | Self::RemoveDevice(_) => Action::MemberRemove,
        }
    }
}

/// Changes what a member may do. Whoever lost something may have kept what they had: what it was is told.
pub fn change_member(context: &Context<'_>, handle: &str, change: &MemberChange) -> Result<Changed, Error> {
    let unlocked = context.unlock()?;
    keep_together(context, &unlocked)?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details(change.verb());
    details.asked = Some(short(match change {
        MemberChange::RemoveDevice(device) => format!("{handle} / device {device}"),
        MemberChange::Grant(rights) | MemberChange::Revoke(rights) => format!("{handle}: {}", rights.in_words()),
        _ => handle.to_owned(),
    }));
    match desk.decide(change.action(), roster_facts()?) {
        Decision::Denied(denial) => {
            return Err(desk.denied(&denial, Some(EntryKind::Card), details, Vec::new(), change.verb())?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let (old, new) = match desk.changed_card(handle, change) {
        Ok(cards) => cards,
        Err(error) => return Err(desk.refused(change.verb(), Some(EntryKind::Card), Some(handle), error)?),
    };
    let exposed = match change {
        MemberChange::RemoveDevice(_) if new != old => old.uses().collect(),
        _ => BTreeSet::new(),
    };
    let takes = matches!(change, MemberChange::Revoke(_) | MemberChange::Remove);
    // Where less is given again than before, what another lead lacked a key for is finished.
    let finishes = takes || matches!(change, MemberChange::RemoveDevice(_));
    let rotating = match new == old && !finishes {
        true => Vec::new(),
        false => desk.rotating(&old, &new, &exposed),
    };
    let entry = match new == old && rotating.is_empty() {
        true => None,
        false => Some(desk.put_in_force(&old, new.clone(), &rotating, details.clone())?),
    };
    let rewrapped = match takes || !rotating.is_empty() {
        true => desk.rewrap(entry)?,
        false => 0,
    };
    if entry.is_none() && rewrapped == 0 {
        let _ = desk.record(Draft::read(details, Vec::new()))?;
    }
    let gives = matches!(
        change,
        MemberChange::Grant(_) | MemberChange::Pause | MemberChange::Resume
    );
    let (lost, left) = match gives && rotating.is_empty() {
        true => Default::default(),
        false => desk.lost(&old, &new, change.verb())?,
    };
    let mut pending = desk.ledger.charter().roster.rotations_pending();
    pending.extend(exposed.into_iter().filter(|usage| !rotating.contains(usage)));
    let mut changed = Changed {
        clearance: desk.clearance_text(&new).0,
        lent: new
            .loans()
            .map(|(usage, until)| (desk.use_name(usage), until))
            .collect(),
        roles: new.roles.clone(),
        until: new.until,
        paused: new.paused,
        key_rests: {
            let brings_back =
                |card: &Card| card.roles.contains(&Role::Lead) && !card.paused && !card.has_ended(context.now());
            let printed = new.devices.iter().any(|device| device.kind == DeviceKind::Paper);
            printed && brings_back(&old) && !brings_back(&new)
        },
        entry,
        changed: entry.is_some() || rewrapped > 0,
        rotated: rotating.iter().map(|usage| desk.use_name(*usage)).collect(),
        pending: pending.into_iter().map(|usage| desk.use_name(usage)).collect(),
        rewrapped,
        lost,
        left: if new.is_removed() { left } else { Vec::new() },
        handle: old.handle,
    };
    if changed.lost.is_empty() {
        drop(desk);
        keep_together(context, &unlocked)?;
        return Ok(changed);
    }
    // What they did see is in the log, and looking there is an entry. It is done by now: what cannot be told is said.
    let overseen = desk.overseen(Action::AuditWho, "audit who", vec![format!("actor {}", changed.handle)]);
    drop(desk);
    keep_together(context, &unlocked)?;
    let mut opened = BTreeSet::new();
    let told = overseen.and_then(|overseen| {
        let theirs = |entry: &Entry| entry.actor == old.person && entry.result == Outcome::Done;
        let opens = |line: &Opened| {
            line.details
                .as_ref()
                // A draft is shown as it is made.
                .is_some_and(|seen| report::opens(&seen.verb) || seen.verb == "brief draft")
        };
        overseen.show(&theirs, &opens, None, &mut |_, line| {
            opened.extend(line.notes);
            Ok(())
        })
    });
    if let Err(error) = told {
        let words = format!("what {} had opened cannot be told: {error}", changed.handle);
        context.person.warn(&words);
    }
    changed
        .lost
        .iter_mut()
        .for_each(|note| note.opened = opened.contains(&note.id));
    Ok(changed)
}

impl Desk<'_> {
    /// The member's card as it is, but for its place in the chain, and as it is to be.
    fn changed_card(&self, handle: &str, change: &MemberChange) -> Result<(Card, Card), Error> {
        let roster = &self.ledger.charter().roster;
        let person = match (self.member(handle), change) {
            (Ok(card), _) => card.person,
            // Who is removed already: what was left undone is finished.
            (Err(error), MemberChange::Remove) => {
                let gone = roster.members().find(|card| card.handle == handle);
                gone.ok_or(error)?.person
            }
            (Err(error), _) => return Err(error),
        };
        let old = self.next_card(person)?;
        // Whatever changes, what was lent and is over is taken back.
        let mut new = old.without_past_loans(self.context.now());
        let takes = matches!(
            change,
            MemberChange::Revoke(_) | MemberChange::Pause | MemberChange::Remove
        );
        if matches!(change, MemberChange::Grant(_)) && person == self.identity.person() {
            return Err(
                Error::new(Kind::Denied, "nobody gives anything to themselves; nothing was changed")
                    .hint("ask another lead"),
            );
        }
        if takes && person == self.identity.person() {
            return Err(Error::new(
                Kind::Usage,
                "nobody takes anything from themselves; nothing was changed",
            )
            .hint("ask another lead"));
        }
        match change {
            MemberChange::Grant(rights) => self.give(&mut new, rights)?,
            MemberChange::Revoke(rights) => self.take(&mut new, rights)?,
            MemberChange::Pause => new.paused = true,
            MemberChange::Resume => new.paused = false,
            MemberChange::Remove => {
                new.cuts = self.ledger.known_of(&old);
                (new.devices, new.compartments, new.roles) = (Vec::new(), Vec::new(), Vec::new());
                (new.level, new.until, new.paused) = (Level::Public.number(), None, false);
                new.lent.clear();
            }
            MemberChange::RemoveDevice(asked) => self.without_device(&mut new, asked)?,
        }
        self.check_gain(Some(&old), &new)?;
        self.keep_a_holder(&old, &new)?;
        Ok((old, new))
    }

    fn give(&self, card: &mut Card, rights: &Rights) -> Result<(), Error> {
        let level = rights.clearance.as_deref();
        let present = Level::from_number(card.level).unwrap_or(Level::Public);
        let name = self.level_name(present);
        let (level, compartments) = self.cleared_for(level.unwrap_or(&name), &rights.compartments)?;
        if rights.until.is_some_and(|until| until <= self.context.now()) {
            return Err(Error::new(Kind::Usage, "that end is past; nothing was changed")
                .hint("`strongroom member remove` ends a membership, `strongroom member revoke` a loan"));
        }
        let lends = rights.clearance.is_some() || !rights.compartments.is_empty();
        if rights.endless && (lends || rights.until.is_some()) {
            return Err(Error::new(
                Kind::Usage,
                "a membership without an end is given by itself; nothing was changed",
            )
            .hint("`strongroom member grant HANDLE --until never`"));
        }
        if rights.endless {
            card.until = None;
        }
        match rights.until.filter(|_| lends || !rights.roles.is_empty()) {
            Some(_) if !rights.roles.is_empty() => {
                return Err(Error::new(Kind::Usage, "a role is not lent: it ends with the membership; nothing was changed")
                    .hint("give it without --until, and take it back with `strongroom member revoke`")
                    .hint("`strongroom member grant HANDLE --until TIME`, with nothing else, ends the membership with all its roles"));
            }
            Some(until) => {
                let compartments = compartments.into_iter().map(KeyUse::Compartment);
                let level = (level.number() > card.level).then_some(KeyUse::Level(level));
                let all = compartments.chain(level);
                let lent: Vec<KeyUse> = all.filter(|usage| !card.is_due_for_good(*usage)).collect();
                for usage in lent {
                    card.lent.insert(usage.to_string(), until);
                }
            }
            None => {
                card.level = card.level.max(level.number());
                let held: BTreeSet<CompartmentId> = card.compartments.iter().copied().collect();
                card.compartments = held.union(&compartments).copied().collect();
                card.until = rights.until.or(card.until);
                // What is given for good is lent no more.
                let loans = card.loans().map(|(usage, _)| usage);
                let given: Vec<KeyUse> = loans.filter(|usage| card.is_due_for_good(*usage)).collect();
                for usage in given {
                    card.lent.remove(&usage.to_string());
                }
            }
        }
        card.roles = sorted([card.roles.as_slice(), &rights.roles].concat());
        Ok(())
    }

    fn take(&self, card: &mut Card, rights: &Rights) -> Result<(), Error> {
        if rights.until.is_some() || rights.endless {
            return Err(Error::new(Kind::Usage, "an end is not taken; nothing was changed")
                .hint("`strongroom member grant HANDLE --until TIME` gives another, `--until never` none"));
        }
        let present = Level::from_number(card.level).unwrap_or(Level::Public);
        let name = self.level_name(present);
        let (level, compartments) =
            self.cleared_for(rights.clearance.as_deref().unwrap_or(&name), &rights.compartments)?;
        card.level = card.level.min(level.number());
        let takes = |usage: KeyUse| match usage {
            KeyUse::Level(lent) => rights.clearance.is_some() && lent > level,
            KeyUse::Compartment(id) => compartments.contains(&id),
            KeyUse::Auditors => false,
        };
        let taken: Vec<KeyUse> = card
            .loans()
            .map(|(usage, _)| usage)
            .filter(|usage| takes(*usage))
            .collect();
        for usage in taken {
            card.lent.remove(&usage.to_string());
        }
        card.compartments.retain(|id| !compartments.contains(id));
        card.roles.retain(|role| !rights.roles.contains(role));
        match card.roles.is_empty() {
            true => Err(
                Error::new(Kind::Usage, "a member has a role at least; nothing was changed")
                    .hint("`strongroom member remove` ends a membership"),
            ),
            false => Ok(()),
        }
    }

    /// Takes a device from a card, with the end of its logs. One that was taken before leaves the card as it is: what another
    /// lead lacked a key for is finished.
    fn without_device(&self, card: &mut Card, asked: &str) -> Result<(), Error> {
        let cards = self.ledger.charter().roster.cards().iter();
        let theirs = cards.filter(|earlier| earlier.person == card.person);
        let ever: BTreeSet<DeviceId> = theirs
            .flat_map(|card| &card.devices)
            .map(|known| known.device)
            .collect();
        let mut meant = ever.into_iter().filter(|device| device.to_string().starts_with(asked));
        let (Some(lost), None) = (meant.next(), meant.next()) else {
            let words = format!("`{}` names no one device of {}", typed(asked), card.handle);
            return Err(
                Error::new(Kind::Usage, words).hint("`strongroom member review --json` shows them and their last use")
            );
        };
        if lost == self.identity.device() {
            return Err(
                Error::new(Kind::Usage, "that is the device you are at; nothing was changed")
                    .hint("do it at another one, or ask another lead"),
            );
        }
        let mut gone = card.clone();
        gone.devices.retain(|known| known.device == lost);
        card.devices.retain(|known| known.device != lost);
        if card.devices.is_empty() {
            let words = format!("{} has no other device; nothing was changed", card.handle);
            return Err(Error::new(Kind::Failed, words)
                .hint(format!("admit another one first: --device-of {}", card.handle))
                .hint("until then `strongroom member pause` stops it"));
        }
        card.cuts = self.ledger.known_of(&gone);
        Ok(())
    }

    /// Refuses to take a level, a compartment or the auditors' key from the last who holds it: nobody could open what is under
    /// it, nor give it to anybody. Who is lent it does not count, nor who may do nothing now, nor who was not given its present
    /// key: by their cards others may be due what they do not have.
    pub(super) fn keep_a_holder(&self, old: &Card, new: &Card) -> Result<(), Error> {
        let roster = &self.ledger.charter().roster;
        let (me, now) = (self.identity.person(), self.context.now());
        let others = || roster.members().filter(|card| card.person != old.person);
        let is_due = |card: &Card, usage: KeyUse, next: Option<&Card>| match usage {
            KeyUse::Auditors => roster.is_due(card, usage, next),
            _ => card.is_due_for_good(usage),
        };
        let is_last = |usage: KeyUse| {
            let given = roster.given(usage);
            let has = |card: &Card| match card.person == me {
                true => self.ledger.keyring().holds(usage),
                false => given.contains(&card.person),
            };
            let stays = |card: &Card| has(card) && !card.waits(now) && is_due(card, usage, Some(new));
            has(old) && !others().any(stays)
        };
        let all = BTreeSet::from_iter(old.uses().chain([KeyUse::Auditors]));
        let lost = |usage: &KeyUse| is_due(old, *usage, None) && !is_due(new, *usage, Some(new));
        let last = all.into_iter().filter(lost).filter(|usage| is_last(*usage));
        let names: Vec<String> = last
            .map(|usage| match usage {
                KeyUse::Auditors => "the auditors' key".to_owned(),
                _ => self.use_name(usage),
            })
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let (handle, names) = (&old.handle, names.join(", "));
        // Who died, or is not to be trusted, gives nothing to anybody: a pause first says that it is meant.
        if old.paused && new.is_removed() {
            self.context.person.warn(&format!(
                "{handle} is the last who holds {names}: what is under it opens for nobody any more, and a new auditor gets a new key"
            ));
            return Ok(());
        }
        let words = format!("{handle} is the last who holds {names}; nothing was changed");
        let mut error = Error::new(Kind::Failed, words)
            .hint("have them give it to somebody first; where they are no lead, make them one for that");
        if others().any(|card| !card.is_removed() && card.waits(now)) {
            error = error.hint("who is paused, or whose membership is over, does not count");
        }
        Err(match old.paused {
            true => error,
            false => error.hint(format!(
                "`strongroom member pause {handle}` stops them at once, and nothing is lost; of who never comes back \
                 `strongroom member remove {handle}` then takes away what only they hold too"
            )),
        })
    }

    /// Whether nobody holds the auditors' key any more who is due it: then a lead makes another for whom they make an auditor.
    pub(super) fn is_auditors_key_lost(&self) -> bool {
        let roster = &self.ledger.charter().roster;
        let given = roster.given(KeyUse::Auditors);
        let holds = |card: &Card| given.contains(&card.person) && roster.is_due(card, KeyUse::Auditors, None);
        !roster.members().any(holds)
    }

    /// What a use is called here.
    pub(super) fn use_name(&self, usage: KeyUse) -> String {
        match usage {
            KeyUse::Level(level) => self.level_name(level),
            KeyUse::Auditors => "the log's details".to_owned(),
            KeyUse::Compartment(id) => {
                let mut held = self.ledger.keyring().compartments();
                let found = held.find(|(_, known)| *known == id);
                found.map_or_else(|| format!("compartment {id}"), |(name, _)| shown_name(name))
            }
        }
    }

    /// What there is to be a new key for: what the member loses or somebody else may have, and what earlier losses left
    /// waiting, as far as the present keys are held here; and the auditors' key for who becomes an auditor, where nobody holds it any more.
    pub(super) fn rotating(&self, old: &Card, new: &Card, exposed: &BTreeSet<KeyUse>) -> Vec<KeyUse> {
        let lost = |usage: &KeyUse| old.is_due(*usage) && !new.is_due(*usage);
        let levels = Level::ALL.into_iter().filter(|level| *level != Level::Named);
        let all = levels.map(KeyUse::Level).chain(old.uses());
        let mut due: BTreeSet<KeyUse> = all.filter(lost).collect();
        due.extend(self.ledger.charter().roster.rotations_pending());
        due.extend(exposed);
        // Whoever is not due a key themselves, for good, must not be the one who makes it.
        let roster = &self.ledger.charter().roster;
        let me = roster.member(self.identity.person());
        let makes = |usage: &KeyUse| {
            me.is_some_and(|me| match usage {
                KeyUse::Auditors => roster.is_due(me, *usage, Some(new)),
                _ => me.is_due_for_good(*usage),
            })
        };
        let anew = new.is_due(KeyUse::Auditors) && self.is_auditors_key_lost();
        due.extend(anew.then_some(KeyUse::Auditors));
        let holds = |usage: &KeyUse| makes(usage) && self.ledger.keyring().holds(*usage);
        due.into_iter()
            .filter(|usage| anew && *usage == KeyUse::Auditors || holds(usage))
            .collect()
    }

    /// Puts the card in force, with new keys for these uses, and gives everybody theirs.
    fn put_in_force(
        &mut self,
        old: &Card,
        card: Card,
        rotating: &[KeyUse],
        details: crate::chain::Details,
    ) -> Result<EntryRef, Error> {
        let changes = self.in_force(old, card, rotating)?;
        let recorded = self.record(Draft::change(EntryKind::Card, details, Vec::new(), changes))?;
        Ok(recorded.entry())
    }

    /// The files that put the card in force so.
    pub(super) fn in_force(&mut self, old: &Card, mut card: Card, rotating: &[KeyUse]) -> Result<Changes, Error> {
        let entropy = &mut SystemEntropy;
        let epoch: [u8; 8] = make_random(entropy)?;
        let mut new = Keyring::default();
        for usage in rotating {
            let name = match usage {
                KeyUse::Compartment(_) => Some(self.use_name(*usage)),
                _ => None,
            };
            let key = Key::make(*usage, name, epoch, entropy)?;
            match usage {
                KeyUse::Auditors => card.auditors = Some(AuditorsKey::new(key.id, &key.recipient())),
                usage => drop(card.keys.insert(usage.to_string(), key.id)),
            }
            new.add(key);
        }
        let mut changes = self.ledger.card_changes(&card)?;
        let roster = &self.ledger.charter().roster;
        for member in roster.members().filter(|member| member.person != card.person) {
            // Who may do nothing now is given what is new when they go on.
            let waits = member.waits(self.context.now());
            let member = &member.without_past_loans(self.context.now());
            let keys = new.part(|usage| !waits && roster.is_due(member, usage, Some(&card)));
            if keys.iter().next().is_some() {
                self.ledger.give_keys(member, &keys, &mut changes, entropy)?;
            }
        }
        let now = self.context.now();
        let again = card.goes_on_from(old, now);
        let due = |usage| roster.is_due(&card, usage, Some(&card));
        let gained = |usage| due(usage) && (again || !roster.is_due(old, usage, None));
        let mut keys = self.ledger.keyring().part(gained);
        keys.join(new.part(|usage| due(usage) && !card.waits(now)));
        if keys.iter().next().is_some() {
            self.ledger.give_keys(&card, &keys, &mut changes, entropy)?;
        }
        let mut gone = old.clone();
        gone.devices.retain(|device| !card.devices.contains(device));
        self.ledger.forget_boxes(&gone, &mut changes);
        self.ledger.keyring_with(new);
        Ok(changes)
    }

    /// Wraps again what is wrapped under keys that are in force no more; the old wraps are forgotten.
    pub(super) fn rewrap(&mut self, because: Option<EntryRef>) -> Result<usize, Error> {
        let mut all = Vec::new();
        let mut wraps = self.ledger.wraps("")?;
        wraps.retain(|(note, _)| !self.ledger.is_destroyed(*note));
        for (note, wrap) in wraps {
            if let Some(new) = self.gate().rewrap(note, &wrap, &mut SystemEntropy)? {
                all.push((note, wrap.to_bytes(), new.to_bytes()));
            }
        }
        for some in all.chunks(FILES_PER_ENTRY / 2) {
            let mut changes = Changes::default();
            for (note, old, new) in some {
                let (branch, digest) = (wrap_ref(*note), sha256(&[old]));
                changes.forget(FileRef(branch.clone(), format!("{note}.{digest}"), digest));
                changes.write_digested(branch, note, new.clone());
            }
            let details = self.details("rewrap");
            let notes = some.iter().map(|(note, _, _)| *note).collect();
            let mut draft = Draft::change(EntryKind::Key, details, notes, changes);
            draft.because = because;
            let _ = self.record(draft)?;
        }
        if !all.is_empty() {
            self.finish_forgetting()?;
        }
        Ok(all.len())
    }

    /// The notes that the member could read by the old card and cannot by the new one, which is a list of titles, and an
    /// entry.
    fn lost(&mut self, old: &Card, new: &Card, verb: &str) -> Result<(Vec<LostNote>, Vec<LeftCase>), Error> {
        let (before, after) = (old.reach(), new.reach());
        let reads = |card: &Card, clearance: &Clearance, label: &Label| {
            card.is_due(KeyUse::Level(Level::Public)) && clearance.dominates(label)
        };
        let loses = |label: &Label| reads(old, &before, label) && !reads(new, &after, label);
        if new == old {
            return Ok(Default::default());
        }
        let filter = Filter {
            natures: vec![Nature::Note],
            ..Filter::default()
        };
        let looking = Looking::under(Action::List, filter, &loses);
        let mut details = self.details(verb);
        details.asked = Some(short(format!("what {} could read", old.handle)));
        let lines = self.find_all(details, &looking)?;
        let left = cases_of(old.person, &lines);
        let lost = lines.into_iter().map(|line| LostNote {
            id: line.listed.note,
            label: line.label,
            title: line.listed.metadata.title.clone(),
            opened: false,
        });
        Ok((lost.collect(), left))
    }
}

/// The clients and cases in which somebody wrote last, the newest first.
fn cases_of(person: PersonId, lines: &[NoteLine]) -> Vec<LeftCase> {
    let mut cases: Vec<LeftCase> = Vec::new();
    let theirs = lines.iter().map(|line| &line.listed.metadata);
    let theirs = theirs.filter(|metadata| metadata.author == person);
    for metadata in theirs.filter(|metadata| !(metadata.client.is_empty() && metadata.case.is_empty())) {
        let last = Time::from_unix(metadata.modified);
        let same = |known: &&mut LeftCase| known.client == metadata.client && known.case == metadata.case;
        match cases.iter_mut().find(same) {
            Some(known) => {
                known.last = known.last.max(last);
                known.notes += 1;
            }
            None => cases.push(LeftCase {
                client: metadata.client.clone(),
                case: metadata.case.clone(),
                last,
                notes: 1,
            }),
        }
    }
    cases.sort_by_key(|case| std::cmp::Reverse(case.last));
    cases
}
