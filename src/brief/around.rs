//! What stands around a name and points to the same person: titles, nicknames, initials, offices.

use super::cues::{NOWHERE, listed};
use super::finding::{Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::tagger::has;
use super::words::Word;
use std::ops::Range;

/// The most titles before a name.
const MAX_TITLES: usize = 6;

/// The titles and epithets before each person found, the initials after, the nickname between.
pub(crate) fn widen(text: &Prepared, found: &[Finding]) -> Vec<Finding> {
    let tokens = &text.tokens;
    let mut persons: Vec<Range<usize>> = found
        .iter()
        .filter(|finding| finding.weight > Weight::Doubt && matches!(finding.kind, Kind::Person | Kind::Alias))
        .map(|finding| finding.at.clone())
        .collect();
    persons.sort_by_key(|at| at.start);
    let mut more = Vec::new();
    let mut add = |at: Range<usize>| more.push(Finding::new(at, Kind::Person, Weight::Guess));
    for (place, at) in persons.iter().enumerate() {
        let first = tokens.partition_point(|token| token.at.end <= at.start);
        let after = tokens.partition_point(|token| token.at.start < at.end);
        let Some(name) = tokens.get(first) else { continue };
        let mut from = first;
        while from > first.saturating_sub(MAX_TITLES)
            && from > 0
            && belongs(text, &tokens[from - 1], &tokens[from], name)
        {
            from -= 1;
        }
        if from < first {
            add(tokens[from].at.start..name.at.end);
        }
        // `Per-Olof`, `hollie.b`: the part that the name is written together with.
        let written = |left: &Token, right: &Token| match text.between(left, right) {
            "-" => right.capital || right.word == Word::Unknown || right.at.len() <= 4,
            "." | "_" => right.at.len() <= 2 && !right.capital,
            _ => false,
        };
        if let Some(before) = first.checked_sub(1).map(|before| &tokens[before])
            && text.between(before, name) == "-"
            && (before.capital == name.capital || before.capital)
        {
            add(before.at.start..at.end);
        }
        if let (Some(last), Some(next)) = (
            after.checked_sub(1).and_then(|last| tokens.get(last)),
            tokens.get(after),
        ) && written(last, next)
        {
            add(at.start..next.at.end);
        }
        // `Costa, N.`
        if let (Some(initial), Some(last)) = (
            tokens.get(after),
            after.checked_sub(1).and_then(|last| tokens.get(last)),
        ) && initial.at.len() == 1
            && initial.capital
            && text.between(last, initial) == ", "
            && text.folded[initial.at.end..].starts_with('.')
        {
            add(at.start..initial.at.end);
        }
        // `Anthony "Ant" Crowther`
        if let Some(next) = persons.get(place + 1)
            && let Some(inner) = text.folded.get(at.end..next.start)
            && inner.len() <= 24
            && [(" \"", "\" "), (" '", "' "), (" (", ") ")]
                .iter()
                .any(|(open, close)| inner.starts_with(open) && inner.ends_with(close))
        {
            add(at.start..next.end);
        }
    }
    more.extend(offices(text));
    holders(text, found, &mut more);
    more.extend(houses(text));
    more.extend(dwellings(text));
    more.extend(doers(text));
    firms(text, found, &mut more);
    addresses(text, found, &mut more);
    numbers(text, found, &mut more);
    more
}

/// Houses with a name of plain words: `Kestrel Lodge`; the `North Lodge` is where a post is.
fn houses(text: &Prepared) -> Vec<Finding> {
    let tokens = &text.tokens;
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let (name, house) = (&pair[0], &pair[1]);
        let proper = |token: &Token| token.capital && !token.caseless && !token.shouted && !token.digit;
        let where_it_is = || {
            matches!(
                text.lower_of(name),
                "back"
                    | "east"
                    | "front"
                    | "gate"
                    | "inner"
                    | "lower"
                    | "main"
                    | "new"
                    | "north"
                    | "outer"
                    | "rear"
                    | "south"
                    | "upper"
                    | "west"
            )
        };
        if proper(name)
            && proper(house)
            && text.between(name, house) == " "
            && house.lists & has::HOUSE != 0
            && !where_it_is()
            && name.word != Word::Function
            && !(name.first && name.word == Word::Ordinary)
        {
            let from = if at > 0 && proper(&tokens[at - 1]) && text.between(&tokens[at - 1], name) == " " {
                at - 1
            } else {
                at
            };
            found.push(Finding::new(
                tokens[from].at.start..house.at.end,
                Kind::Address,
                Weight::Guess,
            ));
        }
    }
    found
}

