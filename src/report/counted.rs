//! The page of figures: one file that stands by itself, with the tables and a plot of what came month by month. It has no
//! colour for good or bad: more concerns may mean that people dare to raise them.

use super::html::{table, text};
use crate::casework::{Figured, Value};
use crate::chain::Time;
use crate::id::VaultId;
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// What the page is made of.
pub struct CountedPage<'p> {
    /// The vault.
    pub vault: VaultId,
    /// When it was made.
    pub made: Time,
    /// By whom, by handle.
    pub by: &'p str,
    /// From when on, if that was said.
    pub since: Option<Time>,
    /// Before when.
    pub until: Option<Time>,
    /// The figures.
    pub figures: &'p [Figured],
    /// What came in each month, the oldest first: what it is called, and the months.
    pub series: &'p [Series],
    /// How many entries did not open for whoever made it.
    pub closed: u64,
}

/// One figure month by month.
pub struct Series {
    /// What is counted.
    pub words: String,
    /// The months, as `2026-11`, and how many; none where so few are hidden.
    pub months: Vec<(String, Option<usize>)>,
}

/// A value in words.
pub fn value_in_words(figured: &Figured) -> String {
    match figured.value {
        Value::Count(count) => count.to_string(),
        Value::Share(count) => format!("{count} of {} ({} %)", figured.of, percent(count, figured.of)),
        Value::Days(days) => format!("{days:.1} days (median of {})", figured.of),
        Value::Nothing => "none to count".into(),
        Value::Hidden(under) => format!("fewer than {under}"),
    }
}

/// Whole percent, rounded.
pub fn percent(count: usize, of: usize) -> usize {
    (count * 100 + of / 2).checked_div(of).unwrap_or(0)
}

/// The page.
pub fn render_counted(page: &CountedPage<'_>) -> String {
    let period = match (page.since, page.until) {
        (None, None) => "since the vault began".to_owned(),
        (Some(since), None) => format!("from {since} on"),
        (None, Some(until)) => format!("before {until}"),
        (Some(since), Some(until)) => format!("from {since}, before {until}"),
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Figures of vault {0}, {1}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<style>\n{STYLE}th.what{{white-space:normal}}\n</style>\n</head>\n<body>\n<main>\n<h1>Figures</h1>\n\
         <p class=\"sub\">Vault <code>{0}</code> · {period} · made {1} by {2}</p>\n\
         <p>Counted are notes that {2} may read, and entries that open for them. More of something is not bad by itself: \
         where concerns are raised, people dare to. Groups so small that they would tell of persons are not shown.</p>\n",
        page.vault,
        page.made,
        text(page.by),
    );
    let rows: Vec<Vec<String>> = page
        .figures
        .iter()
        .map(|figured| vec![text(&figured.words), text(&value_in_words(figured))])
        .collect();
    out.push_str("<h2>All figures</h2>\n");
    out.push_str(&table(
        "Figures",
        "stack",
        &[("What", "what"), ("How many", "say")],
        &rows,
    ));
    if page.closed > 0 {
        let _ = writeln!(
            out,
            "<p class=\"sub\">{} entries did not open and are not counted.</p>",
            page.closed
        );
    }
    let told = page
        .series
        .iter()
        .filter(|series| series.months.iter().any(|(_, count)| *count != Some(0)));
    for (n, series) in told.enumerate() {
        plot(&mut out, n, series);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn plot(out: &mut String, n: usize, series: &Series) {
    let words = text(&series.words);
    let _ = writeln!(out, "<h2>{words}, month by month</h2>");
    let highest = series
        .months
        .iter()
        .filter_map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let (width, height, left, top) = (960.0, 180.0, 64.0, 24.0);
    let step = (width - left) / series.months.len().max(1) as f64;
    let bar = (step * 0.8).min(48.0);
    let known: usize = series.months.iter().filter_map(|(_, count)| *count).sum();
    let (first, last) = (series.months.first(), series.months.last());
    let from = first.map(|(month, _)| month.as_str()).unwrap_or_default();
    let to = last.map(|(month, _)| month.as_str()).unwrap_or_default();
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {width} {}\" role=\"img\" aria-labelledby=\"s{n} d{n}\">\n<title id=\"s{n}\">{words}</title>\n\
         <desc id=\"d{n}\">{known} in the months that are shown, from {from} to {to}, at most {highest} in one. The table below \
         has every number.</desc>\n",
        top + height + 36.0
    );
    for (count, y) in [(highest, top), (0, top + height)] {
        let _ = writeln!(
            out,
            "<path d=\"M{left} {y}H{width}\" stroke=\"#c9d1d9\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{count}</text>",
            left - 8.0,
            y + 4.0
        );
    }
    for (place, (_, count)) in series.months.iter().enumerate() {
        let x = left + step * (place as f64 + 0.5);
        let tall = height * count.unwrap_or(0) as f64 / highest as f64;
        let _ = match count {
            None => writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">–</text>",
                top + height - 6.0
            ),
            Some(_) => writeln!(
                out,
                "<rect class=\"done\" x=\"{:.1}\" y=\"{:.1}\" width=\"{bar:.1}\" height=\"{tall:.1}\"/>",
                x - bar / 2.0,
                top + height - tall
            ),
        };
    }
    let y = top + height + 28.0;
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{y}\">{from}</text>\n<text x=\"{width}\" y=\"{y}\" text-anchor=\"end\">{to}</text>\n</svg>"
    );
    let rows: Vec<Vec<String>> = series
        .months
        .iter()
        .map(|(month, count)| {
            vec![
                month.clone(),
                count.map_or("fewer than are shown".into(), |count| count.to_string()),
            ]
        })
        .collect();
    out.push_str(&table(&series.words, "", &[("Month", ""), ("How many", "n")], &rows));
}
