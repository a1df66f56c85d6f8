//! More histories of one log than anybody needs, by whoever has a device: the vault stays usable, and what is left out is named.

use super::clones::{exists, merge, read, try_merge, two, with, write};
use super::vault::{Vault, note};
use crate::chain::{Details, Kind};
use crate::env::SystemEntropy;
use crate::id::LogName;
use crate::ledger::{Changes, DEVICES, Draft, Elsewhere, Fate, Ledger};
use crate::repo::{PATIENCE, Repo};

fn held(vault: &Vault, log: LogName) -> usize {
    let begin = format!("refs/heads/audit/{log}");
    let refs = vault.repo().refs("refs/heads/").unwrap();
    refs.iter().filter(|(name, _)| name.starts_with(&begin)).count()
}

#[test]
fn further_histories_of_a_log_are_left_out_and_named() {
    let (mut a, mut b) = two();
    read(&mut b);
    write(&mut b, note(30), 1);
    b.cut();
    let log = b.log;
    b.put_beside(0..40);
    let merged = merge(&mut a, &b);
    assert_eq!((held(&b, log), held(&a, log)), (41, 32));
    assert_eq!(merged.crowded, [log]);
    let told = merged
        .told
        .iter()
        .any(|problem| problem.message.contains("9 of them were left out"));
    assert!(told, "{:?}", merged.told);
    // Nothing else is in anybody's way.
    write(&mut a, note(31), 1);
    assert!(exists(&a).is_superset(&exists(&b)));
    let (again, before) = (merge(&mut a, &b), held(&a, log));
    assert_eq!((again.crowded, before), (vec![log], 32));
    // What goes on from one that is here comes all the same.
    let mut on = b.copy();
    let forks: Vec<String> = names(&on, log);
    forks.iter().for_each(|fork| on.remove(fork));
    read(&mut on);
    let merged = merge(&mut a, &on);
    let fate = merged
        .logs
        .iter()
        .find(|(known, _)| *known == log)
        .map(|(_, fate)| fate);
    assert!(matches!(fate, Some(Fate::Ahead { .. })), "{:?}", merged.logs);
    assert_eq!(held(&a, log), 32);
    // Who holds more keeps them.
    assert!(try_merge(&mut b, &a).is_ok());
    assert_eq!(held(&b, log), 41);
}

#[test]
fn no_more_histories_are_pushed_than_a_guard_lets_in() {
    let (mut a, b) = two();
    let mut b = b;
    read(&mut b);
    b.cut();
    b.put_beside(0..20);
    merge(&mut a, &b);
    let there = b.copy();
    names(&there, b.log).iter().for_each(|fork| there.remove(fork));
    there.put_beside(100..120);
    a.cut();
    let repo = Repo::open(&a.dir(), super::vault::settings()).unwrap();
    let ledger = Ledger::start(&repo, &a.identity, &a.state(), PATIENCE, None).unwrap();
    let push = ledger
        .plan_push(&Elsewhere::of(&there.repo()).unwrap(), None, None)
        .unwrap();
    let forks = push.moves.iter().filter(|moved| moved.name.contains("-fork-")).count();
    let held_back = push
        .held_back
        .iter()
        .filter(|(name, _)| name.contains("-fork-"))
        .count();
    assert_eq!((forks, held_back), (11, 9));
}

#[test]
fn who_fills_a_branch_of_files_is_left_out() {
    let (mut a, mut b) = two();
    let good = b.copy();
    with(&mut b, |ledger, now| {
        for n in 0..5 {
            let mut changes = Changes::default();
            for m in 0..150 {
                let name = format!("detail-{:016x}", n * 1000 + m);
                changes.write_digested(DEVICES, name, format!("{n} {m}").into_bytes());
            }
            let draft = Draft::change(Kind::Key, Details::new("x"), vec![], changes);
            let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
        }
    });
    b.cut();
    let merged = merge(&mut a, &b);
    let fate = merged
        .logs
        .iter()
        .find(|(log, _)| *log == b.log)
        .map(|(_, fate)| fate.clone());
    assert!(
        matches!(&fate, Some(Fate::Broken(why)) if why.contains("`keys/devices`")),
        "{fate:?}"
    );
    write(&mut a, note(31), 1);
    assert_eq!(exists(&good).difference(&exists(&a)).count(), 0);
}

fn names(vault: &Vault, log: LogName) -> Vec<String> {
    let begin = format!("refs/heads/audit/{log}-fork-");
    let refs = vault.repo().refs("refs/heads/").unwrap();
    let names = refs.iter().filter(|(name, _)| name.starts_with(&begin));
    names
        .filter_map(|(name, _)| name.strip_prefix("refs/heads/").map(str::to_owned))
        .collect()
}
