//! A second person: what one asks for another approves (docs/FORMAT.md §7.4).
//!
//! A request is made where nothing but a second person is missing. Whoever reads the note may approve it, and sees what
//! for first. What counts is computed from the log each time: a request says nothing about itself that is believed.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::Looking;
use super::whole::Going;
use crate::casework::value_of;
use crate::chain::{Deed, Details, Kind as EntryKind, Matter, Outcome, Role, Said, Statement, Time};
use crate::crypto::make_random;
use crate::env::SystemEntropy;
use crate::envelope::{Metadata, WrapFile};
use crate::gate::{Filter, Listed, Nature, TEXTS};
use crate::id::{Digest, EntryRef, NoteId, PersonId};
use crate::label::Label;
use crate::ledger::{Changes, Draft};
use crate::policy::{Action, Decision, Denial, Kind as ThingKind, ResourceFacts};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How long a request waits for somebody, in seconds; one to destroy so long after the grace that it has.
const WAITS: i64 = 7 * 24 * 3600;
/// How long an approval to release may be used, in seconds, and no longer than its request waits. One to destroy may be
/// for as long as that: it waits for every device.
const LASTS: i64 = 72 * 3600;

/// The verb of taking a request back.
const WITHDRAW: &str = "approvals withdraw";

/// The fields of its statement for a list: to whom something is to go, and why. Who approves reads the text of it.
const TO: &str = "to";
pub(super) const WHY: &str = "why";

/// How a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody has approved it yet.
    Waiting,
    /// Somebody has, and it is not carried out yet.
    Approved,
    /// It was carried out.
    Done,
    /// Its time is over.
    Over,
    /// What it was about is gone.
    Void,
    /// Whoever asked took it back.
    Withdrawn,
}

impl Standing {
    /// As it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Over => "over",
            Self::Void => "void",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A request as its list shows it.
pub struct RequestLine {
    /// Its entry, by which it is approved.
    pub request: EntryRef,
    /// What is to be done.
    pub deed: Deed,
    /// With which note or draft.
    pub note: NoteId,
    /// Its title and label; none where it is gone.
    pub heading: Option<(String, String)>,
    /// Who asks.
    pub by: String,
    /// Whether that is whoever looks.
    pub own: bool,
    /// Since when.
    pub asked: Time,
    /// Until when it waits; where it was approved, until when that may be used.
    pub until: Time,
    /// How it stands.
    pub standing: Standing,
    /// Who approved it.
    pub approved: Vec<String>,
    /// Of a release: to whom, as whoever asks says.
    pub to: Vec<String>,
    /// Why, as whoever asks says; none where that is not told to whoever looks.
    pub why: Option<String>,
}

/// What somebody looks at before they approve it.
pub struct Asked {
    /// The request.
    pub request: EntryRef,
    /// What is to be done.
    pub deed: Deed,
    /// With which note or draft.
    pub note: NoteId,
    /// Its title.
    pub title: String,
    /// Its label.
    pub label: String,
    /// Who asks.
    pub by: String,
    /// Until when it can be approved.
    pub until: Time,
    /// To whom and why, as whoever asks says.
    pub statement: String,
    /// Of a release: the text that is to leave.
    pub text: Option<String>,
    /// Of a release: what the level is called that it goes out at.
    pub audience: Option<String>,
    /// Of a destruction: what goes.
    pub goes: Option<Going>,
}

/// An approval.
pub struct Approved {
    /// The request.
    pub request: EntryRef,
    /// The entry.
    pub entry: EntryRef,
    /// What may be done now.
    pub deed: Deed,
    /// Until when.
    pub until: Time,
    /// Whether it was approved now, and not before by the same person.
    pub changed: bool,
}

/// Asks a person whether they approve; an error if not.
pub type AskApproval<'a> = &'a dyn Fn(&Asked) -> Result<(), Error>;

/// What needs a second person.
pub(super) struct Needed<'n> {
    pub(super) deed: Deed,
    pub(super) note: NoteId,
    pub(super) label: &'n Label,
    pub(super) wraps: &'n [WrapFile],
    /// To whom it goes and so on; what is approved is that and nothing else.
    pub(super) terms: &'n str,
    /// The notes that say who is no second person for it: it itself, or what a draft was made of.
    pub(super) about: &'n [NoteId],
}

