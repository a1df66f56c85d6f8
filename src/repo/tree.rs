//! Folders as values: reading a tree's bytes, and changing nested folders without touching a file.

use super::object::{Kind, Object, Oid};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What a name in a folder stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A file (`100644`).
    File,
    /// A file that can be run (`100755`).
    Program,
    /// A symbolic link (`120000`).
    Link,
    /// A folder (`40000`).
    Tree,
    /// A commit of another repository (`160000`).
    Commit,
}

impl Mode {
    const ALL: [(Self, &'static str); 5] = [
        (Self::File, "100644"),
        (Self::Program, "100755"),
        (Self::Link, "120000"),
        (Self::Tree, "40000"),
        (Self::Commit, "160000"),
    ];

    fn text(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(mode, _)| *mode == self)
            .map_or("", |(_, text)| text)
    }
}

/// One name in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeEntry {
    /// What it stands for.
    pub mode: Mode,
    /// The name, without slashes.
    pub name: String,
    /// The object.
    pub oid: Oid,
}

/// A folder cannot be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTree {
    /// The bytes are not a tree as git writes them.
    #[error("not a folder as git writes it: {0}")]
    Malformed(&'static str),
    /// A path that git or a file system could misread.
    #[error("`{0}` cannot be a path in the vault")]
    Path(String),
    /// A path runs through something that is a file.
    #[error("`{0}` is a file or is taken out in the same change, so nothing can be below it")]
    NotAFolder(String),
}

