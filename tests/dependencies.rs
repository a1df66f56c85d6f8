//! What the program is built from: where it comes from, under which licences, and what stays out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde::Deserialize;
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
