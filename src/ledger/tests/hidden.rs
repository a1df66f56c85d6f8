//! Refs whose names are no text, and what stands beside them: whoever may push makes them, and a clone packs them.

use super::clones::{exists, merge, two, write};
use super::vault::{Vault, note};
use super::{Given, assert_caught, assert_intact, judge};
use crate::ledger::{Elsewhere, stray_refs};
use crate::repo::parse_list;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Makes a ref that stands where another one does, whatever its name.
fn put_ref(vault: &Vault, name: &[u8], like: &str) {
    let path = vault.dir().join(OsStr::from_bytes(name));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("{}\n", vault.target(like))).unwrap();
}

/// As it stands, with its refs packed, and as a mirror has it.
fn shapes(vault: &Vault) -> Vec<(&'static str, Vault)> {
    let packed = vault.copy();
    packed.git(&["pack-refs", "--all"]);
    let mirror = vault.copy();
    mirror.git(&["clone", "-q", "--mirror", "vault", "other"]);
    let mirror = mirror.moved_to("other");
    let text = std::fs::read(mirror.dir().join("packed-refs")).unwrap();
    assert!(std::str::from_utf8(&text).is_err(), "the mirror has it packed");
    vec![("loose", vault.copy()), ("packed", packed), ("mirror", mirror)]
}

fn deep() -> Given<'static> {
    Given {
        deep: true,
        ..Given::default()
    }
}

#[test]
fn a_ref_whose_name_is_no_text_hides_neither_itself_nor_a_replaced_history() {
    let vault = Vault::with(2, 6);
    let tip = vault.target(&vault.audit());
    let stray = vault.copy();
    put_ref(&stray, b"refs/heads/x\xff", "main");
    for (what, vault) in shapes(&stray) {
        for given in [Given::default(), deep()] {
            let report = judge(&vault, &given);
            assert_caught(what, &report, &[(32, None)]);
            let [problem] = &report.problems[..] else {
                panic!("{what}: {:?}", report.problems)
            };
            assert!(problem.message.contains(r"`x\xff`"), "{what}: {}", problem.message);
        }
        assert_eq!(stray_refs(&vault.repo()).unwrap(), [r"refs/heads/x\xff"], "{what}");
    }
    let replaced = stray.copy();
    put_ref(&replaced, format!("refs/replace/{tip}").as_bytes(), "main");
    for (what, vault) in shapes(&replaced) {
        for given in [Given::default(), deep()] {
            assert_caught(what, &judge(&vault, &given), &[(30, None), (32, None)]);
        }
    }
    // Also where nothing but what replaces has such a name.
    let odd = vault.copy();
    put_ref(&odd, format!("refs/replace/{tip}").as_bytes(), "main");
    put_ref(&odd, b"refs/replace/\xff\xfe", "main");
    for (what, vault) in shapes(&odd) {
        assert_caught(what, &judge(&vault, &Given::default()), &[(30, None)]);
    }
    // In the rooms of a vault, and outside of all branches.
    for name in [
        format!("refs/heads/{}", vault.audit()),
        "refs/heads/audit/".into(),
        "refs/heads/notes/ab".into(),
        "refs/heads/witness/w".into(),
        "refs/tags/".into(),
    ] {
        let odd = vault.copy();
        put_ref(&odd, &[name.as_bytes(), b"\xc3("].concat(), "main");
        for (what, vault) in shapes(&odd) {
            let report = judge(&vault, &Given::default());
            assert_caught(&format!("{what}: {name}"), &report, &[(32, None)]);
            let told = format!(r"{}\xc3(`", name.trim_start_matches("refs/heads/"));
            assert!(
                report.problems.iter().any(|problem| problem.message.contains(&told)),
                "{what}: {told}: {:?}",
                report.problems
            );
        }
    }
    assert_intact("as it was", &vault, &deep());
}

#[test]
fn a_folder_of_refs_that_lies_elsewhere_is_told() {
    let vault = Vault::with(2, 6);
    let elsewhere = vault.dir().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("y"), format!("{}\n", vault.target("main"))).unwrap();
    std::os::unix::fs::symlink(&elsewhere, vault.dir().join("refs/heads/x")).unwrap();
    // Stock git follows it.
    assert!(vault.git(&["for-each-ref"]).contains("refs/heads/x/y"));
    assert_caught("a link", &judge(&vault, &Given::default()), &[(32, None)]);
}

#[test]
fn what_is_listed_and_what_is_read_has_the_same_name_and_the_name_git_knows() {
    let vault = Vault::with(2, 6);
    put_ref(&vault, b"refs/heads/audit/x\xff", "main");
    put_ref(&vault, "refs/heads/audit/x+\u{e4}".as_bytes(), "main");
    put_ref(&vault, b"refs/heads/y\xff", "main");
    let output = std::process::Command::new("git")
        .args(["ls-remote", "--quiet", "--refs"])
        .arg(vault.dir())
        .output()
        .unwrap();
    let listed = Elsewhere::sort(parse_list(&output.stdout).unwrap());
    assert_eq!(listed, Elsewhere::of(&vault.repo()).unwrap());
    let odd = [
        "refs/heads/audit/x+\u{e4}",
        r"refs/heads/audit/x\xff",
        r"refs/heads/y\xff",
    ];
    assert_eq!(listed.strays, odd);
    assert_eq!(listed.left_out(), odd[..2]);
}

#[test]
fn a_ref_whose_name_is_no_text_keeps_what_it_holds_and_is_named() {
    for packed in [false, true] {
        let mut vault = Vault::with(3, 6);
        let note = note(1);
        put_ref(
            &vault,
            b"refs/heads/x\xff",
            &format!("notes/{}", &note.to_string()[..2]),
        );
        if packed {
            vault.git(&["pack-refs", "--all"]);
        }
        assert_eq!(vault.destroy_beside(note), [r"refs/heads/x\xff"], "packed: {packed}");
        let output = std::process::Command::new("git")
            .arg("--git-dir")
            .arg(vault.dir())
            .args(["fsck", "--no-dangling"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn refs_whose_names_are_no_text_stop_no_merge() {
    let (mut a, mut b) = two();
    for vault in [&a, &b] {
        vault.cut();
        for room in ["audit/x", "notes/ab", "keys/", "witness/w", "main"] {
            put_ref(vault, &[b"refs/heads/", room.as_bytes(), b"\xff"].concat(), "main");
        }
    }
    write(&mut a, note(40), 1);
    write(&mut b, note(41), 1);
    merge(&mut a, &b);
    merge(&mut b, &a);
    assert_eq!(stray_refs(&a.repo()).unwrap().len(), 5);
    for vault in [&a, &b] {
        for room in ["notes/ab", "keys/"] {
            let name = [b"refs/heads/", room.as_bytes(), b"\xff"].concat();
            std::fs::remove_file(vault.dir().join(OsStr::from_bytes(&name))).unwrap();
        }
    }
    assert_eq!(exists(&a), exists(&b));
}
