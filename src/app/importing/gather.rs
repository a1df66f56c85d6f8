//! What lies in a source: read, opened with the person's own programs, and said by the rules what it becomes.

use super::super::context::Context;
use super::super::error::{Error, Kind};
use super::super::forms::Fields;
use super::super::notes::title_of;
use super::super::person::{Decrypt, is_harmful};
use super::super::table::plain;
use super::beside::{Beside, put_beside};
use super::there::Recognised;
use super::{ImportQuery, LeftOut, SourceKind};
use crate::casework::reserved;
use crate::chain::Time;
use crate::env::{FoundKind, list_below, open_below};
use crate::envelope::TEXT_MAX;
use crate::transfer::{Columns, Front, Given, Page, Rules, RulesFor, Table, moment};
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use zeroize::Zeroizing;

/// The most files that are looked at.
const FILES_MAX: usize = 200_000;
/// The most text that is in memory for one import, in bytes: what was shown is what is written.
const TOGETHER_MAX: usize = 256 << 20;
/// The largest table, in bytes.
const TABLE_MAX: usize = 128 << 20;
/// The largest file that is opened with another program, in bytes: a text of the largest size, sealed and armoured.
const SEALED_MAX: u64 = 4 << 20;
/// The longest path that a note can name, in bytes.
pub(super) const PATH_MAX: usize = 1024;
/// What a folder's texts end with.
const TEXTS: [&str; 3] = [".md", ".markdown", ".txt"];

/// What is to become a note.
pub(super) struct Thing {
    /// Its path in the source.
    pub(super) path: String,
    /// What it is called to a person, where its path says nothing: which row of a table.
    pub(super) called: Option<String>,
    pub(super) title: String,
    pub(super) text: Zeroizing<String>,
    pub(super) at: Option<Time>,
    pub(super) client: Option<String>,
    pub(super) case: Option<String>,
    pub(super) label: Option<String>,
    /// The source gives it a label, and that is not taken.
    pub(super) label_left: bool,
    pub(super) template: Option<String>,
    pub(super) fields: Fields,
    /// The fields that a table has a column for, and nothing of in the row of this.
    pub(super) emptied: Vec<String>,
    /// By what it is known again.
    pub(super) digest: String,
    /// Files that are attached to it.
    pub(super) beside: Vec<Beside>,
}

impl Thing {
    /// The fields that the source says something of, if only that they are empty.
    pub(super) fn said(&self) -> impl Iterator<Item = &str> {
        let names = self.fields.iter().map(|(name, _)| name);
        names.chain(&self.emptied).map(|name| name.trim())
    }
}

/// A source that was read.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) things: Vec<Thing>,
    pub(super) left: Vec<LeftOut>,
    pub(super) columns_left: Vec<String>,
}

/// A source.
pub(super) struct Source {
    pub(super) kind: SourceKind,
    /// Where it is, in full.
    pub(super) whole: String,
    file: File,
    /// Files below it, with their sizes.
    files: Vec<(String, u64)>,
    left: Vec<LeftOut>,
}

fn failed(path: &str, error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Failed, format!("`{path}` cannot be read: {error}"))
}

pub(super) fn left(path: impl Into<String>, why: impl Into<String>, is_fault: bool) -> LeftOut {
    LeftOut {
        path: path.into(),
        why: why.into(),
        is_fault,
    }
}

pub(super) fn is_text(path: &str) -> bool {
    let path = path.to_lowercase();
    TEXTS.iter().any(|end| path.ends_with(end))
}

/// A path without the ending of its file's name.
pub(super) fn without_end(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    match path[name..].rfind('.') {
        Some(dot) if dot > 0 => &path[..name + dot],
        _ => path,
    }
}

