//! Pictures that show their class as the place and the colour of a spot.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Made pictures.
pub(super) struct Pictures {
    /// `[count, channels, side, side]`.
    pub pixels: Vec<u8>,
    /// `[count]`; every class in turn.
    pub labels: Vec<u16>,
}

/// Places of spots from left to right and from top to bottom; classes beyond their number differ in colour.
const GRID: usize = 4;

impl Pictures {
    pub fn new(
        generator: &mut ChaCha8Rng,
        count: usize,
        channels: usize,
        side: usize,
        classes: usize,
    ) -> Self {
        let mut pixels = Vec::with_capacity(count * channels * side * side);
        let mut labels = Vec::with_capacity(count);
        for sample in 0..count {
            let class = sample % classes.max(1);
            labels.push(class as u16);
            // Up to a pixel away from its place.
            let mut jitter = || f64::from(generator.next_u32() % 3) - 1.0;
            let at = |place: usize| (place as f64 + 0.5) * side as f64 / GRID as f64;
            let x = at(class % GRID) + jitter();
            let y = at(class / GRID % GRID) + jitter();
            for channel in 0..channels {
                let colour = (class / (GRID * GRID) + 1) * (channel + 1) % 4;
                let bright = if channels == 1 {
                    200.0
                } else {
                    50.0 + 50.0 * colour as f64
                };
                for row in 0..side {
                    for column in 0..side {
                        let distance = (row as f64 - y).hypot(column as f64 - x);
                        let spot = bright * (-(distance * 8.0 / side as f64).powi(2) / 2.0).exp();
                        let noise = generator.next_u32() % 32;
                        pixels.push((spot + f64::from(noise)) as u8);
                    }
                }
            }
        }
        Self { pixels, labels }
    }

    /// The pixels of one picture.
    pub fn picture(&self, sample: usize) -> &[u8] {
        let size = self.pixels.len() / self.labels.len().max(1);
        self.pixels
            .get(sample * size..(sample + 1) * size)
            .unwrap_or_default()
    }
}
