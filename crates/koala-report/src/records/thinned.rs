//! Long series, kept evenly and within a limit.

/// Every `k`-th of what was pushed, the first among them, `k` being the smallest power of two that stays within the limit.
#[derive(Debug, Clone)]
pub(super) struct Thinned<T> {
    kept: Vec<T>,
    limit: usize,
    every: u64,
    pushed: u64,
}

impl<T> Thinned<T> {
    /// At most `limit` of them, at least two.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            kept: Vec::new(),
            limit: limit.max(2),
            every: 1,
            pushed: 0,
        }
    }

    /// Whether what is pushed next would be kept, for those who would have to build it first.
    pub(super) fn wants(&self) -> bool {
        self.pushed.is_multiple_of(self.every)
    }

    /// One more.
    pub(super) fn push(&mut self, value: T) {
        if self.wants() {
            if self.kept.len() == self.limit {
                let mut at = 0;
                self.kept.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.every *= 2;
            }
            if self.wants() {
                self.kept.push(value);
            }
        }
        self.pushed += 1;
    }

    /// Counts one that was not wanted.
    pub(super) fn skip(&mut self) {
        self.pushed += 1;
    }

    /// What was kept so far, in order.
    pub(super) fn kept(&self) -> &[T] {
        &self.kept
    }

    /// What was kept, in order.
    pub(super) fn into_vec(self) -> Vec<T> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_kept_is_evenly_spaced(count in 0u64..300, limit in 2usize..20) {
            let mut series = Thinned::new(limit);
            for value in 0..count {
                if series.wants() {
                    series.push(value);
                } else {
                    series.skip();
                }
            }
            let every = series.every;
            let kept = series.into_vec();
            prop_assert!(kept.len() <= limit);
            prop_assert!(count <= every * limit as u64);
            let expected: Vec<u64> = (0..count).step_by(every as usize).collect();
            prop_assert_eq!(kept, expected);
        }
    }
}
