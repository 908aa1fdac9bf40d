//! Every mistake is told before anything runs.

use std::fs;

use tempfile::tempdir;

use crate::common::{koala, stderr, stdout};

const HEAD: &str = "name = 'x'\nseeds = [0, 1]\noptimizers = ['koala-m', 'sgd']\n";
const WORKLOAD: &str = "[[workload]]\nname = 'digits'\nset.epochs = 1\n";

/// What is wrong, as lines after a head and a workload that are right; `head: ` lines replace it all.
const FAULTS: [&str; 68] = [
    "head: x = [",
    "head: seed = [0]",
    "head: seeds = [0]",
    "head: name = 'a/b'",
    "head: name = 'x'\nseeds = []",
    "head: name = 'x'\nseeds = [0, 0]",
    "head: name = 'x'\nseeds = [-1]",
    "head: name = 'x'\nseeds = [0]",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala']",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['sgd', 'sgd']",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['sgd']",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['sgd']\nworkload = []",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['sgd']\nthreads = 0\n",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['sgd']\ndevice = 'gpu'\n",
    "[[workload]]\nrecipe = 'digits-mlp'",
    "[[workload]]\nname = 'digits'",
    "[[workload]]\nname = 'b'\nrecipe = 'digit-mlp'",
    "[[workload]]\nname = 'b'\nrecipes = 'digits-mlp'",
    "[[workload]]\nname = 'b'\nset.epoch = 3",
    "[[workload]]\nname = 'b'\nset.optimizers.sgd.rate = 3",
    "[[workload]]\nname = 'b'\nrecipe = 'cifar10-wgan-gp'",
    "[options.adam]\nlearning-rate = 1",
    "[options.sgd]\nlearning_rate = 1",
    "[tuning]\nsampler = 'halton'",
    "[tuning]\ntrials = 2\nsampler = 'random'",
    "[tuning]\ntrials = 2\nseeds = [1]",
    "[tuning]\ntrials = 2\n[tuning.space.adam]\nlearning-rate = { low = 1, high = 2 }",
    "[tuning]\ntrials = 2\n[tuning.space.sgd]\ngain = { low = 1, high = 2 }",
    "[tuning]\ntrials = 2\n[tuning.space.sgd]\nlearning-rate = { low = 2, high = 1 }",
    "[tuning]\ntrials = 2\n[tuning.space.sgd]\nlearning-rate = { low = 0, high = 1 }",
    "[tuning]\ntrials = 2\n[tuning.space.sgd]\nlearning-rate = [0.1, 0.2]",
    "[tuning]\ntrials = 2\nsampler = 'grid'\n[tuning.space.sgd]\nlearning-rate = [0.1, 0.2, 0.3]",
    "[tuning]\ntrials = 2\n[tuning.space.sgd]\nmomentum = { low = 0.5, high = 2.0 }",
    "[tuning]\ntrials = 2\noptimizers = ['sdg']",
    "[tuning]\ntrials = 2\nuntuned = ['koala-m', 'sgd']",
    "[tuning]\ntrials = 2\nuntuned = ['sgd']\noptimizers = ['sgd']",
    "[tuning]\ntrials = 2\nuntuned = ['sgd']\n[tuning.space.sgd]\nlearning-rate = { low = 1, high = 2 }",
    "[optimizer.adam]\nschedule.name = 'cosine'",
    "[optimizer.sgd]\nlearning-rate = 1",
    "[optimizer.sgd]\nschedul.name = 'cosine'",
    "[optimizer.sgd]\nschedule.name = 'cosin'",
    "[[workload]]\nname = 'b'\nmeasure = 'accuracy'",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala-m', 'sgd']\nreference = 'sdg'\n",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala-m']\nreference = 'best'\n",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala-m', 'sgd']\nhorizons = [1, 2]\n",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala-m', 'sgd']\nreference = 'best'\nhorizons = [0, 1]\n",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala-m', 'sgd']\nreference = 'best'\nhorizons = [1, 1.0]\n",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala-m', 'sgd']\nrecipe-options = 'no'\n",
    "[[arm]]\noptimizer = 'sgd'",
    "[[arm]]\nname = 'slow'",
    "[[arm]]\nname = 'slow'\noptimizer = 'sdg'",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\nlearning_rate = 1",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\nlearning-rate = -1",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\n[[arm]]\nname = 'slow'\noptimizer = 'sgd'",
    "[[arm]]\nname = 'sgd'\noptimizer = 'sgd'\nlearning-rate = 1",
    "[[arm]]\nname = 'adam'\noptimizer = 'sgd'",
    "[[arm]]\nname = 'best'\noptimizer = 'sgd'",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\nschedule.name = 'cosine'",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\n[options.slow]\nmomentum = 0.5",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\n[tuning]\ntrials = 2\nuntuned = ['slw']",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\n[[workload]]\nname = 'b'\nset.optimizers.slow = 3",
    "[[arm]]\nname = 'slow'\noptimizer = 'sgd'\n[[workload]]\nname = 'b'\nset.optimizers.slow.rate = 3",
    "head: name = 'x'\nseeds = [0]\noptimizers = []\narm = []",
    "[tuning]\ntrials = 2\nseeds = [7, 7]",
    "[tuning]\ntrials = 2\nuntuned = ['sgd', 'sgd']",
    "[tuning]\ntrials = 2\nsampler = 'grid'\n[tuning.space.sgd]\nlearning-rate = [0.1, 1e-1]",
    "[[workload]]\nname = 'b'\nset = { epochs = 1, batch-size = 64 }",
    "head: name = 'x'\nseeds = [0]\noptimizers = ['koala-m', 'sgd']\nreference = 'best'\nhorizons = [0.5, 1, 1.001]\n[[workload]]\nname = 'digits'\nset.max-steps = 9",
];

