//! What stands where a name might and is none: makes of cars, a time in words, `at dawn`. It comes after the tagger
//! and speaks against a guess alone, never against what has a form or what the vault knows.

use super::finding::{Finding, Kind};
use super::prepared::{Prepared, Token};
use super::tagger::has;
use std::ops::Range;

/// The words of times of day, and times that `kept` has but for what is written together with them: `six o'clock`,
/// `half past nine`, `18:00hrs`.
pub(crate) fn times(text: &Prepared, kept: &[Finding]) -> Vec<Range<usize>> {
    let tokens = &text.tokens;
    let joined = |at: usize| is_joined(text, at);
    let hour = |at: usize| {
        let said = |token: &Token| token.lists & (has::FIGURE | has::TEN) != 0;
        tokens
            .get(at)
            .is_some_and(|token| token.digit && token.at.len() <= 2 || said(token))
    };
    let word = |at: usize| tokens.get(at).map_or("", |token| text.lower_of(token));
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let past = || joined(at) && joined(at + 1) && matches!(word(at + 1), "past" | "to") && hour(at + 2);
        let to = match word(at) {
            "half" | "quarter" if past() => at + 2,
            _ if hour(at) && joined(at) && word(at + 1) == "o'clock" => at + 1,
            _ => continue,
        };
        found.push(tokens[at].at.start..tokens[to].at.end);
    }
    for time in kept.iter().filter(|finding| finding.kind == Kind::Time) {
        let last = text.tokens_in(&time.at).last();
        let rest = last.and_then(|last| text.lower.get(time.at.end..last.at.end));
        if let Some(rest @ ("h" | "hr" | "hrs" | "hours" | "z")) = rest {
            found.push(time.at.start..time.at.end + rest.len());
        }
    }
    found
}

/// Whether a time of four figures is the number of a house: `at 1420 Elm Street`.
pub(crate) fn is_house(text: &Prepared, at: &Range<usize>) -> bool {
    let next = text.tokens.partition_point(|token| token.at.start < at.end);
    let figures = at.len() == 4 && next > 0 && text.tokens[next - 1].at == *at;
    let street = |token: &Token| token.capital && token.lists & (has::STREET | has::SITE) != 0;
    let mut words = (next..next + 3).take_while(|&at| is_joined(text, at - 1) && text.tokens[at].capital);
    figures && words.any(|at| at > next && street(&text.tokens[at]))
}

/// What is no name although it is guessed to be one.
pub(crate) fn nameless(text: &Prepared) -> Vec<Range<usize>> {
    let mut found = cars(text);
    let mut called = text.tokens.iter().filter(|token| token.capital);
    let called = called.any(|token| text.lower_of(token) == "dawn");
    let mut capitals = false;
    for (at, token) in text.tokens.iter().enumerate() {
        if token.first {
            capitals = token.capital && !token.caseless && !token.shouted;
        }
        let plain = match text.lower_of(token) {
            "checksum" | "checksums" | "o'clock" => true,
            "dawn" => capitals && !called && is_daybreak(text, at),
            _ => false,
        };
        if plain && !token.capital {
            found.push(token.at.clone());
        }
    }
    found.sort_by_key(|at| at.start);
    found
}

fn is_joined(text: &Prepared, at: usize) -> bool {
    let pair = (text.tokens.get(at), text.tokens.get(at + 1));
    matches!(pair, (Some(left), Some(right)) if matches!(text.between(left, right), " " | "\n"))
}

/// `at dawn`, where nobody is called so and the sentence shows that its writer writes capitals.
fn is_daybreak(text: &Prepared, at: usize) -> bool {
    // `We laughed at dawn`.
    const AIMED: [&str; 15] = [
        "aim", "angr", "gaz", "glar", "laugh", "look", "point", "scream", "shout", "smil", "stare", "staring", "throw",
        "wav", "yell",
    ];
    let tokens = &text.tokens;
    let word = |at: usize| text.lower_of(&tokens[at]);
    let said = at > 0 && is_joined(text, at - 1) && matches!(word(at - 1), "at" | "before" | "till" | "until");
    let aimed = || at > 1 && AIMED.iter().any(|verb| word(at - 2).starts_with(verb));
    let owns = tokens[at].whole_end > tokens[at].at.end;
    said && !owns && !aimed()
}

