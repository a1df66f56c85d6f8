#![allow(clippy::unwrap_used, clippy::expect_used)]
//! What a person is asked, and when: with a person made up.

use super::*;
use crate::chain::Time;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;

const PASSPHRASE: &str = "orchid tractor velvet magnet";

/// Somebody who gives the answers they were told to give, and remembers what they were asked.
#[derive(Default)]
struct Scripted<'a> {
    answers: RefCell<VecDeque<&'a str>>,
    asked: RefCell<Vec<String>>,
    /// Done while they think about an answer.
    meanwhile: Option<&'a dyn Fn()>,
    deaf: bool,
}

impl<'a> Scripted<'a> {
    fn saying(answers: &[&'a str]) -> Self {
        Self {
            answers: RefCell::new(answers.iter().copied().collect()),
            ..Self::default()
        }
    }

    /// Somebody without a terminal.
    fn deaf() -> Self {
        Self {
            deaf: true,
            ..Self::default()
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

impl Person for Scripted<'_> {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, text: &str) {
        panic!("{text}");
    }

    fn answers(&self) -> bool {
        !self.deaf
    }

    fn line(&self, prompt: &str) -> Option<String> {
        assert!(!self.deaf, "asked: {prompt}");
        self.asked.borrow_mut().push(prompt.to_owned());
        self.meanwhile.into_iter().for_each(|done| done());
        Some(self.answers.borrow_mut().pop_front().unwrap_or_default().to_owned())
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

struct Vault(tempfile::TempDir);

impl Vault {
    /// A vault of mara's.
    fn new() -> Self {
        let vault = Self(tempfile::tempdir().unwrap());
        let init = Init {
            name: "mara".into(),
            recovery_key: None,
            insist: false,
        };
        super::init(&vault.context(&Scripted::default(), None, None), &init).unwrap();
        vault
    }

    fn context<'a>(&self, person: &'a dyn Person, purpose: Option<&str>, reason: Option<&str>) -> Context<'a> {
        Context {
            places: Places::under(self.0.path()),
            clock: Clock::Fixed(Time::from_unix(1_795_253_400)),
            source: None,
            person,
            access: Access::given(purpose.map(str::to_owned), reason.map(str::to_owned)),
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
        };
        add(&self.context(&Scripted::deaf(), None, None), new, || {
            Ok(b"Barrier at gate 4 found open.".to_vec())
        })
        .unwrap()
        .id
        .to_string()
    }

    fn show(
        &self,
        person: &Scripted<'_>,
        purpose: Option<&str>,
        reason: Option<&str>,
        id: &str,
    ) -> Result<Shown, Error> {
        super::show(&self.context(person, purpose, reason), id)
    }

    /// The purpose and reason in the details of the last entry.
    fn last(&self) -> (String, Option<String>, Option<String>, &'static str) {
        let lines = log(&self.context(&Scripted::deaf(), None, None)).unwrap();
        let line = &lines[lines.len() - 2];
        let details = line.details.as_ref().unwrap();
        (
            details.verb.clone(),
            details.purpose.clone(),
            details.reason.clone(),
            line.result(),
        )
    }
}

/// Verb, purpose, reason and result.
type Entry = (String, Option<String>, Option<String>, &'static str);

fn entry(verb: &str, purpose: &str, reason: &str, result: &'static str) -> Entry {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    (verb.to_owned(), given(purpose), given(reason), result)
}

#[test]
fn what_is_missing_is_asked_for_once_and_entered() {
    let vault = Vault::new();
    let note = vault.add("restricted");
    let person = Scripted::saying(&["duty", "gate call-out"]);
    assert!(vault.show(&person, None, None, &note).is_ok());
    let asked = person.asked();
    assert!(
        asked[0].starts_with("what for? duty, handover, ") && asked[1].starts_with("why"),
        "{asked:?}"
    );
    assert_eq!(
        (asked.len(), vault.last()),
        (2, entry("show", "duty", "gate call-out", "done"))
    );

    // The beginning of a code will do, if no other begins so; `?` tells what they mean.
    let person = Scripted::saying(&["?", "han", "night shift"]);
    assert!(vault.show(&person, None, None, &note).is_ok());
    assert!(
        person.asked()[1].contains("\n  handover         passing a matter on"),
        "{:?}",
        person.asked()
    );
    assert_eq!(vault.last(), entry("show", "handover", "night shift", "done"));

    // What was given is not asked for again.
    let person = Scripted::saying(&["gate call-out"]);
    assert!(vault.show(&person, Some("duty"), None, &note).is_ok());
    assert_eq!(
        (person.asked().len(), vault.last()),
        (1, entry("show", "duty", "gate call-out", "done"))
    );
    let person = Scripted::saying(&["duty"]);
    assert!(vault.show(&person, None, Some("gate call-out"), &note).is_ok());
    assert_eq!(
        (person.asked().len(), vault.last()),
        (1, entry("show", "duty", "gate call-out", "done"))
    );
}

#[test]
fn an_answer_that_is_none_denies() {
    let vault = Vault::new();
    let note = vault.add("restricted");
    for (answers, questions, entered) in [
        (&[""][..], 1, entry("show", "", "", "denied")),
        (&["duty", " "], 2, entry("show", "duty", "", "denied")),
        (&["duty", "no"], 2, entry("show", "duty", "no", "denied")),
        (
            &["curiosity", "gate call-out"],
            2,
            entry("show", "curiosity", "gate call-out", "denied"),
        ),
        // Who looks what they mean may still say nothing.
        (&["?", "", "why not"], 2, entry("show", "", "", "denied")),
    ] {
        let person = Scripted::saying(answers);
        let shown = vault.show(&person, None, None, &note);
        assert_eq!(shown.is_err(), entered.3 == "denied", "{answers:?}");
        assert_eq!(
            (person.asked().len(), vault.last()),
            (questions, entered),
            "{answers:?}"
        );
    }
}

#[test]
fn nobody_is_asked_in_vain() {
    let vault = Vault::new();
    let (note, open) = (vault.add("restricted"), vault.add("internal"));
    let denied = |person: &Scripted<'_>, purpose, reason, id: &str| {
        let error = vault.show(person, purpose, reason, id).err().unwrap();
        assert_eq!((error.kind, person.asked()), (Kind::Denied, Vec::<String>::new()));
        error.message
    };
    // Without a terminal it is denied in the words that say what to give.
    assert!(denied(&Scripted::deaf(), None, None, &note).contains("--purpose CODE"));
    // Nor where an answer would not help, or nothing is missing.
    denied(&Scripted::default(), Some("curiosity"), None, &note);
    denied(&Scripted::default(), Some("duty"), Some("no"), &note);
    denied(&Scripted::default(), None, None, "00000000");
    let person = Scripted::default();
    assert!(vault.show(&person, None, None, &open).is_ok());
    assert_eq!(person.asked(), Vec::<String>::new());
}

#[test]
fn a_vault_that_changed_while_a_person_thought_shows_nothing() {
    let vault = Vault::new();
    let note = vault.add("restricted");
    let read = || drop(list(&vault.context(&Scripted::deaf(), None, None), &ListQuery::default()).unwrap());
    let mut person = Scripted::saying(&["duty", "gate call-out"]);
    person.meanwhile = Some(&read);
    let error = vault.show(&person, None, None, &note).err().unwrap();
    assert!(error.message.contains("do it again"), "{}", error.message);
    assert_eq!(vault.last().0, "list");
    // Who only waited finds the lock given back, and can go on.
    let wait = || {
        drop(
            vault
                .context(&Scripted::deaf(), None, None)
                .repo()
                .unwrap()
                .lock(std::time::Duration::ZERO)
                .unwrap(),
        )
    };
    let mut person = Scripted::saying(&["duty", "gate call-out"]);
    person.meanwhile = Some(&wait);
    assert!(vault.show(&person, None, None, &note).is_ok());
}

#[test]
fn a_reason_to_let_a_word_pass_is_asked_for() {
    let vault = Vault::new();
    let note = vault.add("internal");
    let query = DraftQuery {
        sources: vec![note],
        profile: "no-names".into(),
        audience: None,
        mask: Vec::new(),
        allow: vec!["Barrier".into()],
    };
    let refused = draft_brief(&vault.context(&Scripted::deaf(), None, None), &query)
        .err()
        .unwrap();
    assert_eq!(refused.kind, Kind::Usage);
    let person = Scripted::saying(&["it is a gate"]);
    draft_brief(&vault.context(&person, None, None), &query).unwrap();
    assert_eq!(vault.last(), entry("brief draft", "", "it is a gate", "done"));
}
