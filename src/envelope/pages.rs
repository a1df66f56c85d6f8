//! Sealed files as text: they are pasted, mailed and saved by programs that each do something to it, and are found all
//! the same (docs/FORMAT.md §2.4).

use base64ct::{Base64, Encoding};

/// The largest page, in bytes: a sealed file as text, and what people write around it.
pub(super) const PAGE_MAX: usize = 1 << 20;
/// What stands after a sealed file.
pub(super) const END: &str = "strongroom-end";
/// Characters in a line of it.
const LINE: usize = 64;
/// What programs put before lines of somebody else's.
const QUOTING: [char; 2] = ['>', '|'];

/// There is no readable file on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPage {
    /// None found.
    #[error("there is no {0} in this file")]
    None(&'static str),
    /// More than one found.
    #[error("there is more than one {0} in this file; give each a file of its own")]
    Several(&'static str),
    /// Something is missing or was changed on the way.
    #[error("this {0} is damaged: something is missing or was changed on the way; have it sent again")]
    Damaged(&'static str),
    /// Too large.
    #[error("this file is too large to be a {0} (1 MiB)")]
    TooLong(&'static str),
}

/// Bytes as a text that survives being pasted: base64 in lines between two words.
pub(super) fn to_page(begin: &str, bytes: &[u8]) -> String {
    let encoded = Base64::encode_string(bytes);
    let mut page = format!("{begin}\n");
    for line in encoded.as_bytes().chunks(LINE) {
        page.extend(line.iter().map(|byte| char::from(*byte)));
        page.push('\n');
    }
    page.push_str(END);
    page.push('\n');
    page
}

/// The bytes of the one such text on a page, however an editor saved it or a mail program stored it.
pub(super) fn find_page(what: &'static str, begin: &str, page: &[u8]) -> Result<Vec<u8>, BadPage> {
    if page.len() > PAGE_MAX {
        return Err(BadPage::TooLong(what));
    }
    let found = find_in(what, begin, &to_text(page));
    // Base64 ends with `=` too, so that a page is read as it is first.
    if !matches!(found, Err(BadPage::None(_) | BadPage::Damaged(_))) || !page.contains(&b'=') {
        return found;
    }
    match find_in(what, begin, &to_text(&without_escapes(page))) {
        Err(BadPage::None(_)) => found,
        again => again,
    }
}

/// The same of a text. White space and marks of quotation may cut it into pieces.
fn find_in(what: &'static str, begin: &str, text: &str) -> Result<Vec<u8>, BadPage> {
    let pieces = || text.split_whitespace().map(|piece| piece.trim_start_matches(QUOTING));
    match pieces().filter(|piece| *piece == begin).count() {
        // Whoever is told that there is none throws it away, and nobody has the writer's name to ask again.
        0 if text.contains(begin) => return Err(BadPage::Damaged(what)),
        0 => return Err(BadPage::None(what)),
        1 => {}
        _ => return Err(BadPage::Several(what)),
    }
    let mut encoded = String::new();
    for piece in pieces().skip_while(|piece| *piece != begin).skip(1) {
        if piece == END {
            return Base64::decode_vec(&encoded).map_err(|_| BadPage::Damaged(what));
        }
        encoded.push_str(piece);
    }
    Err(BadPage::Damaged(what))
}

/// A page as text, at most half as long again. What stands around a sealed file may be in any encoding: of it nothing is
/// asked but that it does not hide the file, which is ASCII.
fn to_text(page: &[u8]) -> String {
    let mut text = match page {
        [0xff, 0xfe, wide @ ..] => from_wide(wide, u16::from_le_bytes),
        [0xfe, 0xff, wide @ ..] => from_wide(wide, u16::from_be_bytes),
        page => {
            let mut text = String::with_capacity(page.len());
            for chunk in page.utf8_chunks() {
                text.push_str(chunk.valid());
                text.push_str(match chunk.invalid() {
                    [] => "",
                    // The space of Latin-1 that no line ends at.
                    [0xa0] => " ",
                    _ => "?",
                });
            }
            text
        }
    };
    // Marks of the encoding, and what is put into long words and not seen. A zero is half a letter of UTF-16 without its mark.
    text.retain(|c| !matches!(c, '\0' | '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}'));
    text
}

/// UTF-16 as text.
fn from_wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or('?')).collect()
}

/// What was written as quoted-printable (RFC 2045, §6.7): `=` and two digits for a byte, and `=` where a line goes on.
fn without_escapes(page: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut parts = page.split(|byte| *byte == b'=');
    let mut plain = Vec::with_capacity(page.len());
    plain.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        let escaped = match part {
            [high, low, ..] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match (part, escaped) {
            ([b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..], _) => plain.extend_from_slice(rest),
            ([_, _, rest @ ..], Some((high, low))) => {
                plain.push(high << 4 | low);
                plain.extend_from_slice(rest);
            }
            (part, _) => {
                plain.push(b'=');
                plain.extend_from_slice(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: &str = "sealed thing";
    const BEGIN: &str = "strongroom-thing-1";

    /// Its base64 ends with `==`.
    fn bytes() -> Vec<u8> {
        (0..=255).cycle().take(400).collect()
    }

    fn find(page: &[u8]) -> Result<Vec<u8>, BadPage> {
        find_page(WHAT, BEGIN, page)
    }

    fn wide(mark: bool, text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
    }

    /// As mail programs write lines: no longer than 76, and no white space at their ends.
    fn quoted_printable(text: &str) -> String {
        let mut lines = String::new();
        for line in text.lines() {
            let line: Vec<String> = line
                .bytes()
                .map(|byte| match byte {
                    b'!'..=b'<' | b'>'..=b'~' => char::from(byte).to_string(),
                    byte => format!("={byte:02X}"),
                })
                .collect();
            let line: Vec<String> = line.chunks(20).map(<[String]>::concat).collect();
            lines += &format!("{}\r\n", line.join("=\r\n"));
        }
        lines
    }

    #[test]
    fn what_editors_and_mail_programs_do_to_a_page_hides_nothing() {
        let page = to_page(BEGIN, &bytes());
        let letter = format!("Grüße aus Łódź – 問\r\n\r\n{}\r\nDanke", page.replace('\n', "\r\n"));
        let quoted = |mark: &str| page.lines().map(|line| format!("{mark}{line}\n")).collect::<String>();
        let (before, after) = (&b"Gr\xfc\xdfe\n\n"[..], &b"\nSch\xf6ne Gr\xfc\xdfe\n"[..]);
        for (how, saved) in [
            ("plain", page.clone().into_bytes()),
            ("a mark in front", format!("\u{feff}{page}").into_bytes()),
            ("two files in one", format!("\u{feff}Hi\n\u{feff}{page}").into_bytes()),
            ("UTF-16", wide(true, &letter, u16::to_le_bytes)),
            ("UTF-16, the other way", wide(true, &letter, u16::to_be_bytes)),
            ("UTF-16 without a mark", wide(false, &page, u16::to_le_bytes)),
            ("Latin-1", [before, page.as_bytes(), after].concat()),
            ("quoted without a space", quoted(">").into_bytes()),
            ("quoted again", quoted(">>> >").into_bytes()),
            ("quoted with a bar", quoted("| |").into_bytes()),
            ("spaces at the end", page.replace('\n', " \t\r\n").into_bytes()),
            ("spaces that hold", page.replace('\n', "\u{a0}\n\u{a0}").into_bytes()),
            (
                "the same in Latin-1",
                page.bytes()
                    .flat_map(|byte| if byte == b'\n' { vec![0xa0, b'\n'] } else { vec![byte] })
                    .collect(),
            ),
            (
                "spaces of no width",
                quoted("\u{200b}").replace('a', "a\u{200b}\u{ad}").into_bytes(),
            ),
            ("quoted-printable", quoted_printable(&letter).into_bytes()),
            (
                "quoted-printable, as lines end here",
                quoted_printable(&letter).replace('\r', "").into_bytes(),
            ),
            ("quoted-printable, quoted", quoted_printable(&quoted("> ")).into_bytes()),
            ("only what ends it", page.replace("==\n", "=3d=3D\n").into_bytes()),
        ] {
            assert_eq!(find(&saved), Ok(bytes()), "{how}: {}", saved.escape_ascii());
        }
    }

    #[test]
    fn what_is_there_is_never_said_to_be_none() {
        let page = to_page(BEGIN, &bytes());
        for (how, damaged) in [
            (
                "within other signs",
                page.replacen(BEGIN, &format!("<p>{BEGIN}</p>"), 1).into_bytes(),
            ),
            (
                "a stranger's byte",
                [&page.as_bytes()[..60], b"\xff", &page.as_bytes()[60..]].concat(),
            ),
            ("cut", wide(true, &page[..200], u16::to_le_bytes)),
            ("cut as mail stores it", quoted_printable(&page[..200]).into_bytes()),
            ("begun alone", BEGIN.into()),
        ] {
            assert_eq!(find(&damaged), Err(BadPage::Damaged(WHAT)), "{how}");
        }
        let twice = [
            wide(true, &page, u16::to_le_bytes),
            wide(false, &page, u16::to_le_bytes),
        ]
        .concat();
        let stored = quoted_printable(&format!("{page} {page} "));
        for (how, several) in [("as UTF-16", twice), ("as mail stores it", stored.into_bytes())] {
            assert_eq!(find(&several), Err(BadPage::Several(WHAT)), "{how}");
        }
        for none in [
            &b""[..],
            b"\xff\xfe",
            b"\xfe\xff\0",
            b"=",
            b"Gr\xfc\xdfe =3D",
            b"strongroom-thing",
        ] {
            assert_eq!(find(none), Err(BadPage::None(WHAT)));
        }
        assert_eq!(find(&vec![b'='; PAGE_MAX + 1]), Err(BadPage::TooLong(WHAT)));
    }

    #[test]
    fn no_page_grows_while_it_is_read() {
        for unit in [&b"> "[..], b"=", b"\xff", b"\xe3\x80\x80"] {
            for mark in [&b""[..], b"\xff\xfe"] {
                let mut page = [mark, &unit.repeat(PAGE_MAX / unit.len())].concat();
                page.truncate(PAGE_MAX);
                let text = to_text(&page);
                assert!(text.len() <= PAGE_MAX * 3 / 2);
                assert!(find(&page).is_err());
            }
        }
    }
}
