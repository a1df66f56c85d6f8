//! The order of the house, held by a test.
//!
//! The table in `src/lib.rs` is the order: read from the top, each room stands above all that
//! follow. Every path under `src/` is resolved (`crate::`, `$crate::`, `strongroom::`, `self::`,
//! `super::`, groups, names that a `use` brought in), and what breaks the order is reported. Each
//! fault has a house in `tests/fixtures/tidy/` that has it and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "tidy/reader.rs"]
mod reader;
#[path = "tidy/tokens.rs"]
mod tokens;

use reader::{Mention, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The most lines a file may have.
const MAX_LINES: usize = 900;

/// Rooms that import one other room and nothing else of the crate.
const IMPORTS_ALONE: &[(&str, &str)] = &[("main", "cli"), ("cli", "app")];

/// Where something may be used, outside tests.
enum Where {
    /// In these rooms.
    Only(&'static [&'static str]),
    /// Everywhere but on floors 0 and 1, which do no IO.
    AboveFloor1,
}

/// What is kept to some rooms: a crate, or a path with everything under it.
const KEPT: &[(&str, Where, Rule)] = &[
    ("git2", Where::Only(&["repo"]), Rule::Crate),
    ("libgit2_sys", Where::Only(&["repo"]), Rule::Crate),
    ("ring", Where::Only(&["crypto"]), Rule::Crate),
    ("chacha20poly1305", Where::Only(&["crypto"]), Rule::Crate),
    ("argon2", Where::Only(&["crypto"]), Rule::Crate),
    ("hpke", Where::Only(&["crypto"]), Rule::Crate),
    ("curve25519_dalek", Where::Only(&["crypto"]), Rule::Crate),
    ("vsss_rs", Where::Only(&["crypto"]), Rule::Crate),
    (
        "std::process",
        Where::Only(&["main", "cli", "app", "session", "env"]),
        Rule::Process,
    ),
    // Only the room that faces the person prints.
    ("std::print", Where::Only(&["cli"]), Rule::Print),
    ("std::println", Where::Only(&["cli"]), Rule::Print),
    ("std::eprint", Where::Only(&["cli"]), Rule::Print),
    ("std::eprintln", Where::Only(&["cli"]), Rule::Print),
    ("std::dbg", Where::Only(&[]), Rule::Print),
    ("std::io::stdin", Where::AboveFloor1, Rule::Io),
    ("std::io::stdout", Where::AboveFloor1, Rule::Io),
    ("std::io::stderr", Where::AboveFloor1, Rule::Io),
    ("std::fs", Where::AboveFloor1, Rule::Io),
    ("std::env", Where::AboveFloor1, Rule::Io),
    // Addresses may be read as text; nothing may be reached.
    ("std::net::TcpListener", Where::AboveFloor1, Rule::Io),
    ("std::net::TcpStream", Where::AboveFloor1, Rule::Io),
    ("std::net::ToSocketAddrs", Where::AboveFloor1, Rule::Io),
    ("std::net::UdpSocket", Where::AboveFloor1, Rule::Io),
    ("std::os", Where::AboveFloor1, Rule::Io),
    ("std::time::SystemTime", Where::AboveFloor1, Rule::Io),
    ("std::time::Instant", Where::AboveFloor1, Rule::Io),
    ("std::thread::sleep", Where::AboveFloor1, Rule::Io),
    ("jiff::Timestamp::now", Where::AboveFloor1, Rule::Io),
    ("jiff::Zoned::now", Where::AboveFloor1, Rule::Io),
    ("anstream", Where::AboveFloor1, Rule::Io),
    ("etcetera", Where::AboveFloor1, Rule::Io),
    ("getrandom", Where::AboveFloor1, Rule::Io),
    ("rpassword", Where::AboveFloor1, Rule::Io),
    ("rustix", Where::AboveFloor1, Rule::Io),
    ("tempfile", Where::AboveFloor1, Rule::Io),
];

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rule {
    /// A room imports one that does not stand below it.
    Order,
    /// A crate is used outside its room.
    Crate,
    /// A room that keeps a crate to itself hands it on.
    Reexport,
    /// IO on floor 0 or 1.
    Io,
    /// Child processes outside the rooms that start them.
    Process,
    /// Printing outside `cli`.
    Print,
    /// Something that would hide a path from this check.
    Hidden,
    /// Something sealed is opened away from the gate.
    Door,
    /// `unsafe`.
    Unsafe,
    /// `todo!` or `unimplemented!`.
    Unfinished,
    /// A file with too many lines.
    Long,
    /// A room without `mod.rs`, or whose `mod.rs` does not say what the room is.
    Undocumented,
    /// The table and the folders do not name the same rooms.
    Unlisted,
}

