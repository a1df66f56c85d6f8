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

/// Figures as they are spoken, one at a time.
#[rustfmt::skip]
pub(super) const FIGURES: &[&str] = &[
    "eight", "fife", "five", "four", "fower", "nil", "nine", "niner", "nought", "oh", "one", "seven", "six",
    "three", "tree", "two", "zero",
];

/// Numbers of two figures as they are spoken.
#[rustfmt::skip]
pub(super) const TENS: &[&str] = &[
    "eighteen", "eighty", "eleven", "fifteen", "fifty", "forty", "fourteen", "nineteen", "ninety", "seventeen",
    "seventy", "sixteen", "sixty", "ten", "thirteen", "thirty", "twelve", "twenty",
];

/// Letters as they are spoken on the radio.
#[rustfmt::skip]
pub(super) const LETTERS: &[&str] = &[
    "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "juliett",
    "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
    "whiskey", "whisky", "xray", "yankee", "zulu",
];

/// Words that announce a code or a number.
#[rustfmt::skip]
pub(super) const CODE_WORDS: &[&str] = &[
    "account", "alarm", "badge", "code", "codes", "combination", "combo", "door", "ext", "extension", "gate",
    "keypad", "locker", "mobile", "number", "padlock", "passcode", "password", "phone", "pin", "plate", "ref",
    "reference", "reg", "registration", "rego", "safe", "serial", "tag", "vrm",
];

/// Words before a name that make one of it.
#[rustfmt::skip]
pub(super) const EPITHETS: &[&str] = &[
    "ah", "auntie", "aunty", "baby", "big", "brother", "cousin", "fat", "gran", "grandad", "grandma", "grandpa",
    "granny", "khun", "lady", "little", "mama", "master", "nan", "nana", "nanny", "old", "papa", "pops", "sister",
    "small", "tall", "uncle", "wee", "young",
];

/// Ranks and trades that stand before a name.
#[rustfmt::skip]
pub(super) const RANKS: &[&str] = &[
    "adm", "admiral", "agent", "airman", "army", "bishop", "brig", "brigadier", "cadet", "cardinal", "cde", "chief",
    "cllr", "col", "commandant", "commander", "commodore", "comrade", "const", "constable", "councillor", "cpt",
    "dci", "deputy", "det", "detective", "father", "frau", "herr", "imam", "inspector", "lance", "lcpl",
    "lieutenant", "lt", "madame", "major", "marshal", "monsieur", "mp", "navy", "nurse", "ofc", "officer", "pan",
    "pani", "patrolman", "petty", "pope", "private", "pte", "ranger", "senior", "senor", "senora", "sgt", "sheriff",
    "signor", "signora", "sister", "sr", "sra", "staff", "superintendent", "surgeon", "trooper", "warden", "wing",
];

/// Offices that one person holds.
#[rustfmt::skip]
pub(super) const OFFICES: &[&str] = &[
    "adviser", "advisor", "ambassador", "archbishop", "attorney", "bishop", "cardinal", "chairman", "chairperson",
    "chairwoman", "chancellor", "chief", "commander", "commissioner", "consul", "coordinator", "counsel", "d'affaires",
    "director", "envoy", "governor", "judge", "king", "lieutenant", "marshal", "mayor", "minister", "mufti",
    "ombudsman", "pope", "premier", "president", "prince", "princess", "principal", "queen", "rapporteur", "rector",
    "representative", "secretary", "senator", "sheriff", "speaker", "spokesman", "spokesperson", "spokeswoman",
    "sultan", "treasurer",
];

/// Who is at the head of something, beside the offices.
#[rustfmt::skip]
pub(super) const HEADS: &[&str] = &[
    "abbot", "boss", "chair", "curator", "dean", "founder", "head", "headmaster", "headmistress", "headteacher", "imam",
    "leader", "manager", "matron", "owner", "priest", "prosecutor", "rabbi", "vicar",
];

/// Houses that have one head.
#[rustfmt::skip]
pub(super) const INSTITUTIONS: &[&str] = &[
    "abbey", "bank", "cathedral", "church", "college", "consulate", "convent", "council", "embassy", "hospital",
    "institute", "ministry", "monastery", "mosque", "museum", "palace", "parliament", "prison", "school", "synagogue",
    "temple", "theatre", "university",
];

/// Trades that few in a place have.
#[rustfmt::skip]
pub(super) const TRADES: &[&str] = &[
    "accountant", "architect", "baker", "barber", "blacksmith", "butcher", "carpenter", "chaplain", "chemist", "coroner",
    "dentist", "detective", "doctor", "electrician", "engineer", "florist", "gp", "hairdresser", "imam", "interpreter",
    "jeweller", "journalist", "judge", "lawyer", "librarian", "locksmith", "magistrate", "mechanic", "midwife",
    "minister", "notary", "nurse", "optician", "pharmacist", "photographer", "physician", "plumber", "policeman",
    "policewoman", "priest", "professor", "psychiatrist", "psychologist", "rabbi", "solicitor", "surgeon", "tailor",
    "teacher", "therapist", "translator", "undertaker", "vet", "veterinarian", "vicar",
];

/// What says with `on` or `at` no place, but that somebody is there.
#[rustfmt::skip]
pub(super) const NOWHERE: &[&str] = &[
    "attendance", "board", "call", "charge", "duty", "hand", "home", "moment", "night", "once", "premises", "scene",
    "shift", "site", "time", "work",
];

