//! A brief as PDF (ISO 32000-1): text as text, on A4, the mark of its level above and below on every page. Nothing in it
//! says when, by whom or with what it was made, and it is ASCII throughout, so that it can be kept as text.

use super::render::{Header, facts};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use unicode_normalization::UnicodeNormalization;

/// A4, in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
/// From the edge of the paper, in points.
const MARGIN: f32 = 51.0;
/// The height of the box of a mark.
const MARK: f32 = 22.0;
/// Where the first line and the last one may stand.
const TOP: f32 = HEIGHT - MARGIN - MARK - 22.0;
const BOTTOM: f32 = MARGIN + MARK + 24.0;

/// Sizes of type and distances of lines, in points.
const BODY: Type = Type(Name(b"F"), 11.0, 15.0);
const BOLD: Type = Type(Name(b"B"), 11.0, 15.0);
const HEADING: Type = Type(Name(b"B"), 12.0, 24.0);
const SMALL: Type = Type(Name(b"F"), 8.5, 12.0);

/// How far the facts' values and the items of lists are moved in.
const FACT: f32 = 80.0;
const ITEM: f32 = 14.0;

/// A font, its size, and the distance of lines.
#[derive(Clone, Copy)]
struct Type(Name<'static>, f32, f32);

/// Advance widths of Helvetica's characters from space to tilde, in thousandths of the size (Adobe Core 14 AFM). Other
/// characters are counted as wider than they are, which only breaks lines earlier.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// How many times as wide the bold face is, in most words and in the widest of its characters, the quotation mark.
const WIDE: f32 = 1.1;
const WIDEST: f32 = 1.34;

/// The characters of Windows code page 1252 from 0x80 to 0x9f; those without one are spaces.
const HIGH: [char; 32] = [
    '€', ' ', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', ' ', 'Ž', ' ', ' ', '‘', '’', '“', '”', '•', '–',
    '—', '˜', '™', 'š', '›', 'œ', ' ', 'ž', 'Ÿ',
];

/// A text in the encoding of the fonts that every reader has; the first character that these lack.
fn encode(text: &str) -> Result<Vec<u8>, char> {
    let byte = |c: char| match c {
        '\t' | '\u{a0}' | '\u{202f}' => Ok(b' '),
        '\u{2010}' | '\u{2011}' => Ok(b'-'),
        '\u{2212}' => Ok(0x96),
        ' '..='~' | '\u{a1}'..='\u{ff}' => Ok(c as u8),
        _ => HIGH
            .iter()
            .position(|known| *known == c)
            .map(|at| 0x80 + at as u8)
            .ok_or(c),
    };
    text.nfc().map(byte).collect()
}

fn width(text: &[u8], kind: Type) -> f32 {
    let widths = text.iter().map(|byte| match byte {
        b' '..=b'~' => WIDTHS[usize::from(byte - b' ')],
        _ => 1000,
    });
    let bold = if kind.0 == BOLD.0 { WIDE } else { 1.0 };
    widths.map(f32::from).sum::<f32>() * kind.1 / 1000.0 * bold
}

/// A text in lines of at most `room` points; a word that is longer is broken.
fn wrap(text: &[u8], room: f32, kind: Type) -> Vec<Vec<u8>> {
    let room = if kind.0 == BOLD.0 { room * WIDE / WIDEST } else { room };
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    for word in text.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        if let Some(line) = lines.last_mut().filter(|line| !line.is_empty()) {
            if width(line, kind) + width(b" ", kind) + width(word, kind) <= room {
                line.push(b' ');
                line.extend_from_slice(word);
                continue;
            }
            lines.push(Vec::new());
        }
        for byte in word {
            let fits = |line: &Vec<u8>| line.is_empty() || width(line, kind) + width(&[*byte], kind) <= room;
            match lines.last_mut().filter(|line| fits(line)) {
                Some(line) => line.push(*byte),
                None => lines.push(vec![*byte]),
            }
        }
    }
    lines
}

