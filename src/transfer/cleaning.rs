//! Pictures without what cameras and programs write into them beside the picture: where it was taken, when, and with what.
//! Nothing is decoded: pieces of the file are kept or left out whole, so that the picture stays bit for bit. How its
//! colours are meant is told no further than in numbers: a profile (ICC.1) has names, texts and a day of its own, and
//! without one the colours are those of sRGB.
//!
//! JPEG (ITU-T T.81, annex B), PNG (W3C, third edition) and WebP (RFC 9649).

use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// What a cleaned picture is without.
pub type LeftOut = BTreeSet<&'static str>;

/// Why a file cannot be cleaned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unclean {
    /// It is no picture.
    Unknown,
    /// It is a picture of this kind, in which what a camera wrote does not stand apart from the picture.
    Kind(&'static str),
    /// It begins like one, and does not go on so.
    Damaged,
}

pub(super) const EXIF: &str = "EXIF";
const COLOURS: &str = "a colour profile";
const OTHER: &str = "other data";
const AFTER: &str = "what followed the picture";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Chunks of a PNG that have to do with how it looks; animations too.
const PNG_KEPT: [&[u8; 4]; 15] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"sBIT", b"sRGB", b"bKGD", b"hIST", b"pHYs",
    b"acTL", b"fcTL", b"fdAT",
];
/// The same of a WebP.
const WEBP_KEPT: [&[u8; 4]; 6] = [b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH"];
/// The same of one picture of an animation.
const FRAME_KEPT: [&[u8; 4]; 3] = [b"VP8 ", b"VP8L", b"ALPH"];
/// What stands in such a picture before its chunks: its place and how long it is shown.
const FRAME_HEAD: usize = 16;
/// What stands first in pictures as telephones write them.
const HEIF_BRANDS: &[&[u8; 4]] = &[
    b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis",
];
/// The flags of a WebP that has a colour profile, EXIF or XMP.
const WEBP_FLAGS: u8 = 0x20 | 0x08 | 0x04;

/// The picture alone, and what was left out of the file.
pub fn clean(file: &[u8]) -> Result<(Zeroizing<Vec<u8>>, LeftOut), Unclean> {
    let (mut left_out, mut pass) = (LeftOut::new(), |_: &'static str, _: &[u8]| {});
    let cleaned = match kind(file).ok_or(Unclean::Unknown)? {
        kind if !kind.is_cleaned() => return Err(Unclean::Kind(kind.name())),
        kind => walk(
            kind,
            file,
            &mut Walk {
                left_out: &mut left_out,
                found: &mut pass,
            },
        ),
    };
    Ok((cleaned.ok_or(Unclean::Damaged)?, left_out))
}

/// What kinds of pictures are known by how they begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PictureKind {
    Jpeg,
    Png,
    WebP,
    /// TIFF 6.0; raw pictures of cameras too.
    Tiff,
    /// ISO/IEC 23008-12, as telephones write it.
    Heif,
    Gif,
}

impl PictureKind {
    pub(super) fn is_cleaned(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::WebP)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Heif => "HEIC or AVIF",
            Self::Gif => "GIF",
        }
    }
}

pub(super) fn kind(file: &[u8]) -> Option<PictureKind> {
    let brand = |brands: &[&[u8; 4]]| {
        file.get(8..12)
            .is_some_and(|found| brands.iter().any(|brand| found == *brand))
    };
    if file.starts_with(b"\xff\xd8\xff") {
        Some(PictureKind::Jpeg)
    } else if file.starts_with(PNG) {
        Some(PictureKind::Png)
    } else if file.starts_with(b"RIFF") && brand(&[b"WEBP"]) {
        Some(PictureKind::WebP)
    } else if file.starts_with(b"II*\0") || file.starts_with(b"MM\0*") {
        Some(PictureKind::Tiff)
    } else if file.get(4..8) == Some(b"ftyp") && brand(HEIF_BRANDS) {
        Some(PictureKind::Heif)
    } else if file.starts_with(b"GIF8") {
        Some(PictureKind::Gif)
    } else {
        None
    }
}

/// What is met on the way through a file beside the picture: what it is called, and what it holds.
pub(super) struct Walk<'w> {
    pub(super) left_out: &'w mut LeftOut,
    pub(super) found: &'w mut dyn FnMut(&'static str, &[u8]),
}

