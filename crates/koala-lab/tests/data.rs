//! `koala data`, from outside.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use common::{json, koala, koala_for_signals, stderr, stdout, text};
use koala_data::{DatasetName, sample};
use predicates::prelude::*;
use tempfile::tempdir;

/// A host that has one file, or none.
fn host(name: &'static str, content: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mirror", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
            let (status, body) = if first.starts_with(&format!("GET /mirror/{name} ")) {
                ("200 OK", content)
            } else {
                ("404 Not Found", &b""[..])
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(body);
        }
    });
    url
}

#[test]
fn the_list_says_what_there_is() {
    let here = tempdir().unwrap();
    let list = koala(here.path()).args(["data", "list"]).assert().success();
    let out = stdout(&list);
    for dataset in DatasetName::ALL {
        assert!(out.contains(dataset.name()), "{out}");
    }
    sample::write(
        DatasetName::Cifar10,
        &here.path().join("data/cifar10"),
        10,
        0,
    )
    .unwrap();
    let list = koala(here.path())
        .args(["data", "list", "--json"])
        .assert()
        .success();
    let list = json(&list);
    let of = |name: &str| {
        let found = list.as_array().unwrap().iter().find(|d| d["name"] == name);
        found.unwrap().clone()
    };
    assert_eq!(of("cifar10")["found"], "data/cifar10/cifar-10-batches-bin");
    assert_eq!(of("cifar10")["size"], 170_052_171);
    assert_eq!(of("cifar10")["source"]["files"][0]["packing"], "tar-gz");
    assert_eq!(of("digits")["embedded"], true);
    assert!(of("ptb")["found"].is_null() && of("ptb")["size"].is_null());
}

#[test]
fn every_data_set_is_checked() {
    let here = tempdir().unwrap();
    for dataset in DatasetName::ALL {
        let own = here.path().join("data").join(dataset.name());
        let written = sample::write(dataset, &own, 30, 0).unwrap();
        let place = written.unwrap_or_default().display().to_string();
        let more: &[&str] = match dataset {
            DatasetName::Text => &["--file", &place],
            DatasetName::Table => &["--file", &place, "--label", "animal"],
            DatasetName::Images | DatasetName::Idx => &["--data-dir", &place],
            _ => &[],
        };
        let check = || {
            let mut command = koala(here.path());
            command.args(["data", "check", dataset.name()]).args(more);
            command
        };
        let report = stdout(&check().assert().success());
        assert!(
            report.starts_with(dataset.name()) && report.contains(": whole, "),
            "{report}"
        );
        let report = json(&check().arg("--json").assert().success());
        assert_eq!(report["name"], dataset.name());
        assert!(report["parts"][0]["samples"].as_u64().unwrap() >= 20);
    }
}

#[test]
fn a_report_in_words() {
    let here = tempdir().unwrap();
    sample::write(
        DatasetName::Cifar10,
        &here.path().join("data/cifar10"),
        12,
        0,
    )
    .unwrap();
    let report = koala(here.path())
        .args(["data", "check", "cifar10"])
        .assert()
        .success();
    insta::assert_snapshot!(stdout(&report));
}

#[test]
fn a_file_that_differs_is_named_and_fails_if_asked() {
    let here = tempdir().unwrap();
    sample::write(DatasetName::Ptb, &here.path().join("data/ptb"), 30, 0).unwrap();
    let check = || {
        let mut command = koala(here.path());
        command.args(["data", "check", "ptb"]);
        command
    };
    let report = stdout(&check().assert().success());
    assert!(
        report.contains("data/ptb/ptb.test.txt: NOT the published file"),
        "{report}"
    );
    check().arg("--published").assert().code(1);
}

#[test]
fn damage_is_found() {
    let here = tempdir().unwrap();
    let folder = here.path().join("data/cifar100");
    sample::write(DatasetName::Cifar100, &folder, 20, 0).unwrap();
    let file = folder.join("cifar-100-binary/test.bin");
    let mut bytes = fs::read(&file).unwrap();
    bytes.pop();
    fs::write(file, bytes).unwrap();
    koala(here.path())
        .args(["data", "check", "cifar100"])
        .assert()
        .code(1)
        .stdout("")
        .stderr(predicate::str::contains(
            "test.bin: expected records of 3074 bytes",
        ));
}

