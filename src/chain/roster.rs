//! The roster: a chain of cards, each signed by somebody who was a lead by those before (docs/FORMAT.md §2.2).

use super::card::{AuditorsKey, BadCard, Card, Device, DeviceKind, Role};
use super::cuts::{Cut, Cuts};
use super::entry::HeadRef;
use super::sshsig::{self, Namespace};
use crate::crypto::PublicKey;
use crate::envelope::KeyUse;
use crate::id::{DeviceId, Digest, KeyId, PersonId, VaultId};
use std::collections::{BTreeMap, BTreeSet};

/// What a recovery key is for: another device of the same person, and nothing else about them.
fn brings_back(before: &Card, card: &Card) -> bool {
    let same = before.person == card.person
        && before.handle == card.handle
        && before.level == card.level
        && before.compartments == card.compartments
        && before.roles == card.roles
        && before.until == card.until
        && before.lent == card.lent
        && before.paused == card.paused
        && card.keys.is_empty()
        && card.auditors.is_none();
    same && card.devices.iter().any(|device| !before.devices.contains(device))
}

/// A verified chain of cards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roster {
    cards: Vec<Card>,
    digests: Vec<Digest>,
}

impl Roster {
    /// Verifies card files in the order of their numbers. With `founder` the first one must be that card.
    pub fn verify(vault: VaultId, founder: Option<Digest>, files: &[&[u8]]) -> Result<Self, BadCard> {
        let mut roster = Self {
            cards: Vec::new(),
            digests: Vec::new(),
        };
        for (n, file) in files.iter().enumerate() {
            let (card, signed, signature) = Card::parse(file).ok_or(BadCard::Malformed(n))?;
            let prev = roster.digests.last().copied().unwrap_or(Digest([0; 32]));
            if card.vault != vault {
                return Err(BadCard::Foreign(n));
            }
            if card.n != n as u64 || card.prev != prev {
                return Err(BadCard::Chain(n));
            }
            let digest = card.digest();
            if n == 0 && founder.is_some_and(|pin| pin != digest) {
                return Err(BadCard::OtherFounder);
            }
            if !card.devices.iter().all(|device| roster.keeps(card.person, device)) {
                return Err(BadCard::Device(n));
            }
            if !card.cuts.iter().all(|cut| roster.takes(&card, cut)) {
                return Err(BadCard::Cuts(n));
            }
            let signer = roster.signer(&card).ok_or(BadCard::Signature(n))?;
            sshsig::verify(&signer, Namespace::Card, &signed, &signature).map_err(|_| BadCard::Signature(n))?;
            roster.cards.push(card);
            roster.digests.push(digest);
        }
        if roster.cards.is_empty() {
            Err(BadCard::Empty)
        } else {
            Ok(roster)
        }
    }

    /// Whether each card, in order, stands under its own path.
    pub fn check_paths<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> Result<(), BadCard> {
        let misnamed = |(card, path): (&Card, &str)| card.path() != path;
        match self.cards.iter().zip(paths).position(misnamed) {
            Some(n) => Err(BadCard::Name(n)),
            None => Ok(()),
        }
    }

    /// Whether a device is new, or is as every earlier card has it: a device id never changes its keys or its owner.
    fn keeps(&self, person: PersonId, device: &Device) -> bool {
        let known = self
            .cards
            .iter()
            .flat_map(|card| card.devices.iter().map(move |known| (card.person, known)));
        known
            .filter(|(_, known)| known.device == device.device)
            .all(|known| known == (person, device))
    }

    /// Whether a card may cut a log there: one of a device that its person had and has no more, and further on than
    /// earlier cards did.
    fn takes(&self, card: &Card, Cut(log, size, _): &Cut) -> bool {
        let has = |card: &Card| card.devices.iter().any(|device| device.device == log.device);
        let had = self
            .cards
            .iter()
            .any(|earlier| earlier.person == card.person && has(earlier));
        let mut before = self.cards.iter().flat_map(|card| &card.cuts);
        had && !has(card) && before.all(|cut| cut.0 != *log || cut.1 < *size)
    }

    /// How far each log counts.
    pub fn cuts(&self) -> Cuts {
        let ever = self
            .cards
            .iter()
            .flat_map(|card| &card.devices)
            .map(|device| device.device);
        let mut removed: BTreeSet<DeviceId> = ever.collect();
        for device in self.members().flat_map(|card| &card.devices) {
            removed.remove(&device.device);
        }
        Cuts::new(self.cards.iter().flat_map(|card| &card.cuts), removed)
    }

