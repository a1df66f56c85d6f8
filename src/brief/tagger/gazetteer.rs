//! Lists of names and of words that announce something, written for this project.

use super::looks::{ByHash, hash};
use crate::brief::cues::{
    CODE_WORDS, COLOURS, COMPANY_WORDS, DEEDS, EPITHETS, FIGURES, HEADS, HONORIFICS, HOUSES, INSTITUTIONS, KIN,
    LETTERS, MAKES, MODELS, OF_OFFICES, OFFICES, PARTICLES, PLACE_WORDS, PUBLIC_BODIES, RANKS, ROLES, STREETS, TENS,
    TRADES, UNITS, VEHICLES,
};
use std::sync::LazyLock;

/// Given names, surnames, places, and words beside codes; blocks under `[…]`, split at spaces.
pub(crate) static TEXT: &str = include_str!("gazetteer.txt");

/// What a word can be, one bit each.
pub(crate) mod has {
    pub(crate) const GIVEN: u64 = 1;
    pub(crate) const SURNAME: u64 = 2;
    pub(crate) const PLACE: u64 = 4;
    pub(crate) const CODE: u64 = 8;
    pub(crate) const PEOPLE: u64 = 16;
    pub(crate) const CALENDAR: u64 = 32;
    pub(crate) const TITLE: u64 = 64;
    pub(crate) const ROLE: u64 = 128;
    pub(crate) const KIN: u64 = 256;
    pub(crate) const COMPANY: u64 = 512;
    pub(crate) const SITE: u64 = 1024;
    pub(crate) const DEED: u64 = 2048;
    pub(crate) const FIGURE: u64 = 4096;
    pub(crate) const LETTER: u64 = 8192;
    pub(crate) const TEN: u64 = 16384;
    /// What the tagger itself looks at.
    pub(crate) const SEEN: u64 = 32767;
    pub(crate) const BODY: u64 = 1 << 16;
    pub(crate) const ANNOUNCES: u64 = 1 << 17;
    pub(crate) const STREET: u64 = 1 << 18;
    pub(crate) const UNIT: u64 = 1 << 19;
    pub(crate) const RANK: u64 = 1 << 20;
    pub(crate) const OFFICE: u64 = 1 << 21;
    pub(crate) const EPITHET: u64 = 1 << 22;
    /// All above: a word of these is never put for a name in training.
    #[cfg(feature = "training")]
    pub(crate) const CUES: u64 = (1 << 23) - 1;
    pub(crate) const PARTICLE: u64 = 1 << 23;
    pub(crate) const HEAD: u64 = 1 << 24;
    pub(crate) const INSTITUTION: u64 = 1 << 25;
    pub(crate) const TRADE: u64 = 1 << 26;
    pub(crate) const OF_OFFICE: u64 = 1 << 27;
    pub(crate) const HOUSE: u64 = 1 << 28;
    pub(crate) const MAKE: u64 = 1 << 29;
    pub(crate) const MODEL: u64 = 1 << 30;
    pub(crate) const COLOUR: u64 = 1 << 31;
    pub(crate) const VEHICLE: u64 = 1 << 32;
}

/// The blocks of the lists: what each is for, and its words.
pub(crate) fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split('[').skip(1).filter_map(|block| block.split_once(']'))
}

fn bit_of(heading: &str) -> u64 {
    match heading.split(' ').next() {
        Some("given") => has::GIVEN,
        Some("surname") => has::SURNAME,
        Some("place") => has::PLACE,
        Some("code") => has::CODE,
        Some("people") => has::PEOPLE,
        Some("calendar") => has::CALENDAR,
        _ => 0,
    }
}

/// The words beside names that other finders know too.
const CUES: [(&[&str], u64); 26] = [
    (HONORIFICS, has::TITLE),
    (ROLES, has::ROLE),
    (KIN, has::KIN),
    (COMPANY_WORDS, has::COMPANY),
    (PLACE_WORDS, has::SITE),
    (DEEDS, has::DEED),
    (FIGURES, has::FIGURE),
    (TENS, has::TEN),
    (LETTERS, has::LETTER),
    (PUBLIC_BODIES, has::BODY),
    (CODE_WORDS, has::ANNOUNCES),
    (STREETS, has::STREET),
    (UNITS, has::UNIT),
    (RANKS, has::RANK),
    (OFFICES, has::OFFICE),
    (EPITHETS, has::EPITHET),
    (PARTICLES, has::PARTICLE),
    (HEADS, has::HEAD),
    (INSTITUTIONS, has::INSTITUTION),
    (TRADES, has::TRADE),
    (OF_OFFICES, has::OF_OFFICE),
    (HOUSES, has::HOUSE),
    (MAKES, has::MAKE),
    (MODELS, has::MODEL),
    (COLOURS, has::COLOUR),
    (VEHICLES, has::VEHICLE),
];

static LISTS: LazyLock<ByHash<u64>> = LazyLock::new(|| {
    let mut lists = ByHash::with_capacity_and_hasher(12_000, std::hash::BuildHasherDefault::default());
    let mut add = |word: &str, bit: u64| *lists.entry(hash(word.as_bytes())).or_default() |= bit;
    for (heading, words) in blocks() {
        let bit = bit_of(heading);
        words.split_ascii_whitespace().for_each(|word| add(word, bit));
    }
    for (words, bit) in CUES {
        words.iter().for_each(|word| add(word, bit));
    }
    lists
});

/// In which lists a word stands, by the hash of its small letters.
pub(crate) fn lists_of(hashed: u64) -> u64 {
    LISTS.get(&hashed).copied().unwrap_or(0)
}
