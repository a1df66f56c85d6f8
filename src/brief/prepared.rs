//! A text made ready for finding: folded to plain Latin letters, cut into words, with the way
//! back to the code points it came from.
//!
//! Folding (Unicode NFKD, UAX #15, then without marks) undoes what keeps a spelling from being
//! recognised: accents, full-width and mathematical letters, zero-width characters, soft hyphens,
//! words broken over lines, and letters of other scripts that look Latin (after UTS #39).

use super::scan::MASKED;
use super::tagger::{ByHash, hash, lists_of};
use super::words::{self, Word};
use std::borrow::Cow;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest text, in bytes: 1 MiB.
pub const MAX_TEXT: usize = 1024 * 1024;

/// A text made ready for finding.
#[derive(Debug)]
pub struct Prepared {
    /// The folded text; its case is kept.
    pub(crate) folded: String,
    /// The folded text in lower case, byte for byte beside `folded`.
    pub(crate) lower: String,
    /// For each byte of `folded`, and its end, the code point of the input it came from.
    origin: Vec<u32>,
    /// The words and numbers, in order.
    pub(crate) tokens: Vec<Token>,
    /// What was looked up of its words, by their hashes.
    seen: Seen,
}

/// What the lists say of words, by their hashes: what a word is, and the lists of names and cues it stands in.
type Seen = ByHash<(Word, u64)>;

/// A word or number.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Token {
    /// Where, in bytes of the folded text, without a possessive ending.
    pub(crate) at: Range<usize>,
    /// Where it ends together with its possessive ending.
    pub(crate) whole_end: usize,
    /// What the word list says.
    pub(crate) word: Word,
    /// A number for the word in small letters, and the lists of names and cues it stands in.
    pub(crate) hash: u64,
    pub(crate) lists: u64,
    /// It begins with a capital.
    pub(crate) capital: bool,
    /// It has capitals only, at least two.
    pub(crate) shouted: bool,
    /// It has a digit.
    pub(crate) digit: bool,
    /// It has a letter of another script than Latin, look-alikes too.
    pub(crate) foreign: bool,
    /// It begins a sentence, a line of a list or a heading, where a capital says nothing.
    pub(crate) first: bool,
    /// Its line is in capitals throughout, or has a capital on every word: case says nothing.
    pub(crate) caseless: bool,
}

/// The text cannot be read safely.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Too long.
    #[error("a text has at most {MAX_TEXT} bytes, this one has {0}: cut it")]
    TooLong(usize),
    /// A character that hides or reorders text.
    #[error(
        "the text has a character that hides or reorders what is read (U+{code:04X} in line {line}): remove it first"
    )]
    Hiding {
        /// The code point.
        code: u32,
        /// The line, from 1.
        line: usize,
    },
}

impl Prepared {
    /// Folds and cuts a text. Refuses what is longer than [`MAX_TEXT`] and has control
    /// characters (but tab, newline, carriage return), bidirectional controls or tag characters.
    pub fn new(text: &str) -> Result<Self, BadText> {
        if text.len() > MAX_TEXT {
            return Err(BadText::TooLong(text.len()));
        }
        Self::of_any_length(text)
    }

    /// As [`Prepared::new`], for a text whose length was judged before it grew by placeholders.
    pub(crate) fn of_any_length(text: &str) -> Result<Self, BadText> {
        Self::with_words(text, Seen::default())
    }

    /// The same for a text of which most words are those of this one.
    pub(crate) fn again(&self, text: &str) -> Result<Self, BadText> {
        Self::with_words(text, self.seen.clone())
    }

    fn with_words(text: &str, mut seen: Seen) -> Result<Self, BadText> {
        refuse_hiding(text)?;
        let (folded, origin, foreign) = fold(text);
        let lower = lower_in_place(&folded);
        let tokens = cut(&folded, &lower, &foreign, &mut seen);
        Ok(Self {
            folded,
            lower,
            origin,
            tokens,
            seen,
        })
    }

