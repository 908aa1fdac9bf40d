//! Writing a made data set.

use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::formats::{gzip, idx_file, npy_file, npz_file};
use super::own::{write_image_folder, write_table};
use super::pictures::Pictures;
use super::sentences::{lines, sentence};
use crate::DatasetName;

/// Writes a made data set into `folder` in its original format and with its original names: `samples` images or sentences
/// to train on (at least 5 for CIFAR-10 and 10 for ImageNet32, one a file, and 20 sentences) and a fifth of that, rounded
/// up, in each other part; of a folder of pictures or a table of one's own (at least 8 and 30), all together. The content is a function of the seed.
///
/// Returns what is to be given to [`DatasetName::load`]: `folder`, or the file of [`DatasetName::Text`] or
/// [`DatasetName::Table`]; nothing, and
/// nothing is written, for the embedded data sets.
///
/// # Errors
///
/// What the operating system says if a file cannot be written.
pub fn write(
    dataset: DatasetName,
    folder: &Path,
    samples: usize,
    seed: u64,
) -> Result<Option<PathBuf>> {
    let mut sample = Sample {
        generator: ChaCha8Rng::seed_from_u64(seed),
        folder: folder.to_owned(),
        samples,
    };
    match dataset {
        DatasetName::Digits
        | DatasetName::TinyShakespeare
        | DatasetName::TinyShakespeareWords
        | DatasetName::Friedman => return Ok(None),
        DatasetName::Mnist | DatasetName::FashionMnist => sample.idx(28, 10)?,
        DatasetName::Cifar10 => sample.cifar10()?,
        DatasetName::Cifar100 => sample.cifar100()?,
        DatasetName::Imagenet32 => sample.imagenet32()?,
        DatasetName::Ptb => sample.words(["ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"])?,
        DatasetName::Wikitext2 => sample.words([
            "wikitext-2/wiki.train.tokens",
            "wikitext-2/wiki.valid.tokens",
            "wikitext-2/wiki.test.tokens",
        ])?,
        DatasetName::Text => return sample.text().map(Some),
        DatasetName::Images => write_image_folder(folder, samples.max(8), 32, seed)?,
        DatasetName::Idx => sample.idx(12, 5)?,
        DatasetName::Table => return write_table(folder, samples.max(30), seed).map(Some),
    }
    Ok(Some(folder.to_owned()))
}

struct Sample {
    generator: ChaCha8Rng,
    folder: PathBuf,
    samples: usize,
}

impl Sample {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, bytes)?;
        Ok(path)
    }

    /// Samples of the parts that are not trained on.
    fn others(&self) -> usize {
        self.samples.div_ceil(5).max(1)
    }

    fn pictures(&mut self, count: usize, channels: usize, side: usize, classes: usize) -> Pictures {
        Pictures::new(&mut self.generator, count, channels, side, classes)
    }

    /// The four files of MNIST, of pictures of such a side in so many classes.
    fn idx(&mut self, side: usize, classes: usize) -> Result<()> {
        for (part, count) in [("train", self.samples.max(1)), ("t10k", self.others())] {
            let Pictures { pixels, labels } = self.pictures(count, 1, side, classes);
            let labels: Vec<u8> = labels.iter().map(|l| *l as u8).collect();
            let images = idx_file(&[count as u32, side as u32, side as u32], &pixels);
            let labels = idx_file(&[count as u32], &labels);
            self.put(&format!("{part}-images-idx3-ubyte.gz"), &gzip(&images)?)?;
            self.put(&format!("{part}-labels-idx1-ubyte.gz"), &gzip(&labels)?)?;
        }
        Ok(())
    }

    fn cifar10(&mut self) -> Result<()> {
        let (train, test) = (self.samples.max(5), self.others());
        let pictures = self.pictures(train, 3, 32, 10);
        for (at, samples) in parts(train, 5).enumerate() {
            let bytes = records(&pictures, samples, |class| vec![class as u8]);
            let name = format!("cifar-10-batches-bin/data_batch_{}.bin", at + 1);
            self.put(&name, &bytes)?;
        }
        let pictures = self.pictures(test, 3, 32, 10);
        let bytes = records(&pictures, 0..test, |class| vec![class as u8]);
        self.put("cifar-10-batches-bin/test_batch.bin", &bytes)?;
        Ok(())
    }

    fn cifar100(&mut self) -> Result<()> {
        for (name, count) in [("train", self.samples.max(1)), ("test", self.others())] {
            let pictures = self.pictures(count, 3, 32, 100);
            let bytes = records(&pictures, 0..count, |class| {
                vec![(class / 5) as u8, class as u8]
            });
            self.put(&format!("cifar-100-binary/{name}.bin"), &bytes)?;
        }
        Ok(())
    }

    fn imagenet32(&mut self) -> Result<()> {
        let (train, test) = (self.samples.max(10), self.others());
        let pictures = self.pictures(train, 3, 32, 1000);
        for (at, samples) in parts(train, 10).enumerate() {
            let name = format!("train_data_batch_{}.npz", at + 1);
            self.put(&name, &arrays(&pictures, samples)?)?;
        }
        let pictures = self.pictures(test, 3, 32, 1000);
        self.put("val_data.npz", &arrays(&pictures, 0..test)?)?;
        Ok(())
    }

    fn words(&mut self, names: [&str; 3]) -> Result<()> {
        let counts = [self.samples.max(20), self.others(), self.others()];
        for (name, count) in names.into_iter().zip(counts) {
            let text = lines(&mut self.generator, count);
            self.put(name, text.as_bytes())?;
        }
        Ok(())
    }

    fn text(&mut self) -> Result<PathBuf> {
        let mut text = String::new();
        for _ in 0..self.samples.max(20) {
            text += &sentence(&mut self.generator);
            text += ".\n";
        }
        self.put("text.txt", text.as_bytes())
    }
}

