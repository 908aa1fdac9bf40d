//! Reading a folder of pictures.

use std::collections::BTreeMap;
use std::path::Path;

use super::ImagePreparation;
use super::layout::{Entry, Layout, layout};
use super::preparation::normalisation;
use crate::parallel::in_parallel;
use crate::picture::{self, Picture};
use crate::{DataError, ImageSet, Parting, Share, Split, Warning, room};

/// The side that is proposed where pictures differ, if none is smaller.
const USUAL_SIDE: usize = 224;

/// How a folder of pictures is read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ImageFolderOptions {
    /// The side of the square that every picture becomes: its middle, as wide as its shorter side, resized. Without it
    /// pictures stay as they are, and must have the same size.
    pub image_size: Option<usize>,
    /// How pictures are parted that have no folder of a part.
    pub parting: Parting,
    /// How many pictures of the training part are kept, and so read at all; in a drawn order, of each class its share.
    pub train_limit: Option<usize>,
}

/// Pictures of one's own, in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnImages {
    /// The parts. The training part is in a drawn order in which the classes alternate.
    pub split: Split,
    /// What was done to the pictures, and the names of their classes.
    pub preparation: ImagePreparation,
    /// What is worth knowing.
    pub warnings: Vec<Warning>,
}

/// Reads a folder of PNG, JPEG, WebP or BMP files, `DIR/CLASS/FILE`: the layout of torchvision's `ImageFolder`.
///
/// Classes are numbered by their sorted names. If all pictures are grey, they have one channel, otherwise three, red,
/// green and blue. Hidden files are ignored, and files beside the folders of the classes.
///
/// If there is a folder `train` with folders in it, the classes are looked for in it, and in `val` (or `valid` or
/// `validation`) and `test` beside it, if they are there. Without `test`, the validation folder is tested on, as with
/// ImageNet; without both, the parts are drawn out of the training pictures by [`ImageFolderOptions::parting`], as out of
/// a folder without parts.
///
/// # Errors
///
/// [`DataError::Own`] with file, cause and remedy if a file is no whole picture, or lies where none belongs, a class has
/// no picture, or sizes differ and none is asked for; [`DataError::Parts`] if the parts cannot be drawn;
/// [`DataError::Unreadable`].
pub fn image_folder(folder: &Path, options: &ImageFolderOptions) -> Result<OwnImages, DataError> {
    if options
        .image_size
        .is_some_and(|side| !(1..=1 << 14).contains(&side))
    {
        return Err(DataError::own(
            folder,
            format!(
                "pictures of {} pixels a side",
                options.image_size.unwrap_or_default()
            ),
            "Give --image-size from 1 to 16384",
        ));
    }
    let found = layout(folder)?;
    let mut warnings = Vec::new();
    let classes = found.classes.clone();
    let mut parts = parts(found, &options.parting, &mut warnings)?;
    parts
        .train
        .truncate(options.train_limit.unwrap_or(usize::MAX));
    let count = parts.all().count();
    let (height, width) = match options.image_size {
        Some(side) => (side, side),
        None => common_size(folder, &parts)?,
    };
    let bytes = (height as u64)
        .saturating_mul(width as u64)
        .saturating_mul(3 * count as u64);
    room::check(
        folder,
        &format!("{count} pictures of {width} x {height} pixels"),
        bytes,
        "Give a smaller --image-size, or --train-limit for fewer pictures",
    )?;
    let read =
        |part: &[Entry]| in_parallel(part, |entry| picture::read(&entry.file, options.image_size));
    let train = read(&parts.train)?;
    let validation = read(&parts.validation)?;
    let test = read(&parts.test)?;
    let all = || train.iter().chain(&validation).chain(&test);
    let channels = if all().all(Picture::is_grey) { 1 } else { 3 };
    let pixels = |pictures: Vec<Picture>| -> Vec<u8> {
        let planes = pictures
            .into_iter()
            .map(|picture| picture.into_planes(channels));
        let mut pixels = Vec::new();
        planes.for_each(|planes| pixels.extend(planes));
        pixels
    };
    let train = pixels(train);
    let (mean, deviation) = normalisation(&train, channels, height * width);
    let preparation = ImagePreparation {
        classes,
        channels,
        height,
        width,
        resize: options.image_size.is_some(),
        mean,
        deviation,
    };
    let set = |pixels, part: &[Entry]| -> ImageSet {
        preparation.set(pixels, part.iter().map(|entry| entry.label).collect())
    };
    let split = Split {
        train: set(train, &parts.train),
        validation: (!validation.is_empty()).then(|| set(pixels(validation), &parts.validation)),
        test: set(pixels(test), &parts.test),
    };
    warnings.extend(split.warnings(&preparation.classes));
    Ok(OwnImages {
        split,
        preparation,
        warnings,
    })
}

