// refused: E0382
//! One decision makes one permit.

use strongroom::gate::Permit;
use strongroom::id::NoteId;
use strongroom::policy::Permission;

pub fn two(permission: Permission, one: NoteId, two: NoteId) -> [Permit; 2] {
    [Permit::new(permission, [one]), Permit::new(permission, [two])]
}
