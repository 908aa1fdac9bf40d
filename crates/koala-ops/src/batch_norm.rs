//! Batch normalisation, with what residual networks do after it: a sum, and ReLU.

use burn::tensor::Tensor;
use burn::tensor::module;
use burn::tensor::module::BatchNormTrainOutput;
use rayon::prelude::*;

use crate::Activation;
use crate::choice::{operand, operands, optional_operand};
use crate::dense::Dense;
use crate::kernel::{
    Affine, MatrixMut, Slope, centred_sums, mask_and_sum, normalise, normalise_back,
    normalise_back_into, sum,
};
use crate::operation::Operation;

/// What is done to values in the pass that normalises them.
#[derive(Clone, Debug)]
pub struct Then<const D: usize> {
    /// Is added to them: the shortcut around a residual block. Of their shape.
    pub add: Option<Tensor<D>>,
    /// Is applied last.
    pub activation: Activation,
}

impl<const D: usize> Then<D> {
    /// The activation alone.
    pub fn activate(activation: Activation) -> Self {
        Self {
            add: None,
            activation,
        }
    }

    /// With Burn's operations.
    fn compose(self, values: Tensor<D>) -> Tensor<D> {
        self.activation.compose(match self.add {
            Some(added) => values + added,
            None => values,
        })
    }

    /// Whether the fused operations do it to values of this shape.
    fn fits(&self, shape: [usize; D]) -> bool {
        let added = self.add.as_ref().is_none_or(|added| added.dims() == shape);
        added && matches!(self.activation, Activation::Identity | Activation::Relu)
    }
}

/// Normalises each channel of `input`, `[images, channels, ..]`, by its own mean and variance over everything else:
/// `(x - mean) / sqrt(variance + epsilon) gamma + beta`, and then what is to follow. `gamma` and `beta` are `[channels]`, as are the
/// mean and the biased variance that are given back, which have no gradient.
///
/// # Panics
///
/// As `burn::tensor::module::batch_norm_train`, if the sizes do not fit.
pub fn batch_norm_train<const D: usize>(
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    then: Then<D>,
) -> BatchNormTrainOutput<D> {
    let shape = input.dims();
    let planes = Planes::of(&shape).filter(|planes| {
        let channels = [planes.channels];
        gamma.dims() == channels && beta.dims() == channels && then.fits(shape)
    });
    let chosen = operands([
        operand(&input),
        operand(&gamma),
        operand(&beta),
        optional_operand(then.add.as_ref()),
    ]);
    let (Some(planes), Some(operands)) = (planes, chosen) else {
        let found = module::batch_norm_train(input, gamma, beta, epsilon);
        return BatchNormTrainOutput {
            output: then.compose(found.output),
            ..found
        };
    };

    let (tensors, recording) = operands.into_parts();
    let [input, gamma, beta, added] = tensors.map(Dense::of);
    let added = (!added.is_empty()).then_some(added);
    let relu = then.activation == Activation::Relu;
    let mut results = vec![0.0; input.len()];
    let channels: Vec<Statistics> = planes
        .channels(&mut results)
        .into_par_iter()
        .enumerate()
        .map(|(channel, mut results)| {
            let found = planes.statistics(&input, channel, epsilon);
            let affine = Affine {
                mean: found.mean,
                scale: gamma[channel] * found.deviation_inverse,
                shift: beta[channel],
            };
            planes.normalise(
                &input,
                added.as_deref(),
                channel,
                affine,
                relu,
                &mut results,
            );
            found
        })
        .collect();
    let results = Dense::new(results, shape);
    let of = |read: fn(&Statistics) -> f32| {
        let values = channels.iter().map(read).collect();
        recording.constant(Dense::new(values, [planes.channels]))
    };
    let (mean, variance) = (of(|found| found.mean), of(|found| found.variance));
    let kept = relu.then(|| results.clone());
    let output = recording.finish(results, || BatchNorm {
        planes,
        input,
        gamma,
        channels,
        results: kept,
    });
    BatchNormTrainOutput {
        output,
        mean,
        variance,
    }
}

