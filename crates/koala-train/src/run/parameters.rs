//! How many parameters a network will have, before it is made.

use koala_data::Data;
use koala_models::ImageShape;
use koala_models::gan::DcganSpec;

use super::ModelSpec;
use crate::training::{shape_of, shape_of_rows};

/// What a network meets.
#[derive(Debug, Clone, Copy)]
enum Meets {
    Images(ImageShape),
    /// Rows of so many features, and so many numbers to be told.
    Rows(usize, usize),
    /// Texts of so many different tokens.
    Tokens(usize),
}

/// A count that may be beyond all numbers.
#[derive(Debug, Clone, Copy)]
struct Count(Option<u128>);

impl Count {
    /// The product of sizes.
    fn of(sizes: &[usize]) -> Self {
        let mut all = sizes.iter();
        Self(all.try_fold(1u128, |product, size| product.checked_mul(*size as u128)))
    }

    /// A linear layer with its bias.
    fn linear(inputs: usize, outputs: usize) -> Self {
        Self::of(&[inputs, outputs]).and(Self::of(&[outputs]))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0.zip(other.0).and_then(|(a, b)| a.checked_add(b)))
    }

    fn times(self, factor: usize) -> Self {
        Self(self.0.and_then(|count| count.checked_mul(factor as u128)))
    }

    fn sum(counts: impl IntoIterator<Item = Self>) -> Self {
        counts.into_iter().fold(Self(Some(0)), Self::and)
    }

    /// Layers from so many values through these to so many.
    fn layers(inputs: usize, hidden: &[usize], outputs: usize) -> Self {
        let ends = hidden.iter().copied().chain([outputs]);
        let begins = [inputs].into_iter().chain(hidden.iter().copied());
        Self::sum(
            begins
                .zip(ends)
                .map(|(inputs, outputs)| Self::linear(inputs, outputs)),
        )
    }

    /// Transformer blocks of attention and two layers.
    fn blocks(width: usize, hidden: usize, layers: usize) -> Self {
        let attention = Self::linear(width, 3 * width).and(Self::linear(width, width));
        let through = Self::linear(width, hidden).and(Self::linear(hidden, width));
        let norms = Self::of(&[4, width]);
        attention.and(through).and(norms).times(layers)
    }
}

/// How many parameters the network will have on these data: all but a few of the fixed forms, whose limits keep them small.
/// Nothing if they are more than can be counted.
pub(super) fn parameters(model: &ModelSpec, data: &Data) -> Option<u128> {
    let meets = match data {
        Data::Images(split) => Meets::Images(shape_of(&split.train)),
        Data::Table(split) => Meets::Rows(split.train.columns(), 1),
        Data::Labelled(split) => {
            let shape = shape_of_rows(&split.train);
            Meets::Rows(shape.channels * shape.height * shape.width, shape.classes)
        }
        Data::Text(corpus) => Meets::Tokens(corpus.vocabulary.len()),
    };
    count(model, meets).0
}

fn count(model: &ModelSpec, meets: Meets) -> Count {
    match (model, meets) {
        // What a network of one's own is, nobody knows before it is made.
        (ModelSpec::Own(_), _) => Count(Some(0)),
        (ModelSpec::Mlp(spec), Meets::Rows(inputs, outputs)) => {
            Count::layers(inputs, &spec.hidden, outputs)
        }
        (ModelSpec::Lstm(spec), Meets::Tokens(tokens)) => {
            let weights = Count::of(&[8, spec.hidden, spec.hidden]);
            let layer = weights.and(Count::of(&[8, spec.hidden]));
            let ends = Count::linear(spec.hidden, tokens);
            layer.times(spec.layers).and(ends)
        }
        (ModelSpec::Transformer(spec), Meets::Tokens(tokens)) => {
            let ends = Count::of(&[tokens, spec.width]).and(Count::linear(spec.width, tokens));
            Count::blocks(spec.width, spec.hidden, spec.layers).and(ends)
        }
        (ModelSpec::Gpt(spec), Meets::Tokens(tokens)) => {
            let ends = [
                [tokens, spec.width],
                [spec.context, spec.width],
                [2, spec.width],
            ];
            let blocks = Count::blocks(spec.width, 4 * spec.width, spec.layers);
            blocks.and(Count::sum(ends.iter().map(|sizes| Count::of(sizes))))
        }
        (model, Meets::Images(shape)) => of_images(model, shape),
        // They do not fit each other, which is told elsewhere.
        _ => Count::of(&[0]),
    }
}

