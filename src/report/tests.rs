#![allow(clippy::unwrap_used, clippy::expect_used)]
//! A report reads back, and whatever is changed in it is noticed.

use super::*;
use proptest::prelude::*;

fn log() -> LogName {
    "0102030405060708-090a0b0c".parse().unwrap()
}

/// An entry that opened a note.
pub(super) fn row(seq: u64, who: &str, verb: &str) -> Row {
    Row {
        at: EntryRef { log: log(), seq },
        time: Time::from_unix(1_795_253_400 + seq as i64),
        actor: PersonId([1; 8]),
        who: who.into(),
        result: Outcome::Done,
        kind: None,
        verb: Some(verb.into()),
        level: Some(2),
        purpose: Some("handover".into()),
        reason: Some("gate call-out".into()),
        clients: vec!["Halcyon".into()],
        recipients: Vec::new(),
        asked: None,
        rules: Vec::new(),
        notes: 1,
        about: Some(NoteId([seq as u8; 16])),
        left: None,
    }
}

pub(super) fn basis(rows: Vec<Row>) -> Basis {
    Basis {
        v: 1,
        look: LOOK,
        vault: VaultId([1; 16]),
        made: Time::from_unix(1_795_300_000),
        by: "mara".into(),
        entry: EntryRef { log: log(), seq: 999 },
        since: None,
        until: None,
        hours: (7, 19),
        levels: ["public", "internal", "confidential", "restricted", "named"]
            .map(str::to_owned)
            .to_vec(),
        verified: Verified {
            verdict: Verdict::Intact,
            receipt: Some(ReceiptAt {
                time: Time::from_unix(1_795_000_000),
                digest: Digest([7; 32]),
            }),
            device: true,
            witnesses: vec![("inspectorate".into(), Time::from_unix(1_795_100_000))],
            founder: Digest([2; 32]),
            roster: Digest([3; 32]),
            problems: Vec::new(),
            findings: vec!["a clock was put back".into()],
        },
        logs: vec![LogAt {
            log: log(),
            size: 1000,
            root: Digest([4; 32]),
        }],
        rows,
    }
}

pub(crate) fn example() -> Basis {
    let mut rows: Vec<Row> = (0..12).map(|n| row(n, "mara", "show")).collect();
    rows[3].reason = Some("</pre><script>alert('x')</script> & \"\u{202e}\n".into());
    rows[4].result = Outcome::Denied;
    rows[4].clients.clear();
    rows[5].kind = Some(Kind::Release);
    rows[5].recipients = vec!["day shift <day@example.org>".into()];
    rows[5].left = Some(Digest([5; 32]));
    rows[6].verb = None;
    rows[7].clients = vec!["<b>Grey</b>".into(), "Halcyon".into()];
    basis(rows)
}

#[test]
fn a_report_reads_back() {
    for basis in [example(), basis(Vec::new())] {
        assert_eq!(read(render(&basis).as_bytes()).as_ref(), Ok(&basis));
    }
}

