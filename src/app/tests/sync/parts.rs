//! A transfer that breaks off: what was listed and did not come is neither gone nor judged.

use super::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Somebody for whom no transfer of these branches comes to its end.
fn torn<'a>(branches: &[String]) -> Sitting<'a> {
    Sitting {
        torn: branches.to_vec(),
        ..Sitting::default()
    }
}

#[track_caller]
fn assert_waits(computer: &Computer, world: &World, branches: &[String]) {
    let (before, own) = (world.refs(), computer.refs());
    let done = computer.sync_as(&torn(branches));
    assert_eq!(done.worst(), Some(Kind::Unknown), "{done:?}");
    assert!(done.problems.iter().all(|problem| problem.case.is_none()), "{done:?}");
    // Of logs that do not come the first is enough.
    for branch in branches.iter().take(1) {
        let named = |problem: &SyncProblem| problem.message.contains(&format!("`{branch}` did not come"));
        assert!(done.problems.iter().any(named), "{done:?}");
    }
    // Nothing is taken and nothing pushed, least of all as another history.
    assert_eq!((done.pushed, world.refs()), (0, before), "{done:?}");
    let logs = |refs: BTreeMap<String, String>| -> Vec<String> {
        refs.into_iter()
            .filter(|(name, _)| name.contains("audit"))
            .map(|(_, oid)| oid)
            .collect()
    };
    assert_eq!(logs(computer.refs()), logs(own), "{done:?}");
    computer.assert_intact();
}

#[test]
fn what_was_listed_and_did_not_come_is_neither_gone_nor_judged_and_all_of_it_waits() {
    let (world, a) = World::new();
    let (b, c) = (world.another("second"), world.another("third"));
    for each in [&a, &b, &a] {
        each.quiet_sync();
    }
    let note = c.add("of c");
    c.quiet_sync();
    b.quiet_sync();
    // Its entry has seen what the third wrote.
    b.add("of b");
    b.quiet_sync();
    a.add("of a");
    assert_waits(&a, &world, &[c.log_ref()]);
    assert_waits(&a, &world, &[b.log_ref()]);
    assert_waits(&a, &world, &[format!("refs/heads/notes/{}", &note[..2])]);
    assert_waits(&a, &world, &world.refs().into_keys().collect::<Vec<_>>());
    a.quiet_sync();
    assert_eq!(world.refs(), a.refs());
    assert_eq!(a.titles(), ["of a", "of b", "of c"]);
    a.assert_intact();
}

#[test]
fn members_do_not_come_without_the_log_that_changed_them_nor_that_without_them() {
    let (world, a) = World::new();
    let b = world.another("second");
    b.add("of b");
    b.quiet_sync();
    assert_waits(&a, &world, &[b.log_ref()]);
    assert_waits(&a, &world, &["refs/heads/main".to_owned()]);
    let done = a.quiet_sync();
    assert!(done.rules && a.titles() == ["of b"], "{done:?}");
    a.assert_intact();
}

#[test]
fn case_18_a_log_that_went_back_is_told_of_though_its_transfer_breaks_off() {
    let (world, a) = World::new();
    let (b, c) = (world.another("second"), world.another("third"));
    c.add("of c");
    for each in [&c, &b, &a] {
        each.quiet_sync();
    }
    let old = world.refs()[&c.log_ref()].clone();
    c.add("more of c");
    for each in [&c, &a, &b] {
        each.quiet_sync();
    }
    b.add("of b");
    b.quiet_sync();
    world.git(&["update-ref", &c.log_ref(), &old]);
    let done = a.sync_as(&torn(&[c.log_ref()]));
    let back = |problem: &SyncProblem| problem.case == Some(18) && problem.log == Some(c.log());
    assert_eq!(done.worst(), Some(Kind::Tampered), "{done:?}");
    assert!(done.problems.iter().any(back), "{done:?}");
    // And so where the branch is really gone while another does not come.
    world.git(&["update-ref", "-d", &c.log_ref()]);
    b.add("more of b");
    let _ = b.sync();
    world.git(&["update-ref", "-d", &c.log_ref()]);
    let done = a.sync_as(&torn(&[b.log_ref()]));
    assert!(done.problems.iter().any(back), "{done:?}");
    a.assert_intact();
}

