//! A network of your own in a configuration.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::tensor::Device;
use koala_data::{Data, DataKind};
use koala_models::Draws;
use koala_models::stored::weights_to_bytes;
use serde::Serialize;

use super::OwnNetwork;
use super::learning::Learning;
use super::name::{check_name, check_text, fault};
use super::samples::Form;
use crate::Error;
use crate::run::{ConfigError, ModelSpec, Outcome, Session};
use crate::training::{Both, Company, Event, Measure, Observer};

/// Burn's own generator is one for the whole program: who draws from it draws alone.
static DRAWING: Mutex<()> = Mutex::new(());

/// A network of your own, by name and version, and how it is made. Two of the same name and version are held to be the same network:
/// change the version when you change what it computes, so that runs of the old one are not taken for its own.
#[derive(Clone, Serialize)]
pub struct OwnModel {
    name: String,
    version: String,
    #[serde(skip)]
    learner: Arc<dyn Learner>,
}

impl OwnModel {
    /// A network that `make` makes with its initial weights. These follow from the run's seed alone, whether they are drawn from
    /// [`Draws`] or by Burn's layers on its [`device`](Draws::device): `LinearConfig::new(2, 3).init(draws.device())`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the name is taken, or name or version cannot stand in a configuration.
    pub fn new<M: OwnNetwork>(
        name: &str,
        version: &str,
        make: impl Fn(&mut Draws) -> M + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        check_name("network", name, &ModelSpec::NAMES)?;
        check_text("network", name, "version", version)?;
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            learner: Arc::new(Making(make, PhantomData::<fn() -> M>)),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub(crate) fn kinds(&self) -> &'static [DataKind] {
        self.learner.kinds()
    }

    /// By what evaluations of it are compared.
    pub(crate) fn measure(&self) -> Measure {
        self.learner.measure()
    }

    /// Why it is not for these data, in words; nothing if it is.
    pub(crate) fn misfit(&self, data: &Data) -> Option<String> {
        let words = self.learner.words();
        (!self.learner.takes(data)).then(|| {
            format!("it learns from {words}: give it some, or say what it learns from in its `type Samples`")
        })
    }

    /// Trains it.
    pub(crate) fn learn(
        &self,
        session: &Session<'_>,
        data: &Data,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let wrong = Arc::new(OnceLock::new());
        let mut watch = Watch {
            network: &self.name,
            wrong: &wrong,
        };
        let company = Company {
            observer: &mut Both(&mut watch, company.observer),
            keeper: company.keeper,
            interrupt: company.interrupt,
        };
        let outcome = (self.learner).learn(session, data, device, company, wrong.clone());
        watch.look()?;
        outcome.unwrap_or_else(|| Err(session.config.other_kind().into()))
    }
}

impl PartialEq for OwnModel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.version == other.version
    }
}

impl fmt::Debug for OwnModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnModel({} {})", self.name, self.version)
    }
}

/// Ends a run when its network has given what it must not, before that is kept in a checkpoint.
struct Watch<'a> {
    network: &'a str,
    wrong: &'a OnceLock<String>,
}

impl Watch<'_> {
    fn look(&self) -> Result<(), Error> {
        match self.wrong.get() {
            None => Ok(()),
            Some(text) => Err(fault("network", self.network, text.clone()).into()),
        }
    }
}

impl Observer for Watch<'_> {
    fn observe(&mut self, _event: &Event) -> Result<(), Error> {
        self.look()
    }
}

/// Someone who makes and trains networks of a type that only they know.
trait Learner: Send + Sync {
    fn kinds(&self) -> &'static [DataKind];

    fn measure(&self) -> Measure;

    fn words(&self) -> &'static str;

    fn takes(&self, data: &Data) -> bool;

    /// Nothing if it does not take such data.
    fn learn(
        &self,
        session: &Session<'_>,
        data: &Data,
        device: &Device,
        company: Company<'_>,
        fault: Arc<OnceLock<String>>,
    ) -> Option<Result<Outcome, Error>>;
}

struct Making<M, F>(F, PhantomData<fn() -> M>);

impl<M: OwnNetwork, F: Fn(&mut Draws) -> M + Send + Sync> Learner for Making<M, F> {
    fn kinds(&self) -> &'static [DataKind] {
        M::Samples::KINDS
    }

    fn measure(&self) -> Measure {
        M::Samples::MEASURE
    }

    fn words(&self) -> &'static str {
        M::Samples::WORDS
    }

    fn takes(&self, data: &Data) -> bool {
        M::Samples::of(data).is_some()
    }

    fn learn(
        &self,
        session: &Session<'_>,
        data: &Data,
        device: &Device,
        company: Company<'_>,
        fault: Arc<OnceLock<String>>,
    ) -> Option<Result<Outcome, Error>> {
        let split = M::Samples::of(data)?;
        let goal = Learning::<M> {
            augmentation: session.config.dataset.augmentation(),
            outputs: split.train.outputs(),
            fault,
            network: PhantomData,
        };
        let model = self.initial(session, device);
        Some(model.and_then(|model| session.learn(model, split, goal, device, company)))
    }
}

impl<M: OwnNetwork, F: Fn(&mut Draws) -> M> Making<M, F> {
    /// The network with its initial weights.
    fn initial(&self, session: &Session<'_>, device: &Device) -> Result<M, Error> {
        // A network whose maker panicked has left nothing half done behind it.
        let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut draws = session.draws(device);
        draws.device().seed(session.config.seed);
        let model = (self.0)(&mut draws);
        // Burn draws when a weight is first asked for, which is now.
        weights_to_bytes(&model)?;
        Ok(model)
    }
}
