//! The client's side: what the agent asks for is done here, at the person's own terminal.

use super::PATIENCE;
use super::wire::{Answer, Ask, Request, Run, Written, broken, receive, send, silent, to_path};
use crate::app::{Decrypt, Error, GitJob, Kind, NewFile, NewFolder, Person, Wire, WrittenText};
use crate::cli::terminal::{Here, Input, Terminal};
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;
use zeroize::Zeroize;

/// Has the agent carry out a command, the words of this process's command line.
pub(in crate::cli) fn run(wire: &Wire, here: &Here, words: Vec<OsString>) -> Result<u8, Error> {
    let facts = here.facts();
    let request = Request::Run(Run {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        words: words.into_iter().map(|word| word.into_vec().into()).collect(),
        may_ask: facts.may_ask,
        typed: facts.typed,
        watched: facts.watched,
        columns: facts.columns,
        editor: facts.editor,
        rows: facts.rows,
        colour: facts.colour,
    });
    wire.patience(Some(PATIENCE)).map_err(broken)?;
    send(wire, &request, None)?;
    // An agent that was stopped takes what it is sent, and says nothing.
    match receive::<Ask>(wire) {
        Ok(Some((Ask::Here, _))) => {}
        Ok(Some((Ask::Refuse(refusal), _))) => return Err(refusal.into()),
        Ok(None) => return Err(gone()),
        Ok(Some(_)) => return Err(broken("it answers another question")),
        Err(_) => return Err(silent()),
    }
    wire.patience(None).map_err(broken)?;
    attend(wire, here)
}

fn gone() -> Error {
    Error::new(Kind::Locked, "the vault was locked before this was done")
        .hint("what was acknowledged is kept; `strongroom unlock`, then try again")
}

