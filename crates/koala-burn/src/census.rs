//! The list of a module's float parameters.

use std::collections::HashMap;

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use koala_filter::{Layout, Parameter};

use crate::error::{Error, Result};

/// One float parameter as it stands in the module. A tied one is listed once, under its first path.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub id: ParamId,
    pub path: String,
    pub shape: Vec<usize>,
    pub requires_grad: bool,
}

/// All float parameters of a module, in the order of its traversal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census {
    pub entries: Vec<Entry>,
    seen: HashMap<ParamId, usize>,
    path: Vec<String>,
}

impl Census {
    pub fn of<M: Module>(model: &M) -> Self {
        let mut census = Self::default();
        model.visit(&mut census);
        census
    }

    /// The parameters that require a gradient. BatchNorm's running statistics and the like do not.
    pub fn tracked(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.requires_grad)
    }

    /// The ids of the tracked parameters, which must be those of `layout`.
    pub fn ids(&self, layout: &Layout) -> Result<Vec<ParamId>> {
        match self.difference(layout.parameters()) {
            None => Ok(self.tracked().map(|entry| entry.id).collect()),
            Some(difference) => Err(Error::ModelChanged { difference }),
        }
    }

    fn difference(&self, expected: &[Parameter]) -> Option<String> {
        for (entry, parameter) in self.tracked().zip(expected) {
            if *entry.path == *parameter.name && entry.shape == parameter.shape {
                continue;
            }
            return Some(match self.entry(&parameter.name) {
                Some(found) if !found.requires_grad => {
                    format!("'{}' no longer requires a gradient", parameter.name)
                }
                Some(found) if found.shape != parameter.shape => format!(
                    "'{}' has shape {:?}, but had {:?}",
                    found.path, found.shape, parameter.shape
                ),
                Some(_) => format!("'{}' is new, or requires a gradient now", entry.path),
                None => format!(
                    "it has '{}' of shape {:?} where '{}' of shape {:?} is expected",
                    entry.path, entry.shape, parameter.name, parameter.shape
                ),
            });
        }
        let found = self.tracked().count();
        match (expected.get(found), self.tracked().nth(expected.len())) {
            (Some(parameter), _) => Some(match self.entry(&parameter.name) {
                Some(_) => format!("'{}' no longer requires a gradient", parameter.name),
                None => format!("it has no '{}'", parameter.name),
            }),
            (None, Some(entry)) => Some(format!(
                "'{}' is new, or requires a gradient now",
                entry.path
            )),
            (None, None) => None,
        }
    }

    fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

impl ModuleVisitor for Census {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let next = self.entries.len();
        if *self.seen.entry(param.id).or_insert(next) != next {
            return;
        }
        self.entries.push(Entry {
            id: param.id,
            path: self.path.join("."),
            shape: param.shape().to_vec(),
            requires_grad: param.is_require_grad(),
        });
    }
}
