//! Two clones: what each holds is taken, compared, left out or kept beside, and the vault is valid throughout.

use super::clones::{admit, assert_honest, change_rules, exchange, exists, merge, read, sizes, try_merge, write};
use super::vault::{Vault, note};
use super::{Given, assert_caught, judge};
use crate::chain::{Checkpoint, Frontier, Message};
use crate::crypto::SigningKey;
use crate::id::{Digest, VaultId};
use crate::ledger::merge::follows;
use crate::ledger::objects::Objects;
use crate::ledger::{Fate, LedgerError, MainFate};
use crate::repo::{Commit, Oid, ReadError, TreeEntry};
use crate::secret::Secret;
use std::collections::BTreeMap;

fn two() -> (Vault, Vault) {
    let mut first = Vault::with(2, 4);
    let second = admit(&mut first, 2);
    (first, second)
}

#[test]
fn what_two_clones_wrote_apart_is_in_both_afterwards() {
    let (mut a, mut b) = two();
    write(&mut a, note(10), 1);
    write(&mut b, note(11), 1);
    write(&mut b, note(10), 1);
    read(&mut a);
    let merged = merge(&mut a, &b);
    assert_eq!(merged.main, MainFate::Same);
    assert_eq!(merged.problems().count(), 0);
    let fates: BTreeMap<_, _> = merged.logs.into_iter().collect();
    assert_eq!(fates[&a.log], Fate::Behind);
    assert_eq!(fates[&b.log], Fate::New(3));
    assert_honest("a", &a);
    let merged = merge(&mut b, &a);
    assert_eq!(
        merged.logs.iter().find(|(log, _)| *log == a.log).unwrap().1,
        Fate::Ahead { from: 5, to: 7 }
    );
    assert_honest("b", &b);
    assert_eq!((exists(&a), sizes(&a)), (exists(&b), sizes(&b)));
    assert_eq!(exists(&a).iter().filter(|path| path.starts_with("notes/0a")).count(), 2);
    // Once more changes nothing, not even a branch.
    let before = a.repo().refs("refs/").unwrap();
    merge(&mut a, &b);
    assert_eq!(a.repo().refs("refs/").unwrap(), before);
    a.git(&["fsck", "--strict", "--no-dangling"]);
    // What one saw of the other stands in its next entry.
    read(&mut a);
    assert!(a.entries(a.log).last().unwrap().seen.contains_key(&b.log));
    assert_honest("a, later", &a);
}

#[test]
fn what_a_killed_merge_was_writing_is_gone_with_the_next() {
    let (mut a, b) = two();
    let half = a.dir().join("objects/tmp_object_git2_0123456789abcdef");
    std::fs::write(&half, b"half").unwrap();
    super::clones::read(&mut a);
    assert!(half.exists());
    merge(&mut a, &b);
    assert!(!half.exists());
}

#[test]
fn what_was_forgotten_does_not_come_back_and_leaves_the_other_clone() {
    let (mut a, mut b) = two();
    write(&mut a, note(10), 1);
    exchange(&mut a, &mut b);
    let old = b.copy();
    let gone: Vec<_> = exists(&a)
        .into_iter()
        .filter(|path| path.contains(&note(10).to_string()))
        .collect();
    assert_eq!(gone.len(), 2);
    let body = b.target("notes/0a");
    a.destroy(note(10));
    merge(&mut b, &a);
    assert_honest("b", &b);
    assert_eq!(exists(&a), exists(&b));
    assert!(!exists(&b).contains(&gone[0]));
    // Neither the commit nor anything below it is on the disk any more.
    assert!(!b.repo().contains(body) && !b.repo().is_forgetting());
    merge(&mut a, &old);
    assert_eq!(exists(&a), exists(&b));
    assert_honest("a", &a);
    assert!(!a.repo().contains(body));
}

