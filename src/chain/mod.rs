//! The log as pure data: entries, their tree, checkpoints, cosignatures, proofs, cards, receipts, and how each is verified
//! (docs/FORMAT.md §§2, 7–9). Knows no git and no clock; of what is
//! sealed it knows the details of an entry alone, and how they are sealed and opened with a key that is handed in.

mod bundle;
mod card;
mod checkpoint;
mod concern_key;
mod cosignature;
mod creations;
mod cuts;
mod destroyed;
mod detail;
mod entry;
mod histories;
mod holds;
mod json;
mod line;
mod live;
mod matter;
mod message;
mod note_key;
mod problem;
mod proof;
mod proof_file;
mod receipt;
mod request;
mod roster;
mod sights;
mod sshsig;
mod time;
mod tree;
#[cfg(test)]
mod vectors;
mod walk;
mod withdrawn;

pub use bundle::{BUNDLE_LEN, BadBundle, bundle_path, lines_of, parse_bundle, write_bundle};
pub use card::{AuditorsKey, BadCard, Card, Device, DeviceKind, Role};
pub use checkpoint::{BadCheckpoint, Checkpoint, SignedCheckpoint, origin};
pub use concern_key::{BadConcernKey, ConcernKey, Handler};
pub use cosignature::{
    BadCosignature, BadCosignedFile, BadWitness, CosignedCheckpoint, CosignedFile, Witness, log_key,
};
pub use creations::Creations;
pub use cuts::{Cut, Cuts};
pub use detail::{Bitmap, Details, NoteSet};
pub use entry::{BadEntry, ENTRY_MAX, Entry, FileRef, HELD_MAX, HeadRef, Kind, Outcome, ParsedEntry};
pub use histories::Histories;
pub use holds::{Hold, LeadAt, was_lead};
pub(crate) use json::{INTEGER_END, to_line};
pub use live::{LiveFile, LiveSet, note_and_digest, note_of};
pub use matter::{Broken, Deed, Matter, Matters, PersonOf, Reviewed, Said, Statement};
pub use message::{BadMessage, Message};
pub use note_key::{BadNoteKey, NoteKey, Signs};
pub use problem::{Case, Problem};
pub use proof::{BadProof, InclusionProofs, ProofWalk, check_consistency, check_inclusion};
pub use proof_file::{BadProofFile, PROOF_MAX, ProofFile};
pub use receipt::{BadReceipt, Receipt};
pub use request::{BadRequest, JoinRequest};
pub use roster::Roster;
pub use sshsig::{BadSshSig, Namespace, public_line, sign as sign_ssh, verify as verify_ssh};
pub use time::{BadTime, Time};
pub use tree::{BadFrontier, Frontier, GROUP_LEN, leaf_hash, node_hash};
pub use walk::{LogWalk, ReadLine, WalkEnd};
pub use withdrawn::Withdrawals;
