//! What can be wrong with a policy set.

/// A policy set that is not taken, with the file and, where it can be told, the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// More files than [`super::PolicyFiles::MAX_FILES`].
    #[error("a policy set has at most {max} files, this one has {0}", max = super::PolicyFiles::MAX_FILES)]
    TooManyFiles(usize),
    /// A file above [`super::PolicyFiles::MAX_FILE_BYTES`].
    #[error("`{file}`: a policy file has at most {max} bytes, this one has {bytes}", max = super::PolicyFiles::MAX_FILE_BYTES)]
    TooLarge {
        /// Its path.
        file: String,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A path that no policy file has.
    #[error(
        "`{0}`: not the path of a policy file; these are `levels.toml`, `purposes.toml`, `access/…`, and \
         `redaction/`, `retention/`, `templates/` or `rubrics/…`, in lower case"
    )]
    BadPath(String),
    /// The same path twice.
    #[error("`{0}` stands twice in the policy set")]
    Twice(String),
    /// A file that every policy set has is missing.
    #[error("`{0}` is missing: copy the shipped one and change that")]
    Missing(&'static str),
    /// A file is not what it must be.
    #[error("`{file}`{}: {reason}", line.map(|n| format!(", line {n}")).unwrap_or_default())]
    Wrong {
        /// Its path.
        file: String,
        /// The line, from 1, where it can be told.
        line: Option<usize>,
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl BadPolicy {
    pub(super) fn wrong(file: &str, line: Option<usize>, reason: impl Into<String>) -> Self {
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
pub(super) fn read_toml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, BadPolicy> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        BadPolicy::wrong(file, line, error.message())
    })
}

/// The line where `needle` first stands, to point at a value that parsed but is not allowed.
pub(super) fn line_with(text: &str, needle: &str) -> Option<usize> {
    text.find(needle).map(|offset| line_of(text, offset))
}
