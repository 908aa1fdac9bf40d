//! Mean and standard deviation.

/// What is gathered of values one by one. Sums are of what exceeds the first value, so that a large mean takes no digits
/// of the deviation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    first: f64,
    count: u64,
    sum: f64,
    squares: f64,
}

impl Moments {
    /// Adds so many of the same value.
    pub fn add(&mut self, value: f64, count: u64) {
        if count == 0 {
            return;
        }
        if self.count == 0 {
            self.first = value;
        }
        let (excess, times) = (value - self.first, count as f64);
        self.count += count;
        self.sum += excess * times;
        self.squares += excess * excess * times;
    }

    /// The mean; 0 of nothing.
    pub fn mean(&self) -> f64 {
        self.first + self.sum / self.count.max(1) as f64
    }

    /// The standard deviation, by which values can be divided: 1 if all are the same.
    pub fn deviation(&self) -> f64 {
        let count = self.count.max(1) as f64;
        let mean = self.sum / count;
        let variance = self.squares / count - mean * mean;
        let deviation = variance.max(0.0).sqrt();
        // What rounding alone can make of equal values is no deviation.
        if deviation > 1e-7 * (self.squares / count).sqrt() {
            deviation
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> (f64, f64) {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.add(*value, 1));
        (moments.mean(), moments.deviation())
    }

    #[test]
    fn they_are_those_of_the_definition() {
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0]), (2.5, 1.25f64.sqrt()));
        assert_eq!(of(&[1e9 + 1.0, 1e9 + 3.0]), (1e9 + 2.0, 1.0));
        assert_eq!(of(&[0.1; 1000]), (0.1, 1.0));
        assert_eq!(of(&[]), (0.0, 1.0));
        let mut moments = Moments::default();
        moments.add(1.0, 3);
        moments.add(5.0, 1);
        moments.add(9.0, 0);
        assert_eq!((moments.mean(), moments.deviation()), (2.0, 3f64.sqrt()));
    }
}
