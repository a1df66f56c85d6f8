//! One sound input for each fuzz target, made by the project's own writers from fixed randomness.

use crate::bodies::{example, example_proof, witness};
use base64ct::{Base64, Encoding};
use std::collections::BTreeMap;
use std::time::Duration;
use strongroom::chain::{
    AuditorsKey, BUNDLE_LEN, Card, Checkpoint, ConcernKey, CosignedCheckpoint, CosignedFile, Deed, Details, Device,
    DeviceKind, Entry, FileRef, Frontier, Handler, JoinRequest, Kind, Matter, Message, Namespace, Outcome, ProofFile,
    ProofWalk, Receipt, Role, SignedCheckpoint, Time, leaf_hash, log_key, sign_ssh, write_bundle,
};
use strongroom::crypto::{Argon2Params, ExampleEntropy, HybridSecret, SigningKey, make_secret, sha256};
use strongroom::env::Faults;
use strongroom::envelope::{
    BoxFile, Concern, ContentSealer, DetailFile, DetailKey, IdentityFile, IdentitySecrets, KeptFile, KeptText, Key,
    KeyUse, Keyring, Metadata, NewcomerFile, NewcomerSecrets, Purpose, RecoveryKey, Reply, ReplyCode, SealedConcern,
    SealedReply, WrapFile, seal_body, split_recovery_key,
};
use strongroom::id::{
    CompartmentId, DeviceId, Digest, EntryRef, Incarnation, KeyId, LogName, NoteId, PersonId, VaultId,
};
use strongroom::label::{Label, Level};
use strongroom::ledger::{Accepted, Withdrawn};
use strongroom::repo::{
    Batch, Mode, Object, Oid, RECORDS_PER_CUT, RefChange, Repo, Settings, TreeEntry, commit_bytes, tree_bytes,
};
use strongroom::secret::{Passphrase, Secret};

const VAULT: VaultId = VaultId([1; 16]);
const PERSON: PersonId = PersonId([2; 8]);
const DEVICE: DeviceId = DeviceId([3; 8]);
const NOTE: NoteId = NoteId([4; 16]);
const COMPARTMENT: CompartmentId = CompartmentId([5; 8]);
const LOG: LogName = LogName {
    device: DEVICE,
    incarnation: Incarnation([6; 4]),
};
const AUTHOR: &str = "device 0303030303030303 <0303030303030303@vault.invalid> 1767225600 +0000";

/// What an auditor's report is made of.
const BASIS: &str = r#"{"by":"mara","entry":"0303030303030303-06060606:8","hours":[7,19],"levels":["public","internal","confidential","restricted","named"],"logs":[{"log":"0303030303030303-06060606","root":"0707070707070707070707070707070707070707070707070707070707070707","size":9}],"look":2,"made":"2026-11-21T09:30:00Z","rows":[{"about":"04040404040404040404040404040404","actor":"0202020202020202","asked":null,"at":"0303030303030303-06060606:3","clients":["Grey <Orchard> & Co"],"kind":null,"left":null,"level":2,"notes":1,"purpose":"handover","reason":"gate call-out","recipients":[],"result":"done","rules":["officers-work"],"time":"2026-11-20T22:30:00Z","verb":"show","who":"mara"}],"since":null,"until":"2026-11-22T00:00:00Z","v":1,"vault":"01010101010101010101010101010101","verified":{"device":true,"findings":[],"founder":"0808080808080808080808080808080808080808080808080808080808080808","problems":[],"receipt":null,"roster":"0909090909090909090909090909090909090909090909090909090909090909","verdict":"intact","witnesses":[["inspectorate","2026-11-19T00:00:00Z"]]}}"#;

/// A page with plain front matter, as notes are exported.
const PAGE: &str = "---\ntitle: \"Gate 4: north\"\nclient: 'Jo''s Yard'\ncase: 2026-114\nlabel: confidential\ndate: \
                    2026-11-21\ntags: [gate, \"night shift\"]\nfields:\n  \"plate\": \"LX68QZV\"\n---\n\nSeen at six.\n";

/// Rules for an import.
const IMPORT_RULES: &str = "[columns]\nbody = \"What\"\n\n[[rule]]\npath = \"clients/halcyon/**\"\nlabel = \"confidential\"\nclient = \
                            \"Halcyon\"\ntitle = \"{folder}: {name}\"\n\n[[rule]]\ncolumn = \"kind\"\nis = \"incident*\"\ntemplate \
                            = \"incident\"\n\n[[rule]]\npath = \"**/old/*.md\"\nskip = true\n";

/// A table of notes.
const IMPORT_TABLE: &str =
    "id,body,date,Kind\n1,\"Seen, \"\"twice\"\"\nat six\",2026-11-21,visit\n2,Gate 4.,,incident\n3,short\n";

