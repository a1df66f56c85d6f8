//! Anybody who can push can make branches of witnesses; of logs, members and files they say nothing, and so keep none of them
//! back.

use super::super::super::members::{Admission, admit};
use super::*;

const ZZ: &str = "refs/heads/witness/zz";

/// A branch of a witness that git takes from nobody.
fn break_witness(world: &World, branch: &str) {
    let path = world.0.path().join("commit");
    std::fs::write(&path, "").unwrap();
    let tree = world.git(&["hash-object", "-t", "tree", "-w", &path.display().to_string()]);
    let text = format!("tree {tree}\nauthor {branch}\ncommitter x\n\nx\n");
    std::fs::write(&path, text).unwrap();
    let file = path.display().to_string();
    let oid = world.git(&["hash-object", "-t", "commit", "--literally", "-w", &file]);
    world.git(&["update-ref", branch, &oid]);
}

#[test]
fn branches_of_witnesses_that_cannot_be_fetched_keep_nothing_else_back() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    b.quiet_sync();
    b.add("of b");
    b.quiet_sync();
    for n in 0..40 {
        break_witness(&world, &format!("refs/heads/witness/z{n}"));
    }
    a.add("of a");
    let done = a.sync();
    assert_eq!((done.worst(), done.entries), (Some(Kind::Failed), 1), "{done:?}");
    assert!(done.problems.iter().all(|problem| problem.case == Some(31)), "{done:?}");
    let own = a.log_ref();
    assert_eq!(world.refs().get(&own), a.refs().get(&own));
    assert_eq!(a.titles(), ["of a", "of b"]);
}

/// Such a device takes all that came, or nothing.
#[test]
fn a_witness_that_cannot_be_fetched_keeps_no_device_out() {
    let (world, a) = World::new();
    let (jon, second) = (world.computer("jon"), world.computer("second"));
    for computer in [&jon, &second] {
        clone_vault(&computer.context(&Sitting::default()), &world.hub_url(), None).unwrap();
    }
    let file = world.0.path().join("request");
    ask_for_membership(&jon.context(&Sitting::default()), "jon", &file, false).unwrap();
    let admission = Admission {
        file,
        clearance: Some("internal".into()),
        compartments: Vec::new(),
        roles: Vec::new(),
        until: None,
        device_of: None,
    };
    admit(&a.context(&Sitting::default()), &admission, &|_| Ok(())).unwrap();
    a.quiet_sync();
    break_witness(&world, ZZ);
    // Who joins.
    let done = jon.sync();
    assert!(done.failed.is_none(), "{done:?}");
    assert_eq!(cases(&done), [(Some(31), Kind::Failed)], "{done:?}");
    jon.add("of jon");
    assert_eq!(cases(&jon.sync()), [(Some(31), Kind::Failed)]);
    let own = jon.log_ref();
    assert_eq!(world.refs().get(&own), jon.refs().get(&own));
    // And who comes back in.
    let person = Sitting::default();
    recover(&second.context(&person), &world.0.path().join("key"), false).unwrap();
    assert_eq!(person.warned.take(), Vec::<String>::new());
    assert_eq!(second.refs().get(&own), jon.refs().get(&own));
    // And who has nothing yet.
    let late = world.computer("late");
    let person = Sitting::default();
    clone_vault(&late.context(&person), &world.hub_url(), None).unwrap();
    let warned = person.warned.take();
    assert!(
        warned.len() == 1 && warned[0].contains("what witnesses wrote was left out"),
        "{warned:?}"
    );
    recover(&late.context(&Sitting::default()), &world.0.path().join("key"), false).unwrap();
    assert_eq!(cases(&late.sync()), [(Some(31), Kind::Failed)]);
    late.assert_intact();
}

#[test]
fn a_witness_that_cannot_be_fetched_makes_one_log_that_lacks_a_file_no_reason_to_take_none() {
    let (world, a) = World::new();
    let (b, c) = (world.another("second"), world.another("third"));
    for each in [&a, &b, &c] {
        each.quiet_sync();
    }
    let lost = b.add("of b");
    b.quiet_sync();
    // In another branch of files than that one.
    while c.add("of c")[..2] == lost[..2] {}
    c.quiet_sync();
    world.git(&["update-ref", "-d", &format!("refs/heads/notes/{}", &lost[..2])]);
    break_witness(&world, ZZ);
    let done = a.sync();
    assert!(done.failed.is_none(), "{done:?}");
    let left_out: Vec<_> = done.problems.iter().filter_map(|problem| problem.log).collect();
    assert_eq!(left_out, [b.log()], "{done:?}");
    assert!(a.titles().contains(&"of c".to_owned()), "{:?}", a.titles());
}

#[test]
fn a_witness_of_which_nobody_sees_the_end_is_left_out_alone() {
    for stops in [Stops::Apart, Stops::Everywhere] {
        let (world, a) = World::new();
        let b = world.another("second");
        a.quiet_sync();
        b.add("of b");
        b.quiet_sync();
        let tip = world.git(&["rev-parse", &b.log_ref()]);
        for branch in [ZZ, "refs/heads/witness/yy"] {
            world.git(&["update-ref", branch, &tip]);
        }
        a.add("of a");
        let person = Sitting {
            torn: vec![ZZ.to_owned()],
            stops,
            ..Sitting::default()
        };
        let done = a.sync_as(&person);
        assert!(done.failed.is_none(), "{done:?}");
        assert_eq!(cases(&done), [(Some(31), Kind::Failed)], "{done:?}");
        assert_eq!(done.problems.len(), 2, "{done:?}");
        let warned = person.warned.take();
        assert!(
            warned.len() == 1 && warned[0].contains("does not fit this disk"),
            "{warned:?}"
        );
        let (own, refs) = (a.log_ref(), a.refs());
        assert_eq!(world.refs().get(&own), refs.get(&own));
        assert!(refs.keys().all(|name| !name.contains("witness")), "{refs:?}");
        assert_eq!(a.titles(), ["of a", "of b"]);
        // What is fetched: all of it, what is no witness's, and those once at most.
        let fetches = person.jobs.take().iter().filter(|job| **job == "fetch").count();
        assert!(fetches <= 4, "{fetches}");
    }
}
