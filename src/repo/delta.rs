//! Differences between objects, as packs hold them (git's gitformat-pack, "Deltified representation"): two lengths, then
//! steps that copy from the base or insert.

use std::collections::HashMap;

/// The longest run that one step inserts.
const INSERT_MAX: usize = 0x7f;
/// The longest run that one step copies, in bytes: what all readers can.
const COPY_MAX: usize = 0x00ff_ffff;
/// What is looked for in the base, in bytes: shorter runs are inserted.
const BLOCK: usize = 16;
/// So far into the base a step can point.
const BASE_MAX: usize = u32::MAX as usize;

/// The bytes are no difference from that base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a difference from that object")]
pub struct BadDelta;

/// What makes `target` out of `base`: what they begin and end with alike, and between that the runs of 16 bytes that
/// stand in both.
pub fn make_delta(base: &[u8], target: &[u8]) -> Vec<u8> {
    let mut delta = Vec::with_capacity(64);
    put_length(&mut delta, base.len());
    put_length(&mut delta, target.len());
    let reach = base.len().min(BASE_MAX);
    let alike = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let begin = base[..reach].iter().zip(target).take_while(alike).count();
    let rest = base[begin..reach].iter().rev().zip(target[begin..].iter().rev());
    let end = rest.take_while(alike).count();

    put_copy(&mut delta, 0, begin);
    let mut blocks: HashMap<&[u8], usize> = HashMap::new();
    for (n, block) in base[begin..reach - end].chunks_exact(BLOCK).enumerate() {
        blocks.entry(block).or_insert(begin + n * BLOCK);
    }
    let last = target.len() - end;
    let (mut at, mut pending) = (begin, begin);
    while !blocks.is_empty() && at + BLOCK <= last {
        let Some(from) = blocks.get(&target[at..at + BLOCK]).copied() else {
            at += 1;
            continue;
        };
        let before = base[..from].iter().rev().zip(target[pending..at].iter().rev());
        let back = before.take_while(alike).count();
        let after = base[from..reach].iter().zip(&target[at..last]);
        let forth = after.take_while(alike).count();
        put_insert(&mut delta, &target[pending..at - back]);
        put_copy(&mut delta, from - back, back + forth);
        at += forth;
        pending = at;
    }
    put_insert(&mut delta, &target[pending..last]);
    put_copy(&mut delta, reach - end, end);
    delta
}

/// How long the base must be and the target is, and where the steps begin.
pub fn delta_lengths(delta: &[u8]) -> Option<(u64, u64, usize)> {
    let (base, begin) = take_length(delta, 0)?;
    let (target, begin) = take_length(delta, begin)?;
    Some((base, target, begin))
}

/// Makes the target out of base and difference, if it has at most `max` bytes.
pub fn apply_delta(base: &[u8], delta: &[u8], max: u64) -> Result<Vec<u8>, BadDelta> {
    let mut target = Vec::new();
    apply_delta_to(base, delta, max, &mut target).map(|()| target)
}

/// The same, made in `target`, whatever that held.
pub(super) fn apply_delta_to(base: &[u8], delta: &[u8], max: u64, target: &mut Vec<u8>) -> Result<(), BadDelta> {
    let (from, to, mut at) = delta_lengths(delta).ok_or(BadDelta)?;
    if from != base.len() as u64 || to > max {
        return Err(BadDelta);
    }
    let to = usize::try_from(to).map_err(|_| BadDelta)?;
    target.clear();
    target.reserve_exact(to);
    while let Some(step) = delta.get(at).copied() {
        at += 1;
        let run = if step & 0x80 != 0 {
            let mut field = |bits: u8, count: u32| {
                (0..count).try_fold(0usize, |value, n| {
                    if bits >> n & 1 == 0 {
                        return Some(value);
                    }
                    at += 1;
                    Some(value | usize::from(*delta.get(at - 1)?) << (8 * n))
                })
            };
            let place = field(step & 15, 4).ok_or(BadDelta)?;
            let length = field(step >> 4 & 7, 3).ok_or(BadDelta)?;
            let length = if length == 0 { 0x10000 } else { length };
            base.get(place..place + length)
        } else if step != 0 {
            let begin = at;
            at += usize::from(step);
            delta.get(begin..at)
        } else {
            None
        };
        let run = run.filter(|run| run.len() <= to - target.len()).ok_or(BadDelta)?;
        target.extend_from_slice(run);
    }
    match target.len() == to {
        true => Ok(()),
        false => Err(BadDelta),
    }
}

