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

/// Whether a text was judged before parts of it were taken out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judged {
    /// All of it: a draft, a brief that was released.
    Whole,
    /// Nobody knows: a text from anywhere.
    Never,
}

/// How many words before and behind a part that was taken out have lost a neighbour that matters.
const BESIDE: usize = 3;

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
        judged: Judged,
        memory: &mut Memory,
    ) -> Result<Vec<Span>, BadText> {
        let prepared = before.again(&self.text)?;
        let least = profile.thresholds();
        // That words have lost their neighbours says little, so the tagger has to be surer of them.
        let again = Thresholds {
            direct: (least.direct * AGAIN).min(0.5),
            any: (least.any * AGAIN).min(0.5),
        };
        let beside = match judged {
            Judged::Whole => vec![self.text.contains(MASKED); prepared.tokens.len()],
            Judged::Never => beside(&prepared),
        };
        let least = |at: usize| match beside.get(at) {
            Some(true) => again,
            _ => least,
        };
        let found = find(&prepared, profile, known, model, &least, memory);
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

/// Which words stand beside a part that was taken out, in its line.
fn beside(text: &Prepared) -> Vec<bool> {
    let tokens = &text.tokens;
    let gap = |at: usize| {
        let start = at.checked_sub(1).map_or(0, |before| tokens[before].at.end);
        let end = tokens.get(at).map_or(text.folded.len(), |token| token.at.start);
        text.folded.get(start..end).unwrap_or("")
    };
    let mut near = vec![false; tokens.len()];
    for at in 0..=tokens.len() {
        let here = gap(at);
        let (Some(first), Some(last)) = (here.find(MASKED), here.rfind(MASKED)) else {
            continue;
        };
        if !here[last..].contains('\n') {
            let words = (at..tokens.len()).take(BESIDE);
            let in_line = words.take_while(|word| *word == at || !gap(*word).contains('\n'));
            in_line.for_each(|word| near[word] = true);
        }
        if !here[..first].contains('\n') {
            let words = (0..at).rev().take(BESIDE);
            let in_line = words.take_while(|word| word + 1 == at || !gap(word + 1).contains('\n'));
            in_line.for_each(|word| near[word] = true);
        }
    }
    near
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn beside_a_part_stand_the_words_around_it_in_its_line() {
        let text = Prepared::new("one two\nthree \u{FFFC} four five six seven \u{FFFC}\neight").unwrap();
        let near = beside(&text);
        let words = text.tokens.iter().zip(near).filter(|(_, near)| *near);
        let words: Vec<&str> = words.map(|(token, _)| text.lower_of(token)).collect();
        assert_eq!(words, ["three", "four", "five", "six", "seven"]);
    }
}
