//! Which words say nothing about anybody: ordinary English, embedded and looked up in place.
//!
//! The lists are lines of the embedded bytes; a table says by a word's hash where its line begins. Their sources and
//! licences stand in `words/LICENCE.txt`.

use super::tagger::hash;
use std::sync::LazyLock;

static ORDINARY: &str = include_str!("words/ordinary.txt");
static NAME_LIKE: &str = include_str!("words/name_like.txt");

/// What a word is, by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// Grammar, numerals and the commonest words: never a name by itself.
    Function,
    /// An ordinary English word.
    Ordinary,
    /// An ordinary word that is also a name: `mark`, `rose`.
    NameLike,
    /// Not in the list.
    Unknown,
}

/// The longest word that can be ordinary, in bytes.
const MAX_WORD: usize = 32;

/// Looks up a lower-case word without accents; `don't` and `team's` count as `do` and `team`.
pub(crate) fn look_up(word: &str) -> Word {
    if word.len() > MAX_WORD {
        return Word::Unknown;
    }
    let word = without_contraction(word);
    let table = &*TABLE;
    match table.first(word) {
        Some(kind) => kind,
        None if any_stem(word, |stem| table.is_ordinary(stem)) => Word::Ordinary,
        None => Word::Unknown,
    }
}

/// Where each word of the lists stands, found by its hash.
struct Table(Vec<u32>);

/// How many places the table has: twice as many as there are words, and a power of two.
const PLACES: usize = 1 << 17;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table(vec![0; PLACES]);
    // Of a word that stands in several lists the first says what it is.
    for (at, word) in FUNCTION.iter().enumerate() {
        table.put(word, at, Word::Function);
    }
    for (text, kind) in [(NAME_LIKE, Word::NameLike), (ORDINARY, Word::Ordinary)] {
        let mut at = 0;
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            table.put(line, at, kind);
            at += line.len() + 1;
        }
    }
    table
});

impl Table {
    #[allow(clippy::cast_possible_truncation)]
    fn start(word: &str) -> usize {
        hash(word.as_bytes()) as usize
    }

    fn put(&mut self, word: &str, at: usize, kind: Word) {
        let place = (Self::start(word)..).map(|place| place % PLACES);
        let free = place.take(PLACES).find(|&place| self.0[place] == 0);
        if let (Some(free), Ok(at)) = (free, u32::try_from(at)) {
            self.0[free] = 4 * at + 1 + kind as u32;
        }
    }

    /// What the lists say of a word, in their order.
    fn all(&self, word: &str) -> impl Iterator<Item = Word> {
        let places = (Self::start(word)..).map(|place| self.0[place % PLACES]);
        let entries = places.take_while(|&entry| entry != 0).map(|entry| entry - 1);
        entries.filter_map(move |entry| {
            let at = (entry / 4) as usize;
            let line = |text: &'static str, kind| {
                let rest = text.as_bytes().get(at..)?.strip_prefix(word.as_bytes())?;
                rest.starts_with(b"\n").then_some(kind)
            };
            match entry % 4 {
                0 => FUNCTION.get(at).filter(|known| **known == word).map(|_| Word::Function),
                1 => line(ORDINARY, Word::Ordinary),
                _ => line(NAME_LIKE, Word::NameLike),
            }
        })
    }

    fn first(&self, word: &str) -> Option<Word> {
        self.all(word).next()
    }

    fn is_ordinary(&self, word: &str) -> bool {
        self.all(word).any(|kind| kind == Word::Ordinary)
    }
}

/// The ordinary words that are also names.
#[cfg(feature = "training")]
pub(crate) fn name_like() -> impl Iterator<Item = &'static str> {
    NAME_LIKE.lines()
}

/// Ordinary words by their places in the list, the ones that are long, short or inflected passed over.
#[cfg(feature = "training")]
pub(crate) fn ordinary() -> impl Iterator<Item = &'static str> {
    let plain =
        |word: &&str| (3..10).contains(&word.len()) && !["s", "ed", "ing", "ly"].iter().any(|end| word.ends_with(end));
    ORDINARY.lines().filter(plain)
}

