//! A small network on real digits with KOALA-M and no framework at all: forward and backward by hand, parameters in
//! plain vectors. Run it with `cargo run --release -p koala-filter --example digits`.

use std::{error::Error, io::Read};

use koala_filter::{KoalaMConfig, Observation, dense::Koala};

const DATA: &[u8] = include_bytes!("../../koala-data/assets/digits.csv.gz");
const PIXELS: usize = 64;
const HIDDEN: usize = 32;
const CLASSES: usize = 10;
const BATCH: usize = 32;

/// Weights and biases of the two layers, or their gradients.
type Parameters = [Vec<f32>; 4];
const LENGTHS: [usize; 4] = [HIDDEN * PIXELS, HIDDEN, CLASSES * HIDDEN, CLASSES];

/// Pixels from -1 to 1, and the class.
type Digit = (Vec<f32>, usize);

fn digits() -> Result<Vec<Digit>, Box<dyn Error>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(DATA).read_to_string(&mut text)?;
    let digit = |line: &str| {
        let mut numbers: Vec<f32> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let class = numbers.pop().ok_or("an empty line")? as usize;
        Ok((numbers.iter().map(|x| x / 8.0 - 1.0).collect(), class))
    };
    text.lines().map(digit).collect()
}

/// W x + b.
fn linear(w: &[f32], b: &[f32], x: &[f32]) -> Vec<f32> {
    let dot = |row: &[f32]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
    let rows = w.chunks(x.len()).zip(b);
    rows.map(|(row, b)| dot(row) + b).collect()
}

/// The hidden layer, and the probability of each class.
fn forward([w1, b1, w2, b2]: &Parameters, pixels: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let hidden: Vec<f32> = linear(w1, b1, pixels).into_iter().map(f32::tanh).collect();
    let powers = linear(w2, b2, &hidden).into_iter().map(f32::exp);
    let sum: f32 = powers.clone().sum();
    (hidden, powers.map(|power| power / sum).collect())
}

/// The cross-entropy of one digit; its share of the mean loss's gradient is added to `g`.
fn backward(x: &Parameters, (pixels, class): &Digit, g: &mut Parameters) -> f32 {
    let (hidden, mut errors) = forward(x, pixels);
    let loss = -errors[*class].ln();
    errors[*class] -= 1.0;
    let mut hidden_errors = [0.0; HIDDEN];
    for (class, error) in errors.iter().map(|e| e / BATCH as f32).enumerate() {
        g[3][class] += error;
        for (unit, h) in hidden.iter().enumerate() {
            g[2][class * HIDDEN + unit] += error * h;
            hidden_errors[unit] += error * x[2][class * HIDDEN + unit] * (1.0 - h * h);
        }
    }
    for (unit, error) in hidden_errors.into_iter().enumerate() {
        g[1][unit] += error;
        let row = g[0][unit * PIXELS..].iter_mut().zip(pixels);
        row.for_each(|(g, pixel)| *g += error * pixel);
    }
    loss
}

fn main() -> Result<(), Box<dyn Error>> {
    let digits = digits()?;
    let (train, test) = digits.split_at(1439);
    let start = |i| 0.1 * (i as f32 * 7.3).sin();
    let mut x = LENGTHS.map(|n| (0..n).map(start).collect::<Vec<_>>());
    let mut koala = Koala::<f32>::new(KoalaMConfig::new(), &LENGTHS)?;
    for epoch in 1..=10 {
        // Every epoch walks through the digits (a prime number of them) in a stride of its own.
        let order: Vec<_> = (0..train.len())
            .map(|i| i * 37 * epoch % train.len())
            .collect();
        let mut losses = Vec::new();
        for batch in order.chunks_exact(BATCH) {
            koala.predict(&mut x.each_mut().map(Vec::as_mut_slice))?;
            let mut g = LENGTHS.map(|n| vec![0.0; n]);
            let digits = batch.iter().map(|&i| backward(&x, &train[i], &mut g));
            let observation = Observation::from_losses(&digits.collect::<Vec<_>>());
            let g = g.each_ref().map(Vec::as_slice);
            koala.update(&mut x.each_mut().map(Vec::as_mut_slice), &g, &observation)?;
            losses.push(observation.mean());
        }
        let wrong = test.iter().filter(|(pixels, class)| {
            let (_, probabilities) = forward(&x, pixels);
            probabilities
                .iter()
                .any(|&other| other > probabilities[*class])
        });
        let error = 100.0 * wrong.count() as f64 / test.len() as f64;
        let loss = losses.iter().sum::<f64>() / losses.len() as f64;
        println!("epoch {epoch:2}: loss {loss:.4}, test error {error:.2} %");
    }
    Ok(())
}
