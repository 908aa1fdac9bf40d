//! Whether this machine keeps what the program promises: files that stay, the same bits, devices that agree.

use std::path::Path;

use koala_data::{DatasetName, Interrupt, Loaded};
use koala_system::{new_folder, read, remove_tree, write_whole};
use rayon::ThreadPoolBuilder;
use serde::Serialize;

use crate::Error;
use crate::device::{BackEnd, DeviceName};
use crate::run::{Outcome, Override, RunConfig, RunFolder, execute_on};
use crate::training::{Event, Observer};

/// Steps of each run of the first network.
const STEPS: u64 = 20;
/// After so many one is stopped.
const STOP: u64 = 11;
/// How far the losses on another device may be from the processor's, as a share of the largest. Sums in another order move them by
/// 1e-6 a step or so; an operation that is wrong moves them by far more.
const TOLERANCE: f64 = 1e-3;
/// Steps of each run of the networks that are tried on a device only.
const FEWER_STEPS: u64 = 5;
/// Those, with what the first one lacks: convolutions and batch normalisation; attention and layer normalisation; transposed
/// convolutions and gradients of gradients; embeddings, recurrence and dropout; a table that is embedding and output.
const NETWORKS: [&str; 5] = [
    r#"
        validation = 200
        test = false
        model = { name = "cnn", channels = [4, 8], hidden = 16 }
    "#,
    r#"
        validation = 200
        test = false
        model = { name = "vit", patch = 2, width = 16, heads = 2, layers = 1 }
    "#,
    r#"
        model = { name = "dcgan", width = 4, noise = 8, evaluate-images = 16 }
    "#,
    r#"
        test = false
        dataset = { name = "tiny-shakespeare", window = 8 }
        model = { name = "lstm", hidden = 16, layers = 2, dropout = 0.2 }
    "#,
    r#"
        test = false
        dataset = { name = "tiny-shakespeare", window = 16 }
        model = { name = "gpt", width = 16, heads = 2, layers = 1, context = 16 }
    "#,
];
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
            find("the same run twice", held(device, || patient.twice()));
            find("one thread and two", held(device, || patient.threads()));
            // Without a disk that keeps anything there is nothing to go on from.
            if disk {
                find(
                    "stopped and gone on",
                    held(device, || patient.stopped(&here)),
                );
            }
            if device.back_end != BackEnd::Cpu {
                find(
                    &format!("{device} and the processor"),
                    held(device, || patient.devices()),
                );
                for network in NETWORKS {
                    let (name, found) = other(network, device);
                    find(&format!("{device} and the processor, {name}"), found);
                }
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
        let network = r#"
            validation = 200
            test = false
            model = { name = "mlp", hidden = [256, 64] }
        "#;
        Self::of(network, device, [200, 1_000, STEPS])
    }

    /// A run of this configuration, with batches of so many samples (rows of text), so many of them (tokens) and so many steps.
    fn of(
        config: &str,
        device: DeviceName,
        [batch, samples, steps]: [u64; 3],
    ) -> Result<Self, Trouble> {
        let over = [
            Override::new("device", device.to_string()),
            Override::new("batch-size", batch as i64),
            Override::new("train-limit", samples as i64),
            Override::new("max-steps", steps as i64),
        ];
        let config = RunConfig::parse(config, FOLDER, &over).map_err(|error| error.to_string())?;
        let data = config.load().map_err(|error| error.to_string())?;
        Ok(Self { config, data })
    }

    fn run(&self) -> Result<Ended, Trouble> {
        let mut losses = Losses::default();
        let ended = execute_on(&self.config, &self.data, &mut losses, &Interrupt::default());
        Ended::of(ended, losses)
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
            .map(|()| format!("{} steps gave the same bits", self.config.max_steps))
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
        let mut losses = Losses::default();
        let gone_on = folder.resume_on(
            &self.config,
            &self.data,
            &mut losses,
            &Interrupt::default(),
            &mut |_| {},
        );
        let (gone_on, whole) = (Ended::of(gone_on, losses)?, self.run()?);
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
        beside(&here.losses, &there.losses).map(|off| {
            format!(
                "the losses of {} steps are {off:.1e} apart",
                self.config.max_steps
            )
        })
    }
}