/// Where somebody lives, in small letters or capitals throughout: `lives at rookery farm, pool lane`.
fn dwellings(text: &Prepared) -> Vec<Finding> {
    let tokens = &text.tokens;
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let lives = matches!(
            text.lower_of(&pair[0]),
            "live" | "lived" | "lives" | "resided" | "resides"
        ) && text.lower_of(&pair[1]) == "at"
            && text.between(&pair[0], &pair[1]) == " ";
        if !lives {
            continue;
        }
        let from = at + 2;
        let own = |to: &usize| {
            let gap = text.between(&tokens[to - 1], &tokens[*to]);
            let near = gap == " " || *to > from && gap == ", ";
            near && !tokens[*to].digit && (tokens[*to].word != Word::Function || tokens[*to].lists & has::STREET != 0)
        };
        let words = (from..tokens.len().min(from + 6)).take_while(own);
        // What has its capitals is found by them.
        let shown = |token: &Token| token.capital && !token.caseless && !token.shouted;
        let named = |to: &usize| {
            let token = &tokens[*to];
            *to > from && !shown(token) && token.lists & (has::HOUSE | has::STREET) != 0
        };
        if let Some(to) = words.filter(named).last() {
            let at = tokens[from].at.start..tokens[to].at.end;
            found.push(Finding::new(at, Kind::Address, Weight::Guess));
        }
    }
    found
}

/// What only somebody can have done, behind two words that are a name as well: `will stone found it`. No sentence goes
/// on so behind `will`, nor behind a bill without its article.
fn doers(text: &Prepared) -> Vec<Finding> {
    let tokens = &text.tokens;
    let mut found = Vec::new();
    for (at, three) in tokens.windows(3).enumerate() {
        let [given, last, deed] = three else { continue };
        let done = matches!(
            text.lower_of(deed),
            "asked"
                | "came"
                | "denied"
                | "drove"
                | "followed"
                | "found"
                | "gave"
                | "heard"
                | "left"
                | "lost"
                | "met"
                | "phoned"
                | "rang"
                | "refused"
                | "replied"
                | "said"
                | "saw"
                | "signed"
                | "texted"
                | "thought"
                | "threatened"
                | "told"
                | "took"
                | "walked"
                | "wanted"
                | "went"
                | "wrote"
        );
        if !done {
            continue;
        }
        // `said` is one too, but says something else.
        let own = given.word == Word::NameLike || text.lower_of(given) == "will";
        let named = own
            && given.lists & has::GIVEN != 0
            && last.word == Word::NameLike
            && given.capital == last.capital
            && text.between(given, last) == " "
            && text.between(last, deed) == " ";
        // `the bill church members left`
        let counted = at.checked_sub(1).map(|before| &tokens[before]).is_some_and(|before| {
            let word = text.lower_of(before);
            let determines = matches!(
                word,
                "a" | "an"
                    | "any"
                    | "each"
                    | "every"
                    | "her"
                    | "his"
                    | "its"
                    | "my"
                    | "no"
                    | "our"
                    | "the"
                    | "their"
                    | "these"
                    | "this"
                    | "those"
                    | "your"
            );
            text.between(before, given) == " " && determines
        });
        if named && !counted {
            found.push(Finding::new(given.at.start..last.at.end, Kind::Person, Weight::Guess));
        }
    }
    found
}

