//! What the vault knows of a client: recognised in any spelling, format and part.
//!
//! Values and text are compared by their letters and digits alone, folded: `AB12 CDE` is
//! `ab12-cde` is `AB12CDE`; `+44 7700 900123` is `07700900123`.

use super::finding::{Finder, Finding, Kind, Weight};
use super::prepared::{BadText, Prepared};
use super::tagger::has;
use super::words::Word;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::BTreeMap;

/// The identifiers that may not pass because the vault knows them.
pub struct Known {
    keys: Vec<Key>,
    automaton: Option<AhoCorasick>,
}

struct Key {
    kind: Kind,
    needs: Needs,
    /// It counts inside longer words and numbers too.
    anywhere: bool,
}

/// What a value needs in the text to count, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Nothing,
    /// A capital: the value is an everyday word.
    Capital,
    /// A capital where it says something: no sentence does without the word. At the head of one it is a doubt.
    CapitalWithin,
}

/// How many characters other than letters and digits may stand between two of a value.
const MAX_GAP: usize = 4;

/// The values are too many or unreadable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKnown {
    /// Too many.
    #[error("at most {max} identifiers are matched at once, these are {0}: brief fewer notes together", max = Known::MAX)]
    TooMany(usize),
    /// One is too long.
    #[error("an identifier has at most {max} bytes, one of type `{kind}` has {length}: shorten it", max = Known::MAX_VALUE)]
    TooLong {
        /// Its type.
        kind: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// One cannot be read.
    #[error("an identifier of type `{kind}` cannot be matched: {why}")]
    Unreadable {
        /// Its type.
        kind: &'static str,
        /// What is wrong with it.
        why: BadText,
    },
}

impl Known {
    /// The most values.
    pub const MAX: usize = 100_000;
    /// The longest value, in bytes: what has 200 characters fits in any script.
    pub const MAX_VALUE: usize = 4 * 200;

    /// Values with what they are. A person's and a client's name also count by their parts; a
    /// value without letters and digits is passed over.
    pub fn new(values: Vec<(Kind, String)>) -> Result<Self, BadKnown> {
        if values.len() > Self::MAX {
            return Err(BadKnown::TooMany(values.len()));
        }
        let mut keys: BTreeMap<String, Key> = BTreeMap::new();
        for (kind, value) in values {
            if value.len() > Self::MAX_VALUE {
                return Err(BadKnown::TooLong {
                    kind: kind.coarse().name(),
                    length: value.len(),
                });
            }
            let prepared = Prepared::new(&value).map_err(|why| BadKnown::Unreadable {
                kind: kind.coarse().name(),
                why,
            })?;
            add_value(kind, &prepared, &mut keys);
        }
        let patterns: Vec<&String> = keys.keys().collect();
        let automaton = if patterns.is_empty() {
            None
        } else {
            let mut builder = AhoCorasick::builder();
            builder
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::ContiguousNFA));
            builder.build(&patterns).ok()
        };
        if automaton.is_none() && !keys.is_empty() {
            return Err(BadKnown::TooMany(keys.len()));
        }
        Ok(Self {
            keys: keys.into_values().collect(),
            automaton,
        })
    }

    /// Nothing is known.
    pub fn nothing() -> Self {
        Self {
            keys: Vec::new(),
            automaton: None,
        }
    }
}

