//! One log: its head, its tree, its lines, and, if asked for, each of its commits.

use super::leaves::Leaves;
use super::objects::{BUNDLE_MAX, Objects};
use super::verify::{Facts, Tally};
use super::verify_files::tree_files;
use super::view::{Reading, View};
use crate::chain::{
    BUNDLE_LEN, BadBundle, BadMessage, Entry, Frontier, GROUP_LEN, LogWalk, Message, Namespace, Problem, ReadLine,
    SignedCheckpoint, bundle_path, leaf_hash, lines_of, parse_bundle, verify_ssh,
};
use crate::crypto::sha256;
use crate::id::{Digest, LogName};
use crate::repo::{Commit, Kind, Mode, Oid, ReadError};
use std::collections::{BTreeMap, BTreeSet};

/// How many commits are followed where at most 255 should be.
const TAIL_MAX: usize = 1024;

/// A log as it was found.
pub(super) struct Found {
    /// Number of lines.
    pub(super) size: u64,
    /// The root over them.
    pub(super) root: Digest,
    /// The roots at the sizes asked for.
    pub(super) watched: BTreeMap<u64, Digest>,
    /// Its newest checkpoint.
    pub(super) checkpoint: Option<SignedCheckpoint>,
    pub(super) layout: Layout,
}

/// Where the lines of a log stand.
pub(super) struct Layout {
    bundles: Vec<Option<Oid>>,
    tail: Vec<Oid>,
    /// The tree over the lines before each bundle, and before the tail, as far as lines can be read.
    begins: Vec<Frontier>,
    leaves: Leaves,
}

struct Head {
    commit: Commit,
    oid: Oid,
    message: Message,
}

/// Verifies a log; `visit` is given each entry that can be read, in order. Each commit is looked at from the entry `deep` on,
/// if any is. None if it has no head.
#[allow(clippy::too_many_arguments)]
pub(super) fn verify_log(
    view: &View<'_>,
    log: LogName,
    oid: Oid,
    facts: &Facts,
    watch: BTreeSet<u64>,
    deep: Option<u64>,
    tally: &mut Tally,
    visit: &mut dyn FnMut(&Entry, &mut Tally),
) -> Option<Found> {
    let head = find_head(view, log, oid, tally)?;
    verify_head(&head, log, facts, tally);
    let signed = head.message.checkpoint.checkpoint;
    let bundles = bundles(view, log, head.commit.tree, signed.size / BUNDLE_LEN, tally);
    let tail = tail(view, log, &head, tally);
    let mut walk = LogWalk::new(log, watch);
    let (mut last_line, mut begins, mut leaves) = (Vec::new(), vec![Frontier::default()], Leaves::new());
    view.in_order(
        bundles.len(),
        |objects, number| bundles[number].map(|oid| read_bundle(objects, oid)),
        |number, bundle| {
            let number = number as u64;
            if let Some(bundle) = bundle.and_then(|read| told_bundle(read, log, number, tally)) {
                for line in &bundle.lines {
                    step(&mut walk, line, tally, visit);
                    leaves.push(&line.leaf, walk.group());
                }
                last_line = bundle.last;
            }
            begins.push(walk.frontier().clone());
        },
    );
    let layout = Layout {
        bundles,
        tail,
        begins,
        leaves,
    };
    if signed.size.is_multiple_of(BUNDLE_LEN) && last_line != head.message.line {
        let message = "the newest commit's entry is not the last of its bundle";
        tally.problem(Problem::at(log, signed.size.saturating_sub(1), 25, message));
    }
    let mut unfit = None;
    for oid in &layout.tail {
        // It was read a moment ago.
        let Ok(commit) = view.commit_at(*oid) else { continue };
        let seq = walk.size();
        step(&mut walk, &ReadLine::of(line_of(&commit)), tally, visit);
        if !verify_message(log, seq, &commit, walk.frontier(), tally) {
            unfit = unfit.or(Some(seq));
        }
    }
    let end = walk.end();
    let sound = end.problems.is_empty();
    end.problems.into_iter().for_each(|problem| tally.problem(problem));
    let (size, root) = (end.frontier.size(), end.frontier.root());
    if size != signed.size && sound {
        let message = format!(
            "this log has {size} entries, and its newest checkpoint says {}",
            signed.size
        );
        tally.problem(Problem::at(log, size.min(signed.size), 26, message));
    } else if size == signed.size && root != signed.root {
        not_the_signed_root(view, log, &layout, signed.root, sound, tally);
    }
    // Where a line is wrong, no checkpoint after it can fit; the last one's misfit has its reason above.
    if let Some(seq) = unfit.filter(|seq| sound && (*seq + 1 != size || root == signed.root)) {
        let message = format!("the checkpoint of entry {seq} is not over the entries up to it");
        tally.problem(Problem::at(log, seq, 24, message));
    }
    if let Some(from) = deep {
        verify_deep(view, log, &head, &layout, facts, from, tally);
    }
    Some(Found {
        size,
        root,
        watched: end.watched,
        checkpoint: Some(head.message.checkpoint),
        layout,
    })
}

