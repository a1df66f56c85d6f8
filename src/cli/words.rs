//! Words and numbers as people write and read them.

use super::out;
use crate::app::shared::Time;
use crate::app::{Context, Error, Kind, Person};
use jiff::tz::TimeZone;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// The zone in which times are shown to a person and taken from one; that of this computer while nothing is set.
static ZONE: RwLock<Zone> = RwLock::new(Zone::OfComputer);

/// To find out which zone a computer is in takes as long as half of what most commands do before they begin: few need it.
#[derive(Clone)]
enum Zone {
    OfComputer,
    Named(String),
    Known(TimeZone),
}

/// A time zone by its name in the tz database.
pub(super) fn zone_of(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// Sets the zone by its name; `None` is that of this computer, and so is one that is not known.
pub(super) fn set_zone(name: Option<&str>) {
    let zone = name.map_or(Zone::OfComputer, |name| Zone::Named(name.to_owned()));
    *ZONE.write().unwrap_or_else(PoisonError::into_inner) = zone;
}

fn zone() -> TimeZone {
    let zone = ZONE.read().unwrap_or_else(PoisonError::into_inner).clone();
    let found = match zone {
        Zone::Known(zone) => return zone,
        Zone::Named(name) => zone_of(&name).unwrap_or_else(TimeZone::system),
        Zone::OfComputer => TimeZone::system(),
    };
    *ZONE.write().unwrap_or_else(PoisonError::into_inner) = Zone::Known(found.clone());
    found
}

/// A time as a person is shown it: where they are, with how far that is from UTC. What is for programs and what is evidence stays in
/// UTC.
pub(super) fn local(time: Time) -> String {
    local_in(time, zone())
}

fn local_in(time: Time, zone: TimeZone) -> String {
    let zoned = jiff::Timestamp::from_second(time.unix()).map(|stamp| stamp.to_zoned(zone));
    match zoned {
        Ok(zoned) if !zoned.offset().is_zero() => zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        _ => time.to_string(),
    }
}

/// Midnight of a day, so many days from it.
fn midnight(day: jiff::civil::Date, zone: &TimeZone) -> Option<Time> {
    let begins = day.to_zoned(zone.clone()).ok()?;
    Some(Time::from_unix(begins.timestamp().as_second()))
}

/// A time as people write one for a program: RFC 3339 with `Z` or an offset, or a day, which begins at midnight.
pub(super) fn time(text: &str) -> Result<Time, Error> {
    time_in(text, &zone())
}

fn time_in(text: &str, zone: &TimeZone) -> Result<Time, Error> {
    let found = match text.len() {
        10 => text.parse().ok().and_then(|day| midnight(day, zone)),
        _ => text
            .parse()
            .ok()
            .map(|stamp: jiff::Timestamp| Time::from_unix(stamp.as_second())),
    };
    found.ok_or_else(|| {
        Error::new(Kind::Usage, format!("`{}` is not a time", out::one_line(text)))
            .hint("write it as 2026-11-21T06:40:00Z (UTC), 2026-11-21T07:40:00+01:00, or 2026-11-21 for a day")
    })
}

/// The longest time that somebody may stay unlocked without use.
const IDLE_MAX: Duration = Duration::from_secs(24 * 3600);

/// A length of time as people write one: `90s`, `15m`, `8h`.
pub(super) fn duration(text: &str) -> Result<Duration, Error> {
    let unit = |last: char| match last {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3600),
        _ => None,
    };
    let number = text
        .get(..text.len().saturating_sub(1))
        .and_then(|number| number.parse::<u64>().ok());
    let seconds = number
        .zip(text.chars().last().and_then(unit))
        .and_then(|(n, unit)| n.checked_mul(unit));
    match seconds.map(Duration::from_secs) {
        Some(time) if !time.is_zero() && time <= IDLE_MAX => Ok(time),
        _ => Err(Error::new(
            Kind::Usage,
            format!("`{}` is not a time between 1s and 24h", out::one_line(text)),
        )
        .hint("write it as 90s, 15m or 8h")),
    }
}

/// And back, as it is said: in the largest unit that leaves nothing over, or in whole minutes.
pub(super) fn in_time(time: Duration) -> String {
    match time.as_secs() {
        s if s < 120 => counted(s, "second", "seconds"),
        s if s < 7200 || s % 3600 != 0 => counted(s / 60, "minute", "minutes"),
        s => counted(s / 3600, "hour", "hours"),
    }
}

