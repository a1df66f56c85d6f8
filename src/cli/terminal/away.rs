//! The terminal of a client, as the agent sees it: everything is asked for over the wire.

use super::{Facts, Terminal};
use crate::app::shared::Passphrase;
use crate::app::{Error, Kind, NewFile, Person, Wire};
use crate::cli::agent::wire::{Answer, Ask, broken, from_path, receive, send};
use crate::cli::out;
use std::fs::File;
use std::path::Path;
use std::rc::Rc;

/// How much of a result goes into one message, in bytes.
const PIECE: usize = 256 * 1024;

/// Somebody at the other end of a wire.
pub(in crate::cli) struct Away {
    wire: Rc<Wire>,
    facts: Facts,
    /// Called whenever something crosses: the agent is not idle.
    alive: Box<dyn Fn()>,
}

impl Away {
    pub(in crate::cli) fn new(wire: Wire, facts: Facts, alive: impl Fn() + 'static) -> Self {
        Self {
            wire: Rc::new(wire),
            facts,
            alive: Box::new(alive),
        }
    }

    /// Says something that is not answered.
    pub(in crate::cli) fn tell(&self, ask: &Ask) -> Result<(), Error> {
        (self.alive)();
        send(&self.wire, ask, None)
    }

    fn ask(&self, ask: &Ask) -> Result<(Answer, Option<File>), Error> {
        self.tell(ask)?;
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

    fn file(&self, ask: &Ask) -> Result<File, Error> {
        match self.ask(ask)? {
            (Answer::Done, Some(file)) => Ok(file),
            (Answer::Refused(refusal), _) => Err(refusal.into()),
            _ => Err(broken("no file came")),
        }
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
}

impl Terminal for Away {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn result(&self, text: &str) -> Result<(), Error> {
        let mut pieces = text.as_bytes().chunks(PIECE);
        pieces.try_for_each(|piece| self.tell(&Ask::Result(piece.to_vec().into())))
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
}
