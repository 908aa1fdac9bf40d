//! How far two runs stand apart, and where.

/// A relative difference and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Largest |found - recorded| of a block, over the largest |recorded| in it. Infinite where that is 0 and the
    /// difference is not, or where a number was not finite.
    pub relative: f64,
    /// Name of the recorded tensor, such as `param/7/fc1.weight` or `r`.
    pub tensor: String,
    /// The step, from 1.
    pub step: usize,
}

impl Difference {
    /// The place in words.
    pub fn place(&self) -> String {
        format!("{} (step {})", self.tensor, self.step)
    }
}

/// The largest difference so far.
pub(super) struct Worst {
    pub difference: Difference,
    /// Number of numbers compared.
    pub compared: u64,
}

impl Worst {
    /// No difference yet; `tensor` and `step` stand where it stays at 0.
    pub fn starting_at(tensor: impl Into<String>, step: usize) -> Self {
        Self {
            difference: Difference {
                relative: 0.0,
                tensor: tensor.into(),
                step,
            },
            compared: 0,
        }
    }

    /// Compares a block of numbers with the recorded ones.
    pub fn compare(
        &mut self,
        tensor: &str,
        step: usize,
        pairs: impl IntoIterator<Item = (f64, f64)>,
    ) {
        self.compare_beside(0.0, tensor, step, pairs);
    }

    /// As [`compare`](Self::compare), of numbers that are small beside a `size` of their own: a correlation beside 1.
    pub fn compare_beside(
        &mut self,
        size: f64,
        tensor: &str,
        step: usize,
        pairs: impl IntoIterator<Item = (f64, f64)>,
    ) {
        let (mut largest, mut farthest) = (size, 0.0_f64);
        for (found, recorded) in pairs {
            self.compared += 1;
            largest = largest.max(recorded.abs());
            let distance = (found - recorded).abs();
            // A maximum would lose a NaN.
            farthest = if distance.is_nan() {
                f64::INFINITY
            } else {
                farthest.max(distance)
            };
        }
        let relative = if farthest == 0.0 {
            0.0
        } else {
            farthest / largest
        };
        if relative > self.difference.relative {
            self.difference = Difference {
                relative,
                tensor: tensor.to_owned(),
                step,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_of_all_blocks_is_kept_relative_to_its_own_block() {
        let mut worst = Worst::starting_at("r", 1);
        worst.compare("a", 1, [(1.0, 1.0), (99.0, 100.0)]);
        worst.compare("b", 2, [(0.1, 0.2)]);
        worst.compare("c", 3, [(1.0, 2.0), (1000.0, 1000.0)]);
        assert_eq!(worst.difference.place(), "b (step 2)");
        assert_eq!(worst.difference.relative, 0.5);
        assert_eq!(worst.compared, 5);
    }

    #[test]
    fn zeros_agree_with_zeros_alone() {
        let mut worst = Worst::starting_at("r", 1);
        worst.compare("a", 1, [(0.0, 0.0)]);
        assert_eq!(worst.difference.relative, 0.0);
        worst.compare("b", 1, [(1e-300, 0.0)]);
        assert_eq!(worst.difference.relative, f64::INFINITY);
    }

    #[test]
    fn a_size_of_its_own_is_what_a_difference_is_beside() {
        let mut worst = Worst::starting_at("r", 1);
        worst.compare_beside(1.0, "rho", 1, [(0.25, 0.0)]);
        assert_eq!(worst.difference.relative, 0.25);
    }

    #[test]
    fn a_number_that_is_not_finite_is_infinitely_far_away() {
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut worst = Worst::starting_at("r", 1);
            worst.compare("a", 1, [(broken, 1.0), (1.0, 1.0)]);
            assert_eq!(worst.difference.relative, f64::INFINITY);
        }
    }
}
