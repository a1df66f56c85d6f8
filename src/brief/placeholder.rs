//! Placeholders: typed, uniform, numbered by first appearance in one text and by nothing else,
//! so that they say nothing of the value and two briefs cannot be joined by them.

use super::cues::{EPITHETS, HONORIFICS, RANKS, listed};
use super::finding::Kind;
use super::prepared::plain_words;
use crate::crypto::mac;
use crate::secret::Secret;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

/// How placeholders are numbered.
#[derive(Clone, Copy, Default)]
pub enum Naming<'a> {
    /// By first appearance in one text: two briefs cannot be joined by them.
    #[default]
    InOrder,
    /// By what a key makes of the value, so that all texts under that key say the same of it.
    Keyed {
        /// The key: without it nobody can try values.
        key: &'a Secret<32>,
        /// The full names that are known, so that a part of one is given that name's placeholder.
        names: &'a [String],
    },
}

/// The placeholders of one text.
pub(crate) struct Placeholders<'a> {
    naming: Naming<'a>,
    text: &'a str,
    /// Placeholder-like words the text has of its own.
    taken: BTreeSet<String>,
    given: BTreeMap<(&'static str, String), String>,
    used: BTreeSet<String>,
    next: BTreeMap<&'static str, usize>,
    /// Of names: each part with the one full name that has it; `None` when several do.
    full: BTreeMap<String, Option<String>>,
}

impl<'a> Placeholders<'a> {
    /// For a text and the values that will be replaced in it.
    pub(crate) fn new<'v>(text: &'a str, naming: Naming<'a>, values: impl Iterator<Item = (Kind, &'v str)>) -> Self
    where
        'a: 'v,
    {
        let taken = LOOK
            .iter()
            .flat_map(|look| look.find_iter(text))
            .map(|m| m.as_str().to_owned())
            .collect();
        let mut full: BTreeMap<String, Option<String>> = BTreeMap::new();
        let names: &[String] = match naming {
            Naming::InOrder => &[],
            Naming::Keyed { names, .. } => names,
        };
        let known = names.iter().map(|name| (Kind::Person, name.as_str()));
        let people = known.chain(values.filter(|(kind, _)| kind.stem() == Kind::Person.stem()));
        for (kind, value) in people {
            let key = key_of(kind, value);
            let parts: Vec<&str> = key.split(' ').collect();
            if parts.len() < 2 {
                continue;
            }
            for part in parts {
                let entry = full.entry(part.to_owned()).or_insert_with(|| Some(key.clone()));
                if entry.as_ref().is_some_and(|known| *known != key) {
                    *entry = None;
                }
            }
        }
        Self {
            naming,
            text,
            taken,
            given: BTreeMap::new(),
            used: BTreeSet::new(),
            next: BTreeMap::new(),
            full,
        }
    }

    /// The placeholder of a value; the same value gets the same one, and a part of exactly one
    /// full name gets that name's.
    pub(crate) fn place(&mut self, kind: Kind, value: &str) -> String {
        let mut key = key_of(kind, value);
        if kind.stem() == Kind::Person.stem()
            && let Some(Some(full)) = self.full.get(&key)
        {
            key.clone_from(full);
        }
        let stem = kind.stem();
        if let Some(given) = self.given.get(&(stem, key.clone())) {
            return given.clone();
        }
        let placeholder = match self.naming {
            Naming::InOrder => self.in_order(kind),
            Naming::Keyed { key: secret, .. } => self.keyed(secret, stem, &key),
        };
        self.used.insert(placeholder.clone());
        self.given.insert((stem, key), placeholder.clone());
        placeholder
    }

    fn in_order(&mut self, kind: Kind) -> String {
        let stem = kind.stem();
        let next = self.next.entry(stem).or_default();
        loop {
            *next += 1;
            let index = if kind.lettered() {
                letters(*next)
            } else {
                next.to_string()
            };
            let placeholder = format!("{stem} {index}");
            if !self.taken.contains(&placeholder) {
                return placeholder;
            }
        }
    }

    /// Four letters that spell nothing. Two values that the key gives the same are told apart in this text.
    fn keyed(&self, secret: &Secret<32>, stem: &str, key: &str) -> String {
        const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
        let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
        let mut again = 0_u32;
        loop {
            let message = [stem.as_bytes(), b"\0", key.as_bytes(), b"\0", &again.to_be_bytes()].concat();
            let tag: String = mac(secret, &message).iter().take(4).map(letter).collect();
            let placeholder = format!("{stem} {tag}");
            if !self.used.contains(&placeholder) && !self.text.contains(&placeholder) {
                return placeholder;
            }
            again += 1;
        }
    }
}

/// Whether a text is a placeholder by its look.
pub(crate) fn is_placeholder(text: &str) -> bool {
    text.split_once(' ')
        .is_some_and(|(stem, _)| Kind::STEMS.contains(&stem))
}

/// What makes two values the same: their folded words, or for numbers their letters and digits.
fn key_of(kind: Kind, value: &str) -> String {
    let Ok(all) = plain_words(value) else {
        return value.to_owned();
    };
    // Titles are no part of a name.
    let named: Vec<&String> = all.iter().filter(|word| !(kind.lettered() && is_title(word))).collect();
    let between = if kind.lettered() { " " } else { "" };
    if named.is_empty() {
        return all.join(between);
    }
    let named: Vec<&str> = named.into_iter().map(String::as_str).collect();
    named.join(between)
}

