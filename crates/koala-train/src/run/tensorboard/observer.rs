//! The observer that keeps a run for TensorBoard.

use std::collections::HashSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use koala_filter::{Outcome, StepReport};

use super::event_file::EventFile;
use super::proto::{self, Summary, Value, What};
use super::scalar::Scalar;
use super::{adversaries, blocks, hyperparameters, scalars, text};
use crate::Error;
use crate::run::RunConfig;
use crate::run::contents::BOARD;
use crate::run::logged::is_logged;
use crate::training::{Event, Marks, Observer, ResumeEvent, Status};

/// Keeps a run in an event file that TensorBoard reads (`tensorboard --logdir runs`).
///
/// - Scalars: loss, error, gain, effective learning rate and seconds of each logged step; loss and error of each epoch and
///   its test; of KOALA the whole [`StepReport`](koala_filter::StepReport), under `filter/` what concerns the model and under
///   `blocks/NAME/` what concerns one block. Those of steps stand at the number of steps done before, those of epochs at
///   the number of steps done.
/// - Of adversaries the same under `critic/` and `generator/`, and the distance between made and real images.
/// - Texts: `config`, the configuration; `run`, what it trains on what; `filter/blocks`, the blocks with their numbers;
///   `filter/missing`, why a measurement was missing; `failure`, why the run broke off, at the last step that was written.
/// - Hyperparameters: the configuration with a column a key, and whether the run came to its end.
/// - Custom scalars: a chart a number, with all blocks in it.
///
/// As in the event log, the first of every `log-every` steps is written, each at once. Numbers are rounded to 32 bits;
/// those that are not finite are kept.
#[derive(Debug)]
pub struct TensorBoard {
    file: EventFile,
    every: u64,
    clock: fn() -> f64,
    /// Whether the file was empty, so that what stands in it once must be written.
    new: bool,
    /// Tags whose description has been written.
    described: HashSet<String>,
}

impl TensorBoard {
    /// What the file is called in a run's folder. TensorBoard looks for `tfevents` in the name and names the run after
    /// the folder.
    pub const FILE_NAME: &'static str = BOARD;

    /// A new event file at `path`, in place of one that is there, with the configuration as its first text.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be made.
    pub fn create(path: &Path, config: &RunConfig) -> Result<Self, Error> {
        Self::append(path, 0, config)
    }

    /// Goes on with the event file at `path` after its first `offset` bytes (see [`TensorBoard::position`]): what follows
    /// is cut off, and what is told from now on takes its place. If byte `offset` is in the middle of a record or behind a
    /// damaged one, the cut is after the last whole record before. A file that is not there is begun anew.
    ///
    /// A TensorBoard that is looking at the file meanwhile must be started again.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be opened, read or cut.
    pub fn append(path: &Path, offset: u64, config: &RunConfig) -> Result<Self, Error> {
        let text = config.to_toml();
        Self::open(path, offset, &text, config.log_every, seconds_since_1970)
    }

    pub(super) fn open(
        path: &Path,
        offset: u64,
        config: &str,
        every: u64,
        clock: fn() -> f64,
    ) -> Result<Self, Error> {
        let file = EventFile::open(path, offset)?;
        let mut board = Self {
            new: file.is_empty(),
            file,
            every,
            clock,
            described: HashSet::new(),
        };
        if board.new {
            board.file.begin(clock())?;
            let session = hyperparameters::start(config, clock());
            board.write(0, vec![text::literal("config", config), session])?;
        }
        Ok(board)
    }

    /// Where the file ends, in bytes, once everything in it is safely on the disk: what a checkpoint keeps for
    /// [`TensorBoard::append`].
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the disk refuses.
    pub fn position(&mut self) -> Result<u64, Error> {
        self.file.position()
    }

    fn write(&mut self, step: i64, values: Vec<Value>) -> Result<(), Error> {
        self.file.write(&proto::Event {
            wall_time: (self.clock)(),
            step,
            what: Some(What::Summary(Summary { values })),
        })
    }

