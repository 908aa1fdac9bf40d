//! Data, network and optimizer of one's own in a comparison: by the protocol that all others have.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig, Relu};
use burn::tensor::Tensor;
use koala_compare::{Campaign, Ended, Error, Orders, Own, Position, Suite, SuiteObserver};
use koala_data::{LabelledTable, Parting};
use koala_report::{Listing, Role};
use koala_train::own::{OwnData, OwnModel, OwnNetwork, OwnOptimizer, Parameter, Rule, StepAt};
use koala_train::run::Settled;
use koala_train::training::{Event, Interrupt, Silent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    output: Linear,
}

impl OwnNetwork for Net {
    type Samples = LabelledTable;

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        let hidden = Relu::new().forward(self.hidden.forward(rows));
        self.output.forward(hidden)
    }
}

/// x <- x - rate sign(v), v <- momentum v + (1 - momentum) g; refuses from a step on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SignMomentum {
    learning_rate: f64,
    momentum: f64,
    patience: i64,
}

impl Rule for SignMomentum {
    const MEMORY: &'static [&'static str] = &["velocity"];

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
        if at.number >= self.patience as u64 {
            return Err("my patience is over".to_owned());
        }
        for parameter in parameters {
            let old = parameter.memory[0].clone() * self.momentum;
            let velocity = old + parameter.gradient.clone() * (1.0 - self.momentum);
            parameter.x = parameter.x.clone() - velocity.clone().sign() * at.rate;
            parameter.memory[0] = velocity;
        }
        Ok(())
    }
}

/// Two classes, one around the other.
fn rings(count: usize, wider: f32) -> LabelledTable {
    let mut features = Vec::new();
    let mut labels = Vec::new();
    for row in 0..count {
        let class = (row % 2) as u16;
        let angle = row as f32 * 2.4;
        let radius = 1.0 + f32::from(class) + wider * (row as f32 * 7.7).sin();
        features.extend([radius * angle.cos(), radius * angle.sin()]);
        labels.push(class);
    }
    LabelledTable::new(2, 2, features, labels).unwrap()
}

fn own(wider: f32, version: &str) -> Own {
    let data = OwnData::drawn("rings", rings(240, wider), Parting::default()).unwrap();
    let model = OwnModel::new("net", version, |draws| Net {
        hidden: LinearConfig::new(2, 16).init(draws.device()),
        output: LinearConfig::new(16, 2).init(draws.device()),
    });
    let rule = SignMomentum {
        learning_rate: 0.01,
        momentum: 0.9,
        patience: 1_000_000,
    };
    Own::new()
        .data(data)
        .model(model.unwrap())
        .optimizer(OwnOptimizer::new("sign-momentum", "1", rule).unwrap())
}

const SUITE: &str = r#"
    name = "rings"
    seeds = [0, 1]
    optimizers = ["koala-a", "adamw", "sign-momentum"]
    reference = "adamw"
    [[workload]]
    name = "rings"
    [workload.set]
    epochs = 3
    batch-size = 16
    dataset.name = "rings"
    model.name = "net"
    schedule.name = "cosine"
    [tuning]
    trials = 3
    untuned = ["koala-a"]
    [tuning.space.sign-momentum]
    learning-rate = { low = 1e-3, high = 1e-1 }
    momentum = { low = 0.5, high = 0.99, scale = "linear" }
"#;

fn parse(text: &str, own: Own) -> Result<Suite, String> {
    let suite = Suite::parse_with(text, "suite test", Path::new(""), own);
    suite.map_err(|error| error.to_string())
}

fn campaign<'a>(suite: &'a Suite, folder: &Path, jobs: usize) -> Campaign<'a> {
    Campaign::new(suite, folder, Orders { jobs, threads: 1 }, None).unwrap()
}

fn run(suite: &Suite, folder: &Path, jobs: usize) -> Ended {
    let campaign = campaign(suite, folder, jobs);
    campaign.run(&mut Silent, &Interrupt::default()).unwrap()
}

/// What a run has come to, without what a clock tells: its folder, its last and its best weights, its events and its result.
type Found = (String, Vec<u8>, Vec<u8>, Vec<Value>);

