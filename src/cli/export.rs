//! Exports: notes for elsewhere, a pack for a court, and what is kept about somebody for them.

use super::out;
use super::terminal::Seen;
use crate::app::{
    ClearExport, Context, Error, Kind, NotesFormat, NotesQuery, PackQuery, PictureOut, SubjectQuery, Which,
};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum ExportCommand {
    /// Notes for elsewhere, encrypted: Markdown with front matter, and what is attached
    #[command(
        override_usage = "strongroom export notes [OPTIONS] --out <PATH> <IDS>...\n       strongroom export notes [OPTIONS] --out <PATH> (--client|--case|--all)",
        after_help = "Examples:\n  strongroom export notes --client Halcyon -r age1… --out out.age --purpose handover --why 'new team'\n  strongroom export notes --all -R keys.txt --out all.age --purpose handover --why 'moving'\n  age -d -i key.txt out.age | tar x; strongroom import notes --labels-within\n  strongroom export notes 3f2a --to folder --in-clear --out page --purpose duty --why 'asked for'\n\nYour own age encrypts it, to age and SSH keys; what it encrypts is a tar of a folder with a page a note, which `import` reads back. It holds the newest revision of each note and its attachments; earlier revisions, drafts, briefs and fields that the program writes itself stay. Before a byte leaves, the log has which notes, to whom and why, as for a release. With --to folder the notes leave in clear: only up to the level that `clear_export` in levels.toml names (public, as shipped), and only with --in-clear, which is asked about."
    )]
    Notes(NotesArgs),
    /// Notes, attachments and who had them, with proofs that are checked without strongroom
    #[command(
        override_usage = "strongroom export pack [OPTIONS] --out <FOLDER> <IDS>...\n       strongroom export pack [OPTIONS] --out <FOLDER> (--client|--case)",
        after_help = "Examples:\n  strongroom export pack --case 2026-114 --out pack --to 'Crown Court' --purpose legal --why 'disclosure order'\n  strongroom export pack 3f2a 91bc --out pack --receipt receipt.txt --purpose legal --why 'requested'\n\nThe pack is a new folder. Its README.md says to lay people what is in it and to experts how each step is checked with sha256sum, ssh-keygen and openssl; `python3 check.py` in it does all of them. Nothing of it is written before the log has what leaves, to whom and why. The notes in it are in clear: all revisions, whatever their portion marks. Drafts and briefs are not packed; custody.csv tells of them.\n\nWith --receipt the proofs lead to that receipt, so that whoever kept it needs to believe no key."
    )]
    Pack(PackArgs),
    /// What is kept about somebody, for them: notes, who saw them, to whom something was given
    #[command(
        after_help = "Examples:\n  strongroom export subject --client 'Ms Okonjo-Vale' --out answer --purpose client-request --why 'asked on 3 May'\n  strongroom export subject --person 'Lena Hauk' --redact no-names --out answer --purpose client-request --why 'asked'\n\n--client takes the notes of that client, --person those in whose newest revision the name stands word for word; with both, all of these. What you may not read is not in it, and it does not say whether there is any. With --redact names of others are replaced, attachments are left out, and members have numbers: that is help, not a judgement, so read all of it before it goes. The folder is new, and the log has what leaves, to whom and why before anything is written."
    )]
    Subject(SubjectArgs),
}

#[derive(Clone, Copy, ValueEnum)]
enum ToArg {
    // No docstrings here, for the same reason as for the formats.
    Age,
    Folder,
}

#[derive(ClapArgs)]
pub(super) struct NotesArgs {
    /// Ids of notes, or their beginnings
    #[arg(required_unless_present_any = ["client", "case", "all"])]
    ids: Vec<String>,
    /// All notes of this client that you may export
    #[arg(long, conflicts_with = "ids")]
    client: Option<String>,
    /// All notes of this case that you may export
    #[arg(long, conflicts_with = "ids")]
    case: Option<String>,
    /// All notes that you may export
    #[arg(long, conflicts_with_all = ["ids", "client", "case"])]
    all: bool,
    /// Encrypted by age, or a folder in clear
    #[arg(long, value_enum, default_value = "age")]
    to: ToArg,
    /// An age or SSH key that opens it; may be given several times
    #[arg(short, long = "recipient", value_name = "KEY")]
    recipients: Vec<String>,
    /// A file of such keys, a line each
    #[arg(short = 'R', long = "recipients-file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Who gets it, in words, for the log; may be given several times
    #[arg(long = "for", value_name = "NAME")]
    names: Vec<String>,
    /// Let it leave in clear
    #[arg(long)]
    in_clear: bool,
    /// The new file or folder
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
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
        ExportCommand::Notes(args) => notes(context, seen, args),
        ExportCommand::Pack(args) => pack(context, seen, args),
        ExportCommand::Subject(args) => subject(context, seen, args),
    }
}

/// What is typed before notes leave in clear.
const IN_CLEAR: &str = "in clear";

