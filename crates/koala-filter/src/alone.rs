//! The step of one tensor before the sums of the others are known, for adapters that let go of a gradient as soon as it is
//! there. Blocks with an innovation of their own share nothing but R, P and the losses, all of them known before backward; only
//! the covariance after the measurement needs every block.

use crate::demands::Innovations;
use crate::error::{Error, Result};
use crate::guard::missing_cause;
use crate::layout::{Layout, Partition};
use crate::observation::Observation;
use crate::plan::TensorStep;
use crate::state::FilterState;
use crate::statistics::BlockStatistics;
use crate::update::update;
use crate::workspace::Workspace;

/// What the update of the whole state will have the tensor at `position` do: to the bit, if the measurement is not missing as a
/// whole. A tensor whose sums are not finite is left alone.
///
/// # Errors
/// [`Error::InvalidField`] if tensors do not move apart from each other; [`Error::LossBelowTarget`] under that policy.
pub(crate) fn tensor_update(
    state: &FilterState,
    position: usize,
    statistics: &BlockStatistics,
    observation: &Observation,
) -> Result<TensorStep> {
    check_apart(state)?;
    if state.is_frozen(position) {
        return Ok(TensorStep::Skip);
    }
    let mut alone = alone(state, position);
    let target = alone.method.options().target;
    let first_loss = state.first_loss.unwrap_or(observation.mean());
    let moment = target.after(first_loss).second_moment(observation);
    let mut workspace = Workspace::of(vec![Some(*statistics)]);
    let given = &workspace.statistics;
    if missing_cause(observation.mean(), moment, given, &alone.layout).is_some() {
        return Ok(TensorStep::Skip);
    }
    update(&mut alone, &mut workspace, observation)?;
    Ok(workspace.steps.first().copied().unwrap_or(TensorStep::Skip))
}

/// Checks that every tensor has an innovation of its own, and that nothing is asked of all steps together.
fn check_apart(state: &FilterState) -> Result<()> {
    let options = state.method.options();
    if state.method.demands().innovation == Innovations::WholeModel {
        return Err(Error::invalid(
            "method",
            "one innovation of the whole model",
            "one with an innovation for each block, so that a block can move before all gradients are there",
        ));
    }
    if options.partition != Partition::PerTensor {
        return Err(Error::invalid(
            "options.partition",
            options.partition,
            "per-tensor, so that a block can move before all gradients are there",
        ));
    }
    match options.max_update_norm {
        None => Ok(()),
        Some(bound) => Err(Error::invalid(
            "options.max-update-norm",
            bound,
            "left out, so that a block can move before the norm of the whole update is known",
        )),
    }
}

/// The filter of this tensor alone.
fn alone(state: &FilterState, position: usize) -> FilterState {
    let parameter = &state.layout.parameters()[position];
    let group = state.layout.group_of(position);
    let mut layout = Layout::new().with_parameter(parameter.name.clone(), &parameter.shape, 0);
    layout.groups_mut()[0] = group.clone();
    let mut method = state.method.clone();
    method.rearrange(&[Some(position)], &[Some(position)]);
    FilterState {
        layout,
        method,
        ..*state
    }
}
