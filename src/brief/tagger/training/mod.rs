//! The training of the tagger: texts with marked spans in, a model out; the same bytes from the
//! same texts, every time.

mod augment;
mod learn;

pub use augment::{Chance, Marked, Piece, Way};
pub use learn::{Corpus, Settings};

use super::model::LABELS;
use crate::brief::finding::{Finder, Type};
use crate::brief::names::Names;
use crate::brief::prepared::Prepared;
use crate::brief::redact::forms;
use crate::brief::words::Word;

/// The bit of the label that needs no mask.
pub const NOTHING: u8 = 1;
/// The bits of all labels.
pub const ANYTHING: u8 = u8::MAX;

/// The bit of a type's label.
pub fn bit_of(of: Type) -> u8 {
    1 << match of {
        Type::Person => 1,
        Type::Org => 2,
        Type::Location => 3,
        Type::Date => 4,
        Type::Phone | Type::Email | Type::Url | Type::Ip | Type::IdNumber => 5,
        Type::Money => 6,
        Type::Other => 7,
    }
}

/// The words of a text with the labels each may have: `otherwise` outside the spans.
fn allowed(
    text: &Prepared,
    spans: &[(std::ops::Range<usize>, u8)],
    otherwise: u8,
    claimed: &[std::ops::Range<usize>],
) -> Vec<u8> {
    let of = |token: &crate::brief::prepared::Token| {
        let at = text.origin_of(&token.at);
        let inside = spans
            .iter()
            .filter(|(span, _)| span.start < at.end && at.start < span.end);
        let bits = inside.fold(0, |bits, (_, label)| bits | label);
        let form = otherwise != NOTHING
            && claimed
                .iter()
                .any(|range| range.start <= token.at.start && token.at.end <= range.end);
        let loose = token.word == Word::Function && !token.capital || form;
        match bits {
            0 if form => ANYTHING,
            0 => otherwise,
            bits if loose => bits | NOTHING,
            bits => bits,
        }
    };
    text.tokens.iter().map(of).collect()
}

const _: () = assert!(LABELS == 8);

/// What the finders beside the tagger say of a text.
fn others(text: &Prepared) -> (Vec<crate::brief::finding::Finding>, Vec<crate::brief::finding::Finding>) {
    (forms(text), Names.find(text))
}