#[test]
fn nothing_of_a_vault_becomes_markup_and_nothing_comes_from_elsewhere() {
    let page = render(&example());
    for bad in [
        "<script",
        "<b>Grey",
        "alert('x')",
        "<day@",
        "\u{202e}",
        "http://",
        "https://",
        "src=",
        "href=",
    ] {
        assert!(!page.contains(bad), "{bad}");
    }
    for wanted in [
        "lang=\"en\"",
        "<title>",
        "name=\"viewport\"",
        "<caption>",
        "scope=\"col\"",
        "role=\"img\"",
        "<desc",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
}

#[test]
fn a_changed_byte_is_noticed() {
    let page = render(&example()).into_bytes();
    for at in (0..page.len()).step_by(97) {
        let mut changed = page.clone();
        changed[at] ^= 1;
        assert!(read(&changed).is_err(), "byte {at}");
    }
    assert_eq!(read(b"<html></html>"), Err(BadReport::OtherFile));
    assert_eq!(read(&page[..page.len() - 1]), Err(BadReport::Changed));
}

/// Somebody who changes a report and makes its check line anew.
fn forge(page: &str, from: &str, to: &str) -> Vec<u8> {
    let body = &page[..page.rfind("<!-- check ").unwrap()];
    assert!(body.contains(from), "{from}");
    let body = body.replacen(from, to, 1);
    format!("{body}<!-- check {} -->\n", sha256(&[body.as_bytes()])).into_bytes()
}

#[test]
fn who_makes_the_check_line_anew_must_change_everything_else_too() {
    let page = render(&example());
    for (from, to) in [
        ("<b>1</b> denied", "<b>0</b> denied"),
        ("L1:4", "L1:5"),
        ("&quot;rows&quot;", "&quot;row&quot;"),
        ("&quot;denied&quot;", "&quot;done&quot;"),
        ("&quot;size&quot;:1000", "&quot;size&quot;:3"),
        ("<pre id", "<pre  id"),
        ("Audit report", "Audit Report"),
    ] {
        assert_eq!(read(&forge(&page, from, to)), Err(BadReport::DoesNotFollow), "{from}");
    }
    let other = forge(&page, "&quot;look&quot;:2,", "&quot;look&quot;:9,");
    assert_eq!(read(&other), Err(BadReport::OtherLook));
}

#[test]
fn what_does_not_hold_together_is_refused() {
    let faults: [fn(&mut Basis); 10] = [
        |basis| basis.v = 2,
        |basis| basis.hours = (24, 1),
        |basis| basis.levels.truncate(4),
        |basis| basis.logs[0].size = 11,
        |basis| basis.entry.seq = 998,
        |basis| basis.verified.verdict = Verdict::Tampered,
        |basis| basis.verified.problems.push("[7] its end was cut off".into()),
        |basis| basis.rows[1] = basis.rows[0].clone(),
        |basis| basis.rows[0].level = Some(5),
        |basis| basis.rows[0].at.log = "1102030405060708-090a0b0c".parse().unwrap(),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let mut basis = example();
        fault(&mut basis);
        assert!(!basis.is_sound(), "{n}");
        assert_eq!(read(render(&basis).as_bytes()), Err(BadReport::DoesNotFollow), "{n}");
    }
}

/// How a report looks, and under which number. If this fails because something is rendered otherwise now, raise
/// [`LOOK`] and put the new digest here.
#[test]
fn a_report_that_looks_otherwise_has_another_number() {
    let digest = sha256(&[render(&example()).as_bytes()]).to_string();
    assert_eq!((LOOK, &digest[..16]), (2, "85633b84f0b6c45d"));
}

#[test]
fn notes_that_were_exported_are_among_what_left() {
    let mut rows: Vec<Row> = [
        "export notes",
        "export pack",
        "export subject",
        "extract",
        "export-read",
    ]
    .iter()
    .enumerate()
    .map(|(n, verb)| row(n as u64, "mara", verb))
    .collect();
    rows[..3].iter_mut().for_each(|row| row.left = Some(Digest([6; 32])));
    rows[0].recipients = vec!["the press".into(), "age1abc".into()];
    let page = render(&basis(rows));
    assert!(!page.contains("Nothing left"));
    let (_, disclosures) = page.split_once("<h2>Disclosures</h2>").unwrap();
    for wanted in [
        "the press; age1abc",
        "nobody was named",
        "the person concerned",
        "whoever took it out",
        "SHA-256 <code>0606060606060606…",
        "<b>Entries:</b> L1:0–3</p>",
    ] {
        assert!(disclosures.contains(wanted), "{wanted}");
    }
    assert!(page.contains("<li><b>4</b> disclosures</li>"));
}

#[test]
fn of_entries_that_did_not_open_nothing_is_said() {
    const NONE: [&str; 8] = [
        "There were none",
        "Nobody did",
        "There was no access outside them",
        "There was nothing of the kind",
        "Whoever opened a note gave a reason",
        "No reason was a word that fits anything",
        "Nothing left",
        "Nothing was denied, and nothing failed",
    ];
    let mut rows: Vec<Row> = (0..3).map(|n| row(n, "mara", "show")).collect();
    for row in &mut rows {
        (row.verb, row.notes, row.about) = (None, 0, None);
        (row.purpose, row.reason) = (None, None);
    }
    let whole = render(&basis(Vec::new()));
    let closed = render(&basis(rows));
    for words in NONE {
        assert!(whole.contains(&format!("<p>{words}.</p>")), "{words}");
        // How an entry ended stands in clear.
        let said = match words.contains("denied") {
            true => format!("<p>{words}.</p>"),
            false => format!("<p>{words}, as far as the entries opened: 3 did not.</p>"),
        };
        assert!(closed.contains(&said), "{said}");
    }
    // What did open is not all that there is.
    let mut rows: Vec<Row> = (0..2).map(|n| row(n, "mara", "extract")).collect();
    rows[1].verb = None;
    let page = render(&basis(rows));
    assert!(page.contains("Whether more left by the 1 entry that did not open is not known here."));
}

proptest! {
    #[test]
    fn whatever_a_reason_says_the_report_reads_back(reason in any::<String>(), client in any::<String>()) {
        let mut basis = example();
        basis.rows[0].reason = Some(reason);
        basis.rows[1].clients = vec![client];
        let page = render(&basis);
        prop_assert_eq!(read(page.as_bytes()), Ok(basis));
    }
}