/// The path, without its ending, of the note among whose attachments a file lies, if it lies in such a folder.
pub(super) fn note_of(path: &str) -> Option<&str> {
    path.rsplit_once('/')?.0.strip_suffix(".files")
}

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Source {
    /// Opens a source and looks at what is there, and at nothing in it.
    pub(super) fn open(context: &Context<'_>, query: &ImportQuery) -> Result<Self, Error> {
        let (file, whole) = context.person.source(&query.source)?;
        let is_folder = file.metadata().map_err(|error| failed(&whole, error))?.is_dir();
        let mut source = Self {
            kind: SourceKind::Csv,
            whole,
            file,
            files: Vec::new(),
            left: Vec::new(),
        };
        if is_folder {
            source.look()?;
        }
        let usage = |words: String| Error::new(Kind::Usage, words);
        source.kind = match (query.kind, is_folder) {
            (Some(SourceKind::Csv), true) => {
                return Err(usage("a table is one file, and this is a folder".into()).hint("--from folder"));
            }
            (Some(kind), is_folder) if kind != SourceKind::Csv && !is_folder => {
                return Err(usage(format!(
                    "`--from {}` reads a folder, and this is a file",
                    kind.name()
                )));
            }
            (Some(kind), _) => kind,
            (None, false) if source.whole.to_lowercase().ends_with(".csv") => SourceKind::Csv,
            (None, true) if source.files.is_empty() => {
                return Err(usage("there is nothing in this folder to import".into()));
            }
            (None, true) => source.guess().ok_or_else(|| {
                usage("what this folder holds is not plain".into()).hint("say it: --from pass, passage or folder")
            })?,
            (None, false) => {
                return Err(usage(format!("`{}` is one file, and no table by its name; nothing was imported", source.whole))
                    .hint("a single text is recorded with `strongroom add --file FILE`, and a table imported with `--from csv`; otherwise name the folder"));
            }
        };
        if query.kind.is_some_and(|kind| kind != SourceKind::Csv) && !query.columns.is_empty() {
            return Err(usage("only a table has columns".into()));
        }
        Ok(source)
    }

    fn look(&mut self) -> Result<(), Error> {
        let found = list_below(&self.file, FILES_MAX).map_err(|error| failed(&self.whole, error))?;
        for found in found {
            let path = found.path;
            let why = match found.kind {
                FoundKind::File(_)
                    if path.len() > PATH_MAX || path.chars().any(|c| c.is_control() || is_harmful(c)) =>
                {
                    "its path is too long, or holds control characters"
                }
                FoundKind::File(size) => {
                    self.files.push((path, size));
                    continue;
                }
                FoundKind::Hidden => {
                    self.left.push(left(path, "it is hidden", false));
                    continue;
                }
                FoundKind::Link => {
                    self.left
                        .push(left(path, "it is a symbolic link, and links are not followed", false));
                    continue;
                }
                FoundKind::NoText => "its name is not UTF-8 text",
                FoundKind::Deep => "it is too deep in folders",
                FoundKind::Other => "it is not a plain file",
            };
            self.left.push(left(path, why, true));
        }
        Ok(())
    }

    fn guess(&self) -> Option<SourceKind> {
        let any = |end: &str| self.files.iter().any(|(path, _)| path.to_lowercase().ends_with(end));
        let kinds = [
            (any(".gpg"), SourceKind::Pass),
            (any(".age"), SourceKind::Passage),
            (self.files.iter().any(|(path, _)| is_text(path)), SourceKind::Folder),
        ];
        let mut found = kinds.into_iter().filter(|(any, _)| *any);
        found.next().filter(|_| found.next().is_none()).map(|(_, kind)| kind)
    }

    /// How the files of this source are opened, and what they end with.
    fn opened_by(&self, query: &ImportQuery) -> Option<(Decrypt, &'static str)> {
        match self.kind {
            SourceKind::Pass => Some((Decrypt::Gpg, ".gpg")),
            SourceKind::Passage => Some((Decrypt::Age(query.age_identity.clone()), ".age")),
            SourceKind::Folder | SourceKind::Csv => None,
        }
    }

    /// A file of it.
    pub(super) fn below(&self, path: &str) -> Result<File, Error> {
        open_below(&self.file, path).map_err(|error| failed(path, error))
    }

    /// Reads all of it.
    pub(super) fn gather(
        &self,
        context: &Context<'_>,
        query: &ImportQuery,
        rules: &Rules,
        columns: &Columns,
        recognised: &Recognised,
    ) -> Result<Gathered, Error> {
        let mut gathered = Gathered {
            left: self.left.clone(),
            ..Gathered::default()
        };
        let mapping = Mapping {
            query,
            rules,
            recognised,
            takes_labels: query.labels_within || self.kind == SourceKind::Csv && columns.of("label").is_some(),
        };
        match self.kind {
            SourceKind::Csv => self.gather_rows(&mapping, columns, &mut gathered)?,
            _ => self.gather_files(context, &mapping, &mut gathered)?,
        }
        context.person.progress(None, None);
        gathered.left.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(gathered)
    }

    fn gather_files(&self, context: &Context<'_>, mapping: &Mapping<'_>, gathered: &mut Gathered) -> Result<(), Error> {
        let query = mapping.query;
        let sealed = self.opened_by(query);
        let whole = self.files.iter().map(|(_, size)| size).sum();
        let (mut done, mut together) = (0, 0);
        let mut others = Vec::new();
        let texts: HashSet<&str> = self.texts().map(without_end).collect();
        for (path, size) in &self.files {
            context.person.progress(Some(done), Some(whole));
            done += size;
            let mine = match &sealed {
                Some((_, end)) => path.to_lowercase().ends_with(end),
                // What lies in the folder of a note's attachments is one, and no note under a label of its own.
                None => is_text(path) && note_of(path).is_none_or(|note| !texts.contains(note)),
            };
            if !mine {
                others.push(path.as_str());
                continue;
            }
            // What a rule leaves out is not opened.
            if mapping.given(path, &|_| None).skip {
                gathered.left.push(left(path, "a rule says so", false));
                continue;
            }
            let read = match &sealed {
                Some((with, _)) => self.opened(context, path, *size, with)?,
                None => self.read(path),
            };
            match read.and_then(text_of) {
                Err(why) => gathered.left.push(left(path, why, true)),
                Ok(text) => {
                    together += text.len();
                    if together > TOGETHER_MAX {
                        return Err(too_much());
                    }
                    gathered.things.push(match sealed.is_some() {
                        true => mapping.secret(path, text),
                        false => mapping.page(path, &text),
                    });
                }
            }
        }
        put_beside(self.kind, &others, &texts, mapping, gathered);
        Ok(())
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let paths = self.files.iter().map(|(path, _)| path.as_str());
        paths.filter(|path| is_text(path))
    }

    fn read(&self, path: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let file = open_below(&self.file, path).map_err(|error| format!("it cannot be read: {error}"))?;
        bounded(file, TEXT_MAX).map_err(|error| format!("it cannot be read: {error}"))
    }

    /// The text of a file that another program opens. An error ends the import; a refusal is this file's alone.
    fn opened(
        &self,
        context: &Context<'_>,
        path: &str,
        size: u64,
        with: &Decrypt,
    ) -> Result<Result<Zeroizing<Vec<u8>>, String>, Error> {
        if size > SEALED_MAX {
            return Ok(Err("it is larger than 1 MiB of text can be".into()));
        }
        let file = match open_below(&self.file, path) {
            Ok(file) => file,
            Err(error) => return Ok(Err(format!("it cannot be read: {error}"))),
        };
        let ended = context.person.decrypt(&file, with)?;
        let output = Zeroizing::new(ended.output);
        Ok(match (ended.succeeded, ended.stopped) {
            (true, _) => Ok(output),
            (_, true) => Err("it was not opened in time, or is larger than a note can be (1 MiB)".into()),
            _ => Err(format!("it does not open: {}", last_words(&ended.errors))),
        })
    }

    fn gather_rows(&self, mapping: &Mapping<'_>, columns: &Columns, gathered: &mut Gathered) -> Result<(), Error> {
        let file = self.file.try_clone().map_err(|error| failed(&self.whole, error))?;
        let bytes = bounded(file, TABLE_MAX).map_err(|error| failed(&self.whole, error))?;
        if bytes.len() > TABLE_MAX {
            return Err(too_much());
        }
        let table = Table::read(&bytes, columns).map_err(|bad| failed(&self.whole, bad))?;
        let but: &[&str] = if mapping.takes_labels { &[] } else { &["label"] };
        gathered.columns_left = table.left(but).into_iter().map(str::to_owned).collect();
        let name = file_name(&self.whole);
        for row in &table.rows {
            let place = format!("{name}, line {}", row.line);
            let cells = match &row.cells {
                Ok(cells) => cells,
                Err(why) => {
                    gathered.left.push(left(place, why, true));
                    continue;
                }
            };
            let Some(body) = table.of(cells, "body") else {
                gathered.left.push(left(place, "its text is empty", true));
                continue;
            };
            let column = |name: &str| table.column(cells, name);
            let id = table.of(cells, "id").map(str::trim);
            let all: Vec<&str> = cells.iter().map(|cell| cell.as_str()).collect();
            let all = Zeroizing::new(all.join("\u{1f}"));
            let digest = mapping.recognised.digest(all.as_bytes());
            let path = match id {
                Some(id) => format!("{name}#{id}"),
                // Rows move; what is in them is by what they are known.
                None => format!("{name}#{}", &digest[..16]),
            };
            if path.len() > PATH_MAX || path.chars().any(|c| c.is_control() || is_harmful(c)) {
                gathered
                    .left
                    .push(left(place, "its id is too long, or holds control characters", true));
                continue;
            }
            let given = mapping.given(&path, &column);
            if given.skip {
                gathered.left.push(left(place, "a rule says so", false));
                continue;
            }
            let text = match text_of(Zeroizing::new(body.as_bytes().to_vec())) {
                Ok(text) => text,
                Err(why) => {
                    gathered.left.push(left(place, why, true));
                    continue;
                }
            };
            let of = |what: &str| table.of(cells, what).map(|text| text.trim().to_owned());
            let date = of("date");
            let at = date.as_deref().and_then(moment);
            let mut fields = table.fields(cells);
            // What is no date is kept as it was written.
            fields.extend(date.filter(|_| at.is_none()).map(|date| ("date".to_owned(), date)));
            let front = Front {
                title: of("title"),
                date: at,
                client: of("client"),
                case: of("case"),
                label: of("label"),
                tags: of("tags").into_iter().collect(),
                fields,
            };
            let title = title_of(&text);
            let mut thing = mapping.thing(path, given, front, title, text, digest);
            // What the program writes itself is not taken away by a column that is called so.
            thing.emptied = table.empty_fields(cells);
            thing.emptied.retain(|name| !reserved::ALL.contains(&name.as_str()));
            thing.called = id.is_none().then(|| format!("{place} ({})", plain(&thing.title)));
            gathered.things.push(thing);
        }
        Ok(())
    }
}

