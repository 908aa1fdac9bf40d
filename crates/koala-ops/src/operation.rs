//! An operation of several tensors in Burn's graph: the one place that records.

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, BackendTypes, Flex};
use burn::tensor::Tensor;

use crate::dense::Dense;

/// What an operation of N tensors keeps for its gradient, and how it is made.
pub(crate) trait Operation<const N: usize>: Clone + Debug + Send + 'static {
    /// The gradients of the tensors that are `wanted`, in their order, from that of the output.
    fn gradients(self, output: Dense, wanted: [bool; N]) -> [Option<Dense>; N];
}

/// A tensor of Burn's graph, whose type has no public name.
type AutodiffTensor = <Autodiff<Flex> as BackendTypes>::FloatTensorPrimitive;

/// A tensor on flex that is given to an operation.
pub(crate) enum Operand {
    /// Without automatic differentiation: a constant where others have it.
    Plain(FlexTensor),
    /// With it, be a gradient wanted or not.
    Recorded(AutodiffTensor),
}

/// The tensors that are given to an operation.
pub(crate) struct Operands<const N: usize>([Operand; N]);

impl<const N: usize> Operands<N> {
    pub fn new(operands: [Operand; N]) -> Self {
        Self(operands)
    }

    /// The tensors, and where the operation will be recorded.
    pub fn into_parts(self) -> ([FlexTensor; N], Recording<N>) {
        let recorded = |operand: &Operand| matches!(operand, Operand::Recorded(_));
        if !self.0.iter().any(recorded) {
            let tensors = self.0.map(|operand| match operand {
                Operand::Plain(tensor) => tensor,
                Operand::Recorded(tensor) => tensor.into_primitive(),
            });
            let recording = Recording {
                wanted: [false; N],
                guards: None,
            };
            return (tensors, recording);
        }
        let operands = self.0.map(|operand| match operand {
            Operand::Plain(tensor) => AutodiffTensor::new(tensor),
            Operand::Recorded(tensor) => tensor,
        });
        let wanted = operands.each_ref().map(AutodiffTensor::is_tracked);
        let parts = operands.map(AutodiffTensor::into_parts);
        let mut tensors = Vec::with_capacity(N);
        let guards = parts.map(|(tensor, guard)| {
            tensors.push(tensor);
            guard
        });
        let Ok(tensors) = tensors.try_into() else {
            unreachable!("as many tensors as operands");
        };
        let recording = Recording {
            wanted,
            guards: Some(guards),
        };
        (tensors, recording)
    }
}

/// Where an operation is recorded, if it is.
pub(crate) struct Recording<const N: usize> {
    /// Which tensors' gradients may be asked for.
    pub wanted: [bool; N],
    guards: Option<[NodeGuard; N]>,
}

impl<const N: usize> Recording<N> {
    /// Whether any gradient may be asked for: whether something must be kept.
    pub fn tracked(&self) -> bool {
        self.wanted.contains(&true)
    }

    /// A result that has no gradient, as a tensor where the operation's is.
    pub fn constant<const D: usize>(&self, values: Dense) -> Tensor<D> {
        match &self.guards {
            None => Tensor::from_primitive::<Flex>(values.into_tensor()),
            Some(_) => {
                let constant = AutodiffTensor::new(values.into_tensor());
                Tensor::from_primitive::<Autodiff<Flex>>(constant)
            }
        }
    }

    /// The result as a tensor. What `operation` keeps is asked for only if a gradient may be.
    pub fn finish<O: Operation<N>, const D: usize>(
        self,
        output: Dense,
        operation: impl FnOnce() -> O,
    ) -> Tensor<D> {
        let output = output.into_tensor();
        let Some(guards) = self.guards else {
            return Tensor::from_primitive::<Flex>(output);
        };
        let step = Step(PhantomData::<O>);
        let prepared = step.prepare::<NoCheckpointing>(guards);
        let output = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(operation(), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        Tensor::from_primitive::<Autodiff<Flex>>(output)
    }
}

/// An operation as a step of Burn's backward pass.
#[derive(Debug)]
struct Step<O>(PhantomData<O>);

impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Step<O> {
    type State = O;

    fn backward(self, ops: Ops<O, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let output = Dense::of(gradients.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = ops.state.gradients(output, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<Flex>(parent.id, gradient.into_tensor());
            }
        }
    }
}
