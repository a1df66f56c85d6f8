//! A redaction that comes out has nothing left of what the vault knows, wherever it stood and however it was spelt.

use super::profiles;
use std::sync::LazyLock;
use strongroom::brief::{Kind, Known, keep_up_to, portions as cut, redact, shorten};
use strongroom::label::Level;

const VALUES: [(Kind, &str); 6] = [
    (Kind::Person, "Corin Hask"),
    (Kind::Alias, "Korvash"),
    (Kind::Client, "Tervane"),
    (Kind::Phone, "+44 7700 900142"),
    (Kind::Vehicle, "LX68 QZV"),
    (Kind::Code, "4417"),
];

/// Words of these values that may stand alone nowhere in what comes out.
const WORDS: [&str; 5] = ["corin", "hask", "korvash", "tervane", "4417"];

/// The first byte chooses a known value, the second its spelling, the next two where it is put into the rest.
pub fn planted(data: &[u8]) -> bool {
    static KNOWN: LazyLock<Known> = LazyLock::new(|| {
        let known = VALUES.map(|(kind, value)| (kind, value.to_owned()));
        Known::new(known.into()).expect("six plain identifiers")
    });
    let [which, how, high, low, rest @ ..] = data else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return false;
    };
    let (_, value) = VALUES[usize::from(*which) % VALUES.len()];
    let value = spelt(value, *how);
    let around: Vec<char> = text.chars().collect();
    let at = usize::from(u16::from_be_bytes([*high, *low])) % (around.len() + 1);
    let before: String = around[..at].iter().collect();
    let after: String = around[at..].iter().collect();
    let text = format!("{before} {value} {after}");
    let planted = at + 1..at + 1 + value.chars().count();

    let mut accepted = false;
    for profile in profiles() {
        let Ok(redaction) = redact(&text, profile, &KNOWN) else {
            continue;
        };
        accepted = true;
        let hidden = |point: usize| {
            redaction
                .spans
                .iter()
                .any(|span| (span.start..span.end).contains(&point))
        };
        for (point, c) in planted.clone().zip(value.chars()) {
            assert!(
                !c.is_alphanumeric() || hidden(point),
                "of {value:?}, known to the vault, {c:?} comes out of {text:?}: {:?}",
                redaction.text
            );
        }
        let output = redaction.text.to_lowercase();
        for word in WORDS {
            let stands = output.split(' ').any(|found| found == word);
            assert!(
                !stands,
                "{word:?}, known to the vault, stands in {output:?}, made of {text:?}"
            );
        }
    }
    accepted
}

/// A value as people and machines disguise it.
fn spelt(value: &str, how: u8) -> String {
    let between = |mark: &str| {
        let mut spelt = String::new();
        for (place, c) in value.chars().enumerate() {
            spelt.push(c);
            if place == 1 {
                spelt.push_str(mark);
            }
        }
        spelt
    };
    match how % 8 {
        0 => value.to_owned(),
        1 => value.to_uppercase(),
        2 => value.to_lowercase(),
        3 => between("\u{ad}"),
        4 => between("\u{200b}"),
        5 => value.replace(' ', "-"),
        6 => value.chars().map(full_width).collect(),
        _ => value.replace(' ', "  "),
    }
}

fn full_width(c: char) -> char {
    match c {
        '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// A note is cut into portions that are the whole of it, and a paragraph marked above the audience does not pass
/// them. The first two bytes say where that paragraph is put into the rest.
pub fn portions(data: &[u8]) -> bool {
    const SECRET: &str = "zqxsecret";
    let [high, low, rest @ ..] = data else { return false };
    let Ok(text) = std::str::from_utf8(rest) else {
        return false;
    };
    if text.contains(SECRET) {
        return false;
    }
    let around: Vec<char> = text.chars().collect();
    let at = usize::from(u16::from_be_bytes([*high, *low])) % (around.len() + 1);
    let before: String = around[..at].iter().collect();
    let after: String = around[at..].iter().collect();
    let text = format!("{before}\n\n(R) {SECRET}\n\n{after}");

    let mut end = 0;
    for portion in cut(&text) {
        assert_eq!(portion.range.start, end, "portions leave something out");
        assert!(portion.mark.is_empty() || portion.range.start <= portion.mark.start);
        assert!(portion.mark.is_empty() || portion.mark.end <= portion.range.end);
        end = portion.range.end;
    }
    assert_eq!(end, text.len(), "portions leave something out");
    let (kept, _) = keep_up_to(&text, Level::Internal, Level::Restricted);
    assert!(
        !kept.contains(SECRET),
        "a restricted paragraph goes to everybody inside: {text:?}"
    );
    !kept.is_empty()
}

/// A shorter text has the words of the longer one, in their order, and all of them where there is room. The first byte
/// says how many it may have.
pub fn summary(data: &[u8]) -> bool {
    let [words, rest @ ..] = data else { return false };
    let Ok(text) = std::str::from_utf8(rest) else {
        return false;
    };
    let (short, left_out) = shorten(text, usize::from(*words));
    let mut of_the_text = text.split_whitespace();
    assert!(
        short
            .split_whitespace()
            .all(|word| of_the_text.any(|of| of.ends_with(word) || of.contains(word))),
        "a summary invents something: {short:?}"
    );
    let (whole, none) = shorten(text, usize::MAX);
    assert_eq!(none, 0, "something is left out though there is room");
    assert!(whole.len() >= short.len());
    left_out > 0 && !short.is_empty()
}
