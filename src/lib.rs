//! `strongroom`: a vault for confidential notes with an audit trail.
//!
//! The rooms of the house stand in a total order, from the street door down to the
//! foundation; a room imports only rooms that stand below it, and `tests/tidy.rs` holds that.
//!
//! | floor | rooms |
//! | --- | --- |
//! | 5 | [`cli`] what a person types and sees |
//! | 4 | [`app`] use cases; the only place that orders effects |
//! | 3 | [`gate`] the one door to plaintext · [`ledger`] the log on git · [`session`] identities |
//! | 2 | [`repo`] the only user of git · [`env`](mod@env) clock, randomness, faults, local state |
//! | 1 | [`report`] what an auditor signs · [`transfer`] open formats, in and out · [`casework`] templates, clocks, retention · [`brief`] · [`chain`] · [`policy`] · [`envelope`] |
//! | 0 | [`label`] · [`crypto`] · [`secret`] · [`id`] |
//!
//! Floors 0 and 1 do no IO: time and randomness are handed in.

pub mod app;
pub mod brief;
pub mod casework;
pub mod chain;
pub mod cli;
pub mod crypto;
pub mod env;
pub mod envelope;
pub mod gate;
pub mod id;
pub mod label;
pub mod ledger;
pub mod policy;
pub mod repo;
pub mod report;
pub mod secret;
pub mod session;
pub mod transfer;
