//! The arguments.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER: &str = "\
Begin with:
  strongroom tour                         the whole story on a throw-away vault
  strongroom init --name mara             a vault of your own
  strongroom add                          a note, typed at a prompt
  strongroom list                         what there is
  strongroom show 3f2a --purpose duty --why 'gate call-out'

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied or no such note that you may read,
4 tampering found, 5 cannot tell, 6 locked or wrong passphrase.";

/// A vault for confidential notes with an audit trail.
#[derive(Parser)]
#[command(name = "strongroom", version, about, long_about = None, after_help = AFTER, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(ClapArgs)]
pub(super) struct Common {
    /// The vault's folder [default: in the XDG data directory]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "STRONGROOM_VAULT",
        hide_env_values = true,
        help_heading = "Everywhere"
    )]
    pub(super) vault: Option<PathBuf>,
    /// This device's identity file [default: in the XDG configuration directory]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "STRONGROOM_IDENTITY",
        hide_env_values = true,
        help_heading = "Everywhere"
    )]
    pub(super) identity: Option<PathBuf>,
    /// Why you need this; goes sealed into the log
    #[arg(long, global = true, value_name = "TEXT", help_heading = "Everywhere")]
    pub(super) why: Option<String>,
    /// The purpose's code, such as duty, handover, investigation
    #[arg(long, global = true, value_name = "CODE", help_heading = "Everywhere")]
    pub(super) purpose: Option<String>,
    /// Write JSON for other programs
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) json: bool,
    /// Never ask; fail where an answer is needed
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) no_input: bool,
    /// Say only what was asked for
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub(super) quiet: bool,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// The whole story on a throw-away vault: record, read, deny, brief, audit, tamper, catch
    Tour,
    /// Make a vault and your identity on this device
    #[command(
        after_help = "Example:\n  strongroom init --name mara --recovery-key recovery.txt\n\nThe passphrase is asked for, or comes from STRONGROOM_PASSPHRASE_FILE or\nSTRONGROOM_PASSPHRASE_COMMAND; never from an argument. Nothing that exists is overwritten."
    )]
    Init(InitArgs),
    /// Keep the vault unlocked for a while, so that commands need no passphrase
    #[command(
        after_help = "Examples:\n  strongroom unlock\n  strongroom unlock --for 1h\n\nAn agent of your own holds the keys in memory and carries out your commands; it hands out no key,\nand every access is in the log as ever. It ends when nothing was asked of it for that long, with\n`strongroom lock`, and with the machine."
    )]
    Unlock {
        /// How long without use: 90s, 15m, 8h
        #[arg(long = "for", value_name = "TIME", default_value = "15m")]
        idle: String,
    },
    /// Forget the keys that `unlock` kept
    Lock,
    /// Where vault and identity are, and whether they are unlocked
    Status,
    /// Change the passphrase of this device's identity
    #[command(
        after_help = "The present passphrase is asked for first. The keys stay as they are: who knows the old\npassphrase and has a copy of the old identity file can still open that copy."
    )]
    Passphrase {
        /// Take a weak passphrase all the same
        #[arg(long)]
        insist: bool,
    },
    /// What `unlock` starts
    #[command(hide = true)]
    Agent {
        #[arg(long, value_name = "N")]
        for_seconds: u64,
    },
    /// Record a note; prints its id
    #[command(
        after_help = "Examples:\n  strongroom add                                   asks for the text\n  strongroom add --client Halcyon --file patrol.txt\n  journalctl -n 20 | strongroom add --title 'gate controller log' --file -\n  strongroom add --label confidential/Halcyon --at 2026-11-21T06:40:00Z -\n\nA shell remembers what is typed as an argument: for anything sensitive leave TEXT out, or\nwrite - and be asked. Without --label the strictest level of your clearance is taken."
    )]
    Add(AddArgs),
    /// Show a note; the access is in the log first
    #[command(
        after_help = "Examples:\n  strongroom show 3f2a9c\n  strongroom show 3f2a9c --purpose handover --why 'night shift takes over'\n\nThe id may be shortened to any beginning of four characters or more that is unique among\nthe notes you may read. From the level restricted upwards a purpose and a reason are needed."
    )]
    Show {
        /// Its id, or the beginning of it
        id: String,
    },
    /// List the notes that you may read, newest first
    #[command(
        after_help = "Examples:\n  strongroom list --client Halcyon --since 2026-11-01T00:00:00Z\n  strongroom list --json --limit 20"
    )]
    List(ListArgs),
    /// Make a text that is safe to share
    #[command(subcommand, arg_required_else_help = true)]
    Brief(BriefCommand),
    /// Redact any text; needs no vault
    #[command(
        after_help = "Examples:\n  strongroom redact report.txt\n  strongroom redact --profile strict < mail.txt\n  strongroom redact --jsonl < texts.jsonl        lines {\"id\",\"text\"} in, {\"id\",\"spans\",\"text\"} out"
    )]
    Redact {
        /// The file; `-` or nothing for standard input
        file: Option<PathBuf>,
        /// `no-names`, `strict`, or the path of a profile file
        #[arg(long, default_value = "no-names")]
        profile: String,
        /// One JSON object a line
        #[arg(long)]
        jsonl: bool,
    },
    /// Check the log, take receipts, read your entries
    #[command(subcommand, arg_required_else_help = true)]
    Audit(AuditCommand),
    /// Compartments: clients, cases, or anything else one may need to know
    #[command(subcommand, arg_required_else_help = true)]
    Compartment(CompartmentCommand),
    /// The rules
    #[command(subcommand, arg_required_else_help = true)]
    Policy(PolicyCommand),
    /// The way back in
    #[command(subcommand, arg_required_else_help = true)]
    Recovery(RecoveryCommand),
}

