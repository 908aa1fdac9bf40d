//! `koala watch` as it is typed.

use std::io::IsTerminal;
use std::process::ExitCode;

use koala_compare::Error;

use super::app::App;
use super::watched::Watched;
use super::{record, text};
use crate::flags::WatchArguments;
use crate::{interrupt, terminal};

/// Shows as asked.
pub fn run(arguments: &WatchArguments) -> Result<ExitCode, Error> {
    let watched = Watched::open(&arguments.run)?;
    if arguments.json {
        let value = match &watched {
            Watched::Run(source) => record::run(source.snapshot()),
            Watched::Rows(rows) => record::rows(rows),
        };
        terminal::json(&value);
    } else if arguments.once || !std::io::stdout().is_terminal() {
        let text = match &watched {
            Watched::Run(source) => text::run(source.snapshot()),
            Watched::Rows(rows) => text::rows(rows),
        };
        terminal::line(text.trim_end());
    } else {
        let interrupt = interrupt::on_ctrl_c();
        App::new(watched).run(&interrupt)?;
        if interrupt.is_set() {
            return Ok(interrupt::exit_code());
        }
    }
    Ok(ExitCode::SUCCESS)
}
