//! Times as a device gave its word for them: whole seconds, UTC.

use std::fmt;
use std::str::FromStr;

/// Seconds since 1970-01-01 00:00 UTC, from year 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

/// The text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time in UTC such as `2026-11-21T09:30:00Z`")]
pub struct BadTime(String);

impl Time {
    /// The earliest time that has a text.
    const MIN: i64 = -62_135_596_800;
    /// The latest.
    const MAX: i64 = 253_402_207_200;

    /// A time, moved into the range that has a text.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(Self::MIN, Self::MAX))
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Midnight UTC of that day.
    pub fn day(self) -> Self {
        Self(self.0.div_euclid(86_400) * 86_400)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => f.write_str("0001-01-01T00:00:00Z"),
        }
    }
}

impl FromStr for Time {
    type Err = BadTime;
    /// RFC 3339, UTC as `Z`, whole seconds; one spelling for each time.
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let time = read(text.as_bytes()).map(Self);
        time.filter(|time| (Self::MIN..=Self::MAX).contains(&time.0))
            .ok_or_else(|| BadTime(text.chars().take(40).collect()))
    }
}

/// Seconds since 1970, of a text in that spelling. Each entry has one: nothing is looked up or written again.
fn read(text: &[u8]) -> Option<i64> {
    let text: &[u8; 20] = text.try_into().ok()?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if marks.into_iter().any(|(at, mark)| text[at] != mark) {
        return None;
    }
    let number = |digits: std::ops::Range<usize>| {
        text[digits].iter().try_fold(0, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit < 10).then_some(number * 10 + i64::from(digit))
        })
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // The year begins in March here, so that the day that may be missing is its last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What another program makes of it.
    fn general(text: &str) -> Option<Time> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        let time = Time(stamp.as_second());
        let within = (Time::MIN..=Time::MAX).contains(&time.0);
        (within && time.to_string() == text).then_some(time)
    }

    #[test]
    fn every_day_is_read_as_another_program_reads_it() {
        for year in 0..=9999 {
            for (month, day) in [(1, 1), (2, 28), (2, 29), (3, 1), (4, 31), (6, 30), (12, 30), (12, 31)] {
                let text = format!("{year:04}-{month:02}-{day:02}T21:59:59Z");
                assert_eq!(text.parse().ok(), general(&text), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_another_program_reads(seconds in Time::MIN..=Time::MAX, at in 0usize..20, with in "[ -~]") {
            let mut text = Time(seconds).to_string();
            prop_assert_eq!(text.parse().ok(), Some(Time(seconds)));
            text.replace_range(at..=at, &with);
            prop_assert_eq!(text.parse().ok(), general(&text), "{}", text);
        }
    }

    #[test]
    fn a_time_has_one_spelling() {
        let text = "2026-11-21T09:30:00Z";
        assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        for bad in [
            "2026-11-21T09:30:00+00:00",
            "2026-11-21T09:30:00.0Z",
            "2026-11-21 09:30:00Z",
            "2026-02-30T09:30:00Z",
            "",
            "2026-11-21T09:30:60Z",
            "2026-11-21t09:30:00z",
        ] {
            assert!(bad.parse::<Time>().is_err(), "{bad}");
        }
        assert_eq!(
            Time::from_unix(i64::MAX).to_string().parse::<Time>().unwrap(),
            Time::from_unix(i64::MAX)
        );
        assert_eq!(
            Time::from_unix(i64::MIN).to_string().parse::<Time>().unwrap(),
            Time::from_unix(i64::MIN)
        );
        assert_eq!(Time::from_unix(90_000).day(), Time::from_unix(86_400));
    }
}
