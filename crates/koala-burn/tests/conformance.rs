//! Every made run goes the same way through Burn as through slices: on flex memory, by tensor operations, in one thread
//! and in many, and when it is saved and loaded in the middle.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

mod common;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use common::{Network, gradients, groups, values};
use koala_burn::{Koala, KoalaAConfig, StepReport, UpdatePath};
use koala_filter::Layout;
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
        let case = representable(case, dtype);
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

/// The case with numbers that `dtype` has: KOALA-A's first direction is the gradient's sign, which rounding can turn.
fn representable(mut case: Case, dtype: FloatDType) -> Case {
    let gradients = case.steps.iter_mut().flat_map(|step| &mut step.gradients);
    for values in gradients.flatten().chain(&mut case.initial) {
        let elements = values.len();
        let data = TensorData::new(std::mem::take(values), [elements]);
        let rounded = Tensor::<1>::from_data(data, &Device::flex()).cast(dtype);
        *values = rounded.into_data().iter::<f32>().collect();
    }
    case
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
                (burn.parameters(), burn.evaluated())
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
            assert!(whole.evaluated() == second.evaluated(), "{}", case.name);
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
        let expected = &case.reference().unwrap()[case.steps.len() - 1];
        let found = [one.parameters(), one.evaluated().unwrap()].concat();
        let expected = expected.updated.iter().chain(&expected.evaluated);
        for (x, y) in expected.flatten().zip(found.iter().flatten()) {
            assert!((x - y).abs() < 1e-5, "{}: {x} {y}", case.name);
        }
    }
}

/// The cases with a second convolution that is one piece of work: larger tensors are cut along their axes here, and anywhere
/// in slices, so that their sums are added in another order.
fn of_one_piece(mut case: Case) -> Case {
    let mut layout = Layout::new();
    for group in &case.layout.groups()[1..] {
        layout = layout.with_group(group.clone());
    }
    for parameter in case.layout.parameters() {
        let mut shape = parameter.shape.clone();
        if shape == [72, 60, 3, 3] {
            shape[0] = 36;
        }
        layout = layout.with_parameter(parameter.name.clone(), &shape, parameter.group);
    }
    let lengths = layout.parameters().iter().map(|parameter| parameter.len());
    for (at, length) in lengths.enumerate() {
        case.initial[at].truncate(length);
        for step in &mut case.steps {
            if let Some(gradient) = &mut step.gradients[at] {
                gradient.truncate(length);
            }
        }
    }
    case.layout = layout;
    case
}

#[test]
fn flex_memory_has_the_bits_of_slices() {
    for case in cases().into_iter().map(of_one_piece) {
        let mut burn = Burn::new(&case, UpdatePath::Automatic, FloatDType::F32);
        for (step, expected) in case.steps.iter().zip(case.reference().unwrap()) {
            burn.predict().unwrap();
            assert!(burn.parameters() == expected.predicted, "{}", case.name);
            let report = burn.update(step).unwrap();
            assert!(burn.parameters() == expected.updated, "{}", case.name);
            assert!(burn.evaluated().unwrap() == expected.evaluated);
            let bits = |report: &StepReport| serde_json::to_string(report).unwrap();
            assert_eq!(bits(&report), bits(&expected.report), "{}", case.name);
        }
    }
}

/// Makes one of the parameters `f64`, which is worked on by tensor operations.
struct Widen(&'static str, Vec<String>);

impl ModuleMapper for Widen {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.1.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.1.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.1.join(".") == self.0 {
            param.map(|tensor| tensor.cast(FloatDType::F64).detach().require_grad())
        } else {
            param
        }
    }
}

/// With ε so large that the floor matters, the largest second moment is sometimes that of the one tensor that is worked on
/// by tensor operations, sometimes that of the others.
#[test]
fn tensors_of_both_kinds_share_the_floor_of_the_metric() {
    let config = KoalaAConfig::new().with_epsilon(0.3);
    let cases: Vec<Case> = cases();
    let case = cases.iter().find(|case| case.name == "koala-a").unwrap();
    for (scaled, by) in [(4, 30.0), (4, 1e-3), (1, 30.0)] {
        let mut case = Case {
            config: config.clone().into(),
            ..case.clone()
        };
        for gradient in case.steps.iter_mut().flat_map(|s| &mut s.gradients[scaled]) {
            gradient.iter_mut().for_each(|g| *g *= by);
        }
        for widened in ["head.weight", "body.0.weight", ""] {
            for path in [UpdatePath::Automatic, UpdatePath::Generic] {
                let mut burn = Burn::new(&case, path, FloatDType::F32);
                burn.model = burn.model.map(&mut Widen(widened, Vec::new()));
                let found = check(&case, &mut burn, 1e-5);
                assert!(found.is_ok(), "{widened}, {path:?}: {found:?}");
            }
        }
    }
}
