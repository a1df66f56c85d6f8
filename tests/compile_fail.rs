//! What must not compile, and what secrets must not be able to do.
//!
//! The compiler is called on each file of `tests/compile_fail/` against the library that these tests were built with,
//! and only the error *codes* are compared: they mean the same with every compiler, the words do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library that was built for this test: the newest beside it.
fn library() -> (PathBuf, PathBuf) {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let built = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    let newest = built
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("libstrongroom-") && name.ends_with(".rlib")
        })
        .max_by_key(|entry| entry.metadata().unwrap().modified().unwrap());
    (newest.expect("the library is built").path(), folder)
}

/// The error codes that the compiler gives for a file, each as often as it gives it, whether it compiled all the same,
/// and all that it says.
fn compile(file: &Path) -> (Vec<String>, bool, String) {
    let (library, dependencies) = library();
    let out = tempfile::tempdir().unwrap();
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    let rustc = if rustc.exists() { rustc } else { PathBuf::from("rustc") };
    let done = Command::new(std::env::var_os("RUSTC").map_or(rustc, PathBuf::from))
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata",
            "--error-format=short",
        ])
        .arg("--extern")
        .arg(format!("strongroom={}", library.display()))
        .arg("-L")
        .arg(format!("dependency={}", dependencies.display()))
        .arg("--out-dir")
        .arg(out.path())
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let code = regex::Regex::new(r"error\[(E\d{4})\]").unwrap();
    let codes = code.captures_iter(&said).map(|found| found[1].to_owned()).collect();
    (codes, done.status.success(), said)
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .collect();
    files.sort();
    files
}

#[test]
fn there_is_no_way_around_the_gate() {
    let mut wrong = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let first = text.lines().next().unwrap_or_default();
        let expected: BTreeSet<String> = match first.strip_prefix("// refused: ") {
            Some(codes) => codes.split(',').map(str::to_owned).collect(),
            None => BTreeSet::new(),
        };
        let (codes, compiled, said) = compile(&file);
        // Each function of a file is an attempt of its own.
        let attempts = text.matches("pub fn ").count();
        let too_few = !expected.is_empty() && codes.len() < attempts;
        let codes: BTreeSet<String> = codes.into_iter().collect();
        if too_few || compiled != expected.is_empty() || codes != expected {
            wrong.push(format!(
                "{}: wanted {expected:?} for {attempts} attempts, got {codes:?}\n{said}",
                file.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files().iter().any(|file| file.ends_with("honest.rs")));
    assert!(files().len() > 15);
}

/// Whether a type has a trait, found out without asking for it: the inherent constant is there only where the trait
/// is, and wins over the one of `Otherwise`.
macro_rules! has {
    ($type:ty: $($bound:tt)+) => {{
        struct Probe<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code)]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const HAS: bool = true;
        }
        let _ = |probe: Probe<$type>| probe.0;
        <Probe<$type>>::HAS
    }};
}

/// What a type can do that a secret must not.
macro_rules! abilities {
    ($type:ty) => {{
        let found = [
            ("Debug", has!($type: std::fmt::Debug)),
            ("Display", has!($type: std::fmt::Display)),
            ("Clone", has!($type: Clone)),
            ("Copy", has!($type: Copy)),
            ("Default", has!($type: Default)),
            ("PartialEq", has!($type: PartialEq)),
            ("Serialize", has!($type: serde::Serialize)),
            ("Deserialize", has!($type: serde::de::DeserializeOwned)),
        ];
        found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect::<Vec<_>>()
    }};
}

#[test]
fn the_probe_sees_what_is_there() {
    assert_eq!(
        abilities!(String),
        [
            "Debug",
            "Display",
            "Clone",
            "Default",
            "PartialEq",
            "Serialize",
            "Deserialize"
        ]
    );
    assert_eq!(
        abilities!(std::sync::Mutex<u8>),
        ["Debug", "Default", "Serialize", "Deserialize"]
    );
    assert!(has!(u8: Copy) && !has!(String: Copy));
}

#[test]
fn secrets_cannot_be_printed_copied_compared_or_written_out() {
    use strongroom::{app, crypto, envelope, gate, ledger, secret, session};
    let nothing: [&str; 0] = [];
    assert_eq!(abilities!(secret::Secret<32>), nothing);
    assert_eq!(abilities!(secret::Secret<64>), nothing);
    assert_eq!(abilities!(secret::Passphrase), nothing);
    assert_eq!(abilities!(secret::Plaintext), nothing);
    assert_eq!(abilities!(crypto::SigningKey), nothing);
    assert_eq!(abilities!(crypto::HybridSecret), nothing);
    assert_eq!(abilities!(envelope::ContentKey), nothing);
    assert_eq!(abilities!(envelope::DetailKey), nothing);
    assert_eq!(abilities!(envelope::Key), nothing);
    assert_eq!(abilities!(envelope::IdentitySecrets), nothing);
    assert_eq!(abilities!(envelope::RecoveryKey), nothing);
    assert_eq!(abilities!(envelope::KeyShare), nothing);
    assert_eq!(abilities!(crypto::SecretShare), nothing);
    assert_eq!(abilities!(crypto::SplitSecret), nothing);
    assert_eq!(abilities!(session::Identity), nothing);
    assert_eq!(abilities!(session::PaperDevice), nothing);
    assert_eq!(abilities!(gate::OpenNote), nothing);
    assert_eq!(abilities!(gate::Survey), nothing);
    assert_eq!(abilities!(gate::Listed), nothing);
    assert_eq!(abilities!(gate::OpenContent), nothing);
    assert_eq!(abilities!(gate::Content<ledger::StoredParts>), nothing);
    assert_eq!(abilities!(gate::Attachments), nothing);
    assert_eq!(abilities!(gate::Attachment), nothing);
    assert_eq!(abilities!(gate::Sealing), nothing);
    assert_eq!(abilities!(app::Shown), nothing);
    // A ring may be empty; that is no key.
    assert_eq!(abilities!(envelope::Keyring), ["Default"]);
    // What is known of a note is not a key: nobody learns it by comparing.
    assert_eq!(abilities!(gate::Metadata), ["PartialEq"]);
}

#[test]
fn tokens_cannot_be_copied_or_made_of_nothing() {
    use strongroom::{gate, ledger, policy, repo};
    assert_eq!(abilities!(policy::Permission), ["Debug", "PartialEq"]);
    assert_eq!(abilities!(policy::Decision), ["Debug"]);
    assert_eq!(abilities!(gate::Permit), ["Debug"]);
    assert_eq!(abilities!(ledger::Recorded), ["Debug"]);
    for (name, abilities) in [("Durable", abilities!(repo::Durable)), ("Lock", abilities!(repo::Lock))] {
        assert!(
            !abilities.iter().any(|able| ["Clone", "Copy", "Default"].contains(able)),
            "{name}: {abilities:?}"
        );
    }
}