/// A line of type, and where it begins.
struct Line {
    pieces: Vec<(f32, Type, Vec<u8>)>,
    /// How far below the line before.
    down: f32,
}

/// The lines of a brief, before they are put on pages.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn put(&mut self, text: &str, left: f32, kind: Type) -> Result<(), char> {
        let room = WIDTH - 2.0 * MARGIN - left;
        for line in wrap(&encode(text)?, room, kind) {
            let pieces = vec![(left, kind, line)];
            self.0.push(Line { pieces, down: kind.2 });
        }
        Ok(())
    }

    /// The same, with something before the first line.
    fn put_after(&mut self, before: (f32, Type, &str), text: &str, left: f32) -> Result<(), char> {
        let at = self.0.len();
        self.put(text, left, BODY)?;
        let piece = (before.0, before.1, encode(before.2)?);
        if let Some(first) = self.0.get_mut(at) {
            first.pieces.insert(0, piece);
        }
        Ok(())
    }

    fn gap(&mut self, down: f32) {
        if let Some(last) = self.0.last_mut() {
            last.down = last.down.max(BODY.2);
        }
        let pieces = Vec::new();
        self.0.push(Line { pieces, down });
    }

    fn text(&mut self, text: &str) -> Result<(), char> {
        for line in text.trim().lines().map(str::trim_end) {
            let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
            let item = line.trim_start().strip_prefix(['-', '*', '+']);
            match (item.and_then(|rest| rest.strip_prefix(' ')), line) {
                (_, "") => self.gap(BODY.2 / 2.0),
                (Some(item), _) => self.put_after((2.0, BODY, "•"), item.trim(), ITEM)?,
                _ if (1..=6).contains(&hashes) && line[hashes..].starts_with(' ') => {
                    self.put(line[hashes..].trim(), 0.0, HEADING)?;
                }
                _ => self.put(line, 0.0, BODY)?,
            }
        }
        Ok(())
    }

    /// Lines for each page.
    fn pages(self) -> Vec<Vec<(f32, Line)>> {
        let (mut pages, mut at) = (vec![Vec::new()], TOP);
        for line in self.0 {
            at -= line.down;
            if at < BOTTOM {
                pages.push(Vec::new());
                at = TOP - BODY.2;
            }
            if let Some(page) = pages.last_mut() {
                page.push((at, line));
            }
        }
        pages
    }
}

