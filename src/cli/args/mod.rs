//! The arguments.

mod audit;

pub(super) use audit::{
    AuditCommand, CheckProofArgs, LogArgs, ProveArgs, ReportArgs, ResultArg, WhoArgs, WitnessCommand,
};

use super::breakglass::BreakglassCommand;
use super::concerns::ConcernCommand;
use super::conflicts::ConflictCommand;
use super::export::ExportCommand;
use super::holds::HoldCommand;
use super::recovery::RecoveryCommand;
use crate::app::ORIGIN;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER: &str = "\
Begin with:
  strongroom tour                         the whole story on a throw-away vault
  strongroom init --name mara             a vault of your own
  strongroom add                          a note, typed at a prompt
  strongroom list                         what there is
  strongroom show 3f2a --purpose duty --why 'gate call-out'
  strongroom help add                     what a command does, with examples

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied or no such note that you may read, \
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
    #[arg(short, long, global = true, value_name = "TEXT", help_heading = "Everywhere")]
    pub(super) why: Option<String>,
    /// The purpose's code, such as duty, handover, investigation
    #[arg(short, long, global = true, value_name = "CODE", help_heading = "Everywhere")]
    pub(super) purpose: Option<String>,
    /// Write JSON for other programs
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) json: bool,
    /// Never ask; fail where an answer is needed
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) no_input: bool,
    /// Do not ask before something is destroyed or put in force
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) yes: bool,
    /// Say only what was asked for
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub(super) quiet: bool,
    /// Say all of what is told in short otherwise
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub(super) verbose: bool,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// The whole story on a throw-away vault: record, read, deny, brief, audit, tamper, catch
    Tour,
    /// Make a vault and your identity on this device
    #[command(
        after_help = "Example:\n  strongroom init --name mara --recovery-key recovery.txt\n\nThe passphrase is asked for, or comes from STRONGROOM_PASSPHRASE_FILE or STRONGROOM_PASSPHRASE_COMMAND; never from an argument. Nothing that exists is overwritten."
    )]
    Init(InitArgs),
    /// Keep the vault unlocked for a while, so that commands need no passphrase
    #[command(
        after_help = "Examples:\n  strongroom unlock\n  strongroom unlock --for 1h\n\nAn agent of your own holds the keys in memory and carries out your commands; it hands out no key, and every access is in the log as ever. It ends when nothing was asked of it for that long, with `strongroom lock`, and with the machine."
    )]
    Unlock {
        /// How long without use: 90s, 15m, 8h [default: 15m]
        #[arg(long = "for", value_name = "TIME")]
        idle: Option<String>,
    },
    /// Forget the keys that `unlock` kept
    Lock,
    /// Where vault and identity are, and whether they are unlocked
    Status,
    /// Change the passphrase of this device's identity
    #[command(
        after_help = "The present passphrase is asked for first. The keys stay as they are: who knows the old passphrase and has a copy of the old identity file can still open that copy."
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
    /// What `show --copy` leaves behind
    #[command(hide = true)]
    ClearClipboard {
        #[arg(long, value_name = "N")]
        for_seconds: u64,
    },
    /// Record a note; prints its id
    #[command(
        visible_alias = "a",
        after_help = "Examples:\n  strongroom add                                   asks for the text\n  strongroom add --client Halcyon --file patrol.txt\n  journalctl -n 20 | strongroom add --title 'gate controller log' --file -\n  strongroom add --label confidential/Halcyon --at 2026-11-21T06:40:00Z -\n  strongroom add --template incident --field place='North gate' --field kind=theft\n\nA template asks for what has to be there; `strongroom policy list` names them. A shell remembers what is typed as an argument: for anything sensitive leave TEXT out. On a terminal your editor then opens, if VISUAL or EDITOR names one, and otherwise you are asked; with - you are asked in any case. Without --label the strictest level of your clearance is taken.\n\nWhile you write, the text lies in memory, and vim, neovim, nano and emacs are kept from leaving copies. If the editor fails, what you wrote is kept, sealed, and the next `add` offers it."
    )]
    Add(AddArgs),
    /// Show a note; the access is in the log first
    #[command(
        visible_alias = "s",
        after_help = "Examples:\n  strongroom show 3f2a9c\n  strongroom show 'gate kestrel'\n  strongroom show 3f2a9c --purpose handover --why 'night shift takes over'\n  strongroom show 3f2a9c --revision 1\n  strongroom show 3f2a9c --wipe\n  strongroom show 3f2a9c --copy --field plate --for 20s\n\nOn a terminal Markdown is shown as it is meant, and lines fit the width; --plain, a pipe and --json give the text as it was written. What is longer than the screen is read page by page (space goes on, q leaves), and nothing of it stays there; --no-pager shows it all.\n\n--copy takes wl-copy, xclip, xsel or pbcopy, and otherwise asks the terminal (OSC 52), over ssh too. The clipboard is cleared after that time, if it still holds what was put in.\n\nThe id may be shortened to any beginning of four characters or more that is unique among the notes you may read. Words of the title or the client's name do as well, where one note alone has them all; looking for it is a list, and in the log; what is made of a–f and digits alone counts as an id. From the level restricted upwards a purpose and a reason are needed."
    )]
    Show(ShowArgs),
    /// Change a note: a new revision, the earlier ones stay
    #[command(
        visible_alias = "e",
        after_help = "Examples:\n  strongroom edit 3f2a                             opens your editor (VISUAL or EDITOR)\n  strongroom edit 3f2a --file corrected.txt\n  sed s/18:00/19:00/ text.txt | strongroom edit 3f2a\n  strongroom edit 3f2a --client Halcyon --field plate=\n\nAn edit opens the note, so it needs what `show` needs, and the reading is an entry of its own. Where only a title, a client, a case, a time or fields are given, the text stays as it is. An empty value takes away what is there. If the note is revised elsewhere while you write, both revisions stay, side by side, and the next edit follows both.\n\nIf the editor fails, what you wrote is kept, sealed, and the next `edit` of the note offers it."
    )]
    Edit(EditArgs),
    /// List the revisions of a note, or show what changed between them
    #[command(
        after_help = "Examples:\n  strongroom history 3f2a\n  strongroom history 3f2a --diff                   what the newest revision changed\n  strongroom history 3f2a --diff 1..3\n\nA revision is named by its number or the beginning of its digest."
    )]
    History {
        /// Its id, the beginning of it, or words of its title
        id: String,
        /// What this revision changed, or A..B: what lies between two [default: the newest]
        #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "")]
        diff: Option<String>,
    },
    /// Attach a file of any size to a note
    #[command(
        after_help = "Examples:\n  strongroom attach 3f2a9c visitors.pdf\n  strongroom attach 3f2a9c /mnt/card/MOV_0412.mp4 --name 'gate camera.mp4'\n  tar cz scans | strongroom attach 3f2a9c - --name scans.tgz\n\nThe file is copied and sealed to the note's label, its name too; what is outside the vault stays as it is, so remove it yourself. Of one name there is one attachment beside a note."
    )]
    Attach(AttachArgs),
    /// Take an attachment out into a new file; the access is in the log first
    #[command(
        after_help = "Examples:\n  strongroom extract 3f2a9c visitors.pdf --purpose duty --why 'gate list'\n  strongroom extract 3f2a9c scans.tgz --out - --purpose duty --why 'gate list' | tar tz\n  strongroom extract 3f2a9c lane.jpg --clean --purpose duty --why 'for the neighbours'\n\nWithout --out it goes into the folder you are in, under its own name. A file appears under its name once all of it is verified, and nothing is overwritten. With `--out -` pieces are written as they are verified: judge by the exit code whether they were all.\n\nTwo clones can have attached one of the same name each, and somebody with another program can put one there. Then nothing is taken: who put each there is told with its digest, of which at least eight digits stand in the place of NAME.\n\nWith --clean the picture itself stays as it is, bit for bit. One that its camera marked as turned may lie on its side. What is in the picture is yours to look at. The attachment stays as it was."
    )]
    Extract(ExtractArgs),
    /// List the notes that you may read, newest first
    #[command(
        visible_aliases = ["ls", "l"],
        after_help = "Examples:\n  strongroom list --client Halcyon --since 2w\n  strongroom list --since yesterday --until today --sort client\n  strongroom list --json --limit 20\n\nNames and labels are compared as a whole, whatever their case and accents. A TIME is written 2026-11-21T06:40:00Z; 2026-11-21, today or yesterday for the midnight a day begins with; 12h, 7d or 2w for so long ago."
    )]
    List(ListArgs),
    /// Find, read and edit notes on a screen; what is opened is in the log first
    #[command(
        after_help = "Examples:\n  strongroom browse\n  strongroom browse --client Halcyon --since 2w\n  strongroom browse --lock-after 1m --purpose duty --why 'night shift'\n\nType to find: all words, anywhere in title, client, label or id. Enter reads, Ctrl-F filters by client, label or time, Ctrl-E edits, Ctrl-B drafts a brief, Ctrl-R shows the history, Ctrl-D what is due, F1 all keys. Where a purpose and a reason are due, they are asked for once and serve until it locks; Ctrl-P has them asked for again. The list is an entry in the log, and so is each note opened.\n\nIt locks when nothing was typed for a while, or with Ctrl-L: the screen is wiped, and the passphrase is needed to go on. Nothing stays on the screen, or above it."
    )]
    Browse(BrowseArgs),
    /// Give a note another label; all of it is sealed anew, nothing is shown
    #[command(
        after_help = "Examples:\n  strongroom relabel 3f2a9c restricted/Halcyon\n  strongroom relabel 3f2a9c internal --purpose client-request --why 'published by the client'\n\nWhat was sealed to the old label is forgotten. To let more people read it a purpose and a reason are needed. Drafts and briefs that were made from it stay as they are, and are named."
    )]
    Relabel {
        /// Its id, or the beginning of it
        id: String,
        /// LEVEL[/COMPARTMENT…], `named` for yourself alone, or named/@HANDLE
        label: String,
    },
    /// Decide to keep a note, and why; its retention counts anew
    #[command(
        after_help = "Examples:\n  strongroom keep 3f2a9c --because 'the claim is not settled'\n  strongroom keep 3f2a9c --because 'validated: still accurate' --until 1y\n  strongroom keep 3f2a9c --because 'contract ends then' --until 2027-06-30\n\nHow long a note is kept stands in the policies (`strongroom policy show retention/classes.toml`). The decision is a revision of its own, of which only the field kept-until is new, and an entry. Nothing of the note is shown, and its text stays. Without --until it is kept until its next review."
    )]
    Keep(super::retention::KeepArgs),
    /// Close a note: what its template asks for is looked at first
    #[command(
        after_help = "Examples:\n  strongroom close 3f2a9c\n  strongroom close 3f2a9c --field outcome='lamp replaced' --field told='the client'\n\nWhat is missing is told, all of it, and the note stays open; at a terminal fields that are still empty are asked for first. What was closed takes addenda alone (`strongroom edit ID`), and its clocks stop, but for those that are meant to run on."
    )]
    Close {
        /// Its id, the beginning of it, or at a terminal words of its title
        id: String,
        /// Answer a field of its template
        #[arg(long = "field", value_name = "NAME=VALUE")]
        fields: Vec<String>,
    },
    /// What is due: clocks, retention, holds, requests that wait for you, policies, broken glass
    #[command(
        after_help = "Examples:\n  strongroom due\n  strongroom due --until 2026-12-01 --client Halcyon\n\nThe most urgent comes first. It is made of what you may read, and is an entry in the log like a list. Which clocks run is said in the templates (`strongroom policy show templates/incident.toml`). What retention will ask for later shows with --until."
    )]
    Due(DueArgs),
    /// Figures of the house: concerns, incidents, actions, broken glass; for leads and auditors
    #[command(
        after_help = "Examples:\n  strongroom metrics --since 2026-01-01\n  strongroom metrics --since 2026-01-01 --until 2026-07-01 --out half-year.html\n\nWhat is counted among notes stands in the policies (`strongroom policy show rubrics/metrics.toml`); only notes that you may read are counted. Groups so small that they would tell of persons are not shown. The page stands by itself, with plots. With --json a figure is {count}, {count, of}, {days, of} or {fewer_than}."
    )]
    Metrics(MetricsArgs),
    /// Destroy a note; the record that it was there stays
    #[command(
        visible_alias = "rm",
        after_help = "Example:\n  strongroom destroy 3f2a9c --purpose erasure --why 'kept for two years'\n\nIt asks first; --yes does not. All of the note is forgotten and leaves this disk before the command is done. Copies elsewhere, such as backups and clones, keep what they have. Drafts and briefs that were made from it stay, and are named.\n\nWhere a second person has to agree, it is scheduled first, and carried out by the same command once every member's device has seen that (it syncs once), or after the grace of the policies; exit code 5 says which devices are waited for. What is under a legal hold is not destroyed."
    )]
    Destroy {
        /// Its id, the beginning of it, or where it asks words of its title
        id: String,
    },
    /// Approve what somebody else asked for, as their second person
    #[command(
        after_help = "Example:\n  strongroom approvals\n  strongroom approve 4f0c2b7a91d3e865-a1b2c3d4:17\n\nDestroying a note and releasing a brief need a second person from some levels upwards. Who tries it alone is refused, and the request is on record. Whoever may read the note looks at what is asked, and approves it: for this note as it is now, these recipients, this person, once. A release may then be made for 72 hours, a note be destroyed as long as its request says. Nobody approves what they asked for themselves. To a terminal it shows what and why, and asks; --yes does not ask."
    )]
    Approve {
        /// The request, as `approvals` names it: LOG:SEQ
        request: String,
    },
    /// List what waits for a second person, or did
    #[command(
        after_help = "Examples:\n  strongroom approvals --json\n  strongroom approvals --withdraw 4f0c2b7a91d3e865-a1b2c3d4:17 --why 'asked by mistake'\n\nWho asked for something by mistake takes it back: nobody can approve it any more, and what was approved counts no more. That is an entry; the request stays on record."
    )]
    Approvals {
        /// Take back this request of your own: LOG:SEQ
        #[arg(long, value_name = "REQUEST")]
        withdraw: Option<String>,
    },
    /// Open in an emergency what your clearance does not cover; review that somebody did
    #[command(subcommand, arg_required_else_help = true)]
    Breakglass(BreakglassCommand),
    /// Stay out of matters in which you are not free
    #[command(subcommand, arg_required_else_help = true)]
    Conflict(ConflictCommand),
    /// Legal holds: what is held is not destroyed
    #[command(subcommand, arg_required_else_help = true)]
    Hold(HoldCommand),
    /// Raise a concern with those who handle them, with your name or without; receive and answer one
    #[command(subcommand, arg_required_else_help = true)]
    Concern(ConcernCommand),
    /// Find notes by the words in them; the search is in the log first
    #[command(
        visible_aliases = ["find", "f"],
        after_help = "Examples:\n  strongroom search                                  asks what for\n  strongroom search gate kestrel --client Halcyon --since 7d\n  strongroom search '\"north gate\" lx68' --purpose duty --why 'gate call-out'\n\nAll words must occur in the note: in its title, text, client, case or fields. A word finds every word that begins with it, whatever its case and accents: gate finds Gates. A phrase in quotation marks (kept from the shell by others around them) finds its words whole and in a row. Earlier revisions, drafts, briefs and attachments are not searched.\n\nFrom the level restricted upwards a purpose and a reason are needed; without them such notes are left out. What you search for goes sealed into the log. A shell remembers what is typed as an argument: leave QUERY out, or write -, and be asked. With --json, matches is how often the words and phrases occur in the note, taken together. Times are written as for list."
    )]
    Search(SearchArgs),
    /// Make a text that is safe to share
    #[command(subcommand, arg_required_else_help = true)]
    Brief(BriefCommand),
    /// Take notes in from pass, passage, a folder of texts or a table
    #[command(after_help = super::importing::AFTER)]
    Import(super::importing::ImportArgs),
    /// Give notes out of the vault: proven, to whom they concern, or encrypted
    #[command(subcommand, arg_required_else_help = true)]
    Export(ExportCommand),
    /// Redact any text; needs no vault
    #[command(
        after_help = "Examples:\n  strongroom redact report.txt\n  strongroom redact --profile strict < mail.txt\n  strongroom redact --jsonl < texts.jsonl        lines {\"id\",\"text\"} in, {\"id\",\"spans\",\"text\"} out\n\nA text has at most 1 MiB. With --jsonl each of them may have that, and there may be any number."
    )]
    Redact {
        /// The file; `-` or nothing for standard input
        file: Option<PathBuf>,
        /// `no-names`, `strict`, `safe-harbor`, `tlp-amber`, `tlp-green`, or the path of a profile file
        #[arg(long, default_value = "no-names")]
        profile: String,
        /// One JSON object a line
        #[arg(long)]
        jsonl: bool,
        /// The day it was written, for profiles that keep the days around it; today if nothing is said
        #[arg(long, value_name = "DATE")]
        written: Option<String>,
    },
    /// Check the log, take receipts, read your entries
    #[command(subcommand, arg_required_else_help = true)]
    Audit(AuditCommand),
    /// Who belongs to the vault: ask, admit, change, list
    #[command(subcommand, arg_required_else_help = true)]
    Member(super::members::MemberCommand),
    /// Compartments: clients, cases, or anything else one may need to know
    #[command(subcommand, arg_required_else_help = true)]
    Compartment(CompartmentCommand),
    /// The rules
    #[command(subcommand, arg_required_else_help = true)]
    Policy(PolicyCommand),
    /// Copy the vault into one new file; needs no key
    #[command(
        after_help = "Example:\n  strongroom backup /media/disk/strongroom.bundle\n\nThe file holds what a clone holds: the log and sealed notes. It does not hold your identity file nor the recovery key: keep those apart from it. What is destroyed later stays in it; replace old backups. Stock git reads the file as a bundle."
    )]
    Backup {
        /// The new file
        file: PathBuf,
    },
    /// Make a vault from a backup, where there is none
    #[command(
        after_help = "Examples:\n  strongroom restore strongroom.bundle --check           verify it, change nothing\n  strongroom restore strongroom.bundle --vault ~/vault\n\nA backup that is older than what this device wrote last is intact and says so. This device goes on from it once `strongroom sync` brought the rest of its log from a remote; without one come in anew with the recovery key."
    )]
    Restore {
        /// The backup
        file: PathBuf,
        /// Verify it in a temporary folder, and change nothing
        #[arg(long)]
        check: bool,
    },
    /// Make a vault as a copy of another repository, and verify it; needs no key
    #[command(
        after_help = "Examples:\n  strongroom clone git@hub.example:north.git\n  strongroom clone /media/stick/north.git --founder 'legal winner thank year ...'\n\nYour own git carries it: ssh, https and paths work as they do there. All of it is verified before it is kept. It shows the founder's fingerprint: compare it over another channel with somebody who has the vault, or give it with --founder, for whoever runs the repository can put another vault there. If it breaks off, run it again."
    )]
    Clone(CloneArgs),
    /// The repositories that the vault is synced with
    #[command(subcommand, arg_required_else_help = true)]
    Remote(RemoteCommand),
    /// Bring this vault and its remotes to the same: fetch, verify, merge, push
    #[command(
        after_help = "Examples:\n  strongroom sync\n  strongroom sync --remote stick\n\nWhat others recorded comes in once it is verified, what was recorded here goes out, and what was destroyed leaves the remote too; its disk forgets it once it prunes (`git gc --prune=now` there). No history is overwritten, here or there. What is wrong there is named and left out, and stops nothing else. Work goes on without a network: what is recorded goes with the next sync.\n\nExit codes: 0 both are the same now, 1 not done, 4 the remote was rolled back, rewritten, forked or damaged, 5 it stands still or something is missing there."
    )]
    Sync {
        /// Only with this one
        #[arg(long, value_name = "NAME")]
        remote: Option<String>,
    },
    /// Guard a bare repository: refuse what no vault's device may push; needs no key
    #[command(after_help = super::guard::AFTER)]
    Guard(super::guard::GuardArgs),
    /// The way back in
    #[command(subcommand, arg_required_else_help = true)]
    Recovery(RecoveryCommand),
    /// Look for what stands in the way, without a key, and mend what can be mended
    #[command(
        after_help = "Examples:\n  strongroom doctor\n  strongroom doctor --mend\n  strongroom doctor --vault /media/disk/clone --json\n\nIt looks, and writes nothing. With --mend it does what loses no evidence and nothing else: it brings git to where the journal stands, makes a journal for a clone, removes what dead programs left half written and the socket of a dead agent, finishes forgetting, packs, and closes to others what is yours. In a vault that was tampered with it touches nothing.\n\nExit codes: 0 nothing is wrong or all of it was mended, 1 something is wrong, 4 tampering found, 5 cannot tell. What is worth a look changes no exit code."
    )]
    Doctor(super::doctor::DoctorArgs),
    /// Print what makes a shell complete commands, levels, members, and ids while unlocked
    #[command(after_help = super::completing::AFTER)]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: super::completing::Shell,
        /// A shorter name for the program as well
        #[arg(long, value_name = "NAME", value_parser = super::completing::short_name)]
        short: Option<String>,
    },
    /// Print this program's manual page, or write those of all commands
    #[command(
        after_help = "Examples:\n  strongroom man | man -l -\n  strongroom man --out ~/.local/share/man/man1\n\nThe folder is made where there is none. No page is overwritten."
    )]
    Man {
        /// Write all pages into this folder: strongroom.1, strongroom-add.1, …
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl Command {
    /// Whether it works with what this device's identity opens; an agent that holds it carries such a command out.
    pub(super) fn needs_the_identity(&self) -> bool {
        if let Self::Concern(ConcernCommand::Write(args)) = self {
            return args.key.is_none();
        }
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
                | Self::ClearClipboard { .. }
                | Self::Audit(
                    AuditCommand::Verify { .. }
                        | AuditCommand::Receipt { .. }
                        | AuditCommand::Prove(_)
                        | AuditCommand::CheckProof(_)
                        | AuditCommand::Witness(_)
                        | AuditCommand::CheckReport { .. }
                )
                | Self::Policy(
                    PolicyCommand::List
                        | PolicyCommand::Show { .. }
                        | PolicyCommand::Check { .. }
                        | PolicyCommand::Test { .. }
                )
                | Self::Member(super::members::MemberCommand::Request { .. })
                | Self::Backup { .. }
                | Self::Restore { .. }
                | Self::Clone(_)
                | Self::Remote(_)
                | Self::Guard(_)
                | Self::Concern(ConcernCommand::Read { .. })
                | Self::Recovery(RecoveryCommand::Use { .. } | RecoveryCommand::Combine { .. })
                | Self::Doctor(_)
                | Self::Completions { .. }
                | Self::Man { .. }
        )
    }
}

