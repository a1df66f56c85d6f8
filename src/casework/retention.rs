//! How long notes are kept (`retention/classes.toml`): when each is due for review, and when it is kept no longer.
//! Nothing here destroys: a person decides, and that is recorded.

use super::reserved;
use crate::chain::Time;
use crate::label::Level;
use crate::policy::{Levels, Period};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// After so long a destruction goes on without the devices that have not seen it, where the policies say nothing.
const GRACE: u16 = 14;

/// What one class says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetentionClass {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// After how long a note is due for review; none: as its level says.
    pub review: Option<Period>,
    /// After how long it is kept no longer; none: there is no such time.
    pub purge: Option<Period>,
    /// For how long it is kept at least; none: there is no such time.
    pub at_least: Option<Period>,
}

/// The classes of a vault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retention {
    grace: Period,
    classes: Vec<RetentionClass>,
    /// Places in `classes`.
    by_template: BTreeMap<String, usize>,
    default: Option<usize>,
    cases: Vec<Case>,
}

/// What retention goes by, of one note.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept<'n> {
    /// Its template, if it has one.
    pub template: Option<&'n str>,
    /// Its level.
    pub level: Level,
    /// When its last revision was written.
    pub modified: Time,
    /// When it was closed.
    pub closed: Option<Time>,
    /// Until when somebody decided to keep it.
    pub until: Option<Time>,
}

/// When a note is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RetentionDates {
    /// For review.
    pub review: Option<Time>,
    /// To go.
    pub purge: Option<Time>,
}

/// How one of the file's own cases came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetentionResult {
    /// Its name.
    pub name: String,
    /// What was expected and did not come out.
    pub faults: Vec<String>,
}

/// Why a text is no `retention/classes.toml`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct BadRetention {
    /// The line, from 1, where it can be told.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl<'n> Kept<'n> {
    /// Of a note with these fields. What the program itself would not have written there says nothing.
    pub fn of(fields: &'n [(String, String)], level: Level, modified: Time) -> Self {
        let field = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        Self {
            template: field(reserved::TEMPLATE),
            level,
            modified,
            closed: field(reserved::CLOSED).and_then(|time| time.parse().ok()),
            until: field(reserved::KEPT_UNTIL).and_then(day),
        }
    }

    /// What all times are counted from.
    fn since(&self) -> Time {
        self.closed.unwrap_or(self.modified)
    }
}

/// Midnight UTC of a day written `2026-11-21`.
pub fn day(text: &str) -> Option<Time> {
    (text.len() == 10).then(|| format!("{text}T00:00:00Z").parse().ok())?
}

/// And back.
pub fn day_text(time: Time) -> String {
    time.to_string().chars().take(10).collect()
}