    /// The code points of the input that a range of bytes of the folded text came from.
    pub(crate) fn origin_of(&self, at: &Range<usize>) -> Range<usize> {
        let place = |byte: usize| self.origin.get(byte).map_or(0, |&point| point as usize);
        if at.is_empty() {
            return place(at.start)..place(at.start);
        }
        // Characters that folding dropped belong to what stands before them.
        place(at.start)..(place(at.end - 1) + 1).max(place(at.end))
    }

    /// A word in lower case, without its possessive ending.
    pub(crate) fn lower_of(&self, token: &Token) -> &str {
        &self.lower[token.at.clone()]
    }

    /// What stands between two neighbouring tokens.
    pub(crate) fn between(&self, left: &Token, right: &Token) -> &str {
        self.folded.get(left.whole_end..right.at.start).unwrap_or("")
    }

    /// The tokens that touch a range of the folded text.
    pub(crate) fn tokens_in(&self, at: &Range<usize>) -> &[Token] {
        let from = self.tokens.partition_point(|token| token.at.end <= at.start);
        let to = self.tokens.partition_point(|token| token.at.start < at.end);
        self.tokens.get(from..to.max(from)).unwrap_or(&[])
    }
}

/// Whether a character hides or reorders what is read.
pub(crate) fn hides(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// A text without the character that stands for what was masked: programs put it where a picture stood, and here it
/// would be passed over. Each becomes one that shows nothing, so that all places stay.
pub(crate) fn without_masks(text: &str) -> Cow<'_, str> {
    match text.contains(MASKED) {
        true => Cow::Owned(text.replace(MASKED, "\u{200B}")),
        false => Cow::Borrowed(text),
    }
}

/// A text without what hides or reorders what is read, nor the character of [`without_masks`]: breaks of lines and pages are new
/// lines, and in the place of all else stands what shows nothing.
pub(crate) fn without_hiding(text: &str) -> Cow<'_, str> {
    let replaced = |c: char| match c {
        '\u{B}' | '\u{C}' | '\u{85}' => '\n',
        c if hides(c) || c == MASKED => '\u{200B}',
        c => c,
    };
    match text.chars().all(|c| replaced(c) == c) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().map(replaced).collect()),
    }
}

fn refuse_hiding(text: &str) -> Result<(), BadText> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    if text.bytes().all(plain) {
        return Ok(());
    }
    let mut line = 1;
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            continue;
        }
        if hides(c) {
            return Err(BadText::Hiding { code: c as u32, line });
        }
        line += usize::from(c == '\n');
    }
    Ok(())
}

/// Folds; gives the folded text, the origin of each byte (and of the end), and which bytes are
/// letters of another script.
fn fold(text: &str) -> (String, Vec<u32>, Vec<bool>) {
    let mut folded = String::with_capacity(text.len());
    let mut origin = Vec::with_capacity(text.len() + 1);
    let mut foreign = Vec::with_capacity(text.len());
    // Bytes and code points up to here.
    let (mut at, mut point) = (0, 0_usize);
    let place = |point: usize| u32::try_from(point).unwrap_or(u32::MAX);
    while let Some(c) = text[at..].chars().next() {
        // Nearly every character of most texts is itself.
        let rest = &text.as_bytes()[at..];
        let plainly = rest.iter().take_while(|byte| byte.is_ascii() && **byte != b'-').count();
        if plainly > 0 {
            folded.push_str(&text[at..at + plainly]);
            origin.extend(place(point)..place(point + plainly));
            foreign.resize(folded.len(), false);
            (at, point) = (at + plainly, point + plainly);
            continue;
        }
        if let Some((bytes, points)) = broken_word(&text[..at], c, &text[at + c.len_utf8()..]) {
            (at, point) = (at + c.len_utf8() + bytes, point + 1 + points);
            continue;
        }
        let strange = c.is_alphabetic() && !is_plainly_latin(c);
        let mut push = |c: char| {
            folded.push(c);
            origin.resize(folded.len(), place(point));
            foreign.resize(folded.len(), strange);
        };
        if c == '-' {
            push(c);
        } else if !is_invisible(c) {
            for part in std::iter::once(c).nfkd().filter(|&part| !is_combining_mark(part)) {
                match plain(part) {
                    Plain::Char(c) => push(c),
                    Plain::Text(text) => text.chars().for_each(&mut push),
                }
            }
        }
        (at, point) = (at + c.len_utf8(), point + 1);
    }
    origin.push(place(point));
    (folded, origin, foreign)
}

