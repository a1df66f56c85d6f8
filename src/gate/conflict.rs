//! Conflicts of interest that a person has declared: what they concern is looked at inside, and does not come out.

use super::{Gate, GateError, Metadata, fold};
use crate::envelope::{BodyFile, Purpose};
use crate::ledger::StoredNote;
use zeroize::Zeroizing;

/// Clients and cases that a person is to stay out of, as they are compared. An empty case means all of a client's.
#[derive(Default)]
pub struct Conflicts(Vec<[Zeroizing<String>; 2]>);

impl Conflicts {
    /// Whether what bears this metadata concerns one of them.
    pub fn concern(&self, metadata: &Metadata) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let [client, case] = compared(metadata);
        let covers = |declared: &String, found: &String| declared.is_empty() || declared == found;
        let mut all = self.0.iter();
        all.any(|[of, within]| covers(of, &client) && covers(within, &case))
    }
}

fn compared(metadata: &Metadata) -> [Zeroizing<String>; 2] {
    [&metadata.client, &metadata.case].map(|name| Zeroizing::new(fold(name.trim())))
}

impl<'a> Gate<'a> {
    /// The same gate, which says of what it finds whether it concerns one of these.
    pub fn minding(self, conflicts: &'a Conflicts) -> Self {
        Self {
            conflicts: Some(conflicts),
            ..self
        }
    }

    /// What statements of conflicts concern.
    pub fn conflicts(&self, stored: &[StoredNote]) -> Result<Conflicts, GateError> {
        let mut conflicts = Conflicts::default();
        for item in stored {
            let body = BodyFile::parse(&item.sealed)?;
            if body.purpose() != Purpose::Statement {
                continue;
            }
            let (_, key) = self.unwrap_key(item.note, &item.wrap)?;
            let concerned = compared(&body.open_metadata(self.vault(), item.note, &key)?);
            // One about nothing would be about everything.
            if concerned.iter().any(|name| !name.is_empty()) {
                conflicts.0.push(concerned);
            }
        }
        Ok(conflicts)
    }

    pub(super) fn is_in_conflict(&self, metadata: &Metadata) -> bool {
        self.conflicts.is_some_and(|conflicts| conflicts.concern(metadata))
    }
}
