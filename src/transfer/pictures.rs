//! What pictures tell beside the picture: where, when and with what they were taken, and by whom.
//!
//! What is said is that it is told, never what. Of EXIF (JEITA CP-3451; the same tags as TIFF 6.0) a few fields of the main
//! picture are looked at; nothing is decoded, nothing grows with what a file claims.

use super::cleaning::{EXIF, LeftOut, PictureKind, Walk, kind, walk};
use std::collections::BTreeSet;

/// Of a picture so many bytes are looked at, from its beginning: cameras write what they have to say before the picture.
pub const LOOKED_AT: usize = 1 << 20;

/// Names of files that hold pictures end so.
const ENDINGS: [&str; 19] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "tif", "tiff", "heic", "heif", "hif", "avif", "gif", "dng",
    "nef", "cr2", "arw", "orf",
];
/// The most fields of one list of EXIF that are looked at.
const FIELDS_MAX: usize = 1024;
/// So many places where a HEIF names EXIF are looked at: there are two, its list of items and what the list means.
const NAMED_MAX: usize = 16;
const XMP: &str = "XMP";
const IPTC: &str = "IPTC";

/// What a picture tells beside the picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// `place`, `device`, `serial number`, `person`, `time`; `EXIF`, `XMP`, `IPTC` and what else there is.
    pub tells: BTreeSet<&'static str>,
    /// Whether all of it was looked at, rather than its beginning.
    pub whole: bool,
    /// Whether there can be a copy of it without.
    pub is_cleaned: bool,
}

impl Picture {
    /// Whether a file of that name may be a picture.
    pub fn may_be(name: &str) -> bool {
        match name.rsplit_once('.') {
            Some((_, ending)) => ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)),
            None => true,
        }
    }

    /// Looks at how a file begins: `whole` says that this is all of it. Nothing if it is no picture.
    pub fn look(beginning: &[u8], whole: bool) -> Option<Self> {
        let found = kind(beginning)?;
        let mut tells = BTreeSet::new();
        let mut all = whole;
        match found {
            PictureKind::Tiff => {
                // Any field of it may say something, and there may be further pages.
                all = false;
                look_at_exif(beginning, &mut tells);
            }
            PictureKind::Heif => {
                // Where the lists of a HEIF point is not followed: EXIF stands behind its name, XMP is text.
                all = false;
                // The name alone stands in the list of items too; no size has to stand between it and the TIFF.
                let named = memchr::memmem::find_iter(beginning, b"Exif\0")
                    .map(|at| &beginning[at + 5..])
                    .take(NAMED_MAX);
                for exif in named.map(|behind| behind.strip_prefix(b"\0").unwrap_or(behind)) {
                    tells.insert(EXIF);
                    if kind(exif) == Some(PictureKind::Tiff) {
                        look_at_exif(exif, &mut tells);
                    }
                }
                if after(beginning, b"<x:xmpmeta").is_some() {
                    tells.insert(XMP);
                }
            }
            PictureKind::Gif => {
                all = false;
                if after(beginning, b"XMP DataXMP").is_some() {
                    tells.insert(XMP);
                }
            }
            kind => {
                let mut left_out = LeftOut::new();
                let mut found = |name: &'static str, content: &[u8]| {
                    if name == EXIF {
                        let start = content.strip_prefix(b"Exif\0\0").unwrap_or(content);
                        all &= look_at_exif(start, &mut tells);
                    }
                };
                let walked = walk(
                    kind,
                    beginning,
                    &mut Walk {
                        left_out: &mut left_out,
                        found: &mut found,
                    },
                );
                all &= walked.is_some();
                tells.extend(left_out);
            }
        }
        Some(Self {
            tells,
            whole: all,
            is_cleaned: found.is_cleaned(),
        })
    }

    /// In a few words, what it tells; nothing if it was found to tell nothing.
    pub fn in_words(&self) -> Option<String> {
        let words: Vec<&str> = self.tells.iter().copied().collect();
        match (words.is_empty(), self.whole) {
            (false, _) => Some(words.join(", ")),
            (true, true) => None,
            (true, false) => Some("nothing that was found, and not all of it could be looked at".to_owned()),
        }
    }
}

/// What stands behind the first `mark`.
fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(bytes, mark).map(|at| &bytes[at + mark.len()..])
}

