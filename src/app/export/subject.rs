//! What is kept about somebody, for them: their notes in plain form, who saw these, who was given something of them.

use super::super::concerns::without_sealed_files;
use super::super::context::{Context, Desk};
use super::super::error::Error;
use super::files::{Files, MANIFEST, SIGNATURE, check_notice, filled, number_of, plain_name, shown};
use super::taking::{PictureOut, Taken, that_come_out, write_contents};
use super::unnamed::Redacting;
use super::{Which, by_note, check_recipients};
use crate::casework::{Kept, RetentionDates, day_text, reserved};
use crate::chain::{Namespace, Time, public_line};
use crate::gate::{Handed, Nature};
use crate::id::{Digest, EntryRef, PersonId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const README: &str = include_str!("subject-readme.md");
/// What is said of entries by which something may have been given too.
const UNOPENED: &str = "of the entries in the log did not open for whoever made this, and an auditor of the vault has to say whether \
                        more was given by them";

/// What is to be told to whom about whom.
pub struct SubjectQuery {
    /// The client whose notes they are.
    pub client: Option<String>,
    /// A name, for the notes in which it stands.
    pub person: Option<String>,
    /// Earlier revisions too.
    pub all_revisions: bool,
    /// The profile by which others are left unnamed.
    pub redact: Option<String>,
    /// Words of the subject's that stay.
    pub allow: Vec<String>,
    /// To whom it goes.
    pub to: Vec<String>,
    /// Words that stand first.
    pub notice: Option<String>,
    /// The new folder.
    pub out: PathBuf,
}

/// What was given out.
pub struct ExportedSubject {
    /// How many notes.
    pub notes: usize,
    /// How many attachments.
    pub attachments: usize,
    /// Which of them are pictures that tell something beside the picture, or may.
    pub pictures: Vec<PictureOut>,
    /// How many were left out, because nobody can redact them.
    pub left_out: usize,
    /// To how many recipients something was given before, as far as the log opened.
    pub disclosures: usize,
    /// How many entries did not open by which something may have been given too.
    pub unopened: u64,
    /// How many reads, drafts and releases of others did not open.
    pub closed: u64,
    /// How many words a person has to look at.
    pub doubtful: usize,
    /// Digest of the manifest.
    pub sha256: Digest,
    /// The entry under which it left.
    pub entry: EntryRef,
}

/// Tells what is kept about somebody. As for a pack, it is made under one entry and leaves under another.
pub fn export_subject(context: &Context<'_>, query: &SubjectQuery) -> Result<ExportedSubject, Error> {
    check_recipients(&query.to)?;
    check_notice(query.notice.as_deref())?;
    let which = Which {
        client: query.client.clone(),
        naming: query.person.clone(),
        ..Which::default()
    };
    let folder = context.person.create_folder(&query.out)?;
    let unlocked = context.unlock()?;
    let (taken, handed, redacting, reviews) = {
        let mut desk = unlocked.desk(context)?;
        let profile = desk.profile_for(query)?;
        let (taken, handed) = desk.take_out(&which)?;
        let redacting = profile.map(|profile| desk.redacting(profile, query, &handed));
        let redacting = redacting.transpose()?;
        let reviews = desk.reviews(&handed);
        (taken, handed, redacting, reviews)
    };
    let handed = that_come_out(context, &unlocked, handed)?;
    let mut files = Files::default();
    let mut told = Told::default();
    told.add_notes(&mut files, query, &taken, handed, redacting.as_ref(), &reviews)?;
    let mut numbers = Numbers::default();
    let sights = taken.custody.sights(|entry, who| match redacting {
        None => who.to_owned(),
        Some(_) => numbers.of(entry.actor),
    });
    files.add("who-saw.csv", sights);
    let (disclosures, given) = taken.custody.disclosures(|to| match &redacting {
        None => Ok(to.to_owned()),
        Some(redacting) => redacting.recipient(to),
    })?;
    files.add("disclosures.csv", disclosures);
    let identity = &unlocked.identity;
    let key = public_line(&identity.public_key());
    files.add(
        "signers",
        format!("{} namespaces=\"export@strongroom\" {key}\n", taken.handle),
    );
    files.add("README.md", told.readme(query, &taken, given, redacting.is_some()));
    let manifest = files.manifest();
    let sha256 = crate::crypto::sha256(&[manifest.as_bytes()]);
    files.add(SIGNATURE, identity.sign(Namespace::Export, manifest.as_bytes()));
    files.add(MANIFEST, manifest);

    let (entry, contents) = {
        let mut desk = unlocked.desk(context)?;
        desk.give_out("export subject", &which, &query.to, &taken, sha256)?
    };
    let attached = files.write(&*folder)?;
    let pictures = write_contents(context, &unlocked, &*folder, &attached, contents)?;
    folder.keep()?;
    Ok(ExportedSubject {
        notes: taken.notes.len(),
        attachments: attached.len(),
        pictures,
        left_out: told.left_out,
        disclosures: given,
        unopened: taken.custody.unopened,
        closed: taken.custody.closed,
        doubtful: told.doubtful,
        sha256,
        entry,
    })
}

impl Desk<'_> {
    /// What the level of each of these is called, and what its retention says of it.
    fn reviews(&self, handed: &[Handed]) -> Reviews {
        let (retention, levels) = (self.retention(), self.policies.levels());
        let review = |item: &Handed| {
            let level = item.label.level();
            let modified = Time::from_unix(item.metadata.modified);
            let dates = retention.dates(&Kept::of(&item.metadata.fields, level, modified), levels);
            (item.body, (levels.rules(level).name.clone(), dates))
        };
        handed.iter().map(review).collect()
    }
}

