//! From a name to a device that works.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, DeviceType, Tensor};

use super::{BackEnd, DeviceError, DeviceName};

impl DeviceName {
    /// The device, once it has computed something; without a number the first that is listed, which is a card of its own
    /// where there is one, and a driver that only imitates one last of all.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] if it was not built in, is not there, or does not work.
    pub fn open(&self) -> Result<Device, DeviceError> {
        self.hold(|| self.tried())?
    }

    /// Does `work` on the device; a panic in it is the device's error. Back ends panic where a driver refuses them, in whatever
    /// function comes to it first. Nothing that `work` changes may be used after that.
    pub(crate) fn hold<T>(&self, work: impl FnOnce() -> T) -> Result<T, DeviceError> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| DeviceError::Broken {
            device: self.to_string(),
            cause: message(&*panic),
        })
    }

    fn tried(&self) -> Result<Device, DeviceError> {
        let (device, back_end) = (self.to_string(), self.back_end.name());
        let Some(listed) = listed(self.back_end) else {
            return Err(DeviceError::NotBuilt { device, back_end });
        };
        let found = match (listed.get(self.index.unwrap_or(0)), listed.len()) {
            (Some(found), _) => found.clone(),
            (None, 0) => return Err(DeviceError::None { device, back_end }),
            (None, count) => {
                return Err(DeviceError::NoSuch {
                    device,
                    back_end,
                    count,
                });
            }
        };
        match fault(&found) {
            None => Ok(found),
            Some(cause) => Err(DeviceError::Broken { device, cause }),
        }
    }
}

/// The devices of a back end; nothing if it was not built in.
fn listed(back_end: BackEnd) -> Option<Vec<Device>> {
    let kind = match back_end {
        BackEnd::Cpu => DeviceType::Flex,
        #[cfg(feature = "cuda")]
        BackEnd::Cuda => DeviceType::Cuda,
        #[cfg(feature = "rocm")]
        BackEnd::Rocm => DeviceType::Rocm,
        #[cfg(feature = "metal")]
        BackEnd::Metal => DeviceType::Metal,
        #[cfg(feature = "vulkan")]
        BackEnd::Vulkan => DeviceType::Vulkan,
        // Burn's own `WebGpu` is a browser's.
        #[cfg(feature = "webgpu")]
        BackEnd::WebGpu => DeviceType::Wgpu,
        #[allow(unreachable_patterns)]
        _ => return None,
    };
    Some(Device::enumerate(kind).into_iter().collect())
}

/// What goes wrong when the device adds 1 and 1.
fn fault(device: &Device) -> Option<String> {
    let sum = Tensor::<1>::ones([2], device).sum();
    match sum.try_into_data() {
        Err(error) => Some(error.to_string()),
        Ok(data) => match data.iter::<f32>().next() {
            Some(2.0) => None,
            other => Some(format!("it adds 1 and 1 to {other:?}")),
        },
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("its back end gave up").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(name: &str) -> Result<Device, String> {
        let name: DeviceName = name.parse().unwrap();
        name.open().map_err(|error| error.to_string())
    }

    #[test]
    fn the_processor_is_always_there_and_computes() {
        assert_eq!(opened("cpu").unwrap(), Device::flex());
        assert_eq!(fault(&Device::flex()), None);
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_was_left_out_names_the_feature() {
        assert_eq!(
            opened("cuda:1").unwrap_err(),
            "device cuda:1: this koala was built without cuda. Build one with it: cargo install --path crates/koala-lab \
             --features cuda"
        );
    }

    /// Whatever there is on the machine that tests: one more is not.
    #[test]
    fn a_device_that_is_not_there_is_an_error() {
        for back_end in BackEnd::ALL.into_iter().skip(1) {
            let Some(devices) = listed(back_end) else {
                continue;
            };
            let text = opened(&format!("{}:{}", back_end.name(), devices.len())).unwrap_err();
            let expected = match devices.len() {
                0 => "finds no device on this machine".to_owned(),
                count => format!(
                    "finds {count} here, the last of them {}:{}",
                    back_end.name(),
                    count - 1
                ),
            };
            assert!(text.contains(&expected), "{text}");
        }
    }

    #[test]
    fn a_device_that_gives_up_at_work_is_an_error() {
        let device = DeviceName::default();
        assert_eq!(device.hold(|| 3), Ok(3));
        let told = device.hold::<()>(|| panic!("out of memory")).unwrap_err();
        assert_eq!(
            told.to_string(),
            "device cpu cannot be used: out of memory. Look after its driver, or train on another --device"
        );
    }

    #[test]
    fn what_a_panic_says_is_kept() {
        let said = |text: &'static str| message(&*catch_unwind(|| panic!("{text}")).unwrap_err());
        assert_eq!(said("no memory"), "no memory");
        let other = catch_unwind(|| std::panic::panic_any(3)).unwrap_err();
        assert_eq!(message(&*other), "its back end gave up");
    }
}
