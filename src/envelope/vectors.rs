//! Frozen vectors of sealed bodies and wraps for a second implementation: `tests/vectors/*.json`, each case with one fault
//! or none, and with the layer that has to refuse it.
//!
//! They are made here from the words of docs/FORMAT.md, of primitives and padding, by none of the code that reads or writes
//! such files.
//! `VECTORS=write cargo test vectors` writes them anew after a deliberate change of the format.

#![allow(clippy::unwrap_used)]

use super::body::{BodyFile, ContentKey};
use super::keyring::{Key, KeyUse, Keyring};
use super::wrap::WrapFile;
use super::{BadEnvelope, padding};
use crate::crypto::vectors::{Case, frozen, hex, of_one_fault};
use crate::crypto::{ExampleEntropy, HybridSecret, StreamKey, derive_key, length_prefixed, xseal};
use crate::id::{Digest, NoteId, PersonId, VaultId};
use crate::label::{Label, Level};
use crate::secret::Secret;
use serde_json::{Value, json};

const VAULT: [u8; 16] = [0x11; 16];
const NOTE: [u8; 16] = [0x22; 16];
const REVISION: [u8; 16] = [0x33; 16];
const CONTENT_KEY: [u8; 32] = [0x44; 32];
const AUTHOR: [u8; 8] = [0x55; 8];
const OTHER: [u8; 16] = [0x99; 16];
const TEXT: &[u8] = b"gate 4: code changed";