/// Target, name of the input, bytes.
pub(crate) fn make() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let sealed = sealed();
    vec![
        ("import_page", "plain", PAGE.as_bytes().to_vec()),
        (
            "import_page",
            "bad_unknown",
            b"---\nlayout: post\n---\nGate 4.\n".to_vec(),
        ),
        ("import_rules", "example", IMPORT_RULES.as_bytes().to_vec()),
        ("import_rules", "bad_silent", b"[[rule]]\npath = \"**\"\n".to_vec()),
        ("import_table", "visits", IMPORT_TABLE.as_bytes().to_vec()),
        (
            "import_table",
            "semicolons",
            b"text;date\nGate 4.;2026-11-21\n".to_vec(),
        ),
        ("accepted", "two_clones", accepted()),
        ("accepted", "with_main", accepted_with_main()),
        ("withdrawn", "card_and_rules", withdrawn()),
        ("bundle", "entries", bundle()),
        ("card", "founder", card()),
        (
            "cases",
            "shipped",
            include_bytes!("../../policies/access/cases.toml").to_vec(),
        ),
        ("cases", "one", CASE.as_bytes().to_vec()),
        ("checkpoint", "signed", checkpoint().to_text().into_bytes()),
        ("commit", "unsigned", commit(None)),
        (
            "commit",
            "signed",
            commit(Some(
                "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n",
            )),
        ),
        ("commit", "bad_tree", b"tree 0\nencoding x\n\n".to_vec()),
        ("concern_file", "concern", concern().to_page().into_bytes()),
        ("concern_file", "concern_bytes", concern().to_bytes()),
        (
            "concern_file",
            "mail",
            concern()
                .to_page()
                .lines()
                .map(|line| format!("> {line}\r\n"))
                .collect::<String>()
                .into_bytes(),
        ),
        ("concern_file", "reply", reply().to_page().into_bytes()),
        ("concern_file", "reply_bytes", reply().to_bytes()),
        (
            "concern_file",
            "reply_wide",
            format!("\u{feff}Grüße\n{}", reply().to_page())
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
        (
            "concern_file",
            "reply_latin",
            [b"Gr\xfc\xdfe\n", reply().to_page().replace('\n', "\n>").as_bytes()].concat(),
        ),
        (
            "concern_file",
            "reply_stored",
            reply().to_page().replacen("\nog", "=20\r\no=67=\r\n", 1).into_bytes(),
        ),
        (
            "concern_file",
            "bad_end",
            reply().to_page().replace("strongroom-end", "").into_bytes(),
        ),
        ("concern_key", "two", concern_key()),
        (
            "concern_key",
            "bad_order",
            String::from_utf8(concern_key())
                .unwrap()
                .replace("\"handle\":\"jon\"", "\"handle\":\"nora\"")
                .into_bytes(),
        ),
        ("cosigned", "once", example().to_text().into_bytes()),
        ("cosigned", "another", another_witness()),
        ("cosigned_file", "one_log", cosigned_file()),
        ("detail", "wrapped", detail()),
        ("details", "show", details().encode()),
        ("details", "bare", Details::new("list").encode()),
        ("entry", "begin", entry(0).to_line().unwrap()),
        ("entry", "read", entry(1).to_line().unwrap()),
        ("entry", "add", entry(2).to_line().unwrap()),
        ("entry", "approve", approval().to_line().unwrap()),
        ("entry", "hold", hold().to_line().unwrap()),
        ("envelope", "note", sealed.body),
        ("high_water", "third", high_water()),
        ("identity", "locked", identity()),
        ("identity", "newcomer", newcomer()),
        ("journal", "two_records", journal()),
        ("kept", "sealed", kept()),
        ("keybox", "sealed", sealed.keybox),
        (
            "levels",
            "shipped",
            include_bytes!("../../policies/levels.toml").to_vec(),
        ),
        ("message", "third", message()),
        ("names", "log", LOG.to_string().into_bytes()),
        (
            "names",
            "entry",
            EntryRef { log: LOG, seq: 10 }.to_string().into_bytes(),
        ),
        ("names", "device", DEVICE.to_string().into_bytes()),
        ("names", "note", NOTE.to_string().into_bytes()),
        ("names", "oid", Oid([1; 20]).to_string().into_bytes()),
        ("names", "digest", Digest([7; 32]).to_string().into_bytes()),
        ("names", "time", time().to_string().into_bytes()),
        ("note_key", "public", witness().public().to_string().into_bytes()),
        ("note_key", "secret", witness().to_text().as_bytes().to_vec()),
        ("note_key", "log", log_key_line()),
        ("proof", "inclusion", example_proof(7, 3, 0)),
        ("proof", "consistency", example_proof(11, 6, 1)),
        ("proof", "whole", example_proof(8, 8, 1)),
        ("proof", "alone", example_proof(1, 0, 0)),
        ("proof", "bad_empty", vec![0, 0, 0]),
        ("proof_file", "of_two", proof_file()),
        ("planted", "person", planted(0, 0, PATROL)),
        ("planted", "alias", planted(1, 4, HANDOVER)),
        ("planted", "client", planted(2, 1, "Brief for ")),
        ("planted", "phone", planted(3, 5, HANDOVER)),
        ("planted", "vehicle", planted(4, 2, PATROL)),
        ("planted", "code", planted(5, 3, "the gate opens with ")),
        ("part", "only", part()),
        ("picture", "jpeg", a_picture(Held::Jpeg)),
        ("picture", "png", a_picture(Held::Png)),
        ("picture", "webp", a_picture(Held::WebP)),
        ("picture", "webp_frames", a_picture(Held::Frames)),
        ("picture", "bad_tiff", camera()),
        (
            "picture",
            "bad_heic",
            [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x06Exif\0\0", &camera()[..]].concat(),
        ),
        ("portions", "mixed", [&[0, 9], MARKED.as_bytes()].concat()),
        (
            "portions",
            "open_fence",
            [&[0, 11], "(I) see\n```\nlog\n".as_bytes()].concat(),
        ),
        ("planted", "full_width", planted(0, 6, DISGUISED)),
        (
            "form_file",
            "template",
            include_bytes!("../../policies/templates/incident.toml").to_vec(),
        ),
        (
            "form_file",
            "rubric",
            include_bytes!("../../policies/rubrics/severity.toml").to_vec(),
        ),
        (
            "form_file",
            "metrics",
            include_bytes!("../../policies/rubrics/metrics.toml").to_vec(),
        ),
        (
            "form_file",
            "wording",
            include_bytes!("../../policies/rubrics/wording.toml").to_vec(),
        ),
        (
            "form_text",
            "sections",
            b"## (I) Timeline\n06:40 gate open\n\n## Action due\n<!-- say -->\n".to_vec(),
        ),
        (
            "form_text",
            "plain",
            b"The supplier's lamp was faulty. Call ___ by [date].\n".to_vec(),
        ),
        (
            "profile",
            "no_names",
            include_bytes!("../../policies/redaction/no-names.toml").to_vec(),
        ),
        (
            "profile",
            "strict",
            include_bytes!("../../policies/redaction/strict.toml").to_vec(),
        ),
        (
            "purposes",
            "shipped",
            include_bytes!("../../policies/purposes.toml").to_vec(),
        ),
        ("backup", "two_branches", backup_head().into_bytes()),
        (
            "backup",
            "bad_thin",
            format!("# v2 git bundle\n-{}\n\n", "a0".repeat(20)).into_bytes(),
        ),
        (
            "backup",
            "bad_tag",
            backup_head().replace("refs/heads/", "refs/tags/").into_bytes(),
        ),
        ("forgetting", "one_note", forgetting().into_bytes()),
        ("forgetting", "bad_end", forgetting().trim_end().as_bytes().to_vec()),
        ("reply_code", "zoo", format!("{}wrong", "zoo ".repeat(11)).into_bytes()),
        (
            "reply_code",
            "bad_check",
            format!("{}zoo", "zoo ".repeat(11)).into_bytes(),
        ),
        ("request", "officer", request()),
        (
            "retention",
            "shipped",
            include_bytes!("../../policies/retention/classes.toml").to_vec(),
        ),
        ("retention", "bad_twice", TWICE.as_bytes().to_vec()),
        ("listed", "a_vault_and_strays", listed().into_bytes()),
        (
            "listed",
            "bad_sha256",
            listed().replace("\t", &format!("{}\t", "0".repeat(24))).into_bytes(),
        ),
        ("pushed", "new_moved_and_gone", pushed().into_bytes()),
        (
            "pushed",
            "bad_name",
            pushed().replace("heads/main", "heads/ma..in").into_bytes(),
        ),
        (
            "remote_url",
            "ssh",
            b"ssh://git@hub.example:2222/vaults/north.git".to_vec(),
        ),
        ("remote_url", "short", b"git@hub.example:vaults/north.git".to_vec()),
        ("remote_url", "path", b"/srv/vaults/north.git".to_vec()),
        (
            "remote_url",
            "bad_option",
            b"ssh://-oProxyCommand=sh/north.git".to_vec(),
        ),
        ("remote_url", "bad_program", b"ext::sh -c id".to_vec()),
        ("receipt", "one_log", receipt()),
        ("receipt", "mail", mailed(&receipt())),
        ("receipt", "bad_two", [receipt(), receipt()].concat()),
        ("report", "basis", BASIS.as_bytes().to_vec()),
        (
            "report",
            "bad_size",
            BASIS.replace("\"size\":9", "\"size\":2").into_bytes(),
        ),
        ("recovery", "page", recovery_page()),
        ("share", "page", share_page()),
        ("share_set", "two_of_three", share_set()),
        ("redact", "patrol", PATROL.as_bytes().to_vec()),
        ("redact", "handover", HANDOVER.as_bytes().to_vec()),
        ("redact", "disguised", DISGUISED.as_bytes().to_vec()),
        // A placeholder that would touch the word before it.
        ("redact", "glued", "ma\u{204b}gpie and H.a.s.k\n".as_bytes().to_vec()),
        ("roster", "founder", vec![0, 0, 0b110, 0b11, 0b10, 0]),
        // The founder admits an officer; the officer becomes a lead and admits another.
        (
            "roster",
            "three",
            [FOUNDER, [1, 0, 0b010, 0b100, 0, 0], [2, 2, 0b100, 0b1000, 0, 0]].concat(),
        ),
        // A recovery key admits its owner's new device.
        ("roster", "recovery", [FOUNDER, [0, 1, 0b110, 0b111, 0b10, 0]].concat()),
        // A device is removed with 4 entries of its log, of which 9 are accepted later; then a card that takes some back.
        (
            "roster",
            "cut",
            [TWO_DEVICES, REMOVED, [36, 0, 0b110, 0b11, 0b10, 6]].concat(),
        ),
        (
            "roster",
            "bad_cut",
            [TWO_DEVICES, REMOVED, [12, 0, 0b110, 0b11, 0b10, 6]].concat(),
        ),
        ("roster", "bad_by_paper", [FOUNDER, [1, 1, 0b100, 0b100, 0, 0]].concat()),
        (
            "roster",
            "bad_by_officer",
            [FOUNDER, [1, 0, 0b100, 0b100, 0, 0], [2, 2, 0b100, 0b1000, 0, 0]].concat(),
        ),
        (
            "rules",
            "shipped",
            include_bytes!("../../policies/access/rules.cedar").to_vec(),
        ),
        ("rules", "one", RULE.as_bytes().to_vec()),
        (
            "sshsig",
            "card",
            sign_ssh(&key_of(1), Namespace::Card, b"an example\n").into_bytes(),
        ),
        (
            "loose",
            "deflated",
            b"x\x9cK\xca\xc9OR0fHLJ\x06\0\x11\xd9\x03\x19".to_vec(),
        ),
        ("loose", "stored", loose(&[b"blob 3\0abc"])),
        ("loose", "header_in_two", loose(&[b"blob", b" 3\0abc"])),
        ("loose", "bad_size", loose(&[b"blob 3\0", b"abcd"])),
        ("loose", "bad_sum", bad_sum()),
        ("pack_delta", "copy_and_insert", pack_delta(32)),
        ("pack_delta", "bad_base", pack_delta(33)),
        ("pack_index", "three", pack_index()),
        ("pack_index", "bad_order", pack_index_of(&[7, 5, 9])),
        ("query", "words", "gate Šárka 01632".into()),
        ("query", "phrase", "\"north gate\" lx68-qzv".into()),
        ("query", "bad_phrase", "\"north gate".into()),
        ("query", "bad_marks", "\"\" - ,".into()),
        ("tree", "mixed", tree()),
        ("wrap", "compartment", sealed.wrap),
        ("wrap", "named", sealed.named_wrap),
    ]
}

const PATROL: &str =
    "22:50 male approx 45, flat cap, silver estate LX68 QZV, left N. CORIN HASK? Rang +44 7700 900142.\n";
const HANDOVER: &str = "(I) Keep the north gate shut until 18:00 Monday.\n\n(R) Magpie has read Mr Hask's letter.\n";
const DISGUISED: &str =
    "C\u{43e}rin Ha\u{ad}sk, ma\u{200b}gpie, H.a.s.k and co\u{301}rin\u{2019}s hat; card 4111 1111 1111 1111\n";

const MARKED: &str =
    "# (I) Gate\n\nKeep it shut.\n\n(C) Who has the key\n- (I) the guard\n- another\n\n## Later\n\nText.\n";
const FOUNDER: [u8; 6] = [0, 0, 0b110, 0b11, 0b10, 0];
const TWO_DEVICES: [u8; 6] = [0, 0, 0b110, 0b100_0011, 0b10, 0];
const REMOVED: [u8; 6] = [16, 0, 0b110, 0b11, 0b10, 6];
const RULE: &str = r#"@id("readers")
@why("officers read what they are cleared for")
permit (principal, action == Action::"read", resource)
when { principal.roles.contains("officer") && context.cleared };
"#;
const CASE: &str = r#"[[case]]
name = "an officer reads"
rule = "officers-work"
expect = "permit"
action = "read"
roles = ["officer"]
clearance = "confidential/harbour"
label = "confidential/harbour"
"#;

fn planted(which: u8, how: u8, text: &str) -> Vec<u8> {
    [&[which, how, 0, 7], text.as_bytes()].concat()
}

fn key_of(n: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
}

fn part() -> Vec<u8> {
    let mut sealer = ContentSealer::begin(VAULT, NOTE, &mut entropy()).unwrap();
    let mut part = Vec::new();
    let digest = sealer.next_part(&mut part, &mut |_: &mut [u8]| Ok::<_, ()>(0));
    assert_eq!(digest, Ok(Some(sha256(&[&part]))));
    part
}

fn recovery_page() -> Vec<u8> {
    let key = RecoveryKey::make(&mut entropy()).unwrap();
    format!("Keep this page apart from the machine.\n\n  {}\n", *key.to_word()).into_bytes()
}

fn share_page() -> Vec<u8> {
    let split = split_recovery_key((VAULT, DEVICE, Digest([7; 32])), 2, 3, &mut entropy());
    let (_, _, shares) = split.unwrap().unwrap();
    format!("Any 2 of these 3 pages.\n\n{}\nKeep it.\n", *shares[2].to_text()).into_bytes()
}

fn share_set() -> Vec<u8> {
    let split = split_recovery_key((VAULT, DEVICE, Digest([7; 32])), 2, 3, &mut entropy());
    split.unwrap().unwrap().1.to_bytes()
}

fn kept() -> Vec<u8> {
    let text = KeptText {
        note: Some(NOTE),
        follows: vec![Digest([7; 32])],
        kept: 1_767_225_600,
        text: b"half a sentence".to_vec().into(),
        given: Default::default(),
    };
    let mut entropy = ExampleEntropy::new("kept");
    let key = make_secret(&mut entropy).unwrap();
    let file = KeptFile::seal(VAULT, DEVICE, &key, &text, &mut entropy).unwrap();
    file.to_bytes()
}

fn accepted() -> Vec<u8> {
    let mut accepted = Accepted::none(VAULT);
    accepted.accept("hub", LOG, 3, frontier().root());
    accepted.accept("stick", LOG, 2, Digest([7; 32]));
    accepted.encode()
}

fn accepted_with_main() -> Vec<u8> {
    let mut accepted = Accepted::none(VAULT);
    accepted.accept("hub", LOG, 3, frontier().root());
    accepted.accept_main("hub", Oid([9; 20]));
    accepted.encode()
}

fn withdrawn() -> Vec<u8> {
    let file = |(path, bytes): (&str, &[u8])| (path.to_owned(), bytes.to_vec());
    let before: BTreeMap<_, _> = [("policies/levels.toml", &b"old"[..])].map(file).into();
    let card = card();
    let after = [
        ("members/0001-0202020202020202.card", card.as_slice()),
        ("policies/levels.toml", b"new"),
        ("recovery/0303030303030303.shares", b"set"),
    ];
    Withdrawn::between(VAULT, Digest([8; 32]), &before, &after.map(file).into()).encode()
}

fn high_water() -> Vec<u8> {
    let mut cbor = minicbor::Encoder::new(Vec::new());
    cbor.map(6).unwrap();
    cbor.u8(0).unwrap().bytes(VAULT.as_bytes()).unwrap();
    cbor.u8(1).unwrap().str(&LOG.to_string()).unwrap();
    cbor.u8(2).unwrap().u64(3).unwrap();
    for (field, digest) in [(3, frontier().root()), (4, Digest([7; 32])), (5, Digest([12; 32]))] {
        cbor.u8(field).unwrap().bytes(digest.as_bytes()).unwrap();
    }
    cbor.into_writer()
}

fn entropy() -> ExampleEntropy {
    ExampleEntropy::new("fuzz seeds")
}

fn signing_key() -> SigningKey {
    SigningKey::from_seed(&make_secret(&mut entropy()).unwrap())
}

fn hybrid() -> HybridSecret {
    HybridSecret::from_seed(&make_secret(&mut entropy()).unwrap())
}

fn time() -> Time {
    Time::from_unix(1_767_225_600)
}

fn entry(seq: u64) -> Entry {
    let digest = |n: u8| Digest([n; 32]);
    let file = FileRef("notes/04".to_owned(), format!("{NOTE}.{}", digest(9)), digest(9));
    Entry {
        actor: PERSON,
        admitted: (seq == 0).then_some(digest(7)),
        because: (seq == 2).then_some(EntryRef { log: LOG, seq: 0 }),
        detail: KeyId([8; 8]),
        forgot: Vec::new(),
        held: Vec::new(),
        joined: Vec::new(),
        kind: match seq {
            0 => Some(Kind::Begin),
            2 => Some(Kind::Add),
            _ => None,
        },
        log: LOG,
        matter: None,
        policies: digest(10),
        prev: digest(11),
        result: Outcome::Done,
        roster: digest(12),
        sealed: Base64::encode_string(&[0x5e; 296]),
        seen: match seq {
            1 => {
                let incarnation = Incarnation([13; 4]);
                BTreeMap::from([(LogName { incarnation, ..LOG }, (17, digest(14)))])
            }
            _ => BTreeMap::new(),
        },
        seq,
        time: time(),
        v: 1,
        wrote: if seq == 2 { vec![file] } else { Vec::new() },
    }
}

fn approval() -> Entry {
    Entry {
        kind: Some(Kind::Approve),
        matter: Some(Matter {
            deed: Deed::Destroy,
            note: NOTE,
            objects: Digest([15; 32]),
            until: time(),
        }),
        wrote: Vec::new(),
        ..entry(2)
    }
}

/// What goes on from a hold, with no statement of its own.
fn hold() -> Entry {
    Entry {
        kind: Some(Kind::Hold),
        held: vec![NOTE, NoteId([0xfe; 16])],
        wrote: Vec::new(),
        ..entry(2)
    }
}

fn frontier() -> Frontier {
    let mut frontier = Frontier::default();
    (0..3).for_each(|seq| frontier.push(leaf_hash(&entry(seq).to_line().unwrap())));
    frontier
}

fn checkpoint() -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        vault: VAULT,
        log: LOG,
        size: frontier().size(),
        root: frontier().root(),
    };
    checkpoint.sign(&signing_key())
}

