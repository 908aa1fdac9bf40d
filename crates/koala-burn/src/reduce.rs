//! From tensors to the numbers that the filter needs: everything that a step reads back, at once.

use burn::Tensor;
use burn::tensor::{DType, Device, FloatDType};
use koala_filter::{BlockStatistics, Error as CoreError, Filter, MetricFloor, Motion, Observation};

use crate::error::{Error, Result};
use crate::generic;
use crate::measurement::{Kind, Measurement};
use crate::memory::{self, Vectors};
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
    let mut generic: Vec<(usize, Placed, generic::Reading)> = Vec::new();
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
                    memory: memory::flex(&memory[at]),
                });
            }
            (Values::Any(parameter), Values::Any(gradient)) => {
                let parameter = placed(parameter, &seen.device, seen.working);
                let vectors = memory::tensors(&memory[at]);
                let reading =
                    generic::Reading::first(reduction, parameter, gradient.clone(), vectors);
                generic.push((at, (seen.device, seen.working), reading));
            }
            _ => debug_assert!(false, "a gradient comes in its parameter's form"),
        }
    }
    // Reading back waits for the device; do our own work before.
    let (positions, tensors) = raw;
    let raw = raw::Readings::new(tensors);
    let first = raw.reduce();
    for (&at, &sum) in positions.iter().zip(&first) {
        statistics[at] = Some(sum);
    }
    if let Some(rule) = filter.metric_floor_rule() {
        let others = statistics.iter().flatten();
        let others = others.map(|sum| sum.metric.largest).reduce(f64::max);
        second(rule, others, &mut generic);
    }
    let mut sums = ReadBack::default();
    for (_, _, reading) in &generic {
        sums.add(reading.sums());
    }
    let observation = match losses {
        Kind::Observation(observation) => Some(observation),
        Kind::Losses(losses) => {
            sums.add([losses]);
            None
        }
    };
    let mut numbers = sums.read()?.into_iter();
    for (at, _, reading) in generic {
        statistics[at] = Some(reading.statistics(&mut numbers));
    }
    let observation = observation.unwrap_or_else(|| {
        let losses: Vec<f64> = numbers.collect();
        Observation::from_losses(&losses)
    });
    if let Some(floor) = filter.metric_floor(&statistics) {
        for (&at, sums) in positions.iter().zip(raw.weigh(floor, &first)) {
            if let (Some(found), Some(sums)) = (&mut statistics[at], sums) {
                found.weigh_anew(sums);
            }
        }
    }
    Ok((statistics, observation))
}

/// Where a parameter is worked on, and in which type.
type Placed = (Device, FloatDType);

/// The second reading of the parameters that are worked on by tensor operations. The floor of the metric, of their largest ŝ
/// and that of the `others`, stays on the device: nothing is read back between the readings.
fn second(
    rule: MetricFloor,
    others: Option<f64>,
    readings: &mut [(usize, Placed, generic::Reading)],
) {
    let maxima = readings.iter().filter_map(|(_, _, r)| r.largest());
    let Some(maxima) = joined(maxima.collect()) else {
        return;
    };
    let floor = generic::floor(rule, maxima, others);
    for (_, (device, working), reading) in readings {
        reading.second(placed(floor.clone(), device, *working));
    }
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
        let (Some(seen), [_, Some(Values::Any(average)), _]) = (seen, &memory[at]) else {
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
        memory[at][1] = Some(Values::Any(average));
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
        let Some(all) = joined(self.parts) else {
            return Ok(Vec::new());
        };
        let data = all.try_into_data().map_err(|error| Error::ReadBack {
            reason: error.to_string(),
        })?;
        Ok(data.iter::<f64>().collect())
    }
}

/// All numbers in one tensor, on the device of the first and in the widest of their types; `None` without any.
fn joined(parts: Vec<Tensor<1>>) -> Option<Tensor<1>> {
    let device = parts.first()?.device();
    let double = parts.iter().any(|part| part.dtype() == DType::F64);
    let dtype = if double {
        FloatDType::F64
    } else {
        FloatDType::F32
    };
    let parts = parts.into_iter();
    let parts = parts.map(|part| placed(part, &device, dtype)).collect();
    Some(Tensor::cat(parts, 0))
}