/// The cases with their files in hex.
fn files(cases: Vec<(&'static str, &'static str, Vec<u8>)>) -> Vec<Case> {
    let in_hex = |(about, layer, file): (_, _, Vec<u8>)| (about, layer, hex(&file));
    cases.into_iter().map(in_hex).collect()
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

// CBOR (RFC 8949 §3), the shortest form.
fn head(major: u8, n: u64) -> Vec<u8> {
    let major = major << 5;
    match n {
        0..24 => vec![major | n as u8],
        24..256 => vec![major | 24, n as u8],
        256..65_536 => [&[major | 25], &(n as u16).to_be_bytes()[..]].concat(),
        _ => [&[major | 26], &(n as u32).to_be_bytes()[..]].concat(),
    }
}

fn uint(n: u64) -> Vec<u8> {
    head(0, n)
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [&head(2, value.len() as u64), value].concat()
}

fn text(value: &str) -> Vec<u8> {
    [&head(3, value.len() as u64), value.as_bytes()].concat()
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

fn map(fields: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let fields = fields.iter().map(|(key, value)| [uint(*key), value.clone()].concat());
    let fields: Vec<Vec<u8>> = fields.collect();
    [head(5, fields.len() as u64), fields.concat()].concat()
}

/// The fields of a map, in their order.
type Fields = Vec<(u64, Vec<u8>)>;

fn metadata() -> Fields {
    vec![
        (0, text("Gate 4")),
        (1, text("Halcyon")),
        (2, text("")),
        (3, uint(1_795_253_400)),
        (4, uint(1_795_253_400)),
        (6, bytes(&AUTHOR)),
        (7, list(&[])),
        (8, uint(1)),
        (9, list(&[])),
    ]
}

/// A body before it is sealed. What stands here is what a writer would put, and a case changes one thing of it.
#[derive(Clone)]
struct Body {
    suite: u8,
    vault: [u8; 16],
    note: [u8; 16],
    purpose: u8,
    commitment: Option<Vec<u8>>,
    metadata: Vec<u8>,
    text: Vec<u8>,
    /// Of the text's stream.
    number: u64,
    last: bool,
    /// What the text is bound to, where that is something else.
    bound_to: Option<Vec<u8>>,
    /// The domain of the text's key.
    domain: &'static str,
}

impl Body {
    fn good() -> Self {
        Self {
            suite: 1,
            vault: VAULT,
            note: NOTE,
            purpose: 0,
            commitment: None,
            metadata: padding::pad(&map(&metadata())).to_vec(),
            text: padding::pad(TEXT).to_vec(),
            number: 0,
            last: true,
            bound_to: None,
            domain: "strongroom/1/body text",
        }
    }

    fn context(&self) -> Vec<u8> {
        length_prefixed(&[&[self.suite], &self.vault, &self.note, &REVISION, &[self.purpose]])
    }

    fn fields(&self) -> Fields {
        let commitment = derive_key(&CONTENT_KEY, "strongroom/1/body commitment", &[&self.context()]);
        let commitment = self.commitment.clone().unwrap_or(commitment.expose().to_vec());
        vec![
            (0, uint(self.suite.into())),
            (1, bytes(&self.vault)),
            (2, bytes(&self.note)),
            (3, bytes(&REVISION)),
            (4, uint(self.purpose.into())),
            (5, bytes(&commitment)),
            (6, uint(self.streams().0.len() as u64)),
        ]
    }

    fn streams(&self) -> (Vec<u8>, Vec<u8>) {
        let context = self.context();
        let seal = |domain: &str, plain: &[u8], number, last, aad: &[u8]| {
            let key = StreamKey::new(&derive_key(&CONTENT_KEY, domain, &[&context]));
            let mut chunk = plain.to_vec();
            let tag = key.seal_chunk(number, last, aad, &mut chunk);
            [&chunk[..], &tag].concat()
        };
        let bound_to = self.bound_to.as_ref().unwrap_or(&context);
        (
            seal("strongroom/1/body metadata", &self.metadata, 0, true, &context),
            seal(self.domain, &self.text, self.number, self.last, bound_to),
        )
    }

    fn file(&self) -> Vec<u8> {
        let (metadata, text) = self.streams();
        [map(&self.fields()), metadata, text].concat()
    }

    /// With another header before the same streams.
    fn under(&self, header: Vec<u8>) -> Vec<u8> {
        let (metadata, text) = self.streams();
        [header, metadata, text].concat()
    }
}

/// The layer that refuses a body, of those that docs/FORMAT.md names, or what it says.
fn open_body(file: &[u8]) -> Result<(u64, Vec<u8>), &'static str> {
    let body = BodyFile::parse(file).map_err(|bad| match bad {
        BadEnvelope::UnknownSuite { .. } => "suite",
        _ => "form",
    })?;
    let key = ContentKey::from_secret(Secret::copy_from(&CONTENT_KEY).unwrap());
    let checked = body
        .check(VaultId(VAULT), NoteId(NOTE), &key)
        .map_err(|bad| match bad {
            BadEnvelope::Foreign { .. } => "place",
            _ => "commitment",
        })?;
    let of = |seal, form| {
        move |bad| match bad {
            BadEnvelope::Unopenable { .. } => seal,
            _ => form,
        }
    };
    let metadata = checked.open_metadata().map_err(of("metadata seal", "metadata"))?;
    let text = checked.open_text().map_err(of("text seal", "text"))?;
    Ok((metadata.number, text.expose().to_vec()))
}

fn bodies() -> Value {
    let good = Body::good();
    let with = |change: &dyn Fn(&mut Body)| {
        let mut body = good.clone();
        change(&mut body);
        body.file()
    };
    let fields = good.fields();
    let header = |change: &dyn Fn(&mut Fields)| {
        let mut fields = fields.clone();
        change(&mut fields);
        good.under(map(&fields))
    };
    let sealed_metadata = |change: &dyn Fn(&mut Fields)| {
        let mut fields = metadata();
        change(&mut fields);
        with(&|body| body.metadata = padding::pad(&map(&fields)).to_vec())
    };
    let padded = |at: usize, byte: u8| {
        with(&|body| {
            body.text[at] = byte;
        })
    };
    let flipped = |from_end: usize| {
        let mut file = good.file();
        let at = file.len() - from_end;
        file[at] ^= 1;
        file
    };
    let file = good.file();
    let map_head = map(&fields);
    let streams = good.streams();
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("as it should be", "", file.clone()),
        ("another suite", "suite", with(&|body| body.suite = 2)),
        ("of another vault", "place", with(&|body| body.vault = OTHER)),
        ("of another note", "place", with(&|body| body.note = OTHER)),
        ("a purpose that is none", "form", with(&|body| body.purpose = 6)),
        ("the purpose of a part", "form", with(&|body| body.purpose = 4)),
        (
            "the commitment of another key",
            "commitment",
            with(&|body| body.commitment = Some(vec![7; 32])),
        ),
        (
            "a commitment that is too short",
            "form",
            with(&|body| body.commitment = Some(vec![7; 31])),
        ),
        (
            "a purpose that was changed in the header alone",
            "commitment",
            header(&|fields| fields[4].1 = uint(3)),
        ),
        (
            "a revision that was changed in the header alone",
            "commitment",
            header(&|fields| fields[3].1 = bytes(&OTHER)),
        ),
        (
            "header: a field is missing",
            "form",
            header(&|fields| drop(fields.remove(3))),
        ),
        (
            "header: a field too many",
            "form",
            header(&|fields| fields.push((7, uint(0)))),
        ),
        (
            "header: a field twice",
            "form",
            header(&|fields| fields.insert(1, fields[0].clone())),
        ),
        (
            "header: two fields have changed places",
            "form",
            header(&|fields| fields.swap(1, 2)),
        ),
        (
            "header: a number in more bytes than it needs",
            "form",
            header(&|fields| fields[0].1 = vec![0x18, 1]),
        ),
        ("header: a map without a length", "form", {
            let open = [&[0xbf], &map_head[1..], &[0xff]].concat();
            good.under(open)
        }),
        (
            "header: bytes where a number belongs",
            "form",
            header(&|fields| fields[0].1 = bytes(&[1])),
        ),
        (
            "a first stream of no length that padding gives",
            "form",
            header(&|fields| fields[6].1 = uint(streams.0.len() as u64 - 1)),
        ),
        (
            "a first stream longer than the file",
            "form",
            header(&|fields| fields[6].1 = uint(60_000)),
        ),
        ("the last byte is missing", "form", file[..file.len() - 1].to_vec()),
        ("a byte too many", "form", [&file[..], &[0]].concat()),
        ("cut after the header", "form", map_head.clone()),
        ("nothing at all", "form", Vec::new()),
        (
            "the two streams have changed places",
            "metadata seal",
            [map_head.clone(), streams.1.clone(), streams.0.clone()].concat(),
        ),
        ("a bit of the text's tag", "text seal", flipped(1)),
        ("a bit of the text", "text seal", flipped(streams.1.len())),
        (
            "a bit of the metadata",
            "metadata seal",
            flipped(streams.1.len() + streams.0.len()),
        ),
        (
            "the text's chunk has another number",
            "text seal",
            with(&|body| body.number = 1),
        ),
        (
            "the text's chunk is not the last",
            "text seal",
            with(&|body| body.last = false),
        ),
        (
            "the text is bound to nothing",
            "text seal",
            with(&|body| body.bound_to = Some(Vec::new())),
        ),
        (
            "the text stands under the metadata's key",
            "text seal",
            with(&|body| body.domain = "strongroom/1/body metadata"),
        ),
        ("padding: a byte that is no zero", "text", padded(8 + TEXT.len(), 1)),
        ("padding: its last byte is no zero", "text", padded(255, 1)),
        ("padding: a length beyond the stream", "text", padded(6, 1)),
        ("padding: a length of 2^63", "text", padded(0, 0x80)),
        (
            "padding: more of it than the length asks for",
            "text",
            with(&|body| body.text.resize(272, 0)),
        ),
        (
            "metadata: a field is missing",
            "metadata",
            sealed_metadata(&|fields| drop(fields.remove(1))),
        ),
        (
            "metadata: a field too many",
            "metadata",
            sealed_metadata(&|fields| fields.push((10, uint(0)))),
        ),
        (
            "metadata: two fields have changed places",
            "metadata",
            sealed_metadata(&|fields| fields.swap(0, 1)),
        ),
        (
            "metadata: a title that is not UTF-8",
            "metadata",
            sealed_metadata(&|fields| fields[0].1 = vec![0x61, 0xff]),
        ),
        (
            "metadata: a title as bytes",
            "metadata",
            sealed_metadata(&|fields| fields[0].1 = bytes(b"Gate 4")),
        ),
        (
            "metadata: an author of 7 bytes",
            "metadata",
            sealed_metadata(&|fields| fields[5].1 = bytes(&AUTHOR[1..])),
        ),
        (
            "metadata: what it follows is not sorted",
            "metadata",
            sealed_metadata(&|fields| {
                fields[6].1 = list(&[bytes(&[2; 32]), bytes(&[1; 32])]);
            }),
        ),
        (
            "metadata: it follows the same twice",
            "metadata",
            sealed_metadata(&|fields| {
                fields[6].1 = list(&[bytes(&[1; 32]), bytes(&[1; 32])]);
            }),
        ),
        (
            "metadata: fields that are not sorted",
            "metadata",
            sealed_metadata(&|fields| {
                fields[8].1 = list(&[list(&[text("b"), text("1")]), list(&[text("a"), text("1")])]);
            }),
        ),
        (
            "metadata: a field of one text",
            "metadata",
            sealed_metadata(&|fields| fields[8].1 = list(&[list(&[text("a")])])),
        ),
    ];
    json!({
        "about": "Sealed bodies, docs/FORMAT.md section 5. Each file has one fault or none; `refused_by` is the layer that refuses it.",
        "layers": {
            "form": "the header is not the one encoding of a header, or the lengths are none that padding and chunks give",
            "suite": "it is of a suite that a reader does not know",
            "place": "it belongs to another vault or note",
            "commitment": "the content key, or what the header says, is not what the body was sealed with",
            "metadata seal": "the first stream does not open",
            "metadata": "what opens is not padded metadata in its one encoding",
            "text seal": "the second stream does not open",
            "text": "what opens is not a padded text",
        },
        "given": { "vault": hex(&VAULT), "note": hex(&NOTE), "content_key": hex(&CONTENT_KEY) },
        "says": { "revision_number": 1, "text": hex(TEXT) },
        "cases": of_one_fault("file", files(cases)),
    })
}

