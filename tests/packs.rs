//! An export pack, checked as on a machine that has never heard of strongroom: by the commands of its own README, with
//! nothing but stock tools on the path.
//!
//! Needs python3, openssl 3 and ssh-keygen; where one is missing that is said on standard error with the word `skipped`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom");
const WHY: [&str; 4] = ["--purpose", "legal", "--why", "disclosure order"];
/// What the steps of the README use.
const TOOLS: [&str; 14] = [
    "sh",
    "sha256sum",
    "openssl",
    "ssh-keygen",
    "sed",
    "tail",
    "head",
    "cut",
    "base64",
    "cmp",
    "od",
    "tr",
    "grep",
    "cat",
];

/// The path of a program, if it is here.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
}

/// A folder with links to the stock tools and nothing else; none where one is missing.
fn tools(below: &Path) -> Option<PathBuf> {
    let folder = below.join("tools");
    std::fs::create_dir(&folder).unwrap();
    let python = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output();
    let python = python.ok().filter(|ran| ran.status.success());
    let python = python.map(|ran| PathBuf::from(String::from_utf8(ran.stdout).unwrap().trim()));
    let mut found: Vec<(&str, Option<PathBuf>)> = TOOLS.iter().map(|name| (*name, program(name))).collect();
    found.push(("python3", python));
    for (name, path) in found {
        let Some(path) = path else {
            let _ = writeln!(std::io::stderr(), "skipped: `{name}` is not installed here");
            return None;
        };
        std::os::unix::fs::symlink(path, folder.join(name)).unwrap();
    }
    Some(folder)
}

/// A home with a vault in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::write(home.path("passphrase"), "orchid tractor velvet magnet").unwrap();
        std::fs::create_dir(home.path("run")).unwrap();
        std::fs::set_permissions(home.path("run"), std::fs::Permissions::from_mode(0o700)).unwrap();
        home.run(&["init", "--name", "mara"]);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn try_run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(words).current_dir(self.0.path()).env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.0.path());
        command.env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("STRONGROOM_PASSPHRASE_FILE", self.path("passphrase"));
        command.stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> String {
        let ran = self.try_run(words);
        assert!(
            ran.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// A case with two notes, one of them revised, attachments and somebody who looked.
    fn with_a_case() -> Self {
        let home = Self::new();
        let text = "(I) Keep the north gate shut.\n\nPolice 01632 960 418.";
        let of_case = ["--client", "Halcyon", "--case", "K-7"];
        let first = home.run(
            &[
                &["add", "--label", "restricted", "--field", "gate=north", text][..],
                &of_case,
            ]
            .concat(),
        );
        home.run(&[&["add", "--label", "internal", "Torch of car 2: näßte."][..], &of_case].concat());
        home.run(&["add", "--label", "internal", "Nothing to do with it."]);
        // More than one part of an attachment, and more than one chunk of a text.
        std::fs::write(home.path("camera.bin"), vec![7; 5 << 20]).unwrap();
        std::fs::write(home.path("long.txt"), "The gate was shut. ".repeat(8000)).unwrap();
        home.run(&["attach", &first, "camera.bin"]);
        home.run(&["attach", &first, "passphrase", "--name", ".Camera.bin"]);
        home.run(&[&["edit", &first, "--file", "long.txt"][..], &WHY].concat());
        home.run(&[&["show", &first][..], &WHY].concat());
        home
    }

    fn export(&self, name: &str, more: &[&str]) -> PathBuf {
        let words = ["export", "pack", "--case", "k-7", "--to", "Crown Court", "--out", name];
        self.run(&[&words[..], &WHY, more].concat());
        self.path(name)
    }
}

/// A copy of a pack on a machine of its own.
struct Elsewhere {
    folder: tempfile::TempDir,
    tools: PathBuf,
}

impl Elsewhere {
    fn new(pack: &Path, tools: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(pack, &folder.path().join("pack"));
        let tools = tools.to_owned();
        Self { folder, tools }
    }

    fn pack(&self) -> PathBuf {
        self.folder.path().join("pack")
    }

    /// Whether it went well, and what was said.
    fn sh(&self, script: &str) -> (bool, String) {
        let mut command = Command::new(self.tools.join("sh"));
        command
            .args(["-euc", script])
            .current_dir(self.pack())
            .env_clear()
            .env("PATH", &self.tools);
        let ran = command.stdin(Stdio::null()).output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Signs the pack again with a key of a stranger's, who has stock tools too.
    fn sign_anew(&self) {
        let script = "rm -f manifest.sha256 manifest.sha256.sig ../key ../key.pub\n\
             ssh-keygen -q -t ed25519 -N '' -C '' -f ../key\n\
             { printf 'mara namespaces=\"export@strongroom\" '; cat ../key.pub; } > signers\n\
             find . -type f | sed 's#^[.]/##' | sort > ../all\n\
             while IFS= read -r file; do sha256sum \"$file\"; done < ../all > ../manifest.sha256\n\
             mv ../manifest.sha256 .\n\
             ssh-keygen -q -Y sign -n export@strongroom -f ../key manifest.sha256";
        let mut command = Command::new("sh");
        let ran = command
            .args(["-euc", script])
            .current_dir(self.pack())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// All files of a folder, as paths below it, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}"))),
            false => found.push(name),
        }
    }
    found.sort();
    found
}

/// The files whose paths hold all of `parts`.
fn those<'f>(files: &'f [String], parts: &[&str]) -> Vec<&'f String> {
    files
        .iter()
        .filter(|file| parts.iter().all(|part| file.contains(part)))
        .collect()
}

