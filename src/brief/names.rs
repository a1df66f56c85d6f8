//! Names by their look: capitals on words that are no ordinary words, words after titles, and
//! every other mention of what was found.
//!
//! These are rules of thumb. A trained tagger can stand beside them behind the same
//! [`Finder`]; the frame does not change.

use super::finding::{Finder, Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::tagger::{ByHash, has, hash};
use super::words::{self, Word};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Finds names by their look.
#[derive(Debug, Clone, Copy)]
pub struct Names;

impl Finder for Names {
    fn find(&self, text: &Prepared) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut from = 0;
        while from < text.tokens.len() {
            let to = run_end(text, from);
            if to > from {
                judge_run(text, from, to, &mut found);
                from = to;
            } else {
                lone_word(text, from, &mut found);
                from += 1;
            }
        }
        spelled_out(text, &mut found);
        found
    }
}

/// The end of the run of capitalised words that begins at `from`; `from` itself if there is none.
fn run_end(text: &Prepared, from: usize) -> usize {
    let tokens = &text.tokens;
    if !is_name_shaped(&tokens[from]) {
        return from;
    }
    let mut to = from + 1;
    while let Some(next) = tokens.get(to) {
        let gap = text.between(&tokens[to - 1], next);
        if !joins(gap, &tokens[to - 1]) || tokens[to - 1].whole_end != tokens[to - 1].at.end {
            break;
        }
        if is_name_shaped(next) && !(next.first && gap != "-") {
            to += 1;
            continue;
        }
        // A particle belongs to the run when a capital follows it.
        let particles = tokens[to..]
            .iter()
            .take(3)
            .take_while(|token| !token.capital && token.lists & has::PARTICLE != 0);
        let after = to + particles.count();
        let joined = after > to
            && tokens.get(after).is_some_and(|token| {
                is_name_shaped(token)
                    && !token.first
                    && token.word != Word::Function
                    && (to..after).all(|at| {
                        text.between(&tokens[at], &tokens[at + 1])
                            .trim_matches([' ', '-'])
                            .is_empty()
                    })
            })
            && !matches!(text.lower_of(next), "of" | "the");
        if !joined {
            break;
        }
        to = after + 1;
    }
    to
}

fn is_name_shaped(token: &Token) -> bool {
    token.capital && !token.digit
}

/// Whether what stands between two words lets them belong to one name.
fn joins(gap: &str, left: &Token) -> bool {
    let short = left.at.len() <= 4;
    matches!(gap, " " | "-" | "  " | "\n" | "\r\n" | " & " | "&") || (short && matches!(gap, ". " | "." | ".-" | ".\n"))
}

