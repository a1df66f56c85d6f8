//! Notes that are taken elsewhere, as pages that any program reads and `import` takes in: encrypted to whom they go, or in clear as
//! far as the policies let them.

use super::super::context::{Context, Desk};
use super::super::error::{Error, Kind};
use super::super::person::is_harmful;
use super::super::table::typed;
use super::files::{Files, MANIFEST, archive_attached, plain_name};
use super::taking::{PictureOut, Taken, each_content, that_come_out, write_contents};
use super::{Which, by_note, check_recipients};
use crate::casework::reserved;
use crate::chain::{Outcome, Time};
use crate::crypto::sha256;
use crate::env::{Fed, Program};
use crate::gate::{Handed, Nature};
use crate::id::{Digest, EntryRef};
use crate::label::Level;
use crate::ledger::Draft;
use crate::transfer::{Archive, Front};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Its verb in the log.
const VERB: &str = "export notes";
/// The longest recipient of age, and the largest file of them, in bytes.
const KEY_MAX: usize = 8 << 10;
const KEYS_MAX: u64 = 256 << 10;
/// The longest name that an entry holds of a recipient, in characters.
const NAME_MAX: usize = 100;
/// The folder that an archive makes.
const FOLDER: &str = "notes";

/// As what notes leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotesFormat {
    /// One file, encrypted by age to these recipients, and to those in these files: an archive of the folder.
    Age(Vec<String>, Vec<PathBuf>),
    /// A folder, in clear.
    Folder,
}

/// What is to leave.
pub struct NotesQuery {
    /// Which notes.
    pub which: Which,
    /// As what.
    pub format: NotesFormat,
    /// To whom, in words.
    pub to: Vec<String>,
    /// The new file or folder.
    pub out: PathBuf,
}

/// What is asked about before notes leave in clear.
pub struct ClearExport {
    /// How many notes.
    pub notes: usize,
    /// What their highest level is called.
    pub level: String,
}

/// Asks whether notes shall leave in clear; an error if not.
pub type ConfirmClear<'a> = &'a dyn Fn(&ClearExport) -> Result<(), Error>;

/// What left.
pub struct ExportedNotes {
    /// How many notes.
    pub notes: usize,
    /// How many attachments.
    pub attachments: usize,
    /// Which of them are pictures that tell something beside the picture, or may.
    pub pictures: Vec<PictureOut>,
    /// How many earlier revisions stayed.
    pub revisions: usize,
    /// Digest of the list of all files and their digests.
    pub sha256: Digest,
    /// The entry under which it left.
    pub entry: EntryRef,
}

/// Exports notes: their newest revisions and what is attached. They are read under one entry; another says what leaves, to whom
/// and why, and is durable before a byte of it is written.
pub fn export_notes(
    context: &Context<'_>,
    query: &NotesQuery,
    confirm: ConfirmClear<'_>,
) -> Result<ExportedNotes, Error> {
    check_recipients(&query.to)?;
    let age = match &query.format {
        NotesFormat::Folder => None,
        NotesFormat::Age(keys, files) => Some(Recipients::read(context, keys, files)?),
    };
    let mut to = query.to.clone();
    to.extend(age.iter().flat_map(|age| age.0.iter().map(|key| named(key))));
    check_recipients(&to)?;
    // What is in the way is said before anything is looked at.
    let place = match age {
        Some(age) => Place::File(context.person.create(&query.out)?, age),
        None => Place::Folder(context.person.create_folder(&query.out)?),
    };
    let unlocked = context.unlock()?;
    let in_clear = matches!(place, Place::Folder(_));
    let (taken, handed, highest) = {
        let mut desk = unlocked.desk(context)?;
        let (taken, handed) = desk.take_out(&query.which)?;
        let highest = handed.iter().map(|item| item.label.level()).max();
        let highest = highest.unwrap_or(Level::Public);
        if in_clear {
            let level = desk.may_leave_in_clear(&taken, highest, &to)?;
            drop(desk);
            confirm(&ClearExport {
                notes: taken.notes.len(),
                level,
            })?;
        }
        (taken, handed, highest)
    };
    let handed = that_come_out(context, &unlocked, handed)?;
    let (mut files, revisions) = pages(&taken, handed);
    let manifest = files.manifest();
    let digest = sha256(&[manifest.as_bytes()]);
    files.add(MANIFEST, manifest);
    let (entry, contents) = {
        let mut desk = unlocked.desk(context)?;
        if in_clear {
            // The policies may have changed while the person made up their mind.
            desk.may_leave_in_clear(&taken, highest, &to)?;
        }
        desk.give_out(VERB, &query.which, &to, &taken, digest)?
    };
    let (attachments, pictures) = match place {
        Place::Folder(folder) => {
            let attached = files.write(&*folder)?;
            let pictures = write_contents(context, &unlocked, &*folder, &attached, contents)?;
            folder.keep()?;
            (attached.len(), pictures)
        }
        Place::File(mut new, age) => {
            let archive = Archive {
                time: u64::try_from(taken.made.unix()).unwrap_or_default(),
            };
            let file = new.file().try_clone().map_err(not_encrypted)?;
            let mut sealing = age.start(file)?;
            let attached = files.write_archive(&archive, FOLDER, &mut sealing)?;
            let pictures = each_content(context, &unlocked, &attached, contents, &mut |path, content, parts| {
                archive_attached(context, &archive, path, content, parts, &mut sealing)
            })?;
            sealing.write_all(&archive.end()).map_err(not_encrypted)?;
            let ended = sealing.end().map_err(not_encrypted)?;
            if !ended.succeeded {
                return Err(not_encrypted(said(&ended.errors)).hint("nothing of it was kept"));
            }
            new.keep()?;
            (attached.len(), pictures)
        }
    };
    Ok(ExportedNotes {
        notes: taken.notes.len(),
        attachments,
        pictures,
        revisions,
        sha256: digest,
        entry,
    })
}