#[derive(ClapArgs)]
pub(super) struct CloneArgs {
    /// Where it is: ssh://, https://, HOST:PATH, or a path
    pub(super) url: String,
    /// The folder for it, as --vault names one
    pub(super) dir: Option<PathBuf>,
    /// The founder's eight words, as somebody who has the vault told them
    #[arg(long, value_name = "WORDS")]
    pub(super) founder: Option<String>,
}

#[derive(Subcommand)]
pub(super) enum RemoteCommand {
    /// Name a repository to sync with; it is not reached for yet
    #[command(
        after_help = "Examples:\n  strongroom remote add git@hub.example:north.git\n  strongroom remote add /media/stick/north.git --name stick\n\nThe repository is a bare one of your own (`git init --bare`), empty or with this vault. It needs no key and sees no note: docs/THREATS.md says what it does see. The address stands in the vault's git configuration, so it must not hold a password; git's credential helpers do that."
    )]
    Add {
        /// Where it is: ssh://, https://, HOST:PATH, or a path
        url: String,
        /// What it is called here
        #[arg(long, default_value = ORIGIN)]
        name: String,
    },
    /// List them
    #[command(after_help = "Example:\n  strongroom remote list")]
    List,
    /// Sync with one no longer; it keeps what it has
    #[command(after_help = "Example:\n  strongroom remote remove stick")]
    Remove {
        /// What it is called here
        name: String,
    },
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
    /// The text, in quotation marks or without; `-` asks for it
    #[arg(conflicts_with_all = ["editor", "take_up", "discard"])]
    pub(super) text: Vec<String>,
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
    /// LEVEL[/COMPARTMENT…], such as confidential/Halcyon; `named` for yourself, or named/@HANDLE
    #[arg(long)]
    pub(super) label: Option<String>,
    /// When it happened, if not now: 2026-11-21T06:40:00Z
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// What kind of note: a template of the policies, such as incident or action; it asks for its fields
    #[arg(long, value_name = "TEMPLATE")]
    pub(super) template: Option<String>,
    /// A field, of the template or of your own, such as plate=LX68QZV
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(super) fields: Vec<String>,
    #[command(flatten)]
    pub(super) editor: EditorArgs,
}

