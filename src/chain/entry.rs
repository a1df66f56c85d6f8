//! One entry: a line of canonical JSON (docs/FORMAT.md §7).

use super::json::{self, INTEGER_END};
use super::line::read_entry;
use super::matter::Matter;
use super::time::Time;
use super::tree::leaf_hash;
use crate::crypto::{XNONCE_LEN, XTAG_LEN};
use crate::envelope::padding::is_padded_len;
use crate::id::{DeviceId, Digest, EntryRef, KeyId, LogName, NoteId, PersonId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The longest entry, in bytes.
pub const ENTRY_MAX: usize = 64 * 1024;
/// On so many notes one entry places a hold at most.
pub const HELD_MAX: usize = 256;

/// How the attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As asked.
    Done,
    /// The rules or the keys said no.
    Denied,
    /// Something was damaged or missing.
    Failed,
}

/// The kind of a change. A read has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The first entry of a log.
    Begin,
    /// A note was recorded.
    Add,
    /// A revision of one.
    Revise,
    /// A note was sealed anew under another label.
    Relabel,
    /// A note was forgotten.
    Destroy,
    /// A file was attached.
    Attach,
    /// A brief was drafted.
    Draft,
    /// A brief was released.
    Release,
    /// A card was signed.
    Card,
    /// The policies changed.
    Policy,
    /// What was changed of members and policies was taken back, since another lead's change came first.
    Withdraw,
    /// Keys were made, wrapped or forgotten.
    Key,
    /// Somebody else's approval was asked for.
    Request,
    /// It was given.
    Approve,
    /// A note was opened in an emergency by somebody whose clearance does not cover it.
    BreakGlass,
    /// That was looked at by a lead.
    Review,
    /// A conflict of interest was declared.
    Conflict,
    /// A legal hold was placed on notes, or on more of them.
    Hold,
    /// It was lifted.
    Lift,
    /// Somebody said that they know the policies in force.
    Acknowledge,
    /// Earlier attempts to unlock failed.
    UnlockFailed,
}

impl Kind {
    /// As it stands in an entry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Add => "add",
            Self::Revise => "revise",
            Self::Relabel => "relabel",
            Self::Destroy => "destroy",
            Self::Attach => "attach",
            Self::Draft => "draft",
            Self::Release => "release",
            Self::Card => "card",
            Self::Policy => "policy",
            Self::Withdraw => "withdraw",
            Self::Key => "key",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::BreakGlass => "break-glass",
            Self::Review => "review",
            Self::Conflict => "conflict",
            Self::Hold => "hold",
            Self::Lift => "lift",
            Self::Acknowledge => "acknowledge",
            Self::UnlockFailed => "unlock-failed",
        }
    }
}

/// A file of the vault as an entry names it: `[ref, path, SHA-256]`, the ref without `refs/heads/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FileRef(pub String, pub String, pub Digest);

/// The end of a history of a log: its name, how many entries it has, and their root.
pub type HeadRef = (LogName, u64, Digest);

/// Whether heads are sorted, each of them once, and of a size that a log can have.
pub(super) fn are_heads(heads: &[HeadRef]) -> bool {
    let sizes = heads.iter().all(|(_, size, _)| (1..INTEGER_END).contains(size));
    sizes && heads.windows(2).all(|pair| pair[0] < pair[1])
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The person whose device wrote it.
    pub actor: PersonId,
    /// At the first entry: the card that admits the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admitted: Option<Digest>,
    /// The entry this one rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<EntryRef>,
    /// The key that opens `sealed`.
    pub detail: KeyId,
    /// Files that no longer exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgot: Vec<FileRef>,
    /// The notes that a hold is placed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<NoteId>,
    /// At the first entry of a device's further log: the ends of the histories that the device had before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<HeadRef>,
    /// The kind of change; none for a read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The log it stands in.
    pub log: LogName,
    /// What is asked for or approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter: Option<Matter>,
    /// Digest of the policy set in force.
    pub policies: Digest,
    /// Leaf hash of the line before.
    pub prev: Digest,
    /// How it ended.
    pub result: Outcome,
    /// Digest of the roster in force.
    pub roster: Digest,
    /// Base64 of the sealed details.
    pub sealed: String,
    /// Other logs' size and root, where changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<LogName, (u64, Digest)>,
    /// Its place.
    pub seq: u64,
    /// The device's word for when.
    pub time: Time,
    /// The version of the format, 1.
    pub v: u8,
    /// Files that exist from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrote: Vec<FileRef>,
}

