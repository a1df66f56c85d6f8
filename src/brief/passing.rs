//! Identifiers in passing: codes and plates as they are spoken, call signs, and who speaks at the
//! head of a line.

use super::ages::oldest;
use super::finding::{Finder, Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::tables::cells;
use super::tagger::has;
use super::words::Word;
use std::collections::BTreeMap;

/// Finds identifiers in passing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passing;

impl Finder for Passing {
    fn find(&self, text: &Prepared) -> Vec<Finding> {
        let mut found = Vec::new();
        spoken(text, &mut found);
        call_signs(text, &mut found);
        speakers(text, &mut found);
        turns(text, &mut found);
        signed(text, &mut found);
        homes(text, &mut found);
        letters(text, &mut found);
        cells(text, &mut found);
        oldest(text, &mut found);
        found
    }
}

/// What a word can be in a code that is spoken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Figure,
    Ten,
    Letter,
    /// `then`, `double`: counts for nothing, and stands only between others.
    Link,
    None,
}

fn part(text: &Prepared, token: &Token) -> Part {
    let word = text.lower_of(token);
    let lists = token.lists;
    if lists & has::FIGURE != 0 || token.digit && word.len() == 1 {
        Part::Figure
    } else if lists & has::TEN != 0 || token.digit && word.len() == 2 {
        Part::Ten
    } else if lists & has::LETTER != 0 || word.len() == 1 && !matches!(word, "a" | "i") {
        Part::Letter
    } else if matches!(
        word,
        "then" | "double" | "triple" | "treble" | "hash" | "star" | "dash" | "and" | "comma" | "pause" | "sorry" | "no"
    ) {
        Part::Link
    } else {
        Part::None
    }
}

/// `seven seven oh one`, `golf november two one`: three figures or letters one after the other,
/// or two after a word that announces a code.
fn spoken(text: &Prepared, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let parts: Vec<Part> = tokens.iter().map(|token| part(text, token)).collect();
    let mut from = 0;
    while from < tokens.len() {
        if matches!(parts[from], Part::None | Part::Link) {
            from += 1;
            continue;
        }
        let mut to = from + 1;
        let mut end = to;
        while to < tokens.len() && parts[to] != Part::None && near(text.between(&tokens[to - 1], &tokens[to])) {
            to += 1;
            match parts[to - 1] {
                Part::Link if to - end > 2 => break,
                Part::Link => {}
                _ => end = to,
            }
        }
        let run = from..end;
        let count = |wanted: Part| parts[run.clone()].iter().filter(|&&part| part == wanted).count();
        let (figures, tens, letters) = (count(Part::Figure), count(Part::Ten), count(Part::Letter));
        let words = tokens[run.clone()]
            .iter()
            .any(|token| !token.digit && token.at.len() > 1);
        let announced = || {
            tokens[from.saturating_sub(6)..from]
                .iter()
                .any(|token| token.lists & has::ANNOUNCES != 0)
        };
        let spelt = figures >= 3
            || letters >= 1 && figures + tens >= 2
            || letters >= 3
            || letters >= 2 && figures + tens >= 1
            || figures + tens >= 2 && announced();
        if words && spelt {
            let at = tokens[from].at.start..tokens[end - 1].at.end;
            found.push(Finding::new(at, Kind::Code, Weight::Form));
        }
        from = end;
    }
}

/// Whether what stands between two words leaves them one after the other.
fn near(gap: &str) -> bool {
    gap.len() <= 3 && !gap.contains(['\n', '.', ':', '/', '(', ')', '\t', '|'])
}

/// `Kilo 4`, `Oscar nine`.
fn call_signs(text: &Prepared, found: &mut Vec<Finding>) {
    for pair in text.tokens.windows(2) {
        let (letter, number) = (&pair[0], &pair[1]);
        let word = text.lower_of(letter);
        let sign = letter.capital && word != "november" && letter.lists & has::LETTER != 0;
        let counted = number.digit && number.at.len() <= 3 || number.lists & has::FIGURE != 0;
        if sign && counted && matches!(text.between(letter, number), " " | "-") {
            found.push(Finding::new(letter.at.start..number.at.end, Kind::Alias, Weight::Form));
        }
    }
}

/// Words for people beside whom the number of a room or flat says which ones.
const SOMEBODY: [&str; 22] = [
    "baby",
    "boy",
    "chap",
    "child",
    "children",
    "couple",
    "family",
    "fella",
    "gentleman",
    "girl",
    "guy",
    "kid",
    "kids",
    "lad",
    "lads",
    "ladies",
    "lady",
    "man",
    "neighbour",
    "neighbours",
    "people",
    "woman",
];

