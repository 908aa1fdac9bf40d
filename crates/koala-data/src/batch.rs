//! Batches, made on the host.

use super::{Augment, ImageSet, Placement};

/// Normalised images of a batch on the host. It can be made on one thread and handed to another.
#[derive(Debug, Clone, PartialEq)]
pub struct HostBatch {
    /// Normalised values, `[batch, channels, height, width]`, the last dimension running fastest.
    pub images: Vec<f32>,
    /// Classes, `[batch]`.
    pub labels: Vec<u16>,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
}

impl ImageSet {
    /// A batch of the given samples in the given order, augmented if wished. Numbers of samples that do not exist are left
    /// out.
    pub fn host_batch(&self, samples: &[usize], augment: Option<&Augment>) -> HostBatch {
        HostBatch::of(self, samples, augment, Scaling::Normalised)
    }

    /// As [`ImageSet::host_batch`], but the values go from 0 for black to 1 for full brightness, in every channel: what
    /// autoencoders read and write.
    pub fn unit_batch(&self, samples: &[usize], augment: Option<&Augment>) -> HostBatch {
        HostBatch::of(self, samples, augment, Scaling::Unit)
    }

    /// As [`ImageSet::host_batch`], but the values go from -1 for black to 1 for full brightness, in every channel: what
    /// generators make and critics judge.
    pub fn signed_batch(&self, samples: &[usize], augment: Option<&Augment>) -> HostBatch {
        HostBatch::of(self, samples, augment, Scaling::Signed)
    }
}

impl HostBatch {
    fn of(set: &ImageSet, samples: &[usize], augment: Option<&Augment>, scaling: Scaling) -> Self {
        let (plane, size) = (set.height * set.width, set.size());
        let scales = match scaling {
            Scaling::Normalised => scales(set),
            Scaling::Unit => vec![Scale::unit(set.white); set.channels],
            Scaling::Signed => vec![Scale::signed(set.white); set.channels],
        };
        let known = samples.iter().filter(|s| **s < set.len());
        let labels: Vec<u16> = known.clone().map(|s| set.labels[*s]).collect();
        let mut images = vec![0.0; labels.len() * size];
        for (image, sample) in images.chunks_exact_mut(size.max(1)).zip(known) {
            let pixels = set.pixels(*sample);
            let placement = augment.map(|a| a.placement(*sample));
            for ((image, pixels), scale) in image
                .chunks_exact_mut(plane.max(1))
                .zip(pixels.chunks_exact(plane.max(1)))
                .zip(&scales)
            {
                match placement {
                    None => scale.normalise(image, pixels),
                    Some(placement) => place(image, pixels, set.width, *scale, placement),
                }
            }
        }
        Self {
            images,
            labels,
            shape: [set.channels, set.height, set.width],
        }
    }

    /// The same images in pieces of at most `size`, in order.
    pub fn pieces(self, size: usize) -> Vec<Self> {
        if size == 0 || size >= self.labels.len() {
            return vec![self];
        }
        let values = self.shape.iter().product::<usize>().max(1) * size;
        let parts = self.images.chunks(values).zip(self.labels.chunks(size));
        parts
            .map(|(images, labels)| Self {
                images: images.to_vec(),
                labels: labels.to_vec(),
                shape: self.shape,
            })
            .collect()
    }
}

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scaling {
    /// Mean 0 and deviation 1 over the training pixels of a channel.
    Normalised,
    /// From 0 for black to 1 for full brightness.
    Unit,
    /// From -1 for black to 1 for full brightness.
    Signed,
}

/// (p / white - mean) / deviation, as p * factor - shift.
#[derive(Debug, Clone, Copy)]
struct Scale {
    factor: f32,
    shift: f32,
}

fn scales(set: &ImageSet) -> Vec<Scale> {
    let white = f32::from(set.white);
    set.mean
        .iter()
        .zip(&set.deviation)
        .map(|(mean, deviation)| Scale {
            factor: 1.0 / (white * deviation),
            shift: mean / deviation,
        })
        .collect()
}

impl Scale {
    /// From 0 to 1.
    fn unit(white: u8) -> Self {
        Self {
            factor: 1.0 / f32::from(white),
            shift: 0.0,
        }
    }

    /// From -1 to 1.
    fn signed(white: u8) -> Self {
        Self {
            factor: 2.0 / f32::from(white),
            shift: 1.0,
        }
    }

    fn value(self, pixel: u8) -> f32 {
        f32::from(pixel) * self.factor - self.shift
    }

    fn normalise(self, values: &mut [f32], pixels: &[u8]) {
        for (value, pixel) in values.iter_mut().zip(pixels) {
            *value = self.value(*pixel);
        }
    }

    fn normalise_mirrored(self, values: &mut [f32], pixels: &[u8]) {
        for (value, pixel) in values.iter_mut().rev().zip(pixels) {
            *value = self.value(*pixel);
        }
    }
}

