//! The page: one file, no script, nothing from elsewhere; and reading it back.

use super::figures::{Figures, NAMED_MANY, NO_CLIENT, OPENED_MANY, OTHERS, REPEATED, Remarkable};
use super::html::{counted, entries, harmless_json, hex, place, plain, refs, runs, said, table, text, time, what};
use super::{Basis, LOOK, Row, Verdict};
use crate::crypto::sha256;
use std::fmt::Write;

/// The largest report that is read, in bytes.
pub const REPORT_MAX: usize = 64 << 20;

const STYLE: &str = include_str!("style.css");
const MARK: &str = "<!-- strongroom-report-v1 -->";
const BEGIN: &str = "<pre id=\"basis\" tabindex=\"0\">";
const END: &str = "</pre>";
const DAY: i64 = 86_400;

/// Why a file is no report, or not the one that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// Another kind of file.
    #[error("this is not a strongroom report")]
    OtherFile,
    /// Something in it was changed.
    #[error("this report was changed since it was made: its check line does not hold")]
    Changed,
    /// Its check line was made anew by whoever changed it.
    #[error("what this report shows does not follow from what it says it was made of")]
    DoesNotFollow,
    /// By another version of the program.
    #[error("this report was made by another version of strongroom, which shows things otherwise")]
    OtherLook,
}

/// Reads a report: its check line, what it was made of, and that what it shows follows from that.
pub fn read(file: &[u8]) -> Result<Basis, BadReport> {
    if file.len() > REPORT_MAX {
        return Err(BadReport::OtherFile);
    }
    let file = std::str::from_utf8(file).map_err(|_| BadReport::OtherFile)?;
    if !file.contains(MARK) {
        return Err(BadReport::OtherFile);
    }
    let body = file
        .rfind("<!-- check ")
        .map(|at| &file[..at])
        .ok_or(BadReport::Changed)?;
    if with_check(body) != file {
        return Err(BadReport::Changed);
    }
    let (_, rest) = body.split_once(BEGIN).ok_or(BadReport::DoesNotFollow)?;
    let (line, _) = rest.split_once(END).ok_or(BadReport::DoesNotFollow)?;
    let line = plain(line).ok_or(BadReport::DoesNotFollow)?;
    let basis = Basis::parse(&line).ok_or(BadReport::DoesNotFollow)?;
    if !basis.is_sound() {
        return Err(BadReport::DoesNotFollow);
    }
    match (basis.look == LOOK, render(&basis) == file) {
        (true, true) => Ok(basis),
        (true, false) => Err(BadReport::DoesNotFollow),
        (false, _) => Err(BadReport::OtherLook),
    }
}

fn with_check(body: &str) -> String {
    format!("{body}<!-- check {} -->\n", sha256(&[body.as_bytes()]))
}

/// The report.
pub fn render(basis: &Basis) -> String {
    let figures = Figures::of(basis);
    let mut page = String::new();
    begin(&mut page, basis);
    verdict(&mut page, basis);
    sums(&mut page, basis, &figures);
    over_time(&mut page, basis, &figures);
    heat(&mut page, basis, &figures);
    denials(&mut page, basis, &figures);
    unusual(&mut page, basis, &figures);
    reasons(&mut page, basis, &figures);
    disclosures(&mut page, basis, &figures);
    end(&mut page, basis);
    with_check(&page)
}

fn begin(page: &mut String, basis: &Basis) {
    let vault = basis.vault.to_string();
    let _ = write!(
        page,
        "<!DOCTYPE html>\n{MARK}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Audit report of vault {0}, {1}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Audit report</h1>\n\
         <p class=\"sub\">Vault <code>{0}</code> · {2} · made {1} by {3}</p>\n",
        vault,
        basis.made,
        period(basis),
        text(&basis.by),
    );
}

fn period(basis: &Basis) -> String {
    match (basis.since, basis.until) {
        (None, None) => "the whole log".to_owned(),
        (Some(since), None) => format!("from {since} on"),
        (None, Some(until)) => format!("before {until}"),
        (Some(since), Some(until)) => format!("from {since}, before {until}"),
    }
}

