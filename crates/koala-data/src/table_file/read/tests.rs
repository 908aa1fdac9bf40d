//! Tables of every kind, through the reader.

use super::*;
use crate::{SampleSet, Share};
use proptest::prelude::*;
use std::fs;

fn options(label: &str) -> TableOptions {
    TableOptions {
        label: label.to_owned(),
        ..TableOptions::default()
    }
}

fn written(text: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    fs::write(&file, text).unwrap();
    (folder, file)
}

fn read(text: impl AsRef<[u8]>, options: &TableOptions) -> Result<OwnTable, String> {
    let (folder, file) = written(text);
    table_file(&file, options).map_err(|error| {
        let text = error.to_string();
        text.replace(&format!("{}/", folder.path().display()), "")
    })
}

fn classes(table: OwnTable) -> (Split<LabelledTable>, TablePreparation, Vec<String>) {
    let OwnRows::Classes(split) = table.rows else {
        panic!("numbers")
    };
    (
        split,
        table.preparation,
        table.warnings.iter().map(Warning::to_string).collect(),
    )
}

/// Forty rows sorted by class: a number that tells it, a colour, a number that is missing in each tenth row.
fn pets(delimiter: char, decimal: char) -> String {
    let mut text = format!("weight{delimiter}colour{delimiter}\"ear, cm\"{delimiter}kind\n");
    for row in 0..40 {
        let class = ["cat", "dog"][row / 20];
        let colour = ["grey", "\"black, white\"", "brown"][row % 3];
        let ear = if row % 10 == 9 {
            "NA".to_owned()
        } else {
            format!("{}{decimal}5", row % 4)
        };
        let weight = 10 * (row / 20) + row % 5;
        text += &format!("{weight}{delimiter}{colour}{delimiter}{ear}{delimiter}{class}\n");
    }
    text
}

#[test]
fn classes_numbers_categories_and_missing_values() {
    let table = read(pets(',', '.'), &options("kind")).unwrap();
    let (split, preparation, warnings) = classes(table);
    assert_eq!(
        (split.train.len(), split.test.len(), split.train.classes()),
        (32, 8, 2)
    );
    for (set, each) in [(&split.train, 16), (&split.test, 4)] {
        assert_eq!(
            set.labels().iter().filter(|label| **label == 0).count(),
            each
        );
    }
    assert_eq!(
        preparation.features(),
        [
            "weight",
            "colour=black, white",
            "colour=brown",
            "colour=grey",
            "ear, cm",
            "ear, cm is missing"
        ]
    );
    assert_eq!(
        warnings,
        [
            "column 'ear, cm': 4 of 40 values are missing: the training part's mean stands for them, and a column of its own \
             says where",
            "the test part has 8 samples: an error rate of 10 % has a standard error of 10.6 percentage points there",
        ]
    );
    // Mean 0 and deviation 1 in the training part, and 0 where a value is missing.
    for column in [0, 4] {
        let values: Vec<f64> = (0..32)
            .map(|row| f64::from(split.train.row(row)[column]))
            .collect();
        let present: Vec<f64> = (0..32)
            .filter(|row| column == 0 || split.train.row(*row)[5] == 0.0)
            .map(|row| values[row])
            .collect();
        let mean = present.iter().sum::<f64>() / present.len() as f64;
        let square = present.iter().map(|v| v * v).sum::<f64>() / present.len() as f64;
        assert!(
            mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-5,
            "{mean} {square}"
        );
    }
    let sets = [&split.train, &split.test];
    let rows: Vec<&[f32]> = sets
        .iter()
        .flat_map(|set| (0..set.len()).map(|row| set.row(row)))
        .collect();
    let missing: Vec<_> = rows.iter().filter(|row| row[5] == 1.0).collect();
    assert!(missing.len() == 4 && missing.iter().all(|row| row[4] == 0.0));
    assert!(rows.iter().all(|row| row[1] + row[2] + row[3] == 1.0));
    // Those of one class weigh less than 5, those of the other 10 and more.
    for set in sets {
        for (row, label) in set.labels().iter().enumerate() {
            assert_eq!(set.row(row)[0] > 0.0, *label == 1);
        }
    }
}

