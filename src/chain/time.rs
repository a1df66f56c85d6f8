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
        let bad = || BadTime(text.chars().take(40).collect());
        if text.len() != 20 {
            return Err(bad());
        }
        let stamp: jiff::Timestamp = text.parse().map_err(|_| bad())?;
        let time = Self(stamp.as_second());
        if (Self::MIN..=Self::MAX).contains(&time.0) && time.to_string() == text {
            Ok(time)
        } else {
            Err(bad())
        }
    }
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
