//! Axes: which part of the values they show, where a value lies, and at which values they are marked.

/// Room at each end of a linear axis, as a share of half its range.
const ROOM: f64 = 0.08;

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Scale {
    Linear,
    Logarithmic,
}

/// Values from `low` to `high`, drawn from `from` to `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::page) struct Axis {
    pub(in crate::page) scale: Scale,
    pub(in crate::page) low: f64,
    pub(in crate::page) high: f64,
    pub(in crate::page) from: f64,
    pub(in crate::page) to: f64,
}

impl Axis {
    /// An axis over values, with a little room at both ends; `(0, 1)` where there are none. A logarithmic one leaves out what has no
    /// logarithm.
    pub(in crate::page) fn over(
        scale: Scale,
        values: impl IntoIterator<Item = f64>,
        (from, to): (f64, f64),
    ) -> Self {
        let usable = |value: &f64| {
            value.is_finite() && (scale == Scale::Linear || *value > f64::MIN_POSITIVE)
        };
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(usable) {
            low = low.min(value);
            high = high.max(value);
        }
        let (low, high) = match (low <= high, scale) {
            (false, Scale::Linear) => (0.0, 1.0),
            (false, Scale::Logarithmic) => (0.1, 1.0),
            // Zeros alone have no size of their own: one of the unit, above them, since measures have nothing below.
            (true, Scale::Linear) if low == 0.0 && high == 0.0 => (-ROOM, 1.0),
            (true, Scale::Linear) => {
                let room = match high - low > 1e-9 * high.abs().max(low.abs()) {
                    // Halves first: the range of all numbers is no number.
                    true => ROOM * (high / 2.0 - low / 2.0),
                    false => 0.1 * high.abs(),
                };
                (low - room, high + room)
            }
            (true, Scale::Logarithmic) => {
                let room = match high / low > 1.0 + 1e-9 {
                    true => (high.ln() - low.ln()).mul_add(0.04, 0.0).exp(),
                    false => 1.1,
                };
                (low / room, high * room)
            }
        };
        Self {
            scale,
            low,
            high,
            from,
            to,
        }
    }

    /// Where a value lies; what lies beyond an end lies beyond it here too.
    pub(in crate::page) fn at(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0),
            Scale::Logarithmic => (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln()),
        };
        self.from + (self.to - self.from) * share
    }

    /// Where a value is drawn: at the end beyond which it lies.
    pub(in crate::page) fn inside(&self, value: f64) -> f64 {
        let (least, most) = (self.from.min(self.to), self.from.max(self.to));
        match self.at(value) {
            at if at.is_nan() => least,
            at => at.clamp(least, most),
        }
    }

    pub(in crate::page) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Round values of an axis, ascending, with labels of `width(label)` that keep `gap` between them.
pub(in crate::page) fn ticks(
    axis: &Axis,
    gap: f64,
    width: impl Fn(&str) -> f64,
) -> Vec<(f64, String)> {
    let apart = |ticks: &[(f64, String)]| {
        let mut before = f64::NEG_INFINITY;
        ticks.iter().all(|(value, label)| {
            let (at, half) = ((axis.at(*value) - axis.from).abs(), width(label) / 2.0);
            let fits = at - half >= before + gap;
            before = at + half;
            fits
        })
    };
    let candidates = match axis.scale {
        Scale::Linear => linear(axis),
        Scale::Logarithmic => logarithmic(axis),
    };
    // From many marks to few; a logarithmic axis of less than a decade is marked like a linear one.
    let usable = |ticks: &Vec<(f64, String)>| ticks.len() >= 2 && apart(ticks);
    let mut all = candidates.into_iter().map(labelled);
    all.find(usable).unwrap_or_else(|| {
        // Room for nothing: the end alone.
        labelled(vec![axis.high])
    })
}

fn labelled(values: Vec<f64>) -> Vec<(f64, String)> {
    let label = |value: f64| crate::page::plain(value);
    values
        .into_iter()
        .map(|value| (value, label(value)))
        .collect()
}

/// Multiples of 1, 2 and 5 times powers of ten, from many to few.
fn linear(axis: &Axis) -> Vec<Vec<f64>> {
    let span = axis.high - axis.low;
    if !span.is_finite() || span <= 0.0 {
        return Vec::new();
    }
    let power = span.log10().floor() as i32;
    let steps = (power - 1..=power + 1)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    steps
        .filter(|step| span / step <= 8.0)
        .map(|step| {
            let first = (axis.low / step).ceil();
            let count = (axis.high / step).floor() - first;
            (0..=count.max(-1.0) as i64)
                .filter(|_| count >= 0.0)
                .map(|at| round((first + at as f64) * step, step))
                .collect()
        })
        .collect()
}

