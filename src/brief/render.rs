//! A brief on paper: the mark of its level stands first and last, the text between is as composed.

use super::pdf::pdf;
use super::redact::Refused;
use crate::label::Level;
use serde::{Deserialize, Serialize};
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
    /// How it may be passed on.
    pub redisclosure: String,
    /// Until when it may be used, as a person reads it; nothing when it does not expire.
    pub expires: Option<String>,
}

/// How a brief of a level may be passed on, whatever its profile says.
pub fn redisclosure(level: Level) -> &'static str {
    match level {
        Level::Public => "Freely, whole, with its mark and id.",
        Level::Internal | Level::Confidential | Level::Restricted => {
            "Beyond that only with the leave of whoever released it; always whole, with its mark and id."
        }
        Level::Named => "To nobody else: it is for the people it was given to by name.",
    }
}

/// How a brief is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Markdown.
    #[serde(rename = "md")]
    Markdown,
    /// Plain text.
    #[serde(rename = "txt")]
    Text,
    /// One self-contained HTML page without scripts or links.
    Html,
    /// A PDF of A4 pages.
    Pdf,
    /// One JSON object: `mark`, `id`, `label`, `handling`, `redisclosure`, `expires`, `text`, `end_mark`.
    Json,
}

impl Format {
    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Text => "txt",
            Self::Pdf => "pdf",
            Self::Json => "json",
        }
    }
}

/// Writes a brief. The header's parts have to be single lines of at most 500 characters.
pub fn render(text: &str, header: &Header, format: Format) -> Result<String, Refused> {
    let line = |what: &'static str, text: &str| {
        let good = text.chars().count() <= 500 && !text.chars().any(char::is_control);
        if good { Ok(()) } else { Err(Refused::Header(what)) }
    };
    line("id", &header.id)?;
    line("mark", &header.mark)?;
    line("label", &header.label)?;
    line("handling line", &header.handling)?;
    line("redisclosure line", &header.redisclosure)?;
    line("expiry", header.expires.as_deref().unwrap_or_default())?;
    Ok(match format {
        Format::Markdown => markdown(text, header),
        Format::Text => plain(text, header),
        Format::Html => html(text, header),
        Format::Pdf => pdf(text, header).map_err(Refused::Pdf)?,
        Format::Json => json(text, header),
    })
}

/// The lines between the mark and the text.
pub(super) fn facts(header: &Header) -> Vec<(&'static str, &str)> {
    let mut facts = vec![
        ("Brief", header.id.as_str()),
        ("Handling", header.handling.as_str()),
        ("Passing on", header.redisclosure.as_str()),
    ];
    facts.extend(header.expires.as_deref().map(|until| ("Use until", until)));
    facts
}

fn plain(text: &str, header: &Header) -> String {
    let facts: String = facts(header)
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let mark = header.mark.as_str();
    format!("{mark}\n{facts}\n{}\n\n{mark}\n", text.trim())
}

fn markdown(text: &str, header: &Header) -> String {
    let facts: Vec<String> = facts(header)
        .iter()
        .map(|(name, value)| format!("{name}: {}", escape_markdown(value)))
        .collect();
    let mark = header.mark.as_str();
    format!(
        "**{mark}**\n\n{}\n\n---\n\n{}\n\n---\n\n**{mark}**\n",
        facts.join("  \n"),
        text.trim()
    )
}

fn html(text: &str, header: &Header) -> String {
    let mark = escape_html(&header.mark);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{mark}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n\
         <table role=\"presentation\">\n<thead><tr><td class=\"mark\">{mark}</td></tr></thead>\n\
         <tfoot><tr><td class=\"mark\">{mark}</td></tr></tfoot>\n<tbody><tr><td>\n<dl>\n"
    );
    for (name, value) in facts(header) {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escape_html(value));
    }
    let text = blocks(text);
    let _ = write!(
        page,
        "</dl>\n<main>\n{text}</main>\n</td></tr></tbody>\n</table>\n</body>\n</html>\n"
    );
    page
}

