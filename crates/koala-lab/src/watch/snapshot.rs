//! What is shown of a run at one moment. It follows from what was read alone.

use koala_report::{Evaluated, Figures, Latest, Run, Scores, Writer};
use koala_system::visible;

use super::curves::{self, Panel};
use super::fact::Fact;
use super::state::State;
use super::{filter, pace, panels};

/// What is shown of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Its folder.
    pub folder: String,
    /// Optimizer, data set, network and seed, as far as they are known.
    pub names: Vec<(&'static str, String)>,
    /// The program that writes it, if it is another one than `koala`.
    pub writer: Option<String>,
    /// Number of the network's parameters.
    pub parameters: Option<u64>,
    /// How it stands.
    pub state: State,
    /// Steps done.
    pub done: u64,
    /// Steps asked for.
    pub planned: Option<u64>,
    /// Seconds since the start, without those in which it was stopped.
    pub seconds: Option<f64>,
    /// Seconds a step lately.
    pub pace: Option<f64>,
    /// Seconds that it will still take; nothing unless it is running.
    pub left: Option<f64>,
    /// Curves.
    pub panels: Vec<Panel>,
    /// The training loss and the last evaluation.
    pub scores: Vec<Fact>,
    /// What the last step told.
    pub filter: Vec<Fact>,
    /// Whether there is a filter; nothing if no step was told.
    pub has_filter: Option<bool>,
    /// What came of it.
    pub result: Vec<Fact>,
    /// Lines of the log that could not be read.
    pub damaged: usize,
}

impl Snapshot {
    /// Of a run, the last step of its log, whether a program is at it, and the seconds since its log was written to.
    pub fn of(run: &Run, latest: Option<&Latest>, busy: bool, age: f64) -> Self {
        let log = &run.log;
        let state = State::of(run, busy);
        let evaluated = log.evaluations.last().map_or(0, |found| found.step);
        let told = latest.map_or(0, Latest::done).max(evaluated);
        let done = run.result.as_ref().map_or(told, |result| {
            // An interrupted run that goes on has more to tell than its last result.
            result.steps.max(told)
        });
        let planned = log.start.as_ref().and_then(|start| start.steps);
        let mut times: Vec<(u64, f64)> = if log.adversarial.is_empty() {
            let steps = log.steps.iter();
            steps.map(|point| (point.step, point.seconds)).collect()
        } else {
            let steps = log.adversarial.iter();
            steps.map(|point| (point.step, point.seconds)).collect()
        };
        if let Some(latest) = latest {
            times.push((latest.done().saturating_sub(1), latest.seconds()));
        }
        let pace = pace::pace(&times);
        let left = match (&state, pace, planned) {
            (State::Running, Some(pace), Some(planned)) => {
                Some(pace::left(pace, done, planned, age))
            }
            _ => None,
        };
        let seconds = latest
            .map(Latest::seconds)
            .into_iter()
            .chain(log.evaluations.last().and_then(|found| found.seconds))
            .filter(|seconds| seconds.is_finite())
            .reduce(f64::max);
        Self {
            folder: visible(&run.folder.display().to_string()),
            names: (names(run).into_iter())
                .map(|(name, value)| (name, visible(&value)))
                .collect(),
            writer: Some(run.writer())
                .filter(Writer::is_another)
                .map(|writer| visible(&writer.words())),
            parameters: log.start.as_ref().map(|start| start.parameters),
            state,
            done,
            planned,
            seconds,
            pace,
            left,
            panels: panels::all(log),
            scores: scores(run, latest),
            filter: latest.map(filter::facts).unwrap_or_default(),
            has_filter: latest.map(filter::has_filter),
            result: result(run),
            damaged: log.damaged,
        }
    }

    /// Optimizer, data set, network and seed in a line.
    pub fn title(&self) -> String {
        let of = |wanted: &str| {
            let found = self.names.iter().find(|(name, _)| *name == wanted);
            found.map_or("?", |(_, value)| value.as_str())
        };
        format!(
            "{} on {}, {}, seed {}",
            of("optimizer"),
            of("dataset"),
            of("model"),
            of("seed")
        )
    }
}

/// From the log's beginning, or from the configuration of a run that has told nothing yet.
fn names(run: &Run) -> Vec<(&'static str, String)> {
    if let Some(start) = &run.log.start {
        return vec![
            ("optimizer", start.optimizer.clone()),
            ("dataset", start.dataset.clone()),
            ("model", start.model.clone()),
            ("seed", start.seed.to_string()),
        ];
    }
    let Some(config) = &run.config else {
        return Vec::new();
    };
    let named = ["optimizer", "dataset", "model"].map(|part| {
        let name = config.get(part)?.get("name")?.as_str()?;
        Some((part, name.to_owned()))
    });
    let seed = config.get("seed").and_then(|seed| seed.as_integer());
    let seed = seed.map(|seed| ("seed", seed.to_string()));
    named.into_iter().chain([seed]).flatten().collect()
}

fn scores(run: &Run, latest: Option<&Latest>) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(Latest::Step(point, _)) = latest {
        facts.push(Fact::new("training loss", point.loss));
    }
    if let Some((_, smooth)) = curves::smoothed(panels::training(&run.log)).last() {
        facts.push(Fact::new("training loss, smoothed", smooth));
    }
    if let Some(Evaluated { figures, .. }) = run.log.evaluations.last() {
        facts.extend(of(figures));
    }
    if let Some((_, distance)) = run.log.distances.last() {
        facts.push(Fact::new("distance from real images", *distance));
    }
    facts
}

fn result(run: &Run) -> Vec<Fact> {
    let Some(result) = &run.result else {
        return Vec::new();
    };
    let mut facts = of(&result.figures);
    let seconds = result.training_seconds;
    facts.extend(seconds.map(|seconds| Fact::new("training seconds", seconds)));
    facts
}

fn of(figures: &Figures) -> Vec<Fact> {
    let parts: [(&str, Option<Scores>); 4] = [
        ("epoch", figures.train),
        ("held-out", figures.validation),
        ("test", figures.test),
        ("best weights' test", figures.best_test),
    ];
    let told = parts
        .iter()
        .filter_map(|(name, scores)| Some((name, (*scores)?)));
    told.flat_map(|(name, scores)| {
        [
            Fact::percent(&format!("{name} error"), scores.error),
            Fact::new(&format!("{name} loss"), scores.loss),
        ]
        .into_iter()
        .filter(|fact| fact.value.is_finite())
    })
    .collect()
}
