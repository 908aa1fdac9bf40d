//! `koala doctor`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use koala_compare::Error;
use koala_system::make_folders;
use koala_train::device::DeviceName;
use koala_train::doctor::{Finding, State, examine};
use serde_json::json;

use crate::terminal;

/// Arguments of `koala doctor`.
#[derive(Args)]
pub struct DoctorArguments {
    /// Device to look at: cpu, cuda, rocm, metal, vulkan or webgpu; cuda:1 is the second
    #[arg(long, value_name = "NAME", default_value = "cpu")]
    device: DeviceName,
    /// Folder on the disk to look at, where runs would be kept
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Print what was found as JSON, and nothing else, on the standard output
    #[arg(long)]
    json: bool,
}

/// Looks, and tells what is wrong.
pub fn run(arguments: &DoctorArguments) -> Result<ExitCode, Error> {
    make_folders(&arguments.out).map_err(Error::file(&arguments.out, "make the folder"))?;
    let mut found: Vec<Finding> = Vec::new();
    examine(&arguments.out, arguments.device, &mut |finding| {
        if !arguments.json {
            let state = match finding.state {
                State::Well => "well  ",
                State::Wrong => "WRONG ",
                State::Absent => "absent",
            };
            terminal::line(format!("{state}  {}: {}", finding.what, finding.told));
        }
        found.push(finding);
    });
    let wrong = found.iter().filter(|one| one.state == State::Wrong).count();
    if arguments.json {
        terminal::json(&json!({ "device": arguments.device, "findings": found, "wrong": wrong }));
    } else {
        terminal::line(match wrong {
            0 => "This machine keeps what Koala promises.".to_owned(),
            1 => "One thing is wrong.".to_owned(),
            wrong => format!("{wrong} things are wrong."),
        });
    }
    Ok(match wrong {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