impl Walk<'_> {
    fn leave_out(&mut self, name: &'static str, content: &[u8]) {
        self.left_out.insert(name);
        (self.found)(name, content);
    }
}

/// The picture alone; nothing if the file ends before it does, or goes on otherwise than its kind.
pub(super) fn walk(kind: PictureKind, file: &[u8], walk: &mut Walk<'_>) -> Option<Zeroizing<Vec<u8>>> {
    match kind {
        PictureKind::Jpeg => jpeg(file, walk),
        PictureKind::Png => png(file, walk),
        PictureKind::WebP => webp(file, walk),
        PictureKind::Tiff | PictureKind::Heif | PictureKind::Gif => None,
    }
}

fn jpeg(file: &[u8], walk: &mut Walk<'_>) -> Option<Zeroizing<Vec<u8>>> {
    // Never longer than the file: it does not move, and is wiped.
    let mut kept = Zeroizing::new(Vec::with_capacity(file.len()));
    kept.extend_from_slice(&file[..2]);
    let mut at = 2;
    loop {
        if *file.get(at)? != 0xff {
            return None;
        }
        // Any number of fill bytes may stand before a marker.
        while *file.get(at + 1)? == 0xff {
            at += 1;
        }
        let marker = file[at + 1];
        at += 2;
        match marker {
            0xd9 => {
                kept.extend([0xff, marker]);
                if at < file.len() {
                    walk.leave_out(AFTER, &[]);
                }
                return Some(kept);
            }
            0xd0..=0xd7 | 0x01 => {
                kept.extend([0xff, marker]);
                continue;
            }
            0x00 | 0xd8 => return None,
            _ => {}
        }
        let size = usize::from(u16::from_be_bytes([*file.get(at)?, *file.get(at + 1)?]));
        let segment = file.get(at..at + size.max(2))?;
        at += segment.len();
        if !is_plain_jpeg(marker, segment.len()) {
            walk.leave_out(OTHER, &segment[2..]);
            return None;
        }
        match foreign_to_jpeg(marker, &segment[2..]) {
            Some(name) => walk.leave_out(name, &segment[2..]),
            None => {
                kept.extend([0xff, marker]);
                kept.extend_from_slice(segment);
            }
        }
        if marker == 0xda {
            // What is coded lasts until a marker that is neither a stuffed byte nor a restart.
            let coded = file.get(at..)?;
            let end = coded
                .windows(2)
                .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff))?;
            kept.extend_from_slice(&coded[..end]);
            at += end;
        }
    }
}

/// Whether a JPEG with this segment is one as programs show it. Pictures in several sizes, each on top of the one before
/// (annex J), are not: their two segments may hold any text, and without them it would be another picture. A number of
/// lines and an interval are two bytes.
fn is_plain_jpeg(marker: u8, size: usize) -> bool {
    match marker {
        0xde | 0xdf => false,
        0xdc | 0xdd => size == 4,
        _ => true,
    }
}

/// What a segment is called that the picture does not need.
fn foreign_to_jpeg(marker: u8, content: &[u8]) -> Option<&'static str> {
    match marker {
        // What is behind its fourteen bytes is a small picture, which may show what was cut off from this one since.
        0xe0 if content.starts_with(b"JFIF\0") && content.len() <= 14 => None,
        0xe0 if content.starts_with(b"JFIF\0") => Some("a small picture"),
        0xe2 if content.starts_with(b"ICC_PROFILE\0") => Some(COLOURS),
        // Which colours are meant: twelve bytes, and no word more.
        0xee if content.starts_with(b"Adobe") && content.len() <= 12 => None,
        0xe1 if content.starts_with(b"Exif\0") => Some(EXIF),
        0xe1 if content.starts_with(b"http://ns.adobe.com/") => Some("XMP"),
        0xed => Some("IPTC"),
        0xfe => Some("a comment"),
        // What decoding takes: frames, tables, scans, numbers of lines and intervals.
        0xc0..=0xc7 | 0xc9..=0xcf | 0xda..=0xdd => None,
        _ => Some(OTHER),
    }
}

