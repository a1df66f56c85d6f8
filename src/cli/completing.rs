//! What a shell offers while a command is typed. The shell asks this program, with the shell's name in the variable
//! `COMPLETE` and what was typed behind `--`, and is given a line a candidate.
//!
//! Nobody is asked for anything here, nothing is said, and whatever is wrong with the vault means that nothing is offered.

use super::agent;
use super::args::Args;
use super::config::{Config, at_home};
use super::terminal::Seen;
use crate::app::{Error, InClear, Kind, Offered, Places, action_names, read_in_clear, verb_names};
use clap::{Arg, Command, CommandFactory, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;

/// The variable with the shell's name; it is clap's.
const VARIABLE: &str = "COMPLETE";
const PROGRAM: &str = "strongroom";

/// What stands below the help.
pub(super) const AFTER: &str = "\
Examples:
  strongroom completions bash > ~/.local/share/bash-completion/completions/strongroom
  source <(strongroom completions zsh)           in ~/.zshrc, after compinit
  strongroom completions fish > ~/.config/fish/completions/strongroom.fish
  source <(strongroom completions bash --short sr)   in ~/.bashrc: `sr` is this program too

Completed are commands, options, files, and what the vault says in clear: levels, purposes, members, \
profiles, templates. Ids are completed while the vault is unlocked, of what `list` would show you (the last written ones, while \
nothing is typed), and without a title; a completion is no entry in the log. Names of clients and compartments are not, nor \
is what a shell could take for more than a word. Where something is wrong nothing is offered. Make the script anew after an \
update of this program.";

/// Shells that complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Shell {
    // No docstrings here, so that the help shows them on one line.
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    fn named(name: &OsStr) -> Option<Self> {
        // A shell may say where it is rather than what it is.
        let name = Path::new(name).file_name()?.to_str()?;
        Self::from_str(name, false).ok()
    }

    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Bash,
            Self::Zsh => &Zsh,
            Self::Fish => &Fish,
        }
    }

    fn script(self) -> Option<Vec<u8>> {
        let mut script = Vec::new();
        let completer = self.completer();
        let written = completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script);
        written.ok().map(|()| script)
    }
}

/// A shorter name for the program: one that no shell reads anything into.
pub(super) fn short_name(typed: &str) -> Result<String, &'static str> {
    let is_plain = typed
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    const TAKEN: [&str; 18] = [
        "if", "then", "elif", "else", "fi", "for", "do", "done", "case", "esac", "while", "until", "in", "function",
        "select", "end", "time", "begin",
    ];
    let is_plain = is_plain && !TAKEN.contains(&typed);
    match is_plain && typed.starts_with(|c: char| c.is_ascii_lowercase()) && typed.len() <= 16 {
        true => Ok(typed.to_owned()),
        false => {
            Err("a short name is made of small letters and digits, and begins with a letter; it is no word of a shell")
        }
    }
}

/// `completions`.
pub(super) fn run(seen: &Seen<'_>, shell: Shell, short: Option<&str>) -> Result<u8, Error> {
    let script = shell.script().and_then(|script| String::from_utf8(script).ok());
    let mut script = script.ok_or_else(|| Error::new(Kind::Failed, "the script could not be made"))?;
    if let Some(short) = short {
        script.push_str(&format!("alias {short}={PROGRAM}\n"));
        // The others look behind an alias by themselves.
        if shell == Shell::Bash {
            script.push_str(&format!(
                "complete -o nospace -o bashdefault -F _clap_complete_{PROGRAM} {short}\n"
            ));
        }
    }
    seen.result(&script)?;
    Ok(0)
}

