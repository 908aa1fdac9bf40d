//! Adam's direction, for the methods that have it among others.

use burn::tensor::Tensor;

/// What Adam is made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adam {
    pub beta_1: f64,
    pub beta_2: f64,
    pub epsilon: f64,
}

impl Adam {
    /// m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2 at step k from 1, zeros where there are none yet, and
    /// m / (1 - beta_1^k) / (sqrt(v / (1 - beta_2^k)) + epsilon). `memory` is m and v, or nothing.
    pub fn direction(
        &self,
        g: Tensor<1>,
        memory: &mut Vec<Tensor<1>>,
        k: f64,
    ) -> ([Tensor<1>; 2], Tensor<1>) {
        let (v, m) = (memory.pop(), memory.pop());
        let [m, v] = [m, v].map(|moment| moment.unwrap_or_else(|| g.zeros_like()));
        let m = m.mul_scalar(self.beta_1) + g.clone().mul_scalar(1.0 - self.beta_1);
        let v = v.mul_scalar(self.beta_2) + g.square().mul_scalar(1.0 - self.beta_2);
        let scale = v.clone().div_scalar(1.0 - self.beta_2.powf(k)).sqrt();
        let corrected = m.clone().div_scalar(1.0 - self.beta_1.powf(k));
        ([m, v], corrected / scale.add_scalar(self.epsilon))
    }
}
