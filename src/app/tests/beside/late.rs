//! What somebody wrapped anew who did not know that, by another lead's card, the entry that wrote it counts no more.

use super::*;
use std::collections::BTreeSet;

impl Computer {
    fn listed(&self) -> BTreeSet<String> {
        let lines = list(&self.at(), &ListQuery::default()).unwrap();
        lines.iter().map(|line| line.listed.note.to_string()).collect()
    }

    /// Nothing is wrong with a sync but that somebody wrote on, beyond what a card accepts.
    fn syncs(&self) {
        let done = self.sync();
        let beyond = done.problems.iter().all(|problem| problem.case == Some(14));
        let rests = done.failed.is_none() && done.held_back.is_empty() && done.strays.is_empty();
        assert!(beyond && rests, "{done:?} {:?}", self.seat.warned.borrow());
    }

    /// The cases of all that stands against it.
    fn wrong(&self) -> BTreeSet<u8> {
        let report = verify(&self.at(), None, &[], None, true).unwrap();
        assert!(report.findings.iter().all(|finding| finding.case != 34));
        report.told().iter().map(|problem| problem.case).collect()
    }

    fn main(&self) -> String {
        let repo = Repo::open(&self.at().places.vault(), Settings::of_this_run()).unwrap();
        repo.ref_target("refs/heads/main").unwrap().unwrap().to_string()
    }
}

/// One lead removes kim without knowing of her last note, and another, who knows of it, removes lou, for which that note is
/// wrapped anew.
#[test]
fn who_wrapped_anew_what_counts_no_more_is_kept_out_by_nobody() {
    for mara_is_first in [true, false] {
        let mut world = World::new();
        let (lou, request) = world.newcomer("lou");
        world.admits(&world.mara, request, "confidential", &[]);
        world.mara.well();
        lou.well();
        let early = world.kim.add("internal");
        world.settle();
        let late = world.kim.add("internal");
        world.kim.well();
        world.jon.well();
        assert!(world.jon.reads(&late));
        for computer in [&mut world.mara, &mut world.jon] {
            computer.now += 600;
            computer.seat.offline.set(true);
        }
        world.mara.change("kim", &MemberChange::Remove);
        world.jon.now += 60;
        world.jon.change("lou", &MemberChange::Remove);
        for computer in [&world.mara, &world.jon] {
            computer.seat.offline.set(false);
        }
        let (first, second) = match mara_is_first {
            true => (&world.mara, &world.jon),
            false => (&world.jon, &world.mara),
        };
        for _ in 0..3 {
            first.syncs();
            second.syncs();
        }
        // Who lacks what was cut off, and begins with what the others have.
        let (max, request) = world.newcomer("max");
        world.admits(first, request, "confidential", &[]);
        for computer in [first, &max, second] {
            computer.syncs();
        }
        // Where kim's card was made again upon the other's, all is accepted that had come until then.
        let listed = match mara_is_first {
            true => vec![early.clone()],
            false => vec![late.clone(), early.clone()],
        };
        for computer in [&world.mara, &world.jon, &max] {
            assert_eq!(computer.main(), first.main(), "{mara_is_first}");
            assert!(computer.card("kim").is_removed() && computer.card("lou").is_removed());
            assert_eq!(
                computer.listed(),
                BTreeSet::from_iter(listed.clone()),
                "{mara_is_first}"
            );
            let wrong = computer.wrong();
            assert!(wrong.iter().all(|case| *case == 14), "{mara_is_first} {wrong:?}");
            assert!(mara_is_first || wrong.is_empty(), "{wrong:?}");
        }
        // It is in nobody's way: not of another label, nor of new keys, nor of the end of a note.
        relabel(&second.at(), &early, "confidential").unwrap();
        second.syncs();
        first.syncs();
        let public = MemberChange::Revoke(rights(Some("public"), &[]));
        let revoked = change_member(&first.at(), "max", &public).unwrap();
        assert_eq!(revoked.rewrapped, listed.len());
        for computer in [second, first, second] {
            computer.syncs();
        }
        assert!(first.reads(&early) && second.reads(&early));
        for note in &listed {
            destroy(&first.at(), note, None).unwrap();
        }
        for computer in [first, second, first] {
            computer.syncs();
            assert!(computer.listed().is_empty());
        }
    }
}
