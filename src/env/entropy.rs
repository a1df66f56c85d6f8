//! Randomness of the operating system.

use crate::crypto::{Entropy, NoEntropy};

/// `getrandom(2)` or what the system has in its place.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buf).map_err(|_| NoEntropy)
    }
}
