//! Statements: what an entry says sealed (docs/FORMAT.md §7.4). A member with a changed program can write under any id and name
//! what others wrote: so a statement is the one body that its entry wrote, and by whoever wrote the entry.

use super::context::Desk;
use super::error::Error;
use super::finding::Looking;
use crate::chain::{Details, FileRef, Statement};
use crate::crypto::Recipient;
use crate::env::SystemEntropy;
use crate::envelope::WrapFile;
use crate::gate::{Filter, Listed, Nature};
use crate::id::EntryRef;
use crate::ledger::{Changes, Draft, FILES_PER_ENTRY, StoredNote, wrap_ref};
use crate::policy::Action;
use std::collections::HashSet;

impl Desk<'_> {
    /// What the statements of these entries say beside their text, of those that may be listed; under an entry of its own.
    pub(super) fn find_statements(
        &mut self,
        details: Details,
        action: Action,
        said: &[(EntryRef, Statement)],
    ) -> Result<Vec<(EntryRef, Listed)>, Error> {
        let notes = said.iter().map(|(_, statement)| statement.note).collect();
        let filter = Filter {
            natures: vec![Nature::Statement],
            ..Filter::default()
        };
        let found = self.find_all(details, &Looking::heads_of(action, filter, &notes))?;
        let of = |listed: Listed| {
            let statement = Statement {
                note: listed.note,
                body: listed.body,
            };
            let by = Some(listed.metadata.author);
            let mut entries = said.iter().filter(|(_, said)| *said == statement);
            let (entry, _) = entries.find(|(entry, _)| self.person(*entry) == by)?;
            Some((*entry, listed))
        };
        Ok(found.into_iter().filter_map(|line| of(line.listed)).collect())
    }

    /// Opens the statement of an entry, under an entry of its own; none where nothing that opens here is that.
    pub(super) fn read_statement(
        &mut self,
        entry: EntryRef,
        statement: Statement,
        details: &Details,
    ) -> Result<Option<String>, Error> {
        let id = statement.note.to_string();
        let found = self.find(&id)?.map_or(Vec::new(), |(_, _, wraps)| wraps);
        let is_of = |wrap: &WrapFile| wrap.body().is_ok_and(|body| body == statement.body);
        let wraps = found.into_iter().filter(is_of).map(|wrap| (statement.note, wrap));
        let (sound, _) = self.gate().sound(self.ledger.stored_many(wraps.collect())?);
        if !sound.iter().any(StoredNote::is_statement) {
            return Ok(None);
        }
        let mut details = details.clone();
        let standing = self.standing(&id, &[Nature::Statement], &details)?;
        let permits = self.permitted(Action::Read, &standing, &mut details, &id)?;
        let (opened, _) = self.open_revisions(&standing, &[statement.body], false, permits, details)?;
        let by = self.person(entry);
        let open = opened.into_iter().find(|open| Some(open.metadata.author) == by);
        Ok(open.map(|open| open.text().to_owned()))
    }

    /// The sealed statements themselves, each with every wrap of it.
    pub(super) fn stored_statements(&self, said: &[Statement]) -> Result<Vec<StoredNote>, Error> {
        let mut all = Vec::new();
        for statement in said {
            let mut wraps = self.ledger.wraps(&statement.note.to_string())?;
            wraps.retain(|(_, wrap)| wrap.body().is_ok_and(|body| body == statement.body));
            all.extend(self.ledger.stored_many(wraps)?);
        }
        Ok(all)
    }

    /// The files of a statement, as far as no entry but that one wrote the body.
    pub(super) fn files_of_statement(&self, entry: EntryRef, statement: Statement) -> Result<Vec<FileRef>, Error> {
        if !self.ledger.is_of_entry(statement.note, statement.body, entry) {
            return Ok(Vec::new());
        }
        let stored = self.stored_statements(&[statement])?;
        let Some(first) = stored.first().filter(|stored| stored.is_statement()) else {
            return Ok(Vec::new());
        };
        Ok(stored
            .iter()
            .map(|stored| stored.wrap_file())
            .chain([first.body_file()])
            .collect())
    }

    /// Seals the statements of these entries to a device more, each by a wrap of its own beside those that are there: whom
    /// these are for cannot be told, so that a slot more would double them each time.
    pub(super) fn hand_on_statements(
        &mut self,
        said: &[(EntryRef, Statement)],
        device: &Recipient,
    ) -> Result<(), Error> {
        let (mut given, mut all) = (HashSet::new(), Vec::new());
        for (entry, statement) in said {
            let Some(author) = self
                .person(*entry)
                .filter(|_| !self.ledger.is_destroyed(statement.note))
            else {
                continue;
            };
            for stored in self.stored_statements(&[*statement])? {
                let new = self.gate().statement_for(&stored, author, device, &mut SystemEntropy)?;
                if let Some(new) = new.filter(|_| given.insert(*statement)) {
                    all.push((statement.note, new.to_bytes()));
                    break;
                }
            }
        }
        for some in all.chunks(FILES_PER_ENTRY) {
            let mut changes = Changes::default();
            for (note, new) in some {
                changes.write_digested(wrap_ref(*note), note, new.clone());
            }
            let notes = some.iter().map(|(note, _)| *note).collect();
            let kind = crate::chain::Kind::Key;
            let _ = self.record(Draft::change(kind, self.details("rewrap"), notes, changes))?;
        }
        Ok(())
    }
}
