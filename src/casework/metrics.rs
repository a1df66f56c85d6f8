//! Figures: `rubrics/metrics.toml` in the policies says what is counted among notes, and the program counts it.

use super::closing::Record;
use super::field::{Condition, value_of};
use super::reserved;
use super::shelf::Form;
use super::template::{is_line, is_name};
use crate::chain::Time;
use crate::policy::{BadPolicy, Period, line_with, read_toml};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The path of the file.
pub const METRICS: &str = "rubrics/metrics.toml";
/// The most figures.
const MANY: usize = 64;
/// Under so many nothing is said of a group, unless a figure says otherwise.
const HIDDEN_UNDER: usize = 5;
const DAY: i64 = 86_400;

/// What is counted.
#[derive(Clone, Debug)]
pub struct Metrics {
    figures: Vec<Figure>,
}

/// One figure.
#[derive(Clone, Debug)]
struct Figure {
    name: String,
    words: String,
    template: String,
    measure: Measure,
    among: Vec<Test>,
    counts: Vec<Test>,
    linked: Option<LinkedTest>,
    hide_under: usize,
}

#[derive(Clone, Debug)]
enum Measure {
    /// How many.
    Count,
    /// What share of those among which is counted.
    Share,
    /// The median of days from one moment to another; none is now.
    Days(Moment, Option<Moment>),
    /// How many of each answer.
    Each(String),
}

#[derive(Clone, Debug)]
enum Moment {
    Recorded,
    Happened,
    Said(String),
}

#[derive(Clone, Debug)]
enum Test {
    Says(Condition),
    SaysNot(Condition),
    /// The day that a field names is past.
    Past(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct LinkedTest {
    template: String,
    by: String,
    #[serde(default)]
    closed: bool,
    within: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    figure: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Row {
    name: String,
    words: String,
    template: String,
    measure: String,
    #[serde(default)]
    among: Vec<String>,
    #[serde(default)]
    counts: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    each: Option<String>,
    linked: Option<LinkedTest>,
    #[serde(default = "hidden_under")]
    hide_under: usize,
}

fn hidden_under() -> usize {
    HIDDEN_UNDER
}

/// A note as it is counted.
pub struct Counted<'n> {
    /// Its id.
    pub id: String,
    /// The name of its template.
    pub template: &'n str,
    /// What is known of it.
    pub record: Record<'n>,
}

/// A figure that was counted.
#[derive(Clone, PartialEq, Debug)]
pub struct Figured {
    /// Its name; of an answer among several `name: answer`.
    pub name: String,
    /// What it says, for people.
    pub words: String,
    /// What it is.
    pub value: Value,
    /// Of how many notes it is made.
    pub of: usize,
}

/// The value of a figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value {
    /// How many.
    Count(usize),
    /// How many of those it is made of.
    Share(usize),
    /// The median, in days.
    Days(f64),
    /// There is nothing to count.
    Nothing,
    /// So few that it would tell of persons.
    Hidden(usize),
}

impl Metrics {
    /// Reads the file, strictly; every fault with its line.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        let file: File = read_toml(METRICS, text)?;
        let mut figures: Vec<Figure> = Vec::new();
        for row in file.figure {
            let near = format!("\"{}\"", row.name);
            let wrong = |reason: String| BadPolicy::wrong(METRICS, line_with(text, &near), reason);
            if !is_name(&row.name) || !is_line(&row.words) || figures.iter().any(|known| known.name == row.name) {
                return Err(wrong(
                    "a figure has a name of its own, of a–z, 0–9 and `-`, and words in a line".into(),
                ));
            }
            let measure = match (row.measure.as_str(), &row.from, &row.each) {
                ("count", None, None) => Measure::Count,
                ("share", None, None) => Measure::Share,
                ("days", Some(from), None) => Measure::Days(moment_named(from), row.to.as_deref().map(moment_named)),
                ("each", None, Some(field)) => Measure::Each(field.clone()),
                _ => {
                    let reason = "`measure` is count or share, days with `from` (and `to`), or each with `each`";
                    return Err(wrong(reason.into()));
                }
            };
            if let Some(within) = row.linked.as_ref().and_then(|linked| linked.within.as_deref()) {
                within.parse::<Period>().map_err(|bad| wrong(bad.to_string()))?;
            }
            figures.push(Figure {
                measure,
                among: row.among.iter().map(|text| Test::read(text)).collect(),
                counts: row.counts.iter().map(|text| Test::read(text)).collect(),
                name: row.name,
                words: row.words,
                template: row.template,
                linked: row.linked,
                hide_under: row.hide_under,
            });
        }
        if figures.len() > MANY {
            return Err(BadPolicy::wrong(
                METRICS,
                None,
                format!("there are at most {MANY} figures"),
            ));
        }
        Ok(Self { figures })
    }

