//! Releases: a draft leaves as a brief, to whom, why and as which text on record.

use super::approvals::Needed;
use super::briefs::{brief_fields, refused, written_down};
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::known::Around;
use super::sync::refresh;
use crate::brief::{BriefFile, Format, Judged, Leak, Left, check_placed, render};
use crate::casework::{reserved, value_of};
use crate::chain::{Deed, Details, Kind as EntryKind, Outcome, Time};
use crate::crypto::{make_random, sha256};
use crate::env::SystemEntropy;
use crate::gate::{Nature, is_further};
use crate::id::{Digest, EntryRef, NoteId};
use crate::label::Level;
use crate::ledger::Draft;
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

/// The most recipients of one release, and the longest name of one: the entry names them all.
const RECIPIENTS_MAX: usize = 64;
const NAME_MAX: usize = 100;

/// Who gets a brief and how.
pub struct ReleaseQuery {
    /// The draft's id.
    pub draft: String,
    /// To whom.
    pub to: Vec<String>,
    /// How it is written; as the draft says if nothing is given here.
    pub format: Option<Format>,
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

impl ReleaseQuery {
    /// What can be seen to be wrong without the vault.
    fn check(&self, now: Time) -> Result<(), Error> {
        let too_long = |name: &String| name.trim().is_empty() || name.chars().count() > NAME_MAX;
        if self.to.len() > RECIPIENTS_MAX || self.to.iter().any(too_long) {
            let words = format!(
                "a brief goes to at most {RECIPIENTS_MAX} recipients, each named in 1 to {NAME_MAX} characters"
            );
            return Err(
                Error::new(Kind::Usage, words).hint("release it again for the others: every release has its own entry")
            );
        }
        if self.to.is_empty() {
            return Err(Error::new(Kind::Usage, "say to whom the brief goes: --to NAME"));
        }
        if self.to.iter().any(|name| name.chars().any(char::is_control)) {
            return Err(Error::new(
                Kind::Usage,
                "a recipient's name holds a line end or another control character; nothing was released",
            ));
        }
        if self.expires.is_some_and(|expires| expires.unix() <= now.unix()) {
            return Err(Error::new(
                Kind::Usage,
                "the time until which the brief may be used is over already; nothing was released",
            ));
        }
        Ok(())
    }
}

impl ReleaseQuery {
    /// What a second person approves beside the draft itself.
    fn terms(&self, written: Option<Format>) -> String {
        let format = self.format.or(written).unwrap_or(Format::Markdown);
        let mut lines: Vec<String> = self.to.iter().map(|name| format!("to: {}", name.trim())).collect();
        lines.extend(self.expires.map(|until| format!("until: {until}")));
        lines.push(format!("as: {}", format.name()));
        lines.join("\n")
    }
}

/// Releases a draft: refuses while anything is doubtful or leaks, or if a source is no longer what it was drafted from;
/// records to whom, why and which text, then gives it out.
pub fn release_brief(context: &Context<'_>, query: &ReleaseQuery) -> Result<ReleasedBrief, Error> {
    query.check(context.now())?;
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
    let mut found = desk.find(&query.draft)?;
    if let Some((draft, ..)) = found
        && desk.rests_on_approval(Deed::Release, draft)
    {
        drop(desk);
        refresh(context, &unlocked)?;
        desk = unlocked.desk(context)?;
        found = desk.find(&query.draft)?;
    }
    let Some((draft, label, wraps)) = found else {
        return Err(desk.not_there(details, &query.draft)?);
    };
    // A draft is made once: what else stands under its id is by somebody else, and nobody looked at it.
    let bodies: BTreeSet<_> = wraps.iter().filter_map(|wrap| wrap.body().ok()).collect();
    if bodies.len() > 1 {
        desk.refuse_release(details, draft, "written-to")?;
        return Err(Error::new(
            Kind::Tampered,
            "something was written under the id of this draft after it was made; it was not released",
        )
        .hint("draft it again; `strongroom audit who` says who wrote"));
    }
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
    let file = BriefFile::parse(open.text()).ok_or_else(|| {
        Error::new(Kind::Failed, "this draft was made by another version of strongroom").hint("draft it again")
    })?;
    let audience = desk.level_of(&file)?;
    details.level = Some(audience);
    let mut facts = ResourceFacts::new(ThingKind::Note, label.clone());
    facts.own = open.metadata.author == desk.identity.person();
    facts.conflict = desk.conflicts.concern(&open.metadata);
    facts.outgoing = Some(audience);
    facts.seconded = value_of(&open.metadata.fields, reserved::SECONDED).is_some();
    let terms = query.terms(file.format);
    let needed = Needed {
        deed: Deed::Release,
        note: draft,
        label: &label,
        wraps: &wraps,
        terms: &terms,
        about: &file.sources,
    };
    let seconds = desk.seconds(&needed)?;
    let stranger = match audience {
        Level::Named => desk.stranger(&query.to),
        _ => None,
    };
    let refusal = match stranger {
        Some(stranger) => Some(("not-by-name", stranger)),
        None if !file.doubtful.is_empty() => Some(("doubtful", doubtful(&file.doubtful))),
        None => None,
    };
    let decision = desk.decide_seconded(Action::BriefRelease, facts, seconds.people());
    match (decision, refusal) {
        // Nobody is asked to approve what could not leave.
        (Decision::Denied(denial), Some((why, error))) if denial.lacks_only_a_second_person() => {
            desk.refuse_release(details, draft, why)?;
            return Err(error);
        }
        (Decision::Denied(denial), _) => {
            return Err(desk.denied_or_asked(&denial, &needed, &seconds, details, &query.draft)?);
        }
        (Decision::Permitted(_), Some((why, error))) => {
            desk.refuse_release(details, draft, why)?;
            return Err(error);
        }
        (Decision::Permitted(permission), None) => details.rules = permission.rules().to_vec(),
    }
    let profile = desk.profile(&file.profile)?.allowing(file.allowed.clone());
    let profile = profile.map_err(|bad| Error::new(Kind::Tampered, bad.to_string()))?;
    let profile = profile.written(file.written.unwrap_or_else(|| context.now()));
    // What has become known since, of the clients of every source.
    let around = desk.details("release-check");
    let around = desk.gather(Action::Read, None, around, &file.sources, Around::Clients, &query.draft)?;
    // What the brief says may no longer be so, and what a person looked at is not what would be checked.
    let now: Vec<Option<&Digest>> = file.sources.iter().map(|note| around.bodies.get(note)).collect();
    if now != file.revisions.iter().map(Some).collect::<Vec<_>>() {
        desk.refuse_release(details, draft, "source-changed")?;
        return Err(Error::new(
            Kind::Failed,
            "a note that this was drafted from has changed since; it was not released",
        )
        .hint("draft it again, and look at what is new"));
    }
    let headings = desk.headings("release-names", &around)?;
    let opened = around.sources.iter().chain(&around.others);
    let known = desk.known(opened, headings, &[], &file.allowed)?;
    let leaks = check_placed(&file.text, &profile, &known, &file.placed, Judged::Whole).map_err(refused)?;
    if !leaks.is_empty() {
        desk.refuse_release(details, draft, "leaking")?;
        return Err(leaking(&leaks).hint("more is known now than when it was drafted: draft it again"));
    }
    let brief = NoteId(make_random(&mut SystemEntropy)?);
    let until = query.expires.map_or_else(String::new, |time| time.to_string());
    let header = desk.header(brief, audience, &profile, &until);
    let format = query.format.or(file.format).unwrap_or(Format::Markdown);
    let text = render(&file.text, &header, format).map_err(refused)?;
    let digest = sha256(&[text.as_bytes()]);
    let kept = BriefFile {
        format: Some(format),
        left: Some(Left {
            recipients: query.to.clone(),
            purpose: context.access.purpose(),
            reason: context.access.reason().map(short),
            expires: query.expires,
            exact: text.clone(),
            sha256: digest,
        }),
        ..file
    };
    let kept = zeroize::Zeroizing::new(written_down(&kept)?);
    let mut fields = brief_fields(&desk.level_name(audience), &query.to, &until);
    let further = open.metadata.fields.iter().filter(|(name, _)| is_further(name));
    fields.extend(further.cloned());
    let metadata = desk.brief_metadata(format!("Brief for {}", query.to.join(", ")), open, fields);
    let (changes, _) = desk.seal(brief, Nature::Brief, &metadata, &kept, &label)?;
    details.left = Some(digest);
    details.client = Some(short(open.metadata.client.clone())).filter(|client| !client.is_empty());
    let mut entry = Draft::change(EntryKind::Release, details, vec![draft, brief], changes);
    entry.because = seconds.approval();
    let recorded = desk.record(entry)?;
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

impl Desk<'_> {
    /// Enters that a release was refused, and why, before the person is told.
    fn refuse_release(&mut self, mut details: Details, draft: NoteId, why: &str) -> Result<(), Error> {
        details.rules = vec![why.to_owned()];
        let entry = Draft::without_effect(Some(EntryKind::Release), Outcome::Denied, details, vec![draft]);
        self.record(entry).map(drop)
    }

    /// Why a brief for people by name may not go to one of these: only members of the vault have names it can check.
    fn stranger(&self, to: &[String]) -> Option<Error> {
        let roster = &self.ledger.charter().roster;
        let member = |name: &&String| {
            let handle = name.strip_prefix('@').unwrap_or(name);
            roster.members().any(|card| card.handle == handle && !card.is_removed())
        };
        let stranger = to.iter().find(|name| !member(name))?;
        let stranger: String = stranger.chars().filter(|c| !c.is_control()).collect();
        Some(
            Error::new(
                Kind::Denied,
                format!("a brief at this level goes to people by name, and `{stranger}` is no member of this vault"),
            )
            .hint("name each of them by handle: --to HANDLE"),
        )
    }
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
