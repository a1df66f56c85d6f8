//! The files of an export: their names, their digests, and how they come into a folder.

use super::super::attachments::read_content;
use super::super::context::Context;
use super::super::error::{Error, Kind};
use super::super::person::{NewFolder, is_harmful};
use crate::crypto::sha256;
use crate::gate::OpenContent;
use crate::id::Digest;
use crate::ledger::StoredParts;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use zeroize::Zeroizing;

/// The list of all files and their digests, as `sha256sum` reads it, and its signature.
pub(super) const MANIFEST: &str = "manifest.sha256";
pub(super) const SIGNATURE: &str = "manifest.sha256.sig";
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
) -> Result<(), Error> {
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

/// A row of a table that spreadsheets read (RFC 4180). What one of them would take for a formula is told as text.
pub(super) fn csv_row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cell = |cell: &str| {
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            "'"
        } else {
            ""
        };
        let cell = format!("{guard}{cell}");
        match cell.contains(['"', ',', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell,
        }
    };
    format!("{}\r\n", cells.into_iter().map(cell).collect::<Vec<_>>().join(","))
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
    fn a_row_says_what_its_cells_say_and_calculates_nothing() {
        let row = csv_row(["a", "say \"no\", twice", "=1+1", "@x", "-3", "", "é"]);
        assert_eq!(row, "a,\"say \"\"no\"\", twice\",'=1+1,'@x,'-3,,é\r\n");
    }

    #[test]
    fn a_manifest_names_files_in_order_and_an_attachment_by_what_it_holds() {
        let mut files = Files::default();
        files.add("b", "two");
        files.add_attached("a/x.bin", Digest([1; 32]), sha256(&[b"content"]));
        let wanted = format!("{}  a/x.bin\n{}  b\n", sha256(&[b"content"]), sha256(&[b"two"]));
        assert_eq!(files.manifest(), wanted);
    }
}
