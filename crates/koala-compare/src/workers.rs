//! Runs that are at work at the same time, in this program and in others that share the folder.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use koala_data::Loaded;
use koala_report::Role;
use koala_system::own_folder;
use koala_train::run::{RunFolder, Settled};
use koala_train::training::{Event, Interrupt, Observer};

use super::observer::{Position, SuiteObserver};
use super::pace::Pace;
use super::planned::Planned;
use crate::Error;

/// How often a run that another program is at is looked at.
const PATIENCE: Duration = Duration::from_millis(200);

/// How much of the machine is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// Runs that are at work at once. Each has its own threads; with more than one of them, seconds are no measure.
    pub jobs: usize,
    /// Threads of each run. They change how long it takes and not what comes of it.
    pub threads: usize,
}

/// The workers on a suite's folder.
pub(super) struct Workers<'a> {
    pub folder: &'a Path,
    pub orders: Orders,
    pub interrupt: &'a Interrupt,
    observer: Mutex<&'a mut dyn SuiteObserver>,
    /// The data of each problem, while a run holds them.
    data: Vec<Mutex<Weak<Loaded>>>,
    state: Mutex<State>,
}

/// How far the workers are.
struct State {
    queue: VecDeque<usize>,
    /// Runs in a row that another program was at.
    busy: usize,
    known: usize,
    done: BTreeSet<String>,
    pace: Pace,
    tally: Tally,
    error: Option<Error>,
}

/// What came of runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Runs that ended, by whomever.
    pub ended: usize,
    /// Those of them that were at work here.
    pub ours: usize,
    /// Those that failed by themselves, with the reason.
    pub failed: Vec<(Planned, String)>,
    /// Those of which a file is damaged, and which.
    pub damaged: Vec<(Planned, String)>,
    /// Whether someone stopped it.
    pub interrupted: bool,
    /// Whether another program was at a run.
    pub company: bool,
}

impl<'a> Workers<'a> {
    /// Workers who know of so many runs of each problem, those to come among them.
    pub(super) fn new(
        folder: &'a Path,
        orders: Orders,
        known: &[usize],
        observer: &'a mut dyn SuiteObserver,
        interrupt: &'a Interrupt,
    ) -> Self {
        let mut pace = Pace::new(known.len(), orders.jobs);
        for (problem, runs) in known.iter().enumerate() {
            pace.expect(problem, *runs);
        }
        Self {
            folder,
            orders,
            interrupt,
            observer: Mutex::new(observer),
            data: known.iter().map(|_| Mutex::new(Weak::new())).collect(),
            state: Mutex::new(State {
                queue: VecDeque::new(),
                busy: 0,
                known: known.iter().sum(),
                done: BTreeSet::new(),
                pace,
                tally: Tally::default(),
                error: None,
            }),
        }
    }

    /// Brings these runs to their end, in their order; of those that share a folder, one. What came of all runs so far.
    pub(super) fn work(&self, runs: &[Planned]) -> Result<Tally, Error> {
        self.look(runs)?;
        std::thread::scope(|scope| {
            for _ in 0..self.orders.jobs.max(1) {
                scope.spawn(|| self.worker(runs));
            }
        });
        let mut state = lock(&self.state);
        state.tally.interrupted |= self.interrupt.is_set() && !state.queue.is_empty();
        match state.error.take() {
            Some(error) => Err(error),
            None => Ok(state.tally.clone()),
        }
    }

    /// Finds what was done before and puts the rest into the queue.
    fn look(&self, runs: &[Planned]) -> Result<(), Error> {
        let mut state = lock(&self.state);
        state.queue.clear();
        let mut met = BTreeSet::new();
        for (number, run) in runs.iter().enumerate() {
            if state.done.contains(&run.listed.folder) || !met.insert(&run.listed.folder) {
                // It was counted as one of its own.
                state.known = state.known.saturating_sub(1);
                state.pace.ended(run.problem, None);
                continue;
            }
            match RunFolder::at(&self.folder.join(&run.listed.folder)).settled()? {
                Some(settled) => state.end(run, settled, None),
                None => state.queue.push_back(number),
            }
        }
        Ok(())
    }

