//! `list` and `search` at 100, 1,000 and 10,000 notes of 2 KB, from what is unlocked to what is about to be written to the
//! terminal: everything is looked at, decided, recorded (durable) and given out. Unlocking, and the start of the
//! ledger without its memory, are measured apart. `TMPDIR` says on which disk.
//!
//! Loose objects and packed ones are two vaults; what gathers between two tidyings is little.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "stock/mod.rs"]
mod stock;

use divan::{Bencher, black_box};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, OnceLock};
use stock::Stock;
use strongroom::app::tidy;
use strongroom::chain::{Details, Time};
use strongroom::env::SystemEntropy;
use strongroom::gate::{Filter, Gate, Listed, Nature, Permit, Query};
use strongroom::label::{Clearance, Level};
use strongroom::ledger::{Draft, Ledger};
use strongroom::policy::{Action, ActorFacts, Decision, Kind, PolicySet, Request, ResourceFacts, Role};
use strongroom::repo::Repo;

const SIZES: [usize; 3] = [100, 1000, 10_000];

fn main() {
    divan::main();
}

/// The vault of that size, made when it is first asked for; loose and packed one after the other.
fn stock(notes: usize, packed: bool) -> MutexGuard<'static, Stock> {
    static STOCKS: [[OnceLock<Mutex<Stock>>; 2]; 3] = [const { [const { OnceLock::new() }; 2] }; 3];
    let at = SIZES.iter().position(|size| *size == notes).unwrap();
    let made = STOCKS[at][usize::from(packed)].get_or_init(|| {
        let stock = Stock::of(notes);
        if packed {
            while tidy(&stock.context()).unwrap() {}
        }
        Mutex::new(stock)
    });
    made.lock().unwrap()
}

/// Everything that a list or a search does between the start of the ledger and the terminal.
fn find(stock: &Stock, ledger: &mut Ledger<'_>, policies: &PolicySet, query: Option<&Query>) -> Vec<Listed> {
    let clearance = Clearance {
        person: stock.identity.person(),
        level: Level::Restricted,
        compartments: BTreeSet::new(),
    };
    let action = if query.is_some() { Action::Search } else { Action::List };
    let filter = Filter {
        natures: vec![Nature::Note],
        ..Filter::default()
    };
    let gate = Gate::new(&stock.identity, ledger.keyring());
    let mut survey = gate.scan(ledger, &clearance, &filter, query).unwrap();
    let (mut permitted, mut permits) = (Vec::new(), Vec::new());
    for (label, own, notes) in survey.classes() {
        let mut resource = ResourceFacts::new(Kind::Note, label);
        resource.own = own;
        let decision = policies.decide(&Request {
            action,
            actor: ActorFacts {
                person: stock.identity.person(),
                roles: [Role::LEAD, Role::OFFICER].into(),
                clearance: clearance.clone(),
                paused: false,
            },
            resource,
            purpose: Some("duty".into()),
            reason: Some("shift briefing"),
            now: 1_800_000_000,
            approvals: 0,
            people: 1,
        });
        if let Decision::Permitted(permission) = decision {
            permitted.extend(notes.iter().copied());
            permits.push(Permit::new(permission, notes));
        }
    }
    survey.keep(&permitted.into_iter().collect(), None);
    let draft = Draft::read(Details::new(action.name()), survey.notes());
    let now = Time::from_unix(1_800_000_000);
    let recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    survey.reveal(permits, recorded).unwrap()
}

fn bench(bencher: Bencher<'_, '_>, notes: usize, packed: bool, query: Option<&str>) {
    let stock = stock(notes, packed);
    let query = query.map(|query| Query::parse(query).unwrap());
    let repo: Repo = stock.repo();
    let mut ledger = stock.start(&repo);
    let policies = PolicySet::load_trusted(ledger.charter().policies.clone()).unwrap();
    let expected = match &query {
        Some(_) => notes.div_ceil(100),
        None => notes,
    };
    bencher.bench_local(|| {
        let found = find(&stock, &mut ledger, &policies, query.as_ref());
        assert_eq!(found.len(), expected);
        black_box(found)
    });
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn list_packed(bencher: Bencher<'_, '_>, notes: usize) {
    bench(bencher, notes, true, None);
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn list_loose(bencher: Bencher<'_, '_>, notes: usize) {
    bench(bencher, notes, false, None);
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn search_packed(bencher: Bencher<'_, '_>, notes: usize) {
    bench(bencher, notes, true, Some("kestrel gate"));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn search_loose(bencher: Bencher<'_, '_>, notes: usize) {
    bench(bencher, notes, false, Some("kestrel gate"));
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn start_without_memory(bencher: Bencher<'_, '_>, notes: usize) {
    let stock = stock(notes, true);
    let repo = stock.repo();
    bencher.bench_local(|| black_box(stock.start(&repo).head()));
}

/// How long the lock is held while some thousand objects are packed.
#[divan::bench(args = [1000], sample_count = 3, sample_size = 1)]
fn tidy_once(bencher: Bencher<'_, '_>, notes: usize) {
    bencher.with_inputs(|| Stock::of(notes)).bench_local_values(|stock| {
        assert!(tidy(&stock.context()).unwrap());
        stock
    });
}