/// Why a line is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// Too long.
    #[error("an entry has at most 65536 bytes, this line has {0}")]
    TooLong(usize),
    /// Not canonical, unknown or double fields, bad values.
    #[error("this line is not an entry in canonical form")]
    NotCanonical,
    /// Written by a later version.
    #[error("this entry is of version {0}, which this strongroom does not know")]
    Version(u64),
    /// Fields that do not go together.
    #[error("this entry contradicts itself: {0}")]
    Contradiction(&'static str),
}

/// An entry and the hash of the line it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParsedEntry {
    /// The entry.
    pub entry: Entry,
    /// RFC 6962 leaf hash of its line.
    pub leaf: Digest,
}

impl Entry {
    /// The line, without newline. Refuses what a reader would refuse.
    pub fn to_line(&self) -> Result<Vec<u8>, BadEntry> {
        self.check(&self.sealed)?;
        let line = json::to_line(self);
        match line.len() > ENTRY_MAX {
            true => Err(BadEntry::TooLong(line.len())),
            false => Ok(line),
        }
    }

    /// Reads a line (without newline).
    pub fn parse(line: &[u8]) -> Result<ParsedEntry, BadEntry> {
        let (mut parsed, sealed) = Self::read(line)?;
        parsed.entry.sealed = sealed.into_owned();
        Ok(parsed)
    }

    /// The same, but what is read has no sealed details: they take more room than all the rest. They were looked at like
    /// the rest.
    #[inline]
    pub(super) fn parse_without_details(line: &[u8]) -> Result<ParsedEntry, BadEntry> {
        Self::read(line).map(|(parsed, _)| parsed)
    }

    /// What is read, and its sealed details, which it lacks.
    #[inline]
    fn read(line: &[u8]) -> Result<(ParsedEntry, Cow<'_, str>), BadEntry> {
        if line.len() > ENTRY_MAX {
            return Err(BadEntry::TooLong(line.len()));
        }
        let (entry, sealed) = match read_entry(line) {
            Some((entry, sealed)) => (entry, Cow::Borrowed(sealed)),
            None => Self::read_otherwise(line)?,
        };
        entry.check(&sealed)?;
        let leaf = leaf_hash(line);
        Ok((ParsedEntry { entry, leaf }, sealed))
    }

