// refused: E0451
//! A permission comes from the policies.

use strongroom::policy::Permission;

pub fn forge(other: Permission) -> Permission {
    Permission { rules: vec!["mine".into()], ..other }
}
