//! The networks of the recipes with a batch of each, made of numbers that mean nothing: a step costs the same.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use clap::ValueEnum;
use koala_models::language::{
    Gpt, GptSpec, LanguageModel, LstmModel, LstmSpec, TransformerModel, TransformerSpec,
};
use koala_models::{
    Classifier, Cnn, CnnSpec, Draws, ImageShape, Masks, Mlp, MlpSpec, ResNet, ResNetForm,
    cross_entropy,
};

use crate::step::{self, Contender, Found};

/// A network and the batch that its recipe trains it by, but for the residual networks' smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub enum Network {
    /// 64 images of 8 x 8.
    Mlp,
    /// 128 images of 28 x 28.
    Cnn,
    /// 32 windows of 64 characters, 65 different ones.
    Lstm,
    /// The same.
    Transformer,
    /// The same.
    Gpt,
    /// 32 images of 3 x 32 x 32.
    #[value(name = "resnet20")]
    ResNet20,
    /// The same.
    #[value(name = "resnet18")]
    ResNet18,
}

const TEXTS: [usize; 2] = [32, 64];
const VOCABULARY: usize = 65;
/// As the recipes have it.
const DROPOUT: f64 = 0.2;

impl Network {
    pub const ALL: [Self; 7] = [
        Self::Mlp,
        Self::Cnn,
        Self::Lstm,
        Self::Transformer,
        Self::Gpt,
        Self::ResNet20,
        Self::ResNet18,
    ];

    /// As PyTorch's side calls it too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlp => "mlp",
            Self::Cnn => "cnn",
            Self::Lstm => "lstm",
            Self::Transformer => "transformer",
            Self::Gpt => "gpt",
            Self::ResNet20 => "resnet20",
            Self::ResNet18 => "resnet18",
        }
    }

    /// What so many steps of it cost.
    pub fn time(
        self,
        optimizer: Contender,
        steps: usize,
    ) -> Result<Found, Box<dyn std::error::Error>> {
        let device = Device::flex().autodiff();
        let mut draws = Draws::new(0, &device);
        let shape = |channels, side| ImageShape {
            channels,
            height: side,
            width: side,
            classes: 10,
        };
        match self {
            Self::Mlp => images(
                Mlp::new(&MlpSpec::default(), shape(1, 8), &mut draws),
                [64, 1, 8, 8],
                (optimizer, steps),
            ),
            Self::Cnn => images(
                Cnn::new(&CnnSpec::default(), shape(1, 28), &mut draws),
                [128, 1, 28, 28],
                (optimizer, steps),
            ),
            Self::Lstm => {
                let spec = LstmSpec {
                    dropout: DROPOUT,
                    ..LstmSpec::new(VOCABULARY)
                };
                texts(LstmModel::new(&spec, &mut draws)?, (optimizer, steps))
            }
            Self::Transformer => {
                let spec = TransformerSpec {
                    dropout: DROPOUT,
                    ..TransformerSpec::new(VOCABULARY)
                };
                texts(
                    TransformerModel::new(&spec, &mut draws)?,
                    (optimizer, steps),
                )
            }
            Self::Gpt => {
                let spec = GptSpec {
                    dropout: DROPOUT,
                    ..GptSpec::new(VOCABULARY)
                };
                texts(Gpt::new(&spec, &mut draws)?, (optimizer, steps))
            }
            Self::ResNet20 | Self::ResNet18 => {
                let form = match self {
                    Self::ResNet20 => ResNetForm::ResNet20,
                    _ => ResNetForm::ResNet18,
                };
                let network = ResNet::new(form, &form.spec(), shape(3, 32), &mut draws);
                images(network, [32, 3, 32, 32], (optimizer, steps))
            }
        }
    }
}

fn images<M: Classifier>(
    model: M,
    shape: [usize; 4],
    (optimizer, steps): (Contender, usize),
) -> Result<Found, Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    device.seed(1);
    let images = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let targets = numbers([shape[0]], 10, 7, &device);
    step::time(model, optimizer, steps, |model, _| {
        cross_entropy(model.forward(images.clone()), targets.clone())
    })
}

fn texts<M: LanguageModel>(
    model: M,
    (optimizer, steps): (Contender, usize),
) -> Result<Found, Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let tokens = numbers(TEXTS, VOCABULARY, 11, &device);
    let targets = numbers([TEXTS[0] * TEXTS[1]], VOCABULARY, 13, &device);
    let start = model.start(TEXTS[0]);
    step::time(model, optimizer, steps, |model, step| {
        let mut masks = Masks::new(1, step);
        let (scores, _) = model.forward(tokens.clone(), start.clone(), &mut masks);
        cross_entropy(scores.flatten(0, 1), targets.clone())
    })
}

/// Whole numbers below `bound`.
fn numbers<const D: usize>(
    shape: [usize; D],
    bound: usize,
    factor: usize,
    device: &Device,
) -> Tensor<D, Int> {
    let values: Vec<i32> = (0..shape.iter().product())
        .map(|i| (i * factor % bound) as i32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
