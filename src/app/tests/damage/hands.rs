//! What somebody does to a vault's repository who has git and no key. Nothing of it fails: on a vault that is in pieces some of
//! it comes to nothing.

use super::*;
use git2::{FileMode, Oid, Signature, Time as GitTime};

/// A sealed file, by where it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Sealed {
    pub(super) branch: String,
    pub(super) name: String,
    pub(super) oid: Oid,
}

impl Sealed {
    /// Whether it is a body, a wrap or a file of a device.
    pub(super) fn kind(&self) -> &'static str {
        match self.branch.as_str() {
            "refs/heads/keys/devices" => "files of devices",
            branch if branch.starts_with("refs/heads/notes/") => "bodies",
            _ => "wraps",
        }
    }

    /// The name that a file of this one's note has with the content of `other`.
    fn named_for(&self, other: &Self) -> Option<String> {
        let ((note, _), (_, digest)) = (self.name.split_once('.')?, other.name.split_once('.')?);
        Some(format!("{note}.{digest}"))
    }
}

/// A vault's repository.
pub(super) struct Hands {
    pub(super) vault: PathBuf,
    repo: git2::Repository,
}

impl Hands {
    pub(super) fn on(vault: &Path) -> Option<Self> {
        let repo = git2::Repository::open_bare(vault).ok()?;
        Some(Self {
            vault: vault.to_owned(),
            repo,
        })
    }

    /// The branches, in order, and where they stand.
    pub(super) fn branches(&self) -> Vec<(String, Oid)> {
        let found = self.repo.references_glob("refs/heads/*").into_iter().flatten();
        let found = found.flatten();
        let mut branches: Vec<(String, Oid)> = found
            .filter_map(|found| Some((found.name().ok()?.to_owned(), found.target()?)))
            .collect();
        branches.sort();
        branches
    }

    /// Whether a commit holds no file.
    pub(super) fn is_empty(&self, commit: Oid) -> bool {
        let tree = self.repo.find_commit(commit).and_then(|commit| commit.tree());
        tree.is_ok_and(|tree| tree.is_empty())
    }

    /// The files of the branches that hold sealed ones.
    pub(super) fn sealed(&self) -> Vec<Sealed> {
        let mut sealed = Vec::new();
        for (branch, oid) in self.branches() {
            let holds = branch.starts_with("refs/heads/notes/") || branch.starts_with("refs/heads/keys/");
            let tree = self.repo.find_commit(oid).and_then(|commit| commit.tree());
            for entry in tree.iter().filter(|_| holds).flat_map(|tree| tree.iter()) {
                sealed.push(Sealed {
                    branch: branch.clone(),
                    name: entry.name().unwrap_or_default().to_owned(),
                    oid: entry.id(),
                });
            }
        }
        sealed.sort();
        sealed
    }

    pub(super) fn write_blob(&self, content: &[u8]) -> Option<Oid> {
        self.repo.blob(content).ok()
    }

    pub(super) fn read_blob(&self, oid: Oid) -> Option<Vec<u8>> {
        Some(self.repo.find_blob(oid).ok()?.content().to_vec())
    }

    /// Changes files of a branch in one commit that looks as the program's own does.
    pub(super) fn edit(&self, branch: &str, files: &[(&str, Option<Oid>)]) -> Option<()> {
        let head = self.repo.refname_to_id(branch).ok();
        let parent = head.and_then(|head| self.repo.find_commit(head).ok());
        let tree = parent.as_ref().and_then(|parent| parent.tree().ok());
        let mut builder = self.repo.treebuilder(tree.as_ref()).ok()?;
        for (name, oid) in files {
            match oid {
                Some(oid) => drop(builder.insert(name, *oid, i32::from(FileMode::Blob)).ok()?),
                None => builder.remove(name).ok()?,
            }
        }
        let tree = self.repo.find_tree(builder.write().ok()?).ok()?;
        let day = GitTime::new(NOW - NOW % 86_400, 0);
        let by = Signature::new("strongroom", "strongroom@localhost", &day).ok()?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let commit = self.repo.commit(None, &by, &by, "keep\n", &tree, &parents).ok()?;
        self.move_ref(branch, Some(commit))
    }

    /// Makes a branch what it was so many commits ago, by a commit on top.
    pub(super) fn bring_back(&self, branch: &str, head: Oid, steps: usize) -> Option<()> {
        let before = self.repo.find_commit(self.ancestor(head, steps)?).ok()?.tree().ok()?;
        let files: Vec<(String, Oid)> = before
            .iter()
            .filter_map(|entry| Some((entry.name().ok()?.to_owned(), entry.id())))
            .collect();
        let files: Vec<(&str, Option<Oid>)> = files.iter().map(|(name, oid)| (name.as_str(), Some(*oid))).collect();
        self.edit(branch, &files)
    }

    /// Exchanges the content of two files, under the names that they have.
    pub(super) fn swap(&self, one: &Sealed, other: &Sealed) -> Option<()> {
        if one.branch == other.branch {
            return self.edit(
                &one.branch,
                &[(&one.name, Some(other.oid)), (&other.name, Some(one.oid))],
            );
        }
        self.edit(&one.branch, &[(&one.name, Some(other.oid))])?;
        self.edit(&other.branch, &[(&other.name, Some(one.oid))])
    }

    /// The same, each under a name that fits its content.
    pub(super) fn swap_named(&self, one: &Sealed, other: &Sealed) -> Option<()> {
        let (first, second) = (one.named_for(other)?, other.named_for(one)?);
        let (of_one, of_other) = (
            [(one.name.as_str(), None), (first.as_str(), Some(other.oid))],
            [(other.name.as_str(), None), (second.as_str(), Some(one.oid))],
        );
        if one.branch == other.branch {
            return self.edit(&one.branch, &[of_one, of_other].concat());
        }
        self.edit(&one.branch, &of_one)?;
        self.edit(&other.branch, &of_other)
    }

    pub(super) fn move_ref(&self, name: &str, to: Option<Oid>) -> Option<()> {
        match to {
            Some(oid) => drop(self.repo.reference(name, oid, true, "").ok()?),
            None => self.repo.find_reference(name).ok()?.delete().ok()?,
        }
        Some(())
    }

    /// What a commit follows, so many steps back.
    pub(super) fn ancestor(&self, oid: Oid, steps: usize) -> Option<Oid> {
        let mut commit = self.repo.find_commit(oid).ok()?;
        for _ in 0..steps {
            let parent = commit.parent(0).ok()?;
            commit = parent;
        }
        Some(commit.id())
    }

    pub(super) fn git(&self, arguments: &[&str]) -> Option<()> {
        git(&self.vault, arguments).0.then_some(())
    }

    pub(super) fn write(&self, path: &str, content: &[u8]) -> Option<()> {
        let path = self.vault.join(path);
        std::fs::create_dir_all(path.parent()?).ok()?;
        std::fs::write(path, content).ok()
    }

    /// The objects that have files of their own, in order.
    pub(super) fn loose(&self) -> Vec<PathBuf> {
        let mut found = BTreeMap::new();
        keep(&self.vault, &self.vault.join("objects"), &mut found);
        let is_object = |path: &PathBuf| path.to_str().and_then(kinds::Kinds::loose).is_some();
        found.into_keys().filter(is_object).collect()
    }
}
