//! Softmax of rows, forward and back.

use burn_backend::AutodiffBackend;

use crate::tensors::{Tensor, random};

/// What is done to the rows of a tensor.
#[derive(Clone, Copy)]
pub enum Work {
    Softmax,
    LogSoftmax,
}

/// Many rows.
#[derive(Clone, Copy)]
pub struct Rows {
    pub name: &'static str,
    pub work: Work,
    pub shape: [usize; 3],
}

pub const ROWS: [Rows; 2] = [
    Rows {
        name: "softmax, 128 heads of 64 x 64",
        work: Work::Softmax,
        shape: [128, 64, 64],
    },
    Rows {
        name: "log_softmax, 2048 x 1000",
        work: Work::LogSoftmax,
        shape: [32, 64, 1000],
    },
];

impl Rows {
    /// A function that goes forward and back once, and gives the gradient of the rows.
    pub fn pass<A: AutodiffBackend>(self) -> impl Fn() -> Tensor<A::InnerBackend> {
        let input = random::<A::InnerBackend>(self.shape, 1.0, 1);
        let factor = random::<A::InnerBackend>(self.shape, 1.0, 2);
        move || {
            let input = A::float_set_require_grad(A::from_inner(input.clone()), true);
            let output = match self.work {
                Work::Softmax => A::softmax(input.clone(), 2),
                Work::LogSoftmax => A::log_softmax(input.clone(), 2),
            };
            let products = A::float_mul(output, A::from_inner(factor.clone()));
            let gradients = A::backward(A::float_sum(products));
            A::grad(&input, &gradients).expect("the rows take part")
        }
    }
}
