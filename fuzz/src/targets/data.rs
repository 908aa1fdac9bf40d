//! Data sets.

use std::fs;
use std::path::{Path, PathBuf};

use koala_data::fetch::{Packing, unpack};
use koala_data::sample::write;
use koala_data::{
    DatasetName, ImageFolderOptions, TableOptions, image_folder, images, labels, table_file,
};

use super::{Target, fixture, nothing, told};

/// IDX as it is written: what is read is the whole of it.
pub const IDX: Target = Target {
    name: "idx",
    prepare: nothing,
    read: |_, input| {
        let file = Path::new("a.idx");
        if let Some(found) = told(images(file, input)) {
            let sizes = [found.count, found.height, found.width];
            let mut again = vec![0, 0, 8, 3];
            again.extend(sizes.iter().flat_map(|size| (*size as u32).to_be_bytes()));
            again.extend(&found.pixels);
            assert!(again == input);
        }
        if let Some(found) = told(labels(file, input, 10)) {
            let bytes = match input[2] {
                0x0b => 2,
                0x0c => 4,
                _ => 1,
            };
            let again: Vec<u8> = found
                .iter()
                .flat_map(|&label| u32::from(label).to_be_bytes().into_iter().skip(4 - bytes))
                .collect();
            assert!(input.ends_with(&again) && found.iter().all(|label| *label < 10));
        }
    },
    seeds: || {
        let mut image = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2];
        image.extend(0..12);
        vec![
            image,
            vec![0, 0, 8, 1, 0, 0, 0, 3, 0, 9, 1],
            vec![0, 0, 0x0b, 1, 0, 0, 0, 2, 0, 9, 0, 1],
            vec![0, 0, 0x0c, 1, 0, 0, 0, 1, 0, 0, 0, 7],
        ]
    },
};

/// A data set with one of its files replaced by the input.
macro_rules! replaced {
    ($constant:ident, $name:literal, $dataset:ident, $file:literal) => {
        #[doc = concat!("`", $file, "`.")]
        pub const $constant: Target = Target {
            name: $name,
            prepare: |folder| {
                write(DatasetName::$dataset, folder, 20, 0).unwrap();
            },
            read: |folder, input| {
                fs::write(folder.join($file), input).unwrap();
                if let Some(data) = told(DatasetName::$dataset.load(Some(folder), None)) {
                    // Nothing is lost: the same data again.
                    assert!(data.sizes().train > 0);
                    assert!(DatasetName::$dataset.load(Some(folder), None).unwrap() == data);
                }
            },
            seeds: || {
                let folder = tempfile::tempdir().unwrap();
                write(DatasetName::$dataset, folder.path(), 20, 0).unwrap();
                vec![fs::read(folder.path().join($file)).unwrap()]
            },
        };
    };
}

replaced!(MNIST, "mnist", Mnist, "train-images-idx3-ubyte.gz");
replaced!(IDX_FOLDER, "idx-folder", Idx, "train-labels-idx1-ubyte.gz");
replaced!(
    CIFAR10,
    "cifar10",
    Cifar10,
    "cifar-10-batches-bin/data_batch_1.bin"
);
replaced!(CIFAR100, "cifar100", Cifar100, "cifar-100-binary/train.bin");
replaced!(NPZ, "npz", Imagenet32, "train_data_batch_1.npz");
replaced!(PTB, "ptb", Ptb, "ptb.train.txt");
replaced!(
    WIKITEXT,
    "wikitext",
    Wikitext2,
    "wikitext-2/wiki.train.tokens"
);

/// A text by characters.
pub const TEXT: Target = Target {
    name: "text",
    prepare: nothing,
    read: |folder, input| {
        let file = folder.join("a.txt");
        fs::write(&file, input).unwrap();
        told(DatasetName::Text.load(Some(&file), None));
    },
    seeds: || {
        vec![
            "one, two,\n".repeat(40).into_bytes(),
            "äöü\u{feff}\r\n".repeat(30).into_bytes(),
        ]
    },
};

fn first_picture(folder: &Path) -> PathBuf {
    let class = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let class = class.filter(|path| path.is_dir()).min().unwrap();
    let pictures = fs::read_dir(class)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    pictures.min().unwrap()
}

/// A picture in a folder of them, as PNG, JPEG, WebP or BMP by what its first bytes say.
pub const PICTURE: Target = Target {
    name: "picture",
    prepare: |folder| {
        write(DatasetName::Images, folder, 16, 0).unwrap();
    },
    read: |folder, input| {
        let extension = match input {
            [0xff, 0xd8, ..] => "jpg",
            [b'R', b'I', b'F', b'F', ..] => "webp",
            [b'B', b'M', ..] => "bmp",
            _ => "png",
        };
        let picture = first_picture(folder);
        fs::remove_file(&picture).unwrap();
        fs::write(picture.with_extension(extension), input).unwrap();
        told(image_folder(folder, &ImageFolderOptions::default()));
    },
    seeds: || {
        let folder = tempfile::tempdir().unwrap();
        write(DatasetName::Images, folder.path(), 16, 0).unwrap();
        let bmp = [
            &b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0"[..],
            &[0; 24],
            &[1, 2, 3, 0],
        ];
        vec![
            fs::read(first_picture(folder.path())).unwrap(),
            bmp.concat(),
        ]
    },
};

/// A table of one's own.
pub const TABLE: Target = Target {
    name: "table",
    prepare: nothing,
    read: |folder, input| {
        let file = folder.join("a.csv");
        fs::write(&file, input).unwrap();
        for label in ["animal", "weight", "1"] {
            let options = TableOptions {
                label: label.to_owned(),
                ..TableOptions::default()
            };
            told(table_file(&file, &options));
        }
    },
    seeds: || {
        let folder = tempfile::tempdir().unwrap();
        let file = write(DatasetName::Table, folder.path(), 30, 0).unwrap();
        let other = "weight;1;animal\n".to_owned() + &"1,5;\"a;b\";x\n2;;y\n".repeat(20);
        vec![fs::read(file.unwrap()).unwrap(), other.into_bytes()]
    },
};

/// Unpacks an archive; nothing may come to lie outside its folder, and of a damaged one nothing at all.
fn unpacked(packing: Packing, folder: &Path, input: &[u8]) {
    let (around, within) = (folder.join("around"), folder.join("around/within"));
    let _ = fs::remove_dir_all(&around);
    fs::create_dir_all(&within).unwrap();
    let archive = within.join("a");
    fs::write(&archive, input).unwrap();
    let whole = told(unpack(packing, &archive, &within)).is_some();
    assert_eq!(fs::read_dir(&around).unwrap().count(), 1);
    let left = fs::read_dir(&within).unwrap().count();
    assert!(fs::read(&archive).is_ok_and(|found| found == input) || whole);
    assert!(whole || left == 1 || input.len() > 1 << 12, "{left}");
}

/// A tar archive, packed by gzip.
pub const TAR: Target = Target {
    name: "tar",
    prepare: nothing,
    read: |folder, input| unpacked(Packing::TarGz, folder, input),
    seeds: || vec![fixture("fuzz/seeds/two.tar.gz")],
};

/// A zip archive.
pub const ZIP: Target = Target {
    name: "zip",
    prepare: nothing,
    read: |folder, input| unpacked(Packing::Zip, folder, input),
    seeds: || vec![fixture("fuzz/seeds/two.zip")],
};