/// Words that say which of several offices is meant.
#[rustfmt::skip]
pub(super) const OF_OFFICES: &[&str] = &[
    "acting", "assistant", "chief", "defence", "defense", "deputy", "finance", "first", "foreign", "former", "general",
    "health", "home", "interim", "interior", "justice", "lead", "military", "new", "permanent", "press", "prime",
    "senior", "special", "trade", "under", "vice",
];

/// Words of public bodies and laws: alone or among themselves they point to nobody.
#[rustfmt::skip]
pub(super) const PUBLIC_BODIES: &[&str] = &[
    "act", "administration", "administrative", "affairs", "agency", "appeal", "appeals", "applicant", "applicants",
    "army", "article", "articles", "assembly", "authorities", "authority", "basic", "board", "bureau", "chamber",
    "civil", "claimant", "code", "commission", "committee", "constitution", "constitutional", "convention",
    "council", "court", "courts", "criminal", "defence", "defense", "department", "directive", "director",
    "directorate", "district", "education", "embassy", "european", "federal", "federation", "fifth", "finance",
    "first", "force", "forces", "foreign", "fourth", "freedoms", "fundamental", "general", "government",
    "governments", "grand", "guidelines", "health", "home", "human", "interior", "international", "judgment",
    "judiciary", "justice", "law", "laws", "legal", "member", "members", "military", "minister", "ministry",
    "national", "nations", "navy", "office", "parliament", "parties", "party", "police", "president", "procedure",
    "prosecutor", "protocol", "public", "regional", "registrar", "registry", "republic", "rights", "rule", "rules",
    "second", "section", "sections", "security", "senate", "service", "services", "state", "supreme", "third",
    "treaty", "tribunal",
];

/// Words before the number of a flat or a house.
#[rustfmt::skip]
pub(super) const UNITS: &[&str] = &[
    "apartment", "appt", "apt", "bed", "block", "box", "cabin", "cell", "flat", "plot", "ste", "suite", "unit", "ward",
];

/// Words that end the name of a street.
#[rustfmt::skip]
pub(super) const STREETS: &[&str] = &[
    "avenue", "boulevard", "close", "crescent", "drive", "gardens", "lane", "mews", "rise", "road", "row", "square", "st",
    "street", "terrace", "way",
];

/// Houses that have a name.
#[rustfmt::skip]
pub(super) const HOUSES: &[&str] = &[
    "arms", "bakery", "barn", "cottage", "cottages", "farm", "forge", "grange", "hotel", "inn", "lodge", "manor",
    "mill", "rectory", "stables", "towers", "vicarage", "villa",
];

/// Makes of cars, and models that are as well known by themselves.
#[rustfmt::skip]
pub(super) const MAKES: &[&str] = &[
    "astra", "audi", "bmw", "chevrolet", "chrysler", "citroen", "corolla", "corsa", "dacia", "daf", "datsun", "dodge",
    "ferrari", "fiat", "ford", "golf", "hilux", "honda", "hyundai", "isuzu", "iveco", "jaguar", "jeep", "kia", "lada",
    "lamborghini", "lexus", "maserati", "mazda", "mercedes", "mitsubishi", "nissan", "opel", "passat", "peugeot",
    "porsche", "qashqai", "renault", "saab", "scania", "skoda", "sprinter", "subaru", "suzuki", "tesla", "toyota",
    "transit", "vauxhall", "volkswagen", "volvo", "vw", "yamaha",
];

/// Models of cars behind their make.
#[rustfmt::skip]
pub(super) const MODELS: &[&str] = &[
    "accord", "amarok", "astra", "berlingo", "boxer", "caddy", "camry", "captur", "caravelle", "cayenne", "civic",
    "clio", "combo", "corolla", "corsa", "defender", "discovery", "ducato", "duster", "escort", "expert", "fabia",
    "fiesta", "focus", "forester", "galaxy", "golf", "hilux", "impreza", "jetta", "kangoo", "kuga", "leaf", "megane",
    "micra", "mondeo", "multivan", "octavia", "outlander", "panda", "passat", "picasso", "polo", "prius", "qashqai",
    "rover", "sandero", "scenic", "scudo", "sprinter", "superb", "tiguan", "touareg", "touran", "trafic", "transit",
    "transporter", "tucson", "vito", "vivaro", "yaris", "zafira",
];

/// Colours of cars.
#[rustfmt::skip]
pub(super) const COLOURS: &[&str] = &[
    "beige", "black", "blue", "brown", "burgundy", "cream", "dark", "gold", "golden", "gray", "green", "grey",
    "maroon", "navy", "orange", "pink", "purple", "red", "silver", "turquoise", "white", "yellow",
];

/// Sorts of vehicles.
#[rustfmt::skip]
pub(super) const VEHICLES: &[&str] = &[
    "bus", "cab", "car", "coach", "convertible", "coupe", "estate", "hatchback", "jeep", "limousine", "lorry",
    "minibus", "minivan", "moped", "motorbike", "motorcycle", "pickup", "saloon", "scooter", "suv", "taxi", "truck",
    "van", "vans", "vehicle", "wagon",
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
        for list in [
            HONORIFICS,
            KIN,
            ROLES,
            PARTICLES,
            COMPANY_WORDS,
            PLACE_WORDS,
            DEEDS,
            FIGURES,
            TENS,
            LETTERS,
            CODE_WORDS,
            EPITHETS,
            RANKS,
            OFFICES,
            HEADS,
            INSTITUTIONS,
            TRADES,
            NOWHERE,
            OF_OFFICES,
            PUBLIC_BODIES,
            UNITS,
            STREETS,
            HOUSES,
            MAKES,
            MODELS,
            COLOURS,
            VEHICLES,
        ] {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        }
    }
}
