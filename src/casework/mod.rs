//! Casework: what the work asks of notes beyond their text. Templates with fields, clocks and closing rules, rubrics,
//! retention. No plaintext leaves here, no IO: opened metadata and the time come in, what is missing or due comes out.
//!
//! The files are an organisation's own (`templates/`, `rubrics/`, `retention/` of its policies); the program knows their
//! grammar, not their content.

mod due;
mod retention;

pub use due::{Due, DueKind};
pub use retention::{BadRetention, Kept, Retention, RetentionClass, RetentionDates, RetentionResult, day, day_text};

/// Names of fields that the program writes itself; nobody gives them with `--field`.
pub mod reserved {
    /// The template of a note.
    pub const TEMPLATE: &str = "template";
    /// The number in the series of its template.
    pub const NUMBER: &str = "number";
    /// When it was closed, RFC 3339.
    pub const CLOSED: &str = "closed";
    /// Who closed it, by handle.
    pub const CLOSED_BY: &str = "closed-by";
    /// Until when its retention was decided anew, as a day.
    pub const KEPT_UNTIL: &str = "kept-until";

    /// All of them.
    pub const ALL: [&str; 5] = [TEMPLATE, NUMBER, CLOSED, CLOSED_BY, KEPT_UNTIL];
}
