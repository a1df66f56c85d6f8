//! What a finder finds, and the one door through which finders come in.

use super::prepared::Prepared;
use std::ops::Range;

/// What sort of identifier a piece of text is; it sets the placeholder's word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A person's name, or a part of it.
    Person,
    /// Another name a person goes by, a call sign, an account name.
    Alias,
    /// A client's name.
    Client,
    /// A company, authority, club.
    Organisation,
    /// A place by name.
    Place,
    /// A postal address or a part of it.
    Address,
    /// A position on the globe.
    Position,
    /// A day, month or year.
    Date,
    /// A time of day.
    Time,
    /// A day of birth: masked wherever persons are.
    Birthday,
    /// A telephone number or extension.
    Phone,
    /// An e-mail address.
    Email,
    /// A link or host name.
    Link,
    /// A network address.
    Network,
    /// A vehicle's plate.
    Vehicle,
    /// A payment card.
    Card,
    /// A bank account.
    Account,
    /// A code, PIN, password.
    Code,
    /// A number that names somebody or something: identity card, badge, serial, case.
    Number,
    /// An amount of money.
    Money,
    /// How old somebody is.
    Age,
    /// Anything else that may not pass.
    Other,
}

/// The coarse types of a redaction's manifest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Type {
    Person,
    Org,
    Location,
    Date,
    Phone,
    Email,
    Url,
    Ip,
    IdNumber,
    Money,
    Other,
}

impl Type {
    /// All types.
    pub const ALL: [Type; 11] = [
        Type::Person,
        Type::Org,
        Type::Location,
        Type::Date,
        Type::Phone,
        Type::Email,
        Type::Url,
        Type::Ip,
        Type::IdNumber,
        Type::Money,
        Type::Other,
    ];

    /// Its name in files and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Type::Person => "PERSON",
            Type::Org => "ORG",
            Type::Location => "LOCATION",
            Type::Date => "DATE",
            Type::Phone => "PHONE",
            Type::Email => "EMAIL",
            Type::Url => "URL",
            Type::Ip => "IP",
            Type::IdNumber => "ID_NUMBER",
            Type::Money => "MONEY",
            Type::Other => "OTHER",
        }
    }
}

impl Kind {
    /// The type it is counted under.
    pub fn coarse(self) -> Type {
        match self {
            Kind::Person | Kind::Alias => Type::Person,
            Kind::Client | Kind::Organisation => Type::Org,
            Kind::Place | Kind::Address | Kind::Position => Type::Location,
            Kind::Date | Kind::Time | Kind::Birthday => Type::Date,
            Kind::Phone => Type::Phone,
            Kind::Email => Type::Email,
            Kind::Link => Type::Url,
            Kind::Network => Type::Ip,
            Kind::Vehicle | Kind::Card | Kind::Account | Kind::Code | Kind::Number => Type::IdNumber,
            Kind::Money => Type::Money,
            Kind::Age | Kind::Other => Type::Other,
        }
    }

    /// The word its placeholders begin with.
    pub(crate) fn stem(self) -> &'static str {
        match self {
            Kind::Person | Kind::Alias => "Person",
            Kind::Client => "Client",
            Kind::Organisation => "Organisation",
            Kind::Place => "Place",
            Kind::Address => "Address",
            Kind::Position => "Position",
            Kind::Date | Kind::Birthday => "Date",
            Kind::Time => "Time",
            Kind::Phone => "Phone",
            Kind::Email => "Mailbox",
            Kind::Link => "Link",
            Kind::Network => "Network",
            Kind::Vehicle => "Vehicle",
            Kind::Card => "Card",
            Kind::Account => "Account",
            Kind::Code => "Code",
            Kind::Number => "Number",
            Kind::Money => "Amount",
            Kind::Age => "Age",
            Kind::Other => "Item",
        }
    }

    /// Whether placeholders count in letters (`Person A`) and not in numbers (`Vehicle 1`).
    pub(crate) fn lettered(self) -> bool {
        matches!(self.coarse(), Type::Person | Type::Org | Type::Location)
    }

    /// All kinds.
    #[rustfmt::skip]
    pub const ALL: [Kind; 22] = [
        Kind::Person, Kind::Alias, Kind::Client, Kind::Organisation, Kind::Place, Kind::Address, Kind::Position,
        Kind::Date, Kind::Time, Kind::Birthday, Kind::Phone, Kind::Email, Kind::Link, Kind::Network, Kind::Vehicle,
        Kind::Card, Kind::Account, Kind::Code, Kind::Number, Kind::Money, Kind::Age,
        Kind::Other,
    ];

    /// The words that placeholders begin with.
    #[rustfmt::skip]
    pub(crate) const STEMS: [&'static str; 20] = [
        "Person", "Client", "Organisation", "Place", "Address", "Position", "Date", "Time", "Phone", "Mailbox", "Link",
        "Network", "Vehicle", "Card", "Account", "Code", "Number", "Amount", "Age", "Item",
    ];
}

