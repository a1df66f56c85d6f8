//! Attachments: a file beside a note, sealed and taken out again piece by piece.
//!
//! One thread reads and seals while another hashes and writes, and the other way round: whatever the size, a few parts
//! are in memory. The vault's lock is not held meanwhile, so that nobody waits for a slow disk or a pipe.

use super::context::{Context, Desk, Unlocked, short};
use super::error::{Error, Kind};
use super::notes::check_name;
use super::person::is_harmful;
use super::table::typed;
use crate::chain::{Details, FileRef, Kind as EntryKind, Outcome};
use crate::env::{SystemEntropy, start_writing_back};
use crate::envelope::WrapFile;
use crate::gate::{
    ATTACHMENT_MAX, Attachment, Attachments, BadContent, Filter, Metadata, Nature, NotSealed, OpenContent, OpenNote,
    Permit,
};
use crate::id::{Digest, EntryRef, NoteId};
use crate::label::Label;
use crate::ledger::{Changes, Draft, FILES_PER_ENTRY, LedgerError, StoredNote, StoredParts, note_ref, wrap_ref};
use crate::policy::{Action, Decision, Kind as ThingKind, Permission, ResourceFacts};
use crate::repo::{BlobWriter, DraftBlob, StoredBlob};
use crate::transfer::{LOOKED_AT, LeftOut, Picture, Unclean, clean};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, sync_channel};
use zeroize::Zeroizing;

/// The largest picture that is cleaned, in bytes: all of it is in memory meanwhile.
const CLEANED_MAX: u64 = 64 << 20;

/// So many attachments of one name are told apart in one message.
const LISTED_MAX: usize = 20;

/// So many digits of a digest are shown, or more if two begin alike.
const SHOWN_DIGITS: usize = 12;

/// So many pictures beside a note are looked at.
const PICTURES_MAX: usize = 8;

/// A file that was attached.
pub struct Attached {
    /// The note it stands beside.
    pub note: NoteId,
    /// Its name there.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: Digest,
    /// The entry.
    pub entry: EntryRef,
}

/// An attachment that was taken out.
pub struct Extracted {
    /// The note it stands beside.
    pub note: NoteId,
    /// Its name there.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: Digest,
    /// Where it is now, if that is a file.
    pub path: Option<PathBuf>,
    /// What was left out, if it was cleaned; size and digest are those of the attachment.
    pub left_out: Option<Vec<&'static str>>,
    /// What it tells beside the picture, if it is one and was not cleaned.
    pub picture: Option<Picture>,
}

/// Where an attachment is to go.
pub enum Place {
    /// To a new file, under its own name where none is given. It appears whole or not at all.
    New(Option<PathBuf>),
    /// The same, as a picture without what a camera wrote beside it.
    Cleaned(Option<PathBuf>),
    /// Into something that is open already: what is damaged ends it in the middle.
    Open(File),
}

/// What stands beside a note, looked at from inside.
struct Beside {
    heads: Attachments,
    stored: Vec<StoredNote>,
    /// The person wrote the note.
    own: bool,
    /// Whether it concerns a conflict of interest that the person has declared.
    conflict: bool,
    client: Option<String>,
    /// It is a note, rather than a draft or a brief.
    is_note: bool,
    /// Nothing of it is sealed to others alone.
    complete: bool,
}

/// Attaches what `open` gives to a note, under `name`.
pub fn attach(
    context: &Context<'_>,
    asked: &str,
    name: &str,
    open: impl FnOnce() -> Result<File, Error>,
) -> Result<Attached, Error> {
    let name = check_file_name(name)?;
    attach_with(context, &context.unlock()?, asked, &name, open)
}

