//! The terminal of this process.

use super::keys::{Act, Input};
use super::screen::{self, Screen};
use super::{Facts, Progress, Terminal, clipboard, editor};
use crate::app::shared::Passphrase;
use crate::app::{
    Decrypt, Error, GitEnded, GitJob, Kind, NewFile, Person, WrittenText, left_texts, list_files, new_file, open_file,
    run_decrypt, run_git,
};
use crate::cli::out;
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Standard input, output and error of this process.
pub(in crate::cli) struct Here {
    facts: Facts,
    progress: RefCell<Progress>,
    editor: Option<String>,
    screen: RefCell<Option<Screen>>,
}

impl Here {
    /// Looks at this process's terminal. `may_ask`: whether the person wants to be asked; `editor`: which they want where the
    /// environment names none.
    pub(in crate::cli) fn new(may_ask: bool, editor: Option<String>) -> Self {
        let editor = editor::named().or(editor);
        let out = std::io::stdout();
        let size = out
            .is_terminal()
            .then(|| rustix::termios::tcgetwinsize(&out).ok())
            .flatten();
        // Where no terminal says how wide it is, COLUMNS may (POSIX.1-2024, 8.3).
        let told = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Self {
            facts: Facts {
                may_ask,
                typed: std::io::stdin().is_terminal(),
                editor: editor.is_some(),
                watched: out.is_terminal(),
                columns: match out.is_terminal() {
                    true => size.map(|size| size.ws_col),
                    false => told(),
                }
                .filter(|columns| *columns > 0),
                rows: size.map(|size| size.ws_row).filter(|rows| *rows > 0),
                colour: anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never,
            },
            progress: RefCell::new(Progress::new(std::io::stderr().is_terminal())),
            editor,
            screen: RefCell::new(None),
        }
    }

    /// Writes to standard output. A reader that has gone away (`| head`) is no error.
    pub(in crate::cli) fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(unwritten(&error)),
            _ => Ok(()),
        }
    }

    /// The same as [`Terminal::next_input`]; `None` if something happens to `beside` first.
    pub(in crate::cli) fn next_input_beside(&self, wait: Duration, beside: Option<BorrowedFd<'_>>) -> Option<Input> {
        match &mut *self.screen.borrow_mut() {
            Some(screen) => screen.next(wait, beside),
            None => Some(Input::Over),
        }
    }

    fn asks(&self) -> bool {
        self.facts.may_ask && self.facts.typed
    }
}

/// Most results are written when all is done and entered.
fn unwritten(error: &std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("standard output cannot be written: {error}"))
        .hint("what was to be done may be done all the same: look before you do it again")
}

impl Person for Here {
    fn passphrase(&self, prompt: &str) -> Result<Passphrase, Error> {
        let nobody = || {
            Error::new(Kind::Locked, "a passphrase is needed, and nobody can be asked")
                .hint("run this at a terminal, unlock first, or set STRONGROOM_PASSPHRASE_FILE or STRONGROOM_PASSPHRASE_COMMAND")
        };
        if !self.facts.may_ask {
            return Err(nobody());
        }
        rpassword::prompt_password(prompt)
            .map(Passphrase::new)
            .map_err(|error| {
                if error.kind() != std::io::ErrorKind::UnexpectedEof {
                    return nobody();
                }
                // Where the prompt stands nothing else does.
                let _ = writeln!(std::io::stderr());
                Error::new(Kind::Locked, "no passphrase was given")
            })
    }

    fn warn(&self, text: &str) {
        self.remark(&format!("strongroom: warning: {}", out::plain(text)));
    }

    fn answers(&self) -> bool {
        self.asks()
    }

