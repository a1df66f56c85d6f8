//! A sealed concern on its way is in a stranger's hands. What they make of it is given to the real program: it refuses, records
//! nothing, loses nothing and does not fall over.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use base64ct::{Base64, Encoding};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use strongroom::chain::ConcernKey;
use strongroom::crypto::Recipient;
use strongroom::env::SystemEntropy;
use strongroom::envelope::{Concern, ReplyCode, SealedConcern};
use strongroom::id::{PersonId, VaultId};
use zeroize::Zeroizing;

const BEGIN: &str = "strongroom-concern-1";
const END: &str = "strongroom-end";

/// A home with a vault whose concerns go to mara and jon, and that of somebody without a vault in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::write(home.path("passphrase"), "orchid tractor velvet magnet").unwrap();
        std::fs::create_dir(home.path("run")).unwrap();
        std::fs::set_permissions(home.path("run"), std::fs::Permissions::from_mode(0o700)).unwrap();
        home.run(&["init", "--name", "mara"]);
        let jon = ["--identity", "jon.identity"];
        home.run(
            &[
                &["member", "request", "--name", "jon", "--out", "jon.request"][..],
                &jon,
            ]
            .concat(),
        );
        home.run(&["member", "admit", "jon.request", "--clearance", "confidential", "--yes"]);
        home.run(&[&["list"][..], &jon].concat());
        let template = home.run(&["policy", "show", "templates/concern.toml"]);
        let handled = template.replace("handlers = []", "handlers = [\"jon\", \"mara\"]");
        std::fs::write(home.path("concern.toml"), handled).unwrap();
        home.run(&[
            "policy",
            "edit",
            "templates/concern.toml",
            "--from",
            "concern.toml",
            "--yes",
        ]);
        home.run(&["concern", "key", "--out", "concerns.key"]);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn try_run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.args(words).current_dir(self.0.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.0.path())
            .env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("STRONGROOM_PASSPHRASE_FILE", self.path("passphrase"));
        command.stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> String {
        let ran = self.try_run(words);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{words:?}: {said}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// A concern that somebody writes without a name.
    fn write(&self, text: &str, out: &str) -> String {
        std::fs::write(self.path("text"), text).unwrap();
        self.run(&[
            "concern",
            "write",
            "--key",
            "concerns.key",
            "--file",
            "text",
            "--out",
            out,
            "--yes",
        ]);
        std::fs::read_to_string(self.path(out)).unwrap()
    }

    /// What the program makes of a page.
    fn receive(&self, page: &[u8]) -> Output {
        std::fs::write(self.path("page"), page).unwrap();
        self.try_run(&["concern", "receive", "page"])
    }

    /// All notes, as one list.
    fn notes(&self) -> String {
        self.run(&["list", "--json"])
    }

    /// Gives the program a page that it is not to take.
    #[track_caller]
    fn refuses(&self, what: &str, page: &[u8], before: &str) {
        let ran = self.receive(page);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        let code = ran.status.code().unwrap_or_else(|| panic!("{what}: killed: {said}"));
        assert!((1..=3).contains(&code), "{what}: exit code {code}: {said}");
        assert!(!said.contains("panicked"), "{what}: {said}");
        assert!(said.starts_with("strongroom: "), "{what}: {said}");
        assert_eq!(self.notes(), before, "{what}");
    }
}

fn page_of(bytes: &[u8]) -> Vec<u8> {
    format!("{BEGIN}\n{}\n{END}\n", Base64::encode_string(bytes)).into_bytes()
}

fn bytes_of(page: &str) -> Vec<u8> {
    let inside: String = page.lines().filter(|line| *line != BEGIN && *line != END).collect();
    Base64::decode_vec(&inside).unwrap()
}

/// The members of the outer map, each as it stands there.
fn members(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let count = decoder.map().unwrap().unwrap();
    let member = |_| {
        let begin = decoder.position();
        decoder.skip().unwrap();
        decoder.skip().unwrap();
        bytes[begin..decoder.position()].to_vec()
    };
    (0..count).map(member).collect()
}

/// The slots of the member that holds them.
fn slots(member: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = minicbor::Decoder::new(member);
    decoder.skip().unwrap();
    let count = decoder.array().unwrap().unwrap();
    let slot = |_| {
        let begin = decoder.position();
        decoder.skip().unwrap();
        member[begin..decoder.position()].to_vec()
    };
    (0..count).map(slot).collect()
}

fn map_of(members: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0xa0 | u8::try_from(members.len()).unwrap()];
    members.iter().for_each(|member| bytes.extend(member));
    bytes
}