    /// The same of a line that has an escape, or is no entry; not yet checked.
    #[cold]
    fn read_otherwise<'l>(line: &[u8]) -> Result<(Self, Cow<'l, str>), BadEntry> {
        let mut entry: Self = json::from_line(line).ok_or_else(|| Self::why_not(line))?;
        let sealed = std::mem::take(&mut entry.sealed);
        Ok((entry, sealed.into()))
    }

    fn why_not(line: &[u8]) -> BadEntry {
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        match serde_json::from_slice::<Version>(line) {
            Ok(Version { v }) if v != 1 => BadEntry::Version(v),
            _ => BadEntry::NotCanonical,
        }
    }

    /// `sealed` are its sealed details, which it need not hold itself.
    fn check(&self, sealed: &str) -> Result<(), BadEntry> {
        let sorted = |files: &[FileRef]| files.windows(2).all(|pair| pair[0] < pair[1]);
        let first = self.seq == 0;
        let faults = [
            (
                self.seq >= INTEGER_END
                    || self.seen.values().any(|(size, _)| *size >= INTEGER_END)
                    || self.because.is_some_and(|because| because.seq >= INTEGER_END),
                "an integer beyond 2^53",
            ),
            (
                first != self.admitted.is_some(),
                "`admitted` belongs to the first entry and to no other",
            ),
            (
                first != (self.kind == Some(Kind::Begin)),
                "`begin` is the kind of the first entry and of no other",
            ),
            (
                self.kind.is_none() && !(self.wrote.is_empty() && self.forgot.is_empty()),
                "a read changes nothing",
            ),
            (
                self.result != Outcome::Done && !(self.wrote.is_empty() && self.forgot.is_empty()),
                "what did not happen changes nothing",
            ),
            (
                !sorted(&self.wrote) || !sorted(&self.forgot),
                "its files are not sorted",
            ),
            (self.seen.contains_key(&self.log), "a log does not see itself"),
            (!self.joins_fit(), "`joined` does not name earlier logs of its device"),
            (
                self.matter.is_some() != (self.done_as(&[Kind::Request, Kind::Approve])),
                "`matter` belongs to what is asked for or approved and to nothing else",
            ),
            (
                self.because.is_none() && self.done_as(&[Kind::Approve, Kind::Review, Kind::Lift]),
                "what is approved, reviewed or lifted is an entry that it names",
            ),
            (
                self.needs_a_statement() && !self.writes_a_statement(),
                "what needs a statement writes one, and a wrap of it",
            ),
            (
                !(self.held.is_empty() || self.done_as(&[Kind::Hold])) || self.held.len() > HELD_MAX,
                "`held` belongs to a hold, and names at most 256 notes",
            ),
            (
                !self.held.windows(2).all(|pair| pair[0] < pair[1]),
                "the notes that it holds are not sorted",
            ),
            (!self.effects_fit(), "its kind does not write or forget such files"),
            (!sealed_fits(sealed), "its sealed details have a form that none have"),
        ];
        match (self.v, faults.into_iter().find(|(fault, _)| *fault)) {
            (1, None) => Ok(()),
            (1, Some((_, why))) => Err(BadEntry::Contradiction(why)),
            (v, _) => Err(BadEntry::Version(v.into())),
        }
    }

    fn done_as(&self, kinds: &[Kind]) -> bool {
        self.result == Outcome::Done && self.kind.is_some_and(|kind| kinds.contains(&kind))
    }

    /// Whether it has a statement. What goes on from a hold may have one of its own.
    fn needs_a_statement(&self) -> bool {
        let goes_on = self.because.is_some() && self.wrote.is_empty();
        self.done_as(&[Kind::Request, Kind::BreakGlass, Kind::Conflict]) || self.done_as(&[Kind::Hold]) && !goes_on
    }

    /// Whether it writes one body and one wrap, of one note.
    fn writes_a_statement(&self) -> bool {
        let note = |file: &FileRef| file.1.split_once('.').map(|(note, _)| note.to_owned());
        match self.wrote.as_slice() {
            [wrap, body] => wrap.0.starts_with("keys/") && body.0.starts_with("notes/") && note(wrap) == note(body),
            _ => false,
        }
    }

    /// Whether what it joins are other logs of its device, and it is the first entry, if it joins any.
    fn joins_fit(&self) -> bool {
        let own = |(log, _, _): &HeadRef| log.device == self.log.device && *log != self.log;
        (self.joined.is_empty() || self.seq == 0) && are_heads(&self.joined) && self.joined.iter().all(own)
    }

    /// Whether an entry of this kind may have this effect: which branches it writes to and forgets from, and that
    /// files are named as that branch's files are, by their own digest.
    fn effects_fit(&self) -> bool {
        use Kind::{
            Acknowledge, Add, Approve, Attach, Begin, BreakGlass, Card, Conflict, Destroy, Draft, Hold, Key, Lift,
            Policy, Relabel, Release, Request, Review, Revise, UnlockFailed, Withdraw,
        };
        let fits = |file: &FileRef, forgets: bool| {
            let FileRef(branch, path, digest) = file;
            let (sealed, device) = (is_shard(branch), branch == "keys/devices");
            let named = branch == "main" || is_named(branch, path, digest);
            let allowed = match self.kind {
                None | Some(Acknowledge | UnlockFailed | Approve | Review | Lift) => false,
                Some(Begin) => branch == "main" || device,
                Some(Add | Draft | Release | Request | BreakGlass | Conflict | Hold) => sealed && !forgets,
                // Parts that an interrupted attaching left are forgotten by the next; wraps they never had.
                Some(Attach) => sealed && !(forgets && branch.starts_with("keys/")),
                Some(Revise | Relabel) => sealed,
                Some(Destroy) => sealed && forgets,
                Some(Card) => branch == "main" && !path.starts_with("policies/") || device,
                Some(Policy) => branch == "main" && path.starts_with("policies/"),
                Some(Withdraw) => branch == "main" || device && !forgets,
                Some(Key) => device || sealed && branch.starts_with("keys/"),
            };
            named && allowed
        };
        self.wrote.iter().all(|file| fits(file, false)) && self.forgot.iter().all(|file| fits(file, true))
    }

    /// Where it stands.
    pub fn place(&self) -> EntryRef {
        EntryRef {
            log: self.log,
            seq: self.seq,
        }
    }
}

