//! Casework: what the work asks of notes beyond their text. Templates with fields, clocks and closing rules, rubrics,
//! retention. No plaintext leaves here, no IO: opened metadata and the time come in, what is missing or due comes out.
//!
//! The files are an organisation's own (`templates/`, `rubrics/`, `retention/` of its policies); the program knows their
//! grammar, not their content.

mod closing;
mod due;
mod field;
mod metrics;
mod retention;
mod rubric;
mod shelf;
mod template;
mod wording;

pub use closing::{House, Linked, Record, sections_of};
pub use due::{Due, DueKind};
pub use field::{Condition, Field, FieldKind, Needed, Never, value_of};
pub use metrics::{Counted, Figured, METRICS, Metrics, Value, hide};
pub use retention::{BadRetention, Kept, Retention, RetentionClass, RetentionDates, RetentionResult, day, day_text};
pub use rubric::{Grade, Repeat, Rubric};
pub use shelf::{Form, FormCase, check_forms, form, form_names, metrics_of, wording_of};
pub use template::{Amend, Barred, BriefRule, Clock, Closing, LinkedRule, Section, Start, Template};
pub use wording::{Finding, WORDING, What, Wording};

/// Names of fields that the program writes itself; nobody gives them with `--field`.
pub mod reserved {
    /// The template of a note.
    pub const TEMPLATE: &str = "template";
    /// The number in the series of its template.
    pub const NUMBER: &str = "number";
    /// Who recorded it first, by handle.
    pub const RECORDED_BY: &str = "recorded-by";
    /// When it was closed, RFC 3339.
    pub const CLOSED: &str = "closed";
    /// Who closed it, by handle.
    pub const CLOSED_BY: &str = "closed-by";
    /// Until when its retention was decided anew, as a day.
    pub const KEPT_UNTIL: &str = "kept-until";

    /// The grade that its rubric gives.
    pub const GRADE: &str = "grade";
    /// Of a draft: that its release wants a second person.
    pub const SECONDED: &str = "second-person";
    /// Of what was lowered: the number of the highest level that it bore, by which it is destroyed. It is not shown.
    pub const HIGHEST: &str = "highest-level";
    /// Of a concern: for whom it is by name, as handles, so that its later revisions go to all of them.
    pub const READERS: &str = "readers";
    /// Of a concern: whom its author left out, as handles.
    pub const LEFT_OUT: &str = "left-out";
    /// Of a concern that came without a name: the key that answers are sealed with, in hex. It is not shown.
    pub const REPLY_KEY: &str = "reply-key";
    /// Of a concern that came without a name: the digest of the sealed file.
    pub const SEALED_FILE: &str = "sealed-file";

    /// Of an imported note: what it was imported from, as the kind of source and the path in it.
    pub const IMPORTED_FROM: &str = "imported-from";
    /// Of an imported note: by what it is recognised when the same source is imported again. It is not shown.
    pub const IMPORTED_KEY: &str = "imported-key";

    /// Of a text that is kept, never of a note: as what it may have been recorded.
    pub const RECORDED_AS: &str = "recorded-as";

    /// All of them.
    pub const ALL: [&str; 16] = [
        TEMPLATE,
        NUMBER,
        RECORDED_BY,
        CLOSED,
        CLOSED_BY,
        KEPT_UNTIL,
        GRADE,
        SECONDED,
        HIGHEST,
        READERS,
        LEFT_OUT,
        REPLY_KEY,
        SEALED_FILE,
        IMPORTED_FROM,
        IMPORTED_KEY,
        RECORDED_AS,
    ];
}