    /// The key that must have signed `card`, if its `by` may.
    fn signer(&self, card: &Card) -> Option<PublicKey> {
        if self.cards.is_empty() {
            let own = card.devices.iter().find(|device| device.device == card.by)?;
            return (own.kind == DeviceKind::Device).then(|| own.sign_key()).flatten();
        }
        let (person, device) = self.device(card.by)?;
        let lead = person.roles.contains(&Role::Lead) && !person.paused && !person.has_ended(card.time);
        let may = device.kind == DeviceKind::Device || brings_back(person, card);
        (lead && may).then(|| device.sign_key()).flatten()
    }

    /// The cards in force, one a person.
    pub fn members(&self) -> impl Iterator<Item = &Card> {
        self.cards.iter().enumerate().filter_map(|(n, card)| {
            let replaced = self.cards[n + 1..].iter().any(|later| later.person == card.person);
            (!replaced).then_some(card)
        })
    }

    /// The card in force for a person.
    pub fn member(&self, person: PersonId) -> Option<&Card> {
        self.cards.iter().rev().find(|card| card.person == person)
    }

    /// Whose device it is, by the cards in force.
    pub fn device(&self, device: DeviceId) -> Option<(&Card, &Device)> {
        self.members()
            .find_map(|card| Some((card, card.devices.iter().find(|known| known.device == device)?)))
    }

    /// A device by any card that ever admitted it, for checking what it signed then.
    pub fn device_ever(&self, device: DeviceId) -> Option<&Device> {
        self.cards
            .iter()
            .rev()
            .find_map(|card| card.devices.iter().find(|known| known.device == device))
    }

    /// Whose device it is or was, by any card.
    pub fn person_of(&self, device: DeviceId) -> Option<PersonId> {
        let has = |card: &&Card| card.devices.iter().any(|known| known.device == device);
        self.cards.iter().rev().find(has).map(|card| card.person)
    }

    /// Whether one device may give keys to another: it is the same person's, or was ever a lead's.
    pub fn may_give(&self, by: DeviceId, to: DeviceId) -> bool {
        let has = |card: &Card, device: DeviceId| card.devices.iter().any(|known| known.device == device);
        let mut givers = self.cards.iter().filter(|card| has(card, by));
        givers.any(|giver| {
            let mut theirs = self.cards.iter().filter(|card| card.person == giver.person);
            theirs.any(|card| card.roles.contains(&Role::Lead) || has(card, to))
        })
    }

    /// Whether a member is due a key: by their card, or as the founder, who holds the auditors' key for as long as there is no
    /// auditor; `next`: once that card of another is in force.
    pub fn is_due(&self, card: &Card, usage: KeyUse, next: Option<&Card>) -> bool {
        let founder = self.cards.first().is_some_and(|first| first.person == card.person);
        let others = || {
            self.members()
                .filter(|member| next.is_none_or(|next| next.person != member.person))
        };
        let alone = || !others().chain(next).any(|member| member.is_due(usage));
        card.is_due(usage) || (usage == KeyUse::Auditors && founder && !card.is_removed() && alone())
    }

    /// Who was given the key in force for that, by the cards: whoever was due it when it was made, and did not wait, and to whom
    /// somebody who has it gave it later. It says nothing of what they are due now.
    pub fn given(&self, usage: KeyUse) -> BTreeSet<PersonId> {
        let text = usage.to_string();
        let names = |card: &Card| match usage {
            KeyUse::Auditors => card.auditors.is_some(),
            _ => card.keys.contains_key(&text),
        };
        // From the first key, which no card names, nobody who is due it was ever left out.
        let Some(made) = self.cards.iter().rposition(names) else {
            return self.members().map(|card| card.person).collect();
        };
        let then = Self {
            cards: self.cards[..=made].to_vec(),
            digests: self.digests[..=made].to_vec(),
        };
        let time = self.cards[made].time;
        let due = |card: &&Card| !card.waits(time) && then.is_due(&card.without_past_loans(time), usage, None);
        let mut given: BTreeSet<PersonId> = then.members().filter(due).map(|card| card.person).collect();
        for (n, card) in self.cards.iter().enumerate().skip(made + 1) {
            let before = self.cards[..n].iter().rfind(|before| before.person == card.person);
            let is_new = |before: &Card| card.goes_on_from(before, card.time) || !before.is_due(usage);
            let gains = card.is_due(usage) && before.is_none_or(is_new);
            if gains && self.person_of(card.by).is_some_and(|by| given.contains(&by)) {
                given.insert(card.person);
            }
        }
        given
    }

    /// Whether the card of that digest admits `device`.
    pub fn admits(&self, card: Digest, device: DeviceId) -> bool {
        let at = self.digests.iter().position(|digest| *digest == card);
        at.is_some_and(|n| self.cards[n].devices.iter().any(|known| known.device == device))
    }

