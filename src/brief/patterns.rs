//! Identifiers by their form or by the words before them: mail, phones, cards, plates, codes.
//!
//! The patterns are tried in order; what one has claimed is blanked for the later ones, so that
//! a date is not also a telephone number. A failed checksum changes the kind; it never unmasks.

use super::begins::{self, Begin, Places, cue};
use super::finding::{Finder, Finding, Kind, Weight};
use super::general::is_state;
use super::prepared::Prepared;
use super::values::{MEASURES, is_host, is_iban, is_pair, is_street, luhn};
use super::words::{self, Word};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Finds identifiers by their form.
#[derive(Debug, Clone, Copy)]
pub struct Patterns;

struct Pattern {
    /// Where a match can begin.
    begin: Begin,
    /// The words that stand before the identifier, where they are needed: looked for first, since
    /// what may stand between them and the identifier makes too big an automaton to run everywhere.
    lead: Option<Regex>,
    regex: Regex,
    kind: fn(&str) -> Kind,
    /// Which group is the identifier; 0 is the whole match.
    group: usize,
    /// Whether the match counts, from the value and from what stands before it in the match.
    accept: fn(&str, &str) -> bool,
    #[cfg(test)]
    source: &'static str,
}

/// What a blanked byte becomes: no letter, no digit, no space, no punctuation that a pattern names.
const BLANK: u8 = 0x01;
/// How far is looked at first from where something may begin, in bytes.
const NEAR: usize = 4096;