/// Where it goes.
enum Place {
    File(Box<dyn super::super::person::NewFile>, Recipients),
    Folder(Box<dyn super::super::person::NewFolder>),
}

impl Desk<'_> {
    /// Refuses to let notes leave in clear above the level that the policies name; gives what their highest is
    /// called. A denial is entered.
    fn may_leave_in_clear(&mut self, taken: &Taken, highest: Level, to: &[String]) -> Result<String, Error> {
        let allowed = self.policies.levels().clear_export();
        if highest <= allowed {
            return Ok(self.level_name(highest));
        }
        let mut details = self.details(VERB);
        details.level = Some(highest);
        details.recipients = to.to_vec();
        details.rules = vec!["clear-export".to_owned()];
        let _ = self.record(Draft::without_effect(
            None,
            Outcome::Denied,
            details,
            taken.notes.clone(),
        ))?;
        Err(Error::new(
            Kind::Denied,
            format!(
                "denied: `{}` does not leave in clear: the policies let notes up to `{}` do so",
                self.level_name(highest),
                self.level_name(allowed)
            ),
        )
        .hint("encrypt it: --to age -r RECIPIENT")
        .hint("which level may is `clear_export` in levels.toml, which a lead changes"))
    }
}

/// The pages of the notes, and how many revisions are not among them.
fn pages(taken: &Taken, handed: Vec<Handed>) -> (Files, usize) {
    let (mut files, mut revisions) = (Files::default(), 0);
    let mut names = BTreeSet::new();
    for (note, mut items) in by_note(handed, |item| item.note) {
        let followed: BTreeSet<Digest> = items
            .iter()
            .flat_map(|item| item.metadata.parents.iter().copied())
            .collect();
        items.sort_by_key(|item| std::cmp::Reverse((item.metadata.modified, item.metadata.number)));
        let (texts, attached): (Vec<Handed>, Vec<Handed>) =
            items.into_iter().partition(|item| item.nature == Nature::Note);
        let count = texts.len();
        // Two heads are two pages: which of them holds is for a person to say.
        let heads: Vec<Handed> = texts
            .into_iter()
            .filter(|item| !followed.contains(&item.body))
            .collect();
        revisions += count - heads.len();
        let mut folder = None;
        for head in heads {
            let title = head.metadata.title.as_str();
            let stem = if title.trim().is_empty() {
                &note.to_string()[..8]
            } else {
                title
            };
            let name = plain_name(&format!("{}.md", shortened(stem)), &mut names);
            folder.get_or_insert_with(|| format!("{}.files", name.strip_suffix(".md").unwrap_or(&name)));
            let page = front(&head, taken).write(head.text());
            files.add(name, page);
        }
        let folder = folder.unwrap_or_else(|| format!("{note}.files"));
        let mut beside = BTreeSet::new();
        for head in attached {
            if let Some(attachment) = &head.attachment {
                let name = plain_name(&attachment.name, &mut beside);
                files.add_attached(format!("{folder}/{name}"), head.body, attachment.sha256);
            }
        }
    }
    (files, revisions)
}

/// A title that leaves room for what comes after it.
fn shortened(title: &str) -> &str {
    let end = (0..=80.min(title.len())).rev().find(|at| title.is_char_boundary(*at));
    title[..end.unwrap_or(0)].trim()
}

