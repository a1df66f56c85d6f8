//! One error for the person: what happened, what to do, and which exit code says it.

use crate::chain::{BadCard, BadReceipt};
use crate::crypto::NoEntropy;
use crate::env::FileError;
use crate::envelope::{BadEnvelope, BadIdentity, BadPage, BadRecoveryKey, BadWrap, NotLocked};
use crate::gate::{BadQuery, GateError, ScanError};
use crate::id::{Digest, EntryRef};
use crate::ledger::{LedgerError, NoReceipt, Verdict};
use crate::policy::BadPolicy;
use crate::repo::{
    BadUrl, CommitError, CreateError, JournalError, LockError, Oddity, OpenError, PackError, ReadError, RecoverError,
    RemoteError, StagingError,
};
use std::io::ErrorKind;

/// What kind of end it is; sets the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing was lost; the message says what to do. Exit 1.
    Failed,
    /// Wrong usage. Exit 2.
    Usage,
    /// Denied, or nothing there that this person may read. Exit 3.
    Denied,
    /// Tampering found. Exit 4.
    Tampered,
    /// Something needed to judge is missing or stale. Exit 5.
    Unknown,
    /// Locked, or the passphrase is wrong. Exit 6.
    Locked,
}

/// Whether what was to be recorded is in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InLog {
    /// It is not, or nothing was to be recorded.
    No,
    /// The next start settles it; a text has this digest when it is sealed.
    Maybe(Digest),
    /// It is, whatever went wrong afterwards.
    Yes,
}

/// What is said to the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Its kind.
    pub kind: Kind,
    /// What happened: lower case, no secrets, nothing the person may not know.
    pub message: String,
    /// What to do, a line each.
    pub hints: Vec<String>,
    /// What a second person may approve, so that it is refused no more.
    pub request: Option<EntryRef>,
    /// Whether the text that was to be recorded is.
    pub in_log: InLog,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error {
    /// An error of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
            request: None,
            in_log: InLog::No,
        }
    }

    /// The same with a hint more.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same where something a person wrote was to be recorded and certainly is not.
    pub(super) fn not_recorded(self) -> Self {
        match self.kind {
            Kind::Failed => self.hint("nothing was recorded"),
            _ => self,
        }
    }

    /// The one sentence for what is not there and for what is not for this person's eyes.
    pub fn no_such_note(asked: &str) -> Self {
        let asked: String = asked.chars().filter(|c| !c.is_control()).take(64).collect();
        if asked.is_empty() {
            return Self::new(Kind::Usage, "no note is named: the id is empty")
                .hint("give an id, or the beginning of one; in a script the variable that should hold it is empty");
        }
        let refusal = Self::new(Kind::Denied, format!("no note `{asked}` that you may read"));
        // Only the form of what was asked decides about the hint, never what there is.
        match asked.len() >= 4 && asked.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
            true => refusal,
            false => refusal.hint("an id is four or more of the characters 0–9 and a–f; `strongroom list` shows them"),
        }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Denied => 3,
            Kind::Tampered => 4,
            Kind::Unknown => 5,
            Kind::Locked => 6,
        }
    }
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        let message = error.to_string();
        let advice = advice(&error);
        let said = match error {
            LedgerError::Tampered(_) | LedgerError::AlteredMark => Self::new(Kind::Tampered, message),
            LedgerError::NotAMember => Self::new(Kind::Denied, message),
            LedgerError::Emptied => Self::new(Kind::Unknown, message),
            LedgerError::Open(error) => error.into(),
            LedgerError::Recover(RecoverError::Diverged { .. } | RecoverError::MovedBack { .. }) => {
                Self::new(Kind::Tampered, message)
            }
            LedgerError::Card(BadCard::OtherFounder | BadCard::Signature(_) | BadCard::Chain(_))
            | LedgerError::Read(ReadError::Damaged { .. } | ReadError::Missing { .. } | ReadError::DamagedRef { .. }) => {
                Self::new(Kind::Tampered, message).hint("`strongroom audit verify` says what else is wrong")
            }
            LedgerError::Envelope(BadEnvelope::UnknownSuite { .. }) => Self::new(Kind::Failed, message),
            LedgerError::Envelope(_) => Self::new(Kind::Tampered, message),
            _ => Self::new(Kind::Failed, message),
        };
        advice.into_iter().fold(said, Self::hint)
    }
}

