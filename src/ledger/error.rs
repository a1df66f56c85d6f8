//! Why the ledger refuses.

use crate::chain::{BadCard, BadEntry, Problem};
use crate::crypto::NoEntropy;
use crate::envelope::BadEnvelope;
use crate::id::LogName;
use crate::policy::BadPolicy;
use crate::repo::{
    ArrivalError, CommitError, CutError, ForgetError, LockError, Oid, OpenError, ReadError, RecoverError,
};

/// The ledger could not do what was asked. Nothing was shown.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another program is writing.
    #[error(transparent)]
    Busy(#[from] LockError),
    /// No vault, or not one.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal does not let git be brought up to date.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The repository could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The entry could not be made durable, or git could not be written.
    #[error("{0}. Nothing was shown")]
    NotRecorded(#[from] CommitError),
    /// What was written before the entry is no longer there.
    #[error("parts of it are gone from the vault again: stock git pruned them before they were recorded. Try again")]
    Pruned,
    /// What another clone holds could not be kept. Nothing was merged.
    #[error(transparent)]
    NotArrived(#[from] ArrivalError),
    /// The own log has two histories.
    #[error(
        "this device's log has two histories: the vault was put back from a backup and written to, while another clone holds what was written before. Both are kept. Nothing was shown"
    )]
    Forked,
    /// The histories of a log cannot be named.
    #[error("the histories of {0} cannot be joined: {1}")]
    Unjoined(LogName, String),
    /// The journal could not be cut.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// What is to be forgotten could not be noted first. Nothing was changed.
    #[error("what is to be forgotten could not be noted first: {0}. Nothing was changed")]
    NotNoted(ForgetError),
    /// The entry is there, and what it forgot is still on this disk.
    #[error("what was forgotten is not yet gone from this disk: {0}. It is tried again at the next start")]
    NotGone(ForgetError),
    /// The identity belongs to another vault.
    #[error("this identity belongs to another vault; name the right one with --identity or --vault")]
    OtherVault,
    /// The device is not, or no longer, a member's.
    #[error("this device is not one of the vault's members' devices")]
    NotAMember,
    /// Something was tampered with.
    #[error("{}; run `strongroom audit verify`. Nothing was shown", .0.message)]
    Tampered(Problem),
    /// Files that entries of another clone wrote are in a branch that did not come.
    #[error("files that its logs say there are lie in a branch that did not come")]
    InPart,
    /// A branch has something in its history that no vault writes there.
    #[error("its history holds what does not belong there: object `{0}`")]
    Stray(Oid),
    /// The repository is no vault, or of a later version.
    #[error("this git repository is not a strongroom vault: {0}")]
    NotAVault(&'static str),
    /// A vault without any branch, of which nothing else is left that speaks of one.
    #[error(
        "this folder is a strongroom vault's, and has no branch and an empty journal: `strongroom init` was \
         interrupted there, or all branches were taken away. If there was ever anything in it, keep a copy of the \
         folder, and restore a backup or clone the vault from where it was sent"
    )]
    Emptied,
    /// The roster does not hold.
    #[error(transparent)]
    Card(#[from] BadCard),
    /// The policies do not hold.
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    /// The key box or detail key does not open.
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    /// The entry would not be readable, for example since it names too much at once.
    #[error("this cannot be entered in the log: {0}")]
    Entry(#[from] BadEntry),
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The high-water mark is not authentic.
    #[error(
        "what this device remembers of its log was altered outside the vault; move `high-water` away only if you are sure of the vault's state. Nothing was shown"
    )]
    AlteredMark,
    /// No card has the public half of the key that every entry's details are sealed to.
    #[error("no card names the auditors' key, so nothing can be entered that they could read; ask a lead")]
    NoAuditorsKey,
    /// Others wrote while a person was asked.
    #[error(
        "the vault was changed by another program while you were asked. Nothing was shown and nothing changed: do it again"
    )]
    Lapsed,
    /// What is to be written belongs to a note of which some was destroyed already.
    #[error("this note is being destroyed, and that was interrupted: nothing can be added to it. Nothing was changed")]
    BeingDestroyed,
    /// A legal hold is on it.
    #[error("a legal hold is on it: nothing was destroyed")]
    Held,
    /// What is to be done rests on an approval whose time is over, or that was used.
    #[error("the approval that this rests on is over, or was used meanwhile. Nothing was done")]
    ApprovalOver,
    /// Something that cannot be.
    #[error("internal error: {0}. Nothing was shown. This is a defect, please report it")]
    Internal(&'static str),
    /// This device's own state could not be read or kept.
    #[error("what this device keeps about the vault cannot be read or written: {0}. Nothing was shown")]
    State(String),
}

impl LedgerError {
    /// A fault of the own log or the roster.
    pub(super) fn tampered(problem: Problem) -> Self {
        Self::Tampered(problem)
    }

    /// Whether what was to be written is in the log, durable, and only git lacks it until the next start.
    pub fn has_happened(&self) -> bool {
        matches!(self, Self::NotRecorded(CommitError::Unfinished(_)))
    }

    /// Whether what was to be written may be there all the same: the next start settles it.
    pub fn may_have_happened(&self) -> bool {
        matches!(
            self,
            Self::NotRecorded(CommitError::NotDurable(_) | CommitError::Unfinished(_))
                | Self::State(_)
                | Self::AlteredMark
        )
    }
}
