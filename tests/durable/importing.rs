//! Import and export: kill -9 in the middle, and nothing comes twice or is lost; what is read leaves no trace; what leaves comes
//! back in as it was.

use crate::canary::found;
use crate::house::{House, Ran, has, ids, long, say, with_why};
use crate::kills::{Dice, killed_at};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const CANARY: &str = "Ocelotbobbin";

/// A folder of texts, each with a picture that it names where `pictures` says so, outside of any home.
fn source(texts: usize, pictures: bool) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("source-").tempdir().unwrap();
    for n in 0..texts {
        let shelf = folder.path().join(format!("shelf {}", n % 7));
        std::fs::create_dir_all(&shelf).unwrap();
        let picture = if pictures {
            format!("![](p{n}.png)")
        } else {
            String::new()
        };
        std::fs::write(
            shelf.join(format!("{n}.md")),
            format!("# Note {n}\n\n{CANARY} number {n}. {picture}\n"),
        )
        .unwrap();
        if pictures {
            std::fs::write(shelf.join(format!("p{n}.png")), format!("{CANARY}{n}")).unwrap();
        }
    }
    folder
}

fn arguments(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    ["import", &folder, "--yes", "--quiet", "--attach", "--label", "internal"]
        .map(str::to_owned)
        .to_vec()
}

fn titles(house: &House) -> Vec<String> {
    let list: Value = serde_json::from_str(&house.run(&["list", "--json"]).expect(0)).unwrap();
    let title = |line: &Value| line["title"].as_str().unwrap().to_owned();
    let mut titles: Vec<String> = list.as_array().unwrap().iter().map(title).collect();
    titles.sort();
    titles
}

/// Whatever is there is there once.
#[track_caller]
fn once(house: &House) -> usize {
    house.intact();
    let titles = titles(house);
    let different: BTreeSet<&String> = titles.iter().collect();
    assert_eq!(different.len(), titles.len(), "{titles:?}");
    titles.len()
}

#[test]
fn an_import_that_was_killed_is_gone_on_with() {
    let folder = source(150, false);
    let house = House::new();
    let arguments = arguments(folder.path());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (mut survived, mut seen) = (0, BTreeSet::new());
    for step in 1.. {
        match killed_at(&house, &arguments, step) {
            Ok(()) => {
                survived += 1;
                let there = once(&house);
                seen.insert(there);
                let hits = found(&house, &[CANARY]);
                assert!(hits.is_empty(), "{hits:#?}");
                // The steps of a run that has nothing more to write are fewer.
                if there == 150 {
                    break;
                }
            }
            Err(ran) => {
                ran.expect(0);
                break;
            }
        }
    }
    house.run(&arguments).expect(0);
    assert_eq!(once(&house), 150);
    say(format_args!(
        "{survived} kills between durable steps of an import survived, with {seen:?} notes there"
    ));
    assert!(survived > 5, "{survived}");
    let before = house.intact()["entries"].as_u64();
    house.run(&arguments).expect(0);
    // A look, and the one before it that counted.
    assert_eq!(house.intact()["entries"].as_u64(), before.map(|before| before + 1));
}

#[test]
fn an_import_that_is_killed_at_any_moment_loses_nothing_and_doubles_nothing() {
    let folder = source(120, true);
    let house = House::new();
    let arguments = arguments(folder.path());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut dice = Dice::new();
    let rounds = if long() { 40 } else { 6 };
    for _ in 0..rounds {
        let mut child = house.command(&arguments).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200 + dice.roll(1500)));
        let _ = child.kill();
        let _ = child.wait();
        once(&house);
    }
    let begun = Instant::now();
    house.run(&arguments).expect(0);
    say(format_args!("the rest of an import took {:?}", begun.elapsed()));
    assert_eq!(once(&house), 120);
    for id in house.listed().iter().take(5) {
        let shown: Value = serde_json::from_str(&house.run(&with_why(&["show", id, "--json"])).expect(0)).unwrap();
        assert_eq!(shown["attachments"].as_array().unwrap().len(), 1, "{shown}");
    }
    let hits = found(&house, &[CANARY]);
    assert!(hits.is_empty(), "{hits:#?}");
}

