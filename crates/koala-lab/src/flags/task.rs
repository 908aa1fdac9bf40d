//! All flags but the optimizer's: what the optimizers of a comparison have in common.

use clap::Args;

use super::Overrides;
use super::average::AverageFlags;
use super::data::DataFlags;
use super::device::DeviceFlag;
use super::length::LengthFlags;
use super::network::NetworkFlags;
use super::own::OwnFlags;
use super::schedule::ScheduleFlags;

/// What to train on what, where and for how long.
#[derive(Args)]
pub struct TaskFlags {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    own: OwnFlags,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    length: LengthFlags,
    #[command(flatten)]
    device: DeviceFlag,
    #[command(flatten)]
    schedule: ScheduleFlags,
    #[command(flatten)]
    average: AverageFlags,
}

impl TaskFlags {
    /// The overrides that these flags stand for.
    pub fn overrides(&self) -> Overrides {
        let mut all = Overrides::default();
        self.data.add_to(&mut all);
        self.own.add_to(&mut all);
        self.network.add_to(&mut all);
        self.length.add_to(&mut all);
        self.device.add_to(&mut all);
        self.schedule.add_to(&mut all);
        self.average.add_to(&mut all);
        all
    }
}
