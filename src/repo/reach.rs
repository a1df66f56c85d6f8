//! What commits lead to.

use super::git::{ReadError, Repo};
use super::object::Oid;
use super::tree::Mode;
use std::collections::BTreeSet;

/// The largest commit or tree that is looked at, in bytes.
pub(super) const OBJECT_MAX: u64 = 16 << 20;
/// Git's empty tree.
const NOTHING: Oid = Oid([
    0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60, 0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88, 0xfb, 0xee, 0x49,
    0x04,
]);

/// Objects by kind.
#[derive(Default)]
pub(super) struct Reached {
    pub(super) commits: BTreeSet<Oid>,
    pub(super) trees: BTreeSet<Oid>,
    pub(super) blobs: BTreeSet<Oid>,
    /// The commits as they were come upon: each before those it follows.
    pub(super) order: Vec<Oid>,
    /// Those of them whose tree is empty.
    of_nothing: BTreeSet<Oid>,
}

impl Reached {
    pub(super) fn all(&self) -> impl Iterator<Item = Oid> + '_ {
        self.blobs.iter().chain(&self.trees).chain(&self.commits).copied()
    }

    pub(super) fn contains(&self, oid: &Oid) -> bool {
        self.commits.contains(oid) || self.trees.contains(oid) || self.blobs.contains(oid)
    }

    /// The blobs of it alone.
    pub(super) fn of_blobs(&self) -> Self {
        Self {
            blobs: self.blobs.clone(),
            ..Self::default()
        }
    }

    /// Leaves what either of two has.
    pub(super) fn intersect(&mut self, one: &Self, other: &Self) {
        let has = |oid: &Oid| one.commits.contains(oid) || other.commits.contains(oid);
        self.commits.retain(has);
        self.order.retain(has);
        self.trees
            .retain(|oid| one.trees.contains(oid) || other.trees.contains(oid));
        self.blobs
            .retain(|oid| one.blobs.contains(oid) || other.blobs.contains(oid));
    }

    pub(super) fn add(&mut self, other: Self) {
        self.commits.extend(other.commits);
        self.order.extend(other.order);
        self.trees.extend(other.trees);
        self.blobs.extend(other.blobs);
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        self.commits.retain(|oid| !other.commits.contains(oid));
        self.order.retain(|oid| !other.commits.contains(oid));
        self.trees.retain(|oid| !other.trees.contains(oid));
        self.blobs.retain(|oid| !other.blobs.contains(oid));
    }

    /// Takes out the empty tree and the commits of it: branches that were emptied share them, and they name nothing.
    pub(super) fn leave_nothing(&mut self) {
        self.trees.remove(&NOTHING);
        self.commits.retain(|oid| !self.of_nothing.contains(oid));
        self.order.retain(|oid| !self.of_nothing.contains(oid));
    }
}

/// What is done about an object that is not there, or damaged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It leads to nothing; a damaged one is an error.
    Skipped,
    /// Both lead to nothing.
    Passed,
    /// Both are errors.
    Refused,
}

impl Missing {
    fn or<T>(self, read: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
        match read {
            Err(ReadError::Missing { .. }) if self != Self::Refused => Ok(None),
            Err(error) if self == Self::Passed && !matches!(error, ReadError::Git(_)) => Ok(None),
            read => read.map(Some),
        }
    }
}

impl Repo {
    /// Adds everything that a commit leads to, up to what is in `stop`. Commits and trees are read, blobs are not.
    pub(super) fn reach(
        &self,
        from: Oid,
        stop: &Reached,
        missing: Missing,
        found: &mut Reached,
    ) -> Result<(), ReadError> {
        let mut due = vec![from];
        while let Some(oid) = due.pop() {
            if stop.commits.contains(&oid) || found.commits.contains(&oid) {
                continue;
            }
            let Some(commit) = missing.or(self.read_commit(oid, OBJECT_MAX))? else {
                continue;
            };
            due.extend(commit.parents);
            found.commits.insert(oid);
            found.order.push(oid);
            if commit.tree == NOTHING {
                found.of_nothing.insert(oid);
            }
            self.reach_tree(commit.tree, stop, missing, found)?;
        }
        Ok(())
    }

    /// Adds a commit and its tree, but nothing that it follows.
    pub(super) fn reach_newest(&self, from: Oid, missing: Missing, found: &mut Reached) -> Result<(), ReadError> {
        let Some(commit) = missing.or(self.read_commit(from, OBJECT_MAX))? else {
            return Ok(());
        };
        found.commits.insert(from);
        self.reach_tree(commit.tree, &Reached::default(), missing, found)
    }

    /// Takes out of `doomed` what others share. Of a branch of files just the newest tree was looked at, and the two may have
    /// had a time in common: a tree of nothing but shared files may stand in the other's history, with its commit, also where
    /// the tree itself stays here.
    pub(super) fn leave_shared(&self, doomed: &mut Reached, shared: &Reached) -> Result<(), ReadError> {
        doomed.subtract(shared);
        if shared.blobs.is_empty() {
            return Ok(());
        }
        let (mut theirs, mut looked_at) = (Reached::default(), BTreeSet::new());
        for oid in &doomed.trees {
            looked_at.insert(*oid);
            if self.is_all_of(*oid, shared)? {
                theirs.trees.insert(*oid);
            }
        }
        for oid in &doomed.commits {
            let Some(commit) = Missing::Skipped.or(self.read_commit(*oid, OBJECT_MAX))? else {
                continue;
            };
            if looked_at.insert(commit.tree) && self.is_all_of(commit.tree, shared)? {
                theirs.trees.insert(commit.tree);
            }
            if theirs.trees.contains(&commit.tree) {
                theirs.commits.insert(*oid);
            }
        }
        doomed.subtract(&theirs);
        Ok(())
    }

    /// Whether a tree holds nothing but what is shared, or is so itself.
    fn is_all_of(&self, tree: Oid, shared: &Reached) -> Result<bool, ReadError> {
        if shared.trees.contains(&tree) {
            return Ok(true);
        }
        let entries = Missing::Skipped.or(self.read_tree(tree, OBJECT_MAX))?;
        Ok(entries.is_some_and(|entries| entries.iter().all(|entry| shared.blobs.contains(&entry.oid))))
    }

    fn reach_tree(&self, from: Oid, stop: &Reached, missing: Missing, found: &mut Reached) -> Result<(), ReadError> {
        let mut due = vec![from];
        while let Some(oid) = due.pop() {
            if stop.trees.contains(&oid) || !found.trees.insert(oid) {
                continue;
            }
            for entry in missing.or(self.read_tree(oid, OBJECT_MAX))?.unwrap_or_default() {
                match entry.mode {
                    Mode::Tree => due.push(entry.oid),
                    Mode::Commit => {}
                    _ => drop(found.blobs.insert(entry.oid)),
                }
            }
        }
        Ok(())
    }
}
