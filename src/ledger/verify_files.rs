//! The files: exactly those that the logs say exist, with exactly the content that was written.

use super::charter::RawCharter;
use super::objects::{AUDIT, FILE_MAX, FileAt, MAIN, Objects};
use super::start::DEVICES;
use super::verify::{Scope, Tally};
use super::view::{Reading, View};
use crate::chain::{FileRef, LiveFile, LiveSet, Problem, note_and_digest};
use crate::crypto::sha256;
use crate::envelope::{BodyFile, BoxFile, DetailFile, PART_MAX, PartFile, WrapFile};
use crate::id::{Digest, EntryRef, LogName, NoteId, VaultId};
use crate::repo::{Mode, Oid, RawTree, ReadError, parse_tree};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

/// The most files that are listed below one tree: a tree can name itself many times over.
const FILES_MAX: usize = 1 << 20;

/// The files below a tree, at most `depth` folders deep; what cannot be read is given to `bad`, with its path.
pub(super) fn tree_files(
    objects: &dyn Objects,
    tree: Oid,
    depth: usize,
    bad: &mut dyn FnMut(&str, &ReadError),
) -> Vec<FileAt> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), tree, depth)];
    let mut read = 0;
    while let Some((prefix, oid, depth)) = folders.pop() {
        read += 1;
        let entries = match objects.tree_at(oid) {
            Ok(entries) => entries,
            Err(error) => {
                bad(&prefix, &error);
                continue;
            }
        };
        for entry in entries {
            let path = format!("{prefix}{}", entry.name);
            if entry.mode == Mode::Tree && depth > 0 {
                folders.push((format!("{path}/"), entry.oid, depth - 1));
            } else {
                found.push(FileAt {
                    path,
                    mode: entry.mode,
                    oid: entry.oid,
                });
            }
        }
        let size = (found.len() + folders.len() + read) as u64;
        if size > FILES_MAX as u64 {
            bad(
                &prefix,
                &ReadError::TooBig {
                    oid: tree,
                    size,
                    max: FILES_MAX as u64,
                },
            );
            break;
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// How many commits of a shard's history are looked at, unless all are asked for: each costs a folder, and there are 512
/// shards.
const HISTORY_OF_FILES: usize = 16;

/// What the logs say about one branch: the digests and entries of each live path.
type Expected = BTreeMap<String, Vec<(Digest, EntryRef)>>;

/// Verifies all branches but the logs; or, where it is looked at the logs alone, only that entries write to no other.
pub(super) fn verify_files(
    view: &View<'_>,
    raw: &RawCharter,
    live: &LiveSet,
    (vault, deep, scope): (VaultId, bool, Scope<'_>),
    tally: &mut Tally,
) {
    let mut expected = live.by_branch();
    let known = Known {
        live,
        contents: OnceLock::new(),
        notes: OnceLock::new(),
        vault,
    };
    let is_shard = |name: &str| name.starts_with("notes/") || name.starts_with("keys/");
    let all = view
        .branches
        .keys()
        .map(String::as_str)
        .chain(expected.keys().map(Cow::as_ref));
    let names: BTreeSet<&str> = all
        .filter(|name| !matches!(scope, Scope::Logs) && (*name == MAIN || is_shard(name)))
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mut strays = Vec::new();
    let branches = &view.branches;
    let of = |name: &str| expected.get(name).map(Vec::as_slice).unwrap_or_default();
    let look = |objects: &Reading<'_>, number: usize| {
        let name = names[number];
        let mut tally = Tally::default();
        let mut branch = Branch::new(name, of(name), &known);
        match (name, branches.get(name)) {
            (MAIN, _) => branch.main(raw, &mut tally),
            (_, Some(oid)) => branch.shard(objects, *oid, scope, &mut tally),
            (_, None) => {}
        }
        branch.absent(&mut tally);
        if let Some(oid) = branches.get(name) {
            let shard = branch.tree.take().map(|tree| (tree, live));
            let most = match (scope, deep) {
                // That the branch itself cannot be read was said.
                _ if is_shard(name) && shard.is_none() => 1,
                (Scope::Since(_), _) if scope.stands(name, *oid) => 1,
                (Scope::Since(_), _) | (_, true) => usize::MAX,
                _ => HISTORY_OF_FILES,
            };
            verify_history(objects, name, (*oid, scope.before(name)), shard, most, &mut tally);
        }
        (branch.strays, tally)
    };
    view.in_order(names.len(), look, |_, (found, told)| {
        strays.extend(found);
        tally.absorb(told);
    });
    expected.retain(|name, _| name != MAIN && !is_shard(name));
    report_strays(&strays, matches!(scope, Scope::Since(_)), tally);
    for (name, files) in expected {
        // Of no branch that a vault has.
        let by = files.first().map(|(_, by)| *by);
        let message = format!("an entry says that it wrote to `{name}`, which is no part of a vault");
        let case = if name.starts_with(AUDIT) { 26 } else { 32 };
        tally.problem(Problem {
            log: by.map(|by| by.log),
            seq: by.map(|by| by.seq),
            case,
            message,
        });
    }
}

/// What all branches are judged by.
struct Known<'a> {
    live: &'a LiveSet,
    /// Made when something is wrong, and not before.
    contents: OnceLock<HashSet<Digest>>,
    notes: OnceLock<HashSet<NoteId>>,
    vault: VaultId,
}

impl Known<'_> {
    /// Whether that content belongs to any live file.
    fn has_content(&self, content: &Digest) -> bool {
        let all = || self.live.iter().map(|(file, _)| file.digest()).collect();
        self.contents.get_or_init(all).contains(content)
    }

    /// Whether any live file is of that note.
    fn has_note(&self, note: &NoteId) -> bool {
        let of = |(file, _): (&LiveFile, EntryRef)| file.note().or_else(|| Some(note_and_digest(&file.file().1)?.0));
        let all = || self.live.iter().filter_map(of).collect();
        self.notes.get_or_init(all).contains(note)
    }
}