    /// The scalar as a message, with its description when the tag is met for the first time.
    fn value(&mut self, scalar: Scalar) -> Value {
        let first = !self.described.contains(&*scalar.tag);
        if first {
            self.described.insert(scalar.tag.to_string());
        }
        // The format has no other width; beyond its range lies infinity.
        let value = scalar.value as f32;
        Value::scalar(
            scalar.tag.into_owned(),
            value,
            first.then_some(scalar.about),
        )
    }

    fn values(&mut self, scalars: Vec<Scalar>) -> Vec<Value> {
        scalars
            .into_iter()
            .map(|scalar| self.value(scalar))
            .collect()
    }
}

impl TensorBoard {
    /// What there is to read about the filters of networks, each under its prefix.
    fn texts(&mut self, reports: &[(&str, &StepReport)], values: &mut Vec<Value>) {
        for (prefix, report) in reports {
            if let Outcome::Missing { cause } = &report.outcome {
                values.push(text::literal(&format!("{prefix}filter/missing"), cause));
            }
        }
        let first = reports.iter().any(|(_, report)| report.step == 0);
        if self.new || first {
            self.new = false;
            values.extend(reports.iter().map(|(p, report)| blocks::list(p, report)));
            let prefixes: Vec<&str> = reports.iter().map(|(prefix, _)| *prefix).collect();
            values.push(blocks::charts(&prefixes));
        }
    }
}

impl Observer for TensorBoard {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            // A file that was lost is begun anew in the middle of a run.
            Event::Start(start) | Event::Resume(ResumeEvent { start, .. }) => {
                if !self.new {
                    return Ok(());
                }
                // Cannot fail: names and numbers only.
                let start = toml::to_string(start).unwrap_or_default();
                self.write(0, vec![text::literal("run", &start)])
            }
            Event::Step(step) => {
                if !is_logged(self.every, step.step) {
                    return Ok(());
                }
                let mut values = self.values(scalars::step(step));
                if let Some(report) = &step.filter {
                    self.texts(&[("", report)], &mut values);
                }
                self.write(number(step.step), values)
            }
            Event::GanStep(step) => {
                if !is_logged(self.every, step.step) {
                    return Ok(());
                }
                let mut values = self.values(adversaries::step(step));
                if let (Some(critic), Some(generator)) =
                    (&step.critic.filter, &step.generator.filter)
                {
                    let reports = [("critic/", critic), ("generator/", generator)];
                    self.texts(&reports, &mut values);
                }
                self.write(number(step.step), values)
            }
            Event::GanEpoch(epoch) => {
                let values = self.values(adversaries::epoch(epoch));
                self.write(number(epoch.step), values)
            }
            Event::GanEvaluation(found) => {
                let values = self.values(adversaries::evaluation(found));
                self.write(number(found.step), values)
            }
            Event::Epoch(epoch) => {
                let values = self.values(scalars::epoch(epoch));
                self.write(number(epoch.step), values)
            }
            Event::Evaluation(found) => {
                let values = self.values(scalars::evaluation(found));
                self.write(number(found.step), values)
            }
            // Its numbers have been said by the last epoch. A run that was stopped goes on.
            Event::End(end) if end.status == Status::Completed => {
                let ended = hyperparameters::end(true, (self.clock)());
                self.write(number(end.steps), vec![ended])
            }
            // Pictures are files of their own.
            Event::End(_) | Event::Pictures(_) | Event::Warning(_) => Ok(()),
            Event::Failure(failure) => {
                let text = text::literal("failure", &failure.message);
                let ended = hyperparameters::end(false, (self.clock)());
                self.write(self.file.step(), vec![text, ended])
            }
        }
    }

    fn marks(&mut self) -> Result<Marks, Error> {
        Ok(Marks::from([(
            Self::FILE_NAME.to_owned(),
            self.position()?,
        )]))
    }
}

/// A step as the format counts it.
fn number(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn seconds_since_1970() -> f64 {
    // A clock before 1970 is no reason to stop a run.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
