//! A network of fully connected layers.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use koala_ops::{Activation, nn};
use serde::{Deserialize, Serialize};

use super::{Classifier, Draws, Regressor};
use crate::ImageShape;

/// Fully connected layers with ReLU between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpSpec {
    /// Widths of the hidden layers, from the image to the classes, or from the features to the number; none at all gives a
    /// linear map.
    pub hidden: Vec<usize>,
}

impl Default for MlpSpec {
    /// Two hidden layers, of 128 and 64.
    fn default() -> Self {
        Self {
            hidden: vec![128, 64],
        }
    }
}

/// The network of a [`MlpSpec`].
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// The network for images with its initial weights.
    pub fn new(spec: &MlpSpec, shape: ImageShape, draws: &mut Draws) -> Self {
        let pixels = shape.channels * shape.height * shape.width;
        Self::between(pixels, &spec.hidden, shape.classes, draws)
    }

    /// The network that tells a number of rows of so many features, with its initial weights.
    pub fn for_rows(spec: &MlpSpec, columns: usize, draws: &mut Draws) -> Self {
        Self::between(columns, &spec.hidden, 1, draws)
    }

    /// Layers from so many values through hidden ones of these widths to so many.
    pub(crate) fn between(
        mut inputs: usize,
        hidden: &[usize],
        outputs: usize,
        draws: &mut Draws,
    ) -> Self {
        let widths = hidden.iter().copied().chain([outputs]);
        let layers = widths
            .map(|outputs| draws.linear(std::mem::replace(&mut inputs, outputs), outputs))
            .collect();
        Self { layers }
    }

    /// `[batch, inputs]` to `[batch, outputs]`.
    pub(crate) fn through(&self, mut x: Tensor<2>) -> Tensor<2> {
        if let Some((last, hidden)) = self.layers.split_last() {
            for layer in hidden {
                x = nn::linear(layer, x, Activation::Relu);
            }
            x = nn::linear(last, x, Activation::Identity);
        }
        x
    }
}

impl Classifier for Mlp {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.through(images.flatten(1, 3))
    }
}

impl Regressor for Mlp {
    fn tell(&self, rows: Tensor<2>) -> Tensor<1> {
        self.through(rows).squeeze_dim(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_all_moved, values};
    use crate::{learning, squared_error};
    use burn::module::Param;
    use burn::tensor::Device;
    use proptest::prelude::*;

    /// Two features, a hidden layer of two, one number; the second row's second unit is silent.
    #[test]
    fn numbers_and_losses_are_those_that_are_computed_by_hand() {
        let device = Device::flex();
        let mut model = Mlp::for_rows(&MlpSpec { hidden: vec![2] }, 2, &mut Draws::new(0, &device));
        let set = |layer: &mut Linear, weight: &[[f32; 2]], outputs, bias: Vec<f32>| {
            let weight: Vec<f32> = weight.iter().flatten().copied().collect();
            layer.weight =
                Param::from_data(burn::tensor::TensorData::new(weight, [2, outputs]), &device);
            let length = bias.len();
            layer.bias = Some(Param::from_data(
                burn::tensor::TensorData::new(bias, [length]),
                &device,
            ));
        };
        set(
            &mut model.layers[0],
            &[[1.0, -2.0], [0.5, 1.0]],
            2,
            vec![0.5, 0.0],
        );
        set(&mut model.layers[1], &[[2.0, -3.0]], 1, vec![10.0]);
        let rows = Tensor::from_data([[1.0f32, 3.0], [2.0, 1.0]], &device);
        // Hidden: (1 + 1.5 + .5, -2 + 3) = (3, 1), and (2 + .5 + .5, -4 + 1) = (3, 0).
        let told = model.tell(rows);
        assert_eq!(values(told.clone()), [13.0, 16.0]);
        let targets = Tensor::from_data([113.0f32, 15.5], &device);
        assert_eq!(values(squared_error(told, targets)), [1e4, 0.25]);
    }

    #[test]
    fn training_lowers_squared_errors_and_moves_all_parameters() {
        let device = Device::flex().autodiff();
        let spec = MlpSpec { hidden: vec![8, 8] };
        let model = Mlp::for_rows(&spec, 3, &mut Draws::new(1, &device));
        let rows = Tensor::<1>::from_floats([0.1, 0.7, 0.3, 0.9, 0.2, 0.5, 0.4, 0.8, 0.6], &device);
        let rows: Tensor<2> = rows.reshape([3, 3]);
        let losses = |model: &Mlp| {
            let targets = Tensor::from_floats([1.0, -2.0, 3.0], &device);
            squared_error(model.tell(rows.clone()), targets)
        };
        check_all_moved(&model, losses(&model));
        learning::falls(model, 40, [0.3, 0.01], losses);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_row_gets_a_number(
            batch in 1usize..5, columns in 1usize..5, hidden in proptest::collection::vec(1usize..6, 0..4),
        ) {
            let device = Device::flex();
            let model = Mlp::for_rows(&MlpSpec { hidden }, columns, &mut Draws::new(2, &device));
            let told = model.tell(Tensor::ones([batch, columns], &device));
            prop_assert_eq!(told.dims(), [batch]);
        }
    }
}
