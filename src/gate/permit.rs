//! What was decided, for which notes.

use crate::id::{NoteId, PersonId};
use crate::label::Label;
use crate::policy::{Action, Permission};

/// The proof that the policies permit an access to certain notes, all of them alike in everything that was
/// decided about. Made from a [`Permission`], which the policy room alone makes.
#[must_use = "what is permitted is recorded and carried out"]
#[derive(Debug)]
pub struct Permit {
    permission: Permission,
    /// In order.
    notes: Vec<NoteId>,
}

impl Permit {
    /// Binds a permission to the notes whose facts it was decided on.
    pub fn new(permission: Permission, notes: impl IntoIterator<Item = NoteId>) -> Self {
        let mut notes: Vec<NoteId> = notes.into_iter().collect();
        notes.sort_unstable();
        Self { permission, notes }
    }

    /// The rules that decided.
    pub fn rules(&self) -> &[String] {
        self.permission.rules()
    }

    /// Whether it lets `person` read all of `note`, which was found wrapped under `label`.
    pub(super) fn covers(&self, person: PersonId, note: NoteId, label: &Label) -> bool {
        self.is_for(person, note, label) && self.permission.action().opens()
    }

    /// Whether it lets `person` see the note's title and dates.
    pub(super) fn covers_heading(&self, person: PersonId, note: NoteId, label: &Label) -> bool {
        let action = self.permission.action();
        self.is_for(person, note, label) && (action.opens() || matches!(action, Action::List | Action::ConflictList))
    }

    /// Whether it was decided about what the person wrote, or what they declared a conflict of interest with.
    pub(super) fn is_about(&self, own: bool, conflict: bool) -> bool {
        let resource = self.permission.resource();
        (resource.own, resource.conflict) == (own, conflict)
    }

    /// Whether it lets `person` do exactly `action` with `note` at `label`.
    pub(super) fn lets(&self, action: Action, person: PersonId, note: NoteId, label: &Label) -> bool {
        self.is_for(person, note, label) && self.permission.action() == action
    }

    fn is_for(&self, person: PersonId, note: NoteId, label: &Label) -> bool {
        self.permission.person() == person
            && self.permission.resource().label == *label
            && self.notes.binary_search(&note).is_ok()
    }
}