#[test]
fn a_revision_of_a_note_that_was_destroyed_elsewhere_is_set_aside() {
    let (mut a, mut b) = two();
    write(&mut a, note(10), 1);
    exchange(&mut a, &mut b);
    write(&mut b, note(10), 2);
    let offline = b.copy();
    a.destroy(note(10));
    // A merge that was killed may have begun to put it there.
    let mut begun = b.copy();
    let names: Vec<String> = {
        let mut probe = b.copy();
        let set_aside = merge(&mut probe, &a).set_aside.into_iter();
        set_aside
            .map(|file| format!("{}-{}", file.0.replace('/', "-"), file.1))
            .collect()
    };
    let place = begun.state().join("quarantine");
    std::fs::create_dir_all(&place).unwrap();
    names
        .iter()
        .for_each(|name| std::fs::write(place.join(name), "").unwrap());
    assert_eq!(merge(&mut begun, &a).set_aside.len(), 2);
    assert!(
        names
            .iter()
            .all(|name| std::fs::metadata(place.join(name)).unwrap().len() > 0)
    );
    let merged = merge(&mut b, &a);
    assert_eq!(merged.set_aside.len(), 2, "body and wrap");
    for file in &merged.set_aside {
        let name = format!("{}-{}", file.0.replace('/', "-"), file.1);
        let bytes = std::fs::read(b.state().join("quarantine").join(name)).unwrap();
        assert_eq!(crate::crypto::sha256(&[&bytes]), file.2);
    }
    assert_honest("b", &b);
    // Who destroyed it does not take it, though the log that wrote it is merged.
    assert_eq!(merge(&mut a, &offline).set_aside, []);
    assert_honest("a", &a);
    assert_eq!(exists(&a), exists(&b));
    merge(&mut a, &b);
    assert_eq!(exists(&a), exists(&b));
    assert!(!exists(&a).iter().any(|path| path.contains(&note(10).to_string())));
}

#[test]
fn a_file_that_stands_in_no_entry_is_not_taken() {
    let (mut a, b) = two();
    let mut files = b.files("notes/01");
    let stray = format!("{}.{}", note(1), "5".repeat(64));
    files.insert(stray.clone(), b"stray".to_vec());
    b.put_files("notes/01", &files);
    merge(&mut a, &b);
    assert!(!exists(&a).iter().any(|path| path.ends_with(&stray)));
    assert_honest("a", &a);
}

#[test]
fn a_stranger_s_broken_log_stops_nobody_else() {
    let (mut a, mut b) = two();
    let mut c = admit(&mut a, 3);
    merge(&mut b, &a);
    write(&mut b, note(20), 1);
    write(&mut c, note(21), 1);
    merge(&mut b, &c);
    read(&mut b);
    let messages = b.messages(c.log);
    b.put_log(c.log, &messages[..1], &super::vault::Forge::default());
    let merged = merge(&mut a, &b);
    let broken: Vec<_> = merged.problems().map(|(log, _)| log).collect();
    assert_eq!(broken, [c.log]);
    // The other has seen what is not here: that is said.
    let report = judge(&a, &Given::default());
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_caught("missing", &report, &[(10, None)]);
    write(&mut a, note(22), 1);
    assert!(sizes(&a).contains_key(&b.log) && !sizes(&a).contains_key(&c.log));
    // From where it is whole, it is taken.
    merge(&mut a, &c);
    assert_eq!(sizes(&a)[&c.log], 2);
    assert_honest("a with c", &a);
}

#[test]
fn a_clone_that_lacks_what_a_log_wrote_is_not_believed_about_that_log() {
    let (mut a, mut b) = two();
    write(&mut b, note(10), 1);
    let good = b.copy();
    let mut files = b.files("notes/0a");
    files.clear();
    b.put_files("notes/0a", &files);
    let merged = merge(&mut a, &b);
    assert!(matches!(
        &merged.logs.iter().find(|(log, _)| *log == b.log).unwrap().1,
        Fate::Broken(_)
    ));
    assert_honest("a", &a);
    merge(&mut a, &good);
    assert_eq!(exists(&a), exists(&good));
    assert_honest("a with the file", &a);
}

