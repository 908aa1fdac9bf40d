//! The float parameters of a module.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor};

/// A float parameter as it stands in a module.
#[derive(Debug, Clone)]
pub struct FloatParameter {
    /// Its identity, which tied ones share.
    pub id: ParamId,
    /// Names of the module's fields from the root, joined with dots.
    pub path: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of its elements.
    pub dtype: DType,
    /// Where it is, without gradients.
    pub device: Device,
    /// Whether training moves it.
    pub requires_grad: bool,
    /// Whether it is where gradients are found, as all parameters of a network in training are.
    pub autodiff: bool,
}

/// All float parameters in the order of the module's traversal, running statistics among them; a tied one under each of
/// its paths.
pub fn float_parameters<M: Module>(model: &M) -> Vec<FloatParameter> {
    let mut census = Census::default();
    model.visit(&mut census);
    census.found
}

/// The parameters that training moves, in the order of the module's traversal: a tied one once, under its first path, and
/// without the running statistics of batch normalisation. None for a network that is for inference only.
pub fn trainable<M: Module>(model: &M) -> Vec<FloatParameter> {
    let mut found = float_parameters(model);
    found.retain(|p| p.requires_grad);
    once(found)
}

/// The number of parameters that training moves: tied ones once, and without the running statistics of batch
/// normalisation, so that it agrees with the counts that are published. 0 for a network that is for inference only.
pub fn trainable_parameters<M: Module>(model: &M) -> usize {
    trainable(model).iter().map(FloatParameter::elements).sum()
}

/// Bytes of all float parameters, running statistics among them; a tied one once.
pub fn float_bytes<M: Module>(model: &M) -> u64 {
    let bytes = |p: &FloatParameter| (p.elements() * p.dtype.size()) as u64;
    once(float_parameters(model)).iter().map(bytes).sum()
}

impl FloatParameter {
    fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Tied ones under their first paths alone.
fn once(mut found: Vec<FloatParameter>) -> Vec<FloatParameter> {
    let mut seen = HashSet::new();
    found.retain(|p| seen.insert(p.id));
    found
}

#[derive(Default)]
struct Census {
    path: Vec<String>,
    found: Vec<FloatParameter>,
}

impl ModuleVisitor for Census {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.base();
        self.found.push(FloatParameter {
            id: param.id,
            path: self.path.join("."),
            shape: tensor.shape().to_vec(),
            dtype: tensor.dtype(),
            device: tensor.device().inner(),
            requires_grad: param.is_require_grad(),
            autodiff: tensor.is_autodiff(),
        });
    }
}
