//! What the text of a cell means.

/// What stands for a value that is missing, in any case of letters.
const MISSING: [&str; 6] = ["", "na", "n/a", "nan", "?", "null"];

/// Whether a cell has no value.
pub(super) fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    cell.len() <= 4
        && MISSING
            .iter()
            .any(|missing| cell.eq_ignore_ascii_case(missing))
}

/// The number of a cell: finite, and no larger than single precision holds. With `comma`, its decimals may follow a comma.
pub(super) fn number(cell: &str, comma: bool) -> Option<f64> {
    let cell = cell.trim();
    // Rust's parser knows words too.
    if !cell.starts_with(|first: char| first.is_ascii_digit() || "+-.,".contains(first)) {
        return None;
    }
    let value: f64 = match cell.parse() {
        Ok(value) => value,
        Err(_) if comma => cell.replacen(',', ".", 1).parse().ok()?,
        Err(_) => return None,
    };
    (value.abs() <= f64::from(f32::MAX)).then_some(value)
}

/// A cell as a message shows it.
pub(super) fn shown(cell: &str) -> String {
    let cell = cell.trim();
    if cell.chars().nth(40).is_none() {
        return format!("'{cell}'");
    }
    let first: String = cell.chars().take(40).collect();
    format!("'{first}...'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn missing_values_are_known() {
        for cell in [
            "", "  ", "NA", "n/a", "NaN", "nan", "?", "null", "NULL", " ? ",
        ] {
            assert!(is_missing(cell), "{cell}");
        }
        for cell in ["0", "none", "-", "no", "nano", "??"] {
            assert!(!is_missing(cell), "{cell}");
        }
    }

    #[test]
    fn numbers_are_finite_and_may_have_a_decimal_comma() {
        for (cell, value) in [("1", 1.0), (" -2.5e3 ", -2500.0), (".5", 0.5), ("+3.", 3.0)] {
            assert_eq!(
                (number(cell, false), number(cell, true)),
                (Some(value), Some(value))
            );
        }
        assert_eq!(
            (
                number("1,5", false),
                number("-1,5", true),
                number(",5", true)
            ),
            (None, Some(-1.5), Some(0.5))
        );
        for cell in [
            "", "inf", "-inf", "nan", "1e39", "1e999", "0x10", "1 000", "12%", "1,2,3", "1.2,3",
            "-", "e5",
        ] {
            assert_eq!(
                (number(cell, false), number(cell, true)),
                (None, None),
                "{cell}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in -1e30f64..1e30) {
            prop_assert_eq!(number(&value.to_string(), false), Some(value));
            prop_assert_eq!(number(&value.to_string().replace('.', ","), true), Some(value));
        }
    }
}
