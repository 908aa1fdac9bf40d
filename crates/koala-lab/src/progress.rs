//! The progress bar. It is drawn on the standard error, and only if that is a terminal.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use koala_compare::{Position, SuiteObserver};
use koala_system::visible;
use koala_train::Error;
use koala_train::gan::GanStepEvent;
use koala_train::run::Settled;
use koala_train::training::{Event, Observer, StartEvent, StepEvent};

use crate::terminal;

const TEMPLATE: &str = "{prefix}{bar:24} {pos}/{len}  {msg}  {eta} left";
const SUITE_TEMPLATE: &str = "{bar:24} {pos}/{len} runs{msg}";

/// A bar with loss, error, effective learning rate and time left, and a line for each epoch.
pub struct Progress {
    bar: ProgressBar,
    /// Whether epochs are printed.
    epochs: bool,
    /// Whether nothing but errors is.
    quiet: bool,
    of: usize,
    /// Loss and error, if there is one, or the losses of both adversaries, as they are shown: smoothed, since single batches jump.
    smooth: Option<(f64, f64)>,
}

impl Progress {
    /// A bar unless `quiet`, and epochs on the standard output if `epochs`.
    pub fn new(quiet: bool, epochs: bool) -> Self {
        let bar = terminal::bar(TEMPLATE, quiet);
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self {
            bar,
            epochs,
            quiet,
            of: 0,
            smooth: None,
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn step(&mut self, step: &StepEvent) {
        if self.bar.is_hidden() {
            return;
        }
        let error = step.misread.map(|misread| misread.error);
        let (loss, smooth) = self.smoothed(step.loss, error.unwrap_or(f64::NAN));
        let error = error.map_or(String::new(), |_| format!("  error {smooth:.2} %"));
        self.bar.set_message(format!(
            "loss {loss:.4}{error}  rate {:.2e}",
            step.effective_learning_rate
        ));
        self.bar.set_position(step.step + 1);
    }

    fn gan_step(&mut self, step: &GanStepEvent) {
        if self.bar.is_hidden() {
            return;
        }
        let (critic, generator) = self.smoothed(step.critic.loss, step.generator.loss);
        self.bar.set_message(format!(
            "critic {critic:.3}  generator {generator:.3}  rates {:.2e} {:.2e}",
            step.critic.effective_learning_rate, step.generator.effective_learning_rate
        ));
        self.bar.set_position(step.step + 1);
    }

    fn smoothed(&mut self, first: f64, second: f64) -> (f64, f64) {
        let mix = |old: f64, new: f64| {
            if old.is_finite() {
                0.95 * old + 0.05 * new
            } else {
                new
            }
        };
        let now = match self.smooth {
            None => (first, second),
            Some((old_first, old_second)) => (mix(old_first, first), mix(old_second, second)),
        };
        self.smooth = Some(now);
        now
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Start(start) => self.begin(start, 0),
            Event::Resume(resume) => {
                self.begin(&resume.start, resume.step);
                if self.epochs {
                    self.say(format!("goes on after {} steps", resume.step));
                }
            }
            Event::Step(step) => self.step(step),
            Event::GanStep(step) => self.gan_step(step),
            Event::GanEvaluation(found) if self.epochs => self.say(format!(
                "  step {}  {} {}  {:.1} s",
                found.step,
                found.judged.samples.name(),
                found.judged.headline(),
                found.seconds
            )),
            Event::GanEpoch(epoch) if self.epochs => self.say(format!(
                "epoch {:>3}/{}  critic {:.3}  generator {:.3}  {} {}  {:.1} s",
                epoch.epoch,
                self.of,
                epoch.train.critic_loss,
                epoch.train.generator_loss,
                epoch.judged.samples.name(),
                epoch.judged.headline(),
                epoch.seconds
            )),
            Event::Evaluation(found) if self.epochs => self.say(format!(
                "  step {}  {} {}  {:.1} s",
                found.step,
                found.judged.samples.name(),
                found.judged.line(),
                found.seconds
            )),
            Event::Epoch(epoch) if self.epochs => self.say(format!(
                "epoch {:>3}/{}  train {}  {} {}  {:.1} s",
                epoch.epoch,
                self.of,
                epoch.train.line(),
                epoch.judged.samples.name(),
                epoch.judged.line(),
                epoch.seconds
            )),
            Event::Warning(warning) if !self.quiet => {
                self.bar.suspend(|| terminal::warning(&warning.message));
            }
            _ => {}
        }
    }

    fn begin(&mut self, start: &StartEvent, step: u64) {
        self.of = start.epochs;
        self.smooth = None;
        self.bar.set_length(start.steps);
        self.bar.set_position(step);
        self.bar.reset_eta();
        if self.epochs {
            self.say(format!(
                "{}, {} with {} parameters, {}: {} epochs, {} steps",
                start.dataset,
                start.model,
                start.parameters,
                start.optimizer,
                start.epochs,
                start.steps
            ));
        }
    }

    fn say(&self, text: String) {
        self.bar.suspend(|| terminal::line(text));
    }
}

impl Observer for Progress {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        self.show(event);
        Ok(())
    }
}

impl SuiteObserver for Progress {
    fn observe(&mut self, position: &Position, event: &Event) {
        if !position.alone {
            self.suite(position);
            return;
        }
        if let Event::Start(_) | Event::Resume(_) = event {
            let prefix = format!(
                "{}/{} {} {} seed {}{}  ",
                position.done + 1,
                position.count,
                position.workload,
                position.optimizer,
                position.seed,
                left(position)
            );
            self.bar.set_prefix(visible(&prefix));
        }
        self.show(event);
    }

    fn settled(&mut self, position: &Position, settled: &Settled) {
        if !position.alone {
            self.suite(position);
        }
        let became = match settled {
            Settled::Failed(_) => "failed",
            Settled::Damaged(_) => "is damaged",
            Settled::Completed | Settled::Interrupted => return,
        };
        if !self.bar.is_hidden() {
            let Position {
                workload,
                optimizer,
                seed,
                role,
                ..
            } = position;
            let text = format!("{workload}, {optimizer}, seed {seed} ({role}) {became}");
            self.bar.suspend(|| terminal::warning(&text));
        }
    }

    fn warn(&mut self, text: &str) {
        self.bar.suspend(|| terminal::warning(text));
    }
}

impl Progress {
    /// Several runs are at work: what is shown is how many have ended.
    fn suite(&mut self, position: &Position) {
        if self.bar.is_hidden() {
            return;
        }
        if self.of != position.count {
            self.of = position.count;
            let style = ProgressStyle::with_template(SUITE_TEMPLATE);
            self.bar
                .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        self.bar.set_length(position.count as u64);
        self.bar.set_position(position.done as u64);
        self.bar.set_message(left(position));
    }
}

/// The time that all runs will take, if it is known.
fn left(position: &Position) -> String {
    match position.left {
        None => String::new(),
        Some(seconds) => {
            let time = HumanDuration(Duration::from_secs_f64(seconds.clamp(0.0, 1e9)));
            format!(" (all: {time:#} left)")
        }
    }
}
