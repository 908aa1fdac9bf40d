//! Data of your own in a configuration, from memory.

use std::fmt;
use std::sync::Arc;

use koala_data::{Data, DataError, DataKind, DatasetName, Loaded, Parting, Share, Split};
use serde::Serialize;

use super::Samples;
use super::name::{check_name, fault};
use crate::Error;

/// Data of your own, by name and by the SHA-256 of all samples in their parts: a run with other samples is another run.
#[derive(Clone, Serialize)]
pub struct OwnData {
    name: String,
    sha256: String,
    #[serde(skip)]
    kind: DataKind,
    #[serde(skip)]
    parts: Arc<dyn Fn(usize) -> Result<Data, DataError> + Send + Sync>,
}

impl OwnData {
    /// Samples whose parts are drawn, of each class its share, whatever the run's seed is. What a run holds out
    /// ([`RunConfig::validation`](crate::run::RunConfig::validation)) takes the place of what `parting` does.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if they cannot be parted so; [`Error::Config`] if the name is taken or cannot stand in a configuration, or no
    /// sample is left to train or test on.
    pub fn drawn<S: Samples>(name: &str, samples: S, parting: Parting) -> Result<Self, Error> {
        Self::new::<S>(name, move |held_out| {
            let validation = match held_out {
                0 => parting.validation,
                _ => Share::Count(held_out),
            };
            let parting = Parting {
                validation,
                ..parting
            };
            parting.split(&samples)
        })
    }

    /// Samples in parts of your own. Without a part to choose by, a run holds out the last ones to train on.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] as [`OwnData::drawn`].
    pub fn parted<S: Samples>(name: &str, split: Split<S>) -> Result<Self, Error> {
        Self::new::<S>(name, move |held_out| {
            let mut split = split.clone();
            if split.validation.is_none() {
                split.hold_out(held_out);
            }
            Ok(split)
        })
    }

    fn new<S: Samples>(
        name: &str,
        parts: impl Fn(usize) -> Result<Split<S>, DataError> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        check_name("data", name, &DatasetName::ALL.map(DatasetName::name))?;
        let loaded = Loaded::from(S::wrap(parts(0)?));
        let sizes = loaded.data.sizes();
        let empty = match (sizes.train, sizes.test) {
            (0, _) => Some("train"),
            (_, 0) => Some("test"),
            _ => None,
        };
        if let Some(part) = empty {
            let text = format!(
                "there is no sample to {part} on: give more, or part them otherwise, such as a fifth to test on"
            );
            return Err(fault("data", name, text).into());
        }
        Ok(Self {
            name: name.to_owned(),
            sha256: loaded.sha256().to_owned(),
            kind: S::KIND,
            parts: Arc::new(move |held_out| Ok(S::wrap(parts(held_out)?))),
        })
    }

    /// Their name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of all samples, part by part without what a run holds out, see [`Loaded::sha256`].
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    pub(crate) fn kind(&self) -> DataKind {
        self.kind
    }

    /// The samples, with so many of those to train on held out to choose by.
    pub(crate) fn load(&self, held_out: usize) -> Result<Loaded, DataError> {
        (self.parts)(held_out).map(Loaded::from)
    }
}

impl PartialEq for OwnData {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.sha256 == other.sha256
    }
}

impl fmt::Debug for OwnData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnData({} {})", self.name, self.sha256)
    }
}
