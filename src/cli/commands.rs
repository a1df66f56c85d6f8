//! From arguments to the room that carries them out.

use super::args::{Args, Command, Common};
use super::concerns::{self, ConcernCommand};
use super::config::Config;
use super::terminal::{Here, Seen, clear_clipboard};
use super::words::{duration, prompted};
use super::{
    agent, approvals, attachments, audit, backup, breakglass, briefs, browse, casework, completing, conflicts, doctor,
    export, finding, guard, history, holds, importing, manual, members, metrics, notes, policy, recovery, redact,
    retention, sync, tour, vaults, whole, writing,
};
use crate::app::{Access, Clock, Context, Error, Kind, PassphraseSource, Person, Places};
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs a command at this process's terminal: by the agent if there is one and the command needs the identity, else here.
pub(super) fn run(mut args: Args, words: Vec<OsString>) -> Result<u8, Error> {
    // What a remote starts follows nobody's own defaults, and neither does what writes none of its own.
    let config = match &args.command {
        Command::Guard(_) | Command::Completions { .. } | Command::Man { .. } | Command::ClearClipboard { .. } => {
            Config::default()
        }
        // It says what is wrong with the file.
        Command::Doctor(_) => Config::read().unwrap_or_default(),
        _ => Config::read()?,
    };
    config.colour();
    config.zone();
    let here = Here::new(!args.common.no_input, config.editor());
    let seen = Seen::new(&here, &args.common);
    if matches!(args.command, Command::Status) && seen.verbose && !seen.json {
        config.show(&seen, &args.common)?;
    }
    config.fill(&mut args);
    if let Command::Clone(clone) = &mut args.command {
        args.common.vault = clone.dir.take().or_else(|| args.common.vault.take());
    }
    let args = &args;
    match &args.command {
        Command::Tour => return tour::run(),
        Command::Completions { shell, short } => return completing::run(&seen, *shell, short.as_deref()),
        Command::Man { out } => return manual::run(&seen, out.as_deref()),
        Command::Agent { for_seconds } => return agent::serve(&args.common, *for_seconds),
        Command::ClearClipboard { for_seconds } => return clear_clipboard(*for_seconds),
        // A hook has no home to speak of.
        Command::Guard(args) => return guard::run(&seen, args),
        Command::Redact {
            file,
            profile,
            jsonl,
            written,
        } => {
            let profile = redact::profile(profile, written.as_deref())?;
            return match jsonl {
                true => redact::lines(&here, file.as_deref(), &profile),
                false => redact::whole(&seen, file.as_deref(), &profile),
            };
        }
        // Whoever writes without a name has no vault, and the one that may be here is not touched.
        Command::Concern(ConcernCommand::Write(args)) if args.key.is_some() => {
            return concerns::write(&seen, args, clock()?.now());
        }
        Command::Concern(ConcernCommand::Read { file }) => return concerns::read(&seen, file),
        _ => {}
    }
    let places = places(&args.common)?;
    match &args.command {
        Command::Unlock { idle } => {
            let idle = duration(idle.as_deref().unwrap_or_default())?;
            return agent::unlock(&places, &args.common, &here, &seen, idle);
        }
        Command::Lock => return agent::lock(&places, &seen),
        Command::Status => return agent::status(&places, &seen),
        _ => {}
    }
    let agent = match args.command.needs_the_identity() {
        true => agent::reach(&places)?,
        false => None,
    };
    match agent {
        // What is to be asked for is asked for by whoever carries the command out.
        Some(wire) => agent::run(&wire, &here, words),
        None => with_vault(&context(&args.common, &here)?, &seen, &args.command),
    }
}

/// Where things are, as far as somebody said.
fn places(common: &Common) -> Result<Places, Error> {
    Ok(Places::of_this_run(
        common.vault.as_deref(),
        common.identity.as_deref(),
    )?)
}