#[test]
fn semicolons_tabs_and_decimal_commas_give_the_same() {
    let plain = read(pets(',', '.'), &options("kind")).unwrap();
    for (delimiter, decimal) in [(';', ','), (';', '.'), ('\t', '.')] {
        assert_eq!(
            read(pets(delimiter, decimal), &options("kind")).unwrap(),
            plain
        );
    }
    let marked = format!("\u{feff}{}", pets(',', '.').replace('\n', "\r\n"));
    assert_eq!(read(marked, &options("kind")).unwrap(), plain);
}

#[test]
fn numbers_are_told_as_they_are_or_normalised() {
    let text: String = (0..50)
        .map(|row| format!("{},{}\n", row % 7, 1000.5 + f64::from(row)))
        .collect();
    let table = read(&text, &options("2")).unwrap();
    assert!(!table.preparation.header);
    let OwnRows::Numbers(split) = &table.rows else {
        panic!("classes")
    };
    assert_eq!(
        (split.train.len(), split.test.len(), split.train.columns()),
        (40, 10, 1)
    );
    let mut all = [split.train.targets(), split.test.targets()].concat();
    all.sort_by(f32::total_cmp);
    assert_eq!((all[0], all[49]), (1000.5, 1049.5));
    let text_of_part = table.warnings[0].to_string();
    assert!(
        text_of_part.contains("mean squared error"),
        "{text_of_part}"
    );
    let scaled = TableOptions {
        normalise_label: true,
        ..options("2")
    };
    let table = read(&text, &scaled).unwrap();
    let OwnRows::Numbers(split) = &table.rows else {
        panic!("classes")
    };
    let LabelPreparation::Numbers {
        mean, deviation, ..
    } = table.preparation.label
    else {
        panic!("classes")
    };
    let targets = split.train.targets();
    let sum: f32 = targets.iter().sum();
    assert!(sum.abs() < 1e-3 && (mean - 1025.0).abs() < 5.0 && (deviation - 14.4).abs() < 2.0);
    let back = f64::from(targets[0]) * deviation + mean;
    assert!((back.fract() - 0.5).abs() < 1e-3, "{back}");
}

#[test]
fn the_limit_and_the_validation_part_are_of_the_training_rows() {
    let some = TableOptions {
        parting: Parting {
            validation: Share::Count(8),
            ..Parting::default()
        },
        train_limit: Some(10),
        ..options("kind")
    };
    let (split, preparation, _) = classes(read(pets(',', '.'), &some).unwrap());
    let held_out = split.validation.unwrap();
    assert_eq!(
        (split.train.len(), held_out.len(), split.test.len()),
        (10, 8, 8)
    );
    assert_eq!(
        split
            .train
            .labels()
            .iter()
            .filter(|label| **label == 0)
            .count(),
        5
    );
    // The normalisation is that of the ten rows that are left.
    let sum: f32 = (0..10).map(|row| split.train.row(row)[0]).sum();
    assert!(sum.abs() < 1e-5 && preparation.width() >= 5);
}

#[test]
fn what_is_left_out_is_told() {
    let mut text = "id,name,same,x,y\n".to_owned();
    for row in 1..=30 {
        let label = if row == 7 { "" } else { ["a", "b"][row % 2] };
        text += &format!("{row},name {row},0,{},{label}\n", row * row);
    }
    let (split, preparation, warnings) = classes(read(&text, &options("y")).unwrap());
    assert_eq!(preparation.features(), ["x"]);
    assert_eq!(split.train.len() + split.test.len(), 29);
    assert_eq!(
        warnings[..4],
        [
            "column 'y': 1 row without a label is left out, the first in line 8",
            "column 'id' is left out: it numbers the rows, which tells their order in the file",
            "column 'name' is left out: nearly every row has a text of its own there",
            "column 'same' is left out: it is the same in all rows",
        ]
    );
}

#[test]
fn unknown_categories_are_told_and_none_of_the_known() {
    let mut text = "x,y\n".to_owned();
    for row in 0..40 {
        text += &format!("{},{}\n", ["p", "q"][row % 2], ["a", "b"][row % 2]);
    }
    text += "rare,a\n";
    let mut some = options("y");
    let table = (0..50).find_map(|seed| {
        some.parting.seed = seed;
        let (split, _, warnings) = classes(read(&text, &some).unwrap());
        let told = "column 'x': 1 row of the test part has a category that the training part has not ('rare')";
        warnings.iter().any(|warning| warning == told).then_some(split)
    });
    let test = table.unwrap().test;
    assert!((0..test.len()).any(|row| test.row(row) == [0.0, 0.0]));
}