#[allow(clippy::too_many_lines)]
fn judge_run(text: &Prepared, from: usize, to: usize, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let mut from = from;
    if is_initials(text, from, to) {
        return push(text, from, to, true, found);
    }
    // Titles at the front, and the word before the run, say what follows.
    let mut honoured = from > 0 && is_title(text, from - 1, has::TITLE);
    let mut roled = from > 0 && (is_title(text, from - 1, has::ROLE) || is_apposed(text, from - 1));
    while from < to {
        let (word, lists) = (text.lower_of(&tokens[from]), tokens[from].lists);
        if lists & has::TITLE != 0 && (to - from > 1) && word != "st" {
            honoured = true;
        } else if lists & has::ROLE != 0 && to - from > 1 {
            roled = true;
        } else {
            break;
        }
        from += 1;
    }
    let labelled = from > 0 && is_label(text, from);
    // Grammar at either end is no name, except an initial-like `A`.
    while from < to && tokens[from].word == Word::Function && !honoured && !labelled {
        from += 1;
    }
    if from >= to {
        return;
    }
    let run = &tokens[from..to];
    let unknown = run.iter().filter(|t| t.word == Word::Unknown && t.at.len() > 1).count();
    let like = run.iter().filter(|t| t.word == Word::NameLike).count();
    let caseless = run.iter().any(|t| t.caseless);
    if labelled && run.iter().all(|t| !t.shouted || t.at.len() == 1) || (honoured || labelled) && !caseless {
        return push(text, from, to, honoured, found);
    }
    if unknown > 0 {
        return judge_unknown(text, from, to, honoured || roled, caseless, found);
    }
    let initials = run
        .iter()
        .filter(|t| t.at.len() == 1 && t.word == Word::Unknown)
        .count();
    let plain_first = run[0].first && run[0].word == Word::Ordinary;
    let inner = if plain_first { &run[1..] } else { run };
    let proper = inner.iter().all(|t| t.word == Word::NameLike || t.at.len() == 1);
    if caseless {
        if (like >= 2 || (like >= 1 && initials >= 1)) && proper && run.len() <= 3 {
            push(text, from, to, true, found);
        }
        return;
    }
    let start = from + usize::from(plain_first);
    if inner.is_empty() || (like == 0 && !roled) {
        return;
    }
    if roled && like > 0 {
        return push(text, start, to, true, found);
    }
    if like >= 2 || (like == 1 && inner.len() >= 2) {
        if !(run[0].first && like == 1 && run[0].word == Word::NameLike) {
            return push(text, start, to, proper, found);
        }
        if initials > 0 {
            return push(text, start, to, true, found);
        }
    } else if like == 1 && !inner[0].first && !inner[0].shouted {
        return push(text, start, to, proper, found);
    }
    // `Rose called`: whoever calls is somebody.
    let acts = tokens
        .get(to)
        .is_some_and(|next| next.lists & has::DEED != 0 && text.between(&tokens[to - 1], next) == " ");
    if acts && inner.iter().all(|t| t.word == Word::NameLike) {
        return push(text, start, to, true, found);
    }
    for token in inner.iter().filter(|t| t.word == Word::NameLike) {
        found.push(Finding::doubt(
            token.at.clone(),
            Kind::Person,
            "a word that is also a name",
        ));
    }
}

/// `J.K.`: initials with full stops, unless together they are an everyday abbreviation.
fn is_initials(text: &Prepared, from: usize, to: usize) -> bool {
    let run = &text.tokens[from..to];
    let letters: String = run.iter().map(|token| &text.folded[token.at.clone()]).collect();
    let dotted = run
        .iter()
        .all(|token| token.at.len() == 1 && text.folded[token.at.end..].starts_with('.'));
    run.len() >= 2 && dotted && !words::is_common_abbreviation(&letters)
}

/// A run with words that are in no word list: those, and what belongs to them.
fn judge_unknown(text: &Prepared, from: usize, to: usize, person: bool, caseless: bool, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let part_of_name = |at: usize| {
        let token = &tokens[at];
        if token.word == Word::Unknown {
            return true;
        }
        let hyphen = |left: usize, right: usize| {
            right < to
                && left >= from
                && text.between(&tokens[left], &tokens[right]) == "-"
                && (tokens[left].word == Word::Unknown || tokens[right].word == Word::Unknown)
        };
        let compound = (at > from && hyphen(at - 1, at)) || hyphen(at, at + 1);
        let beside = (at > from && tokens[at - 1].word == Word::Unknown)
            || (at + 1 < to && tokens[at + 1].word == Word::Unknown);
        match token.word {
            Word::NameLike => beside || compound || !token.first && !caseless,
            _ if caseless => compound,
            _ => compound || !token.first || person && at > from,
        }
    };
    let mut at = from;
    while at < to {
        if !part_of_name(at) {
            at += 1;
            continue;
        }
        let start = at;
        while at < to && part_of_name(at) {
            at += 1;
        }
        push(text, start, at, person, found);
    }
}

/// Whether the word at `at` is a title for the word after it.
fn is_title(text: &Prepared, at: usize, titles: u64) -> bool {
    let tokens = &text.tokens;
    let Some(next) = tokens.get(at + 1).filter(|_| tokens[at].lists & titles != 0) else {
        return false;
    };
    matches!(
        text.between(&tokens[at], next),
        " " | ". " | "." | "\n" | ": " | " \"" | " ("
    )
}