impl Command {
    /// Whether it works with what this device's identity opens; an agent that holds it carries such a command out.
    pub(super) fn needs_the_identity(&self) -> bool {
        !matches!(
            self,
            Self::Tour
                | Self::Redact { .. }
                | Self::Init(_)
                | Self::Unlock { .. }
                | Self::Lock
                | Self::Status
                | Self::Passphrase { .. }
                | Self::Agent { .. }
                | Self::Audit(
                    AuditCommand::Verify { .. }
                        | AuditCommand::Receipt { .. }
                        | AuditCommand::Prove(_)
                        | AuditCommand::CheckProof(_)
                        | AuditCommand::Witness(_)
                )
                | Self::Policy(PolicyCommand::Test { .. })
                | Self::Recovery(_)
        )
    }
}

#[derive(ClapArgs)]
pub(super) struct InitArgs {
    /// Your name; your handle is made of it
    #[arg(long, value_name = "NAME")]
    pub(super) name: String,
    /// Write a printable recovery key to a new file
    #[arg(long, value_name = "FILE")]
    pub(super) recovery_key: Option<PathBuf>,
    /// Take a weak passphrase all the same
    #[arg(long)]
    pub(super) insist: bool,
}

#[derive(ClapArgs)]
pub(super) struct AddArgs {
    /// The text; `-` asks for it
    pub(super) text: Option<String>,
    /// Read the text from a file, `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(super) file: Option<PathBuf>,
    /// Title [default: the first line]
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Client it concerns
    #[arg(long)]
    pub(super) client: Option<String>,
    /// Case it belongs to
    #[arg(long)]
    pub(super) case: Option<String>,
    /// LEVEL[/COMPARTMENT…], such as confidential/Halcyon, or named/@HANDLE
    #[arg(long)]
    pub(super) label: Option<String>,
    /// When it happened, if not now: 2026-11-21T06:40:00Z
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// A field of your own, such as plate=LX68QZV
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(super) fields: Vec<String>,
}

