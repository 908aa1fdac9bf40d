//! A batch in pieces makes the step of the whole batch.

use koala_train::run::{Override, RunConfig, Value, execute};
use koala_train::training::{Interrupt, Silent};
use safetensors::SafeTensors;

fn weights(options: &[(&str, Value)], piece: i64, steps: i64) -> Vec<f32> {
    let mut all: Vec<_> = options
        .iter()
        .map(|(key, value)| Override::new(*key, value.clone()))
        .collect();
    all.push(Override::new("micro-batch-size", piece));
    all.push(Override::new("max-steps", steps));
    let config = RunConfig::resolve(None, &all).unwrap();
    let outcome = execute(&config, &mut Silent, &Interrupt::default()).unwrap();
    let bytes = outcome.network.weights().unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = tensors.names();
    names.sort_unstable();
    names
        .into_iter()
        .flat_map(|name| tensors.tensor(name).unwrap().data().to_vec())
        .collect::<Vec<u8>>()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

/// The largest difference, relative to the length of the vector's longest entry.
fn difference(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let longest = one.iter().fold(0f32, |most, value| most.max(value.abs()));
    let pairs = one.iter().zip(other);
    pairs.fold(0f32, |most, (a, b)| most.max((a - b).abs())) / longest
}

#[test]
fn pieces_make_the_step_of_the_whole_batch() {
    let images: &[(&str, Value)] = &[("batch-size", 50.into())];
    let text: &[(&str, Value)] = &[
        ("dataset.name", "tiny-shakespeare".into()),
        ("dataset.window", 8.into()),
        ("train-limit", 2000.into()),
        ("batch-size", 10.into()),
        ("model.name", "lstm".into()),
        ("model.hidden", 8.into()),
        ("model.dropout", 0.0.into()),
    ];
    let reconstruction: &[(&str, Value)] = &[
        ("batch-size", 50.into()),
        ("model.name", "autoencoder".into()),
        ("model.hidden", vec![12, 4, 12].into()),
    ];
    let regression: &[(&str, Value)] = &[
        ("batch-size", 50.into()),
        ("dataset.name", "friedman".into()),
    ];
    for optimizer in ["koala-m", "koala-v", "koala-pp", "sgd", "adam"] {
        // Dropout draws for each piece, so it is left out.
        for (options, pieces) in [
            (images, [50, 16, 1]),
            (text, [10, 4, 1]),
            (reconstruction, [50, 16, 1]),
            (regression, [50, 16, 1]),
        ] {
            let mut options = options.to_vec();
            options.push(("optimizer.name", optimizer.into()));
            let whole = weights(&options, 0, 3);
            let before = weights(&options, 0, 2);
            assert!(difference(&before, &whole) > 1e-4, "a step moves");
            for piece in pieces {
                let found = weights(&options, piece, 3);
                let difference = difference(&whole, &found);
                assert!(difference < 2e-5, "{optimizer}, {piece}: {difference:e}");
            }
        }
    }
}
