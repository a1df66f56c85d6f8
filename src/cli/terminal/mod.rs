//! Where results and remarks go and answers come from. A use case and what renders it do not know whether the
//! person sits at this process's terminal or at that of a client for whom the agent works.

mod away;
mod clipboard;
mod editor;
mod here;
mod keys;
mod progress;
mod screen;
mod signals;

pub(super) use away::Away;
pub(super) use clipboard::clear as clear_clipboard;
pub(super) use here::Here;
pub(super) use keys::{Act, Input, Key};
pub(super) use progress::Progress;
pub(super) use screen::hide;
pub(super) use signals::exit_code as ended_by_a_signal;

use super::args::Common;
use super::out;
use crate::app::shared::Doubt;
use crate::app::{Error, Kind, Person};
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// The largest text that is read at once, in bytes.
const TEXT_MAX: u64 = 1 << 20;

/// What rendering and asking need to know of a terminal.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// Whether the person may be asked at all.
    pub(super) may_ask: bool,
    /// Whether somebody types at standard input.
    pub(super) typed: bool,
    /// Whether the person has an editor.
    pub(super) editor: bool,
    /// Whether somebody watches standard output.
    pub(super) watched: bool,
    /// How many columns standard output has, if anything says so.
    pub(super) columns: Option<u16>,
    /// How many lines it shows at once, if it is a terminal.
    pub(super) rows: Option<u16>,
    /// Whether bold, underlined and the like are wanted there: a terminal, and no `NO_COLOR`.
    pub(super) colour: bool,
}

/// A terminal, or what stands in its place.
pub(super) trait Terminal: Person {
    /// What is known of it.
    fn facts(&self) -> &Facts;
    /// Writes a result to standard output. A reader that has gone away (`| head`) is no error.
    fn result(&self, text: &str) -> Result<(), Error>;
    /// Writes a remark to standard error.
    fn remark(&self, text: &str);
    /// Asks for a text of several lines; `None` if nobody can be asked.
    fn text(&self) -> Option<Vec<u8>>;
    /// Standard input, to read from.
    fn input(&self) -> Result<File, Error>;
    /// Standard output, to write bytes to that are no text; an error where a person would see them.
    fn output(&self) -> Result<File, Error>;
    /// Puts a text into the person's clipboard for so long; says where it is.
    fn copy(&self, text: &[u8], keep: Duration) -> Result<String, Error>;
    /// Does something with a screen of its own; how many columns and rows it has.
    fn screen(&self, act: Act) -> Result<(u16, u16), Error>;
    /// What happens at the screen next; `Nothing` if for so long nothing does.
    fn next_input(&self, wait: Duration) -> Result<Input, Error>;
}

/// Reads all of a file, or of standard input for `-` and for nothing.
pub(super) fn read(terminal: &dyn Terminal, file: Option<&Path>) -> Result<Vec<u8>, Error> {
    let (name, input) = match file {
        Some(path) if path != Path::new("-") => (format!("`{}`", path.display()), terminal.open(path)?),
        _ => ("standard input".to_owned(), terminal.input()?),
    };
    let mut bytes = Vec::new();
    let read = input.take(TEXT_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::new(Kind::Failed, format!("{name} cannot be read: {error}")))?;
    if bytes.len() as u64 > TEXT_MAX {
        return Err(Error::new(
            Kind::Failed,
            format!("{name} has more than 1 MiB; nothing was done with it"),
        ));
    }
    Ok(bytes)
}

/// How results are shown.
pub(super) struct Seen<'a> {
    /// Where.
    pub(super) terminal: &'a dyn Terminal,
    /// As JSON.
    pub(super) json: bool,
    /// Without remarks.
    pub(super) quiet: bool,
    /// Without questions before what cannot be undone.
    pub(super) yes: bool,
    /// All of what is told in short otherwise.
    pub(super) verbose: bool,
}

impl<'a> Seen<'a> {
    /// Has a person at a terminal say `yes` to what cannot be taken back; who said so before, or is no person, is not asked.
    pub(super) fn agreed(&self, prompt: &str, otherwise: &str) -> Result<(), Error> {
        let facts = self.terminal.facts();
        if self.yes || !(facts.may_ask && facts.typed) {
            return Ok(());
        }
        match self
            .terminal
            .line(&format!("{prompt} Type yes: "))
            .as_deref()
            .map(str::trim)
        {
            Some("yes") => Ok(()),
            _ => Err(Error::new(Kind::Failed, otherwise)),
        }
    }

    /// As the arguments say.
    pub(super) fn new(terminal: &'a dyn Terminal, common: &Common) -> Self {
        Self {
            terminal,
            json: common.json,
            quiet: common.quiet,
            yes: common.yes,
            verbose: common.verbose,
        }
    }

    /// Writes a result.
    pub(super) fn result(&self, text: &str) -> Result<(), Error> {
        self.terminal.result(text)
    }

    /// Writes a result as one line of JSON.
    pub(super) fn json(&self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let mut line = out::json_text(value);
        line.push('\n');
        self.result(&line)
    }

    /// The same of a value that holds the text of a note, and is overwritten.
    pub(super) fn json_of_text(&self, mut value: Value) -> Result<(), Error> {
        let told = self.json(&value);
        out::wipe(&mut value);
        told
    }

    /// Writes a table as a result.
    pub(super) fn table(&self, head: &[&str], rows: Vec<Vec<String>>) -> Result<(), Error> {
        self.result(&out::table(self.terminal.facts().columns, head, rows))
    }

    /// What passed and needs a person's eye, beside the result.
    pub(super) fn doubts(&self, doubts: &[Doubt]) {
        for doubt in doubts {
            self.remark(&format!("doubtful: `{}` ({})", out::one_line(&doubt.text), doubt.why));
        }
    }

    /// Says something beside the result, unless nobody wants to hear it.
    pub(super) fn remark(&self, text: &str) {
        if !self.quiet {
            self.terminal.remark(text);
        }
    }
}
