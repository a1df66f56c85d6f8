//! The worked example of docs/FORMAT.md, made again from fixed inputs and compared byte by byte.
//!
//! After a deliberate change of the format: `cargo test --test format -- --ignored` writes the blocks anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use strongroom::chain::{
    Card, Checkpoint, CosignedCheckpoint, CosignedFile, Details, Device, DeviceKind, Entry, FileRef, Frontier, Kind,
    Message, Outcome, ProofFile, ProofWalk, Receipt, Role, Time, Witness, leaf_hash, log_key,
};
use strongroom::crypto::{
    Argon2Params, Entropy, ExampleEntropy, HybridSecret, SigningKey, StreamKey, derive_key, length_prefixed, sha256,
    xopen,
};
use strongroom::envelope::{
    BoxFile, Concern, ContentSealer, DetailKey, IdentityFile, IdentitySecrets, Key, KeyUse, Keyring, Metadata, Purpose,
    Reply, ReplyCode, SealedConcern, SealedReply, WrapFile, seal_body,
};
use strongroom::id::{DeviceId, Digest, EntryRef, LogName, NoteId, PersonId, VaultId};
use strongroom::label::{Label, Level};
use strongroom::secret::{Passphrase, Secret};

const VAULT: &str = "00112233445566778899aabbccddeeff";
const NOTE: &str = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
const PERSON: &str = "1112131415161718";
const DEVICE: &str = "0102030405060708";
const LOG: &str = "0102030405060708-090a0b0c";
const TEXT: &str = "gate 4: code changed";
const ATTACHED: &str = "shut";

fn vault() -> VaultId {
    VAULT.parse().unwrap()
}

fn note() -> NoteId {
    NOTE.parse().unwrap()
}

/// The next `N` bytes of an example source.
fn drawn<const N: usize>(entropy: &mut ExampleEntropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes).unwrap();
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hex in lines of 64 digits.
fn hex_lines(bytes: &[u8]) -> String {
    hex(bytes)
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", std::str::from_utf8(line).unwrap()))
        .collect()
}

struct Made {
    secrets: IdentitySecrets,
    body: Vec<u8>,
    content_key: [u8; 32],
    head: Vec<u8>,
    part: Vec<u8>,
    attachment_key: [u8; 32],
    wrap: Vec<u8>,
    level_key: [u8; 32],
    key_id: [u8; 8],
    concern: Vec<u8>,
    reply: Vec<u8>,
    blocks: BTreeMap<&'static str, String>,
}

fn metadata() -> Metadata {
    Metadata {
        title: "Gate 4".into(),
        client: "Halcyon".into(),
        case: String::new(),
        created: 1_795_253_400,
        modified: 1_795_253_400,
        happened: None,
        author: PERSON.parse().unwrap(),
        parents: Vec::new(),
        number: 1,
        fields: Vec::new(),
    }
}

