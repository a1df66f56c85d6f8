//! System calls that fail, one at a time, on the real program (strace's fault injection): the program ends in words, gives
//! out nothing that is not recorded, and has lost nothing that it had acknowledged.

use crate::house::{House, Ran, has, long, say, with_why};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

const SECRET: &str = "The courier enters by the cellar door.";
/// What writes, or makes what was written last.
const CALLS: [&str; 13] = [
    "pwrite64",
    "fdatasync",
    "fsync",
    "syncfs",
    "write",
    "link",
    "linkat",
    "rename",
    "renameat2",
    "unlink",
    "mkdir",
    "ftruncate",
    "fallocate",
];
/// A broken disk, a full one, and a signal that came meanwhile.
const ERRORS: [&str; 3] = ["EIO", "ENOSPC", "EINTR"];
/// Of the calls of the ordinary run every so many are made to fail.
const STRIDE: usize = 29;

/// `args` under strace with these options for it.
fn traced(house: &House, options: &[&str], args: &[&str]) -> Ran {
    let mut strace = house.program("strace");
    strace.arg("-f").args(options).arg(env!("CARGO_BIN_EXE_strongroom"));
    Ran::from(strace.arg("--no-input").args(args).output().unwrap())
}

/// How often each of the calls is made by `args`.
fn counted(house: &House, args: &[&str]) -> Vec<(&'static str, usize)> {
    let seen = house.root().join("calls");
    let filter = format!("trace={}", CALLS.map(|call| format!("?{call}")).join(","));
    let options = ["-o", seen.to_str().unwrap(), "-e", &filter];
    traced(house, &options, args).expect(0);
    let text = std::fs::read_to_string(seen).unwrap();
    let count = |call: &'static str| {
        let begins = format!("{call}(");
        let of_it = |line: &&str| {
            line.split_whitespace()
                .nth(1)
                .is_some_and(|word| word.starts_with(&begins))
        };
        (call, text.lines().filter(of_it).count())
    };
    CALLS.map(count).to_vec()
}

/// What gives the arguments of a command, which are others each time.
type Args<'a> = dyn Fn(&House) -> Vec<String> + 'a;

/// Runs what `args` give, again and again, each time with another call failing in another way; gives how often.
fn each_fails(house: &House, acknowledged: &mut BTreeSet<String>, args: &Args<'_>) -> usize {
    let made = args(house);
    let words: Vec<&str> = made.iter().map(String::as_str).collect();
    let (mut failed, mut turn) = (0, 0);
    for (call, count) in counted(house, &words) {
        for (place, error) in (1..=count).flat_map(|place| ERRORS.map(|error| (place, error))) {
            turn += 1;
            if !long() && turn % STRIDE != 0 {
                continue;
            }
            let made = args(house);
            let words: Vec<&str> = made.iter().map(String::as_str).collect();
            let before = recorded(house, words[0]);
            let fault = format!("inject={call}:error={error}:when={place}");
            let trace = format!("trace={call}");
            let ran = traced(house, &["-o", "/dev/null", "-e", &trace, "-e", &fault], &words);
            let what = format!("{} with {fault}: {}", words[0], ran.err);
            assert!(ran.code.is_some_and(|code| code < 10), "{what}");
            assert!(
                !ran.err.contains("panicked") && !ran.err.contains("internal error"),
                "{what}"
            );
            assert!(!ran.err.contains("courier"), "{what}");
            if ran.out.contains(SECRET) {
                assert_eq!(recorded(house, words[0]), before + 1, "shown and not recorded: {what}");
            }
            if ran.code == Some(0) && words[0] == "add" {
                acknowledged.insert(ran.out.trim().to_owned());
            }
            house.intact();
            failed += 1;
        }
    }
    failed
}

/// How many accesses of this kind are in the log.
fn recorded(house: &House, verb: &str) -> usize {
    let log = house.run(&["audit", "log", "--json"]).expect(0);
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["details"]["verb"] == verb && line["result"] == "done")
        .count()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The notes that were acknowledged are there, with their texts.
fn check(house: &House, acknowledged: &BTreeSet<String>) {
    let listed: BTreeSet<String> = house.listed().into_iter().collect();
    let lost: Vec<_> = acknowledged.difference(&listed).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    for id in acknowledged.iter().take(if long() { usize::MAX } else { 5 }) {
        assert!(house.show(id).expect(0).contains(SECRET));
    }
}

#[test]
fn a_system_call_that_fails_loses_nothing_and_hides_nothing() {
    if !has("strace") {
        return;
    }
    let house = House::new();
    let id = house.add(SECRET);
    let mut acknowledged = BTreeSet::from([id.clone()]);
    let attached = file_with(&house, SECRET);
    let number = std::cell::Cell::new(0);
    let attach = |_: &House| {
        number.set(number.get() + 1);
        let name = format!("{}.txt", number.get());
        owned(&["attach", &id, attached.to_str().unwrap(), "--name", &name])
    };
    let commands: [(&str, &Args<'_>); 6] = [
        ("add", &|_| owned(&["add", "--label", "internal", SECRET])),
        ("show", &|_| owned(&with_why(&["show", &id]))),
        ("list", &|_| owned(&["list"])),
        ("edit", &|_| {
            owned(&["edit", &id, "--file", file_with(&house, SECRET).to_str().unwrap()])
        }),
        ("attach", &attach),
        ("destroy", &|house| {
            owned(&with_why(&["destroy", "--yes", &house.add("Doomed.")]))
        }),
    ];
    let mut all = 0;
    for (name, args) in commands {
        let failed = each_fails(&house, &mut acknowledged, args);
        check(&house, &acknowledged);
        all += failed;
        say(format_args!("{failed} system calls of `{name}` made to fail"));
    }
    assert!(all > 10, "{all}");
    assert_eq!(house.git(&["fsck", "--strict", "--no-dangling"]), "");
}

/// A file of the house that says `text`.
fn file_with(house: &House, text: &str) -> PathBuf {
    let path = house.root().join("text");
    std::fs::write(&path, text).unwrap();
    path
}