/// Answers a shell that asks; `false` if none does, and this is a run like any other.
pub(super) fn answer(words: &[OsString]) -> bool {
    let Some(shell) = std::env::var_os(VARIABLE).and_then(|name| Shell::named(&name)) else {
        return false;
    };
    // The hook of other runs would write into the line that is being typed.
    std::panic::set_hook(Box::new(|_| ()));
    let typed = words.iter().position(|word| word == "--").map(|at| &words[at + 1..]);
    let offered = match typed {
        None | Some([]) => shell.script(),
        Some(typed) => std::panic::catch_unwind(|| offers(shell, typed)).ok().flatten(),
    };
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(&offered.unwrap_or_default()).and_then(|()| out.flush());
    true
}

fn offers(shell: Shell, typed: &[OsString]) -> Option<Vec<u8>> {
    let mut command = taught(Args::command(), "", &Shelf { places: places(typed) });
    let folder = std::env::current_dir().ok();
    let mut out = Vec::new();
    let completer = shell.completer();
    let written = completer.write_complete(&mut command, typed.to_vec(), folder.as_deref(), &mut out);
    written.ok().map(|()| out)
}

/// The vault and the identity that the command line, the environment or the configuration file names.
fn places(typed: &[OsString]) -> Option<Places> {
    let [own_vault, own_identity] = Config::read().ok()?.places();
    let [vault, identity] = [("vault", own_vault), ("identity", own_identity)].map(|(name, own)| {
        let variable = format!("{PROGRAM}_{name}").to_uppercase();
        let value = value_of(&format!("--{name}"), typed).or_else(|| std::env::var_os(variable));
        let value = value.filter(|value| !value.is_empty());
        // As it was typed: the shell has not yet put the home in the place of `~`.
        value.map(|value| at_home(value.into())).or(own)
    });
    Places::of_this_run(vault.as_deref(), identity.as_deref()).ok()
}

/// What stands behind an option, as `--vault DIR` or `--vault=DIR`; bash gives the latter as three words.
fn value_of(option: &str, typed: &[OsString]) -> Option<OsString> {
    let mut words = typed.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == option {
            let value = words.next().filter(|value| value != "=").or_else(|| words.next());
            return value.map(|value| value.into_owned().into());
        }
        if let Some(value) = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.into());
        }
    }
    None
}

/// What there is to offer for a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thing {
    Id(Offered),
    Label,
    Level,
    Purpose,
    Member,
    /// A member with `@` before the handle.
    Person,
    Profile,
    Template,
    /// What `policy show` shows.
    Policy,
    /// A file of the policies.
    File,
    Action,
    /// What the log calls a command.
    Verb,
}

/// What the value of an argument is. `command` is written without the program's name, as `brief draft`.
fn thing(command: &str, argument: &str) -> Option<Thing> {
    Some(match (command, argument) {
        ("show", "id") | ("history", "id") => Thing::Id(Offered::Texts),
        ("brief release", "draft") => Thing::Id(Offered::Drafts),
        (_, "id" | "ids" | "note") => Thing::Id(Offered::Notes),
        (_, "label") => Thing::Label,
        (_, "clearance" | "audience") => Thing::Level,
        (_, "purpose" | "for_purpose") => Thing::Purpose,
        (
            "member grant" | "member revoke" | "member pause" | "member resume" | "member rejoin" | "member remove",
            "handle",
        )
        | (_, "device_of" | "actor" | "left_out") => Thing::Member,
        ("concern write", "to") => Thing::Member,
        ("export subject", "person") => Thing::Person,
        (_, "profile") | ("export subject", "redact") => Thing::Profile,
        (_, "template") => Thing::Template,
        ("policy show", "what") => Thing::Policy,
        ("policy edit", "file") => Thing::File,
        ("policy explain", "action") => Thing::Action,
        ("audit log", "action") => Thing::Verb,
        _ => return None,
    })
}

