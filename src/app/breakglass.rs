//! Breaking the glass: in an emergency somebody opens what their clearance does not cover. Their keys do, by their role;
//! leads are told until one of them has reviewed it.

use super::approvals::WHY;
use super::compartments::roster_facts;
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::Looking;
use super::notes::Shown;
use crate::casework::value_of;
use crate::chain::{Kind as EntryKind, Outcome, Role, Time};
use crate::crypto::make_random;
use crate::env::SystemEntropy;
use crate::gate::{Filter, Nature, TEXTS};
use crate::id::{EntryRef, NoteId};
use crate::ledger::{Changes, Draft};
use crate::policy::{Action, Decision};
use std::collections::{BTreeMap, HashSet};

/// How long leads have to look at it, in seconds.
const REVIEW_WITHIN: i64 = 72 * 3600;

/// The purpose of a review, where the vault has it.
const REVIEW: &str = "review";
/// The field of a statement with the note that was opened.
const NOTE: &str = "note";

/// That somebody broke the glass, as leads see it.
pub struct BrokenGlass {
    /// The entry.
    pub entry: EntryRef,
    /// Who.
    pub by: String,
    /// When, by their device.
    pub time: Time,
    /// Until when it is to be reviewed.
    pub due: Time,
    /// Whether that is past.
    pub overdue: bool,
    /// Who reviewed it.
    pub reviewed: Vec<String>,
    /// What was opened and why, where whoever looks may list the note.
    pub said: Option<(NoteId, String)>,
}

/// What came of a review.
pub struct ReviewedGlass {
    /// The entry.
    pub entry: EntryRef,
    /// Whether it was entered now, and not before by the same person.
    pub changed: bool,
}

/// What a lead sees before they review it.
pub struct GlassStatement {
    /// What is reviewed.
    pub broken: BrokenGlass,
    /// What whoever did it wrote; none where the lead may not read the note.
    pub statement: Option<String>,
}

/// Asks a lead how they find it: what they say is the reason of the review.
pub type AskReview<'a> = &'a dyn Fn(&GlassStatement) -> Result<(), Error>;

/// Opens a note that the person's clearance does not cover. Reason and class are on record, sealed for the leads who may
/// read the note, before anything is shown.
pub fn break_glass(context: &Context<'_>, asked: &str, class: Option<&str>) -> Result<Shown, Error> {
    if !context.has_reason() {
        return Err(Error::new(
            Kind::Denied,
            "denied: say why, in a few words, with `--why TEXT`",
        ));
    }
    let class = class.map(str::to_owned).or_else(|| context.access.purpose());
    let class = class.unwrap_or_default();
    context.access.set_purpose(&class);
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let emergencies: Vec<String> = desk
        .policies
        .purposes()
        .iter()
        .filter(|p| p.emergency)
        .map(|p| p.code.clone())
        .collect();
    if !emergencies.contains(&class) {
        let class: String = class.chars().filter(|c| !c.is_control()).take(40).collect();
        let words = match class.is_empty() {
            true => "say which emergency it is: --class CODE".to_owned(),
            false => format!("`{class}` is no emergency of this vault"),
        };
        return Err(Error::new(Kind::Usage, words).hint(format!("these are: {}", emergencies.join(", "))));
    }
    let kind = Some(EntryKind::BreakGlass);
    let mut details = desk.details("breakglass open");
    let me = desk.ledger.charter().roster.member(desk.identity.person());
    // Who has not the role learns nothing of what there is.
    if !me.is_some_and(|me| me.roles.contains(&Role::BreakGlass)) {
        let error = Error::new(
            Kind::Denied,
            "denied: the glass is broken by those who have the role `breakglass`",
        )
        .hint("a lead gives it: `strongroom member grant HANDLE --role breakglass`");
        return Err(desk.refused("breakglass open", kind, Some(asked), error)?);
    }
    // What the clearance covers is shut as well where this copy was too long without the others. Of what a rule hides from
    // them nobody is told that it is there.
    if let Some((note, label, _)) = desk.find(asked)?
        && !desk.is_shut_offline(label.level())
    {
        let standing = desk.standing(asked, &TEXTS, &details)?;
        let _ = desk.permitted_as(Action::List, kind, &standing, &mut details, asked)?;
        let error = Error::new(
            Kind::Usage,
            "your clearance covers this note: `strongroom show` opens it",
        );
        return Err(desk.failed(details, vec![note], error));
    }
    desk.breaks_glass = true;
    let standing = desk.standing(asked, &TEXTS, &details)?;
    let permits = desk.permitted_as(Action::BreakGlass, kind, &standing, &mut details, asked)?;
    let body = standing.newest(asked)?;
    let statement = NoteId(make_random(&mut SystemEntropy)?);
    let mut metadata = desk.statement_metadata("glass broken".to_owned(), String::new(), String::new());
    let reason = context.access.reason().map(short).unwrap_or_default();
    metadata.fields = vec![
        (NOTE.to_owned(), standing.note.to_string()),
        (WHY.to_owned(), format!("{class}: {reason}")),
    ];
    let text = format!("{class}: {reason}\nnote: {}", standing.note);
    let (changes, _) = desk.seal(statement, Nature::Statement, &metadata, &text, &standing.label)?;
    let draft = Draft::change(EntryKind::BreakGlass, details, vec![standing.note], changes);
    let (opened, _) = desk.open_under(&standing, &[body], true, permits, draft)?;
    let note = opened.into_iter().next().ok_or_else(|| Error::no_such_note(asked))?;
    Ok(desk.shown(note))
}

