//! The files of an export: their names, their digests, and how they come into a folder.

use super::super::attachments::read_content;
use super::super::context::Context;
use super::super::error::{Error, Kind};
use super::super::person::{NewFolder, is_harmful};
use crate::crypto::sha256;
use crate::gate::OpenContent;
use crate::id::Digest;
use crate::ledger::StoredParts;
use crate::transfer::{Archive, Picture};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use zeroize::Zeroizing;

/// The list of all files and their digests, as `sha256sum` reads it, and its signature.
pub(in crate::app) const MANIFEST: &str = "manifest.sha256";
pub(super) const SIGNATURE: &str = "manifest.sha256.sig";
/// The longest notice, in characters.
const NOTICE_MAX: usize = 2000;
/// The longest name that a file gets, in bytes.
const NAME_MAX: usize = 100;

/// What a file is to hold.
enum Content {
    /// These bytes; wiped once written.
    Bytes(Zeroizing<Vec<u8>>),
    /// The attachment whose head has this digest: its content's digest is known before it is read.
    Attached { head: Digest, sha256: Digest },
}

/// Files that are to be written, by their paths below the folder.
#[derive(Default)]
pub(super) struct Files(BTreeMap<String, Content>);

impl Files {
    /// A file of these bytes.
    pub(super) fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        let content = Content::Bytes(Zeroizing::new(bytes.into()));
        self.0.insert(path.into(), content);
    }

    /// A file for the content of an attachment.
    pub(super) fn add_attached(&mut self, path: impl Into<String>, head: Digest, sha256: Digest) {
        self.0.insert(path.into(), Content::Attached { head, sha256 });
    }

    /// Digest and path of each, a line each, in order.
    pub(super) fn manifest(&self) -> String {
        let line = |(path, content): (&String, &Content)| {
            let digest = match content {
                Content::Bytes(bytes) => sha256(&[bytes]),
                Content::Attached { sha256, .. } => *sha256,
            };
            format!("{digest}  {path}\n")
        };
        self.0.iter().map(line).collect()
    }

    /// Writes all that is in memory into an archive, below the folder `below`, and gives back which attachment is to go where.
    pub(super) fn write_archive(
        self,
        archive: &Archive,
        below: &str,
        out: &mut dyn Write,
    ) -> Result<BTreeMap<Digest, String>, Error> {
        let mut attached = BTreeMap::new();
        for (path, content) in self.0 {
            let path = format!("{below}/{path}");
            match content {
                Content::Bytes(bytes) => {
                    begin_archived(archive, &path, bytes.len() as u64, out)?;
                    let written = out.write_all(&bytes);
                    let written = written.and_then(|()| out.write_all(&archive.padding(bytes.len() as u64)));
                    written.map_err(|error| not_written(&path, &error))?;
                }
                Content::Attached { head, .. } => drop(attached.insert(head, path)),
            }
        }
        Ok(attached)
    }

    /// Writes all that is in memory, and gives back which attachment is to go where.
    pub(super) fn write(self, folder: &dyn NewFolder) -> Result<BTreeMap<Digest, String>, Error> {
        let mut attached = BTreeMap::new();
        for (path, content) in self.0 {
            match content {
                Content::Bytes(bytes) => {
                    let written = folder.file(&path)?.write_all(&bytes);
                    written.map_err(|error| not_written(&path, &error))?;
                }
                Content::Attached { head, .. } => drop(attached.insert(head, path)),
            }
        }
        Ok(attached)
    }
}

/// Writes the content of an attachment, verified piece by piece and as a whole.
pub(super) fn write_attached(
    context: &Context<'_>,
    folder: &dyn NewFolder,
    path: &str,
    content: OpenContent,
    parts: StoredParts,
) -> Result<Option<Picture>, Error> {
    let mut file = folder.file(path)?;
    let (mut done, whole) = (0, content.attachment().size);
    let given = read_content(content, parts, &mut |chunk| {
        done += chunk.len() as u64;
        context.person.progress(Some(done), Some(whole));
        file.write_all(chunk).map_err(|error| not_written(path, &error))
    });
    context.person.progress(None, None);
    given
}

/// Writes the content of an attachment into an archive, verified piece by piece and as a whole.
pub(super) fn archive_attached(
    context: &Context<'_>,
    archive: &Archive,
    path: &str,
    content: OpenContent,
    parts: StoredParts,
    out: &mut dyn Write,
) -> Result<Option<Picture>, Error> {
    let (mut done, whole) = (0, content.attachment().size);
    begin_archived(archive, path, whole, out)?;
    let given = read_content(content, parts, &mut |chunk| {
        done += chunk.len() as u64;
        context.person.progress(Some(done), Some(whole));
        out.write_all(chunk).map_err(|error| not_written(path, &error))
    });
    context.person.progress(None, None);
    let picture = given?;
    out.write_all(&archive.padding(whole))
        .map_err(|error| not_written(path, &error))?;
    Ok(picture)
}

fn begin_archived(archive: &Archive, path: &str, size: u64, out: &mut dyn Write) -> Result<(), Error> {
    let header = archive.header(path, size);
    let header = header.map_err(|bad| Error::new(Kind::Failed, format!("`{path}` cannot be archived: {bad}")))?;
    out.write_all(&header).map_err(|error| not_written(path, &error))
}

