//! Notes: record, show.

use super::args::AddArgs;
use super::out;
use super::terminal::Seen;
use super::words::{field_of, moment, prompted};
use super::writing;
use crate::app::shared::Time;
use crate::app::{Context, Error, NewText};
use serde_json::json;

/// `add`.
pub(super) fn add(context: &Context<'_>, seen: &Seen<'_>, args: &AddArgs) -> Result<u8, Error> {
    let asked = |what, value: &Option<String>| prompted(seen.terminal, what, value.as_deref());
    let new = NewText {
        title: asked("title", &args.title)?,
        client: asked("client", &args.client)?,
        case: asked("case", &args.case)?,
        label: args.label.clone(),
        at: args.at.as_deref().map(|at| moment(at, context.now())).transpose()?,
        fields: args
            .fields
            .iter()
            .map(|field| field_of(field))
            .collect::<Result<_, _>>()?,
        template: args.template.clone(),
    };
    if args.editor.discard {
        return writing::discarded(seen, crate::app::discard(context, None)?);
    }
    let added = crate::app::add(context, new, writing::source_of_new(seen.terminal, args)?)?;
    if seen.json {
        let (id, entry) = (added.id.to_string(), added.entry.to_string());
        seen.json(&json!({ "id": id, "revision": added.revision, "label": added.label, "entry": entry }))?;
    } else {
        let told = seen.result(&format!("{}\n", added.id));
        told.map_err(|error| error.hint(format!("the note is recorded all the same: {}", added.id)))?;
        seen.remark(&format!("recorded as {}", added.label));
    }
    Ok(0)
}

/// `show`.
pub(super) fn show(context: &Context<'_>, seen: &Seen<'_>, id: &str, revision: Option<&str>) -> Result<u8, Error> {
    shown(seen, &crate::app::show(context, id, revision)?)
}

pub(super) fn shown(seen: &Seen<'_>, shown: &crate::app::Shown) -> Result<u8, Error> {
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
