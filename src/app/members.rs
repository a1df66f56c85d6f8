//! Who belongs to the vault.

use super::compartments::roster_facts;
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::removals::{Removals, removals};
use super::sync::keep_together;
use super::table::{shown_name, typed};
use crate::chain::{Card, Details, Device, DeviceKind, JoinRequest, Kind as EntryKind, Role, Time};
use crate::crypto::make_random;
use crate::env::SystemEntropy;
use crate::envelope::KeyUse;
use crate::id::{CompartmentId, DeviceId, EntryRef, Fingerprint, PersonId};
use crate::label::{Clearance, Level};
use crate::ledger::Draft;
use crate::policy::{Action, Decision};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

/// What a lead says of a device that asked to be admitted.
pub struct Admission {
    /// The file with its request.
    pub file: PathBuf,
    /// `LEVEL[/COMPARTMENT…]`; not for a further device of somebody who is a member.
    pub clearance: Option<String>,
    /// Further compartments.
    pub compartments: Vec<String>,
    /// Roles; an officer if none is said.
    pub roles: Vec<Role>,
    /// When the membership ends.
    pub until: Option<Time>,
    /// The member whose further device it is.
    pub device_of: Option<String>,
}

/// Whom a lead admitted.
pub struct Admitted {
    /// The person.
    pub person: PersonId,
    /// What they are called.
    pub handle: String,
    /// Their new device.
    pub device: DeviceId,
    /// Their clearance, as it is written.
    pub clearance: String,
    /// The entry; none where they were admitted so before.
    pub entry: Option<EntryRef>,
}

/// A question that a use case puts to the person before it goes on.
pub type Confirm<'a> = &'a dyn Fn(&JoinRequest) -> Result<(), Error>;

/// A member.
#[derive(Clone)]
pub struct MemberLine {
    /// Their id.
    pub person: PersonId,
    /// What they are called.
    pub handle: String,
    /// The level's name, and the compartments by name that the reader holds too.
    pub clearance: String,
    /// How many compartments more they hold, of which the reader knows no name.
    pub unnamed: usize,
    /// Roles.
    pub roles: Vec<Role>,
    /// When the membership ends, and whether it has.
    pub until: Option<(Time, bool)>,
    /// Whether a lead has paused it.
    pub paused: bool,
    /// What they are lent, until when, and whether that is over.
    pub lent: Vec<(String, Time, bool)>,
    /// Their devices.
    pub devices: Vec<Device>,
}

/// The members of a vault.
pub struct Members {
    /// In the order of their handles.
    pub members: Vec<MemberLine>,
    /// What whoever joins compares.
    pub fingerprint: Fingerprint,
    /// Who founded it.
    pub founder: String,
    /// Leads who removed each other, as this device met them, in words.
    pub removals: Vec<String>,
}