/// The bytes of a tree: entries sorted as git sorts them, each name once.
pub fn tree_bytes(mut entries: Vec<TreeEntry>) -> Result<Vec<u8>, BadTree> {
    entries.sort_by(|a, b| git_order((a.mode, a.name.as_bytes()), (b.mode, b.name.as_bytes())));
    let mut bytes = Vec::new();
    for entry in &entries {
        if !is_name(&entry.name) {
            return Err(BadTree::Path(entry.name.chars().take(200).collect()));
        }
        bytes.extend_from_slice(entry.mode.text().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(entry.name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&entry.oid.0);
    }
    check_once(&bytes)?;
    Ok(bytes)
}

/// Reads a tree's bytes; refuses odd modes, odd names, wrong order and names that stand twice.
pub fn parse_tree(bytes: &[u8]) -> Result<Vec<TreeEntry>, BadTree> {
    let mut entries = Vec::new();
    each_entry(bytes, |mode, name, oid| {
        let name = name.to_owned();
        entries.push(TreeEntry { mode, name, oid });
    })?;
    Ok(entries)
}

/// The same, without keeping anything; `visit` is given what stands before a fault too.
fn each_entry<'b>(bytes: &'b [u8], mut visit: impl FnMut(Mode, &'b str, Oid)) -> Result<(), BadTree> {
    let (mut rest, mut last, mut folders) = (bytes, None, false);
    while !rest.is_empty() {
        let end = memchr::memchr(0, &rest[..rest.len().min(300)]);
        let end = end.ok_or(BadTree::Malformed("a name does not end"))?;
        let text = std::str::from_utf8(&rest[..end]).map_err(|_| BadTree::Malformed("a name is not UTF-8"))?;
        let (mode, name) = text.split_once(' ').ok_or(BadTree::Malformed("a mode is missing"))?;
        let mode = Mode::ALL.iter().find(|(_, known)| *known == mode);
        let (mode, _) = *mode.ok_or(BadTree::Malformed("an unknown mode"))?;
        if !is_name(name) {
            return Err(BadTree::Malformed("a name that is not allowed"));
        }
        let oid = rest.get(end + 1..).and_then(<[u8]>::first_chunk);
        let oid = Oid(*oid.ok_or(BadTree::Malformed("it is cut short"))?);
        let here = (mode, name.as_bytes());
        if last.is_some_and(|last| git_order(last, here) != Ordering::Less) {
            return Err(BadTree::Malformed("its names are out of order"));
        }
        last = Some(here);
        folders |= mode == Mode::Tree;
        visit(mode, name, oid);
        rest = &rest[end + 21..];
    }
    // Files alone are in the order of their names, which says that each stands once.
    match folders {
        true => check_once(bytes),
        false => Ok(()),
    }
}

/// A file and a folder of one name need not stand side by side in git's order.
fn check_once(mut bytes: &[u8]) -> Result<(), BadTree> {
    let mut names = Vec::new();
    while let Some(end) = memchr::memchr(0, bytes) {
        names.push(bytes[..end].splitn(2, |byte| *byte == b' ').last());
        bytes = bytes.get(end + 21..).unwrap_or_default();
    }
    names.sort_unstable();
    match names.windows(2).all(|pair| pair[0] != pair[1]) {
        true => Ok(()),
        false => Err(BadTree::Malformed("a name stands twice")),
    }
}

/// A folder's bytes, and where in them each of its entries begins: there may be many, and few are looked for.
pub struct RawTree {
    bytes: Vec<u8>,
    begins: Vec<usize>,
}

impl RawTree {
    /// Reads a tree's bytes as [`parse_tree`] does.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, BadTree> {
        let (mut begins, mut begin) = (vec![0], 0);
        each_entry(&bytes, |mode, name, _| {
            begin += mode.text().len() + 1 + name.len() + 1 + 20;
            begins.push(begin);
        })?;
        Ok(Self { bytes, begins })
    }

    /// The entries, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Mode, &str, Oid)> {
        let entries = (0..self.begins.len()).map_while(|at| self.entry(at));
        // They were read as text before.
        entries.map(|(mode, name, oid)| (mode, std::str::from_utf8(name).unwrap_or_default(), oid))
    }

    /// The object of a file, and which entry it is. It is looked for first where it is `likely`.
    pub fn file(&self, name: &[u8], likely: usize) -> Option<(usize, Oid)> {
        let file = |at: &usize| {
            let (mode, known, oid) = self.entry(*at)?;
            (mode == Mode::File && known == name).then_some((*at, oid))
        };
        file(&likely).or_else(|| {
            let (mut from, mut to) = (0, self.begins.len().saturating_sub(1));
            while from < to {
                let at = from.midpoint(to);
                let (mode, known, oid) = self.entry(at)?;
                match git_order((mode, known), (Mode::File, name)) {
                    Ordering::Less => from = at + 1,
                    Ordering::Greater => to = at,
                    Ordering::Equal => return (mode == Mode::File).then_some((at, oid)),
                }
            }
            None
        })
    }

    fn entry(&self, at: usize) -> Option<(Mode, &[u8], Oid)> {
        let entry = self.bytes.get(*self.begins.get(at)?..*self.begins.get(at + 1)?)?;
        let (head, oid) = entry.split_last_chunk()?;
        let space = memchr::memchr(b' ', head)?;
        let (mode, name) = (&head[..space], &head[space + 1..head.len() - 1]);
        let (mode, _) = *Mode::ALL.iter().find(|(_, known)| known.as_bytes() == mode)?;
        Some((mode, name, Oid(*oid)))
    }

    /// Whether the bytes of another tree are some entries of this one, each as it stands here, and nothing else: without
    /// reading names, by comparing long stretches.
    pub fn holds_all_of(&self, mut other: &[u8]) -> bool {
        // Which entry comes next.
        let mut next = 0;
        while !other.is_empty() {
            let Some(here) = self.begins.get(next).and_then(|begin| self.bytes.get(*begin..)) else {
                return false;
            };
            let alike = self.begins[next] + alike(here, other);
            let whole = self.begins.partition_point(|begin| *begin <= alike) - 1;
            other = &other[self.begins[whole] - self.begins[next]..];
            // The one that differs is not in the other tree.
            next = whole + 1;
        }
        true
    }
}

/// How many bytes two slices begin alike with.
fn alike(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK));
    let begin = BLOCK * blocks.take_while(|(a, b)| a == b).count();
    let rest = a[begin..].iter().zip(&b[begin..]);
    begin + rest.take_while(|(a, b)| a == b).count()
}

/// Git compares names bytewise, a folder's as if it ended with a slash.
fn git_order((left_mode, left): (Mode, &[u8]), (right_mode, right): (Mode, &[u8])) -> Ordering {
    if left_mode != Mode::Tree && right_mode != Mode::Tree {
        return left.cmp(right);
    }
    let end = |mode: Mode| (mode == Mode::Tree).then_some(&b'/');
    let (left, right) = (left.iter().chain(end(left_mode)), right.iter().chain(end(right_mode)));
    left.cmp(right)
}

fn is_name(name: &str) -> bool {
    let reserved = [".", ".."].contains(&name) || name.eq_ignore_ascii_case(".git");
    !name.is_empty() && name.len() <= 255 && !reserved && !name.contains(['/', '\0'])
}

/// The deepest path, in names.
const MAX_DEPTH: usize = 16;

