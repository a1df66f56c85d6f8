//! Honest histories: whatever several devices do that is allowed, in whatever order, no vault of theirs ever looks
//! tampered with, and clones that have exchanged what they hold agree on what exists.

use super::clones::{admit, assert_honest, change_rules, exchange, exists, merge, read, with, write};
use super::vault::{Vault, settings};
use crate::chain::{Details, Kind};
use crate::env::SystemEntropy;
use crate::id::NoteId;
use crate::ledger::{Changes, Draft};
use crate::repo::{PATIENCE, Repo};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// What happens at one of three devices.
#[derive(Clone, Debug)]
enum Act {
    Write,
    Read,
    Revise(u8),
    Destroy(u8),
    Rules,
    Merge(usize),
    Pack,
    Collect,
    Cut,
    Clone,
    /// The device's clock is set, so many hours after the vault began.
    Clock(u8),
    /// The device is put away and another folder is used: a copy of it.
    Copy,
}

fn acts() -> impl Strategy<Value = (usize, Act)> {
    let act = prop_oneof![
        6 => Just(Act::Write),
        2 => Just(Act::Read),
        4 => any::<u8>().prop_map(Act::Revise),
        4 => any::<u8>().prop_map(Act::Destroy),
        1 => Just(Act::Rules),
        7 => (0usize..3).prop_map(Act::Merge),
        1 => Just(Act::Pack),
        1 => Just(Act::Collect),
        1 => Just(Act::Cut),
        1 => Just(Act::Clone),
        2 => any::<u8>().prop_map(Act::Clock),
        1 => Just(Act::Copy),
    ];
    (0usize..3, act)
}

/// Three devices' clones; made once, copied for each history.
fn team() -> Vec<Vault> {
    static TEAM: OnceLock<Vec<Vault>> = OnceLock::new();
    let made = TEAM.get_or_init(|| {
        let mut first = Vault::with(3, 6);
        let second = admit(&mut first, 2);
        let third = admit(&mut first, 3);
        let mut all = vec![first, second, third];
        let (a, rest) = all.split_at_mut(1);
        merge(&mut rest[0], &a[0]);
        all.iter().for_each(Vault::cut);
        all
    });
    made.iter().map(Vault::copy).collect()
}

/// The notes of a clone, those with any file.
fn notes(vault: &Vault) -> Vec<NoteId> {
    let note = |path: &String| crate::chain::note_of(path.rsplit('/').next()?);
    let all: BTreeSet<NoteId> = exists(vault).iter().filter_map(note).collect();
    all.into_iter().collect()
}

fn pick(vault: &Vault, n: u8) -> Option<NoteId> {
    let notes = notes(vault);
    notes.get(usize::from(n) % notes.len().max(1)).copied()
}

/// Ids that share few branches, so that devices meet on them.
fn new_note(count: &mut u8) -> NoteId {
    *count += 1;
    let mut id = [*count; 16];
    id[0] = *count % 5;
    NoteId(id)
}

fn destroy(vault: &mut Vault, note: NoteId) {
    with(vault, |ledger, now| {
        let mut changes = Changes::default();
        ledger.files_of(note).into_iter().for_each(|file| changes.forget(file));
        let draft = Draft::change(Kind::Destroy, Details::new("destroy"), vec![note], changes);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
        assert_eq!(ledger.finish_forgetting().unwrap(), Vec::<String>::new());
    });
}

fn two_of(team: &mut [Vault], a: usize, b: usize) -> (&mut Vault, &mut Vault) {
    let (low, high) = team.split_at_mut(a.max(b));
    match a < b {
        true => (&mut low[a], &mut high[0]),
        false => (&mut high[0], &mut low[b]),
    }
}

