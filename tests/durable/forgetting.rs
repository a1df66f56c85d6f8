//! What was destroyed, or sealed to a label before, lies nowhere on the disk: also after a kill at any step.

use crate::canary::unpacked;
use crate::house::{House, files, has, long, say, with_why};
use crate::kills::killed_at;
use std::process::Stdio;

/// The sealed files of a note, as stock git gives them.
fn ciphertext(house: &House, id: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for room in ["notes", "keys"] {
        let branch = format!("{room}/{}", &id[..2]);
        for line in house.git(&["ls-tree", &branch]).lines() {
            let (object, name) = line.split_once('\t').unwrap();
            if name.starts_with(id) {
                let mut git = house.program("git");
                git.env("GIT_DIR", house.vault())
                    .args(["cat-file", "blob", object.split(' ').nth(2).unwrap()]);
                let bytes = git.output().unwrap().stdout;
                assert!(bytes.len() > 150);
                all.push(bytes);
            }
        }
    }
    assert!(all.len() >= 2);
    all
}

/// Whether a part of any of them lies in the home, as it is or inflated.
fn lies_about(house: &House, sealed: &[Vec<u8>]) -> bool {
    let needles: Vec<&[u8]> = sealed.iter().map(|bytes| &bytes[bytes.len() - 64..]).collect();
    files(house.root()).into_iter().any(|path| {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        let held = |hay: &Vec<u8>| {
            let holds = |needle: &&[u8]| memchr::memmem::find(hay, needle).is_some();
            needles.iter().any(holds)
        };
        unpacked(bytes).iter().any(held)
    })
}

fn destroy(house: &House, id: &str) {
    house.run(&with_why(&["destroy", id, "--yes"])).expect(0);
}

#[test]
fn what_was_destroyed_lies_nowhere() {
    let house = House::new();
    let (loose, packed) = (
        house.add("Destroyed while loose."),
        house.add("Destroyed while packed."),
    );
    let kept = house.add("Kept.");
    let sealed = [&loose, &packed].map(|id| ciphertext(&house, id));
    assert!(lies_about(&house, &sealed[0]) && lies_about(&house, &sealed[1]));
    destroy(&house, &loose);
    assert!(!lies_about(&house, &sealed[0]));
    house.git(&["gc", "--quiet"]);
    assert!(lies_about(&house, &sealed[1]));
    destroy(&house, &packed);
    assert!(!lies_about(&house, &sealed[1]));
    house.git(&["gc", "--quiet", "--prune=now"]);
    assert!(!sealed.iter().any(|sealed| lies_about(&house, sealed)));
    assert_eq!(house.git(&["fsck", "--strict", "--unreachable", "--no-reflogs"]), "");
    assert_eq!(house.listed(), [kept]);
    house.intact();
}

#[test]
fn a_kill_at_any_step_of_destroying_is_made_good_at_the_next_start() {
    let house = House::new();
    let ids = house.fill(60, 1);
    let mut gone = 0;
    for (n, id) in ids.iter().enumerate() {
        let step = if long() { n + 1 } else { 2 * n + 1 };
        let sealed = ciphertext(&house, id);
        if n == 5 {
            house.git(&["gc", "--quiet"]);
        }
        if killed_at(&house, &with_why(&["destroy", id, "--yes"]), step).is_err() {
            assert!(!lies_about(&house, &sealed));
            house.intact();
            say(format_args!(
                "{n} kills while destroying; {gone} of these notes were gone at the next start"
            ));
            assert!(n > 5 && gone > 0 && gone < n);
            return;
        }
        house.intact();
        match house.listed().contains(id) {
            true => assert!(lies_about(&house, &sealed), "step {step}"),
            false => {
                assert!(!lies_about(&house, &sealed), "step {step}");
                gone += 1;
            }
        }
        assert!(!house.vault().join("strongroom.forgetting").exists());
        house.intact();
    }
    panic!("there were more steps than notes");
}

#[test]
fn a_kill_at_any_step_of_relabelling_leaves_the_note_under_one_label() {
    let house = House::new();
    let id = house.add("Between two labels.");
    let labels = ["confidential", "restricted"];
    let mut changed = 0;
    for n in 0.. {
        let step = if long() { n + 1 } else { 3 * n + 1 };
        let (before, target) = (label(&house, &id), labels[n % 2]);
        let sealed = ciphertext(&house, &id);
        let killed = killed_at(&house, &with_why(&["relabel", &id, target]), step);
        let now = label(&house, &id);
        if killed.is_err() || now != before {
            assert_eq!(now, target, "step {step}");
            assert!(!lies_about(&house, &sealed), "step {step}");
            changed += 1;
        }
        let shown = house.run(&with_why(&["show", &id])).expect(0);
        assert!(shown.contains("Between two labels."));
        house.intact();
        if killed.is_err() {
            assert!(n > 5 && changed > 1, "{n} {changed}");
            return;
        }
    }
}

fn label(house: &House, id: &str) -> String {
    let list = house.run(&["list", "--json"]).expect(0);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let note = list.as_array().unwrap().iter().find(|note| note["id"] == id).unwrap();
    note["label"].as_str().unwrap().to_owned()
}

