//! The strict rule: a token passes only if it is an ordinary word or expressly allowed.

use super::finding::{Finder, Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::tagger::has;
use super::words::Word;

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
            Word::Function => true,
            // A capital in mid-sentence makes a name of anything.
            Word::Ordinary => !token.capital || token.first || token.caseless || token.shouted,
            Word::NameLike => !token.capital || is_told(text, at),
            Word::Unknown => false,
        }
    }
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
    for (at, c) in text.folded.char_indices() {
        let plain = c.is_ascii()
            || c.is_alphanumeric()
            || matches!(c, '…' | '•' | '·' | '§' | '°' | '£' | '€' | super::scan::MASKED);
        if !plain {
            // With the word it stands in: half a word beside a placeholder would tell the other half.
            let before = text.folded[..at].trim_end_matches(char::is_alphanumeric).len();
            let after = &text.folded[at + c.len_utf8()..];
            let end = text.folded.len() - after.trim_start_matches(char::is_alphanumeric).len();
            found.push(Finding::new(before..end, Kind::Other, Weight::Unlisted));
        }
    }
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
        assert_eq!(found("the \u{1F1EB}\u{1F1F7} flag", 0).len(), 2);
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