/// The example's checkpoint with a cosignature of a kind that is not known.
fn another_witness() -> Vec<u8> {
    format!("{}\u{2014} another.example/w AAAAAAAAAAAA\n", example().to_text()).into_bytes()
}

fn cosigned_file() -> Vec<u8> {
    let file = CosignedFile {
        witness: witness().public(),
        checkpoints: vec![example()],
    };
    file.to_text().into_bytes()
}

fn log_key_line() -> Vec<u8> {
    let key = log_key(VAULT, LOG, signing_key().public()).unwrap();
    key.to_string().into_bytes()
}

fn proof_file() -> Vec<u8> {
    let lines = [entry(0).to_line().unwrap(), entry(1).to_line().unwrap()];
    let mut walk = ProofWalk::inclusion(1, 2).unwrap();
    let mut tree = Frontier::default();
    for line in &lines {
        walk.leaf(leaf_hash(line));
        tree.push(leaf_hash(line));
    }
    let checkpoint = Checkpoint {
        vault: VAULT,
        log: LOG,
        size: 2,
        root: tree.root(),
    };
    let proof = ProofFile {
        line: Some(lines[1].clone()),
        index: 1,
        hashes: walk.end().unwrap(),
        checkpoint: CosignedCheckpoint::new(checkpoint.sign(&signing_key())),
    };
    proof.check(None).unwrap();
    proof.to_text().into_bytes()
}