fn notes(context: &Context<'_>, seen: &Seen<'_>, args: &NotesArgs) -> Result<u8, Error> {
    let usage = |words: &str| Error::new(Kind::Usage, words);
    let keyed = !args.recipients.is_empty() || !args.files.is_empty();
    let format = match args.to {
        ToArg::Age if args.in_clear => {
            return Err(usage("what is encrypted does not leave in clear: leave --in-clear out"));
        }
        ToArg::Age => NotesFormat::Age(args.recipients.clone(), args.files.clone()),
        ToArg::Folder if keyed => return Err(usage("a folder is encrypted to nobody: --to age, or no recipients")),
        ToArg::Folder if !args.in_clear => {
            return Err(usage("a folder holds the notes in clear: say so with --in-clear")
                .hint("--to age -r KEY encrypts them"));
        }
        ToArg::Folder => NotesFormat::Folder,
    };
    let query = NotesQuery {
        which: Which {
            ids: args.ids.clone(),
            client: args.client.clone(),
            case: args.case.clone(),
            naming: None,
            with_linked: false,
            all: args.all,
        },
        format,
        to: args.names.clone(),
        out: args.out.clone(),
    };
    let confirm = |clear: &ClearExport| {
        if seen.yes {
            return Ok(());
        }
        let count = of(clear.notes, "note", "notes");
        let prompt = format!(
            "{count}, up to {}, would leave in clear: type `{IN_CLEAR}` to go on: ",
            clear.level
        );
        match seen.terminal.line(&prompt) {
            Some(typed) if typed.trim() == IN_CLEAR => Ok(()),
            Some(_) => Err(Error::new(Kind::Failed, "nothing was exported")),
            None => Err(
                usage("notes leave in clear only when somebody says so, and nobody can be asked here")
                    .hint("--yes goes on without asking; nothing was exported"),
            ),
        }
    };
    let exported = crate::app::export_notes(context, &query, &confirm)?;
    if seen.json {
        seen.json(&json!({
            "out": args.out.to_string_lossy(),
            "notes": exported.notes,
            "attachments": exported.attachments,
            "pictures": pictures_json(&exported.pictures),
            "revisions_left": exported.revisions,
            "encrypted": matches!(args.to, ToArg::Age),
            "sha256": exported.sha256.to_string(),
            "entry": exported.entry.to_string(),
        }))?;
        return Ok(0);
    }
    seen.remark(&format!(
        "exported to {}: {} and {}",
        out::one_line(&args.out.to_string_lossy()),
        of(exported.notes, "note", "notes"),
        of(exported.attachments, "attachment", "attachments"),
    ));
    tell_pictures(seen, &exported.pictures);
    if exported.revisions > 0 {
        let left = of(exported.revisions, "earlier revision", "earlier revisions");
        seen.remark(&format!("  {left} stayed here"));
    }
    seen.remark(&format!(
        "  sha256 of its manifest {}, entry {}",
        exported.sha256, exported.entry
    ));
    seen.remark(match args.to {
        ToArg::Age => "  whoever has one of the keys reads it, for as long as it exists",
        ToArg::Folder => "  it is in clear: whoever gets at it reads it",
    });
    Ok(0)
}

fn pack(context: &Context<'_>, seen: &Seen<'_>, args: &PackArgs) -> Result<u8, Error> {
    let query = PackQuery {
        which: Which {
            ids: args.ids.clone(),
            client: args.client.clone(),
            case: args.case.clone(),
            naming: None,
            with_linked: args.with_linked,
            all: false,
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
            "pictures": pictures_json(&pack.pictures),
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
    tell_pictures(seen, &pack.pictures);
    if pack.closed > 0 {
        let reads = unopened(pack.closed);
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
            "pictures": pictures_json(&told.pictures),
            "left_out": told.left_out,
            "disclosures": told.disclosures,
            "unopened": told.unopened,
            "closed": told.closed,
            "doubtful": told.doubtful,
            "sha256": told.sha256.to_string(),
            "entry": told.entry.to_string(),
        }))?;
        return Ok(0);
    }
    seen.remark(&format!(
        "told in {}: {} and {}, as far as you may read; something of them was given to others {}{}",
        out::one_line(&args.out.to_string_lossy()),
        of(told.notes, "note", "notes"),
        of(told.attachments, "attachment", "attachments"),
        if told.unopened > 0 { "at least " } else { "" },
        of(told.disclosures, "time", "times"),
    ));
    if told.unopened > 0 {
        let entries = of(told.unopened as usize, "entry", "entries");
        seen.remark(&format!(
            "  {entries} in the log did not open for you, and may have given more: an auditor has to say; the answer says so"
        ));
    }
    tell_pictures(seen, &told.pictures);
    if told.left_out > 0 {
        let left = of(told.left_out, "attachment was", "attachments were");
        seen.remark(&format!("  {left} left out: nobody can redact them here"));
    }
    if told.closed > 0 {
        let reads = unopened(told.closed);
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

/// Says which pictures went out with what their cameras wrote: they are as they were attached, whose digest the log has.
fn tell_pictures(seen: &Seen<'_>, pictures: &[PictureOut]) {
    if pictures.is_empty() {
        return;
    }
    seen.remark("  pictures are in it as they were attached, with what their cameras wrote (`extract --clean` makes a copy without):");
    for out in pictures {
        let words = out.picture.in_words().unwrap_or_default();
        seen.remark(&format!("    {} tells {words}", out::one_line(&out.path)));
    }
}

fn pictures_json(pictures: &[PictureOut]) -> Value {
    pictures
        .iter()
        .map(|out| json!({ "file": out.path, "tells": out.picture.tells, "whole": out.picture.whole }))
        .collect()
}

/// What did not open of the log.
fn unopened(closed: u64) -> String {
    of(closed as usize, "read, draft or release", "reads, drafts and releases")
}

fn of(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}
