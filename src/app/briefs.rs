//! Briefs: draft, release, check, list; and redaction of any text without a vault.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::{Looking, NoteLine};
use super::known::Around;
use crate::brief::{
    BriefText, Doubt, Format, Header, Known, Leak, Profile, Redaction, Refused, Source, check, compose, redact, render,
    shipped,
};
use crate::chain::{Details, Kind as EntryKind, Outcome, Time};
use crate::crypto::{make_random, sha256};
use crate::env::{SystemEntropy, read_bounded};
use crate::gate::{Filter, Metadata, Nature, OpenNote};
use crate::id::{Digest, EntryRef, NoteId};
use crate::label::{Label, Level};
use crate::ledger::Draft;
use crate::policy::Action;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The most recipients of one release, and the longest name of one: the entry names them all.
const RECIPIENTS_MAX: usize = 64;
const NAME_MAX: usize = 100;

/// How a draft or brief stands inside its sealed note (docs/FORMAT.md §10).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    v: u8,
    profile: String,
    label: String,
    sources: Vec<NoteId>,
    text: String,
    removed: BTreeMap<String, usize>,
    doubtful: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
}

fn parse_sealed(text: &str) -> Option<Sealed> {
    serde_json::from_str::<Sealed>(text).ok().filter(|sealed| sealed.v == 1)
}

/// What the person sees of a draft or brief kept as a note: its text rather than its frame.
pub(super) fn readable_text(text: &str) -> Option<String> {
    parse_sealed(text).map(|sealed| sealed.text)
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
    /// The entry.
    pub entry: EntryRef,
}

