//! Labels: who needs to know. A label is a level and compartments; a clearance that
//! dominates it may read.
//!
//! Dominance is the lattice of Bell and LaPadula (1973): level at least as high, and every
//! compartment held. The join of two labels is the least label that dominates both.

use crate::id::{CompartmentId, PersonId};
use std::collections::BTreeSet;
use std::fmt;

/// How far a thing may travel, from the widest circle to the narrowest. The order is fixed;
/// the names people see are the policy's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Level {
    /// For anybody.
    Public = 0,
    /// For everybody in the organisation.
    Internal = 1,
    /// For those who work on the matter.
    Confidential = 2,
    /// For the few who must know.
    Restricted = 3,
    /// For people by name, never for a role.
    Named = 4,
}

impl Level {
    /// All levels, the widest circle first.
    pub const ALL: [Level; 5] = [
        Level::Public,
        Level::Internal,
        Level::Confidential,
        Level::Restricted,
        Level::Named,
    ];

    /// The level of a number from 0 to 4.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Its number, 0 to 4.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its shipped name, which is also its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Level::Public => "public",
            Level::Internal => "internal",
            Level::Confidential => "confidential",
            Level::Restricted => "restricted",
            Level::Named => "named",
        }
    }

    /// The Traffic Light Protocol 2.0 mark (FIRST, 2022) of what leaves the vault at this level.
    pub fn tlp(self) -> &'static str {
        match self {
            Level::Public => "TLP:CLEAR",
            Level::Internal => "TLP:GREEN",
            Level::Confidential => "TLP:AMBER",
            Level::Restricted => "TLP:AMBER+STRICT",
            Level::Named => "TLP:RED",
        }
    }

    /// The level of a portion mark: `P`, `I`, `C`, `R` or `N`, in either case.
    pub fn from_portion_mark(mark: char) -> Option<Self> {
        match mark.to_ascii_uppercase() {
            'P' => Some(Level::Public),
            'I' => Some(Level::Internal),
            'C' => Some(Level::Confidential),
            'R' => Some(Level::Restricted),
            'N' => Some(Level::Named),
            _ => None,
        }
    }

    /// Its portion mark: the letter with which its shipped name begins.
    pub fn portion_mark(self) -> char {
        match self {
            Self::Public => 'P',
            Self::Internal => 'I',
            Self::Confidential => 'C',
            Self::Restricted => 'R',
            Self::Named => 'N',
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who needs to know: a level, compartments, and for [`Level::Named`] the people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    level: Level,
    compartments: BTreeSet<CompartmentId>,
    people: BTreeSet<PersonId>,
}

/// People may be named at the level `named`, and only there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLabel {
    /// People were named below `named`.
    #[error("people are named at the level `named` only; below it use compartments")]
    PeopleBelowNamed,
    /// `named` without anybody.
    #[error("the level `named` needs at least one person: `named/@HANDLE`")]
    NobodyNamed,
}

impl Label {
    /// A label below `named`.
    pub fn new(level: Level, compartments: impl IntoIterator<Item = CompartmentId>) -> Result<Self, BadLabel> {
        Self::build(level, compartments.into_iter().collect(), BTreeSet::new())
    }

    /// A label for people by name; compartments narrow it further.
    pub fn named(
        people: impl IntoIterator<Item = PersonId>,
        compartments: impl IntoIterator<Item = CompartmentId>,
    ) -> Result<Self, BadLabel> {
        Self::build(
            Level::Named,
            compartments.into_iter().collect(),
            people.into_iter().collect(),
        )
    }

    fn build(
        level: Level,
        compartments: BTreeSet<CompartmentId>,
        people: BTreeSet<PersonId>,
    ) -> Result<Self, BadLabel> {
        match (level, people.is_empty()) {
            (Level::Named, true) => Err(BadLabel::NobodyNamed),
            (Level::Named, false) | (_, true) => Ok(Self {
                level,
                compartments,
                people,
            }),
            (_, false) => Err(BadLabel::PeopleBelowNamed),
        }
    }

    /// Its level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Its compartments: all of them are needed.
    pub fn compartments(&self) -> &BTreeSet<CompartmentId> {
        &self.compartments
    }

    /// The people it names; empty below `named`.
    pub fn people(&self) -> &BTreeSet<PersonId> {
        &self.people
    }

    /// The least label that dominates both. Of two `named` labels only people named by both
    /// remain; `None` when nobody does.
    pub fn join(&self, other: &Label) -> Option<Label> {
        let people = match (self.level, other.level) {
            (Level::Named, Level::Named) => self.people.intersection(&other.people).copied().collect(),
            (Level::Named, _) => self.people.clone(),
            (_, _) => other.people.clone(),
        };
        let compartments = self.compartments.union(&other.compartments).copied().collect();
        Self::build(self.level.max(other.level), compartments, people).ok()
    }

    /// Whether nobody can read what bears this who could not read it while it bore `old`.
    pub fn is_no_wider_than(&self, old: &Label) -> bool {
        self.join(old).as_ref() == Some(self)
    }
}

/// What a person may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clearance {
    /// Whose it is; a `named` label asks for that.
    pub person: PersonId,
    /// The highest level.
    pub level: Level,
    /// The compartments held.
    pub compartments: BTreeSet<CompartmentId>,
}

