//! From a configuration to a trained network.

use burn::module::Module;
use burn::tensor::Device;
use koala_data::{Corpus, Data, LabelledTable, SampleSet, Split, Table};
use koala_models::language::{
    Gpt, GptSpec, LanguageModel, LstmModel, LstmSpec, SpecError, TransformerModel, TransformerSpec,
};
use koala_models::{
    Autoencoder, Classifier, Cnn, Draws, Mlp, ResNet, ResNetForm, Vit, trainable_parameters,
};

use super::{ConfigError, Findings, ModelSpec, Network, Outcome, RunConfig, RunResult};
use crate::Error;
use crate::training::{
    Checkpoint, Classification, Company, EarlyStop, Event, Figures, Learnable, Learner, Measure,
    Observer, Plan, Progress, Reconstruction, Regression, ResumeEvent, RowClassification,
    SampleTask, Samples, StartEvent, Status, Still, Task, TextTask, Trained, shape_of,
    shape_of_rows, train,
};

/// One session of a run: from its beginning, or from a checkpoint, to its end or an interrupt.
pub(crate) struct Session<'a> {
    pub config: &'a RunConfig,
    pub from: Option<&'a Checkpoint>,
}

/// A network whose options cannot be.
pub(super) fn refused(error: SpecError) -> Error {
    ConfigError::Value {
        origin: format!("model.{}", error.key),
        fault: error.fault,
    }
    .into()
}

/// How much there is to learn from.
pub(super) struct Size {
    pub train: usize,
    pub test: usize,
}

