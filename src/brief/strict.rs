//! The strict rule: a token passes only if it is an ordinary word or expressly allowed.

use super::finding::{Finder, Finding, Kind, Weight};
use super::names::is_proper;
use super::prepared::{Prepared, Token};
use super::scan::MASKED;
use super::tagger::has;
use super::words::{Word, without_contraction};

/// Finds whatever is not known to be safe.
#[derive(Debug, Clone, Copy)]
pub struct Unlisted {
    /// Whole numbers up to this one pass as quantities; 0: none.
    pub numbers_up_to: u32,
}

impl Finder for Unlisted {
    fn find(&self, text: &Prepared) -> Vec<Finding> {
        let mut found = Vec::new();
        for (at, token) in text.tokens.iter().enumerate() {
            if !self.passes(text, at, token) {
                let kind = if token.digit { Kind::Number } else { Kind::Other };
                found.push(Finding::new(token.at.clone(), kind, Weight::Unlisted));
            }
        }
        capital_pairs(text, &mut found);
        strange_characters(text, &mut found);
        found
    }
}

impl Unlisted {
    fn passes(&self, text: &Prepared, at: usize, token: &Token) -> bool {
        let word = text.lower_of(token);
        if token.digit {
            let part_of_more = at > 0 && glued(text.between(&text.tokens[at - 1], token))
                || text
                    .tokens
                    .get(at + 1)
                    .is_some_and(|next| glued(text.between(token, next)) && next.digit);
            return !part_of_more && word.parse::<u32>().is_ok_and(|number| number <= self.numbers_up_to);
        }
        // A number in words is a number.
        if token.lists & (has::FIGURE | has::TEN) != 0 && !matches!(word, "one" | "oh" | "tree") {
            return self.numbers_up_to >= 90;
        }
        match token.word {
            Word::Function => !is_proper(token) || has_its_capital(text, token),
            // A capital in mid-sentence makes a name of anything.
            Word::Ordinary => !is_proper(token),
            Word::NameLike => !token.capital || is_told(text, at),
            Word::Unknown => false,
        }
    }
}

/// Whether a word without which no sentence does has a capital wherever it stands: `I`, `Friday`, `Mr`. `May` is a name
/// as often; as a month it is found by what stands before it.
fn has_its_capital(text: &Prepared, token: &Token) -> bool {
    let word = without_contraction(text.lower_of(token));
    word == "i" || token.lists & (has::CALENDAR | has::TITLE) != 0 && word != "may"
}

/// `Mark the door`: a sentence that begins with a verb tells somebody what to do. It passes, and
/// the name finder still reports it as a doubt.
pub(crate) fn is_told(text: &Prepared, at: usize) -> bool {
    const AFTER_A_VERB: [&str; 14] = [
        "a", "all", "an", "any", "both", "each", "every", "no", "our", "that", "the", "their", "this", "your",
    ];
    let next = text.tokens.get(at + 1);
    text.tokens[at].first
        && next.is_some_and(|next| {
            text.between(&text.tokens[at], next) == " " && AFTER_A_VERB.contains(&text.lower_of(next))
        })
}

/// Whether what stands between two tokens makes one number or code of them.
fn glued(gap: &str) -> bool {
    matches!(gap, "-" | "/" | "." | "," | ":" | "_" | "#" | "+")
}

/// Two capitals on ordinary words in the middle of a sentence make a name: `Scotland Yard`.
fn capital_pairs(text: &Prepared, found: &mut Vec<Finding>) {
    let proper = |token: &Token| {
        token.capital
            && !token.caseless
            && !token.shouted
            && !token.first
            && matches!(token.word, Word::Ordinary | Word::NameLike)
    };
    for pair in text.tokens.windows(2) {
        if proper(&pair[0]) && proper(&pair[1]) && matches!(text.between(&pair[0], &pair[1]), " " | "-") {
            found.push(Finding::new(
                pair[0].at.start..pair[1].at.end,
                Kind::Organisation,
                Weight::Unlisted,
            ));
        }
    }
}

