//! Running statistics of batch normalisation for parameters that were never trained as they are.

use std::collections::HashMap;

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};

use crate::values::placed;

/// What running statistics are set to where their momentum is measured: so large that a batch's own vanish beside it.
const PROBE: f64 = (1u64 << 60) as f64;

/// `model`, for inference, with running statistics that are the plain means of those of the batches, each counting the same:
/// for parameters that were never trained as they are, such as the mean that
/// [`evaluation`](crate::Koala::evaluation) gives with KOALA-A. `model` does not change. Without batches, or without running
/// statistics, it is returned as it is.
///
/// `forward` passes a batch through a network whose parameters are on a device with gradients, which makes Burn's
/// `BatchNorm` take the statistics of the batch; the batch must be on such a device too. Burn moves a running statistic by
/// r <- (1 - m) r + m batch and does not say m. It is measured first, by one more pass of the first batch with a huge r;
/// then each pass starts at r = 0 and leaves m times the batch's own. Layers whose training is switched off keep theirs.
///
/// A running statistic is known by Burn's names for it, `running_mean` and `running_var`. In types of 16 bits m is found to
/// two digits only: keep running statistics in `f32`.
///
/// ```
/// use burn::nn::BatchNormConfig;
/// use burn::tensor::{Device, Tensor};
/// use koala_burn::recompute_statistics;
///
/// let device = Device::flex().autodiff();
/// let model = BatchNormConfig::new(1).init(&device);
/// let batches = [[[1.0], [3.0]], [[5.0], [7.0]]];
/// let inference = recompute_statistics(&model, batches, |model, &batch| {
///     model.forward(Tensor::<2>::from_data(batch, &device));
///     Ok::<_, std::convert::Infallible>(())
/// })?;
/// let mean: f32 = inference.running_mean.value().into_scalar();
/// assert!((mean - 4.0).abs() < 1e-4);
/// # Ok::<(), std::convert::Infallible>(())
/// ```
///
/// # Errors
/// The first that `forward` returns.
pub fn recompute_statistics<M: Module, B, E>(
    model: &M,
    batches: impl IntoIterator<Item = B>,
    mut forward: impl FnMut(&M, &B) -> Result<(), E>,
) -> Result<M, E> {
    let inference = model.valid();
    if Found::of(&inference).is_empty() {
        return Ok(inference);
    }
    let mut after = |start: f64, batch: &B| Found::after(model, start, |pass| forward(pass, batch));
    let mut kept: Option<Found> = None;
    let mut sums = Found::default();
    let mut count = 0_u64;
    for batch in batches {
        if kept.is_none() {
            kept = Some(after(PROBE, &batch)?);
        }
        sums.add(after(0.0, &batch)?);
        count += 1;
    }
    let Some(kept) = kept else {
        return Ok(inference);
    };
    let mut means = Setter {
        path: Vec::new(),
        to: To::Means { kept, sums, count },
    };
    Ok(inference.map(&mut means))
}

/// As [`recompute_statistics`], where every layer is known to have the same momentum m: without the pass that measures it, and
/// each batch is given away.
///
/// # Errors
/// The first that `forward` returns.
pub fn recompute_statistics_of_momentum<M: Module, B, E>(
    momentum: f64,
    model: &M,
    batches: impl IntoIterator<Item = B>,
    mut forward: impl FnMut(&M, B) -> Result<(), E>,
) -> Result<M, E> {
    let inference = model.valid();
    if Found::of(&inference).is_empty() {
        return Ok(inference);
    }
    let mut sums = Found::default();
    let mut count = 0_u64;
    for batch in batches {
        sums.add(Found::after(model, 0.0, |pass| forward(pass, batch))?);
        count += 1;
    }
    if count == 0 {
        return Ok(inference);
    }
    let scale = 1.0 / (momentum * count as f64);
    Ok(inference.map(&mut Setter {
        path: Vec::new(),
        to: To::Scaled { sums, scale },
    }))
}

/// Whether a path is that of a running statistic, in Burn's names: that it needs no gradient would not do, since frozen
/// parameters need none either.
fn is_statistic(path: &[String]) -> bool {
    path.last()
        .is_some_and(|name| matches!(name.as_str(), "running_mean" | "running_var"))
}

/// Running statistics, flat.
#[derive(Default)]
struct Found {
    path: Vec<String>,
    values: HashMap<ParamId, Tensor<1>>,
}

impl Found {
    fn of<M: Module>(model: &M) -> Self {
        let mut found = Self::default();
        model.visit(&mut found);
        found
    }

    /// Those after a pass in training that they began at `start`.
    fn after<M: Module, E>(
        model: &M,
        start: f64,
        forward: impl FnOnce(&M) -> Result<(), E>,
    ) -> Result<Self, E> {
        let pass = model.valid().map(&mut Setter::all_to(start)).train();
        forward(&pass)?;
        Ok(Self::of(&pass.valid()))
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn add(&mut self, other: Self) {
        for (id, value) in other.values {
            let sum = match self.values.remove(&id) {
                Some(sum) => sum + value,
                None => value,
            };
            self.values.insert(id, sum);
        }
    }
}

impl ModuleVisitor for Found {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if is_statistic(&self.path) {
            let value = param.base();
            let elements = value.shape().num_elements();
            self.values.insert(param.id, value.reshape([elements]));
        }
    }
}

/// Sets running statistics.
struct Setter {
    path: Vec<String>,
    to: To,
}

enum To {
    Number(f64),
    /// The sums of m times the batch's own, scaled.
    Scaled {
        sums: Found,
        scale: f64,
    },
    /// The mean of m times the batch's own, of which there were `count`, over m = 1 - kept / PROBE.
    Means {
        kept: Found,
        sums: Found,
        count: u64,
    },
}

impl Setter {
    fn all_to(number: f64) -> Self {
        Self {
            path: Vec::new(),
            to: To::Number(number),
        }
    }
}

impl ModuleMapper for Setter {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !is_statistic(&self.path) {
            return param;
        }
        match &self.to {
            To::Number(number) => param.map(|tensor| tensor.full_like(*number)),
            To::Scaled { sums, scale } => match sums.values.get(&param.id) {
                Some(sum) => param.map(|tensor| {
                    let mean = sum.clone().mul_scalar(*scale).reshape(tensor.dims());
                    placed(mean, &tensor.device(), tensor.dtype().into())
                }),
                None => param,
            },
            To::Means { kept, sums, count } => {
                match (kept.values.get(&param.id), sums.values.get(&param.id)) {
                    (Some(kept), Some(sum)) => {
                        param.map(|tensor| mean(tensor, kept.clone(), sum.clone(), *count))
                    }
                    _ => param,
                }
            }
        }
    }
}

/// The mean of a statistic over the batches; `before` where it does not move.
fn mean<const D: usize>(
    before: Tensor<D>,
    kept: Tensor<1>,
    sum: Tensor<1>,
    count: u64,
) -> Tensor<D> {
    let momentum = kept.mul_scalar(-1.0 / PROBE).add_scalar(1.0);
    let still = momentum.clone().equal_elem(0.0).reshape(before.dims());
    let mean = (sum / momentum.mul_scalar(count as f64)).reshape(before.dims());
    placed(mean, &before.device(), before.dtype().into()).mask_where(still, before)
}
