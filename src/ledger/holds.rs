//! Legal holds, and who has seen that a note is to be destroyed, as this clone's logs tell it.

use super::start::Ledger;
use crate::chain::{DeviceKind, Hold, Time, was_lead};
use crate::id::{DeviceId, Digest, EntryRef, NoteId, PersonId};

impl Ledger<'_> {
    /// Whether the person of a device was a lead, and not paused, by the cards up to the one of that digest; none where there
    /// is no such card. Under cards that were withdrawn it is as under those they stood upon, but that they may have ended a pause.
    pub fn was_lead(&self, device: DeviceId, at: Digest) -> Option<bool> {
        let base = self.standing.live.withdrawals().base_of(at);
        let roster = &self.standing.charter.roster;
        was_lead(roster, device, base.unwrap_or(at), base.is_some())
    }

    /// All holds, also those that were lifted.
    pub fn holds(&self) -> Vec<Hold> {
        self.standing.live.holds(&|device, at| self.was_lead(device, at))
    }

    /// Whether an entry holds a note, and no lift of that is known.
    pub fn is_held(&self, note: NoteId) -> bool {
        self.standing
            .live
            .is_held(note, &|device, at| self.was_lead(device, at))
    }

    /// The devices, of members who belong to the vault now, that have not seen a request yet, as far as their logs tell here.
    /// This one has.
    pub fn waits_for(&self, request: EntryRef, now: Time) -> Vec<(PersonId, DeviceId)> {
        let members = self.standing.charter.roster.members();
        let live = members.filter(|card| !(card.is_removed() || card.paused || card.has_ended(now)));
        let devices = live.flat_map(|card| card.devices.iter().map(move |device| (card.person, device)));
        let devices = devices.filter(|(_, device)| device.kind == DeviceKind::Device);
        let all = devices.map(|(person, device)| (person, device.device));
        all.filter(|(_, device)| *device != self.identity.device() && !self.standing.live.has_seen(*device, request))
            .collect()
    }

    /// Whether an entry of this device says that it has seen a request.
    pub fn says_seen(&self, request: EntryRef) -> bool {
        self.standing.live.has_seen(self.identity.device(), request)
    }
}
