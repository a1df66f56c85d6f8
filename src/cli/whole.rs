//! What concerns the whole of a note: another label, or its end.

use super::approvals::told_what_to_approve;
use super::called;
use super::out;
use super::terminal::Seen;
use super::words::counted;
use crate::app::shared::{Nature, NoteId};
use crate::app::{Context, Doomed, Error, Kind};
use serde_json::json;

/// `relabel`.
pub(super) fn relabel(context: &Context<'_>, seen: &Seen<'_>, id: &str, label: &str) -> Result<u8, Error> {
    let done = crate::app::relabel(context, id, label)?;
    if seen.json {
        seen.json(&json!({
            "id": done.id.to_string(),
            "label": done.label,
            "revisions": done.revisions,
            "changed": done.revisions > 0,
            "left_out": done.void,
            "entry": done.entry.to_string(),
            "drafts": ids(&done.made, Nature::Draft),
            "briefs": ids(&done.made, Nature::Brief),
        }))?;
        return Ok(0);
    }
    if done.revisions == 0 {
        seen.remark(&format!(
            "this note is {} already; nothing was changed",
            out::one_line(&done.label)
        ));
        return Ok(0);
    }
    let revisions = counted(done.revisions, "revision", "revisions");
    seen.remark(&format!("{revisions} sealed anew as {}", out::one_line(&done.label)));
    if done.void > 0 {
        let one = "attached file was not what its own head says, and went";
        let several = "attached files were not what their own heads say, and went";
        seen.remark(&counted(done.void, one, several));
    }
    tell_made(seen, &done.made, "were made from it and keep the label they have");
    Ok(0)
}

/// `destroy`.
pub(super) fn destroy(context: &Context<'_>, seen: &Seen<'_>, id: &str) -> Result<u8, Error> {
    let facts = seen.terminal.facts();
    let asks = facts.may_ask && facts.typed;
    if !seen.yes && !asks {
        return Err(Error::new(
            Kind::Usage,
            "destroying asks first, and nobody can be asked; nothing was destroyed",
        )
        .hint("if you are sure: --yes"));
    }
    let ask = |doomed: &Doomed| ask(seen, doomed);
    // By its title only where the title is asked about.
    let id = match seen.yes {
        true => id.into(),
        false => called::id_of(context, seen, id)?,
    };
    let done = crate::app::destroy(context, &id, if seen.yes { None } else { Some(&ask) });
    let done = told_what_to_approve(seen, done)?;
    if seen.json {
        seen.json(&json!({
            "id": done.id.to_string(),
            "files": done.files,
            "entry": done.entry.to_string(),
            "drafts": ids(&done.made, Nature::Draft),
            "briefs": ids(&done.made, Nature::Brief),
            "laggards": done.laggards,
        }))?;
        return Ok(0);
    }
    let files = counted(done.files, "sealed file is", "sealed files are");
    seen.remark(&format!(
        "destroyed: {files} gone from this vault; the record that the note was here stays"
    ));
    tell_made(seen, &done.made, "were made from it and stay");
    if !done.laggards.is_empty() {
        seen.remark(&format!(
            "these devices had not seen in time that it was to be destroyed: {}. What they wrote to it is set aside when they \
             sync, and a hold they placed becomes a finding of `strongroom audit verify`",
            done.laggards.join(", ")
        ));
    }
    Ok(0)
}

fn ask(seen: &Seen<'_>, doomed: &Doomed) -> Result<(), Error> {
    let what = match &doomed.title {
        Some(title) => format!("`{}`", out::one_line(title)),
        None => doomed.id.to_string()[..8].to_owned(),
    };
    let mut parts = vec![
        out::one_line(&doomed.label),
        counted(doomed.revisions, "revision", "revisions"),
    ];
    if doomed.attachments > 0 {
        parts.push(counted(doomed.attachments, "attachment", "attachments"));
    }
    let prompt = format!(
        "destroy {what} ({})? Nobody can bring it back. Type yes: ",
        parts.join(", ")
    );
    match seen.terminal.line(&prompt).as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        _ => Err(Error::new(Kind::Failed, "nothing was destroyed")),
    }
}

fn ids(made: &[(NoteId, Nature)], nature: Nature) -> Vec<String> {
    let of = made.iter().filter(|(_, found)| *found == nature);
    of.map(|(note, _)| note.to_string()).collect()
}

/// Names drafts and briefs, shortened as lists show them.
fn tell_made(seen: &Seen<'_>, made: &[(NoteId, Nature)], what: &str) {
    for (nature, name) in [(Nature::Draft, "drafts"), (Nature::Brief, "briefs")] {
        let ids = ids(made, nature);
        if !ids.is_empty() {
            let short: Vec<&str> = ids.iter().map(|id| &id[..8]).collect();
            seen.remark(&format!("{name} that {what}: {}", short.join(" ")));
        }
    }
}
