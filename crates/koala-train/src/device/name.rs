//! What devices are called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::DeviceNameError;
use crate::run::hint;

/// What drives a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BackEnd {
    /// Burn's `flex`, on this machine's processor.
    #[default]
    Cpu,
    /// NVIDIA's CUDA.
    Cuda,
    /// AMD's ROCm.
    Rocm,
    /// Apple's Metal.
    Metal,
    /// Vulkan.
    Vulkan,
    /// wgpu on whatever graphics interface the machine has: Vulkan, Metal, DirectX 12 or OpenGL.
    WebGpu,
}

impl BackEnd {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Cpu,
        Self::Cuda,
        Self::Rocm,
        Self::Metal,
        Self::Vulkan,
        Self::WebGpu,
    ];

    /// Its name, which is also that of the cargo feature for all but the processor.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::Metal => "metal",
            Self::Vulkan => "vulkan",
            Self::WebGpu => "webgpu",
        }
    }
}

/// A device by its name: `cpu` (default), `cuda`, or `cuda:1` for the second that CUDA lists. Without a number it is the one
/// that the back end takes by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceName {
    /// What drives it.
    pub back_end: BackEnd,
    /// Which one, from 0; never there for the processor.
    pub(super) index: Option<usize>,
}

impl FromStr for DeviceName {
    type Err = DeviceNameError;

    fn from_str(text: &str) -> Result<Self, DeviceNameError> {
        let (name, index) = match text.split_once(':') {
            None => (text, None),
            Some((name, index)) => (name, Some(index)),
        };
        let found = BackEnd::ALL.into_iter().find(|known| known.name() == name);
        let back_end = found.ok_or_else(|| DeviceNameError::Unknown {
            name: text.to_owned(),
            hint: hint(name, &BackEnd::ALL.map(BackEnd::name)),
        })?;
        let index = match (back_end, index) {
            (_, None) => None,
            (BackEnd::Cpu, Some(_)) => {
                return Err(DeviceNameError::OneProcessor {
                    name: text.to_owned(),
                });
            }
            // Not `parse` alone, which takes a sign.
            (_, Some(digits)) => Some(
                digits
                    .parse()
                    .ok()
                    .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
                    .ok_or_else(|| DeviceNameError::Index {
                        name: text.to_owned(),
                        back_end: name.to_owned(),
                    })?,
            ),
        };
        Ok(Self { back_end, index })
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            None => to.write_str(self.back_end.name()),
            Some(index) => write!(to, "{}:{index}", self.back_end.name()),
        }
    }
}

impl TryFrom<String> for DeviceName {
    type Error = DeviceNameError;

    fn try_from(text: String) -> Result<Self, DeviceNameError> {
        text.parse()
    }
}

impl From<DeviceName> for String {
    fn from(name: DeviceName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(text: &str) -> String {
        text.parse::<DeviceName>().unwrap_err().to_string()
    }

    #[test]
    fn names_are_read_and_written() {
        for back_end in BackEnd::ALL {
            let name: DeviceName = back_end.name().parse().unwrap();
            assert_eq!((name.back_end, name.index), (back_end, None));
            assert_eq!(name.to_string(), back_end.name());
        }
        let second: DeviceName = "cuda:1".parse().unwrap();
        assert_eq!((second.back_end, second.index), (BackEnd::Cuda, Some(1)));
        assert_eq!(second.to_string(), "cuda:1");
        assert_eq!(DeviceName::default().to_string(), "cpu");
    }

    #[test]
    fn what_is_no_name_says_what_would_be() {
        assert_eq!(
            fault("cudo:1"),
            "no device is called 'cudo:1', did you mean 'cuda'?"
        );
        assert_eq!(
            fault("tensor-processor"),
            "no device is called 'tensor-processor'; there are: cpu, cuda, rocm, metal, vulkan, webgpu"
        );
        assert_eq!(
            fault("cpu:0"),
            "'cpu:0': there is one processor, called cpu"
        );
        for text in [
            "cuda:",
            "cuda:x",
            "cuda:-1",
            "cuda:+1",
            "cuda:1:2",
            "cuda:99999999999999999999",
        ] {
            let expected = format!("'{text}': after cuda: comes a number, 0 for the first device");
            assert_eq!(fault(text), expected);
        }
        // Names are not guessed: neither capitals nor spaces.
        assert!(fault("CUDA").contains("no device is called 'CUDA'"));
        assert!(fault(" cpu").contains("did you mean 'cpu'?"));
        assert!(fault("").contains("no device is called ''"));
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "(cpu|cuda|rocm|metal|vulkan|webgpu)?:?[ -~]{0,4}") {
            if let Ok(name) = text.parse::<DeviceName>() {
                prop_assert_eq!(name.to_string().parse::<DeviceName>().unwrap(), name);
            }
        }
    }
}