/// How what was read becomes notes.
pub(super) struct Mapping<'a> {
    pub(super) query: &'a ImportQuery,
    rules: &'a Rules,
    recognised: &'a Recognised,
    /// Whether labels in the source count.
    takes_labels: bool,
}

impl Mapping<'_> {
    pub(super) fn given<'t>(&self, path: &'t str, column: &'t dyn Fn(&str) -> Option<&'t str>) -> Given {
        self.rules.given(&RulesFor { path, column })
    }

    /// A file of a store of secrets. Its first line is one, so its name is the title.
    fn secret(&self, path: &str, text: Zeroizing<String>) -> Thing {
        let digest = self.recognised.digest(text.as_bytes());
        let title = file_name(without_end(path)).to_owned();
        let given = self.given(path, &|_| None);
        self.thing(path.to_owned(), given, Front::default(), title, text, digest)
    }

    /// A page of a folder.
    fn page(&self, path: &str, whole: &Zeroizing<String>) -> Thing {
        let digest = self.recognised.digest(whole.as_bytes());
        let page = Page::read(whole);
        let title = match page.heading() {
            Some(heading) => title_of(heading),
            None => file_name(without_end(path)).to_owned(),
        };
        // Front matter alone is no note.
        let text = if page.text.trim().is_empty() {
            whole.as_str()
        } else {
            page.text
        };
        let text = Zeroizing::new(text.to_owned());
        let given = self.given(path, &|_| None);
        self.thing(path.to_owned(), given, page.front, title, text, digest)
    }

    fn thing(
        &self,
        path: String,
        given: Given,
        front: Front,
        title: String,
        text: Zeroizing<String>,
        digest: String,
    ) -> Thing {
        let query = self.query;
        let (within, left) = match self.takes_labels {
            true => (front.label, None),
            false => (None, front.label),
        };
        let mut fields = front.fields;
        if !front.tags.is_empty() {
            fields.retain(|(name, _)| name != "tags");
            fields.push(("tags".to_owned(), front.tags.join(", ")));
        }
        Thing {
            path,
            called: None,
            title: given.title.or(front.title).unwrap_or(title),
            text,
            at: front.date,
            client: given.client.or(front.client).or_else(|| query.client.clone()),
            case: given.case.or(front.case).or_else(|| query.case.clone()),
            // Where the rules say it, what the source says would not count either.
            label_left: left.is_some() && given.label.is_none(),
            label: given.label.or(within).or_else(|| query.label.clone()),
            template: given.template.or_else(|| query.template.clone()),
            fields,
            emptied: Vec::new(),
            digest,
            beside: Vec::new(),
        }
    }
}

