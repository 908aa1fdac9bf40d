//! `koala report`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use koala_compare::Error;
use koala_report::{Gathered, View, csv, gather_as, latex, markdown, page, text};
use koala_system::{make_folders, own_folder};
use koala_train::run::write_whole;
use serde_json::json;

use crate::terminal;

/// Name of the folder that reports go to.
const FOLDER: &str = "report";
/// Name of the folder within it that figures go to.
const FIGURES: &str = "figures";

/// Arguments of `koala report`.
#[derive(Args)]
pub struct ReportArguments {
    /// Folders of suites, of runs, or with runs in them
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// Hold all others against this optimizer, tuned if it was tuned, or against 'best': on each workload the tuned baseline with the
    /// best held-out result [default: as the suite says]
    #[arg(long, value_name = "NAME")]
    reference: Option<String>,
    /// Folder for the report [default: report/ in FOLDER, or here if there are several]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// What to write
    #[arg(
        long,
        value_name = "NAME,..",
        value_enum,
        value_delimiter = ',',
        default_value = "html,markdown,csv,latex",
        help_heading = "Output"
    )]
    formats: Vec<Format>,
    /// Print nothing but errors
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    /// Print the comparison and the names of the files as JSON, and nothing else, on the standard output
    #[arg(long, help_heading = "Output")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// report.html: one file, to look at in a browser, without a network
    Html,
    /// report.md: tables, verdict and warnings
    Markdown,
    /// runs.csv and arms.csv, with a reference also reference.csv and ratios.csv: all digits, for other programs
    Csv,
    /// report.tex: the same tables, for a paper
    Latex,
    /// figures/: every figure of the page as an SVG file
    Svg,
}

impl Format {
    /// The files, by name.
    fn files(self, found: &Gathered) -> Result<Vec<(PathBuf, String)>, Error> {
        let Gathered { comparison, root } = found;
        let files = match self {
            Self::Html => vec![("report.html", page::html(comparison, root)?)],
            Self::Markdown => vec![("report.md", markdown::document(comparison))],
            Self::Csv => {
                let mut files = vec![
                    ("runs.csv", csv::runs(comparison)),
                    ("arms.csv", csv::arms(comparison)),
                ];
                let reference = csv::reference(comparison);
                files.extend(reference.map(|text| ("reference.csv", text)));
                let ratios = csv::ratios(comparison);
                files.extend(ratios.map(|text| ("ratios.csv", text)));
                files
            }
            Self::Latex => vec![("report.tex", latex::document(comparison))],
            Self::Svg => {
                let pictures = page::pictures(comparison, root)?.into_iter();
                let files = pictures.map(|one| (Path::new(FIGURES).join(one.file), one.text));
                return Ok(files.collect());
            }
        };
        let files = files.into_iter();
        Ok(files.map(|(name, text)| (name.into(), text)).collect())
    }
}

