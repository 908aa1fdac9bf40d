//! The model of the loss that MoMo and MoMo-Adam step by, and the bound that they can estimate.

/// The averages of losses, gradients and their products at x, over all parameters.
pub(super) struct LossModel {
    /// The averaged loss.
    pub loss: f64,
    /// d.x
    pub product: f64,
    /// The averaged g.x.
    pub gamma: f64,
    /// d.d, in MoMo-Adam's metric.
    pub square: f64,
    /// rho, the weight of all that was averaged.
    pub weight: f64,
}

/// f*, the bound of the loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// What is known of it.
    pub lowest: f64,
    /// Whether it is estimated as the steps go.
    pub estimated: bool,
}

impl LossModel {
    /// The step's length tau, and the bound after it: `bound` is the one before.
    pub fn step(&self, rate: f64, weight_decay: f64, bound: f64, f: Bound) -> (f64, f64) {
        if !f.estimated {
            return (self.length(rate, weight_decay, f.lowest), f.lowest);
        }
        let bound = self.reset_bound(rate, weight_decay, bound, f.lowest);
        let length = self.length(rate, weight_decay, bound);
        (length, self.estimated_bound(length, f.lowest))
    }

    /// tau = min(rate / rho, ((1 + rate w) (f - rho f* - gamma) + d.x)_+ / d.d).
    fn length(&self, rate: f64, weight_decay: f64, bound: f64) -> f64 {
        let decay = 1.0 + rate * weight_decay;
        let above = decay * (self.loss - self.weight * bound - self.gamma) + self.product;
        let most = rate / self.weight;
        // Without a direction there is nothing to move by, however long the step.
        if self.square > 0.0 {
            most.min(above.max(0.0) / self.square)
        } else {
            most
        }
    }

    /// A bound that the model does not contradict: halved below where the step would be 0.
    fn reset_bound(&self, rate: f64, weight_decay: f64, bound: f64, lowest: f64) -> f64 {
        let decay = 1.0 + rate * weight_decay;
        let cap = decay * (self.loss - self.gamma) + self.product;
        if cap < decay * self.weight * bound {
            (cap / (2.0 * decay * self.weight)).max(lowest)
        } else {
            bound
        }
    }

    /// The estimate after a step of this length: (f + d.x - gamma - tau d.d / 2) / rho, not below `lowest`.
    fn estimated_bound(&self, length: f64, lowest: f64) -> f64 {
        let model = self.loss + self.product - self.gamma;
        ((model - 0.5 * length * self.square) / self.weight).max(lowest)
    }
}