/// Reads so many bytes and one more, which says that there are too many.
fn bounded(file: File, max: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    // Room for all of it, so that nothing is left behind where a growing buffer lay.
    let room = usize::try_from(size).unwrap_or(max).min(max) + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a note, or why it is none.
fn text_of(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, String> {
    if bytes.len() > TEXT_MAX {
        return Err("it is larger than a note can be (1 MiB)".into());
    }
    let text = match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Zeroizing::new(text),
        Err(bad) => {
            drop(Zeroizing::new(bad.into_bytes()));
            return Err("it is not UTF-8 text".into());
        }
    };
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("it holds control characters, as no text does".into());
    }
    match text.trim_start_matches('\u{feff}').trim().is_empty() {
        true => Err("it is empty".into()),
        false => Ok(text),
    }
}

fn too_much() -> Error {
    Error::new(
        Kind::Failed,
        format!(
            "there are more than {} MiB of text, which is too much for one import; nothing was imported",
            TOGETHER_MAX >> 20
        ),
    )
    .hint("import its folders one after the other, or divide the table")
}

/// The last line that a program said, harmless and short.
fn last_words(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let line = text
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or("it does not say why");
    line.chars()
        .filter(|c| !c.is_control() && !is_harmful(*c))
        .take(120)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_says_why() {
        let text = |bytes: &[u8]| text_of(Zeroizing::new(bytes.to_vec())).map(|text| text.to_string());
        assert_eq!(text(b"a\tb\r\nc\n"), Ok("a\tb\r\nc\n".to_owned()));
        assert!(text(b"a\xff").is_err_and(|why| why.contains("UTF-8")));
        for bad in [&b"a\0b"[..], b"a\x1b[2J", "a\u{85}".as_bytes()] {
            assert!(text(bad).is_err_and(|why| why.contains("control")), "{bad:?}");
        }
        for empty in [&b""[..], b" \n", "\u{feff}\n".as_bytes()] {
            assert!(text(empty).is_err_and(|why| why.contains("empty")), "{empty:?}");
        }
        assert!(text(&vec![b'a'; TEXT_MAX + 1]).is_err_and(|why| why.contains("1 MiB")));
    }

    #[test]
    fn names_and_paths_are_taken_apart() {
        for (path, stem) in [
            ("a/b.md", "a/b"),
            ("a.b/c", "a.b/c"),
            ("a/.b", "a/.b"),
            ("b.c.gpg", "b.c"),
        ] {
            assert_eq!(without_end(path), stem);
        }
        assert_eq!(last_words(b"gpg: one\ngpg: \x1b[2Jtwo\n\n"), "gpg: [2Jtwo");
    }
}
