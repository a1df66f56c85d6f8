//! What a member plants who has a changed program: entries that hold by every rule of the log, under ids that are others'.
//! Nobody's program is led by them into giving, showing or destroying something else than was asked for.

use super::super::attachments::write_sealed;
use super::leaving::{Told, add_note, beside, join, listed, repo_of};
use super::matters::Warned;
use super::*;
use crate::chain::{Deed, Kind as EntryKind, Matter, Role, Statement};
use crate::gate::{Gate, Metadata, Nature};
use crate::id::{Digest, EntryRef, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::{Changes, DEVICES, Draft, note_ref, wrap_ref};
use crate::repo::{Batch, MAX_PAYLOAD, Mode, Object, PATIENCE, RefChange, TreeEntry, commit_bytes, tree_bytes};
use std::collections::BTreeSet;
use std::io::Read;

/// What is planted under which id.
struct Plant<'p> {
    kind: EntryKind,
    note: NoteId,
    nature: Nature,
    label: Label,
    text: &'p str,
}

impl Plant<'_> {
    fn by(
        &self,
        place: &Vault,
        metadata: impl FnOnce(&mut Metadata),
        draft: impl FnOnce(&mut Draft),
    ) -> (EntryRef, Digest) {
        let context = place.context(&Told, None, None);
        let unlocked = context.unlock().unwrap();
        let mut desk = unlocked.desk(&context).unwrap();
        let mut said = desk.statement_metadata("planted".into(), String::new(), String::new());
        metadata(&mut said);
        let (changes, body) = desk
            .seal(self.note, self.nature, &said, self.text, &self.label)
            .unwrap();
        let mut entry = Draft::change(self.kind, desk.details("planted"), vec![self.note], changes);
        draft(&mut entry);
        (desk.record(entry).unwrap().entry(), body)
    }
}

fn plain(level: Level) -> Label {
    Label::new(level, []).unwrap()
}

fn everybody(place: &Vault) -> BTreeSet<PersonId> {
    let context = place.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let desk = unlocked.desk(&context).unwrap();
    desk.ledger.charter().roster.members().map(|card| card.person).collect()
}

fn statement_for_all(place: &Vault, kind: EntryKind, note: NoteId) -> Plant<'static> {
    Plant {
        kind,
        note,
        nature: Nature::Statement,
        label: Label::named(everybody(place), []).unwrap(),
        text: "planted",
    }
}

/// A revision under that label which follows all that is there.
fn lower_head(place: &Vault, note: NoteId, level: Level) {
    let parents = bodies(place, note);
    let plant = Plant {
        kind: EntryKind::Revise,
        note,
        nature: Nature::Note,
        label: plain(level),
        text: "planted",
    };
    plant.by(place, |said| (said.parents, said.number) = (parents, 2), |_| ());
}

fn bodies(place: &Vault, note: NoteId) -> Vec<Digest> {
    let context = place.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    unlocked.desk(&context).unwrap().ledger.bodies_of(note)
}

/// How many revisions of that nature open there.
fn opens(place: &Vault, note: NoteId, nature: Nature) -> usize {
    let context = place.context(&Told, Some("duty"), None);
    let unlocked = context.unlock().unwrap();
    let desk = unlocked.desk(&context).unwrap();
    let gate = Gate::new(desk.identity, desk.ledger.keyring());
    let readable = gate.readable(desk.ledger.wraps(&note.to_string()).unwrap(), &desk.clearance());
    let wraps = readable.into_iter().map(|(note, _, wrap)| (note, wrap)).collect();
    let stored = desk.ledger.stored_many(wraps).unwrap();
    gate.survey_revisions(&stored, &[nature]).revisions().count()
}

fn admission(place: &Vault, handle: &str, device_of: bool, roles: &[Role]) -> Admission {
    let file = place.0.path().join("request");
    ask_for_membership(&place.context(&Told, None, None), handle, &file, false).unwrap();
    Admission {
        file,
        clearance: (!device_of).then(|| "restricted".into()),
        compartments: Vec::new(),
        roles: roles.to_vec(),
        until: None,
        device_of: device_of.then(|| handle.into()),
    }
}

pub(super) fn further(lead: &Vault, handle: &str) -> Vault {
    let place = beside(lead);
    let admission = admission(&place, handle, true, &[]);
    admit(&lead.context(&Told, None, None), &admission, &|_| Ok(())).unwrap();
    place
}

fn held(place: &Vault) -> Vec<String> {
    let holds = list_holds(&place.context(&Told, None, None)).unwrap();
    holds.lines.into_iter().map(|line| line.matter).collect()
}

