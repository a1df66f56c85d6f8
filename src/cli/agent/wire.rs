//! What client and agent say to each other: requests, what the agent asks of the client's terminal, and the answers.
//! Both are this program, of one build; whatever does not read back the same is refused.

use super::super::terminal::{Act, Facts, Input};
use crate::app::{Error, Kind, Offered, Wire, shared};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroize;

/// A client's first word.
#[derive(Encode, Decode)]
pub(super) enum Request {
    /// Carry out a command for me.
    #[n(0)]
    Run(#[n(0)] Run),
    /// How long will you stay?
    #[n(1)]
    Status,
    /// Forget the keys and go.
    #[n(2)]
    Lock,
    /// Which ids begin so? For a shell that completes a command; it keeps nothing unlocked.
    #[n(3)]
    Offer(#[n(0)] Kinds, #[n(1)] String),
}

/// Of what ids are offered.
#[derive(Encode, Decode, Clone, Copy)]
pub(super) enum Kinds {
    #[n(0)]
    Notes,
    #[n(1)]
    Drafts,
    #[n(2)]
    Texts,
}

impl From<Offered> for Kinds {
    fn from(offered: Offered) -> Self {
        match offered {
            Offered::Notes => Self::Notes,
            Offered::Drafts => Self::Drafts,
            Offered::Texts => Self::Texts,
        }
    }
}

impl From<Kinds> for Offered {
    fn from(kinds: Kinds) -> Self {
        match kinds {
            Kinds::Notes => Self::Notes,
            Kinds::Drafts => Self::Drafts,
            Kinds::Texts => Self::Texts,
        }
    }
}

/// A command and where its person sits.
#[derive(Encode, Decode)]
pub(super) struct Run {
    /// The client's version: an agent that was there before an update says so.
    #[n(0)]
    pub(super) version: String,
    /// The arguments, the program's name first.
    #[n(1)]
    pub(super) words: Vec<ByteVec>,
    #[n(2)]
    pub(super) may_ask: bool,
    #[n(3)]
    pub(super) typed: bool,
    #[n(4)]
    pub(super) columns: Option<u16>,
    #[n(5)]
    pub(super) editor: bool,
    #[n(6)]
    pub(super) watched: bool,
    #[n(7)]
    pub(super) rows: Option<u16>,
    #[n(8)]
    pub(super) colour: bool,
}

impl Run {
    pub(super) fn facts(&self) -> Facts {
        Facts {
            may_ask: self.may_ask,
            typed: self.typed,
            editor: self.editor,
            watched: self.watched,
            columns: self.columns,
            rows: self.rows,
            colour: self.colour,
        }
    }
}

/// A text that crosses, or a piece of one. Wiped on drop.
#[derive(Encode, Decode)]
#[cbor(transparent)]
pub(in crate::cli) struct Text(#[n(0)] ByteVec);

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec().into())
    }
}