/// The level's key as the worked example draws it.
fn level_key() -> (Key, [u8; 8], [u8; 32]) {
    let key = Key::make(
        KeyUse::Level(Level::Restricted),
        None,
        [0; 8],
        &mut ExampleEntropy::new("level key"),
    )
    .unwrap();
    let (id, secret) = (key.id.0, *key.secret.expose());
    (key, id, secret)
}

const BODY: [u8; 32] = [0x66; 32];

/// A wrap before it is made.
#[derive(Clone)]
struct Wrap {
    suite: u8,
    vault: [u8; 16],
    note: [u8; 16],
    body: [u8; 32],
    ids: Vec<Vec<u8>>,
    label: Vec<u8>,
    /// What the key is bound to, where the header says something else.
    bound_body: [u8; 32],
    bound_suite: u8,
    key: Vec<u8>,
}

impl Wrap {
    fn good() -> Self {
        Self {
            suite: 1,
            vault: VAULT,
            note: NOTE,
            body: BODY,
            ids: vec![level_key().1.to_vec()],
            label: vec![3],
            bound_body: BODY,
            bound_suite: 1,
            key: CONTENT_KEY.to_vec(),
        }
    }

    fn fields(&self) -> Fields {
        let mut parts: Vec<&[u8]> = vec![&self.label];
        parts.extend(self.ids.iter().map(Vec::as_slice));
        let kek = derive_key(&level_key().2, "strongroom/1/kek", &parts);
        let suite = [self.bound_suite];
        let mut bound: Vec<&[u8]> = vec![b"strongroom/1/wrap", &suite, &self.vault, &self.note, &self.bound_body];
        bound.extend(parts);
        let sealed = xseal(
            &kek,
            &length_prefixed(&bound),
            &self.key,
            &mut ExampleEntropy::new("wrap"),
        )
        .unwrap();
        let ids: Vec<Vec<u8>> = self.ids.iter().map(|id| bytes(id)).collect();
        vec![
            (0, uint(self.suite.into())),
            (1, bytes(&self.vault)),
            (2, bytes(&self.note)),
            (3, bytes(&self.body)),
            (4, list(&ids)),
            (5, bytes(&sealed)),
        ]
    }

