//! How many parameters a network has.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::HashSet;

/// The number of parameters that training moves: tied ones once, and without the running statistics of batch
/// normalisation, so that it agrees with the counts that are published. 0 for a network that is for inference only.
pub fn trainable_parameters<M: Module>(model: &M) -> usize {
    let mut count = Count::default();
    model.visit(&mut count);
    count.parameters
}

#[derive(Default)]
struct Count {
    parameters: usize,
    seen: HashSet<ParamId>,
}

impl ModuleVisitor for Count {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() && self.seen.insert(param.id) {
            self.parameters += param.shape().num_elements();
        }
    }
}
