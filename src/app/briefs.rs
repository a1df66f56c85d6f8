//! Briefs: draft, check, list; and redaction of any text without a vault.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::Looking;
use super::known::Around;
use super::table::typed;
use crate::brief::{
    BriefFile, BriefText, Doubt, Format, Header, Judged, Known, Leak, Making, Naming, Profile, Redaction, Refused,
    SHIPPED, Source, Span, check_placed, compose, redact, redisclosure, render, shipped,
};
use crate::casework::reserved;
use crate::chain::{Details, Kind as EntryKind, Time};
use crate::crypto::make_random;
use crate::env::{SystemEntropy, read_bounded};
use crate::gate::{FURTHER_MAX, Filter, Listed, Metadata, Nature, OpenNote, named_further};
use crate::id::{EntryRef, NoteId};
use crate::label::{Label, Level};
use crate::ledger::Draft;
use crate::policy::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the person sees of a draft or brief kept as a note: its text rather than its frame.
pub(super) fn readable_text(text: &str) -> Option<String> {
    BriefFile::parse(text).map(|file| file.left.map_or(file.text, |left| left.exact))
}

/// What to draft from.
pub struct DraftQuery {
    /// Ids of the notes, in order.
    pub sources: Vec<String>,
    /// The profile's name.
    pub profile: String,
    /// The audience's level; the profile's lowest if none.
    pub audience: Option<String>,
    /// Words to mask as well.
    pub mask: Vec<String>,
    /// Doubtful words that may pass; needs a reason, which is logged.
    pub allow: Vec<String>,
    /// About how many words it may have at most.
    pub length: Option<usize>,
    /// Whether its placeholders are those of its case, in every brief of it.
    pub by_case: bool,
    /// How it is to be written when it is released; then it is also given out so.
    pub format: Option<Format>,
}

/// A draft.
pub struct Drafted {
    /// Its id.
    pub draft: NoteId,
    /// The label a brief made of it will carry.
    pub label: String,
    /// The mark of that label.
    pub mark: String,
    /// The redacted text.
    pub text: String,
    /// What was replaced, by type.
    pub removed: BTreeMap<String, usize>,
    /// What a person has to decide before it can be released.
    pub doubtful: Vec<Doubt>,
    /// How many portions were left out whole.
    pub left_out: usize,
    /// How many sentences and items were left out to make it short.
    pub shortened: usize,
    /// The text before redaction, without what was left out.
    pub source: zeroize::Zeroizing<String>,
    /// What of it was replaced.
    pub spans: Vec<Span>,
    /// The words that stayed although they have a capital or a figure.
    pub kept: Vec<String>,
    /// The draft as the brief would be written, where a format was asked for.
    pub rendered: Option<String>,
    /// The entry.
    pub entry: EntryRef,
}

