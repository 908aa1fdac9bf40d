//! Initial weights: PyTorch's distribution, drawn from the run's seed alone.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig, Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::layers::LAYER_NORM_EPSILON;
use crate::random;

/// Share of a batch's statistics in the new running statistics, PyTorch's default.
pub const BATCH_NORM_MOMENTUM: f64 = 0.1;

/// A source of initial weights. What it gives depends on the seed and on what was drawn before, on nothing else: not on
/// the device, the optimizer, the number of threads or other networks made at the same time (as a backend's global
/// generator would).
#[derive(Debug)]
pub struct Draws {
    generator: ChaCha8Rng,
    device: Device,
}

impl Draws {
    /// Weights for `seed`, to be placed on `device`.
    pub fn new(seed: u64, device: &Device) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        // The streams from 0 on belong to the epochs of `BatchOrder`.
        generator.set_stream(u64::MAX);
        Self {
            generator,
            device: device.clone(),
        }
    }

    /// Where the weights are placed.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A fully connected layer; weights `[inputs, outputs]` and bias from U(-k, k) with k = 1/sqrt(inputs), as
    /// `torch.nn.Linear`.
    pub fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        let bound = bound(inputs);
        Linear {
            weight: self.uniform([inputs, outputs], bound),
            bias: Some(self.uniform([outputs], bound)),
        }
    }

    /// A fully connected layer; weights `[inputs, outputs]` from U(-bound, bound), bias 0.
    pub fn linear_uniform(&mut self, inputs: usize, outputs: usize, bound: f64) -> Linear {
        Linear {
            weight: self.uniform([inputs, outputs], bound),
            bias: Some(self.zeros([outputs])),
        }
    }

    /// A fully connected layer; weights `[inputs, outputs]` from N(0, deviation^2), bias 0.
    pub fn linear_normal(&mut self, inputs: usize, outputs: usize, deviation: f64) -> Linear {
        Linear {
            weight: self.normal([inputs, outputs], deviation),
            bias: Some(self.zeros([outputs])),
        }
    }

    /// A 3 x 3 convolution of stride 1 that keeps height and width, without bias since a normalisation follows; weights
    /// from U(-k, k) with k = 1/sqrt(9 inputs), as `torch.nn.Conv2d`.
    pub fn convolution(&mut self, inputs: usize, outputs: usize) -> Conv2d {
        let mut layer = self.bare_convolution([inputs, outputs], 3, 1, 1);
        layer.weight = self.uniform([outputs, inputs, 3, 3], bound(9 * inputs));
        layer
    }

    /// As [`Draws::convolution`], with a bias from the same distribution, drawn after the weights: where no normalisation
    /// follows.
    pub fn biased_convolution(&mut self, inputs: usize, outputs: usize) -> Conv2d {
        let mut layer = self.convolution(inputs, outputs);
        layer.bias = Some(self.uniform([outputs], bound(9 * inputs)));
        layer
    }

    /// A convolution of a residual network, `size` x `size` with (size - 1)/2 pixels of zeros around, without bias since a
    /// normalisation follows; weights from N(0, 2/(size^2 outputs)), as `torchvision`'s ResNets (Kaiming's normal
    /// distribution over the outputs).
    pub fn residual_convolution(
        &mut self,
        channels: [usize; 2],
        size: usize,
        stride: usize,
    ) -> Conv2d {
        let [inputs, outputs] = channels;
        let mut layer = self.bare_convolution(channels, size, stride, size.saturating_sub(1) / 2);
        let deviation = (2.0 / (size * size * outputs).max(1) as f64).sqrt();
        layer.weight = self.normal([outputs, inputs, size, size], deviation);
        layer
    }

    /// Batch normalisation with weight 1 and bias 0; draws nothing.
    pub fn batch_norm(&self, channels: usize) -> BatchNorm {
        BatchNormConfig::new(channels)
            .with_momentum(BATCH_NORM_MOMENTUM)
            .init(&self.device)
    }

    /// Batch normalisation with weights from N(1, deviation^2) and bias 0.
    pub fn batch_norm_normal(&mut self, channels: usize, deviation: f64) -> BatchNorm {
        let mut weights = random::normal(&mut self.generator, channels, deviation);
        weights.iter_mut().for_each(|weight| *weight += 1.0);
        BatchNorm {
            gamma: Param::from_data(TensorData::new(weights, [channels]), &self.device),
            ..self.batch_norm(channels)
        }
    }

    /// Layer normalisation with weight 1 and bias 0; draws nothing.
    pub fn layer_norm(&self, channels: usize) -> LayerNorm {
        LayerNormConfig::new(channels)
            .with_epsilon(LAYER_NORM_EPSILON)
            .init(&self.device)
    }

    /// Zeros; draws nothing.
    pub fn zeros<const D: usize>(&self, shape: [usize; D]) -> Param<Tensor<D>> {
        let values = vec![0.0f32; shape.iter().product()];
        Param::from_data(TensorData::new(values, shape), &self.device)
    }

    /// Values from U(-bound, bound).
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f64) -> Param<Tensor<D>> {
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| (bound * (2.0 * random::unit(&mut self.generator) - 1.0)) as f32)
            .collect();
        Param::from_data(TensorData::new(values, shape), &self.device)
    }

    /// Values from N(0, deviation^2).
    pub fn normal<const D: usize>(
        &mut self,
        shape: [usize; D],
        deviation: f64,
    ) -> Param<Tensor<D>> {
        let values = random::normal(&mut self.generator, shape.iter().product(), deviation);
        Param::from_data(TensorData::new(values, shape), &self.device)
    }

    /// A convolution whose weights are still to be drawn, without bias.
    fn bare_convolution(
        &self,
        channels: [usize; 2],
        size: usize,
        stride: usize,
        padding: usize,
    ) -> Conv2d {
        Conv2dConfig::new(channels, [size, size])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(
                padding, padding, padding, padding,
            ))
            .with_bias(false)
            .init(&self.device)
    }
}

/// Half the width of the uniform distribution that PyTorch's layers draw from by default.
fn bound(fan_in: usize) -> f64 {
    1.0 / (fan_in.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_normal, check_uniform};

    #[test]
    fn weights_have_the_statistics_of_pytorchs() {
        let layer = Draws::new(3, &Device::flex()).linear(100, 400);
        check_uniform(&layer.weight.val(), 0.1);
        check_uniform(&layer.bias.unwrap().val(), 0.1);
    }

    #[test]
    fn residual_convolutions_have_the_statistics_of_torchvisions() {
        let layer = Draws::new(4, &Device::flex()).residual_convolution([40, 50], 3, 2);
        check_normal(&layer.weight.val(), (2.0f64 / (9.0 * 50.0)).sqrt());
        assert!(layer.bias.is_none());
    }

    #[test]
    fn biased_convolutions_have_the_statistics_of_pytorchs() {
        let layer = Draws::new(5, &Device::flex()).biased_convolution(11, 900);
        check_uniform(&layer.weight.val(), 1.0 / 99.0f64.sqrt());
        check_uniform(&layer.bias.unwrap().val(), 1.0 / 99.0f64.sqrt());
    }

    #[test]
    fn the_seed_alone_decides() {
        let plain = Device::flex();
        let trained = Device::flex().autodiff();
        let values = |seed, device: &Device| -> Vec<f32> {
            let layer = Draws::new(seed, device).convolution(2, 3);
            layer.weight.val().into_data().try_into_vec().unwrap()
        };
        assert_eq!(values(1, &plain), values(1, &trained));
        assert_ne!(values(1, &plain), values(2, &plain));
    }
}