struct Branch<'a> {
    name: &'a str,
    /// What the logs say of it.
    files: &'a [(&'a LiveFile, EntryRef)],
    /// The same by path, for all that is not as plain as most: made when it is asked for.
    expected: OnceCell<Expected>,
    known: &'a Known<'a>,
    /// Files that are there as their names say, each of which there is one.
    found: Vec<LiveFile>,
    /// And others that are there.
    present: HashSet<(String, Digest)>,
    strays: Vec<Stray>,
    tree: Option<RawTree>,
}

/// A file that stands in no entry, and the cases that it is.
struct Stray {
    what: String,
    cases: Vec<u8>,
}

/// Where entries were lost, all they wrote looks unknown: that is told once, not for each file, unless `each` is asked for.
fn report_strays(strays: &[Stray], each: bool, tally: &mut Tally) {
    let told = if tally.lacks_entries() && !each {
        1
    } else {
        strays.len()
    };
    for case in [32, 34, 36] {
        let of: Vec<&Stray> = strays.iter().filter(|stray| stray.cases.contains(&case)).collect();
        for (n, stray) in of.iter().take(told).enumerate() {
            let more = of.len() - n - 1;
            let message = match more {
                more if n + 1 == told && more > 0 => {
                    format!("{} stands in no entry that is left, and {more} more files", stray.what)
                }
                _ => format!("{} stands in no entry", stray.what),
            };
            tally.problem(Problem::vault(case, message));
        }
    }
}