#[test]
fn every_mistake_in_a_suite_is_named() {
    let here = tempdir().unwrap();
    let mut all = String::new();
    for fault in FAULTS {
        let text = match fault.strip_prefix("head: ") {
            Some(whole) => whole.to_owned(),
            None => format!("{HEAD}{WORKLOAD}{fault}\n"),
        };
        fs::write(here.path().join("x.toml"), text).unwrap();
        let assert = koala(here.path())
            .args(["compare", "x.toml"])
            .assert()
            .code(2);
        assert_eq!(stdout(&assert), "");
        all += &format!("{fault}\n  {}\n", stderr(&assert).trim());
    }
    assert!(!here.path().join("comparisons").exists());
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_usage_names_the_flag() {
    let here = tempdir().unwrap();
    fs::write(here.path().join("x.toml"), format!("{HEAD}{WORKLOAD}")).unwrap();
    for (arguments, named) in [
        (
            &["--optimizers", "sgd,lamb"][..],
            "--optimizers: no optimizer is called 'lamb'; there are: ",
        ),
        (
            &["--optimizers", "sgd,koala-m,sgd"],
            "'sgd' is there twice: leave one out, or give it another name and options of its own",
        ),
        (
            &["--optimizers", "sgd,sgd:learning_rate=1"],
            "--optimizers: sgd:learning_rate=1: unknown key 'optimizer.learning_rate', did you mean 'learning-rate'?",
        ),
        (
            &["--optimizers", "sgd:momentum=2"],
            "--optimizers: sgd:momentum=2: optimizer.momentum: must be in [0, 1)",
        ),
        (
            &["--optimizers", "sgd:momentum=high"],
            "optimizer.momentum: must be a number, not \"high\"",
        ),
        (
            &["--tuning-trials", "2", "--untuned", "adamw"],
            "--untuned: no optimizer of the suite is called 'adamw', did you mean 'adam'?",
        ),
        (&["--seeds", "-1"], "--seeds"),
        (
            &["--seeds", "0,1,0"],
            "what is compared: seeds: 0 is there twice: leave one out",
        ),
        (
            &["--tuning-trials", "2", "--untuned", "sgd,sgd"],
            "--untuned: sgd is there twice: leave one out",
        ),
        (
            &["--horizons", "2,1,2", "--reference", "sgd"],
            "--horizons: 2 is there twice: leave one out",
        ),
        (&["--schedule", "milestones"], "--milestones"),
        (&["--channels", "8"], "--channels"),
        (&["--model", "dcgan"], "dcgan"),
        (&["--jobs", "0"], "--jobs"),
        (&["--recipe", "digit-mlp"], "did you mean 'digits-mlp'"),
        (&["--target", "NaN"], "--target"),
        (
            &["--reference", "adan"],
            "--reference: no optimizer of the suite is called 'adan', did you mean 'adam'?",
        ),
        (
            &["--optimizers", "koala-m", "--reference", "best"],
            "--reference: 'best' is the best of the optimizers that are none of KOALA's",
        ),
        (&["--horizons", "1,2"], "--horizons: needs a reference"),
        (
            &["--horizons", "-1", "--reference", "sgd"],
            "--horizons: must be between 0.001 and 1000, not -1",
        ),
        (&["--measure", "accuracy"], "--measure"),
        (&["--untuned", "sgd"], "--tuning-trials"),
        (&["x.toml", "--reference", "adam"], "--reference"),
        (&["x.toml", "--seeds", "3"], "--seeds"),
        (&["x.toml", "--tuning-trials", "3"], "--tuning-trials"),
        (
            &["x.toml", "--epochs", "3"],
            "--epochs: does not go with a suite",
        ),
        (&["nowhere.toml"], "suite nowhere.toml: cannot be read"),
    ] {
        let assert = koala(here.path())
            .arg("compare")
            .args(arguments)
            .assert()
            .code(2);
        let told = stderr(&assert);
        assert!(told.contains(named), "{arguments:?}: {told}");
    }
    for (argument, named) in [
        ("--points=4", "--points: must be an odd number"),
        (
            "--decades=1e-17",
            "--decades: must be between 0.001 and 10, not 0.00000000000000001",
        ),
        ("--seeds=3,3", "seeds: 3 is there twice: leave one out"),
    ] {
        let assert = koala(here.path())
            .args(["sensitivity", argument])
            .assert()
            .code(2);
        let told = stderr(&assert);
        assert!(told.contains(named), "{argument}: {told}");
    }
}

#[test]
fn a_folder_in_the_way_is_left_alone() {
    let here = tempdir().unwrap();
    fs::create_dir_all(here.path().join("all/x")).unwrap();
    let assert = koala(here.path())
        .args(["compare", "--optimizers=sgd", "--epochs=1", "--out=all"])
        .assert()
        .code(1);
    assert!(stderr(&assert).contains("all: the folder holds files that are no comparison's"));
    assert_eq!(fs::read_dir(here.path().join("all")).unwrap().count(), 1);
}
