//! What is due, and when.

use crate::chain::Time;
use crate::id::NoteId;

/// What kind of thing is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DueKind {
    /// A clock of a template.
    Clock,
    /// A note whose review is due, by its retention.
    Review,
    /// A note that is kept no longer, by its retention.
    Purge,
    /// Broken glass that waits for its review.
    BrokenGlass,
    /// A request that waits for a second person.
    Request,
    /// Policies that wait to be acknowledged.
    Policies,
    /// A hold under which notes fall that it does not name yet.
    Hold,
}

impl DueKind {
    /// As it is shown, and stands in `due --json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Review => "review",
            Self::Purge => "purge",
            Self::BrokenGlass => "broken-glass",
            Self::Request => "request",
            Self::Policies => "policies",
            Self::Hold => "hold",
        }
    }
}

/// One thing that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// When.
    pub time: Time,
    /// What kind of thing.
    pub kind: DueKind,
    /// The note, if it is about one.
    pub note: Option<NoteId>,
    /// What is due, in a few words.
    pub what: String,
}
