//! `koala completions` and `koala man`: what a shell and `man` want to know of the program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use koala_train::Error;

use crate::{Arguments, terminal};

/// Arguments of `koala completions`.
#[derive(Args)]
pub struct CompletionsArguments {
    /// The shell that is to complete koala's commands and flags
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script for a shell.
pub fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, Error> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "koala",
        &mut script,
    );
    terminal::line(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Arguments of `koala man`.
#[derive(Args)]
pub struct ManArguments {
    /// Folder for the pages of all commands, koala.1, koala-train.1 and so on, which is made if it is not there [default: koala.1 on the standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes the manual.
pub fn man(arguments: &ManArguments) -> Result<ExitCode, Error> {
    let command = Arguments::command();
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        // A Vec takes everything.
        let _ = clap_mangen::Man::new(command).render(&mut page);
        terminal::line(String::from_utf8_lossy(&page).trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|cause| Error::File {
            path: folder.clone(),
            action: "write the manual into it",
            cause,
        })?;
    Ok(ExitCode::SUCCESS)
}
