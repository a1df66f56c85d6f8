//! The fuzz targets that need a key: what opens is what was sealed, or nothing opens.
//!
//! They stand here because opening is visible to this crate alone, and are built for tests and for `cargo fuzz`
//! only. Nothing opened leaves: each says whether its input was accepted, and panics where a promise is broken.
//!
//! Those named `opened_…` hold sealed examples and take a script of edits to them, so that the fuzzer always
//! has a key and spends its time behind the header. The others take the bytes that stood inside a seal.

use super::attachment::{ATTACHMENT_MAX, ContentInfo};
use super::body::{BodyFile, ContentKey, Metadata, Purpose, seal_body};
use super::concern::{Concern, Reply, ReplyCode, SealedConcern};
use super::identity::IdentitySecrets;
use super::kept::KeptText;
use super::keybox::{BoxFile, DetailFile, DetailKey, decode_keys, encode_keys};
use super::keyring::{Key, KeyUse, Keyring};
use super::padding;
use super::wrap::WrapFile;
use crate::crypto::{ExampleEntropy, HybridSecret};
use crate::id::{CompartmentId, DeviceId, Digest, NoteId, PersonId, VaultId};
use crate::label::{Label, Level};
use crate::secret::{Plaintext, Secret};
use std::sync::LazyLock;

/// A target: its name, which is also that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target of this room.
pub const TARGETS: &[Target] = &[
    ("kept_text", kept_text),
    ("attachment", attachment),
    ("concern_text", concern_text),
    ("key_list", key_list),
    ("metadata", metadata),
    ("opened_body", opened_body),
    ("opened_concern", opened_concern),
    ("opened_detail", opened_detail),
    ("opened_keybox", opened_keybox),
    ("opened_wrap", opened_wrap),
    ("padded", padded),
    ("reply_text", reply_text),
    ("secrets", secrets),
];

const VAULT: VaultId = VaultId([1; 16]);
const ME: PersonId = PersonId([2; 8]);
const DEVICE: DeviceId = DeviceId([3; 8]);
const NOTE: NoteId = NoteId([4; 16]);
const A: CompartmentId = CompartmentId([5; 8]);
const B: CompartmentId = CompartmentId([6; 8]);
const SAME: &str = "what was accepted is written back otherwise";
/// The most edits of a script that count.
const EDITS_MAX: usize = 24;

/// The list of keys inside a key box.
pub fn key_list(data: &[u8]) -> bool {
    let Some(keys) = decode_keys(&Plaintext::new(data.to_vec())) else {
        return false;
    };
    assert!(encode_keys(&keys).as_slice() == data, "{SAME}");
    true
}

/// The text of an attachment's head.
pub fn attachment(data: &[u8]) -> bool {
    let Ok(info) = ContentInfo::decode(&Plaintext::new(data.to_vec())) else {
        return false;
    };
    assert!(info.encode() == data, "{SAME}");
    assert!(info.size <= ATTACHMENT_MAX && !info.parts.is_empty());
    true
}

/// The metadata inside a body.
pub fn metadata(data: &[u8]) -> bool {
    let Ok(metadata) = Metadata::decode(&Plaintext::new(data.to_vec())) else {
        return false;
    };
    assert!(metadata.encode().as_slice() == data, "{SAME}");
    true
}

/// What a kept text says.
pub fn kept_text(data: &[u8]) -> bool {
    let Ok(text) = KeptText::decode(&Plaintext::new(data.to_vec())) else {
        return false;
    };
    assert!(text.encode().as_slice() == data, "{SAME}");
    true
}

/// What a sealed concern says.
pub fn concern_text(data: &[u8]) -> bool {
    let Ok(concern) = Concern::decode(data) else {
        return false;
    };
    assert!(concern.encode().as_slice() == data, "{SAME}");
    true
}

/// What a sealed reply says.
pub fn reply_text(data: &[u8]) -> bool {
    let Ok(reply) = Reply::decode(data) else {
        return false;
    };
    assert!(reply.encode().as_slice() == data, "{SAME}");
    true
}