/// Whether `his wife, Rose`: a person's role, a comma, and who it is.
fn is_apposed(text: &Prepared, at: usize) -> bool {
    let tokens = &text.tokens;
    tokens
        .get(at + 1)
        .is_some_and(|next| text.between(&tokens[at], next) == ", ")
        && tokens[at].lists & has::ROLE != 0
}

/// Whether `Client:` or its like stands before the word at `at`.
fn is_label(text: &Prepared, at: usize) -> bool {
    static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:client|contact|name|surname|first name|last name|subject|witness|suspect|driver|officer|guard|victim|from|to|cc|attn|signed|reported by|author|patient|tenant|owner|principal|caller|visitor|holder|by)(?:'s name)?[ \t]*(?:[:=]|is:?|-)[ \t]*$|(?i)\b(?:ask for|my name is|name is|name of|gave the name|goes by|named|signed,?|regards,|speak to|spoke to|spoke with|met with|known as|referred to as)[ \t\n]+$").ok()
    });
    let start = text.tokens[at].at.start;
    let mut from = start.saturating_sub(40);
    while !text.folded.is_char_boundary(from) {
        from += 1;
    }
    LABEL
        .as_ref()
        .is_some_and(|label| label.is_match(&text.folded[from..start]))
}

/// Reports a run as a name; the words in and before it say of what.
fn push(text: &Prepared, from: usize, to: usize, person: bool, found: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let (Some(first), Some(last)) = (tokens.get(from), tokens.get(to - 1)) else {
        return;
    };
    let mut at = first.at.start..last.at.end;
    let any = |list: u64| tokens[from..to].iter().any(|token| token.lists & list != 0);
    let tail = tokens.get(to).zip(tokens.get(to + 1)).filter(|(and, next)| {
        matches!(text.lower_of(and), "and")
            && matches!(
                text.lower_of(next),
                "sons" | "partners" | "co" | "associates" | "daughters" | "company" | "brothers"
            )
            && text.between(last, and) == " "
    });
    if let Some((_, next)) = tail {
        at.end = next.at.end;
    }
    let before = from
        .checked_sub(1)
        .map(|at| text.lower_of(&tokens[at]))
        .unwrap_or_default();
    let lone_shout = to - from == 1 && first.shouted && !first.caseless && at.len() <= 6;
    let kind = if tail.is_some() || any(has::COMPANY) || (lone_shout && !person) {
        Kind::Organisation
    } else if person {
        Kind::Person
    } else if any(has::SITE) || matches!(before, "in" | "near" | "via" | "towards") {
        Kind::Place
    } else {
        Kind::Person
    };
    found.push(Finding::new(at, kind, Weight::Guess));
}

/// A word in small letters: a name only after a title, otherwise a doubt when no list has it.
fn lone_word(text: &Prepared, at: usize, found: &mut Vec<Finding>) {
    let token = &text.tokens[at];
    let addressed = at > 0
        && is_title(text, at - 1, has::TITLE)
        && matches!(text.lower_of(&text.tokens[at - 1]), "dr" | "mr" | "mrs" | "ms");
    if token.digit || (!addressed && !matches!(token.word, Word::Unknown | Word::NameLike)) || token.at.len() < 2 {
        return;
    }
    let announced = || is_title(text, at - 1, has::TITLE) || is_title(text, at - 1, has::KIN) || is_label(text, at);
    if token.foreign || addressed || (at > 0 && announced()) {
        found.push(Finding::new(token.at.clone(), Kind::Person, Weight::Guess));
    } else if token.word == Word::Unknown && !token.capital && token.lists & has::PARTICLE == 0 {
        found.push(Finding::doubt(token.at.clone(), Kind::Other, "a word in no word list"));
    }
}

/// Names given letter by letter: `K-O-W-A`, `k o w a`.
fn spelled_out(text: &Prepared, found: &mut Vec<Finding>) {
    let mut from = 0;
    while from < text.tokens.len() {
        let mut to = from;
        while text
            .tokens
            .get(to)
            .is_some_and(|token| token.at.len() == 1 && !token.digit)
            && (to == from || text.between(&text.tokens[to - 1], &text.tokens[to]).len() <= 2)
        {
            to += 1;
        }
        if to - from >= 4 {
            let at = text.tokens[from].at.start..text.tokens[to - 1].at.end;
            found.push(Finding::new(at, Kind::Person, Weight::Guess));
        }
        from = to.max(from + 1);
    }
}

