//! The whole way of what comes from elsewhere, for the fuzzer too: a colleague's clone is changed by somebody who has that
//! colleague's key, then verified, then merged.
//!
//! The input is a script, four bytes a step. Whatever it does, nothing panics; what is wrong here afterwards was wrong there,
//! and the verifier said so, or is a history that is kept beside another; the own log stays as it was; and what the verifier
//! says is intact there is taken whole.

use super::clones::{two, write};
use super::vault::{Forge, NOW, Vault, identity, line, note, settings, sign_lines};
use crate::chain::{Entry, FileRef, Kind, Outcome, Time, leaf_hash};
use crate::crypto::ExampleEntropy;
use crate::id::{Digest, LogName, NoteId};
use crate::ledger::{Anchors, Fate, Ledger, LedgerError, MainFate, Merged, Report, verify};
use crate::repo::PATIENCE;
use std::collections::{BTreeMap, BTreeSet};

/// The most steps of a script that count.
const STEPS_MAX: usize = 8;

thread_local! {
    /// Two clones of which the second has more, made once.
    static CLONES: (Vault, Vault) = {
        let (first, mut second) = two();
        write(&mut second, note(10), 2);
        write(&mut second, note(12), 1);
        second.destroy(note(11));
        second.cut();
        (first, second)
    };
}

/// Runs a script. Says whether the other clone was taken whole.
pub fn exchanged(script: &[u8]) -> bool {
    CLONES.with(|(first, second)| {
        let (mut here, there) = (first.copy(), second.copy());
        for step in script.chunks_exact(4).take(STEPS_MAX) {
            change(&there, step);
        }
        let said = judge(&there, None);
        let (own, before) = (here.messages(here.log), here.mark());
        let merged = merge(&mut here, &there);
        assert_eq!(
            &here.messages(first.log)[..own.len()],
            &own[..],
            "the own log was changed"
        );
        let after = judge(&here, Some(&before)).expect("what is here can be read no more");
        let kept: BTreeSet<LogName> = match &merged {
            Ok(merged) => merged.problems().map(|(log, _)| log).collect(),
            Err(_) => BTreeSet::new(),
        };
        let told = said.as_ref().map(|said| said.problems.as_slice()).unwrap_or_default();
        for problem in &after.problems {
            // Two histories are kept, and told of for ever.
            let beside = matches!(problem.case, 16 | 17 | 43) && problem.log.is_some_and(|log| kept.contains(&log));
            assert!(
                beside || told.contains(problem),
                "a merge left this behind: {problem:?} of {merged:?}"
            );
        }
        // That a log has another history here nobody sees who looks at one clone.
        let whole = |merged: &Merged| {
            let taken = |(_, fate): &(LogName, Fate)| !matches!(fate, Fate::Broken(_));
            merged.logs.iter().all(taken) && matches!(merged.main, MainFate::Same | MainFate::Kept | MainFate::Taken)
        };
        let whole = merged.as_ref().is_ok_and(whole);
        let intact = said.is_ok_and(|said| said.problems.is_empty() && said.unknown.is_empty());
        assert!(
            whole || !intact,
            "the verifier finds nothing there, and yet: {merged:?}"
        );
        whole
    })
}

fn judge(vault: &Vault, mark: Option<&crate::ledger::HighWater>) -> Result<Report, LedgerError> {
    let anchors = Anchors {
        receipt: None,
        high_water: mark,
        witnesses: &[],
        now: Time::from_unix(NOW + 1_000_000),
        deep: false,
    };
    verify(&vault.repo(), &anchors)
}

fn merge(here: &mut Vault, there: &Vault) -> Result<Merged, LedgerError> {
    let other = there.repo();
    let repo = crate::repo::Repo::open(&here.dir(), settings()).expect("the own vault opens");
    let mut ledger = Ledger::start(&repo, &here.identity, &here.state(), PATIENCE, None)?;
    let now = Time::from_unix(NOW + 1000);
    ledger.merge(&other, "elsewhere", now, &mut ExampleEntropy::new("merge"))
}

/// One of them, counted round.
fn pick<T>(all: &[T], number: u8) -> Option<&T> {
    all.get(usize::from(number) % all.len().max(1))
}

fn branches(vault: &Vault) -> Vec<String> {
    let refs = vault.repo().refs("refs/heads/").expect("the branches are listed");
    let names = refs.into_iter().map(|(name, _)| name);
    names
        .filter_map(|name| name.strip_prefix("refs/heads/").map(str::to_owned))
        .collect()
}

/// The branches of files that are there.
fn shards(vault: &Vault) -> Vec<String> {
    let mut names = branches(vault);
    names.retain(|name| !name.starts_with("audit/"));
    names
}