/// The bytes and code points of the line break behind a hyphen inside a word.
fn broken_word(before: &str, hyphen: char, after: &str) -> Option<(usize, usize)> {
    if !matches!(hyphen, '-' | '\u{2010}' | '\u{AD}') || !before.ends_with(char::is_lowercase) {
        return None;
    }
    let breaks = || after.chars().take(16).take_while(|c| c.is_whitespace());
    let bytes = breaks().map(char::len_utf8).sum();
    let broken = breaks().any(|c| c == '\n') && after[bytes..].starts_with(char::is_lowercase);
    broken.then(|| (bytes, breaks().count()))
}

/// Characters that show nothing: those that may be ignored (`Default_Ignorable_Code_Point` of Unicode 17), and the blank
/// of Braille. Direction marks among them come with every pasted phone number.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

fn is_plainly_latin(c: char) -> bool {
    c.is_ascii()
        || matches!(c, '\u{AA}' | '\u{BA}' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}'
        | '\u{FB00}'..='\u{FB06}' | '\u{2160}'..='\u{217F}')
}

enum Plain {
    Char(char),
    Text(&'static str),
}

/// The plain Latin letter, digit or mark a character stands for or looks like.
fn plain(c: char) -> Plain {
    let text = match c {
        'ß' => "ss",
        'æ' => "ae",
        'Æ' => "Ae",
        'œ' => "oe",
        'Œ' => "Oe",
        'þ' => "th",
        'Þ' => "Th",
        '\u{2044}' => "/",
        _ => "",
    };
    if !text.is_empty() {
        return Plain::Text(text);
    }
    Plain::Char(match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2BC}' | '\u{2B9}' | '\u{2032}' | '\u{B4}' => '\'',
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '«' | '»' => '"',
        'ø' => 'o',
        'Ø' => 'O',
        'ł' => 'l',
        'Ł' => 'L',
        'đ' | 'ð' => 'd',
        'Đ' | 'Ð' => 'D',
        'ħ' => 'h',
        'Ħ' => 'H',
        'ı' => 'i',
        'ŋ' => 'n',
        // Cyrillic that looks Latin.
        'а' => 'a',
        'е' => 'e',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' => 'i',
        'ј' => 'j',
        'ѕ' => 's',
        'ԁ' => 'd',
        'һ' => 'h',
        'ԛ' => 'q',
        'ԝ' => 'w',
        'ӏ' => 'l',
        'к' => 'k',
        'м' => 'm',
        'т' => 't',
        'в' => 'b',
        'н' => 'h',
        'п' => 'n',
        'А' => 'A',
        'В' => 'B',
        'Е' => 'E',
        'К' => 'K',
        'М' => 'M',
        'Н' => 'H',
        'О' => 'O',
        'Р' => 'P',
        'С' => 'C',
        'Т' => 'T',
        'У' => 'Y',
        'Х' => 'X',
        'І' => 'I',
        'Ј' => 'J',
        'Ѕ' => 'S',
        'Ӏ' => 'I',
        // Greek that looks Latin.
        'α' => 'a',
        'ε' => 'e',
        'ι' => 'i',
        'κ' => 'k',
        'ν' => 'v',
        'ο' => 'o',
        'ρ' => 'p',
        'τ' => 't',
        'υ' => 'u',
        'χ' => 'x',
        'Α' => 'A',
        'Β' => 'B',
        'Ε' => 'E',
        'Ζ' => 'Z',
        'Η' => 'H',
        'Ι' => 'I',
        'Κ' => 'K',
        'Μ' => 'M',
        'Ν' => 'N',
        'Ο' => 'O',
        'Ρ' => 'P',
        'Τ' => 'T',
        'Υ' => 'Y',
        'Χ' => 'X',
        '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
        '\u{6F0}'..='\u{6F9}' => digit(c, '\u{6F0}'),
        '\u{966}'..='\u{96F}' => digit(c, '\u{966}'),
        c if c.is_whitespace() && c != '\t' => ' ',
        c => c,
    })
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(c as u32 - zero as u32, 10).unwrap_or(c)
}

