//! Copies of the marked texts: in capitals, in small letters, without punctuation, with other
//! names and other numbers, so that the tagger learns to do without what it may lack.

use super::super::gazetteer::{self, has, lists_of};
use super::super::looks::{hash, stir};
use super::{ANYTHING, NOTHING};
use crate::brief::cues::{HONORIFICS, PARTICLES, ROLES, listed};
use crate::brief::scan::MASKED;
use crate::brief::words::{Word, look_up, name_like, ordinary};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Chance that always falls the same way.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(stir(seed, 0x5EED))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        stir(stir(self.0, 3), 5)
    }

    /// A number below `end`.
    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, end: usize) -> usize {
        (self.draw() % end.max(1) as u64) as usize
    }

    /// Whether something of so many in a hundred happens.
    pub fn happens(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    /// Puts things in another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            things.swap(at, self.below(at + 1));
        }
    }
}

/// A part of a text, with the bits of the labels it may have, or none where nothing is marked.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// The labels' bits.
    pub label: Option<u8>,
}

/// A text with marks.
#[derive(Debug, Clone)]
pub struct Marked {
    /// Its parts in order.
    pub pieces: Vec<Piece>,
    /// The labels that what is not marked may have: more than [`NOTHING`] where the marking leaves types out.
    pub otherwise: u8,
    /// The words, in small letters and hashed, of which neither spelling nor lists may be seen.
    hidden: Vec<u64>,
}

/// How a copy differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    AsItIs,
    /// In small letters.
    Small,
    /// In capitals.
    Capitals,
    /// In small letters without punctuation, as dictated.
    Dictated,
    /// With the names alone in small letters.
    NamesSmall,
    /// With all that is marked taken out already.
    Masked,
}

const PERSON: u8 = 1 << 1;
const PLACE: u8 = 1 << 3;
const CODE: u8 = 1 << 5;