#[derive(ClapArgs)]
pub(super) struct ShowArgs {
    /// Its id, the beginning of it, or words of its title
    pub(super) id: String,
    /// An earlier revision, by its number or the beginning of its digest
    #[arg(long, value_name = "N")]
    pub(super) revision: Option<String>,
    /// The text as it was written, on a terminal too
    #[arg(long)]
    pub(super) plain: bool,
    /// All of it at once, however long it is
    #[arg(long)]
    pub(super) no_pager: bool,
    /// Wipe the screen and what scrolled off it, after a key
    #[arg(long)]
    pub(super) wipe: bool,
    /// Put the text into the clipboard, and show nothing
    #[arg(short, long, conflicts_with_all = ["plain", "no_pager", "wipe"])]
    pub(super) copy: bool,
    /// With --copy: this field of it rather than the text
    #[arg(long, value_name = "NAME")]
    pub(super) field: Option<String>,
    /// How long the clipboard keeps it: 20s, 2m
    #[arg(long = "for", value_name = "TIME", default_value = "45s", requires = "copy")]
    pub(super) copied_for: String,
}

#[derive(ClapArgs)]
pub(super) struct EditArgs {
    /// Its id, the beginning of it, or at a terminal words of its title
    pub(super) id: String,
    /// Take the text from a file, `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Another title; an empty one is made of the first line
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Another client
    #[arg(long)]
    pub(super) client: Option<String>,
    /// Another case
    #[arg(long)]
    pub(super) case: Option<String>,
    /// Another time at which it happened
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// Set a field, or take it away with NAME=
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(super) fields: Vec<String>,
    // Taken to say what does it.
    #[arg(long, hide = true)]
    pub(super) label: Option<String>,
    #[command(flatten)]
    pub(super) editor: EditorArgs,
}

