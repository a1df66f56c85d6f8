//! What the policies answer.

use super::facts::{Action, Kind, ResourceFacts};
use super::levels::Period;
use crate::id::{Digest, PersonId};

/// The answer to one request.
///
/// INVARIANT (nothing is permitted that was not decided): [`Permission`] has private fields and no
/// constructor outside this room, and cannot be cloned, so that one decision stays one.
#[must_use = "a decision is recorded, permitted or denied"]
#[derive(Debug)]
pub enum Decision {
    /// It may be done.
    Permitted(Permission),
    /// It may not.
    Denied(Denial),
}

/// A permitted request: what for, for whom, and by which rules.
///
/// ```compile_fail,E0451
/// use strongroom::policy::Permission;
/// fn forge(other: Permission) -> Permission {
///     Permission { rules: vec!["mine".into()], ..other }
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Permission {
    pub(super) action: Action,
    pub(super) person: PersonId,
    pub(super) resource: ResourceFacts,
    pub(super) policy: Digest,
    pub(super) rules: Vec<String>,
    pub(super) obligations: Vec<Obligation>,
}

impl Permission {
    /// What is permitted.
    pub fn action(&self) -> Action {
        self.action
    }

    /// To whom.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// For what: a thing with other facts was not decided about.
    pub fn resource(&self) -> &ResourceFacts {
        &self.resource
    }

    /// The digest of the policy set that decided.
    pub fn policy(&self) -> Digest {
        self.policy
    }

    /// The `@id` of each rule that permits it, sorted.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// What whoever carries it out must see to.
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }
}

/// What comes with a permission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obligation {
    /// What leaves the vault bears this mark.
    Mark(String),
    /// The note is due for review after this time.
    ReviewAfter(Period),
}

/// A denied request.
#[derive(Debug, PartialEq, Eq)]
pub struct Denial {
    pub(super) action: Action,
    pub(super) kind: Kind,
    pub(super) policy: Digest,
    pub(super) rules: Vec<String>,
    pub(super) why: Vec<Why>,
    /// The codes of the vault, to choose from where a purpose is due.
    pub(super) purposes: Vec<String>,
    /// Whether the person may not even learn that the thing exists.
    pub(super) hidden: bool,
}

/// One reason for a denial.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    /// The label is beyond the clearance. Never shown of a thing that exists.
    ClearanceTooLow,
    /// A paused member.
    Paused,
    /// Somebody whose membership is over.
    Ended,
    /// A declared conflict of interest.
    Conflict,
    /// A legal hold.
    Held,
    /// The least time of its class is not over.
    Kept {
        /// Until when it runs, in seconds since 1970-01-01T00:00Z.
        until: i64,
        /// The rule's `@why`.
        words: String,
    },
    /// A purpose is due and none was given.
    PurposeMissing,
    /// The code given is not in `purposes.toml`.
    PurposeUnknown(String),
    /// A reason is due and none was given, or too short a one.
    ReasonMissing,
    /// This copy of the vault was without the others for longer than the level lets.
    Offline {
        /// For how long it lets.
        at_most: Period,
        /// When it exchanged with one, in seconds since 1970-01-01T00:00Z; none: never.
        last: Option<i64>,
    },
    /// Another person's approval is due.
    SecondPersonMissing,
    /// Another lead's approval is due.
    AnotherLeadMissing,
    /// A rule of the vault's own forbids it.
    Forbidden {
        /// Its `@id`.
        rule: String,
        /// Its `@why`.
        words: String,
    },
    /// A rule could not be evaluated.
    RuleError(String),
    /// No rule permits it.
    NothingPermits,
}

