// refused: E0277
//! There is no empty token.

use strongroom::gate::Permit;
use strongroom::ledger::Recorded;
use strongroom::policy::Permission;

pub fn permit() -> Permit {
    Default::default()
}

pub fn recorded() -> Recorded {
    Default::default()
}

pub fn permission() -> Permission {
    Default::default()
}
