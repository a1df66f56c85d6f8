//! Taking notes out: read under one entry, given under another.

use super::super::context::{Context, Desk, Unlocked, short};
use super::super::error::{Error, Kind};
use super::super::person::NewFolder;
use super::Which;
use super::custody::Custody;
use super::files::write_attached;
use crate::chain::Time;
use crate::gate::{Handed, OpenContent};
use crate::id::{Digest, EntryRef, NoteId, PersonId, VaultId};
use crate::label::Level;
use crate::ledger::{Draft, StoredParts};
use crate::transfer::Picture;
use std::collections::{BTreeMap, BTreeSet};

/// Of how many attachments the parts are looked up at once: each has the vault open.
const AT_ONCE: usize = 32;

/// Takes what is attached.
pub(super) type GiveContent<'g> = &'g mut dyn FnMut(&str, OpenContent, StoredParts) -> Result<Option<Picture>, Error>;

/// A picture that goes out with what its camera wrote into it.
pub struct PictureOut {
    /// Its path in what is exported.
    pub path: String,
    /// What it tells beside the picture.
    pub picture: Picture,
}

/// What was chosen and read of the vault for an export.
pub(super) struct Taken {
    /// Where the reading stands in the log.
    pub(super) read: EntryRef,
    pub(super) vault: VaultId,
    pub(super) made: Time,
    pub(super) handle: String,
    pub(super) notes: Vec<NoteId>,
    /// What there was of them.
    bodies: BTreeSet<(NoteId, Digest)>,
    pub(super) custody: Custody,
    /// Labels of notes, in words.
    pub(super) labels: BTreeMap<NoteId, String>,
    /// The mark of the strictest.
    pub(super) mark: String,
    /// What the people are called who wrote.
    pub(super) handles: BTreeMap<PersonId, String>,
}

impl Desk<'_> {
    /// Reads what is to leave, under an entry of its own.
    pub(super) fn take_out(&mut self, which: &Which) -> Result<(Taken, Vec<Handed>), Error> {
        let mut details = self.details("export-read");
        details.asked = Some(short(which.in_words()));
        let notes = self.choose(which, &details)?;
        let leaving = self.leaving(&notes, &mut details)?;
        let bodies = leaving.bodies();
        let level = details.level.unwrap_or(Level::Public);
        let recorded = self.record(Draft::read(details, notes.clone()))?;
        let read = recorded.entry();
        let custody = self.custody(&notes.iter().copied().collect(), &recorded)?;
        for note in &leaving.others {
            self.context.person.warn(&format!(
                "under the id of note {note} stands something that is neither a text nor an attachment of it: it is passed \
                 over and does not leave"
            ));
        }
        let handed = self.gate().hand_out(leaving.stored, &leaving.permits, recorded)?;
        let mut labels = BTreeMap::new();
        let mut handles = BTreeMap::new();
        for item in &handed {
            let label = labels.entry(item.note).or_insert_with(|| item.label.clone());
            if let Some(join) = label.join(&item.label) {
                *label = join;
            }
            handles.insert(item.metadata.author, self.handle(item.metadata.author));
        }
        let labels = labels.into_iter();
        let taken = Taken {
            read,
            vault: self.identity.vault(),
            made: self.context.now(),
            handle: self.handle(self.identity.person()),
            notes,
            bodies,
            custody,
            labels: labels
                .map(|(note, label)| (note, self.label_text(&label).to_string()))
                .collect(),
            mark: self.policies.levels().rules(level).mark.clone(),
            handles,
        };
        Ok((taken, handed))
    }

    /// Decides once more and enters that it leaves, under `verb`; gives what is attached, to be read.
    pub(super) fn give_out(
        &mut self,
        verb: &str,
        which: &Which,
        to: &[String],
        taken: &Taken,
        sha256: Digest,
    ) -> Result<(EntryRef, Vec<(Digest, OpenContent)>), Error> {
        let mut details = self.details(verb);
        details.asked = Some(short(which.in_words()));
        details.recipients = to.to_vec();
        let leaving = self.leaving(&taken.notes, &mut details)?;
        if leaving.bodies() != taken.bodies {
            let error = Error::new(
                Kind::Failed,
                "one of these notes changed meanwhile; nothing was written",
            )
            .hint("give the command again");
            return Err(self.failed(details, taken.notes.clone(), error));
        }
        details.left = Some(sha256);
        let recorded = self.record(Draft::read(details, taken.notes.clone()))?;
        let entry = recorded.entry();
        let heads: Vec<_> = leaving.stored.into_iter().filter(|item| item.is_attachment()).collect();
        let digests: Vec<Digest> = heads.iter().map(|head| head.body).collect();
        let contents = self.gate().open_contents(heads, leaving.permits, recorded)?;
        Ok((entry, digests.into_iter().zip(contents).collect()))
    }
}

