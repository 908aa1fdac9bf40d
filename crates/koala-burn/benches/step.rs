//! What an optimizer's step costs beside Burn's own, on the parameters of a ResNet-18 (11 million), with gradients as
//! the flex back end's convolutions leave them: strided, and held by nobody else.
//!
//! `cargo bench --workspace --bench step` prints the median of a few steps of each and its ratio to SGD with momentum.

use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Distribution};
use koala_burn::{
    Config, Koala, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, PositionNoise,
    UpdatePath, WeightDecay,
};

const STEPS: usize = 9;

/// The parameters of a ResNet-18 for 32x32 images; it is never run.
#[derive(Module, Debug)]
struct Parameters {
    convolutions: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    output: Linear,
}

impl Parameters {
    fn new(device: &Device) -> Self {
        let mut shapes = vec![(3, 64, 3, 1)];
        let mut width = 64;
        for stage in [64, 128, 256, 512] {
            for block in 0..2 {
                let stride = if stage != 64 && block == 0 { 2 } else { 1 };
                shapes.push((width, stage, 3, stride));
                shapes.push((stage, stage, 3, 1));
                if width != stage {
                    shapes.push((width, stage, 1, stride));
                }
                width = stage;
            }
        }
        Self {
            norms: shapes
                .iter()
                .map(|&(_, outputs, _, _)| BatchNormConfig::new(outputs).init(device))
                .collect(),
            convolutions: shapes
                .into_iter()
                .map(|(inputs, outputs, size, stride)| {
                    Conv2dConfig::new([inputs, outputs], [size, size])
                        .with_stride([stride, stride])
                        .with_bias(false)
                        .init(device)
                })
                .collect(),
            output: LinearConfig::new(512, 10).init(device),
        }
    }

    /// Fresh gradients, which nobody else holds.
    fn gradients(&self) -> GradientsParams {
        struct Maker(GradientsParams);
        impl ModuleVisitor for Maker {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if !param.is_require_grad() {
                    return;
                }
                let mut shape = param.dims();
                let convolution = D == 4;
                if convolution {
                    shape.swap(0, 1);
                }
                let device = param.base().inner().device();
                let normal = Distribution::Normal(0.0, 1e-3);
                let gradient = Tensor::<D>::random(shape, normal, &device);
                let gradient = if convolution {
                    gradient.swap_dims(0, 1)
                } else {
                    gradient
                };
                self.0.register(param.id, gradient);
            }
        }
        let mut maker = Maker(GradientsParams::new());
        self.visit(&mut maker);
        maker.0
    }
}

/// Does a step and says how long it took.
type Contender<'a> = Box<dyn FnMut() -> Duration + 'a>;

fn burns<'a>(device: &Device, mut optimizer: ModuleOptimizer) -> Contender<'a> {
    let mut model = Some(Parameters::new(device));
    Box::new(move || {
        let Some(given) = model.take() else {
            return Duration::ZERO;
        };
        let gradients = given.gradients();
        let start = Instant::now();
        let moved = black_box(optimizer.step(1e-3, given, gradients));
        let time = start.elapsed();
        model = Some(moved);
        time
    })
}

fn koalas<'a>(
    device: &'a Device,
    config: Config,
    path: UpdatePath,
) -> koala_burn::Result<Contender<'a>> {
    let mut model = Parameters::new(device);
    let mut optimizer = Koala::new(config, &model)?.with_path(path);
    Ok(Box::new(move || {
        let gradients = model.gradients();
        let losses = Tensor::<1>::random([128], Distribution::Uniform(1.0, 2.0), device);
        let start = Instant::now();
        let report = optimizer
            .predict(&mut model)
            .and_then(|()| optimizer.update(&mut model, gradients, losses));
        let time = start.elapsed();
        if let Err(error) = black_box(report) {
            println!("{error}");
        }
        time
    }))
}

fn main() -> koala_burn::Result<()> {
    let device = Device::flex().autodiff();
    let momentum = SgdConfig::new().with_momentum(Some(MomentumConfig::new()));
    let mut contenders = vec![
        (
            "SGD, momentum (Burn)".to_owned(),
            burns(&device, momentum.init()),
        ),
        (
            "SGD (Burn)".to_owned(),
            burns(&device, SgdConfig::new().init()),
        ),
        (
            "Adam (Burn)".to_owned(),
            burns(&device, AdamConfig::new().init()),
        ),
        (
            "AdamW (Burn)".to_owned(),
            burns(&device, AdamWConfig::new().init()),
        ),
    ];
    let decay = WeightDecay::coupled(5e-4);
    let fixed = PositionNoise::Fixed(1e-4);
    let configs: [(&str, Config); 8] = [
        ("KOALA-V", KoalaVConfig::new().into()),
        (
            "KOALA-V, decay",
            KoalaVConfig::new().with_weight_decay(decay).into(),
        ),
        ("KOALA-M", KoalaMConfig::new().into()),
        (
            "KOALA-M, decay",
            KoalaMConfig::new().with_weight_decay(decay).into(),
        ),
        (
            "KOALA-M, fixed q_x",
            KoalaMConfig::new().with_position_noise(fixed).into(),
        ),
        ("KOALA++", KoalaPpConfig::new().into()),
        ("KOALA-A", KoalaAConfig::new().into()),
        (
            "KOALA-A, no mean",
            KoalaAConfig::new().with_mean(None).into(),
        ),
    ];
    for path in [UpdatePath::Automatic, UpdatePath::Generic] {
        for (name, config) in &configs {
            let name = format!("{name}, {path:?}").to_lowercase();
            contenders.push((name, koalas(&device, config.clone(), path)?));
        }
    }
    println!(
        "{} parameters, {} threads, median of {STEPS} steps",
        Parameters::new(&device).num_params(),
        rayon::current_num_threads()
    );
    // In turns, so that what else the machine does falls on all of them alike.
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..=STEPS {
        for ((_, step), times) in contenders.iter_mut().zip(&mut times) {
            let time = step().as_secs_f64() * 1e3;
            if round > 0 {
                times.push(time);
            }
        }
    }
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[STEPS / 2]
        })
        .collect();
    for ((name, _), time) in contenders.iter().zip(&medians) {
        println!("{name:32} {time:8.1} ms {:6.2} x SGD", time / medians[0]);
    }
    Ok(())
}
