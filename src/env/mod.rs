//! The surroundings of a run: clock, boot, folders, small private files, faults, hardening.
//!
//! Everything here touches the machine and nothing here knows what a vault is. What a test must
//! steer (time, boot id, the failing of a disk) is a value that is handed in: [`Clock`],
//! [`boot_id`], [`Faults`].

mod below;
mod buffer;
mod clock;
mod entropy;
mod faults;
mod files;
mod folder;
mod harden;
mod places;
mod program;
mod scratch;
mod slots;
mod socket;
mod space;

pub use below::{FoundBelow, FoundKind, list_below, open_below};
pub use buffer::{Buffer, BufferError};
pub use clock::{Clock, since_boot};
pub use entropy::SystemEntropy;
pub use faults::{Fault, Faults, Step};
pub use files::{
    FileError, NewPlainFile, append_line, check_new_file, check_writable, close_to_others, is_mine, is_open_to_others,
    lock_private, make_private_folders, open_plain_file, put_file, read_bounded, replace_private, start_writing_back,
    sync_folder, write_new_private,
};
pub use folder::NewPrivateFolder;
pub use harden::{boot_id, harden, lock_in_memory};
pub use places::{NoHome, Places};
pub use program::{Ended, Fed, Program};
pub use scratch::{Scratch, make_scratch};
pub use slots::{SlotError, TwoSlot};
pub use socket::{Frame, Listener, SocketError, Wire, remove_stale_socket};
pub use space::Space;
