//! The person at the terminal, as a use case knows them: somebody to ask, to warn, and to take and give files.

use super::error::{Error, Kind};
use crate::env::NewPlainFile;
use crate::secret::Passphrase;
use std::fs::File;
use std::path::Path;

/// The person at the terminal. A use case asks; how it is asked is the street door's business.
pub trait Person {
    /// Asks for a passphrase. An error if nobody can be asked.
    fn passphrase(&self, prompt: &str) -> Result<Passphrase, Error>;
    /// Says something beside the result that the person should know.
    fn warn(&self, text: &str);
    /// Asks for a line of text; `None` if nobody can be asked.
    fn line(&self, prompt: &str) -> Option<String>;
    /// Opens a file of the person's to read.
    fn open(&self, path: &Path) -> Result<File, Error>;
    /// Begins a file for the person where nothing may be yet.
    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, Error>;
    /// Tells how far a long piece of work has come, in bytes, of how many if that is known. Said often; shown, if at all, now
    /// and then. `None` ends it.
    fn progress(&self, _done: Option<u64>, _whole: Option<u64>) {}
}

/// Whether a character could drive a terminal or turn the direction of writing.
pub fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// A file that is there under its name once it is whole.
pub trait NewFile {
    /// Where it is written.
    fn file(&mut self) -> &mut File;
    /// Puts it under its name, durable. Without this nothing is left of it.
    fn keep(self: Box<Self>) -> Result<(), Error>;
}

struct Here(NewPlainFile);

impl NewFile for Here {
    fn file(&mut self) -> &mut File {
        self.0.file()
    }

    fn keep(self: Box<Self>) -> Result<(), Error> {
        Ok(self.0.keep()?)
    }
}

/// [`Person::open`] for a person at this process's terminal.
pub fn open_file(path: &Path) -> Result<File, Error> {
    let opened = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        false => Ok(file),
        true => Err(std::io::Error::other("it is a folder")),
    });
    opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(Kind::Failed, format!("`{}` does not exist", path.display())),
        _ => Error::new(Kind::Failed, format!("cannot read `{}`: {error}", path.display())),
    })
}

/// [`Person::create`] for a person at this process's terminal.
pub fn new_file(path: &Path) -> Result<Box<dyn NewFile>, Error> {
    Ok(Box::new(Here(NewPlainFile::begin(path)?)))
}
