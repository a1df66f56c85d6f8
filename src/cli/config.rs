//! The person's own defaults: `config.toml` beside the identity. Arguments come first, then the environment, then this
//! file. It holds no secret: there is no key for one. docs/guide/config.md has all of it.

use super::args::{Args, Command, Common};
use super::terminal::Seen;
use super::words::{duration, set_zone, zone_of};
use crate::app::{Error, Finding, Kind, Level, Places};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest such file, in bytes.
const MAX: u64 = 64 << 10;
/// When `browse` locks if nobody says.
pub(super) const LOCK_AFTER: &str = "5m";
/// How long `unlock` keeps a vault unlocked if nobody says.
const UNLOCK: &str = "15m";

/// What the file says.
#[derive(Deserialize, Default, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default, deserialize_with = "path")]
    vault: Option<PathBuf>,
    #[serde(default, deserialize_with = "path")]
    identity: Option<PathBuf>,
    #[serde(default, deserialize_with = "words")]
    client: Option<String>,
    #[serde(default, deserialize_with = "words")]
    label: Option<String>,
    #[serde(default, deserialize_with = "words")]
    purpose: Option<String>,
    #[serde(default, deserialize_with = "words")]
    editor: Option<String>,
    #[serde(default, deserialize_with = "length")]
    unlock: Option<String>,
    #[serde(default)]
    colour: Option<Colour>,
    #[serde(default)]
    pager: Option<Pager>,
    #[serde(default, deserialize_with = "length")]
    lock_after: Option<String>,
    #[serde(default, deserialize_with = "zone")]
    time_zone: Option<String>,
}

/// Whether a long text is read page by page. It is this program's own reader: another one keeps files and histories, and runs
/// what is typed.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Pager {
    On,
    Off,
}

/// Whether messages are coloured.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Auto,
    Always,
    Never,
}

/// A text that says something.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    match text.trim().is_empty() {
        true => Err(D::Error::custom("it is empty: give it a value, or leave the line out")),
        false => Ok(Some(text)),
    }
}

fn path<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let path = words(from)?.map(|text| at_home(PathBuf::from(text)));
    match path.as_deref().is_none_or(Path::is_absolute) {
        true => Ok(path),
        false => Err(D::Error::custom("it is not a whole path: begin it with `/` or `~/`")),
    }
}

fn length<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = words(from)?;
    match text.as_deref().map(duration) {
        Some(Err(error)) => Err(D::Error::custom(format!("{error}: write it as 90s, 15m or 8h"))),
        _ => Ok(text),
    }
}

fn zone<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = words(from)?;
    match text.as_deref().map(zone_of) {
        Some(None) => Err(D::Error::custom(
            "this computer knows no such time zone: write it as Europe/Lisbon or UTC",
        )),
        _ => Ok(text),
    }
}

/// What is wrong with a value or a key: what the functions above say as it is, and the rest in words of this program's.
fn in_own_words(message: &str) -> String {
    let split = |what: &str| message.strip_prefix(what)?.split_once(", expected ");
    if let Some((key, keys)) = split("unknown field ") {
        return format!(
            "there is no key {key}: there are {}",
            keys.trim_start_matches("one of ")
        );
    }
    if let Some((value, values)) = split("unknown variant ") {
        return format!("{value} says nothing here: it is {values}");
    }
    match ["invalid type", "wanted "]
        .iter()
        .any(|begin| message.starts_with(begin))
    {
        true => "the value is not a text: write it in quotation marks".to_owned(),
        false => message.replace('\n', " "),
    }
}

/// A path as a person writes it, with the home in the place of `~`.
pub(super) fn at_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(below), Some(home)) => PathBuf::from(home).join(below),
        _ => path,
    }
}

/// All of a file, or so much that it is seen to be too long.
fn read_bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// Where the file is, or would be; nowhere without a home.
fn place() -> Option<PathBuf> {
    Places::of_this_run(None, None).ok().map(|places| places.config())
}

impl Config {
    /// Reads the file; one that is not there says nothing.
    pub(super) fn read() -> Result<Self, Error> {
        let Some(path) = place() else {
            return Ok(Self::default());
        };
        let unreadable = |why: &dyn std::fmt::Display| {
            Error::new(Kind::Failed, format!("`{}` cannot be read: {why}", path.display()))
        };
        let text = match read_bounded(&path) {
            Ok(text) if text.len() as u64 <= MAX => text,
            Ok(_) => return Err(unreadable(&format!("it has more than {} KiB", MAX >> 10))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(&error)),
        };
        Self::parse(&text).map_err(|(line, why)| {
            Error::new(Kind::Usage, format!("`{}`, line {line}: {why}", path.display()))
                .hint("mend the line, or put `#` before it; nothing was done")
        })
    }