    /// Of the figure of that name, if it is a count, under how many it is hidden.
    pub fn hidden_under(&self, name: &str) -> Option<usize> {
        let mut counts = self
            .figures
            .iter()
            .filter(|figure| matches!(figure.measure, Measure::Count));
        counts
            .find(|figure| figure.name == name)
            .map(|figure| figure.hide_under)
    }

    /// What names a template or a field that is not there.
    pub(super) fn dangling(&self, text: &str, forms: &[Form]) -> Vec<BadPolicy> {
        let mut faults = Vec::new();
        for figure in &self.figures {
            let near = format!("\"{}\"", figure.name);
            let mut fault = |reason: String| faults.push(BadPolicy::wrong(METRICS, line_with(text, &near), reason));
            let find = |name: &str| {
                forms
                    .iter()
                    .map(|form| &form.template)
                    .find(|template| template.name == name)
            };
            let Some(template) = find(&figure.template) else {
                fault(format!("there is no template `{}`", figure.template));
                continue;
            };
            let has = |field: &str| template.field(field).is_some() || reserved::ALL.contains(&field);
            let moments: Vec<&Moment> = match &figure.measure {
                Measure::Days(from, to) => [Some(from), to.as_ref()].into_iter().flatten().collect(),
                _ => Vec::new(),
            };
            let said = moments.into_iter().filter_map(|moment| match moment {
                Moment::Said(field) => Some(field.as_str()),
                _ => None,
            });
            let each = match &figure.measure {
                Measure::Each(field) => Some(field.as_str()),
                _ => None,
            };
            let tested = figure.among.iter().chain(&figure.counts).map(Test::field);
            if let Some(field) = said.chain(each).chain(tested).find(|field| !has(field)) {
                fault(format!("the template `{}` has no field `{field}`", figure.template));
            }
            if let Some(linked) = &figure.linked
                && find(&linked.template)
                    .and_then(|other| other.field(&linked.by))
                    .is_none()
            {
                fault(format!(
                    "there is no template `{}` with a field `{}`",
                    linked.template, linked.by
                ));
            }
        }
        faults
    }

    /// Counts among the notes that were first recorded in the period; what points to them may be from any time.
    pub fn count(&self, notes: &[Counted<'_>], since: Option<Time>, until: Option<Time>, now: Time) -> Vec<Figured> {
        let recorded = |note: &&Counted<'_>| {
            since.is_none_or(|since| note.record.created >= since)
                && until.is_none_or(|until| note.record.created < until)
        };
        let mut counted = Vec::new();
        for figure in &self.figures {
            let of: Vec<&Counted<'_>> = notes
                .iter()
                .filter(|note| note.template == figure.template)
                .filter(recorded)
                .filter(|note| figure.among.iter().all(|test| test.holds(note, now)))
                .collect();
            let counts = |note: &&&Counted<'_>| {
                figure.counts.iter().all(|test| test.holds(note, now))
                    && figure.linked.as_ref().is_none_or(|linked| linked.holds(note, notes))
            };
            let few = |count: usize| count > 0 && count < figure.hide_under;
            let told = |name: String, words: String, of: usize, value: Value| {
                // Of a share either side may be a group.
                let sides = match value {
                    Value::Share(count) => few(count) || few(of - count),
                    _ => false,
                };
                let value = match few(of) || sides {
                    true => Value::Hidden(figure.hide_under),
                    false => value,
                };
                Figured { name, words, value, of }
            };
            let (name, words) = (figure.name.clone(), figure.words.clone());
            match &figure.measure {
                Measure::Count => {
                    let count = of.iter().filter(counts).count();
                    counted.push(told(name, words, count, Value::Count(count)));
                }
                Measure::Share => {
                    let value = match of.len() {
                        0 => Value::Nothing,
                        _ => Value::Share(of.iter().filter(counts).count()),
                    };
                    counted.push(told(name, words, of.len(), value));
                }
                Measure::Days(from, to) => {
                    let span = |note: &&Counted<'_>| {
                        let from = from.of(note)?;
                        let to = to.as_ref().map_or(Some(now), |to| to.of(note))?;
                        Some(to.unix() - from.unix())
                    };
                    let mut spans: Vec<i64> = of.iter().filter(counts).filter_map(span).collect();
                    spans.sort_unstable();
                    let value = median(&spans).map_or(Value::Nothing, Value::Days);
                    counted.push(told(name, words, spans.len(), value));
                }
                Measure::Each(field) => {
                    let mut each: BTreeMap<&str, usize> = BTreeMap::new();
                    for note in of.iter().filter(counts) {
                        let said = value_of(note.record.fields, field).unwrap_or_default();
                        for one in said.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                            *each.entry(one).or_default() += 1;
                        }
                    }
                    let counts: Vec<usize> = each.values().copied().collect();
                    for ((one, count), shown) in each.into_iter().zip(hide(&counts, figure.hide_under)) {
                        let (name, words) = (format!("{name}: {one}"), format!("{words}: {one}"));
                        let value = shown.map_or(Value::Hidden(figure.hide_under), Value::Count);
                        let of = count;
                        counted.push(Figured { name, words, value, of });
                    }
                }
            }
        }
        counted
    }
}

