//! Figures: what is counted among notes by `rubrics/metrics.toml`, and what the log tells.

use super::context::{Context, Desk};
use super::error::{Error, Kind};
use super::finding::{Looking, NoteLine};
use super::forms::record_of;
use crate::casework::{Counted, DueKind, Figured, METRICS, Metrics, Value, hide, metrics_of, reserved, value_of};
use crate::chain::Time;
use crate::gate::{Filter, Nature};
use crate::policy::Action;
use crate::report::{CountedPage, Series, opens, render_counted};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

/// How many months are plotted.
const MONTHS: i32 = 12;

/// Of what time, and whether a page is made.
#[derive(Default)]
pub struct MetricsQuery {
    /// Only what was recorded at or after.
    pub since: Option<Time>,
    /// Only what was recorded before.
    pub until: Option<Time>,
    /// A new file for the page.
    pub out: Option<PathBuf>,
}

/// Figures that were counted.
pub struct MetricsFigures {
    /// The figures.
    pub figures: Vec<Figured>,
    /// How many entries did not open.
    pub closed: u64,
}

/// Counts. Two entries: that notes were listed for it, and that the log was read.
pub fn count_metrics(context: &Context<'_>, query: &MetricsQuery) -> Result<MetricsFigures, Error> {
    let mut begun = query
        .out
        .as_deref()
        .map(|path| context.person.create(path))
        .transpose()?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let period = [
        query.since.map(|time| format!("since {time}")),
        query.until.map(|time| format!("until {time}")),
    ];
    let period: Vec<String> = period.into_iter().flatten().collect();
    let metrics = metrics_of(desk.policies.files());
    let metrics =
        metrics.map_err(|bad| Error::new(Kind::Failed, format!("the policies of this vault are damaged: {bad}")))?;
    let Some(metrics) = metrics else {
        return Err(
            Error::new(Kind::Failed, "the policies of this vault do not say what is counted")
                .hint(format!("a lead takes `{METRICS}` in with `strongroom policy edit`")),
        );
    };
    // Who may not oversee the log counts nothing: one's own notes are no figures of the house.
    let overseen = desk.overseen(Action::AuditReport, "metrics", period)?;
    let details = desk.details("metrics");
    let filter = Filter {
        natures: vec![Nature::Note],
        ..Filter::default()
    };
    let lines = desk.find_all(details, &Looking::for_all(Action::List, filter))?;
    let (now, vault) = (context.now(), unlocked.identity.vault());
    let notes = counted(&lines);
    let mut figures = metrics.count(&notes, query.since, query.until, now);
    figures.extend(desk.figures_of_matters(query));
    figures.extend(desk.figures_of_retention(&lines, now)?);
    let by = desk.handle(desk.identity.person());
    drop(desk);
    let (mut opened, mut without) = (0, 0);
    let inside = |time: Time| super::answers::in_period(query.since, query.until, time);
    let answered = overseen.show(
        &|entry| entry.kind.is_none_or(|kind| kind == crate::chain::Kind::BreakGlass) && inside(entry.time),
        &|line| line.details.as_ref().is_some_and(|details| opens(&details.verb)),
        None,
        &mut |_, line| {
            if line.entry.result == crate::chain::Outcome::Done {
                opened += 1;
                let reason = line.details.as_ref().and_then(|details| details.reason.as_deref());
                without += usize::from(reason.is_none_or(|reason| reason.trim().is_empty()));
            }
            Ok(())
        },
    )?;
    let figure = |name: &str, words: &str, of: usize, value: Value| Figured {
        name: name.into(),
        words: words.into(),
        value,
        of,
    };
    figures.push(figure(
        "notes-opened",
        "times that notes were opened",
        opened,
        Value::Count(opened),
    ));
    let share = if opened == 0 {
        Value::Nothing
    } else {
        Value::Share(without)
    };
    figures.push(figure("reasons-missing", "of these without a reason", opened, share));
    if let Some(mut new) = begun.take() {
        let page = render_counted(&CountedPage {
            vault,
            made: now,
            by: &by,
            since: query.since,
            until: query.until,
            figures: &figures,
            series: &series(&metrics, &notes, query, now),
            closed: answered.closed,
        });
        let written = new.file().write_all(page.as_bytes());
        written.map_err(|error| Error::new(Kind::Failed, format!("the page cannot be written: {error}")))?;
        new.keep()?;
    }
    Ok(MetricsFigures {
        figures,
        closed: answered.closed,
    })
}