/// The value of an argument, or what the person types where it is `-`: a shell remembers arguments. Nothing typed is none.
pub(super) fn prompted(person: &dyn Person, what: &str, value: Option<&str>) -> Result<Option<String>, Error> {
    match value {
        Some("-") => match person.line(&format!("{what}: ")) {
            Some(line) => Ok(Some(line).filter(|line| !line.trim().is_empty())),
            None => Err(
                Error::new(Kind::Usage, format!("`-` asks for the {what}, and nobody can be asked"))
                    .hint("run this at a terminal, without --no-input, or write it out"),
            ),
        },
        value => Ok(value.map(str::to_owned)),
    }
}

/// A time as people say one to a filter: as for a program, or `today`, `yesterday` (the midnight that the day begins with),
/// or so long ago: `30m`, `12h`, `7d`, `2w`.
pub(super) fn moment(text: &str, now: Time) -> Result<Time, Error> {
    moment_in(text, now, &zone())
}

fn moment_in(text: &str, now: Time, zone: &TimeZone) -> Result<Time, Error> {
    const DAY: i64 = 86_400;
    let day = |before: i64| {
        let now = jiff::Timestamp::from_second(now.unix()).ok()?.to_zoned(zone.clone());
        let day = now.date().checked_sub(jiff::Span::new().days(before)).ok()?;
        midnight(day, zone)
    };
    let ago = || {
        let (unit, seconds) = [("m", 60), ("h", 3600), ("d", DAY), ("w", 7 * DAY)]
            .into_iter()
            .find(|(unit, _)| text.ends_with(unit))?;
        let count = text.strip_suffix(unit)?;
        let plain = !count.is_empty() && count.len() <= 5 && count.bytes().all(|byte| byte.is_ascii_digit());
        let count: i64 = count.parse().ok().filter(|_| plain)?;
        Some(Time::from_unix(now.unix() - count * seconds))
    };
    let found = match text {
        "today" => day(0),
        "yesterday" => day(1),
        _ => ago(),
    };
    match found {
        Some(time) => Ok(time),
        None if time_of_day(text, now, zone).is_some() => {
            let today = time_of_day(text, now, zone).unwrap_or_default();
            Err(Error::new(
                Kind::Usage,
                format!("`{}` is a time of day without its day", out::one_line(text)),
            )
            .hint(format!("if it was today: {today}")))
        }
        None => {
            time_in(text, zone).map_err(|error| error.hint("or say today, yesterday, or how long ago: 12h, 7d, 2w"))
        }
    }
}

/// A time of day as it would be written if it were today's.
fn time_of_day(text: &str, now: Time, zone: &TimeZone) -> Option<String> {
    let short = text.len() <= 8 && text.contains(':');
    let time: jiff::civil::Time = text.parse().ok().filter(|_| short)?;
    let today = jiff::Timestamp::from_second(now.unix())
        .ok()?
        .to_zoned(zone.clone())
        .date();
    let then = today.to_datetime(time).to_zoned(zone.clone()).ok()?;
    Some(local_in(Time::from_unix(then.timestamp().as_second()), zone.clone()))
}

/// A time by which something is due: as for a program, or so long from now: `12h`, `7d`, `2w`.
pub(super) fn by_then(text: &str, now: Time) -> Result<Time, Error> {
    let count = |unit: char| text.strip_suffix(unit).filter(|count| count.len() <= 5);
    let ahead = [('h', 3600), ('d', 86_400), ('w', 7 * 86_400)]
        .into_iter()
        .find_map(|(unit, seconds)| {
            let plain = |count: &&str| count.bytes().all(|byte| byte.is_ascii_digit());
            let count: i64 = count(unit).filter(plain)?.parse().ok()?;
            Some(Time::from_unix(now.unix() + count * seconds))
        });
    match ahead {
        Some(time) => Ok(time),
        None => time(text).map_err(|error| error.hint("or say how long from now: 12h, 7d, 2w")),
    }
}

/// From when to when. A period in which no time lies is a slip, not an answer.
pub(super) fn period(
    context: &Context<'_>,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<(Option<Time>, Option<Time>), Error> {
    let [since, until] = [since, until].map(|text| text.map(|text| moment(text, context.now())).transpose());
    in_order(since?, until?)
}

fn in_order(since: Option<Time>, until: Option<Time>) -> Result<(Option<Time>, Option<Time>), Error> {
    match since.zip(until) {
        Some((since, until)) if since >= until => Err(Error::new(
            Kind::Usage,
            format!("nothing can be from {since} on and before {until}"),
        )
        .hint("--since is the earlier time and --until the later one, which is not part of it")),
        _ => Ok((since, until)),
    }
}

