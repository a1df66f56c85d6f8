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

/// A time as people say one to a filter: as for a program, or `today`, `yesterday` (the midnight, UTC, that the day
/// begins with), or so long ago: `30m`, `12h`, `7d`, `2w`.
pub(super) fn moment(text: &str, now: Time) -> Result<Time, Error> {
    const DAY: i64 = 86_400;
    let today = now.unix() - now.unix().rem_euclid(DAY);
    let ago = || {
        let (unit, seconds) = [("m", 60), ("h", 3600), ("d", DAY), ("w", 7 * DAY)]
            .into_iter()
            .find(|(unit, _)| text.ends_with(unit))?;
        let count = text.strip_suffix(unit)?;
        let plain = !count.is_empty() && count.len() <= 5 && count.bytes().all(|byte| byte.is_ascii_digit());
        let count: i64 = count.parse().ok().filter(|_| plain)?;
        Some(now.unix() - count * seconds)
    };
    match text {
        "today" => Ok(Time::from_unix(today)),
        "yesterday" => Ok(Time::from_unix(today - DAY)),
        _ => match ago() {
            Some(seconds) => Ok(Time::from_unix(seconds)),
            None => time(text).map_err(|error| error.hint("or say today, yesterday, or how long ago: 12h, 7d, 2w")),
        },
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_say_them() {
        let now = time("2026-11-21T09:30:15Z").unwrap();
        let said = |text: &str| moment(text, now).map(|time| time.to_string());
        for (text, want) in [
            ("today", "2026-11-21T00:00:00Z"),
            ("yesterday", "2026-11-20T00:00:00Z"),
            ("7d", "2026-11-14T09:30:15Z"),
            ("2w", "2026-11-07T09:30:15Z"),
            ("12h", "2026-11-20T21:30:15Z"),
            ("0d", "2026-11-21T09:30:15Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T06:40:00+01:00", "2026-11-20T05:40:00Z"),
        ] {
            assert_eq!(said(text).as_deref(), Ok(want), "{text}");
        }
        for bad in [
            "",
            "d",
            "-7d",
            "7 d",
            "+7d",
            "7y",
            "999999d",
            "Today",
            "tomorrow",
            "7.5d",
            "7\u{661}d",
        ] {
            assert_eq!(said(bad).unwrap_err().kind, Kind::Usage, "{bad}");
        }
    }
}
