//! What a process remembers between accesses is compared with the vault each time.

use super::vault::{NOW, Vault, settings};
use super::{Given, assert_intact, clones};
use crate::chain::{BUNDLE_LEN, Details, Time};
use crate::crypto::ExampleEntropy;
use crate::env::{Fault, Faults};
use crate::id::NoteId;
use crate::ledger::standing::Standing;
use crate::ledger::{Draft, HighWater, Ledger, LedgerError, Memory};
use crate::repo::{PATIENCE, Repo, Settings};

fn read(ledger: &mut Ledger<'_>) -> Result<(), LedgerError> {
    let draft = Draft::read(Details::new("show"), vec![]);
    ledger
        .record(draft, Time::from_unix(NOW + 500), &mut ExampleEntropy::new("memory"))
        .map(drop)
}

fn open(vault: &Vault, faults: Faults) -> Repo {
    let settings = Settings { faults, ..settings() };
    Repo::open(&vault.dir(), settings).unwrap()
}

/// Whether a start with this memory reads the logs: a standing that still holds is not learned again.
fn learns(vault: &Vault, memory: &Memory) -> bool {
    // A mark on what is remembered: it is gone when the logs have been read.
    let mark = Time::from_unix(1);
    if let Some(standing) = memory.take().unwrap().as_mut() {
        standing.detail_since = mark;
    }
    let repo = open(vault, Faults::none());
    let ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(memory)).unwrap();
    drop(ledger);
    memory
        .take()
        .unwrap()
        .as_ref()
        .is_none_or(|standing| standing.detail_since != mark)
}

#[test]
fn what_is_remembered_is_used_and_kept_up_to_date() {
    let vault = Vault::with(3, 20);
    let memory = Memory::default();
    let repo = open(&vault, Faults::none());
    for size in 20..30 {
        let mut ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(&memory)).unwrap();
        assert_eq!(ledger.head().1, size);
        assert_eq!(ledger.wraps("").unwrap().len(), 3);
        read(&mut ledger).unwrap();
    }
    assert!(!learns(&vault, &memory));
    assert_intact("with a memory", &vault, &Given::default());
}

#[test]
fn what_another_process_wrote_is_learned() {
    let mut vault = Vault::with(3, 20);
    let memory = Memory::default();
    assert!(learns(&vault, &memory));
    vault.grow(0, 25);
    assert!(learns(&vault, &memory));
    vault.destroy(super::vault::note(1));
    let repo = open(&vault, Faults::none());
    let ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(&memory)).unwrap();
    assert_eq!(ledger.wraps("").unwrap().len(), 2);
}

/// What a start rests on, that two ways to learn it must agree on.
fn told(standing: &Standing) -> impl PartialEq + std::fmt::Debug {
    let mut files: Vec<_> = standing.live.iter().map(|(file, by)| (file.file(), by)).collect();
    files.sort();
    let trees: Vec<_> = standing.read.iter().map(|(log, tree)| (*log, tree.clone())).collect();
    let heads = (standing.others.clone(), standing.other_heads.clone());
    (
        files,
        trees,
        heads,
        standing.creations.by_log().clone(),
        standing.quarantined.clone(),
    )
}

#[test]
fn what_other_devices_write_is_taken_in_without_reading_all_of_it_again() {
    let mut lead = Vault::with(2, 6);
    let mut second = clones::admit(&mut lead, 2);
    let (memory, here) = (Memory::default(), open(&second, Faults::none()));
    let catch_up = |expected: bool| {
        let mark = Time::from_unix(1);
        if let Some(standing) = memory.take().unwrap().as_mut() {
            standing.detail_since = mark;
        }
        let mut ledger = Ledger::start(&here, &lead.identity, &lead.state(), PATIENCE, Some(&memory)).unwrap();
        assert_eq!(ledger.standing.detail_since == mark, expected);
        ledger.standing.detail_since = Time::from_unix(NOW);
        let known = Some(lead.mark());
        let anew = crate::ledger::start::learn(&here, &lead.identity, known.as_ref()).unwrap();
        assert_eq!(told(&ledger.standing), told(&anew));
        read(&mut ledger).unwrap();
    };
    catch_up(false);
    catch_up(true);
    for round in 0..6u8 {
        // Also across the end of a bundle.
        for _ in 0..round * 25 {
            clones::read(&mut second);
        }
        let note = NoteId([100 + round; 16]);
        clones::write(&mut second, note, 1);
        catch_up(true);
        if round.is_multiple_of(2) {
            second.destroy(note);
            catch_up(true);
        }
    }
    // Where a log stands elsewhere than where it goes on, and where rules changed, everything is learned anew.
    let other = format!("refs/heads/{}", crate::ledger::objects::audit_ref(second.log));
    second.cut();
    let head = second.repo().ref_target(&other).unwrap().unwrap().to_string();
    second.git(&["update-ref", &other, &format!("{other}~1")]);
    let ledger = Ledger::start(&here, &lead.identity, &lead.state(), PATIENCE, Some(&memory)).unwrap();
    assert_eq!(ledger.quarantined().len(), 1);
    drop(ledger);
    second.git(&["update-ref", &other, &head]);
    catch_up(false);
    clones::change_rules(&mut second, "duty");
    catch_up(false);
    clones::read(&mut second);
    catch_up(true);
    assert_intact("at the end", &second, &Given::default());
}