/// Reads a request, has the person look at its fingerprint, and admits the device.
pub fn admit(context: &Context<'_>, admission: &Admission, confirm: Confirm<'_>) -> Result<Admitted, Error> {
    let mut file = Vec::new();
    let bound = JoinRequest::MAX as u64 + 1;
    let read = context.person.open(&admission.file)?.take(bound).read_to_end(&mut file);
    read.map_err(|error| {
        Error::new(
            Kind::Failed,
            format!("cannot read `{}`: {error}", admission.file.display()),
        )
    })?;
    let request = JoinRequest::parse(&file)
        .map_err(|bad| Error::new(Kind::Failed, format!("`{}`: {bad}", admission.file.display())))?;
    confirm(&request)?;
    let unlocked = context.unlock()?;
    keep_together(context, &unlocked)?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("member admit");
    details.asked = Some(short(request.handle.clone()));
    match desk.decide(Action::MemberAdmit, roster_facts()?) {
        Decision::Denied(denial) => {
            return Err(desk.denied(&denial, Some(EntryKind::Card), details, Vec::new(), "member admit")?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    if let Some(card) = desk.admitted_so(admission, &request) {
        let _ = desk.record(Draft::read(details, Vec::new()))?;
        // The first time it may have come no further than the card.
        desk.tell_newcomer(card.person, &request);
        return Ok(Admitted {
            person: card.person,
            clearance: desk.clearance_text(&card).0,
            handle: card.handle,
            device: request.device.device,
            entry: None,
        });
    }
    let card = match desk.admitting_card(admission, &request) {
        Ok(card) => card,
        Err(error) => return Err(desk.refused("member admit", Some(EntryKind::Card), Some(&request.handle), error)?),
    };
    let person = card.person;
    let admitted = desk.enrol(card, request.device.device, details)?;
    desk.tell_newcomer(person, &request);
    drop(desk);
    keep_together(context, &unlocked)?;
    Ok(admitted)
}

/// Who belongs to the vault; seeing that is an entry.
pub fn list_members(context: &Context<'_>) -> Result<Members, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("member list");
    match desk.decide(Action::MemberList, roster_facts()?) {
        Decision::Denied(denial) => return Err(desk.denied(&denial, None, details, Vec::new(), "member list")?),
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let _ = desk.record(Draft::read(details, Vec::new()))?;
    let now = context.now();
    let roster = &desk.ledger.charter().roster;
    let mut members: Vec<MemberLine> = roster
        .members()
        .filter(|card| !card.is_removed())
        .map(|card| desk.member_line(card, now))
        .collect();
    members.sort_by(|a, b| a.handle.cmp(&b.handle));
    let removed = removals(&unlocked.state, now)?;
    Ok(Members {
        members,
        removals: removed.iter().map(Removals::in_words).collect(),
        fingerprint: roster.founder().into(),
        founder: roster
            .cards()
            .first()
            .map_or_else(String::new, |card| card.handle.clone()),
    })
}

impl Desk<'_> {
    /// Seals what it has to know of to a device that was admitted. Where that fails the device is in all the same.
    fn tell_newcomer(&mut self, person: PersonId, request: &JoinRequest) {
        let handed = request
            .device
            .recipient()
            .map(|device| self.tell_device(person, &device));
        if let Some(Err(error)) = handed {
            self.context.person.warn(&format!(
                "{} is admitted, but is not told of all holds and conflicts of interest that concern them: {error}; admit \
                 them once more to try again",
                request.handle
            ));
        }
    }

    /// The card that follows the person's present one, with nothing changed yet.
    pub(super) fn next_card(&self, person: PersonId) -> Result<Card, Error> {
        let charter = self.ledger.charter();
        let old = charter.roster.member(person);
        let old = old.ok_or_else(|| Error::new(Kind::Failed, "there is no such member"))?;
        Ok(Card {
            auditors: None,
            by: self.identity.device(),
            cuts: Vec::new(),
            joined: Vec::new(),
            keys: Default::default(),
            n: charter.roster.cards().len() as u64,
            prev: charter.roster.digest(),
            time: self.context.now(),
            ..old.clone()
        })
    }

    /// The card of the member of that handle.
    pub(super) fn member(&self, handle: &str) -> Result<&Card, Error> {
        let mut members = self.ledger.charter().roster.members();
        let found = members.find(|card| card.handle == handle && !card.is_removed());
        found.ok_or_else(|| no_member(handle))
    }

    /// The card of the member who is written to under that handle: who bears it now, if nobody else ever did. A lead with a
    /// changed program can give themselves what another is called.
    pub(super) fn addressed(&self, handle: &str) -> Result<&Card, Error> {
        let card = self.member(handle)?;
        let mut cards = self.ledger.charter().roster.cards().iter();
        match cards.any(|other| other.handle == handle && other.person != card.person) {
            false => Ok(card),
            true => Err(Error::new(
                Kind::Denied,
                format!(
                    "`{}` is what two members are or were called: nobody is written to by it",
                    typed(handle)
                ),
            )
            .hint("a lead's card changed it: ask them, and look at `strongroom audit log`")),
        }
    }

    /// The card of whoever has the device that asked, if it says just what is to be given.
    pub(super) fn admitted_so(&self, admission: &Admission, request: &JoinRequest) -> Option<Card> {
        let mut members = self.ledger.charter().roster.members();
        // The very device, with its keys: another request can bear the same id.
        let card = members.find(|card| card.devices.contains(&request.device))?;
        let same = match &admission.device_of {
            Some(handle) => card.handle == *handle,
            None => {
                let clearance = self.cleared_for(admission.clearance.as_deref()?, &admission.compartments);
                let (level, compartments) = clearance.ok()?;
                let held: BTreeSet<CompartmentId> = card.compartments.iter().copied().collect();
                card.handle == request.handle
                    && (level.number(), &compartments) == (card.level, &held)
                    && admitted_roles(admission) == card.roles
                    && admission.until == card.until
            }
        };
        same.then(|| card.clone())
    }

    /// The card that admits the device that asked.
    fn admitting_card(&self, admission: &Admission, request: &JoinRequest) -> Result<Card, Error> {
        let charter = self.ledger.charter();
        let roster = &charter.roster;
        if let Some(card) = roster.cards().iter().find(|card| is_of(card, request.device.device)) {
            let message = format!(
                "this device was admitted before, as one of {}; nothing was changed",
                card.handle
            );
            return Err(
                Error::new(Kind::Failed, message).hint("whoever comes back asks anew: `strongroom member request`")
            );
        }
        if let Some(handle) = &admission.device_of {
            let mut card = self.next_card(self.member(handle)?.person)?;
            // The device gets all that its person may read. A loan that is over stays on the card for now: whoever takes it off
            // makes new keys.
            if card.person != self.identity.person() {
                self.check_gain(None, &card.without_past_loans(self.context.now()))?;
            }
            card.devices.push(request.device.clone());
            card.devices.sort_by_key(|device| device.device);
            return Ok(card);
        }
        if roster.cards().iter().any(|card| card.handle == request.handle) {
            let words = format!(
                "there is or was a member called `{}`; nothing was changed",
                request.handle
            );
            return Err(Error::new(Kind::Usage, words)
                .hint(format!(
                    "if it is another device of the same person: --device-of {}",
                    request.handle
                ))
                .hint("if it is somebody else, they ask with another --name"));
        }
        let clearance = self.clearance_of(admission)?;
        let roles = admitted_roles(admission);
        if admission.until.is_some_and(|until| until <= self.context.now()) {
            return Err(Error::new(
                Kind::Usage,
                "the membership would end before it begins; nothing was changed",
            ));
        }
        let card = Card {
            auditors: None,
            by: self.identity.device(),
            compartments: clearance.compartments.into_iter().collect(),
            cuts: Vec::new(),
            devices: vec![request.device.clone()],
            handle: request.handle.clone(),
            joined: Vec::new(),
            keys: Default::default(),
            lent: Default::default(),
            level: clearance.level.number(),
            n: roster.cards().len() as u64,
            paused: false,
            person: clearance.person,
            prev: roster.digest(),
            roles,
            time: self.context.now(),
            until: admission.until,
            v: 1,
            vault: charter.vault,
        };
        self.check_gain(None, &card).map(|()| card)
    }

    /// The clearance that was said, of a new person.
    fn clearance_of(&self, admission: &Admission) -> Result<Clearance, Error> {
        let text = admission.clearance.as_deref().ok_or_else(|| {
            Error::new(Kind::Usage, "say how much the new member may read: --clearance LEVEL")
                .hint(format!("the levels are {}", self.level_names()))
        })?;
        let (level, compartments) = self.cleared_for(text, &admission.compartments)?;
        Ok(Clearance {
            person: PersonId(make_random(&mut SystemEntropy)?),
            level,
            compartments,
        })
    }

    /// A level and compartments, as they were written.
    pub(super) fn cleared_for(
        &self,
        level: &str,
        compartments: &[String],
    ) -> Result<(Level, BTreeSet<CompartmentId>), Error> {
        let written = [&[level.to_owned()], compartments].concat().join("/");
        let label = self.label(Some(&written))?;
        match label.level() {
            Level::Named => Err(
                Error::new(Kind::Usage, "nobody is cleared for what goes to people by name")
                    .hint("whoever is named in a note may read it, whatever their clearance"),
            ),
            level => Ok((level, label.compartments().clone())),
        }
    }

    /// Puts a card in force that has a device more, and gives the device the keys it is due, as far as they are held here: none
    /// of a loan that is over, and none where its person may do nothing now, who is given them all when they go on.
    fn enrol(&mut self, card: Card, device: DeviceId, mut details: Details) -> Result<Admitted, Error> {
        let mut changes = self.ledger.card_changes(&card)?;
        let now = self.context.now();
        let own = card.person == self.identity.person();
        let mut new = card.without_past_loans(now);
        new.devices.retain(|known| known.device == device);
        let waits = new.waits(now);
        let keys = self.ledger.keyring();
        let keys = keys.part(|usage| own || (!waits && new.is_due(usage)));
        if keys.iter().next().is_some() {
            self.ledger.give_keys(&new, &keys, &mut changes, &mut SystemEntropy)?;
        }
        details.level = Level::from_number(card.level);
        let recorded = self.record(Draft::change(EntryKind::Card, details, Vec::new(), changes))?;
        if waits && !own {
            self.context.person.warn(&format!(
                "{} may do nothing now, so their new device got no keys: it gets them when they go on",
                card.handle
            ));
        }
        Ok(Admitted {
            person: card.person,
            clearance: self.clearance_text(&card).0,
            handle: card.handle,
            device,
            entry: Some(recorded.entry()),
        })
    }

    /// A member's clearance in words, and how many compartments of it have no name here.
    pub(super) fn clearance_text(&self, card: &Card) -> (String, usize) {
        let level = Level::from_number(card.level).unwrap_or(Level::Public);
        let held: Vec<(&str, CompartmentId)> = self.ledger.keyring().compartments().collect();
        let name = |id: &CompartmentId| held.iter().find(|(_, known)| known == id).map(|(name, _)| *name);
        let mut names: Vec<&str> = card.compartments.iter().filter_map(name).collect();
        names.sort_unstable();
        let unnamed = card.compartments.len() - names.len();
        let parts: Vec<String> = [self.level_name(level)]
            .into_iter()
            .chain(names.into_iter().map(shown_name))
            .collect();
        (parts.join("/"), unnamed)
    }

    pub(super) fn member_line(&self, card: &Card, now: Time) -> MemberLine {
        let (clearance, unnamed) = self.clearance_text(card);
        MemberLine {
            person: card.person,
            handle: card.handle.clone(),
            clearance,
            unnamed,
            roles: card.roles.clone(),
            until: card.until.map(|until| (until, card.has_ended(now))),
            paused: card.paused,
            lent: card
                .loans()
                .map(|(usage, until)| (self.use_name(usage), until, until <= now))
                .collect(),
            devices: card.devices.clone(),
        }
    }

    /// Tells of devices that others lately admitted in this person's name: they get all that the person may read.
    pub(super) fn tell_new_devices(&self) {
        let (roster, me) = (&self.ledger.charter().roster, self.identity.person());
        let cards = roster.cards();
        // A recovery key may be in other hands: what it brings is told.
        let mine = |device: DeviceId| {
            let mut mine = cards
                .iter()
                .filter(|card| card.person == me)
                .flat_map(|card| &card.devices);
            mine.any(|known| known.device == device && known.kind == DeviceKind::Device)
        };
        let recent = |card: &&Card| self.context.now().unix() - card.time.unix() < TOLD_FOR && !mine(card.by);
        let mut admitted = Vec::new();
        for card in cards.iter().filter(|card| card.person == me).filter(recent) {
            let earlier = |device: DeviceId| cards[..card.n as usize].iter().any(|known| is_of(known, device));
            let known_before = cards[..card.n as usize].iter().any(|known| known.person == me);
            let new = card
                .devices
                .iter()
                .filter(|device| known_before && !earlier(device.device) && device.device != self.identity.device());
            admitted.extend(new.map(|device| format!("{}, was admitted on {}", device.device, card.time)));
        }
        match admitted.as_slice() {
            [] => {}
            [one] => self.context.person.warn(&format!(
                "a further device of yours, {one}; if it is not yours, tell a lead at once"
            )),
            [.., newest] => self.context.person.warn(&format!(
                "{} further devices of yours were admitted in these {} days, and the newest, {newest}; `strongroom member list -v` \
                 shows them all: if one is not yours, tell a lead at once",
                admitted.len(),
                TOLD_FOR / 86_400
            )),
        }
    }

    /// Tells leads of what is lent and over: the keys for it are with whoever had them until a lead makes new ones.
    pub(super) fn tell_loans(&self) {
        let (roster, now) = (&self.ledger.charter().roster, self.context.now());
        let me = roster.member(self.identity.person());
        if !me.is_some_and(|me| me.roles.contains(&Role::Lead)) {
            return;
        }
        for card in roster.members() {
            for (usage, until) in card.loans().filter(|(_, until)| *until <= now) {
                let what = match usage {
                    KeyUse::Level(_) => "the level",
                    _ => "the compartment",
                };
                self.context.person.warn(&format!(
                    "{what} `{}` was lent to {} until {until}: `strongroom member revoke` takes it back and makes new keys",
                    self.use_name(usage),
                    card.handle
                ));
            }
        }
    }

    /// Refuses to make a member due a key that the person at the desk is not due themselves.
    pub(super) fn check_gain(&self, old: Option<&Card>, new: &Card) -> Result<(), Error> {
        let roster = &self.ledger.charter().roster;
        let own = roster.member(self.identity.person());
        // What is lent to them, or theirs in an emergency, is not theirs to give.
        let good = |own: &Card, usage| match usage {
            KeyUse::Auditors => roster.is_due(own, usage, None),
            _ => own.is_due_for_good(usage),
        };
        let holds = |usage| own.is_some_and(|own| good(own, usage)) && self.ledger.keyring().holds(usage);
        // What everybody has lost is nobody's to keep. At an admission nobody is given it: it is granted.
        let anew = old.is_some() && self.is_auditors_key_lost();
        let has = |usage| holds(usage) || anew && usage == KeyUse::Auditors;
        // Like is compared with like: what was lent is not held, and what is lent anew is gained anew.
        let held = |usage: KeyUse| old.is_some_and(|old| old.is_due_for_good(usage));
        let lent = |loan: &(KeyUse, Time)| old.is_some_and(|old| old.loans().any(|known| known == *loan));
        let loans = new.loans().filter(|loan| !lent(loan)).map(|(usage, _)| usage);
        let loans = loans.flat_map(|loan| new.uses().filter(move |usage| loan.covers(*usage)));
        let glass = |card: &Card| card.roles.contains(&Role::BreakGlass);
        let glass = glass(new) && !old.is_some_and(glass);
        let levels = new.uses().filter(|usage| glass && matches!(usage, KeyUse::Level(_)));
        let for_good = new.uses().filter(|usage| new.is_due_for_good(*usage));
        let mut gained = for_good.chain(loans).chain(levels).filter(|usage| !held(*usage));
        match gained.find(|usage| !has(*usage)) {
            None => Ok(()),
            Some(KeyUse::Auditors) => Err(Error::new(
                Kind::Denied,
                "you do not hold the auditors' key, so you cannot give it; nothing was changed",
            )
            .hint("the founder gives it until there is an auditor, and then a lead who is an auditor too")
            .hint("where none of these is a member any more, admit them without it, and any lead gives it then: `strongroom member grant`")),
            Some(_) => Err(Error::new(
                Kind::Denied,
                "nobody gives a clearance that goes beyond their own; nothing was changed",
            )
            .hint("ask a lead who holds it")),
        }
    }
}

/// For how long a new device is told of, in seconds.
const TOLD_FOR: i64 = 7 * 86_400;

fn is_of(card: &Card, device: DeviceId) -> bool {
    card.devices.iter().any(|known| known.device == device)
}

fn admitted_roles(admission: &Admission) -> Vec<Role> {
    match admission.roles.is_empty() {
        true => vec![Role::Officer],
        false => sorted(admission.roles.clone()),
    }
}

pub(super) fn sorted(mut roles: Vec<Role>) -> Vec<Role> {
    roles.sort_unstable();
    roles.dedup();
    roles
}

pub(super) fn no_member(handle: &str) -> Error {
    Error::new(Kind::Usage, format!("there is no member `{}`", typed(handle)))
        .hint("`strongroom member list` shows them")
}
