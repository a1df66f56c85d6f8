//! What can be wrong with a policy set.

use std::fmt;

/// A policy set that is not taken, with the file and, where it can be told, the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadPolicy {
    /// More files than [`super::PolicyFiles::MAX_FILES`].
    TooManyFiles(usize),
    /// A file above [`super::PolicyFiles::MAX_FILE_BYTES`].
    TooLarge {
        /// Its path.
        file: String,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A path that no policy file has.
    BadPath(String),
    /// The same path twice.
    Twice(String),
    /// A file that every policy set has is missing.
    Missing(&'static str),
    /// A file is not what it must be.
    Wrong {
        /// Its path.
        file: String,
        /// The line, from 1, where it can be told.
        line: Option<usize>,
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl std::error::Error for BadPolicy {}

impl fmt::Display for BadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line, reason) = self.parts();
        match (file, line) {
            (Some(file), Some(line)) => write!(f, "`{file}`, line {line}: {reason}"),
            (Some(file), None) => write!(f, "`{file}`: {reason}"),
            (None, _) => f.write_str(&reason),
        }
    }
}

impl BadPolicy {
    /// The file it is in, the line from 1 where it can be told, and what is wrong.
    pub fn parts(&self) -> (Option<&str>, Option<usize>, String) {
        use super::PolicyFiles;
        match self {
            Self::TooManyFiles(count) => {
                let max = PolicyFiles::MAX_FILES;
                (
                    None,
                    None,
                    format!("a policy set has at most {max} files, this one has {count}"),
                )
            }
            Self::TooLarge { file, bytes } => {
                let max = PolicyFiles::MAX_FILE_BYTES;
                let reason = format!("a policy file has at most {max} bytes, this one has {bytes}");
                (Some(file), None, reason)
            }
            Self::BadPath(file) => {
                let reason = "not the path of a policy file; these are `levels.toml`, `purposes.toml`, `access/…`, and \
                              `redaction/`, `retention/`, `templates/` or `rubrics/…`, in lower case";
                (Some(file), None, reason.into())
            }
            Self::Twice(file) => (Some(file), None, "it stands twice in the policy set".into()),
            Self::Missing(file) => {
                let reason = "it is missing: copy the shipped one and change that";
                (Some(file), None, reason.into())
            }
            Self::Wrong { file, line, reason } => (Some(file), *line, reason.clone()),
        }
    }

    pub(crate) fn wrong(file: &str, line: Option<usize>, reason: impl Into<String>) -> Self {
        Self::Wrong {
            file: file.to_owned(),
            line,
            reason: reason.into(),
        }
    }
}

/// The line, from 1, of a byte offset in `text`.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// Reads a TOML file into `T`; the error names the line.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, BadPolicy> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        BadPolicy::wrong(file, line, error.message())
    })
}

/// The line where `needle` first stands, to point at a value that parsed but is not allowed.
pub(crate) fn line_with(text: &str, needle: &str) -> Option<usize> {
    text.find(needle).map(|offset| line_of(text, offset))
}
