//! A page: a text with front matter, as note-taking programs and site generators write it, as far as it is plain. What is not
//! understood stays in the text, so that nothing is lost.

use crate::chain::Time;

/// The most lines of front matter, and the longest value, in characters.
const LINES_MAX: usize = 256;
const VALUE_MAX: usize = 200;
/// The most tags, and the most fields.
const MANY: usize = 64;

/// What stands above a text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Front {
    /// Its title.
    pub title: Option<String>,
    /// When it happened: a day, or a moment.
    pub date: Option<Time>,
    /// Client.
    pub client: Option<String>,
    /// Case.
    pub case: Option<String>,
    /// Label, as it is written.
    pub label: Option<String>,
    /// Words it is filed under.
    pub tags: Vec<String>,
    /// Fields, by name.
    pub fields: Vec<(String, String)>,
}

/// A text, and what stood above it.
#[derive(PartialEq, Eq, Debug)]
pub struct Page<'t> {
    /// What was understood of it.
    pub front: Front,
    /// The text; with its front matter as it stands where not all of that was understood.
    pub text: &'t str,
}

impl<'t> Page<'t> {
    /// Reads a page. Any text is one.
    pub fn read(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Some((lines, rest)) = split(text) else {
            return Self {
                front: Front::default(),
                text,
            };
        };
        let (front, whole) = understand(&lines);
        let text = if whole { rest } else { text };
        Self { front, text }
    }

    /// The first heading of the text, if it has one in front of everything else.
    pub fn heading(&self) -> Option<&'t str> {
        let line = self.text.lines().map(str::trim).find(|line| !line.is_empty())?;
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let heading = line.get(level..)?;
        let is_heading = (1..=6).contains(&level) && heading.starts_with(' ');
        Some(heading.trim()).filter(|heading| is_heading && !heading.is_empty())
    }
}

/// The lines between the first and the second `---`, and what comes after these and an empty line.
fn split(text: &str) -> Option<(Vec<&str>, &str)> {
    let mut rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut lines = Vec::new();
    loop {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line == "---" || line == "..." {
            let after = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n'));
            let all = rest.split_once('\n').map_or("", |(_, after)| after);
            return Some((lines, after.unwrap_or(all)));
        }
        if after.is_empty() || lines.len() >= LINES_MAX {
            return None;
        }
        lines.push(line);
        rest = after;
    }
}

/// What the lines say, and whether that is all that they say.
fn understand(lines: &[&str]) -> (Front, bool) {
    let mut front = Front::default();
    let mut whole = true;
    let mut seen: Vec<&str> = Vec::new();
    let mut lines = lines.iter().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let mut below = Vec::new();
        while let Some(next) = lines.peek().filter(|next| next.starts_with([' ', '\t', '-'])) {
            below.push(**next);
            lines.next();
        }
        let Some((key, value)) = line.split_once(':') else {
            whole = false;
            continue;
        };
        let twice = seen.contains(&key);
        seen.push(key);
        let plain = value.is_empty() || value.starts_with(' ');
        whole &= !twice && plain && front.take(key, value.trim(), &below);
    }
    (front, whole)
}

impl Front {
    /// Takes a key with its value, or with the lines below it; whether it was understood.
    fn take(&mut self, key: &str, value: &str, below: &[&str]) -> bool {
        let simple = |slot: &mut Option<String>| match scalar(value) {
            Some(text) if below.is_empty() => {
                *slot = Some(text).filter(|text| !text.is_empty());
                true
            }
            _ => false,
        };
        match key {
            "title" => simple(&mut self.title),
            "client" => simple(&mut self.client),
            "case" => simple(&mut self.case),
            "label" => simple(&mut self.label),
            "date" => {
                self.date = scalar(value).filter(|_| below.is_empty()).as_deref().and_then(moment);
                self.date.is_some()
            }
            "tags" => match tags(value, below) {
                Some(tags) => {
                    self.tags = tags;
                    true
                }
                None => false,
            },
            "fields" if value.is_empty() => match below.iter().map(|line| field(line)).collect::<Option<Vec<_>>>() {
                Some(fields) if fields.len() <= MANY => {
                    self.fields = fields;
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// A page of this and a text: what [`Page::read`] reads back.
    pub fn write(&self, text: &str) -> String {
        let mut page = String::with_capacity(text.len() + 256);
        page.push_str("---\n");
        let mut line = |key: &str, value: &str| page.push_str(&format!("{key}: {value}\n"));
        for (key, value) in [
            ("title", &self.title),
            ("client", &self.client),
            ("case", &self.case),
            ("label", &self.label),
        ] {
            if let Some(value) = value {
                line(key, &quoted(value));
            }
        }
        if let Some(date) = self.date {
            line("date", &date.to_string());
        }
        if !self.tags.is_empty() {
            let tags: Vec<String> = self.tags.iter().map(|tag| quoted(tag)).collect();
            line("tags", &format!("[{}]", tags.join(", ")));
        }
        if !self.fields.is_empty() {
            page.push_str("fields:\n");
            for (name, value) in &self.fields {
                page.push_str(&format!("  {}: {}\n", quoted(name), quoted(value)));
            }
        }
        page.push_str("---\n\n");
        page.push_str(text);
        page
    }
}

/// A text in quotation marks, as JSON and YAML both read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A plain value: quoted, or of characters that mean nothing else.
fn scalar(value: &str) -> Option<String> {
    let text = match value.as_bytes() {
        [] | [b'~'] => String::new(),
        [b'"', ..] => serde_json::from_str::<String>(value).ok()?,
        [b'\'', inner @ .., b'\''] => {
            let inner = std::str::from_utf8(inner).ok()?;
            let single = inner.replace("''", "");
            (!single.contains('\'')).then(|| inner.replace("''", "'"))?
        }
        _ => {
            let begins_as_more = value.starts_with(|c: char| "[]{}&*!|>%@`\"'#,?:-".contains(c));
            let more = value.contains(": ") || value.contains(" #") || value.ends_with(':');
            (!begins_as_more && !more).then(|| value.to_owned())?
        }
    };
    let fits = text.chars().count() <= VALUE_MAX && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// A list of words: `[a, b]`, `a, b`, or lines that begin with `- `.
fn tags(value: &str, below: &[&str]) -> Option<Vec<String>> {
    let below: Option<Vec<&str>> = below.iter().map(|line| line.trim().strip_prefix("- ")).collect();
    let below = below?;
    let inline = match value.strip_prefix('[') {
        Some(list) => Some(list.strip_suffix(']')?),
        None => None,
    };
    let mut tags = Vec::new();
    let mut take = |text: &str| {
        let tag = scalar(text.trim())?;
        // One value holds them all, divided by commas.
        let fits = !tag.contains(',');
        tags.extend(Some(tag).filter(|tag| !tag.is_empty()));
        fits.then_some(())
    };
    match (value.is_empty(), below.is_empty()) {
        (false, false) => return None,
        (true, _) => below.into_iter().try_for_each(&mut take)?,
        (false, true) => inline.unwrap_or(value).split(',').try_for_each(&mut take)?,
    }
    (tags.len() <= MANY).then_some(tags)
}

/// `  name: value`, either of them in quotation marks or plain.
fn field(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '-']))?;
    let (name, value) = match line.strip_prefix('"') {
        None => line.split_once(": ")?,
        Some(rest) => {
            let mut escaped = false;
            let end = rest.bytes().position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            })?;
            let (name, rest) = line.split_at(end + 2);
            (name, rest.strip_prefix(": ")?)
        }
    };
    let name = scalar(name).filter(|name| !name.is_empty())?;
    Some((name, scalar(value.trim())?))
}

