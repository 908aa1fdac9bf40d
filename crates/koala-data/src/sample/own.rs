//! Small made data as one brings one's own: a folder of pictures, and a table.

use std::fs::{self, File};
use std::io::{BufWriter, Error, Result};
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::pictures::Pictures;

/// Where the spot of a picture is, from left to right.
const PLACES: [&str; 4] = ["far-left", "left", "right", "far-right"];
/// An animal, the middle of its weights in kg and that of its ears in cm.
const ANIMALS: [(&str, f64, f64); 3] = [
    ("dingo", 18.0, 10.0),
    ("koala", 9.0, 6.0),
    ("wombat", 26.0, 4.0),
];
const COATS: [&str; 3] = ["brown", "grey", "sandy"];

/// Writes a folder of coloured PNG pictures, `folder/CLASS/NUMBER.png`, for [`image_folder`](crate::image_folder):
/// `samples` of them, `side` pixels wide and high, in four classes that the place of a spot tells. The pictures are a
/// function of the seed.
///
/// # Errors
///
/// What the operating system says if a file cannot be written; or that `side` is 0 or above 4,096.
pub fn write_image_folder(folder: &Path, samples: usize, side: usize, seed: u64) -> Result<()> {
    let Some(wide) = u32::try_from(side)
        .ok()
        .filter(|wide| (1..=4096).contains(wide))
    else {
        return Err(Error::other(format!(
            "a picture's side must be from 1 to 4096 pixels, not {side}"
        )));
    };
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let pictures = Pictures::new(&mut generator, samples, 3, side, PLACES.len());
    for (sample, class) in pictures.labels.iter().enumerate() {
        let place = folder.join(PLACES.get(usize::from(*class)).copied().unwrap_or_default());
        fs::create_dir_all(&place)?;
        // Colour by colour in planes there, pixel by pixel here.
        let planes: Vec<&[u8]> = pictures.picture(sample).chunks(side * side).collect();
        let pixels: Vec<u8> = (0..side * side)
            .flat_map(|at| planes.iter().map(move |plane| plane[at]))
            .collect();
        let file = BufWriter::new(File::create(place.join(format!("{sample:04}.png")))?);
        // Named, so that the same picture stays the same file.
        PngEncoder::new_with_quality(file, CompressionType::Fast, FilterType::Sub)
            .write_image(&pixels, wide, wide, ExtendedColorType::Rgb8)
            .map_err(Error::other)?;
    }
    Ok(())
}

/// Writes a table for [`table_file`](crate::table_file), `folder/animals.csv`, and returns its path: `rows` animals
/// (`weight_kg`, `ear_cm`, of which about one in twelve is missing, `coat`), with two columns to tell, the class `animal`
/// and the number `leaves_g`. Its content is a function of the seed.
///
/// # Errors
///
/// What the operating system says if the file cannot be written.
pub fn write_table(folder: &Path, rows: usize, seed: u64) -> Result<PathBuf> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    fs::create_dir_all(folder)?;
    let path = folder.join("animals.csv");
    let mut writer = csv::Writer::from_path(&path)?;
    writer.write_record(["weight_kg", "ear_cm", "coat", "animal", "leaves_g"])?;
    for row in 0..rows {
        let (animal, weight, ear) = ANIMALS[row % ANIMALS.len()];
        // The sum of four uniform draws, nearly normal, with deviation 1.
        let mut noise = || {
            let draws = (0..4).map(|_| f64::from(generator.next_u32()) / f64::from(u32::MAX));
            (draws.sum::<f64>() - 2.0) * 3f64.sqrt()
        };
        let weight = weight + 2.0 * noise();
        let ear = ear + noise();
        let leaves = if animal == "koala" {
            60.0 * weight
        } else {
            4.0 * weight
        };
        let leaves = leaves + 10.0 * noise();
        let coat = COATS[generator.next_u32() as usize % COATS.len()];
        let ear = if generator.next_u32().is_multiple_of(12) {
            String::new()
        } else {
            format!("{ear:.1}")
        };
        writer.write_record([
            format!("{weight:.2}").as_str(),
            &ear,
            coat,
            animal,
            &format!("{leaves:.0}"),
        ])?;
    }
    writer.flush()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ImageFolderOptions, OwnRows, SampleSet, TableOptions, Warning, image_folder, table_file,
    };

    #[test]
    fn a_folder_of_pictures_is_read_back() {
        let [a, b] = [0, 1].map(|_| {
            let folder = tempfile::tempdir().unwrap();
            write_image_folder(folder.path(), 40, 12, 3).unwrap();
            (
                image_folder(folder.path(), &ImageFolderOptions::default()).unwrap(),
                folder,
            )
        });
        assert_eq!(a.0, b.0);
        let read = a.0;
        let mut sorted = PLACES;
        sorted.sort_unstable();
        let classes = &read.preparation.classes;
        assert_eq!(classes[..], sorted);
        let train = &read.split.train;
        assert_eq!((train.len(), read.split.test.len()), (32, 8));
        assert_eq!(
            (train.channels, train.height, train.width, train.classes),
            (3, 12, 12, 4)
        );
        // The brightest column of the third colour tells the class.
        for (sample, label) in train.labels().iter().enumerate() {
            let blue = &train.pixels(sample)[2 * 144..];
            let column = |at: usize| {
                blue.iter()
                    .skip(at)
                    .step_by(12)
                    .map(|p| u32::from(*p))
                    .sum::<u32>()
            };
            let brightest = (0..12).max_by_key(|at| column(*at)).unwrap();
            let class = &classes[usize::from(*label)];
            let place = PLACES.iter().position(|place| place == class).unwrap();
            assert!((brightest / 3).abs_diff(place) <= 1, "{brightest} {class}");
        }
        for side in [0, 4097] {
            assert!(write_image_folder(a.1.path(), 1, side, 0).is_err());
        }
    }

    #[test]
    fn a_table_has_a_class_and_a_number_to_tell() {
        let folder = tempfile::tempdir().unwrap();
        let file = write_table(folder.path(), 150, 3).unwrap();
        let bytes = fs::read(&file).unwrap();
        write_table(folder.path(), 150, 3).unwrap();
        assert_eq!(fs::read(&file).unwrap(), bytes);
        let of = |label: &str| {
            let options = TableOptions {
                label: label.to_owned(),
                ..TableOptions::default()
            };
            table_file(&file, &options).unwrap()
        };
        let table = of("animal");
        let OwnRows::Classes(split) = &table.rows else {
            panic!("numbers")
        };
        assert_eq!(
            (split.train.len(), split.test.len(), split.train.classes()),
            (120, 30, 3)
        );
        assert!(table.warnings.iter().any(
            |warning| matches!(warning, Warning::MissingValues { column, .. } if column == "ear_cm")
        ));
        let OwnRows::Numbers(split) = of("leaves_g").rows else {
            panic!("classes")
        };
        assert_eq!(split.train.len(), 120);
    }
}