#[derive(ClapArgs)]
pub(super) struct MetricsArgs {
    #[command(flatten)]
    pub(super) period: audit::PeriodArgs,
    /// Write a page to this new file
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub(super) struct DueArgs {
    /// Only this client
    #[arg(long)]
    pub(super) client: Option<String>,
    /// Only this case
    #[arg(long)]
    pub(super) case: Option<String>,
    /// Only what is due by then: 2026-12-01, a time, or 2w for so long from now
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
}

#[derive(ClapArgs)]
pub(super) struct EditorArgs {
    /// Write in your editor in any case
    #[arg(long, conflicts_with = "file")]
    pub(super) editor: bool,
    /// Go on in your editor with what was kept when it failed
    #[arg(long = "continue", conflicts_with = "file")]
    pub(super) take_up: bool,
    /// Throw away what was kept when an editor failed, and do nothing else
    #[arg(long, conflicts_with_all = ["file", "editor", "take_up"])]
    pub(super) discard: bool,
    /// Use the editor even where its text would lie on a disk meanwhile
    #[arg(long)]
    pub(super) insist: bool,
}

#[derive(ClapArgs)]
pub(super) struct AttachArgs {
    /// The note's id, the beginning of it, or at a terminal words of its title
    pub(super) id: String,
    /// The file; `-` for standard input
    pub(super) file: PathBuf,
    /// The name it has beside the note [default: the file's own]
    #[arg(long)]
    pub(super) name: Option<String>,
}

#[derive(ClapArgs)]
pub(super) struct ExtractArgs {
    /// The note's id, the beginning of it, or words of its title
    pub(super) id: String,
    /// The attachment's name, as `show` lists it, or the beginning of its digest
    pub(super) name: String,
    /// Write it to this new file, `-` for standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Leave out of a JPEG, PNG or WebP what a camera wrote into it: place, time, device
    #[arg(long)]
    pub(super) clean: bool,
}

/// How many, where none at all makes no sense.
fn at_least_one(text: &str) -> Result<usize, &'static str> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or("it takes a whole number, 1 or more")
}