impl Marked {
    /// Of pieces.
    pub fn new(pieces: Vec<Piece>, otherwise: u8) -> Self {
        Self {
            pieces,
            otherwise,
            hidden: Vec::new(),
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Where the marks are, in code points.
    pub(crate) fn spans(&self) -> Vec<(std::ops::Range<usize>, u8)> {
        let mut at = 0;
        let mut spans = Vec::new();
        for piece in &self.pieces {
            let end = at + piece.text.chars().count();
            spans.extend(piece.label.map(|label| (at..end, label)));
            at = end;
        }
        spans
    }

    pub(crate) fn hides(&self, word: &str) -> bool {
        !self.hidden.is_empty() && self.hidden.binary_search(&hash(word.as_bytes())).is_ok()
    }

    /// A copy in another way. `swap`: with other names and numbers, and in notes `plain`ly written ordinary words
    /// for some of them.
    #[must_use]
    pub fn copy(&self, way: Way, swap: bool, plain: bool, chance: &mut Chance) -> Self {
        let mut copy = self.clone();
        if swap {
            copy.swap(plain, chance);
        }
        for piece in &mut copy.pieces {
            match way {
                Way::AsItIs => {}
                Way::Small => piece.text = piece.text.to_lowercase(),
                Way::NamesSmall if piece.label.is_some_and(|label| label & PERSON != 0) => {
                    piece.text = piece.text.to_lowercase()
                }
                Way::NamesSmall => {}
                Way::Capitals => piece.text = piece.text.to_uppercase(),
                Way::Dictated => piece.text = dictated(&piece.text, piece.label),
                Way::Masked if piece.label.is_some_and(|label| label & NOTHING == 0) => {
                    *piece = Piece {
                        text: MASKED.to_string(),
                        label: None,
                    };
                }
                Way::Masked => {}
            }
        }
        if way == Way::Masked {
            copy.otherwise = if self.otherwise == NOTHING {
                NOTHING
            } else {
                self.otherwise
            };
        }
        copy.hide(chance);
        copy
    }

    /// Chooses words that the tagger has to do without.
    fn hide(&mut self, chance: &mut Chance) {
        let mut hidden = BTreeMap::new();
        for piece in &self.pieces {
            let share = match piece.label {
                Some(label) if label & (PERSON | PLACE) != 0 => 35,
                Some(label) if label != ANYTHING => 12,
                _ => 4,
            };
            for word in piece
                .text
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
            {
                hidden
                    .entry(hash(word.to_lowercase().as_bytes()))
                    .or_insert_with(|| chance.happens(share));
            }
        }
        self.hidden = hidden
            .into_iter()
            .filter(|(_, hide)| *hide)
            .map(|(word, _)| word)
            .collect();
    }

    /// Puts other names for the persons, other words for half of the places, and other digits.
    fn swap(&mut self, plain: bool, chance: &mut Chance) {
        let origin = chance.below(1000);
        let mut given: BTreeMap<String, String> = BTreeMap::new();
        let small = !self.pieces.iter().any(|piece| piece.text.contains(char::is_uppercase));
        for piece in &mut self.pieces {
            match piece.label {
                Some(label) if label & PERSON != 0 => {
                    piece.text = with_other_words(&piece.text, small, &mut |word, first| {
                        let key = word.to_lowercase();
                        given
                            .entry(key)
                            .or_insert_with(|| name(origin, first, plain, chance))
                            .clone()
                    });
                }
                Some(label) if label == PLACE => {
                    piece.text = with_other_words(&piece.text, small, &mut |word, _| {
                        let known = listed(crate::brief::cues::PLACE_WORDS, &word.to_lowercase());
                        if known || word.chars().count() < 4 || look_up(&word.to_lowercase()) != Word::Unknown {
                            return word.to_owned();
                        }
                        given
                            .entry(word.to_lowercase())
                            .or_insert_with(|| match chance.below(4) {
                                0 => invented(chance),
                                1 => from_block("place", origin, chance),
                                _ => word.to_owned(),
                            })
                            .clone()
                    });
                }
                Some(label) if label & CODE != 0 => {
                    piece.text = other_digits(&piece.text, chance);
                    if plain && chance.happens(50) {
                        piece.text = with_plain_words(&piece.text, 100, chance);
                    }
                }
                // A word that was never seen is no name for that.
                None if plain => piece.text = with_plain_words(&piece.text, 12, chance),
                _ => {}
            }
        }
    }
}

/// Small letters, and without most punctuation; codes keep theirs half the time.
fn dictated(text: &str, label: Option<u8>) -> String {
    let code = label.is_some_and(|label| label & CODE != 0);
    let kept = |c: &char| {
        !matches!(
            c,
            '.' | ',' | ';' | ':' | '!' | '?' | '"' | '(' | ')' | '\u{201C}' | '\u{201D}'
        )
    };
    if code {
        return text.to_lowercase();
    }
    text.to_lowercase()
        .chars()
        .filter(kept)
        .map(|c| if c == '\n' { ' ' } else { c })
        .collect()
}

/// The text with some of its ordinary words in small letters replaced by others.
fn with_plain_words(text: &str, of_hundred: usize, chance: &mut Chance) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_alphabetic()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphabetic());
        let plain = word.len() >= 4
            && word.bytes().all(|b| b.is_ascii_lowercase())
            && !["s", "ed", "ing", "ly"].iter().any(|end| word.ends_with(end))
            && lists_of(hash(word.as_bytes())) & has::CUES == 0
            && look_up(word) == Word::Ordinary;
        if plain && chance.happens(of_hundred) {
            out.push_str(&plain_word(chance));
            out.push_str(&part[word.len()..]);
        } else {
            out.push_str(part);
        }
    }
    out
}

