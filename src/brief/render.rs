//! A brief on paper: the mark of its level stands first and last, the text between is as composed.

use super::compose::BriefText;
use super::redact::Refused;
use std::fmt::Write;

/// What stands above a brief.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// What the level that it carries is called.
    pub label: String,
    /// The mark of that level, which stands first and last; the organisation's, or its Traffic Light Protocol mark.
    pub mark: String,
    /// The brief's id.
    pub id: String,
    /// What the reader may do with it.
    pub handling: String,
    /// Until when it may be used, as a person reads it; nothing when it does not expire.
    pub expires: Option<String>,
}

/// How a brief is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Markdown.
    Markdown,
    /// Plain text.
    Text,
    /// One self-contained HTML page without scripts or links.
    Html,
    /// One JSON object: `mark`, `id`, `label`, `handling`, `expires`, `text`, `end_mark`.
    Json,
}

/// Writes a brief. The header's parts have to be single lines of at most 500 characters.
pub fn render(brief: &BriefText, header: &Header, format: Format) -> Result<String, Refused> {
    let line = |what: &'static str, text: &str| {
        let good = text.chars().count() <= 500 && !text.chars().any(char::is_control);
        if good { Ok(()) } else { Err(Refused::Header(what)) }
    };
    line("id", &header.id)?;
    line("mark", &header.mark)?;
    line("label", &header.label)?;
    line("handling line", &header.handling)?;
    line("expiry", header.expires.as_deref().unwrap_or_default())?;
    Ok(match format {
        Format::Markdown => markdown(brief, header),
        Format::Text => plain(brief, header),
        Format::Html => html(brief, header),
        Format::Json => json(brief, header),
    })
}

/// The lines between the mark and the text.
fn facts(header: &Header) -> Vec<(&'static str, &str)> {
    let mut facts = vec![("Brief", header.id.as_str()), ("Handling", header.handling.as_str())];
    facts.extend(header.expires.as_deref().map(|until| ("Use until", until)));
    facts
}

fn plain(brief: &BriefText, header: &Header) -> String {
    let facts: String = facts(header)
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let mark = header.mark.as_str();
    format!("{mark}\n{facts}\n{}\n\n{mark}\n", brief.text.trim())
}

fn markdown(brief: &BriefText, header: &Header) -> String {
    let facts: Vec<String> = facts(header)
        .iter()
        .map(|(name, value)| format!("{name}: {}", escape_markdown(value)))
        .collect();
    let mark = header.mark.as_str();
    format!(
        "**{mark}**\n\n{}\n\n---\n\n{}\n\n---\n\n**{mark}**\n",
        facts.join("  \n"),
        brief.text.trim()
    )
}

fn html(brief: &BriefText, header: &Header) -> String {
    let mark = escape_html(&header.mark);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{mark}</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}}\
         .mark{{font-weight:700;text-align:center;border:2px solid;padding:.3rem}}\
         .text{{white-space:pre-wrap;overflow-wrap:anywhere}}</style>\n</head>\n<body>\n<p class=\"mark\">{mark}</p>\n<dl>\n"
    );
    for (name, value) in facts(header) {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escape_html(value));
    }
    let text = escape_html(brief.text.trim());
    let _ = write!(
        page,
        "</dl>\n<main class=\"text\">{text}</main>\n<p class=\"mark\">{mark}</p>\n</body>\n</html>\n"
    );
    page
}

fn json(brief: &BriefText, header: &Header) -> String {
    let value = serde_json::json!({
        "mark": header.mark,
        "id": header.id,
        "label": header.label,
        "handling": header.handling,
        "expires": header.expires,
        "text": brief.text,
        "end_mark": header.mark,
    });
    format!("{value}\n")
}

fn escape_html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

fn escape_markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::label::Level;
    use std::collections::BTreeMap;

    fn rendered(text: &str, format: Format) -> String {
        let brief = BriefText {
            text: text.to_owned(),
            removed: BTreeMap::new(),
            doubtful: Vec::new(),
            left_out: 0,
        };
        let header = Header {
            label: "confidential".into(),
            mark: Level::Confidential.tlp().into(),
            id: "b-1".into(),
            handling: "Do not <pass> on.".into(),
            expires: Some("2026-03-03".into()),
        };
        render(&brief, &header, format).unwrap()
    }

    #[test]
    fn the_mark_stands_first_and_last() {
        for format in [Format::Markdown, Format::Text] {
            let text = rendered("Lock the door.", format);
            let lines: Vec<&str> = text.lines().map(|line| line.trim_matches('*')).collect();
            assert_eq!(lines.first(), Some(&"TLP:AMBER"), "{format:?}");
            assert_eq!(lines.last(), Some(&"TLP:AMBER"), "{format:?}");
            assert!(text.contains("Lock the door."));
        }
        let page = rendered("Lock the door.", Format::Html);
        let (first, last) = (
            page.find("class=\"mark\"").unwrap(),
            page.rfind("class=\"mark\"").unwrap(),
        );
        assert!(first < page.find("Lock").unwrap() && page.find("Lock").unwrap() < last);
        assert!(rendered("x", Format::Json).contains("\"mark\":\"TLP:AMBER\""));
    }

    #[test]
    fn html_is_escaped() {
        let page = rendered("<script>alert('&\"')</script>", Format::Html);
        assert!(!page.contains("<script"));
        assert!(page.contains("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"));
        assert!(page.contains("Do not &lt;pass&gt; on."));
    }

    #[test]
    fn a_header_of_several_lines_is_refused() {
        let brief = BriefText {
            text: "x".into(),
            removed: BTreeMap::new(),
            doubtful: Vec::new(),
            left_out: 0,
        };
        let header = Header {
            label: "internal".into(),
            mark: Level::Internal.tlp().into(),
            id: "b-1\nTLP:CLEAR".into(),
            handling: String::new(),
            expires: None,
        };
        assert_eq!(render(&brief, &header, Format::Text), Err(Refused::Header("id")));
    }
}
