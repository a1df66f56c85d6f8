//! The Merkle tree over the lines (RFC 6962 §2.1), kept as its frontier: the roots of the largest
//! complete subtrees, so that appending and checking need no more than 64 hashes.

use crate::crypto::sha256;
use crate::id::Digest;

/// `H(0x00 ‖ line)`.
pub fn leaf_hash(line: &[u8]) -> Digest {
    sha256(&[&[0], line])
}

/// `H(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    sha256(&[&bytes])
}

/// How high the subtrees are that are worth keeping for whoever asks for roots later.
const GROUP: u32 = 4;
/// How many leaves one of them has.
pub const GROUP_LEN: u64 = 1 << GROUP;

/// A tree of some size, as the roots of its complete subtrees, largest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Digest>,
}

/// The hashes do not make a tree of that size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} entries has {want} frontier hashes, not {found}")]
pub struct BadFrontier {
    size: u64,
    want: u32,
    found: usize,
}

impl Frontier {
    /// A frontier from its parts; whether it belongs to a root is for the caller to compare.
    pub fn from_parts(size: u64, roots: Vec<Digest>) -> Result<Self, BadFrontier> {
        let want = size.count_ones();
        if roots.len() == want as usize {
            Ok(Self { size, roots })
        } else {
            Err(BadFrontier {
                size,
                want,
                found: roots.len(),
            })
        }
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The subtrees' roots, largest first: one for each 1 in the binary form of the size.
    pub fn roots(&self) -> &[Digest] {
        &self.roots
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Digest) {
        self.push_telling(leaf);
    }

    /// The same; gives the root over the last [`GROUP_LEN`] leaves, if this is the last of a group of so many.
    pub fn push_telling(&mut self, leaf: Digest) -> Option<Digest> {
        self.put(leaf, 0)
    }

    /// Adds the root over the next [`GROUP_LEN`] leaves, where a group of so many begins.
    pub fn push_group(&mut self, root: Digest) {
        self.put(root, GROUP);
    }

    /// Adds a complete subtree of that height.
    fn put(&mut self, root: Digest, height: u32) -> Option<Digest> {
        let (mut node, mut group) = (root, None);
        // Each trailing 1 of the old size is a complete subtree that the new one makes part of a larger one.
        for above in 1..=(self.size >> height).trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
            if height + above == GROUP {
                group = Some(node);
            }
        }
        self.roots.push(node);
        self.size += 1 << height;
        group
    }

    /// The tree's root; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Digest {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => sha256(&[]),
            Some(last) => roots.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn roots_agree_with_another_implementation(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 1..70)) {
            let mut other = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
            let mut frontier = Frontier::default();
            for line in &lines {
                other.push(line.clone());
                frontier.push(leaf_hash(line));
                prop_assert_eq!(frontier.root().0.to_vec(), other.root().as_bytes().to_vec());
                prop_assert_eq!(frontier.roots().len() as u32, frontier.size().count_ones());
            }
        }

        #[test]
        fn groups_make_the_same_tree(count in 0u64..100) {
            let (mut by_leaves, mut by_groups) = (Frontier::default(), Frontier::default());
            for n in 0..count {
                let leaf = leaf_hash(&n.to_be_bytes());
                if let Some(group) = by_leaves.push_telling(leaf) {
                    by_groups.push_group(group);
                }
                prop_assert_eq!(by_groups.size(), by_leaves.size() / GROUP_LEN * GROUP_LEN);
                prop_assert!(by_groups.size() < by_leaves.size() || by_groups == by_leaves);
            }
        }
    }

    /// The eight leaves that implementations of RFC 6962 are tried with, and the root over the first, the first two, and so on.
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let published: [(&[u8], &str); 8] = [
            (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (
                b"\x00",
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            ),
            (
                b"\x10",
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            ),
            (
                b"\x20\x21",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ),
            (
                b"\x30\x31",
                "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            ),
            (
                b"\x40\x41\x42\x43",
                "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            ),
            (
                b"PQRSTUVW",
                "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            ),
            (
                b"`abcdefghijklmno",
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ];
        let mut frontier = Frontier::default();
        for (leaf, root) in published {
            frontier.push(leaf_hash(leaf));
            assert_eq!(frontier.root().to_string(), root);
        }
    }

    #[test]
    fn leaf_and_node_hashes_differ() {
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        assert_ne!(node_hash(&a, &b), leaf_hash(&[a.0, b.0].concat()));
        assert_eq!(
            Frontier::default().root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn a_frontier_has_the_hashes_of_its_size() {
        assert!(Frontier::from_parts(5, vec![Digest([0; 32]); 2]).is_ok());
        assert!(Frontier::from_parts(5, vec![Digest([0; 32]); 3]).is_err());
        assert!(Frontier::from_parts(u64::MAX, vec![]).is_err());
    }
}
