//! Keys by id: what a session holds and wraps refer to.

use crate::crypto::{Entropy, HybridSecret, NoEntropy, Recipient, derive_key, make_random, make_secret};
use crate::id::{CompartmentId, KeyId};
use crate::label::{Label, Level};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};
use zeroize::Zeroizing;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KeyUse {
    /// Everything at one level (never `named`).
    Level(Level),
    /// One compartment.
    Compartment(CompartmentId),
    /// The details of every log, for auditors.
    Auditors,
}

impl KeyUse {
    /// Whether whoever is given a key for this is given one for `other`: with a level go the levels below.
    pub fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Level(level), Self::Level(other)) => other <= level,
            _ => self == other,
        }
    }
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "level-{}", level.number()),
            Self::Compartment(id) => write!(f, "compartment-{id}"),
            Self::Auditors => f.write_str("auditors"),
        }
    }
}

/// The text names nothing that a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this names nothing that a key is for")]
pub struct BadKeyUse;

impl FromStr for KeyUse {
    type Err = BadKeyUse;

    fn from_str(text: &str) -> Result<Self, BadKeyUse> {
        let level = |text: &str| Level::from_number(text.parse().ok()?).filter(|level| *level != Level::Named);
        let compartment = |text: &str| text.strip_prefix("compartment-")?.parse().ok();
        let parsed = match text.strip_prefix("level-") {
            Some(number) => level(number).map(Self::Level),
            None if text == "auditors" => Some(Self::Auditors),
            None => compartment(text).map(Self::Compartment),
        };
        parsed.filter(|usage| usage.to_string() == text).ok_or(BadKeyUse)
    }
}

/// A key of an epoch. Ids travel; keys stay in their ring.
pub struct Key {
    /// Its random id.
    pub id: KeyId,
    /// What it is for.
    pub usage: KeyUse,
    /// The epoch it belongs to.
    pub epoch: [u8; 8],
    /// The compartment's name, for compartments.
    pub name: Option<String>,
    pub(super) secret: Secret<32>,
}

impl Key {
    /// A fresh random key.
    pub fn make(
        usage: KeyUse,
        name: Option<String>,
        epoch: [u8; 8],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        Ok(Self {
            id: KeyId(make_random(entropy)?),
            usage,
            epoch,
            name,
            secret: make_secret(entropy)?,
        })
    }

    /// For the auditors' key: what one seals to so that whoever holds the key can open it.
    pub(super) fn hybrid(&self) -> HybridSecret {
        HybridSecret::from_seed(&derive_key(
            self.secret.expose(),
            "strongroom/1/auditors recipient",
            &[],
        ))
    }

    /// For the auditors' key: its public half, which whoever writes entries seals to.
    pub fn recipient(&self) -> Recipient {
        self.hybrid().recipient()
    }
}

/// The most KEKs that are kept.
const KEKS_MAX: usize = 64;

/// The keys one device holds.
#[derive(Default)]
pub struct Keyring {
    keys: BTreeMap<KeyId, Key>,
    /// KEKs that were derived, by the ids of the keys they were derived from: there is one for each label.
    keks: RwLock<Vec<(Vec<KeyId>, Secret<32>)>>,
    /// The keys in force, where a card says which.
    in_force: BTreeMap<KeyUse, KeyId>,
}

