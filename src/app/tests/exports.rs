//! What leaves for good: who may, in which order, and what is left where it goes wrong.

use super::leaving::{Told, join};
use super::*;
use std::cell::Cell;

/// Somebody whose disk is full after so many files, and who looks at the log when the first one is begun.
struct Short<'v> {
    vault: &'v Vault,
    room: usize,
    /// How many files were begun.
    begun: std::rc::Rc<Cell<usize>>,
    /// The last action in the log when the first was.
    before: std::rc::Rc<RefCell<Option<String>>>,
}

impl Person for Short<'_> {
    fn passphrase(&self, prompt: &str) -> Result<shared::Passphrase, Error> {
        Told.passphrase(prompt)
    }

    fn warn(&self, text: &str) {
        panic!("{text}");
    }

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

    fn create_folder(&self, path: &Path) -> Result<Box<dyn NewFolder>, Error> {
        Ok(Box::new(ShortFolder {
            folder: new_folder(path)?,
            room: self.room,
            begun: self.begun.clone(),
            before: self.before.clone(),
            places: Places::under(self.vault.0.path()),
        }))
    }
}

struct ShortFolder {
    folder: Box<dyn NewFolder>,
    room: usize,
    begun: std::rc::Rc<Cell<usize>>,
    before: std::rc::Rc<RefCell<Option<String>>>,
    places: Places,
}

impl NewFolder for ShortFolder {
    fn file(&self, below: &str) -> Result<File, Error> {
        if self.begun.get() == 0 {
            // Nobody holds the vault while files are written.
            let repo = crate::repo::Repo::open(&self.places.vault(), crate::repo::Settings::of_this_run()).unwrap();
            drop(repo.lock(std::time::Duration::ZERO).unwrap());
            let mut last = None;
            let context = Context {
                held: None,
                places: self.places.clone(),
                clock: Clock::Fixed(Time::from_unix(1_795_253_400)),
                source: None,
                person: &Told,
                access: Access::default(),
            };
            let show = &mut |_, line: LogLine| {
                last = Some(line.verb().to_owned())
                    .filter(|verb| verb != "audit log")
                    .or(last.take());
                Ok(())
            };
            log(&context, &LogQuery::default(), show).unwrap();
            *self.before.borrow_mut() = last;
        }
        self.begun.set(self.begun.get() + 1);
        match self.begun.get() > self.room {
            true => Err(Error::new(Kind::Failed, "no space left")),
            false => self.folder.file(below),
        }
    }

    fn keep(self: Box<Self>) -> Result<(), Error> {
        self.folder.keep()
    }
}

fn of_client(vault: &Vault, label: &str, text: &'static str) -> String {
    let new = NewText {
        title: None,
        client: Some("Halcyon".into()),
        case: Some("K-7".into()),
        label: Some(label.into()),
        at: None,
        fields: Vec::new(),
        template: None,
    };
    let text = TextFrom::Caller(Box::new(|| Ok(text.as_bytes().to_vec())));
    add(&vault.context(&Told, None, None), new, text)
        .unwrap()
        .id
        .to_string()
}

fn query(vault: &Vault, which: Which) -> PackQuery {
    PackQuery {
        which,
        to: vec!["Crown Court".into()],
        notice: None,
        receipt: None,
        out: vault.0.path().join("pack"),
    }
}

fn case() -> Which {
    Which {
        case: Some("k-7".into()),
        ..Which::default()
    }
}

fn named(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name == "pack" || name.starts_with(".strongroom"))
        .collect()
}

#[test]
fn the_entry_stands_before_the_first_byte_and_nothing_half_remains() {
    let vault = Vault::new();
    of_client(&vault, "restricted", "The gate was shut.");
    of_client(&vault, "internal", "The torch is wet.");
    for room in [0, 1, 5, 9, 1000] {
        let (begun, before) = Default::default();
        let person = Short {
            vault: &vault,
            room,
            begun,
            before,
        };
        let done = export_pack(
            &vault.context(&person, Some("legal"), Some("an order")),
            &query(&vault, case()),
        );
        assert_eq!(person.before.borrow().as_deref(), Some("export pack"));
        assert_eq!(done.is_ok(), room == 1000, "{room}");
        assert_eq!(named(vault.0.path()).len(), usize::from(room == 1000), "{room}");
        if let Ok(pack) = done {
            assert_eq!((pack.notes, pack.texts, pack.attachments, pack.closed), (2, 2, 0, 0));
        }
    }
    let lines = vault.log(&LogQuery {
        action: Some("export pack".into()),
        ..LogQuery::default()
    });
    let details = lines.iter().map(|line| line.details.as_ref().unwrap());
    assert_eq!(lines.len(), 5);
    for (line, details) in lines.iter().zip(details) {
        assert_eq!(
            (line.notes.len(), &details.recipients[..]),
            (2, &["Crown Court".to_owned()][..])
        );
        assert!(details.left.is_some() && details.client.as_deref() == Some("Halcyon"));
    }
}

