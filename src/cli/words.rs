//! Words and numbers as people write and read them.

use super::out;
use crate::app::shared::Time;
use crate::app::{Error, Kind};

/// A time as people write one for a program: RFC 3339 with `Z` or an offset, or a day, which begins at midnight UTC.
pub(super) fn time(text: &str) -> Result<Time, Error> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    let stamp: Result<jiff::Timestamp, _> = whole.parse();
    stamp.map(|stamp| Time::from_unix(stamp.as_second())).map_err(|_| {
        Error::new(Kind::Usage, format!("`{}` is not a time", out::one_line(text)))
            .hint("write it as 2026-11-21T06:40:00Z (UTC), 2026-11-21T07:40:00+01:00, or 2026-11-21 for a day")
    })
}

pub(super) fn field_of(text: &str) -> Result<(String, String), Error> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Error::new(
            Kind::Usage,
            format!("a field is written NAME=VALUE, `{}` is not", out::one_line(text)),
        )),
    }
}

/// `1 entry`, `2 entries`.
pub(super) fn counted(count: impl TryInto<u64>, one: &str, several: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}

/// The type of a removed thing as it is said: `ID_NUMBER` is for programs.
pub(super) fn in_words(kind: &str) -> String {
    kind.to_lowercase().replace('_', " ")
}

/// A size in bytes, with at most one digit behind the point: `812 bytes`, `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return counted(bytes, "byte", "bytes");
    }
    let (mut unit, mut scale) = (0, 1024);
    while unit + 1 < UNITS.len() && bytes / scale >= 1024 {
        unit += 1;
        scale *= 1024;
    }
    let tenths = (u128::from(bytes) * 10 / u128::from(scale)) as u64;
    match tenths % 10 {
        0 => format!("{} {}", tenths / 10, UNITS[unit]),
        digit => format!("{}.{digit} {}", tenths / 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (100 << 20, "100 MiB"),
            (5 << 30, "5 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }
}