/// The word behind a name that makes a firm of it: `Okonkwo Holdings LLC`.
fn firms(text: &Prepared, found: &[Finding], more: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let named = |finding: &&Finding| {
        finding.weight > Weight::Doubt && matches!(finding.kind, Kind::Organisation | Kind::Person | Kind::Client)
    };
    for finding in found.iter().filter(named) {
        let after = tokens.partition_point(|token| token.at.start < finding.at.end);
        let mut to = after;
        while to > 0
            && to < after + 3
            && tokens.get(to).is_some_and(|token| {
                let firm = token.lists & has::COMPANY != 0;
                let before_firm = tokens.get(to + 1).is_some_and(|next| {
                    next.capital && next.lists & has::COMPANY != 0 && text.between(token, next) == " "
                });
                token.capital && (firm || before_firm) && matches!(text.between(&tokens[to - 1], token), " " | ", ")
            })
        {
            to += 1;
        }
        if to > after {
            let at = finding.at.start..tokens[to - 1].at.end;
            more.push(Finding::new(at, Kind::Organisation, Weight::Guess));
        }
    }
}

/// Of each word whether it was found to be of one of these kinds.
fn marked(text: &Prepared, found: &[Finding], kinds: &[Kind]) -> Vec<bool> {
    let tokens = &text.tokens;
    let mut marks = vec![false; tokens.len()];
    let counts = |finding: &&Finding| finding.weight > Weight::Doubt && kinds.contains(&finding.kind);
    for Finding { at, .. } in found.iter().filter(counts) {
        let from = tokens.partition_point(|token| token.at.end <= at.start);
        let to = tokens.partition_point(|token| token.at.start < at.end);
        marks[from..to.max(from)].fill(true);
    }
    marks
}

/// The numbers beside a place, the floor and flat, the lines below an address, the corner before it.
fn addresses(text: &Prepared, found: &[Finding], more: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let mut placed = marked(text, found, &[Kind::Place, Kind::Address]);
    let named = marked(text, found, &[Kind::Person, Kind::Organisation]);
    // `flat 9`, `room 412`: a room with one or two figures is one of the house.
    let flat = |at: usize| {
        let word = text.lower_of(&tokens[at]);
        tokens.get(at + 1).is_some_and(|next| {
            let near = matches!(text.between(&tokens[at], next), " " | " no " | " no. " | ". ");
            let room = matches!(word, "room" | "rm") && next.at.len() >= 3;
            near && next.digit && next.at.len() <= 5 && (room || tokens[at].lists & has::UNIT != 0)
        })
    };
    let streets: Vec<bool> = (0..tokens.len()).map(|at| is_street(text, at)).collect();
    let mut mine: Vec<usize> = Vec::new();
    let mut line_placed = false;
    for at in 0..tokens.len() {
        let gap = at
            .checked_sub(1)
            .map_or("", |before| text.between(&tokens[before], &tokens[at]));
        let beside = gap.len() <= 2 && gap.trim_matches([' ', ',']).is_empty() && !gap.is_empty();
        let after_place = at > 0 && placed[at - 1];
        let after_name = at > 0 && named[at - 1] && tokens[at - 1].capital && tokens[at - 1].word == Word::Unknown;
        let below = gap.contains('\n') && !gap.contains("\n\n") && line_placed && is_address_line(text, at);
        let next_placed = tokens
            .get(at + 1)
            .is_some_and(|next| placed[at + 1] && text.between(&tokens[at], next) == " ");
        // A day beside its month is no number of a house.
        let dated = |at: Option<&Token>| at.is_some_and(|token| token.lists & has::CALENDAR != 0);
        let dated = dated(tokens.get(at + 1)) || dated(at.checked_sub(1).and_then(|before| tokens.get(before)));
        let numbered = tokens[at].digit && tokens[at].at.len() <= 6 && !dated;
        let counts = placed[at]
            || flat(at)
            || at > 0 && tokens[at].digit && flat(at - 1)
            || streets[at]
            || at > 0 && streets[at - 1]
            || streets.get(at + 1) == Some(&true)
                && (tokens[at].digit || tokens[at].lists & (has::FIGURE | has::TEN) != 0)
            || numbered && (beside && (after_place || after_name && gap == " ") || next_placed)
            || beside && after_place && line_placed && tokens[at].capital && tokens[at].word == Word::Unknown
            || below
            || at > 0
                && after_place
                && mine.last() == Some(&(at - 1))
                && gap == " "
                && tokens[at - 1].capital
                && tokens[at].capital
                && !tokens[at].first;
        // A short word between two parts of an address: `KNIVSTA, se 18237`
        let between = || {
            let own = matches!(tokens[at].word, Word::Unknown | Word::NameLike);
            let short = tokens[at].at.len() <= 4 && !tokens[at].digit && own;
            let next = tokens.get(at + 1).filter(|next| next.digit && next.at.len() >= 2);
            let comma = |gap: &str| gap.len() <= 8 && gap.trim_matches([' ', ',', '.', '\n']).is_empty();
            let after = after_place || at > 0 && named[at - 1] && tokens[at - 1].capital;
            short && after && comma(gap) && next.is_some_and(|next| comma(text.between(&tokens[at], next)))
        };
        let counts = counts || between();
        if gap.contains('\n') && !below {
            line_placed = false;
        }
        if counts && !placed[at] {
            placed[at] = true;
            mine.push(at);
        }
        line_placed |= placed[at] && tokens[at].digit;
    }
    more.extend(
        mine.iter()
            .map(|&at| Finding::new(tokens[at].at.clone(), Kind::Address, Weight::Guess)),
    );
    // `the corner of`
    for at in 0..tokens.len().saturating_sub(2) {
        if text.lower_of(&tokens[at]) == "corner" && text.lower_of(&tokens[at + 1]) == "of" && placed[at + 2] {
            more.push(Finding::new(
                tokens[at].at.start..tokens[at + 2].at.end,
                Kind::Address,
                Weight::Guess,
            ));
        }
    }
}