/// Whose approvals of what is needed count now.
pub(super) struct Seconds {
    objects: Digest,
    /// All that count.
    pub(super) counted: Vec<Second>,
}

/// An approval that counts.
pub(super) struct Second {
    by: PersonId,
    /// Whether they are a lead.
    lead: bool,
    pub(super) approval: EntryRef,
    pub(super) request: EntryRef,
    /// When that was made.
    pub(super) asked: Time,
    /// Whether what was approved was begun already.
    pub(super) rest: bool,
}

impl Seconds {
    /// How many people, and how many leads among them.
    pub(super) fn people(&self) -> (u32, u32) {
        let count = |which: &dyn Fn(&&Second) -> bool| {
            let people: BTreeSet<PersonId> = self.counted.iter().filter(which).map(|second| second.by).collect();
            u32::try_from(people.len()).unwrap_or(u32::MAX)
        };
        (count(&|_| true), count(&|second| second.lead))
    }

    /// The approval that an act rests on.
    pub(super) fn approval(&self) -> Option<EntryRef> {
        self.counted.first().map(|second| second.approval)
    }
}

/// Lists what waits for a second person, or did in these days, as far as the note that it is about may be read.
pub fn list_requests(context: &Context<'_>) -> Result<Vec<RequestLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    desk.refuse_what_is_said("approvals", Action::List)?;
    let mut lines = desk.request_lines()?;
    let about: HashSet<NoteId> = lines.iter().map(|line| line.note).collect();
    let details = desk.details("approvals");
    let filter = Filter {
        natures: TEXTS.to_vec(),
        ..Filter::default()
    };
    let headings = desk.find_all(details, &Looking::among(Action::List, filter, &about))?;
    let said = desk.said_of(&lines)?;
    for line in &mut lines {
        let heading = headings.iter().find(|heading| heading.listed.note == line.note);
        line.heading = heading.map(|heading| (heading.listed.metadata.title.clone(), heading.label.clone()));
    }
    // Of what one may not see the heading of, others' requests are not seen either.
    lines.retain(|line| line.own || line.heading.is_some());
    for line in &mut lines {
        let Some(fields) = said.get(&line.request) else {
            continue;
        };
        let to = fields.iter().filter(|(name, _)| name == TO);
        line.to = to.map(|(_, to)| to.clone()).collect();
        line.why = value_of(fields, WHY).map(str::to_owned);
    }
    Ok(lines)
}

/// Whether that names a request at all.
pub fn check_request(asked: &str) -> Result<(), Error> {
    place_of(asked).map(drop)
}

fn place_of(asked: &str) -> Result<EntryRef, Error> {
    asked.parse().map_err(|_| {
        let asked: String = asked.chars().filter(|c| !c.is_control()).take(64).collect();
        Error::new(Kind::Usage, format!("`{asked}` names no request"))
            .hint("`strongroom approvals` lists them; a request is named LOG:SEQ")
    })
}

