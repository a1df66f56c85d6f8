//! Withdrawals that a lead's device may not make, forged with its own keys and pushed with stock git.

use super::*;
use strongroom::chain::{Details, FileRef, Kind};
use strongroom::crypto::sha256;
use strongroom::env::SystemEntropy;
use strongroom::envelope::IdentityFile;
use strongroom::ledger::{Changes, Draft, Ledger, MAIN};
use strongroom::repo::{PATIENCE, Repo, Settings};
use strongroom::session::Identity;

const OWN: &str = "policies/templates/own.txt";

impl Computer {
    /// The same computer once more, to do wrong with.
    fn forger(&self, name: &str) -> Self {
        let root = self.root.with_file_name(name);
        let copied = Command::new("cp").arg("-a").args([&self.root, &root]).status().unwrap();
        assert!(copied.success());
        Self { root }
    }

    /// Enters whatever there is as a withdrawal.
    fn withdraw(&self, changes: Changes) {
        let places = Places::under(&self.root);
        let file = IdentityFile::parse(&std::fs::read(places.identity()).unwrap()).unwrap();
        let identity = Identity::unlock(&file, &Sitting.passphrase("").unwrap()).unwrap();
        let state = places.state(&identity.vault(), &identity.device());
        let repo = Repo::open(&self.vault(), Settings::of_this_run()).unwrap();
        let mut ledger = Ledger::start(&repo, &identity, &state, PATIENCE, None).unwrap();
        let draft = Draft::change(Kind::Withdraw, Details::new("withdraw"), Vec::new(), changes);
        let _ = ledger
            .record(draft, Time::from_unix(1_795_253_400), &mut SystemEntropy)
            .unwrap();
        ledger.cut().unwrap();
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        let output = command("git")
            .arg("-C")
            .arg(self.vault())
            .args(["cat-file", "blob", &format!("main:{path}")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{path}");
        output.stdout
    }

    fn file(&self, path: &str) -> FileRef {
        FileRef(MAIN.into(), path.into(), sha256(&[&self.bytes(path)]))
    }

    /// The newest card.
    fn card(&self) -> String {
        let vault = self.vault();
        let names = [
            "-C",
            vault.to_str().unwrap(),
            "ls-tree",
            "--name-only",
            "main",
            "members/",
        ];
        run("git", &names).lines().last().unwrap().to_owned()
    }

    fn edit_policy(&self, path: &str) {
        let new = NewPolicies::File {
            path: path.into(),
            content: path.as_bytes().to_vec(),
        };
        edit_policies(&self.context(), new, |_| Ok(true)).unwrap();
    }

    fn push(&self, world: &World, refspecs: &[&str]) -> Output {
        let own = Stranger {
            dir: self.vault(),
            hub: world.hub_url(),
        };
        own.push(refspecs)
    }
}

/// What is forgotten, and put back with the bytes that it has.
fn changes(of: &Computer, forgot: &[&str], wrote: &[&str]) -> Changes {
    let mut changes = Changes::default();
    forgot.iter().for_each(|path| changes.forget(of.file(path)));
    for path in wrote {
        changes.write(MAIN, *path, of.bytes(path));
    }
    changes
}

/// All that a vault has; files may have been forgotten, so that their branches go elsewhere than on.
const ALL: &[&str] = &["+refs/heads/*:refs/heads/*"];

#[test]
fn nobody_withdraws_but_what_is_theirs_and_what_nobody_else_has() {
    let (world, first) = World::new();
    first.sync();
    let second = world.another("second");
    second.edit_policy("templates/second.txt");
    second.sync();
    first.sync();
    let before_card = world.refs()["refs/heads/main"].clone();
    new_compartment(&first.context(), "Halcyon").unwrap();
    first.sync();
    first.edit_policy("templates/own.txt");
    first.sync();
    second.sync();
    let before = world.refs();
    let founder = first.card().split('-').nth(1).unwrap().to_owned();
    let founder = format!("members/0000-{founder}");
    let stranger = "takes back what its log did not write";
    let stood = "which stood on the branch `main`";
    let faulty = |name: &str, of: &Computer, forged: &[(&[&str], &[&str])], words: &[&str]| {
        let forger = of.forger(name);
        for (forgot, wrote) in forged {
            // What was taken back before is not there any more, and is named all the same.
            forger.withdraw(changes(of, forgot, wrote));
        }
        world.refused(&forger.push(&world, ALL), &before, &[36], words);
    };
    let card = first.card();
    faulty(
        "another's rules",
        &first,
        &[(&["policies/templates/second.txt"], &[])],
        &[stranger],
    );
    faulty("another's card", &second, &[(&[&card], &[])], &[stranger]);
    faulty("nothing", &first, &[(&[], &[])], &["takes nothing back"]);
    faulty("twice", &first, &[(&[OWN], &[]), (&[OWN], &[])], &[stranger]);
    faulty(
        "a card put back",
        &first,
        &[(&[OWN], &[&founder])],
        &["puts a card back"],
    );
    let page: &[&str] = &["README.md"];
    faulty(
        "a page put back",
        &first,
        &[(&[OWN], page)],
        &["puts back what its log did not forget"],
    );
    // A card that others have, whatever becomes of the branch that it stood on.
    faulty("a card that stood", &first, &[(&[&card], &[])], &[stood]);
    let forger = first.forger("a card that stood, with main as it was");
    forger.withdraw(changes(&first, &[&card], &[]));
    let log = first.log_ref();
    let put_back = forger.push(
        &world,
        &[&format!("{log}:{log}"), &format!("+{before_card}:refs/heads/main")],
    );
    world.refused(&put_back, &before, &[36], &["never rewritten or put back"]);
    world.refused(&forger.push(&world, &[&format!("{log}:{log}")]), &before, &[36], &[]);
    // Also one that came to that branch with the same push.
    let forger = first.forger("a card of this push");
    remove_remote(&forger.context(), ORIGIN).unwrap();
    new_compartment(&forger.context(), "Kestrel").unwrap();
    forger.withdraw(changes(&forger, &[&forger.card()], &[]));
    world.refused(&forger.push(&world, ALL), &before, &[36], &[stood]);
    // What is left of it all is sound: rules that the device itself had written.
    let honest = first.forger("honest");
    honest.withdraw(changes(&first, &[OWN], &[]));
    let taken = honest.push(&world, ALL);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
}

#[test]
fn who_is_no_lead_withdraws_nothing() {
    let (world, first) = World::new();
    first.edit_policy("templates/own.txt");
    first.sync();
    let jon = world.member("jon", &first);
    jon.sync();
    jon.titles();
    jon.sync();
    let before = world.refs();
    for (name, forgot) in [("rules", OWN), ("a card", &jon.card())] {
        let forger = jon.forger(name);
        forger.withdraw(changes(&jon, &[forgot], &[]));
        let words = ["takes back what its log did not write", "lead"];
        world.refused(&forger.push(&world, ALL), &before, &[36], &words);
    }
    jon.add("goes on");
    jon.sync();
}