fn make() -> Made {
    let mut blocks = BTreeMap::new();
    let (person, device): (PersonId, DeviceId) = (PERSON.parse().unwrap(), DEVICE.parse().unwrap());
    let log: LogName = LOG.parse().unwrap();
    let time: Time = "2026-11-21T09:30:00Z".parse().unwrap();

    let mut entropy = ExampleEntropy::new("identity");
    let mut secrets = IdentitySecrets::make(person, "mara".into(), Digest([0; 32]), &mut entropy).unwrap();
    let signing = SigningKey::from_seed(&secrets.signing_seed);
    let recipient = HybridSecret::from_seed(&secrets.recipient_seed).recipient();
    let card = Card {
        auditors: None,
        by: device,
        compartments: Vec::new(),
        cuts: vec![],
        devices: vec![Device::new(device, DeviceKind::Device, &recipient, signing.public())],
        handle: "mara".into(),
        joined: Vec::new(),
        keys: std::collections::BTreeMap::new(),
        lent: Default::default(),
        level: 3,
        n: 0,
        paused: false,
        person,
        prev: Digest([0; 32]),
        roles: vec![Role::Lead, Role::Officer],
        time,
        until: None,
        v: 1,
        vault: vault(),
    };
    secrets.founder_pin = card.digest();
    let passphrase = Passphrase::new("orchid tractor velvet magnet".into());
    let identity = IdentityFile::seal(
        vault(),
        device,
        &secrets,
        &passphrase,
        Argon2Params::DEFAULT,
        &mut entropy,
    )
    .unwrap();
    blocks.insert("identity", identity.to_text());
    blocks.insert("card", format!("founder pin  {}\n", card.digest()));

    let mut shadow = ExampleEntropy::new("level key");
    let (key_id, level_key) = (drawn(&mut shadow), drawn(&mut shadow));
    let key = Key::make(
        KeyUse::Level(Level::Restricted),
        None,
        [0; 8],
        &mut ExampleEntropy::new("level key"),
    )
    .unwrap();
    let ring = Keyring::new([key]);
    blocks.insert(
        "level-key",
        format!("key id  {}\nkey     {}\n", hex(&key_id), hex(&level_key)),
    );
    let sealed_box = BoxFile::seal(vault(), device, &recipient, &ring, &mut ExampleEntropy::new("key box"))
        .unwrap()
        .to_bytes();
    blocks.insert(
        "key-box",
        format!("{} bytes, H = {}\n", sealed_box.len(), sha256(&[&sealed_box])),
    );

    let (body, key) = seal_body(
        vault(),
        note(),
        Purpose::Note,
        &metadata(),
        TEXT.as_bytes(),
        &mut ExampleEntropy::new("body"),
    )
    .unwrap();
    let content_key = drawn(&mut ExampleEntropy::new("body"));
    let digest = sha256(&[&body]);
    blocks.insert(
        "body",
        format!(
            "content key  {}\nH            {digest}\n{}",
            hex(&content_key),
            hex_lines(&body)
        ),
    );
    let label = Label::new(Level::Restricted, []).unwrap();
    let mut entropy = ExampleEntropy::new("wrap");
    let wrap = WrapFile::wrap(vault(), note(), digest, &label, &key, &ring, &[], &mut entropy)
        .unwrap()
        .to_bytes();
    blocks.insert("wrap", format!("H  {}\n{}", sha256(&[&wrap]), hex_lines(&wrap)));

    let mut sealer = ContentSealer::begin(vault(), note(), &mut ExampleEntropy::new("attachment")).unwrap();
    let (mut part, mut content) = (Vec::new(), ATTACHED.as_bytes());
    let mut read = |out: &mut [u8]| std::io::Read::read(&mut content, out);
    let part_digest = sealer.next_part(&mut part, &mut read).unwrap();
    assert_eq!(part_digest, Some(sha256(&[&part])));
    let mut attached = metadata();
    attached.title = "gate.txt".into();
    attached.client = String::new();
    let (head, _, _) = sealer.finish(&attached).unwrap();
    let attachment_key = drawn(&mut ExampleEntropy::new("attachment"));
    blocks.insert(
        "part",
        format!(
            "content key  {}\nH            {}\n{}",
            hex(&attachment_key),
            sha256(&[&part]),
            hex_lines(&part)
        ),
    );
    blocks.insert("head", format!("{} bytes, H = {}\n", head.len(), sha256(&[&head])));

    let detail = DetailKey::make(&mut ExampleEntropy::new("detail key")).unwrap();
    let mut frontier = Frontier::default();
    frontier.push(leaf_hash(b"the first entry of this example is left out"));
    let mut details = Details::new("add");
    details.level = Some(Level::Restricted);
    details.client = Some("Halcyon".into());
    let place = EntryRef { log, seq: 1 };
    let name = |digest: Digest| format!("{NOTE}.{digest}");
    let entry = Entry {
        actor: person,
        admitted: None,
        because: None,
        detail: detail.id,
        forgot: Vec::new(),
        held: Vec::new(),
        joined: Vec::new(),
        kind: Some(Kind::Add),
        log,
        matter: None,
        policies: sha256(&[b"policies"]),
        prev: leaf_hash(b"the first entry of this example is left out"),
        result: Outcome::Done,
        roster: card.digest(),
        sealed: details
            .seal(vault(), place, &detail, &mut ExampleEntropy::new("sealed"))
            .unwrap(),
        seen: BTreeMap::new(),
        seq: 1,
        time,
        v: 1,
        wrote: vec![
            FileRef("keys/a0".into(), name(sha256(&[&wrap])), sha256(&[&wrap])),
            FileRef("notes/a0".into(), name(digest), digest),
        ],
    };
    let line = entry.to_line().unwrap();
    frontier.push(leaf_hash(&line));
    let checkpoint = Checkpoint {
        vault: vault(),
        log,
        size: 2,
        root: frontier.root(),
    }
    .sign(&signing);
    let message = Message {
        line: line.clone(),
        checkpoint: checkpoint.clone(),
        frontier,
    };
    blocks.insert("message", String::from_utf8(message.to_bytes()).unwrap());
    let receipt = Receipt {
        vault: vault(),
        time,
        founder: card.digest(),
        roster: card.digest(),
        checkpoints: vec![checkpoint.clone()],
    };
    blocks.insert("receipt", receipt.to_text());
    let witness = Witness::make("inspectorate", &mut ExampleEntropy::new("witness")).unwrap();
    blocks.insert("witness-key", format!("{}{}\n", *witness.to_text(), witness.public()));
    let mut cosigned = CosignedCheckpoint::new(checkpoint);
    cosigned.cosign(&witness, "2026-11-21T10:00:00Z".parse().unwrap());
    let file = CosignedFile {
        witness: witness.public(),
        checkpoints: vec![cosigned.clone()],
    };
    blocks.insert("cosigned", file.to_text());
    let key = log_key(vault(), log, signing.public()).unwrap();
    blocks.insert("log-key", format!("{key}\n"));
    let mut walk = ProofWalk::inclusion(1, 2).unwrap();
    walk.leaf(leaf_hash(b"the first entry of this example is left out"));
    walk.leaf(leaf_hash(&line));
    let proof = ProofFile {
        line: Some(line),
        index: 1,
        hashes: walk.end().unwrap(),
        checkpoint: cosigned,
    };
    proof.check(None).unwrap();
    blocks.insert("proof", proof.to_text());
    let code = ReplyCode::make(&mut ExampleEntropy::new("reply code")).unwrap();
    let reply_key = code.reply_key();
    let reply = Reply {
        text: "shut again".to_owned().into(),
        day: 20_778,
    };
    let reply = SealedReply::seal(&reply_key, &reply, &mut ExampleEntropy::new("reply")).unwrap();
    let concern = Concern {
        text: "gate 4 stood open".to_owned().into(),
        reply: reply_key,
        key: sha256(&[b"key for concerns"]),
        to: vec![person],
        left_out: Vec::new(),
    };
    let concern = SealedConcern::seal(vault(), &concern, &[recipient], &mut ExampleEntropy::new("concern")).unwrap();
    blocks.insert(
        "reply",
        format!(
            "{}\nreply key  {}\n{}",
            *code.to_words(),
            *code.reply_key().to_hex(),
            reply.to_page()
        ),
    );
    blocks.insert(
        "sealed-concern",
        format!("{} bytes, H = {}\n", concern.to_bytes().len(), concern.digest()),
    );
    Made {
        secrets,
        body,
        content_key,
        head,
        part,
        attachment_key,
        wrap,
        level_key,
        key_id,
        concern: concern.to_bytes(),
        reply: reply.to_bytes(),
        blocks,
    }
}

