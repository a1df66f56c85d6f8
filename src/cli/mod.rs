//! What a person types and sees: arguments, prompts, rendering, exit codes. Imports `app` alone.

mod agent;
mod answers;
mod approvals;
mod args;
mod attachments;
mod audit;
mod backup;
mod beside;
mod breakglass;
mod briefs;
mod browse;
mod called;
mod casework;
mod commands;
mod completing;
mod concerns;
mod config;
mod conflicts;
mod doctor;
mod export;
mod finding;
mod guard;
mod history;
mod holds;
mod importing;
mod manual;
mod markdown;
mod members;
mod metrics;
mod notes;
mod out;
mod policy;
mod proofs;
mod reading;
mod recovery;
mod redact;
mod reports;
mod retention;
mod review;
mod sync;
mod terminal;
mod tour;
mod vaults;
mod whole;
mod words;
mod writing;

use crate::app::{Error, Kind};
use clap::Parser;
use std::process::ExitCode;

/// Runs the program on the arguments of this process.
pub fn run() -> ExitCode {
    // A panic is a defect; its message may carry what must not be shown, so only its place is.
    std::panic::set_hook(Box::new(|panic| {
        terminal::hide();
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        out::complain(&format!(
            "internal error{place}; nothing more was shown. This is a defect, please report it"
        ));
    }));
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if completing::answer(&words) {
        return ExitCode::SUCCESS;
    }
    let words = as_help(words);
    let args = args::Args::parse_from(&words);
    // Without it a crash could leave a core file with keys in it.
    let hardened = crate::app::harden();
    let done = match hardened {
        Ok(()) => commands::run(args, words),
        Err(error) => Err(Error::new(
            Kind::Failed,
            format!("this program cannot protect its memory: {error}"),
        )),
    };
    let code = match done {
        Ok(code) => code,
        Err(error) => {
            out::complain(&error.message);
            error.hints.iter().for_each(|hint| out::hint(hint));
            error.exit_code()
        }
    };
    ExitCode::from(terminal::ended_by_a_signal().unwrap_or(code))
}

/// `help COMMAND` is what `COMMAND --help` is, and `help` alone tells of all commands.
fn as_help(mut words: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        // Asked about itself it says what it says alone.
        if words.get(1).is_some_and(|word| word == "help") {
            words.truncate(1);
        }
        let is_asked = words.iter().skip(1).any(|word| word == "--help" || word == "-h");
        if !is_asked {
            words.push("--help".into());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::as_help;
    use std::ffi::OsString;

    #[test]
    fn help_is_a_command_too() {
        for (typed, meant) in [
            ("strongroom help", "strongroom --help"),
            ("strongroom help add", "strongroom add --help"),
            ("strongroom help audit verify", "strongroom audit verify --help"),
            ("strongroom help help", "strongroom --help"),
            ("strongroom help add -h", "strongroom add -h"),
            ("strongroom add help", "strongroom add help"),
            ("strongroom", "strongroom"),
        ] {
            let words = typed.split(' ').map(OsString::from).collect();
            let meant: Vec<OsString> = meant.split(' ').map(OsString::from).collect();
            assert_eq!(as_help(words), meant, "{typed}");
        }
    }
}
