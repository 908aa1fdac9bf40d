//! The losses of each sample in a Wasserstein GAN with gradient penalty.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{gradient_penalty, mixtures};
use crate::gan::{Critic, Generator};

/// The critic's losses, `[batch]`:
///
/// ```text
/// l_i = D(made_i) - D(real_i) + weight (|grad D(mixture_i)| - 1)^2,    mixture_i = share_i real_i + (1 - share_i) made_i
/// ```
///
/// Images are `[batch, channels, height, width]`, as many real as made, `shares` are `[batch]`, from
/// [`mixing_shares`](super::mixing_shares). The paper's `weight` is 10. Nothing flows back into the images, and so into
/// no generator.
///
/// I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: Improved training of Wasserstein GANs, NeurIPS 2017.
pub fn critic_losses(
    critic: &Critic,
    real: Tensor<4>,
    made: Tensor<4>,
    shares: Tensor<1>,
    weight: f64,
) -> Tensor<1> {
    CriticScores::new(critic, real, made, shares).losses(weight)
}

/// What the losses of a critic are made of. See [`critic_losses`].
#[derive(Debug, Clone)]
pub struct CriticScores {
    /// D(real_i) - D(made_i), `[batch]`.
    pub difference: Tensor<1>,
    /// (|grad D(mixture_i)| - 1)^2, `[batch]`.
    pub penalty: Tensor<1>,
}

impl CriticScores {
    /// Scores and penalties of images, as [`critic_losses`] takes them.
    pub fn new(critic: &Critic, real: Tensor<4>, made: Tensor<4>, shares: Tensor<1>) -> Self {
        let (real, made) = (real.detach(), made.detach());
        let between = mixtures(real.clone(), made.clone(), shares);
        Self {
            difference: critic.forward(real) - critic.forward(made),
            penalty: gradient_penalty(critic, between),
        }
    }

    /// The losses, `[batch]`.
    pub fn losses(&self, weight: f64) -> Tensor<1> {
        self.penalty.clone() * weight - self.difference.clone()
    }
}

/// The generator's losses, `[batch]`: l_i = -D(G(noise_i)). Noise is `[batch, numbers]`. Nothing flows back into the
/// critic's weights.
pub fn generator_losses(generator: &Generator, critic: &Critic, noise: Tensor<2>) -> Tensor<1> {
    critic
        .clone()
        .no_grad()
        .forward(generator.forward(noise))
        .neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draws;
    use crate::gan::DcganSpec;
    use crate::gan::{NoisePurpose, mixing_shares, noise};
    use crate::learning::falls;
    use crate::testing::{images, square};
    use burn::optim::GradientsParams;
    use burn::tensor::Device;

    fn networks(device: &Device) -> (Generator, Critic) {
        let spec = DcganSpec { noise: 6, width: 4 };
        let shape = square(1, 8);
        let mut draws = Draws::new(2, device);
        let generator = Generator::new(&spec, shape, &mut draws).unwrap();
        (generator, Critic::new(&spec, shape, &mut draws).unwrap())
    }

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn losses_are_those_of_the_definition() {
        let device = Device::flex().autodiff();
        let (generator, critic) = networks(&device);
        let (real, _) = images([5, 1, 8, 8], 1, &device);
        let noise = noise(1, NoisePurpose::Critic, 0, [5, 6], &device);
        let made = generator.forward(noise.clone());
        let shares = mixing_shares(1, 0, 5, &device);
        let losses = values(critic_losses(
            &critic,
            real.clone(),
            made.clone(),
            shares.clone(),
            10.0,
        ));
        let penalties = values(gradient_penalty(
            &critic,
            mixtures(real.clone(), made.clone(), shares),
        ));
        let (on_real, on_made) = (values(critic.forward(real)), values(critic.forward(made)));
        assert_eq!(losses.len(), 5);
        for i in 0..5 {
            let expected = on_made[i] - on_real[i] + 10.0 * penalties[i];
            assert!((losses[i] - expected).abs() < 1e-5 * expected.abs().max(1.0));
        }
        let losses = values(generator_losses(&generator, &critic, noise));
        for (loss, score) in losses.iter().zip(&on_made) {
            assert!((loss + score).abs() < 1e-6);
        }
    }

    #[test]
    fn each_network_learns_from_its_own_losses_alone() {
        let device = Device::flex().autodiff();
        let (generator, critic) = networks(&device);
        let noise = noise(1, NoisePurpose::Critic, 0, [5, 6], &device);
        let count = |losses: Tensor<1>| {
            let mut gradients = losses.mean().backward();
            let of_generator = GradientsParams::from_module(&mut gradients, &generator).len();
            let of_critic = GradientsParams::from_module(&mut gradients, &critic).len();
            (of_generator, of_critic)
        };
        let (real, _) = images([5, 1, 8, 8], 1, &device);
        let made = generator.forward(noise.clone());
        let shares = mixing_shares(1, 0, 5, &device);
        let losses = critic_losses(&critic, real, made, shares, 10.0);
        assert_eq!(count(losses), (0, 3));
        assert_eq!(count(generator_losses(&generator, &critic, noise)), (4, 0));
    }

    #[test]
    fn training_lowers_the_critics_losses() {
        let device = Device::flex().autodiff();
        let (generator, critic) = networks(&device);
        let (real, _) = images([8, 1, 8, 8], 1, &device);
        let noise = noise(1, NoisePurpose::Critic, 0, [8, 6], &device);
        let made = generator.forward(noise);
        falls(critic, 40, [0.3, 0.01], |critic| {
            let shares = mixing_shares(1, 0, 8, &device);
            critic_losses(critic, real.clone(), made.clone(), shares, 10.0)
        });
    }
}
