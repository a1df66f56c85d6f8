//! Where in a text an identifier can begin: its words are looked at once, so that no pattern has to run over all of it.
//!
//! A pattern is tried at the places that its [`Begin`] names and nowhere else. What it finds is what it would find if it
//! ran over the whole text: the tests hold the two side by side.

use super::prepared::Prepared;
use super::tagger::{ByHash, hash};
use std::ops::Range;
use std::sync::LazyLock;

/// Where the matches of a pattern can begin.
#[derive(Clone, Copy)]
pub(super) enum Begin {
    /// Anywhere, in a text that has what every match has.
    In(fn(&Places<'_>) -> bool),
    /// At these places, in order. The pattern has no boundary of a word before it, the places see to that.
    At(fn(&Places<'_>) -> Vec<usize>),
    /// At words of this list.
    Cue(u32),
}

/// Words with which patterns begin, a bit for each list.
pub(super) mod cue {
    pub(in crate::brief) const SECRET: u32 = 1;
    pub(in crate::brief) const PASSWORD: u32 = 1 << 1;
    pub(in crate::brief) const QUOTED: u32 = 1 << 2;
    pub(in crate::brief) const WORD: u32 = 1 << 3;
    pub(in crate::brief) const AGED: u32 = 1 << 4;
    pub(in crate::brief) const OLD: u32 = 1 << 5;
    pub(in crate::brief) const ALIAS: u32 = 1 << 6;
    pub(in crate::brief) const BIRTH: u32 = 1 << 7;
    pub(in crate::brief) const PLATE: u32 = 1 << 8;
    pub(in crate::brief) const PHONE: u32 = 1 << 9;
    pub(in crate::brief) const CODE: u32 = 1 << 10;
    pub(in crate::brief) const NUMBER: u32 = 1 << 11;
    pub(in crate::brief) const MONEY: u32 = 1 << 12;
    pub(in crate::brief) const MONTH: u32 = 1 << 13;
    pub(in crate::brief) const FLAT: u32 = 1 << 14;
    pub(in crate::brief) const WAY: u32 = 1 << 15;
    pub(in crate::brief) const TOP: u32 = 1 << 16;
    pub(in crate::brief) const DOT: u32 = 1 << 17;
    pub(in crate::brief) const LINK: u32 = 1 << 18;
    pub(in crate::brief) const POSITION: u32 = 1 << 19;
}

/// The lists: a word of letters, figures and `_` with which an alternative of the pattern begins, whole.
const CUES: [(u32, &str); 20] = [
    (
        cue::SECRET,
        "password passwords passwd passphrase pass pwd passcode log login user username wi wifi api pre preshared psk \
         secret code codeword duress challenge",
    ),
    (
        cue::PASSWORD,
        "password passwords passphrase code codeword safe safeword",
    ),
    (
        cue::QUOTED,
        "password phrase code codeword safe safeword challenge countersign counterphrase reply answer",
    ),
    (cue::WORD, "the his her our their new old today all allclear"),
    (cue::AGED, "age aged turns turned"),
    (cue::OLD, "a one ninety hundred"),
    (
        cue::ALIAS,
        "call callsign codename code alias a ak aka handle nick nickname screen",
    ),
    (cue::BIRTH, "dob d born date birth birthdate birthday"),
    (
        cue::PLATE,
        "reg registration plate plates number numberplate license licence vrm index rego tag",
    ),
    (
        cue::PHONE,
        "ext extension tel telephone phone mobile cell fax mob pager whatsapp ring call text",
    ),
    (
        cue::CODE,
        "pin pins passcode key keycode keycodes code codes combination combo safe alarm otp cvv cvc puk keypad padlock",
    ),
    (
        cue::NUMBER,
        "badge badges serial serials asset case ref refs reference account acct a policy license licence passport id \
         identity dossier ticket file invoice order booking incident crime complaint application applications no nos imei \
         imsi iccid vin chassis frame tracking parcel member membership employee staff payroll warrant collar shoulder \
         custody patient mrn nhs tax vat ssn sin nino ni national social bsn tin docket claim contract permit visa \
         certificate cert key fob locker laptop phone device sim card number",
    ),
    (
        cue::MONEY,
        "eur usd gbp chf cad aud jpy sek nok dkk pln inr try czk huf",
    ),
    (
        cue::MONTH,
        "jan january feb february mar march apr april may jun june jul july aug august sep sept september sepember oct \
         october nov november dec december",
    ),
    (cue::FLAT, "unit flat apartment apt suite ste"),
    (cue::WAY, "via rue calle rua piazza plaza avenida ul chemin"),
    (
        cue::TOP,
        "com org net edu gov mil int info biz io app dev ai me co uk eu de fr nl be ch at it es pt pl se no dk fi ie us \
         ca au nz jp cn in ru ua tv cc xyz site online shop onion local lan internal example test",
    ),
    (cue::DOT, "dot"),
    (cue::LINK, "www mailto"),
    (
        cue::POSITION,
        "coord coords coordinate coordinates gps position lat latitude lon longitude lng",
    ),
];

/// Words that are written together with another one that follows: `codeword`, `ninetyyears`.
const JOINED: [(u32, &str, &str); 2] = [
    (
        cue::WORD,
        "alarm panic safe code duress challenge pass check distress door gate all allclear",
        " word words phrase phrases",
    ),
    (cue::OLD, "ninety hundred", "year years yr yrs y yo"),
];

static LISTS: LazyLock<ByHash<u32>> = LazyLock::new(|| {
    let mut lists = ByHash::default();
    let mut add = |word: &str, bit: u32| *lists.entry(hash(word.as_bytes())).or_default() |= bit;
    for (bit, words) in CUES {
        words.split(' ').for_each(|word| add(word, bit));
    }
    for (bit, firsts, lasts) in JOINED {
        for last in lasts.split(' ') {
            firsts.split(' ').for_each(|first| add(&format!("{first}{last}"), bit));
        }
    }
    lists
});

/// What can begin an identifier in a text of which parts are blanked one after the other. A place of which the text was
/// blanked may still be named: no pattern matches there.
pub(super) struct Places<'t> {
    text: String,
    lower: &'t str,
    /// Words that begin with a figure, with a capital, and with something else but have a figure in them.
    numbers: Vec<usize>,
    capitals: Vec<usize>,
    mixed: Vec<usize>,
    /// Words of [`CUES`].
    cues: Vec<(usize, u32)>,
    /// `+` and brackets before figures; marks of currencies.
    signs: Vec<usize>,
    coins: Vec<usize>,
    /// Dots between two words.
    dots: Vec<usize>,
    ats: bool,
    lows: bool,
    slashes: bool,
    targets: bool,
    colons: bool,
}

/// What `\w` means: words are runs of these.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What the parts of a host between its dots are made of.
fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

impl<'t> Places<'t> {
    /// Looks at a text.
    pub(super) fn new(text: &'t Prepared) -> Self {
        let mut places = Self {
            text: text.folded.clone(),
            lower: &text.lower,
            numbers: Vec::new(),
            capitals: Vec::new(),
            mixed: Vec::new(),
            cues: Vec::new(),
            signs: Vec::new(),
            coins: Vec::new(),
            dots: Vec::new(),
            ats: false,
            lows: false,
            slashes: false,
            targets: false,
            colons: false,
        };
        places.note(0..text.folded.len());
        places
    }

    /// The text as it is now.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Lets parts of the text be blanked, whole characters, and looks at what is left of the words they were cut from.
    pub(super) fn blank(&mut self, blank: impl FnOnce(&mut [u8]) -> Vec<Range<usize>>) {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        let parts = blank(&mut bytes);
        self.text = String::from_utf8(bytes).unwrap_or_default();
        for at in parts {
            let word = |byte: &&u8| is_word(**byte);
            let before = self.bytes()[..at.start].iter().rev().take_while(word).count();
            let after = self.bytes()[at.end..].iter().take_while(word).count();
            self.note(at.start - before..at.start);
            self.note(at.end..at.end + after);
        }
        self.put_in_order();
    }

    /// What was noted late stands behind all else until here.
    fn put_in_order(&mut self) {
        for list in [&mut self.numbers, &mut self.capitals, &mut self.mixed] {
            if !list.is_sorted() {
                list.sort_unstable();
                list.dedup();
            }
        }
        if !self.cues.is_sorted() {
            self.cues.sort_unstable();
        }
    }

    fn note(&mut self, within: Range<usize>) {
        let lists = &*LISTS;
        let (mut at, mut colon) = (within.start, None);
        while at < within.end {
            let start = at;
            let mut figure = false;
            while at < within.end && is_word(self.bytes()[at]) {
                figure |= self.bytes()[at].is_ascii_digit();
                self.lows |= self.bytes()[at] == b'_';
                at += 1;
            }
            if at > start {
                self.note_word(start..at, figure, lists);
                continue;
            }
            let next = self.bytes().get(at + 1).copied().unwrap_or(0);
            match self.bytes()[at] {
                b'+' => self.signs.push(at),
                b'(' if next.is_ascii_digit() => self.signs.push(at),
                b'$' => self.coins.push(at),
                0xC2 if matches!(next, 0xA3 | 0xA5) => self.coins.push(at),
                0xE2 if next == 0x82 => self.coins.push(at),
                b'.' if is_label(next) && is_label(self.before(at, 1)) => self.dots.push(at),
                b'@' => self.ats = true,
                // `[at]`, `(dot)`
                b']' | b')' | b'}' => {
                    let before = self.lower.as_bytes().get(..at).unwrap_or_default();
                    self.ats |= before.ends_with(b"at") || before.ends_with(b"dot");
                    self.targets |= next == b'(';
                }
                b'/' => self.slashes |= next == b'/',
                b':' => {
                    self.colons |= colon.is_some_and(|colon| at - colon <= 5);
                    colon = Some(at);
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn note_word(&mut self, at: Range<usize>, figure: bool, lists: &ByHash<u32>) {
        let start = at.start;
        match self.bytes()[start] {
            b'0'..=b'9' => self.numbers.push(start),
            b'A'..=b'Z' => self.capitals.push(start),
            _ => {}
        }
        if figure {
            if !self.bytes()[start].is_ascii_digit() {
                self.mixed.push(start);
            }
            return;
        }
        let word = self.lower.as_bytes().get(at).unwrap_or_default();
        if word.len() > MAX_CUE {
            return;
        }
        if let Some(&bits) = lists.get(&hash(word)) {
            self.cues.push((start, bits));
        }
    }

    /// The words of a list.
    pub(super) fn cued(&self, list: u32) -> Vec<usize> {
        let listed = self.cues.iter().filter(|(_, bits)| bits & list != 0);
        listed.map(|&(at, _)| at).collect()
    }

    /// The words that begin with a figure and so on.
    fn numbers_with(&self, begins: impl Fn(&[u8]) -> bool) -> Vec<usize> {
        let good = |at: &usize| self.bytes()[*at].is_ascii_digit() && begins(&self.bytes()[*at..]);
        self.numbers.iter().copied().filter(good).collect()
    }

    fn capitals_with(&self, begins: impl Fn(&[u8]) -> bool) -> Vec<usize> {
        let good = |at: &usize| begins(&self.bytes()[*at..]);
        self.capitals.iter().copied().filter(good).collect()
    }

    fn before(&self, at: usize, back: usize) -> u8 {
        at.checked_sub(back).map_or(0, |at| self.bytes()[at])
    }

    /// Where the word begins that stands before a place but for one character.
    fn word_before(&self, at: usize) -> Option<usize> {
        let end = at.checked_sub(1)?;
        let length = self.bytes()[..end]
            .iter()
            .rev()
            .take_while(|&&byte| is_word(byte))
            .count();
        (length > 0).then_some(end - length)
    }
}

/// The longest word of a list.
const MAX_CUE: usize = 16;

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn digit(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_digit)
}

fn sorted(mut places: Vec<usize>, more: impl IntoIterator<Item = usize>) -> Vec<usize> {
    places.extend(more);
    places.sort_unstable();
    places
}

pub(super) fn is_anywhere(_: &Places<'_>) -> bool {
    true
}

pub(super) fn has_mail(places: &Places<'_>) -> bool {
    places.ats || !places.cued(cue::DOT).is_empty()
}

pub(super) fn has_at(places: &Places<'_>) -> bool {
    places.ats
}

pub(super) fn has_slashes(places: &Places<'_>) -> bool {
    places.slashes
}

pub(super) fn has_link(places: &Places<'_>) -> bool {
    places.slashes || !places.cued(cue::LINK).is_empty()
}

/// `example.org`: what stands last in a host, behind its dot.
pub(super) fn has_host(places: &Places<'_>) -> bool {
    let tops = places.cued(cue::TOP);
    tops.iter().any(|&at| matches!(places.before(at, 1), b'.' | b']'))
}

/// `](`: what a link or picture of Markdown points to.
pub(super) fn has_targets(places: &Places<'_>) -> bool {
    places.targets
}

/// `gate.report`: the word before each dot, with what hyphens join to it.
pub(super) fn at_dotted(places: &Places<'_>) -> Vec<usize> {
    let begins = places.dots.iter().filter_map(|&dot| {
        let start = dot
            - places.bytes()[..dot]
                .iter()
                .rev()
                .take_while(|byte| is_label(**byte))
                .count();
        let begin = |at: &usize| places.bytes()[*at] != b'-' && !is_word(places.before(*at, 1));
        (start..dot).find(begin)
    });
    let mut begins: Vec<usize> = begins.collect();
    begins.dedup();
    begins
}

pub(super) fn has_colons(places: &Places<'_>) -> bool {
    places.colons
}

pub(super) fn has_low_lines(places: &Places<'_>) -> bool {
    places.lows
}

/// `magpie-hollow-17`
pub(super) fn has_dashed(places: &Places<'_>) -> bool {
    let text = places.bytes();
    let dashed = |&at: &usize| {
        let after = &text[at + digits(&text[at..])..];
        places.before(at, 1) == b'-' && places.before(at, 2).is_ascii_lowercase()
            || after.first() == Some(&b'-') && after.get(1).is_some_and(u8::is_ascii_lowercase)
    };
    places.numbers.iter().any(dashed)
}

/// Twelve figures one after the other, a space or hyphen between two. In one pass: a text may be all numbers.
pub(super) fn has_long_number(places: &Places<'_>) -> bool {
    let (mut count, mut apart) = (0, false);
    places.bytes().iter().any(|&byte| {
        match byte {
            b'0'..=b'9' => (count, apart) = (count + 1, false),
            b' ' | b'-' if !apart => apart = true,
            _ => (count, apart) = (0, false),
        }
        count >= 12
    })
}

/// Six figures within sixteen characters.
pub(super) fn has_six_figures(places: &Places<'_>) -> bool {
    let many = |&at: &usize| {
        let near = places.bytes()[at..].iter().take(16);
        near.filter(|byte| byte.is_ascii_digit()).count() >= 6
    };
    places.numbers.iter().chain(&places.mixed).any(many)
}

/// Five figures behind a space.
pub(super) fn has_five_figures(places: &Places<'_>) -> bool {
    let five = |&at: &usize| places.before(at, 1) == b' ' && digits(&places.bytes()[at..]) == 5;
    places.numbers.iter().any(five)
}

/// A month by its whole name behind a space or hyphen.
pub(super) fn has_month(places: &Places<'_>) -> bool {
    let months = places.cued(cue::MONTH).into_iter();
    let mut shown = months.filter(|&at| places.bytes()[at].is_ascii_uppercase());
    shown.any(|at| matches!(places.before(at, 1), b' ' | b'-'))
}

pub(super) fn at_numbers(places: &Places<'_>) -> Vec<usize> {
    places.numbers_with(|_| true)
}

/// `192.0.…`
pub(super) fn at_network(places: &Places<'_>) -> Vec<usize> {
    places.numbers_with(|text| {
        let count = digits(text);
        count <= 3 && text.get(count) == Some(&b'.') && digit(text.get(count + 1))
    })
}

/// `34 years`, `a hundred`
pub(super) fn at_ages(places: &Places<'_>) -> Vec<usize> {
    sorted(places.numbers_with(|text| digits(text) <= 3), places.cued(cue::OLD))
}

/// `GB82`: two letters, two figures.
pub(super) fn at_account(places: &Places<'_>) -> Vec<usize> {
    let pair = |at: &usize| matches!(&places.bytes()[*at..], [a, b, c, d, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit());
    places.mixed.iter().copied().filter(pair).collect()
}

/// A number, what says or shows its currency, and that with a country before it: `US$`.
pub(super) fn at_money(places: &Places<'_>) -> Vec<usize> {
    let coins = places.coins.iter().flat_map(|&at| {
        let before = places
            .bytes()
            .get(at.saturating_sub(2)..at)
            .unwrap_or_default()
            .to_ascii_uppercase();
        let country = matches!(before.as_slice(), b"US" | b"NZ" | b"HK");
        let letter = matches!(before.last(), Some(b'A' | b'C'));
        [country.then(|| at - 2), letter.then(|| at - 1), Some(at)]
    });
    let glued = places.mixed.iter().copied().filter(|&at| {
        let word = places.lower.as_bytes().get(at..at + 3);
        word.is_some_and(|word| LISTS.get(&hash(word)).is_some_and(|bits| bits & cue::MONEY != 0))
    });
    let words = places.cued(cue::MONEY).into_iter();
    sorted(places.numbers_with(|_| true), words.chain(glued).chain(coins.flatten()))
}

/// `51.501`, `-0,142`, `51°`, `51 deg`
pub(super) fn at_position(places: &Places<'_>) -> Vec<usize> {
    let numbers = places.numbers_with(|text| {
        let count = digits(text);
        let rest = &text[count..];
        let spaced = matches!(rest.first(), Some(b' ' | b'\t' | b'\n' | b'\r'));
        let degrees = &rest[usize::from(spaced)..];
        let degrees = degrees.starts_with(&[0xC2, 0xB0])
            || degrees.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"deg"));
        count <= 3 && (degrees || matches!(rest.first(), Some(b'.' | b',')) && digits(&rest[1..]) >= 2)
    });
    let signed = numbers
        .iter()
        .filter(|&&at| matches!(places.before(at, 1), b'-' | b'+'));
    let signed: Vec<usize> = signed.map(|at| at - 1).collect();
    sorted(numbers, signed)
}

/// `w3w` and the like.
pub(super) fn at_three_words(places: &Places<'_>) -> Vec<usize> {
    let named = |at: &usize| {
        let word = places.lower.as_bytes().get(*at..).unwrap_or_default();
        word.starts_with(b"w3w") || word.starts_with(b"what3words")
    };
    places.mixed.iter().copied().filter(named).collect()
}

/// `31U DQ`, `TQ 300 800`
pub(super) fn at_grid(places: &Places<'_>) -> Vec<usize> {
    let zones = places.numbers_with(|text| {
        let count = digits(text);
        count <= 2 && text.get(count).is_some_and(u8::is_ascii_uppercase)
    });
    let squares = places.capitals_with(|text| matches!(text, [_, b'A'..=b'Z', b' ', b'0'..=b'9', ..]));
    sorted(zones, squares)
}

pub(super) fn at_dates(places: &Places<'_>) -> Vec<usize> {
    let numbers = places.numbers_with(|text| matches!(digits(text), 1 | 2 | 4));
    sorted(numbers, places.cued(cue::MONTH))
}

/// The word before a year, and the bracket.
pub(super) fn at_years(places: &Places<'_>) -> Vec<usize> {
    let years = places.numbers_with(|text| digits(text) >= 4 && matches!(text[0], b'1' | b'2'));
    let before = years.into_iter().filter_map(|at| match places.before(at, 1) {
        b'(' => Some(at - 1),
        b' ' | b'-' => places.word_before(at),
        _ => None,
    });
    before.collect()
}

/// The word before four figures.
pub(super) fn at_hours(places: &Places<'_>) -> Vec<usize> {
    let hours = places.numbers_with(|text| digits(text) == 4).into_iter();
    let behind = hours.filter(|&at| places.before(at, 1) == b' ');
    behind.filter_map(|at| places.word_before(at)).collect()
}

pub(super) fn at_phones(places: &Places<'_>) -> Vec<usize> {
    sorted(places.numbers_with(|_| true), places.signs.iter().copied())
}

/// A number, and capitals with a figure behind few more.
pub(super) fn at_plates(places: &Places<'_>) -> Vec<usize> {
    let marks = places.capitals_with(|text| {
        let mut rest = text
            .iter()
            .take(8)
            .skip_while(|&&byte| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'-'));
        digit(rest.next())
    });
    sorted(places.numbers_with(|_| true), marks)
}

pub(super) fn at_houses(places: &Places<'_>) -> Vec<usize> {
    sorted(places.numbers_with(|text| digits(text) <= 5), places.cued(cue::FLAT))
}

/// `PO Box`, `SW1A 1AA`, `1012 AB`
pub(super) fn at_districts(places: &Places<'_>) -> Vec<usize> {
    let marks = places.capitals_with(|text| {
        matches!(
            text,
            [b'P', b'O' | b'.', ..] | [b'B', b'o', b'x', ..] | [_, b'0'..=b'9', ..]
        ) || matches!(
            text,
            [_, b'A'..=b'Z', b'0'..=b'9', ..] | [_, b'A'..=b'Z', b' ', b'0'..=b'9', ..]
        )
    });
    sorted(places.numbers_with(|text| digits(text) == 4), marks)
}

/// Words with a figure, and what is written together with them before it: `x-ray/b2` begins at its `x`.
pub(super) fn at_figures(places: &Places<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    for &word in places.numbers.iter().chain(&places.mixed) {
        let mut at = word;
        found.push(at);
        while matches!(places.before(at, 1), b'-' | b'/' | b'.')
            && let Some(before) = places.word_before(at)
        {
            found.extend([at - 1, before]);
            let figure = places.bytes()[before..at].iter().any(u8::is_ascii_digit);
            at = before;
            // What stands before that one is tried for its own sake.
            if figure {
                break;
            }
        }
    }
    sorted(found, [])
}

/// `07 99 00`, `12-345`
pub(super) fn at_groups(places: &Places<'_>) -> Vec<usize> {
    places.numbers_with(|text| {
        let count = digits(text);
        count >= 2 && matches!(text.get(count), Some(b' ' | b'.' | b'-')) && digit(text.get(count + 1))
    })
}

/// Four figures by themselves.
pub(super) fn at_fours(places: &Places<'_>) -> Vec<usize> {
    places.numbers_with(|text| digits(text) == 4)
}
