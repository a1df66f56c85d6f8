//! The arguments of what is asked of the log.

use super::*;

#[derive(Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Check that the log is complete and untouched; needs no key and writes nothing
    #[command(
        after_help = "Examples:\n  strongroom audit verify\n  strongroom audit verify --since-receipt january.txt --json\n  strongroom audit verify --witness-key inspectorate.pub\n  strongroom audit verify --against /media/stick/vault\n\nExit code 0 intact, 4 tampering found, 5 cannot tell. Without a receipt, and on a machine that never used the vault, the verdict says `unanchored`: a vault replaced as a whole looks intact."
    )]
    Verify {
        /// Compare with an earlier receipt
        #[arg(long, value_name = "FILE")]
        since_receipt: Option<PathBuf>,
        /// Believe this witness's cosignatures: a file with its public key line; may be given several times
        #[arg(long, value_name = "FILE")]
        witness_key: Vec<PathBuf>,
        /// Compare with another clone of the vault: a folder on this machine
        #[arg(long, value_name = "CLONE")]
        against: Option<PathBuf>,
        /// Also check every commit and signature
        #[arg(long)]
        deep: bool,
    },
    /// Write down where the logs stand now, to compare with later; needs no key
    #[command(after_help = "Example:\n  strongroom audit receipt --out january.txt")]
    Receipt {
        /// Write it to a new file rather than to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// The entries of all logs, oldest first; reading them is an entry too
    #[command(
        after_help = "Examples:\n  strongroom audit log --since 7d --result denied\n  strongroom audit log --actor mara --action 'brief release'\n  strongroom audit log --note 3f2a --json\n  strongroom audit log --since 2026-10-01 --csv > october.csv\n\nWho may not oversee the log sees their own entries. Details (what, which notes, why) open for you and for whoever holds the auditors' key: auditors, and the founder. Of the rest you see what stands in clear. Times are the devices' word; a log's own order is never broken.\n\nIn CSV a cell that a spreadsheet would take for a formula (= + - @ at its beginning) begins with an apostrophe."
    )]
    Log(LogArgs),
    /// Who saw anything of a client, saw a note, or what somebody saw; opens no note
    #[command(
        after_help = "Examples:\n  strongroom audit who --client Halcyon\n  strongroom audit who --note 3f2a --since 2026-10-01\n  strongroom audit who --actor idris --since 30d --csv > idris.csv\n\nWhat was read, listed, searched, briefed (and to whom) and extracted, and what was denied: from the log alone. A note that was ever a client's counts as theirs, with its drafts and briefs; lists and searches count if they showed one of these. It is for those who oversee the log, and an entry."
    )]
    Who(WhoArgs),
    /// Write a report for a person to sign: one HTML file, to read, print and check offline
    #[command(
        after_help = "Examples:\n  strongroom audit report --out november.html --since 2026-11-01 --until 2026-12-01\n  strongroom audit report --out visit.html --since-receipt january.txt --hours 06-22\n\nThe verdict and what it was compared with, accesses over time and by person and client, denials, accesses after hours and in bulk, reasons that say nothing, what left the vault and to whom, and under each figure the entries it came from. The file has no script and loads nothing. It says in clear what is sealed in the log: keep it accordingly. It is for those who oversee the log; reading the log for it is an entry, and that it was given out is another, with its SHA-256.\n\nExit code as of `audit verify`: 0 intact, 4 tampering found, 5 cannot tell; the report says so too."
    )]
    Report(ReportArgs),
    /// Check that a report is as it was made and agrees with the vault; needs no key and writes nothing
    #[command(
        after_help = "Examples:\n  strongroom audit check-report november.html --vault clone\n\nAll that it shows is computed anew from what it says it was made of, and that is compared with the logs: sizes, roots, and of every entry who, by handle, when and how it ended. What is sealed, and which receipt and witnesses the log was held against when the report was made, is its maker's word. Exit code 0 it holds, 4 it or the vault was changed, 5 cannot tell, such as without a copy of its vault: anybody can make one up."
    )]
    CheckReport {
        /// The report
        file: PathBuf,
    },
    /// Write a proof that an entry stands in its log, for somebody who has no vault
    #[command(
        after_help = "Examples:\n  strongroom audit prove 0102030405060708-090a0b0c:17 --out entry.tlog-proof\n  strongroom audit prove 0102030405060708-090a0b0c:17 --receipt january.txt --out entry.tlog-proof\n\nThe file (c2sp.org/tlog-proof) brings the entry's line: who, when, the kind of a change, and what is sealed in it. With a receipt the proof leads to what the receipt's holder knows already."
    )]
    Prove(ProveArgs),
    /// Check a proof file; needs neither a key of yours nor a vault
    #[command(
        after_help = "Examples:\n  strongroom audit check-proof entry.tlog-proof --receipt january.txt\n  strongroom audit check-proof entry.tlog-proof --log-key log.pub --witness-key inspectorate.pub\n\nWhat it trusts has to come from elsewhere than the proof: a receipt that you took, or the log's key. Exit code 0 it holds, 4 it does not, 5 cannot tell whose log it is."
    )]
    CheckProof(CheckProofArgs),
    /// Be a witness from outside: write down, again and again, how far the logs had come
    #[command(subcommand, arg_required_else_help = true)]
    Witness(WitnessCommand),
}

