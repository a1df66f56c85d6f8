//! Words that say what stands beside them is a name. Each list is sorted.

/// Whether a sorted list has a word.
pub(super) fn listed(list: &[&str], word: &str) -> bool {
    list.binary_search(&word).is_ok()
}

/// Titles after which any word is a name.
#[rustfmt::skip]
pub(super) const HONORIFICS: &[&str] = &[
    "aunt", "auntie", "capt", "captain", "col", "colonel", "corporal", "cpl", "dame", "dc", "dci", "di", "don", "dr",
    "ds", "fr", "frau", "gen", "herr", "imam", "insp", "inspector", "judge", "justice", "king", "lady", "lieutenant",
    "lord", "lt", "madam", "madame", "maj", "miss", "mme", "monsieur", "mr", "mrs", "ms", "mx", "pc", "prince",
    "princess", "prof", "professor", "queen", "rabbi", "rev", "reverend", "senor", "senora", "sergeant", "sgt",
    "sheikh", "signor", "signora", "sir", "st", "supt", "uncle",
];

/// Words for people after which a capital is most likely a name.
#[rustfmt::skip]
pub(super) const ROLES: &[&str] = &[
    "accountant", "agent", "aka", "alias", "ambassador", "analyst", "applicant", "assistant", "bodyguard", "boss",
    "brother", "called", "caller", "chairman", "chauffeur", "chief", "claimant", "cleaner", "clerk", "client",
    "colleague", "commander", "complainant", "concierge", "constable", "contractor", "controller", "coordinator",
    "courier", "daughter", "defendant", "detective", "director", "dispatcher", "doctor", "driver", "employee",
    "engineer", "father", "friend", "governor", "guard", "guest", "handler", "husband", "informant", "intern",
    "investigator", "lawyer", "manager", "mayor", "minister", "mother", "named", "nanny", "neighbor", "neighbour",
    "nicknamed", "nurse", "occupant", "officer", "operative", "owner", "partner", "passenger", "patient", "porter",
    "president", "principal", "pupil", "receptionist", "reporter", "resident", "secretary", "senator", "sister",
    "solicitor", "son", "source", "student", "subject", "superintendent", "supervisor", "suspect", "teacher",
    "tenant", "trainee", "victim", "visitor", "warden", "wife", "witness",
];

/// Particles inside names.
#[rustfmt::skip]
pub(super) const PARTICLES: &[&str] = &[
    "abu", "af", "al", "ap", "av", "ben", "bin", "binti", "da", "das", "de", "del", "della", "den", "der", "des",
    "di", "do", "dos", "du", "el", "ibn", "la", "le", "of", "op", "san", "ten", "ter", "the", "van", "von", "y", "zu",
    "zur",
];

/// Family; a name in small letters often follows.
#[rustfmt::skip]
pub(super) const KIN: &[&str] = &[
    "aunt", "boyfriend", "brother", "daughter", "father", "girlfriend", "husband", "mother", "sister", "son", "uncle", "wife",
];

/// Words in the names of companies and authorities.
#[rustfmt::skip]
pub(super) const COMPANY_WORDS: &[&str] = &[
    "ag", "agency", "associates", "bank", "bros", "brothers", "bv", "club", "co", "college", "company", "corp",
    "corporation", "council", "court", "foundation", "gmbh", "group", "holdings", "hospital", "hotel", "inc",
    "industries", "institute", "limited", "llc", "llp", "logistics", "ltd", "ministry", "nv", "partners", "party",
    "plc", "sa", "school", "security", "services", "solutions", "sons", "systems", "times", "trust", "union",
    "university",
];

/// What people do in notes; after a word that is also a name it makes a name of it.
#[rustfmt::skip]
pub(super) const DEEDS: &[&str] = &[
    "admitted", "agreed", "arrived", "asked", "asks", "attended", "believes", "called", "calls", "came", "claimed",
    "claims", "complained", "confirmed", "denied", "drove", "emailed", "entered", "gave", "has", "insisted", "knows",
    "left", "lives", "mentioned", "met", "phoned", "promised", "rang", "refused", "replied", "reported", "reports",
    "said", "saw", "says", "signed", "stated", "states", "texted", "thinks", "threatened", "told", "took", "walked",
    "wanted", "wants", "went", "who", "whose", "worked", "works", "wrote",
];

/// Words in the names of places.
#[rustfmt::skip]
pub(super) const PLACE_WORDS: &[&str] = &[
    "airport", "avenue", "bay", "beach", "bridge", "city", "close", "county", "court", "crescent", "district",
    "drive", "east", "forest", "gardens", "harbor", "harbour", "hill", "house", "island", "lake", "lane", "mews",
    "mount", "north", "park", "place", "plaza", "port", "province", "region", "river", "road", "row", "south",
    "square", "station", "street", "terrace", "tower", "town", "valley", "village", "way", "west",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        for list in [HONORIFICS, KIN, ROLES, PARTICLES, COMPANY_WORDS, PLACE_WORDS, DEEDS] {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        }
    }
}
