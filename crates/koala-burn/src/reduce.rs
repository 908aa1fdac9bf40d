//! From tensors to the numbers that the filter needs: everything that a step reads back, at once.

use burn::Tensor;
use burn::tensor::{DType, FloatDType};
use koala_filter::{
    BlockStatistics, Error as CoreError, Filter, Motion, Observation, Reduction, Sums,
};

use crate::error::{Error, Result};
use crate::generic;
use crate::measurement::{Kind, Measurement};
use crate::memory::Vectors;
use crate::raw;
use crate::take::Seen;
use crate::values::{Values, placed};

/// The losses, of which there must be at least one.
pub(crate) fn checked(measurement: Measurement) -> Result<Kind> {
    match &measurement.0 {
        Kind::Losses(losses) if losses.dims()[0] == 0 => Err(CoreError::EmptyObservation.into()),
        _ => Ok(measurement.0),
    }
}

/// The statistics of all parameters, and the observation. `seen`: the parameters that are not frozen.
pub(crate) fn statistics(
    filter: &Filter,
    seen: Vec<Option<Seen>>,
    gradients: &[Option<Values>],
    memory: &[Vectors],
    losses: Kind,
) -> Result<(Vec<Option<BlockStatistics>>, Observation)> {
    let mut statistics = vec![None; seen.len()];
    let mut raw = (Vec::new(), Vec::new());
    let mut pending: Vec<(usize, Reduction)> = Vec::new();
    let mut sums = ReadBack::default();
    for (at, seen) in seen.into_iter().enumerate() {
        let (Some(seen), Some(gradient), Some(reduction)) =
            (seen, &gradients[at], filter.reduction(at))
        else {
            continue;
        };
        match (seen.values, gradient) {
            (Values::Flex(parameter), Values::Flex(gradient)) => {
                raw.0.push(at);
                raw.1.push(raw::Reduced {
                    reduction,
                    parameter,
                    gradient: gradient.clone(),
                    vectors: if reduction.sums == Sums::Products {
                        memory[at].iter().filter_map(Values::as_flex).collect()
                    } else {
                        Vec::new()
                    },
                });
            }
            (Values::Any(parameter), Values::Any(gradient)) => {
                let parameter = placed(parameter, &seen.device, seen.working);
                let vectors = if reduction.sums == Sums::Products {
                    memory[at]
                        .iter()
                        .filter_map(Values::as_any)
                        .collect::<Vec<_>>()
                } else {
                    Vec::new()
                };
                pending.push((at, reduction));
                sums.add(generic::sums(&reduction, &parameter, gradient, &vectors));
            }
            _ => debug_assert!(false, "a gradient comes in its parameter's form"),
        }
    }
    let observation = match losses {
        Kind::Observation(observation) => Some(observation),
        Kind::Losses(losses) => {
            sums.add([losses]);
            None
        }
    };
    // Reading back waits for the device; do our own work before.
    let (positions, tensors) = raw;
    for (at, sum) in positions.into_iter().zip(raw::reduce(tensors)) {
        statistics[at] = Some(sum);
    }
    let mut numbers = sums.read()?.into_iter();
    for (at, reduction) in pending {
        statistics[at] = Some(generic::statistics(&reduction, &mut numbers));
    }
    let observation = observation.unwrap_or_else(|| {
        let losses: Vec<f64> = numbers.collect();
        Observation::from_losses(&losses)
    });
    Ok((statistics, observation))
}

/// |a - x|^2 of the parameters that are worked on by tensor operations, 0 for the others (they are measured as they
/// move). The running means of the former are brought up to date.
pub(crate) fn deviations(
    motion: &Motion,
    seen: &[Option<Seen>],
    memory: &mut [Vectors],
) -> Result<Vec<f64>> {
    let mut deviations = vec![0.0; seen.len()];
    let Some(deviation) = &motion.deviation else {
        return Ok(deviations);
    };
    let mut averages = Vec::new();
    let mut sums = ReadBack::default();
    for (at, seen) in seen.iter().enumerate() {
        let (Some(seen), Some(Values::Any(average))) = (seen, memory[at].get(1)) else {
            continue;
        };
        let Values::Any(parameter) = &seen.values else {
            continue;
        };
        let parameter = placed(parameter.clone(), &seen.device, seen.working);
        let (average, sum) = generic::deviation(deviation, &parameter, average);
        averages.push((at, average));
        sums.add([sum]);
    }
    for ((at, average), sum) in averages.into_iter().zip(sums.read()?) {
        memory[at][1] = Values::Any(average);
        deviations[at] = sum;
    }
    Ok(deviations)
}

/// Numbers on the device, to be read back all at once.
#[derive(Default)]
struct ReadBack {
    parts: Vec<Tensor<1>>,
}

impl ReadBack {
    fn add(&mut self, parts: impl IntoIterator<Item = Tensor<1>>) {
        self.parts.extend(parts);
    }

    fn read(self) -> Result<Vec<f64>> {
        let Some(device) = self.parts.first().map(Tensor::device) else {
            return Ok(Vec::new());
        };
        let double = self.parts.iter().any(|part| part.dtype() == DType::F64);
        let dtype = if double {
            FloatDType::F64
        } else {
            FloatDType::F32
        };
        let parts = self
            .parts
            .into_iter()
            .map(|part| placed(part, &device, dtype))
            .collect();
        let data = Tensor::cat(parts, 0)
            .try_into_data()
            .map_err(|error| Error::ReadBack {
                reason: error.to_string(),
            })?;
        Ok(data.iter::<f64>().collect())
    }
}
