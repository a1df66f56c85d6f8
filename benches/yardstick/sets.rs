//! Data sets: texts with marked spans, read from `SET.dev.jsonl` and `*.notes` files.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use strongroom::brief::Type;

/// A marked part of a text, in code points.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Gold {
    pub(crate) start: usize,
    pub(crate) end: usize,
    #[serde(rename = "type")]
    pub(crate) of: String,
    pub(crate) id_type: Option<String>,
    pub(crate) entity: Option<String>,
    #[serde(default)]
    pub(crate) text: String,
}

/// A text with its marks.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) spans: Vec<Gold>,
    /// What has to survive, in code points.
    #[serde(skip)]
    pub(crate) keep: Vec<(usize, usize)>,
}

/// A data set.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) documents: Vec<Document>,
}

/// In how many parts notes that are trained on are left out, whole files together.
const PARTS: usize = 4;

/// The sets of a folder: each `NAME.dev.jsonl` (or `NAME.jsonl`), and all `*.notes` of it as one, or in parts if the
/// folder is called `train`.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Set>, String> {
    let listed = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut sets = Vec::new();
    let mut notes: [Vec<Document>; PARTS] = [(); PARTS].map(|()| Vec::new());
    let mut files = 0;
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("").to_owned();
        let read = || std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()));
        if let Some(stem) = name.strip_suffix(".jsonl") {
            let name = stem.strip_suffix(".dev").unwrap_or(stem).to_owned();
            let documents = read()?.lines().map(serde_json::from_str).collect::<Result<_, _>>();
            let documents = documents.map_err(|error| format!("{}: {error}", path.display()))?;
            sets.push(Set { name, documents });
        } else if name.ends_with(".notes") {
            let read = read_notes(&read()?).map_err(|message| format!("{}: {message}", path.display()))?;
            notes[files % PARTS].extend(read);
            files += 1;
        }
    }
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("notes");
    if name == "train" {
        for (part, documents) in notes.into_iter().enumerate() {
            let name = format!("notes-{name}-{part}");
            sets.push(Set { name, documents });
        }
    } else if files > 0 {
        sets.push(Set {
            name: format!("notes-{name}"),
            documents: notes.concat(),
        });
    }
    Ok(sets)
}

/// Reads a `.notes` file: `=== ID` before each note, spans as `{TYPE|text}` or `{TYPE?|text}`.
fn read_notes(file: &str) -> Result<Vec<Document>, String> {
    let mut notes = Vec::new();
    for part in format!("\n{file}").split("\n=== ").skip(1) {
        let (id, body) = part.split_once('\n').unwrap_or((part, ""));
        notes.push(read_note(id.trim(), body).map_err(|message| format!("{id}: {message}"))?);
    }
    Ok(notes)
}

fn read_note(id: &str, body: &str) -> Result<Document, String> {
    let mut text = String::new();
    let mut spans = Vec::new();
    let mut keep = Vec::new();
    let mut rest = body.trim_end_matches('\n');
    while let Some((before, marked)) = rest.split_once('{') {
        text.push_str(before);
        let (inside, after) = marked.split_once('}').ok_or("a mark is not closed")?;
        let (of, value) = inside
            .split_once('|')
            .ok_or_else(|| format!("`{inside}` has no type"))?;
        let (of, quasi) = of.strip_suffix('?').map_or((of, false), |of| (of, true));
        if of != "KEEP" && !Type::ALL.iter().any(|known| known.name() == of) {
            return Err(format!("`{of}` is no type"));
        }
        let start = text.chars().count();
        text.push_str(value);
        if of == "KEEP" {
            keep.push((start, text.chars().count()));
        } else {
            spans.push(Gold {
                start,
                end: text.chars().count(),
                of: of.to_owned(),
                id_type: Some(if quasi { "QUASI" } else { "DIRECT" }.to_owned()),
                entity: None,
                text: value.to_owned(),
            });
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(Document {
        id: id.to_owned(),
        text,
        spans,
        keep,
    })
}
