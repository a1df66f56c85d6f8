//! What others on the same machine could get at: modes of files, core files, the environment of children.

use crate::house::{House, PASSPHRASE, Ran, has, say};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What below `folder` is open to anybody but its owner.
fn open_to_others(folder: &Path) -> Vec<String> {
    let mut open = Vec::new();
    let metadata = folder.symlink_metadata().unwrap();
    if metadata.mode() & 0o077 != 0 {
        open.push(format!("{:o} {}", metadata.mode(), folder.display()));
    }
    if metadata.is_dir() {
        for entry in std::fs::read_dir(folder).unwrap() {
            open.extend(open_to_others(&entry.unwrap().path()));
        }
    }
    open
}

/// The program under a umask that forbids nothing.
fn careless(house: &House, args: &[&str]) -> Ran {
    let mut shell = house.program("sh");
    shell.args([
        "-c",
        "umask 0; exec \"$0\" --no-input \"$@\"",
        env!("CARGO_BIN_EXE_strongroom"),
    ]);
    shell.args(args).output().unwrap().into()
}

#[test]
fn everything_is_its_owners_alone_under_any_umask() {
    let house = House::empty();
    let page = house.root().join("page.txt");
    careless(
        &house,
        &["init", "--name", "mara", "--recovery-key", page.to_str().unwrap()],
    )
    .expect(0);
    let id = careless(&house, &["add", "--label", "internal", "A note."]).expect(0);
    let file = house.root().join("list.csv");
    std::fs::write(&file, "one,two\n").unwrap();
    let out = house.root().join("out.csv");
    careless(&house, &["attach", id.trim(), file.to_str().unwrap()]).expect(0);
    let extract = ["extract", id.trim(), "list.csv", "--out", out.to_str().unwrap()];
    careless(&house, &extract).expect(0);
    careless(&house, &["show", id.trim(), "--purpose", "duty", "--why", "handover"]).expect(0);
    let receipt = house.root().join("receipt");
    careless(&house, &["audit", "receipt", "--out", receipt.to_str().unwrap()]).expect(0);
    std::fs::write(house.root().join("passphrase"), "a wrong one").unwrap();
    careless(&house, &["list"]).expect(6);
    for place in [house.vault(), house.state(), house.identity(), page, receipt, out] {
        assert_eq!(open_to_others(&place), Vec::<String>::new());
    }
    for parent in ["config/strongroom", "data/strongroom", "state/strongroom"] {
        assert_eq!(
            house.root().join(parent).metadata().unwrap().mode() & 0o077,
            0,
            "{parent}"
        );
    }
}

#[test]
fn the_identity_is_never_open_to_others_not_even_while_it_is_made() {
    if !has("strace") {
        return;
    }
    let house = House::empty();
    let trace = house.root().join("trace");
    let mut strace = house.program("strace");
    strace.args([
        "-f",
        "-e",
        "trace=open,openat,chmod,fchmod,fchmodat,umask,link,linkat,rename,renameat,renameat2",
        "-o",
    ]);
    strace.arg(&trace).args([
        "sh",
        "-c",
        "umask 0; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_strongroom"),
    ]);
    let ran = Ran::from(strace.args(["--no-input", "init", "--name", "mara"]).output().unwrap());
    ran.expect(0);
    let text = std::fs::read_to_string(trace).unwrap();
    let made: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("O_CREAT") && line.contains("strongroom/identity"))
        .collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(
        made[0].contains("O_EXCL") && made[0].contains("O_NOFOLLOW") && made[0].contains("0600"),
        "{made:?}"
    );
}

#[test]
fn children_inherit_no_secret_and_no_core_file() {
    let mut house = House::new();
    house.add("A note.");
    let seen = house.root().join("seen");
    let command = format!(
        "{{ ulimit -c; umask; env; ls -l /proc/self/fd; }} > '{0}'; cat '{1}'",
        seen.display(),
        house.root().join("passphrase").display()
    );
    house.set("STRONGROOM_PASSPHRASE_FILE", "");
    house.set("STRONGROOM_PASSPHRASE_COMMAND", &command);
    assert_eq!(house.listed().len(), 1);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert_eq!(seen.lines().next(), Some("0"), "core files are forbidden: {seen}");
    assert!(!seen.contains(PASSPHRASE));
    for inherited in [
        "strongroom.journal",
        "strongroom.lock",
        "high-water",
        "strongroom/identity",
    ] {
        assert!(
            !seen.contains(&format!("-> {}", house.root().join(inherited).display())),
            "{seen}"
        );
        assert!(
            !seen
                .lines()
                .any(|line| line.contains("->") && line.ends_with(inherited)),
            "{seen}"
        );
    }
}