fn carry_out(team: &mut [Vault], at: usize, act: &Act, count: &mut u8) {
    let vault = &mut team[at];
    match act {
        Act::Write => write(vault, new_note(count), 1),
        Act::Read => read(vault),
        Act::Revise(n) => pick(vault, *n).into_iter().for_each(|note| write(vault, note, 2)),
        Act::Destroy(n) => pick(vault, *n).into_iter().for_each(|note| destroy(vault, note)),
        // Where two change them apart, a person decides: one does.
        Act::Rules => change_rules(&mut team[0], &format!("{count}")),
        Act::Merge(with) if *with == at => {}
        Act::Merge(with) => {
            let (into, from) = two_of(team, at, *with);
            let merged = merge(into, from);
            assert_eq!(merged.problems().count(), 0, "{merged:#?}");
            assert_eq!((merged.moved_back, merged.began), (vec![], None));
        }
        Act::Pack => {
            let repo = Repo::open(&vault.dir(), settings()).unwrap();
            let lock = repo.lock(PATIENCE).unwrap();
            repo.recover(&lock).unwrap();
            repo.pack(&lock, 1..=usize::MAX).unwrap();
        }
        Act::Collect => {
            vault.cut();
            vault.git(&["gc", "-q", "--prune=now"]);
            vault.git(&["pack-refs", "--all"]);
        }
        Act::Cut => vault.cut(),
        Act::Clone => {
            vault.cut();
            let copy = vault.copy();
            copy.git(&["clone", "-q", "--mirror", "vault", "other"]);
            assert_honest("a stock clone", &copy.moved_to("other"));
        }
        Act::Clock(hours) => vault.clock = u64::from(*hours) * 3600,
        Act::Copy => *vault = vault.copy(),
    }
}

fn all_agree(team: &[Vault]) {
    for vault in team {
        assert_honest("at the end", vault);
        assert_eq!(exists(vault), exists(&team[0]));
        assert_eq!(vault.files("main"), team[0].files("main"));
    }
}

fn is_long() -> bool {
    std::env::var_os("STRONGROOM_LONG").is_some_and(|value| value == "1")
}

fn some(short: u32, long: u32) -> ProptestConfig {
    ProptestConfig {
        cases: if is_long() { long } else { short },
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What the vault holds after merges from the others, in that order.
fn merged(team: &[Vault], into: usize, from: &[usize]) -> Vault {
    let mut vault = team[into].copy();
    for other in from {
        merge(&mut vault, &team[*other]);
    }
    vault
}

proptest! {
    #![proptest_config(some(6, 1000))]

    #[test]
    fn no_honest_history_looks_tampered_with(acts in proptest::collection::vec(acts(), 4..18)) {
        let (mut team, mut count) = (team(), 100);
        for (at, act) in &acts {
            carry_out(&mut team, *at, act, &mut count);
            assert_honest(&format!("{act:?} at {at}"), &team[*at]);
        }
        for (a, b) in [(0, 1), (1, 2), (0, 2), (0, 1)] {
            let (a, b) = two_of(&mut team, a, b);
            exchange(a, b);
            assert_eq!(exists(a), exists(b));
        }
        all_agree(&team);
    }
}

proptest! {
    #![proptest_config(some(3, 100))]

    #[test]
    fn merging_does_not_depend_on_order_grouping_or_repetition(acts in proptest::collection::vec(acts(), 6..18)) {
        let (mut team, mut count) = (team(), 100);
        for (at, act) in &acts {
            // Apart from each other, but for the beginning.
            if !matches!(act, Act::Merge(_)) || count < 103 {
                carry_out(&mut team, *at, act, &mut count);
            }
        }
        let one = exists(&merged(&team, 0, &[1, 2]));
        // Order.
        prop_assert_eq!(&one, &exists(&merged(&team, 0, &[2, 1])));
        prop_assert_eq!(&one, &exists(&merged(&team, 1, &[0, 2])));
        prop_assert_eq!(&one, &exists(&merged(&team, 2, &[1, 0])));
        // Grouping.
        let (left, right) = (merged(&team, 0, &[1]), merged(&team, 1, &[2]));
        let mut first = left.copy();
        merge(&mut first, &team[2]);
        prop_assert_eq!(&one, &exists(&first));
        let mut second = team[0].copy();
        merge(&mut second, &right);
        prop_assert_eq!(&one, &exists(&second));
        // Repetition, also with what was merged meanwhile, and with itself.
        merge(&mut second, &right);
        merge(&mut second, &first);
        merge(&mut second, &team[0]);
        prop_assert_eq!(&one, &exists(&second));
        assert_honest("after all", &second);
    }
}