    /// The roster digest: that of the last card.
    pub fn digest(&self) -> Digest {
        self.digests.last().copied().unwrap_or(Digest([0; 32]))
    }

    /// The founder pin: the digest of the first card.
    pub fn founder(&self) -> Digest {
        self.digests.first().copied().unwrap_or(Digest([0; 32]))
    }

    /// Whether a card knows that history of a log, by where it ends.
    pub fn joins(&self, end: &HeadRef) -> bool {
        self.cards.iter().any(|card| card.joined.contains(end))
    }

    /// The keys in force, by what they are for, where cards say so; for any other use there has been one key alone.
    pub fn keys_in_force(&self) -> BTreeMap<KeyUse, KeyId> {
        let mut keys = BTreeMap::new();
        for card in &self.cards {
            keys.extend(
                card.keys
                    .iter()
                    .filter_map(|(usage, id)| Some((usage.parse().ok()?, *id))),
            );
            keys.extend(card.auditors.iter().map(|role| (KeyUse::Auditors, role.key)));
        }
        keys
    }

    /// What somebody lost the right to whose keys are still in force: they wait for a lead who holds them and makes new
    /// ones.
    pub fn rotations_pending(&self) -> BTreeSet<KeyUse> {
        let mut pending = BTreeSet::new();
        for (n, card) in self.cards.iter().enumerate() {
            let before = self.cards[..n]
                .iter()
                .rev()
                .find(|earlier| earlier.person == card.person);
            // A device that is taken away may be in other hands, with all that it held; a recovery key names no keys.
            let gone = |device: &&Device| device.kind == DeviceKind::Device && !card.devices.contains(device);
            let by_paper = self.device_ever(card.by).is_some_and(|by| by.kind == DeviceKind::Paper);
            let exposed = !by_paper && before.is_some_and(|before| before.devices.iter().any(|device| gone(&device)));
            let lost = before
                .into_iter()
                .flat_map(Card::uses)
                .filter(|usage| exposed || !card.is_due(*usage));
            pending.extend(lost);
            for usage in card.keys.keys().filter_map(|usage| usage.parse().ok()) {
                pending.remove(&usage);
            }
            if card.auditors.is_some() {
                pending.remove(&KeyUse::Auditors);
            }
        }
        pending
    }

    /// The public half of the auditors' key in force.
    pub fn auditors(&self) -> Option<&AuditorsKey> {
        self.cards.iter().rev().find_map(|card| card.auditors.as_ref())
    }

    /// Whether the chain once ended with that digest.
    pub fn contains(&self, digest: Digest) -> bool {
        self.digests.contains(&digest)
    }

    /// Whether a device came to the vault after the card with that digest, by a card of that person's.
    pub fn was_admitted_since(&self, digest: Digest, device: DeviceId, by: PersonId) -> bool {
        let has = |card: &Card| card.devices.iter().any(|known| known.device == device);
        let Some(first) = self.cards.iter().position(has) else {
            return false;
        };
        let then = self.digests.iter().position(|known| *known == digest);
        then.is_none_or(|then| then < first) && self.person_of(self.cards[first].by) == Some(by)
    }

    /// All cards, in order.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// The cards up to the one with that digest: those in force where it was the newest.
    pub fn cards_until(&self, digest: Digest) -> Option<&[Card]> {
        let at = self.digests.iter().position(|known| *known == digest)?;
        self.cards.get(..=at)
    }