fn step(walk: &mut LogWalk, line: &ReadLine, tally: &mut Tally, visit: &mut dyn FnMut(&Entry, &mut Tally)) {
    if let Some(parsed) = walk.line(line) {
        visit(&parsed.entry, tally);
    }
}

/// The newest commit that has the form of an audit commit; those above it are reported.
fn find_head(view: &View<'_>, log: LogName, oid: Oid, tally: &mut Tally) -> Option<Head> {
    let (mut oid, mut malformed): (Oid, Vec<Option<u64>>) = (oid, Vec::new());
    let head = loop {
        let commit = match view.commit_at(oid) {
            Ok(commit) => commit,
            Err(error) => {
                let what = "the newest commit of this log cannot be read";
                tally.unreadable(&error, (Some(log), None), (10, 1), what);
                oversize(&error, log, None, tally);
                if matches!(error, ReadError::Commit { .. } | ReadError::Kind { .. }) {
                    tally.problem(Problem::of(log, 24, format!("{what}: {error}")));
                }
                break None;
            }
        };
        match Message::parse(commit.message.as_bytes()) {
            Ok(message) => break Some(Head { commit, oid, message }),
            Err(BadMessage::FrontierMismatch) => {
                let message = Message::parse_unjoined(commit.message.as_bytes()).ok()?;
                let seq = message.checkpoint.checkpoint.size.saturating_sub(1);
                tally.problem(Problem::at(log, seq, 24, BadMessage::FrontierMismatch.to_string()));
                break Some(Head { commit, oid, message });
            }
            Err(BadMessage::Malformed) => {
                malformed.push(Entry::parse(line_of(&commit)).ok().map(|parsed| parsed.entry.seq));
                if let Err(bad) = Entry::parse(line_of(&commit)) {
                    tally.problem(Problem::of(log, 27, format!("the newest entry cannot be read: {bad}")));
                }
                verify_parents(log, None, &commit, tally);
            }
        }
        let Some(parent) = commit_parent(&commit).filter(|_| malformed.len() < TAIL_MAX) else {
            break None;
        };
        oid = parent;
    };
    let below = head.as_ref().map(|head| head.message.checkpoint.checkpoint.size);
    let count = malformed.len() as u64;
    for (n, seq) in (0u64..).zip(malformed) {
        let seq = seq.or(below.map(|size| size.saturating_add(count - 1 - n)));
        let message = BadMessage::Malformed.to_string();
        tally.problem(Problem {
            log: Some(log),
            seq,
            case: 24,
            message,
        });
    }
    head
}

/// A commit larger than the longest entry allows.
fn oversize(error: &ReadError, log: LogName, seq: Option<u64>, tally: &mut Tally) {
    if matches!(error, ReadError::TooBig { .. }) {
        let message = format!("an entry is longer than an entry may be: {error}");
        tally.problem(Problem {
            log: Some(log),
            seq,
            case: 27,
            message,
        });
    }
}

fn commit_parent(commit: &Commit) -> Option<Oid> {
    commit.parents.first().copied()
}

