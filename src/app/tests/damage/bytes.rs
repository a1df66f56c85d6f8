//! Every byte of every file flipped.

use super::super::converge::Chance;
use super::kinds::Kinds;
use super::*;
use crate::repo::PackEntry;

/// What the gate alone sees, what a deep look alone sees, and what can be changed without effect.
///
/// What the journal holds, the verifier takes from there where git has it damaged. Within one boot recovery looks at the last record
/// alone, and puts that back: of earlier ones the gate refuses until `doctor` does. What is without effect is read for nothing, such as settings of git,
/// checksums over what is hashed itself, or how `main` and the shards once stood; is put back by recovery; or it is the byte
/// that ends a line.
const KNOWN: [&[&str]; 3] = [
    &[
        "journal: the last record",
        "loose: audit, newest commit, which the journal holds",
        "loose: audit, older commit, which the journal holds",
        "loose: keys, newest commit, which the journal holds",
        "loose: keys, newest file, which the journal holds",
        "loose: keys, newest tree, which the journal holds",
        "loose: notes, newest commit, which the journal holds",
        "loose: notes, newest file, which the journal holds",
        "loose: notes, newest tree, which the journal holds",
        "ref: audit",
        "ref: keys",
        "ref: notes",
    ],
    // Who was a lead when it was made cannot be told. One of its ids is found or not by how the others are searched.
    &[
        "index of a pack: ids",
        "index of a pack: place of main, older tree",
        "pack: main, older tree",
    ],
    &[
        "HEAD",
        "config",
        "index of a pack: checksums",
        "index of a pack: checksums of objects",
        "index of a pack: ids",
        // Of what is read for nothing itself.
        "index of a pack: place of audit, newest tree",
        "index of a pack: place of main, older file",
        "index of a pack: place of main, older tree",
        // A stream ends within a byte, and what follows in that is read by nobody.
        MEANINGLESS,
        "journal: behind the records",
        "journal: head in force",
        "journal: head not in force",
        "journal: unused",
        "loose: audit, newest commit, which the journal holds",
        "loose: keys, newest commit, which the journal holds",
        "loose: keys, newest file, which the journal holds",
        "loose: keys, newest tree, which the journal holds",
        "loose: keys, older commit, which the journal holds",
        "loose: keys, older tree, which the journal holds",
        "loose: notes, newest commit, which the journal holds",
        "loose: notes, newest file, which the journal holds",
        "loose: notes, newest tree, which the journal holds",
        "loose: notes, older commit, which the journal holds",
        "loose: notes, older tree, which the journal holds",
        "pack: audit, newest tree",
        "pack: its checksum",
        "pack: its head",
        "pack: main, older file",
        "pack: main, older tree",
        "ref: audit",
        "ref: keys",
        "ref: keys/devices",
        "ref: main",
        "ref: notes",
        "strongroom.exchanged",
    ],
];
const MEANINGLESS: &str = "bits of a compressed object that mean nothing";
/// Of what is not used in the journal, every so manieth byte is flipped where all are.
const UNUSED: usize = 4096;

/// A byte of a file, and the bits that are flipped in it.
struct Flip {
    path: String,
    at: usize,
    bits: u8,
    kind: String,
    /// Where the part of the file begins that the byte belongs to.
    begin: usize,
}

impl Flip {
    fn damage(&self, vault: &Path) {
        let path = vault.join(&self.path);
        let mut content = std::fs::read(&path).unwrap();
        content[self.at] ^= self.bits;
        std::fs::write(path, content).unwrap();
    }

    /// Whether a compressed object is the same with and without it.
    fn is_meaningless(&self, vault: &Path) -> bool {
        let content = std::fs::read(vault.join(&self.path)).unwrap();
        let mut flipped = content.clone();
        flipped[self.at] ^= self.bits;
        let [before, after] = [content, flipped].map(|content| inflate(&content[self.begin..], &self.kind));
        before.is_some() && before == after
    }
}

