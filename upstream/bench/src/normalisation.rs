//! Batch normalisation between the layers of a network.

use burn_backend::Backend;

use crate::tensors::{Tensor, random};

/// Is added to the variance.
pub const EPSILON: f64 = 1e-5;

/// The shape of what is normalised.
#[derive(Clone, Copy)]
pub struct Values {
    pub name: &'static str,
    pub shape: [usize; 4],
}

pub const VALUES: [Values; 4] = [
    Values {
        name: "ResNet-20, stage 1",
        shape: [32, 16, 32, 32],
    },
    Values {
        name: "ResNet-18, stage 1",
        shape: [32, 64, 32, 32],
    },
    Values {
        name: "ResNet-18, stage 4",
        shape: [32, 512, 4, 4],
    },
    Values {
        name: "after a linear layer",
        shape: [128, 512, 1, 1],
    },
];

impl Values {
    fn vector<B: Backend>(&self) -> Tensor<B> {
        random::<B>([self.shape[1]], 1.0, 2)
    }

    /// A function that normalises once.
    pub fn forward<B: Backend>(self) -> impl Fn() -> Tensor<B> {
        let (input, vector) = (random::<B>(self.shape, 2.0, 1), self.vector::<B>());
        move || {
            let [gamma, beta] = [vector.clone(), vector.clone()];
            B::batch_norm_train(input.clone(), gamma, beta, EPSILON).output
        }
    }

    /// A function that computes the gradients once, and gives that of the input.
    pub fn backward<B: Backend>(self) -> impl Fn() -> Tensor<B> {
        let (input, gamma) = (random::<B>(self.shape, 2.0, 1), self.vector::<B>());
        let upstream = random::<B>(self.shape, 1.0, 3);
        let found = B::batch_norm_train(input.clone(), gamma.clone(), gamma.clone(), EPSILON);
        let (mean, variance) = (found.mean, found.variance);
        move || {
            let (mean, variance) = (mean.clone(), variance.clone());
            let (input, gamma, upstream) = (input.clone(), gamma.clone(), upstream.clone());
            B::batch_norm_train_backward(input, gamma, mean, variance, EPSILON, upstream).x_grad
        }
    }
}
