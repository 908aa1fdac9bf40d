//! Comparisons through the public interface: fair, choosing by held-out samples alone, and honest about failures.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use koala_compare::{Campaign, Ended, Error, Orders, SUITES, Suite, SweepPlan, run_folder};
use koala_report::{Listing, Measure, Role};
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::{Override, RunConfig, execute};
use koala_train::training::{Event, Interrupt, Observer, Silent};

const ORDERS: Orders = Orders {
    jobs: 2,
    threads: 1,
};

fn suite(text: &str) -> Suite {
    Suite::parse(text, "suite test.toml", Path::new("")).unwrap()
}

fn run(suite: &Suite, folder: &Path) -> Ended {
    let campaign = Campaign::new(suite, folder, ORDERS, None).unwrap();
    campaign.run(&mut Silent, &Interrupt::default()).unwrap()
}

fn listing(folder: &Path) -> Listing {
    Listing::read(folder).unwrap()
}

/// The losses of all steps.
#[derive(Default)]
struct Losses(Vec<u64>);

impl Observer for Losses {
    fn observe(&mut self, event: &Event) -> Result<(), koala_train::Error> {
        if let Event::Step(step) = event {
            self.0.push(step.loss.to_bits());
        }
        Ok(())
    }
}

/// With steps of length 0 the network stays what it was in the beginning, so that the losses tell of initial weights, batches,
/// augmentation and dropout alone.
#[test]
fn every_optimizer_has_the_same_weights_batches_and_augmentation() {
    let losses = |optimizer: &str, seed: u64, base: &[Override]| {
        let knob = match OptimizerSpec::named(optimizer).unwrap().koala() {
            Some(_) => "gain",
            None => "learning-rate",
        };
        let mut all = base.to_vec();
        all.push(Override::new("optimizer.name", optimizer));
        all.push(Override::new(format!("optimizer.{knob}"), 0.0));
        let mut config = RunConfig::resolve(None, &all).unwrap();
        config.seed = seed;
        let mut losses = Losses::default();
        execute(&config, &mut losses, &Interrupt::default()).unwrap();
        losses.0
    };
    let images = [
        Override::new("epochs", 2),
        Override::new("validation", 1300),
        Override::new("batch-size", 16),
        Override::new("dataset.augment", "crop-flip"),
    ];
    let texts = [
        Override::new("dataset.name", "tiny-shakespeare"),
        Override::new("model.hidden", 8),
        Override::new("model.dropout", 0.5),
        Override::new("train-limit", 20_000),
        Override::new("max-steps", 3),
    ];
    for base in [&images[..1], &images, &texts] {
        let base: Vec<_> = match base.len() {
            // A few whole epochs of the images without augmentation.
            1 => [base, &[Override::new("max-steps", 40)]].concat(),
            _ => base.to_vec(),
        };
        let expected = losses("sgd", 3, &base);
        assert!(expected.len() > 2);
        assert_ne!(expected, losses("sgd", 4, &base));
        for optimizer in OptimizerSpec::NAMES {
            assert_eq!(losses(optimizer, 3, &base), expected, "{optimizer}");
        }
    }
}

const TUNED: &str = r#"
    name = "tuned"
    seeds = [0]
    optimizers = ["koala-m", "sgd"]
    [[workload]]
    name = "digits"
    [workload.set]
    epochs = 8
    [tuning]
    trials = 3
    seeds = [7, 8]
"#;

