//! The parameters of a module as named tensors, and back.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::{StateError, Stored};
use crate::float_parameters;

/// All float parameters with their paths, running statistics among them; a tied one under each of its paths.
///
/// Of a module in training the running statistics are the newest ones, which the module itself only looks at in its next
/// forward pass.
pub fn module_tensors<M: Module>(
    what: &'static str,
    model: &M,
) -> Result<Vec<(String, TensorData)>, StateError> {
    let mut reader = Reader::default();
    // `valid` brings running statistics up to date.
    model.valid().visit(&mut reader);
    match reader.unstorable {
        None => Ok(reader.found),
        Some(reason) => Err(StateError::Unstorable { what, reason }),
    }
}

/// `model` with the stored values, which must be those of all its parameters and no others. Identities, devices and which
/// parameters require a gradient stay; its clones are left alone.
pub fn place_module<M: Module>(
    model: M,
    stored: &Stored<'_>,
    prefix: &str,
) -> Result<M, StateError> {
    let mut training = false;
    let mut values = HashMap::new();
    for parameter in float_parameters(&model) {
        let name = format!("{prefix}{}", parameter.path);
        let data = stored.tensor(&name, &parameter.shape, parameter.dtype)?;
        values.insert(parameter.path, data);
        training |= parameter.autodiff;
    }
    let mut names = stored.names().into_iter();
    let unknown = names.find(|name| {
        name.strip_prefix(prefix)
            .is_some_and(|path| !values.contains_key(path))
    });
    if let Some(name) = unknown {
        return Err(stored.fault(name, "belongs to no parameter of the network".to_owned()));
    }
    // `valid` gives running statistics a memory of their own, without updates that wait to be looked at.
    let mut placer = Placer {
        path: Vec::new(),
        values,
    };
    let placed = model.valid().map(&mut placer);
    Ok(if training { placed.train() } else { placed })
}

#[derive(Default)]
struct Reader {
    path: Vec<String>,
    found: Vec<(String, TensorData)>,
    unstorable: Option<String>,
}

impl Reader {
    fn refuse(&mut self, kind: &str) {
        let reason = format!("'{}' is not of floats but of {kind}", self.path.join("."));
        self.unstorable.get_or_insert(reason);
    }
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        match param.base().try_into_data() {
            Ok(data) => self.found.push((path, data)),
            Err(error) => {
                self.unstorable.get_or_insert(format!("'{path}': {error}"));
            }
        }
    }

    fn visit_int<const D: usize>(&mut self, _param: &Param<Tensor<D, Int>>) {
        self.refuse("whole numbers");
    }

    fn visit_bool<const D: usize>(&mut self, _param: &Param<Tensor<D, Bool>>) {
        self.refuse("truth values");
    }
}

struct Placer {
    path: Vec<String>,
    values: HashMap<String, TensorData>,
}

impl ModuleMapper for Placer {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(data) = self.values.remove(&self.path.join(".")) else {
            return param;
        };
        let (id, old, mapper) = param.consume();
        let tensor = Tensor::from_data(data, (&old.device(), old.dtype()));
        Param::from_mapped_value(id, tensor, mapper)
    }
}