/// The keys of one value; the first kind given for a key stays.
fn add_value(kind: Kind, value: &Prepared, keys: &mut BTreeMap<String, Key>) {
    let whole = letters_and_digits(&value.lower);
    if whole.is_empty() {
        return;
    }
    let digits = whole.bytes().filter(u8::is_ascii_digit).count();
    let everyday =
        value.tokens.len() == 1 && matches!(value.tokens[0].word, Word::Function | Word::Ordinary | Word::NameLike);
    let mut add = |text: String, needs: Needs, anywhere: bool| {
        // Whichever value makes the key count more widely decides: what a person masks is masked, also if it is a name.
        let key = keys.entry(text).or_insert(Key { kind, needs, anywhere });
        key.needs = key.needs.min(needs);
        key.anywhere |= anywhere;
    };
    if kind == Kind::Phone && digits >= 9 {
        // The last nine digits are the same with and without a country's prefix.
        let only: String = whole.chars().filter(char::is_ascii_digit).collect();
        add(only[only.len() - 9..].to_owned(), Needs::Nothing, true);
    }
    // A long number, and a name of several words: no other word holds it by chance.
    let long_enough = digits >= 4 && whole.len() >= 6 || value.tokens.len() > 1 && whole.chars().count() >= 8;
    // An alias or a client's name was given to be kept: it is masked in small letters too, and only a
    // person's name that is also a word, or a word without which no sentence does, is left to a person's eye.
    let given = !matches!(kind, Kind::Person) && !value.tokens.iter().all(|token| token.word == Word::Function);
    let needs = |common: bool| if common { Needs::Capital } else { Needs::Nothing };
    add(whole, needs(everyday && digits == 0 && !given), long_enough);
    if matches!(
        kind,
        Kind::Person | Kind::Alias | Kind::Client | Kind::Organisation | Kind::Place | Kind::Address
    ) {
        for token in &value.tokens {
            let part = letters_and_digits(value.lower_of(token));
            let common = is_company_word(&part) || token.digit;
            let counts = match token.word {
                Word::Unknown | Word::NameLike => true,
                Word::Ordinary => matches!(kind, Kind::Person | Kind::Alias),
                Word::Function => {
                    matches!(kind, Kind::Person | Kind::Alias | Kind::Client)
                        && token.lists & (has::PARTICLE | has::TITLE) == 0
                        && !matches!(value.lower_of(token), "a" | "an" | "and")
                }
            };
            if part.chars().count() >= 3 && !common && counts {
                let needs = match token.word {
                    Word::Function => Needs::CapitalWithin,
                    word => needs(word != Word::Unknown),
                };
                add(part, needs, false);
            }
        }
    }
}

fn is_company_word(part: &str) -> bool {
    matches!(
        part,
        "ltd"
            | "plc"
            | "llc"
            | "inc"
            | "gmbh"
            | "corp"
            | "mrs"
            | "prof"
            | "von"
            | "van"
            | "der"
            | "den"
            | "del"
            | "bin"
    )
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

impl Finder for Known {
    fn find(&self, text: &Prepared) -> Vec<Finding> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        // The text's letters and digits alone, each byte with its place in the folded text.
        let mut compact = String::with_capacity(text.lower.len());
        let mut place = Vec::with_capacity(text.lower.len());
        for (at, c) in text.lower.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            compact.push(c);
            place.extend(at..at + c.len_utf8());
        }
        let mut found: Vec<Finding> = Vec::new();
        for hit in automaton.find_overlapping_iter(&compact) {
            let Some(key) = self.keys.get(hit.pattern().as_usize()) else {
                continue;
            };
            let (Some(&start), Some(&last)) = (place.get(hit.start()), place.get(hit.end() - 1)) else {
                continue;
            };
            let at = start..last + 1;
            if !stands(text, key, &at) || !gaps_are_small(&place[hit.range()]) {
                continue;
            }
            let capital = text.folded[at.clone()].starts_with(char::is_uppercase);
            let words = text.tokens_in(&at);
            let head = key.needs == Needs::CapitalWithin && words.first().is_some_and(|word| word.first);
            if head && capital || key.needs > Needs::Nothing && !capital {
                if capital || words.iter().any(|token| token.word != Word::Function) {
                    found.push(Finding::doubt(
                        at,
                        key.kind,
                        "a word that is also a name the vault knows",
                    ));
                }
            } else {
                let start = if key.kind == Kind::Phone {
                    with_prefix(&text.folded, start)
                } else {
                    start
                };
                found.push(Finding::new(start..at.end, key.kind, Weight::Known));
            }
        }
        found
    }
}

/// Whether a match stands for itself and is no part of a longer word or number.
fn stands(text: &Prepared, key: &Key, at: &std::ops::Range<usize>) -> bool {
    let before = text.folded[..at.start].chars().next_back();
    let after = &text.folded[at.end..];
    let digit_before = before.is_some_and(|c| c.is_ascii_digit());
    let whole = !before.is_some_and(char::is_alphanumeric)
        && (!after.starts_with(char::is_alphanumeric) || after.starts_with("s ") && text.folded[at.clone()].len() > 3);
    whole || (key.anywhere && (!digit_before || at.len() >= 9))
}

/// Where a telephone number begins whose last digits begin at `start`.
fn with_prefix(text: &str, start: usize) -> usize {
    let prefix = text[..start].char_indices().rev().take(8);
    let prefix = prefix.take_while(|(_, c)| c.is_ascii_digit() || matches!(c, '+' | '(' | ')' | ' ' | '-' | '.' | '/'));
    prefix
        .filter(|(_, c)| c.is_ascii_digit() || *c == '+')
        .last()
        .map_or(start, |(at, _)| at)
}

