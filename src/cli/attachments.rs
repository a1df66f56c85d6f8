//! Attachments: attach, extract, and how they stand beside a note.

use super::args::{AttachArgs, ExtractArgs};
use super::called;
use super::out;
use super::terminal::Seen;
use super::words::size;
use crate::app::shared::{Attachment, Picture};
use crate::app::{Context, Error, Kind, Place};
use serde_json::{Value, json};
use std::path::Path;

/// `attach`.
pub(super) fn attach(context: &Context<'_>, seen: &Seen<'_>, args: &AttachArgs) -> Result<u8, Error> {
    let name = match (&args.name, args.file.file_name().map(|name| name.to_str())) {
        (Some(name), _) => name,
        (None, Some(Some(name))) if args.file != Path::new("-") => name,
        _ => {
            return Err(
                Error::new(Kind::Usage, "nothing says how the attachment is to be called")
                    .hint("give a name with --name"),
            );
        }
    };
    let open = || match args.file == Path::new("-") {
        true => seen.terminal.input(),
        false => context.person.open(&args.file),
    };
    let id = called::id_to_change(context, seen, &args.id)?;
    let attached = crate::app::attach(context, &id, name, open)?;
    if seen.json {
        seen.json(&json!({
            "id": attached.note.to_string(),
            "name": attached.name,
            "size": attached.size,
            "sha256": attached.sha256.to_string(),
            "entry": attached.entry.to_string(),
        }))?;
    } else {
        seen.remark(&format!(
            "attached {}, {}",
            out::one_line(&attached.name),
            size(attached.size)
        ));
    }
    Ok(0)
}

/// `extract`.
pub(super) fn extract(context: &Context<'_>, seen: &Seen<'_>, args: &ExtractArgs) -> Result<u8, Error> {
    let place = match args.out.as_deref() {
        Some(path) if path == Path::new("-") && args.clean => {
            return Err(Error::new(
                Kind::Usage,
                "a cleaned picture goes into a file: name one with --out",
            ));
        }
        Some(path) if path == Path::new("-") => Place::Open(seen.terminal.output()?),
        out if args.clean => Place::Cleaned(out.map(Path::to_owned)),
        out => Place::New(out.map(Path::to_owned)),
    };
    let id = called::id_of(context, seen, &args.id)?;
    let extracted = crate::app::extract(context, &id, &args.name, place)?;
    // To standard output went the attachment, and nothing else may.
    let Some(path) = &extracted.path else { return Ok(0) };
    if seen.json {
        seen.json(&json!({
            "id": extracted.note.to_string(),
            "name": extracted.name,
            "size": extracted.size,
            "sha256": extracted.sha256.to_string(),
            "out": path.to_string_lossy(),
            "left_out": extracted.left_out,
            "picture": extracted.picture.as_ref().map(picture),
        }))?;
    } else {
        let path = out::one_line(&path.to_string_lossy());
        let told = match extracted.left_out.as_deref() {
            None => size(extracted.size),
            Some([]) => "with nothing in it to be left out".to_owned(),
            Some(names) => format!("without {}", names.join(", ")),
        };
        seen.remark(&format!("extracted to {path}, {told}"));
        if let Some(line) = extracted.picture.as_ref().and_then(picture_line) {
            seen.remark(&line);
        }
    }
    Ok(0)
}

/// So many digits of a digest are shown.
const SHORT_DIGEST: usize = 12;

/// An attachment beside its note, among all that are there: of several of one name it is said which `extract` takes.
pub(super) fn line(attachment: &Attachment, all: &[Attachment]) -> String {
    let name = out::one_line(&attachment.name);
    let line = format!("{name} · {} · sha256 {}", size(attachment.size), attachment.sha256);
    match all.iter().filter(|other| other.name == attachment.name).count() {
        0 | 1 => line,
        _ => format!("{line} · digest {}", &attachment.body.to_string()[..SHORT_DIGEST]),
    }
}

/// The same for other programs.
pub(super) fn json(attachment: &Attachment) -> Value {
    json!({
        "name": attachment.name,
        "digest": attachment.body.to_string(),
        "size": attachment.size,
        "sha256": attachment.sha256.to_string(),
        "created": crate::app::shared::Time::from_unix(attachment.created).to_string(),
        "picture": attachment.picture.as_ref().map(picture),
    })
}

/// What a picture tells beside the picture; nothing if it tells nothing.
pub(super) fn picture_line(picture: &Picture) -> Option<String> {
    let words = picture.in_words()?;
    let then = match (picture.tells.is_empty(), picture.is_cleaned) {
        (true, _) => "",
        (false, true) => "; `extract --clean` makes a copy without",
        (false, false) => "; only a JPEG, PNG or WebP can be cleaned of it",
    };
    Some(format!("  beside the picture it tells {words}{then}"))
}

/// The same for other programs.
fn picture(picture: &Picture) -> Value {
    json!({ "tells": picture.tells, "whole": picture.whole })
}
