//! What this run asks of the kernel.

use std::io;

/// Forbids core files and, on Linux, reading this program's memory by others of the same user
/// (`PR_SET_DUMPABLE` 0, which also gives `/proc/self` to root). Whatever is written from now on
/// is for its owner alone (umask 077), also what libgit2 writes.
pub fn harden() -> io::Result<()> {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Asks the system to keep the pages on which `size` bytes at `at` lie in memory, out of any swap, for as long as this
/// process lives; whether it will (`RLIMIT_MEMLOCK` may be used up). Pages are shared with neighbours and never unlocked.
pub fn lock_in_memory(at: *const u8, size: usize) -> bool {
    // Dropping the guard would unlock the whole page, with whatever secret came to lie beside this one.
    region::lock(at, size).map(std::mem::forget).is_ok()
}

/// The id that Linux gives each boot (`/proc/sys/kernel/random/boot_id`, a UUID): 16 bytes that
/// change when unsynced writes may have been lost. `None` where there is no such thing; whoever
/// asks must then assume the worst. A build with debug assertions obeys `STRONGROOM_TEST_BOOT_ID`
/// (a UUID), so that a test from outside can start the machine anew; a release build does not look
/// at it.
pub fn boot_id() -> Option<[u8; 16]> {
    #[cfg(debug_assertions)]
    if let Ok(text) = std::env::var("STRONGROOM_TEST_BOOT_ID") {
        return parse_uuid(&text);
    }
    parse_uuid(&std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?)
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text
        .trim_end()
        .bytes()
        .filter(|byte| *byte != b'-')
        .map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    if digits.len() != 32 {
        return None;
    }
    let mut id = [0; 16];
    for (slot, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *slot = pair[0] << 4 | pair[1];
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_id_is_a_uuid() {
        let id = parse_uuid("00112233-4455-6677-8899-aabbccddeeff\n");
        assert_eq!(
            id,
            Some([
                0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff
            ])
        );
        assert_eq!(parse_uuid("0011"), None);
        assert_eq!(parse_uuid("g0112233-4455-6677-8899-aabbccddeeff"), None);
        #[cfg(target_os = "linux")]
        assert_eq!(boot_id(), boot_id());
    }
}
