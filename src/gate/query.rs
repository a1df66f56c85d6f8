//! What is searched for: words and phrases, found whatever their case and accents. It touches nothing but memory.

use super::Metadata;
use memchr::memmem::Finder;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};
use zeroize::Zeroizing;

/// The longest query, in characters: all of it goes into the entry.
const QUERY_MAX: usize = 200;

/// Why a query is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// No letter and no digit in it.
    #[error("there is nothing to search for: it takes a word, or a part of one from its beginning")]
    Empty,
    /// A phrase that does not end.
    #[error("a quotation mark is missing: a phrase stands between two")]
    Unclosed,
    /// Longer than an entry names.
    #[error("a search has at most {QUERY_MAX} characters")]
    TooLong,
}

/// Words and phrases, all of which must occur. A word finds every word that begins with it; a phrase, in quotation
/// marks, finds its words whole and one after the other.
pub struct Query(Vec<Term>);

/// Words one after the other, folded.
struct Term {
    words: Vec<String>,
    /// Whether the last word must end where it ends here.
    whole: bool,
    first: Finder<'static>,
}

impl Query {
    /// Reads a query as typed.
    pub fn parse(typed: &str) -> Result<Self, BadQuery> {
        if typed.chars().count() > QUERY_MAX {
            return Err(BadQuery::TooLong);
        }
        let parts: Vec<&str> = typed.split(['"', '“', '”', '„']).collect();
        // Between an even number of marks lies an odd number of parts, each second of them a phrase.
        if parts.len().is_multiple_of(2) {
            return Err(BadQuery::Unclosed);
        }
        let mut terms: Vec<Term> = Vec::new();
        for (n, part) in parts.into_iter().enumerate() {
            let phrase = n % 2 == 1;
            let chunks: Vec<&str> = if phrase {
                vec![part]
            } else {
                part.split_whitespace().collect()
            };
            for words in chunks.into_iter().map(words_of) {
                let known = |term: &Term| term.words == words && term.whole == phrase;
                if let Some(first) = words.first()
                    && !terms.iter().any(known)
                {
                    let first = Finder::new(first).into_owned();
                    let whole = phrase;
                    terms.push(Term { words, whole, first });
                }
            }
        }
        match terms.is_empty() {
            true => Err(BadQuery::Empty),
            false => Ok(Self(terms)),
        }
    }

    /// How often the query's words and phrases occur in a note; `None` if one of them does not.
    pub(super) fn matches(&self, metadata: &Metadata, text: &str) -> Option<u64> {
        let names = [&metadata.title, &metadata.client, &metadata.case].map(String::as_str);
        let fields: Vec<Zeroizing<String>> = metadata
            .fields
            .iter()
            .map(|(name, value)| Zeroizing::new(format!("{name}={value}")))
            .collect();
        let fields = fields.iter().map(|field| field.as_str());
        self.count([text].into_iter().chain(names).chain(fields))
    }

    /// How often the query's words and phrases occur in these texts together; `None` if one of them does not.
    fn count<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Option<u64> {
        let texts: Vec<Zeroizing<String>> = texts.map(|text| Zeroizing::new(fold(text))).collect();
        let mut all = 0;
        for term in &self.0 {
            let found: u64 = texts.iter().map(|text| term.count(text)).sum();
            if found == 0 {
                return None;
            }
            all += found;
        }
        Some(all)
    }
}

impl Term {
    fn count(&self, text: &str) -> u64 {
        let (mut count, mut from) = (0, 0);
        while let Some(at) = self.first.find(&text.as_bytes()[from..]) {
            let start = from + at;
            match self.end_at(text, start) {
                Some(end) => {
                    count += 1;
                    from = end;
                }
                None => from = start + 1,
            }
        }
        count
    }

    /// Where the term ends that begins at `start`, where its first word was found; `None` if it does not begin there.
    fn end_at(&self, text: &str, start: usize) -> Option<usize> {
        let mut end = start;
        for (n, word) in self.words.iter().enumerate() {
            if n > 0 {
                end = text.len() - text[end..].trim_start_matches(|c| !is_of_a_word(c)).len();
            }
            if parts_a_word(text, end) || !text[end..].starts_with(word.as_str()) {
                return None;
            }
            end += word.len();
        }
        (!self.whole || !parts_a_word(text, end)).then_some(end)
    }
}

/// The words of a folded text; each character of a script without spaces is one.
fn words_of(text: &str) -> Vec<String> {
    let text = fold(text);
    let mut words: Vec<String> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| is_of_a_word(*c)) {
        match words.last_mut().filter(|_| parts_a_word(&text, at)) {
            Some(word) => word.push(c),
            None => words.push(c.into()),
        }
    }
    words
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// Whether `at` lies inside a word.
fn parts_a_word(text: &str, at: usize) -> bool {
    let of_one = |c: Option<char>| c.is_some_and(|c| is_of_a_word(c) && !is_spaceless(c));
    of_one(text[..at].chars().next_back()) && of_one(text[at..].chars().next())
}

/// Of a script that puts no spaces between words: Thai, Lao, Burmese, Khmer, kana, Han.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// Case and accents folded, and what a keyboard has in several shapes: by this, names are compared and texts searched.
pub fn fold(text: &str) -> String {
    // Some characters grow; where it does not suffice, the text moves and leaves a copy that nobody wipes.
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let start = out.len();
        out.push_str(&rest[..plain]);
        out[start..].make_ascii_lowercase();
        rest = &rest[plain..];
        let mut chars = rest.chars();
        while let Some(c) = chars.next().filter(|c| !c.is_ascii()) {
            rest = chars.as_str();
            if !crate::brief::is_invisible(c) {
                decompose_compatible(c, |part| fold_part(part, &mut out));
            }
        }
    }
    out
}

