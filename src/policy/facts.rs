//! What a decision is made of: who asks for what, about what, and how. The caller computes these
//! facts from verified things (signed cards, matched labels, counted approvals); no plaintext is among them.

use super::levels::Period;
use super::purposes::is_code;
use crate::id::PersonId;
use crate::label::{Clearance, Label, Level};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What an access is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A note, or a class of notes with equal facts.
    Note,
    /// A brief or its draft.
    Brief,
    /// The logs.
    Log,
    /// The policies.
    Policy,
    /// Who belongs to the vault, and its compartments.
    Roster,
    /// The vault itself, where no note is concerned yet.
    Vault,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 6] = [
        Kind::Note,
        Kind::Brief,
        Kind::Log,
        Kind::Policy,
        Kind::Roster,
        Kind::Vault,
    ];

    /// Its name in files, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Note => "note",
            Kind::Brief => "brief",
            Kind::Log => "log",
            Kind::Policy => "policy",
            Kind::Roster => "roster",
            Kind::Vault => "vault",
        }
    }

    /// Its entity type in the rules.
    pub(super) fn entity_type(self) -> &'static str {
        match self {
            Kind::Note => "Note",
            Kind::Brief => "Brief",
            Kind::Log => "Log",
            Kind::Policy => "Policy",
            Kind::Roster => "Roster",
            Kind::Vault => "Vault",
        }
    }
}

/// The groups of the schema, by which rules name many actions at once.
const OPENING: &str = "opening";
const WORKING: &str = "working";
const DECIDING: &str = "deciding";
const GOVERNING: &str = "governing";
const OVERSEEING: &str = "overseeing";
const EVERYBODY: &str = "everybody";

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal in [$($group:ident),+] on [$($kind:ident),+];)+) => {
        /// What somebody wants to do: a closed list, the schema's.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Action { $($(#[$doc])* $variant),+ }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Action] = &[$(Action::$variant),+];

            /// Its name in rules, cases and entries.
            pub fn name(self) -> &'static str {
                match self { $(Action::$variant => $name),+ }
            }

            /// Whether it shows the content of a note or brief to the person: only then does the gate open.
            pub fn opens(self) -> bool {
                self.groups().contains(&OPENING)
            }

            /// The groups it belongs to in the schema.
            pub(super) fn groups(self) -> &'static [&'static str] {
                match self { $(Action::$variant => &[$($group),+]),+ }
            }

            /// What it may be about; asking for it about anything else is denied.
            pub fn kinds(self) -> &'static [Kind] {
                match self { $(Action::$variant => &[$(Kind::$kind),+]),+ }
            }
        }
    };
}

