//! Every recording in the project holds.

use koala_filter::replay::{Precision, replay};

use crate::support::fixture;

fn holds(name: &str, precision: Precision, numbers_a_step: u64) {
    holds_over(name, precision, 40, numbers_a_step);
}

fn holds_over(name: &str, precision: Precision, steps: u64, numbers_a_step: u64) {
    let replay = replay(&fixture(name)).unwrap();
    assert_eq!(replay.settings.precision, precision);
    assert_eq!(replay.compared, steps * numbers_a_step);
    println!(
        "{name}: {:e} in {}",
        replay.worst.relative,
        replay.worst.place()
    );
    assert!(
        replay.holds(),
        "{:e} in {}",
        replay.worst.relative,
        replay.worst.place()
    );
}

/// Parameters of the recorded network: 64 x 12 + 12 + 12 x 10 + 10.
const N: u64 = 910;

#[test]
fn koala_v_holds() {
    holds("koala-v", Precision::Double, N + 2);
}

#[test]
fn koala_v_with_gain_only_decay_holds() {
    holds("koala-v-decay", Precision::Double, N + 2);
}

#[test]
fn koala_v_in_single_precision_holds() {
    holds("koala-v-f32", Precision::Single, N + 2);
}

#[test]
fn koala_m_holds() {
    holds("koala-m", Precision::Double, 2 * N + 6);
}

#[test]
fn koala_m_with_missing_gradients_holds() {
    holds("koala-m-missing", Precision::Double, 2 * N + 6);
}

#[test]
fn koala_m_in_single_precision_holds() {
    holds("koala-m-f32", Precision::Single, 2 * N + 6);
}

#[test]
fn koala_pp_holds() {
    holds("koala-pp", Precision::Double, N + 1);
}

/// Compared in a step of KOALA-A: predicted parameters, parameters and their means; R, P, Q, rho.
fn adaptive(parameters: u64) -> u64 {
    3 * parameters + 7
}

#[test]
fn koala_a_holds() {
    holds_over("koala-a", Precision::Double, 60, adaptive(N));
}

#[test]
fn koala_a_with_coupled_decay_and_missing_gradients_holds() {
    holds_over("koala-a-decay", Precision::Double, 40, adaptive(N));
}

#[test]
fn koala_a_in_single_precision_holds() {
    // A narrower network: 64 x 8 + 8 + 8 x 10 + 10.
    holds_over("koala-a-f32", Precision::Single, 60, adaptive(610));
}

#[test]
fn no_recording_is_left_out() {
    let folder = fixture("koala-v").parent().unwrap().to_owned();
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "safetensors"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let tested = [
        "koala-a",
        "koala-a-decay",
        "koala-a-f32",
        "koala-m",
        "koala-m-f32",
        "koala-m-missing",
        "koala-pp",
        "koala-v",
        "koala-v-decay",
        "koala-v-f32",
    ];
    assert_eq!(names, tested);
}