fn message() -> Vec<u8> {
    let message = Message {
        line: entry(2).to_line().unwrap(),
        checkpoint: checkpoint(),
        frontier: frontier(),
    };
    message.to_bytes()
}

fn receipt() -> Vec<u8> {
    let receipt = Receipt {
        vault: VAULT,
        time: time(),
        founder: Digest([7; 32]),
        roster: Digest([12; 32]),
        checkpoints: vec![checkpoint()],
    };
    receipt.to_text().into_bytes()
}

/// A text as it comes back quoted in a mail.
fn mailed(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).replace('\n', "\r\n> ");
    format!("You wrote:\r\n> {text}\r\n\r\nThank you\r\n").into_bytes()
}

/// Short lines: a bundle is about their number.
fn bundle() -> Vec<u8> {
    let lines: Vec<String> = (0..BUNDLE_LEN).map(|n| format!("{{{n}}}")).collect();
    write_bundle(lines.iter().map(String::as_bytes))
}

fn card() -> Vec<u8> {
    let device = Device::new(
        DEVICE,
        DeviceKind::Device,
        &hybrid().recipient(),
        signing_key().public(),
    );
    let card = Card {
        auditors: Some(AuditorsKey::new(KeyId([9; 8]), &hybrid().recipient())),
        by: DEVICE,
        compartments: vec![COMPARTMENT],
        cuts: vec![],
        devices: vec![device],
        handle: "ines".to_owned(),
        joined: Vec::new(),
        keys: std::collections::BTreeMap::new(),
        lent: [("level-2".to_owned(), Time::from_unix(1_800_000_000))].into(),
        level: Level::Restricted.number(),
        n: 0,
        paused: false,
        person: PERSON,
        prev: Digest([0; 32]),
        roles: vec![Role::Lead, Role::Officer],
        time: time(),
        until: None,
        v: 1,
        vault: VAULT,
    };
    card.sign(&signing_key())
}

