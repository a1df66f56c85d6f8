//! Redaction profiles: what is masked, what is made vague, what stays, and from which level on.

use super::finding::Type;
use super::general::{Addresses, Ages, Dates, Vague};
use super::known::Known;
use super::redact::{Refused, redact};
use super::tagger::Thresholds;
use crate::chain::Time;
use crate::label::Level;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of one type of identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    /// A placeholder takes its place.
    Mask,
    /// It is made vague where that can be done ([`Vague`] says how); otherwise masked.
    Generalise,
    /// Of days: what lies within ninety days of the day the text was written ([`Profile::written`]),
    /// or has no year, stays, and so do times; another day is masked.
    Near,
    /// It stays, where its form shows its type (a day, an amount, an address). A capital on an
    /// unknown word shows none and is masked all the same: let it through by word.
    Keep,
}

/// How the words that no finder knows are judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What looks like a name or an identifier is masked; the rest passes.
    NoNames,
    /// What is no ordinary word is masked.
    Strict,
}

/// A redaction profile.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    label: Level,
    handling: String,
    mode: Mode,
    thresholds: Thresholds,
    numbers_up_to: u32,
    allowed: BTreeSet<String>,
    treatments: BTreeMap<Type, Treatment>,
    vague: Vague,
    written: Option<Time>,
    cases: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    input: String,
    /// The day it was written, as `2026-03-01`.
    written: Option<String>,
    #[serde(default)]
    must_contain: Vec<String>,
    #[serde(default)]
    must_not_contain: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    label: String,
    handling: String,
    mode: Mode,
    #[serde(default)]
    thresholds: Chances,
    #[serde(default)]
    numbers_up_to: u32,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    ages: Ages,
    addresses: Option<Addresses>,
    dates: Option<Dates>,
    types: BTreeMap<String, Treatment>,
    #[serde(default)]
    cases: Vec<Case>,
}

