//! What every parser promises, whatever the bytes: it does not panic, and what it accepts it
//! writes back the same.
//!
//! One function for each target: it takes the bytes, panics where the promise is broken, and says
//! whether the bytes were accepted. `cargo fuzz run TARGET` searches with them; `tests/corpora.rs`
//! runs the same functions over the inputs in `corpus/` on any toolchain, and holds that each
//! corpus has something that is accepted, so that no target stops at the first byte.
//!
//! The targets that need a key stand in `src/envelope/fuzzing.rs`, beside what they open, and in
//! `src/ledger/tests/exchanged.rs`.

mod concerned;
mod formed;
mod judged;
mod members;
mod moved;
mod planted;
mod proven;
mod reported;
mod retained;

pub use concerned::{concern_file, concern_key, reply_code};
pub use formed::{form_file, form_text};
pub use judged::{cases, rules};
pub use members::roster;
pub use moved::{import_page, import_rules, import_table, picture};
pub use planted::{planted, portions, summary};
pub use proven::{cosigned, cosigned_file, example, example_proof, note_key, proof, proof_file, witness};
pub use reported::report;
pub use retained::retention;
/// The targets that need a key.
#[cfg(fuzzing)]
pub mod keyed {
    pub use strongroom::envelope::fuzzing::*;
    pub use strongroom::ledger::exchanged;

    /// That which stands in another room.
    pub const MORE: &[Target] = &[("exchanged", exchanged)];
}

use std::fmt::Display;
use std::str::FromStr;
use std::sync::LazyLock;
use strongroom::brief::{
    BriefFile, Kind, Known, Model, Profile, Span, check, redact as redact_text, redact_with, shipped,
};
use strongroom::chain::{
    Details, Entry, JoinRequest, Message, Namespace, Receipt, Roster, SignedCheckpoint, Time, parse_bundle, sign_ssh,
    verify_ssh, write_bundle,
};
use strongroom::crypto::{SigningKey, sha256};
use strongroom::envelope::{
    BodyFile, BoxFile, DetailFile, IdentityFile, KeptFile, KeyShare, NewcomerFile, PartFile, RecoveryKey, ShareSet,
    WrapFile,
};
use strongroom::gate::{Query, fold};
use strongroom::id::{CompartmentId, DeviceId, Digest, EntryRef, LogName, NoteId, VaultId};
use strongroom::label::LabelText;
use strongroom::ledger::{Accepted, HighWater, Withdrawn};
use strongroom::policy::{Levels, Purposes};
use strongroom::repo::{
    BackupHead, Batch, Commit, JOURNAL_BYTES, Oid, PackEntry, PackIndex, Pushed, Record, RemoteUrl, apply_delta,
    decode_records, delta_lengths, make_delta, parse_forgetting, parse_list, parse_loose, parse_pushed, parse_tree,
    tree_bytes,
};
use strongroom::secret::Secret;

/// A target: its name, which is also that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub const TARGETS: &[Target] = &[
    ("accepted", accepted),
    ("backup", backup),
    ("brief_file", brief_file),
    ("bundle", bundle),
    ("card", card),
    ("cases", cases),
    ("checkpoint", checkpoint),
    ("commit", commit),
    ("concern_file", concern_file),
    ("concern_key", concern_key),
    ("cosigned", cosigned),
    ("cosigned_file", cosigned_file),
    ("detail", detail),
    ("details", details),
    ("entry", entry),
    ("envelope", envelope),
    ("forgetting", forgetting),
    ("form_file", form_file),
    ("form_text", form_text),
    ("import_page", import_page),
    ("import_rules", import_rules),
    ("import_table", import_table),
    ("high_water", high_water),
    ("identity", identity),
    ("journal", journal),
    ("kept", kept),
    ("keybox", keybox),
    ("label", label),
    ("levels", levels),
    ("listed", listed),
    ("loose", loose),
    ("message", message),
    ("names", names),
    ("note_key", note_key),
    ("pack_delta", pack_delta),
    ("pack_index", pack_index),
    ("part", part),
    ("picture", picture),
    ("planted", planted),
    ("portions", portions),
    ("profile", profile),
    ("proof", proof),
    ("proof_file", proof_file),
    ("purposes", purposes),
    ("pushed", pushed),
    ("query", query),
    ("receipt", receipt),
    ("recovery", recovery),
    ("redact", redact),
    ("remote_url", remote_url),
    ("reply_code", reply_code),
    ("report", report),
    ("request", request),
    ("retention", retention),
    ("roster", roster),
    ("rules", rules),
    ("share", share),
    ("share_set", share_set),
    ("sshsig", sshsig),
    ("summary", summary),
    ("tagger", tagger),
    ("tree", tree),
    ("withdrawn", withdrawn),
    ("wrap", wrap),
];