#[test]
fn a_pack_is_for_who_may_export_and_of_what_they_may_read() {
    let vault = Vault::new();
    let note = of_client(&vault, "restricted", "The gate was shut.");
    let of = |place: &Vault, purpose, reason, which| {
        export_pack(&place.context(&Told, purpose, reason), &query(place, which))
    };
    let refused = |place: &Vault, purpose, reason, which| {
        let error = of(place, purpose, reason, which).err().unwrap();
        assert_eq!(named(place.0.path()), Vec::<String>::new(), "{error:?}");
        error
    };
    // A lead gives a purpose and a reason, as for reading; of a case nothing is left out for want of them.
    for (purpose, reason) in [(None, Some("an order")), (Some("legal"), None)] {
        let error = refused(&vault, purpose, reason, case());
        assert!(
            error.kind == Kind::Denied && error.message.starts_with("denied: say "),
            "{error:?}"
        );
    }
    let error = refused(&vault, Some("legal"), Some("an order"), Which::default());
    assert_eq!(error.kind, Kind::Denied);
    let ids = |id: &str| Which {
        ids: vec![id.to_owned()],
        ..Which::default()
    };
    let error = refused(&vault, Some("legal"), Some("an order"), ids("00000000"));
    assert_eq!(error, Error::no_such_note("00000000"));
    // An officer works with notes and gives none out; of what they may not read they hear nothing.
    let jon = join(&vault, "jon", "restricted");
    let error = refused(&jon, Some("legal"), Some("an order"), ids(&note));
    assert!(
        error.message.contains("no rule of this vault permits you to `export`"),
        "{error:?}"
    );
    let kim = join(&vault, "kim", "internal");
    let error = refused(&kim, Some("legal"), Some("an order"), ids(&note));
    assert_eq!(error, Error::no_such_note(&note));
    let error = refused(&kim, Some("legal"), Some("an order"), case());
    assert!(
        error.message.starts_with("no such note that you may export"),
        "{error:?}"
    );
    // Who declared a conflict has no such client any more.
    declare_conflict(&vault.context(&Told, None, Some("an aunt")), Some("Halcyon"), None).unwrap();
    let error = refused(&vault, Some("legal"), Some("an order"), case());
    assert!(
        error.message.starts_with("no such note that you may export"),
        "{error:?}"
    );
    let lines = vault.log(&LogQuery {
        result: Some(shared::Outcome::Denied),
        ..LogQuery::default()
    });
    assert_eq!(lines.iter().filter(|line| line.verb() == "export-read").count(), 8);
}

/// All that stands in the files of a folder.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => text.push_str(&all_text(&path)),
            false => text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap())),
        }
    }
    text
}

#[test]
fn a_subject_is_told_what_the_teller_may_read_and_who_was_given_it() {
    let vault = Vault::new();
    of_client(&vault, "restricted", "Lena Hauk was followed by a grey van.");
    of_client(&vault, "internal", "Lena Hauk and Tomas Brandt asked for a torch.");
    let told = |place: &Vault, name: &str, redact: Option<&str>| {
        let query = SubjectQuery {
            client: None,
            person: Some("Lena Hauk".into()),
            all_revisions: false,
            redact: redact.map(str::to_owned),
            allow: Vec::new(),
            to: Vec::new(),
            notice: None,
            out: place.0.path().join(name),
        };
        let context = place.context(&Told, Some("client-request"), Some("she asked"));
        let told = export_subject(&context, &query).unwrap();
        (told, all_text(&place.0.path().join(name)))
    };
    export_pack(
        &vault.context(&Told, Some("legal"), Some("an order")),
        &query(&vault, case()),
    )
    .unwrap();
    let (all, text) = told(&vault, "all", None);
    assert_eq!((all.notes, all.disclosures, all.closed), (2, 1, 0));
    assert!(
        text.contains("grey van") && text.contains("Crown Court,export pack,legal") && text.contains("Tomas Brandt")
    );
    // A lead who may not read one of them tells of the other, and of that nothing.
    let kim = join(&vault, "kim", "internal");
    let lead = MemberChange::Grant(Rights {
        roles: vec![shared::Role::Lead],
        ..Rights::default()
    });
    change_member(&vault.context(&Told, None, Some("stands in")), "kim", &lead).unwrap();
    let (some, text) = told(&kim, "some", Some("no-names"));
    assert_eq!((some.notes, some.left_out), (1, 0));
    assert!(text.contains("Lena Hauk and Person A asked for a torch."), "{text}");
    assert!(
        !text.contains("van") && !text.contains("Brandt") && !text.contains("restricted"),
        "{text}"
    );
}

