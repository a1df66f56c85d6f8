// refused: E0061
//! A permit alone hands out no key.

use strongroom::gate::{Gate, GateError, Handed, Permit};
use strongroom::ledger::StoredNote;

pub fn hand_out(gate: Gate<'_>, stored: Vec<StoredNote>, permit: Permit) -> Result<Vec<Handed>, GateError> {
    gate.hand_out(stored, &[permit])
}