/// The same in a vault that is unlocked.
pub(super) fn attach_with(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    asked: &str,
    name: &str,
    open: impl FnOnce() -> Result<File, Error>,
) -> Result<Attached, Error> {
    let name = check_file_name(name)?;
    // The vault is looked at and left again: nobody else waits while a file is read.
    let (note, mut sealing) = {
        let mut desk = unlocked.desk(context)?;
        let (note, ..) = desk.may_attach(asked, &name)?;
        (note, desk.gate().begin_attachment(note, &mut SystemEntropy)?)
    };
    let input = open()?;
    let writer = unlocked.repo.blob_writer().map_err(|error| not_stored(&error))?;
    let mut read = reader(context, input, &name)?;
    let sealed = write_sealed(writer, &mut |part| {
        sealing.next_part(part, &mut read).map_err(not_sealed)
    });
    drop(read);
    context.person.progress(None, None);
    let parts = sealed?;

    let mut desk = unlocked.desk(context)?;
    let (note, label, permission, mut details) = desk.may_attach(&note.to_string(), &name)?;
    details.rules = permission.rules().to_vec();
    let now = context.now().unix();
    let metadata = Metadata {
        title: name,
        client: String::new(),
        case: String::new(),
        created: now,
        modified: now,
        happened: None,
        author: desk.identity.person(),
        parents: Vec::new(),
        number: 1,
        fields: Vec::new(),
    };
    let recipients = desk.recipients(&label);
    let (head, attachment) =
        desk.gate()
            .seal_attachment(sealing, &metadata, &label, &recipients, &mut SystemEntropy)?;
    let mut changes = desk.write_parts(note, parts, EntryKind::Attach, &details)?;
    changes.write_digested(note_ref(note), note, head.body);
    changes.write_digested(wrap_ref(note), note, head.wrap);
    let recorded = desk.record(Draft::change(EntryKind::Attach, details, vec![note], changes))?;
    Ok(Attached {
        note,
        name: attachment.name.clone(),
        size: attachment.size,
        sha256: attachment.sha256,
        entry: recorded.entry(),
    })
}

/// Takes an attachment out of the vault: the one of that name, or whose digest begins so. Where several are meant, which they
/// are is told, under an entry of its own, and none is taken.
pub fn extract(context: &Context<'_>, asked: &str, name: &str, place: Place) -> Result<Extracted, Error> {
    let mut path = match &place {
        Place::New(Some(path)) | Place::Cleaned(Some(path)) => Some(path.clone()),
        Place::New(None) | Place::Cleaned(None) => Some(own_name(name)?),
        Place::Open(_) => None,
    };
    // What is in the way is said before anything is looked at; nothing is left of this one.
    if let Some(path) = &path {
        drop(context.person.create(path)?);
    }
    let unlocked = context.unlock()?;
    let (content, parts) = unlocked.desk(context)?.open_attachment(asked, name)?;
    let (note, attachment) = (content.note, content.attachment());
    // Meant by its digest it goes under its own name all the same.
    if matches!(place, Place::New(None) | Place::Cleaned(None)) {
        path = Some(own_name(&attachment.name)?);
    }
    let (left_out, picture) = give_out(context, content, parts, place, path.as_deref())?;
    Ok(Extracted {
        note,
        name: attachment.name.clone(),
        size: attachment.size,
        sha256: attachment.sha256,
        path,
        left_out: left_out.map(|names| names.into_iter().collect()),
        picture,
    })
}

