//! A small vision transformer.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use koala_ops::{Activation, Sight, nn};
use serde::{Deserialize, Serialize};

use super::{Classifier, Draws, ImageShape, Masks};
use crate::layers::layer_norm;
use crate::pre_norm::{DEVIATION, PreNormBlock, PreNormForm};
use crate::spec_error::{SpecError, at_most, counts, heads};

/// Options of a vision transformer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VitSpec {
    /// Side of the square patches, whose multiples height and width of the images must be. Default 4.
    pub patch: usize,
    /// Size of the embedding; the hidden layers have four times as much. Default 64.
    pub width: usize,
    /// Heads of attention; they share the width evenly. Default 4.
    pub heads: usize,
    /// Number of blocks. Default 4.
    pub layers: usize,
}

impl Default for VitSpec {
    fn default() -> Self {
        Self {
            patch: 4,
            width: 64,
            heads: 4,
            layers: 4,
        }
    }
}

const LARGEST_PATCH: usize = 1 << 10;
/// Attention has numbers for all pairs of patches; so many patches are the 28 x 28 pixels of MNIST by themselves, and more.
const MOST_PATCHES: usize = 1 << 12;

impl VitSpec {
    /// Checks the options alone, without the images.
    ///
    /// # Errors
    ///
    /// [`SpecError`] names the option that cannot be.
    pub fn check(&self) -> Result<(), SpecError> {
        at_most("patch", self.patch, LARGEST_PATCH)?;
        counts(&[
            ("width", self.width),
            ("heads", self.heads),
            ("layers", self.layers),
        ])?;
        heads(self.heads, self.width)
    }

    /// Why it is not for images of this shape, in words; nothing if it is.
    pub fn misfit(&self, shape: ImageShape) -> Option<String> {
        let ImageShape { height, width, .. } = shape;
        let side = self.patch.max(1);
        let tiled = height.min(width) > 0 && height % side == 0 && width % side == 0;
        if !tiled {
            return Some(format!(
                "patches of {side} x {side} do not tile images of {height} x {width}: give a --patch that divides both"
            ));
        }
        let patches = (height / side).saturating_mul(width / side);
        (patches > MOST_PATCHES).then(|| {
            format!("images of {height} x {width} have {patches} patches, and {MOST_PATCHES} are the most: give a larger --patch")
        })
    }
}

/// A vision transformer: the patches of an image, each mapped to an embedding, with learned positions added; blocks that are
/// normalised before each part, those of [`Gpt`](crate::language::Gpt); the mean over the patches; a linear layer to the
/// classes.
///
/// The mean stands in for the class token of the original, as in L. Beyer et al.: *Better plain ViT baselines for ImageNet-1k*,
/// 2022. Initialised as the GPT, the layers of patches and classes as `torch.nn.Linear`. No dropout.
///
/// A. Dosovitskiy et al.: *An image is worth 16x16 words: Transformers for image recognition at scale*, ICLR 2021.
#[derive(Module, Debug)]
pub struct Vit {
    /// `[channels * patch * patch, width]`.
    embedding: Linear,
    /// `[patches, width]`.
    positions: Param<Tensor<2>>,
    blocks: Vec<PreNormBlock>,
    norm: LayerNorm,
    output: Linear,
    patch: usize,
}

impl Vit {
    /// The network with its initial weights.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if an option cannot be, or its patches do not tile such images.
    pub fn new(spec: &VitSpec, shape: ImageShape, draws: &mut Draws) -> Result<Self, SpecError> {
        spec.check()?;
        if let Some(fault) = spec.misfit(shape) {
            return Err(SpecError {
                key: "patch",
                fault,
            });
        }
        let VitSpec {
            patch,
            width,
            heads,
            layers,
        } = *spec;
        let form = PreNormForm {
            width,
            heads,
            layers,
            dropout: 0.0,
        };
        let patches = (shape.height / patch) * (shape.width / patch);
        Ok(Self {
            embedding: draws.linear(shape.channels * patch * patch, width),
            positions: draws.normal([patches, width], DEVIATION),
            blocks: (0..layers)
                .map(|_| PreNormBlock::new(form, draws))
                .collect(),
            norm: draws.layer_norm(width),
            output: draws.linear(width, shape.classes),
            patch,
        })
    }
}

impl Classifier for Vit {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let patches = patches(images, self.patch);
        let embedded = nn::linear(&self.embedding, patches, Activation::Identity);
        let x = embedded + self.positions.val().unsqueeze();
        let off = &mut Masks::off();
        let x = (self.blocks.iter()).fold(x, |x, block| block.forward(x, Sight::All, off));
        let mean: Tensor<2> = layer_norm(&self.norm, x).mean_dim(1).squeeze_dim(1);
        nn::linear(&self.output, mean, Activation::Identity)
    }
}