fn hold(place: &Vault, matter: &str, note: NoteId) -> PlacedHold {
    let query = HoldQuery {
        matter: matter.into(),
        client: None,
        case: None,
        ids: vec![note.to_string()],
    };
    place_hold(&place.context(&Told, None, Some("they asked")), &query).unwrap()
}

#[test]
fn a_statement_under_the_id_of_somebody_elses_note_gives_that_note_to_nobody() {
    let mara = Vault::new();
    let note = add_note(&mara, "named", "Lena Hauk moves out on Friday.");
    let jon = join(&mara, "jon", "internal");
    statement_for_all(&jon, EntryKind::Conflict, note).by(&jon, |said| said.client = "Halcyon".into(), |_| ());
    let further = further(&mara, "jon");
    assert_eq!(opens(&further, note, Nature::Statement), 1);
    assert_eq!(opens(&further, note, Nature::Note), 0);
}

#[test]
fn a_note_under_whose_id_somebody_asked_for_another_s_end_stays() {
    let mara = Vault::new();
    let asked = add_note(&mara, "internal", "To be destroyed.");
    let other = add_note(&mara, "restricted", "To stay.");
    let jon = join(&mara, "jon", "internal");
    let matter = Matter {
        deed: Deed::Destroy,
        note: asked,
        objects: Digest([7; 32]),
        until: Time::from_unix(1_800_000_000),
    };
    statement_for_all(&jon, EntryKind::Request, other).by(&jon, |_| (), |draft| draft.matter = Some(matter));
    let before = bodies(&mara, other).len();
    // Nor does a hold on the one keep the other from being destroyed.
    hold(&mara, "Hask v Halcyon", other);
    destroy(
        &mara.context(&Told, Some("duty"), Some("over")),
        &asked.to_string(),
        None,
    )
    .unwrap();
    assert_eq!(opens(&mara, other, Nature::Note), 1);
    // What was said of the request goes, and nothing else.
    assert_eq!((before, bodies(&mara, other).len()), (2, 1));
    // And work on the other goes on.
    let text = TextFrom::Caller(Box::new(|| Ok(b"To stay, for longer.".to_vec())));
    let context = mara.context(&Told, Some("duty"), Some("a test"));
    edit(&context, &other.to_string(), Change::default(), Some(text)).unwrap();
    assert_eq!(opens(&mara, other, Nature::Note), 2);
    let report = verify(&mara.context(&Told, None, None), None, &[], None, true).unwrap();
    assert!(report.problems.is_empty() && report.findings.is_empty(), "{report:?}");
}

#[test]
fn what_somebody_else_names_an_approval_for_is_no_use_of_it() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "To be destroyed.");
    let (jon, kim) = (join(&mara, "jon", "restricted"), join(&mara, "kim", "internal"));
    let later = Clock::Fixed(Time::from_unix(1_795_253_400 + 3600));
    let destroyed = || {
        let mut context = mara.context(&Told, Some("duty"), Some("over"));
        context.clock = later;
        destroy(&context, &note.to_string(), None)
    };
    let request = destroyed().err().unwrap().request.unwrap();
    let mut context = jon.context(&Told, Some("duty"), Some("looked at it"));
    context.clock = later;
    let approval = approve(&context, &request.to_string(), None).unwrap().entry;
    // Kim destroys something of her own, and says that it rests on that.
    let own = NoteId([7; 16]);
    let (entry, body) = statement_for_all(&kim, EntryKind::Conflict, own).by(&kim, |_| (), |_| ());
    {
        let context = kim.context(&Told, None, None);
        let unlocked = context.unlock().unwrap();
        let mut desk = unlocked.desk(&context).unwrap();
        let said = Statement { note: own, body };
        let mut changes = Changes::default();
        desk.files_of_statement(entry, said)
            .unwrap()
            .into_iter()
            .for_each(|file| changes.forget(file));
        let mut draft = Draft::change(EntryKind::Destroy, desk.details("planted"), vec![own], changes);
        draft.because = Some(approval);
        let _ = desk.record(draft).unwrap();
    }
    // What was added since nobody agreed to destroy.
    let text = TextFrom::Caller(Box::new(|| Ok(b"More than was looked at.".to_vec())));
    let context = mara.context(&Told, Some("duty"), Some("a test"));
    edit(&context, &note.to_string(), Change::default(), Some(text)).unwrap();
    assert_eq!(destroyed().err().unwrap().kind, Kind::Denied);
    assert_eq!(opens(&mara, note, Nature::Note), 2);
}

