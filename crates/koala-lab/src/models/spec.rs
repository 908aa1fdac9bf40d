//! The networks by name, and whether they fit the images.

use serde::{Deserialize, Serialize};

use super::{CnnSpec, MlpSpec, ResNetForm, ResNetSpec};
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
    /// [`ResNetForm::ResNet20`].
    #[serde(rename = "resnet20")]
    ResNet20(ResNetSpec),
    /// [`ResNetForm::ResNet18`].
    #[serde(rename = "resnet18")]
    ResNet18(ResNetSpec),
    /// [`ResNetForm::ResNet50`].
    #[serde(rename = "resnet50")]
    ResNet50(ResNetSpec),
    /// [`ResNetForm::WideResNet50`].
    #[serde(rename = "wrn50-2")]
    WideResNet50(ResNetSpec),
}

impl ModelSpec {
    /// The names of all networks.
    pub const NAMES: [&'static str; 6] =
        ["mlp", "cnn", "resnet20", "resnet18", "resnet50", "wrn50-2"];

    /// The network of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mlp" => Some(Self::Mlp(MlpSpec::default())),
            "cnn" => Some(Self::Cnn(CnnSpec::default())),
            "resnet20" => Some(Self::ResNet20(ResNetForm::ResNet20.spec())),
            "resnet18" => Some(Self::ResNet18(ResNetForm::ResNet18.spec())),
            "resnet50" => Some(Self::ResNet50(ResNetForm::ResNet50.spec())),
            "wrn50-2" => Some(Self::WideResNet50(ResNetForm::WideResNet50.spec())),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mlp(_) => "mlp",
            Self::Cnn(_) => "cnn",
            Self::ResNet20(_) => "resnet20",
            Self::ResNet18(_) => "resnet18",
            Self::ResNet50(_) => "resnet50",
            Self::WideResNet50(_) => "wrn50-2",
        }
    }

    /// What is wrong with the options: the key and the fault.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        const WIDEST: usize = 1 << 16;
        const WIDEST_RESNET: usize = 1 << 10;
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
            Self::ResNet20(spec)
            | Self::ResNet18(spec)
            | Self::ResNet50(spec)
            | Self::WideResNet50(spec) => (!(1..=WIDEST_RESNET).contains(&spec.width)).then(|| {
                (
                    "width",
                    format!("must be between 1 and {WIDEST_RESNET}, not {}", spec.width),
                )
            }),
        }
    }

    /// Whether the images are too small for the network, in words.
    pub(crate) fn misfit(&self, shape: ImageShape) -> Option<String> {
        match self {
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
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_defaults_agree() {
        for name in ModelSpec::NAMES {
            let spec = ModelSpec::named(name).unwrap();
            assert_eq!(spec.name(), name);
            assert_eq!(spec.fault(), None);
            let stored = toml::to_string(&spec).unwrap();
            assert!(
                stored.starts_with(&format!("name = \"{name}\"")),
                "{stored}"
            );
            assert_eq!(toml::from_str::<ModelSpec>(&stored).unwrap(), spec);
        }
        assert_eq!(ModelSpec::named("resnet-18"), None);
    }
}
