//! Runs the fuzz targets over their checked-in inputs, and over what comes of damaging each of
//! them a little: what a fuzzer does at length, briefly and the same each time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(unreachable_pub)]
#[path = "../fuzz/src/lib.rs"]
mod bodies;
#[path = "corpora/seeds.rs"]
mod seeds;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names in a folder, without extensions.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

/// Targets that take a millisecond or more for an input when they are not optimised.
const SLOW: &[&str] = &["cases", "journal", "roster", "rules"];

/// One input damaged in every simple way at a spread of places: cut, flipped, doubled, swapped
/// for bytes that parsers trip over.
fn damaged(input: &[u8], places: usize) -> Vec<Vec<u8>> {
    let stride = input.len() / places + 1;
    let mut all = vec![
        [input, input].concat(),
        [input, b"\n"].concat(),
        [input, b"\0"].concat(),
    ];
    for at in (0..input.len()).step_by(stride) {
        all.push(input[..at].to_vec());
        all.push(input[at..].to_vec());
        all.push([&input[..at], &input[at + 1..]].concat());
        for byte in [input[at] ^ 1, input[at] ^ 0x20, input[at] ^ 0x80, 0, b'\n', b'"', 0xff] {
            let mut changed = input.to_vec();
            changed[at] = byte;
            all.push(changed);
        }
    }
    all
}

#[test]
fn every_target_keeps_its_promise_over_its_corpus() {
    for (name, body) in bodies::TARGETS {
        let corpus = fuzz().join("corpus").join(name);
        let mut inputs: Vec<PathBuf> = fs::read_dir(&corpus)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        let places = if SLOW.contains(name) { 6 } else { 64 };
        let (mut accepted, mut refused) = (0, 0);
        for path in inputs {
            let input = fs::read(&path).unwrap();
            accepted += usize::from(body(&input));
            refused += damaged(&input, places).iter().filter(|input| !body(input)).count();
        }
        // A target that takes nothing stops at the first byte; one that refuses nothing checks nothing.
        assert!(accepted > 0, "nothing in the corpus of {name} is accepted");
        assert!(
            refused > 0,
            "nothing that comes of damaging the corpus of {name} is refused"
        );
    }
}

/// Writes the inputs that the project's own writers make; run it when a format changes:
/// `cargo test --test corpora -- --ignored`.
#[test]
#[ignore = "it changes fuzz/corpus"]
fn write_the_seeds() {
    for (target, name, bytes) in seeds::make() {
        let folder = fuzz().join("corpus").join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// What the project writes is accepted; a seed whose name begins with `bad_` has one fault.
#[test]
fn seeds_are_accepted() {
    for (target, name, bytes) in seeds::make() {
        let (_, body) = bodies::TARGETS.iter().find(|(known, _)| *known == target).unwrap();
        assert_eq!(body(&bytes), !name.starts_with("bad_"), "{target}/{name}");
    }
}

#[test]
fn every_target_has_a_binary_and_a_corpus() {
    let names_of = bodies::TARGETS.iter().map(|(name, _)| name).chain(bodies::KEYED);
    let targets: BTreeSet<String> = names_of.map(|name| (*name).to_owned()).collect();
    let count = bodies::TARGETS.len() + bodies::KEYED.len();
    assert_eq!(targets.len(), count, "a target stands twice");
    assert_eq!(names(&fuzz().join("fuzz_targets")), targets);
    assert_eq!(names(&fuzz().join("corpus")), targets);
    let manifest: toml::Table = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap().parse().unwrap();
    let binaries = manifest["bin"].as_array().unwrap();
    let binaries: BTreeSet<String> = binaries
        .iter()
        .map(|bin| bin["name"].as_str().unwrap().to_owned())
        .filter(|name| name != "any")
        .collect();
    assert_eq!(binaries, targets);
    // One program tries them all, so what each is by itself is looked at here.
    for target in &targets {
        let file = fs::read_to_string(fuzz().join("fuzz_targets").join(format!("{target}.rs"))).unwrap();
        let keyed = if bodies::KEYED.contains(&target.as_str()) {
            "keyed::"
        } else {
            ""
        };
        let body = format!("    strongroom_fuzz::{keyed}{target}(data);\n");
        assert_eq!(
            file,
            format!("#![no_main]\nlibfuzzer_sys::fuzz_target!(|data: &[u8]| {{\n{body}}});\n"),
            "{target}"
        );
    }
}
