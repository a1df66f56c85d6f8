// refused: E0451
//! That something is recorded is said by the ledger alone.

use strongroom::id::NoteId;
use strongroom::ledger::Recorded;

pub fn forge(other: Recorded, note: NoteId) -> Recorded {
    Recorded { notes: vec![note], ..other }
}
