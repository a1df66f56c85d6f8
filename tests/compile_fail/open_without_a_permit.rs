// refused: E0061
//! An entry alone opens nothing.

use strongroom::gate::{Gate, GateError, OpenNote};
use strongroom::ledger::{Recorded, StoredNote};

pub fn open(gate: Gate<'_>, stored: Vec<StoredNote>, recorded: Recorded) -> Result<Vec<OpenNote>, GateError> {
    gate.open(stored, recorded)
}
