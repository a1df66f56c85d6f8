//! What another lead changed at the same time (docs/FORMAT.md §7.6): theirs reached the others first and stands, and what
//! this device had changed is made again upon it. Where both changed what somebody may do, they may from then on what both
//! gave; what is given up with that is told, and how to give it again.

use super::compartments::roster_facts;
use super::context::{Context, Desk, Unlocked, short};
use super::error::{Error, Kind};
use super::members::sorted;
use super::policies::check;
use super::table::shell_word;
use crate::chain::{Card, Device, DeviceKind, Kind as EntryKind, Role, Roster, Time};
use crate::env::{SystemEntropy, write_new_private};
use crate::envelope::{KeyUse, ShareSet};
use crate::id::{DeviceId, KeyId, LogName, PersonId};
use crate::label::Level;
use crate::ledger::{Changes, Draft, MAIN, Rewritten, Withdrawn, is_anything_withdrawn};
use crate::policy::{Action, Decision, PolicyFiles};
use std::collections::{BTreeMap, BTreeSet};

/// Where policies are in `main`, and where those that were not made again are kept in this device's state.
const POLICIES: &str = "policies/";
const KEPT: &str = "withdrawn-policies";

/// What becomes of one person's card.
enum Again {
    /// It is as it was to be.
    Same,
    /// It was made again.
    Made,
    /// Something of it was given up: why, and how to have it after all.
    GivenUp(String),
}

/// Makes again what this device took back, if anything waits. Whoever is stopped in between goes on at the next sync: what is
/// made again already is found to be so.
pub(super) fn make_again(context: &Context<'_>, unlocked: &Unlocked<'_>) -> Result<(), Error> {
    if !is_anything_withdrawn(&unlocked.state) {
        return Ok(());
    }
    let mut desk = unlocked.desk(context)?;
    let Some((base, mine, withdrawn)) = desk.ledger.withdrawn()? else {
        desk.ledger.forget_withdrawn()?;
        return Ok(());
    };
    // A card that is made again is another one than the one that was withdrawn, also within a second.
    let last = mine.cards().last().map_or(0, |card| card.time.unix());
    let time = context.now().max(Time::from_unix(last.saturating_add(1)));
    let mut told = Vec::new();
    let lead = |card: &Card| card.roles.contains(&Role::Lead) && !card.paused && !card.has_ended(context.now());
    let me = desk.identity.person();
    let still_leads = desk.ledger.charter().roster.member(me).is_some_and(lead);
    for person in desk.in_order(&base, &mine) {
        let Some(wanted) = mine.member(person) else { continue };
        match desk.card_again(base.member(person), wanted, &withdrawn, time)? {
            Again::Same | Again::Made => {}
            Again::GivenUp(words) => told.push(words),
        }
    }
    desk.join_again(&base, &mine, time, &mut told)?;
    desk.policies_again(unlocked, &withdrawn, &mut told)?;
    desk.keys_again(&base, &mine)?;
    let _ = desk.rewrap(None)?;
    desk.ledger.forget_withdrawn()?;
    context.person.warn(match still_leads {
        true => {
            "another lead changed members or rules at the same time, and that came first: what was changed here was made \
             again upon it"
        }
        false => {
            "another lead changed members or rules at the same time, and that came first: by it you are a lead no more, so \
             what was changed here is set aside. A lead can do it"
        }
    });
    told.iter().for_each(|words| context.person.warn(words));
    Ok(())
}