    /// The `allowed_signers` file for stock git.
    pub fn allowed_signers(&self) -> String {
        let mut lines = String::new();
        for card in &self.cards {
            for device in &card.devices {
                let Some(key) = device.sign_key() else { continue };
                let line = format!("{} namespaces=\"git\" {}\n", card.handle, sshsig::public_line(&key));
                if !lines.contains(&line) {
                    lines.push_str(&line);
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use crate::chain::Time;
    use crate::crypto::{HybridSecret, SigningKey};
    use crate::id::{CompartmentId, LogName};
    use crate::label::Level;
    use crate::secret::Secret;

    const VAULT: VaultId = VaultId([1; 16]);

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
    }

    fn device(n: u8, kind: DeviceKind) -> Device {
        let recipient = HybridSecret::from_seed(&Secret::copy_from(&[n; 32]).unwrap()).recipient();
        Device::new(DeviceId([n; 8]), kind, &recipient, key(n).public())
    }

    fn founder() -> Card {
        Card {
            auditors: None,
            by: DeviceId([1; 8]),
            compartments: vec![],
            cuts: vec![],
            devices: vec![device(1, DeviceKind::Device), device(2, DeviceKind::Paper)],
            handle: "mara".into(),
            joined: vec![],
            keys: BTreeMap::new(),
            lent: BTreeMap::new(),
            level: 3,
            n: 0,
            paused: false,
            person: PersonId([1; 8]),
            prev: Digest([0; 32]),
            roles: vec![Role::Lead, Role::Officer],
            time: Time::from_unix(0),
            until: None,
            v: 1,
            vault: VAULT,
        }
    }

    fn next(by: u8, person: u8, devices: Vec<Device>) -> Card {
        let first = founder();
        let prev = first.digest();
        Card {
            by: DeviceId([by; 8]),
            n: 1,
            person: PersonId([person; 8]),
            prev,
            devices,
            roles: vec![Role::Officer],
            ..first
        }
    }

    #[test]
    fn a_chain_signed_by_leads_is_a_roster() {
        let (first, second) = (founder(), next(1, 9, vec![device(9, DeviceKind::Device)]));
        let files = [first.sign(&key(1)), second.sign(&key(1))];
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let roster = Roster::verify(VAULT, Some(first.digest()), &files).unwrap();
        assert_eq!(roster.members().count(), 2);
        assert_eq!(roster.digest(), second.digest());
        assert!(roster.admits(first.digest(), DeviceId([1; 8])) && !roster.admits(first.digest(), DeviceId([9; 8])));
        assert_eq!(roster.allowed_signers().lines().count(), 3);
        assert_eq!(
            Roster::verify(VAULT, Some(second.digest()), &files),
            Err(BadCard::OtherFounder)
        );
        assert_eq!(Roster::verify(VaultId([2; 16]), None, &files), Err(BadCard::Foreign(0)));
        assert_eq!(Roster::verify(VAULT, None, &files[1..]), Err(BadCard::Chain(0)));
        assert_eq!(Roster::verify(VAULT, None, &[]), Err(BadCard::Empty));
    }

    #[test]
    fn who_is_paused_is_no_lead_meanwhile() {
        let first = founder();
        let second = Card {
            roles: vec![Role::Lead],
            ..next(1, 9, vec![device(9, DeviceKind::Device)])
        };
        let paused = Card {
            n: 2,
            paused: true,
            prev: second.digest(),
            ..second.clone()
        };
        let files = [&first, &second, &paused].map(|card| card.sign(&key(1)));
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let roster = Roster::verify(VAULT, None, &files).unwrap();
        let led = |by: u8, at: &Card| super::super::was_lead(&roster, DeviceId([by; 8]), at.digest(), false);
        assert_eq!(
            [led(9, &first), led(9, &second), led(9, &paused)],
            [false, true, false].map(Some)
        );
        let beyond = super::super::was_lead(&roster, DeviceId([9; 8]), paused.digest(), true);
        assert_eq!((led(1, &paused), beyond), (Some(true), Some(true)));
        assert_eq!(led(1, &next(1, 8, Vec::new())), None);
    }

    #[test]
    fn nobody_else_signs_cards() {
        let first = founder().sign(&key(1));
        let by_stranger = next(1, 9, vec![device(9, DeviceKind::Device)]).sign(&key(7));
        let by_paper_for_another = next(2, 9, vec![device(9, DeviceKind::Device)]).sign(&key(2));
        let by_unknown = next(8, 9, vec![device(9, DeviceKind::Device)]).sign(&key(8));
        for bad in [by_stranger, by_paper_for_another, by_unknown] {
            assert_eq!(Roster::verify(VAULT, None, &[&first, &bad]), Err(BadCard::Signature(1)));
        }
    }

    #[test]
    fn paper_brings_its_person_back_and_does_nothing_else() {
        let first = founder().sign(&key(1));
        let by_paper = |change: &dyn Fn(&mut Card)| {
            let mut card = next(2, 1, founder().devices);
            card.devices.push(device(3, DeviceKind::Device));
            card.roles = founder().roles;
            change(&mut card);
            Roster::verify(VAULT, None, &[&first, &card.sign(&key(2))]).map(drop)
        };
        assert_eq!(by_paper(&|_| ()), Ok(()));
        // The lost device goes with the same card.
        assert_eq!(by_paper(&|card| drop(card.devices.remove(0))), Ok(()));
        let changes: [&dyn Fn(&mut Card); 9] = [
            &|card| card.auditors = Some(auditors(5)),
            &|card| card.level = 2,
            &|card| card.until = Some(Time::from_unix(9)),
            &|card| card.paused = true,
            &|card| card.keys = BTreeMap::from([("level-3".into(), KeyId([1; 8]))]),
            &|card| card.handle = "mara.2".into(),
            &|card| card.roles = vec![Role::Auditor, Role::Lead, Role::Officer],
            &|card| card.compartments = vec![CompartmentId([1; 8])],
            &|card| drop(card.devices.pop()),
        ];
        for change in changes {
            assert_eq!(by_paper(change), Err(BadCard::Signature(1)));
        }
    }

    #[test]
    fn a_key_is_due_by_clearance_by_loan_and_by_the_role_for_emergencies_and_by_nothing_else() {
        let (a, b) = (CompartmentId([1; 8]), CompartmentId([2; 8]));
        let all = [0, 1, 2, 3]
            .map(|number| KeyUse::Level(Level::from_number(number).unwrap()))
            .into_iter()
            .chain([KeyUse::Compartment(a), KeyUse::Compartment(b), KeyUse::Auditors]);
        let all: Vec<KeyUse> = all.collect();
        let officer = Card {
            level: 1,
            compartments: vec![a],
            ..next(1, 9, vec![device(9, DeviceKind::Device)])
        };
        let with = |change: &dyn Fn(&mut Card)| {
            let mut card = officer.clone();
            change(&mut card);
            let one = |due: &dyn Fn(&Card, KeyUse) -> bool| -> String {
                all.iter()
                    .map(|usage| if due(&card, *usage) { 'x' } else { '.' })
                    .collect()
            };
            (one(&Card::is_due), one(&Card::is_due_for_good))
        };
        let both = |due: &str| (due.to_owned(), due.to_owned());
        assert_eq!(with(&|_| ()), both("xx..x.."));
        assert_eq!(with(&|card| card.level = 3), both("xxxxx.."));
        assert_eq!(with(&|card| card.roles = vec![Role::Auditor]), both("......x"));
        assert_eq!(
            with(&|card| card.roles = vec![Role::Auditor, Role::Officer]),
            both("xx..x.x")
        );
        assert_eq!(with(&|card| card.devices.clear()), both("......."));
        let for_a_time = |due: &str| (due.to_owned(), "xx..x..".to_owned());
        let glass = |card: &mut Card| card.roles = vec![Role::BreakGlass, Role::Officer];
        assert_eq!(with(&glass), for_a_time("xxxxx.."));
        let lent = |card: &mut Card, what: String| card.lent.extend([(what, Time::from_unix(9))]);
        assert_eq!(with(&|card| lent(card, "level-2".into())), for_a_time("xxx.x.."));
        assert_eq!(
            with(&|card| lent(card, KeyUse::Compartment(b).to_string())),
            for_a_time("xx..xx.")
        );
        // Nothing is lent to who is an auditor alone, and nothing opened by who is none any more.
        let mere = |card: &mut Card| {
            lent(card, "level-2".into());
            card.roles = vec![Role::Auditor];
        };
        assert_eq!(with(&mere), both("......x"));
        let gone = |card: &mut Card| {
            glass(card);
            lent(card, "level-2".into());
            card.devices.clear();
        };
        assert_eq!(with(&gone), both("......."));
    }

    #[test]
    fn the_founder_is_due_the_auditors_key_as_long_as_nobody_is_an_auditor() {
        let first = founder();
        let mut second = next(1, 9, vec![device(9, DeviceKind::Device)]);
        let files = [first.sign(&key(1)), second.sign(&key(1))];
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let roster = Roster::verify(VAULT, None, &files).unwrap();
        let due = |card: &Card, next: Option<&Card>| roster.is_due(card, KeyUse::Auditors, next);
        assert!(due(&first, None) && !due(&second, None));
        assert!(roster.is_due(&first, KeyUse::Level(Level::Restricted), None));
        let removed = Card {
            devices: vec![],
            ..first.clone()
        };
        assert!(!due(&removed, None));
        // Once somebody is to become one, and no longer where that one is.
        second.roles = vec![Role::Auditor];
        assert!(due(&second, None) && !due(&first, Some(&second)));
        let files = [first.sign(&key(1)), second.sign(&key(1))];
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let with = Roster::verify(VAULT, None, &files).unwrap();
        assert!(!with.is_due(&first, KeyUse::Auditors, None));
        let back = next(1, 9, vec![device(9, DeviceKind::Device)]);
        assert!(with.is_due(&first, KeyUse::Auditors, Some(&back)));
    }

    fn auditors(n: u8) -> AuditorsKey {
        let recipient = HybridSecret::from_seed(&Secret::copy_from(&[n; 32]).unwrap()).recipient();
        AuditorsKey::new(KeyId([n; 8]), &recipient)
    }

    #[test]
    fn the_newest_card_that_names_the_auditors_key_says_what_one_seals_to() {
        let mut first = founder();
        first.auditors = Some(auditors(5));
        let mut prev = first.digest();
        let mut files = vec![first.sign(&key(1))];
        let mut newest = Vec::new();
        for (n, named) in [(1, None), (2, Some(6)), (3, None)] {
            let mut card = next(1, n as u8 + 8, vec![device(n as u8 + 8, DeviceKind::Device)]);
            (card.n, card.prev, card.auditors) = (n, prev, named.map(auditors));
            prev = card.digest();
            files.push(card.sign(&key(1)));
            let all: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
            let roster = Roster::verify(VAULT, None, &all).unwrap();
            let role = roster.auditors().unwrap();
            assert_eq!(
                role.recipient().unwrap().as_bytes(),
                auditors(role.key.0[0]).recipient().unwrap().as_bytes()
            );
            newest.push(role.key.0[0]);
        }
        assert_eq!(newest, [5, 6, 6]);
        let mut bad = founder();
        bad.auditors = Some(AuditorsKey {
            recipient: "AAAA".into(),
            ..auditors(5)
        });
        assert_eq!(
            Roster::verify(VAULT, None, &[&bad.sign(&key(1))]),
            Err(BadCard::Malformed(0))
        );
    }

    #[test]
    fn what_is_lost_waits_for_a_new_key() {
        let first = Card {
            compartments: vec![CompartmentId([5; 8])],
            ..founder()
        };
        let mut cards = vec![first.clone()];
        let mut add = |change: &dyn Fn(&mut Card)| {
            let mut card = Card {
                by: DeviceId([1; 8]),
                person: PersonId([9; 8]),
                devices: vec![device(9, DeviceKind::Device)],
                roles: vec![Role::Officer],
                n: cards.len() as u64,
                prev: cards[cards.len() - 1].digest(),
                ..first.clone()
            };
            change(&mut card);
            cards.push(card);
            let files: Vec<Vec<u8>> = cards.iter().map(|card| card.sign(&key(1))).collect();
            let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
            let roster = Roster::verify(VAULT, None, &files).unwrap();
            (roster.rotations_pending(), roster.keys_in_force())
        };
        let level = |n: u8| KeyUse::Level(Level::from_number(n).unwrap());
        let compartment = KeyUse::Compartment(CompartmentId([5; 8]));
        assert_eq!(add(&|_| ()), (BTreeSet::new(), BTreeMap::new()));
        let (pending, _) = add(&|card| card.level = 1);
        assert_eq!(pending, BTreeSet::from([level(2), level(3)]));
        // A card of anybody's may bring the key; what is named later is in force.
        let named = |card: &mut Card, usage: KeyUse, n: u8| {
            card.keys.insert(usage.to_string(), KeyId([n; 8]));
        };
        let (pending, keys) = add(&|card| {
            card.level = 1;
            named(card, level(3), 1);
        });
        assert_eq!(
            (pending, keys),
            (BTreeSet::from([level(2)]), BTreeMap::from([(level(3), KeyId([1; 8]))]))
        );
        let (pending, keys) = add(&|card| {
            (card.devices, card.roles, card.compartments) = (vec![], vec![], vec![]);
            named(card, level(0), 2);
            named(card, level(1), 3);
            named(card, level(3), 4);
        });
        assert_eq!(pending, BTreeSet::from([level(2), compartment]));
        assert_eq!(keys.get(&level(3)), Some(&KeyId([4; 8])));
        // Who is an auditor alone is due no key to a note.
        let auditor = Card {
            roles: vec![Role::Auditor],
            ..first.clone()
        };
        let due = [level(0), compartment, KeyUse::Auditors].map(|usage| auditor.is_due(usage));
        assert_eq!(due, [false, false, true]);
    }

    #[test]
    fn who_has_a_key_was_due_it_when_it_was_made_or_given_it_by_somebody_who_has_it() {
        let first = founder();
        let mut cards = vec![first.clone()];
        // By whom, for whom, and what of it.
        let mut add = |by: u8, person: u8, change: &dyn Fn(&mut Card)| {
            let mut card = Card {
                by: DeviceId([by; 8]),
                person: PersonId([person; 8]),
                devices: vec![device(person, DeviceKind::Device)],
                roles: vec![Role::Lead],
                n: cards.len() as u64,
                prev: cards[cards.len() - 1].digest(),
                time: Time::from_unix(10 * cards.len() as i64),
                ..first.clone()
            };
            if person == 1 {
                card.devices = first.devices.clone();
            }
            change(&mut card);
            cards.push(card);
            let sign = |card: &Card| card.sign(&key(card.by.0[0]));
            let files: Vec<Vec<u8>> = cards.iter().map(sign).collect();
            let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
            let roster = Roster::verify(VAULT, None, &files).unwrap();
            let given = |usage| roster.given(usage).into_iter().map(|person| person.0[0]);
            let level = |level| given(KeyUse::Level(level)).collect::<Vec<_>>();
            (level(Level::Restricted), given(KeyUse::Auditors).collect::<Vec<_>>())
        };
        let restricted = KeyUse::Level(Level::Restricted).to_string();
        let names = |card: &mut Card| {
            let _ = card.keys.insert(restricted.clone(), KeyId([card.n as u8; 8]));
        };
        assert_eq!(add(1, 5, &|card| card.level = 1).0, [1, 5]);
        add(1, 6, &|card| card.paused = true);
        add(1, 7, &|card| card.until = Some(Time::from_unix(50)));
        add(1, 8, &|card| {
            card.level = 1;
            card.lent.insert(restricted.clone(), Time::from_unix(45));
        });
        add(1, 9, &|_| ());
        // Neither who waits is given what is made, nor who is not due it.
        let made = add(1, 5, &|card| {
            card.level = 1;
            names(card);
        });
        assert_eq!(made.0, [1, 9]);
        // Who lacks it gives it to nobody, who has it does: where there is more, a pause ends or an end is another.
        assert_eq!(add(5, 6, &|_| ()).0, [1, 9]);
        add(5, 6, &|card| card.paused = true);
        assert_eq!(add(9, 6, &|_| ()).0, [1, 6, 9]);
        assert_eq!(add(6, 8, &|_| ()).0, [1, 6, 8, 9]);
        assert_eq!(
            add(1, 7, &|card| card.until = Some(Time::from_unix(90))).0,
            [1, 6, 8, 9]
        );
        assert_eq!(
            add(1, 7, &|card| card.until = Some(Time::from_unix(990))).0,
            [1, 6, 7, 8, 9]
        );
        // What has no effect on what is given changes nothing, and the next key is another.
        assert_eq!(add(1, 9, &|card| card.level = 2).0, [1, 6, 7, 8, 9]);
        assert_eq!(add(1, 9, &names).0, [1, 6, 7, 8, 9]);
        add(1, 6, &|card| card.paused = true);
        assert_eq!(add(1, 5, &names).0, [1, 5, 7, 8, 9]);
        // The founder is due the auditors' key as long as there is no auditor.
        let makes = |card: &mut Card| card.auditors = Some(auditors(card.n as u8));
        assert_eq!(add(1, 5, &makes).1, [1]);
        add(1, 9, &|card| card.roles = vec![Role::Auditor, Role::Lead]);
        assert_eq!(add(1, 5, &makes).1, [9]);
    }

    #[test]
    fn a_card_names_keys_for_what_there_are_keys_for() {
        for bad in ["level-4", "level-04", "auditors", "compartment-05", ""] {
            let mut card = founder();
            card.keys.insert(bad.into(), KeyId([1; 8]));
            let judged = Roster::verify(VAULT, None, &[&card.sign(&key(1))]);
            assert_eq!(judged, Err(BadCard::Malformed(0)), "{bad}");
        }
    }

    #[test]
    fn who_is_paused_signs_no_card() {
        let first = Card {
            paused: true,
            ..founder()
        };
        let prev = first.digest();
        let second = Card {
            prev,
            ..next(1, 9, vec![device(9, DeviceKind::Device)])
        };
        let files = [first.sign(&key(1)), second.sign(&key(1))];
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        assert_eq!(Roster::verify(VAULT, None, &files), Err(BadCard::Signature(1)));
    }

    #[test]
    fn a_card_stands_under_its_own_path() {
        let first = founder();
        let roster = Roster::verify(VAULT, None, &[&first.sign(&key(1))]).unwrap();
        assert_eq!(roster.check_paths([first.path().as_str()]), Ok(()));
        assert_eq!(
            roster.check_paths(["members/0000-0202020202020202.card"]),
            Err(BadCard::Name(0))
        );
    }

    #[test]
    fn a_device_keeps_its_keys_and_its_owner() {
        let first = founder().sign(&key(1));
        let mut renewed = next(1, 1, vec![device(1, DeviceKind::Device), device(2, DeviceKind::Paper)]);
        let stranger = device(7, DeviceKind::Device);
        renewed.devices[0] = Device {
            device: DeviceId([1; 8]),
            ..stranger
        };
        let taken = next(1, 9, vec![device(2, DeviceKind::Paper)]);
        for bad in [renewed, taken] {
            assert_eq!(
                Roster::verify(VAULT, None, &[&first, &bad.sign(&key(1))]),
                Err(BadCard::Device(1))
            );
        }
    }

    #[test]
    fn a_removed_device_s_logs_are_cut_once_and_then_only_further_on() {
        let first = founder();
        let log = |n: u8| LogName {
            device: DeviceId([n; 8]),
            incarnation: crate::id::Incarnation([n; 4]),
        };
        let cut = |n: u8, size: u64| Cut(log(n), size, Digest([n; 32]));
        // The founder gets a device more; it is removed; more of its log is accepted late.
        let mut cards = vec![next(
            1,
            1,
            [first.devices.clone(), vec![device(3, DeviceKind::Device)]].concat(),
        )];
        let chain = |cards: &[Card]| {
            let mut files = vec![first.sign(&key(1))];
            let mut prev = first.digest();
            for (n, card) in cards.iter().enumerate() {
                let roles = first.roles.clone();
                let card = Card {
                    n: n as u64 + 1,
                    prev,
                    roles,
                    ..card.clone()
                };
                prev = card.digest();
                files.push(card.sign(&key(1)));
            }
            let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
            Roster::verify(VAULT, None, &files)
        };
        assert_eq!(chain(&cards).unwrap().cuts(), Cuts::default());
        let with = |cuts: &[Cut]| Card {
            cuts: cuts.to_vec(),
            ..next(1, 1, first.devices.clone())
        };
        for bad in [
            with(&[cut(1, 4)]),
            with(&[cut(9, 4)]),
            Card {
                cuts: vec![cut(3, 4)],
                ..cards[0].clone()
            },
            Card {
                cuts: vec![cut(3, 4)],
                ..next(1, 9, vec![])
            },
        ] {
            assert_eq!(chain(&[cards[0].clone(), bad]), Err(BadCard::Cuts(2)));
        }
        assert_eq!(
            chain(&[cards[0].clone(), with(&[cut(3, 0)])]),
            Err(BadCard::Malformed(2))
        );
        assert_eq!(chain(&[with(&[cut(3, 4)])]), Err(BadCard::Cuts(1)));
        cards.push(with(&[cut(3, 4)]));
        assert_eq!(chain(&cards).unwrap().cuts().of(log(3)), Some((4, Digest([3; 32]))));
        for (size, good) in [(3, false), (4, false), (5, true)] {
            let late = chain(&[cards.clone(), vec![with(&[cut(3, size)])]].concat());
            let of = late.map(|roster| roster.cuts().of(log(3)));
            let due = if good {
                Ok(Some((5, Digest([3; 32]))))
            } else {
                Err(BadCard::Cuts(3))
            };
            assert_eq!(of, due);
        }
        // Removed without a word about its log.
        let silent = chain(&[cards[0].clone(), with(&[])]).unwrap().cuts();
        assert_eq!(silent.of(log(3)).map(|(size, _)| size), Some(0));
        assert_eq!(silent.of(log(1)), None);
        // A card without cuts has the bytes that it always had.
        let line = String::from_utf8(json::to_line(&first)).unwrap();
        assert!(!line.contains("cuts"));
        let empty = line.replace("\"devices\"", "\"cuts\":[],\"devices\"");
        assert_eq!(json::from_line::<Card>(empty.as_bytes()), None);
    }

    #[test]
    fn handles_are_plain() {
        for bad in ["", "Mara", "9lives", "a b", "a/b", "é", &"a".repeat(33)] {
            assert!(Card::check_handle(bad).is_err(), "{bad}");
        }
        assert!(Card::check_handle("mara.okafor-2").is_ok());
    }

    #[test]
    fn ones_own_device_and_a_lead_give_keys_and_nobody_else() {
        let first = founder();
        let second = next(1, 9, vec![device(8, DeviceKind::Device), device(9, DeviceKind::Device)]);
        let third = Card {
            n: 2,
            prev: second.digest(),
            ..next(1, 7, vec![device(7, DeviceKind::Device)])
        };
        let files = [&first, &second, &third].map(|card| card.sign(&key(1)));
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let roster = Roster::verify(VAULT, None, &files).unwrap();
        let gives = |by: u8, to: u8| roster.may_give(DeviceId([by; 8]), DeviceId([to; 8]));
        assert!(gives(1, 9) && gives(1, 7) && gives(8, 9) && gives(9, 8) && gives(7, 7));
        assert!(!gives(9, 7) && !gives(7, 9) && !gives(9, 1) && !gives(5, 9));
        assert!(roster.contains(second.digest()) && !roster.contains(next(1, 6, Vec::new()).digest()));
    }
}