/// The names of the targets that need a key; their inputs are run by the room that has them.
pub const KEYED: &[&str] = &[
    "attachment",
    "concern_text",
    "exchanged",
    "kept_text",
    "key_list",
    "metadata",
    "opened_body",
    "opened_concern",
    "opened_detail",
    "opened_keybox",
    "opened_wrap",
    "padded",
    "reply_text",
    "secrets",
];

const SAME: &str = "what was accepted is written back otherwise";

/// A draft or brief inside its note.
pub fn brief_file(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Some(file) = BriefFile::parse(text) else {
        return false;
    };
    assert_eq!(file.to_text().as_deref(), Some(text), "{SAME}");
    true
}

/// 256 entries closed into one file.
pub fn bundle(data: &[u8]) -> bool {
    let Ok(lines) = parse_bundle(data) else { return false };
    assert_eq!(write_bundle(lines), data, "{SAME}");
    true
}

/// A signed card, alone in a roster whose founder it would be.
pub fn card(data: &[u8]) -> bool {
    let Ok(roster) = Roster::verify(VaultId([1; 16]), None, &[data]) else {
        return false;
    };
    assert_eq!(roster.cards().len(), 1);
    assert!(data.starts_with(b"{"));
    true
}

/// The signed note over a log.
pub fn checkpoint(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(signed) = SignedCheckpoint::parse(text) else {
        return false;
    };
    assert_eq!(signed.to_text(), text, "{SAME}");
    true
}

/// A commit of the repository.
pub fn commit(data: &[u8]) -> bool {
    let Ok(commit) = Commit::parse(data) else { return false };
    // Without a signature it is signed as it stands; with one it is that much shorter.
    assert_eq!(commit.signed.len() == data.len(), commit.gpgsig.is_none());
    let again = Commit::parse(&commit.signed).expect("the signed part of a commit is a commit");
    assert_eq!((again.gpgsig, again.message), (None, commit.message));
    true
}

/// A wrapped detail key.
pub fn detail(data: &[u8]) -> bool {
    let Ok(file) = DetailFile::parse(data) else {
        return false;
    };
    assert_eq!(file.to_bytes(), data, "{SAME}");
    let _ = (file.key_id(), file.serves());
    true
}

/// The opened details of an entry.
pub fn details(data: &[u8]) -> bool {
    let Ok(details) = Details::decode(data) else {
        return false;
    };
    assert_eq!(details.encode(), data, "{SAME}");
    true
}

/// A line of a log.
pub fn entry(data: &[u8]) -> bool {
    let Ok(parsed) = Entry::parse(data) else { return false };
    assert_eq!(parsed.entry.to_line().as_deref(), Ok(data), "{SAME}");
    true
}

/// A sealed body: what can be read without its key.
pub fn envelope(data: &[u8]) -> bool {
    let Ok(file) = BodyFile::parse(data) else { return false };
    let _ = file.purpose();
    true
}

/// A text that was kept because it could not be recorded.
pub fn kept(data: &[u8]) -> bool {
    let Ok(file) = KeptFile::parse(data) else { return false };
    assert_eq!(file.to_bytes(), data, "{SAME}");
    true
}

/// The heads accepted from other clones.
pub fn accepted(data: &[u8]) -> bool {
    let Some(accepted) = Accepted::decode(data) else {
        return false;
    };
    assert!(accepted.encode() == data, "{SAME}");
    true
}

/// What a device took back of members and rules.
pub fn withdrawn(data: &[u8]) -> bool {
    let Some(withdrawn) = Withdrawn::decode(data) else {
        return false;
    };
    assert!(withdrawn.encode() == data, "{SAME}");
    true
}

/// The high-water mark of a log.
pub fn high_water(data: &[u8]) -> bool {
    let Some(mark) = HighWater::decode(data) else {
        return false;
    };
    let mut cbor = minicbor::Encoder::new(Vec::new());
    let log = mark.log.to_string();
    let written = cbor.map(6).and_then(|cbor| {
        cbor.u8(0)?.bytes(mark.vault.as_bytes())?.u8(1)?.str(&log)?;
        cbor.u8(2)?.u64(mark.size)?.u8(3)?.bytes(mark.root.as_bytes())?;
        cbor.u8(4)?.bytes(mark.founder.as_bytes())?;
        cbor.u8(5)?.bytes(mark.roster.as_bytes())
    });
    assert!(written.is_ok() && cbor.writer() == data, "{SAME}");
    true
}

