//! From arguments to the room that carries them out.

use super::args::{Args, Command, Common, PolicyCommand, RecoveryCommand};
use super::terminal::{Here, Seen};
use super::{audit, briefs, finding, notes, redact, tour, vaults};
use crate::app::{Access, Clock, Context, Error, Kind, PassphraseSource, Person, Places};
use std::path::PathBuf;

/// Runs a command at this process's terminal.
pub(super) fn run(args: &Args) -> Result<u8, Error> {
    let terminal = Here::new(!args.common.no_input);
    let seen = Seen {
        terminal: &terminal,
        json: args.common.json,
        quiet: args.common.quiet,
    };
    match &args.command {
        Command::Tour => tour::run(),
        Command::Redact { file, profile, jsonl } => match jsonl {
            true => redact::lines(&terminal, file.as_deref(), profile),
            false => redact::whole(&seen, file.as_deref(), profile),
        },
        _ => with_vault(&context(&args.common, &terminal)?, &seen, &args.command),
    }
}

/// Runs a command that a vault is needed for.
fn with_vault(context: &Context<'_>, seen: &Seen<'_>, command: &Command) -> Result<u8, Error> {
    match command {
        // Carried out before there is a vault.
        Command::Tour | Command::Redact { .. } => Ok(0),
        Command::Init(args) => vaults::init(context, seen, args),
        Command::Add(args) => notes::add(context, seen, args),
        Command::Show { id } => notes::show(context, seen, id),
        Command::List(args) => finding::list(context, seen, args),
        Command::Search(args) => finding::search(context, seen, args),
        Command::Brief(command) => briefs::run(context, seen, command),
        Command::Audit(command) => audit::run(context, seen, command),
        Command::Compartment(command) => vaults::compartment(context, seen, command),
        Command::Policy(PolicyCommand::Test { shipped }) => vaults::policy_test(context, seen, *shipped),
        Command::Recovery(RecoveryCommand::Use { file, insist }) => vaults::recover(context, seen, file, *insist),
    }
}

fn context<'a>(common: &Common, person: &'a dyn Person) -> Result<Context<'a>, Error> {
    let source = match (var("STRONGROOM_PASSPHRASE_FILE"), var("STRONGROOM_PASSPHRASE_COMMAND")) {
        (Some(file), _) => Some(PassphraseSource::File(PathBuf::from(file))),
        (None, Some(command)) => Some(PassphraseSource::Command(command)),
        (None, None) => None,
    };
    Ok(Context {
        places: Places::of_this_run(common.vault.as_deref(), common.identity.as_deref())?,
        clock: Clock::of_this_run().map_err(|bad| Error::new(Kind::Usage, bad.to_string()))?,
        source,
        person,
        access: Access {
            purpose: common.purpose.clone(),
            reason: common.why.clone(),
        },
    })
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