/// What a command at a terminal comes to, where somebody types an answer: its exit code, and what was seen.
fn at_terminal(house: &House, arguments: &str, answer: &str) -> (Option<i32>, String) {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_strongroom"));
    let mut child = house
        .program("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{answer}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_person_is_asked_with_the_title_and_the_asking_is_on_record() {
    if !has("script") {
        return;
    }
    let house = House::new();
    let id = house.add("Quite a memorable title");
    let destroy = format!("destroy {id} --purpose erasure --why 'kept for two years'");
    let ask = |answer: &str| at_terminal(&house, &destroy, answer);
    let (code, seen) = ask("no");
    assert_eq!(code, Some(1), "{seen}");
    assert!(
        seen.contains("destroy `Quite a memorable title` (internal, 1 revision)?"),
        "{seen}"
    );
    assert!(seen.contains("nothing was destroyed"), "{seen}");
    assert_eq!(house.listed(), std::slice::from_ref(&id));
    let (code, seen) = ask("yes");
    assert_eq!(code, Some(0), "{seen}");
    assert!(house.listed().is_empty());
    let log = house.run(&["audit", "log", "--json"]).expect(0);
    assert_eq!(log.matches("\"verb\":\"destroy-ask\"").count(), 2);
}

#[test]
fn what_is_not_taken_back_is_asked_about_at_a_terminal() {
    if !has("script") {
        return;
    }
    let house = House::new();
    let entries = || {
        house
            .run(&["audit", "log", "--json"])
            .expect(0)
            .matches("conflict declare")
            .count()
    };
    let declare = "conflict declare --client Halcyon";
    let (code, seen) = at_terminal(&house, declare, "no");
    assert!(seen.contains("stay out of all that bears client `Halcyon`?"), "{seen}");
    assert!(code == Some(1) && seen.contains("nothing was declared"), "{seen}");
    assert_eq!(entries(), 0);
    let (code, seen) = at_terminal(&house, declare, "yes");
    assert_eq!((code, entries()), (Some(0), 1), "{seen}");
    let (code, seen) = at_terminal(&house, "member remove jon", "");
    assert!(seen.contains("end the membership of jon?"), "{seen}");
    assert!(code == Some(1) && seen.contains("nobody was removed"), "{seen}");
}

#[test]
fn all_revisions_go_together_as_far_as_one_entry_holds_them() {
    let house = House::new();
    let (some, many) = (house.revised(40), house.revised(200));
    let sealed = [&some, &many].map(|id| ciphertext(&house, id));
    assert_eq!((sealed[0].len(), sealed[1].len()), (80, 400));
    house.run(&with_why(&["relabel", &some, "confidential"])).expect(0);
    assert!(!lies_about(&house, &sealed[0]));
    assert_eq!(ciphertext(&house, &some).len(), 80);
    let shown = house.run(&with_why(&["show", &some, "--json"])).expect(0);
    assert!(
        shown.contains("body number 40") && shown.contains("\"revision\":40"),
        "{shown}"
    );
    let refused = house.run(&with_why(&["relabel", &many, "confidential"]));
    assert!(
        refused
            .err
            .contains("too large to be sealed anew at once (200 revisions)"),
        "{}",
        refused.err
    );
    refused.expect(1);
    assert_eq!(ciphertext(&house, &many), sealed[1]);
    destroy(&house, &many);
    assert!(!lies_about(&house, &sealed[1]));
    assert_eq!(house.listed(), [some]);
    house.intact();
}

/// The sealed files of a note, by git's names for them.
fn objects(house: &House, id: &str) -> Vec<String> {
    let mut all = Vec::new();
    for room in ["notes", "keys"] {
        let files = house.git(&["ls-tree", &format!("{room}/{}", &id[..2])]);
        let mine = files
            .lines()
            .filter(|line| line.split('\t').nth(1).unwrap().starts_with(id));
        all.extend(mine.map(|line| line.split([' ', '\t']).nth(2).unwrap().to_owned()));
    }
    all
}

/// Which of them git's store still holds.
fn objects_left(house: &House, objects: &[String]) -> Vec<String> {
    let here = house.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    objects
        .iter()
        .filter(|object| here.contains(object.as_str()))
        .cloned()
        .collect()
}

#[test]
fn attachments_go_along_to_another_label_and_nothing_of_the_old_is_left() {
    let house = House::new();
    let id = house.add("Between two labels.");
    let bytes: Vec<u8> = (0..(5u32 << 20))
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    // Outside the home, where they are not found as what they are.
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("card.bin");
    std::fs::write(&path, &bytes).unwrap();
    house.run(&["attach", &id, path.to_str().unwrap()]).expect(0);
    house
        .run(&["attach", &id, path.to_str().unwrap(), "--name", "again.bin"])
        .expect(0);
    let out = |name: &str| {
        let out = outside.path().join("out");
        let _ = std::fs::remove_file(&out);
        let extract = ["extract", &id, name, "--out", out.to_str().unwrap()];
        house.run(&with_why(&extract)).expect(0);
        assert!(std::fs::read(&out).unwrap() == bytes, "{name}");
    };
    let mut changed = 0;
    for (n, step) in [1, 6, 11, 15, 19, 23, 27, 31, 40, usize::MAX].into_iter().enumerate() {
        let (before, target) = (label(&house, &id), ["confidential", "restricted"][n % 2]);
        let sealed = objects(&house, &id);
        assert!(sealed.len() >= 10, "bodies, heads, wraps and parts");
        let killed = killed_at(&house, &with_why(&["relabel", &id, target]), step);
        let now = label(&house, &id);
        if killed.is_err() || now != before {
            assert_eq!(now, target, "step {step}");
            let left = objects_left(&house, &sealed);
            assert!(left.is_empty(), "step {step}: {left:?}");
            changed += 1;
        }
        house.intact();
        out("card.bin");
        out("again.bin");
    }
    assert!(changed > 1, "{changed}");
    house.git(&["fsck", "--strict", "--no-dangling"]);
}