fn document() -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/FORMAT.md");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The document with the block of each name replaced.
fn with_blocks(text: &str, blocks: &BTreeMap<&str, String>) -> String {
    let mut out = text.to_owned();
    for (name, block) in blocks {
        let begin = format!("```{name}\n");
        let start = out
            .find(&begin)
            .unwrap_or_else(|| panic!("docs/FORMAT.md has no block `{name}`"))
            + begin.len();
        let end = start + out[start..].find("```").expect("the block ends");
        out.replace_range(start..end, block);
    }
    out
}

#[test]
fn the_worked_example_is_true() {
    let (_, text) = document();
    for (name, block) in make().blocks {
        let begin = format!("```{name}\n");
        let start = text
            .find(&begin)
            .unwrap_or_else(|| panic!("docs/FORMAT.md has no block `{name}`"))
            + begin.len();
        let end = start + text[start..].find("```").expect("the block ends");
        assert_eq!(&text[start..end], block, "block `{name}` of docs/FORMAT.md");
    }
}

/// Opens the example by the words of the document alone: no sealing code, only primitives.
#[test]
fn the_description_suffices_to_open_the_example() {
    let made = make();
    let digest = sha256(&[&made.body]);
    // §6: a map of six fields whose last is the sealed content key, 72 bytes.
    let sealed = &made.wrap[made.wrap.len() - 72..];
    let label = [3u8];
    let kek = derive_key(&made.level_key, "strongroom/1/kek", &[&label, &made.key_id]);
    let aad = length_prefixed(&[
        b"strongroom/1/wrap",
        &[1],
        vault().as_bytes(),
        note().as_bytes(),
        digest.as_bytes(),
        &label,
        &made.key_id,
    ]);
    let content_key = xopen(&kek, &aad, sealed).map_err(|_| "the wrap does not open").unwrap();
    assert_eq!(content_key.expose(), made.content_key);

    // §5: the header ends with key 6 and the length of the first stream; both streams are one chunk of 272 bytes.
    let (streams, chunk) = (&made.body[made.body.len() - 544..], 272);
    let head = &made.body[..made.body.len() - 544];
    assert_eq!(&head[head.len() - 4..], [0x06, 0x19, 0x01, 0x10]);
    let revision_at = 1 + 2 + (2 + 16) + (2 + 16) + 2;
    let revision = &made.body[revision_at..revision_at + 16];
    let context = length_prefixed(&[&[1], vault().as_bytes(), note().as_bytes(), revision, &[0]]);
    let commitment = derive_key(&made.content_key, "strongroom/1/body commitment", &[&context]);
    assert!(made.body.windows(32).any(|window| window == commitment.expose()));
    let open = |domain: &str, stream: &[u8]| {
        let key = StreamKey::new(&derive_key(&made.content_key, domain, &[&context]));
        let mut chunk = stream.to_vec();
        let padded = key
            .open_chunk(0, true, &context, &mut chunk)
            .map_err(|_| domain.to_owned())
            .unwrap()
            .to_vec();
        let len = u64::from_be_bytes(padded[..8].try_into().unwrap()) as usize;
        assert!(padded[8 + len..].iter().all(|byte| *byte == 0));
        padded[8..8 + len].to_vec()
    };
    assert_eq!(open("strongroom/1/body text", &streams[chunk..]), TEXT.as_bytes());
    let metadata = open("strongroom/1/body metadata", &streams[..chunk]);
    assert!(metadata.windows(7).any(|window| window == b"Halcyon"));
}

