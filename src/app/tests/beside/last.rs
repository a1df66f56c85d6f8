//! What two leads take from the last who held it, each without having heard of the other.

use super::*;

#[test]
fn the_auditors_key_is_not_lost_where_both_removed_the_last_auditor() {
    let world = World::new();
    let auditor = MemberChange::Grant(rights(None, &[Role::Auditor]));
    world.mara.change("kim", &auditor);
    world.settle();
    let both = [&world.jon, &world.mara];
    for computer in both {
        computer.seat.offline.set(true);
        computer.change("kim", &MemberChange::Remove);
        computer.seat.offline.set(false);
    }
    both.iter().for_each(|computer| computer.well());
    world.mara.change("jon", &auditor);
}
