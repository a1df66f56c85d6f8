// refused: E0061,E0382
//! An attachment is permitted and recorded before its first byte is read, and each reading once.

use strongroom::gate::{Gate, Permit};
use strongroom::ledger::{Recorded, StoredNote};

pub fn without_an_entry(gate: Gate<'_>, stored: Vec<StoredNote>, permit: Permit) {
    let _ = gate.open_contents(stored, vec![permit]);
}

pub fn without_a_permit(gate: Gate<'_>, stored: Vec<StoredNote>, recorded: Recorded) {
    let _ = gate.open_contents(stored, recorded);
}

pub fn twice(gate: Gate<'_>, one: Vec<StoredNote>, two: Vec<StoredNote>, permits: [Permit; 2], recorded: Recorded) {
    let [first, second] = permits;
    let _ = gate.open_contents(one, vec![first], recorded);
    let _ = gate.open_contents(two, vec![second], recorded);
}
