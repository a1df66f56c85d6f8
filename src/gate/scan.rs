//! Looking inside all notes at once: what is listed, and what is searched for. Whatever is opened here stays here, and
//! is wiped note by note; out come ids and counts.

use super::query::Query;
use super::survey::{Filter, Found, Survey, Unopened, look};
use super::{Gate, GateError};
use crate::chain::FileRef;
use crate::id::NoteId;
use crate::label::Clearance;
use crate::ledger::{Ledger, LedgerError};
use std::collections::HashSet;

/// Why a look at all notes ended.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// What the log says exists cannot be read, or is not what was written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It does not open.
    #[error(transparent)]
    Gate(#[from] GateError),
}

/// A note that was looked at, and after it what was found of it.
enum LookedAt {
    Note(NoteId),
    Head(Found),
    Unopened(FileRef),
}

impl Gate<'_> {
    /// Looks inside every live note that this session's keys and `clearance` open, for what `filter` lets through and in
    /// which `query` is found. What cannot be opened is left out without a trace.
    pub fn scan(
        &self,
        ledger: &Ledger<'_>,
        clearance: &Clearance,
        filter: &Filter,
        query: Option<&Query>,
    ) -> Result<Survey, ScanError> {
        self.scan_among(|_| true, ledger, clearance, filter, query)
    }

    /// The same of notes whose id begins with `beginning`; opens no text.
    pub fn scan_beginning(
        &self,
        beginning: &str,
        ledger: &Ledger<'_>,
        clearance: &Clearance,
        filter: &Filter,
    ) -> Result<Survey, ScanError> {
        let among = |note: NoteId| beginning.is_empty() || note.to_string().starts_with(beginning);
        self.scan_among(among, ledger, clearance, filter, None)
    }

    /// The same of these notes alone.
    pub fn scan_these(
        &self,
        these: &HashSet<NoteId>,
        ledger: &Ledger<'_>,
        clearance: &Clearance,
        filter: &Filter,
    ) -> Result<Survey, ScanError> {
        self.scan_among(|note| these.contains(&note), ledger, clearance, filter, None)
    }

    fn scan_among(
        &self,
        among: impl Fn(NoteId) -> bool,
        ledger: &Ledger<'_>,
        clearance: &Clearance,
        filter: &Filter,
        query: Option<&Query>,
    ) -> Result<Survey, ScanError> {
        let gate = *self;
        let looked_at = ledger.each_note(
            among,
            |note, wrap| gate.label(note, wrap, clearance).is_some(),
            |note, stored, looked_at: &mut Vec<LookedAt>| {
                looked_at.push(LookedAt::Note(note));
                let mut unopened = Unopened::new();
                let mut take = |found| looked_at.push(LookedAt::Head(found));
                look(gate, stored, filter, query, &mut unopened, &mut take);
                looked_at.extend(unopened.into_iter().map(LookedAt::Unopened));
                Ok::<(), ScanError>(())
            },
        )?;
        let (mut ids, mut heads) = (Vec::with_capacity(looked_at.len()), Vec::with_capacity(looked_at.len()));
        let mut unopened = Unopened::new();
        for item in looked_at {
            match item {
                LookedAt::Note(note) => ids.push(note),
                LookedAt::Head(found) => heads.push(found),
                LookedAt::Unopened(file) => unopened.push(file),
            }
        }
        Ok(Survey::new(gate, heads, ids, unopened))
    }
}
