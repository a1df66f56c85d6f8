//! What a person wrote and what could not be recorded: kept, sealed, until they go on with it or throw it away.

use super::context::{Context, Unlocked};
use super::error::{Error, Kind};
use super::writing::{Editing, is_blank, words_of};
use crate::casework::reserved;
use crate::chain::Time;
use crate::crypto::make_random;
use crate::env::{SystemEntropy, read_bounded, write_new_private};
use crate::envelope::{KeptFile, KeptText, WrapFile};
use crate::id::NoteId;
use crate::ledger::{Draft, Recorded};
use std::path::{Path, PathBuf};

/// The folder of kept texts in this device's state.
const KEPT: &str = "kept";
/// How many kept texts are looked at.
const KEPT_MAX: usize = 256;

/// A kept text: where it lies, and what it is about.
pub(super) struct Kept {
    pub(super) path: PathBuf,
    pub(super) note: Option<NoteId>,
    kept: i64,
    /// Whether a concern or an answer to one; nothing else takes it up.
    of_concern: bool,
    /// As what it may have been recorded: the id of the note that it was to become, or the digest of the revision.
    recorded_as: Option<String>,
    file: Vec<u8>,
}

pub(super) fn remove_kept(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::new(
            Kind::Failed,
            format!("`{}` cannot be removed: {error}", path.display()),
        )),
        _ => Ok(()),
    }
}

impl Unlocked<'_> {
    /// What this identity kept, newest first. What is not its own, or damaged, is left alone.
    pub(super) fn kept_texts(&self) -> Vec<Kept> {
        let Ok(entries) = std::fs::read_dir(self.state.join(KEPT)) else {
            return Vec::new();
        };
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.ok()?.path();
            let file = read_bounded(&path, KeptFile::MAX).ok()?;
            let about = self
                .identity
                .kept_about(&file, reserved::READERS, reserved::RECORDED_AS)
                .ok()?;
            Some(Kept {
                path,
                note: about.note,
                kept: about.kept,
                of_concern: about.has_field,
                recorded_as: about.value,
                file,
            })
        };
        let mut all: Vec<Kept> = entries.take(KEPT_MAX).filter_map(read).collect();
        all.sort_by(|a, b| (b.kept, &b.path).cmp(&(a.kept, &a.path)));
        all
    }

    pub(super) fn keep(&self, text: &KeptText) -> Result<(), Error> {
        let sealed = self.identity.seal_kept(text, &mut SystemEntropy)?;
        let name: [u8; 8] = make_random(&mut SystemEntropy)?;
        let name = format!("{:016x}", u64::from_be_bytes(name));
        Ok(write_new_private(&self.state.join(KEPT).join(name), &sealed)?)
    }

    /// Removes what was kept of a note, or of notes that are not there yet.
    pub(super) fn discard_kept(&self, note: Option<NoteId>) -> Result<(), Error> {
        let kept = self.kept_texts().into_iter().filter(|kept| kept.note == note);
        kept.into_iter().try_for_each(|kept| remove_kept(&kept.path))
    }

    /// The newest text kept of `note`, or of a concern or an answer to one, if the person wants to go on with it.
    pub(super) fn kept_to_take_up(
        &self,
        context: &Context<'_>,
        note: Option<NoteId>,
        of_concern: bool,
        editing: Editing,
    ) -> Result<Option<Kept>, Error> {
        let kept = self.kept_texts().into_iter().filter(|kept| kept.note == note);
        let (mut own, others): (Vec<Kept>, Vec<Kept>) = kept.partition(|kept| kept.of_concern == of_concern);
        while let Some(newest) = own.first() {
            let Some(id) = self.recorded_as(context, newest)? else {
                break;
            };
            context.person.warn(&format!(
                "the text of {} that was kept is recorded, in note {}: it is not offered again",
                Time::from_unix(newest.kept),
                &id.to_string()[..8]
            ));
            remove_kept(&newest.path)?;
            own.remove(0);
        }
        let Some(newest) = own.into_iter().next() else {
            let none = Error::new(Kind::Usage, "no text was kept here to go on with");
            return match (editing.take_up, others.is_empty()) {
                (false, _) => Ok(None),
                (true, true) => Err(none),
                (true, false) => Err(none.hint(format!(
                    "one was kept for another command: `strongroom {} --continue` goes on with that",
                    words_of(note, !of_concern)
                ))),
            };
        };
        if editing.take_up {
            return Ok(Some(newest));
        }
        let when = Time::from_unix(newest.kept);
        let asked = context.person.line(&format!(
            "a text of {when} was kept when it could not be recorded: go on with it? [Y/n] "
        ));
        match asked {
            Some(answer) if !answer.trim().to_lowercase().starts_with('n') => Ok(Some(newest)),
            Some(_) => Ok(None),
            None => {
                context.person.warn(&format!(
                    "a text of {when} was kept when it could not be recorded: --continue goes on with it, --discard throws it away"
                ));
                Ok(None)
            }
        }
    }

    /// The note in which a kept text is recorded all the same: who kept it could not know, and whoever has the vault open
    /// can.
    fn recorded_as(&self, context: &Context<'_>, kept: &Kept) -> Result<Option<NoteId>, Error> {
        let Some(mark) = &kept.recorded_as else {
            return Ok(None);
        };
        let asked = kept.note.map_or_else(|| mark.clone(), |note| note.to_string());
        let desk = self.desk(context)?;
        let found = desk.find(&asked)?.filter(|(_, _, wraps)| {
            let is_it = |wrap: &WrapFile| wrap.body().is_ok_and(|body| body.to_string() == *mark);
            kept.note.is_none() || wraps.iter().any(is_it)
        });
        Ok(found.map(|(note, _, _)| note))
    }

    /// Opens a kept text, after an entry.
    pub(super) fn take_up(&self, context: &Context<'_>, kept: &Kept) -> Result<KeptText, Error> {
        let mut desk = self.desk(context)?;
        let mut details = desk.details(if kept.note.is_some() { "edit-read" } else { "add-read" });
        details.asked = Some("a text that was kept".to_owned());
        let recorded: Recorded = desk.record(Draft::read(details, kept.note.into_iter().collect()))?;
        Ok(desk.gate().take_up(&kept.file, recorded)?)
    }

    /// Seals what a run that was killed left in memory, and wipes it there. What another vault or identity left is not
    /// touched.
    pub(super) fn keep_left_texts(&self, context: &Context<'_>) {
        for left in context.person.left_texts() {
            let now = context.now().unix();
            let kept = match self.identity.kept_with(left.ticket(), left.text(), now) {
                Err(_) => continue,
                Ok(kept) => kept.filter(|_| !is_blank(left.text())),
            };
            let sealed = kept.as_ref().map_or(Ok(()), |kept| self.keep(kept));
            if let (Ok(()), Some(kept)) = (&sealed, &kept) {
                let words = words_of(kept.note, kept.given.has(reserved::READERS));
                context.person.warn(&format!(
                    "an editor was left with a text that was not recorded; it is kept, sealed: `strongroom {words} \
                     --continue` goes on with it, --discard throws it away"
                ));
            }
            if let Err(error) = sealed.and_then(|()| left.wipe()) {
                context
                    .person
                    .warn(&format!("a text that an editor left is still in memory: {error}"));
            }
        }
    }
}
