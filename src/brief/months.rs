//! Months that are also given names: `June` after `to` may be somebody.

use super::finding::{Finding, Kind};
use super::prepared::{Prepared, Token};
use super::tagger::has;
use std::ops::Range;

/// What stands before a month and hardly ever before a person.
const TIMES: [&str; 29] = [
    "a",
    "during",
    "each",
    "early",
    "every",
    "her",
    "his",
    "in",
    "its",
    "last",
    "late",
    "mid",
    "my",
    "next",
    "our",
    "past",
    "previous",
    "since",
    "that",
    "the",
    "their",
    "this",
    "throughout",
    "till",
    "until",
    "whole",
    "within",
    "year",
    "your",
];

/// What stands before `of` a month.
const PARTS: [&str; 17] = [
    "all",
    "beginning",
    "close",
    "days",
    "end",
    "first",
    "half",
    "last",
    "middle",
    "month",
    "most",
    "part",
    "rest",
    "second",
    "start",
    "week",
    "weeks",
];

/// Months that may be persons where they stand, each with whether it stands more likely for one: after `by`, `before` and
/// `after` it is a month more often.
pub(crate) fn called(text: &Prepared) -> Vec<(Range<usize>, bool)> {
    let tokens = &text.tokens;
    let mut called = Vec::new();
    // Whether the month at a place is one, for those that stand before.
    let mut shown: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| is_month(text, token)) {
        if !is_given(text, token) || is_shown(text, at, &shown) {
            shown.push(at);
        } else if !token.first && !token.shouted {
            let before = before(text, at).map_or("", |before| text.lower_of(&tokens[before]));
            called.push((token.at.clone(), !matches!(before, "after" | "before" | "by" | "on")));
        }
    }
    called
}

/// The same as doubts.
pub(crate) fn doubts(text: &Prepared) -> impl Iterator<Item = Finding> {
    let called = called(text).into_iter();
    called.map(|(at, _)| Finding::doubt(at, Kind::Person, "a month that is also a name"))
}

fn is_month(text: &Prepared, token: &Token) -> bool {
    let word = text.lower_of(token);
    token.capital
        && token.lists & has::CALENDAR != 0
        && matches!(
            word,
            "january"
                | "february"
                | "march"
                | "april"
                | "may"
                | "june"
                | "july"
                | "august"
                | "september"
                | "october"
                | "november"
                | "december"
        )
}

fn is_given(text: &Prepared, token: &Token) -> bool {
    matches!(text.lower_of(token), "april" | "august" | "may" | "june")
}

/// The word before, with only a space or hyphen between.
fn before(text: &Prepared, at: usize) -> Option<usize> {
    let before = at.checked_sub(1)?;
    matches!(text.between(&text.tokens[before], &text.tokens[at]), " " | "-" | "\n").then_some(before)
}

/// Whether what stands around a month shows that it is one: a day, a year, another month of the same range or list.
fn is_shown(text: &Prepared, at: usize, shown: &[usize]) -> bool {
    let tokens = &text.tokens;
    let word = |at: usize| tokens.get(at).map_or("", |token| text.lower_of(token));
    let gap = |at: usize| tokens.get(at + 1).map_or("", |next| text.between(&tokens[at], next));
    let month = |at: usize| tokens.get(at).is_some_and(|token| is_month(text, token));
    let figure = |at: usize| tokens.get(at).is_some_and(|token| token.digit);
    let first = before(text, at);
    let said = first.map_or("", word);
    // A day or a year beside it.
    let dated = figure(at + 1) && matches!(gap(at), " " | ", " | " '" | "-" | "/")
        || first.is_some_and(figure)
        || said == "of"
            && first
                .and_then(|of| before(text, of))
                .is_some_and(|part| figure(part) || PARTS.contains(&word(part)));
    let behind = matches!(word(at + 1), "on" | "onward" | "onwards") && said == "from" && gap(at) == " ";
    // `from May to September`, `between April and June`, `May-June`.
    let to = |at: usize| matches!(word(at), "through" | "till" | "to" | "until");
    let range = gap(at) == " "
        && (said == "from" && to(at + 1) && (at + 2..at + 5).any(|next| month(next) || figure(next))
            || said == "between" && word(at + 1) == "and" && month(at + 2));
    let listed = matches!(gap(at), "-" | "/") && month(at + 1)
        || gap(at) == " "
            && matches!(word(at + 1), "and" | "or" | "to" | "until")
            && tokens
                .get(at + 2)
                .is_some_and(|next| is_month(text, next) && !is_given(text, next));
    // The one before it in the same range or list.
    let last = shown.last().copied();
    let follows = last.is_some_and(|last| {
        let near = last + 1 == at && matches!(gap(last), ", " | "-" | "/" | ",");
        let linked = first.is_some_and(|link| to(link) || matches!(word(link), "and" | "or" | "-"));
        let between = text.folded.get(tokens[last].at.end..tokens[at].at.start).unwrap_or("");
        near || linked && at - last <= 4 && !between.contains(['.', '!', '?', ';'])
    });
    TIMES.contains(&said) || dated || behind || range || listed || follows
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let text = Prepared::new(text).unwrap();
        let all = called(&text).into_iter();
        all.map(|(at, _)| text.folded[at].to_owned()).collect()
    }

    #[test]
    fn months_after_words_that_take_a_person_may_be_persons() {
        for (text, names) in [
            ("Spoke to June about the keys.", &["June"][..]),
            ("Then a call from April, who was with May.", &["April", "May"]),
            ("We had word from June and April that it is late.", &["June", "April"]),
            ("Thanks to May, nothing was lost, and August knows.", &["May", "August"]),
            ("Give 3 keys to June or leave it by May.", &["June", "May"]),
        ] {
            assert_eq!(found(text), names, "{text}");
        }
        for months in [
            "It is shut from May to September, in June, and since April.",
            "Between April and June and from June to April it is shut.",
            "From 3 March to June, from May onwards, May-June, April/May, by May 2026, to 3 June.",
            "In April, May and June; from early May, last April, the end of June, the 3rd of May.",
            "To January, of March and from July and June.",
            "We may go to may; MAY WE GO TO JUNE",
        ] {
            assert_eq!(found(months), Vec::<String>::new(), "{months}");
        }
    }

    #[test]
    fn lists_are_sorted() {
        assert!(TIMES.is_sorted() && PARTS.is_sorted());
    }
}
