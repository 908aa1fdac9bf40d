//! What the filter tells an adapter to do with each parameter tensor. Everything is elementwise.

/// What `predict` does to each parameter. Methods without velocities have no motion: their predict leaves memory alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// kappa: x <- x + v, then v <- kappa v (frozen parameters do not move).
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
}

/// With h = g + `decay` x (x before the step): x <- `shrinkage` (x - `position` d), where d = h, or KOALA++'s direction.
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
}

/// Coefficients of KOALA++'s memory in the new gradient-covariance product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreviousCovariance {
    /// Coefficient of v'.
    pub covariance: f64,
    /// Coefficient of H'.
    pub gradient: f64,
}