/// Whether a file of a flat branch bears a name that it may have there: `<note>.<digest>` of a note of that shard,
/// `<device>.<digest>`, `detail-<key id>.<digest>`.
fn is_named(branch: &str, path: &str, digest: &Digest) -> bool {
    let Some((stem, end)) = path.split_once('.') else {
        return false;
    };
    let whose = match (branch, stem.strip_prefix("detail-")) {
        ("keys/devices", Some(key)) => key.parse::<KeyId>().is_ok(),
        ("keys/devices", None) => stem.parse::<DeviceId>().is_ok(),
        _ => stem
            .parse::<NoteId>()
            .is_ok_and(|note| branch.ends_with(&format!("/{}", note.shard()))),
    };
    whose && end.parse() == Ok(*digest)
}

/// Whether `sealed` is base64 of a nonce, a padded form and a tag.
fn sealed_fits(sealed: &str) -> bool {
    let padded = base64_len(sealed).and_then(|len| len.checked_sub(XNONCE_LEN + XTAG_LEN));
    padded.is_some_and(|len| is_padded_len(len as u64))
}

/// How many bytes a base64 text stands for, in its one spelling (RFC 4648 §3.5, §4); none if it is no such text. What
/// the bytes are does not matter to a log.
fn base64_len(text: &str) -> Option<usize> {
    let digits = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
    let pad = text.len() - digits.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let plain = digits.bytes().fold(true, |all, byte| all & is_digit(byte));
    // The last digit holds two or four bits that belong to no byte.
    let last = digits.bytes().last();
    let rest_is_zero = match pad {
        0 => true,
        1 => last.is_some_and(|byte| b"AEIMQUYcgkosw048".contains(&byte)),
        _ => last.is_some_and(|byte| b"AQgw".contains(&byte)),
    };
    (plain && text.len().is_multiple_of(4) && rest_is_zero).then(|| text.len() / 4 * 3 - pad)
}