fn near(text: &str) -> &str {
    let mut end = text.len().min(NEAR);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Finder for Patterns {
    fn find(&self, text: &Prepared) -> Vec<Finding> {
        find_each(text, &PATTERNS)
    }
}

/// What patterns find one after the other, each in what those before it have left.
fn find_each(text: &Prepared, patterns: &[Pattern]) -> Vec<Finding> {
    let mut places = Places::new(text);
    let mut found = Vec::new();
    for pattern in patterns {
        let claimed = pattern.matches(&places);
        if claimed.is_empty() {
            continue;
        }
        let trimmed: Vec<Range<usize>> = claimed.into_iter().map(|at| trim(places.text(), at)).collect();
        places.blank(|bytes| {
            let mut blanked = Vec::with_capacity(trimmed.len());
            for at in trimmed {
                let kind = (pattern.kind)(&text.folded[at.clone()]);
                let at = if matches!(kind, Kind::Number | Kind::Code) {
                    with_glued(bytes, at)
                } else {
                    at
                };
                found.push(Finding::new(at.clone(), kind, Weight::Form));
                bytes[at.clone()].fill(BLANK);
                blanked.push(at);
            }
            blanked
        });
    }
    found
}

/// A range without the spaces at its ends.
fn trim(text: &str, at: Range<usize>) -> Range<usize> {
    let value = &text[at.clone()];
    let start = at.start + value.len() - value.trim_start().len();
    start..(at.start + value.trim_end().len()).max(start)
}

/// A number with the capitals, digits and hyphens that stand against it: `AB-CD-12345` whole.
fn with_glued(text: &[u8], at: Range<usize>) -> Range<usize> {
    let part = |b: &&u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(**b, b'-' | b'/' | b'_');
    let mut start = at.start - text[..at.start].iter().rev().take(24).take_while(part).count();
    while start < at.start && !text[start].is_ascii_alphanumeric() {
        start += 1;
    }
    let mut end = at.end + text[at.end..].iter().take(24).take_while(part).count();
    while end > at.end && !text[end - 1].is_ascii_alphanumeric() {
        end -= 1;
    }
    start..end
}

impl Pattern {
    fn new(
        begin: Begin,
        source: &'static str,
        kind: fn(&str) -> Kind,
        group: usize,
        accept: fn(&str, &str) -> bool,
    ) -> Option<Self> {
        let (lead, regex) = match source.split_once("LINK") {
            Some((lead, rest)) => (Some(compile(&anchored(begin, lead))?), format!("(?i)^LINK{rest}")),
            None => (None, anchored(begin, source)),
        };
        Some(Self {
            begin,
            lead,
            regex: compile(&regex)?,
            kind,
            group,
            accept,
            #[cfg(test)]
            source,
        })
    }

    /// All that it finds, from the left, one behind the other.
    fn matches(&self, places: &Places<'_>) -> Vec<Range<usize>> {
        let text = places.text();
        let first = self.lead.as_ref().unwrap_or(&self.regex);
        let starts = match self.begin {
            Begin::In(has) if has(places) => {
                return first
                    .find_iter(text)
                    .filter_map(|whole| self.value(text, whole.range()))
                    .collect();
            }
            Begin::In(_) => Vec::new(),
            Begin::At(starts) => starts(places),
            Begin::Cue(list) => places.cued(list),
        };
        let (mut found, mut end) = (Vec::new(), 0);
        for start in starts {
            if start < end {
                continue;
            }
            // Nothing that is looked for is longer, and a try that comes to nothing must not cost as much as the text is long.
            let near = near(&text[start..]);
            let cut = |whole: &regex::Match<'_>| whole.end() == near.len() && near.len() < text.len() - start;
            let (rest, whole) = match first.find(near) {
                Some(whole) if cut(&whole) => match first.find(&text[start..]) {
                    Some(longer) => (&text[start..], Some(longer)),
                    None => (near, Some(whole)),
                },
                whole => (near, whole),
            };
            if let Some(whole) = whole {
                end = start + whole.end();
                let value = self.value(rest, whole.range());
                found.extend(value.map(|at| start + at.start..start + at.end));
            }
        }
        found
    }

    /// The identifier in a match, or behind the words that have to stand before it.
    fn value(&self, text: &str, whole: Range<usize>) -> Option<Range<usize>> {
        if self.lead.is_none() && self.group == 0 {
            return (self.accept)(&text[whole.clone()], "").then_some(whole);
        }
        let value = if self.lead.is_none() {
            self.regex.captures_at(text, whole.start)?.get(self.group)?.range()
        } else {
            let mut end = text.len().min(whole.end + MAX_REACH);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let near = &text[whole.end..end];
            // Most often nothing follows, which is told sooner than where.
            let captures = self.regex.is_match(near).then(|| self.regex.captures(near))??;
            let value = captures.get(self.group)?;
            whole.end + value.start()..whole.end + value.end()
        };
        (self.accept)(&text[value.clone()], &text[whole.start..value.start]).then_some(value)
    }
}

/// How far behind its word an identifier is looked for, in bytes, its own length included.
const MAX_REACH: usize = 240;

/// A pattern as it is tried: only at the very beginning, where its [`Begin`] says at which places.
fn anchored(begin: Begin, pattern: &str) -> String {
    if matches!(begin, Begin::In(_)) {
        return pattern.to_owned();
    }
    let (flags, rest) = match pattern.strip_prefix("(?i)") {
        Some(rest) => ("(?i)", rest),
        None => ("", pattern),
    };
    format!("{flags}^(?:{})", rest.strip_prefix(r"\b").unwrap_or(rest))
}

/// Compiles a pattern; `\b`, `\d`, `\s`, `\w` mean ASCII, which folding makes enough and fast.
fn compile(pattern: &str) -> Option<Regex> {
    let ascii = pattern
        .replace(r"\b", r"(?-u:\b)")
        .replace(r"\d", "[0-9]")
        .replace(r"\s", r"[ \t\r\n]")
        .replace(r"\w", "[A-Za-z0-9_]")
        .replace("MONTH", MONTH)
        .replace("WEEKDAY", "(?:mon|tues|wednes|thurs|fri|satur|sun)day")
        .replace("VALUE", VALUE)
        .replace("LINK", LINK)
        .replace("SUM", SUM)
        .replace("YEAR", "(?:19|20)[0-9]{2}");
    Regex::new(&ascii).ok()
}

const MONTH: &str = "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?";

/// A value with a digit in it, in groups.
const VALUE: &str = "(?:[A-Za-z]{0,8}[0-9][A-Za-z0-9]*(?:[-./:_][A-Za-z0-9]+)*(?: [0-9]{2,}[A-Za-z]?\\b)*|(?-i:[A-Z]{1,4}(?:[-/ ][A-Z]{1,3})?[-/ ][0-9][A-Za-z0-9]*(?:[-/ ][0-9A-Z]*[0-9][0-9A-Z]*)*))";

/// A sum in figures, one number: what stands behind it after a comma or a space may be a telephone number.
const SUM: &str = "(?:[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?:\\.[0-9]{1,4})?|[0-9]{1,3}(?:(?:\\.[0-9]{3})+|(?:'[0-9]{3})+|(?: [0-9]{3})+)(?:[.,][0-9]{1,4})?|[0-9]+(?:[.,][0-9]{1,4})?)";

/// What may stand between the name of a thing and its value.
const LINK: &str = "\\.?(?:(?:\\s|[:=#,\"'(*`-])+(?:is|was|are|now|to|set to|changed to|changed from|reset to|of|no\\b\\.?|nos\\b\\.?|number|num|code|id|ref|marked|as|(?:open|unlock|disarm)(?:s|ed)? with|ending(?: in)?|remains|still|reads?|says|shows|the|for [a-z]+(?: [a-z]+)?|(?:on|of|for|at|to) the [a-z]+(?: [a-z]+)?)\\b\\.?){0,3}(?:\\s|[:=#\"'(*`-])+";

fn any(_: &str, _: &str) -> bool {
    true
}

fn digits(value: &str) -> usize {
    value.bytes().filter(u8::is_ascii_digit).count()
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let mut patterns = Vec::new();
    let mut add =
        |begin: Begin, pattern: &'static str, kind: fn(&str) -> Kind, group: usize, accept: fn(&str, &str) -> bool| {
            patterns.extend(Pattern::new(begin, pattern, kind, group, accept));
        };
    // Three words that name a square of three metres, before what looks like a host in them.
    add(
        Begin::In(begins::has_slashes),
        r"///\s?\p{L}+[.·]\p{L}+[.·]\p{L}+",
        |_| Kind::Position,
        0,
        any,
    );
    add(
        Begin::At(begins::at_three_words),
        r"(?i)\b(?:w3w|what3words)\b(?: (?:is|are|address))?[ :=(/]{1,5}(\p{L}+[.·]\p{L}+[.·]\p{L}+)",
        |_| Kind::Position,
        1,
        any,
    );
    // Mail and links.
    add(
        Begin::In(begins::has_mail),
        r"(?i)[a-z0-9._%+'-]+\s?(?:@|\[at\]|\(at\)|\{at\}| at )\s?[a-z0-9-]+(?:(?:\.|\s?(?:\[dot\]|\(dot\)|\{dot\}| dot )\s?)[a-z0-9-]+)+",
        |_| Kind::Email,
        0,
        |value, _| value.contains(['@', '[', '(', '{']) || value.contains(" dot "),
    );
    add(
        Begin::In(begins::has_link),
        r"(?i)\b(?:[a-z][a-z0-9+.-]{1,12}://|www\.|mailto:|h[tx]{2}ps?\[?:\]?//)[^ \t\r\n<>\x22]*[^ \t\r\n<>\x22.,;:!?')\]]",
        |_| Kind::Link,
        0,
        any,
    );
    add(
        Begin::In(begins::has_host),
        r"(?i)\b(?:[a-z0-9-]+(?:\.|\[\.\]))+(?:com|org|net|edu|gov|mil|int|info|biz|io|app|dev|ai|me|co|uk|eu|de|fr|nl|be|ch|at|it|es|pt|pl|se|no|dk|fi|ie|us|ca|au|nz|jp|cn|in|ru|ua|tv|cc|xyz|site|online|shop|onion|local|lan|internal|example|test)\b(?:/[^ \t\r\n<>\x22]*[^ \t\r\n<>\x22.,;:!?')\]])?",
        |_| Kind::Link,
        0,
        |value, _| {
            // `end.In` is a missing space, not a host.
            value.contains('/')
                || value.rsplit('.').next().is_some_and(|top| {
                    top.chars().all(|c| c.is_ascii_lowercase()) || value.chars().all(|c| !c.is_ascii_lowercase())
                })
        },
    );
    // What names a host by what stands around it, whatever it ends in: a picture is fetched from there when it is shown.
    add(
        Begin::In(begins::has_slashes),
        r"(?i)(?:^|[^a-z0-9_:/])(//[a-z0-9%_~\[][^ \t\r\n<>\x22]*[^ \t\r\n<>\x22.,;:!?')\]])",
        |_| Kind::Link,
        1,
        any,
    );
    add(
        Begin::In(begins::has_targets),
        r"\]\(\s?<?([^ \t\r\n<>()\x01]+)",
        |_| Kind::Link,
        1,
        |value, _| value.contains(char::is_alphanumeric),
    );
    // Network addresses.
    add(
        Begin::At(begins::at_network),
        r"\b\d{1,3}(?:\.\d{1,3}){3,}(?:/\d{1,2}|:\d{1,5})?\b",
        |value| {
            if value.matches('.').count() == 3 {
                Kind::Network
            } else {
                Kind::Phone
            }
        },
        0,
        any,
    );
    add(
        Begin::In(begins::is_anywhere),
        r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b",
        |_| Kind::Network,
        0,
        any,
    );
    add(
        Begin::In(begins::has_colons),
        r"(?i)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%[a-z0-9]+)?",
        |_| Kind::Network,
        0,
        |value, _| {
            value
                .split('%')
                .next()
                .is_some_and(|ip| ip.len() > 3 && ip.parse::<std::net::Ipv6Addr>().is_ok())
        },
    );
    // Secrets, by the word before them.
    add(
        Begin::Cue(cue::SECRET),
        r#"(?i)\b(?:passwords?|passwd|passphrase|pass phrase|pwd|passcode|pass code|log-?in|user ?name|user id|wi-?fi key|api key|pre-?shared key|psk|secret|code ?word|duress word|challenge word)\b((?:\s|[:=/"'`(-])*(?:(?:is|was|now|set to|changed to|reset to|as)\b\s?)?["'`:=\s]*)([^ \t\r\n"`]{2,64})"#,
        |_| Kind::Code,
        2,
        |value, before| {
            let plain = value.trim_end_matches(['.', ',', ';', '!', '?', ')']);
            let listed = plain.chars().all(|c| c.is_ascii_alphabetic())
                && words::look_up(&plain.to_ascii_lowercase()) != Word::Unknown;
            !listed
                || (before.contains(['=', ':', '"']) && words::look_up(&plain.to_ascii_lowercase()) != Word::Function)
        },
    );
    // `Password for the tablet: bluebell`, and what is said between quotation marks.
    add(
        Begin::Cue(cue::PASSWORD),
        r#"(?i)\b(?:passwords?|passphrase|code ?word|safe ?word)(?: [a-z]+){1,4}[ ]?[:=] ?["']?([a-z0-9][^ \t\r\n"'.,;]{2,40})"#,
        |_| Kind::Code,
        1,
        |value, _| words::look_up(&value.to_ascii_lowercase()) != Word::Function,
    );
    add(
        Begin::Cue(cue::QUOTED),
        r#"(?i)\b(?:password|phrase|code ?word|safe ?word|challenge|countersign|counterphrase|reply|answer)\b[^".\n]{0,24}"([a-z][a-z' ,]{2,40})""#,
        |_| Kind::Code,
        1,
        any,
    );
    // A word that opens: `the panic word is chestnut`.
    add(
        Begin::Cue(cue::WORD),
        r"(?i)\b(?:(?:alarm|panic|safe|code|duress|challenge|pass|check|distress|door|gate|all[ -]?clear)[ -]?(?:word|phrase)s?|(?:the|his|her|our|their|new|old|today's) word)\b((?:[ \t]+(?:is|was|still|now|stays|remains|set to|changed to|back to|for (?:the )?[a-z]+))*[ \t]*[:=,(\x22']*[ \t]*)([a-z]{3,}(?:-[a-z0-9]+)*)",
        |_| Kind::Code,
        2,
        |value, before| {
            let link = before.to_ascii_lowercase();
            let said = link.contains([':', '=', '(', '"'])
                || ["is ", "was ", "to ", "still ", "now "]
                    .iter()
                    .any(|end| link.ends_with(end));
            said && words::look_up(&value.to_ascii_lowercase()) != Word::Function
        },
    );
    add(
        Begin::In(begins::has_dashed),
        r"\b[a-z]{3,}(?:-[a-z]{3,})+-\d{2,}\b|\b\d{2,}(?:-[a-z]{3,}){2,}\b",
        |_| Kind::Code,
        0,
        any,
    );
    // How old somebody is.
    for (begin, how) in [
        (
            Begin::Cue(cue::AGED),
            r"(?i)\b(?:aged?|age:|age is|age of|turns|turned)[ :]{1,2}(\d{1,3}|ninety(?:[ -][a-z]{3,5}\b)?|(?:a |one )?hundred)\b",
        ),
        (
            Begin::At(begins::at_ages),
            r"(?i)\b(\d{1,3}|ninety(?:[ -][a-z]{3,5})?|(?:a |one )?hundred)(?:[ -]?(?:years?|yrs?)[ -](?:old|of age)\b|[ -]?y/?o\b)",
        ),
    ] {
        add(begin, how, |_| Kind::Age, 1, any);
    }
    add(
        Begin::Cue(cue::ALIAS),
        r"(?i)\b(?:call ?-?sign|codename|code name|alias|a\.?k\.?a\.?|handle|nick ?name|screen name)\b(?:\s|[:=\x22'(-])*(?:is |was )?[\x22']?((?-i:[A-Z])[\w-]*(?: [0-9]+\b| (?-i:[A-Z])\w*)*)",
        |_| Kind::Alias,
        1,
        any,
    );
    // Accounts, cards, identity numbers by form.
    add(
        Begin::At(begins::at_account),
        r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){2,8}\b",
        |value| if is_iban(value) { Kind::Account } else { Kind::Number },
        0,
        |value, _| digits(value) >= 6 && value.len() >= 12,
    );
    // In small letters, in fours, and mostly figures.
    add(
        Begin::At(begins::at_account),
        r"(?i)\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?\b",
        |value| if is_iban(value) { Kind::Account } else { Kind::Number },
        0,
        |value, _| digits(value) >= 10,
    );
    // Dates of birth, then codes and numbers by the word before them.
    add(
        Begin::Cue(cue::BIRTH),
        r"(?i)\b(?:dob|d\.o\.b\.?|born(?: on| in)?|date of birth|birth ?date|birthday)\b(?:\s|[.:,(=-])*(?:is |was |on |the )?((?:\d{1,4}[-./ ]){2}\d{1,4}\b|\d{1,2}(?:st|nd|rd|th)? (?:of )?MONTH,? \d{2,4}\b|MONTH \d{1,2}(?:st|nd|rd|th)?,? \d{2,4}\b|\d{1,2}(?:st|nd|rd|th)? MONTH\b|MONTH(?: \d{1,2}\b)?|(?:MONTH )?\d{4}\b)",
        |_| Kind::Birthday,
        1,
        any,
    );
    add(
        Begin::Cue(cue::PLATE),
        r"(?i)\b(?:reg(?:istration|\.)?|plates?|number ?plate|licen[cs]e plates?|vrm|index|rego|tag)\bLINK((?:[A-Z0-9]{1,5}[ -]?){1,3}[A-Z0-9]{1,4})\b",
        |_| Kind::Vehicle,
        1,
        |value, _| digits(value) > 0 && value.len() < 14,
    );
    add(
        Begin::Cue(cue::PHONE),
        r"(?i)\b(?:ext(?:ension|\.)?|tel(?:ephone|\.)?|phone|mobile|cell|fax|mob\.?|pager|whatsapp|ring|call|text)\bLINK(\+?\(?\d[\d ().-]{1,20}\d(?:\s?x\s?\d+)?)",
        |_| Kind::Phone,
        1,
        |value, before| {
            digits(value) >= 6
                || before.to_ascii_lowercase().contains("ext")
                || before.to_ascii_lowercase().contains("pager")
        },
    );
    add(
        Begin::Cue(cue::CODE),
        r"(?i)\b(?:pins?|passcode|key ?codes?|codes?|combination|combo|safe|alarm|otp|cvv|cvc|puk|keypad|padlock)\bLINK(VALUE)",
        |_| Kind::Code,
        1,
        |value, before| {
            let named = before.to_ascii_lowercase();
            digits(value) >= 3 || (value.len() >= 3 && !named.starts_with("safe") && !named.starts_with("alarm"))
        },
    );
    add(
        Begin::Cue(cue::NUMBER),
        r"(?i)\b(?:badges?|serials?|asset|case|refs?\.?|reference|account|acct\.?|a/c|policy|licen[cs]e|passport|id|identity|dossier|ticket|file|invoice|order|booking|incident|crime|complaint|application|applications|nos?\.|imei|imsi|iccid|vin|chassis|frame|tracking|parcel|member(?:ship)?|employee|staff|payroll|warrant|collar|shoulder|custody|patient|mrn|nhs|tax|vat|ssn|sin|nino|ni|national insurance|social security|bsn|tin|docket|claim|contract|permit|visa|certificate|cert\.?|key|fob|locker|laptop|phone|device|sim|card|device id|number)\bLINK(VALUE)",
        |_| Kind::Number,
        1,
        |value, before| {
            // `file 12`: too short to name anything, unless it is said to be a number.
            digits(value) >= 4
                || (digits(value) >= 2 && value.len() >= 4)
                || before.contains('#')
                || before.to_ascii_lowercase().contains("badge")
        },
    );
    add(
        Begin::In(begins::has_long_number),
        r"(?:^|[^+0-9])(\d(?:[ -]?\d){11,18})\b",
        |value| if luhn(value) { Kind::Card } else { Kind::Number },
        1,
        |value, _| {
            // `2026-03-17 0930` is a day and an hour; what else stands there is found later.
            let mut parts = value.splitn(4, ['-', ' ']).map(str::len);
            [parts.next(), parts.next(), parts.next()] != [Some(4), Some(2), Some(2)] || value.contains("  ")
        },
    );
    // Money before the numbers, dates and times before the phones.
    add(
        Begin::At(begins::at_money),
        r"(?i)((?:(?:US|A|C|NZ|HK)?[$€£¥₹]|\b(?:EUR|USD|GBP|CHF|CAD|AUD|JPY|SEK|NOK|DKK|PLN|INR|(?-i:TRY)|CZK|HUF)\s?)\s?SUM(?:\s?(?:k|m|bn|million|billion|thousand)\b)?|\bSUM(?:\s?(?:k|m|bn|million|billion|thousand))?\s?(?:euros?|dollars?|pounds?|quid|francs?|eur|usd|gbp|chf|[€£$]))(?:\b|[^0-9]|$)",
        |_| Kind::Money,
        1,
        any,
    );
    add(
        Begin::At(begins::at_position),
        r"(?i)(?:[-+]?\b\d{1,3}\.\d{3,}\s?°?\s?[NSEW]?\s?[,/; ]\s?[-+]?\d{1,3}\.\d{3,}(?:\s?°)?(?:\s?[NSEW]\b)?|\b\d{1,3}\s?°\s?\d{1,2}(?:\.\d+)?\s?['m]?\s?(?:\d{1,2}(?:\.\d+)?\s?[\x22s]?)?\s?[NSEW]\b|\b\d{1,3}\s?(?:°|deg(?:rees?)?\b\.?)(?:,|,? and)?\s?\d{1,2}(?:[.,]\d+)?\s?(?:'|min(?:ute)?s?\b\.?)(?:,|,? and)?\s?(?:\d{1,2}(?:[.,]\d+)?\s?(?:\x22|''|sec(?:ond)?s?\b\.?)\s?)?(?:[NSEW]|north|south|east|west)\b)",
        |_| Kind::Position,
        0,
        any,
    );
    // With fewer decimals, or behind a comma, figures are as often prices: a sign or a quarter of the sky has to show
    // what they are, or the word before them.
    add(
        Begin::At(begins::at_position),
        r"[-+]?\b\d{1,3}[.,]\d{2,}(?:\s?°)?(?:\s?[NSEW])?(?:\s?[,/;]\s?|\s)(?:[NSEW]\s?)?[-+]?\d{1,3}[.,]\d{2,}(?:\s?°)?(?:\s?[NSEW]\b)?",
        |_| Kind::Position,
        0,
        |value, _| is_pair(value),
    );
    add(
        Begin::Cue(cue::POSITION),
        r"(?i)\b(?:coord(?:inate)?s?|gps|position|lat(?:itude)?|lon(?:gitude)?|lng)\b[ :=.(]{1,3}(?:(?:is|are|at|of)\b[ :]{1,2})?([-+]?\d{1,3}[.,]\d{2,}\b(?:\s?°)?(?:\s?[,/;]?\s?[-+]?\d{1,3}[.,]\d{2,}\b)?)",
        |_| Kind::Position,
        1,
        // One number alone is a place behind `lat` and `lon` only.
        |value, before| before.starts_with(['l', 'L']) || value.matches(['.', ',']).count() >= 2,
    );
    add(
        Begin::At(begins::at_grid),
        r"\b(?:[1-9]|[1-5]\d|60)[C-HJ-NP-X] ?[A-HJ-NP-Z]{2} ?\d{2,5} ?\d{2,5}\b|\b[HNST][A-HJ-Z] \d{3,5} \d{3,5}\b",
        |_| Kind::Position,
        0,
        any,
    );
    add(
        Begin::At(begins::at_dates),
        r"(?i)\b(?:YEAR-\d{1,2}-\d{1,2}(?:[t ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:z|[+-]\d{2}:?\d{2})?)?|\d{1,2}(?:st|nd|rd|th)?[ -](?:of )?MONTH,?[ -]'?(?:YEAR|\d{2})|MONTH \d{1,2}(?:st|nd|rd|th)?,? YEAR|\d{1,2}/\d{1,2}/(?:YEAR|\d{2})|\d{1,2}\.\d{1,2}\.YEAR|\d{1,2}-\d{1,2}-YEAR|YEAR/\d{1,2}/\d{1,2}|\d{1,2}(?:st|nd|rd|th)? (?:of )?MONTH|MONTH \d{1,2}(?:st|nd|rd|th)?|MONTH,? (?:of )?YEAR)\b",
        |_| Kind::Date,
        0,
        |value, _| {
            // `may 5` in small letters is hardly a date.
            !value.starts_with("may ") && !value.starts_with("mar ")
        },
    );
    // A year by itself where it can be no time of day.
    add(
        Begin::At(begins::at_years),
        r"(?i)(?:\b(?:in|of|during|year|early|late|mid|spring|summer|autumn|fall|winter|circa)[ -]|\b(?:since|from|between)[ ]|\()((?:1[5-9]|20)\d{2}(?:s\b|\b(?:[-/](?:\d{4}|\d{2})\b)?))(?:[^:\d]|$)",
        |_| Kind::Date,
        1,
        any,
    );
    // `before 0730`; `before 1999` is a year.
    add(
        Begin::At(begins::at_hours),
        r"(?i)\b(?:at|by|before|until|till|after) ((?:[01]\d|2[0-3])[0-5]\d)\b",
        |_| Kind::Time,
        1,
        |value, _| !value.starts_with("19") && !value.starts_with("20"),
    );
    add(
        Begin::At(begins::at_numbers),
        r"(?i)\b(?:\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?|\d{1,2}(?:[.:]\d{2})?\s?[ap]\.?m\b\.?|[0-2]\d[0-5]\d\s?(?:hrs?|hours|h|z|utc|gmt|bst|cet|local)\b|\d{1,2}h\d{2}\b)",
        |_| Kind::Time,
        0,
        any,
    );
    add(
        Begin::In(begins::has_month),
        r"(?i)\b(?:in|on|since|until|till|by|from|of|to|between|during|early|late|mid|last|next|this|every|before|after|and|-)[ -](?-i:((?:January|February|March|April|May|June|July|August|September|October|November|December)))\b",
        |_| Kind::Date,
        1,
        any,
    );
    // Telephone numbers by form.
    add(
        Begin::At(begins::at_phones),
        r"(?:\+|\b00)\s?\(?\d(?:[ ().-]{0,3}\d){6,15}(?:\s?(?:x|ext\.?)\s?\d{1,6})?\b|\(\d{2,5}\)[ .-]?\d{3,4}(?:[ .-]?\d{2,6}){0,3}(?:\s?(?:x|ext\.?)\s?\d{1,6})?\b|\b0\d{2,4}[ ./-]?\d{3,4}(?:[ .-]?\d{2,4}){1,3}\b|\b(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]?\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,6})?\b|\b\d{3}[-.]\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,6})?\b|\b0\d{9,10}\b|\b0\d(?:[ .-]\d{2}){4}\b|\b\d{10}x\d{1,6}\b",
        |_| Kind::Phone,
        0,
        any,
    );
    // National numbers by form: US SSN, UK NINO, ES DNI and NIE, IT codice fiscale, SE and FI personal numbers.
    add(
        Begin::In(begins::has_six_figures),
        r"\b(?:\d{3}[- ]\d{2}[- ]\d{4}|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]|[XYZ]?-?\d{7,8}-?[A-Z]|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]|\d{6}(?:\d{2})?[-+A]\d{3}[0-9A-Z])\b",
        |_| Kind::Number,
        0,
        any,
    );
    // A state and its ZIP code, which has the form of a plate.
    add(
        Begin::In(begins::has_five_figures),
        r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b",
        |_| Kind::Address,
        0,
        |value, _| value.get(..2).is_some_and(is_state),
    );
    // Plates by form: UK, IE, FR and IT, DE, NL, US.
    add(
        Begin::At(begins::at_plates),
        r"\b(?:[A-Z]{2}\d{2} ?[A-Z]{3}|[A-Z]\d{1,3} ?[A-Z]{3}|[A-Z]{3} ?\d{1,4}[A-Z]?|\d{2,3}-[A-Z]{1,2}-\d{1,6}|[A-Z]{2}[- ]?\d{3}[- ]?[A-Z]{2}|[A-Z]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?|(?:[A-Z]{2}-\d{2}-\d{2}|\d{2}-\d{2}-[A-Z]{2}|\d{2}-[A-Z]{2}-\d{2}|[A-Z]{2}-\d{2}-[A-Z]{2}|[A-Z]{2}-[A-Z]{2}-\d{2}|\d{2}-[A-Z]{2}-[A-Z]{2}|\d{2}-[A-Z]{3}-\d|\d-[A-Z]{3}-\d{2}|[A-Z]-\d{3}-[A-Z]{2})|\d[A-Z]{3}\d{3}|[A-Z]{1,3}[- ]\d{3,5}|\d{2,4}[- ][A-Z]{2,4})\b",
        |_| Kind::Vehicle,
        0,
        |value, _| {
            let letters: String = value.chars().filter(char::is_ascii_alphabetic).collect();
            let spaced = value.contains(' ') && words::look_up(&letters.to_ascii_lowercase()) != Word::Unknown;
            !words::is_common_abbreviation(&letters) && letters != "AD" && letters != "BC" && !spaced
        },
    );
    // Addresses.
    add(
        Begin::At(begins::at_houses),
        r"\b(?:(?:[Uu]nit|[Ff]lat|[Aa]partment|[Aa]pt\.?|[Ss]uite|[Ss]te\.?) [0-9A-Z]{1,5},? )?\d{1,5}[A-Za-z]?(?:[-/]\d{1,4})?,? (?:[A-Z][A-Za-z'.-]* ){0,4}?[A-Z][A-Za-z'.-]* (?:[A-Z][A-Za-z'-]*)(?:,? (?:Apt\.?|Suite|Ste\.?|Unit|Flat) ?#?\w+)?(?:, (?:[A-Z][A-Za-z'.-]+ ?){1,3})?(?:, (?:[A-Z][A-Za-z'.-]+ ?){1,3})?(?:,? [A-Z]{2},? \d{5}(?:-\d{4})?)?\b",
        |_| Kind::Address,
        0,
        |value, _| value.contains(|c: char| c.is_ascii_lowercase()) || value.split([' ', ',']).any(is_street),
    );
    // `via dei Mulini 27`
    add(
        Begin::Cue(cue::WAY),
        r"\b(?:[Vv]ia|[Rr]ue|[Cc]alle|[Rr]ua|[Pp]iazza|[Pp]laza|[Aa]venida|[Uu]l\.|[Cc]hemin)(?: (?:de|del|della|dei|des|du|la|le|da|das|dos|[A-Z][A-Za-z'-]+)){1,4},? \d{1,4}[A-Za-z]?\b",
        |_| Kind::Address,
        0,
        any,
    );
    add(
        Begin::At(begins::at_districts),
        r"\b(?:P\.?O\.? ?[Bb]ox|Box) \d+\b|\b[A-Z]{1,2}\d[A-Z0-9]? \d[A-Z]{2}\b|\b[A-Z]{2} \d{5}(?:-\d{4})?\b|\b\d{4} ?[A-Z]{2}\b",
        |_| Kind::Address,
        0,
        any,
    );
    add(
        Begin::In(begins::has_low_lines),
        r"\b[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+\b",
        |_| Kind::Alias,
        0,
        any,
    );
    // Handles, then what is left that mixes letters with digits, and long numbers.
    add(
        Begin::In(begins::has_at),
        r"@[A-Za-z0-9_][A-Za-z0-9_.]{1,30}[A-Za-z0-9_]\b",
        |_| Kind::Alias,
        0,
        any,
    );
    add(
        Begin::At(begins::at_dotted),
        r"(?i)\b[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.[a-z][a-z-]*[a-z](?:/(?:[^ \t\r\n<>\x22]*[^ \t\r\n<>\x22.,;:!?')\]])?|\b)",
        |_| Kind::Link,
        0,
        |value, _| is_host(value),
    );
    add(
        Begin::At(begins::at_figures),
        r"\b[A-Za-z]*(?:[-_/.][A-Za-z]+)*[-_/.]?\d[A-Za-z0-9]*(?:[-_/.][A-Za-z0-9]+)*\b",
        |_| Kind::Number,
        0,
        |value, _| {
            let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
            let count = digits(value);
            let measure = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
            let measured = value.starts_with(|c: char| c.is_ascii_digit())
                && MEASURES.contains(&measure.to_ascii_lowercase().as_str());
            let dashed_word = value
                .split(['-', '/'])
                .any(|part| part.len() > 3 && part.chars().all(|c| c.is_ascii_lowercase()));
            !measured
                && !dashed_word
                && ((letters >= 1 && count >= 2 && letters + count >= 4)
                    || (letters >= 2 && count >= 1 && letters + count >= 5)
                    || count >= 5)
        },
    );
    add(
        Begin::At(begins::at_groups),
        r"\b\d{2,}(?:[ .-]\d{2,}){2,}\b|\b\d{2,}[ -]\d{3,}\b",
        |_| Kind::Number,
        0,
        |value, _| digits(value) >= 6,
    );
    // Four figures that are no time of day and no year.
    add(
        Begin::At(begins::at_fours),
        r"\b\d{4}\b",
        |_| Kind::Number,
        0,
        |value, _| {
            let (hour, minute) = value.split_at(2);
            let time = hour <= "24" && minute < "60";
            !time && !value.starts_with("19") && !value.starts_with("20")
        },
    );
    patterns
});

#[cfg(test)]
mod tests;