/// The commands that the README tells its reader to give, block by block.
fn blocks(readme: &str) -> Vec<String> {
    let blocks = readme.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn replace(path: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{old} in {}", path.display());
    std::fs::write(path, text.replacen(old, new, 1)).unwrap();
}

#[test]
fn a_pack_is_checked_by_its_own_readme_with_stock_tools() {
    let home = Home::with_a_case();
    let Some(tools) = tools(home.0.path()) else { return };
    let pack = home.export("pack", &["--notice", "Not to be passed on."]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&pack), mode(&pack.join("notes")), mode(&pack.join("README.md"))),
        (0o700, 0o700, 0o600)
    );
    let there = Elsewhere::new(&pack, &tools);
    assert!(!there.sh("command -v strongroom").0);

    let readme = std::fs::read_to_string(pack.join("README.md")).unwrap();
    assert!(
        readme.contains("> Not to be passed on.") && readme.contains("for Crown Court."),
        "{readme}"
    );
    let said: Vec<String> = blocks(&readme)
        .iter()
        .map(|block| {
            let (well, said) = there.sh(block);
            assert!(well, "{block}\n{said}");
            said
        })
        .collect();
    let [all, sums, signed, checkpoint, entry, sealed, by_hand] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(
        all.contains("3 texts and 2 attachments") && all.contains("All of it holds"),
        "{all}"
    );
    assert!(
        sums.lines().count() > 20 && sums.lines().all(|line| line.ends_with(": OK")),
        "{sums}"
    );
    assert!(
        signed.contains("Good \"export@strongroom\" signature for mara"),
        "{signed}"
    );
    assert!(checkpoint.contains("Signature Verified Successfully"), "{checkpoint}");
    let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
    assert_eq!(entry["result"], "done");
    assert!(
        sealed
            .lines()
            .all(|line| line.ends_with(line.split(' ').next().unwrap())),
        "{sealed}"
    );
    assert!(by_hand.contains("it is the same"), "{by_hand}");
    // The same by hand for every other text, also one of several chunks.
    let names = files(&pack);
    let texts = those(&names, &["/revision-"]);
    assert_eq!(texts.len(), 3);
    for text in texts {
        let (well, said) = there.sh(&format!("python3 check.py --by-hand {text} | sh -eu"));
        assert!(well && said.contains("it is the same"), "{text}: {said}");
    }

    // What it holds is what was recorded, and nothing of the other note.
    assert_eq!(those(&names, &["/about.json"]).len(), 2);
    let camera = those(&names, &["/camera.bin"])[0];
    assert_eq!(std::fs::read(pack.join(camera)).unwrap(), vec![7; 5 << 20]);
    assert_eq!(those(&names, &["/_Camera.bin"]).len(), 1);
    for name in &names {
        let bytes = std::fs::read(pack.join(name)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("Nothing to do"), "{name}");
    }
    let custody = std::fs::read_to_string(pack.join("custody.csv")).unwrap();
    for verb in [
        ",add,",
        ",revise,edit,",
        ",attach,",
        ",show,legal,disclosure order,",
        ",export-read,",
    ] {
        assert!(custody.contains(verb), "{verb}: {custody}");
    }
    // The log says what left, and nothing of it stays anywhere else.
    let log = home.run(&["audit", "log", "--action", "export pack", "--json"]);
    let manifest = strongroom::crypto::sha256(&[&std::fs::read(pack.join("manifest.sha256")).unwrap()]);
    assert!(
        log.contains(&manifest.to_string()) && log.contains("\"recipients\":[\"Crown Court\"]"),
        "{log}"
    );
    let beside: Vec<String> = std::fs::read_dir(home.0.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!beside.iter().any(|name| name.starts_with(".strongroom")), "{beside:?}");
}