fn details() -> Details {
    let mut details = Details::new("show");
    details.level = Some(Level::Restricted);
    details.purpose = Some("duty".to_owned());
    details.reason = Some("letter at the gate".to_owned());
    details.recipients = vec!["piotr".to_owned()];
    details.left = Some(Digest([15; 32]));
    details.times = vec![1_767_225_600];
    details
}

struct Sealed {
    body: Vec<u8>,
    keybox: Vec<u8>,
    wrap: Vec<u8>,
    named_wrap: Vec<u8>,
}

fn sealed() -> Sealed {
    let random = &mut entropy();
    let metadata = Metadata {
        title: "Gate".to_owned(),
        client: "Halcyon".to_owned(),
        case: String::new(),
        created: 1_767_225_600,
        modified: 1_767_225_600,
        happened: None,
        author: PERSON,
        parents: Vec::new(),
        number: 1,
        fields: Vec::new(),
    };
    let (body, key) = seal_body(VAULT, NOTE, Purpose::Note, &metadata, b"north gate shut", random).unwrap();
    let restricted = Key::make(KeyUse::Level(Level::Restricted), None, [1; 8], random).unwrap();
    let name = Some("Halcyon".to_owned());
    let halcyon = Key::make(KeyUse::Compartment(COMPARTMENT), name, [1; 8], random).unwrap();
    let keys = Keyring::new([restricted, halcyon]);
    let recipient = hybrid().recipient();
    let mut wrap = |label: Label| {
        let digest = sha256(&[&body]);
        let recipients = std::slice::from_ref(&recipient);
        WrapFile::wrap(VAULT, NOTE, digest, &label, &key, &keys, recipients, random)
            .unwrap()
            .to_bytes()
    };
    Sealed {
        wrap: wrap(Label::new(Level::Restricted, [COMPARTMENT]).unwrap()),
        named_wrap: wrap(Label::named([PERSON], []).unwrap()),
        keybox: BoxFile::seal(VAULT, DEVICE, &recipient, &keys, random)
            .unwrap()
            .to_bytes(),
        body,
    }
}