fn fold_part(part: char, out: &mut String) {
    if is_combining_mark(part) {
        return;
    }
    for c in part.to_lowercase() {
        match c {
            // Letters that no decomposition takes apart.
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'ħ' => out.push('h'),
            'ŧ' => out.push('t'),
            'ı' => out.push('i'),
            'ς' => out.push('σ'),
            '\u{2018}' | '\u{2019}' | '\u{2BC}' => out.push('\''),
            '\u{2010}'..='\u{2015}' => out.push('-'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(query: &str, text: &str) -> Option<u64> {
        Query::parse(query).unwrap().count([text].into_iter())
    }

    #[test]
    fn case_accents_and_shapes_do_not_matter() {
        for (a, b) in [
            ("Šárka", "sarka"),
            ("e\u{301}te\u{301}", "ÉTÉ"),
            ("STRASSE", "Straße"),
            ("Łódź", "lodz"),
            ("Ørsted", "orsted"),
            ("İSTANBUL", "istanbul"),
            ("ﬁre", "FIRE"),
            ("ＬＸ６８", "lx68"),
            ("Νίκος", "ΝΙΚΟΣ"),
            ("O’Brien", "o'brien"),
            ("Okonjo‑Vale", "okonjo-vale"),
            ("so\u{AD}ft", "soft"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold("Mara"), fold("Mira"));
    }

    #[test]
    fn a_word_finds_what_begins_with_it() {
        let text = "The north gates were shut; the gate's lock, too. Investigate!";
        assert_eq!(count("gate", text), Some(2));
        assert_eq!(count("GATES", text), Some(1));
        assert_eq!(count("tigate", text), None);
        assert_eq!(count("\"gate\"", text), Some(1));
        assert_eq!(count("\"gates\"", text), Some(1));
        assert_eq!(count("960", "01632 960 418, not 01632960418"), Some(1));
    }

    #[test]
    fn all_must_occur_wherever_they_stand() {
        let query = Query::parse("gate kestrel \"north lane\"").unwrap();
        assert_eq!(query.count(["Gate 4", "a kestrel, North\nlane."].into_iter()), Some(3));
        assert_eq!(query.count(["Gate 4", "a kestrel, North"].into_iter()), None);
        // A phrase stands in one text.
        assert_eq!(query.count(["gate kestrel north", "lane"].into_iter()), None);
        assert_eq!(count("gate gate", "gate"), Some(1));
    }

    #[test]
    fn a_phrase_is_whole_words_in_a_row() {
        assert_eq!(
            count("\"north gate\"", "North -- gate, north gates, north the gate"),
            Some(1)
        );
        assert_eq!(count("“north gate”", "the north gate"), Some(1));
        // What is written together is a phrase that may go on.
        assert_eq!(
            count("okonjo-va", "Ms Okonjo-Vale, Okonjo Valerie, Okonjo of Vale"),
            Some(2)
        );
        assert_eq!(count("\"a a\"", "a a a a"), Some(2));
    }

    #[test]
    fn scripts_without_spaces_are_searched_inside() {
        assert_eq!(count("京都", "東京都の門"), Some(1));
        assert_eq!(count("\"門\"", "東京都の門を閉めた"), Some(1));
        assert_eq!(count("ประตู", "ปิดประตูแล้ว"), Some(1));
        assert_eq!(count("都東", "東京都"), None);
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for empty in ["", "  ", "\"\"", "- ,", "\u{301}"] {
            assert_eq!(Query::parse(empty).err(), Some(BadQuery::Empty), "{empty:?}");
        }
        assert_eq!(Query::parse("\"north gate").err(), Some(BadQuery::Unclosed));
        assert_eq!(Query::parse(&"é".repeat(201)).err(), Some(BadQuery::TooLong));
        assert!(Query::parse(&"é".repeat(200)).is_ok());
    }

    /// The same slowly: all words of the text, then the term at each of them.
    fn slowly(term: &Term, text: &str) -> u64 {
        let words = words_of(text);
        let (mut at, mut count) = (0, 0);
        while at + term.words.len() <= words.len() {
            let (last, before) = term.words.split_last().unwrap();
            let here = &words[at..at + term.words.len()];
            let (end, begin) = here.split_last().unwrap();
            let ends = if term.whole {
                end == last
            } else {
                end.starts_with(last.as_str())
            };
            if begin == before && ends {
                count += 1;
                at += term.words.len();
            } else {
                at += 1;
            }
        }
        count
    }

    proptest! {
        #[test]
        fn counting_agrees_with_counting_word_by_word(
            typed in "[ab山é\" -]{0,8}", text in "[abAé山 .\u{301}-]{0,40}"
        ) {
            if let Ok(query) = Query::parse(&typed) {
                let each: Vec<u64> = query.0.iter().map(|term| slowly(term, &text)).collect();
                let want = each.iter().all(|count| *count > 0).then(|| each.iter().sum::<u64>());
                prop_assert_eq!(query.count([text.as_str()].into_iter()), want);
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn no_query_and_no_text_make_it_panic(typed in any::<String>(), text in any::<String>()) {
            if let Ok(query) = Query::parse(&typed) {
                let _ = query.count([text.as_str()].into_iter());
            }
        }
    }
}