/// A text with its headings, list items and paragraphs as such.
fn blocks(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    let mut open = "";
    let mut switch = |out: &mut String, to: &'static str| {
        if open == to {
            return false;
        }
        if !open.is_empty() {
            let _ = writeln!(out, "</{open}>");
        }
        if !to.is_empty() {
            let _ = write!(out, "<{to}>");
        }
        open = to;
        true
    };
    for line in text.trim().lines() {
        let line = line.trim_end();
        let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
        let item = line
            .trim_start()
            .strip_prefix(['-', '*', '+'])
            .and_then(|rest| rest.strip_prefix(' '));
        if line.is_empty() {
            switch(&mut out, "");
        } else if (1..=6).contains(&hashes) && line[hashes..].starts_with(' ') {
            switch(&mut out, "");
            let _ = writeln!(out, "<h2>{}</h2>", escape_html(line[hashes..].trim()));
        } else if let Some(item) = item {
            switch(&mut out, "ul");
            let _ = write!(out, "<li>{}</li>", escape_html(item.trim()));
        } else if !switch(&mut out, "p") {
            let _ = write!(out, "\n{}", escape_html(line));
        } else {
            out.push_str(&escape_html(line));
        }
    }
    switch(&mut out, "");
    out
}

/// The mark is head and foot of a table: on paper these are on every page, in every browser.
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    table{width:100%;border-collapse:collapse}\
    .mark{font-weight:700;text-align:center;border:2px solid;padding:.3rem}\
    dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem;border-bottom:1px solid;padding:.5rem 0}\
    dt{font-weight:700}dd{margin:0}\
    main{overflow-wrap:anywhere;padding-bottom:1rem}p{white-space:pre-wrap;orphans:3;widows:3}\
    h2{font-size:1.1rem;break-after:avoid}li{break-inside:avoid}\
    @page{size:A4;margin:18mm}\
    @media print{body{max-width:none;margin:0;padding:0;font-size:11pt;color:#000;background:#fff}\
    thead{display:table-header-group}tfoot{display:table-footer-group}}";

fn json(text: &str, header: &Header) -> String {
    let value = serde_json::json!({
        "mark": header.mark,
        "id": header.id,
        "label": header.label,
        "handling": header.handling,
        "redisclosure": header.redisclosure,
        "expires": header.expires,
        "text": text,
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

    fn rendered(text: &str, format: Format) -> String {
        let header = Header {
            label: "confidential".into(),
            mark: Level::Confidential.tlp().into(),
            id: "b-1".into(),
            handling: "Do not <pass> on.".into(),
            redisclosure: redisclosure(Level::Confidential).into(),
            expires: Some("2026-03-03".into()),
        };
        render(text, &header, format).unwrap()
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
        // Head and foot of a table stand on every sheet of paper, first and last.
        assert!(
            page.contains("<thead><tr><td class=\"mark\">TLP:AMBER")
                && page.contains("<tfoot><tr><td class=\"mark\">TLP:AMBER")
        );
        assert!(page.contains("@page{size:A4") && page.contains("tfoot{display:table-footer-group}"));
        assert!(rendered("x", Format::Json).contains("\"mark\":\"TLP:AMBER\""));
    }

    #[test]
    fn html_has_the_structure_of_the_text() {
        let page = rendered(
            "## To do\n- Lock the <door>.\n- Call.\n\nWhere\nand when\n#4 is\n",
            Format::Html,
        );
        let body = "<main>\n<h2>To do</h2>\n<ul><li>Lock the &lt;door&gt;.</li><li>Call.</li></ul>\n<p>Where\nand when\n#4 is</p>\n</main>";
        assert!(page.contains(body), "{page}");
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
        let header = Header {
            label: "internal".into(),
            mark: Level::Internal.tlp().into(),
            id: "b-1\nTLP:CLEAR".into(),
            handling: String::new(),
            redisclosure: String::new(),
            expires: None,
        };
        assert_eq!(render("x", &header, Format::Text), Err(Refused::Header("id")));
    }
}
