//! What a tagger sees of a word: its form, its neighbours, its line, its text.
//!
//! Each thing seen becomes a number, a feature. Nothing is kept of the words themselves.

use super::gazetteer::has;
use crate::brief::finding::{Finding, Weight};
use crate::brief::prepared::{Prepared, Token};
use crate::brief::scan::MASKED;
use crate::brief::words::Word;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hasher for keys that are spread well already.
#[derive(Default, Clone, Copy)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// A table whose keys are hashes.
pub(crate) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// A number for some bytes (FNV-1a with a last stir).
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let sum = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    stir(sum, 1)
}

/// Puts one number into another.
pub(crate) fn stir(sum: u64, more: u64) -> u64 {
    let mixed = (sum.rotate_left(23) ^ more).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 29
}

/// What is seen of one word by itself.
#[derive(Clone, Copy, Default)]
struct Look {
    /// The word in small letters, its digits alike; and as it is.
    word: u64,
    whole: u64,
    shape: u64,
    /// The shape with runs shortened, and the length for numbers.
    form: u64,
    starts: [u64; 2],
    ends: [u64; 3],
    /// What the word list says of it, its case and how the text uses case.
    class: u64,
    case: u64,
    /// In which name lists it stands.
    lists: u64,
    /// Which pattern covers it, and what the rules for names say.
    pattern: u64,
    rule: u64,
    /// What stands before it.
    gap: u64,
    /// How else the word stands in the text.
    elsewhere: u64,
    /// The word its line is about, and where in the line it is.
    label: u64,
    place: u64,
    /// The last word that announces a code, and how far back it is.
    cue: u64,
    /// Whether it is a figure or a letter as it is spoken, and how many of them stand together.
    spoken: u64,
    digit: bool,
}

impl Look {
    fn sum(&self) -> u64 {
        let first = [
            self.word,
            self.whole,
            self.shape,
            self.form,
            self.starts[0],
            self.starts[1],
        ];
        let second = [
            self.ends[0],
            self.ends[1],
            self.ends[2],
            self.class << 8 | self.case,
            self.lists,
        ];
        let third = [
            self.pattern << 16 | self.rule << 8 | u64::from(self.digit),
            self.gap,
            self.elsewhere,
        ];
        let fourth = [self.label, self.place << 16 | self.spoken, self.cue];
        let fold = |parts: &[u64]| parts.iter().fold(0, |sum, part| stir(sum, *part));
        // Apart from each other, so that a processor can do them at once.
        let (first, second) = (fold(&first), fold(&second));
        stir(stir(first, second), stir(fold(&third), fold(&fourth)))
    }
}

/// What is said of a word at the edge of the text.
const EDGE: u64 = 0xED6E;

/// The features of each word. `patterns` and `named` are what the other finders
/// found; `hide` says of which words
/// neither the spelling nor the lists may be looked at: so a tagger is taught to do without.
#[cfg(feature = "training")]
pub(crate) fn features(
    text: &Prepared,
    patterns: &[Finding],
    named: &[Finding],
    hide: &dyn Fn(&str) -> bool,
    mut visit: impl FnMut(usize, &[u64]),
) {
    let mut all: Vec<u64> = Vec::with_capacity(64);
    let looks = Looks::new(text, patterns, named, hide);
    for at in 0..looks.len() {
        looks.features(at, &mut all);
        visit(at, &all);
    }
}

/// What is seen of all words of a text.
pub(crate) struct Looks {
    looks: Vec<Look>,
    /// A number for all that is seen of each word.
    sums: Vec<u64>,
    edge: Look,
}

impl Looks {
    pub(crate) fn new(text: &Prepared, patterns: &[Finding], named: &[Finding], hide: &dyn Fn(&str) -> bool) -> Self {
        let looks = looks(text, patterns, named, hide);
        let edge = Look {
            word: EDGE,
            shape: EDGE,
            form: EDGE,
            class: 15,
            case: 15,
            gap: EDGE,
            ..Look::default()
        };
        let sums = looks.iter().map(Look::sum).collect();
        Self { looks, sums, edge }
    }

    pub(crate) fn len(&self) -> usize {
        self.looks.len()
    }

    fn near(&self, at: usize, step: isize) -> &Look {
        at.checked_add_signed(step)
            .and_then(|at| self.looks.get(at))
            .unwrap_or(&self.edge)
    }

