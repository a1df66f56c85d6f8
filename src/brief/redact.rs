//! Redaction: find, replace, and look again.

use super::around::widen;
use super::days::{self, is_date, is_near};
use super::figures::grouped;
use super::finding::{Finder, Finding, Kind, Type, Weight, join, settled};
use super::general::{Ages, Dates, generalise, is_general, is_sum};
use super::known::Known;
use super::months;
use super::names::{self, Names};
use super::passing::Passing;
use super::patterns::Patterns;
use super::placeholder::{Naming, Placeholders};
use super::plain;
use super::prepared::{BadText, Prepared, Token, is_invisible, without_hiding, without_masks};
use super::profile::{Mode, Profile, Treatment};
use super::scan::{Judged, Scan};
use super::strict::{Unlisted, strange};
use super::tagger::{self, BadModel, Memory, Model, Thresholds};
use crate::label::Level;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How often what a scan of the output finds is masked as well before the text is refused.
const ROUNDS: usize = 12;

/// A redacted text and what was done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redaction {
    /// The redacted text.
    pub text: String,
    /// What was replaced, sorted and apart from each other.
    pub spans: Vec<Span>,
    /// How much was replaced, by [`Type`] name.
    pub removed: BTreeMap<String, usize>,
    /// What passed and needs a person's eye before release.
    pub doubtful: Vec<Doubt>,
    /// The placeholders and vaguer wordings that took the place of something, each once, in order.
    pub placed: Vec<String>,
}

/// A part of the input that was replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its first code point.
    pub start: usize,
    /// The code point after its last.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// A part of the input that passed although it may identify somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// Its first code point.
    pub start: usize,
    /// The code point after its last.
    pub end: usize,
    /// The part itself.
    pub text: String,
    /// What is doubtful about it.
    pub why: &'static str,
}

