//! Which parameters an optimizer holds, and how they are partitioned into blocks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::group::Group;

/// The blocks of the filter. Part of the algorithm: another partition is another optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partition {
    /// One block a parameter tensor.
    #[default]
    PerTensor,
    /// One block of all parameters.
    Global,
}

/// One parameter tensor (or slice) as the filter knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Path that names it in reports and in stored states.
    pub name: Arc<str>,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Index of its group in [`Layout::groups`].
    pub group: usize,
}

impl Parameter {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// All parameters of a model, in the order in which statistics and steps are exchanged with the filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    parameters: Vec<Parameter>,
    groups: Vec<Group>,
}

impl Layout {
    /// A layout with the default group alone (index 0).
    pub fn new() -> Self {
        Self {
            parameters: Vec::new(),
            groups: vec![Group::default()],
        }
    }

    /// Slices of these lengths, named by their position, all in the default group.
    pub fn from_lengths(lengths: &[usize]) -> Self {
        lengths
            .iter()
            .enumerate()
            .fold(Self::new(), |layout, (position, &length)| {
                layout.with_parameter(position.to_string(), &[length], 0)
            })
    }

    /// Adds a group; its index is the number of groups before it (the default group is 0).
    #[must_use]
    pub fn with_group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Adds a parameter of the given group.
    #[must_use]
    pub fn with_parameter(
        mut self,
        name: impl Into<Arc<str>>,
        shape: &[usize],
        group: usize,
    ) -> Self {
        self.parameters.push(Parameter {
            name: name.into(),
            shape: shape.to_vec(),
            group,
        });
        self
    }

    /// The parameters, in order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The groups; index 0 is the default group.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(crate) fn groups_mut(&mut self) -> &mut [Group] {
        &mut self.groups
    }

    /// The group of the parameter at `position`.
    pub(crate) fn group_of(&self, position: usize) -> &Group {
        &self.groups[self.parameters[position].group]
    }

    /// n, the number of elements of all parameters, frozen ones included.
    pub fn element_count(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    pub(crate) fn validate(&self) -> Result<()> {
        for (index, group) in self.groups.iter().enumerate() {
            group.validate(&format!("groups[{index}]"))?;
        }
        let mut names = std::collections::HashSet::new();
        for parameter in &self.parameters {
            if parameter.group >= self.groups.len() {
                return Err(Error::invalid(
                    format!("parameter '{}': group", parameter.name),
                    parameter.group,
                    "the index of an existing group",
                ));
            }
            let elements = parameter
                .shape
                .iter()
                .try_fold(1usize, |product, &size| product.checked_mul(size));
            if elements.is_none() {
                return Err(Error::invalid(
                    format!("parameter '{}': shape", parameter.name),
                    &parameter.shape,
                    "a shape whose elements can be counted",
                ));
            }
            if !names.insert(&*parameter.name) {
                return Err(Error::invalid(
                    "parameter name",
                    &parameter.name,
                    "used only once",
                ));
            }
        }
        Ok(())
    }

    /// Checks that `other` has the same parameters by name and shape, in the same order.
    ///
    /// # Errors
    /// [`Error::LayoutMismatch`] with the first difference.
    pub fn check_same_parameters(&self, other: &Self) -> Result<()> {
        let difference = if let Some((mine, theirs)) = self
            .parameters
            .iter()
            .zip(&other.parameters)
            .find(|(mine, theirs)| mine.name != theirs.name || mine.shape != theirs.shape)
        {
            format!(
                "the state has '{}' of shape {:?} where the model has '{}' of shape {:?}",
                mine.name, mine.shape, theirs.name, theirs.shape
            )
        } else if self.parameters.len() != other.parameters.len() {
            format!(
                "the state has {} parameters, the model {}",
                self.parameters.len(),
                other.parameters.len()
            )
        } else {
            return Ok(());
        };
        Err(Error::LayoutMismatch { difference })
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::new()
    }
}