/// Counts of parts of a whole that may be known: those under `under` are hidden, and where that is one alone the smallest of the
/// others too, so that nobody gets it by taking the rest away.
pub fn hide(counts: &[usize], under: usize) -> Vec<Option<usize>> {
    let few = |count: usize| count > 0 && count < under;
    let mut shown: Vec<Option<usize>> = counts.iter().map(|count| (!few(*count)).then_some(*count)).collect();
    if shown.iter().filter(|count| count.is_none()).count() == 1 {
        let others = shown.iter_mut().filter(|count| count.is_some_and(|count| count > 0));
        if let Some(smallest) = others.min_by_key(|count| **count) {
            *smallest = None;
        }
    }
    shown
}

/// The median in days, to a tenth.
fn median(spans: &[i64]) -> Option<f64> {
    let middle = spans.len() / 2;
    let seconds = match spans {
        [] => return None,
        _ if spans.len() % 2 == 1 => spans[middle],
        _ => (spans[middle - 1] + spans[middle]) / 2,
    };
    // Tenths of a day are whole numbers that a float holds.
    let tenths = i32::try_from((seconds * 10).div_euclid(DAY)).ok()?;
    Some(f64::from(tenths) / 10.0)
}

fn moment_named(name: &str) -> Moment {
    match name {
        "recorded" => Moment::Recorded,
        "happened" => Moment::Happened,
        field => Moment::Said(field.to_owned()),
    }
}

impl Moment {
    fn of(&self, note: &Counted<'_>) -> Option<Time> {
        match self {
            Self::Recorded => Some(note.record.created),
            Self::Happened => Some(note.record.happened.unwrap_or(note.record.created)),
            Self::Said(field) => super::field::moment(value_of(note.record.fields, field)?),
        }
    }
}

impl Test {
    /// Reads `field`, `field=value`, `!` before either, or `field<today`.
    fn read(text: &str) -> Self {
        match (text.strip_prefix('!'), text.strip_suffix("<today")) {
            (Some(rest), _) => Self::SaysNot(Condition::read(rest)),
            (None, Some(field)) => Self::Past(field.trim().to_owned()),
            (None, None) => Self::Says(Condition::read(text)),
        }
    }

    fn field(&self) -> &str {
        match self {
            Self::Says(condition) | Self::SaysNot(condition) => &condition.field,
            Self::Past(field) => field,
        }
    }

    fn holds(&self, note: &Counted<'_>, now: Time) -> bool {
        match self {
            Self::Says(condition) => condition.holds(note.record.fields),
            Self::SaysNot(condition) => !condition.holds(note.record.fields),
            Self::Past(field) => {
                let day = value_of(note.record.fields, field);
                day.and_then(super::field::end_of_day).is_some_and(|end| end < now)
            }
        }
    }
}

