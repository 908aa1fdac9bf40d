//! Sums that are rounded once, at their end, so that the order of blocks changes not a bit: a small superaccumulator (Neal, 2015,
//! "Fast exact summation using small and large superaccumulators", arXiv 1505.05571). Of the crates that have one, xsum 0.1.6 rounds
//! negative sums away from 0 (1e300 - 1e300 - 1 is -1.0000000000000002), and accurate 0.4.1 panics where part of a sum overflows.

/// Bits of a chunk that stay in it when carries are passed on.
const BITS: u32 = 32;
/// Chunks for every finite number, and one that takes what is carried out of them.
const CHUNKS: usize = 66;
/// Numbers that are added before carries are passed on: each adds less than 2^52 + 2^32 to a chunk of 63 bits and a sign.
const PATIENCE: u32 = 1024;
/// log2 of the unit of chunk 0: half of the smallest number above 0.
const LEAST: i32 = -1075;

const EXPONENT: u64 = 0x7ff;
const FRACTION_BITS: u32 = 52;

/// A sum in the making, exact.
#[derive(Clone)]
pub(crate) struct ExactSum {
    /// Chunk i counts 2^(32 i) units.
    chunks: [i64; CHUNKS],
    /// Numbers added since carries were passed on.
    added: u32,
    /// Whether there is anything in the chunks.
    touched: bool,
    /// The sum of what is not finite.
    special: f64,
}

impl ExactSum {
    pub const ZERO: Self = Self {
        chunks: [0; CHUNKS],
        added: 0,
        touched: false,
        special: 0.0,
    };

    #[inline]
    pub fn add(&mut self, value: f64) {
        if value == 0.0 {
            return;
        }
        let bits = value.to_bits();
        let exponent = (bits >> FRACTION_BITS) & EXPONENT;
        if exponent == EXPONENT {
            self.special += value;
            return;
        }
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        // A number of exponent 0 has no leading 1, and the unit of exponent 1.
        let whole = if exponent == 0 {
            fraction
        } else {
            fraction | (1 << FRACTION_BITS)
        };
        let exponent = exponent.max(1) as u32;
        let (chunk, shift) = ((exponent / BITS) as usize, exponent % BITS);
        let low = ((whole << shift) & u64::from(u32::MAX)) as i64;
        let high = (whole >> (BITS - shift)) as i64;
        if value.is_sign_negative() {
            self.chunks[chunk] -= low;
            self.chunks[chunk + 1] -= high;
        } else {
            self.chunks[chunk] += low;
            self.chunks[chunk + 1] += high;
        }
        self.touched = true;
        self.added += 1;
        if self.added == PATIENCE {
            self.carry();
        }
    }

    /// Leaves 32 bits, not negative, in each chunk but the last.
    fn carry(&mut self) {
        self.added = 0;
        let mut carried = 0;
        for chunk in &mut self.chunks[..CHUNKS - 1] {
            let sum = *chunk + carried;
            carried = sum >> BITS;
            *chunk = sum & i64::from(u32::MAX);
        }
        self.chunks[CHUNKS - 1] += carried;
    }

    /// The sum, rounded to the nearest number; NaN or infinite where one of its numbers is.
    pub fn rounded(mut self) -> f64 {
        if self.special != 0.0 {
            return self.special;
        }
        if !self.touched {
            return 0.0;
        }
        self.carry();
        let negative = self.chunks[CHUNKS - 1] < 0;
        if negative {
            self.chunks = self.chunks.map(|chunk| -chunk);
            self.carry();
        }
        let Some(top) = self.chunks.iter().rposition(|&chunk| chunk != 0) else {
            return 0.0;
        };
        // Three chunks hold at least 65 bits from the first on; of what is below it counts only whether it is there.
        let base = top.saturating_sub(2);
        let head = self.chunks[base..=top]
            .iter()
            .rev()
            .fold(0u128, |head, &chunk| (head << BITS) | chunk as u128);
        let rest = self.chunks[..base].iter().any(|&chunk| chunk != 0);
        let magnitude = scaled(
            (head | u128::from(rest)) as f64,
            LEAST + (BITS as usize * base) as i32,
        );
        if negative { -magnitude } else { magnitude }
    }
}

/// `number` times 2^`exponent`, `number` being 0 or at least 1: in two factors, each of them a number. Where the result has
/// fewer bits than others, it is a multiple of the smallest, and nothing is rounded.
fn scaled(number: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    number * power_of_two(half) * power_of_two(exponent - half)
}

/// 2^`exponent`, for an exponent from -1022 to 1023.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << FRACTION_BITS)
}

