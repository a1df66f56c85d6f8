//! Inclusion and consistency proofs over the lines (RFC 6962 §§2.1.1–2.1.2): made in one pass over the leaves, checked
//! with nothing but hashes. Neither takes more than some 64 hashes of memory.
//!
//! A proof is a list of roots of parts of the tree that do not overlap. Which parts follows from the numbers alone, so
//! that a proof of any other length is refused before anything is hashed.

use super::tree::{Frontier, node_hash};
use crate::id::Digest;
use std::ops::Range;

/// Why something is not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// There is nothing to prove about no entries.
    #[error("a log without entries proves nothing")]
    Empty,
    /// The index lies outside the tree.
    #[error("entry {index} does not stand among {size} entries")]
    Outside {
        /// Which entry.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// The newer tree is the smaller one.
    #[error("{new} entries cannot go on from {old}")]
    Shrunk {
        /// How many there were.
        old: u64,
        /// How many there are said to be now.
        new: u64,
    },
    /// A hash too few or too many.
    #[error("the proof is too {}: it takes {want} hashes and has {found}", if found < want { "short" } else { "long" })]
    Length {
        /// How many it takes.
        want: usize,
        /// How many there are.
        found: usize,
    },
    /// It leads to another root: it is for another entry, another place or another log.
    #[error("the proof does not lead to the root: it is for another entry, another place or another log")]
    OtherRoot,
    /// The older root is not one that the newer tree grew from.
    #[error(
        "the proof does not lead from the older root to the newer one: the log was rewritten, or it is another one"
    )]
    OtherPast,
    /// The lines ended before the tree was complete.
    #[error("the log has fewer entries than its proof needs")]
    Unfinished,
}

/// The largest power of two below a number above 1.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// The parts whose roots prove that leaf `index` stands in a tree of `size`, in the order of the proof.
fn inclusion_parts(index: u64, size: u64) -> Result<Vec<Range<u64>>, BadProof> {
    if size == 0 {
        return Err(BadProof::Empty);
    }
    if index >= size {
        return Err(BadProof::Outside { index, size });
    }
    let (mut low, mut high, mut parts) = (0, size, Vec::new());
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            parts.push(middle..high);
            high = middle;
        } else {
            parts.push(low..middle);
            low = middle;
        }
    }
    parts.reverse();
    Ok(parts)
}

/// The parts whose roots prove that a tree of `new` leaves begins with the tree of `old`, in the order of the proof.
fn consistency_parts(old: u64, new: u64) -> Result<Vec<Range<u64>>, BadProof> {
    if old == 0 {
        return Err(BadProof::Empty);
    }
    if old > new {
        return Err(BadProof::Shrunk { old, new });
    }
    let (mut low, mut high, mut parts) = (0, new, Vec::new());
    while old < high {
        let middle = low + split(high - low);
        if old <= middle {
            parts.push(middle..high);
            high = middle;
        } else {
            parts.push(low..middle);
            low = middle;
        }
    }
    // The older root itself is known to whoever checks, and so no part of the proof.
    if low > 0 {
        parts.push(low..high);
    }
    parts.reverse();
    Ok(parts)
}

/// The making of a proof: given every leaf of the log in order, it keeps the roots that the proof takes.
pub struct ProofWalk {
    /// In the order of their leaves, each with its place in the proof.
    parts: Vec<(Range<u64>, usize)>,
    roots: Vec<Digest>,
    done: usize,
    seen: u64,
    part: Frontier,
}

impl ProofWalk {
    /// A proof that leaf `index` stands in the tree of `size`.
    pub fn inclusion(index: u64, size: u64) -> Result<Self, BadProof> {
        inclusion_parts(index, size).map(Self::new)
    }

    /// A proof that the tree of `new` leaves begins with the tree of `old`.
    pub fn consistency(old: u64, new: u64) -> Result<Self, BadProof> {
        consistency_parts(old, new).map(Self::new)
    }