fn verdict(page: &mut String, basis: &Basis) {
    let verified = &basis.verified;
    let outside = verified.receipt.is_some() || !verified.witnesses.is_empty();
    let anchored = outside || verified.device;
    let (class, words) = match verified.verdict {
        Verdict::Intact if anchored => (
            "intact",
            "Intact: the log is complete and untouched, as far as it was compared.",
        ),
        Verdict::Intact => ("unknown", "Intact in itself, but unanchored."),
        Verdict::Tampered => ("tampered", "Tampered: the log was changed where nobody may change it."),
        Verdict::Unknown => ("unknown", "Cannot tell: something needed to judge could not be read."),
    };
    let _ = write!(
        page,
        "<h2>Verdict</h2>\n<div class=\"verdict {class}\">\n<p>{words}</p>\n"
    );
    if !anchored {
        page.push_str(
            "<p>Nothing from outside the vault was given, so a vault replaced as a whole would look intact.</p>\n",
        );
    }
    page.push_str("</div>\n<dl class=\"facts\">\n");
    let mut fact = |name: &str, value: String| page.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>\n"));
    match &verified.receipt {
        Some(receipt) => fact(
            "Compared with a receipt",
            format!("of {}, SHA-256 {}", receipt.time, hex(&receipt.digest)),
        ),
        None => fact("Compared with a receipt", "no receipt was given".to_owned()),
    }
    for (name, time) in &verified.witnesses {
        fact("Cosigned by a witness", format!("{}, last {time}", text(name)));
    }
    let device = if verified.device {
        "yes: it has seen this log before"
    } else {
        "no"
    };
    fact("Compared with this device’s memory", device.to_owned());
    let last = verified
        .witnesses
        .iter()
        .map(|(_, time)| *time)
        .chain(verified.receipt.as_ref().map(|known| known.time));
    fact(
        "Last word from outside",
        match last.max() {
            None => "not known: neither a receipt nor a witness’s key was given".to_owned(),
            Some(time) => {
                let days = (basis.made.unix() - time.unix()).div_euclid(DAY).max(0);
                format!(
                    "{} before this report",
                    counted(usize::try_from(days).unwrap_or_default(), "day", "days")
                )
            }
        },
    );
    fact("Roster", hex(&verified.roster));
    fact("Founder", hex(&verified.founder));
    page.push_str("</dl>\n");
    for (name, list) in [("Problems", &verified.problems), ("Findings", &verified.findings)] {
        if !list.is_empty() {
            let items: String = list.iter().map(|item| format!("<li>{}</li>\n", text(item))).collect();
            let _ = write!(page, "<h3>{name}</h3>\n<ul>\n{items}</ul>\n");
        }
    }
    let rows = basis.logs.iter().enumerate().map(|(n, known)| {
        vec![
            format!("L{}", n + 1),
            format!("<code>{}</code>", known.log),
            known.size.to_string(),
            hex(&known.root),
        ]
    });
    let head = [
        ("Here", ""),
        ("Log", ""),
        ("Entries", "n"),
        ("Root of its tree (SHA-256)", ""),
    ];
    page.push_str(&table(
        "The logs this report was made of. An entry is named by log and number: L1:7 is entry 7 of the first",
        "stack",
        &head,
        &rows.collect::<Vec<_>>(),
    ));
}

fn sums(page: &mut String, basis: &Basis, figures: &Figures) {
    page.push_str("<h2>In short</h2>\n<ul class=\"sums\">\n");
    for (count, words) in [
        (basis.rows.len(), "entries in the period"),
        (figures.sights.len(), "accesses to notes"),
        (figures.changes.len(), "changes"),
        (figures.denied.len(), "denied"),
        (figures.failed.len(), "failed"),
        (figures.disclosures.len(), "disclosures"),
        (figures.after_hours.len(), "after hours"),
        (figures.closed.len(), "closed to the reader"),
    ] {
        let _ = writeln!(page, "<li><b>{count}</b> {words}</li>");
    }
    page.push_str("</ul>\n");
    if !figures.closed.is_empty() {
        page.push_str(
            "<p>The details of some entries did not open for whoever made this report: what they were is not known here, \
             and they are counted nowhere else but by how they ended.</p>\n",
        );
        page.push_str(&refs(basis, &figures.closed));
    }
}

