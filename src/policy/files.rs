//! The files of a policy set: what a new vault starts with, and the digest that names a set.

use super::error::BadPolicy;
use crate::crypto::sha256;
use crate::id::Digest;
use std::collections::BTreeMap;

/// Path of the levels file.
pub const LEVELS: &str = "levels.toml";
/// Path of the purposes file.
pub const PURPOSES: &str = "purposes.toml";
/// Path of the access rules.
pub const RULES: &str = "access/rules.cedar";
/// Path of the schema of the access rules.
pub const SCHEMA: &str = "access/schema.cedarschema";
/// Path of the cases of the access rules.
pub const CASES: &str = "access/cases.toml";

/// A file of `policies/`, by its path there.
macro_rules! file {
    ($path:literal) => {
        ($path, include_str!(concat!("../../policies/", $path)))
    };
}

const SHIPPED: &[(&str, &str)] = &[
    file!("access/cases.toml"),
    file!("access/rules.cedar"),
    file!("access/schema.cedarschema"),
    file!("levels.toml"),
    file!("purposes.toml"),
    file!("redaction/no-names.toml"),
    file!("redaction/safe-harbor.toml"),
    file!("redaction/strict.toml"),
    file!("redaction/template.txt"),
    file!("redaction/tlp-amber.toml"),
    file!("redaction/tlp-green.toml"),
    file!("retention/classes.toml"),
    file!("rubrics/incident.toml"),
    file!("rubrics/metrics.toml"),
    file!("rubrics/severity.toml"),
    file!("rubrics/wording.toml"),
    file!("templates/action.toml"),
    file!("templates/client-note.toml"),
    file!("templates/commitment.toml"),
    file!("templates/concern.toml"),
    file!("templates/conflict.toml"),
    file!("templates/decision.toml"),
    file!("templates/evidence.toml"),
    file!("templates/handover.toml"),
    file!("templates/incident-review.toml"),
    file!("templates/incident.toml"),
    file!("templates/mistake-notice.toml"),
    file!("templates/risk-assessment.toml"),
    file!("templates/statement.toml"),
    file!("templates/vendor.toml"),
    file!("templates/violation.toml"),
];

/// The files a new vault starts with, sorted by path; paths are relative to `policies/`.
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    SHIPPED
}

/// What a file of a policy set governs, in a line.
pub fn governs(path: &str) -> &'static str {
    match path {
        LEVELS => "what the five levels are called, how they are marked, what they ask",
        PURPOSES => "what a note may be opened for",
        RULES => "who may do what",
        SCHEMA => "the facts that a rule may use; belongs to the program",
        CASES => "requests and the decisions that they must get",
        "README.md" => "nothing: a page for whoever reads the policies",
        "retention/classes.toml" => "how long notes are kept, and how long a destruction waits",
        "redaction/template.txt" => "nothing: a profile of one's own begins as a copy of it",
        "rubrics/metrics.toml" => "what `metrics` counts",
        "rubrics/wording.toml" => "how one words what went wrong: no blame, no jargon, no open slot",
        _ if path.starts_with("redaction/") && path.ends_with(".toml") => "what a brief leaves out",
        _ if path.starts_with("templates/") && path.ends_with(".toml") => "what a note made with `--template` asks",
        _ if path.starts_with("rubrics/") && path.ends_with(".toml") => "how grave something is, and what follows",
        _ => "nothing that this version of the program reads",
    }
}

/// The files of a policy set, by path relative to `policies/`. Bounded, paths checked; contents
/// are checked by [`super::PolicySet::load`], those of other concerns by their own rooms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyFiles {
    files: BTreeMap<String, Vec<u8>>,
    digest: Digest,
}

impl PolicyFiles {
    /// The most files in a set.
    pub const MAX_FILES: usize = 64;
    /// The largest file, in bytes.
    pub const MAX_FILE_BYTES: usize = 64 * 1024;
    const MAX_PATH_BYTES: usize = 128;

    /// Takes files in any order; refuses too many, too large, a path twice, and paths that are not a policy's.
    pub fn new<P: Into<String>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> Result<Self, BadPolicy> {
        let mut map = BTreeMap::new();
        for (path, content) in files {
            let (path, content) = (path.into(), content.into());
            Self::check_path(&path)?;
            if content.len() > Self::MAX_FILE_BYTES {
                return Err(BadPolicy::TooLarge {
                    file: path,
                    bytes: content.len(),
                });
            }
            if map.insert(path.clone(), content).is_some() {
                return Err(BadPolicy::Twice(path));
            }
            if map.len() > Self::MAX_FILES {
                return Err(BadPolicy::TooManyFiles(map.len()));
            }
        }
        Ok(Self::of(map))
    }

    fn of(files: BTreeMap<String, Vec<u8>>) -> Self {
        let digest = digest_of(&files);
        Self { files, digest }
    }

    /// Refuses a path that no policy file has.
    pub fn check_path(path: &str) -> Result<(), BadPolicy> {
        let start = path.chars().take(Self::MAX_PATH_BYTES);
        match is_policy_path(path) {
            true => Ok(()),
            false => Err(BadPolicy::BadPath(start.flat_map(char::escape_debug).collect())),
        }
    }

    /// The shipped files.
    pub fn shipped() -> Self {
        let files = shipped().iter();
        Self::of(
            files
                .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
                .collect(),
        )
    }

