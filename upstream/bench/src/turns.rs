//! Two contenders that take turns.

use std::time::{Duration, Instant};

/// Time that a pair of contenders gets, if it needs no more for [`FEWEST`] rounds.
const TIME: Duration = Duration::from_millis(1200);
const FEWEST: usize = 5;
const MOST: usize = 101;

/// Medians over rounds in which each ran once.
pub struct Times {
    /// Milliseconds of the first.
    pub first: f64,
    /// Milliseconds of the second.
    pub second: f64,
    /// Time of the second over that of the first, in the same round.
    pub ratio: f64,
    /// The same of the fastest round of each, which other work on the machine disturbs least.
    pub of_fastest: f64,
}

/// Lets both run once untimed, and then by turns; who begins changes with each round.
pub fn times(mut first: impl FnMut(), mut second: impl FnMut()) -> Times {
    first();
    second();
    let (mut firsts, mut seconds, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let began = Instant::now();
    while ratios.len() < FEWEST || (ratios.len() < MOST && began.elapsed() < TIME) {
        let (one, other) = if ratios.len().is_multiple_of(2) {
            let one = milliseconds(&mut first);
            (one, milliseconds(&mut second))
        } else {
            let other = milliseconds(&mut second);
            (milliseconds(&mut first), other)
        };
        firsts.push(one);
        seconds.push(other);
        ratios.push(other / one);
    }
    Times {
        of_fastest: least(&seconds) / least(&firsts),
        first: median(firsts),
        second: median(seconds),
        ratio: median(ratios),
    }
}

fn milliseconds(work: &mut impl FnMut()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64() * 1e3
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
