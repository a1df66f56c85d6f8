//! The access review: who can read what, who used it, and what is left over. What was seen of it is an entry with its
//! digest, and so is that a lead has found it right.

use super::answers::Overseen;
use super::compartments::roster_facts;
use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::members::MemberLine;
use super::table::shown_name;
use crate::chain::{Card, Outcome, Role, Time};
use crate::crypto::sha256;
use crate::id::{CompartmentId, DeviceId, Digest, EntryRef, NoteId, PersonId};
use crate::label::Level;
use crate::ledger::Draft;
use crate::policy::{Action, Decision};
use std::collections::{BTreeMap, BTreeSet};

/// For how long nobody used what counts as unused, in days.
pub const UNUSED_DAYS: i64 = 90;
/// What a found review is called in its entry.
const ACCEPTED: &str = "accepted";

/// A member under review.
pub struct ReviewLine {
    /// Who, and what they may read.
    pub member: MemberLine,
    /// Their last entry.
    pub last: Option<Time>,
    /// Their entries, of all time and of the last [`UNUSED_DAYS`] days.
    pub entries: (u64, u64),
    /// The last entry of each of their devices that has a log.
    pub devices: BTreeMap<DeviceId, Time>,
    /// What they have had for [`UNUSED_DAYS`] days and did not use in them, in words.
    pub unused: Vec<String>,
}

/// Devices of somebody whose membership is over that still hold keys.
pub struct Leaver {
    /// Who.
    pub handle: String,
    /// Whether they were removed; if not, their time is over.
    pub removed: bool,
    /// The devices.
    pub devices: Vec<DeviceId>,
}

/// All of it.
pub struct Review {
    /// When.
    pub time: Time,
    /// In the order of their handles.
    pub members: Vec<ReviewLine>,
    /// Whose devices hold keys though they should not.
    pub leavers: Vec<Leaver>,
    /// What waits for a new key, in words.
    pub pending: Vec<String>,
    /// How many entries of the last [`UNUSED_DAYS`] days do not open for whoever reviews: what they used is not seen.
    pub closed: u64,
    /// Who last found a review right, and when.
    pub accepted: Option<(String, Time)>,
}

/// What was kept of it.
pub struct Reviewed {
    /// SHA-256 of the text as it was shown.
    pub digest: Digest,
    /// The entry that says it was shown.
    pub shown: EntryRef,
    /// The entry that says it was found right.
    pub accepted: Option<EntryRef>,
}

/// How a review becomes a text, how that is shown, and what asks whether it is right.
pub struct ReviewDoor<'a> {
    /// Makes the text.
    pub render: &'a dyn Fn(&Review) -> String,
    /// Shows it.
    pub show: &'a dyn Fn(&str, &Reviewed) -> Result<(), Error>,
    /// Asks; none: nobody wants to say that it is right.
    pub accept: Option<&'a dyn Fn() -> Result<(), Error>>,
}

/// Reviews who may do what. It reads the log, which is an entry; what comes of it is shown once an entry has its digest.
pub fn review_members(context: &Context<'_>, door: &ReviewDoor<'_>) -> Result<Reviewed, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("member review");
    match desk.decide(Action::MemberReview, roster_facts()?) {
        Decision::Denied(denial) => return Err(desk.denied(&denial, None, details, Vec::new(), "member review")?),
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    let rules = details.rules;
    let overseen = desk.overseen(Action::AuditWho, "review-read", Vec::new())?;
    let standing = desk.under_review()?;
    drop(desk);
    let review = standing.with_uses(&overseen, context.now())?;
    let text = (door.render)(&review);
    let digest = sha256(&[text.as_bytes()]);
    let kept = |what: &str| -> Result<EntryRef, Error> {
        let mut desk = unlocked.desk(context)?;
        let mut details = desk.details("member review");
        details.left = Some(digest);
        details.asked = Some(short(what.to_owned()));
        details.rules = rules.clone();
        Ok(desk.record(Draft::read(details, Vec::new()))?.entry())
    };
    let mut reviewed = Reviewed {
        digest,
        shown: kept("shown")?,
        accepted: None,
    };
    (door.show)(&text, &reviewed)?;
    if let Some(accept) = door.accept {
        accept()?;
        reviewed.accepted = Some(kept(ACCEPTED)?);
    }
    Ok(reviewed)
}

/// What the cards and keys say, before the log is asked what of it was used.
struct Standing {
    lines: Vec<MemberLine>,
    cards: Vec<Card>,
    leavers: Vec<Leaver>,
    pending: Vec<String>,
    labels: BTreeMap<NoteId, BTreeSet<CompartmentId>>,
    names: BTreeMap<CompartmentId, String>,
    levels: BTreeMap<u8, String>,
}

/// What somebody used lately.
#[derive(Default)]
struct Uses {
    last: Option<Time>,
    entries: (u64, u64),
    level: Option<Level>,
    compartments: BTreeSet<CompartmentId>,
    log: bool,
    /// Whether some of their entries do not open, so that what they did not use cannot be said.
    closed: bool,
}