#[test]
fn what_follows_a_head_with_a_lower_label_is_no_lower_than_before() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Lena Hauk was at the north gate.");
    let jon = join(&mara, "jon", "internal");
    lower_head(&jon, note, Level::Internal);
    let text = TextFrom::Caller(Box::new(|| Ok(b"She left by the south gate.".to_vec())));
    let context = mara.context(&Told, Some("duty"), Some("a test"));
    edit(&context, &note.to_string(), Change::default(), Some(text)).unwrap();
    assert_eq!(
        (opens(&mara, note, Nature::Note), opens(&jon, note, Nature::Note)),
        (3, 1)
    );
}

#[test]
fn one_revision_alone_names_no_further_reader() {
    let mara = Vault::new();
    let jon = join(&mara, "jon", "internal");
    let ines = join(&mara, "ines", "internal");
    let people = everybody(&mara);
    let context = mara.context(&Told, Some("duty"), Some("a test"));
    let me = {
        let unlocked = context.unlock().unwrap();
        unlocked.desk(&context).unwrap().identity.person()
    };
    let note = NoteId([9; 16]);
    let reads = |readers: &'static str| {
        move |said: &mut Metadata| said.fields = vec![("readers".to_owned(), readers.to_owned())]
    };
    let mut plant = Plant {
        kind: EntryKind::Add,
        note,
        nature: Nature::Note,
        label: Label::named([me], []).unwrap(),
        text: "a concern",
    };
    let (_, first) = plant.by(&mara, reads("@mara"), |_| ());
    (plant.kind, plant.label) = (EntryKind::Revise, Label::named(people, []).unwrap());
    let follows = |said: &mut Metadata| {
        (said.parents, said.number) = (vec![first], 2);
        reads("@mara, @jon, @ines")(said);
    };
    plant.by(&jon, follows, |_| ());
    let text = TextFrom::Caller(Box::new(|| Ok(b"An answer.".to_vec())));
    edit(&context, &note.to_string(), Change::default(), Some(text)).unwrap();
    assert_eq!(opens(&mara, note, Nature::Note), 3);
    assert_eq!(
        (opens(&jon, note, Nature::Note), opens(&ines, note, Nature::Note)),
        (1, 1)
    );
}

#[test]
fn a_hold_is_told_to_those_who_read_all_that_stands_under_the_note() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Lena Hauk was at the north gate.");
    let jon = join(&mara, "jon", "internal");
    lower_head(&jon, note, Level::Public);
    hold(&mara, "Tulip", note);
    assert_eq!((held(&mara), held(&jon)), (vec!["Tulip".to_owned()], vec![]));
}

#[test]
fn who_goes_on_from_a_hold_is_not_told_of_it_by_that() {
    let mara = Vault::new();
    let named = add_note(&mara, "named", "Lena Hauk moves out on Friday.");
    let open = add_note(&mara, "public", "Gate 4 is open.");
    let tom = beside(&mara);
    let admitted = admission(&tom, "tom", false, &[Role::Lead, Role::Officer]);
    admit(&mara.context(&Told, None, None), &admitted, &|_| Ok(())).unwrap();
    let placed = hold(&mara, "Tulip", named);
    assert!(held(&tom).is_empty());
    let context = tom.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let mut desk = unlocked.desk(&context).unwrap();
    let mut draft = Draft::change(EntryKind::Hold, desk.details("planted"), vec![open], Changes::default());
    (draft.because, draft.held) = (Some(placed.entry), vec![open]);
    let _ = desk.record(draft).unwrap();
    drop(desk);
    let further = further(&mara, "tom");
    assert!(held(&further).is_empty());
}

#[test]
fn a_newer_statement_under_the_id_of_another_says_nothing_for_it() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "Lena Hauk was at the north gate.");
    let jon = join(&mara, "jon", "internal");
    hold(&mara, "Tulip", note);
    let statement = {
        let context = mara.context(&Told, None, None);
        let unlocked = context.unlock().unwrap();
        let desk = unlocked.desk(&context).unwrap();
        desk.ledger.holds()[0].statement.unwrap()
    };
    let renamed = |said: &mut Metadata| {
        (said.title, said.parents, said.number) = ("Orchid".into(), vec![statement.body], 2);
        said.modified += 60;
    };
    statement_for_all(&jon, EntryKind::Conflict, statement.note).by(&jon, renamed, |_| ());
    assert_eq!(held(&mara), ["Tulip"]);
    assert_eq!(held(&jon), ["Tulip"]);
}