/// Lower case where it keeps its length in bytes, so that offsets hold.
fn lower_in_place(text: &str) -> String {
    let mut lower = text.to_ascii_lowercase();
    if text.is_ascii() {
        return lower;
    }
    for (at, c) in text.char_indices().filter(|(_, c)| !c.is_ascii()) {
        let mut small = c.to_lowercase();
        if let (Some(one), None) = (small.next(), small.next())
            && one != c
            && one.len_utf8() == c.len_utf8()
        {
            lower.replace_range(at..at + c.len_utf8(), one.encode_utf8(&mut [0; 4]));
        }
    }
    lower
}

/// The words and numbers of a folded text.
fn words_of(folded: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = folded.as_bytes();
    // How long the letter or digit is that stands at a place.
    let letter = move |at: usize| match bytes.get(at) {
        Some(byte) if byte.is_ascii() => usize::from(byte.is_ascii_alphanumeric()),
        Some(_) => folded[at..]
            .chars()
            .next()
            .filter(|c| c.is_alphanumeric())
            .map_or(0, char::len_utf8),
        None => 0,
    };
    let mut at = 0;
    std::iter::from_fn(move || {
        while letter(at) == 0 {
            at += folded[at..].chars().next()?.len_utf8();
        }
        let start = at;
        loop {
            match letter(at) {
                0 if bytes.get(at) == Some(&b'\'') && folded[at + 1..].starts_with(char::is_alphabetic) => at += 1,
                0 => return Some(start..at),
                length => at += length,
            }
        }
    })
}

/// A word without `'s`, which is no part of a name. `O'Brien` stays whole.
fn without_possessive(lower: &str, whole: &Range<usize>) -> Range<usize> {
    match lower[whole.clone()].strip_suffix("'s") {
        Some(base) if !base.is_empty() => whole.start..whole.start + base.len(),
        _ => whole.clone(),
    }
}

/// The words of a text, folded and in small letters, as [`Prepared::lower_of`] gives them.
pub(crate) fn plain_words(text: &str) -> Result<Vec<String>, BadText> {
    if text.len() > MAX_TEXT {
        return Err(BadText::TooLong(text.len()));
    }
    refuse_hiding(text)?;
    let (folded, ..) = fold(text);
    let lower = lower_in_place(&folded);
    let words = words_of(&folded).map(|whole| lower[without_possessive(&lower, &whole)].to_owned());
    Ok(words.collect())
}

/// `seen` are words that were looked up before: most stand in a text more than once.
fn cut(folded: &str, lower: &str, foreign: &[bool], seen: &mut Seen) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(folded.len() / 5);
    for whole in words_of(folded) {
        let mut token = token(folded, lower, foreign, whole.clone(), seen);
        // The `s` of a possessive whose name was replaced.
        if &folded[whole.clone()] == "s" && folded[..whole.start].ends_with('\'') {
            token.word = Word::Function;
        }
        tokens.push(token);
    }
    mark_first(folded, &mut tokens);
    mark_caseless(folded, &mut tokens);
    tokens
}

/// Whether a word has figures, small letters, capitals.
fn sorts(text: &str) -> (bool, bool, bool) {
    let mut sorts = (false, false, false);
    if text.is_ascii() {
        for byte in text.bytes() {
            sorts.0 |= byte.is_ascii_digit();
            sorts.1 |= byte.is_ascii_lowercase();
            sorts.2 |= byte.is_ascii_uppercase();
        }
    } else {
        for c in text.chars() {
            sorts.0 |= c.is_numeric();
            sorts.1 |= c.is_lowercase();
            sorts.2 |= c.is_uppercase();
        }
    }
    sorts
}

