//! Briefs: draft, release, check, list.

use super::args::{BriefCommand, FormatArg};
use super::terminal::{self, Seen};
use super::words::{counted, in_words, time};
use super::{finding, out};
use crate::app::shared::Format;
use crate::app::{Context, DraftQuery, Error, ReleaseQuery};
use serde_json::json;

/// `brief`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &BriefCommand) -> Result<u8, Error> {
    match command {
        BriefCommand::Draft {
            ids,
            profile,
            audience,
            mask,
            allow,
        } => {
            let query = DraftQuery {
                sources: ids.clone(),
                profile: profile.clone(),
                audience: audience.clone(),
                mask: mask.clone(),
                allow: allow.clone(),
            };
            let drafted = crate::app::draft_brief(context, &query)?;
            if seen.json {
                let doubt = |doubt: &crate::app::shared::Doubt| json!({ "start": doubt.start, "end": doubt.end, "text": doubt.text, "why": doubt.why });
                seen.json(&json!({
                    "draft": drafted.draft.to_string(),
                    "label": drafted.label,
                    "text": drafted.text,
                    "removed": drafted.removed,
                    "doubtful": drafted.doubtful.iter().map(doubt).collect::<Vec<_>>(),
                    "left_out": drafted.left_out,
                    "entry": drafted.entry.to_string(),
                }))?;
                return Ok(0);
            }
            seen.result(&format!("{}\n", out::plain(&drafted.text)))?;
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
            seen.doubts(&drafted.doubtful);
            Ok(0)
        }
        BriefCommand::Release {
            draft,
            to,
            out: file,
            format,
            until,
        } => {
            let format = match format {
                FormatArg::Md => Format::Markdown,
                FormatArg::Html => Format::Html,
                FormatArg::Txt => Format::Text,
                FormatArg::Json => Format::Json,
            };
            let expires = until.as_deref().map(time).transpose()?;
            let released = crate::app::release_brief(
                context,
                &ReleaseQuery {
                    draft: draft.clone(),
                    to: to.clone(),
                    format,
                    expires,
                    out: file.clone(),
                },
            )?;
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
        BriefCommand::List => finding::lines(
            seen,
            &crate::app::list_briefs(context)?,
            "no drafts or briefs that you may read",
        ),
    }
}
