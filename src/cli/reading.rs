//! A note as a person reads it: what is known of it, then its text.

use super::attachments;
use super::markdown::{self, Line};
use super::out;
use super::words::local;
use crate::app::Shown;
use crate::app::shared::{Nature, Time};
use anstyle::Effects;
use zeroize::Zeroizing;

/// The longest line of a text, in columns: longer ones are hard to read.
pub(super) const WIDEST: usize = 100;

/// What stands above the text: title; label and mark; what is known of it.
pub(super) fn head(shown: &Shown) -> Zeroizing<String> {
    let metadata = &shown.note.metadata;
    let day = |seconds| local(Time::from_unix(seconds));
    let mut head = Zeroizing::new(format!(
        "{}\n{} · {}\n",
        out::one_line(&metadata.title),
        out::one_line(&shown.label),
        shown.mark
    ));
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
    for attachment in &shown.note.attachments {
        head.push_str(&format!(
            "attached {}\n",
            attachments::line(attachment, &shown.note.attachments)
        ));
        let told = attachment.picture.as_ref().and_then(attachments::picture_line);
        told.iter().for_each(|line| head.push_str(&format!("{line}\n")));
    }
    let revision = match metadata.number {
        1 => String::new(),
        number => format!("revision {number} · "),
    };
    head.push_str(&format!(
        "{revision}written {} by {} · {}\n",
        day(metadata.modified),
        shown.author,
        shown.note.note
    ));
    head
}

/// A text without a first heading that says the title again, which stands above it.
fn below_title<'t>(body: &'t str, title: &str) -> &'t str {
    let (first, rest) = body.split_once('\n').unwrap_or((body, ""));
    match first.strip_prefix("# ").map(str::trim) {
        Some(heading) if heading == title => rest.trim_start_matches('\n'),
        _ => body,
    }
}

/// All of it for a screen that is so wide.
pub(super) fn page(shown: &Shown, width: usize, colour: bool) -> Vec<Line> {
    let head = head(shown);
    let mut lines = Vec::new();
    for (at, line) in head.lines().enumerate() {
        let effects = if at == 0 && colour {
            Effects::BOLD
        } else {
            Effects::new()
        };
        lines.extend(markdown::wrap(effects, line, width));
    }
    lines.push(Line::default());
    let (body, width) = (shown.body(), width.min(WIDEST));
    lines.extend(match shown.note.nature {
        // Who looks at what leaves looks at all of it, also at what Markdown does not show.
        Nature::Draft | Nature::Brief => markdown::as_written(&body, width),
        _ => markdown::render(below_title(&body, &shown.note.metadata.title), width, colour),
    });
    lines
}
