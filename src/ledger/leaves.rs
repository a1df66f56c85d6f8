//! The hashes of a log's lines, put aside while the log is walked: what other logs say they saw of it is known only
//! afterwards, and hashing its lines again would cost as much as the walk.

use crate::chain::GROUP_LEN;
use crate::env::{Scratch, make_scratch};
use crate::id::Digest;

/// How many are held before they are put aside: all of a log that is no longer.
const HELD: usize = 4096;
/// The length of one, in bytes.
const LEN: usize = 32;

/// They stand in files that have no name, so that memory does not grow with the log. Where there is no room for them,
/// nothing is kept, and who asks reads the lines again.
pub(super) struct Leaves {
    lines: Aside,
    groups: Aside,
}

impl Leaves {
    pub(super) fn new() -> Self {
        Self {
            lines: Aside::new(),
            groups: Aside::new(),
        }
    }

    /// The hash of the next line, and the root of the group of lines that it ends, if it does.
    pub(super) fn push(&mut self, leaf: &Digest, group: Option<Digest>) {
        self.lines.push(leaf);
        if let Some(group) = group {
            self.groups.push(&group);
        }
    }

    /// The hashes of the lines from `first` up to `end`; none if they are not kept.
    pub(super) fn between(&self, first: u64, end: u64) -> Option<Vec<Digest>> {
        self.lines.between(first, end)
    }

    /// The roots of the groups from the one that begins at line `first` up to line `end`; none if they are not kept or none
    /// begins there.
    pub(super) fn groups(&self, first: u64, end: u64) -> Option<Vec<Digest>> {
        let begins = first.is_multiple_of(GROUP_LEN).then_some(first / GROUP_LEN);
        self.groups.between(begins?, end / GROUP_LEN)
    }
}

/// Hashes, one after the other.
struct Aside {
    file: Option<Scratch>,
    written: u64,
    held: Vec<u8>,
}

impl Aside {
    fn new() -> Self {
        Self {
            file: None,
            written: 0,
            held: Vec::new(),
        }
    }

    fn push(&mut self, leaf: &Digest) {
        self.held.extend_from_slice(&leaf.0);
        if self.held.len() >= HELD * LEN {
            if self.written == 0 {
                self.file = make_scratch().ok();
            }
            let written = self.file.as_ref().map(|file| file.write_at(&self.held, self.written));
            if !matches!(written, Some(Ok(()))) {
                self.file = None;
            }
            self.written += self.held.len() as u64;
            self.held.clear();
        }
    }

    fn between(&self, first: u64, end: u64) -> Option<Vec<Digest>> {
        let (first, end) = (first.checked_mul(LEN as u64)?, end.checked_mul(LEN as u64)?);
        let mut bytes = vec![0; usize::try_from(end.checked_sub(first)?).ok()?];
        let stored = self.written.clamp(first, end) - first;
        let (stored, held) = bytes.split_at_mut(stored as usize);
        if !stored.is_empty() {
            self.file.as_ref()?.read_at(stored, first).ok()?;
        }
        let from = usize::try_from(first.max(self.written) - self.written).ok()?;
        held.copy_from_slice(self.held.get(from..from + held.len())?);
        Some(bytes.chunks_exact(LEN).map(to_digest).collect())
    }
}

fn to_digest(bytes: &[u8]) -> Digest {
    let mut digest = Digest([0; LEN]);
    digest.0.copy_from_slice(bytes);
    digest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_put_aside_comes_back() {
        let all: Vec<Digest> = (0..2 * HELD as u64 + 500)
            .map(|n| crate::crypto::sha256(&[&n.to_be_bytes()]))
            .collect();
        let (mut leaves, mut lost) = (Aside::new(), Aside::new());
        all.iter().for_each(|leaf| leaves.push(leaf));
        for (n, leaf) in all.iter().enumerate() {
            lost.push(leaf);
            lost.file = lost.file.filter(|_| n < HELD);
        }
        let (last, end) = (2 * HELD as u64, all.len() as u64);
        let some = [
            (0, 3),
            (0, end),
            (1000, 1030),
            (last - 1, last + 2),
            (last, end),
            (last + 9, last + 9),
        ];
        for (first, end) in some {
            let expected = all[first as usize..end as usize].to_vec();
            assert_eq!(leaves.between(first, end), Some(expected.clone()), "{first}..{end}");
            let held = first >= last;
            assert_eq!(lost.between(first, end), held.then_some(expected), "{first}..{end}");
        }
        assert_eq!(leaves.between(end - 8, end + 1), None);
        assert_eq!(leaves.between(5, 3), None);
    }
}
