//! Which steps are written to a run's logs.

/// Whether `step` is, if it is to be each `every`-th one. With 0, long runs are thinned: each tenth step of the first 100,000, each
/// hundredth up to a million and so on, so that a log has no more than 10,000 for each digit of its length. It depends on the step
/// alone, not on how many there are to be: a run that is made longer has the log of one that was begun so.
pub(super) fn is_logged(every: u64, step: u64) -> bool {
    let every = match every {
        0 => 10u64.pow(step.max(1).ilog10().max(4) - 3),
        every => every,
    };
    step.is_multiple_of(every)
}

#[cfg(test)]
mod tests {
    use super::is_logged;

    #[test]
    fn long_runs_are_thinned_by_the_digits_of_their_steps() {
        let logged = |range: std::ops::Range<u64>| range.filter(|&step| is_logged(0, step)).count();
        assert_eq!(logged(0..100_000), 10_000);
        assert_eq!(logged(100_000..1_000_000), 9_000);
        assert_eq!(logged(1_000_000..2_000_000), 1_000);
        assert!(is_logged(0, 0) && is_logged(0, 99_990) && !is_logged(0, 100_010));
        assert!(is_logged(0, 10_000_000_000_000_000_000) && !is_logged(0, u64::MAX));
    }

    #[test]
    fn whoever_asks_for_steps_gets_them() {
        assert!((0..50).all(|step| is_logged(1, 3_000_000 + step)));
        assert_eq!((0..100).filter(|&step| is_logged(7, step)).count(), 15);
    }
}
