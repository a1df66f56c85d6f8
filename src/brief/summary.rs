//! A shorter text out of the words of a longer one: whole sentences and list items, in their order,
//! what to do before what happened before the rest. Nothing is put in other words.

use std::collections::BTreeSet;
use std::ops::Range;

/// What a heading announces, the first to be kept first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Weight {
    /// What to do, where, until when.
    ToDo,
    /// What happened, and what came of it.
    Happened,
    /// Anything else.
    Rest,
}

const TO_DO: [&str; 18] = [
    "action",
    "to do",
    "todo",
    "what to do",
    "do now",
    "task",
    "instruction",
    "order",
    "next",
    "required",
    "where",
    "when",
    "until",
    "deadline",
    "by when",
    "valid",
    "watch for",
    "remember",
];
const HAPPENED: [&str; 9] = [
    "what happened",
    "happened",
    "incident",
    "summary",
    "impact",
    "effect",
    "situation",
    "event",
    "consequence",
];

/// A sentence, a list item or a labelled line.
struct Unit {
    at: Range<usize>,
    weight: Weight,
    /// The heading it stands under, as an index.
    under: Option<usize>,
    words: usize,
}

/// A text of about `words` words at most, and how many sentences and items were left out. What comes
/// first is kept even if it is longer.
pub fn shorten(text: &str, words: usize) -> (String, usize) {
    let (headings, units) = units_of(text);
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by_key(|&at| (units[at].weight, at));
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    let mut under: BTreeSet<usize> = BTreeSet::new();
    let mut total = 0;
    for at in order {
        let unit = &units[at];
        let heading = unit.under.filter(|heading| !under.contains(heading));
        let more = unit.words + heading.map_or(0, |heading| count_words(&text[headings[heading].clone()]));
        if kept.is_empty() || total + more <= words {
            total += more;
            kept.insert(at);
            under.extend(heading);
        }
    }
    let parts = kept.iter().map(|&at| units[at].at.clone());
    let parts = parts.chain(under.iter().map(|&at| headings[at].clone()));
    let mut parts: Vec<Range<usize>> = parts.collect();
    parts.sort_by_key(|at| at.start);
    let mut short = String::with_capacity(text.len().min(words.saturating_mul(8)));
    let mut before: Option<usize> = None;
    for at in parts {
        if let Some(end) = before {
            short.push_str(apart(&text[end..at.start]));
        }
        short.push_str(&text[at.clone()]);
        before = Some(at.end);
    }
    (short, units.len() - kept.len())
}

/// What stands between two parts that are kept, by what stood between them.
fn apart(between: &str) -> &'static str {
    let lines = between.matches('\n').count();
    let blank = between.split('\n').skip(1).any(|line| line.trim().is_empty());
    match lines {
        0 => " ",
        2.. if blank => "\n\n",
        _ => "\n",
    }
}

fn count_words(text: &str) -> usize {
    text.split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric))
        .count()
}

/// The headings of a text and everything else in it, in order.
fn units_of(text: &str) -> (Vec<Range<usize>>, Vec<Unit>) {
    let mut headings: Vec<Range<usize>> = Vec::new();
    let mut units: Vec<Unit> = Vec::new();
    let mut section = (Weight::Rest, None);
    // Whether the line goes on with the last unit, or with its paragraph.
    let (mut item, mut open) = (false, false);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim();
        let from = start + (line.len() - line.trim_start().len());
        let at = from..from + body.len();
        start += line.len();
        if body.is_empty() {
            (item, open) = (false, false);
            continue;
        }
        if let Some(name) = heading(body) {
            section = (weight_of(name), Some(headings.len()));
            headings.push(at);
            (item, open) = (false, false);
            continue;
        }
        let label = body
            .split_once(':')
            .map(|(label, _)| label)
            .filter(|label| count_words(label) <= 4);
        let labelled = label.map(weight_of).filter(|weight| *weight != Weight::Rest);
        let weight = section.0.min(labelled.unwrap_or(Weight::Rest));
        let unit = |at: Range<usize>| Unit {
            weight,
            under: section.1,
            words: count_words(&text[at.clone()]),
            at,
        };
        if is_item(body) {
            units.push(unit(at));
            (item, open) = (true, false);
        } else if item && let Some(last) = units.last_mut() {
            // A list item over several lines.
            last.at.end = at.end;
            last.words += count_words(body);
        } else {
            // A sentence that goes on over the line's end is one with what follows.
            let goes_on = open && labelled.is_none();
            for (nth, sentence) in sentences(body).into_iter().enumerate() {
                let sentence = at.start + sentence.start..at.start + sentence.end;
                match units.last_mut() {
                    Some(last) if nth == 0 && goes_on && !ends_a_sentence(&text[last.at.clone()]) => {
                        last.words += count_words(&text[sentence.clone()]);
                        last.at.end = sentence.end;
                    }
                    _ => units.push(unit(sentence)),
                }
            }
            open = true;
        }
    }
    (headings, units)
}

