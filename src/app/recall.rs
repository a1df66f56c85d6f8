//! Recall: which of the briefs that were released are no longer what they should be, and who has them.

use super::briefs::refused;
use super::context::{Context, Desk};
use super::error::{Error, Kind};
use super::known::{Around, Identifiers, finder};
use crate::brief::{BriefFile, Judged, Profile, check_placed};
use crate::chain::Time;
use crate::gate::{Nature, OpenNote};
use crate::id::{Digest, NoteId};
use crate::label::{Label, Level};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::collections::{BTreeMap, HashSet};

/// Why a brief is to be called back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RecallReason {
    /// A note that it was made from was destroyed, or is no longer for this person.
    Gone,
    /// One bears another label.
    Relabelled,
    /// One was revised.
    Changed,
    /// Its text has what is known by now to identify somebody; the types.
    Identifies(Vec<&'static str>),
    /// It cannot be held against what is known: its profile is gone, or it is of another version.
    Unchecked,
}

impl RecallReason {
    /// As other programs read it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Relabelled => "relabelled",
            Self::Changed => "changed",
            Self::Identifies(_) => "identifies",
            Self::Unchecked => "unchecked",
        }
    }
}

/// A release that something concerns which came after it.
pub struct Recalled {
    /// The brief's id.
    pub brief: NoteId,
    /// When it was released.
    pub released: Time,
    /// The label that it is sealed to.
    pub label: String,
    /// The level it was made for.
    pub audience: Option<String>,
    /// Who has it.
    pub recipients: Vec<String>,
    /// Until when it may be used.
    pub expires: Option<Time>,
    /// Why it is to be called back.
    pub why: Vec<RecallReason>,
}

/// Lists the releases whose sources were destroyed, relabelled or revised since, and those whose text has what by now is
/// known to identify somebody; newest first.
pub fn recall_briefs(context: &Context<'_>) -> Result<Vec<Recalled>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("brief recall");
    let lowest = Label::new(Level::Public, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
    match desk.decide(Action::BriefRecall, ResourceFacts::new(ThingKind::Vault, lowest)) {
        Decision::Denied(denial) => return Err(desk.denied(&denial, None, details, Vec::new(), "brief recall")?),
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    // What exists of a note, whether or not anybody here may read it.
    let wraps = desk.ledger.wraps("")?.into_iter();
    let live: HashSet<Digest> = wraps.filter_map(|(_, wrap)| wrap.body().ok()).collect();
    let gathered = desk.gather(Action::Search, None, details, &[], Around::Everything, "brief recall")?;
    let (briefs, notes): (Vec<OpenNote>, Vec<OpenNote>) = gathered
        .others
        .into_iter()
        .partition(|open| open.nature == Nature::Brief);
    let looking = Looking {
        live,
        bodies: gathered.bodies,
        known: Understood::new(notes)?,
    };
    let mut recalled = Vec::new();
    for open in &briefs {
        recalled.extend(desk.recalled(open, &looking)?);
    }
    recalled.sort_by_key(|brief| (std::cmp::Reverse(brief.released.unix()), brief.brief));
    Ok(recalled)
}

/// What briefs are held against.
struct Looking {
    /// The bodies that exist.
    live: HashSet<Digest>,
    /// The newest of each note that may be read.
    bodies: BTreeMap<NoteId, Digest>,
    known: Understood,
}

/// The notes with what each gives to be recognised, looked for once.
struct Understood(Vec<(NoteId, String, Identifiers)>);

impl Understood {
    fn new(notes: Vec<OpenNote>) -> Result<Self, Error> {
        let finder = finder()?;
        let understood = notes.iter().map(|open| {
            let client = open.metadata.client.trim().to_lowercase();
            Ok((open.note, client, Identifiers::of(open, &finder)?))
        });
        understood.collect::<Result<_, Error>>().map(Self)
    }

    /// What these notes and those of their clients give, and the headings of all others.
    fn around(&self, sources: &[NoteId]) -> Vec<Identifiers> {
        let of_sources = self
            .0
            .iter()
            .filter(|(note, client, _)| sources.contains(note) && !client.is_empty());
        let clients: HashSet<&String> = of_sources.map(|(_, client, _)| client).collect();
        let all =
            self.0.iter().map(
                |(note, client, identifiers)| match sources.contains(note) || clients.contains(client) {
                    true => identifiers.clone(),
                    false => identifiers.seen_from_afar(),
                },
            );
        all.collect()
    }
}

impl Desk<'_> {
    /// A brief, if something concerns it that came after its release.
    fn recalled(&self, open: &OpenNote, looking: &Looking) -> Result<Option<Recalled>, Error> {
        let file = BriefFile::parse(open.text());
        let mut why = Vec::new();
        let sources = file.iter().flat_map(|file| file.sources.iter().zip(&file.revisions));
        for (note, revision) in sources {
            match looking.bodies.get(note) {
                None => why.push(RecallReason::Gone),
                Some(newest) if newest == revision => {}
                // To relabel is to seal anew: nothing of the old is left.
                Some(_) if looking.live.contains(revision) => why.push(RecallReason::Changed),
                Some(_) => why.push(RecallReason::Relabelled),
            }
        }
        let checked = file
            .as_ref()
            .map(|file| self.identifies(file, looking))
            .transpose()?
            .flatten();
        match checked {
            None => why.push(RecallReason::Unchecked),
            Some(types) if types.is_empty() => {}
            Some(types) => why.push(RecallReason::Identifies(types)),
        }
        why.sort();
        why.dedup();
        if why.is_empty() {
            return Ok(None);
        }
        let audience = file.as_ref().and_then(|file| self.level_of(file).ok());
        let left = file.and_then(|file| file.left);
        Ok(Some(Recalled {
            brief: open.note,
            released: Time::from_unix(open.metadata.created),
            label: self.label_text(&open.label).to_string(),
            audience: audience.map(|level| self.level_name(level)),
            expires: left.as_ref().and_then(|left| left.expires),
            recipients: left.map(|left| left.recipients).unwrap_or_default(),
            why,
        }))
    }

    /// The types of what in a brief is known by now to identify somebody; none if it cannot be told.
    fn identifies(&self, file: &BriefFile, looking: &Looking) -> Result<Option<Vec<&'static str>>, Error> {
        let profile = self.profile(&file.profile).ok();
        let profile = profile.and_then(|profile: Profile| profile.allowing(file.allowed.clone()).ok());
        let Some(profile) = profile else { return Ok(None) };
        let profile = match file.written {
            Some(written) => profile.written(written),
            None => profile,
        };
        let known = self.known_of(looking.known.around(&file.sources).iter(), &[], &file.allowed)?;
        let leaks = check_placed(&file.text, &profile, &known, &file.placed, Judged::Whole).map_err(refused)?;
        let mut types: Vec<&'static str> = leaks.iter().map(|leak| leak.kind.coarse().name()).collect();
        types.sort_unstable();
        types.dedup();
        Ok(Some(types))
    }
}