/// Who broke the glass, the newest last: all that leads have not reviewed, and what they have in these weeks.
pub fn list_broken_glass(context: &Context<'_>) -> Result<Vec<BrokenGlass>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("breakglass review");
    match desk.decide(Action::GlassReview, roster_facts()?) {
        Decision::Denied(denial) => {
            return Err(desk.denied(&denial, None, details, Vec::new(), "breakglass review")?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let _ = desk.record(Draft::read(details, Vec::new()))?;
    let recent = |broken: &BrokenGlass| context.now().unix() - broken.time.unix() < 30 * 24 * 3600;
    let mut all = desk.broken_glass();
    all.retain(|broken| broken.reviewed.is_empty() || recent(broken));
    desk.tell_what_was_opened(&mut all)?;
    Ok(all)
}

/// Enters that a lead has looked at it; their reason says how they find it.
pub fn review_glass(context: &Context<'_>, asked: &str, ask: Option<AskReview<'_>>) -> Result<ReviewedGlass, Error> {
    let entry: EntryRef = asked.parse().map_err(|_| {
        let asked: String = asked.chars().filter(|c| !c.is_control()).take(64).collect();
        Error::new(Kind::Usage, format!("`{asked}` names no entry"))
            .hint("`strongroom breakglass review` lists them; an entry is named LOG:SEQ")
    })?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    // It is said what for by the command itself.
    if context.access.purpose().is_none() && desk.policies.purposes().by_code(REVIEW).is_some() {
        context.access.set_purpose(REVIEW);
    }
    if let Some(before) = desk.reviewed_by_me(entry) {
        let mut details = desk.details("breakglass review");
        details.asked = Some(entry.to_string());
        let _ = desk.record(Draft::read(details, Vec::new()))?;
        return Ok(ReviewedGlass {
            entry: before,
            changed: false,
        });
    }
    let seen = desk.glass_statement(entry)?;
    drop(desk);
    if let Some(ask) = ask {
        ask(&seen)?;
    }
    if !context.has_reason() {
        return Err(Error::new(
            Kind::Usage,
            "say how you find it, in a few words: --why TEXT",
        ));
    }
    let mut desk = unlocked.desk(context)?;
    let (_, details) = desk.reviewable(entry)?;
    let mut draft = Draft::change(EntryKind::Review, details, Vec::new(), Changes::default());
    draft.because = Some(entry);
    Ok(ReviewedGlass {
        entry: desk.record(draft)?.entry(),
        changed: true,
    })
}

impl Desk<'_> {
    fn reviewed_by_me(&self, entry: EntryRef) -> Option<EntryRef> {
        let roster = &self.ledger.charter().roster;
        let mut reviews = self
            .ledger
            .matters()
            .reviews(entry, &|device| roster.person_of(device))
            .into_iter();
        let me = self.identity.person();
        reviews.find(|review| review.by == me).map(|review| review.entry)
    }

    /// Adds what was opened, and why, of notes that may be listed here.
    fn tell_what_was_opened(&mut self, all: &mut [BrokenGlass]) -> Result<(), Error> {
        let matters = self.ledger.matters();
        let listed = |entry: &EntryRef| all.iter().any(|broken| broken.entry == *entry);
        let said = matters.broken().filter(|(entry, _)| listed(entry));
        let said: Vec<_> = said
            .filter_map(|(entry, broken)| Some((entry, broken.statement?)))
            .collect();
        let fields = self.statement_fields("glass-read", &said)?;
        let mut said = BTreeMap::new();
        for (entry, fields) in fields {
            let value = |name: &str| value_of(&fields, name);
            let note = value(NOTE).and_then(|note| note.parse::<NoteId>().ok());
            if let (Some(note), Some(why)) = (note, value(WHY)) {
                said.insert(entry, (note, why.to_owned()));
            }
        }
        if said.is_empty() {
            return Ok(());
        }
        let notes: HashSet<NoteId> = said.values().map(|(note, _)| *note).collect();
        let filter = Filter {
            natures: TEXTS.to_vec(),
            ..Filter::default()
        };
        let details = self.details("glass-read");
        let seen = self.find_all(details, &Looking::among(Action::List, filter, &notes))?;
        said.retain(|_, (note, _)| seen.iter().any(|line| line.listed.note == *note));
        all.iter_mut()
            .for_each(|broken| broken.said = said.remove(&broken.entry));
        Ok(())
    }

    pub(super) fn broken_glass(&self) -> Vec<BrokenGlass> {
        let (matters, now) = (self.ledger.matters(), self.context.now());
        let roster = &self.ledger.charter().roster;
        let person = |device| roster.person_of(device);
        let told = matters.broken().map(|(entry, broken)| {
            let reviews = matters.reviews(entry, &person);
            let by_leads = reviews
                .iter()
                .filter(|review| self.ledger.was_lead(review.entry.log.device, review.roster) == Some(true));
            let reviewed = by_leads.map(|review| self.handle(review.by));
            let due = Time::from_unix(broken.time.unix().saturating_add(REVIEW_WITHIN));
            BrokenGlass {
                entry,
                by: self.handle_of(entry),
                time: broken.time,
                due,
                overdue: due <= now,
                reviewed: reviewed.collect(),
                said: None,
            }
        });
        let mut told: Vec<BrokenGlass> = told.collect();
        told.sort_by_key(|broken| (broken.time, broken.entry));
        told
    }

    /// Tells leads that somebody else broke the glass, until one of them has reviewed it.
    pub(super) fn tell_broken_glass(&self) {
        for broken in self.glass_to_review() {
            let due = match broken.overdue {
                true => format!("the review was due on {}", broken.due),
                false => format!("review it by {}", broken.due),
            };
            self.context.person.warn(&format!(
                "{} broke the glass on {}; {due}: `strongroom breakglass review {}`",
                broken.by, broken.time, broken.entry
            ));
        }
    }

    /// Of a lead: what others did and no lead has reviewed.
    pub(super) fn glass_to_review(&self) -> Vec<BrokenGlass> {
        let me = self.identity.person();
        let card = self.ledger.charter().roster.member(me);
        if !card.is_some_and(|card| card.roles.contains(&Role::Lead)) {
            return Vec::new();
        }
        let mut broken = self.broken_glass();
        broken.retain(|broken| broken.reviewed.is_empty() && self.person(broken.entry) != Some(me));
        broken
    }

    /// What may be reviewed by whoever is at the desk, and the details of that.
    fn reviewable(&mut self, entry: EntryRef) -> Result<(BrokenGlass, crate::chain::Details), Error> {
        let kind = Some(EntryKind::Review);
        let mut details = self.details("breakglass review");
        details.asked = Some(entry.to_string());
        match self.decide(Action::GlassReview, roster_facts()?) {
            Decision::Denied(denial) => {
                return Err(self.denied(&denial, kind, details, Vec::new(), "breakglass review")?);
            }
            Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
        }
        let found = self.broken_glass().into_iter().find(|broken| broken.entry == entry);
        let refusal = match &found {
            None => Some(
                Error::new(Kind::Denied, format!("nobody broke the glass at `{entry}`"))
                    .hint("`strongroom breakglass review` lists where somebody did"),
            ),
            Some(_) if self.person(entry) == Some(self.identity.person()) => {
                Some(Error::new(Kind::Denied, "nobody reviews what they did themselves").hint("another lead does"))
            }
            Some(_) => None,
        };
        match (found, refusal) {
            (Some(broken), None) => Ok((broken, details)),
            (_, refusal) => {
                let _ = self.record(Draft::without_effect(kind, Outcome::Denied, details, Vec::new()))?;
                Err(refusal.unwrap_or_else(|| Error::new(Kind::Denied, "this cannot be reviewed")))
            }
        }
    }

    fn glass_statement(&mut self, entry: EntryRef) -> Result<GlassStatement, Error> {
        let (broken, mut details) = self.reviewable(entry)?;
        details.verb = "glass-read".into();
        let statement = self.ledger.matters().broken().find(|(place, _)| *place == entry);
        let statement = statement.and_then(|(_, broken)| broken.statement);
        let statement = match statement {
            Some(statement) => self.read_statement(entry, statement, &details)?,
            None => None,
        };
        Ok(GlassStatement { broken, statement })
    }
}
