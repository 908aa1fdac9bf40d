//! Everything that can go wrong, and whose fault it is.

use std::path::PathBuf;

use koala_data::DataError;
use koala_data::fetch::FetchError;
use koala_models::stored::StateError;

use crate::device::DeviceError;
use crate::optimizers::OptimizerError;
use crate::run::ConfigError;

/// What went wrong, with its cause and its remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration asks for something that does not exist or cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A data set is missing or damaged.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A data set could not be got.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The device to train on cannot be had.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The optimizer refused a step.
    #[error("step {step}: {cause}")]
    Optimizer {
        /// The step, from 0.
        step: u64,
        /// Why it was refused.
        cause: OptimizerError,
    },
    /// The loss was not a finite number for too many steps in a row.
    #[error(
        "the loss has not been a finite number for {steps} steps, up to step {step}: training has diverged. Try a lower \
         {knob}, a warm-up, or another seed"
    )]
    Diverged {
        /// How many steps in a row.
        steps: u32,
        /// The last of them, from 0.
        step: u64,
        /// What moves the step's length: the name of the flag without its dashes.
        knob: &'static str,
    },
    /// The run folder already holds something.
    #[error("{}: the folder already holds files. Choose another --out, or give --overwrite to replace a run in it", folder.display())]
    FolderNotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder that is to be replaced holds something that is no run's.
    #[error(
        "{}: this is no part of a run, and only a run is replaced. Move it away, or choose another --out", path.display()
    )]
    Foreign {
        /// The first that was found.
        path: PathBuf,
    },
    /// The folder of a run was removed, moved or replaced while it was trained.
    #[error(
        "{}: the run's folder, or the lock in it, was removed or moved while it was trained: what would be written now is lost", folder.display()
    )]
    Removed {
        /// The folder.
        folder: PathBuf,
    },
    /// A file that numbers come from is not what was written.
    #[error(
        "{}: {fault}. Bring a copy of it back, or do the run again in a new folder, with --config on its config.toml", file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The configuration of a run that goes on is another one than that of its checkpoint.
    #[error(
        "{}: {key} was {was} when its checkpoint was made, and is {is} now: a run goes on as it was begun. Set it back in config.toml, \
         or begin another run with --config on it", folder.display()
    )]
    OtherConfig {
        /// The folder.
        folder: PathBuf,
        /// The key, with its table.
        key: String,
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// A run that is to go on is not there.
    #[error("{}: {fault}. Name the folder of a run that was begun with koala train", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        fault: String,
    },
    /// Another program is at this run.
    #[error("{}: another program is training this run; wait for it or stop it", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The data of a run are other ones than it was begun with.
    #[error(
        "{}: its data{} have changed since {noted}. Bring the old files back, or begin another run, in another folder",
        folder.display(),
        key.map_or_else(String::new, |key| format!(" ({key})"))
    )]
    OtherData {
        /// The folder.
        folder: PathBuf,
        /// The key of the configuration that says where they are; nothing if they have usual places.
        key: Option<&'static str>,
        /// Since when, and how that is known.
        noted: &'static str,
    },
    /// There are checkpoints, and none of them is whole.
    #[error(
        "{}: no checkpoint is whole ({faults}). Put a copy of one back, or start anew with --config on the run's \
         config.toml, --out on its folder and --overwrite", folder.display()
    )]
    NoCheckpoint {
        /// The folder of the checkpoints.
        folder: PathBuf,
        /// What is wrong with each.
        faults: String,
    },
    /// A state that cannot be stored or does not fit.
    #[error(transparent)]
    State(#[from] StateError),
    /// The operating system would not let us do something with a file.
    #[error("{}: cannot {action}: {cause}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What we wanted, as a verb.
        action: &'static str,
        /// Why it was refused.
        cause: std::io::Error,
    },
    /// The weights could not be written or read.
    #[error("{}: {cause}", file.display())]
    Weights {
        /// The file.
        file: PathBuf,
        /// Why, in words.
        cause: String,
    },
}

/// Whose fault an error is; a program turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for makes no sense.
    Usage,
    /// It made sense, and failed.
    Failure,
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Config(_) => Kind::Usage,
            _ => Kind::Failure,
        }
    }

    /// Whether it is what the run computes that went wrong: the same configuration fails the same way again. Nothing outside
    /// (a file, a device, a data set) is to blame.
    pub(crate) fn is_of_the_run(&self) -> bool {
        match self {
            Self::Diverged { .. } => true,
            Self::Optimizer { cause, .. } => !matches!(cause, OptimizerError::Device { .. }),
            _ => false,
        }
    }

    /// Whether it concerns this one run alone, as a file of it that is damaged does: others that are to be done with it can go on.
    pub fn is_of_one_folder(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. } | Self::NoCheckpoint { .. } | Self::OtherConfig { .. }
        )
    }

    pub(crate) fn optimizer(step: u64) -> impl Fn(OptimizerError) -> Self {
        move |cause| Self::Optimizer { step, cause }
    }

    /// What the operating system would not let us do with a file: `.map_err(Error::file(path, "read"))`.
    pub fn file(
        path: impl Into<PathBuf>,
        action: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File {
            path,
            action,
            cause,
        }
    }
}
