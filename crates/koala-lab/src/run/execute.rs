//! Doing what a configuration says.

use burn::store::ModuleSnapshot;
use burn::tensor::Device;

use super::{RunConfig, RunFolder, RunResult};
use crate::Error;
use crate::data::Split;
use crate::models::{
    Classifier, Cnn, Draws, Mlp, ModelSpec, ResNet, ResNetForm, ResNetSpec, trainable_parameters,
};
use crate::optimizers::{Baseline, KoalaOptimizer, Optimizer, OptimizerSpec};
use crate::training::{
    Both, EndEvent, Event, FailureEvent, Interrupt, Observer, Plan, StartEvent, Status, train,
};

/// A trained network of any form.
#[derive(Debug)]
#[non_exhaustive]
pub enum Network {
    /// Fully connected.
    Mlp(Mlp),
    /// Convolutional.
    Cnn(Box<Cnn>),
    /// Residual.
    ResNet(Box<ResNet>),
}

/// What a run leaves.
#[derive(Debug)]
pub struct Outcome {
    /// What came of it.
    pub result: RunResult,
    /// The trained network, for inference.
    pub network: Network,
}

/// Reads the data and does the run on the CPU, without a folder.
///
/// # Errors
///
/// [`Error`] if the data cannot be read, network and data do not fit, or the run fails.
pub fn execute(
    config: &RunConfig,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Outcome, Error> {
    execute_on(config, &config.load()?, observer, interrupt)
}

/// Does the run on data that was read before (by another run, with the same `dataset`).
///
/// # Errors
///
/// [`Error`] if network and data do not fit, or the run fails; the observer has been told of the failure then.
pub fn execute_on(
    config: &RunConfig,
    split: &Split,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Outcome, Error> {
    let run = Run {
        config,
        split,
        interrupt,
    };
    let outcome = run.dispatch(observer);
    if let Err(error) = &outcome {
        let message = error.to_string();
        observer.observe(&Event::Failure(FailureEvent { message }))?;
    }
    outcome
}

impl RunFolder {
    /// Reads the data and does the run, keeping everything in this folder. A run that fails leaves its log; one that was
    /// interrupted leaves what it has.
    ///
    /// # Errors
    ///
    /// [`Error`] as [`execute`], or if a file cannot be written.
    pub fn execute(
        &self,
        config: &RunConfig,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Outcome, Error> {
        let split = config.load()?;
        self.execute_on(config, &split, observer, interrupt)
    }

    /// As [`RunFolder::execute`], on data that was read before.
    ///
    /// # Errors
    ///
    /// [`Error`] as [`execute_on`], or if a file cannot be written.
    pub fn execute_on(
        &self,
        config: &RunConfig,
        split: &Split,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Outcome, Error> {
        self.write_config(config)?;
        let mut log = self.log(config.log_every)?;
        let outcome = execute_on(config, split, &mut Both(&mut log, observer), interrupt)?;
        match &outcome.network {
            Network::Mlp(model) => self.write_weights(model)?,
            Network::Cnn(model) => self.write_weights(&**model)?,
            Network::ResNet(model) => self.write_weights(&**model)?,
        }
        self.write_result(&outcome.result)?;
        Ok(outcome)
    }
}

struct Run<'a> {
    config: &'a RunConfig,
    split: &'a Split,
    interrupt: &'a Interrupt,
}

impl Run<'_> {
    fn dispatch(&self, observer: &mut dyn Observer) -> Result<Outcome, Error> {
        self.config.check(self.split)?;
        let shape = self.split.train.shape();
        let device = Device::flex();
        let mut draws = Draws::new(self.config.seed, &device.clone().autodiff());
        let mut residual = |form: ResNetForm, spec: &ResNetSpec| {
            let model = ResNet::new(form, spec, shape, &mut draws);
            self.train(model, &device, observer, |model| {
                Network::ResNet(Box::new(model))
            })
        };
        match &self.config.model {
            ModelSpec::Mlp(spec) => {
                let model = Mlp::new(spec, shape, &mut draws);
                self.train(model, &device, observer, Network::Mlp)
            }
            ModelSpec::Cnn(spec) => {
                let model = Cnn::new(spec, shape, &mut draws);
                self.train(model, &device, observer, |model| {
                    Network::Cnn(Box::new(model))
                })
            }
            ModelSpec::ResNet20(spec) => residual(ResNetForm::ResNet20, spec),
            ModelSpec::ResNet18(spec) => residual(ResNetForm::ResNet18, spec),
            ModelSpec::ResNet50(spec) => residual(ResNetForm::ResNet50, spec),
            ModelSpec::WideResNet50(spec) => residual(ResNetForm::WideResNet50, spec),
        }
    }

    fn train<M: Classifier + ModuleSnapshot>(
        &self,
        model: M,
        device: &Device,
        observer: &mut dyn Observer,
        wrap: fn(M) -> Network,
    ) -> Result<Outcome, Error> {
        let config = self.config;
        let limited;
        let split = if config.train_limit > 0 && config.train_limit < self.split.train.len() {
            let mut copy = self.split.clone();
            copy.train.truncate(config.train_limit);
            limited = copy;
            &limited
        } else {
            self.split
        };
        let plan = self.plan(split.train.len());
        let parameters = trainable_parameters(&model);
        observer.observe(&Event::Start(StartEvent {
            version: env!("CARGO_PKG_VERSION"),
            optimizer: config.optimizer.name(),
            dataset: config.dataset.name().name(),
            model: config.model.name(),
            parameters,
            seed: config.seed,
            train_samples: split.train.len(),
            test_samples: split.test.len(),
            epochs: config.epochs,
            steps: plan.steps,
        }))?;
        let mut optimizer = self.optimizer(&model)?;
        let trained = train(
            model,
            &mut *optimizer,
            split,
            &plan,
            device,
            observer,
            self.interrupt,
        )?;
        let status = if trained.interrupted {
            Status::Interrupted
        } else {
            Status::Completed
        };
        observer.observe(&Event::End(EndEvent {
            status,
            steps: trained.steps,
            test_error: trained.test.error,
            seconds: trained.seconds,
        }))?;
        Ok(Outcome {
            result: RunResult {
                status,
                optimizer: config.optimizer.name().to_owned(),
                dataset: config.dataset.name().name().to_owned(),
                model: config.model.name().to_owned(),
                parameters,
                schedule: config.schedule.name().to_owned(),
                seed: config.seed,
                batch_size: config.batch_size,
                epochs: trained.epochs,
                steps: trained.steps,
                train_loss: trained.train.loss,
                train_error: trained.train.error,
                test_loss: trained.test.loss,
                test_error: trained.test.error,
                seconds: trained.seconds,
                training_seconds: trained.training_seconds,
                optimizer_seconds: trained.optimizer_seconds,
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            network: wrap(trained.model),
        })
    }

    fn plan(&self, samples: usize) -> Plan {
        let config = self.config;
        let order = config.order(samples);
        let batches = order.batches() as u64;
        let all = batches.saturating_mul(config.epochs as u64);
        let steps = match config.max_steps {
            0 => all,
            limit => all.min(limit),
        };
        Plan {
            order,
            epochs: config.epochs,
            steps,
            schedule: config.schedule.over(steps, batches),
            missing_limit: config.missing_limit,
            knob: config.optimizer.knob(),
        }
    }

    fn optimizer<M: Classifier>(&self, model: &M) -> Result<Box<dyn Optimizer<M>>, Error> {
        Ok(match &self.config.optimizer {
            OptimizerSpec::Sgd(spec) => Box::new(Baseline::from(spec)),
            OptimizerSpec::Adam(spec) => Box::new(Baseline::from(spec)),
            OptimizerSpec::AdamW(spec) => Box::new(Baseline::from(spec)),
            OptimizerSpec::KoalaM(spec) => self.koala(spec.into(), model)?,
            OptimizerSpec::KoalaV(spec) => self.koala(spec.into(), model)?,
            OptimizerSpec::KoalaPp(spec) => self.koala(spec.into(), model)?,
        })
    }

    fn koala<M: Classifier>(
        &self,
        mut config: koala_core::Config,
        model: &M,
    ) -> Result<Box<dyn Optimizer<M>>, Error> {
        config.options_mut().missing_limit = self.config.missing_limit;
        let optimizer = KoalaOptimizer::new(config, model);
        let optimizer = optimizer.map_err(|cause| Error::Optimizer { step: 0, cause })?;
        Ok(Box::new(optimizer))
    }
}
