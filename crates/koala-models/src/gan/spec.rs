//! Options of a DCGAN, and which images it can make.

use serde::{Deserialize, Serialize};

use crate::ImageShape;
use crate::SpecError;
use crate::spec_error::at_most;

/// Options of a DCGAN: what its generator starts from, and how wide both networks are.
///
/// The images are squares of 8, 16, 32, 64, 128 or 256 pixels: 4 pixels, doubled by each layer but the generator's first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DcganSpec {
    /// Random numbers an image is made from. Default 128.
    pub noise: usize,
    /// Channels at half the images' size; every further halving doubles them. Default 64.
    pub width: usize,
}

impl Default for DcganSpec {
    fn default() -> Self {
        Self {
            noise: 128,
            width: 64,
        }
    }
}

const MOST_NOISE: usize = 1 << 16;
const WIDEST: usize = 1 << 10;
const MOST_CHANNELS: usize = 1 << 10;
/// Doublings from 4 pixels to 256.
const MOST_DOUBLINGS: u32 = 6;

impl DcganSpec {
    /// Checks the options alone, without the images.
    ///
    /// # Errors
    ///
    /// [`SpecError`] names the option that cannot be.
    pub fn check(&self) -> Result<(), SpecError> {
        at_most("noise", self.noise, MOST_NOISE)?;
        at_most("width", self.width, WIDEST)
    }

    /// Why it cannot make images of this shape, in words; nothing if it can.
    pub fn misfit(&self, shape: ImageShape) -> Option<String> {
        let ImageShape {
            channels,
            height,
            width,
            ..
        } = shape;
        if !(1..=MOST_CHANNELS).contains(&channels) {
            return Some(format!(
                "it makes images of 1 to {MOST_CHANNELS} channels, not {channels}"
            ));
        }
        (height != width || doublings(width).is_none()).then(|| {
            let remedy = match Self::side(shape) {
                Some(side) => format!("pad them to {side} x {side}"),
                None => "make them smaller".into(),
            };
            format!(
                "it makes squares of 8, 16, 32, 64, 128 or 256 pixels, and these images have {height} x {width}: {remedy}"
            )
        })
    }

    /// Sides of the smallest images it can make into which images of this shape fit; nothing if they are too large.
    pub fn side(shape: ImageShape) -> Option<usize> {
        (1..=MOST_DOUBLINGS)
            .map(|doublings| 4 << doublings)
            .find(|side| *side >= shape.height.max(shape.width))
    }

    /// Channels after each layer of the generator but its last, from 4 x 4 pixels up; the critic's, backwards.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), and `images` for [`misfit`](Self::misfit).
    pub(super) fn channels(&self, shape: ImageShape) -> Result<Vec<usize>, SpecError> {
        self.check()?;
        let misfit = |fault| SpecError {
            key: "images",
            fault,
        };
        if let Some(fault) = self.misfit(shape) {
            return Err(misfit(fault));
        }
        let doublings = doublings(shape.width).unwrap_or_default();
        Ok((0..doublings).rev().map(|n| self.width << n).collect())
    }
}

/// How many times 4 is doubled to get `side`, if it can be had so.
fn doublings(side: usize) -> Option<u32> {
    (1..=MOST_DOUBLINGS).find(|doublings| 4 << doublings == side)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::square;

    #[test]
    fn channels_double_as_pixels_halve() {
        let spec = DcganSpec::default();
        assert_eq!(spec.channels(square(3, 32)).unwrap(), [256, 128, 64]);
        assert_eq!(spec.channels(square(3, 8)).unwrap(), [64]);
        assert_eq!(spec.channels(square(3, 256)).unwrap().len(), 6);
    }

    #[test]
    fn images_it_cannot_make_are_refused_with_a_remedy() {
        let spec = DcganSpec::default();
        for (height, width, remedy) in [
            (28, 28, "28 x 28: pad them to 32 x 32"),
            (32, 16, "32 x 16: pad them to 32 x 32"),
            (4, 4, "4 x 4: pad them to 8 x 8"),
            (512, 512, "512 x 512: make them smaller"),
        ] {
            let shape = ImageShape {
                height,
                ..square(3, width)
            };
            let error = spec.channels(shape).unwrap_err().to_string();
            assert!(error.starts_with("images: it makes squares"), "{error}");
            assert!(error.ends_with(remedy), "{error}");
        }
        assert!(spec.channels(square(0, 8)).is_err());
    }

    #[test]
    fn options_that_cannot_be_are_named() {
        for (key, noise, width) in [
            ("noise", 0, 64),
            ("noise", 1 << 20, 64),
            ("width", 1, 0),
            ("width", 1, usize::MAX),
        ] {
            let spec = DcganSpec { noise, width };
            assert_eq!(spec.channels(square(3, 32)).unwrap_err().key, key);
        }
    }
}