    /// A number for all that the features of a word are made of: two words with the same one have the same features.
    pub(crate) fn context(&self, at: usize) -> u64 {
        let sum = |step: isize| {
            at.checked_add_signed(step)
                .and_then(|at| self.sums.get(at))
                .copied()
                .unwrap_or(EDGE)
        };
        let far = [
            self.near(at, -3).word,
            self.near(at, -2).word,
            self.near(at, -2).lists,
            self.near(at, 2).word,
            self.near(at, 3).word,
        ];
        let near = stir(stir(sum(0), sum(-1)), sum(1));
        far.into_iter().fold(near, stir)
    }

    /// The features of a word, in place of what is in `all`.
    pub(crate) fn features(&self, at: usize, all: &mut Vec<u64>) {
        all.clear();
        one(&self.looks[at], |step| self.near(at, step), all);
    }
}

/// The features of one word.
fn one<'l>(here: &Look, near: impl Fn(isize) -> &'l Look, all: &mut Vec<u64>) {
    let (left, right, left2, right2) = (near(-1), near(1), near(-2), near(2));
    let mut kind = 0_u64;
    let mut add = |parts: &[u64]| {
        kind += 1;
        all.push(
            parts
                .iter()
                .fold(kind.wrapping_mul(0x5851_F42D_4C95_7F2D), |sum, &part| stir(sum, part)),
        );
    };
    let sort = |look: &Look| look.class << 8 | look.case;
    let here_sort = sort(here);
    // The word by itself.
    add(&[here.word]);
    add(&[here.word, here.case]);
    add(&[here.starts[0], here.class]);
    add(&[here.starts[1]]);
    add(&[here.ends[0], here.class]);
    add(&[here.ends[1], here_sort]);
    add(&[here.ends[2]]);
    add(&[here.shape, here.case]);
    add(&[here_sort]);
    add(&[here.lists, here.case]);
    add(&[here.lists, here_sort]);
    add(&[here.elsewhere, here_sort]);
    add(&[here.pattern, here.class]);
    add(&[here.rule, here_sort]);
    add(&[here.rule, here.lists]);
    add(&[here.form, here.digit.into()]);
    // Its neighbours.
    add(&[left.word]);
    add(&[right.word]);
    add(&[left2.word]);
    add(&[right2.word]);
    add(&[left.word, here_sort]);
    add(&[right.word, here_sort]);
    add(&[left2.word, left.word, u64::from(here.digit)]);
    add(&[right.word, right2.word, u64::from(here.digit)]);
    add(&[left.word, right.word]);
    add(&[left.word, here.form]);
    add(&[right.word, here.form]);
    add(&[left2.word, here.form]);
    add(&[left.shape, here.shape]);
    add(&[here.shape, right.shape]);
    add(&[sort(left), here_sort, sort(right)]);
    add(&[left.lists, here.lists, here.case]);
    add(&[here.lists, right.lists, here.case]);
    add(&[left.lists, here_sort]);
    add(&[right.lists, here_sort]);
    add(&[left2.lists, here_sort]);
    add(&[left.pattern, here.pattern, right.pattern]);
    add(&[left.rule, here.rule, right.rule]);
    // What stands between, the line, and what announces a code.
    add(&[here.gap, here_sort]);
    add(&[right.gap, here_sort]);
    add(&[here.gap, left.word]);
    add(&[right.gap, right.word]);
    add(&[here.gap, right.gap, here.form]);
    add(&[here.label, here_sort]);
    add(&[here.place, here_sort]);
    add(&[here.cue, here.form]);
    add(&[here.spoken, left.spoken, right.spoken]);
    add(&[here.spoken, here.cue]);
    add(&[here.spoken, left.word, right.word]);
    add(&[here.place, right.gap, here_sort]);
    add(&[near(-3).word, here_sort]);
    add(&[near(3).word, here_sort]);
}

