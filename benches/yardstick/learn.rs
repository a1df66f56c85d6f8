//! From data sets to a model.

use super::sets::{Document, Set};
use std::io::Write;
use strongroom::brief::Type;
use strongroom::brief::tagger::training::{ANYTHING, Chance, Corpus, Marked, NOTHING, Piece, Settings, Way, bit_of};

/// Sets that may not be trained on: their licence, or that of a part that cannot be told from the
/// rest, asks for the same licence.
const NOT_TRAINED_ON: [&str; 2] = ["uner_ewt", "re3d"];

/// All texts, ready to be learnt from.
pub(crate) struct Learner {
    corpus: Corpus,
    names: Vec<String>,
}

impl Learner {
    /// From sets; the copies are made here.
    pub(crate) fn new(sets: &[Set]) -> Self {
        let mut corpus = Corpus::default();
        let copies: Vec<Vec<Marked>> = sets.iter().map(copies_of).collect();
        copies.iter().flatten().for_each(|marked| corpus.count(marked));
        corpus.settle(3);
        for (set, copies) in copies.iter().enumerate() {
            copies.iter().for_each(|marked| corpus.add(marked, set));
        }
        let (words, features) = corpus.size();
        let _ = writeln!(std::io::stderr(), "{words} words, {features} features");
        Self {
            corpus,
            names: sets.iter().map(|set| set.name.clone()).collect(),
        }
    }

    /// Learns from all sets but some.
    pub(crate) fn learn(&self, without: &dyn Fn(&str) -> bool, settings: Settings) -> Vec<u8> {
        let left_out = |set: usize| self.names.get(set).is_none_or(|name| without(name));
        self.corpus.learn(&left_out, settings, |round, likelihood| {
            let _ = writeln!(std::io::stderr(), "round {round}: {likelihood:.0}");
        })
    }
}

/// What the labels outside the marks may be, by what a set marks.
fn otherwise_of(set: &str) -> u8 {
    let other = [Type::Date, Type::IdNumber, Type::Money, Type::Other].map(bit_of);
    match set {
        "btc" | "wnut17" | "wikigold" | "sec_filings" => other.iter().fold(NOTHING, |bits, bit| bits | bit),
        "presidio_synth" => NOTHING | bit_of(Type::Money),
        _ => NOTHING,
    }
}

/// The copies of a set's texts that are learnt from.
fn copies_of(set: &Set) -> Vec<Marked> {
    if NOT_TRAINED_ON.contains(&set.name.as_str()) {
        return Vec::new();
    }
    let mut copies = Vec::new();
    let ours = set.name.starts_with("notes-");
    for (number, document) in set.documents.iter().enumerate() {
        let mut chance = Chance::new(number as u64 * 31 + set.name.len() as u64);
        let marked = marked(document, &set.name);
        if set.name == "presidio_synth" {
            // Its names never come in.
            for way in [
                Way::AsItIs,
                Way::AsItIs,
                [Way::Small, Way::Capitals, Way::Dictated, Way::Masked, Way::NamesSmall][number % 5],
            ] {
                copies.push(marked.copy(way, true, ours, &mut chance));
            }
            continue;
        }
        copies.push(marked.copy(Way::AsItIs, false, ours, &mut chance));
        let social = matches!(set.name.as_str(), "btc" | "wnut17");
        if social && number % 3 != 0 {
            continue;
        }
        copies.push(marked.copy(Way::AsItIs, true, ours, &mut chance));
        let ways = [Way::Small, Way::Dictated, Way::Capitals, Way::Masked, Way::NamesSmall];
        if ours {
            for way in ways
                .into_iter()
                .chain([Way::AsItIs, Way::Dictated, Way::Capitals, Way::NamesSmall, Way::AsItIs])
            {
                copies.push(marked.copy(way, true, ours, &mut chance));
            }
        } else {
            copies.push(marked.copy(ways[number % 5], number % 10 >= 5, ours, &mut chance));
        }
    }
    copies
}

/// A document as pieces; of overlapping marks the longer one counts, and what is marked as
/// needing no mask may have either label.
fn marked(document: &Document, set: &str) -> Marked {
    let chars: Vec<char> = document.text.chars().collect();
    let mut spans: Vec<_> = document.spans.iter().collect();
    spans.sort_by_key(|span| (std::cmp::Reverse(span.end - span.start), span.start));
    let mut taken: Vec<Option<usize>> = vec![None; chars.len()];
    for (at, span) in spans.iter().enumerate() {
        if taken[span.start..span.end].iter().all(Option::is_none) {
            taken[span.start..span.end].fill(Some(at));
        }
    }
    let label = |at: usize| {
        let span = spans[at];
        let Some(of) = Type::ALL.into_iter().find(|of| of.name() == span.of) else {
            return ANYTHING;
        };
        let vague = of == Type::Other && !set.starts_with("notes-") && set != "secnotes";
        let free = span.id_type.as_deref() == Some("NO_MASK") || vague || set == "re3d" && of == Type::IdNumber;
        bit_of(of) | if free { NOTHING } else { 0 }
    };
    let mut pieces = Vec::new();
    let mut from = 0;
    for at in 1..=chars.len() {
        if taken.get(at).is_none_or(|next| *next != taken[from]) {
            pieces.push(Piece {
                text: chars[from..at].iter().collect(),
                label: taken[from].map(label),
            });
            from = at;
        }
    }
    if chars.is_empty() {
        pieces.clear();
    }
    Marked::new(pieces, otherwise_of(set))
}