fn detail() -> Vec<u8> {
    let random = &mut entropy();
    let auditors = Key::make(KeyUse::Auditors, None, [1; 8], random).unwrap();
    let key = DetailKey::make(random).unwrap();
    let devices = [(DEVICE, hybrid().recipient())];
    let file = DetailFile::wrap(
        VAULT,
        DEVICE,
        &key,
        (auditors.id, &auditors.recipient()),
        &devices,
        random,
    )
    .unwrap();
    file.to_bytes()
}

fn identity() -> Vec<u8> {
    let random = &mut entropy();
    let secrets = IdentitySecrets::make(PERSON, "ines".to_owned(), Digest([7; 32]), random).unwrap();
    let passphrase = Passphrase::new("an example, and no secret".to_owned());
    let file = IdentityFile::seal(VAULT, DEVICE, &secrets, &passphrase, Argon2Params::DEFAULT, random).unwrap();
    file.to_text().into_bytes()
}

fn newcomer() -> Vec<u8> {
    let random = &mut entropy();
    let secrets = NewcomerSecrets::make("ines".to_owned(), random).unwrap();
    let passphrase = Passphrase::new("an example, and no secret".to_owned());
    let file = NewcomerFile::seal(DEVICE, &secrets, &passphrase, Argon2Params::DEFAULT, random).unwrap();
    file.to_text().into_bytes()
}

