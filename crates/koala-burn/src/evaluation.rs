//! The model as it is to be evaluated.

use burn::Tensor;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::FloatDType;
use koala_filter::Phase;

use crate::census::Census;
use crate::error::Result;
use crate::memory::Vectors;
use crate::optimizer::Koala;
use crate::take::{Positions, positions};
use crate::values::{Values, placed};

impl Koala {
    /// The model as it is to be evaluated: [`valid`](Module::valid) of it, at the filter's estimate. With KOALA-A that is
    /// the mean of the iterates, in the parameters' own types; with the other methods, and where KOALA-A keeps no mean, the
    /// parameters as they are. Neither `model` nor the optimizer changes, and the ids stay.
    ///
    /// **Batch normalisation.** The running statistics are those of `model`, which belong to the parameters that were
    /// trained and not to their mean: with KOALA-A they must be found anew at what this returns, as
    /// [`recompute_statistics`](crate::recompute_statistics) does, before it is evaluated. Networks without running
    /// statistics need nothing more.
    ///
    /// # Errors
    /// [`Error::Core`](crate::Error::Core) between predict and update, when the parameters stand at their prediction; with
    /// KOALA-A also [`Error::ModelChanged`](crate::Error::ModelChanged).
    pub fn evaluation<M: Module>(&self, model: &M) -> Result<M> {
        self.filter.require("evaluation", Phase::Updated)?;
        let Some(slot) = self.filter.config().memory().mean_slot() else {
            return Ok(model.valid());
        };
        let ids = Census::of(model).ids(self.filter.layout())?;
        let mean = |(at, vectors): (usize, &Vectors)| {
            let counts = self.filter.averaged(at);
            vectors[slot].clone().filter(|_| counts)
        };
        let mut means = Means {
            positions: &positions(&ids),
            means: self.memory.iter().enumerate().map(mean).collect(),
        };
        // What `valid` gives has running statistics of its own: setting parameters changes nothing of `model`.
        Ok(model.valid().map(&mut means))
    }
}

/// Puts means in the place of parameters.
struct Means<'a> {
    positions: &'a Positions,
    means: Vec<Option<Values>>,
}

impl ModuleMapper for Means<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let mean = self.positions.get(&param.id).map(|&at| &self.means[at]);
        let Some(Some(mean)) = mean else {
            return param;
        };
        let mean = mean.clone();
        param.map(|tensor| {
            let dtype = FloatDType::from(tensor.dtype());
            placed(mean.into_tensor(tensor.dims()), &tensor.device(), dtype)
        })
    }
}
