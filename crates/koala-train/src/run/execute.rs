//! Doing what a configuration says.

use koala_data::Loaded;
use koala_system::read_text;

use super::bound::Bound;
use super::contents::{Contents, EVENTS};
use super::lock::{Held, Presence};
use super::session::Session;
use super::{DataNote, Found, Outcome, RunConfig, RunFolder};
use crate::Error;
use crate::training::{
    Both, Checkpoint, Company, Event, FailureEvent, Forgetful, Interrupt, Keeper, Observer, Silent,
    Status,
};

/// No line that tells why weights were refused comes near it, in bytes.
const LARGEST_REFUSAL: u64 = 1 << 20;

/// How a run stands that was brought to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// All steps are done.
    Completed,
    /// It failed by itself, and would again; `failure.json` remembers why.
    Failed(String),
    /// Something of it is damaged, or was made of another configuration: which, and what to do. Others can go on.
    Damaged(String),
    /// Someone stopped it; it can go on.
    Interrupted,
}

/// Reads the data and does the run, without a folder.
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
    data: &Loaded,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Outcome, Error> {
    go(config, data, observer, &mut Forgetful, interrupt, None)
}

impl RunFolder {
    /// Reads the data and does the run, keeping everything in this folder. A run that fails leaves its log and its
    /// checkpoints; one that was interrupted leaves what it has.
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
        self.execute_on(config, &config.load()?, observer, interrupt)
    }

    /// As [`RunFolder::execute`], on data that was read before.
    ///
    /// # Errors
    ///
    /// [`Error`] as [`execute_on`], or if a file cannot be written.
    pub fn execute_on(
        &self,
        config: &RunConfig,
        data: &Loaded,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Outcome, Error> {
        let held = self.lock()?;
        self.write_config(config)?;
        self.write_data(DataNote::of(data, config).as_ref())?;
        let outcome = self.run(&held, config, data, observer, interrupt, None);
        if let Err(Error::Weights { .. } | Error::Config(_)) = &outcome {
            self.take_back_beginning();
        }
        outcome
    }

    /// Removes what was written of a run whose weights to start from were refused, so that it is not in the way of the command that
    /// mends it. What cannot be removed stays: the refusal is what is to be told.
    fn take_back_beginning(&self) {
        // Its log tells the refusal then, and nothing else.
        let told = read_text(&self.path().join(EVENTS), LARGEST_REFUSAL);
        let only_refused = told.is_ok_and(|log| !log.contains(r#""event":"start""#));
        if only_refused && let Ok(contents) = Contents::of(self.path()) {
            let _ = contents.remove();
        }
    }

    /// Goes on with the run in this folder where its newest whole checkpoint was made, or from its beginning if it was
    /// stopped before the first; `warn` is told of checkpoints that are damaged and of logs that have lost something. What
    /// comes of it is, to the bit, what would have come without the stop. `config` may have another length than that of the folder, and
    /// be looked at and kept otherwise: what comes of it is then what would have come of a run that was begun so.
    ///
    /// # Errors
    ///
    /// [`Error`] as [`RunFolder::execute_on`]; [`Error::Config`] if it cannot be as long; [`Error::NoCheckpoint`] if there are some and none is whole.
    pub fn resume_on(
        &self,
        config: &RunConfig,
        data: &Loaded,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
        warn: &mut dyn FnMut(&str),
    ) -> Result<Outcome, Error> {
        let held = self.lock()?;
        self.change(config, data)?;
        self.go_on(&held, config, data, observer, interrupt, warn)
    }

    /// Brings the run of this folder to its end, whatever became of it so far: one that is complete or has failed is left
    /// as it is, one that was begun goes on, and a new one is begun. Several programs may ask for the same run at the same
    /// time: one does it, and the others are told that the folder is busy.
    ///
    /// # Errors
    ///
    /// [`Error`] as [`RunFolder::resume_on`], but a run that fails by itself is [`Settled::Failed`]; [`Error::Busy`] if
    /// another program is at it.
    pub fn settle_on(
        &self,
        config: &RunConfig,
        data: &Loaded,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
        warn: &mut dyn FnMut(&str),
    ) -> Result<Settled, Error> {
        let held = self.lock()?;
        // Asked once it is locked: another program may have done it a moment ago.
        if let Some(settled) = self.settled()? {
            return Ok(settled);
        }
        self.write_config(config)?;
        match self.go_on(&held, config, data, observer, interrupt, warn) {
            Ok(outcome) if outcome.result.status == Status::Interrupted => Ok(Settled::Interrupted),
            Ok(_) => Ok(Settled::Completed),
            Err(error) if error.is_of_the_run() => Ok(Settled::Failed(error.to_string())),
            Err(error) if error.is_of_one_folder() => Ok(Settled::Damaged(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// How the run of this folder has ended; nothing if it has not, or was never begun.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if that cannot be read.
    pub fn settled(&self) -> Result<Option<Settled>, Error> {
        match self.completed() {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(Some(Settled::Completed)),
            Err(error) if error.is_of_one_folder() => {
                return Ok(Some(Settled::Damaged(error.to_string())));
            }
            Err(error) => return Err(error),
        }
        Ok(self.failed()?.map(Settled::Failed))
    }

    fn go_on(
        &self,
        held: &Held,
        config: &RunConfig,
        data: &Loaded,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
        warn: &mut dyn FnMut(&str),
    ) -> Result<Outcome, Error> {
        let note = DataNote::of(data, config);
        self.check_data(note.as_ref().map(|note| note.sha256.as_str()))?;
        let found = self.checkpoints(config).find()?;
        self.check_bound(&found, &Bound::of(config, data.sha256()), config)?;
        self.write_data(note.as_ref())?;
        for warning in &found.warnings {
            warn(warning);
        }
        if let Some(checkpoint) = &found.checkpoint {
            for warning in self.shortened_logs(config, &checkpoint.marks)? {
                warn(&warning);
            }
        }
        self.run(held, config, data, observer, interrupt, Some(found))
    }

    fn run(
        &self,
        held: &Held,
        config: &RunConfig,
        data: &Loaded,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
        found: Option<Found>,
    ) -> Result<Outcome, Error> {
        self.forget_failure()?;
        self.forget_manifest()?;
        let outcome = self.keep(held, config, data, observer, interrupt, found);
        if let Err(error) = &outcome
            && error.is_of_the_run()
        {
            self.write_failure(error.to_string())?;
        }
        outcome
    }

    fn keep(
        &self,
        held: &Held,
        config: &RunConfig,
        data: &Loaded,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
        found: Option<Found>,
    ) -> Result<Outcome, Error> {
        let (from, best) = found.map_or((None, None), |found| (found.checkpoint, found.best));
        let marks = from.as_ref().map(|checkpoint| &checkpoint.marks);
        let mut log = self.log(config.log_every, marks)?;
        let mut board = self.board(config, marks)?;
        let mut silent = Silent;
        let board: &mut dyn Observer = match &mut board {
            Some(board) => board,
            None => &mut silent,
        };
        let mut samples = self.samples();
        let bound = Bound::of(config, data.sha256());
        let mut keeper = self.checkpoints(config).of_run(bound, best);
        let outcome = go(
            config,
            data,
            &mut Both(
                &mut Both(
                    &mut Presence(held),
                    &mut Both(&mut Both(&mut log, board), &mut samples),
                ),
                observer,
            ),
            &mut keeper,
            interrupt,
            from.as_ref(),
        )?;
        held.check()?;
        // What is noted of it below is what was written.
        keeper.whole_best()?;
        self.write_weights(&outcome.network.weights()?)?;
        if let Some(critic) = outcome.network.critic_weights()? {
            self.write_critic(&critic)?;
        }
        self.write_result(&outcome.result)?;
        held.check()?;
        Ok(outcome)
    }
}

fn go(
    config: &RunConfig,
    data: &Loaded,
    observer: &mut dyn Observer,
    keeper: &mut dyn Keeper,
    interrupt: &Interrupt,
    from: Option<&Checkpoint>,
) -> Result<Outcome, Error> {
    let company = Company {
        observer: &mut *observer,
        keeper,
        interrupt,
    };
    let mut outcome = Session { config, from }.run(&data.data, company);
    if let Ok(outcome) = &mut outcome {
        // What is worth knowing of the data comes first.
        let told = data.warnings.iter().map(ToString::to_string);
        outcome.result.warnings.splice(0..0, told);
    }
    if let Err(error) = &outcome {
        let message = error.to_string();
        // What broke the run off is told, also if it cannot be logged (the disk is full).
        let _ = observer.observe(&Event::Failure(FailureEvent { message }));
    }
    outcome
}