/// `notes/<xx>` or `keys/<xx>`.
fn is_shard(branch: &str) -> bool {
    let shard = branch.strip_prefix("notes/").or_else(|| branch.strip_prefix("keys/"));
    shard.is_some_and(|xx| xx.len() == 2 && xx.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use base64ct::{Base64, Encoding};
    use proptest::prelude::*;

    pub(crate) fn example(seq: u64, prev: Digest) -> Entry {
        Entry {
            actor: PersonId([1; 8]),
            admitted: (seq == 0).then_some(Digest([2; 32])),
            because: None,
            detail: KeyId([3; 8]),
            forgot: Vec::new(),
            held: Vec::new(),
            joined: Vec::new(),
            kind: (seq == 0).then_some(Kind::Begin),
            log: "0102030405060708-090a0b0c".parse().unwrap(),
            matter: None,
            policies: Digest([4; 32]),
            prev,
            result: Outcome::Done,
            roster: Digest([5; 32]),
            sealed: Base64::encode_string(&[0; 296]),
            seen: BTreeMap::new(),
            seq,
            time: Time::from_unix(1_700_000_000 + seq as i64),
            v: 1,
            wrote: Vec::new(),
        }
    }

    #[test]
    fn an_entry_comes_back() {
        let mut entry = example(1, Digest([9; 32]));
        entry.kind = Some(Kind::Add);
        entry.wrote = vec![FileRef(
            "keys/00".into(),
            format!("{}.{}", NoteId([0; 16]), Digest([1; 32])),
            Digest([1; 32]),
        )];
        entry.because = Some(EntryRef { log: entry.log, seq: 0 });
        entry
            .seen
            .insert("1102030405060708-090a0b0c".parse().unwrap(), (7, Digest([8; 32])));
        let line = entry.to_line().unwrap();
        assert!(line.starts_with(br#"{"actor":"0101010101010101","because":"#));
        assert_eq!(Entry::parse(&line).unwrap().entry, entry);
    }

    #[test]
    fn one_fault_each_is_refused() {
        let line = String::from_utf8(example(1, Digest([9; 32])).to_line().unwrap()).unwrap();
        let faults = [
            ("a space", line.replace("\"seq\":1", "\"seq\": 1")),
            ("a double key", line.replace("\"seq\":1", "\"seq\":1,\"seq\":1")),
            ("an unknown field", line.replace("\"seq\":1", "\"seq\":1,\"spare\":1")),
            (
                "another order",
                line.replace("\"seq\":1,", "").replace("\"v\":1", "\"v\":1,\"seq\":1"),
            ),
            ("a float", line.replace("\"seq\":1", "\"seq\":1.0")),
            ("an exponent", line.replace("\"seq\":1", "\"seq\":1e0")),
            ("an escape", line.replace("AAAA", "AA\\u0041A")),
            (
                "an integer beyond 2^53",
                line.replace("\"seq\":1", "\"seq\":9007199254740992"),
            ),
            ("a negative", line.replace("\"seq\":1", "\"seq\":-1")),
            ("upper-case hex", line.replace("0909", "0A09")),
            ("a missing field", line.replace("\"v\":1,", "").replace(",\"v\":1", "")),
            ("a null", line.replace("\"detail\"", "\"because\":null,\"detail\"")),
            ("an empty list", line.replace("\"log\"", "\"forgot\":[],\"log\"")),
            ("a newline", format!("{line}\n")),
            ("a second value", format!("{line}{line}")),
        ];
        for (fault, bad) in faults {
            assert_ne!(bad, line, "{fault} changes the line");
            assert!(Entry::parse(bad.as_bytes()).is_err(), "{fault}");
        }
        assert_eq!(
            Entry::parse(line.replace("\"v\":1", "\"v\":2").as_bytes()),
            Err(BadEntry::Version(2))
        );
        assert_eq!(
            Entry::parse(&vec![b' '; ENTRY_MAX + 1]),
            Err(BadEntry::TooLong(ENTRY_MAX + 1))
        );
    }

    #[test]
    fn contradictions_are_refused() {
        let mut reads = example(1, Digest([9; 32]));
        reads.wrote = vec![FileRef("a".into(), "b".into(), Digest([0; 32]))];
        let mut denied = reads.clone();
        denied.kind = Some(Kind::Destroy);
        denied.result = Outcome::Denied;
        let mut late = example(1, Digest([9; 32]));
        late.admitted = Some(Digest([0; 32]));
        let sealed = |len: usize| Entry {
            sealed: Base64::encode_string(&vec![0; len]),
            ..example(1, Digest([9; 32]))
        };
        assert!(sealed(40 + 272).to_line().is_ok());
        let mut no_base64 = example(1, Digest([9; 32]));
        no_base64.sealed.pop();
        for entry in [
            reads,
            denied,
            late,
            sealed(0),
            sealed(39),
            sealed(295),
            sealed(300),
            no_base64,
        ] {
            assert!(matches!(entry.to_line(), Err(BadEntry::Contradiction(_))));
        }
    }

    #[test]
    fn only_a_first_entry_joins_and_only_logs_of_its_device() {
        let head = |log: &str, size| -> HeadRef { (log.parse().unwrap(), size, Digest([1; 32])) };
        let (old, older) = ("0102030405060708-00000001", "0102030405060708-00000000");
        let cases = [
            (0, vec![head(old, 3), head(old, 4)], true),
            (0, vec![head(older, 9), head(old, 4)], true),
            (1, vec![head(old, 3)], false),
            (0, vec![head(old, 4), head(old, 3)], false),
            (0, vec![head(old, 3), head(old, 3)], false),
            (0, vec![head(old, 0)], false),
            (0, vec![head(old, INTEGER_END)], false),
            (0, vec![head("1102030405060708-00000001", 3)], false),
            (0, vec![head("0102030405060708-090a0b0c", 3)], false),
        ];
        for (seq, joined, good) in cases {
            let entry = Entry {
                joined,
                ..example(seq, Digest([0; 32]))
            };
            assert_eq!(entry.to_line().is_ok(), good, "{entry:?}");
            if let Ok(line) = entry.to_line() {
                assert_eq!(Entry::parse(&line).unwrap().entry, entry);
            }
        }
    }

    #[test]
    fn a_hold_names_notes_in_order_and_says_why() {
        let (note, digest) = (NoteId([3; 16]), Digest([4; 32]));
        let file = |branch: &str| FileRef(branch.into(), format!("{note}.{digest}"), digest);
        let notes = |count: u32| -> Vec<NoteId> {
            let id = |n: u32| [[0; 12].as_slice(), &n.to_be_bytes()].concat().try_into().unwrap();
            (0..count).map(|n| NoteId(id(n))).collect()
        };
        let first = Entry {
            kind: Some(Kind::Hold),
            held: notes(2),
            wrote: vec![file("keys/03"), file("notes/03")],
            ..example(1, Digest([9; 32]))
        };
        let line = first.to_line().unwrap();
        assert_eq!(Entry::parse(&line).unwrap().entry, first);
        let more = Entry {
            because: Some(first.place()),
            wrote: Vec::new(),
            held: notes(256),
            ..first.clone()
        };
        let lift = Entry {
            kind: Some(Kind::Lift),
            held: Vec::new(),
            ..more.clone()
        };
        let nothing = Entry {
            held: Vec::new(),
            ..first.clone()
        };
        for good in [&more, &lift, &nothing] {
            assert!(good.to_line().is_ok(), "{good:?}");
        }
        let faults = [
            Entry {
                wrote: Vec::new(),
                ..first.clone()
            },
            Entry {
                wrote: vec![file("notes/03")],
                ..more.clone()
            },
            Entry {
                held: notes(257),
                ..first.clone()
            },
            Entry {
                held: notes(2).into_iter().rev().collect(),
                ..first.clone()
            },
            Entry {
                held: vec![note, note],
                ..first.clone()
            },
            Entry {
                kind: Some(Kind::Conflict),
                ..first.clone()
            },
            Entry {
                result: Outcome::Denied,
                ..more.clone()
            },
            Entry {
                held: notes(1),
                ..lift.clone()
            },
            Entry {
                because: None,
                ..lift.clone()
            },
            Entry {
                wrote: first.wrote.clone(),
                ..lift.clone()
            },
        ];
        for bad in faults {
            assert!(bad.to_line().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_kind_has_its_effects_and_no_others() {
        let digest = Digest([1; 32]);
        let note = |branch: &str| match branch {
            "notes/01" => FileRef(branch.into(), format!("{}.{digest}", NoteId([1; 16])), digest),
            "keys/devices" => FileRef(branch.into(), format!("{}.{digest}", DeviceId([1; 8])), digest),
            _ => FileRef(branch.into(), format!("{}.{digest}", NoteId([0; 16])), digest),
        };
        let detail = FileRef(
            "keys/devices".into(),
            format!("detail-{}.{digest}", KeyId([1; 8])),
            digest,
        );
        let card = FileRef("main".into(), "members/0001-x.card".into(), digest);
        let cases = [
            (Kind::Add, vec![note("notes/00"), note("keys/00")], vec![], true),
            (Kind::Add, vec![note("notes/00")], vec![note("notes/01")], false),
            (Kind::Add, vec![note("keys/devices")], vec![], false),
            (Kind::Add, vec![note("notes/zz")], vec![], false),
            (Kind::Add, vec![note("notes/02")], vec![], false),
            (Kind::Add, vec![note("keys/0")], vec![], false),
            (Kind::Key, vec![detail.clone()], vec![], true),
            (
                Kind::Key,
                vec![FileRef(detail.0.clone(), format!("x{}", detail.1), digest)],
                vec![],
                false,
            ),
            (
                Kind::Add,
                vec![FileRef("notes/00".into(), "x.y".into(), digest)],
                vec![],
                false,
            ),
            (Kind::Attach, vec![note("notes/00")], vec![note("notes/01")], true),
            (Kind::Attach, vec![], vec![note("keys/00")], false),
            (Kind::Attach, vec![note("keys/00")], vec![], true),
            (Kind::Destroy, vec![], vec![note("notes/00")], true),
            (Kind::Destroy, vec![note("notes/00")], vec![], false),
            (Kind::Key, vec![note("keys/devices")], vec![note("keys/devices")], true),
            (Kind::Key, vec![note("notes/00")], vec![], false),
            (Kind::Card, vec![card.clone(), note("keys/devices")], vec![], true),
            (Kind::Policy, vec![card.clone()], vec![], false),
            (Kind::Withdraw, vec![note("keys/devices")], vec![card.clone()], true),
            (Kind::Withdraw, vec![], vec![card.clone(), note("keys/devices")], false),
            (Kind::Withdraw, vec![], vec![card, note("notes/00")], false),
            (Kind::UnlockFailed, vec![note("notes/00")], vec![], false),
        ];
        for (kind, mut wrote, mut forgot, good) in cases {
            wrote.sort();
            forgot.sort();
            let entry = Entry {
                kind: Some(kind),
                wrote,
                forgot,
                ..example(1, Digest([9; 32]))
            };
            assert_eq!(entry.to_line().is_ok(), good, "{entry:?}");
        }
    }

    proptest! {
        #[test]
        fn base64_is_measured_as_it_is_decoded(bytes: Vec<u8>, at: usize, with in "[A-Za-z0-9+/=-]?") {
            let mut text = Base64::encode_string(&bytes);
            prop_assert_eq!(base64_len(&text), Some(bytes.len()));
            if !text.is_empty() {
                let at = at % text.len();
                text.replace_range(at..=at, &with);
            }
            prop_assert_eq!(base64_len(&text), Base64::decode_vec(&text).ok().map(|bytes| bytes.len()), "{}", text);
        }

        #[test]
        fn parsing_never_panics_and_writes_back(line in ".{0,200}") {
            if let Ok(parsed) = Entry::parse(line.as_bytes()) {
                prop_assert_eq!(parsed.entry.to_line().unwrap(), line.as_bytes());
            }
        }
    }
}
