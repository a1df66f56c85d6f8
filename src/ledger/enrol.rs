//! Cards and key boxes of members, as the files of an entry that are still to be recorded (docs/FORMAT.md §§2.2, 4).

use super::append::Changes;
use super::error::LedgerError;
use super::found::recipients;
use super::objects::MAIN;
use super::start::{DEVICES, Ledger};
use crate::chain::{Card, Cut};
use crate::crypto::Entropy;
use crate::envelope::{BoxFile, Keyring};
use crate::id::LogName;

impl Ledger<'_> {
    /// The files that put a card in force, which this device signs: the roster with it is verified before it is written.
    pub fn card_changes(&self, card: &Card) -> Result<Changes, LedgerError> {
        let charter = &self.standing.charter;
        let mut changes = Changes::default();
        changes.write(MAIN, card.path(), self.identity.sign_card(card));
        let signers = charter.after(self.repo, &changes)?.roster.allowed_signers();
        if signers != charter.roster.allowed_signers() {
            let old = charter.files.iter().find(|file| file.1 == "allowed_signers");
            old.into_iter().for_each(|file| changes.forget(file.clone()));
            changes.write(MAIN, "allowed_signers", signers.into_bytes());
        }
        Ok(changes)
    }

    /// A box with these keys for every device of a person, beside what it has.
    pub fn give_keys(
        &self,
        card: &Card,
        keys: &Keyring,
        changes: &mut Changes,
        entropy: &mut dyn Entropy,
    ) -> Result<(), LedgerError> {
        for (device, recipient) in recipients(card) {
            let sealed = BoxFile::seal(card.vault, device, &recipient, keys, entropy)?;
            changes.write_digested(DEVICES, device, sealed.to_bytes());
        }
        Ok(())
    }

    /// How far the logs of a person's devices are known here, for the card that removes them.
    pub fn known_of(&self, card: &Card) -> Vec<Cut> {
        let own = |log: &LogName| card.devices.iter().any(|device| device.device == log.device);
        let logs = self.standing.others.iter().filter(|(log, _)| own(log));
        logs.map(|(log, (size, root))| Cut(*log, *size, *root)).collect()
    }

    /// The boxes of a person's devices are forgotten.
    pub fn forget_boxes(&self, card: &Card, changes: &mut Changes) {
        let boxes = card.devices.iter().flat_map(|device| self.boxes_of(device.device));
        boxes.for_each(|file| changes.forget(file));
    }
}