/// The names of a path, each one checked.
pub(super) fn path_names(path: &str) -> Result<Vec<&str>, BadTree> {
    let names: Vec<&str> = path.split('/').collect();
    match names.len() <= MAX_DEPTH && names.iter().all(|name| is_name(name)) {
        true => Ok(names),
        false => Err(BadTree::Path(path.chars().take(200).collect())),
    }
}

/// Changes to a tree: paths to put in and to take out. The last word on a path counts.
#[derive(Clone, Default, Debug)]
pub struct TreeEdit {
    changes: Folder,
}

#[derive(Clone, Default, Debug)]
struct Folder(BTreeMap<String, Change>);

#[derive(Clone, Debug)]
enum Change {
    Put(Mode, Oid),
    Drop,
    Within(Folder),
}

/// What an edit made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EditedTree {
    /// The id of the new root.
    pub root: Oid,
    /// The trees that are new, the root last; empty when nothing changed.
    pub objects: Vec<Object>,
}

/// An edit failed.
#[derive(Debug, thiserror::Error)]
pub enum EditError<E> {
    /// The edit does not fit the tree.
    #[error(transparent)]
    Tree(#[from] BadTree),
    /// A tree could not be read.
    #[error("{0}")]
    Read(E),
}

impl TreeEdit {
    /// No changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file at `path`, over whatever is there.
    pub fn insert(&mut self, path: &str, oid: Oid) -> Result<(), BadTree> {
        self.change(path, Change::Put(Mode::File, oid))
    }

    /// Takes `path` out, with all that is below it; a path that is not there is no error.
    pub fn remove(&mut self, path: &str) -> Result<(), BadTree> {
        self.change(path, Change::Drop)
    }

    fn change(&mut self, path: &str, change: Change) -> Result<(), BadTree> {
        let names = path_names(path)?;
        let Some((last, folders)) = names.split_last() else {
            return Err(BadTree::Path(String::new()));
        };
        let mut here = &mut self.changes;
        for name in folders {
            let next = here.0.entry((*name).to_owned());
            here = match next.or_insert_with(|| Change::Within(Folder::default())) {
                Change::Within(folder) => folder,
                Change::Put(..) | Change::Drop => return Err(BadTree::NotAFolder((*name).to_owned())),
            };
        }
        here.0.insert((*last).to_owned(), change);
        Ok(())
    }