/// That there was nothing of a kind: no more can be said than of what opened.
fn nothing(page: &mut String, figures: &Figures, words: &str) {
    let _ = match figures.closed.len() {
        0 => writeln!(page, "<p>{words}.</p>"),
        closed => writeln!(page, "<p>{words}, as far as the entries opened: {closed} did not.</p>"),
    };
}

/// Bars, and the same as a table.
fn over_time(page: &mut String, basis: &Basis, figures: &Figures) {
    page.push_str("<h2>Accesses over time</h2>\n");
    let over_time = &figures.over_time;
    let stretches = &over_time.stretches;
    if stretches.is_empty() {
        nothing(page, figures, "There were none");
        return;
    }
    let highest = stretches
        .iter()
        .map(|s| s.done.len() + s.refused.len())
        .max()
        .unwrap_or(1)
        .max(1);
    let (width, height, left, top) = (960.0, 220.0, 64.0, 24.0);
    let step = (width - left) / stretches.len() as f64;
    let bar = (step * 0.8).min(48.0);
    let tall = |count: usize| height * count as f64 / highest as f64;
    let done: usize = stretches.iter().map(|s| s.done.len()).sum();
    let refused: usize = stretches.iter().map(|s| s.refused.len()).sum();
    let _ = write!(
        page,
        "<p class=\"key\"><i class=\"a\"></i>done<i class=\"b\"></i>denied or failed · one bar a {}, by the devices’ clocks</p>\n\
         <svg viewBox=\"0 0 {width} {}\" role=\"img\" aria-labelledby=\"over-time over-time-words\">\n\
         <title id=\"over-time\">Accesses over time</title>\n<desc id=\"over-time-words\">{done} done and {refused} denied or failed, \
         from {} to {}, at most {highest} in one {}. The table below has every number.</desc>\n",
        over_time.unit,
        top + height + 36.0,
        stretches[0].label,
        stretches[stretches.len() - 1].label,
        over_time.unit,
    );
    for (count, y) in [(highest, top), (0, top + height)] {
        let _ = writeln!(
            page,
            "<path d=\"M{left} {y}H{width}\" stroke=\"#c9d1d9\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{count}</text>",
            left - 8.0,
            y + 4.0
        );
    }
    for (n, stretch) in stretches.iter().enumerate() {
        let x = left + step * (n as f64 + 0.5) - bar / 2.0;
        let (one, two) = (tall(stretch.done.len()), tall(stretch.refused.len()));
        for (class, size, y) in [
            ("done", one, top + height - one),
            ("refused", two, top + height - one - two),
        ] {
            if size > 0.0 {
                let _ = writeln!(
                    page,
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{bar:.1}\" height=\"{size:.1}\"/>"
                );
            }
        }
    }
    let y = top + height + 28.0;
    let _ = writeln!(page, "<text x=\"{left}\" y=\"{y}\">{}</text>", stretches[0].label);
    if stretches.len() > 1 {
        let last = &stretches[stretches.len() - 1].label;
        let _ = writeln!(page, "<text x=\"{width}\" y=\"{y}\" text-anchor=\"end\">{last}</text>");
    }
    page.push_str("</svg>\n");
    let rows = stretches
        .iter()
        .filter(|s| !(s.done.is_empty() && s.refused.is_empty()))
        .map(|stretch| {
            let all: Vec<usize> = stretch.done.iter().chain(&stretch.refused).copied().collect();
            vec![
                stretch.label.clone(),
                stretch.done.len().to_string(),
                stretch.refused.len().to_string(),
                runs(basis, &all),
            ]
        });
    let head = [
        ("From", ""),
        ("Done", "n"),
        ("Denied or failed", "n"),
        ("Entries", "refs"),
    ];
    let caption = format!("Accesses by {}; nothing happened in those left out", over_time.unit);
    page.push_str(&table(&caption, "", &head, &rows.collect::<Vec<_>>()));
}