    /// Which file is in use, and whether it is sound.
    pub(super) fn finding() -> Finding {
        let about = "config";
        let Some(path) = place() else {
            return Finding::seen(
                about,
                Level::Look,
                "there is no home, so no file of your own defaults is looked for",
            );
        };
        match Self::read() {
            Ok(_) if path.exists() => {
                Finding::seen(about, Level::Fine, format!("`{}` is in use, and sound", path.display()))
            }
            Ok(_) => Finding::seen(
                about,
                Level::Fine,
                format!("you have no defaults of your own: `{}` is not there", path.display()),
            ),
            Err(error) => {
                let mut finding = Finding::seen(about, Level::Wrong, format!("{error}"));
                finding.kind = Some(Kind::Failed);
                finding.advice = error.hints.iter().map(ToString::to_string).collect();
                let more = "until then every other command stops; what is said here is of the vault that the arguments, the environment or what is built in name";
                finding.advice.push(more.to_owned());
                finding
            }
        }
    }

    /// What a text says; or in which line, counted from 1, it says what cannot be taken, and why.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let refused = |error: &toml::de::Error, why: String| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            (line, why)
        };
        // First whether it is written as such a file is, then what it says.
        let _: toml::Table = toml::from_str(text).map_err(|error| {
            let why = match error.message().contains("duplicate key") {
                true => "this key stands there twice".to_owned(),
                false => "this is not written as `key = \"value\"`".to_owned(),
            };
            refused(&error, why)
        })?;
        toml::from_str(text).map_err(|error| refused(&error, in_own_words(error.message())))
    }

    /// Fills in what neither the arguments nor the environment gave.
    pub(super) fn fill(&self, args: &mut Args) {
        let fill = |given: &mut Option<String>, own: &Option<String>| {
            if given.is_none() {
                given.clone_from(own);
            }
        };
        let common = &mut args.common;
        common.vault = common.vault.take().or_else(|| self.vault.clone());
        common.identity = common.identity.take().or_else(|| self.identity.clone());
        fill(&mut common.purpose, &self.purpose);
        match &mut args.command {
            Command::Add(add) => {
                fill(&mut add.client, &self.client);
                fill(&mut add.label, &self.label);
            }
            Command::Show(show) => show.no_pager |= self.pager == Some(Pager::Off),
            Command::Browse(browse) => fill(&mut browse.lock_after, &self.lock_after),
            Command::Unlock { idle } => fill(idle, &Some(self.unlock.clone().unwrap_or_else(|| UNLOCK.to_owned()))),
            _ => {}
        }
    }

    /// The vault and the identity that it names.
    pub(super) fn places(self) -> [Option<PathBuf>; 2] {
        [self.vault, self.identity]
    }

    /// The editor, where the environment names none.
    pub(super) fn editor(&self) -> Option<String> {
        self.editor.clone()
    }

    /// Shows and takes times in the zone that it names, or in that of this computer.
    pub(super) fn zone(&self) {
        set_zone(self.time_zone.as_deref());
    }

    /// Colours messages as it says, unless a variable of the environment has a word on that.
    pub(super) fn colour(&self) {
        let choice = match self.colour {
            Some(Colour::Always) => anstream::ColorChoice::Always,
            Some(Colour::Never) => anstream::ColorChoice::Never,
            Some(Colour::Auto) | None => return,
        };
        if !COLOURS.iter().any(|name| is_set(name)) {
            choice.write_global();
        }
    }

    /// What is in force, and from where, for `status -v`.
    pub(super) fn show(&self, seen: &Seen<'_>, common: &Common) -> Result<(), Error> {
        let path = place().unwrap_or_default();
        let there = if path.exists() { "" } else { " (not there)" };
        seen.result(&format!("config    {}{there}\n", path.display()))?;
        let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let named = |names: &[&str]| {
            names
                .iter()
                .find(|name| is_set(name))
                .and_then(|name| std::env::var(name).ok())
        };
        let colour = self.colour.map(|colour| format!("{colour:?}").to_lowercase());
        let colours = COLOURS
            .iter()
            .find(|name| is_set(name))
            .map(|name| format!("by {name}"));
        let rows = [
            (
                "vault",
                text(&common.vault),
                text(&self.vault),
                "in the XDG data directory",
            ),
            (
                "identity",
                text(&common.identity),
                text(&self.identity),
                "in the XDG configuration directory",
            ),
            ("client", None, self.client.clone(), ""),
            ("label", None, self.label.clone(), "as the policies say"),
            ("purpose", common.purpose.clone(), self.purpose.clone(), ""),
            ("editor", named(&["VISUAL", "EDITOR"]), self.editor.clone(), ""),
            ("unlock", None, self.unlock.clone(), UNLOCK),
            ("colour", colours, colour, "auto"),
            (
                "pager",
                None,
                self.pager.map(|pager| format!("{pager:?}").to_lowercase()),
                "on",
            ),
            ("lock_after", None, self.lock_after.clone(), LOCK_AFTER),
            ("time_zone", None, self.time_zone.clone(), "this computer's"),
        ];
        let row = |(key, given, own, default): (&str, Option<String>, Option<String>, &str)| {
            let (value, from) = match (given, own) {
                (Some(given), _) => (given, "arguments or environment"),
                (None, Some(own)) => (own, "config"),
                (None, None) => (default.to_owned(), "default"),
            };
            vec![key.to_owned(), super::out::one_line(&value), from.to_owned()]
        };
        seen.table(&["key", "value", "from"], rows.into_iter().map(row).collect())
    }
}

