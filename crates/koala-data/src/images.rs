//! Labelled images in memory.

use super::SampleSet;

/// Labelled images, kept as the bytes of their file and normalised when a batch is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageSet {
    /// Colours of a pixel: 1 or 3.
    pub channels: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Number of classes; every label is below it.
    pub classes: usize,
    /// The byte that stands for full brightness.
    pub white: u8,
    /// Mean of the training pixels of each channel, on the scale from 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of the training pixels of each channel, on the scale from 0 to 1.
    pub deviation: Vec<f32>,
    /// Image by image, channel by channel, row by row.
    pub(crate) pixels: Vec<u8>,
    pub(crate) labels: Vec<u16>,
}

impl ImageSet {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The class of each sample.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// The bytes of one image, `[channels, height, width]`; empty if there is no such sample.
    pub fn pixels(&self, sample: usize) -> &[u8] {
        let size = self.size();
        let start = sample.saturating_mul(size);
        self.pixels
            .get(start..start.saturating_add(size))
            .unwrap_or_default()
    }

    /// Bytes of one image.
    pub(super) fn size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Keeps only the first `count` samples; all of them if there are fewer.
    pub fn truncate(&mut self, count: usize) {
        self.labels.truncate(count);
        self.pixels.truncate(count.saturating_mul(self.size()));
    }

    /// Takes the samples from number `at` on out of this set; none if there are fewer.
    pub fn split_off(&mut self, at: usize) -> Self {
        let at = at.min(self.len());
        Self {
            channels: self.channels,
            height: self.height,
            width: self.width,
            classes: self.classes,
            white: self.white,
            mean: self.mean.clone(),
            deviation: self.deviation.clone(),
            pixels: self.pixels.split_off(at * self.size()),
            labels: self.labels.split_off(at),
        }
    }

    /// The same images in the middle of black ones of `side` x `side` pixels, what is odd to the right and below; cut off
    /// there if they are larger.
    pub fn padded(&self, side: usize) -> Self {
        let (top, left) = (
            side.saturating_sub(self.height) / 2,
            side.saturating_sub(self.width) / 2,
        );
        let mut pixels = vec![0; self.len() * self.channels * side * side];
        let old = self.pixels.chunks_exact((self.height * self.width).max(1));
        let new = pixels.chunks_exact_mut((side * side).max(1));
        for (old, new) in old.zip(new) {
            let old = old.chunks_exact(self.width.max(1));
            let new = new.chunks_exact_mut(side.max(1)).skip(top);
            for (old, new) in old.zip(new) {
                for (old, new) in old.iter().zip(new.iter_mut().skip(left)) {
                    *new = *old;
                }
            }
        }
        Self {
            height: side,
            width: side,
            pixels,
            labels: self.labels.clone(),
            mean: self.mean.clone(),
            deviation: self.deviation.clone(),
            ..*self
        }
    }
}

impl SampleSet for ImageSet {
    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, count: usize) {
        self.truncate(count);
    }

    fn split_off(&mut self, at: usize) -> Self {
        self.split_off(at)
    }

    fn select(&self, samples: &[usize]) -> Self {
        let known = || samples.iter().filter(|sample| **sample < self.labels.len());
        Self {
            mean: self.mean.clone(),
            deviation: self.deviation.clone(),
            pixels: known().flat_map(|s| self.pixels(*s)).copied().collect(),
            labels: known().map(|sample| self.labels[*sample]).collect(),
            ..*self
        }
    }

    fn strata(&self) -> &[u16] {
        &self.labels
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Three images of 1 x 2 in three classes.
    pub fn three() -> ImageSet {
        ImageSet {
            channels: 1,
            height: 1,
            width: 2,
            classes: 3,
            white: 10,
            mean: vec![0.5],
            deviation: vec![0.25],
            pixels: vec![0, 5, 10, 0, 5, 5],
            labels: vec![2, 0, 1],
        }
    }

    #[test]
    fn truncation_keeps_the_first() {
        let mut set = three();
        set.truncate(1);
        assert_eq!(
            (set.len(), set.pixels(0), set.pixels(1)),
            (1, &[0u8, 5][..], &[][..])
        );
        set.truncate(9);
        assert_eq!(set.len(), 1);
        assert!(set.pixels(usize::MAX).is_empty());
    }

    #[test]
    fn padding_is_black_all_around() {
        let set = ImageSet {
            channels: 3,
            labels: vec![1],
            pixels: vec![1, 2, 3, 4, 5, 6],
            ..three()
        };
        let padded = set.padded(4);
        assert_eq!((padded.len(), padded.height, padded.size()), (1, 4, 48));
        for (channel, plane) in padded.pixels(0).chunks(16).enumerate() {
            let pixels = [2 * channel as u8 + 1, 2 * channel as u8 + 2];
            let row = [0, pixels[0], pixels[1], 0];
            assert_eq!(plane, [[0; 4], row, [0; 4], [0; 4]].concat());
        }
        assert_eq!(set.padded(1).pixels(0), [1, 3, 5]);
    }

    #[test]
    fn what_is_selected_comes_in_order() {
        let some = three().select(&[2, 0, 9]);
        assert_eq!((some.labels(), some.pixels(0)), (&[1, 2][..], &[5, 5][..]));
        assert_eq!(some.pixels(1), [0, 5]);
    }

    #[test]
    fn what_is_split_off_is_the_rest() {
        let mut set = three();
        let rest = set.split_off(1);
        assert_eq!((set.labels(), set.pixels(0)), (&[2][..], &[0, 5][..]));
        assert_eq!((rest.labels(), rest.pixels(1)), (&[0, 1][..], &[5, 5][..]));
        assert_eq!((set.pixels(1), rest.pixels(2)), (&[][..], &[][..]));
        assert!(set.split_off(7).is_empty());
    }
}
