//! What the patches change: the published crates and the patched ones by turns, in one process.

mod convolution;
mod network;
mod normalisation;
mod rows;
mod tensors;
mod turns;

use burn_backend::{Backend, FloatDType};
use patched::Flex as Patched;
use patched_autodiff::Autodiff as PatchedAutodiff;
use published::Flex as Published;
use published_autodiff::Autodiff as PublishedAutodiff;

use crate::convolution::{Gradient, LAYERS};
use crate::normalisation::VALUES;
use crate::rows::ROWS;
use crate::tensors::{Tensor, difference, values};

/// How far results may be apart, as a share of the largest.
const NEAR: f64 = 1e-4;

fn main() {
    println!(
        "{:34} {:>12} {:>12} {:>7} {:>11} {:>9}",
        "", "published ms", "patched ms", "ratio", "of fastest", "apart"
    );
    for (gradient, what) in [(Gradient::Input, "input"), (Gradient::Weight, "weight")] {
        println!("conv2d, gradient of the {what}");
        for layer in LAYERS {
            compare::<Published, Patched>(
                layer.name,
                layer.gradient::<Published>(gradient),
                layer.gradient::<Patched>(gradient),
            );
        }
    }
    println!("batch_norm_train");
    for values in VALUES {
        compare::<Published, Patched>(
            values.name,
            values.forward::<Published>(),
            values.forward::<Patched>(),
        );
    }
    println!("batch_norm_train_backward");
    for values in VALUES {
        compare::<Published, Patched>(
            values.name,
            values.backward::<Published>(),
            values.backward::<Patched>(),
        );
    }
    println!("forward and back");
    for rows in ROWS {
        compare::<Published, Patched>(
            rows.name,
            rows.pass::<PublishedAutodiff<Published>>(),
            rows.pass::<PatchedAutodiff<Patched>>(),
        );
    }
    // Rounding grows through the network, and turns a ReLU here and there: results are compared in f64.
    let published = network::pass::<PublishedAutodiff<Published>>;
    let patched = network::pass::<PatchedAutodiff<Patched>>;
    let apart =
        apart::<Published, Patched>(published(FloatDType::F64)(), patched(FloatDType::F64)());
    report(
        "convolutions of ResNet-20",
        apart,
        published(FloatDType::F32),
        patched(FloatDType::F32),
    );
}

/// Compares and times.
fn compare<A: Backend, B: Backend>(
    name: &str,
    published: impl Fn() -> Tensor<A>,
    patched: impl Fn() -> Tensor<B>,
) {
    let apart = apart::<A, B>(published(), patched());
    report(name, apart, published, patched);
}

/// How far results are apart.
fn apart<A: Backend, B: Backend>(published: Tensor<A>, patched: Tensor<B>) -> f64 {
    difference(&values::<A>(published), &values::<B>(patched))
}

/// Prints a row of the table.
///
/// # Panics
///
/// If the results are not near each other.
fn report<T, U>(name: &str, apart: f64, published: impl Fn() -> T, patched: impl Fn() -> U) {
    assert!(apart < NEAR, "{name}: results are {apart} apart");
    let times = turns::times(|| drop(published()), || drop(patched()));
    println!(
        "  {name:32} {:>12.2} {:>12.2} {:>7.2} {:>11.2} {apart:>9.1e}",
        times.first, times.second, times.ratio, times.of_fastest
    );
}