impl std::ops::Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What the agent asks of the client. Answered is what asks for something: a secret, a line, a text, a file.
#[derive(Encode, Decode)]
pub(in crate::cli) enum Ask {
    /// Write to standard output.
    #[n(0)]
    Result(#[n(0)] Text),
    /// Write to standard error.
    #[n(1)]
    Remark(#[n(0)] String),
    /// Ask for a passphrase.
    #[n(2)]
    Passphrase(#[n(0)] String),
    /// Ask for a line.
    #[n(3)]
    Line(#[n(0)] String),
    /// Ask for a text.
    #[n(4)]
    Text,
    /// Hand over standard input.
    #[n(5)]
    Input,
    /// Open a file and hand it over.
    #[n(6)]
    Open(#[n(0)] ByteVec),
    /// Begin a file and hand it over.
    #[n(7)]
    Create(#[n(0)] ByteVec),
    /// Put the file begun last under its name.
    #[n(8)]
    Keep,
    /// Remove the file begun last.
    #[n(9)]
    Abandon,
    /// It is done, with this exit code.
    #[n(10)]
    End(#[n(0)] u8),
    /// It was not done.
    #[n(11)]
    Refuse(#[n(0)] Refusal),
    /// The agent stays so many seconds if nobody asks anything; whether the keys are kept out of swap.
    #[n(12)]
    Stays(#[n(0)] u64, #[n(1)] bool),
    /// Let the person edit a text: the text, its ticket, whether a disk is good enough.
    #[n(13)]
    Edit(#[n(0)] Text, #[n(1)] ByteVec, #[n(2)] bool),
    /// Hand over one more of the texts that were left in memory.
    #[n(14)]
    NextLeft,
    /// Wipe the text of that number.
    #[n(15)]
    Wipe(#[n(0)] u64),
    /// The files of a folder.
    #[n(16)]
    FilesIn(#[n(0)] ByteVec),
    /// Hand over standard output.
    #[n(17)]
    Output,
    /// Tell how far a long piece of work has come, and of how much.
    #[n(18)]
    Progress(#[n(0)] Option<u64>, #[n(1)] Option<u64>),
    /// The request has come, and work on it begins.
    #[n(19)]
    Here,
    /// Have git do something: its arguments, how much it may say, into which folder how much may come, and how many
    /// seconds it may take.
    #[n(20)]
    Git(
        #[n(0)] Vec<ByteVec>,
        #[n(1)] u64,
        #[n(2)] Option<(ByteVec, u64)>,
        #[n(3)] Option<u64>,
    ),
    /// Begin a folder.
    #[n(21)]
    CreateFolder(#[n(0)] ByteVec),
    /// Begin a file in it, at a path below it, and hand that over.
    #[n(22)]
    FileBelow(#[n(0)] String),
    /// Put the folder under its name.
    #[n(23)]
    KeepFolder,
    /// Remove it.
    #[n(24)]
    AbandonFolder,
    /// Open a file or folder to take notes from, say where it is in full, and hand it over.
    #[n(25)]
    Source(#[n(0)] ByteVec),
    /// Have the program of the person's open the file that comes along: gpg, or age (true) with these identities.
    #[n(26)]
    Decrypt(#[n(0)] bool, #[n(1)] Option<ByteVec>),
    /// Do something with the screen; its size is answered.
    #[n(27)]
    Screen(#[n(0)] Act),
    /// Wait so many milliseconds at most for what happens at the screen.
    #[n(28)]
    Next(#[n(0)] u64),
    /// Put a text into the clipboard for so many seconds; where it is is answered.
    #[n(29)]
    Copy(#[n(0)] Text, #[n(1)] u64),
}

/// The client's answer.
#[derive(Encode, Decode)]
pub(in crate::cli) enum Answer {
    /// Done; a file comes along if one was asked for.
    #[n(0)]
    Done,
    /// What was typed; nothing if nobody could be asked.
    #[n(1)]
    Typed(#[n(0)] Option<ByteVec>),
    /// It could not be done.
    #[n(2)]
    Refused(#[n(0)] Refusal),
    /// What was written in an editor; nothing if there is no more.
    #[n(3)]
    Written(#[n(0)] Option<Written>),
    /// Names, or words for the person.
    #[n(4)]
    Names(#[n(0)] Vec<String>),
    /// How git, or what opens a file, ended: whether it did it, whether it was stopped, what it said to standard output and standard error.
    #[n(5)]
    Git(#[n(0)] bool, #[n(1)] bool, #[n(2)] ByteVec, #[n(3)] ByteVec),
    /// What happened at the screen.
    #[n(6)]
    Happened(#[n(0)] Input),
}

/// A text from an editor on its way. It lies at the client's until it is wiped there.
#[derive(Encode, Decode)]
pub(in crate::cli) struct Written {
    /// What it is called when it is to be wiped.
    #[n(0)]
    pub(in crate::cli) number: u64,
    #[n(1)]
    pub(in crate::cli) ticket: ByteVec,
    #[n(2)]
    pub(in crate::cli) text: Text,
    #[n(3)]
    pub(in crate::cli) problem: Option<String>,
}

/// An error on its way.
#[derive(Encode, Decode)]
pub(in crate::cli) struct Refusal {
    #[n(0)]
    code: u8,
    #[n(1)]
    message: String,
    #[n(2)]
    hints: Vec<String>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            code: error.exit_code(),
            message: error.message,
            hints: error.hints,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let kinds = [
            Kind::Failed,
            Kind::Usage,
            Kind::Denied,
            Kind::Tampered,
            Kind::Unknown,
            Kind::Locked,
        ];
        let kind = kinds
            .into_iter()
            .find(|kind| Error::new(*kind, "").exit_code() == refusal.code)
            .unwrap_or(Kind::Failed);
        let error = Error::new(kind, refusal.message);
        refusal.hints.into_iter().fold(error, Error::hint)
    }
}

/// Something went wrong between the two.
pub(in crate::cli) fn broken(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Failed, format!("the agent cannot be spoken with: {error}"))
        .hint("`strongroom lock` ends it; what was acknowledged is kept")
}

/// The agent is there, and says nothing.
pub(in crate::cli) fn silent() -> Error {
    Error::new(Kind::Failed, "the agent that holds the vault unlocked does not answer")
        .hint("it may have been stopped: `pkill -CONT -f 'strongroom agent'` lets it go on")
        .hint("`pkill -KILL -f 'strongroom agent'` ends it; what was acknowledged is kept")
}

/// Sends a message, and a file with it.
pub(in crate::cli) fn send<T: Encode<()>>(wire: &Wire, message: &T, file: Option<&File>) -> Result<(), Error> {
    wire.send_with(&shared::encode(message), file).map_err(broken)
}

/// The next message and what came with it; `None` when the other is gone.
pub(in crate::cli) fn receive<T>(wire: &Wire) -> Result<Option<(T, Option<File>)>, Error>
where
    T: for<'b> Decode<'b, ()>,
{
    let Some((frame, file)) = wire.receive().map_err(broken)? else {
        return Ok(None);
    };
    let mut decoder = minicbor::Decoder::new(&frame);
    let message = decoder.decode().map_err(|_| other_version())?;
    match decoder.position() == frame.len() {
        true => Ok(Some((message, file))),
        false => Err(other_version()),
    }
}

/// The two are not of one build.
pub(super) fn other_version() -> Error {
    Error::new(
        Kind::Failed,
        "the agent that holds the vault unlocked is of another version of this program",
    )
    .hint("`strongroom lock`, then `strongroom unlock`")
}

/// A path as it crosses.
pub(in crate::cli) fn from_path(path: &Path) -> ByteVec {
    path.as_os_str().as_bytes().to_vec().into()
}

/// And back.
pub(super) fn to_path(bytes: &ByteVec) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_arrives_as_it_was() {
        for kind in [
            Kind::Failed,
            Kind::Usage,
            Kind::Denied,
            Kind::Tampered,
            Kind::Unknown,
            Kind::Locked,
        ] {
            let error = Error::new(kind, "no").hint("one").hint("two");
            assert_eq!(Error::from(Refusal::from(error.clone())), error);
        }
    }

    #[test]
    fn what_is_no_message_is_another_version_s() {
        let (one, other) = Wire::pair().expect("a pair of sockets");
        for frame in [&b""[..], b"\xff", &[0x82, 0x18, 99, 0x80], &[0x82, 0x04, 0x80, 0x00]] {
            one.send(frame).expect("sent");
            let got = receive::<Ask>(&other).map(drop);
            assert_eq!(got, Err(other_version()), "{frame:?}");
        }
        send(&one, &Ask::Text, None).expect("sent");
        assert!(matches!(receive::<Ask>(&other), Ok(Some((Ask::Text, None)))));
        drop(one);
        assert!(matches!(receive::<Ask>(&other), Ok(None)));
    }
}