fn heat(page: &mut String, basis: &Basis, figures: &Figures) {
    page.push_str("<h2>Who accessed whose notes</h2>\n");
    let heat = &figures.heat;
    if heat.people.is_empty() {
        nothing(page, figures, "Nobody did");
        return;
    }
    let cell = |who: &String, client: &String| heat.cells.get(&(who.clone(), client.clone()));
    let highest = heat.cells.values().map(Vec::len).max().unwrap_or(1).max(1);
    let mut head = vec![("Person", "")];
    head.extend(heat.clients.iter().map(|client| (client.as_str(), "")));
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Accesses by person and client\">\
         <table class=\"heat\"><caption>Accesses by person and client, darker where there are more. An access that concerned notes \
         of several clients counts for each; {} and {} are no names</caption>\n<thead><tr>",
        text(NO_CLIENT),
        text(OTHERS)
    );
    for (name, _) in &head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", text(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for who in &heat.people {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", text(who));
        for client in &heat.clients {
            let count = cell(who, client).map_or(0, Vec::len);
            let shade = if count == 0 {
                0
            } else {
                1 + (count * 5 - 1) / highest.max(5)
            };
            let _ = write!(out, "<td class=\"h{}\">{count}</td>", shade.min(5));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    page.push_str(&out);
    let rows = heat
        .cells
        .iter()
        .map(|((who, client), rows)| vec![text(who), text(client), rows.len().to_string(), runs(basis, rows)]);
    let head = [("Person", ""), ("Client", ""), ("Accesses", "n"), ("Entries", "refs")];
    page.push_str(&table(
        "The same, with the entries",
        "stack",
        &head,
        &rows.collect::<Vec<_>>(),
    ));
}

fn denials(page: &mut String, basis: &Basis, figures: &Figures) {
    page.push_str("<h2>Denials and failures</h2>\n");
    let mut all: Vec<usize> = figures.denied.iter().chain(&figures.failed).copied().collect();
    all.sort_unstable();
    match all.is_empty() {
        true => page.push_str("<p>Nothing was denied, and nothing failed.</p>\n"),
        false => page.push_str(&entries(basis, "What was asked for and not given", &all)),
    }
}

fn unusual(page: &mut String, basis: &Basis, figures: &Figures) {
    let (from, before) = basis.hours;
    let _ = write!(
        page,
        "<h2>After hours and in bulk</h2>\n<h3>After hours</h3>\n<p>Working hours were taken as {from:02}:00 to {before:02}:00 UTC. A time \
         is the device’s word.</p>\n"
    );
    match figures.after_hours.is_empty() {
        true => nothing(page, figures, "There was no access outside them"),
        false => page.push_str(&entries(basis, "Accesses outside working hours", &figures.after_hours)),
    }
    let _ = write!(
        page,
        "<h3>In bulk</h3>\n<p>One person who opened {OPENED_MANY} notes or more within an hour, and single entries that named \
         {NAMED_MANY} or more.</p>\n"
    );
    remarkable(page, basis, figures, ("Many notes at once", "What"), &figures.bulk);
}

fn remarkable(page: &mut String, basis: &Basis, figures: &Figures, (caption, what): (&str, &str), list: &[Remarkable]) {
    if list.is_empty() {
        nothing(page, figures, "There was nothing of the kind");
        return;
    }
    let rows = list.iter().map(|found| {
        let count = found.rows.len().to_string();
        vec![text(&found.who), text(&found.what), count, runs(basis, &found.rows)]
    });
    let head = [("Person", ""), (what, "say"), ("How many", "n"), ("Entries", "refs")];
    page.push_str(&table(caption, "stack", &head, &rows.collect::<Vec<_>>()));
}

