//! Classes of retention as a lead may write them.

use std::sync::LazyLock;
use strongroom::casework::{Kept, Retention, day, day_text};
use strongroom::chain::Time;
use strongroom::label::Level;
use strongroom::policy::Levels;

static LEVELS: LazyLock<Levels> =
    LazyLock::new(|| Levels::parse(include_str!("../../policies/levels.toml")).expect("what is shipped is sound"));

/// A `retention/classes.toml`. No note is due before what its times are counted from, and a decision to keep it makes nothing due earlier
/// than its day; a day comes back as it was written.
pub fn retention(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    for line in text.lines() {
        assert!(day(line).is_none_or(|time| day_text(time) == line));
    }
    let Ok(retention) = Retention::parse(text) else {
        return false;
    };
    let _ = retention.run_cases(&LEVELS);
    let since = Time::from_unix(1_800_000_000);
    for template in [None, Some("incident"), Some("t")] {
        for until in [None, Some(Time::from_unix(1_900_000_000))] {
            let kept = Kept {
                template,
                level: Level::Restricted,
                modified: since,
                closed: None,
                until,
            };
            let dates = retention.dates(&kept, &LEVELS);
            let earliest = until.unwrap_or(since);
            assert!(dates.review.is_none_or(|review| review >= earliest));
            assert!(dates.purge.is_none_or(|purge| purge >= earliest));
        }
    }
    true
}
