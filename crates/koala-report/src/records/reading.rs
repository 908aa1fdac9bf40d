//! Lines of a log, taken one after the other.

use std::io::{self, BufRead};

use koala_filter::StepReport;
use serde::de::IgnoredAny;

use super::event::{self, Evaluation, Failure, GanEvaluation, GanStep, Kind, Network, Step};
use super::lines::{Line, Lines};
use super::log::{AdversarialPoint, Damage, Detail, Evaluated, Log, NetworkPoint, StepPoint};
use super::thinned::Thinned;

/// Longest line that is read: a step of a network with tens of thousands of parameter tensors.
pub(super) const LINE: usize = 16 << 20;
/// Evaluations that are read; a target may be reached at any of them, so none is thinned out.
const EVALUATIONS: usize = 200_000;
/// Steps that are kept for curves.
const STEPS: usize = 2000;
/// Damaged lines that are told one by one.
const DAMAGES: usize = 20;

/// A log as far as it was read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    detail: Detail,
    log: Log,
    steps: Thinned<StepPoint>,
    filter: Thinned<StepReport>,
    adversarial: Thinned<AdversarialPoint>,
    number: usize,
    last: Vec<u8>,
}

impl Reading {
    pub(super) fn new(detail: Detail) -> Self {
        let reports = match detail {
            Detail::Filter(limit) => limit,
            Detail::Measures | Detail::Curves => 0,
        };
        Self {
            detail,
            log: Log::default(),
            steps: Thinned::new(STEPS),
            filter: Thinned::new(reports),
            adversarial: Thinned::new(STEPS),
            number: 0,
            last: Vec::new(),
        }
    }

