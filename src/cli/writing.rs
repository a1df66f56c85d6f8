//! Where a note's text comes from, and `edit`.

use super::args::{AddArgs, EditArgs, EditorArgs};
use super::called;
use super::terminal::{self, Seen, Terminal};
use super::words::{counted, field_of, moment};
use crate::app::{Change, Context, Editing, Error, Kind, TextFrom};
use serde_json::json;
use std::path::Path;

/// `edit`.
pub(super) fn edit(context: &Context<'_>, seen: &Seen<'_>, args: &EditArgs) -> Result<u8, Error> {
    if args.label.is_some() {
        return Err(Error::new(
            Kind::Usage,
            "an edit leaves the label as it is, since it says who may read; nothing was changed",
        )
        .hint("`strongroom relabel ID LABEL` gives the note another"));
    }
    if args.editor.discard {
        return discarded(seen, crate::app::discard(context, Some(&args.id))?);
    }
    let at = |text: &str| match text {
        "" => Ok(None),
        text => moment(text, context.now()).map(Some),
    };
    let fields = args.fields.iter().map(|field| field_of(field));
    let change = Change {
        title: args.title.clone(),
        client: args.client.clone(),
        case: args.case.clone(),
        at: args.at.as_deref().map(at).transpose()?,
        fields: fields.collect::<Result<_, _>>()?,
    };
    let id = called::id_to_change(context, seen, &args.id)?;
    let text = source_of_edit(seen.terminal, args)?;
    let revised = crate::app::edit(context, &id, change, text)?;
    if seen.json {
        seen.json(&json!({
            "id": revised.id.to_string(),
            "revision": revised.revision,
            "label": revised.label,
            "entry": revised.entry.to_string(),
            "changed": revised.changed,
        }))?;
    } else if revised.changed {
        seen.remark(&format!("recorded as revision {}, {}", revised.revision, revised.label));
    } else {
        seen.remark("nothing changed, so no revision was recorded");
    }
    Ok(0)
}

/// Says how many kept texts were thrown away.
pub(super) fn discarded(seen: &Seen<'_>, count: usize) -> Result<u8, Error> {
    seen.remark(&match count {
        0 => "no text was kept here".to_owned(),
        count => format!("{} thrown away", counted(count as u64, "kept text", "kept texts")),
    });
    Ok(0)
}

/// The text of a new note: as an argument, from a file, from the editor, from a pipe, or asked for.
pub(super) fn source_of_new<'a>(terminal: &'a dyn Terminal, args: &'a AddArgs) -> Result<TextFrom<'a>, Error> {
    match args.text.as_slice() {
        [dash] if dash == "-" => Ok(TextFrom::Caller(Box::new(|| typed_or_read(terminal, None)))),
        words @ [_, ..] => Ok(TextFrom::Caller(Box::new(|| Ok(words.join(" ").into_bytes())))),
        [] => source_of_words(terminal, args.file.as_deref(), &args.editor),
    }
}

/// A text that is never an argument.
pub(super) fn source_of_words<'a>(
    terminal: &'a dyn Terminal,
    file: Option<&'a Path>,
    args: &EditorArgs,
) -> Result<TextFrom<'a>, Error> {
    Ok(match editor(terminal, args, file.is_none())? {
        Some(editor) => editor,
        None => TextFrom::Caller(Box::new(move || typed_or_read(terminal, file))),
    })
}

/// A text from a file, asked for, or from a pipe.
pub(super) fn typed_or_read(terminal: &dyn Terminal, file: Option<&Path>) -> Result<Vec<u8>, Error> {
    match file {
        Some(path) => terminal::read(terminal, Some(path)),
        None => match terminal.text() {
            Some(text) => Ok(text),
            None if !terminal.facts().typed => terminal::read(terminal, None),
            None => Err(Error::new(
                Kind::Usage,
                "the note has no text, and asking for it was forbidden",
            )),
        },
    }
}

/// The new text of a note: from a file, from the editor, from a pipe; none where only what stands beside it changes.
fn source_of_edit<'a>(terminal: &'a dyn Terminal, args: &'a EditArgs) -> Result<Option<TextFrom<'a>>, Error> {
    let beside = [&args.title, &args.client, &args.case, &args.at];
    let beside = beside.iter().any(|given| given.is_some()) || !args.fields.is_empty();
    let asked = args.file.is_none() && !beside;
    if let Some(editor) = editor(terminal, &args.editor, asked)? {
        return Ok(Some(editor));
    }
    match &args.file {
        None if beside => Ok(None),
        None if terminal.facts().typed => Err(Error::new(Kind::Usage, "an edit needs an editor or a text").hint(
            "set VISUAL or EDITOR to your editor, such as EDITOR=nano; or give the text with --file or through a pipe",
        )),
        file => Ok(Some(TextFrom::Caller(Box::new(move || {
            terminal::read(terminal, file.as_deref())
        })))),
    }
}

/// The editor, if it was asked for, or if nothing else is given and there is one at a terminal.
pub(super) fn editor<'a>(
    terminal: &dyn Terminal,
    args: &EditorArgs,
    nothing_else: bool,
) -> Result<Option<TextFrom<'a>>, Error> {
    let facts = terminal.facts();
    let wanted = args.editor || args.take_up;
    if wanted && !facts.may_ask {
        return Err(Error::new(
            Kind::Usage,
            "an editor was asked for, and asking was forbidden",
        ));
    }
    let offered = nothing_else && facts.typed && facts.may_ask && terminal.has_editor();
    Ok((wanted || offered).then_some(TextFrom::Editor(Editing {
        insist: args.insist,
        take_up: args.take_up,
    })))
}
