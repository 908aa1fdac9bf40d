//! How runs end: after how many steps, and whether their curves had come to rest.

use super::arms;
use super::measure::Measured;
use crate::statistics::median;
use crate::{ArmKind, Falling, RunState};

/// Fewest evaluations of which anything is said.
const LEAST: usize = 4;
/// Over the last quarter and the last eighth of the steps the measure falls by more than these shares of its value. The eighth is
/// asked for too, since a decaying learning rate ends most of a fall before the run.
const FALLS: [(f64, f64); 2] = [(0.75, 0.05), (0.875, 0.02)];

/// Steps of the longest run that came to its end.
pub(super) fn steps(runs: &[Measured]) -> Option<u64> {
    runs.iter().filter_map(Measured::steps).max()
}

/// The reported arms whose curves fall at the end with every seed.
pub(super) fn falling(optimizers: &[&str], runs: &[Measured], untuned: ArmKind) -> Vec<Falling> {
    arms::reported(optimizers, runs, untuned)
        .filter_map(|(optimizer, kind, runs)| {
            let over = runs.iter().filter(|run| run.state == RunState::Completed);
            let shares: Option<Vec<f64>> = over.map(|run| share(&run.curve())).collect();
            Some(Falling {
                optimizer: optimizer.to_owned(),
                kind,
                share: median(&shares?)?,
            })
        })
        .collect()
}

/// By what share a curve (step, value) falls over the last quarter of its steps; nothing if it does not fall to its end, or if that
/// cannot be told.
fn share(curve: &[(f64, f64)]) -> Option<f64> {
    let (end, last) = *curve.last()?;
    if curve.len() < LEAST || curve.iter().any(|(_, value)| *value < last) {
        return None;
    }
    let shares = FALLS.map(|(part, least)| {
        let before = at(curve, part * end)?;
        let share = (before - last) / before.abs();
        (share > least).then_some(share)
    });
    let [quarter, eighth] = shares;
    eighth.and(quarter)
}

/// The value at a step, on a straight line between evaluations; nothing before the first.
fn at(curve: &[(f64, f64)], step: f64) -> Option<f64> {
    let next = curve.partition_point(|(other, _)| *other < step);
    let (after, above) = *curve.get(next)?;
    if after == step {
        return Some(above);
    }
    let (before, below) = *curve.get(next.checked_sub(1)?)?;
    Some(below + (above - below) * (step - before) / (after - before))
}

#[cfg(test)]
mod tests {
    use super::share;

    fn curve(value: fn(f64) -> f64) -> Vec<(f64, f64)> {
        (1..=16)
            .map(|at| f64::from(10 * at))
            .map(|step| (step, value(step)))
            .collect()
    }

    #[test]
    fn a_curve_falls_if_it_falls_to_its_end() {
        // exp(-step / 100): over the last 40 of 160 steps by 1 - exp(-0.4).
        let found = share(&curve(|step| (-step / 100.0).exp())).unwrap();
        assert!((found - (1.0 - (-0.4_f64).exp())).abs() < 1e-12, "{found}");
        // Flat, up again, too slow, and come to rest in the last eighth.
        assert_eq!(share(&curve(|_| 1.0)), None);
        assert_eq!(share(&curve(|step| (step - 100.0).abs())), None);
        assert_eq!(share(&curve(|step| 1.0 - step / 1e4)), None);
        assert_eq!(share(&curve(|step| (140.0 - step).max(1.0))), None);
        // Of three evaluations nothing is said.
        assert_eq!(share(&[(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]), None);
        assert_eq!(share(&[]), None);
    }
}