/// `0..count` in so many ranges of nearly the same length.
fn parts(count: usize, parts: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..parts).map(move |part| count * part / parts..count * (part + 1) / parts)
}

fn records(
    pictures: &Pictures,
    samples: std::ops::Range<usize>,
    label: impl Fn(u16) -> Vec<u8>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (sample, class) in pictures.labels.iter().enumerate() {
        if samples.contains(&sample) {
            bytes.extend(label(*class));
            bytes.extend(pictures.picture(sample));
        }
    }
    bytes
}

fn arrays(pictures: &Pictures, samples: std::ops::Range<usize>) -> Result<Vec<u8>> {
    let (mut data, mut labels) = (Vec::new(), Vec::new());
    for (sample, class) in pictures.labels.iter().enumerate() {
        if samples.contains(&sample) {
            data.extend(pictures.picture(sample));
            labels.extend((i64::from(*class) + 1).to_le_bytes());
        }
    }
    npz_file(&[
        ("data", &npy_file("|u1", &[samples.len(), 3072], &data)),
        ("labels", &npy_file("<i8", &[samples.len()], &labels)),
        ("mean", &npy_file("<f8", &[3072], &[0; 8 * 3072])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Data, cifar10, penn_treebank};

    #[test]
    fn the_same_seed_writes_the_same_files() {
        let [a, b, c] = [1, 1, 2].map(|seed| {
            let folder = tempfile::tempdir().unwrap();
            write(DatasetName::Imagenet32, folder.path(), 20, seed).unwrap();
            fs::read(folder.path().join("val_data.npz")).unwrap()
        });
        assert!(a == b && a != c);
    }

    #[test]
    fn the_nearest_mean_of_a_class_reads_nearly_every_picture() {
        let folder = tempfile::tempdir().unwrap();
        write(DatasetName::Cifar10, folder.path(), 200, 1).unwrap();
        let split = cifar10(Some(folder.path())).unwrap();
        let mut means = vec![[0f64; 3072]; 10];
        for (sample, class) in split.train.labels().iter().enumerate() {
            let mean = &mut means[usize::from(*class)];
            for (sum, pixel) in mean.iter_mut().zip(split.train.pixels(sample)) {
                *sum += f64::from(*pixel) / 20.0;
            }
        }
        let nearest = |pixels: &[u8]| {
            let distance = |mean: &[f64]| -> f64 {
                let pairs = mean.iter().zip(pixels);
                pairs.map(|(m, p)| (m - f64::from(*p)).powi(2)).sum()
            };
            (0..10).min_by(|a, b| distance(&means[*a]).total_cmp(&distance(&means[*b])))
        };
        let right = split.test.labels().iter().enumerate();
        let right = right
            .filter(|(at, class)| nearest(split.test.pixels(*at)) == Some(usize::from(**class)));
        assert!(right.count() >= 38, "of 40");
    }

    #[test]
    fn texts_have_few_words_and_unknown_ones() {
        let folder = tempfile::tempdir().unwrap();
        write(DatasetName::Ptb, folder.path(), 200, 1).unwrap();
        let corpus = penn_treebank(Some(folder.path())).unwrap();
        assert!((30..40).contains(&corpus.vocabulary.len()));
        assert!(corpus.vocabulary.index("<unk>").is_some());
        assert!(!matches!(Data::Text(corpus), Data::Images(_)));
    }
}
