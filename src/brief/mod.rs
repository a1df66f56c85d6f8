//! Briefs: text for a colleague that says what to do and nothing about whom it concerns.
//!
//! Made by omission: what is not known to be safe does not pass. Opened text comes in, redacted
//! text and a manifest go out; nothing here reads a file, a clock or the vault.
//!
//! The way of a text through the room:
//! 1. [`portions`]: what lies above the audience is left out whole.
//! 2. [`Prepared`]: the text is folded, so that no spelling hides a name, and cut into words.
//! 3. [`Finder`]s look at it, independent of each other: [`Patterns`] for what has a form,
//!    [`Known`] for what the vault knows, [`Names`] for what looks like a name, the tagger over all of these, and in the strict
//!    mode [`Unlisted`] for whatever no list knows. Every name found is then looked for everywhere.
//! 4. [`redact()`] puts placeholders, or something vaguer, in place of what was found, and scans the
//!    output again; what remains doubtful is listed for a person to decide.
//! 5. [`compose()`] does all this over several notes at once; [`render()`] puts the mark first and last.
//!
//! It reads English. The name tagger gives each word a chance of being a name or a number that points to
//! somebody; a word of small letters that it passes and no list has is a doubt in the mode `no-names`
//! and masked in `strict`. A name that is an ordinary word may be neither seen nor masked: that is
//! why a person looks before a release.

mod ages;
mod around;
mod begins;
mod check;
mod compose;
mod cues;
mod days;
mod figures;
mod file;
mod finding;
mod general;
mod known;
mod months;
mod names;
mod passing;
mod patterns;
mod pdf;
mod placeholder;
mod plain;
mod portion;
mod prepared;
mod profile;
mod redact;
mod render;
mod scan;
mod strict;
mod summary;
mod tables;
#[cfg(feature = "training")]
pub mod tagger;
#[cfg(not(feature = "training"))]
mod tagger;
mod values;
mod words;

pub use check::{Leak, check, check_placed};
pub use compose::{BriefText, Making, Source, compose};
pub use file::{BriefFile, Left};
pub use finding::{Finder, Finding, Kind, Type, Weight};
pub use general::{Addresses, Ages, Dates, Vague};
pub use known::{BadKnown, Known};
pub use names::Names;
pub use patterns::Patterns;
pub use placeholder::Naming;
pub use portion::{Portion, keep_up_to, portions};
pub use prepared::{BadText, MAX_TEXT, Prepared};
pub(crate) use prepared::{hides, is_invisible};
pub use profile::{BadProfile, CaseResult, Mode, Profile, SHIPPED, Treatment, shipped};
pub use redact::{Doubt, Redaction, Refused, Span, identifiers, redact, redact_named, redact_with};
pub use render::{Format, Header, redisclosure, render};
pub use scan::Judged;
pub use strict::Unlisted;
pub use summary::shorten;
pub use tagger::{BadModel, Model};
