//! The person at the terminal, as a use case knows them: somebody to ask, to warn, and to take and give files.

use super::error::{Error, Kind};
pub use crate::env::Ended as GitEnded;
use crate::env::{Buffer, NewPlainFile, NewPrivateFolder, Program, SystemEntropy};
pub use crate::repo::GitJob;
use crate::secret::Passphrase;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use zeroize::Zeroizing;

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
    /// Begins a folder for the person where nothing may be yet.
    fn create_folder(&self, path: &Path) -> Result<Box<dyn NewFolder>, Error> {
        new_folder(path)
    }
    /// Tells how far a long piece of work has come, in bytes, of how many if that is known. Said often; shown, if at all, now
    /// and then. `None` ends it.
    fn progress(&self, _done: Option<u64>, _whole: Option<u64>) {}
    /// Has the person's own git do something, where they sit: their keys, helpers and proxies are there.
    fn git(&self, job: &GitJob) -> Result<GitEnded, Error> {
        run_git(job, false, &|_| {})
    }
    /// Opens a file or folder of the person's from which notes are to be taken, and says where it is in full.
    fn source(&self, path: &Path) -> Result<(File, String), Error> {
        open_source(path)
    }
    /// Has the person's own program open what it once sealed, where they sit: their keys and whoever asks for passphrases
    /// are there. What it gives stays in memory.
    fn decrypt(&self, sealed: &File, with: &Decrypt) -> Result<GitEnded, Error> {
        run_decrypt(sealed, with, false)
    }
    /// Whether the person has an editor.
    fn has_editor(&self) -> bool {
        false
    }
    /// Lets the person write in their editor, from `text` on. `ticket` says sealed what the text is for, and lies beside it.
    /// Where the text would lie on a disk this is refused, unless the person insists.
    fn edit(&self, text: &[u8], ticket: &[u8], insist: bool) -> Result<Box<dyn WrittenText>, Error> {
        let _ = (text, ticket, insist);
        Err(Error::new(Kind::Failed, "there is no editor here")
            .hint("give the text with --file FILE, or through a pipe"))
    }
    /// What earlier runs that were killed left of texts in editors.
    fn left_texts(&self) -> Vec<Box<dyn WrittenText>> {
        Vec::new()
    }
}

/// [`Person::git`] for a person at this process's terminal.
pub fn run_git(job: &GitJob, may_ask: bool, tell: &dyn Fn(u64)) -> Result<GitEnded, Error> {
    job.run(may_ask, tell).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(Kind::Failed, "there is no program `git` on the path")
            .hint("install git, 2.29 or later: it carries what is synced"),
        _ => Error::new(Kind::Failed, format!("git cannot be run: {error}")),
    })
}

/// What a person wrote in an editor. It lies in memory until it is wiped; dropped without that, it stays there for the
/// next start to find.
pub trait WrittenText {
    /// What the text is for, sealed.
    fn ticket(&self) -> &[u8];
    /// The text.
    fn text(&self) -> &[u8];
    /// Why the editor did not end well, if it did not.
    fn problem(&self) -> Option<&str>;
    /// Overwrites and removes it.
    fn wipe(self: Box<Self>) -> Result<(), Error>;
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

/// A private folder that is there under its name once all of it is whole.
pub trait NewFolder {
    /// Begins a file in it, at a path below it with `/` between its parts, which are plain names; folders are made.
    fn file(&self, below: &str) -> Result<File, Error>;
    /// Puts the folder under its name, durable. Without this nothing is left of it.
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

struct HereFolder(NewPrivateFolder);

impl NewFolder for HereFolder {
    fn file(&self, below: &str) -> Result<File, Error> {
        Ok(self.0.file(below)?)
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

/// [`Person::source`] for a person at this process's terminal.
pub fn open_source(path: &Path) -> Result<(File, String), Error> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(Kind::Failed, format!("`{}` does not exist", path.display())),
        _ => Error::new(Kind::Failed, format!("cannot read `{}`: {error}", path.display())),
    };
    let whole = std::fs::canonicalize(path).map_err(failed)?;
    let kind = std::fs::metadata(&whole).map_err(failed)?;
    if !kind.is_dir() && !kind.is_file() {
        return Err(Error::new(
            Kind::Failed,
            format!("`{}` is neither a file nor a folder", path.display()),
        ));
    }
    let file = File::open(&whole).map_err(failed)?;
    Ok((file, whole.to_string_lossy().into_owned()))
}

/// A program of the person's that opens what it sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decrypt {
    /// `gpg --decrypt`, as pass uses it.
    Gpg,
    /// `age --decrypt`, with this file of identities, or with that of passage.
    Age(Option<PathBuf>),
}

/// The most that is taken of one decrypted text, in bytes: a note and one more, which says that it is too long.
const DECRYPTED_MAX: u64 = (1 << 20) + 1;
/// How long such a program may take: somebody may look for their token.
const DECRYPT_TIME: Duration = Duration::from_secs(300);

/// [`Person::decrypt`] for a person at this process's terminal.
pub fn run_decrypt(sealed: &File, with: &Decrypt, may_ask: bool) -> Result<GitEnded, Error> {
    let input = sealed
        .try_clone()
        .map_err(|error| Error::new(Kind::Failed, error.to_string()))?;
    let mut arguments: Vec<std::ffi::OsString> = Vec::new();
    let name = match with {
        Decrypt::Gpg => {
            arguments.extend(["--decrypt", "--quiet", "--batch", "--yes"].map(Into::into));
            if !may_ask {
                arguments.extend(["--pinentry-mode", "error"].map(Into::into));
            }
            "gpg"
        }
        Decrypt::Age(identity) => {
            let identity = identity.clone().or_else(passage_identities).ok_or_else(|| {
                Error::new(Kind::Usage, "nothing says which age identities open it").hint("--age-identity FILE")
            })?;
            arguments.extend(["--decrypt".into(), "--identity".into(), identity.into()]);
            "age"
        }
    };
    let program = Program {
        name,
        arguments,
        // The passphrase of this vault is nobody else's business.
        hidden: |name| name.starts_with("STRONGROOM_"),
        variables: &[("LC_ALL", "C.UTF-8")],
        output_max: DECRYPTED_MAX,
        watched: None,
        deadline: Some(DECRYPT_TIME),
    };
    program
        .run_on(Stdio::from(input), &|_| {})
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(Kind::Failed, format!("there is no program `{name}` on the path")).hint(format!(
                    "install {name}: it opens what is to be imported, with your own keys"
                ))
            }
            _ => Error::new(Kind::Failed, format!("{name} cannot be run: {error}")),
        })
}