/// A concern without a name, for two people.
fn example_concern() -> Concern {
    let code = ReplyCode::make(&mut ExampleEntropy::new("reply code"));
    Concern {
        text: zeroize::Zeroizing::new("The gate log is filled in before the shift.".to_owned()),
        reply: code.unwrap_or_else(|error| panic!("{error}")).reply_key(),
        key: Digest([7; 32]),
        to: vec![ME, PersonId([9; 8])],
        left_out: vec![PersonId([8; 8])],
    }
}

/// A sealed concern after edits.
pub fn opened_concern(data: &[u8]) -> bool {
    static SEALED: LazyLock<(HybridSecret, HybridSecret, Vec<u8>)> = LazyLock::new(|| {
        let mut entropy = ExampleEntropy::new("concern");
        let (mine, other) = (device(5), device(6));
        let to = [mine.recipient(), device(7).recipient()];
        let sealed = SealedConcern::seal(VAULT, &example_concern(), &to, &mut entropy);
        let sealed = sealed.unwrap_or_else(|error| panic!("{error}"));
        (mine, other, sealed.to_bytes())
    });
    let (mine, other, sealed) = &*SEALED;
    let file = edited(sealed, data);
    let Ok(concern) = SealedConcern::parse(&file) else {
        return false;
    };
    assert!(
        concern.open_sealed(VAULT, other).is_err(),
        "a concern opens for another"
    );
    let opened = concern.open_sealed(VAULT, mine);
    if let Ok(opened) = &opened {
        assert!(
            opened.encode() == example_concern().encode(),
            "another concern came out"
        );
    }
    assert_eq!(
        opened.is_ok(),
        file == *sealed,
        "a concern opens as it was sealed and no other way"
    );
    opened.is_ok()
}

/// What an identity file keeps.
pub fn secrets(data: &[u8]) -> bool {
    let Ok(secrets) = IdentitySecrets::decode(&Plaintext::new(data.to_vec())) else {
        return false;
    };
    assert!(secrets.encode().as_slice() == data, "{SAME}");
    true
}

/// A padded message.
pub fn padded(data: &[u8]) -> bool {
    let Ok(message) = padding::unpad("example", data) else {
        return false;
    };
    assert!(padding::pad(message.expose()).as_slice() == data, "{SAME}");
    true
}

/// A body after edits to its two streams, chunk by chunk, and to the length in its header.
pub fn opened_body(data: &[u8]) -> bool {
    static EXAMPLES: LazyLock<[BodyExample; 2]> =
        LazyLock::new(|| [BodyExample::new("short", 40), BodyExample::new("long", 150_000)]);
    let Some((which, script)) = data.split_first() else {
        return false;
    };
    let [short, long] = &*EXAMPLES;
    let (example, other) = if which % 2 == 0 { (short, long) } else { (long, short) };
    let file = example.edited(script, other);
    let Ok(body) = BodyFile::parse(&file) else {
        return false;
    };
    let metadata = body.open_metadata(VAULT, NOTE, &example.key);
    let text = body.open_text(VAULT, NOTE, &example.key);
    if let Ok(metadata) = &metadata {
        assert!(*metadata == example_metadata(), "other metadata came out");
    }
    if let Ok(text) = &text {
        assert!(text.expose() == example.text, "another text came out");
    }
    let whole = metadata.is_ok() && text.is_ok();
    assert_eq!(
        whole,
        file == example.file,
        "a body opens as it was sealed and no other way"
    );
    assert!(
        body.open_text(VAULT, NOTE, &other.key).is_err(),
        "a body opens with another's key"
    );
    whole
}

