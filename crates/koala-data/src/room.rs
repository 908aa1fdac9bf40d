//! Room in memory for samples, asked for before any is taken.

use std::path::Path;

use koala_system::available_memory;

use crate::DataError;

/// Bytes that all samples of a data set of one's own may take, however much there is.
pub(crate) const MOST: u64 = 1 << 33;

/// Refuses samples that take more memory than they may, or than there is.
pub(crate) fn check(file: &Path, samples: &str, bytes: u64, remedy: &str) -> Result<(), DataError> {
    check_of(file, samples, bytes, remedy, available_memory())
}

fn check_of(
    file: &Path,
    samples: &str,
    bytes: u64,
    remedy: &str,
    available: Option<u64>,
) -> Result<(), DataError> {
    let gib = bytes as f64 / (1u64 << 30) as f64;
    let fault = if bytes > MOST {
        format!("{samples} take {gib:.0} GiB, more than {} GiB", MOST >> 30)
    } else {
        match available {
            Some(available) if bytes > available => {
                format!("{samples} take {bytes} bytes of memory, and there are {available}")
            }
            _ => return Ok(()),
        }
    };
    Err(DataError::own(file, fault, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_told_with_both_numbers() {
        let of = |bytes, available| {
            let checked = check_of(Path::new("a"), "2 pictures", bytes, "Give fewer", available);
            checked.map_err(|fault| fault.to_string())
        };
        of(MOST, None).unwrap();
        of(MOST, Some(MOST)).unwrap();
        let text = of(MOST, Some(MOST - 1)).unwrap_err();
        assert_eq!(
            text,
            "a: 2 pictures take 8589934592 bytes of memory, and there are 8589934591. Give fewer"
        );
        let text = of(2 * MOST, Some(u64::MAX)).unwrap_err();
        assert_eq!(
            text,
            "a: 2 pictures take 16 GiB, more than 8 GiB. Give fewer"
        );
    }
}
