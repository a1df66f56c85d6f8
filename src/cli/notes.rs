//! Notes: record, show.

use super::args::{AddArgs, ShowArgs};
use super::browse;
use super::called;
use super::markdown;
use super::out;
use super::reading;
use super::terminal::Seen;
use super::words::{duration, field_of, moment, prompted};
use super::writing;
use crate::app::shared::Time;
use crate::app::{Context, Error, Kind, NewText, Shown};
use serde_json::json;
use std::time::Duration;
use zeroize::Zeroizing;

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

/// How a note is shown to somebody who watches.
#[derive(Default)]
pub(super) struct Look {
    /// As it was written.
    pub(super) plain: bool,
    /// All at once, however long it is.
    pub(super) no_pager: bool,
    /// Gone again after a key.
    pub(super) wipe: bool,
}

/// Clears the screen and what scrolled off it. The second is xterm's, and known to most terminals since.
const WIPE: &str = "\x1b[0m\x1b[H\x1b[2J\x1b[3J";

/// `show`.
pub(super) fn show(context: &Context<'_>, seen: &Seen<'_>, args: &ShowArgs) -> Result<u8, Error> {
    let facts = seen.terminal.facts();
    if args.wipe && !(facts.watched && facts.typed && facts.may_ask) {
        return Err(Error::new(
            Kind::Usage,
            "--wipe takes a terminal, to show and to type; nothing was opened",
        ));
    }
    if args.field.is_some() && !args.copy {
        return Err(Error::new(
            Kind::Usage,
            "--field says which field --copy takes, and --copy is not given; nothing was opened",
        )
        .hint("`strongroom show ID` shows all fields, and with --copy --field NAME one goes into the clipboard"));
    }
    let keep = duration(&args.copied_for)?;
    let id = called::id_of(context, seen, &args.id)?;
    let note = crate::app::show(context, &id, args.revision.as_deref())?;
    if args.copy {
        return copied(seen, &note, args.field.as_deref(), keep);
    }
    let look = Look {
        plain: args.plain,
        no_pager: args.no_pager,
        wipe: args.wipe,
    };
    shown(context, seen, note, &look)
}

/// Puts the text or a field of an opened note into the clipboard.
fn copied(seen: &Seen<'_>, note: &Shown, field: Option<&str>, keep: Duration) -> Result<u8, Error> {
    let body = note.body();
    let text = match field {
        None => body.trim_end_matches('\n'),
        Some(name) => {
            let mut fields = note.note.metadata.fields.iter();
            let found = fields.find(|(known, _)| known == name);
            let (_, value) = found.ok_or_else(|| {
                Error::new(
                    Kind::Usage,
                    format!("the note has no field `{}`; nothing was copied", out::one_line(name)),
                )
            })?;
            value
        }
    };
    let words = seen.terminal.copy(text.as_bytes(), keep)?;
    seen.remark(&words);
    Ok(0)
}

/// A note that was opened, as the person wants it.
pub(super) fn shown(context: &Context<'_>, seen: &Seen<'_>, shown: Shown, look: &Look) -> Result<u8, Error> {
    let metadata = &shown.note.metadata;
    let day = |seconds| Time::from_unix(seconds).to_string();
    if seen.json {
        seen.json_of_text(json!({
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
    let facts = seen.terminal.facts();
    if look.plain || !facts.watched {
        plain(seen, &shown)?;
    } else {
        let page = reading::page(&shown, usize::from(facts.columns.unwrap_or(80)), facts.colour);
        let too_long = facts.rows.is_some_and(|rows| page.len() >= usize::from(rows));
        if too_long && facts.typed && facts.may_ask && !look.no_pager {
            drop(page);
            let (bar, source) = browse::opened(shown);
            browse::read(seen, bar, source, context.now())?;
            if look.wipe {
                seen.result(WIPE)?;
            }
            return Ok(0);
        }
        seen.result(&markdown::ansi(&page))?;
    }
    if look.wipe {
        // Nobody there to press a key is no reason to leave it.
        let _ = context
            .person
            .line("Enter wipes the screen, and what scrolled off it: ");
        seen.result(WIPE)?;
    }
    Ok(0)
}

/// The text as it was written.
fn plain(seen: &Seen<'_>, shown: &Shown) -> Result<(), Error> {
    let body = Zeroizing::new(out::plain(&shown.body()));
    seen.result(&reading::head(shown))?;
    seen.result("\n")?;
    seen.result(&body)?;
    if !body.ends_with('\n') {
        seen.result("\n")?;
    }
    Ok(())
}
