//! A consistent look at a vault that somebody else may be writing to: refs as they will be once what the
//! journal holds is in git, and the objects that git does not have yet.

use super::in_order::{in_order, processors};
use super::objects::{CLONED, COMMIT_MAX, HEADS, Objects, TREE_MAX};
use crate::repo::{Batch, Commit, Found, JournalError, Kind, Object, Oid, ReadError, Repo, TreeEntry, parse_tree};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

/// How often a moving vault is looked at again before the last look is taken.
const LOOKS: usize = 20;

/// Refs and objects at one moment. Writes nothing and takes no lock.
pub(super) struct View<'a> {
    repo: &'a Repo,
    /// What stands before the name of a branch.
    prefix: &'static str,
    /// Branches without their prefix.
    pub(super) branches: BTreeMap<String, Oid>,
    /// Branches that hold no object's id, without their prefix.
    pub(super) damaged: Vec<String>,
    /// Branches that the journal wrote and that are gone, without their prefix.
    pub(super) lost: Vec<String>,
    /// Refs that are no branches.
    pub(super) others: Vec<String>,
    /// Why it is not known what the journal holds.
    pub(super) unread: Option<JournalError>,
    extra: HashMap<Oid, Object>,
    /// More ways into the repository, made when they are needed.
    readers: RefCell<Vec<Reader>>,
}

/// A way into the repository, and room for a file that is read.
struct Reader {
    repo: Repo,
    room: Vec<u8>,
}

/// One of several ways into what a [`View`] shows.
pub(super) struct Reading<'a> {
    repo: &'a Repo,
    extra: &'a HashMap<Oid, Object>,
    room: Cell<Vec<u8>>,
}

/// The room for a file is kept from one to the next, unless it is larger than this, in bytes.
const KEPT_MAX: usize = 1 << 20;

/// Names and values; none for a ref that is empty, torn or points to a name.
type Refs = Vec<(String, Option<Oid>)>;

impl<'a> View<'a> {
    pub(super) fn now(repo: &'a Repo) -> Result<Self, ReadError> {
        let mut before = repo.refs_as_found("refs/")?;
        let mut pending = repo.pending_and_boot();
        for look in 1..=LOOKS {
            let after = repo.refs_as_found("refs/")?;
            if after == before {
                break;
            }
            // Somebody writes: what was read may be of two moments.
            before = after;
            pending = repo.pending_and_boot().map(|(batches, same_boot)| {
                // The last look's refs may lie several writes before its journal.
                (batches, same_boot && look < LOOKS)
            });
        }
        // What git holds is judged all the same: who damages the journal hides nothing by it.
        let (batches, same_boot, unread) = match pending {
            Ok((batches, same_boot)) => (batches, same_boot, None),
            Err(error) => (Vec::new(), false, Some(error)),
        };
        let mut view = Self::assemble(repo, before, batches, same_boot);
        view.unread = unread;
        Ok(view)
    }

    /// `finished`: git shows all batches but perhaps the last, so that a ref which stands at an older value was
    /// put back by somebody. After a power cut, any may be missing.
    fn assemble(repo: &'a Repo, refs: Refs, batches: Vec<Batch>, finished: bool) -> Self {
        let mut refs: BTreeMap<String, Option<Oid>> = refs.into_iter().collect();
        let mut steps: BTreeMap<String, Vec<Option<Oid>>> = BTreeMap::new();
        let mut extra = HashMap::new();
        let last = batches.len().saturating_sub(1);
        for (n, batch) in batches.into_iter().enumerate() {
            for change in batch.refs {
                let known = steps.entry(change.name).or_insert_with(|| vec![change.old]);
                if finished && n < last {
                    known.clear();
                }
                known.push(change.new);
            }
            extra.extend(batch.objects.into_iter().map(|object| (object.oid(), object)));
        }
        let mut lost = Vec::new();
        for (name, values) in steps {
            let now = refs.get(&name).copied();
            let torn = now == Some(None);
            // Only a ref that stands where the journal found or left it moves on; anything else is judged as it is.
            if let (true, Some(last)) = (torn || values.contains(&now.flatten()), values.last()) {
                match last {
                    Some(oid) => drop(refs.insert(name, Some(*oid))),
                    None => drop(refs.remove(&name)),
                }
            } else if let (None, Some(Some(_)), Some(branch)) = (now, values.last(), name.strip_prefix(HEADS)) {
                lost.push(branch.to_owned());
            }
        }
        let holds = |prefix: &str| refs.keys().any(|name| name.starts_with(&format!("{prefix}audit/")));
        let prefix = if !holds(HEADS) && holds(CLONED) { CLONED } else { HEADS };
        let mut view = Self {
            repo,
            prefix,
            branches: BTreeMap::new(),
            damaged: Vec::new(),
            lost,
            others: Vec::new(),
            unread: None,
            extra,
            readers: RefCell::default(),
        };
        for (name, oid) in refs {
            match (name.strip_prefix(prefix), oid) {
                (Some("HEAD"), _) => {}
                (Some(branch), Some(oid)) => drop(view.branches.insert(branch.to_owned(), oid)),
                (Some(branch), None) => view.damaged.push(branch.to_owned()),
                (None, _) if name.starts_with("refs/remotes/") => {}
                (None, _) if prefix == CLONED && name.starts_with(HEADS) => {}
                (None, _) => view.others.push(name),
            }
        }
        view
    }

