//! Whether training has moved anything.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use koala_models::trainable;
use koala_system::sha256;

/// The parameters of a network that training moves, as they were at its beginning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Still(BTreeMap<ParamId, String>);

impl Still {
    /// Of a network that is to be trained.
    pub(crate) fn of<M: Module>(model: &M) -> Self {
        let ids = trainable(model).into_iter().map(|parameter| parameter.id);
        let mut digests = Digests(ids.map(|id| (id, String::new())).collect());
        model.visit(&mut digests);
        Self(digests.0)
    }

    /// What is to be told if not one of them is another now.
    pub(crate) fn warning<M: Module>(&self, now: &M) -> Option<String> {
        let mut digests = Digests(self.0.keys().map(|id| (*id, String::new())).collect());
        now.visit(&mut digests);
        (!self.0.is_empty() && digests.0 == self.0).then(|| {
            "training has moved no weight: the network is as it was drawn, and so are its numbers. Look at the optimizer's options \
             (a step that is not finite is left out)"
                .to_owned()
        })
    }
}

/// The SHA-256 of each of these parameters.
struct Digests(BTreeMap<ParamId, String>);

impl ModuleVisitor for Digests {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(digest) = self.0.get_mut(&param.id) {
            *digest = sha256(param.base().into_data().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use koala_models::{Draws, Mlp, MlpSpec};

    #[test]
    fn a_single_weight_that_moves_is_movement() {
        let device = Device::flex().autodiff();
        let spec = MlpSpec { hidden: vec![3] };
        let mut model = Mlp::for_rows(&spec, 2, &mut Draws::new(0, &device));
        let still = Still::of(&model);
        assert!(
            still
                .warning(&model)
                .unwrap()
                .contains("has moved no weight")
        );
        assert!(still.warning(&model.clone().valid()).is_some());
        struct Nudge(ParamId);
        impl burn::module::ModuleMapper for Nudge {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                match param.id == self.0 {
                    true => param.map(|tensor| tensor + 1e-3),
                    false => param,
                }
            }
        }
        let last = trainable(&model).last().unwrap().id;
        model = model.map(&mut Nudge(last));
        assert_eq!(still.warning(&model), None);
    }
}