/// Whether a word and the next are the name of a street: `wexcombe street`, and after a number any
/// word, `44 pound lane`.
fn is_street(text: &Prepared, at: usize) -> bool {
    let tokens = &text.tokens;
    let Some(next) = tokens.get(at + 1) else { return false };
    let word = &tokens[at];
    let lower = text.lower_of(word);
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let counted = before.is_some_and(|before| {
        let said = before.lists & (has::FIGURE | has::TEN) != 0;
        matches!(text.between(before, word), " " | ", ") && (before.digit && before.at.len() <= 4 || said)
    });
    let own = || {
        word.word == Word::Unknown && word.at.len() > 2
            || word.capital && next.capital && !word.first && word.word != Word::Function
    };
    let plain =
        || word.word == Word::Function || matches!(lower, "of" | "the" | "hard" | "bus" | "service" | "one" | "way");
    let built = || {
        counted
            && matches!(
                text.lower_of(next),
                "court" | "house" | "cottages" | "view" | "place" | "park" | "hill" | "walk" | "quay"
            )
    };
    !word.digit
        && (next.lists & has::STREET != 0 || built())
        && (counted || own())
        && !plain()
        && text.between(word, next) == " "
}

/// Whether the line that begins at `from` is short, with a capital or a figure on every word, and
/// no label.
fn is_address_line(text: &Prepared, from: usize) -> bool {
    let tokens = &text.tokens;
    let mut at = from;
    loop {
        if !(tokens[at].capital || tokens[at].digit) || tokens[at].word == Word::Function || at - from >= 4 {
            return false;
        }
        let gap = tokens.get(at + 1).map_or("\n", |next| text.between(&tokens[at], next));
        if gap.contains('\n') {
            return !gap.trim_start().starts_with(':');
        }
        if !gap.trim_matches([' ', ',', '(', ')', '-', '.']).is_empty() {
            return false;
        }
        at += 1;
    }
}