impl Clearance {
    /// Whether this clearance suffices to read what bears `label`.
    pub fn dominates(&self, label: &Label) -> bool {
        let level = match label.level {
            Level::Named => label.people.contains(&self.person),
            level => level <= self.level,
        };
        level && label.compartments.is_subset(&self.compartments)
    }
}

/// Whether a character would not be seen in a name, or drives a terminal or turns the direction of writing: no level and no
/// compartment is called so, since two names have to be told apart by who reads them.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A label as a person writes it, `LEVEL[/COMPARTMENT…]` or `named/@HANDLE…`: names, not yet looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelText {
    /// The name of the level.
    pub level: String,
    /// Names of compartments, as written.
    pub compartments: Vec<String>,
    /// Handles of people, without the `@`.
    pub people: Vec<String>,
}

/// The text is not a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLabelText {
    /// Too long.
    #[error("a label has at most {max} bytes, this one has {0}", max = LabelText::MAX_BYTES)]
    TooLong(usize),
    /// A part between two slashes is empty or has spaces around it.
    #[error("a label is written `LEVEL/COMPARTMENT/…` without empty parts: `{0}` has one")]
    EmptyPart(String),
    /// Control characters.
    #[error("a label may not contain control characters")]
    Control,
    /// The same part twice.
    #[error("`{0}` stands twice in the label")]
    Twice(String),
}

impl LabelText {
    /// The longest label text, in bytes.
    pub const MAX_BYTES: usize = 1024;
}

impl std::str::FromStr for LabelText {
    type Err = BadLabelText;

    fn from_str(text: &str) -> Result<Self, BadLabelText> {
        if text.len() > Self::MAX_BYTES {
            return Err(BadLabelText::TooLong(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(BadLabelText::Control);
        }
        let mut parts = text.split('/');
        let level = parts.next().unwrap_or_default();
        if level.is_empty() || level.trim() != level {
            return Err(BadLabelText::EmptyPart(text.to_owned()));
        }
        let mut label = Self {
            level: level.to_owned(),
            compartments: Vec::new(),
            people: Vec::new(),
        };
        for part in parts {
            let (list, name) = match part.strip_prefix('@') {
                Some(handle) => (&mut label.people, handle),
                None => (&mut label.compartments, part),
            };
            if name.is_empty() || name.trim() != name {
                return Err(BadLabelText::EmptyPart(text.to_owned()));
            }
            if list.iter().any(|known| known == name) {
                return Err(BadLabelText::Twice(part.to_owned()));
            }
            list.push(name.to_owned());
        }
        Ok(label)
    }
}

impl fmt::Display for LabelText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.level)?;
        for name in &self.compartments {
            write!(f, "/{name}")?;
        }
        for handle in &self.people {
            write!(f, "/@{handle}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels() -> impl Strategy<Value = Label> {
        (
            0u8..5,
            proptest::collection::btree_set(0u8..4, 0..4),
            proptest::collection::btree_set(0u8..3, 1..3),
        )
            .prop_map(|(level, compartments, people)| {
                let compartments = compartments.into_iter().map(|n| CompartmentId([n; 8]));
                match Level::from_number(level).unwrap() {
                    Level::Named => Label::named(people.into_iter().map(|n| PersonId([n; 8])), compartments).unwrap(),
                    level => Label::new(level, compartments).unwrap(),
                }
            })
    }

    fn clearances() -> impl Strategy<Value = Clearance> {
        (0u8..3, 0u8..5, proptest::collection::btree_set(0u8..4, 0..5)).prop_map(|(person, level, compartments)| {
            Clearance {
                person: PersonId([person; 8]),
                level: Level::from_number(level).unwrap(),
                compartments: compartments.into_iter().map(|n| CompartmentId([n; 8])).collect(),
            }
        })
    }

    proptest! {
        #[test]
        fn the_join_is_the_least_label_that_dominates_both(a in labels(), b in labels(), who in clearances()) {
            let both = who.dominates(&a) && who.dominates(&b);
            match a.join(&b) {
                // At `named` only the names decide, so that a name suffices where the other label asked for a level.
                Some(join) if join.level() == Level::Named => prop_assert!(!both || who.dominates(&join)),
                Some(join) => prop_assert_eq!(who.dominates(&join), both),
                None => prop_assert!(!both && a.people().is_disjoint(b.people())),
            }
        }

        #[test]
        fn a_label_that_is_no_wider_opens_to_no_others(old in labels(), new in labels(), who in clearances()) {
            if new.is_no_wider_than(&old) && new.level() != Level::Named {
                prop_assert!(!who.dominates(&new) || who.dominates(&old));
            }
            prop_assert!(old.is_no_wider_than(&old));
        }

        #[test]
        fn label_text_round_trips(text in "[a-z]{1,8}(/@?[A-Za-z][A-Za-z -]{0,6}[a-z]){0,4}") {
            if let Ok(label) = text.parse::<LabelText>() {
                prop_assert_eq!(label.to_string().parse::<LabelText>().unwrap(), label);
            }
        }
    }

    #[test]
    fn label_text_is_refused_where_it_is_unclear() {
        for bad in ["", "/x", "restricted/", "restricted//x", "a/x/x", "a/ x", "a/\u{7}x"] {
            assert!(bad.parse::<LabelText>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(1025).parse::<LabelText>().is_err());
    }

    #[test]
    fn people_are_named_at_named_only() {
        assert_eq!(Label::named([], []), Err(BadLabel::NobodyNamed));
        assert_eq!(Label::new(Level::Named, []), Err(BadLabel::NobodyNamed));
    }
}
