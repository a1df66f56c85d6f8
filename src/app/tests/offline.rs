//! A cap on the time without a sync, at a computer with a remote, one without, and a clock that is turned back.

use super::super::members::{Admission, admit};
use super::super::policies::{NewPolicies, PolicyEdit, edit_policies};
use super::*;
use crate::chain::Time;
use crate::policy::LEVELS;
use std::cell::Cell;
use std::process::Command;

const BEGUN: i64 = 1_795_253_400;
const HOUR: i64 = 3600;

#[derive(Default)]
struct Seat {
    offline: Cell<bool>,
}

impl Person for Seat {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, _text: &str) {}

    fn answers(&self) -> bool {
        false
    }

    fn line(&self, _prompt: &str) -> Option<String> {
        None
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

    fn git(&self, job: &GitJob) -> Result<GitEnded, Error> {
        match self.offline.get() {
            false => run_git(job, false, &|_| {}),
            true => Ok(GitEnded {
                succeeded: false,
                stopped: false,
                output: Vec::new(),
                errors: b"no network".to_vec(),
            }),
        }
    }
}

struct Desk {
    folder: tempfile::TempDir,
    seat: Seat,
    now: Cell<i64>,
}

impl Desk {
    /// A vault of a founder with two notes; opened within three days after a sync is what is confidential.
    fn new() -> (Self, [String; 2]) {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            seat: Seat::default(),
            now: Cell::new(BEGUN),
        };
        let init = Init {
            name: "mara".into(),
            recovery_key: None,
            insist: false,
        };
        super::super::init(&desk.at("mara"), &init).unwrap();
        let levels = include_str!("../../../policies/levels.toml");
        let confidential = "name = \"confidential\"\n";
        let levels = levels.replace(confidential, &format!("{confidential}offline_at_most = \"72h\"\n"));
        let new = NewPolicies::File {
            path: LEVELS.to_owned(),
            content: levels.into_bytes(),
        };
        let edited = edit_policies(&desk.at("mara"), new, |_| Ok(true)).unwrap();
        assert!(matches!(edited, PolicyEdit::Done { .. }));
        let notes = ["confidential", "internal"].map(|label| desk.add(label));
        (desk, notes)
    }

    fn at(&self, who: &str) -> Context<'_> {
        Context {
            held: None,
            places: Places::under(&self.folder.path().join(who)),
            clock: Clock::Fixed(Time::from_unix(self.now.get())),
            source: None,
            person: &self.seat,
            access: Access::given(Some("safety".into()), Some("what is to be done".into())).unwrap(),
        }
    }

    fn add(&self, label: &str) -> String {
        let new = NewText {
            title: None,
            client: None,
            case: None,
            label: Some(label.into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let from = TextFrom::Caller(Box::new(|| Ok(b"The gate code is with the porter.".to_vec())));
        add(&self.at("mara"), new, from).unwrap().id.to_string()
    }

    fn hub(&self) -> String {
        let hub = self.folder.path().join("hub.git");
        let made = Command::new("git")
            .args(["init", "--quiet", "--bare"])
            .arg(&hub)
            .status();
        assert!(made.unwrap().success());
        hub.display().to_string()
    }

    fn later(&self, hours: i64) {
        self.now.set(self.now.get() + hours * HOUR);
    }

    /// Whether it opens, and if not that is the cap's doing.
    fn opens(&self, note: &str) -> bool {
        match show(&self.at("mara"), note, None) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind, Kind::Denied);
                assert!(error.message.contains("within 72h after a sync"), "{error}");
                false
            }
        }
    }

    fn sync(&self) -> bool {
        let done = sync(&self.at("mara"), None).unwrap();
        done.iter().all(|done| done.worst().is_none())
    }

    fn finds(&self) -> (usize, Option<String>) {
        let found = search(&self.at("mara"), "porter", &ListQuery::default()).unwrap();
        (found.lines.len(), found.shut_from)
    }
}