/// A device's request to be admitted: its line, which the key of the seeds then signs.
pub fn request(line: &[u8]) -> bool {
    let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).expect("32 bytes"));
    let signature = sign_ssh(&key, Namespace::Request, line);
    let head = [b"strongroom-request-v1\n", line].concat();
    let file = [&head, signature.as_bytes()].concat();
    let Ok(request) = JoinRequest::parse(&file) else {
        return false;
    };
    assert_eq!(request.sign(&key), file, "{SAME}");
    true
}

/// An identity file, locked: as it is, and with its check line made right, which a fuzzer cannot guess.
pub fn identity(data: &[u8]) -> bool {
    let parse = |data: &[u8]| {
        let member = IdentityFile::parse(data).map(|file| file.to_text());
        let newcomer = NewcomerFile::parse(data).map(|file| file.to_text());
        assert!(member.is_err() || newcomer.is_err());
        let Ok(text) = member.or(newcomer) else {
            return false;
        };
        assert_eq!(text.as_bytes(), data, "{SAME}");
        true
    };
    parse(data) | parse(&with_check(data))
}

/// A text whose last line is the digest of what stands before it.
fn with_check(data: &[u8]) -> Vec<u8> {
    let end = data.windows(7).rposition(|part| part == b"\ncheck ");
    let body = end.map_or(data, |end| &data[..=end]);
    [body, format!("check {}\n", sha256(&[body])).as_bytes()].concat()
}

/// A part of an attachment: what can be read without its key.
pub fn part(data: &[u8]) -> bool {
    let Ok(part) = PartFile::parse(data) else { return false };
    assert!(part.number() < 16_384 && part.place().is_ok());
    assert!(BodyFile::parse(data).is_err(), "a part is no body");
    true
}

/// The journal; what is missing to its size is zeros. The bytes are also taken for the payload of a
/// record whose digests are right.
pub fn journal(data: &[u8]) -> bool {
    let read = |mut image: Vec<u8>| {
        image.resize(JOURNAL_BYTES as usize, 0);
        let records = decode_records(&image).unwrap_or_default();
        assert!(records.iter().zip(0..).all(|(record, place)| record.sequence == place));
        records
    };
    let sealed: Vec<Record> = read(with_digests(data));
    if let Some(record) = sealed.first() {
        assert_eq!((sealed.len(), record.generation), (1, 1));
        assert_eq!(payload(&record.batch), data, "{SAME}");
    }
    !read(data.to_vec()).is_empty() || !sealed.is_empty()
}

/// A journal of generation 1 with one record (the layout: `src/repo/record.rs`).
fn with_digests(payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(1 << 20)];
    let (generation, boot) = (1_u64.to_be_bytes(), [7; 16]);
    let head = [b"SRJHEAD\0".as_slice(), &1_u32.to_be_bytes(), &generation, &boot].concat();
    let record = [
        b"SRJR".as_slice(),
        &(payload.len() as u32).to_be_bytes(),
        &generation,
        &0_u64.to_be_bytes(),
    ]
    .concat();
    let mut image = vec![0; 4096];
    let header = [head.as_slice(), sha256(&[&head]).as_bytes()].concat();
    image[512..512 + header.len()].copy_from_slice(&header);
    image.extend_from_slice(&record);
    image.extend_from_slice(sha256(&[&record, payload]).as_bytes());
    image.extend_from_slice(payload);
    image
}

/// A batch in the encoding of the journal.
fn payload(batch: &Batch) -> Vec<u8> {
    let mut cbor = minicbor::Encoder::new(Vec::new());
    let written = (|| {
        cbor.array(3)?.array(batch.objects.len() as u64)?;
        for object in &batch.objects {
            cbor.array(2)?.u8(object.kind as u8)?.bytes(&object.bytes)?;
        }
        cbor.array(batch.refs.len() as u64)?;
        for change in &batch.refs {
            cbor.array(3)?.str(&change.name)?;
            for oid in [change.old, change.new] {
                match oid {
                    Some(oid) => cbor.bytes(&oid.0)?,
                    None => cbor.null()?,
                };
            }
        }
        cbor.bytes(&batch.note)?;
        Ok::<_, minicbor::encode::Error<_>>(())
    })();
    assert!(written.is_ok());
    cbor.into_writer()
}