/// Reports as asked.
pub fn run(arguments: &ReportArguments) -> Result<ExitCode, Error> {
    let view = View {
        reference: arguments.reference.clone(),
    };
    let found = gather_as(&arguments.folders, &view)?;
    let folder = match (&arguments.out, arguments.folders.as_slice()) {
        (Some(out), _) => out.clone(),
        (None, [only]) => only.join(FOLDER),
        (None, _) => PathBuf::from(FOLDER),
    };
    // Everything is put together before anything is written: a fault leaves an older report whole.
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for format in &arguments.formats {
        for (name, content) in format.files(&found)? {
            if !files.iter().any(|(known, _)| *known == name) {
                files.push((name, content));
            }
        }
    }
    // A folder that was named may be a link; one that is ours by its name may not.
    match &arguments.out {
        Some(_) => make_folders(&folder),
        None => own_folder(&folder),
    }
    .map_err(Error::file(&folder, "make the folder"))?;
    write(&folder, &files)?;
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    if arguments.json {
        let told = json!({ "files": paths, "comparison": found.comparison });
        terminal::json(&told);
    } else if !arguments.quiet {
        tell(&found, &paths);
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the files of a report, each whole or not at all.
fn write(folder: &Path, files: &[(PathBuf, String)]) -> Result<(), Error> {
    for (name, content) in files {
        let path = folder.join(name);
        let (Some(within), Some(name)) = (path.parent(), name.file_name()) else {
            continue;
        };
        if within != folder {
            own_folder(within).map_err(Error::file(within, "make the folder"))?;
        }
        write_whole(within, &name.to_string_lossy(), content.as_bytes())?;
    }
    Ok(())
}

fn tell(found: &Gathered, paths: &[PathBuf]) {
    let comparison = &found.comparison;
    let overview = &comparison.overview;
    let lines = [&overview.answer, &overview.grounds];
    let lines = lines.into_iter().chain(&overview.at_other_lengths);
    for line in lines.filter(|line| !line.is_empty()) {
        terminal::line(line);
    }
    for told in comparison.reference.iter().flat_map(|all| &all.told) {
        terminal::line(told);
    }
    for sentence in &comparison.verdict {
        terminal::line(&sentence.text);
    }
    if let Some(chosen) = text::choices(comparison) {
        terminal::line(chosen.trim_end());
    }
    for warning in &comparison.warnings {
        terminal::line(format!("before you believe it: {warning}"));
    }
    // Of many figures their folder is enough.
    let figures = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "svg"));
    for path in paths
        .iter()
        .filter(|path| path.extension().is_none_or(|end| end != "svg"))
    {
        terminal::line(path.display());
    }
    if let Some(folder) = figures.clone().next().and_then(|path| path.parent()) {
        terminal::line(format!(
            "{} ({} figures)",
            folder.display(),
            figures.count()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use koala_system::faults::{Fault, Loss, failing, recording};
    use std::fs;

    /// A report of one run, with figures.
    fn files(about: &str) -> Vec<(PathBuf, String)> {
        let names = [
            "report.html",
            "report.md",
            "figures/a-loss.svg",
            "figures/b-loss.svg",
        ];
        let content = |name: &str| format!("{name} {}", about.repeat(1000));
        names.map(|name| (name.into(), content(name))).to_vec()
    }

    /// Each file is the old one or the new one, and a new one is there where no old one was, or nothing is.
    fn is_whole(folder: &Path, old: &[(PathBuf, String)]) -> bool {
        files("new").iter().all(|(name, new)| {
            let found = fs::read_to_string(folder.join(name)).ok();
            let before = old.iter().find(|(known, _)| known == name);
            found.as_ref() == Some(new) || found.as_ref() == before.map(|(_, text)| text)
        })
    }

    #[test]
    fn whatever_fails_or_crashes_leaves_each_file_of_a_report_old_or_new_and_the_next_one_whole() {
        let mut tried = 0;
        let mut reported_again = |folder: &Path, old: &[(PathBuf, String)]| {
            assert!(is_whole(folder, old));
            own_folder(folder).unwrap();
            write(folder, &files("new")).unwrap();
            assert!(is_whole(folder, &[]));
            let figures = fs::read_dir(folder.join(FIGURES)).unwrap();
            assert_eq!(
                (fs::read_dir(folder).unwrap().count(), figures.count()),
                (3, 2)
            );
            tried += 1;
        };
        let report = |folder: &Path| -> Result<(), Error> {
            own_folder(folder).map_err(Error::file(folder, "make the folder"))?;
            write(folder, &files("new"))
        };
        for old in [Vec::new(), files("older")] {
            let before = |parent: &Path| {
                let folder = parent.join(FOLDER);
                if !old.is_empty() {
                    own_folder(&folder).unwrap();
                    write(&folder, &old).unwrap();
                }
                folder
            };
            let torn = |at| Fault::killed(at).torn();
            for fault in [Fault::once, Fault::killed, torn, Fault::full, Fault::broken] {
                for at in 1.. {
                    let parent = tempfile::tempdir().unwrap();
                    let folder = before(parent.path());
                    let (outcome, operations) =
                        failing(parent.path(), fault(at), || report(&folder));
                    let there = |(name, text): &(PathBuf, String)| {
                        fs::read_to_string(folder.join(name)).is_ok_and(|found| found == *text)
                    };
                    // A full disk lets all but what needs space go well.
                    let is_done = files("new").iter().all(there);
                    assert!(
                        outcome.is_err() || is_done,
                        "{:?}: an error that nobody was told",
                        fault(at)
                    );
                    reported_again(&folder, &old);
                    if operations < at {
                        outcome.unwrap();
                        break;
                    }
                }
            }
            let parent = tempfile::tempdir().unwrap();
            let folder = before(parent.path());
            let (done, journal) = recording(parent.path(), || report(&folder));
            done.unwrap();
            assert!(journal.is_all_of(parent.path()).unwrap());
            let plain = [Loss::None, Loss::All, Loss::Content, Loss::Names];
            for loss in plain.into_iter().chain((0..8).map(Loss::Random)) {
                for crash in 0..=journal.len() {
                    let after = tempfile::tempdir().unwrap();
                    journal.after_crash(crash, loss, after.path()).unwrap();
                    reported_again(&after.path().join(FOLDER), &old);
                }
            }
        }
        // 24 operations beside what is there, and four more where nothing is.
        assert!(tried > 700, "{tried}");
    }
}