fn request() -> Vec<u8> {
    let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
    let request = JoinRequest {
        device: Device::new(DEVICE, DeviceKind::Device, &hybrid().recipient(), key.public()),
        handle: "ines".to_owned(),
        time: time(),
        v: 1,
    };
    let file = request.sign(&key);
    file.split_inclusive(|byte| *byte == b'\n').nth(1).unwrap().to_vec()
}

/// A concern without a name, for two people.
fn concern() -> SealedConcern {
    let mut entropy = ExampleEntropy::new("concern");
    let code = ReplyCode::make(&mut entropy).unwrap();
    let concern = Concern {
        text: "The gate log is filled in before the shift.".to_owned().into(),
        reply: code.reply_key(),
        key: Digest([7; 32]),
        to: vec![PERSON],
        left_out: vec![PersonId([8; 8])],
    };
    SealedConcern::seal(VAULT, &concern, &[hybrid().recipient()], &mut entropy).unwrap()
}

fn reply() -> SealedReply {
    let mut entropy = ExampleEntropy::new("reply");
    let code = ReplyCode::make(&mut entropy).unwrap();
    let reply = Reply {
        text: "We look at it tonight.".to_owned().into(),
        day: 20_778,
    };
    SealedReply::seal(&code.reply_key(), &reply, &mut entropy).unwrap()
}

/// The line of a key for concerns, by the key of the seeds.
fn concern_key() -> Vec<u8> {
    let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
    let card: Card = serde_json::from_slice(card().split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let other = Card {
        person: PersonId([9; 8]),
        handle: "jon".to_owned(),
        ..card.clone()
    };
    // Sorted by handle, whatever order they come in.
    let handlers = vec![
        Handler::of(&other),
        Handler::of(&Card {
            handle: "mara".to_owned(),
            ..card
        }),
    ];
    let concern = ConcernKey::new(VAULT, Digest([8; 32]), time(), handlers, (DEVICE, key.public()));
    let file = concern.to_file(|namespace, message| sign_ssh(&key, namespace, message));
    file.split_inclusive(|byte| *byte == b'\n').nth(1).unwrap().to_vec()
}

fn commit(signature: Option<&str>) -> Vec<u8> {
    commit_bytes(Oid([1; 20]), &[Oid([2; 20])], AUTHOR, "a line\n", signature).unwrap()
}

/// An object's own file, of these stored blocks.
fn loose(blocks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0x78, 0x01];
    for (at, block) in blocks.iter().enumerate() {
        let length = block.len() as u16;
        bytes.push(u8::from(at + 1 == blocks.len()));
        bytes.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        bytes.extend_from_slice(block);
    }
    // Adler-32 (RFC 1950).
    let (a, b) = blocks.concat().iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (a + b) % 65521)
    });
    bytes.extend((b << 16 | a).to_be_bytes());
    bytes
}

/// Whose last byte is another.
fn bad_sum() -> Vec<u8> {
    let mut bytes = loose(&[b"blob 3\0abc"]);
    *bytes.last_mut().expect("it has a sum") ^= 1;
    bytes
}

/// 32 bytes, and a difference from so many: eight of them from the fourth on, and three others.
fn pack_delta(base: u8) -> Vec<u8> {
    let bytes: Vec<u8> = (0..32).collect();
    [&bytes[..], &[base, 11, 0x91, 4, 8, 3], b"new"].concat()
}

fn pack_index() -> Vec<u8> {
    pack_index_of(&[5, 7, 9])
}

/// An index of objects whose ids begin so; checksums and places are zeros.
fn pack_index_of(firsts: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
    for first in 0..=255u8 {
        let below = firsts.iter().filter(|known| **known <= first).count();
        bytes.extend_from_slice(&(below as u32).to_be_bytes());
    }
    firsts.iter().for_each(|first| bytes.extend_from_slice(&[*first; 20]));
    bytes.resize(bytes.len() + firsts.len() * 8 + 40, 0);
    bytes
}

fn tree() -> Vec<u8> {
    let entry = |mode, name: &str| TreeEntry {
        mode,
        name: name.to_owned(),
        oid: Oid([1; 20]),
    };
    tree_bytes(vec![
        entry(Mode::File, "a.b"),
        entry(Mode::Tree, "a"),
        entry(Mode::File, "vault.toml"),
    ])
    .unwrap()
}

