//! How many instructions the hot paths take, counted by valgrind's callgrind: `cargo bench --bench instructions`. Unlike
//! time this hardly changes with what else the machine does, so that a regression of a few percent shows.
//!
//! Each path is done once to warm up and once to be counted, on one thread, in a vault of its own with 50 notes. Beside
//! each count stands what `benches/instructions.txt` has for it; a tenth more ends with exit code 1. `RECORD=1` writes the
//! file anew (a newer compiler is a reason, and is said in the commit).

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "stock/mod.rs"]
mod stock;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use stock::Stock;
use strongroom::app::{
    Context, Held, ListQuery, NewText, TextFrom, add, list, load_profile, redact_text, search, show, verify,
};

const NOTES: usize = 50;
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
const PATHS: [&str; 6] = ["show", "add", "list", "search", "verify", "redact"];

fn main() -> ExitCode {
    match std::env::args().nth(1).filter(|path| PATHS.contains(&path.as_str())) {
        Some(path) => {
            take(&path);
            ExitCode::SUCCESS
        }
        None => compare(),
    }
}

/// What is counted is whatever runs inside this function.
#[inline(never)]
fn counted(once: &mut dyn FnMut()) {
    once();
}

fn take(path: &str) {
    let twice = |once: &mut dyn FnMut()| {
        once();
        counted(once);
    };
    if path == "redact" {
        let profile = load_profile("no-names").unwrap();
        let page = format!("{} {}", stock::text(1), stock::text(2));
        return twice(&mut || drop(black_box(redact_text(&profile, &page).unwrap())));
    }
    let stock = Stock::of(NOTES);
    let held = Held::unlock(&stock.context()).unwrap();
    let mut context: Context<'_> = stock.context();
    context.held = Some(&held);
    let all = ListQuery::default();
    twice(&mut || match path {
        "show" => drop(black_box(show(&context, &stock.ids[7].to_string(), None).unwrap())),
        "add" => {
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
            drop(black_box(add(&context, new, text).unwrap()));
        }
        "list" => assert_eq!(list(&context, &all).unwrap().len(), NOTES),
        "search" => assert_eq!(search(&context, "gate", &all).unwrap().lines.len(), NOTES),
        "verify" => assert!(verify(&context, None, &[], None, false).unwrap().problems.is_empty()),
        other => unreachable!("{other}"),
    });
}

/// Counts a path in a process of its own; `None` where valgrind is not installed.
fn count(path: &str) -> Option<u64> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("callgrind");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*counted*", "--error-exitcode=9"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .arg(path)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path}: {said}");
    let text = std::fs::read_to_string(out).unwrap();
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.map(|totals| totals.trim().parse().unwrap())
}

fn compare() -> ExitCode {
    let text = std::fs::read_to_string(RECORD).unwrap_or_default();
    let known: BTreeMap<&str, u64> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(path, count)| (path, count.parse().unwrap()))
        .collect();
    let mut made = String::new();
    let mut worse = false;
    for path in PATHS {
        let Some(count) = count(path) else {
            println!("skipped: valgrind is not installed");
            return ExitCode::SUCCESS;
        };
        made.push_str(&format!("{path} {count}\n"));
        match known.get(path) {
            Some(before) => {
                let more = count as f64 / *before as f64;
                worse |= more > 1.1;
                println!("{path:<8} {count:>12} instructions  {:+.1} %", (more - 1.0) * 100.0);
            }
            None => println!("{path:<8} {count:>12} instructions  not recorded yet"),
        }
    }
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(RECORD, made).unwrap();
        return ExitCode::SUCCESS;
    }
    ExitCode::from(u8::from(worse))
}
