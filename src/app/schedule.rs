//! Destroying in two phases (docs/FORMAT.md §7.5): what two have agreed on is carried out once every device has seen it, so
//! that nobody's hold comes too late; or after the policies' grace, and then it is on record who had not.

use super::approvals::Seconds;
use super::context::Desk;
use super::error::{Error, Kind};
use crate::chain::{Deed, Details, Time};
use crate::id::{DeviceId, EntryRef, NoteId, PersonId};
use crate::ledger::Draft;

/// How many devices the details of an entry name.
const NAMED_MAX: usize = 32;

/// What a destruction rests on.
#[derive(Default)]
pub(super) struct Agreed {
    /// The approval, where a second person was needed.
    pub(super) approval: Option<EntryRef>,
    /// The devices that had not seen it when the grace was over.
    pub(super) laggards: Vec<String>,
}

impl Desk<'_> {
    /// When the grace of a destruction that was asked for then is over.
    pub(super) fn grace_after(&self, asked: Time) -> Time {
        let end = self.retention().grace().after(asked.unix());
        end.map_or(asked, Time::from_unix)
    }

    fn device_named(&self, (person, device): &(PersonId, DeviceId)) -> String {
        format!("{} {device}", self.handle(*person))
    }

    /// The approval that a note may be destroyed by now: its request was seen by every device, or its grace is over. Where
    /// neither is so, an error that says what is waited for.
    pub(super) fn agreed(&mut self, note: NoteId, seconds: &Seconds, details: &Details) -> Result<Agreed, Error> {
        let now = self.context.now();
        let mut best: Option<(Agreed, usize)> = None;
        let mut waiting: Option<(EntryRef, Time, Vec<String>)> = None;
        for second in &seconds.counted {
            let waits = match second.rest {
                // What was begun was agreed on.
                true => Vec::new(),
                false => self.ledger.waits_for(second.request, now),
            };
            let names: Vec<String> = waits.iter().map(|device| self.device_named(device)).collect();
            let over = self.grace_after(second.asked);
            if !names.is_empty() && over > now {
                if waiting.as_ref().is_none_or(|(_, end, _)| over < *end) {
                    waiting = Some((second.request, over, names));
                }
                continue;
            }
            if best.as_ref().is_none_or(|(_, count)| names.len() < *count) {
                let count = names.len();
                let approval = Some(second.approval);
                let agreed = Agreed {
                    approval,
                    laggards: names,
                };
                best = Some((agreed, count));
            }
        }
        match (best, waiting) {
            (Some((agreed, _)), _) => Ok(agreed),
            // Nobody needed to agree.
            (None, None) => Ok(Agreed::default()),
            (None, Some((request, over, names))) => {
                let count = match names.len() {
                    1 => "1 device has".to_owned(),
                    count => format!("{count} devices have"),
                };
                let words = format!("{count} not seen yet that it is to be destroyed; nothing was destroyed");
                let error = Error::new(Kind::Unknown, words)
                    .hint(format!(
                        "it is scheduled as {request}; these could still bring a hold: {}",
                        names.join(", ")
                    ))
                    .hint(format!(
                        "each of them syncs once, and then you: `strongroom sync`; from {over} on it is done without them, and \
                         that is on record"
                    ));
                Err(self.failed(details.clone(), vec![note], error))
            }
        }
    }

    /// Enters that this device has seen what is scheduled for destruction, where its log does not say so yet: others wait
    /// for that.
    pub(super) fn see_schedules(&mut self) -> Result<(), Error> {
        let now = self.context.now();
        let card = self.ledger.charter().roster.member(self.identity.person());
        if card.is_none_or(|card| card.is_removed() || card.paused || card.has_ended(now)) {
            return Ok(());
        }
        let open = self.ledger.matters().requests().any(|(request, said)| {
            let scheduled = said.matter.deed == Deed::Destroy && said.matter.until > now;
            let unseen = scheduled && !self.ledger.says_seen(request);
            unseen && !self.ledger.bodies_of(said.matter.note).is_empty()
        });
        if open {
            let _ = self.record(Draft::read(Details::new("schedule-seen"), Vec::new()))?;
        }
        Ok(())
    }
}

/// As the details of an entry name them: so many, and how many more.
pub(super) fn in_details(laggards: &[String]) -> Vec<String> {
    let mut named: Vec<String> = laggards.iter().take(NAMED_MAX).cloned().collect();
    let more = laggards.len().saturating_sub(NAMED_MAX);
    named.extend((more > 0).then(|| format!("and {more} more")));
    named
}