#[test]
fn members_and_policies_of_the_side_that_goes_on_win() {
    let (mut a, mut b) = two();
    exchange(&mut a, &mut b);
    change_rules(&mut b, "no more");
    let c = admit(&mut b, 3);
    assert_eq!(merge(&mut a, &b).main, MainFate::Taken);
    assert_honest("a", &a);
    assert_eq!(a.files("main"), b.files("main"));
    merge(&mut a, &c);
    assert_honest("a", &a);
    let before = a.repo().refs("refs/").unwrap();
    let old = b.copy();
    change_rules(&mut a, "on one side");
    assert_eq!(merge(&mut a, &old).main, MainFate::Kept);
    change_rules(&mut b, "on the other");
    write(&mut b, note(30), 1);
    let merged = merge(&mut a, &b);
    assert_eq!((merged.main, merged.logs.len()), (MainFate::Diverged, 0));
    assert_ne!(a.repo().refs("refs/").unwrap(), before);
    assert!(!sizes(&a).contains_key(&b.log) || sizes(&a)[&b.log] < sizes(&b)[&b.log]);
    assert_honest("a, on its own", &a);
}

#[test]
fn another_vault_is_not_merged() {
    let (mut a, _) = two();
    let other = Vault::found(5);
    assert!(try_merge(&mut a, &other).is_err());
    assert_honest("a", &a);
    let mut foreign = a.copy();
    foreign.identity = super::vault::identity(5, other.identity.founder_pin());
    assert!(matches!(
        crate::ledger::catch_up(
            &foreign.repo(),
            &foreign.identity,
            &foreign.state(),
            crate::repo::PATIENCE,
            (&other.repo(), "other"),
            crate::chain::Time::from_unix(super::vault::NOW)
        ),
        Err(LedgerError::AlteredMark)
    ));
}

#[test]
fn a_merge_that_is_interrupted_anywhere_is_done_by_the_next() {
    use crate::env::{Fault, Faults, Step};
    use crate::repo::{PATIENCE, Repo};
    let (mut a, mut b) = two();
    write(&mut a, note(10), 1);
    write(&mut a, note(12), 1);
    exchange(&mut a, &mut b);
    write(&mut b, note(11), 1);
    write(&mut b, note(12), 2);
    b.destroy(note(10));
    a.cut();
    a.destroy(note(12));
    // One more that the other must set aside.
    let (start, other) = (b, a);
    let run = |vault: &Vault, faults: Faults| {
        let settings = crate::repo::Settings {
            faults,
            ..super::vault::settings()
        };
        let repo = Repo::open(&vault.dir(), settings.clone())?;
        let mut ledger = crate::ledger::Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None)?;
        let now = crate::chain::Time::from_unix(super::vault::NOW + 5000);
        ledger.merge(&other.repo(), "other", now, &mut crate::env::SystemEntropy)?;
        Ok::<Vec<Step>, LedgerError>(settings.faults.seen())
    };
    let whole = start.copy();
    let steps = run(&whole, Faults::planned(0, Fault::Fails)).unwrap();
    let result = exists(&whole);
    assert_eq!(judge(&whole, &Given::default()).problems, []);
    assert!(
        steps.contains(&Step::RefWrite) && steps.contains(&Step::ObjectRemove),
        "{steps:?}"
    );
    for at in 1..=steps.len() as u64 {
        let all = [Fault::Fails, Fault::FailsAfterDone, Fault::Torn];
        let some = match std::env::var_os("STRONGROOM_LONG") {
            Some(_) => &all[..],
            None => &all[at as usize % 3..][..1],
        };
        for fault in some.iter().copied() {
            let vault = start.copy();
            assert!(run(&vault, Faults::planned(at, fault)).is_err(), "{at} {fault:?}");
            // What the verifier sees at this moment: the vault before or after, never half of it.
            let step = steps[at as usize - 1];
            let now = judge(&vault, &Given::default());
            assert_eq!(now.problems, [], "{at} {step:?} {fault:?}");
            run(&vault, Faults::none()).unwrap();
            assert_eq!(exists(&vault), result, "{at} {step:?} {fault:?}");
            assert_honest(&format!("{at} {step:?} {fault:?}"), &vault);
            vault.git(&["fsck", "--strict", "--no-dangling"]);
        }
    }
}

