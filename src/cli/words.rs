//! Words and numbers as people write and read them.

use super::out;
use crate::app::shared::Time;
use crate::app::{Error, Kind, Person};

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
