//! What a byte of a vault's folder belongs to, so that what can be changed without effect is known by name.

use super::*;
use git2::{ObjectType, Oid};
use std::collections::HashMap;

/// Where the journal's records begin, and to what they are aligned.
const RECORDS: usize = 4096;
const SLOT: usize = 512;
const HEAD: usize = 68;
const RECORD_HEAD: usize = 56;

/// The files of a vault, and what they are made of.
pub(super) struct Kinds {
    roles: HashMap<Oid, String>,
    /// Of each pack: where each object begins and ends, and its role.
    packs: HashMap<String, Vec<(usize, usize, String)>>,
}

impl Kinds {
    pub(super) fn of(vault: &Path) -> Self {
        let repo = git2::Repository::open_bare(vault).unwrap();
        let mut roles = roles(&repo);
        // What the journal holds still is put back from there.
        let pending = Repo::open_to_verify(vault, Settings::of_this_run()).unwrap().pending();
        for object in pending.unwrap().iter().flat_map(|batch| &batch.objects) {
            let role = roles.get_mut(&Oid::from_str(&object.oid().to_string()).unwrap());
            role.into_iter()
                .for_each(|role| role.push_str(", which the journal holds"));
        }
        let mut packs = HashMap::new();
        for entry in std::fs::read_dir(vault.join("objects/pack")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "idx") {
                let (well, listed) = git(vault, &["verify-pack", "-v", path.to_str().unwrap()]);
                assert!(well);
                let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
                packs.insert(stem, in_pack(&listed, &roles));
            }
        }
        Self { roles, packs }
    }

    /// What an object is.
    pub(super) fn role(&self, oid: Oid) -> &str {
        self.roles
            .get(&oid)
            .map_or("an object that nothing leads to", String::as_str)
    }

    /// What a file is as a whole.
    pub(super) fn file(&self, path: &str) -> String {
        let name = path.rsplit('/').next().unwrap_or(path);
        match (Self::loose(path), name.rsplit_once('.')) {
            (Some(oid), _) => format!("loose: {}", self.role(oid)),
            (None, Some((_, "pack"))) => "a pack".to_owned(),
            (None, Some((_, "idx"))) => "an index of a pack".to_owned(),
            _ => match path.strip_prefix("refs/heads/") {
                Some(branch) => format!("ref: {}", class(branch)),
                None => path.to_owned(),
            },
        }
    }

    /// The object that has a file of its own there.
    pub(super) fn loose(path: &str) -> Option<Oid> {
        let hex = path.strip_prefix("objects/")?.replace('/', "");
        (hex.len() == 40).then(|| Oid::from_str(&hex).ok())?
    }

    /// What each byte of a file belongs to: where each stretch begins.
    pub(super) fn stretches(&self, path: &str, content: &[u8]) -> Vec<(usize, String)> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
        match (path, end) {
            ("strongroom.journal", _) => journal(content),
            (_, "pack") => {
                let mut stretches = vec![(0, "pack: its head".to_owned())];
                for (begin, _, role) in &self.packs[stem] {
                    stretches.push((*begin, format!("pack: {role}")));
                }
                let last = self.packs[stem].iter().map(|(_, end, _)| *end).max().unwrap();
                stretches.push((last, "pack: its checksum".to_owned()));
                stretches
            }
            (_, "idx") => index(content, |oid| self.role(oid).to_owned()),
            _ => vec![(0, self.file(path))],
        }
    }
}

/// What a branch is for.
pub(super) fn class(branch: &str) -> &str {
    match branch.split('/').next() {
        Some("keys") if branch == "keys/devices" => "keys/devices",
        Some(first) => first,
        None => branch,
    }
}

