//! The way that is open: decided, recorded, then opened.

use strongroom::envelope::KeptText;
use strongroom::gate::{BadContent, Gate, GateError, OpenNote, Permit};
use strongroom::ledger::{Recorded, StoredNote, StoredParts};
use strongroom::id::NoteId;
use strongroom::policy::{Decision, PolicySet, Request};

pub fn permit(policies: &PolicySet, request: &Request<'_>, note: NoteId) -> Option<Permit> {
    match policies.decide(request) {
        Decision::Permitted(permission) => Some(Permit::new(permission, [note])),
        Decision::Denied(_) => None,
    }
}

pub fn open(
    gate: Gate<'_>,
    stored: Vec<StoredNote>,
    permit: Permit,
    recorded: Recorded,
) -> Result<Vec<OpenNote>, GateError> {
    gate.open(stored, vec![permit], recorded)
}

pub fn take_up(gate: Gate<'_>, file: &[u8], recorded: Recorded) -> Result<KeptText, GateError> {
    gate.take_up(file, recorded)
}

pub fn read(
    gate: Gate<'_>,
    stored: Vec<StoredNote>,
    parts: StoredParts,
    permit: Permit,
    recorded: Recorded,
) -> Result<usize, BadContent> {
    let mut contents = gate.open_contents(stored, vec![permit], recorded)?;
    let mut size = 0;
    if let Some(content) = contents.pop() {
        let mut content = content.read(parts);
        while let Some(chunk) = content.next_chunk()? {
            size += chunk.len();
        }
    }
    Ok(size)
}