/// The word that says of which kind a number is, where it is a part of it: `National ID 718-48`.
fn numbers(text: &Prepared, found: &[Finding], more: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    for finding in found
        .iter()
        .filter(|finding| finding.kind == Kind::Number && finding.weight > Weight::Doubt)
    {
        let first = tokens.partition_point(|token| token.at.end <= finding.at.start);
        let named = |at: usize, word: &str| {
            tokens
                .get(at)
                .is_some_and(|token| token.capital && text.lower_of(token) == word)
                && tokens
                    .get(at + 1)
                    .is_some_and(|next| text.between(&tokens[at], next) == " ")
        };
        let Some(before) = first.checked_sub(1).filter(|&before| named(before, "id")) else {
            continue;
        };
        let from = before
            .checked_sub(1)
            .filter(|&at| named(at, "national"))
            .unwrap_or(before);
        more.push(Finding::new(
            tokens[from].at.start..finding.at.end,
            Kind::Number,
            Weight::Guess,
        ));
    }
}

/// Whether a word before a name belongs to it: a title, a rank, an epithet written as the name is.
fn belongs(text: &Prepared, word: &Token, next: &Token, name: &Token) -> bool {
    let lower = text.lower_of(word);
    let titled = word.lists & has::TITLE != 0 && (word.capital || matches!(lower, "mr" | "mrs" | "ms" | "dr" | "mx"));
    let ranked = word.capital && word.lists & (has::RANK | has::OFFICE) != 0;
    let epithet = word.capital == name.capital && word.lists & has::EPITHET != 0;
    // `Will Stone`; of `Will Azra come` too much is masked.
    let auxiliary = word.capital && name.capital && !name.shouted && matches!(lower, "will" | "may");
    let initial = word.at.len() == 1 && word.capital && text.between(word, next).starts_with('.');
    matches!(text.between(word, next), " " | ". " | ".") && (auxiliary || initial || titled || ranked || epithet)
}

/// Offices that one person holds: `Foreign Secretary`, `the ministry's spokesman`, `a senior Iraqi
/// commander`. Something has to say which one: a word in capitals, of what, whose, or a word that only offices
/// have. So what the team calls its own, `the commander`, stays.
fn offices(text: &Prepared) -> Vec<Finding> {
    let tokens = &text.tokens;
    let mut found = Vec::new();
    let proper = |token: &Token| token.capital && !token.digit && (!token.shouted || token.at.len() <= 4);
    let joined = |left: usize| {
        let gap = text.between(&tokens[left], &tokens[left + 1]);
        gap == " " || gap == "-" || tokens[left].at.len() == 1 && matches!(gap, "." | ". ")
    };
    for (at, token) in tokens.iter().enumerate() {
        // `a senior Iraqi general`; most often the word says what sort of thing something is.
        let general = || {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            text.lower_of(token) == "general" && before.is_some_and(|before| before.lists & has::PEOPLE != 0)
        };
        if token.shouted || token.lists & has::OFFICE == 0 && !general() {
            continue;
        }
        let mut from = at;
        let mut telling = 0;
        while from > 0 && joined(from - 1) {
            let before = &tokens[from - 1];
            let owned = before.whole_end > before.at.end;
            let grammar = before.word == Word::Function && before.lists & has::BODY == 0;
            let capital = proper(before) && !grammar && (owned || !before.first);
            let tells = capital
                || before.lists & has::PEOPLE != 0
                || before.lists & has::OF_OFFICE != 0
                || owned && before.lists & (has::BODY | has::COMPANY | has::ROLE) != 0;
            // `Pentagon press operations director`
            let plain = || {
                let under = (from.saturating_sub(3)..from - 1).rev().take_while(|&at| joined(at));
                let mut under = under.map(|at| &tokens[at]);
                before.word == Word::Ordinary && under.any(|word| proper(word) && word.word != Word::Function)
            };
            if !tells && !plain() || at - from >= 5 {
                break;
            }
            // `press` and its like tell nothing by themselves where the team has one too.
            telling += usize::from(capital || before.lists & has::PEOPLE != 0 || owned || is_of_state(text, from - 1));
            from -= 1;
        }
        let (to, of) = office_end(text, at, &proper);
        let alone = from == at;
        let of_any = text.lower_of(token) == "chief" && (of == 0 || alone && !token.capital);
        if (telling > 0 || of > 0 && token.capital || of > 0 && !alone) && !of_any {
            // `his`, `its`: whose office it is.
            let owner = from.checked_sub(1).filter(|&before| {
                joined(before) && matches!(text.lower_of(&tokens[before]), "his" | "her" | "its" | "their")
            });
            found.push(Finding::new(
                tokens[owner.unwrap_or(from)].at.start..tokens[to - 1].at.end,
                Kind::Other,
                Weight::Guess,
            ));
        }
    }
    found
}

