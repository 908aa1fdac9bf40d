//! What does not fit into memory is refused before any is taken.

use std::fs;

use tempfile::tempdir;

use crate::common::{koala, stderr};

#[test]
fn networks_that_do_not_fit_are_refused_with_both_numbers() {
    let here = tempdir().unwrap();
    let many = format!("--hidden={}", ["65536"; 2000].join(","));
    for arguments in [
        &[
            "--dataset=tiny-shakespeare",
            "--model=lstm",
            "--hidden=1048576",
            "--layers=1048576",
        ][..],
        &[
            "--dataset=tiny-shakespeare",
            "--model=gpt",
            "--width=1048576",
            "--heads=1",
        ],
        &[
            "--dataset=tiny-shakespeare",
            "--model=transformer",
            "--width=1048576",
            "--heads=1",
            "--hidden=1048576",
        ],
        &["--model=mlp", &many],
        &["--model=autoencoder", &many],
    ] {
        let refused = koala(here.path())
            .args(["train", "--out=run"])
            .args(arguments)
            .assert()
            .code(2);
        let told = stderr(&refused);
        assert!(
            told.contains("of memory, and there are") && told.contains("bytes"),
            "{told}"
        );
        assert!(!here.path().join("run").exists());
    }
}

/// The limit that a shell sets (`ulimit -v`) is one of those that count; that of a batch system or a container is read likewise.
#[cfg(target_os = "linux")]
#[test]
fn the_limit_of_the_shell_counts() {
    let here = tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin!("koala");
    let train = |limit: &str| {
        let script = format!(
            "ulimit -v {limit} && exec \"$0\" train --quiet --out run --max-steps 1 --hidden 20000,20000"
        );
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &script])
            .arg(program)
            .current_dir(here.path());
        command.output().unwrap()
    };
    // 400 million parameters: 4.8 GB at the least.
    let told = train("4000000");
    let text = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.status.code(), Some(2), "{text}");
    assert!(text.contains("of memory, and there are"), "{text}");
    assert!(!here.path().join("run").exists());
}

/// 35 KB that unpack to pictures of which one alone would take a network of gigabytes.
#[test]
fn files_that_claim_to_be_what_they_are_not_are_refused() {
    let here = tempdir().unwrap();
    let folder = here.path().join("mnist");
    fs::create_dir(&folder).unwrap();
    for part in ["train", "t10k"] {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0x17, 0x70, 0, 0, 0x17, 0x70];
        images.resize(16 + 6000 * 6000, 0);
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(
            folder.join(format!("{part}-labels-idx1-ubyte")),
            [0, 0, 8, 1, 0, 0, 0, 1, 0],
        )
        .unwrap();
    }
    let refused = koala(here.path())
        .args(["train", "--dataset=mnist", "--data-dir=mnist", "--out=run"])
        .assert()
        .code(1);
    let told = stderr(&refused);
    assert!(
        told.contains("expected images of 28 x 28, found images of 6000 x 6000"),
        "{told}"
    );
    // As data of one's own they may be so large; the network for them may not.
    let refused = koala(here.path())
        .args([
            "train",
            "--dataset=idx",
            "--data-dir=mnist",
            "--model=mlp",
            "--hidden=65536,65536",
            "--out=run",
        ])
        .assert()
        .code(2);
    assert!(
        stderr(&refused).contains("of memory, and there are"),
        "{}",
        stderr(&refused)
    );
}
