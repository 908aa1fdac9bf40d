//! The same bits on every processor: whichever vectors it has, and whatever the number of threads.

#![allow(clippy::unwrap_used, clippy::panic)]

use koala_filter::dense::{Koala, Real};
use koala_filter::{
    Config, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Metric, Observation,
    PositionNoise, WeightDecay,
};

/// One longer than a piece of parallel work, one that leaves a rest beside whole vectors, one shorter than any.
const LENGTHS: [usize; 3] = [40_001, 1_003, 5];

/// Numbers in [-1, 1) that need every bit of a mantissa, from a linear congruential generator.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn tensors<F: Real>(&mut self, scale: f64) -> Vec<Vec<F>> {
        let tensor = |length| {
            (0..length)
                .map(|_| F::from_f64(scale * self.next()))
                .collect()
        };
        LENGTHS.map(tensor).into()
    }
}

/// FNV-1a over the bits of all parameters after a dozen steps.
fn bits<F: Real>(config: impl Into<Config>) -> u64 {
    let mut numbers = Numbers(1);
    let mut parameters: Vec<Vec<F>> = numbers.tensors(0.1);
    let mut optimizer = Koala::new(config, &LENGTHS).unwrap();
    for _ in 0..12 {
        let gradients: Vec<Vec<F>> = numbers.tensors(0.01);
        let losses = [2.0 + numbers.next(), 2.0 + numbers.next()];
        let mut slices: Vec<&mut [F]> = parameters.iter_mut().map(Vec::as_mut_slice).collect();
        optimizer.predict(&mut slices).unwrap();
        let gradients: Vec<&[F]> = gradients.iter().map(Vec::as_slice).collect();
        optimizer
            .update(&mut slices, &gradients, &Observation::from_losses(&losses))
            .unwrap();
    }
    parameters
        .iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325, |hash, x| {
            (hash ^ x.to_f64().to_bits()).wrapping_mul(0x0100_0000_01b3)
        })
}

fn both(config: impl Into<Config> + Clone) -> [u64; 2] {
    [bits::<f32>(config.clone()), bits::<f64>(config)]
}

/// With the settings that the bits below were made with, whatever the defaults are.
fn adaptive() -> KoalaAConfig {
    KoalaAConfig::new()
        .with_initial_process_noise(0.3)
        .with_rates(0.2, 0.1)
        .with_gradient_floor(0.0)
}

#[test]
fn no_processor_changes_a_bit() {
    let decay = WeightDecay::coupled(5e-4);
    let found = [
        both(KoalaVConfig::new()),
        both(KoalaVConfig::new().with_weight_decay(decay)),
        both(KoalaMConfig::new()),
        both(KoalaMConfig::new().with_weight_decay(decay)),
        both(KoalaMConfig::new().with_position_noise(PositionNoise::Fixed(0.01))),
        both(KoalaPpConfig::new()),
        both(KoalaPpConfig::new().with_weight_decay(decay)),
        both(adaptive()),
        both(adaptive().with_weight_decay(decay)),
        both(adaptive().with_metric(Metric::None)),
        both(adaptive().with_gradient_floor(0.35)),
    ];
    // By a build for plain x86-64, without the attributes that make versions for wider vectors. In double precision since sums
    // are taken in 16 lanes; the first seven in single precision are older than any other build.
    let expected = [
        [0x2475_3bb1_cba2_a71f, 0x462d_4c53_ef51_2226],
        [0xd9e5_fcb5_6ba2_a71f, 0xa457_dde3_a9c7_ca49],
        [0xd521_e89f_aba2_a71f, 0x0b01_5585_06d1_b6e0],
        [0xaa14_8e07_0ba2_a71f, 0x53e2_e886_8d42_fe3a],
        [0x916a_7e23_eba2_a71f, 0x0a57_7380_fe6c_f92c],
        [0x483e_a156_eba2_a71f, 0xfc84_a5d5_98c4_c0e0],
        [0x5ac6_7e79_aba2_a71f, 0xe700_11f9_a5ab_891c],
        [0xa8e7_e3ce_4ba2_a71f, 0xb5f8_ff73_b58c_92e1],
        [0x0907_52c4_4ba2_a71f, 0x5448_c156_8de7_7468],
        [0xf642_1674_cba2_a71f, 0xdbda_5d41_aca3_f098],
        [0x2bf8_97a5_8ba2_a71f, 0xf856_697f_9f46_ed94],
    ];
    assert_eq!(found, expected, "{found:#x?}");
}
