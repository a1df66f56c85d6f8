//! Promise 1, counted with strace: one sync an access, and it and the log's new head come before the first byte.

use crate::house::{House, WHY, has, ids, say, with_why};
use std::path::PathBuf;

/// The system calls that matter, those of all threads and children, with the paths of descriptors.
const CALLS: &str = "trace=fdatasync,fsync,syncfs,sync,sync_file_range,msync,write,writev,pwrite64,sendto,sendmsg,\
                     rename,renameat,renameat2,link,linkat,open,openat,creat,unlink,mkdir";

/// How a file for the person begins to be called, until it is whole.
const DRAFT: &str = "/.strongroom-";

pub(crate) struct Trace {
    lines: Vec<String>,
    out: String,
}

impl Trace {
    pub(crate) fn of(house: &House, args: &[&str]) -> Self {
        let file = house.root().join("strace");
        let mut strace = house.program("strace");
        strace.args([
            "-f",
            "--seccomp-bpf",
            "-y",
            "-s",
            "64",
            "-e",
            CALLS,
            "-e",
            "signal=none",
            "-o",
        ]);
        strace.arg(&file).arg(env!("CARGO_BIN_EXE_strongroom"));
        let output = strace.arg("--no-input").args(args).output().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let call = |line: &str| line.split_once(' ').map(|(_, call)| call.trim_start().to_owned());
        Self {
            lines: text.lines().filter_map(call).collect(),
            out: String::from_utf8(output.stdout).unwrap(),
        }
    }

    pub(crate) fn places(&self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let hit = |(at, line): (usize, &String)| wanted(line).then_some(at);
        self.lines.iter().enumerate().filter_map(hit).collect()
    }

    fn syncs(&self) -> Vec<usize> {
        let names = ["fdatasync(", "fsync(", "syncfs(", "sync(", "sync_file_range(", "msync("];
        self.places(|line| names.iter().any(|name| line.starts_with(name)))
    }

    /// Where the log's head is moved.
    pub(crate) fn moves(&self) -> Vec<usize> {
        self.places(|line| line.starts_with("rename") && line.contains("/refs/heads/audit/") && line.ends_with("= 0"))
    }

    /// The first byte to standard output or error, or the first write to `file`, which has another name until it is whole.
    fn first_byte(&self, file: Option<&str>) -> usize {
        let names = ["write(1<", "writev(1<", "write(2<", "writev(2<", "sendto(", "sendmsg("];
        let told = |line: &str| {
            names.iter().any(|name| line.starts_with(name))
                || (line.starts_with("write(") && line.contains(DRAFT))
                || file.is_some_and(|file| line.contains(file) && !line.contains("ENOENT"))
        };
        self.places(told)[0]
    }

    /// Files opened for writing or made, folders made.
    fn written(&self) -> Vec<String> {
        let opens = self.places(|line| {
            let changes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| line.contains(flag));
            let made = line.starts_with("creat(") || line.starts_with("mkdir(");
            ((line.starts_with("open") && changes) || made) && !line.contains(" = -1 ")
        });
        let path = |at: usize| self.lines[at].split('"').nth(1).unwrap().to_owned();
        opens.into_iter().map(path).collect()
    }
}

/// The order of effects: a sync of the journal and a move of the log's head for each of `entries` (as many as there are, if
/// none is given); then the first byte.
fn check_order(house: &House, args: &[&str], entries: Option<usize>, file: Option<&str>) -> Trace {
    let trace = Trace::of(house, args);
    let (syncs, moves, first) = (trace.syncs(), trace.moves(), trace.first_byte(file));
    let told: Vec<&String> = syncs.iter().map(|at| &trace.lines[*at]).collect();
    let before: Vec<usize> = syncs.iter().copied().filter(|at| *at < first).collect();
    let count = entries.unwrap_or(moves.len());
    assert!(count > 0);
    assert_eq!(before.len(), count, "{args:?}: {told:#?}");
    for (sync, moved) in before.iter().zip(&moves) {
        let line = &trace.lines[*sync];
        assert!(
            line.starts_with("fdatasync(") && line.contains("strongroom.journal>"),
            "{args:?}: {line}"
        );
        assert!(sync < moved && *moved < first, "{args:?}: {sync} {moved} {first}");
    }
    assert_eq!(moves.len(), count, "{args:?}");
    let (vault, state) = (house.vault(), house.state());
    for path in trace.written() {
        let inside = [vault.as_path(), state.as_path()]
            .iter()
            .any(|folder| PathBuf::from(&path).starts_with(folder));
        assert!(
            inside
                || file.is_some_and(|file| path.ends_with(file) || path.contains(DRAFT))
                || path == "/dev/tty"
                || path == "/dev/null",
            "{args:?} writes {path}"
        );
    }
    say(format_args!(
        "{} {}: {} syncs before the first byte, {} in all",
        args[0],
        args[1],
        before.len(),
        syncs.len()
    ));
    trace
}

