//! Seal, open, wrap: what stands at rest and how its keys are kept (docs/FORMAT.md §§1, 2.4, 3–6, 12).
//!
//! Every parser here is strict: what it accepts, it writes back to the byte. Opening functions are
//! visible to this crate alone, and `tests/tidy.rs` lets only `gate`, `ledger` and `session` call them.

mod attachment;
mod body;
pub mod cbor;
mod concern;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod kept;
mod keybox;
mod keyring;
pub mod padding;
mod pages;
mod recovery;
mod shares;
#[cfg(test)]
mod vectors;
mod wrap;

pub use attachment::{ATTACHMENT_MAX, ContentInfo, ContentOpener, ContentSealer, NotSealed, PART_MAX, PartFile};
pub(crate) use body::CheckedBody;
pub use body::{BODY_MAX, BodyFile, CHUNK, ContentKey, Metadata, Purpose, TEXT_MAX, Unsealable, seal_body};
pub use concern::{BadCode, CONCERN_MAX, Concern, Reply, ReplyCode, ReplyKey, SealedConcern, SealedReply};
pub use identity::{BadIdentity, IdentityFile, IdentitySecrets, NewcomerFile, NewcomerSecrets, NotLocked};
pub use kept::{Given, KeptFile, KeptText};
pub use keybox::{BoxFile, DetailFile, DetailKey, DeviceSlot};
pub use keyring::{BadKeyUse, Key, KeyUse, Keyring};
pub use pages::BadPage;
pub use recovery::{BadRecoveryKey, RecoveryKey};
pub use shares::{BadShare, BadShares, KeyShare, ROW, ROWS, ShareSet, combine_recovery_key, split_recovery_key};
pub use wrap::{BadWrap, WrapFile};

use crate::id::{NoteId, VaultId};

/// The only suite of version 1 (docs/FORMAT.md §1).
pub const SUITE: u8 = 1;

/// A sealed thing that is not what it should be. The messages name the kind of thing, never its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEnvelope {
    /// Larger than anything this program writes.
    #[error("this {what} is larger than any that exists ({max} bytes); it was not read")]
    TooLong {
        /// What it claims to be.
        what: &'static str,
        /// The bound in bytes.
        max: usize,
    },
    /// Not the one canonical encoding.
    #[error("this {what} is damaged: it is not in its canonical form")]
    Malformed {
        /// What it claims to be.
        what: &'static str,
    },
    /// A suite this version does not know.
    #[error("this {what} uses suite {suite}, which this version does not know; a newer strongroom may")]
    UnknownSuite {
        /// What it claims to be.
        what: &'static str,
        /// The number found.
        suite: u8,
    },
    /// Belongs to another vault, note or device.
    #[error("this {what} belongs to something else: it was moved or swapped")]
    Foreign {
        /// What it claims to be.
        what: &'static str,
    },
    /// The key does not open it.
    #[error("this {what} does not open: it was altered, or the key is another's")]
    Unopenable {
        /// What it claims to be.
        what: &'static str,
    },
}

/// What every envelope says first.
fn check_suite(what: &'static str, suite: u8) -> Result<(), BadEnvelope> {
    if suite == SUITE {
        Ok(())
    } else {
        Err(BadEnvelope::UnknownSuite { what, suite })
    }
}

/// Whether an envelope of `found` may stand in `expected`.
fn check_vault(what: &'static str, found: VaultId, expected: VaultId) -> Result<(), BadEnvelope> {
    if found == expected {
        Ok(())
    } else {
        Err(BadEnvelope::Foreign { what })
    }
}

/// Whether an envelope of `found` may stand for `expected`.
fn check_note(what: &'static str, found: NoteId, expected: NoteId) -> Result<(), BadEnvelope> {
    if found == expected {
        Ok(())
    } else {
        Err(BadEnvelope::Foreign { what })
    }
}
