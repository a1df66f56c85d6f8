//! Git's objects as values: ids, kinds, commits as bytes. No file is touched here.

use sha1::{Digest as _, Sha1};
use std::fmt;
use std::str::FromStr;

/// The id of a git object: the SHA-1 of its kind, size and bytes. It names; it proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub [u8; 20]);

/// The text is not an object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an object id: it takes 40 lower-case hex digits")]
pub struct BadOid(String);

impl Oid {
    /// The id that git gives an object of this kind and content.
    pub fn hash_object(kind: Kind, bytes: &[u8]) -> Self {
        let mut sum = Sha1::new_with_prefix(kind.word());
        sum.update(format!(" {}\0", bytes.len()));
        sum.update(bytes);
        Self(sum.finalize().into())
    }

    pub(super) fn to_git(self) -> Result<git2::Oid, git2::Error> {
        git2::Oid::from_bytes(&self.0)
    }

    pub(super) fn from_git(oid: git2::Oid) -> Self {
        let mut bytes = [0; 20];
        bytes.copy_from_slice(oid.as_bytes());
        Self(bytes)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 40];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}
impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Oid {
    type Err = BadOid;
    fn from_str(text: &str) -> Result<Self, BadOid> {
        let bad = || BadOid(text.chars().take(80).collect());
        if text.len() != 40 {
            return Err(bad());
        }
        let mut oid = [0; 20];
        for (slot, pair) in oid.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let nibble = |digit: u8| match digit {
                b'0'..=b'9' => Ok(digit - b'0'),
                b'a'..=b'f' => Ok(digit - b'a' + 10),
                _ => Err(bad()),
            };
            *slot = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(oid))
    }
}

/// The kinds of object a vault holds; annotated tags are not among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Bytes.
    Blob = 1,
    /// A folder.
    Tree = 2,
    /// A point in history.
    Commit = 3,
}

impl Kind {
    /// As git writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
        }
    }

    pub(super) fn to_git(self) -> git2::ObjectType {
        match self {
            Self::Blob => git2::ObjectType::Blob,
            Self::Tree => git2::ObjectType::Tree,
            Self::Commit => git2::ObjectType::Commit,
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        [Self::Blob, Self::Tree, Self::Commit]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// An object that is to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its content, without git's header.
    pub bytes: Vec<u8>,
}

impl Object {
    /// A blob of these bytes.
    pub fn blob(bytes: Vec<u8>) -> Self {
        let kind = Kind::Blob;
        Self { kind, bytes }
    }

    /// A commit of these bytes, as [`commit_bytes`] makes them.
    pub fn commit(bytes: Vec<u8>) -> Self {
        let kind = Kind::Commit;
        Self { kind, bytes }
    }

    /// Its id.
    pub fn oid(&self) -> Oid {
        Oid::hash_object(self.kind, &self.bytes)
    }
}

/// A commit cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCommit {
    /// The author line.
    #[error("an author is written `NAME <MAIL> SECONDS +0000` on one line: `{0}` is not")]
    Author(String),
    /// A signature with an empty line would end the headers.
    #[error("a commit's signature may not contain empty lines or zero bytes")]
    Signature,
    /// A zero byte would hide what follows from some programs.
    #[error("a commit may not contain zero bytes")]
    Zero,
    /// The bytes are not a commit as git writes them.
    #[error("not a commit: {0}")]
    Malformed(&'static str),
}

/// The bytes of a commit. `author` (also the committer) is `NAME <MAIL> SECONDS ±HHMM`; the
/// message is taken as it is. To sign: make the bytes without `gpgsig`, sign them, make them
/// again with the armoured signature: git checks it against the bytes without that header.
pub fn commit_bytes(
    tree: Oid,
    parents: &[Oid],
    author: &str,
    message: &str,
    gpgsig: Option<&str>,
) -> Result<Vec<u8>, BadCommit> {
    if !is_author(author) {
        return Err(BadCommit::Author(author.chars().take(120).collect()));
    }
    if message.contains('\0') {
        return Err(BadCommit::Zero);
    }
    let mut text = format!("tree {tree}\n");
    for parent in parents {
        text.push_str(&format!("parent {parent}\n"));
    }
    text.push_str(&format!("author {author}\ncommitter {author}\n"));
    if let Some(signature) = gpgsig {
        let signature = signature.strip_suffix('\n').unwrap_or(signature);
        let empty_line = signature.split('\n').any(str::is_empty);
        if empty_line || signature.contains(['\0', '\r']) {
            return Err(BadCommit::Signature);
        }
        text.push_str(&format!("gpgsig {}\n", signature.replace('\n', "\n ")));
    }
    text.push('\n');
    text.push_str(message);
    Ok(text.into_bytes())
}

/// `NAME <MAIL> SECONDS ±HHMM`, each part plain: git takes no other from elsewhere, and so a vault that held one could not be
/// cloned.
fn is_author(line: &str) -> bool {
    let plain = |text: &str| !text.contains(['<', '>', '\n', '\0']);
    let Some((name, rest)) = line.split_once(" <") else {
        return false;
    };
    let Some((mail, when)) = rest.split_once("> ") else {
        return false;
    };
    let Some((seconds, zone)) = when.split_once(' ') else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let offset = zone.strip_prefix(['+', '-']);
    !name.is_empty()
        && plain(name)
        && plain(mail)
        && digits(seconds)
        && seconds.len() <= 12
        && (seconds == "0" || !seconds.starts_with('0'))
        && offset.is_some_and(|offset| offset.len() == 4 && digits(offset))
}

/// A commit, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Its root folder.
    pub tree: Oid,
    /// What it follows; none for a root.
    pub parents: Vec<Oid>,
    /// The author line.
    pub author: String,
    /// The committer line.
    pub committer: String,
    /// The armoured signature, if there is one, with a newline at its end.
    pub gpgsig: Option<String>,
    /// The message, as it stands.
    pub message: String,
    /// The bytes the signature is over: the commit without its `gpgsig` header.
    pub signed: Vec<u8>,
}

