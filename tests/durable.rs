//! What is promised of the disk, shown on the real program: the entry is durable before a byte of plaintext leaves,
//! nothing readable lies at rest, and nothing acknowledged is lost.
//!
//! `STRONGROOM_LONG=1` runs more rounds. What the machine lacks (strace, mounting, loop devices, editors, tmux) is said on
//! standard error with the word `skipped`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "durable/agent.rs"]
mod agent;
#[path = "durable/attachments.rs"]
mod attachments;
#[path = "durable/beside.rs"]
mod beside;
#[path = "durable/browsing.rs"]
mod browsing;
#[path = "durable/calls.rs"]
mod calls;
#[path = "durable/canary.rs"]
mod canary;
#[path = "durable/clipboard.rs"]
mod clipboard;
#[path = "durable/crowd.rs"]
mod crowd;
#[path = "durable/disks.rs"]
mod disks;
#[path = "durable/doctor.rs"]
mod doctor;
#[path = "durable/editors.rs"]
mod editors;
#[path = "durable/forgetting.rs"]
mod forgetting;
#[path = "durable/house.rs"]
mod house;
#[path = "durable/importing.rs"]
mod importing;
#[path = "durable/kills.rs"]
mod kills;
#[path = "durable/modes.rs"]
mod modes;
#[path = "durable/mount.rs"]
mod mount;
#[path = "durable/power.rs"]
mod power;
#[path = "durable/refs.rs"]
mod refs;
#[path = "durable/secrets.rs"]
mod secrets;
#[path = "durable/syncs.rs"]
mod syncs;
#[path = "durable/writing.rs"]
mod writing;