/// Leaves out the attachments that do not come out as their heads say: their writers sealed them so. The vault is left to others
/// while they are read.
pub(super) fn that_come_out(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    handed: Vec<Handed>,
) -> Result<Vec<Handed>, Error> {
    let (mut attached, mut whole): (Vec<Handed>, Vec<Handed>) =
        handed.into_iter().partition(|item| item.attachment.is_some());
    let mut void = Vec::new();
    while !attached.is_empty() {
        let some: Vec<Handed> = attached.drain(..AT_ONCE.min(attached.len())).collect();
        let desk = unlocked.desk(context)?;
        let parts = |item: &Handed| desk.ledger.parts_if_written(item.note, item.parts());
        let parts: Vec<Option<StoredParts>> = some.iter().map(parts).collect::<Result<_, _>>()?;
        drop(desk);
        for (mut item, parts) in some.into_iter().zip(parts) {
            match parts.map_or(Ok(false), |parts| item.comes_out(parts))? {
                true => whole.push(item),
                false => void.push(item),
            }
        }
    }
    if !void.is_empty() {
        let desk = unlocked.desk(context)?;
        for item in void {
            desk.tell_void(
                item.note,
                Some(item.wrap.clone()),
                "it is passed over and does not leave",
            );
        }
    }
    Ok(whole)
}

/// Writes what is attached, where `paths` says. The vault is left to others but for the moments in which parts are looked up.
pub(super) fn write_contents(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    folder: &dyn NewFolder,
    paths: &BTreeMap<Digest, String>,
    contents: Vec<(Digest, OpenContent)>,
) -> Result<Vec<PictureOut>, Error> {
    each_content(context, unlocked, paths, contents, &mut |path, content, parts| {
        write_attached(context, folder, path, content, parts)
    })
}

/// Gives what is attached to `give`, with its path; which of it are pictures that tell something, or may.
pub(super) fn each_content(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    paths: &BTreeMap<Digest, String>,
    contents: Vec<(Digest, OpenContent)>,
    give: GiveContent<'_>,
) -> Result<Vec<PictureOut>, Error> {
    let mut telling = Vec::new();
    let mut contents = contents.into_iter();
    loop {
        let some: Vec<(Digest, OpenContent)> = contents.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            // Attachments of one second come in an order of chance.
            telling.sort_by(|one: &PictureOut, other| one.path.cmp(&other.path));
            return Ok(telling);
        }
        let desk = unlocked.desk(context)?;
        let mut found = Vec::with_capacity(some.len());
        for (head, content) in some {
            // Without a place it was not asked for.
            if let Some(path) = paths.get(&head) {
                found.push((path, desk.ledger.parts(content.note, content.parts())?, content));
            }
        }
        drop(desk);
        for (path, parts, content) in found {
            let picture = give(path, content, parts)?;
            let picture = picture.filter(|picture| picture.in_words().is_some());
            telling.extend(picture.map(|picture| PictureOut {
                path: path.clone(),
                picture,
            }));
        }
    }
}
