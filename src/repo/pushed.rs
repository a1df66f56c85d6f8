//! What stock git asks a hook about before it takes a push: which refs are to move, and how the repository would be then.
//!
//! Until the hook has said yes, git keeps what arrived apart from the repository's own objects. A [`Preview`] borrows both,
//! and has the branches as they would be; it holds no objects of its own, and goes away when it is dropped.

use super::git::{Repo, Settings};
use super::object::Oid;
use super::remote::{git_looks_elsewhere, room_for_arrivals};
use super::staging::{ALTERNATES, CONFIG, lent_by};
use crate::env::read_bounded;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The most that git may say of refs that are pushed, in bytes: some 20,000 of them.
pub const PUSHED_MAX: usize = 3 << 20;
/// How deep, and how many, files are counted among what arrived.
const DEPTH_MAX: usize = 4;
const FILES_MAX: usize = 1 << 20;
/// The largest configuration of a repository that is looked at, in bytes.
const CONFIG_MAX: u64 = 1 << 20;

/// A ref that is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its full name.
    pub name: String,
    /// Where it stands by the word of whoever pushes; none: nowhere.
    pub old: Option<Oid>,
    /// Where it is to be; none: it is to be gone.
    pub new: Option<Oid>,
}

/// What was read is not what git gives a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not what git gives a pre-receive hook: {0}")]
pub struct BadPush(&'static str);

/// Reads what git gives a pre-receive hook: lines of the old id, the new id and the name. Strict.
pub fn parse_pushed(text: &[u8]) -> Result<Vec<Pushed>, BadPush> {
    if text.len() > PUSHED_MAX {
        return Err(BadPush("it is too long"));
    }
    let mut found: BTreeMap<String, Pushed> = BTreeMap::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").ok_or(BadPush("its last line does not end"))?;
        let mut words = line.splitn(3, |byte| *byte == b' ');
        let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) else {
            return Err(BadPush("a line has not three parts"));
        };
        let name = std::str::from_utf8(name).map_err(|_| BadPush("the name of a ref is no text"))?;
        if !name.starts_with("refs/") || !git2::Reference::is_valid_name(name) {
            return Err(BadPush("the name of a ref is none"));
        }
        let pushed = Pushed {
            name: name.to_owned(),
            old: parse_id(old)?,
            new: parse_id(new)?,
        };
        if found.insert(name.to_owned(), pushed).is_some() {
            return Err(BadPush("a ref stands in it twice"));
        }
    }
    Ok(found.into_values().collect())
}

/// An id, which is all zeros for none.
fn parse_id(hex: &[u8]) -> Result<Option<Oid>, BadPush> {
    let text = std::str::from_utf8(hex).map_err(|_| BadPush("an id is not hex"))?;
    if text.len() == 64 {
        return Err(BadPush("its ids are of another kind (SHA-256) than a vault's"));
    }
    let oid: Oid = text.parse().map_err(|_| BadPush("an id is not 40 hex digits"))?;
    Ok((oid != Oid([0; 20])).then_some(oid))
}

/// Where git runs a hook: the repository, and where it put what arrived.
pub struct Doorway {
    dir: PathBuf,
    arrived: Option<PathBuf>,
    /// Folders of objects: what arrived, the repository's own, and what that borrows.
    lenders: Vec<PathBuf>,
}

impl Doorway {
    /// As git's variables say.
    pub fn of_this_run() -> io::Result<Self> {
        let path = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let dir = path("GIT_DIR").unwrap_or_else(|| PathBuf::from("."));
        let borrowed = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
        // One in quotation marks is the repository's own, or its objects are told as missing.
        let borrowed = borrowed.as_bytes().split(|byte| *byte == b':');
        let borrowed = borrowed.filter(|path| path.starts_with(b"/"));
        let others = path("GIT_OBJECT_DIRECTORY").into_iter();
        let others = others.chain(borrowed.map(|path| PathBuf::from(OsStr::from_bytes(path))));
        Self::new(&dir, path("GIT_QUARANTINE_PATH"), others)
    }

    /// Of a repository, for which something arrived in another folder of objects.
    pub fn at(dir: &Path, arrived: &Path) -> io::Result<Self> {
        Self::new(dir, Some(arrived.to_owned()), std::iter::empty())
    }

