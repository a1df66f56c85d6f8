//! Conflicts of interest.

use super::out;
use super::terminal::Seen;
use super::words::named;
use crate::app::{ConflictLine, Context, Error};
use clap::Subcommand;
use serde_json::json;

#[derive(Subcommand)]
pub(super) enum ConflictCommand {
    /// Declare that you are to stay out of a matter
    #[command(
        after_help = "Examples:\n  strongroom conflict declare --client Halcyon --why 'my brother works there'\n  strongroom conflict declare --client Halcyon --case H-2026-014\n\nFrom then on what bears that client or case is not there for you, and you approve nothing in it. Your reason goes to the leads by name, and to the auditors with the log. A shell remembers what is typed as an argument: `--client -` asks. It is not taken back: a new client or case name is."
    )]
    Declare {
        /// The client concerned
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
        /// The case concerned
        #[arg(long, value_name = "NAME")]
        case: Option<String>,
    },
    /// List what you declared, and what was declared to you as a lead
    #[command(after_help = "Example:\n  strongroom conflict list --json")]
    List,
}

/// `conflict …`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &ConflictCommand) -> Result<u8, Error> {
    match command {
        ConflictCommand::Declare { client, case } => {
            let client = named(context.person, "client", client.as_deref())?;
            let case = named(context.person, "case", case.as_deref())?;
            let what: Vec<String> = [("client", &client), ("case", &case)]
                .into_iter()
                .filter_map(|(kind, name)| Some(format!("{kind} `{}`", out::one_line(name.as_deref()?))))
                .collect();
            seen.agreed(
                &format!(
                    "stay out of all that bears {}? It is not taken back, and the leads are told.",
                    what.join(" and ")
                ),
                "nothing was declared",
            )?;
            let declared = crate::app::declare_conflict(context, client.as_deref(), case.as_deref())?;
            if seen.json {
                let entry = declared.entry.map(|entry| entry.to_string());
                seen.json(&json!({ "entry": entry, "changed": entry.is_some() }))?;
                return Ok(0);
            }
            seen.remark(match declared.entry {
                Some(_) => {
                    "declared: what it concerns is not there for you from now on, and the leads see that you said so"
                }
                None => "you have declared that already; nothing was changed",
            });
            Ok(0)
        }
        ConflictCommand::List => list(context, seen),
    }
}

fn list(context: &Context<'_>, seen: &Seen<'_>) -> Result<u8, Error> {
    let lines = crate::app::list_conflicts(context)?;
    if seen.json {
        let lines: Vec<_> = lines.iter().map(in_json).collect();
        seen.json(&json!(lines))?;
        return Ok(0);
    }
    if lines.is_empty() {
        seen.remark("no conflict of interest was declared, as far as you may see");
        return Ok(0);
    }
    let row = |line: &ConflictLine| {
        vec![
            line.time.to_string(),
            line.by.clone(),
            out::one_line(&line.client),
            out::one_line(&line.case),
            out::one_line(line.why.as_deref().unwrap_or_default()),
        ]
    };
    seen.table(
        &["declared", "by", "client", "case", "why"],
        lines.iter().map(row).collect(),
    )?;
    Ok(0)
}

fn in_json(line: &ConflictLine) -> serde_json::Value {
    json!({
        "entry": line.entry.to_string(),
        "declared": line.time.to_string(),
        "by": line.by,
        "client": line.client,
        "case": line.case,
        "why": line.why,
    })
}