/// Drafts a brief: opens the sources and what else is known of their clients, looks at the headings of all other notes,
/// redacts, and keeps the draft sealed at the sources' label.
pub fn draft_brief(context: &Context<'_>, query: &DraftQuery) -> Result<Drafted, Error> {
    if query.mask.iter().chain(&query.allow).any(|word| word.trim().is_empty()) {
        return Err(Error::new(
            Kind::Usage,
            "an empty word can neither be masked nor allowed; nothing was drafted",
        ));
    }
    let allowed: usize = query.allow.iter().map(|word| word.chars().count() + 2).sum();
    if allowed > 400 {
        return Err(Error::new(
            Kind::Usage,
            "so many words cannot be allowed at once: the entry has to name each of them",
        ));
    }
    if !query.allow.is_empty() && !context.has_reason() {
        return Err(Error::new(
            Kind::Usage,
            "to let a doubtful word pass, say why: --why TEXT",
        ));
    }
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let details = desk.details("brief draft");
    let mut sources = Vec::new();
    let mut label: Option<Label> = None;
    for asked in &query.sources {
        let Some((note, found, _)) = desk.find(asked)? else {
            return Err(desk.not_there(details, asked)?);
        };
        let join = label.as_ref().map_or(Some(found.clone()), |label| label.join(&found));
        label = Some(join.ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "these notes are named to different people; brief them apart",
            )
        })?);
        if !sources.contains(&note) {
            sources.push(note);
        }
    }
    let label = label.ok_or_else(|| Error::new(Kind::Usage, "name at least one note to brief from"))?;
    let profile = desk.profile(&query.profile)?.allowing(query.allow.clone());
    let profile = profile.map_err(|bad| Error::new(Kind::Usage, bad.to_string()))?;
    let audience = match &query.audience {
        None => profile.label(),
        Some(name) => desk.level(name)?,
    };
    let mut details_read = details.clone();
    details_read.verb = "draft-read".into();
    let asked = format!("profile {}, for {}", profile.name(), desk.level_name(audience));
    details_read.asked = Some(short(asked));
    let gathered = desk.gather(
        Action::BriefDraft,
        Some(audience),
        details_read,
        &sources,
        Around::Clients,
        &query.sources.join(" "),
    )?;
    let mut seconded = false;
    for open in &gathered.sources {
        seconded |= desk.may_brief(open.note, &open.metadata, audience)?;
    }
    let headings = desk.headings("draft-names", &gathered)?;
    let known = desk.known(
        gathered.sources.iter().chain(&gathered.others),
        headings,
        &query.mask,
        &query.allow,
    )?;
    let occurs = |word: &&String| {
        gathered
            .sources
            .iter()
            .any(|open| fold(open.text()).contains(&fold(word)))
    };
    if let Some(word) = query.mask.iter().find(|word| !occurs(word)) {
        return Err(Error::new(
            Kind::Usage,
            format!("`{word}` does not occur in these notes, so it cannot be masked"),
        )
        .hint("look at its spelling; nothing was drafted"));
    }
    for word in query.allow.iter().filter(|word| !occurs(word)) {
        context.person.warn(&format!(
            "`{word}` occurs nowhere in these notes: to allow it changes nothing"
        ));
    }
    let texts: Vec<Source<'_>> = gathered
        .sources
        .iter()
        .map(|open| Source {
            text: open.text(),
            level: open.label.level(),
        })
        .collect();
    let key = match query.by_case {
        true => Some(desk.key_of_the_case(&gathered.sources, &label)?),
        false => None,
    };
    let naming = match &key {
        Some((key, names)) => Naming::Keyed { key, names },
        None => Naming::InOrder,
    };
    // What was to be done by when is measured from the day it was written.
    let written = gathered
        .sources
        .iter()
        .map(|open| open.metadata.created.max(open.metadata.modified))
        .max();
    let written = Time::from_unix(written.unwrap_or_default()).day();
    let profile = profile.written(written);
    let making = Making {
        naming,
        length: query.length,
    };
    let composed = compose(&texts, audience, &profile, &known, making);
    let named = |why: Refused| Error::new(Kind::Failed, why.words(|level| desk.level_name(level)));
    let mut brief = composed.map_err(named)?;
    brief
        .doubtful
        .retain(|doubt| !query.allow.iter().any(|word| word.eq_ignore_ascii_case(&doubt.text)));
    let revision = |note| gathered.bodies.get(note).copied();
    let revisions = sources.iter().filter_map(revision).collect();
    let file = BriefFile {
        v: 2,
        profile: profile.name().to_owned(),
        label: audience.name().to_owned(),
        sources,
        revisions,
        text: brief.text.clone(),
        removed: brief.removed.clone(),
        placed: brief.placed.clone(),
        doubtful: brief.doubtful.iter().map(|doubt| doubt.text.clone()).collect(),
        allowed: query.allow.clone(),
        written: Some(written),
        format: query.format,
        left: None,
    };
    let first = gathered.sources.first();
    let first = first.ok_or_else(|| Error::new(Kind::Failed, "there is nothing to brief from"))?;
    let mut fields = brief_fields(&desk.level_name(audience), &[], "");
    fields.extend(further_fields(&gathered.sources));
    fields.extend(seconded.then(|| (reserved::SECONDED.to_owned(), "yes".to_owned())));
    let metadata = desk.brief_metadata(format!("Draft: {}", first.metadata.title), first, fields);
    let draft = NoteId(make_random(&mut SystemEntropy)?);
    let header = desk.header(draft, audience, &profile, "draft, not released");
    let rendered = query
        .format
        .map(|format| render(&brief.text, &header, format).map_err(refused));
    // A PDF is nothing that a terminal shows: that it can be made is known now, and the text is looked at as it is.
    let rendered = rendered.transpose()?.filter(|_| query.format != Some(Format::Pdf));
    desk.keep_draft(draft, brief, rendered, &file, &metadata, &label, details)
}

