//! Use cases, a file a noun. The only place that orders effects; prints nothing.
//!
//! Every access takes the same path: unlock, start the ledger, match wraps with the log, decide, record, open.

mod acknowledging;
mod answers;
mod approvals;
mod attachments;
mod audit;
mod backup;
mod beside;
mod breakglass;
mod briefs;
mod closing;
mod compartments;
mod concern_keys;
mod concerns;
mod conflicts;
mod context;
mod destroy;
mod doctor;
mod due;
mod error;
mod export;
mod failed;
mod finding;
mod forms;
mod guard;
mod held;
mod holds;
mod importing;
mod joining;
mod kept_texts;
mod known;
mod leaving;
mod members;
mod metrics;
mod notes;
mod offers;
mod offline;
mod person;
mod policies;
mod proofs;
mod pruning;
mod recall;
mod recovery;
mod rejoining;
mod relabel;
mod releases;
mod remotes;
mod removals;
mod reports;
mod retention;
mod review;
mod revisions;
mod schedule;
mod statements;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod tidy;
pub mod tour;
mod vault;
mod whole;
mod witnesses;
mod writing;

pub use crate::env::{Clock, Listener, Places, Wire, harden, since_boot};
pub use acknowledging::{Acknowledged, Acknowledgement, acknowledge_policies, list_acknowledgements};
pub use answers::{Answered, LogLine, LogQuery, Show, WhoQuery, log, who};
pub use approvals::{
    Approved, AskApproval, Asked, RequestLine, Standing, WithdrawnRequest, approve, check_request, list_requests,
    withdraw_request,
};
pub use attachments::{Attached, Extracted, Place, attach, extract};
pub use audit::{receipt, verify};
pub use backup::{BackedUp, CheckedBackup, Restored, backup, check_backup, restore};
pub use breakglass::{
    AskReview, BrokenGlass, GlassStatement, ReviewedGlass, break_glass, list_broken_glass, review_glass,
};
pub use briefs::{
    BriefCheck, BriefLine, DraftQuery, Drafted, check_brief, draft_brief, list_briefs, load_profile, redact_text,
};
pub use closing::close;
pub use compartments::{CompartmentInfo, list_compartments, new_compartment};
pub use concern_keys::{
    CheckedConcernKey, MadeConcernKey, check_concern_key, load_concern_key, make_concern_key, whom_it_goes_to,
};
pub use concerns::{
    AnsweredConcern, Raised, Raising, Received, answer_concern, forget_left_concerns, new_reply_code, raise_concern,
    read_answer, read_code, receive_concern, write_concern,
};
pub use conflicts::{ConflictLine, DeclaredConflict, declare_conflict, list_conflicts};
pub use context::{Access, Context, PassphraseSource};
pub use destroy::{Ask, Destroyed, Doomed, destroy};
pub use doctor::{Checkup, Finding, Level, doctor};
pub use due::{DueLine, DueQuery, Heading, list_due};
pub use error::{Error, Kind};
pub use export::{
    ClearExport, ConfirmClear, ExportedNotes, ExportedPack, ExportedSubject, NotesFormat, NotesQuery, PackQuery,
    PictureOut, SubjectQuery, Which, export_notes, export_pack, export_subject,
};
pub use finding::{ListQuery, NoteLine, Searched, list, search};
pub use guard::{Guarded, InstalledGuard, guard, install_guard};
pub use held::{Held, agent_socket, change_passphrase};
pub use holds::{HoldLine, HoldList, HoldQuery, LiftedHold, PlacedHold, lift_hold, list_holds, place_hold};
pub use importing::{AskImport, ImportPlan, ImportQuery, Imported, LeftOut, SourceKind, import};
pub use joining::{Requested, ask_for_membership};
pub use leaving::{Changed, LeftCase, LostNote, MemberChange, Rights, change_member};
pub use members::{Admission, Admitted, Confirm, MemberLine, Members, admit, list_members};
pub use metrics::{MetricsFigures, MetricsQuery, count_metrics};
pub use notes::{Added, NewText, Shown, add, show};
pub use offers::{InClear, Offered, action_names, offer_ids, read_in_clear, verb_names};
pub use offline::{OfflineCap, offline_caps};
pub use person::{
    Decrypt, EditorText, GitEnded, GitJob, NewFile, NewFolder, Person, WrittenText, is_harmful, left_texts, list_files,
    new_file, new_folder, open_file, open_source, run_decrypt, run_git,
};
pub use policies::{
    ExplainQuery, Explained, LevelInfo, NewPolicies, Policies, PolicyChanges, PolicyCheck, PolicyEdit, PolicyFault,
    PolicyFile, PolicyTest, ProfileInfo, check_policies, edit_policies, explain_policy, read_policies, test_policies,
};
pub use proofs::{CheckedProof, Proof, ProofQuery, ProofTrust, check_proof, prove};
pub use pruning::confirm_pruned;
pub use recall::{RecallReason, Recalled, recall_briefs};
pub use recovery::{SplitKey, combine, recover, split_recovery};
pub use rejoining::{Rejoined, rejoin};
pub use relabel::{Relabelled, relabel};
pub use releases::{ReleaseQuery, ReleasedBrief, release_brief};
pub use remotes::{Cloned, ORIGIN, add_remote, clone_vault, list_remotes, remove_remote};
pub use reports::{CheckedReport, MadeReport, ReportQuery, check_report, make_report};
pub use retention::{KeptNote, keep};
pub use review::{Leaver, Review, ReviewDoor, ReviewLine, Reviewed, UNUSED_DAYS, nobody_accepts, review_members};
pub use revisions::{RevisionLine, compare, history};
pub use sync::{SyncProblem, Synced, sync};
pub use table::{csv_row, one_line, plain, shell_word, shown_name};
pub use tidy::tidy;
pub use vault::{Init, Inited, init};
pub use whole::Going;
pub use witnesses::{NewWitness, WitnessQuery, Witnessing, add_witness_file, new_witness, witness_vault};
pub use writing::{Change, Editing, Revised, TextFrom, discard, edit};

/// What the street door needs to know of the rooms below.
pub mod shared {
    pub use crate::brief::{Doubt, Format, Leak, Profile, Redaction, Span};
    pub use crate::casework::{Due, DueKind, Figured, Value};
    pub use crate::chain::{ConcernKey, Deed, Details, DeviceKind, JoinRequest, Outcome, Problem, Role, Time};
    pub use crate::crypto::sha256;
    pub use crate::envelope::{CONCERN_MAX, Reply, ReplyCode};
    pub use crate::gate::Attachment;
    pub use crate::gate::Nature;
    pub use crate::gate::Order;
    pub use crate::gate::fold;
    pub use crate::id::{Digest, Fingerprint, NoteId};
    pub use crate::ledger::{Objection, Report, Verdict};
    pub use crate::policy::{Period, Purpose, RuleSummary};
    pub use crate::report::value_in_words;
    pub use crate::secret::{Passphrase, encode};
    pub use crate::transfer::Picture;
}