/// The line of an audit commit, whatever else its message is.
fn line_of(commit: &Commit) -> &[u8] {
    let message = commit.message.as_bytes();
    &message[..memchr::memchr(b'\n', message).unwrap_or(message.len())]
}

/// Origin and signatures of the newest commit.
fn verify_head(head: &Head, log: LogName, facts: &Facts, tally: &mut Tally) {
    let seq = head.message.checkpoint.checkpoint.size.saturating_sub(1);
    verify_parents(log, Some(seq), &head.commit, tally);
    let Some(_) = facts.key(log.device) else {
        let message = "this log is of a device that no card ever admitted";
        tally.problem(Problem::at(log, seq, 12, message));
        tally.problem(Problem::at(log, 0, 15, message));
        return;
    };
    verify_signatures(log, seq, &head.commit, &head.message, facts, tally);
}

fn verify_signatures(log: LogName, seq: u64, commit: &Commit, message: &Message, facts: &Facts, tally: &mut Tally) {
    let Some(key) = facts.key(log.device) else { return };
    if let Err(bad) = message.checkpoint.check_origin(facts.vault, log) {
        tally.problem(Problem::at(log, seq, 23, bad.to_string()));
    }
    if let Err(bad) = message.checkpoint.verify(&key) {
        tally.problem(Problem::at(log, seq, 12, bad.to_string()));
    }
    let signature = commit.gpgsig.as_deref();
    let signed = signature.map(|text| verify_ssh(&key, Namespace::Git, &commit.signed, text));
    if !matches!(signed, Some(Ok(()))) {
        let how = if signed.is_none() {
            "is not signed"
        } else {
            "is not signed with the device's key"
        };
        tally.problem(Problem::at(log, seq, 12, format!("the commit of entry {seq} {how}")));
    }
}

/// One parent; none for the first entry.
fn verify_parents(log: LogName, seq: Option<u64>, commit: &Commit, tally: &mut Tally) {
    let allowed = usize::from(seq != Some(0));
    if commit.parents.len() > allowed {
        let message = match allowed {
            0 => "the commit of the first entry follows another commit",
            _ => "a commit of this log has more than one parent: histories were merged",
        };
        tally.problem(Problem {
            log: Some(log),
            seq,
            case: 30,
            message: message.into(),
        });
    }
}

/// The bundles that must be there, and nothing else in the tree.
fn bundles(view: &View<'_>, log: LogName, tree: Oid, count: u64, tally: &mut Tally) -> Vec<Option<Oid>> {
    let mut files = BTreeMap::new();
    let found = tree_files(view, tree, 2, &mut |path, error| {
        tally.unreadable(
            error,
            (Some(log), None),
            (26, 26),
            &format!("the folder `{path}` of this log's tree"),
        );
    });
    for file in found {
        files.insert(file.path, (file.mode, file.oid));
    }
    // A size that nobody could have signed must not cost memory.
    let count = count.min(files.len() as u64 + 1024);
    let mut bundles = Vec::new();
    for number in 0..count {
        let bundle = match files.remove(&bundle_path(number)) {
            Some((Mode::File, oid)) => Some(oid),
            _ => {
                let message = format!("bundle {number} of this log is missing");
                tally.problem(Problem::at(log, number * BUNDLE_LEN, 26, message));
                None
            }
        };
        bundles.push(bundle);
    }
    for path in files.into_keys() {
        tally.problem(Problem::of(
            log,
            26,
            format!("`{path}` does not belong into this log's tree"),
        ));
    }
    bundles
}

/// A bundle by itself.
struct ReadBundle {
    lines: Vec<ReadLine>,
    last: Vec<u8>,
    bad: Option<BadBundle>,
}

fn read_bundle(objects: &Reading<'_>, oid: Oid) -> Result<ReadBundle, ReadError> {
    objects.with_blob(oid, BUNDLE_MAX, |bytes| {
        let (lines, bad) = match parse_bundle(bytes) {
            Ok(lines) => (lines, None),
            Err(bad) => (some_lines(bytes).collect(), Some(bad)),
        };
        ReadBundle {
            last: lines.last().copied().unwrap_or_default().to_vec(),
            lines: lines.into_iter().map(ReadLine::of).collect(),
            bad,
        }
    })
}

