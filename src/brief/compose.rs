//! A brief out of notes: the portions the audience may have, redacted together.

use super::known::Known;
use super::placeholder::Naming;
use super::portion::keep_up_to;
use super::prepared::Prepared;
use super::profile::Profile;
use super::redact::{Doubt, Refused, Span, redact_named};
use super::summary::shorten;
use super::words::Word;
use crate::label::Level;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::{Zeroize, Zeroizing};

/// A note that goes into a brief.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its opened text.
    pub text: &'a str,
    /// Its level, which what bears no portion mark has too.
    pub level: Level,
}

/// The text of a brief and what was done to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BriefText {
    /// The text, without header.
    pub text: String,
    /// How much was replaced, by type name.
    pub removed: BTreeMap<String, usize>,
    /// What needs a person's eye before release; positions are those of the text before redaction.
    pub doubtful: Vec<Doubt>,
    /// How many portions lie above the audience and were left out.
    pub left_out: usize,
    /// How many sentences and list items were left out to make it short.
    pub shortened: usize,
    /// What took the place of something: see [`Redaction::placed`](super::Redaction::placed).
    pub placed: Vec<String>,
    /// The text before redaction.
    pub source: Zeroizing<String>,
    /// What of it was replaced.
    pub spans: Vec<Span>,
    /// The words that stayed although they have a capital within a sentence or a figure, each once.
    pub kept: Vec<String>,
}

/// How a brief is made beyond what its profile says.
#[derive(Clone, Copy, Default)]
pub struct Making<'a> {
    /// How placeholders are numbered.
    pub naming: Naming<'a>,
    /// About how many words it may have at most; all of them if nothing is said.
    pub length: Option<usize>,
}

/// Makes a brief: leaves out the portions above the audience, joins the sources, redacts the whole
/// at once (so that one person has one placeholder throughout). Nothing is added, and only where a
/// length is given is anything else left out: what was written to be done, where and by when, stays
/// in its own words.
pub fn compose(
    sources: &[Source<'_>],
    audience: Level,
    profile: &Profile,
    known: &Known,
    making: Making<'_>,
) -> Result<BriefText, Refused> {
    if audience < profile.label() {
        return Err(Refused::Audience {
            profile: profile.name().to_owned(),
            lowest: profile.label(),
            audience,
        });
    }
    let mut parts = Vec::with_capacity(sources.len());
    let mut left_out = 0;
    for source in sources {
        let (kept, above) = keep_up_to(source.text, audience, source.level);
        left_out += above;
        let kept = kept.trim();
        if !kept.is_empty() {
            parts.push(kept.to_owned());
        }
    }
    if parts.is_empty() {
        return Err(Refused::NothingLeft(audience));
    }
    let mut source = Zeroizing::new(parts.join("\n\n"));
    parts.iter_mut().for_each(Zeroize::zeroize);
    let mut shortened = 0;
    if let Some(words) = making.length {
        // Before redaction: no series of placeholders gets a gap.
        let (short, left) = shorten(&source, words);
        (source, shortened) = (Zeroizing::new(short), left);
    }
    let redaction = redact_named(&source, profile, known, making.naming)?;
    Ok(BriefText {
        kept: kept_words(&source, &redaction.spans)?,
        text: redaction.text,
        removed: redaction.removed,
        doubtful: redaction.doubtful,
        left_out,
        shortened,
        placed: redaction.placed,
        spans: redaction.spans,
        source,
    })
}

/// The words outside `spans` that have a figure, or a capital that no beginning of a sentence explains.
fn kept_words(text: &str, spans: &[Span]) -> Result<Vec<String>, Refused> {
    let prepared = Prepared::new(text)?;
    let mut kept: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for token in &prepared.tokens {
        let named =
            token.capital && !token.caseless && !(token.first && matches!(token.word, Word::Function | Word::Ordinary));
        if !named && !token.digit {
            continue;
        }
        let at = prepared.origin_of(&token.at);
        let next = spans.partition_point(|span| span.end <= at.start);
        let replaced = spans.get(next).is_some_and(|span| span.start < at.end);
        let word = &prepared.folded[token.at.clone()];
        if !replaced && seen.insert(word) {
            kept.push(word.to_owned());
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::brief::{Kind, shipped};

    fn profile() -> Profile {
        Profile::parse(shipped("no-names").unwrap()).unwrap()
    }

    #[test]
    fn what_to_do_survives_and_whom_it_concerns_does_not() {
        let one = "(R) Azra Okonkwo was threatened.\n\n(I) Keep the side door of Falcon's site locked until 3 March 2026, 18:00.\n";
        let two = "Ask Okonkwo's guard for the radio. Reg AB12 CDE may park at the north gate.";
        let sources = [
            Source {
                text: one,
                level: Level::Restricted,
            },
            Source {
                text: two,
                level: Level::Internal,
            },
        ];
        let known = Known::new(vec![
            (Kind::Client, "Falcon".into()),
            (Kind::Person, "Azra Okonkwo".into()),
        ])
        .unwrap();
        let profile = profile().written("2026-03-01T00:00:00Z".parse().unwrap());
        let brief = compose(&sources, Level::Internal, &profile, &known, Making::default()).unwrap();
        assert_eq!(
            brief.text,
            "Keep the side door of Client A's site locked until 3 March 2026, 18:00.\n\nAsk Person A's guard for the radio. \
             Reg Vehicle 1 may park at the north gate."
        );
        assert_eq!(brief.left_out, 1);
        assert_eq!(brief.removed["ID_NUMBER"], 1);
        assert_eq!(brief.placed, ["Client A", "Person A", "Vehicle 1"]);
        assert_eq!(brief.kept, ["3", "March", "2026", "18", "00", "Reg"]);
    }

    #[test]
    fn a_length_leaves_out_what_is_not_to_be_done() {
        let source = [Source {
            text: "# Seen\nAzra Okonkwo waited by the kiosk.\n\n# To do\n- Keep the side door locked until Friday.\n",
            level: Level::Internal,
        }];
        let making = Making {
            length: Some(11),
            ..Making::default()
        };
        let brief = compose(&source, Level::Internal, &profile(), &Known::nothing(), making).unwrap();
        assert_eq!(brief.text, "# To do\n- Keep the side door locked until Friday.");
        assert_eq!((brief.shortened, brief.removed.len()), (1, 0));
    }

    #[test]
    fn briefs_are_refused_where_nothing_may_be_told() {
        let source = [Source {
            text: "x",
            level: Level::Restricted,
        }];
        let refused =
            |audience| compose(&source, audience, &profile(), &Known::nothing(), Making::default()).unwrap_err();
        assert_eq!(refused(Level::Internal), Refused::NothingLeft(Level::Internal));
        assert!(matches!(refused(Level::Public), Refused::Audience { .. }));
        let words = refused(Level::Public).words(|level| format!("our {level}"));
        assert!(words.contains("below `our internal`, and `our public` does"), "{words}");
    }
}