/// A wrap after edits.
pub fn opened_wrap(data: &[u8]) -> bool {
    struct Examples {
        ring: Keyring,
        device: HybridSecret,
        key: ContentKey,
        /// Under two compartments, and for people by name.
        files: [(Label, Vec<u8>); 2],
    }
    static EXAMPLES: LazyLock<Examples> = LazyLock::new(|| {
        let mut entropy = ExampleEntropy::new("fuzzed wrap");
        let (ring, device) = (ring(&mut entropy), device(1));
        let key = ContentKey::from_secret(secret(9));
        let to = [device.recipient(), self::device(2).recipient()];
        let labels = [Label::new(Level::Restricted, [A, B]), Label::named([ME], [A])];
        let files = labels.map(|label| {
            let label = label.unwrap_or_else(|error| panic!("{error}"));
            let file = WrapFile::wrap(VAULT, NOTE, Digest([7; 32]), &label, &key, &ring, &to, &mut entropy);
            (label, file.unwrap_or_else(|error| panic!("{error}")).to_bytes())
        });
        Examples {
            ring,
            device,
            key,
            files,
        }
    });
    let Some((which, script)) = data.split_first() else {
        return false;
    };
    let examples = &*EXAMPLES;
    let (label, original) = &examples.files[usize::from(which % 2)];
    let bytes = edited(original, script);
    let opened = WrapFile::parse(&bytes).and_then(|file| {
        assert_eq!(file.to_bytes(), bytes, "{SAME}");
        file.unwrap_key(VAULT, NOTE, &examples.ring, ME, &examples.device)
    });
    if bytes == *original {
        assert!(opened.is_ok(), "a wrap does not open as it was made");
    }
    let Ok((found, key)) = opened else { return false };
    assert!(found == *label, "another label came out");
    assert!(key.expose() == examples.key.expose(), "another key came out");
    // The slots of others say nothing to me; whatever I open is bound.
    assert!(
        label.level() == Level::Named || bytes == *original,
        "an altered wrap opens"
    );
    true
}

/// A key box after edits.
pub fn opened_keybox(data: &[u8]) -> bool {
    static EXAMPLE: LazyLock<(Keyring, HybridSecret, Vec<u8>)> = LazyLock::new(|| {
        let mut entropy = ExampleEntropy::new("fuzzed key box");
        let (ring, device) = (ring(&mut entropy), device(1));
        let file = BoxFile::seal(VAULT, DEVICE, &device.recipient(), &ring, &mut entropy);
        let bytes = file.unwrap_or_else(|error| panic!("{error}")).to_bytes();
        (ring, device, bytes)
    });
    let (ring, device, original) = &*EXAMPLE;
    let bytes = edited(original, data);
    let opened = BoxFile::parse(&bytes).and_then(|file| {
        assert_eq!(file.to_bytes(), bytes, "{SAME}");
        file.open(VAULT, DEVICE, device)
    });
    assert_eq!(
        opened.is_ok(),
        bytes == *original,
        "a box opens as it was sealed and no other way"
    );
    let Ok(opened) = opened else { return false };
    assert!(encode_keys(&opened) == encode_keys(ring), "other keys came out");
    true
}

/// A wrapped detail key after edits, unwrapped by the device or by an auditor.
pub fn opened_detail(data: &[u8]) -> bool {
    struct Example {
        ring: Keyring,
        device: HybridSecret,
        sealed: Vec<u8>,
        file: Vec<u8>,
    }
    static EXAMPLE: LazyLock<Example> = LazyLock::new(|| {
        let mut entropy = ExampleEntropy::new("fuzzed detail key");
        let (ring, device) = (ring(&mut entropy), device(1));
        let role = ring
            .key_for(KeyUse::Auditors)
            .unwrap_or_else(|| panic!("the ring has it"));
        let example = DetailKey::make(&mut entropy).and_then(|key| {
            let sealed = key.seal(b"example", b"why", &mut entropy)?;
            let devices = [(DEVICE, device.recipient())];
            let file = DetailFile::wrap(
                VAULT,
                DEVICE,
                &key,
                (role.id, &role.recipient()),
                &devices,
                &mut entropy,
            )?;
            Ok((sealed, file.to_bytes()))
        });
        let (sealed, file) = example.unwrap_or_else(|error| panic!("{error}"));
        Example {
            ring,
            device,
            sealed,
            file,
        }
    });
    let Some((which, script)) = data.split_first() else {
        return false;
    };
    let example = &*EXAMPLE;
    let me = if which % 2 == 0 { DEVICE } else { DeviceId([8; 8]) };
    let bytes = edited(&example.file, script);
    let opened = DetailFile::parse(&bytes).and_then(|file| {
        assert_eq!(file.to_bytes(), bytes, "{SAME}");
        file.unwrap_key(VAULT, me, &example.device, &example.ring)
    });
    if bytes == example.file {
        assert!(opened.is_ok(), "a detail key does not open as it was wrapped");
    }
    let Ok(key) = opened else { return false };
    let details = key.open(b"example", &example.sealed);
    assert!(
        details.is_ok_and(|details| details.expose() == b"why"),
        "another key came out"
    );
    true
}

