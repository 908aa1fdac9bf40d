//! The parts of a data set.

use super::{DataError, ImageSet, Parting, Share};

/// Samples in a row that have nothing to do with each other, so that they can be parted anywhere.
pub trait SampleSet: Sized {
    /// Number of samples.
    fn len(&self) -> usize;

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps only the first `count` samples; all of them if there are fewer.
    fn truncate(&mut self, count: usize);

    /// Takes the samples from number `at` on out of this set; none if there are fewer.
    #[must_use]
    fn split_off(&mut self, at: usize) -> Self;

    /// The given samples in the given order. Numbers of samples that do not exist are left out.
    #[must_use]
    fn select(&self, samples: &[usize]) -> Self;

    /// The class of each sample; empty if samples have none.
    fn strata(&self) -> &[u16] {
        &[]
    }
}

/// The parts of a data set of samples: one to train on, one to choose by, one that nothing is ever chosen by.
#[derive(Debug, Clone, PartialEq)]
pub struct Split<S = ImageSet> {
    /// The samples to train on.
    pub train: S,
    /// Samples held out of the training part, see [`Split::hold_out`].
    pub validation: Option<S>,
    /// The samples to test on.
    pub test: S,
}

impl Split {
    /// The same with all images in the middle of black ones of `side` x `side` pixels; cut off if they are larger.
    pub fn padded(&self, side: usize) -> Self {
        Self {
            train: self.train.padded(side),
            validation: self.validation.as_ref().map(|set| set.padded(side)),
            test: self.test.padded(side),
        }
    }
}

impl<S: SampleSet> Split<S> {
    /// Two parts, as the files of a data set have them.
    pub fn new(train: S, test: S) -> Self {
        Self {
            train,
            validation: None,
            test,
        }
    }

    /// Moves the last `count` samples of the training part to the validation part, in place of what was held out before;
    /// all of them if there are fewer. Which samples are last has nothing to do with a seed, so that every run anywhere
    /// is judged on the same ones. Nothing is moved if `count` is 0.
    pub fn hold_out(&mut self, count: usize) {
        if count > 0 {
            let kept = self.train.len().saturating_sub(count);
            self.validation = Some(self.train.split_off(kept));
        }
    }

    /// Draws so many samples out of the training part by a seed, of each class its share, and makes them the validation
    /// part, in place of what was held out before. The training part is then in a drawn order. Nothing is moved if the
    /// share is 0.
    ///
    /// # Errors
    ///
    /// [`DataError::Parts`] as [`Parting::stratified`].
    pub fn hold_out_drawn(&mut self, share: Share, seed: u64) -> Result<(), DataError> {
        if matches!(share, Share::Count(0) | Share::Fraction(0.0)) {
            return Ok(());
        }
        let parting = Parting {
            validation: share,
            test: Share::Count(0),
            seed,
        };
        let drawn = parting.split(&self.train)?;
        self.train = drawn.train;
        self.validation = drawn.validation;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tests::three;

    #[test]
    fn the_last_samples_are_held_out() {
        let mut split = Split::new(three(), three());
        split.hold_out(0);
        assert_eq!(split.validation, None);
        split.hold_out(2);
        let held = split.validation.as_ref().unwrap();
        assert_eq!(
            (split.train.labels(), held.labels()),
            (&[2][..], &[0, 1][..])
        );
        assert_eq!(held.pixels(1), [5, 5]);
        assert_eq!(split.test, three());
        split.hold_out(5);
        assert!(split.train.is_empty());
    }

    #[test]
    fn a_draw_of_each_class_is_held_out() {
        let mut split = Split::new(three().select(&[0, 0, 0, 1, 1, 1, 2, 2, 2]), three());
        let before = split.clone();
        split.hold_out_drawn(Share::Count(0), 1).unwrap();
        assert_eq!(split, before);
        split.hold_out_drawn(Share::Fraction(1.0 / 3.0), 1).unwrap();
        let held = split.validation.as_ref().unwrap();
        let mut labels = held.labels().to_vec();
        labels.sort_unstable();
        assert_eq!((labels, split.train.len()), (vec![0, 1, 2], 6));
        assert!(split.hold_out_drawn(Share::Count(6), 1).is_err());
    }
}