/// A TIFF's numbers.
struct Numbers<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Numbers<'_> {
    fn short(&self, at: usize) -> Option<usize> {
        let bytes: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(usize::from(match self.little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        }))
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let number = match self.little {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        };
        usize::try_from(number).ok()
    }

    /// Tag and place of each field of the list at `at`, the first [`FIELDS_MAX`]; whether these are all.
    fn fields(&self, at: usize) -> (Vec<(usize, usize)>, bool) {
        let Some(count) = self.short(at) else {
            return (Vec::new(), false);
        };
        let place = |n: usize| at.checked_add(2 + 12 * n);
        let fields = (0..count.min(FIELDS_MAX)).map_while(|n| {
            let at = place(n)?;
            self.bytes.get(at..at.checked_add(12)?)?;
            Some((self.short(at)?, at))
        });
        let fields: Vec<_> = fields.collect();
        let all = fields.len() == count;
        (fields, all)
    }

    /// Whether a field of texts or numbers says anything: cameras leave blanks and zeros where they know nothing. What lies beyond
    /// what is looked at says something.
    fn says(&self, at: usize) -> bool {
        let unit = match self.short(at + 2) {
            Some(3 | 8) => 2,
            Some(4 | 9 | 11) => 4,
            Some(5 | 10 | 12) => 8,
            _ => 1,
        };
        let size = self
            .long(at + 4)
            .and_then(|count| count.checked_mul(unit))
            .unwrap_or_default();
        let at = if size <= 4 { Some(at + 8) } else { self.long(at + 8) };
        let value = at.and_then(|at| self.bytes.get(at..at.checked_add(size)?));
        value.is_none_or(|value| value.iter().any(|byte| !matches!(byte, 0 | b' ')))
    }
}

/// Looks at the main picture's fields; whether all of them were there.
fn look_at_exif(bytes: &[u8], tells: &mut BTreeSet<&'static str>) -> bool {
    let little = match bytes.get(..4) {
        Some(b"II*\0") => true,
        Some(b"MM\0*") => false,
        _ => return false,
    };
    let numbers = Numbers { bytes, little };
    let Some(first) = numbers.long(4) else { return false };
    let (fields, mut all) = numbers.fields(first);
    for (tag, at) in fields {
        let list = || {
            numbers
                .long(at + 8)
                .map(|list| numbers.fields(list))
                .unwrap_or_default()
        };
        let name = match tag {
            0x010f | 0x0110 => "device",
            0x0132 => "time",
            0x013b | 0x8298 | 0x9c9d => "person",
            0x02bc => XMP,
            0x83bb => IPTC,
            0x8769 => {
                let (inner, whole) = list();
                tells.insert(EXIF);
                tells.extend(inner.into_iter().filter_map(|(tag, at)| inner_field(&numbers, tag, at)));
                all &= whole;
                continue;
            }
            0x8825 => {
                let (inner, whole) = list();
                // A list of nothing but the version of its form is what a camera writes that knew no place. A list that cannot
                // be looked at may say anything.
                if !whole || inner.iter().any(|(tag, at)| (1..=4).contains(tag) && numbers.says(*at)) {
                    tells.insert("place");
                }
                all &= whole;
                continue;
            }
            _ => continue,
        };
        if numbers.says(at) {
            tells.insert(name);
        }
    }
    all
}

