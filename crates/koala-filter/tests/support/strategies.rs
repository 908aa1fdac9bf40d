//! Configurations to try.

use koala_filter::{
    Config, DecayRule, Innovations, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig,
    MeasurementNoise, Metric, Options, Partition, PlusPlusVariant, PositionNoise, Schedule, Target,
    WeightDecay,
};
use proptest::prelude::*;

/// Each method at least once, in each of its forms, with default options.
pub fn methods() -> Vec<Config> {
    vec![
        KoalaVConfig::new().into(),
        KoalaMConfig::new().into(),
        KoalaMConfig::new()
            .with_position_noise(PositionNoise::Paper)
            .into(),
        KoalaMConfig::new()
            .with_position_noise(PositionNoise::Fixed(1e-3))
            .into(),
        KoalaMConfig::new().with_coast(false).into(),
        KoalaPpConfig::new().into(),
        KoalaPpConfig::new()
            .with_variant(PlusPlusVariant::MinimumNorm)
            .into(),
        KoalaAConfig::new().into(),
        KoalaAConfig::new().with_metric(Metric::None).into(),
        KoalaAConfig::new().with_mean(None).into(),
        KoalaAConfig::new()
            .with_metric(Metric::None)
            .with_mean(None)
            .into(),
    ]
}

/// Those of them that have an innovation a block.
pub fn block_methods() -> Vec<Config> {
    let mut methods = methods();
    methods.retain(|config| config.demands().innovation == Innovations::PerBlock);
    methods
}

pub fn with_options(mut config: Config, change: impl FnOnce(&mut Options)) -> Config {
    change(config.options_mut());
    config
}

/// Lengths of a few blocks.
pub fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..20, 1..6)
}

fn unit() -> impl Strategy<Value = f64> {
    0.0..1.0
}

pub fn options() -> impl Strategy<Value = Options> {
    (
        prop_oneof![Just(0.0), 0.01..0.3],
        prop_oneof![
            Just(DecayRule::Coupled),
            Just(DecayRule::Decoupled),
            Just(DecayRule::GainOnly)
        ],
        prop_oneof![
            (0.1..5.0).prop_map(MeasurementNoise::Fixed),
            unit().prop_map(|smoothing| MeasurementNoise::BiasCorrected { smoothing }),
            (unit(), 0.1..5.0)
                .prop_map(|(smoothing, initial)| MeasurementNoise::Adaptive { smoothing, initial })
        ],
        0.1..1.5,
        prop_oneof![
            Just(Schedule::Constant),
            Just(Schedule::LinearWarmup { warmup: 5 }),
            Just(Schedule::Cosine {
                warmup: 3,
                total: 25,
                floor: 0.1
            })
        ],
        prop_oneof![Just(Partition::PerTensor), Just(Partition::Global)],
        prop_oneof![2 => Just(Target::Constant(0.0)), 1 => (0.0..0.9).prop_map(Target::Relative)],
    )
        .prop_map(
            |(rate, rule, measurement_noise, gain, schedule, partition, target)| Options {
                gain,
                schedule,
                weight_decay: WeightDecay { rate, rule },
                measurement_noise,
                target,
                partition,
                ..Options::default()
            },
        )
}

/// Any of the methods with any of its hyperparameters and options.
pub fn configs() -> impl Strategy<Value = Config> {
    let method = prop_oneof![
        (0.01..2.0, 0.0..2.0).prop_map(|(p, q)| Config::from(
            KoalaVConfig::new()
                .with_initial_covariance(p)
                .with_process_noise(q)
        )),
        (
            (0.01..1.0, 0.01..1.0, -0.9..0.9),
            (unit(), any::<bool>()),
            prop_oneof![
                unit().prop_map(|initial| PositionNoise::Authors { initial }),
                Just(PositionNoise::Paper),
                unit().prop_map(PositionNoise::Fixed)
            ],
            0.0..0.3
        )
            .prop_map(
                |((p11, p22, correlation), (kappa, coast), noise, q_v): (
                    (f64, f64, f64),
                    (f64, bool),
                    PositionNoise,
                    f64
                )| Config::from(
                    KoalaMConfig::new()
                        .with_initial_covariance(p11, correlation * (p11 * p22).sqrt(), p22)
                        .with_velocity_decay(kappa)
                        .with_position_noise(noise)
                        .with_velocity_noise(q_v)
                        .with_coast(coast)
                )
            ),
        (0.01..1.0, 0.0..0.5, any::<bool>()).prop_map(|(sigma, q, symmetric)| Config::from(
            KoalaPpConfig::new()
                .with_initial_covariance(sigma)
                .with_process_noise(q)
                .with_variant(if symmetric {
                    PlusPlusVariant::Symmetric
                } else {
                    PlusPlusVariant::MinimumNorm
                })
        )),
        (
            (0.01..3.0, unit(), any::<bool>()),
            (unit(), prop_oneof![Just(1e-8), Just(0.0), 1e-6..1e-2]),
            (0.0..0.5, 0.0..0.5, 1.0..100.0, unit()),
            (
                prop::option::of(0.0..20.0),
                prop_oneof![Just(0.0), 0.0..2.0]
            ),
        )
            .prop_map(
                |(
                    (q, kappa, diagonal),
                    (beta, epsilon),
                    (up, down, horizon, smoothing),
                    (eta, floor),
                )| {
                    Config::from(
                        KoalaAConfig::new()
                            .with_initial_process_noise(q)
                            .with_velocity_decay(kappa)
                            .with_metric(if diagonal {
                                Metric::Diagonal
                            } else {
                                Metric::None
                            })
                            .with_second_moment_smoothing(beta)
                            .with_epsilon(epsilon)
                            .with_rates(up, down)
                            .with_rate_horizon(horizon)
                            .with_whiteness_smoothing(smoothing)
                            .with_gradient_floor(floor)
                            .with_mean(eta),
                    )
                }
            ),
    ];
    (method, options()).prop_map(|(mut config, options)| {
        let gain_only = config.demands().gain_only_decay;
        let chosen = config.options_mut();
        *chosen = options;
        if !gain_only && chosen.weight_decay.rule == DecayRule::GainOnly {
            chosen.weight_decay.rule = DecayRule::Coupled;
        }
        config
    })
}