impl Desk<'_> {
    /// Whose cards are made again, the own one first: what it gains is given on.
    fn in_order(&self, base: &Roster, mine: &Roster) -> Vec<PersonId> {
        let me = self.identity.person();
        let mut people = Vec::new();
        for card in &mine.cards()[base.cards().len()..] {
            people.retain(|person| *person != card.person);
            people.push(card.person);
        }
        people.sort_by_key(|person| *person != me);
        people
    }

    /// The rules that permit it. Where they want a purpose or a reason that nobody gave, what is made again waits for it; where
    /// they deny it whatever is said, that is the end of it.
    fn permitted_again(&mut self, action: Action, verb: &str) -> Result<Result<Vec<String>, Error>, Error> {
        let facts = roster_facts()?;
        let denial = match self.decide(action, facts.clone()) {
            Decision::Permitted(permission) => return Ok(Ok(permission.rules().to_vec())),
            Decision::Denied(denial) => denial,
        };
        let reason = self.context.access.reason();
        let lack = self
            .policies
            .lacks(&self.request(action, facts, reason.as_deref()), &denial);
        let details = self.details(verb);
        let error = self.denied(&denial, Some(EntryKind::Card), details, Vec::new(), verb)?;
        match lack {
            Some(_) => Err(error.hint("what you changed waits here to be made again: say why, and sync once more")),
            None => Ok(Err(error)),
        }
    }

    /// Makes one person's card again: `before` is the one that both sides began with, `wanted` what it was to be here.
    fn card_again(
        &mut self,
        before: Option<&Card>,
        wanted: &Card,
        from: &Withdrawn,
        time: Time,
    ) -> Result<Again, Error> {
        let roster = &self.ledger.charter().roster;
        let is_theirs = |card: &&Card| {
            let has = |device: &Device| wanted.devices.iter().any(|known| known.device == device.device);
            card.person == wanted.person || card.devices.iter().any(has)
        };
        let Some(current) = roster.members().find(is_theirs).cloned() else {
            return self.admit_again(wanted, time);
        };
        let mut old = self.next_card(current.person)?;
        old.time = time;
        let by = roster.person_of(current.by).and_then(|by| roster.member(by));
        let by = by.map_or("another lead", |by| by.handle.as_str()).to_owned();
        if current.is_removed() {
            let same = wanted.is_removed();
            let words = format!(
                "{} was removed by {by} at the same time, and stays so: what you changed for them was not made again",
                current.handle
            );
            return Ok(if same { Again::Same } else { Again::GivenUp(words) });
        }
        let (mut new, mut given_up) = (old.clone(), None);
        if wanted.is_removed() {
            (new.devices, new.compartments, new.roles) = (Vec::new(), Vec::new(), Vec::new());
            (new.level, new.until, new.paused) = (Level::Public.number(), None, false);
            new.lent.clear();
        } else {
            if before.is_none_or(|before| rights(before) != rights(wanted)) {
                if before.is_some_and(|before| rights(before) == rights(&current)) {
                    take_rights(&mut new, wanted);
                } else if rights(&current) != rights(wanted) {
                    self.intersect(&mut new, &current, wanted);
                    given_up = self.given_up(&new, &current, wanted, &by);
                }
            }
            self.devices_again(&mut new, before, wanted);
        }
        let mut gone = old.clone();
        gone.devices.retain(|device| !new.devices.contains(device));
        new.cuts = self.ledger.known_of(&gone);
        let exposed = gone.devices.iter().any(|device| device.kind == DeviceKind::Device) && !new.is_removed();
        let exposed = if exposed { old.uses().collect() } else { BTreeSet::new() };
        if new == old {
            return Ok(given_up.map_or(Again::Same, Again::GivenUp));
        }
        new = new.without_past_loans(self.context.now());
        let own = new.person == self.identity.person();
        let refused = match own {
            // What a lead has made for themselves nobody else can give.
            true => Ok(()),
            false => self.check_gain(Some(&old), &new),
        };
        if let Err(error) = refused.and_then(|()| self.keep_a_holder(&old, &new)) {
            return Ok(Again::GivenUp(not_again(&new.handle, &error)));
        }
        let (action, verb) = deed(&old, &new);
        let mut details = self.details(verb);
        match self.permitted_again(action, verb)? {
            Ok(rules) => details.rules = rules,
            Err(error) => return Ok(Again::GivenUp(not_again(&new.handle, &error))),
        }
        details.asked = Some(short(format!("{}: made again upon what {by} changed", new.handle)));
        let rotating = self.rotating(&old, &new, &exposed);
        let is_new = |device: &&Device| !old.devices.contains(device);
        let added: Vec<DeviceId> = new.devices.iter().filter(is_new).map(|device| device.device).collect();
        let mut changes = self.in_force(&old, new.clone(), &rotating)?;
        // A device that comes gets all that its person is due, or will when they go on.
        let mut alone = new;
        alone.devices.retain(|device| added.contains(&device.device));
        let waits = alone.waits(self.context.now());
        let keys = self.ledger.keyring();
        let keys = keys.part(|usage| own || (!waits && alone.is_due(usage)));
        if !alone.devices.is_empty() && keys.iter().next().is_some() {
            self.ledger.give_keys(&alone, &keys, &mut changes, &mut SystemEntropy)?;
        }
        for device in &added {
            let path = ShareSet::path(*device);
            let set = from.files.iter().find(|file| file.path == path);
            if let Some(set) = set.and_then(|file| file.after.clone()) {
                changes.write(MAIN, path, set);
            }
        }
        let _ = self.record(Draft::change(EntryKind::Card, details, Vec::new(), changes))?;
        Ok(given_up.map_or(Again::Made, Again::GivenUp))
    }

    /// Admits somebody again whom only this side admitted.
    fn admit_again(&mut self, wanted: &Card, time: Time) -> Result<Again, Error> {
        let charter = self.ledger.charter();
        let roster = &charter.roster;
        if wanted.is_removed() {
            return Ok(Again::Same);
        }
        if roster.cards().iter().any(|card| card.handle == wanted.handle) {
            return Ok(Again::GivenUp(format!(
                "another lead admitted a member called `{0}` too, on another device: the one that you admitted is no member. \
                 If it is the same person, they ask anew and you admit the device with `strongroom member admit FILE \
                 --device-of {0}`; if not, they ask under another name",
                wanted.handle
            )));
        }
        let card = Card {
            auditors: None,
            by: self.identity.device(),
            cuts: Vec::new(),
            joined: Vec::new(),
            keys: BTreeMap::new(),
            n: roster.cards().len() as u64,
            prev: roster.digest(),
            time,
            ..wanted.without_past_loans(self.context.now())
        };
        if let Err(error) = self.check_gain(None, &card) {
            return Ok(Again::GivenUp(not_again(&card.handle, &error)));
        }
        let mut details = self.details("member admit");
        match self.permitted_again(Action::MemberAdmit, "member admit")? {
            Ok(rules) => details.rules = rules,
            Err(error) => return Ok(Again::GivenUp(not_again(&card.handle, &error))),
        }
        details.asked = Some(short(format!("{}: made again", card.handle)));
        details.level = Level::from_number(card.level);
        let nobody = Card {
            devices: Vec::new(),
            roles: Vec::new(),
            ..card.clone()
        };
        let changes = self.in_force(&nobody, card, &[])?;
        let _ = self.record(Draft::change(EntryKind::Card, details, Vec::new(), changes))?;
        Ok(Again::Made)
    }

    /// What both sides gave, and no more. A compartment that was made here, or that nobody else has, stays with whoever has it:
    /// nobody could give it back.
    fn intersect(&self, new: &mut Card, current: &Card, wanted: &Card) {
        let roster = &self.ledger.charter().roster;
        let made_here = |id: &_| roster.cards().iter().all(|card| !card.compartments.contains(id));
        let others = roster.members().filter(|card| card.person != current.person);
        let others: BTreeSet<_> = others.flat_map(|card| &card.compartments).copied().collect();
        new.level = current.level.min(wanted.level);
        new.compartments = current.compartments.clone();
        new.compartments
            .retain(|id| wanted.compartments.contains(id) || !others.contains(id));
        new.compartments
            .extend(wanted.compartments.iter().filter(|id| made_here(id)));
        new.compartments.sort_unstable();
        new.compartments.dedup();
        let common = |role: &Role| wanted.roles.contains(role);
        let roles: Vec<Role> = current.roles.iter().copied().filter(common).collect();
        new.paused = current.paused || wanted.paused || roles.is_empty();
        if !roles.is_empty() {
            new.roles = sorted(roles);
        }
        new.until = match (current.until, wanted.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let both = |(usage, until): (&String, &Time)| {
            let other = wanted.lent.get(usage)?;
            Some((usage.clone(), *until.min(other)))
        };
        new.lent = current.lent.iter().filter_map(both).collect();
    }

    /// What one of the two sides gave and is not given now, in words.
    fn given_up(&self, new: &Card, current: &Card, wanted: &Card, by: &str) -> Option<String> {
        let mut lost: Vec<String> = Vec::new();
        let mut arguments = String::new();
        let level = current.level.max(wanted.level);
        if let Some(level) = Level::from_number(level).filter(|level| level.number() > new.level) {
            let name = self.level_name(level);
            arguments.push_str(&format!(" --clearance {}", shell_word(&name)));
            lost.push(name);
        }
        let compartments: BTreeSet<_> = current.compartments.iter().chain(&wanted.compartments).collect();
        for id in compartments.into_iter().filter(|id| !new.compartments.contains(id)) {
            let name = self.use_name(KeyUse::Compartment(*id));
            arguments.push_str(&format!(" --compartment {}", shell_word(&name)));
            lost.push(name);
        }
        let roles: BTreeSet<Role> = current.roles.iter().chain(&wanted.roles).copied().collect();
        for role in roles.into_iter().filter(|role| !new.roles.contains(role)) {
            arguments.push_str(&format!(" --role {}", role.name()));
            lost.push(format!("the role {}", role.name()));
        }
        let loans: BTreeSet<KeyUse> = current.loans().chain(wanted.loans()).map(|(usage, _)| usage).collect();
        for usage in loans
            .into_iter()
            .filter(|usage| !new.lent.contains_key(&usage.to_string()))
        {
            lost.push(format!("the loan of {}", self.use_name(usage)));
        }
        if new.until != current.until || new.until != wanted.until {
            lost.push("the later end".to_owned());
        }
        if new.paused && !(current.paused && wanted.paused) {
            lost.push("that they are not paused".to_owned());
        }
        (!lost.is_empty()).then(|| {
            format!(
                "both you and {by} changed what {0} may do: they may now what both of you gave. Given up: {1}. What is to be \
                 given again: `strongroom member grant {0}{arguments}`",
                new.handle,
                lost.join(", ")
            )
        })
    }

    /// Devices that one side took are gone; those that this side added come again.
    fn devices_again(&self, new: &mut Card, before: Option<&Card>, wanted: &Card) {
        let roster = &self.ledger.charter().roster;
        let known = |card: Option<&Card>, device: DeviceId| {
            let mut devices = card.into_iter().flat_map(|card| &card.devices);
            devices.any(|known| known.device == device)
        };
        new.devices
            .retain(|device| !known(before, device.device) || known(Some(wanted), device.device));
        for device in &wanted.devices {
            let is_new = !known(before, device.device) && roster.device_ever(device.device).is_none();
            if is_new {
                new.devices.push(device.clone());
            }
        }
        new.devices.sort_by_key(|device| device.device);
    }

    /// Names again the ends of histories that cards here had named.
    fn join_again(&mut self, base: &Roster, mine: &Roster, time: Time, told: &mut Vec<String>) -> Result<(), Error> {
        let joined = mine.cards()[base.cards().len()..].iter().flat_map(|card| &card.joined);
        let joined: Vec<_> = joined.copied().collect();
        let logs: BTreeSet<LogName> = joined.iter().map(|(log, _, _)| *log).collect();
        for log in logs {
            let roster = &self.ledger.charter().roster;
            let known = joined
                .iter()
                .filter(|(of, _, _)| *of == log)
                .all(|end| roster.joins(end));
            if known {
                continue;
            }
            let details = self.details("join histories");
            let again = self.ledger.join_histories(log, time, details, &mut SystemEntropy);
            if let Err(error) = again {
                told.push(format!("the histories of log {log} are not named again: {error}"));
            }
        }
        Ok(())
    }

    /// Puts in force again what was changed in policies that nobody else changed; what was changed on both sides is kept
    /// beside the vault.
    fn policies_again(
        &mut self,
        unlocked: &Unlocked<'_>,
        from: &Withdrawn,
        told: &mut Vec<String>,
    ) -> Result<(), Error> {
        let now = self.ledger.charter().policies.clone();
        let path = |file: &Rewritten| file.path.strip_prefix(POLICIES).map(str::to_owned);
        let changed = from.files.iter().filter_map(|file| Some((path(file)?, file)));
        let due = changed.filter(|(path, file)| now.content(path) != file.after.as_deref());
        let (free, taken): (Vec<_>, Vec<_>) = due.partition(|(path, file)| now.content(path) == file.before.as_deref());
        for (path, file) in &taken {
            told.push(self.keep_policy(
                unlocked,
                path,
                file,
                "another lead changed it too, and theirs is in force",
            )?);
        }
        if free.is_empty() {
            return Ok(());
        }
        let mut files: BTreeMap<String, Vec<u8>> = now
            .iter()
            .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
            .collect();
        for (path, file) in &free {
            match &file.after {
                Some(after) => drop(files.insert(path.clone(), after.clone())),
                None => drop(files.remove(path)),
            }
        }
        let rules = match self.may_edit_policies() {
            Ok(rules) => rules,
            Err(error) if error.kind == Kind::Denied => {
                for (path, file) in &free {
                    told.push(self.keep_policy(unlocked, path, file, &error.message)?);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let fits = PolicyFiles::new(files)
            .ok()
            .filter(|files| check(files.clone()).passed());
        let Some(files) = fits.filter(|files| self.could_change_back(files).is_ok()) else {
            for (path, file) in &free {
                told.push(self.keep_policy(unlocked, path, file, "it does not go with what another lead changed")?);
            }
            return Ok(());
        };
        let mut details = self.details("policy edit");
        details.rules = rules;
        let paths: Vec<&str> = free.iter().map(|(path, _)| path.as_str()).collect();
        details.asked = Some(short(paths.join(" ")));
        let written = self.ledger.charter().policy_changes(&files);
        let _ = self.record(Draft::change(EntryKind::Policy, details, Vec::new(), written))?;
        Ok(())
    }

    /// Keeps what somebody wrote and is not in force in this device's state; gives the words for it.
    fn keep_policy(&self, unlocked: &Unlocked<'_>, path: &str, file: &Rewritten, why: &str) -> Result<String, Error> {
        let Some(text) = &file.after else {
            return Ok(format!("you had taken away the rules `{path}`, and they stay: {why}"));
        };
        let name = format!("{}-{}", self.context.now().unix(), path.replace('/', "-"));
        let place = unlocked.state.join(KEPT).join(name);
        match write_new_private(&place, text) {
            // It was kept by an attempt that was stopped.
            Err(crate::env::FileError::Exists(_)) => {}
            written => written?,
        }
        Ok(format!(
            "what you had made of the rules `{path}` is not in force: {why}. Your text is kept as `{}`: look at both, and \
             `strongroom policy edit` puts in force what is to be",
            place.display()
        ))
    }

    /// Makes new keys where what was taken back had given some to somebody who is not due them, or had put others in force;
    /// and gives what was sealed meanwhile to everybody who may read it.
    fn keys_again(&mut self, base: &Roster, mine: &Roster) -> Result<(), Error> {
        let roster = &self.ledger.charter().roster;
        let cards = &mine.cards()[base.cards().len()..];
        let mut due = BTreeSet::new();
        for card in cards {
            let now = roster.member(card.person);
            due.extend(
                card.uses()
                    .filter(|usage| !now.is_some_and(|now| roster.is_due(now, *usage, None))),
            );
            due.extend(card.keys.keys().filter_map(|usage| usage.parse::<KeyUse>().ok()));
            due.extend(card.auditors.iter().map(|_| KeyUse::Auditors));
        }
        let (before, now) = (base.keys_in_force(), roster.keys_in_force());
        due.retain(|usage| before.get(usage) == now.get(usage));
        let old = self.next_card(self.identity.person())?;
        let rotating: Vec<KeyUse> = self.rotating(&old, &old, &due);
        // Who is a lead no more gave nobody a key with what was taken back, and signs no card.
        let lead = old.roles.contains(&Role::Lead) && !old.paused && !old.has_ended(self.context.now());
        if lead && !due.is_empty() && !rotating.is_empty() {
            let mut details = self.details("rewrap");
            // It follows from what was changed: no rule has a say in it.
            details.asked = Some("new keys in the place of those that were withdrawn".to_owned());
            let changes = self.in_force(&old, old.clone(), &rotating)?;
            let _ = self.record(Draft::change(EntryKind::Card, details, Vec::new(), changes))?;
        }
        let keys = cards.iter().flat_map(|card| card.keys.values().copied());
        let keys = keys.chain(cards.iter().flat_map(|card| &card.auditors).map(|role| role.key));
        self.give_withdrawn(mine, &keys.collect())
    }

    /// Gives the keys that were in force on this side alone to whoever is due them and was not there.
    fn give_withdrawn(&mut self, mine: &Roster, keys: &BTreeSet<KeyId>) -> Result<(), Error> {
        let mut changes = Changes::default();
        let mut some = false;
        let now = self.context.now();
        let roster = &self.ledger.charter().roster;
        for card in roster.members() {
            let had = |device: DeviceId, usage| {
                mine.device(device)
                    .is_some_and(|(had, _)| mine.is_due(had, usage, None))
            };
            let card = &card.without_past_loans(now);
            if card.waits(now) {
                continue;
            }
            for device in &card.devices {
                let wanted = |usage| roster.is_due(card, usage, None) && !had(device.device, usage);
                let part = self
                    .ledger
                    .keyring()
                    .part_of(|key| keys.contains(&key.id) && wanted(key.usage));
                let mut alone = card.clone();
                alone.devices = vec![device.clone()];
                if part.iter().next().is_some() {
                    some = true;
                    self.ledger.give_keys(&alone, &part, &mut changes, &mut SystemEntropy)?;
                }
            }
        }
        if some {
            let details = self.details("rewrap");
            let _ = self.record(Draft::change(EntryKind::Key, details, Vec::new(), changes))?;
        }
        Ok(())
    }
}

/// What a card says of what its person may do.
fn rights(card: &Card) -> impl PartialEq + use<> {
    let Card {
        level,
        compartments,
        roles,
        lent,
        paused,
        until,
        ..
    } = card.clone();
    (level, compartments, roles, lent, paused, until)
}

fn take_rights(card: &mut Card, from: &Card) {
    card.level = from.level;
    card.compartments = from.compartments.clone();
    card.roles = from.roles.clone();
    card.lent = from.lent.clone();
    card.paused = from.paused;
    card.until = from.until;
}

/// What such a change is to the rules, and what it is called in the log.
fn deed(old: &Card, new: &Card) -> (Action, &'static str) {
    match () {
        () if new.is_removed() => (Action::MemberRemove, "member remove"),
        () if old.devices.iter().any(|device| !new.devices.contains(device)) => (Action::MemberRemove, "member remove"),
        () if new.devices.len() > old.devices.len() => (Action::MemberAdmit, "member admit"),
        () if new.paused != old.paused && new.paused => (Action::MemberPause, "member pause"),
        () if new.paused != old.paused => (Action::MemberResume, "member resume"),
        () if old.uses().any(|usage| !new.is_due(usage)) => (Action::MemberRevoke, "member revoke"),
        () => (Action::MemberGrant, "member grant"),
    }
}

fn not_again(handle: &str, error: &Error) -> String {
    let why = error.message.trim_end_matches("; nothing was changed");
    format!("what you changed for {handle} was not made again: {why}")
}