/// Approves what somebody else asked for, after having seen what it is.
pub fn approve(context: &Context<'_>, asked: &str, ask: Option<AskApproval<'_>>) -> Result<Approved, Error> {
    let request = place_of(asked)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let (seen, about) = desk.look_at(request)?;
    if let Some((entry, matter)) = desk.approved_by_me(request) {
        return Ok(Approved {
            request,
            entry,
            deed: matter.deed,
            until: matter.until,
            changed: false,
        });
    }
    drop(desk);
    if let Some(ask) = ask {
        ask(&seen)?;
    }
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("approve");
    details.asked = Some(request.to_string());
    // What was looked at is what is approved: it is found again, and still binds the same.
    let found = desk.approvable(request, &details)?;
    let bound = desk.bound(&found, &seen.statement)?;
    let lasts = Time::from_unix(context.now().unix().saturating_add(LASTS));
    let matter = Matter {
        until: match found.matter.deed {
            Deed::Destroy => found.matter.until,
            Deed::Release => found.matter.until.min(lasts),
        },
        ..found.matter.clone()
    };
    if bound != matter.objects {
        return Err(desk.failed(details, vec![matter.note], changed()));
    }
    desk.refuse_no_second(request, &about)?;
    details.level = Some(found.label.level());
    let standing = desk.standing(&matter.note.to_string(), &TEXTS, &details)?;
    let mut facts = ResourceFacts::new(ThingKind::Note, found.label.clone());
    facts.conflict = standing.survey.conflict();
    match desk.decide(Action::Approve, facts) {
        Decision::Denied(denial) => {
            let kind = Some(EntryKind::Approve);
            return Err(desk.denied(&denial, kind, details, vec![matter.note], asked)?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let (deed, until) = (matter.deed, matter.until);
    let mut draft = Draft::change(EntryKind::Approve, details, vec![matter.note], Changes::default());
    draft.because = Some(request);
    draft.matter = Some(matter);
    let entry = desk.record(draft)?.entry();
    Ok(Approved {
        request,
        entry,
        deed,
        until,
        changed: true,
    })
}

/// What came of taking a request back.
pub struct WithdrawnRequest {
    /// The request.
    pub request: EntryRef,
    /// The entry that takes it back.
    pub entry: EntryRef,
    /// Whether it was taken back now, and not before.
    pub changed: bool,
}

/// Takes back what the person asked for themselves. What was approved of it counts no more; what was done stays done.
pub fn withdraw_request(context: &Context<'_>, asked: &str) -> Result<WithdrawnRequest, Error> {
    let request = place_of(asked)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    desk.refuse_what_is_said(WITHDRAW, Action::List)?;
    let mut details = desk.details(WITHDRAW);
    details.asked = Some(request.to_string());
    let me = desk.identity.person();
    let said = desk.ledger.matters().request(request).cloned();
    let Some(said) = said.filter(|_| desk.person(request) == Some(me)) else {
        let error = Error::new(Kind::Denied, format!("you have asked for nothing as `{request}`"))
            .hint("`strongroom approvals` lists what you asked for; nobody takes back what somebody else did");
        return Err(desk.refused(WITHDRAW, Some(EntryKind::Request), Some(asked), error)?);
    };
    if let Some(entry) = desk.taken_back(request) {
        let _ = desk.record(Draft::read(details, Vec::new()))?;
        return Ok(WithdrawnRequest {
            request,
            entry,
            changed: false,
        });
    }
    let found = desk.find(&said.matter.note.to_string())?;
    let over = match (desk.is_used(request), found) {
        (true, _) => Err("what this request was for is done already".to_owned()),
        (false, _) if said.matter.until <= context.now() && desk.approvals_of(request).is_empty() => {
            Err(format!("this request is over since {}", said.matter.until))
        }
        (false, None) => Err("what this request was about is gone, or not for you any more".to_owned()),
        (false, Some((_, label, _))) => Ok(label),
    };
    let label = match over {
        Ok(label) => label,
        Err(words) => {
            let error = Error::new(Kind::Failed, words).hint("there is nothing to take back");
            return Err(desk.failed(details, vec![said.matter.note], error));
        }
    };
    let reason = context.access.reason().map(short).unwrap_or_default();
    let statement = NoteId(make_random(&mut SystemEntropy)?);
    let title = format!("request to {} taken back", said.matter.deed.name());
    let mut metadata = desk.statement_metadata(title, String::new(), String::new());
    metadata
        .fields
        .extend((!reason.is_empty()).then(|| (WHY.to_owned(), reason.clone())));
    let (changes, _) = desk.seal(statement, Nature::Statement, &metadata, &reason, &label)?;
    details.level = Some(label.level());
    let mut draft = Draft::change(EntryKind::Request, details, vec![said.matter.note], changes);
    draft.because = Some(request);
    draft.matter = Some(Matter {
        until: context.now(),
        ..said.matter
    });
    let entry = desk.record(draft)?.entry();
    Ok(WithdrawnRequest {
        request,
        entry,
        changed: true,
    })
}

/// A request that may be approved by whoever is at the desk.
struct Approvable {
    matter: Matter,
    statement: Option<Statement>,
    label: Label,
    wraps: Vec<WrapFile>,
}

impl Desk<'_> {
    /// Whose device an entry is of.
    pub(super) fn person(&self, entry: EntryRef) -> Option<PersonId> {
        self.ledger.charter().roster.person_of(entry.log.device)
    }

    /// The same as they are called.
    pub(super) fn handle_of(&self, entry: EntryRef) -> String {
        self.person(entry).map(|by| self.handle(by)).unwrap_or_default()
    }

    /// The approvals of a request that are what they say, and by a device that whoever asked did not admit for it: by the order
    /// of cards, since what a clock said is their own word.
    fn approvals_of(&self, request: EntryRef) -> Vec<(EntryRef, PersonId, &Said)> {
        let mut approvals = self.said_to_approve(request);
        approvals.retain(|(approval, ..)| !self.was_admitted_for_it(request, *approval));
        approvals
    }

    fn said_to_approve(&self, request: EntryRef) -> Vec<(EntryRef, PersonId, &Said)> {
        let roster = &self.ledger.charter().roster;
        self.ledger
            .matters()
            .approvals(request, &|device| roster.person_of(device))
    }

    fn was_admitted_for_it(&self, request: EntryRef, approval: EntryRef) -> bool {
        let roster = &self.ledger.charter().roster;
        let asked = self.ledger.matters().request(request).map(|said| said.roster);
        let asked = asked.zip(self.person(request));
        asked.is_some_and(|(asked, by)| {
            let asked = self.ledger.stands_upon(asked);
            roster.was_admitted_since(asked, approval.log.device, by)
        })
    }

    /// Whose approvals of `needed` count: of people who belong to the vault now and may read it, in time, not used yet. What
    /// of a note is left of which some was destroyed on the strength of an approval may be destroyed too.
    pub(super) fn seconds(&mut self, needed: &Needed<'_>) -> Result<Seconds, Error> {
        let objects = self.bind(needed)?;
        let (me, now) = (self.identity.person(), self.context.now());
        let matters = self.ledger.matters();
        let mut seconds = Seconds {
            objects,
            counted: Vec::new(),
        };
        for (request, asked) in matters.requests() {
            let Matter { deed, note, .. } = asked.matter;
            if self.person(request) != Some(me) || (deed, note) != (needed.deed, needed.note) {
                continue;
            }
            // What was carried out is over, whoever approved it again, and so is what was taken back.
            if deed == Deed::Release && self.is_used(request) || self.taken_back(request).is_some() {
                continue;
            }
            let late = self.said_to_approve(request).into_iter();
            let late = late.filter(|(approval, ..)| self.was_admitted_for_it(request, *approval));
            for (_, by, _) in late.filter(|(_, _, said)| said.matter.until > now) {
                self.context.person.warn(&format!(
                    "what {} approved does not count: you admitted the device that approved it after you had asked. Take that \
                     back (`strongroom approvals --withdraw {request}`) and ask anew",
                    self.handle(by)
                ));
            }
            for (approval, by, said) in self.approvals_of(request) {
                let used = self.use_of(approval).is_some();
                let same = said.matter.objects == objects && !used;
                let rest = deed == Deed::Destroy && used;
                if (same || rest) && said.matter.until > now && self.may_second(by, needed.label) {
                    let card = self.ledger.charter().roster.member(by);
                    seconds.counted.push(Second {
                        by,
                        lead: card.is_some_and(|card| card.roles.contains(&Role::Lead)),
                        approval,
                        request,
                        asked: asked.time,
                        rest,
                    });
                }
            }
        }
        // Where that cannot be seen from here, the second person's own program has looked.
        let apart = match seconds.counted.is_empty() {
            true => None,
            false => self.not_second(needed.about)?,
        };
        let apart = apart.unwrap_or_default();
        let mut barred = BTreeSet::new();
        seconds.counted.retain(|second| {
            let named = apart.iter().any(|people| self.is_named(second.by, people));
            barred.extend(named.then_some(second.by));
            !named
        });
        for person in barred {
            self.context.person.warn(&format!(
                "what {} approved does not count: they were involved in what it is about, or recorded it",
                self.handle(person)
            ));
        }
        Ok(seconds)
    }

    /// Whether somebody approved that whoever is at the desk does that with it.
    pub(super) fn rests_on_approval(&self, deed: Deed, note: NoteId) -> bool {
        let me = Some(self.identity.person());
        let mut own = self.ledger.matters().requests().filter(|(request, said)| {
            (said.matter.deed, said.matter.note) == (deed, note) && self.person(*request) == me
        });
        own.any(|(request, _)| !self.approvals_of(request).is_empty())
    }

    fn bind(&self, needed: &Needed<'_>) -> Result<Digest, Error> {
        let bodies = self.ledger.bodies_of(needed.note);
        let wraps = needed.wraps.iter().map(|wrap| (needed.note, wrap.clone())).collect();
        let (sound, _) = self.gate().sound(self.ledger.stored_many(wraps)?);
        Ok(self.gate().bind(needed.note, &sound, &bodies, needed.terms)?)
    }

    /// Whether a person is a member who may decide about what bears that label.
    fn may_second(&self, person: PersonId, label: &Label) -> bool {
        let now = self.context.now();
        let card = self.ledger.charter().roster.member(person);
        card.is_some_and(|card| {
            let belongs = !card.is_removed() && !card.paused && !card.has_ended(now);
            let decides = card.roles.iter().any(|role| matches!(role, Role::Officer | Role::Lead));
            belongs && decides && card.clearance(now).dominates(label)
        })
    }

    /// What is said where something is denied: if nothing but a second person is missing, that is asked for.
    pub(super) fn denied_or_asked(
        &mut self,
        denial: &Denial,
        needed: &Needed<'_>,
        seconds: &Seconds,
        details: Details,
        asked: &str,
    ) -> Result<Error, Error> {
        let kind = Some(needed.deed.kind());
        let notes = vec![needed.note];
        if !denial.lacks_only_a_second_person() {
            return self.denied(denial, kind, details, notes, asked);
        }
        let objects = seconds.objects;
        let (me, now) = (self.identity.person(), self.context.now());
        let open = self.ledger.matters().requests().find(|(request, said)| {
            let Matter {
                deed,
                note,
                objects: bound,
                until,
            } = &said.matter;
            let same = (*deed, *note, *bound) == (needed.deed, needed.note, objects);
            let stands = !self.is_used(*request) && self.taken_back(*request).is_none();
            stands && same && *until > now && self.person(*request) == Some(me)
        });
        let open = open.map(|(request, _)| request);
        let (request, refusal) = match open {
            Some(request) => (request, self.denied(denial, kind, details, notes, asked)?),
            None => {
                let refusal = denial.public_words().and_then(|words| words.into_iter().next());
                let refusal = format!("denied: {}", refusal.unwrap_or_default());
                let request = self.request_second(needed, objects, details)?;
                (request, Error::new(Kind::Denied, refusal))
            }
        };
        let since = match open {
            Some(_) => "it is asked for already",
            None => "it is asked for now",
        };
        let whoever = match denial.lacks_another_lead() {
            true => "another lead who may read it",
            false => "whoever may read it",
        };
        let refusal = refusal.hint(format!(
            "{since}, as {request}: `strongroom sync` brings it to others; {whoever} gives `strongroom approve {request}`; \
             then, after a sync, give this command again"
        ));
        let refusal = match self.somebody_may_second(needed.label, denial.lacks_another_lead()) {
            true => refusal,
            false => refusal.hint(
                "nobody else may read it so far, so nobody can approve it: let somebody in who may (`strongroom member grant`), or, \
                 where it goes to people by name, name somebody (`strongroom relabel`)",
            ),
        };
        Ok(Error {
            request: Some(request),
            ..refusal
        })
    }

    /// Whether there is anybody else who may decide about what bears that label; `as_lead`: and is a lead.
    fn somebody_may_second(&self, label: &Label, as_lead: bool) -> bool {
        let others = self.ledger.charter().roster.members();
        let mut others = others.filter(|card| card.person != self.identity.person());
        others.any(|card| (!as_lead || card.roles.contains(&Role::Lead)) && self.may_second(card.person, label))
    }

    /// Enters the request, with a statement that is sealed to the note's label.
    fn request_second(&mut self, needed: &Needed<'_>, objects: Digest, details: Details) -> Result<EntryRef, Error> {
        let now = self.context.now();
        let reason = self.context.access.reason().map(short).unwrap_or_default();
        let text = match needed.terms.is_empty() {
            true => reason.clone(),
            false => format!("{}\n\n{reason}", needed.terms),
        };
        let statement = NoteId(make_random(&mut SystemEntropy)?);
        let title = format!("request to {}", needed.deed.name());
        let mut metadata = self.statement_metadata(title, String::new(), String::new());
        let to = needed.terms.lines().filter_map(|line| line.strip_prefix("to: "));
        metadata.fields = to.map(|to| (TO.to_owned(), to.to_owned())).collect();
        metadata
            .fields
            .extend((!reason.is_empty()).then(|| (WHY.to_owned(), reason)));
        let (changes, _) = self.seal(statement, Nature::Statement, &metadata, &text, needed.label)?;
        let waits = match needed.deed {
            Deed::Destroy => self.grace_after(now),
            Deed::Release => now,
        };
        let mut draft = Draft::change(EntryKind::Request, details, vec![needed.note], changes);
        draft.matter = Some(Matter {
            deed: needed.deed,
            note: needed.note,
            objects,
            until: Time::from_unix(waits.unix().saturating_add(WAITS)),
        });
        Ok(self.record(draft)?.entry())
    }

    /// What is known of a statement beside its text.
    pub(super) fn statement_metadata(&self, title: String, client: String, case: String) -> Metadata {
        let now = self.context.now().unix();
        Metadata {
            title,
            client,
            case,
            created: now,
            modified: now,
            happened: None,
            author: self.identity.person(),
            parents: Vec::new(),
            number: 1,
            fields: Vec::new(),
        }
    }

    /// The request, if whoever is at the desk may approve it. Of what they may not read they learn nothing.
    fn approvable(&mut self, request: EntryRef, details: &Details) -> Result<Approvable, Error> {
        let said = self.ledger.matters().request(request).cloned();
        let found = match &said {
            Some(said) => self.find(&said.matter.note.to_string())?,
            None => None,
        };
        let (Some(said), Some((_, label, wraps))) = (said, found) else {
            let _ = self.record(Draft::without_effect(
                None,
                Outcome::Denied,
                details.clone(),
                Vec::new(),
            ))?;
            return Err(Error::new(
                Kind::Denied,
                format!("no request `{request}` that you may decide about"),
            )
            .hint("`strongroom approvals` lists them; `strongroom sync` brings those of others"));
        };
        let refusal = if self.person(request) == Some(self.identity.person()) {
            Some(Error::new(
                Kind::Denied,
                "nobody approves what they asked for themselves",
            ))
        } else if self.is_used(request) {
            Some(Error::new(Kind::Failed, "what this request was for is done already"))
        } else if self.taken_back(request).is_some() {
            Some(Error::new(Kind::Failed, "whoever asked for this has taken it back"))
        } else if said.matter.until <= self.context.now() {
            let words = format!("this request is over since {}", said.matter.until);
            Some(Error::new(Kind::Failed, words).hint("have it asked for anew"))
        } else {
            None
        };
        match refusal {
            Some(error) => Err(self.refused("approve", Some(EntryKind::Approve), Some(&request.to_string()), error)?),
            None => Ok(Approvable {
                matter: said.matter,
                statement: said.statement,
                label,
                wraps,
            }),
        }
    }

    /// The requests that are one's own, or about what one's keys open, and not over; without what they are about.
    pub(super) fn request_lines(&self) -> Result<Vec<RequestLine>, Error> {
        let readable = self.gate().readable(self.ledger.wraps("")?, &self.clearance());
        let readable: HashSet<NoteId> = readable.into_iter().map(|(note, _, _)| note).collect();
        let mut lines: Vec<RequestLine> = Vec::new();
        for (request, said) in self.ledger.matters().requests() {
            let own = self.person(request) == Some(self.identity.person());
            if own || readable.contains(&said.matter.note) {
                let line = self.line_of(request, own)?;
                let stands = matches!(line.standing, Standing::Waiting | Standing::Approved);
                lines.extend((stands || said.matter.until > self.context.now()).then_some(line));
            }
        }
        lines.sort_by_key(|line| (line.asked, line.request));
        Ok(lines)
    }

    /// The fields of the statements of these requests, as far as they open.
    fn said_of(&mut self, lines: &[RequestLine]) -> Result<BTreeMap<EntryRef, Vec<(String, String)>>, Error> {
        let matters = self.ledger.matters();
        let said = lines.iter().filter_map(|line| {
            let said = matters.request(line.request)?;
            Some((line.request, said.statement?))
        });
        self.statement_fields("approvals", &said.collect::<Vec<_>>())
    }

    /// What the statements of these entries say in fields, of those that may be listed; under an entry of its own.
    pub(super) fn statement_fields(
        &mut self,
        verb: &'static str,
        said: &[(EntryRef, Statement)],
    ) -> Result<BTreeMap<EntryRef, Vec<(String, String)>>, Error> {
        if said.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = self.find_statements(self.details(verb), Action::List, said)?;
        let fields = |(entry, listed): (EntryRef, Listed)| (entry, listed.metadata.fields.clone());
        Ok(found.into_iter().map(fields).collect())
    }

    /// What a request binds, by the terms that its statement names.
    fn bound(&self, found: &Approvable, statement: &str) -> Result<Digest, Error> {
        self.bind(&Needed {
            deed: found.matter.deed,
            note: found.matter.note,
            label: &found.label,
            wraps: &found.wraps,
            terms: match found.matter.deed {
                Deed::Destroy => "",
                Deed::Release => statement.split("\n\n").next().unwrap_or_default(),
            },
            about: &[],
        })
    }

    /// Reads what is asked for, for whoever is to approve it: the statement, and of a release the draft.
    /// With the notes that say who is no second person for it.
    fn look_at(&mut self, request: EntryRef) -> Result<(Asked, Vec<NoteId>), Error> {
        let mut details = self.details("approve-read");
        details.asked = Some(request.to_string());
        let found = self.approvable(request, &details)?;
        let said = match found.statement {
            Some(statement) => self.read_statement(request, statement, &details)?,
            None => None,
        };
        let said = said.ok_or_else(|| {
            Error::new(Kind::Failed, "this request says nothing of what it is for").hint("have it asked for anew")
        })?;
        let note = found.matter.note.to_string();
        let mut about = vec![found.matter.note];
        let (mut goes, mut audience) = (None, None);
        let (title, text) = match found.matter.deed {
            Deed::Destroy => {
                goes = Some(self.going(found.matter.note, &found.wraps)?);
                let filter = Filter {
                    natures: TEXTS.to_vec(),
                    ..Filter::default()
                };
                let only = HashSet::from([found.matter.note]);
                let heading = self.find_all(details, &Looking::among(Action::List, filter, &only))?;
                let title = heading
                    .into_iter()
                    .next()
                    .map(|line| line.listed.metadata.title.clone());
                (title.ok_or_else(|| Error::no_such_note(&note))?, None)
            }
            Deed::Release => {
                let standing = self.standing(&note, &[Nature::Draft], &details)?;
                let permits = self.permitted(Action::Read, &standing, &mut details, &note)?;
                let newest = standing.newest(&note)?;
                let (opened, _) = self.open_revisions(&standing, &[newest], false, permits, details)?;
                let open = opened.into_iter().next().ok_or_else(|| Error::no_such_note(&note))?;
                let file = crate::brief::BriefFile::parse(open.text());
                let file = file.ok_or_else(changed)?;
                about.clone_from(&file.sources);
                audience = Some(self.level_name(self.level_of(&file)?));
                (open.metadata.title.clone(), Some(file.text.clone()))
            }
        };
        self.refuse_no_second(request, &about)?;
        if self.bound(&found, &said)? != found.matter.objects {
            return Err(changed());
        }
        let asked = Asked {
            request,
            deed: found.matter.deed,
            note: found.matter.note,
            title,
            label: self.label_text(&found.label).to_string(),
            by: self.handle_of(request),
            until: found.matter.until,
            statement: said,
            text,
            audience,
            goes,
        };
        Ok((asked, about))
    }

    /// Refuses whoever is at the desk as the second person for what they were involved in, or recorded.
    fn refuse_no_second(&mut self, request: EntryRef, about: &[NoteId]) -> Result<(), Error> {
        let words = match self.not_second(about)? {
            None => "denied: who may not read what it is about is not the second person for it",
            Some(apart) => match apart.iter().any(|people| self.is_named(self.identity.person(), people)) {
                true => "denied: who was involved in what it is about, or recorded it, is not the second person for it",
                false => return Ok(()),
            },
        };
        let error = Error::new(Kind::Denied, words).hint("somebody else is");
        Err(self.refused("approve", Some(EntryKind::Approve), Some(&request.to_string()), error)?)
    }

    /// How whoever is at the desk approved it, if that may still be used.
    fn approved_by_me(&self, request: EntryRef) -> Option<(EntryRef, Matter)> {
        let (me, now) = (self.identity.person(), self.context.now());
        let stands = !self.is_used(request) && self.taken_back(request).is_none();
        let counts = |by: PersonId, said: &Said| by == me && said.matter.until > now && stands;
        let mut approvals = self.approvals_of(request).into_iter();
        let own = approvals.find(|(_, by, said)| counts(*by, said));
        own.map(|(entry, _, said)| (entry, said.matter.clone()))
    }

    /// The entry by which it was taken back.
    fn taken_back(&self, request: EntryRef) -> Option<EntryRef> {
        let roster = &self.ledger.charter().roster;
        let person = |device| roster.person_of(device);
        self.ledger.matters().taken_back(request, &person)
    }

    /// What was done on the strength of an approval.
    fn use_of(&self, approval: EntryRef) -> Option<EntryRef> {
        let roster = &self.ledger.charter().roster;
        let person = |device| roster.person_of(device);
        self.ledger.matters().used(approval, &person)
    }

    /// Whether what was asked for was carried out.
    fn is_used(&self, request: EntryRef) -> bool {
        let approvals = self.approvals_of(request);
        let mut approvals = approvals.iter();
        approvals.any(|(approval, _, _)| self.use_of(*approval).is_some())
    }

    fn line_of(&self, request: EntryRef, own: bool) -> Result<RequestLine, Error> {
        let matters = self.ledger.matters();
        let said = matters
            .request(request)
            .ok_or_else(|| Error::new(Kind::Failed, "the request is gone"))?;
        let approvals = self.approvals_of(request);
        let now = self.context.now();
        let in_time = approvals.iter().any(|(_, _, said)| said.matter.until > now);
        let gone = self.ledger.bodies_of(said.matter.note).is_empty();
        let standing = match (self.is_used(request), in_time, said.matter.until > now) {
            (false, ..) if self.taken_back(request).is_some() => Standing::Withdrawn,
            (false, ..) if gone => Standing::Void,
            (true, ..) => Standing::Done,
            (false, true, _) => Standing::Approved,
            (false, false, true) => Standing::Waiting,
            (false, false, false) => Standing::Over,
        };
        let approved: BTreeSet<PersonId> = approvals.iter().map(|(_, by, _)| *by).collect();
        let until = match standing {
            Standing::Approved | Standing::Done => approvals.iter().map(|(_, _, said)| said.matter.until).max(),
            Standing::Waiting | Standing::Over | Standing::Void | Standing::Withdrawn => None,
        };
        Ok(RequestLine {
            request,
            deed: said.matter.deed,
            note: said.matter.note,
            heading: None,
            by: self.handle_of(request),
            own,
            asked: said.time,
            until: until.unwrap_or(said.matter.until),
            standing,
            approved: approved.into_iter().map(|by| self.handle(by)).collect(),
            to: Vec::new(),
            why: None,
        })
    }
}

fn changed() -> Error {
    Error::new(
        Kind::Failed,
        "what this request is about has changed since it was made; nothing was approved",
    )
    .hint("have it asked for anew")
}
