//! Ctrl-C, or a request to end from outside: once to finish the step and keep what there is, twice to leave at once.

use std::process::ExitCode;

use koala_train::training::Interrupt;

const CODE: u8 = 130;

/// An interrupt that Ctrl-C sets, or `kill`, a batch system that needs the machine, a terminal that hangs up.
pub fn on_ctrl_c() -> Interrupt {
    let interrupt = Interrupt::default();
    let shared = interrupt.clone();
    let asked = move || {
        if shared.is_set() {
            std::process::exit(i32::from(CODE));
        }
        shared.set();
    };
    // `try`: one that someone has ignored stays ignored, so that a run under `nohup` outlives its terminal, and one in the
    // background of a script the Ctrl-C that is for another. Then there is no handler at all, and `kill` needs one of its own.
    if ctrlc::try_set_handler(asked.clone()).is_err() {
        on_termination(asked);
    }
    interrupt
}

/// Calls `asked` whenever the program is asked to end, and leaves all other signals alone. If no handler can be had, they end
/// the program as they always do.
#[cfg(unix)]
fn on_termination(asked: impl Fn() + Send + 'static) {
    use signal_hook::consts::SIGTERM;
    use signal_hook::iterator::Signals;

    let Ok(mut signals) = Signals::new([SIGTERM]) else {
        return;
    };
    let watch = move || signals.forever().for_each(|_| asked());
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch);
}

#[cfg(not(unix))]
fn on_termination(_asked: impl Fn() + Send + 'static) {}

/// The exit code of an interrupted program.
pub fn exit_code() -> ExitCode {
    ExitCode::from(CODE)
}
