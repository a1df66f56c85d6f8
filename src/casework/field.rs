//! Fields of a template: what they ask, and how their values are read. What is read is written in one way.

use crate::chain::Time;
use crate::policy::Levels;
use serde::Deserialize;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// A line of text.
    #[default]
    Text,
    /// A moment.
    Time,
    /// A day.
    Date,
    /// A whole number, from 0.
    Number,
    /// `yes` or `no`.
    YesNo,
    /// One of `choices`.
    Choice,
    /// Some of `choices`, with commas.
    Tags,
    /// Names of people or `@handles`, with commas.
    People,
    /// One of the vault's levels.
    Level,
    /// Another note, by the beginning of its id.
    Note,
}

/// When a field or section has to be filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needed {
    /// It may stay empty.
    #[default]
    Never,
    /// Before the note is recorded.
    ToRecord,
    /// Before it is closed.
    ToClose,
}

/// Under which circumstances something is asked for: that a field says this, or, without a value, that it says anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    pub(super) field: String,
    pub(super) value: Option<String>,
}

impl Condition {
    /// Reads `field` or `field=value`.
    pub(super) fn read(text: &str) -> Self {
        let (field, value) = match text.split_once('=') {
            Some((field, value)) => (field, Some(value.trim().to_lowercase())),
            None => (text, None),
        };
        Self {
            field: field.trim().to_owned(),
            value,
        }
    }

    /// Whether it holds, by what the fields say.
    pub fn holds(&self, fields: &[(String, String)]) -> bool {
        let said = value_of(fields, &self.field);
        match &self.value {
            None => said.is_some(),
            Some(value) => said.is_some_and(|said| said.split(',').any(|one| one.trim().to_lowercase() == *value)),
        }
    }
}

/// What a field of that name says, if it says anything.
pub fn value_of<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    let found = fields.iter().find(|(known, value)| known == name && !value.is_empty());
    found.map(|(_, value)| value.as_str())
}

/// One field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name, as in `--field NAME=VALUE`.
    pub name: String,
    /// What is asked.
    pub ask: String,
    /// What it holds.
    pub kind: FieldKind,
    /// When it has to be there.
    pub needed: Needed,
    /// What may be chosen.
    pub choices: Vec<String>,
    /// Only then.
    pub only_if: Option<Condition>,
    /// Of a note: of which template it has to be.
    pub template: Option<String>,
    /// Of a time or a date: what it is not, by its meaning.
    pub never: Option<Never>,
}

/// What a time or a date is not, when it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Never {
    /// `not_after = "now"`: it is not still to come.
    Future,
    /// `not_before = "now"`: it is not over.
    Past,
}

impl Field {
    /// Whether it is asked for, by what the other fields say.
    pub fn applies(&self, fields: &[(String, String)]) -> bool {
        self.only_if.as_ref().is_none_or(|condition| condition.holds(fields))
    }

    /// What may be answered, in a few words; nothing for free text.
    pub fn hint(&self) -> Option<String> {
        match self.kind {
            FieldKind::Text | FieldKind::Level => None,
            FieldKind::Time => Some("2026-11-21T06:40:00Z".into()),
            FieldKind::Date => Some("2026-11-21".into()),
            FieldKind::Number => Some("a whole number".into()),
            FieldKind::YesNo => Some("yes or no".into()),
            FieldKind::Choice => Some(self.choices.join(", ")),
            FieldKind::Tags => Some(format!("some of: {}", self.choices.join(", "))),
            FieldKind::People => Some("names or @handles, with commas".into()),
            FieldKind::Note => Some("a note's id, or its beginning".into()),
        }
    }

    /// What is odd about a value, if it lies on the wrong side of now. A day is one wherever on Earth it is.
    pub fn out_of_time(&self, value: &str, now: Time) -> Option<String> {
        let never = self.never?;
        let (begins, ends) = match self.kind {
            FieldKind::Date => {
                let midnight = moment(value)?.unix();
                (midnight - 14 * 3600, midnight + 36 * 3600)
            }
            _ => {
                let moment = moment(value)?.unix();
                (moment, moment + 1)
            }
        };
        let (odd, words) = match never {
            Never::Future => (begins > now.unix(), "is still to come"),
            Never::Past => (ends <= now.unix(), "is over"),
        };
        odd.then(|| format!("`{}`: {value} {words}, by this computer's clock", self.name))
    }

