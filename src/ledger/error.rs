//! Why the ledger refuses.

use crate::chain::{BadCard, BadEntry, Problem};
use crate::crypto::NoEntropy;
use crate::envelope::BadEnvelope;
use crate::policy::BadPolicy;
use crate::repo::{CommitError, CutError, LockError, OpenError, ReadError, RecoverError};

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
    /// The journal could not be cut.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The identity belongs to another vault.
    #[error("this identity belongs to another vault; name the right one with --identity or --vault")]
    OtherVault,
    /// The device is not, or no longer, a member's.
    #[error("this device is not one of the vault's members' devices")]
    NotAMember,
    /// Something was tampered with.
    #[error("{}; run `strongroom audit verify`. Nothing was shown", .0.message)]
    Tampered(Problem),
    /// The repository is no vault, or of a later version.
    #[error("this git repository is not a strongroom vault: {0}")]
    NotAVault(&'static str),
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
    /// This device's own state could not be read or kept.
    #[error("what this device keeps about the vault cannot be read or written: {0}. Nothing was shown")]
    State(String),
}

impl LedgerError {
    /// A fault of the own log or the roster.
    pub(super) fn tampered(problem: Problem) -> Self {
        Self::Tampered(problem)
    }
}