impl<'a> Branch<'a> {
    fn new(name: &'a str, files: &'a [(&'a LiveFile, EntryRef)], known: &'a Known<'a>) -> Self {
        Self {
            name,
            files,
            expected: OnceCell::new(),
            known,
            found: Vec::new(),
            present: HashSet::new(),
            strays: Vec::new(),
            tree: None,
        }
    }

    fn expected(&self) -> &Expected {
        self.expected.get_or_init(|| {
            let mut expected = Expected::new();
            for (file, by) in self.files {
                let FileRef(_, path, digest) = file.file();
                expected.entry(path).or_default().push((digest, *by));
            }
            expected
        })
    }

    /// Files that say who belongs to the vault, by which rules, and with which keys.
    fn is_rules(&self) -> bool {
        self.name == MAIN || self.name == DEVICES
    }

    fn file_ref(&self, path: &str, digest: Digest) -> FileRef {
        FileRef(self.name.to_owned(), path.to_owned(), digest)
    }

    fn at(&self, path: &str) -> (Option<LogName>, Option<u64>) {
        let by = self
            .expected()
            .get(path)
            .and_then(|files| files.first())
            .map(|(_, by)| *by);
        (by.map(|by| by.log), by.map(|by| by.seq))
    }

    fn report(&self, path: &str, cases: &[u8], message: &str, tally: &mut Tally) {
        let (log, seq) = self.at(path);
        let rules = self.is_rules().then_some(36);
        for case in cases.iter().copied().chain(rules) {
            let message = format!("`{path}` on the branch `{}` {message}", self.name);
            tally.problem(Problem {
                log,
                seq,
                case,
                message,
            });
        }
    }

    fn main(&mut self, raw: &RawCharter, tally: &mut Tally) {
        for path in &raw.strays {
            self.report(path, &[32], "is not a plain file", tally);
        }
        for (path, bytes) in &raw.files {
            self.file(path, sha256(&[bytes]), tally);
        }
    }

    /// Bodies that the branch held before were read then; and of what comes since, nothing is read that no entry wrote.
    fn shard(&mut self, objects: &Reading<'_>, oid: Oid, scope: Scope<'_>, tally: &mut Tally) {
        let name = self.name;
        let known = scope.before(name).filter(|_| name.starts_with("notes/"));
        let known = known.map(|commit| files_at(objects, commit)).unwrap_or_default();
        let tree = match objects.commit_at(oid) {
            Ok(commit) => commit.tree,
            Err(error) => {
                let what = format!("the branch `{name}` cannot be read");
                return tally.unreadable(&error, (None, None), (32, 33), &what);
            }
        };
        let read = objects.tree_bytes(tree).and_then(|bytes| Ok(RawTree::parse(bytes)?));
        let raw = match read {
            Ok(raw) => raw,
            Err(error) => {
                let what = format!("the branch `{name}` cannot be read");
                return tally.unreadable(&error, (None, None), (32, 33), &what);
            }
        };
        let max = if name.starts_with("notes/") {
            PART_MAX as u64
        } else {
            FILE_MAX
        };
        let found = objects.find(raw.iter().map(|(_, _, oid)| oid));
        for ((mode, path, oid), found) in raw.iter().zip(found) {
            if mode != Mode::File {
                self.report(path, &[32], "is not a plain file", tally);
                continue;
            }
            let came = matches!(scope, Scope::Since(_));
            if came && (known.contains(&(path.to_owned(), oid)) || !self.expected().contains_key(path)) {
                let named = path.rsplit_once('.').and_then(|(_, digest)| digest.parse().ok());
                let _ = self.file(path, named.unwrap_or(Digest([0; 32])), tally);
                continue;
            }
            let look = |bytes: &[u8]| {
                let content = sha256(&[bytes]);
                let fits = self.is_written(path, &content);
                if fits && self.file(path, content, tally) {
                    self.sealed(path, bytes, tally);
                }
                (!fits).then_some(content)
            };
            let error = match objects.with_found(oid, found, max, look) {
                Ok(None) => continue,
                // Another object's id may begin alike and be found first.
                Ok(Some(content)) => {
                    let bytes = objects.blob_checked(oid, max).unwrap_or_default();
                    let whole = sha256(&[&bytes]);
                    let fits = self.is_written(path, &whole);
                    if self.file(path, if fits { whole } else { content }, tally) {
                        self.sealed(path, &bytes, tally);
                    }
                    continue;
                }
                Err(error) => error,
            };
            let what = format!("`{path}` on the branch `{name}` cannot be read");
            tally.unreadable(&error, self.at(path), (32, 33), &what);
            // It stands in the tree; that its content is gone was said.
            let digests = self.expected().get(path).into_iter().flatten();
            let there: Vec<_> = digests.map(|(digest, _)| (path.to_owned(), *digest)).collect();
            self.present.extend(there);
        }
        self.tree = Some(raw);
    }

    /// Whether an entry wrote this content to a file.
    fn is_written(&self, path: &str, content: &Digest) -> bool {
        let named = LiveFile::named(self.name, path).filter(|named| named.digest() == *content);
        let expected = || self.expected().get(path).into_iter().flatten();
        named.is_some_and(|named| self.known.live.lives(&named)) || expected().any(|(digest, _)| digest == content)
    }

    /// Whether a file is the one that an entry wrote; reports why not.
    fn file(&mut self, path: &str, content: Digest, tally: &mut Tally) -> bool {
        // Most are of notes, and named by what they hold.
        let named = LiveFile::named(self.name, path).filter(|named| named.digest() == content);
        if let Some(named) = named.filter(|named| self.known.live.lives(named)) {
            self.found.push(named);
            return true;
        }
        let digests: Vec<Digest> = self
            .expected()
            .get(path)
            .into_iter()
            .flatten()
            .map(|(digest, _)| *digest)
            .collect();
        if digests.contains(&content) {
            self.present.insert((path.to_owned(), content));
            return true;
        }
        let elsewhere = self.known.has_content(&content);
        let back = self.known.live.is_forgotten(&self.file_ref(path, content));
        if !digests.is_empty() {
            let mut cases = vec![33];
            cases.extend(elsewhere.then_some(34));
            cases.extend(back.then_some(37));
            let message = match (elsewhere, back) {
                (true, _) => "holds what belongs to another file: files were swapped or moved",
                (_, true) => "is an earlier version, which was superseded",
                _ => "is not what the log says was written",
            };
            self.report(path, &cases, message, tally);
            self.present
                .extend(digests.into_iter().map(|digest| (path.to_owned(), digest)));
            return false;
        }
        let named = note_and_digest(path);
        let named_back = named.is_some_and(|(_, digest)| self.known.live.is_forgotten(&self.file_ref(path, digest)));
        if back || named_back {
            self.report(path, &[37], "was destroyed or superseded, and is back", tally);
            return false;
        }
        let known = elsewhere || named.is_some_and(|(note, _)| self.known.has_note(&note));
        let mut cases = vec![32];
        cases.extend((known && !self.is_rules()).then_some(34));
        cases.extend(self.is_rules().then_some(36));
        let what = format!("`{path}` on the branch `{}`", self.name);
        self.strays.push(Stray { what, cases });
        false
    }

    /// What every live file of the branch must be: there.
    fn absent(&self, tally: &mut Tally) {
        if self.found.len() == self.files.len() {
            return;
        }
        let there: HashSet<&LiveFile> = self.found.iter().collect();
        for (path, files) in self.expected() {
            for (digest, _) in files {
                let found = LiveFile::named(self.name, path).filter(|named| named.digest() == *digest);
                if found.is_some_and(|found| there.contains(&found)) {
                    continue;
                }
                if !self.present.contains(&(path.to_string(), *digest)) {
                    self.report(
                        path,
                        &[32, 37],
                        "is missing: an entry wrote it, and none forgot it",
                        tally,
                    );
                }
            }
        }
    }

    /// What an entry wrote is what its name says. A wrap of a body that nobody wrote opens nothing, and is told. Whoever wraps a
    /// body anew may not know that it was forgotten meanwhile, or that a card no longer accepts the entry that wrote it.
    fn sealed(&self, path: &str, bytes: &[u8], tally: &mut Tally) {
        let body = match wrapped(self.name, path, bytes, self.known.vault) {
            Ok(body) => body,
            Err(what) => return self.report(path, &[34], what, tally),
        };
        if body.is_some_and(|body| !self.known.live.was_ever_written(&body)) {
            let (log, seq) = self.at(path);
            let message = format!(
                "`{path}` on the branch `{}` wraps a body that no entry here wrote: it was made up, or written beyond what is accepted of a removed device's log",
                self.name
            );
            tally.finding(Problem {
                log,
                seq,
                case: 34,
                message,
            });
        }
    }
}

/// What is wrong with a file on a branch of files, by what is in it: bodies, parts and wraps belong to the note whose name they
/// bear, and stand in its shard; key boxes and detail keys are what their names say. Whether the body of a wrap exists is no
/// matter: that follows from other logs, and cards, and may be otherwise where the wrap was made.
pub(super) fn misfit(branch: &str, path: &str, bytes: &[u8], vault: VaultId) -> Option<&'static str> {
    wrapped(branch, path, bytes, vault).err()
}

/// The body that a file gives the key of, if it is a wrap; or what is wrong with it.
fn wrapped(branch: &str, path: &str, bytes: &[u8], vault: VaultId) -> Result<Option<LiveFile>, &'static str> {
    if branch == DEVICES {
        let is_one = is_key_file(path, bytes, vault).then_some(None);
        return is_one.ok_or("holds other keys than its name says, or none");
    }
    let (note, _) = note_and_digest(path).ok_or("does not bear the name of a note")?;
    let misplaced = "belongs to another note than its name says, or to none";
    let shard = branch.split_once('/').map_or(branch, |(_, shard)| shard);
    let here = |place| note.is_in(shard) && place == Ok((vault, note));
    if !branch.starts_with("keys/") {
        let part = || PartFile::parse(bytes).and_then(|part| part.place());
        let place = BodyFile::parse(bytes).and_then(|body| body.place()).or_else(|_| part());
        return here(place).then_some(None).ok_or(misplaced);
    }
    let wrap = WrapFile::parse(bytes).ok().filter(|wrap| here(wrap.place()));
    let body = wrap.and_then(|wrap| wrap.body().ok());
    body.map(|body| Some(LiveFile::body(note, body))).ok_or(misplaced)
}

