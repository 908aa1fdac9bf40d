//! A module with the parameters of the conformance cases, and small helpers.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // shared by several tests, each of which uses a part

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use koala_filter::conformance::{Case, Step};

/// One convolution.
#[derive(Module, Debug)]
pub struct Convolution {
    pub weight: Param<Tensor<4>>,
    pub bias: Option<Param<Tensor<1>>>,
}

/// One dense layer.
#[derive(Module, Debug)]
pub struct Dense {
    pub weight: Param<Tensor<2>>,
    pub bias: Param<Tensor<1>>,
}

/// The parameters of the conformance cases, in their order and under their names.
#[derive(Module, Debug)]
pub struct Network {
    pub stem: Convolution,
    pub body: Vec<Convolution>,
    pub head: Dense,
    pub scale: Param<Tensor<1>>,
}

/// A parameter of these values.
pub fn parameter<const D: usize>(
    values: &[f32],
    shape: &[usize],
    device: &Device,
    dtype: FloatDType,
) -> Param<Tensor<D>> {
    let data = TensorData::new(values.to_vec(), shape.to_vec());
    Param::from_tensor(Tensor::<D>::from_data(data, device).cast(dtype))
}

impl Network {
    /// The model of a case at its start.
    pub fn new(case: &Case, device: &Device, dtype: FloatDType) -> Self {
        let shape = |at: usize| case.layout.parameters()[at].shape.as_slice();
        let four = |at: usize| parameter(&case.initial[at], shape(at), device, dtype);
        let one = |at: usize| parameter(&case.initial[at], shape(at), device, dtype);
        Self {
            stem: Convolution {
                weight: four(0),
                bias: None,
            },
            body: vec![
                Convolution {
                    weight: four(1),
                    bias: Some(one(2)),
                },
                Convolution {
                    weight: four(3),
                    bias: None,
                },
            ],
            head: Dense {
                weight: parameter(&case.initial[4], shape(4), device, dtype),
                bias: one(5),
            },
            scale: one(6),
        }
    }
}

/// The gradients of a step for a model, those of rank 4 strided as the flex back end's convolutions leave them.
pub fn gradients<M: Module>(model: &M, step: &Step) -> GradientsParams {
    struct Giver<'a> {
        step: &'a Step,
        at: usize,
        gradients: GradientsParams,
    }
    impl ModuleVisitor for Giver<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values = &self.step.gradients[self.at];
            self.at += 1;
            let Some(values) = values else { return };
            let base = param.base().inner();
            let data = TensorData::new(values.clone(), param.dims());
            let mut gradient =
                Tensor::<D>::from_data(data, &base.device()).cast(FloatDType::from(base.dtype()));
            if D == 4 {
                gradient = swapped(gradient).swap_dims(0, 1);
            }
            self.gradients.register(param.id, gradient);
        }
    }
    let mut giver = Giver {
        step,
        at: 0,
        gradients: GradientsParams::new(),
    };
    model.visit(&mut giver);
    giver.gradients
}

/// The tensor with its first two axes swapped, contiguous in that order.
fn swapped<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let swapped = tensor.swap_dims(0, 1);
    let device = swapped.device();
    Tensor::from_data(swapped.into_data(), &device)
}

/// Values and ids of all float parameters, in the order of the traversal.
pub fn parameters<M: Module>(model: &M) -> Vec<(ParamId, Vec<f32>)> {
    struct Reader(Vec<(ParamId, Vec<f32>)>);
    impl ModuleVisitor for Reader {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.base().into_data();
            self.0.push((param.id, data.iter::<f32>().collect()));
        }
    }
    let mut reader = Reader(Vec::new());
    model.visit(&mut reader);
    reader.0
}

/// The values alone.
pub fn values<M: Module>(model: &M) -> Vec<Vec<f32>> {
    parameters(model)
        .into_iter()
        .map(|(_, values)| values)
        .collect()
}

/// The groups of a case as an adapter is given them: by predicate over paths.
pub fn groups(case: &Case) -> Vec<koala_burn::ParameterGroup> {
    let layout = &case.layout;
    (1..layout.groups().len())
        .map(|group| {
            let names: Vec<_> = layout
                .parameters()
                .iter()
                .filter(|parameter| parameter.group == group)
                .map(|parameter| parameter.name.clone())
                .collect();
            koala_burn::ParameterGroup::when(
                move |path, _shape| names.iter().any(|name| **name == *path),
                layout.groups()[group].clone(),
            )
        })
        .collect()
}
