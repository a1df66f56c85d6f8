//! The output of a redaction, scanned again.

use super::finding::{Finder, Finding, join};
use super::known::Known;
use super::prepared::{BadText, Prepared};
use super::profile::Profile;
use super::redact::{Span, find};
use super::tagger::{Memory, Model, Thresholds};

/// What a placeholder becomes while the output is scanned: neither letter, digit nor space.
pub(crate) const MASKED: char = '\u{FFFC}';

/// How much surer the tagger has to be of a text that was judged before.
const AGAIN: f32 = 6.0;

/// The output as the finders see it: each replaced part is one character that says nothing.
pub(super) struct Scan {
    text: String,
    /// For each character of `text`, and its end, the code point of the input.
    origin: Vec<usize>,
}

impl Scan {
    pub(super) fn new(chars: &[char], spans: &[Span]) -> Self {
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

    /// A text from which parts were taken was judged whole before; that its words have lost their
    /// neighbours says little, so the tagger has to be surer.
    fn thresholds(&self, profile: &Profile) -> Thresholds {
        let least = profile.thresholds();
        if !self.text.contains(MASKED) {
            return least;
        }
        Thresholds {
            direct: (least.direct * AGAIN).min(0.5),
            any: (least.any * AGAIN).min(0.5),
        }
    }

    /// What the vault knows, as spans of the input.
    pub(super) fn known(&self, known: &Known) -> Result<Vec<Span>, BadText> {
        let prepared = Prepared::of_any_length(&self.text)?;
        let found = known.find(&prepared);
        Ok(self.spans(&prepared, &join(found)))
    }

    /// What the finders see, as spans of the input, which was prepared `before`.
    pub(super) fn residue(
        &self,
        profile: &Profile,
        known: &Known,
        model: &Model<'_>,
        before: &Prepared,
        memory: &mut Memory,
    ) -> Result<Vec<Span>, BadText> {
        let prepared = before.again(&self.text)?;
        let found = find(&prepared, profile, known, model, self.thresholds(profile), memory);
        Ok(self.spans(&prepared, &found.masked))
    }

    fn spans(&self, prepared: &Prepared, findings: &[Finding]) -> Vec<Span> {
        let spans = findings.iter().filter_map(|finding| {
            let at = prepared.origin_of(&finding.at);
            let span = Span {
                start: *self.origin.get(at.start)?,
                end: *self.origin.get(at.end)?,
                kind: finding.kind,
            };
            // The mark alone is no residue, nor with the end of its sentence.
            let value = prepared.folded.get(finding.at.clone())?;
            value
                .contains(|c: char| !matches!(c, MASKED | '.' | ',' | ';') && !c.is_whitespace())
                .then_some(span)
        });
        spans.collect()
    }
}