#[test]
fn trials_choose_by_held_out_samples_and_never_meet_the_test_samples() {
    let here = tempfile::tempdir().unwrap();
    let ended = run(&suite(TUNED), here.path());
    // Three trials on two seeds, the defaults and the choice for two optimizers; a choice of the default is one run less.
    assert!((14..=16).contains(&ended.runs), "{ended:?}");
    assert_eq!(
        (ended.ours, ended.failed.len(), ended.interrupted),
        (ended.runs, 0, false)
    );
    let listing = listing(here.path());
    let mut means: BTreeMap<(String, usize), f64> = BTreeMap::new();
    let mut worsened = false;
    for listed in &listing.runs {
        let folder = here.path().join(&listed.folder);
        let all: String = ["result.json", "events.jsonl"]
            .map(|name| fs::read_to_string(folder.join(name)).unwrap())
            .concat();
        let result: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(folder.join("result.json")).unwrap()).unwrap();
        let figures = ["test_loss", "test_error", "test_top5_error"];
        let met = figures.iter().any(|figure| all.contains(figure));
        match &listed.role {
            Role::Trial { trial, .. } => {
                assert!(!met, "{} met the test samples", listed.folder);
                assert!([7, 8].contains(&listed.seed));
                let last = result["validation_error"].as_f64().unwrap();
                let best = result["best"]["evaluation"]["error"].as_f64().unwrap();
                worsened |= last > best;
                *means.entry((listed.optimizer.clone(), *trial)).or_default() += last / 2.0;
            }
            _ => {
                assert!(met);
                assert!(result["test_error"].is_number() && result["best_test_error"].is_number());
                assert_eq!(listed.seed, 0);
            }
        }
    }
    assert_eq!(means.len(), 6);
    assert!(
        worsened,
        "the last evaluation is always the best: this could not tell them apart"
    );
    for choice in &listing.choices {
        let of: Vec<f64> = (0..3)
            .map(|trial| means[&(choice.optimizer.clone(), trial)])
            .collect();
        let lowest = of.iter().copied().fold(f64::INFINITY, f64::min);
        let chosen = choice.trial.unwrap();
        assert!((of[chosen] - lowest).abs() < 1e-9, "{of:?} {choice:?}");
        assert!((choice.validation.unwrap() - lowest).abs() < 1e-9);
    }
    assert_eq!(listing.choices.len(), 2);
    assert_eq!((listing.jobs, listing.threads), (2, 1));

    let again = run(&suite(TUNED), here.path());
    assert_eq!((again.runs, again.ours), (ended.runs, 0));
}

/// Who is tuned is one question; whether those who are have an arm as they are besides, another.
#[test]
fn tuned_optimizers_are_reported_as_they_are_unless_left_out() {
    let as_they_are = |more: &str| -> Vec<String> {
        let here = tempfile::tempdir().unwrap();
        let suite = suite(&format!("{TUNED}\noptimizers = [\"sgd\"]\n{more}"));
        let campaign = Campaign::new(&suite, here.path(), ORDERS, None).unwrap();
        let (runs, tuned) = campaign.expected().unwrap();
        assert_eq!(tuned, 1);
        runs.into_iter()
            .filter(|expected| matches!(expected.run.role, Role::Defaults))
            .map(|expected| expected.run.optimizer)
            .collect()
    };
    assert_eq!(as_they_are(""), ["koala-m", "sgd"]);
    assert_eq!(as_they_are("defaults = true"), ["koala-m", "sgd"]);
    assert_eq!(as_they_are("defaults = false"), ["koala-m"]);
}

const DIVERGING: &str = r#"
    name = "diverging"
    seeds = [0]
    optimizers = ["koala-v", "sgd"]
    options.sgd.learning-rate = 1e30
    [[workload]]
    name = "digits"
    set.epochs = 2
"#;

#[test]
fn a_run_that_fails_is_remembered_and_not_run_again() {
    let here = tempfile::tempdir().unwrap();
    let suite = suite(DIVERGING);
    let ended = run(&suite, here.path());
    assert_eq!((ended.runs, ended.ours), (2, 2));
    let [(failed, message)] = ended.failed.as_slice() else {
        panic!("{ended:?}")
    };
    assert_eq!(failed.optimizer, "sgd");
    assert!(message.contains("diverged"), "{message}");
    let folder = here.path().join(&failed.folder);
    let remembered = fs::read_to_string(folder.join("failure.json")).unwrap();
    let remembered: serde_json::Value = serde_json::from_str(&remembered).unwrap();
    assert_eq!(remembered["message"], message.as_str());
    assert!(!folder.join("result.json").exists());

    let log = fs::metadata(folder.join("events.jsonl")).unwrap();
    let again = run(&suite, here.path());
    assert_eq!((again.ours, again.failed), (0, ended.failed));
    let now = fs::metadata(folder.join("events.jsonl")).unwrap();
    assert_eq!(log.modified().unwrap(), now.modified().unwrap());

    // What is damaged is found out anew.
    fs::write(folder.join("failure.json"), "{").unwrap();
    assert_eq!(run(&suite, here.path()).ours, 1);
}

#[test]
fn a_trial_that_fails_is_never_chosen() {
    let here = tempfile::tempdir().unwrap();
    let text = TUNED.replace("[7, 8]", "[7]")
        + "[tuning.space.sgd]\nlearning-rate = { low = 1e10, high = 1e30 }\n";
    let ended = run(&suite(&text), here.path());
    assert_eq!(ended.failed.len(), 3, "{ended:?}");
    let choices = listing(here.path()).choices;
    let sgd = choices.iter().find(|c| c.optimizer == "sgd").unwrap();
    assert_eq!((sgd.trial, sgd.validation), (None, None));
    let tuned = |run: &&koala_report::ListedRun| run.optimizer == "sgd" && run.role == Role::Tuned;
    assert_eq!(listing(here.path()).runs.iter().filter(tuned).count(), 0);
}

