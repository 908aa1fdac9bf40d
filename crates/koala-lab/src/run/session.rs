//! From a configuration to a trained network.

use burn::module::Module;
use burn::tensor::Device;

use super::{ConfigError, Network, Outcome, RunConfig, RunResult};
use crate::Error;
use crate::data::{Corpus, Data, Split};
use crate::models::language::{
    Gpt, GptSpec, LanguageModel, LstmModel, LstmSpec, SpecError, TransformerModel, TransformerSpec,
};
use crate::models::{
    Classifier, Cnn, Draws, Mlp, ModelSpec, ResNet, ResNetForm, trainable_parameters,
};
use crate::training::{
    Checkpoint, Company, EndEvent, Event, Figures, ImageTask, Learner, Plan, ResumeEvent, Samples,
    StartEvent, Status, Task, TextTask, Trained, train,
};

/// One session of a run: from its beginning, or from a checkpoint, to its end or an interrupt.
pub(super) struct Session<'a> {
    pub config: &'a RunConfig,
    pub from: Option<&'a Checkpoint>,
}

/// How much there is to learn from.
struct Size {
    train: usize,
    test: usize,
}

impl Session<'_> {
    pub fn run(&self, data: &Data, company: Company<'_>) -> Result<Outcome, Error> {
        self.config.check(data)?;
        let device = Device::flex();
        match data {
            Data::Images(split) => self.images(split, &device, company),
            Data::Text(corpus) => self.text(corpus, &device, company),
        }
    }

    fn images(
        &self,
        split: &Split,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let shape = split.train.shape();
        let mut draws = self.draws(device);
        let (form, spec) = match &self.config.model {
            ModelSpec::Mlp(spec) => {
                let model = Mlp::new(spec, shape, &mut draws);
                return self.classify(model, split, device, company);
            }
            ModelSpec::Cnn(spec) => {
                let model = Cnn::new(spec, shape, &mut draws);
                return self.classify(model, split, device, company);
            }
            ModelSpec::ResNet20(spec) => (ResNetForm::ResNet20, spec),
            ModelSpec::ResNet18(spec) => (ResNetForm::ResNet18, spec),
            ModelSpec::ResNet50(spec) => (ResNetForm::ResNet50, spec),
            ModelSpec::WideResNet50(spec) => (ResNetForm::WideResNet50, spec),
            ModelSpec::Lstm(_) | ModelSpec::Transformer(_) | ModelSpec::Gpt(_) => {
                return Err(self.config.other_kind().into());
            }
        };
        let model = ResNet::new(form, spec, shape, &mut draws);
        self.classify(model, split, device, company)
    }

    fn classify<M: Classifier + Into<Network>>(
        &self,
        model: M,
        split: &Split,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let config = self.config;
        let order = config.order(split.train.len());
        let size = Size {
            train: order.samples,
            test: split.test.len(),
        };
        let task = ImageTask::new(
            split,
            order,
            config.dataset.augmentation(),
            config.micro_batch_size,
            device,
        );
        self.train(model, &task, size, company)
    }

    fn text(
        &self,
        corpus: &Corpus,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let vocabulary = corpus.vocabulary.len();
        let mut draws = self.draws(device);
        let refused = |error: SpecError| -> Error {
            ConfigError::Value {
                origin: format!("model.{}", error.key),
                fault: error.fault,
            }
            .into()
        };
        match self.config.model.clone() {
            ModelSpec::Lstm(spec) => {
                let spec = LstmSpec { vocabulary, ..spec };
                let model = LstmModel::new(&spec, &mut draws).map_err(refused)?;
                self.predict(model, corpus, device, company)
            }
            ModelSpec::Transformer(spec) => {
                let spec = TransformerSpec { vocabulary, ..spec };
                let model = TransformerModel::new(&spec, &mut draws).map_err(refused)?;
                self.predict(model, corpus, device, company)
            }
            ModelSpec::Gpt(spec) => {
                let spec = GptSpec { vocabulary, ..spec };
                let model = Gpt::new(&spec, &mut draws).map_err(refused)?;
                self.predict(model, corpus, device, company)
            }
            _ => Err(self.config.other_kind().into()),
        }
    }

    fn predict<M: LanguageModel + Into<Network>>(
        &self,
        model: M,
        corpus: &Corpus,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let windows = self.config.windows(&corpus.train);
        let size = Size {
            train: self.config.limited(corpus.train.len()),
            test: corpus.test.len(),
        };
        let task = TextTask::new(corpus, windows, device);
        self.train(model, &task, size, company)
    }

    /// Initial weights: the same whatever the optimizer is.
    fn draws(&self, device: &Device) -> Draws {
        Draws::new(self.config.seed, &device.clone().autodiff())
    }

    fn train<M: Module + 'static + Into<Network>, T: Task<M>>(
        &self,
        model: M,
        task: &T,
        size: Size,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let config = self.config;
        let parameters = trainable_parameters(&model);
        let plan = self.plan(task.batches() as u64);
        let start = StartEvent {
            version: env!("CARGO_PKG_VERSION"),
            optimizer: config.optimizer.name(),
            dataset: config.dataset.name().name(),
            model: config.model.name(),
            parameters,
            seed: config.seed,
            train_samples: size.train,
            test_samples: size.test,
            epochs: config.epochs,
            steps: plan.steps,
        };
        let optimizer = config.optimizer_for(&model)?;
        let average = config.average.start::<M>(config.epochs as u64);
        let mut learner = Learner::new(model, optimizer, average);
        let Company {
            observer,
            keeper,
            interrupt,
        } = company;
        match self.from {
            None => observer.observe(&Event::Start(start))?,
            Some(checkpoint) => {
                learner.restore(checkpoint)?;
                observer.observe(&Event::Resume(ResumeEvent {
                    start,
                    step: learner.progress.step,
                    epoch: learner.progress.epoch,
                }))?;
            }
        }
        let company = Company {
            observer: &mut *observer,
            keeper,
            interrupt,
        };
        let trained = train(learner, task, &plan, company)?;
        let result = self.result(&trained, parameters, task);
        observer.observe(&Event::End(EndEvent {
            status: result.status,
            steps: result.steps,
            test: result.test,
            seconds: result.seconds,
        }))?;
        Ok(Outcome {
            result,
            network: trained.model.into(),
        })
    }

    fn plan(&self, batches: u64) -> Plan {
        let config = self.config;
        let all = batches.saturating_mul(config.epochs as u64);
        let steps = match config.max_steps {
            0 => all,
            limit => all.min(limit),
        };
        Plan {
            seed: config.seed,
            epochs: config.epochs,
            steps,
            piece: config.micro_batch_size,
            evaluate_every: config.evaluate_every,
            schedule: config.schedule.over(steps, batches),
            missing_limit: config.missing_limit,
            knob: config.optimizer.knob(),
        }
    }

    fn result<M, T: Task<M>>(
        &self,
        trained: &Trained<M>,
        parameters: usize,
        task: &T,
    ) -> RunResult {
        let config = self.config;
        let measure = task.measure();
        let progress = &trained.progress;
        let figures = |samples, evaluation| Figures::new(samples, evaluation, measure);
        RunResult {
            status: if trained.interrupted {
                Status::Interrupted
            } else {
                Status::Completed
            },
            optimizer: config.optimizer.name().to_owned(),
            dataset: config.dataset.name().name().to_owned(),
            model: config.model.name().to_owned(),
            parameters,
            schedule: config.schedule.name().to_owned(),
            seed: config.seed,
            batch_size: config.batch_size,
            epochs: progress.epoch,
            steps: progress.step,
            train: figures(Samples::Train, trained.train),
            validation: trained.validation.map(|e| figures(Samples::Validation, e)),
            test: trained.test.map(|e| figures(Samples::Test, e)),
            best: progress.best,
            seconds: progress.clocks.seconds,
            training_seconds: progress.clocks.training,
            optimizer_seconds: progress.clocks.optimizer,
            waiting_seconds: progress.clocks.waiting,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
