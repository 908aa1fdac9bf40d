//! Whether this machine keeps what the program promises: files that stay, the same bits, devices that agree.

use std::path::Path;

use koala_data::{DatasetName, Interrupt, Loaded};
use koala_system::{new_folder, read, remove_tree, write_whole};
use rayon::ThreadPoolBuilder;
use serde::Serialize;

use crate::Error;
use crate::device::{BackEnd, DeviceName};
use crate::run::{Outcome, Override, RunConfig, RunFolder};
use crate::training::{Event, Observer, Silent};

/// Steps of each run.
const STEPS: u64 = 20;
/// After so many one is stopped.
const STOP: u64 = 11;
/// How far the loss on another device may be from the processor's, as a share of it. Sums in another order move it by 1e-6 a step or
/// so; an operation that is wrong moves it by far more.
const TOLERANCE: f64 = 1e-3;
/// Where the files of an examination lie, below the folder that is tried.
const FOLDER: &str = ".koala-doctor";

/// How one thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Well,
    /// Not as it should be.
    Wrong,
    /// Neither: it is not there, and need not be.
    Absent,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub what: String,
    /// How it was found.
    pub state: State,
    /// What was found; of what is wrong, also what to do.
    pub told: String,
}

/// Why something is wrong, and what to do.
type Trouble = String;

/// Looks at the disk below `folder`, which is there, at the device and at the data sets, and tells `each` what was found as it is found.
///
/// # Errors
///
/// None: what goes wrong is a finding.
pub fn examine(folder: &Path, device: DeviceName, each: &mut dyn FnMut(Finding)) {
    let mut find = |what: &str, outcome: Result<String, Trouble>| {
        let (state, told) = match outcome {
            Ok(told) => (State::Well, told),
            Err(told) => (State::Wrong, told),
        };
        each(Finding {
            what: what.to_owned(),
            state,
            told,
        });
        state == State::Well
    };
    let here = folder.join(FOLDER);
    let disk = find("disk", disk(&here));
    let patient = Patient::new(device);
    match patient {
        Err(trouble) => {
            find("device", Err(trouble));
        }
        Ok(patient) => {
            find("the same run twice", patient.twice());
            find("one thread and two", patient.threads());
            // Without a disk that keeps anything there is nothing to go on from.
            if disk {
                find("stopped and gone on", patient.stopped(&here));
            }
            if device.back_end != BackEnd::Cpu {
                find(&format!("{device} and the processor"), patient.devices());
            }
        }
    }
    if let Err(cause) = remove_tree(&here) {
        find("disk", Err(remedied(&here, &cause, "remove it by hand")));
    }
    data(each);
}

/// Whether what is written is there, whole, under its last name.
fn disk(here: &Path) -> Result<String, Trouble> {
    let wrong = |cause: std::io::Error| {
        remedied(
            here,
            &cause,
            "make room, or name another folder, where you may write, with --out",
        )
    };
    // Of one that was killed.
    remove_tree(here).map_err(wrong)?;
    new_folder(here).map_err(wrong)?;
    let content: Vec<u8> = (0..1_u32 << 20)
        .map(|n| (n.wrapping_mul(n) >> 7) as u8)
        .collect();
    // Over one that is there, too.
    for content in [&content[..10], &content] {
        write_whole(here, "file", content).map_err(wrong)?;
        let found = read(&here.join("file"), 1 << 21).map_err(wrong)?;
        if found != content {
            return Err(format!(
                "{}: what was written reads otherwise: do not keep runs on this disk",
                here.display()
            ));
        }
    }
    Ok("a file was written, synced, renamed and read".to_owned())
}

/// A fault of a file with what to do.
fn remedied(path: &Path, cause: &std::io::Error, remedy: &str) -> Trouble {
    format!("{}: {cause}: {remedy}", path.display())
}

/// A small run that is done in several ways.
struct Patient {
    config: RunConfig,
    data: Loaded,
}

impl Patient {
    fn new(device: DeviceName) -> Result<Self, Trouble> {
        // Large enough that its work is shared among threads.
        let over = [
            Override::new("device", device.to_string()),
            Override::new(
                "model.hidden",
                toml::Value::Array(vec![256.into(), 64.into()]),
            ),
            Override::new("batch-size", 200),
            Override::new("train-limit", 1_000),
            Override::new("validation", 200),
            Override::new("test", false),
            Override::new("max-steps", STEPS as i64),
        ];
        let config = RunConfig::resolve(None, &over).map_err(|error| error.to_string())?;
        let data = config.load().map_err(|error| error.to_string())?;
        Ok(Self { config, data })
    }

    fn run(&self) -> Result<Ended, Trouble> {
        let outcome =
            crate::run::execute_on(&self.config, &self.data, &mut Silent, &Interrupt::default());
        Ended::of(outcome)
    }

