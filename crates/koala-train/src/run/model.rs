//! The networks by name, and whether they fit the data.

use koala_data::DataKind;
use koala_models::language::{GptSpec, LstmSpec, TransformerSpec};
use koala_models::{
    AutoencoderSpec, CnnSpec, ImageShape, MlpSpec, ResNetForm, ResNetSpec, SpecError, VitSpec,
    at_most,
};
use serde::{Deserialize, Serialize};

use crate::gan::GanSpec;
use crate::own::{OwnModel, stored_beside_own};

/// A network, by name, with its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModelSpec {
    /// Fully connected layers, for images and tables.
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
    /// A vision transformer.
    Vit(VitSpec),
    /// Fully connected layers that give images back through a narrow one.
    Autoencoder(AutoencoderSpec),
    /// A generator of images and its critic.
    Dcgan(GanSpec),
    /// Long short-term memory, for texts.
    Lstm(LstmSpec),
    /// Transformer encoder layers, for texts.
    Transformer(TransformerSpec),
    /// A small GPT, for texts.
    Gpt(GptSpec),
    /// One of your own, which no file can name.
    #[serde(skip)]
    Own(OwnModel),
}

stored_beside_own!(ModelSpec);

impl ModelSpec {
    /// The names of all networks.
    pub const NAMES: [&'static str; 12] = [
        "mlp",
        "cnn",
        "resnet20",
        "resnet18",
        "resnet50",
        "wrn50-2",
        "vit",
        "autoencoder",
        "dcgan",
        "lstm",
        "transformer",
        "gpt",
    ];

    /// The network of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mlp" => Some(Self::Mlp(MlpSpec::default())),
            "cnn" => Some(Self::Cnn(CnnSpec::default())),
            "resnet20" => Some(Self::ResNet20(ResNetForm::ResNet20.spec())),
            "resnet18" => Some(Self::ResNet18(ResNetForm::ResNet18.spec())),
            "resnet50" => Some(Self::ResNet50(ResNetForm::ResNet50.spec())),
            "wrn50-2" => Some(Self::WideResNet50(ResNetForm::WideResNet50.spec())),
            "vit" => Some(Self::Vit(VitSpec::default())),
            "autoencoder" => Some(Self::Autoencoder(AutoencoderSpec::default())),
            "dcgan" => Some(Self::Dcgan(GanSpec::default())),
            "lstm" => Some(Self::Lstm(LstmSpec::new(0))),
            "transformer" => Some(Self::Transformer(TransformerSpec::new(0))),
            "gpt" => Some(Self::Gpt(GptSpec::new(0))),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Mlp(_) => "mlp",
            Self::Cnn(_) => "cnn",
            Self::ResNet20(_) => "resnet20",
            Self::ResNet18(_) => "resnet18",
            Self::ResNet50(_) => "resnet50",
            Self::WideResNet50(_) => "wrn50-2",
            Self::Vit(_) => "vit",
            Self::Autoencoder(_) => "autoencoder",
            Self::Dcgan(_) => "dcgan",
            Self::Lstm(_) => "lstm",
            Self::Transformer(_) => "transformer",
            Self::Gpt(_) => "gpt",
            Self::Own(own) => own.name(),
        }
    }

    /// What it is for.
    pub fn kinds(&self) -> &'static [DataKind] {
        match self {
            Self::Mlp(_) => &[DataKind::Images, DataKind::Table],
            Self::Lstm(_) | Self::Transformer(_) | Self::Gpt(_) => &[DataKind::Text],
            Self::Own(own) => own.kinds(),
            _ => &[DataKind::Images],
        }
    }

    /// Tokens of the longest window of text that it can read; nothing if there is no such limit.
    pub(crate) fn longest_window(&self) -> Option<usize> {
        match self {
            Self::Gpt(spec) => Some(spec.context),
            _ => None,
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
            | Self::WideResNet50(spec) => told(at_most("width", spec.width, WIDEST_RESNET)),
            Self::Vit(spec) => told(spec.check()),
            Self::Autoencoder(spec) => widths(&spec.hidden).map(|fault| ("hidden", fault)),
            Self::Dcgan(spec) => spec.fault(),
            Self::Lstm(spec) => told(spec.check()),
            Self::Transformer(spec) => told(spec.check()),
            Self::Gpt(spec) => told(spec.check()),
            Self::Own(_) => None,
        }
    }

    /// The names of those that take images of this shape with their defaults, to tell them apart.
    pub(crate) fn fitting(shape: ImageShape) -> Vec<&'static str> {
        let fits = |name: &&str| {
            Self::named(name).is_some_and(|model| {
                let tells = !matches!(model, Self::Autoencoder(_) | Self::Dcgan(_));
                tells && model.kinds().contains(&DataKind::Images) && model.misfit(shape).is_none()
            })
        };
        Self::NAMES.into_iter().filter(fits).collect()
    }

    /// Why the network is not for images of this shape, in words; nothing if it is.
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
            Self::Vit(spec) => spec.misfit(shape),
            Self::Dcgan(spec) => spec.misfit(shape),
            _ => None,
        }
    }
}

fn told(checked: Result<(), SpecError>) -> Option<(&'static str, String)> {
    checked.err().map(|error| (error.key, error.fault))
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