/// §5.1: the attachment of the example, opened with primitives: one chunk of 256 bytes behind the part's header, and the
/// head's text, which says what that is.
#[test]
fn the_description_suffices_to_open_the_attachment() {
    let made = make();
    let (header, chunk) = made.part.split_at(made.part.len() - 272);
    let revision_at = 1 + 2 + (2 + 16) + (2 + 16) + 2;
    let revision = &made.head[revision_at..revision_at + 16];
    // The part's header is that of the head up to the revision, then purpose 4 and number 0.
    assert_eq!(header[0], 0xa6);
    assert_eq!(header[1..revision_at + 16], made.head[1..revision_at + 16]);
    assert_eq!(header[revision_at + 16..], [0x04, 0x04, 0x05, 0x00]);
    let context = length_prefixed(&[&[1], vault().as_bytes(), note().as_bytes(), revision, &[1]]);
    let open = |domain: &str, sealed: &[u8]| {
        let key = StreamKey::new(&derive_key(&made.attachment_key, domain, &[&context]));
        let mut sealed = sealed.to_vec();
        let opened = key.open_chunk(0, true, &context, &mut sealed);
        opened.map_err(|_| domain.to_owned()).unwrap().to_vec()
    };
    let content = open("strongroom/1/attachment content", chunk);
    assert!(content.starts_with(ATTACHED.as_bytes()));
    assert!(content[ATTACHED.len()..].iter().all(|byte| *byte == 0) && content.len() == 256);
    let text = open("strongroom/1/body text", &made.head[made.head.len() - 272..]);
    let mut map = vec![0xa3, 0x00, ATTACHED.len() as u8, 0x01, 0x58, 0x20];
    map.extend_from_slice(sha256(&[ATTACHED.as_bytes()]).as_bytes());
    map.extend_from_slice(&[0x02, 0x81, 0x58, 0x20]);
    map.extend_from_slice(sha256(&[&made.part]).as_bytes());
    assert_eq!(text[..8], (map.len() as u64).to_be_bytes());
    assert_eq!(text[8..8 + map.len()], map);
}

