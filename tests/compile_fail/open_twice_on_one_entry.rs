// refused: E0382
//! An entry is spent by the one opening that it records.

use strongroom::gate::{Gate, GateError, OpenNote, Permit};
use strongroom::ledger::{Recorded, StoredNote};

pub fn open(gate: Gate<'_>, one: Vec<StoredNote>, two: Vec<StoredNote>, permits: [Permit; 2], recorded: Recorded) {
    let [first, second] = permits;
    let _: Result<Vec<OpenNote>, GateError> = gate.open(one, vec![first], recorded);
    let _ = gate.open(two, vec![second], recorded);
}