/// What a field of a camera tells.
fn inner_field(numbers: &Numbers<'_>, tag: usize, at: usize) -> Option<&'static str> {
    let name = match tag {
        0x9003 | 0x9004 => "time",
        0xa430 => "person",
        0xa431 | 0xa435 | 0xa420 => "serial number",
        0xa433 | 0xa434 => "device",
        _ => return None,
    };
    numbers.says(at).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::cleaning::tests::{a_jpeg, a_png, a_webp, an_animation, chunk, segment};
    use super::*;
    use proptest::prelude::*;

    /// A field of a list: tag, kind, count and value as it stands there.
    type Field = (u16, u16, u32, [u8; 4]);

    /// EXIF with a list of the picture, one of the camera behind it, and one of the place.
    fn exif(little: bool, camera: &[Field], place: &[Field]) -> Vec<u8> {
        let short = |n: u16| if little { n.to_le_bytes() } else { n.to_be_bytes() };
        let long = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
        let list = |fields: &[Field]| {
            let mut bytes = short(u16::try_from(fields.len()).unwrap()).to_vec();
            for (tag, kind, count, value) in fields {
                bytes.extend([&short(*tag)[..], &short(*kind), &long(*count), value].concat());
            }
            [bytes, long(0).to_vec()].concat()
        };
        let (first, camera_list, place_list) = (8, list(camera), list(place));
        let main = |at: u32| {
            list(&[
                (0x010f, 2, 4, *b"Kes\0"),
                (0x013b, 2, 4, *b"   \0"),
                (0x8769, 4, 1, long(at)),
                (0x8825, 4, 1, long(at + u32::try_from(camera_list.len()).unwrap())),
            ])
        };
        let at = first + u32::try_from(main(0).len()).unwrap();
        let head = if little { *b"II*\0" } else { *b"MM\0*" };
        [&head[..], &long(first), &main(at), &camera_list, &place_list].concat()
    }

    fn tells(file: &[u8]) -> Vec<&'static str> {
        Picture::look(file, true).unwrap().tells.into_iter().collect()
    }

    const CAMERA: &[Field] = &[(0x9003, 2, 4, *b"2026"), (0xa431, 2, 4, *b"77a\0")];
    const PLACE: &[Field] = &[(0, 1, 4, [2, 3, 0, 0]), (1, 2, 2, *b"N\0\0\0")];
    const NO_PLACE: &[Field] = &[(0, 1, 4, [2, 3, 0, 0])];

    #[test]
    fn what_a_camera_wrote_is_named_in_each_kind_of_picture() {
        for little in [true, false] {
            let exif = exif(little, CAMERA, PLACE);
            let all = ["EXIF", "device", "place", "serial number", "time"];
            assert_eq!(tells(&exif), all);
            let app1 = segment(0xe1, &[b"Exif\0\0", &exif[..]].concat());
            let jpeg = [b"\xff\xd8", &app1[..], b"\xff\xd9"].concat();
            assert_eq!(tells(&jpeg), all);
            let png = a_png().1;
            let png = [&png[..8 + 25], &chunk(b"eXIf", &exif), &png[8 + 25..]].concat();
            assert_eq!(tells(&png), all);
            // As in a file of a telephone, the list of items names it first; behind that the size of the next box begins.
            let list = b"\0\0\0\x15infe\x02\0\0\0\0\x32\0\0Exif\0\0\0\0\x68iref";
            let head = [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", &list[..]].concat();
            let heif = [&head[..], b"\0\0\0\x06Exif\0\0", &exif].concat();
            assert_eq!(tells(&heif), all);
            assert_eq!(tells(&head), ["EXIF"]);
            assert_eq!(tells(&[&head[..], b"\0\0\0\x05Exif\0", &exif].concat()), all);
            assert!(!Picture::look(&heif, true).unwrap().whole);
        }
    }

    #[test]
    fn who_knew_no_place_told_none_and_what_cannot_be_seen_may_be_one() {
        let nowhere = exif(true, &[], NO_PLACE);
        assert_eq!(tells(&nowhere), ["EXIF", "device"]);
        let cut = &exif(true, CAMERA, PLACE);
        let cut = Picture::look(&cut[..cut.len() - 20], false).unwrap();
        assert!(cut.tells.contains("place") && !cut.whole);
    }

    #[test]
    fn a_cleaned_picture_tells_nothing_and_what_was_left_out_was_told() {
        for (file, clean) in [a_jpeg(), a_png(), a_webp(), an_animation()] {
            assert_eq!(Picture::look(&clean, true).unwrap().in_words(), None);
            let told = Picture::look(&file, true).unwrap();
            let (_, left_out) = super::super::clean(&file).unwrap();
            assert!(left_out.is_subset(&told.tells), "{told:?}");
            // Of the beginning alone nobody says that there is no more.
            let begun = Picture::look(&clean[..clean.len() - 3], false).unwrap();
            assert!(begun.in_words().unwrap().contains("not all of it"));
        }
        assert_eq!(Picture::look(b"%PDF-1.7", true), None);
        // What cannot be cleaned is told all the same.
        let stacked = [b"\xff\xd8", &segment(0xde, b"51.5 N")[..], b"\xff\xd9"].concat();
        assert_eq!(tells(&stacked), ["other data"]);
    }

    #[test]
    fn what_may_be_a_picture_is_told_by_its_name() {
        for name in ["lane.jpg", "LANE.JPEG", "a.b.heic", "IMG_0042"] {
            assert!(Picture::may_be(name), "{name}");
        }
        for name in ["lane.pdf", "jpg.tgz", "a.", "visitors.csv"] {
            assert!(!Picture::may_be(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_exif_makes_it_panic(
            mut bytes in Just(exif(false, CAMERA, PLACE)),
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<proptest::sample::Index>(),
        ) {
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len() + 1));
            let _ = Picture::look(&bytes, true);
            let mut found = BTreeSet::new();
            look_at_exif(&bytes, &mut found);
        }
    }
}