#[test]
fn a_file_that_is_not_the_published_one_is_thrown_away() {
    let here = tempdir().unwrap();
    let url = host("ptb.train.txt", b" the cat \n");
    let refused = koala(here.path())
        .args(["data", "fetch", "ptb", "--mirror", &url])
        .assert()
        .code(1);
    let message = stderr(&refused);
    assert!(
        message.contains("/mirror/ptb.train.txt: expected SHA-256 fcea919f"),
        "{message}"
    );
    assert_eq!(
        fs::read_dir(here.path().join("data/ptb")).unwrap().count(),
        0
    );
}

#[test]
fn a_host_that_does_not_have_it_is_named() {
    let here = tempdir().unwrap();
    let url = host("other", b"");
    koala(here.path())
        .args([
            "data", "fetch", "cifar10", "--into", "mine", "--mirror", &url,
        ])
        .assert()
        .code(1)
        .stderr(predicate::str::contains(
            "/mirror/cifar-10-binary.tar.gz: the host answered 404",
        ));
    assert!(here.path().join("mine").is_dir() && !here.path().join("data").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_has_come() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    // A host that never comes to an end.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 170052171\r\n\r\n";
        let mut open = stream.write_all(head.as_bytes()).is_ok();
        while open {
            open = stream.write_all(&[7; 1000]).is_ok();
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let here = tempdir().unwrap();
    let child = koala_for_signals()
        .current_dir(here.path())
        .args(["data", "fetch", "cifar10", "--mirror", &url])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let part = here.path().join("data/cifar10/cifar-10-binary.tar.gz.part");
    while fs::metadata(&part).map_or(0, |data| data.len()) < 5000 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signal.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("stopped. What has come so far is kept in"),
        "{message}"
    );
    let kept = fs::read(part).unwrap();
    assert!(kept.len() >= 5000 && kept.iter().all(|byte| *byte == 7));
}

#[test]
fn what_is_got_by_hand_says_how() {
    let here = tempdir().unwrap();
    let refused = koala(here.path())
        .args(["data", "fetch", "imagenet32"])
        .assert()
        .code(1);
    insta::assert_snapshot!(stderr(&refused));
    koala(here.path())
        .args(["data", "fetch", "digits"])
        .assert()
        .code(1)
        .stderr("error: digits is part of the program: there is nothing to fetch\n");
    koala(here.path())
        .args(["data", "fetch", "cifar"])
        .assert()
        .code(2);
}

#[test]
fn missing_data_name_the_file_and_the_command() {
    let here = tempdir().unwrap();
    let mut all = String::new();
    for dataset in DatasetName::ALL.into_iter().filter(|d| !d.is_embedded()) {
        let mut command = koala(here.path());
        command.args(["data", "check", dataset.name()]);
        if dataset == DatasetName::FashionMnist {
            // It may be installed on this machine.
            command.args(["--data-dir", "data/fashion-mnist"]);
        }
        all += &stderr(&command.assert().code(1));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_run_trains_on_made_images_and_says_what_does_not_fit() {
    let here = tempdir().unwrap();
    sample::write(
        DatasetName::Cifar10,
        &here.path().join("data/cifar10"),
        200,
        0,
    )
    .unwrap();
    let train = |arguments: &[&str]| {
        let mut command = koala(here.path());
        command
            .args(["train", "--quiet", "--out", "run", "--overwrite"])
            .args(arguments);
        command.assert()
    };
    train(&[
        "--dataset",
        "cifar10",
        "--augment",
        "crop-flip",
        "--epochs",
        "2",
        "--train-limit",
        "150",
    ])
    .success();
    let config = text(&here.path().join("run/config.toml"));
    assert!(config.contains("augment = \"crop-flip\""), "{config}");
    train(&["--dataset", "cifar10", "--augment", "crop"]).code(2);
    let refused = stderr(&train(&["--dataset", "ptb", "--augment", "none"]).code(2));
    assert!(
        refused.contains("--augment does not apply to the dataset 'ptb'"),
        "{refused}"
    );
}
