//! The networks by name, and whether they fit the images.

use serde::{Deserialize, Serialize};

use super::{CnnSpec, MlpSpec};
use crate::data::ImageShape;

/// A network, by name, with its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModelSpec {
    /// Fully connected layers.
    Mlp(MlpSpec),
    /// Convolutions.
    Cnn(CnnSpec),
}

impl ModelSpec {
    /// The names of all networks.
    pub const NAMES: [&'static str; 2] = ["mlp", "cnn"];

    /// The network of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mlp" => Some(Self::Mlp(MlpSpec::default())),
            "cnn" => Some(Self::Cnn(CnnSpec::default())),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mlp(_) => "mlp",
            Self::Cnn(_) => "cnn",
        }
    }

    /// What is wrong with the options: the key and the fault.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        const WIDEST: usize = 1 << 16;
        let widths = |widths: &[usize]| {
            widths
                .iter()
                .find(|w| **w == 0 || **w > WIDEST)
                .map(|w| format!("each width must be between 1 and {WIDEST}, not {w}"))
        };
        match self {
            Self::Mlp(spec) => widths(&spec.hidden).map(|fault| ("hidden", fault)),
            Self::Cnn(spec) => widths(&spec.channels)
                .map(|fault| ("channels", fault))
                .or_else(|| {
                    (spec.hidden > WIDEST).then(|| {
                        (
                            "hidden",
                            format!("must be at most {WIDEST}, not {}", spec.hidden),
                        )
                    })
                }),
        }
    }

    /// Whether the images are too small for the network, in words.
    pub(crate) fn misfit(&self, shape: ImageShape) -> Option<String> {
        match self {
            Self::Mlp(_) => None,
            Self::Cnn(spec) => {
                let blocks = spec.channels.len();
                let smallest = 1usize.checked_shl(blocks as u32).unwrap_or(usize::MAX);
                (shape.height.min(shape.width) < smallest).then(|| {
                    format!(
                        "{blocks} blocks halve images of {} x {} to nothing: give fewer channels",
                        shape.height, shape.width
                    )
                })
            }
        }
    }
}