fn not_written(path: &str, error: &std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("`{path}` cannot be written: {error}")).hint("nothing of it was kept")
}

/// A name that any system takes for a plain file's, and that none of `taken` has, whatever case they are compared in. Who
/// chose `name` chooses no folder, hides nothing and shows itself as it is.
pub(super) fn plain_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = |c: char| match c.is_control() || is_harmful(c) || "/\\:*?\"<>|".contains(c) {
        true => '_',
        false => c,
    };
    let mut plain: String = name.chars().map(plain).collect();
    if plain.starts_with(['.', '-', ' ', '~']) {
        plain.replace_range(..1, "_");
    }
    while plain.ends_with(['.', ' ']) {
        plain.pop();
    }
    if plain.is_empty() {
        plain = "unnamed".to_owned();
    }
    let (stem, end) = match plain.rsplit_once('.') {
        Some((stem, end)) if end.len() <= 10 => (stem.to_owned(), format!(".{end}")),
        _ => (plain, String::new()),
    };
    let device = stem.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |of: &str| {
        device
            .strip_prefix(of)
            .is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    let reserved = ["CON", "PRN", "AUX", "NUL"].contains(&device.as_str()) || numbered("COM") || numbered("LPT");
    let stem = if reserved { format!("_{stem}") } else { stem };
    let short = |room: usize| {
        let cut = (0..=room.min(stem.len())).rev().find(|at| stem.is_char_boundary(*at));
        &stem[..cut.unwrap_or(0)]
    };
    let mut n = 1u64;
    loop {
        let number = if n == 1 { String::new() } else { format!("-{n}") };
        let room = NAME_MAX.saturating_sub(number.len() + end.len());
        let found = format!("{}{number}{end}", short(room));
        if taken.insert(found.to_lowercase()) {
            return found;
        }
        n += 1;
    }
}

/// A text with words in the place of their names. What stands in a word stays as it is.
pub(super) fn filled(text: &str, words: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match words.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, word)) => {
                out.push_str(word);
                rest = &rest[name.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// What somebody wrote, on one line of a text for people.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_harmful(*c)).collect()
}

pub(super) fn number_of(count: usize, of: &str) -> String {
    match count {
        1 => format!("1 {of}"),
        several => format!("{several} {of}s"),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON that a person can read too.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Refuses what cannot stand first in a text for people.
pub(super) fn check_notice(notice: Option<&str>) -> Result<(), Error> {
    let wrong = |notice: &str| {
        notice.trim().is_empty() || notice.chars().count() > NOTICE_MAX || notice.chars().any(is_harmful)
    };
    match notice.is_some_and(wrong) {
        true => Err(Error::new(
            Kind::Usage,
            format!("a notice has 1 to {NOTICE_MAX} characters and no control characters; nothing was written"),
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_and_nobody_else_s() {
        let mut taken = BTreeSet::new();
        for (name, plain) in [
            ("visitors.csv", "visitors.csv"),
            ("Visitors.CSV", "Visitors-2.CSV"),
            ("visitors.csv", "visitors-3.csv"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            (".profile", "_profile"),
            ("-rf", "_rf"),
            ("", "unnamed"),
            ("...", "_"),
            ("con.txt", "_con.txt"),
            ("lpt1", "_lpt1"),
            ("a\nb\u{202e}fdp.exe", "a_b_fdp.exe"),
            ("C:\\x", "C__x"),
            ("trailing. ", "trailing"),
            ("Überwachung 1.mp4", "Überwachung 1.mp4"),
        ] {
            assert_eq!(plain_name(name, &mut taken), plain, "{name:?}");
        }
        for _ in 0..12 {
            let long = plain_name(&format!("{}.jpeg", "ü".repeat(99)), &mut taken);
            assert!(long.len() <= NAME_MAX && long.ends_with(".jpeg"), "{long}");
        }
    }

    #[test]
    fn a_manifest_names_files_in_order_and_an_attachment_by_what_it_holds() {
        let mut files = Files::default();
        files.add("b", "two");
        files.add_attached("a/x.bin", Digest([1; 32]), sha256(&[b"content"]));
        let wanted = format!("{}  a/x.bin\n{}  b\n", sha256(&[b"content"]), sha256(&[b"two"]));
        assert_eq!(files.manifest(), wanted);
    }

    #[test]
    fn a_word_is_put_in_once_and_its_own_braces_stay() {
        let words = [("{a}", "{b}".to_owned()), ("{b}", "x".to_owned())];
        assert_eq!(filled("{a} {b} {c} {", &words), "{b} x {c} {");
    }

    #[test]
    fn a_notice_is_plain_text_of_some_length() {
        assert!(check_notice(None).is_ok() && check_notice(Some("No redisclosure.\nSee 42 CFR part 2.")).is_ok());
        for bad in ["", " ", "a\u{1b}[2J", "\u{202e}a", &"a".repeat(NOTICE_MAX + 1)] {
            assert!(check_notice(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
