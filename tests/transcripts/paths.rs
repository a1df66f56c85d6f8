//! Names of files that are no text, as JSON tells them.
#![cfg(target_os = "linux")]

use crate::stage::Stage;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A path need not be text: what stands in the place of its bytes is no reason to end after the deed is done.
#[test]
fn a_path_that_is_no_text_is_told_as_far_as_it_is() {
    let mut stage = Stage::new();
    let odd = |name: &str| OsStr::from_bytes(&[name.as_bytes(), b"\xff"].concat()).to_owned();
    std::fs::create_dir(stage.home().join(odd("pages"))).unwrap();
    let hub = stage.home().join("hub.git");
    let git = stage.command("git").args(["init", "-q", "--bare"]).arg(&hub).status();
    assert!(git.unwrap().success());
    for (words, fields) in [
        (
            "init --name mara --vault VAULT --identity OWN --recovery-key PAGE",
            &["path", "identity", "recovery_key"][..],
        ),
        ("status --vault VAULT --identity OWN", &["vault", "identity"]),
        (
            "member request --name jon --out request --vault VAULT --identity JONS",
            &["identity"],
        ),
        (
            "member request --name kim --out REQUEST --vault VAULT --identity KIMS",
            &["identity", "request"],
        ),
        ("backup FILE --vault VAULT", &["file"]),
        ("restore FILE --vault SECOND", &["path"]),
        (
            "recovery split --need 2 --of 2 --out pages --vault VAULT --identity OWN",
            &["pages"],
        ),
        ("recovery use PAGE --vault VAULT --identity BACK", &["path", "identity"]),
        ("remote add HUB --vault VAULT", &[]),
        ("sync --vault VAULT --identity OWN", &[]),
        ("clone HUB --vault THIRD", &["path"]),
    ] {
        // What is in capitals, or the folder for the pages, is a path.
        let path = |word: &str| match word {
            "HUB" => hub.clone().into_os_string(),
            word if word == "pages" || word.bytes().all(|b| b.is_ascii_uppercase()) => odd(word),
            word => OsString::from(word),
        };
        let output = stage
            .command("strongroom")
            .args(words.split(' ').map(path))
            .arg("--json")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words}: {error}");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        for field in fields {
            let told = value[field].as_str().or(value[field][0].as_str()).unwrap_or_default();
            assert!(told.contains('\u{fffd}'), "{words}: {field} is {}", value[field]);
        }
    }
}