/// How much a finding weighs where two overlap; a doubt never masks by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// Passes, but a person has to look at it.
    Doubt,
    /// Not known to be safe.
    Unlisted,
    /// Looks like a name.
    Guess,
    /// Has the form of an identifier, or stands where one stands.
    Form,
    /// The vault knows it.
    Known,
}

/// A piece of text that may not pass, or that somebody has to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where, in bytes of the folded text.
    pub(crate) at: Range<usize>,
    /// What it is.
    pub(crate) kind: Kind,
    /// How much it weighs.
    pub(crate) weight: Weight,
    /// Of a doubt: what is doubtful.
    pub(crate) why: &'static str,
}

impl Finding {
    pub(crate) fn new(at: Range<usize>, kind: Kind, weight: Weight) -> Self {
        Self {
            at,
            kind,
            weight,
            why: "",
        }
    }

    pub(crate) fn doubt(at: Range<usize>, kind: Kind, why: &'static str) -> Self {
        Self {
            at,
            kind,
            weight: Weight::Doubt,
            why,
        }
    }
}

/// Finds identifiers in a text. Finders are independent of each other: each sees the whole text,
/// and what they find is joined afterwards, the heavier finding naming the kind.
pub trait Finder {
    /// What this finder sees in the text, in any order, overlapping or not.
    fn find(&self, text: &Prepared) -> Vec<Finding>;
}

/// Joins overlapping findings. Nothing that anybody found is lost: where two overlap, the union
/// is masked under the kind of the heavier one, the longer one among equals.
pub(crate) fn join(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.retain(|finding| finding.weight > Weight::Doubt && !finding.at.is_empty());
    findings.sort_by_key(|finding| (finding.at.start, std::cmp::Reverse(finding.at.end)));
    let mut joined: Vec<(Finding, usize)> = Vec::with_capacity(findings.len());
    for finding in findings {
        let rank = finding.at.len();
        match joined.last_mut() {
            Some((last, best)) if finding.at.start < last.at.end => {
                last.at.end = last.at.end.max(finding.at.end);
                if (finding.weight, rank) > (last.weight, *best) {
                    (last.kind, last.weight, *best) = (finding.kind, finding.weight, rank);
                }
            }
            _ => joined.push((finding, rank)),
        }
    }
    joined.into_iter().map(|(finding, _)| finding).collect()
}

/// A finding without the marks at its end that close what stands around it, and with its brackets whole: of
/// `paid £12,500. Then` the sentence keeps its end, of `(617) 555-0199` no bracket stays behind.
pub(crate) fn settled(text: &str, mut finding: Finding) -> Finding {
    let value = |at: &Range<usize>| text.get(at.clone()).unwrap_or("");
    // What the vault knows is known with its marks.
    if finding.weight == Weight::Known || !value(&finding.at).contains(char::is_alphanumeric) {
        return finding;
    }
    let at = &mut finding.at;
    while let Some(last) = value(at).chars().next_back() {
        let closes = match last {
            '.' => !abbreviates(text, at),
            ',' | ';' => true,
            '\'' => finding.kind == Kind::Money,
            _ => {
                last.is_whitespace()
                    || BRACKETS
                        .iter()
                        .any(|(open, close)| last == *close && lacks(value(at), *open, *close).0)
            }
        };
        if !closes {
            break;
        }
        at.end -= last.len_utf8();
    }
    for (open, close) in BRACKETS {
        if value(at).starts_with(open) && lacks(value(at), open, close).1 {
            at.start += 1;
        }
        let (no_open, no_close) = lacks(value(at), open, close);
        if no_open && text[..at.start].ends_with(open) {
            at.start -= 1;
        }
        if no_close && text[at.end..].starts_with(close) {
            at.end += 1;
        }
    }
    finding
}

