#![allow(clippy::unwrap_used, clippy::expect_used)]
//! What a person is asked, and when: with a person made up.

mod beside;
mod briefs;
mod converge;
mod damage;
mod exports;
mod holds;
mod importing;
mod leaving;
mod matters;
mod obstacles;
mod offline;
mod planted;
mod recovery;
mod sync;
mod together;

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
            held: None,
            places: Places::under(self.0.path()),
            clock: Clock::Fixed(Time::from_unix(1_795_253_400)),
            source: None,
            person,
            access: Access::given(purpose.map(str::to_owned), reason.map(str::to_owned)).unwrap(),
        }
    }

    /// What the log shows.
    fn log(&self, query: &LogQuery) -> Vec<LogLine> {
        let mut lines = Vec::new();
        let show = &mut |_, line| {
            lines.push(line);
            Ok(())
        };
        log(&self.context(&Scripted::deaf(), None, None), query, show).unwrap();
        lines
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
        add(
            &self.context(&Scripted::deaf(), None, None),
            new,
            TextFrom::Caller(Box::new(|| Ok(b"Barrier at gate 4 found open.".to_vec()))),
        )
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
        super::show(&self.context(person, purpose, reason), id, None)
    }

    /// The purpose and reason in the details of the last entry.
    fn last(&self) -> (String, Option<String>, Option<String>, &'static str) {
        let lines = self.log(&LogQuery::default());
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
        // What is too short for a reason is asked for again.
        (&["duty", "no"], 3, entry("show", "duty", "", "denied")),
        (
            &["duty", "no", "gate call-out"],
            3,
            entry("show", "duty", "gate call-out", "done"),
        ),
        // A slip is asked for again, for a while.
        (
            &["curiosity", "du", "gate call-out"],
            3,
            entry("show", "duty", "gate call-out", "done"),
        ),
        (
            &["curiosity", "malice", "x", "z", "gate call-out"],
            5,
            entry("show", "z", "gate call-out", "denied"),
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
        length: None,
        by_case: false,
        format: None,
    };
    let refused = draft_brief(&vault.context(&Scripted::deaf(), None, None), &query)
        .err()
        .unwrap();
    assert_eq!(refused.kind, Kind::Usage);
    let person = Scripted::saying(&["it is a gate"]);
    draft_brief(&vault.context(&person, None, None), &query).unwrap();
    assert_eq!(vault.last(), entry("brief draft", "", "it is a gate", "done"));
}

/// A folder with the shipped policies, changed.
fn changed_policies(vault: &Vault, change: impl Fn(&str, &str) -> String) -> std::path::PathBuf {
    let folder = vault.0.path().join("policies");
    for (path, text) in crate::policy::shipped() {
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), change(path, text)).unwrap();
    }
    folder
}

/// The shipped policies with a rule more, which a case shows deciding about `policy-edit`.
fn with_rule(vault: &Vault, rule: &str) -> std::path::PathBuf {
    use crate::policy::{CASES, RULES};
    changed_policies(vault, |path, text| match path {
        RULES => format!("{text}\n@id(\"at-rest\") @why(\"the rules rest this year\")\n{rule}\n"),
        CASES => format!(
            "{text}\n[[case]]\nname = \"at rest\"\nrule = \"at-rest\"\nexpect = \"deny\"\naction = \"policy-edit\"\n\
             roles = [\"officer\", \"lead\"]\nclearance = \"restricted\"\n"
        ),
        _ => text.to_owned(),
    })
}