/// What `look` finds; if the device gives up, that.
fn held(
    device: DeviceName,
    look: impl FnOnce() -> Result<String, Trouble>,
) -> Result<String, Trouble> {
    device.hold(look).map_err(|error| error.to_string())?
}

/// What is found of one of [`NETWORKS`], and its name.
fn other(network: &str, device: DeviceName) -> (String, Result<String, Trouble>) {
    match Patient::of(network, device, [16, 2_000, FEWER_STEPS]) {
        Err(trouble) => ("another network".to_owned(), Err(trouble)),
        Ok(patient) => {
            let found = held(device, || {
                Ok(format!("{}; {}", patient.twice()?, patient.devices()?))
            });
            (patient.config.model.name().to_owned(), found)
        }
    }
}

/// How far losses on another device are from the same ones on the processor, as a share of the largest of these.
fn beside(here: &[f64], there: &[f64]) -> Result<f64, Trouble> {
    let largest = here
        .iter()
        .fold(f64::MIN_POSITIVE, |most, loss| most.max(loss.abs()));
    let apart = here
        .iter()
        .zip(there)
        .map(|(here, there)| (here - there).abs());
    // `max` would pass over what is no number.
    let most = apart.fold(0.0, |most, apart| {
        if apart > most || apart.is_nan() {
            apart
        } else {
            most
        }
    });
    let off = most / largest;
    match off <= TOLERANCE && here.len() == there.len() {
        true => Ok(off),
        false => Err(format!(
            "of {} losses there and {} here some are {off:.1e} apart, more than {TOLERANCE:.0e}: bring its driver up to date, and trust no \
             number from it until they agree",
            there.len(),
            here.len()
        )),
    }
}

/// What a run ended with.
struct Ended {
    weights: Vec<u8>,
    losses: Vec<f64>,
}

impl Ended {
    fn of(outcome: Result<Outcome, Error>, losses: Losses) -> Result<Self, Trouble> {
        let outcome = outcome.map_err(|error| error.to_string())?;
        let weights = outcome
            .network
            .weights()
            .map_err(|error| error.to_string())?;
        let Losses(losses) = losses;
        match !losses.is_empty() && losses.iter().all(|loss| loss.is_finite()) {
            true => Ok(Self { weights, losses }),
            false => Err("a loss of the run is not finite: tell us of this machine".to_owned()),
        }
    }
}

/// The losses of every step and evaluation.
#[derive(Default)]
struct Losses(Vec<f64>);

impl Observer for Losses {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Step(step) => self.0.push(step.loss),
            Event::Epoch(epoch) => self.0.push(epoch.judged.evaluation.loss),
            Event::GanStep(step) => self.0.extend([step.critic.loss, step.generator.loss]),
            _ => {}
        }
        Ok(())
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
    fn losses_that_are_too_far_apart_or_missing_are_told() {
        let here = [-2.0, 0.5];
        assert_eq!(beside(&here, &here), Ok(0.0));
        let off = beside(&here, &[-2.0, 0.501]).unwrap();
        assert!((off - 5e-4).abs() < 1e-9, "{off}");
        let told = beside(&here, &[-2.0, 0.503]).unwrap_err();
        assert!(told.contains("1.5e-3 apart, more than 1e-3"), "{told}");
        assert!(beside(&here, &here[..1]).is_err());
        assert!(beside(&here, &[f64::NAN, 0.5]).is_err());
    }

    /// On the processor: their configurations are such, and each of them learns.
    #[test]
    fn every_network_that_a_device_is_tried_with_is_one() {
        let found = NETWORKS.map(|network| other(network, DeviceName::default()));
        let names = found.each_ref().map(|(name, _)| name.as_str());
        assert_eq!(names, ["cnn", "vit", "dcgan", "lstm", "gpt"]);
        for (name, found) in found {
            let told = found.unwrap();
            assert_eq!(
                told, "5 steps gave the same bits; the losses of 5 steps are 0.0e0 apart",
                "{name}"
            );
        }
    }

    #[test]
    fn one_bit_is_a_difference() {
        let (whole, other) = ([7_u8; 9], [7, 7, 7, 7, 6, 7, 7, 7, 7]);
        assert!(same(&whole, &whole).is_ok());
        let text = same(&whole, &other).unwrap_err();
        assert_eq!(text, "1 of 9 bytes of the weights differ");
        assert!(same(&whole, &whole[1..]).is_err());
    }
}
