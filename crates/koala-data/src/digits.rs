//! The embedded digits: 1,797 images of 8 x 8, a network's first minute.
//!
//! Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998, licence
//! CC BY 4.0.

use std::path::Path;

use super::{DataError, ImageSet, Split, inflate};

const PACKED: &[u8] = include_bytes!("../assets/digits.csv.gz");
const NAME: &str = "digits.csv.gz (embedded)";
const SIDE: usize = 8;
const CLASSES: usize = 10;
const WHITE: u8 = 16;
/// Mean and standard deviation of the training part's pixels, on the scale from 0 to 1.
const MEAN: f32 = 0.305;
const DEVIATION: f32 = 0.376;
/// One sample in this many of each class is for testing.
const TEST_EVERY: usize = 5;

/// The embedded digits, split into 1,442 samples to train on and 355 to test on.
///
/// The split is fixed and has nothing to do with the seed: of each class, in the order of the file, every fifth sample
/// is for testing. So every class keeps its share in both parts, and every run anywhere tests on the same images.
///
/// # Errors
///
/// [`DataError::Format`] if the program's own copy is damaged.
pub fn digits() -> Result<Split, DataError> {
    parse(&inflate(Path::new(NAME), PACKED, 1 << 20)?)
}

fn parse(text: &[u8]) -> Result<Split, DataError> {
    let fault = |expected: String, found: String| DataError::format(NAME, expected, found);
    let text = str::from_utf8(text).map_err(|e| fault("text".into(), e.to_string()))?;
    let empty = ImageSet {
        channels: 1,
        height: SIDE,
        width: SIDE,
        classes: CLASSES,
        white: WHITE,
        mean: vec![MEAN],
        deviation: vec![DEVIATION],
        pixels: Vec::new(),
        labels: Vec::new(),
    };
    let (mut train, mut test) = (empty.clone(), empty);
    let mut seen = [0usize; CLASSES];
    for (row, line) in text.lines().enumerate() {
        let row = row + 1;
        let values: Vec<u8> = line
            .split(',')
            .map(|v| v.trim().parse::<u8>())
            .collect::<Result<_, _>>()
            .map_err(|e| fault(format!("small numbers in row {row}"), e.to_string()))?;
        let [pixels @ .., label] = values.as_slice() else {
            return Err(fault(format!("65 values in row {row}"), "none".into()));
        };
        if pixels.len() != SIDE * SIDE {
            return Err(fault(
                format!("65 values in row {row}"),
                format!("{}", values.len()),
            ));
        }
        if let Some(high) = pixels.iter().find(|p| **p > WHITE) {
            return Err(fault(
                format!("pixels from 0 to {WHITE} in row {row}"),
                high.to_string(),
            ));
        }
        let Some(count) = seen.get_mut(usize::from(*label)) else {
            return Err(fault(
                format!("a label from 0 to 9 in row {row}"),
                label.to_string(),
            ));
        };
        *count += 1;
        let part = if *count % TEST_EVERY == 0 {
            &mut test
        } else {
            &mut train
        };
        part.pixels.extend(pixels);
        part.labels.push(u16::from(*label));
    }
    if train.is_empty() || test.is_empty() {
        return Err(fault(
            "at least 5 samples of a class".into(),
            format!("{} samples", train.len()),
        ));
    }
    Ok(Split::new(train, test))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_sample_is_in_one_part_and_every_class_in_both() {
        let Split { train, test, .. } = digits().unwrap();
        assert_eq!((train.len(), test.len()), (1442, 355));
        for class in 0..10u16 {
            let count = |set: &ImageSet| set.labels().iter().filter(|l| **l == class).count();
            assert_eq!(count(&test), (count(&train) + count(&test)) / 5);
        }
    }

    #[test]
    fn the_normalisation_is_that_of_the_training_part() {
        let train = digits().unwrap().train;
        let values: Vec<f64> = train.pixels.iter().map(|p| f64::from(*p) / 16.0).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!((mean - f64::from(MEAN)).abs() < 1e-3, "{mean}");
        assert!(
            (variance.sqrt() - f64::from(DEVIATION)).abs() < 1e-3,
            "{variance}"
        );
    }

    #[test]
    fn faults_are_named() {
        let row = |pixel: &str, label: &str| format!("{}{label}\n", format!("{pixel},").repeat(64));
        let fault = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert!(fault("").contains("at least 5 samples"));
        assert!(fault("1,2\n").contains("65 values in row 1, found 2"));
        assert!(fault(&row("17", "0")).contains("pixels from 0 to 16 in row 1, found 17"));
        assert!(fault(&row("1", "10")).contains("a label from 0 to 9 in row 1, found 10"));
        assert!(fault(&row("x", "1")).contains("small numbers in row 1"));
        assert!(
            parse(&[0xff])
                .unwrap_err()
                .to_string()
                .contains("expected text")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[0-9,\n]{0,300}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}
