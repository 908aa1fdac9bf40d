//! Faulty copies of the recordings: each is found out, and the fault is named.

use std::path::Path;

use koala_filter::replay::{Fault, replay};

use crate::support::{Recording, Tensor, fixture, replay_bytes};

/// The message of a faulty copy of a recording.
#[track_caller]
fn message(name: &str, break_it: impl FnOnce(&mut Recording)) -> String {
    let mut recording = Recording::load(name);
    break_it(&mut recording);
    let error = recording.replay().unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("{}: ", error.file.display())),
        "{message}"
    );
    message
}

#[track_caller]
fn names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} not in {message:?}");
    }
}

#[test]
fn a_change_of_one_number_just_above_the_tolerance_is_found_and_named() {
    let cases = [
        ("koala-v", "param/17/fc2.bias", 3, 17),
        ("koala-v", "sigma", 39, 40),
        ("koala-v-decay", "r", 0, 1),
        ("koala-m", "predicted/40/fc1.weight", 500, 40),
        ("koala-m", "param/1/fc2.weight", 0, 1),
        ("koala-m", "P", 4 * 20 + 3, 21),
        ("koala-m-missing", "qw", 12, 13),
        ("koala-pp", "param/40/fc1.bias", 11, 40),
        ("koala-m-f32", "predicted/3/fc1.weight", 7, 3),
        ("koala-v-f32", "r", 8, 9),
    ];
    for (name, tensor, index, step) in cases {
        let mut recording = Recording::load(name);
        let tolerance = recording.replay().unwrap().tolerance();
        // A series is compared number by number, and its numbers differ in size.
        let largest = |numbers: &[f64]| numbers.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let numbers = recording.tensor(tensor).numbers();
        let own = match tensor {
            "r" | "sigma" | "qw" => numbers[index].abs(),
            "P" => largest(&numbers[index / 4 * 4..][..4]),
            _ => largest(&numbers),
        };
        recording
            .tensor(tensor)
            .nudge(index, 3.0 * tolerance * own / largest(&numbers));
        let replay = recording.replay().unwrap();
        assert!(!replay.holds(), "{name}: {tensor}");
        assert_eq!(
            (replay.worst.tensor.as_str(), replay.worst.step),
            (tensor, step),
            "{name}"
        );
        assert!(
            replay.worst.relative < 5.0 * tolerance,
            "{name}: {:e}",
            replay.worst.relative
        );
    }
}

#[test]
fn a_change_of_what_is_fed_in_is_found() {
    for (tensor, index) in [
        ("loss", 5),
        ("loss_sq", 5),
        ("lr", 5),
        ("grad/6/fc1.weight", 100),
    ] {
        for name in ["koala-v", "koala-m", "koala-pp"] {
            let mut recording = Recording::load(name);
            recording.tensor(tensor).nudge(index, 1e-6);
            assert!(!recording.replay().unwrap().holds(), "{name}: {tensor}");
        }
    }
}

#[test]
fn a_gradient_that_is_gone_is_a_block_without_gradient_and_another_trajectory() {
    let mut recording = Recording::load("koala-m");
    recording.tensors.remove("grad/10/fc2.weight");
    let replay = recording.replay().unwrap();
    assert!(!replay.holds());
}

#[test]
fn every_missing_tensor_is_named() {
    for (name, tensor) in [
        ("koala-v", "loss"),
        ("koala-v", "loss_sq"),
        ("koala-v", "lr"),
        ("koala-v", "r"),
        ("koala-v", "sigma"),
        ("koala-m", "P"),
        ("koala-m", "qw"),
        ("koala-m", "predicted/7/fc1.bias"),
        ("koala-pp", "param/40/fc2.weight"),
        ("koala-pp", "param/20/fc2.weight"),
    ] {
        let message = message(name, |recording| {
            recording.tensors.remove(tensor).unwrap();
        });
        names(&message, &[&format!("tensor '{tensor}' is missing")]);
    }
}

#[test]
fn a_missing_start_is_named() {
    let without_one = message("koala-v", |recording| {
        recording.tensors.remove("param/0/fc1.weight").unwrap();
    });
    names(&without_one, &["param/0/fc1.weight"]);
    let without_any = message("koala-v", |recording| {
        recording
            .tensors
            .retain(|name, _| !name.starts_with("param/0/"));
    });
    names(&without_any, &["param/0/"]);
}

#[test]
fn a_misspelt_gradient_does_not_pass_for_a_missing_one() {
    let misspelt = message("koala-m", |recording| {
        let tensor = recording.tensors.remove("grad/3/fc1.bias").unwrap();
        recording.tensors.insert("grad/3/fc1.bais".into(), tensor);
    });
    names(&misspelt, &["grad/3/fc1.bais"]);
    let beyond = message("koala-m", |recording| {
        let tensor = recording.tensors.remove("grad/3/fc1.bias").unwrap();
        recording.tensors.insert("grad/41/fc1.bias".into(), tensor);
    });
    names(&beyond, &["grad/41/fc1.bias", "1 to 40"]);
}