/// The text with each of its names replaced; titles, particles, initials and grammar stay.
fn with_other_words(text: &str, small: bool, other: &mut dyn FnMut(&str, bool) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        let length = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        if length == 0 {
            let end = rest.find(char::is_alphabetic).unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let word = &rest[..length];
        rest = &rest[length..];
        let lower = word.to_lowercase();
        let capital = word.starts_with(char::is_uppercase);
        let stays = word.chars().count() < 2
            || lower == "s" && out.ends_with(['\'', '’'])
            || !capital && !small
            || listed(HONORIFICS, &lower)
            || listed(PARTICLES, &lower) && !capital
            || listed(ROLES, &lower)
            || look_up(&lower) == Word::Function;
        if stays {
            out.push_str(word);
            continue;
        }
        let put = other(&lower, first);
        first = false;
        let shouted = word.chars().count() > 1 && word.chars().all(char::is_uppercase);
        match (shouted, capital) {
            (true, _) => out.push_str(&put.to_uppercase()),
            (false, true) => out.push_str(&capitalised(&put)),
            (false, false) => out.push_str(&put),
        }
    }
    out
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// A name: mostly from the lists of one origin, some of any, some invented, some a word.
fn name(origin: usize, first: bool, plain: bool, chance: &mut Chance) -> String {
    let heading = if first { "given" } else { "surname" };
    match chance.below(100) {
        0..15 => invented(chance),
        15..28 => {
            let words: Vec<&str> = name_like().collect();
            words[chance.below(words.len())].to_owned()
        }
        28..36 if plain => plain_word(chance),
        28..44 => from_block(heading, chance.below(1000), chance),
        _ => from_block(heading, origin, chance),
    }
}

/// Any ordinary word: as a nickname, a name or a code it can be anything.
fn plain_word(chance: &mut Chance) -> String {
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| ordinary().collect());
    WORDS[chance.below(WORDS.len())].to_owned()
}

/// A word of one of the blocks with a heading.
fn from_block(heading: &str, origin: usize, chance: &mut Chance) -> String {
    let blocks: Vec<&str> = gazetteer::blocks()
        .filter(|(head, _)| head.starts_with(heading))
        .map(|(_, words)| words)
        .collect();
    let words: Vec<&str> = blocks
        .get(origin % blocks.len().max(1))
        .map_or(Vec::new(), |block| block.split_ascii_whitespace().collect());
    words
        .get(chance.below(words.len()))
        .map_or_else(|| invented(chance), |word| (*word).to_owned())
}

/// A word that is no word.
fn invented(chance: &mut Chance) -> String {
    const STARTS: [&str; 30] = [
        "b", "br", "d", "dr", "f", "g", "h", "j", "k", "kr", "l", "m", "n", "p", "r", "s", "sh", "t", "tr", "v", "w",
        "y", "z", "th", "st", "", "", "ch", "kh", "ng",
    ];
    const MIDDLES: [&str; 14] = [
        "a", "e", "i", "o", "u", "a", "e", "i", "o", "ai", "ei", "ou", "ia", "aa",
    ];
    const ENDS: [&str; 22] = [
        "", "", "", "", "n", "r", "s", "l", "m", "k", "v", "sk", "nd", "rt", "ck", "sen", "ova", "ez", "ic", "ian",
        "ski", "dottir",
    ];
    let mut word = String::new();
    for _ in 0..2 + chance.below(2) {
        word.push_str(STARTS[chance.below(STARTS.len())]);
        word.push_str(MIDDLES[chance.below(MIDDLES.len())]);
    }
    word.push_str(ENDS[chance.below(ENDS.len())]);
    word
}

fn other_digits(text: &str, chance: &mut Chance) -> String {
    let letters = chance.happens(50);
    let mut word = false;
    let mut out = String::new();
    for c in text.chars() {
        let put = match c {
            '1'..='9' => char::from_digit(1 + u32::try_from(chance.below(9)).unwrap_or(0), 10).unwrap_or(c),
            'A'..='Z' if letters && !word && text.contains(|c: char| c.is_ascii_digit()) => {
                char::from(b'A' + u8::try_from(chance.below(26)).unwrap_or(0))
            }
            c => c,
        };
        word = c.is_lowercase();
        out.push(put);
    }
    out
}
