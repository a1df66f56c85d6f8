//! What lies in a folder of the person's: looked at through its open file, so that no symbolic link on the way below it is
//! followed, also one that is put there meanwhile.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use std::fs::File;
use std::io;

/// How deep folders are looked into.
const DEPTH_MAX: usize = 32;

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FoundKind {
    /// A plain file of so many bytes.
    File(u64),
    /// A symbolic link.
    Link,
    /// A file or folder whose name begins with a dot.
    Hidden,
    /// A name that is no text.
    NoText,
    /// A folder that is too deep.
    Deep,
    /// A pipe, a socket, a device.
    Other,
}

/// A thing in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundBelow {
    /// Its path below the folder, with `/` between its parts; what is no text of it is replaced.
    pub path: String,
    /// What it is.
    pub kind: FoundKind,
}

/// Everything in a folder and in those below it, at most `max` things, in order of their paths.
pub fn list_below(folder: &File, max: usize) -> io::Result<Vec<FoundBelow>> {
    let mut found = Vec::new();
    // Paths, and no open folders: there may be more of them side by side than a program may hold open.
    let mut folders = vec![(String::new(), 0)];
    while let Some((prefix, depth)) = folders.pop() {
        let folder = open_folder(folder, prefix.split_terminator('/'))?;
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if [&b"."[..], b".."].contains(&name.to_bytes()) {
                continue;
            }
            let path = format!("{prefix}{}", name.to_string_lossy());
            let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                _ if name.to_bytes().starts_with(b".") => Some(FoundKind::Hidden),
                _ if name.to_str().is_err() => Some(FoundKind::NoText),
                FileType::RegularFile => Some(FoundKind::File(u64::try_from(stat.st_size).unwrap_or_default())),
                FileType::Symlink => Some(FoundKind::Link),
                FileType::Directory if depth >= DEPTH_MAX => Some(FoundKind::Deep),
                FileType::Directory => None,
                _ => Some(FoundKind::Other),
            };
            match kind {
                Some(kind) => found.push(FoundBelow { path, kind }),
                None => folders.push((format!("{path}/"), depth + 1)),
            }
            if found.len() + folders.len() > max {
                return Err(io::Error::other(format!("it holds more than {max} files")));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// How a folder on the way is opened.
const WITHIN: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Opens the folder at the end of these names below a folder, one after the other: each is looked up in the one before it,
/// so that a link that somebody puts on the way leads nowhere.
fn open_folder<'n>(folder: &File, names: impl Iterator<Item = &'n str>) -> io::Result<File> {
    let mut at = File::from(openat(folder, ".", WITHIN, Mode::empty())?);
    for name in names {
        at = File::from(openat(&at, name, WITHIN, Mode::empty())?);
    }
    Ok(at)
}

/// Opens a plain file at a path below a folder.
pub fn open_below(folder: &File, path: &str) -> io::Result<File> {
    let (folders, name) = path
        .rsplit_once('/')
        .map_or((None, path), |(on_the_way, name)| (Some(on_the_way), name));
    for part in folders.into_iter().flat_map(|folders| folders.split('/')).chain([name]) {
        if part.is_empty() || part == "." || part == ".." {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
    }
    let within = open_folder(folder, folders.into_iter().flat_map(|folders| folders.split('/')))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(openat(&within, name, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a plain file")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn what_lies_below_is_found_and_no_link_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let at = |below: &str| home.path().join("notes").join(below);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::create_dir_all(at(".git")).unwrap();
        std::fs::create_dir_all(home.path().join("outside")).unwrap();
        std::fs::write(home.path().join("outside/secret.md"), "x").unwrap();
        std::fs::write(at("a/b/one.md"), "one").unwrap();
        std::fs::write(at("two.md"), "").unwrap();
        std::fs::write(at("").join(std::ffi::OsStr::from_bytes(b"\xff.md")), "").unwrap();
        std::os::unix::fs::symlink("two.md", at("link.md")).unwrap();
        std::os::unix::fs::symlink("../../outside", at("a/out")).unwrap();
        let folder = File::open(at("")).unwrap();
        let found = list_below(&folder, 100).unwrap();
        let kind = |path: &str| found.iter().find(|found| found.path == path).map(|found| found.kind);
        assert_eq!(kind("a/b/one.md"), Some(FoundKind::File(3)));
        assert_eq!(kind("two.md"), Some(FoundKind::File(0)));
        assert_eq!(
            (kind("link.md"), kind("a/out")),
            (Some(FoundKind::Link), Some(FoundKind::Link))
        );
        assert_eq!(kind(".git"), Some(FoundKind::Hidden));
        assert_eq!(kind("\u{fffd}.md"), Some(FoundKind::NoText));
        assert!(list_below(&folder, 3).is_err());
        let mut text = String::new();
        open_below(&folder, "a/b/one.md")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "one");
        for bad in [
            "link.md",
            "a/out/secret.md",
            "a",
            "a/../two.md",
            "/etc/passwd",
            "",
            "a//b/one.md",
            "none",
        ] {
            assert!(open_below(&folder, bad).is_err(), "{bad}");
        }
    }

    /// The limit is the child's alone: this test runs itself once more under it.
    #[test]
    fn more_folders_than_may_be_open_are_looked_into() {
        const BELOW: &str = "STRONGROOM_TEST_BELOW";
        if let Some(path) = std::env::var_os(BELOW) {
            let found = list_below(&File::open(path).unwrap(), 2000).unwrap();
            let paths: Vec<_> = found.iter().map(|found| found.path.as_str()).collect();
            let deep = format!("deep/{}", ["d"; DEPTH_MAX].join("/"));
            let side_by_side = (0..1100).map(|n| format!("side/{n:04}/one.md"));
            let expected: Vec<_> = std::iter::once(deep).chain(side_by_side).collect();
            assert_eq!(paths, expected);
            assert_eq!((found[0].kind, found[1].kind), (FoundKind::Deep, FoundKind::File(3)));
            return;
        }
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("deep").join(["d"; DEPTH_MAX + 4].join("/"))).unwrap();
        for n in 0..1100 {
            let folder = home.path().join(format!("side/{n:04}"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("one.md"), "one").unwrap();
        }
        let ran = std::process::Command::new("sh")
            .args(["-c", "ulimit -n 32 && exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "env::below::tests::more_folders_than_may_be_open_are_looked_into",
            ])
            .env(BELOW, home.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    fn a_link_that_is_put_in_the_place_of_a_folder_leads_nowhere() {
        let home = tempfile::tempdir().unwrap();
        let at = |below: &str| home.path().join(below);
        std::fs::create_dir_all(at("notes/a/b")).unwrap();
        std::fs::create_dir_all(at("outside/b")).unwrap();
        let folder = File::open(at("notes")).unwrap();
        let open = |path: &str| open_folder(&folder, path.split_terminator('/'));
        assert!(open("").is_ok() && open("a/b/").is_ok());
        std::fs::rename(at("notes/a"), at("gone")).unwrap();
        std::os::unix::fs::symlink("../outside", at("notes/a")).unwrap();
        assert!(open("a/").is_err() && open("a/b/").is_err());
    }

    #[test]
    fn folders_count_too() {
        let home = tempfile::tempdir().unwrap();
        for n in 0..4 {
            std::fs::create_dir(home.path().join(n.to_string())).unwrap();
        }
        let folder = File::open(home.path()).unwrap();
        assert!(list_below(&folder, 3).is_err());
        assert_eq!(list_below(&folder, 4).unwrap(), []);
    }
}
