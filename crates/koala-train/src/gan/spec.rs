//! Options of adversarial training.

use std::borrow::Cow;

use koala_data::Split;
use koala_models::gan::DcganSpec;
use koala_models::{ImageShape, SpecError};
use serde::{Deserialize, Serialize};

use crate::training::shape_of;

/// A DCGAN and how it is trained: as a Wasserstein GAN with gradient penalty. Images that are no squares of 8, 16, 32, 64, 128
/// or 256 pixels are padded with black to the next of these: it makes 32 x 32 pixels of Fashion-MNIST.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GanSpec {
    /// Both networks.
    #[serde(flatten)]
    pub network: DcganSpec,
    /// Updates of the critic, each with real images of its own, before one of the generator. Default 1.
    pub critic_steps: usize,
    /// Weight of the gradient penalty in the critic's losses. Default 10.
    pub penalty: f64,
    /// Made images that are compared with as many real ones at each evaluation, fewer if there are no more real ones; 0
    /// for no comparison. Default 1000.
    pub evaluate_images: usize,
}

impl Default for GanSpec {
    fn default() -> Self {
        Self {
            network: DcganSpec::default(),
            critic_steps: 1,
            penalty: 10.0,
            evaluate_images: 1000,
        }
    }
}

const MOST_CRITIC_STEPS: usize = 1000;
const MOST_IMAGES: usize = 100_000;

impl GanSpec {
    /// What is wrong with the options: the key and the fault.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        if let Err(SpecError { key, fault }) = self.network.check() {
            return Some((key, fault));
        }
        let count = |key, n, least, most| {
            (!(least..=most).contains(&n))
                .then(|| (key, format!("must be between {least} and {most}, not {n}")))
        };
        count("critic-steps", self.critic_steps, 1, MOST_CRITIC_STEPS)
            .or_else(|| count("evaluate-images", self.evaluate_images, 0, MOST_IMAGES))
            .or_else(|| {
                (!self.penalty.is_finite() || self.penalty < 0.0).then(|| {
                    let fault = format!("must be finite and not negative, not {:?}", self.penalty);
                    ("penalty", fault)
                })
            })
    }

    /// Why it cannot make images of this shape, padded if need be, in words; nothing if it can.
    pub(crate) fn misfit(&self, shape: ImageShape) -> Option<String> {
        let side = DcganSpec::side(shape);
        self.network.misfit(ImageShape {
            height: side.unwrap_or(shape.height),
            width: side.unwrap_or(shape.width),
            ..shape
        })
    }

    /// The images as its networks take them: those of a size that they cannot make stand in the middle of larger black ones.
    pub(crate) fn fitted<'a>(&self, split: &'a Split) -> Cow<'a, Split> {
        let shape = shape_of(&split.train);
        match DcganSpec::side(shape) {
            Some(side) if self.network.misfit(shape).is_some() => Cow::Owned(split.padded(side)),
            _ => Cow::Borrowed(split),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_other_sizes_are_padded() {
        let spec = GanSpec::default();
        let shape = |side| ImageShape {
            channels: 1,
            height: side,
            width: 28,
            classes: 10,
        };
        assert_eq!(spec.misfit(shape(28)), None);
        assert_eq!(spec.misfit(shape(200)), None);
        assert!(
            spec.misfit(shape(257))
                .unwrap()
                .contains("make them smaller")
        );
        let split = koala_data::digits().unwrap();
        assert!(matches!(spec.fitted(&split), Cow::Borrowed(_)));
        let split = split.padded(9);
        assert_eq!(shape_of(&spec.fitted(&split).test).height, 16);
    }

    #[test]
    fn options_that_cannot_be_are_named() {
        let fault = |change: fn(&mut GanSpec)| {
            let mut spec = GanSpec::default();
            change(&mut spec);
            spec.fault().map(|(key, _)| key)
        };
        assert_eq!(fault(|_| {}), None);
        assert_eq!(fault(|s| s.network.width = 0), Some("width"));
        assert_eq!(fault(|s| s.critic_steps = 0), Some("critic-steps"));
        assert_eq!(fault(|s| s.penalty = f64::NAN), Some("penalty"));
        assert_eq!(fault(|s| s.penalty = -1.0), Some("penalty"));
        let images = |s: &mut GanSpec| s.evaluate_images = usize::MAX;
        assert_eq!(fault(images), Some("evaluate-images"));
    }
}