/// A line that names what follows it: with `#` before, or short and with a colon behind.
fn heading(line: &str) -> Option<&str> {
    let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
    if (1..=6).contains(&hashes) && line[hashes..].starts_with(' ') {
        return Some(line[hashes..].trim());
    }
    let name = line
        .trim_matches(['*', '_'])
        .strip_suffix(':')?
        .trim_end_matches(['*', '_']);
    (!is_item(line) && count_words(name) <= 5 && ends_nothing(name)).then_some(name)
}

fn ends_nothing(name: &str) -> bool {
    !name.contains(['.', '!', '?', ':'])
}

fn weight_of(name: &str) -> Weight {
    let name = name.to_lowercase();
    let begins = |cue: &str| {
        name.match_indices(cue)
            .any(|(at, _)| !name[..at].chars().next_back().is_some_and(char::is_alphanumeric))
    };
    if TO_DO.iter().any(|cue| begins(cue)) {
        Weight::ToDo
    } else if HAPPENED.iter().any(|cue| begins(cue)) {
        Weight::Happened
    } else {
        Weight::Rest
    }
}

fn is_item(line: &str) -> bool {
    let figures = line.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let rest = match line.as_bytes() {
        [b'-' | b'*' | b'+', ..] => &line[1..],
        bytes if figures > 0 && matches!(bytes.get(figures), Some(b'.' | b')')) => &line[figures + 1..],
        _ => return false,
    };
    rest.starts_with(' ')
}

/// The sentences of a line.
fn sentences(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, mark) in line.match_indices(['.', '!', '?']) {
        let end = at + mark.len();
        let after = &line[end..];
        let next = after.trim_start();
        let begins = next
            .chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || c == '"');
        if after.starts_with(' ') && begins && !is_short(&line[from..at]) {
            found.push(from..end);
            from = line.len() - next.len();
        }
    }
    if from < line.len() {
        found.push(from..line.len());
    }
    found
}

/// Whether the last word is an initial or an abbreviation rather than the end of a sentence.
fn is_short(before: &str) -> bool {
    let word = before.rsplit([' ', '.']).next().unwrap_or_default();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let only = word.chars().all(char::is_alphabetic);
    only && letters <= 1
        || matches!(
            word,
            "Mr" | "Mrs" | "Ms" | "Dr" | "St" | "No" | "no" | "approx" | "ext" | "tel"
        )
}

fn ends_a_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', ':', ';'])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const NOTE: &str = "# Background\nThe site has two gates. Both were painted in spring.\n\n# What happened\nThe north gate was \
                        found open at 02:10. Nobody was seen.\n\n## Actions\n- Keep the gate shut until Friday.\n- Call the control room.\n";

    #[test]
    fn what_to_do_comes_first_in_its_own_words() {
        let (short, left_out) = shorten(NOTE, 12);
        assert_eq!(
            short,
            "## Actions\n- Keep the gate shut until Friday.\n- Call the control room."
        );
        assert_eq!(left_out, 4);
        let (longer, left_out) = shorten(NOTE, 26);
        assert_eq!(
            longer,
            "# What happened\nThe north gate was found open at 02:10. Nobody was seen.\n\n## Actions\n- Keep the gate shut \
             until Friday.\n- Call the control room."
        );
        assert_eq!(left_out, 2);
        assert_eq!(shorten(NOTE, 1000), (NOTE.trim_end().to_owned(), 0));
    }

    #[test]
    fn labelled_lines_and_texts_without_headings_are_shortened_too() {
        let note = "Weather: dry all night and a little wind.\nTo do: lock the side door by 22:00.\nSaw nothing else.";
        assert_eq!(shorten(note, 8).0, "To do: lock the side door by 22:00.");
        let note = "One thing happened. Then another did. A third never came.";
        assert_eq!(
            shorten(note, 6),
            ("One thing happened. Then another did.".to_owned(), 1)
        );
        // What comes first stays even if it is too long.
        assert_eq!(shorten(note, 1).0, "One thing happened.");
        assert_eq!(shorten("", 5), (String::new(), 0));
    }

    #[test]
    fn sentences_end_where_they_end() {
        let cut = |line: &'static str| sentences(line).into_iter().map(|at| &line[at]).collect::<Vec<_>>();
        assert_eq!(
            cut("Ask Mr. Hollis. He is at gate 4. ok"),
            ["Ask Mr. Hollis.", "He is at gate 4. ok"]
        );
        assert_eq!(cut("Wait till 6.30 p.m. and go"), ["Wait till 6.30 p.m. and go"]);
    }

    proptest! {
        #[test]
        fn nothing_is_invented(text in "([#-]{0,2} ?[A-Za-zé]{0,6}[ .:!]{0,2}\n?\n?){0,30}", words in 0usize..20) {
            let (short, _) = shorten(&text, words);
            let mut rest = text.as_str();
            for word in short.split_whitespace() {
                let at = rest.find(word);
                prop_assert!(at.is_some(), "{short:?}");
                rest = &rest[at.unwrap() + word.len()..];
            }
            let (first, again) = (shorten(&text, 10_000).0, shorten(&shorten(&text, 10_000).0, 10_000).0);
            prop_assert_eq!(count_words(&first), count_words(&again));
        }
    }
}
