//! Which residual network, and how wide.

use serde::{Deserialize, Serialize};

/// The residual networks. Parameters are for three channels and ten classes, at their usual width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResNetForm {
    /// ResNet-20 of He et al. (2016), section 4.2: three stages of three blocks, with shortcuts without parameters (their
    /// option A). 269,722 parameters; variants with projections have 272,474.
    ResNet20,
    /// ResNet-18: four stages of two blocks. 11,173,962 parameters.
    ResNet18,
    /// ResNet-50: four stages of 3, 4, 6 and 3 bottlenecks. 23,520,842 parameters.
    ResNet50,
    /// Wide-ResNet-50-2: ResNet-50 with twice the channels inside each bottleneck. 66,847,050 parameters
    /// (66,854,730 is `torchvision`'s, with its 7 x 7 stem).
    WideResNet50,
}

/// What a block consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockForm {
    /// Two 3 x 3 convolutions; shortcuts without parameters.
    Plain,
    /// Two 3 x 3 convolutions; shortcuts are projections where the form changes.
    Basic,
    /// 1 x 1, 3 x 3 and 1 x 1 convolutions, the middle one with this many times the stage's channels, the last with four
    /// times; shortcuts are projections where the form changes.
    Bottleneck(usize),
}

impl ResNetForm {
    /// Blocks of each stage. Each stage but the first halves height and width and doubles the channels.
    pub(super) fn stages(self) -> &'static [usize] {
        match self {
            Self::ResNet20 => &[3, 3, 3],
            Self::ResNet18 => &[2, 2, 2, 2],
            Self::ResNet50 | Self::WideResNet50 => &[3, 4, 6, 3],
        }
    }

    pub(super) fn block(self) -> BlockForm {
        match self {
            Self::ResNet20 => BlockForm::Plain,
            Self::ResNet18 => BlockForm::Basic,
            Self::ResNet50 => BlockForm::Bottleneck(1),
            Self::WideResNet50 => BlockForm::Bottleneck(2),
        }
    }

    /// The usual options.
    pub fn spec(self) -> ResNetSpec {
        ResNetSpec {
            width: match self {
                Self::ResNet20 => 16,
                _ => 64,
            },
        }
    }
}

/// Options of a residual network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResNetSpec {
    /// Channels of the stem and the first stage. Default 16 for ResNet-20, else 64.
    pub width: usize,
}
