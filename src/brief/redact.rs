//! Redaction: find, replace, and look again.

use super::finding::{Finder, Finding, Kind, Weight, join};
use super::known::Known;
use super::names::{self, Names};
use super::patterns::Patterns;
use super::placeholder::Placeholders;
use super::prepared::{BadText, Prepared};
use super::profile::{Mode, Profile, Treatment};
use super::strict::Unlisted;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a placeholder becomes while the output is scanned: neither letter, digit nor space.
pub(crate) const MASKED: char = '\u{FFFC}';

/// How often what a scan of the output finds is masked as well before the text is refused.
const ROUNDS: usize = 4;

/// A redacted text and what was done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redaction {
    /// The redacted text.
    pub text: String,
    /// What was replaced, sorted and apart from each other.
    pub spans: Vec<Span>,
    /// How much was replaced, by [`Type`](super::Type) name.
    pub removed: BTreeMap<String, usize>,
    /// What passed and needs a person's eye before release.
    pub doubtful: Vec<Doubt>,
}

/// A part of the input that was replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its first code point.
    pub start: usize,
    /// The code point after its last.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// A part of the input that passed although it may identify somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// Its first code point.
    pub start: usize,
    /// The code point after its last.
    pub end: usize,
    /// The part itself.
    pub text: String,
    /// What is doubtful about it.
    pub why: &'static str,
}