impl Keyring {
    /// A ring of `keys`.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            keys: keys.into_iter().map(|key| (key.id, key)).collect(),
            keks: RwLock::default(),
            in_force: BTreeMap::new(),
        }
    }

    /// Adds a key.
    pub fn add(&mut self, key: Key) {
        self.keys.insert(key.id, key);
    }

    /// A ring of its own with those of the keys that are for what `wanted` says.
    pub fn part(&self, wanted: impl Fn(KeyUse) -> bool) -> Self {
        self.part_of(|key| wanted(key.usage))
    }

    /// The same with those of the keys that are wanted themselves.
    pub fn part_of(&self, wanted: impl Fn(&Key) -> bool) -> Self {
        let keys = self.keys.values().filter(|key| wanted(key));
        Self::new(keys.map(|key| Key {
            id: key.id,
            usage: key.usage,
            epoch: key.epoch,
            name: key.name.clone(),
            secret: key.secret.duplicate(),
        }))
    }

    /// Adds the keys of another ring; one of an id that is known stays as it is.
    pub fn join(&mut self, other: Keyring) {
        for (id, key) in other.keys {
            self.keys.entry(id).or_insert(key);
        }
    }

    /// Shows `visit` where each key lies, so that its pages can be kept in memory; whether all of them could be.
    pub(crate) fn each_secret(&self, visit: &mut dyn FnMut(*const u8, usize) -> bool) -> bool {
        let mut all = true;
        for key in self.keys.values() {
            let secret = key.secret.expose();
            all &= visit(secret.as_ptr(), secret.len());
        }
        all
    }

    /// All keys in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// The key of an id.
    pub(crate) fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(&id)
    }

    /// What `derive` gives for the keys of these ids, or gave when it was asked before.
    pub(super) fn kek(&self, ids: &[KeyId], derive: impl FnOnce() -> Option<Secret<32>>) -> Option<Secret<32>> {
        let known = self.keks.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, kek)) = known.iter().find(|(of, _)| of == ids) {
            return Some(kek.duplicate());
        }
        drop(known);
        let kek = derive()?;
        let mut known = self.keks.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEKS_MAX {
            known.push((ids.to_vec(), kek.duplicate()));
        }
        Some(kek)
    }

    /// From here on these keys are in force for these uses; for others the one key that there is.
    pub fn put_in_force(&mut self, keys: BTreeMap<KeyUse, KeyId>) {
        self.in_force = keys;
    }

    /// The key in force for a use, if it is held.
    pub(crate) fn key_for(&self, usage: KeyUse) -> Option<&Key> {
        match self.in_force.get(&usage) {
            // A card names an id alone: a key for something else is none for this.
            Some(id) => self.keys.get(id).filter(|key| key.usage == usage),
            None => self.keys.values().find(|key| key.usage == usage),
        }
    }

    /// Whether the key in force for a use is held.
    pub fn holds(&self, usage: KeyUse) -> bool {
        self.key_for(usage).is_some()
    }

    /// Whether a key was in force once and is no more.
    pub(crate) fn is_retired(&self, id: KeyId) -> bool {
        let usage = self.keys.get(&id).map(|key| key.usage);
        usage
            .and_then(|usage| self.in_force.get(&usage))
            .is_some_and(|now| *now != id)
    }

    /// A key that whoever may read notes under `label` can derive, for the placeholders of one case: its client and its
    /// name (docs/FORMAT.md §10). None without all keys of the label, and for `named`, which has none.
    pub(crate) fn case_key(&self, label: &Label, case: &[String; 2]) -> Option<Secret<32>> {
        let level = self.key_for(KeyUse::Level(label.level()))?;
        // Room for all: what is moved to a bigger place is not wiped from the smaller one.
        let mut all = Zeroizing::new(Vec::with_capacity(32 * (1 + label.compartments().len())));
        all.extend_from_slice(level.secret.expose());
        for compartment in label.compartments() {
            let key = self.key_for(KeyUse::Compartment(*compartment))?;
            all.extend_from_slice(key.secret.expose());
        }
        let [client, case] = case;
        Some(derive_key(
            &all,
            "strongroom/1/case",
            &[client.as_bytes(), case.as_bytes()],
        ))
    }

    /// Compartments held, by name and id.
    pub fn compartments(&self) -> impl Iterator<Item = (&str, CompartmentId)> {
        let held = self.keys.values().filter(|key| !self.is_retired(key.id));
        held.filter_map(|key| match key.usage {
            KeyUse::Compartment(id) => Some((key.name.as_deref().unwrap_or_default(), id)),
            _ => None,
        })
    }

    /// Levels whose key is held.
    pub fn levels(&self) -> impl Iterator<Item = Level> {
        self.keys.values().filter_map(|key| match key.usage {
            KeyUse::Level(level) => Some(level),
            _ => None,
        })
    }
}