/// The journal of a vault with two writes, without the zeros at its end.
fn journal() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("vault");
    let settings = Settings {
        boot: Some([1; 16]),
        faults: Faults::none(),
        records_per_cut: RECORDS_PER_CUT,
    };
    let repo = Repo::create(&dir, settings).unwrap();
    let lock = repo.lock(Duration::from_secs(10)).unwrap();
    repo.recover(&lock).unwrap();
    for note in [b"first".to_vec(), b"second".to_vec()] {
        let object = Object::blob(note.clone());
        let tree = tree_bytes(vec![TreeEntry {
            mode: Mode::File,
            name: "file".to_owned(),
            oid: object.oid(),
        }]);
        let tree = Object {
            kind: strongroom::repo::Kind::Tree,
            bytes: tree.unwrap(),
        };
        let commit = Object::commit(commit_bytes(tree.oid(), &[], AUTHOR, "a line\n", None).unwrap());
        let name = "refs/heads/main".to_owned();
        let change = RefChange {
            old: repo.ref_target(&name).unwrap(),
            new: Some(commit.oid()),
            name,
        };
        let batch = Batch {
            objects: vec![object, tree, commit],
            refs: vec![change],
            note,
        };
        let _durable = repo.commit(&lock, &batch).unwrap();
    }
    let mut image = std::fs::read(dir.join("strongroom.journal")).unwrap();
    image.truncate(image.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    image
}

/// The head of a backup of a vault with a log.
fn backup_head() -> String {
    let oid = "0123456789".repeat(4);
    format!("# v2 git bundle\n{oid} HEAD\n{oid} refs/heads/audit/0102030405060708-090a0b0c\n{oid} refs/heads/main\n\n")
}

/// Where the branches of a note stood before it was destroyed.
fn forgetting() -> String {
    let oid = "0123456789".repeat(4);
    format!("refs/heads/keys/a0 {oid}\nrefs/heads/notes/a0 {oid}\n")
}

/// What git gives a hook.
fn pushed() -> String {
    let (none, old, new) = ("0".repeat(40), "0123456789".repeat(4), "9876543210".repeat(4));
    format!("{old} {new} refs/heads/main\n{none} {new} refs/heads/notes/a0\n{old} {none} refs/tags/x\n")
}

/// What git says of another repository's refs.
fn listed() -> String {
    let oid = "0123456789".repeat(4);
    format!("{oid}\trefs/heads/main\n{oid}\trefs/heads/notes/a0\n{oid}\trefs/heads/a b\n{oid}\trefs/tags/x\n")
}

/// Two classes that both want one template.
const TWICE: &str =
    "[classes.a]\nabout = \"a\"\ntemplates = [\"t\"]\n[classes.b]\nabout = \"b\"\ntemplates = [\"t\"]\n";

/// In what a picture is held.
enum Held {
    Jpeg,
    Png,
    WebP,
    /// A WebP of several pictures.
    Frames,
}

/// A picture that tells of a place and a device, with hardly a picture in it.
fn a_picture(held: Held) -> Vec<u8> {
    let camera = camera();
    let big = |n: usize| u32::try_from(n).unwrap().to_be_bytes();
    let little = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let chunk = |kind: &[u8; 4], content: &[u8]| [&big(content.len())[..], kind, content, b"crc!"].concat();
    let part = |kind: &[u8; 4], content: &[u8]| {
        [&kind[..], &little(content.len()), content, &[0][..content.len() % 2]].concat()
    };
    match held {
        Held::Jpeg => {
            let size = u16::try_from(camera.len() + 8).unwrap().to_be_bytes();
            [
                b"\xff\xd8\xff\xe1",
                &size[..],
                b"Exif\0\0",
                &camera,
                b"\xff\xdb\0\x05abc\xff\xda\0\x04ab\x11\xff\0\x22\xff\xd9after",
            ]
            .concat()
        }
        Held::Png => [
            b"\x89PNG\r\n\x1a\n",
            &chunk(b"IHDR", &[1; 13])[..],
            &chunk(b"eXIf", &camera),
            &chunk(b"tEXt", b"Author\0somebody"),
            &chunk(b"IDAT", b"pixels"),
            &chunk(b"IEND", b""),
        ]
        .concat(),
        Held::WebP => {
            let parts = [
                part(b"VP8X", &[0x0c, 0, 0, 0, 1, 0, 0, 1, 0, 0]),
                part(b"VP8 ", b"pixel"),
                part(b"EXIF", &camera),
                part(b"XMP ", b"<x:xmpmeta/>"),
            ]
            .concat();
            [b"RIFF", &little(parts.len() + 4)[..], b"WEBP", &parts].concat()
        }
        Held::Frames => {
            let frame = [
                &[0; 16][..],
                &part(b"ALPH", b"see"),
                &part(b"EXIF", &camera),
                &part(b"VP8 ", b"pixel"),
            ]
            .concat();
            let parts = [
                part(b"VP8X", &[0x02, 0, 0, 0, 1, 0, 0, 1, 0, 0]),
                part(b"ANIM", &[0; 6]),
                part(b"ANMF", &frame),
            ]
            .concat();
            [b"RIFF", &little(parts.len() + 4)[..], b"WEBP", &parts].concat()
        }
    }
}

/// EXIF of a camera that knew where it was.
fn camera() -> Vec<u8> {
    let field = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [
            &tag.to_be_bytes()[..],
            &kind.to_be_bytes(),
            &count.to_be_bytes(),
            &value,
        ]
        .concat()
    };
    [
        b"MM\0*\0\0\0\x08\0\x02",
        &field(0x010f, 2, 4, *b"Kes\0")[..],
        &field(0x8825, 4, 1, 38u32.to_be_bytes()),
        b"\0\0\0\0\0\x01",
        &field(1, 2, 2, *b"N\0\0\0"),
        b"\0\0\0\0",
    ]
    .concat()
}
