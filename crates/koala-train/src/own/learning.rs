//! Learning with a network of your own: what it gives is looked at before it is believed.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Tensor};
use koala_data::Augmentation;

use super::samples::Form;
use super::{OwnNetwork, Samples};
use crate::training::{Goal, Learnable, Losses, Measure, Tally, floats, read};

/// What there is to learn with a network of your own.
pub(super) struct Learning<M> {
    pub augmentation: Augmentation,
    /// Numbers that it gives of a sample.
    pub outputs: usize,
    /// What was wrong with what the network gave, if something was. A loss has no other way to say it; whoever watches the run ends it.
    pub fault: Arc<OnceLock<String>>,
    pub network: PhantomData<fn() -> M>,
}

impl<M: OwnNetwork> Goal for Learning<M> {
    type Set = M::Samples;
    type Batch = <M::Samples as Form>::Batch;

    fn batch(
        &self,
        set: &M::Samples,
        samples: &[usize],
        drawn: Option<(u64, usize)>,
    ) -> Self::Batch {
        set.batch(samples, self.augmentation, drawn)
    }

    fn pieces(&self, batch: Self::Batch, size: usize) -> Vec<Self::Batch> {
        M::Samples::pieces(batch, size)
    }

    fn samples(&self, batch: &Self::Batch) -> usize {
        M::Samples::count(batch)
    }

    fn measure(&self) -> Measure {
        M::Samples::MEASURE
    }
}

impl<M: OwnNetwork> Learnable<M> for Learning<M> {
    fn losses(&self, model: &M, batch: Self::Batch, device: &Device) -> Losses {
        let count = M::Samples::count(&batch);
        let (inputs, targets, labels) = M::Samples::enter(batch, device);
        let outputs = model.forward(inputs);
        let tensor = match outputs.dims() == [count, self.outputs] {
            true => {
                let losses = model.losses(outputs.clone(), targets);
                match losses.dims() == [count] {
                    true => losses,
                    false => self.refuse(
                        count,
                        outputs.clone(),
                        format!(
                            "its losses are {} for a batch of {count}: give one a sample, not their mean or sum",
                            losses.dims()[0]
                        ),
                    ),
                }
            }
            false => self.refuse(
                count,
                outputs.clone(),
                format!(
                    "it gives outputs of the shape {:?} for a batch of {count}: give [{count}, {}], {}",
                    outputs.dims(),
                    self.outputs,
                    match self.outputs {
                        1 => "a number a sample",
                        _ => "a score for each class",
                    }
                ),
            ),
        };
        if labels.is_empty() || self.fault.get().is_some() {
            let host = floats(tensor.clone().inner().into_data());
            let tally = Tally::alone(&host);
            return Losses {
                tensor,
                host,
                tally,
            };
        }
        let [host, scores] = read(tensor.clone(), outputs);
        let tally = Tally::of(&host, &scores, labels.into_iter().map(usize::from));
        Losses {
            tensor,
            host,
            tally,
        }
    }
}

impl<M> Learning<M> {
    /// Notes what is wrong, and gives losses that are no numbers: the step that is on its way comes to its end with them.
    fn refuse(&self, count: usize, outputs: Tensor<2>, fault: String) -> Tensor<1> {
        let _ = self.fault.set(fault);
        outputs.sum().mul_scalar(f64::NAN).expand([count])
    }
}