#[test]
fn a_wrong_shape_is_named_with_the_one_expected() {
    for (name, tensor, wrong, right) in [
        ("koala-v", "param/9/fc1.weight", vec![64, 12], "[12, 64]"),
        ("koala-v", "grad/9/fc1.bias", vec![12, 1], "[12]"),
        ("koala-m", "predicted/9/fc2.bias", vec![1, 10], "[10]"),
        ("koala-m", "P", vec![40, 4], "[40, 2, 2]"),
        ("koala-m", "loss", vec![40, 1], "[40]"),
    ] {
        let found = format!("{wrong:?}");
        let message = message(name, |recording| recording.tensor(tensor).shape = wrong);
        names(&message, &[tensor, &found, right]);
    }
}

#[test]
fn a_wrong_element_type_is_named() {
    let single = |tensor: &mut Tensor| {
        let numbers: Vec<f32> = tensor.numbers().iter().map(|&x| x as f32).collect();
        *tensor = Tensor::f32(&tensor.shape, &numbers);
    };
    for tensor in ["param/2/fc1.weight", "grad/2/fc1.weight", "loss", "sigma"] {
        let message = message("koala-v", |recording| single(recording.tensor(tensor)));
        names(&message, &[tensor, "F32", "F64"]);
    }
    let double = message("koala-v-f32", |recording| {
        let tensor = recording.tensor("param/2/fc1.weight");
        *tensor = Tensor::f64(&tensor.shape, &tensor.numbers());
    });
    names(&double, &["param/2/fc1.weight", "F64", "F32"]);
    let integer = message("koala-v", |recording| {
        recording.tensor("r").dtype = safetensors::Dtype::I64;
    });
    names(&integer, &["'r'", "I64", "F64"]);
}

#[test]
fn numbers_that_no_recording_holds_are_named() {
    for (tensor, index, number) in [
        ("loss", 4, f64::NAN),
        ("lr", 4, -0.5),
        ("loss_sq", 4, -1.0),
        ("loss", 4, -1.0),
        ("grad/5/fc1.bias", 0, f64::INFINITY),
        ("param/5/fc1.bias", 0, f64::NAN),
    ] {
        let message = message("koala-v", |recording| {
            let tensor = recording.tensor(tensor);
            let mut numbers = tensor.numbers();
            numbers[index] = number;
            *tensor = Tensor::f64(&tensor.shape, &numbers);
        });
        names(&message, &[tensor, "step 5", &number.to_string()]);
    }
}

#[test]
fn every_missing_field_is_named() {
    for field in [
        "optimizer",
        "steps",
        "dtype",
        "weight_decay_rule",
        "hyperparameters",
    ] {
        let message = message("koala-m", |recording| {
            recording.metadata.remove(field).unwrap();
        });
        names(&message, &[&format!("metadata '{field}' is missing")]);
    }
}

#[test]
fn every_invalid_field_is_named_with_what_it_may_hold() {
    for (field, value, expected) in [
        ("optimizer", "adam", "koala-v, koala-m, koala-pp or koala-a"),
        ("dtype", "bfloat16", "float32 or float64"),
        ("steps", "forty", "a number of steps"),
        ("steps", "0", "at least 1"),
        ("steps", "-3", "a number of steps"),
        (
            "weight_decay_rule",
            "odd",
            "none, coupled, decoupled or gain-only",
        ),
        ("hyperparameters", "{", "a JSON object"),
        ("hyperparameters", "[1]", "a JSON object"),
    ] {
        let message = message("koala-m", |recording| {
            recording.set(field, value);
        });
        names(&message, &[&format!("metadata '{field}'"), value, expected]);
    }
}

