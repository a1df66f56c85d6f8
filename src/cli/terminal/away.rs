//! The terminal of a client, as the agent sees it: everything is asked for over the wire.

use super::keys::{Act, Input};
use super::{Facts, Terminal};
use crate::app::shared::Passphrase;
use crate::app::{Decrypt, Error, GitEnded, GitJob, Kind, NewFile, NewFolder, Person, Wire, WrittenText};
use crate::cli::agent::wire::{Answer, Ask, Written, broken, from_path, receive, send};
use crate::cli::out;
use std::cell::Cell;
use std::fs::File;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often progress is told at most.
const TELL: Duration = Duration::from_millis(100);
/// How much of a result goes into one message, in bytes.
const PIECE: usize = 256 * 1024;

/// Somebody at the other end of a wire.
pub(in crate::cli) struct Away {
    wire: Rc<Wire>,
    facts: Facts,
    /// Called whenever something crosses: the agent is not idle.
    alive: Box<dyn Fn()>,
    /// Whether a screen is shown: what is drawn there is no use of the vault, only what is typed.
    screen: Cell<bool>,
    /// When progress was told last.
    told: Cell<Option<Instant>>,
}

impl Away {
    pub(in crate::cli) fn new(wire: Wire, facts: Facts, alive: impl Fn() + 'static) -> Self {
        Self {
            wire: Rc::new(wire),
            facts,
            alive: Box::new(alive),
            screen: Cell::new(false),
            told: Cell::new(None),
        }
    }

    /// Says something that is not answered.
    pub(in crate::cli) fn tell(&self, ask: &Ask) -> Result<(), Error> {
        (self.alive)();
        send(&self.wire, ask, None)
    }

    fn ask(&self, ask: &Ask) -> Result<(Answer, Option<File>), Error> {
        self.ask_with(ask, None)
    }

    /// Asks, and hands a file over.
    fn ask_with(&self, ask: &Ask, file: Option<&File>) -> Result<(Answer, Option<File>), Error> {
        (self.alive)();
        send(&self.wire, ask, file)?;
        let answer = answer(&self.wire)?;
        (self.alive)();
        Ok(answer)
    }

    fn typed(&self, ask: &Ask) -> Option<Vec<u8>> {
        match self.ask(ask) {
            Ok((Answer::Typed(typed), _)) => typed.map(Vec::from),
            _ => None,
        }
    }

    fn at_the_client(&self, written: Written) -> Box<dyn WrittenText> {
        let wire = Rc::clone(&self.wire);
        Box::new(AtTheClient { wire, written })
    }

    fn file(&self, ask: &Ask) -> Result<File, Error> {
        match self.ask(ask)? {
            (Answer::Done, Some(file)) => Ok(file),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no file came")),
        }
    }
}

/// How a program that was run at the client's ended.
fn ended((answer, _): (Answer, Option<File>), otherwise: &str) -> Result<GitEnded, Error> {
    match answer {
        Answer::Git(succeeded, stopped, output, errors) => Ok(GitEnded {
            succeeded,
            stopped,
            output: output.into(),
            errors: errors.into(),
        }),
        Answer::Refused(refusal) => Err(refusal.into()),
        _ => Err(broken(otherwise)),
    }
}

fn answer(wire: &Wire) -> Result<(Answer, Option<File>), Error> {
    receive(wire)?.ok_or_else(|| broken("the client is gone"))
}

struct Begun {
    wire: Rc<Wire>,
    file: File,
    kept: bool,
}

impl NewFile for Begun {
    fn file(&mut self) -> &mut File {
        &mut self.file
    }

    fn keep(mut self: Box<Self>) -> Result<(), Error> {
        self.kept = true;
        send(&self.wire, &Ask::Keep, None)?;
        match answer(&self.wire)? {
            (Answer::Done, _) => Ok(()),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("the file may not be there")),
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.kept && send(&self.wire, &Ask::Abandon, None).is_ok() {
            let _ = answer(&self.wire);
        }
    }
}

struct BegunFolder {
    wire: Rc<Wire>,
    kept: Cell<bool>,
}

impl NewFolder for BegunFolder {
    fn file(&self, below: &str) -> Result<File, Error> {
        send(&self.wire, &Ask::FileBelow(below.to_owned()), None)?;
        match answer(&self.wire)? {
            (Answer::Done, Some(file)) => Ok(file),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no file came")),
        }
    }