/// What stands above a page. Fields that the program writes itself stay behind.
fn front(head: &Handed, taken: &Taken) -> Front {
    let metadata = &head.metadata;
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let own = |(name, _): &&(String, String)| !reserved::ALL.contains(&name.as_str());
    Front {
        title: some(&metadata.title),
        date: metadata.happened.map(Time::from_unix),
        client: some(&metadata.client),
        case: some(&metadata.case),
        label: taken.labels.get(&head.note).cloned(),
        tags: Vec::new(),
        fields: metadata.fields.iter().filter(own).cloned().collect(),
    }
}

/// Whom age encrypts to.
struct Recipients(Vec<String>);

impl Recipients {
    /// From arguments and files; looked at by age itself, before anything is entered.
    fn read(context: &Context<'_>, keys: &[String], files: &[PathBuf]) -> Result<Self, Error> {
        let usage = |words: String| Error::new(Kind::Usage, words);
        let mut all: Vec<String> = keys.iter().map(|key| key.trim().to_owned()).collect();
        for path in files {
            let mut text = String::new();
            let file = context.person.open(path)?;
            let read = file.take(KEYS_MAX + 1).read_to_string(&mut text);
            read.map_err(|error| Error::new(Kind::Failed, format!("cannot read `{}`: {error}", path.display())))?;
            // Cut off, it would leave recipients out in silence.
            if text.len() as u64 > KEYS_MAX {
                return Err(usage(format!(
                    "`{}` is too long for a file of recipients: at most {} KiB",
                    path.display(),
                    KEYS_MAX >> 10
                )));
            }
            let lines = text.lines().map(str::trim);
            all.extend(
                lines
                    .filter(|line| !line.is_empty() && !line.starts_with('#'))
                    .map(str::to_owned),
            );
        }
        if all.is_empty() {
            return Err(usage("say to whom it is encrypted: -r RECIPIENT, or -R FILE".into())
                .hint("a recipient is an age key (age1…) or an SSH key (ssh-ed25519 …); `age-keygen` makes one"));
        }
        let wrong = |key: &String| {
            key.is_empty() || key.len() > KEY_MAX || key.starts_with('-') || key.chars().any(char::is_control)
        };
        if let Some(key) = all.iter().find(|key| wrong(key)) {
            let shown: String = typed(key);
            return Err(usage(format!("`{shown}` is no recipient of age")));
        }
        let recipients = Self(all);
        let looked = recipients.program().run(&|_| {}).map_err(no_age)?;
        match looked.succeeded {
            true => Ok(recipients),
            false => Err(
                usage(format!("age does not take these recipients: {}", said(&looked.errors)))
                    .hint("nothing was exported"),
            ),
        }
    }

    fn program(&self) -> Program<'_> {
        let keys = self.0.iter().flat_map(|key| ["--recipient".into(), key.into()]);
        Program {
            name: "age",
            arguments: std::iter::once("--encrypt".into()).chain(keys).collect(),
            hidden: |name| name.starts_with("STRONGROOM_"),
            variables: &[("LC_ALL", "C.UTF-8")],
            output_max: 1 << 20,
            watched: None,
            deadline: Some(Duration::from_secs(60)),
        }
    }

    fn start(&self, output: File) -> Result<Fed, Error> {
        self.program().start_into(output).map_err(no_age)
    }
}

fn no_age(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(
            Kind::Failed,
            "there is no program `age` on the path; nothing was exported",
        )
        .hint("install age: it encrypts what leaves"),
        _ => Error::new(
            Kind::Failed,
            format!("age cannot be run: {error}; nothing was exported"),
        ),
    }
}

fn not_encrypted(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Failed, format!("the notes cannot be encrypted: {error}"))
}

/// The first line that a program said, harmless and short.
fn said(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("it does not say why");
    line.chars()
        .filter(|c| !c.is_control() && !is_harmful(*c))
        .take(200)
        .collect()
}

/// What an entry calls a recipient: itself, or, if it is long, its beginning and its digest.
fn named(key: &str) -> String {
    match key.chars().count() <= NAME_MAX {
        true => key.to_owned(),
        false => {
            let begin: String = key.chars().take(20).collect();
            format!("{begin}… sha256:{}", sha256(&[key.as_bytes()]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_fits_an_entry() {
        let short = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert_eq!(named(short), short);
        let long = named(&format!("ssh-rsa {}", "A".repeat(700)));
        assert!(
            long.chars().count() <= NAME_MAX && long.starts_with("ssh-rsa AAAAAAAAAAAA… sha256:"),
            "{long}"
        );
        assert_eq!(shortened(&"é".repeat(60)).len(), 80);
        assert_eq!(said(b"\nage: error: malformed\x1b\n"), "age: error: malformed");
    }
}