/// The pictures of each part, those of the training part in a drawn order.
struct Parted {
    train: Vec<Entry>,
    validation: Vec<Entry>,
    test: Vec<Entry>,
}

impl Parted {
    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.train.iter().chain(&self.validation).chain(&self.test)
    }
}

fn parts(
    found: Layout,
    parting: &Parting,
    warnings: &mut Vec<Warning>,
) -> Result<Parted, DataError> {
    let Layout {
        train,
        validation,
        test,
        ..
    } = found;
    let (validation, test) = match (validation, test) {
        (Some(validation), None) => {
            warnings.push(Warning::ValidationIsTest);
            (None, Some(validation))
        }
        both => both,
    };
    // Nothing is drawn for a part that has a folder.
    let drawn = Parting {
        validation: if validation.is_some() {
            Share::Count(0)
        } else {
            parting.validation
        },
        test: if test.is_some() {
            Share::Count(0)
        } else {
            parting.test
        },
        ..*parting
    };
    let labels: Vec<u16> = train.iter().map(|entry| entry.label).collect();
    let drawn = drawn.stratified(&labels)?;
    let these = |samples: &[usize]| {
        samples
            .iter()
            .map(|sample| train[*sample].clone())
            .collect()
    };
    Ok(Parted {
        train: these(&drawn.train),
        validation: validation.unwrap_or_else(|| these(&drawn.validation)),
        test: test.unwrap_or_else(|| these(&drawn.test)),
    })
}