/// No text comes out. The message names the type and the place, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text cannot be read safely.
    #[error(transparent)]
    Text(#[from] BadText),
    /// Something was still there after replacing.
    #[error("after masking, something of type {kind} is still left in line {line}: reword that line and try again")]
    Residue {
        /// Its type.
        kind: &'static str,
        /// Its line in the input, from 1.
        line: usize,
    },
    /// The audience is wider than the profile allows.
    #[error("{}", too_wide(profile, lowest.name(), audience.name()))]
    Audience {
        /// The profile's name.
        profile: String,
        /// The profile's lowest level.
        lowest: Level,
        /// The level asked for.
        audience: Level,
    },
    /// Every portion is above the audience.
    #[error("{}", nothing_left(.0.name()))]
    NothingLeft(Level),
    /// The tagger's model is damaged.
    #[error("the name tagger's model cannot be used: {0}; install strongroom again")]
    Model(BadModel),
    /// A line of the header has control characters or is too long.
    #[error("the brief's {0} has to be one line of at most 500 characters")]
    Header(&'static str),
    /// The fonts of a PDF have no such character.
    #[error("a PDF cannot show the character `{0}`: use --format html, which prints as well")]
    Pdf(char),
}

impl Refused {
    /// The same in the names that a vault gives to the levels.
    pub fn words(&self, name: impl Fn(Level) -> String) -> String {
        match self {
            Self::Audience {
                profile,
                lowest,
                audience,
            } => too_wide(profile, &name(*lowest), &name(*audience)),
            Self::NothingLeft(audience) => nothing_left(&name(*audience)),
            other => other.to_string(),
        }
    }
}

fn too_wide(profile: &str, lowest: &str, audience: &str) -> String {
    format!(
        "a brief with the profile `{profile}` may not go below `{lowest}`, and `{audience}` does: choose a narrower audience"
    )
}

fn nothing_left(audience: &str) -> String {
    format!("nothing is left for `{audience}`: every portion lies above that level; mark what may be told")
}

/// Redacts a text of at most [`MAX_TEXT`](super::MAX_TEXT) bytes. The output is scanned again with
/// the same finders; what they still find is masked too, and if that does not end, nothing comes out.
pub fn redact(text: &str, profile: &Profile, known: &Known) -> Result<Redaction, Refused> {
    redact_with(text, profile, known, model()?)
}

/// The model that ships.
pub(super) fn model() -> Result<&'static Model<'static>, Refused> {
    tagger::SHIPPED.as_ref().map_err(|bad| Refused::Model(*bad))
}

/// As [`redact()`], with placeholders numbered otherwise.
pub fn redact_named(text: &str, profile: &Profile, known: &Known, naming: Naming<'_>) -> Result<Redaction, Refused> {
    redact_as(text, profile, known, model()?, naming)
}

/// As [`redact()`], with another model than the one that ships.
pub fn redact_with(text: &str, profile: &Profile, known: &Known, model: &Model<'_>) -> Result<Redaction, Refused> {
    redact_as(text, profile, known, model, Naming::InOrder)
}

fn redact_as(
    text: &str,
    profile: &Profile,
    known: &Known,
    model: &Model<'_>,
    naming: Naming<'_>,
) -> Result<Redaction, Refused> {
    let text = &*without_masks(text);
    let prepared = Prepared::new(text)?;
    let chars: Vec<char> = text.chars().collect();
    let mut memory = Memory::default();
    let least = profile.thresholds();
    let found = find(&prepared, profile, known, model, &|_| least, &mut memory);
    let doubts: Vec<(Range<usize>, &'static str)> = found
        .doubts
        .iter()
        .map(|doubt| (prepared.origin_of(&doubt.at), doubt.why))
        .collect();
    let spans = spans_of(&prepared, &found.masked);
    let (spans, residue) = scan_again(&chars, spans, &prepared, (profile, known, model), &mut memory)?;
    if let Some(span) = residue {
        let line = 1 + chars.iter().take(span.start).filter(|&&c| c == '\n').count();
        return Err(Refused::Residue {
            kind: span.kind.coarse().name(),
            line,
        });
    }
    let spans = beside(&chars, spans);
    Ok(assemble(&chars, text, spans, doubts, profile, known, naming))
}

/// Masks what is found and looks again, for so many rounds; with all that was found, what is new in the last of them.
fn scan_again(
    chars: &[char],
    mut spans: Vec<Span>,
    prepared: &Prepared,
    (profile, known, model): (&Profile, &Known, &Model<'_>),
    memory: &mut Memory,
) -> Result<(Vec<Span>, Option<Span>), Refused> {
    let mut residue = None;
    for _ in 0..ROUNDS {
        let scan = Scan::new(chars, &spans);
        let left = scan.residue(profile, known, model, prepared, Judged::Whole, memory)?;
        residue = left.first().copied();
        if left.is_empty() {
            break;
        }
        spans = merge(spans, left);
    }
    Ok((spans, residue))
}

/// What the finders of a profile find in a text from which nothing leaves, and what it is. No text is refused here: one with
/// characters that hide or reorder what is read is looked through without them.
pub fn identifiers(text: &str, profile: &Profile) -> Result<Vec<(Kind, String)>, Refused> {
    let text = &*without_hiding(text);
    let prepared = Prepared::of_any_length(text)?;
    let chars: Vec<char> = text.chars().collect();
    let (known, model, mut memory) = (Known::nothing(), model()?, Memory::default());
    let found = find(
        &prepared,
        profile,
        &known,
        model,
        &|_| profile.thresholds(),
        &mut memory,
    );
    let spans = spans_of(&prepared, &found.masked);
    let (spans, _) = scan_again(&chars, spans, &prepared, (profile, &known, model), &mut memory)?;
    let value = |span: Span| (span.kind, chars[span.start..span.end].iter().collect());
    Ok(beside(&chars, spans).into_iter().map(value).collect())
}

/// What all finders say together.
pub(super) struct Found {
    pub(super) masked: Vec<Finding>,
    pub(super) doubts: Vec<Finding>,
}

/// What has the form of an identifier, or stands where one stands.
pub(crate) fn forms(text: &Prepared) -> Vec<Finding> {
    let mut forms = Patterns.find(text);
    forms.extend(grouped(text, &forms));
    forms.extend(Passing.find(text));
    // Where somebody may be meant, a month that is also a name has no form.
    let called = months::called(text).into_iter().filter(|(_, likely)| *likely);
    let called: Vec<Range<usize>> = called.map(|(at, _)| at).collect();
    forms.retain(|finding| finding.kind != Kind::Date || !is_inside(&called, &finding.at));
    forms
}

/// Asks every finder, spreads the names, applies the profile, joins.
pub(super) fn find(
    text: &Prepared,
    profile: &Profile,
    known: &Known,
    model: &Model<'_>,
    least: &dyn Fn(usize) -> Thresholds,
    memory: &mut Memory,
) -> Found {
    let forms = forms(text);
    // What stays keeps its words from being judged as names or numbers: it has to be what it is taken for, whole.
    let whole = |finding: &Finding| match finding.kind {
        Kind::Money => is_sum(&text.folded[finding.at.clone()], &text.folded[finding.at.end..]),
        Kind::Date => is_date(&text.folded[finding.at.clone()]),
        _ => true,
    };
    let stays = |finding: &Finding| match treatment(profile, finding.kind) {
        _ if !whole(finding) => false,
        Treatment::Keep => true,
        Treatment::Mask => false,
        Treatment::Near => is_near(&text.folded[finding.at.clone()], profile.written_on()),
        Treatment::Generalise => is_general(finding.kind, &text.folded[finding.at.clone()], profile.vague()),
    };
    let named = Names.find(text);
    let chances = tagger::chances(text, model, &forms, &named, memory);
    let masks = |kind| matches!(treatment(profile, kind), Treatment::Mask | Treatment::Generalise);
    let tagged = tagger::judged(text, &chances, masks, least);
    let house = |mut finding: Finding| {
        if finding.kind == Kind::Time && plain::is_house(text, &finding.at) {
            finding.kind = Kind::Address;
        }
        finding
    };
    let (kept, mut all): (Vec<Finding>, Vec<Finding>) = forms.into_iter().map(house).partition(stays);
    // `KX-99` has the form of a number, and a person who has looked says that it is none.
    all.retain(|finding| finding.kind != Kind::Number || !is_allowed_whole(text, profile, &finding.at));
    // A day of birth is one whatever becomes of other days.
    let births = united(days::births(text, all.iter().chain(&kept)));
    all.retain(|finding| finding.kind != Kind::Date || !is_inside(&births, &finding.at));
    let born = |at: &Range<usize>| Finding::new(at.clone(), Kind::Birthday, Weight::Form);
    all.extend(births.iter().map(born));
    if profile.treatment(Type::Date) == Treatment::Near {
        let masked = |finding: &Finding| {
            let value = &text.folded[finding.at.clone()];
            !is_near(value, profile.written_on()) && !days::is_time(value)
        };
        let dates = tagger::judged(text, &chances, |kind| kind == Kind::Date, least);
        all.extend(dates.into_iter().filter(masked));
        all.extend(days::in_passing(text, &kept, profile.written_on()));
    }
    if profile.treatment(Type::Date) == Treatment::Generalise && profile.vague().dates == Dates::Year {
        let dates = all.iter().chain(&kept).filter(|finding| finding.kind == Kind::Date);
        let dates = dates
            .map(|date| date.at.clone())
            .filter(|date| !is_inside(&births, date));
        let dates: Vec<Range<usize>> = dates.collect();
        all.extend(days::spoken(text, &dates));
        all.extend(days::numbered(text, &dates));
    }
    let times = match treatment(profile, Kind::Time) {
        Treatment::Keep => plain::times(text, &kept),
        _ => Vec::new(),
    };
    let kept = kept.into_iter().map(|finding| finding.at).chain(times);
    let kept: Vec<Range<usize>> = united(kept.collect());
    all.extend(known.find(text));
    all.extend(months::doubts(text).filter(|doubt| passes_profile(text, profile, &[], doubt)));
    let nameless = plain::nameless(text);
    all.extend(
        named
            .into_iter()
            .chain(tagged)
            .filter(|finding| passes_profile(text, profile, &kept, finding) && !is_inside(&nameless, &finding.at)),
    );
    let passes = |finding: &Finding| passes_profile(text, profile, &kept, finding);
    let mentions = names::spread(text, &all);
    all.extend(mentions.into_iter().filter(passes));
    let around = widen(text, &all);
    all.extend(around.into_iter().filter(passes));
    if profile.mode() == Mode::Strict {
        let unlisted = Unlisted {
            numbers_up_to: profile.numbers_up_to(),
        };
        let beyond = unlisted.find(text);
        all.extend(beyond.into_iter().filter(passes));
    } else {
        all.extend(strange(text));
    }
    let doubts: Vec<Finding> = all
        .iter()
        .filter(|finding| finding.weight == Weight::Doubt)
        .cloned()
        .collect();
    let masked = names::bridge(text, join(all)).into_iter();
    let called: Vec<Range<usize>> = months::called(text).into_iter().map(|(at, _)| at).collect();
    let person = |mut finding: Finding| {
        // What is masked as a day and told as the same month would not be masked.
        let same = |at: &Range<usize>| is_general(Kind::Date, &text.folded[at.clone()], profile.vague());
        if finding.kind == Kind::Date && is_inside(&called, &finding.at) && same(&finding.at) {
            finding.kind = Kind::Person;
        }
        finding
    };
    let masked: Vec<Finding> = masked.map(|finding| person(settled(&text.folded, finding))).collect();
    let open = |doubt: &Finding| {
        let at = masked.partition_point(|finding| finding.at.end <= doubt.at.start);
        masked.get(at).is_none_or(|finding| finding.at.start >= doubt.at.end)
    };
    let doubts = doubts.into_iter().filter(open).collect();
    Found { masked, doubts }
}

/// What becomes of a kind; a day of birth is as direct as a name, and of ages the profile speaks apart.
fn treatment(profile: &Profile, kind: Kind) -> Treatment {
    match kind {
        Kind::Birthday => Treatment::Mask,
        Kind::Age => match profile.vague().ages {
            Ages::Mask => Treatment::Mask,
            Ages::Decade | Ages::Over89 => Treatment::Generalise,
            Ages::Keep => Treatment::Keep,
        },
        // By when something is to be done names nobody.
        Kind::Time => match profile.treatment(Type::Date) {
            Treatment::Near => Treatment::Keep,
            Treatment::Generalise if profile.vague().dates == Dates::Month => Treatment::Keep,
            Treatment::Generalise => Treatment::Mask,
            other => other,
        },
        kind => profile.treatment(kind.coarse()),
    }
}

/// Whether a guess stands against the words the profile allows and the parts it keeps.
fn passes_profile(text: &Prepared, profile: &Profile, kept: &[Range<usize>], finding: &Finding) -> bool {
    let words = text.tokens_in(&finding.at);
    let allowed = !words.is_empty() && words.iter().all(|token| profile.allows(text.lower_of(token)));
    // The type of a guess is a guess too: that places may stay lets no name through that looks like one.
    !is_inside(kept, &finding.at) && !allowed && !is_allowed_whole(text, profile, &finding.at)
}

/// Whether one of these ranges, sorted and apart, has the whole of another.
pub(crate) fn is_inside(ranges: &[Range<usize>], at: &Range<usize>) -> bool {
    let next = ranges.partition_point(|range| range.end <= at.start);
    let range = ranges.get(next);
    range.is_some_and(|range| range.start <= at.start && at.end <= range.end)
}

/// Ranges sorted, and those that overlap made one.
fn united(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|at| (at.start, at.end));
    ranges.dedup_by(|next, last| {
        let overlap = next.start < last.end;
        if overlap {
            last.end = last.end.max(next.end);
        }
        overlap
    });
    ranges
}

/// Whether a place lies within a word with hyphens that the profile allows as a whole.
fn is_allowed_whole(text: &Prepared, profile: &Profile, at: &Range<usize>) -> bool {
    let longest = profile.longest_allowed();
    if longest < at.len() {
        return false;
    }
    let near = |token: Option<&Token>| token.is_some_and(|token| token.at.start.abs_diff(at.start) <= longest);
    let joined = |left: usize| {
        let pair = text.tokens.get(left..left + 2);
        pair.is_some_and(|pair| text.between(&pair[0], &pair[1]) == "-")
    };
    let mut first = text.tokens.partition_point(|token| token.at.end <= at.start);
    let mut last = text.tokens.partition_point(|token| token.at.start < at.end);
    while first > 0 && joined(first - 1) && near(text.tokens.get(first - 1)) {
        first -= 1;
    }
    while last > 0 && joined(last - 1) && near(text.tokens.get(last)) {
        last += 1;
    }
    let Some([begin, .., end]) = text.tokens.get(first..last) else {
        return false;
    };
    let word = text.folded.get(begin.at.start..end.at.end).unwrap_or_default();
    profile.allows(&word.to_lowercase())
}

fn spans_of(text: &Prepared, findings: &[Finding]) -> Vec<Span> {
    let spans = findings.iter().map(|finding| {
        let at = text.origin_of(&finding.at);
        Span {
            start: at.start,
            end: at.end,
            kind: finding.kind,
        }
    });
    merge(Vec::new(), spans.collect())
}

/// Joins spans that overlap or touch, the first naming the kind: two placeholders side by side could
/// not be told apart.
pub(super) fn merge(mut spans: Vec<Span>, more: Vec<Span>) -> Vec<Span> {
    spans.extend(more);
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// Joins the parts of an address that only spaces or a comma keep apart: they are one.
fn beside(chars: &[char], spans: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        let gap = |last: &Span| chars.get(last.end..span.start).unwrap_or(&[]);
        match joined.last_mut() {
            Some(last)
                if last.kind == Kind::Address
                    && matches!(span.kind, Kind::Address | Kind::Place)
                    && gap(last).len() <= 2
                    && gap(last).iter().all(|c| matches!(c, ' ' | ',')) =>
            {
                last.end = span.end;
            }
            _ => joined.push(span),
        }
    }
    joined
}

fn assemble(
    chars: &[char],
    text: &str,
    spans: Vec<Span>,
    doubts: Vec<(Range<usize>, &'static str)>,
    profile: &Profile,
    known: &Known,
    naming: Naming<'_>,
) -> Redaction {
    let values: Vec<String> = spans
        .iter()
        .map(|span| chars.get(span.start..span.end).unwrap_or(&[]).iter().collect())
        .collect();
    let mut placeholders = Placeholders::new(
        text,
        naming,
        spans
            .iter()
            .zip(&values)
            .map(|(span, value)| (span.kind, value.as_str())),
    );
    // Characters that show nothing could carry something out.
    let shown = |at: Range<usize>| chars.get(at).unwrap_or(&[]).iter().filter(|c| !is_invisible(**c));
    let mut output = String::with_capacity(text.len());
    let mut removed: BTreeMap<String, usize> = BTreeMap::new();
    let (mut placed, mut seen) = (Vec::new(), BTreeSet::new());
    let mut at = 0;
    for (span, value) in spans.iter().zip(&values) {
        output.extend(shown(at..span.start));
        let vague = match treatment(profile, span.kind) {
            Treatment::Generalise => generalise(span.kind, value, profile.vague()),
            Treatment::Mask | Treatment::Near | Treatment::Keep => None,
        };
        // A town may be a client's name.
        let vague = vague.filter(|vague| Prepared::new(vague).is_ok_and(|vague| known.find(&vague).is_empty()));
        let told = vague.unwrap_or_else(|| placeholders.place(span.kind, value));
        output.push_str(&told);
        if seen.insert(told.clone()) {
            placed.push(told);
        }
        *removed.entry(span.kind.coarse().name().to_owned()).or_default() += 1;
        at = span.end;
    }
    output.extend(shown(at..chars.len()));
    let open = |at: &Range<usize>| {
        let next = spans.partition_point(|span| span.end <= at.start);
        spans.get(next).is_none_or(|span| span.start >= at.end)
    };
    let doubtful = doubts.into_iter().filter(|(at, _)| open(at)).map(|(at, why)| Doubt {
        start: at.start,
        end: at.end,
        text: chars.get(at).unwrap_or(&[]).iter().collect(),
        why,
    });
    let doubtful = doubtful.collect();
    Redaction {
        text: output,
        spans,
        removed,
        doubtful,
        placed,
    }
}

#[cfg(test)]
mod tests;
