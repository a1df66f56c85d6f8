// refused: E0451
//! A permit comes from a decision.

use strongroom::gate::Permit;
use strongroom::policy::Permission;

pub fn forge(permission: Permission) -> Permit {
    Permit { permission, notes: Vec::new() }
}