    fn file(&self) -> Vec<u8> {
        map(&self.fields())
    }
}

/// The layer that refuses a wrap, or the content key in it.
fn open_wrap(file: &[u8]) -> Result<[u8; 32], &'static str> {
    let wrap = WrapFile::parse(file).map_err(|bad| match bad {
        BadEnvelope::UnknownSuite { .. } => "suite",
        _ => "form",
    })?;
    let ring = Keyring::new([level_key().0]);
    let device = HybridSecret::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
    if wrap.body().ok() != Some(Digest(BODY)) {
        return Err("place");
    }
    let opened = wrap.unwrap_key(VaultId(VAULT), NoteId(NOTE), &ring, PersonId(AUTHOR), &device);
    let (label, key) = opened.map_err(|bad| match bad {
        BadEnvelope::Foreign { .. } => "place",
        _ => "seal",
    })?;
    assert_eq!(label, Label::new(Level::Restricted, []).unwrap());
    Ok(*key.expose())
}

fn wraps() -> Value {
    let good = Wrap::good();
    let with = |change: &dyn Fn(&mut Wrap)| {
        let mut wrap = good.clone();
        change(&mut wrap);
        wrap.file()
    };
    let header = |change: &dyn Fn(&mut Fields)| {
        let mut fields = good.fields();
        change(&mut fields);
        map(&fields)
    };
    let flipped = |from_end: usize| {
        let mut file = good.file();
        let at = file.len() - from_end;
        file[at] ^= 1;
        file
    };
    let slot = map(&[(0, bytes(&[0; 1120])), (1, bytes(&[0; 48]))]);
    let slots = |count: usize| {
        header(&|fields| {
            fields[4].1 = list(&[]);
            fields.push((6, list(&vec![slot.clone(); count])));
        })
    };
    let file = good.file();
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("as it should be", "", file.clone()),
        ("another suite", "suite", with(&|wrap| wrap.suite = 2)),
        ("of another vault", "place", with(&|wrap| wrap.vault = OTHER)),
        ("of another note", "place", with(&|wrap| wrap.note = OTHER)),
        (
            "of another body",
            "place",
            with(&|wrap| (wrap.body, wrap.bound_body) = ([7; 32], [7; 32])),
        ),
        (
            "bound to another body than it names",
            "seal",
            with(&|wrap| wrap.bound_body = [7; 32]),
        ),
        (
            "bound to another suite than it names",
            "seal",
            with(&|wrap| wrap.bound_suite = 0),
        ),
        (
            "made for another label than its keys are for",
            "seal",
            with(&|wrap| wrap.label = vec![2]),
        ),
        (
            "a key that nobody here has",
            "seal",
            with(&|wrap| wrap.ids = vec![vec![7; 8]]),
        ),
        ("a key too many", "seal", with(&|wrap| wrap.ids.push(vec![7; 8]))),
        (
            "the level's key twice",
            "seal",
            with(&|wrap| wrap.ids.push(wrap.ids[0].clone())),
        ),
        ("no key, and no slots", "form", with(&|wrap| wrap.ids.clear())),
        ("a key id of 7 bytes", "form", with(&|wrap| wrap.ids[0].truncate(7))),
        ("a content key of 31 bytes", "form", with(&|wrap| wrap.key.truncate(31))),
        ("a bit of the tag", "seal", flipped(1)),
        ("a bit of the sealed key", "seal", flipped(17)),
        ("a bit of the nonce", "seal", flipped(72)),
        (
            "a custodian's share",
            "form",
            header(&|fields| fields.push((7, bytes(&[0; 32])))),
        ),
        (
            "header: a field is missing",
            "form",
            header(&|fields| drop(fields.remove(3))),
        ),
        (
            "header: a field twice",
            "form",
            header(&|fields| fields.insert(1, fields[0].clone())),
        ),
        (
            "header: two fields have changed places",
            "form",
            header(&|fields| fields.swap(1, 2)),
        ),
        (
            "header: a number in more bytes than it needs",
            "form",
            header(&|fields| fields[0].1 = vec![0x18, 1]),
        ),
        ("three slots", "form", slots(3)),
        ("two slots", "form", slots(2)),
        ("four slots that are nobody's", "seal", slots(4)),
        (
            "a slot whose key is too short",
            "form",
            header(&|fields| {
                let short = map(&[(0, bytes(&[0; 1119])), (1, bytes(&[0; 48]))]);
                fields[4].1 = list(&[]);
                fields.push((6, list(&vec![short; 4])));
            }),
        ),
        ("a byte too many", "form", [&file[..], &[0]].concat()),
        ("the last byte is missing", "form", file[..file.len() - 1].to_vec()),
        ("nothing at all", "form", Vec::new()),
    ];
    json!({
        "about": "Wraps, docs/FORMAT.md section 6. Each file has one fault or none; `refused_by` is the layer that refuses it.",
        "layers": {
            "form": "it is not the one encoding of a wrap",
            "suite": "it is of a suite that a reader does not know",
            "place": "it belongs to another vault, note or body",
            "seal": "a key is missing, or the content key does not open under what the wrap says",
        },
        "given": {
            "vault": hex(&VAULT), "note": hex(&NOTE), "body": hex(&BODY),
            "level": 3, "key_id": hex(&level_key().1), "key": hex(&level_key().2),
        },
        "says": { "content_key": hex(&CONTENT_KEY) },
        "cases": of_one_fault("file", files(cases)),
    })
}

