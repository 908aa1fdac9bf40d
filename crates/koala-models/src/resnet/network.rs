//! The whole network.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::Tensor;
use koala_ops::{Activation, Then, nn};

use super::{ResNetForm, ResNetSpec, ResidualBlock};
use crate::ImageShape;
use crate::{Classifier, Draws};

/// A residual network: stem, stages of blocks, mean over all pixels, one fully connected layer.
///
/// Initialised as `torchvision`'s: convolutions from N(0, 2/(size^2 outputs)), batch normalisation with weight 1 and bias
/// 0 (in the last of a block too), the fully connected layer as `torch.nn.Linear`. The running variance that batch
/// normalisation keeps for inference is Burn's: the mean squared deviation, where PyTorch divides by one sample less.
///
/// K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition, CVPR 2016. S. Zagoruyko, N. Komodakis:
/// Wide residual networks, BMVC 2016.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: Conv2d,
    stem_norm: BatchNorm,
    blocks: Vec<ResidualBlock>,
    output: Linear,
}

impl ResNet {
    /// The network with its initial weights, for images of any size.
    pub fn new(form: ResNetForm, spec: &ResNetSpec, shape: ImageShape, draws: &mut Draws) -> Self {
        let stem = draws.residual_convolution([shape.channels, spec.width], 3, 1);
        let stem_norm = draws.batch_norm(spec.width);
        let mut blocks = Vec::with_capacity(form.stages().iter().sum());
        let mut channels = spec.width;
        for (stage, &count) in form.stages().iter().enumerate() {
            for position in 0..count {
                let stride = if stage > 0 && position == 0 { 2 } else { 1 };
                let width = spec.width << stage;
                let (block, outputs) =
                    ResidualBlock::new(form.block(), channels, width, stride, draws);
                blocks.push(block);
                channels = outputs;
            }
        }
        Self {
            stem,
            stem_norm,
            blocks,
            output: draws.linear(channels, shape.classes),
        }
    }
}

impl Classifier for ResNet {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let then = Then::activate(Activation::Relu);
        let stem = nn::batch_norm(&self.stem_norm, nn::conv2d(&self.stem, images), then);
        let x = self.blocks.iter().fold(stem, |x, block| block.forward(x));
        let pixels: Tensor<3> = x.flatten(2, 3);
        let means = pixels.mean_dim(2).squeeze_dim(2);
        nn::linear(&self.output, means, Activation::Identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::falls;
    use crate::testing::images;
    use crate::trainable_parameters;
    use burn::tensor::Device;

    const CIFAR: ImageShape = ImageShape {
        channels: 3,
        height: 32,
        width: 32,
        classes: 10,
    };

    fn count(form: ResNetForm, shape: ImageShape) -> usize {
        let mut draws = Draws::new(0, &Device::flex().autodiff());
        trainable_parameters(&ResNet::new(form, &form.spec(), shape, &mut draws))
    }

    #[test]
    fn parameters_are_as_many_as_published() {
        assert_eq!(count(ResNetForm::ResNet20, CIFAR), 269_722);
        assert_eq!(count(ResNetForm::ResNet18, CIFAR), 11_173_962);
        assert_eq!(count(ResNetForm::ResNet50, CIFAR), 23_520_842);
        assert_eq!(count(ResNetForm::WideResNet50, CIFAR), 66_847_050);
    }

    #[test]
    fn channels_and_classes_are_those_of_the_images() {
        let grey = ImageShape {
            channels: 1,
            classes: 100,
            ..CIFAR
        };
        let expected = 11_173_962 - 2 * 9 * 64 + 90 * 513;
        assert_eq!(count(ResNetForm::ResNet18, grey), expected);
    }

    #[test]
    fn images_of_every_size_are_taken() {
        let device = Device::flex();
        for form in [
            ResNetForm::ResNet20,
            ResNetForm::ResNet18,
            ResNetForm::ResNet50,
            ResNetForm::WideResNet50,
        ] {
            // An odd width, where zeros can't be shared evenly, among them.
            for (width, height) in [(1, 1), (3, 7)] {
                let spec = ResNetSpec { width };
                let mut draws = Draws::new(1, &device);
                let model = ResNet::new(form, &spec, CIFAR, &mut draws);
                let scores = model.forward(Tensor::ones([2, 3, height, 5], &device));
                assert_eq!(scores.dims(), [2, 10]);
                let scores: Vec<f32> = scores.into_data().try_into_vec().unwrap();
                assert!(scores.iter().all(|s| s.is_finite()));
            }
        }
    }

    #[test]
    fn training_lowers_the_loss() {
        for form in [
            ResNetForm::ResNet20,
            ResNetForm::ResNet18,
            ResNetForm::ResNet50,
            ResNetForm::WideResNet50,
        ] {
            let device = Device::flex().autodiff();
            let mut draws = Draws::new(2, &device);
            let model = ResNet::new(form, &ResNetSpec { width: 4 }, CIFAR, &mut draws);
            let (images, targets) = images([8, 3, 8, 8], 10, &device);
            falls(model, 20, [0.3, 0.02], |model| {
                crate::cross_entropy(model.forward(images.clone()), targets.clone())
            });
        }
    }
}
