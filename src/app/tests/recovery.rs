//! The way back in, typed at a terminal.

use super::leaving::{Told, join};
use super::*;
use crate::envelope::KeyShare;
use crate::id::DeviceId;
use std::cell::Cell;

/// Somebody who types line by line, and remembers what they were told.
#[derive(Default)]
struct Typing {
    lines: RefCell<VecDeque<String>>,
    told: RefCell<Vec<String>>,
    /// How often a passphrase was asked for.
    passphrases: Cell<usize>,
}

impl Person for Typing {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        self.passphrases.set(self.passphrases.get() + 1);
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, text: &str) {
        self.told.borrow_mut().push(text.to_owned());
    }

    fn answers(&self) -> bool {
        true
    }

    fn line(&self, _prompt: &str) -> Option<String> {
        self.lines.borrow_mut().pop_front()
    }

    fn open(&self, path: &Path) -> Result<File, Error> {
        open_file(path)
    }

    fn files_in(&self, folder: &Path) -> Result<Vec<String>, Error> {
        list_files(folder)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, Error> {
        new_file(path)
    }
}

impl Vault {
    fn split(&self, need: u8, of: u8) -> Vec<Vec<String>> {
        let person = Scripted::deaf();
        let made = split_recovery(&self.context(&person, None, None), need, of, self.0.path()).unwrap();
        let rows = |page: &std::path::PathBuf| {
            let share = KeyShare::find(&std::fs::read_to_string(page).unwrap()).unwrap();
            share.to_rows().lines().map(str::to_owned).collect()
        };
        made.pages.iter().map(rows).collect()
    }

    fn lose_identity(&self) {
        std::fs::remove_file(self.context(&Scripted::deaf(), None, None).places.identity()).unwrap();
    }
}

#[test]
fn shares_are_typed_row_by_row_and_what_was_mistyped_is_asked_for_again() {
    let vault = Vault::new();
    let own = vault.add("named");
    let rows = vault.split(2, 3);
    vault.lose_identity();
    let mut lines = vec![rows[2][0].replacen(' ', " zooo ", 1), "abandon ability".to_owned()];
    lines.extend(rows[2].iter().map(|row| row.to_uppercase()));
    // Two rows of the other one change places: only the checksum tells.
    let mut wrong = rows[0].clone();
    wrong.swap(3, 4);
    lines.extend(wrong);
    lines.extend(rows[0].clone());
    let person = Typing {
        lines: RefCell::new(lines.into()),
        ..Typing::default()
    };
    let back = combine(&vault.context(&person, None, None), &[], false).unwrap();
    assert_eq!(back.handle, "mara");
    assert!(person.lines.borrow().is_empty());
    let told = person.told.borrow();
    assert_eq!(told.len(), 3, "{told:?}");
    for (told, words) in told
        .iter()
        .zip(["word 2 is none", "a row has 8 words", "checksum does not hold"])
    {
        assert!(told.contains(words), "{told}");
    }
    // Nothing of what was typed is said again.
    let typed: Vec<&str> = rows.iter().flatten().flat_map(|row| row.split(' ')).collect();
    assert!(
        !told
            .iter()
            .any(|told| told.split(' ').any(|word| word.len() > 5 && typed.contains(&word)))
    );
    let shown = vault.show(&Scripted::deaf(), Some("review"), Some("back in"), &own);
    assert!(shown.is_ok());
}

#[test]
fn who_comes_back_is_warned_of_nothing_that_is_not_so_and_told_of_devices_once() {
    let vault = Vault::new();
    declare_conflict(
        &vault.context(&Scripted::deaf(), None, Some("an aunt")),
        Some("Halcyon"),
        None,
    )
    .unwrap();
    let rows = vault.split(2, 2);
    for told in [
        "",
        "a further device of yours, ",
        "2 further devices of yours were admitted in these 7 days",
    ] {
        vault.lose_identity();
        let person = Typing {
            lines: RefCell::new(rows.concat().into()),
            ..Typing::default()
        };
        combine(&vault.context(&person, None, None), &[], false).unwrap();
        let all = person.told.borrow();
        assert_eq!(all.len(), usize::from(!told.is_empty()), "{all:?}");
        assert!(all.iter().all(|said| said.starts_with(told)), "{all:?}");
    }
    // What was declared bars them on the new device too.
    let person = Typing::default();
    list_conflicts(&vault.context(&person, None, None)).unwrap();
    assert!(person.told.borrow().iter().all(|said| !said.contains("conflict")));
}