/// Gives `text` to a program; what it says.
fn piped(house: &House, program: &str, arguments: &[&str], text: &str) -> Ran {
    let mut child = house
        .program(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

fn age_key(house: &House) -> String {
    let key = house.root().join("tmp/key.txt");
    let made = Ran::from(
        house
            .program("age-keygen")
            .args(["-o".as_ref(), key.as_os_str()])
            .output()
            .unwrap(),
    );
    assert_eq!(made.code, Some(0), "{}", made.err);
    let text = std::fs::read_to_string(key).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# public key: "));
    line.unwrap().to_owned()
}

#[test]
fn stores_of_pass_and_passage_come_in_and_leave_no_trace() {
    if !has("gpg") || !has("age-keygen") {
        return;
    }
    let mut house = House::new();
    let keys = house.root().join("run/g");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    house.set("GNUPGHOME", &keys.to_string_lossy());
    let gpg = [
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--pinentry-mode",
        "loopback",
        "--quick-gen-key",
        "mara@example.org",
    ];
    let made = piped(&house, "gpg", &gpg, "");
    assert_eq!(made.code, Some(0), "{}", made.err);
    let store = house.root().join("tmp/pass");
    std::fs::create_dir_all(store.join("gates")).unwrap();
    std::fs::write(store.join(".gpg-id"), "mara@example.org\n").unwrap();
    for name in ["gates/north", "gates/south", "desk"] {
        let out = store.join(format!("{name}.gpg"));
        let out = out.to_string_lossy();
        let sealed = [
            "--batch",
            "--quiet",
            "--trust-model",
            "always",
            "-r",
            "mara@example.org",
            "-e",
            "-o",
            &out,
        ];
        let done = piped(&house, "gpg", &sealed, &format!("{CANARY}-{name}\nuser: mara\n"));
        assert_eq!(done.code, Some(0), "{}", done.err);
    }
    std::fs::write(store.join("broken.gpg"), "no such thing").unwrap();
    let path = store.to_string_lossy().into_owned();
    let ran = house.run(&["import", &path, "--yes", "--label", "internal"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("imported: 3 notes") && ran.err.contains("broken.gpg: it does not open: gpg:"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains(CANARY), "{}", ran.err);
    // What stands first in such a file is a password, and no title.
    assert_eq!(titles(&house), ["desk", "north", "south"]);

    let to = age_key(&house);
    let passage = house.root().join("tmp/passage");
    std::fs::create_dir_all(&passage).unwrap();
    let out = passage.join("east.age");
    let done = piped(
        &house,
        "age",
        &["-r", &to, "-o", &out.to_string_lossy()],
        &format!("{CANARY}-east\n"),
    );
    assert_eq!(done.code, Some(0), "{}", done.err);
    let (path, key) = (passage.to_string_lossy().into_owned(), house.root().join("tmp/key.txt"));
    // The agent has it opened where its client sits.
    house.run(&["unlock"]).expect(0);
    let ran = house.run(&[
        "import",
        &path,
        "--yes",
        "--label",
        "internal",
        "--age-identity",
        &key.to_string_lossy(),
    ]);
    house.run(&["lock"]).expect(0);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(titles(&house), ["desk", "east", "north", "south"]);
    let id = ids(&house.run(&["search", "east", "--json"]).expect(0)).remove(0);
    assert!(house.show(&id).expect(0).contains(&format!("{CANARY}-east")));
    once(&house);
    let _ = house.program("gpgconf").args(["--kill", "gpg-agent"]).output();
    let hits = found(&house, &[CANARY]);
    assert!(hits.is_empty(), "{hits:#?}");
}

#[test]
fn what_is_exported_is_recorded_first_and_comes_back_in() {
    if !has("age-keygen") || !has("tar") {
        return;
    }
    let house = House::new();
    let to = age_key(&house);
    let text = format!("{CANARY} was seen.\n\n---\nat six\n");
    let file = house.root().join("run/text");
    std::fs::write(&file, &text).unwrap();
    let new = [
        "add",
        "--title",
        "Gate 4: \"north\"",
        "--client",
        "Jo's Yard",
        "--case",
        "K-7",
        "--label",
        "confidential",
    ];
    let more = [
        "--field",
        "plate=LX68QZV",
        "--at",
        "2026-11-21T06:40:00Z",
        "--file",
        &file.to_string_lossy(),
    ];
    let id = house.run(&[&new[..], &more].concat()).expect(0).trim().to_owned();
    std::fs::write(&file, vec![7; 100_000]).unwrap();
    house
        .run(&["attach", &id, &file.to_string_lossy(), "--name", "gate.bin"])
        .expect(0);
    std::fs::remove_file(&file).unwrap();
    let out = house.root().join("tmp/notes.age").to_string_lossy().into_owned();
    let export = [
        "export",
        "notes",
        "--all",
        "-r",
        &to,
        "--for",
        "the new team",
        "--out",
        &out,
    ];
    // Nothing is left of an export that was killed before its end, and nothing of it is in clear.
    for step in 1.. {
        match killed_at(&house, &with_why(&[&export[..], &["--quiet"]].concat()), step) {
            Ok(()) => assert!(!Path::new(&out).exists()),
            Err(ran) => {
                ran.expect(0);
                break;
            }
        }
    }
    let hits = found(&house, &[CANARY]);
    assert!(hits.is_empty(), "{hits:#?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&out).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let log = house
        .run(&["audit", "log", "--action", "export notes", "--json"])
        .expect(0);
    let entry: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    let details = &entry["details"];
    assert_eq!(
        details["recipients"],
        serde_json::json!(["the new team", to]),
        "{entry}"
    );
    assert_eq!(details["notes"], serde_json::json!([id]));
    assert!(details["left"].is_string());

    let elsewhere = tempfile::tempdir().unwrap();
    let key = house.root().join("tmp/key.txt").to_string_lossy().into_owned();
    let open = format!(
        "age -d -i '{key}' '{out}' | tar xf - -C '{}'",
        elsewhere.path().display()
    );
    Ran::from(house.program("sh").args(["-c", &open]).output().unwrap()).expect(0);
    let folder = elsewhere.path().join("notes");
    let sums = Ran::from(
        house
            .program("sha256sum")
            .args(["--quiet", "-c", "manifest.sha256"])
            .current_dir(&folder)
            .output()
            .unwrap(),
    );
    assert_eq!(sums.code, Some(0), "{}", sums.err);
    let other = House::new();
    let folder = folder.to_string_lossy().into_owned();
    let ran = other.run(&[
        "import",
        &folder,
        "--yes",
        "--attach",
        "--labels-within",
        "--from",
        "folder",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let id = other.listed().remove(0);
    let shown: Value = serde_json::from_str(&other.run(&with_why(&["show", &id, "--json"])).expect(0)).unwrap();
    assert_eq!(shown["body"], Value::from(text));
    for (what, is) in [
        ("title", "Gate 4: \"north\""),
        ("client", "Jo's Yard"),
        ("case", "K-7"),
        ("label", "confidential"),
    ] {
        assert_eq!(shown[what], is, "{shown}");
    }
    assert_eq!(shown["attachments"][0]["name"], "gate.bin");
    let bytes = other.root().join("tmp/gate.bin");
    other
        .run(&with_why(&[
            "extract",
            &id,
            "gate.bin",
            "--out",
            &bytes.to_string_lossy(),
        ]))
        .expect(0);
    assert_eq!(std::fs::read(bytes).unwrap(), vec![7; 100_000]);
}
