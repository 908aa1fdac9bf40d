//! The replay itself.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::SafeTensors;

use super::damage::culprit;
use super::difference::{Difference, Worst};
use super::error::{Fault, ReplayError};
use super::names;
use super::settings::{Precision, Settings};
use super::tensors::{Recorded, Tensors};
use crate::dense::Koala;
use crate::{Config, Covariance, Layout, Observation, ProcessNoise, StepReport};

/// Largest file that is read.
const LIMIT: u64 = 1 << 30;

/// A recording replayed: how far the optimizer stands from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// What the recording says of itself.
    pub settings: Settings,
    /// The largest relative difference over every parameter, predicted parameter, mean, R, P, Q and rho of every step.
    pub worst: Difference,
    /// Number of numbers compared.
    pub compared: u64,
}

impl Replay {
    /// The largest relative difference that is rounding.
    pub fn tolerance(&self) -> f64 {
        self.settings.precision.tolerance()
    }

    /// Whether every difference is within the tolerance.
    pub fn holds(&self) -> bool {
        self.worst.relative <= self.tolerance()
    }
}

/// Replays the recording in `file`.
///
/// # Errors
/// [`ReplayError`] naming the file, and the field or tensor of it that is missing or wrong.
pub fn replay(file: &Path) -> Result<Replay, ReplayError> {
    read(file)
        .and_then(|bytes| replay_bytes(&bytes))
        .map_err(|fault| fault.of(file))
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(Fault::Unreadable)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Fault::TooLarge { limit: LIMIT });
    }
    Ok(bytes)
}

fn replay_bytes(bytes: &[u8]) -> Result<Replay, Fault> {
    let damaged = |source| Fault::Damaged {
        source,
        tensor: culprit(bytes),
    };
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let settings = Settings::from_metadata(&metadata)?;
    let layout = names::layout(&file)?;
    let tensors = Tensors { file: &file };
    let worst = match settings.precision {
        Precision::Single => run::<f32>(&settings, &layout, &tensors),
        Precision::Double => run::<f64>(&settings, &layout, &tensors),
    }?;
    Ok(Replay {
        settings,
        worst: worst.difference,
        compared: worst.compared,
    })
}

/// What is recorded beside parameters and gradients, one entry a step.
struct Series {
    loss: Vec<f64>,
    loss_sq: Vec<f64>,
    gain: Vec<f64>,
    r: Vec<f64>,
    /// P of KOALA-V.
    sigma: Vec<f64>,
    /// P of KOALA-M and KOALA-A, row by row.
    p: Vec<[f64; 4]>,
    /// q_x of KOALA-M.
    qw: Vec<f64>,
    /// Q of KOALA-A.
    q: Vec<f64>,
    /// ρ' of KOALA-A.
    rho: Vec<[f64; 1]>,
}

impl Series {
    fn read<F: Recorded>(settings: &Settings, tensors: &Tensors) -> Result<Self, Fault> {
        let steps = settings.steps;
        let vanilla = matches!(settings.config, Config::KoalaV(_));
        let momentum = matches!(settings.config, Config::KoalaM(_));
        let adaptive = matches!(settings.config, Config::KoalaA(_));
        let measured = |name| tensors.measured::<F>(name, steps);
        let measured_if = |recorded: bool, name| match recorded {
            true => measured(name),
            false => Ok(Vec::new()),
        };
        Ok(Self {
            loss: measured("loss")?,
            loss_sq: measured("loss_sq")?,
            gain: measured("lr")?,
            r: measured("r")?,
            sigma: measured_if(vanilla, "sigma")?,
            p: if momentum || adaptive {
                tensors.series::<F, 4>("P", &[steps, 2, 2])?
            } else {
                Vec::new()
            },
            qw: measured_if(momentum, "qw")?,
            q: measured_if(adaptive, "q")?,
            rho: if adaptive {
                tensors.series::<F, 1>("rho", &[steps])?
            } else {
                Vec::new()
            },
        })
    }

