//! What every parser promises, whatever the bytes: it does not panic, and what it accepts it
//! writes back the same.
//!
//! One function for each target: it takes the bytes, panics where the promise is broken, and says
//! whether the bytes were accepted. `cargo fuzz run TARGET` searches with them; `tests/corpora.rs`
//! runs the same functions over the inputs in `corpus/` on any toolchain, and holds that each
//! corpus has something that is accepted, so that no target stops at the first byte.

use std::sync::LazyLock;
use strongroom::brief::{Kind, Known, Profile, Span, redact as redact_text, shipped};
use strongroom::chain::{Details, Entry, Message, Receipt, Roster, SignedCheckpoint, parse_bundle, write_bundle};
use strongroom::envelope::{BodyFile, BoxFile, DetailFile, IdentityFile, WrapFile};
use strongroom::id::VaultId;
use strongroom::label::LabelText;
use strongroom::policy::{Levels, Purposes};
use strongroom::repo::{Commit, JOURNAL_BYTES, decode_records, parse_tree, tree_bytes};

/// A target: its name, which is also that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub const TARGETS: &[Target] = &[
    ("bundle", bundle),
    ("card", card),
    ("checkpoint", checkpoint),
    ("commit", commit),
    ("detail", detail),
    ("details", details),
    ("entry", entry),
    ("envelope", envelope),
    ("identity", identity),
    ("journal", journal),
    ("keybox", keybox),
    ("label", label),
    ("levels", levels),
    ("message", message),
    ("profile", profile),
    ("purposes", purposes),
    ("receipt", receipt),
    ("redact", redact),
    ("tree", tree),
    ("wrap", wrap),
];

const SAME: &str = "what was accepted is written back otherwise";

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

/// An identity file, locked.
pub fn identity(data: &[u8]) -> bool {
    let Ok(file) = IdentityFile::parse(data) else {
        return false;
    };
    assert_eq!(file.to_text().as_bytes(), data, "{SAME}");
    true
}

/// The journal; what is missing to its size is zeros.
pub fn journal(data: &[u8]) -> bool {
    let mut image = data.to_vec();
    image.resize(JOURNAL_BYTES as usize, 0);
    let Ok(records) = decode_records(&image) else {
        return false;
    };
    assert!(records.iter().zip(0..).all(|(record, place)| record.sequence == place));
    !records.is_empty()
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

/// An auditor's receipt.
pub fn receipt(data: &[u8]) -> bool {
    let Ok(receipt) = Receipt::parse(data) else {
        return false;
    };
    assert_eq!(receipt.to_text().as_bytes(), data, "{SAME}");
    true
}

/// A note on its way into a brief.
pub fn redact(data: &[u8]) -> bool {
    static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
        let parse = |name| Profile::parse(shipped(name).expect("a shipped profile")).expect("what is shipped is sound");
        ["no-names", "strict"].map(parse).into()
    });
    static KNOWN: LazyLock<Known> = LazyLock::new(|| {
        let known = [(Kind::Person, "Corin Hask"), (Kind::Alias, "MAGPIE")];
        Known::new(known.map(|(kind, value)| (kind, value.to_owned())).into()).expect("two plain identifiers")
    });
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut accepted = false;
    for profile in PROFILES.iter() {
        let Ok(redaction) = redact_text(text, profile, &KNOWN) else {
            continue;
        };
        accepted = true;
        let length = text.chars().count();
        let inside = |span: &Span| span.start < span.end && span.end <= length;
        assert!(redaction.spans.iter().all(inside));
        assert!(redaction.spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
    accepted
}

/// A folder of the repository.
pub fn tree(data: &[u8]) -> bool {
    let Ok(entries) = parse_tree(data) else { return false };
    assert_eq!(tree_bytes(entries).as_deref(), Ok(data), "{SAME}");
    true
}

/// A content key wrapped to a label.
pub fn wrap(data: &[u8]) -> bool {
    let Ok(file) = WrapFile::parse(data) else { return false };
    assert_eq!(file.to_bytes(), data, "{SAME}");
    let _ = file.body();
    true
}