fn is_title(word: &str) -> bool {
    listed(HONORIFICS, word) || listed(RANKS, word) || listed(EPITHETS, word)
}

/// 1 is A, 26 is Z, 27 is AA.
fn letters(mut number: usize) -> String {
    let mut reversed = Vec::new();
    while number > 0 {
        number -= 1;
        reversed.push(char::from(b'A' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
    }
    reversed.iter().rev().collect()
}

static LOOK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"({}) ([A-Z]{{1,3}}|[1-9][0-9]{{0,3}})",
        Kind::STEMS.join("|")
    ))
    .ok()
});

/// Where a text has placeholders, in code points: only series without a gap count, so that a
/// value that looks like one is not taken for one.
pub(crate) fn find_series(chars: &[char]) -> Vec<Range<usize>> {
    let text: String = chars.iter().collect();
    let Some(look) = LOOK.as_ref() else {
        return Vec::new();
    };
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let all: Vec<(&str, &str, Range<usize>)> = look
        .captures_iter(&text)
        .filter_map(|captures| {
            let (stem, index) = (captures.get(1)?, captures.get(2)?);
            let before = text[..stem.start()].chars().next_back();
            let after = text[index.end()..].chars().next();
            if [before, after].into_iter().flatten().any(char::is_alphanumeric) {
                return None;
            }
            Some((stem.as_str(), index.as_str(), captures.get(0)?.range()))
        })
        .collect();
    for (stem, index, _) in &all {
        seen.entry(stem).or_default().insert(index);
    }
    // How far each series goes without a gap.
    let unbroken: BTreeMap<&str, BTreeSet<String>> = seen
        .iter()
        .map(|(stem, indices)| {
            let series = |index_of: fn(usize) -> String| {
                (1..)
                    .map(index_of)
                    .take_while(|index| indices.contains(index.as_str()))
                    .collect::<Vec<_>>()
            };
            (
                *stem,
                series(letters).into_iter().chain(series(|n| n.to_string())).collect(),
            )
        })
        .collect();
    let mut ranges = Vec::new();
    let (mut byte, mut point) = (0, 0);
    for (stem, index, at) in all {
        if unbroken.get(stem).is_some_and(|series| series.contains(index)) {
            let start = point + text[byte..at.start].chars().count();
            ranges.push(start..start + at.len());
            (byte, point) = (at.end, start + at.len());
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_part_of_one_name_shares_its_placeholder() {
        let values = [
            (Kind::Person, "Azra Okonkwo"),
            (Kind::Person, "okonkwo"),
            (Kind::Person, "Tove Lindqvist"),
        ];
        let mut places = Placeholders::new("", Naming::InOrder, values.into_iter());
        assert_eq!(places.place(Kind::Person, "Azra Okonkwo"), "Person A");
        assert_eq!(places.place(Kind::Person, "Tove Lindqvist"), "Person B");
        assert_eq!(places.place(Kind::Person, "okonkwo"), "Person A");
        assert_eq!(
            places.place(Kind::Vehicle, "AB12 CDE"),
            places.place(Kind::Vehicle, "ab12cde")
        );
    }

    #[test]
    fn a_placeholder_the_text_already_has_is_not_given_twice() {
        let mut places = Placeholders::new("Person A left", Naming::InOrder, std::iter::empty());
        assert_eq!(places.place(Kind::Person, "Azra"), "Person B");
    }

    #[test]
    fn under_a_key_a_value_has_one_placeholder_everywhere() {
        let (one, other) = (
            Secret::copy_from(&[1; 32]).unwrap(),
            Secret::copy_from(&[2; 32]).unwrap(),
        );
        let names = vec!["Azra Okonkwo".to_owned()];
        let place = |key, text: &str, value| {
            let naming = Naming::Keyed { key, names: &names };
            Placeholders::new(text, naming, std::iter::empty()).place(Kind::Person, value)
        };
        let placeholder = place(&one, "", "Azra Okonkwo");
        assert!(
            is_placeholder(&placeholder) && placeholder.len() == "Person ".len() + 4,
            "{placeholder}"
        );
        assert_eq!(place(&one, "any text", "AZRA OKONKWO"), placeholder);
        assert_eq!(place(&one, "", "okonkwo"), placeholder);
        assert_ne!(place(&other, "", "Azra Okonkwo"), placeholder);
        assert_ne!(place(&one, "", "Tove Lindqvist"), placeholder);
        assert_ne!(place(&one, &placeholder, "Azra Okonkwo"), placeholder);
    }

    #[test]
    fn only_unbroken_series_are_placeholders() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(
            find_series(&chars("é Person A met Person B, Code 1")),
            [2..10, 15..23, 25..31]
        );
        assert!(find_series(&chars("Code 4417 and Person B")).is_empty());
    }

    proptest! {
        #[test]
        fn letters_count_without_repeating(one in 1usize..2000, other in 1usize..2000) {
            prop_assert_eq!(letters(one) == letters(other), one == other);
        }
    }
}
