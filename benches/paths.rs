//! What a person waits for, inside an unlocked process: everything from the words that were typed to what is about to be
//! written to the terminal, decided and recorded (durable). Not in it: starting a process, talking to the agent, drawing
//! a table; whole commands are timed by `peers`. `TMPDIR` says on which disk.
//!
//! Objects that have a file each and packed ones are two vaults: what was just written is read from files, and a moment
//! after the last command from packs.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "stock/mod.rs"]
mod stock;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use std::fs::File;
use std::sync::{Mutex, MutexGuard};
use stock::Stock;
use strongroom::app::{
    Context, Held, ListQuery, NewText, Place, TextFrom, add, attach, extract, list, load_profile, redact_text, search,
    show, tidy, verify,
};
use strongroom::chain::{Details, Time};
use strongroom::env::SystemEntropy;
use strongroom::ledger::Draft;

const SIZES: [usize; 3] = [100, 1000, 10_000];
const MIB: usize = 16;

type Shelf = Mutex<Option<Stock>>;
/// The vaults by size, first with a file for each object, then packed: made when they are first asked for.
static STOCKS: [[Shelf; 2]; 3] = [const { [const { Mutex::new(None) }; 2] }; 3];

fn main() {
    divan::main();
    // Statics are never dropped, and the vaults would stay on the disk.
    for shelf in STOCKS.iter().flatten() {
        drop(shelf.lock().unwrap().take());
    }
}

fn stock(notes: usize, packed: bool) -> MutexGuard<'static, Option<Stock>> {
    let at = SIZES.iter().position(|size| *size == notes).unwrap();
    let mut shelf = STOCKS[at][usize::from(packed)].lock().unwrap();
    shelf.get_or_insert_with(|| {
        let stock = Stock::of(notes);
        if packed {
            while tidy(&stock.context().places).unwrap() {}
        }
        stock
    });
    shelf
}

