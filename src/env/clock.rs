//! The clock: UTC, in whole seconds. A time is a device's word; order comes from elsewhere.

use crate::chain::{BadTime, Time};
use std::time::Duration;

/// Where times come from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always this time: for tests.
    Fixed(Time),
}

impl Clock {
    /// The clock of this run. A build with debug assertions obeys `STRONGROOM_TEST_CLOCK`
    /// (RFC 3339, UTC), so that a test from outside can fix the time; a release build does not
    /// look at it.
    pub fn of_this_run() -> Result<Self, BadTime> {
        #[cfg(debug_assertions)]
        if let Ok(text) = std::env::var("STRONGROOM_TEST_CLOCK") {
            return text.parse().map(Self::Fixed);
        }
        Ok(Self::System)
    }

    /// Now, without its fraction of a second.
    pub fn now(&self) -> Time {
        match self {
            Self::System => Time::from_unix(jiff::Timestamp::now().as_second()),
            Self::Fixed(time) => *time,
        }
    }
}

/// How long ago the machine was started, the time it was asleep included (on Linux): what idleness is measured by.
pub fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(clock);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}