/// As [`batch_norm_train`], by given means and variances, `[channels]`: for inference. Where a gradient is wanted, Burn's operations
/// compute.
///
/// # Panics
///
/// As `burn::tensor::module::batch_norm`, if the sizes do not fit.
pub fn batch_norm<const D: usize>(
    input: Tensor<D>,
    [gamma, beta]: [Tensor<1>; 2],
    [mean, variance]: [Tensor<1>; 2],
    epsilon: f64,
    then: Then<D>,
) -> Tensor<D> {
    let shape = input.dims();
    let planes = Planes::of(&shape).filter(|planes| {
        let vectors = [&gamma, &beta, &mean, &variance];
        vectors
            .iter()
            .all(|vector| vector.dims() == [planes.channels])
            && then.fits(shape)
    });
    let chosen = operands([
        operand(&input),
        operand(&gamma),
        operand(&beta),
        operand(&mean),
        operand(&variance),
        optional_operand(then.add.as_ref()),
    ]);
    let parts = chosen.map(|operands| operands.into_parts());
    let untracked = parts.filter(|(_, recording)| !recording.tracked());
    let (Some(planes), Some((tensors, recording))) = (planes, untracked) else {
        return then.compose(module::batch_norm(
            input, gamma, beta, mean, variance, epsilon,
        ));
    };

    let [input, gamma, beta, mean, variance, added] = tensors.map(Dense::of);
    let added = (!added.is_empty()).then_some(added);
    let relu = then.activation == Activation::Relu;
    let mut results = vec![0.0; input.len()];
    let channels = planes.channels(&mut results).into_par_iter().enumerate();
    channels.for_each(|(channel, mut results)| {
        let deviation = (f64::from(variance[channel]) + epsilon).sqrt();
        let affine = Affine {
            mean: mean[channel],
            scale: (f64::from(gamma[channel]) / deviation) as f32,
            shift: beta[channel],
        };
        planes.normalise(
            &input,
            added.as_deref(),
            channel,
            affine,
            relu,
            &mut results,
        );
    });
    recording.constant(Dense::new(results, shape))
}

/// What a channel is normalised by.
#[derive(Clone, Copy, Debug)]
struct Statistics {
    mean: f32,
    /// Biased.
    variance: f32,
    /// 1 / sqrt(variance + epsilon).
    deviation_inverse: f32,
}

/// How the channels of a tensor lie: planes of `pixels`, one a channel, image after image.
#[derive(Clone, Copy, Debug)]
struct Planes {
    images: usize,
    channels: usize,
    pixels: usize,
}

impl Planes {
    /// Of a shape `[images, channels, ..]`; `None` if it has no elements, or no channels.
    fn of(shape: &[usize]) -> Option<Self> {
        let [images, channels, rest @ ..] = shape else {
            return None;
        };
        let planes = Self {
            images: *images,
            channels: *channels,
            pixels: rest.iter().product(),
        };
        (planes.images * planes.channels * planes.pixels > 0).then_some(planes)
    }

    /// Each channel, an image a row.
    fn channels(self, values: &mut [f32]) -> Vec<MatrixMut<'_>> {
        MatrixMut::new(values, self.images, self.channels * self.pixels).column_parts(self.pixels)
    }

    fn plane(self, values: &[f32], image: usize, channel: usize) -> &[f32] {
        &values[(image * self.channels + channel) * self.pixels..][..self.pixels]
    }

    fn statistics(self, input: &[f32], channel: usize, epsilon: f64) -> Statistics {
        let count = (self.images * self.pixels) as f64;
        let planes = || (0..self.images).map(|image| self.plane(input, image, channel));
        let total: f64 = planes().map(|plane| f64::from(sum(plane))).sum();
        let mean = (total / count) as f32;
        let mut centred = [0.0; 2];
        for plane in planes() {
            for (total, sum) in centred.iter_mut().zip(centred_sums(plane, mean)) {
                *total += f64::from(sum);
            }
        }
        // What the rounding of the mean left of the first sum is taken off the second.
        let variance = (centred[1] / count - (centred[0] / count).powi(2)).max(0.0);
        Statistics {
            mean,
            variance: variance as f32,
            deviation_inverse: (1.0 / (variance + epsilon).sqrt()) as f32,
        }
    }

    fn normalise(
        self,
        input: &[f32],
        added: Option<&[f32]>,
        channel: usize,
        affine: Affine,
        relu: bool,
        results: &mut MatrixMut<'_>,
    ) {
        for image in 0..self.images {
            let added = added.map(|added| self.plane(added, image, channel));
            let values = self.plane(input, image, channel);
            normalise(values, added, affine, relu, results.row(image));
        }
    }
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct BatchNorm {
    planes: Planes,
    input: Dense,
    gamma: Dense,
    channels: Vec<Statistics>,
    /// The results, if ReLU was applied.
    results: Option<Dense>,
}