#[test]
fn what_does_not_open_is_named_and_in_nobodys_way() {
    let mara = Vault::new();
    let note = add_note(&mara, "confidential", "Lena Hauk was at the north gate.");
    let _ = add_note(&mara, "confidential", "All is quiet.");
    let jon = join(&mara, "jon", "internal");
    let context = jon.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let mut desk = unlocked.desk(&context).unwrap();
    let (_, wrap) = desk.ledger.wraps(&note.to_string()).unwrap().remove(0);
    let mut bytes = wrap.to_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    let mut changes = Changes::default();
    changes.write_digested(wrap_ref(note), note, bytes);
    let draft = Draft::change(EntryKind::Key, desk.details("planted"), vec![note], changes);
    let entry = desk.record(draft).unwrap().entry();
    drop(desk);
    let person = Warned::default();
    let context = mara.context(&person, Some("duty"), Some("a test"));
    assert_eq!(list(&context, &ListQuery::default()).unwrap().len(), 2);
    let words = person.0.borrow().join(", ");
    assert!(
        words.contains(&format!("jon wrapped it so, in entry {entry}")),
        "{words}"
    );
    assert_eq!(search(&context, "gate", &ListQuery::default()).unwrap().lines.len(), 1);
    assert_eq!(
        super::super::show(&context, &note.to_string(), None)
            .unwrap()
            .note
            .text(),
        "Lena Hauk was at the north gate."
    );
    destroy(&context, &note.to_string(), None).unwrap();
    assert_eq!(listed(&mara), Ok(1));
    let report = verify(&context, None, &[], None, false).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[test]
fn a_draft_under_whose_id_another_was_written_does_not_leave() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "The grey van waits at the rear door.");
    let jon = join(&mara, "jon", "internal");
    let query = DraftQuery {
        sources: vec![note.to_string()],
        profile: "no-names".into(),
        audience: None,
        mask: Vec::new(),
        allow: Vec::new(),
        length: None,
        by_case: false,
        format: None,
    };
    let context = mara.context(&Told, Some("handover"), Some("a test"));
    let draft = draft_brief(&context, &query).unwrap().draft;
    let text = super::super::show(&context, &draft.to_string(), None)
        .unwrap()
        .note
        .text()
        .to_owned();
    let parents = bodies(&jon, draft);
    let plant = Plant {
        kind: EntryKind::Draft,
        note: draft,
        nature: Nature::Draft,
        label: plain(Level::Internal),
        text: &text.replace("grey van", "black car"),
    };
    plant.by(&jon, |said| (said.parents, said.number) = (parents, 2), |_| ());
    let query = ReleaseQuery {
        draft: draft.to_string(),
        to: vec!["day shift".into()],
        format: None,
        expires: None,
        out: None,
    };
    let refused = release_brief(&context, &query).err().unwrap();
    assert_eq!(refused.kind, Kind::Tampered, "{refused}");
}

#[test]
fn an_import_goes_on_in_no_note_but_its_own() {
    let mara = Vault::new();
    let jon = join(&mara, "jon", "internal");
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("gate.md"), "# Gate\n\nGate 4.\n").unwrap();
    let query = |label: &str| ImportQuery {
        source: source.path().to_owned(),
        kind: Some(SourceKind::Folder),
        label: Some(label.into()),
        update: true,
        ..ImportQuery::default()
    };
    let context = mara.context(&Told, Some("duty"), Some("a test"));
    import(&context, &query("internal"), &mut |_| Ok(true)).unwrap();
    let lines = list(&jon.context(&Told, Some("duty"), None), &ListQuery::default()).unwrap();
    let fields = lines[0].listed.metadata.fields.clone();
    // A note of his that says it comes from another file of that folder.
    let fields: Vec<(String, String)> = fields
        .into_iter()
        .map(|(name, value)| match name.as_str() {
            "imported-from" => (name, value.replace("gate.md", "roster.md")),
            _ => (name, value),
        })
        .collect();
    assert_eq!(fields.len(), 2);
    let plant = Plant {
        kind: EntryKind::Add,
        note: NoteId([9; 16]),
        nature: Nature::Note,
        label: plain(Level::Internal),
        text: "planted",
    };
    plant.by(&jon, |said| said.fields = fields, |_| ());
    std::fs::write(source.path().join("roster.md"), "# Roster\n\nWho is where.\n").unwrap();
    let imported = import(&context, &query("restricted"), &mut |_| Ok(true)).unwrap();
    assert_eq!((imported.written, imported.updated), (1, 0));
    assert_eq!(listed(&jon), Ok(2));
}