fn counted(lines: &[NoteLine]) -> Vec<Counted<'_>> {
    lines
        .iter()
        .filter_map(|line| {
            let metadata = &line.listed.metadata;
            Some(Counted {
                id: line.listed.note.to_string(),
                template: value_of(&metadata.fields, reserved::TEMPLATE)?,
                record: record_of(metadata),
            })
        })
        .collect()
}

/// What is counted, month by month up to now.
fn series(metrics: &Metrics, notes: &[Counted<'_>], query: &MetricsQuery, now: Time) -> Vec<Series> {
    let mut all: BTreeMap<String, (Vec<String>, Vec<usize>, usize)> = BTreeMap::new();
    let mut order = Vec::new();
    let last = query.until.unwrap_or(now);
    for back in (0..MONTHS).rev() {
        let Some((label, since, until)) = month(last, back) else {
            continue;
        };
        if query.since.is_some_and(|from| until <= from) {
            continue;
        }
        let since = query.since.map_or(since, |from| from.max(since));
        let until = query.until.map_or(until, |end| end.min(until));
        for figured in metrics.count(notes, Some(since), Some(until), now) {
            let Some(under) = metrics.hidden_under(&figured.name) else {
                continue;
            };
            if !order.contains(&figured.words) {
                order.push(figured.words.clone());
            }
            let (labels, counts, hidden) = all.entry(figured.words).or_default();
            labels.push(label.clone());
            counts.push(figured.of);
            *hidden = under;
        }
    }
    let series = order.into_iter().filter_map(|words| {
        let (labels, counts, under) = all.remove(&words)?;
        let months = labels.into_iter().zip(hide(&counts, under)).collect();
        Some(Series { words, months })
    });
    series.collect()
}

/// The month so many before that of `time`: its name, when it begins, and when the next does.
fn month(time: Time, back: i32) -> Option<(String, Time, Time)> {
    let day = jiff::Timestamp::from_second(time.unix())
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let first = day.first_of_month();
    let of = |months: i32| {
        let span = jiff::Span::new().try_months(months).ok()?;
        first.checked_add(span).ok()
    };
    let (begin, end) = (of(-back)?, of(1 - back)?);
    let unix = |day: jiff::civil::Date| {
        let zoned = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Time::from_unix(zoned.timestamp().as_second()))
    };
    Some((begin.to_string()[..7].to_owned(), unix(begin)?, unix(end)?))
}

impl Desk<'_> {
    /// Notes whose review is past, that are kept no longer, and that a legal hold names.
    fn figures_of_retention(&mut self, lines: &[NoteLine], now: Time) -> Result<Vec<Figured>, Error> {
        let due = self.retention_due(lines)?;
        let past = |kind: DueKind| {
            let notes = due.iter().filter(|due| due.kind == kind && due.time <= now);
            notes.filter_map(|due| due.note).collect::<BTreeSet<_>>().len()
        };
        let held = lines
            .iter()
            .filter(|line| self.ledger.is_held(line.listed.note))
            .count();
        let figures = [
            ("notes-past-review", "notes whose review is past", past(DueKind::Review)),
            ("notes-to-go", "notes that are kept no longer", past(DueKind::Purge)),
            ("notes-on-hold", "notes that a legal hold names", held),
        ];
        let figure = |(name, words, count): (&str, &str, usize)| Figured {
            name: name.into(),
            words: words.into(),
            value: Value::Count(count),
            of: count,
        };
        Ok(figures.map(figure).into())
    }

    /// What stands in clear in the log: broken glass and its reviews, and who has acknowledged the policies.
    fn figures_of_matters(&self, query: &MetricsQuery) -> Vec<Figured> {
        let figure = |name: &str, words: &str, of: usize, value: Value| Figured {
            name: name.into(),
            words: words.into(),
            value,
            of,
        };
        let share = |of: usize, count: usize| if of == 0 { Value::Nothing } else { Value::Share(count) };
        let mut broken = self.broken_glass();
        broken.retain(|broken| super::answers::in_period(query.since, query.until, broken.time));
        let reviewed = broken.iter().filter(|broken| !broken.reviewed.is_empty()).count();
        let in_force: Vec<bool> = self
            .acknowledgements()
            .iter()
            .map(|line| line.current && !line.overdue)
            .collect();
        let known = in_force.iter().filter(|known| **known).count();
        vec![
            figure(
                "glass-broken",
                "times that glass was broken",
                broken.len(),
                Value::Count(broken.len()),
            ),
            figure(
                "glass-reviewed",
                "of these reviewed by a lead",
                broken.len(),
                share(broken.len(), reviewed),
            ),
            figure(
                "policies-acknowledged",
                "members who have acknowledged the policies",
                in_force.len(),
                share(in_force.len(), known),
            ),
        ]
    }
}