#[test]
fn nobody_shuts_themselves_out_and_nothing_changes_unconfirmed() {
    let vault = Vault::new();
    let edit = |folder: &Path, reason, agree| {
        let person = Scripted::deaf();
        let context = vault.context(&person, None, reason);
        edit_policies(&context, NewPolicies::Folder(folder.to_owned()), |changes| {
            assert_eq!(changes.changed, ["access/cases.toml", "access/rules.cedar"]);
            assert!(changes.added.is_empty() && changes.removed.is_empty());
            Ok(agree)
        })
    };
    let digest = || {
        read_policies(&vault.context(&Scripted::deaf(), None, None))
            .unwrap()
            .digest
    };
    let before = digest();
    let officers = "principal.roles.contains(\"officer\")";
    let shut = with_rule(
        &vault,
        &format!(
            "forbid (principal, action == Action::\"policy-edit\", resource) when {{ {officers} && principal.roles.contains(\"lead\") }};"
        ),
    );
    let refused = edit(&shut, Some("a good reason"), true).err().unwrap();
    assert!(
        refused.message.contains("could not change the policies again"),
        "{}",
        refused.message
    );
    assert_eq!(
        refused.hints,
        ["the rule `at-rest` forbids it: the rules rest this year"]
    );
    assert_eq!(digest(), before);

    // Who may change them with a reason is not shut out.
    let asking = with_rule(
        &vault,
        &format!(
            "forbid (principal, action == Action::\"policy-edit\", resource) \
             when {{ {officers} && principal.roles.contains(\"lead\") && context.reason_length < 4 }};"
        ),
    );
    assert!(matches!(edit(&asking, None, false), Ok(PolicyEdit::Left)));
    assert_eq!(digest(), before);
    let Ok(PolicyEdit::Done { digest: new, .. }) = edit(&asking, None, true) else {
        panic!("not taken");
    };
    assert!(digest() == new && new != before);
    let (verb, _, _, result) = vault.last();
    assert_eq!((verb.as_str(), result), ("policy edit", "done"));
    // From now on a reason is needed to change them, and a denial is an entry.
    let denied = edit(&shut, None, true).err().unwrap();
    assert!(
        denied.message.contains("the rules rest this year"),
        "{}",
        denied.message
    );
    let (verb, _, _, result) = vault.last();
    assert_eq!((verb.as_str(), result), ("policy edit", "denied"));
}

#[test]
fn policies_that_changed_while_somebody_made_up_their_mind_are_left_alone() {
    let vault = Vault::new();
    let rule = "forbid (principal, action == Action::\"policy-edit\", resource) \
                when { principal.roles.containsAll([\"officer\", \"lead\"]) && context.people > 2 };";
    let folder = with_rule(&vault, rule);
    let person = Scripted::deaf();
    let context = vault.context(&person, None, None);
    let other = || NewPolicies::File {
        path: "README.md".into(),
        content: b"Ours.".to_vec(),
    };
    let edited = edit_policies(&context, NewPolicies::Folder(folder), |_| {
        assert!(matches!(
            edit_policies(&context, other(), |_| Ok(true)),
            Ok(PolicyEdit::Done { .. })
        ));
        Ok(true)
    });
    assert!(
        edited
            .err()
            .unwrap()
            .message
            .contains("somebody else changed the policies")
    );
    assert!(matches!(
        edit_policies(&context, other(), |_| panic!()),
        Ok(PolicyEdit::Same)
    ));
}

