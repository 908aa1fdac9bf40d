//! Elementary functions that compile to vector instructions: a few units in the last place, without branches or tables.

/// Below it, e^x is no normal number and counts as 0.
const LOWEST: f32 = -87.3;
/// Above it, e^x would leave 32-bit floats.
const HIGHEST: f32 = 88.3;

/// e^x: 0 below -87.3, and as at 88.3 above that.
///
/// x = n ln 2 + r; 2^n by its bits, e^r by the polynomial of Cephes (S. Moshier), ln 2 in two parts.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Added to a number below 2^22, it leaves the nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let within = x.clamp(LOWEST, HIGHEST);
    let shifted = within * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = within - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    let value = (p * r * r + r + 1.0) * power;
    if x < LOWEST { 0.0 } else { value }
}

/// 1/(1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// tanh x: by the polynomial of Cephes near 0, else by e^(2|x|).
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let square = x * x;
    let p = -5.704_988_7e-3;
    let p = p * square + 2.063_908_8e-2;
    let p = p * square - 5.373_971_6e-2;
    let p = p * square + 1.333_144_2e-1;
    let p = p * square - 3.333_328e-1;
    let near = p * square * x + x;
    let far = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

/// The error function to 5e-7, as a quotient of polynomials up to 4; beyond, where it is 1 to 2e-8, 1.
///
/// Coefficients of Eigen's and XLA's `erf` of 32-bit floats.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let square = x * x;
    let p = -2.726_142_3e-10;
    let p = p * square + 2.770_681_4e-8;
    let p = p * square - 2.101_024e-6;
    let p = p * square - 5.692_506_5e-5;
    let p = p * square - 7.349_906_3e-4;
    let p = p * square - 2.954_6e-3;
    let p = p * square - 1.609_603_3e-2;
    let q = -1.456_607_2e-5;
    let q = q * square - 2.133_740_6e-4;
    let q = q * square - 1.682_827e-3;
    let q = q * square - 7.373_329e-3;
    let q = q * square - 1.426_473_9e-2;
    let within = x * p / q;
    if x.abs() > 4.0 {
        1.0f32.copysign(x)
    } else {
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error of `found` beside `exact` from -`range` to `range`, of numbers above 1 as a share of them.
    fn error(range: f64, found: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        (-40_000..=40_000)
            .map(|n| {
                let x = (range * f64::from(n) / 40_000.0) as f32;
                let exact = exact(f64::from(x));
                (f64::from(found(x)) - exact).abs() / exact.abs().max(1.0)
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn functions_are_exact_to_a_few_roundings() {
        assert!(error(87.0, exp, f64::exp) < 2e-7);
        assert!(error(30.0, sigmoid, |x| 1.0 / (1.0 + (-x).exp())) < 2e-7);
        assert!(error(12.0, tanh, f64::tanh) < 2e-7);
        assert!(error(4.0, erf, exact_erf) < 5e-7);
    }

    /// Of small numbers too: what counts there is the share.
    #[test]
    fn small_numbers_keep_their_digits() {
        for x in [1e-30f32, -1e-6, 3e-4, 1e-2] {
            assert!((tanh(x) / x.tanh() - 1.0).abs() < 3e-7, "{x}");
            let exact = exact_erf(f64::from(x)) as f32;
            assert!((erf(x) / exact - 1.0).abs() < 5e-7, "{x}");
            assert!(
                (exp(-80.0 - x) / (-80.0 - x).exp() - 1.0).abs() < 3e-7,
                "{x}"
            );
        }
    }

    #[test]
    fn ends_are_as_they_should_be() {
        assert_eq!(
            (exp(0.0), exp(f32::NEG_INFINITY), exp(-1e9)),
            (1.0, 0.0, 0.0)
        );
        assert!(exp(f32::INFINITY) > 1e38);
        assert_eq!((sigmoid(1e9), tanh(1e9), tanh(-1e9)), (1.0, 1.0, -1.0));
        assert_eq!(
            (erf(4.1), erf(1e30), erf(f32::NEG_INFINITY)),
            (1.0, 1.0, -1.0)
        );
        assert_eq!((sigmoid(0.0), tanh(0.0), erf(0.0)), (0.5, 0.0, 0.0));
        assert!(sigmoid(-1e9) < 1e-37);
        for function in [exp, sigmoid, tanh, erf] {
            assert!(function(f32::NAN).is_nan());
        }
    }

    /// The error function by its series, whose terms cancel to ten digits up to 4.
    fn exact_erf(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }
}