fn token(folded: &str, lower: &str, foreign: &[bool], whole: Range<usize>, seen: &mut Seen) -> Token {
    let at = without_possessive(lower, &whole);
    let text = &folded[at.clone()];
    let (digit, small, capitals) = sorts(text);
    let foreign = foreign[at.clone()].contains(&true);
    let shouted = text.len() > 1 && !small && capitals;
    let number = hash(lower[at.clone()].as_bytes());
    let (mut kind, lists) = if digit || foreign {
        (Word::Unknown, lists_of(number))
    } else {
        *seen
            .entry(number)
            .or_insert_with(|| (words::look_up(&lower[at.clone()]), lists_of(number)))
    };
    if kind == Word::Unknown && shouted && words::is_common_abbreviation(text) {
        kind = Word::Ordinary;
    }
    if kind == Word::Unknown && !digit && folded[..at.start].ends_with('#') && is_run_together(text) {
        kind = Word::Ordinary;
    }
    // One letter: `a` and `I` are words, any other is an initial or a mark.
    if at.len() == 1 && !digit && !matches!(text, "a" | "A" | "I" | "i") {
        kind = Word::Unknown;
    }
    Token {
        capital: capitals && text.starts_with(char::is_uppercase),
        whole_end: whole.end,
        at,
        word: kind,
        hash: number,
        lists,
        shouted,
        digit,
        foreign,
        first: false,
        caseless: false,
    }
}

/// `#FamilyFirst`: ordinary words run together, each with its capital.
fn is_run_together(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| c.is_uppercase())
            .map_or(rest.len(), |(at, _)| at);
        let known = matches!(
            words::look_up(&rest[..end].to_ascii_lowercase()),
            Word::Function | Word::Ordinary
        );
        if !known || end < 2 {
            return false;
        }
        rest = &rest[end..];
    }
    true
}

fn mark_first(folded: &str, tokens: &mut [Token]) {
    let mut line_start = 0;
    for at in 0..tokens.len() {
        let gap_start = at.checked_sub(1).map_or(0, |before| tokens[before].whole_end);
        let gap = &folded[gap_start..tokens[at].at.start];
        if gap == " " && at > 0 {
            continue;
        }
        let newline = gap.rfind('\n');
        let trimmed = gap.trim_end_matches([' ', '\t', '"', '\'', '(', '[', '*', '_', '#', '>', '-', '\r', '\n']);
        let ends = match trimmed.chars().next_back() {
            // A full stop after an initial or a title ends no sentence.
            Some('.') => !at.checked_sub(1).is_some_and(|before| {
                let word = &folded[tokens[before].at.clone()];
                trimmed == "." && (word.chars().count() == 1 && tokens[before].capital || is_dotted_title(word))
            }),
            Some('!' | '?' | ':' | ';' | '|') => true,
            Some(')') => tokens[at.saturating_sub(1)].digit && gap.starts_with(')'),
            _ => false,
        };
        let fresh_line = newline.is_some_and(|newline| {
            let blank = gap.matches('\n').count() > 1;
            let marked = gap[newline..].contains(['#', '-', '*', '>', '|']);
            blank || marked || gap_start + newline - line_start < 60
        });
        let quoted = gap.ends_with('"') && gap.len() > 1;
        tokens[at].first = at == 0 || ends || fresh_line || quoted;
        if let Some(newline) = newline {
            line_start = gap_start + newline + 1;
        }
    }
}

fn is_dotted_title(word: &str) -> bool {
    matches!(
        word.to_ascii_lowercase().as_str(),
        "mr" | "mrs"
            | "ms"
            | "dr"
            | "prof"
            | "st"
            | "sgt"
            | "capt"
            | "lt"
            | "col"
            | "gen"
            | "rev"
            | "hon"
            | "jr"
            | "no"
    )
}