fn png(file: &[u8], walk: &mut Walk<'_>) -> Option<Zeroizing<Vec<u8>>> {
    // Never longer than the file: it does not move, and is wiped.
    let mut kept = Zeroizing::new(Vec::with_capacity(file.len()));
    kept.extend_from_slice(PNG);
    let mut at = PNG.len();
    loop {
        let size = u32::from_be_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize;
        let kind: &[u8; 4] = file.get(at + 4..at + 8)?.try_into().ok()?;
        let chunk = file.get(at..at.checked_add(size)?.checked_add(12)?)?;
        at += chunk.len();
        let foreign = match kind {
            kind if PNG_KEPT.contains(&kind) => None,
            b"eXIf" => Some(EXIF),
            b"tEXt" | b"zTXt" | b"iTXt" => Some("texts"),
            b"tIME" => Some("a time"),
            b"iCCP" => Some(COLOURS),
            // Without one that its writer calls critical it is not the same picture.
            [b'A'..=b'Z', ..] => return None,
            _ => Some(OTHER),
        };
        match foreign {
            None => kept.extend_from_slice(chunk),
            Some(name) => walk.leave_out(name, &chunk[8..chunk.len() - 4]),
        }
        if kind == b"IEND" {
            if at < file.len() {
                walk.leave_out(AFTER, &[]);
            }
            return Some(kept);
        }
    }
}

fn webp(file: &[u8], walk: &mut Walk<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let size = u32::from_le_bytes(file.get(4..8)?.try_into().ok()?) as usize;
    let end = size.checked_add(8)?;
    // What is cut off is walked as far as it goes.
    let all = &file[..end.min(file.len())];
    if end < file.len() {
        walk.leave_out(AFTER, &[]);
    }
    // Never longer than the file: it does not move, and is wiped.
    let mut kept = Zeroizing::new(Vec::with_capacity(file.len()));
    kept.extend_from_slice(&file[..12]);
    let mut rest = all.get(12..)?;
    while !rest.is_empty() {
        let (kind, content) = next_of_webp(&mut rest)?;
        if let Some(name) = foreign_to_webp(kind, &WEBP_KEPT) {
            walk.leave_out(name, content);
            continue;
        }
        let begun = begin_chunk(&mut kept, kind);
        match kind {
            b"ANMF" => {
                let (head, mut frame) = content.split_at_checked(FRAME_HEAD)?;
                kept.extend_from_slice(head);
                while !frame.is_empty() {
                    let (kind, content) = next_of_webp(&mut frame)?;
                    match foreign_to_webp(kind, &FRAME_KEPT) {
                        Some(name) => walk.leave_out(name, content),
                        None => {
                            let begun = begin_chunk(&mut kept, kind);
                            kept.extend_from_slice(content);
                            end_chunk(&mut kept, begun)?;
                        }
                    }
                }
            }
            // These two have one length, and are read no further.
            b"VP8X" | b"ANIM" => {
                let (head, more) = content.split_at_checked(if kind == b"VP8X" { 10 } else { 6 })?;
                kept.extend_from_slice(head);
                if kind == b"VP8X" {
                    *kept.get_mut(begun + 8)? &= !WEBP_FLAGS;
                }
                if !more.is_empty() {
                    walk.leave_out(OTHER, more);
                }
            }
            _ => kept.extend_from_slice(content),
        }
        end_chunk(&mut kept, begun)?;
    }
    if all.len() < end {
        return None;
    }
    let size = u32::try_from(kept.len() - 8).ok()?;
    kept[4..8].copy_from_slice(&size.to_le_bytes());
    Some(kept)
}

/// Takes the next chunk off a WebP: its name and what it holds.
fn next_of_webp<'f>(rest: &mut &'f [u8]) -> Option<(&'f [u8; 4], &'f [u8])> {
    let (kind, behind) = rest.split_first_chunk()?;
    let (size, behind) = behind.split_first_chunk()?;
    let size = u32::from_le_bytes(*size) as usize;
    let content = behind.get(..size)?;
    *rest = behind.get(size.checked_add(size % 2)?..)?;
    Some((kind, content))
}

/// Begins a chunk of a WebP whose size is not known yet; says where.
fn begin_chunk(kept: &mut Vec<u8>, kind: &[u8; 4]) -> usize {
    kept.extend_from_slice(kind);
    kept.extend([0; 4]);
    kept.len() - 8
}

/// Ends it: its size is that of what was put behind its head.
fn end_chunk(kept: &mut Vec<u8>, begun: usize) -> Option<()> {
    let size = kept.len() - begun - 8;
    kept.get_mut(begun + 4..begun + 8)?
        .copy_from_slice(&u32::try_from(size).ok()?.to_le_bytes());
    if size % 2 == 1 {
        kept.push(0);
    }
    Some(())
}