    fn new(parts: Vec<Range<u64>>) -> Self {
        let roots = vec![Digest([0; 32]); parts.len()];
        let mut parts: Vec<_> = parts.into_iter().zip(0..).collect();
        parts.sort_by_key(|(part, _)| part.start);
        Self {
            parts,
            roots,
            done: 0,
            seen: 0,
            part: Frontier::default(),
        }
    }

    /// The next leaf of the log.
    pub fn leaf(&mut self, leaf: Digest) {
        if let Some((part, place)) = self.parts.get(self.done)
            && part.contains(&self.seen)
        {
            self.part.push(leaf);
            if part.end == self.seen + 1 {
                self.roots[*place] = std::mem::take(&mut self.part).root();
                self.done += 1;
            }
        }
        self.seen += 1;
    }

    /// The proof.
    pub fn end(self) -> Result<Vec<Digest>, BadProof> {
        match self.done == self.parts.len() {
            true => Ok(self.roots),
            false => Err(BadProof::Unfinished),
        }
    }
}

/// The making of many inclusion proofs at once, to one tree: each part that any of them takes is hashed once, so that a pass
/// over the leaves costs a few hashes for each of them, however many proofs there are.
pub struct InclusionProofs {
    size: u64,
    /// In the order of their leaves, of parts that begin together the smaller one last.
    parts: Vec<(Range<u64>, Frontier)>,
    /// The next part to begin.
    next: usize,
    /// Those that have begun and not ended.
    open: Vec<usize>,
    seen: u64,
}

impl InclusionProofs {
    /// Proofs that these leaves stand in the tree of `size`.
    pub fn begin(indices: impl IntoIterator<Item = u64>, size: u64) -> Result<Self, BadProof> {
        let mut parts = Vec::new();
        for index in indices {
            parts.extend(inclusion_parts(index, size)?);
        }
        parts.sort_unstable_by_key(|part| (part.start, std::cmp::Reverse(part.end)));
        parts.dedup();
        Ok(Self {
            size,
            parts: parts.into_iter().map(|part| (part, Frontier::default())).collect(),
            next: 0,
            open: Vec::new(),
            seen: 0,
        })
    }

    /// The next leaf of the log; those beyond the tree are passed over.
    pub fn leaf(&mut self, leaf: Digest) {
        while let Some((part, _)) = self.parts.get(self.next)
            && part.start == self.seen
        {
            self.open.push(self.next);
            self.next += 1;
        }
        for open in &self.open {
            self.parts[*open].1.push(leaf);
        }
        self.seen += 1;
        let (parts, seen) = (&self.parts, self.seen);
        self.open.retain(|open| parts[*open].0.end > seen);
    }

    /// The proof of one of these leaves, after all leaves of the tree.
    pub fn proof(&self, index: u64) -> Result<Vec<Digest>, BadProof> {
        let root = |part: Range<u64>| {
            let key = (part.start, std::cmp::Reverse(part.end));
            let found = self
                .parts
                .binary_search_by_key(&key, |(part, _)| (part.start, std::cmp::Reverse(part.end)));
            let found = found.ok().filter(|_| self.seen >= self.size);
            found.map(|at| self.parts[at].1.root()).ok_or(BadProof::Unfinished)
        };
        inclusion_parts(index, self.size)?.into_iter().map(root).collect()
    }
}

fn of_length(proof: &[Digest], want: usize) -> Result<(), BadProof> {
    let found = proof.len();
    match found == want {
        true => Ok(()),
        false => Err(BadProof::Length { want, found }),
    }
}

/// Holds if `proof` shows that `leaf` stands at `index` in the tree of `size` with that root.
pub fn check_inclusion(leaf: Digest, index: u64, size: u64, root: Digest, proof: &[Digest]) -> Result<(), BadProof> {
    let parts = inclusion_parts(index, size)?;
    of_length(proof, parts.len())?;
    let join = |hash: Digest, (part, other): (Range<u64>, &Digest)| match part.start > index {
        true => node_hash(&hash, other),
        false => node_hash(other, &hash),
    };
    match parts.into_iter().zip(proof).fold(leaf, join) == root {
        true => Ok(()),
        false => Err(BadProof::OtherRoot),
    }
}

