//! Placeholders: typed, uniform, numbered by first appearance in one text and by nothing else,
//! so that they say nothing of the value and two briefs cannot be joined by them.

use super::cues::{EPITHETS, HONORIFICS, RANKS, listed};
use super::finding::Kind;
use super::prepared::Prepared;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

/// The placeholders of one text.
pub(crate) struct Placeholders {
    /// Placeholder-like words the text has of its own.
    taken: BTreeSet<String>,
    given: BTreeMap<(&'static str, String), String>,
    next: BTreeMap<&'static str, usize>,
    /// Of names: each part with the one full name that has it; `None` when several do.
    full: BTreeMap<String, Option<String>>,
}

impl Placeholders {
    /// For a text and the values that will be replaced in it.
    pub(crate) fn new<'v>(text: &str, values: impl Iterator<Item = (Kind, &'v str)>) -> Self {
        let taken = LOOK
            .iter()
            .flat_map(|look| look.find_iter(text))
            .map(|m| m.as_str().to_owned())
            .collect();
        let mut full: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (kind, value) in values.filter(|(kind, _)| kind.stem() == Kind::Person.stem()) {
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
            taken,
            given: BTreeMap::new(),
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
        let next = self.next.entry(stem).or_default();
        let placeholder = loop {
            *next += 1;
            let index = if kind.lettered() {
                letters(*next)
            } else {
                next.to_string()
            };
            let placeholder = format!("{stem} {index}");
            if !self.taken.contains(&placeholder) {
                break placeholder;
            }
        };
        self.given.insert((stem, key), placeholder.clone());
        placeholder
    }
}

/// What makes two values the same: their folded words, or for numbers their letters and digits.
fn key_of(kind: Kind, value: &str) -> String {
    let Ok(prepared) = Prepared::new(value) else {
        return value.to_owned();
    };
    let all = || prepared.tokens.iter().map(|token| prepared.lower_of(token));
    // Titles are no part of a name.
    let named: Vec<&str> = all().filter(|word| !(kind.lettered() && is_title(word))).collect();
    let words = if named.is_empty() { all().collect() } else { named };
    words.join(if kind.lettered() { " " } else { "" })
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

/// A vaguer wording of a day or a time, when its form says which; `None` otherwise.
pub(crate) fn generalise(kind: Kind, value: &str) -> Option<String> {
    match kind {
        Kind::Date => month_of(value),
        Kind::Time => part_of_day(value),
        _ => None,
    }
}

/// Whether a value is as vague already as it would be made.
pub(crate) fn is_general(kind: Kind, value: &str) -> bool {
    generalise(kind, value).is_some_and(|vague| vague == value)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn month_of(value: &str) -> Option<String> {
    let parts: Vec<&str> = value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    let year = parts
        .iter()
        .copied()
        .find(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit()));
    let named = parts.iter().find_map(|part| {
        let part = part.to_ascii_lowercase();
        let same = |month: &&&str| {
            part.len() >= 3 && part.is_char_boundary(3) && month.to_ascii_lowercase().starts_with(&part[..3])
        };
        MONTHS
            .iter()
            .find(same)
            .filter(|_| part.bytes().all(|b| b.is_ascii_alphabetic()))
    });
    // Of figures alone only year, month, day is certain; 03/04/2026 is March or April.
    let figures = || {
        let month: usize = parts.get(1)?.parse().ok()?;
        (parts.first()?.len() == 4 && value.contains('-'))
            .then(|| MONTHS.get(month.checked_sub(1)?))
            .flatten()
    };
    let month = named.or_else(figures);
    match (month, year) {
        (Some(month), Some(year)) => Some(format!("{month} {year}")),
        (Some(month), None) => Some((*month).to_owned()),
        // A year alone would be a number like any other.
        (None, _) => None,
    }
}

fn part_of_day(value: &str) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    let figures: String = lower.chars().take_while(|c| c.is_ascii_digit()).collect();
    let hour: u32 = match figures.len() {
        3 | 4 => figures.get(..figures.len() - 2)?.parse().ok()?,
        _ => figures.parse().ok()?,
    };
    let hour = match (lower.contains('p') && lower.contains('m'), hour) {
        (true, 1..=11) => hour + 12,
        (false, 12) if lower.contains('a') => 0,
        (_, hour) => hour,
    };
    let part = match hour {
        5..=11 => "morning",
        12..=17 => "afternoon",
        18..=22 => "evening",
        23 | 24 | 0..=4 => "night",
        _ => return None,
    };
    Some(part.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_and_times_become_vague() {
        for (day, month) in [
            ("2026-03-17", "March 2026"),
            ("3 Mar 2026", "March 2026"),
            ("June 5", "June"),
        ] {
            assert_eq!(generalise(Kind::Date, day).as_deref(), Some(month));
        }
        for (time, part) in [
            ("0847 hrs", "morning"),
            ("9 pm", "evening"),
            ("14:30", "afternoon"),
            ("12.10 am", "night"),
        ] {
            assert_eq!(generalise(Kind::Time, time).as_deref(), Some(part));
        }
        assert_eq!(generalise(Kind::Date, "03/04/2026"), None);
    }

    #[test]
    fn a_part_of_one_name_shares_its_placeholder() {
        let values = [
            (Kind::Person, "Azra Okonkwo"),
            (Kind::Person, "okonkwo"),
            (Kind::Person, "Tove Lindqvist"),
        ];
        let mut places = Placeholders::new("", values.into_iter());
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
        let mut places = Placeholders::new("Person A left", std::iter::empty());
        assert_eq!(places.place(Kind::Person, "Azra"), "Person B");
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
