//! What cannot be is told with what would do.

use std::fs;

use super::common::{stderr, stdout};
use super::{KINDS, made, train};

#[test]
fn every_mistake_names_what_would_do() {
    let here = made();
    let put = |name: &str, bytes: &[u8]| {
        let file = here.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    };
    let picture = fs::read(here.path().join("photos/left/0001.png")).unwrap();
    put("empty/cat/1.png", b"");
    put("cut/cat/1.png", &picture[..picture.len() / 2]);
    for folder in ["empty", "cut"] {
        put(&format!("{folder}/cat/2.png"), &picture);
    }
    put("sizes/cat/1.png", &picture);
    koala_data::sample::write_image_folder(&here.path().join("sizes"), 4, 8, 0).unwrap();
    put("sizes/dog/1.png", &picture);
    put("flat/1.png", &picture);
    put("cut-idx/train-images-idx3-ubyte", &[0, 0, 8, 3]);
    put("latin.csv", b"name,city,y\na,Z\xfcrich,1\nb,K\xf6ln,2\n");
    put("ragged.csv", b"x,y\n1,a\n2,b,c\n");
    put("nothing.csv", b"");
    put("utf16.csv", b"\xff\xfex\0,\0y\0\n\0");
    let table: &[&str] = &["--dataset", "table", "--file"];
    let images: &[&str] = &["--dataset", "images", "--data-dir"];
    let cases: &[(&[&str], &[&str])] = &[
        // Flags that belong to other data.
        (&[], &["--label", "y"]),
        (&[], &["--image-size", "8"]),
        (
            &["--dataset", "text"],
            &["--file", "animals.csv", "--image-size", "8"],
        ),
        (images, &["photos", "--label", "y"]),
        (&["--dataset", "images"], &["--file", "photos"]),
        (&["--dataset", "table"], &["--data-dir", "photos"]),
        (
            &["--dataset", "idx"],
            &["--data-dir", "idx", "--test-share", "0.5"],
        ),
        // Values.
        (KINDS[2], &["--test-share", "1"]),
        (KINDS[2], &["--parting-seed", "-1"]),
        (KINDS[2], &["--validation", "240"]),
        (images, &["photos", "--image-size", "20000"]),
        // Nothing is named.
        (&["--dataset", "images"], &[]),
        (&["--dataset", "idx"], &[]),
        (&["--dataset", "table"], &[]),
        (table, &["animals.csv"]),
        (table, &["animals.csv", "--label", "y"]),
        (
            table,
            &["animals.csv", "--label", "animal", "--ignore", "fur"],
        ),
        (
            table,
            &["animals.csv", "--label", "animal", "--label-kind", "number"],
        ),
        // Networks.
        (KINDS[2], &["--model", "cnn"]),
        (KINDS[3], &["--model", "gpt"]),
        (KINDS[0], &["--model", "lstm"]),
        (KINDS[0], &["--image-size", "3"]),
        (KINDS[0], &["--model", "vit", "--image-size", "10"]),
        // Files.
        (images, &["nowhere"]),
        (images, &["empty"]),
        (images, &["cut"]),
        (images, &["sizes"]),
        (images, &["flat"]),
        (&["--dataset", "idx"], &["--data-dir", "nowhere"]),
        (&["--dataset", "idx"], &["--data-dir", "cut-idx"]),
        (table, &["nowhere.csv", "--label", "y"]),
        (table, &["latin.csv", "--label", "y"]),
        (table, &["utf16.csv", "--label", "y"]),
        (table, &["ragged.csv", "--label", "y"]),
        (table, &["nothing.csv", "--label", "y"]),
    ];
    let mut all = String::new();
    for (kind, more) in cases {
        let refused = train(here.path(), &[kind, more]).failure();
        assert_eq!(stdout(&refused), "");
        let told = stderr(&refused);
        assert!(!told.contains("original file"), "{told}");
        let words: Vec<&str> = kind.iter().chain(*more).copied().collect();
        all += &format!("$ koala train {}\n{}\n\n", words.join(" "), told.trim_end());
    }
    assert!(
        !here.path().join("runs").exists(),
        "no folder for a run that could not begin"
    );
    insta::assert_snapshot!(all);
}

#[test]
fn a_file_s_mistakes_are_named_too() {
    let here = made();
    let of = |text: &str| {
        fs::write(here.path().join("c.toml"), text).unwrap();
        stderr(&train(here.path(), &[&["--config", "c.toml"]]).code(2))
    };
    assert_eq!(
        of("[dataset]\nname = 'digits'\nlabel = 'y'"),
        "error: configuration c.toml: unknown key 'dataset.label'; 'label' belongs to --dataset table\n"
    );
    assert_eq!(
        of("[dataset]\nname = 'table'\nignore = ['x', 3]"),
        "error: configuration c.toml: dataset.ignore: must be a list of texts, not [\"x\", 3]\n"
    );
    let text = of("[dataset]\nname = 'table'\nlabel-kind = 'numbers'");
    assert!(
        text.contains("dataset.label-kind: unknown variant `numbers`, expected one of `detected`, `classes`, `number`"),
        "{text}"
    );
    let text = of("[dataset]\nname = 'table'\nlables = 'y'");
    assert!(
        text.contains("unknown key 'dataset.lables', did you mean 'label'?"),
        "{text}"
    );
}