fn put_length(delta: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        delta.push(length as u8 & 0x7f | 0x80);
        length >>= 7;
    }
    delta.push(length as u8);
}

fn take_length(delta: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut length = 0u64;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *delta.get(at)?;
        at += 1;
        let part = u64::from(byte & 0x7f);
        length |= part.checked_shl(shift).filter(|shifted| shifted >> shift == part)?;
        if byte & 0x80 == 0 {
            return Some((length, at));
        }
    }
    None
}

fn put_insert(delta: &mut Vec<u8>, run: &[u8]) {
    for part in run.chunks(INSERT_MAX) {
        delta.push(part.len() as u8);
        delta.extend_from_slice(part);
    }
}

fn put_copy(delta: &mut Vec<u8>, from: usize, length: usize) {
    for begin in (0..length).step_by(COPY_MAX) {
        let (place, part) = ((from + begin) as u32, (length - begin).min(COPY_MAX) as u32);
        let step = delta.len();
        delta.push(0x80);
        let bytes = place
            .to_le_bytes()
            .into_iter()
            .chain(part.to_le_bytes().into_iter().take(3));
        for (bit, byte) in bytes.enumerate().filter(|(_, byte)| *byte != 0) {
            delta[step] |= 1 << bit;
            delta.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_alike_is_copied() {
        let base: Vec<u8> = (0..40_000u32).flat_map(|n| n.to_be_bytes()).collect();
        let mut longer = base.clone();
        longer.splice(70_000..70_000, *b"another entry");
        for (from, to, most) in [(&longer, &base, 20), (&base, &longer, 34), (&base, &base, 16)] {
            let delta = make_delta(from, to);
            assert!(delta.len() <= most, "{}", delta.len());
            assert_eq!(&apply_delta(from, &delta, 1 << 20).unwrap(), to);
        }
        let mut moved = base[80_000..].to_vec();
        moved.extend_from_slice(&base[..80_000]);
        assert!(make_delta(&base, &moved).len() < 60);
    }

    #[test]
    fn a_run_of_64_kib_is_one_step_without_a_length() {
        let base = vec![7; 0x1_0000];
        let delta = [0x80, 0x80, 0x04, 0x80, 0x80, 0x04, 0x80];
        assert_eq!(apply_delta(&base, &delta, 1 << 20), Ok(base.clone()));
        assert_eq!(apply_delta(&base, &delta, 0xffff), Err(BadDelta));
        assert_eq!(apply_delta(&base[1..], &delta, 1 << 20), Err(BadDelta));
    }

    proptest! {
        #[test]
        fn a_difference_gives_its_target(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..8),
            picks in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
        ) {
            let base: Vec<u8> = pieces.concat();
            let target: Vec<u8> = picks.iter().flat_map(|(pick, byte)| [&pieces[pick.index(pieces.len())][..], &[*byte]].concat()).collect();
            let delta = make_delta(&base, &target);
            prop_assert_eq!(apply_delta(&base, &delta, 1 << 20), Ok(target));
            for end in 0..delta.len() {
                prop_assert!(apply_delta(&base, &delta[..end], 1 << 20).is_err());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(base in proptest::collection::vec(any::<u8>(), 0..40), delta in proptest::collection::vec(any::<u8>(), 0..40)) {
            let lengths = [&[base.len() as u8, 30][..], &delta].concat();
            let _ = (apply_delta(&base, &delta, 1 << 20), apply_delta(&base, &lengths, 1 << 20));
        }
    }
}
