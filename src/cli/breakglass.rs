//! Breaking the glass, and what leads do about it.

use super::notes::{Look, shown};
use super::out;
use super::terminal::Seen;
use crate::app::{BrokenGlass, Context, Error, GlassStatement, Kind};
use clap::Subcommand;
use serde_json::json;

#[derive(Subcommand)]
pub(super) enum BreakglassCommand {
    /// Open a note that your clearance does not cover, in an emergency; for those with the role `breakglass`
    #[command(
        after_help = "Example:\n  strongroom breakglass open 3f2a9c --class safety --why 'client does not answer, brother is at the gate'\n\nClass and reason are in the log before anything is shown, the reason sealed for the leads who may read the note. Leads are told with their next sync, and at every command until one of them has reviewed it. The note has to lie in a compartment of yours, or in none."
    )]
    Open {
        /// Its id, or the beginning of it
        id: String,
        /// Which emergency it is: a purpose that purposes.toml calls one, such as safety [default: --purpose]
        #[arg(long, value_name = "CODE")]
        class: Option<String>,
    },
    /// List where the glass was broken, or enter that you have looked at it; for leads
    #[command(
        after_help = "Examples:\n  strongroom breakglass review\n  strongroom breakglass review 4f0c2b7a91d3e865-a1b2c3d4:17 --why 'called him, was right to do it'\n\nA review is due within 72 hours, and nobody reviews what they did themselves."
    )]
    Review {
        /// The entry, as the list names it: LOG:SEQ
        entry: Option<String>,
    },
}

/// `breakglass …`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &BreakglassCommand) -> Result<u8, Error> {
    match command {
        BreakglassCommand::Open { id, class } => {
            let note = crate::app::break_glass(context, id, class.as_deref())?;
            shown(context, seen, note, &Look::default())
        }
        BreakglassCommand::Review { entry: None } => list(context, seen),
        BreakglassCommand::Review { entry: Some(entry) } => {
            let facts = seen.terminal.facts();
            let asks = facts.may_ask && facts.typed && !seen.yes;
            let ask = |broken: &GlassStatement| ask(seen, broken);
            let ask: Option<crate::app::AskReview<'_>> = if asks { Some(&ask) } else { None };
            let done = crate::app::review_glass(context, entry, ask)?;
            if seen.json {
                seen.json(&json!({
                    "reviewed": entry,
                    "entry": done.entry.to_string(),
                    "changed": done.changed,
                }))?;
                return Ok(0);
            }
            seen.remark(match done.changed {
                true => "reviewed",
                false => "you have reviewed that already; nothing was changed",
            });
            Ok(0)
        }
    }
}

fn list(context: &Context<'_>, seen: &Seen<'_>) -> Result<u8, Error> {
    let all = crate::app::list_broken_glass(context)?;
    if seen.json {
        let lines: Vec<_> = all.iter().map(in_json).collect();
        seen.json(&json!(lines))?;
        return Ok(0);
    }
    if all.is_empty() {
        seen.remark("nobody broke the glass in these weeks");
        return Ok(0);
    }
    let row = |broken: &BrokenGlass| {
        let review = match (broken.reviewed.is_empty(), broken.overdue) {
            (false, _) => format!("by {}", broken.reviewed.join(", ")),
            (true, true) => format!("was due {}", broken.due),
            (true, false) => format!("due {}", broken.due),
        };
        vec![
            broken.entry.to_string(),
            broken.time.to_string(),
            broken.by.clone(),
            review,
            broken
                .said
                .as_ref()
                .map(|(note, _)| note.to_string()[..8].to_owned())
                .unwrap_or_default(),
            broken
                .said
                .as_ref()
                .map(|(_, why)| out::one_line(why))
                .unwrap_or_default(),
        ]
    };
    seen.table(
        &["entry", "time", "who", "review", "note", "why"],
        all.iter().map(row).collect(),
    )?;
    Ok(0)
}

fn in_json(broken: &BrokenGlass) -> serde_json::Value {
    json!({
        "entry": broken.entry.to_string(),
        "time": broken.time.to_string(),
        "by": broken.by,
        "due": broken.due.to_string(),
        "overdue": broken.overdue && broken.reviewed.is_empty(),
        "reviewed": broken.reviewed,
        "note": broken.said.as_ref().map(|(note, _)| note.to_string()),
        "why": broken.said.as_ref().map(|(_, why)| why),
    })
}

fn ask(seen: &Seen<'_>, told: &GlassStatement) -> Result<(), Error> {
    let GlassStatement { broken, statement } = told;
    let said = match statement {
        Some(text) => out::plain(text.trim_end()),
        None => "Their reason is sealed for those who may read the note, and you may not.".to_owned(),
    };
    let prompt = format!(
        "{} broke the glass on {}.\n{said}\nenter that you have looked at it? Type yes: ",
        broken.by, broken.time
    );
    match seen.terminal.line(&prompt).as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        _ => Err(Error::new(Kind::Failed, "nothing was entered")),
    }
}