/// What to do where nothing can be entered, and so nothing was shown.
fn advice(error: &LedgerError) -> Option<&'static str> {
    Some(match error {
        LedgerError::BeingDestroyed => "`strongroom destroy ID` finishes it",
        LedgerError::ApprovalOver => "give the command again: it says what is missing",
        LedgerError::Busy(LockError::Busy(_)) => {
            "nothing was shown; if it goes on, end the program that hangs: nothing needs to be cleaned up after it"
        }
        LedgerError::Busy(LockError::Io(source)) | LedgerError::NotRecorded(CommitError::Unfinished(source)) => {
            match source.kind() {
                ErrorKind::ReadOnlyFilesystem => {
                    "nothing was shown, since nothing can be recorded on a disk that may only be read: make it writable, \
                     or put a copy of the vault where you may write and name it with --vault"
                }
                ErrorKind::PermissionDenied => {
                    "nothing was shown, since you may not write there: `strongroom doctor` says whose the vault is"
                }
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space, then try again",
                _ => {
                    "free some space, or check the disk and who may write to it; `strongroom doctor` says what it sees"
                }
            }
        }
        LedgerError::Recover(RecoverError::Journal(JournalError::Missing)) => {
            "nothing was shown; `strongroom doctor --mend` makes one; on a new computer `strongroom recovery use` does"
        }
        LedgerError::Recover(RecoverError::Journal(JournalError::Bad(_))) => {
            "nothing was shown; `strongroom doctor` says what is still whole"
        }
        LedgerError::Recover(RecoverError::Journal(JournalError::Io(_)) | RecoverError::Io(_)) => {
            "nothing was shown and nothing is lost; `strongroom doctor` says what it sees"
        }
        LedgerError::Recover(RecoverError::MovedBack { .. }) => {
            "nothing was shown, and the journal has what is gone: find out how it came; `strongroom doctor --mend` then puts it back"
        }
        LedgerError::Recover(RecoverError::Diverged { .. }) => {
            "nothing was shown; `strongroom doctor` says what to do, `strongroom audit verify` what is wrong"
        }
        LedgerError::Tampered(problem) if matches!(problem.case, 9 | 10) => {
            "if the vault was put back from a backup, `strongroom doctor` says how to go on"
        }
        LedgerError::State(_) => "`strongroom doctor` says where that lies and what is wrong with it",
        _ => return None,
    })
}

impl From<NoReceipt> for Error {
    fn from(error: NoReceipt) -> Self {
        match error {
            NoReceipt::Ledger(error) => error.into(),
            NoReceipt::NotIntact(ref report) if report.verdict == Verdict::Unknown => {
                Self::new(Kind::Unknown, error.to_string())
            }
            NoReceipt::NotIntact(_) => Self::new(Kind::Tampered, error.to_string()),
        }
    }
}

impl From<GateError> for Error {
    fn from(error: GateError) -> Self {
        let kind = match error {
            GateError::Wrap(BadWrap::KeyMissing) => Kind::Denied,
            GateError::Envelope(BadEnvelope::UnknownSuite { .. }) | GateError::Wrap(_) | GateError::Unsealable(_) => {
                Kind::Failed
            }
            GateError::Envelope(_) | GateError::NotText => Kind::Tampered,
            GateError::NotAllowed => Kind::Denied,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<BadPage> for Error {
    fn from(error: BadPage) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }
}

impl From<ScanError> for Error {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Ledger(error) => error.into(),
            ScanError::Gate(error) => error.into(),
        }
    }
}

impl From<BadUrl> for Error {
    fn from(error: BadUrl) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Self {
        let kind = match error {
            RemoteError::Name(_) | RemoteError::Missing(_) => Kind::Usage,
            _ => Kind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<BadQuery> for Error {
    fn from(error: BadQuery) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<BadIdentity> for Error {
    fn from(error: BadIdentity) -> Self {
        let kind = if error == BadIdentity::WrongPassphrase {
            Kind::Locked
        } else {
            Kind::Failed
        };
        Self::new(kind, error.to_string())
    }
}

macro_rules! failed {
    ($($from:ty),+) => {
        $(impl From<$from> for Error {
            fn from(error: $from) -> Self {
                Self::new(Kind::Failed, error.to_string())
            }
        })+
    };
}

failed!(
    NoEntropy,
    NotLocked,
    FileError,
    BadRecoveryKey,
    BadPolicy,
    CreateError,
    BadReceipt,
    crate::env::NoHome,
    StagingError
);

impl From<BadCard> for Error {
    fn from(error: BadCard) -> Self {
        let kind = if matches!(error, BadCard::Handle(_)) {
            Kind::Usage
        } else {
            Kind::Tampered
        };
        Self::new(kind, error.to_string())
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        let kind = match &error {
            // What cannot be looked at is not known to be there.
            OpenError::Odd(oddities) if oddities.iter().all(|oddity| matches!(oddity, Oddity::Unread(..))) => {
                Kind::Unknown
            }
            OpenError::Odd(_) => Kind::Tampered,
            _ => Kind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<PackError> for Error {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Read(error) => error.into(),
            error => Self::new(Kind::Failed, error.to_string()),
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        LedgerError::from(error).into()
    }
}