/// `the lady in 21`, `Mr Ferdinand in 3`, `6B`: where somebody lives or sleeps.
fn homes(text: &Prepared, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let number = |token: &Token| {
        token.digit && token.at.len() <= 4 || token.lists & (has::FIGURE | has::TEN) != 0 && !token.digit
    };
    for at in 2..tokens.len() {
        let (who, link, home) = (&tokens[at - 2], &tokens[at - 1], &tokens[at]);
        let lives = matches!(text.lower_of(link), "in" | "from" | "at")
            && text.between(link, home) == " "
            && text.between(who, link) == " ";
        // `in 10 minutes`, `at 21:00`, `from 7 to 9`
        let counts = || {
            tokens.get(at + 1).is_none_or(|next| {
                let gap = text.between(home, next);
                let glued = gap.starts_with([':', '/', '-']) || gap == ".";
                let measured = gap == " "
                    && matches!(
                        text.lower_of(next),
                        "minutes"
                            | "mins"
                            | "min"
                            | "hours"
                            | "hrs"
                            | "h"
                            | "days"
                            | "weeks"
                            | "to"
                            | "am"
                            | "pm"
                            | "and"
                    );
                !glued && !measured
            })
        };
        let word = text.lower_of(who);
        let somebody = || {
            SOMEBODY.contains(&word)
                || who.lists & (has::ROLE | has::KIN) != 0
                || who.lists & has::PEOPLE != 0
                || who.capital && who.word == Word::Unknown && !who.caseless
        };
        if lives && number(home) && somebody() && text.lower_of(home) != "one" && counts() {
            found.push(Finding::new(home.at.clone(), Kind::Address, Weight::Form));
        }
    }
    // `4A` alone, where no thing is counted so.
    for (at, token) in tokens.iter().enumerate() {
        let written = &text.folded[token.at.clone()];
        let flat = (2..=4).contains(&written.len())
            && written.ends_with(['A', 'B', 'C', 'E', 'F'])
            && written[..written.len() - 1].bytes().all(|b| b.is_ascii_digit());
        let before = || at.checked_sub(1).map(|before| text.lower_of(&tokens[before]));
        let thing = || before().is_some_and(|before| THINGS.binary_search(&before).is_ok());
        if flat && !thing() {
            found.push(Finding::new(token.at.clone(), Kind::Address, Weight::Form));
        }
    }
}

/// What bears a letter and a number and is nobody's.
const THINGS: [&str; 25] = [
    "annex",
    "appendix",
    "bay",
    "camera",
    "car",
    "dock",
    "door",
    "form",
    "gate",
    "level",
    "lift",
    "page",
    "paragraph",
    "platform",
    "post",
    "row",
    "runway",
    "section",
    "shed",
    "socket",
    "staircase",
    "table",
    "terminal",
    "type",
    "zone",
];

/// `Q` beside what people are or do: somebody's initial. `M2`, `Blue 2`: who speaks on the radio.
fn letters(text: &Prepared, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let next = tokens.get(at + 1);
        let beside = |left: Option<&Token>, right: Option<&Token>| match (left, right) {
            (Some(left), Some(right)) => matches!(text.between(left, right), " " | "'s "),
            _ => false,
        };
        let thing = || {
            before.is_some_and(|before| {
                beside(Some(before), Some(token)) && THINGS.binary_search(&text.lower_of(before)).is_ok()
            })
        };
        if token.at.len() == 1 && token.capital && !token.caseless && !matches!(text.lower_of(token), "a" | "i") {
            let is_someone = before.is_some_and(|before| before.lists & (has::ROLE | has::KIN | has::RANK) != 0)
                && beside(before, Some(token));
            let acts = next.is_some_and(|next| next.lists & has::DEED != 0) && beside(Some(token), next);
            if (is_someone || acts) && !thing() {
                found.push(Finding::new(token.at.clone(), Kind::Person, Weight::Form));
            }
        }
        let written = &text.folded[token.at.clone()];
        let signed = (2..=3).contains(&written.len())
            && written.starts_with(|c: char| c.is_ascii_uppercase())
            && written[1..].bytes().all(|b| b.is_ascii_digit());
        if signed && !thing() && !matches!(written, "A3" | "A4" | "A5") {
            found.push(Finding::new(token.at.clone(), Kind::Alias, Weight::Form));
        }
        let counted = next.is_some_and(|next| {
            next.digit && next.at.len() <= 2 && beside(Some(token), Some(next)) || next.lists & has::FIGURE != 0
        });
        let colour = token.capital
            && counted
            && matches!(
                text.lower_of(token),
                "amber"
                    | "black"
                    | "blue"
                    | "bronze"
                    | "gold"
                    | "green"
                    | "orange"
                    | "red"
                    | "silver"
                    | "white"
                    | "november"
            );
        if colour && !token.caseless && beside(Some(token), next) && !thing() {
            let end = next.map_or(token.at.end, |next| next.at.end);
            found.push(Finding::new(token.at.start..end, Kind::Alias, Weight::Form));
        }
    }
}