/// The head of an object and what it is compressed to, uncompressed; of a file of its own, or of a pack.
fn inflate(stored: &[u8], kind: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let head = match kind.starts_with("pack: ") {
        true => match PackEntry::parse(stored)? {
            PackEntry::Whole(_, _, head) | PackEntry::Before(_, _, head) | PackEntry::From(_, _, head) => head,
            PackEntry::Other => return None,
        },
        false if kind.starts_with("loose: ") => 0,
        false => return None,
    };
    let content = miniz_oxide::inflate::decompress_to_vec_zlib(&stored[head..]).ok()?;
    Some((stored[..head].to_vec(), content))
}

/// A file, a byte in it, and where the part begins that it belongs to.
type Place = (String, usize, usize);

/// All bytes of a vault's files by their kind.
fn all_bytes(vault: &Path) -> BTreeMap<String, Vec<Place>> {
    let mut kept = BTreeMap::new();
    keep(vault, vault, &mut kept);
    let kinds = Kinds::of(vault);
    let mut all: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (path, found) in kept {
        let Kept::File(content) = found else { continue };
        let path = path.to_str().unwrap().to_owned();
        let stretches = kinds.stretches(&path, &content);
        for (n, (begin, kind)) in stretches.iter().enumerate() {
            let end = stretches.get(n + 1).map_or(content.len(), |(next, _)| *next);
            let unused = kind == "journal: unused" || kind == "journal: behind the records";
            let step = if unused { UNUSED } else { 1 };
            let bytes = (*begin..end).step_by(step).map(|at| (path.clone(), at, *begin));
            all.entry(kind.clone()).or_default().extend(bytes);
        }
    }
    all
}

fn flips(vault: &Path) -> Vec<Flip> {
    let mut chance = Chance(seed());
    let mut flips = Vec::new();
    for (kind, bytes) in all_bytes(vault) {
        let mut flip = |(path, at, begin): &Place, bits| {
            flips.push(Flip {
                path: path.clone(),
                at: *at,
                bits,
                kind: kind.clone(),
                begin: *begin,
            });
        };
        match is_long() {
            true => bytes
                .iter()
                .for_each(|byte| [1, 0x80].into_iter().for_each(|bits| flip(byte, bits))),
            false => {
                let bits = [1, 0x80][chance.below(2)];
                chance.of(&bytes).into_iter().for_each(|byte| flip(byte, bits));
            }
        }
    }
    if is_long() {
        let first = chance.below(every());
        flips = flips.into_iter().skip(first).step_by(every()).collect();
    }
    flips
}

#[test]
fn a_byte_that_is_flipped_anywhere_is_seen_or_without_effect() {
    let house = House::new();
    let flips = flips(&house.root().join(VAULT));
    let outcomes = on_benches(&house, &flips, |bench, flip| {
        let judged = bench.judge(&|vault| flip.damage(vault), false);
        let judged = judged.map_err(|why| format!("{} of {} ^ {}: {why}", flip.at, flip.path, flip.bits));
        let nothing = judged == Ok(Outcome::Nothing) && flip.is_meaningless(&bench.vault());
        let kind = if nothing { MEANINGLESS } else { &flip.kind };
        (kind.to_owned(), judged)
    });
    assert_known(&tell("a byte is flipped", outcomes), &KNOWN.map(named));
}

pub(super) fn named(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(|kind| (*kind).to_owned()).collect()
}

/// What was found is known.
pub(super) fn assert_known(found: &[BTreeSet<String>; 3], known: &[BTreeSet<String>; 3]) {
    let pairs = found.iter().zip(known);
    let new: Vec<Vec<&String>> = pairs.map(|(found, known)| found.difference(known).collect()).collect();
    assert!(
        new.iter().all(Vec::is_empty),
        "the gate alone, a deep look alone, nobody sees what is changed in {new:#?}"
    );
}