/// What a subject is not told: of a concern the key of whoever raised it, whom they left out and wrote to, and from which file
/// it came; and which level it bore once.
const UNTOLD: [&str; 6] = [
    reserved::HIGHEST,
    reserved::REPLY_KEY,
    reserved::LEFT_OUT,
    reserved::READERS,
    reserved::SEALED_FILE,
    reserved::IMPORTED_KEY,
];

/// The fields that a subject is told.
fn told_fields(fields: &[(String, String)]) -> impl Iterator<Item = &(String, String)> {
    fields.iter().filter(|(name, _)| !UNTOLD.contains(&name.as_str()))
}

/// By the body: what its level is called, and until when it is kept.
type Reviews = BTreeMap<Digest, (String, RetentionDates)>;

/// People by number, in the order in which they turn up.
#[derive(Default)]
struct Numbers(BTreeMap<PersonId, usize>);

impl Numbers {
    fn of(&mut self, person: PersonId) -> String {
        let next = self.0.len() + 1;
        format!("member {}", self.0.entry(person).or_insert(next))
    }
}

/// What was put into the files.
#[derive(Default)]
struct Told {
    attachments: usize,
    left_out: usize,
    doubtful: usize,
    contents: String,
}

impl Told {
    fn add_notes(
        &mut self,
        files: &mut Files,
        query: &SubjectQuery,
        taken: &Taken,
        handed: Vec<Handed>,
        redacting: Option<&Redacting>,
        reviews: &Reviews,
    ) -> Result<(), Error> {
        let mut notes: Vec<Vec<Handed>> = by_note(handed, |item| item.note).into_values().collect();
        let began = |items: &Vec<Handed>| items.iter().map(|item| item.metadata.created).min();
        notes.sort_by_key(began);
        let mut names = BTreeSet::new();
        for (n, items) in notes.into_iter().enumerate() {
            let (mut texts, attached): (Vec<Handed>, Vec<Handed>) =
                items.into_iter().partition(|item| item.nature == Nature::Note);
            // The newest first; what another revision follows is an earlier one.
            texts.sort_by_key(|item| std::cmp::Reverse((item.metadata.modified, item.metadata.number)));
            let followed: BTreeSet<Digest> = texts.iter().flat_map(|item| item.metadata.parents.clone()).collect();
            texts.retain(|item| query.all_revisions || !followed.contains(&item.body));
            let Some(first) = texts.first() else { continue };
            let day = Time::from_unix(first.metadata.created).to_string();
            let file = format!("notes/{:03}-{}.md", n + 1, &day[..10]);
            let title = self.words(&first.metadata.title, redacting)?;
            self.contents.push_str(&format!("- `{file}`: {}\n", shown(&title)));
            let mut pages = Vec::with_capacity(texts.len());
            for item in &texts {
                pages.push(self.page(item, taken, redacting, reviews)?);
            }
            files.add(file, pages.join("\n---\n\n"));
            for item in attached {
                let Some(attachment) = &item.attachment else { continue };
                match redacting {
                    Some(_) => self.left_out += 1,
                    None => {
                        self.attachments += 1;
                        let name = plain_name(&format!("{:03}-{}", n + 1, attachment.name), &mut names);
                        files.add_attached(format!("attachments/{name}"), item.body, attachment.sha256);
                    }
                }
            }
        }
        Ok(())
    }