/// Runs a command that works in a vault.
pub(super) fn with_vault(context: &Context<'_>, seen: &Seen<'_>, command: &Command) -> Result<u8, Error> {
    match command {
        // Carried out above, without a vault or without its keys.
        Command::Tour
        | Command::Redact { .. }
        | Command::Guard(_)
        | Command::Agent { .. }
        | Command::ClearClipboard { .. }
        | Command::Unlock { .. }
        | Command::Lock
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Status => Ok(0),
        Command::Init(args) => vaults::init(context, seen, args),
        Command::Passphrase { insist } => vaults::passphrase(context, seen, *insist),
        Command::Add(args) => notes::add(context, seen, args),
        Command::Show(args) => notes::show(context, seen, args),
        Command::Edit(args) => writing::edit(context, seen, args),
        Command::History { id, diff } => history::run(context, seen, id, diff.as_deref()),
        Command::Attach(args) => attachments::attach(context, seen, args),
        Command::Extract(args) => attachments::extract(context, seen, args),
        Command::Browse(args) => browse::run(context, seen, args),
        Command::List(args) => finding::list(context, seen, args),
        Command::Search(args) => finding::search(context, seen, args),
        Command::Close { id, fields } => casework::close(context, seen, id, fields),
        Command::Metrics(args) => metrics::run(context, seen, args),
        Command::Due(args) => casework::due(context, seen, args),
        Command::Relabel { id, label } => whole::relabel(context, seen, id, label),
        Command::Keep(args) => retention::run(context, seen, args),
        Command::Destroy { id } => whole::destroy(context, seen, id),
        Command::Approve { request } => approvals::approve(context, seen, request),
        Command::Approvals { withdraw: None } => approvals::list(context, seen),
        Command::Approvals {
            withdraw: Some(request),
        } => approvals::withdraw(context, seen, request),
        Command::Breakglass(command) => breakglass::run(context, seen, command),
        Command::Conflict(command) => conflicts::run(context, seen, command),
        Command::Hold(command) => holds::run(context, seen, command),
        Command::Import(args) => importing::run(context, seen, args),
        Command::Export(command) => export::run(context, seen, command),
        Command::Concern(command) => concerns::run(context, seen, command),
        Command::Brief(command) => briefs::run(context, seen, command),
        Command::Audit(command) => audit::run(context, seen, command),
        Command::Member(command) => members::run(context, seen, command),
        Command::Compartment(command) => vaults::compartment(context, seen, command),
        Command::Policy(command) => policy::run(context, seen, command),
        Command::Backup { file } => backup::backup(context, seen, file),
        Command::Restore { file, check } => backup::restore(context, seen, file, *check),
        Command::Clone(args) => sync::clone(context, seen, args),
        Command::Remote(command) => sync::remote(context, seen, command),
        Command::Sync { remote } => sync::sync(context, seen, remote.as_deref()),
        Command::Recovery(command) => recovery::run(context, seen, command),
        Command::Doctor(args) => doctor::run(context, seen, args),
    }
}

/// What a use case stands on, from the arguments and the environment.
pub(super) fn context<'a>(common: &Common, person: &'a dyn Person) -> Result<Context<'a>, Error> {
    let source = match (var("STRONGROOM_PASSPHRASE_FILE"), var("STRONGROOM_PASSPHRASE_COMMAND")) {
        (Some(file), _) => Some(PassphraseSource::File(PathBuf::from(file))),
        (None, Some(command)) => Some(PassphraseSource::Command(command)),
        (None, None) => None,
    };
    Ok(Context {
        places: places(common)?,
        clock: clock()?,
        source,
        person,
        access: Access::given(
            prompted(person, "purpose", common.purpose.as_deref())?,
            prompted(person, "why", common.why.as_deref())?,
        )?
        .sure(common.yes),
        held: None,
    })
}

fn clock() -> Result<Clock, Error> {
    Clock::of_this_run().map_err(|bad| Error::new(Kind::Usage, bad.to_string()))
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