#[test]
fn a_running_program_gives_away_nothing() {
    let mut house = House::new();
    // It waits for the passphrase's command while it is looked at.
    house.set("STRONGROOM_PASSPHRASE_FILE", "");
    house.set("STRONGROOM_PASSPHRASE_COMMAND", "sleep 2; echo wrong");
    let child = house.command(&["list"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    let proc = Path::new("/proc").join(child.id().to_string());
    let limits = std::fs::read_to_string(proc.join("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    // Not dumpable: its files under /proc are root's.
    let owner = proc.join("environ").metadata().unwrap().uid();
    assert_eq!(owner, 0);
    let me = house.root().metadata().unwrap().uid();
    if me == 0 {
        say("the tests run as root: that /proc is closed to others is not shown here");
    }
    let output = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(output.code, Some(6));
}

#[test]
fn every_folder_that_init_makes_is_durable() {
    if !has("strace") {
        return;
    }
    let house = House::empty();
    let trace = house.root().join("trace");
    let mut strace = house.program("strace");
    strace.args([
        "-f",
        "-y",
        "-e",
        "trace=mkdir,mkdirat,fsync,rename,renameat,renameat2",
        "-o",
    ]);
    strace.arg(&trace).arg(env!("CARGO_BIN_EXE_strongroom"));
    Ran::from(strace.args(["--no-input", "init", "--name", "mara"]).output().unwrap()).expect(0);
    let text = std::fs::read_to_string(trace).unwrap();
    for made in [
        "config",
        "config/strongroom",
        "data",
        "data/strongroom",
        "state",
        "state/strongroom",
    ] {
        let folder = house.root().join(made);
        let at = text
            .find(&format!("\"{}\"", folder.display()))
            .unwrap_or_else(|| panic!("{made}: {text}"));
        let synced = format!("<{}>)", folder.parent().unwrap().display());
        assert!(
            text[at..].contains(&synced),
            "{made} is made, its entry never synced: {text}"
        );
    }
}

#[test]
fn failed_unlocks_at_once_are_all_entered() {
    let house = House::new();
    let right = house.root().join("passphrase");
    let wrong = house.root().join("wrong");
    std::fs::write(&wrong, "not this one").unwrap();
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = house.command(&["list"]);
            command.env("STRONGROOM_PASSPHRASE_FILE", &wrong).spawn().unwrap()
        })
        .collect();
    // Meanwhile somebody who knows it enters what there is so far.
    std::thread::sleep(std::time::Duration::from_millis(300));
    house.listed();
    for child in children {
        Ran::from(child.wait_with_output().unwrap()).expect(6);
    }
    assert!(right.exists());
    let log = house.run(&["audit", "log", "--json"]).expect(0);
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let entered: usize = lines
        .filter(|line| line["details"]["verb"] == "unlock")
        .map(|line| line["details"]["times"].as_array().unwrap().len())
        .sum();
    assert_eq!(entered, 8);
    house.intact();
}

#[test]
fn an_identity_without_a_vault_is_not_overwritten_and_explained() {
    let house = House::new();
    // As if the power had gone between the identity and the move of the vault to its place.
    std::fs::rename(house.vault(), house.vault().with_file_name(".vault.0a0b0c0d")).unwrap();
    let before = std::fs::read(house.identity()).unwrap();
    let ran = house.run(&["init", "--name", "mara"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("interrupted"), "{}", ran.err);
    assert_eq!(std::fs::read(house.identity()).unwrap(), before);
    std::fs::remove_file(house.identity()).unwrap();
    house.init();
    house.add("A vault like any other.");
}
