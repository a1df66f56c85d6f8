//! Notes: record, show, list.

use super::args::{AddArgs, ListArgs};
use super::out;
use super::terminal::Seen;
use super::words::{field_of, prompted, time};
use super::writing;
use crate::app::shared::Time;
use crate::app::{Context, Error, ListQuery, NewText, NoteLine};
use serde_json::json;

/// `add`.
pub(super) fn add(context: &Context<'_>, seen: &Seen<'_>, args: &AddArgs) -> Result<u8, Error> {
    let asked = |what, value: &Option<String>| prompted(seen.terminal, what, value.as_deref());
    let new = NewText {
        title: asked("title", &args.title)?,
        client: asked("client", &args.client)?,
        case: asked("case", &args.case)?,
        label: args.label.clone(),
        at: args.at.as_deref().map(time).transpose()?,
        fields: args
            .fields
            .iter()
            .map(|field| field_of(field))
            .collect::<Result<_, _>>()?,
    };
    if args.editor.discard {
        return writing::discarded(seen, crate::app::discard(context, None)?);
    }
    let added = crate::app::add(context, new, writing::source_of_new(seen.terminal, args)?)?;
    if seen.json {
        let (id, entry) = (added.id.to_string(), added.entry.to_string());
        seen.json(&json!({ "id": id, "revision": added.revision, "label": added.label, "entry": entry }))?;
    } else {
        seen.result(&format!("{}\n", added.id))?;
        seen.remark(&format!("recorded as {}", added.label));
    }
    Ok(0)
}

/// `show`.
pub(super) fn show(context: &Context<'_>, seen: &Seen<'_>, id: &str, revision: Option<&str>) -> Result<u8, Error> {
    shown(seen, &crate::app::show(context, id, revision)?)
}

/// `list`.
pub(super) fn list(context: &Context<'_>, seen: &Seen<'_>, args: &ListArgs) -> Result<u8, Error> {
    let asked = |what, value: &Option<String>| prompted(seen.terminal, what, value.as_deref());
    let query = ListQuery {
        client: asked("client", &args.client)?,
        case: asked("case", &args.case)?,
        label: args.label.clone(),
        since: args.since.as_deref().map(time).transpose()?,
        until: args.until.as_deref().map(time).transpose()?,
        limit: args.limit,
    };
    let filters = [&args.client, &args.case, &args.label, &args.since, &args.until];
    let nothing = match filters.iter().any(|filter| filter.is_some()) {
        true => "nothing matches; names and labels are compared as a whole",
        false => "no notes that you may read",
    };
    lines(seen, &crate::app::list(context, &query)?, nothing)
}

fn shown(seen: &Seen<'_>, shown: &crate::app::Shown) -> Result<u8, Error> {
    let metadata = &shown.note.metadata;
    let day = |seconds| Time::from_unix(seconds).to_string();
    if seen.json {
        seen.json(&json!({
            "id": shown.note.note.to_string(),
            "revision": metadata.number,
            "title": metadata.title,
            "client": metadata.client,
            "case": metadata.case,
            "label": shown.label,
            "created": day(metadata.created),
            "modified": day(metadata.modified),
            "happened": metadata.happened.map(day),
            "author": shown.author,
            "fields": metadata.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<serde_json::Map<_, _>>(),
            "body": shown.body(),
            "attachments": shown.note.attachments.iter().map(super::attachments::json).collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    let mut head = format!(
        "{}\n{} · {}\n",
        out::one_line(&metadata.title),
        out::one_line(&shown.label),
        shown.mark
    );
    let mut facts = Vec::new();
    if !metadata.client.is_empty() {
        facts.push(format!("client {}", out::one_line(&metadata.client)));
    }
    if !metadata.case.is_empty() {
        facts.push(format!("case {}", out::one_line(&metadata.case)));
    }
    facts.extend(
        metadata
            .fields
            .iter()
            .map(|(name, value)| format!("{} {}", out::one_line(name), out::one_line(value))),
    );
    if !facts.is_empty() {
        head.push_str(&format!("{}\n", facts.join(" · ")));
    }
    if let Some(happened) = metadata.happened {
        head.push_str(&format!("happened {}\n", day(happened)));
    }
    let revision = match metadata.number {
        1 => String::new(),
        number => format!("revision {number} · "),
    };
    for attachment in &shown.note.attachments {
        head.push_str(&format!("attached {}\n", super::attachments::line(attachment)));
    }
    head.push_str(&format!(
        "{revision}written {} by {} · {}\n\n",
        day(metadata.modified),
        shown.author,
        shown.note.note
    ));
    let body = out::plain(&shown.body());
    seen.result(&head)?;
    seen.result(&body)?;
    if !body.ends_with('\n') {
        seen.result("\n")?;
    }
    Ok(0)
}

/// Notes, a line each.
pub(super) fn lines(seen: &Seen<'_>, lines: &[NoteLine], nothing: &str) -> Result<u8, Error> {
    let time = |seconds| Time::from_unix(seconds).to_string();
    if seen.json {
        let line = |line: &NoteLine| {
            let metadata = &line.listed.metadata;
            json!({
                "id": line.listed.note.to_string(),
                "title": metadata.title,
                "client": metadata.client,
                "case": metadata.case,
                "label": line.label,
                "modified": time(metadata.modified),
            })
        };
        seen.json(&json!(lines.iter().map(line).collect::<Vec<_>>()))?;
        return Ok(0);
    }
    if lines.is_empty() {
        seen.remark(nothing);
        return Ok(0);
    }
    let row = |line: &NoteLine| {
        let metadata = &line.listed.metadata;
        let id = line.listed.note.to_string();
        let when = time(metadata.modified);
        vec![
            id[..8].to_owned(),
            when[..10].to_owned(),
            out::one_line(&line.label),
            out::one_line(&metadata.client),
            out::one_line(&metadata.title),
        ]
    };
    seen.table(
        &["id", "modified", "label", "client", "title"],
        lines.iter().map(row).collect(),
    )?;
    Ok(0)
}
