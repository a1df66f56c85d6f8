// refused: E0616,E0624
//! What the gate saw inside stays there until it is revealed against tokens.

use strongroom::gate::Survey;

pub fn titles(survey: &Survey) {
    let _ = &survey.found;
}

pub fn clients(survey: &Survey) {
    let _ = survey.clients_for_the_record();
}
