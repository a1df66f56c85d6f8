//! One pass over a log that is trusted as a whole: its lines hash to the root that its device signed.

use super::objects::{BUNDLE_MAX, Objects};
use crate::chain::{BUNDLE_LEN, Frontier, Message, bundle_path, leaf_hash, parse_bundle};
use crate::id::Digest;
use crate::repo::{Commit, Mode, Oid, ReadError, TreeEntry};
use std::collections::{BTreeMap, BTreeSet};

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was found is not what a log looks like.
    #[error("{0}")]
    Broken(String),
}

pub(super) fn broken(what: impl Into<String>) -> ScanError {
    ScanError::Broken(what.into())
}

/// The newest commit of a log.
pub(super) struct Head {
    pub(super) oid: Oid,
    pub(super) commit: Commit,
    pub(super) message: Message,
}

impl Head {
    pub(super) fn read(objects: &dyn Objects, oid: Oid) -> Result<Self, ScanError> {
        let commit = objects.commit_at(oid)?;
        let message = Message::parse(commit.message.as_bytes()).map_err(|bad| broken(bad.to_string()))?;
        Ok(Self { oid, commit, message })
    }

    pub(super) fn size(&self) -> u64 {
        self.message.checkpoint.checkpoint.size
    }
}

/// What a scan found: the tree over all lines, and its roots at the sizes asked for.
pub(super) struct Scanned {
    pub(super) frontier: Frontier,
    pub(super) last_leaf: Digest,
    pub(super) roots: BTreeMap<u64, Digest>,
}

/// Calls `visit` with every line of the log, in order, and checks that all of them hash to the head's root.
pub(super) fn scan(
    objects: &dyn Objects,
    head: &Head,
    at: &BTreeSet<u64>,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<Scanned, ScanError> {
    let mut scanned = Scanned {
        frontier: Frontier::default(),
        last_leaf: Digest([0; 32]),
        roots: BTreeMap::new(),
    };
    let mut line = |line: &[u8]| {
        scanned.last_leaf = leaf_hash(line);
        scanned.frontier.push(scanned.last_leaf);
        if at.contains(&scanned.frontier.size()) {
            scanned.roots.insert(scanned.frontier.size(), scanned.frontier.root());
        }
        visit(line);
    };
    each_line(objects, head, 0, &mut line)?;
    let signed = &head.message.checkpoint.checkpoint;
    if scanned.frontier.size() == signed.size && scanned.frontier.root() == signed.root {
        Ok(scanned)
    } else {
        Err(broken("its entries do not hash to the root that its device signed"))
    }
}

/// The same for a log whose first lines were read before, and hashed to `begun`: calls `visit` with every line after
/// them, and gives the tree over all.
pub(super) fn scan_on(
    objects: &dyn Objects,
    head: &Head,
    begun: Frontier,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<Frontier, ScanError> {
    let mut frontier = begun;
    each_line(objects, head, frontier.size(), &mut |line| {
        frontier.push(leaf_hash(line));
        visit(line);
    })?;
    let signed = &head.message.checkpoint.checkpoint;
    match frontier.size() == signed.size && frontier.root() == signed.root {
        true => Ok(frontier),
        false => Err(broken("its entries do not hash to the root that its device signed")),
    }
}

/// The lines of a log from one on.
fn each_line(objects: &dyn Objects, head: &Head, from: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), ScanError> {
    let bundles = head.size() / BUNDLE_LEN;
    for number in from / BUNDLE_LEN..bundles {
        let bytes = read_bundle(objects, head.commit.tree, number)?;
        let lines = parse_bundle(&bytes).map_err(|bad| broken(format!("bundle {number}: {bad}")))?;
        let known = from.saturating_sub(number * BUNDLE_LEN) as usize;
        lines.into_iter().skip(known).for_each(&mut *visit);
    }
    let lines = tail(objects, head, from)?;
    lines.iter().for_each(|line| visit(line));
    Ok(())
}

pub(super) fn read_bundle(objects: &dyn Objects, tree: Oid, number: u64) -> Result<Vec<u8>, ScanError> {
    let missing = || broken(format!("bundle {number} is missing"));
    let mut here = tree;
    let path = bundle_path(number);
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        let entries: Vec<TreeEntry> = objects.tree_at(here)?;
        let want = if names.peek().is_some() { Mode::Tree } else { Mode::File };
        let entry = entries
            .into_iter()
            .find(|entry| entry.name == name && entry.mode == want);
        here = entry.ok_or_else(missing)?.oid;
    }
    Ok(objects.blob_at(here, BUNDLE_MAX)?)
}

/// The lines after the last closed bundle, oldest first, and only those from one on.
pub(super) fn tail(objects: &dyn Objects, head: &Head, from: u64) -> Result<Vec<Vec<u8>>, ScanError> {
    let begin = from.max(head.size() - head.size() % BUNDLE_LEN);
    let count = head.size().saturating_sub(begin) as usize;
    let mut lines = Vec::with_capacity(count);
    if count == 0 {
        return Ok(lines);
    }
    lines.push(head.message.line.clone());
    let mut commit = head.commit.clone();
    while lines.len() < count {
        let parent = *commit
            .parents
            .first()
            .ok_or_else(|| broken("it ends before its first entry"))?;
        commit = objects.commit_at(parent)?;
        let end = commit
            .message
            .find('\n')
            .ok_or_else(|| broken("a commit holds no entry"))?;
        lines.push(commit.message.as_bytes()[..end].to_vec());
    }
    lines.reverse();
    Ok(lines)
}
