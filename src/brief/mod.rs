//! Briefs: text for a colleague that says what to do and nothing about whom it concerns.
//!
//! Made by omission: what is not known to be safe does not pass. Opened text comes in, redacted
//! text and a manifest go out; nothing here reads a file, a clock or the vault.

mod compose;
mod cues;
mod finding;
mod known;
mod names;
mod patterns;
mod placeholder;
mod portion;
mod prepared;
mod profile;
mod redact;
mod render;
mod strict;
mod words;

pub use compose::{BriefText, Source, compose};
pub use finding::{Finder, Finding, Kind, Type, Weight};
pub use known::{BadKnown, Known};
pub use names::Names;
pub use patterns::Patterns;
pub use portion::{Portion, keep_up_to, portions};
pub use prepared::{BadText, MAX_TEXT, Prepared};
pub use profile::{BadProfile, CaseResult, Mode, Profile, SHIPPED, Treatment, shipped};
pub use redact::{Doubt, Leak, Redaction, Refused, Span, check, redact};
pub use render::{Format, Header, render};
pub use strict::Unlisted;
