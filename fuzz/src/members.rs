//! Chains of cards: whatever stands on them and whoever signs, nobody comes in but by a lead.

use std::sync::LazyLock;
use strongroom::chain::{Card, Cut, Device, DeviceKind, Role, Roster, Time};
use strongroom::crypto::{HybridSecret, SigningKey};
use strongroom::id::{CompartmentId, DeviceId, Digest, Incarnation, LogName, PersonId, VaultId};
use strongroom::secret::Secret;

const VAULT: VaultId = VaultId([1; 16]);
const CARDS_MAX: usize = 8;
const BYTES: usize = 6;

/// A script of cards, six bytes each: person, signer, roles, devices, which of them are paper, and what is wrong.
pub fn roster(data: &[u8]) -> bool {
    let mut cards: Vec<Card> = Vec::new();
    let mut files: Vec<Vec<u8>> = Vec::new();
    let mut honest = true;
    for bytes in data.chunks_exact(BYTES).take(CARDS_MAX) {
        let (mut card, signer) = card(bytes);
        card.n = cards.len() as u64;
        card.prev = cards.last().map_or(Digest([0; 32]), Card::digest);
        match bytes[5] % 16 {
            6 => card.cuts = vec![cut(bytes[2] % 8, bytes[0] >> 2)],
            8 => card.prev = Digest([9; 32]),
            9 => card.n += 1,
            10 => card.vault = VaultId([2; 16]),
            11 => card.level = 5,
            12 => card.compartments.reverse(),
            13 => card.handle = "No Handle".to_owned(),
            14 => card.v = 2,
            15 => card.roles.reverse(),
            _ => {}
        }
        honest &= bytes[5] % 16 < 8 || (bytes[5] % 16 == 15 && card.roles.len() < 2);
        let by = if bytes[5] % 16 == 7 { (signer + 1) % 8 } else { signer };
        files.push(card.sign(&keys()[by].0));
        cards.push(card);
    }
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let Ok(roster) = Roster::verify(VAULT, None, &files) else {
        return false;
    };
    assert!(honest, "a card with a fault is accepted");
    assert_eq!(roster.cards(), cards);
    for (n, card) in cards.iter().enumerate() {
        assert!(
            may_sign(&cards[..n], card),
            "card {n} was signed by somebody who may not"
        );
        assert!(
            card.cuts.iter().all(|cut| may_cut(&cards[..n], card, cut)),
            "card {n} cuts what it may not"
        );
    }
    assert_eq!(Some(roster.digest()), cards.last().map(Card::digest));
    true
}

/// docs/FORMAT.md §2.2, said another way: by the cards before it, the signing device is a lead's, and not paper
/// unless the card differs from its person's in devices alone, of which one is new; the first card is signed by a
/// device of its own.
fn may_sign(before: &[Card], card: &Card) -> bool {
    let owns = |card: &Card, kind: Option<DeviceKind>, by: DeviceId| {
        let mut devices = card.devices.iter();
        devices.any(|device| device.device == by && kind.is_none_or(|kind| device.kind == kind))
    };
    if before.is_empty() {
        return owns(card, Some(DeviceKind::Device), card.by);
    }
    (0..before.len()).any(|n| {
        let (old, later) = (&before[n], &before[n + 1..]);
        let in_force = later.iter().all(|later| later.person != old.person);
        let alike = |card: &Card| (card.person, card.level, card.roles.clone(), card.compartments.clone());
        let new = card.devices.iter().any(|device| !old.devices.contains(device));
        let back = alike(card) == alike(old) && card.handle == old.handle && new;
        let kind = (!back).then_some(DeviceKind::Device);
        in_force && old.roles.contains(&Role::Lead) && owns(old, kind, card.by)
    })
}

/// The same page: of a device that the person had and has no more, and further on than any card before.
fn may_cut(before: &[Card], card: &Card, cut: &Cut) -> bool {
    let devices = |card: &Card| card.devices.iter().map(|device| device.device).collect::<Vec<_>>();
    let mine = before.iter().filter(|earlier| earlier.person == card.person);
    let had = mine.flat_map(devices).any(|device| device == cut.0.device);
    let further = before
        .iter()
        .flat_map(|card| &card.cuts)
        .all(|old| old.0 != cut.0 || old.1 < cut.1);
    had && further && cut.1 > 0 && !devices(card).contains(&cut.0.device)
}

fn cut(device: u8, size: u8) -> Cut {
    let log = LogName {
        device: DeviceId([device; 8]),
        incarnation: Incarnation([1; 4]),
    };
    Cut(log, size.into(), Digest([size; 32]))
}

fn card(bytes: &[u8]) -> (Card, usize) {
    let (person, signer) = (bytes[0] % 4, usize::from(bytes[1] % 8));
    let roles = [Role::Auditor, Role::Lead, Role::Officer];
    let chosen = |bits: u8, n: usize| bits & (1 << n) != 0;
    let kind = |n| match chosen(bytes[4], n) {
        true => DeviceKind::Paper,
        false => DeviceKind::Device,
    };
    let device = |n: usize| {
        let (sign, hybrid) = &keys()[n];
        Device::new(DeviceId([n as u8; 8]), kind(n), &hybrid.recipient(), sign.public())
    };
    let card = Card {
        auditors: None,
        by: DeviceId([signer as u8; 8]),
        compartments: vec![CompartmentId([1; 8]), CompartmentId([2; 8])],
        cuts: vec![],
        devices: (0..8).filter(|n| chosen(bytes[3], *n)).map(device).collect(),
        handle: format!("officer-{person}"),
        joined: Vec::new(),
        keys: std::collections::BTreeMap::new(),
        lent: std::collections::BTreeMap::new(),
        level: bytes[2] >> 4 & 3,
        n: 0,
        paused: false,
        person: PersonId([person; 8]),
        prev: Digest([0; 32]),
        roles: (0..3).filter(|n| chosen(bytes[2], *n)).map(|n| roles[n]).collect(),
        time: Time::from_unix(1_767_225_600),
        until: None,
        v: 1,
        vault: VAULT,
    };
    (card, signer)
}

fn keys() -> &'static [(SigningKey, HybridSecret); 8] {
    static KEYS: LazyLock<[(SigningKey, HybridSecret); 8]> = LazyLock::new(|| {
        std::array::from_fn(|n| {
            let seed = Secret::copy_from(&[n as u8; 32]).expect("32 bytes");
            (SigningKey::from_seed(&seed), HybridSecret::from_seed(&seed))
        })
    });
    &KEYS
}