/// What all runs have come to.
fn found(folder: &Path) -> Vec<Found> {
    let listing = Listing::read(folder).unwrap();
    let mut names: Vec<String> = listing.runs.into_iter().map(|run| run.folder).collect();
    names.sort();
    names.dedup();
    let json = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        let table = value.as_object_mut().unwrap();
        table.retain(|key, _| !key.ends_with("seconds"));
        value
    };
    let of = |name: String| {
        let read = |file: &str| fs::read(folder.join(&name).join(file)).unwrap();
        let text = |file: &str| String::from_utf8(read(file)).unwrap();
        let mut values: Vec<Value> = text("events.jsonl").lines().map(json).collect();
        values.push(json(&text("result.json")));
        let (last, best) = (read("model.safetensors"), read("best.safetensors"));
        (name, last, best, values)
    };
    names.into_iter().map(of).collect()
}

/// Asks to stop in the middle of a run of an optimizer.
struct Stopper<'a> {
    optimizer: &'a str,
    interrupt: Interrupt,
}

impl SuiteObserver for Stopper<'_> {
    fn observe(&mut self, position: &Position, event: &Event) {
        if let Event::Step(step) = event
            && position.optimizer == self.optimizer
            && step.step == 13
        {
            self.interrupt.set();
        }
    }

    fn settled(&mut self, _position: &Position, _settled: &Settled) {}

    fn warn(&mut self, text: &str) {
        panic!("{text}");
    }
}

#[test]
fn it_is_the_same_to_the_bit_beside_other_runs_and_after_stops() {
    let suite = parse(SUITE, own(0.1, "1")).unwrap();
    let whole = tempfile::tempdir().unwrap();
    let ended = run(&suite, whole.path(), 1);
    // Three trials of two, and of each seed three as they are and two tuned.
    assert_eq!((ended.failed.len(), ended.interrupted), (0, false));
    assert!((14..=16).contains(&ended.runs), "{ended:?}");
    let expected = found(whole.path());
    assert!(expected.len() >= 14);

    let beside = tempfile::tempdir().unwrap();
    run(&suite, beside.path(), 2);
    assert_eq!(found(beside.path()), expected);

    let stopped = tempfile::tempdir().unwrap();
    for optimizer in ["sign-momentum", "adamw", "koala-a", "sign-momentum"] {
        let interrupt = Interrupt::default();
        let mut stopper = Stopper {
            optimizer,
            interrupt: interrupt.clone(),
        };
        let ended = campaign(&suite, stopped.path(), 1).run(&mut stopper, &interrupt);
        assert!(ended.unwrap().interrupted, "{optimizer}");
    }
    let ended = run(&suite, stopped.path(), 1);
    assert!(ended.ours < ended.runs && !ended.interrupted);
    assert_eq!(found(stopped.path()), expected);

    // Nothing is done twice, and what is there is as `koala check` wants it.
    assert_eq!(run(&suite, whole.path(), 1).ours, 0);
    for folder in [&whole, &beside, &stopped] {
        let checked = koala_report::check(folder.path()).unwrap();
        assert!(checked.faults.is_empty(), "{:?}", checked.faults);
        assert!(checked.runs >= 14);
    }
}

