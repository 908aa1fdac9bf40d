//! What a method asks of the passes over memory: stated by the method, in one place, and read by every adapter.

/// What a method asks of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// What it stores beside the parameters.
    pub memory: MemoryKind,
    /// Which sums its update needs of each tensor.
    pub sums: SumsKind,
    /// Whether predict moves parameters.
    pub moves: bool,
    /// What has an innovation of its own.
    pub innovation: Innovations,
    /// Whether x may move along another direction than the one that is measured (gain-only decay).
    pub gain_only_decay: bool,
}

/// What has an innovation, and with it a variance S and a gain, of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Innovations {
    /// Each block: the block-wise approximation of the papers. Blocks with |g_b| < 1e-9 are skipped.
    PerBlock,
    /// The whole model: the measurement is one number. Every tensor with a gradient takes part.
    WholeModel,
}

/// Which sums an update needs beside |g|^2, |h|^2 and |x|^2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumsKind {
    /// None.
    Gradient,
    /// [`Products`](crate::Products) with the stored H' and v'.
    Products,
    /// [`MetricSums`](crate::MetricSums), with a diagonal metric if `diagonal`, else with 1 in its place.
    Metric {
        /// Whether there is a second moment s to make the metric of: then tensors may have to be read twice, since its
        /// floor depends on the largest s of all of them.
        diagonal: bool,
    },
}

/// What a method stores beside the parameters, in vectors of each parameter's shape and type, all zeros at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Nothing.
    None,
    /// Velocities v and, with `average`, the running mean a of x.
    Velocity {
        /// Whether a is stored.
        average: bool,
    },
    /// The gradient-covariance product v' and the previous decayed gradient H'.
    Covariance,
    /// Velocities v and, if asked for, the second moments s of the gradient and the mean of x.
    Adaptive {
        /// Whether s is stored.
        second_moment: bool,
        /// Whether the mean is stored.
        mean: bool,
    },
}

/// Vectors that the passes know for each parameter.
pub const SLOTS: usize = 3;

impl MemoryKind {
    /// Names of the vectors by the places in which the passes expect them: `None` where the method stores nothing.
    pub fn slots(self) -> [Option<&'static str>; SLOTS] {
        match self {
            Self::None => [None; SLOTS],
            Self::Velocity { average } => [Some("velocity"), average.then_some("average"), None],
            Self::Covariance => [Some("covariance"), Some("gradient"), None],
            Self::Adaptive {
                second_moment,
                mean,
            } => [
                Some("velocity"),
                second_moment.then_some("second-moment"),
                mean.then_some("mean"),
            ],
        }
    }

    /// Names of the stored vectors, in order: as they stand in stored states.
    pub fn names(self) -> Vec<&'static str> {
        self.slots().into_iter().flatten().collect()
    }

    /// The slot of the mean of x at which the model is to be evaluated, if the method keeps one.
    pub fn mean_slot(self) -> Option<usize> {
        matches!(self, Self::Adaptive { mean: true, .. }).then_some(2)
    }
}