/// A moment as RFC 3339 writes it, or a day, which begins at midnight UTC.
pub fn moment(text: &str) -> Option<Time> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    let stamp: jiff::Timestamp = whole.parse().ok()?;
    // The log has no years before 1 and none of five digits.
    let time = Time::from_unix(stamp.as_second());
    (stamp.as_second() >= 0).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_front_matter_is_taken_off_the_text() {
        let page = Page::read(
            "---\ntitle: North gate\ndate: 2026-11-21\ntags: [gate, \"night shift\"]\nclient: 'Jo''s Yard'\n---\n\nSeen at six.\n",
        );
        assert_eq!(page.text, "Seen at six.\n");
        assert_eq!(page.front.title.as_deref(), Some("North gate"));
        assert_eq!(
            page.front.date.map(|at| at.to_string()).as_deref(),
            Some("2026-11-21T00:00:00Z")
        );
        assert_eq!(page.front.tags, ["gate", "night shift"]);
        assert_eq!(page.front.client.as_deref(), Some("Jo's Yard"));
        let page = Page::read("---\r\ntags:\r\n- a\r\n- b\r\n---\r\ntext");
        assert_eq!((page.front.tags.len(), page.text), (2, "text"));
    }

    #[test]
    fn what_is_not_understood_stays_in_the_text() {
        for text in [
            "---\ntitle: a\nlayout: post\n---\nx",
            "---\ntitle: a\n# why\n---\nx",
            "---\ntitle: a\ntitle: b\n---\nx",
            "---\ntitle: |\n  a\n  b\n---\nx",
            "---\ndate: last week\n---\nx",
            "---\ntitle: &a b\n---\nx",
            "---\ntags: [a, [b]]\n---\nx",
            "---\nfields:\n   deep: 1\n---\nx",
        ] {
            assert_eq!(Page::read(text).text, text, "{text:?}");
        }
        assert_eq!(
            Page::read("---\nlayout: post\ntitle: a\n---\nx").front.title.as_deref(),
            Some("a")
        );
        for text in [
            "---\ntitle: a\nx",
            "---",
            "---\n",
            "text\n---\n",
            "",
            "--- \ntitle: a\n---\n",
        ] {
            assert_eq!(
                Page::read(text),
                Page {
                    front: Front::default(),
                    text
                },
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let front = Front {
            title: Some("\"North\": gate # 4 — 山".into()),
            date: Some(Time::from_unix(1_795_253_400)),
            client: Some("~".into()),
            case: Some("2026-114".into()),
            label: Some("confidential/Halcyon".into()),
            tags: vec!["a b".into(), "- c".into()],
            fields: vec![
                ("pl\"ate: x".into(), "LX68\\QZV".into()),
                ("empty".into(), String::new()),
            ],
        };
        for text in ["text\n", "", "\n\ntext", "---\ntitle: b\n---\n", "\r\nx"] {
            let written = front.write(text);
            let page = Page::read(&written);
            assert_eq!((&page.front, page.text), (&front, text), "{written}");
        }
        assert_eq!(Page::read(&Front::default().write("x")).text, "x");
    }

    #[test]
    fn a_heading_is_the_first_thing_of_a_text() {
        let heading = |text| Page::read(text).heading().map(str::to_owned);
        assert_eq!(heading("\n## Gate 4 \nmore").as_deref(), Some("Gate 4"));
        for text in ["Gate\n# 4", "#tag", "####### seven", "#", ""] {
            assert_eq!(heading(text), None, "{text:?}");
        }
    }
}