    fn keep(self: Box<Self>) -> Result<(), Error> {
        self.kept.set(true);
        send(&self.wire, &Ask::KeepFolder, None)?;
        match answer(&self.wire)? {
            (Answer::Done, _) => Ok(()),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("the folder may not be there")),
        }
    }
}

impl Drop for BegunFolder {
    fn drop(&mut self) {
        if !self.kept.get() && send(&self.wire, &Ask::AbandonFolder, None).is_ok() {
            let _ = answer(&self.wire);
        }
    }
}

/// A text from an editor that lies at the client's.
struct AtTheClient {
    wire: Rc<Wire>,
    written: Written,
}

impl WrittenText for AtTheClient {
    fn ticket(&self) -> &[u8] {
        &self.written.ticket
    }

    fn text(&self) -> &[u8] {
        &self.written.text
    }

    fn problem(&self) -> Option<&str> {
        self.written.problem.as_deref()
    }

    fn wipe(self: Box<Self>) -> Result<(), Error> {
        send(&self.wire, &Ask::Wipe(self.written.number), None)?;
        match answer(&self.wire)? {
            (Answer::Done, _) => Ok(()),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("the text may still be in memory")),
        }
    }
}

impl Person for Away {
    fn passphrase(&self, prompt: &str) -> Result<Passphrase, Error> {
        let nobody = || Error::new(Kind::Locked, "a passphrase is needed, and nobody can be asked");
        match self.ask(&Ask::Passphrase(prompt.to_owned()))? {
            (Answer::Typed(Some(typed)), _) => String::from_utf8(typed.into())
                .map(Passphrase::new)
                .map_err(|_| nobody()),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(nobody()),
        }
    }

    fn warn(&self, text: &str) {
        self.remark(&format!("strongroom: warning: {}", out::plain(text)));
    }

    fn answers(&self) -> bool {
        self.facts.may_ask && self.facts.typed
    }

    fn line(&self, prompt: &str) -> Option<String> {
        String::from_utf8(self.typed(&Ask::Line(prompt.to_owned()))?).ok()
    }

    fn open(&self, path: &Path) -> Result<File, Error> {
        self.file(&Ask::Open(from_path(path)))
    }

    fn files_in(&self, folder: &Path) -> Result<Vec<String>, Error> {
        match self.ask(&Ask::FilesIn(from_path(folder)))? {
            (Answer::Names(names), _) => Ok(names),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no names came")),
        }
    }

    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, Error> {
        Ok(Box::new(Begun {
            file: self.file(&Ask::Create(from_path(path)))?,
            wire: Rc::clone(&self.wire),
            kept: false,
        }))
    }

    fn create_folder(&self, path: &Path) -> Result<Box<dyn NewFolder>, Error> {
        match self.ask(&Ask::CreateFolder(from_path(path)))? {
            (Answer::Done, _) => Ok(Box::new(BegunFolder {
                wire: Rc::clone(&self.wire),
                kept: Cell::new(false),
            })),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no folder was begun")),
        }
    }

    fn git(&self, job: &GitJob) -> Result<GitEnded, Error> {
        let words = job.arguments.iter().map(|word| from_path(word.as_ref())).collect();
        let watched = job.watched.as_ref().map(|(folder, max)| (from_path(folder), *max));
        ended(
            self.ask(&Ask::Git(words, job.output_max, watched, job.deadline))?,
            "git did not end",
        )
    }

    fn source(&self, path: &Path) -> Result<(File, String), Error> {
        match self.ask(&Ask::Source(from_path(path)))? {
            (Answer::Names(mut names), Some(file)) if names.len() == 1 => Ok((file, names.remove(0))),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no file came")),
        }
    }

    fn decrypt(&self, sealed: &File, with: &Decrypt) -> Result<GitEnded, Error> {
        let ask = match with {
            Decrypt::Gpg => Ask::Decrypt(false, None),
            Decrypt::Age(identity) => Ask::Decrypt(true, identity.as_deref().map(from_path)),
        };
        ended(self.ask_with(&ask, Some(sealed))?, "it was not opened")
    }

    fn has_editor(&self) -> bool {
        self.facts.editor
    }

