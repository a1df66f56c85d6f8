//! What meets what else was done meanwhile, or at another place.

use super::leaving::{Told, join};
use super::*;

fn edited(vault: &Vault, note: &str, text: &'static str, meanwhile: &dyn Fn()) {
    let text = TextFrom::Caller(Box::new(|| {
        meanwhile();
        Ok(text.into())
    }));
    let context = vault.context(&Told, Some("duty"), Some("a test"));
    edit(&context, note, Change::default(), Some(text)).unwrap();
}

fn titles(vault: &Vault) -> Vec<String> {
    let lines = list(&vault.context(&Told, None, None), &ListQuery::default()).unwrap();
    let mut titles: Vec<String> = lines
        .into_iter()
        .map(|line| line.listed.metadata.title.clone())
        .collect();
    titles.sort();
    titles
}

#[test]
fn a_file_is_attached_to_a_note_that_was_revised_in_two_places() {
    let vault = Vault::new();
    let note = vault.add("internal");
    edited(&vault, &note, "Closed at noon.", &|| {
        edited(&vault, &note, "Closed at one.", &|| ())
    });
    let file = vault.0.path().join("gate.txt");
    std::fs::write(&file, "gate 4").unwrap();
    let context = vault.context(&Told, None, None);
    let revisions = history(&context, &note).unwrap();
    assert_eq!(revisions.iter().filter(|line| line.head).count(), 2);
    attach(&context, &note, "gate.txt", || open_file(&file)).unwrap();
}

#[test]
fn an_import_that_is_given_again_while_it_goes_on_comes_once() {
    let vault = Vault::new();
    let source = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(source.path().join(name), text).unwrap();
    for n in 0..3 {
        write(&format!("{n}.md"), &format!("# Note {n}\n\nGate {n}. ![](p{n}.png)\n"));
        write(&format!("p{n}.png"), "a picture");
    }
    let query = ImportQuery {
        source: source.path().to_owned(),
        kind: Some(SourceKind::Folder),
        label: Some("internal".into()),
        attach: true,
        update: true,
        ..ImportQuery::default()
    };
    let context = vault.context(&Told, None, None);
    let done = |imported: &Imported| {
        let plan = &imported.plan;
        (imported.written, imported.updated, imported.attached, plan.faults())
    };
    let twice = || {
        let mut first = None;
        let again = import(&context, &query, &mut |_| {
            first = Some(done(&import(&context, &query, &mut |_| Ok(true))?));
            Ok(true)
        });
        (first.unwrap(), done(&again.unwrap()))
    };
    assert_eq!(twice(), ((3, 0, 3, 0), (0, 0, 0, 0)));
    assert_eq!(titles(&vault), ["Note 0", "Note 1", "Note 2"]);
    write("1.md", "# Note 1\n\nGate 1 was open.\n");
    assert_eq!(twice(), ((0, 1, 0, 0), (0, 0, 0, 0)));
    assert_eq!(titles(&vault), ["Note 0", "Note 1", "Note 2"]);
}

#[test]
fn everybody_who_comes_in_later_is_told_of_a_hold_however_many_they_are() {
    let mara = Vault::new();
    let note = mara.add("internal");
    let query = HoldQuery {
        matter: "Pelham inquiry".into(),
        client: None,
        case: None,
        ids: vec![note],
    };
    place_hold(&mara.context(&Told, None, Some("they asked")), &query).unwrap();
    for n in 0..8 {
        let place = join(&mara, &format!("officer{n}"), "internal");
        let holds = list_holds(&place.context(&Told, None, None)).unwrap();
        let matters: Vec<_> = holds.lines.iter().map(|line| line.matter.as_str()).collect();
        assert_eq!(matters, ["Pelham inquiry"], "{n}");
    }
    let report = verify(&mara.context(&Told, None, None), None, &[], None, false).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

fn destroyed(vault: &Vault, asked: &str, meanwhile: &dyn Fn()) -> Result<Destroyed, Error> {
    let ask = |_: &Doomed| {
        meanwhile();
        Ok(())
    };
    destroy(&vault.context(&Told, Some("duty"), Some("a test")), asked, Some(&ask))
}

#[test]
fn what_is_destroyed_is_what_was_asked_about() {
    let vault = Vault::new();
    let (revised, gone) = (vault.add("internal"), vault.add("internal"));
    let error = destroyed(&vault, &revised, &|| {
        edited(&vault, &revised, "Closed at noon.", &|| ())
    });
    let error = error.err().unwrap();
    assert_eq!(error.kind, Kind::Failed);
    assert!(error.message.contains("while you were asked"), "{}", error.message);
    assert_eq!(titles(&vault).len(), 2);

    // What it was called by may be the beginning of another one's id by now, so it is looked for by its own.
    let error = destroyed(&vault, &gone[..4], &|| {
        destroyed(&vault, &gone, &|| ()).unwrap();
    });
    let message = error.err().unwrap().message;
    assert!(message.contains(&gone), "{message}");
    destroyed(&vault, &revised, &|| ()).unwrap();
    assert_eq!(titles(&vault).len(), 0);
}

#[test]
fn whose_name_is_not_among_those_of_a_list_is_found_by_the_notes() {
    let vault = Vault::new();
    let source = tempfile::tempdir().unwrap();
    for n in 10..28 {
        let page = format!("---\nclient: Client {n}\n---\n# Note {n}\n\nGate {n}.\n");
        std::fs::write(source.path().join(format!("{n}.md")), page).unwrap();
    }
    let query = ImportQuery {
        source: source.path().to_owned(),
        kind: Some(SourceKind::Folder),
        label: Some("internal".into()),
        ..ImportQuery::default()
    };
    let context = vault.context(&Told, None, None);
    import(&context, &query, &mut |_| Ok(true)).unwrap();
    list(&context, &ListQuery::default()).unwrap();
    let seen = |client: &str| {
        let query = WhoQuery {
            client: Some(client.to_owned()),
            ..WhoQuery::default()
        };
        let mut found = Vec::new();
        let show = &mut |_, line: LogLine| {
            found.push((line.verb().to_owned(), line.details.and_then(|details| details.client)));
            Ok(())
        };
        let answered = who(&context, &query, show).unwrap();
        (found, answered.perhaps)
    };
    let named: Vec<String> = (10..26).map(|n| format!("Client {n}")).collect();
    let listed = ("list".to_owned(), Some(format!("{}, and 2 others", named.join(", "))));
    // By the import it is known of each note whose it is: whoever is none of these is not in the list.
    for client in ["client 10", "client 25", "client 27"] {
        assert_eq!(seen(client), (vec![listed.clone()], 0), "{client}");
    }
    assert_eq!(seen("nobody's"), (vec![], 0));
}