    fn on_threads(&self, count: usize) -> Result<Ended, Trouble> {
        let pool = ThreadPoolBuilder::new().num_threads(count).build();
        let pool = pool.map_err(|cause| {
            format!("{count} threads cannot be started: {cause}: raise the limit of processes")
        })?;
        pool.install(|| self.run())
    }

    fn twice(&self) -> Result<String, Trouble> {
        let (first, second) = (self.run()?, self.run()?);
        same(&first.weights, &second.weights)
            .map(|()| format!("{STEPS} steps gave the same bits"))
            .map_err(|difference| match self.config.device.back_end {
                BackEnd::Cpu => format!("{difference}: the processor or its memory is faulty, or Koala is: test the memory, then tell us"),
                _ => format!("{difference}: this device adds in whatever order comes first, and no run on it can be repeated to the bit"),
            })
    }

    fn threads(&self) -> Result<String, Trouble> {
        let (one, two) = (self.on_threads(1)?, self.on_threads(2)?);
        same(&one.weights, &two.weights)
            .map(|()| format!("{STEPS} steps gave the same bits"))
            .map_err(|difference| format!("{difference}: compare runs of the same --threads only, and tell us of this machine"))
    }

    fn stopped(&self, here: &Path) -> Result<String, Trouble> {
        let fault = |error: Error| error.to_string();
        let folder = RunFolder::take(&here.join("run"), false).map_err(fault)?;
        let interrupt = Interrupt::default();
        let mut stop = Stop(interrupt.clone());
        folder
            .execute_on(&self.config, &self.data, &mut stop, &interrupt)
            .map_err(fault)?;
        let gone_on = folder.resume_on(
            &self.config,
            &self.data,
            &mut Silent,
            &Interrupt::default(),
            &mut |_| {},
        );
        let (gone_on, whole) = (Ended::of(gone_on)?, self.run()?);
        same(&whole.weights, &gone_on.weights)
            .map(|()| format!("stopped after {STOP} of {STEPS} steps, it came to the same bits"))
            .map_err(|difference| format!("{difference}: let runs go to their end without a stop, and tell us of this machine"))
    }

    /// The device of the run beside the processor.
    fn devices(&self) -> Result<String, Trouble> {
        let mut config = self.config.clone();
        config.device = DeviceName::default();
        let data = self.data.clone();
        let (here, there) = (Self { config, data }.run()?, self.run()?);
        let off = (there.loss - here.loss).abs() / here.loss.abs();
        let told = format!(
            "after {STEPS} steps the loss is {:.6} there and {:.6} here, {off:.1e} apart",
            there.loss, here.loss
        );
        match off <= TOLERANCE {
            true => Ok(told),
            false => Err(format!(
                "{told}, more than {TOLERANCE:.0e}: bring its driver up to date, and trust no number from it until they agree"
            )),
        }
    }
}

/// What a run ended with.
struct Ended {
    weights: Vec<u8>,
    loss: f64,
}

impl Ended {
    fn of(outcome: Result<Outcome, Error>) -> Result<Self, Trouble> {
        let outcome = outcome.map_err(|error| error.to_string())?;
        let weights = outcome
            .network
            .weights()
            .map_err(|error| error.to_string())?;
        let result = serde_json::to_value(&outcome.result).map_err(|error| error.to_string())?;
        let loss = result
            .get("validation_loss")
            .and_then(serde_json::Value::as_f64);
        let loss = loss.ok_or("the run ended without a finite loss: tell us of this machine")?;
        Ok(Self { weights, loss })
    }
}

/// Whether two networks' weights are the same bits; else how many bytes differ.
fn same(first: &[u8], second: &[u8]) -> Result<(), String> {
    let pairs = first.iter().zip(second);
    match pairs.filter(|(one, other)| one != other).count() {
        0 if first.len() == second.len() => Ok(()),
        0 => Err("the weights are of other lengths".to_owned()),
        count => Err(format!(
            "{count} of {} bytes of the weights differ",
            first.len()
        )),
    }
}

/// Asks to stop.
struct Stop(Interrupt);

impl Observer for Stop {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        if let Event::Step(step) = event
            && step.step + 1 == STOP
        {
            self.0.set();
        }
        Ok(())
    }
}

/// The data sets that are here.
fn data(each: &mut dyn FnMut(Finding)) {
    let sought = |name: &DatasetName| !name.is_own() && !name.is_embedded();
    for name in DatasetName::ALL.into_iter().filter(sought) {
        let (state, told) = match name.find(None) {
            Ok(place) => (State::Well, place.display().to_string()),
            Err(error) => (State::Absent, error.to_string()),
        };
        each(Finding {
            what: format!("data {}", name.name()),
            state,
            told,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_a_difference() {
        let (whole, other) = ([7_u8; 9], [7, 7, 7, 7, 6, 7, 7, 7, 7]);
        assert!(same(&whole, &whole).is_ok());
        let text = same(&whole, &other).unwrap_err();
        assert_eq!(text, "1 of 9 bytes of the weights differ");
        assert!(same(&whole, &whole[1..]).is_err());
    }
}