/// `left 40 right 12 left 31`: how a safe is opened.
fn turns(text: &Prepared, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let turn = |at: usize| {
        tokens.get(at..at + 2).is_some_and(|pair| {
            matches!(text.lower_of(&pair[0]), "left" | "right" | "l" | "r")
                && pair[1].digit
                && pair[1].at.len() <= 3
                && text.between(&pair[0], &pair[1]) == " "
        })
    };
    let mut at = 0;
    while at < tokens.len() {
        let mut to = at;
        while turn(to) && (to == at || near(text.between(&tokens[to - 1], &tokens[to]))) {
            to += 2;
        }
        if to >= at + 4 {
            found.push(Finding::new(
                tokens[at].at.start..tokens[to - 1].at.end,
                Kind::Code,
                Weight::Form,
            ));
        }
        at = to.max(at + 1);
    }
}

/// One or two capitals alone on the last line of a text or a part of it: who signed.
fn signed(text: &Prepared, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let gap = |at: usize| match (at.checked_sub(1), tokens.get(at)) {
        (Some(before), Some(token)) => &text.folded[tokens[before].whole_end..token.at.start],
        (Some(last), None) => &text.folded[tokens[last].whole_end..],
        _ => "",
    };
    let initial = |at: usize| tokens.get(at).is_some_and(|token| token.at.len() == 1 && token.capital);
    for at in 1..tokens.len() {
        if !initial(at) || !gap(at).contains('\n') || gap(at).contains('|') {
            continue;
        }
        let end = at + 1 + usize::from(initial(at + 1) && !gap(at + 1).contains('\n'));
        if end >= tokens.len() || gap(end).contains("\n\n") {
            found.push(Finding::new(
                tokens[at].at.start..tokens[end - 1].at.end,
                Kind::Person,
                Weight::Form,
            ));
        }
    }
}

/// `[21:04] kwabs: …`, `<mirela> …`, `M7: …`: who speaks at the head of a line. A word that is in
/// the word list counts when it speaks more than once; so `Time:` and `Gate:` stay.
fn speakers(text: &Prepared, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let mut heads: Vec<(std::ops::Range<usize>, bool)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (head, marked, next) = head_of(text, at);
        heads.extend(head.map(|head| (head, marked)));
        at = next;
    }
    let name = |head: &std::ops::Range<usize>| {
        let words: Vec<&str> = tokens[head.clone()].iter().map(|token| text.lower_of(token)).collect();
        words.join(" ")
    };
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (head, _) in &heads {
        *times.entry(name(head)).or_default() += 1;
    }
    // Where three lines have the same two heads by turns, people talk.
    let talk = times.values().filter(|&&times| times > 1).count() > 1;
    for (head, marked) in &heads {
        let words = &tokens[head.clone()];
        let often = times.get(&name(head)).is_some_and(|&times| times > 1);
        let plain = words
            .iter()
            .any(|token| matches!(token.word, Word::Ordinary | Word::Function));
        let short = |token: &Token| token.digit && token.at.len() <= 3;
        let unnamed = words[0].digit && !words[0].capital || words.iter().any(|token| token.digit && !short(token));
        let speaks = if plain {
            often && (*marked || talk)
        } else {
            often || *marked
        };
        if speaks && !unnamed {
            let at = words[0].at.start..words[words.len() - 1].at.end;
            found.push(Finding::new(at, Kind::Person, Weight::Form));
        }
    }
}