/// A device's key box.
pub fn keybox(data: &[u8]) -> bool {
    let Ok(file) = BoxFile::parse(data) else { return false };
    assert_eq!(file.to_bytes(), data, "{SAME}");
    true
}

/// A label as a person writes it.
pub fn label(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(label) = text.parse::<LabelText>() else {
        return false;
    };
    let written = label.to_string();
    assert_eq!(
        written.parse(),
        Ok(label),
        "what was written reads back as something else"
    );
    assert!(written.len() <= LabelText::MAX_BYTES);
    true
}

/// `levels.toml`.
pub fn levels(data: &[u8]) -> bool {
    std::str::from_utf8(data).is_ok_and(|text| Levels::parse(text).is_ok())
}

/// The message of a commit in a log.
pub fn message(data: &[u8]) -> bool {
    let Ok(message) = Message::parse(data) else {
        return false;
    };
    assert_eq!(message.to_bytes(), data, "{SAME}");
    true
}

/// Ids, names of logs and entries, times: each has one spelling.
pub fn names(data: &[u8]) -> bool {
    fn one_spelling<T: FromStr + Display>(text: &str) -> bool {
        let Ok(value) = text.parse::<T>() else { return false };
        assert_eq!(value.to_string(), text, "{SAME}");
        true
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    [
        one_spelling::<VaultId>,
        one_spelling::<DeviceId>,
        one_spelling::<CompartmentId>,
        one_spelling::<Digest>,
        one_spelling::<LogName>,
        one_spelling::<EntryRef>,
        one_spelling::<Oid>,
        one_spelling::<Time>,
    ]
    .iter()
    .any(|parse| parse(text))
        | text.parse::<NoteId>().is_ok_and(|note| text.starts_with(&note.shard()))
}

/// A redaction profile.
pub fn profile(data: &[u8]) -> bool {
    std::str::from_utf8(data).is_ok_and(|text| Profile::parse(text).is_ok())
}

/// `purposes.toml`.
pub fn purposes(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(purposes) = Purposes::parse(text) else {
        return false;
    };
    assert!(
        purposes
            .iter()
            .all(|purpose| purposes.by_code(&purpose.code) == Some(purpose))
    );
    true
}

/// What stands in a backup before the objects.
pub fn backup(data: &[u8]) -> bool {
    let Some(head) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| BackupHead::parse(text).ok())
    else {
        return false;
    };
    assert_eq!(head.to_text().as_bytes(), data, "{SAME}");
    true
}

/// The note of what is being forgotten.
pub fn forgetting(data: &[u8]) -> bool {
    let Some(places) = std::str::from_utf8(data).ok().and_then(parse_forgetting) else {
        return false;
    };
    let lines: String = places.iter().map(|(name, oid)| format!("{name} {oid}\n")).collect();
    assert_eq!(lines.as_bytes(), data, "{SAME}");
    true
}

/// The refs that another repository says it has.
pub fn listed(data: &[u8]) -> bool {
    let Ok(listed) = parse_list(data) else { return false };
    let branches = listed.branches.iter();
    let lines: String = branches.map(|(name, oid)| format!("{oid}\t{name}\n")).collect();
    let again = parse_list(lines.as_bytes()).map(|again| again.branches);
    assert_eq!(again, Ok(listed.branches), "{SAME}");
    true
}

/// What git gives a pre-receive hook.
pub fn pushed(data: &[u8]) -> bool {
    let Ok(pushed) = parse_pushed(data) else { return false };
    let id = |oid: Option<Oid>| oid.unwrap_or(Oid([0; 20]));
    let line = |pushed: &Pushed| format!("{} {} {}\n", id(pushed.old), id(pushed.new), pushed.name);
    let lines: String = pushed.iter().map(line).collect();
    assert_eq!(parse_pushed(lines.as_bytes()).as_ref(), Ok(&pushed), "{SAME}");
    // What is taken are the lines themselves, in whatever order they came.
    let sorted = |text: &[u8]| {
        let mut lines: Vec<Vec<u8>> = text
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(lines.as_bytes()), sorted(data), "{SAME}");
    true
}