/// From when to when.
#[derive(ClapArgs)]
pub(in crate::cli) struct PeriodArgs {
    /// Only at or after this time: 2026-11-21, today, yesterday, 12h, 7d, 2w
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) since: Option<String>,
    /// Only before this time
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<String>,
}

/// How an entry ended.
#[derive(Clone, Copy, ValueEnum)]
pub(in crate::cli) enum ResultArg {
    // No docstrings here, for the same reason as for the formats.
    Done,
    Denied,
    Failed,
}

#[derive(ClapArgs)]
pub(in crate::cli) struct LogArgs {
    #[command(flatten)]
    pub(in crate::cli) period: PeriodArgs,
    /// Only what this member did
    #[arg(long, value_name = "HANDLE")]
    pub(in crate::cli) actor: Option<String>,
    /// Only this action: show, list, 'brief release'; brief means all that begin so
    #[arg(long, value_name = "VERB")]
    pub(in crate::cli) action: Option<String>,
    /// Only what ended so
    #[arg(long, value_name = "RESULT")]
    pub(in crate::cli) result: Option<ResultArg>,
    /// Only what concerned this note: its id, or the beginning of it
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) note: Option<String>,
    /// Only what was done for this purpose (--purpose says what you read the log for)
    #[arg(long, value_name = "CODE")]
    pub(in crate::cli) for_purpose: Option<String>,
    /// Only the newest so many
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(in crate::cli) limit: Option<usize>,
    /// Write CSV for a spreadsheet
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) csv: bool,
}

#[derive(ClapArgs)]
#[command(group = clap::ArgGroup::new("asked").required(true).multiple(true))]
pub(in crate::cli) struct WhoArgs {
    /// Who saw anything of this client; `-` asks for the name
    #[arg(long, group = "asked")]
    pub(in crate::cli) client: Option<String>,
    /// Who saw this note: its id, or the beginning of it
    #[arg(long, value_name = "ID", group = "asked")]
    pub(in crate::cli) note: Option<String>,
    /// What this member saw
    #[arg(long, value_name = "HANDLE", group = "asked")]
    pub(in crate::cli) actor: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) period: PeriodArgs,
    /// Write CSV for a spreadsheet
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) csv: bool,
}

#[derive(ClapArgs)]
pub(in crate::cli) struct ReportArgs {
    /// The new file
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) period: PeriodArgs,
    /// Working hours, UTC: what lies outside them is listed
    #[arg(long, value_name = "FROM-BEFORE", default_value = "07-19")]
    pub(in crate::cli) hours: String,
    /// Compare with an earlier receipt
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) since_receipt: Option<PathBuf>,
    /// Believe this witness's cosignatures: a file with its public key line; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) witness_key: Vec<PathBuf>,
}

#[derive(ClapArgs)]
pub(in crate::cli) struct ProveArgs {
    /// The entry, LOG:NUMBER
    #[arg(value_name = "LOG:NUMBER")]
    pub(in crate::cli) entry: String,
    /// Lead to the checkpoint of this receipt rather than to the newest
    #[arg(long, value_name = "FILE", conflicts_with = "witness")]
    pub(in crate::cli) receipt: Option<PathBuf>,
    /// Lead to what this witness cosigned last, and bring its cosignature
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) witness: Option<String>,
    /// Write it to a new file rather than to standard output
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub(in crate::cli) struct CheckProofArgs {
    /// The proof
    pub(in crate::cli) file: PathBuf,
    /// The entry's line, if you have it from elsewhere or the proof does not bring it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) entry: Option<PathBuf>,
    /// A receipt that holds the checkpoint
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) receipt: Option<PathBuf>,
    /// The log's key: a file with its line, as `prove` shows it to whoever has the vault
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) log_key: Option<PathBuf>,
    /// This witness must have cosigned it: a file with its public key line; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) witness_key: Vec<PathBuf>,
}

#[derive(Subcommand)]
pub(in crate::cli) enum WitnessCommand {
    /// Make a witness's key; prints the public half, for whoever is to believe it
    #[command(
        after_help = "Example:\n  strongroom audit witness init --name inspectorate > inspectorate.pub\n\nThe key is in no vault and opens nothing. The file is not encrypted: keep it on a machine of the witness's own."
    )]
    Init {
        /// What the witness is called: a–z 0–9 . _ -
        #[arg(long)]
        name: String,
        /// The key's file [default: `witness` in the XDG configuration directory]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Verify the vault and cosign its logs, unless one went back or was rewritten since the last time
    #[command(
        after_help = "Examples:\n  strongroom audit witness sign --vault clone\n  strongroom audit witness sign --vault clone --out cosigned.txt\n\nThe cosignatures go to the branch witness/NAME; push it with git. Without the right to write there, write them to a file, and somebody who has it runs `strongroom audit witness add FILE`."
    )]
    Sign {
        /// The key's file [default: `witness` in the XDG configuration directory]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// What this witness remembers of the vault [default: in the XDG state directory]
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
        /// Write the cosigned checkpoints to a new file rather than into the vault
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Put into the vault what a witness wrote to a file
    #[command(after_help = "Example:\n  strongroom audit witness add cosigned.txt")]
    Add {
        /// The file
        file: PathBuf,
    },
}
