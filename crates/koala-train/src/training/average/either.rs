//! Either average, as the training loop uses it.

use burn::module::Module;
use koala_models::stored::StateError;

use super::{Ema, Swa};

/// An average of the weights on their way. Made by [`AverageSpec::start`](super::AverageSpec::start).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Average<M> {
    /// Over the steps.
    Ema(Ema<M>),
    /// Over the ends of epochs.
    Swa(Swa<M>),
}

impl<M: Module> Average<M> {
    /// To be called after every step, and before the optimizer is prepared for the next one.
    pub fn after_step(&mut self, model: &M) {
        if let Self::Ema(ema) = self {
            ema.add(model);
        }
    }

    /// To be called when `epochs` epochs are done.
    pub fn after_epoch(&mut self, epochs: u64, model: &M) {
        if let Self::Swa(swa) = self {
            swa.after_epoch(epochs, model);
        }
    }

    /// The average, for inference; none if nothing was averaged yet.
    pub fn model(&self) -> Option<&M> {
        match self {
            Self::Ema(ema) => ema.model(),
            Self::Swa(swa) => swa.model(),
        }
    }

    /// Whether running statistics of the average must be found anew, by
    /// [`recompute_statistics`](super::recompute_statistics), before it is evaluated. Those of an exponential moving
    /// average are averaged with the weights and follow them closely; SWA's weights lie far from all that were met.
    pub fn needs_statistics(&self) -> bool {
        matches!(self, Self::Swa(_))
    }

    /// All that it remembers; the same state gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`StateError::Unstorable`] if the device fails.
    pub fn state(&self) -> Result<Vec<u8>, StateError> {
        match self {
            Self::Ema(ema) => ema.state(),
            Self::Swa(swa) => swa.state(),
        }
    }

    /// Goes on, to the bit, where [`state`](Self::state) was taken; `model` says what form the network has.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the bytes are damaged, or the state of another average or of another network's. The average is
    /// then as it was.
    pub fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), StateError> {
        match self {
            Self::Ema(ema) => ema.restore(bytes, model),
            Self::Swa(swa) => swa.restore(bytes, model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::AverageSpec;
    use super::*;
    use burn::nn::{BatchNorm, BatchNormConfig};
    use burn::tensor::{Device, Tensor};
    use koala_models::stored::weights_to_bytes;
    use proptest::prelude::*;

    /// A network whose parameters and running statistics are functions of `t`.
    fn model(t: usize) -> BatchNorm {
        let device = Device::flex().autodiff();
        let mut model = BatchNormConfig::new(2).init(&device);
        let (x, t) = (t as f32, t);
        model.gamma = model
            .gamma
            .map(|_| Tensor::from_floats([x, (x * 1.7).sin()], &device).require_grad());
        for _ in 0..t % 3 {
            model.forward(Tensor::<2>::from_floats([[x, 1.0], [2.0, -x]], &device));
        }
        model
    }

    fn gamma(model: &BatchNorm) -> Vec<f32> {
        model.gamma.val().into_data().try_into_vec().unwrap()
    }

    fn averages() -> Vec<Average<BatchNorm>> {
        let ema = |ema_decay, ema_warm_up| AverageSpec::Ema {
            ema_decay,
            ema_warm_up,
        };
        let swa = AverageSpec::Swa {
            swa_start: 3,
            swa_every: 2,
        };
        [ema(0.9, false), ema(0.9, true), swa]
            .iter()
            .map(|spec| spec.start(10).unwrap())
            .collect()
    }

    fn run(average: &mut Average<BatchNorm>, steps: std::ops::Range<usize>) {
        for t in steps {
            average.after_step(&model(t));
            average.after_epoch(t as u64 + 1, &model(t));
        }
    }

    #[test]
    fn stopped_averages_go_on_to_the_bit() {
        for (kind, stop) in (0..3).flat_map(|kind| (0..10).map(move |stop| (kind, stop))) {
            let mut whole = averages().remove(kind);
            run(&mut whole, 0..stop);
            let state = whole.state().unwrap();
            run(&mut whole, stop..10);
            let mut resumed = averages().remove(kind);
            resumed.restore(&state, &model(77)).unwrap();
            assert_eq!(resumed.state().unwrap(), state);
            run(&mut resumed, stop..10);
            assert_eq!(
                resumed.state().unwrap(),
                whole.state().unwrap(),
                "{kind} {stop}"
            );
            let of =
                |average: &Average<BatchNorm>| weights_to_bytes(average.model().unwrap()).unwrap();
            assert_eq!(of(&resumed), of(&whole));
        }
    }

    #[test]
    fn the_moving_average_is_its_formula() {
        for (kind, warm_up) in [(0, false), (1, true)] {
            let mut average = averages().remove(kind);
            assert!(average.model().is_none());
            let mut shadow = 0.0;
            for t in 0..10 {
                average.after_step(&model(t));
                let x = f64::from((t as f32 * 1.7).sin());
                let rising = (1.0 + t as f64) / (10.0 + t as f64);
                let decay = if warm_up { rising.min(0.9) } else { 0.9 };
                shadow = if t == 0 {
                    x
                } else {
                    decay * shadow + (1.0 - decay) * x
                };
                let found = f64::from(gamma(average.model().unwrap())[1]);
                assert!((found - shadow).abs() < 1e-6, "{t}: {found} {shadow}");
            }
        }
    }

    #[test]
    fn stochastic_weight_averaging_is_the_mean_of_its_epochs() {
        let mut average = averages().remove(2);
        let mut met = Vec::new();
        for t in 0..10 {
            average.after_epoch(t as u64 + 1, &model(t));
            // The epochs 3, 5, 7, 9.
            if [2, 4, 6, 8].contains(&t) {
                met.push(t as f32);
            }
            match average.model() {
                None => assert!(met.is_empty()),
                Some(model) => {
                    let mean = met.iter().sum::<f32>() / met.len() as f32;
                    assert!((gamma(model)[0] - mean).abs() < 1e-5);
                }
            }
        }
        assert_eq!(met.len(), 4);
    }

    #[test]
    fn the_last_quarter_is_the_default() {
        let spec = AverageSpec::named("swa").unwrap();
        for (epochs, first) in [(1, 1), (3, 3), (4, 3), (20, 15)] {
            let mut average = spec.start(epochs).unwrap();
            for epoch in 1..=epochs {
                average.after_epoch(epoch, &model(1));
                assert_eq!(
                    average.model().is_some(),
                    epoch >= first,
                    "{epochs} {epoch}"
                );
            }
        }
    }

    #[test]
    fn the_state_of_another_average_or_network_is_refused() {
        let (mut ema, mut swa) = (averages().remove(0), averages().remove(2));
        run(&mut ema, 0..5);
        let state = ema.state().unwrap();
        let text = swa.restore(&state, &model(1)).unwrap_err().to_string();
        assert!(text.contains("is of ema, not of swa"), "{text}");
        let other = BatchNormConfig::new(3).init(&Device::flex());
        let text = ema.restore(&state, &other).unwrap_err().to_string();
        assert!(text.contains("has shape [2], not [3]"), "{text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_cut_off_is_refused(share in 0.0..1.0f64) {
            let mut average = averages().remove(0);
            run(&mut average, 0..5);
            let state = average.state().unwrap();
            let cut = &state[..(state.len() as f64 * share) as usize];
            prop_assert!(average.restore(cut, &model(1)).is_err());
            prop_assert_eq!(average.state().unwrap(), state);
        }
    }
}
