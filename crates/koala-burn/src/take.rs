//! Parameters taken out of a module, so that nothing but the optimizer holds their memory, and put back.

use std::any::Any;
use std::array;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, FloatDType, GradientCheckpointingStrategy};
use replace_with::replace_with_or_abort_and_return;

use crate::values::{UpdatePath, Values, working_type};

/// A parameter's values, and what it takes to make a parameter of them again.
#[derive(Debug)]
pub(crate) struct Taken {
    pub values: Values,
    /// Its own type.
    pub dtype: DType,
    shape: Vec<usize>,
    /// Whether the module holds it in several places.
    tied: bool,
    autodiff: bool,
    requires_grad: bool,
    distributed: bool,
    checkpointing: Option<GradientCheckpointingStrategy>,
}

/// What a reduction needs to know of a parameter beside its values.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub values: Values,
    /// The device, without autodiff.
    pub device: Device,
    /// The type in which it is worked on.
    pub working: FloatDType,
}

/// Positions in the layout by parameter.
pub(crate) type Positions = HashMap<ParamId, usize>;

pub(crate) fn positions(ids: &[ParamId]) -> Positions {
    ids.iter().enumerate().map(|(at, &id)| (id, at)).collect()
}

/// Looks at the parameters for which `wanted` holds, without moving them.
pub(crate) fn look<M: Module>(
    model: &M,
    positions: &Positions,
    path: UpdatePath,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Option<Seen>> {
    struct Looker<'a, F> {
        positions: &'a Positions,
        path: UpdatePath,
        wanted: F,
        seen: Vec<Option<Seen>>,
    }
    impl<F: Fn(usize) -> bool> ModuleVisitor for Looker<'_, F> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(&position) = self.positions.get(&param.id) else {
                return;
            };
            if self.seen[position].is_some() || !(self.wanted)(position) {
                return;
            }
            let tensor = param.base().inner();
            self.seen[position] = Some(Seen {
                device: tensor.device(),
                working: working_type(tensor.dtype()),
                values: Values::new(tensor, self.path),
            });
        }
    }
    let mut looker = Looker {
        positions,
        path,
        wanted,
        seen: (0..positions.len()).map(|_| None).collect(),
    };
    model.visit(&mut looker);
    looker.seen
}

/// Runs `work` on the parameters for which `wanted` holds, taken out of the model, and puts them back, even if `work`
/// panics (a device out of memory). A panic while taking or putting aborts the process: the model would be lost.
pub(crate) fn with_taken<M: Module>(
    model: &mut M,
    positions: &Positions,
    path: UpdatePath,
    wanted: impl Fn(usize) -> bool,
    work: impl FnOnce(&mut [Option<Taken>]),
) {
    let result = replace_with_or_abort_and_return(model, |model| {
        let mut taker = Taker {
            positions,
            path,
            wanted,
            taken: (0..positions.len()).map(|_| None).collect(),
        };
        let model = model.map(&mut taker);
        let mut taken = taker.taken;
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut taken)));
        let mut putter = Putter {
            positions,
            taken,
            tied: HashMap::new(),
        };
        (result, model.map(&mut putter))
    });
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

struct Taker<'a, F> {
    positions: &'a Positions,
    path: UpdatePath,
    wanted: F,
    taken: Vec<Option<Taken>>,
}

impl<F: Fn(usize) -> bool> ModuleMapper for Taker<'_, F> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(&position) = self.positions.get(&param.id) else {
            return param;
        };
        if !(self.wanted)(position) {
            return param;
        }
        let (id, tensor, mapper) = param.consume();
        // Never read: the parameter comes back before anybody sees it.
        let placeholder = Tensor::empty([1; D], &tensor.device());
        match &mut self.taken[position] {
            // The second place of a tied parameter lets go of its handle: memory has one holder then.
            Some(taken) => taken.tied = true,
            slot => {
                *slot = Some(Taken {
                    shape: tensor.shape().to_vec(),
                    dtype: tensor.dtype(),
                    tied: false,
                    autodiff: tensor.is_autodiff(),
                    requires_grad: tensor.is_require_grad(),
                    distributed: tensor.is_distributed(),
                    checkpointing: tensor.gradient_checkpointing_strategy(),
                    values: Values::new(tensor, self.path),
                });
            }
        }
        Param::from_mapped_value(id, placeholder, mapper)
    }
}

impl Taken {
    fn into_tensor<const D: usize>(self, id: ParamId) -> Tensor<D> {
        let shape = array::from_fn(|axis| self.shape[axis]);
        let mut tensor = self.values.into_tensor::<D>(shape);
        if self.autodiff {
            tensor = tensor.autodiff();
        }
        if let Some(strategy) = self.checkpointing {
            tensor = tensor.with_gradient_checkpointing_strategy(strategy);
        }
        if self.requires_grad {
            tensor = tensor.require_grad();
        }
        if self.distributed {
            tensor = tensor.set_distributed(id);
        }
        tensor
    }
}

struct Putter<'a> {
    positions: &'a Positions,
    taken: Vec<Option<Taken>>,
    /// Tied parameters that are back in one place.
    tied: HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleMapper for Putter<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(&position) = self.positions.get(&param.id) else {
            return param;
        };
        let tensor = match self.taken[position].take() {
            Some(taken) => {
                let tied = taken.tied;
                let tensor = taken.into_tensor::<D>(param.id);
                if tied {
                    self.tied.insert(param.id, Box::new(tensor.clone()));
                }
                tensor
            }
            None => match self
                .tied
                .get(&param.id)
                .and_then(|tensor| tensor.downcast_ref())
            {
                Some(tensor) => Tensor::clone(tensor),
                None => return param,
            },
        };
        let (id, _, mapper) = param.consume();
        Param::from_mapped_value(id, tensor, mapper)
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;
    use crate::census::Census;

    #[test]
    fn a_panic_leaves_the_model_whole() {
        let mut model: Linear = LinearConfig::new(3, 2).init(&Device::flex().autodiff());
        let before = model.weight.val().into_data();
        let ids: Vec<_> = Census::of(&model).tracked().map(|entry| entry.id).collect();
        for path in [UpdatePath::Automatic, UpdatePath::Generic] {
            let result = catch_unwind(AssertUnwindSafe(|| {
                with_taken(
                    &mut model,
                    &positions(&ids),
                    path,
                    |_| true,
                    |taken| {
                        assert!(taken.iter().all(Option::is_some));
                        panic!("out of memory");
                    },
                );
            }));
            assert!(result.is_err());
            assert_eq!(model.weight.val().into_data(), before);
            assert!(model.weight.is_require_grad());
        }
    }
}
