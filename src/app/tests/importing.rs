//! What an import takes, under which label, and that nothing it leaves out is left out without a word.

use super::leaving::Told;
use super::*;
use crate::casework::value_of;

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

/// A table, whose columns are called as what they hold, with the fields of a template.
fn table(place: &Folder, template: &str, fields: &[&str]) -> ImportQuery {
    let column = |name: &&str| (format!("field.{name}"), (*name).to_owned());
    ImportQuery {
        source: place.0.path().join("table.csv"),
        kind: Some(SourceKind::Csv),
        label: Some("internal".into()),
        template: Some(template.into()),
        columns: fields.iter().map(column).collect(),
        update: true,
        ..ImportQuery::default()
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

fn field(vault: &Vault, title: &str, name: &str) -> Option<String> {
    value_of(&opened(vault, title).note.metadata.fields, name).map(str::to_owned)
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
fn a_file_among_texts_of_another_label_goes_to_none_elsewhere() {
    let vault = Vault::new();
    let folder = Folder::new(&[
        ("acme/a.md", "# Acme\n\nSee ../beta/scan.pdf and ../beta/logo.png.\n"),
        (
            "INDEX.md",
            "# Index\n\nSee beta/plan.png, pictures/map.png and acme/gate.png.\n",
        ),
        ("beta/b.md", "---\nlabel: restricted\n---\n\nBeta. See own.png.\n"),
        ("beta/own.png", "own"),
        ("beta/scan.pdf", "scan"),
        ("beta/logo.png", "logo"),
        ("beta/plan.png", "plan"),
        ("pictures/map.png", "map"),
        ("acme/gate.png", "gate"),
    ]);
    let rules = "[[rule]]\npath = \"**/logo.png\"\nlabel = \"internal\"\n";
    let query = ImportQuery {
        rules: Some(("rules.toml".into(), rules.into())),
        labels_within: true,
        ..folder.query()
    };
    let first = imported(&vault, &query);
    assert_eq!(done(&first), (3, 0, 4));
    assert_eq!(attached(&vault, "Acme"), [("logo.png".to_owned(), 4)]);
    let why = "it lies among texts of another label than its note has; a rule can give it a label";
    let left = [("beta/plan.png", why), ("beta/scan.pdf", why)];
    assert_eq!(skipped(&first), left);
    // What those texts have here counts, also where their front matter does not.
    let within = ImportQuery {
        labels_within: false,
        ..query
    };
    let again = imported(&vault, &within);
    assert_eq!((done(&again), skipped(&again)), ((0, 0, 0), left.to_vec()));
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

#[test]
fn what_changed_in_a_source_is_held_to_its_template() {
    let vault = Vault::new();
    let of = vault.add("internal");
    let place = Folder::new(&[]);
    let query = table(&place, "action", &["owner", "due", "of"]);
    let rows = |rows: &str| place.write("table.csv", &format!("id,body,owner,due,of\n{rows}"));
    rows("1,Lamp,mara,2026-12-10,\n2,Lock,mara,2026-12-10,\n3,Door,mara,2026-12-10,\n4,Gate,mara,2026-12-10,\n");
    assert_eq!(done(&imported(&vault, &query)), (4, 0, 0));
    let short = &of[..8];
    rows(&format!(
        "1,Lamp,mara,10.02.2027,\n2,Lock,@nobody,2026-12-10,\n3,Door,mara,2026-12-11,{short}\n4,Gate,mara,,\n"
    ));
    let again = imported(&vault, &query);
    assert_eq!((done(&again), again.plan.faults()), ((0, 1, 0), 3));
    let whys: Vec<&str> = skipped(&again).into_iter().map(|(_, why)| why).collect();
    assert!(whys[0].contains("`10.02.2027` is no value for `due`"), "{whys:?}");
    assert!(whys[1].contains("nobody here is called so"), "{whys:?}");
    assert!(whys[2].contains("asks for `due` too"), "{whys:?}");
    assert_eq!(field(&vault, "Lamp", "due").as_deref(), Some("2026-12-10"));
    assert_eq!(field(&vault, "Lock", "owner").as_deref(), Some("mara"));
    assert_eq!(field(&vault, "Door", "due").as_deref(), Some("2026-12-11"));
    assert_eq!(field(&vault, "Door", "of"), Some(of));
}

#[test]
fn what_a_source_does_not_mention_any_more_stays_and_what_is_empty_goes() {
    let vault = Vault::new();
    let place = Folder::new(&[]);
    let with = |fields: &[&str], rows: &str| {
        place.write("table.csv", &format!("id,title,body,{}\n{rows}", fields.join(",")));
        imported(&vault, &table(&place, "client-note", fields))
    };
    let all = ["confidence", "source"];
    assert_eq!(done(&with(&all, "1,Lamp,Out,probable,a guard\n")), (1, 0, 0));
    assert_eq!(done(&with(&["source"], "1,Lamp,Still out,a guard\n")), (0, 1, 0));
    assert_eq!(field(&vault, "Lamp", "confidence").as_deref(), Some("probable"));
    assert!(opened(&vault, "Lamp").body().starts_with("Still out"));

    let again = with(&all, "1,Lamp,Mended,,a guard\n");
    assert_eq!((done(&again), again.plan.faults()), ((0, 0, 0), 1));
    assert!(skipped(&again)[0].1.contains("asks for `confidence` too"));
    assert_eq!(done(&with(&all, "1,Lamp,Mended,probable,\n")), (0, 1, 0));
    assert_eq!(field(&vault, "Lamp", "source"), None);
    assert_eq!(field(&vault, "Lamp", "template").as_deref(), Some("client-note"));
}

#[test]
fn what_changed_in_a_source_is_graded_anew() {
    let vault = Vault::new();
    let open = |path: &str, text: &str| match path {
        "templates/violation.toml" => text.replace("amend = \"addenda\"\n", ""),
        _ => text.to_owned(),
    };
    let policies = NewPolicies::Folder(changed_policies(&vault, open));
    let edited = edit_policies(&vault.context(&Told, None, None), policies, |_| Ok(true)).unwrap();
    assert!(matches!(edited, PolicyEdit::Done { .. }));
    let place = Folder::new(&[]);
    let axes = ["person", "rule", "harm", "persons", "intent", "reach"];
    let query = table(&place, "violation", &axes);
    let row = |intent: &str| {
        let row = format!("1,Wine,@mara,gifts,none,nobody outside,{intent},one outsider\n");
        place.write("table.csv", &format!("id,body,{}\n{row}", axes.join(",")));
        imported(&vault, &query)
    };
    assert_eq!(done(&row("honest slip")), (1, 0, 0));
    assert_eq!(field(&vault, "Wine", "grade").as_deref(), Some("slight"));
    let sections = opened(&vault, "Wine").body().contains("What was decided");
    assert_eq!(done(&row("on purpose")), (0, 1, 0));
    assert_eq!(field(&vault, "Wine", "grade").as_deref(), Some("serious"));
    // What its template asks for stays, too.
    assert!(sections && opened(&vault, "Wine").body().contains("What was decided"));
}

#[test]
fn repetitions_in_one_import_count() {
    let vault = Vault::new();
    let place = Folder::new(&[]);
    let axes = ["person", "rule", "harm", "persons", "intent", "reach"];
    let rest = "@mara,gifts,none,nobody outside,honest slip,one outsider";
    let rows: String = (1..=4).map(|n| format!("{n},Wine {n},{rest}\n")).collect();
    place.write("table.csv", &format!("id,body,{}\n{rows}", axes.join(",")));
    assert_eq!(done(&imported(&vault, &table(&place, "violation", &axes))), (4, 0, 0));
    let grades: Vec<_> = (1..=4)
        .map(|n| field(&vault, &format!("Wine {n}"), "grade").unwrap())
        .collect();
    assert_eq!(grades, ["slight", "slight", "serious", "serious"]);
}

#[test]
fn rows_of_one_id_that_differ_are_a_fault() {
    let vault = Vault::new();
    let place = Folder::new(&[("table.csv", "id,body\n7,Lamp out\n7,Lamp out\n7,Lock out\n")]);
    let query = ImportQuery {
        template: None,
        ..table(&place, "", &[])
    };
    let first = imported(&vault, &query);
    assert_eq!((done(&first), first.plan.duplicates.len()), ((1, 0, 0), 1));
    assert_eq!(
        (first.plan.faults(), skipped(&first)),
        (
            1,
            vec![("table.csv#7", "another row has this id and says something else")]
        )
    );
}

#[test]
fn labels_that_are_not_taken_are_counted() {
    let vault = Vault::new();
    let folder = Folder::new(&[
        ("a.md", "---\nlabel: confidential\n---\n\nLamp.\n"),
        ("b.md", "---\nlabel: confidential\n---\n\nLock.\n"),
        ("c.md", "Door.\n"),
    ]);
    let rules = "[[rule]]\npath = \"b.md\"\nlabel = \"internal\"\n";
    let query = |labels_within| ImportQuery {
        rules: Some(("rules.toml".into(), rules.into())),
        labels_within,
        ..folder.query()
    };
    let looked = |query: &ImportQuery| {
        let plan = import(&vault.context(&Told, None, None), query, &mut |_| Ok(false))
            .unwrap()
            .plan;
        (plan.labels_left, plan.columns_left)
    };
    assert_eq!(looked(&query(false)).0, 1);
    assert_eq!(looked(&query(true)).0, 0);
    folder.write("table.csv", "body,Label\nLamp,restricted\nLock,\nDoor,restricted\n");
    let table = |labels_within| ImportQuery {
        template: None,
        labels_within,
        ..table(&folder, "", &[])
    };
    assert_eq!(looked(&table(false)), (2, vec!["Label".to_owned()]));
    assert_eq!(looked(&table(true)), (0, Vec::new()));
    let named = ImportQuery {
        columns: vec![("label".into(), "Label".into())],
        ..table(false)
    };
    assert_eq!(looked(&named), (0, Vec::new()));
}