    /// The value in the one way it is written, or what would be one. A note's id stays as it was typed: who holds the notes
    /// finds it.
    pub fn read(&self, typed: &str, levels: &Levels) -> Result<String, String> {
        let typed = typed.trim();
        let bad = |expected: String| format!("`{}` is no value for `{}`: {expected}", shortened(typed), self.name);
        let choose = |one: &str| choose(one, &self.choices).ok_or_else(|| bad(self.hint().unwrap_or_default()));
        match self.kind {
            FieldKind::Text | FieldKind::People => Ok(typed.to_owned()),
            FieldKind::Time => moment(typed)
                .map(|time| time.to_string())
                .ok_or_else(|| bad("write it as 2026-11-21T06:40:00Z, with an offset, or as a day".into())),
            FieldKind::Date => typed
                .parse::<jiff::civil::Date>()
                .map(|day| day.to_string())
                .map_err(|_| bad("write a day as 2026-11-21".into())),
            FieldKind::Number => typed
                .parse::<u32>()
                .map(|number| number.to_string())
                .map_err(|_| bad("write a whole number".into())),
            FieldKind::YesNo => match typed.to_lowercase().as_str() {
                "y" | "yes" => Ok("yes".into()),
                "n" | "no" => Ok("no".into()),
                _ => Err(bad("write yes or no".into())),
            },
            FieldKind::Choice => choose(typed),
            FieldKind::Tags => {
                let all = typed.split(',').map(str::trim).filter(|one| !one.is_empty());
                let all: Result<Vec<String>, String> = all.map(choose).collect();
                Ok(all?.join(", "))
            }
            FieldKind::Level => levels
                .by_name(typed)
                .map(|level| levels.rules(level).name.clone())
                .ok_or_else(|| bad("write one of the vault's levels".into())),
            FieldKind::Note => {
                let hex = typed.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                match hex && (4..=32).contains(&typed.len()) {
                    true => Ok(typed.to_owned()),
                    false => Err(bad("write a note's id, or its beginning".into())),
                }
            }
        }
    }
}

fn shortened(typed: &str) -> String {
    typed.chars().take(40).flat_map(char::escape_debug).collect()
}

/// The choice that was typed, in full or by a beginning that no other has.
fn choose(typed: &str, choices: &[String]) -> Option<String> {
    let typed = typed.to_lowercase();
    if let Some(whole) = choices.iter().find(|choice| choice.to_lowercase() == typed) {
        return Some(whole.clone());
    }
    let mut begin = choices
        .iter()
        .filter(|choice| choice.to_lowercase().starts_with(&typed));
    match (begin.next(), begin.next()) {
        (Some(one), None) if !typed.is_empty() => Some(one.clone()),
        _ => None,
    }
}

/// A moment as people write one: RFC 3339, or a day, which begins at midnight UTC.
pub(super) fn moment(typed: &str) -> Option<Time> {
    let whole = match typed.len() {
        10 => format!("{typed}T00:00:00Z"),
        _ => typed.to_owned(),
    };
    let stamp: jiff::Timestamp = whole.parse().ok()?;
    Some(Time::from_unix(stamp.as_second()))
}

/// The last second of a day: until then it is in time.
pub(super) fn end_of_day(typed: &str) -> Option<Time> {
    let day: jiff::civil::Date = typed.parse().ok()?;
    let midnight = moment(&day.to_string())?;
    Some(Time::from_unix(midnight.unix() + 86_399))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_the_wrong_side_of_now_is_odd_and_a_day_is_one_anywhere() {
        let field = |kind, never| Field {
            name: "due".into(),
            ask: "When?".into(),
            kind,
            needed: Needed::Never,
            choices: Vec::new(),
            only_if: None,
            template: None,
            never,
        };
        let odd = |kind, never, value: &str, now: &str| {
            let now = moment(now).unwrap_or_else(|| panic!("{now}"));
            field(kind, never).out_of_time(value, now).is_some()
        };
        let (date, time) = (FieldKind::Date, FieldKind::Time);
        for (kind, never, value, now, expected) in [
            (date, None, "1999-01-01", "2026-11-21T09:30:00Z", false),
            (date, Some(Never::Past), "2026-11-21", "2026-11-21T09:30:00Z", false),
            // In the west it is still the day before.
            (date, Some(Never::Past), "2026-11-20", "2026-11-21T09:30:00Z", false),
            (date, Some(Never::Past), "2026-11-20", "2026-11-21T12:00:00Z", true),
            (date, Some(Never::Past), "2025-11-22", "2026-11-21T09:30:00Z", true),
            (date, Some(Never::Future), "2026-11-21", "2026-11-20T10:00:00Z", false),
            (date, Some(Never::Future), "2026-11-21", "2026-11-20T09:59:59Z", true),
            (date, Some(Never::Future), "2027-11-21", "2026-11-21T09:30:00Z", true),
            (
                time,
                Some(Never::Future),
                "2026-11-21T09:30:00Z",
                "2026-11-21T09:30:00Z",
                false,
            ),
            (
                time,
                Some(Never::Future),
                "2026-11-21T09:30:01Z",
                "2026-11-21T09:30:00Z",
                true,
            ),
            (
                time,
                Some(Never::Past),
                "2026-11-21T09:30:00Z",
                "2026-11-21T09:30:00Z",
                false,
            ),
            (
                time,
                Some(Never::Past),
                "2026-11-21T09:29:59Z",
                "2026-11-21T09:30:00Z",
                true,
            ),
        ] {
            assert_eq!(odd(kind, never, value, now), expected, "{value} at {now}");
        }
    }
}