/// Abbreviations that stand in capitals in anybody's notes.
pub(crate) fn is_common_abbreviation(upper: &str) -> bool {
    ABBREVIATIONS.binary_search(&upper).is_ok()
}

/// A word without `'s`, `n't`, `'ll` and their like.
pub(crate) fn without_contraction(word: &str) -> &str {
    if !word.contains('\'') {
        return word;
    }
    for end in ["n't", "'s", "'ll", "'re", "'ve", "'d", "'m", "'"] {
        if let Some(base) = word.strip_suffix(end)
            && !base.is_empty()
        {
            return match base {
                "ca" if end == "n't" => "can",
                "wo" if end == "n't" => "will",
                base => base,
            };
        }
    }
    word
}

/// Whether one step back along regular English inflection leads to a word that is right.
fn any_stem(word: &str, is_right: impl Fn(&str) -> bool) -> bool {
    let mut stem = String::with_capacity(MAX_WORD + 1);
    let mut cut = |suffix: &str, ends: &[&str]| {
        let Some(base) = word.strip_suffix(suffix) else {
            return false;
        };
        if base.len() + ends.iter().map(|end| end.len()).max().unwrap_or(0) < 3 {
            return false;
        }
        let mut right = |base: &str, end: &str| {
            stem.clear();
            stem.push_str(base);
            stem.push_str(end);
            stem.len() >= 3 && is_right(&stem)
        };
        let mut last = base.bytes().rev();
        let doubled = suffix != "s" && suffix != "ly" && base.len() >= 4 && last.next() == last.next();
        ends.iter().any(|end| right(base, end))
            || doubled && base.get(..base.len() - 1).is_some_and(|base| right(base, ""))
    };
    let hissing = ["ses", "xes", "zes", "ches", "shes", "oes"];
    cut("ies", &["y"])
        || cut("ied", &["y"])
        || cut("ed", &["e", ""])
        || cut("ing", &["", "e"])
        || cut("ly", &[""])
        || hissing.iter().any(|end| word.ends_with(end)) && cut("es", &[""])
        || !word.ends_with("ss") && cut("s", &[""])
}

#[rustfmt::skip]
/// Grammar, numerals and the commonest words, sorted.
static FUNCTION: &[&str] = &[
    "a", "about", "above", "access", "after", "afternoon", "again", "against", "all", "along", "also", "although",
    "always", "am", "among", "an", "and", "another", "any", "are", "around", "as", "ask", "asked", "at", "away",
    "back", "bad", "be", "because", "been", "before", "being", "below", "between", "big", "both", "but", "by", "call",
    "called", "came", "can", "car", "case", "client", "code", "come", "could", "dare", "day", "december", "did", "do",
    "does", "doing", "done", "door", "down", "dr", "driver", "during", "each", "early", "east", "eight", "email",
    "etc", "even", "evening", "ever", "every", "far", "february", "few", "first", "five", "floor", "for", "four",
    "friday", "from", "gate", "gave", "get", "give", "given", "go", "gone", "good", "got", "guard", "had", "has",
    "have", "having", "he", "her", "here", "hers", "herself", "high", "him", "himself", "his", "home", "hour",
    "house", "how", "i", "id", "if", "in", "into", "is", "it", "its", "itself", "january", "july", "just", "keep",
    "kept", "key", "keys", "knew", "know", "known", "last", "late", "left", "let", "long", "low", "made", "main",
    "make", "man", "many", "may", "me", "men", "might", "mine", "minute", "monday", "month", "more", "morning",
    "most", "mr", "mrs", "ms", "much", "must", "my", "myself", "near", "need", "never", "new", "next", "night",
    "nine", "no", "nor", "north", "not", "note", "notes", "november", "october", "of", "off", "office", "officer",
    "often", "ok", "old", "on", "once", "one", "only", "onto", "or", "other", "ought", "our", "ours", "out", "over",
    "own", "people", "per", "person", "phone", "please", "police", "put", "right", "road", "room", "said", "same",
    "saturday", "say", "second", "see", "seen", "september", "seven", "shall", "she", "short", "should", "since",
    "sir", "site", "six", "small", "so", "some", "south", "staff", "still", "street", "such", "sunday", "take",
    "taken", "team", "ten", "than", "that", "the", "their", "theirs", "them", "themselves", "then", "there", "these",
    "they", "think", "third", "this", "those", "though", "thought", "three", "through", "thursday", "till", "time",
    "to", "today", "tomorrow", "too", "took", "tuesday", "two", "under", "unless", "until", "up", "upon", "us", "use",
    "used", "van", "very", "via", "was", "we", "wednesday", "week", "went", "were", "west", "what", "when", "where",
    "whether", "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "woman", "women",
    "would", "year", "yes", "yesterday", "yet", "you", "your", "yours", "yourself",
];