/// What a check of a text found.
pub struct BriefCheck {
    /// Where it leaks.
    pub leaks: Vec<Leak>,
}

/// Checks any text against what the vault knows and a profile. The text may come from anywhere; nothing of it is kept.
pub fn check_brief(context: &Context<'_>, text: &[u8], profile: &str) -> Result<BriefCheck, Error> {
    let text = std::str::from_utf8(text)
        .map_err(|_| Error::new(Kind::Failed, "this is not UTF-8 text, so it cannot be checked"))?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let profile = desk.profile(profile)?;
    let details = desk.details("brief check");
    let gathered = desk.gather(Action::Search, None, details, &[], Around::Everything, "brief check")?;
    let (briefs, notes): (Vec<&OpenNote>, Vec<&OpenNote>) =
        gathered.others.iter().partition(|open| open.nature == Nature::Brief);
    let known = desk.known(notes.into_iter(), Vec::new(), &[], &[])?;
    // The id that a brief bears and the placeholders in its text lead nobody anywhere: with them, a brief that was
    // released would not pass.
    // So do the lines that stand above and below every brief.
    let mut placed: Vec<String> = desk.frames();
    let mut ids: Vec<(usize, usize)> = Vec::new();
    let mut written = context.now();
    for brief in briefs {
        let id = brief.note.to_string();
        let mut places = occurrences(text, &id).peekable();
        if places.peek().is_some()
            && let Some(file) = BriefFile::parse(brief.text())
        {
            placed.extend(file.placed);
            written = file.written.unwrap_or(written);
        }
        ids.extend(places);
    }
    let mut leaks = check_placed(text, &profile.written(written), &known, &placed, Judged::Never).map_err(refused)?;
    leaks.retain(|leak| !ids.iter().any(|(start, end)| *start <= leak.start && leak.end <= *end));
    Ok(BriefCheck { leaks })
}

/// Where `word` stands in a text, in code points, end exclusive.
fn occurrences<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
    text.match_indices(word).map(move |(at, found)| {
        let start = text[..at].chars().count();
        (start, start + found.chars().count())
    })
}

/// What the metadata of a draft or brief has as fields: for which level it is, to whom it went, until when it counts.
const FOR: &str = "for";
const TO: &str = "to";
const UNTIL: &str = "until";
/// What stands between two recipients.
const AND: &str = "; ";

