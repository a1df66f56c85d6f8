//! What lies in a folder of the person's: looked at through its open file, so that no symbolic link on the way below it is
//! followed, also one that is put there meanwhile.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

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
    let top = openat(
        folder.as_fd(),
        ".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let mut folders = vec![(File::from(top), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if [&b"."[..], b".."].contains(&name.to_bytes()) {
                continue;
            }
            let path = format!("{prefix}{}", name.to_string_lossy());
            let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                _ if name.to_bytes().starts_with(b".") => FoundKind::Hidden,
                _ if name.to_str().is_err() => FoundKind::NoText,
                FileType::RegularFile => FoundKind::File(u64::try_from(stat.st_size).unwrap_or_default()),
                FileType::Symlink => FoundKind::Link,
                FileType::Directory if depth >= DEPTH_MAX => FoundKind::Deep,
                FileType::Directory => {
                    folders.push((
                        File::from(openat(&folder, name, WITHIN, Mode::empty())?),
                        format!("{path}/"),
                        depth + 1,
                    ));
                    continue;
                }
                _ => FoundKind::Other,
            };
            found.push(FoundBelow { path, kind });
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

/// Opens a plain file at a path below a folder.
pub fn open_below(folder: &File, path: &str) -> io::Result<File> {
    let (folders, name) = path
        .rsplit_once('/')
        .map_or((None, path), |(on_the_way, name)| (Some(on_the_way), name));
    let mut at = None;
    for part in folders.into_iter().flat_map(|folders| folders.split('/')).chain([name]) {
        if part.is_empty() || part == "." || part == ".." {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
    }
    for part in folders.into_iter().flat_map(|folders| folders.split('/')) {
        let from = at.as_ref().unwrap_or(folder);
        at = Some(File::from(openat(from, part, WITHIN, Mode::empty())?));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(openat(at.as_ref().unwrap_or(folder), name, flags, Mode::empty())?);
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
}