#[rustfmt::skip]
/// Sorted.
static ABBREVIATIONS: &[&str] = &[
    "AC", "ADHD", "AI", "AM", "API", "ASAP", "ATM", "BMW", "BST", "CAD", "CCTV", "CEO", "CFO", "CIA", "CID", "CPR",
    "CTO", "CV", "DNA", "DOB", "DVD", "EMS", "ETA", "ETD", "EU", "EV", "FAO", "FAQ", "FAX", "FBI", "FYI", "GDPR",
    "GMT", "GP", "GPS", "HQ", "HR", "HVAC", "IBAN", "ICE", "ID", "IDS", "IP", "IT", "KYC", "LAN", "LED", "MOT", "NB",
    "NDA", "NFA", "NGO", "NHS", "NINO", "NO", "OK", "ONS", "OS", "PA", "PDF", "PIN", "PINS", "PM", "POA", "POC",
    "PPE", "PS", "QA", "QR", "RE", "RFID", "RIB", "RTA", "RV", "SIM", "SMS", "SOP", "SOS", "SSN", "SUV", "TBA", "TBC",
    "TBD", "TLP", "TV", "UHF", "UK", "UN", "UPS", "US", "USA", "USB", "UTC", "VAT", "VHF", "VIN", "VIP", "VIPS",
    "VPN", "VRM", "WC", "WIFI",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn inflections_of_ordinary_words_are_ordinary() {
        for word in "walked gates carries carried stopping making quickly boxes doors reported cameras".split(' ') {
            assert_ne!(look_up(word), Word::Unknown, "{word}");
        }
    }

    #[test]
    fn names_are_not_ordinary() {
        for word in "kowalski okonkwo jessica liam basil's-x oslo".split(' ') {
            assert_eq!(look_up(word), Word::Unknown, "{word}");
        }
        for word in ["rose", "grace", "hunter", "sayed", "hamed", "laden", "max"] {
            assert_eq!(look_up(word), Word::NameLike, "{word}");
        }
    }

    #[test]
    fn contractions_count_as_their_word() {
        for word in ["don't", "can't", "won't", "team's", "they've"] {
            assert!(matches!(look_up(word), Word::Function | Word::Ordinary), "{word}");
        }
    }

    #[test]
    fn every_line_is_found_and_neighbours_are_not() {
        for (list, kind) in [(ORDINARY, Word::Ordinary), (NAME_LIKE, Word::NameLike)] {
            let lines: Vec<&str> = list.lines().collect();
            assert!(lines.windows(2).all(|pair| pair[0] < pair[1]));
            for line in lines {
                assert!(TABLE.all(line).any(|of| of == kind), "{line}");
                assert_eq!(TABLE.first(&format!("{line}qz")), None);
            }
        }
        assert!(["", "zzzz", "\n"].iter().all(|none| TABLE.first(none).is_none()));
        assert!(FUNCTION.iter().all(|word| TABLE.first(word) == Some(Word::Function)));
        for list in [FUNCTION, ABBREVIATIONS] {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