/// Holds if `proof` shows that the tree of the `new` size and root begins with the tree of the `old` ones.
pub fn check_consistency(old: (u64, Digest), new: (u64, Digest), proof: &[Digest]) -> Result<(), BadProof> {
    let parts = consistency_parts(old.0, new.0)?;
    of_length(proof, parts.len())?;
    let mut steps = parts.into_iter().zip(proof).peekable();
    // A first part that ends where the older tree does is the end of both.
    let first = steps.next_if(|(part, _)| part.end == old.0 && part.start > 0);
    let begin = first.map_or(old.1, |(_, root)| *root);
    let (mut before, mut now) = (begin, begin);
    for (part, other) in steps {
        if part.start >= old.0 {
            now = node_hash(&now, other);
        } else {
            before = node_hash(other, &before);
            now = node_hash(other, &now);
        }
    }
    match (before, now) == (old.1, new.1) {
        true => Ok(()),
        false => Err(BadProof::OtherPast),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::leaf_hash;
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof};
    use proptest::prelude::*;
    use tlog_tiles::tlog;

    fn line(n: u64) -> Vec<u8> {
        format!("line {n}").into_bytes()
    }

    fn tree(size: u64) -> Frontier {
        let mut tree = Frontier::default();
        (0..size).for_each(|n| tree.push(leaf_hash(&line(n))));
        tree
    }

    fn made(walk: Result<ProofWalk, BadProof>, size: u64) -> Vec<Digest> {
        let mut walk = walk.unwrap();
        (0..size).for_each(|n| walk.leaf(leaf_hash(&line(n))));
        walk.end().unwrap()
    }

    fn included(index: u64, size: u64, proof: &[Digest]) -> Result<(), BadProof> {
        check_inclusion(leaf_hash(&line(index)), index, size, tree(size).root(), proof)
    }

    fn consistent(old: u64, new: u64, proof: &[Digest]) -> Result<(), BadProof> {
        check_consistency((old, tree(old).root()), (new, tree(new).root()), proof)
    }

    /// The hashes of a log as the other implementation stores them.
    struct Stored(Vec<tlog::Hash>);

    impl tlog::HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
            Ok(indexes.iter().map(|at| self.0[*at as usize]).collect())
        }
    }

    fn stored(size: u64) -> Stored {
        let mut stored = Stored(Vec::new());
        for n in 0..size {
            let more = tlog::stored_hashes(n, &line(n), &stored).unwrap();
            stored.0.extend(more);
        }
        stored
    }

    fn theirs(digest: Digest) -> tlog::Hash {
        tlog::Hash(digest.0)
    }

    fn all_theirs(proof: &[Digest]) -> Vec<tlog::Hash> {
        proof.iter().copied().map(theirs).collect()
    }

    #[test]
    fn many_proofs_at_once_are_what_each_is_alone() {
        for size in [1, 2, 3, 7, 8, 21, 40] {
            for step in [1, 3, 5] {
                let wanted: Vec<u64> = (0..size).step_by(step).collect();
                let mut proofs = InclusionProofs::begin(wanted.iter().copied().rev(), size).unwrap();
                assert_eq!(
                    proofs.proof(0),
                    if size == 1 {
                        Ok(Vec::new())
                    } else {
                        Err(BadProof::Unfinished)
                    }
                );
                // What the log has beyond this tree is none of it.
                (0..size + 2).for_each(|n| proofs.leaf(leaf_hash(&line(n))));
                for index in wanted {
                    let alone = made(ProofWalk::inclusion(index, size), size);
                    assert_eq!(proofs.proof(index), Ok(alone), "{index} of {size}");
                }
            }
        }
        let refused = InclusionProofs::begin([4], 4).err();
        assert_eq!(refused, Some(BadProof::Outside { index: 4, size: 4 }));
    }

    #[test]
    fn every_small_proof_is_that_of_two_other_implementations() {
        for size in 1..=40 {
            let stored = stored(size);
            let root = tree(size).root();
            let mut merkle = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
            (0..size).for_each(|n| merkle.push(line(n)));
            for index in 0..size {
                let proof = made(ProofWalk::inclusion(index, size), size);
                assert_eq!(included(index, size, &proof), Ok(()), "{index} of {size}");
                assert_eq!(all_theirs(&proof), tlog::prove_record(size, index, &stored).unwrap());
                let leaf = tlog::record_hash(&line(index));
                tlog::check_record(&all_theirs(&proof), size, theirs(root), index, leaf).unwrap();
                let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
                assert_eq!(bytes, merkle.prove_inclusion(index as usize).as_bytes());
                let again = InclusionProof::<sha2::Sha256>::try_from_bytes(bytes).unwrap();
                merkle.root().verify_inclusion(&line(index), index, &again).unwrap();
            }
            for old in 1..=size {
                let proof = made(ProofWalk::consistency(old, size), size);
                assert_eq!(consistent(old, size, &proof), Ok(()), "{old} to {size}");
                assert_eq!(all_theirs(&proof), tlog::prove_tree(size, old, &stored).unwrap());
                let before = theirs(tree(old).root());
                tlog::check_tree(&all_theirs(&proof), size, theirs(root), old, before).unwrap();
                if old < size {
                    let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
                    let additions = (size - old) as usize;
                    assert_eq!(bytes, merkle.prove_consistency(additions).as_bytes());
                    ConsistencyProof::<sha2::Sha256>::try_from_bytes(bytes).unwrap();
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn larger_proofs_agree_too(size in 41u64..700, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
            let stored = stored(size);
            let (index, old) = (a.index(size as usize) as u64, b.index(size as usize) as u64 + 1);
            let proof = made(ProofWalk::inclusion(index, size), size);
            prop_assert_eq!(all_theirs(&proof), tlog::prove_record(size, index, &stored).unwrap());
            prop_assert_eq!(included(index, size, &proof), Ok(()));
            let proof = made(ProofWalk::consistency(old, size), size);
            prop_assert_eq!(all_theirs(&proof), tlog::prove_tree(size, old, &stored).unwrap());
            prop_assert_eq!(consistent(old, size, &proof), Ok(()));
        }

        /// Whatever is altered, neither we nor the other implementation take it.
        #[test]
        fn an_altered_proof_is_refused_by_both(
            size in 2u64..70, a in any::<prop::sample::Index>(), other in 0u64..70, flip in any::<prop::sample::Index>(),
        ) {
            let index = a.index(size as usize) as u64;
            let root = tree(size).root();
            let proof = made(ProofWalk::inclusion(index, size), size);
            let both = |at: u64, proof: &[Digest]| {
                let ours = check_inclusion(leaf_hash(&line(index)), at, size, root, proof).is_ok();
                let leaf = tlog::record_hash(&line(index));
                let theirs = tlog::check_record(&all_theirs(proof), size, theirs(root), at, leaf).is_ok();
                (ours, theirs)
            };
            prop_assert_eq!(both(index, &proof), (true, true));
            if other != index {
                prop_assert_eq!(both(other, &proof), (false, false));
            }
            let mut altered = proof.clone();
            let at = flip.index(proof.len());
            altered[at].0[other as usize % 32] ^= 1;
            prop_assert_eq!(both(index, &altered), (false, false));
            prop_assert_eq!(both(index, &proof[1..]), (false, false));
            prop_assert_eq!(both(index, &[&proof[..], &proof[..1]].concat()), (false, false));
        }
    }

    #[test]
    fn case_29_a_proof_of_the_wrong_length_or_place_is_refused_with_words() {
        let proof = made(ProofWalk::inclusion(3, 7), 7);
        let long = [&proof[..], &[Digest([0; 32])]].concat();
        let at = |index, size, proof: &[Digest]| {
            check_inclusion(leaf_hash(&line(3)), index, size, tree(7).root(), proof)
                .unwrap_err()
                .to_string()
        };
        let words = "the proof does not lead to the root: it is for another entry, another place or another log";
        for (told, expected) in [
            (
                at(3, 7, &proof[..2]),
                "the proof is too short: it takes 3 hashes and has 2",
            ),
            (at(3, 7, &long), "the proof is too long: it takes 3 hashes and has 4"),
            (at(3, 7, &[]), "the proof is too short: it takes 3 hashes and has 0"),
            (at(2, 7, &proof), words),
            (at(4, 7, &proof), words),
            (at(6, 7, &proof), "the proof is too long: it takes 2 hashes and has 3"),
            (at(3, 9, &proof), "the proof is too short: it takes 4 hashes and has 3"),
            (at(7, 7, &proof), "entry 7 does not stand among 7 entries"),
            (
                at(u64::MAX, u64::MAX, &proof),
                "entry 18446744073709551615 does not stand among 18446744073709551615 entries",
            ),
            (at(0, 0, &[]), "a log without entries proves nothing"),
        ] {
            assert_eq!(told, expected);
        }
        let proof = made(ProofWalk::consistency(3, 7), 7);
        let from = |old, new, proof: &[Digest]| {
            let old = (old, tree(3).root());
            check_consistency(old, (new, tree(7).root()), proof)
                .unwrap_err()
                .to_string()
        };
        let words =
            "the proof does not lead from the older root to the newer one: the log was rewritten, or it is another one";
        for (told, expected) in [
            (
                from(3, 7, &proof[1..]),
                "the proof is too short: it takes 4 hashes and has 3",
            ),
            (
                from(3, 7, &[&proof[..], &proof[..1]].concat()),
                "the proof is too long: it takes 4 hashes and has 5",
            ),
            (from(1, 7, &proof[..3]), words),
            (from(7, 7, &[]), words),
            (from(3, 2, &proof), "2 entries cannot go on from 3"),
            (from(0, 7, &[]), "a log without entries proves nothing"),
            (from(0, 0, &[]), "a log without entries proves nothing"),
        ] {
            assert_eq!(told, expected);
        }
        assert_eq!(ProofWalk::inclusion(0, 0).err(), Some(BadProof::Empty));
        assert_eq!(ProofWalk::consistency(0, 4).err(), Some(BadProof::Empty));
        let mut short = ProofWalk::inclusion(0, 3).unwrap();
        short.leaf(Digest([0; 32]));
        assert_eq!(short.end(), Err(BadProof::Unfinished));
    }

    #[test]
    fn a_rewritten_past_does_not_lead_to_the_new_root() {
        for (old, new) in [(1, 2), (4, 8), (5, 8), (6, 7), (33, 40)] {
            let proof = made(ProofWalk::consistency(old, new), new);
            for other in [Digest([7; 32]), tree(old + 1).root(), tree(new).root()] {
                let told = check_consistency((old, other), (new, tree(new).root()), &proof);
                assert_eq!(told, Err(BadProof::OtherPast), "{old} {new}");
            }
            let told = check_consistency((old, tree(old).root()), (new, tree(old).root()), &proof);
            assert_eq!(told, Err(BadProof::OtherPast), "{old} {new}");
        }
    }

    #[test]
    fn the_largest_sizes_need_no_more_than_64_hashes() {
        for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 52, (1 << 53) - 1)] {
            assert!(inclusion_parts(index, size).unwrap().len() <= 64);
            assert!(consistency_parts(index.max(1), size).unwrap().len() <= 65);
        }
    }
}
