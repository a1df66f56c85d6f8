//! `levels.toml`: what the five levels are called and what they ask.

use super::error::{BadPolicy, line_with, read_toml};
use super::files::LEVELS;
use crate::label::Level;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// What one level is called and asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LevelRules {
    /// The name people type and see.
    pub name: String,
    /// The mark on everything that leaves the vault at this level.
    pub mark: String,
    /// Whether opening asks for a purpose.
    pub purpose_required: bool,
    /// Whether opening asks for a reason.
    pub reason_required: bool,
    /// Whether a brief that goes out at this level needs a second person.
    pub second_person_for_release: bool,
    /// After how long a note is due for review; `None`: never.
    pub review_after: Option<Period>,
    /// For how long after the last exchange with another copy of the vault its notes are opened: its own, or that of a
    /// wider level; `None`: for ever.
    pub offline_at_most: Option<Period>,
}

/// The five levels as a vault names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Levels {
    rules: [LevelRules; 5],
    default: Option<Level>,
    clear: Level,
}

impl Levels {
    /// Reads `levels.toml`, strictly: exactly the five levels, no unknown field, names unique whatever
    /// their case, and no level asking for less than a wider one.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        let file: File = read_toml(LEVELS, text)?;
        let rows = file.levels;
        let mut rules = Vec::with_capacity(5);
        for (level, row) in [
            (Level::Public, rows.public),
            (Level::Internal, rows.internal),
            (Level::Confidential, rows.confidential),
            (Level::Restricted, rows.restricted),
            (Level::Named, rows.named),
        ] {
            let wrong = |reason: String| {
                let line = line_with(text, &format!("[levels.{}]", level.name()));
                BadPolicy::wrong(LEVELS, line, reason)
            };
            let mut row = row.check().map_err(wrong)?;
            check_against_wider(level, &row, &rules).map_err(wrong)?;
            let wider = rules.last().and_then(|wider: &LevelRules| wider.offline_at_most);
            row.offline_at_most = row.offline_at_most.or(wider);
            rules.push(row);
        }
        // Five were pushed: the list above is written out.
        let rules: [LevelRules; 5] = rules
            .try_into()
            .map_err(|_| BadPolicy::wrong(LEVELS, None, "there are five levels"))?;
        let mut levels = Self {
            rules,
            default: None,
            clear: Level::Public,
        };
        let defaults = file.defaults.unwrap_or_default();
        let wrong = |reason: String| BadPolicy::wrong(LEVELS, line_with(text, "[defaults]"), reason);
        if let Some(name) = defaults.label {
            match levels.by_name(&name) {
                None => return Err(wrong(format!("the default label `{name}` is not a level of this file"))),
                Some(Level::Named) => {
                    return Err(wrong(format!(
                        "`{name}` cannot be the default label: it is for people by name; leave the default out or \
                         choose a wider level"
                    )));
                }
                level => levels.default = level,
            }
        }
        if let Some(name) = defaults.clear_export {
            levels.clear = levels.by_name(&name).ok_or_else(|| {
                wrong(format!(
                    "`clear_export` names `{name}`, which is not a level of this file"
                ))
            })?;
        }
        Ok(levels)
    }

    /// What a level is called and asks.
    pub fn rules(&self, level: Level) -> &LevelRules {
        &self.rules[usize::from(level.number())]
    }

    /// The level of this name, whatever its case: the vault's name, or the fixed one that stands in files
    /// (a vault's name may not be another level's fixed name, so there is one answer).
    pub fn by_name(&self, name: &str) -> Option<Level> {
        let name = fold(name);
        Level::ALL
            .into_iter()
            .find(|level| fold(&self.rules(*level).name) == name || level.name() == name)
    }

    /// The level of a note for which no label was given, never `named`. `None`: the strictest level in
    /// the author's clearance, without compartments.
    pub fn default_level(&self) -> Option<Level> {
        self.default
    }

    /// Up to which level notes may be exported in clear.
    pub fn clear_export(&self) -> Level {
        self.clear
    }
}