    fn new(dir: &Path, arrived: Option<PathBuf>, others: impl Iterator<Item = PathBuf>) -> io::Result<Self> {
        let dir = dir.canonicalize()?;
        let arrived = arrived.map(|path| path.canonicalize()).transpose()?;
        let mut lenders: Vec<PathBuf> = Vec::new();
        let own = dir.join("objects").canonicalize()?;
        let others = others.filter_map(|path| path.canonicalize().ok());
        for folder in arrived.clone().into_iter().chain([own]).chain(others) {
            if !lenders.contains(&folder) {
                lenders.push(folder);
            }
        }
        Ok(Self { dir, arrived, lenders })
    }

    /// The repository's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How many bytes arrived and how many may, where they are too many: as everywhere, what comes must fit twice.
    pub fn too_much(&self) -> io::Result<Option<(u64, u64)>> {
        let Some(arrived) = &self.arrived else { return Ok(None) };
        let (size, room) = (size_below(arrived)?, room_for_arrivals(arrived)?.saturating_mul(2));
        Ok((size > room).then_some((size, room)))
    }

    /// The repository as it would be with these branches, given by their full names, and no others.
    pub fn preview(&self, branches: &BTreeMap<String, Oid>, settings: Settings) -> io::Result<Preview> {
        let folder = tempfile::Builder::new().prefix("strongroom-guard-").tempdir()?;
        let dir = folder.path();
        for name in ["refs/heads", "objects/info", "objects/pack"] {
            fs::create_dir_all(dir.join(name))?;
        }
        let mut refs = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        refs.extend(branches.iter().map(|(name, oid)| format!("{oid} {name}\n")));
        fs::write(dir.join("HEAD"), "ref: refs/heads/main\n")?;
        fs::write(dir.join("config"), CONFIG)?;
        fs::write(dir.join("packed-refs"), refs)?;
        fs::write(dir.join(ALTERNATES), lent_by(&self.lenders)?)?;
        let repo = Repo::open_to_verify(dir, settings).map_err(|error| io::Error::other(error.to_string()))?;
        let repo = repo.lent(self.lenders.clone()).with_packs();
        Ok(Preview { repo, _folder: folder })
    }
}

/// A repository as it would be.
pub struct Preview {
    repo: Repo,
    _folder: tempfile::TempDir,
}

impl Preview {
    /// To read it.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }
}

/// How many bytes lie below a folder of objects.
fn size_below(folder: &Path) -> io::Result<u64> {
    let (mut size, mut files) = (0u64, 0);
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            files += 1;
            if files > FILES_MAX {
                return Ok(u64::MAX);
            }
            match entry.file_type()?.is_dir() && depth < DEPTH_MAX {
                true => folders.push((entry.path(), depth + 1)),
                false => size = size.saturating_add(entry.metadata()?.len()),
            }
        }
    }
    Ok(size)
}

/// Where the hooks of a repository are, if its own configuration, this account's and the computer's leave them there.
pub fn hooks_folder(dir: &Path) -> io::Result<PathBuf> {
    let config = read_bounded(&dir.join("config"), CONFIG_MAX).map_err(|error| io::Error::other(error.to_string()))?;
    let text = String::from_utf8_lossy(&config).to_lowercase();
    match text.contains("hookspath") || git_looks_elsewhere(dir)? {
        true => Err(io::Error::other(
            "the configuration says that its hooks lie elsewhere (`core.hooksPath`)",
        )),
        false => Ok(dir.join("hooks")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_git_gives_a_hook_is_read_strictly() {
        let (none, one) = ("0".repeat(40), "1".repeat(40));
        let text = format!("{none} {one} refs/heads/main\n{one} {none} refs/tags/x\n");
        let pushed = parse_pushed(text.as_bytes()).unwrap();
        let of = |name: &str, old, new| Pushed {
            name: name.to_owned(),
            old,
            new,
        };
        let oid = one.parse().ok();
        assert_eq!(pushed, [of("refs/heads/main", None, oid), of("refs/tags/x", oid, None)]);
        assert_eq!(parse_pushed(b""), Ok(Vec::new()));
        for bad in [
            format!("{none} {one} refs/heads/main"),
            format!("{none} {one}\n"),
            format!("{none}\t{one}\trefs/heads/main\n"),
            format!("{none} {one} main\n"),
            format!("{none} {one} refs/heads/a..b\n"),
            format!("{none} {one} refs/heads/a b\n"),
            format!("{none} {} refs/heads/main\n", "1".repeat(64)),
            format!("{none} {} refs/heads/main\n", "G".repeat(40)),
            format!("{none} {one} refs/heads/main\n").repeat(2),
            "\n".repeat(PUSHED_MAX + 1),
        ] {
            assert!(parse_pushed(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse_pushed(&[format!("{none} {one} refs/heads/").as_bytes(), b"\xff\n"].concat()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_pushed(&bytes);
        }
    }
}