/// One channel, moved and mirrored: black where nothing of the image comes to lie.
fn place(plane: &mut [f32], pixels: &[u8], width: usize, scale: Scale, placement: Placement) {
    let Placement { down, right, flip } = placement;
    let height = plane.len() / width.max(1);
    plane.fill(scale.value(0));
    let columns = width.saturating_sub(right.unsigned_abs());
    let (from_row, to_row) = starts(down);
    let (from_column, to_column) = starts(right);
    let to_column = if flip {
        // Mirrored, the columns that are covered lie at the other side.
        width - columns - to_column.min(width - columns)
    } else {
        to_column
    };
    let rows = height.saturating_sub(down.unsigned_abs());
    let targets = plane.chunks_exact_mut(width.max(1)).skip(to_row);
    let sources = pixels.chunks_exact(width.max(1)).skip(from_row);
    for (target, source) in targets.zip(sources).take(rows) {
        let (Some(target), Some(source)) = (
            target.get_mut(to_column..to_column + columns),
            source.get(from_column..from_column + columns),
        ) else {
            return;
        };
        if flip {
            scale.normalise_mirrored(target, source);
        } else {
            scale.normalise(target, source);
        }
    }
}

/// Where reading and where writing begins when an image is moved by so many pixels.
fn starts(by: isize) -> (usize, usize) {
    if by < 0 {
        (by.unsigned_abs(), 0)
    } else {
        (0, by.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tests::three;
    use proptest::prelude::*;

    #[test]
    fn batches_are_normalised_and_in_order() {
        let batch = three().host_batch(&[2, 0, 7], None);
        assert_eq!(batch.labels, [1, 2]);
        assert_eq!(batch.shape, [1, 1, 2]);
        assert_eq!(batch.images, [0.0, 0.0, -2.0, 0.0]);
    }

    #[test]
    fn signed_batches_go_from_minus_one_to_one() {
        let batch = three().signed_batch(&[0, 1], None);
        assert_eq!(batch.images, [-1.0, 0.0, 1.0, -1.0]);
        assert_eq!(batch.labels, [2, 0]);
    }

    #[test]
    fn unit_batches_go_from_zero_to_one() {
        let batch = three().unit_batch(&[0, 1], None);
        assert_eq!(batch.images, [0.0, 0.5, 1.0, 0.0]);
        assert_eq!(batch.labels, [2, 0]);
    }

    /// Not even the largest byte goes beyond 1: the loss of what is written for it has a lower bound only within.
    #[test]
    fn no_byte_leaves_the_unit_interval() {
        for white in 1..=u8::MAX {
            let scale = Scale::unit(white);
            let values: Vec<f32> = (0..=white).map(|byte| scale.value(byte)).collect();
            assert!(values.iter().all(|v| (0.0..=1.0).contains(v)), "{white}");
        }
    }

    #[test]
    fn a_batch_of_nothing_is_empty() {
        let batch = three().host_batch(&[], None);
        assert!(batch.images.is_empty() && batch.labels.is_empty());
        assert_eq!(batch.shape, [1, 1, 2]);
    }

    #[test]
    fn every_channel_has_its_own_scale() {
        let set = ImageSet {
            channels: 3,
            height: 1,
            width: 1,
            classes: 1,
            white: 100,
            mean: vec![0.0, 0.5, 1.0],
            deviation: vec![1.0, 0.5, 0.25],
            pixels: vec![50, 50, 50],
            labels: vec![0],
        };
        assert_eq!(set.host_batch(&[0], None).images, [0.5, 0.0, -2.0]);
    }

    /// What a placement means, pixel by pixel.
    fn plainly(pixels: &[u8], width: usize, scale: Scale, to: Placement) -> Vec<f32> {
        let height = pixels.len() / width;
        let mut values = Vec::new();
        for y in 0..height as isize {
            for x in 0..width as isize {
                let x = if to.flip { width as isize - 1 - x } else { x };
                let (y, x) = (y - to.down, x - to.right);
                let inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
                let pixel = if inside {
                    pixels[y as usize * width + x as usize]
                } else {
                    0
                };
                values.push(scale.value(pixel));
            }
        }
        values
    }

    proptest! {
        #[test]
        fn placing_is_what_it_says(
            height in 1usize..7, width in 1usize..7, down in -8isize..=8, right in -8isize..=8, flip: bool,
            bytes in proptest::collection::vec(1u8..=255, 36),
        ) {
            let scale = Scale { factor: 0.25, shift: 3.0 };
            let pixels = &bytes[..height * width];
            let placement = Placement { down, right, flip };
            let mut plane = vec![f32::NAN; pixels.len()];
            place(&mut plane, pixels, width, scale, placement);
            prop_assert_eq!(plane, plainly(pixels, width, scale, placement));
        }
    }
}
