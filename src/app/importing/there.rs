//! What of a source is in the vault already: by a field of each note that only whoever imports can make.

use super::super::context::{Desk, short};
use super::super::error::Error;
use super::super::finding::Looking;
use crate::casework::{reserved, value_of};
use crate::crypto::{mac, same_bytes};
use crate::gate::{Filter, Listed, Metadata, Nature};
use crate::id::{Digest, NoteId};
use crate::label::Label;
use crate::policy::Action;
use crate::secret::Secret;
use crate::session::Identity;
use std::collections::{BTreeSet, HashMap};
use zeroize::Zeroizing;

/// How things of one source are known again. All digests are keyed with a secret of this device, so that whoever sees one
/// can try no texts against it.
pub(super) struct Recognised {
    kind: &'static str,
    /// The source in words, for the log.
    asked: String,
    /// Of which key.
    key: String,
    /// Which source.
    root: String,
    secret: Secret<32>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Recognised {
    /// For a source of that kind at that place.
    pub(super) fn by(identity: &Identity, kind: &'static str, whole: &str) -> Self {
        let secret = identity.import_key();
        Self {
            kind,
            asked: short(format!("{kind} {whole}")),
            key: hex(&mac(&secret, b"key")[..4]),
            root: hex(&mac(&secret, format!("source {whole}").as_bytes())[..8]),
            secret,
        }
    }

    /// By what a text is known again.
    pub(super) fn digest(&self, text: &[u8]) -> String {
        let message = Zeroizing::new([b"text ", text].concat());
        hex(&mac(&self.secret, &message)[..16])
    }

    /// The fields of the note that is imported as revision `number`.
    pub(super) fn fields(&self, note: NoteId, path: &str, digest: &str, number: u64) -> Vec<(String, String)> {
        vec![
            (reserved::IMPORTED_FROM.to_owned(), self.from(path)),
            (
                reserved::IMPORTED_KEY.to_owned(),
                self.value(note, path, digest, number),
            ),
        ]
    }

    /// What stands in the field that is not shown.
    pub(super) fn value(&self, note: NoteId, path: &str, digest: &str, number: u64) -> String {
        let said = format!("{}.{}.{digest}.{number}", self.key, self.root);
        format!("{said}.{}", self.bound(note, &self.from(path), &said))
    }

    /// Binds what a note says of where it comes from to that note: others can read it, and say the same of theirs.
    fn bound(&self, note: NoteId, from: &str, said: &str) -> String {
        hex(&mac(&self.secret, format!("note {note} {said} {from}").as_bytes())[..16])
    }

    fn from(&self, path: &str) -> String {
        format!("{} {path}", self.kind)
    }
}

/// A note that was imported.
pub(super) struct Known {
    pub(super) note: NoteId,
    /// Its newest head.
    pub(super) body: Digest,
    pub(super) label: Label,
    pub(super) metadata: Metadata,
    /// Digest of the text that was imported.
    pub(super) digest: String,
    /// Nobody wrote it anew here since.
    pub(super) untouched: bool,
}

/// What is there of this and of other sources.
#[derive(Default)]
pub(super) struct There {
    /// Of this source, by what it was imported from.
    here: HashMap<String, Known>,
    /// Imported from this device, by digest.
    texts: HashMap<String, NoteId>,
    /// Imported from this device, from another source, by the same words.
    moved: HashMap<String, NoteId>,
    /// Imported by other devices, by the same words.
    elsewhere: BTreeSet<String>,
}

/// What is known of a thing.
pub(super) enum Found<'t> {
    /// Nothing: it is new.
    Nothing,
    /// It is there.
    There(&'t Known),
    /// It is there, and reads otherwise now.
    Changed(&'t Known),
    /// The same text is there from another place.
    Text(NoteId),
    /// Another device imported something from a place that is called so.
    Elsewhere,
}

impl There {
    /// What is known of the thing at that path with that digest.
    pub(super) fn find(&self, recognised: &Recognised, path: &str, digest: &str) -> Found<'_> {
        let from = recognised.from(path);
        match (self.here.get(&from), self.texts.get(digest)) {
            (Some(known), _) if known.digest == digest => Found::There(known),
            (Some(known), _) => Found::Changed(known),
            (None, Some(note)) => Found::Text(*note),
            (None, None) if self.elsewhere.contains(&from) => Found::Elsewhere,
            (None, None) => Found::Nothing,
        }
    }

    /// The note that a new thing may once have been: from another source, at the same path in it, with another text.
    pub(super) fn moved(&self, recognised: &Recognised, path: &str) -> Option<NoteId> {
        self.moved.get(&recognised.from(path)).copied()
    }

    /// Gives what is known of the thing at that path away.
    pub(super) fn take(&mut self, recognised: &Recognised, path: &str) -> Option<Known> {
        self.here.remove(&recognised.from(path))
    }

    fn add(&mut self, recognised: &Recognised, listed: Listed) {
        let Listed {
            note,
            body,
            label,
            metadata,
            ..
        } = listed;
        let field = |name| value_of(&metadata.fields, name).map(str::to_owned);
        let Some((from, value)) = field(reserved::IMPORTED_FROM).zip(field(reserved::IMPORTED_KEY)) else {
            return;
        };
        let parts: Vec<&str> = value.split('.').collect();
        let [key, root, digest, number, bound] = parts[..] else {
            return;
        };
        if key != recognised.key {
            self.elsewhere.insert(from);
            return;
        }
        let said = format!("{key}.{root}.{digest}.{number}");
        if !same_bytes(bound.as_bytes(), recognised.bound(note, &from, &said).as_bytes()) {
            return;
        }
        let digest = digest.to_owned();
        self.texts.entry(digest.clone()).or_insert(note);
        if root == recognised.root {
            let known = Known {
                note,
                body,
                label,
                untouched: number.parse() == Ok(metadata.number),
                metadata: *metadata,
                digest,
            };
            self.here.insert(from, known);
        } else {
            self.moved.insert(from, note);
        }
    }
}

impl Desk<'_> {
    /// Looks at what was imported before, as far as one may see it; an entry names all of that.
    pub(super) fn there(&mut self, recognised: &Recognised) -> Result<There, Error> {
        let mut details = self.details("import-read");
        details.asked = Some(recognised.asked.clone());
        let filter = Filter {
            natures: vec![Nature::Note],
            having: Some(reserved::IMPORTED_KEY),
            ..Filter::default()
        };
        let lines = self.find_all(details, &Looking::for_all(Action::List, filter))?;
        let mut there = There::default();
        for line in lines {
            there.add(recognised, line.listed);
        }
        Ok(there)
    }
}