impl Session<'_> {
    pub fn run(&self, data: &Data, company: Company<'_>) -> Result<Outcome, Error> {
        self.config.check(data)?;
        let device = self.config.device.open()?;
        if let ModelSpec::Own(own) = &self.config.model {
            return own.learn(self, data, &device, company);
        }
        match data {
            Data::Images(split) => self.images(split, &device, company),
            Data::Text(corpus) => self.text(corpus, &device, company),
            Data::Table(split) => self.table(split, &device, company),
            Data::Labelled(split) => self.rows(split, &device, company),
        }
    }

    fn images(
        &self,
        split: &Split,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let shape = shape_of(&split.train);
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
            ModelSpec::Vit(spec) => {
                let model = Vit::new(spec, shape, &mut draws).map_err(refused)?;
                return self.classify(model, split, device, company);
            }
            ModelSpec::Autoencoder(spec) => {
                let model = Autoencoder::new(spec, shape, &mut draws);
                let augmentation = self.config.dataset.augmentation();
                let goal = Reconstruction { augmentation };
                return self.learn(model, split, goal, device, company);
            }
            ModelSpec::Dcgan(spec) => {
                return self.adversaries(spec, split, device, company);
            }
            ModelSpec::Lstm(_)
            | ModelSpec::Transformer(_)
            | ModelSpec::Gpt(_)
            | ModelSpec::Own(_) => {
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
        let augmentation = self.config.dataset.augmentation();
        self.learn(
            model,
            split,
            Classification { augmentation },
            device,
            company,
        )
    }

    fn table(
        &self,
        split: &Split<Table>,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        match &self.config.model {
            ModelSpec::Mlp(spec) => {
                let mut draws = self.draws(device);
                let model = Mlp::for_rows(spec, split.train.columns(), &mut draws);
                self.learn(model, split, Regression, device, company)
            }
            _ => Err(self.config.other_kind().into()),
        }
    }

    fn rows(
        &self,
        split: &Split<LabelledTable>,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        match &self.config.model {
            ModelSpec::Mlp(spec) => {
                let mut draws = self.draws(device);
                let model = Mlp::new(spec, shape_of_rows(&split.train), &mut draws);
                self.learn(model, split, RowClassification, device, company)
            }
            _ => Err(self.config.other_kind().into()),
        }
    }

    /// Learns a goal of samples that have nothing to do with each other.
    pub(crate) fn learn<M: Module + 'static + Into<Network>, G: Learnable<M>>(
        &self,
        model: M,
        split: &Split<G::Set>,
        goal: G,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let order = self.config.order(split.train.len());
        let size = Size {
            train: order.samples,
            test: split.test.len(),
        };
        let piece = self.config.micro_batch_size;
        let task = SampleTask::with_goal(split, order, goal, piece, device);
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
    pub(crate) fn draws(&self, device: &Device) -> Draws {
        Draws::new(self.config.seed, &device.clone().autodiff())
    }

    fn train<M: Module + 'static + Into<Network>, T: Task<M>>(
        &self,
        model: M,
        task: &T,
        size: Size,
        mut company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let config = self.config;
        let model = match self.from {
            None => config.initial(model)?,
            Some(_) => model,
        };
        let parameters = trainable_parameters(&model);
        let still = Still::of(&model);
        let plan = self.plan(task.batches() as u64);
        let start = self.start(parameters, size, plan.steps, Some(task.measure()));
        let optimizer = config.optimizer_for(&model)?;
        let average = config.average.start::<M>(config.epochs as u64);
        let mut learner = Learner::new(model, optimizer, average);
        self.begin(start, company.observer, |checkpoint| {
            learner.restore(checkpoint)?;
            Ok((learner.progress.step, learner.progress.epoch))
        })?;
        let trained = train(learner, task, &plan, company.lent())?;
        let counts = trained.progress.counts;
        let findings = Findings::Predicted {
            train: Figures::new(Samples::Train, counts.train(), task.measure()),
            validation: trained.validation,
            test: trained.test,
            best_test: trained.best_test,
            best: counts.best,
        };
        let mut result = self.result(parameters, &trained, findings);
        let early = counts.lowest.filter(|lowest| {
            (1..=lowest.since).contains(&config.patience) && result.steps < plan.steps
        });
        result.early_stop = early.map(|lowest| EarlyStop {
            patience: config.patience,
            step: lowest.step,
            loss: lowest.loss,
        });
        let still = still.warning(&trained.model);
        let warning = still.or_else(|| counts.idleness(result.steps));
        result.judge(warning, company.observer)?;
        result.tell(company.observer)?;
        Ok(Outcome {
            result,
            network: trained.model.into(),
        })
    }

    /// What a run tells when it begins.
    pub(super) fn start(
        &self,
        parameters: usize,
        size: Size,
        steps: u64,
        measure: Option<Measure>,
    ) -> StartEvent {
        let config = self.config;
        StartEvent {
            version: env!("CARGO_PKG_VERSION"),
            optimizer: config.optimizer.name().to_owned(),
            dataset: config.dataset.name().to_owned(),
            model: config.model.name().to_owned(),
            measure,
            device: config.device,
            parameters,
            seed: config.seed,
            train_samples: size.train,
            test_samples: size.test,
            epochs: config.epochs,
            steps,
        }
    }

    /// Begins, or goes back to a checkpoint by `restore`, which gives the steps and epochs that are done; and tells of it.
    pub(super) fn begin(
        &self,
        start: StartEvent,
        observer: &mut dyn Observer,
        restore: impl FnOnce(&Checkpoint) -> Result<(u64, usize), Error>,
    ) -> Result<(), Error> {
        let event = match self.from {
            None => Event::Start(start),
            Some(checkpoint) => {
                let (step, epoch) = restore(checkpoint)?;
                Event::Resume(ResumeEvent { start, step, epoch })
            }
        };
        observer.observe(&event)
    }

    pub(super) fn plan(&self, batches: u64) -> Plan {
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
            patience: config.patience,
            schedule: config.schedule.over(steps, batches),
            test: config.test,
            missing_limit: config.missing_limit,
            knob: config.optimizer.knob(),
        }
    }

    pub(super) fn result<M, C, F>(
        &self,
        parameters: usize,
        trained: &Trained<M, C, F>,
        findings: Findings,
    ) -> RunResult {
        let config = self.config;
        let Progress {
            step,
            epoch,
            clocks,
            ..
        } = trained.progress;
        RunResult {
            status: if trained.interrupted {
                Status::Interrupted
            } else {
                Status::Completed
            },
            optimizer: config.optimizer.name().to_owned(),
            dataset: config.dataset.name().to_owned(),
            model: config.model.name().to_owned(),
            device: config.device,
            parameters,
            schedule: config.schedule.name().to_owned(),
            seed: config.seed,
            batch_size: config.batch_size,
            epochs: epoch,
            steps: step,
            early_stop: None,
            findings,
            seconds: clocks.seconds,
            training_seconds: clocks.training,
            optimizer_seconds: clocks.optimizer,
            optimizer_state_bytes: trained.optimizer_bytes,
            waiting_seconds: clocks.waiting,
            warnings: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