/// The fields of a draft, or of a brief that leaves.
pub(super) fn brief_fields(audience: &str, to: &[String], until: &str) -> Vec<(String, String)> {
    let fields = [
        (FOR, audience.to_owned()),
        (TO, to.join(AND)),
        (UNTIL, until.to_owned()),
    ];
    let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The clients and cases of sources but the first, whose are those of the draft.
fn further_fields(sources: &[OpenNote]) -> Vec<(String, String)> {
    let about = |open: &OpenNote| (open.metadata.client.clone(), open.metadata.case.clone());
    let first = sources.first().map(about);
    let all: BTreeSet<(String, String)> = sources.iter().map(about).collect();
    let further = all
        .into_iter()
        .filter(|about| Some(about) != first.as_ref())
        .take(FURTHER_MAX);
    let fields = further
        .enumerate()
        .flat_map(|(n, (client, case))| named_further(n, client, case));
    fields.filter(|(_, value)| !value.is_empty()).collect()
}

/// A line of the list of drafts and briefs.
pub struct BriefLine {
    /// The draft or brief.
    pub listed: Listed,
    /// The label that it is sealed to.
    pub label: String,
    /// Whether it was released.
    pub released: bool,
    /// The level it was made for, as the vault called it then; not known of older ones.
    pub audience: Option<String>,
    /// Who has it.
    pub recipients: Vec<String>,
    /// Until when it may be used.
    pub expires: Option<String>,
}

impl BriefLine {
    fn new(listed: Listed, label: String) -> Self {
        let fields = &listed.metadata.fields;
        let field = |name| {
            fields
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        };
        Self {
            label,
            released: listed.nature == Nature::Brief,
            audience: field(FOR),
            recipients: field(TO).map_or_else(Vec::new, |to| to.split(AND).map(str::to_owned).collect()),
            expires: field(UNTIL),
            listed,
        }
    }
}

/// Lists drafts and briefs one may read, newest first.
pub fn list_briefs(context: &Context<'_>) -> Result<Vec<BriefLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let details = desk.details("brief list");
    let filter = Filter {
        natures: vec![Nature::Draft, Nature::Brief],
        ..Filter::default()
    };
    let lines = desk.find_all(details, &Looking::for_all(Action::List, filter))?;
    Ok(lines
        .into_iter()
        .map(|line| BriefLine::new(line.listed, line.label))
        .collect())
}

/// Redacts a text with no vault: a shipped profile's name, or the path of a profile file.
pub fn redact_text(profile: &Profile, text: &str) -> Result<Redaction, Error> {
    redact(text, profile, &Known::nothing()).map_err(refused)
}

/// A shipped profile, or one from a file.
pub fn load_profile(name: &str) -> Result<Profile, Error> {
    let parse = |text: &str| Profile::parse(text).map_err(|bad| Error::new(Kind::Failed, bad.to_string()));
    match shipped(name) {
        Some(text) => parse(text),
        None if name.ends_with(".toml") => {
            let bytes = read_bounded(Path::new(name), 64 * 1024)?;
            parse(std::str::from_utf8(&bytes).map_err(|_| Error::new(Kind::Failed, "this profile is not text"))?)
        }
        None => Err(no_profile(name)),
    }
}

impl Desk<'_> {
    /// The vault's own profile of that name.
    pub(super) fn profile(&self, name: &str) -> Result<Profile, Error> {
        let content = self
            .ledger
            .charter()
            .policies
            .content(&format!("redaction/{name}.toml"));
        let content = content
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .ok_or_else(|| no_profile(name))?;
        Profile::parse(content).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
    }

    pub(super) fn level(&self, name: &str) -> Result<Level, Error> {
        let level = self.policies.levels().by_name(name);
        level.ok_or_else(|| Error::new(Kind::Usage, format!("there is no level `{}`", typed(name))))
    }

    pub(super) fn brief_metadata(&self, title: String, like: &OpenNote, mut fields: Vec<(String, String)>) -> Metadata {
        fields.sort();
        let now = self.context.now().unix();
        Metadata {
            title: title.chars().take(200).collect(),
            client: like.metadata.client.clone(),
            case: like.metadata.case.clone(),
            created: now,
            modified: now,
            happened: None,
            author: self.identity.person(),
            parents: Vec::new(),
            number: 1,
            fields,
        }
    }

    /// What stands above a brief, with this in place of until when it may be used.
    pub(super) fn header(&self, brief: NoteId, audience: Level, profile: &Profile, until: &str) -> Header {
        Header {
            label: self.level_name(audience),
            mark: self.policies.levels().rules(audience).mark.clone(),
            id: brief.to_string(),
            handling: profile.handling().to_owned(),
            redisclosure: redisclosure(audience).to_owned(),
            expires: (!until.is_empty()).then(|| until.to_owned()),
        }
    }

    /// The marks and lines that stand on the briefs of this vault, whatever is in them.
    fn frames(&self) -> Vec<String> {
        let levels = Level::ALL.into_iter();
        let marks = levels.map(|level| self.policies.levels().rules(level).mark.clone());
        let leave = Level::ALL.into_iter().map(|level| redisclosure(level).to_owned());
        let policies = self.ledger.charter().policies.iter();
        let names = policies.filter_map(|(path, _)| path.strip_prefix("redaction/")?.strip_suffix(".toml"));
        let profiles = names.filter_map(|name| self.profile(name).ok());
        let handling = profiles.map(|profile| profile.handling().to_owned());
        marks.chain(leave).chain(handling).collect()
    }

    /// The key of the placeholders of the one case that these notes belong to, and the full names in them.
    fn key_of_the_case(
        &self,
        sources: &[OpenNote],
        label: &Label,
    ) -> Result<(crate::secret::Secret<32>, Vec<String>), Error> {
        let case = |open: &OpenNote| [fold(&open.metadata.client), fold(&open.metadata.case)];
        let first = sources.first().map(case).filter(|[_, case]| !case.trim().is_empty());
        let Some(first) = first.filter(|first| sources.iter().all(|open| case(open) == *first)) else {
            return Err(Error::new(
                Kind::Usage,
                "these notes do not belong to one case, so their placeholders cannot be those of a case",
            )
            .hint("leave --by-case out, or give them all the same client and case with `strongroom edit`"));
        };
        let key = self.ledger.keyring().case_key(label, &first).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "notes that are named to people share no key by which a case could have placeholders of its own",
            )
            .hint("leave --by-case out")
        })?;
        Ok((key, self.names_in(sources.iter())?))
    }

    #[allow(clippy::too_many_arguments)]
    fn keep_draft(
        &mut self,
        draft: NoteId,
        brief: BriefText,
        rendered: Option<String>,
        file: &BriefFile,
        metadata: &Metadata,
        label: &Label,
        mut details: Details,
    ) -> Result<Drafted, Error> {
        let text = zeroize::Zeroizing::new(written_down(file)?);
        if !file.fits_with(rendered.as_deref().unwrap_or(&file.text)) {
            return Err(too_long());
        }
        let (changes, _) = self.seal(draft, Nature::Draft, metadata, &text, label)?;
        let audience = self.level_of(file)?;
        details.level = Some(audience);
        details.asked = (!file.allowed.is_empty()).then(|| short(format!("allowed: {}", file.allowed.join(", "))));
        let mut notes = file.sources.clone();
        notes.push(draft);
        let recorded = self.record(Draft::change(EntryKind::Draft, details, notes, changes))?;
        Ok(Drafted {
            draft,
            label: self.level_name(audience),
            mark: self.policies.levels().rules(audience).mark.clone(),
            text: brief.text,
            removed: brief.removed,
            doubtful: brief.doubtful,
            left_out: brief.left_out,
            shortened: brief.shortened,
            source: brief.source,
            spans: brief.spans,
            kept: brief.kept,
            rendered,
            entry: recorded.entry(),
        })
    }

    /// For which level a draft or brief was made.
    pub(super) fn level_of(&self, file: &BriefFile) -> Result<Level, Error> {
        let level = Level::ALL.into_iter().find(|level| level.name() == file.label);
        level.ok_or_else(|| {
            Error::new(
                Kind::Tampered,
                "this draft is damaged; `strongroom audit verify` says what else is wrong",
            )
        })
    }
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

