//! Made pictures of ten kinds: a fixed pattern each, seen through noise.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::tensor::{Device, Int, Tensor, TensorData};

pub const SIDE: usize = 8;
pub const KINDS: usize = 10;

/// One picture and its kind.
#[derive(Clone, Debug)]
pub struct Picture {
    pixels: Vec<f32>,
    kind: usize,
}

/// A few pictures.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Samples, pixels.
    pub pictures: Tensor<2>,
    pub kinds: Tensor<1, Int>,
}

/// Puts pictures on a device.
#[derive(Clone)]
pub struct Batches;

impl Batcher<Picture, Batch> for Batches {
    fn batch(&self, pictures: Vec<Picture>, device: &Device) -> Batch {
        let samples = pictures.len();
        let kinds: Vec<i32> = pictures.iter().map(|picture| picture.kind as i32).collect();
        let pixels: Vec<f32> = pictures
            .into_iter()
            .flat_map(|picture| picture.pixels)
            .collect();
        Batch {
            pictures: Tensor::from_data(TensorData::new(pixels, [samples, SIDE * SIDE]), device),
            kinds: Tensor::from_data(TensorData::new(kinds, [samples]), device),
        }
    }
}

/// Pictures made from a seed.
pub fn pictures(count: usize, seed: u64) -> InMemDataset<Picture> {
    let mut patterns = Random(12345);
    let patterns: Vec<Vec<f32>> = (0..KINDS)
        .map(|_| (0..SIDE * SIDE).map(|_| patterns.next().signum()).collect())
        .collect();
    let mut random = Random(seed);
    let pictures = (0..count).map(|at| {
        let kind = at % KINDS;
        let pixels = patterns[kind]
            .iter()
            .map(|pixel| 0.5 * pixel + 2.0 * random.next())
            .collect();
        Picture { pixels, kind }
    });
    InMemDataset::new(pictures.collect())
}

/// Uniform numbers in [-1, 1) (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}
