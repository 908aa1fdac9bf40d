//! Who is first, second, third, over all workloads.

use super::problem::Problem;
use crate::ArmKind;

/// The mean over the workloads of each arm's rank by test result: 1 for the lowest, the mean of their ranks for equal ones, and so
/// for all that failed, behind the others. Nothing for an arm without a result somewhere.
pub(super) fn of(problems: &[&Problem], names: &[(&str, ArmKind)]) -> Vec<Option<f64>> {
    let results: Vec<Vec<Option<f64>>> = problems
        .iter()
        .map(|problem| {
            let result = |(optimizer, kind): &(&str, ArmKind)| {
                problem.side(optimizer, *kind)?.mean(|run| run.test())
            };
            names.iter().map(result).collect()
        })
        .collect();
    (0..names.len())
        .map(|arm| {
            let ranks: Option<Vec<f64>> = results.iter().map(|all| rank(all, arm)).collect();
            let ranks = ranks.filter(|ranks| !ranks.is_empty())?;
            Some(ranks.iter().sum::<f64>() / ranks.len() as f64)
        })
        .collect()
}

fn rank(results: &[Option<f64>], arm: usize) -> Option<f64> {
    let own = (*results.get(arm)?)?;
    let known = || results.iter().flatten();
    let before = known().filter(|result| **result < own).count();
    let equal = known().filter(|result| **result == own).count();
    Some(before as f64 + (equal as f64 + 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn equal_results_share_their_ranks_and_failures_the_last() {
        let all = [
            Some(2.0),
            Some(1.0),
            Some(2.0),
            Some(f64::INFINITY),
            None,
            Some(f64::INFINITY),
        ];
        let ranks: Vec<Option<f64>> = (0..all.len()).map(|arm| rank(&all, arm)).collect();
        let expected = [Some(2.5), Some(1.0), Some(2.5), Some(4.5), None, Some(4.5)];
        assert_eq!(ranks, expected);
    }
}