/// What says whether there is colour, by common use.
const COLOURS: [&str; 3] = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"];

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    const PAGE: &str = include_str!("../../docs/guide/config.md");

    /// The file as the guide has it, with every line in force.
    fn whole() -> String {
        let block = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
        let lines = block.expect("the guide has the file").lines();
        let keys = lines.filter_map(|line| line.strip_prefix('#').filter(|line| !line.starts_with(' ')));
        keys.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn the_guide_has_every_key_and_its_default() {
        let config = Config::parse(&whole()).unwrap();
        let Config {
            vault: Some(_),
            identity: Some(_),
            client: Some(_),
            label: Some(_),
            purpose: Some(_),
            editor: Some(_),
            unlock: Some(unlock),
            colour: Some(Colour::Auto),
            pager: Some(Pager::On),
            lock_after: Some(lock_after),
            time_zone: Some(_),
        } = config
        else {
            panic!("{config:?}");
        };
        assert_eq!((unlock.as_str(), lock_after.as_str()), (UNLOCK, LOCK_AFTER));
    }

    #[test]
    fn what_cannot_be_taken_is_told_with_its_line_and_why() {
        for (text, line, why) in [
            ("\ncolor = \"never\"\n", 2, "there is no key `color`: there are `vault`"),
            ("passphrase = \"x\"", 1, "there is no key `passphrase`"),
            ("label = \"internal\"\nclient = \"\"", 2, "it is empty"),
            (
                "unlock = \"2 days\"",
                1,
                "is not a time between 1s and 24h: write it as",
            ),
            ("vault = \"here\"", 1, "it is not a whole path"),
            ("colour = \"red\"", 1, "`red` says nothing here: it is one of `auto`"),
            ("pager = \"less\"", 1, "`less` says nothing here: it is `on` or `off`"),
            ("lock_after = \"0s\"", 1, "is not a time between 1s and 24h"),
            ("\n\ntime_zone = \"Europe/Atlantis\"", 3, "knows no such time zone"),
            ("client = 3", 1, "the value is not a text"),
            ("client = [\"a\"]", 1, "the value is not a text"),
            ("client = \"a\"\nclient = \"b\"", 2, "this key stands there twice"),
            ("a\n= [", 1, "this is not written as `key = \"value\"`"),
        ] {
            let (at, words) = Config::parse(text).unwrap_err();
            assert_eq!(at, line, "{text}: {words}");
            assert!(words.contains(why), "{text}: {words}");
        }
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn a_file_without_end_is_not_read_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::File::create(&path).unwrap().set_len(MAX * 4).unwrap();
        assert_eq!(read_bounded(&path).unwrap().len() as u64, MAX + 1);
    }

    #[test]
    fn arguments_come_before_the_file() {
        let config = Config::parse("client = \"Halcyon\"\nlabel = \"internal\"\npurpose = \"duty\"").unwrap();
        let filled = |line: &str| {
            let mut args = Args::parse_from(line.split(' '));
            config.fill(&mut args);
            args
        };
        let client = |args: Args| match args.command {
            Command::Add(add) => (add.client, add.label, args.common.purpose),
            _ => panic!("not an add"),
        };
        let some = |text: &str| Some(text.to_owned());
        let (halcyon, duty) = (some("Halcyon"), some("duty"));
        assert_eq!(client(filled("x add")), (halcyon.clone(), some("internal"), duty));
        let line = "x add --label public --purpose review";
        assert_eq!(client(filled(line)), (halcyon, some("public"), some("review")));
        let reading = Config::parse("pager = \"off\"\nlock_after = \"2m\"").unwrap();
        for (line, after) in [("x browse", "2m"), ("x browse --lock-after 1h", "1h")] {
            let mut args = Args::parse_from(line.split(' '));
            reading.fill(&mut args);
            let Command::Browse(browse) = args.command else {
                panic!("not a browse");
            };
            assert_eq!(browse.lock_after.as_deref(), Some(after));
        }
        let mut args = Args::parse_from(["x", "show", "3f2a"]);
        reading.fill(&mut args);
        assert!(matches!(args.command, Command::Show(show) if show.no_pager));
        let Command::Unlock { idle } = filled("x unlock").command else {
            panic!("not an unlock");
        };
        assert_eq!(idle.as_deref(), Some(UNLOCK));
    }
}