fn secret(n: u8) -> Secret<32> {
    Secret::copy_from(&[n; 32]).unwrap_or_else(|| panic!("32 bytes"))
}

fn device(n: u8) -> HybridSecret {
    HybridSecret::from_seed(&secret(n))
}

fn ring(entropy: &mut ExampleEntropy) -> Keyring {
    let uses = [
        (KeyUse::Level(Level::Restricted), None),
        (KeyUse::Level(Level::Internal), None),
        (KeyUse::Compartment(A), Some("Halcyon")),
        (KeyUse::Compartment(B), Some("Orchard")),
        (KeyUse::Auditors, None),
    ];
    Keyring::new(uses.map(|(usage, name)| {
        Key::make(usage, name.map(str::to_owned), [1; 8], entropy).unwrap_or_else(|error| panic!("{error}"))
    }))
}

fn example_metadata() -> Metadata {
    Metadata {
        title: "Gate 4".into(),
        client: "Halcyon".into(),
        case: String::new(),
        created: 1_767_225_600,
        modified: 1_767_225_601,
        happened: Some(1_767_222_000),
        author: ME,
        parents: vec![Digest([2; 32]), Digest([3; 32])],
        number: 2,
        fields: vec![("post".into(), "north".into()), ("weather".into(), "fog".into())],
    }
}

/// A sealed body, taken apart.
struct BodyExample {
    text: Vec<u8>,
    file: Vec<u8>,
    key: ContentKey,
    header: usize,
    metadata: usize,
}

/// What a full chunk takes once it is sealed, in bytes (docs/FORMAT.md §5).
const SEALED_CHUNK: usize = 65_536 + 16;

impl BodyExample {
    fn new(name: &'static str, len: usize) -> Self {
        let text: Vec<u8> = (0..len).map(|at| b'a' + (at % 23) as u8).collect();
        let mut entropy = ExampleEntropy::new(name);
        let sealed = seal_body(VAULT, NOTE, Purpose::Note, &example_metadata(), &text, &mut entropy);
        let (file, key) = sealed.unwrap_or_else(|error| panic!("{error}"));
        let body = BodyFile::parse(&file).unwrap_or_else(|error| panic!("{error}"));
        let metadata = body.metadata.len();
        let header = file.len() - metadata - body.text.len();
        Self {
            text,
            file,
            key,
            header,
            metadata,
        }
    }

    fn chunks(&self) -> Vec<Vec<u8>> {
        let (metadata, text) = self.file[self.header..].split_at(self.metadata);
        let text = text.chunks(SEALED_CHUNK).map(<[u8]>::to_vec);
        std::iter::once(metadata.to_vec()).chain(text).collect()
    }