    /// Compares the filter's numbers after step `step` (from 1) with the recorded ones.
    fn compare(&self, worst: &mut Worst, step: usize, report: &StepReport) {
        let index = step - 1;
        worst.compare("r", step, [(report.measurement_noise, self.r[index])]);
        match report.covariance {
            Covariance::Scalar(p) => worst.compare("sigma", step, [(p, self.sigma[index])]),
            Covariance::Matrix { p11, p12, p22 } => {
                let found = [p11, p12, p12, p22];
                worst.compare("P", step, found.into_iter().zip(self.p[index]));
            }
            Covariance::Product => {}
        }
        if let ProcessNoise::PositionVelocity { position, .. } = report.process_noise {
            worst.compare("qw", step, [(position, self.qw[index])]);
        }
        if let (Some(whiteness), ProcessNoise::Scalar(q)) = (report.whiteness, report.process_noise)
        {
            worst.compare("q", step, [(q, self.q[index])]);
            let [rho] = self.rho[index];
            let found = whiteness.smoothed_correlation;
            worst.compare_beside(1.0, "rho", step, [(found, rho)]);
        }
    }
}

fn run<F: Recorded>(
    settings: &Settings,
    layout: &Layout,
    tensors: &Tensors,
) -> Result<Worst, Fault> {
    let series = Series::read::<F>(settings, tensors)?;
    let mean = settings.config.memory().mean_slot().is_some();
    names::check_known(tensors.file, layout, settings.steps, mean)?;
    let parameters = layout.parameters();
    let mut x: Vec<Vec<F>> = parameters
        .iter()
        .map(|parameter| tensors.required(&names::start(&parameter.name), &parameter.shape, 0))
        .collect::<Result<_, _>>()?;
    let mut optimizer = Koala::<F>::with_layout(settings.config.clone(), layout.clone())
        .map_err(|source| Fault::Step { step: 0, source })?;
    // Methods that predict nothing need not have recorded it.
    let predicted_required = settings.config.demands().moves;
    let mut worst = Worst::starting_at("r", 1);

    for step in 1..=settings.steps {
        let index = step - 1;
        let failed = |source| Fault::Step { step, source };
        optimizer.predict(&mut slices(&mut x)).map_err(failed)?;
        let mut gradients: Vec<Option<Vec<F>>> = Vec::with_capacity(x.len());
        for (parameter, x) in parameters.iter().zip(&x) {
            let predicted = format!("predicted/{step}/{}", parameter.name);
            let recorded = if predicted_required {
                Some(tensors.required(&predicted, &parameter.shape, step)?)
            } else {
                tensors.optional(&predicted, &parameter.shape, step)?
            };
            if let Some(recorded) = recorded {
                worst.compare(&predicted, step, pairs(x, &recorded));
            }
            let gradient = format!("grad/{step}/{}", parameter.name);
            gradients.push(tensors.optional(&gradient, &parameter.shape, step)?);
        }

        let (loss, loss_sq) = (series.loss[index], series.loss_sq[index]);
        let observation = Observation::from_means(loss, loss_sq, 1).map_err(failed)?;
        optimizer.set_gain(series.gain[index]).map_err(failed)?;
        let gradients: Vec<Option<&[F]>> = gradients.iter().map(Option::as_deref).collect();
        let report = optimizer
            .update(&mut slices(&mut x), &gradients, &observation)
            .map_err(failed)?;

        series.compare(&mut worst, step, &report);
        for (parameter, x) in parameters.iter().zip(&x) {
            let name = format!("param/{step}/{}", parameter.name);
            let recorded = tensors.required(&name, &parameter.shape, step)?;
            worst.compare(&name, step, pairs(x, &recorded));
        }
        if mean {
            let x: Vec<&[F]> = x.iter().map(Vec::as_slice).collect();
            let means = optimizer.evaluation(&x).map_err(failed)?;
            for (parameter, mean) in parameters.iter().zip(&means) {
                let name = format!("average/{step}/{}", parameter.name);
                let recorded = tensors.required(&name, &parameter.shape, step)?;
                worst.compare(&name, step, pairs(mean, &recorded));
            }
        }
    }
    Ok(worst)
}

fn slices<F>(vectors: &mut [Vec<F>]) -> Vec<&mut [F]> {
    vectors.iter_mut().map(Vec::as_mut_slice).collect()
}

fn pairs<F: Recorded>(found: &[F], recorded: &[F]) -> impl Iterator<Item = (f64, f64)> {
    found
        .iter()
        .zip(recorded)
        .map(|(found, recorded)| (found.to_f64(), recorded.to_f64()))
}