/// The lines of a bundle. Of one that holds too many no more are looked at than show what is wrong: each line takes
/// room, and there may be millions.
fn some_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines_of(bytes).take(2 * BUNDLE_LEN as usize)
}

/// A bundle, if it can be read; what is wrong with it is reported.
fn told_bundle(
    read: Result<ReadBundle, ReadError>,
    log: LogName,
    number: u64,
    tally: &mut Tally,
) -> Option<ReadBundle> {
    let seq = number * BUNDLE_LEN;
    match read {
        Ok(bundle) => {
            if let Some(bad) = &bundle.bad {
                tally.problem(Problem::at(log, seq, 26, format!("bundle {number}: {bad}")));
            }
            Some(bundle)
        }
        Err(error) => {
            let what = format!("bundle {number} of this log cannot be read");
            tally.unreadable(&error, (Some(log), Some(seq)), (26, 26), &what);
            tally.unreadable(&error, (Some(log), Some(seq)), (26, 1), &what);
            None
        }
    }
}

/// The commits after the last bundle, oldest first.
fn tail(view: &View<'_>, log: LogName, head: &Head, tally: &mut Tally) -> Vec<Oid> {
    let signed = head.message.checkpoint.checkpoint.size;
    let floor = signed - signed % BUNDLE_LEN;
    let mut found = Vec::new();
    let (mut oid, mut commit) = (head.oid, head.commit.clone());
    loop {
        let message = Message::parse_unjoined(commit.message.as_bytes()).ok();
        let size = message.map(|message| message.checkpoint.checkpoint.size);
        if size.is_some_and(|size| size <= floor) {
            break;
        }
        if oid != head.oid {
            verify_parents(log, size.map(|size| size.saturating_sub(1)), &commit, tally);
        }
        found.push(oid);
        let below = signed.saturating_sub(1).checked_sub(found.len() as u64);
        let Some(parent) = commit_parent(&commit).filter(|_| size != Some(1)) else {
            break;
        };
        if found.len() >= TAIL_MAX {
            let message = "more entries than one bundle holds stand outside of bundles";
            tally.problem(Problem {
                log: Some(log),
                seq: below,
                case: 26,
                message: message.into(),
            });
            break;
        }
        commit = match view.commit_at(parent) {
            Ok(commit) => commit,
            Err(error) => {
                tally.unreadable(
                    &error,
                    (Some(log), below),
                    (2, 1),
                    "the commit of an entry cannot be read",
                );
                break;
            }
        };
        oid = parent;
    }
    found.reverse();
    found
}

/// The message of entry `seq` against the tree over the lines up to it: whether its checkpoint fits. What is wrong
/// with the message by itself is reported here.
fn verify_message(log: LogName, seq: u64, commit: &Commit, tree: &Frontier, tally: &mut Tally) -> bool {
    match Message::parse(commit.message.as_bytes()) {
        Err(bad) => {
            tally.problem(Problem::at(log, seq, 24, bad.to_string()));
            true
        }
        Ok(message) if message.checkpoint.checkpoint.log != log => {
            tally.problem(Problem::at(
                log,
                seq,
                23,
                "the checkpoint of this entry is of another log",
            ));
            true
        }
        Ok(message) => {
            let signed = message.checkpoint.checkpoint;
            signed.size == tree.size() && signed.root == tree.root()
        }
    }
}

/// How somebody may have hashed who does not tell leaves from nodes (RFC 6962 §2.1): the prefix of each.
const CONFUSIONS: [(&[u8], &[u8]); 8] = [
    (&[], &[]),
    (&[1], &[1]),
    (&[0], &[0]),
    (&[1], &[0]),
    (&[], &[1]),
    (&[0], &[]),
    (&[1], &[]),
    (&[], &[0]),
];

