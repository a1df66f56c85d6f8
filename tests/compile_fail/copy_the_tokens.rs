// refused: E0599
//! Tokens cannot be copied.

use strongroom::gate::Permit;
use strongroom::ledger::Recorded;
use strongroom::policy::{Decision, Permission};

pub fn permit(one: Permit) {
    let _ = one.clone();
}

pub fn recorded(one: Recorded) {
    let _ = one.clone();
}

pub fn permission(one: Permission) {
    let _ = one.clone();
}

pub fn decision(one: Decision) {
    let _ = one.clone();
}