#[derive(ClapArgs)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// In which order: times newest first, names from A to Z, labels strictest first
    #[arg(long, value_enum, value_name = "ORDER", default_value = "modified")]
    pub(super) sort: SortArg,
}

#[derive(ClapArgs)]
pub(super) struct BrowseArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// Lock when nothing was typed for so long: 90s, 5m, 1h [default: 5m]
    #[arg(long, value_name = "TIME")]
    pub(super) lock_after: Option<String>,
}

#[derive(ClapArgs)]
pub(super) struct SearchArgs {
    /// What for: words, and phrases in quotation marks; `-` asks for it
    pub(super) query: Vec<String>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
}

#[derive(ClapArgs)]
pub(super) struct FilterArgs {
    /// Only this client
    #[arg(long)]
    pub(super) client: Option<String>,
    /// Only this case
    #[arg(long)]
    pub(super) case: Option<String>,
    /// Only this label
    #[arg(long)]
    pub(super) label: Option<String>,
    /// Only made of this template, such as incident
    #[arg(long, value_name = "TEMPLATE")]
    pub(super) template: Option<String>,
    /// Only changed at or after: 2026-11-21, today, yesterday, 12h, 7d, 2w
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Only changed before this time
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
    /// At most so many
    #[arg(short = 'n', long, value_name = "N", value_parser = at_least_one)]
    pub(super) limit: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SortArg {
    // No docstrings here, for the same reason as for the formats.
    Modified,
    Created,
    Client,
    Title,
    Label,
}

#[derive(Subcommand)]
pub(super) enum BriefCommand {
    /// Draft a brief from notes; the draft stays in the vault
    #[command(
        after_help = "Example:\n  strongroom brief draft 3f2a 91bc --for internal --purpose handover --why 'day shift'\n\nPortions marked above the audience, such as (R), are left out whole. What is doubtful is listed and has to be masked (--mask) or allowed (--allow, with --why) before release. On a terminal the notes stand beside the brief, [what was replaced] in brackets.\n\nWith --length whole sentences and list items are left out, and what stands under headings such as `To do`, `Actions`, `Where` and `Until` goes last. With --by-case a person has the same placeholder in every such brief of one case, so whoever has several can put them together."
    )]
    Draft(DraftArgs),
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
        /// How it is written [default: as drafted, or md]
        #[arg(long, value_enum)]
        format: Option<FormatArg>,
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
    /// List the briefs that something concerns which came after their release, and who has them
    #[command(
        after_help = "Example:\n  strongroom brief recall --purpose review --why 'monthly look'\n\nA brief is listed when a note it was made from was destroyed, relabelled or revised since, or when its text has what the vault knows by now to identify somebody. Nothing is taken back by this: whoever has a brief has to be told."
    )]
    Recall,
}

