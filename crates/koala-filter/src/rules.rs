//! What holds for each tensor, its group's options and the optimizer's put together.

use crate::decay::WeightDecay;
use crate::layout::Layout;
use crate::options::Options;

/// What holds for the tensors of a layout in one update.
pub(crate) struct Rules<'a> {
    layout: &'a Layout,
    /// One a group.
    groups: Vec<Rule>,
}

/// What holds for the tensors of a group.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub decay: WeightDecay,
    /// Multiplies the optimizer's gain.
    pub gain: f64,
    pub frozen: bool,
}

impl<'a> Rules<'a> {
    pub fn new(layout: &'a Layout, options: &Options) -> Self {
        let rule = |group: &crate::group::Group| Rule {
            decay: group.weight_decay.unwrap_or(options.weight_decay),
            gain: group.gain,
            frozen: group.frozen,
        };
        Self {
            layout,
            groups: layout.groups().iter().map(rule).collect(),
        }
    }

    /// That of the tensor at `position`.
    pub fn of(&self, position: usize) -> &Rule {
        &self.groups[self.layout.parameters()[position].group]
    }
}