/// The command with what its values are.
fn taught(command: Command, path: &str, shelf: &Shelf) -> Command {
    let teach = |argument: Arg| match thing(path, argument.get_id().as_str()) {
        None => argument,
        Some(thing) => {
            let shelf = shelf.clone();
            argument.add(ArgValueCompleter::new(move |typed: &OsStr| {
                let typed = typed.to_str().unwrap_or_default();
                let candidates = shelf.candidates(thing, typed).into_iter();
                let begun = candidates.filter(|candidate| candidate.starts_with(typed));
                begun.map(CompletionCandidate::new).collect()
            }))
        }
    };
    command.mut_args(teach).mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name());
        taught(below, path.trim_start(), shelf)
    })
}

/// Where offers come from.
#[derive(Clone)]
struct Shelf {
    places: Option<Places>,
}

impl Shelf {
    fn in_clear(&self) -> InClear {
        let read = self.places.as_ref().map(read_in_clear);
        read.and_then(Result::ok).unwrap_or_default()
    }

    fn candidates(&self, thing: Thing, typed: &str) -> Vec<String> {
        match thing {
            Thing::Id(which) => {
                let ids = self
                    .places
                    .as_ref()
                    .and_then(|places| agent::offers(places, which, typed));
                let mut ids = ids.unwrap_or_default();
                ids.retain(|id| is_plain(id));
                ids
            }
            // These two are the program's own words.
            Thing::Action => action_names(),
            Thing::Verb => verb_names(),
            thing => of_the_vault(self.in_clear(), thing, typed),
        }
    }
}

/// What the vault says in clear for such a value, as far as it does no harm on a command line.
fn of_the_vault(clear: InClear, thing: Thing, typed: &str) -> Vec<String> {
    let mut candidates = match thing {
        Thing::Label => labels(clear, typed),
        Thing::Level => clear.levels,
        Thing::Purpose => clear.purposes,
        Thing::Member => clear.handles,
        Thing::Person => with_at(&clear.handles, ""),
        Thing::Profile => clear.profiles,
        Thing::Template => clear.templates,
        Thing::Policy => {
            let parts = ["levels", "purposes", "rules"].map(str::to_owned);
            parts.into_iter().chain(clear.profiles).chain(clear.files).collect()
        }
        Thing::File => clear.files,
        Thing::Id(_) | Thing::Action | Thing::Verb => Vec::new(),
    };
    candidates.retain(|candidate| is_plain(candidate));
    candidates
}

/// Whether no shell takes anything in it for more than it says: what is offered stands on the command line as it is, bash
/// does not quote it, and a member with a changed program chooses names.
fn is_plain(candidate: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-@/".contains(c);
    !candidate.is_empty() && !candidate.starts_with('-') && candidate.chars().all(plain)
}

/// Labels without compartments, whose names are sealed; behind the strictest level and a slash, people.
fn labels(clear: InClear, typed: &str) -> Vec<String> {
    match (clear.levels.last(), typed.rsplit_once('/')) {
        (Some(named), Some((before, _))) if before == named || before.starts_with(&format!("{named}/")) => {
            with_at(&clear.handles, &format!("{before}/"))
        }
        (_, Some(_)) => Vec::new(),
        (_, None) => clear.levels,
    }
}

