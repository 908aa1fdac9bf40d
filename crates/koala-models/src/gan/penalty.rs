//! What keeps a critic's gradients near 1.

use burn::tensor::Tensor;

use crate::gan::Critic;

/// Points on the lines between real and made images: share x real + (1 - share) x made, for each sample its own share,
/// `[batch]`. Both kinds of images are `[batch, channels, height, width]`.
pub fn mixtures(real: Tensor<4>, made: Tensor<4>, shares: Tensor<1>) -> Tensor<4> {
    let batch = shares.dims()[0];
    let shares = shares.reshape([batch, 1, 1, 1]);
    made.clone() + shares * (real - made)
}

/// The penalty of each image, `[batch]`: (|g| - 1)^2, with the Euclidean norm of the gradient g of its score with respect
/// to its pixels. Images are `[batch, channels, height, width]`; nothing flows back into them.
///
/// Where g is 0 the norm has no derivative; 0 is taken, as PyTorch does.
///
/// I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: Improved training of Wasserstein GANs, NeurIPS 2017,
/// equation 3 without its factor.
pub fn gradient_penalty(critic: &Critic, images: Tensor<4>) -> Tensor<1> {
    let gradient: Tensor<2> = critic.input_gradient(images).flatten(1, 3);
    let square = gradient.powi_scalar(2).sum_dim(1).squeeze_dim::<1>(1);
    // The derivative of the square root is infinite at 0.
    let zero = square.clone().equal_scalar(0.0);
    let norm = square.mask_fill(zero.clone(), 1.0).sqrt();
    let norm = norm.mask_fill(zero, 0.0);
    (norm - 1.0).powi_scalar(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draws;
    use crate::gan::DcganSpec;
    use crate::gan::critic_losses;
    use crate::testing::square;
    use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
    use burn::tensor::{DType, Device, Gradients, TensorData};

    /// Makes weights f64 and multiplies them, so that the gradients have norms around 1; then adds `step` to the one at
    /// `place`, counted through all of them.
    struct Prepare {
        factor: f64,
        step: f64,
        place: usize,
        seen: usize,
    }

    impl ModuleMapper for Prepare {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, value, mapper) = param.consume();
            let (shape, device) = (value.dims(), value.device());
            let values: Vec<f32> = value.into_data().try_into_vec().unwrap();
            let mut values: Vec<f64> = values.into_iter().map(f64::from).collect();
            for value in &mut values {
                // The biases are 0 at first; nothing may hide there.
                *value = self.factor * if *value == 0.0 { 0.01 } else { *value };
                if self.seen == self.place {
                    *value += self.step;
                }
                self.seen += 1;
            }
            let value = doubles(values, shape, &device);
            Param::from_mapped_value(id, value.require_grad(), mapper)
        }
    }

    struct Collect<'a> {
        gradients: &'a Gradients,
        values: Vec<f64>,
    }

    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            match param.val().grad(self.gradients) {
                Some(gradient) => {
                    let values: Vec<f64> = gradient.into_data().try_into_vec().unwrap();
                    self.values.extend(values);
                }
                // The penalty alone does not depend on the biases.
                None => self.values.extend(vec![0.0; param.shape().num_elements()]),
            }
        }
    }

    fn critic(device: &Device) -> Critic {
        let spec = DcganSpec { noise: 1, width: 2 };
        let shape = square(1, 16);
        Critic::new(&spec, shape, &mut Draws::new(3, device)).unwrap()
    }

    fn prepared(critic: &Critic, factor: f64, place: usize, step: f64) -> Critic {
        let mut prepare = Prepare {
            factor,
            step,
            place,
            seen: 0,
        };
        critic.clone().map(&mut prepare)
    }

    fn doubles<const D: usize>(values: Vec<f64>, shape: [usize; D], device: &Device) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
    }

    fn images(speed: f64, device: &Device) -> Tensor<4> {
        let values: Vec<f64> = (0..3 * 256).map(|i| (f64::from(i) * speed).sin()).collect();
        doubles(values, [3, 1, 16, 16], device)
    }

    /// Compares the derivatives of a weighted sum of losses with finite differences, at every weight.
    fn check(losses: impl Fn(&Critic, &Device) -> Tensor<1>) {
        let device = Device::flex().autodiff();
        let critic = critic(&device);
        let sum = |critic: &Critic| {
            let weights = doubles(vec![1.0, -0.5, 2.0], [3], &device);
            (losses(critic, &device) * weights).sum()
        };
        let base = prepared(&critic, 15.0, usize::MAX, 0.0);
        let mut found = Collect {
            gradients: &sum(&base).backward(),
            values: Vec::new(),
        };
        base.visit(&mut found);
        assert_eq!(found.values.len(), 16 * (2 + 8 + 4) + 2 + 4);
        let largest = found.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        assert!(largest > 0.1, "{largest}");
        for (place, found) in found.values.iter().enumerate() {
            let at = |step| sum(&prepared(&critic, 15.0, place, step)).into_scalar::<f64>();
            let expected = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!(
                (found - expected).abs() < 1e-7 * largest,
                "{place}: {found}, not {expected}"
            );
        }
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        check(|critic, device| gradient_penalty(critic, images(0.7, device)));
    }

    #[test]
    fn derivatives_of_the_critics_losses_are_those_of_finite_differences() {
        check(|critic, device| {
            let shares = doubles(vec![0.25, 0.5, 0.875], [3], device);
            let (real, made) = (images(0.7, device), images(1.9, device));
            critic_losses(critic, real, made, shares, 10.0)
        });
    }

    #[test]
    fn a_critic_without_gradients_is_penalised_and_does_no_harm() {
        let device = Device::flex().autodiff();
        let silent = prepared(&critic(&device), 0.0, usize::MAX, 0.0);
        let penalties = gradient_penalty(&silent, images(0.7, &device));
        let mut found = Collect {
            gradients: &penalties.clone().sum().backward(),
            values: Vec::new(),
        };
        let penalties: Vec<f64> = penalties.into_data().try_into_vec().unwrap();
        assert_eq!(penalties, [1.0; 3]);
        silent.visit(&mut found);
        assert!(found.values.iter().all(|v| *v == 0.0));
    }

    #[test]
    fn mixtures_lie_between() {
        let device = Device::flex();
        let real = Tensor::<4>::ones([3, 1, 2, 2], &device) * 3.0;
        let made = Tensor::<4>::ones([3, 1, 2, 2], &device);
        let shares = Tensor::from_data([0.0f32, 0.25, 1.0], &device);
        let mixed: Vec<f32> = mixtures(real, made, shares)
            .into_data()
            .try_into_vec()
            .unwrap();
        let expected: Vec<f32> = [1.0, 1.5, 3.0].iter().flat_map(|v| [*v; 4]).collect();
        assert_eq!(mixed, expected);
    }
}
