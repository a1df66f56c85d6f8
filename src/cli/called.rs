//! A note called by words of its title, as one remembers it, in place of its id.

use super::finding;
use super::out;
use super::terminal::Seen;
use crate::app::{Context, Error, Kind, ListQuery};
use std::borrow::Cow;

/// What the commands that take a note are given: an id or the beginning of one as it stands; of other words, the id of the
/// one note that they fit. Looking for it is a list, and in the log like any. Where JSON is wanted or nobody may be asked,
/// words stay what they are.
///
/// Where several notes fit, they are told beside the result, which may go into a file, and nothing is opened; where none
/// does, the words go on as they are, and are refused like an id that is not there.
pub(super) fn id_of<'a>(context: &Context<'_>, seen: &Seen<'_>, asked: &'a str) -> Result<Cow<'a, str>, Error> {
    found(context, seen, asked, false)
}

/// The same for what changes a note, or sets something beside it: which one it is, is told, and words do at a terminal
/// alone.
pub(super) fn id_to_change<'a>(context: &Context<'_>, seen: &Seen<'_>, asked: &'a str) -> Result<Cow<'a, str>, Error> {
    found(context, seen, asked, true)
}

fn found<'a>(context: &Context<'_>, seen: &Seen<'_>, asked: &'a str, changes: bool) -> Result<Cow<'a, str>, Error> {
    let is_id = asked.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let facts = seen.terminal.facts();
    if is_id || seen.json || !facts.may_ask {
        return Ok(asked.into());
    }
    // Nobody who could say that another note was meant sees which one a script changes.
    if changes && !facts.typed {
        let words = format!(
            "`{}` is no id, and without a terminal a note is changed by its id alone",
            out::one_line(asked)
        );
        return Err(Error::new(Kind::Usage, words).hint("`strongroom list` shows the ids; nothing was changed"));
    }
    let which = ListQuery {
        titled: Some(asked.to_owned()),
        ..ListQuery::default()
    };
    let found = crate::app::list(context, &which)?;
    match found.as_slice() {
        [] => Ok(asked.into()),
        [one] => {
            let id = one.listed.note.to_string();
            if changes {
                let title = out::one_line(&one.listed.metadata.title);
                let label = out::one_line(&one.label);
                seen.remark(&format!("{}, {label}: {title}", &id[..one.listed.unique]));
            }
            Ok(id.into())
        }
        several => {
            let (head, rows) = finding::columns(several);
            seen.remark(out::table(seen.terminal.facts().columns, &head, rows).trim_end());
            let several = format!("{} notes are called like that; nothing was opened", several.len());
            Err(Error::new(Kind::Usage, several).hint("give a word more, or the id of one of them"))
        }
    }
}