#[test]
fn a_forgery_in_the_other_s_own_log_is_not_taken() {
    let (mut a, mut b) = two();
    write(&mut b, note(10), 1);
    merge(&mut a, &b);
    // Rewritten with the true key: another history, kept beside and called tampering.
    let mut entries = b.entries(b.log);
    entries[1].sealed = super::vault::sealed(9);
    let lines = super::vault::chain(&entries);
    let messages = super::vault::sign_lines(&lines, b.log, &b.identity);
    let forge = super::vault::Forge {
        signer: Some(&b.identity),
        ..Default::default()
    };
    b.put_log(b.log, &messages, &forge);
    let merged = merge(&mut a, &b);
    assert_eq!(
        merged.logs.iter().find(|(log, _)| *log == b.log).unwrap().1,
        Fate::Diverged
    );
    assert_eq!(
        merged.moved_back.iter().map(|problem| problem.case).collect::<Vec<_>>(),
        [18]
    );
    assert_caught("fork", &judge(&a, &Given::default()), &[(43, None)]);
    // Work goes on.
    write(&mut a, note(40), 1);
}

/// A log of very many entries, of which the commits are numbered, and beside each of them another one that nothing follows.
struct Long;

/// More than are looked at of any other branch.
const LONG: u64 = 200_000;

impl Long {
    fn commit(size: u64, beside: u8) -> Oid {
        let mut oid = [beside; 20];
        oid[..8].copy_from_slice(&size.to_be_bytes());
        Oid(oid)
    }
}

impl Objects for Long {
    fn commit_at(&self, oid: Oid) -> Result<Commit, ReadError> {
        let size = u64::from_be_bytes(oid.0[..8].try_into().unwrap());
        // Nobody reads what the others say.
        let message = (!(10..LONG - 10).contains(&size)).then(|| {
            let roots = vec![Digest([1; 32]); size.count_ones() as usize];
            let frontier = Frontier::from_parts(size, roots).unwrap();
            let checkpoint = Checkpoint {
                vault: VaultId([1; 16]),
                log: "0102030405060708-090a0b0c".parse().unwrap(),
                size,
                root: frontier.root(),
            };
            let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
            let (line, checkpoint) = (b"{}".to_vec(), checkpoint.sign(&key));
            let message = Message {
                line,
                checkpoint,
                frontier,
            };
            String::from_utf8(message.to_bytes()).unwrap()
        });
        Ok(Commit {
            tree: Oid([0; 20]),
            parents: Some(size - 1)
                .filter(|size| *size > 0)
                .map(|size| Self::commit(size, 0))
                .into_iter()
                .collect(),
            author: String::new(),
            committer: String::new(),
            gpgsig: None,
            message: message.unwrap_or_default(),
            signed: Vec::new(),
        })
    }
    fn tree_at(&self, oid: Oid) -> Result<Vec<TreeEntry>, ReadError> {
        Err(ReadError::Missing { oid })
    }
    fn blob_at(&self, oid: Oid, _: u64) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Missing { oid })
    }
}

#[test]
fn a_log_goes_on_from_what_is_there_however_much_was_entered_since() {
    let commit = Long::commit;
    assert!(follows(&Long, commit(LONG, 0), commit(1, 0)));
    assert!(follows(&Long, commit(LONG, 0), commit(LONG, 0)));
    assert!(!follows(&Long, commit(1, 0), commit(LONG, 0)));
    assert!(!follows(&Long, commit(LONG, 0), commit(1, 1)));
    assert!(!follows(&Long, commit(LONG, 0), commit(LONG, 1)));
    // The history beside leaves it with its last entry.
    assert!(follows(&Long, commit(LONG, 1), commit(LONG - 1, 0)));
}