/// The lines do not hash to the root that was signed: why?
fn not_the_signed_root(view: &View<'_>, log: LogName, layout: &Layout, root: Digest, sound: bool, tally: &mut Tally) {
    let mut trees: Vec<Vec<(u32, Digest)>> = vec![Vec::new(); CONFUSIONS.len()];
    let mut size = 0u64;
    each_line(view, layout, &mut |line| {
        for ((leaf, node), roots) in CONFUSIONS.iter().zip(&mut trees) {
            let (mut height, mut hash) = (0, sha256(&[leaf, line]));
            while let Some((_, left)) = roots.pop_if(|(known, _)| *known == height) {
                (height, hash) = (height + 1, sha256(&[node, &left.0, &hash.0]));
            }
            roots.push((height, hash));
        }
        size += 1;
    });
    let confused = CONFUSIONS.iter().zip(trees).any(|((_, node), roots)| {
        let hashes = roots.into_iter().rev().map(|(_, hash)| hash);
        hashes.reduce(|right, left| sha256(&[node, &left.0, &right.0])) == Some(root)
    });
    let seq = size.saturating_sub(1);
    if confused {
        let message = "the signed root confuses the hashes of entries with those of the tree's nodes";
        tally.problem(Problem::at(log, seq, 28, message));
    } else if sound {
        let message = format!("the entries do not hash to the root that the device signed: entry {seq} was altered");
        tally.problem(Problem::at(log, seq, 1, message));
    }
}

/// Every line that can be read, in order.
pub(super) fn each_line(view: &View<'_>, layout: &Layout, visit: &mut dyn FnMut(&[u8])) {
    let bundle = |objects: &Reading<'_>, number: usize| objects.blob_at(layout.bundles[number]?, BUNDLE_MAX).ok();
    view.in_order(layout.bundles.len(), bundle, |_, bytes| {
        some_lines(&bytes.unwrap_or_default()).for_each(&mut *visit);
    });
    for oid in &layout.tail {
        if let Ok(commit) = view.commit_at(*oid) {
            visit(line_of(&commit));
        }
    }
}

/// The roots of a log at these sizes, as far as it has so many lines.
pub(super) fn roots_at(view: &View<'_>, layout: &Layout, sizes: &BTreeSet<u64>) -> BTreeMap<u64, Digest> {
    let mut roots = BTreeMap::new();
    let mut within: Vec<(usize, Vec<u64>)> = Vec::new();
    for (number, begin) in layout.begins.iter().enumerate() {
        if begin.size() > 0 && sizes.contains(&begin.size()) {
            roots.insert(begin.size(), begin.root());
        }
        let end = layout.begins.get(number + 1).map_or(u64::MAX, Frontier::size);
        let inside: Vec<u64> = match end > begin.size() + 1 {
            true => sizes.range(begin.size() + 1..end).copied().collect(),
            false => Vec::new(),
        };
        if !inside.is_empty() {
            within.push((number, inside));
        }
    }
    let look = |objects: &Reading<'_>, piece: usize| {
        let (number, inside) = &within[piece];
        let begin = &layout.begins[*number];
        let end = layout.begins.get(number + 1).map(Frontier::size);
        let put_aside = end.and_then(|end| layout.leaves.between(begin.size(), end));
        let groups = end.and_then(|end| layout.leaves.groups(begin.size(), end));
        if let (Some(leaves), Some(groups)) = (&put_aside, groups) {
            return roots_among(begin, leaves, &groups, inside);
        }
        let (mut tree, mut inside) = (begin.clone(), inside.iter().peekable());
        let mut found = Vec::new();
        let mut take = |leaf: Digest| {
            tree.push(leaf);
            found.extend(inside.next_if_eq(&&tree.size()).map(|size| (*size, tree.root())));
        };
        match (put_aside, layout.bundles.get(*number)) {
            (Some(leaves), _) => leaves.into_iter().for_each(take),
            (None, Some(bundle)) => {
                let bytes = bundle.and_then(|oid| objects.blob_at(oid, BUNDLE_MAX).ok());
                some_lines(&bytes.unwrap_or_default()).for_each(|line| take(leaf_hash(line)));
            }
            (None, None) => {
                let commits = layout.tail.iter().filter_map(|oid| objects.commit_at(*oid).ok());
                commits.for_each(|commit| take(leaf_hash(line_of(&commit))));
            }
        }
        found
    };
    view.in_order(within.len(), look, |_, found| roots.extend(found));
    roots
}