/// Every other mention of the names found, and of their parts, anywhere in the text.
///
/// A part that is in no word list is found in any case; one that is an ordinary word only with a
/// capital; grammar and words for companies and places never.
pub(crate) fn spread(text: &Prepared, found: &[Finding]) -> Vec<Finding> {
    let mut parts: ByHash<(Kind, bool)> = ByHash::default();
    // `Day` of `Peter Day`: no sentence does without the word, so it counts where its capital says something.
    let mut within: ByHash<Kind> = ByHash::default();
    let key = |word: &str| hash(word.as_bytes());
    let values = found.iter().filter(|finding| {
        finding.weight > Weight::Doubt
            && matches!(
                finding.kind,
                Kind::Code | Kind::Number | Kind::Vehicle | Kind::Phone | Kind::Account
            )
    });
    for finding in values {
        // A code is found again whole; a word only if it is the whole code.
        if let [token] = text.tokens_in(&finding.at) {
            let word = text.lower_of(token);
            let digits = word.bytes().filter(u8::is_ascii_digit).count();
            if digits >= 3
                || digits >= 1 && word.len() >= 3
                || finding.kind == Kind::Code && digits == 0 && token.word != Word::Function && word.len() >= 4
            {
                parts.entry(key(word)).or_insert((finding.kind, false));
            }
        }
    }
    let names = found.iter().filter(|finding| {
        finding.weight > Weight::Doubt
            && matches!(
                finding.kind,
                Kind::Person | Kind::Alias | Kind::Client | Kind::Organisation | Kind::Place
            )
    });
    for finding in names {
        for token in text.tokens_in(&finding.at) {
            let word = text.lower_of(token);
            let general = token.lists & (has::COMPANY | has::SITE | has::ROLE) != 0;
            let spreads = match token.word {
                Word::Unknown => token.at.len() >= 3 || token.shouted && token.at.len() == 2,
                Word::NameLike => !general,
                // An ordinary word beside a name is seldom the name; alone, with a capital, it is.
                Word::Ordinary => {
                    finding.kind == Kind::Person
                        && token.capital
                        && !token.caseless
                        && !token.first
                        && !general
                        && token.at == finding.at
                }
                Word::Function => {
                    let calendar = token.lists & (has::CALENDAR | has::PARTICLE | has::TITLE) != 0;
                    let called = finding.kind == Kind::Person && token.at != finding.at && token.at.len() >= 3;
                    if called && is_proper(token) && !general && !calendar {
                        within.entry(key(word)).or_insert(finding.kind);
                    }
                    false
                }
            };
            if spreads && token.lists & (has::PARTICLE | has::TITLE) == 0 {
                parts
                    .entry(key(word))
                    .or_insert((finding.kind, token.word != Word::Unknown || token.at.len() == 2));
            }
        }
    }
    if parts.is_empty() && within.is_empty() {
        return Vec::new();
    }
    let mentions = text.tokens.iter().filter_map(|token| {
        let plural = || text.lower_of(token).strip_suffix('s').filter(|base| base.len() > 3);
        if let Some(&kind) = within.get(&token.hash).filter(|_| is_proper(token)) {
            return Some(Finding::new(token.at.clone(), kind, Weight::Guess));
        }
        let &(kind, capital_only) = parts.get(&token.hash).or_else(|| parts.get(&key(plural()?)))?;
        (token.capital || !capital_only).then(|| Finding::new(token.at.clone(), kind, Weight::Guess))
    });
    mentions.collect()
}

/// Whether a word has a capital where that says something.
pub(crate) fn is_proper(token: &Token) -> bool {
    token.capital && !token.first && !token.caseless && !token.shouted
}