#[derive(ClapArgs)]
pub(super) struct DraftArgs {
    /// Ids of the notes, in order, or words of a title for each
    #[arg(required = true)]
    pub(super) ids: Vec<String>,
    /// `no-names`, `strict`, `safe-harbor`, `tlp-amber`, `tlp-green`, or another profile of the vault
    #[arg(long, default_value = "no-names")]
    pub(super) profile: String,
    /// The level of the audience [default: the profile's]
    #[arg(long = "for", value_name = "LEVEL")]
    pub(super) audience: Option<String>,
    /// Mask this as well
    #[arg(long, value_name = "TEXT")]
    pub(super) mask: Vec<String>,
    /// Let this doubtful word pass
    #[arg(long, value_name = "WORD")]
    pub(super) allow: Vec<String>,
    /// Leave out until it has about so many words
    #[arg(long, value_name = "WORDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) length: Option<u32>,
    /// Use the placeholders of the notes' case rather than those of this brief alone
    #[arg(long)]
    pub(super) by_case: bool,
    /// How it is to be written; it is shown so, but for a PDF
    #[arg(long, value_enum)]
    pub(super) format: Option<FormatArg>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FormatArg {
    // No docstrings here: with them the help of this one command would take three lines an option.
    Md,
    Html,
    Pdf,
    Txt,
    Json,
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
    /// List the files of the vault's policies and what they govern; needs no key
    List,
    /// Read the policies; needs no key
    #[command(
        after_help = "Examples:\n  strongroom policy show                 all of it in short\n  strongroom policy show levels          or purposes, or rules\n  strongroom policy show no-names        a redaction profile\n  strongroom policy show levels.toml     the text of a file"
    )]
    Show {
        /// `levels`, `purposes`, `rules`, a profile's name, or a file [default: all of it in short]
        what: Option<String>,
    },
    /// Check a folder of policies as strictly as a vault does that takes them; needs no key
    #[command(
        after_help = "Example:\n  git -C VAULT archive main policies | tar x\n  strongroom policy check policies\n\nTells every fault with its file and line, then runs the cases. Exit code 1 if the vault would not take them."
    )]
    Check {
        /// The folder
        folder: PathBuf,
    },
    /// Change the vault's policies; for leads, and only if they pass their check
    #[command(
        after_help = "Examples:\n  strongroom policy show levels.toml > levels.toml       then edit that file, and\n  strongroom policy edit levels.toml --from levels.toml\n  strongroom policy edit --from policies                 all of it, out of a folder\n\nShows which files change and asks before they do. The change is signed, and an entry."
    )]
    Edit(PolicyEditArgs),
    /// Say that you know the policies in force; due yearly, and after each change
    #[command(
        after_help = "Examples:\n  strongroom policy show                 read them first\n  strongroom policy ack\n  strongroom policy ack --list           who has and who has not; leads see everybody\n\nIt is an entry with the digest of these policies. `strongroom due` tells when the next is due."
    )]
    Ack {
        /// List who has acknowledged them, rather than doing so
        #[arg(long)]
        list: bool,
    },
    /// Explain why a request is, or would be, allowed or denied
    #[command(
        after_help = "Examples:\n  strongroom policy explain read 3f2a\n  strongroom policy explain read 3f2a --purpose duty --why 'gate call-out'\n  strongroom policy explain destroy --label restricted/Halcyon\n  strongroom policy explain brief-release --label confidential --for restricted\n\nACTION is read, add, list, search, brief-draft, brief-release, relabel, destroy, policy-edit, … --purpose and --why are part of the question here."
    )]
    Explain(PolicyExplainArgs),
    /// Run the cases that the policies bring with them
    #[command(after_help = "Examples:\n  strongroom policy test\n  strongroom policy test --shipped")]
    Test {
        /// Those that this program ships, rather than the vault's
        #[arg(long)]
        shipped: bool,
    },
}

