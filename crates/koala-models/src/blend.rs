//! Arithmetic on whole networks.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::container::TensorContainer;
use burn::tensor::{Bool, Int, Tensor};

/// a + share (b - a) for every float parameter, running statistics among them; exactly `a` for a share of 0, exactly `b`
/// for 1. Other parameters are those of `b`.
///
/// The result is for inference, has a memory of its own, and stands where `a` does, with `a`'s types. Parameters that `b`
/// does not have in the same shape stay `a`'s.
pub fn blend<M: Module>(a: &M, b: &M, share: f64) -> M {
    // Clones share running statistics; what `valid` gives does not.
    a.valid().map(&mut Blender {
        path: Vec::new(),
        other: Values::of(b),
        share,
    })
}

/// `model` with the values that `source` has for the parameters of `model` that require a gradient. Everything else is
/// left alone, running statistics among it.
pub fn with_weights_of<M: Module>(model: M, source: &M) -> M {
    model.map(&mut Adopter {
        path: Vec::new(),
        source: Values::of(source),
    })
}

/// Values by path and rank, detached from gradients.
#[derive(Default)]
struct Values {
    path: Vec<String>,
    floats: TensorContainer<(String, usize)>,
    ints: TensorContainer<(String, usize)>,
    bools: TensorContainer<(String, usize)>,
}

impl Values {
    fn of<M: Module>(model: &M) -> Self {
        let mut values = Self::default();
        model.valid().visit(&mut values);
        values
    }

    fn key<const D: usize>(path: &[String]) -> (String, usize) {
        (path.join("."), D)
    }

    /// The value of the same shape under this path, where and as `like` is.
    fn float<const D: usize>(&self, path: &[String], like: &Tensor<D>) -> Option<Tensor<D>> {
        let found: Tensor<D> = self.floats.get(&Self::key::<D>(path))?;
        (found.shape() == like.shape()).then(|| {
            let placed = found.to_device(&like.device().inner());
            if placed.dtype() == like.dtype() {
                placed
            } else {
                placed.cast(like.dtype())
            }
        })
    }
}

impl ModuleVisitor for Values {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.floats
            .register(Self::key::<D>(&self.path), param.base());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.ints.register(Self::key::<D>(&self.path), param.base());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.bools
            .register(Self::key::<D>(&self.path), param.base());
    }
}

struct Blender {
    path: Vec<String>,
    other: Values,
    share: f64,
}

impl ModuleMapper for Blender {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (path, other, share) = (&self.path, &self.other, self.share);
        param.map(|a| match other.float(path, &a) {
            _ if share == 0.0 => a,
            None => a,
            Some(b) if share == 1.0 => b,
            Some(b) => a.clone() + (b - a).mul_scalar(share),
        })
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        let found = self.other.ints.get(&Values::key::<D>(&self.path));
        param.map(|a: Tensor<D, Int>| match found {
            Some(b) => b,
            None => a,
        })
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        let found = self.other.bools.get(&Values::key::<D>(&self.path));
        param.map(|a: Tensor<D, Bool>| match found {
            Some(b) => b,
            None => a,
        })
    }
}

struct Adopter {
    path: Vec<String>,
    source: Values,
}

impl ModuleMapper for Adopter {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        let (path, source) = (&self.path, &self.source);
        param.map(|old| match source.float(path, &old) {
            // A new leaf of the graph: nothing computed before depends on it.
            Some(value) => Tensor::from_inner(value).require_grad(),
            None => old,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageShape;
    use crate::stored::module_tensors;
    use crate::testing::images;
    use crate::{Classifier, Cnn, CnnSpec, Draws, trainable_parameters};
    use burn::module::ParamId;
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    fn cnn(seed: u64) -> Cnn {
        let spec = CnnSpec {
            channels: vec![2, 3],
            hidden: 0,
            ..CnnSpec::default()
        };
        let shape = ImageShape {
            channels: 1,
            height: 8,
            width: 8,
            classes: 4,
        };
        let device = Device::flex().autodiff();
        let model = Cnn::new(&spec, shape, &mut Draws::new(seed, &device));
        // Running statistics that are not the initial ones.
        model.forward(images([5, 1, 8, 8], 4, &device).0);
        model
    }

    fn values<M: Module>(model: &M) -> Vec<f32> {
        let tensors = module_tensors("weights", model).unwrap();
        let numbers = tensors.into_iter().flat_map(|(_, data)| {
            let numbers: Vec<f32> = data.try_into_vec().unwrap();
            numbers
        });
        numbers.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn every_value_is_between(share in -0.5..1.5f64) {
            let (a, b) = (cnn(1), cnn(2));
            let (from, to) = (values(&a), values(&b));
            let found = values(&blend(&a, &b, share));
            prop_assert_eq!(found.len(), from.len());
            for ((found, a), b) in found.iter().zip(&from).zip(&to) {
                prop_assert_eq!(*found, a + (b - a) * share as f32);
            }
            // Neither is touched: running statistics are shared between clones.
            prop_assert_eq!(values(&a), from);
            prop_assert_eq!(values(&b), to);
        }
    }

    #[test]
    fn the_ends_are_exact() {
        let (a, b) = (cnn(1), cnn(2));
        assert_eq!(values(&blend(&a, &b, 0.0)), values(&a));
        assert_eq!(values(&blend(&a, &b, 1.0)), values(&b));
        assert_eq!(trainable_parameters(&blend(&a, &b, 1.0)), 0);
        let trained = blend(&a, &b, 0.5).train();
        assert_eq!(trainable_parameters(&trained), trainable_parameters(&a));
    }

    #[test]
    fn weights_are_adopted_and_statistics_kept() {
        let (model, source) = (cnn(1), cnn(2));
        let ids = |model: &Cnn| {
            crate::trainable(model)
                .into_iter()
                .map(|p| p.id)
                .collect::<Vec<ParamId>>()
        };
        let (before, kept) = (ids(&model), module_tensors("weights", &model).unwrap());
        let adopted = with_weights_of(model, &source);
        assert_eq!(ids(&adopted), before);
        let found = module_tensors("weights", &adopted).unwrap();
        let given = module_tensors("weights", &source).unwrap();
        for (((name, found), (_, given)), (_, kept)) in found.iter().zip(&given).zip(&kept) {
            let running = name.contains("running_");
            assert_eq!(found, if running { kept } else { given }, "{name}");
        }
    }

    #[derive(Module, Debug)]
    struct Mixed {
        float: Param<Tensor<1>>,
        whole: Param<Tensor<1, Int>>,
    }

    #[test]
    fn whole_numbers_are_those_of_the_second() {
        let device = Device::flex();
        let mixed = |float: f32, whole: i32| Mixed {
            float: Param::from_data([float], &device),
            whole: Param::initialized(
                ParamId::new(),
                Tensor::from_data(TensorData::from([whole]), &device),
            ),
        };
        let found = blend(&mixed(1.0, 3), &mixed(2.0, 8), 0.25);
        assert_eq!(found.float.val().into_scalar::<f32>(), 1.25);
        assert_eq!(found.whole.val().into_scalar::<i64>(), 8);
    }
}
