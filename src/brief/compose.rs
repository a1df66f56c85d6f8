//! A brief out of notes: the portions the audience may have, redacted together.

use super::known::Known;
use super::portion::keep_up_to;
use super::profile::Profile;
use super::redact::{Doubt, Refused, redact};
use crate::label::Level;
use std::collections::BTreeMap;

/// A note that goes into a brief.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its opened text.
    pub text: &'a str,
    /// Its level, which what bears no portion mark has too.
    pub level: Level,
}

/// The text of a brief and what was done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BriefText {
    /// The text, without header.
    pub text: String,
    /// How much was replaced, by type name.
    pub removed: BTreeMap<String, usize>,
    /// What needs a person's eye before release; positions are those of the text before redaction.
    pub doubtful: Vec<Doubt>,
    /// How many portions lie above the audience and were left out.
    pub left_out: usize,
}

/// Makes a brief: leaves out the portions above the audience, joins the sources, redacts the whole
/// at once (so that one person has one placeholder throughout). Nothing is summarised away and
/// nothing is added: what was written to be done, where and by when, stays in its own words.
pub fn compose(
    sources: &[Source<'_>],
    audience: Level,
    profile: &Profile,
    known: &Known,
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
    let redaction = redact(&parts.join("\n\n"), profile, known)?;
    Ok(BriefText {
        text: redaction.text,
        removed: redaction.removed,
        doubtful: redaction.doubtful,
        left_out,
    })
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
        let brief = compose(&sources, Level::Internal, &profile(), &known).unwrap();
        assert_eq!(
            brief.text,
            "Keep the side door of Client A's site locked until 3 March 2026, 18:00.\n\nAsk Person A's guard for the radio. \
             Reg Vehicle 1 may park at the north gate."
        );
        assert_eq!(brief.left_out, 1);
        assert_eq!(brief.removed["ID_NUMBER"], 1);
    }

    #[test]
    fn briefs_are_refused_where_nothing_may_be_told() {
        let source = [Source {
            text: "x",
            level: Level::Restricted,
        }];
        let refused = |audience| compose(&source, audience, &profile(), &Known::nothing()).unwrap_err();
        assert_eq!(refused(Level::Internal), Refused::NothingLeft(Level::Internal));
        assert!(matches!(refused(Level::Public), Refused::Audience { .. }));
        let words = refused(Level::Public).words(|level| format!("our {level}"));
        assert!(words.contains("below `our internal`, and `our public` does"), "{words}");
    }
}