const RULES: &[Rule] = &[
    Rule::Order,
    Rule::Crate,
    Rule::Reexport,
    Rule::Io,
    Rule::Process,
    Rule::Print,
    Rule::Hidden,
    Rule::Door,
    Rule::Unsafe,
    Rule::Unfinished,
    Rule::Long,
    Rule::Undocumented,
    Rule::Unlisted,
];

/// One thing that is wrong, and where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Fault {
    file: String,
    line: usize,
    rule: Rule,
    words: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {:?}: {}", self.file, self.line, self.rule, self.words)
    }
}

/// The rooms from the top down, each with its floor.
struct House(Vec<(String, u8)>);

impl House {
    /// Reads the table in the documentation of `lib.rs`: rows `//! | FLOOR | [`room`] … |`.
    fn parse(lib_rs: &str) -> Self {
        let mut rooms = Vec::new();
        for row in lib_rs.lines().filter_map(|line| line.strip_prefix("//! | ")) {
            let Some((floor, row)) = row.split_once(" | ") else {
                continue;
            };
            let Ok(floor) = floor.trim().parse() else { continue };
            let names = row.split("[`").skip(1).filter_map(|part| part.split_once("`]"));
            rooms.extend(names.map(|(name, _)| (name.to_owned(), floor)));
        }
        assert!(!rooms.is_empty(), "`lib.rs` has a table of the rooms");
        assert!(rooms.is_sorted_by(|a, b| a.1 >= b.1), "floors stand from the top down");
        Self(rooms)
    }

    /// How far down a room stands; 0 is the top.
    fn depth(&self, room: &str) -> Option<usize> {
        self.0.iter().position(|(name, _)| name == room)
    }

    fn may_import(&self, room: &str, target: &str) -> bool {
        match IMPORTS_ALONE.iter().find(|(name, _)| *name == room) {
            Some((_, only)) => target == *only,
            None => self.depth(target) > self.depth(room),
        }
    }

    fn may_use(&self, room: &str, allowed: &Where) -> bool {
        match allowed {
            Where::Only(rooms) => rooms.contains(&room),
            Where::AboveFloor1 => self.0.iter().all(|(name, floor)| name != room || *floor > 1),
        }
    }
}

/// Everything that is wrong under `src`, sorted.
fn faults(src: &Path) -> Vec<Fault> {
    let house = House::parse(&fs::read_to_string(src.join("lib.rs")).unwrap());
    let mut found = rooms_without_a_sign(src, &house);
    let sources: Vec<Source> = rust_files(src).iter().map(|path| Source::read(src, path)).collect();
    let test_modules: Vec<&Vec<String>> = sources.iter().flat_map(|source| &source.test_files).collect();
    for source in &sources {
        let test = test_modules.iter().any(|module| source.module.starts_with(module));
        let fault = |(line, rule, words)| Fault {
            file: source.file.clone(),
            line,
            rule,
            words,
        };
        found.extend(wrong_in(source, &house, test).into_iter().map(fault));
    }
    found.sort();
    found.dedup();
    found
}