/// Whether a word before an office is said of offices of a state alone.
fn is_of_state(text: &Prepared, at: usize) -> bool {
    matches!(
        text.lower_of(&text.tokens[at]),
        "defence" | "defense" | "finance" | "foreign" | "health" | "home" | "interior" | "justice" | "prime" | "vice"
    )
}

/// Where an office ends that has its word at `at`, and how many words of it say of what it is:
/// `for the Middle East`, `of State`, `-designate`.
fn office_end(text: &Prepared, at: usize, proper: &dyn Fn(&Token) -> bool) -> (usize, usize) {
    let tokens = &text.tokens;
    let joined = |to: usize| tokens.get(to).is_some() && text.between(&tokens[to - 1], &tokens[to]) == " ";
    let mut to = at + 1;
    let mut of = 0;
    if tokens.get(to).is_some_and(|next| {
        text.between(&tokens[at], next) == "-" && matches!(text.lower_of(next), "designate" | "elect" | "general")
    }) {
        to += 1;
    }
    let mut tail = to;
    while tail < to + 3 && joined(tail) && is_link(text, &tokens[tail]) {
        tail += 1;
    }
    let states = |to: usize| {
        proper(&tokens[to]) || matches!(text.lower_of(&tokens[to]), "staff" | "state" | "plans") && tail == to
    };
    if tail > to && joined(tail) && states(tail) {
        of = 1;
        to = tail + 1;
        // `for the board's logistics`
        if tokens[tail].whole_end > tokens[tail].at.end && joined(to) && tokens[to].word == Word::Ordinary {
            to += 1;
        }
    }
    while joined(to) && proper(&tokens[to]) && !tokens[to].first && to - at < 8 {
        to += 1;
    }
    (to, of)
}

