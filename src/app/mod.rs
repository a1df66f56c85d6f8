//! Use cases, a file a noun. The only place that orders effects; prints nothing.
//!
//! Every access takes the same path: unlock, start the ledger, match wraps with the log, decide, record, open.

mod audit;
mod briefs;
mod context;
mod error;
mod failed;
mod held;
mod known;
mod members;
mod notes;
mod person;
mod policies;
mod proofs;
mod recovery;
pub mod tour;
mod vault;
mod witnesses;

pub use crate::env::{Clock, Listener, Places, Wire, harden, since_boot};
pub use audit::{LogLine, log, receipt, verify};
pub use briefs::{
    BriefCheck, DraftQuery, Drafted, ReleaseQuery, ReleasedBrief, check_brief, draft_brief, list_briefs, load_profile,
    redact_text, release_brief,
};
pub use context::{Access, Context, PassphraseSource};
pub use error::{Error, Kind};
pub use held::{Held, agent_socket, change_passphrase};
pub use members::{CompartmentInfo, list_compartments, new_compartment};
pub use notes::{Added, ListQuery, NewText, NoteLine, Shown, add, list, show};
pub use person::{NewFile, Person, new_file, open_file};
pub use policies::{PolicyTest, test_policies};
pub use proofs::{CheckedProof, Proof, ProofQuery, ProofTrust, check_proof, prove};
pub use recovery::recover;
pub use vault::{Init, Inited, init};
pub use witnesses::{NewWitness, WitnessQuery, Witnessing, add_witness_file, new_witness, witness_vault};

/// What the street door needs to know of the rooms below.
pub mod shared {
    pub use crate::brief::{Doubt, Format, Leak, Profile, Redaction, Span};
    pub use crate::chain::{Problem, Time};
    pub use crate::ledger::{Report, Verdict};
    pub use crate::secret::Passphrase;
}
