//! The ledger as a whole: real vaults, damaged in every way that the verifier must catch.

#![allow(clippy::unwrap_used, clippy::expect_used)]