    /// Applies the changes to the tree `base` (none: an empty one). `read` gives the entries of a
    /// tree. Folders that become empty are taken out; the root may be empty.
    pub fn apply<E>(
        &self,
        base: Option<Oid>,
        mut read: impl FnMut(Oid) -> Result<Vec<TreeEntry>, E>,
    ) -> Result<EditedTree, EditError<E>> {
        let mut objects = Vec::new();
        let root = match apply(&self.changes, base, &mut read, &mut objects)? {
            Some(root) => root,
            None => store(Vec::new(), base, &mut objects)?,
        };
        Ok(EditedTree { root, objects })
    }
}

/// Applies `changes` to one folder; `None` when nothing is left in it.
fn apply<E>(
    changes: &Folder,
    base: Option<Oid>,
    read: &mut impl FnMut(Oid) -> Result<Vec<TreeEntry>, E>,
    objects: &mut Vec<Object>,
) -> Result<Option<Oid>, EditError<E>> {
    let before = base.map(&mut *read).transpose().map_err(EditError::Read)?;
    let mut entries: BTreeMap<String, TreeEntry> = before
        .unwrap_or_default()
        .into_iter()
        .map(|entry| (entry.name.clone(), entry))
        .collect();
    for (name, change) in &changes.0 {
        let now = match change {
            Change::Put(mode, oid) => Some((*mode, *oid)),
            Change::Drop => None,
            Change::Within(folder) => {
                let below = match entries.get(name) {
                    Some(entry) if entry.mode != Mode::Tree => return Err(BadTree::NotAFolder(name.clone()).into()),
                    entry => entry.map(|entry| entry.oid),
                };
                apply(folder, below, read, objects)?.map(|oid| (Mode::Tree, oid))
            }
        };
        match now {
            Some((mode, oid)) => {
                let name = name.clone();
                entries.insert(name.clone(), TreeEntry { mode, name, oid });
            }
            None => drop(entries.remove(name)),
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    Ok(Some(store(entries.into_values().collect(), base, objects)?))
}

fn store(entries: Vec<TreeEntry>, base: Option<Oid>, objects: &mut Vec<Object>) -> Result<Oid, BadTree> {
    let object = Object {
        kind: Kind::Tree,
        bytes: tree_bytes(entries)?,
    };
    let oid = object.oid();
    if base != Some(oid) {
        objects.push(object);
    }
    Ok(oid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// A store of trees in memory.
    #[derive(Default)]
    struct Trees(HashMap<Oid, Vec<u8>>);

    impl Trees {
        fn edit(&mut self, base: Option<Oid>, changes: &[(&str, Option<u8>)]) -> Result<Oid, EditError<BadTree>> {
            let mut edit = TreeEdit::new();
            for (path, change) in changes {
                match change {
                    Some(n) => edit.insert(path, Oid([*n; 20]))?,
                    None => edit.remove(path)?,
                }
            }
            let edited = edit.apply(base, |oid| parse_tree(&self.0[&oid]))?;
            for object in edited.objects {
                self.0.insert(object.oid(), object.bytes);
            }
            Ok(edited.root)
        }

        fn files(&self, root: Oid, under: &str) -> BTreeMap<String, u8> {
            let mut files = BTreeMap::new();
            for entry in parse_tree(&self.0[&root]).unwrap() {
                let path = format!("{under}{}", entry.name);
                match entry.mode {
                    Mode::Tree => files.extend(self.files(entry.oid, &format!("{path}/"))),
                    _ => drop(files.insert(path, entry.oid.0[0])),
                }
            }
            files
        }
    }

    #[test]
    fn a_file_is_not_a_folder_and_a_folder_can_be_replaced() {
        let mut trees = Trees::default();
        let root = trees
            .edit(None, &[("a/b", Some(1)), ("a/c", Some(2)), ("d", Some(3))])
            .unwrap();
        assert!(trees.edit(Some(root), &[("d/e", Some(4))]).is_err());
        assert!(trees.edit(Some(root), &[("x", Some(4)), ("x/y", Some(4))]).is_err());
        assert!(trees.edit(Some(root), &[("a", None), ("a/e", Some(4))]).is_err());
        let root = trees.edit(Some(root), &[("a/x", Some(4)), ("a", Some(9))]).unwrap();
        assert_eq!(
            trees.files(root, ""),
            BTreeMap::from([("a".to_owned(), 9), ("d".to_owned(), 3)])
        );
    }

    #[test]
    fn folders_that_become_empty_vanish() {
        let mut trees = Trees::default();
        let root = trees.edit(None, &[("a/b/c", Some(1)), ("d", Some(2))]).unwrap();
        let root = trees.edit(Some(root), &[("a/b/c", None), ("no/such", None)]).unwrap();
        assert_eq!(trees.files(root, ""), BTreeMap::from([("d".to_owned(), 2)]));
        let root = trees.edit(Some(root), &[("d", None)]).unwrap();
        assert_eq!(root.to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    #[test]
    fn unusual_trees_are_refused() {
        let entry = |mode, name: &str| TreeEntry {
            mode,
            name: name.to_owned(),
            oid: Oid([1; 20]),
        };
        // `a-` sorts before the folder `a` (as `a/`), and that before `a0`.
        let good = vec![entry(Mode::File, "a0"), entry(Mode::Tree, "a"), entry(Mode::File, "a-")];
        let bytes = tree_bytes(good).unwrap();
        let names: Vec<String> = parse_tree(&bytes)
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, ["a-", "a", "a0"]);
        for bad in ["", ".", "..", ".git", ".GIT", "a/b", "a\0b"] {
            assert!(tree_bytes(vec![entry(Mode::File, bad)]).is_err(), "{bad:?}");
        }
        // The same name as a file and as a folder, with another between them.
        let twice = vec![entry(Mode::File, "a"), entry(Mode::File, "a-"), entry(Mode::Tree, "a")];
        assert!(tree_bytes(twice).is_err());
        let raw = |parts: &[&str]| {
            let mut bytes = Vec::new();
            for part in parts {
                bytes.extend_from_slice(part.as_bytes());
                bytes.extend_from_slice(&[0; 21]);
            }
            parse_tree(&bytes)
        };
        assert!(raw(&["100644 a", "100644 b"]).is_ok());
        assert!(raw(&["100644 b", "100644 a"]).is_err());
        assert!(raw(&["100644 a", "100644 a"]).is_err());
        assert!(raw(&["100664 a"]).is_err());
        assert!(raw(&["040000 a"]).is_err());
    }

    proptest! {
        #[test]
        fn edits_do_to_a_tree_what_they_do_to_a_map(
            rounds in proptest::collection::vec(
                proptest::collection::vec(("[a-c](/[a-c]){0,2}", proptest::option::of(1u8..9)), 1..5), 1..6)
        ) {
            let (mut trees, mut root, mut map) = (Trees::default(), None, BTreeMap::<String, u8>::new());
            for round in rounds {
                let changes: Vec<(&str, Option<u8>)> = round.iter().map(|(path, n)| (path.as_str(), *n)).collect();
                // Paths that run through one another have their own test.
                let nested = changes.iter().enumerate().any(|(at, (a, _))| changes.iter().skip(at + 1).any(|(b, _)| {
                    a == b || a.starts_with(&format!("{b}/")) || b.starts_with(&format!("{a}/"))
                }));
                let through_a_file = changes.iter().any(|(path, _)| {
                    path.match_indices('/').any(|(at, _)| map.contains_key(&path[..at]))
                });
                if nested {
                    continue;
                }
                let edited = trees.edit(root, &changes);
                prop_assert_eq!(edited.is_err(), through_a_file);
                let Ok(edited) = edited else { continue };
                for (path, n) in changes {
                    map.retain(|known, _| known != path && !known.starts_with(&format!("{path}/")));
                    map.extend(n.map(|n| (path.to_owned(), n)));
                }
                root = Some(edited);
                prop_assert_eq!(&trees.files(edited, ""), &map);
            }
        }

        #[test]
        fn a_file_is_found_by_its_name_among_files_and_folders(
            all in proptest::collection::btree_map("[a-c]{1,2}([.0][a-c]{0,2})?", (0u8..4, any::<bool>()), 0..40),
            other in "[a-c]{1,2}([.0][a-c]{0,2})?",
            likely in 0usize..45,
        ) {
            let entry = |(name, (n, folder)): (&String, &(u8, bool))| TreeEntry {
                mode: if *folder { Mode::Tree } else { Mode::File },
                name: name.clone(),
                oid: Oid([*n; 20]),
            };
            let raw = RawTree::parse(tree_bytes(all.iter().map(entry).collect()).unwrap()).unwrap();
            for name in all.keys().chain([&other]) {
                let wanted = all.get(name).filter(|(_, folder)| !folder).map(|(n, _)| Oid([*n; 20]));
                let found = raw.file(name.as_bytes(), likely);
                prop_assert_eq!(found.map(|(_, oid)| oid), wanted, "{}", name);
                let at = found.map(|(at, _)| raw.iter().nth(at).unwrap().1.to_owned());
                prop_assert_eq!(at.as_ref(), wanted.map(|_| name));
            }
        }

        #[test]
        fn a_tree_holds_all_of_another_when_each_entry_stands_in_it(
            all in proptest::collection::btree_map("[a-c]{1,3}(\\.[a-c]{30,90})?", (0u8..4, any::<bool>()), 0..40),
            keep in proptest::collection::vec(0u8..20, 40),
        ) {
            let entry = |(name, (n, program)): (&String, &(u8, bool))| TreeEntry {
                mode: if *program { Mode::Program } else { Mode::File },
                name: name.clone(),
                oid: Oid([*n; 20]),
            };
            let all: Vec<TreeEntry> = all.iter().map(entry).collect();
            let raw = RawTree::parse(tree_bytes(all.clone()).unwrap()).unwrap();
            let read = raw.iter().map(|(mode, name, oid)| TreeEntry { mode, name: name.to_owned(), oid });
            prop_assert_eq!(&read.collect::<Vec<_>>(), &all);
            let mut other: Vec<TreeEntry> = Vec::new();
            for (entry, keep) in all.iter().zip(&keep) {
                let mut entry = entry.clone();
                match keep {
                    0..4 => continue,
                    4 => entry.oid.0[19] ^= 1,
                    5 => entry.name.push('a'),
                    _ => {}
                }
                if other.iter().all(|known| known.name != entry.name) {
                    other.push(entry);
                }
            }
            let part = other.iter().all(|entry| all.contains(entry));
            let Ok(bytes) = tree_bytes(other) else { return Ok(()) };
            prop_assert_eq!(raw.holds_all_of(&bytes), part);
            prop_assert!(bytes.is_empty() || !raw.holds_all_of(&bytes[..bytes.len() - 1]));
            prop_assert!(!raw.holds_all_of(&[&bytes[..], b"1"].concat()));
        }

        #[test]
        fn what_is_read_is_written_back_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(entries) = parse_tree(&bytes) {
                prop_assert_eq!(tree_bytes(entries).unwrap(), bytes);
            }
        }
    }
}
