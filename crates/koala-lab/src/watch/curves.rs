//! Curves against steps, and panels of them.

/// Weight of the past in smoothed losses.
const SMOOTHING: f64 = 0.9;

/// Curves that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub title: &'static str,
    /// Whether its values may be shown logarithmically.
    pub logarithmic: bool,
    /// Its curves; those without a point are left out.
    pub curves: Vec<Curve>,
    /// What is said if there are none.
    pub empty: &'static str,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub name: &'static str,
    /// What it is drawn with; nothing for a fine line.
    pub mark: Option<char>,
    /// Whether its points are joined: a line of marks, or with colours a fine line, which colours tell apart.
    pub joined: bool,
    /// (steps, value), all of them finite.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// A curve without what is not finite.
    pub fn new(
        name: &'static str,
        mark: Option<char>,
        points: impl Iterator<Item = (u64, f64)>,
    ) -> Self {
        Self {
            name,
            mark,
            joined: mark.is_none(),
            points: points
                .filter(|(_, value)| value.is_finite())
                .map(|(step, value)| (step as f64, value))
                .collect(),
        }
    }
}

impl Curve {
    /// A line, of these marks where there are no colours to tell it from others.
    pub fn line(
        name: &'static str,
        mark: Option<char>,
        points: impl Iterator<Item = (u64, f64)>,
    ) -> Self {
        Self {
            joined: true,
            ..Self::new(name, mark, points)
        }
    }
}

impl Panel {
    /// A panel of the curves that have points.
    pub fn new(title: &'static str, empty: &'static str, curves: Vec<Curve>) -> Self {
        Self {
            title,
            logarithmic: true,
            curves: curves
                .into_iter()
                .filter(|curve| !curve.points.is_empty())
                .collect(),
            empty,
        }
    }
}

/// Values smoothed exponentially; what is not finite is left out.
pub fn smoothed(points: impl Iterator<Item = (u64, f64)>) -> impl Iterator<Item = (u64, f64)> {
    let mut mean = None;
    points
        .filter(|(_, value)| value.is_finite())
        .map(move |(step, value)| {
            let now = mean.map_or(value, |old: f64| {
                SMOOTHING * old + (1.0 - SMOOTHING) * value
            });
            mean = Some(now);
            (step, now)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_leaves_out_what_is_not_finite() {
        let points = [(0, f64::NAN), (1, 2.0), (2, f64::INFINITY), (3, 1.0)];
        let smooth: Vec<(u64, f64)> = smoothed(points.into_iter()).collect();
        assert_eq!(smooth, [(1, 2.0), (3, 0.9 * 2.0 + (1.0 - 0.9) * 1.0)]);
    }
}
