//! The name tagger: a linear-chain conditional random field, trained by a program of this project
//! (`yardstick train`; docs/MODEL.md says on what), embedded, and read in place.
//!
//! It gives each word a chance for each label. A word is masked when the chance that it needs no
//! mask is low enough for the profile; so it errs on the side that the profile wants.

mod chain;
mod gazetteer;
mod looks;
mod model;
#[cfg(test)]
mod tests;
#[cfg(feature = "training")]
pub mod training;

pub use model::{BadModel, Model};

use super::finding::{Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::strict::is_told;
use super::words::Word;
use chain::{Chain, raised};
pub(crate) use gazetteer::{has, lists_of};
use looks::Looks;
pub(crate) use looks::{ByHash, hash};
use model::{LABELS, Scores};
use std::sync::LazyLock;

/// The model that ships.
pub(crate) static SHIPPED: LazyLock<Result<Model<'static>, BadModel>> =
    LazyLock::new(|| Model::parse(include_bytes!("model.bin")));

/// What the labels stand for; the first is: nothing.
pub(crate) const KINDS: [Option<Kind>; LABELS] = [
    None,
    Some(Kind::Person),
    Some(Kind::Organisation),
    Some(Kind::Place),
    Some(Kind::Date),
    Some(Kind::Number),
    Some(Kind::Money),
    Some(Kind::Other),
];

const PERSON: usize = 1;
const NUMBER: usize = 5;

/// What a model said of words, by all that was seen of them: most of a text stands in its output as well.
pub(crate) type Memory = ByHash<[i16; LABELS]>;

/// Each word's chance of each label. `patterns` and `named` are what the other finders found; `memory` is of the same
/// model.
pub(crate) fn chances(
    text: &Prepared,
    model: &Model<'_>,
    patterns: &[Finding],
    named: &[Finding],
    memory: &mut Memory,
) -> Vec<Scores> {
    let looks = Looks::new(text, patterns, named, &|_| false);
    let mut features = Vec::with_capacity(64);
    let mut sums = |at: usize| {
        looks.features(at, &mut features);
        model.sums(&features)
    };
    memory.reserve(looks.len());
    let scores = (0..looks.len()).map(|at| {
        let known = memory.entry(looks.context(at)).or_insert_with(|| sums(at));
        model.scores(known)
    });
    let scores: Vec<Scores> = scores.collect();
    let follows = raised(&model.follows);
    Chain::new(&scores, &follows, |_| u8::MAX).marginals(&follows, None)
}

/// From which chances on a word is masked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Thresholds {
    /// As a person or a number, which name somebody directly.
    pub(crate) direct: f32,
    /// As anything.
    pub(crate) any: f32,
}

/// A word that stands for somebody elsewhere in the text needs so many times less to be masked.
const KNOWN_ELSEWHERE: f32 = 6.0;

/// How much surer a word has to be that is hardly ever a name.
const SURER: f32 = 10.0;

/// The words that may not pass, neighbours of one kind together. `masks` says of which kinds the
/// chances count, `least` from which on of each word.
pub(crate) fn judged(
    text: &Prepared,
    chances: &[Scores],
    masks: impl Fn(Kind) -> bool,
    least: &dyn Fn(usize) -> Thresholds,
) -> Vec<Finding> {
    let counts = KINDS.map(|kind| kind.is_some_and(&masks));
    let persons: ByHash<()> = text
        .tokens
        .iter()
        .zip(chances)
        .filter(|(token, chances)| chances[PERSON] >= 0.6 && !token.digit && token.at.len() > 1)
        .map(|(token, _)| (token.hash, ()))
        .collect();
    let mut found: Vec<Finding> = Vec::new();
    let mut last: Option<usize> = None;
    for (at, (token, chances)) in text.tokens.iter().zip(chances).enumerate() {
        // `Mark the door` tells somebody what to do.
        if is_citation(text, at) || token.word == Word::NameLike && is_told(text, at) {
            continue;
        }
        let least = least(at);
        let sum: f32 = chances
            .iter()
            .zip(counts)
            .filter(|(_, counts)| *counts)
            .map(|(chance, _)| chance)
            .sum();
        let direct = chances[PERSON] + chances[NUMBER];
        // Words of public bodies, and grammar, have to be surer.
        let body = !token.digit && token.word != Word::Unknown && token.lists & has::BODY != 0;
        let grammar = token.word == Word::Function && token.at.len() <= 3 && text.lower_of(token) != "may";
        let day = token.lists & has::CALENDAR != 0 && text.lower_of(token).ends_with("day");
        // `#FamilyFirst`: ordinary words run together.
        let slogan = token.word != Word::Unknown && text.folded[..token.at.start].ends_with('#');
        let surer = body || grammar || day || slogan || is_hardly_a_name(text, at);
        let least_direct = least.direct * if surer { SURER } else { 1.0 };
        let least_any = match KINDS[best_of(chances, &counts)] {
            // Who is meant by a phrase is hard to tell: only what is fairly sure.
            Some(Kind::Other) => least.any.max(0.5),
            _ if body || day || slogan => f32::INFINITY,
            _ => least.any,
        };
        let masked = sum >= least_any
            || direct >= least_direct
            || direct >= least_direct / KNOWN_ELSEWHERE && persons.contains_key(&token.hash);
        let Some(kind) = KINDS[best_of(chances, &counts)].filter(|_| masked) else {
            continue;
        };
        let joins = last
            .is_some_and(|last| last + 1 == at && matches!(text.between(&text.tokens[last], token), " " | "-" | "'"));
        match found.last_mut() {
            Some(before) if joins && before.kind == kind => before.at.end = token.at.end,
            _ => found.push(Finding::new(token.at.clone(), kind, Weight::Guess)),
        }
        last = Some(at);
    }
    found
}

/// Single small letters, and what announces a number.
fn is_hardly_a_name(text: &Prepared, at: usize) -> bool {
    let token = &text.tokens[at];
    let next = text.tokens.get(at + 1);
    let announces = token.lists & has::CODE != 0 && next.is_some_and(|next| next.digit);
    let letter = token.at.len() == 1 && !token.capital && !token.digit;
    announces || letter
}

/// The likeliest label of those that count.
fn best_of(chances: &Scores, counts: &[bool; LABELS]) -> usize {
    let counted = (1..LABELS).filter(|&label| counts[label]);
    counted.max_by(|&a, &b| chances[a].total_cmp(&chances[b])).unwrap_or(0)
}

/// Whether a word is the number of a rule: `Article 6`, `section 12`.
fn is_citation(text: &Prepared, at: usize) -> bool {
    let token = &text.tokens[at];
    let cited = |before: &Token| {
        text.between(before, token) == " "
            && matches!(
                text.lower_of(before),
                "article"
                    | "articles"
                    | "section"
                    | "sections"
                    | "rule"
                    | "rules"
                    | "paragraph"
                    | "paragraphs"
                    | "chapter"
                    | "part"
                    | "clause"
                    | "schedule"
                    | "annex"
            )
    };
    let short = token.digit && token.at.len() <= 3;
    let before = at.checked_sub(1).map(|before| &text.tokens[before]);
    short && (before.is_some_and(cited) || before.is_some_and(|before| text.between(before, token).contains('\u{A7}')))
}
