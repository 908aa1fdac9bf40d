//! Saving and loading an optimizer.

use std::path::Path;

use burn::module::Module;
use koala_filter::{Error as CoreError, Filter, MemoryKind, Partition, Phase};

use super::{file, format};
use crate::census::Census;
use crate::error::{Error, Result};
use crate::memory::{self, Vectors};
use crate::optimizer::Koala;
use crate::take::{look, positions};
use crate::values::UpdatePath;

impl Koala {
    /// Writes the state to one file, beside which the model's own record is to be kept. The file appears whole or not
    /// at all: it is written under another name, synchronised, and renamed.
    ///
    /// # Errors
    /// [`Error::Core`] between predict and update (call update first); [`Error::ModelChanged`] if `model` is not the
    /// optimizer's; [`Error::ReadBack`]; [`Error::Io`].
    pub fn save<M: Module>(&self, path: impl AsRef<Path>, model: &M) -> Result<()> {
        file::write(path.as_ref(), &self.to_bytes(model)?)
    }

    /// The state as [`save`](Self::save) writes it.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn to_bytes<M: Module>(&self, model: &M) -> Result<Vec<u8>> {
        self.filter().require("saving", Phase::Updated)?;
        Census::of(model).ids(self.filter().layout())?;
        format::encode(self)
    }

    /// The optimizer whose state was saved to `path`, with its configuration, groups and all, for the same parameters
    /// of `model`. It goes on to the bit if the model is as it was, too.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::DamagedState`], [`Error::DamagedTensor`] and [`Error::Core`] naming the file and what is
    /// wrong with it; [`Error::ModelChanged`] if the parameters' paths or shapes are others.
    pub fn load<M: Module>(path: impl AsRef<Path>, model: &M) -> Result<Self> {
        let path = path.as_ref();
        decoded(&file::read(path)?, model, &file::named(path))
    }

    /// The optimizer whose state [`to_bytes`](Self::to_bytes) gave.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes<M: Module>(bytes: &[u8], model: &M) -> Result<Self> {
        decoded(bytes, model, "the given state")
    }

    /// Goes on where the state in `path` was saved, provided that it is of this very kind of optimizer: the same method,
    /// partition and groups. Everything else (gain, schedule, noise) is taken from the file as well.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`Error::AnotherOptimizer`]. The optimizer is then as it was.
    pub fn restore<M: Module>(&mut self, path: impl AsRef<Path>, model: &M) -> Result<()> {
        let path = path.as_ref();
        self.go_on(&file::read(path)?, model, &file::named(path))
    }

    /// As [`restore`](Self::restore), from what [`to_bytes`](Self::to_bytes) gave.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn restore_from_bytes<M: Module>(&mut self, bytes: &[u8], model: &M) -> Result<()> {
        self.go_on(bytes, model, "the given state")
    }

    fn go_on<M: Module>(&mut self, bytes: &[u8], model: &M, origin: &str) -> Result<()> {
        let loaded = decoded(bytes, model, origin)?.with_path(self.path);
        match difference(self.filter(), loaded.filter()) {
            None => {
                *self = loaded;
                Ok(())
            }
            Some(difference) => Err(Error::AnotherOptimizer {
                origin: origin.to_owned(),
                difference,
            }),
        }
    }
}

fn decoded<M: Module>(bytes: &[u8], model: &M, origin: &str) -> Result<Koala> {
    let stored = format::decode(bytes, origin)?;
    let filter = Filter::from_state(stored.filter()?).map_err(|error| match error {
        CoreError::DamagedState { what } => Error::DamagedState {
            origin: origin.to_owned(),
            reason: what,
        },
        error => Error::Core(error),
    })?;
    if filter.phase() != Phase::Updated {
        return Err(Error::DamagedState {
            origin: origin.to_owned(),
            reason: "it was taken between predict and update".to_owned(),
        });
    }
    let ids = Census::of(model).ids(filter.layout())?;
    let kind = filter.config().memory();
    let stores = kind != MemoryKind::None;
    let seen = look(model, &positions(&ids), UpdatePath::Automatic, |_| stores);
    let parameters = filter.layout().parameters();
    stored.check_names(parameters, &kind.names())?;
    let memory = parameters
        .iter()
        .zip(seen)
        .map(|(parameter, seen)| {
            let mut vectors = Vectors::default();
            let Some(seen) = seen else {
                return Ok(vectors);
            };
            for (vector, name) in vectors.iter_mut().zip(kind.slots()) {
                if let Some(name) = name {
                    let data = stored.vector(parameter, name, seen.working)?;
                    *vector = Some(memory::from_data(data, &seen));
                }
            }
            Ok(vectors)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Koala::from_parts(filter, memory))
}

/// What makes the stored optimizer another one.
fn difference(expected: &Filter, stored: &Filter) -> Option<String> {
    let (mine, theirs) = (expected.config(), stored.config());
    if mine.name() != theirs.name() {
        return Some(format!(
            "its method is {}, not {}",
            theirs.name(),
            mine.name()
        ));
    }
    let (mine, theirs) = (mine.options().partition, theirs.options().partition);
    if mine != theirs {
        let name = |partition| match partition {
            Partition::PerTensor => "one block a tensor",
            Partition::Global => "one block of all tensors",
        };
        return Some(format!(
            "its partition is {}, not {}",
            name(theirs),
            name(mine)
        ));
    }
    let (mine, theirs) = (expected.layout(), stored.layout());
    if mine.groups().len() != theirs.groups().len() {
        return Some(format!(
            "it has {} groups, not {}",
            theirs.groups().len() - 1,
            mine.groups().len() - 1
        ));
    }
    mine.parameters()
        .iter()
        .zip(theirs.parameters())
        .find(|(mine, theirs)| mine.group != theirs.group)
        .map(|(mine, theirs)| {
            format!(
                "'{}' is in group {}, not {}",
                mine.name, theirs.group, mine.group
            )
        })
}