fn looks(text: &Prepared, patterns: &[Finding], named: &[Finding], hide: &dyn Fn(&str) -> bool) -> Vec<Look> {
    let mode = use_of_case(text);
    let tokens = &text.tokens;
    let mut looks: Vec<Look> = tokens
        .iter()
        .enumerate()
        .map(|(at, token)| {
            let gap = match at.checked_sub(1) {
                Some(before) => text.folded.get(tokens[before].whole_end..token.at.start).unwrap_or(""),
                None => &text.folded[..token.at.start],
            };
            look(text, token, gap, mode, hide)
        })
        .collect();
    for (finding, rule) in patterns
        .iter()
        .map(|f| (f, false))
        .chain(named.iter().map(|f| (f, true)))
    {
        let from = tokens.partition_point(|token| token.at.end <= finding.at.start);
        for (look, token) in looks[from..].iter_mut().zip(&tokens[from..]) {
            if token.at.start >= finding.at.end {
                break;
            }
            let kind = 1 + finding.kind as u64 + 32 * u64::from(finding.weight == Weight::Doubt);
            *(if rule { &mut look.rule } else { &mut look.pattern }) = kind;
        }
    }
    elsewhere(text, &mut looks);
    spoken(text, &mut looks);
    lines(text, &mut looks);
    looks
}

/// How a text uses case: 0 as usual, 1 hardly any capitals, 2 hardly anything else.
fn use_of_case(text: &Prepared) -> u64 {
    let words = || text.tokens.iter().filter(|token| !token.digit && token.at.len() > 1);
    let (all, capital, shouted) = words().fold((0, 0, 0), |(all, capital, shouted), token| {
        (
            all + 1,
            capital + usize::from(token.capital),
            shouted + usize::from(token.shouted),
        )
    });
    match (all, capital, shouted) {
        (5.., capital, _) if capital * 40 <= all => 1,
        (3.., _, shouted) if shouted * 4 >= all * 3 => 2,
        _ => 0,
    }
}

fn look(text: &Prepared, token: &Token, gap: &str, mode: u64, hide: &dyn Fn(&str) -> bool) -> Look {
    let lower = text.lower_of(token);
    let written = &text.folded[token.at.clone()];
    let hidden = hide(lower);
    let whole = token.hash;
    let lists = token.lists & has::SEEN;
    let bytes = lower.as_bytes();
    let part = |from: usize, to: usize| lower.get(from..to).map_or(0, |part| hash(part.as_bytes()));
    let length = bytes.len();
    let case = if token.digit {
        5
    } else if !token.capital {
        if written.bytes().any(|b| b.is_ascii_uppercase()) {
            6
        } else {
            0
        }
    } else if token.caseless {
        4
    } else if token.shouted {
        3
    } else if length == 1 {
        7
    } else if token.first {
        2
    } else {
        1
    };
    let (shape, form) = shapes(written);
    Look {
        word: if hidden {
            1
        } else if token.digit {
            digits_alike(lower)
        } else {
            whole
        },
        whole,
        shape,
        form: if token.digit { shape } else { form },
        starts: [part(0, length.min(2)), part(0, length.min(3))],
        ends: [
            part(length.saturating_sub(2), length),
            part(length.saturating_sub(3), length),
            part(length.saturating_sub(4), length),
        ],
        class: match token.word {
            Word::Function => 1,
            Word::Ordinary => 2,
            Word::NameLike => 3,
            Word::Unknown => 4,
        } + 8 * u64::from(token.foreign),
        case: case | mode << 4,
        lists: if hidden {
            lists & !(has::GIVEN | has::SURNAME | has::PLACE)
        } else {
            lists
        },
        gap: gap_of(gap),
        digit: token.digit,
        ..Look::default()
    }
}

fn digits_alike(word: &str) -> u64 {
    word.bytes().fold(0xD1, |sum, byte| {
        stir(sum, u64::from(if byte.is_ascii_digit() { b'0' } else { byte }))
    })
}

/// The shape letter by letter up to twelve, and with runs made short.
fn shapes(written: &str) -> (u64, u64) {
    let (mut long, mut short, mut last) = (0x5A, 0x5B, 0);
    for (at, c) in written.chars().enumerate() {
        let sort = match c {
            c if c.is_lowercase() => 1,
            c if c.is_uppercase() => 2,
            c if c.is_numeric() => 3,
            _ => 4 + c as u64,
        };
        if at < 6 || sort != last && at < 16 || sort == 3 && at < 12 {
            long = stir(long, sort);
        }
        if sort != last {
            short = stir(short, sort);
        }
        last = sort;
    }
    (long, short)
}