/// Joins names that only a space, a hyphen or an initial's full stop keeps apart.
pub(crate) fn bridge(text: &Prepared, findings: Vec<Finding>) -> Vec<Finding> {
    let mut bridged: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let adjacent = |last: &Finding| {
            let gap: Range<usize> = last.at.end..finding.at.start;
            let before = text.folded[..last.at.end].char_indices().next_back();
            let initial = before.is_some_and(|(at, c)| {
                c.is_uppercase() && (at == last.at.start || text.folded[..at].ends_with([' ', '.']))
            });
            let names = last.kind == finding.kind
                && matches!(
                    finding.kind,
                    Kind::Person | Kind::Place | Kind::Organisation | Kind::Other
                );
            names
                && match text.folded.get(gap) {
                    Some(" " | "-" | "'") => true,
                    Some(". ") => initial,
                    _ => false,
                }
        };
        match bridged.last_mut() {
            Some(last) if adjacent(last) => last.at.end = finding.at.end,
            _ => bridged.push(finding),
        }
    }
    bridged
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::brief::finding::join;

    fn found(text: &str) -> Vec<String> {
        let prepared = Prepared::new(text).unwrap();
        let mut all = Names.find(&prepared);
        all.extend(spread(&prepared, &all));
        let all = bridge(&prepared, join(all));
        all.iter()
            .map(|finding| prepared.folded[finding.at.clone()].to_owned())
            .collect()
    }

    #[test]
    fn names_are_found_by_their_look() {
        assert_eq!(found("Guard Azra Okonkwo reported late."), ["Azra Okonkwo"]);
        assert_eq!(found("We told Mark that it is safe."), ["Mark"]);
        assert_eq!(found("Then Rose Rivers left."), ["Rose Rivers"]);
        assert_eq!(found("Mr Long came by."), ["Long"]);
        assert_eq!(found("A note from Dr. Hill."), ["Hill"]);
        assert_eq!(found("Client: Church Manor"), ["Church Manor"]);
        assert_eq!(
            found("Seen with Piet van der Meer-Stone yesterday."),
            ["Piet van der Meer-Stone"]
        );
        assert_eq!(found("Lawyer J. K. Okonkwo called."), ["J. K. Okonkwo"]);
        assert_eq!(found("SUBJECT AZRA OKONKWO SEEN AT THE DOOR."), ["AZRA OKONKWO"]);
        assert_eq!(found("The firm Okonkwo and Sons paid."), ["Okonkwo and Sons"]);
        assert_eq!(found("Ask for O'Brien."), ["O'Brien"]);
        assert_eq!(found("his wife hazel and mr long; a hazel"), ["hazel", "long"]);
        assert_eq!(found("signed by J.K. in the U.K. today"), ["J.K"]);
    }

    #[test]
    fn every_mention_follows() {
        assert_eq!(
            found("Azra Okonkwo called. Later okonkwo and the Okonkwos met."),
            ["Azra Okonkwo", "okonkwo", "Okonkwos"]
        );
        assert_eq!(found("We met Mark Okonkwo. Mark the door."), ["Mark Okonkwo", "Mark"]);
        assert_eq!(
            found("Then Azra Day called. Day by day she asks for Day in the DAY."),
            ["Azra Day", "Day"]
        );
    }

    #[test]
    fn ordinary_sentences_pass() {
        for plain in [
            "The guard walked to the North Gate and checked the CCTV.",
            "Please call before Monday; use the Main Entrance.",
            "Mark the door and leave. Will it hold? May we go?",
            "- Keep the keys\n- Check the alarm PIN",
        ] {
            assert_eq!(found(plain), Vec::<String>::new(), "{plain}");
        }
    }

    #[test]
    fn doubts_are_reported_and_do_not_mask() {
        let prepared = Prepared::new("Mark the door. The xylofrob is out.").unwrap();
        let doubts = Names.find(&prepared);
        assert_eq!(doubts.len(), 2);
        assert!(doubts.iter().all(|doubt| doubt.weight == Weight::Doubt));
    }

    #[test]
    fn letters_one_by_one_are_a_name() {
        assert_eq!(found("spelled k-o-w-a-l"), ["k-o-w-a-l"]);
    }
}
