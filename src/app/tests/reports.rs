//! A report against its vault: what may not differ, with a check line and all figures made anew by whoever changed it.

use super::leaving::{Told, add_note, join, listed};
use super::*;
use crate::report::{Basis, Verdict, read, render};

/// A report of all there is, and where it lies.
fn report(vault: &Vault, name: &str) -> (std::path::PathBuf, Basis) {
    let out = vault.0.path().join(name);
    let query = ReportQuery {
        out: out.clone(),
        since: None,
        until: None,
        hours: (7, 19),
        receipt: None,
        witness_keys: Vec::new(),
    };
    make_report(&vault.context(&Told, None, None), &query).unwrap();
    let basis = read(&std::fs::read(&out).unwrap()).unwrap();
    (out, basis)
}

fn maras(basis: &mut Basis) -> &mut crate::report::Row {
    basis.rows.iter_mut().find(|row| row.who == "mara").unwrap()
}

fn checked(vault: &Vault, basis: &Basis) -> Result<(), Error> {
    let file = vault.0.path().join("changed.html");
    std::fs::write(&file, render(basis)).unwrap();
    check_report(&vault.context(&Told, None, None), &file).map(|_| ())
}

#[test]
fn whom_a_report_names_is_as_the_vault_has_them() {
    let vault = Vault::new();
    add_note(&vault, "internal", "Barrier at gate 4 found open.");
    let kim = join(&vault, "kim", "internal");
    let (file, basis) = report(&vault, "made.html");
    let mut called: Vec<&str> = basis.rows.iter().map(|row| row.who.as_str()).collect();
    called.sort_unstable();
    called.dedup();
    assert_eq!((called, basis.by.as_str()), (vec!["kim", "mara"], "mara"));
    check_report(&vault.context(&Told, None, None), &file).unwrap();

    type Change = fn(&mut Basis);
    let changes: [(&str, Change); 10] = [
        ("people are swapped", |basis| {
            for row in &mut basis.rows {
                row.who = if row.who == "mara" { "kim" } else { "mara" }.into();
            }
        }),
        ("one entry is another's", |basis| maras(basis).who = "kim".into()),
        ("nobody is called so", |basis| maras(basis).who = "corin".into()),
        ("an id stands for a handle", |basis| {
            let row = maras(basis);
            row.who = row.actor.to_string();
        }),
        ("another made it", |basis| basis.by = "kim".into()),
        ("it was made under a change", |basis| basis.entry.seq = 0),
        ("it was made under an entry of another's", |basis| {
            basis.entry = basis.rows.iter().rfind(|row| row.who == "kim").unwrap().at;
        }),
        ("another founded it", |basis| {
            basis.verified.founder = crate::id::Digest([9; 32])
        }),
        ("other members were in force", |basis| {
            basis.verified.roster = crate::id::Digest([9; 32])
        }),
        ("levels are called otherwise", |basis| basis.levels.swap(0, 4)),
    ];
    for (what, change) in changes {
        let mut changed = basis.clone();
        change(&mut changed);
        assert_ne!(changed, basis, "{what}");
        let refused = checked(&vault, &changed).err();
        assert_eq!(refused.map(|error| error.kind), Some(Kind::Tampered), "{what}");
    }

    // What comes later takes nothing from it: neither members, nor entries, nor policies.
    assert!(listed(&kim).is_ok());
    join(&vault, "jon", "public");
    let folder = changed_policies(&vault, |path, text| match path == crate::policy::LEVELS {
        true => format!("[defaults]\nclear_export = \"internal\"\n\n{text}"),
        false => text.to_owned(),
    });
    let deaf = Scripted::deaf();
    let edited = edit_policies(&vault.context(&deaf, None, None), NewPolicies::Folder(folder), |_| {
        Ok(true)
    });
    assert!(matches!(edited, Ok(PolicyEdit::Done { .. })));
    checked(&vault, &basis).unwrap();
    // Those whom later cards name were not there then.
    let mut changed = basis.clone();
    maras(&mut changed).who = "jon".into();
    assert_eq!(checked(&vault, &changed).unwrap_err().kind, Kind::Tampered);
}

#[test]
fn what_the_log_was_held_against_is_its_makers_word() {
    let vault = Vault::new();
    let (_, basis) = report(&vault, "made.html");
    let mut changed = basis.clone();
    changed.verified.receipt = Some(crate::report::ReceiptAt {
        time: basis.made,
        digest: crate::id::Digest([9; 32]),
    });
    changed.verified.witnesses = vec![("court-registry".into(), basis.made)];
    // Who has neither cannot tell; `audit check-report` says so of every report.
    checked(&vault, &changed).unwrap();
    // But no verdict stands beside what contradicts it.
    changed.verified.problems = vec!["[7] its end was cut off".into()];
    assert_eq!(checked(&vault, &changed).unwrap_err().kind, Kind::Tampered);
    changed.verified.verdict = Verdict::Tampered;
    checked(&vault, &changed).unwrap();
}

#[test]
fn exported_notes_are_disclosed() {
    let vault = Vault::new();
    let note = add_note(&vault, "public", "The yard opens at six.");
    let query = NotesQuery {
        which: Which {
            ids: vec![note.to_string()],
            ..Which::default()
        },
        format: NotesFormat::Folder,
        to: vec!["the press".into()],
        out: vault.0.path().join("out"),
    };
    let context = vault.context(&Told, Some("handover"), Some("new team"));
    let left = export_notes(&context, &query, &|_| Ok(())).unwrap();
    let (file, basis) = report(&vault, "made.html");
    let row = basis.rows.iter().find(|row| row.at == left.entry).unwrap();
    assert_eq!(
        (row.left, row.recipients.as_slice()),
        (Some(left.sha256), &["the press".to_owned()][..])
    );
    let page = std::fs::read_to_string(file).unwrap();
    let (_, disclosures) = page.split_once("<h2>Disclosures</h2>").unwrap();
    let (disclosures, _) = disclosures.split_once("<h2>").unwrap();
    assert!(
        disclosures.contains("the press")
            && disclosures.contains("export notes")
            && disclosures.contains(&left.sha256.to_string()[..16])
    );
    assert!(page.contains("<li><b>1</b> disclosures</li>"));
}
