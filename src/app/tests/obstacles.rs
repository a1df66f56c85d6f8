//! What a member with a changed program puts under a note only to be in the way: it opens for nobody, and what is sound goes on.

use super::super::attachments::write_sealed;
use super::super::relabel::relabel;
use super::leaving::{Told, add_note, join, listed};
use super::matters::Warned;
use super::planted::pack_query;
use super::*;
use crate::chain::Kind as EntryKind;
use crate::id::{Digest, NoteId};
use crate::label::{Label, Level};
use crate::ledger::{Changes, Draft, note_ref, wrap_ref};
use std::io::Read;

/// What to put beside a note.
enum Obstacle {
    /// A wrap that gives the key of a head to a part of more bytes than a body has.
    WrappedPart,
    /// A head whose parts no entry writes.
    HeadAlone,
}

fn put(place: &Vault, note: NoteId, obstacle: &Obstacle, level: Level) {
    let context = place.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let mut desk = unlocked.desk(&context).unwrap();
    let entropy = &mut crate::env::SystemEntropy;
    let mut sealing = desk.gate().begin_attachment(note, entropy).unwrap();
    let mut content = std::io::repeat(7).take(5 << 20);
    let mut read = |out: &mut [u8]| content.read(out);
    let writer = unlocked.repo.blob_writer().unwrap();
    let parts = write_sealed(writer, &mut |part| {
        Ok(sealing.next_part(part, &mut read).unwrap_or_else(|_| panic!()))
    });
    let parts = parts.unwrap();
    let first = parts[0].0;
    let said = desk.statement_metadata("plan.pdf".into(), String::new(), String::new());
    let label = Label::new(level, []).unwrap();
    let (head, _) = desk
        .gate()
        .seal_attachment(sealing, &said, &label, &[], entropy)
        .unwrap();
    let details = desk.details("attach");
    let mut changes = match obstacle {
        Obstacle::WrappedPart => desk.write_parts(note, parts, EntryKind::Attach, &details).unwrap(),
        Obstacle::HeadAlone => Changes::default(),
    };
    let wrap = match obstacle {
        Obstacle::WrappedPart => with_body(&head.wrap, head.digest, first),
        Obstacle::HeadAlone => {
            changes.write_digested(note_ref(note), note, head.body);
            head.wrap
        }
    };
    changes.write_digested(wrap_ref(note), note, wrap);
    let draft = Draft::change(EntryKind::Attach, details, vec![note], changes);
    let _ = desk.record(draft).unwrap();
}

/// The same wrap, of another body.
fn with_body(wrap: &[u8], old: Digest, new: Digest) -> Vec<u8> {
    let at = wrap.windows(32).position(|bytes| bytes == old.as_bytes()).unwrap();
    [&wrap[..at], new.as_bytes(), &wrap[at + 32..]].concat()
}

#[test]
fn a_part_that_is_wrapped_like_a_body_is_in_nobody_s_way() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "Lena Hauk was at the north gate.");
    let jon = join(&mara, "jon", "internal");
    for under in [note, NoteId([7; 16])] {
        put(&jon, under, &Obstacle::WrappedPart, Level::Internal);
    }
    let person = Warned::default();
    let context = mara.context(&person, Some("duty"), Some("a test"));
    assert_eq!(list(&context, &ListQuery::default()).unwrap().len(), 1);
    let words = person.0.borrow().join(", ");
    assert_eq!(
        words
            .matches("does not open, and is passed over: jon wrapped it so")
            .count(),
        2,
        "{words}"
    );
    assert_eq!(search(&context, "gate", &ListQuery::default()).unwrap().lines.len(), 1);
    let text = || {
        let shown = super::super::show(&context, &note.to_string(), None).unwrap();
        shown.note.text().to_owned()
    };
    assert_eq!(text(), "Lena Hauk was at the north gate.");
    let report = verify(&context, None, &[], None, false).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    relabel(&context, &note.to_string(), "confidential").unwrap();
    assert_eq!(text(), "Lena Hauk was at the north gate.");
    destroy(&context, &note.to_string(), None).unwrap();
    assert_eq!(listed(&mara), Ok(0));
}

#[test]
fn a_head_without_its_parts_keeps_a_note_neither_low_nor_in() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "Gate 4 was found open.");
    let jon = join(&mara, "jon", "internal");
    put(&jon, note, &Obstacle::HeadAlone, Level::Internal);
    let person = Warned::default();
    let context = mara.context(&person, Some("legal"), Some("an order"));
    let refused = extract(
        &context,
        &note.to_string(),
        "plan.pdf",
        Place::New(Some(mara.0.path().join("out"))),
    );
    let refused = refused.map(|taken| taken.name).unwrap_err();
    assert_eq!(refused.kind, Kind::Failed, "{refused}");
    assert!(refused.message.contains("names parts that nobody wrote"), "{refused}");
    let query = pack_query(&mara, note);
    let pack = export_pack(&context, &query).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((pack.notes, pack.texts, pack.attachments), (1, 1, 0));
    let done = relabel(&context, &note.to_string(), "restricted").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(done.revisions, 1);
    let words = person.0.borrow().join(", ");
    for what in [
        "it is passed over and does not leave",
        "it is not sealed anew, and goes once the rest is",
    ] {
        assert_eq!(words.matches(what).count(), 1, "{words}");
    }
    assert!(
        words.contains("is not what its own head says (jon attached it so, in entry"),
        "{words}"
    );
    let shown = super::super::show(&context, &note.to_string(), None).unwrap();
    assert_eq!(
        (shown.note.text(), shown.note.attachments.len()),
        ("Gate 4 was found open.", 0)
    );
    assert_eq!(listed(&jon), Ok(0));
    let report = verify(&context, None, &[], None, true).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

/// Another label would be the end of it: it is told in the log, and waits where nothing of the note may go.
#[test]
fn a_head_without_its_parts_goes_from_no_note_that_is_held_and_else_on_record() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "Gate 4 was found open.");
    let jon = join(&mara, "jon", "internal");
    put(&jon, note, &Obstacle::HeadAlone, Level::Internal);
    let person = Warned::default();
    let context = mara.context(&person, Some("legal"), Some("an order"));
    let query = HoldQuery {
        matter: "Hask v Halcyon".into(),
        client: None,
        case: None,
        ids: vec![note.to_string()],
    };
    let _ = place_hold(&context, &query).unwrap();
    let files = || {
        let unlocked = context.unlock().unwrap();
        unlocked.desk(&context).unwrap().ledger.files_of(note)
    };
    let before = files();
    let refused = relabel(&context, &note.to_string(), "restricted");
    let refused = refused.map(|done| done.revisions).unwrap_err();
    assert_eq!(refused.kind, Kind::Failed, "{refused}");
    assert!(refused.message.contains("a legal hold is on this note"), "{refused}");
    assert_eq!(files(), before);
    let shown = super::super::show(&context, &note.to_string(), None).unwrap();
    assert_eq!(shown.label, "internal");
    let _ = lift_hold(&context, "Hask v Halcyon").unwrap();
    let done = relabel(&context, &note.to_string(), "restricted").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((done.revisions, done.void), (1, 1));
    let lines = mara.log(&LogQuery {
        action: Some("relabel".into()),
        ..LogQuery::default()
    });
    let asked = lines.iter().filter_map(|line| line.details.as_ref()?.asked.as_deref());
    let asked: Vec<&str> = asked.collect();
    let told = "restricted, without 1 attached that came to nothing";
    assert!(asked.contains(&told), "{asked:?}");
}