fn of_images(model: &ModelSpec, shape: ImageShape) -> Count {
    let ImageShape {
        channels,
        height,
        width,
        classes,
    } = shape;
    let pixels = channels * height * width;
    match model {
        ModelSpec::Mlp(spec) => Count::layers(pixels, &spec.hidden, classes),
        ModelSpec::Autoencoder(spec) => Count::layers(pixels, &spec.hidden, pixels),
        ModelSpec::Cnn(spec) => {
            let inputs = [channels].into_iter().chain(spec.channels.iter().copied());
            let convolutions = inputs.zip(&spec.channels).map(|(inputs, &outputs)| {
                Count::of(&[9, inputs, outputs]).and(Count::of(&[outputs]))
            });
            let halvings = spec.channels.len() as u32;
            let halved = |side: usize| side.checked_shr(halvings).unwrap_or(0);
            let last = spec.channels.last().copied().unwrap_or(channels);
            let features = last
                .saturating_mul(halved(height))
                .saturating_mul(halved(width));
            let hidden: &[usize] = match spec.hidden {
                0 => &[],
                _ => &[spec.hidden],
            };
            Count::sum(convolutions).and(Count::layers(features, hidden, classes))
        }
        ModelSpec::Vit(spec) => {
            let patch = spec.patch.max(1);
            let patches = (height / patch).saturating_mul(width / patch);
            Count::linear(
                channels.saturating_mul(patch).saturating_mul(patch),
                spec.width,
            )
            .and(Count::of(&[patches, spec.width]))
            .and(Count::blocks(spec.width, 4 * spec.width, spec.layers))
            .and(Count::linear(spec.width, classes))
        }
        ModelSpec::Dcgan(spec) => {
            let spec = &spec.network;
            let side = DcganSpec::side(shape).unwrap_or(8);
            let doublings = (side / 4).max(1).ilog2();
            let stages: Vec<usize> = (0..doublings).map(|stage| spec.width << stage).collect();
            let between = stages
                .windows(2)
                .map(|pair| Count::of(&[16, pair[0], pair[1]]));
            let between = Count::sum(between).and(Count::of(&[16, channels, spec.width]));
            let widest = stages.last().copied().unwrap_or(0);
            let generator = between.and(Count::of(&[16, spec.noise, widest]));
            generator.and(between).and(Count::of(&[16, widest]))
        }
        // Their widths have a limit, and so the rest of the network.
        ModelSpec::ResNet20(spec) => Count::of(&[1044, spec.width, spec.width]),
        ModelSpec::ResNet18(spec) => Count::of(&[2724, spec.width, spec.width]),
        ModelSpec::ResNet50(spec) => Count::of(&[5724, spec.width, spec.width]),
        ModelSpec::WideResNet50(spec) => Count::of(&[16298, spec.width, spec.width]),
        _ => Count::of(&[0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::run::{Override, RunConfig, execute_on};
    use crate::training::{Event, Interrupt, Observer};

    /// Breaks a run off at its beginning, when the network is made.
    struct Stop(Option<usize>);

    impl Observer for Stop {
        fn observe(&mut self, event: &Event) -> Result<(), Error> {
            match event {
                Event::Start(start) => {
                    self.0 = Some(start.parameters);
                    Err(Error::file("start", "go on from")(std::io::Error::other(
                        "enough",
                    )))
                }
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn every_network_has_as_many_parameters_as_are_foretold() {
        let of = |name: &str, option: Option<(&str, toml::Value)>| {
            let dataset = match name {
                "lstm" | "transformer" | "gpt" => "tiny-shakespeare",
                _ => "digits",
            };
            let mut over = vec![
                Override::new("dataset.name", dataset),
                Override::new("model.name", name),
            ];
            over.extend(option.map(|(key, value)| Override::new(format!("model.{key}"), value)));
            let config = RunConfig::resolve(None, &over).unwrap();
            let data = config.load().unwrap();
            let foretold = parameters(&config.model, &data.data).unwrap();
            let mut stop = Stop(None);
            execute_on(&config, &data, &mut stop, &Interrupt::default()).unwrap_err();
            let found = stop.0.unwrap() as u128;
            assert!(foretold <= found, "{over:?}: {foretold}, {found}");
            assert!(20 * foretold >= 19 * found, "{over:?}: {foretold}, {found}");
        };
        ModelSpec::NAMES.iter().for_each(|name| of(name, None));
        let list = |values: &[i64]| {
            toml::Value::Array(values.iter().map(|value| (*value).into()).collect())
        };
        for (name, key, value) in [
            ("mlp", "hidden", list(&[])),
            ("mlp", "hidden", list(&[40, 30, 20])),
            ("autoencoder", "hidden", list(&[9])),
            ("cnn", "channels", list(&[40])),
            ("cnn", "hidden", 0.into()),
            ("resnet20", "width", 32.into()),
            ("resnet18", "width", 32.into()),
            ("vit", "width", 100.into()),
            ("vit", "layers", 1.into()),
            ("dcgan", "width", 24.into()),
            ("lstm", "layers", 4.into()),
            ("lstm", "hidden", 60.into()),
            ("transformer", "hidden", 500.into()),
            ("gpt", "context", 300.into()),
        ] {
            of(name, Some((key, value)));
        }
    }

    #[test]
    fn what_cannot_be_counted_is_no_number() {
        let widest = 1 << 62;
        assert_eq!(
            Count::layers(widest, &[widest, widest], 10).0,
            Some((1 << 124) * 2 + (1 << 63) + 10 * (1 << 62) + 10)
        );
        assert_eq!(Count::of(&[widest, widest, widest]).0, None);
        assert_eq!(
            Count::linear(usize::MAX, usize::MAX).times(usize::MAX).0,
            None
        );
    }
}
