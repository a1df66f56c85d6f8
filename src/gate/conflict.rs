//! Conflicts of interest that a person has declared, and what falls under a legal hold: what they concern is looked at
//! inside, and does not come out.

use super::{Gate, GateError, Metadata, fold};
use crate::crypto::{Entropy, Recipient};
use crate::envelope::{BadEnvelope, BadWrap, BodyFile, WrapFile};
use crate::id::PersonId;
use crate::label::Level;
use crate::ledger::StoredNote;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Of so many clients beside the first the draft of a brief says that it concerns them.
pub const FURTHER_MAX: usize = 16;

/// The fields that name another client and case that a draft concerns, the one of that number.
pub fn named_further(n: usize, client: String, case: String) -> [(String, String); 2] {
    [(format!("{CLIENT}{n}"), client), (format!("{CASE}{n}"), case)]
}

/// Whether a field is one of these.
pub fn is_further(name: &str) -> bool {
    name.starts_with(CLIENT) || name.starts_with(CASE)
}

const CLIENT: &str = "also client ";
const CASE: &str = "also case ";

/// Clients and cases that a person is to stay out of, as they are compared. An empty case means all of a client's.
#[derive(Default)]
pub struct Conflicts(Vec<[Zeroizing<String>; 2]>);

impl Conflicts {
    /// What concerns one of these clients, with their cases; a name left empty stands for any.
    pub fn of<'n>(all: impl IntoIterator<Item = (&'n str, &'n str)>) -> Self {
        let all = all.into_iter().map(|(client, case)| compared(client, case));
        Self(all.filter(|pair| pair.iter().any(|name| !name.is_empty())).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what bears this metadata concerns one of them.
    pub fn concern(&self, metadata: &Metadata) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let field = |name: String| {
            let found = metadata.fields.iter().find(|(known, _)| *known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let further = (0..FURTHER_MAX).map(|n| compared(field(format!("{CLIENT}{n}")), field(format!("{CASE}{n}"))));
        let mut about = [compared(&metadata.client, &metadata.case)].into_iter().chain(further);
        let covers = |declared: &String, found: &String| declared.is_empty() || declared == found;
        about.any(|[client, case]| {
            let mut all = self.0.iter();
            all.any(|[of, within]| covers(of, &client) && covers(within, &case))
        })
    }
}

fn compared(client: &str, case: &str) -> [Zeroizing<String>; 2] {
    [client, case].map(|name| Zeroizing::new(fold(name.trim())))
}

impl<'a> Gate<'a> {
    /// The same gate, which says of what it finds whether it concerns one of these.
    pub fn minding(self, conflicts: &'a Conflicts) -> Self {
        Self {
            conflicts: Some(conflicts),
            ..self
        }
    }

    /// What statements of conflicts, or of holds, concern, and how many do not open for this session.
    pub fn conflicts(&self, stored: &[StoredNote]) -> Result<(Conflicts, usize), GateError> {
        let (mut conflicts, mut opened, mut closed) = (Conflicts::default(), BTreeSet::new(), BTreeSet::new());
        for item in stored {
            if !item.is_statement() {
                continue;
            }
            let open = || {
                let (_, key) = self.unwrap_key(item.note, &item.wrap)?;
                BodyFile::parse(&item.sealed)?.open_metadata(self.vault(), item.note, &key)
            };
            // A device that came later is not among those that it was sealed to at first.
            let Ok(metadata) = open() else {
                closed.insert(item.note);
                continue;
            };
            opened.insert(item.note);
            let concerned = compared(&metadata.client, &metadata.case);
            // One about nothing would be about everything.
            if concerned.iter().any(|name| !name.is_empty()) {
                conflicts.0.push(concerned);
            }
        }
        Ok((conflicts, closed.difference(&opened).count()))
    }

    /// A statement of that author for a device more, by a wrap of its own; none for anything else, and where it does not open
    /// here. Nobody decides about one alone, and whoever writes entries can name what they like in them: so the body has to
    /// say what it is.
    pub fn statement_for(
        &self,
        item: &StoredNote,
        author: PersonId,
        device: &Recipient,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<WrapFile>, GateError> {
        let open = || {
            let (label, key) = self.unwrap_key(item.note, &item.wrap)?;
            let metadata = BodyFile::parse(&item.sealed)?.open_metadata(self.vault(), item.note, &key)?;
            Ok::<_, BadEnvelope>((label, key, metadata))
        };
        let Ok((label, key, metadata)) = open() else {
            return Ok(None);
        };
        if label.level() != Level::Named || !item.is_statement() || metadata.author != author {
            return Ok(None);
        }
        let to = std::slice::from_ref(device);
        match WrapFile::wrap(
            self.vault(),
            item.note,
            item.body,
            &label,
            &key,
            self.keyring,
            to,
            entropy,
        ) {
            Ok(new) => Ok(Some(new)),
            Err(BadWrap::KeyMissing) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn is_in_conflict(&self, metadata: &Metadata) -> bool {
        self.conflicts.is_some_and(|conflicts| conflicts.concern(metadata))
    }
}