#[test]
fn a_byte_changed_anywhere_in_a_pack_is_found() {
    let home = Home::with_a_case();
    let Some(tools) = tools(home.0.path()) else { return };
    let pack = home.export("pack", &[]);
    let names = files(&pack);
    let kinds = [
        "README.md",
        "check.py",
        "custody.csv",
        "pack.json",
        "signers",
        "manifest.sha256",
        "manifest.sha256.sig",
        "/about.json",
        "/revision-1.md",
        "/revision-2.md",
        "/camera.bin",
        "/sealed/",
        ".tlog-proof",
        "/checkpoint",
        "/log-key",
        "/key.pem",
    ];
    // No kind of file is missing here.
    let known = |name: &&String| {
        kinds
            .iter()
            .any(|kind| name.contains(kind) || name.ends_with("_Camera.bin"))
    };
    assert!(names.iter().all(|name| known(&name)), "{names:?}");
    let checker = std::fs::read_to_string(pack.join("check.py")).unwrap();
    for kind in kinds {
        let there = Elsewhere::new(&pack, &tools);
        let name = names
            .iter()
            .find(|name| name.ends_with(kind) || name.contains(kind))
            .unwrap();
        flip(&there.pack().join(name));
        // The checker itself may be what was changed: a whole one is taken then, as a careful reader would.
        let (well, said) = match kind {
            "check.py" => (there.sh("sha256sum -c manifest.sha256").0, "WRONG".to_owned()),
            _ => there.sh("python3 check.py"),
        };
        assert!(!well && said.contains("WRONG"), "{name}: {said}");
        let (sums, _) = there.sh("sha256sum -c --quiet manifest.sha256");
        let verify =
            "ssh-keygen -Y verify -f signers -I mara -n export@strongroom -s manifest.sha256.sig < manifest.sha256";
        let (signed, _) = there.sh(verify);
        assert!(!(sums && signed), "{name}: the stock tools found nothing");
    }
    // What was taken away or laid beside is found too.
    let there = Elsewhere::new(&pack, &tools);
    std::fs::write(there.pack().join("notes/more.txt"), "more").unwrap();
    assert!(
        there
            .sh("python3 check.py")
            .1
            .contains("notes/more.txt is no part of this pack")
    );
    std::fs::remove_file(there.pack().join("notes/more.txt")).unwrap();
    std::fs::remove_file(there.pack().join("custody.csv")).unwrap();
    assert!(there.sh("python3 check.py").1.contains("custody.csv is missing"));
    assert!(checker.contains("All of it holds"));
    // What a pack says of itself drives no terminal, and becomes no command.
    std::fs::write(there.pack().join("x\u{1b}[2J\nAll of it holds."), "x").unwrap();
    let (well, said) = there.sh("python3 check.py");
    assert!(!well && said.contains("is no part of this pack"), "{said}");
    assert!(!said.contains('\u{1b}') && said.trim().lines().count() == 1, "{said}");
    let text = those(&names, &["/revision-1.md"])[0];
    let about = there.pack().join(text.replace("revision-1.md", "about.json"));
    let told = std::fs::read_to_string(&about).unwrap();
    let at = told.find("\"key\": \"").unwrap() + 20;
    std::fs::write(&about, format!("{}\\n{}", &told[..at], &told[at..])).unwrap();
    let (well, said) = there.sh(&format!("python3 check.py --by-hand {text}"));
    assert!(!well && said.contains("names no key"), "{said}");
    // A row of the list of custody may name thousands of notes.
    let row = "python3 -c 'import sys; sys.path.insert(0, \".\"); import check; print(check.csv.field_size_limit() >= 1 << 24)'";
    assert!(there.sh(row).1.contains("True"));
}

