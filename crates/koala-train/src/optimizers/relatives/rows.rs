//! The parameters of a module as flat tensors with their gradients, and back.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};
use koala_models::trainable;

/// What is remembered of each parameter, by its path.
pub(crate) type Memory = BTreeMap<String, Vec<Tensor<1>>>;

/// Bytes of what is remembered.
pub(crate) fn bytes(memory: &Memory) -> u64 {
    let vectors = memory.values().flatten();
    let bytes = vectors.map(|vector| vector.shape().num_elements() * vector.dtype().size());
    bytes.sum::<usize>() as u64
}

/// A parameter that has a gradient, as a flat tensor of all its numbers.
pub struct Row {
    /// Names of the module's fields from the root.
    pub path: String,
    /// The parameter's shape.
    pub shape: Vec<usize>,
    /// Its numbers, `[elements]` in row-major order, in `f32` or, if it is of `f64`, in that.
    pub x: Tensor<1>,
    /// The gradient of the batch's mean loss, `[elements]`.
    pub gradient: Tensor<1>,
    /// What is remembered of it between steps, `[elements]` each, in the method's order.
    pub memory: Vec<Tensor<1>>,
    id: ParamId,
}

impl Row {
    /// x <- (x - length direction) / (1 + decay), the decay being proximal.
    pub(super) fn descend(&mut self, direction: Tensor<1>, length: f64, decay: f64) {
        let x = self.x.clone() - direction.mul_scalar(length);
        let decay = 1.0 + decay;
        self.x = if decay > 1.0 { x.div_scalar(decay) } else { x };
    }
}

/// The type that parameters of a type are worked on in.
pub(super) fn working(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        _ => DType::F32,
    }
}

/// The parameters that have a gradient, in the order of the module's traversal; a tied one once, under its first path.
pub(crate) fn collect<M: Module>(
    model: &M,
    gradients: GradientsParams,
    memory: &Memory,
) -> Vec<Row> {
    let known = trainable(model).into_iter().map(|p| (p.id, p.path));
    let mut collector = Collector {
        paths: known.collect(),
        gradients,
        memory,
        rows: Vec::new(),
    };
    model.visit(&mut collector);
    collector.rows
}

struct Collector<'a> {
    /// Of the parameters that were not met yet.
    paths: HashMap<ParamId, String>,
    gradients: GradientsParams,
    memory: &'a Memory,
    rows: Vec<Row>,
}

impl ModuleVisitor for Collector<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(path) = self.paths.remove(&param.id) else {
            return;
        };
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let x = param.base().inner();
        let dtype = working(x.dtype());
        self.rows.push(Row {
            memory: self.memory.get(&path).cloned().unwrap_or_default(),
            path,
            shape: x.shape().to_vec(),
            gradient: flat(gradient.inner().to_device(&x.device()), dtype),
            x: flat(x, dtype),
            id: param.id,
        });
    }
}

fn flat<const D: usize>(tensor: Tensor<D>, dtype: DType) -> Tensor<1> {
    let elements = tensor.shape().num_elements();
    let tensor = tensor.reshape([elements]);
    if tensor.dtype() == dtype {
        tensor
    } else {
        tensor.cast(dtype)
    }
}

/// Puts the rows' values into the module and what they remember into `memory`.
pub(crate) fn place<M: Module>(model: M, rows: Vec<Row>, memory: &mut Memory) -> M {
    let mut placer = Placer::default();
    for row in rows {
        placer.values.insert(row.id, row.x);
        if !row.memory.is_empty() {
            memory.insert(row.path, row.memory);
        }
    }
    model.map(&mut placer)
}

/// `model`, for inference, with `value` of the parameters that something is remembered of.
pub(super) fn evaluated<M: Module>(
    model: &M,
    memory: &Memory,
    value: impl Fn(Tensor<1>, &[Tensor<1>]) -> Tensor<1>,
) -> M {
    let mut reader = Reader {
        paths: trainable(model)
            .into_iter()
            .map(|p| (p.id, p.path))
            .collect(),
        memory,
        value,
        placer: Placer::default(),
    };
    model.visit(&mut reader);
    model.valid().map(&mut reader.placer)
}

struct Reader<'a, F> {
    paths: HashMap<ParamId, String>,
    memory: &'a Memory,
    value: F,
    placer: Placer,
}

impl<F: Fn(Tensor<1>, &[Tensor<1>]) -> Tensor<1>> ModuleVisitor for Reader<'_, F> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.paths.remove(&param.id);
        if let Some(memory) = path.and_then(|path| self.memory.get(&path)) {
            let x = param.base().inner();
            let dtype = working(x.dtype());
            let value = (self.value)(flat(x, dtype), memory);
            self.placer.values.insert(param.id, value);
        }
    }
}

#[derive(Default)]
struct Placer {
    values: HashMap<ParamId, Tensor<1>>,
}

impl ModuleMapper for Placer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        // A tied parameter is met again.
        let Some(value) = self.values.get(&param.id).cloned() else {
            return param;
        };
        param.map(|old| {
            let placed = value.reshape(old.shape());
            let placed = if placed.dtype() == old.dtype() {
                placed
            } else {
                placed.cast(old.dtype())
            };
            if old.is_require_grad() {
                // A new leaf of the graph.
                Tensor::from_inner(placed).require_grad()
            } else {
                placed
            }
        })
    }
}
