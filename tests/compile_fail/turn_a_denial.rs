// refused: E0308
//! A denial is not a permission.

use strongroom::gate::Permit;
use strongroom::policy::Denial;

pub fn turn(denial: Denial) -> Permit {
    Permit::new(denial, [])
}
