//! A report as one line, for those who print it.

use std::fmt::{Display, Formatter, Result};

use crate::report::{Covariance, Outcome, ProcessNoise, StepReport};

/// One line: what was measured, what the filter believes, how far it moved, and what is out of the ordinary.
///
/// ```
/// use koala_filter::{KoalaVConfig, Observation, dense::Koala};
///
/// let mut x = [2.0f32];
/// let mut optimizer = Koala::new(KoalaVConfig::new(), &[1])?;
/// optimizer.predict(&mut [&mut x])?;
/// let report = optimizer.update(&mut [&mut x], &[[2.0]], &Observation::from_losses(&[2.0]))?;
/// assert_eq!(
///     report.to_string(),
///     "step 0: loss 2, R 1.3, P 0.2509, Q 1, |h| 2, |dx| 0.7719, effective learning rate 0.386"
/// );
/// # Ok::<(), koala_filter::Error>(())
/// ```
impl Display for StepReport {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "step {}: ", self.step)?;
        if let Outcome::Missing { cause } = &self.outcome {
            write!(formatter, "measurement missing, {cause}")?;
            if self.missing_in_a_row > 1 {
                write!(formatter, ", {} in a row", self.missing_in_a_row)?;
            }
            return Ok(());
        }
        write!(
            formatter,
            "loss {}, R {}, {}, {}, |h| {}, |dx| {}, effective learning rate {}",
            Short(self.loss),
            Short(self.measurement_noise),
            self.covariance,
            self.process_noise,
            Short(self.gradient_norm),
            Short(self.update_norm),
            Short(self.effective_learning_rate()),
        )?;
        if let Some(whiteness) = self.whiteness {
            let correlation = Short(whiteness.corrected_correlation);
            write!(formatter, ", innovations correlated {correlation}")?;
        }
        if self.outcome == Outcome::NoGradient {
            write!(formatter, ", no usable gradient")?;
        }
        for (count, what) in [(self.skipped(), "skipped"), (self.clamped(), "clamped")] {
            if count > 0 {
                write!(
                    formatter,
                    ", {count} of {} blocks {what}",
                    self.blocks.len()
                )?;
            }
        }
        if self.bound_factor < 1.0 {
            let factor = Short(self.bound_factor);
            write!(formatter, ", shortened to {factor} of the step")?;
        }
        Ok(())
    }
}

impl Display for Covariance {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match *self {
            Self::Scalar(p) => write!(formatter, "P {}", Short(p)),
            Self::Matrix { p11, p12, p22 } => write!(
                formatter,
                "P [{} {}; {} {}]",
                Short(p11),
                Short(p12),
                Short(p12),
                Short(p22)
            ),
            Self::Product => write!(formatter, "P as products"),
        }
    }
}

impl Display for ProcessNoise {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match *self {
            Self::Scalar(q) => write!(formatter, "Q {}", Short(q)),
            Self::PositionVelocity { position, velocity } => {
                write!(
                    formatter,
                    "q_x {}, q_v {}",
                    Short(position),
                    Short(velocity)
                )
            }
        }
    }
}

/// Four digits, without zeros at the end.
struct Short(f64);

impl Display for Short {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let (value, magnitude) = (self.0, self.0.abs());
        if !value.is_finite() || value == 0.0 {
            return write!(formatter, "{value}");
        }
        if !(1e-3..1e6).contains(&magnitude) {
            return write!(formatter, "{value:.3e}");
        }
        // As many decimals as four digits have.
        let exponent = magnitude.log10().floor() as i32;
        let text = format!("{value:.*}", (3 - exponent).clamp(0, 6) as usize);
        match text.contains('.') {
            true => formatter.write_str(text.trim_end_matches('0').trim_end_matches('.')),
            false => formatter.write_str(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, shown) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.123_456, "0.1235"),
            (-12.345_6, "-12.35"),
            (123_456.7, "123457"),
            (1_234_567.0, "1.235e6"),
            (0.000_999, "9.990e-4"),
            (0.001, "0.001"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(Short(value).to_string(), shown);
        }
    }
}