#[test]
fn who_signs_a_changed_pack_anew_does_not_get_past_the_log() {
    let home = Home::with_a_case();
    let Some(tools) = tools(home.0.path()) else { return };
    let pack = home.export("pack", &[]);
    let names = files(&pack);
    let about = |parts: &[&str]| those(&names, parts)[0].clone();
    let text = about(&["/revision-1.md"]);
    let note = text.rsplit_once('/').unwrap().0.to_owned();
    let told = format!("{note}/about.json");
    let sealed = about(&[&format!("{note}/sealed/")]);
    let entry = about(&[".tlog-proof"]);
    let camera = about(&["/camera.bin"]);
    type Change<'c> = (&'c str, &'c dyn Fn(&Path), &'c str);
    let changes: [Change<'_>; 8] = [
        ("a text", &|pack| flip(&pack.join(&text)), "is not what was sealed"),
        (
            "a time",
            &|pack| replace(&pack.join(&told), "\"created\": \"20", "\"created\": \"19"),
            "about.json says",
        ),
        (
            "an author",
            &|pack| replace(&pack.join(&told), "\"person\": \"", "\"person\": \"f"),
            "about.json says",
        ),
        (
            "a title",
            &|pack| replace(&pack.join(&told), "\"title\": \"", "\"title\": \"Not "),
            "about.json says",
        ),
        (
            "a sealed body",
            &|pack| flip(&pack.join(&sealed)),
            "its sealed body is another one",
        ),
        (
            "an attachment",
            &|pack| flip(&pack.join(&camera)),
            "is not what was attached",
        ),
        ("an entry", &|pack| flip(&pack.join(&entry)), ""),
        (
            "a row",
            &|pack| replace(&pack.join("custody.csv"), ",done,", ",denied,"),
            "does not tell",
        ),
    ];
    let there = Elsewhere::new(&pack, &tools);
    there.sign_anew();
    assert!(
        there.sh("python3 check.py").0,
        "signed anew and nothing changed: {}",
        there.sh("python3 check.py").1
    );
    for (what, change, words) in changes {
        let there = Elsewhere::new(&pack, &tools);
        change(&there.pack());
        there.sign_anew();
        let (well, said) = there.sh("python3 check.py");
        assert!(
            !well && said.contains("WRONG") && said.contains(words),
            "{what}: {said}"
        );
        assert!(
            said.starts_with("1. The files") && said.contains("2. The manifest: signed"),
            "{what}: {said}"
        );
    }
    // An entry left out of the table.
    let there = Elsewhere::new(&pack, &tools);
    let custody = std::fs::read_to_string(pack.join("custody.csv")).unwrap();
    let kept: String = custody
        .split_inclusive('\n')
        .filter(|row| !row.contains(",show,"))
        .collect();
    assert!(kept.len() < custody.len());
    std::fs::write(there.pack().join("custody.csv"), kept).unwrap();
    there.sign_anew();
    assert!(
        there
            .sh("python3 check.py")
            .1
            .contains("custody.csv leaves an entry out")
    );
}

