//! Briefs: text for a colleague that says what to do and nothing about whom it concerns.
//!
//! Made by omission: what is not known to be safe does not pass. Opened text comes in, redacted
//! text and a manifest go out; nothing here reads a file, a clock or the vault.

mod finding;
mod known;
mod names;
mod patterns;
mod placeholder;
mod prepared;
mod profile;
mod redact;
mod strict;
mod words;

pub use finding::{Finder, Finding, Kind, Type, Weight};
pub use known::{BadKnown, Known};
pub use names::Names;
pub use patterns::Patterns;
pub use prepared::{BadText, MAX_TEXT, Prepared};
pub use profile::{BadProfile, CaseResult, Mode, Profile, SHIPPED, Treatment, shipped};
pub use redact::{Doubt, Leak, Redaction, Refused, Span, check, redact};
pub use strict::Unlisted;