/// §7: the details of the example's entry, opened with primitives.
#[test]
fn the_description_suffices_to_open_the_details() {
    use base64ct::Encoding;
    let made = make();
    let message = Message::parse(made.blocks["message"].as_bytes()).unwrap();
    let entry = Entry::parse(&message.line).unwrap().entry;
    let mut source = ExampleEntropy::new("detail key");
    let (id, key): ([u8; 8], [u8; 32]) = (drawn(&mut source), drawn(&mut source));
    assert_eq!(entry.detail.as_bytes(), id);
    let aad = length_prefixed(&[
        b"strongroom/1/detail",
        &[1],
        vault().as_bytes(),
        LOG.as_bytes(),
        &1u64.to_be_bytes(),
        &id,
    ]);
    let sealed = base64ct::Base64::decode_vec(&entry.sealed).unwrap();
    let padded = xopen(&Secret::copy_from(&key).unwrap(), &aad, &sealed)
        .map_err(|_| "does not open")
        .unwrap();
    let len = u64::from_be_bytes(padded.expose()[..8].try_into().unwrap()) as usize;
    // {0: "add", 1: 3, 4: "Halcyon"}
    assert_eq!(&padded.expose()[8..8 + len], b"\xa3\x00\x63add\x01\x03\x04\x67Halcyon");
}

/// §2.4: the example's concern and reply, opened with primitives.
#[test]
fn the_description_suffices_to_open_the_concern() {
    let made = make();
    let mut source = ExampleEntropy::new("concern");
    let slot_key: [u8; 32] = drawn(&mut source);
    let code: [u8; 16] = drawn(&mut ExampleEntropy::new("reply code"));
    let reply_key = derive_key(&code, "strongroom/1/concern reply key", &[]);
    assert!(made.blocks["reply"].contains(&hex(reply_key.expose())));
    let file = &made.concern;
    let text = |bytes: &[u8], at: usize, len: usize| bytes[at..at + len].to_vec();
    // {0: 1, 1: commitment, 2: sealed, 3: [slots]}
    assert_eq!(&file[..6], b"\xa4\x00\x01\x01\x58\x20");
    let commitment = text(file, 6, 32);
    let wanted = derive_key(&slot_key, "strongroom/1/concern commitment", &[vault().as_bytes()]);
    assert_eq!(wanted.expose().to_vec(), commitment);
    assert_eq!((file[38], file[39]), (2, 0x59));
    let len = usize::from(u16::from_be_bytes([file[40], file[41]]));
    let sealed = text(file, 42, len);
    // Four slots: {0: enc (1,120 bytes), 1: ciphertext (48)} each.
    let slots = &file[42 + len..];
    assert_eq!(&slots[..2], b"\x03\x84");
    let mut parts = vec![
        b"strongroom/1/concern".to_vec(),
        vec![1],
        vault().as_bytes().to_vec(),
        commitment,
    ];
    for slot in slots[2..].chunks(1 + 4 + 1120 + 3 + 48) {
        assert_eq!(&slot[..5], b"\xa2\x00\x59\x04\x60");
        assert_eq!(&slot[1125..1128], b"\x01\x58\x30");
        parts.extend([text(slot, 5, 1120), text(slot, 1128, 48)]);
    }
    assert_eq!(parts.len(), 4 + 2 * 4);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let key = derive_key(&slot_key, "strongroom/1/concern seal", &[vault().as_bytes()]);
    let padded = xopen(&key, &length_prefixed(&parts), &sealed)
        .map_err(|_| "does not open")
        .unwrap();
    assert_eq!(&padded.expose()[8..28], b"\xa5\x00\x71gate 4 stood open");
    let key = derive_key(reply_key.expose(), "strongroom/1/concern reply", &[]);
    let aad = length_prefixed(&[b"strongroom/1/concern reply", &[1]]);
    // {0: 1, 1: sealed}
    let padded = xopen(&key, &aad, &made.reply[7..])
        .map_err(|_| "does not open")
        .unwrap();
    assert_eq!(&padded.expose()[8..25], b"\xa2\x00\x6ashut again\x01\x19\x51\x2a");
}