pub(super) fn written_down(file: &BriefFile) -> Result<String, Error> {
    let text = file.to_text();
    text.ok_or_else(too_long)
}

fn too_long() -> Error {
    Error::new(Kind::Failed, "this brief is too long to be kept and released").hint("brief fewer notes together")
}

fn no_profile(name: &str) -> Error {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    Error::new(Kind::Usage, format!("there is no profile `{name}`")).hint(format!(
        "shipped are {}",
        SHIPPED.map(|name| format!("`{name}`")).join(", ")
    ))
}

pub(super) fn refused(refusal: Refused) -> Error {
    Error::new(Kind::Failed, refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_brief_went_is_read_back() {
        let to = ["day shift".to_owned(), "Ms Okonjo-Vale".to_owned()];
        for (to, until) in [(&to[..], "2026-11-22T00:00:00Z"), (&to[..1], ""), (&[], "")] {
            let fields = brief_fields("internal", to, until);
            assert!(fields.windows(2).all(|pair| pair[0].0 < pair[1].0), "{fields:?}");
            let field = |name| {
                fields
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.as_str())
            };
            assert_eq!(field(FOR), Some("internal"));
            assert_eq!(
                field(TO)
                    .map(|said| said.split(AND).collect::<Vec<_>>())
                    .unwrap_or_default(),
                to
            );
            assert_eq!(field(UNTIL).unwrap_or_default(), until);
        }
    }

    #[test]
    fn a_word_is_found_at_its_places_in_code_points() {
        let places: Vec<_> = occurrences("é 3f2a, ü3f2a", "3f2a").collect();
        assert_eq!(places, [(2, 6), (9, 13)]);
        assert_eq!(occurrences("none", "3f2a").count(), 0);
    }
}
