//! What in a text that is already written may not leave.

use super::finding::Kind;
use super::known::Known;
use super::placeholder::{find_series, is_placeholder};
use super::prepared::{Prepared, without_masks};
use super::profile::Profile;
use super::redact::{Refused, Span, merge, model};
use super::scan::{Judged, Scan};
use super::tagger::Memory;
use aho_corasick::AhoCorasick;
use std::ops::Range;

/// A part of a text that may not leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leak {
    /// Its first code point.
    pub start: usize,
    /// The code point after its last.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// What in a text may not leave, for a brief that is already written. Placeholders pass: a
/// placeholder counts as one if its series has no gap (`Person B` needs a `Person A`).
pub fn check(text: &str, profile: &Profile, known: &Known) -> Result<Vec<Leak>, Refused> {
    check_placed(text, profile, known, &[], Judged::Never)
}

/// The same for a text of which it is known what was put into it, as [`Redaction::placed`](super::Redaction::placed): of
/// that nothing counts but what is known to identify somebody.
pub fn check_placed(
    text: &str,
    profile: &Profile,
    known: &Known,
    placed: &[String],
    judged: Judged,
) -> Result<Vec<Leak>, Refused> {
    let text = &*without_masks(text);
    let before = Prepared::new(text)?;
    let chars: Vec<char> = text.chars().collect();
    let span = |at: Range<usize>| Span {
        start: at.start,
        end: at.end,
        kind: Kind::Other,
    };
    let series = find_series(&chars).into_iter().map(span);
    let (holders, vague): (Vec<_>, Vec<_>) = placed.iter().map(String::as_str).partition(|text| is_placeholder(text));
    let holders = places_of(text, &holders).into_iter().map(span);
    let vague = places_of(text, &vague).into_iter().map(span);
    let holders = merge(Vec::new(), series.chain(holders).collect());
    let told = merge(holders.clone(), vague.collect());
    let mut left =
        Scan::new(&chars, &told).residue(profile, known, model()?, &before, judged, &mut Memory::default())?;
    if told != holders {
        left.extend(Scan::new(&chars, &holders).known(known)?);
    }
    let leaks = merge(Vec::new(), left).into_iter();
    Ok(leaks
        .map(|span| Leak {
            start: span.start,
            end: span.end,
            kind: span.kind,
        })
        .collect())
}

/// Where a text has words or phrases whole, in code points, by where they end. In one pass: a brief has as many phrases
/// as were put into it.
fn places_of(text: &str, phrases: &[&str]) -> Vec<Range<usize>> {
    let phrases: Vec<&str> = phrases.iter().copied().filter(|phrase| !phrase.is_empty()).collect();
    // Where they cannot be looked for none is told, and what they are counts as what it looks like.
    let Ok(automaton) = AhoCorasick::new(&phrases) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    // Of each phrase: where it was found last. No two places of the same one overlap.
    let mut last = vec![0; phrases.len()];
    // The end of the last place, in bytes and in code points.
    let (mut byte, mut point) = (0, 0);
    for hit in automaton.find_overlapping_iter(text) {
        let Some(last) = last
            .get_mut(hit.pattern().as_usize())
            .filter(|last| **last <= hit.start())
        else {
            continue;
        };
        *last = hit.end();
        let before = text[..hit.start()].chars().next_back();
        let after = text[hit.end()..].chars().next();
        if [before, after].into_iter().flatten().any(char::is_alphanumeric) {
            continue;
        }
        point += text[byte..hit.end()].chars().count();
        byte = hit.end();
        places.push(point - text[hit.range()].chars().count()..point);
    }
    places
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::brief::shipped;
    use proptest::prelude::*;

    /// Phrase by phrase, counted from the start each time.
    fn plainly(text: &str, phrases: &[&str]) -> Vec<Range<usize>> {
        let whole = |at: usize, phrase: &str| {
            let before = text[..at].chars().next_back();
            let after = text[at + phrase.len()..].chars().next();
            ![before, after].into_iter().flatten().any(char::is_alphanumeric)
        };
        let of = |phrase: &&str| {
            let places = text.match_indices(*phrase).filter(|(at, phrase)| whole(*at, phrase));
            let points = |(at, phrase): (usize, &str)| {
                let start = text[..at].chars().count();
                start..start + phrase.chars().count()
            };
            places.map(points).collect::<Vec<_>>()
        };
        phrases
            .iter()
            .filter(|phrase| !phrase.is_empty())
            .flat_map(of)
            .collect()
    }

    proptest! {
        #[test]
        fn places_are_those_of_each_phrase(
            text in "[aé .]{0,24}",
            phrases in proptest::collection::vec("[aé .]{0,4}", 0..6),
        ) {
            let phrases: Vec<&str> = phrases.iter().map(String::as_str).collect();
            let sorted = |mut places: Vec<Range<usize>>| {
                places.sort_by_key(|at| (at.start, at.end));
                places
            };
            prop_assert_eq!(sorted(places_of(&text, &phrases)), sorted(plainly(&text, &phrases)));
        }
    }

    /// Looked for one by one, they take minutes.
    #[test]
    fn many_phrases_in_a_long_text_take_one_pass() {
        let phrases: Vec<String> = (1..40_000).map(|index| format!("Person {index}")).collect();
        let phrases: Vec<&str> = phrases.iter().map(String::as_str).collect();
        let text = phrases.join(". ");
        let started = std::time::Instant::now();
        assert_eq!(places_of(&text, &phrases).len(), phrases.len());
        assert!(started.elapsed().as_secs() < 20);
    }

    #[test]
    fn a_mark_at_the_head_of_a_text_hides_no_name() {
        let profile = |name| crate::brief::Profile::parse(shipped(name).unwrap()).unwrap();
        let placed = ["TLP:GREEN".to_owned()];
        let name = |text: &str| {
            let start = text.find("jack").unwrap();
            (start, start + "jack".len())
        };
        for profile in ["no-names", "tlp-green"].map(profile) {
            let text = "TLP:GREEN\n\ngave it to jack last night.";
            let leaks = check_placed(text, &profile, &Known::nothing(), &placed, Judged::Never).unwrap();
            assert!(
                leaks.iter().any(|leak| (leak.start, leak.end) == name(text)),
                "{leaks:?}"
            );
        }
    }
}
