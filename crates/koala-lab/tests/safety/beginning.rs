//! A run that breaks off before it has a configuration leaves nothing in its way.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::tempdir;

use crate::common::koala;

#[test]
fn the_same_command_goes_again() {
    let here = tempdir().unwrap();
    let run = here.path().join("run");
    let train = || {
        koala(here.path())
            .args(["train", "--quiet", "--out=run", "--max-steps=3"])
            .assert()
    };
    // What such a run leaves: its lock, and the draft of its configuration.
    fs::create_dir(&run).unwrap();
    fs::write(run.join(".lock"), "").unwrap();
    fs::write(run.join(".config.toml.part"), "seed = ").unwrap();
    train().success();
    train().code(1);
    // Nothing can be written into the folder, and then something can. Root may write anywhere.
    fs::remove_dir_all(&run).unwrap();
    fs::create_dir(&run).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o500)).unwrap();
    let refused = train();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
    if !refused.get_output().status.success() {
        train().success();
    }
}
