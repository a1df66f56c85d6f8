//! The clock: UTC, in whole seconds. A time is a device's word; order comes from elsewhere.

use jiff::Timestamp;

/// Where times come from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always this time: for tests.
    Fixed(Timestamp),
}

/// The text is not a time as it is written here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: write it as 2026-01-31T23:59:59Z")]
pub struct BadTime(String);

impl Clock {
    /// The clock of this run. A build with debug assertions obeys `STRONGROOM_TEST_CLOCK`
    /// (RFC 3339, UTC), so that a test from outside can fix the time; a release build does not
    /// look at it.
    pub fn of_this_run() -> Result<Self, BadTime> {
        #[cfg(debug_assertions)]
        if let Ok(text) = std::env::var("STRONGROOM_TEST_CLOCK") {
            return parse_rfc3339(&text).map(Self::Fixed);
        }
        Ok(Self::System)
    }

    /// Now, without its fraction of a second.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => whole_seconds(Timestamp::now()),
            Self::Fixed(time) => whole_seconds(*time),
        }
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time as RFC 3339 in UTC, to the second: `2026-01-31T23:59:59Z`.
pub fn rfc3339(time: Timestamp) -> String {
    whole_seconds(time).to_string()
}

/// Reads what [`rfc3339`] writes, and nothing else: one time has one spelling.
pub fn parse_rfc3339(text: &str) -> Result<Timestamp, BadTime> {
    let bad = || BadTime(text.chars().take(40).collect());
    let time: Timestamp = text.parse().map_err(|_| bad())?;
    if rfc3339(time) == text { Ok(time) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_has_one_spelling() {
        let time = parse_rfc3339("2026-01-31T23:59:59Z").unwrap();
        assert_eq!(rfc3339(time), "2026-01-31T23:59:59Z");
        for bad in [
            "2026-01-31T23:59:59+00:00",
            "2026-01-31T23:59:59.5Z",
            "2026-01-31 23:59:59Z",
            "2026-01-31T23:59:59z",
            "2026-02-31T00:00:00Z",
            "today",
            "",
        ] {
            assert!(parse_rfc3339(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_fixed_clock_stands_still_and_drops_fractions() {
        let clock = Clock::Fixed("2026-01-31T23:59:59.75Z".parse().unwrap());
        assert_eq!(rfc3339(clock.now()), "2026-01-31T23:59:59Z");
        assert_eq!(clock.now().subsec_nanosecond(), 0);
        assert_eq!(Clock::System.now().subsec_nanosecond(), 0);
    }
}
