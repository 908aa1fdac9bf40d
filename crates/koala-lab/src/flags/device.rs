//! The flag that says where to train.

use clap::Args;

use super::Overrides;

/// Where to train.
#[derive(Args)]
#[command(next_help_heading = "Task")]
pub struct DeviceFlag {
    /// Device: cpu, cuda, rocm, metal, vulkan or webgpu; cuda:1 is the second. All but cpu need a koala built with the feature of that name [default: cpu]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
}

impl DeviceFlag {
    /// Adds the override that this flag stands for.
    pub fn add_to(&self, all: &mut Overrides) {
        all.put("device", self.device.clone());
    }
}
