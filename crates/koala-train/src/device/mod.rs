//! Where networks are trained: the names of devices, and opening one.

mod error;
mod name;
mod open;

pub use error::{DeviceError, DeviceNameError};
pub use name::{BackEnd, DeviceName};
