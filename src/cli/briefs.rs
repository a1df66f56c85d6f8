//! Briefs: draft, release, check, list, recall.

use super::approvals::told_what_to_approve;
use super::args::{BriefCommand, DraftArgs, FormatArg};
use super::beside;
use super::called;
use super::out;
use super::terminal::{self, Seen};
use super::words::{counted, in_words, local, time};
use crate::app::shared::{Format, Time};
use crate::app::{BriefLine, Context, DraftQuery, Error, RecallReason, Recalled, ReleaseQuery};
use serde_json::json;
use zeroize::Zeroizing;

/// `brief`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &BriefCommand) -> Result<u8, Error> {
    match command {
        BriefCommand::Draft(args) => draft(context, seen, args),
        BriefCommand::Release {
            draft,
            to,
            out: file,
            format,
            until,
        } => {
            let expires = until.as_deref().map(time).transpose()?;
            let released = crate::app::release_brief(
                context,
                &ReleaseQuery {
                    draft: draft.clone(),
                    to: to.clone(),
                    format: format.map(format_of),
                    expires,
                    out: file.clone(),
                },
            );
            let released = told_what_to_approve(seen, released)?;
            if file.is_none() && !seen.json {
                seen.result(&released.text)?;
            }
            if seen.json {
                seen.json(&json!({
                    "brief": released.brief.to_string(),
                    "label": released.label,
                    "sha256": released.sha256.to_string(),
                    "entry": released.entry.to_string(),
                }))?;
            } else {
                let apart = if file.is_none() { "\n" } else { "" };
                seen.remark(&format!(
                    "{apart}released as {} to {}",
                    released.brief,
                    out::one_line(&to.join(", "))
                ));
            }
            Ok(0)
        }
        BriefCommand::Check { file, profile } => {
            let text = terminal::read(seen.terminal, Some(file))?;
            let checked = crate::app::check_brief(context, &text, profile)?;
            let safe = checked.leaks.is_empty();
            if seen.json {
                let leak = |leak: &crate::app::shared::Leak| json!({ "start": leak.start, "end": leak.end, "type": leak.kind.coarse().name() });
                seen.json(&json!({ "safe": safe, "leaks": checked.leaks.iter().map(leak).collect::<Vec<_>>() }))?;
            } else if safe {
                seen.result("nothing found that the vault or the patterns know; read it yourself all the same\n")?;
            } else {
                let text = String::from_utf8_lossy(&text);
                let line = |leak: &crate::app::shared::Leak| {
                    let number = 1 + text.chars().take(leak.start).filter(|c| *c == '\n').count();
                    let found: String = text.chars().skip(leak.start).take(leak.end - leak.start).collect();
                    format!(
                        "line {number}: `{}` ({})\n",
                        out::one_line(&found),
                        in_words(leak.kind.coarse().name())
                    )
                };
                seen.result(&checked.leaks.iter().map(line).collect::<String>())?;
                seen.remark("not safe to share");
            }
            Ok(if safe { 0 } else { 3 })
        }
        BriefCommand::List => list(seen, &crate::app::list_briefs(context)?),
        BriefCommand::Recall => recall(seen, &crate::app::recall_briefs(context)?),
    }
}

fn format_of(format: FormatArg) -> Format {
    match format {
        FormatArg::Md => Format::Markdown,
        FormatArg::Html => Format::Html,
        FormatArg::Pdf => Format::Pdf,
        FormatArg::Txt => Format::Text,
        FormatArg::Json => Format::Json,
    }
}

fn draft(context: &Context<'_>, seen: &Seen<'_>, args: &DraftArgs) -> Result<u8, Error> {
    let sources = args
        .ids
        .iter()
        .map(|id| Ok(called::id_of(context, seen, id)?.into_owned()));
    let query = DraftQuery {
        sources: sources.collect::<Result<_, Error>>()?,
        profile: args.profile.clone(),
        audience: args.audience.clone(),
        mask: args.mask.clone(),
        allow: args.allow.clone(),
        length: args.length.map(|words| words as usize),
        by_case: args.by_case,
        format: args.format.map(format_of),
    };
    let drafted = crate::app::draft_brief(context, &query)?;
    if seen.json {
        seen.json_of_text(json!({
            "draft": drafted.draft.to_string(),
            "label": drafted.label,
            "text": drafted.text,
            "removed": drafted.removed,
            "doubtful": doubts(&drafted.doubtful),
            "kept": drafted.kept,
            "left_out": drafted.left_out,
            "shortened": drafted.shortened,
            "rendered": drafted.rendered,
            "entry": drafted.entry.to_string(),
        }))?;
        return Ok(0);
    }
    let facts = seen.terminal.facts();
    let columns = facts.watched.then(|| facts.columns.unwrap_or(80));
    match (&drafted.rendered, columns) {
        (Some(rendered), _) => seen.result(rendered)?,
        (None, Some(columns)) => {
            let spans: Vec<(usize, usize)> = drafted.spans.iter().map(|span| (span.start, span.end)).collect();
            let source = Zeroizing::new(beside::marked(&drafted.source, &spans));
            let (source, text) = (out::plain(&source), out::plain(&drafted.text));
            let (source, text) = (Zeroizing::new(source), Zeroizing::new(text));
            let columns = usize::from(columns);
            let both = beside::beside(("the notes", &source), ("the brief", &text), columns);
            seen.result(&Zeroizing::new(both))?;
        }
        (None, None) => {
            seen.result(&Zeroizing::new(out::plain(&drafted.text)))?;
            seen.result("\n")?;
        }
    }
    let removed: Vec<String> = drafted
        .removed
        .iter()
        .map(|(kind, count)| format!("{count} {}", in_words(kind)))
        .collect();
    let removed = if removed.is_empty() {
        "nothing".to_owned()
    } else {
        removed.join(", ")
    };
    seen.remark(&format!(
        "\ndraft {} for {} ({})",
        drafted.draft, drafted.label, drafted.mark
    ));
    seen.remark(&format!(
        "removed: {removed}; left out whole: {}",
        counted(drafted.left_out, "portion", "portions")
    ));
    if args.length.is_some() {
        let words = counted(drafted.shortened, "sentence or item", "sentences and items");
        seen.remark(&format!("left out for length: {words}"));
    }
    seen.doubts(&drafted.doubtful);
    if columns.is_some() && !drafted.kept.is_empty() {
        let most = if seen.verbose { drafted.kept.len() } else { KEPT_MAX };
        let kept = drafted.kept.iter().take(most).map(|word| out::one_line(word));
        let more = match drafted.kept.len().saturating_sub(most) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let kept = kept.collect::<Vec<_>>().join(", ");
        seen.remark(&format!("kept, though with a capital or a figure: {kept}{more}"));
    }
    Ok(0)
}

