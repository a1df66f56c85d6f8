//! `close` and `due`.

use super::args::DueArgs;
use super::called;
use super::out;
use super::terminal::Seen;
use super::words::{by_then, field_of, local, named};
use crate::app::shared::Time;
use crate::app::{Context, DueLine, DueQuery, Error};
use serde_json::json;

/// `close`.
pub(super) fn close(context: &Context<'_>, seen: &Seen<'_>, id: &str, fields: &[String]) -> Result<u8, Error> {
    let fields = fields.iter().map(|field| field_of(field)).collect::<Result<_, _>>()?;
    let id = called::id_to_change(context, seen, id)?;
    let closed = crate::app::close(context, &id, fields)?;
    if seen.json {
        seen.json(&json!({
            "id": closed.id.to_string(),
            "revision": closed.revision,
            "label": closed.label,
            "entry": closed.entry.to_string(),
            "changed": closed.changed,
        }))?;
    } else if closed.changed {
        seen.remark(&format!("closed, as revision {}, {}", closed.revision, closed.label));
    } else {
        seen.remark("it was closed before; nothing was changed");
    }
    Ok(0)
}

/// `due`.
pub(super) fn due(context: &Context<'_>, seen: &Seen<'_>, args: &DueArgs) -> Result<u8, Error> {
    let asked = |what, value: &Option<String>| named(context.person, what, value.as_deref());
    let query = DueQuery {
        client: asked("client", &args.client)?,
        case: asked("case", &args.case)?,
        until: args
            .until
            .as_deref()
            .map(|until| by_then(until, context.now()))
            .transpose()?,
    };
    let lines = crate::app::list_due(context, &query)?;
    if seen.json {
        seen.json(&lines.iter().map(json_of).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if lines.is_empty() {
        seen.remark("nothing is due");
        return Ok(0);
    }
    let (head, rows) = table(&lines);
    seen.table(&head, rows)?;
    Ok(0)
}

/// What is due as a table: its head and its rows.
/// When something is due. Of what is due on a day that is the day, wherever one is.
fn when(time: Time) -> String {
    match time.unix().rem_euclid(86_400) == 86_399 {
        true => time.to_string()[..10].to_owned(),
        false => local(time)[..16].replace('T', " "),
    }
}

pub(super) fn table(lines: &[DueLine]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let row = |line: &DueLine| {
        let title = line.heading.as_ref().map(|heading| out::one_line(&heading.title));
        vec![
            when(line.due.time),
            if line.overdue { "overdue" } else { "" }.to_owned(),
            line.due
                .note
                .map(|note| note.to_string()[..8].to_owned())
                .unwrap_or_default(),
            out::one_line(&line.due.what),
            title.unwrap_or_default(),
        ]
    };
    let head = vec!["due", "", "id", "what", "title"];
    (head, lines.iter().map(row).collect())
}

fn json_of(line: &DueLine) -> serde_json::Value {
    let heading = line.heading.as_ref();
    json!({
        "due": line.due.time.to_string(),
        "overdue": line.overdue,
        "kind": line.due.kind.name(),
        "what": line.due.what,
        "id": line.due.note.map(|note| note.to_string()),
        "entry": line.entry.map(|entry| entry.to_string()),
        "title": heading.map(|heading| heading.title.as_str()),
        "client": heading.map(|heading| heading.client.as_str()),
        "case": heading.map(|heading| heading.case.as_str()),
        "label": heading.map(|heading| heading.label.as_str()),
    })
}