/// Whether a key box or a detail key is what its name says.
fn is_key_file(path: &str, bytes: &[u8], vault: VaultId) -> bool {
    let stem = path.split_once('.').map_or(path, |(stem, _)| stem);
    match stem.strip_prefix("detail-") {
        Some(key) => {
            let place = DetailFile::parse(bytes).and_then(|file| file.place());
            place.is_ok_and(|place| key.parse().is_ok_and(|key| place == (vault, key)))
        }
        None => {
            let place = BoxFile::parse(bytes).and_then(|file| file.place());
            place.is_ok_and(|place| stem.parse().is_ok_and(|device| place == (vault, device)))
        }
    }
}

/// The files of a shard at a commit, with their objects, as far as they can be read.
fn files_at(objects: &Reading<'_>, commit: Oid) -> HashSet<(String, Oid)> {
    let entries = objects
        .commit_at(commit)
        .and_then(|commit| objects.tree_at(commit.tree));
    let files = entries.unwrap_or_default().into_iter();
    files.map(|entry| (entry.name, entry.oid)).collect()
}

/// One parent at most: nobody merges. And a shard's history holds only what the shard holds: whatever is forgotten
/// leaves it too, by re-rooting. The history of what the branch was `before`, if it holds all of that, was judged then.
fn verify_history(
    objects: &Reading<'_>,
    name: &str,
    (oid, before): (Oid, Option<Oid>),
    shard: Option<(RawTree, &LiveSet)>,
    most: usize,
    tally: &mut Tally,
) {
    let unreadable = |error: &ReadError, tally: &mut Tally| {
        let what = format!("the history of the branch `{name}` cannot be read");
        tally.unreadable(error, (None, None), (30, 33), &what);
    };
    let (mut next, mut left) = (Some(oid), most);
    while let Some(at) = next.filter(|_| left > 0) {
        left -= 1;
        let commit = match objects.commit_at(at) {
            Ok(commit) => commit,
            Err(error) => return unreadable(&error, tally),
        };
        if commit.parents.len() > 1 {
            let message = format!("the branch `{name}` holds a commit with more than one parent");
            tally.problem(Problem::vault(30, message));
        }
        next = commit.parents.first().copied().filter(|_| Some(at) != before);
        // What the branch itself holds was judged.
        let Some((raw, live)) = shard.as_ref().filter(|_| at != oid) else {
            continue;
        };
        let bytes = match objects.tree_bytes(commit.tree) {
            Ok(bytes) if raw.holds_all_of(&bytes) => continue,
            Ok(bytes) => bytes,
            Err(error) => return unreadable(&error, tally),
        };
        let files = match parse_tree(&bytes) {
            Ok(files) => files,
            Err(bad) => return unreadable(&bad.into(), tally),
        };
        // Both in the order of their names, as trees have them.
        let mut there = raw.iter();
        for file in files {
            let is_there = there.by_ref().find(|(_, known, _)| *known >= file.name.as_str());
            if is_there.is_none_or(|(_, known, oid)| (known, oid) != (file.name.as_str(), file.oid)) {
                there = raw.iter();
                no_longer_there(name, &file.name, live, tally);
            }
        }
    }
}

fn no_longer_there(name: &str, path: &str, live: &LiveSet, tally: &mut Tally) {
    let forgotten = |digest| live.is_forgotten(&FileRef(name.to_owned(), path.to_owned(), digest));
    let named = path.rsplit_once('.').and_then(|(_, digest)| digest.parse().ok());
    let (case, what) = match named.is_some_and(forgotten) {
        true => (37, "was destroyed or superseded, and is back"),
        false => (32, "is none of the branch's files"),
    };
    let message = format!("`{path}` in the history of the branch `{name}` {what}");
    tally.problem(Problem::vault(case, message));
}