    fn worker(&self, runs: &[Planned]) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.orders.threads.max(1));
        let pool = match pool.build() {
            Ok(pool) => pool,
            Err(error) => {
                let cause = std::io::Error::other(error);
                self.give_up(Error::file(self.folder, "start threads for the runs in")(
                    cause,
                ));
                return;
            }
        };
        let mut held = None;
        while let Some(number) = self.next() {
            let Some(run) = runs.get(number) else { break };
            let begun = Instant::now();
            match pool.install(|| self.attempt(run, &mut held)) {
                Ok(Some((Settled::Interrupted, _))) => {
                    lock(&self.state).tally.interrupted = true;
                    break;
                }
                Ok(Some((settled, ours))) => {
                    let seconds = ours.then(|| begun.elapsed().as_secs_f64());
                    let position = {
                        let mut state = lock(&self.state);
                        state.busy = 0;
                        state.tally.ours += usize::from(ours);
                        state.end(run, settled.clone(), seconds);
                        self.position(&state, run)
                    };
                    lock(&self.observer).settled(&position, &settled);
                }
                Ok(None) => self.wait_for(number),
                Err(error) => {
                    self.give_up(error);
                    break;
                }
            }
        }
    }

    /// The next run to try; nothing if there is none, or it is time to stop.
    fn next(&self) -> Option<usize> {
        let mut state = lock(&self.state);
        if state.error.is_some() || self.interrupt.is_set() {
            return None;
        }
        state.queue.pop_front()
    }

    /// Another program is at a run: it comes last, and if it is the same with all that is left, there is time.
    fn wait_for(&self, number: usize) {
        let patience = {
            let mut state = lock(&self.state);
            state.queue.push_back(number);
            if !std::mem::replace(&mut state.tally.company, true) {
                lock(&self.observer).warn(
                    "another program is at work on this suite: its runs are left to it, and seconds are no measure",
                );
            }
            state.busy += 1;
            state.busy >= state.queue.len()
        };
        if patience {
            std::thread::sleep(PATIENCE);
        }
    }

    /// Nothing can be done about an error here: the other runs make their checkpoints and stop.
    fn give_up(&self, error: Error) {
        lock(&self.state).error.get_or_insert(error);
        self.interrupt.set();
    }

    /// How a run has ended, and whether it was at work here; nothing if another program is at it.
    fn attempt(
        &self,
        run: &Planned,
        held: &mut Option<(usize, Arc<Loaded>)>,
    ) -> Result<Option<(Settled, bool)>, Error> {
        let path = self.folder.join(&run.listed.folder);
        own_folder(&path).map_err(Error::file(&path, "create"))?;
        let folder = RunFolder::at(&path);
        if let Some(settled) = folder.settled()? {
            return Ok(Some((settled, false)));
        }
        match folder.check_free() {
            Err(koala_train::Error::Busy { .. }) => return Ok(None),
            free => free?,
        }
        let data = match held {
            Some((problem, data)) if *problem == run.problem => data.clone(),
            _ => {
                // What is not needed any more is let go of before more is read.
                *held = None;
                let data = self.data(run)?;
                *held = Some((run.problem, data.clone()));
                data
            }
        };
        let mut relay = Relay {
            workers: self,
            position: self.position(&lock(&self.state), run),
            told: false,
        };
        let mut warn = |text: &str| lock(&self.observer).warn(text);
        let settled = folder.settle_on(&run.config, &data, &mut relay, self.interrupt, &mut warn);
        match settled {
            Err(koala_train::Error::Busy { .. }) => Ok(None),
            settled => Ok(Some((settled?, relay.told))),
        }
    }

    /// The data of a run, read by the first that asks.
    fn data(&self, run: &Planned) -> Result<Arc<Loaded>, Error> {
        let Some(slot) = self.data.get(run.problem) else {
            return Ok(Arc::new(run.config.load()?));
        };
        let mut slot = lock(slot);
        if let Some(data) = slot.upgrade() {
            return Ok(data);
        }
        let data = Arc::new(run.config.load()?);
        *slot = Arc::downgrade(&data);
        Ok(data)
    }

    fn position(&self, state: &State, run: &Planned) -> Position {
        Position {
            done: state.tally.ended,
            count: state.known.max(state.tally.ended),
            workload: run.listed.workload.clone(),
            optimizer: run.listed.optimizer.clone(),
            seed: run.listed.seed,
            role: match run.listed.role {
                Role::Defaults => "defaults",
                Role::Tuned => "tuned",
                Role::Trial { .. } => "trial",
                Role::Sweep { .. } => "sweep",
            },
            alone: self.orders.jobs <= 1,
            left: state.pace.left(),
        }
    }
}

impl State {
    fn end(&mut self, run: &Planned, settled: Settled, seconds: Option<f64>) {
        self.done.insert(run.listed.folder.clone());
        self.pace.ended(run.problem, seconds);
        self.tally.ended += 1;
        match settled {
            Settled::Failed(message) => self.tally.failed.push((run.clone(), message)),
            Settled::Damaged(message) => self.tally.damaged.push((run.clone(), message)),
            Settled::Completed | Settled::Interrupted => {}
        }
    }
}

/// Tells the suite's observer what a run tells.
struct Relay<'a, 'w> {
    workers: &'a Workers<'w>,
    position: Position,
    /// Whether there was anything to tell: not of a run that another program has just done.
    told: bool,
}

impl Observer for Relay<'_, '_> {
    fn observe(&mut self, event: &Event) -> Result<(), koala_train::Error> {
        self.told = true;
        lock(&self.workers.observer).observe(&self.position, event);
        Ok(())
    }
}

/// A worker that panicked has left nothing half done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
