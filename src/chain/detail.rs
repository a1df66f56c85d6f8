//! What only the person and the auditors learn of an access (docs/FORMAT.md §7, details).

use crate::crypto::{Entropy, NoEntropy, length_prefixed};
use crate::envelope::cbor::{self, Bytes};
use crate::envelope::{BadEnvelope, DetailKey, SUITE};
use crate::id::{Digest, EntryRef, KeyId, LogName, NoteId, VaultId};
use crate::label::Level;
use base64ct::{Base64, Encoding};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

const WHAT: &str = "sealed detail";
/// Above this many, notes are named by bitmap.
const BY_ID_MAX: usize = 64;
/// The largest details, in bytes, before padding.
const MAX: usize = 48 * 1024;

/// Bit `i` stands for the `i`-th note-creating entry of a log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bitmap(Vec<u8>);

impl Bitmap {
    /// Sets bit `index`.
    pub fn set(&mut self, index: u64) {
        let at = (index / 8) as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= 1 << (index % 8);
    }

    /// The bits that are set, in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().enumerate().flat_map(|(at, byte)| {
            (0..8)
                .filter(move |bit| byte & (1 << bit) != 0)
                .map(move |bit| at as u64 * 8 + bit)
        })
    }

    fn is_canonical(&self) -> bool {
        self.0.last().is_some_and(|last| *last != 0)
    }
}

/// The notes an access concerned.
#[derive(Clone, PartialEq, Eq)]
pub enum NoteSet {
    /// By id, at most 64.
    Ids(Vec<NoteId>),
    /// By the order in which logs created them.
    Bitmaps(BTreeMap<LogName, Bitmap>),
}

impl NoteSet {
    /// Names `notes` in the shorter way. `ordinal` gives a note's creating log and place among its note-creating
    /// entries; a note without one cannot be named by bitmap, and there are at most 64 such.
    pub fn name(mut notes: Vec<NoteId>, ordinal: impl Fn(NoteId) -> Option<(LogName, u64)>) -> Option<Self> {
        notes.sort_unstable();
        notes.dedup();
        if notes.len() <= BY_ID_MAX {
            return Some(Self::Ids(notes));
        }
        let mut maps: BTreeMap<LogName, Bitmap> = BTreeMap::new();
        for note in notes {
            let (log, index) = ordinal(note)?;
            maps.entry(log).or_default().set(index);
        }
        Some(Self::Bitmaps(maps))
    }
}

/// The details of an entry. No `Debug`: they are sealed for a reason.
#[derive(Clone, PartialEq, Eq)]
pub struct Details {
    /// The verb as typed, such as `show`.
    pub verb: String,
    /// The highest level concerned.
    pub level: Option<Level>,
    /// Purpose code.
    pub purpose: Option<String>,
    /// Reason in words.
    pub reason: Option<String>,
    /// Clients concerned.
    pub client: Option<String>,
    /// To whom.
    pub recipients: Vec<String>,
    /// Rules that decided.
    pub rules: Vec<String>,
    /// Which notes.
    pub notes: NoteSet,
    /// What was asked for, as typed: an id that was not found, a search.
    pub asked: Option<String>,
    /// Digest of a text that left.
    pub left: Option<Digest>,
    /// When failed unlocks were tried, Unix seconds.
    pub times: Vec<i64>,
    /// The devices that had not seen that a note was to be destroyed when it was: handle and id of each.
    pub laggards: Vec<String>,
}

impl Details {
    /// Details of `verb` with nothing else yet.
    pub fn new(verb: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            level: None,
            purpose: None,
            reason: None,
            client: None,
            recipients: Vec::new(),
            rules: Vec::new(),
            notes: NoteSet::Ids(Vec::new()),
            asked: None,
            left: None,
            times: Vec::new(),
            laggards: Vec::new(),
        }
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct DetailsCbor {
    #[n(0)]
    verb: String,
    #[n(1)]
    level: Option<u8>,
    #[n(2)]
    purpose: Option<String>,
    #[n(3)]
    reason: Option<String>,
    #[n(4)]
    client: Option<String>,
    #[n(5)]
    recipients: Option<Vec<String>>,
    #[n(6)]
    rules: Option<Vec<String>>,
    #[n(7)]
    notes: Option<Vec<Bytes>>,
    #[n(8)]
    maps: Option<BTreeMap<String, Bytes>>,
    #[n(9)]
    asked: Option<String>,
    #[n(10)]
    left: Option<Bytes>,
    #[n(11)]
    times: Option<Vec<i64>>,
    #[n(12)]
    laggards: Option<Vec<String>>,
}

fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

impl Details {
    /// Their CBOR.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = |id: &[u8]| Bytes::from(id.to_vec());
        let (notes, maps) = match &self.notes {
            NoteSet::Ids(ids) => (filled(ids.iter().map(|id| bytes(id.as_bytes())).collect()), None),
            NoteSet::Bitmaps(maps) => (
                None,
                Some(maps.iter().map(|(log, map)| (log.to_string(), bytes(&map.0))).collect()),
            ),
        };
        cbor::encode(&DetailsCbor {
            verb: self.verb.clone(),
            level: self.level.map(Level::number),
            purpose: self.purpose.clone(),
            reason: self.reason.clone(),
            client: self.client.clone(),
            recipients: filled(self.recipients.clone()),
            rules: filled(self.rules.clone()),
            notes,
            maps,
            asked: self.asked.clone(),
            left: self.left.map(|digest| bytes(digest.as_bytes())),
            times: filled(self.times.clone()),
            laggards: filled(self.laggards.clone()),
        })
    }