/// The sum of `values`, rounded once, so that their order changes not a bit.
#[inline]
pub(crate) fn order_free_sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = values.into_iter();
    let Some(first) = values.next() else {
        return 0.0;
    };
    let Some(second) = values.next() else {
        return first;
    };
    let Some(third) = values.next() else {
        // An addition is rounded once.
        return first + second;
    };
    let mut sum = ExactSum::ZERO;
    [first, second, third]
        .into_iter()
        .chain(values)
        .for_each(|value| sum.add(value));
    sum.rounded()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any bits that are a number, of all sizes and of nearly one.
    fn numbers() -> impl Strategy<Value = Vec<f64>> {
        let any = any::<f64>().prop_filter("finite", |value| value.is_finite());
        let near = (-1e3..1e3f64, -40..40i32).prop_map(|(x, e)| x * 2f64.powi(e));
        prop::collection::vec(prop_oneof![any, near.clone(), near], 3..60)
    }

    /// The sum as fractions of whole numbers: every number is one of 2^-1074, and they are added digit by digit.
    fn by_hand(values: &[f64]) -> (bool, Vec<u8>) {
        // Base 2, the lowest first, two's complement of 2,200 digits.
        let mut sum = vec![0u8; 2_200];
        for &value in values {
            let bits = value.abs().to_bits();
            let exponent = (bits >> 52) as usize;
            let whole = if exponent == 0 {
                bits
            } else {
                (bits & ((1 << 52) - 1)) | 1 << 52
            };
            let mut digits = vec![0u8; 2_200];
            for place in 0..53 {
                digits[place + exponent.max(1) - 1] = (whole >> place & 1) as u8;
            }
            let mut carry = u8::from(value < 0.0);
            for (sum, digit) in sum.iter_mut().zip(digits) {
                let digit = if value < 0.0 { 1 - digit } else { digit };
                let all = *sum + digit + carry;
                (*sum, carry) = (all & 1, all >> 1);
            }
        }
        let negative = sum[2_199] == 1;
        if negative {
            let mut carry = 1;
            for digit in &mut sum {
                let all = 1 - *digit + carry;
                (*digit, carry) = (all & 1, all >> 1);
            }
        }
        (negative, sum)
    }

    /// That sum, rounded to the nearest number, to even where it lies between two.
    fn rounded_by_hand(values: &[f64]) -> f64 {
        let (negative, digits) = by_hand(values);
        let Some(top) = digits.iter().rposition(|&digit| digit == 1) else {
            return 0.0;
        };
        let last = top.saturating_sub(52);
        let mut whole = digits[last..=top]
            .iter()
            .rev()
            .fold(0u64, |whole, &digit| whole << 1 | u64::from(digit));
        let half = last > 0 && digits[last - 1] == 1;
        let beyond = last > 1 && digits[..last - 1].contains(&1);
        whole += u64::from(half && (beyond || whole & 1 == 1));
        // whole 2^(last - 1074), where one more bit may have come.
        let mut result = whole as f64;
        for _ in 0..1074 - last.min(1074) {
            result /= 2.0;
        }
        for _ in 0..last.saturating_sub(1074) {
            result *= 2.0;
        }
        if negative { -result } else { result }
    }

    proptest! {
        #[test]
        fn a_sum_is_rounded_once(values in numbers()) {
            let expected = rounded_by_hand(&values);
            prop_assert_eq!(order_free_sum(values.iter().copied()).to_bits(), expected.to_bits());
        }

        #[test]
        fn the_order_changes_no_bit(values in numbers(), turn in 0usize..60) {
            let mut other = values.clone();
            other.rotate_left(turn % values.len());
            other.reverse();
            let [one, two] = [values, other].map(|values| order_free_sum(values).to_bits());
            prop_assert_eq!(one, two);
        }
    }

    #[test]
    fn what_cancels_and_what_is_small_is_kept() {
        let sum = |values: &[f64]| order_free_sum(values.iter().copied());
        assert_eq!(sum(&[1e300, 1.0, -1e300]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX, 0.0]), f64::INFINITY);
        let least = f64::from_bits(1);
        assert_eq!(sum(&[least, least, least]), 3.0 * least);
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0, least]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[-3.0]), -3.0);
        // More than are added before a carry, in every chunk's worst case.
        let many = vec![1.0 - f64::EPSILON / 2.0; 5_000];
        assert_eq!(sum(&many), 5_000.0 * (1.0 - f64::EPSILON / 2.0));
        let below = vec![-f64::MAX / 8_192.0; 5_000];
        assert_eq!(sum(&below), 5_000.0 * (-f64::MAX / 8_192.0));
    }

    #[test]
    fn what_is_not_finite_does_not_get_lost() {
        let sum = |values: &[f64]| order_free_sum(values.iter().copied());
        assert!(sum(&[1.0, f64::NAN, 2.0]).is_nan());
        assert_eq!(sum(&[1.0, f64::INFINITY, 2.0]), f64::INFINITY);
        assert_eq!(sum(&[1.0, f64::NEG_INFINITY, 2.0]), f64::NEG_INFINITY);
        assert!(sum(&[f64::INFINITY, 1.0, f64::NEG_INFINITY]).is_nan());
    }
}