fn reasons(page: &mut String, basis: &Basis, figures: &Figures) {
    page.push_str("<h2>Reasons</h2>\n<h3>Missing</h3>\n");
    match figures.missing.is_empty() {
        true => nothing(page, figures, "Whoever opened a note gave a reason"),
        false => page.push_str(&entries(
            basis,
            "Notes opened without a reason; whether one was due follows from the level and the rules of that day",
            &figures.missing,
        )),
    }
    let _ = write!(
        page,
        "<h3>Repeated</h3>\n<p>One reason that one person gave {REPEATED} times or more.</p>\n"
    );
    let heads = ("The same reason over and over", "Reason");
    remarkable(page, basis, figures, heads, &figures.repeated);
    page.push_str("<h3>Saying nothing</h3>\n");
    match figures.vague.is_empty() {
        true => nothing(page, figures, "No reason was a word that fits anything"),
        false => page.push_str(&entries(
            basis,
            "Reasons that fit anything: no letters, the purpose once more, or words such as work and needed",
            &figures.vague,
        )),
    }
}

fn disclosures(page: &mut String, basis: &Basis, figures: &Figures) {
    page.push_str(
        "<h2>Disclosures</h2>\n<p>What left the vault: briefs that were released, attachments that were taken out, and notes that were \
         exported, alone, in a pack, or to the person they are about. Date, recipient, what and purpose are what 45 CFR 164.528 and \
         28 CFR 23.20 ask to have on record.</p>\n",
    );
    if figures.disclosures.is_empty() {
        nothing(page, figures, "Nothing left");
        return;
    }
    let head = [
        ("Entry", "at"),
        ("Date (UTC)", "time"),
        ("Recipient", ""),
        ("What", "say"),
        ("Client", ""),
        ("Purpose and reason", "say"),
        ("By", ""),
    ];
    let recipient = |row: &Row| match (row.recipients.is_empty(), row.verb.as_deref()) {
        (false, _) => text(&row.recipients.join("; ")),
        (true, Some("extract")) => "whoever took it out".to_owned(),
        (true, Some("export subject")) => "the person concerned".to_owned(),
        (true, Some(_)) => "nobody was named".to_owned(),
        (true, None) => "closed to the reader".to_owned(),
    };
    let rows = figures.disclosures.iter().map(|row| {
        let row = &basis.rows[*row];
        let left = row.left.map_or_else(String::new, |digest| {
            format!(", SHA-256 <code>{}…</code>", &digest.to_string()[..16])
        });
        vec![
            place(basis, row),
            time(row),
            recipient(row),
            format!("{}{left}", what(basis, row)),
            text(&row.clients.join(", ")),
            said(row),
            text(&row.who),
        ]
    });
    page.push_str(&table(
        "Disclosures in the period",
        "stack",
        &head,
        &rows.collect::<Vec<_>>(),
    ));
    page.push_str(&refs(basis, &figures.disclosures));
    if !figures.closed.is_empty() {
        let closed = counted(figures.closed.len(), "entry", "entries");
        let _ = writeln!(
            page,
            "<p>Whether more left by the {closed} that did not open is not known here.</p>"
        );
    }
}

fn end(page: &mut String, basis: &Basis) {
    let line = harmless_json(&String::from_utf8_lossy(&basis.to_line()));
    let _ = write!(
        page,
        "<h2>Signature</h2>\n<p>I have read this report. It was made of what has this digest (SHA-256):</p>\n<p>{}</p>\n\
         <p class=\"sub\">The log was read for it under the entry <code>{}</code>; a later entry of {} has the SHA-256 of this file. <code>strongroom audit check-report FILE</code> checks that all that is shown follows from the digest, and compares \
         with a vault what stands there in clear: who, when, and how each ended. What the log was compared with for the verdict, and what is \
         sealed, is told by {} alone.</p>\n<div class=\"sign\">\n<p>Name and role</p>\n<p>Place and date</p>\n<p>Signature</p>\n\
         <p>Second signature, if one is needed</p>\n</div>\n\
         <details class=\"basis\">\n<summary>What this report was made of</summary>\n{BEGIN}{}{END}\n</details>\n</main>\n</body>\n</html>\n",
        hex(&basis.digest()),
        basis.entry,
        text(&basis.by),
        text(&basis.by),
        text(&line),
    );
}