const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// Whether a value has a bracket that it does not open, and one that it does not close.
fn lacks(value: &str, open: char, close: char) -> (bool, bool) {
    let (mut depth, mut unopened) = (0_usize, false);
    for c in value.chars() {
        if c == open {
            depth += 1;
        } else if c == close {
            unopened |= depth == 0;
            depth = depth.saturating_sub(1);
        }
    }
    (unopened, depth > 0)
}

/// Whether the full stop at the end of a value shortens a word, as in `9 p.m. on Friday`; at the end of a sentence it
/// ends that too.
fn abbreviates(text: &str, at: &Range<usize>) -> bool {
    let mut before = text[at.start..at.end - 1].chars().rev();
    let short = before.next().is_some_and(char::is_alphabetic) && before.next().is_none_or(|c| matches!(c, '.' | ' '));
    let after = text[at.end..].trim_start_matches(['"', '\'', ')', ']']);
    let next = after.trim_start_matches([' ', '\t']).chars().next();
    short && next.is_some_and(|next| next != '\n' && !next.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn joining_loses_nothing_and_leaves_no_overlap(
            raw in proptest::collection::vec((0usize..60, 1usize..12, any::<bool>()), 0..20)
        ) {
            let findings: Vec<Finding> = raw
                .iter()
                .map(|&(start, length, known)| {
                    let weight = if known { Weight::Known } else { Weight::Guess };
                    Finding::new(start..start + length, Kind::Other, weight)
                })
                .collect();
            let joined = join(findings.clone());
            prop_assert!(joined.windows(2).all(|pair| pair[0].at.end <= pair[1].at.start));
            for at in 0..80 {
                let before = findings.iter().any(|finding| finding.at.contains(&at));
                prop_assert_eq!(before, joined.iter().any(|finding| finding.at.contains(&at)));
            }
        }
    }

    #[test]
    fn the_heavier_finding_names_the_kind() {
        let joined = join(vec![
            Finding::new(0..10, Kind::Other, Weight::Guess),
            Finding::new(4..6, Kind::Vehicle, Weight::Known),
        ]);
        assert_eq!(joined, [Finding::new(0..10, Kind::Vehicle, Weight::Known)]);
    }

    #[test]
    fn a_value_has_no_marks_that_close_what_stands_around_it() {
        let settles = |text: &str, value: &str, to: &str| {
            let at = text.find(value).map(|start| start..start + value.len());
            let finding = at.map(|at| settled(text, Finding::new(at, Kind::Money, Weight::Form)));
            assert_eq!(finding.map(|finding| &text[finding.at]), Some(to), "{text}");
        };
        settles("paid £12,500. Then left", "£12,500.", "£12,500");
        settles("(paid £12,500); left", "£12,500);", "£12,500");
        settles("call (617) 555-0199 now", "617) 555-0199", "(617) 555-0199");
        settles("(call 617 555-0199)", "(call 617 555", "call 617 555");
        settles("at x.org/a_(b) too", "x.org/a_(b", "x.org/a_(b)");
        settles("until 9 p.m. on Friday", "9 p.m.", "9 p.m.");
        settles("until 9 p.m. Then", "9 p.m.", "9 p.m");
        settles("a ). b", " ). ", " ). ");
    }

    proptest! {
        #[test]
        fn letters_and_digits_stay_in(text in "[a1.,;() \\[é'-]{1,20}", from in 0usize..20, to in 0usize..20) {
            let place = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
            let at = place(from.min(to))..place(from.max(to));
            let after = settled(&text, Finding::new(at.clone(), Kind::Money, Weight::Form)).at;
            let kept = |at: &Range<usize>| text[at.clone()].chars().filter(|c| c.is_alphanumeric()).count();
            prop_assert_eq!(kept(&after), kept(&at));
        }
    }

    #[test]
    fn every_stem_is_listed() {
        assert!(Kind::ALL.iter().all(|kind| Kind::STEMS.contains(&kind.stem())));
    }
}