#[test]
fn faults_are_named_with_their_remedy() {
    let fault = |text: &str, label: &str| read(text, &options(label)).unwrap_err();
    assert_eq!(
        fault("x,z\n1,2\n", "y"),
        "own.csv: it has no column 'y'; its columns are 'x', 'z'. Name one of them with --label"
    );
    assert_eq!(
        fault("x,z\n1,2\n", ""),
        "own.csv: it is not said which column is to be told; its columns are 'x', 'z'. Name one of them with --label"
    );
    assert!(fault("1,2\n", "y").ends_with("give the number of one with --label"));
    assert!(
        fault("x,y\n1,NA\n2,?\n", "y").starts_with("own.csv: column 'y' has no label in any row.")
    );
    let text = fault("x,y\n1,a\n1,b\n1,a\n", "y");
    assert!(
        text.starts_with(
            "own.csv: no column is left to learn from (column 'x' is left out: it is the same"
        ),
        "{text}"
    );
    assert!(fault("x,y\n1,2\n", "y").starts_with("parts: 1 to test on"));
    let numbers: String = (0..20).map(|row| format!("{}.5,a\n", row % 9)).collect();
    let text = fault(&format!("x,y\n{numbers}oops,b\n"), "y");
    assert!(
        text.starts_with("own.csv: line 22, column 'x': 'oops' is no number, as 20 of 21 values"),
        "{text}"
    );
    for (numbers, categories, ignore) in [("y", "x", "x"), ("x", "q", "x"), ("x", "x", "q")] {
        let some = TableOptions {
            numbers: vec![numbers.to_owned()],
            categories: vec![categories.to_owned()],
            ignore: vec![ignore.to_owned()],
            ..options("y")
        };
        let text = read("x,y\n1,2\n2,2\n3,1\n4,1\n5,1\n", &some).unwrap_err();
        assert!(
            text.contains("is no column of features; its columns are 'x', 'y'"),
            "{text}"
        );
    }
    // Of two sayings about a column one would be passed over.
    for (numbers, categories, fault) in [
        (
            ["x"].as_slice(),
            ["x"].as_slice(),
            "column 'x' is given by --numbers and by --categories",
        ),
        (
            &["x", "x"],
            &[],
            "column 'x' is there twice behind --numbers",
        ),
    ] {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let some = TableOptions {
            numbers: named(numbers),
            categories: named(categories),
            ..options("y")
        };
        let text = read("x,y\n1,2\n2,2\n3,1\n4,1\n5,1\n", &some).unwrap_err();
        assert_eq!(text, format!("own.csv: {fault}. Leave one of both out"));
    }
}