/// Does what is asked for until it ends.
pub(super) fn attend(wire: &Wire, here: &Here) -> Result<u8, Error> {
    let mut begun: Vec<Box<dyn NewFile>> = Vec::new();
    let mut folder: Option<Box<dyn NewFolder>> = None;
    // What is not wiped here lies in memory for the next start to find.
    let mut texts: Vec<Option<Box<dyn WrittenText>>> = Vec::new();
    let mut left: Option<std::vec::IntoIter<Box<dyn WrittenText>>> = None;
    loop {
        let (ask, came) = receive::<Ask>(wire)?.ok_or_else(gone)?;
        let answer = match ask {
            Ask::Result(bytes) => {
                here.write(&bytes)?;
                continue;
            }
            Ask::Remark(text) => {
                here.remark(&text);
                continue;
            }
            Ask::Progress(done, whole) => {
                here.progress(done, whole);
                continue;
            }
            Ask::End(code) => return Ok(code),
            Ask::Refuse(refusal) => return Err(refusal.into()),
            Ask::Stays(..) | Ask::Here => return Err(broken("it answers another question")),
            Ask::Passphrase(prompt) => here
                .passphrase(&prompt)
                .map(|typed| (Answer::Typed(Some(typed.expose().as_bytes().to_vec().into())), None)),
            Ask::Line(prompt) => {
                let line = here.line(&prompt).map(|line| line.into_bytes().into());
                Ok((Answer::Typed(line), None))
            }
            Ask::Text => Ok((Answer::Typed(here.text().map(Into::into)), None)),
            Ask::Input => here.input().map(handed),
            Ask::Output => here.output().map(handed),
            Ask::Open(path) => here.open(&to_path(&path)).map(handed),
            Ask::FilesIn(path) => here.files_in(&to_path(&path)).map(|names| (Answer::Names(names), None)),
            Ask::Create(path) => here.create(&to_path(&path)).and_then(|mut new| {
                let file = new.file().try_clone().map_err(broken)?;
                begun.push(new);
                Ok(handed(file))
            }),
            Ask::Keep => match begun.pop() {
                Some(new) => new.keep().map(|()| (Answer::Done, None)),
                None => Err(broken("no file was begun")),
            },
            Ask::Edit(text, ticket, insist) => here
                .edit(&text, &ticket, insist)
                .map(|text| (written(&mut texts, Some(text)), None)),
            Ask::NextLeft => {
                let next = left.get_or_insert_with(|| here.left_texts().into_iter()).next();
                Ok((written(&mut texts, next), None))
            }
            Ask::Wipe(number) => {
                let text = usize::try_from(number)
                    .ok()
                    .and_then(|number| texts.get_mut(number)?.take());
                match text {
                    Some(text) => text.wipe().map(|()| (Answer::Done, None)),
                    None => Err(broken("no such text")),
                }
            }
            Ask::Git(words, output_max, watched, deadline) => {
                let job = GitJob {
                    arguments: words.into_iter().map(|word| OsString::from_vec(word.into())).collect(),
                    output_max,
                    watched: watched.map(|(folder, max)| (to_path(&folder), max)),
                    deadline,
                };
                here.git(&job).map(|ended| {
                    let (output, errors) = (ended.output.into(), ended.errors.into());
                    (Answer::Git(ended.succeeded, ended.stopped, output, errors), None)
                })
            }
            Ask::Source(path) => here
                .source(&to_path(&path))
                .map(|(file, whole)| (Answer::Names(vec![whole]), Some(file))),
            Ask::Decrypt(by_age, identity) => {
                let with = match by_age {
                    false => Decrypt::Gpg,
                    true => Decrypt::Age(identity.as_ref().map(to_path)),
                };
                let sealed = came.ok_or_else(|| broken("no file came"));
                sealed.and_then(|sealed| here.decrypt(&sealed, &with)).map(|ended| {
                    let (output, errors) = (ended.output.into(), ended.errors.into());
                    (Answer::Git(ended.succeeded, ended.stopped, output, errors), None)
                })
            }
            Ask::CreateFolder(path) => here.create_folder(&to_path(&path)).map(|new| {
                folder = Some(new);
                (Answer::Done, None)
            }),
            Ask::FileBelow(below) => match &folder {
                Some(folder) => folder.file(&below).map(handed),
                None => Err(no_folder()),
            },
            Ask::KeepFolder => match folder.take() {
                Some(folder) => folder.keep().map(|()| (Answer::Done, None)),
                None => Err(no_folder()),
            },
            Ask::AbandonFolder => {
                drop(folder.take());
                Ok((Answer::Done, None))
            }
            Ask::Screen(act) => here
                .screen(act)
                .map(|(columns, rows)| (Answer::Happened(Input::Size(columns, rows)), None)),
            Ask::Copy(text, seconds) => {
                let copied = here.copy(&text, Duration::from_secs(seconds));
                copied.map(|words| (Answer::Names(vec![words]), None))
            }
            // An agent that is locked meanwhile takes with it what is on the screen.
            Ask::Next(millis) => match here.next_input_beside(Duration::from_millis(millis), Some(wire.as_fd())) {
                Some(input) => Ok((Answer::Happened(input), None)),
                None => return Err(gone()),
            },
            Ask::Abandon => {
                drop(begun.pop());
                Ok((Answer::Done, None))
            }
        };
        let (mut answer, file) = answer.unwrap_or_else(|error| (Answer::Refused(error.into()), None));
        let sent = send(wire, &answer, file.as_ref());
        if let Answer::Typed(Some(typed)) = &mut answer {
            typed.zeroize();
        }
        sent?;
    }
}

fn written(texts: &mut Vec<Option<Box<dyn WrittenText>>>, text: Option<Box<dyn WrittenText>>) -> Answer {
    let Some(text) = text else { return Answer::Written(None) };
    let crossing = Written {
        number: texts.len() as u64,
        ticket: text.ticket().to_vec().into(),
        text: text.text().into(),
        problem: text.problem().map(str::to_owned),
    };
    texts.push(Some(text));
    Answer::Written(Some(crossing))
}

fn no_folder() -> Error {
    broken("no folder was begun")
}

fn handed(file: File) -> (Answer, Option<File>) {
    (Answer::Done, Some(file))
}