impl Desk<'_> {
    /// Decides about an attachment, enters that it is taken out, and opens it.
    fn open_attachment(&mut self, asked: &str, name: &str) -> Result<(OpenContent, StoredParts), Error> {
        let mut details = self.details("extract");
        let Some((note, label, wraps)) = self.find(asked)? else {
            return Err(self.not_there(details, asked)?);
        };
        details.level = Some(label.level());
        details.asked = Some(short(name.to_owned()));
        let beside = match self.beside(note, wraps) {
            Ok(beside) => beside,
            Err(error) => return Err(self.failed(details, vec![note], error)),
        };
        details.client = beside.client;
        let meant = beside.heads.meant(name);
        let mut stored = beside.stored;
        stored.retain(|stored| meant.contains(&stored.body));
        // One that was attached while the note was relabelled elsewhere bears a label of its own.
        let mut labels = vec![label];
        for stored in &stored {
            let own = stored.wrap.label(self.ledger.keyring(), self.identity.person());
            labels.extend(own.filter(|own| !labels.contains(own)));
        }
        let mut permits = Vec::new();
        for label in labels {
            let mut facts = ResourceFacts::new(ThingKind::Note, label);
            (facts.own, facts.conflict) = (beside.own, beside.conflict);
            match self.decide(Action::Extract, facts) {
                Decision::Denied(denial) => return Err(self.denied(&denial, None, details, vec![note], asked)?),
                Decision::Permitted(permission) => permits.push(Permit::new(permission, [note])),
            }
        }
        details.rules = permits.iter().flat_map(|permit| permit.rules().to_vec()).collect();
        details.rules.sort();
        details.rules.dedup();
        if stored.is_empty() {
            let _ = self.record(Draft::without_effect(None, Outcome::Denied, details, vec![note]))?;
            return Err(no_such_attachment(note, name));
        }
        if stored.len() > 1 {
            return Err(self.which_is_meant(note, name, stored, permits, details)?);
        }
        details.left = stored
            .first()
            .and_then(|stored| beside.heads.digest_for_the_record(stored.body));
        let recorded = self.record(Draft::read(details, vec![note]))?;
        let opened = self.gate().open_contents(stored, permits, recorded)?;
        let content = opened.into_iter().next();
        let content = content.ok_or_else(|| no_such_attachment(note, name))?;
        let parts = self.ledger.parts_if_written(note, content.parts())?;
        let parts = parts.ok_or_else(|| {
            let words = "of this attachment nothing can be given: its head names parts that nobody wrote, or that are destroyed";
            Error::new(Kind::Failed, words)
        });
        Ok((content, parts?))
    }

    /// What is said where several attachments are meant: two clones may attach one of the same name each, and a member with a
    /// changed program may plant one. Who says that they wrote it and under which label is sealed: that it is told stands in
    /// the log first.
    fn which_is_meant(
        &mut self,
        note: NoteId,
        name: &str,
        stored: Vec<StoredNote>,
        permits: Vec<Permit>,
        mut details: Details,
    ) -> Result<Error, Error> {
        details.verb = "extract-ask".into();
        let files: Vec<FileRef> = stored.iter().map(StoredNote::body_file).collect();
        let recorded = self.record(Draft::read(details, vec![note]))?;
        let opened = self.gate().open_contents(stored, permits, recorded)?;
        let digests: Vec<String> = opened.iter().map(|content| content.body.to_string()).collect();
        let digits = told_apart(&digests);
        let error = Error::new(
            Kind::Usage,
            format!(
                "`{}` means {} attachments of this note; nothing was extracted",
                typed(name),
                opened.len()
            ),
        );
        let mut error = error.hint("put the digest of the one that you mean in the place of the name:");
        for ((content, digest), file) in opened.iter().zip(&digests).zip(&files).take(LISTED_MAX) {
            let author = self.handle(content.author());
            let wrote = self.ledger.written_by(file).map(|entry| self.handle_of(entry));
            let wrote = wrote.filter(|wrote| *wrote != author);
            let wrote = wrote.map_or_else(String::new, |wrote| format!(" as it says, put there by {wrote}"));
            let label = self.label_text(&content.label);
            error = error.hint(format!("{} by {author}{wrote}, {label}", &digest[..digits]));
        }
        if opened.len() > LISTED_MAX {
            error = error.hint(format!("and {} others", opened.len() - LISTED_MAX));
        }
        Ok(error)
    }

    /// Decides whether a file of that name may be attached to a note, and forgets what an interrupted attaching left.
    fn may_attach(&mut self, asked: &str, name: &str) -> Result<(NoteId, Label, Permission, Details), Error> {
        let kind = Some(EntryKind::Attach);
        let mut details = self.details("attach");
        let Some((note, label, wraps)) = self.find(asked)? else {
            return Err(self.not_there(details, asked)?);
        };
        details.level = Some(label.level());
        details.asked = Some(short(name.to_owned()));
        let beside = match self.beside(note, wraps) {
            Ok(beside) => beside,
            Err(error) => return Err(self.failed(details, vec![note], error)),
        };
        details.client = beside.client;
        let mut facts = ResourceFacts::new(ThingKind::Note, label.clone());
        (facts.own, facts.conflict) = (beside.own, beside.conflict);
        let permission = match self.decide(Action::Attach, facts) {
            Decision::Denied(denial) => return Err(self.denied(&denial, kind, details, vec![note], asked)?),
            Decision::Permitted(permission) => permission,
        };
        let refused = match (beside.is_note, beside.heads.has(name)) {
            (false, _) => "a file is attached to a note, not to a draft or a brief",
            (true, true) => "this note has an attachment of that name already",
            (true, false) => {
                if beside.complete {
                    self.forget_orphans(note, &beside.heads.parts(), EntryKind::Attach, &details)?;
                }
                return Ok((note, label, permission, details));
            }
        };
        let _ = self.record(Draft::without_effect(kind, Outcome::Failed, details, vec![note]))?;
        let refused = Error::new(Kind::Failed, format!("{refused}; nothing was attached"));
        Err(match beside.is_note {
            true => refused.hint("give it another with --name"),
            false => refused,
        })
    }

    /// Whether a note that is known to this person has an attachment of that name.
    pub(super) fn has_attachment(&mut self, note: NoteId, name: &str) -> Result<bool, Error> {
        let Some((note, _, wraps)) = self.find(&note.to_string())? else {
            return Ok(false);
        };
        Ok(self.beside(note, wraps)?.heads.has(name))
    }

    fn beside(&self, note: NoteId, wraps: Vec<WrapFile>) -> Result<Beside, Error> {
        let complete = self.is_whole(note, wraps.len())?;
        let wraps = wraps.into_iter().map(|wrap| (note, wrap)).collect();
        let (stored, unopened) = self.gate().sound(self.ledger.stored_many(wraps)?);
        self.tell_unopened(&unopened);
        let (stored, rest): (Vec<_>, Vec<_>) = stored.into_iter().partition(StoredNote::is_attachment);
        let survey = self.gate().survey(&rest, &Filter::default());
        Ok(Beside {
            heads: self.gate().attachments(&stored)?,
            stored,
            own: survey.classes().iter().any(|class| class.own),
            conflict: survey.conflict(),
            client: survey.clients_for_the_record(),
            is_note: survey.is_all(Nature::Note),
            complete,
        })
    }

    /// Parts that no head names are of no use to anybody: their key went with the program that made it.
    pub(super) fn forget_orphans(
        &mut self,
        note: NoteId,
        named: &BTreeSet<Digest>,
        kind: EntryKind,
        details: &Details,
    ) -> Result<(), Error> {
        let left = self.ledger.orphans(note, named)?;
        if left.is_empty() {
            return Ok(());
        }
        let mut details = details.clone();
        details.asked = Some("what an interrupted attach or relabel left".to_owned());
        self.forget_parts(note, &left, kind, &details)?;
        self.finish_forgetting()?;
        self.context.person.warn(&format!(
            "an earlier attach or relabel of this note was interrupted; the parts it left ({}) are forgotten",
            left.len()
        ));
        Ok(())
    }

    /// Forgets parts in as many entries of `kind` as it takes.
    pub(super) fn forget_parts(
        &mut self,
        note: NoteId,
        parts: &[FileRef],
        kind: EntryKind,
        details: &Details,
    ) -> Result<(), Error> {
        for files in parts.chunks(FILES_PER_ENTRY) {
            let mut changes = Changes::default();
            files.iter().for_each(|file| changes.forget(file.clone()));
            let _ = self.record(Draft::change(kind, details.clone(), vec![note], changes))?;
        }
        Ok(())
    }

    /// Names the parts of an attachment: as many entries of `kind` as it takes, but for the last files, which are left to
    /// the entry that also writes its head.
    pub(super) fn write_parts(
        &mut self,
        note: NoteId,
        parts: Parts,
        kind: EntryKind,
        details: &Details,
    ) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        for (n, (digest, blob)) in parts.into_iter().enumerate() {
            if n > 0 && n % FILES_PER_ENTRY == 0 {
                let full = std::mem::take(&mut changes);
                let _ = self.record(Draft::change(kind, details.clone(), vec![note], full))?;
            }
            changes.write_stored(note_ref(note), note, digest, blob);
        }
        Ok(changes)
    }
}

