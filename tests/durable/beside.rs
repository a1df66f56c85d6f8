//! kill -9 while what two leads changed side by side is brought together: the next sync goes on, and nothing is lost.

use crate::house::{House, Ran, copy_folder, long, say};
use std::collections::BTreeSet;
use std::path::Path;

const KEPT: [&str; 3] = ["data", "config", "state"];

/// What a home holds is put back to how it was kept.
fn put_back(home: &Path, kept: &Path) {
    for name in KEPT {
        let _ = std::fs::remove_dir_all(home.join(name));
        copy_folder(&kept.join(name), &home.join(name));
    }
}

/// Two leads, of whom each admitted somebody, and the second took something back and wrote a note; the first has synced.
fn two_leads() -> (House, House, String) {
    let (mara, jon) = (House::new(), House::empty());
    let hub = mara.root().join("hub.git");
    let hub = hub.to_str().unwrap();
    mara.git(&["init", "--quiet", "--bare", hub]);
    mara.run(&["remote", "add", hub]).expect(0);
    mara.run(&["sync"]).expect(0);
    let ask = |house: &House, name: &str| {
        let file = mara.root().join(format!("{name}.request"));
        let file = file.to_str().unwrap().to_owned();
        house
            .run(&["member", "request", "--name", name, "--out", &file])
            .expect(0);
        file
    };
    jon.run(&["clone", hub]).expect(0);
    let file = ask(&jon, "jon");
    let lead = ["--clearance", "restricted", "--role", "lead", "--role", "officer"];
    mara.run(&[&["member", "admit", &file][..], &lead].concat()).expect(0);
    jon.run(&["sync"]).expect(0);
    jon.run(&["sync"]).expect(0);
    let others = [House::empty(), House::empty()];
    for house in &others {
        house.run(&["clone", hub]).expect(0);
    }
    let [kim, lea] = [("kim", &others[0]), ("lea", &others[1])].map(|(name, house)| ask(house, name));
    mara.run(&["member", "admit", &kim, "--clearance", "confidential"])
        .expect(0);
    jon.run(&["sync"]).expect(0);
    for house in [&mara, &jon] {
        house.run(&["remote", "remove", "origin"]).expect(0);
    }
    mara.run(&["compartment", "new", "Halcyon"]).expect(0);
    jon.run(&["member", "admit", &lea, "--clearance", "internal"]).expect(0);
    jon.run(&["member", "revoke", "kim", "--clearance", "internal"])
        .expect(0);
    let note = jon
        .run(&["add", "--label", "confidential", "Gate 4 stays shut."])
        .expect(0);
    for house in [&mara, &jon] {
        house.run(&["remote", "add", hub]).expect(0);
    }
    mara.run(&["sync"]).expect(0);
    (mara, jon, note.trim().to_owned())
}

#[test]
fn a_kill_while_two_leads_are_brought_together_loses_nothing() {
    let (mara, jon, note) = two_leads();
    let kept = tempfile::tempdir().unwrap();
    let (hub, jons) = (kept.path().join("hub.git"), kept.path().join("jon"));
    std::fs::create_dir(&jons).unwrap();
    copy_folder(&mara.root().join("hub.git"), &hub);
    KEPT.iter()
        .for_each(|name| copy_folder(&jon.root().join(name), &jons.join(name)));
    let mut survived = 0;
    for step in (1..).step_by(if long() { 1 } else { 9 }) {
        std::fs::remove_dir_all(mara.root().join("hub.git")).unwrap();
        copy_folder(&hub, &mara.root().join("hub.git"));
        put_back(jon.root(), &jons);
        let mut sync = jon.command(&["sync"]);
        sync.env("STRONGROOM_TEST_KILL_AT", step.to_string());
        let done = Ran::from(sync.output().unwrap()).code.is_some();
        jon.intact();
        jon.run(&["sync"]).expect(0);
        jon.intact();
        let members = jon.run(&["member", "list", "--json"]).expect(0);
        for whole in ["\"kim\"", "\"lea\""] {
            assert!(members.contains(whole), "{step}: {members}");
        }
        assert!(BTreeSet::from_iter(jon.listed()).contains(&note), "{step}");
        assert!(!jon.state().join("withdrawn").exists(), "{step}");
        if done {
            break;
        }
        survived += 1;
    }
    mara.run(&["sync"]).expect(0);
    mara.intact();
    assert!(mara.listed().contains(&note));
    say(format_args!(
        "{survived} kills while two leads were brought together survived"
    ));
    assert!(survived > 3);
}