fn fold(name: &str) -> String {
    name.to_lowercase()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    defaults: Option<Defaults>,
    levels: Rows,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Defaults {
    label: Option<String>,
    clear_export: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Rows {
    public: Row,
    internal: Row,
    confidential: Row,
    restricted: Row,
    named: Row,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Row {
    name: String,
    mark: String,
    purpose_required: bool,
    reason_required: bool,
    second_person_for_release: bool,
    review_after: Option<String>,
    offline_at_most: Option<String>,
}

impl Row {
    fn check(self) -> Result<LevelRules, String> {
        // A name is typed in labels, where `/` and `@` divide; spaces at its ends could not be typed at all.
        let name_fits = (1..=32).contains(&self.name.chars().count())
            && self.name.trim() == self.name
            && !self.name.chars().any(|c| c.is_control() || c == '/' || c == '@');
        if !name_fits {
            return Err(format!(
                "`{}` cannot name a level: 1 to 32 characters, no `/`, no `@`, no spaces at its ends",
                self.name.escape_debug()
            ));
        }
        let mark_fits = (1..=40).contains(&self.mark.len())
            && self.mark.trim() == self.mark
            && self.mark.bytes().all(|b| (b' '..=b'~').contains(&b));
        if !mark_fits {
            return Err(format!(
                "`{}` cannot be a mark: 1 to 40 printable ASCII characters",
                self.mark.escape_debug()
            ));
        }
        let period = |text: Option<String>| {
            let parsed = text.map(|text| text.parse()).transpose();
            parsed.map_err(|bad: BadPeriod| bad.to_string())
        };
        Ok(LevelRules {
            name: self.name,
            mark: self.mark,
            purpose_required: self.purpose_required,
            reason_required: self.reason_required,
            second_person_for_release: self.second_person_for_release,
            review_after: period(self.review_after)?,
            offline_at_most: period(self.offline_at_most)?,
        })
    }
}

/// Names must differ, and a narrower level asks at least what a wider one does: otherwise relabelling a
/// note upwards would make it easier to open.
fn check_against_wider(level: Level, row: &LevelRules, wider: &[LevelRules]) -> Result<(), String> {
    let name = fold(&row.name);
    if let Some(other) = Level::ALL
        .into_iter()
        .find(|other| *other != level && other.name() == name)
    {
        return Err(format!(
            "`{}` is the fixed name of another level (`[levels.{other}]`): choose another word",
            row.name
        ));
    }
    if wider.iter().any(|other| fold(&other.name) == name) {
        return Err(format!("two levels are called `{}`: names must differ", row.name));
    }
    let asks = |rules: &LevelRules| {
        [
            ("purpose_required", rules.purpose_required),
            ("reason_required", rules.reason_required),
            ("second_person_for_release", rules.second_person_for_release),
        ]
    };
    let Some(last) = wider.last() else { return Ok(()) };
    if let (Some(here), Some(there)) = (row.offline_at_most, last.offline_at_most)
        && here.after(0) > there.after(0)
    {
        return Err(format!(
            "`offline_at_most` is {there} for the wider level `{}`, so it cannot be {here} for `{}`",
            last.name, row.name
        ));
    }
    match asks(row)
        .iter()
        .zip(asks(last))
        .find(|((_, here), (_, there))| *there && !*here)
    {
        Some(((field, _), _)) => Err(format!(
            "`{field}` is asked for by the wider level `{}`, so `{}` must ask for it too",
            last.name, row.name
        )),
        None => Ok(()),
    }
}

/// A length of calendar time, written `72h`, `30d`, `6w`, `18m` or `5y`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Period {
    count: u16,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Unit {
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

/// The text is not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a length of time: write a number from 1 to 999 and `h`, `d`, `w`, `m` or `y`, as in `72h`, `30d` or `1y`"
)]
pub struct BadPeriod(String);

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let bad = || BadPeriod(text.chars().take(40).flat_map(char::escape_debug).collect());
        let unit = match text.as_bytes().last() {
            Some(b'h') => Unit::Hours,
            Some(b'd') => Unit::Days,
            Some(b'w') => Unit::Weeks,
            Some(b'm') => Unit::Months,
            Some(b'y') => Unit::Years,
            _ => return Err(bad()),
        };
        let digits = &text[..text.len() - 1];
        let canonical =
            (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        match digits.parse() {
            Ok(count) if canonical => Ok(Self { count, unit }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Hours => 'h',
            Unit::Days => 'd',
            Unit::Weeks => 'w',
            Unit::Months => 'm',
            Unit::Years => 'y',
        };
        write!(f, "{}{unit}", self.count)
    }
}

impl Period {
    /// So many days.
    pub const fn days(count: u16) -> Self {
        Self {
            count,
            unit: Unit::Days,
        }
    }

    /// The moment this long after `start`, by the calendar in UTC: a month after 31 January is the last of
    /// February. Both in seconds since 1970-01-01T00:00Z; `None` beyond the year 9999.
    pub fn after(self, start: i64) -> Option<i64> {
        let count = i64::from(self.count);
        let span = jiff::Span::new();
        let span = match self.unit {
            Unit::Hours => span.try_hours(count),
            Unit::Days => span.try_days(count),
            Unit::Weeks => span.try_weeks(count),
            Unit::Months => span.try_months(count),
            Unit::Years => span.try_years(count),
        }
        .ok()?;
        let start = jiff::Timestamp::from_second(start)
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC);
        Some(start.checked_add(span).ok()?.timestamp().as_second())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const SHIPPED: &str = include_str!("../../policies/levels.toml");

    fn reason(text: &str) -> String {
        Levels::parse(text).expect_err("taken").to_string()
    }

    #[test]
    fn the_shipped_levels_ask_from_restricted_upwards() {
        let levels = Levels::parse(SHIPPED).unwrap();
        for level in Level::ALL {
            let rules = levels.rules(level);
            let strict = level >= Level::Restricted;
            assert_eq!(rules.name, level.name());
            assert_eq!(rules.mark, level.tlp());
            assert_eq!((rules.purpose_required, rules.reason_required), (strict, strict));
            assert_eq!(rules.second_person_for_release, strict);
        }
        assert_eq!(levels.default_level(), None);
        assert_eq!(levels.rules(Level::Restricted).review_after.unwrap().to_string(), "1y");
    }

    #[test]
    fn names_are_found_in_any_case_and_by_their_fixed_name() {
        let levels = Levels::parse(&SHIPPED.replace("name = \"internal\"", "name = \"Überall\"")).unwrap();
        assert_eq!(levels.by_name("üBERALL"), Some(Level::Internal));
        assert_eq!(levels.by_name("internal"), Some(Level::Internal));
        assert_eq!(levels.by_name("Restricted"), Some(Level::Restricted));
        assert_eq!(levels.by_name("secret"), None);
    }

    #[test]
    fn levels_cannot_be_added_removed_or_given_unknown_fields() {
        assert!(reason(&format!("{SHIPPED}\n[levels.cosmic]\nname = \"cosmic\"")).contains("cosmic"));
        assert!(reason(&SHIPPED.replace("[levels.named]", "[levels.nobody]")).contains("nobody"));
        let cut = SHIPPED.split("[levels.named]").next().unwrap();
        assert!(reason(cut).contains("named"));
        let text = SHIPPED.replace("mark = \"TLP:GREEN\"", "mark = \"TLP:GREEN\"\ncolour = \"green\"");
        let line = 1 + text.lines().position(|line| line.starts_with("colour")).unwrap();
        assert!(
            reason(&text).starts_with(&format!("`levels.toml`, line {line}: ")),
            "{}",
            reason(&text)
        );
    }

    #[test]
    fn names_must_differ() {
        let twice = SHIPPED
            .replace("name = \"internal\"", "name = \"desk\"")
            .replace("name = \"named\"", "name = \"DESK\"");
        assert!(reason(&twice).contains("two levels are called `DESK`"));
        let swapped = SHIPPED.replace("name = \"internal\"", "name = \"Restricted\"");
        assert!(reason(&swapped).contains("fixed name of another level"));
        for bad in ["", " x", "a/b", "@x", "a\\u0007"] {
            assert!(
                Levels::parse(&SHIPPED.replace("\"internal\"", &format!("\"{bad}\""))).is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_cap_on_the_time_offline_holds_for_narrower_levels_too() {
        let with = |level: &str, cap: &str| {
            let row = format!("[levels.{level}]\n");
            SHIPPED.replace(&row, &format!("{row}offline_at_most = \"{cap}\"\n"))
        };
        let caps = |text: &str| {
            let levels = Levels::parse(text).unwrap();
            Level::ALL.map(|level| levels.rules(level).offline_at_most.map(|cap| cap.to_string()))
        };
        assert_eq!(caps(SHIPPED), [const { None }; 5]);
        let week = Some("7d".to_owned());
        assert_eq!(
            caps(&with("confidential", "7d")),
            [None, None, week.clone(), week.clone(), week.clone()]
        );
        let two = with("confidential", "7d").replace("[levels.named]\n", "[levels.named]\noffline_at_most = \"24h\"\n");
        assert_eq!(caps(&two), [None, None, week.clone(), week, Some("24h".to_owned())]);
        let longer = two.replace("\"24h\"", "\"8d\"");
        assert!(
            reason(&longer).contains("`offline_at_most` is 7d for the wider level `restricted`"),
            "{}",
            reason(&longer)
        );
        assert!(reason(&with("named", "0h")).contains("is not a length of time"));
    }

    #[test]
    fn a_narrower_level_may_not_ask_for_less() {
        let text = SHIPPED.replacen("reason_required = false", "reason_required = true", 1);
        assert!(reason(&text).contains("`reason_required` is asked for by the wider level `public`"));
    }

    #[test]
    fn the_default_label_is_a_level_below_named() {
        let with = |name: &str| Levels::parse(&format!("[defaults]\nlabel = \"{name}\"\n{SHIPPED}"));
        assert_eq!(with("Confidential").unwrap().default_level(), Some(Level::Confidential));
        assert!(with("named").is_err());
        assert!(with("restricted/x").is_err());
    }

    #[test]
    fn periods_follow_the_calendar() {
        let after = |period: &str, start| period.parse::<Period>().unwrap().after(start);
        // 2024-01-31, 2024-02-29, 2025-02-28 at midnight UTC
        assert_eq!(after("1m", 1_706_659_200), Some(1_709_164_800));
        assert_eq!(after("1y", 1_709_164_800), Some(1_740_700_800));
        assert_eq!(after("30d", 0), Some(30 * 86_400));
        assert_eq!(after("2w", 0), Some(14 * 86_400));
        assert_eq!(after("999y", 253_402_000_000), None);
        assert_eq!(after("1d", i64::MAX), None);
        for bad in ["", "d", "0d", "01d", "1000d", "1", "1s", "-1d", "+1d", "1 d", "1D", "é"] {
            assert!(bad.parse::<Period>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_without_a_panic(text in ".{0,12}") {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string(), text);
            }
        }
    }
}
