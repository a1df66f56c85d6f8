//! What waits for a second person.

use super::out;
use super::terminal::Seen;
use super::words::{counted, local};
use crate::app::shared::Deed;
use crate::app::{Asked, Context, Error, Going, Kind, RequestLine, Standing};
use serde_json::json;

/// `approvals`.
pub(super) fn list(context: &Context<'_>, seen: &Seen<'_>) -> Result<u8, Error> {
    let lines = crate::app::list_requests(context)?;
    if seen.json {
        let lines: Vec<_> = lines.iter().map(in_json).collect();
        seen.json(&json!(lines))?;
        return Ok(0);
    }
    if lines.is_empty() {
        seen.remark("nothing waits for a second person, as far as you may see");
        return Ok(0);
    }
    let row = |line: &RequestLine| {
        let (title, label) = line
            .heading
            .clone()
            .unwrap_or_else(|| ("(gone)".to_owned(), String::new()));
        vec![
            line.request.to_string(),
            line.deed.name().to_owned(),
            match line.approved.is_empty() {
                true => line.standing.name().to_owned(),
                false if line.standing == Standing::Approved => format!("approved by {}", line.approved.join(", ")),
                false => format!("{}, approved by {}", line.standing.name(), line.approved.join(", ")),
            },
            line.by.clone(),
            local(line.until),
            out::one_line(&label),
            out::one_line(&title),
        ]
    };
    let head = [
        "request",
        "what",
        "how it stands",
        "asked by",
        "until",
        "label",
        "title",
    ];
    seen.table(&head, lines.iter().map(row).collect())?;
    Ok(0)
}

/// `approvals --withdraw`.
pub(super) fn withdraw(context: &Context<'_>, seen: &Seen<'_>, request: &str) -> Result<u8, Error> {
    let done = crate::app::withdraw_request(context, request)?;
    if seen.json {
        seen.json(&json!({
            "request": done.request.to_string(),
            "entry": done.entry.to_string(),
            "changed": done.changed,
        }))?;
        return Ok(0);
    }
    seen.remark(match done.changed {
        true => "taken back: nobody can approve it any more, once a `strongroom sync` has brought that to them",
        false => "it was taken back already; nothing was changed",
    });
    Ok(0)
}

fn in_json(line: &RequestLine) -> serde_json::Value {
    json!({
        "request": line.request.to_string(),
        "action": line.deed.name(),
        "note": line.note.to_string(),
        "title": line.heading.as_ref().map(|(title, _)| title),
        "label": line.heading.as_ref().map(|(_, label)| label),
        "by": line.by,
        "own": line.own,
        "asked": line.asked.to_string(),
        "until": line.until.to_string(),
        "state": line.standing.name(),
        "approved": line.approved,
        "to": line.to,
        "why": line.why,
    })
}

/// Tells other programs what a second person may approve, where nothing else is missing.
pub(super) fn told_what_to_approve<T>(seen: &Seen<'_>, done: Result<T, Error>) -> Result<T, Error> {
    if let Err(Error {
        request: Some(request),
        message,
        ..
    }) = &done
        && seen.json
    {
        seen.json(&json!({ "refused": message, "request": request.to_string() }))?;
    }
    done
}

/// `approve`.
pub(super) fn approve(context: &Context<'_>, seen: &Seen<'_>, request: &str) -> Result<u8, Error> {
    crate::app::check_request(request)?;
    let facts = seen.terminal.facts();
    let asks = facts.may_ask && facts.typed;
    if !seen.yes && !asks {
        return Err(Error::new(
            Kind::Usage,
            "approving asks first, and nobody can be asked; nothing was approved",
        )
        .hint("if you know what it is: --yes"));
    }
    let ask = |asked: &Asked| ask(seen, asked);
    let done = crate::app::approve(context, request, if seen.yes { None } else { Some(&ask) })?;
    if seen.json {
        seen.json(&json!({
            "request": done.request.to_string(),
            "entry": done.entry.to_string(),
            "action": done.deed.name(),
            "until": done.until.to_string(),
            "changed": done.changed,
        }))?;
        return Ok(0);
    }
    if !done.changed {
        seen.remark(&format!(
            "you have approved this already, and that counts until {}; nothing was changed",
            done.until
        ));
        return Ok(0);
    }
    seen.remark(&format!(
        "approved, until {}: `strongroom sync` brings it to whoever asked, and they give their command again",
        done.until
    ));
    Ok(0)
}

fn ask(seen: &Seen<'_>, asked: &Asked) -> Result<(), Error> {
    let title = out::one_line(&asked.title);
    let label = out::one_line(&asked.label);
    let what = match asked.deed {
        Deed::Destroy => {
            let mut parts = vec![label];
            parts.extend(asked.goes.iter().flat_map(going));
            format!("{} asks to destroy `{title}` ({}).", asked.by, parts.join(", "))
        }
        Deed::Release => {
            let level = asked.audience.as_deref().map(out::one_line);
            let level = level.map_or_else(String::new, |level| format!(", for the level `{level}`"));
            format!("{} asks to release `{title}` ({label}){level}.", asked.by)
        }
    };
    let said = out::plain(asked.statement.trim());
    let said = if said.is_empty() { "No reason was given." } else { &said };
    let text = asked.text.as_ref();
    let text = text.map_or_else(String::new, |text| format!("\n{}\n\n", out::plain(text.trim_end())));
    // It stands in the question: nobody approves what they told the program not to show.
    let prompt = format!("{what}\n{said}\n{text}approve it? Type yes: ");
    match seen.terminal.line(&prompt).as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        _ => Err(Error::new(Kind::Failed, "nothing was approved")),
    }
}

/// How much a destruction ends, in words.
fn going(goes: &Going) -> Vec<String> {
    let mut parts = vec![counted(goes.revisions as u64, "revision", "revisions")];
    if goes.attachments > 0 {
        parts.push(counted(goes.attachments as u64, "attachment", "attachments"));
    }
    if goes.others > 0 {
        parts.push(format!("{} that you do not see", goes.others));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_approves_an_end_is_told_how_much_ends() {
        let of = |revisions, attachments, others| {
            going(&Going {
                revisions,
                attachments,
                others,
            })
            .join(", ")
        };
        assert_eq!(of(1, 0, 0), "1 revision");
        assert_eq!(of(3, 2, 1), "3 revisions, 2 attachments, 1 that you do not see");
    }
}