    /// The full names of the refs that no vault has, by what `is_stray` says of a branch.
    pub(super) fn strays(&self, is_stray: impl Fn(&str) -> bool) -> Vec<String> {
        let branches = self.branches.keys().filter(|name| is_stray(name));
        let branches = branches.map(|name| format!("{}{name}", self.prefix));
        let others = self.others.iter().filter(|name| !is_replacement(name));
        others.cloned().chain(branches).collect()
    }

    /// Messages of the commits that the journal holds.
    pub(super) fn pending_messages(&self) -> impl Iterator<Item = String> {
        let commits = self.extra.values().filter(|object| object.kind == Kind::Commit);
        commits.filter_map(|object| Some(Commit::parse(&object.bytes).ok()?.message))
    }

    /// An object of at most `max` bytes, its id checked.
    pub(super) fn object(&self, oid: Oid, kind: Kind, max: u64) -> Result<Object, ReadError> {
        match self.extra(oid, kind) {
            Some(object) => Ok(object.clone()),
            None => self.repo.read_object(oid, kind, max),
        }
    }

    fn extra(&self, oid: Oid, kind: Kind) -> Option<&Object> {
        self.extra.get(&oid).filter(|object| object.kind == kind)
    }
}

/// Whether by a ref of that name git takes one object for another: that is told as what it does, and not as a stray.
pub(super) fn is_replacement(name: &str) -> bool {
    name.starts_with("refs/replace/")
}

impl View<'_> {
    /// Does `work` for each number below `count` on several processors, and gives the results to `take` in order.
    pub(super) fn in_order<T: Send>(
        &self,
        count: usize,
        work: impl Fn(&Reading<'_>, usize) -> T + Sync,
        mut take: impl FnMut(usize, T),
    ) {
        let extra = &self.extra;
        let mut readers = self.readers.try_borrow_mut().ok().filter(|_| count > 1);
        if let Some(readers) = readers.as_mut().filter(|readers| readers.is_empty()) {
            let repos = self.repo.readers(processors()).unwrap_or_default().into_iter();
            **readers = repos.map(|repo| Reader { repo, room: Vec::new() }).collect();
        }
        match readers.as_mut().filter(|readers| !readers.is_empty()) {
            Some(readers) => in_order(
                readers.as_mut_slice(),
                count,
                |Reader { repo, room }, number| {
                    let reading = Reading {
                        repo,
                        extra,
                        room: Cell::new(std::mem::take(room)),
                    };
                    let done = work(&reading, number);
                    *room = reading.room.into_inner();
                    done
                },
                take,
            ),
            // One is alone, or they are at work already.
            None => {
                let own = self.reading();
                (0..count).for_each(|number| take(number, work(&own, number)));
            }
        }
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            repo: self.repo,
            extra: &self.extra,
            room: Cell::default(),
        }
    }
}

impl Objects for View<'_> {
    fn commit_at(&self, oid: Oid) -> Result<Commit, ReadError> {
        self.reading().commit_at(oid)
    }

    fn tree_at(&self, oid: Oid) -> Result<Vec<TreeEntry>, ReadError> {
        self.reading().tree_at(oid)
    }

    fn blob_at(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        self.reading().blob_at(oid, max)
    }
}

impl Reading<'_> {
    fn extra(&self, oid: Oid, kind: Kind) -> Option<&Object> {
        self.extra.get(&oid).filter(|object| object.kind == kind)
    }

    /// What `look` makes of a blob, its id **not** checked. It is read to where the one before was.
    pub(super) fn with_blob<T>(&self, oid: Oid, max: u64, look: impl FnOnce(&[u8]) -> T) -> Result<T, ReadError> {
        self.with_found(oid, Found::default(), max, look)
    }

    /// Looks for many objects at once.
    pub(super) fn find(&self, oids: impl Iterator<Item = Oid>) -> Vec<Found> {
        self.repo.find(oids)
    }

    /// The same as [`Reading::with_blob`] of what was found there.
    pub(super) fn with_found<T>(
        &self,
        oid: Oid,
        found: Found,
        max: u64,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, ReadError> {
        if let Some(object) = self.extra(oid, Kind::Blob) {
            return Ok(look(&object.bytes));
        }
        let mut room = self.room.take();
        let read = self.repo.read_found_to(oid, found, max, &mut room);
        let looked = read.map(|()| look(&room));
        if room.capacity() <= KEPT_MAX {
            self.room.set(room);
        }
        looked
    }

    /// A blob, its id checked: where what was found is not right.
    pub(super) fn blob_checked(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        match self.extra(oid, Kind::Blob) {
            Some(object) => Ok(object.bytes.clone()),
            None => self.repo.read_blob(oid, max),
        }
    }

    /// A tree's bytes, its id checked.
    pub(super) fn tree_bytes(&self, oid: Oid) -> Result<Vec<u8>, ReadError> {
        match self.extra(oid, Kind::Tree) {
            Some(object) => Ok(object.bytes.clone()),
            None => self.repo.read_tree_bytes(oid, TREE_MAX),
        }
    }
}

impl Objects for Reading<'_> {
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