actions! {
    /// Read a note, a revision or a draft.
    Read = "read" in [OPENING, WORKING] on [Note, Brief];
    /// See a note's revisions.
    History = "history" in [OPENING, WORKING] on [Note, Brief];
    /// Take an attachment out.
    Extract = "extract" in [OPENING, WORKING] on [Note, Brief];
    /// Search the text of notes.
    Search = "search" in [OPENING, WORKING] on [Note, Brief, Vault];
    /// Open a note in an emergency that one's clearance does not cover, and one's keys do.
    BreakGlass = "break-glass" in [OPENING] on [Note];
    /// Draft a brief from a note: the resource is the note.
    BriefDraft = "brief-draft" in [OPENING, WORKING] on [Note];
    /// Let a draft out: the resource is the draft at its label, [`ResourceFacts::outgoing`] the brief's level.
    BriefRelease = "brief-release" in [OPENING, WORKING] on [Note, Brief];
    /// List titles and dates.
    List = "list" in [WORKING] on [Note, Brief, Vault];
    /// Write a new note: the resource bears the label it is to have.
    Add = "add" in [WORKING] on [Note];
    /// Write a further revision.
    Revise = "revise" in [WORKING] on [Note];
    /// Attach a file.
    Attach = "attach" in [WORKING] on [Note];
    /// Close a matter.
    Close = "close" in [WORKING] on [Note];
    /// Check a text for what a brief must not say.
    BriefCheck = "brief-check" in [WORKING] on [Brief, Vault];
    /// List briefs and drafts.
    BriefList = "brief-list" in [WORKING] on [Brief, Vault];
    /// List releases that later knowledge concerns.
    BriefRecall = "brief-recall" in [WORKING] on [Brief, Vault];
    /// List compartments by name.
    CompartmentList = "compartment-list" in [WORKING] on [Roster, Vault];
    /// Approve somebody else's request.
    Approve = "approve" in [WORKING] on [Note, Brief, Policy, Roster, Vault];
    /// Give a note another label; decided for the old label, then as [`Action::Add`] for the new one.
    Relabel = "relabel" in [DECIDING] on [Note, Brief];
    /// Keep a note beyond its review.
    Keep = "keep" in [DECIDING] on [Note, Brief];
    /// Destroy a note.
    Destroy = "destroy" in [DECIDING] on [Note, Brief];
    /// Place a legal hold.
    HoldPlace = "hold-place" in [GOVERNING] on [Note, Vault];
    /// Lift a legal hold.
    HoldLift = "hold-lift" in [GOVERNING] on [Note, Vault];
    /// Change the policies.
    PolicyEdit = "policy-edit" in [GOVERNING] on [Policy];
    /// Admit a member.
    MemberAdmit = "member-admit" in [GOVERNING] on [Roster];
    /// Give a member more.
    MemberGrant = "member-grant" in [GOVERNING] on [Roster];
    /// Take something from a member.
    MemberRevoke = "member-revoke" in [GOVERNING] on [Roster];
    /// Pause a member.
    MemberPause = "member-pause" in [GOVERNING] on [Roster];
    /// Resume a paused member.
    MemberResume = "member-resume" in [GOVERNING] on [Roster];
    /// Remove a member.
    MemberRemove = "member-remove" in [GOVERNING] on [Roster];
    /// Review who has access.
    MemberReview = "member-review" in [GOVERNING] on [Roster];
    /// Review that somebody broke the glass.
    GlassReview = "glass-review" in [GOVERNING] on [Roster];
    /// Make a compartment.
    CompartmentNew = "compartment-new" in [GOVERNING] on [Roster];
    /// Take notes out of the vault in bulk.
    Export = "export" in [OPENING, GOVERNING] on [Note, Brief];
    /// Read entries of the log; [`ResourceFacts::own`] if only one's own are asked for.
    AuditLog = "audit-log" in [OVERSEEING] on [Log];
    /// Ask who accessed what.
    AuditWho = "audit-who" in [OVERSEEING] on [Log];
    /// Write a report of the log.
    AuditReport = "audit-report" in [OVERSEEING] on [Log];
    /// Read the policies.
    PolicyShow = "policy-show" in [EVERYBODY] on [Policy];
    /// Acknowledge the policies.
    PolicyAck = "policy-ack" in [EVERYBODY] on [Policy];
    /// See who belongs to the vault.
    MemberList = "member-list" in [EVERYBODY] on [Roster];
    /// Declare a conflict of interest.
    ConflictDeclare = "conflict-declare" in [EVERYBODY] on [Vault];
    /// List the conflicts of interest that were declared to one, or by one.
    ConflictList = "conflict-list" in [EVERYBODY] on [Note];
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an action: `strongroom policy show access/schema.cedarschema` lists them")]
pub struct BadAction(String);

impl FromStr for Action {
    type Err = BadAction;

    fn from_str(text: &str) -> Result<Self, BadAction> {
        let found = Self::ALL.iter().copied().find(|action| action.name() == text);
        found.ok_or_else(|| BadAction(text.chars().take(40).collect()))
    }
}

/// What somebody is in a vault: `officer`, `lead`, `auditor`, or a word of its own that its rules know.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Role(Cow<'static, str>);

impl Role {
    /// Records and reads notes.
    pub const OFFICER: Role = Role(Cow::Borrowed("officer"));
    /// Governs the vault.
    pub const LEAD: Role = Role(Cow::Borrowed("lead"));
    /// Reads the log.
    pub const AUDITOR: Role = Role(Cow::Borrowed("auditor"));
    /// Opens in an emergency what their clearance does not cover.
    pub const BREAKGLASS: Role = Role(Cow::Borrowed("breakglass"));

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role: lower-case letters, digits and single hyphens, at most 32")]
pub struct BadRole(String);

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Self, BadRole> {
        match is_code(text) {
            true => Ok(Self(Cow::Owned(text.to_owned()))),
            false => Err(BadRole(text.chars().take(40).flat_map(char::escape_debug).collect())),
        }
    }
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActorFacts {
    /// The person.
    pub person: PersonId,
    /// Their roles in force now.
    pub roles: BTreeSet<Role>,
    /// What they may read now.
    pub clearance: Clearance,
    /// Whether a lead has paused them.
    pub paused: bool,
    /// Whether their membership had an end, which is past.
    pub ended: bool,
}

/// What is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourceFacts {
    /// What it is.
    pub kind: Kind,
    /// The label that its keys are wrapped under; for what has none, `public`.
    pub label: Label,
    /// The level of what leaves the vault, for [`Action::BriefRelease`]: the brief's. `None`: the label's.
    pub outgoing: Option<Level>,
    /// The person wrote it; of the log: only their own entries are asked for.
    pub own: bool,
    /// A legal hold is on it.
    pub held: bool,
    /// The person has declared a conflict of interest with it.
    pub conflict: bool,
    /// For [`Action::Relabel`]: the new label lets somebody read it who could not before.
    pub lowers: bool,
    /// For [`Action::BriefRelease`]: what it was made of wants a second person, whatever its level says.
    pub seconded: bool,
    /// For [`Action::Destroy`]: the highest level it bore, where that is not its label's: whoever may lower it alone does
    /// not make it theirs alone by that.
    pub highest: Option<Level>,
    /// For [`Action::Destroy`]: it was closed, and so is a record.
    pub closed: bool,
    /// For [`Action::Destroy`]: the least time of its class, where that is not over yet, in seconds since
    /// 1970-01-01T00:00Z.
    pub kept_until: Option<i64>,
}

impl ResourceFacts {
    /// A thing of this kind under this label, with nothing special about it.
    pub fn new(kind: Kind, label: Label) -> Self {
        Self {
            kind,
            label,
            outgoing: None,
            own: false,
            held: false,
            conflict: false,
            lowers: false,
            seconded: false,
            highest: None,
            closed: false,
            kept_until: None,
        }
    }
}

/// How long this copy of the vault has been without the others, as far as a cap on that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offline {
    /// It is complete in itself: there is no other to exchange with.
    Never,
    /// It has others, and has exchanged with none as far as is known here.
    Always,
    /// It exchanged with one, in seconds since 1970-01-01T00:00Z.
    Since {
        /// When.
        last: i64,
        /// What time it is, or the newest that is known here if the clock is behind that.
        now: i64,
    },
}

