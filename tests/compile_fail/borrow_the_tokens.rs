// refused: E0308
//! Tokens are handed over, not lent.

use strongroom::gate::{Gate, GateError, OpenNote, Permit};
use strongroom::ledger::{Recorded, StoredNote};

pub fn open(gate: Gate<'_>, stored: Vec<StoredNote>, permit: Permit, recorded: &Recorded) {
    let _: Result<Vec<OpenNote>, GateError> = gate.open(stored, vec![permit], recorded);
}
