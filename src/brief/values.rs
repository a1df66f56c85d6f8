//! Whether what has the form of an identifier is one: check digits, hosts, degrees, streets.

use super::cues::{PLACE_WORDS, listed};
use super::words::{self, Word};

/// Whether words with dots between them are a host: a path follows, or none of a plain text stands before the last dot.
/// `end.then` lacks a space, and `notes.txt` is a file.
pub(super) fn is_host(value: &str) -> bool {
    if value.contains('/') {
        return true;
    }
    let (before, top) = value.rsplit_once('.').unwrap_or((value, ""));
    let own = |label: &str| {
        let lower = label.to_ascii_lowercase();
        label.len() >= 6
            && lower.bytes().all(|byte| byte.is_ascii_alphabetic())
            && words::look_up(&lower) == Word::Unknown
    };
    let alike =
        value.bytes().all(|byte| !byte.is_ascii_uppercase()) || value.bytes().all(|byte| !byte.is_ascii_lowercase());
    alike && !FILES.contains(&top.to_ascii_lowercase().as_str()) && before.split(['.', '-']).any(own)
}

/// What names of files end in.
const FILES: &[&str] = &[
    "bak", "bin", "cfg", "conf", "csv", "db", "dll", "doc", "docx", "eml", "exe", "gif", "gpg", "gz", "heic", "html",
    "ini", "jpeg", "jpg", "js", "json", "key", "log", "md", "mov", "mp", "msg", "odt", "pdf", "pem", "png", "ppt",
    "pptx", "py", "rs", "rtf", "sh", "sql", "svg", "tar", "tif", "tiff", "toml", "txt", "wav", "xls", "xlsx", "xml",
    "yaml", "yml", "zip",
];

/// Whether two decimal numbers are degrees: both have the length of one, and a sign or a quarter of the sky says so.
/// Without a comma between them `12.50 -14.20` is a range; behind one three decimals may be thousands.
pub(super) fn is_pair(value: &str) -> bool {
    let mut numbers = value
        .split(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))
        .map(|number| number.trim_matches(','))
        .filter(|number| !number.is_empty());
    let (Some(first), Some(second), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        return false;
    };
    let decimals = |number: &str| number.split_once(['.', ',']).map_or(0, |(_, decimals)| decimals.len());
    let degrees = |number: &str| {
        let whole = number.split_once(['.', ',']).map(|(whole, _)| whole.parse::<u8>());
        whole.is_some_and(|whole| whole.is_ok_and(|whole| whole <= 180))
    };
    let thousands = |number: &str| number.contains(',') && decimals(number) == 3 && !number.starts_with('0');
    let apart = value.contains(", ") || decimals(first).min(decimals(second)) >= 3;
    let shown = value.contains(['N', 'S', 'E', 'W']) || value.contains(['-', '+']) && apart;
    degrees(first) && degrees(second) && shown && !(thousands(first) && thousands(second))
}

/// Whether a word in capitals names a way or a house.
pub(super) fn is_street(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    listed(PLACE_WORDS, &lower)
        || matches!(
            lower.as_str(),
            "st" | "rd" | "ave" | "ln" | "dr" | "blvd" | "court" | "flats"
        )
}

/// What is measured in, behind its number.
pub(super) const MEASURES: &[&str] = &[
    "st", "nd", "rd", "th", "am", "pm", "m", "km", "cm", "mm", "kg", "g", "h", "hrs", "hr", "min", "mins", "s", "sec",
    "gb", "mb", "tb", "kb", "v", "w", "kw", "mph", "kmh", "ft", "in", "yds", "x", "k", "s", "cc", "l", "ml", "hz",
    "ghz", "mhz",
];

/// The check of Luhn (ISO/IEC 7812-1, annex B) over the digits of `value`, 12 to 19 of them.
pub(crate) fn luhn(value: &str) -> bool {
    let digits: Vec<u32> = value.chars().filter_map(|c| c.to_digit(10)).collect();
    let weighed = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at % 2, digit) {
            (0, digit) => digit,
            (_, digit @ 5..) => digit * 2 - 9,
            (_, digit) => digit * 2,
        });
    (12..=19).contains(&digits.len()) && weighed.sum::<u32>().is_multiple_of(10)
}

/// Whether `value`, spaces and hyphens aside, is an IBAN (ISO 13616, its check digits and its country's form).
pub(crate) fn is_iban(value: &str) -> bool {
    let compact: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    compact.parse::<iban::Iban>().is_ok()
}