#[test]
fn who_may_admit_no_device_is_told_so_before_a_passphrase_is_asked_for() {
    let vault = Vault::new();
    let rows = vault.split(2, 2);
    let jon = join(&vault, "jon", "restricted");
    let lead = || Rights {
        roles: vec![shared::Role::Lead],
        ..Rights::default()
    };
    // Else the founder alone holds the auditors' key, and stays.
    let both = Rights {
        roles: vec![shared::Role::Lead, shared::Role::Auditor],
        ..Rights::default()
    };
    change_member(&vault.context(&Told, None, None), "jon", &MemberChange::Grant(both)).unwrap();
    let change = |change: MemberChange| change_member(&jon.context(&Told, None, None), "mara", &change).unwrap();
    vault.lose_identity();
    let now = vault.context(&Told, None, None).now();
    let back = |later: i64| {
        let person = Typing {
            lines: RefCell::new(rows.concat().into()),
            ..Typing::default()
        };
        let mut context = vault.context(&person, None, None);
        context.clock = Clock::Fixed(Time::from_unix(now.unix() + later));
        let back = combine(&context, &[], false);
        let there = context.places.identity().exists();
        assert_eq!((person.passphrases.get() > 0, there), (back.is_ok(), back.is_ok()));
        back
    };
    let until = |until: i64| Rights {
        until: Some(Time::from_unix(now.unix() + until)),
        ..Rights::default()
    };
    for (taken, later, given, words, hint) in [
        (
            MemberChange::Pause,
            0,
            MemberChange::Resume,
            "is paused",
            "member resume mara",
        ),
        (
            MemberChange::Grant(until(60)),
            60,
            MemberChange::Grant(until(9000)),
            "is over",
            "member grant mara --until",
        ),
        (
            MemberChange::Revoke(lead()),
            0,
            MemberChange::Grant(lead()),
            "no lead any more",
            "--device-of mara",
        ),
    ] {
        let changed = change(taken);
        assert_eq!(changed.key_rests, later == 0, "{words}");
        let refused = back(later).err().unwrap();
        assert_eq!(refused.exit_code(), 3, "{refused}");
        assert!(
            refused.message.contains(words) && refused.hints[0].contains(hint),
            "{refused:?}"
        );
        assert!(!change(given).key_rests);
        assert_eq!(back(later).unwrap().handle, "mara");
        vault.lose_identity();
    }
    change(MemberChange::Remove);
    let refused = back(0).err().unwrap();
    assert_eq!(refused.exit_code(), 3, "{refused}");
    assert!(refused.message.contains("no member"), "{refused}");
}

#[test]
fn who_stops_typing_changes_nothing() {
    let vault = Vault::new();
    let rows = vault.split(2, 2);
    vault.lose_identity();
    for lines in [Vec::new(), rows[0].clone(), [&rows[0][..], &[String::new()]].concat()] {
        let person = Typing {
            lines: RefCell::new(lines.into()),
            ..Typing::default()
        };
        let refused = combine(&vault.context(&person, None, None), &[], false).err().unwrap();
        assert_eq!(refused.kind, Kind::Usage);
    }
    assert!(!vault.context(&Scripted::deaf(), None, None).places.identity().exists());
}

#[test]
fn a_page_that_cannot_be_written_makes_no_key() {
    let vault = Vault::new();
    let person = Scripted::deaf();
    std::fs::write(vault.0.path().join("share-2-of-2.txt"), "here").unwrap();
    let context = vault.context(&person, None, None);
    let refused = split_recovery(&context, 2, 2, vault.0.path()).err().unwrap();
    assert_eq!(refused.kind, Kind::Failed);
    assert!(!vault.0.path().join("share-1-of-2.txt").exists());
    let verbs: Vec<String> = vault
        .log(&LogQuery::default())
        .iter()
        .map(|line| line.verb().to_owned())
        .collect();
    assert_eq!(verbs, ["init", "audit log"]);
}

#[test]
fn the_mark_of_a_lost_identity_is_found_whatever_a_failed_return_left() {
    let vault = Vault::new();
    let person = Scripted::deaf();
    let context = vault.context(&person, None, None);
    let _ = vault.add("internal");
    let id = context.identity_file().unwrap().vault;
    vault.lose_identity();
    let found = || super::super::audit::local_state(&context, id);
    let own = context.places.states(&id);
    assert_eq!(found().into_iter().collect::<Vec<_>>(), own);
    std::fs::write(context.places.vault_state(&id).join("witness-mara"), "").unwrap();
    // Coming back in begins with a device of its own, which is thrown away where the key turns out to be wrong.
    let left = context.places.state(&id, &DeviceId([9; 8]));
    std::fs::create_dir_all(&left).unwrap();
    assert_eq!(found().into_iter().collect::<Vec<_>>(), own);
    // Of two that remember something none is meant.
    std::fs::copy(own[0].join("high-water"), left.join("high-water")).unwrap();
    assert_eq!(found(), None);
    std::fs::remove_file(left.join("high-water")).unwrap();
    std::fs::remove_file(own[0].join("high-water")).unwrap();
    assert_eq!(found(), None);
    std::fs::remove_dir(left).unwrap();
    assert_eq!(found().into_iter().collect::<Vec<_>>(), own);
}
