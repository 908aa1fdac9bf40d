//! NGN-M and NGN-MDv1 against their paper's algorithms as they stand there, over plain numbers: no program of their authors was
//! found that has a licence.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use koala_train::optimizers::{NgnMSpec, NgnMdv1Spec, OptimizerSpec, SpsMaxSpec};

/// f(x) and its gradient, f never below 0.
type Problem<const N: usize> = fn([f64; N], usize) -> (f64, [f64; N]);

/// Squares of another noisy residual at each step, after `exp` so that no two coordinates are alike.
fn noisy(x: [f64; 3], step: usize) -> (f64, [f64; 3]) {
    let noise = (step as f64 * 1.7).sin();
    let residuals = [
        x[0].exp() - 1.5 - 0.1 * noise,
        3.0 * x[1] - x[0] + 0.3 * noise,
        0.2 * x[2] * x[1] - 1.0,
    ];
    let value = residuals.iter().map(|r| r * r).sum();
    let [a, b, c] = residuals.map(|r| 2.0 * r);
    let gradient = [a * x[0].exp() - b, 3.0 * b + 0.2 * c * x[2], 0.2 * c * x[1]];
    (value, gradient)
}

/// What this project's optimizer makes of a problem, point by point.
fn points<const N: usize>(
    spec: OptimizerSpec,
    problem: Problem<N>,
    start: [f64; N],
    factors: &[f64],
) -> Vec<[f64; N]> {
    let met = |step: usize, x: [f64; N]| problem(x, step);
    points_of(spec, met, start, factors)
}

/// What it makes of losses and gradients, each of a step and a point.
fn points_of<const N: usize>(
    spec: OptimizerSpec,
    met: impl Fn(usize, [f64; N]) -> (f64, [f64; N]),
    start: [f64; N],
    factors: &[f64],
) -> Vec<[f64; N]> {
    #[derive(Module, Debug)]
    struct Point {
        x: Param<Tensor<1>>,
    }
    let device = Device::flex();
    let tensor = |values: [f64; N]| {
        let data = TensorData::new(values.to_vec(), [N]);
        Tensor::<1>::from_data(data, (&device, DType::F64))
    };
    let mut model = Point {
        x: Param::from_tensor(Tensor::from_inner(tensor(start)).require_grad()),
    };
    let mut optimizer = spec.start(&model, 10).unwrap();
    let mut all = vec![start];
    for (step, factor) in factors.iter().enumerate() {
        let (value, gradient) = met(step, all[step]);
        let mut gradients = GradientsParams::new();
        gradients.register(model.x.id, tensor(gradient));
        // Two losses in single precision whose mean is the value in double.
        let high = value as f32;
        let losses = [2.0 * high, 2.0 * (value - f64::from(high)) as f32];
        model = optimizer
            .step(model, gradients, &losses, *factor)
            .unwrap()
            .0;
        let found: Vec<f64> = model.x.val().into_data().iter::<f64>().collect();
        all.push(found.try_into().unwrap());
    }
    all
}

/// Algorithm 1, with x_(k-1) as it stands there, and the decoupled decay.
fn algorithm_1<const N: usize>(
    [c, beta, decay]: [f64; 3],
    problem: Problem<N>,
    start: [f64; N],
    factors: &[f64],
) -> Vec<[f64; N]> {
    let mut all = vec![start];
    let mut before = start;
    for (step, factor) in factors.iter().enumerate() {
        let (x, c) = (all[step], c * factor);
        let (f, g) = problem(x, step);
        let square: f64 = g.iter().map(|g| g * g).sum();
        let gamma = c / (1.0 + c / (2.0 * f) * square);
        let next = std::array::from_fn(|i| {
            x[i] - (1.0 - beta) * gamma * g[i] + beta * (x[i] - before[i]) - c * decay * x[i]
        });
        before = x;
        all.push(next);
    }
    all
}

/// Algorithm 2, version 1.
fn algorithm_2<const N: usize>(
    [c, beta_1, beta_2, epsilon, decay]: [f64; 5],
    problem: Problem<N>,
    start: [f64; N],
    factors: &[f64],
) -> Vec<[f64; N]> {
    let mut all = vec![start];
    let (mut before, mut v) = (start, [0.0; N]);
    for (step, factor) in factors.iter().enumerate() {
        let (x, c) = (all[step], c * factor);
        let (f, g) = problem(x, step);
        for i in 0..N {
            v[i] = beta_2 * v[i] + (1.0 - beta_2) * g[i] * g[i];
        }
        let correction = 1.0 - beta_2.powi(step as i32 + 1);
        let d: [f64; N] = std::array::from_fn(|i| epsilon + (v[i] / correction).sqrt());
        let square: f64 = (0..N).map(|i| g[i] * g[i] / d[i]).sum();
        let gamma = c / (1.0 + c / (2.0 * f) * square);
        let next = std::array::from_fn(|i| {
            let sigma = gamma / d[i];
            x[i] - (1.0 - beta_1) * sigma * g[i] + beta_1 * (x[i] - before[i]) - c * decay * x[i]
        });
        before = x;
        all.push(next);
    }
    all
}

/// The largest difference of two runs, relative to what the second one has at that step.
fn apart<const N: usize>(found: &[[f64; N]], expected: &[[f64; N]]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let length = |v: [f64; N]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let pairs = found.iter().zip(expected);
    pairs.fold(0.0, |worst: f64, (a, b)| {
        let off = length(std::array::from_fn(|i| a[i] - b[i])) / length(*b);
        assert!(off.is_finite());
        worst.max(off)
    })
}

