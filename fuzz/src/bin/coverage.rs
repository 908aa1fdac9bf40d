//! One reader under libFuzzer, which looks for inputs that reach what no input reached before. `scripts/fuzz.sh` builds and runs it.
//!
//!   coverage list                                              names of the readers
//!   KOALA_READER=NAME coverage [LIBFUZZER'S FLAGS] [CORPUS]    tries one; KOALA_SEEDS=FOLDER writes there what it begins from

#![no_main]
#![allow(clippy::unwrap_used)] // what fails here is a test that cannot begin

use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs, process};

use koala_fuzz::{Session, TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static SESSION: OnceLock<Session> = OnceLock::new();

/// The reader that is asked for.
fn target() -> &'static Target {
    let name = env::var("KOALA_READER").unwrap_or_default();
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .unwrap_or_else(|| {
            eprintln!("KOALA_READER={name}: no reader has that name; `coverage list` prints them");
            process::exit(2)
        })
}

fn write_seeds(target: &Target, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (number, seed) in (target.seeds)().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
    }
}

fn begin() {
    if env::args().nth(1).as_deref() == Some("list") {
        for target in TARGETS {
            println!("{}", target.name);
        }
        process::exit(0);
    }
    let target = target();
    if let Some(folder) = env::var_os("KOALA_SEEDS") {
        write_seeds(target, Path::new(&folder));
    }
    // Not removed here: a finding ends the program at once. The script does it.
    let folder = tempfile::tempdir().unwrap().keep();
    assert!(SESSION.set(Session::new(target, &folder)).is_ok());
}

fuzz_target!(init: begin(), |input: &[u8]| {
    SESSION.get().unwrap().run(input);
});
