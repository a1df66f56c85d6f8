//! Lists and searches of many notes: one entry, which fits, and names exactly what is shown.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../benches/stock/mod.rs"]
mod stock;

use std::collections::BTreeSet;
use stock::Stock;
use strongroom::app::{ListQuery, LogLine, LogQuery, NoteLine, list, log, search, tidy};
use strongroom::chain::NoteSet;
use strongroom::id::NoteId;

/// The longest entry.
const ENTRY_MAX: usize = 64 * 1024;

fn ids(lines: &[NoteLine]) -> BTreeSet<NoteId> {
    lines.iter().map(|line| line.listed.note).collect()
}

/// The newest entry but that of reading the log.
fn newest(stock: &Stock) -> LogLine {
    entry(stock, entries(stock) - 1)
}

fn entries(stock: &Stock) -> u64 {
    let repo = stock.repo();
    stock.start(&repo).head().1
}

/// The `seq`-th entry, from the log as it is read.
fn entry(stock: &Stock, seq: u64) -> LogLine {
    let mut found = None;
    let query = LogQuery::default();
    let show = &mut |_, line: LogLine| {
        if line.entry.seq == seq {
            found = Some(line);
        }
        Ok(())
    };
    log(&stock.context(), &query, show).unwrap();
    found.unwrap()
}

/// That the newest entry is one of `verb`, fits, asks for `asked` and names the notes that were shown.
#[track_caller]
fn names_what_was_shown(stock: &Stock, before: u64, verb: &str, asked: Option<&str>, lines: &[NoteLine]) {
    assert_eq!(entries(stock), before + 1, "{verb} is one entry");
    let entry = newest(stock);
    let bytes = entry.entry.to_line().unwrap().len();
    assert!(bytes <= ENTRY_MAX, "{bytes} bytes");
    assert_eq!(entry.entry.seq, before);
    let details = entry.details.as_ref().unwrap();
    assert_eq!((entry.verb(), details.asked.as_deref()), (verb, asked));
    assert_eq!(entry.notes.len(), lines.len());
    assert_eq!(entry.notes.into_iter().collect::<BTreeSet<_>>(), ids(lines));
    let by_map = matches!(details.notes, NoteSet::Bitmaps(_));
    assert_eq!(by_map, lines.len() > 64);
}

fn one_entry_names_all(notes: usize) {
    let stock = Stock::of(notes);
    let before = entries(&stock);
    let found = search(&stock.context(), "MARKER", &ListQuery::default()).unwrap();
    assert_eq!(found.lines.len(), notes);
    names_what_was_shown(&stock, before, "search", Some("MARKER"), &found.lines);
    let before = entries(&stock);
    let listed = list(&stock.context(), &ListQuery::default()).unwrap();
    assert_eq!(ids(&listed), ids(&found.lines));
    names_what_was_shown(&stock, before, "list", None, &listed);

    // Every hundredth, and that with a filter; what is shown is what is named, not what was looked at.
    for (which, asked, count) in [
        (ListQuery::default(), "kestrel", notes.div_ceil(100)),
        (
            ListQuery {
                limit: Some(2),
                ..ListQuery::default()
            },
            "kestrel",
            2,
        ),
        (
            ListQuery {
                client: Some("halcyon".into()),
                ..ListQuery::default()
            },
            "kestrel / halcyon",
            notes.div_ceil(100),
        ),
    ] {
        let before = entries(&stock);
        let found = search(&stock.context(), "kestrel", &which).unwrap();
        assert_eq!(found.lines.len(), count);
        names_what_was_shown(&stock, before, "search", Some(asked), &found.lines);
    }
    let before = entries(&stock);
    let found = search(&stock.context(), "\"no such words\"", &ListQuery::default()).unwrap();
    assert!(found.lines.is_empty());
    names_what_was_shown(&stock, before, "search", Some("\"no such words\""), &found.lines);
}

#[test]
fn an_entry_names_what_was_shown() {
    one_entry_names_all(130);
}

/// `cargo test --release --test finding -- --ignored`
#[test]
#[ignore = "it makes ten thousand notes"]
fn an_entry_names_ten_thousand_notes() {
    one_entry_names_all(10_000);
}

#[test]
fn a_tidied_vault_lists_and_searches_the_same() {
    let mut stock = Stock::of(160);
    let all = ListQuery::default;
    let before = ids(&list(&stock.context(), &all()).unwrap());
    assert!(tidy(&stock.context().places).unwrap());
    assert_eq!(ids(&list(&stock.context(), &all()).unwrap()), before);
    // Little has gathered since, and nobody waits for somebody who writes.
    assert!(!tidy(&stock.context().places).unwrap());
    stock.grow(160);
    {
        let repo = stock.repo();
        let _writing = stock.start(&repo);
        assert!(!tidy(&stock.context().places).unwrap());
    }
    assert!(tidy(&stock.context().places).unwrap());
    assert_eq!(search(&stock.context(), "marker319", &all()).unwrap().lines.len(), 1);
    let report = strongroom::app::verify(&stock.context(), None, &[], None, true).unwrap();
    assert_eq!(report.problems, []);
}