impl Commit {
    /// Takes a commit apart. The headers are `tree`, `parent`…, `author`, `committer`, and then
    /// any others once each, of which only `gpgsig` is looked at; all of it is UTF-8 without zero
    /// bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadCommit> {
        use BadCommit::Malformed;
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed("it is not UTF-8"))?;
        if text.contains('\0') {
            return Err(BadCommit::Zero);
        }
        let oid = |text: &str| text.parse::<Oid>().map_err(|_| Malformed("an object id is not one"));

        let mut rest = text;
        let tree = oid(take(&mut rest, "tree ").ok_or(Malformed("the first line is not its tree"))?)?;
        let mut parents = Vec::new();
        while let Some(parent) = take(&mut rest, "parent ") {
            parents.push(oid(parent)?);
        }
        let author = take(&mut rest, "author ").ok_or(Malformed("the author is missing"))?;
        let committer = take(&mut rest, "committer ").ok_or(Malformed("the committer is missing"))?;
        if !is_author(author) || !is_author(committer) {
            return Err(Malformed("its author or its committer is none"));
        }

        let (mut gpgsig, mut signed) = (None, text[..text.len() - rest.len()].to_owned());
        loop {
            let (line, after) = rest.split_once('\n').ok_or(Malformed("its headers do not end"))?;
            if line.is_empty() {
                break;
            }
            // A header goes on over the lines that begin with a space.
            let mut whole = line.len() + 1;
            let mut value = line.split_once(' ').map_or("", |(_, value)| value).to_owned();
            let mut tail = after;
            while tail.starts_with(' ') {
                let (line, after) = tail.split_once('\n').ok_or(Malformed("its headers do not end"))?;
                value.push('\n');
                value.push_str(&line[1..]);
                whole += line.len() + 1;
                tail = after;
            }
            if line.starts_with("gpgsig ") {
                value.push('\n');
                if gpgsig.replace(value).is_some() {
                    return Err(Malformed("it has two signatures"));
                }
            } else {
                signed.push_str(&rest[..whole]);
            }
            rest = tail;
        }
        signed.push_str(rest);
        Ok(Self {
            tree,
            parents,
            author: author.to_owned(),
            committer: committer.to_owned(),
            gpgsig,
            message: rest[1..].to_owned(),
            signed: signed.into_bytes(),
        })
    }
}

