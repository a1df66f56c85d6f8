//! Reads an entry off its line, a field after the other: canonical JSON (RFC 8785) leaves one order and one spelling, so
//! that nothing has to be looked up, and nothing has to be written again to be compared. Millions of lines are read when
//! a log is verified.

use super::entry::{Entry, FileRef, HeadRef};
use super::json::INTEGER_END;
use crate::id::{DeviceId, Digest, Incarnation, KeyId, LogName, PersonId, decode_digits};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The entry of a canonical line without escapes, and its sealed details, which it does not hold itself: few need them. None
/// for all else, among it the few canonical lines that have an escape: whoever asks reads these in the general way, which
/// also says what is wrong.
#[inline]
pub(super) fn read_entry(line: &[u8]) -> Option<(Entry, &str)> {
    let mut line = Rest(line);
    let sealed;
    let entry = Entry {
        actor: line.after("{\"actor\":\"")?.hex().map(PersonId)?,
        admitted: line.optional(",\"admitted\":\"", Rest::digest)?,
        because: line.optional(",\"because\":\"", Rest::value)?,
        detail: line.after(",\"detail\":\"")?.hex().map(KeyId)?,
        forgot: line
            .optional(",\"forgot\":[", |line| line.list(Rest::file))?
            .unwrap_or_default(),
        // The few lines that name notes held, or have a matter, are read in the general way.
        held: Vec::new(),
        joined: line
            .optional(",\"joined\":[", |line| line.list(Rest::head))?
            .unwrap_or_default(),
        kind: line.optional(",\"kind\":\"", Rest::name)?,
        log: line.after(",\"log\":\"")?.log()?,
        matter: None,
        policies: line.after(",\"policies\":\"")?.digest()?,
        prev: line.after(",\"prev\":\"")?.digest()?,
        result: line.after(",\"result\":\"")?.name()?,
        roster: line.after(",\"roster\":\"")?.digest()?,
        sealed: {
            sealed = line.after(",\"sealed\":\"")?.text()?;
            String::new()
        },
        seen: line.optional(",\"seen\":{", Rest::seen)?.unwrap_or_default(),
        seq: line.after(",\"seq\":")?.number()?,
        time: line.after(",\"time\":\"")?.value()?,
        v: line.after(",\"v\":")?.number()?.try_into().ok()?,
        wrote: line
            .optional(",\"wrote\":[", |line| line.list(Rest::file))?
            .unwrap_or_default(),
    };
    (line.0 == b"}").then_some((entry, sealed))
}

