//! Several configurations of one optimizer, each under a name of its own.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use koala_compare::{Campaign, Error, Orders, Suite, run_folder};
use koala_report::{ListedRun, Listing, Role, check};
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::{Override, RunConfig};
use koala_train::training::{Interrupt, Silent};

const ORDERS: Orders = Orders {
    jobs: 2,
    threads: 1,
};

const SUITE: &str = r#"
    name = "arms"
    seeds = [0]
    optimizers = ["sgd"]
    reference = "slow"
    options.sgd.momentum = 0.5
    optimizer.sgd.schedule.name = "cosine"
    optimizer.slow.schedule.name = "constant"
    [[arm]]
    name = "slow"
    optimizer = "sgd"
    learning-rate = 0.01
    [[arm]]
    name = "halved"
    optimizer = "koala-m"
    gain = 0.5
    [tuning]
    trials = 1
    untuned = ["halved"]
    [tuning.space.sgd]
    weight-decay = { low = 1e-4, high = 1e-2 }
    [tuning.space.slow]
    momentum = { low = 0.1, high = 0.7, scale = "linear" }
    [[workload]]
    name = "digits"
    set.max-steps = 3
    [[workload]]
    name = "more"
    set.max-steps = 4
    set.optimizers.slow.momentum = 0.25
"#;

fn suite(text: &str) -> Suite {
    Suite::parse(text, "suite test.toml", Path::new("")).unwrap()
}

fn run(suite: &Suite, folder: &Path) -> Result<usize, Error> {
    let campaign = Campaign::new(suite, folder, ORDERS, None)?;
    Ok(campaign.run(&mut Silent, &Interrupt::default())?.ours)
}

/// The configuration of a run, and its SGD's rate, momentum and weight decay.
fn sgd(folder: &Path, run: &ListedRun) -> (String, f64, f64, f64) {
    let file = folder.join(&run.folder).join("config.toml");
    let config = RunConfig::resolve(Some(&file), &[]).unwrap();
    let OptimizerSpec::Sgd(sgd) = &config.optimizer else {
        panic!("{run:?}")
    };
    let schedule = config.schedule.name().to_owned();
    (schedule, sgd.learning_rate, sgd.momentum, sgd.weight_decay)
}

#[test]
fn tables_and_lists_speak_of_arms_by_their_names() {
    let here = tempfile::tempdir().unwrap();
    run(&suite(SUITE), here.path()).unwrap();
    let listing = Listing::read(here.path()).unwrap();
    let of = |arm: &str, workload: &str, role: fn(&Role) -> bool| {
        let mut runs = listing.runs.iter();
        let found =
            runs.find(|run| run.optimizer == arm && run.workload == workload && role(&run.role));
        found
            .unwrap_or_else(|| panic!("{arm} on {workload}"))
            .clone()
    };
    let defaults = |role: &Role| *role == Role::Defaults;
    let trial = |role: &Role| matches!(role, Role::Trial { .. });
    let told = |run: &ListedRun| sgd(here.path(), run);
    let (cosine, constant) = (|| "cosine".to_owned(), || "constant".to_owned());
    // What is said of the optimizer holds for its arms, and what is said of an arm lies over it, a workload's word last.
    let plain = of("sgd", "digits", defaults);
    assert_eq!(told(&plain), (cosine(), 0.1, 0.5, 0.0));
    let slow = of("slow", "digits", defaults);
    assert_eq!(told(&slow), (constant(), 0.01, 0.5, 0.0));
    let other = of("slow", "more", defaults);
    assert_eq!(told(&other), (constant(), 0.01, 0.25, 0.0));
    let (_, _, momentum, decay) = told(&of("sgd", "digits", trial));
    assert!(
        (momentum, decay) != (0.5, 0.0) && momentum == 0.5,
        "{decay}"
    );
    let (_, rate, momentum, decay) = told(&of("slow", "digits", trial));
    assert_eq!((rate, decay), (0.01, 0.0));
    assert!((momentum - 0.4).abs() < 1e-12, "{momentum}");
    let untuned = listing.runs.iter().filter(|run| run.optimizer == "halved");
    assert!(untuned.clone().count() == 2 && untuned.clone().all(|run| run.role == Role::Defaults));
    assert_eq!(listing.reference.as_deref(), Some("slow"));
    // An optimizer as it is is listed as before there were arms, and found by its configuration.
    assert_eq!((plain.method, slow.method.as_deref()), (None, Some("sgd")));
    let over = [
        Override::new("optimizer.name", "sgd"),
        Override::new("optimizer.momentum", 0.5),
        Override::new("schedule.name", "cosine"),
        Override::new("max-steps", 3),
        Override::new("validation", 144),
    ];
    let config = RunConfig::resolve(None, &over).unwrap();
    assert_eq!(plain.folder, run_folder(&config));
    assert_eq!(check(here.path()).unwrap().faults, []);
    // The same configuration under another name is done already.
    let renamed = SUITE.replace("slow", "small-steps");
    assert_eq!(run(&suite(&renamed), here.path()).unwrap(), 0);
}

/// Sweeps of one optimizer do not stand beside a comparison of another under the same name.
#[test]
fn an_arm_is_one_optimizer() {
    let of = |optimizer: &str| {
        suite(&format!(
            "name = 'x'\nseeds = [0]\noptimizers = ['koala-v']\n[[arm]]\nname = 'mine'\noptimizer = '{optimizer}'\n\
             [[workload]]\nname = 'digits'\nset.max-steps = 2\n"
        ))
    };
    let here = tempfile::tempdir().unwrap();
    run(&of("sgd"), here.path()).unwrap();
    let plan = koala_compare::SweepPlan {
        points: 3,
        decades: 0.1,
    };
    let other = of("adam");
    let campaign = Campaign::new(&other, here.path(), ORDERS, Some(&plan)).unwrap();
    let refused = campaign
        .run(&mut Silent, &Interrupt::default())
        .unwrap_err();
    assert!(
        matches!(refused, Error::OtherComparison { lost: 1, .. }),
        "{refused}"
    );
    Listing::read(here.path()).unwrap();
}