/// What stands between two words, as one of few.
fn gap_of(gap: &str) -> u64 {
    if gap == " " {
        return 1;
    }
    let breaks = gap.bytes().filter(|&b| b == b'\n').count();
    let mark = gap.chars().filter(|c| !c.is_whitespace() && *c != MASKED).take(3);
    let marks = mark.fold(7, |sum, c| stir(sum, c as u64));
    stir(
        marks,
        breaks.min(2) as u64
            + 4 * u64::from(gap.contains(MASKED))
            + 8 * u64::from(gap.contains("  ") || gap.contains('\t'))
            + 16 * u64::from(gap.starts_with(' ')),
    )
}

/// How else a word stands in the text: with a capital in mid-sentence, in small letters, as what
/// the rules take for a name.
fn elsewhere(text: &Prepared, looks: &mut [Look]) {
    let mut seen: ByHash<u64> = ByHash::with_capacity_and_hasher(looks.len(), std::hash::BuildHasherDefault::default());
    for (token, look) in text.tokens.iter().zip(looks.iter()) {
        if token.digit {
            continue;
        }
        let told = match (token.capital, token.first || token.caseless || token.shouted) {
            (true, false) => 1,
            (true, true) => 0,
            (false, _) => 2,
        };
        let ruled = if (1..32).contains(&look.rule) { 4 } else { 0 };
        *seen.entry(look.whole).or_default() |= told | ruled;
    }
    // Who speaks at the head of a line is somebody.
    for (at, pair) in text.tokens.windows(2).enumerate() {
        let head = at == 0
            || text
                .between(&text.tokens[at - 1], &pair[0])
                .contains(['\n', '[', '<', ']']);
        if head && !pair[0].digit && text.between(&pair[0], &pair[1]).starts_with([':', '>', ']']) {
            *seen.entry(looks[at].whole).or_default() |= 16;
        }
    }
    for look in looks {
        look.elsewhere = seen.get(&look.whole).copied().unwrap_or(8);
    }
}

/// Figures and letters as they are spoken: how many stand together.
fn spoken(text: &Prepared, looks: &mut [Look]) {
    let says = |token: &Token, look: &Look| {
        token.digit && token.at.len() <= 2
            || token.at.len() == 1
            || look.lists & (has::FIGURE | has::TEN | has::LETTER) != 0
    };
    let mut from = 0;
    while from < looks.len() {
        let mut to = from;
        while to < looks.len() && says(&text.tokens[to], &looks[to]) {
            to += 1;
        }
        let run = (to - from).min(6) as u64;
        let words = looks[from..to]
            .iter()
            .filter(|look| look.lists & (has::FIGURE | has::TEN | has::LETTER) != 0)
            .count()
            .min(3) as u64;
        for look in &mut looks[from..to] {
            look.spoken = run << 4
                | words << 2
                | u64::from(look.lists & (has::FIGURE | has::TEN) != 0)
                | u64::from(look.lists & has::LETTER != 0) << 1;
        }
        from = to.max(from + 1);
    }
}

/// The label at the head of a word's line, its place in the line, and the last cue for a code.
fn lines(text: &Prepared, looks: &mut [Look]) {
    let tokens = &text.tokens;
    let (mut label, mut from, mut cue, mut cue_at) = (0, 0, 0, 0);
    for at in 0..tokens.len() {
        let gap = match at.checked_sub(1) {
            Some(before) => text
                .folded
                .get(tokens[before].whole_end..tokens[at].at.start)
                .unwrap_or(""),
            None => "\n",
        };
        if gap.contains(['\n', '|', '\t']) {
            (label, from) = (0, at);
        }
        if at - from <= 4 && at > 0 && gap.contains([':', '=']) {
            label = looks[at - 1].word;
        }
        let next = tokens
            .get(at + 1)
            .map(|next| text.folded.get(tokens[at].whole_end..next.at.start).unwrap_or(""));
        let last = next.is_none_or(|gap| gap.contains(['\n', '|', '\t']));
        looks[at].label = label;
        looks[at].place = (at - from).min(3) as u64 | u64::from(last) << 2 | u64::from(gap.contains(['|', '\t'])) << 3;
        let far = match at - cue_at {
            0..=1 => 1,
            2 => 2,
            3..=4 => 3,
            5..=8 => 4,
            _ => 0,
        };
        looks[at].cue = if cue == 0 || far == 0 { 0 } else { stir(cue, far) };
        if looks[at].lists & has::CODE != 0 {
            (cue, cue_at) = (looks[at].word, at);
        }
    }
}