#[test]
fn hyperparameters_of_ones_own_are_tuned_and_the_choice_is_listed() {
    let suite = parse(SUITE, own(0.1, "1")).unwrap();
    let here = tempfile::tempdir().unwrap();
    run(&suite, here.path(), 2);
    let listing = Listing::read(here.path()).unwrap();
    let tried: Vec<_> = listing
        .runs
        .iter()
        .filter(|run| run.optimizer == "sign-momentum")
        .filter_map(|run| match &run.role {
            Role::Trial { values, .. } => Some(values.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(tried.len(), 3);
    assert!((tried[0]["learning-rate"] - 1e-2).abs() < 1e-12);
    let mut choices = listing.choices.iter();
    let choice = choices.find(|choice| choice.optimizer == "sign-momentum");
    let choice = choice.unwrap();
    assert_eq!(choice.values, tried[choice.trial.unwrap()]);
    assert!(choice.validation.is_some());
    let tuned = listing
        .runs
        .iter()
        .find(|run| run.optimizer == "sign-momentum" && run.role == Role::Tuned);
    let config = fs::read_to_string(here.path().join(&tuned.unwrap().folder).join("config.toml"));
    let config: toml::Table = config.unwrap().parse().unwrap();
    let momentum = config["optimizer"]["momentum"].as_float();
    assert_eq!(momentum, Some(choice.values["momentum"]));
    let workload = &listing.workloads[0];
    assert_eq!(
        (workload.dataset.as_str(), workload.model.as_str()),
        ("rings", "net")
    );
    // What reads the folder of any comparison reads this one.
    let comparison = campaign(&suite, here.path(), 1).found().unwrap();
    let text = koala_report::text::table(&comparison);
    assert!(
        text.contains("sign-momentum") && text.contains("rings: net on rings"),
        "{text}"
    );

    // Without a space of its own, its knob is tuned around its default.
    let (before, _) = SUITE.split_once("[tuning.space").unwrap();
    let suite = parse(before, own(0.1, "1")).unwrap();
    let here = tempfile::tempdir().unwrap();
    let (runs, _) = campaign(&suite, here.path(), 1).expected().unwrap();
    let mut rates = runs.iter().filter_map(|expected| match &expected.run.role {
        Role::Trial { values, .. } if expected.run.optimizer == "sign-momentum" => {
            Some(values["learning-rate"])
        }
        _ => None,
    });
    assert!((rates.next().unwrap() - 0.01).abs() < 1e-12);
}

#[test]
fn an_optimizer_of_ones_own_that_fails_is_counted_and_the_others_go_on() {
    let suite = format!("{SUITE}\n[options.sign-momentum]\npatience = 5\n");
    let suite = parse(&suite, own(0.1, "1")).unwrap();
    let here = tempfile::tempdir().unwrap();
    let ended = run(&suite, here.path(), 2);
    // Three trials and two seeds; tuning has nothing to choose.
    assert_eq!(ended.failed.len(), 5, "{:?}", ended.failed);
    for (run, why) in &ended.failed {
        assert_eq!(run.optimizer, "sign-momentum");
        assert_eq!(
            why,
            "step 5: the optimizer 'sign-momentum': my patience is over"
        );
    }
    let listing = Listing::read(here.path()).unwrap();
    let choice = &listing.choices;
    let choice = choice.iter().find(|one| one.optimizer == "sign-momentum");
    assert_eq!(choice.unwrap().trial, None);
    assert_eq!(run(&suite, here.path(), 1).ours, 0);
    let checked = koala_report::check(here.path()).unwrap();
    assert!(checked.faults.is_empty(), "{:?}", checked.faults);
}

#[test]
fn other_samples_and_another_version_do_not_go_on_in_the_folder() {
    let (before, _) = SUITE.split_once("[tuning]").unwrap();
    let here = tempfile::tempdir().unwrap();
    let suite = parse(before, own(0.1, "1")).unwrap();
    assert_eq!(run(&suite, here.path(), 1).runs, 6);
    let before_it = found(here.path());
    let refused = |suite: &Suite| {
        let campaign = campaign(suite, here.path(), 1);
        let outcome = campaign.run(&mut Silent, &Interrupt::default());
        outcome.unwrap_err()
    };
    let other = parse(before, own(0.2, "1")).unwrap();
    let error = refused(&other);
    assert!(matches!(error, Error::OtherSamples { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("the samples of 'rings' are other ones"),
        "{text}"
    );
    let version = parse(before, own(0.1, "2")).unwrap();
    assert!(matches!(
        refused(&version),
        Error::OtherComparison { lost: 6, .. }
    ));
    assert_eq!(found(here.path()), before_it);
    // Unless that is wished; the old runs stay where they are.
    let replacing = campaign(&other, here.path(), 1).replacing(true);
    let ended = replacing.run(&mut Silent, &Interrupt::default()).unwrap();
    assert_eq!((ended.runs, ended.ours), (6, 6));
    assert_eq!(fs::read_dir(here.path().join("runs")).unwrap().count(), 12);
}

#[test]
fn one_of_ones_own_goes_with_what_koala_has() {
    // Its optimizer on Koala's digits and network, in two arms; its data with Koala's network.
    let text = r#"
        name = "mixed"
        seeds = [0]
        optimizers = ["sign-momentum", "sgd"]
        [[arm]]
        name = "sign-fast"
        optimizer = "sign-momentum"
        learning-rate = 0.03
        [options.sign-momentum]
        momentum = 0.5
        [[workload]]
        name = "digits"
        recipe = "digits-mlp"
        set = { epochs = 1 }
        [[workload]]
        name = "rings"
        [workload.set]
        epochs = 1
        dataset.name = "rings"
        model = { name = "mlp", hidden = [8] }
        optimizers.sign-fast.momentum = 0.7
    "#;
    let suite = parse(text, own(0.1, "1")).unwrap();
    let here = tempfile::tempdir().unwrap();
    let ended = run(&suite, here.path(), 2);
    assert_eq!((ended.runs, ended.failed.len()), (6, 0), "{ended:?}");
    let listing = Listing::read(here.path()).unwrap();
    let options = |workload: &str, arm: &str| {
        let mut runs = listing.runs.iter();
        let run = runs.find(|run| run.workload == workload && run.optimizer == arm);
        let file = here.path().join(&run.unwrap().folder).join("config.toml");
        let config: toml::Table = fs::read_to_string(file).unwrap().parse().unwrap();
        let number = |key: &str| config["optimizer"][key].as_float().unwrap();
        (number("learning-rate"), number("momentum"))
    };
    assert_eq!(options("digits", "sign-momentum"), (0.01, 0.5));
    assert_eq!(options("digits", "sign-fast"), (0.03, 0.5));
    assert_eq!(options("rings", "sign-momentum"), (0.01, 0.5));
    assert_eq!(options("rings", "sign-fast"), (0.03, 0.7));
    let checked = koala_report::check(here.path()).unwrap();
    assert!(checked.faults.is_empty(), "{:?}", checked.faults);
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let refused = |text: &str| {
        let suite = match parse(text, own(0.1, "1")) {
            Ok(suite) => suite,
            Err(text) => return text,
        };
        let here = tempfile::tempdir().unwrap();
        let orders = Orders {
            jobs: 1,
            threads: 1,
        };
        Campaign::new(&suite, here.path(), orders, None)
            .unwrap_err()
            .to_string()
    };
    let changed = |from: &str, to: &str| {
        assert!(SUITE.contains(from));
        refused(&SUITE.replace(from, to))
    };
    for (from, to, expected) in [
        (
            "dataset.name = \"rings\"",
            "dataset = { name = \"rings\", augment = \"none\" }",
            "suite test: workload rings: dataset.augment: 'rings' is your own and has no options here: say it where it is made",
        ),
        (
            "\"sign-momentum\"]",
            "\"sign-momentun\"]",
            "suite test: optimizers: no optimizer is called 'sign-momentun', did you mean 'sign-momentum'?",
        ),
        (
            "momentum = {",
            "momentun = {",
            "suite test: unknown key 'tuning.space.sign-momentum.momentun', did you mean 'momentum'?",
        ),
        (
            "[tuning]",
            "[options.sign-momentum]\nmomentun = 1\n[tuning]",
            "suite test: workload rings, optimizers.sign-momentum: momentun: is no option of sign-momentum, did you mean 'momentum'?",
        ),
    ] {
        assert_eq!(changed(from, to), expected);
    }
    let text = changed("dataset.name = \"rings\"", "dataset.name = \"ring\"");
    assert!(text.contains("no dataset is called 'ring'"), "{text}");
    let text = changed("model.name = \"net\"", "model.name = \"gpt\"");
    assert!(text.contains("networks for it are mlp"), "{text}");
    let twice =
        own(0.1, "1").data(OwnData::drawn("rings", rings(20, 0.1), Parting::default()).unwrap());
    assert_eq!(
        parse(SUITE, twice).unwrap_err(),
        "suite test: your data 'rings': is there twice: give each a name of its own"
    );
}
