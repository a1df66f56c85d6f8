//! Another engine beside ours: the texts it is given, and its findings, counted as ours are.

use super::score::Score;
use super::sets::Set;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A line of a file of findings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Found(Found),
    /// The last one, if the engine says how much memory it had.
    Peak {
        peak_mb: f64,
    },
}

/// What was found in one text, in code points.
#[derive(Deserialize)]
struct Found {
    set: String,
    id: String,
    spans: Vec<(usize, usize)>,
    /// Milliseconds of processor time.
    ms: Option<f64>,
}

/// The findings of another engine.
pub(crate) struct Other {
    pub(crate) name: String,
    /// Megabytes of memory at the most.
    pub(crate) peak: Option<f64>,
    found: BTreeMap<(String, String), Found>,
}

impl Other {
    /// From `NAME=FILE`.
    pub(crate) fn read(argument: &str) -> Result<Self, String> {
        let (name, path) = argument
            .split_once('=')
            .ok_or_else(|| format!("`{argument}` is not NAME=FILE"))?;
        let file = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Self::parse(name, &file).map_err(|message| format!("{path}: {message}"))
    }

    fn parse(name: &str, file: &str) -> Result<Self, String> {
        let mut other = Self {
            name: name.to_owned(),
            peak: None,
            found: BTreeMap::new(),
        };
        for line in file.lines() {
            match serde_json::from_str(line).map_err(|error| error.to_string())? {
                Line::Peak { peak_mb } => other.peak = Some(peak_mb),
                Line::Found(found) => {
                    let key = (found.set.clone(), found.id.clone());
                    if let Some(twice) = other.found.insert(key, found) {
                        return Err(format!("{} of {} is there twice", twice.id, twice.set));
                    }
                }
            }
        }
        Ok(other)
    }

    /// The score over a set, and milliseconds for 4,000 characters; a text that the engine was not given is an error.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn measure(&self, set: &Set, strict: bool) -> Result<(Score, Option<f64>), String> {
        let mut score = Score::default();
        let mut characters = 0;
        let mut spent = Some(0.0);
        for document in &set.documents {
            let told = |what: &str| format!("{}: {} of {} {what}", self.name, document.id, set.name);
            let key = (set.name.clone(), document.id.clone());
            let found = self.found.get(&key).ok_or_else(|| told("is not there"))?;
            let length = document.text.chars().count();
            if found.spans.iter().any(|&(start, end)| start > end || end > length) {
                return Err(told("has a span outside the text"));
            }
            score.add(document, &found.spans, strict);
            characters += length;
            spent = spent.zip(found.ms).map(|(spent, more)| spent + more);
        }
        Ok((score, spent.map(|spent| 4_000.0 * spent / characters.max(1) as f64)))
    }
}

/// A set's texts without their marks, a line each.
pub(crate) fn texts(set: &Set) -> impl Iterator<Item = String> {
    set.documents
        .iter()
        .map(|document| serde_json::json!({ "set": set.name, "id": document.id, "text": document.text }).to_string())
}

/// How much memory this process had at the most, in megabytes, where the system tells.
pub(crate) fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sets::{Document, Gold};

    fn set() -> Set {
        let mark = Gold {
            start: 3,
            end: 7,
            of: "PERSON".to_owned(),
            id_type: None,
            entity: None,
            text: "Åsne".to_owned(),
        };
        let document = Document {
            id: "one".to_owned(),
            text: "At Åsne's".to_owned(),
            spans: vec![mark],
            keep: Vec::new(),
        };
        Set {
            name: "few".to_owned(),
            documents: vec![document],
        }
    }

    fn measured(file: &str) -> Result<(Score, Option<f64>), String> {
        Other::parse("them", file)?.measure(&set(), false)
    }

    #[test]
    fn findings_are_counted_in_code_points() {
        let (score, spent) = measured(r#"{"set": "few", "id": "one", "spans": [[3, 7]], "ms": 9.0}"#).unwrap();
        assert_eq!(score.recall("ALL"), Some(100.0));
        assert_eq!((score.leaking, score.with_direct), (0, 1));
        assert_eq!(spent, Some(4_000.0));
        let (score, spent) = measured(r#"{"set": "few", "id": "one", "spans": [[4, 7]]}"#).unwrap();
        assert_eq!((score.recall("ALL"), score.leaking, spent), (Some(0.0), 1, None));
    }

    #[test]
    fn what_is_missing_twice_or_outside_is_refused() {
        let line = r#"{"set": "few", "id": "one", "spans": []}"#;
        assert!(measured(r#"{"peak_mb": 12.5}"#).is_err_and(|message| message.contains("is not there")));
        assert!(measured(&format!("{line}\n{line}")).is_err_and(|message| message.contains("twice")));
        let outside = measured(r#"{"set": "few", "id": "one", "spans": [[3, 10]]}"#);
        assert!(outside.is_err_and(|message| message.contains("outside")));
    }
}
