//! Legal holds.

use super::out;
use super::terminal::Seen;
use super::words::{counted, named, prompted};
use crate::app::{Context, Error, HoldLine, HoldQuery};
use clap::Subcommand;
use serde_json::json;

#[derive(Subcommand)]
pub(super) enum HoldCommand {
    /// Keep what a matter concerns from being destroyed, now and later; for leads
    #[command(
        after_help = "Examples:\n  strongroom hold place --matter 'Hask v Halcyon' --client Halcyon --why 'letter of the solicitors'\n  strongroom hold place --matter 'gate inquiry' 3f2a9c 91bc --why 'the police asked'\n  strongroom hold place --matter 'Hask v Halcyon' --why 'what came since'\n\nWhat is held is not destroyed, by anybody, until the hold is lifted. Which notes are held stands in clear in the log; the matter, the client and why are sealed, to the leads and to those who may read one of the notes. A hold is on what you may read that bears the client and case. What is recorded later falls under it too, for everybody to whom it is told; `due` says of it, and placing the same matter again names it. A shell remembers what is typed as an argument: `--matter -` asks."
    )]
    Place {
        /// The name of the matter
        #[arg(long, value_name = "NAME")]
        matter: String,
        /// All that bears this client
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
        /// All that bears this case
        #[arg(long, value_name = "NAME")]
        case: Option<String>,
        /// Ids of notes, or the beginnings of them
        ids: Vec<String>,
    },
    /// Lift the hold of a matter; for leads
    #[command(
        after_help = "Example:\n  strongroom hold lift 'Hask v Halcyon' --why 'settled, the solicitors wrote'\n\nIt lifts what is known here of the hold. What another lead placed meanwhile, and did not sync, holds on."
    )]
    Lift {
        /// The name of the matter; `-` asks for it
        matter: String,
    },
    /// List the holds that are told to you
    #[command(after_help = "Example:\n  strongroom hold list --json")]
    List,
}

/// `hold …`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &HoldCommand) -> Result<u8, Error> {
    match command {
        HoldCommand::Place {
            matter,
            client,
            case,
            ids,
        } => {
            let query = HoldQuery {
                matter: prompted(context.person, "matter", Some(matter))?.unwrap_or_default(),
                client: named(context.person, "client", client.as_deref())?,
                case: named(context.person, "case", case.as_deref())?,
                ids: ids.clone(),
            };
            place(context, seen, &query)
        }
        HoldCommand::Lift { matter } => {
            let matter = prompted(context.person, "matter", Some(matter))?.unwrap_or_default();
            lift(context, seen, &matter)
        }
        HoldCommand::List => list(context, seen),
    }
}

fn place(context: &Context<'_>, seen: &Seen<'_>, query: &HoldQuery) -> Result<u8, Error> {
    let done = crate::app::place_hold(context, query)?;
    if seen.json {
        seen.json(&json!({
            "matter": done.matter,
            "entry": done.entry.to_string(),
            "held": done.held.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "before": done.before,
        }))?;
        return Ok(0);
    }
    let notes = counted(done.held.len(), "note is", "notes are");
    let before = match done.before {
        0 => String::new(),
        before => format!(", beside {before} that it named before"),
    };
    seen.remark(&format!(
        "{notes} held for `{}`{before}; `strongroom sync` brings that to the others",
        out::one_line(&done.matter)
    ));
    if done.held.is_empty() && done.before == 0 {
        seen.remark("no note that you may read falls under it yet: look at how client and case are spelled");
    }
    Ok(0)
}

fn lift(context: &Context<'_>, seen: &Seen<'_>, matter: &str) -> Result<u8, Error> {
    let done = crate::app::lift_hold(context, matter)?;
    if seen.json {
        seen.json(&json!({
            "matter": done.matter,
            "entries": done.entries.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "free": done.free.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "changed": !done.entries.is_empty(),
        }))?;
        return Ok(0);
    }
    if done.entries.is_empty() {
        seen.remark(&format!(
            "the hold `{}` was lifted before; nothing was changed",
            out::one_line(&done.matter)
        ));
        return Ok(0);
    }
    let notes = counted(done.free.len(), "note is", "notes are");
    seen.remark(&format!(
        "the hold `{}` is lifted: {notes} under no hold any more",
        out::one_line(&done.matter)
    ));
    Ok(0)
}

fn list(context: &Context<'_>, seen: &Seen<'_>) -> Result<u8, Error> {
    let found = crate::app::list_holds(context)?;
    if found.closed > 0 {
        let holds = counted(found.closed, "hold is", "holds are");
        seen.remark(&format!(
            "{holds} in force of which you are not told what for; a lead who knows places the matter again to tell you"
        ));
    }
    if seen.json {
        let lines: Vec<_> = found.lines.iter().map(in_json).collect();
        seen.json(&json!(lines))?;
        return Ok(0);
    }
    if found.lines.is_empty() {
        seen.remark("no hold is told to you");
        return Ok(0);
    }
    let row = |line: &HoldLine| {
        vec![
            out::one_line(&line.matter),
            line.time.to_string(),
            line.by.clone(),
            line.notes.len().to_string(),
            match &line.lifted {
                Some((by, time)) => format!("lifted by {by}, {time}"),
                None => "in force".to_owned(),
            },
            out::one_line(&line.client),
            out::one_line(&line.case),
            out::one_line(line.why.as_deref().unwrap_or_default()),
        ]
    };
    seen.table(
        &[
            "matter",
            "placed",
            "by",
            "notes",
            "how it stands",
            "client",
            "case",
            "why",
        ],
        found.lines.iter().map(row).collect(),
    )?;
    Ok(0)
}

fn in_json(line: &HoldLine) -> serde_json::Value {
    json!({
        "matter": line.matter,
        "entry": line.entry.to_string(),
        "by": line.by,
        "placed": line.time.to_string(),
        "client": line.client,
        "case": line.case,
        "why": line.why,
        "notes": line.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "lifted": line.lifted.as_ref().map(|(by, time)| json!({ "by": by, "time": time.to_string() })),
    })
}