#[test]
fn files_that_are_no_text_are_named() {
    assert!(
        read(b"x;y\nGr\xfc\xdfe;1\n", &options("y"))
            .unwrap_err()
            .contains("iconv -f latin1 -t utf-8 own.csv")
    );
    assert!(
        read(b"PK\x03\x04...", &options("y"))
            .unwrap_err()
            .contains("the spreadsheet as CSV")
    );
    let text = table_file(Path::new("nowhere.csv"), &options("y"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        "nowhere.csv: there is no such file. Name a CSV file with --file"
    );
}

#[test]
fn the_kind_of_columns_can_be_given() {
    let mut text = "id,code,y\n".to_owned();
    for row in 1..=20 {
        text += &format!("{row},{},{}\n", row % 3, ["a", "b"][row % 2]);
    }
    let (_, preparation, warnings) = classes(read(&text, &options("y")).unwrap());
    assert_eq!(preparation.features(), ["code"]);
    assert!(
        warnings[0].contains("'id' is left out: it numbers the rows"),
        "{warnings:?}"
    );
    let some = TableOptions {
        numbers: vec!["id".to_owned()],
        categories: vec!["code".to_owned()],
        ..options("y")
    };
    let (_, preparation, _) = classes(read(&text, &some).unwrap());
    assert_eq!(preparation.features(), ["id", "code=0", "code=1", "code=2"]);
    let ignored = TableOptions {
        ignore: vec!["code".to_owned()],
        ..some
    };
    let (_, preparation, _) = classes(read(&text, &ignored).unwrap());
    assert_eq!(preparation.features(), ["id"]);
}

#[test]
fn what_is_stored_prepares_rows_as_training_did() {
    let (split, preparation, _) = classes(read(pets(',', '.'), &options("kind")).unwrap());
    let stored = toml::to_string(&preparation).unwrap();
    let preparation: TablePreparation = toml::from_str(&stored).unwrap();
    // Other columns, in another order, without labels.
    let mut text = "more;ear, cm;colour;weight\n".to_owned();
    for row in 0..40 {
        let ear = if row % 10 == 9 {
            String::new()
        } else {
            format!("{},5", row % 4)
        };
        let colour = ["grey", "black, white", "brown"][row % 3];
        text += &format!("?;{ear};{colour};{}\n", 10 * (row / 20) + row % 5);
    }
    let (folder, file) = written(&text);
    let rows = preparation.rows(&file).unwrap();
    let mut ours: Vec<&[f32]> = rows.chunks(preparation.width()).collect();
    let sets = [&split.train, &split.test];
    let mut theirs: Vec<&[f32]> = sets
        .iter()
        .flat_map(|set| (0..set.len()).map(|row| set.row(row)))
        .collect();
    for rows in [&mut ours, &mut theirs] {
        rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
    }
    assert_eq!(ours, theirs);
    fs::write(&file, "colour,weight\nred,1\n").unwrap();
    let text = preparation.rows(&file).unwrap_err().to_string();
    assert!(text.contains("it has no column 'ear, cm', which the network has learned from; its columns are 'colour'"), "{text}");
    fs::write(&file, "colour,weight,\"ear, cm\"\nred,1,2\ngreen,heavy,\n").unwrap();
    let text = preparation.rows(&file).unwrap_err().to_string();
    assert!(
        text.contains("line 3, column 'weight': 'heavy' is no number. Correct it"),
        "{text}"
    );
    drop(folder);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn damaged_files_give_an_answer(cut in 0usize..700, flips in proptest::collection::vec((any::<usize>(), 1u8..), 0..5)) {
        let mut bytes = pets(',', '.').into_bytes();
        bytes.truncate(cut);
        for (at, flip) in flips {
            let length = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at % length) { *byte ^= flip; }
        }
        match read(&bytes, &options("kind")) {
            Ok(OwnTable { rows: OwnRows::Classes(split), preparation, .. }) => {
                prop_assert_eq!(split.train.columns(), preparation.width());
            }
            Ok(OwnTable { rows: OwnRows::Numbers(split), preparation, .. }) => {
                prop_assert_eq!(split.train.columns(), preparation.width());
            }
            Err(text) => prop_assert!(text.starts_with("own.csv: ") || text.starts_with("parts: "), "{}", text),
        }
    }
}

#[test]
fn one_number_to_learn_is_told() {
    let rows = |price: &dyn Fn(usize) -> f64| {
        let row = |at: usize| format!("{}.5,{}\n", at % 7, price(at));
        format!("size,price\n{}", (0..200).map(row).collect::<String>())
    };
    let told = |text: String, options: &TableOptions| {
        let table = read(text, options).unwrap();
        let OwnRows::Numbers(split) = table.rows else {
            panic!("classes")
        };
        let warnings = table.warnings.iter().map(Warning::to_string);
        (split, warnings.collect::<Vec<String>>())
    };
    let normalised = TableOptions {
        normalise_label: true,
        ..options("price")
    };
    let (split, warnings) = told(rows(&|_| 2.5), &normalised);
    assert_eq!(
        warnings[0],
        "all rows to train on have 2.5 in column 'price': there is nothing to learn but that; give another column with --label, \
         or rows that differ"
    );
    assert!(split.train.targets().iter().all(|target| *target == 0.0));
    // As a whole number too, if it is said to be a number.
    let number = TableOptions {
        label_kind: LabelKind::Number,
        ..options("price")
    };
    assert!(told(rows(&|_| 3.0), &number).1[0].contains("have 3 in column 'price'"));
    // What is trained on counts, not what is tested on.
    let kept = TableOptions {
        train_limit: Some(1),
        ..options("price")
    };
    assert_eq!(told(rows(&|at| 0.5 + at as f64), &kept).1.len(), 2);
    let (_, warnings) = told(rows(&|at| 0.5 + (at % 2) as f64), &options("price"));
    assert!(
        !warnings
            .iter()
            .any(|text| text.contains("nothing to learn")),
        "{warnings:?}"
    );
}