fn gaps_are_small(places: &[usize]) -> bool {
    places.windows(2).all(|pair| pair[1] - pair[0] <= MAX_GAP + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn found(kind: Kind, value: &str, text: &str) -> Vec<String> {
        let known = Known::new(vec![(kind, value.to_owned())]).unwrap();
        let prepared = Prepared::new(text).unwrap();
        let all = super::super::finding::join(known.find(&prepared));
        let chars: Vec<char> = text.chars().collect();
        all.iter()
            .map(|finding| chars[prepared.origin_of(&finding.at)].iter().collect())
            .collect()
    }

    #[test]
    fn any_spelling_is_found() {
        assert_eq!(
            found(Kind::Person, "Zoë Kowalski", "saw zoe  KOWALSKI's car"),
            ["zoe  KOWALSKI"]
        );
        assert_eq!(
            found(Kind::Person, "Corin Hask", "r e3b~agpieacorinhask"),
            ["corinhask"]
        );
        assert_eq!(
            found(Kind::Person, "Zoë Kowalski", "Mrs Kowal\u{AD}-\nski left"),
            ["Kowal\u{AD}-\nski"]
        );
        assert_eq!(found(Kind::Person, "Zoë Kowalski", "that Коwalski"), ["Коwalski"]);
        assert_eq!(found(Kind::Vehicle, "AB12 CDE", "a van ab-12.cde there"), ["ab-12.cde"]);
        assert_eq!(
            found(Kind::Phone, "+44 7700 900123", "on (07700) 900-123 today"),
            ["07700) 900-123"]
        );
        assert_eq!(
            found(Kind::Code, "4417", "use 44 17 or 4\u{200B}417"),
            ["44 17", "4\u{200B}417"]
        );
    }

    #[test]
    fn everyday_words_need_their_capital() {
        assert_eq!(
            found(Kind::Person, "Rose Long", "Rose took a long road; a rose"),
            ["Rose"]
        );
    }

    #[test]
    fn a_name_without_which_no_sentence_does_needs_a_capital_within_one() {
        let text = "Day leaves by day. Nobody but Day has been told, and Day's car waits.";
        for kind in [Kind::Person, Kind::Client] {
            assert_eq!(found(kind, "Peter Day", text), ["Day", "Day"]);
            let known = Known::new(vec![(kind, "Peter Day".to_owned())]).unwrap();
            let all = known.find(&Prepared::new(text).unwrap());
            let doubts = all.iter().filter(|finding| finding.weight == Weight::Doubt);
            assert_eq!(doubts.map(|doubt| doubt.at.start).collect::<Vec<_>>(), [0]);
        }
        for particle in ["Peter van der Meer", "The Meer", "Night and Meer", "Sir Meer"] {
            let text = "We saw Van, The, And, Sir there.";
            assert_eq!(found(Kind::Client, particle, text), Vec::<String>::new(), "{particle}");
        }
    }

    #[test]
    fn what_was_given_as_a_name_needs_no_capital() {
        assert_eq!(
            found(Kind::Client, "Falcon", "the Falcon file, a falcon"),
            ["Falcon", "falcon"]
        );
        assert_eq!(
            found(Kind::Alias, "MAGPIE", "the magpie's car, ma\u{200b}gpie"),
            ["magpie", "ma\u{200b}gpie"]
        );
    }

    #[test]
    fn a_short_code_is_not_found_in_a_longer_number() {
        assert!(found(Kind::Code, "4417", "order 914417 of 44170").is_empty());
    }

    #[test]
    fn what_is_masked_counts_in_small_letters_also_if_it_is_a_name() {
        let values = [(Kind::Person, "Lee Winter"), (Kind::Other, "winter")];
        for order in [[0, 1], [1, 0]] {
            let known = Known::new(order.map(|at| (values[at].0, values[at].1.to_owned())).to_vec()).unwrap();
            let found = known.find(&Prepared::new("close the winter garden").unwrap());
            assert!(found.iter().any(|finding| finding.weight == Weight::Known), "{order:?}");
        }
    }

    proptest! {
        #[test]
        fn separators_and_case_hide_nothing(value in "[A-Z]{2}[0-9]{2}[A-Z]{3}", gap in "[ .-]{0,2}", cut in 1usize..6) {
            let text = format!("van {}{gap}{} left", value[..cut].to_lowercase(), &value[cut..]);
            prop_assert_eq!(found(Kind::Vehicle, &value, &text).len(), 1);
        }
    }
}