impl Why {
    /// Its name in entries, cases and `@because`.
    pub fn code(&self) -> &'static str {
        match self {
            Why::ClearanceTooLow => "clearance",
            Why::Paused => "paused",
            Why::Ended => "ended",
            Why::Conflict => "conflict",
            Why::Held => "hold",
            Why::Kept { .. } => "kept",
            Why::PurposeMissing => "purpose-missing",
            Why::PurposeUnknown(_) => "purpose-unknown",
            Why::ReasonMissing => "reason-missing",
            Why::Offline { .. } => "offline",
            Why::SecondPersonMissing => "second-person",
            Why::AnotherLeadMissing => "another-lead",
            Why::Forbidden { .. } => "forbidden",
            Why::RuleError(_) => "rule-error",
            Why::NothingPermits => "nothing-permits",
        }
    }

    fn words(&self, denial: &Denial) -> String {
        let Denial { action, purposes, .. } = denial;
        match self {
            Why::ClearanceTooLow => "the label is beyond your clearance: choose one that you may read yourself".into(),
            Why::Paused => "your membership is paused: a lead can resume it".into(),
            Why::Ended => "your membership is over, as it was agreed: a lead can give it a later end".into(),
            Why::Conflict => "you have declared a conflict of interest in this matter".into(),
            Why::Held => "a legal hold is on it: it stays until the hold is lifted".into(),
            Why::Kept { until, words } => format!("its class keeps it until {}: {words}", day_of(*until)),
            Why::PurposeMissing => format!(
                "say what it is for with `--purpose CODE`, one of {}",
                purposes.join(", ")
            ),
            Why::PurposeUnknown(code) => format!(
                "`{}` is not a purpose of this vault: choose one of {}",
                code.chars().take(40).flat_map(char::escape_debug).collect::<String>(),
                purposes.join(", ")
            ),
            Why::ReasonMissing => "say why, in a few words (four characters or more), with `--why TEXT`".into(),
            Why::Offline { at_most, last } => {
                let last = last.map_or("there was none yet".to_owned(), |last| {
                    format!("the last was at {}", moment(last))
                });
                format!(
                    "notes of this level are opened here within {at_most} after a sync, and {last}: `strongroom sync` first \
                     (where there is no remote any more, `strongroom remote add URL`)"
                )
            }
            Why::SecondPersonMissing => "a second person must approve it first".into(),
            Why::AnotherLeadMissing => "another lead must approve it first".into(),
            Why::Forbidden { rule, words } => format!("the rule `{rule}` forbids it: {words}"),
            Why::RuleError(rule) => format!(
                "the rule `{rule}` could not be evaluated, so nothing is permitted: a lead must mend it \
                 (`strongroom policy test`)"
            ),
            Why::NothingPermits => format!("no rule of this vault permits you to `{action}` here"),
        }
    }
}

/// A moment as text, in UTC.
pub(super) fn moment(unix: i64) -> String {
    let stamp = jiff::Timestamp::from_second(unix).unwrap_or(jiff::Timestamp::MAX);
    stamp.to_string()
}

/// A moment as its day, in UTC.
fn day_of(unix: i64) -> String {
    let stamp = jiff::Timestamp::from_second(unix).unwrap_or(jiff::Timestamp::MAX);
    stamp.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

impl Denial {
    /// What was denied.
    pub fn action(&self) -> Action {
        self.action
    }

    /// What it was about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The digest of the policy set that decided.
    pub fn policy(&self) -> Digest {
        self.policy
    }

    /// The `@id` of each rule that forbids it or failed, sorted; empty when nothing permits it.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// All reasons, for the record; never empty. Not for the person's eyes: see [`Denial::public_words`].
    pub fn why(&self) -> &[Why] {
        &self.why
    }

    /// Whether another person's approval is all that is missing.
    pub fn lacks_only_a_second_person(&self) -> bool {
        let second = |why: &Why| matches!(why, Why::SecondPersonMissing | Why::AnotherLeadMissing);
        !self.hidden && self.why.iter().all(second)
    }

    /// Whether that has to be another lead.
    pub fn lacks_another_lead(&self) -> bool {
        self.why.contains(&Why::AnotherLeadMissing)
    }

    /// What may be said to the person, one sentence a reason, each saying what to do where there is
    /// something. `None`: say exactly what is said of a thing that does not exist. That is so wherever the
    /// person could not read the thing whatever they gave: neither its existence nor its label shows.
    pub fn public_words(&self) -> Option<Vec<String>> {
        // A lead is a second person too.
        let said = |why: &&Why| **why != Why::SecondPersonMissing || !self.lacks_another_lead();
        (!self.hidden).then(|| self.why.iter().filter(said).map(|why| why.words(self)).collect())
    }
}
