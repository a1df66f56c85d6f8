//! The way back in: a recovery key on one page, or in shares.

use super::agent;
use super::terminal::Seen;
use super::vaults::inited;
use crate::app::{Context, Error};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

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
    /// Make a recovery key in shares, of which some bring you back in together; for leads
    #[command(
        after_help = "Example:\n  strongroom recovery split --need 3 --of 5 --out /media/stick\n\nWrites a page for each share. Print them, give each to somebody else, delete the files. Any three of these five bring you back in, with all that your devices may read, what goes to you by name included; two tell nothing. The key itself is written nowhere. What you printed before, one page or shares, stays good until its device is taken away: `strongroom member remove YOU --device ID`."
    )]
    Split {
        /// How many shares bring you back in
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=16))]
        need: u8,
        /// How many shares there are
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=16))]
        of: u8,
        /// The folder for the pages
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
    /// Come back in with shares of a recovery key: makes a new identity on this device
    #[command(
        after_help = "Examples:\n  strongroom recovery combine                         asks for the words, row by row\n  strongroom recovery combine share-1.txt share-4.txt share-5.txt --vault copy-of-the-vault\n\nEvery share is checked by itself, and nothing is opened before there are enough."
    )]
    Combine {
        /// The files with the shares
        #[arg(value_name = "FILE", num_args = 0..=16)]
        files: Vec<PathBuf>,
        /// Take a weak passphrase all the same
        #[arg(long)]
        insist: bool,
    },
}

/// `recovery`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &RecoveryCommand) -> Result<u8, Error> {
    let (made, after) = match command {
        RecoveryCommand::Use { file, insist } => (
            crate::app::recover(context, file, *insist)?,
            "the recovery key stays good: put the page back in its safe place",
        ),
        RecoveryCommand::Combine { files, insist } => (
            crate::app::combine(context, files, *insist)?,
            "the shares stay good: bring each page back to its safe place",
        ),
        RecoveryCommand::Split { need, of, out } => {
            let split = crate::app::split_recovery(context, *need, *of, out)?;
            match seen.json {
                true => seen.json(&json!({
                    "device": split.device.to_string(),
                    "need": need,
                    "pages": split.pages.iter().map(|page| page.to_string_lossy()).collect::<Vec<_>>(),
                    "entry": split.entry.to_string(),
                }))?,
                false => {
                    for page in &split.pages {
                        seen.remark(&format!("share     {}", page.display()));
                    }
                    seen.remark(&format!(
                        "print them, give each to somebody else, delete the files: {need} bring you back in"
                    ));
                }
            }
            return Ok(0);
        }
    };
    // An agent may hold the identity that was at that place before.
    agent::end(&context.places)?;
    inited(seen, &made, after)
}