/// Writes a brief; the first character that the fonts lack, if there is one.
pub(super) fn pdf(text: &str, header: &Header) -> Result<String, char> {
    let mut lines = Lines::default();
    for (name, value) in facts(header) {
        lines.put_after((0.0, BOLD, name), value, FACT)?;
    }
    lines.gap(BODY.2);
    lines.text(text)?;
    let (mark, id) = (encode(&header.mark)?, encode(&header.id)?);
    let pages = lines.pages();
    let (count, mut pdf) = (pages.len() as i32, Pdf::new());
    pdf.set_binary_marker(b"text");
    let (catalog, tree, plain, bold) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4));
    let page = |n: i32| (Ref::new(5 + 2 * n), Ref::new(6 + 2 * n));
    pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
    pdf.pages(tree).kids((0..count).map(|n| page(n).0)).count(count);
    for (font, name) in [(plain, &b"Helvetica"[..]), (bold, b"Helvetica-Bold")] {
        pdf.type1_font(font)
            .base_font(Name(name))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (n, lines) in (0..).zip(pages) {
        let (this, contents) = page(n);
        let mut sheet = pdf.page(this);
        sheet.parent(tree).contents(contents);
        sheet.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
        sheet.resources().fonts().pair(BODY.0, plain).pair(BOLD.0, bold);
        sheet.finish();
        let mut content = Content::new();
        let show = |content: &mut Content, left: f32, at: f32, kind: Type, text: &[u8]| {
            content.begin_text().set_font(kind.0, kind.1).next_line(left, at);
            content.show(Str(text)).end_text();
        };
        let middle = |kind, text: &[u8]| (WIDTH - width(text, kind)) / 2.0;
        for edge in [HEIGHT - MARGIN - MARK, MARGIN] {
            content.rect(MARGIN, edge, WIDTH - 2.0 * MARGIN, MARK).stroke();
            show(&mut content, middle(BOLD, &mark), edge + 7.0, BOLD, &mark);
        }
        for (at, line) in lines {
            for (left, kind, text) in line.pieces {
                show(&mut content, MARGIN + left, at, kind, &text);
            }
        }
        let foot = [&id[..], format!(", page {} of {count}", n + 1).as_bytes()].concat();
        show(&mut content, middle(SMALL, &foot), MARGIN + MARK + 8.0, SMALL, &foot);
        pdf.stream(contents, &content.finish());
    }
    let bytes = pdf.finish();
    // INVARIANT (ASCII): the marker is, and whatever is not is written in hex.
    Ok(bytes.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::render::redisclosure;
    use super::*;
    use crate::label::Level;
    use proptest::prelude::*;

    fn header() -> Header {
        Header {
            label: "confidential".into(),
            mark: Level::Confidential.tlp().into(),
            id: "b-1".into(),
            handling: "Do not (pass) on – ever.".into(),
            redisclosure: redisclosure(Level::Confidential).into(),
            expires: None,
        }
    }

    #[test]
    fn it_is_one_and_the_same_ascii_and_says_nothing_of_its_making() {
        let text = "## To do\n- Lock the “door” (north).\n- Call.\n\nWhere\nand when\n".repeat(30);
        let file = pdf(&text, &header()).unwrap();
        assert!(file.is_ascii() && file.starts_with("%PDF-1.7\n") && file.ends_with("%%EOF"));
        assert_eq!(pdf(&text, &header()).unwrap(), file);
        let pages = file.matches("/Type /Page\n").count();
        assert!(pages > 2, "{pages}");
        assert_eq!(file.matches("(TLP:AMBER)").count(), 2 * pages);
        assert_eq!(file.matches(&format!(" of {pages}) Tj")).count(), pages);
        for word in ["/Info", "/Producer", "/CreationDate", "/Metadata", "/ID"] {
            assert!(!file.contains(word), "{word}");
        }
        // Each place that the table names begins an object.
        let table = &file[file.rfind("xref\n0 ").unwrap()..];
        let places = table.lines().filter_map(|line| line.strip_suffix(" 00000 n"));
        let begins: Vec<bool> = places
            .map(|at| file[at.parse().unwrap()..].lines().next().unwrap().ends_with(" 0 obj"))
            .collect();
        assert!(begins.len() == 4 + 2 * pages && begins.iter().all(|begins| *begins));
    }

    #[test]
    fn what_the_fonts_lack_is_refused() {
        assert_eq!(pdf("Wait for Łucja.", &header()), Err('Ł'));
        assert_eq!(encode("café – 5 €\u{a0}x"), Ok(b"caf\xe9 \x96 5 \x80 x".to_vec()));
        assert_eq!(encode("e\u{301}"), Ok(vec![0xe9]));
        assert_eq!(encode("a\u{202e}b"), Err('\u{202e}'));
    }

    proptest! {
        #[test]
        fn lines_hold_every_word_and_fit(text in "[a-zA-Z0-9 .,]{0,400}", room in 60f32..500.0) {
            let lines = wrap(text.as_bytes(), room, BODY);
            for line in &lines {
                prop_assert!(width(line, BODY) <= room, "{line:?}");
            }
            let letters = |text: &[u8]| text.iter().copied().filter(|byte| *byte != b' ').collect::<Vec<u8>>();
            prop_assert_eq!(letters(&lines.concat()), letters(text.as_bytes()));
        }
    }
}