/// The text is not a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    /// Too long.
    #[error("a profile has at most {max} bytes, this one has {0}", max = Profile::MAX_BYTES)]
    TooLong(usize),
    /// Not TOML, or not with these fields.
    #[error("the profile cannot be read: {message}")]
    Form {
        /// Where, if it can be told: the line, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// The level's name is none.
    #[error("`{0}` is no level: use public, internal, confidential, restricted or named")]
    Level(String),
    /// A type's name is none.
    #[error("`{0}` is no type of identifier: use {list}", list = Type::ALL.map(Type::name).join(", "))]
    Type(String),
    /// A type is missing.
    #[error("the profile says nothing about `{0}`: add it under [types]")]
    Missing(&'static str),
    /// A direct identifier would pass.
    #[error("`{0}` names people directly and can only be masked: write `{0} = \"mask\"`")]
    Direct(&'static str),
    /// A name or a line is empty, too long or has control characters.
    #[error("`{0}` has to be one line of 1 to 200 characters")]
    Line(&'static str),
    /// Something else than a day is to stay if it is near.
    #[error("only `DATE` can be near, not `{0}`: write `mask`, `generalise` or `keep`")]
    Near(&'static str),
    /// The day of a case is none.
    #[error("`{0}` is no day such as `2026-03-01`")]
    Day(String),
    /// How vague something becomes, where it is not made vague.
    #[error(
        "`{0}` says how vague it becomes, but `{1}` is not generalised: write `{1} = \"generalise\"` or leave `{0}` out"
    )]
    Vague(&'static str, &'static str),
    /// A chance that is none.
    #[error("the thresholds have to lie between 0.001 and 0.5")]
    Threshold,
    /// An allowed entry is no single word.
    #[error("`{0}` cannot be allowed: give single words of letters or digits, also with hyphens in them, as in KX-99")]
    Allowed(String),
    /// Too many of something.
    #[error("the profile has too many {0}: at most {1}")]
    TooMany(&'static str, usize),
}

impl BadProfile {
    /// The line of `text`, the profile, where it is wrong, from 1 and as far as it can be told.
    pub fn line(&self, text: &str) -> Option<usize> {
        let place = |word: &str| text.find(word).map(|at| line_of(text, at));
        match self {
            Self::Form { line, .. } => *line,
            Self::Level(word) | Self::Type(word) | Self::Allowed(word) | Self::Day(word) => {
                place(&format!("\"{word}\"")).or(place(word))
            }
            Self::Direct(name) | Self::Line(name) | Self::Near(name) => {
                place(&format!("\n{name} =")).map(|line| line + 1)
            }
            Self::Threshold => place("[thresholds]"),
            Self::Vague(name, _) => place(&format!("\n{name} =")).map(|line| line + 1),
            Self::TooLong(_) | Self::Missing(_) | Self::TooMany(..) => None,
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// How one of a profile's own cases came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseResult {
    /// Its number, from 1.
    pub number: usize,
    /// What is wrong; nothing when it passed.
    pub faults: Vec<String>,
}

/// The types that no profile lets pass.
const DIRECT: [Type; 4] = [Type::Person, Type::IdNumber, Type::Email, Type::Phone];

/// The text of a profile that ships, by one of the names in [`SHIPPED`].
pub fn shipped(name: &str) -> Option<&'static str> {
    match name {
        "no-names" => Some(include_str!("../../policies/redaction/no-names.toml")),
        "strict" => Some(include_str!("../../policies/redaction/strict.toml")),
        "safe-harbor" => Some(include_str!("../../policies/redaction/safe-harbor.toml")),
        "tlp-amber" => Some(include_str!("../../policies/redaction/tlp-amber.toml")),
        "tlp-green" => Some(include_str!("../../policies/redaction/tlp-green.toml")),
        _ => None,
    }
}

/// The names of the profiles that ship.
pub const SHIPPED: [&str; 5] = ["no-names", "strict", "safe-harbor", "tlp-amber", "tlp-green"];

impl Profile {
    /// The longest profile, in bytes: 64 KiB.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// The most cases in a profile.
    pub const MAX_CASES: usize = 200;
    /// The most words a profile may allow.
    pub const MAX_ALLOWED: usize = 5000;

    /// Reads a profile. Unknown keys are refused, every type has to be named, and direct
    /// identifiers have to be masked.
    pub fn parse(text: &str) -> Result<Self, BadProfile> {
        if text.len() > Self::MAX_BYTES {
            return Err(BadProfile::TooLong(text.len()));
        }
        let file: File = toml::from_str(text).map_err(|error| BadProfile::Form {
            line: error.span().map(|span| line_of(text, span.start)),
            message: error.message().to_owned(),
        })?;
        let level = Level::ALL.into_iter().find(|level| level.name() == file.label);
        let treatments = treatments(file.types)?;
        let general = |name, told: bool, of: Type| match treatments.get(&of) {
            Some(Treatment::Generalise) => Ok(()),
            _ if !told => Ok(()),
            _ => Err(BadProfile::Vague(name, of.name())),
        };
        general("addresses", file.addresses.is_some(), Type::Location)?;
        general("dates", file.dates.is_some(), Type::Date)?;
        let profile = Self {
            name: line("name", file.name)?,
            label: level.ok_or(BadProfile::Level(file.label))?,
            handling: line("handling", file.handling)?,
            mode: file.mode,
            thresholds: thresholds(file.thresholds)?,
            numbers_up_to: file.numbers_up_to,
            allowed: BTreeSet::new(),
            treatments,
            vague: Vague {
                ages: file.ages,
                addresses: file.addresses.unwrap_or_default(),
                dates: file.dates.unwrap_or_default(),
                earliest_year: 0,
            },
            written: None,
            cases: file.cases,
        };
        for day in profile.cases.iter().filter_map(|case| case.written.as_deref()) {
            day_of(day)?;
        }
        if profile.cases.len() > Self::MAX_CASES {
            return Err(BadProfile::TooMany("cases", Self::MAX_CASES));
        }
        profile.allowing(file.allow)
    }

    /// This profile with more words let through, as an officer does who has looked at a doubt.
    /// They do not let through what the vault knows or what has the form of an identifier.
    pub fn allowing(mut self, words: impl IntoIterator<Item = String>) -> Result<Self, BadProfile> {
        for word in words {
            let parts = word.split('-');
            let mut chars = word.chars();
            let single = word.len() <= 64 && chars.all(|c| c.is_alphanumeric() || "'-".contains(c));
            // Figures with hyphens between them are numbers of something, and no word.
            let named = !word.contains('-') || word.contains(char::is_alphabetic);
            if !single || !named || parts.into_iter().any(str::is_empty) {
                return Err(BadProfile::Allowed(word));
            }
            self.allowed.insert(word.to_lowercase());
        }
        if self.allowed.len() > Self::MAX_ALLOWED {
            return Err(BadProfile::TooMany("allowed words", Self::MAX_ALLOWED));
        }
        Ok(self)
    }

    /// This profile for a text that was written on a day, in UTC: from it is measured which days are near.
    #[must_use]
    pub fn written(mut self, on: Time) -> Self {
        self.written = Some(on.day());
        let year = on.to_string().get(..4).and_then(|year| year.parse::<i64>().ok());
        self.vague.earliest_year = year.map_or(0, |year| year - 89);
        self
    }

    /// The day that near days are measured from.
    pub(crate) fn written_on(&self) -> Option<Time> {
        self.written
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The lowest level that a brief made with it may carry.
    pub fn label(&self) -> Level {
        self.label
    }

    /// What the reader is told to do and not to do with the brief.
    pub fn handling(&self) -> &str {
        &self.handling
    }

    /// How unknown words are judged.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// From which chances on a word is masked.
    pub(crate) fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// Up to which whole number quantities pass in the strict mode.
    pub fn numbers_up_to(&self) -> u32 {
        self.numbers_up_to
    }

    /// What becomes of a type.
    pub fn treatment(&self, of: Type) -> Treatment {
        self.treatments.get(&of).copied().unwrap_or(Treatment::Mask)
    }

    /// How vague what is generalised becomes.
    pub fn vague(&self) -> Vague {
        self.vague
    }

    /// Whether a word, in lower case, is expressly allowed.
    pub fn allows(&self, word: &str) -> bool {
        self.allowed.contains(word)
    }

    /// The length in bytes of the longest allowed word with a hyphen.
    pub(crate) fn longest_allowed(&self) -> usize {
        let words = self.allowed.iter().filter(|word| word.contains('-'));
        words.map(String::len).max().unwrap_or(0)
    }

    /// Runs the cases that the profile brings with it.
    pub fn run_cases(&self) -> Vec<CaseResult> {
        let known = Known::nothing();
        let run = |(at, case): (usize, &Case)| {
            let day = case.written.as_deref().and_then(|day| day_of(day).ok());
            let profile = day.map_or_else(|| self.clone(), |day| self.clone().written(day));
            CaseResult {
                number: at + 1,
                faults: case.faults(redact(&case.input, &profile, &known).map(|redaction| redaction.text)),
            }
        };
        self.cases.iter().enumerate().map(run).collect()
    }
}

impl Case {
    fn faults(&self, text: Result<String, Refused>) -> Vec<String> {
        let text = match text {
            Ok(text) => text,
            Err(refused) => return vec![refused.to_string()],
        };
        let missing = self.must_contain.iter().filter(|part| !text.contains(*part));
        let leaked = self.must_not_contain.iter().filter(|part| text.contains(*part));
        let missing = missing.map(|part| format!("`{part}` should have survived"));
        missing
            .chain(leaked.map(|part| format!("`{part}` should have been masked")))
            .collect()
    }
}

/// From which chance on a word is masked: as a direct identifier, as any.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chances {
    direct: f32,
    any: f32,
}

/// What a profile gets that says nothing.
impl Default for Chances {
    fn default() -> Self {
        Self { direct: 0.05, any: 0.3 }
    }
}

fn thresholds(chances: Chances) -> Result<Thresholds, BadProfile> {
    let good = |chance: f32| (0.001..=0.5).contains(&chance);
    let Chances { direct, any } = chances;
    if good(direct) && good(any) {
        Ok(Thresholds { direct, any })
    } else {
        Err(BadProfile::Threshold)
    }
}

/// The day that a case says it was written on.
fn day_of(day: &str) -> Result<Time, BadProfile> {
    format!("{day}T00:00:00Z")
        .parse()
        .map_err(|_| BadProfile::Day(day.chars().take(40).collect()))
}

fn line(what: &'static str, text: String) -> Result<String, BadProfile> {
    let length = text.chars().count();
    let good = (1..=200).contains(&length) && !text.chars().any(char::is_control) && text.trim() == text;
    if good { Ok(text) } else { Err(BadProfile::Line(what)) }
}

fn treatments(named: BTreeMap<String, Treatment>) -> Result<BTreeMap<Type, Treatment>, BadProfile> {
    let mut treatments = BTreeMap::new();
    for (name, treatment) in named {
        match Type::ALL.into_iter().find(|of| of.name() == name) {
            Some(of) => treatments.insert(of, treatment),
            None => return Err(BadProfile::Type(name)),
        };
    }
    for of in Type::ALL {
        match treatments.get(&of) {
            None => return Err(BadProfile::Missing(of.name())),
            Some(treatment) if DIRECT.contains(&of) && *treatment != Treatment::Mask => {
                return Err(BadProfile::Direct(of.name()));
            }
            Some(Treatment::Near) if of != Type::Date => return Err(BadProfile::Near(of.name())),
            Some(_) => {}
        }
    }
    Ok(treatments)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn shipped_profiles_hold_their_own_cases() {
        for name in SHIPPED {
            let profile = Profile::parse(shipped(name).unwrap()).unwrap();
            assert_eq!(profile.name(), name);
            let results = profile.run_cases();
            assert!(results.len() >= 5, "{name}");
            for result in results {
                assert_eq!(result.faults, Vec::<String>::new(), "{name}, case {}", result.number);
            }
        }
        assert_eq!(shipped("other"), None);
    }

    #[test]
    fn the_template_is_a_sound_profile_that_nobody_can_pick() {
        let template = Profile::parse(include_str!("../../policies/redaction/template.txt")).unwrap();
        assert!(template.run_cases().iter().all(|case| case.faults.is_empty()));
        assert_eq!((template.label(), template.mode()), (Level::Named, Mode::Strict));
        assert!(!SHIPPED.contains(&template.name()) && shipped(template.name()).is_none());
    }

    #[test]
    fn profiles_are_read_strictly() {
        let good = shipped("no-names").unwrap();
        let refused = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            Profile::parse(&good.replacen(from, to, 1)).unwrap_err()
        };
        assert!(matches!(
            refused("mode =", "colour = 1\nmode ="),
            BadProfile::Form { .. }
        ));
        assert_eq!(
            refused("label = \"internal\"", "label = \"secret\""),
            BadProfile::Level("secret".into())
        );
        assert_eq!(
            refused("PERSON = \"mask\"", "PERSON = \"keep\""),
            BadProfile::Direct("PERSON")
        );
        assert_eq!(refused("PERSON = \"mask\"", ""), BadProfile::Missing("PERSON"));
        assert_eq!(refused("ORG = \"mask\"", "ORG = \"near\""), BadProfile::Near("ORG"));
        assert_eq!(
            refused("written = \"2026-03-01\"", "written = \"2026-3-1\""),
            BadProfile::Day("2026-3-1".into())
        );
        assert_eq!(
            refused("mode =", "addresses = \"town\"\nmode ="),
            BadProfile::Vague("addresses", "LOCATION")
        );
        assert_eq!(
            refused("mode =", "dates = \"year\"\nmode ="),
            BadProfile::Vague("dates", "DATE")
        );
        assert_eq!(refused("PERSON =", "PEOPLE ="), BadProfile::Type("PEOPLE".into()));
        assert!(matches!(
            refused("name = \"no-names\"", "name = \"a\\nb\""),
            BadProfile::Line("name")
        ));
        assert_eq!(
            Profile::parse(&" ".repeat(70_000)).unwrap_err(),
            BadProfile::TooLong(70_000)
        );
    }

    #[test]
    fn a_fault_has_its_line() {
        let good = shipped("strict").unwrap();
        for (from, to) in [
            ("mode =", "colour = 1\nmode ="),
            ("label = \"internal\"", "label = \"secret\""),
            ("PERSON = \"mask\"", "PERSON = \"keep\""),
            ("ORG =", "GROUP ="),
            ("handling = \"", "handling = \"\\n"),
            ("mode =", "addresses = \"zip\"\nmode ="),
        ] {
            let bad = good.replacen(from, to, 1);
            let line = 1 + bad.lines().zip(good.lines()).take_while(|(a, b)| a == b).count();
            assert_eq!(Profile::parse(&bad).unwrap_err().line(&bad), Some(line), "{to}");
        }
    }

    #[test]
    fn a_failed_case_says_what_failed() {
        let case = "[[cases]]\ninput = \"the door\"\nmust_contain = [\"window\"]\nmust_not_contain = [\"door\"]\n";
        let profile = Profile::parse(&format!("{}\n{case}", shipped("no-names").unwrap())).unwrap();
        assert_eq!(profile.run_cases().last().unwrap().faults.len(), 2);
    }
}