/// How many parts are put into their places at once: each takes an open file until then.
const PLACED: usize = 64;
/// After how many bytes written out the disk is asked to begin.
const BEGUN: u64 = 8 << 20;

/// Parts that are durable and that nothing names yet: their digests, and the files to put into their places.
pub(super) type Parts = Vec<(Digest, StoredBlob)>;
/// Seals the next part into a buffer and gives its digest; nothing at the end.
pub(super) type NextSealed<'n> = &'n mut dyn FnMut(&mut Vec<u8>) -> Result<Option<Digest>, Error>;

/// Makes the parts durable that `next` seals. Dropped, they are removed again.
///
/// This thread reads and seals, one hashes and writes, and one waits for the disk.
pub(super) fn write_sealed(writer: BlobWriter, next: NextSealed<'_>) -> Result<Parts, Error> {
    std::thread::scope(|scope| {
        let (sealed, to_write) = sync_channel::<Vec<u8>>(1);
        let (drafted, to_sync) = sync_channel::<DraftBlob>(PLACED);
        let (written, free) = channel();
        let drafting = writer.clone();
        let writing = scope.spawn(move || {
            for part in to_write {
                // Where nobody takes it, the one who syncs says why; nobody wants the buffer back at the end.
                if drafted.send(drafting.draft(&part)?).is_err() {
                    break;
                }
                let _ = written.send(part);
            }
            Ok(())
        });
        let syncing = scope.spawn(move || {
            let (mut stored, mut drafts) = (Vec::new(), Vec::new());
            for draft in to_sync {
                drafts.push(draft);
                if drafts.len() == PLACED {
                    stored.extend(writer.place(std::mem::take(&mut drafts))?);
                }
            }
            stored.extend(writer.place(drafts)?);
            Ok(stored)
        });
        let mut digests = Vec::new();
        let sealing = loop {
            let mut part = free.try_recv().unwrap_or_default();
            match next(&mut part) {
                Ok(Some(digest)) => {
                    digests.push(digest);
                    // Where nobody takes it, the one who writes says why.
                    if sealed.send(part).is_err() {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(sealed);
        let written = ended(writing.join());
        let stored = ended(syncing.join())?;
        sealing.and(written)?;
        Ok(digests.into_iter().zip(stored).collect())
    })
}

/// What a thread that writes came to.
fn ended<T>(joined: std::thread::Result<std::io::Result<T>>) -> Result<T, Error> {
    match joined {
        Ok(done) => done.map_err(|error| not_stored(&error)),
        Err(_) => Err(Error::new(
            Kind::Failed,
            "writing ended by a defect; nothing was attached",
        )),
    }
}

/// Gives out a content, the next part being read meanwhile; with what it tells beside the picture, if it is one.
pub(super) fn read_content(
    content: OpenContent,
    mut parts: StoredParts,
    give: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<Option<Picture>, Error> {
    let looked_at = match content.attachment() {
        attachment if Picture::may_be(&attachment.name) => attachment.size.min(LOOKED_AT as u64) as usize,
        _ => 0,
    };
    let whole = looked_at as u64 == content.attachment().size;
    let mut beginning = Zeroizing::new(Vec::with_capacity(looked_at));
    std::thread::scope(|scope| {
        let (read, to_open) = sync_channel(1);
        let (used, free) = channel::<Zeroizing<Vec<u8>>>();
        scope.spawn(move || {
            // Who no longer takes them has found something wrong.
            let mut next = || parts.read_next(free.try_recv().unwrap_or_default());
            while next().is_some_and(|part| read.send(part).is_ok()) {}
        });
        let mut content = content.read(move |buffer| {
            // Nobody wants the buffer back at the end.
            let _ = used.send(buffer);
            to_open.recv().ok()
        });
        while let Some(chunk) = content.next_chunk().map_err(damaged)? {
            let missing = looked_at - beginning.len();
            beginning.extend_from_slice(&chunk[..missing.min(chunk.len())]);
            give(chunk)?;
        }
        Ok(Picture::look(&beginning, whole))
    })
}

/// Looks at the pictures beside a note that was opened. Its text is there whatever is wrong with them.
pub(super) fn look_at_pictures(desk: Desk<'_>, note: &mut OpenNote) {
    let found: Vec<(usize, Digest)> = note
        .attachments
        .iter()
        .enumerate()
        .filter_map(|(at, attachment)| Some((at, attachment.first_part()?)))
        .collect();
    if found.is_empty() {
        note.attachments.iter_mut().for_each(Attachment::close);
        return;
    }
    let context = desk.context;
    let looked: Vec<(usize, Digest)> = found.iter().take(PICTURES_MAX).copied().collect();
    let digests: Vec<Digest> = looked.iter().map(|(_, digest)| *digest).collect();
    let parts = desk.ledger.parts(note.note, &digests);
    // Nobody waits while files are read.
    drop(desk);
    let (mut unseen, mut buffer) = (0, Zeroizing::new(Vec::new()));
    match parts {
        Err(_) => unseen = looked.len(),
        Ok(mut parts) => {
            for (at, _) in looked {
                let seen = match parts.read_next(std::mem::take(&mut buffer)) {
                    Some(Ok(part)) => {
                        buffer = part;
                        note.attachments[at].look(&mut buffer).is_ok()
                    }
                    _ => false,
                };
                unseen += usize::from(!seen);
            }
        }
    }
    note.attachments.iter_mut().for_each(Attachment::close);
    if unseen > 0 {
        context.person.warn(
            "what an attached picture tells beside the picture cannot be seen: its beginning is missing or damaged. \
             `strongroom audit verify` says what is wrong",
        );
    }
    if found.len() > PICTURES_MAX {
        context.person.warn(&format!(
            "of {} files that may be pictures the first {PICTURES_MAX} were looked at for what they tell beside the picture",
            found.len()
        ));
    }
}

fn give_out(
    context: &Context<'_>,
    content: OpenContent,
    parts: StoredParts,
    place: Place,
    path: Option<&Path>,
) -> Result<(Option<LeftOut>, Option<Picture>), Error> {
    let (mut done, whole) = (0, content.attachment().size);
    let mut give = |out: &mut File, chunk: &[u8]| {
        let written = out.write_all(chunk);
        done += chunk.len() as u64;
        context.person.progress(Some(done), Some(whole));
        written
    };
    match (place, path) {
        (Place::Open(mut out), _) => {
            let mut gone = false;
            let given = read_content(content, parts, &mut |chunk| match give(&mut out, chunk) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    gone = true;
                    Err(Error::new(Kind::Failed, "nobody reads it any more"))
                }
                written => written.map_err(|error| not_written(&error)),
            });
            context.person.progress(None, None);
            match given {
                Err(_) if gone => Ok((None, None)),
                Err(error) => Err(error.hint("what was written until then is a part of it alone")),
                Ok(picture) => Ok((None, picture)),
            }
        }
        (Place::New(_), Some(path)) => {
            let mut file = context.person.create(path)?;
            let (mut written, mut begun) = (0, 0);
            let given = read_content(content, parts, &mut |chunk| {
                give(file.file(), chunk).map_err(|error| not_written(&error))?;
                written += chunk.len() as u64;
                if written - begun >= BEGUN {
                    start_writing_back(file.file(), begun);
                    begun = written;
                }
                Ok(())
            });
            context.person.progress(None, None);
            let picture = given.map_err(|error| error.hint("nothing of it was kept"))?;
            file.keep()?;
            Ok((None, picture))
        }
        (Place::Cleaned(_), Some(path)) => {
            let refused = |why: &str| Error::new(Kind::Failed, format!("{why}; nothing was written"));
            if whole > CLEANED_MAX {
                return Err(refused("it has more than 64 MiB, too much to be cleaned"));
            }
            let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(whole).unwrap_or_default()));
            read_content(content, parts, &mut |chunk| {
                bytes.extend_from_slice(chunk);
                Ok(())
            })?;
            let (cleaned, left_out) = clean(&bytes).map_err(|unclean| match unclean {
                Unclean::Unknown => refused("it is no JPEG, PNG or WebP, and no other kind can be cleaned"),
                Unclean::Kind(kind) => refused(&format!("this {kind} cannot be cleaned, only JPEG, PNG and WebP can be"))
                    .hint("extract it without --clean, save it as a PNG with a program for pictures, and see that no place is kept"),
                Unclean::Damaged => refused("it begins like a picture and does not go on so, and cannot be cleaned"),
            })?;
            let mut file = context.person.create(path)?;
            let written = file.file().write_all(&cleaned);
            written.map_err(|error| not_written(&error).hint("nothing of it was kept"))?;
            file.keep()?;
            Ok((Some(left_out), None))
        }
        (Place::New(_) | Place::Cleaned(_), None) => Ok((None, None)),
    }
}

/// Reads a person's file, telling how far it has come.
fn reader<'a>(
    context: &'a Context<'_>,
    mut input: File,
    name: &'a str,
) -> Result<impl FnMut(&mut [u8]) -> Result<usize, Error> + 'a, Error> {
    let unreadable = move |error: std::io::Error| {
        Error::new(Kind::Failed, format!("`{name}` cannot be read: {error}")).hint("nothing was attached")
    };
    let metadata = input.metadata().map_err(unreadable)?;
    if metadata.len() > ATTACHMENT_MAX {
        return Err(too_long());
    }
    let (mut done, whole) = (0, metadata.is_file().then_some(metadata.len()));
    Ok(move |out: &mut [u8]| {
        loop {
            match input.read(out) {
                Ok(more) => {
                    done += more as u64;
                    context.person.progress(Some(done), whole);
                    return Ok(more);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
    })
}

/// A name under which a file may stand beside a note.
fn check_file_name(name: &str) -> Result<String, Error> {
    let checked = check_name("file's name", name)?;
    match checked.is_empty() || checked.contains('/') || [".", ".."].contains(&checked.as_str()) {
        true => Err(Error::new(Kind::Usage, "this cannot be the name of an attachment").hint("give one with --name")),
        false => Ok(checked),
    }
}

/// The path of an attachment that goes to where the person is, under its own name: whoever chose that name chooses no
/// folder, hides nothing, and shows itself as it is.
fn own_name(name: &str) -> Result<PathBuf, Error> {
    let plain =
        !name.is_empty() && !name.starts_with('.') && !name.chars().any(|c| c == '/' || c < ' ' || is_harmful(c));
    match plain {
        true => Ok(PathBuf::from(name)),
        false => Err(Error::new(
            Kind::Usage,
            "this attachment's name cannot be taken for a file's: it is hidden, leads elsewhere or is not plain text",
        )
        .hint("say where it is to go with --out FILE")),
    }
}

/// How many digits it takes to tell these digests apart.
fn told_apart(digests: &[String]) -> usize {
    let apart = |digits: &usize| {
        let begins: BTreeSet<&str> = digests.iter().filter_map(|digest| digest.get(..*digits)).collect();
        begins.len() == digests.len()
    };
    (SHOWN_DIGITS..64).find(apart).unwrap_or(64)
}

fn no_such_attachment(note: NoteId, name: &str) -> Error {
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    let message = format!("no attachment `{name}` beside this note");
    Error::new(Kind::Denied, message).hint(format!("`strongroom show {note}` lists them"))
}

pub(super) fn too_long() -> Error {
    Error::new(Kind::Failed, "an attachment has at most 64 GiB; nothing was attached").hint("split the file")
}

pub(super) fn not_stored(error: &std::io::Error) -> Error {
    Error::new(
        Kind::Failed,
        format!("the vault cannot be written: {error}; nothing was attached"),
    )
    .hint("free some space or check the disk, then try again")
}

fn not_written(error: &std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("what was extracted cannot be written: {error}"))
}

fn not_sealed(error: NotSealed<Error>) -> Error {
    match error {
        NotSealed::Read(error) => error,
        NotSealed::TooLong => too_long(),
    }
}

/// A part that is missing, altered or another's.
pub(super) fn damaged(bad: BadContent) -> Error {
    match bad {
        BadContent::Stored(LedgerError::Tampered(problem)) => {
            Error::new(Kind::Tampered, problem.message).hint("`strongroom audit verify` says what else is wrong")
        }
        BadContent::Stored(error) => error.into(),
        BadContent::Gate(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_shown_as_long_as_it_takes_to_tell_them_apart() {
        let digest = |begin: &str| format!("{begin:0<64}");
        assert_eq!(told_apart(&[digest("1"), digest("2")]), 12);
        assert_eq!(told_apart(&[digest("1"), digest("100000000000005")]), 15);
    }

    #[test]
    fn an_attachment_chooses_no_place_for_itself() {
        for good in ["report.pdf", "r", "a b.txt", "-x", "ü", "a..b"] {
            assert_eq!(own_name(good), Ok(PathBuf::from(good)));
        }
        for bad in [
            "",
            ".",
            "..",
            ".bashrc",
            "/etc/passwd",
            "../x",
            "a/b",
            "a\nb",
            "a\u{1b}[2J",
            "fdp\u{202e}exe",
            "a\0b",
        ] {
            assert_eq!(own_name(bad).unwrap_err().kind, Kind::Usage, "{bad:?}");
        }
        for bad in ["", " ", ".", "..", "a/b", "/", "a\tb", "a\0"] {
            assert_eq!(check_file_name(bad).unwrap_err().kind, Kind::Usage, "{bad:?}");
        }
        assert_eq!(check_file_name(".profile").unwrap(), ".profile");
    }
}
