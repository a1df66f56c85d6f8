// refused: E0061
//! A kept text is given out against an entry alone.

use strongroom::envelope::KeptText;
use strongroom::gate::{Gate, GateError};

pub fn take_up(gate: Gate<'_>, file: &[u8]) -> Result<KeptText, GateError> {
    gate.take_up(file)
}