impl LinkedTest {
    fn holds(&self, note: &Counted<'_>, notes: &[Counted<'_>]) -> bool {
        let within: Option<Period> = self.within.as_deref().and_then(|text| text.parse().ok());
        let end = within.and_then(|period| period.after(note.record.created.unix()));
        let mut others = notes.iter().filter(|other| other.template == self.template);
        others.any(|other| {
            let fields = other.record.fields;
            let points = value_of(fields, &self.by) == Some(&note.id);
            let closed = value_of(fields, reserved::CLOSED).and_then(super::field::moment);
            let done = if self.closed {
                closed
            } else {
                Some(other.record.created)
            };
            points && done.is_some_and(|done| end.is_none_or(|end| done.unix() <= end))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Id, template, when it was recorded, fields.
    type Made<'n> = (&'n str, &'n str, i64, Vec<(String, String)>);

    fn figures(text: &str, notes: &[Made<'_>]) -> Vec<(String, usize, Value)> {
        let notes: Vec<Counted<'_>> = notes
            .iter()
            .map(|(id, template, created, fields)| Counted {
                id: (*id).to_owned(),
                template,
                record: Record {
                    fields,
                    created: Time::from_unix(*created),
                    happened: None,
                },
            })
            .collect();
        let counted = Metrics::parse(text)
            .unwrap()
            .count(&notes, None, None, Time::from_unix(NOW));
        counted
            .into_iter()
            .map(|figured| (figured.name, figured.of, figured.value))
            .collect()
    }

    fn figure(more: &str) -> String {
        format!("[[figure]]\nname = \"f\"\nwords = \"w\"\ntemplate = \"t\"\n{more}\n")
    }

    #[test]
    fn counts_shares_medians_and_answers() {
        let notes: Vec<_> = (0..6)
            .map(|n| {
                let day = format!("2027-01-{:02}", 2 + n);
                let answer = if n < 2 { "yes" } else { "no" };
                let tags = if n % 2 == 0 { "a, b" } else { "b" };
                (
                    "id",
                    "t",
                    NOW - 20 * DAY,
                    fields(&[("x", answer), ("due", &day), ("tags", tags)]),
                )
            })
            .collect();
        let all = |more: &str| figures(&figure(more), &notes);
        assert_eq!(all("measure = \"count\""), [("f".into(), 6, Value::Count(6))]);
        assert_eq!(
            all("measure = \"count\"\ncounts = [\"x=no\"]"),
            [("f".into(), 4, Value::Hidden(5))]
        );
        assert_eq!(
            all("measure = \"count\"\ncounts = [\"!x=no\"]\nhide_under = 0"),
            [("f".into(), 2, Value::Count(2))]
        );
        assert_eq!(
            all("measure = \"share\"\ncounts = [\"x=yes\"]"),
            [("f".into(), 6, Value::Hidden(5))]
        );
        assert_eq!(
            all("measure = \"share\"\ncounts = [\"x=yes\"]\nhide_under = 0"),
            [("f".into(), 6, Value::Share(2))]
        );
        assert_eq!(
            all("measure = \"share\"\namong = [\"none\"]"),
            [("f".into(), 0, Value::Nothing)]
        );
        // NOW is 2027-01-15: from 26 December to the 2nd to 7th of January.
        assert_eq!(
            all("measure = \"days\"\nfrom = \"recorded\"\nto = \"due\""),
            [("f".into(), 6, Value::Days(9.1))]
        );
        assert_eq!(
            all("measure = \"days\"\nfrom = \"recorded\""),
            [("f".into(), 6, Value::Days(20.0))]
        );
        assert_eq!(
            all("measure = \"count\"\ncounts = [\"due<today\"]"),
            [("f".into(), 6, Value::Count(6))]
        );
        assert_eq!(
            all("measure = \"each\"\neach = \"tags\""),
            [
                ("f: a".into(), 3, Value::Hidden(5)),
                ("f: b".into(), 6, Value::Hidden(5))
            ]
        );
    }

    #[test]
    fn what_is_hidden_cannot_be_taken_from_the_rest() {
        assert_eq!(hide(&[3, 7, 9], 5), [None, None, Some(9)]);
        assert_eq!(hide(&[3, 2, 9], 5), [None, None, Some(9)]);
        assert_eq!(hide(&[0, 3, 0], 5), [Some(0), None, Some(0)]);
        assert_eq!(hide(&[5, 7], 5), [Some(5), Some(7)]);
    }

    #[test]
    fn what_points_to_a_note_is_counted_in_time() {
        let closed = |days: i64| Time::from_unix(NOW - 20 * DAY + days * DAY).to_string();
        let review = |id: &str, days: i64| ("r", "r", NOW, fields(&[("of", id), ("closed", &closed(days))]));
        let note = |id: &'static str| (id, "t", NOW - 20 * DAY, Vec::new());
        let notes = [note("a"), note("b"), note("c"), review("a", 3), review("b", 30)];
        let text = figure(
            "measure = \"share\"\nhide_under = 0\nlinked = { template = \"r\", by = \"of\", closed = true, within = \"14d\" }",
        );
        assert_eq!(figures(&text, &notes), [("f".into(), 3, Value::Share(1))]);
    }

    #[test]
    fn bad_figures_are_refused_with_their_line() {
        for (more, told) in [
            ("measure = \"sum\"", "line 2: `measure` is count or share"),
            ("measure = \"days\"", "line 2: `measure` is count or share"),
            (
                "measure = \"count\"\nlinked = { template = \"r\", by = \"of\", within = \"2 weeks\" }",
                "line 2: `2 weeks` is not a length",
            ),
        ] {
            let bad = Metrics::parse(&figure(more)).unwrap_err().to_string();
            assert!(bad.contains(told), "{bad}");
        }
    }
}
