//! The log on git: recover, append, verify (docs/FORMAT.md §§2, 7–9).
//!
//! One append, in order:
//! 1. [`Ledger::start`] takes the lock, recovers, reads the charter and its own log, and compares the head with
//!    this device's high-water mark. On any doubt it refuses.
//! 2. [`Ledger::record`] makes the entry, its checkpoint and its commit, and hands all objects and refs to
//!    `repo` in one batch: one journal record, one sync, then git.
//! 3. Only then does a [`Recorded`] exist, and without it the gate opens nothing.

mod accepted;
mod append;
mod aside;
mod charter;
mod compare;
mod enrol;
mod error;
mod exchange;
mod forget;
mod found;
mod guard;
mod high_water;
mod histories;
mod holds;
mod in_order;
mod incarnation;
mod kept;
mod leaves;
mod main_commits;
mod many;
mod merge;
mod merge_lines;
mod objects;
mod parts;
mod prove;
mod reading;
mod scan;
mod second;
mod standing;
mod start;
mod stored;
#[cfg(any(test, fuzzing))]
mod tests;
mod together;
mod verify;
mod verify_across;
mod verify_against;
mod verify_anchors;
mod verify_files;
mod verify_forks;
mod verify_log;
mod verify_withdrawn;
mod verify_witness;
mod view;
mod withdrawn;
mod witness;

pub use accepted::Accepted;
pub use append::{Changes, Draft, FILES_PER_ENTRY, Recorded};
pub use charter::{Charter, vault_id};
pub use compare::{Compared, compare};
pub use error::LedgerError;
pub use exchange::{Elsewhere, Push, is_of_a_vault, is_witness, note_pushed};
pub use found::{Founding, Rejoin, found, join, rejoin};
pub use guard::{Judged, Objection, judge_push, said_founder};
pub use high_water::HighWater;
pub use incarnation::catch_up;
pub use merge::{MainFate, Merged};
pub use merge_lines::Fate;
pub use objects::{AUDIT, HEADS, MAIN, note_ref, wrap_ref};
pub use parts::StoredParts;
pub use prove::{AllProven, NoProof, Proven, Whose, prove, prove_all};
pub use reading::{Opened, ReadLog, Reading};
pub use second::{Second, Withdrawal, is_anything_withdrawn};
pub use standing::Memory;
pub use start::{DEVICES, Ledger, Quarantined, read_charter};
pub use stored::{StoredNote, wrap_file};
#[cfg(any(test, fuzzing))]
pub use tests::exchanged::exchanged;
pub use verify::{Anchors, NoReceipt, Report, Verdict, make_receipt, stray_refs, verify};
pub use verify_against::{Beside, verify_beside};
pub use verify_forks::waits_for_a_lead;
pub use verify_witness::Cosigned;
pub use withdrawn::{Rewritten, Withdrawn};
pub use witness::{Cosigning, NoCosignature, cosign, publish};