/// `[batch, channels, height, width]` to `[batch, patches, channels * side * side]`: row by row of patches, in each channel by
/// channel and row by row.
fn patches(images: Tensor<4>, side: usize) -> Tensor<3> {
    let [batch, channels, height, width] = images.dims();
    let (down, across) = (height / side, width / side);
    images
        .reshape([batch, channels, down, side, across, side])
        .permute([0, 2, 4, 1, 3, 5])
        .reshape([batch, down * across, channels * side * side])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_all_moved, check_normal, check_uniform, images, square};
    use crate::{cross_entropy, learning, trainable_parameters};
    use burn::tensor::Device;
    use proptest::prelude::*;

    const TINY: VitSpec = VitSpec {
        patch: 2,
        width: 8,
        heads: 2,
        layers: 2,
    };

    #[test]
    fn patches_are_cut_row_by_row() {
        let device = Device::flex();
        let numbers = Tensor::arange(0..32, &device).float();
        let found = patches(numbers.reshape([1, 2, 4, 4]), 2);
        assert_eq!(found.dims(), [1, 4, 8]);
        let values: Vec<f32> = found.into_data().try_into_vec().unwrap();
        assert_eq!(values[..8], [0.0, 1.0, 4.0, 5.0, 16.0, 17.0, 20.0, 21.0]);
        assert_eq!(values[8..16], [2.0, 3.0, 6.0, 7.0, 18.0, 19.0, 22.0, 23.0]);
        assert_eq!(
            values[24..],
            [10.0, 11.0, 14.0, 15.0, 26.0, 27.0, 30.0, 31.0]
        );
    }

    #[test]
    fn parameters_are_those_of_its_parts() {
        let device = Device::flex().autodiff();
        let model = Vit::new(
            &VitSpec::default(),
            square(1, 28),
            &mut Draws::new(0, &device),
        );
        let block = 64 * 192 + 192 + 64 * 64 + 64 + 2 * 4 * 64 * 64 + 5 * 64 + 4 * 64;
        let expected = (16 + 1 + 49) * 64 + 4 * block + 2 * 64 + (64 + 1) * 10;
        assert_eq!(trainable_parameters(&model.unwrap()), expected);
    }

    #[test]
    fn weights_have_the_statistics_that_are_told() {
        let spec = VitSpec::default();
        let model = Vit::new(&spec, square(3, 32), &mut Draws::new(5, &Device::flex())).unwrap();
        check_uniform(&model.embedding.weight.val(), 1.0 / 48.0f64.sqrt());
        check_normal(&model.positions.val(), 0.02);
        check_uniform(&model.output.weight.val(), 1.0 / 8.0);
        for block in &model.blocks {
            block.check_weights(0.02, 0.02 / 8.0f64.sqrt());
        }
    }

    /// Without positions nothing tells the patches apart: their order, and with it a mask, would show in the scores.
    #[test]
    fn every_patch_sees_all_the_others() {
        let device = Device::flex();
        let mut model = Vit::new(&TINY, square(1, 4), &mut Draws::new(1, &device)).unwrap();
        let scores = |model: &Vit, left: Tensor<4>, right: Tensor<4>| -> Vec<f32> {
            let scores = model.forward(Tensor::cat(vec![left, right], 3));
            scores.into_data().try_into_vec().unwrap()
        };
        let (both, _) = images([1, 1, 4, 4], 10, &device);
        let (left, right) = (both.clone().narrow(3, 0, 2), both.narrow(3, 2, 2));
        let [one, other] =
            [(&left, &right), (&right, &left)].map(|(l, r)| scores(&model, l.clone(), r.clone()));
        assert!(one.iter().zip(&other).any(|(a, b)| (a - b).abs() > 1e-5));
        model.positions = model.positions.map(|p| p.zeros_like());
        let [one, other] =
            [(&left, &right), (&right, &left)].map(|(l, r)| scores(&model, l.clone(), r.clone()));
        assert!(
            one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-5),
            "{one:?} {other:?}"
        );
    }

    #[test]
    fn training_lowers_the_loss_and_moves_all_parameters() {
        let device = Device::flex().autodiff();
        let model = Vit::new(&TINY, square(2, 4), &mut Draws::new(1, &device)).unwrap();
        let (images, targets) = images([8, 2, 4, 4], 10, &device);
        let losses = |model: &Vit| cross_entropy(model.forward(images.clone()), targets.clone());
        check_all_moved(&model, losses(&model));
        learning::falls(model, 40, [0.3, 0.1], losses);
    }

    #[test]
    fn options_and_images_that_cannot_be_are_named() {
        let draws = &mut Draws::new(0, &Device::flex());
        let mut fault =
            |spec: VitSpec, shape| Vit::new(&spec, shape, draws).unwrap_err().to_string();
        for (key, spec) in [
            ("patch", VitSpec { patch: 0, ..TINY }),
            (
                "patch",
                VitSpec {
                    patch: usize::MAX,
                    ..TINY
                },
            ),
            ("width", VitSpec { width: 0, ..TINY }),
            ("heads", VitSpec { heads: 0, ..TINY }),
            ("heads", VitSpec { heads: 3, ..TINY }),
            (
                "layers",
                VitSpec {
                    layers: usize::MAX,
                    ..TINY
                },
            ),
        ] {
            let text = fault(spec, square(1, 4));
            assert!(text.starts_with(key), "{text}");
        }
        assert_eq!(
            fault(TINY, square(1, 5)),
            "patch: patches of 2 x 2 do not tile images of 5 x 5: give a --patch that divides both"
        );
        assert!(fault(TINY, square(1, 0)).contains("do not tile"));
        assert_eq!(
            fault(TINY, square(1, 256)),
            "patch: images of 256 x 256 have 16384 patches, and 4096 are the most: give a larger --patch"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_form_of_images_that_is_tiled_gets_scores(
            batch in 1usize..4, channels in 1usize..4, down in 1usize..4, across in 1usize..4, patch in 1usize..4,
            classes in 1usize..5,
        ) {
            let shape = ImageShape { channels, height: down * patch, width: across * patch, classes };
            let spec = VitSpec { patch, ..TINY };
            let device = Device::flex();
            let model = Vit::new(&spec, shape, &mut Draws::new(2, &device)).unwrap();
            let (images, _) = images([batch, channels, shape.height, shape.width], classes, &device);
            let scores = model.forward(images);
            prop_assert_eq!(scores.dims(), [batch, classes]);
            let scores: Vec<f32> = scores.into_data().try_into_vec().unwrap();
            prop_assert!(scores.iter().all(|score| score.is_finite()));
        }
    }
}