/// How many of the words that were kept are named on a terminal.
const KEPT_MAX: usize = 60;

fn list(seen: &Seen<'_>, lines: &[BriefLine]) -> Result<u8, Error> {
    let kind = |line: &BriefLine| if line.released { "brief" } else { "draft" };
    let modified = |line: &BriefLine| Time::from_unix(line.listed.metadata.modified).to_string();
    if seen.json {
        let line = |line: &BriefLine| {
            let metadata = &line.listed.metadata;
            json!({
                "id": line.listed.note.to_string(),
                "title": metadata.title,
                "client": metadata.client,
                "case": metadata.case,
                "label": line.label,
                "modified": modified(line),
                "kind": kind(line),
                "for": line.audience,
                "recipients": line.recipients,
                "expires": line.expires,
            })
        };
        seen.json(&lines.iter().map(line).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if lines.is_empty() {
        seen.remark("no drafts or briefs that you may read");
        return Ok(0);
    }
    let row = |line: &BriefLine| {
        vec![
            line.listed.note.to_string()[..line.listed.unique].to_owned(),
            local(Time::from_unix(line.listed.metadata.modified))[..10].to_owned(),
            kind(line).to_owned(),
            out::one_line(line.audience.as_deref().unwrap_or_default()),
            out::one_line(&line.recipients.join(", ")),
            line.expires.clone().unwrap_or_default(),
            out::one_line(&line.label),
            out::one_line(&line.listed.metadata.client),
            out::one_line(&line.listed.metadata.title),
        ]
    };
    let head = [
        "id", "modified", "what", "for", "to", "until", "label", "client", "title",
    ];
    seen.table(&head, lines.iter().map(row).collect())?;
    Ok(0)
}

fn recall(seen: &Seen<'_>, recalled: &[Recalled]) -> Result<u8, Error> {
    if seen.json {
        let types = |why: &RecallReason| match why {
            RecallReason::Identifies(types) => types.clone(),
            _ => Vec::new(),
        };
        let line = |brief: &Recalled| {
            json!({
                "brief": brief.brief.to_string(),
                "released": brief.released.to_string(),
                "label": brief.label,
                "for": brief.audience,
                "recipients": brief.recipients,
                "expires": brief.expires.map(|time| time.to_string()),
                "why": brief.why.iter().map(RecallReason::code).collect::<Vec<_>>(),
                "types": brief.why.iter().flat_map(types).collect::<Vec<_>>(),
            })
        };
        seen.json(&recalled.iter().map(line).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if recalled.is_empty() {
        seen.remark("no released brief that you may read is concerned by anything since");
        return Ok(0);
    }
    let words = |why: &RecallReason| match why {
        RecallReason::Gone => "a source is gone, or no longer yours to read".to_owned(),
        RecallReason::Relabelled => "a source was relabelled".to_owned(),
        RecallReason::Changed => "a source was revised".to_owned(),
        RecallReason::Identifies(types) => {
            let types: Vec<String> = types.iter().map(|kind| in_words(kind)).collect();
            format!("it identifies, by what is known now ({})", types.join(", "))
        }
        RecallReason::Unchecked => "it cannot be checked: its profile is gone or it is of another version".to_owned(),
    };
    let row = |brief: &Recalled| {
        vec![
            brief.brief.to_string()[..8].to_owned(),
            local(brief.released),
            out::one_line(brief.audience.as_deref().unwrap_or_default()),
            out::one_line(&brief.recipients.join(", ")),
            brief.expires.map_or_else(String::new, local),
            brief.label.clone(),
            brief.why.iter().map(words).collect::<Vec<_>>().join("; "),
        ]
    };
    let head = ["brief", "released", "for", "to", "until", "label", "why"];
    seen.table(&head, recalled.iter().map(row).collect())?;
    Ok(0)
}

/// What a person has to decide about, as JSON.
pub(super) fn doubts(doubtful: &[crate::app::shared::Doubt]) -> Vec<serde_json::Value> {
    let doubt = |doubt: &crate::app::shared::Doubt| json!({ "start": doubt.start, "end": doubt.end, "text": doubt.text, "why": doubt.why });
    doubtful.iter().map(doubt).collect()
}
