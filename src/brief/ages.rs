//! Ages of ninety and over without a word for years: `she is ninety-four`, `her mother, 94, came`.

use super::finding::{Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::tagger::has;
use super::words::Word;

/// What may stand between somebody's name and how old they are, beside `is`.
const NEARLY: [&str; 9] = [
    "about", "almost", "already", "just", "nearly", "now", "over", "past", "still",
];

/// What goes on after an age; anything else may be what is counted.
const GOES_ON: [&str; 19] = [
    "although", "and", "as", "at", "but", "in", "last", "next", "now", "on", "or", "since", "so", "this", "today",
    "when", "while", "who", "with",
];

/// Ages of ninety and over that somebody is said to have.
pub(crate) fn oldest(text: &Prepared, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    for at in 0..tokens.len() {
        let Some((from, to)) = age_at(text, at) else { continue };
        let (start, end) = (tokens[from].at.start, tokens[to - 1].at.end);
        let behind = &text.folded[end..];
        let next = tokens.get(to).map_or("", |next| text.lower_of(next));
        let closed =
            !behind.starts_with([' ', '-', '/', '%', '\'']) && !behind.starts_with(|c: char| c.is_alphanumeric());
        let decimal = behind.starts_with(['.', ',', ':']) && behind[1..].starts_with(|c: char| c.is_ascii_digit());
        if (closed && !decimal || behind.starts_with(' ') && GOES_ON.contains(&next)) && is_said(text, from, behind) {
            found.push(Finding::new(start..end, Kind::Age, Weight::Form));
        }
    }
}

/// The words of a number from 90 to 129 that begins at a word.
fn age_at(text: &Prepared, at: usize) -> Option<(usize, usize)> {
    let tokens = &text.tokens;
    let word = |at: usize| tokens.get(at).map_or("", |token| text.lower_of(token));
    let joined = |at: usize| {
        tokens
            .get(at + 1)
            .is_some_and(|next| matches!(text.between(&tokens[at], next), " " | "-"))
    };
    let figure = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|token| token.lists & (has::FIGURE | has::TEN) != 0)
    };
    match word(at) {
        "ninety" => Some((at, at + 1 + usize::from(joined(at) && figure(at + 1)))),
        "hundred" if at > 0 && joined(at - 1) && matches!(word(at - 1), "a" | "one") => {
            let more = joined(at) && joined(at + 1) && word(at + 1) == "and" && figure(at + 2);
            Some((at - 1, at + 1 + 2 * usize::from(more)))
        }
        number if tokens[at].digit => {
            let age = number.parse::<u32>().ok().filter(|age| (90..130).contains(age));
            age.map(|_| (at, at + 1))
        }
        _ => None,
    }
}

/// Whether what stands before a number makes of it how old somebody is.
fn is_said(text: &Prepared, from: usize, behind: &str) -> bool {
    let tokens = &text.tokens;
    let mut at = from;
    // Behind a comma on both sides: `her mother, 94, came`.
    let gap = |at: usize| {
        at.checked_sub(1).map(|before| {
            text.folded
                .get(tokens[before].at.end..tokens[at].at.start)
                .unwrap_or("")
        })
    };
    if gap(at) == Some(", ") && behind.starts_with(',') {
        return is_somebody(text, at - 1);
    }
    while at > 0 && gap(at) == Some(" ") && NEARLY.contains(&text.lower_of(&tokens[at - 1])) {
        at -= 1;
    }
    let Some(before) = at.checked_sub(1) else { return false };
    match (gap(at), text.lower_of(&tokens[before])) {
        // `she's`
        (Some("'s "), _) => is_somebody(text, before),
        (Some(" "), "turned" | "turns" | "turning" | "reached") => true,
        (Some(" "), "is" | "was" | "be") => {
            gap(before) == Some(" ") && is_somebody(text, before - 1)
                || gap(before) == Some(" will ")
                || gap(before) == Some(" ")
                    && before > 1
                    && matches!(text.lower_of(&tokens[before - 1]), "will" | "would")
                    && is_somebody(text, before - 2)
        }
        _ => false,
    }
}

fn is_somebody(text: &Prepared, at: usize) -> bool {
    let token: &Token = &text.tokens[at];
    let pronoun = matches!(text.lower_of(token), "he" | "i" | "she" | "who" | "you");
    let named = token.capital && !token.digit && matches!(token.word, Word::Unknown | Word::NameLike);
    pronoun || named || token.lists & (has::KIN | has::ROLE | has::PEOPLE) != 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let text = Prepared::new(text).unwrap();
        let mut all = Vec::new();
        oldest(&text, &mut all);
        all.into_iter().map(|age| text.folded[age.at].to_owned()).collect()
    }

    #[test]
    fn who_is_ninety_is_found_without_a_word_for_years() {
        for (text, age) in [
            ("She is ninety-four.", "ninety-four"),
            ("He's 91 and lives alone.", "91"),
            ("Azra was nearly ninety when she came", "ninety"),
            ("The client is now a hundred and two.", "a hundred and two"),
            ("her mother, 94, came", "94"),
            ("who turned ninety today", "ninety"),
            ("She will be ninety-one next week.", "ninety-one"),
        ] {
            assert_eq!(found(text), [age], "{text}");
        }
        for plain in [
            "It is ninety miles. He is ninety miles away and she is 94 metres from it.",
            "The limit is ninety. Room 94, 95, is free; the bill was 98.50.",
            "She is 52. He is 91% sure. They took 94, and a hundred of them came.",
        ] {
            assert_eq!(found(plain), Vec::<String>::new(), "{plain}");
        }
    }

    #[test]
    fn lists_are_sorted() {
        assert!(NEARLY.is_sorted() && GOES_ON.is_sorted());
    }
}
