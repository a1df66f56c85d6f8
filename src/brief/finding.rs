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
    fn every_stem_is_listed() {
        assert!(Kind::ALL.iter().all(|kind| Kind::STEMS.contains(&kind.stem())));
    }
}
