//! Ctrl-C, or a request to end from outside: once to finish the step and keep what there is, twice to leave at once.

use std::process::ExitCode;

use koala_train::training::Interrupt;

const CODE: u8 = 130;

/// An interrupt that Ctrl-C sets, or `kill`, a batch system that needs the machine, a terminal that hangs up.
pub fn on_ctrl_c() -> Interrupt {
    let interrupt = Interrupt::default();
    let shared = interrupt.clone();
    // If no handler can be had, signals end the program as they always do. `try`: one that someone has ignored stays
    // ignored, so that a run under `nohup` outlives its terminal.
    let _ = ctrlc::try_set_handler(move || {
        if shared.is_set() {
            std::process::exit(i32::from(CODE));
        }
        shared.set();
    });
    interrupt
}

/// The exit code of an interrupted program.
pub fn exit_code() -> ExitCode {
    ExitCode::from(CODE)
}