#[test]
fn a_note_is_explained_to_who_may_list_it_alone() {
    let vault = Vault::new();
    let note = vault.add("restricted");
    let explain = |note: &str, purpose: Option<&str>| {
        let query = ExplainQuery {
            action: "read".into(),
            note: Some(note.to_owned()),
            label: None,
            audience: None,
        };
        explain_policy(&vault.context(&Scripted::deaf(), purpose, None), &query)
    };
    let explained = explain(&note, None).unwrap();
    assert!(!explained.explanation.permitted && explained.label.as_deref() == Some("restricted"));
    let lines = vault.log(&LogQuery::default());
    let line = &lines[lines.len() - 2];
    assert_eq!(
        (line.verb(), line.result(), line.notes.len()),
        ("policy explain", "done", 1)
    );

    // What is not there is denied in the words of every other command.
    let missing = explain("00000000", None).err().unwrap();
    assert_eq!(missing, Error::no_such_note("00000000"));
    assert_eq!(
        missing,
        vault.show(&Scripted::deaf(), None, None, "00000000").err().unwrap()
    );
    // And a vault in which a note may not be listed says the same of it.
    let cases = crate::policy::shipped()
        .iter()
        .find(|(path, _)| *path == "access/cases.toml")
        .unwrap()
        .1;
    let folder = with_rule(
        &vault,
        "forbid (principal, action, resource) when { resource.level == 3 };",
    );
    let cases: String = cases
        .split("[[case]]")
        .filter(|case| !case.contains("= \"permit\"") || !case.contains("label = \"restricted"))
        .collect::<Vec<_>>()
        .join("[[case]]");
    let closed = "\n[[case]]\nname = \"closed\"\nrule = \"at-rest\"\nexpect = \"deny\"\naction = \"list\"\n\
                  roles = [\"officer\"]\nclearance = \"restricted\"\nlabel = \"restricted\"\n";
    std::fs::write(folder.join("access/cases.toml"), cases + closed).unwrap();
    let person = Scripted::deaf();
    let context = vault.context(&person, None, None);
    let edited = edit_policies(&context, NewPolicies::Folder(folder), |_| Ok(true)).unwrap();
    if let PolicyEdit::Refused(check) = &edited {
        panic!(
            "{:?}",
            check
                .tests
                .iter()
                .filter(|test| !test.passed)
                .map(|test| (&test.name, &test.note))
                .collect::<Vec<_>>()
        );
    }
    assert_eq!(explain(&note, None).err().unwrap(), Error::no_such_note(&note));
    let lines = vault.log(&LogQuery::default());
    assert_eq!(lines[lines.len() - 2].result(), "denied");
}

#[test]
fn nobody_types_a_note_that_the_rules_refuse() {
    use crate::policy::{CASES, RULES};
    let vault = Vault::new();
    let folder = changed_policies(&vault, |path, text| match path {
        RULES => text.replacen(
            "forbid (principal, action in Action::\"opening\", resource)",
            "forbid (principal, action in [Action::\"opening\", Action::\"add\"], resource)",
            1,
        ),
        CASES => text.replacen(
            "action = \"add\"\nroles = [\"officer\"]\nclearance = \"restricted\"\nlabel = \"restricted\"",
            "action = \"add\"\nroles = [\"officer\"]\nclearance = \"restricted\"\nlabel = \"internal\"",
            1,
        ),
        _ => text.to_owned(),
    });
    let nobody = Scripted::deaf();
    let edited = edit_policies(&vault.context(&nobody, None, None), NewPolicies::Folder(folder), |_| {
        Ok(true)
    });
    assert!(matches!(edited, Ok(PolicyEdit::Done { .. })));
    let new = || NewText {
        title: None,
        client: None,
        case: None,
        label: Some("restricted".into()),
        at: None,
        fields: Vec::new(),
        template: None,
    };
    let refused = add(
        &vault.context(&nobody, None, None),
        new(),
        TextFrom::Caller(Box::new(|| panic!("asked for the text"))),
    );
    assert_eq!(refused.err().unwrap().kind, Kind::Denied);
    assert_eq!(vault.last(), entry("add", "", "", "denied"));
    // Asked before the text is, once, and not again when the note is sealed.
    let person = Scripted::saying(&["duty"]);
    let text = || {
        assert_eq!(person.asked().len(), 1);
        Ok(b"Barrier at gate 4 found open.".to_vec())
    };
    assert!(
        add(
            &vault.context(&person, None, None),
            new(),
            TextFrom::Caller(Box::new(text))
        )
        .is_ok()
    );
    assert_eq!(
        (person.asked().len(), vault.last()),
        (1, entry("add", "duty", "", "done"))
    );
}