#[test]
fn nobody_is_written_to_by_what_another_was_called() {
    let mara = Vault::new();
    let jon = join(&mara, "jon", "internal");
    let tom = beside(&mara);
    let admitted = admission(&tom, "tom", false, &[Role::Lead]);
    admit(&mara.context(&Told, None, None), &admitted, &|_| Ok(())).unwrap();
    let named = |place: &Vault| {
        let context = place.context(&Told, Some("duty"), Some("a test"));
        let new = NewText {
            title: None,
            client: None,
            case: None,
            label: Some("named/@jon/@mara".into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        add(&context, new, TextFrom::Caller(Box::new(|| Ok(b"For Jon.".to_vec()))))
    };
    named(&mara).map(drop).unwrap();
    rename(&tom, "jon", "jonathan");
    rename(&tom, "tom", "jon");
    assert_eq!(kind_of(named(&mara)), Some(Kind::Denied));
    assert_eq!((listed(&tom), listed(&jon)), (Ok(0), Ok(1)));
}

/// A lead gives somebody another name.
fn rename(lead: &Vault, of: &str, handle: &str) {
    let context = lead.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let mut desk = unlocked.desk(&context).unwrap();
    let person = desk.member(of).unwrap().person;
    let mut card = desk.next_card(person).unwrap();
    card.handle = handle.into();
    let changes = desk.ledger.card_changes(&card).unwrap();
    let draft = Draft::change(EntryKind::Card, desk.details("planted"), Vec::new(), changes);
    let _ = desk.record(draft).unwrap();
}

/// Says in the policies who handles concerns.
fn handled_by(lead: &Vault, handles: &str) {
    let context = lead.context(&Told, None, None);
    let path = "templates/concern.toml".to_owned();
    let before = read_policies(&context).unwrap().files;
    let before = before.into_iter().find(|file| file.path == path).unwrap().text;
    let line = before.lines().find(|line| line.starts_with("handlers = ")).unwrap();
    let content = before.replace(line, &format!("handlers = [{handles}]")).into_bytes();
    let edited = edit_policies(&context, NewPolicies::File { path, content }, |_| Ok(true));
    assert!(matches!(edited, Ok(PolicyEdit::Done { .. })));
}

fn raised(place: &Vault) -> Raised {
    let context = place.context(&Told, Some("duty"), Some("a test"));
    let raising = Raising {
        to: Vec::new(),
        left_out: Vec::new(),
        openly: Some(true),
    };
    let text = TextFrom::Caller(Box::new(|| Ok(b"Gate 4 is never locked.".to_vec())));
    raise_concern(&context, &raising, text).unwrap()
}

#[test]
fn a_concern_goes_to_nobody_by_what_a_handler_was_called() {
    let mara = Vault::new();
    let jon = join(&mara, "jon", "internal");
    let tom = beside(&mara);
    let admitted = admission(&tom, "tom", false, &[Role::Lead]);
    admit(&mara.context(&Told, None, None), &admitted, &|_| Ok(())).unwrap();
    handled_by(&mara, r#""jon", "mara""#);
    let made = |name: &str| {
        let person = Warned::default();
        let made = make_concern_key(&mara.context(&person, None, None), &mara.0.path().join(name));
        (made.map(|made| made.handlers), person.0.take().join(", "))
    };
    let (before, told) = made("first");
    assert_eq!(
        (before.unwrap(), told.as_str()),
        (vec!["jon".into(), "mara".into()], "")
    );
    rename(&tom, "jon", "jonathan");
    rename(&tom, "tom", "jon");
    let (after, told) = made("second");
    assert_eq!(after.unwrap(), ["mara"]);
    assert!(told.contains("`jon` is to handle concerns"), "{told}");
    let Raised { added, to } = raised(&jon);
    assert_eq!(to, ["mara"]);
    assert_eq!(
        (
            opens(&mara, added.id, Nature::Note),
            opens(&tom, added.id, Nature::Note)
        ),
        (1, 0)
    );
    handled_by(&mara, r#""jon""#);
    assert_eq!(kind_of(made("third").0), Some(Kind::Failed));
}

#[test]
fn what_is_written_to_a_concern_is_for_its_readers_or_says_for_whom_not() {
    let mara = Vault::new();
    let jon = join(&mara, "jon", "internal");
    let ines = join(&mara, "ines", "internal");
    handled_by(&mara, r#""ines", "mara""#);
    let note = raised(&jon).added.id;
    let read = || [&mara, &jon, &ines].map(|place| opens(place, note, Nature::Note));
    let until = Some(Time::from_unix(1_900_000_000));
    let kept = |told: &Warned| {
        keep(
            &mara.context(told, Some("duty"), None),
            &note.to_string(),
            "open still",
            until,
        )
        .unwrap();
    };
    let person = Warned::default();
    kept(&person);
    assert_eq!((read(), person.0.take()), ([2, 2, 2], vec![]));
    rename(&mara, "jon", "jonathan");
    kept(&person);
    assert_eq!(read(), [3, 2, 3]);
    let told = person.0.take().join(", ");
    assert!(told.contains("`@jon` is named as a reader"), "{told}");
    let text = TextFrom::Caller(Box::new(|| Ok(b"An answer.".to_vec())));
    let context = mara.context(&person, Some("duty"), Some("a test"));
    edit(&context, &note.to_string(), Change::default(), Some(text)).unwrap();
    assert_eq!(read(), [4, 2, 4]);
    let told = person.0.take().join(", ");
    assert!(told.contains("`@jon` is named as a reader"), "{told}");
}

fn kind_of<T>(done: Result<T, Error>) -> Option<Kind> {
    done.err().map(|error| error.kind)
}

#[test]
fn another_request_with_the_id_of_a_device_that_was_admitted_is_not_that_device() {
    let mara = Vault::new();
    let place = beside(&mara);
    let admitted = admission(&place, "jon", false, &[]);
    admit(&mara.context(&Told, None, None), &admitted, &|_| Ok(())).unwrap();
    let request = crate::chain::JoinRequest::parse(&std::fs::read(&admitted.file).unwrap()).unwrap();
    let context = mara.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let desk = unlocked.desk(&context).unwrap();
    assert!(desk.admitted_so(&admitted, &request).is_some());
    let other = desk.identity.recipient();
    let device = crate::chain::Device::new(
        request.device.device,
        crate::chain::DeviceKind::Device,
        &other,
        desk.identity.public_key(),
    );
    let forged = crate::chain::JoinRequest { device, ..request };
    assert!(desk.admitted_so(&admitted, &forged).is_none());
}

#[test]
fn a_body_that_is_wrapped_twice_is_there_once_and_is_gone_on_from() {
    let mara = Vault::new();
    let note = add_note(&mara, "named", "Lena Hauk moves out on Friday.");
    {
        let context = mara.context(&Told, None, None);
        let unlocked = context.unlock().unwrap();
        let mut desk = unlocked.desk(&context).unwrap();
        let (_, wrap) = desk.ledger.wraps(&note.to_string()).unwrap().remove(0);
        let me = desk.identity.recipient();
        let twice = desk.identity.hand_on(note, &wrap, &me, &mut crate::env::SystemEntropy);
        let mut changes = Changes::default();
        changes.write_digested(wrap_ref(note), note, twice.unwrap().unwrap().to_bytes());
        let draft = Draft::change(EntryKind::Key, desk.details("rewrap"), vec![note], changes);
        let _ = desk.record(draft).unwrap();
    }
    let context = mara.context(&Told, Some("duty"), Some("a test"));
    for text in ["She moves out on Saturday.", "She stays."] {
        let text = TextFrom::Caller(Box::new(|| Ok(text.as_bytes().to_vec())));
        edit(&context, &note.to_string(), Change::default(), Some(text)).unwrap();
    }
    let revisions = history(&context, &note.to_string()).unwrap();
    assert_eq!(revisions.iter().filter(|line| line.head).count(), 1);
    assert_eq!((revisions.len(), opens(&mara, note, Nature::Note)), (3, 3));
    assert_eq!(
        super::super::show(&context, &note.to_string(), None)
            .unwrap()
            .note
            .text(),
        "She stays."
    );
    destroy(&context, &note.to_string(), None).unwrap_or_else(|error| panic!("{error}"));
    assert!(bodies(&mara, note).is_empty());
}

/// An attachment that is put beside a note whatever else is there.
fn attached(place: &Vault, note: NoteId, name: &str, mut content: &[u8]) -> Digest {
    let context = place.context(&Told, None, None);
    let unlocked = context.unlock().unwrap();
    let mut desk = unlocked.desk(&context).unwrap();
    let entropy = &mut crate::env::SystemEntropy;
    let mut sealing = desk.gate().begin_attachment(note, entropy).unwrap();
    let mut read = |out: &mut [u8]| content.read(out);
    let parts = write_sealed(unlocked.repo.blob_writer().unwrap(), &mut |part| {
        Ok(sealing.next_part(part, &mut read).unwrap_or_else(|_| panic!()))
    });
    let said = desk.statement_metadata(name.into(), String::new(), String::new());
    let label = plain(Level::Internal);
    let sealed = desk.gate().seal_attachment(sealing, &said, &label, &[], entropy);
    let (head, attachment) = sealed.unwrap();
    let details = desk.details("attach");
    let changes = desk.write_parts(note, parts.unwrap(), EntryKind::Attach, &details);
    let mut changes = changes.unwrap();
    changes.write_digested(note_ref(note), note, head.body);
    changes.write_digested(wrap_ref(note), note, head.wrap);
    let draft = Draft::change(EntryKind::Attach, details, vec![note], changes);
    let _ = desk.record(draft).unwrap();
    attachment.body
}

#[test]
fn of_several_attachments_of_one_name_none_is_given_until_one_is_meant() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "Gate 4 was found open.");
    let jon = join(&mara, "jon", "internal");
    let genuine = attached(&mara, note, "gate.txt", b"open").to_string();
    let context = mara.context(&Told, Some("duty"), Some("a test"));
    let out = mara.0.path().join("out");
    let take = |name: &str| {
        let taken = extract(&context, &note.to_string(), name, Place::New(Some(out.clone())));
        let content = std::fs::read(&out).unwrap_or_default();
        let _ = std::fs::remove_file(&out);
        (taken.map(|taken| taken.name), content)
    };
    assert_eq!(take("gate.txt"), (Ok("gate.txt".into()), b"open".to_vec()));
    let planted = attached(&jon, note, "gate.txt", b"shut").to_string();
    let (refused, content) = take("gate.txt");
    let refused = refused.unwrap_err();
    assert_eq!((refused.kind, content), (Kind::Usage, Vec::new()));
    assert!(refused.message.contains("`gate.txt` means 2 attachments"), "{refused}");
    for (digest, by) in [(&genuine, "mara"), (&planted, "jon")] {
        let line = format!("{} by {by}, internal", &digest[..12]);
        assert!(refused.hints.contains(&line), "{line} in {:?}", refused.hints);
    }
    // Who wrote them and under which label is sealed: that it was told is in the log.
    let told = LogQuery {
        action: Some("extract-ask".into()),
        ..LogQuery::default()
    };
    assert_eq!(mara.log(&told).len(), 1);
    assert_eq!(take(&genuine[..12]), (Ok("gate.txt".into()), b"open".to_vec()));
    assert_eq!(take(&planted), (Ok("gate.txt".into()), b"shut".to_vec()));
    assert_eq!(take(&genuine[..7]).0.unwrap_err().kind, Kind::Denied);
    let shown = super::super::show(&context, &note.to_string(), None).unwrap();
    let told: BTreeSet<String> = shown
        .note
        .attachments
        .iter()
        .map(|told| told.body.to_string())
        .collect();
    assert_eq!(told, BTreeSet::from([genuine.clone(), planted]));
    // Nobody takes over a digest by calling theirs so.
    let _ = attached(&jon, note, &genuine[..12], b"shut");
    assert_eq!(take(&genuine[..12]).0.unwrap_err().kind, Kind::Usage);
    assert_eq!(take(&genuine), (Ok("gate.txt".into()), b"open".to_vec()));
}

/// A pack of one note, for a court.
pub(super) fn pack_query(vault: &Vault, note: NoteId) -> PackQuery {
    PackQuery {
        which: Which {
            ids: vec![note.to_string()],
            ..Which::default()
        },
        to: vec!["Crown Court".into()],
        notice: None,
        receipt: None,
        out: vault.0.path().join("pack"),
    }
}

#[test]
fn a_statement_under_the_id_of_a_note_keeps_that_note_from_no_court() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "Gate 4 was found open.");
    let jon = join(&mara, "jon", "internal");
    statement_for_all(&jon, EntryKind::Conflict, note).by(&jon, |_| (), |_| ());
    let person = Warned::default();
    let context = mara.context(&person, Some("legal"), Some("an order"));
    let query = pack_query(&mara, note);
    let pack = export_pack(&context, &query).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((pack.notes, pack.texts, pack.attachments), (1, 1, 0));
    let about = std::fs::read_to_string(mara.0.path().join(format!("pack/notes/{note}/about.json"))).unwrap();
    assert!(about.contains("\"internal\""), "{about}");
    let words = person.0.borrow().join(", ");
    assert_eq!(words.matches("is passed over and does not leave").count(), 1, "{words}");
}

#[test]
fn a_compartment_that_hides_characters_is_shown_with_them() {
    let mara = Vault::new();
    let name = "Hal\u{202e}cy\u{200b}on";
    {
        let context = mara.context(&Told, None, None);
        let unlocked = context.unlock().unwrap();
        let mut desk = unlocked.desk(&context).unwrap();
        let id = crate::id::CompartmentId([7; 8]);
        let usage = crate::envelope::KeyUse::Compartment(id);
        let entropy = &mut crate::env::SystemEntropy;
        let key = crate::envelope::Key::make(usage, Some(name.into()), [1; 8], entropy).unwrap();
        let changes = desk.give_compartment(id, key).unwrap();
        let draft = Draft::change(EntryKind::Card, desk.details("planted"), Vec::new(), changes);
        let _ = desk.record(draft).unwrap();
    }
    let new = NewText {
        title: None,
        client: None,
        case: None,
        label: Some(format!("internal/{name}")),
        at: None,
        fields: Vec::new(),
        template: None,
    };
    let text = TextFrom::Caller(Box::new(|| Ok(b"Gate 4 was found open.".to_vec())));
    let added = add(&mara.context(&Told, None, None), new, text).unwrap();
    assert_eq!(added.label, "internal/Hal<U+202E>cy<U+200B>on");
}

#[test]
fn who_fills_the_branch_of_devices_keeps_nobody_from_work() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "Gate 4 is open.");
    {
        let repo = repo_of(&mara);
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        let name = format!("refs/heads/{DEVICES}");
        let old = repo.ref_target(&name).unwrap();
        let tree = repo.read_commit(old.unwrap(), 1 << 20).unwrap().tree;
        let mut files = repo.read_tree(tree, 1 << 20).unwrap();
        let oid = files[0].oid;
        // As much as can be written at once, and one more file cannot.
        files.extend((0..(MAX_PAYLOAD - 2000) / 268).map(|n| TreeEntry {
            mode: Mode::File,
            name: format!("detail-{n:0233}"),
            oid,
        }));
        let tree = Object {
            kind: crate::repo::Kind::Tree,
            bytes: tree_bytes(files).unwrap(),
        };
        let commit = commit_bytes(tree.oid(), old.as_slice(), "x <x@y> 1 +0000", "keep\n", None);
        let commit = Object::commit(commit.unwrap());
        let new = Some(commit.oid());
        let batch = Batch {
            objects: vec![tree, commit],
            refs: vec![RefChange { name, old, new }],
            note: Vec::new(),
        };
        let _durable = repo.commit(&lock, &batch).unwrap();
        repo.cut(&lock).unwrap();
    }
    let person = Warned::default();
    let mut context = mara.context(&person, Some("duty"), Some("a test"));
    context.clock = Clock::Fixed(Time::from_unix(1_795_253_400 + 40 * 86_400));
    let shown = super::super::show(&context, &note.to_string(), None);
    assert_eq!(shown.unwrap().note.text(), "Gate 4 is open.");
    let told = person.0.take().join(", ");
    assert!(told.contains("due to be made anew, and cannot be"), "{told}");
}