#[test]
fn what_a_stranger_makes_of_a_sealed_concern_is_refused() {
    let home = Home::new();
    let first = home.write("The gate log is filled in before the shift begins.", "first");
    let second = home.write("It is still done so.", "second");
    let (one, two) = (bytes_of(&first), bytes_of(&second));
    let before = home.notes();

    // Changed: a byte in every region of it.
    for at in (0..one.len()).step_by(one.len() / 14) {
        let mut bad = one.clone();
        bad[at] ^= 0x41;
        home.refuses(&format!("byte {at} changed"), &page_of(&bad), &before);
    }
    // Cut short, and made longer; as bytes and as the text that carries them.
    for cut in [0, 1, 40, one.len() / 2, one.len() - 1] {
        home.refuses(&format!("cut to {cut} bytes"), &page_of(&one[..cut]), &before);
    }
    for cut in [
        BEGIN.len() - 1,
        BEGIN.len() + 1,
        first.len() / 2,
        first.len() - END.len() - 2,
    ] {
        home.refuses(&format!("page cut to {cut}"), &first.as_bytes()[..cut], &before);
    }
    home.refuses("made longer", &page_of(&[&one[..], &[0]].concat()), &before);
    home.refuses("twice on a page", format!("{first}\n{second}").as_bytes(), &before);
    home.refuses("not a text", &[0xff, 0xfe, 0], &before);
    home.refuses("very large", &vec![b'A'; 2 << 20], &before);
    // Parts of one in the other, and in another order.
    let (ours, theirs) = (members(&one), members(&two));
    assert_eq!(map_of(&ours), one);
    for part in 1..ours.len() {
        let mut mixed = ours.clone();
        mixed[part].clone_from(&theirs[part]);
        home.refuses(&format!("part {part} of another"), &page_of(&map_of(&mixed)), &before);
        mixed.clone_from(&ours);
        mixed.remove(part);
        home.refuses(&format!("without part {part}"), &page_of(&map_of(&mixed)), &before);
    }
    let mut turned = ours.clone();
    let mut slots = slots(&turned[3]);
    let head = turned[3].len() - slots.iter().map(Vec::len).sum::<usize>();
    slots.rotate_left(1);
    turned[3].truncate(head);
    turned[3].extend(slots.concat());
    home.refuses("slots in another order", &page_of(&map_of(&turned)), &before);
    let mut unordered = ours.clone();
    unordered.swap(0, 1);
    home.refuses("members in another order", &page_of(&map_of(&unordered)), &before);

    // Through all of that the true one arrives, once.
    let received = home.receive(first.as_bytes());
    assert!(
        received.status.success(),
        "{}",
        String::from_utf8_lossy(&received.stderr)
    );
    let note = String::from_utf8(received.stdout).unwrap().trim().to_owned();
    let after = home.notes();
    let again: [&[u8]; 2] = [first.as_bytes(), &page_of(&one)];
    for page in again {
        assert!(!String::from_utf8_lossy(&home.receive(page).stderr).contains("panicked"));
        assert_eq!(home.notes(), after, "received twice");
    }
    let why = ["--purpose", "duty", "--why", "what it says"];
    let shown = home.run(&[&["show", &note][..], &why].concat());
    assert!(
        shown.contains("> The gate log is filled in before the shift begins."),
        "{shown}"
    );
    assert!(home.run(&["audit", "verify"]).starts_with("intact"));
}

/// A concern as a stranger would have it, with nothing of it checked.
fn concern(text: &str, key: &ConcernKey, to: Vec<PersonId>, left_out: Vec<PersonId>) -> Concern {
    Concern {
        text: Zeroizing::new(text.to_owned()),
        reply: ReplyCode::make(&mut SystemEntropy).unwrap().reply_key(),
        key: key.digest(),
        to,
        left_out,
    }
}

fn sealed(vault: VaultId, concern: &Concern, to: &[Recipient]) -> Vec<u8> {
    let sealed = SealedConcern::seal(vault, concern, to, &mut SystemEntropy).unwrap();
    sealed.to_page().into_bytes()
}

fn key_of(path: &Path) -> ConcernKey {
    ConcernKey::parse(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn what_is_sealed_anew_with_a_program_of_ones_own_is_a_concern_of_its_own_or_none() {
    let home = Home::new();
    let true_one = home.write("The gate log is filled in before the shift begins.", "first");
    let note = home.run(&["concern", "receive", "first"]);
    let before = home.notes();
    let key = key_of(&home.path("concerns.key"));
    let devices: Vec<Recipient> = key
        .handlers
        .iter()
        .flat_map(|handler| handler.recipients().unwrap())
        .collect();
    let mut people: Vec<PersonId> = key.handlers.iter().map(|handler| handler.person).collect();
    people.sort_unstable();
    let good = || people.clone();
    let stranger = PersonId([0xee; 8]);
    let long = "a".repeat(200 * 1024);
    let bad: [(&str, Concern); 6] = [
        ("to nobody", concern("x", &key, Vec::new(), Vec::new())),
        (
            "to people out of order",
            concern("x", &key, good().into_iter().rev().collect(), Vec::new()),
        ),
        ("to whom it leaves out", concern("x", &key, good(), vec![people[0]])),
        ("without a text", concern(" \n", &key, good(), Vec::new())),
        (
            "with a character that ends texts",
            concern("a\0b", &key, good(), Vec::new()),
        ),
        ("with a text that is too long", concern(&long, &key, good(), Vec::new())),
    ];
    for (what, concern) in &bad {
        home.refuses(what, &sealed(key.vault, concern, &devices), &before);
    }
    let plain = concern("All is well. I take it back.", &key, good(), Vec::new());
    home.refuses(
        "for another vault",
        &sealed(VaultId([7; 16]), &plain, &devices),
        &before,
    );

    // What is well made is somebody's concern, under a key that is not the writer's of the first: it adds nothing to that.
    let others = concern(
        "I take it back.",
        &key,
        vec![people[0], stranger],
        vec![PersonId([0xef; 8])],
    );
    for made in [&plain, &others] {
        let ran = home.receive(&sealed(key.vault, made, &devices));
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        if ran.status.success() {
            assert_ne!(String::from_utf8(ran.stdout).unwrap().trim(), note);
        }
    }
    let why = ["--purpose", "duty", "--why", "what it says"];
    let shown = home.run(&[&["show", &note][..], &why].concat());
    assert!(
        !shown.contains("take it back") && shown.contains("> The gate log"),
        "{shown}"
    );
    assert!(
        home.run(&["history", &note, "--json", why[0], why[1], why[2], why[3]])
            .contains("\"revision\":1")
    );
    assert!(!String::from_utf8_lossy(&home.receive(true_one.as_bytes()).stderr).contains("panicked"));
    assert!(home.run(&["audit", "verify"]).starts_with("intact"));
}
