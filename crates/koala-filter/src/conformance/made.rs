//! The cases.

use super::case::{Case, Step};
use crate::{
    Config, Group, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Layout, Metric,
    NegativeResidual, Partition, PlusPlusVariant, PositionNoise, Schedule, Target, WeightDecay,
};

/// A convolutional network's parameters: one tensor larger than a piece of work, one of a single element.
const PARAMETERS: [(&str, &[usize]); 7] = [
    ("stem.weight", &[8, 3, 3, 3]),
    ("body.0.weight", &[72, 60, 3, 3]),
    ("body.0.bias", &[72]),
    ("body.1.weight", &[12, 72, 1, 1]),
    ("head.weight", &[96, 10]),
    ("head.bias", &[10]),
    ("scale", &[1]),
];

const SAMPLES: usize = 24;
const STEPS: usize = 6;

/// Every run of the conformance suite.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, config) in methods() {
        cases.push(made(method, config.clone(), plain()));
        let decayed = with(&config, |options| {
            options.weight_decay = WeightDecay::coupled(2e-2);
        });
        cases.push(made(
            &format!("{method}, coupled decay"),
            decayed.clone(),
            plain(),
        ));
        let decoupled = with(&config, |options| {
            options.weight_decay = WeightDecay::decoupled(2e-2);
        });
        cases.push(made(
            &format!("{method}, decoupled decay"),
            decoupled,
            plain(),
        ));
        if config.demands().gain_only_decay {
            let gain_only = with(&config, |options| {
                options.weight_decay = WeightDecay::gain_only(2e-2);
            });
            cases.push(made(
                &format!("{method}, gain-only decay"),
                gain_only,
                plain(),
            ));
        }
        cases.push(made(
            &format!("{method}, groups"),
            decayed.clone(),
            grouped(),
        ));
        let global = with(&decayed, |options| options.partition = Partition::Global);
        cases.push(made(&format!("{method}, one block"), global, grouped()));
        cases.push(with_gaps(made(
            &format!("{method}, missing gradients and measurements"),
            config.clone(),
            plain(),
        )));
        let rest = with(&config, |options| {
            options.gain = 1.5;
            options.schedule = Schedule::Cosine {
                warmup: 0,
                total: 10,
                floor: 0.1,
            };
            options.target = Target::Constant(0.9);
            options.negative_residual = NegativeResidual::Clamp;
            options.max_update_norm = Some(0.05);
        });
        cases.push(made(
            &format!("{method}, target, schedule and bound"),
            rest,
            plain(),
        ));
    }
    cases.push(with_gaps(made(
        "koala-m, no coasting, missing gradients and measurements",
        KoalaMConfig::new().with_coast(false).into(),
        plain(),
    )));
    for (method, config) in methods()
        .into_iter()
        .filter(|(name, _)| !name.contains(','))
    {
        let relative = with(&config, |options| options.target = Target::Relative(0.4));
        let name = format!("{method}, a share of the first loss, the first of all missing");
        let mut case = made(&name, relative, plain());
        case.steps[0].losses[3] = f32::NAN;
        cases.push(case);
    }
    cases
}

fn methods() -> [(&'static str, Config); 9] {
    let m = KoalaMConfig::new;
    [
        ("koala-v", KoalaVConfig::new().into()),
        ("koala-m", m().into()),
        (
            "koala-m, paper",
            m().with_position_noise(PositionNoise::Paper).into(),
        ),
        (
            "koala-m, fixed",
            m().with_position_noise(PositionNoise::Fixed(1e-3)).into(),
        ),
        ("koala-pp", KoalaPpConfig::new().into()),
        (
            "koala-pp, minimum-norm",
            KoalaPpConfig::new()
                .with_variant(PlusPlusVariant::MinimumNorm)
                .into(),
        ),
        ("koala-a", KoalaAConfig::new().into()),
        (
            "koala-a, no metric",
            KoalaAConfig::new().with_metric(Metric::None).into(),
        ),
        (
            "koala-a, no mean",
            KoalaAConfig::new().with_mean(None).into(),
        ),
    ]
}

fn with(config: &Config, change: impl FnOnce(&mut crate::Options)) -> Config {
    let mut config = config.clone();
    change(config.options_mut());
    config
}

fn plain() -> Layout {
    layout(Layout::new(), |_| 0)
}

/// The stem frozen, biases without decay, the head with a gain of its own.
fn grouped() -> Layout {
    let groups = Layout::new()
        .with_group(Group::frozen())
        .with_group(Group::without_decay())
        .with_group(Group::default().with_gain(0.25));
    layout(groups, |name| {
        if name.starts_with("stem") {
            1
        } else if name.ends_with("bias") {
            2
        } else if name.starts_with("head") {
            3
        } else {
            0
        }
    })
}

fn layout(groups: Layout, group: impl Fn(&str) -> usize) -> Layout {
    PARAMETERS.iter().fold(groups, |layout, &(name, shape)| {
        layout.with_parameter(name, shape, group(name))
    })
}

fn made(name: &str, config: Config, layout: Layout) -> Case {
    let mut random = Random(17);
    let vectors = |random: &mut Random, scale: f32| -> Vec<Vec<f32>> {
        let parameters = layout.parameters().iter();
        parameters
            .map(|parameter| {
                (0..parameter.len())
                    .map(|_| scale * random.next())
                    .collect()
            })
            .collect()
    };
    let initial = vectors(&mut random, 0.3);
    let drift = vectors(&mut random, 0.02);
    let steps = (0..STEPS)
        .map(|step| Step {
            // Successive gradients resemble each other, as in training.
            gradients: vectors(&mut random, 0.02)
                .into_iter()
                .zip(&drift)
                .map(|(noise, drift)| Some(noise.iter().zip(drift).map(|(n, d)| n + d).collect()))
                .collect(),
            losses: (0..SAMPLES)
                .map(|_| 2.0 - 0.25 * step as f32 + random.next())
                .collect(),
        })
        .collect();
    Case {
        name: name.to_owned(),
        config,
        layout,
        initial,
        steps,
    }
}

/// A parameter without a gradient, one with a vanishing gradient, a loss and a gradient that are not finite, and no
/// gradient at all.
fn with_gaps(mut case: Case) -> Case {
    case.steps[0].gradients[3] = None;
    case.steps[1].gradients[1] = None;
    if let Some(gradient) = &mut case.steps[1].gradients[2] {
        gradient.fill(1e-12);
    }
    case.steps[2].losses[5] = f32::NAN;
    if let Some(gradient) = &mut case.steps[3].gradients[4] {
        gradient[7] = f32::INFINITY;
    }
    case.steps[4].gradients.fill(None);
    case
}

/// Uniform numbers in [-1, 1) of a fixed sequence (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // 24 bits, all of which an f32 holds.
        (z >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}
