//! `purposes.toml`: what a note may be opened for.

use super::error::{BadPolicy, line_with, read_toml};
use super::files::PURPOSES;
use serde::Deserialize;

/// One purpose.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Purpose {
    /// What is typed and logged: lower-case letters, digits and single hyphens, at most 32.
    pub code: String,
    /// What it means, in a line.
    pub description: String,
    /// Whether it is an emergency, in which the glass may be broken.
    #[serde(default)]
    pub emergency: bool,
}

/// The purposes of a vault, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Purposes(Vec<Purpose>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    #[serde(default)]
    purpose: Vec<Purpose>,
}

impl Purposes {
    /// The most purposes in a file.
    pub const MAX: usize = 64;

    /// Reads `purposes.toml`, strictly: 1 to 64 purposes, codes well formed and unique, descriptions of one line.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        let file: File = read_toml(PURPOSES, text)?;
        if !(1..=Self::MAX).contains(&file.purpose.len()) {
            let found = file.purpose.len();
            let reason = format!("there are 1 to {} purposes, this file has {found}", Self::MAX);
            return Err(BadPolicy::wrong(PURPOSES, None, reason));
        }
        for (place, purpose) in file.purpose.iter().enumerate() {
            let code = &purpose.code;
            let wrong = |reason: String| BadPolicy::wrong(PURPOSES, line_with(text, &format!("\"{code}\"")), reason);
            if !is_code(code) {
                return Err(wrong(format!(
                    "`{}` is not a code: lower-case letters, digits and single hyphens, at most 32",
                    code.escape_debug()
                )));
            }
            if file.purpose[..place].iter().any(|other| other.code == *code) {
                return Err(wrong(format!("`{code}` stands twice")));
            }
            if !is_line(&purpose.description) {
                return Err(wrong(format!(
                    "the description of `{code}` must be one line of 1 to 200 characters"
                )));
            }
        }
        Ok(Self(file.purpose))
    }

    /// The purpose with this code; codes have one spelling.
    pub fn by_code(&self, code: &str) -> Option<&Purpose> {
        self.0.iter().find(|purpose| purpose.code == code)
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Purpose> {
        self.0.iter()
    }
}

/// A code: lower-case letters, digits and single hyphens between them, at most 32 characters.
pub(super) fn is_code(text: &str) -> bool {
    text.len() <= 32
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// One line in words: 1 to 200 characters, none of them a control character.
pub(super) fn is_line(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_shipped_purposes_are_these() {
        let purposes = Purposes::parse(include_str!("../../policies/purposes.toml")).unwrap();
        let codes: Vec<_> = purposes.iter().map(|purpose| purpose.code.as_str()).collect();
        assert_eq!(
            codes,
            [
                "duty",
                "handover",
                "investigation",
                "client-request",
                "safety",
                "legal",
                "review",
                "audit",
                "erasure"
            ]
        );
        assert!(purposes.by_code("duty").is_some());
        assert!(purposes.by_code("Duty").is_none());
    }

    #[test]
    fn faulty_files_are_refused_with_their_line() {
        let one = |code: &str, text: &str| format!("[[purpose]]\ncode = \"{code}\"\ndescription = \"{text}\"\n");
        let reason = |text: &str| Purposes::parse(text).expect_err("taken").to_string();
        assert!(reason("").contains("this file has 0"));
        assert!(reason(&(one("a", "x") + &one("a", "x"))).contains("`a` stands twice"));
        for bad in ["", "A", "a--b", "-a", "a b", &"a".repeat(33)] {
            assert!(
                reason(&one(bad, "x")).starts_with("`purposes.toml`, line 2: "),
                "{bad:?}"
            );
        }
        assert!(reason(&one("a", "")).contains("one line"));
        assert!(reason(&(one("a", "x") + "colour = 1")).starts_with("`purposes.toml`, line 4: "));
        let many: String = (0..65).map(|n| one(&format!("c{n}"), "x")).collect();
        assert!(reason(&many).contains("this file has 65"));
    }
}