#[test]
fn the_entry_is_durable_and_published_before_the_first_byte() {
    if !has("strace") {
        return;
    }
    let house = House::new();
    let added = check_order(
        &house,
        &["add", "--label", "internal", "The gate code was changed."],
        Some(1),
        None,
    );
    assert_eq!(added.syncs().len(), 1);
    let id = added.out.trim().to_owned();
    for args in [
        vec!["show", &id],
        vec!["show", &id, "--json"],
        vec!["list", "--json"],
        vec!["search", "GATE changed"],
        vec!["search", "\"gate code\"", "--json"],
    ] {
        let trace = check_order(&house, &with_why(&args), Some(1), None);
        assert_eq!(trace.syncs().len(), 1, "{args:?}");
        assert!(trace.out.contains("gate code"));
    }
    let log = check_order(&house, &["audit", "log"], Some(1), None);
    assert_eq!(log.syncs().len(), 1);

    // What opens the sources or a draft is an entry, and what is made of them is another.
    let draft = check_order(
        &house,
        &with_why(&["brief", "draft", &id, "--for", "internal", "--json"]),
        None,
        None,
    );
    let draft: serde_json::Value = serde_json::from_str(&draft.out).unwrap();
    let draft = draft["draft"].as_str().unwrap();
    let release = with_why(&["brief", "release", draft, "--to", "day shift"]);
    check_order(&house, &release, None, None);
    let file = house.root().join("brief-of-the-day.md");
    let to_file = [release, vec!["--out", file.to_str().unwrap()]].concat();
    let trace = check_order(&house, &to_file, None, Some("brief-of-the-day.md"));
    // The file has its place at once and its text last.
    let recorded = *trace.moves().last().unwrap();
    let filled = trace.places(|line| line.starts_with("write(") && line.contains(DRAFT));
    let named = trace.places(|line| line.contains("brief-of-the-day.md\"") && line.ends_with("= 0"));
    assert!(
        !filled.is_empty() && filled.iter().all(|at| *at > recorded),
        "{filled:?} {recorded}"
    );
    assert!(named.last() > filled.last(), "{named:?} {filled:?}");
}

/// Several threads look at many notes, and none of them lets anything out.
#[test]
fn a_search_of_many_notes_is_one_entry_and_one_sync() {
    if !has("strace") {
        return;
    }
    let house = House::new();
    house.fill(200, 2);
    for (args, count) in [
        (["search", "body number", "--json"], 100),
        (["search", "heron", "--json"], 0),
        (["search", "body 198", "--json"], 1),
    ] {
        let trace = check_order(&house, &args, Some(1), None);
        assert_eq!(trace.syncs().len(), 1, "{args:?}");
        let shown = ids(&trace.out);
        assert_eq!(shown.len(), count, "{args:?}");
        let log = house.run(&["audit", "log", "--json"]).expect(0);
        let entry = log.lines().rev().nth(1).unwrap();
        let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
        assert_eq!(
            (&entry["details"]["verb"], &entry["details"]["asked"]),
            (&"search".into(), &args[1].into())
        );
        let named = entry["details"]["notes"].as_array().unwrap().iter();
        let mut named: Vec<&str> = named.map(|id| id.as_str().unwrap()).collect();
        let mut shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        named.sort_unstable();
        shown.sort_unstable();
        assert_eq!(named, shown, "{args:?}");
    }
}

#[test]
fn the_verifier_writes_nothing() {
    if !has("strace") {
        return;
    }
    let house = House::new();
    house.add("A note.");
    for args in [["audit", "verify"], ["audit", "receipt"]] {
        let trace = Trace::of(&house, &args);
        assert_eq!(trace.written(), Vec::<String>::new(), "{args:?}");
        assert_eq!(trace.syncs(), Vec::<usize>::new(), "{args:?}");
    }
}

#[test]
fn a_denial_is_durable_before_it_is_told() {
    if !has("strace") {
        return;
    }
    let house = House::new();
    let file = house.root().join("trace");
    let mut strace = house.program("strace");
    strace
        .args(["-f", "--seccomp-bpf", "-y", "-s", "64", "-e", CALLS, "-o"])
        .arg(&file);
    strace.arg(env!("CARGO_BIN_EXE_strongroom"));
    let output = strace.args(["show", "abcdef"]).args(WHY).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = std::fs::read_to_string(&file).unwrap();
    let place = |wanted: &str| text.find(wanted).unwrap_or_else(|| panic!("no {wanted} in {text}"));
    assert!(place("fdatasync(") < place("write(2<"));
    assert_eq!(text.matches("sync(").count(), 1);
    assert!(!text.contains("write(1<"));
}
