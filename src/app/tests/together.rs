//! What meets what else was done meanwhile, or at another place.

use super::leaving::{Told, add_note, beside, join};
use super::*;
use crate::chain::Kind as EntryKind;
use crate::gate::{Gate, Nature};
use crate::id::NoteId;
use crate::label::Label;
use crate::ledger::Draft;
use std::collections::BTreeSet;

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

#[test]
fn a_statement_under_the_id_of_somebody_elses_note_gives_that_note_to_nobody() {
    let mara = Vault::new();
    let note: NoteId = add_note(&mara, "named", "Lena Hauk moves out on Friday.");
    let jon = join(&mara, "jon", "internal");
    // As a changed program would.
    let context = jon.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let mut desk = unlocked.desk(&context).unwrap();
    let leads = desk.ledger.charter().roster.members().map(|card| card.person);
    let label = Label::named(leads.collect::<BTreeSet<_>>(), []).unwrap();
    let metadata = desk.statement_metadata("conflict of interest".into(), "Halcyon".into(), String::new());
    let sealed = desk.seal(note, Nature::Statement, &metadata, "why", &label);
    let details = desk.details("conflict declare");
    let draft = Draft::change(EntryKind::Conflict, details, vec![note], sealed.unwrap().0);
    let _ = desk.record(draft).unwrap();
    drop(desk);
    let further = beside(&mara);
    let file = further.0.path().join("request");
    ask_for_membership(&further.context(&Told, None, None), "jon", &file, false).unwrap();
    let admission = Admission {
        file,
        clearance: None,
        compartments: Vec::new(),
        roles: Vec::new(),
        until: None,
        device_of: Some("jon".into()),
    };
    admit(&mara.context(&Told, None, None), &admission, &|_| Ok(())).unwrap();
    let context = further.context(&Told, Some("duty"), None);
    let unlocked = context.unlock().unwrap();
    let desk = unlocked.desk(&context).unwrap();
    let gate = Gate::new(desk.identity, desk.ledger.keyring());
    let opens = |nature: Nature| {
        let wraps = desk.ledger.wraps(&note.to_string()).unwrap();
        let readable = gate.readable(wraps, &desk.clearance());
        let wraps = readable.into_iter().map(|(note, _, wrap)| (note, wrap)).collect();
        let stored = desk.ledger.stored_many(wraps).unwrap();
        gate.survey_revisions(stored, &[nature]).unwrap().revisions().count()
    };
    assert_eq!((opens(Nature::Statement), opens(Nature::Note)), (1, 0));
}