    /// This set with one file put in or replaced, as an edit leaves it.
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Result<Self, BadPolicy> {
        self.files.remove(path);
        Self::new(self.files.into_iter().chain([(path.to_owned(), content.into())]))
    }

    /// The content of a file.
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Paths and contents, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// The text of a file that every set has.
    pub(super) fn text(&self, path: &'static str) -> Result<&str, BadPolicy> {
        let content = self.content(path).ok_or(BadPolicy::Missing(path))?;
        std::str::from_utf8(content).map_err(|error| {
            let line = 1 + content[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            BadPolicy::wrong(path, Some(line), "not UTF-8 text: save it as UTF-8")
        })
    }

    /// The digest that names this set: SHA-256 over
    ///
    /// ```text
    /// "strongroom/policy-set/v1" 0x00      25 bytes
    /// number of files                      8 bytes, big-endian
    /// for each file, sorted by the bytes of its path:
    ///   length of the path                 8 bytes, big-endian
    ///   path                               UTF-8, relative to `policies/`, `/` between parts
    ///   length of the content              8 bytes, big-endian
    ///   content
    /// ```
    ///
    /// Every file counts, also those of other concerns and those that change no decision.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

fn digest_of(files: &BTreeMap<String, Vec<u8>>) -> Digest {
    let count = length(files.len());
    let lengths: Vec<_> = files.iter().map(|(p, c)| (length(p.len()), length(c.len()))).collect();
    let mut parts: Vec<&[u8]> = vec![b"strongroom/policy-set/v1\0", &count];
    for ((path, content), (path_length, content_length)) in files.iter().zip(&lengths) {
        parts.extend([path_length.as_slice(), path.as_bytes(), content_length, content]);
    }
    sha256(&parts)
}

fn length(n: usize) -> [u8; 8] {
    (n as u64).to_be_bytes()
}

/// Whether a path is one of a policy file: fixed names in the root and in `access/`, any name in the
/// folders of other concerns. One spelling, and nothing that could climb out of `policies/`.
fn is_policy_path(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
    };
    let known = [LEVELS, PURPOSES, RULES, SCHEMA, CASES, "README.md"].contains(&path);
    let elsewhere = ["redaction", "retention", "templates", "rubrics"].iter().any(|folder| {
        path.split_once('/')
            .is_some_and(|(first, rest)| first == *folder && rest.split('/').all(plain))
    });
    path.len() <= PolicyFiles::MAX_PATH_BYTES && (known || elsewhere)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_digest_is_over_the_bytes_its_docstring_spells_out() {
        let files = PolicyFiles::new([("purposes.toml", "b"), ("levels.toml", "a")]).unwrap();
        let mut bytes = b"strongroom/policy-set/v1\0".to_vec();
        assert_eq!(bytes.len(), 25);
        bytes.extend(2u64.to_be_bytes());
        for (path, content) in [("levels.toml", "a"), ("purposes.toml", "b")] {
            bytes.extend((path.len() as u64).to_be_bytes());
            bytes.extend(path.bytes());
            bytes.extend((content.len() as u64).to_be_bytes());
            bytes.extend(content.bytes());
        }
        assert_eq!(files.digest(), sha256(&[&bytes]));
    }

    #[test]
    fn moving_a_byte_between_files_or_names_changes_the_digest() {
        let digest = |files: &[(&str, &str)]| PolicyFiles::new(files.iter().copied()).unwrap().digest();
        let base = digest(&[("redaction/a", "xy"), ("redaction/b", "z")]);
        assert_ne!(base, digest(&[("redaction/a", "x"), ("redaction/b", "yz")]));
        assert_ne!(base, digest(&[("redaction/a", "xy"), ("redaction/bz", "")]));
        assert_ne!(base, digest(&[("redaction/a", "xy")]));
    }

    #[test]
    fn paths_that_are_not_a_policys_are_refused() {
        for bad in [
            "",
            "/levels.toml",
            "Levels.toml",
            "other.toml",
            "access/more.cedar",
            "redaction/../levels.toml",
            "redaction/.hidden",
            "redaction//x",
            "redaction/",
            "redaction",
            "redaction/a b",
            "levels.toml/",
        ] {
            assert_eq!(
                PolicyFiles::new([(bad, "")]),
                Err(BadPolicy::BadPath(bad.to_owned())),
                "{bad:?}"
            );
        }
        assert!(PolicyFiles::new([("redaction/no-names.toml", "")]).is_ok());
        assert!(PolicyFiles::new([(format!("redaction/{}", "x".repeat(200)), "")]).is_err());
    }

    #[test]
    fn sizes_are_bounded() {
        let many = |n| PolicyFiles::new((0..n).map(|i| (format!("rubrics/{i}"), "")));
        assert!(many(64).is_ok());
        assert_eq!(many(65), Err(BadPolicy::TooManyFiles(65)));
        assert!(PolicyFiles::new([("levels.toml", vec![b' '; 64 * 1024])]).is_ok());
        assert!(matches!(
            PolicyFiles::new([("levels.toml", vec![b' '; 64 * 1024 + 1])]),
            Err(BadPolicy::TooLarge { .. })
        ));
        assert_eq!(
            PolicyFiles::new([("levels.toml", "a"), ("levels.toml", "a")]),
            Err(BadPolicy::Twice("levels.toml".into()))
        );
    }

    #[test]
    fn what_is_shipped_is_sorted_and_taken() {
        assert!(shipped().windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(
            PolicyFiles::new(shipped().iter().copied()).unwrap(),
            PolicyFiles::shipped()
        );
    }
}
