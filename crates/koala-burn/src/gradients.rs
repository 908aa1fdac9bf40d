//! The gradients of a model's tracked parameters.

use std::collections::HashSet;

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use koala_filter::Layout;

use crate::error::{Error, Result};
use crate::take::{Positions, Seen};
use crate::values::{UpdatePath, Values, placed};

/// The gradients of the parameters that were `seen`, each on its parameter's device and in its working type; `None`
/// where there is none.
pub(crate) fn collect<M: Module>(
    model: &M,
    gradients: GradientsParams,
    layout: &Layout,
    positions: &Positions,
    seen: &[Option<Seen>],
) -> Result<Vec<Option<Values>>> {
    let count = gradients.len();
    let mut collector = Collector {
        gradients,
        layout,
        positions,
        seen,
        found: seen.iter().map(|_| None).collect(),
        any: false,
        misfit: None,
    };
    model.visit(&mut collector);
    if let Some(misfit) = collector.misfit {
        return Err(misfit);
    }
    if count > 0 && !collector.any {
        return Err(Error::ForeignGradients { count });
    }
    Ok(collector.found)
}

struct Collector<'a> {
    gradients: GradientsParams,
    layout: &'a Layout,
    positions: &'a Positions,
    seen: &'a [Option<Seen>],
    found: Vec<Option<Values>>,
    any: bool,
    misfit: Option<Error>,
}

impl ModuleVisitor for Collector<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(&position) = self.positions.get(&param.id) else {
            return;
        };
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        self.any = true;
        // Frozen parameters are not looked at.
        let Some(parameter) = &self.seen[position] else {
            return;
        };
        let expected = &self.layout.parameters()[position];
        if *gradient.shape() != *expected.shape {
            self.misfit.get_or_insert(Error::GradientShape {
                parameter: expected.name.to_string(),
                expected: expected.shape.clone(),
                found: gradient.shape().to_vec(),
            });
            return;
        }
        let gradient = placed(gradient.inner(), &parameter.device, parameter.working);
        let path = match parameter.values {
            Values::Flex(_) => UpdatePath::Automatic,
            Values::Any(_) => UpdatePath::Generic,
        };
        self.found[position] = Some(Values::new(gradient, path));
    }
}

/// Multiplies the gradients of a model, each once.
pub(crate) fn scale<M: Module>(model: &M, gradients: &mut GradientsParams, factor: f64) {
    model.visit(&mut Scaler {
        gradients,
        factor,
        seen: HashSet::new(),
    });
}

struct Scaler<'a> {
    gradients: &'a mut GradientsParams,
    factor: f64,
    seen: HashSet<ParamId>,
}

impl ModuleVisitor for Scaler<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let scaled = gradient.mul_scalar(self.factor);
            self.gradients.register(param.id, scaled);
        }
    }
}