#[test]
fn threads_and_jobs_do_not_change_a_bit() {
    let text = DIVERGING.replace("1e30", "0.1");
    let weights = |jobs: usize, threads: usize| {
        let here = tempfile::tempdir().unwrap();
        let suite = suite(&text);
        let orders = Orders { jobs, threads };
        let campaign = Campaign::new(&suite, here.path(), orders, None).unwrap();
        campaign.run(&mut Silent, &Interrupt::default()).unwrap();
        let runs = listing(here.path()).runs;
        let read = |folder: &str| fs::read(here.path().join(folder).join("model.safetensors"));
        let all = runs.iter().map(|run| read(&run.folder).unwrap());
        all.collect::<Vec<_>>()
    };
    let expected = weights(1, 1);
    assert_eq!(expected.len(), 2);
    assert!(weights(1, 3) == expected);
    assert!(weights(3, 2) == expected);
}

const UNCLASSIFIED: &str = r#"
    name = "unclassified"
    seeds = [0]
    optimizers = ["koala-m", "adam"]
    [[workload]]
    name = "images"
    set.model = { name = "autoencoder", hidden = [8] }
    set.epochs = 2
    [[workload]]
    name = "rows"
    set.dataset.name = "friedman"
    set.train-limit = 500
    set.epochs = 2
    [[workload]]
    name = "digits"
    set.epochs = 1
    [tuning]
    trials = 2
    seeds = [7]
"#;

/// Without classes there is no error: hyperparameters are chosen by the loss of held-out samples, and arms compared by it.
#[test]
fn what_has_no_classes_is_chosen_and_compared_by_its_loss() {
    let here = tempfile::tempdir().unwrap();
    let ended = run(&suite(UNCLASSIFIED), here.path());
    assert_eq!(ended.failed.len(), 0, "{ended:?}");
    let listing = listing(here.path());
    let measures: Vec<Measure> = listing.workloads.iter().map(|w| w.measure).collect();
    assert_eq!(
        measures,
        [Measure::Loss, Measure::SquaredError, Measure::Error]
    );
    for choice in &listing.choices {
        let key = match choice.workload.as_str() {
            "digits" => "validation_error",
            _ => "validation_loss",
        };
        let lasts = listing.runs.iter().filter_map(|listed| match listed.role {
            Role::Trial { .. }
                if (&listed.workload, &listed.optimizer)
                    == (&choice.workload, &choice.optimizer) =>
            {
                let file = here.path().join(&listed.folder).join("result.json");
                let result = fs::read_to_string(file).unwrap();
                let result: serde_json::Value = serde_json::from_str(&result).unwrap();
                result[key].as_f64()
            }
            _ => None,
        });
        assert_eq!(
            choice.validation,
            lasts.min_by(f64::total_cmp),
            "{choice:?}"
        );
    }
    let comparison = koala_report::gather(&[here.path().to_owned()])
        .unwrap()
        .comparison;
    let rows = &comparison.workloads[1];
    assert!(
        rows.arms
            .iter()
            .flat_map(|arm| &arm.runs)
            .all(|run| run.test.is_some())
    );
    let text = koala_report::markdown::document(&comparison);
    assert!(text.contains("squared error in squared units"), "{text}");
}

/// What a suite runs is what `koala train --config` runs.
#[test]
fn a_folder_is_named_by_its_configuration() {
    let here = tempfile::tempdir().unwrap();
    run(&suite(&DIVERGING.replace("1e30", "0.1")), here.path());
    for listed in listing(here.path()).runs {
        let file = here.path().join(&listed.folder).join("config.toml");
        let config = RunConfig::resolve(Some(&file), &[]).unwrap();
        assert_eq!(run_folder(&config), listed.folder);
        assert_eq!(config.seed, listed.seed);
        assert_eq!(config.optimizer.name(), listed.optimizer);
        // A tenth of the 1,493 images to train on is held out.
        assert_eq!(config.validation, DIGITS_HELD_OUT);
    }
}

const DIGITS_HELD_OUT: usize = 144;

/// The suites that come along leave no optimizer out, but for those about KOALA untuned against tuned baselines.
#[test]
fn suites_that_come_along_have_every_optimizer() {
    for name in SUITES {
        let suite = Suite::find(name.as_ref()).unwrap();
        match suite.name.as_str() {
            "untuned" | "cheap" => of_untuned(&suite),
            _ => {
                let names = suite.arms.iter().map(|arm| arm.name.as_str());
                let mut names: Vec<&str> = names.collect();
                names.sort_unstable();
                let mut all = OptimizerSpec::NAMES;
                all.sort();
                assert_eq!(names, all, "{name}");
            }
        }
    }
}

