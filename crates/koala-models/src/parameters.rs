//! The parameters that training moves.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor};

/// A parameter that requires a gradient.
#[derive(Debug, Clone)]
pub struct Trainable {
    /// Its identity in this program.
    pub id: ParamId,
    /// Names of the module's fields from the root, joined with dots.
    pub path: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of its numbers.
    pub dtype: DType,
    /// Without gradients.
    pub device: Device,
}

/// The parameters that training moves, in the order of the module's traversal: a tied one once, under its first path, and
/// without the running statistics of batch normalisation. None for a network that is for inference only.
pub fn trainable<M: Module>(model: &M) -> Vec<Trainable> {
    let mut census = Census::default();
    model.visit(&mut census);
    census.found
}

/// The number of parameters that training moves: tied ones once, and without the running statistics of batch
/// normalisation, so that it agrees with the counts that are published. 0 for a network that is for inference only.
pub fn trainable_parameters<M: Module>(model: &M) -> usize {
    let found = trainable(model);
    found
        .iter()
        .map(|p| p.shape.iter().product::<usize>())
        .sum()
}

/// Bytes of all float parameters, running statistics among them; a tied one once.
pub fn float_bytes<M: Module>(model: &M) -> u64 {
    #[derive(Default)]
    struct Sum(HashSet<ParamId>, u64);
    impl ModuleVisitor for Sum {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.insert(param.id) {
                let elements = param.shape().num_elements();
                self.1 += (elements * param.dtype().size()) as u64;
            }
        }
    }
    let mut sum = Sum::default();
    model.visit(&mut sum);
    sum.1
}

#[derive(Default)]
struct Census {
    path: Vec<String>,
    seen: HashSet<ParamId>,
    found: Vec<Trainable>,
}

impl ModuleVisitor for Census {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() && self.seen.insert(param.id) {
            self.found.push(Trainable {
                id: param.id,
                path: self.path.join("."),
                shape: param.shape().to_vec(),
                dtype: param.dtype(),
                device: param.base().device().inner(),
            });
        }
    }
}