    /// The file after a script: each edit is four bytes, what to do and its three operands.
    fn edited(&self, script: &[u8], other: &Self) -> Vec<u8> {
        let (mut chunks, spare) = (self.chunks(), other.chunks());
        let mut claimed = self.metadata as u16;
        for edit in script.chunks_exact(4).take(EDITS_MAX) {
            let [what, a, b, c] = [edit[0], edit[1], edit[2], edit[3]];
            if chunks.is_empty() {
                break;
            }
            let (first, second) = (usize::from(a) % chunks.len(), usize::from(b) % chunks.len());
            match what % 8 {
                0 => chunks.swap(first, second),
                1 => drop(chunks.remove(first)),
                2 if chunks.len() < 16 => chunks.insert(second, chunks[first].clone()),
                3 => chunks[first] = edited(&chunks[first], &[c, b, c, a]),
                4 => claimed = u16::from_be_bytes([b, c]),
                5 => claimed = claimed.wrapping_add_signed(i16::from(c as i8)),
                6 if chunks.len() < 16 => chunks.insert(first, spare[usize::from(c) % spare.len()].clone()),
                _ => {
                    // Cut in two: the same bytes, until an edit comes between.
                    let at = chunks[first].len() * usize::from(c) / 256;
                    let tail = chunks[first].split_off(at);
                    chunks.insert(first + 1, tail);
                }
            }
        }
        // The header's last field is the metadata's length; here it takes two bytes.
        let mut file = self.file[..self.header].to_vec();
        let last = file.len() - 2;
        file[last..].copy_from_slice(&claimed.to_be_bytes());
        file.extend(chunks.concat());
        file
    }
}