#[derive(ClapArgs)]
pub(super) struct ListArgs {
    /// Only this client
    #[arg(long)]
    pub(super) client: Option<String>,
    /// Only this case
    #[arg(long)]
    pub(super) case: Option<String>,
    /// Only this label
    #[arg(long)]
    pub(super) label: Option<String>,
    /// Only changed at or after this time
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Only changed before this time
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
}

#[derive(Subcommand)]
pub(super) enum BriefCommand {
    /// Draft a brief from notes; the draft stays in the vault
    #[command(
        after_help = "Example:\n  strongroom brief draft 3f2a 91bc --for internal --purpose handover --why 'day shift'\n\nPortions marked above the audience, such as (R), are left out whole. What is doubtful is\nlisted and has to be masked (--mask) or allowed (--allow, with --why) before release."
    )]
    Draft {
        /// Ids of the notes, in order
        #[arg(required = true)]
        ids: Vec<String>,
        /// `no-names`, `strict`, or another profile of the vault
        #[arg(long, default_value = "no-names")]
        profile: String,
        /// The level of the audience [default: the profile's]
        #[arg(long = "for", value_name = "LEVEL")]
        audience: Option<String>,
        /// Mask this as well
        #[arg(long, value_name = "TEXT")]
        mask: Vec<String>,
        /// Let this doubtful word pass
        #[arg(long, value_name = "WORD")]
        allow: Vec<String>,
    },
    /// Release a draft: to whom, why and which text go into the log, then it is written
    #[command(
        after_help = "Example:\n  strongroom brief release 77d0 --to 'day shift' --why 'handover' --purpose handover --out brief.md"
    )]
    Release {
        /// The draft's id
        draft: String,
        /// Who gets it; may be given several times
        #[arg(long, required = true, value_name = "NAME")]
        to: Vec<String>,
        /// Write it to a new file rather than to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// How it is written
        #[arg(long, value_enum, default_value = "md")]
        format: FormatArg,
        /// Until when it may be used
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Check any text, such as a mail about to be sent, against what the vault knows
    #[command(
        after_help = "Example:\n  strongroom brief check mail.txt --purpose duty --why 'mail to the venue'\n\nExit code 3 when it is not safe."
    )]
    Check {
        /// The file, `-` for standard input
        file: PathBuf,
        /// The profile to check against
        #[arg(long, default_value = "no-names")]
        profile: String,
    },
    /// List drafts and briefs
    #[command(after_help = "Example:\n  strongroom brief list --json")]
    List,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FormatArg {
    // No docstrings here: with them the help of this one command would take three lines an option.
    Md,
    Html,
    Txt,
    Json,
}

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Check that the log is complete and untouched; needs no key and writes nothing
    #[command(
        after_help = "Examples:\n  strongroom audit verify\n  strongroom audit verify --since-receipt january.txt --json\n  strongroom audit verify --witness-key inspectorate.pub\n\nExit code 0 intact, 4 tampering found, 5 cannot tell. Without a receipt, and on a machine that\nnever used the vault, the verdict says `unanchored`: a vault replaced as a whole looks intact."
    )]
    Verify {
        /// Compare with an earlier receipt
        #[arg(long, value_name = "FILE")]
        since_receipt: Option<PathBuf>,
        /// Believe this witness's cosignatures: a file with its public key line; may be given several times
        #[arg(long, value_name = "FILE")]
        witness_key: Vec<PathBuf>,
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
    /// Your own entries; reading them is one too
    #[command(after_help = "Examples:\n  strongroom audit log\n  strongroom audit log --json | tail -n 20")]
    Log,
    /// Write a proof that an entry stands in its log, for somebody who has no vault
    #[command(
        after_help = "Examples:\n  strongroom audit prove 0102030405060708-090a0b0c:17 --out entry.tlog-proof\n  strongroom audit prove 0102030405060708-090a0b0c:17 --receipt january.txt --out entry.tlog-proof\n\nThe file (c2sp.org/tlog-proof) brings the entry's line: who, when, the kind of a change, and what is\nsealed in it. With a receipt the proof leads to what the receipt's holder knows already."
    )]
    Prove(ProveArgs),
    /// Check a proof file; needs neither a key of yours nor a vault
    #[command(
        after_help = "Examples:\n  strongroom audit check-proof entry.tlog-proof --receipt january.txt\n  strongroom audit check-proof entry.tlog-proof --log-key log.pub --witness-key inspectorate.pub\n\nWhat it trusts has to come from elsewhere than the proof: a receipt that you took, or the log's key.\nExit code 0 it holds, 4 it does not, 5 cannot tell whose log it is."
    )]
    CheckProof(CheckProofArgs),
    /// Be a witness from outside: write down, again and again, how far the logs had come
    #[command(subcommand, arg_required_else_help = true)]
    Witness(WitnessCommand),
}

