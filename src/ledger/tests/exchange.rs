//! What goes to another repository, counted.

use super::clones::{admit, assert_honest, exists, sizes, with, write};
use super::vault::{Vault, note};
use crate::chain::{Details, Kind, Time};
use crate::env::SystemEntropy;
use crate::envelope::{Metadata, Purpose, WrapFile, seal_body};
use crate::id::{CompartmentId, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::{Changes, Draft, Elsewhere, Ledger, Push, note_pushed, note_ref, wrap_ref};
use crate::repo::{GitJob, PATIENCE, RemoteUrl, Repo, parse_list, said};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", said(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A bare repository that keeps what is pushed as it came, so that it can be counted.
fn hub(folder: &Path) -> (PathBuf, RemoteUrl) {
    git(folder, &["init", "--quiet", "--bare", "hub.git"]);
    let hub = folder.join("hub.git");
    git(&hub, &["config", "receive.unpackLimit", "1"]);
    let url = RemoteUrl::parse(hub.to_str().unwrap()).unwrap();
    (hub, url)
}

/// As `sync` does it, without a person.
fn sync(vault: &mut Vault, url: &RemoteUrl) -> Push {
    let repo = Repo::open(&vault.dir(), super::vault::settings()).unwrap();
    let staging = repo.staging().unwrap();
    let run = |job: &GitJob| {
        let ended = job.run(false, &|_| {}).unwrap();
        assert!(ended.succeeded, "{}", said(&ended.errors));
        ended.output
    };
    let mut there = Elsewhere::sort(parse_list(&run(&GitJob::list(staging.dir(), url))).unwrap());
    let mut fetched = None;
    if there.has_main() && there.has_news(&repo).unwrap() {
        let (patterns, left_out) = (
            there.patterns(),
            there.left_out().into_iter().map(str::to_owned).collect::<Vec<_>>(),
        );
        let left_out: Vec<&str> = left_out.iter().map(String::as_str).collect();
        run(&GitJob::fetch(staging.dir(), url, &patterns, &left_out, u64::MAX));
        let opened = staging.open(super::vault::settings()).unwrap().with_packs();
        there = there.renewed(Elsewhere::of(&opened).unwrap(), &[]);
        fetched = Some(opened);
    }
    let push = with(vault, |ledger, now| {
        let merge = |other| ledger.merge(other, url.as_str(), now, &mut SystemEntropy).unwrap();
        let merged = fetched.as_ref().map(merge);
        ledger.cut().unwrap();
        ledger.plan_push(&there, merged.as_ref(), fetched.as_ref()).unwrap()
    });
    if !push.moves.is_empty() {
        run(&GitJob::push(staging.dir(), url, &push.moves));
    }
    note_pushed(&repo, &vault.identity, &vault.state(), PATIENCE, (url.as_str(), &push)).unwrap();
    push
}

/// Of the packs that came: how many objects, and how many bytes.
fn packs(hub: &Path) -> (u64, u64) {
    let counted = git(hub, &["count-objects", "-v"]);
    let of = |what: &str| -> u64 {
        let line = counted.lines().find_map(|line| line.strip_prefix(&format!("{what}: ")));
        line.unwrap().parse().unwrap()
    };
    let packs = std::fs::read_dir(hub.join("objects/pack")).unwrap();
    let packs = packs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "pack"));
    (of("in-pack"), packs.map(|path| path.metadata().unwrap().len()).sum())
}

#[test]
fn two_members_come_to_the_same_and_every_log_is_pushed_by_whoever_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, url) = hub(folder.path());
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    write(&mut b, note(10), 1);
    super::clones::merge(&mut a, &b);
    // The second has never reached it, and its log is there.
    let pushed = sync(&mut a, &url);
    let names: Vec<&str> = pushed.moves.iter().map(|moved| moved.name.as_str()).collect();
    assert!(
        names.contains(&format!("refs/heads/audit/{}", b.log).as_str()),
        "{names:?}"
    );
    assert!(
        pushed.moves.iter().all(|moved| moved.seen.is_none()
            && moved.forced == !moved.name.contains("/audit/") & !moved.name.ends_with("main"))
    );
    write(&mut b, note(11), 1);
    write(&mut a, note(12), 1);
    a.destroy(note(10));
    sync(&mut a, &url);
    sync(&mut b, &url);
    sync(&mut a, &url);
    assert_eq!((exists(&a), sizes(&a)), (exists(&b), sizes(&b)));
    assert_honest("a", &a);
    assert_honest("b", &b);
    assert_eq!(sync(&mut b, &url).moves, []);
    assert_eq!(sync(&mut a, &url).moves, []);
    git(&hub, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn two_who_did_the_same_apart_come_to_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (_hub, url) = hub(folder.path());
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    write(&mut a, note(10), 1);
    sync(&mut a, &url);
    sync(&mut b, &url);
    // Each is left with a branch of its own that holds the same, under a commit that says another day.
    a.destroy(note(10));
    b.clock += 2 * 86_400;
    b.destroy(note(10));
    sync(&mut a, &url);
    sync(&mut b, &url);
    sync(&mut a, &url);
    assert_eq!((sync(&mut b, &url).moves, sync(&mut a, &url).moves), (vec![], vec![]));
    assert_honest("a", &a);
    assert_honest("b", &b);
}