/// A name to filter by; an empty one is a slip.
pub(super) fn named(person: &dyn Person, what: &str, value: Option<&str>) -> Result<Option<String>, Error> {
    match value.is_some_and(|value| value.trim().is_empty()) {
        true => Err(Error::new(Kind::Usage, format!("--{what} names no {what}"))
            .hint(format!("name one as it stands in the notes, or leave --{what} out"))),
        false => prompted(person, what, value),
    }
}

/// A field, `NAME=VALUE`.
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
    fn times_are_read_and_said() {
        for (text, seconds, said) in [
            ("1s", 1, "1 second"),
            ("90s", 90, "90 seconds"),
            ("15m", 900, "15 minutes"),
            ("1h", 3600, "60 minutes"),
            ("8h", 28_800, "8 hours"),
            ("24h", 86_400, "24 hours"),
        ] {
            let time = duration(text).unwrap_or_default();
            assert_eq!(time.as_secs(), seconds, "{text}");
            assert_eq!(in_time(time), said);
        }
        for bad in [
            "",
            "m",
            "15",
            "0s",
            "25h",
            "1d",
            "-1m",
            "1.5h",
            "m15",
            "18446744073709551615h",
            "1é",
            "é",
        ] {
            assert_eq!(duration(bad).map_err(|error| error.kind), Err(Kind::Usage), "{bad}");
        }
    }

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

    #[test]
    fn a_period_has_a_time_in_it() {
        let at = |seconds| Some(Time::from_unix(seconds));
        for (since, until) in [(None, None), (at(2), None), (None, at(1)), (at(1), at(2))] {
            assert_eq!(in_order(since, until), Ok((since, until)));
        }
        for (since, until) in [(at(2), at(1)), (at(1), at(1))] {
            assert_eq!(in_order(since, until).unwrap_err().kind, Kind::Usage);
        }
    }

    #[test]
    fn times_as_people_say_them() {
        let now = time("2026-11-21T09:30:15Z").unwrap();
        let said = |text: &str| moment_in(text, now, &TimeZone::UTC).map(|time| time.to_string());
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

    #[test]
    fn what_is_due_is_due_in_so_long_and_a_time_of_day_needs_its_day() {
        let now = time("2026-11-21T09:30:15Z").unwrap();
        let then = |text: &str| by_then(text, now).map(|time| time.to_string());
        assert_eq!(then("2w").as_deref(), Ok("2026-12-05T09:30:15Z"));
        assert_eq!(then("12h").as_deref(), Ok("2026-11-21T21:30:15Z"));
        assert_eq!(then("2026-12-01T00:00:00Z").as_deref(), Ok("2026-12-01T00:00:00Z"));
        for bad in ["", "w", "-2w", "2y", "tomorrow", "123456d"] {
            assert_eq!(then(bad).unwrap_err().kind, Kind::Usage, "{bad}");
        }
        let told = moment_in("02:10", now, &TimeZone::UTC).unwrap_err();
        assert_eq!(told.message, "`02:10` is a time of day without its day");
        assert_eq!(told.hints, ["if it was today: 2026-11-21T02:10:00Z"]);
        for other in ["25:10", "2", "0210"] {
            assert!(
                moment_in(other, now, &TimeZone::UTC)
                    .unwrap_err()
                    .message
                    .ends_with("is not a time"),
                "{other}"
            );
        }
    }

    #[test]
    fn times_are_shown_and_taken_where_somebody_is() {
        let kolkata = TimeZone::fixed(jiff::tz::Offset::from_seconds(19_800).unwrap());
        let now = time("2026-11-21T20:30:15Z").unwrap();
        assert_eq!(local_in(now, kolkata.clone()), "2026-11-22T02:00:15+05:30");
        assert_eq!(local_in(now, TimeZone::UTC), "2026-11-21T20:30:15Z");
        for (text, want) in [
            ("today", "2026-11-21T18:30:00Z"),
            ("yesterday", "2026-11-20T18:30:00Z"),
            ("2026-11-20", "2026-11-19T18:30:00Z"),
            ("2026-11-20T06:40:00+01:00", "2026-11-20T05:40:00Z"),
            ("12h", "2026-11-21T08:30:15Z"),
        ] {
            let taken = moment_in(text, now, &kolkata).map(|time| time.to_string());
            assert_eq!(taken.as_deref(), Ok(want), "{text}");
        }
        // What is shown is taken again as what it was.
        assert_eq!(time_in(&local_in(now, kolkata.clone()), &kolkata), Ok(now));
        assert!(zone_of("Europe/Atlantis").is_none());
    }
}
