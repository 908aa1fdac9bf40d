//! koala: trains networks with the KOALA optimizers, and compares them with others.
//!
//! Exit codes: 0 done, 1 a run failed, data are missing or damaged, or a recording does not hold, 2 wrong usage, 130 interrupted.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod campaign;
mod check;
mod compare;
mod data;
mod doctor;
mod download;
mod flags;
mod interrupt;
mod progress;
mod recipes;
mod replay;
mod report;
mod sensitivity;
mod shell;
mod suites;
mod terminal;
mod train;
#[cfg(feature = "watch")]
mod watch;
#[cfg(not(feature = "watch"))]
#[path = "watch_unbuilt.rs"]
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use koala_compare::Error;
use koala_system::visible_lines;
use koala_train::Kind;
use mimalloc::MiMalloc;

/// The GNU allocator keeps, for each of many threads, the most that an evaluation ever took: gigabytes over a long suite.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Train networks with the KOALA optimizers (training as Kalman filtering), and compare them with others.
#[derive(Parser)]
#[command(
    name = "koala",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a network and keep the run in a folder
    ///
    /// Without any flag: a small network on the embedded digits, with KOALA-A, in seconds.
    ///
    /// Ctrl-C finishes the step and makes a checkpoint; `koala train --resume RUN` goes on from there, or after a crash
    /// from the last checkpoint, to the same bits.
    Train(Box<train::TrainArguments>),
    /// List the experiments that can be run by name, or print one
    Recipes(recipes::RecipesArguments),
    /// List the comparisons that can be run by name, or print one
    Suites(suites::SuitesArguments),
    /// Give several optimizers the same problems, the same seeds and batches, and the same effort to tune them
    ///
    /// Without any flag: KOALA-A, KOALA-M, KOALA-V, KOALA++, SGD with momentum and Adam on the embedded digits.
    ///
    /// Every run has a folder named by its configuration: the same command, or another one that wants the same run, finds
    /// it done. Ctrl-C makes checkpoints and stops; the same command goes on. Several programs may share one folder.
    Compare(Box<compare::CompareArguments>),
    /// Sweep what matters of each optimizer around its default, and see how much it matters
    ///
    /// For each optimizer what scales its steps (KOALA's gain, the learning rate of the others) and the batch size; for KOALA
    /// the process noise and P_0 too. By held-out samples alone.
    Sensitivity(Box<sensitivity::SensitivityArguments>),
    /// Put what runs left behind into one page for a browser, and into tables
    ///
    /// Verdict with its evidence, curves, sensitivity, profiles, and the inside of the filter. Suites that are not finished are
    /// reported as far as they are.
    Report(report::ReportArguments),
    /// Look at a run while it goes, or after: its curves, its filter, the time that is left
    ///
    /// RUN is a run's folder, or one that holds runs, such as a suite's, to choose from. Nothing in it is changed, and a run
    /// does not notice.
    ///
    /// Keys: Tab shows one panel after the other, l changes between logarithmic and plain axes, q leaves; in a list, arrows and
    /// Enter choose a run and Esc goes back. Where the standard output is no terminal, it is told once, as text.
    Watch(flags::WatchArguments),
    /// Check whether folders of runs and suites are as the format says
    ///
    /// Of this program or another one, such as koala-optim: a line for everything that is wrong, with its file and line. A run that
    /// goes on, or was stopped, is no fault.
    Check(check::CheckArguments),
    /// Try whether this machine keeps what is promised: files, the same bits, devices that agree
    ///
    /// Twenty steps of a small network twice, stopped and gone on with, by one thread and by two; a file written, synced and read;
    /// another device beside the processor; the data sets that are here. Exits with 1 if something is wrong, and says what to do.
    Doctor(doctor::DoctorArguments),
    /// List, download and check data sets
    Data(data::DataArguments),
    /// Replay recorded trajectories and compare every number with what was recorded
    ///
    /// One line a file: the worst relative difference and where it stands. Exits with 0 only if every file is within
    /// its tolerance, 1e-12 in f64 and 2e-6 in f32.
    Replay(replay::ReplayArguments),
    /// Print a script by which a shell completes koala's commands and flags
    ///
    /// For bash, with the package bash-completion: koala completions bash > ~/.local/share/bash-completion/completions/koala
    Completions(shell::CompletionsArguments),
    /// Print the manual page, or write those of all commands
    ///
    /// koala man --out ~/.local/share/man/man1, then: man koala-train
    Man(shell::ManArguments),
}

fn main() -> ExitCode {
    let code = match Arguments::try_parse() {
        Ok(arguments) => done(arguments.command),
        Err(told) => answered(&told),
    };
    // Lost output is an error, also of a command that went well.
    match terminal::finish() {
        Ok(()) => code,
        Err(lost) => {
            terminal::error(&lost);
            if code == ExitCode::SUCCESS {
                return ExitCode::FAILURE;
            }
            code
        }
    }
}

/// What the command line itself answers: help, the version, or what is wrong with it.
fn answered(told: &clap::Error) -> ExitCode {
    let plain = told.render().to_string();
    let shown = visible_lines(&plain);
    if told.use_stderr() && shown != plain {
        eprint!("{shown}");
    } else {
        terminal::written(told.print());
    }
    // 0 or 2.
    ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2))
}

fn done(command: Command) -> ExitCode {
    let result = match command {
        Command::Train(arguments) => train::run(&arguments).map_err(Error::from),
        Command::Recipes(arguments) => recipes::run(&arguments).map_err(Error::from),
        Command::Suites(arguments) => suites::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Sensitivity(arguments) => sensitivity::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Data(arguments) => data::run(&arguments).map_err(Error::from),
        Command::Replay(arguments) => Ok(replay::run(&arguments)),
        Command::Completions(arguments) => shell::completions(&arguments).map_err(Error::from),
        Command::Man(arguments) => shell::man(&arguments).map_err(Error::from),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            terminal::error(&error);
            exit_code(&error)
        }
    }
}

fn exit_code(error: &Error) -> ExitCode {
    match error.kind() {
        Kind::Usage => ExitCode::from(2),
        Kind::Failure => ExitCode::from(1),
    }
}
