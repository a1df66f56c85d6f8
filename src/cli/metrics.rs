//! `metrics`.

use super::args::MetricsArgs;
use super::out;
use super::terminal::Seen;
use super::words::{counted, period};
use crate::app::shared::{Figured, Value, value_in_words};
use crate::app::{Context, Error, MetricsQuery};
use serde_json::json;

pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, args: &MetricsArgs) -> Result<u8, Error> {
    let (since, until) = period(context, args.period.since.as_deref(), args.period.until.as_deref())?;
    let query = MetricsQuery {
        since,
        until,
        out: args.out.clone(),
    };
    let counted_now = crate::app::count_metrics(context, &query)?;
    if seen.json {
        let figures: serde_json::Map<_, _> = counted_now
            .figures
            .iter()
            .map(|figured| (figured.name.clone(), json_of(figured)))
            .collect();
        seen.json(&json!({
            "since": since.map(|time| time.to_string()),
            "until": until.map(|time| time.to_string()),
            "figures": figures,
            "closed": counted_now.closed,
        }))?;
        return Ok(0);
    }
    let row = |figured: &Figured| vec![out::one_line(&figured.words), value_in_words(figured)];
    seen.table(&["what", "how many"], counted_now.figures.iter().map(row).collect())?;
    if counted_now.closed > 0 {
        let entries = counted(counted_now.closed, "entry does", "entries do");
        seen.remark(&format!("{entries} not open for you and are not counted"));
    }
    if let Some(out) = &args.out {
        seen.remark(&format!("page written to {}", out.display()));
    }
    Ok(0)
}

/// A figure for programs: a share is of those it is made of; what is hidden has neither.
fn json_of(figured: &Figured) -> serde_json::Value {
    match figured.value {
        Value::Count(count) => json!({ "count": count }),
        Value::Share(count) => json!({ "count": count, "of": figured.of }),
        Value::Days(days) => json!({ "days": days, "of": figured.of }),
        Value::Nothing => json!({ "of": 0 }),
        Value::Hidden(under) => json!({ "fewer_than": under }),
    }
}