impl Desk<'_> {
    fn under_review(&self) -> Result<Standing, Error> {
        let now = self.context.now();
        let roster = &self.ledger.charter().roster;
        let me = self.identity.person();
        let mut lines: Vec<MemberLine> = roster
            .members()
            .filter(|card| !card.is_removed())
            .map(|card| self.member_line(card, now))
            .collect();
        lines.sort_by(|a, b| a.handle.cmp(&b.handle));
        let mut leavers = Vec::new();
        for card in roster.members().filter(|card| card.is_removed() || card.has_ended(now)) {
            let ever = roster.cards().iter().filter(|earlier| earlier.person == card.person);
            let devices: BTreeSet<DeviceId> = ever
                .flat_map(|card| &card.devices)
                .map(|device| device.device)
                .collect();
            let live = |device: &DeviceId| !self.ledger.boxes_of(*device).is_empty();
            let devices: Vec<DeviceId> = devices.into_iter().filter(live).collect();
            if !devices.is_empty() {
                leavers.push(Leaver {
                    handle: card.handle.clone(),
                    removed: card.is_removed(),
                    devices,
                });
            }
        }
        let mut labels: BTreeMap<NoteId, BTreeSet<CompartmentId>> = BTreeMap::new();
        for (note, wrap) in self.ledger.wraps("")? {
            if let Some(label) = wrap.label(self.ledger.keyring(), me) {
                labels.entry(note).or_default().extend(label.compartments());
            }
        }
        let held = self.ledger.keyring().compartments();
        let pending = roster.rotations_pending();
        Ok(Standing {
            lines,
            cards: roster.cards().to_vec(),
            leavers,
            pending: pending.into_iter().map(|usage| self.use_name(usage)).collect(),
            labels,
            names: held.map(|(name, id)| (id, shown_name(name))).collect(),
            levels: Level::ALL
                .into_iter()
                .map(|level| (level.number(), self.level_name(level)))
                .collect(),
        })
    }
}

impl Standing {
    fn with_uses(self, overseen: &Overseen<'_>, now: Time) -> Result<Review, Error> {
        let begin = now.unix() - UNUSED_DAYS * 86_400;
        let mut uses: BTreeMap<PersonId, Uses> = BTreeMap::new();
        let mut devices: BTreeMap<DeviceId, Time> = BTreeMap::new();
        let mut accepted = None;
        let mut closed = 0;
        overseen.reading.each::<Error>(&mut |line| {
            let entry = &line.entry;
            let recent = entry.time.unix() >= begin;
            let used = uses.entry(entry.actor).or_default();
            used.last = used.last.max(Some(entry.time));
            used.entries.0 += 1;
            let last = devices.entry(entry.log.device).or_insert(entry.time);
            *last = entry.time.max(*last);
            if recent {
                used.entries.1 += 1;
                closed += u64::from(line.details.is_none());
                used.closed |= line.details.is_none();
            }
            let Some(details) = &line.details else { return Ok(()) };
            if details.verb == "member review" && details.asked.as_deref() == Some(ACCEPTED) {
                accepted = Some((overseen.handle(entry.actor), entry.time));
            }
            if recent && entry.result == Outcome::Done {
                used.level = used.level.max(details.level);
                used.log |= details.verb.starts_with("audit ");
                let labels = line.notes.iter().filter_map(|note| self.labels.get(note));
                used.compartments.extend(labels.flatten());
            }
            Ok(())
        })?;
        let members = self.lines.iter().map(|member| {
            let none = Uses::default();
            let used = uses.get(&member.person).unwrap_or(&none);
            let own = member.devices.iter().map(|device| device.device);
            ReviewLine {
                member: member.clone(),
                last: used.last,
                entries: used.entries,
                devices: own
                    .filter_map(|device| Some((device, *devices.get(&device)?)))
                    .collect(),
                unused: self.unused(member.person, used, begin),
            }
        });
        Ok(Review {
            time: now,
            members: members.collect(),
            leavers: self.leavers,
            pending: self.pending,
            closed,
            accepted,
        })
    }

    /// What a member has had since before `begin` and did not use since, as far as the entries and labels open here.
    fn unused(&self, person: PersonId, used: &Uses, begin: i64) -> Vec<String> {
        let cards: Vec<&Card> = self.cards.iter().filter(|card| card.person == person).collect();
        let had = |has: &dyn Fn(&Card) -> bool| {
            let since = cards.iter().rev().take_while(|card| has(card)).last();
            since.is_some_and(|card| card.time.unix() < begin)
        };
        let Some(card) = cards.last() else { return Vec::new() };
        if used.entries.1 == 0 {
            return match had(&|_| true) {
                true => vec!["everything".to_owned()],
                false => Vec::new(),
            };
        }
        let mut unused = Vec::new();
        if used.closed {
            return unused;
        }
        let reads = card.roles.iter().any(|role| *role != Role::Auditor);
        let top = Level::from_number(card.level).unwrap_or(Level::Public);
        if reads && used.level < Some(top) && had(&|card| card.level >= top.number()) {
            unused.extend(self.levels.get(&top.number()).cloned());
        }
        let idle = |id: &&CompartmentId| {
            reads && !used.compartments.contains(id) && had(&|card| card.compartments.contains(id))
        };
        let idle = card.compartments.iter().filter(idle);
        let mut idle: Vec<String> = idle.filter_map(|id| self.names.get(id).cloned()).collect();
        idle.sort();
        unused.append(&mut idle);
        let auditor = |card: &Card| card.roles.contains(&Role::Auditor);
        if auditor(card) && !used.log && had(&auditor) {
            unused.push("the role of auditor".to_owned());
        }
        unused
    }
}

/// That nobody can be asked whether a review is right.
pub fn nobody_accepts() -> Error {
    Error::new(
        Kind::Usage,
        "nobody can be asked here whether the review is right; it was shown, and not accepted",
    )
    .hint("look at it, and then give --accept with --yes")
}