#[test]
fn who_is_asked_something_keeps_no_other_access_waiting() {
    let vault = Vault::with(1, 10);
    let memory = Memory::default();
    let repo = open(&vault, Faults::none());
    let mut asked = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(&memory)).unwrap();
    asked.aside(PATIENCE, || {
        let repo = open(&vault, Faults::none());
        let mut other = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(&memory)).unwrap();
        read(&mut other).unwrap();
    });
    assert!(matches!(read(&mut asked), Err(LedgerError::Lapsed)));
    drop(asked);
    let mut after = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(&memory)).unwrap();
    assert_eq!(after.head().1, 11);
    read(&mut after).unwrap();
}

#[test]
fn a_log_that_was_put_back_is_refused_also_with_a_memory() {
    let mut vault = Vault::with(1, 10);
    let older = vault.copy();
    vault.grow(0, 12);
    let memory = Memory::default();
    assert!(learns(&vault, &memory));
    // The vault of before, under the state and the memory of now.
    std::fs::remove_dir_all(vault.dir()).unwrap();
    std::fs::rename(older.dir(), vault.dir()).unwrap();
    let repo = open(&vault, Faults::none());
    let refused = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(&memory));
    assert!(matches!(refused, Err(LedgerError::Tampered(problem)) if problem.case == 9));
}

#[test]
fn an_append_that_failed_leaves_nothing_remembered_that_is_not_there() {
    let vault = Vault::with(1, 10);
    let memory = Memory::default();
    for at in 1.. {
        for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
            let repo = open(&vault, Faults::planned(at, fault));
            let started = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, Some(&memory));
            let failed = match started {
                Ok(mut ledger) => read(&mut ledger).is_err(),
                Err(_) => true,
            };
            let repo = open(&vault, Faults::none());
            let size = |memory| {
                let ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, memory).unwrap();
                ledger.head()
            };
            assert_eq!(size(Some(&memory)), size(None), "{fault:?} at step {at}");
            if !failed {
                assert!(at > 3);
                return;
            }
        }
    }
}

#[test]
fn a_bundle_of_long_entries_is_closed_although_it_is_larger_than_the_journal() {
    let vault = Vault::with(1, 3);
    let repo = open(&vault, Faults::none());
    let mut ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    let begun = ledger.head().1;
    for n in begun..BUNDLE_LEN + 3 {
        let mut details = Details::new("show");
        details.asked = Some("long ".repeat(4000));
        let now = Time::from_unix(NOW + 500 + n as i64);
        let read = ledger.record(Draft::read(details, vec![]), now, &mut ExampleEntropy::new("long"));
        let _ = read.unwrap();
    }
    drop(ledger);
    let repo = open(&vault, Faults::none());
    let ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    assert_eq!(ledger.head().1, BUNDLE_LEN + 3);
    drop(ledger);
    assert_intact(
        "with a large bundle",
        &vault,
        &Given {
            deep: true,
            ..Given::default()
        },
    );
}

#[test]
fn a_mark_that_cannot_be_read_is_not_taken_for_none() {
    let vault = Vault::with(1, 4);
    assert!(HighWater::read_unauthenticated(&vault.state()).unwrap().is_some());
    let mark = vault.state().join("high-water");
    std::fs::remove_file(&mark).unwrap();
    assert!(HighWater::read_unauthenticated(&vault.state()).unwrap().is_none());
    std::os::unix::fs::symlink(&mark, &mark).unwrap();
    assert!(HighWater::read_unauthenticated(&vault.state()).is_err());
}