/// Takes the line that begins with `name` off `rest` and gives what follows the name.
fn take<'a>(rest: &mut &'a str, name: &str) -> Option<&'a str> {
    let (line, after) = rest.split_once('\n')?;
    let value = line.strip_prefix(name)?;
    *rest = after;
    Some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const AUTHOR: &str = "device 00 <00@vault.invalid> 1767225600 +0000";

    #[test]
    fn ids_are_gits() {
        // `git hash-object` over these.
        let blob = Object::blob(b"hello\n".to_vec());
        assert_eq!(blob.oid().to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        let empty = Oid::hash_object(Kind::Tree, b"");
        assert_eq!(empty.to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        assert_eq!(empty.to_string().parse::<Oid>().unwrap(), empty);
        assert!("4B825dc642cb6eb9a060e54bf8d69288fbee4904".parse::<Oid>().is_err());
    }

    #[test]
    fn what_would_break_out_of_its_header_is_refused() {
        let make = |author: &str, message: &str, signature| commit_bytes(Oid([1; 20]), &[], author, message, signature);
        assert!(make(AUTHOR, "", None).is_ok());
        for bad in [
            "",
            "x",
            "a <b> 1",
            "a <b> x +0000",
            "a <b\n> 1 +0000",
            "a <b> 1 +0000\ngpgsig x",
            "a <b> 1 0000",
            "a <b> 01 +0000",
            " <b> 1 +0000",
        ] {
            assert!(make(bad, "", None).is_err(), "{bad:?}");
            let lines = |author: &str, committer: &str| {
                format!("tree {}\nauthor {author}\ncommitter {committer}\n\n", Oid([1; 20]))
            };
            assert!(Commit::parse(lines(AUTHOR, AUTHOR).as_bytes()).is_ok());
            // Behind the end of a line stands another header, or none.
            for bad in [lines(bad, AUTHOR), lines(AUTHOR, bad)]
                .iter()
                .filter(|_| !bad.contains('\n'))
            {
                assert!(Commit::parse(bad.as_bytes()).is_err(), "{bad:?}");
            }
        }
        assert_eq!(make(AUTHOR, "a\0b", None), Err(BadCommit::Zero));
        for bad in ["", "a\n\nb", "a\0"] {
            assert_eq!(make(AUTHOR, "", Some(bad)), Err(BadCommit::Signature), "{bad:?}");
        }
    }

    #[test]
    fn other_headers_stay_under_the_signature() {
        let text = format!(
            "tree {}\nauthor {AUTHOR}\ncommitter {AUTHOR}\nencoding x\ngpgsig A\n B\nother y\n z\n\nmessage\n",
            Oid([7; 20])
        );
        let commit = Commit::parse(text.as_bytes()).unwrap();
        assert_eq!(commit.gpgsig.as_deref(), Some("A\nB\n"));
        assert_eq!(commit.message, "message\n");
        assert_eq!(commit.signed, text.replace("gpgsig A\n B\n", "").into_bytes());
        let twice = text.replace("gpgsig A\n B\n", "gpgsig A\ngpgsig B\n");
        assert!(Commit::parse(twice.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn a_commit_comes_back_as_it_was(
            parents in proptest::collection::vec(any::<[u8; 20]>().prop_map(Oid), 0..3),
            message in "[^\0]{0,60}",
            signature in proptest::option::of("[a-zA-Z+/=-]{1,20}(\n[a-zA-Z+/ =-]{1,20}){0,3}"),
        ) {
            let make = |gpgsig| commit_bytes(Oid([9; 20]), &parents, AUTHOR, &message, gpgsig).unwrap();
            let commit = Commit::parse(&make(signature.as_deref())).unwrap();
            prop_assert_eq!(&commit.parents, &parents);
            prop_assert_eq!(&commit.message, &message);
            prop_assert_eq!(commit.gpgsig, signature.as_deref().map(|text| format!("{text}\n")));
            prop_assert_eq!(commit.signed, make(None));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..300) {
            let _ = Commit::parse(&bytes);
            let good = commit_bytes(Oid([9; 20]), &[Oid([1; 20])], AUTHOR, "m", Some("a\nb")).unwrap();
            let _ = Commit::parse(&good[..cut.min(good.len())]);
        }
    }
}