#[test]
fn every_invalid_hyperparameter_is_named() {
    for (name, json, key) in [
        ("koala-v", r#"{"sigma": -1}"#, "sigma"),
        ("koala-v", r#"{"sigma": "big"}"#, "sigma"),
        ("koala-v", r#"{"q": -1}"#, "q"),
        ("koala-v", r#"{"q": null}"#, "q"),
        ("koala-v", r#"{"sw": 1}"#, "sw"),
        ("koala-v", r#"{"momentum": 1}"#, "momentum"),
        ("koala-v", r#"{"r": 0}"#, "r"),
        ("koala-v", r#"{"r": true}"#, "r"),
        ("koala-v", r#"{"alpha_r": 1.5}"#, "alpha_r"),
        ("koala-v", r#"{"r": 1, "alpha_r": 1.5}"#, "alpha_r"),
        ("koala-v", r#"{"weight_decay": -1}"#, "weight_decay"),
        ("koala-v", r#"{"is_symmetric": true}"#, "is_symmetric"),
        ("koala-m", r#"{"sigma": 1}"#, "sigma"),
        ("koala-m", r#"{"sw": -1}"#, "sw"),
        ("koala-m", r#"{"sc": 1}"#, "sc"),
        ("koala-m", r#"{"sv": -1}"#, "sv"),
        ("koala-m", r#"{"a": 2}"#, "a"),
        ("koala-m", r#"{"qw": -1}"#, "qw"),
        ("koala-m", r#"{"qv": -1}"#, "qv"),
        ("koala-pp", r#"{"is_symmetric": 1}"#, "is_symmetric"),
        ("koala-pp", r#"{"sigma": -1}"#, "sigma"),
    ] {
        let message = message(name, |recording| {
            recording.set("hyperparameters", json);
        });
        names(&message, &[&format!("metadata 'hyperparameters.{key}'")]);
    }
}

#[test]
fn gain_only_decay_is_refused_where_it_is_not_defined() {
    let message = message("koala-pp", |recording| {
        recording.set("weight_decay_rule", "gain-only");
    });
    names(&message, &["weight_decay_rule", "koala-pp"]);
}

#[test]
fn more_or_fewer_steps_than_are_there_are_found_at_the_first_series() {
    for steps in ["41", "39", "1000000000000"] {
        let message = message("koala-m", |recording| {
            recording.set("steps", steps);
        });
        names(&message, &["'loss'", "[40]", &format!("[{steps}]")]);
    }
}

#[test]
fn a_file_cut_short_anywhere_is_an_error_that_names_the_file() {
    let whole = std::fs::read(fixture("koala-v-f32")).unwrap();
    let lengths = [0, 1, 7, 8, 9, 100, 20_000, whole.len() / 2, whole.len() - 1];
    for length in lengths {
        let error = replay_bytes(&whole[..length]).unwrap_err();
        assert!(matches!(error.fault, Fault::Damaged { .. }), "{length}");
        names(&error.to_string(), &["copy", "safetensors"]);
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(replay_bytes(&longer).is_err());
}

#[test]
fn a_file_cut_short_in_its_numbers_names_a_tensor_that_lost_some() {
    let whole = std::fs::read(fixture("koala-v-f32")).unwrap();
    let error = replay_bytes(&whole[..whole.len() - 4]).unwrap_err();
    assert!(
        matches!(&error.fault, Fault::Damaged { tensor: Some(name), .. } if name.starts_with("param/")),
        "{error}"
    );
}

#[test]
fn a_header_whose_shape_contradicts_its_offsets_names_the_tensor() {
    let whole = std::fs::read(fixture("koala-v")).unwrap();
    let old = br#""param/3/fc1.bias":{"dtype":"F64","shape":[12]"#;
    let at = whole
        .windows(old.len())
        .position(|window| window == old)
        .unwrap();
    for shape in ["[13]", "[99]"] {
        let mut copy = whole.clone();
        copy[at + old.len() - 4..at + old.len()].copy_from_slice(shape.as_bytes());
        let error = replay_bytes(&copy).unwrap_err();
        names(&error.to_string(), &["param/3/fc1.bias"]);
    }
}

#[test]
fn absurd_sizes_in_a_header_are_refused_without_being_allocated() {
    let with_header = |header: &str| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes
    };
    let huge =
        r#"{"loss":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,1000]}}"#;
    names(
        &replay_bytes(&with_header(huge)).unwrap_err().to_string(),
        &["loss"],
    );
    let mut length_alone = u64::MAX.to_le_bytes().to_vec();
    length_alone.extend([0; 16]);
    assert!(replay_bytes(&length_alone).is_err());
    let hollow = r#"{"__metadata__":{"optimizer":"koala-v","steps":"18446744073709551615","dtype":"float64",
        "weight_decay_rule":"none","hyperparameters":"{}"},
        "param/0/x":{"dtype":"F64","shape":[0,9223372036854775807],"data_offsets":[0,0]}}"#;
    let error = replay_bytes(&with_header(hollow)).unwrap_err();
    names(&error.to_string(), &["'loss' is missing"]);
}

#[test]
fn any_byte_of_the_header_may_be_damaged_without_a_panic() {
    let whole = std::fs::read(fixture("koala-v-f32")).unwrap();
    let end = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for at in (0..end).step_by(97) {
        for byte in [0, b'9', b'"', 0xff] {
            let mut copy = whole.clone();
            copy[at] = byte;
            let _ = replay_bytes(&copy);
        }
    }
}

#[test]
fn a_directory_and_a_missing_file_are_errors_that_name_them() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), Path::new("no/such/file.safetensors")] {
        let error = replay(path).unwrap_err();
        assert!(matches!(error.fault, Fault::Unreadable(_)));
        names(&error.to_string(), &[path.to_str().unwrap()]);
    }
}