/// Offices and trades that one person has, by what stands around them in small letters too: the head of security at the
/// embassy, the mayor of a place that is masked, the only vet in town, and the secretary, where somebody has that title.
/// Of what or where it is stays.
fn holders(text: &Prepared, found: &[Finding], more: &mut Vec<Finding>) {
    let tokens = &text.tokens;
    let persons = marked(text, found, &[Kind::Person, Kind::Alias]);
    let others = [Kind::Client, Kind::Organisation, Kind::Place, Kind::Address];
    let others = marked(text, found, &others);
    let gap = |at: usize| tokens.get(at + 1).map_or("", |next| text.between(&tokens[at], next));
    let joined = |at: usize| matches!(gap(at), " " | "\n");
    let word = |at: usize| tokens.get(at).map_or("", |token| text.lower_of(token));
    let is = |at: usize, lists: u64| tokens.get(at).is_some_and(|token| token.lists & lists != 0);
    // Whether what stands behind a word, an article aside, says which one.
    let named = |at: usize, institutions: bool| {
        let the = at + usize::from(joined(at) && matches!(word(at + 1), "the" | "this" | "our"));
        let masked = gap(the).trim_start().starts_with(super::scan::MASKED);
        let next = the + 1;
        let people = joined(next) && tokens.get(next).is_some_and(|token| token.lists & has::PEOPLE != 0);
        masked && word(at) == "of"
            || joined(the)
                && (persons[next] || others[next] || institutions && is(next + usize::from(people), has::INSTITUTION))
    };
    let mut titles: Vec<u64> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let office = token.capital && token.lists & has::OFFICE != 0 && !titles.contains(&token.hash);
        if office && joined(at) && persons[at + 1] && tokens[at + 1].capital {
            titles.push(token.hash);
        }
    }
    let mut add = |from: usize, to: usize| {
        let at = tokens[from].at.start..tokens[to].at.end;
        more.push(Finding::new(at, Kind::Other, Weight::Guess));
    };
    for at in 0..tokens.len() {
        if is(at, has::OFFICE | has::HEAD) {
            // `head of security`: what is joined by `of` and small letters belongs to it.
            let field = |to: usize| {
                let plain = |at: usize| {
                    let own = !tokens[at].capital && !tokens[at].digit && !is(at, has::INSTITUTION);
                    own && !matches!(
                        word(at),
                        "a" | "all"
                            | "an"
                            | "any"
                            | "each"
                            | "every"
                            | "her"
                            | "his"
                            | "it"
                            | "its"
                            | "my"
                            | "one"
                            | "our"
                            | "that"
                            | "the"
                            | "their"
                            | "them"
                            | "this"
                            | "us"
                            | "your"
                    )
                };
                let long = joined(to + 2) && plain(to + 3) && matches!(word(to + 4), "at" | "of" | "for");
                (joined(to) && word(to + 1) == "of" && joined(to + 1) && plain(to + 2))
                    .then(|| to + 2 + usize::from(long))
            };
            let ends = [Some(at), field(at)];
            let link = |to: &usize| {
                let unlike = !matches!(word(at), "manager" | "owner");
                joined(*to) && matches!(word(*to + 1), "at" | "for" | "of") && named(*to + 1, unlike)
            };
            if let Some(to) = ends.into_iter().flatten().find(link) {
                let mut from = at;
                while from > 0 && joined(from - 1) && is(from - 1, has::OF_OFFICE) {
                    from -= 1;
                }
                add(from, to);
            }
        }
        if word(at) == "only" && at > 0 && joined(at - 1) && word(at - 1) == "the" {
            let mut to = at + 1;
            while to < at + 3 && joined(to) && !is(to, has::TRADE) && tokens[to].word != Word::Function {
                to += 1;
            }
            let determined = matches!(word(to + 2), "the" | "this" | "our" | "their" | "his" | "her");
            let place = to + 2 + usize::from(determined);
            if joined(at)
                && is(to, has::TRADE)
                && (to..place).all(joined)
                && matches!(word(to + 1), "at" | "for" | "in" | "of" | "on")
                && !listed(NOWHERE, word(place))
            {
                add(at, to);
            }
        }
        if tokens[at].first && word(at) == "the" {
            let mut to = at + 1;
            while to < at + 3
                && joined(to - 1)
                && joined(to)
                && is(to, has::OF_OFFICE)
                && !titles.contains(&tokens[to].hash)
            {
                to += 1;
            }
            if joined(to - 1) && tokens.get(to).is_some_and(|token| titles.contains(&token.hash)) {
                add(at + 1, to);
            }
        }
    }
}

