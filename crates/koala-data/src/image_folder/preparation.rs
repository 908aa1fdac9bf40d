//! What is done to a picture before a network sees it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::moments::Moments;
use crate::{DataError, ImageSet, picture};

/// What was done to the pictures that a network has learned from, and so what is to be done to one that it is to judge.
/// To be stored with a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImagePreparation {
    /// The names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// Colours of a pixel: 1 for grey, or 3.
    pub channels: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Whether pictures are made this large; otherwise they have to be.
    pub resize: bool,
    /// Mean of the training pixels of each channel, on the scale from 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of the training pixels of each channel, on the scale from 0 to 1; 1 where all are the same.
    pub deviation: Vec<f32>,
}

impl ImagePreparation {
    /// The picture of a file as a set of one, of class 0: its [`ImageSet::host_batch`] is what the network wants to see.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the file is no whole picture, or is of another size and nothing makes it this large; or if the
    /// preparation does not agree with itself.
    pub fn picture(&self, file: &Path) -> Result<ImageSet, DataError> {
        self.check(file)?;
        let picture = picture::read(file, self.resize.then_some(self.height))?;
        if (picture.height, picture.width) != (self.height, self.width) {
            return Err(DataError::own(
                file,
                format!(
                    "a picture of {} x {} pixels, where those learned from have {} x {}",
                    picture.width, picture.height, self.width, self.height
                ),
                "Make it of that size; or train with --image-size, which makes all pictures of one size",
            ));
        }
        Ok(self.set(picture.into_planes(self.channels), vec![0]))
    }

    /// A set of prepared pictures.
    pub(crate) fn set(&self, pixels: Vec<u8>, labels: Vec<u16>) -> ImageSet {
        ImageSet {
            channels: self.channels,
            height: self.height,
            width: self.width,
            classes: self.classes.len(),
            white: u8::MAX,
            mean: self.mean.clone(),
            deviation: self.deviation.clone(),
            pixels,
            labels,
        }
    }

    /// A stored one may have been written by hand.
    fn check(&self, file: &Path) -> Result<(), DataError> {
        let channels = matches!(self.channels, 1 | 3)
            && self.mean.len() == self.channels
            && self.deviation.len() == self.channels;
        let finite = self.mean.iter().all(|mean| mean.is_finite())
            && self.deviation.iter().all(|d| d.is_normal() && *d > 0.0);
        let size = !self.resize || self.height == self.width;
        if channels && finite && size && self.height > 0 && self.width > 0 {
            return Ok(());
        }
        Err(DataError::own(
            file,
            "what is to be done to it, stored with the run, does not agree with itself",
            "Take it from the folder of the run as it was written",
        ))
    }
}

/// Mean and standard deviation of the pixels of each channel of pictures of `plane` pixels, on the scale from 0 to 1.
pub(crate) fn normalisation(pixels: &[u8], channels: usize, plane: usize) -> (Vec<f32>, Vec<f32>) {
    let mut counts = vec![[0u64; 256]; channels];
    for (at, plane) in pixels.chunks_exact(plane.max(1)).enumerate() {
        let counts = &mut counts[at % channels.max(1)];
        for pixel in plane {
            counts[usize::from(*pixel)] += 1;
        }
    }
    let moments = counts.iter().map(|counts| {
        let mut moments = Moments::default();
        for (value, count) in counts.iter().enumerate() {
            moments.add(value as f64 / 255.0, *count);
        }
        (moments.mean() as f32, moments.deviation() as f32)
    });
    moments.unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_its_normalisation() {
        // Two pictures of two pixels in two channels.
        let (mean, deviation) = normalisation(&[0, 255, 51, 51, 0, 255, 51, 51], 2, 2);
        assert_eq!((mean, deviation), (vec![0.5, 0.2], vec![0.5, 1.0]));
        assert_eq!(normalisation(&[], 1, 4), (vec![0.0], vec![1.0]));
    }
}