impl Operation<4> for BatchNorm {
    fn gradients(self, mut output: Dense, wanted: [bool; 4]) -> [Option<Dense>; 4] {
        let Self {
            planes, ref input, ..
        } = self;
        let shape = input.shape().clone();
        let both = wanted[0] && wanted[3];
        // The gradient of what was added is that of the sum, so that of x needs memory of its own.
        let mut beside = vec![0.0; if both { input.len() } else { 0 }];
        let before = (self.results.is_none() && both).then(|| output.clone());
        let sums: Vec<[f32; 2]> = {
            let mut rows = planes.channels(output.writable());
            let mut places: Vec<Option<MatrixMut<'_>>> = match both {
                true => planes.channels(&mut beside).into_iter().map(Some).collect(),
                false => rows.iter().map(|_| None).collect(),
            };
            let tasks = rows.par_iter_mut().zip(&mut places).enumerate();
            tasks
                .map(|(channel, (gradient, beside))| {
                    self.channel(channel, gradient, beside, wanted[0])
                })
                .collect()
        };
        let of = |place: usize| {
            let values = sums.iter().map(|sums| sums[place]).collect();
            Dense::new(values, [planes.channels])
        };
        let (gamma, beta) = (wanted[1].then(|| of(1)), wanted[2].then(|| of(0)));
        let (of_input, of_added) = match (wanted[0], wanted[3]) {
            (true, true) => (
                Some(Dense::new(beside, shape)),
                Some(before.unwrap_or(output)),
            ),
            (true, false) => (Some(output), None),
            (false, true) => (None, Some(output)),
            (false, false) => (None, None),
        };
        [of_input, gamma, beta, of_added]
    }
}

impl BatchNorm {
    /// Masks the gradient of one channel's results, and makes of it that of x, in its place or beside it. The gradients of beta and
    /// of gamma.
    fn channel(
        &self,
        channel: usize,
        gradient: &mut MatrixMut<'_>,
        beside: &mut Option<MatrixMut<'_>>,
        wanted: bool,
    ) -> [f32; 2] {
        let planes = self.planes;
        let Statistics {
            mean,
            deviation_inverse,
            ..
        } = self.channels[channel];
        let deviation_inverse = f64::from(deviation_inverse);
        let mut totals = [0.0; 2];
        for image in 0..planes.images {
            let results = self.results.as_deref();
            let results = results.map(|results| planes.plane(results, image, channel));
            let values = planes.plane(&self.input, image, channel);
            let sums = mask_and_sum(gradient.row(image), results, values, mean);
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += f64::from(sum);
            }
        }
        if wanted {
            let count = (planes.images * planes.pixels) as f64;
            let slope = Slope {
                mean,
                scale: (f64::from(self.gamma[channel]) * deviation_inverse) as f32,
                offset: (totals[0] / count) as f32,
                slope: (totals[1] * deviation_inverse * deviation_inverse / count) as f32,
            };
            for image in 0..planes.images {
                let values = planes.plane(&self.input, image, channel);
                match beside {
                    Some(beside) => {
                        normalise_back_into(gradient.row(image), values, slope, beside.row(image));
                    }
                    None => normalise_back(gradient.row(image), values, slope),
                }
            }
        }
        [totals[0] as f32, (totals[1] * deviation_inverse) as f32]
    }
}