fn add(ledger: &mut Ledger<'_>, note: NoteId, text: &[u8], now: Time) {
    let metadata = Metadata {
        title: "Patrol".into(),
        client: String::new(),
        case: String::new(),
        created: now.unix(),
        modified: now.unix(),
        happened: None,
        author: PersonId([1; 8]),
        parents: vec![],
        number: 1,
        fields: vec![],
    };
    let vault = super::vault::VAULT;
    let (body, key) = seal_body(vault, note, Purpose::Note, &metadata, text, &mut SystemEntropy).unwrap();
    let label = Label::new(Level::Internal, Vec::<CompartmentId>::new()).unwrap();
    let digest = crate::crypto::sha256(&[&body]);
    let wrap = WrapFile::wrap(
        vault,
        note,
        digest,
        &label,
        &key,
        ledger.keyring(),
        &[],
        &mut SystemEntropy,
    )
    .unwrap();
    let mut changes = Changes::default();
    changes.write_digested(note_ref(note), note, body);
    changes.write_digested(wrap_ref(note), note, wrap.to_bytes());
    let draft = Draft::change(Kind::Add, Details::new("add"), vec![note], changes);
    let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
}

/// The `n`-th of many notes, spread over all branches.
fn nth(n: u32) -> NoteId {
    let digest = crate::crypto::sha256(&[&n.to_be_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&digest.as_bytes()[..16]);
    NoteId(id)
}

/// `NOTES=10000 cargo test --lib -- --ignored --nocapture what_a_sync_sends_beside_many_notes`
#[test]
#[ignore = "it measures, and takes minutes"]
fn what_a_sync_sends_beside_many_notes() {
    let count: u32 = std::env::var("NOTES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(1000);
    let folder = tempfile::tempdir().unwrap();
    let (hub, url) = hub(folder.path());
    let mut a = Vault::with(2, 4);
    let text = b"Barrier at gate 4 found open. ".repeat(67);
    with(&mut a, |ledger, now| {
        (0..count).for_each(|n| add(ledger, nth(n), &text, now))
    });
    let mut told = Vec::new();
    let mut go = |what: &str, a: &mut Vault, most: u64| {
        let (before, start) = (packs(&hub), Instant::now());
        let push = sync(a, &url);
        let after = packs(&hub);
        let (refs, ms) = (push.moves.len(), start.elapsed().as_millis());
        let (objects, bytes) = (after.0 - before.0, after.1 - before.1);
        told.push(format!(
            "{what}: {refs} branches, {objects} objects, {bytes} bytes, {ms} ms"
        ));
        assert!(bytes <= most, "{told:?}");
    };
    go(&format!("{count} notes, first push"), &mut a, u64::MAX);
    git(&hub, &["gc", "--quiet"]);
    go("nothing", &mut a, 0);
    with(&mut a, |ledger, now| add(ledger, nth(count), &text, now));
    go("one note more", &mut a, 16 << 10);
    a.destroy(nth(7));
    go("one destroyed", &mut a, 200_000);
    let mut b = admit(&mut a, 2);
    sync(&mut a, &url);
    go("another device's first sync", &mut b, u64::MAX);
    with(&mut a, |ledger, now| {
        (0..1000).for_each(|n| add(ledger, nth(count + 1 + n), &text, now))
    });
    go("1000 notes more", &mut a, u64::MAX);
    go("the other device takes them", &mut b, 0);
    writeln!(std::io::stderr(), "{}", told.join("\n")).unwrap();
}

#[test]
fn a_log_that_grew_by_closed_bundles_is_taken_with_them() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    for reads in [400, 300] {
        with(&mut a, |ledger, now| {
            for _ in 0..reads {
                let draft = Draft::read(Details::new("show"), vec![]);
                let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
            }
        });
        super::clones::merge(&mut b, &a);
    }
    assert_eq!(sizes(&a)[&a.log], sizes(&b)[&a.log]);
    assert_honest("b", &b);
}