#[derive(ClapArgs)]
pub(super) struct ProveArgs {
    /// The entry, LOG:NUMBER
    #[arg(value_name = "LOG:NUMBER")]
    pub(super) entry: String,
    /// Lead to the checkpoint of this receipt rather than to the newest
    #[arg(long, value_name = "FILE", conflicts_with = "witness")]
    pub(super) receipt: Option<PathBuf>,
    /// Lead to what this witness cosigned last, and bring its cosignature
    #[arg(long, value_name = "NAME")]
    pub(super) witness: Option<String>,
    /// Write it to a new file rather than to standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub(super) struct CheckProofArgs {
    /// The proof
    pub(super) file: PathBuf,
    /// The entry's line, if you have it from elsewhere or the proof does not bring it
    #[arg(long, value_name = "FILE")]
    pub(super) entry: Option<PathBuf>,
    /// A receipt that holds the checkpoint
    #[arg(long, value_name = "FILE")]
    pub(super) receipt: Option<PathBuf>,
    /// The log's key: a file with its line, as `prove` shows it to whoever has the vault
    #[arg(long, value_name = "FILE")]
    pub(super) log_key: Option<PathBuf>,
    /// This witness must have cosigned it: a file with its public key line; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(super) witness_key: Vec<PathBuf>,
}

#[derive(Subcommand)]
pub(super) enum WitnessCommand {
    /// Make a witness's key; prints the public half, for whoever is to believe it
    #[command(
        after_help = "Example:\n  strongroom audit witness init --name inspectorate > inspectorate.pub\n\nThe key is in no vault and opens nothing. The file is not encrypted: keep it on a machine of the\nwitness's own."
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
        after_help = "Examples:\n  strongroom audit witness sign --vault clone\n  strongroom audit witness sign --vault clone --out cosigned.txt\n\nThe cosignatures go to the branch witness/NAME; push it with git. Without the right to write there,\nwrite them to a file, and somebody who has it runs `strongroom audit witness add FILE`."
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

#[derive(Subcommand)]
pub(super) enum CompartmentCommand {
    /// Make one; its name is sealed
    #[command(
        after_help = "Example:\n  strongroom compartment new Halcyon\n  strongroom add --label restricted/Halcyon --file patrol.txt"
    )]
    New {
        /// Its name, as it stands in labels
        name: String,
    },
    /// List those that you hold
    #[command(after_help = "Example:\n  strongroom compartment list")]
    List,
}

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Run the cases that the policies bring with them
    #[command(after_help = "Examples:\n  strongroom policy test\n  strongroom policy test --shipped")]
    Test {
        /// Those that this program ships, rather than the vault's
        #[arg(long)]
        shipped: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum RecoveryCommand {
    /// Come back in with a printed recovery key: makes a new identity on this device
    #[command(
        after_help = "Examples:\n  strongroom recovery use recovery.txt\n  strongroom recovery use recovery.txt --vault copy-of-the-vault"
    )]
    Use {
        /// The file with the key
        file: PathBuf,
        /// Take a weak passphrase all the same
        #[arg(long)]
        insist: bool,
    },
}