#[derive(ClapArgs)]
pub(super) struct PolicyEditArgs {
    /// The one file to put in or replace [default: all of them]
    pub(super) file: Option<String>,
    /// Its new text, `-` for standard input; without FILE a folder with all files
    #[arg(long, value_name = "PATH")]
    pub(super) from: PathBuf,
}

#[derive(ClapArgs)]
pub(super) struct PolicyExplainArgs {
    /// What is to be done, as the rules call it
    pub(super) action: String,
    /// The note's id, or the beginning of it
    pub(super) id: Option<String>,
    /// Or the label of a note that there could be
    #[arg(long, conflicts_with = "id")]
    pub(super) label: Option<String>,
    /// The level of a brief's audience
    #[arg(long = "for", value_name = "LEVEL")]
    pub(super) audience: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command as Page, CommandFactory};

    fn each(page: &Page, look: &mut dyn FnMut(&Page)) {
        look(page);
        page.get_subcommands().for_each(|page| each(page, look));
    }

    /// What is broken by hand is broken a second time where the terminal is narrower.
    #[test]
    fn prose_of_help_pages_is_broken_by_the_terminal_alone() {
        let mut all = Args::command();
        all.build();
        each(&all, &mut |page| {
            let after = page.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = after.lines().collect();
            for pair in lines.windows(2) {
                let prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
                let heading = pair[0].ends_with(':') && pair[1].starts_with(' ');
                assert!(
                    !(prose(pair[0]) && prose(pair[1])) || heading,
                    "{}: {pair:?}",
                    page.get_name()
                );
            }
        });
    }

    #[test]
    fn help_pages_fit_the_terminal() {
        // On a wider one they have 100 columns.
        for width in [80, 100] {
            let mut all = Args::command().term_width(width);
            all.build();
            each(&all, &mut |page| {
                let text = page.clone().render_long_help().to_string();
                // A word that is longer than a line stays whole, and what is to be typed is never broken there.
                let long = text
                    .lines()
                    .filter(|line| line.chars().count() > width && !line.starts_with("Usage:"));
                let long: Vec<&str> = long.filter(|line| line.trim().contains(' ')).collect();
                assert!(long.is_empty(), "{} at {width}: {long:#?}", page.get_name());
            });
        }
    }
}