/// The same for sizes, in order, that a log has between `begin` and the end of the `leaves` after it, which `groups` has too.
fn roots_among(begin: &Frontier, leaves: &[Digest], groups: &[Digest], sizes: &[u64]) -> Vec<(u64, Digest)> {
    let (mut tree, mut groups) = (begin.clone(), groups.iter());
    let root = |size: &u64| {
        while tree.size() + GROUP_LEN <= *size
            && let Some(group) = groups.next()
        {
            tree.push_group(*group);
        }
        let mut within = tree.clone();
        let from = (tree.size() - begin.size()) as usize;
        let own = leaves.iter().skip(from).take((size - tree.size()) as usize);
        own.for_each(|leaf| within.push(*leaf));
        (within.size() == *size).then(|| (*size, within.root()))
    };
    sizes.iter().filter_map(root).collect()
}

/// The hash of every line that can be read, in order.
pub(super) fn each_leaf(view: &View<'_>, layout: &Layout, visit: &mut dyn FnMut(Digest)) {
    each_line(view, layout, &mut |line| visit(leaf_hash(line)));
}

/// Every commit from an entry on: its parents, its signatures, its checkpoint, and its line, which a bundle may hold too.
fn verify_deep(
    view: &View<'_>,
    log: LogName,
    head: &Head,
    layout: &Layout,
    facts: &Facts,
    from: u64,
    tally: &mut Tally,
) {
    let size = head.message.checkpoint.checkpoint.size;
    // The tree over all before a bundle is known, and the bundle's own lines lead to its entries.
    let whole = layout.begins.len().saturating_sub(1) as u64;
    let begun = (from.min(size) / BUNDLE_LEN).min(whole);
    let floor = begun * BUNDLE_LEN;
    let mut oids = Vec::new();
    let mut next = Some(head.oid);
    // One more than is looked at, which has the tree that those after it have.
    while let Some(oid) = next.filter(|_| floor == 0 || (oids.len() as u64) < size - floor + 1) {
        let Ok(commit) = view.commit_at(oid) else {
            let seq = size.checked_sub(1 + oids.len() as u64);
            let message = "a commit of this log is missing or damaged".into();
            tally.problem(Problem {
                log: Some(log),
                seq,
                case: 25,
                message,
            });
            break;
        };
        oids.push(oid);
        if oids.len() as u64 > size {
            let message = format!("this log has more commits than its {size} entries");
            tally.problem(Problem::of(log, 25, message));
            break;
        }
        next = commit_parent(&commit);
    }
    if (oids.len() as u64) < size - floor {
        let message = format!("this log has {} commits for {size} entries", oids.len());
        tally.problem(Problem::of(log, 25, message));
    }
    // What is there is the end of the log; one too many is its oldest.
    let last_known = (floor > 0).then(|| usize::try_from(size - floor).unwrap_or(usize::MAX));
    let last_known = last_known.and_then(|at| oids.get(at).copied());
    oids.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    oids.reverse();
    let first = size.saturating_sub(oids.len() as u64);
    let commit_of = |seq: u64| oids.get(usize::try_from(seq.checked_sub(first)?).ok()?).copied();
    // Where a bundle cannot be read, the commits say what stood in it.
    let checked = |objects: &Reading<'_>, seq: u64, line: Option<&[u8]>| {
        let commit = commit_of(seq).and_then(|oid| objects.commit_at(oid).ok());
        let own = commit.as_ref().map(line_of);
        let line = line.or(own)?.to_vec();
        let (mut tally, same) = (Tally::default(), own == Some(&line));
        if let Some(commit) = &commit {
            verify_commit(log, seq, commit, &line, facts, &mut tally);
        }
        let leaf = leaf_hash(&line);
        Some(Checked {
            seq,
            leaf,
            same,
            commit,
            tally,
        })
    };
    let piece = |objects: &Reading<'_>, number: usize| -> Vec<Checked> {
        let number = number + begun as usize;
        let seq = number as u64 * BUNDLE_LEN;
        let bundle = layout.bundles.get(number).copied().flatten();
        let check = |seq, line: Option<&[u8]>| checked(objects, seq, line);
        match bundle.and_then(|oid| objects.blob_at(oid, BUNDLE_MAX).ok()) {
            Some(bytes) => {
                let lines = (seq..).zip(some_lines(&bytes));
                lines.filter_map(|(seq, line)| check(seq, Some(line))).collect()
            }
            None => (seq..size.min(seq + BUNDLE_LEN))
                .filter_map(|seq| check(seq, None))
                .collect(),
        }
    };
    let mut frontier = layout.begins.get(begun as usize).cloned().unwrap_or_default();
    let known = last_known.and_then(|oid| view.commit_at(oid).ok());
    let mut trees = Trees::new(layout, known.map(|commit| commit.tree));
    let pieces = layout.bundles.len() + 1 - (begun as usize).min(layout.bundles.len());
    view.in_order(pieces, piece, |_, entries| {
        for entry in entries {
            frontier.push(entry.leaf);
            let (seq, commit) = (entry.seq, entry.commit);
            if seq >= from {
                tally.absorb(entry.tally);
            }
            let Some(commit) = commit.filter(|_| seq >= from) else {
                continue;
            };
            if entry.same && !verify_message(log, seq, &commit, &frontier, tally) {
                let message = format!("the checkpoint of entry {seq} is not over the entries up to it");
                tally.problem(Problem::at(log, seq, 24, message));
            }
            if !trees.fits(view, seq, commit.tree) {
                let message = format!("the tree of entry {seq} is not the bundles that were closed by then");
                tally.problem(Problem::at(log, seq, 26, message));
            }
        }
    });
}