#[test]
fn what_may_leave_in_clear_is_asked_again_once_the_person_has_answered() {
    let vault = Vault::new();
    let note = of_client(&vault, "internal", "The torch is wet.");
    let set = |level: &str| {
        let folder = changed_policies(&vault, |path, text| match path == crate::policy::LEVELS {
            true => format!("[defaults]\nclear_export = \"{level}\"\n\n{text}"),
            false => text.to_owned(),
        });
        let deaf = Scripted::deaf();
        let edited = edit_policies(&vault.context(&deaf, None, None), NewPolicies::Folder(folder), |_| {
            Ok(true)
        });
        assert!(matches!(edited, Ok(PolicyEdit::Done { .. })));
    };
    set("internal");
    let leave = |name: &str, confirm: ConfirmClear<'_>| {
        let query = NotesQuery {
            which: Which {
                ids: vec![note.clone()],
                ..Which::default()
            },
            format: NotesFormat::Folder,
            to: vec!["the gate".into()],
            out: vault.0.path().join(name),
        };
        let context = vault.context(&Told, Some("handover"), Some("moving"));
        export_notes(&context, &query, confirm)
    };
    assert_eq!(leave("allowed", &|_| Ok(())).unwrap().notes, 1);
    let refused = leave("refused", &|_| {
        set("public");
        Ok(())
    });
    let refused = refused.err().unwrap();
    assert_eq!(refused.kind, Kind::Denied, "{refused}");
    assert!(!vault.0.path().join("refused").exists());
    let (verb, _, _, result) = vault.last();
    assert_eq!((verb.as_str(), result), ("export notes", "denied"));
}

/// A note of a client's, with a field.
fn noted(vault: &Vault, client: &str, text: &'static str, field: (&str, &str)) -> String {
    let new = NewText {
        title: None,
        client: Some(client.into()),
        case: Some("the Okonjo-Vale matter".into()),
        label: Some("internal".into()),
        at: None,
        fields: vec![(field.0.to_owned(), field.1.to_owned())],
        template: None,
    };
    let text = TextFrom::Caller(Box::new(|| Ok(text.as_bytes().to_vec())));
    let context = vault.context(&Told, None, None);
    add(&context, new, text).unwrap().id.to_string()
}

/// Tells a subject of their notes; gives what was said of it and all that stands in the answer, its file names too.
fn tell(place: &Vault, out: &str, with: impl FnOnce(&mut SubjectQuery)) -> (ExportedSubject, String) {
    let mut query = SubjectQuery {
        client: None,
        person: None,
        all_revisions: true,
        redact: None,
        allow: Vec::new(),
        to: Vec::new(),
        notice: None,
        out: place.0.path().join(out),
    };
    with(&mut query);
    let context = place.context(&Told, Some("client-request"), Some("she asked"));
    let told = export_subject(&context, &query).unwrap();
    (told, all_text(&query.out))
}

