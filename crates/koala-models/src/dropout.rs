//! Dropout whose draws can be repeated.

use burn::tensor::Tensor;
use koala_ops::{DropoutMask, add_dropped, dropout};
use rand_chacha::ChaCha8Rng;

use crate::random;

/// The dropout of one forward pass: what it draws is a function of the run's seed, the step, and what the pass has drawn
/// before, so that a run that was stopped goes on with the same bits. (Burn's own dropout draws from the backend's global
/// generator, which depends on everything that happened in the process.)
#[derive(Debug, Clone)]
pub struct Masks {
    generator: Option<ChaCha8Rng>,
    /// Values that the pass has drawn for.
    drawn: u64,
}

impl Masks {
    /// The masks of one training step.
    pub fn new(seed: u64, step: u64) -> Self {
        Self {
            generator: Some(random::generator(seed, b"dropout", step)),
            drawn: 0,
        }
    }

    /// No dropout: for inference.
    pub fn off() -> Self {
        Self {
            generator: None,
            drawn: 0,
        }
    }

    /// Sets each value to 0 with the given probability and divides the others by its complement. A probability that is not
    /// above 0 changes nothing; one of 1 or more leaves zeros.
    pub fn apply<const D: usize>(&mut self, probability: f64, x: Tensor<D>) -> Tensor<D> {
        match self.mask(probability, x.shape().num_elements()) {
            Some(mask) => dropout(x, &mask),
            None => x,
        }
    }

    /// `base` and what [`Masks::apply`] leaves of `x`.
    pub fn add<const D: usize>(
        &mut self,
        probability: f64,
        base: Tensor<D>,
        x: Tensor<D>,
    ) -> Tensor<D> {
        match self.mask(probability, x.shape().num_elements()) {
            Some(mask) => add_dropped(base, x, &mask),
            None => base + x,
        }
    }

    /// The mask of the next `count` values; nothing if none of them is dropped.
    pub(crate) fn mask(&mut self, probability: f64, count: usize) -> Option<DropoutMask> {
        let generator = self.generator.clone()?;
        let mask = DropoutMask::new(generator, self.drawn, probability)?;
        // Where everything is dropped, nothing is left to chance.
        if probability < 1.0 {
            self.drawn += count as u64;
        }
        Some(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Int};

    fn dropped(masks: &mut Masks, probability: f64) -> Vec<f32> {
        let x = Tensor::<2>::ones([100, 100], &Device::flex());
        masks
            .apply(probability, x)
            .into_data()
            .try_into_vec()
            .unwrap()
    }

    #[test]
    fn the_share_of_zeros_is_the_probability_and_the_mean_stays() {
        let values = dropped(&mut Masks::new(1, 2), 0.65);
        let zeros = values.iter().filter(|v| **v == 0.0).count();
        // Five standard deviations of the binomial distribution.
        assert!(zeros.abs_diff(6500) < 240, "{zeros}");
        assert!(values.iter().all(|v| *v == 0.0 || *v == 1.0 / 0.35));
    }

    #[test]
    fn seed_and_step_decide() {
        let of = |seed, step| dropped(&mut Masks::new(seed, step), 0.5);
        assert_eq!(of(1, 2), of(1, 2));
        assert_ne!(of(1, 2), of(1, 3));
        assert_ne!(of(1, 2), of(2, 2));
        let mut masks = Masks::new(1, 2);
        assert_ne!(dropped(&mut masks, 0.5), dropped(&mut masks, 0.5));
    }

    /// So that a run that was begun by an older version goes on with the same masks.
    #[test]
    fn draws_are_the_generators_one_after_the_other() {
        use rand_chacha::rand_core::Rng;

        let mut generator = random::generator(7, b"dropout", 3);
        let mut drawn = |count: usize, probability: f64| -> Vec<bool> {
            let threshold = (probability * 2.0f64.powi(32)) as u64;
            let draws = (0..count).map(|_| u64::from(generator.next_u32()));
            draws.map(|draw| draw >= threshold).collect()
        };
        let mut masks = Masks::new(7, 3);
        let mut kept = |count: usize, probability: f64| -> Vec<bool> {
            let x = Tensor::<1>::ones([count], &Device::flex());
            let values = masks.apply(probability, x).into_data();
            let values: Vec<f32> = values.try_into_vec().unwrap();
            values.into_iter().map(|value| value != 0.0).collect()
        };
        assert_eq!(kept(70_001, 0.3), drawn(70_001, 0.3));
        // Nothing is drawn for these.
        assert_eq!(
            (kept(5, 0.0), kept(5, 1.0)),
            (vec![true; 5], vec![false; 5])
        );
        assert_eq!(kept(40, 0.65), drawn(40, 0.65));
    }

    #[test]
    fn what_is_added_is_what_would_be_left() {
        let device = Device::flex();
        let of = |n: f32| Tensor::<1, Int>::arange(0..50, &device).float() * n;
        for probability in [0.0, 0.4, 1.0] {
            let sum = Masks::new(1, 2).add(probability, of(0.1), of(0.3));
            let expected = of(0.1) + Masks::new(1, 2).apply(probability, of(0.3));
            assert_eq!(sum.into_data(), expected.into_data(), "{probability}");
        }
    }

    #[test]
    fn nothing_happens_where_there_is_nothing_to_do() {
        assert!(dropped(&mut Masks::off(), 0.5).iter().all(|v| *v == 1.0));
        for probability in [0.0, -1.0, f64::NAN] {
            let values = dropped(&mut Masks::new(1, 1), probability);
            assert!(values.iter().all(|v| *v == 1.0));
        }
        assert!(
            dropped(&mut Masks::new(1, 1), 1.0)
                .iter()
                .all(|v| *v == 0.0)
        );
    }

    #[test]
    fn gradients_go_through_what_is_kept() {
        let device = Device::flex().autodiff();
        let x = Tensor::<1>::ones([8], &device).require_grad();
        let y = Masks::new(3, 0).apply(0.5, x.clone());
        let expected: Vec<f32> = y.clone().inner().into_data().try_into_vec().unwrap();
        let gradients = y.sum().backward();
        let found = x.grad(&gradients).unwrap().into_data();
        assert_eq!(found.try_into_vec::<f32>().unwrap(), expected);
    }
}
