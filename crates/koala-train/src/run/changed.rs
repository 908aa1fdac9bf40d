//! What may change of a run that goes on: its length, and how it is looked at and kept.

use std::io::ErrorKind;
use std::path::Path;

use koala_data::{Data, Loaded};
use koala_system::{read, remove_file};

use super::bound::{Bound, FREE};
use super::contents::{EVENTS, RESULT};
use super::durable::write_whole;
use super::{ConfigError, DataNote, Override, RunConfig, RunFolder};
use crate::Error;
use crate::training::{AverageSpec, ScheduleSpec};

/// The key of the file with the weights to start from.
const INIT_WEIGHTS: &str = "init-weights";
/// No log of a run comes near it.
const LARGEST_LOG: u64 = 1 << 40;

impl RunFolder {
    /// As [`RunFolder::open`], with what is to change of the configuration. [`RunFolder::resume_on`] writes it down once it has seen that
    /// it may.
    ///
    /// # Errors
    ///
    /// [`Error`] as [`RunFolder::open`]; [`Error::Config`] if something else is to change than what may: how long the run is, how it is
    /// looked at and kept, and where its data lie.
    pub fn open_to_change(path: &Path, overrides: &[Override]) -> Result<(Self, RunConfig), Error> {
        let (run, config) = Self::open(path)?;
        // Where its first weights lie may change, but not that it has some.
        let may = |key: &str| {
            FREE.contains(&key) && !(key == INIT_WEIGHTS && config.init_weights.is_empty())
        };
        if let Some(other) = overrides.iter().find(|over| !may(over.key())) {
            let free = FREE.into_iter().filter(|key| may(key));
            let flags: Vec<String> = free.map(|key| Override::new(key, 0).flag()).collect();
            let all = flags.join(", ");
            return Err(ConfigError::Value {
                origin: "--resume".to_owned(),
                fault: format!(
                    "goes on with a run as it was begun, so {} cannot be given with it; what may change: {all}",
                    other.flag()
                ),
            }
            .into());
        }
        if overrides.is_empty() {
            return Ok((run, config));
        }
        let config = RunConfig::parse(&config.to_toml(), "configuration", overrides)?;
        Ok((run, config))
    }

    /// Takes up what is to change of the run, if something is, before it goes on. Its log begins as that of a run that was begun so.
    pub(super) fn change(&self, config: &RunConfig, data: &Loaded) -> Result<(), Error> {
        let (_, before) = Self::open(self.path())?;
        if before == *config {
            return Ok(());
        }
        let note = DataNote::of(data, config);
        self.check_data(note.as_ref().map(|note| note.sha256.as_str()))?;
        let found = self.checkpoints(config).find()?;
        let bound = Bound::of(config, data.sha256());
        self.check_bound(&found, &bound, config)?;
        let done = found
            .checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.step);
        config.check_length(&before, &data.data, done)?;
        if self.completed()?.is_some() && config.steps(&data.data) <= done {
            return Err(ConfigError::Value {
                origin: "--resume".to_owned(),
                fault: format!(
                    "the run is complete after {done} steps, and would be: it goes on with more --epochs, or a higher --max-steps (0 for \
                     no limit)"
                ),
            }
            .into());
        }
        // In this order whatever breaks off in between leaves a run that can go on: what it came to is not believed any more, then the
        // checkpoint knows how long the log will be, and the configuration is last.
        let result = self.path().join(RESULT);
        remove_file(&result).map_err(Error::file(result, "remove"))?;
        self.forget_manifest()?;
        if let Some(mut checkpoint) = found.checkpoint
            && let Some(length) = checkpoint.marks.get(EVENTS).copied()
            && let Some(log) = self.relabelled_log(config, &data.data, length)?
        {
            // The log is never shorter by a line than the checkpoint knows it: at worst it seems to have lost something.
            let known = log.len() as u64;
            checkpoint.marks.insert(EVENTS.to_owned(), known);
            let checkpoints = self.checkpoints(config).of_run(bound, found.best);
            if known < length {
                write_whole(self.path(), EVENTS, &log)?;
                checkpoints.only(checkpoint)?;
            } else {
                checkpoints.only(checkpoint)?;
                write_whole(self.path(), EVENTS, &log)?;
            }
        }
        self.write_config(config)
    }

    /// The log up to this length, with the new number of epochs and steps in its first line; nothing if there is no such log.
    fn relabelled_log(
        &self,
        config: &RunConfig,
        data: &Data,
        length: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path().join(EVENTS);
        let mut log = match read(&path, LARGEST_LOG) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            log => log.map_err(Error::file(&path, "read"))?,
        };
        // One that has lost something is told of when the run goes on.
        if (log.len() as u64) < length {
            return Ok(None);
        }
        log.truncate(length as usize);
        let Some(end) = log.iter().position(|byte| *byte == b'\n') else {
            return Ok(None);
        };
        let Ok(first) = std::str::from_utf8(&log[..end]) else {
            return Ok(None);
        };
        let first = with_number(first, "epochs", config.epochs as u64);
        let first = first.and_then(|first| with_number(&first, "steps", config.steps(data)));
        Ok(first.map(|first| [first.as_bytes(), &log[end..]].concat()))
    }
}

/// A line of JSON with another whole number under a key, and every other byte as it was; nothing if it has no such number.
fn with_number(line: &str, key: &str, number: u64) -> Option<String> {
    let label = format!("\"{key}\":");
    let (before, rest) = line.split_once(&label)?;
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    (after.len() < rest.len()).then(|| format!("{before}{label}{number}{after}"))
}

impl RunConfig {
    /// Whether a run of which so many steps are done may take this length in place of that of `before`: only if each of these steps would
    /// have been the same.
    fn check_length(&self, before: &Self, data: &Data, done: u64) -> Result<(), ConfigError> {
        let (steps, were) = (self.steps(data), before.steps(data));
        let same = steps == were && self.epochs == before.epochs;
        if same || done == 0 {
            return Ok(());
        }
        let key = match self.epochs == before.epochs {
            true => "max-steps",
            false => "epochs",
        };
        let fault = |fault: String| {
            Err(ConfigError::Value {
                origin: Override::new(key, 0).flag(),
                fault,
            })
        };
        if steps < done {
            return fault(format!(
                "makes {steps} steps, and the run has done {done}: give more, or begin another run with --config on its config.toml"
            ));
        }
        let anew = "begin a run of that length with --config on its config.toml, or one from its weights with --init-weights";
        if steps != were
            && matches!(
                self.schedule,
                ScheduleSpec::Cosine { .. }
                    | ScheduleSpec::WarmupCosine { .. }
                    | ScheduleSpec::Wsd { .. }
            )
        {
            return fault(format!(
                "the schedule '{}' falls over all steps of a run, so that the {done} that are done would have been other ones in a run of \
                 {steps}: {anew}",
                self.schedule.name()
            ));
        }
        if self.epochs != before.epochs
            && matches!(self.average, AverageSpec::Swa { swa_start: 0, .. })
        {
            return fault(format!(
                "the average 'swa' begins with the last quarter of a run's epochs, which would have been another: give --swa-start when a \
                 run is begun; {anew}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_replaced_and_nothing_else() {
        let line = r#"{"event":"start","epochs":20,"steps":1400,"x":{"y":1}}"#;
        assert_eq!(
            with_number(line, "epochs", 7).unwrap(),
            line.replace("20", "7")
        );
        assert_eq!(
            with_number(line, "steps", 12_345).unwrap(),
            line.replace("1400", "12345")
        );
        assert_eq!(with_number(line, "event", 7), None);
        assert_eq!(with_number(line, "seed", 7), None);
    }
}
