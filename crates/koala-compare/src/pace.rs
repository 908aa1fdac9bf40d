//! How long it will take.

/// What runs took so far, by problem, and how many are left.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    problems: Vec<OfProblem>,
    jobs: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct OfProblem {
    seconds: f64,
    runs: usize,
    left: usize,
}

impl Pace {
    pub(super) fn new(problems: usize, jobs: usize) -> Self {
        Self {
            problems: vec![OfProblem::default(); problems],
            jobs: jobs.max(1),
        }
    }

    /// Another run of this problem is known of.
    pub(super) fn expect(&mut self, problem: usize, runs: usize) {
        if let Some(of) = self.problems.get_mut(problem) {
            of.left += runs;
        }
    }

    /// A run has ended; it took so long, if it was ours.
    pub(super) fn ended(&mut self, problem: usize, seconds: Option<f64>) {
        if let Some(of) = self.problems.get_mut(problem) {
            of.left = of.left.saturating_sub(1);
            if let Some(seconds) = seconds {
                of.seconds += seconds;
                of.runs += 1;
            }
        }
    }

    /// Seconds until all have ended; nothing if runs of a problem are left of which none has shown how long it takes.
    pub(super) fn left(&self) -> Option<f64> {
        let mut sum = 0.0;
        for of in self.problems.iter().filter(|of| of.left > 0) {
            if of.runs == 0 {
                return None;
            }
            sum += of.left as f64 * of.seconds / of.runs as f64;
        }
        Some(sum / self.jobs as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_has_its_own_pace() {
        let mut pace = Pace::new(2, 2);
        pace.expect(0, 3);
        pace.expect(1, 1);
        pace.ended(0, Some(4.0));
        assert_eq!(pace.left(), None);
        pace.ended(1, None);
        assert_eq!(pace.left(), Some(4.0));
        pace.ended(0, Some(2.0));
        assert_eq!(pace.left(), Some(1.5));
        pace.ended(0, None);
        assert_eq!(pace.left(), Some(0.0));
    }
}