/// A part of a text that may not leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leak {
    /// Its first code point.
    pub start: usize,
    /// The code point after its last.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// No text comes out. The message names the type and the place, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text cannot be read safely.
    #[error(transparent)]
    Text(#[from] BadText),
    /// Something was still there after replacing.
    #[error("after masking, something of type {kind} is still left in line {line}: reword that line and try again")]
    Residue {
        /// Its type.
        kind: &'static str,
        /// Its line in the input, from 1.
        line: usize,
    },
    /// The audience is wider than the profile allows.
    #[error(
        "a brief with the profile `{profile}` may not go below `{lowest}`, and `{audience}` does: choose a narrower audience"
    )]
    Audience {
        /// The profile's name.
        profile: String,
        /// The profile's lowest level.
        lowest: &'static str,
        /// The level asked for.
        audience: &'static str,
    },
    /// Every portion is above the audience.
    #[error("nothing is left for `{0}`: every portion lies above that level; mark what may be told")]
    NothingLeft(&'static str),
    /// A line of the header has control characters or is too long.
    #[error("the brief's {0} has to be one line of at most 500 characters")]
    Header(&'static str),
}

/// Redacts a text of at most [`MAX_TEXT`](super::MAX_TEXT) bytes. The output is scanned again with
/// the same finders; what they still find is masked too, and if that does not end, nothing comes out.
pub fn redact(text: &str, profile: &Profile, known: &Known) -> Result<Redaction, Refused> {
    let prepared = Prepared::new(text)?;
    let chars: Vec<char> = text.chars().collect();
    let found = find(&prepared, profile, known);
    let doubts: Vec<(Range<usize>, &'static str)> = found
        .doubts
        .iter()
        .map(|doubt| (prepared.origin_of(&doubt.at), doubt.why))
        .collect();
    let mut spans = spans_of(&prepared, &found.masked);
    let mut residue = None;
    for _ in 0..ROUNDS {
        let scan = Scan::new(&chars, &spans);
        let left = scan.residue(profile, known)?;
        residue = left.first().copied();
        if left.is_empty() {
            break;
        }
        spans = merge(spans, left);
    }
    if let Some(span) = residue {
        let line = 1 + chars.iter().take(span.start).filter(|&&c| c == '\n').count();
        return Err(Refused::Residue {
            kind: span.kind.coarse().name(),
            line,
        });
    }
    Ok(assemble(&chars, text, spans, doubts, profile))
}

/// What in a text may not leave, for a brief that is already written. Placeholders pass: a
/// placeholder counts as one if its series has no gap (`Person B` needs a `Person A`).
pub fn check(text: &str, profile: &Profile, known: &Known) -> Result<Vec<Leak>, Refused> {
    let chars: Vec<char> = text.chars().collect();
    refuse_unreadable(text)?;
    let placeholders = super::placeholder::find_series(&chars);
    let spans: Vec<Span> = placeholders
        .into_iter()
        .map(|at| Span {
            start: at.start,
            end: at.end,
            kind: Kind::Other,
        })
        .collect();
    let left = Scan::new(&chars, &spans).residue(profile, known)?;
    Ok(left
        .into_iter()
        .map(|span| Leak {
            start: span.start,
            end: span.end,
            kind: span.kind,
        })
        .collect())
}

fn refuse_unreadable(text: &str) -> Result<(), BadText> {
    Prepared::new(text).map(drop)
}

/// What all finders say together.
struct Found {
    masked: Vec<Finding>,
    doubts: Vec<Finding>,
}

/// Asks every finder, spreads the names, applies the profile, joins.
fn find(text: &Prepared, profile: &Profile, known: &Known) -> Found {
    let forms = Patterns.find(text);
    // A day that stays keeps its words from being judged as names: `June`, `Sunday`.
    let stays = |finding: &Finding| match treatment(profile, finding.kind) {
        Treatment::Keep => true,
        Treatment::Mask => false,
        Treatment::Generalise => super::placeholder::is_general(finding.kind, &text.folded[finding.at.clone()]),
    };
    let (kept, mut all): (Vec<Finding>, Vec<Finding>) = forms.into_iter().partition(stays);
    let mut kept: Vec<Range<usize>> = kept.into_iter().map(|finding| finding.at).collect();
    kept.sort_by_key(|at| at.start);
    all.extend(known.find(text));
    let named = Names.find(text);
    all.extend(
        named
            .into_iter()
            .filter(|finding| passes_profile(text, profile, &kept, finding)),
    );
    let mentions = names::spread(text, &all);
    all.extend(
        mentions
            .into_iter()
            .filter(|finding| passes_profile(text, profile, &kept, finding)),
    );
    if profile.mode() == Mode::Strict {
        let unlisted = Unlisted {
            numbers_up_to: profile.numbers_up_to(),
        };
        let beyond = unlisted.find(text);
        all.extend(
            beyond
                .into_iter()
                .filter(|finding| passes_profile(text, profile, &kept, finding)),
        );
    }
    let doubts: Vec<Finding> = all
        .iter()
        .filter(|finding| finding.weight == Weight::Doubt)
        .cloned()
        .collect();
    let masked = names::bridge(text, join(all));
    let open = |doubt: &Finding| {
        let at = masked.partition_point(|finding| finding.at.end <= doubt.at.start);
        masked.get(at).is_none_or(|finding| finding.at.start >= doubt.at.end)
    };
    let doubts = doubts.into_iter().filter(open).collect();
    Found { masked, doubts }
}

/// What becomes of a kind; a day of birth is as direct as a name.
fn treatment(profile: &Profile, kind: Kind) -> Treatment {
    match kind {
        Kind::Birthday => Treatment::Mask,
        kind => profile.treatment(kind.coarse()),
    }
}

/// Whether a guess stands against the words the profile allows and the parts it keeps.
fn passes_profile(text: &Prepared, profile: &Profile, kept: &[Range<usize>], finding: &Finding) -> bool {
    let at = kept.partition_point(|range| range.end <= finding.at.start);
    let inside = kept
        .get(at)
        .is_some_and(|range| range.start <= finding.at.start && finding.at.end <= range.end);
    let words = text.tokens_in(&finding.at);
    let allowed = !words.is_empty() && words.iter().all(|token| profile.allows(text.lower_of(token)));
    !inside && !allowed && treatment(profile, finding.kind) != Treatment::Keep
}

fn spans_of(text: &Prepared, findings: &[Finding]) -> Vec<Span> {
    let spans = findings.iter().map(|finding| {
        let at = text.origin_of(&finding.at);
        Span {
            start: at.start,
            end: at.end,
            kind: finding.kind,
        }
    });
    merge(Vec::new(), spans.collect())
}

/// Joins spans that overlap, the first naming the kind.
fn merge(mut spans: Vec<Span>, more: Vec<Span>) -> Vec<Span> {
    spans.extend(more);
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// The output as the finders see it: each replaced part is one character that says nothing.
struct Scan {
    text: String,
    /// For each character of `text`, and its end, the code point of the input.
    origin: Vec<usize>,
}

impl Scan {
    fn new(chars: &[char], spans: &[Span]) -> Self {
        let mut text = String::with_capacity(chars.len());
        let mut origin = Vec::with_capacity(chars.len() + 1);
        let mut at = 0;
        for span in spans {
            text.extend(chars.get(at..span.start).unwrap_or(&[]));
            origin.extend(at..span.start);
            text.push(MASKED);
            origin.push(span.start);
            at = span.end;
        }
        text.extend(chars.get(at..).unwrap_or(&[]));
        origin.extend(at..=chars.len());
        Self { text, origin }
    }

    /// What the finders see, as spans of the input.
    fn residue(&self, profile: &Profile, known: &Known) -> Result<Vec<Span>, BadText> {
        let prepared = Prepared::new(&self.text)?;
        let found = find(&prepared, profile, known);
        let spans = found.masked.iter().filter_map(|finding| {
            let at = prepared.origin_of(&finding.at);
            let span = Span {
                start: *self.origin.get(at.start)?,
                end: *self.origin.get(at.end)?,
                kind: finding.kind,
            };
            // The mark alone is no residue.
            let value = prepared.folded.get(finding.at.clone())?;
            value
                .contains(|c: char| c != MASKED && !c.is_whitespace())
                .then_some(span)
        });
        Ok(spans.collect())
    }
}

fn assemble(
    chars: &[char],
    text: &str,
    spans: Vec<Span>,
    doubts: Vec<(Range<usize>, &'static str)>,
    profile: &Profile,
) -> Redaction {
    let values: Vec<String> = spans
        .iter()
        .map(|span| chars.get(span.start..span.end).unwrap_or(&[]).iter().collect())
        .collect();
    let mut placeholders = Placeholders::new(
        text,
        spans
            .iter()
            .zip(&values)
            .map(|(span, value)| (span.kind, value.as_str())),
    );
    let mut output = String::with_capacity(text.len());
    let mut removed: BTreeMap<String, usize> = BTreeMap::new();
    let mut at = 0;
    for (span, value) in spans.iter().zip(&values) {
        output.extend(chars.get(at..span.start).unwrap_or(&[]));
        let vague = match treatment(profile, span.kind) {
            Treatment::Generalise => super::placeholder::generalise(span.kind, value),
            Treatment::Mask | Treatment::Keep => None,
        };
        output.push_str(&vague.unwrap_or_else(|| placeholders.place(span.kind, value)));
        *removed.entry(span.kind.coarse().name().to_owned()).or_default() += 1;
        at = span.end;
    }
    output.extend(chars.get(at..).unwrap_or(&[]));
    let open = |at: &Range<usize>| spans.iter().all(|span| span.end <= at.start || at.end <= span.start);
    let doubtful = doubts.into_iter().filter(|(at, _)| open(at)).map(|(at, why)| Doubt {
        start: at.start,
        end: at.end,
        text: chars.get(at).unwrap_or(&[]).iter().collect(),
        why,
    });
    let doubtful = doubtful.collect();
    Redaction {
        text: output,
        spans,
        removed,
        doubtful,
    }
}