#[test]
fn of_clients_a_subject_is_told_their_own_name_alone_where_others_are_left_unnamed() {
    let vault = Vault::new();
    let driven = noted(
        &vault,
        "Ms Adaeze Okonjo-Vale",
        "Lena Hauk drove Ms Adaeze Okonjo-Vale to the clinic.",
        ("Okonjo-Vale drove", "Adaeze"),
    );
    noted(
        &vault,
        "Halcyon",
        "The halcyon file: Lena Hauk comes at noon.",
        ("gate", "4"),
    );
    noted(
        &vault,
        "Jonas Hauk",
        "Lena Hauk called Jonas Hauk twice.",
        ("told-by", "jonas"),
    );
    let file = vault.0.path().join("Okonjo-Vale.txt");
    std::fs::write(&file, "Adaeze Okonjo-Vale").unwrap();
    attach(&vault.context(&Told, None, None), &driven, "Okonjo-Vale.txt", || {
        open_file(&file)
    })
    .unwrap();
    // What was given to the client is told to who was named in the same note.
    tell(&vault, "hers", |query| {
        query.client = Some("ms adaeze OKONJO-VALE".into());
        query.to = vec!["Ms Okonjo-Vale".into()];
    });
    let context = vault.context(&Told, Some("legal"), Some("an order"));
    let one = Which {
        ids: vec![driven],
        ..Which::default()
    };
    export_pack(&context, &query(&vault, one)).unwrap();
    for (before, profile) in [(2, "no-names"), (3, "strict")] {
        let (told, text) = tell(&vault, profile, |query| {
            query.person = Some("Lena Hauk".into());
            query.redact = Some(profile.into());
        });
        assert_eq!((told.notes, told.left_out, told.disclosures), (3, 1, before));
        let small = text.to_lowercase();
        for name in ["adaeze", "okonjo", "halcyon", "jonas"] {
            assert!(!small.contains(name), "{profile}: {name} in {text}");
        }
        assert_eq!(text.matches("- client: another client\n").count(), 3, "{text}");
        assert!(text.contains("Lena Hauk called"), "{text}");
        assert!(text.contains(",Crown Court,export pack,legal,"), "{text}");
    }
    // A client's own notes have their name, however it was typed.
    let (_, text) = tell(&vault, "own", |query| {
        query.client = Some("ms adaeze okonjo-vale".into());
        query.redact = Some("no-names".into());
    });
    assert!(text.contains("- client: Ms Adaeze Okonjo-Vale\n"), "{text}");
    assert!(text.contains(",Ms Okonjo-Vale,export subject,"), "{text}");
    assert!(!text.contains("Hauk"), "{text}");
}

#[test]
fn that_nobody_was_given_anything_is_said_by_who_sees_the_whole_log() {
    let vault = Vault::new();
    let note = noted(&vault, "Halcyon", "The torch is wet.", ("gate", "4"));
    let kim = join(&vault, "kim", "internal");
    let lead = MemberChange::Grant(Rights {
        roles: vec![shared::Role::Lead],
        ..Rights::default()
    });
    change_member(&vault.context(&Told, None, Some("stands in")), "kim", &lead).unwrap();
    let mut n = 0;
    let mut told = |place: &Vault| {
        n += 1;
        tell(place, &n.to_string(), |query| query.client = Some("Halcyon".into()))
    };
    // Who has the auditors' key knows.
    let (whole, text) = told(&vault);
    assert_eq!((whole.disclosures, whole.unopened, whole.closed), (0, 0, 0));
    assert!(text.contains("given out: so far to nobody |"), "{text}");
    // That gave the note out, and kim sees no more of it than that mara read something.
    let (some, text) = told(&kim);
    let before = some.unopened;
    assert!(before > 0 && some.disclosures == 0);
    let words = format!("given out: at least 0 times; {before} of the entries in the log did not open");
    assert!(text.contains(&words) && !text.contains("nobody"), "{text}");
    // Of a brief neither the draft nor what it was made of can be seen, and so not that it was given out.
    let draft = DraftQuery {
        sources: vec![note],
        profile: "no-names".into(),
        audience: None,
        mask: Vec::new(),
        allow: Vec::new(),
        length: None,
        by_case: false,
        format: None,
    };
    let context = vault.context(&Told, Some("handover"), Some("the day shift"));
    let draft = draft_brief(&context, &draft).unwrap().draft.to_string();
    let release = ReleaseQuery {
        draft,
        to: vec!["day shift".into()],
        format: None,
        expires: None,
        out: None,
    };
    release_brief(&context, &release).unwrap();
    let kinds = |lines: Vec<LogLine>| lines.into_iter().filter(|line| line.entry.kind.is_some()).count();
    let made = ["brief draft", "brief release"].map(|action| {
        kinds(vault.log(&LogQuery {
            action: Some(action.into()),
            ..LogQuery::default()
        }))
    });
    assert_eq!(made, [1, 1]);
    let (more, text) = told(&kim);
    let reads = vault.log(&LogQuery::default()).len() as u64;
    assert!((before + 2..reads).contains(&more.unopened), "{}", more.unopened);
    assert_eq!(more.closed, more.unopened);
    assert!(
        text.contains(&format!("at least 1 time; {} of the entries in", more.unopened)),
        "{text}"
    );
    let (whole, text) = told(&vault);
    assert_eq!(whole.unopened, 0);
    assert!(text.contains(",day shift,brief release,handover,"), "{text}");
}
