//! What the tour stands on: sample notes, a stage that goes away, and damage to copies of its vault.

mod damage;
mod stage;

pub use crate::id::NoteId;
pub use damage::{Damage, copy_vault, damage};
pub use stage::{Ran, Stage};

use super::error::{Error, Kind};
use serde::Deserialize;

const NOTES: &str = include_str!("notes/notes.toml");

/// A sample note. Everybody and everything in it is invented.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SampleNote {
    /// Its title.
    pub title: String,
    /// The client it concerns.
    pub client: String,
    /// The case it belongs to.
    pub case: Option<String>,
    /// LEVEL or LEVEL/COMPARTMENT.
    pub label: String,
    /// When it happened, RFC 3339.
    pub at: String,
    /// The reason its author gave.
    pub why: Option<String>,
    /// Its text.
    pub text: String,
}

/// The sample notes, in the order they are recorded.
pub fn sample_notes() -> Result<Vec<SampleNote>, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        note: Vec<SampleNote>,
    }
    let file: File = toml::from_str(NOTES).map_err(|error| {
        Error::new(
            Kind::Failed,
            format!("the sample notes cannot be read: {}", error.message()),
        )
    })?;
    Ok(file.note)
}