/// Folders and table against each other; and that each room says what it is.
fn rooms_without_a_sign(src: &Path, house: &House) -> Vec<Fault> {
    let fault = |file: String, rule, words: String| Fault {
        file,
        line: 1,
        rule,
        words,
    };
    let beside: BTreeSet<String> = fs::read_dir(src)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("lib.rs") && !path.ends_with("main.rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let listed: BTreeSet<String> = house.0.iter().map(|(room, _)| room.clone()).collect();
    let mut found = Vec::new();
    for room in beside.symmetric_difference(&listed) {
        let words = format!("`{room}` stands in the table of `lib.rs` or beside it, but not both");
        found.push(fault("lib.rs".to_owned(), Rule::Unlisted, words));
    }
    for room in beside.intersection(&listed) {
        let file = format!("{room}/mod.rs");
        let text = fs::read_to_string(src.join(&file)).unwrap_or_default();
        let sign = text.lines().next().and_then(|line| line.strip_prefix("//!"));
        if sign.is_none_or(|sign| sign.trim().is_empty()) {
            let words = "a room has a `mod.rs` whose first line is a `//!` that says what the room is".to_owned();
            found.push(fault(file, Rule::Undocumented, words));
        }
    }
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// What is wrong in one file; `test` when it is compiled for tests only.
fn wrong_in(source: &Source, house: &House, test: bool) -> Vec<(usize, Rule, String)> {
    let mut found = source.words.clone();
    if source.lines > MAX_LINES {
        found.push((1, Rule::Long, format!("{} lines; at most {MAX_LINES}", source.lines)));
    }
    let names = imported_names(source);
    let room = source.module.first().map_or("lib", String::as_str);
    for mention in &source.mentions {
        let wrong = match resolve(mention, &names) {
            Target::Inside(path) => wrong_inside(house, room, mention, &path),
            // Tests may use any crate and any IO; the order of rooms is theirs too.
            Target::Outside(_) if test || mention.test => None,
            Target::Outside(path) => wrong_outside(house, room, mention, &path),
        };
        found.extend(wrong.map(|(rule, words)| (mention.line, rule, words)));
    }
    found
}

/// Names that stand for paths outside the crate in this file, such as `io` for `std::io`.
fn imported_names(source: &Source) -> BTreeMap<&str, &[String]> {
    let mut names = BTreeMap::new();
    for mention in source.mentions.iter().filter(|mention| !mention.test) {
        if let Some(name) = mention.import.as_ref().and_then(|import| import.name.as_deref())
            && !["crate", "self", "super", "strongroom", name].contains(&mention.segments[0].as_str())
        {
            names.insert(name, mention.segments.as_slice());
        }
    }
    names
}

/// Where a path leads.
enum Target {
    /// Into this crate: the path below `crate`.
    Inside(Vec<String>),
    /// Anywhere else, or to something near that no rule is about.
    Outside(Vec<String>),
}

fn resolve(mention: &Mention, names: &BTreeMap<&str, &[String]>) -> Target {
    let mut rest = mention.segments.as_slice();
    match rest[0].as_str() {
        "strongroom" => return Target::Inside(rest[1..].to_vec()),
        // In `main.rs` these mean the program, which has nothing else in it.
        "crate" | "self" | "super" if mention.module == ["main"] => return Target::Outside(rest.to_vec()),
        "crate" => return Target::Inside(rest[1..].to_vec()),
        "self" | "super" => {}
        head => {
            let whole = names.get(head).map(|path| [path, &rest[1..]].concat());
            return Target::Outside(whole.unwrap_or_else(|| rest.to_vec()));
        }
    }
    let mut at = mention.module.clone();
    while let Some((head, tail)) = rest.split_first() {
        match head.as_str() {
            "self" => {}
            "super" => drop(at.pop()),
            _ => break,
        }
        rest = tail;
    }
    at.extend_from_slice(rest);
    Target::Inside(at)
}

fn wrong_inside(house: &House, room: &str, mention: &Mention, path: &[String]) -> Option<(Rule, String)> {
    let imported = mention.import.is_some();
    if room == "lib" {
        let words = "`lib.rs` names the rooms and imports nothing".to_owned();
        return imported.then_some((Rule::Hidden, words));
    }
    let Some(target) = path.first() else {
        let words = "imports the whole crate; name the room".to_owned();
        return imported.then_some((Rule::Hidden, words));
    };
    if target == room {
        None
    } else if house.depth(target).is_none() {
        Some((Rule::Hidden, format!("`crate::{target}` names no room")))
    } else if !house.may_import(room, target) {
        Some((Rule::Order, format!("`{room}` may not import `{target}`")))
    } else {
        None
    }
}

fn wrong_outside(house: &House, room: &str, mention: &Mention, path: &[String]) -> Option<(Rule, String)> {
    let glob = mention.import.as_ref().is_some_and(|import| import.glob);
    let exported = mention.import.as_ref().is_some_and(|import| import.exported);
    if room == "lib" && mention.import.is_some() {
        return Some((Rule::Hidden, "`lib.rs` names the rooms and imports nothing".to_owned()));
    }
    for (kept, allowed, rule) in KEPT {
        let kept_path: Vec<&str> = kept.split("::").collect();
        let alike = path.iter().zip(&kept_path).all(|(a, b)| a == b);
        // A glob brings what lies below it, but a macro of the prelude was there already.
        let covers = glob && *rule != Rule::Print;
        if !alike || (path.len() < kept_path.len() && !covers) {
            continue;
        }
        if !house.may_use(room, allowed) {
            return Some((*rule, format!("`{room}` may not use `{kept}`")));
        }
        if exported && *rule == Rule::Crate {
            return Some((Rule::Reexport, format!("`{room}` keeps `{kept}` to itself")));
        }
    }
    None
}

/// Each house has one fault, at this place; `tests/fixtures/tidy/NAME/` is its `src/`.
const FIXTURES: &[(&str, &str, usize, Rule)] = &[
    ("order_crate", "policy/mod.rs", 3, Rule::Order),
    ("order_group", "policy/mod.rs", 5, Rule::Order),
    ("order_super", "policy/rules/deep.rs", 3, Rule::Order),
    ("order_super_in_module", "policy/mod.rs", 5, Rule::Order),
    ("order_full_path", "policy/mod.rs", 5, Rule::Order),
    ("order_after_capture", "policy/mod.rs", 5, Rule::Order),
    ("order_type", "policy/mod.rs", 4, Rule::Order),
    ("order_macro", "policy/mod.rs", 6, Rule::Order),
    ("order_own_name", "policy/mod.rs", 4, Rule::Order),
    ("order_sibling", "label/mod.rs", 3, Rule::Order),
    ("order_in_test", "policy/mod.rs", 7, Rule::Order),
    ("order_attribute", "policy/mod.rs", 5, Rule::Order),
    ("order_cli", "cli/mod.rs", 4, Rule::Order),
    ("order_main", "main.rs", 4, Rule::Order),
    ("crate_git2", "app/mod.rs", 3, Rule::Crate),
    ("crate_leading_colons", "app/mod.rs", 3, Rule::Crate),
    ("crate_renamed", "app/mod.rs", 3, Rule::Crate),
    ("crate_ring", "label/mod.rs", 5, Rule::Crate),
    ("crate_after_tests", "label/mod.rs", 13, Rule::Crate),
    ("reexport", "repo/mod.rs", 3, Rule::Reexport),
    ("io_files", "policy/mod.rs", 3, Rule::Io),
    ("io_group", "label/mod.rs", 6, Rule::Io),
    ("io_clock", "label/mod.rs", 5, Rule::Io),
    ("io_by_name", "policy/mod.rs", 7, Rule::Io),
    ("io_renamed", "policy/mod.rs", 6, Rule::Io),
    ("io_renamed_self", "policy/mod.rs", 6, Rule::Io),
    ("io_glob", "policy/mod.rs", 3, Rule::Io),
    ("io_crate", "id/mod.rs", 5, Rule::Io),
    ("io_not_a_test", "policy/mod.rs", 5, Rule::Io),
    ("process", "repo/mod.rs", 5, Rule::Process),
    ("print_floor_0", "label/mod.rs", 5, Rule::Print),
    ("print_app", "app/mod.rs", 5, Rule::Print),
    ("print_in_macro", "policy/mod.rs", 6, Rule::Print),
    ("hidden_crate", "policy/mod.rs", 3, Rule::Hidden),
    ("hidden_glob", "policy/mod.rs", 3, Rule::Hidden),
    ("hidden_root_item", "policy/mod.rs", 5, Rule::Hidden),
    ("hidden_reexport", "lib.rs", 15, Rule::Hidden),
    ("hidden_extern", "repo/mod.rs", 3, Rule::Hidden),
    ("hidden_path", "policy/mod.rs", 3, Rule::Hidden),
    ("hidden_include", "policy/mod.rs", 3, Rule::Hidden),
    ("hidden_computed", "policy/mod.rs", 5, Rule::Hidden),
    ("door_method", "app/mod.rs", 5, Rule::Door),
    ("door_path", "app/mod.rs", 5, Rule::Door),
    ("unsafe_block", "repo/mod.rs", 5, Rule::Unsafe),
    ("unfinished", "repo/mod.rs", 5, Rule::Unfinished),
    ("long", "id/mod.rs", 1, Rule::Long),
    ("undocumented", "policy/mod.rs", 1, Rule::Undocumented),
    ("no_mod_rs", "policy/mod.rs", 1, Rule::Undocumented),
    ("unlisted_folder", "lib.rs", 1, Rule::Unlisted),
    ("unlisted_file", "lib.rs", 1, Rule::Unlisted),
    ("listed_without_folder", "lib.rs", 1, Rule::Unlisted),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tidy")
}

#[test]
fn the_house_is_in_order() {
    let found = faults(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let words: Vec<String> = found.iter().map(Fault::to_string).collect();
    assert!(found.is_empty(), "\n{}\n", words.join("\n"));
}

#[test]
fn each_fault_is_found_and_nothing_else() {
    for (name, file, line, rule) in FIXTURES {
        let found = faults(&fixtures().join(name));
        let places: Vec<_> = found
            .iter()
            .map(|fault| (fault.file.as_str(), fault.line, fault.rule))
            .collect();
        assert_eq!(places, [(*file, *line, *rule)], "in {name}: {found:#?}");
    }
}

#[test]
fn what_is_allowed_is_not_reported() {
    assert_eq!(faults(&fixtures().join("clean")), []);
}

#[test]
fn every_rule_has_a_house_that_breaks_it() {
    let broken: BTreeSet<Rule> = FIXTURES.iter().map(|(_, _, _, rule)| *rule).collect();
    assert_eq!(broken, RULES.iter().copied().collect());
    let mut listed: BTreeSet<String> = FIXTURES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    listed.insert("clean".to_owned());
    let folders: BTreeSet<String> = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, listed);
}

#[test]
fn quotes_and_comments_do_not_fool_the_reader() {
    let text =
        "a /* /* } */ \" */ 'x' '\\'' b'\"' '\u{7d}' &'a b\"}\\\"\" r##\"}\"#\"## 1.0..2.max(c) r#mod // }\n{ d }";
    let words: Vec<String> = tokens::tokens(text)
        .iter()
        .map(|token| token.word().to_owned())
        .collect();
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    assert_eq!(words, ["a", "max", "mod"]);
    assert_eq!(tokens::tokens(text).last().unwrap().line, 2);
}

#[test]
fn the_table_is_read_from_the_top_down() {
    let table = "//! | floor | rooms |\n//! | --- | --- |\n//! | 2 | [`a`] x · [`b`] |\n//! | 0 | [`c`] |\n";
    let house = House::parse(table);
    let expected = [("a", 2), ("b", 2), ("c", 0)].map(|(room, floor)| (room.to_owned(), floor));
    assert_eq!(house.0, expected);
    assert!(house.may_import("a", "b") && !house.may_import("b", "a") && !house.may_import("a", "a"));
}

/// Whether what the table of promises calls a test is one: a function or a module of tests, a file, or a fuzz target.
fn is_a_test(root: &Path, sources: &str, name: &str) -> bool {
    let (file, item) = match name.rsplit_once("::") {
        Some((before, item)) => (before.contains('/').then_some(before), Some(item)),
        None => (name.contains('/').then_some(name), None),
    };
    let is_defined = |item: &str| {
        ["fn", "mod"].iter().any(|word| {
            let begins = format!("{word} {item}");
            let goes_on = |c: char| c.is_alphanumeric() || c == '_';
            let mut found = sources.match_indices(&begins);
            found.any(|(at, _)| !sources[at + begins.len()..].starts_with(goes_on))
        })
    };
    // Some stand in the folder of the one that is named before them.
    let file = file.map(|file| file.replace('…', "tests/transcripts"));
    match (file, item) {
        (None, None) => root.join(format!("fuzz/fuzz_targets/{name}.rs")).exists(),
        (file, item) => file.is_none_or(|file| root.join(file).exists()) && item.is_none_or(is_defined),
    }
}

#[test]
fn every_test_that_the_table_of_promises_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests"].map(|folder| rust_files(&root.join(folder)));
    let read = |path: &PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let sources: String = files.iter().flatten().map(read).collect();
    let text = fs::read_to_string(root.join("docs/THREATS.md")).unwrap();
    let (_, table) = text.split_once("## Promise, adversary, test").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let tests = rows.filter_map(|row| row.split(" | ").nth(2));
    let names: Vec<&str> = tests.flat_map(|tests| tests.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > 100, "{}", names.len());
    // What the words around it say: an example, by its attribute and its place, and how names begin.
    let words = ["compile_fail", "policy::Permission", "case_"];
    let gone: Vec<_> = names
        .iter()
        .filter(|name| !words.contains(name) && !is_a_test(root, &sources, name))
        .collect();
    assert!(gone.is_empty(), "docs/THREATS.md names what is not there: {gone:?}");
    assert!(!is_a_test(root, &sources, "repo::tests::a_test_that_nobody_wrote"));
    assert!(!is_a_test(root, &sources, "no_such_target") && !is_a_test(root, &sources, "tests/no_such.rs"));
}
