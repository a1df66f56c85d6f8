//! Exports: a pack for a court, and what is kept about somebody for them.

use super::out;
use super::terminal::Seen;
use crate::app::{Context, Error, PackQuery, SubjectQuery, Which};
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum ExportCommand {
    /// Notes, attachments and who had them, with proofs that are checked without strongroom
    #[command(
        after_help = "Examples:\n  strongroom export pack --case 2026-114 --out pack --to 'Crown Court' --purpose legal --why 'disclosure order'\n  strongroom export pack 3f2a 91bc --out pack --receipt receipt.txt --purpose legal --why 'requested'\n\nThe pack is a new folder. Its README.md says to lay people what is in it and to experts how each step is checked with sha256sum, ssh-keygen and openssl; `python3 check.py` in it does all of them. Nothing of it is written before the log has what leaves, to whom and why. The notes in it are in clear: all revisions, whatever their portion marks. Drafts and briefs are not packed; custody.csv tells of them.\n\nWith --receipt the proofs lead to that receipt, so that whoever kept it needs to believe no key."
    )]
    Pack(PackArgs),
    /// What is kept about somebody, for them: notes, who saw them, to whom something was given
    #[command(
        after_help = "Examples:\n  strongroom export subject --client 'Ms Okonjo-Vale' --out answer --purpose client-request --why 'asked on 3 May'\n  strongroom export subject --person 'Lena Hauk' --redact no-names --out answer --purpose client-request --why 'asked'\n\n--client takes the notes of that client, --person those in whose newest revision the name stands word for word; with both, all of these. What you may not read is not in it, and it does not say whether there is any. With --redact names of others are replaced, attachments are left out, and members have numbers: that is help, not a judgement, so read all of it before it goes. The folder is new, and the log has what leaves, to whom and why before anything is written."
    )]
    Subject(SubjectArgs),
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
    /// And what points to one of these: reviews, actions, statements
    #[arg(long)]
    with_linked: bool,
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

#[derive(ClapArgs)]
pub(super) struct SubjectArgs {
    /// Notes of this client
    #[arg(long, value_name = "NAME", required_unless_present = "person")]
    client: Option<String>,
    /// Notes in which this name stands
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// The new folder
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Earlier revisions too
    #[arg(long)]
    all_revisions: bool,
    /// Leave others unnamed, by a profile such as no-names
    #[arg(long, value_name = "PROFILE")]
    redact: Option<String>,
    /// Let this word stay, such as another name of the person's
    #[arg(long, value_name = "WORD", requires = "redact")]
    allow: Vec<String>,
    /// To whom it goes, if not to the person; may be given several times
    #[arg(long, value_name = "NAME")]
    to: Vec<String>,
    /// Words that stand first in its README, such as whom to ask
    #[arg(long, value_name = "TEXT")]
    notice: Option<String>,
}

/// `export …`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &ExportCommand) -> Result<u8, Error> {
    match command {
        ExportCommand::Pack(args) => pack(context, seen, args),
        ExportCommand::Subject(args) => subject(context, seen, args),
    }
}

fn pack(context: &Context<'_>, seen: &Seen<'_>, args: &PackArgs) -> Result<u8, Error> {
    let query = PackQuery {
        which: Which {
            ids: args.ids.clone(),
            client: args.client.clone(),
            case: args.case.clone(),
            naming: None,
            with_linked: args.with_linked,
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

fn subject(context: &Context<'_>, seen: &Seen<'_>, args: &SubjectArgs) -> Result<u8, Error> {
    let query = SubjectQuery {
        client: args.client.clone(),
        person: args.person.clone(),
        all_revisions: args.all_revisions,
        redact: args.redact.clone(),
        allow: args.allow.clone(),
        to: args.to.clone(),
        notice: args.notice.clone(),
        out: args.out.clone(),
    };
    let told = crate::app::export_subject(context, &query)?;
    if seen.json {
        seen.json(&json!({
            "out": args.out.to_string_lossy(),
            "notes": told.notes,
            "attachments": told.attachments,
            "left_out": told.left_out,
            "disclosures": told.disclosures,
            "closed": told.closed,
            "doubtful": told.doubtful,
            "sha256": told.sha256.to_string(),
            "entry": told.entry.to_string(),
        }))?;
        return Ok(0);
    }
    seen.remark(&format!(
        "told in {}: {} and {}, as far as you may read; something of them was given to others {}",
        out::one_line(&args.out.to_string_lossy()),
        of(told.notes, "note", "notes"),
        of(told.attachments, "attachment", "attachments"),
        of(told.disclosures, "time", "times"),
    ));
    if told.left_out > 0 {
        let left = of(told.left_out, "attachment was", "attachments were");
        seen.remark(&format!("  {left} left out: nobody can redact them here"));
    }
    if told.closed > 0 {
        let reads = of(told.closed as usize, "read", "reads");
        seen.remark(&format!(
            "  {reads} in the log did not open for you, so who-saw.csv may lack some; it says so"
        ));
    }
    seen.remark(match args.redact {
        None => {
            "  the texts are as they were recorded: read them for what concerns others before they go (--redact helps)"
        }
        Some(_) => {
            "  names were replaced by a program: read all of it before it goes, and look for what points to others"
        }
    });
    if told.doubtful > 0 {
        let words = of(told.doubtful, "word is", "words are");
        seen.remark(&format!("  {words} doubtful and stayed"));
    }
    seen.remark(&format!(
        "  sha256 of its manifest {}, entry {}",
        told.sha256, told.entry
    ));
    Ok(0)
}

fn of(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}