/// The head of the line that begins at `from`: its one to three words, whether a time or brackets
/// mark it as a speaker's, and where the next line begins.
fn head_of(text: &Prepared, from: usize) -> (Option<std::ops::Range<usize>>, bool, usize) {
    let tokens = &text.tokens;
    let gap = |at: usize| match (at.checked_sub(1), tokens.get(at)) {
        (Some(before), Some(token)) => text.folded.get(tokens[before].whole_end..token.at.start).unwrap_or(""),
        (None, Some(token)) => &text.folded[..token.at.start],
        (Some(last), None) => &text.folded[tokens[last].whole_end..],
        (None, None) => "",
    };
    let mut next = from + 1;
    while next < tokens.len() && !gap(next).contains('\n') {
        next += 1;
    }
    let mut start = from;
    let timely = |at: usize| {
        let token = &tokens[at];
        token.digit && !token.capital
            || matches!(
                text.lower_of(token),
                "am" | "pm" | "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun"
            )
    };
    while start < next && timely(start) {
        start += 1;
    }
    let bracket = gap(start).ends_with(['<', '[']);
    let mut end = start;
    while end < next && end - start < 3 && !timely(end) {
        end += 1;
        let after = gap(end).trim_start_matches('.');
        if after.starts_with([':', '>', ']']) && !after.starts_with("://") {
            let marked = start > from || bracket;
            return (Some(start..end), marked && (!after.starts_with(']') || bracket), next);
        }
        // `1103 P2 man at the gate`
        let code = &tokens[start];
        if end == start + 1 && start > from && code.digit && code.capital && code.at.len() <= 3 && after == " " {
            return (Some(start..end), true, next);
        }
        if !matches!(after, " " | "-" | "" | "_") {
            break;
        }
    }
    // `Nkechi 06:58: morning`
    let mut timed = end;
    while timed < next && timely(timed) {
        timed += 1;
    }
    let told = end > start
        && end - start <= 3
        && timed > end
        && gap(end) == " "
        && gap(timed).starts_with([':', ']', '>', ' ']);
    let told = told && gap(timed).contains(':');
    (told.then_some(start..end), told, next)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let prepared = Prepared::new(text).unwrap();
        let all = Passing.find(&prepared);
        all.iter()
            .map(|finding| prepared.folded[finding.at.clone()].to_owned())
            .collect()
    }

    #[test]
    fn spoken_codes_are_found() {
        assert_eq!(found("the pin is one nine five seven now"), ["one nine five seven"]);
        assert_eq!(
            found("golf november two one tango foxtrot oscar left"),
            ["golf november two one tango foxtrot oscar"]
        );
        assert_eq!(found("gate eighty eight then hash"), ["eighty eight"]);
        assert_eq!(
            found("four, then double seven, then one"),
            ["four, then double seven, then one"]
        );
        assert_eq!(found("Kilo 4 is off, Oscar nine too"), ["Kilo 4", "Oscar nine"]);
    }

    #[test]
    fn speakers_are_found() {
        assert_eq!(found("[21:04] kwabs: anyone\n[21:05] hope: no"), ["kwabs", "hope"]);
        assert_eq!(found("14:31 mirela> landed\n<nightowl> ok"), ["mirela", "nightowl"]);
        assert_eq!(found("Orsolya 06:58: morning"), ["Orsolya"]);
    }

    #[test]
    fn turns_and_initials_are_found() {
        assert_eq!(
            found("the safe: left 40, right 12, left 31"),
            ["left 40, right 12, left 31"]
        );
        assert_eq!(found("Nothing else to report.\nM."), ["M"]);
        assert!(found("1103 P2 man at the gate").contains(&"P2".to_owned()));
    }

    #[test]
    fn where_somebody_lives_is_found() {
        assert_eq!(found("the lady in 21 paid, the couple from 3B too"), ["21", "3B", "3B"]);
        assert_eq!(
            found("a man in 10 minutes, the guard at 21:00, form 3B, gate 4A"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn letters_that_stand_for_somebody_are_found() {
        assert_eq!(
            found("her deputy Q. Then D called, Blue 2 and M4"),
            ["Q", "D", "Blue 2", "M4"]
        );
        assert_eq!(found("plan B, row D, gate M4, vitamin C"), Vec::<String>::new());
    }

    #[test]
    fn lists_are_sorted() {
        assert!(THINGS.is_sorted());
    }

    #[test]
    fn plain_lines_pass() {
        for plain in [
            "Time: 22:15\nPlace: north gate\nAction: call at once",
            "two or three guards came at half past four",
            "twenty two people and three dogs",
            "0930 Update: nothing to report",
        ] {
            assert_eq!(found(plain), Vec::<String>::new(), "{plain}");
        }
    }
}