/// Also where a colleague edited offline what its author relabelled.
#[test]
fn a_further_head_that_may_not_be_seen_leaves_the_other_to_be_found() {
    let mara = Vault::new();
    let note = add_note(&mara, "internal", "The porter of the north gate.");
    let other = add_note(&mara, "internal", "The porter of the south gate.");
    let jon = join(&mara, "jon", "restricted");
    let plant = Plant {
        kind: EntryKind::Revise,
        note,
        nature: Nature::Note,
        label: plain(Level::Restricted),
        text: "The gate is shut.",
    };
    plant.by(
        &jon,
        |said| (said.number, said.modified) = (2, i64::from(u32::MAX)),
        |_| (),
    );
    let notes = |lines: Vec<NoteLine>| lines.iter().map(|line| line.listed.note).collect::<BTreeSet<_>>();
    let both = BTreeSet::from([note, other]);
    for place in [&mara, &jon] {
        let context = place.context(&Told, None, None);
        let found = search(&context, "gate", &ListQuery::default()).unwrap();
        assert!(found.lines.iter().all(|line| line.label == "internal"));
        assert_eq!(notes(found.lines), both);
        let labelled = ListQuery {
            label: Some("internal".into()),
            ..ListQuery::default()
        };
        assert_eq!(notes(list(&context, &labelled).unwrap()), both);
        let context = place.context(&Told, Some("duty"), Some("a test"));
        let found = search(&context, "shut", &ListQuery::default()).unwrap();
        assert_eq!(notes(found.lines), BTreeSet::from([note]));
    }
}
