//! What an import takes, under which label, and that nothing it leaves out is left out without a word.

use super::leaving::Told;
use super::*;

/// A folder to import from.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(path, text)| folder.write(path, text));
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn query(&self) -> ImportQuery {
        ImportQuery {
            source: self.0.path().to_owned(),
            kind: Some(SourceKind::Folder),
            label: Some("internal".into()),
            attach: true,
            ..ImportQuery::default()
        }
    }
}

fn imported(vault: &Vault, query: &ImportQuery) -> Imported {
    import(&vault.context(&Told, None, None), query, &mut |_| Ok(true)).unwrap()
}

/// How many were written, revised and attached.
fn done(imported: &Imported) -> (usize, usize, usize) {
    (imported.written, imported.updated, imported.attached)
}

/// What was left out, and why.
fn skipped(imported: &Imported) -> Vec<(&str, &str)> {
    let skipped = imported.plan.skipped.iter();
    let mut skipped: Vec<_> = skipped.map(|left| (left.path.as_str(), left.why.as_str())).collect();
    skipped.sort_unstable();
    skipped
}

fn opened(vault: &Vault, title: &str) -> Shown {
    let context = vault.context(&Told, Some("duty"), Some("a test"));
    let lines = list(&context, &ListQuery::default()).unwrap();
    let line = lines.iter().find(|line| line.listed.metadata.title == title);
    show(&context, &line.unwrap().listed.note.to_string(), None).unwrap()
}

/// The names and sizes of what is attached to a note.
fn attached(vault: &Vault, title: &str) -> Vec<(String, u64)> {
    let shown = opened(vault, title);
    let attachments = shown.note.attachments.iter();
    attachments.map(|file| (file.name.clone(), file.size)).collect()
}

#[test]
fn a_file_goes_to_the_note_that_names_it_and_under_no_other_label() {
    let vault = Vault::new();
    let folder = Folder::new(&[
        (
            "INDEX.md",
            "# Index\n\nThe contract of beta is clients/beta/scan.pdf, the keys are closed/keys.pdf. salary.pdf is elsewhere.\n",
        ),
        ("clients/acme/scan.pdf", "acme"),
        ("clients/beta/scan.pdf", "beta's"),
        ("closed/keys.pdf", "keys"),
        ("private/salary.pdf", "salary"),
        ("yard/a.md", "# A\n\nSee gate.png.\n"),
        ("yard/b.md", "# B\n\nSee gate.png.\n"),
        ("yard/gate.png", "gate"),
        ("shut/c.md", "# C\n\nNothing.\n"),
        ("shut/c.files/note.txt", "not for all"),
    ]);
    let rules = "[[rule]]\npath = \"private/**\"\nskip = true\n[[rule]]\npath = \"closed/**\"\nlabel = \"restricted\"\n\
                 [[rule]]\npath = \"clients/**\"\nlabel = \"Internal\"\n[[rule]]\npath = \"**/*.txt\"\nlabel = \"confidential\"\n";
    let query = ImportQuery {
        rules: Some(("rules.toml".into(), rules.into())),
        ..folder.query()
    };
    let first = imported(&vault, &query);
    assert_eq!(done(&first), (4, 0, 1));
    assert_eq!(attached(&vault, "Index"), [("scan.pdf".to_owned(), 6)]);
    let other = "the rules give it another label than its note has";
    let left = [
        ("clients/acme/scan.pdf", "it is no text, and no text near it names it"),
        ("closed/keys.pdf", other),
        ("private/salary.pdf", "a rule says so"),
        ("shut/c.files/note.txt", other),
        (
            "yard/gate.png",
            "several texts name it, and none of them is nearer to it than the others",
        ),
    ];
    assert_eq!(skipped(&first), left);

    // What its note has here counts, whatever the rules would give it now.
    let query = ImportQuery {
        rules: Some((
            "rules.toml".into(),
            "[[rule]]\npath = \"**\"\nlabel = \"restricted\"\n".into(),
        )),
        ..query
    };
    let again = imported(&vault, &query);
    assert_eq!(again.attached, 0);
    assert!(
        skipped(&again).contains(&("closed/keys.pdf", other)),
        "{:?}",
        skipped(&again)
    );
}

#[test]
fn files_come_with_what_changed_and_the_others_are_named() {
    let vault = Vault::new();
    let folder = Folder::new(&[("a.md", "# A\n\nGate.\n"), ("b.md", "# B\n\nYard.\n")]);
    let query = ImportQuery {
        update: true,
        ..folder.query()
    };
    assert_eq!(done(&imported(&vault, &query)), (2, 0, 0));
    folder.write("a.md", "# A\n\nGate. See plan.png.\n");
    folder.write("plan.png", "a plan");
    let left = imported(
        &vault,
        &ImportQuery {
            update: false,
            ..folder.query()
        },
    );
    assert_eq!(done(&left), (0, 0, 0));
    assert_eq!(
        skipped(&left),
        [("plan.png", "its note stays as it is here, though it changed there")]
    );
    let first = imported(&vault, &query);
    assert_eq!((done(&first), first.plan.attachments), ((0, 1, 1), 1));
    assert_eq!(attached(&vault, "A"), [("plan.png".to_owned(), 6)]);
    let again = imported(&vault, &query);
    assert_eq!((done(&again), again.plan.attachments), ((0, 0, 0), 0));
    // What it has already is not attached again with what changes.
    folder.write("a.md", "# A\n\nGate 4. See plan.png.\n");
    assert_eq!(done(&imported(&vault, &query)), (0, 1, 0));

    folder.write("c.md", "# B\n\nYard.\n");
    folder.write("c.files/two.jpg", "two");
    let why = "the note that it is attached to is a duplicate, and left out; --keep-duplicates takes both along";
    assert_eq!(skipped(&imported(&vault, &query)), [("c.files/two.jpg", why)]);
    let folder = Folder::new(&[
        ("d.md", "# D\n\nLane.\n"),
        ("d.files/one.jpg", "one"),
        ("e.md", "# D\n\nLane.\n"),
        ("e.files/two.jpg", "two"),
    ]);
    let first = imported(&vault, &folder.query());
    assert_eq!(
        (done(&first), skipped(&first)),
        ((1, 0, 1), vec![("e.files/two.jpg", why)])
    );
}