    fn edit(&self, text: &[u8], ticket: &[u8], insist: bool) -> Result<Box<dyn WrittenText>, Error> {
        let ask = Ask::Edit(text.into(), ticket.to_vec().into(), insist);
        match self.ask(&ask)? {
            (Answer::Written(Some(written)), _) => Ok(self.at_the_client(written)),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no text came")),
        }
    }

    fn left_texts(&self) -> Vec<Box<dyn WrittenText>> {
        let mut left = Vec::new();
        while let Ok((Answer::Written(Some(written)), _)) = self.ask(&Ask::NextLeft) {
            left.push(self.at_the_client(written));
        }
        left
    }

    fn progress(&self, done: Option<u64>, whole: Option<u64>) {
        let told = self.told.get().is_some_and(|told| told.elapsed() < TELL);
        if done.is_none() || !told {
            self.told.set(Some(Instant::now()));
            // A client that is gone is noticed where something is asked of it.
            let _ = self.tell(&Ask::Progress(done, whole));
        }
    }
}

impl Terminal for Away {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn result(&self, text: &str) -> Result<(), Error> {
        let mut pieces = text.as_bytes().chunks(PIECE);
        pieces.try_for_each(|piece| {
            let ask = Ask::Result(piece.into());
            match self.screen.get() {
                true => send(&self.wire, &ask, None),
                false => self.tell(&ask),
            }
        })
    }

    fn remark(&self, text: &str) {
        // A client that is gone hears nothing.
        let _ = self.tell(&Ask::Remark(text.to_owned()));
    }

    fn text(&self) -> Option<Vec<u8>> {
        self.typed(&Ask::Text)
    }

    fn input(&self) -> Result<File, Error> {
        self.file(&Ask::Input)
    }

    fn output(&self) -> Result<File, Error> {
        self.file(&Ask::Output)
    }

    fn copy(&self, text: &[u8], keep: Duration) -> Result<String, Error> {
        match self.ask(&Ask::Copy(text.into(), keep.as_secs()))? {
            (Answer::Names(words), _) => Ok(words.concat()),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("the text may be in the clipboard")),
        }
    }

    fn screen(&self, act: Act) -> Result<(u16, u16), Error> {
        match self.ask(&Ask::Screen(act))? {
            (Answer::Happened(Input::Size(columns, rows)), _) => {
                self.screen.set(act == Act::Show);
                Ok((columns, rows))
            }
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no screen came")),
        }
    }

    fn next_input(&self, wait: Duration) -> Result<Input, Error> {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        // To wait for somebody is no use of the vault: only what they do is.
        send(&self.wire, &Ask::Next(millis), None)?;
        match answer(&self.wire)? {
            (Answer::Happened(input), _) => {
                if matches!(input, Input::Key(_) | Input::Pasted(_)) {
                    (self.alive)();
                }
                Ok(input)
            }
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("nothing happened")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::keys::Key;
    use super::*;

    #[test]
    fn what_is_drawn_on_a_screen_is_no_sign_of_life() {
        let (wire, other) = Wire::pair().unwrap();
        let client = std::thread::spawn(move || {
            let mut inputs = [
                Input::Nothing,
                Input::Size(80, 20),
                Input::Key(Key::Down),
                Input::Nothing,
            ]
            .into_iter();
            let mut drawn = 0;
            while let Some((ask, _)) = receive::<Ask>(&other).unwrap() {
                let happened = match ask {
                    Ask::Screen(_) => Input::Size(80, 24),
                    Ask::Next(_) => inputs.next().unwrap(),
                    _ => {
                        drawn += 1;
                        continue;
                    }
                };
                send(&other, &Answer::Happened(happened), None).unwrap();
            }
            drawn
        });
        let lived = Rc::new(Cell::new(0));
        let counted = Rc::clone(&lived);
        let away = Away::new(wire, Facts::default(), move || counted.set(counted.get() + 1));
        let since = || lived.replace(0);
        away.result("a list").unwrap();
        assert_eq!(since(), 1);
        away.screen(Act::Show).unwrap();
        since();
        for lives in [0, 0, 1, 0] {
            away.result("a screen").unwrap();
            assert_eq!(since(), 0);
            away.next_input(Duration::from_secs(20)).unwrap();
            assert_eq!(since(), lives);
        }
        for act in [Act::Hide, Act::End] {
            away.screen(act).unwrap();
            since();
            away.result("a list").unwrap();
            assert_eq!(since(), 1);
        }
        drop(away);
        assert_eq!(client.join().unwrap(), 7);
    }
}