/// §§13 and 14: proof and cosignature by the words of the document alone, with hashes and signatures.
#[test]
fn the_description_suffices_to_check_the_proof() {
    use base64ct::{Base64, Encoding};
    use strongroom::crypto::PublicKey;
    let made = make();
    let decode = |text: &str| Base64::decode_vec(text).unwrap();
    let proof: Vec<&str> = made.blocks["proof"].lines().collect();
    let (extra, sibling, note) = (proof[1].strip_prefix("extra ").unwrap(), decode(proof[3]), &proof[5..]);
    assert_eq!((proof[2], proof[4], note[1]), ("index 1", "", "2"));
    let leaf = sha256(&[&[0], &decode(extra)]);
    let root = sha256(&[&[1], &sibling, &leaf.0]);
    assert_eq!(root.0.to_vec(), decode(note[2]));
    let body = format!("{}\n{}\n{}\n", note[0], note[1], note[2]);
    let lines: Vec<&str> = made.blocks["witness-key"]
        .lines()
        .chain(made.blocks["log-key"].lines())
        .collect();
    for (line, key, algorithm, time) in [(note[4], lines[2], 1, false), (note[5], lines[1], 4, true)] {
        let key: Vec<&str> = key.splitn(3, '+').collect();
        let (name, signature) = line.strip_prefix("\u{2014} ").unwrap().rsplit_once(' ').unwrap();
        let (public, signature) = (decode(key[2]), decode(signature));
        let id = sha256(&[key[0].as_bytes(), b"\n", &public]);
        assert_eq!((name, public[0], hex(&id.0[..4]).as_str()), (key[0], algorithm, key[1]));
        assert_eq!(signature[..4], id.0[..4]);
        let (signed, signature) = match time {
            false => (body.clone(), &signature[4..]),
            true => {
                let seconds = u64::from_be_bytes(signature[4..12].try_into().unwrap());
                assert_eq!(seconds, 1_795_255_200);
                (format!("cosignature/v1\ntime {seconds}\n{body}"), &signature[12..])
            }
        };
        let public = PublicKey(public[1..].try_into().unwrap());
        assert!(public.verify(signed.as_bytes(), signature).is_ok(), "{line}");
    }
}

#[test]
fn the_example_identity_opens() {
    let made = make();
    let file = IdentityFile::parse(made.blocks["identity"].as_bytes()).unwrap();
    let opened = file.open(&Passphrase::new("orchid tractor velvet magnet".into()));
    let opened = opened.map_err(|bad| bad.to_string()).unwrap();
    assert_eq!(opened.signing_seed.expose(), made.secrets.signing_seed.expose());
    assert!(Secret::<32>::copy_from(&[0; 31]).is_none());
}

#[test]
fn a_guess_costs_what_the_description_says() {
    let (least, most) = (Argon2Params::new(65_536, 3, 1), Argon2Params::new(1_048_576, 16, 4));
    assert_eq!(least, Ok(Argon2Params::DEFAULT));
    assert!(most.is_ok());
    for (m, t, p) in [
        (65_535, 3, 1),
        (65_536, 2, 1),
        (65_536, 3, 0),
        (1_048_577, 16, 4),
        (1_048_576, 17, 4),
        (1_048_576, 16, 5),
        (u32::MAX, u32::MAX, u32::MAX),
    ] {
        let refused = Argon2Params::new(m, t, p).unwrap_err().to_string();
        assert!(
            refused.contains("65536 to 1048576 KiB, 3 to 16 passes and 1 to 4 lanes"),
            "{refused}"
        );
    }
}

#[test]
#[ignore = "writes docs/FORMAT.md"]
fn write_the_worked_example() {
    let (path, text) = document();
    std::fs::write(path, with_blocks(&text, &make().blocks)).unwrap();
}
