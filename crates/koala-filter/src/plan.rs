//! What the filter tells an adapter to do with each parameter tensor. Everything is elementwise.

/// What `predict` does to each parameter. Methods without velocities have no motion: their predict leaves memory alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// kappa: x <- x + v, then v <- kappa v (of the parameters that [move](crate::Filter::moves)).
    pub velocity_decay: f64,
    /// Whether and how |a - x|^2 is to be summed before x moves, over every parameter.
    pub deviation: Option<Deviation>,
}

/// How KOALA-M's deviation |a - x|^2 from the running mean a is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    /// Weight of a in a <- weight a + (1 - weight) x, done before the sum is taken; `None`: a is left as it is.
    pub averaging: Option<f64>,
}

/// What `update` does to one parameter tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TensorStep {
    /// Nothing: no usable gradient, frozen, or a missing measurement.
    Skip,
    /// One pass over the tensor and its memory.
    Move(Displacement),
    /// It stands still, and its mean follows: x̄ <- x̄ + weight (x - x̄).
    Average(f64),
    /// Only the prediction that an [update joined with it](crate::Filter::update_and_predict) owes: x <- x + v, then v <- kappa
    /// v with this kappa.
    Predict(f64),
}

impl TensorStep {
    /// Whether the tensor takes part in the update.
    pub(crate) fn is_move(&self) -> bool {
        matches!(self, Self::Move(_))
    }

    /// The step, and afterwards x <- x + v, v <- kappa v.
    pub(crate) fn then_predict(&mut self, kappa: f64) {
        match self {
            Self::Move(displacement) => displacement.prediction = Some(kappa),
            // A mean that follows is of a tensor that stands still, now and next.
            Self::Skip | Self::Average(_) | Self::Predict(_) => *self = Self::Predict(kappa),
        }
    }
}

/// With h = g + `decay` x (x before the step): x <- `shrinkage` (x - `position` d), where d = h, or KOALA++'s direction, or
/// h / D with KOALA-A's metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Displacement {
    /// w of h in the direction.
    pub decay: f64,
    /// Coefficient of the direction, the effective learning rate for V and M.
    pub position: f64,
    /// Factor on x afterwards: 1, or 1 - e w under decoupled decay.
    pub shrinkage: f64,
    /// What happens to the tensor's memory in the same pass.
    pub memory: Memory,
    /// kappa, where the next prediction is joined: last of all x <- x + v, then v <- kappa v. The mean is of x before.
    pub prediction: Option<f64>,
}

/// The part of a [`Displacement`] that concerns a method's memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    /// KOALA-V: none.
    None,
    /// KOALA-M: v <- v - `velocity` h; then, with the new x, a <- weight a + (1 - weight) x if `averaging` is given.
    Velocity {
        /// Coefficient of h.
        velocity: f64,
        /// Weight of a in the running mean, if one is kept.
        averaging: Option<f64>,
    },
    /// KOALA++: v <- `previous` v' + `gradient` h + `previous_gradient` H'; d = v + `direction` h; H' <- h.
    Covariance {
        /// Coefficients of v' and H'; `None` when the block (re)starts: then v', H' are not to be read.
        previous: Option<PreviousCovariance>,
        /// Coefficient of h in v.
        gradient: f64,
        /// Coefficient of h in the direction beside v (Q).
        direction: f64,
    },
    /// KOALA-A: s <- `smoothing` s + (1 - `smoothing`) h^2, D = sqrt(`correction` s) + `floor` if there is a `metric`, else
    /// D = 1; d = h / D; v <- v - `velocity` d; then, with the new x, x̄ <- x̄ + weight (x - x̄) if `averaging` is given.
    Adaptive {
        /// Coefficient of d.
        velocity: f64,
        /// How D is made.
        metric: Option<MetricStep>,
        /// Weight of the new x in x̄.
        averaging: Option<f64>,
    },
}

/// The numbers of KOALA-A's metric D for one tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricStep {
    /// Weight of s in its running mean.
    pub smoothing: f64,
    /// What corrects the bias of s towards its start at 0.
    pub correction: f64,
    /// What is added to the root.
    pub floor: f64,
}

/// Coefficients of KOALA++'s memory in the new gradient-covariance product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreviousCovariance {
    /// Coefficient of v'.
    pub covariance: f64,
    /// Coefficient of H'.
    pub gradient: f64,
}
