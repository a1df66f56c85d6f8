//! Backups of a vault beside whose branches others stand.

use super::leaving::Told;
use super::*;
use crate::chain::Problem;
use crate::ledger::Verdict;
use std::process::Command;

fn git(vault: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", vault)
        .arg("--git-dir")
        .arg(vault)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What is not listed may be anything of its case.
#[test]
fn what_a_removed_device_wrote_on_hides_nothing_else() {
    let vault = Vault::new();
    vault.add("internal");
    let context = vault.context(&Told, None, None);
    let file = vault.0.path().join("backup");
    backup(&context, &file).unwrap();
    let of_use = |cases: &[u8], more: &[u8]| {
        let mut checked = check_backup(&context, &file).unwrap();
        checked.report.verdict = Verdict::Tampered;
        checked.report.problems = cases.iter().map(|case| Problem::vault(*case, "wrong")).collect();
        checked.report.unlisted = more.iter().map(|case| (*case, 1)).collect();
        (checked.is_of_use(), checked.goes_on())
    };
    assert_eq!(of_use(&[14, 14], &[14]), (true, true));
    assert_eq!(of_use(&[14, 36], &[]), (false, true));
    assert_eq!(of_use(&[14], &[43]), (false, true));
    assert_eq!(of_use(&[43], &[]), (false, false));
}

#[test]
fn what_somebody_put_beside_the_branches_is_named_and_stops_no_way_back() {
    let vault = Vault::new();
    let note = vault.add("internal");
    let context = vault.context(&Told, None, None);
    let place = context.places.vault();
    let key = vault.0.path().join("key");
    new_witness(&context, "north", Some(&key)).unwrap();
    let state = vault.0.path().join("memory");
    let query = WitnessQuery {
        key: Some(key),
        state: Some(state),
        out: None,
    };
    witness_vault(&context, &query).unwrap();
    let file = vault.0.path().join("plain");
    assert_eq!(backup(&context, &file).unwrap().strays, Vec::<String>::new());
    // A mirror brings along what a stranger pushed, and anybody types `git branch`.
    git(&place, &["update-ref", "refs/heads/feature", "refs/heads/main"]);
    git(&place, &["update-ref", "refs/heads/audit/feature", "refs/heads/main"]);
    git(&place, &["update-ref", "refs/tags/v1", "refs/heads/main"]);
    let beside = ["refs/heads/audit/feature", "refs/heads/feature", "refs/tags/v1"];
    let file = vault.0.path().join("beside");
    assert_eq!(backup(&context, &file).unwrap().strays, beside);
    let checked = check_backup(&context, &file).unwrap();
    assert_eq!((checked.report.verdict, checked.strays.len()), (Verdict::Intact, 0));
    // As older programs made it: with all branches.
    let older = vault.0.path().join("older");
    let old = older.to_str().unwrap();
    git(
        &place,
        &["bundle", "create", "--quiet", "--version=2", old, "HEAD", "--branches"],
    );
    let checked = check_backup(&context, &older).unwrap();
    assert_eq!(checked.report.verdict, Verdict::Intact, "{:?}", checked.report.told());
    assert_eq!(checked.strays, beside[..2]);
    for file in [older, file] {
        std::fs::remove_dir_all(&place).unwrap();
        let restored = restore(&context, &file).unwrap();
        assert_eq!(restored.checked.report.verdict, Verdict::Intact);
        let report = verify(&context, None, &[], None, true).unwrap();
        assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.told());
        // The branch of a witness belongs.
        git(&place, &["show-ref", "--verify", "--quiet", "refs/heads/witness/north"]);
    }
    assert!(vault.show(&Scripted::deaf(), None, None, &note).is_ok());
    // Without a branch of its own it is no vault's, whatever stands beside.
    git(&place, &["update-ref", "refs/heads/feature", "refs/heads/main"]);
    git(&place, &["update-ref", "-d", "refs/heads/main"]);
    let bad = vault.0.path().join("bad");
    git(
        &place,
        &[
            "bundle",
            "create",
            "--quiet",
            "--version=2",
            bad.to_str().unwrap(),
            "--branches",
        ],
    );
    assert!(check_backup(&context, &bad).is_err());
}

#[test]
fn a_note_that_was_destroyed_does_not_come_back_by_a_branch_beside_the_vaults_own() {
    let vault = Vault::new();
    let (kept, note) = (vault.add("internal"), vault.add("internal"));
    let context = vault.context(&Told, None, None);
    let place = context.places.vault();
    let of_notes = |place: &Path| git(place, &["for-each-ref", "--format=%(refname)", "refs/heads/notes/"]);
    // Somebody keeps what the notes' branches hold, before one of them is destroyed.
    let mut files = Vec::new();
    for name in of_notes(&place).lines() {
        git(&place, &["update-ref", &name.replace("notes/", "old/notes-"), name]);
        let tree = git(&place, &["ls-tree", "-r", name]);
        files.extend(tree.lines().map(str::to_owned));
    }
    destroy(&context, &note, None).unwrap();
    let left: String = of_notes(&place)
        .lines()
        .map(|name| git(&place, &["ls-tree", "-r", name]))
        .collect();
    files.retain(|file| !left.contains(file));
    assert!(!files.is_empty());
    let older = vault.0.path().join("older");
    let old = older.to_str().unwrap();
    git(
        &place,
        &["bundle", "create", "--quiet", "--version=2", old, "HEAD", "--branches"],
    );
    let told = check_backup(&context, &older).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    let restored = restore(&context, &older).unwrap();
    for checked in [&told, &restored.checked] {
        assert_eq!(checked.report.verdict, Verdict::Intact, "{:?}", checked.report.told());
        assert!(
            checked
                .strays
                .iter()
                .all(|name| name.starts_with("refs/heads/old/notes-"))
        );
        assert!(!checked.strays.is_empty());
    }
    let all = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
    let stored = git(&place, &all);
    for file in files {
        let oid = file.split(['\t', ' ']).nth(2).unwrap();
        assert!(!stored.contains(oid), "{file}");
    }
    assert_eq!(git(&place, &["fsck", "--strict", "--no-progress"]), "");
    assert!(vault.show(&Scripted::deaf(), None, None, &kept).is_ok());
}