/// Height and width of all pictures.
fn common_size(folder: &Path, parts: &Parted) -> Result<(usize, usize), DataError> {
    let mut entries: Vec<&Entry> = parts.all().collect();
    entries.sort_by(|a, b| a.file.cmp(&b.file));
    let sizes = in_parallel(&entries, |entry| picture::size(&entry.file))?;
    let mut met: BTreeMap<(usize, usize), (usize, &Entry)> = BTreeMap::new();
    for (size, entry) in sizes.into_iter().zip(&entries) {
        met.entry(size).or_insert((0, entry)).0 += 1;
    }
    let mut met: Vec<_> = met.into_iter().collect();
    // The commonest first.
    met.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let told = met.iter().take(4).map(|((height, width), (count, entry))| {
        let file = entry.file.strip_prefix(folder).unwrap_or(&entry.file);
        let like = if *count == 1 { "" } else { "like " };
        format!("{count} of {width} x {height} ({like}{})", file.display())
    });
    let mut told = told.collect::<Vec<_>>().join(", ");
    match &met[..] {
        [] => Err(DataError::own(
            folder,
            "it has no picture to read",
            "Ask for more with --train-limit",
        )),
        [(size, _)] => Ok(*size),
        _ => {
            if met.len() > 4 {
                told += &format!(" and {} sizes more", met.len() - 4);
            }
            let shortest = met
                .iter()
                .map(|((height, width), _)| height.min(width))
                .min();
            let side = shortest.map_or(USUAL_SIDE, |shortest| USUAL_SIDE.min(*shortest));
            Err(DataError::own(
                folder,
                format!("its pictures are of {} sizes, in pixels: {told}", met.len()),
                format!(
                    "Give the side of the square that all become, for example --image-size {side}"
                ),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
    use std::fs;

    fn grey(width: u32, height: u32, value: u8) -> DynamicImage {
        GrayImage::from_pixel(width, height, Luma([value])).into()
    }

    fn put(folder: &tempfile::TempDir, name: &str, image: &DynamicImage) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let format = ImageFormat::from_path(&path).unwrap();
        let image = if format == ImageFormat::WebP {
            &image.to_rgb8().into()
        } else {
            image
        };
        image.save_with_format(path, format).unwrap();
    }

    /// Five grey pictures of each of two classes, of all formats; the value of each is its class times 100 and its number.
    fn pets() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (class, name) in ["cat", "dog"].iter().enumerate() {
            for (at, ending) in ["png", "jpg", "webp", "bmp", "jpeg"].iter().enumerate() {
                let value = (100 * class + 20 * at) as u8;
                put(
                    &folder,
                    &format!("{name}/{at}.{ending}"),
                    &grey(6, 4, value),
                );
            }
        }
        folder
    }

    fn read(folder: &tempfile::TempDir, options: &ImageFolderOptions) -> Result<OwnImages, String> {
        image_folder(folder.path(), options).map_err(|error| {
            let text = error.to_string();
            text.replace(&folder.path().display().to_string(), "DIR")
        })
    }

    fn sized(side: usize) -> ImageFolderOptions {
        ImageFolderOptions {
            image_size: Some(side),
            ..ImageFolderOptions::default()
        }
    }

    #[test]
    fn grey_pictures_have_one_channel_and_every_class_is_in_both_parts() {
        let OwnImages {
            split,
            preparation,
            warnings,
        } = read(&pets(), &ImageFolderOptions::default()).unwrap();
        let Split { train, test, .. } = &split;
        assert_eq!(
            (train.channels, train.height, train.width, train.classes),
            (1, 4, 6, 2)
        );
        assert_eq!((train.len(), test.len(), train.white), (8, 2, 255));
        let mut labels = test.labels().to_vec();
        labels.sort_unstable();
        assert_eq!((labels, split.validation.as_ref()), (vec![0, 1], None));
        for set in [train, test] {
            for (sample, label) in set.labels().iter().enumerate() {
                assert_eq!(u16::from(set.pixels(sample)[0] / 100), *label);
            }
        }
        assert_eq!(preparation.classes, ["cat", "dog"]);
        // Mean and deviation are those of the training part alone.
        let values: Vec<f64> = train.pixels.iter().map(|p| f64::from(*p) / 255.0).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!((f64::from(train.mean[0]) - mean).abs() < 1e-6);
        assert!((f64::from(test.deviation[0]) - variance.sqrt()).abs() < 1e-6);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0]
                .to_string()
                .starts_with("the test part has 2 samples")
        );
    }

    #[test]
    fn one_colour_makes_all_have_three_channels() {
        let folder = pets();
        put(
            &folder,
            "dog/9.png",
            &RgbImage::from_pixel(6, 4, Rgb([1, 2, 3])).into(),
        );
        let Split { train, test, .. } =
            read(&folder, &ImageFolderOptions::default()).unwrap().split;
        assert_eq!((train.channels, test.channels, train.mean.len()), (3, 3, 3));
        let both = [train, test];
        let pixels = both
            .iter()
            .flat_map(|set| (0..set.len()).map(|sample| set.pixels(sample)));
        assert_eq!(
            pixels
                .filter(|pixels| pixels[0] != pixels[24] && pixels[48] == 3)
                .count(),
            1
        );
    }

    #[test]
    fn sizes_that_differ_are_told_with_what_to_give() {
        let folder = pets();
        put(&folder, "cat/7.png", &grey(30, 20, 70));
        assert_eq!(
            read(&folder, &ImageFolderOptions::default()).unwrap_err(),
            "DIR: its pictures are of 2 sizes, in pixels: 10 of 6 x 4 (like cat/0.png), 1 of 30 x 20 (cat/7.png). Give the side \
             of the square that all become, for example --image-size 4"
        );
        let split = read(&folder, &sized(5)).unwrap().split;
        assert_eq!(
            (split.train.height, split.train.width, split.train.channels),
            (5, 5, 1)
        );
        assert_eq!(split.train.len() + split.test.len(), 11);
    }

    #[test]
    fn folders_of_parts_are_parts() {
        let folder = tempfile::tempdir().unwrap();
        for class in ["a", "b"] {
            for at in 0..10 {
                put(&folder, &format!("train/{class}/{at}.png"), &grey(2, 2, at));
            }
            put(&folder, &format!("val/{class}/x.png"), &grey(2, 2, 100));
        }
        let both = read(&folder, &ImageFolderOptions::default()).unwrap();
        assert_eq!(
            (both.split.train.len(), both.split.test.labels()),
            (20, &[0, 1][..])
        );
        assert!(both.split.validation.is_none());
        assert!(both.warnings.contains(&Warning::ValidationIsTest));
        put(&folder, "test/a/x.png", &grey(2, 2, 200));
        let all = read(&folder, &ImageFolderOptions::default()).unwrap();
        assert_eq!(all.split.validation.unwrap().pixels(1), [100; 4]);
        assert_eq!(all.split.test.pixels(0), [200; 4]);
        let told: Vec<String> = all.warnings.iter().map(Warning::to_string).collect();
        assert!(
            told.contains(&"the test part has no sample of 'b'".to_owned()),
            "{told:?}"
        );
        for part in ["val", "test"] {
            fs::remove_dir_all(folder.path().join(part)).unwrap();
        }
        let drawn = read(&folder, &ImageFolderOptions::default()).unwrap().split;
        assert_eq!((drawn.train.len(), drawn.test.len()), (16, 4));
    }

    #[test]
    fn no_more_is_read_than_the_limit_asks_for() {
        let folder = pets();
        let whole = read(&folder, &sized(3)).unwrap().split;
        let limited = ImageFolderOptions {
            train_limit: Some(4),
            ..sized(3)
        };
        let some = read(&folder, &limited).unwrap().split;
        assert_eq!(
            (some.train.len(), &some.test),
            (
                4,
                &ImageSet {
                    mean: some.test.mean.clone(),
                    deviation: some.test.deviation.clone(),
                    ..whole.test.clone()
                }
            )
        );
        assert_eq!(some.train.labels(), &whole.train.labels()[..4]);
        // Of each class its share.
        assert_eq!(
            some.train
                .labels()
                .iter()
                .filter(|label| **label == 0)
                .count(),
            2
        );
        // Every other picture may be damaged.
        let mut damaged = 0;
        for entry in layout(folder.path()).unwrap().train {
            let before = fs::read(&entry.file).unwrap();
            fs::write(&entry.file, "").unwrap();
            damaged += usize::from(read(&folder, &limited).is_err());
            fs::write(&entry.file, before).unwrap();
        }
        assert_eq!(damaged, 6);
    }

    #[test]
    fn a_damaged_file_is_named_with_cause_and_remedy() {
        let folder = pets();
        fs::write(folder.path().join("cat/3.png"), "<html>").unwrap();
        let remedy = "Replace it with a whole copy, or take it out of the folder";
        for options in [ImageFolderOptions::default(), sized(8)] {
            assert_eq!(
                read(&folder, &options).unwrap_err(),
                format!(
                    "DIR/cat/3.png: not a PNG file although its name says so: it begins with '<html>'. {remedy}"
                )
            );
        }
    }

    #[test]
    fn pictures_that_would_take_all_memory_are_refused() {
        let folder = pets();
        for at in 20..23 {
            put(&folder, &format!("cat/{at}.png"), &grey(6, 4, 0));
        }
        assert_eq!(
            read(&folder, &sized(1 << 14)).unwrap_err(),
            "DIR: 13 pictures of 16384 x 16384 pixels take 10 GiB, more than 8 GiB. Give a smaller --image-size, or --train-limit \
             for fewer pictures"
        );
        for side in [0, (1 << 14) + 1] {
            let text = read(&folder, &sized(side)).unwrap_err();
            assert!(
                text.ends_with("Give --image-size from 1 to 16384"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_same_folder_is_read_to_the_same_bits() {
        let folder = pets();
        let [a, b] = [0, 1].map(|_| read(&folder, &sized(4)).unwrap());
        assert_eq!(a, b);
        let mut other = sized(4);
        other.parting.seed = 1;
        assert!(read(&folder, &other).unwrap() != a);
    }

    #[test]
    fn what_is_stored_prepares_a_picture_as_training_did() {
        let folder = pets();
        put(
            &folder,
            "dog/9.png",
            &RgbImage::from_pixel(9, 4, Rgb([1, 2, 3])).into(),
        );
        let OwnImages {
            split, preparation, ..
        } = read(&folder, &sized(3)).unwrap();
        let stored = toml::to_string(&preparation).unwrap();
        let preparation: ImagePreparation = toml::from_str(&stored).unwrap();
        let file = folder.path().join("dog/9.png");
        let alone = preparation.picture(&file).unwrap().host_batch(&[0], None);
        let both = [&split.train, &split.test];
        let found = both.iter().any(|set| {
            (0..set.len()).any(|sample| set.host_batch(&[sample], None).images == alone.images)
        });
        assert!(found && alone.shape == [3, 3, 3]);
        let strict = ImagePreparation {
            resize: false,
            ..preparation.clone()
        };
        let text = strict.picture(&file).unwrap_err().to_string();
        assert!(
            text.contains("a picture of 9 x 4 pixels, where those learned from have 3 x 3"),
            "{text}"
        );
        let broken = ImagePreparation {
            mean: Vec::new(),
            ..preparation
        };
        assert!(
            broken
                .picture(&file)
                .unwrap_err()
                .to_string()
                .contains("does not agree with itself")
        );
    }
}
