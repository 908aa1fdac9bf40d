//! A made-up training run: parameters, gradients and losses are pure functions of a seed, the step and x.

use koala_filter::dense::{Koala, Real};
use koala_filter::{Observation, StepReport};

/// A pure pseudo-random number in [-1, 1).
pub fn noise(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub fn slices<F>(vectors: &mut [Vec<F>]) -> Vec<&mut [F]> {
    vectors.iter_mut().map(Vec::as_mut_slice).collect()
}

/// Every (block, element, step) has its own noise.
#[derive(Clone, Debug)]
pub struct Problem {
    pub seed: u64,
    pub lengths: Vec<usize>,
    /// Blocks without a gradient: those for which this is true.
    pub missing: fn(step: u64, block: usize) -> bool,
}

impl Problem {
    pub fn new(seed: u64, lengths: &[usize]) -> Self {
        Self {
            seed,
            lengths: lengths.to_vec(),
            missing: |_, _| false,
        }
    }

    fn draw(&self, kind: u64, step: u64, block: usize, element: usize) -> f64 {
        let key = [kind, step, block as u64, element as u64];
        let mixed = key.iter().fold(self.seed, |seed, &part| {
            (seed ^ part)
                .wrapping_mul(0x2545_f491_4f6c_dd1d)
                .rotate_left(17)
        });
        noise(mixed)
    }

    pub fn start<F: Real>(&self) -> Vec<Vec<F>> {
        self.lengths
            .iter()
            .enumerate()
            .map(|(block, &length)| {
                (0..length)
                    .map(|element| F::from_f64(self.draw(0, 0, block, element)))
                    .collect()
            })
            .collect()
    }

    /// The gradient of a block, from the block's x.
    pub fn gradient<F: Real>(&self, step: u64, block: usize, x: &[F]) -> Option<Vec<F>> {
        if (self.missing)(step, block) {
            return None;
        }
        let element = |(element, x): (usize, &F)| {
            F::from_f64(0.4 * self.draw(1, step, block, element) + 0.2 * x.to_f64())
        };
        Some(x.iter().enumerate().map(element).collect())
    }

    pub fn gradients<F: Real>(&self, step: u64, x: &[Vec<F>]) -> Vec<Option<Vec<F>>> {
        x.iter()
            .enumerate()
            .map(|(block, x)| self.gradient(step, block, x))
            .collect()
    }

    /// Per-sample losses, all positive.
    pub fn losses(&self, step: u64) -> Vec<f64> {
        (0..4)
            .map(|sample| 0.1 + 2.0 * self.draw(2, step, 0, sample).abs())
            .collect()
    }
}

/// One step of an optimizer on a problem.
pub fn step<F: Real>(
    optimizer: &mut Koala<F>,
    problem: &Problem,
    x: &mut [Vec<F>],
    number: u64,
) -> StepReport {
    optimizer.predict(&mut slices(x)).unwrap();
    let gradients = problem.gradients(number, x);
    let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
    let observation = Observation::from_losses(&problem.losses(number));
    optimizer
        .update(&mut slices(x), &gradients, &observation)
        .unwrap()
}

/// Steps from `from` on; the parameters are changed in place.
pub fn run<F: Real>(
    optimizer: &mut Koala<F>,
    problem: &Problem,
    x: &mut [Vec<F>],
    steps: std::ops::Range<u64>,
) -> Vec<StepReport> {
    steps
        .map(|number| step(optimizer, problem, x, number))
        .collect()
}
