//! What Koala asks of the operating system: files that outlast a crash, files of others read without trust, memory that there
//! is; and text of others written so that it steers no terminal.
//!
//! Whatever writes goes through here, so that it can be made to fail on request: see [`faults`].

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod faults;
mod folders;
mod links;
mod log;
mod manifest;
mod memory;
mod read;
mod shell;
mod visible;
mod write;

pub use folders::{
    make_folders, new_folder, own_folder, remove_file, remove_folder, remove_tree, rename,
    sync_folder,
};
pub use log::{LogFile, is_in_place};
pub use manifest::{Entry, MANIFEST, Manifest, sha256};
pub use memory::available_memory;
pub use read::{open, read, read_text};
pub use shell::quoted;
pub use visible::{visible, visible_json, visible_lines};
pub use write::{open_lock, sync_file, write_synced, write_whole};
