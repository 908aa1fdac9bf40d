//! Every made run goes the same way through Burn as through slices: on flex memory, by tensor operations, in one thread
//! and in many, and when it is saved and loaded in the middle.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

mod common;

use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use common::{Network, gradients, groups, values};
use koala_burn::{Koala, StepReport, UpdatePath};
use koala_filter::conformance::{Adapter, Case, Step, cases, check};

struct Burn {
    model: Network,
    optimizer: Koala,
}

/// Tensor operations run where `BURN_DEVICE` says, if Burn was built with such a device: `BURN_DEVICE=vulkan cargo test
/// --release -p koala-burn -p koala-lab --features koala-lab/vulkan --test conformance`. The path into memory is flex's.
fn device(path: UpdatePath) -> Device {
    let device = match path {
        UpdatePath::Generic => Device::default(),
        _ => Device::flex(),
    };
    device.autodiff()
}

impl Burn {
    fn new(case: &Case, path: UpdatePath, dtype: FloatDType) -> Self {
        let model = Network::new(case, &device(path), dtype);
        let optimizer = Koala::with_groups(case.config.clone(), &model, groups(case))
            .unwrap()
            .with_path(path);
        Self { model, optimizer }
    }

    fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.predict().unwrap();
            self.update(step).unwrap();
        }
    }
}

impl Adapter for Burn {
    fn predict(&mut self) -> Result<(), String> {
        let result = self.optimizer.predict(&mut self.model);
        result.map_err(|error| error.to_string())
    }

    fn update(&mut self, step: &Step) -> Result<StepReport, String> {
        let gradients = gradients(&self.model, step);
        let data = TensorData::new(step.losses.clone(), [step.losses.len()]);
        let losses = Tensor::<1>::from_data(data, &self.model.scale.device());
        let report = self.optimizer.update(&mut self.model, gradients, losses);
        report.map_err(|error| error.to_string())
    }

    fn parameters(&self) -> Vec<Vec<f32>> {
        values(&self.model)
    }

    fn evaluated(&self) -> Result<Vec<Vec<f32>>, String> {
        let model = self.optimizer.evaluation(&self.model);
        Ok(values(&model.map_err(|error| error.to_string())?))
    }
}

fn conforms(path: UpdatePath, dtype: FloatDType, tolerance: f64) {
    let mut worst = 0.0_f64;
    for case in cases() {
        let mut burn = Burn::new(&case, path, dtype);
        assert_eq!(
            burn.optimizer.filter().layout().parameters(),
            case.layout.parameters()
        );
        match check(&case, &mut burn, tolerance) {
            Ok(difference) => worst = worst.max(difference),
            Err(error) => panic!("{path:?}, {dtype:?}: {error}"),
        }
    }
    println!("{path:?}, {dtype:?}: worst relative difference {worst:.1e}");
}

#[test]
fn flex_memory_conforms() {
    conforms(UpdatePath::Automatic, FloatDType::F32, 1e-6);
}

#[test]
fn tensor_operations_conform() {
    conforms(UpdatePath::Generic, FloatDType::F32, 1e-5);
}

#[test]
fn double_precision_conforms() {
    conforms(UpdatePath::Automatic, FloatDType::F64, 1e-5);
}

#[test]
fn half_precision_conforms_to_its_rounding() {
    conforms(UpdatePath::Automatic, FloatDType::BF16, 5e-2);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    for case in cases() {
        let run = |threads| {
            pool(threads).install(|| {
                let mut burn = Burn::new(&case, UpdatePath::Automatic, FloatDType::F32);
                burn.run(&case.steps);
                burn.parameters()
            })
        };
        let one = run(1);
        assert!(one == run(2) && one == run(5), "{}", case.name);
    }
}

#[test]
fn a_run_goes_on_from_its_file_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("optimizer.safetensors");
    for case in cases() {
        for update_path in [UpdatePath::Automatic, UpdatePath::Generic] {
            let mut whole = Burn::new(&case, update_path, FloatDType::F32);
            whole.run(&case.steps);

            let mut first = Burn::new(&case, update_path, FloatDType::F32);
            first.run(&case.steps[..3]);
            first.optimizer.save(&path, &first.model).unwrap();
            // Only values survive a file: the ids are others.
            let model = Network::new(
                &Case {
                    initial: first.parameters(),
                    ..case.clone()
                },
                &device(update_path),
                FloatDType::F32,
            );
            let optimizer = Koala::load(&path, &model).unwrap().with_path(update_path);
            assert_eq!(
                optimizer.filter(),
                first.optimizer.filter(),
                "{}",
                case.name
            );
            let mut second = Burn { model, optimizer };
            second.run(&case.steps[3..]);
            assert!(whole.parameters() == second.parameters(), "{}", case.name);
            assert_eq!(whole.optimizer.filter(), second.optimizer.filter());
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_path_can_change_on_the_way() {
    for case in cases() {
        let mut one = Burn::new(&case, UpdatePath::Generic, FloatDType::F32);
        one.run(&case.steps[..3]);
        one.optimizer = one.optimizer.with_path(UpdatePath::Automatic);
        one.run(&case.steps[3..]);
        let expected = &case.reference().unwrap()[case.steps.len() - 1].updated;
        for (x, y) in expected
            .iter()
            .flatten()
            .zip(one.parameters().iter().flatten())
        {
            assert!((x - y).abs() < 1e-5, "{}: {x} {y}", case.name);
        }
    }
}
