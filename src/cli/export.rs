//! Exports: a pack for a court.

use super::out;
use super::terminal::Seen;
use crate::app::{Context, Error, PackQuery, Which};
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum ExportCommand {
    /// Notes, attachments and who had them, with proofs that are checked without strongroom
    #[command(
        after_help = "Examples:\n  strongroom export pack --case 2026-114 --out pack --to 'Crown Court' --purpose legal --why 'disclosure order'\n  strongroom export pack 3f2a 91bc --out pack --receipt receipt.txt --purpose legal --why 'requested'\n\nThe pack is a new folder. Its README.md says to lay people what is in it and to experts how each step\nis checked with sha256sum, ssh-keygen and openssl; `python3 check.py` in it does all of them. Nothing of\nit is written before the log has what leaves, to whom and why. The notes in it are in clear: all\nrevisions, whatever their portion marks. Drafts and briefs are not packed; custody.csv tells of them.\n\nWith --receipt the proofs lead to that receipt, so that whoever kept it needs to believe no key."
    )]
    Pack(PackArgs),
}

#[derive(ClapArgs)]
pub(super) struct PackArgs {
    /// Ids of notes, or their beginnings
    #[arg(required_unless_present_any = ["client", "case"])]
    ids: Vec<String>,
    /// All notes of this client that you may export
    #[arg(long, conflicts_with = "ids")]
    client: Option<String>,
    /// All notes of this case that you may export
    #[arg(long, conflicts_with = "ids")]
    case: Option<String>,
    /// The new folder
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// To whom it goes; may be given several times
    #[arg(long, value_name = "NAME")]
    to: Vec<String>,
    /// Words that stand first in its README, such as a ban on redisclosure
    #[arg(long, value_name = "TEXT")]
    notice: Option<String>,
    /// Lead the proofs to the checkpoints of this receipt
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

/// `export …`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &ExportCommand) -> Result<u8, Error> {
    match command {
        ExportCommand::Pack(args) => pack(context, seen, args),
    }
}

fn pack(context: &Context<'_>, seen: &Seen<'_>, args: &PackArgs) -> Result<u8, Error> {
    let query = PackQuery {
        which: Which {
            ids: args.ids.clone(),
            client: args.client.clone(),
            case: args.case.clone(),
        },
        to: args.to.clone(),
        notice: args.notice.clone(),
        receipt: args.receipt.clone(),
        out: args.out.clone(),
    };
    let pack = crate::app::export_pack(context, &query)?;
    if seen.json {
        seen.json(&json!({
            "out": args.out.to_string_lossy(),
            "notes": pack.notes,
            "texts": pack.texts,
            "attachments": pack.attachments,
            "entries": pack.entries,
            "closed": pack.closed,
            "sha256": pack.sha256.to_string(),
            "entry": pack.entry.to_string(),
        }))?;
        return Ok(0);
    }
    seen.remark(&format!(
        "packed in {}: {} with {} and {}, and {} of the log",
        out::one_line(&args.out.to_string_lossy()),
        of(pack.notes, "note", "notes"),
        of(pack.texts, "text", "texts"),
        of(pack.attachments, "attachment", "attachments"),
        of(pack.entries, "entry", "entries"),
    ));
    if pack.closed > 0 {
        let reads = of(pack.closed as usize, "read", "reads");
        seen.remark(&format!(
            "  {reads} in the log did not open for you, so custody.csv may lack some; the pack says so"
        ));
    }
    seen.remark(&format!(
        "  sha256 of its manifest {}, entry {}",
        pack.sha256, pack.entry
    ));
    seen.remark("  its README.md says how it is checked; the notes in it are in clear, so keep it as you keep them");
    Ok(0)
}

fn of(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}