    /// One revision as somebody reads it who knows nothing of vaults.
    fn page(
        &mut self,
        item: &Handed,
        taken: &Taken,
        redacting: Option<&Redacting>,
        reviews: &Reviews,
    ) -> Result<String, Error> {
        let metadata = &item.metadata;
        let client = redacting.map_or(metadata.client.as_str(), |with| with.client(&metadata.client));
        // Of another client's note the case is theirs too.
        let case = match redacting.is_none_or(|with| with.is_own(&metadata.client)) {
            true => self.words(&metadata.case, redacting)?,
            false => String::new(),
        };
        let at = |unix: i64| Time::from_unix(unix).to_string();
        let mut page = format!("# {}\n\n", shown(&self.words(&metadata.title, redacting)?));
        let mut line = |name: &str, value: &str| page.push_str(&format!("- {name}: {}\n", shown(value)));
        line("note", &item.note.to_string());
        line("first written", &at(metadata.created));
        line(
            &format!("this revision, number {}", metadata.number),
            &at(metadata.modified),
        );
        if let Some(happened) = metadata.happened {
            line("happened", &at(happened));
        }
        if redacting.is_none() {
            line(
                "written by",
                taken.handles.get(&metadata.author).map_or("", String::as_str),
            );
        }
        for (name, value) in [("client", client), ("case", case.as_str())] {
            if !value.is_empty() {
                line(name, value);
            }
        }
        if let Some((level, dates)) = reviews.get(&item.body) {
            line("classified", level);
            let day = |time: Option<Time>| time.map_or_else(|| "no time is set".to_owned(), day_text);
            line("to be looked at again", &day(dates.review));
            line("kept no longer after", &day(dates.purge));
        }
        let mut fields = Vec::with_capacity(metadata.fields.len());
        for (name, value) in told_fields(&metadata.fields) {
            fields.push((self.words(name, redacting)?, self.words(value, redacting)?));
        }
        for (name, value) in fields {
            page.push_str(&format!("- {}: {}\n", shown(&name), shown(&value)));
        }
        let text = self.words(&without_sealed_files(item.text()), redacting)?;
        page.push_str(&format!("\n{}\n", text.trim_end()));
        Ok(page)
    }

    /// A text with others left unnamed, if that was asked for.
    fn words(&mut self, text: &str, redacting: Option<&Redacting>) -> Result<String, Error> {
        let Some(with) = redacting.filter(|_| !text.trim().is_empty()) else {
            return Ok(text.to_owned());
        };
        let (text, doubtful) = with.words(text)?;
        self.doubtful += doubtful;
        Ok(text)
    }

    fn readme(&self, query: &SubjectQuery, taken: &Taken, given: usize, redacted: bool) -> String {
        let subject = query.client.iter().chain(&query.person).map(|name| shown(name));
        let client = query
            .client
            .iter()
            .map(|name| format!("`{}` as the client of a note", shown(name)));
        let person = query
            .person
            .iter()
            .map(|name| format!("`{}` word for word in a note's newest text", shown(name)));
        let looked: Vec<String> = client.chain(person).collect();
        let attachments = match (self.attachments, self.left_out) {
            (0, 0) => "none were attached".to_owned(),
            (0, left) => format!(
                "left out: {}, which cannot be redacted here",
                number_of(left, "attachment")
            ),
            (count, _) => format!(
                "{} of these notes, each as it was attached",
                number_of(count, "attachment")
            ),
        };
        let revisions = match query.all_revisions {
            true => "Drafts and briefs that were made of the notes; `disclosures.csv` says to whom briefs went.",
            false => {
                "Earlier revisions of the notes, and drafts and briefs that were made of them; you can ask for these."
            }
        };
        let redacted = match redacted {
            true => {
                "Other people: a program replaced their names and what points to them, and whoever made this has to have read \
                 what is left. Members of the vault have numbers."
            }
            false => "Nothing was taken out of the texts.",
        };
        let closed = match (taken.custody.oversees, taken.custody.closed) {
            (true, 0) => "Of who saw these notes nothing is left out: all of the log was looked at.".to_owned(),
            (_, closed) => format!(
                "Perhaps some of who saw them: {closed} of the reads, drafts and releases in the log did not open for whoever made this."
            ),
        };
        let notice = query.notice.as_deref();
        let notice = notice.map(|notice| format!("> {}\n\n", notice.replace('\n', "\n> ")));
        let to = match query.to.as_slice() {
            [] => String::new(),
            names => format!(" for {}", shown(&names.join(", "))),
        };
        let contents = self.contents.clone();
        let words = [
            ("{subject}", subject.collect::<Vec<_>>().join(" and ")),
            ("{notice}", notice.unwrap_or_default()),
            ("{made}", taken.made.to_string()),
            ("{by}", taken.handle.clone()),
            ("{handle}", taken.handle.clone()),
            ("{to}", to),
            ("{notes}", number_of(taken.notes.len(), "note")),
            ("{attachments}", attachments),
            (
                "{disclosures}",
                match (given, taken.custody.unopened) {
                    (0, 0) => "so far to nobody".to_owned(),
                    (count, 0) => number_of(count, "time"),
                    // Who does not see all of the log cannot say that nobody was given anything.
                    (count, more) => format!("at least {}; {more} {UNOPENED}", number_of(count, "time")),
                },
            ),
            ("{contents}", contents),
            ("{looked}", looked.join(", or ")),
            ("{revisions}", revisions.to_owned()),
            ("{redacted}", redacted.to_owned()),
            ("{closed}", closed),
        ];
        filled(README, &words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_not_told_who_raised_a_concern_or_for_whom() {
        let fields = [
            "acknowledged",
            "left-out",
            "readers",
            "reply-key",
            "sealed-file",
            "substantiated",
        ];
        let fields = fields.map(|name| (name.to_owned(), "x".to_owned()));
        let told: Vec<&str> = told_fields(&fields).map(|(name, _)| name.as_str()).collect();
        assert_eq!(told, ["acknowledged", "substantiated"]);
    }
}
