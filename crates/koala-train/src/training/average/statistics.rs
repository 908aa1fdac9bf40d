//! Running statistics for weights that were never trained as they are.

use burn::module::Module;
use koala_models::BATCH_NORM_MOMENTUM;

/// Samples that running statistics are found from: as if every evaluation held that many more. Their means are then known to 3 %
/// of a deviation and the variances to 4 %, where a channel has one value a sample; with pictures, better.
const ENOUGH: usize = 1024;

/// The first of `batches` until they hold so many `samples` that more would not change running statistics much, so that an
/// evaluation costs the same however large the training part is.
pub(crate) fn enough<B>(
    batches: impl IntoIterator<Item = B>,
    samples: impl Fn(&B) -> usize,
) -> impl Iterator<Item = B> {
    let mut batches = batches.into_iter();
    let mut seen = 0;
    // Not `take_while`, which would make one batch more to look at it.
    std::iter::from_fn(move || {
        if seen >= ENOUGH {
            return None;
        }
        let batch = batches.next()?;
        seen += samples(&batch);
        Some(batch)
    })
}

/// `model`, for inference, with running statistics of batch normalisation that are the plain means of those of the batches,
/// each counting the same, as `torch.optim.swa_utils.update_bn` finds them. Without batches or batch normalisation it
/// stays as it is.
///
/// `forward` passes a batch through a network whose parameters are on a device with gradients, which makes Burn take
/// statistics of the batch. Burn moves running statistics by r <- (1 - m) r + m batch and lets nobody set m later, so
/// that each pass starts at r = 0 and leaves m times the batch's: m is
/// [`Draws::batch_norm`](koala_models::Draws::batch_norm)'s, 0.1.
///
/// # Errors
///
/// The first that `forward` returns.
pub fn recompute_statistics<M: Module, B, E>(
    model: &M,
    batches: impl IntoIterator<Item = B>,
    forward: impl FnMut(&M, B) -> Result<(), E>,
) -> Result<M, E> {
    koala_burn::recompute_statistics_of_momentum(BATCH_NORM_MOMENTUM, model, batches, forward)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{BatchNorm, BatchNormConfig, LinearConfig};
    use burn::tensor::{Device, Tensor, TensorData};
    use koala_models::ImageShape;
    use koala_models::stored::weights_to_bytes;
    use koala_models::{Classifier, Cnn, CnnSpec, Draws};
    use std::cell::Cell;
    use std::convert::Infallible;

    /// Batches are made only as long as they are needed, all of them where there are few.
    #[test]
    fn enough_batches_are_those_that_hold_enough_samples() {
        for (size, expected) in [(1, 1024), (64, 16), (100, 11), (1024, 1), (5000, 1)] {
            let made = Cell::new(0);
            let batches = std::iter::repeat_with(|| {
                made.set(made.get() + 1);
                size
            });
            assert_eq!(enough(batches, |&size| size).count(), expected);
            assert_eq!(made.get(), expected);
        }
        assert_eq!(enough(0..7, |_| 64).count(), 7);
        assert_eq!(enough(0..0, |_: &i32| 64).count(), 0);
    }

    fn batch(number: usize) -> Tensor<2> {
        let values: Vec<f32> = (0..12)
            .map(|i| ((i * (number + 2)) as f32).sin() * 3.0 + number as f32)
            .collect();
        Tensor::from_data(TensorData::new(values, [6, 2]), &Device::flex().autodiff())
    }

    fn statistics(model: &BatchNorm) -> [Vec<f32>; 2] {
        [&model.running_mean, &model.running_var]
            .map(|state| state.value_sync().into_data().try_into_vec().unwrap())
    }

    #[test]
    fn they_are_the_means_over_the_batches() {
        let device = Device::flex().autodiff();
        let model = Draws::new(1, &device).batch_norm(2);
        model.forward(batch(9));
        let before = statistics(&model);
        let found = recompute_statistics(&model, 0..5, |model, number| {
            model.forward(batch(number));
            Ok::<_, Infallible>(())
        })
        .unwrap();
        assert_eq!(statistics(&model), before);
        let mut expected = [[0.0f64; 2]; 2];
        for number in 0..5 {
            // With a momentum of 1 the running statistics are the batch's own.
            let own = BatchNormConfig::new(2).with_momentum(1.0).init(&device);
            own.forward(batch(number));
            for (sum, own) in expected.iter_mut().zip(statistics(&own)) {
                for (sum, own) in sum.iter_mut().zip(own) {
                    *sum += f64::from(own) / 5.0;
                }
            }
        }
        for (found, expected) in statistics(&found)
            .iter()
            .flatten()
            .zip(expected.iter().flatten())
        {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-5 * expected.abs(),
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn every_layer_has_its_own_and_weights_stay() {
        let device = Device::flex().autodiff();
        let shape = ImageShape {
            channels: 1,
            height: 8,
            width: 8,
            classes: 4,
        };
        let model = Cnn::new(&CnnSpec::default(), shape, &mut Draws::new(1, &device));
        let (images, _) = crate::training::testing::images([6, 1, 8, 8], 4, &device);
        let pass = |model: &Cnn, images: Tensor<4>| {
            model.forward(images);
            Ok::<_, Infallible>(())
        };
        let once = recompute_statistics(&model, [images.clone()], pass).unwrap();
        let twice = recompute_statistics(&once, [images.clone()], pass).unwrap();
        assert_eq!(
            weights_to_bytes(&once).unwrap(),
            weights_to_bytes(&twice).unwrap()
        );
        // With statistics of the very batch, inference gives what training gives.
        let trained = model.forward(images.clone()).inner();
        let found = once.forward(images.inner());
        let difference = (trained - found).abs().max().into_scalar::<f32>();
        assert!(difference < 0.2, "{difference}");
    }

    #[test]
    fn networks_without_statistics_and_errors_pass_through() {
        let device = Device::flex().autodiff();
        let plain = LinearConfig::new(2, 3).init(&device);
        let mut passes = 0;
        let found = recompute_statistics(&plain, 0..9, |_, _| {
            passes += 1;
            Ok::<_, Infallible>(())
        });
        assert_eq!(
            weights_to_bytes(&found.unwrap()).unwrap(),
            weights_to_bytes(&plain).unwrap()
        );
        assert_eq!(passes, 0);
        let model = Draws::new(1, &device).batch_norm(2);
        let found =
            recompute_statistics(
                &model,
                0..9,
                |_, number| {
                    if number == 3 { Err(number) } else { Ok(()) }
                },
            );
        assert_eq!(found.unwrap_err(), 3);
    }
}
