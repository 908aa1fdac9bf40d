//! Recordings with other settings, made here by the equations written down plainly, one number after the other.

use serde_json::{Value, json};

use crate::support::{Recording, Tensor};

/// What is recorded: an optimizer's name, rule and hyperparameters, with gradients missing and gains 0 now and then.
struct Case {
    optimizer: &'static str,
    rule: &'static str,
    hyperparameters: Value,
    shapes: Vec<(&'static str, Vec<usize>)>,
    steps: usize,
    missing: fn(step: usize, block: usize) -> bool,
    gain: fn(step: usize) -> f64,
}

impl Case {
    fn new(optimizer: &'static str, rule: &'static str, hyperparameters: Value) -> Self {
        Self {
            optimizer,
            rule,
            hyperparameters,
            shapes: vec![
                ("fc1.weight", vec![3, 4]),
                ("fc1.bias", vec![3]),
                ("scale", vec![]),
                ("deep.block.0.weight", vec![2, 1, 3, 2]),
            ],
            steps: 30,
            missing: |_, _| false,
            gain: |_| 1.0,
        }
    }
}

/// A pure pseudo-random number in [-1, 1).
fn noise(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// One block of KOALA++: v', H' and S'.
type Previous = Option<(Vec<f64>, Vec<f64>, f64)>;

fn record(case: &Case) -> Recording {
    let number = |key: &str, absent: f64| {
        case.hyperparameters
            .get(key)
            .and_then(Value::as_f64)
            .unwrap_or(absent)
    };
    let symmetric = case
        .hyperparameters
        .get("is_symmetric")
        .is_none_or(|it| it == true);
    let fixed_r = case.hyperparameters.get("r").and_then(Value::as_f64);
    let (alpha_r, kappa) = (number("alpha_r", 0.9), number("a", 0.9));
    let (sigma, q, qv) = (number("sigma", 1.0), number("q", 1.0), number("qv", 0.01));
    let w = if case.rule == "none" {
        0.0
    } else {
        number("weight_decay", 0.0)
    };
    let w_direction = if case.rule == "coupled" { w } else { 0.0 };

    let mut x: Vec<Vec<f64>> = case
        .shapes
        .iter()
        .enumerate()
        .map(|(block, (_, shape))| {
            let length: usize = shape.iter().product();
            (0..length)
                .map(|i| noise((block * 1000 + i) as u64))
                .collect()
        })
        .collect();
    let n: usize = x.iter().map(Vec::len).sum();
    let mut v: Vec<Vec<f64>> = x.iter().map(|x| vec![0.0; x.len()]).collect();
    let mut a = v.clone();
    let mut previous: Vec<Previous> = vec![None; x.len()];
    let mut p = [number("sw", 0.1), number("sc", 0.0), number("sv", 0.1)];
    if case.optimizer == "koala-v" {
        p = [sigma, 0.0, 0.0];
    }
    let (mut r, mut qw) = (fixed_r.unwrap_or(1.0), number("qw", 0.01));

    let mut recording = Recording::default();
    recording
        .set("optimizer", case.optimizer)
        .set("steps", &case.steps.to_string())
        .set("dtype", "float64")
        .set("weight_decay_rule", case.rule)
        .set("hyperparameters", &case.hyperparameters.to_string());
    let store = |recording: &mut Recording, kind: &str, step: usize, x: &[Vec<f64>]| {
        for ((name, shape), x) in case.shapes.iter().zip(x) {
            let name = format!("{kind}/{step}/{name}");
            recording.tensors.insert(name, Tensor::f64(shape, x));
        }
    };
    store(&mut recording, "param", 0, &x);
    let (mut losses, mut squares, mut gains) = (vec![], vec![], vec![]);
    let (mut rs, mut sigmas, mut ps, mut qws) = (vec![], vec![], vec![], vec![]);

    for step in 1..=case.steps {
        match case.optimizer {
            "koala-v" => p[0] += q,
            "koala-m" => {
                let squared: f64 = a
                    .iter()
                    .flatten()
                    .zip(x.iter().flatten())
                    .map(|(a, x)| (a - x).powi(2))
                    .sum();
                qw = 0.9 * qw + 0.1 * squared.sqrt() / n as f64;
                for (x, v) in x.iter_mut().flatten().zip(v.iter_mut().flatten()) {
                    *x += *v;
                    *v *= kappa;
                }
                p = [
                    p[0] + 2.0 * p[1] + p[2] + qw,
                    kappa * (p[1] + p[2]),
                    kappa * kappa * p[2] + qv,
                ];
                store(&mut recording, "predicted", step, &x);
            }
            _ => {}
        }
        let loss = 1.0 + noise(step as u64).abs();
        let loss_sq = loss * loss * (1.0 + 0.3 * noise(77 + step as u64).abs());
        let e = (case.gain)(step);
        losses.push(loss);
        squares.push(loss_sq);
        gains.push(e);
        r = fixed_r.unwrap_or(alpha_r * r + (1.0 - alpha_r) * loss_sq);

        let mut largest = 0.0_f64;
        for block in 0..x.len() {
            if (case.missing)(step, block) {
                continue;
            }
            let seed = (step * 100_000 + block * 1000) as u64;
            let g: Vec<f64> = (0..x[block].len() as u64)
                .map(|i| 0.4 * noise(seed + i) + 0.2 * x[block][i as usize])
                .collect();
            let (name, shape) = &case.shapes[block];
            recording
                .tensors
                .insert(format!("grad/{step}/{name}"), Tensor::f64(shape, &g));
            let h: Vec<f64> = g.iter().zip(&x[block]).map(|(g, x)| g + w * x).collect();
            let along: Vec<f64> = g
                .iter()
                .zip(&x[block])
                .map(|(g, x)| g + w_direction * x)
                .collect();
            let loss = loss + w / 2.0 * dot(&x[block], &x[block]);
            let h2 = dot(&h, &h);
            largest = largest.max(h2);
            let s = p[0] * h2 + r;
            if case.optimizer == "koala-pp" {
                let (v1, h1, s1) = previous[block].take().unwrap_or_else(|| {
                    let v1: Vec<f64> = h.iter().map(|h| sigma * h).collect();
                    let s1 = dot(&h, &v1) + q * h2 + r;
                    (v1, h.clone(), s1)
                });
                let p2 = dot(&h1, &h1);
                let alpha = dot(&h, &h1) / p2;
                let lambda = (dot(&h, &v1) + q * dot(&h, &h1)) / s1;
                let rho = if symmetric {
                    dot(&h, &v1) / p2 - dot(&h, &h1) * dot(&h1, &v1) / (p2 * p2)
                } else {
                    0.0
                };
                let v2: Vec<f64> = (0..h.len())
                    .map(|i| (alpha - lambda) * v1[i] + q * (h[i] - lambda * h1[i]) + rho * h1[i])
                    .collect();
                let s = dot(&h, &v2) + q * h2 + r;
                for i in 0..h.len() {
                    x[block][i] -= e * loss * (v2[i] + q * h[i]) / s;
                }
                previous[block] = Some((v2, h, s));
                continue;
            }
            for i in 0..h.len() {
                x[block][i] -= e * loss * p[0] / s * along[i];
                v[block][i] -= e * loss * p[1] / s * along[i];
                a[block][i] = 0.9 * a[block][i] + 0.1 * x[block][i];
            }
        }
        if largest > 0.0 {
            let s = p[0] + r / largest;
            p = [
                p[0] - p[0] * p[0] / s,
                p[1] - p[0] * p[1] / s,
                p[2] - p[1] * p[1] / s,
            ];
        }
        store(&mut recording, "param", step, &x);
        rs.push(r);
        sigmas.push(p[0]);
        ps.extend([p[0], p[1], p[1], p[2]]);
        qws.push(qw);
    }
    let steps = case.steps;
    let mut series = |name: &str, shape: &[usize], numbers: &[f64]| {
        recording
            .tensors
            .insert(name.to_owned(), Tensor::f64(shape, numbers));
    };
    series("loss", &[steps], &losses);
    series("loss_sq", &[steps], &squares);
    series("lr", &[steps], &gains);
    series("r", &[steps], &rs);
    match case.optimizer {
        "koala-v" => series("sigma", &[steps], &sigmas),
        "koala-m" => {
            series("P", &[steps, 2, 2], &ps);
            series("qw", &[steps], &qws);
        }
        _ => {}
    }
    recording
}

#[track_caller]
fn holds(case: &Case) {
    let replay = record(case).replay().unwrap();
    assert!(
        replay.holds(),
        "{}: {:e} in {}",
        case.hyperparameters,
        replay.worst.relative,
        replay.worst.place()
    );
}

#[test]
fn koala_v_with_other_hyperparameters_holds() {
    for rule in ["none", "coupled", "gain-only"] {
        for hyperparameters in [
            json!({}),
            json!({"sigma": 0, "q": 0.01, "weight_decay": 0.1}),
            json!({"sigma": 2.5, "q": 0, "r": 0.3}),
            json!({"r": 5, "weight_decay": 0.3}),
            json!({"r": null, "alpha_r": 0.5}),
            json!({"alpha_r": 0, "weight_decay": 1e-2}),
            json!({"alpha_r": 1}),
        ] {
            holds(&Case::new("koala-v", rule, hyperparameters));
        }
    }
}

#[test]
fn koala_m_with_other_hyperparameters_holds() {
    for rule in ["none", "coupled", "gain-only"] {
        for hyperparameters in [
            json!({}),
            json!({"sw": 0.3, "sc": 0.1, "sv": 0.2, "weight_decay": 0.1}),
            json!({"sw": 0.1, "sc": -0.1, "sv": 0.1}),
            json!({"sw": 0, "sv": 0, "qv": 0, "qw": 0}),
            json!({"a": 0, "qv": 0.5, "r": 0.3}),
            json!({"a": 1, "qv": 1e-4}),
            json!({"qw": 1, "alpha_r": 0.5, "weight_decay": 0.02}),
            json!({"r": 2, "a": 0.5, "sc": 0.05}),
        ] {
            holds(&Case::new("koala-m", rule, hyperparameters));
        }
    }
}

#[test]
fn koala_pp_with_other_hyperparameters_holds() {
    for symmetric in [true, false] {
        for hyperparameters in [
            json!({}),
            json!({"sigma": 0.2, "q": 0.2, "weight_decay": 0.1}),
            json!({"sigma": 0.01, "q": 0.05, "r": 3}),
            json!({"q": 0.1, "alpha_r": 0.5}),
        ] {
            for rule in ["none", "coupled"] {
                let mut hyperparameters = hyperparameters.clone();
                hyperparameters["is_symmetric"] = symmetric.into();
                holds(&Case::new("koala-pp", rule, hyperparameters));
            }
        }
    }
}

#[test]
fn gradients_may_be_missing_in_several_blocks_and_in_all() {
    for optimizer in ["koala-v", "koala-m", "koala-pp"] {
        let mut case = Case::new(optimizer, "coupled", json!({"weight_decay": 0.05}));
        case.missing = |step, block| step % 7 == 0 || (step * 3 + block * 5) % 4 == 0 || step == 1;
        holds(&case);
    }
}

#[test]
fn the_gain_may_follow_any_schedule_down_to_nothing() {
    for optimizer in ["koala-v", "koala-m", "koala-pp"] {
        let mut case = Case::new(optimizer, "coupled", json!({"weight_decay": 0.05}));
        case.gain = |step| match step {
            0..10 => step as f64 / 10.0,
            10..20 => 2.0,
            20..25 => 0.0,
            _ => 0.01,
        };
        holds(&case);
    }
}

#[test]
fn one_step_and_one_number_are_a_recording() {
    for optimizer in ["koala-v", "koala-m", "koala-pp"] {
        let mut case = Case::new(optimizer, "none", json!({}));
        case.shapes = vec![("x", vec![])];
        case.steps = 1;
        holds(&case);
    }
}

#[test]
fn a_block_without_an_element_is_skipped() {
    for optimizer in ["koala-v", "koala-m", "koala-pp"] {
        let mut case = Case::new(optimizer, "none", json!({}));
        case.shapes.push(("nothing", vec![0, 3]));
        case.missing = |_, block| block == 4;
        holds(&case);
    }
}

/// The series may be of either type in a single-precision recording.
#[test]
fn series_in_single_precision_hold_too() {
    for name in ["koala-v-f32", "koala-m-f32"] {
        let mut recording = Recording::load(name);
        for series in ["loss", "loss_sq", "lr", "r", "sigma", "P", "qw"] {
            if let Some(tensor) = recording.tensors.get_mut(series) {
                let numbers: Vec<f32> = tensor.numbers().iter().map(|&x| x as f32).collect();
                *tensor = Tensor::f32(&tensor.shape, &numbers);
            }
        }
        let replay = recording.replay().unwrap();
        assert!(
            replay.holds(),
            "{name}: {:e} in {}",
            replay.worst.relative,
            replay.worst.place()
        );
    }
}

/// Tensors that the optimizer does not need are compared or ignored, never a fault.
#[test]
fn predictions_of_koala_v_are_compared_if_they_are_there() {
    let mut recording = Recording::load("koala-v");
    let predicted = recording.tensors["param/4/fc2.bias"].clone();
    recording
        .tensors
        .insert("predicted/5/fc2.bias".into(), predicted);
    assert!(recording.replay().unwrap().holds());
    recording.tensor("predicted/5/fc2.bias").nudge(0, 1e-6);
    let replay = recording.replay().unwrap();
    assert_eq!(replay.worst.tensor, "predicted/5/fc2.bias");
    assert!(!replay.holds());
}
