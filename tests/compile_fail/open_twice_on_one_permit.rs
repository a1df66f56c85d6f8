// refused: E0382
//! A permit is spent by the one opening that was permitted.

use strongroom::gate::{Gate, GateError, OpenNote, Permit};
use strongroom::ledger::{Recorded, StoredNote};

pub fn open(gate: Gate<'_>, one: Vec<StoredNote>, two: Vec<StoredNote>, permit: Permit, entries: [Recorded; 2]) {
    let [first, second] = entries;
    let _: Result<Vec<OpenNote>, GateError> = gate.open(one, vec![permit], first);
    let _ = gate.open(two, vec![permit], second);
}
