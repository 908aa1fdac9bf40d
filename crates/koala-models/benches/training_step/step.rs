//! Steps of one network by one optimizer, and what they cost.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Tensor;
use clap::ValueEnum;
use koala_burn::{Koala, KoalaAConfig, Observation};
use koala_models::trainable_parameters;

use crate::memory;
use crate::networks::Network;

/// What makes the step of gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Contender {
    /// KOALA-A with its defaults.
    KoalaA,
    /// Burn's stochastic gradient descent with momentum.
    Sgd,
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::KoalaA => "koala-a",
            Self::Sgd => "sgd",
        }
    }
}

/// What steps cost.
pub struct Found {
    parameters: usize,
    /// Median of the steps.
    step: Duration,
    /// Median of their forward passes, with the losses on the host.
    forward: Duration,
    /// Median of what the optimizer takes of them.
    optimizer: Duration,
    /// Mean of the processor time of all threads.
    processor: Option<Duration>,
    /// Most memory beyond what was there before the network.
    bytes: Option<u64>,
    losses: [f32; 2],
}

/// Steps that do not count: memory is taken, caches are filled.
const WARM_UP: usize = 2;

/// Times `steps` steps of `model`, whose `losses` in a given step are those of one batch.
pub fn time<M: Module>(
    mut model: M,
    optimizer: Contender,
    steps: usize,
    losses: impl Fn(&M, u64) -> Tensor<1>,
) -> Result<Found, Box<dyn std::error::Error>> {
    let before = memory::resident();
    let parameters = trainable_parameters(&model);
    let mut koala = match optimizer {
        Contender::KoalaA => Some(Koala::new(KoalaAConfig::new(), &model)?),
        Contender::Sgd => None,
    };
    let momentum = MomentumConfig {
        momentum: 0.9,
        dampening: 0.0,
        nesterov: false,
    };
    let mut sgd = SgdConfig::new().with_momentum(Some(momentum)).init();
    let (mut times, mut forwards, mut optimizers) = (Vec::new(), Vec::new(), Vec::new());
    let mut means = Vec::new();
    let mut ran = memory::processor_time();
    for step in 0..steps + WARM_UP {
        if step == WARM_UP {
            ran = memory::processor_time();
        }
        let start = Instant::now();
        if let Some(koala) = &mut koala {
            koala.predict(&mut model)?;
        }
        let predicted = start.elapsed();
        let losses = losses(&model, step as u64);
        let host: Vec<f32> = losses.clone().inner().into_data().try_into_vec()?;
        let forward = start.elapsed() - predicted;
        let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);
        let backward = start.elapsed();
        match &mut koala {
            Some(koala) => {
                koala.update(&mut model, gradients, Observation::from_losses(&host))?;
            }
            None => model = sgd.step(1e-3, model, gradients),
        }
        let end = start.elapsed();
        means.push(host.iter().sum::<f32>() / host.len() as f32);
        if step >= WARM_UP {
            times.push(end);
            forwards.push(forward);
            optimizers.push(end - backward + predicted);
        }
    }
    let processor = memory::processor_time()
        .zip(ran)
        .map(|(now, then)| now.saturating_sub(then) / steps.max(1) as u32);
    Ok(Found {
        parameters,
        step: median(times),
        forward: median(forwards),
        optimizer: median(optimizers),
        processor,
        bytes: memory::peak()
            .zip(before)
            .map(|(peak, before)| peak.saturating_sub(before)),
        losses: [
            means.first().copied().unwrap_or(f32::NAN),
            means.last().copied().unwrap_or(f32::NAN),
        ],
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

impl Found {
    /// A line of a table for people.
    pub fn row(&self, network: Network, optimizer: Contender) -> String {
        let or_dash = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        format!(
            "{:12} {:8} {:10.2} {:>10} {:>8} {:10.2} {:9.2} {:8.4} {:8.4}",
            network.name(),
            optimizer.name(),
            milliseconds(self.step),
            or_dash(self.processor.map(|t| format!("{:.2}", milliseconds(t)))),
            or_dash(self.bytes.map(|bytes| (bytes / 1_000_000).to_string())),
            milliseconds(self.forward),
            milliseconds(self.optimizer),
            self.losses[0],
            self.losses[1],
        )
    }

    /// The same for programs; the keys are those of PyTorch's side.
    pub fn json(&self, network: Network, optimizer: Contender) -> String {
        serde_json::json!({
            "side": "koala",
            "network": network.name(),
            "optimizer": optimizer.name(),
            "parameters": self.parameters,
            "milliseconds": milliseconds(self.step),
            "processor_milliseconds": self.processor.map(milliseconds),
            "forward_milliseconds": milliseconds(self.forward),
            "optimizer_milliseconds": milliseconds(self.optimizer),
            "bytes": self.bytes,
            "losses": self.losses,
        })
        .to_string()
    }
}