/// A multiple of a step without the error of its product.
fn round(value: f64, step: f64) -> f64 {
    let digits = (-step.log10().floor()).clamp(0.0, 300.0) as usize;
    format!("{value:.digits$}").parse().unwrap_or(value)
}

/// 1, 2 and 5 times powers of ten, then powers of ten, then every second and every fifth of them, then what suits a linear axis.
fn logarithmic(axis: &Axis) -> Vec<Vec<f64>> {
    let (first, last) = (
        axis.low.log10().floor() as i32,
        axis.high.log10().ceil() as i32,
    );
    let of = |digits: &[f64], every: i32| -> Vec<f64> {
        (first..=last)
            .filter(|power| power.rem_euclid(every) == 0)
            .flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)))
            .filter(|value| axis.holds(*value))
            .collect()
    };
    let mut all = vec![
        of(&[1.0, 2.0, 3.0, 5.0, 7.0], 1),
        of(&[1.0, 2.0, 5.0], 1),
        of(&[1.0, 3.0], 1),
        of(&[1.0], 1),
        of(&[1.0], 2),
        of(&[1.0], 5),
        of(&[1.0], 20),
        of(&[1.0], 100),
    ];
    if axis.high / axis.low < 4.0 {
        // Few powers of ten lie here.
        all.splice(0..0, linear(axis));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LETTER: f64 = 7.0;

    fn width(label: &str) -> f64 {
        LETTER * label.chars().count() as f64
    }

    #[test]
    fn marks_are_round() {
        let linear = Axis::over(Scale::Linear, [0.0, 1.0], (0.0, 400.0));
        let told: Vec<String> = ticks(&linear, 8.0, width)
            .into_iter()
            .map(|tick| tick.1)
            .collect();
        assert_eq!(told, ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        let far = Axis::over(Scale::Logarithmic, [1e-3, 1e3], (0.0, 300.0));
        let told: Vec<String> = ticks(&far, 8.0, width)
            .into_iter()
            .map(|tick| tick.1)
            .collect();
        assert_eq!(told, ["0.001", "0.01", "0.1", "1", "10", "100", "1000"]);
        let near = Axis::over(Scale::Logarithmic, [0.8, 1.5], (0.0, 300.0));
        let told: Vec<String> = ticks(&near, 8.0, width)
            .into_iter()
            .map(|tick| tick.1)
            .collect();
        assert_eq!(told, ["0.8", "0.9", "1", "1.1", "1.2", "1.3", "1.4", "1.5"]);
    }

    #[test]
    fn values_that_are_all_the_same_have_an_axis_of_their_size() {
        let of = |value: f64| Axis::over(Scale::Linear, [value, value], (0.0, 300.0));
        let zeros = of(0.0);
        assert_eq!((zeros.low, zeros.high), (-ROOM, 1.0));
        let labels: Vec<String> = ticks(&zeros, 8.0, width)
            .into_iter()
            .map(|tick| tick.1)
            .collect();
        assert_eq!(labels, ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        let others = of(20.0);
        assert_eq!((others.low, others.high), (18.0, 22.0));
    }

    proptest! {
        #[test]
        fn marks_lie_on_the_axis_and_their_labels_do_not_touch(
            one in -1e9f64..1e9,
            power in -12i32..9,
            logarithmic: bool,
            length in 60.0f64..900.0,
            turned: bool,
        ) {
            let other = one + 10f64.powi(power);
            let (scale, values) = match logarithmic {
                true => (Scale::Logarithmic, [one.abs() + 1e-9, one.abs() * 1.5 + 10f64.powi(power)]),
                false => (Scale::Linear, [one, other]),
            };
            let ends = if turned { (length, 0.0) } else { (0.0, length) };
            let axis = Axis::over(scale, values, ends);
            prop_assert!(values.iter().all(|value| axis.holds(*value)), "{axis:?}");
            let ticks = ticks(&axis, 6.0, width);
            prop_assert!(!ticks.is_empty());
            let mut before = f64::NEG_INFINITY;
            for (value, label) in &ticks {
                let at = (axis.at(*value) - axis.from).abs();
                prop_assert!((-1e-6..=length + 1e-6).contains(&at), "{value} at {at}");
                let half = width(label) / 2.0;
                prop_assert!(at - half >= before, "{ticks:?}");
                before = at + half;
            }
        }
    }
}
