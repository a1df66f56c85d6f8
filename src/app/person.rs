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
    /// Whether anybody can be asked for a line.
    fn answers(&self) -> bool;
    /// Asks for a line of text; `None` if nobody can be asked.
    fn line(&self, prompt: &str) -> Option<String>;
    /// Opens a file of the person's to read.
    fn open(&self, path: &Path) -> Result<File, Error>;
    /// The files of a folder of the person's and of the folders in it, as paths below it with `/` between their parts.
    fn files_in(&self, folder: &Path) -> Result<Vec<String>, Error>;
    /// Begins a file for the person where nothing may be yet.
    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, Error>;
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

/// The most files that are listed in a folder, and how deep.
const LISTED_MAX: usize = 256;
const DEPTH_MAX: usize = 4;

/// [`Person::files_in`] for a person at this process's terminal. A hidden folder is named, not entered.
pub fn list_files(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |why: String| Error::new(Kind::Failed, format!("cannot read `{}`: {why}", folder.display()));
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((path, prefix, depth)) = folders.pop() {
        let entries = std::fs::read_dir(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::new(Kind::Failed, format!("`{}` does not exist", path.display())),
            _ => failed(error.to_string()),
        })?;
        for entry in entries {
            let entry = entry.map_err(|error| failed(error.to_string()))?;
            let name = entry.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| failed("it holds a name that is no text".into()))?;
            let below = format!("{prefix}{name}");
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match is_folder && !name.starts_with('.') && depth < DEPTH_MAX {
                true => folders.push((entry.path(), format!("{below}/"), depth + 1)),
                false => files.push(below),
            }
            if files.len() + folders.len() > LISTED_MAX {
                return Err(failed(format!("it holds more than {LISTED_MAX} files")));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// [`Person::create`] for a person at this process's terminal.
pub fn new_file(path: &Path) -> Result<Box<dyn NewFile>, Error> {
    Ok(Box::new(Here(NewPlainFile::begin(path)?)))
}
