//! `redact`: any text, no vault.

use super::out::json_text;
use super::terminal::{self, Seen, Terminal};
use super::words::moment;
use crate::app::shared::{Profile, Redaction};
use crate::app::{Clock, Error, Kind, load_profile, redact_text};
use serde::Deserialize;
use std::io::{BufRead, Read, Write};
use std::path::Path;

/// The longest line that is read, in bytes: a text of 1 MiB and its JSON escapes.
const LINE_MAX: u64 = 8 << 20;

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    text: String,
}

/// What can be read of a line whose text cannot.
#[derive(Deserialize)]
struct Named {
    id: serde_json::Value,
}

/// A profile for texts of a day, of today if nothing is said.
pub(super) fn profile(name: &str, written: Option<&str>) -> Result<Profile, Error> {
    let clock = Clock::of_this_run().map_err(|bad| Error::new(Kind::Usage, bad.to_string()))?;
    let day = written.map_or_else(
        || Ok(clock.now()),
        |text| match text.len() {
            // A day on paper is no moment of a place.
            10 => moment(&format!("{text}T00:00:00Z"), clock.now()),
            _ => moment(text, clock.now()),
        },
    )?;
    Ok(load_profile(name)?.written(day))
}

/// One text from a file or standard input.
pub(super) fn whole(seen: &Seen<'_>, file: Option<&Path>, profile: &Profile) -> Result<u8, Error> {
    let bytes = terminal::read(seen.terminal, file)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Failed, "this is not UTF-8 text; nothing was written"))?;
    let redaction = redact_text(profile, &text)?;
    if seen.json {
        seen.json(&to_json(None, &redaction))?
    } else {
        seen.result(&redaction.text)?;
        seen.doubts(&redaction.doubtful);
    }
    Ok(0)
}

/// One JSON object a line, in and out. A line that is refused comes out as an error, and the exit code is 1.
pub(super) fn lines(terminal: &dyn Terminal, file: Option<&Path>, profile: &Profile) -> Result<u8, Error> {
    let input = match file {
        Some(path) if path != Path::new("-") => terminal.open(path)?,
        _ => terminal.input()?,
    };
    let input = Box::new(std::io::BufReader::new(input));
    let mut code = 0;
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let written = each_line(input, |line| {
        let value = match line {
            Ok(line) => one(profile, &line),
            Err(refusal) => Err((serde_json::Value::Null, refusal)),
        };
        let value = value.unwrap_or_else(|(id, message)| {
            code = 1;
            serde_json::json!({ "id": id, "error": message })
        });
        writeln!(output, "{}", json_text(&value).as_str())
    });
    let written = written.and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(Kind::Failed, format!("reading or writing failed: {error}")))
        }
        _ => Ok(code),
    }
}

/// Calls `visit` with each line; one that is too long is skipped to its end and refused.
fn each_line(
    mut input: Box<dyn BufRead>,
    mut visit: impl FnMut(Result<Vec<u8>, String>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(LINE_MAX + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let whole = line.last() == Some(&b'\n');
        if !whole && read as u64 > LINE_MAX {
            skip_line(&mut input)?;
            visit(Err(format!("this line is longer than {LINE_MAX} bytes")))?;
        } else if !line.trim_ascii().is_empty() {
            visit(Ok(line))?;
        }
    }
}

fn skip_line(input: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        let done = end.is_some() || buffer.is_empty();
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn one(profile: &Profile, line: &[u8]) -> Result<serde_json::Value, (serde_json::Value, String)> {
    let line: Line = serde_json::from_slice(line).map_err(|_| {
        let named = serde_json::from_slice(line).map_or(serde_json::Value::Null, |Named { id }| id);
        (named, "this line is not a JSON object with `id` and `text`".to_owned())
    })?;
    match redact_text(profile, &line.text) {
        Ok(redaction) => Ok(to_json(Some(line.id), &redaction)),
        Err(refusal) => Err((line.id, refusal.message)),
    }
}

fn to_json(id: Option<serde_json::Value>, redaction: &Redaction) -> serde_json::Value {
    let span = |span: &_| {
        let crate::app::shared::Span { start, end, kind } = *span;
        serde_json::json!({ "start": start, "end": end, "type": kind.coarse().name() })
    };
    let spans: Vec<_> = redaction.spans.iter().map(span).collect();
    let mut value = serde_json::json!({
        "doubtful": super::briefs::doubts(&redaction.doubtful),
        "spans": spans,
        "text": redaction.text,
    });
    if let Some(id) = id {
        value["id"] = id;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_refused_keeps_its_id() {
        let profile = profile("no-names", None).unwrap();
        for (line, id) in [
            (r#"{"id":7}"#, serde_json::json!(7)),
            (r#"{"id":"b","text":12}"#, "b".into()),
            (r#"{"text":null,"id":["b",1]}"#, serde_json::json!(["b", 1])),
            (r#"{"id":"b","text":"half \ud83d of it"}"#, "b".into()),
            (r#"{"id":"b","text":"a","text":"b"}"#, "b".into()),
            (r#"{"text":"a"}"#, serde_json::Value::Null),
            (r#"{"id":"half \ud83d of it","text":"a"}"#, serde_json::Value::Null),
            (r#"{"id":"b","text":"a""#, serde_json::Value::Null),
            ("torch", serde_json::Value::Null),
        ] {
            assert_eq!(one(&profile, line.as_bytes()).unwrap_err().0, id, "{line}");
        }
        assert!(one(&profile, br#"{"id":"b","text":"a"}"#).is_ok());
    }

    #[test]
    fn what_is_doubtful_is_told_to_programs_too() {
        let profile = profile("no-names", None).unwrap();
        let told = one(&profile, br#"{"id":"b","text":"Meet at the glasshouse."}"#).unwrap();
        assert_eq!(told["doubtful"][0]["text"], "glasshouse", "{told}");
    }
}