impl Offline {
    /// Whether that is within a cap.
    pub fn allows(self, at_most: Period) -> bool {
        match self {
            Offline::Never => true,
            Offline::Always => false,
            Offline::Since { last, now } => at_most.after(last).is_none_or(|until| now <= until),
        }
    }
}

/// One question to the policies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    /// What is to be done.
    pub action: Action,
    /// Who asks.
    pub actor: ActorFacts,
    /// About what.
    pub resource: ResourceFacts,
    /// The code of the purpose, as given.
    pub purpose: Option<String>,
    /// The reason, as given. Only its length reaches the rules.
    pub reason: Option<&'a str>,
    /// Seconds since 1970-01-01T00:00Z.
    pub now: i64,
    /// How long it is without the others.
    pub offline: Offline,
    /// How many distinct other people approved this very request, each approval verified.
    pub approvals: u32,
    /// How many of them are leads.
    pub lead_approvals: u32,
    /// How many members the vault has, this person included.
    pub people: u32,
}

impl Request<'_> {
    /// Whether the clearance is this person's own and dominates the label.
    pub(super) fn cleared(&self) -> bool {
        self.actor.clearance.person == self.actor.person && self.actor.clearance.dominates(&self.resource.label)
    }

    /// The characters of the reason that say something: spaces at its ends and control characters do not.
    pub(super) fn reason_length(&self) -> usize {
        self.reason
            .map_or(0, |reason| reason.trim().chars().filter(|c| !c.is_control()).count())
    }
}
