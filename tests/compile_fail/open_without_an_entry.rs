// refused: E0061
//! A permit alone opens nothing.

use strongroom::gate::{Gate, GateError, OpenNote, Permit};
use strongroom::ledger::{Recorded, StoredNote};

pub fn open(gate: Gate<'_>, stored: Vec<StoredNote>, permit: Permit) -> Result<Vec<OpenNote>, GateError> {
    gate.open(stored, vec![permit])
}