/// What each object is to the branch that it belongs to: of its newest state, or of an older one.
fn roles(repo: &git2::Repository) -> HashMap<Oid, String> {
    let mut roles = HashMap::new();
    let heads: Vec<(String, Oid)> = repo
        .references_glob("refs/heads/*")
        .unwrap()
        .map(|found| found.unwrap())
        .map(|found| (found.name().unwrap().to_owned(), found.target().unwrap()))
        .collect();
    for newest in [true, false] {
        for (name, head) in &heads {
            let class = class(name.trim_start_matches("refs/heads/"));
            let mut walk = repo.revwalk().unwrap();
            walk.push(*head).unwrap();
            for commit in walk.map(|oid| repo.find_commit(oid.unwrap()).unwrap()) {
                if newest != (commit.id() == *head) {
                    continue;
                }
                let age = if newest { "newest" } else { "older" };
                let mut known = |oid: Oid, kind: &str| {
                    roles.entry(oid).or_insert_with(|| format!("{class}, {age} {kind}"));
                };
                known(commit.id(), "commit");
                known(commit.tree_id(), "tree");
                let tree = commit.tree().unwrap();
                tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
                    let kind = if entry.kind() == Some(ObjectType::Tree) {
                        "tree"
                    } else {
                        "file"
                    };
                    known(entry.id(), kind);
                    git2::TreeWalkResult::Ok
                })
                .unwrap();
            }
        }
    }
    roles
}

/// What `git verify-pack -v` says of where objects lie.
fn in_pack(listed: &str, roles: &HashMap<Oid, String>) -> Vec<(usize, usize, String)> {
    let object = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [id, _, _, size, begin, ..] = words[..] else {
            return None;
        };
        let (oid, size, begin) = (
            Oid::from_str(id).ok()?,
            size.parse::<usize>().ok()?,
            begin.parse().ok()?,
        );
        let role = roles.get(&oid).cloned();
        let role = role.unwrap_or_else(|| "an object that nothing leads to".to_owned());
        Some((begin, begin + size, role))
    };
    let mut objects: Vec<_> = listed
        .lines()
        .filter(|line| line.len() > 40)
        .filter_map(object)
        .collect();
    objects.sort();
    assert!(!objects.is_empty());
    objects
}

/// gitformat-pack(5), version 2, of less than 2 GiB. An object's place there is as the object is.
fn index(content: &[u8], role: impl Fn(Oid) -> String) -> Vec<(usize, String)> {
    let fanout = 8 + 4 * 256;
    let count: [u8; 4] = content[fanout - 4..fanout].try_into().unwrap();
    let count = usize::try_from(u32::from_be_bytes(count)).unwrap();
    let places = fanout + 24 * count;
    let mut parts = vec![
        (0, "head".to_owned()),
        (8, "fan-out".to_owned()),
        (fanout, "ids".to_owned()),
        (fanout + 20 * count, "checksums of objects".to_owned()),
        (fanout + 28 * count, "checksums".to_owned()),
    ];
    for n in 0..count {
        let id = fanout + 20 * n;
        let role = role(Oid::from_bytes(&content[id..id + 20]).unwrap());
        parts.push((places + 4 * n, format!("place of {role}")));
    }
    parts.sort();
    let named = |(at, kind)| (at, format!("index of a pack: {kind}"));
    parts.into_iter().map(named).collect()
}

/// The journal of docs/FORMAT.md §11.
fn journal(content: &[u8]) -> Vec<(usize, String)> {
    let number = |at: usize| u64::from_be_bytes(content[at..at + 8].try_into().unwrap());
    let generations = [0, SLOT].map(|slot| {
        if content[slot..].starts_with(b"SRJHEAD\0") {
            number(slot + 12)
        } else {
            0
        }
    });
    let in_force = usize::from(generations[1] > generations[0]);
    let mut stretches = Vec::new();
    for slot in 0..2 {
        let which = if slot == in_force { "in force" } else { "not in force" };
        stretches.push((slot * SLOT, format!("journal: head {which}")));
        stretches.push((slot * SLOT + HEAD, "journal: unused".to_owned()));
    }
    let (mut at, mut last) = (RECORDS, None);
    while content[at..].starts_with(b"SRJR") && number(at + 8) == generations[in_force] {
        let length: [u8; 4] = content[at + 4..at + 8].try_into().unwrap();
        let end = at + RECORD_HEAD + usize::try_from(u32::from_be_bytes(length)).unwrap();
        last = Some(stretches.len());
        stretches.push((at, "journal: a record".to_owned()));
        stretches.push((end, "journal: unused".to_owned()));
        at = end.next_multiple_of(RECORDS);
    }
    // Where the next record goes: what stands there now may be of an older generation.
    stretches.push((at, "journal: behind the records".to_owned()));
    let last = last.expect("a vault that was written to last has records");
    stretches[last].1 = "journal: the last record".to_owned();
    stretches
}