/// `original` after a script: each edit is four bytes, what to do, where (two bytes), and with what.
fn edited(original: &[u8], script: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for edit in script.chunks_exact(4).take(EDITS_MAX) {
        let [what, with] = [edit[0], edit[3]];
        if bytes.is_empty() {
            break;
        }
        let at = usize::from(u16::from_be_bytes([edit[1], edit[2]])) % bytes.len();
        match what % 8 {
            0 => bytes[at] = with,
            1 => bytes[at] ^= with,
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, with),
            4 => bytes.truncate(at),
            5 => bytes.rotate_left(at),
            6 => {
                let end = (at + usize::from(with)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.extend(copy);
            }
            _ => {
                let end = (at + usize::from(with)).min(bytes.len());
                bytes[at..end].reverse();
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::kept::Given;
    use super::*;
    use crate::crypto::make_random;
    use std::fs;
    use std::path::PathBuf;

    fn corpus(target: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(target)
    }

    fn kept_of(note: Option<NoteId>) -> KeptText {
        let mut given = Given::default();
        given.client = Some("Halcyon".into());
        given.at = Some(String::new());
        given.fields = vec![("plate".into(), "LX68QZV".into())];
        KeptText {
            note,
            follows: note.map(|_| Digest([7; 32])).into_iter().collect(),
            kept: 1_795_253_400,
            text: b"half a sentence".to_vec().into(),
            given,
        }
    }

    fn example_reply() -> Reply {
        Reply {
            text: zeroize::Zeroizing::new("We look at it tonight.".to_owned()),
            day: 20_778,
        }
    }

    /// One input that is accepted for each target, and some that are not.
    fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
        let mut entropy = ExampleEntropy::new("seeds");
        let info = |size, parts| ContentInfo {
            size,
            sha256: Digest([8; 32]),
            parts: vec![Digest([9; 32]); parts],
        };
        let kept = IdentitySecrets::make(ME, "ines".into(), Digest([7; 32]), &mut entropy).unwrap();
        vec![
            ("kept_text", "revision", kept_of(Some(NOTE)).encode().to_vec()),
            ("kept_text", "new_note", kept_of(None).encode().to_vec()),
            ("attachment", "two_parts", info((4 << 20) + 1, 2).encode()),
            ("attachment", "empty", info(0, 1).encode()),
            ("attachment", "part_missing", info((4 << 20) + 1, 1).encode()),
            ("key_list", "five", encode_keys(&ring(&mut entropy)).to_vec()),
            ("key_list", "none", encode_keys(&Keyring::default()).to_vec()),
            ("metadata", "second", example_metadata().encode().to_vec()),
            ("secrets", "officer", kept.encode().to_vec()),
            ("padded", "empty", padding::pad(b"").to_vec()),
            ("padded", "longer", padding::pad(&[b'x'; 400]).to_vec()),
            ("opened_body", "short", vec![0]),
            ("opened_body", "long", vec![1]),
            ("opened_body", "chunks_swapped", vec![1, 0, 1, 2, 0]),
            ("opened_body", "last_chunk_missing", vec![1, 1, 3, 0, 0]),
            ("opened_body", "cut_and_joined", vec![1, 7, 1, 0, 128]),
            ("opened_body", "chunk_of_another", vec![1, 6, 2, 0, 1]),
            ("opened_body", "length_moved", vec![0, 5, 0, 0, 1]),
            ("opened_concern", "whole", vec![]),
            ("opened_concern", "flipped", vec![1, 0, 99, 1]),
            ("concern_text", "two_readers", example_concern().encode().to_vec()),
            ("reply_text", "short", example_reply().encode().to_vec()),
            ("opened_wrap", "compartments", vec![0]),
            ("opened_wrap", "named", vec![1]),
            ("opened_wrap", "flipped", vec![0, 1, 0, 99, 1]),
            ("opened_keybox", "whole", vec![0]),
            ("opened_keybox", "flipped", vec![1, 4, 0, 1]),
            ("opened_detail", "device", vec![0]),
            ("opened_detail", "auditor", vec![1]),
            ("opened_detail", "flipped", vec![1, 1, 0, 60, 1]),
        ]
    }

    #[test]
    fn every_target_keeps_its_promise_over_its_corpus() {
        for (name, body) in TARGETS {
            let (mut accepted, mut refused) = (0, 0);
            for input in fs::read_dir(corpus(name)).unwrap() {
                let input = fs::read(input.unwrap().path()).unwrap();
                *(if body(&input) { &mut accepted } else { &mut refused }) += 1;
                // Scripts that touch one place each, and inputs that were cut.
                for at in 0..24 {
                    let more: [u8; 4] = make_random(&mut ExampleEntropy::new("damage")).unwrap();
                    let more = more.map(|byte| byte.wrapping_mul(at * 2 + 1));
                    refused += usize::from(!body(&[input.as_slice(), &more].concat()));
                }
            }
            assert!(accepted > 0, "nothing in the corpus of {name} is accepted");
            assert!(refused > 0, "nothing that comes of the corpus of {name} is refused");
        }
    }

    /// Writes the inputs above; run it when a format changes: `cargo test --lib envelope::fuzzing -- --ignored`.
    #[test]
    #[ignore = "it changes fuzz/corpus"]
    fn write_the_seeds() {
        for (target, name, bytes) in seeds() {
            fs::create_dir_all(corpus(target)).unwrap();
            fs::write(corpus(target).join(name), bytes).unwrap();
        }
    }

    #[test]
    fn a_script_without_edits_changes_nothing() {
        let accepted = |target: &str, input: &[u8]| TARGETS.iter().any(|(name, body)| *name == target && body(input));
        for (target, input) in [
            ("opened_body", &[0][..]),
            ("opened_body", &[1]),
            // Cut a chunk in two where it stands: nothing came between.
            ("opened_body", &[1, 7, 1, 0, 128]),
            ("opened_wrap", &[0]),
            ("opened_wrap", &[1]),
            ("opened_keybox", &[]),
            ("opened_detail", &[0]),
            ("opened_detail", &[1]),
            ("opened_concern", &[]),
        ] {
            assert!(accepted(target, input), "{target} {input:?}");
        }
        assert!(!accepted("opened_body", &[1, 0, 1, 2, 0]), "chunks swapped");
        assert!(!accepted("opened_body", &[1, 1, 3, 0, 0]), "the last chunk missing");
        assert!(!accepted("opened_body", &[1, 6, 2, 0, 1]), "a chunk of another body");
    }
}
