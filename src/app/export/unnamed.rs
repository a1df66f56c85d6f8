//! How others are left unnamed in what somebody is told about themselves: their names are replaced in texts, and whose client a
//! note is kept under is told of their own alone.

use super::super::context::Desk;
use super::super::error::{Error, Kind};
use super::super::known::Identifiers;
use super::subject::SubjectQuery;
use crate::brief::{Finder, Kind as What, Known, Prepared, Profile, Refused, redact};
use crate::gate::{Handed, fold};
use std::collections::BTreeSet;

/// In the place of another client's name.
const ANOTHER: &str = "another client";

/// How others are left unnamed.
pub(super) struct Redacting {
    profile: Profile,
    /// The people of the vault, and the other clients under whom these notes are kept.
    known: Known,
    /// The other clients alone.
    clients: Known,
    /// What the subject is called, folded.
    own: BTreeSet<String>,
}

impl Desk<'_> {
    /// The vault's profile of that name, which lets the subject's own names pass.
    pub(super) fn profile_for(&self, query: &SubjectQuery) -> Result<Option<Profile>, Error> {
        let Some(name) = &query.redact else { return Ok(None) };
        let words = let_pass(query).flat_map(|name| name.split(|c: char| !c.is_alphanumeric() && !"'-".contains(c)));
        let words: BTreeSet<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let profile = self.profile(name)?.allowing(words);
        profile
            .map(Some)
            .map_err(|bad| Error::new(Kind::Usage, bad.to_string()))
    }

    /// The same with what is known of others: a note in which the subject is named may be another client's.
    pub(super) fn redacting(
        &self,
        profile: Profile,
        query: &SubjectQuery,
        handed: &[Handed],
    ) -> Result<Redacting, Error> {
        let own: BTreeSet<String> = subject(query).map(|name| fold(name.trim())).collect();
        let clients: BTreeSet<&str> = handed.iter().map(|item| item.metadata.client.trim()).collect();
        let others = clients.into_iter().filter(|client| !own.contains(&fold(client)));
        let words: BTreeSet<String> = let_pass(query).flat_map(words_of).collect();
        let values: Vec<(What, String)> = others.flat_map(|client| names_of(client, &words)).collect();
        let identifiers = Identifiers::given(values);
        Ok(Redacting {
            profile,
            known: self.known_of(std::iter::once(&identifiers), &[], &[])?,
            clients: identifiers.known()?,
            own,
        })
    }
}

/// What the subject is called.
fn subject(query: &SubjectQuery) -> impl Iterator<Item = &String> {
    query.client.iter().chain(&query.person)
}

/// What may stay in the texts.
fn let_pass(query: &SubjectQuery) -> impl Iterator<Item = &String> {
    subject(query).chain(&query.allow)
}

fn words_of(name: impl AsRef<str>) -> Vec<String> {
    let folded = fold(name.as_ref());
    let words = folded.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// By what another client is known in a text of which these words may stay. A name that shares a word with the subject's, as
/// within a family, counts as a whole, and by the rest of it.
fn names_of(client: &str, stay: &BTreeSet<String>) -> Vec<(What, String)> {
    let words = words_of(client);
    let rest: Vec<&str> = words
        .iter()
        .filter(|word| !stay.contains(*word))
        .map(String::as_str)
        .collect();
    match rest.len() {
        0 => Vec::new(),
        count if count == words.len() => vec![(What::Client, client.to_owned())],
        // `The` by itself would be found in every text.
        _ if rest.iter().all(|word| word.chars().count() < 4) => vec![(What::Other, client.to_owned())],
        _ => vec![(What::Other, client.to_owned()), (What::Client, rest.join(" "))],
    }
}

impl Redacting {
    /// Whether a note of that client's is the subject's own, or nobody's.
    pub(super) fn is_own(&self, client: &str) -> bool {
        client.trim().is_empty() || self.own.contains(&fold(client.trim()))
    }

    /// What is told of the client that a note is kept under.
    pub(super) fn client<'c>(&self, client: &'c str) -> &'c str {
        match self.is_own(client) {
            true => client,
            false => ANOTHER,
        }
    }

    /// A text with others left unnamed, and how many words of it are doubtful.
    pub(super) fn words(&self, text: &str) -> Result<(String, usize), Error> {
        let redacted = redact(text, &self.profile, &self.known).map_err(refused)?;
        Ok((redacted.text, redacted.doubtful.len()))
    }

    /// To whom something was given. A subject may know who has it: only another client is left unnamed.
    pub(super) fn recipient(&self, to: &str) -> Result<String, Error> {
        let prepared = Prepared::new(to).map_err(|bad| refused(bad.into()))?;
        match self.clients.find(&prepared).is_empty() {
            true => Ok(to.to_owned()),
            false => self.words(to).map(|(text, _)| text),
        }
    }
}

fn refused(why: Refused) -> Error {
    Error::new(
        Kind::Failed,
        format!("a note cannot be redacted: {why}; nothing was written"),
    )
    .hint("leave --redact out and redact by hand what is given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_client_is_known_by_what_is_not_the_subject_s_own() {
        let stay: BTreeSet<String> = words_of("Lena Hauk").into_iter().collect();
        let known = |client: &str| names_of(client, &stay);
        let whole = |name: &str| (What::Other, name.to_owned());
        let name = |name: &str| (What::Client, name.to_owned());
        assert_eq!(known("Ms Adaeze Okonjo-Vale"), [name("Ms Adaeze Okonjo-Vale")]);
        assert_eq!(known("Jonas Hauk"), [whole("Jonas Hauk"), name("jonas")]);
        assert_eq!(known("Hauk-Weber"), [whole("Hauk-Weber"), name("weber")]);
        assert_eq!(known("The Hauks"), [name("The Hauks")]);
        assert_eq!(known("The HAUK"), [whole("The HAUK")]);
        assert_eq!(known("Hauk"), []);
    }
}