fn with_at(handles: &[String], before: &str) -> Vec<String> {
    handles.iter().map(|handle| format!("{before}@{handle}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments of which nothing can be offered: what is typed is new, or sealed.
    const FREE: &[&str] = &[
        "allow",
        "at",
        "because",
        "case",
        "class",
        "client",
        "columns",
        "compartments",
        "copied_for",
        "device",
        "diff",
        "entry",
        "field",
        "fields",
        "for_seconds",
        "founder",
        "handle",
        "hours",
        "idle",
        "length",
        "limit",
        "lock_after",
        "mask",
        "matter",
        "name",
        "names",
        "need",
        "notice",
        "of",
        "pruned",
        "query",
        "recipients",
        "remote",
        "request",
        "revision",
        "short",
        "since",
        "text",
        "title",
        "to",
        "until",
        "url",
        "why",
        "witness",
        "withdraw",
        "written",
    ];

    fn each(command: &Command, path: &str, look: &mut dyn FnMut(&str, &Arg)) {
        command.get_arguments().for_each(|argument| look(path, argument));
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            each(below, path.trim_start(), look);
        }
    }

    #[test]
    fn of_every_value_it_is_known_what_it_is() {
        let mut unknown = Vec::new();
        each(&Args::command(), "", &mut |path, argument| {
            let id = argument.get_id().as_str();
            let is_free = !argument.get_action().takes_values()
                || !argument.get_possible_values().is_empty()
                || argument.get_value_hint() != clap::ValueHint::Unknown
                || FREE.contains(&id);
            if thing(path, id).is_none() && !is_free {
                unknown.push(format!("{path}: {id}"));
            }
        });
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn a_place_is_found_as_it_was_typed() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for line in ["x show --vault a/b", "x --vault=a/b show", "x --vault = a/b show"] {
            assert_eq!(value_of("--vault", &words(line)), Some("a/b".into()), "{line}");
        }
        assert_eq!(value_of("--vault", &words("x show --vaults a --vault")), None);
    }

    #[test]
    fn labels_are_offered_without_compartments() {
        let clear = || InClear {
            levels: vec!["internal".into(), "named".into()],
            handles: vec!["mara".into()],
            ..InClear::default()
        };
        assert_eq!(labels(clear(), "i"), ["internal", "named"]);
        assert_eq!(labels(clear(), "internal/"), Vec::<String>::new());
        assert_eq!(labels(clear(), "named/"), ["named/@mara"]);
        assert_eq!(labels(clear(), "named/@jon/@m"), ["named/@jon/@mara"]);
    }

    #[test]
    fn what_a_shell_would_carry_out_is_not_offered() {
        let bad = [
            "internal$(sh .x)",
            "a b",
            "a;b",
            "`x`",
            "a'b",
            "a\"b",
            "a*",
            "a\\b",
            "~",
            "a~",
            "{a,b}",
            "a=b",
            "a:b",
            "!x",
            "#a",
            "a&b",
            "a|b",
            "a>b",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "--yes",
            "",
            "(a)",
            "[a]",
            "a?",
            "^a",
            "%a",
        ];
        for bad in bad {
            assert!(!is_plain(bad), "{bad:?}");
        }
        let both = |good: &str| vec![good.to_owned(), "internal$(sh .x)".to_owned()];
        let clear = || InClear {
            levels: both("public"),
            purposes: both("duty"),
            handles: both("mara"),
            profiles: both("no-names"),
            templates: both("watch"),
            files: both("rules/a.toml"),
        };
        for (thing, good) in [
            (Thing::Label, "public"),
            (Thing::Level, "public"),
            (Thing::Purpose, "duty"),
            (Thing::Member, "mara"),
            (Thing::Person, "@mara"),
            (Thing::Profile, "no-names"),
            (Thing::Template, "watch"),
            (Thing::File, "rules/a.toml"),
        ] {
            assert_eq!(of_the_vault(clear(), thing, ""), [good], "{thing:?}");
        }
        let policies = of_the_vault(clear(), Thing::Policy, "");
        assert_eq!(policies, ["levels", "purposes", "rules", "no-names", "rules/a.toml"]);
        assert!(of_the_vault(clear(), Thing::Label, "internal$(sh .x)/").is_empty());
        for good in [
            "internal",
            "named/@mara",
            "levels.toml",
            "no-names",
            "öffentlich",
            "内部",
            "a_b",
            "3f2a9c",
        ] {
            assert!(is_plain(good), "{good}");
        }
    }

    #[test]
    fn a_shell_is_known_by_its_name_or_its_place() {
        assert_eq!(Shell::named(OsStr::new("/usr/bin/zsh")), Some(Shell::Zsh));
        for other in ["", "0", "1", "elvish", "bashful"] {
            assert_eq!(Shell::named(OsStr::new(other)), None, "{other}");
        }
    }
}