/// The lines of the colleague's log, if they can all be read.
fn own_lines(vault: &Vault) -> Option<Vec<String>> {
    let log = format!("refs/heads/audit/{}", vault.log);
    let head = vault.repo().ref_target(&log).ok()??;
    let repo = vault.repo();
    let mut lines = Vec::new();
    for commit in repo.first_parents(head, 1 << 20) {
        lines.push(line(&commit.ok()?.1.message).to_owned());
    }
    lines.reverse();
    Some(lines)
}

fn put_lines(vault: &Vault, lines: &[String], signer: u8) {
    let pin = Digest([0; 32]);
    let signer = identity(signer, pin);
    let messages = sign_lines(lines, vault.log, &signer);
    let forge = Forge {
        signer: Some(&signer),
        ..Forge::default()
    };
    if !messages.is_empty() {
        vault.put_log(vault.log, &messages, &forge);
    }
}

fn entries(lines: &[String]) -> Option<Vec<Entry>> {
    let parsed = lines
        .iter()
        .map(|line| Entry::parse(line.as_bytes()).ok().map(|parsed| parsed.entry));
    parsed.collect()
}

fn change(vault: &Vault, step: &[u8]) -> Option<()> {
    let [what, a, b, c] = *step else { return None };
    match what % 10 {
        // An entry says something else, and all is chained and signed anew by whoever may.
        0 | 1 => {
            let lines = own_lines(vault)?;
            let mut all = entries(&lines)?;
            let others = all.clone();
            let at = usize::from(a) % all.len().max(1);
            alter(all.get_mut(at)?, &others, b, c);
            put_lines(vault, &chained(&all)?, 2);
        }
        // One more like another, altered.
        2 => {
            let lines = own_lines(vault)?;
            let mut all = entries(&lines)?;
            let mut more = pick(&all, a)?.clone();
            alter(&mut more, &all, b, c);
            all.push(more);
            put_lines(vault, &chained(&all)?, 2);
        }
        // Fewer, or in another order.
        3 => {
            let mut all = entries(&own_lines(vault)?)?;
            let (from, to) = (usize::from(a) % all.len().max(1), usize::from(b) % all.len().max(1));
            match c % 3 {
                0 => all.truncate(from + 1),
                1 => all.swap(from, to),
                _ => drop(all.remove(from)),
            }
            put_lines(vault, &chained(&all)?, 2);
        }
        // A line of other bytes, truly signed, and not chained.
        4 => {
            let mut all = own_lines(vault)?;
            let at = usize::from(a) % all.len().max(1);
            let changed = all.get_mut(at)?;
            let place = usize::from(b) * changed.len() / 256;
            let mut bytes = std::mem::take(changed).into_bytes();
            *bytes.get_mut(place)? = (c & 0x7f).max(b' ');
            *changed = String::from_utf8(bytes).ok()?;
            put_lines(vault, &all, 2);
        }
        // All of it signed by somebody else.
        5 => put_lines(vault, &own_lines(vault)?, 1 + a % 3),
        // A file of other bytes, another file's, none, or one more.
        6 | 7 => {
            let branch = pick(&shards(vault), a)?.clone();
            let mut files = vault.files(&branch);
            let names: Vec<String> = files.keys().cloned().collect();
            let name = pick(&names, b)?.clone();
            match c % 5 {
                0 => drop(files.remove(&name)),
                1 => {
                    let other = files.get(pick(&names, b.wrapping_add(1))?)?.clone();
                    files.insert(name, other);
                }
                2 => {
                    let bytes = files.get_mut(&name)?;
                    let at = usize::from(c) * bytes.len() / 256;
                    *bytes.get_mut(at)? ^= 1;
                }
                3 => drop(files.insert(format!("{name}0"), vec![c])),
                _ => {
                    let other = pick(&shards(vault), c / 5)?.clone();
                    let (_, bytes) = vault.files(&other).pop_first()?;
                    files.insert(name, bytes);
                }
            }
            vault.put_files(&branch, &files);
        }
        // A branch leads elsewhere, or is gone, or one more is there.
        _ => {
            let names = branches(vault);
            let (one, other) = (pick(&names, a)?, pick(&names, b)?);
            match (what % 10, c % 3) {
                (8, 0) => vault.remove(one),
                (8, _) => {
                    let target = vault.target(other);
                    vault.put(one, Vec::new(), target);
                }
                (_, 0) => {
                    let fork = format!("audit/{}-fork-{}", vault.log, Digest([c; 32]));
                    let target = vault.target(other);
                    vault.put(&fork, Vec::new(), target);
                }
                _ => {
                    // An older commit of the same branch.
                    let repo = vault.repo();
                    let older: Vec<_> = repo
                        .first_parents(vault.target(one), 1 << 20)
                        .map_while(|commit| Some(commit.ok()?.0))
                        .collect();
                    let target = *pick(&older, b)?;
                    vault.put(one, Vec::new(), target);
                }
            }
        }
    }
    Some(())
}

