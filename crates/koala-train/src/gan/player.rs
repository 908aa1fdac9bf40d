//! One of the two networks and what moves it.

use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::NetworkStep;
use crate::Error;
use crate::optimizers::{Optimizer, OptimizerError};
use crate::training::Checkpoint;

/// One of the two networks and what moves it.
pub struct Player<M: Module> {
    /// The network, on a device with gradients.
    pub model: M,
    /// What moves it.
    pub optimizer: Box<dyn Optimizer<M>>,
}

/// The losses that a network is updated by.
pub(super) struct Losses<S> {
    /// One a sample, with gradients, `[samples]`.
    pub tensor: Tensor<1>,
    /// The same on the host.
    pub host: Vec<f32>,
    /// What was seen besides.
    pub seen: S,
}

/// What came of an update.
pub(super) struct Update<S> {
    pub step: NetworkStep,
    pub seen: S,
    /// Seconds inside the optimizer.
    pub seconds: f64,
}

impl<M: Module> Player<M> {
    /// Predict, forward, backward, update.
    pub(super) fn update<S>(
        mut self,
        factor: f64,
        losses: impl FnOnce(&M) -> Losses<S>,
    ) -> Result<(Self, Update<S>), OptimizerError> {
        let clock = Instant::now();
        self.optimizer.prepare(&mut self.model)?;
        let mut seconds = clock.elapsed().as_secs_f64();

        let losses = losses(&self.model);
        let gradients = losses.tensor.mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &self.model);

        let clock = Instant::now();
        let (model, summary) =
            (self.optimizer).step(self.model, gradients, &losses.host, factor)?;
        self.model = model;
        seconds += clock.elapsed().as_secs_f64();
        let step = NetworkStep {
            loss: mean(&losses.host),
            gain: summary.gain,
            effective_learning_rate: summary.effective_learning_rate,
            filter: summary.report,
        };
        let update = Update {
            step,
            seen: losses.seen,
            seconds,
        };
        Ok((self, update))
    }

    pub(super) fn put(&self, names: [&str; 2], checkpoint: &mut Checkpoint) -> Result<(), Error> {
        checkpoint.put_trained(names, &self.model, &*self.optimizer)
    }

    pub(super) fn restore(
        &mut self,
        names: [&str; 2],
        checkpoint: &Checkpoint,
    ) -> Result<(), Error> {
        self.model = checkpoint.trained(names, &self.model, &mut *self.optimizer)?;
        Ok(())
    }
}

/// Mean of values; not a number if there are none.
pub(super) fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{AdamSpec, Baseline};
    use crate::training::{Batch, floats, shape_of};
    use burn::tensor::Device;
    use koala_data::digits;
    use koala_models::Draws;
    use koala_models::gan::{Critic, DcganSpec, Generator};
    use koala_models::gan::{CriticScores, NoisePurpose, mixing_shares, noise};

    /// A critic alone, against a generator that never learns: its gradients come to a length near 1, and it tells real
    /// images from made ones.
    #[test]
    fn a_critic_alone_gets_gradients_of_length_one() {
        let device = Device::flex().autodiff();
        let spec = DcganSpec { noise: 8, width: 8 };
        let set = digits().unwrap().train;
        let mut draws = Draws::new(1, &device);
        let generator = Generator::new(&spec, shape_of(&set), &mut draws).unwrap();
        let model = Critic::new(&spec, shape_of(&set), &mut draws).unwrap();
        let adam = AdamSpec {
            learning_rate: 5e-3,
            ..AdamSpec::default()
        };
        let optimizer = Box::new(Baseline::from(&adam));
        let mut critic = Player { model, optimizer };
        let mut penalties = Vec::new();
        let mut differences = Vec::new();
        for step in 0..150 {
            let samples: Vec<usize> = (0..32).map(|i| (i + 32 * step) % set.len()).collect();
            let real = Batch::new(set.signed_batch(&samples, None), &device).images;
            let noise = noise(1, NoisePurpose::Critic, step as u64, [32, 8], &device);
            let made = generator.clone().no_grad().forward(noise);
            let shares = mixing_shares(1, step as u64, 32, &device);
            let (next, update) = critic
                .update(1.0, |critic| {
                    let scores = CriticScores::new(critic, real, made, shares);
                    let tensor = scores.losses(10.0);
                    let values = |tensor: Tensor<1>| floats(tensor.inner().into_data());
                    Losses {
                        host: values(tensor.clone()),
                        tensor,
                        seen: [
                            mean(&values(scores.penalty)),
                            mean(&values(scores.difference)),
                        ],
                    }
                })
                .unwrap();
            critic = next;
            penalties.push(update.seen[0]);
            differences.push(update.seen[1]);
        }
        assert!(penalties[0] > 0.9, "{}", penalties[0]);
        let last = penalties[140..].iter().sum::<f64>() / 10.0;
        assert!(last < 0.1, "{last}");
        assert!(
            differences[0].abs() < 0.1 && differences[149] > 1.0,
            "{differences:?}"
        );
    }
}
