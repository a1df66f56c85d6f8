//! A consistent look at a vault that somebody else may be writing to: refs as they will be once what the
//! journal holds is in git, and the objects that git does not have yet.

use super::objects::{COMMIT_MAX, HEADS, Objects, TREE_MAX};
use crate::repo::{Batch, Commit, Kind, Object, Oid, ReadError, Repo, TreeEntry, parse_tree};
use std::collections::{BTreeMap, HashMap};

/// How often a moving vault is looked at again before the last look is taken.
const LOOKS: usize = 20;
/// Where a plain `git clone` puts the branches of its origin.
const CLONED: &str = "refs/remotes/origin/";

/// Refs and objects at one moment. Writes nothing and takes no lock.
pub(super) struct View<'a> {
    repo: &'a Repo,
    /// Branches without their prefix.
    pub(super) branches: BTreeMap<String, Oid>,
    /// Refs that are no branches.
    pub(super) others: Vec<String>,
    extra: HashMap<Oid, Object>,
}

impl<'a> View<'a> {
    pub(super) fn now(repo: &'a Repo) -> Result<Self, ReadError> {
        let mut before = repo.refs("refs/")?;
        let mut pending = pending(repo)?;
        for _ in 0..LOOKS {
            let after = repo.refs("refs/")?;
            if after == before {
                break;
            }
            // Somebody writes: what was read may be of two moments.
            before = after;
            pending = self::pending(repo)?;
        }
        Ok(Self::assemble(repo, before, pending))
    }

    fn assemble(repo: &'a Repo, refs: Vec<(String, Oid)>, pending: Vec<Batch>) -> Self {
        let mut refs: BTreeMap<String, Oid> = refs.into_iter().collect();
        let mut steps: HashMap<String, Vec<Option<Oid>>> = HashMap::new();
        let mut extra = HashMap::new();
        for batch in pending {
            for change in batch.refs {
                let known = steps.entry(change.name).or_insert_with(|| vec![change.old]);
                known.push(change.new);
            }
            extra.extend(batch.objects.into_iter().map(|object| (object.oid(), object)));
        }
        for (name, values) in steps {
            let now = refs.get(&name).copied();
            // Only a ref that stands where the journal found or left it moves on; anything else is judged as it is.
            if let (true, Some(last)) = (values.contains(&now), values.last()) {
                match last {
                    Some(oid) => drop(refs.insert(name, *oid)),
                    None => drop(refs.remove(&name)),
                }
            }
        }
        let audit = format!("{HEADS}audit/");
        let own = refs.keys().any(|name| name.starts_with(&audit));
        let prefix = if own { HEADS } else { CLONED };
        let (mut branches, mut others) = (BTreeMap::new(), Vec::new());
        for (name, oid) in refs {
            match name.strip_prefix(prefix) {
                Some("HEAD") => {}
                Some(branch) => drop(branches.insert(branch.to_owned(), oid)),
                None if name.starts_with("refs/remotes/") => {}
                None if prefix == CLONED && name.starts_with(HEADS) => {}
                None => others.push(name),
            }
        }
        Self { repo, branches, others, extra }
    }

    fn extra(&self, oid: Oid, kind: Kind) -> Option<&Object> {
        self.extra.get(&oid).filter(|object| object.kind == kind)
    }
}

/// What the journal holds; a clone has none.
fn pending(repo: &Repo) -> Result<Vec<Batch>, ReadError> {
    repo.pending().map_err(|error| ReadError::Git(error.to_string()))
}

impl Objects for View<'_> {
    fn commit_at(&self, oid: Oid) -> Result<Commit, ReadError> {
        match self.extra(oid, Kind::Commit) {
            Some(object) => Commit::parse(&object.bytes).map_err(|why| ReadError::Commit { oid, why }),
            None => self.repo.read_commit(oid, COMMIT_MAX),
        }
    }

    fn tree_at(&self, oid: Oid) -> Result<Vec<TreeEntry>, ReadError> {
        match self.extra(oid, Kind::Tree) {
            Some(object) => Ok(parse_tree(&object.bytes)?),
            None => self.repo.read_tree(oid, TREE_MAX),
        }
    }

    fn blob_at(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        match self.extra(oid, Kind::Blob) {
            Some(object) => Ok(object.bytes.clone()),
            None => self.repo.read_blob_unchecked(oid, max),
        }
    }
}
