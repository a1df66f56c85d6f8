//! Which words say nothing about anybody: ordinary English, embedded and looked up in place.
//!
//! The lists are sorted lines, searched by bisection over the embedded bytes; of each pair of first
//! letters it is noted once where its words stand. Their sources and licences stand in `words/LICENCE.txt`.

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
    let (function, name_like, ordinary) = &*INDICES;
    if function.narrow(FUNCTION, word).binary_search(&word).is_ok() {
        Word::Function
    } else if line_in(name_like.narrow_text(NAME_LIKE, word), word) {
        Word::NameLike
    } else if is_ordinary(ordinary, word) || stems(word).any(|stem| is_ordinary(ordinary, &stem)) {
        Word::Ordinary
    } else {
        Word::Unknown
    }
}

fn is_ordinary(index: &Index, word: &str) -> bool {
    line_in(index.narrow_text(ORDINARY, word), word)
}

/// Where in a sorted list the words with the same two first letters begin and end.
struct Index(Vec<(u32, u32)>);

static INDICES: LazyLock<(Index, Index, Index)> = LazyLock::new(|| {
    let lines = |text: &'static str| {
        let mut at = 0;
        Index::new(text.split_inclusive('\n').map(move |line| {
            at += line.len();
            (line.trim_end(), at - line.len(), at)
        }))
    };
    let function = FUNCTION.iter().enumerate().map(|(at, word)| (*word, at, at + 1));
    (Index::new(function), lines(NAME_LIKE), lines(ORDINARY))
});

impl Index {
    fn new<'w>(words: impl Iterator<Item = (&'w str, usize, usize)>) -> Self {
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mut index = vec![(0, 0); 26 * 27];
        for (word, from, to) in words {
            let range: &mut (u32, u32) = &mut index[Self::key(word)];
            if range.1 == 0 {
                range.0 = number(from);
            }
            range.1 = number(to);
        }
        Self(index)
    }

    /// Words of small Latin letters have a place each by their first two; all others share one.
    fn key(word: &str) -> usize {
        let letter = |at: usize| {
            word.as_bytes()
                .get(at)
                .map_or(0, |byte| usize::from(byte.wrapping_sub(b'a')).min(25) + 1)
        };
        27 * (letter(0).max(1) - 1) + letter(1)
    }

    fn range(&self, word: &str) -> std::ops::Range<usize> {
        self.0
            .get(Self::key(word))
            .map_or(0..0, |&(from, to)| from as usize..to as usize)
    }

    fn narrow<'l>(&self, list: &'l [&'l str], word: &str) -> &'l [&'l str] {
        list.get(self.range(word)).unwrap_or(list)
    }

    fn narrow_text(&self, list: &'static str, word: &str) -> &'static str {
        list.get(self.range(word)).unwrap_or(list)
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

/// One step back along regular English inflection.
fn stems(word: &str) -> impl Iterator<Item = String> {
    let mut found: Vec<String> = Vec::new();
    let mut cut = |suffix: &str, ends: &[&str]| {
        if let Some(base) = word.strip_suffix(suffix)
            && base.len() + ends.iter().map(|end| end.len()).max().unwrap_or(0) >= 3
        {
            found.extend(ends.iter().map(|end| format!("{base}{end}")));
            let mut last = base.bytes().rev();
            if suffix != "s" && suffix != "ly" && base.len() >= 4 && last.next() == last.next() {
                found.push(base[..base.len() - 1].to_owned());
            }
        }
    };
    cut("ies", &["y"]);
    cut("ied", &["y"]);
    cut("ed", &["e", ""]);
    cut("ing", &["", "e"]);
    cut("ly", &[""]);
    if ["ses", "xes", "zes", "ches", "shes", "oes"]
        .iter()
        .any(|end| word.ends_with(end))
    {
        cut("es", &[""]);
    }
    if !word.ends_with("ss") {
        cut("s", &[""]);
    }
    found.into_iter().filter(|stem| stem.len() >= 3)
}

/// Whether `list`, sorted lines, has the line `word`.
fn line_in(list: &str, word: &str) -> bool {
    let bytes = list.as_bytes();
    let (mut low, mut high) = (0, bytes.len());
    // INVARIANT (line starts): `low` and `high` are starts of lines or the end of the list.
    while low < high {
        let middle = low + (high - low) / 2;
        let start = bytes[low..middle]
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(low, |at| low + at + 1);
        let end = bytes[middle..high]
            .iter()
            .position(|&b| b == b'\n')
            .map_or(high, |at| middle + at);
        match bytes[start..end].cmp(word.as_bytes()) {
            std::cmp::Ordering::Equal => return !word.is_empty(),
            std::cmp::Ordering::Less => low = (end + 1).min(high),
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
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
        for list in [ORDINARY, NAME_LIKE] {
            let lines: Vec<&str> = list.lines().collect();
            assert!(lines.windows(2).all(|pair| pair[0] < pair[1]));
            for line in lines.iter().step_by(37) {
                assert!(line_in(list, line), "{line}");
                assert!(!line_in(list, &format!("{line}qz")));
            }
            assert!(line_in(list, lines[0]) && line_in(list, lines[lines.len() - 1]));
            assert!(!line_in(list, "") && !line_in(list, "zzzz") && !line_in(list, "\n"));
        }
        for list in [FUNCTION, ABBREVIATIONS] {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