    /// Takes all whole lines that are left. Damaged ones are counted.
    pub(super) fn take_all<R: BufRead>(&mut self, lines: &mut Lines<R>) -> io::Result<()> {
        while let Some(line) = lines.next()? {
            let outcome = match line {
                Line::Whole(line) => self.take(line),
                Line::Unfinished(_) => break,
                Line::TooLong => Err(format!("longer than {} MiB", LINE >> 20)),
            };
            self.number += 1;
            if let Err(fault) = outcome {
                self.damage(self.number, fault);
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let kind = event::kind(line)?;
        // A run that was resumed after it had broken off did not break off.
        self.log.failure = None;
        match kind {
            Kind::Start => self.log.start = Some(event::parse(line)?),
            Kind::Step => self.step(line)?,
            Kind::Evaluation | Kind::Epoch => self.evaluation(event::parse(line)?)?,
            Kind::GanStep => self.gan_step(line)?,
            Kind::GanEvaluation | Kind::GanEpoch => self.gan_evaluation(&event::parse(line)?)?,
            Kind::Failure => self.log.failure = Some(event::parse::<Failure>(line)?.message),
            Kind::End | Kind::Other => {}
        }
        Ok(())
    }

    fn step(&mut self, line: &[u8]) -> Result<(), String> {
        self.remember(line);
        match self.detail {
            Detail::Measures => Ok(()),
            Detail::Filter(_) if self.filter.wants() => {
                let mut step: Step<StepReport> = event::parse(line)?;
                match step.filter.take() {
                    Some(report) => self.filter.push(report),
                    None => self.filter.skip(),
                }
                self.point(&step);
                Ok(())
            }
            Detail::Curves | Detail::Filter(_) => {
                self.filter.skip();
                if self.steps.wants() {
                    self.point(&event::parse::<Step<IgnoredAny>>(line)?);
                } else {
                    self.steps.skip();
                }
                Ok(())
            }
        }
    }

    fn point<F>(&mut self, step: &Step<F>) {
        self.steps.push(step.point());
    }

    fn gan_step(&mut self, line: &[u8]) -> Result<(), String> {
        self.remember(line);
        if self.detail == Detail::Measures {
            return Ok(());
        }
        if self.adversarial.wants() {
            let step: GanStep<IgnoredAny> = event::parse(line)?;
            self.adversarial.push(step.point());
        } else {
            self.adversarial.skip();
        }
        Ok(())
    }

    /// The last step in full, for those who follow: it is parsed only if someone asks.
    fn remember(&mut self, line: &[u8]) {
        self.last.clear();
        self.last.extend_from_slice(line);
    }

    fn evaluation(&mut self, found: Evaluation) -> Result<(), String> {
        if self.log.evaluations.len() >= EVALUATIONS {
            return Err(format!("more than {EVALUATIONS} evaluations"));
        }
        self.log.evaluations.push(Evaluated {
            step: found.step,
            seconds: found.seconds,
            training_seconds: found.training_seconds,
            figures: found.figures,
        });
        Ok(())
    }

    fn gan_evaluation(&mut self, found: &GanEvaluation) -> Result<(), String> {
        if self.log.distances.len() >= EVALUATIONS {
            return Err(format!("more than {EVALUATIONS} evaluations"));
        }
        let told = found
            .validation_distance
            .as_ref()
            .or(found.test_distance.as_ref());
        if let Some(mean) = told.and_then(|distance| distance.mean) {
            self.log.distances.push((found.step, mean));
        }
        Ok(())
    }

    fn damage(&mut self, line: usize, fault: String) {
        self.log.damaged += 1;
        if self.log.damages.len() < DAMAGES {
            self.log.damages.push(Damage { line, fault });
        }
    }

    /// What is known so far.
    pub(super) fn log(&self) -> Log {
        Log {
            steps: self.steps.kept().to_vec(),
            filter: self.filter.kept().to_vec(),
            adversarial: self.adversarial.kept().to_vec(),
            ..self.log.clone()
        }
    }

    /// The same, for those who read no further.
    pub(super) fn finish(self) -> Log {
        Log {
            steps: self.steps.into_vec(),
            filter: self.filter.into_vec(),
            adversarial: self.adversarial.into_vec(),
            ..self.log
        }
    }

    /// The last step that was taken, in full; nothing if there was none or it is damaged.
    pub(super) fn latest(&self) -> Option<Latest> {
        match event::kind(&self.last).ok()? {
            Kind::Step => {
                let mut step: Step<StepReport> = event::parse(&self.last).ok()?;
                let filter = step.filter.take();
                Some(Latest::Step(step.point(), filter.map(Box::new)))
            }
            Kind::GanStep => {
                let mut step: GanStep<StepReport> = event::parse(&self.last).ok()?;
                let critic = step.critic.filter.take().map(Box::new);
                let generator = step.generator.filter.take().map(Box::new);
                Some(Latest::Adversarial(step.point(), critic, generator))
            }
            _ => None,
        }
    }
}

/// The last step of a log, and what KOALA's filters did in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Latest {
    /// A step with its filter.
    Step(StepPoint, Option<Box<StepReport>>),
    /// A step of adversarial training with the filters of the critic and of the generator.
    Adversarial(
        AdversarialPoint,
        Option<Box<StepReport>>,
        Option<Box<StepReport>>,
    ),
}

impl Latest {
    /// Steps that are done, this one included.
    pub fn done(&self) -> u64 {
        let (Self::Step(StepPoint { step, .. }, _)
        | Self::Adversarial(AdversarialPoint { step, .. }, ..)) = self;
        step.saturating_add(1)
    }

    /// Seconds since the start, evaluations included; NaN if they are not told.
    pub fn seconds(&self) -> f64 {
        let (Self::Step(StepPoint { seconds, .. }, _)
        | Self::Adversarial(AdversarialPoint { seconds, .. }, ..)) = self;
        *seconds
    }
}

impl<F> Step<F> {
    fn point(&self) -> StepPoint {
        StepPoint {
            step: self.step,
            loss: self.loss.unwrap_or(f64::NAN),
            effective_learning_rate: self.effective_learning_rate.unwrap_or(f64::NAN),
            seconds: self.seconds.unwrap_or(f64::NAN),
        }
    }
}

impl<F> GanStep<F> {
    fn point(&self) -> AdversarialPoint {
        let of = |network: &Network<F>| NetworkPoint {
            loss: network.loss.unwrap_or(f64::NAN),
            effective_learning_rate: network.effective_learning_rate.unwrap_or(f64::NAN),
        };
        AdversarialPoint {
            step: self.step,
            critic: of(&self.critic),
            generator: of(&self.generator),
            wasserstein: self.wasserstein.unwrap_or(f64::NAN),
            penalty: self.penalty.unwrap_or(f64::NAN),
            seconds: self.seconds.unwrap_or(f64::NAN),
        }
    }
}