/// The address of another repository: nothing that git would take for an option or a program.
pub fn remote_url(data: &[u8]) -> bool {
    let Some(url) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| RemoteUrl::parse(text).ok())
    else {
        return false;
    };
    assert_eq!(url.as_str().as_bytes(), data, "{SAME}");
    let address = url.as_str();
    assert!(!address.starts_with('-') && !address.chars().any(char::is_control));
    // Whom ssh is asked to reach, or as whom, is nothing that it would take for an option.
    let reached = address.split_once("://").map_or("", |(_, rest)| rest);
    let reached = reached.split('/').next().unwrap_or_default();
    let host = reached.rsplit('@').next().unwrap_or_default();
    assert!(!reached.starts_with('-') && !host.starts_with('-'), "an option for ssh");
    // Git takes `NAME::…` for a program to reach it with if a scheme could be called NAME, and for a path elsewise.
    let scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let rest = address.trim_start_matches(scheme);
    assert!(!rest.starts_with("::"), "a program to reach it with");
    true
}

/// An auditor's receipt.
pub fn receipt(data: &[u8]) -> bool {
    let parse = |data: &[u8]| {
        let Ok(receipt) = Receipt::parse(data) else {
            return false;
        };
        assert_eq!(receipt.to_text().as_bytes(), data, "{SAME}");
        assert_eq!(Receipt::find(data), Ok(receipt), "{SAME}");
        true
    };
    let find = |data: &[u8]| {
        let Ok(receipt) = Receipt::find(data) else {
            return false;
        };
        let mail = receipt.to_text().replace('\n', " \r\n> ");
        assert_eq!(Receipt::find(mail.as_bytes()), Ok(receipt), "{SAME}");
        true
    };
    find(data) | parse(data) | parse(&with_check(data))
}

/// A page with a recovery key on it.
pub fn recovery(data: &[u8]) -> bool {
    let Ok(page) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(key) = RecoveryKey::find(page) else {
        return false;
    };
    // It may stand there in pieces, as it was typed.
    let typed: String = page.split_whitespace().collect();
    assert!(
        typed.to_ascii_lowercase().contains(key.to_word().as_str()),
        "the key that was found does not stand on the page"
    );
    true
}

/// A page with a recovery share on it.
pub fn share(data: &[u8]) -> bool {
    let Ok(page) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(share) = KeyShare::find(page) else {
        return false;
    };
    let words = |text: &str| {
        text.to_ascii_lowercase()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(
        words(page).contains(&words(&share.to_rows())),
        "the share that was found does not stand on the page"
    );
    let again = KeyShare::find(&share.to_text()).map(|share| share.to_rows());
    assert_eq!(again, Ok(share.to_rows()), "a share that was written is another");
    true
}

/// What recovery shares are checked with.
pub fn share_set(data: &[u8]) -> bool {
    let Ok(set) = ShareSet::parse(data) else {
        return false;
    };
    assert_eq!(set.to_bytes(), data, "a set was accepted that is written another way");
    true
}

/// The profiles that ship.
fn profiles() -> &'static [Profile; 2] {
    static PROFILES: LazyLock<[Profile; 2]> = LazyLock::new(|| {
        let parse = |name| Profile::parse(shipped(name).expect("a shipped profile")).expect("what is shipped is sound");
        ["no-names", "strict"].map(parse)
    });
    &PROFILES
}

/// Letters and digits in lower case, cut where more than four other characters stand between two of them: further apart
/// the parts of a name are words of their own.
fn run_together(text: &str) -> String {
    let (mut folded, mut gap) = (String::new(), 0);
    for c in text.chars() {
        if c.is_alphanumeric() {
            if gap > 4 {
                folded.push('|');
            }
            folded.extend(c.to_lowercase());
            gap = 0;
        } else {
            gap += 1;
        }
    }
    folded
}