/// Marks the words of lines in which case says nothing, and runs of four shouted words.
fn mark_caseless(folded: &str, tokens: &mut [Token]) {
    let mut from = 0;
    while from < tokens.len() {
        let mut to = from + 1;
        while to < tokens.len() && !folded[tokens[to - 1].whole_end..tokens[to].at.start].contains('\n') {
            to += 1;
        }
        let line = &mut tokens[from..to];
        let words: Vec<&Token> = line.iter().filter(|t| !t.digit && t.at.len() > 1).collect();
        let capitals = words.iter().filter(|t| t.capital || t.word == Word::Function).count();
        let all_capital =
            words.len() >= 3 && capitals == words.len() && words.iter().filter(|t| t.capital).count() >= 3;
        if all_capital && words.len() <= 12 {
            line.iter_mut().for_each(|token| token.caseless = true);
        } else {
            let mut start = 0;
            for at in 0..=line.len() {
                if line.get(at).is_some_and(|t| t.shouted || t.digit || t.at.len() == 1) {
                    continue;
                }
                if line[start..at].iter().filter(|t| t.shouted).count() >= 4 {
                    line[start..at].iter_mut().for_each(|token| token.caseless = true);
                }
                start = at + 1;
            }
        }
        from = to;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> String {
        Prepared::new(text).unwrap().folded
    }

    #[test]
    fn disguises_are_undone() {
        assert_eq!(folded("Zoë Łukasz"), "Zoe Lukasz");
        assert_eq!(folded("Kow\u{200B}al\u{AD}ski"), "Kowalski");
        assert_eq!(folded("Kowal-\n  ski left"), "Kowalski left");
        assert_eq!(folded("Ｋｏｗａｌｓｋｉ １２３"), "Kowalski 123");
        assert_eq!(folded("Коwаlskі"), "Kowalski");
    }

    #[test]
    fn whatever_may_be_ignored_shows_nothing() {
        let ignored = regex::Regex::new(r"^\p{Default_Ignorable_Code_Point}$").unwrap();
        let all: Vec<char> = ('\0'..=char::MAX)
            .filter(|c| ignored.is_match(&c.to_string()))
            .collect();
        assert!(all.len() > 4000 && all.iter().all(|&c| is_invisible(c)));
        assert_eq!(folded("Ko\u{1D173}w\u{2065}al\u{FFF0}s\u{2800}k\u{1BCA0}i"), "Kowalski");
    }

    #[test]
    fn ranges_lead_back_to_the_code_points() {
        let text = "é\u{200B} Zoe\u{301}\u{200B}x end";
        let prepared = Prepared::new(text).unwrap();
        assert_eq!(prepared.folded, "e Zoex end");
        assert_eq!(prepared.origin_of(&(0..1)), 0..2);
        assert_eq!(prepared.origin_of(&(2..6)), 3..9);
        assert_eq!(prepared.origin_of(&(7..10)), 10..13);
    }

    #[test]
    fn text_that_hides_is_refused() {
        for hiding in ["\u{202E}", "\u{0}", "\u{1B}", "\u{E0041}", "\u{7F}", "\u{85}"] {
            let found = Prepared::new(&format!("one\ntwo{hiding}")).unwrap_err();
            assert!(matches!(found, BadText::Hiding { line: 2, .. }), "{hiding:?}");
        }
        assert!(Prepared::new("tab\t return\r\n").is_ok());
        assert_eq!(
            Prepared::new(&"x".repeat(MAX_TEXT + 1)).unwrap_err(),
            BadText::TooLong(MAX_TEXT + 1)
        );
    }

    #[test]
    fn sentence_starts_are_seen() {
        let prepared = Prepared::new("Ask Mr. Hill at A. Rivers. Then leave: Go\n- Item one\n1) Next").unwrap();
        let first: Vec<&str> = prepared
            .tokens
            .iter()
            .filter(|t| t.first)
            .map(|t| &prepared.folded[t.at.clone()])
            .collect();
        assert_eq!(first, ["Ask", "Then", "Go", "Item", "1", "Next"]);
    }

    proptest! {
        #[test]
        fn every_origin_lies_in_the_text(text in "\\PC{0,40}[a-zé\u{301}\u{200B}\n -]{0,40}") {
            if let Ok(prepared) = Prepared::new(&text) {
                let points = text.chars().count();
                for token in &prepared.tokens {
                    let at = prepared.origin_of(&token.at);
                    prop_assert!(at.start < at.end && at.end <= points);
                }
                prop_assert_eq!(prepared.folded.len(), prepared.lower.len());
            }
        }
    }
}
