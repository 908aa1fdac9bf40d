//! Flags that say what to train and how, and the keys of the configuration that they stand for.

mod average;
mod data;
mod device;
mod keeping;
mod known;
mod length;
mod method;
mod network;
mod overrides;
mod own;
mod reference;
mod schedule;
mod suite;
mod task;
mod watch;

pub use keeping::KeepingFlags;
pub use known::Known;
pub use method::MethodFlags;
pub use overrides::Overrides;
pub use own::OwnFlags;
pub use reference::ReferenceFlags;
pub use suite::SuiteFlags;
pub use task::TaskFlags;
pub use watch::WatchArguments;