#[test]
fn an_agent_makes_the_same_pack_and_a_receipt_from_before_is_led_to() {
    let home = Home::with_a_case();
    let Some(tools) = tools(home.0.path()) else { return };
    home.run(&["audit", "receipt", "--out", "receipt.txt"]);
    home.run(&["unlock", "--for", "10m"]);
    let done = std::panic::catch_unwind(|| {
        let pack = home.export("pack", &["--receipt", "receipt.txt"]);
        let names = files(&pack);
        assert_eq!(those(&names, &["/revision-"]).len(), 3);
        let there = Elsewhere::new(&pack, &tools);
        let receipt = there.folder.path().join("receipt.txt");
        std::fs::copy(home.path("receipt.txt"), &receipt).unwrap();
        let (well, said) = there.sh("python3 check.py --receipt ../receipt.txt");
        assert!(well && said.contains("; 1 are newer than it"), "{said}");
        // A receipt of another history.
        let text = std::fs::read_to_string(&receipt).unwrap();
        let root = text
            .lines()
            .skip_while(|line| !line.contains("/audit/"))
            .nth(2)
            .unwrap();
        std::fs::write(
            &receipt,
            text.replace(root, "qvYYowX6SU9+wSdXFsmxvFpDdH8pAlVrbUoFZWTQBnY="),
        )
        .unwrap();
        let (well, said) = there.sh("python3 check.py --receipt ../receipt.txt");
        assert!(!well && said.contains("the receipt has another root"), "{said}");
        // What is there stays as it is, and nothing is left beside it.
        let words = ["export", "pack", "--case", "K-7", "--out", "pack"];
        let refused = home.try_run(&[&words[..], &WHY].concat());
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(files(&pack), names);
    });
    home.run(&["lock"]);
    done.unwrap();
}

#[test]
fn the_logs_of_several_people_and_a_note_that_was_sealed_anew_are_proven_too() {
    let home = Home::new();
    let Some(tools) = tools(home.0.path()) else { return };
    let jon = |words: &[&str]| home.run(&[words, &WHY, &["--identity", "jon.identity"]].concat());
    let text = "The torch is wet.";
    let note = home.run(&["add", "--label", "internal", "--case", "K-7", text]);
    home.run(&[
        "member",
        "request",
        "--name",
        "jon",
        "--out",
        "jon.request",
        "--identity",
        "jon.identity",
    ]);
    let admit = ["member", "admit", "jon.request", "--clearance", "restricted", "--yes"];
    home.run(&[&admit[..], &["--role", "officer", "--role", "lead"]].concat());
    jon(&["edit", &note, "--field", "car=2"]);
    home.run(&[&["relabel", &note, "restricted"][..], &WHY].concat());
    jon(&["show", &note]);
    let pack = home.export("pack", &[]);
    let there = Elsewhere::new(&pack, &tools);
    let (well, said) = there.sh("python3 check.py");
    assert!(
        well && said.contains("2 in all") && said.contains("2 texts and 0 attachments"),
        "{said}"
    );
    let custody = std::fs::read_to_string(pack.join("custody.csv")).unwrap();
    for row in [
        ",add,add,",
        ",revise,edit,legal,",
        ",relabel,relabel,legal,",
        ",jon,",
        ",show,legal,",
    ] {
        assert!(custody.contains(row), "{row}: {custody}");
    }
    let readme = std::fs::read_to_string(pack.join("README.md")).unwrap();
    assert!(readme.contains("all of it opened for them"), "{readme}");
    // Another lead lacks the keys to what others did, and the pack says what that means.
    home.run(&[&["show", &note][..], &WHY].concat());
    jon(&["export", "pack", &note, "--out", "other"]);
    let other = Elsewhere::new(&home.path("other"), &tools);
    assert!(other.sh("python3 check.py").0, "{}", other.sh("python3 check.py").1);
    let readme = std::fs::read_to_string(home.path("other/README.md")).unwrap();
    assert!(
        readme.contains("`custody.csv` may lack entries")
            && readme.contains("of the reads, drafts and releases in the log did not open"),
        "{readme}"
    );
    let custody = std::fs::read_to_string(home.path("other/custody.csv")).unwrap();
    assert!(custody.contains(",add,sealed,"), "{custody}");
}