/// Characters beyond letters, digits and plain punctuation, flags and pictures among them.
fn strange_characters(text: &Prepared, found: &mut Vec<Finding>) {
    for (at, c) in text.folded.char_indices().filter(|(_, c)| !is_plain(*c)) {
        // With the word it stands in: half a word beside a placeholder would tell the other half.
        let before = text.folded[..at].trim_end_matches(char::is_alphanumeric).len();
        let after = &text.folded[at + c.len_utf8()..];
        let end = text.folded.len() - after.trim_start_matches(char::is_alphanumeric).len();
        found.push(Finding::new(before..end, Kind::Other, Weight::Unlisted));
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii() || c.is_alphanumeric() || matches!(c, '…' | '•' | '·' | '§' | '°' | '£' | '€' | MASKED)
}

/// The same where they pass, each row of them as a doubt: flags spell a country, and Braille spells anything. What is
/// typed as punctuation, to reckon, to draw a line or to tick something off says nothing.
pub(crate) fn strange(text: &Prepared) -> Vec<Finding> {
    let says_something = |c: char| {
        let sign = matches!(
            c,
            '¡' | '¿' | '¢' | '¥' | '₹' | '©' | '®' | '™' | '¶' | '†' | '‡' | '\u{FFFD}'
        ) || matches!(c, '¬' | '±' | '×' | '÷' | '‰' | '\u{2190}'..='\u{22FF}' | '\u{2500}'..='\u{25FF}')
            || matches!(c, '☐'..='☒' | '✓'..='✘');
        !sign && !is_plain(c) && !c.is_whitespace()
    };
    let mut found: Vec<Finding> = Vec::new();
    for (at, c) in text.folded.char_indices().filter(|(_, c)| says_something(*c)) {
        let end = at + c.len_utf8();
        match found.last_mut() {
            Some(last) if last.at.end == at => last.at.end = end,
            _ => found.push(Finding::doubt(
                at..end,
                Kind::Other,
                "a sign or picture that may tell something",
            )),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str, numbers_up_to: u32) -> Vec<String> {
        let prepared = Prepared::new(text).unwrap();
        let all = Unlisted { numbers_up_to }.find(&prepared);
        all.iter()
            .map(|finding| prepared.folded[finding.at.clone()].to_owned())
            .collect()
    }

    #[test]
    fn only_ordinary_words_pass() {
        assert_eq!(
            found("Guards walked to the gates, didn't they?", 0),
            Vec::<String>::new()
        );
        assert_eq!(found("the xylofrob met okonkwo", 0), ["xylofrob", "okonkwo"]);
        assert_eq!(found("then Rose rose", 0), ["Rose"]);
        assert_eq!(found("Mark the door. Rose came.", 0), ["Rose"]);
        assert_eq!(
            found("So Day and I'll see Mr Case on Friday in October, if May can.", 0),
            ["Day", "Case", "May"]
        );
        assert_eq!(
            found("Day walks to the Home Key\n\nTHE HOME KEY, an ID", 0),
            ["Home", "Key"]
        );
        assert_eq!(found("the \u{1F1EB}\u{1F1F7} flag", 0).len(), 2);
    }

    #[test]
    fn signs_that_may_tell_something_are_doubted() {
        let doubted = |text: &str| {
            let text = Prepared::new(text).unwrap();
            let all = strange(&text).into_iter();
            all.map(|doubt| text.folded[doubt.at].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            doubted("Ask \u{1F1F7}\u{1F1F4}\u{1F1F8}\u{1F1EA} or ⠁⠵⠗⠁ there").len(),
            2
        );
        for plain in ["30 °C ± 2, “5 × 3” → ok ✓", "Zoë’s café – ½ of £7 … • ☐ ■ №"] {
            assert_eq!(doubted(plain), Vec::<String>::new());
        }
    }

    #[test]
    fn numbers_pass_only_as_small_quantities() {
        assert_eq!(found("send 3 guards to 12 doors", 0), ["3", "12"]);
        assert_eq!(
            found("send 3 guards to 12 doors, not 1-2 or 3.5", 10),
            ["12", "1", "2", "3", "5"]
        );
    }
}