/// Where passage keeps its identities.
fn passage_identities() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("PASSAGE_IDENTITIES_FILE").or_else(|| Some(set("HOME")?.join(".passage/identities")))
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

/// [`Person::create_folder`] for a person at this process's terminal.
pub fn new_folder(path: &Path) -> Result<Box<dyn NewFolder>, Error> {
    Ok(Box::new(HereFolder(NewPrivateFolder::begin(path)?)))
}

/// A text for an editor on this machine, before and while it is edited.
pub struct EditorText(Buffer);

impl EditorText {
    /// Puts it where an editor can open it.
    pub fn begin(text: &[u8], ticket: &[u8], insist: bool) -> Result<Self, Error> {
        let made = Buffer::make(text, ticket, insist, &mut SystemEntropy);
        made.map(Self).map_err(|error| {
            let refused = Error::new(Kind::Failed, error.to_string());
            match error {
                crate::env::BufferError::NoMemory => refused.hint(
                    "nothing was opened; give the text with --file or through a pipe, or say --insist to have it on a disk \
                     while you write",
                ),
                crate::env::BufferError::Io { .. } => refused,
            }
        })
    }

    /// The file to edit.
    pub fn file(&self) -> PathBuf {
        self.0.file()
    }

    /// A folder for what the editor writes beside it; goes away with the text.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// Does `start`; a program started in it counts as at work on the text for as long as it runs.
    pub fn shared<T>(&self, start: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
        self.0.share_lock(true)?;
        let started = start();
        self.0.share_lock(false)?;
        started
    }

    /// What was written, after an editor that ended well or with a problem.
    pub fn end(self, problem: Option<String>) -> Result<Box<dyn WrittenText>, Error> {
        let text = match problem {
            None => self.0.text(),
            Some(_) => self.0.last_text(),
        };
        match (text, self.0.ticket()) {
            (Ok(text), Ok(ticket)) => Ok(Box::new(EndedText {
                buffer: self.0,
                text,
                ticket,
                problem,
            })),
            (text, ticket) => {
                let why = text
                    .err()
                    .or(ticket.err())
                    .map_or_else(String::new, |error| error.to_string());
                Err(
                    Error::new(Kind::Failed, format!("what the editor left cannot be read back: {why}")).hint(format!(
                        "nothing was recorded; it lies in `{}` until you remove it or the machine is switched off",
                        self.0.folder().display()
                    )),
                )
            }
        }
    }
}

struct EndedText {
    buffer: Buffer,
    text: Zeroizing<Vec<u8>>,
    ticket: Vec<u8>,
    problem: Option<String>,
}

impl WrittenText for EndedText {
    fn ticket(&self) -> &[u8] {
        &self.ticket
    }

    fn text(&self) -> &[u8] {
        &self.text
    }

    fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn wipe(self: Box<Self>) -> Result<(), Error> {
        Ok(self.buffer.wipe()?)
    }
}

/// [`Person::left_texts`] for a person at this machine. What cannot be read back stays where it is.
pub fn left_texts() -> Vec<Box<dyn WrittenText>> {
    let left = Buffer::left().into_iter().map(EditorText);
    left.filter_map(|text| text.end(Some("it was left behind".to_owned())).ok())
        .collect()
}