fn is_link(text: &Prepared, token: &Token) -> bool {
    matches!(text.lower_of(token), "of" | "for" | "the" | "to")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str, persons: &[&str]) -> Vec<String> {
        let prepared = Prepared::new(text).unwrap();
        let persons: Vec<Finding> = persons
            .iter()
            .map(|name| {
                let start = prepared.folded.find(name).unwrap();
                Finding::new(start..start + name.len(), Kind::Person, Weight::Guess)
            })
            .collect();
        let all = widen(&prepared, &persons);
        all.iter()
            .map(|finding| prepared.folded[finding.at.clone()].to_owned())
            .collect()
    }

    #[test]
    fn what_stands_around_a_name_goes_with_it() {
        assert_eq!(found("saw Mrs. Okonkwo there", &["Okonkwo"]), ["Mrs. Okonkwo"]);
        assert_eq!(
            found("saw Det. Sgt. Okonkwo there", &["Okonkwo"]),
            ["Det. Sgt. Okonkwo"]
        );
        assert_eq!(found("with big lek there", &["lek"]), ["big lek"]);
        assert_eq!(found("Row 3: Okonkwo, N. stays", &["Okonkwo"]), ["Okonkwo, N"]);
        assert_eq!(
            found("Azra \"Ziggy\" Okonkwo left", &["Azra", "Okonkwo"]),
            ["Azra \"Ziggy\" Okonkwo"]
        );
    }

    #[test]
    fn houses_with_a_name_are_found() {
        assert_eq!(found("he lives at Kestrel Lodge now", &[]), ["Kestrel Lodge"]);
        assert_eq!(found("meet at the North Lodge", &[]), Vec::<String>::new());
    }

    #[test]
    fn where_somebody_lives_and_who_did_something_is_found_in_small_letters() {
        for (text, value) in [
            (
                "her father lives at rookery farm, pool lane. the code",
                "rookery farm, pool lane",
            ),
            ("HE LIVED AT POOL LANE", "POOL LANE"),
            ("then will stone found it", "will stone"),
            ("reported that bill church followed her", "bill church"),
        ] {
            assert!(
                found(text, &[]).contains(&value.to_owned()),
                "{text}: {:?}",
                found(text, &[])
            );
        }
        for plain in [
            "he lives at home on the farm, lives at the lodge, lived at peace near the mill",
            "he said frost told him, the bill church members found, will stone float, a mark stone left, they will find stone",
        ] {
            assert_eq!(found(plain, &[]), Vec::<String>::new(), "{plain}");
        }
    }

    #[test]
    fn who_holds_an_office_somewhere_is_found() {
        for (text, names, office) in [
            (
                "the head of security at the embassy called",
                &[][..],
                "head of security",
            ),
            (
                "the deputy head of human resources at the French embassy",
                &[],
                "deputy head of human resources",
            ),
            (
                "told the chief of police of Brixholm that",
                &["Brixholm"],
                "chief of police",
            ),
            ("the mayor of Brixholm came", &["Brixholm"], "mayor"),
            ("the mayor of \u{FFFC} came", &[], "mayor"),
            ("the manager of Brixholm came", &["Brixholm"], "manager"),
            ("the only vet in town came", &[], "only vet"),
            ("the only French dentist on the island", &[], "only French dentist"),
            (
                "Then Secretary Okonkwo left. The defence secretary added",
                &["Okonkwo"],
                "defence secretary",
            ),
        ] {
            assert!(
                found(text, names).contains(&office.to_owned()),
                "{text}: {:?}",
                found(text, names)
            );
        }
        for plain in [
            "the driver, the officer at the gate, the guard on duty, the only guard at the gate",
            "the head of the queue at the embassy, the manager of the bank, the manager",
            "the only nurse on duty, the only doctor at the time, the only way in, the only engineer on site",
            "The secretary added that the director of the play is at the door.",
        ] {
            assert_eq!(found(plain, &[]), Vec::<String>::new(), "{plain}");
        }
        // Her title is masked; whose office it may be elsewhere is not told.
        let commander = found(
            "The driver of Okonkwo saw Commander Okonkwo. Ask the commander.",
            &["Okonkwo"],
        );
        assert!(!commander.contains(&"commander".to_owned()) && !commander.contains(&"driver".to_owned()));
    }

    #[test]
    fn offices_of_one_person_are_found() {
        assert_eq!(found("then the Foreign Secretary spoke", &[]), ["Foreign Secretary"]);
        assert_eq!(
            found("the Minister for the Interior came", &[]),
            ["Minister for the Interior"]
        );
        assert_eq!(
            found(
                "the Iraqi commander and his Chief of Staff met the ministry's spokesman",
                &[]
            ),
            ["Iraqi commander", "his Chief of Staff", "ministry's spokesman"]
        );
        for plain in [
            "the minister and the director came; the Director left",
            "ask the commander or the chief of the night shift",
            "the senior adviser and the press secretary",
        ] {
            assert_eq!(found(plain, &[]), Vec::<String>::new(), "{plain}");
        }
    }
}