/// Lengths and what padding makes of them.
fn lengths() -> Value {
    let lens = [
        0u64,
        1,
        247,
        248,
        249,
        256,
        257,
        263,
        264,
        265,
        1000,
        4096,
        65_535,
        65_536,
        1_000_000,
        1 << 20,
    ];
    let cases: Vec<Value> = lens
        .iter()
        .map(|len| {
            // The paper's figure 3, in floating point as it is printed there, which suffices for these lengths.
            let with_prefix = (len + 8).max(256);
            let exponent = (with_prefix as f64).log2().floor();
            let kept = exponent.log2().floor() + 1.0;
            let mask = (1u64 << (exponent - kept) as u32) - 1;
            json!({ "len": len, "padded": (with_prefix + mask) & !mask })
        })
        .collect();
    json!({
        "about": "PAD of docs/FORMAT.md section 1: lengths of messages, and of what they are padded to.",
        "cases": cases,
    })
}

#[test]
fn bodies_are_refused_by_the_layer_that_their_vectors_name() {
    let vectors = frozen("body", &bodies());
    for case in vectors["cases"].as_array().unwrap() {
        let opened = open_body(&unhex(&case["file"]));
        match case["refused_by"].as_str() {
            Some(layer) => assert_eq!(opened, Err(layer), "{}", case["about"]),
            None => assert_eq!(opened, Ok((1, TEXT.to_vec())), "{}", case["about"]),
        }
    }
}

#[test]
fn wraps_are_refused_by_the_layer_that_their_vectors_name() {
    let vectors = frozen("wrap", &wraps());
    for case in vectors["cases"].as_array().unwrap() {
        let opened = open_wrap(&unhex(&case["file"]));
        match case["refused_by"].as_str() {
            Some(layer) => assert_eq!(opened, Err(layer), "{}", case["about"]),
            None => assert_eq!(opened, Ok(CONTENT_KEY), "{}", case["about"]),
        }
    }
}

#[test]
fn lengths_are_padded_as_their_vectors_say() {
    let vectors = frozen("padding", &lengths());
    for case in vectors["cases"].as_array().unwrap() {
        let len = case["len"].as_u64().unwrap();
        assert_eq!(Some(padding::padded_len(len)), case["padded"].as_u64(), "{len}");
        let message = vec![7; len as usize];
        assert_eq!(padding::pad(&message).len() as u64, padding::padded_len(len));
    }
}