/// Numbered and chained anew, where all of them can be written.
fn chained(entries: &[Entry]) -> Option<Vec<String>> {
    let mut prev = Digest([0; 32]);
    let line = |(seq, entry): (usize, &Entry)| {
        let mut entry = entry.clone();
        (entry.seq, entry.prev) = (seq as u64, prev);
        let line = entry.to_line().ok()?;
        prev = leaf_hash(&line);
        String::from_utf8(line).ok()
    };
    entries.iter().enumerate().map(line).collect()
}

fn alter(entry: &mut Entry, others: &[Entry], b: u8, c: u8) {
    let Some(other) = pick(others, c) else { return };
    let files = |entry: &Entry| {
        entry
            .wrote
            .iter()
            .chain(&entry.forgot)
            .cloned()
            .collect::<Vec<FileRef>>()
    };
    let all: Vec<FileRef> = others.iter().flat_map(files).collect();
    match b % 20 {
        0 => entry.time = Time::from_unix(NOW + i64::from(c) * 100_000 - 10_000_000),
        1 => entry.wrote = other.wrote.clone(),
        2 => entry.forgot = other.wrote.clone(),
        3 => entry.wrote.extend(pick(&all, c).cloned()),
        4 => entry.forgot.extend(pick(&all, c).cloned()),
        5 => drop(entry.wrote.pop()),
        6 => entry.kind = other.kind,
        7 => {
            entry.kind = [
                None,
                Some(Kind::Begin),
                Some(Kind::Card),
                Some(Kind::Withdraw),
                Some(Kind::Destroy),
            ][usize::from(c) % 5]
        }
        8 => entry.result = [Outcome::Done, Outcome::Denied, Outcome::Failed][usize::from(c) % 3],
        9 => entry.roster = Digest([c; 32]),
        10 => entry.policies = Digest([c; 32]),
        11 => entry.seen.clone_from(&other.seen),
        12 => entry
            .seen
            .values_mut()
            .for_each(|(size, _)| *size = size.wrapping_add(u64::from(c)).wrapping_sub(3)),
        13 => entry.seen.values_mut().for_each(|(_, root)| root.0[0] ^= c),
        14 => drop(entry.seen.insert(entry.log, (u64::from(c), Digest([c; 32])))),
        15 => entry.held = vec![NoteId([c; 16])],
        16 => entry.because = Some(other.place()),
        17 => entry.actor.0[0] ^= c,
        18 => entry.admitted = Some(Digest([c; 32])),
        _ => {
            if let Some(file) = entry.wrote.first_mut() {
                let other = pick(&all, c).cloned();
                file.2 = other.map_or(Digest([c; 32]), |other| other.2);
            }
        }
    }
    entry.wrote.sort();
    entry.wrote.dedup();
    entry.forgot.sort();
    entry.forgot.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::make_random;
    use crate::env::SystemEntropy;

    #[test]
    fn what_comes_from_elsewhere_untouched_is_taken_whole() {
        assert!(exchanged(&[]));
    }

    #[test]
    fn a_line_gets_no_byte_that_no_commit_holds() {
        // The last step asks for a zero.
        exchanged(&[156, 204, 151, 205, 206, 251, 125, 185, 254, 64, 32, 128]);
    }

    #[test]
    fn it_keeps_its_promise_over_its_corpus() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/exchanged");
        let scripts = std::fs::read_dir(corpus)
            .unwrap()
            .map(|file| std::fs::read(file.unwrap().path()).unwrap());
        let (whole, not): (Vec<bool>, Vec<bool>) = scripts.map(|script| exchanged(&script)).partition(|whole| *whole);
        assert!(
            !whole.is_empty() && !not.is_empty(),
            "{} taken whole, {} not",
            whole.len(),
            not.len()
        );
    }

    /// `STRONGROOM_LONG=1` does ten thousand.
    #[test]
    fn whatever_a_colleague_does_to_a_clone_what_is_here_stays_sound() {
        let times = if std::env::var_os("STRONGROOM_LONG").is_some() {
            10_000
        } else {
            60
        };
        let (mut taken, mut broken) = (BTreeMap::from([(false, 0), (true, 0)]), Vec::new());
        for n in 0..times {
            let script: [u8; 4 * STEPS_MAX] = make_random(&mut SystemEntropy).unwrap();
            let script = &script[..4 * (1 + n % 3)];
            match std::panic::catch_unwind(|| exchanged(script)) {
                Ok(whole) => *taken.entry(whole).or_default() += 1,
                Err(_) => broken.push(script.to_vec()),
            }
        }
        assert_eq!(broken, Vec::<Vec<u8>>::new(), "these scripts break a promise");
        assert!(taken.values().all(|count| *count > 0), "{taken:?}");
    }
}
