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
    for (name, content) in &files {
        let path = folder.join(name);
        let (Some(within), Some(name)) = (path.parent(), name.file_name()) else {
            continue;
        };
        if within != folder {
            own_folder(within).map_err(Error::file(within, "make the folder"))?;
        }
        write_whole(within, &name.to_string_lossy(), content.as_bytes())?;
    }
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    if arguments.json {
        let told = json!({ "files": paths, "comparison": found.comparison });
        terminal::json(&told);
    } else if !arguments.quiet {
        tell(&found, &paths);
    }
    Ok(ExitCode::SUCCESS)
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