#[test]
fn notes_are_opened_for_so_long_after_a_sync_and_then_after_the_next() {
    let (desk, [note, wider]) = Desk::new();
    // A vault that has no other copy misses nothing.
    desk.later(1000);
    assert!(desk.opens(&note));
    assert_eq!(offline_caps(&desk.at("mara")).unwrap(), []);
    add_remote(&desk.at("mara"), ORIGIN, &desk.hub()).unwrap();
    assert!(!desk.opens(&note));
    assert!(desk.sync() && desk.opens(&note));
    desk.later(60);
    let left = offline_caps(&desk.at("mara")).unwrap();
    assert_eq!(left.iter().map(|cap| cap.left).collect::<Vec<_>>(), [Some(12 * HOUR)]);
    desk.later(12);
    assert!(desk.opens(&note));
    assert_eq!(desk.finds(), (2, None));
    desk.now.set(desk.now.get() + 1);
    assert!(!desk.opens(&note) && desk.opens(&wider));
    assert_eq!(desk.finds(), (1, Some("confidential".to_owned())));
    assert_eq!(offline_caps(&desk.at("mara")).unwrap()[0].left, None);
    assert_eq!(list(&desk.at("mara"), &ListQuery::default()).unwrap().len(), 2);
    // What is no exchange gives no time, and neither does it to remove the remote.
    desk.seat.offline.set(true);
    assert!(!desk.sync() && !desk.opens(&note));
    remove_remote(&desk.at("mara"), ORIGIN).unwrap();
    assert!(!desk.opens(&note));
    desk.seat.offline.set(false);
    let hub = desk.folder.path().join("hub.git").display().to_string();
    add_remote(&desk.at("mara"), ORIGIN, &hub).unwrap();
    assert!(desk.sync() && desk.opens(&note));
}

#[test]
fn a_clock_that_is_turned_back_gives_no_more_time() {
    let (desk, [note, _]) = Desk::new();
    add_remote(&desk.at("mara"), ORIGIN, &desk.hub()).unwrap();
    assert!(desk.sync());
    desk.later(80);
    assert!(!desk.opens(&note));
    // However often it is tried: each try is an entry with the wrong time.
    desk.later(-79);
    assert!(!desk.opens(&note) && !desk.opens(&note) && !desk.opens(&note));
    // A sync is one, whatever the clock says, and counts from the newest time that is known.
    assert!(desk.sync() && desk.opens(&note));
    desk.later(79 + 72);
    assert!(desk.opens(&note));
    desk.later(1);
    assert!(!desk.opens(&note));
}

#[test]
fn breaking_the_glass_is_not_stopped_by_the_time_offline() {
    let (desk, [note, _]) = Desk::new();
    let file = desk.folder.path().join("request");
    let hub = desk.hub();
    add_remote(&desk.at("mara"), ORIGIN, &hub).unwrap();
    assert!(desk.sync());
    clone_vault(&desk.at("jon"), &hub, None).unwrap();
    ask_for_membership(&desk.at("jon"), "jon", &file, false).unwrap();
    let admission = Admission {
        file,
        clearance: Some("confidential".into()),
        compartments: Vec::new(),
        roles: vec![shared::Role::Officer, shared::Role::BreakGlass],
        until: None,
        device_of: None,
    };
    admit(&desk.at("mara"), &admission, &|_| Ok(())).unwrap();
    sync(&desk.at("jon"), None).unwrap();
    assert!(show(&desk.at("jon"), &note, None).is_ok());
    let refused = break_glass(&desk.at("jon"), &note, Some("safety")).err().unwrap();
    assert!(refused.message.contains("`strongroom show` opens it"), "{refused}");
    desk.seat.offline.set(true);
    desk.later(73);
    assert_eq!(show(&desk.at("jon"), &note, None).err().unwrap().kind, Kind::Denied);
    let shown = break_glass(&desk.at("jon"), &note, Some("safety")).unwrap();
    assert!(shown.note.text().contains("porter"));
    // Who has not the role has no such way.
    assert_eq!(
        break_glass(&desk.at("mara"), &note, Some("safety"))
            .err()
            .unwrap()
            .exit_code(),
        3
    );
}
