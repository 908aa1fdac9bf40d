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
    // By a build for plain x86-64: the first seven before there were others, those of KOALA-A without them; with its metric
    // in double precision, since the sums in it are taken in 16 lanes.
    let expected = [
        [0x2475_3bb1_cba2_a71f, 0x999b_1f9d_9783_eb07],
        [0xd9e5_fcb5_6ba2_a71f, 0x15e4_3df2_e4ae_4286],
        [0xd521_e89f_aba2_a71f, 0xfb6a_1d34_9b0b_999b],
        [0xaa14_8e07_0ba2_a71f, 0xaf79_fa89_5f1a_2b1f],
        [0x916a_7e23_eba2_a71f, 0xc14a_a462_8c64_6671],
        [0x483e_a156_eba2_a71f, 0xf274_6822_84af_f262],
        [0x5ac6_7e79_aba2_a71f, 0x8309_a5ba_1ce2_2f8d],
        [0xa8e7_e3ce_4ba2_a71f, 0xb5f8_ff73_b58c_92e1],
        [0x0907_52c4_4ba2_a71f, 0x845c_f824_8857_e1fb],
        [0xf642_1674_cba2_a71f, 0xe818_0de5_e97e_1098],
        [0x2bf8_97a5_8ba2_a71f, 0xf856_697f_9f46_ed94],
    ];
    assert_eq!(found, expected, "{found:#x?}");
}
