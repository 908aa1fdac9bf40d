//! Initial weights: PyTorch's distribution, drawn from the run's seed alone.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

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

    /// A fully connected layer; weights `[inputs, outputs]` and bias from U(-k, k) with k = 1/sqrt(inputs), as
    /// `torch.nn.Linear`.
    pub fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        Linear {
            weight: self.uniform([inputs, outputs], inputs),
            bias: Some(self.uniform([outputs], inputs)),
        }
    }

    /// A 3 x 3 convolution of stride 1 that keeps height and width, without bias since a normalisation follows; weights
    /// from U(-k, k) with k = 1/sqrt(9 inputs), as `torch.nn.Conv2d`.
    pub fn convolution(&mut self, inputs: usize, outputs: usize) -> Conv2d {
        let mut layer = Conv2dConfig::new([inputs, outputs], [3, 3])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_bias(false)
            .init(&self.device);
        layer.weight = self.uniform([outputs, inputs, 3, 3], 9 * inputs);
        layer
    }

    /// Batch normalisation with weight 1 and bias 0; draws nothing.
    pub fn batch_norm(&self, channels: usize) -> BatchNorm {
        BatchNormConfig::new(channels).init(&self.device)
    }

    fn uniform<const D: usize>(&mut self, shape: [usize; D], fan_in: usize) -> Param<Tensor<D>> {
        let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| {
                // 53 random bits: uniform on [0, 1).
                let unit = (self.generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                (bound * (2.0 * unit - 1.0)) as f32
            })
            .collect();
        Param::from_data(TensorData::new(values, shape), &self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_statistics_of_pytorchs() {
        let device = Device::flex();
        let layer = Draws::new(3, &device).linear(100, 400);
        let values: Vec<f32> = layer.weight.val().into_data().try_into_vec().unwrap();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let square = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!(values.iter().all(|v| v.abs() <= 0.1));
        assert!(mean.abs() < 1e-3, "{mean}");
        assert!((square - 0.01 / 3.0).abs() < 1e-4, "{square}");
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