/// A model that is accepted judges a text without a fault, whatever its weights say.
pub fn tagger(data: &[u8]) -> bool {
    const TEXT: &str = "Corin Hask told will at gate 3: the code is 4471. MAGPIE LEFT AT NINE";
    let Ok(model) = Model::parse(data) else {
        return false;
    };
    for profile in profiles() {
        if let Ok(redaction) = redact_with(TEXT, profile, &Known::nothing(), &model) {
            assert!(redaction.spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
    true
}

/// A note on its way into a brief.
pub fn redact(data: &[u8]) -> bool {
    static KNOWN: LazyLock<Known> = LazyLock::new(|| {
        let known = [(Kind::Person, "Corin Hask"), (Kind::Alias, "MAGPIE")];
        Known::new(known.map(|(kind, value)| (kind, value.to_owned())).into()).expect("two plain identifiers")
    });
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut accepted = false;
    let length = text.chars().count();
    for profile in profiles() {
        let leaks = check(text, profile, &KNOWN).unwrap_or_default();
        assert!(leaks.iter().all(|leak| leak.start < leak.end && leak.end <= length));
        let Ok(redaction) = redact_text(text, profile, &KNOWN) else {
            continue;
        };
        accepted = true;
        let inside = |span: &Span| span.start < span.end && span.end <= length;
        assert!(redaction.spans.iter().all(inside));
        assert!(redaction.spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let folded = run_together(&redaction.text);
        assert!(!folded.contains("corinhask"), "a known name came out");
    }
    accepted
}

/// The signature under a card.
pub fn sshsig(data: &[u8]) -> bool {
    const MESSAGE: &[u8] = b"an example\n";
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let key = |n: u8| SigningKey::from_seed(&Secret::copy_from(&[n; 32]).expect("32 bytes")).public();
    let holds = |key, namespace, message| verify_ssh(&key, namespace, message, text).is_ok();
    for (key, namespace, message) in [
        (key(2), Namespace::Card, MESSAGE),
        (key(1), Namespace::Git, MESSAGE),
        (key(1), Namespace::Card, &MESSAGE[1..]),
    ] {
        assert!(
            !holds(key, namespace, message),
            "a signature holds for what was not signed"
        );
    }
    holds(key(1), Namespace::Card, MESSAGE)
}

/// A folder of the repository.
pub fn tree(data: &[u8]) -> bool {
    let Ok(entries) = parse_tree(data) else { return false };
    assert_eq!(tree_bytes(entries).as_deref(), Ok(data), "{SAME}");
    true
}

/// An object's own file. Stored blocks behind zlib's header for the fastest level are taken apart in place, behind any other
/// they are inflated: both give the same. For a fuzzer the inflater looks at no sum, and then takes more.
pub fn loose(data: &[u8]) -> bool {
    let object = parse_loose(data, 1 << 16);
    if let Some(blocks) = data.strip_prefix(&[0x78, 0x01]) {
        let inflated = parse_loose(&[&[0x78, 0x9c], blocks].concat(), 1 << 16);
        if object.is_some() || !cfg!(fuzzing) {
            assert_eq!(object, inflated, "{SAME}");
        }
    }
    object.is_some_and(|object| object.bytes.len() <= 1 << 16)
}

/// A difference in a pack, after the 32 bytes that it is from; and whatever is one, made again, gives the same.
pub fn pack_delta(data: &[u8]) -> bool {
    let Some((base, delta)) = data.split_at_checked(32) else {
        return false;
    };
    let again = make_delta(base, delta);
    assert_eq!(apply_delta(base, &again, 1 << 20).as_deref(), Ok(delta), "{SAME}");
    let Ok(target) = apply_delta(base, delta, 1 << 16) else {
        return false;
    };
    assert_eq!(
        delta_lengths(delta).map(|(from, to, _)| (from, to)),
        Some((32, target.len() as u64))
    );
    true
}

/// The index of a pack: a program of somebody else's may have written it. What is taken from it stands in it.
pub fn pack_index(data: &[u8]) -> bool {
    let _ = PackEntry::parse(data);
    let Ok(PackIndex { ids, sums, places }) = PackIndex::parse(data) else {
        return false;
    };
    assert_eq!((ids.len(), ids.len()), (sums.len(), places.len()));
    assert!(ids.is_sorted_by(|a, b| a < b), "ids are in order, each once");
    let mut head = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
    for first in 0..=255 {
        let below = ids.iter().filter(|oid| oid.0[0] <= first).count();
        head.extend_from_slice(&(below as u32).to_be_bytes());
    }
    ids.iter().for_each(|oid| head.extend_from_slice(&oid.0));
    assert!(data.starts_with(&head), "{SAME}");
    true
}

/// What is searched for, and the folding by which it is.
pub fn query(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let folded = fold(text);
    assert_eq!(fold(&folded), folded, "folded is folded");
    Query::parse(text).is_ok()
}

/// A content key wrapped to a label.
pub fn wrap(data: &[u8]) -> bool {
    let Ok(file) = WrapFile::parse(data) else { return false };
    assert_eq!(file.to_bytes(), data, "{SAME}");
    let _ = file.body();
    true
}