#[test]
fn case_18_members_and_rules_that_went_back_are_told_of() {
    let (world, a) = World::new();
    let old = world.refs()["refs/heads/main"].clone();
    let b = world.another("second");
    for each in [&a, &b, &a] {
        each.quiet_sync();
    }
    assert_ne!(world.refs()["refs/heads/main"], old);
    world.git(&["update-ref", "refs/heads/main", &old]);
    let done = a.sync();
    let told: Vec<_> = done
        .problems
        .iter()
        .map(|problem| (problem.case, problem.log))
        .collect();
    assert_eq!(
        (done.worst(), told),
        (Some(Kind::Tampered), vec![(Some(18), None)]),
        "{done:?}"
    );
    // They are there again.
    for each in [&a, &b] {
        each.quiet_sync();
        each.assert_intact();
    }
}

/// Of what was stopped nothing is known: it is not taken for what came.
#[test]
fn what_does_not_fit_is_no_branch_that_came() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    b.add("of b");
    b.quiet_sync();
    let before = a.refs();
    for (witness, stops) in [
        (false, Stops::Apart),
        (false, Stops::Everywhere),
        (true, Stops::Apart),
        (true, Stops::Everywhere),
    ] {
        if witness {
            let tip = world.git(&["rev-parse", &b.log_ref()]);
            world.git(&["update-ref", "refs/heads/witness/zz", &tip]);
        }
        let person = Sitting {
            stops,
            ..torn(&[b.log_ref()])
        };
        let failed = a.sync_as(&person).failed.unwrap();
        assert_eq!(failed.kind, Kind::Failed, "{failed:?}");
        assert!(failed.message.contains("does not fit this disk"), "{failed:?}");
        assert_eq!(a.refs(), before);
    }
}

/// Each is written down, by the same clock.
#[test]
fn what_is_shown_twice_within_a_second_is_written_down_twice() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    let mut ends = Vec::new();
    for _ in 0..3 {
        // Whoever notices brings it there again.
        world.git(&["update-ref", "-d", &b.log_ref()]);
        let person = Sitting::default();
        let done = a.sync_as(&person);
        assert_eq!(
            (cases(&done), person.warned.take().len()),
            (vec![(Some(18), Kind::Tampered)], 0)
        );
        let name = done.evidence.unwrap().file_name().unwrap().to_owned();
        ends.extend(name.to_string_lossy().split_once('-').map(|(_, end)| end.to_owned()));
    }
    assert_eq!(ends, ["origin", "origin.2", "origin.3"]);
}

#[test]
fn strays_whose_names_are_no_text_stop_neither_a_sync_nor_a_clone() {
    let (world, a) = World::new();
    let main = world.git(&["rev-parse", "refs/heads/main"]);
    let strays = [
        ("refs/heads/audit/x+\u{e4}".as_bytes(), "refs/heads/audit/x+\u{e4}"),
        (b"refs/heads/audit/x\xff", r"refs/heads/audit/x\xff"),
        (b"refs/heads/y\xff", r"refs/heads/y\xff"),
    ];
    for (name, _) in strays {
        std::fs::write(world.hub().join(OsStr::from_bytes(name)), format!("{main}\n")).unwrap();
    }
    let named = strays.map(|(_, named)| named);
    a.add("of a");
    let done = a.sync();
    assert!(done.worst().is_none() && done.pushed > 0, "{done:?}");
    assert_eq!(done.strays, named);
    a.assert_intact();
    let other = world.computer("second");
    let cloned = clone_vault(&other.context(&Sitting::default()), &world.hub_url(), None).unwrap();
    assert_eq!(cloned.strays, named);
    other.assert_intact();
}