    /// Reads details; strict.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let malformed = BadEnvelope::Malformed { what: WHAT };
        let raw: DetailsCbor = cbor::decode(WHAT, MAX, bytes)?;
        let notes = match (raw.notes, raw.maps) {
            (None, Some(maps)) => {
                let mut named = BTreeMap::new();
                for (log, map) in maps {
                    let map = Bitmap(map.into());
                    if !map.is_canonical() {
                        return Err(malformed);
                    }
                    named.insert(log.parse().map_err(|_| malformed.clone())?, map);
                }
                NoteSet::Bitmaps(named)
            }
            (ids, None) => {
                let ids: Vec<NoteId> = ids
                    .unwrap_or_default()
                    .iter()
                    .map(|id| cbor::fixed(WHAT, id))
                    .collect::<Result<_, _>>()?;
                if ids.len() > BY_ID_MAX || ids.windows(2).any(|pair| pair[0] >= pair[1]) {
                    return Err(malformed);
                }
                NoteSet::Ids(ids)
            }
            _ => return Err(malformed),
        };
        let details = Self {
            verb: raw.verb,
            level: match raw.level {
                Some(number) => Some(Level::from_number(number).ok_or(malformed.clone())?),
                None => None,
            },
            purpose: raw.purpose,
            reason: raw.reason,
            client: raw.client,
            recipients: raw.recipients.unwrap_or_default(),
            rules: raw.rules.unwrap_or_default(),
            notes,
            asked: raw.asked,
            left: raw.left.map(|digest| cbor::fixed(WHAT, &digest)).transpose()?,
            times: raw.times.unwrap_or_default(),
            laggards: raw.laggards.unwrap_or_default(),
        };
        // Empty lists and unsorted maps are refused with everything else that does not come back.
        if details.encode() == bytes {
            Ok(details)
        } else {
            Err(malformed)
        }
    }

    fn aad(vault: VaultId, place: EntryRef, key: KeyId) -> Vec<u8> {
        let log = place.log.to_string();
        length_prefixed(&[
            b"strongroom/1/detail",
            &[SUITE],
            vault.as_bytes(),
            log.as_bytes(),
            &place.seq.to_be_bytes(),
            key.as_bytes(),
        ])
    }

    /// The `sealed` of an entry at `place`.
    pub fn seal(
        &self,
        vault: VaultId,
        place: EntryRef,
        key: &DetailKey,
        entropy: &mut dyn Entropy,
    ) -> Result<String, NoEntropy> {
        let plain = zeroize::Zeroizing::new(self.encode());
        key.seal(&Self::aad(vault, place, key.id), &plain, entropy)
            .map(|sealed| Base64::encode_string(&sealed))
    }

    /// Opens the `sealed` of the entry at `place`.
    pub(crate) fn open_sealed(
        vault: VaultId,
        place: EntryRef,
        key: &DetailKey,
        sealed: &str,
    ) -> Result<Self, BadEnvelope> {
        let sealed = Base64::decode_vec(sealed).map_err(|_| BadEnvelope::Malformed { what: WHAT })?;
        let plain = key.open(&Self::aad(vault, place, key.id), &sealed)?;
        Self::decode(plain.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;
    use proptest::prelude::*;

    #[test]
    fn details_open_at_their_place_alone() {
        let mut entropy = ExampleEntropy::new("details");
        let key = DetailKey::make(&mut entropy).unwrap();
        let place: EntryRef = "0102030405060708-090a0b0c:4".parse().unwrap();
        let mut details = Details::new("show");
        details.reason = Some("gate call-out".into());
        details.notes = NoteSet::Ids(vec![NoteId([1; 16])]);
        let sealed = details.seal(VaultId([1; 16]), place, &key, &mut entropy).unwrap();
        assert!(
            Details::open_sealed(VaultId([1; 16]), place, &key, &sealed).unwrap_or_else(|e| panic!("{e}")) == details
        );
        assert!(Details::open_sealed(VaultId([2; 16]), place, &key, &sealed).is_err());
        assert!(Details::open_sealed(VaultId([1; 16]), EntryRef { seq: 5, ..place }, &key, &sealed).is_err());
    }

    #[test]
    fn ten_thousand_notes_fit_an_entry() {
        let log: LogName = "0102030405060708-090a0b0c".parse().unwrap();
        let notes = (0u32..10_000).map(|n| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&n.to_be_bytes());
            NoteId(id)
        });
        let ordinal = |note: NoteId| Some((log, u64::from(u32::from_be_bytes(note.0[..4].try_into().unwrap()))));
        let mut details = Details::new("list");
        details.notes = NoteSet::name(notes.collect(), ordinal).unwrap();
        assert!(details.encode().len() < 2_000);
        let again = Details::decode(&details.encode()).unwrap_or_else(|e| panic!("{e}"));
        let NoteSet::Bitmaps(maps) = &again.notes else {
            panic!("by bitmap")
        };
        assert_eq!(maps[&log].iter().count(), 10_000);
    }

    proptest! {
        #[test]
        fn bitmaps_keep_what_was_set(bits in proptest::collection::btree_set(0u64..4000, 1..50)) {
            let mut map = Bitmap::default();
            bits.iter().for_each(|bit| map.set(*bit));
            prop_assert!(map.is_canonical());
            prop_assert_eq!(map.iter().collect::<std::collections::BTreeSet<_>>(), bits);
        }

        #[test]
        fn what_decodes_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(details) = Details::decode(&bytes) {
                prop_assert_eq!(details.encode(), bytes);
            }
        }
    }
}
