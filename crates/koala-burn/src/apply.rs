//! From the filter's plan to moved parameters: what cannot fail, once everything that can has been done.

use burn::Tensor;
use burn::module::Module;
use burn::tensor::DType;
use koala_filter::{Displacement, Filter, Motion, TensorStep};

use crate::generic;
use crate::memory::{self, Vectors};
use crate::raw;
use crate::take::{Positions, Seen, with_taken};
use crate::values::{UpdatePath, Values, placed, working_type};

/// Predict: moves the parameters; adds to `deviations` those that are measured on the way.
pub(crate) fn advance<M: Module>(
    model: &mut M,
    positions: &Positions,
    path: UpdatePath,
    motion: &Motion,
    filter: &Filter,
    memory: &mut [Vectors],
    deviations: &mut [f64],
) {
    let wanted = |at: usize| motion.deviation.is_some() || filter.moves(at);
    with_taken(model, positions, path, wanted, |taken| {
        let mut at_raw = Vec::new();
        let mut moved = Vec::new();
        for (at, (taken, vectors)) in taken.iter_mut().zip(memory.iter_mut()).enumerate() {
            let Some(taken) = taken else { continue };
            let moving = filter.moves(at);
            match &mut taken.values {
                Values::Flex(parameter) => {
                    let memory = memory::flex_mut(vectors);
                    at_raw.push(at);
                    moved.push((raw::Moved { parameter, memory }, moving));
                }
                Values::Any(_) if !moving => {}
                Values::Any(parameter) => {
                    with_tensors(parameter, taken.dtype, vectors, |parameter, memory| {
                        let [Some(velocity), ..] = memory else {
                            return parameter;
                        };
                        let (parameter, slower) =
                            generic::advanced(motion, parameter, velocity.clone());
                        *velocity = slower;
                        parameter
                    });
                }
            }
        }
        for (at, sum) in at_raw.into_iter().zip(raw::advance(motion, moved)) {
            deviations[at] += sum;
        }
    });
}

/// Update: does the steps of the parameters that move.
pub(crate) fn displace<M: Module>(
    model: &mut M,
    positions: &Positions,
    path: UpdatePath,
    steps: &[TensorStep],
    mut gradients: Vec<Option<Values>>,
    memory: &mut [Vectors],
) {
    let wanted = |at: usize| displacement(&steps[at]).is_some();
    with_taken(model, positions, path, wanted, |taken| {
        let mut moved = Vec::new();
        let rows = taken.iter_mut().zip(memory.iter_mut());
        for (at, (taken, vectors)) in rows.enumerate() {
            let (Some(taken), Some(displacement), Some(gradient)) =
                (taken, displacement(&steps[at]), gradients[at].take())
            else {
                continue;
            };
            match (&mut taken.values, gradient) {
                (Values::Flex(parameter), Values::Flex(gradient)) => {
                    let memory = memory::flex_mut(vectors);
                    moved.push((raw::Moved { parameter, memory }, gradient, *displacement));
                }
                (Values::Any(parameter), Values::Any(gradient)) => {
                    with_tensors(parameter, taken.dtype, vectors, |parameter, memory| {
                        generic::displaced(displacement, parameter, &gradient, memory)
                    });
                }
                _ => debug_assert!(false, "a gradient comes in its parameter's form"),
            }
        }
        raw::displace(moved);
    });
}

fn displacement(step: &TensorStep) -> Option<&Displacement> {
    match step {
        TensorStep::Move(displacement) => Some(displacement),
        // A prediction is joined to no update here.
        TensorStep::Skip | TensorStep::Average(_) | TensorStep::Predict(_) => None,
    }
}

/// Update: the means of the parameters that stand still (`seen` is `None` for the others) follow them.
pub(crate) fn average(
    steps: &[TensorStep],
    seen: Vec<Option<Seen>>,
    slot: usize,
    memory: &mut [Vectors],
) {
    let mut followed = Vec::new();
    for ((step, seen), vectors) in steps.iter().zip(seen).zip(memory) {
        let (TensorStep::Average(weight), Some(seen), Some(mean)) =
            (step, seen, &mut vectors[slot])
        else {
            continue;
        };
        match (seen.values, mean) {
            (Values::Flex(parameter), Values::Flex(mean)) => {
                followed.push((*weight, parameter, mean));
            }
            (Values::Any(parameter), Values::Any(mean)) => {
                let parameter = placed(parameter, &seen.device, seen.working);
                *mean = generic::average(*weight, parameter, mean.clone());
            }
            _ => debug_assert!(false, "a vector comes in its parameter's form"),
        }
    }
    raw::average(followed);
}

/// Runs `work` on a parameter of type `dtype` and its memory as flat tensors of the working type.
fn with_tensors(
    parameter: &mut Tensor<1>,
    dtype: DType,
    vectors: &mut Vectors,
    work: impl FnOnce(Tensor<1>, &mut generic::Slots) -> Tensor<1>,
) {
    let mut tensors = memory::tensors(vectors);
    let moved = work(parameter.clone().cast(working_type(dtype)), &mut tensors);
    *parameter = moved.cast(dtype);
    for (vector, tensor) in vectors.iter_mut().zip(tensors) {
        if let Some(tensor) = tensor {
            *vector = Some(Values::Any(tensor));
        }
    }
}