    fn line(&self, prompt: &str) -> Option<String> {
        if !self.asks() {
            return None;
        }
        let mut err = std::io::stderr();
        write!(err, "{}", out::fitted(&out::plain(prompt)))
            .and_then(|()| err.flush())
            .ok()?;
        // A row of a recovery share is typed like any other line.
        let mut line = zeroize::Zeroizing::new(String::new());
        std::io::stdin().lock().read_line(&mut line).ok()?;
        Some(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    fn open(&self, path: &Path) -> Result<File, Error> {
        open_file(path)
    }

    fn files_in(&self, folder: &Path) -> Result<Vec<String>, Error> {
        list_files(folder)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, Error> {
        new_file(path)
    }

    fn git(&self, job: &GitJob) -> Result<GitEnded, Error> {
        let ended = run_git(job, self.facts.may_ask, &|bytes| self.progress(Some(bytes), None));
        self.progress(None, None);
        ended
    }

    fn decrypt(&self, sealed: &File, with: &Decrypt) -> Result<GitEnded, Error> {
        run_decrypt(sealed, with, self.facts.may_ask)
    }

    fn has_editor(&self) -> bool {
        self.facts.editor
    }

    fn edit(&self, text: &[u8], ticket: &[u8], insist: bool) -> Result<Box<dyn WrittenText>, Error> {
        if !self.facts.may_ask {
            return Err(Error::new(
                Kind::Usage,
                "an editor was asked for, and asking was forbidden",
            ));
        }
        editor::edit(self.editor.as_deref(), text, ticket, insist, &|text| self.warn(text))
    }

    fn left_texts(&self) -> Vec<Box<dyn WrittenText>> {
        left_texts()
    }

    fn progress(&self, done: Option<u64>, whole: Option<u64>) {
        if let Some(line) = self.progress.borrow_mut().line(done, whole, Instant::now()) {
            let mut err = std::io::stderr();
            let _ = write!(err, "{line}").and_then(|()| err.flush());
        }
    }
}

impl Terminal for Here {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn result(&self, text: &str) -> Result<(), Error> {
        self.write(text.as_bytes())
    }

    fn remark(&self, text: &str) {
        out::say(text);
    }

    fn text(&self) -> Option<Vec<u8>> {
        if !self.asks() {
            return None;
        }
        out::say("the note; a line with a single dot ends it:");
        let mut text = String::new();
        loop {
            let mut line = String::new();
            if std::io::stdin().lock().read_line(&mut line).ok()? == 0 || line.trim_end() == "." {
                return Some(text.into_bytes());
            }
            text.push_str(&line);
        }
    }

    fn output(&self) -> Result<File, Error> {
        let out = std::io::stdout();
        if out.is_terminal() {
            return Err(
                Error::new(Kind::Usage, "this may be anything, and a terminal would obey it")
                    .hint("lead it into another program, or name a file with --out FILE"),
            );
        }
        let output = out.as_fd().try_clone_to_owned();
        output
            .map(File::from)
            .map_err(|error| Error::new(Kind::Failed, format!("standard output cannot be written: {error}")))
    }

    fn input(&self) -> Result<File, Error> {
        let input = std::io::stdin().as_fd().try_clone_to_owned();
        input
            .map(File::from)
            .map_err(|error| Error::new(Kind::Failed, format!("standard input cannot be read: {error}")))
    }

    fn copy(&self, text: &[u8], keep: Duration) -> Result<String, Error> {
        clipboard::copy(text, keep)
    }

    fn screen(&self, act: Act) -> Result<(u16, u16), Error> {
        let mut screen = self.screen.borrow_mut();
        match act {
            Act::Show if !self.facts.may_ask => Err(Error::new(
                Kind::Usage,
                "this asks what to do next, and asking was forbidden",
            )),
            Act::Show => match &*screen {
                Some(screen) => screen.show(),
                None => screen.insert(Screen::begin()?).show(),
            },
            Act::Hide => {
                screen::hide();
                Ok((0, 0))
            }
            Act::End => {
                drop(screen.take());
                Ok((0, 0))
            }
        }
    }

    fn next_input(&self, wait: Duration) -> Result<Input, Error> {
        Ok(self.next_input_beside(wait, None).unwrap_or(Input::Over))
    }
}
