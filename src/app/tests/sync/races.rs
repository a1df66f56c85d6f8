//! Several computers that push at the same moment.

use super::*;

#[test]
fn who_is_overtaken_by_another_push_fetches_and_pushes_again() {
    let (world, a) = World::new();
    let note = a.add("first");
    a.quiet_sync();
    let b = world.another("second");
    a.quiet_sync();
    a.edit(&note, "mine");
    let count = Cell::new(0);
    let overtake = || {
        count.set(count.get() + 1);
        b.edit(&note, &format!("theirs {}", count.get()));
        b.sync();
    };
    let person = Sitting {
        meanwhile: Some(&overtake),
        times: Cell::new(2),
        ..Sitting::default()
    };
    let done = a.sync_as(&person);
    assert_eq!((done.worst(), count.get()), (None, 2), "{done:?}");
    assert_eq!((done.entries, person.warned.take()), (4, Vec::<String>::new()));
    b.quiet_sync();
    assert_eq!((a.refs(), b.refs()), (world.refs(), world.refs()));
    // Two heads: what each wrote is kept.
    let shown = history(&a.context(&Sitting::default()), &note).unwrap();
    assert_eq!(shown.len(), 4);
    // Not for ever.
    a.edit(&note, "mine again");
    let person = Sitting {
        meanwhile: Some(&overtake),
        times: Cell::new(100),
        ..Sitting::default()
    };
    let done = a.sync_as(&person);
    assert_eq!(done.worst(), Some(Kind::Failed));
    assert!(done.failed.unwrap().message.contains("others keep pushing"));
    a.quiet_sync();
    b.quiet_sync();
    assert_eq!(a.refs(), b.refs());
}

/// Git locks each branch that it moves, and says no to whoever comes meanwhile, though nothing has changed yet.
#[test]
fn who_meets_a_push_that_has_not_ended_tries_again_and_not_for_ever() {
    let (world, a) = World::new();
    a.add("first");
    let audit = world.hub().join(format!("{}.lock", a.log_ref()));
    let turn = || match audit.exists() {
        false => drop(File::create(&audit).unwrap()),
        true => std::fs::remove_file(&audit).unwrap(),
    };
    let person = Sitting {
        meanwhile: Some(&turn),
        times: Cell::new(2),
        ..Sitting::default()
    };
    let done = a.sync_as(&person);
    assert_eq!((done.worst(), person.warned.take()), (None, Vec::new()), "{done:?}");
    let pushes = |person: &Sitting<'_>| person.jobs.take().iter().filter(|job| **job == "push").count();
    assert_eq!(pushes(&person), 2);
    assert_eq!(a.refs(), world.refs());
    // One that was left behind by a git that died.
    a.add("second");
    File::create(&audit).unwrap();
    let person = Sitting::default();
    let failed = a.sync_as(&person).failed.unwrap();
    assert_eq!((failed.kind, pushes(&person)), (Kind::Failed, 3));
    assert!(failed.message.contains("the remote takes nothing"), "{failed:?}");
    std::fs::remove_file(&audit).unwrap();
    a.quiet_sync();
    assert_eq!(a.refs(), world.refs());
}

/// A clone that lacks what others changed is brought up to date before somebody comes back in on it.
#[test]
fn who_comes_back_in_on_an_old_clone_has_what_others_changed_first() {
    let (world, a) = World::new();
    let (b, c) = (world.computer("second"), world.computer("third"));
    let person = Sitting::default();
    for computer in [&b, &c] {
        clone_vault(&computer.context(&person), &world.hub_url(), None).unwrap();
    }
    let change = |name: &str| drop(new_compartment(&a.context(&Sitting::default()), name).unwrap());
    change("Halcyon");
    let key = world.0.path().join("key");
    recover(&b.context(&person), &key, false).unwrap();
    assert_eq!(person.warned.take(), Vec::<String>::new());
    b.quiet_sync();
    let known = list_compartments(&b.context(&Sitting::default())).unwrap();
    assert_eq!(known.len(), 1);
    a.quiet_sync();
    b.assert_intact();
    // Where nobody answers that is said, and what comes of it, and how to get on.
    let away = world.0.path().join("away.git");
    std::fs::rename(world.hub(), &away).unwrap();
    recover(&c.context(&person), &key, false).unwrap();
    let warned = person.warned.take();
    assert!(
        warned
            .iter()
            .any(|text| text.contains("the remote `origin` was not followed")),
        "{warned:?}"
    );
    std::fs::rename(&away, world.hub()).unwrap();
    let done = c.sync();
    assert_eq!(done.worst(), Some(Kind::Unknown), "{done:?}");
    let told = &done.problems[0].message;
    assert!(
        told.contains("Come back in once more") && told.contains("strongroom clone"),
        "{told}"
    );
    // And so it is done.
    std::fs::rename(&c.root, world.0.path().join("aside")).unwrap();
    clone_vault(&c.context(&person), &world.hub_url(), None).unwrap();
    recover(&c.context(&person), &key, false).unwrap();
    c.quiet_sync();
    c.assert_intact();
    a.quiet_sync();
}

/// Whoever is killed or cut off while it pushes does not learn whether the other side took it.
#[test]
fn what_is_to_be_pruned_is_on_record_before_anything_is_pushed() {
    let (_world, a) = World::new();
    let gone = a.add("gone");
    a.quiet_sync();
    a.destroy(&gone);
    let state = || {
        let file = a.context(&Sitting::default()).identity_file().unwrap();
        Places::under(&a.root).state(&file.vault, &file.device)
    };
    let seen = Cell::new(0);
    let look = || seen.set(super::super::super::pruning::unpruned(&state()).unwrap().len());
    let person = Sitting {
        meanwhile: Some(&look),
        times: Cell::new(1),
        ..Sitting::default()
    };
    assert_eq!(a.sync_as(&person).worst(), None);
    assert_eq!(seen.get(), 1);
}