/// KOALA is not tuned and has nothing of its own; every other one is, with a cosine.
fn of_untuned(suite: &Suite) {
    let tuning = suite.tuning.as_ref().unwrap();
    assert_eq!(suite.reference.as_deref(), Some("best"));
    assert!(suite.problems.len() >= 4);
    for optimizer in suite.arms.iter().map(|arm| &arm.name) {
        let tuned = !optimizer.starts_with("koala");
        assert_eq!(tuning.tunes(optimizer), tuned, "{optimizer}");
        assert_eq!(suite.overlays.contains_key(optimizer), tuned, "{optimizer}");
        for problem in &suite.problems {
            let mut config = problem
                .recipe
                .resolve(&[Override::new("optimizer.name", optimizer.as_str())])
                .unwrap();
            // SGD alone may be clipped: without, it trains no text at any rate.
            if let OptimizerSpec::Sgd(sgd) = &mut config.optimizer {
                sgd.clip_norm = f64::INFINITY;
            }
            let defaults = OptimizerSpec::named(optimizer).unwrap();
            assert_eq!(
                config.optimizer, defaults,
                "{optimizer} on {}",
                problem.name
            );
            assert_eq!(config.schedule.name(), "constant");
        }
    }
}

fn two(optimizers: &str, seeds: &str, epochs: u32) -> Suite {
    suite(&format!(
        "name = 'two'\nseeds = {seeds}\noptimizers = {optimizers}\n[[workload]]\nname = 'digits'\nset.epochs = {epochs}\n"
    ))
}

/// The listing of a newer program is not written over, not even by `--replace`; whose version is needed is said.
#[test]
fn the_listing_of_a_newer_program_stays() {
    let here = tempfile::tempdir().unwrap();
    let suite = two("['koala-v', 'sgd']", "[0]", 1);
    run(&suite, here.path());
    let newer = "{\"format\": 2, \"version\": \"7.0.0\", \"arms\": {}}";
    fs::write(here.path().join("suite.json"), newer).unwrap();
    for replace in [false, true] {
        let campaign = Campaign::new(&suite, here.path(), ORDERS, None).unwrap();
        let told = campaign
            .replacing(replace)
            .run(&mut Silent, &Interrupt::default())
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("format 2") && told.contains("(7.0.0)"),
            "{told}"
        );
        assert_eq!(
            fs::read_to_string(here.path().join("suite.json")).unwrap(),
            newer
        );
    }
}

/// A comparison that leaves out runs of the one before is refused, and nothing is changed; one that has more is not.
#[test]
fn another_comparison_does_not_take_a_folder_over_unasked() {
    let here = tempfile::tempdir().unwrap();
    let first = two("['koala-v', 'sgd']", "[0, 1]", 1);
    run(&first, here.path());
    let before = fs::read(here.path().join("suite.json")).unwrap();
    let refused = |other: &Suite, sweep: Option<&SweepPlan>| {
        let campaign = Campaign::new(other, here.path(), ORDERS, sweep).unwrap();
        let error = campaign
            .run(&mut Silent, &Interrupt::default())
            .unwrap_err();
        assert_eq!(fs::read(here.path().join("suite.json")).unwrap(), before);
        match error {
            Error::OtherComparison { lost, example, .. } => (lost, example),
            other => panic!("{other}"),
        }
    };
    let fewer = two("['koala-v', 'adam']", "[0, 1]", 1);
    assert_eq!(
        refused(&fewer, None),
        (2, "sgd on digits, seed 0".to_owned())
    );
    assert_eq!(refused(&two("['koala-v', 'sgd']", "[1]", 1), None).0, 2);
    assert_eq!(refused(&two("['koala-v', 'sgd']", "[0, 1]", 2), None).0, 4);
    // A sweep of another length says nothing of this comparison.
    let plan = SweepPlan {
        points: 2,
        decades: 1.0,
    };
    assert_eq!(
        refused(&two("['koala-v', 'sgd']", "[0]", 2), Some(&plan)).0,
        4
    );

    let more = two("['koala-v', 'sgd', 'adam']", "[0, 1, 2]", 1);
    assert_eq!(run(&more, here.path()).runs, 9);
    let replaced = Campaign::new(&fewer, here.path(), ORDERS, None)
        .unwrap()
        .replacing(true)
        .run(&mut Silent, &Interrupt::default())
        .unwrap();
    assert_eq!((replaced.runs, replaced.ours), (4, 0));
}
