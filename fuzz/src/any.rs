//! Every target in one program, so that a machine that tries them all builds and links once: `FUZZ_TARGET` names the one.

#![no_main]

use std::sync::OnceLock;
use strongroom_fuzz::{TARGETS, keyed};

static BODY: OnceLock<fn(&[u8]) -> bool> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let body = TARGETS.iter().chain(keyed::TARGETS).chain(keyed::MORE).find(|(name, _)| *name == wanted);
        BODY.get_or_init(|| body.unwrap_or_else(|| panic!("no target `{wanted}`: set FUZZ_TARGET")).1);
    },
    |data: &[u8]| {
        BODY.get().unwrap()(data);
    }
);