/// What is left of a line. What stands between its texts is compared, and these are looked at as they are taken.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    #[inline]
    fn after(&mut self, literal: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(literal.as_bytes())?;
        Some(self)
    }

    /// What `read` makes of what stands after a literal, if it is there.
    #[inline]
    fn optional<T>(&mut self, literal: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.after(literal) {
            Some(rest) => read(rest).map(Some),
            None => Some(None),
        }
    }

    /// So many bytes in hex.
    #[inline]
    fn digits<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (digits, rest) = self.0.split_at_checked(N * 2)?;
        self.0 = rest;
        decode_digits(digits)
    }

    /// The same up to a quotation mark, which is passed.
    #[inline]
    fn hex<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.digits()?;
        self.after("\"")?;
        Some(bytes)
    }

    #[inline]
    fn digest(&mut self) -> Option<Digest> {
        self.hex().map(Digest)
    }

    fn log(&mut self) -> Option<LogName> {
        let device = DeviceId(self.digits()?);
        let incarnation = Incarnation(self.after("-")?.hex()?);
        Some(LogName { device, incarnation })
    }

    /// The text up to a quotation mark, which is passed; none if there is an escape in it.
    fn text(&mut self) -> Option<&'a str> {
        let end = memchr::memchr(b'"', self.0)?;
        let (text, rest) = (self.0.get(..end)?, self.0.get(end + 1..)?);
        let escaped = |byte: &u8| *byte == b'\\' || *byte < b' ';
        if text.iter().fold(false, |any, byte| any | escaped(byte)) {
            return None;
        }
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn value<T: FromStr>(&mut self) -> Option<T> {
        self.text()?.parse().ok()
    }

    /// One of a few names.
    fn name<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let name: StrDeserializer<'a, Error> = self.text()?.into_deserializer();
        T::deserialize(name).ok()
    }

    /// An integer as every reader has it exactly.
    fn number(&mut self) -> Option<u64> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        let one_spelling = digits == b"0" || digits.first().is_some_and(|first| *first != b'0');
        let value = |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        let number = digits.iter().try_fold(0, value).filter(|_| one_spelling)?;
        (number < INTEGER_END).then_some(number)
    }

    /// Items up to the end of their list, which has begun; one at least.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.after(",").is_some() {
            items.push(item(self)?);
        }
        self.after("]")?;
        Some(items)
    }

    fn file(&mut self) -> Option<FileRef> {
        let branch = self.after("[\"")?.text()?.to_owned();
        let path = self.after(",\"")?.text()?.to_owned();
        let digest = self.after(",\"")?.digest()?;
        self.after("]")?;
        Some(FileRef(branch, path, digest))
    }

    fn head(&mut self) -> Option<HeadRef> {
        let log = self.after("[\"")?.log()?;
        let (size, root) = self.after(",")?.end()?;
        Some((log, size, root))
    }

    /// A size and a root, and the end of the list that they stand in.
    fn end(&mut self) -> Option<(u64, Digest)> {
        let end = (self.number()?, self.after(",\"")?.digest()?);
        self.after("]")?;
        Some(end)
    }

    fn seen(&mut self) -> Option<BTreeMap<LogName, (u64, Digest)>> {
        let mut seen = BTreeMap::new();
        loop {
            let log = self.after("\"")?.log()?;
            // In order, and each once.
            if seen.last_key_value().is_some_and(|(last, _)| *last >= log) {
                return None;
            }
            let end = self.after(":[")?.end()?;
            seen.insert(log, end);
            if self.after(",").is_none() {
                self.after("}")?;
                return Some(seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::entry::Kind;
    use super::super::entry::tests::example;
    use super::super::json;
    use super::super::matter::{Deed, Matter};
    use super::*;
    use crate::id::{EntryRef, NoteId};
    use proptest::prelude::*;

    /// With every field that an entry can have, and some twice.
    fn full() -> Entry {
        let mut entry = example(0, Digest([0; 32]));
        let file = |n: u8| {
            let digest = Digest([n; 32]);
            FileRef("notes/00".into(), format!("{}.{digest}", NoteId([n; 16])), digest)
        };
        let log = |n: u8| format!("{n:02x}02030405060708-090a0b0c").parse::<LogName>().unwrap();
        entry.because = Some(EntryRef { log: log(3), seq: 12 });
        (entry.forgot, entry.wrote) = (vec![file(1)], vec![file(2), file(3)]);
        entry.joined = vec![(log(1), 7, Digest([7; 32])), (log(2), 1, Digest([8; 32]))];
        entry.seen = [
            (log(4), (0, Digest([1; 32]))),
            (log(5), (INTEGER_END - 1, Digest([2; 32]))),
        ]
        .into();
        entry
    }

    fn line(entry: &Entry) -> String {
        String::from_utf8(json::to_line(entry)).unwrap()
    }

    #[test]
    fn what_has_a_matter_is_read_in_the_general_way() {
        let mut entry = example(1, Digest([9; 32]));
        entry.kind = Some(Kind::Approve);
        entry.because = Some(EntryRef { log: entry.log, seq: 0 });
        entry.matter = Some(Matter {
            deed: Deed::Destroy,
            note: NoteId([1; 16]),
            objects: Digest([2; 32]),
            until: entry.time,
        });
        let line = line(&entry);
        assert!(read(line.as_bytes()).is_none());
        assert_eq!(general(line.as_bytes()), Some(entry.clone()));
        assert_eq!(Entry::parse(line.as_bytes()).map(|parsed| parsed.entry), Ok(entry));
    }

    #[test]
    fn what_holds_notes_is_read_in_the_general_way() {
        let mut entry = example(1, Digest([9; 32]));
        entry.kind = Some(Kind::Hold);
        entry.held = vec![NoteId([1; 16]), NoteId([2; 16])];
        let line = line(&entry);
        assert!(line.contains("\"held\":[\"01010101"));
        assert!(read(line.as_bytes()).is_none());
        assert_eq!(general(line.as_bytes()), Some(entry));
    }

    fn general(line: &[u8]) -> Option<Entry> {
        json::from_line(line)
    }

    /// With its details.
    fn read(line: &[u8]) -> Option<Entry> {
        let (entry, sealed) = read_entry(line)?;
        assert_eq!(entry.sealed, "");
        let sealed = sealed.to_owned();
        Some(Entry { sealed, ..entry })
    }

    #[test]
    fn every_field_is_read() {
        for entry in [full(), example(1, Digest([9; 32]))] {
            assert_eq!(read(line(&entry).as_bytes()), Some(entry));
        }
        for kind in [
            "begin", "add", "revise", "relabel", "destroy", "attach", "draft", "release", "card", "policy",
        ] {
            let line = line(&full()).replace("\"begin\"", &format!("\"{kind}\""));
            assert_eq!(read(line.as_bytes()).unwrap().kind.map(Kind::name), Some(kind));
        }
        for path in ["\"quoted\"", "back\\slash", "a\nline"] {
            let mut odd = full();
            odd.wrote[0].1 = path.into();
            let line = line(&odd);
            assert_eq!(read(line.as_bytes()), None, "{path}");
            assert_eq!(general(line.as_bytes()), Some(odd));
        }
        let raw = line(&full()).replacen("notes/00", "notes\n00", 1);
        assert_eq!(read(raw.as_bytes()), general(raw.as_bytes()));
    }

    #[test]
    fn what_is_not_canonical_is_left() {
        let good = line(&full());
        let log4 = good.find("\"0402").unwrap();
        let (item, next) = (&good[log4..log4 + 97], &good[log4 + 98..]);
        let swapped = format!(
            "{}{},{item}{}",
            &good[..log4],
            &next[..item.len() + 15],
            &next[item.len() + 15..]
        );
        let twice = good.replacen(item, &format!("{item},{item}"), 1);
        let faults = [
            swapped,
            twice,
            good.replace(":0,", ":00,"),
            good.replace(":0,", ":-0,"),
            good.replace("\"seq\":0", "\"seq\":"),
            good.replace("\"v\":1", "\"v\":256"),
            good.replace("9007199254740991", "9007199254740992"),
            good.replace("9007199254740991", "99999999999999999999"),
            good.replace("]],\"kind\"", "],],\"kind\""),
            good.replace("\"joined\":[[", "\"joined\":[],[["),
            format!("{good} "),
            good[..good.len() - 1].to_owned(),
        ];
        for bad in faults {
            assert_ne!(bad, good);
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
            assert_eq!(general(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_general_reader_reads(at in 0usize..2000, with in "[ -~]{0,3}", out in 0usize..3, of_full: bool) {
            let good = line(&if of_full { full() } else { example(1, Digest([9; 32])) });
            let at = at % good.len();
            let changed = [&good[..at], &with, good.get(at + out..).unwrap_or_default()].concat();
            if let Some(entry) = read(changed.as_bytes()) {
                prop_assert_eq!(general(changed.as_bytes()), Some(entry));
            }
        }

        #[test]
        fn any_bytes_end_well(bytes: Vec<u8>) {
            prop_assert_eq!(read(&bytes), None);
        }
    }
}