impl Default for Retention {
    /// Of a vault whose policies say nothing: no class.
    fn default() -> Self {
        Self {
            grace: Period::days(GRACE),
            classes: Vec::new(),
            by_template: BTreeMap::new(),
            default: None,
            cases: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    destruction: Option<Destruction>,
    #[serde(default)]
    classes: BTreeMap<String, Row>,
    #[serde(default)]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Destruction {
    grace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Row {
    about: String,
    #[serde(default)]
    templates: Vec<String>,
    #[serde(default)]
    default: bool,
    review: Option<String>,
    purge: Option<String>,
    at_least: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Case {
    name: String,
    template: Option<String>,
    level: String,
    modified: String,
    closed: Option<String>,
    kept_until: Option<String>,
    class: Option<String>,
    review: Option<String>,
    purge: Option<String>,
    at_least: Option<String>,
}

impl Retention {
    /// Its path in a set of policies.
    pub const FILE: &'static str = "retention/classes.toml";
    /// The most classes.
    pub const CLASSES_MAX: usize = 64;
    /// The most cases.
    pub const CASES_MAX: usize = 256;
    /// The most templates of one class.
    pub const TEMPLATES_MAX: usize = 64;

    /// Reads the file, strictly: no unknown field, each template in one class, one default at most.
    pub fn parse(text: &str) -> Result<Self, BadRetention> {
        let file: File = toml::from_str(text).map_err(|error| BadRetention {
            line: error.span().map(|span| line_of(text, span.start)),
            reason: error.message().to_owned(),
        })?;
        let wrong = |needle: &str, reason: String| {
            let line = text.find(needle).map(|at| line_of(text, at));
            BadRetention { line, reason }
        };
        let period = |needle: &str, field: &str, value: &Option<String>| match value {
            None => Ok(None),
            Some(value) => match value.parse::<Period>() {
                Ok(period) => Ok(Some(period)),
                Err(bad) => Err(wrong(needle, format!("`{field}`: {bad}"))),
            },
        };
        let mut retention = Self::default();
        if let Some(Destruction { grace }) = &file.destruction {
            let grace = period("[destruction]", "grace", grace)?;
            retention.grace = grace.unwrap_or(retention.grace);
        }
        if file.classes.len() > Self::CLASSES_MAX || file.cases.len() > Self::CASES_MAX {
            let (classes, cases) = (Self::CLASSES_MAX, Self::CASES_MAX);
            let reason = format!("there are at most {classes} classes and {cases} cases");
            return Err(BadRetention { line: None, reason });
        }
        for (name, row) in file.classes {
            let here = format!("[classes.{name}]");
            let wrong = |reason: String| wrong(&here, reason);
            if !is_name(&name) {
                let name = name.escape_debug();
                return Err(wrong(format!(
                    "`{name}` is no name of a class: small letters, digits and `-`"
                )));
            }
            if row.about.trim().is_empty() || row.about.chars().count() > 200 || row.about.chars().any(char::is_control)
            {
                return Err(wrong("`about` says in a line what the class is for".into()));
            }
            let class = RetentionClass {
                review: period(&here, "review", &row.review)?,
                purge: period(&here, "purge", &row.purge)?,
                at_least: period(&here, "at_least", &row.at_least)?,
                name,
                about: row.about,
            };
            if let (Some(least), Some(purge)) = (class.at_least, class.purge)
                && least.after(0) > purge.after(0)
            {
                return Err(wrong(format!(
                    "it is kept no longer than {purge}, and at least {least}: one of them cannot be"
                )));
            }
            if row.templates.len() > Self::TEMPLATES_MAX {
                let max = Self::TEMPLATES_MAX;
                return Err(wrong(format!("a class has at most {max} templates")));
            }
            let at = retention.classes.len();
            for template in row.templates {
                if !is_name(&template) {
                    let template = template.escape_debug();
                    return Err(wrong(format!("`{template}` is no name of a template")));
                }
                if let Some(other) = retention.by_template.get(&template) {
                    let other = retention.classes.get(*other).map_or(&class.name, |other| &other.name);
                    return Err(wrong(format!(
                        "the template `{template}` is of the class `{other}` already"
                    )));
                }
                retention.by_template.insert(template, at);
            }
            if row.default && retention.default.replace(at).is_some() {
                return Err(wrong(
                    "there is another default already: of two nobody knows which counts".into(),
                ));
            }
            retention.classes.push(class);
        }
        for case in &file.cases {
            let here = |reason: String| wrong(&format!("name = {:?}", case.name), reason);
            case.kept().map_err(here)?;
            for date in [&case.review, &case.purge, &case.at_least].into_iter().flatten() {
                read_day(date).map_err(here)?;
            }
        }
        let names: BTreeSet<&String> = file.cases.iter().map(|case| &case.name).collect();
        if names.len() < file.cases.len() {
            let reason = "two cases have one name".to_owned();
            return Err(BadRetention { line: None, reason });
        }
        retention.cases = file.cases;
        Ok(retention)
    }

    /// After how long a destruction goes on without the devices that have not seen it.
    pub fn grace(&self) -> Period {
        self.grace
    }

    /// The class of notes of that template, or of those without one.
    pub fn class_of(&self, template: Option<&str>) -> Option<&RetentionClass> {
        let named = template.and_then(|template| self.by_template.get(template));
        self.classes.get(*named.or(self.default.as_ref())?)
    }

    /// After how long a note is reviewed: as its class says, or else its level.
    pub fn review_after(&self, kept: &Kept<'_>, levels: &Levels) -> Option<Period> {
        let class = self.class_of(kept.template).and_then(|class| class.review);
        class.or(levels.rules(kept.level).review_after)
    }

    /// When a note is due. A decision to keep it until a day, later than what is counted from, sets the review to that
    /// day, and the end to no earlier one.
    pub fn dates(&self, kept: &Kept<'_>, levels: &Levels) -> RetentionDates {
        let since = kept.since();
        let after = |period: Option<Period>| period?.after(since.unix()).map(Time::from_unix);
        let until = kept.until.filter(|until| *until > since);
        let purge = after(self.class_of(kept.template).and_then(|class| class.purge));
        RetentionDates {
            review: until.or_else(|| after(self.review_after(kept, levels))),
            purge: purge.map(|purge| until.map_or(purge, |until| until.max(purge))),
        }
    }

    /// Until when a note is kept at least, if its class says so. A decision to keep it changes nothing of that.
    pub fn least(&self, kept: &Kept<'_>) -> Option<Time> {
        let least = self.class_of(kept.template)?.at_least?;
        least.after(kept.since().unix()).map(Time::from_unix)
    }

    /// Runs the cases that the file brings with it.
    pub fn run_cases(&self, levels: &Levels) -> Vec<RetentionResult> {
        let run = |case: &Case| RetentionResult {
            name: case.name.clone(),
            faults: self.faults(case, levels),
        };
        self.cases.iter().map(run).collect()
    }

    fn faults(&self, case: &Case, levels: &Levels) -> Vec<String> {
        let kept = match case.kept() {
            Ok(kept) => kept,
            Err(fault) => return vec![fault],
        };
        let dates = self.dates(&kept, levels);
        let class = self.class_of(kept.template).map(|class| class.name.clone());
        let compared = [
            ("class", &case.class, class),
            ("review", &case.review, dates.review.map(day_text)),
            ("purge", &case.purge, dates.purge.map(day_text)),
            ("at_least", &case.at_least, self.least(&kept).map(day_text)),
        ];
        let differs = compared.into_iter().filter(|(_, expected, got)| *expected != got);
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        differs
            .map(|(what, expected, got)| format!("{what}: expected {}, got {}", said(expected), said(&got)))
            .collect()
    }
}

impl Case {
    fn kept(&self) -> Result<Kept<'_>, String> {
        let level = Level::ALL.into_iter().find(|level| level.name() == self.level);
        let date = |text: &Option<String>| text.as_deref().map(read_day).transpose();
        Ok(Kept {
            template: self.template.as_deref(),
            level: level.ok_or_else(|| {
                let level = self.level.escape_debug();
                format!("`{level}` is not a level: cases use the fixed names, public to named")
            })?,
            modified: read_day(&self.modified)?,
            closed: date(&self.closed)?,
            until: date(&self.kept_until)?,
        })
    }
}

fn read_day(text: &str) -> Result<Time, String> {
    day(text).ok_or_else(|| {
        let text: String = text.chars().take(40).flat_map(char::escape_debug).collect();
        format!("`{text}` is not a day: write it as 2026-11-21")
    })
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}

/// The line, from 1, of a byte offset.
fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const SHIPPED: &str = include_str!("../../policies/retention/classes.toml");

    fn levels() -> Levels {
        Levels::parse(include_str!("../../policies/levels.toml")).unwrap()
    }

    fn fault(text: &str) -> (Option<usize>, String) {
        let bad = Retention::parse(text).unwrap_err();
        (bad.line, bad.reason)
    }

    #[test]
    fn the_shipped_classes_pass_their_cases() {
        let retention = Retention::parse(SHIPPED).unwrap();
        let results = retention.run_cases(&levels());
        assert!(
            results.len() > 5 && results.iter().all(|result| result.faults.is_empty()),
            "{results:?}"
        );
        assert_eq!(retention.grace(), Period::days(GRACE));
        assert_eq!(retention.class_of(Some("incident")).unwrap().name, "incidents");
        for other in [None, Some("no-such-template")] {
            assert_eq!(retention.class_of(other).unwrap().name, "general");
        }
        // A case that expects something else fails, and says what came out.
        let text = SHIPPED.replacen("purge = \"2032-01-31\"", "purge = \"2031-01-31\"", 1);
        let results = Retention::parse(&text).unwrap().run_cases(&levels());
        assert_eq!(results[0].faults, ["purge: expected 2031-01-31, got 2032-01-31"]);
    }

    #[test]
    fn both_times_are_counted_from_closing_and_a_decision_puts_them_off() {
        let retention =
            Retention::parse("[classes.a]\nabout = \"x\"\ndefault = true\nreview = \"1y\"\npurge = \"2y\"").unwrap();
        let time = |text: &str| day(text).unwrap();
        let dates = |modified: &str, closed: Option<&str>, until: Option<&str>| {
            let kept = Kept {
                template: None,
                level: Level::Internal,
                modified: time(modified),
                closed: closed.map(time),
                until: until.map(time),
            };
            let dates = retention.dates(&kept, &levels());
            [dates.review, dates.purge].map(|time| time.map(day_text).unwrap_or_default())
        };
        assert_eq!(dates("2020-01-01", None, None), ["2021-01-01", "2022-01-01"]);
        assert_eq!(
            dates("2020-06-01", Some("2020-01-01"), None),
            ["2021-01-01", "2022-01-01"]
        );
        assert_eq!(
            dates("2020-01-01", None, Some("2020-02-01")),
            ["2020-02-01", "2022-01-01"]
        );
        assert_eq!(
            dates("2020-01-01", None, Some("2024-02-01")),
            ["2024-02-01", "2024-02-01"]
        );
        // What was decided before it was written to again, or closed, is over.
        assert_eq!(
            dates("2020-01-01", None, Some("2020-01-01")),
            ["2021-01-01", "2022-01-01"]
        );
        assert_eq!(
            dates("2019-01-01", Some("2020-01-01"), Some("2019-09-01")),
            ["2021-01-01", "2022-01-01"]
        );
        assert_eq!(
            Retention::default().dates(
                &Kept {
                    template: None,
                    level: Level::Public,
                    modified: time("2020-01-01"),
                    closed: None,
                    until: None
                },
                &levels()
            ),
            RetentionDates::default()
        );
    }

    #[test]
    fn fields_say_what_the_program_wrote_there() {
        let fields = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect()
        };
        let given = fields(&[
            ("closed", "2026-11-21T09:30:00Z"),
            ("kept-until", "2027-01-01"),
            ("template", "incident"),
        ]);
        let kept = Kept::of(&given, Level::Internal, Time::from_unix(0));
        assert_eq!(
            (kept.template, kept.closed.map(day_text)),
            (Some("incident"), Some("2026-11-21".into()))
        );
        assert_eq!(kept.until.map(day_text).as_deref(), Some("2027-01-01"));
        let odd = fields(&[("closed", "yesterday"), ("kept-until", "2027-1-1")]);
        let kept = Kept::of(&odd, Level::Internal, Time::from_unix(0));
        assert_eq!((kept.closed, kept.until), (None, None));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let class = |more: &str| format!("\n[classes.a]\nabout = \"x\"\n{more}\n");
        for (text, line, part) in [
            (class("colour = 1"), Some(4), "colour"),
            (class("purge = \"9\""), Some(2), "`purge`: `9` is not a length of time"),
            (
                class("purge = \"1y\"\nat_least = \"13m\""),
                Some(2),
                "no longer than 1y, and at least 13m",
            ),
            (class("templates = [\"A b\"]"), Some(2), "no name of a template"),
            ("[classes.a]\nabout = \"\"".to_owned(), Some(1), "says in a line"),
            ("[classes.\"A\"]\nabout = \"x\"".to_owned(), None, "no name of a class"),
            (
                "[destruction]\ngrace = \"never\"".to_owned(),
                Some(1),
                "`grace`: `never`",
            ),
            (
                class("templates = [\"t\"]") + "[classes.b]\nabout = \"x\"\ntemplates = [\"t\"]",
                Some(5),
                "of the class `a` already",
            ),
            (
                class("default = true") + "[classes.b]\nabout = \"x\"\ndefault = true",
                Some(5),
                "another default",
            ),
            (
                "[[cases]]\nname = \"c\"\nlevel = \"secret\"\nmodified = \"2026-01-01\"".to_owned(),
                Some(2),
                "`secret` is not a level",
            ),
            (
                "[[cases]]\nname = \"c\"\nlevel = \"public\"\nmodified = \"2026-02-30\"".to_owned(),
                Some(2),
                "is not a day",
            ),
        ] {
            let (at, reason) = fault(&text);
            assert!(reason.contains(part), "{reason}");
            assert_eq!(at, line, "{text}");
        }
        let many: String = (0..65).map(|n| format!("[classes.c{n}]\nabout = \"x\"\n")).collect();
        assert!(fault(&many).1.contains("at most 64"));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_without_a_panic(at in 0usize..3000, with in "[ -~]{0,6}", out in 0usize..6) {
            let at = at % SHIPPED.len();
            let good = SHIPPED.as_bytes();
            let text = [&good[..at], with.as_bytes(), good.get(at + out..).unwrap_or_default()].concat();
            if let Ok(retention) = Retention::parse(&String::from_utf8_lossy(&text)) {
                let _ = retention.run_cases(&levels());
            }
        }
    }
}