/// Cars by make and model, with what shows that one is meant: its colour, its model, or what sort of vehicle it is. A
/// make that stands so once is one after an article too.
fn cars(text: &Prepared) -> Vec<Range<usize>> {
    let tokens = &text.tokens;
    let word = |at: usize| tokens.get(at).map_or("", |token| text.lower_of(token));
    let is = |at: usize, lists: u64| tokens.get(at).is_some_and(|token| token.lists & lists != 0);
    let before = |at: usize| at.checked_sub(1).filter(|&before| is_joined(text, before));
    let article = |at: usize| before(at).is_some_and(|before| is_article(word(before)));
    let proper = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|token| token.capital && !token.caseless && !token.digit)
    };
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut makes: Vec<u64> = Vec::new();
    let mut alone: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (from, mut to) = (at, at + 1);
        at += 1;
        if !proper(from) || !is(from, has::MAKE) {
            continue;
        }
        while is_joined(text, to - 1) && proper(to) && is(to, has::MODEL | has::MAKE) {
            to += 1;
        }
        at = to;
        let owns = tokens[to - 1].whole_end > tokens[to - 1].at.end;
        let goes_on = text.folded[tokens[to - 1].at.end..].starts_with('-') || is_joined(text, to - 1) && proper(to);
        // `Ms Ford`, `Carla-Ford`, `J. Ford`: what stands before it belongs to a name.
        let follows = from > 0 && {
            let gap = text.between(&tokens[from - 1], &tokens[from]);
            let colour = tokens[from - 1].first && is(from - 1, has::COLOUR);
            let named = tokens[from - 1].capital && matches!(gap, " " | "\n") && !colour && !is_article(word(from - 1));
            named || matches!(gap, "-" | "'" | "." | ". ") && (tokens[from - 1].at.len() <= 4 || gap == "-")
        };
        if owns || goes_on || follows {
            continue;
        }
        let colour = before(from).filter(|&before| is(before, has::COLOUR));
        let modelled = (from + 1..to).any(|at| is(at, has::MODEL));
        let vehicle = is_joined(text, to - 1) && !proper(to) && is(to, has::VEHICLE);
        let given = tokens[from].lists & has::GIVEN != 0;
        let coloured = colour.is_some_and(|colour| !tokens[colour].capital && (article(colour) || !given));
        let modelled = modelled && (!given || coloured || article(from));
        if modelled || vehicle || coloured {
            let start = colour.unwrap_or(from);
            found.push(tokens[start].at.start..tokens[to - 1].at.end);
            if !makes.contains(&tokens[from].hash) {
                makes.push(tokens[from].hash);
            }
        } else if article(from) {
            alone.push(from);
        }
    }
    let again = alone.into_iter().filter(|&at| makes.contains(&tokens[at].hash));
    found.extend(again.map(|at| tokens[at].at.clone()));
    found.sort_by_key(|at| at.start);
    // Where somebody has the name of a make, the car's would tell it.
    let named = |token: &&Token| token.capital && !super::redact::is_inside(&found, &token.at);
    let mut named: Vec<u64> = tokens.iter().filter(named).map(|token| token.hash).collect();
    named.sort_unstable();
    found.retain(|at| {
        text.tokens_in(at)
            .iter()
            .all(|token| !token.capital || named.binary_search(&token.hash).is_err())
    });
    found
}

fn is_article(word: &str) -> bool {
    matches!(
        word,
        "a" | "an" | "another" | "her" | "his" | "my" | "one" | "our" | "same" | "that" | "the" | "their" | "this"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn of(text: &str, find: impl Fn(&Prepared) -> Vec<Range<usize>>) -> Vec<String> {
        let prepared = Prepared::new(text).unwrap();
        find(&prepared)
            .into_iter()
            .map(|at| prepared.folded[at].to_owned())
            .collect()
    }

    #[test]
    fn cars_are_no_names() {
        for (text, cars) in [
            (
                "A white Ford Transit and a red Audi left.",
                &["white Ford Transit", "red Audi"][..],
            ),
            (
                "White Ford Transit parked beside a skip; then the Ford left.",
                &["White Ford Transit", "Ford"],
            ),
            (
                "a Toyota Corolla; the Transit van; a black Mercedes",
                &["Toyota Corolla", "Transit", "black Mercedes"],
            ),
        ] {
            assert_eq!(of(text, nameless), cars, "{text}");
        }
        for name in [
            "Ford came. Mr Ford left; the Ford family, J. Ford and Carla Ford stayed. Ms Green Ford too.",
            "Mercedes wore red. We saw black Mercedes Okonkwo and green Ford-Okonkwo; white Ford's brother.",
            "Carla Ford has a white Ford Transit.",
            "Honda Suzuki came with Mercedes Vito by the wall. green ford left. The Ford is his.",
        ] {
            assert_eq!(of(name, nameless), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn daybreak_is_no_name() {
        assert_eq!(of("He left at dawn. We wait until dawn.", nameless), ["dawn", "dawn"]);
        for name in [
            "we left it at dawn",
            "We laughed at dawn. He waits at dawn's.",
            "He left at dawn. Dawn was there.",
            "He left with dawn. At Dawn",
        ] {
            assert_eq!(of(name, nameless), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn times_in_words_are_found() {
        let forms = |text: &Prepared| times(text, &crate::brief::redact::forms(text));
        assert_eq!(
            of("Come at six o'clock or half past nine, relief 18:00hrs.", forms),
            ["six o'clock", "half past nine", "18:00hrs"]
        );
        let house = |text: &str, at| is_house(&Prepared::new(text).unwrap(), &at);
        assert!(house("at 1420 Old Elm Street", 3..7) && !house("at 1420 Elm left the street", 3..7));
        assert!(!house("at 1420 Street", 3..7) && !house("at 1420", 3..7));
        assert_eq!(of("half the way to six, past six", forms), Vec::<String>::new());
    }
}