/// An entry and its commit, each by itself.
struct Checked {
    seq: u64,
    leaf: Digest,
    /// Whether the commit holds the entry's line.
    same: bool,
    commit: Option<Commit>,
    tally: Tally,
}

/// What the tree of each commit must be: the bundles closed by then, as the newest tree has them.
struct Trees<'a> {
    layout: &'a Layout,
    due: Oid,
}

impl<'a> Trees<'a> {
    /// `due`: the tree of the commit before the first, if there is one.
    fn new(layout: &'a Layout, due: Option<Oid>) -> Self {
        let due = due.unwrap_or_else(|| Oid::hash_object(Kind::Tree, &[]));
        Self { layout, due }
    }

    fn fits(&mut self, view: &View<'_>, seq: u64, tree: Oid) -> bool {
        let size = seq + 1;
        if !size.is_multiple_of(BUNDLE_LEN) {
            return tree == self.due;
        }
        self.due = tree;
        let mut readable = true;
        let files = tree_files(view, tree, 2, &mut |_, _| readable = false);
        let closed = (0..size / BUNDLE_LEN).zip(&self.layout.bundles);
        let mut due: Vec<_> = closed.map(|(number, oid)| (bundle_path(number), *oid)).collect();
        due.sort();
        let plain = files.iter().all(|file| file.mode == Mode::File);
        let found = files.into_iter().map(|file| (file.path, Some(file.oid)));
        readable && plain && due.into_iter().eq(found)
    }
}

/// What can be said of an entry's commit without the entries before it.
fn verify_commit(log: LogName, seq: u64, commit: &Commit, line: &[u8], facts: &Facts, tally: &mut Tally) {
    verify_parents(log, Some(seq), commit, tally);
    if line_of(commit) != line {
        let message = format!("entry {seq} in its bundle is not the one in its commit");
        tally.problem(Problem::at(log, seq, 25, message));
    }
    if let Ok(message) = Message::parse_unjoined(commit.message.as_bytes()) {
        verify_signatures(log, seq, commit, &message, facts, tally);
    }
    let time = Entry::parse(line).ok().map(|parsed| parsed.entry.time);
    let by = |person: &String| time.is_none_or(|time| facts.is_by(person, log.device, time));
    if facts.key(log.device).is_some() && !(by(&commit.author) && by(&commit.committer)) {
        let message = format!("the commit of entry {seq} is not by the entry's author at the entry's time");
        tally.problem(Problem::at(log, seq, 25, message));
    }
}