/// What a chunk is called that is none of those kept.
fn foreign_to_webp(kind: &[u8; 4], kept: &[&[u8; 4]]) -> Option<&'static str> {
    match kind {
        kind if kept.contains(&kind) => None,
        b"EXIF" => Some(EXIF),
        b"XMP " => Some("XMP"),
        b"ICCP" => Some(COLOURS),
        _ => Some(OTHER),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: &[u8] = b"51.5007 N 0.1246 W";

    pub(in crate::transfer) fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let size = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &size, content].concat()
    }

    pub(in crate::transfer) fn a_jpeg() -> (Vec<u8>, Vec<u8>) {
        let jfif = segment(0xe0, b"JFIF\0\x01\x02");
        let table = segment(0xdb, &[7; 65]);
        let scan = [&segment(0xda, &[1, 2, 3])[..], b"\x11\xff\x00\x22\xff\xd3\x33"].concat();
        let foreign = [
            segment(0xe1, &[b"Exif\0\0", PLACE].concat()),
            segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", PLACE].concat()),
            segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", PLACE].concat()),
            segment(0xed, PLACE),
            segment(0xfe, PLACE),
            segment(0xe0, &[b"JFXX\0", PLACE].concat()),
            segment(0xee, &[b"Adobe", PLACE].concat()),
            segment(0xf5, PLACE),
            segment(0x02, PLACE),
        ]
        .concat();
        let clean = [b"\xff\xd8", &jfif[..], &table, &scan, &scan, b"\xff\xd9"].concat();
        let file = [
            b"\xff\xd8",
            &jfif[..],
            &foreign,
            b"\xff\xff",
            &table,
            &scan,
            &scan,
            b"\xff\xd9",
            PLACE,
        ]
        .concat();
        (file, clean)
    }

    pub(in crate::transfer) fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&size[..], kind, content, b"crc!"].concat()
    }

    pub(in crate::transfer) fn a_png() -> (Vec<u8>, Vec<u8>) {
        let (head, data, end) = (chunk(b"IHDR", &[1; 13]), chunk(b"IDAT", b"pixels"), chunk(b"IEND", b""));
        let foreign = [
            chunk(b"eXIf", PLACE),
            chunk(b"tEXt", PLACE),
            chunk(b"tIME", b"7 bytes"),
            chunk(b"iCCP", &[PLACE, b"\0\0deflated"].concat()),
            chunk(b"sPLT", &[PLACE, b"\0\x08"].concat()),
            chunk(b"prVt", PLACE),
        ];
        let clean = [PNG, &head, &data, &end].concat();
        ([PNG, &head, &foreign.concat(), &data, &end, PLACE].concat(), clean)
    }

    fn part(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&kind[..], &size, content, &[0][..content.len() % 2]].concat()
    }

    fn webp_of(parts: &[Vec<u8>]) -> Vec<u8> {
        let parts = parts.concat();
        let size = u32::try_from(parts.len() + 4).unwrap().to_le_bytes();
        [b"RIFF", &size[..], b"WEBP", &parts].concat()
    }

    pub(in crate::transfer) fn a_webp() -> (Vec<u8>, Vec<u8>) {
        let with = part(b"VP8X", &[0x3c, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
        let without = part(b"VP8X", &[0x10, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
        let data = part(b"VP8 ", b"pixel");
        let file = webp_of(&[
            with,
            part(b"ICCP", PLACE),
            data.clone(),
            part(b"EXIF", PLACE),
            part(b"XMP ", PLACE),
            part(b"abcd", PLACE),
        ]);
        (file, webp_of(&[without, data]))
    }

    /// A WebP of two pictures, one after the other, in which each has more than itself.
    pub(in crate::transfer) fn an_animation() -> (Vec<u8>, Vec<u8>) {
        let (head, all) = ([0x12, 0, 0, 0, 1, 0, 0, 1, 0, 0], [9, 9, 9, 9, 0, 0]);
        let picture = |parts: &[Vec<u8>]| part(b"ANMF", &[&[3; FRAME_HEAD], &parts.concat()[..]].concat());
        let (clear, one, two) = (part(b"ALPH", b"see"), part(b"VP8 ", b"pixel"), part(b"VP8L", b"pixels"));
        let file = webp_of(&[
            part(b"VP8X", &[&head, PLACE].concat()),
            part(b"ANIM", &[&all, PLACE].concat()),
            picture(&[clear.clone(), part(b"EXIF", PLACE), one.clone(), part(b"XMP ", PLACE)]),
            picture(&[
                part(b"abcd", PLACE),
                two.clone(),
                part(b"ANMF", PLACE),
                part(b"ICCP", PLACE),
            ]),
        ]);
        let clean = [
            part(b"VP8X", &head),
            part(b"ANIM", &all),
            picture(&[clear, one]),
            picture(&[two]),
        ];
        (file, webp_of(&clean))
    }

    #[test]
    fn the_picture_stays_bit_for_bit_and_nothing_else_does() {
        let jpeg = ["EXIF", "IPTC", "XMP", COLOURS, "a comment", OTHER, AFTER];
        let png = ["EXIF", COLOURS, "a time", OTHER, "texts", AFTER];
        for ((file, expected), names) in [
            (a_jpeg(), &jpeg[..]),
            (a_png(), &png[..]),
            (a_webp(), &["EXIF", "XMP", COLOURS, OTHER][..]),
            (an_animation(), &["EXIF", "XMP", COLOURS, OTHER]),
        ] {
            let (cleaned, left_out) = clean(&file).unwrap();
            assert_eq!(*cleaned, expected);
            assert_eq!(memchr::memmem::find(&cleaned, PLACE), None);
            assert_eq!(left_out, names.iter().copied().collect());
            assert_eq!(clean(&cleaned), Ok((cleaned, LeftOut::new())));
        }
    }

    #[test]
    fn what_is_cut_off_is_damaged_and_what_is_no_picture_is_not_taken_for_one() {
        for (file, clean_file) in [a_jpeg(), a_png(), a_webp(), an_animation()] {
            let whole = clean_file.len();
            for end in 12..whole {
                assert_eq!(clean(&clean_file[..end]), Err(Unclean::Damaged), "{end} of {whole}");
            }
            assert!(clean(&file[..4]).is_err());
        }
        for other in [&b""[..], b"%PDF-1.7", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypmp42"] {
            assert_eq!(clean(other), Err(Unclean::Unknown));
        }
        for (other, name) in [
            (&b"GIF89a"[..], "GIF"),
            (b"II*\0\x08\0\0\0", "TIFF"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"\0\0\0\x18ftypheic", "HEIC or AVIF"),
        ] {
            assert_eq!(clean(other), Err(Unclean::Kind(name)));
        }
        let small = segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01rgb");
        let (cleaned, left_out) = clean(&[b"\xff\xd8", &small[..], b"\xff\xd9"].concat()).unwrap();
        assert_eq!((&cleaned[..], left_out.len()), (&b"\xff\xd8\xff\xd9"[..], 1));
        let critical = [
            PNG,
            &chunk(b"IHDR", &[1; 13]),
            &chunk(b"NEWc", b""),
            &chunk(b"IEND", b""),
        ]
        .concat();
        assert_eq!(clean(&critical), Err(Unclean::Damaged));
    }

    #[test]
    fn what_decoders_pass_over_holds_no_text() {
        let with = |segment: Vec<u8>| [b"\xff\xd8", &segment[..], b"\xff\xd9"].concat();
        for marker in [0xdc, 0xdd, 0xde, 0xdf] {
            assert_eq!(
                clean(&with(segment(marker, PLACE))),
                Err(Unclean::Damaged),
                "{marker:x}"
            );
        }
        for marker in [0xdc, 0xdd] {
            let file = with(segment(marker, &[0, 8]));
            assert_eq!(*clean(&file).unwrap().0, file);
        }
        // A picture of an animation that is shorter than its head, and one whose chunks go beyond it.
        for bad in [&[3; FRAME_HEAD - 1][..], &[3; FRAME_HEAD + 9]] {
            let file = webp_of(&[part(b"ANMF", bad), part(b"VP8 ", b"pixel")]);
            assert_eq!(clean(&file), Err(Unclean::Damaged));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_grow(
            which in 0..5usize,
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut file = [a_jpeg().0, a_png().0, a_webp().0, an_animation().0, bytes][which].clone();
            for (at, byte) in flips {
                if !file.is_empty() {
                    let at = at.index(file.len());
                    file[at] = byte;
                }
            }
            if let Ok((cleaned, _)) = clean(&file) {
                prop_assert!(cleaned.len() <= file.len());
                prop_assert_eq!(clean(&cleaned).map(|(again, _)| again), Ok(cleaned));
            }
        }
    }
}