/// Does `once` with an unlocked vault, again and again.
fn unlocked<T>(bencher: Bencher<'_, '_>, notes: usize, packed: bool, mut once: impl FnMut(&Context<'_>, &Stock) -> T) {
    let shelf = stock(notes, packed);
    let stock = shelf.as_ref().unwrap();
    let held = Held::unlock(&stock.context()).unwrap();
    let mut context = stock.context();
    context.held = Some(&held);
    bencher.bench_local(|| black_box(once(&context, stock)));
}

#[divan::bench(args = SIZES, sample_count = 100, sample_size = 1)]
fn show_one(bencher: Bencher<'_, '_>, notes: usize) {
    let mut n = 0;
    unlocked(bencher, notes, true, |context, stock| {
        n = (n + 37) % notes;
        let shown = show(context, &stock.ids[n].to_string(), None).unwrap();
        assert!(shown.body().contains(&format!("marker{n} ")));
        shown
    });
}

#[divan::bench(args = SIZES, sample_count = 100, sample_size = 1)]
fn add_one(bencher: Bencher<'_, '_>, notes: usize) {
    // A vault of its own: what is added would be found by the others.
    let stock = Stock::of(notes);
    let held = Held::unlock(&stock.context()).unwrap();
    let mut context = stock.context();
    context.held = Some(&held);
    bencher.bench_local(|| {
        let new = NewText {
            title: None,
            client: Some("Halcyon".into()),
            case: None,
            label: Some("internal".into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let text = TextFrom::Caller(Box::new(|| Ok(stock::text(7).into_bytes())));
        black_box(add(&context, new, text).unwrap().id)
    });
}

/// An entry and nothing else: what every access pays.
#[divan::bench(args = SIZES, sample_count = 200, sample_size = 1)]
fn append(bencher: Bencher<'_, '_>, entries: usize) {
    let shelf = stock(entries, true);
    let stock = shelf.as_ref().unwrap();
    let repo = stock.repo();
    let mut ledger = stock.start(&repo);
    let now = Time::from_unix(1_800_000_000);
    bencher.bench_local(|| {
        let draft = Draft::read(Details::new("show"), Vec::new());
        black_box(ledger.record(draft, now, &mut SystemEntropy).unwrap().entry())
    });
}

fn list_all(bencher: Bencher<'_, '_>, notes: usize, packed: bool) {
    unlocked(bencher, notes, packed, |context, _| {
        let lines = list(context, &ListQuery::default()).unwrap();
        assert_eq!(lines.len(), notes);
        lines
    });
}

fn search_all(bencher: Bencher<'_, '_>, notes: usize, packed: bool) {
    unlocked(bencher, notes, packed, |context, _| {
        let found = search(context, "kestrel gate", &ListQuery::default()).unwrap();
        assert_eq!(found.lines.len(), notes.div_ceil(100));
        found.lines
    });
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn list_packed(bencher: Bencher<'_, '_>, notes: usize) {
    list_all(bencher, notes, true);
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn list_files(bencher: Bencher<'_, '_>, notes: usize) {
    list_all(bencher, notes, false);
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn search_packed(bencher: Bencher<'_, '_>, notes: usize) {
    search_all(bencher, notes, true);
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn search_files(bencher: Bencher<'_, '_>, notes: usize) {
    search_all(bencher, notes, false);
}

/// The first access of a process, without what it remembers later.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn start_without_memory(bencher: Bencher<'_, '_>, notes: usize) {
    let shelf = stock(notes, true);
    let stock = shelf.as_ref().unwrap();
    let repo = stock.repo();
    bencher.bench_local(|| black_box(stock.start(&repo).head()));
}

/// `audit verify`, and with `--deep`.
#[divan::bench(args = SIZES, consts = [false, true], sample_count = 5, sample_size = 1)]
fn audit_verify<const DEEP: bool>(bencher: Bencher<'_, '_>, notes: usize) {
    unlocked(bencher, notes, true, |context, _| {
        let report = verify(context, None, &[], None, DEEP).unwrap();
        assert_eq!(report.problems.len(), 0);
        report
    });
}

/// How long whoever wants to write waits while a vault of that many notes is packed: one go.
#[divan::bench(args = [1000], sample_count = 3, sample_size = 1)]
fn tidy_once(bencher: Bencher<'_, '_>, notes: usize) {
    bencher.with_inputs(|| Stock::of(notes)).bench_local_values(|stock| {
        assert!(tidy(&stock.context().places).unwrap());
        stock
    });
}

/// A file of 16 MiB, sealed and durable.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn attach_file(bencher: Bencher<'_, '_>) {
    let stock = Stock::of(1);
    let held = Held::unlock(&stock.context()).unwrap();
    let mut context = stock.context();
    context.held = Some(&held);
    std::fs::write(stock.folder.path().join("file"), vec![7; MIB << 20]).unwrap();
    let mut n = 0;
    bencher.counter(BytesCount::new(MIB << 20)).bench_local(|| {
        n += 1;
        let open = || Ok(File::open(stock.folder.path().join("file")).unwrap());
        attach(&context, &stock.ids[0].to_string(), &format!("file-{n}"), open)
            .unwrap()
            .size
    });
}

/// The same taken out again.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn extract_file(bencher: Bencher<'_, '_>) {
    let stock = Stock::of(1);
    let held = Held::unlock(&stock.context()).unwrap();
    let mut context = stock.context();
    context.held = Some(&held);
    std::fs::write(stock.folder.path().join("file"), vec![7; MIB << 20]).unwrap();
    let open = || Ok(File::open(stock.folder.path().join("file")).unwrap());
    attach(&context, &stock.ids[0].to_string(), "file", open).unwrap();
    let mut n = 0;
    bencher.counter(BytesCount::new(MIB << 20)).bench_local(|| {
        n += 1;
        let place = Place::New(Some(stock.folder.path().join(format!("out-{n}"))));
        extract(&context, &stock.ids[0].to_string(), "file", place)
            .unwrap()
            .size
    });
}

/// A page of 4,000 characters, redacted by the profile that is used where none is named.
#[divan::bench(sample_count = 50)]
fn redact_page(bencher: Bencher<'_, '_>) {
    let profile = load_profile("no-names").unwrap();
    let page: String = format!("{} {}", stock::text(1), stock::text(2))
        .chars()
        .take(4000)
        .collect();
    bencher.bench_local(|| redact_text(&profile, black_box(&page)).unwrap().text.len());
}