const START: [f64; 3] = [0.3, -0.8, 1.4];

fn falling() -> Vec<f64> {
    (0..60).map(|k| 1.0 - k as f64 / 60.0).collect()
}

#[test]
fn ngn_m_is_algorithm_1() {
    for [c, beta, decay] in [
        [1.0, 0.9, 0.0],
        [1e-2, 0.9, 0.0],
        [1e6, 0.5, 0.0],
        [0.3, 0.0, 0.02],
        [0.1, 0.9, 0.1],
    ] {
        let spec = OptimizerSpec::NgnM(NgnMSpec {
            learning_rate: c,
            momentum: beta,
            weight_decay: decay,
        });
        let expected = algorithm_1([c, beta, decay], noisy, START, &falling());
        // Losses and gradients at the other's points: by its own, a large rate would make roundings ever larger.
        let met = |step: usize, _| noisy(expected[step], step);
        let found = points_of(spec, met, START, &falling());
        let off = apart(&found, &expected);
        println!("ngn-m {c} {beta} {decay}: {off:e}");
        assert!(off < 1e-12, "{c} {beta} {decay}: {off:e}");
    }
}

#[test]
fn ngn_mdv1_is_algorithm_2() {
    for [c, beta_1, beta_2, epsilon, decay] in [
        [1e-3, 0.9, 0.999, 1e-8, 0.0],
        [1.0, 0.9, 0.999, 1e-8, 0.0],
        [1e5, 0.5, 0.9, 1e-3, 0.0],
        [0.1, 0.0, 0.0, 1e-8, 0.02],
        [0.01, 0.8, 0.99, 1e-6, 0.1],
    ] {
        let spec = OptimizerSpec::NgnMdv1(NgnMdv1Spec {
            learning_rate: c,
            beta_1,
            beta_2,
            epsilon,
            weight_decay: decay,
        });
        let numbers = [c, beta_1, beta_2, epsilon, decay];
        let expected = algorithm_2(numbers, noisy, START, &falling());
        let met = |step: usize, _| noisy(expected[step], step);
        let found = points_of(spec, met, START, &falling());
        let off = apart(&found, &expected);
        println!("ngn-mdv1 {numbers:?}: {off:e}");
        assert!(off < 1e-12, "{numbers:?}: {off:e}");
    }
}

/// Without momentum and with a rate that does not bind, the step is twice Polyak's for a loss that can be 0: SPS with c = 1/2.
#[test]
fn without_a_bound_it_is_polyaks_step() {
    let ngn = OptimizerSpec::NgnM(NgnMSpec {
        learning_rate: 1e12,
        momentum: 0.0,
        weight_decay: 0.0,
    });
    let sps = OptimizerSpec::SpsMax(SpsMaxSpec {
        learning_rate: 1e300,
        scale: 0.5,
        ..SpsMaxSpec::default()
    });
    let [ngn, sps] = [ngn, sps].map(|spec| points(spec, noisy, START, &[1.0; 8]));
    assert!(apart(&ngn, &sps) < 1e-9);
}

/// And with a small one it is gradient descent.
#[test]
fn with_a_small_rate_it_is_gradient_descent() {
    let spec = OptimizerSpec::NgnM(NgnMSpec {
        learning_rate: 1e-9,
        momentum: 0.0,
        weight_decay: 0.0,
    });
    let found = points(spec, noisy, START, &[1.0]);
    let (_, g) = noisy(START, 0);
    for i in 0..3 {
        let step = (found[1][i] - START[i]) / -1e-9;
        assert!((step - g[i]).abs() < 1e-5 * g[i].abs(), "{step} {}", g[i]);
    }
}

/// Where epsilon outweighs the second moment, the metric is epsilon times the identity, and NGN-MDv1 is NGN-M.
#[test]
fn in_a_round_metric_ngn_mdv1_is_ngn_m() {
    let diagonal = OptimizerSpec::NgnMdv1(NgnMdv1Spec {
        learning_rate: 0.3e12,
        epsilon: 1e12,
        ..NgnMdv1Spec::default()
    });
    let plain = OptimizerSpec::NgnM(NgnMSpec {
        learning_rate: 0.3,
        ..NgnMSpec::default()
    });
    let [diagonal, plain] = [diagonal, plain].map(|spec| points(spec, noisy, START, &[1.0; 60]));
    assert!(apart(&diagonal, &plain) < 1e-9);
}

/// The paper's theorem E.5 and its remark: on x^2 (1 + x^2) it converges for any c of 1/2 or more and beta of 9/25 or more,
/// where descent with momentum diverges.
#[test]
fn no_rate_is_too_large() {
    let quartic: Problem<1> = |[x], _| (x * x + x.powi(4), [2.0 * x + 4.0 * x.powi(3)]);
    for c in [0.5, 10.0, 1e4, 1e12] {
        for beta in [0.36, 0.9] {
            let spec = OptimizerSpec::NgnM(NgnMSpec {
                learning_rate: c,
                momentum: beta,
                weight_decay: 0.0,
            });
            let found = points(spec, quartic, [3.0], &[1.0; 1000]);
            let last = found[1000][0];
            assert!(last.abs() < 1e-6, "{c} {beta}: {last}");
        }
    }
}
