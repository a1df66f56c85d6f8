//! The auditor's report.

use strongroom::report::{BadReport, Basis, read, render};

/// A report; or the basis of one, which is rendered first, so that no hash stands in the way.
pub fn report(data: &[u8]) -> bool {
    if let Ok(basis) = read(data) {
        assert_eq!(
            render(&basis).as_bytes(),
            data,
            "what was accepted is written back otherwise"
        );
        return true;
    }
    let Some(basis) = parse(data) else { return false };
    match read(render(&basis).as_bytes()) {
        Ok(again) => {
            assert_eq!(again, basis, "a report tells of another basis than it was made of");
            true
        }
        Err(bad) => {
            // What does not hold together renders, and is refused.
            assert!(matches!(bad, BadReport::DoesNotFollow | BadReport::OtherLook), "{bad}");
            false
        }
    }
}

fn parse(data: &[u8]) -> Option<Basis> {
    Basis::parse(std::str::from_utf8(data).ok()?)
}
