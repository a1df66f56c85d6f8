// refused: E0061
//! A list, too, is recorded before it is shown.

use strongroom::gate::{Permit, Survey};

pub fn reveal(survey: Survey, permit: Permit) {
    let _ = survey.reveal(vec![permit]);
}
