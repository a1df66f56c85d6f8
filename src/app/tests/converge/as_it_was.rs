//! What was rewritten on one computer, and had been gone on from on another.

use super::*;

/// A branch without what was destroyed is on the same day the commit that it was before that was written: another computer
/// has it among what it forgets, and others went on from it.
#[test]
fn a_branch_that_is_again_what_it_was_is_pushed_over_by_whoever_forgets_it() {
    let mut world = World::new(0);
    let note = |world: &World| {
        let text = TextFrom::Caller(Box::new(|| Ok(b"The gate is shut.".to_vec())));
        add(&world.at(MARA), plain_note("internal"), text).unwrap().id
    };
    let ids: Vec<NoteId> = (0..40).map(|_| note(&world)).collect();
    for id in &ids {
        relabel(&world.at(MARA), &id.to_string(), "confidential").unwrap();
    }
    // One on the same branch as one of them.
    let beside = |id: NoteId| Some((ids.iter().find(|known| known.0[0] == id.0[0])?, id));
    let (kept, gone) = (0..400).find_map(|_| beside(note(&world))).unwrap();
    let (kept, gone) = (kept.to_string(), gone.to_string());
    world.settle();
    let edit = |world: &World, seat: usize, words: &'static str| {
        let from = TextFrom::Caller(Box::new(|| Ok(words.as_bytes().to_vec())));
        edit(&world.at(seat), &kept, Change::default(), Some(from)).unwrap();
    };
    destroy(&world.at(2), &gone, None).unwrap();
    edit(&world, 2, "It is open.");
    world.sync(2);
    edit(&world, 1, "It is ajar.");
    world.sync(1);
    world.settle();
    for seat in [1, 2] {
        let revisions = history(&world.at(seat), &kept).unwrap();
        assert_eq!(
            revisions.iter().filter(|line| line.head).count(),
            2,
            "both edits are kept"
        );
        assert!(show(&world.at(seat), &gone, None).is_err());
    }
    git(&world.hub(), &["fsck", "--strict", "--no-dangling"]);
}