/// Drafts a brief: opens the sources and what else is known of their clients, redacts, and keeps the draft sealed
/// at the sources' label.
pub fn draft_brief(context: &Context<'_>, query: &DraftQuery) -> Result<Drafted, Error> {
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
    let known = desk.known(
        gathered.sources.iter().chain(&gathered.others),
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
    let texts: Vec<Source<'_>> = gathered
        .sources
        .iter()
        .map(|open| Source {
            text: open.text(),
            level: open.label.level(),
        })
        .collect();
    let composed = compose(&texts, audience, &profile, &known);
    let named = |why: Refused| Error::new(Kind::Failed, why.words(|level| desk.level_name(level)));
    let mut brief = composed.map_err(named)?;
    brief
        .doubtful
        .retain(|doubt| !query.allow.iter().any(|word| word.eq_ignore_ascii_case(&doubt.text)));
    desk.keep_draft(
        brief,
        &gathered.sources,
        &sources,
        &label,
        &profile,
        audience,
        details,
        &query.allow,
    )
}

/// Who gets a brief and how.
pub struct ReleaseQuery {
    /// The draft's id.
    pub draft: String,
    /// To whom.
    pub to: Vec<String>,
    /// How it is written.
    pub format: Format,
    /// Until when it may be used.
    pub expires: Option<Time>,
    /// A new file to write it to, once it is on record.
    pub out: Option<PathBuf>,
}

/// A released brief.
pub struct ReleasedBrief {
    /// Its id.
    pub brief: NoteId,
    /// Its label.
    pub label: String,
    /// Digest of the exact text that leaves.
    pub sha256: Digest,
    /// The entry.
    pub entry: EntryRef,
    /// The text that leaves.
    pub text: String,
}

/// Releases a draft: refuses while anything is doubtful or leaks, records to whom, why and which text, then gives it out.
pub fn release_brief(context: &Context<'_>, query: &ReleaseQuery) -> Result<ReleasedBrief, Error> {
    let too_long = query
        .to
        .iter()
        .any(|name| name.trim().is_empty() || name.chars().count() > NAME_MAX);
    if query.to.len() > RECIPIENTS_MAX || too_long {
        return Err(Error::new(
            Kind::Usage,
            format!("a brief goes to at most {RECIPIENTS_MAX} recipients, each named in 1 to {NAME_MAX} characters"),
        )
        .hint("release it again for the others: every release has its own entry"));
    }
    if query.to.is_empty() {
        return Err(Error::new(Kind::Usage, "say to whom the brief goes: --to NAME"));
    }
    // A place that cannot be written is better known before the release than after it.
    let begun = query.out.as_deref().map(|path| context.person.create(path)).transpose();
    let begun = begun.map_err(|mut refused| {
        refused.message.push_str("; nothing was released");
        refused
    })?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("brief release");
    details.recipients = query.to.clone();
    let Some((draft, label, _)) = desk.find(&query.draft)? else {
        return Err(desk.not_there(details, &query.draft)?);
    };
    // The draft itself says for whom it was made, so it is read first, under an entry of its own.
    let mut reading = details.clone();
    reading.verb = "release-read".into();
    // Nobody gets anything yet.
    reading.recipients.clear();
    let gathered = desk.gather(Action::Read, None, reading, &[draft], Around::Nothing, &query.draft)?;
    let Some(open) = gathered.sources.first().filter(|open| open.nature == Nature::Draft) else {
        return Err(Error::new(Kind::Usage, format!("`{}` is not a draft", query.draft))
            .hint("`strongroom brief draft` makes one"));
    };
    let sealed: Sealed =
        parse_sealed(open.text()).ok_or_else(|| Error::new(Kind::Tampered, "this draft is damaged"))?;
    let audience = Level::ALL.into_iter().find(|level| level.name() == sealed.label);
    let audience = audience.ok_or_else(|| Error::new(Kind::Tampered, "this draft is damaged"))?;
    details.level = Some(audience);
    let mut facts = crate::policy::ResourceFacts::new(crate::policy::Kind::Note, label.clone());
    facts.own = open.metadata.author == desk.identity.person();
    facts.outgoing = Some(audience);
    match desk.decide(Action::BriefRelease, facts) {
        crate::policy::Decision::Denied(denial) => {
            return Err(desk.denied(&denial, Some(EntryKind::Release), details, vec![draft], &query.draft)?);
        }
        crate::policy::Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    if !sealed.doubtful.is_empty() {
        desk.refuse_release(details, draft, "doubtful")?;
        return Err(doubtful(&sealed.doubtful));
    }
    let profile = desk.profile(&sealed.profile)?.allowing(sealed.allowed.clone());
    let profile = profile.map_err(|bad| Error::new(Kind::Tampered, bad.to_string()))?;
    // What has become known since, of the clients of every source.
    let around = desk.details("release-check");
    let around = desk.gather(
        Action::Read,
        None,
        around,
        &sealed.sources,
        Around::Clients,
        &query.draft,
    )?;
    let known = desk.known(around.sources.iter().chain(&around.others), &[], &sealed.allowed)?;
    let leaks = check(&sealed.text, &profile, &known).map_err(refused)?;
    if !leaks.is_empty() {
        desk.refuse_release(details, draft, "leaking")?;
        return Err(leaking(&leaks).hint("more is known now than when it was drafted: draft it again"));
    }
    let brief = NoteId(make_random(&mut SystemEntropy)?);
    let header = Header {
        label: desk.level_name(audience),
        mark: desk.policies.levels().rules(audience).mark.clone(),
        id: brief.to_string(),
        handling: profile.handling().to_owned(),
        expires: query.expires.map(|time| time.to_string()),
    };
    let body = BriefText {
        text: sealed.text.clone(),
        removed: sealed.removed.clone(),
        doubtful: Vec::new(),
        left_out: 0,
    };
    let text = render(&body, &header, query.format).map_err(refused)?;
    let digest = sha256(&[text.as_bytes()]);
    let kept = Sealed {
        recipients: query.to.clone(),
        expires: query.expires,
        sha256: Some(digest),
        ..sealed
    };
    let kept = zeroize::Zeroizing::new(to_json(&kept)?);
    let metadata = desk.brief_metadata(format!("Brief for {}", query.to.join(", ")), open);
    let (changes, _) = desk.seal(brief, Nature::Brief, &metadata, &kept, &label)?;
    details.left = Some(digest);
    details.client = Some(short(open.metadata.client.clone())).filter(|client| !client.is_empty());
    let recorded = desk.record(Draft::change(EntryKind::Release, details, vec![draft, brief], changes))?;
    if let Some(mut new) = begun {
        let written = new.file().write_all(text.as_bytes());
        written.map_err(|error| Error::new(Kind::Failed, format!("the brief cannot be written: {error}")))?;
        new.keep()?;
    }
    Ok(ReleasedBrief {
        brief,
        label: desk.level_name(audience),
        sha256: digest,
        entry: recorded.entry(),
        text,
    })
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
    let known = desk.known(gathered.others.iter(), &[], &[])?;
    let mut leaks = check(text, &profile, &known).map_err(refused)?;
    // The id that a brief bears leads nobody anywhere: with it, a brief that was released would not pass.
    let only_briefs = Filter {
        natures: vec![Nature::Brief],
        ..Filter::default()
    };
    let briefs = desk.survey(&only_briefs)?.notes();
    let briefs: Vec<String> = briefs.iter().map(ToString::to_string).collect();
    let ids: Vec<(usize, usize)> = briefs.iter().flat_map(|id| occurrences(text, id)).collect();
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

/// Lists drafts and briefs one may read, newest first.
pub fn list_briefs(context: &Context<'_>) -> Result<Vec<NoteLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let details = desk.details("brief list");
    let filter = Filter {
        natures: vec![Nature::Draft, Nature::Brief],
        ..Filter::default()
    };
    desk.find_all(details, &Looking::for_all(Action::List, filter))
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
    /// Enters that a release was refused.
    fn refuse_release(&mut self, mut details: Details, draft: NoteId, why: &str) -> Result<(), Error> {
        details.rules = vec![why.to_owned()];
        let entry = Draft::without_effect(Some(EntryKind::Release), Outcome::Denied, details, vec![draft]);
        self.record(entry).map(drop)
    }

    /// The vault's own profile of that name.
    fn profile(&self, name: &str) -> Result<Profile, Error> {
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
        level.ok_or_else(|| Error::new(Kind::Usage, format!("there is no level `{}`", name.escape_debug())))
    }

    fn brief_metadata(&self, title: String, like: &OpenNote) -> Metadata {
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
            fields: Vec::new(),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn keep_draft(
        &mut self,
        brief: BriefText,
        opened: &[OpenNote],
        sources: &[NoteId],
        label: &Label,
        profile: &Profile,
        audience: Level,
        mut details: Details,
        allowed: &[String],
    ) -> Result<Drafted, Error> {
        let first = opened
            .first()
            .ok_or_else(|| Error::new(Kind::Failed, "there is nothing to brief from"))?;
        let metadata = self.brief_metadata(format!("Draft: {}", first.metadata.title), first);
        let sealed = Sealed {
            v: 1,
            profile: profile.name().to_owned(),
            label: audience.name().to_owned(),
            sources: sources.to_vec(),
            text: brief.text.clone(),
            removed: brief.removed.clone(),
            doubtful: brief.doubtful.iter().map(|doubt| doubt.text.clone()).collect(),
            allowed: allowed.to_vec(),
            recipients: Vec::new(),
            expires: None,
            sha256: None,
        };
        let text = zeroize::Zeroizing::new(to_json(&sealed)?);
        let draft = NoteId(make_random(&mut SystemEntropy)?);
        let (changes, _) = self.seal(draft, Nature::Draft, &metadata, &text, label)?;
        details.level = Some(audience);
        details.asked = (!allowed.is_empty()).then(|| short(format!("allowed: {}", allowed.join(", "))));
        let mut notes = sources.to_vec();
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
            entry: recorded.entry(),
        })
    }
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn to_json(sealed: &Sealed) -> Result<String, Error> {
    serde_json::to_string(sealed).map_err(|_| Error::new(Kind::Failed, "this brief cannot be written down"))
}

fn no_profile(name: &str) -> Error {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    Error::new(Kind::Usage, format!("there is no profile `{name}`")).hint("shipped are `no-names` and `strict`")
}

fn refused(refusal: Refused) -> Error {
    Error::new(Kind::Failed, refusal.to_string())
}

fn doubtful(words: &[String]) -> Error {
    let places = match words.len() {
        1 => "a doubtful place".to_owned(),
        several => format!("{several} doubtful places"),
    };
    Error::new(
        Kind::Denied,
        format!("this draft has {places}, and a brief leaves without any"),
    )
    .hint("draft it again with --mask WORD, or with --allow WORD and --why TEXT")
}

fn leaking(leaks: &[Leak]) -> Error {
    let mut kinds: Vec<&str> = leaks.iter().map(|leak| leak.kind.coarse().name()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Error::new(
        Kind::Denied,
        format!(
            "this text still identifies somebody ({}); it was not released",
            kinds.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_at_its_places_in_code_points() {
        let places: Vec<_> = occurrences("é 3f2a, ü3f2a", "3f2a").collect();
        assert_eq!(places, [(2, 6), (9, 13)]);
        assert_eq!(occurrences("none", "3f2a").count(), 0);
    }
}
