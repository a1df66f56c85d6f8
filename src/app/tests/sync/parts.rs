//! A transfer that breaks off: what was listed and did not come is neither gone nor judged.

use super::*;

/// Somebody for whom no transfer of these branches comes to its end.
fn torn<'a>(branches: &[String]) -> Sitting<'a> {
    Sitting {
        torn: branches.to_vec(),
        ..Sitting::default()
    }
}

#[test]
fn a_log_that_was_listed_and_did_not_come_is_not_said_to_be_gone() {
    let (world, a) = World::new();
    let (b, c) = (world.another("second"), world.another("third"));
    for each in [&a, &b, &a] {
        each.quiet_sync();
    }
    c.add("of c");
    c.quiet_sync();
    b.quiet_sync();
    b.add("of b");
    b.quiet_sync();
    a.add("of a");
    let done = a.sync_as(&torn(&[c.log_ref()]));
    assert_eq!(done.worst(), Some(Kind::Unknown), "{done:?}");
    // What is here of it does not go there as another history of it.
    let forked = world.refs().into_keys().any(|name| name.contains("-fork-"));
    assert!(!forked && done.pushed > 0, "{done:?}");
    assert!(done.problems.iter().all(|problem| problem.case != Some(18)), "{done:?}");
    let named = |problem: &SyncProblem| problem.message.contains(&format!("`{}` did not come", c.log_ref()));
    assert!(done.problems.iter().any(named), "{done:?}");
    // What has seen more of it than is here waits: a verifier would miss the end of that log.
    let waits = |problem: &SyncProblem| problem.log == Some(b.log()) && problem.message.contains("than came");
    assert!(done.problems.iter().any(waits), "{done:?}");
    a.assert_intact();
    assert_eq!(a.titles(), ["of a"]);
    let _ = a.quiet_sync();
    assert_eq!(world.refs(), a.refs());
    assert_eq!(a.titles(), ["of a", "of b", "of c"]);
    a.assert_intact();
}

#[test]
fn members_do_not_come_without_the_log_that_changed_them() {
    let (world, a) = World::new();
    let b = world.another("second");
    b.add("of b");
    b.quiet_sync();
    let done = a.sync_as(&torn(&[b.log_ref()]));
    assert_eq!((done.worst(), done.rules), (Some(Kind::Unknown), false), "{done:?}");
    a.assert_intact();
    let done = a.quiet_sync();
    assert!(done.rules && a.titles() == ["of b"], "{done:?}");
    a.assert_intact();
}

#[test]
fn where_every_branch_breaks_off_nothing_is_judged_and_nothing_pushed() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    b.add("of b");
    b.quiet_sync();
    a.add("of a");
    let before = world.refs();
    let done = a.sync_as(&torn(&before.keys().cloned().collect::<Vec<_>>()));
    let failed = done.failed.as_ref().map(|error| error.message.clone());
    assert!(failed.is_some_and(|words| words.contains("did not come")), "{done:?}");
    assert!(done.problems.iter().all(|problem| problem.case.is_none()), "{done:?}");
    assert_eq!((done.pushed, world.refs()), (0, before));
    a.quiet_sync();
    assert_eq!(a.titles(), ["of a", "of b"]);
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
